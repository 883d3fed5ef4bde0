/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <assert.h>
#include <string.h>

const struct vtd_features unit_all = {
    .address_bits = 57,
    .scalable = true,
    .first_stage = true,
    .second_stage = true,
    .nested = true,
    .pass_through = true,
    .interrupt_remapping = true,
    .x2apic = true,
    .snoop = true,
    .large_pages = true,
    .coherent = true,
    .protected_memory = true,
    .posted = true,
};

static bool ram_read(void *opaque, uint64_t addr, void *data, unsigned len)
{
    struct unit *u = opaque;

    if (addr >= UNIT_RAM || len > UNIT_RAM - addr)
        return false;
    memcpy(data, u->ram + addr, len);
    return true;
}

static bool ram_write(void *opaque, uint64_t addr, const void *data, unsigned len)
{
    struct unit *u = opaque;

    if (addr >= UNIT_RAM || len > UNIT_RAM - addr)
        return false;
    memcpy(u->ram + addr, data, len);
    return true;
}

static bool behind_read(void *opaque, uint64_t addr, void *data, unsigned len)
{
    struct unit *u = opaque;

    if (addr >= UNIT_RAM || len > UNIT_RAM - addr)
        return false;
    memcpy(data, u->behind + addr, len);
    return true;
}

static bool behind_write(void *opaque, uint64_t addr, const void *data, unsigned len)
{
    struct unit *u = opaque;

    if (addr >= UNIT_RAM || len > UNIT_RAM - addr)
        return false;
    memcpy(u->behind + addr, data, len);
    return true;
}

void unit_flush(struct unit *u, uint64_t addr)
{
    addr &= ~63ULL;
    memcpy(u->behind + addr, u->ram + addr, 64);
}

static void event(void *opaque, uint64_t addr, uint32_t data)
{
    struct unit *u = opaque;

    u->events++;
    u->event_addr = addr;
    u->event_data = data;
}

static void device_tlb(void *opaque, const struct vtd_device_tlb *what)
{
    struct unit *u = opaque;

    u->device_tlbs++;
    u->device_tlb = *what;
}

static void page_response(void *opaque, const struct vtd_page_response *what)
{
    struct unit *u = opaque;

    u->responses++;
    u->response = *what;
}

void unit_open(struct unit *u, const struct vtd_features *features)
{
    unit_open_timed(u, features, 0);
}

void unit_open_timed(struct unit *u, const struct vtd_features *features, uint64_t latency_ps)
{
    struct vtd_params params = {
        .name = "unit",
        .sim = &u->sim,
        .trace = &u->trace,
        .features = *features,
        .host_bits = 46,
        .memory = {ram_read, ram_write, u},
        .tables = {behind_read, behind_write, u},
        .event = event,
        .device_tlb = device_tlb,
        .page_response = page_response,
        .device_tlb_timeout_ps = UNIT_DEVICE_TLB_PS,
        .opaque = u,
        .read_latency_ps = latency_ps,
        .find_stale = latency_ps != 0,
    };

    memset(u, 0, sizeof(*u));
    sim_init(&u->sim, 1);
    u->trace.now_ps = &u->sim.now_ps;
    u->vtd = vtd_new(&params);
}

void unit_close(struct unit *u)
{
    vtd_free(u->vtd);
    sim_fini(&u->sim);
}

void unit_put(struct unit *u, uint64_t addr, uint64_t value)
{
    le64_store(u->ram + addr, value);
}

uint64_t unit_get(const struct unit *u, uint64_t addr)
{
    return le64_load(u->ram + addr);
}

static void page_tables(struct unit *u)
{
    for (unsigned level = 0; level < 3; level++) {
        unit_put(u, UNIT_SECOND + level * 0x1000, UNIT_SECOND + (level + 1) * 0x1000 + 3);
        unit_put(u, UNIT_FIRST + level * 0x1000, UNIT_FIRST + (level + 1) * 0x1000 + 7);
    }
    for (unsigned i = 0; i < 16; i++) {
        unit_put(u, UNIT_SECOND + 0x3000 + 8 * i, 0x40003 + i * 0x1000);
        unit_put(u, UNIT_FIRST + 0x3000 + 8 * i, 0x40007 + i * 0x1000);
    }
}

