/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VT-d unit against a hostile guest: registers, tables, queue descriptors and requests in any
 * order, answered at once or in time. Every request is answered once, and after a reset the unit
 * works.
 */
#include <glib.h>
#include <string.h>

#include "unit.h"

#define MAX_ACTIONS  512
#define MAX_REQUESTS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
    struct unit u;
    const uint8_t *at;
    size_t left;
    struct iommu_request request[MAX_REQUESTS];
    bool busy[MAX_REQUESTS];
};

/* Bytes past the end of the input are zeroes. */
static uint64_t take(struct world *w, unsigned bytes)
{
    uint8_t value[8] = {0};
    unsigned n = bytes < w->left ? bytes : (unsigned)w->left;

    memcpy(value, w->at, n);
    w->at += n;
    w->left -= n;
    return le64_load(value);
}

static void done(struct iommu_request *request, enum iommu_status status)
{
    struct world *w = request->opaque;
    unsigned i = (unsigned)(request - w->request);

    g_assert(w->busy[i]);
    w->busy[i] = false;
}

static void act_request(struct world *w)
{
    uint64_t how = take(w, 2);
    unsigned i = how % MAX_REQUESTS;

    if (w->busy[i])
        return;
    w->request[i] = (struct iommu_request){
        .access = {.addr = take(w, how & 0x100 ? 8 : 3) << (how & 0x200 ? 12 : 0),
                   .sid = how & 0x400 ? (uint16_t)take(w, 2) : UNIT_SID,
                   .has_pasid = how >> 11 & 1,
                   .privileged = how >> 12 & 1,
                   .interrupt = (how >> 13 & 3) == 3,
                   .want = 1 + how % 7,
                   .at = (how >> 4) % 3 * ((how >> 15) & 1),
                   .pasid = how & 0x800 ? (uint32_t)take(w, 2) : 0,
                   .data = (uint32_t)how},
        .done = done,
        .opaque = w,
    };
    w->busy[i] = true;
    vtd_submit(w->u.vtd, &w->request[i]);
}

static void act_register(struct world *w)
{
    static const uint16_t interesting[] = {0x18, 0x20, 0x28, 0x34,  0x38,  0x80,  0x88, 0x90,
                                           0x9c, 0xa0, 0xb8, 0x100, 0x108, 0x20c, 0x64, 0x68,
                                           0x6c, 0x70, 0x78, 0xc0,  0xc8,  0xd0,  0xdc, 0xe0};
    uint64_t how = take(w, 2);
    unsigned offset =
        how & 0x8000 ? how % VTD_REGISTER_BYTES : interesting[how % ARRAY_LEN(interesting)];

    vtd_write(w->u.vtd, offset, how & 0x4000 ? 8 : 4, take(w, how & 0x2000 ? 8 : 4));
    vtd_read(w->u.vtd, offset, how & 0x4000 ? 8 : 4);
}

static void act_page(struct world *w)
{
    uint64_t how = take(w, 2);

    vtd_page_request(w->u.vtd, &(struct vtd_page_request){
                                   .sid = how & 0x400 ? (uint16_t)take(w, 2) : UNIT_SID,
                                   .has_pasid = how & 1,
                                   .privileged = how & 2,
                                   .execute = how & 4,
                                   .last = how & 8,
                                   .write = how & 0x10,
                                   .read = how & 0x20,
                                   .group = how >> 7,
                                   .pasid = how & 0x800 ? (uint32_t)take(w, 2) : 0,
                                   .addr = take(w, 3) << 12,
                               });
}

