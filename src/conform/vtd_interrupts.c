/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupt remapping (VT-d 4.1, 5.1, 9.9 to 9.11): one message of the exerciser, one entry, and
 * what reaches the processors or the fault records.
 */
#include "lab_vtd.h"
#include "pcilab/platform/probe.h"
#include "tables.h"

#define ENTRIES_S 3 /* 16 entries */
#define INDEX     5u
#define VECTOR    0x42u

#define REMAPPABLE BIT(4)
#define SHV        BIT(3)
#define HANDLE(n)  ((uint64_t)(n) << 5)
/* Entry fields. */
#define P       BIT(0)
#define FPD     BIT(1)
#define LOGICAL BIT(2)
#define LEVEL   BIT(4)
#define MODE(n) ((uint64_t)(n) << 5)
#define POSTED  BIT(15)
#define DEST(n) ((uint64_t)(n) << 32)
#define SVT(n)  ((uint64_t)(n) << 18)
#define SQ(n)   ((uint64_t)(n) << 16)

enum source {
    ANY,
    OWN,
    OTHER_FUNCTION,
    OTHER_TWO,
    OTHER_LOW,
    OTHER_BUS,
    OWN_BUS,
    NOT_OWN_BUS,
    LOWER_BUSES
};

enum interrupt_flag {
    VI_EXTENDED = 1 << 0,   /* x2APIC destinations (EIME) */
    VI_COMPATIBLE = 1 << 1, /* a message in compatibility format */
    VI_CFI = 1 << 2,        /* which may pass */
    VI_TABLE_NOWHERE = 1 << 3,
    VI_SILENT = 1 << 4, /* it is blocked, and not recorded */
    VI_PID = 1 << 5,    /* the entry leads to a posted interrupt descriptor */
    VI_PID_NOWHERE = 1 << 6,
    VI_OFF = 1 << 7,        /* nothing is remapped */
    VI_NO_MESSAGE = 1 << 8, /* all is well, and no processor hears of it */
};

struct message {
    uint16_t flags;
    uint8_t reason;     /* of the fault; 0: it is delivered */
    uint8_t source;     /* what SID of the entry is */
    uint64_t low, high; /* more bits of the entry; P and VECTOR are there */
    uint64_t each_low;  /* each of these bits of the halves by itself */
    uint64_t each_high;
    uint64_t clear;     /* bits of the lower half that are not */
    uint32_t index;     /* of the message, if not that of the entry */
    uint32_t subhandle; /* with SHV; the handle is smaller by as much */
    uint32_t data_high; /* bits 31:16 of its data */
    uint32_t dest;      /* that it is delivered to */
    uint8_t mode;
    bool logical, level;
    uint64_t control; /* of the descriptor, bits 319:256 */
    uint64_t beyond;  /* of the descriptor, bits 383:320 */
    struct vlab_need need;
};

static uint64_t source_id(const struct vlab *v, enum source source)
{
    uint16_t rid = v->rid, bus = rid >> 8;

    switch (source) {
    case ANY: return 0;
    case OWN: return rid;
    case OTHER_FUNCTION: return rid ^ 4;
    case OTHER_TWO: return rid ^ 6;
    case OTHER_LOW: return rid ^ 7;
    case LOWER_BUSES: return bus - 1u;
    case OTHER_BUS: return rid ^ 0x100;
    case OWN_BUS: return (uint64_t)bus << 8 | bus;
    case NOT_OWN_BUS: return (bus + 1ull) << 8 | (bus + 1);
    }
    return 0;
}

