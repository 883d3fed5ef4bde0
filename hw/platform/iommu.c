/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IOMMUs in the machine: units on the board's bus, root complexes that ask the unit in whose scope
 * a requester is, the IOAPIC whose messages go through one of them, and where translated memory and
 * remapped interrupts end.
 */
#include "iommu.h"

#include <assert.h>
#include <string.h>

#include "board.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"

/* A TLP that waits for its translation. */
struct iommu_pending {
    struct iommu_request request;
    struct board_iommu *unit;
    struct board_bridge *bridge;
    struct root_complex *rc;
    struct tlp *tlp; /* NULL: a message of the IOAPIC */
    struct iommu_pending *next;
};

/* Memory as the unit reaches it: tables lie in RAM only (CHOICE: elsewhere there is nothing). */

static bool table_read(void *opaque, uint64_t addr, void *data, unsigned len)
{
    struct board_iommu *unit = opaque;
    const void *from = ram_ptr(&unit->machine->ram, addr, len);

    if (from)
        memcpy(data, from, len);
    return from != NULL;
}

static bool table_write(void *opaque, uint64_t addr, const void *data, unsigned len)
{
    struct board_iommu *unit = opaque;
    void *to = ram_ptr(&unit->machine->ram, addr, len);

    if (!to)
        return false;
    memcpy(to, data, len);
    ram_write_back(&unit->machine->ram, addr, len);
    cpu_group_ram_written(unit->machine->cpus, addr, len);
    return true;
}

/* The same behind the processors' caches. */

static bool backing_read(void *opaque, uint64_t addr, void *data, unsigned len)
{
    struct board_iommu *unit = opaque;

    return ram_backing_read(&unit->machine->ram, addr, data, len);
}

static bool backing_write(void *opaque, uint64_t addr, const void *data, unsigned len)
{
    struct board_iommu *unit = opaque;
    bool shared = false;
    bool ok = ram_backing_write(&unit->machine->ram, addr, data, len, &shared);

    if (shared)
        cpu_group_ram_written(unit->machine->cpus, addr, len);
    return ok;
}

/* Events of the unit itself; upper address bits are those of the destination (VT-d 4.1, 11.4.7.5).
 */
static void unit_event(void *opaque, uint64_t addr, uint32_t data)
{
    struct board_iommu *unit = opaque;

    if ((uint32_t)addr >> 20 == MAP_MSI_BASE >> 20)
        apic_deliver_msi(&unit->machine->apics, (uint32_t)addr, data);
}

/* Registers. */

static uint64_t unit_read(void *opaque, uint64_t offset, unsigned size)
{
    struct board_iommu *unit = opaque;

    return vtd_read(unit->vtd, (unsigned)offset, size);
}

static void unit_write(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct board_iommu *unit = opaque;

    vtd_write(unit->vtd, (unsigned)offset, size, value);
}

/* Requests. */

static struct iommu_pending *pending_take(struct board_iommu *unit)
{
    struct iommu_pending *pending = unit->free;

    if (pending)
        unit->free = pending->next;
    else
        pending = g_new0(struct iommu_pending, 1);
    pending->unit = unit;
    return pending;
}

static void pending_put(struct iommu_pending *pending)
{
    pending->next = pending->unit->free;
    pending->unit->free = pending;
}

static void deliver_interrupt(struct machine *machine, const struct iommu_interrupt *interrupt)
{
    if (interrupt->silent)
        return;

    const struct apic_message message = {
        .dest = interrupt->dest,
        .wide = interrupt->wide,
        .logical = interrupt->logical,
        .level = interrupt->level,
        .mode = interrupt->mode,
        .vector = interrupt->vector,
    };

    apic_deliver(&machine->apics, &message);
}

static void take_answer(struct tlp *tlp, const struct iommu_request *request)
{
    tlp->addr = (tlp->addr & 0xfff) | (request->addr & ~0xfffULL);
    if (request->snoop)
        tlp->attr &= (uint8_t)~TLP_ATTR_NO_SNOOP;
}

