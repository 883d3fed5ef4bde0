/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices that translate themselves: Translation Requests, invalidations of device TLBs and Page
 * Requests (VT-d 4.1, 4.1, 6.5.2.5, 6.5.2.6, 6.5.2.11, 7.4 to 7.7).
 */
#include "lab_vtd.h"
#include "pcilab/pci/ats.h"
#include "pcilab/platform/probe.h"
#include "tables.h"

#define PRS_PPR 1u
#define PRS_PRO 2u
#define PRE     BIT(4)
#define DTE     BIT(2)
#define A       BIT(5)
#define D       BIT(6)

typedef void (*device_body)(struct conform_ctx *t, struct vlab *v);

struct device {
    device_body body;
    uint8_t mode;
    bool ats; /* the exerciser's capability is there and enabled */
    uint64_t ecap;
};

static bool enable_ats(struct vlab *v)
{
    unsigned cap = lab_func(v->lab, v->lab->ex)->ext_ats;

    if (!cap) {
        t_skip(v->t, "the exerciser has no Address Translation Services");
        return false;
    }
    lab_set_cfg(v->lab, v->lab->ex, cap + 6, 2, 0x8000);
    return true;
}

/* Context entries that let devices translate. */
static void allow(struct vlab *v)
{
    uint64_t at = vlab_context_entry(v);
    uint64_t bits = vlab_scalable(v) ? DTE | (v->ecap & VECAP_PRS ? PRE : 0) : 1 << 2;

    vlab_put(v, at, vlab_ram(v, at) | bits);
}

static void run(struct conform_ctx *t)
{
    const struct device *d = t->assertion->param;
    const struct vlab_need need = {.ecap = VECAP_QI | VECAP_DT | d->ecap};
    struct vlab v;

    if (vlab_open(&v, t, &need) && vlab_tables(&v, d->mode, 0, 0) && (!d->ats || enable_ats(&v))) {
        allow(&v);
        vlab_go(&v);
        vlab_queue_on(&v);
        d->body(t, &v);
    }
    vlab_close(&v);
}

/* The answer to a Translation Request for the address; false: none. */
static bool translate(struct vlab *v, bool no_write, struct ats_translation *out)
{
    const struct tlp *cpl = vlab_send(
        v, &(struct vlab_access){.addr = v->addr, .at = TLP_AT_REQUEST, .no_write = no_write});

    if (!cpl || cpl->type != TLP_CPLD || cpl->status != TLP_SC || cpl->byte_count != 8) {
        t_fail(v->t, "it is not answered with one translation");
        return false;
    }
    ats_decode_translation(cpl->inline_data, out);
    return true;
}

static void translation(struct conform_ctx *t, struct vlab *v)
{
    struct ats_translation got;
    struct vlab_fault fault;

    if (!translate(v, false, &got))
        return;
    t_check(t, got.addr == VLAB_OUT, "the address is %" G_GINT64_MODIFIER "x", got.addr);
    t_check(t, got.shift == 12, "it is of %u bits", got.shift);
    t_check(t, got.read && got.write, "R is %u, W is %u", got.read, got.write);
    t_check(t, !vlab_fault(v, &fault), "a fault is recorded");
}

static void translation_read(struct conform_ctx *t, struct vlab *v)
{
    uint64_t at = vlab_second_entry(v, 1);
    struct ats_translation got;

    vlab_put(v, at, vlab_ram(v, at) & ~2ull);
    if (translate(v, false, &got))
        t_check(t, got.read && !got.write, "R is %u, W is %u", got.read, got.write);
}

static void translation_absent(struct conform_ctx *t, struct vlab *v)
{
    struct ats_translation got;
    struct vlab_fault fault;

    vlab_put(v, vlab_second_entry(v, 1), 0);
    if (translate(v, false, &got))
        t_check(t, !got.read && !got.write, "R is %u, W is %u", got.read, got.write);
    t_check(t, !vlab_fault(v, &fault), "a fault is recorded");
}