static void prepare(struct vlab *v, const struct message *m)
{
    uint64_t entry = VLAB_IRT + INDEX * 16, pid = VLAB_PID;
    uint64_t table = m->flags & VI_TABLE_NOWHERE ? vlab_nowhere(v) : VLAB_IRT;
    uint64_t low = (P | VECTOR << 16 | m->low) & ~m->clear, high = m->high;

    if (m->flags & VI_PID_NOWHERE)
        pid = vlab_nowhere(v);
    if (m->flags & (VI_PID | VI_PID_NOWHERE)) {
        low |= (pid & 0xffffffc0) << 32;
        high |= pid & GENMASK(63, 32);
    }
    vlab_put(v, entry, low);
    vlab_put(v, entry + 8, high | source_id(v, m->source));
    vlab_put(v, VLAB_PID + 32, m->control);
    vlab_put(v, VLAB_PID + 40, m->beyond);
    vlab_set(v, VREG_IRTA, 8, table | ENTRIES_S | (m->flags & VI_EXTENDED ? BIT(11) : 0));
    vlab_command(v, VG_SIRTP, true);
    if (m->flags & VI_CFI)
        vlab_command(v, VG_CFI, true);
    if (!(m->flags & VI_OFF))
        vlab_command(v, VG_IRE, true);
}

static unsigned message_index(const struct message *m)
{
    return m->index ? m->index : INDEX;
}

static void send(struct vlab *v, const struct message *m)
{
    unsigned handle = message_index(m) - m->subhandle;
    bool shv = m->subhandle || m->data_high;
    struct vlab_access access = {.addr = 0xfee00000, .write = true, .data = VECTOR + 1};

    if (!(m->flags & VI_COMPATIBLE)) {
        access.addr |=
            REMAPPABLE | HANDLE(handle & 0x7fff) | (handle >> 15 & 1) << 2 | (shv ? SHV : 0);
        access.data = m->data_high << 16 | m->subhandle;
    }
    vlab_send(v, &access);
}

static void check_blocked(struct vlab *v, const struct message *m)
{
    struct vlab_fault fault;

    if (m->flags & VI_SILENT) {
        t_check(v->t, !vlab_fault(v, &fault), "a fault is recorded");
        return;
    }
    if (!vlab_fault(v, &fault)) {
        t_fail(v->t, "no fault is recorded");
        return;
    }
    t_check(v->t, fault.reason == m->reason, "the fault reason is %02xh, not %02xh", fault.reason,
            m->reason);
    t_check(v->t, (fault.high & 0xffff) == v->rid, "the source is %04x, not %04x",
            (unsigned)(fault.high & 0xffff), v->rid);
    if (!(m->flags & VI_COMPATIBLE) && m->reason != 0x20)
        t_check(v->t, fault.low >> 48 == message_index(m), "the index is %x, not %x",
                (unsigned)(fault.low >> 48), message_index(m));
}

static void check_delivered(struct vlab *v, const struct message *m,
                            const struct machine_interrupt *last)
{
    unsigned vector = m->flags & VI_COMPATIBLE ? VECTOR + 1 : m->flags & VI_PID ? 0x77 : VECTOR;
    struct vlab_fault fault;

    if (vlab_fault(v, &fault))
        t_fail(v->t, "it faults with reason %02xh", fault.reason);
    if (m->flags & VI_NO_MESSAGE)
        return;
    t_check(v->t, last->vector == vector, "the vector is %02xh, not %02xh", last->vector, vector);
    t_check(v->t, last->dest == m->dest, "the destination is %x, not %x", last->dest, m->dest);
    t_check(v->t, last->mode == m->mode && last->logical == m->logical && last->level == m->level,
            "mode %u, logical %u, level %u", last->mode, last->logical, last->level);
}

static void check_posted(struct vlab *v, const struct message *m)
{
    bool suppressed = m->control & 2;

    t_check(v->t, vlab_ram(v, VLAB_PID + VECTOR / 64 * 8) == 1ull << VECTOR % 64,
            "its bit in the descriptor is not the one that is set");
    t_check(v->t, (vlab_ram(v, VLAB_PID + 32) & 1) == !suppressed, "ON is %u",
            (unsigned)vlab_ram(v, VLAB_PID + 32) & 1);
}

static void judge(struct vlab *v, const struct message *m)
{
    bool blocked = m->reason || m->flags & VI_SILENT;
    struct machine_interrupt last;
    uint64_t before, count;

    prepare(v, m);
    before = machine_interrupts(v->lab->machine, &last);
    send(v, m);
    count = machine_interrupts(v->lab->machine, &last) - before;
    t_check(v->t, count == !(blocked || m->flags & VI_NO_MESSAGE), "processors got %u messages",
            (unsigned)count);
    if (blocked)
        check_blocked(v, m);
    else
        check_delivered(v, m, &last);
    if (m->flags & VI_PID && !blocked)
        check_posted(v, m);
}

