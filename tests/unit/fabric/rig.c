/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

static uint8_t *rig_memory(struct rig *rig, uint64_t gpa, unsigned len)
{
    if (range_inside(gpa, len, 0, RIG_LOW_BYTES))
        return rig->low + gpa;
    if (range_inside(gpa, len, RIG_HIGH_BASE, RIG_HIGH_BYTES))
        return rig->high + (gpa - RIG_HIGH_BASE);
    return NULL;
}

static bool rig_mem_read(void *opaque, uint64_t gpa, void *data, unsigned len)
{
    const uint8_t *memory = rig_memory(opaque, gpa, len);

    if (memory)
        memcpy(data, memory, len);
    return memory != NULL;
}

static bool rig_mem_write(void *opaque, uint64_t gpa, const void *data, unsigned len)
{
    uint8_t *memory = rig_memory(opaque, gpa, len);

    if (memory)
        memcpy(memory, data, len);
    return memory != NULL;
}

static void rig_msi(void *opaque, uint64_t addr, uint32_t data)
{
    struct rig *rig = opaque;

    ck_assert_uint_lt(rig->msis, RIG_MSIS_MAX);
    rig->msi[rig->msis].addr = addr;
    rig->msi[rig->msis++].data = data;
}

static void rig_intx(void *opaque, unsigned line, bool level)
{
    struct rig *rig = opaque;

    ck_assert_uint_lt(line, 4);
    ck_assert_int_ne(rig->intx[line], level);
    rig->intx[line] = level;
    rig->intx_changes++;
}

static const struct root_host_ops rig_host_ops = {
    .mem_read = rig_mem_read,
    .mem_write = rig_mem_write,
    .msi = rig_msi,
    .intx = rig_intx,
};

static void rig_hear(struct trace_sink *sink, const struct trace_event *event)
{
    struct rig *rig = CONTAINER_OF(sink, struct rig, sink);

    rig->heard[event->kind]++;
    if (event->kind == TRACE_RULE && event->text)
        g_strlcpy(rig->last_rule, event->text, sizeof(rig->last_rule));
}

struct rig *rig_new(void)
{
    static const struct root_params params = {
        .name = "rc0",
        .bus_first = 0,
        .bus_last = 255,
        .host = &rig_host_ops,
    };
    struct root_params own = params;
    struct rig *rig = g_new0(struct rig, 1);

    sim_init(&rig->sim, 1);
    rig->trace.now_ps = &rig->sim.now_ps;
    rig->sink = (struct trace_sink){
        .emit = rig_hear,
        .kinds = BIT(TRACE_TLP) | BIT(TRACE_RULE) | BIT(TRACE_STATE),
    };
    trace_add_sink(&rig->trace, &rig->sink);
    rig->fabric = fabric_new(&rig->sim, &rig->trace);
    own.opaque = rig;
    rig->rc = root_complex_new(rig->fabric, &own);
    return rig;
}

void rig_free(struct rig *rig)
{
    rig_settle(rig);
    ck_assert_uint_eq(tlp_pool_live(rig->fabric->pool), 0);
    root_complex_free(rig->rc);
    fabric_free(rig->fabric);
    trace_remove_sink(&rig->trace, &rig->sink);
    sim_fini(&rig->sim);
    g_free(rig);
}

void rig_settle(struct rig *rig)
{
    do {
        sim_run_until(&rig->sim, rig->sim.now_ps);
        /* Too much for one instant: the fabric goes on a little later. */
    } while (rig->fabric->busy_first && sim_run_one(&rig->sim, SIM_NEVER));
}

void rig_run_for(struct rig *rig, uint64_t ps)
{
    sim_run_until(&rig->sim, rig->sim.now_ps + ps);
}

struct pcie_params rig_pcie(enum pcie_port_type type)
{
    return (struct pcie_params){
        .type = type,
        .max_speed = 4,
        .max_width = 4,
        .max_payload_bytes = 512,
        .ari_forwarding = type == PCIE_ROOT_PORT || type == PCIE_DOWNSTREAM_PORT,
        .flr = type == PCIE_ENDPOINT || type == PCIE_RC_INTEGRATED_ENDPOINT,
    };
}