static void translation_bits(struct conform_ctx *t, struct vlab *v)
{
    struct ats_translation got;

    translate(v, true, &got);
    t_check(t, (vlab_ram(v, vlab_first_entry(v, 1)) & (A | D)) == A,
            "with NW the entry is %" G_GINT64_MODIFIER "x", vlab_ram(v, vlab_first_entry(v, 1)));
    translate(v, false, &got);
    t_check(t, !got.write || (vlab_ram(v, vlab_first_entry(v, 1)) & D),
            "W is given away without the dirty bit");
}

static void translated(struct conform_ctx *t, struct vlab *v)
{
    struct vlab_fault fault;

    vlab_send(v, &(struct vlab_access){.addr = VLAB_OUT2 + VLAB_OFFSET,
                                       .write = true,
                                       .at = TLP_AT_TRANSLATED,
                                       .data = 0xd00d});
    t_check(t, (uint32_t)vlab_ram(v, VLAB_OUT2 + VLAB_OFFSET) == 0xd00d, "it is not written");
    t_check(t, !vlab_fault(v, &fault), "a fault is recorded");
}

/* Invalidations. */

static const struct tlp *message(struct vlab *v, unsigned code)
{
    const struct lab_seen *seen = lab_last(v->lab, NULL, (uint32_t)(BIT(TLP_MSG) | BIT(TLP_MSGD)));

    for (unsigned i = v->lab->seen->len; i-- > 0;) {
        seen = &g_array_index(v->lab->seen, struct lab_seen, i);
        if (tlp_is_message(&seen->tlp) && seen->tlp.msg_code == code)
            return &seen->tlp;
    }
    return NULL;
}

static void invalidation(struct conform_ctx *t, struct vlab *v)
{
    const struct tlp *tlp;

    lab_forget(v->lab);
    vlab_queue(v, 3 | (uint64_t)v->rid << 32, v->addr & ~low_mask(12));
    t_check(t, vlab_queue_wait(v), "a wait behind it does not finish");
    tlp = message(v, TLP_MSG_INVALIDATE);
    t_check(t, tlp && tlp->dest.v == v->rid, "no Invalidate Request goes to the device");
    t_check(t, message(v, TLP_MSG_INVALIDATE_DONE), "the device does not answer");
}

static void invalidation_pasid(struct conform_ctx *t, struct vlab *v)
{
    struct tlp_pasid pasid = {0};
    const struct tlp *tlp;

    lab_forget(v->lab);
    vlab_queue(v, 8 | (uint64_t)v->rid << 16 | 0x5ull << 32, v->addr & ~low_mask(12));
    lab_run_us(v->lab, 10);
    tlp = message(v, TLP_MSG_INVALIDATE);
    t_check(t, tlp && tlp->dest.v == v->rid, "no Invalidate Request goes to the device");
    t_check(t, tlp && tlp_get_pasid(tlp, &pasid) && pasid.pasid == 5, "its PASID is %x",
            pasid.pasid);
}

static void silence(struct vlab *v)
{
    lab_ex_set(v->lab, v->lab->ex, EXERCISER_ATS_FAULT, 4, EXERCISER_ATS_SILENT);
}

static void invalidation_waits(struct conform_ctx *t, struct vlab *v)
{
    silence(v);
    vlab_queue(v, 3 | (uint64_t)v->rid << 32, 0);
    vlab_put(v, VLAB_STATUS, 0);
    vlab_queue(v, 0x25 | 1ull << 32, VLAB_STATUS);
    lab_run_us(v->lab, 100);
    t_check(t, vlab_ram(v, VLAB_STATUS) == 0, "the wait is over without an answer");
}

static bool timed_out(struct vlab *v)
{
    for (unsigned i = 0; i < 100; i++) {
        if (vlab_get(v, VREG_FSTS, 4) & VFSTS_ITE)
            return true;
        lab_run_us(v->lab, 1000000);
    }
    return false;
}