static void judge_each(struct vlab *v, const struct message *m)
{
    for (unsigned bit = 0; bit < 128 && !t_failed(v->t); bit++) {
        uint64_t mask = bit < 64 ? m->each_low : m->each_high, one = 1ull << bit % 64;
        struct message with = *m;

        if (!(mask & one))
            continue;
        if (bit < 64)
            with.low |= one;
        else
            with.high |= one;
        judge(v, &with);
        vlab_command(v, VG_IRE, false);
        vlab_queue_on(v);
        vlab_queue(v, 4, 0);
        t_check(v->t, vlab_queue_wait(v), "the invalidation does not finish");
        vlab_command(v, VG_QIE, false);
    }
}

static void interrupt(struct conform_ctx *t)
{
    const struct message *m = t->assertion->param;
    struct vlab v;

    if (vlab_open(&v, t, &m->need)) {
        if (m->each_low || m->each_high)
            judge_each(&v, m);
        else
            judge(&v, m);
    }
    vlab_close(&v);
}

/* An entry that has been used is changed, and the change is made known. */
static void invalidated(struct conform_ctx *t)
{
    const struct message m = {0};
    const struct vlab_need need = {.ecap = VECAP_IR | VECAP_QI};
    const uint64_t *descriptor = t->assertion->param;
    struct machine_interrupt last;
    struct vlab v;

    if (vlab_open(&v, t, &need)) {
        prepare(&v, &m);
        vlab_queue_on(&v);
        send(&v, &m);
        vlab_put(&v, VLAB_IRT + INDEX * 16, P | 0x99 << 16);
        vlab_queue(&v, *descriptor, 0);
        t_check(t, vlab_queue_wait(&v), "the invalidation does not finish");
        send(&v, &m);
        machine_interrupts(v.lab->machine, &last);
        t_check(t, last.vector == 0x99, "the vector is %02xh, not 99h", last.vector);
    }
    vlab_close(&v);
}

#define INTR(name, sec, text, ...)                                                                 \
    VTD_ROW("interrupt." name, sec, text, interrupt,                                               \
            &(const struct message){__VA_ARGS__, .need = {.ecap = VECAP_IR}})
#define NEEDS(name, sec, text, caps, ...)                                                          \
    VTD_ROW("interrupt." name, sec, text, interrupt,                                               \
            &(const struct message){__VA_ARGS__, .need = {caps}})
#define EXTENDED .ecap = VECAP_IR | VECAP_EIM
#define POSTS    .cap = VCAP_PI, .ecap = VECAP_IR
#define UNPOSTED .without_cap = VCAP_PI, .ecap = VECAP_IR
#define FAULT_24(name, sec, text, ...)                                                             \
    INTR(name, sec, text " is fault 24h.", .reason = 0x24, __VA_ARGS__)