static void go(struct unit *u, uint64_t root)
{
    page_tables(u);
    vtd_write(u->vtd, 0x20, 8, root);
    vtd_write(u->vtd, 0x18, 4, BIT(30));
    assert(vtd_read(u->vtd, 0x1c, 4) & BIT(30));
    vtd_write(u->vtd, 0x18, 4, BIT(31));
    assert(vtd_read(u->vtd, 0x1c, 4) & BIT(31));
}

void unit_legacy(struct unit *u)
{
    unit_put(u, UNIT_ROOT_ENTRY, 0x2001);
    unit_put(u, UNIT_LEGACY_ENTRY, UNIT_SECOND | 1);
    unit_put(u, UNIT_LEGACY_ENTRY + 8, 7 << 8 | 2);
    go(u, UNIT_ROOT);
}

void unit_scalable(struct unit *u, unsigned pgtt)
{
    unit_put(u, UNIT_ROOT_ENTRY, 0x3001);
    unit_put(u, UNIT_CONTEXT_ENTRY, UNIT_DIRECTORY | BIT(3) | 1);
    unit_put(u, UNIT_DIRECTORY, 0x5001);
    unit_put(u, UNIT_PASID_ENTRY, UNIT_SECOND | pgtt << 6 | 2 << 2 | 1);
    /* PWSNP, where it may be set. */
    unit_put(u, UNIT_PASID_ENTRY + 8, 7 | (vtd_read(u->vtd, 0x10, 8) & BIT(48) ? BIT(23) : 0));
    unit_put(u, UNIT_PASID_ENTRY + 16, UNIT_FIRST);
    go(u, UNIT_ROOT | BIT(10));
}

void unit_queue_on(struct unit *u)
{
    bool wide = vtd_read(u->vtd, 0x10, 8) & BIT(43);

    vtd_write(u->vtd, 0x88, 8, 0);
    vtd_write(u->vtd, 0x90, 8, UNIT_QUEUE | (wide ? BIT(11) : 0));
    vtd_write(u->vtd, 0x18, 4, (vtd_read(u->vtd, 0x1c, 4) & ~BIT(30) & ~BIT(24)) | BIT(26));
    u->tail = 0;
}

void unit_queue(struct unit *u, uint64_t low, uint64_t high)
{
    unsigned bytes = vtd_read(u->vtd, 0x90, 8) & BIT(11) ? 32 : 16;

    memset(u->ram + UNIT_QUEUE + u->tail, 0, bytes);
    unit_put(u, UNIT_QUEUE + u->tail, low);
    unit_put(u, UNIT_QUEUE + u->tail + 8, high);
    u->tail = (u->tail + bytes) % 4096;
    vtd_write(u->vtd, 0x88, 8, u->tail);
}

static void done(struct iommu_request *request, enum iommu_status status)
{
    struct unit *u = request->opaque;

    u->status = status;
    u->out = request->addr;
    u->interrupt = request->interrupt;
}

bool unit_access(struct unit *u, const struct iommu_access *access)
{
    u->request = (struct iommu_request){.access = *access, .done = done, .opaque = u};
    vtd_submit(u->vtd, &u->request);
    return u->status == IOMMU_TRANSLATED_OK;
}

bool unit_read(struct unit *u, uint64_t addr)
{
    return unit_access(u,
                       &(struct iommu_access){.addr = addr, .sid = UNIT_SID, .want = PT_PERM_READ});
}

bool unit_write(struct unit *u, uint64_t addr)
{
    return unit_access(
        u, &(struct iommu_access){.addr = addr, .sid = UNIT_SID, .want = PT_PERM_WRITE});
}

uint64_t unit_fault(struct unit *u, uint64_t *low)
{
    unsigned status = (unsigned)vtd_read(u->vtd, 0x34, 4), record = 0x200 + (status >> 8) * 16;
    uint64_t high;

    if (!(status & 2))
        return 0;
    *low = vtd_read(u->vtd, record, 8);
    high = vtd_read(u->vtd, record + 8, 8);
    assert(high >> 63);
    vtd_write(u->vtd, record + 12, 4, BIT(31));
    assert(!(vtd_read(u->vtd, record + 8, 8) >> 63));
    return high;
}

unsigned unit_reason(struct unit *u)
{
    uint64_t low;

    return unit_fault(u, &low) >> 32 & 0xff;
}