static void time_out(struct conform_ctx *t, struct vlab *v)
{
    silence(v);
    vlab_queue(v, 3 | (uint64_t)v->rid << 32, 0);
    if (!timed_out(v)) {
        t_fail(t, "ITE is 0 after 100 s");
        return;
    }
    t_check(t, (vlab_get(v, VREG_IQERCD, 8) >> 32 & 0xffff) == v->rid, "ITESID is %04x",
            (unsigned)(vlab_get(v, VREG_IQERCD, 8) >> 32 & 0xffff));
    vlab_put(v, VLAB_STATUS, 0);
    vlab_queue(v, 0x25 | 1ull << 32, VLAB_STATUS);
    t_check(t, vlab_ram(v, VLAB_STATUS) == 0, "the queue goes on while ITE is set");
    vlab_set(v, VREG_FSTS, 4, VFSTS_ITE);
    t_check(t, !(vlab_get(v, VREG_FSTS, 4) & VFSTS_ITE), "writing 1 does not clear ITE");
    t_check(t, vlab_ram(v, VLAB_STATUS) == 1, "the queue does not go on");
}

/* 6.5.2.11: a wait that the time-out finds at the head is over without its status. */
static void time_out_waits(struct conform_ctx *t, struct vlab *v)
{
    silence(v);
    vlab_queue(v, 3 | (uint64_t)v->rid << 32, 0);
    vlab_put(v, VLAB_STATUS, 0);
    vlab_queue(v, 0x25 | 1ull << 32, VLAB_STATUS);
    t_check(t, timed_out(v), "ITE is 0 after 100 s");
    vlab_set(v, VREG_FSTS, 4, VFSTS_ITE);
    lab_run_us(v->lab, 10);
    t_check(t, vlab_ram(v, VLAB_STATUS) == 0, "the wait writes its status");
    t_check(t, vlab_get(v, VREG_IQH, 8) == v->tail, "the wait is still at the head");
}

/* Another function's answer is not the one that is waited for. */
static void foreign(struct conform_ctx *t, struct vlab *v)
{
    struct tlp *tlp;

    silence(v);
    vlab_queue(v, 3 | (uint64_t)v->rid << 32, 0);
    vlab_put(v, VLAB_STATUS, 0);
    vlab_queue(v, 0x25 | 1ull << 32, VLAB_STATUS);
    tlp = ats_new_invalidate_done(machine_fabric(v->lab->machine)->pool, (struct pci_rid){0},
                                  0xffffffff, 1);
    tlp->requester.v = v->rid ^ 1;
    lab_send_up(v->lab, tlp);
    t_check(t, vlab_ram(v, VLAB_STATUS) == 0, "the wait takes it for the device's");
    t_check(t, vlab_get(v, VREG_FSTS, 4) & VFSTS_ICE, "ICE is 0");
}

static void unexpected(struct conform_ctx *t, struct vlab *v)
{
    struct tlp *tlp = ats_new_invalidate_done(machine_fabric(v->lab->machine)->pool,
                                              (struct pci_rid){0}, 1u << 7, 1);

    tlp->requester.v = v->rid;
    lab_send_up(v->lab, tlp);
    t_check(t, vlab_get(v, VREG_FSTS, 4) & VFSTS_ICE, "ICE is 0");
    t_check(t, vlab_get(v, VREG_IQERCD, 8) >> 48 == v->rid, "ICESID is %04x",
            (unsigned)(vlab_get(v, VREG_IQERCD, 8) >> 48));
    vlab_set(v, VREG_FSTS, 4, VFSTS_ICE);
    t_check(t, !(vlab_get(v, VREG_FSTS, 4) & VFSTS_ICE), "writing 1 does not clear ICE");
}

/* Page Requests. */