static void translated(struct iommu_request *request, enum iommu_status status)
{
    struct iommu_pending *pending = request->opaque;
    struct tlp *tlp = pending->tlp;
    bool ok = status == IOMMU_TRANSLATED_OK;

    if (status == IOMMU_ABANDONED) {
        tlp_free(tlp);
    } else if (ok && request->access.interrupt && !request->interrupt.compatible) {
        deliver_interrupt(pending->unit->machine, &request->interrupt);
        tlp_free(tlp);
    } else {
        if (ok)
            take_answer(tlp, request);
        root_translated(pending->rc, tlp, ok);
    }
    pending_put(pending);
}

static uint8_t access_wants(const struct tlp *tlp, bool execute)
{
    switch (tlp->type) {
    case TLP_MRD:
    case TLP_MRDLK: return execute ? PT_PERM_READ | PT_PERM_EXEC : PT_PERM_READ;
    case TLP_MWR:
    case TLP_DMWR: return PT_PERM_WRITE;
    default: return PT_PERM_READ | PT_PERM_WRITE; /* AtomicOps */
    }
}

struct iommu_access board_iommu_access(const struct tlp *tlp)
{
    struct iommu_access access = {
        .addr = tlp->addr,
        .sid = tlp->requester.v,
        .at = tlp->at,
        .interrupt = root_is_interrupt(tlp),
    };
    struct tlp_pasid pasid;

    if (tlp_get_pasid(tlp, &pasid)) {
        access.has_pasid = true;
        access.pasid = pasid.pasid;
        access.privileged = pasid.privileged;
    }
    access.want = access_wants(tlp, access.has_pasid && pasid.execute);
    if (access.interrupt)
        access.data = le32_load(tlp->data);
    return access;
}

struct board_iommu *board_iommu_of(const struct board_bridge *bridge, uint16_t sid)
{
    struct machine *machine = bridge->machine;
    struct board_iommu *rest = NULL;

    for (unsigned i = 0; i < machine->iommu_count; i++) {
        struct board_iommu *unit = &machine->iommu[i];

        if (unit->segment != bridge->map.segment)
            continue;
        if (unit->everything)
            rest = unit;
        else if (board_scopes_match(&unit->scopes, bridge->map.segment, sid))
            return unit;
    }
    return rest;
}

static void translate(void *opaque, struct root_complex *rc, struct tlp *tlp)
{
    struct board_bridge *bridge = opaque;
    struct board_iommu *unit = board_iommu_of(bridge, tlp->requester.v);
    struct iommu_pending *pending;

    if (!unit) {
        /* Of nobody: what it asks of a translation agent finds none. */
        root_translated(rc, tlp, tlp->at == 0);
        return;
    }
    if (tlp_is_translation_request(tlp)) {
        board_ats_request(unit, rc, tlp);
        return;
    }
    if (tlp->at != TLP_AT_UNTRANSLATED && tlp->at != TLP_AT_TRANSLATED) {
        /* 10.2.1: 01b is of memory reads, 11b is reserved. CHOICE: no fault is recorded. */
        root_translated(rc, tlp, false);
        return;
    }
    pending = pending_take(unit);
    pending->bridge = bridge;
    pending->rc = rc;
    pending->tlp = tlp;
    pending->request.access = board_iommu_access(tlp);
    pending->request.done = translated;
    pending->request.opaque = pending;
    vtd_submit(unit->vtd, &pending->request);
}

static bool translate_burst(void *opaque, struct tlp *tlp)
{
    struct board_iommu *unit = board_iommu_of(opaque, tlp->requester.v);
    struct iommu_request request = {.access = board_iommu_access(tlp)};

    if (!unit)
        return true;
    if (!vtd_submit_hits(unit->vtd, &request, tlp_count(tlp)))
        return false;
    take_answer(tlp, &request);
    return true;
}

static bool take_message(void *opaque, struct root_complex *rc, const struct tlp *tlp)
{
    struct board_iommu *unit = board_iommu_of(opaque, tlp->requester.v);

    (void)rc;
    return unit && board_ats_message(unit, tlp);
}

/* The IOAPIC's messages (VT-d 4.1, 5.1.5). */

