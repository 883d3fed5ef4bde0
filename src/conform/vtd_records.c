/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fault recording and its event (VT-d 4.1, 7.2, 7.3, 11.4.7, 11.4.14). */
#include "lab_vtd.h"
#include "pcilab/platform/probe.h"
#include "tables.h"

#define MESSAGE_ADDR 0xfee00000u
#define MESSAGE_DATA 0x0041u

static unsigned records(const struct vlab *v)
{
    return (unsigned)(v->cap >> 40 & 0xff) + 1;
}

static unsigned record(const struct vlab *v, unsigned i)
{
    return (unsigned)(v->cap >> 24 & 0x3ff) * 16 + i % records(v) * 16;
}

static bool pending(struct vlab *v, unsigned i)
{
    return vlab_get(v, record(v, i) + 8, 8) >> 63;
}

/* Reads page `n` of those that nobody maps. */
static void fault(struct vlab *v, unsigned n)
{
    vlab_send(v, &(struct vlab_access){.addr = 0x7000000000 + n * 0x1000ull});
}

static uint64_t page(unsigned n)
{
    return 0x7000000000 + n * 0x1000ull;
}

static void clear(struct vlab *v, unsigned i)
{
    vlab_set(v, record(v, i) + 12, 4, BIT(31));
}

static unsigned status(struct vlab *v)
{
    return (unsigned)vlab_get(v, VREG_FSTS, 4);
}

static uint64_t messages(struct vlab *v, struct machine_interrupt *last)
{
    return machine_interrupts(v->lab->machine, last);
}

static void unmask(struct vlab *v, bool masked)
{
    vlab_set(v, VREG_FECTL + 4, 4, MESSAGE_DATA);
    vlab_set(v, VREG_FECTL + 8, 4, MESSAGE_ADDR);
    vlab_set(v, VREG_FECTL, 4, masked ? BIT(31) : 0);
}

static void first(struct conform_ctx *t, struct vlab *v)
{
    fault(v, 0);
    t_check(t, status(v) & VFSTS_PPF, "PPF is 0");
    t_check(t, pending(v, status(v) >> 8 & 0xff), "the record that FRI names has no F");
    t_check(t, vlab_get(v, record(v, status(v) >> 8 & 0xff), 8) == page(0),
            "it is of another page");
}

static void next(struct conform_ctx *t, struct vlab *v)
{
    unsigned fri;

    if (records(v) < 2) {
        t_skip(t, "the unit has one record");
        return;
    }
    fault(v, 0);
    fault(v, 1);
    fri = status(v) >> 8 & 0xff;
    t_check(t, vlab_get(v, record(v, fri), 8) == page(0), "FRI does not name the older fault");
    t_check(t, pending(v, fri + 1) && vlab_get(v, record(v, fri + 1), 8) == page(1),
            "the record behind it is not of the later fault");
}

static void ppf(struct conform_ctx *t, struct vlab *v)
{
    unsigned fri;

    fault(v, 0);
    fri = status(v) >> 8 & 0xff;
    vlab_set(v, record(v, fri) + 12, 4, 0);
    t_check(t, pending(v, fri), "writing 0 clears F");
    clear(v, fri);
    t_check(t, !pending(v, fri), "writing 1 does not clear F");
    t_check(t, !(status(v) & VFSTS_PPF), "PPF stays set without any F");
}

static void ppf_stays(struct conform_ctx *t, struct vlab *v)
{
    unsigned fri;

    if (records(v) < 2) {
        t_skip(t, "the unit has one record");
        return;
    }
    fault(v, 0);
    fault(v, 1);
    fri = status(v) >> 8 & 0xff;
    clear(v, fri);
    t_check(t, status(v) & VFSTS_PPF, "PPF falls while a record has F");
    clear(v, fri + 1);
    t_check(t, !(status(v) & VFSTS_PPF), "PPF stays set without any F");
}

static void ppf_ro(struct conform_ctx *t, struct vlab *v)
{
    fault(v, 0);
    vlab_set(v, VREG_FSTS, 4, 0xffffffff);
    t_check(t, status(v) & VFSTS_PPF, "writing FSTS clears PPF");
}

static void fill(struct vlab *v)
{
    for (unsigned i = 0; i < records(v); i++)
        fault(v, i);
}

static void overflow(struct conform_ctx *t, struct vlab *v)
{
    unsigned fri;

    fill(v);
    fri = status(v) >> 8 & 0xff;
    t_check(t, !(status(v) & VFSTS_PFO), "PFO is set while there was room");
    fault(v, records(v));
    t_check(t, status(v) & VFSTS_PFO, "PFO is 0 when all records are taken");
    t_check(t, vlab_get(v, record(v, fri), 8) == page(0), "a pending record was written over");
}

static void overflow_stops(struct conform_ctx *t, struct vlab *v)
{
    fill(v);
    fault(v, records(v));
    for (unsigned i = 0; i < records(v); i++)
        clear(v, i);
    fault(v, records(v) + 1);
    t_check(t, !(status(v) & VFSTS_PPF), "a fault is recorded while PFO is set");
}

static void overflow_clears(struct conform_ctx *t, struct vlab *v)
{
    fill(v);
    fault(v, records(v));
    for (unsigned i = 0; i < records(v); i++)
        clear(v, i);
    vlab_set(v, VREG_FSTS, 4, 0);
    t_check(t, status(v) & VFSTS_PFO, "writing 0 clears PFO");
    vlab_set(v, VREG_FSTS, 4, VFSTS_PFO);
    t_check(t, !(status(v) & VFSTS_PFO), "writing 1 does not clear PFO");
    fault(v, 5);
    t_check(t, status(v) & VFSTS_PPF, "no fault is recorded after PFO was cleared");
}

