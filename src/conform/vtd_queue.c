/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Invalidation (VT-d 4.1, 6.5): each descriptor as it should be and as it should not, what the
 * queue does about both, and that what is invalidated is forgotten.
 */
#include "lab_vtd.h"
#include "pcilab/platform/probe.h"
#include "tables.h"

/* A descriptor. */
struct order {
    uint64_t quad[4];
    bool wrong;
    uint8_t error; /* IQERCD.IQEI; 0: any */
    uint8_t mode;  /* enum vlab_mode */
    bool narrow;   /* 128 bits, whatever the mode */
    uint8_t which; /* of the quadword: */
    uint64_t each; /* these bits of it, one after the other */
    struct vlab_need need;
};

static void check_good(struct vlab *v)
{
    struct conform_ctx *t = v->t;
    uint64_t head = vlab_get(v, VREG_IQH, 8);

    t_check(t, !(vlab_get(v, VREG_FSTS, 4) & VFSTS_IQE), "the queue stops with error %u",
            (unsigned)vlab_get(v, VREG_IQERCD, 8) & 0xf);
    t_check(t, head == v->tail, "the head is %x, not %x", (unsigned)head, v->tail);
    t_check(t, vlab_queue_wait(v), "the queue does not go on");
}

static void check_wrong(struct vlab *v, const struct order *o, const uint64_t quad[4])
{
    struct conform_ctx *t = v->t;
    uint64_t error = vlab_get(v, VREG_IQERCD, 8) & 0xf;

    t_check(t, vlab_get(v, VREG_FSTS, 4) & VFSTS_IQE,
            "IQE is 0 after %016" G_GINT64_MODIFIER "x %016" G_GINT64_MODIFIER "x", quad[0],
            quad[1]);
    t_check(t, vlab_get(v, VREG_IQH, 8) == 0, "the head went on");
    t_check(t, !o->error || error == o->error, "IQEI is %u, not %u", (unsigned)error, o->error);
}

static void judge_each(struct vlab *v, const struct order *o)
{
    for (unsigned bit = 0; bit < 64 && !t_failed(v->t); bit++) {
        uint64_t quad[4] = {o->quad[0], o->quad[1], o->quad[2], o->quad[3]};

        if (!(o->each >> bit & 1))
            continue;
        quad[o->which] |= 1ull << bit;
        vlab_queue_on(v);
        vlab_queue_quads(v, quad);
        check_wrong(v, o, quad);
        vlab_command(v, VG_QIE, false);
        vlab_set(v, VREG_FSTS, 4, VFSTS_IQE);
    }
}

static void judge_order(struct vlab *v, const struct order *o)
{
    vlab_go(v);
    if (o->each) {
        judge_each(v, o);
        return;
    }
    vlab_queue_on(v);
    if (o->narrow) {
        vlab_command(v, VG_QIE, false);
        vlab_set(v, VREG_IQA, 8, VLAB_QUEUE);
        vlab_command(v, VG_QIE, true);
        v->wide = false;
    }
    vlab_queue_quads(v, o->quad);
    if (o->wrong)
        check_wrong(v, o, o->quad);
    else
        check_good(v);
}

static void order(struct conform_ctx *t)
{
    const struct order *o = t->assertion->param;
    struct vlab v;

    if (vlab_open(&v, t, &o->need) && vlab_tables(&v, o->mode, 0, 0))
        judge_order(&v, o);
    vlab_close(&v);
}

/* Something is changed in memory, and a descriptor makes the unit see it. */
enum changed { PAGE, CONTEXT, PASID, FIRST_PAGE };

struct effect {
    uint8_t mode;
    uint8_t changed;
    uint64_t low[2], high[2];  /* of up to two descriptors */
    bool with_page;            /* the address of the access is added to the upper half */
    bool with_pasid, with_sid; /* to bits 51:32, 47:32 of the lower */
    struct vlab_need need;
};

static void change(struct vlab *v, const struct effect *e)
{
    uint64_t at = e->changed == CONTEXT ? vlab_context_entry(v)
                  : e->changed == PASID ? vlab_pasid_entry(v)
                  : e->changed == PAGE  ? vlab_second_entry(v, 1)
                                        : vlab_first_entry(v, 1);
    bool page = e->changed == PAGE || e->changed == FIRST_PAGE;
    uint64_t old = vlab_ram(v, at);

    vlab_put(v, at, page ? (old & ~GENMASK(51, 12)) | VLAB_OUT2 : old & ~1ull);
}