struct root_port *rig_root_port(struct rig *rig, unsigned device, unsigned function)
{
    char name[32];
    struct root_port_params params = {
        .name = name,
        .device = (uint8_t)device,
        .function = (uint8_t)function,
        .pcie = rig_pcie(PCIE_ROOT_PORT),
        .msi = true,
    };

    snprintf(name, sizeof(name), "rp%u.%u", device, function);
    params.pcie.no_atomics = rig->no_atomics_root;
    params.pcie.dpc = rig->dpc;
    params.pcie.dpc_busy_ps = rig->dpc_busy_ps;
    params.pcie.slot = true;
    params.pcie.slot_number = (uint16_t)device;
    params.pcie.slot_power_watts = 25;
    return root_port_add(rig->rc, &params);
}

struct pcie_switch *rig_switch(struct rig *rig, const char *name, unsigned down_count)
{
    struct switch_port_params down[32];
    struct switch_params params = {
        .name = name,
        .up = {.pcie = rig_pcie(PCIE_UPSTREAM_PORT), .msi = true},
        .down_count = down_count,
        .down = down,
    };

    params.up.pcie.no_atomics = rig->no_atomics_switch;
    params.up.pcie.no_prefixes = rig->no_prefixes_switch;
    for (unsigned i = 0; i < down_count; i++) {
        down[i] = (struct switch_port_params){.pcie = rig_pcie(PCIE_DOWNSTREAM_PORT), .msi = true};
        down[i].pcie.port_number = (uint8_t)(i + 1);
        down[i].pcie.no_atomics = rig->no_atomics_switch;
        down[i].pcie.dpc = rig->dpc;
        down[i].pcie.no_prefixes = rig->no_prefixes_switch;
    }
    return pcie_switch_new(rig->fabric, &params);
}

struct rig_wait {
    bool done;
    enum tlp_status status;
};

static void rig_access_done(struct root_request *request, enum tlp_status status)
{
    struct rig_wait *wait = request->opaque;

    ck_assert(!wait->done);
    wait->done = true;
    wait->status = status;
}

enum tlp_status rig_access(struct rig *rig, struct root_request *request)
{
    struct rig_wait wait = {0};

    request->done = rig_access_done;
    request->opaque = &wait;
    root_submit(rig->rc, request);
    ck_assert_msg(!wait.done, "done() from inside root_submit()");
    while (!wait.done)
        ck_assert_msg(sim_run_one(&rig->sim, SIM_NEVER), "a host request was lost");
    rig->dones++;
    return wait.status;
}

static void rig_one_done(struct root_request *request, enum tlp_status status)
{
    ++*(unsigned *)request->opaque;
}

void rig_submit_all(struct rig *rig, struct root_request *requests, unsigned count)
{
    unsigned dones = 0;

    for (unsigned i = 0; i < count; i++) {
        requests[i].done = rig_one_done;
        requests[i].opaque = &dones;
        root_submit(rig->rc, &requests[i]);
    }
    ck_assert_uint_eq(dones, 0);
    while (dones < count)
        ck_assert_msg(sim_run_one(&rig->sim, SIM_NEVER), "a host request was lost");
    rig_settle(rig);
    ck_assert_uint_eq(dones, count);
}

uint64_t rig_read(struct rig *rig, enum root_request_kind kind, uint64_t addr, unsigned size)
{
    struct root_request request = {.kind = kind, .size_bytes = size, .addr = addr};

    rig_access(rig, &request);
    return le_load(request.data, size);
}

void rig_write(struct rig *rig, enum root_request_kind kind, uint64_t addr, unsigned size,
               uint64_t value)
{
    struct root_request request = {.kind = kind, .size_bytes = size, .addr = addr};

    le_store(request.data, value, size);
    rig_access(rig, &request);
    rig_settle(rig);
}

uint32_t rig_cfg_read(struct rig *rig, uint64_t addr, unsigned size)
{
    return (uint32_t)rig_read(rig, ROOT_CFG_READ, addr, size);
}