static void fields_ro(struct conform_ctx *t, struct vlab *v)
{
    uint64_t low, high;
    unsigned at;

    fault(v, 3);
    at = record(v, status(v) >> 8 & 0xff);
    low = vlab_get(v, at, 8);
    high = vlab_get(v, at + 8, 8);
    vlab_set(v, at, 8, ~low);
    vlab_set(v, at + 8, 4, ~high);
    t_check(t, vlab_get(v, at, 8) == low && vlab_get(v, at + 8, 8) == high, "it changed");
}

static void event(struct conform_ctx *t, struct vlab *v)
{
    struct machine_interrupt last;
    uint64_t before;

    unmask(v, false);
    before = messages(v, &last);
    fault(v, 0);
    t_check(t, messages(v, &last) == before + 1, "%u messages were sent",
            (unsigned)(messages(v, &last) - before));
    t_check(t, last.vector == (MESSAGE_DATA & 0xff), "its vector is %02x", last.vector);
}

static void event_once(struct conform_ctx *t, struct vlab *v)
{
    struct machine_interrupt last;
    uint64_t before;

    unmask(v, false);
    before = messages(v, &last);
    fault(v, 0);
    fault(v, 1);
    t_check(t, messages(v, &last) == before + 1, "%u messages were sent",
            (unsigned)(messages(v, &last) - before));
    for (unsigned i = 0; i < records(v); i++)
        clear(v, i);
    fault(v, 2);
    t_check(t, messages(v, &last) == before + 2, "none is sent after the status was cleared");
}

static void event_masked(struct conform_ctx *t, struct vlab *v)
{
    struct machine_interrupt last;
    uint64_t before;

    unmask(v, true);
    before = messages(v, &last);
    fault(v, 0);
    t_check(t, messages(v, &last) == before, "a message is sent");
    t_check(t, vlab_get(v, VREG_FECTL, 4) & BIT(30), "IP is 0");
    vlab_set(v, VREG_FECTL, 4, 0);
    t_check(t, messages(v, &last) == before + 1, "no message is sent when it is unmasked");
    t_check(t, !(vlab_get(v, VREG_FECTL, 4) & BIT(30)), "IP stays set");
}

static void event_gone(struct conform_ctx *t, struct vlab *v)
{
    struct machine_interrupt last;
    uint64_t before;

    unmask(v, true);
    before = messages(v, &last);
    fault(v, 0);
    clear(v, status(v) >> 8 & 0xff);
    t_check(t, !(vlab_get(v, VREG_FECTL, 4) & BIT(30)), "IP stays set");
    vlab_set(v, VREG_FECTL, 4, 0);
    t_check(t, messages(v, &last) == before, "a message is sent");
}

static void event_of_queue(struct conform_ctx *t, struct vlab *v)
{
    struct machine_interrupt last;
    uint64_t before;

    vlab_queue_on(v);
    unmask(v, false);
    before = messages(v, &last);
    vlab_queue(v, 0, 0);
    t_check(t, status(v) & VFSTS_IQE, "IQE is 0");
    t_check(t, messages(v, &last) == before + 1, "no message is sent");
}

typedef void (*record_body)(struct conform_ctx *t, struct vlab *v);

static void run(struct conform_ctx *t)
{
    const record_body *body = t->assertion->param;
    struct vlab v;

    if (vlab_open(&v, t, NULL) && vlab_tables(&v, VLAB_LEGACY_MODE, 0, 0)) {
        vlab_go(&v);
        (*body)(t, &v);
    }
    vlab_close(&v);
}

#define RECORD(name, sec, body, text)                                                              \
    VTD_ROW("record." name, sec, text, run, &(const record_body){body})

static const struct conform_assertion rows[] = {
    RECORD("first", "7.2.1", first, "A fault sets PPF, and FRI names the record that has it."),
    RECORD("next", "7.2.1", next, "The next fault is in the next record, and FRI stays."),
    RECORD("f", "11.4.14", ppf, "Writing 1 to F clears it, and PPF with the last of them."),
    RECORD("ppf.stays", "11.4.7.1", ppf_stays, "PPF is set as long as any record has F."),
    RECORD("ppf.ro", "11.4.7.1", ppf_ro, "PPF is read-only."),
    RECORD("overflow", "7.2.1", overflow,
           "A fault that finds no free record sets PFO, and no record is written over."),
    RECORD("overflow.stops", "7.2.1", overflow_stops, "While PFO is set no fault is recorded."),
    RECORD("overflow.clears", "11.4.7.1", overflow_clears,
           "Writing 1 to PFO clears it, and faults are recorded again."),
    RECORD("ro", "11.4.14", fields_ro, "A record that has F is not changed by writing it."),
    RECORD("event", "7.3", event, "A fault sends the message that FEDATA and FEADDR hold."),
    RECORD("event.once", "7.3", event_once, "While a fault is pending another sends no message."),
    RECORD("event.masked", "7.3", event_masked,
           "With IM set it is pending in IP, and is sent when IM is cleared."),
    RECORD("event.gone", "7.3", event_gone, "IP falls when software has cleared the status."),
    RECORD("event.queue", "7.3", event_of_queue, "An error of the queue sends the message, too."),
};

ASSERTION_TABLE(assertions_vtd_records, rows);