static void judge_effect(struct vlab *v, const struct effect *e)
{
    struct conform_ctx *t = v->t;

    vlab_go(v);
    vlab_queue_on(v);
    t_check(t, vlab_reaches(v, true, VLAB_OUT), "nothing gets through to begin with");
    change(v, e);
    for (unsigned i = 0; i < 2 && e->low[i]; i++)
        vlab_queue(v,
                   e->low[i] | (e->with_pasid ? (uint64_t)v->pasid << 32 : 0) |
                       (e->with_sid && !i ? (uint64_t)v->rid << 32 : 0),
                   e->high[i] | (e->with_page ? v->addr & ~low_mask(12) : 0));
    t_check(t, vlab_queue_wait(v), "a wait behind it does not finish");
    if (e->changed == PAGE || e->changed == FIRST_PAGE)
        t_check(t, vlab_reaches(v, true, VLAB_OUT2), "the old page is still in use");
    else
        t_check(t, !vlab_reaches(v, true, VLAB_OUT), "the old entry is still in use");
}

static void effect(struct conform_ctx *t)
{
    const struct effect *e = t->assertion->param;
    struct vlab v;

    if (vlab_open(&v, t, &e->need) && vlab_tables(&v, e->mode, 0, 0))
        judge_effect(&v, e);
    vlab_close(&v);
}

/* The same by registers, in legacy mode. */
static void by_registers(struct conform_ctx *t, struct vlab *v, unsigned granularity)
{
    unsigned iotlb = (unsigned)(v->ecap >> 8 & 0x3ff) * 16 + 8;
    uint64_t got;

    vlab_command(v, VG_QIE, false);
    t_check(t, vlab_reaches(v, true, VLAB_OUT), "nothing gets through to begin with");
    vlab_put(v, vlab_second_entry(v, 1), VLAB_OUT2 | 3);
    vlab_set(v, VREG_CCMD, 8,
             BIT(63) | (uint64_t)granularity << 61 | (uint64_t)v->rid << 16 | VLAB_DOMAIN);
    got = vlab_get(v, VREG_CCMD, 8);
    t_check(t, !(got >> 63), "ICC stays set");
    t_check(t, (got >> 59 & 3) >= 1 && (got >> 59 & 3) <= granularity, "CAIG is %u",
            (unsigned)(got >> 59 & 3));
    vlab_set(v, iotlb - 8, 8, v->addr & ~low_mask(12));
    vlab_set(v, iotlb, 8, BIT(63) | (uint64_t)granularity << 60 | (uint64_t)VLAB_DOMAIN << 32);
    got = vlab_get(v, iotlb, 8);
    t_check(t, !(got >> 63), "IVT stays set");
    t_check(t, (got >> 57 & 3) >= 1 && (got >> 57 & 3) <= granularity, "IAIG is %u",
            (unsigned)(got >> 57 & 3));
    t_check(t, vlab_reaches(v, true, VLAB_OUT2), "the old page is still in use");
}

static void registers_all(struct conform_ctx *t, struct vlab *v)
{
    by_registers(t, v, 1);
}

static void registers_domain(struct conform_ctx *t, struct vlab *v)
{
    by_registers(t, v, 2);
}

static void registers_page(struct conform_ctx *t, struct vlab *v)
{
    by_registers(t, v, 3);
}

static void registers_reserved(struct conform_ctx *t, struct vlab *v)
{
    vlab_command(v, VG_QIE, false);
    vlab_set(v, VREG_CCMD, 8, BIT(63));
    t_check(t, !(vlab_get(v, VREG_CCMD, 8) >> 63), "ICC stays set");
    t_check(t, !(vlab_get(v, VREG_CCMD, 8) >> 59 & 3), "CAIG tells of an invalidation");
}

/* The queue itself. */

static void wait_status(struct conform_ctx *t, struct vlab *v)
{
    vlab_put(v, VLAB_STATUS, ~0ull);
    vlab_queue(v, 0x25 | 0x89abcdefull << 32, VLAB_STATUS);
    t_check(t, vlab_ram(v, VLAB_STATUS) == (0xffffffff00000000 | 0x89abcdef),
            "memory is %016" G_GINT64_MODIFIER "x", vlab_ram(v, VLAB_STATUS));
}