/* clang-format off */
static const struct conform_assertion rows[] = {
    INTR("fixed", "5.1.2.2", "A message is delivered with the entry's vector and destination.",
         .low = DEST(0x300), .dest = 3),
    INTR("lowest", "9.9", "The entry's delivery mode counts.", .low = MODE(1), .mode = 1),
    INTR("logical", "9.9", "The entry's destination mode counts.", .low = LOGICAL | DEST(0x200),
         .logical = true, .dest = 2),
    INTR("level", "9.9", "The entry's trigger mode counts.", .low = LEVEL, .level = true),
    INTR("nmi", "9.9", "An entry may ask for an NMI.", .low = MODE(4), .mode = 4),
    INTR("available", "9.9", "Bits 11:8 of an entry are software's.", .low = GENMASK(11, 8)),
    INTR("subhandle", "5.1.3", "With SHV the subhandle is added to the handle.", .subhandle = 3),
    NEEDS("extended", "9.9", "With EIME the destination has 32 bits.", EXTENDED,
          .flags = VI_EXTENDED, .low = DEST(0x12345), .dest = 0x12345),
    INTR("off", "5.1.4", "While remapping is off a message passes as it is.",
         .flags = VI_OFF | VI_COMPATIBLE),
    INTR("compatible", "5.1.4", "A compatibility format message passes with CFI.",
         .flags = VI_COMPATIBLE | VI_CFI),
    INTR("source.all", "9.9", "SVT 01b and SQ 00b: the source itself passes.", .source = OWN,
         .high = SVT(1)),
    INTR("source.quarter", "9.9", "SQ 01b leaves the function's highest bit out.",
         .source = OTHER_FUNCTION, .high = SVT(1) | SQ(1)),
    INTR("source.half", "9.9", "SQ 10b leaves the function's two highest bits out.",
         .source = OTHER_TWO, .high = SVT(1) | SQ(2)),
    INTR("source.low", "9.9", "SQ 11b leaves the function out.", .source = OTHER_LOW,
         .high = SVT(1) | SQ(3)),
    INTR("source.bus", "9.9", "SVT 10b: a source of the range of buses passes.", .source = OWN_BUS,
         .high = SVT(2)),
    INTR("source.off", "9.9", "SVT 00b: anybody passes.", .source = OTHER_BUS),

    INTR("fault.data", "5.1.2.2", "Data beyond 16 bits with SHV is fault 20h.", .reason = 0x20,
         .subhandle = 1, .data_high = 1),
    INTR("fault.index", "5.1.3", "An index beyond the table is fault 21h.", .reason = 0x21,
         .index = 16),
    INTR("fault.index_large", "5.1.3", "... also with bit 15 of the handle.", .reason = 0x21,
         .index = 0x8005),
    INTR("fault.index_sub", "5.1.3", "... also by its subhandle.", .reason = 0x21, .index = 18,
         .subhandle = 4),
    INTR("fault.absent", "9.9", "An entry that is not present is fault 22h.", .reason = 0x22,
         .clear = P),
    INTR("fault.absent_reserved", "9.9", "... whatever its reserved bits are.", .reason = 0x22,
         .clear = P, .high = BIT(40)),
    INTR("fault.unreadable", "5.1.3", "A table that cannot be read is fault 23h.", .reason = 0x23,
         .flags = VI_TABLE_NOWHERE),
    FAULT_24("fault.reserved", "9.9", "Any of bits 31:24 and 14:12 of an entry",
             .each_low = GENMASK(31, 24) | GENMASK(14, 12)),
    FAULT_24("fault.reserved_high", "9.9", "Any of bits 127:84 of an entry",
             .each_high = GENMASK(63, 20)),
    FAULT_24("fault.dest", "9.9", "A destination beyond xAPIC's 8 bits", .low = DEST(0x10000)),
    FAULT_24("fault.dest_low", "9.9", "... below them", .low = DEST(1)),
    FAULT_24("fault.mode", "9.9", "Delivery mode 011b", .low = MODE(3)),
    FAULT_24("fault.mode_6", "9.9", "Delivery mode 110b", .low = MODE(6)),
    FAULT_24("fault.svt", "9.9", "SVT 11b", .high = SVT(3)),
    NEEDS("fault.posted_none", "9.9", "A posted entry without posted interrupts is fault 24h.",
          UNPOSTED, .reason = 0x24,
          .low = POSTED),
    INTR("fault.compatible", "5.1.4", "A compatibility format message without CFI is fault 25h.",
         .reason = 0x25, .flags = VI_COMPATIBLE),
    NEEDS("fault.compatible_extended", "5.1.4", "... with EIME also with CFI.", EXTENDED,
          .reason = 0x25, .flags = VI_COMPATIBLE | VI_CFI | VI_EXTENDED),
    INTR("fault.source", "9.9", "Another source than SID with SVT 01b is fault 26h.",
         .reason = 0x26, .source = OTHER_BUS, .high = SVT(1)),
    INTR("fault.source_function", "9.9", "... also by its function alone.", .reason = 0x26,
         .source = OTHER_FUNCTION, .high = SVT(1)),
    INTR("fault.source_low", "9.9", "... with SQ 01b by the lower bits of it.", .reason = 0x26,
         .source = OTHER_LOW, .high = SVT(1) | SQ(1)),
    INTR("fault.source_sq2", "9.9", "... with SQ 10b by the lowest bit.", .reason = 0x26,
         .source = OTHER_LOW, .high = SVT(1) | SQ(2)),
    INTR("fault.source_sq3", "9.9", "... with SQ 11b by the bus.", .reason = 0x26,
         .source = OTHER_BUS, .high = SVT(1) | SQ(3)),
    INTR("fault.bus", "9.9", "A source outside the buses with SVT 10b is fault 26h.",
         .reason = 0x26, .source = NOT_OWN_BUS, .high = SVT(2)),
    INTR("fault.bus_below", "9.9", "... also where all of the buses are below its own.",
         .reason = 0x26, .source = LOWER_BUSES, .high = SVT(2)),
    INTR("fault.disabled", "9.9", "FPD keeps an entry's faults from being recorded.",
         .flags = VI_SILENT, .low = FPD | BIT(12)),

    NEEDS("posted", "9.10", "A posted entry sets its bit and ON, and sends the notification.",
          POSTS, .flags = VI_PID, .low = POSTED, .control = 0x77 << 16 | DEST(0x100), .dest = 1),
    NEEDS("posted.on", "9.11", "While ON is set no other notification is sent.", POSTS,
          .flags = VI_PID | VI_NO_MESSAGE, .low = POSTED, .control = 0x77 << 16 | 1),
    NEEDS("posted.suppressed", "9.11", "While SN is set none is sent, and ON stays 0.", POSTS,
          .flags = VI_PID | VI_NO_MESSAGE, .low = POSTED, .control = 0x77 << 16 | 2),
    NEEDS("posted.fault.reserved", "9.10",
          "Any of bits 37:24, 13:12 and 7:2 of a posted entry is fault 24h.", POSTS,
          .flags = VI_PID, .low = POSTED, .reason = 0x24,
          .each_low = GENMASK(37, 24) | GENMASK(13, 12) | GENMASK(7, 2)),
    NEEDS("posted.fault.reserved_high", "9.10", "Any of bits 95:84 of a posted entry is fault 24h.",
          POSTS, .flags = VI_PID, .low = POSTED, .reason = 0x24, .each_high = GENMASK(31, 20)),
    NEEDS("posted.fault.source", "9.10", "A posted entry checks the source: fault 26h.", POSTS,
          .flags = VI_PID, .low = POSTED, .source = OTHER_BUS, .high = SVT(1), .reason = 0x26),
    NEEDS("posted.fault.unreadable", "9.11", "A descriptor that cannot be reached is fault 27h.",
          POSTS, .flags = VI_PID_NOWHERE, .low = POSTED, .reason = 0x27),
    NEEDS("posted.fault.descriptor", "9.11", "Bit 258 of a descriptor is fault 28h.", POSTS,
          .flags = VI_PID, .low = POSTED, .control = BIT(2), .reason = 0x28),
    NEEDS("posted.fault.descriptor_high", "9.11", "Bit 320 of a descriptor is fault 28h.", POSTS,
          .flags = VI_PID, .low = POSTED, .beyond = 1, .reason = 0x28),
    VTD_ROW("interrupt.invalidated.all", "6.5.2.7",
            "A global interrupt entry cache invalidation makes entries be read anew.", invalidated,
            &(const uint64_t){4}),
    VTD_ROW("interrupt.invalidated.index", "6.5.2.7", "... one of the index does.", invalidated,
            &(const uint64_t){4 | 1 << 4 | (uint64_t)INDEX << 32}),
    VTD_ROW("interrupt.invalidated.range", "6.5.2.7", "... one of a range of them does.",
            invalidated, &(const uint64_t){4 | 1 << 4 | 2 << 27 | 4ull << 32}),
};
/* clang-format on */

ASSERTION_TABLE(assertions_vtd_interrupts, rows);