void rig_cfg_write(struct rig *rig, uint64_t addr, unsigned size, uint32_t value)
{
    rig_write(rig, ROOT_CFG_WRITE, addr, size, value);
}

void rig_program_bridge(struct rig *rig, uint64_t cfg, const struct rig_windows *w)
{
    rig_cfg_write(rig, cfg + 0x18, 1, w->primary);
    rig_cfg_write(rig, cfg + 0x19, 1, w->secondary);
    rig_cfg_write(rig, cfg + 0x1a, 1, w->subordinate);
    rig_cfg_write(rig, cfg + 0x1c, 1, w->io_base >> 8 & 0xf0);
    rig_cfg_write(rig, cfg + 0x1d, 1, w->io_limit >> 8 & 0xf0);
    rig_cfg_write(rig, cfg + 0x30, 2, w->io_base >> 16 & 0xffff);
    rig_cfg_write(rig, cfg + 0x32, 2, w->io_limit >> 16 & 0xffff);
    rig_cfg_write(rig, cfg + 0x20, 2, w->mem_base >> 16 & 0xfff0);
    rig_cfg_write(rig, cfg + 0x22, 2, w->mem_limit >> 16 & 0xfff0);
    rig_cfg_write(rig, cfg + 0x24, 2, w->pref_base >> 16 & 0xfff0);
    rig_cfg_write(rig, cfg + 0x26, 2, w->pref_limit >> 16 & 0xfff0);
    rig_cfg_write(rig, cfg + 0x28, 4, (uint32_t)(w->pref_base >> 32));
    rig_cfg_write(rig, cfg + 0x2c, 4, (uint32_t)(w->pref_limit >> 32));
    rig_cfg_write(rig, cfg + 0x04, 2, 7);
}

/* The probe endpoint. */

static const unsigned probe_bar_bytes[6] = {
    PROBE_BAR0_BYTES, PROBE_IO_BYTES, PROBE_BAR2_BYTES, 0, PROBE_BAR4_BYTES, 0};

static enum tlp_status probe_bar_read(void *owner, unsigned bar, uint64_t offset, void *data,
                                      unsigned len)
{
    struct probe_func *func = owner;

    ck_assert(range_inside(offset, len, 0, probe_bar_bytes[bar]));
    func->reads++;
    func->last_offset = offset;
    func->last_len = len;
    memcpy(data, func->bar[bar] + offset, len);
    return func->answer;
}

static enum tlp_status probe_bar_write(void *owner, unsigned bar, uint64_t offset, const void *data,
                                       unsigned len)
{
    struct probe_func *func = owner;

    ck_assert(range_inside(offset, len, 0, probe_bar_bytes[bar]));
    func->writes++;
    func->last_offset = offset;
    func->last_len = len;
    if (func->answer == TLP_SC)
        memcpy(func->bar[bar] + offset, data, len);
    return func->answer;
}

static void probe_reset(void *owner, enum endpoint_reset kind)
{
    struct probe_func *func = owner;

    func->resets[kind]++;
}

static void probe_config_changed(void *owner)
{
    struct probe_func *func = owner;

    func->config_changes++;
}

static void probe_destroy(void *owner)
{
    struct probe_func *func = owner;

    func->destroyed = true;
    for (unsigned i = 0; i < 6; i++)
        g_free(func->bar[i]);
}

static const struct endpoint_func_ops probe_ops = {
    .bar_read = probe_bar_read,
    .bar_write = probe_bar_write,
    .reset = probe_reset,
    .config_changed = probe_config_changed,
    .destroy = probe_destroy,
};