static void ioapic_remapped(struct iommu_request *request, enum iommu_status status)
{
    struct iommu_pending *pending = request->opaque;
    struct machine *machine = pending->unit->machine;

    if (status == IOMMU_TRANSLATED_OK && request->interrupt.compatible)
        apic_deliver_msi(&machine->apics, request->access.addr, request->access.data);
    else if (status == IOMMU_TRANSLATED_OK)
        deliver_interrupt(machine, &request->interrupt);
    pending_put(pending);
}

static void ioapic_message(void *opaque, uint64_t addr, uint32_t data)
{
    struct board_iommu *unit = opaque;
    struct iommu_pending *pending = pending_take(unit);

    pending->tlp = NULL;
    pending->request.access = (struct iommu_access){.addr = addr,
                                                    .data = data,
                                                    .sid = MAP_IOAPIC_RID,
                                                    .interrupt = true,
                                                    .want = PT_PERM_WRITE};
    pending->request.done = ioapic_remapped;
    pending->request.opaque = pending;
    vtd_submit(unit->vtd, &pending->request);
}

bool board_iommu_create(struct machine *machine, const struct machine_component *c,
                        uint16_t segment, GError **error)
{
    struct board_iommu *unit = &machine->iommu[machine->iommu_count];
    struct vtd_params params = {
        .name = c->name,
        .sim = &machine->sim,
        .trace = &machine->trace,
        .features = c->iommu.vtd,
        .host_bits = MAP_HOST_BITS,
        .memory = {.read = table_read, .write = table_write, .opaque = unit},
        .tables = {.read = backing_read, .write = backing_write, .opaque = unit},
        .event = unit_event,
        .device_tlb = board_ats_invalidate,
        .page_response = board_ats_respond,
        .device_tlb_timeout_ps = c->iommu.invalidation_timeout_ps,
        .opaque = unit,
        .read_latency_ps = c->iommu.read_latency_ps,
        .find_stale = c->iommu.find_stale,
    };

    if (machine->iommu_count == MAP_IOMMUS_MAX) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_INPUT,
                    "%s: a machine has at most %u IOMMUs", c->name, MAP_IOMMUS_MAX);
        return false;
    }
    if (!c->iommu.vtd.coherent && !ram_add_backing(&machine->ram, error))
        return false;
    unit->machine = machine;
    unit->segment = segment;
    unit->base = MAP_IOMMU_BASE + machine->iommu_count * MAP_IOMMU_SIZE;
    unit->interrupt_remapping = c->iommu.vtd.interrupt_remapping;
    unit->x2apic = c->iommu.vtd.x2apic;
    unit->everything = !c->iommu.scope;
    unit->ats_all = c->iommu.ats_all;
    unit->ats_required = c->iommu.ats_required;
    unit->vtd = vtd_new(&params);
    machine->iommu_count++;
    bus_add(&machine->memory, &(struct bus_range){.base = unit->base,
                                                  .size = MAP_IOMMU_SIZE,
                                                  .max_size = 8,
                                                  .read = unit_read,
                                                  .write = unit_write,
                                                  .opaque = unit});
    return true;
}

static bool add_names(struct board_scopes *scopes, struct machine *machine,
                      const struct machine_desc *desc, char *const *names, GError **error)
{
    for (unsigned i = 0; names && names[i]; i++) {
        if (!board_scopes_add(scopes, machine, desc, names[i])) {
            g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_INPUT,
                        "no IOMMU can have \"%s\" in its scope", names[i]);
            return false;
        }
    }
    return true;
}

/* At the top of the RAM below 4 GiB, downwards. */
static bool reserve_memory(struct machine *machine, const struct machine_desc *desc,
                           const struct machine_component *c, GError **error)
{
    uint64_t size = align_up(c->reserved_bytes, 4096);
    struct board_rmrr *rmrr;

    if (size > machine->ram.free_end - MAP_HIGH_RAM_BASE) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_MEMORY,
                    "%s: no room for its reserved memory", c->name);
        return false;
    }
    machine->rmrr = g_renew(struct board_rmrr, machine->rmrr, machine->rmrr_count + 1);
    rmrr = &machine->rmrr[machine->rmrr_count++];
    machine->ram.free_end -= size;
    *rmrr = (struct board_rmrr){.base = machine->ram.free_end, .size = size};
    if (!add_names(&rmrr->scopes, machine, desc, (char *[]){c->name, NULL}, error))
        return false;
    rmrr->segment = rmrr->scopes.list[0].segment;
    return true;
}