static void wait_no_status(struct conform_ctx *t, struct vlab *v)
{
    vlab_put(v, VLAB_STATUS, 5);
    vlab_queue(v, 0x05 | 0x89abcdefull << 32, VLAB_STATUS);
    t_check(t, vlab_ram(v, VLAB_STATUS) == 5, "it is written");
    t_check(t, !(vlab_get(v, VREG_ICS, 4) & 1), "IWC is set");
}

static void wait_interrupt(struct conform_ctx *t, struct vlab *v)
{
    struct machine_interrupt last;
    uint64_t before = machine_interrupts(v->lab->machine, &last);

    vlab_set(v, VREG_IECTL + 4, 4, 0x52);
    vlab_set(v, VREG_IECTL + 8, 4, 0xfee00000);
    vlab_set(v, VREG_IECTL, 4, 0);
    vlab_queue(v, 0x15, 0);
    t_check(t, vlab_get(v, VREG_ICS, 4) & 1, "IWC is 0");
    t_check(t, machine_interrupts(v->lab->machine, &last) == before + 1 && last.vector == 0x52,
            "the message is not sent once");
    vlab_queue(v, 0x15, 0);
    t_check(t, machine_interrupts(v->lab->machine, &last) == before + 1,
            "another is sent while IWC is set");
    vlab_set(v, VREG_ICS, 4, 0);
    t_check(t, vlab_get(v, VREG_ICS, 4) & 1, "writing 0 clears IWC");
    vlab_set(v, VREG_ICS, 4, 1);
    t_check(t, !(vlab_get(v, VREG_ICS, 4) & 1), "writing 1 does not clear IWC");
    vlab_queue(v, 0x15, 0);
    t_check(t, machine_interrupts(v->lab->machine, &last) == before + 2, "none is sent after that");
}

static void wait_masked(struct conform_ctx *t, struct vlab *v)
{
    struct machine_interrupt last;
    uint64_t before = machine_interrupts(v->lab->machine, &last);

    vlab_set(v, VREG_IECTL + 8, 4, 0xfee00000);
    vlab_queue(v, 0x15, 0);
    t_check(t, machine_interrupts(v->lab->machine, &last) == before, "a message is sent");
    t_check(t, vlab_get(v, VREG_IECTL, 4) & BIT(30), "IP is 0");
    vlab_set(v, VREG_ICS, 4, 1);
    t_check(t, !(vlab_get(v, VREG_IECTL, 4) & BIT(30)), "IP stays set without IWC");
    vlab_queue(v, 0x15, 0);
    vlab_set(v, VREG_IECTL, 4, 0);
    t_check(t, machine_interrupts(v->lab->machine, &last) == before + 1,
            "no message is sent when it is unmasked");
    t_check(t, !(vlab_get(v, VREG_IECTL, 4) & BIT(30)), "IP stays set");
}

static void wraps(struct conform_ctx *t, struct vlab *v)
{
    for (unsigned i = 0; i < 300; i++)
        vlab_queue(v, 5, 0);
    t_check(t, vlab_get(v, VREG_IQH, 8) == v->tail && v->tail == 300 * 16 % 4096, "the head is %x",
            (unsigned)vlab_get(v, VREG_IQH, 8));
    t_check(t, vlab_queue_wait(v), "the queue does not go on");
}

static void larger(struct conform_ctx *t, struct vlab *v)
{
    vlab_command(v, VG_QIE, false);
    vlab_set(v, VREG_IQT, 8, 0);
    vlab_set(v, VREG_IQA, 8, VLAB_QUEUE | 1);
    vlab_command(v, VG_QIE, true);
    for (unsigned i = 0; i < 0x2000; i += 16) {
        vlab_put(v, VLAB_QUEUE + i, 5);
        vlab_put(v, VLAB_QUEUE + i + 8, 0);
    }
    vlab_set(v, VREG_IQT, 8, 0x1ff0);
    lab_run_us(v->lab, 100000); /* 511 descriptors of a slow unit */
    t_check(t, vlab_get(v, VREG_IQH, 8) == 0x1ff0, "the head is %x, not 1ff0",
            (unsigned)vlab_get(v, VREG_IQH, 8));
    vlab_set(v, VREG_IQT, 8, 0);
    t_check(t, vlab_get(v, VREG_IQH, 8) == 0, "the head does not wrap");
}