static void pages_on(struct vlab *v)
{
    vlab_set(v, VREG_PQA, 8, VLAB_PAGES);
    vlab_set(v, VREG_PQH, 8, 0);
    vlab_set(v, VREG_PQT, 8, 0);
    vlab_set(v, VREG_PECTL + 4, 4, 0x66);
    vlab_set(v, VREG_PECTL + 8, 4, 0xfee00000);
}

static void ask(struct vlab *v, const struct ats_page_request *what, const struct tlp_pasid *pasid)
{
    struct tlp *tlp = ats_new_page_request(machine_fabric(v->lab->machine)->pool, what);

    tlp->requester.v = v->rid;
    if (pasid)
        tlp_set_pasid(tlp, pasid);
    lab_forget(v->lab);
    lab_send_up(v->lab, tlp);
}

static const struct ats_page_request wish = {
    .addr = 0x7654321000, .group = 0x155, .last = true, .write = true};

static void page_request(struct conform_ctx *t, struct vlab *v)
{
    const struct tlp_pasid pasid = {.pasid = 0x43};

    pages_on(v);
    for (unsigned i = 0; i < 32; i += 8)
        vlab_put(v, VLAB_PAGES + i, ~0ull);
    ask(v, &wish, &pasid);
    t_check(t, vlab_get(v, VREG_PQT, 8) == 32, "the tail is %x",
            (unsigned)vlab_get(v, VREG_PQT, 8));
    t_check(t, vlab_get(v, VREG_PRS, 4) == PRS_PPR, "PRS is %x",
            (unsigned)vlab_get(v, VREG_PRS, 4));
    t_check(t, vlab_ram(v, VLAB_PAGES) == (1 | BIT(8) | (uint64_t)v->rid << 16 | 0x43ull << 32),
            "the first quadword is %016" G_GINT64_MODIFIER "x", vlab_ram(v, VLAB_PAGES));
    t_check(t, vlab_ram(v, VLAB_PAGES + 8) == (0x7654321000 | 0x155 << 3 | 4 | 2),
            "the second is %016" G_GINT64_MODIFIER "x", vlab_ram(v, VLAB_PAGES + 8));
}

static void page_request_plain(struct conform_ctx *t, struct vlab *v)
{
    struct ats_page_request what = wish;

    pages_on(v);
    what.last = what.write = false;
    what.read = true;
    ask(v, &what, NULL);
    t_check(t, vlab_ram(v, VLAB_PAGES) == (1 | (uint64_t)v->rid << 16),
            "the first quadword is %016" G_GINT64_MODIFIER "x", vlab_ram(v, VLAB_PAGES));
    t_check(t, (vlab_ram(v, VLAB_PAGES + 8) & 7) == 1, "LPIG, W and R are %u",
            (unsigned)vlab_ram(v, VLAB_PAGES + 8) & 7);
}

static void page_event(struct conform_ctx *t, struct vlab *v)
{
    struct machine_interrupt last;
    uint64_t before;

    pages_on(v);
    before = machine_interrupts(v->lab->machine, &last);
    ask(v, &wish, NULL);
    t_check(t, machine_interrupts(v->lab->machine, &last) == before, "it is sent while masked");
    t_check(t, vlab_get(v, VREG_PECTL, 4) & BIT(30), "IP is 0");
    vlab_set(v, VREG_PECTL, 4, 0);
    t_check(t, machine_interrupts(v->lab->machine, &last) == before + 1 && last.vector == 0x66,
            "it is not sent when unmasked");
    ask(v, &wish, NULL);
    t_check(t, machine_interrupts(v->lab->machine, &last) == before + 1,
            "another is sent while PPR is set");
    vlab_set(v, VREG_PRS, 4, PRS_PPR);
    t_check(t, !(vlab_get(v, VREG_PRS, 4) & PRS_PPR), "writing 1 does not clear PPR");
    ask(v, &wish, NULL);
    t_check(t, machine_interrupts(v->lab->machine, &last) == before + 2,
            "none is sent after PPR was cleared");
}