/* Tables, mostly where the unit looks for them. */
static void act_memory(struct world *w)
{
    static const uint32_t interesting[] = {UNIT_ROOT_ENTRY, UNIT_LEGACY_ENTRY, UNIT_CONTEXT_ENTRY,
                                           UNIT_DIRECTORY,  UNIT_PASID_ENTRY,  UNIT_QUEUE,
                                           UNIT_IRT,        UNIT_SECOND,       UNIT_FIRST};
    uint64_t how = take(w, 2);
    uint64_t addr =
        interesting[how % ARRAY_LEN(interesting)] + (how >> 4 & 7) * 8 + (how >> 7 & 3) * 0x1000;

    if (how & 0x8000)
        unit_put(&w->u, addr, unit_get(&w->u, addr) ^ 1ULL << (how >> 9 & 63));
    else
        unit_put(&w->u, addr, take(w, 8));
    if (how & 0x4000)
        unit_flush(&w->u, addr);
}

static void act(struct world *w)
{
    uint64_t what = take(w, 1);

    switch (what % 8) {
    case 0: act_register(w); break;
    case 1:
    case 2: act_memory(w); break;
    case 3: sim_run_until(&w->u.sim, w->u.sim.now_ps + (what >> 3) * 1000); break;
    case 5: act_page(w); break;
    case 4: unit_queue(&w->u, take(w, 8), take(w, 8)); break;
    default: act_request(w); break;
    }
}

/* Whatever the tables are, telling of them ends, and changes nothing. */

static void told_open(void *opaque, const char *name, bool list)
{
    ++*(int *)opaque;
}

static void told_close(void *opaque, bool list)
{
    --*(int *)opaque;
}

static void told_number(void *opaque, const char *name, uint64_t value)
{
}
static void told_flag(void *opaque, const char *name, bool value)
{
}
static void told_text(void *opaque, const char *name, const char *text)
{
}

static void inspect(struct world *w)
{
    static const struct inspect_ops ops = {told_open, told_close, told_number, told_flag,
                                           told_text};
    const struct iommu_access access = {
        .addr = take(w, 8) & 0xffffff, .sid = UNIT_SID, .want = PT_PERM_WRITE};
    uint8_t *before = g_memdup2(w->u.ram, sizeof(w->u.ram));
    int depth = 0;
    const struct inspect in = {&ops, &depth};

    vtd_inspect(w->u.vtd, &in);
    vtd_inspect_walk(w->u.vtd, &in, &access);
    g_assert(depth == 0 && memcmp(before, w->u.ram, sizeof(w->u.ram)) == 0);
    g_free(before);
}

static void check_all_answered(const struct world *w)
{
    for (unsigned i = 0; i < MAX_REQUESTS; i++)
        g_assert(!w->busy[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world *w = g_new0(struct world, 1);
    struct vtd_features features = unit_all;
    uint64_t how;

    w->at = data;
    w->left = size;
    how = take(w, 1);
    features.coherent = !(how & 0x10);
    features.device_tlb = features.page_requests = !(how & 0x10);
    features.posted = features.protected_memory = !(how & 0x20);
    unit_open_timed(&w->u, &features, how & 1 ? 700 : 0);
    if (how & 2)
        unit_scalable(&w->u, 1 + (how >> 2 & 3));
    else
        unit_legacy(&w->u);
    unit_queue_on(&w->u);
    memcpy(w->u.behind, w->u.ram, sizeof(w->u.ram));
    for (unsigned i = 0; i < MAX_ACTIONS && w->left; i++)
        act(w);
    if (how & 0x40)
        inspect(w);
    if (how & 0x80)
        vtd_reset(w->u.vtd);
    else
        sim_run_until(&w->u.sim, w->u.sim.now_ps + PS_PER_MS);
    check_all_answered(w);
    vtd_reset(w->u.vtd);
    memset(w->u.ram, 0, sizeof(w->u.ram));
    unit_scalable(&w->u, 2);
    memcpy(w->u.behind, w->u.ram, sizeof(w->u.ram));
    unit_read(&w->u, 0x1234);
    sim_run_until(&w->u.sim, w->u.sim.now_ps + PS_PER_MS);
    g_assert(w->u.status == IOMMU_TRANSLATED_OK && (how & 1 || w->u.out == 0x41234));
    unit_close(&w->u);
    g_free(w);
    return 0;
}