static void head_resets(struct conform_ctx *t, struct vlab *v)
{
    vlab_queue(v, 5, 0);
    vlab_command(v, VG_QIE, false);
    t_check(t, vlab_get(v, VREG_IQH, 8) == 0, "the head is %x", (unsigned)vlab_get(v, VREG_IQH, 8));
}

static void disabled(struct conform_ctx *t, struct vlab *v)
{
    vlab_command(v, VG_QIE, false);
    vlab_put(v, VLAB_STATUS, 0);
    vlab_queue(v, 0x25 | 1ull << 32, VLAB_STATUS);
    t_check(t, vlab_ram(v, VLAB_STATUS) == 0, "a descriptor is executed");
    vlab_command(v, VG_QIE, true);
    t_check(t, vlab_ram(v, VLAB_STATUS) == 1, "it is not executed when the queue is enabled");
}

static void error_stops(struct conform_ctx *t, struct vlab *v)
{
    vlab_queue(v, 0, 0);
    vlab_put(v, VLAB_STATUS, 0);
    vlab_queue(v, 0x25 | 1ull << 32, VLAB_STATUS);
    t_check(t, vlab_ram(v, VLAB_STATUS) == 0, "a descriptor behind the wrong one is executed");
    vlab_put(v, VLAB_QUEUE, 5);
    vlab_set(v, VREG_FSTS, 4, 0);
    t_check(t, vlab_get(v, VREG_FSTS, 4) & VFSTS_IQE, "writing 0 clears IQE");
    vlab_set(v, VREG_FSTS, 4, VFSTS_IQE);
    t_check(t, !(vlab_get(v, VREG_FSTS, 4) & VFSTS_IQE), "writing 1 does not clear IQE");
    t_check(t, vlab_ram(v, VLAB_STATUS) == 1, "the queue does not go on");
}

static void unreadable(struct conform_ctx *t, struct vlab *v)
{
    vlab_command(v, VG_QIE, false);
    vlab_set(v, VREG_IQA, 8, vlab_nowhere(v));
    vlab_command(v, VG_QIE, true);
    vlab_set(v, VREG_IQT, 8, 16);
    t_check(t, vlab_get(v, VREG_FSTS, 4) & VFSTS_IQE, "IQE is 0");
    t_check(t, (vlab_get(v, VREG_IQERCD, 8) & 0xf) == 2, "IQEI is %u",
            (unsigned)vlab_get(v, VREG_IQERCD, 8) & 0xf);
}

static void tail_beyond(struct conform_ctx *t, struct vlab *v)
{
    vlab_set(v, VREG_IQT, 8, 4096);
    t_check(t, vlab_get(v, VREG_FSTS, 4) & VFSTS_IQE, "IQE is 0");
    t_check(t, (vlab_get(v, VREG_IQERCD, 8) & 0xf) == 1, "IQEI is %u",
            (unsigned)vlab_get(v, VREG_IQERCD, 8) & 0xf);
}

typedef void (*queue_body)(struct conform_ctx *t, struct vlab *v);

static void run(struct conform_ctx *t)
{
    const queue_body *body = t->assertion->param;
    const struct vlab_need need = {.ecap = VECAP_QI};
    struct vlab v;

    if (vlab_open(&v, t, &need) && vlab_tables(&v, VLAB_LEGACY_MODE, 0, 0)) {
        vlab_go(&v);
        vlab_queue_on(&v);
        (*body)(t, &v);
    }
    vlab_close(&v);
}

/* The queue in scalable mode: descriptors have 256 bits. */
static void tail_misaligned(struct conform_ctx *t)
{
    const struct vlab_need need = {.ecap = VECAP_QI | VECAP_SMTS};
    struct vlab v;

    if (vlab_open(&v, t, &need) && vlab_tables(&v, VLAB_FIRST_STAGE, 0, 0)) {
        vlab_go(&v);
        vlab_queue_on(&v);
        vlab_set(&v, VREG_IQT, 8, 16);
        t_check(t, vlab_get(&v, VREG_FSTS, 4) & VFSTS_IQE, "IQE is 0");
        t_check(t, (vlab_get(&v, VREG_IQERCD, 8) & 0xf) == 6, "IQEI is %u",
                (unsigned)vlab_get(&v, VREG_IQERCD, 8) & 0xf);
    }
    vlab_close(&v);
}