static void page_overflow(struct conform_ctx *t, struct vlab *v)
{
    pages_on(v);
    vlab_set(v, VREG_PQH, 8, 64);
    vlab_put(v, VLAB_PAGES + 32, 0);
    ask(v, &wish, NULL);
    ask(v, &wish, NULL);
    t_check(t, vlab_get(v, VREG_PRS, 4) & PRS_PRO, "PRO is 0");
    t_check(t, vlab_get(v, VREG_PQT, 8) == 32 && !vlab_ram(v, VLAB_PAGES + 32),
            "the last free entry is taken");
    t_check(t, message(v, TLP_MSG_PAGE_RESPONSE), "the device gets no answer");
    vlab_set(v, VREG_PQH, 8, 0);
    ask(v, &wish, NULL);
    t_check(t, vlab_get(v, VREG_PQT, 8) == 32, "requests are taken while PRO is set");
    vlab_set(v, VREG_PRS, 4, PRS_PRO);
    ask(v, &wish, NULL);
    t_check(t, vlab_get(v, VREG_PQT, 8) == 64, "none is taken after PRO was cleared");
}

static void page_wraps(struct conform_ctx *t, struct vlab *v)
{
    pages_on(v);
    vlab_set(v, VREG_PQH, 8, 4096 - 32);
    vlab_set(v, VREG_PQT, 8, 4096 - 32);
    ask(v, &wish, NULL);
    t_check(t, vlab_get(v, VREG_PQT, 8) == 0, "the tail is %x", (unsigned)vlab_get(v, VREG_PQT, 8));
}

static void page_refused(struct conform_ctx *t, struct vlab *v)
{
    uint64_t at = vlab_context_entry(v);
    struct vlab_fault fault;
    const struct tlp *tlp;

    pages_on(v);
    vlab_put(v, at, vlab_ram(v, at) & ~PRE);
    ask(v, &wish, NULL);
    t_check(t, vlab_get(v, VREG_PQT, 8) == 0, "it is queued");
    t_check(t, vlab_fault(v, &fault) && fault.reason == 0x47, "the fault reason is %02xh",
            fault.reason);
    tlp = message(v, TLP_MSG_PAGE_RESPONSE);
    t_check(t, tlp && ats_response_code(tlp) != ATS_RESPONSE_SUCCESS, "it is not refused");
}

static void page_legacy(struct conform_ctx *t, struct vlab *v)
{
    struct vlab_fault fault;

    pages_on(v);
    ask(v, &wish, NULL);
    t_check(t, vlab_get(v, VREG_PQT, 8) == 0, "it is queued");
    t_check(t, vlab_fault(v, &fault) && fault.reason == 0x32, "the fault reason is %02xh",
            fault.reason);
}

static void page_response(struct conform_ctx *t, struct vlab *v)
{
    struct tlp_pasid pasid = {0};
    const struct tlp *tlp;

    lab_forget(v->lab);
    vlab_queue(v, 9 | BIT(4) | 1 << 12 | (uint64_t)v->rid << 16 | 0x43ull << 32, 0x155 << 3 | 4);
    lab_run_us(v->lab, 10);
    tlp = message(v, TLP_MSG_PAGE_RESPONSE);
    if (!tlp) {
        t_fail(t, "no PRG Response is sent");
        return;
    }
    t_check(t, tlp->dest.v == v->rid, "it goes to %04x", tlp->dest.v);
    t_check(t, ats_response_group(tlp) == 0x155, "its group is %x", ats_response_group(tlp));
    t_check(t, ats_response_code(tlp) == ATS_RESPONSE_INVALID, "its code is %x",
            ats_response_code(tlp));
    t_check(t, tlp_get_pasid(tlp, &pasid) && pasid.pasid == 0x43, "its PASID is %x", pasid.pasid);
}