static bool find_scopes(struct machine *machine, const struct machine_desc *desc, GError **error)
{
    unsigned index = 0;

    for (unsigned i = 0; i < desc->count; i++) {
        const struct machine_component *c = &desc->components[i];
        struct board_iommu *unit = &machine->iommu[index];

        if (c->reserved_bytes && !reserve_memory(machine, desc, c, error))
            return false;
        if (c->kind != MACHINE_IOMMU)
            continue;
        index++;
        if (!add_names(&unit->scopes, machine, desc, c->iommu.scope, error) ||
            !add_names(&unit->ats_ports, machine, desc, c->iommu.ats_ports, error) ||
            !add_names(&unit->ats_integrated, machine, desc, c->iommu.ats_integrated, error))
            return false;
    }
    return true;
}

/* CHOICE: when nobody names the IOAPIC, it is with the first unit that has all of its segment, or
 * else with the first one. */
static struct board_iommu *ioapic_unit(struct machine *machine)
{
    for (unsigned i = 0; i < machine->iommu_count; i++) {
        if (board_scopes_have_ioapic(&machine->iommu[i].scopes))
            return &machine->iommu[i];
    }
    for (unsigned i = 0; i < machine->iommu_count; i++) {
        if (machine->iommu[i].everything)
            return &machine->iommu[i];
    }
    return machine->iommu_count ? &machine->iommu[0] : NULL;
}

bool board_iommu_connect(struct machine *machine, const struct machine_desc *desc, GError **error)
{
    if (!find_scopes(machine, desc, error))
        return false;
    for (unsigned i = 0; i < machine->bridge_count; i++) {
        struct board_bridge *bridge = &machine->bridge[i];
        const struct root_translator translator = {
            .translate = translate,
            .translate_burst = translate_burst,
            .message = take_message,
            .opaque = bridge,
        };
        bool any = false;

        for (unsigned j = 0; j < machine->iommu_count; j++)
            any = any || machine->iommu[j].segment == bridge->map.segment;
        if (any)
            root_complex_set_translator(bridge->rc, &translator);
    }
    machine->ioapic_iommu = ioapic_unit(machine);
    if (machine->ioapic_iommu && machine->ioapic_iommu->interrupt_remapping)
        ioapic_set_remapping(&machine->ioapic, ioapic_message, machine->ioapic_iommu);
    return true;
}

void board_iommu_reset(struct machine *machine)
{
    for (unsigned i = 0; i < machine->iommu_count; i++)
        vtd_reset(machine->iommu[i].vtd);
}

void board_iommu_destroy(struct machine *machine)
{
    for (unsigned i = 0; i < machine->iommu_count; i++) {
        struct board_iommu *unit = &machine->iommu[i];
        struct iommu_pending *pending;

        vtd_free(unit->vtd);
        board_scopes_clear(&unit->scopes);
        board_scopes_clear(&unit->ats_ports);
        board_scopes_clear(&unit->ats_integrated);
        while ((pending = unit->free)) {
            unit->free = pending->next;
            g_free(pending);
        }
    }
    machine->iommu_count = 0;
    for (unsigned i = 0; i < machine->rmrr_count; i++)
        board_scopes_clear(&machine->rmrr[i].scopes);
    g_clear_pointer(&machine->rmrr, g_free);
    machine->rmrr_count = 0;
}

bool machine_vary_walks(struct machine *machine, uint64_t vary_ps)
{
    bool any = false;

    for (unsigned i = 0; i < machine->iommu_count; i++)
        any |= iommu_core_vary(vtd_core(machine->iommu[i].vtd), vary_ps);
    return any;
}