static void probe_add_func(struct probe *probe, unsigned number, const struct probe_params *params)
{
    struct probe_func *func = &probe->func[number];
    char name[32];
    const struct endpoint_func_desc desc = {
        .name = name,
        .ids = {.vendor = 0x1556, .device = 0x1112, .class_code = 0xff0000},
        .ops = &probe_ops,
        .owner = func,
    };
    const struct pci_msi_params msi = {.vectors = 4, .maskable = true};
    struct pcie_params pcie = rig_pcie(params->type);

    snprintf(name, sizeof(name), "probe.%u", number);
    func->probe = probe;
    func->func = endpoint_add_func(probe->ep, &desc);
    func->pci = endpoint_func_pci(func->func);
    for (unsigned i = 0; i < 6; i++)
        func->bar[i] = g_malloc0(probe_bar_bytes[i]);
    pci_func_set_bar(func->pci, 0, PCI_BAR_MEM32, PROBE_BAR0_BYTES);
    pci_func_set_bar(func->pci, 1, PCI_BAR_IO, PROBE_IO_BYTES);
    pci_func_set_bar(func->pci, 2, PCI_BAR_MEM64_PREF, PROBE_BAR2_BYTES);
    pci_func_set_bar(func->pci, 4, PCI_BAR_MEM32, PROBE_BAR4_BYTES);
    pci_func_set_interrupt_pin(func->pci, (uint8_t)(number % 4 + 1));
    if (params->max_payload_bytes)
        pcie.max_payload_bytes = (uint16_t)params->max_payload_bytes;
    pcie.collected = params->collected;
    pci_cap_pm_add(func->pci);
    pci_cap_msi_add(func->pci, &msi);
    pci_cap_msix_add(func->pci, 8, 4, 0, 0x800);
    pci_cap_pcie_add(func->pci, &pcie);
    if (params->functions > 8)
        pci_cap_ari_add(func->pci, number + 1 < params->functions ? (uint8_t)(number + 1) : 0);
    if (!params->ats)
        return;
    endpoint_add_ats(func->func, params->ats);
    if (params->page_requests) {
        pci_cap_pasid_add(func->pci, &(struct pci_pasid_params){16, true, true});
        endpoint_add_pri(func->func, params->page_requests);
    }
}

struct probe *probe_new(struct rig *rig, const char *name, const struct probe_params *params)
{
    struct probe *probe = g_new0(struct probe, 1);

    probe->functions = params->functions;
    probe->ep = endpoint_new(rig->fabric, name);
    for (unsigned i = 0; i < params->functions; i++)
        probe_add_func(probe, i, params);
    endpoint_ready(probe->ep);
    return probe;
}

void probe_free(struct probe *probe)
{
    endpoint_free(probe->ep);
    for (unsigned i = 0; i < probe->functions; i++)
        ck_assert(probe->func[i].destroyed);
    g_free(probe);
}

void probe_program(struct rig *rig, uint64_t cfg, const struct probe_map *map)
{
    rig_cfg_write(rig, cfg + 0x10, 4, (uint32_t)map->bar0);
    rig_cfg_write(rig, cfg + 0x14, 4, (uint32_t)map->io);
    rig_cfg_write(rig, cfg + 0x18, 4, (uint32_t)map->bar2);
    rig_cfg_write(rig, cfg + 0x1c, 4, (uint32_t)(map->bar2 >> 32));
    rig_cfg_write(rig, cfg + 0x20, 4, (uint32_t)map->bar4);
    rig_cfg_write(rig, cfg + 0x04, 2, map->command);
}

static void probe_dma_done(struct dma_op *op, enum dma_status status)
{
    struct probe_dma *dma = op->opaque;

    ck_assert_msg(!dma->done, "done() twice");
    dma->done = true;
    dma->status = status;
}

void probe_dma_start(struct probe_func *func, struct probe_dma *dma)
{
    dma->done = false;
    dma->op.done = probe_dma_done;
    dma->op.opaque = dma;
    endpoint_dma(func->func, &dma->op);
    ck_assert_msg(!dma->done, "done() from inside endpoint_dma()");
}

enum dma_status probe_dma(struct rig *rig, struct probe_func *func, struct probe_dma *dma)
{
    probe_dma_start(func, dma);
    while (!dma->done)
        ck_assert_msg(sim_run_one(&rig->sim, SIM_NEVER), "a DMA operation was lost");
    rig_settle(rig);
    return dma->status;
}

int rig_run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    int failed;

    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
