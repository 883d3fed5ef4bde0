/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Invalidation of translations that devices keep (VT-d 6.5.2.5, 6.5.2.6; PCIe Base 6.0, 10.3): what
 * is outstanding, what answers it, and what does not.
 */
#include "pcilab/iommu/core/inspect.h"
#include "vtd.h"

#define ERCD_ITESID GENMASK(47, 32)
#define ERCD_ICESID GENMASK(63, 48)

static void note(struct vtd *vtd, uint64_t field, uint16_t sid, uint64_t status)
{
    reg_update(vtd->regs, VTD_IQERCD, field, (uint64_t)sid << __builtin_ctzll(field));
    vtd_fault_status(vtd, status);
}

static void finish(struct vtd *vtd, struct vtd_outstanding *out)
{
    out->busy = false;
    vtd->outstanding_count--;
}

static struct vtd_outstanding *free_itag(struct vtd *vtd)
{
    for (unsigned i = 0; i < VTD_ITAGS; i++) {
        if (!vtd->outstanding[i].busy)
            return &vtd->outstanding[i];
    }
    return NULL;
}

static unsigned outstanding_of(const struct vtd *vtd, uint16_t sid)
{
    unsigned count = 0;

    for (unsigned i = 0; i < VTD_ITAGS; i++)
        count += vtd->outstanding[i].busy && vtd->outstanding[i].sid == sid;
    return count;
}

bool vtd_device_tlb_room(struct vtd *vtd, uint16_t sid, unsigned pending_max)
{
    return free_itag(vtd) && outstanding_of(vtd, sid) < (pending_max ? pending_max : VTD_ITAGS);
}

void vtd_device_tlb_send(struct vtd *vtd, struct vtd_device_tlb *what)
{
    struct vtd_outstanding *out = free_itag(vtd);

    *out = (struct vtd_outstanding){
        .busy = true,
        .sid = what->sid,
        .due_ps = vtd->params.sim->now_ps + vtd->params.device_tlb_timeout_ps,
    };
    vtd->outstanding_count++;
    what->itag = (uint8_t)(out - vtd->outstanding);
    if (!sim_event_pending(&vtd->device_tlb_timer))
        sim_schedule_at(vtd->params.sim, &vtd->device_tlb_timer, out->due_ps);
    vtd->params.device_tlb(vtd->params.opaque, what);
}

/* 6.5.2.11: the queue fetches nothing more until software has cleared ITE, and a wait that is at
 * its head is over without its status. */
static void time_out(struct vtd *vtd, struct vtd_outstanding *out)
{
    trace_say(vtd->params.trace, TRACE_RULE, vtd->name,
              "device-TLB invalidation of %04x was not answered in time (VT-d 6.5.2.11)", out->sid);
    finish(vtd, out);
    vtd_queue_abort_wait(vtd);
    if (!vtd_flawed(vtd, FLAW_VTD_ITE))
        note(vtd, ERCD_ITESID, out->sid, VTD_FSTS_ITE);
}

void vtd_device_tlb_timer(void *opaque)
{
    struct vtd *vtd = opaque;
    uint64_t next_ps = SIM_NEVER;

    for (unsigned i = 0; i < VTD_ITAGS; i++) {
        struct vtd_outstanding *out = &vtd->outstanding[i];

        if (out->busy && out->due_ps <= vtd->params.sim->now_ps)
            time_out(vtd, out);
        if (out->busy && out->due_ps < next_ps)
            next_ps = out->due_ps;
    }
    if (next_ps != SIM_NEVER)
        sim_schedule_at(vtd->params.sim, &vtd->device_tlb_timer, next_ps);
    vtd_queue_run(vtd);
}

/* An answer to an ITag that is not out, or by somebody else, is an error of completions
 * (6.5.2.11, ICE). */
static void answered(struct vtd *vtd, uint16_t sid, unsigned itag, unsigned count)
{
    struct vtd_outstanding *out = &vtd->outstanding[itag];

    if (!out->busy || (out->sid != sid && !vtd_flawed(vtd, FLAW_VTD_ITAG_SOURCE))) {
        trace_say(vtd->params.trace, TRACE_RULE, vtd->name,
                  "unexpected completion of ITag %u by %04x (VT-d 6.5.2.11)", itag, sid);
        if (!vtd_flawed(vtd, FLAW_VTD_ICE))
            note(vtd, ERCD_ICESID, sid, VTD_FSTS_ICE);
        return;
    }
    if (++out->got >= count)
        finish(vtd, out);
}

void vtd_device_tlb_done(struct vtd *vtd, uint16_t sid, uint32_t itags, unsigned count)
{
    for (unsigned itag = 0; itag < VTD_ITAGS; itag++) {
        if (itags >> itag & 1)
            answered(vtd, sid, itag, count);
    }
    if (!vtd->outstanding_count)
        sim_cancel(vtd->params.sim, &vtd->device_tlb_timer);
    vtd_queue_run(vtd);
}

void vtd_device_tlb_reset(struct vtd *vtd)
{
    for (unsigned i = 0; i < VTD_ITAGS; i++)
        vtd->outstanding[i].busy = false;
    vtd->outstanding_count = 0;
    sim_cancel(vtd->params.sim, &vtd->device_tlb_timer);
}

void vtd_inspect_device_tlbs(const struct vtd *vtd, const struct inspect *in)
{
    inspect_list(in, "invalidations");
    for (unsigned i = 0; i < VTD_ITAGS; i++) {
        const struct vtd_outstanding *out = &vtd->outstanding[i];
        uint64_t left_ns;

        if (!out->busy)
            continue;
        left_ns = (out->due_ps - vtd->params.sim->now_ps) / PS_PER_NS;
        inspect_object(in, NULL);
        inspect_number(in, "itag", i);
        iommu_inspect_requester(in, "requester", out->sid);
        inspect_number(in, "answers", out->got);
        inspect_number(in, "age-ns", vtd->params.device_tlb_timeout_ps / PS_PER_NS - left_ns);
        inspect_number(in, "timeout-in-ns", left_ns);
        inspect_object_end(in);
    }
    inspect_list_end(in);
}