#define GOOD(name, sec, text, low, high, ...)                                                      \
    VTD_ROW("descriptor." name, sec, text " is executed.", order,                                  \
            &(const struct order){.quad = {low, high}, __VA_ARGS__})
#define BAD(name, sec, text, why, low, high, ...)                                                  \
    VTD_ROW("descriptor." name, sec, text " stops the queue with IQE.", order,                     \
            &(const struct order){.quad = {low, high}, .wrong = true, .error = why, __VA_ARGS__})
#define EFFECT(name, sec, text, ...)                                                               \
    VTD_ROW("invalidate." name, sec, text, effect, &(const struct effect){__VA_ARGS__})
#define QUEUE(name, sec, body, text)                                                               \
    VTD_ROW("queue." name, sec, text, run, &(const queue_body){body})
#define SCALABLE .mode = VLAB_FIRST_STAGE
#define DID      (VLAB_DOMAIN << 16)
#define TYPE     3
#define RESERVED 4

/* clang-format off */
static const struct conform_assertion rows[] = {
    GOOD("context.all", "6.5.2.1", "A global context-cache invalidation", 1 | 1 << 4, 0),
    GOOD("context.domain", "6.5.2.1", "One of a domain", 1 | 2 << 4 | DID, 0),
    GOOD("context.device", "6.5.2.1", "One of a device with a function mask",
         1 | 3 << 4 | DID | 3ull << 48, 0),
    GOOD("context.scalable", "6.5.2.1", "One of a device in scalable mode", 1 | 3 << 4 | DID, 0,
         SCALABLE),
    BAD("context.granularity", "6.5.2.1", "Granularity 0 of a context-cache invalidation", 0, 1, 0),
    BAD("context.reserved", "6.5.2.1",
        "Any reserved bit of the lower half of a context-cache invalidation", RESERVED,
        1 | 1 << 4, 0, .which = 0, .each = GENMASK(8, 6) | GENMASK(15, 12) | GENMASK(63, 50)),
    BAD("context.reserved_high", "6.5.2.1",
        "Any reserved bit of the upper half of a context-cache invalidation", RESERVED,
        1 | 1 << 4, 0, .which = 1, .each = ~0ull),
    GOOD("iotlb.all", "6.5.2.3", "A global IOTLB invalidation", 2 | 1 << 4, 0),
    GOOD("iotlb.domain", "6.5.2.3", "One of a domain, with draining", 2 | 2 << 4 | DID | 3 << 6, 0),
    GOOD("iotlb.page", "6.5.2.3", "One of a page, with the invalidation hint",
         2 | 3 << 4 | DID, 0x1000 | BIT(6), .need = {.cap = VCAP_PSI}),
    BAD("iotlb.granularity", "6.5.2.3", "Granularity 0 of an IOTLB invalidation", 0, 2, 0),
    BAD("iotlb.mask", "6.5.2.3", "An address mask beyond CAP.MAMV", 0, 2 | 3 << 4 | DID, 63,
        .need = {.cap = VCAP_PSI}),
    BAD("iotlb.reserved", "6.5.2.3",
        "Any reserved bit of the lower half of an IOTLB invalidation", RESERVED, 2 | 1 << 4, 0,
        .which = 0, .each = BIT(8) | GENMASK(15, 12) | GENMASK(63, 32)),
    BAD("iotlb.reserved_high", "6.5.2.3",
        "Any reserved bit of the upper half of an IOTLB invalidation", RESERVED, 2 | 1 << 4, 0,
        .which = 1, .each = GENMASK(11, 7)),
    BAD("device.none", "6.5.2.5", "A device-TLB invalidation without device TLBs", TYPE, 3, 0,
        .need = {.without_ecap = VECAP_DT}),
    BAD("device.reserved", "6.5.2.5",
        "Any reserved bit of the lower half of a device-TLB invalidation", RESERVED, 3, 0,
        .need = {.ecap = VECAP_DT}, .which = 0,
        .each = GENMASK(8, 4) | GENMASK(31, 21) | GENMASK(51, 48)),
    BAD("device.reserved_high", "6.5.2.5",
        "Any reserved bit of the upper half of a device-TLB invalidation", RESERVED, 3, 0,
        .need = {.ecap = VECAP_DT}, .which = 1, .each = GENMASK(11, 1)),
    GOOD("interrupt.all", "6.5.2.7", "A global interrupt entry cache invalidation", 4, 0,
         .need = {.ecap = VECAP_IR}),
    GOOD("interrupt.index", "6.5.2.7", "One of indices", 4 | 1 << 4 | 2 << 27 | 8ull << 32, 0,
         .need = {.ecap = VECAP_IR}),
    BAD("interrupt.none", "6.5.2.7", "One without interrupt remapping", TYPE, 4, 0,
        .need = {.without_ecap = VECAP_IR}),
    BAD("interrupt.reserved", "6.5.2.7",
        "Any reserved bit of the lower half of an interrupt entry cache invalidation", RESERVED,
        4, 0, .need = {.ecap = VECAP_IR}, .which = 0,
        .each = GENMASK(8, 5) | GENMASK(26, 12) | GENMASK(63, 48)),
    BAD("interrupt.reserved_high", "6.5.2.7",
        "Any reserved bit of the upper half of an interrupt entry cache invalidation", RESERVED,
        4, 0, .need = {.ecap = VECAP_IR}, .which = 1, .each = ~0ull),
    GOOD("wait", "6.5.2.8", "A wait without status and interrupt", 5, 0),
    GOOD("wait.fence", "6.5.2.8", "A wait that is a fence", 5 | 1 << 6, 0),
    BAD("wait.reserved", "6.5.2.8",
        "Any reserved bit of the lower half of a wait", RESERVED, 5, 0, .which = 0,
        .each = BIT(8) | GENMASK(31, 12)),
    BAD("wait.reserved_high", "6.5.2.8",
        "Any reserved bit of the upper half of a wait", RESERVED, 5, 0, .which = 1,
        .each = GENMASK(1, 0)),
    BAD("wait.drain_none", "6.5.2.8", "Page Request draining that ECAP.PDS lacks", RESERVED,
        5 | 1 << 7, 0, .need = {.without_ecap = BIT(42)}),
    GOOD("pasid_iotlb.pasid", "6.5.2.4", "A PASID-based IOTLB invalidation of a PASID",
         6 | 2 << 4 | DID | 5ull << 32, 0, SCALABLE),
    GOOD("pasid_iotlb.page", "6.5.2.4", "One of a page", 6 | 3 << 4 | DID, 0x1000, SCALABLE),
    BAD("pasid_iotlb.granularity", "6.5.2.4", "Granularity 1 of one", 0, 6 | 1 << 4 | DID, 0,
        SCALABLE),
    BAD("pasid_iotlb.granularity_0", "6.5.2.4", "Granularity 0 of one", 0, 6 | DID, 0, SCALABLE),
    BAD("pasid_iotlb.mask", "6.5.2.4", "An address mask beyond CAP.MAMV", 0, 6 | 3 << 4 | DID, 63,
        SCALABLE),
    BAD("pasid_iotlb.reserved", "6.5.2.4",
        "Any reserved bit of the lower half of a PASID-based IOTLB invalidation", RESERVED,
        6 | 2 << 4, 0, SCALABLE, .which = 0,
        .each = GENMASK(8, 6) | GENMASK(15, 12) | GENMASK(63, 52)),
    BAD("pasid_iotlb.reserved_high", "6.5.2.4",
        "Any reserved bit of the upper half of a PASID-based IOTLB invalidation", RESERVED,
        6 | 3 << 4, 0, SCALABLE, .which = 1, .each = GENMASK(11, 7)),
    BAD("pasid_iotlb.legacy", "6.5.2.4", "A PASID-based IOTLB invalidation in legacy mode", TYPE,
        6 | 2 << 4, 0),
    GOOD("pasid_cache.domain", "6.5.2.2", "A PASID-cache invalidation of a domain", 7 | DID, 0,
         SCALABLE),
    GOOD("pasid_cache.pasid", "6.5.2.2", "One of a PASID", 7 | 1 << 4 | DID | 5ull << 32, 0,
         SCALABLE),
    GOOD("pasid_cache.all", "6.5.2.2", "A global one", 7 | 3 << 4, 0, SCALABLE),
    BAD("pasid_cache.granularity", "6.5.2.2", "Granularity 2 of one", 0, 7 | 2 << 4, 0, SCALABLE),
    BAD("pasid_cache.reserved", "6.5.2.2",
        "Any reserved bit of the lower half of a PASID-cache invalidation", RESERVED, 7 | 3 << 4,
        0, SCALABLE, .which = 0, .each = GENMASK(8, 6) | GENMASK(15, 12) | GENMASK(63, 52)),
    BAD("pasid_cache.reserved_high", "6.5.2.2",
        "Any reserved bit of the upper half of a PASID-cache invalidation", RESERVED, 7 | 3 << 4,
        0, SCALABLE, .which = 1, .each = ~0ull),
    BAD("pasid_cache.legacy", "6.5.2.2", "A PASID-cache invalidation in legacy mode", TYPE,
        7 | 3 << 4, 0),
    BAD("pasid_device.legacy", "6.5.2.6",
        "A PASID-based device-TLB invalidation in legacy mode", TYPE, 8, 0),
    BAD("pasid_device.reserved", "6.5.2.6",
        "Any reserved bit of the upper half of a PASID-based device-TLB invalidation", RESERVED,
        8, 0, SCALABLE, .need = {.ecap = VECAP_DT}, .which = 1, .each = GENMASK(10, 1)),
    BAD("response.legacy", "7.7", "A page group response in legacy mode", TYPE, 9, 0),
    BAD("response.none", "7.7", "A page group response without Page Requests", TYPE, 9, 0, SCALABLE,
        .need = {.without_ecap = VECAP_PRS}),
    BAD("response.reserved", "7.7",
        "Any reserved bit of the lower half of a page group response", RESERVED, 9, 0, SCALABLE,
        .need = {.ecap = VECAP_PRS}, .which = 0, .each = GENMASK(8, 5) | GENMASK(63, 52)),
    BAD("response.reserved_high", "7.7",
        "Any reserved bit of the upper half of a page group response", RESERVED, 9, 0, SCALABLE,
        .need = {.ecap = VECAP_PRS}, .which = 1, .each = GENMASK(1, 0) | GENMASK(63, 12)),
    BAD("type.0", "6.5.2.10", "Type 0", TYPE, 0, 0),
    BAD("type.10", "6.5.2.10", "Type 0Ah", TYPE, 10, 0, SCALABLE),
    BAD("type.15", "6.5.2.10", "Type 0Fh", TYPE, 15, 0, SCALABLE),
    BAD("type.high", "6.5.2.10", "A type in bits 11:9", TYPE, 5 | 1 << 9, 0, SCALABLE),
    BAD("quad.2", "6.5.2",
        "Any of bits 191:128 of a descriptor of 256 bits", RESERVED, 5, 0, SCALABLE, .which = 2,
        .each = ~0ull),
    BAD("quad.3", "6.5.2",
        "Any of bits 255:192 of a descriptor of 256 bits", RESERVED, 5, 0, SCALABLE, .which = 3,
        .each = ~0ull),
    BAD("narrow", "6.5.2", "A descriptor of 128 bits in scalable mode", 5, 5, 0, SCALABLE,
        .narrow = true),

    EFFECT("iotlb.all", "6.5.2.3", "A global IOTLB invalidation makes a page be read anew.",
           .low = {2 | 1 << 4}),
    EFFECT("iotlb.domain", "6.5.2.3", "... one of its domain does.", .low = {2 | 2 << 4 | DID}),
    EFFECT("iotlb.page", "6.5.2.3", "... one of the page does.", .low = {2 | 3 << 4 | DID},
           .with_page = true, .need = {.cap = VCAP_PSI}),
    EFFECT("iotlb.ih", "6.5.2.3", "... one of the page with the hint that only it changed does.",
           .low = {2 | 3 << 4 | DID}, .high = {BIT(6)}, .with_page = true,
           .need = {.cap = VCAP_PSI}),
    EFFECT("iotlb.second", "6.5.2.3", "... also of the second stage in scalable mode.",
           .mode = VLAB_SECOND_STAGE, .low = {2 | 2 << 4 | DID}),
    EFFECT("iotlb.nested", "6.5.2.3", "... also where it is nested.", .mode = VLAB_NESTED,
           .low = {2 | 2 << 4 | DID}),
    EFFECT("pasid_iotlb.pasid", "6.5.2.4",
           "A PASID-based IOTLB invalidation makes a page of the first stage be read anew.",
           .mode = VLAB_FIRST_STAGE, .changed = FIRST_PAGE, .low = {6 | 2 << 4 | DID},
           .with_pasid = true),
    EFFECT("pasid_iotlb.page", "6.5.2.4", "... one of the page does.", .mode = VLAB_FIRST_STAGE,
           .changed = FIRST_PAGE, .low = {6 | 3 << 4 | DID}, .with_pasid = true,
           .with_page = true),
    EFFECT("pasid_iotlb.nested", "6.5.2.4", "... also where it is nested.", .mode = VLAB_NESTED,
           .changed = FIRST_PAGE, .low = {6 | 2 << 4 | DID}, .with_pasid = true),
    EFFECT("context.all", "6.5.2.1", "A global one of contexts and the IOTLB ends a context.",
           .changed = CONTEXT, .low = {1 | 1 << 4, 2 | 1 << 4}),
    EFFECT("context.domain", "6.5.2.1", "... one of the domain does.", .changed = CONTEXT,
           .low = {1 | 2 << 4 | DID, 2 | 2 << 4 | DID}),
    EFFECT("context.device", "6.5.2.1", "... one of the device does.", .changed = CONTEXT,
           .low = {1 | 3 << 4 | DID, 2 | 2 << 4 | DID}, .with_sid = true),
    EFFECT("context.scalable", "6.5.2.1", "... also in scalable mode.", .mode = VLAB_FIRST_STAGE,
           .changed = CONTEXT, .low = {1 | 1 << 4, 7 | 3 << 4}),
    EFFECT("pasid_cache.all", "6.5.2.2", "A global PASID-cache invalidation ends a PASID entry.",
           .mode = VLAB_SECOND_STAGE, .changed = PASID, .low = {7 | 3 << 4, 2 | 1 << 4}),
    EFFECT("pasid_cache.domain", "6.5.2.2", "... one of the domain does.",
           .mode = VLAB_SECOND_STAGE, .changed = PASID, .low = {7 | DID, 2 | 2 << 4 | DID}),
    EFFECT("pasid_cache.pasid", "6.5.2.2", "... one of the PASID does.", .mode = VLAB_FIRST_STAGE,
           .changed = PASID, .low = {7 | 1 << 4 | DID, 6 | 2 << 4 | DID}, .with_pasid = true),
    QUEUE("registers.all", "6.5.1", registers_all,
          "Global invalidations by registers clear ICC and IVT, say so, and work."),
    QUEUE("registers.domain", "6.5.1", registers_domain, "... those of a domain do."),
    QUEUE("registers.page", "6.5.1", registers_page, "... those of a device and a page do."),
    QUEUE("registers.reserved", "6.5.1", registers_reserved,
          "A context command of granularity 0 invalidates nothing and says so."),
    QUEUE("wait.status", "6.5.2.8", wait_status, "A wait writes 32 bits of status, no more."),
    QUEUE("wait.no_status", "6.5.2.8", wait_no_status,
          "A wait without SW and IF writes nothing and sets nothing."),
    QUEUE("wait.interrupt", "6.5.2.8", wait_interrupt,
          "A wait with IF sets IWC and sends one message until IWC is cleared."),
    QUEUE("wait.masked", "7.3", wait_masked, "While IM is set the message is pending in IP."),
    QUEUE("wraps", "6.5.2", wraps, "The head wraps at the queue's end."),
    QUEUE("larger", "6.5.2", larger, "A queue of two pages wraps at the end of the second."),
    QUEUE("head.resets", "11.4.9.1", head_resets, "Disabling the queue sets its head to 0."),
    QUEUE("disabled", "6.5.2", disabled, "A queue that is disabled executes nothing."),
    QUEUE("error.stops", "6.5.2.10", error_stops,
          "After an error nothing is executed until IQE is cleared by a 1."),
    QUEUE("unreadable", "6.5.2.10", unreadable,
          "A descriptor that cannot be read stops the queue with error 2."),
    QUEUE("tail.beyond", "6.5.2.10", tail_beyond,
          "A tail beyond the queue stops it with error 1."),
    VTD_ROW("queue.tail.misaligned", "6.5.2.10",
            "A tail in the middle of a descriptor of 256 bits stops the queue with error 6.",
            tail_misaligned, NULL),
};
/* clang-format on */

ASSERTION_TABLE(assertions_vtd_queue, rows);