#define DEVICE(name, sec, text, ...)                                                               \
    VTD_ROW("device." name, sec, text, run, &(const struct device){__VA_ARGS__})
#define PAGES(name, sec, text, body)                                                               \
    DEVICE("page." name, sec, text, body, VLAB_FIRST_STAGE, false, VECAP_PRS)

static const struct conform_assertion rows[] = {
    DEVICE("translation", "4.1", "A Translation Request is answered with page and permissions.",
           translation),
    DEVICE("translation.second", "4.1", "... also of the second stage in scalable mode.",
           translation, VLAB_SECOND_STAGE),
    DEVICE("translation.first", "4.1", "... also of the first stage.", translation,
           VLAB_FIRST_STAGE),
    DEVICE("translation.nested", "4.1", "... also of both.", translation, VLAB_NESTED),
    DEVICE("translation.read", "4.1", "W is 0 where the page may not be written.",
           translation_read),
    DEVICE("translation.absent", "4.1",
           "A page that is not there is answered without permissions, and is no fault.",
           translation_absent),
    DEVICE("translation.bits", "4.1",
           "A Translation Request sets the accessed bit, and the dirty bit if it gives W away.",
           translation_bits, VLAB_FIRST_STAGE, .ecap = VECAP_WCS),
    DEVICE("translated", "4.1", "A translated request is not translated again.", translated),
    DEVICE("translated.scalable", "4.1", "... also in scalable mode.", translated,
           VLAB_FIRST_STAGE),
    DEVICE("invalidation", "6.5.2.5", "A device-TLB invalidation sends an Invalidate Request.",
           invalidation, .ats = true),
    DEVICE("invalidation.scalable", "6.5.2.5", "... also in scalable mode.", invalidation,
           VLAB_FIRST_STAGE, true),
    DEVICE("invalidation.pasid", "6.5.2.6", "A PASID-based one sends it with the PASID.",
           invalidation_pasid, VLAB_FIRST_STAGE, true),
    DEVICE("invalidation.waits", "6.5.2.8", "A wait waits for the device's answer.",
           invalidation_waits, .ats = true),
    DEVICE("invalidation.timeout", "6.5.2.11",
           "A device that does not answer sets ITE and ITESID; the queue waits until ITE is "
           "cleared.",
           time_out, .ats = true),
    DEVICE("invalidation.timeout.wait", "6.5.2.11",
           "A wait that waits for it then is over without its status.", time_out_waits,
           .ats = true),
    DEVICE("invalidation.foreign", "6.5.2.11", "Another function's answer counts for nothing.",
           foreign, .ats = true),
    DEVICE("invalidation.unexpected", "6.5.2.11",
           "An answer that nobody waits for sets ICE and ICESID.", unexpected, .ats = true),
    PAGES("request", "7.4.1", "A Page Request is queued with all that it says, and sets PPR.",
          page_request),
    PAGES("request.plain", "7.4.1", "... one without a PASID, too.", page_request_plain),
    PAGES("event", "7.5", "PPR is an event: masked it is pending, and there is one at a time.",
          page_event),
    PAGES("overflow", "7.4", "A full queue sets PRO, answers, and takes none until it is cleared.",
          page_overflow),
    PAGES("wraps", "7.4", "The page queue's tail wraps at its end.", page_wraps),
    PAGES("refused", "7.1.3", "A Page Request without PRE is fault 47h and is refused.",
          page_refused),
    DEVICE("page.legacy", "7.1.3", "A Page Request in legacy mode is fault 32h.", page_legacy,
           VLAB_LEGACY_MODE, false, VECAP_PRS | VECAP_SMTS),
    DEVICE("page.response", "7.7", "A page group response sends the PRG Response that it says.",
           page_response, VLAB_FIRST_STAGE, false, VECAP_PRS),
};

ASSERTION_TABLE(assertions_vtd_devices, rows);
