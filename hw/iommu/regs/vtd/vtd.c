/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A VT-d unit: made, reset, asked. */
#include <glib.h>
#include <string.h>

#include "vtd.h"

#define INTERRUPTS_FIRST 0xfee00000ULL
#define INTERRUPTS_LAST  0xfeefffffULL

/* VT-d 3.14: the interrupt range is not for memory. */
static bool output_allowed(void *face, uint64_t addr)
{
    return addr < INTERRUPTS_FIRST || addr > INTERRUPTS_LAST || vtd_flawed(face, FLAW_VTD_OUTPUT);
}

static const struct iommu_face_ops vtd_ops = {
    .device = vtd_device,
    .process = vtd_process,
    .interrupt = vtd_interrupt,
    .fault = vtd_fault,
    .admit = vtd_admit,
    .aborts = vtd_aborts,
    .output_allowed = output_allowed,
    .pass_allowed = vtd_unprotected,
    .explain = vtd_explain,
    .explain_fault = vtd_explain_fault,
};

static void queue_drained(void *opaque)
{
    vtd_queue_run(opaque);
}

struct vtd *vtd_new(const struct vtd_params *params)
{
    struct vtd *vtd = g_new0(struct vtd, 1);
    struct iommu_core_params core = {
        .sim = params->sim,
        .trace = params->trace,
        .ops = &vtd_ops,
        .face = vtd,
        .memory = params->features.coherent ? params->memory : params->tables,
        .read_latency_ps = params->read_latency_ps,
        .find_stale = params->find_stale,
    };

    vtd->params = *params;
    vtd->name = g_strdup(params->name);
    core.name = vtd->name;
    vtd->core = iommu_core_new(&core);
    sim_event_init(&vtd->fetch, vtd_queue_fetched, vtd);
    sim_event_init(&vtd->slow, vtd_queue_slow_over, vtd);
    vtd->queue_drain = (struct iommu_drain){.drained = queue_drained, .opaque = vtd};
    sim_event_init(&vtd->device_tlb_timer, vtd_device_tlb_timer, vtd);
    vtd_regs_create(vtd);
    vtd_reset(vtd);
    return vtd;
}

void vtd_free(struct vtd *vtd)
{
    if (!vtd)
        return;
    vtd_device_tlb_reset(vtd);
    sim_cancel(vtd->params.sim, &vtd->fetch);
    sim_cancel(vtd->params.sim, &vtd->slow);
    iommu_core_free(vtd->core);
    reg_space_free(vtd->regs);
    vtd_pages_free(vtd);
    g_free(vtd->name);
    g_free(vtd);
}

void vtd_reset(struct vtd *vtd)
{
    iommu_core_reset(vtd->core);
    vtd_device_tlb_reset(vtd);
    reg_space_reset(vtd->regs, REG_RESET_COLD);
    vtd->root = vtd->irt = 0;
    vtd->ttm = VTD_TTM_LEGACY;
    vtd->irt_entries = 0;
    vtd->irt_extended = false;
    vtd->states = vtd->once = 0;
    vtd->commands_again = vtd->protect_again = vtd->protecting = false;
    vtd->next_record = 0;
    vtd_queue_forget(vtd);
    memset(vtd->irte, 0, sizeof(vtd->irte));
    memset(&vtd->page_counts, 0, sizeof(vtd->page_counts));
}

static bool access_ok(unsigned offset, unsigned size)
{
    return (size == 4 || size == 8) && offset % size == 0 && offset + size <= VTD_REGISTER_BYTES;
}

/* CHOICE: accesses that 11.2 forbids read as 0 and are ignored. */
uint64_t vtd_read(struct vtd *vtd, unsigned offset, unsigned size)
{
    return access_ok(offset, size) ? reg_read(vtd->regs, offset, size) : 0;
}

void vtd_write(struct vtd *vtd, unsigned offset, unsigned size, uint64_t value)
{
    if (access_ok(offset, size))
        reg_write(vtd->regs, offset, size, value);
}

struct iommu_core *vtd_core(struct vtd *vtd)
{
    return vtd->core;
}

void vtd_submit(struct vtd *vtd, struct iommu_request *request)
{
    bool protected = !vtd_unprotected(vtd, request->access.addr);

    if (vtd_is(vtd, request->access.interrupt ? VTD_G_IRE : VTD_G_TE) &&
        !vtd_flawed(vtd, request->access.interrupt ? FLAW_VTD_IR_OFF : FLAW_VTD_TRANSLATION_OFF)) {
        iommu_submit(vtd->core, request);
        return;
    }
    /* Who does not translate neither gives translations away nor takes them (CHOICE: no fault). */
    if (!request->access.interrupt &&
        (request->access.at != IOMMU_UNTRANSLATED || request->access.page_request || protected)) {
        if (request->access.at == IOMMU_UNTRANSLATED && !request->access.page_request)
            vtd_say_protected(vtd, request->access.addr);
        request->abort = false;
        request->done(request, IOMMU_FAULTED);
        return;
    }
    request->addr = request->access.addr;
    request->snoop = false;
    request->interrupt = (struct iommu_interrupt){.compatible = true};
    request->done(request, IOMMU_TRANSLATED_OK);
}

bool vtd_submit_hits(struct vtd *vtd, struct iommu_request *request, unsigned times)
{
    if (vtd_is(vtd, VTD_G_TE))
        return iommu_submit_hits(vtd->core, request, times);
    request->addr = request->access.addr;
    request->snoop = false;
    return vtd_unprotected(vtd, request->access.addr);
}
