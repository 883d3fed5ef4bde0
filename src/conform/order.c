/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ordering (PCIe Base 6.0, 2.4.1, table 2-42): for each entry, whether the later TLP arrives while
 * the earlier one has no credits. Entries that leave it open are not judged by who is first.
 */
#include <string.h>

#include "bench.h"
#include "lab.h"
#include "pcilab/platform/probe.h"
#include "tables.h"

enum verdict { MUST, MUST_NOT, MAY };

struct ordered {
    enum tlp_type type;
    unsigned dw;
    uint8_t attr;
    uint16_t requester, completer, tag; /* requester 0: ID */
    uint32_t pasid;                     /* 0: none */
};

struct pair {
    struct ordered earlier, later;
    enum verdict verdict;
};

#define ID       0x0100u
#define OTHER_ID 0x0200u
#define LONG_US  200u
enum { FILLER, EARLIER, LATER };

static enum link_flow flow_of(enum tlp_type type)
{
    if (type >= TLP_CPL)
        return LINK_COMPLETION;
    return type == TLP_MWR || type == TLP_MSG || type == TLP_MSGD ? LINK_POSTED : LINK_NON_POSTED;
}

static struct tlp *make(struct bench *b, const struct ordered *what, unsigned dw, uint32_t id)
{
    struct tlp *tlp = bench_tlp(b, what->type, dw, id);

    if (what->type == TLP_MSG) {
        tlp->msg_code = TLP_MSG_VENDOR_1;
        tlp->msg_routing = TLP_MSG_TO_RC;
    }
    tlp->attr = what->attr;
    tlp->requester.v = what->requester ? what->requester : ID;
    tlp->completer.v = what->completer;
    tlp->tag = what->tag;
    if (what->pasid)
        tlp_add_prefix(tlp, (uint32_t)TLP_PREFIX_PASID << 24 | what->pasid);
    return tlp;
}

/*
 * The filler leaves too little room for the earlier one. Where TLPs of its kind have data there is
 * a header credit, and data enough for the later one, so that nothing but the rule holds it back.
 */
static struct bench *blocked(struct conform_ctx *t, const struct pair *pair)
{
    enum tlp_type type = pair->earlier.type;
    bool by_data = type == TLP_MWR || type == TLP_CPLD;
    struct ordered filler = {.type = type, .tag = 0x55};
    struct link_params params = link_default_params;
    struct bench *b;

    params.rx[0][flow_of(type)] =
        by_data ? (struct link_credits){64, 8} : (struct link_credits){1, 64};
    b = bench_new(t, &params);
    if (!b)
        return NULL;
    b->upper.keep[flow_of(type)] = true;
    bench_send(&b->lower, make(b, &filler, by_data ? 24 : pair->earlier.dw, FILLER));
    bench_run_us(b, 10);
    bench_send(&b->lower, make(b, &pair->earlier, by_data ? 16 : pair->earlier.dw, EARLIER));
    bench_run_us(b, 10);
    t_check(t, bench_place(&b->upper, FILLER) == 0 && bench_place(&b->upper, EARLIER) < 0,
            "the first one is not held back");
    bench_send(&b->lower, make(b, &pair->later, pair->later.dw, LATER));
    bench_run_us(b, LONG_US);
    return b;
}

static void passing(struct conform_ctx *t)
{
    const struct pair *pair = t->assertion->param;
    struct bench *b = blocked(t, pair);
    bool passed;

    if (!b)
        return;
    passed = bench_place(&b->upper, LATER) >= 0;
    t_check(t, pair->verdict != MUST || passed, "it waits behind the one without credits");
    bench_let_go(&b->upper);
    bench_run_us(b, LONG_US);
    t_check(t,
            b->upper.seen->len == 3 && bench_place(&b->upper, EARLIER) > 0 &&
                bench_place(&b->upper, LATER) > 0,
            "%u TLPs arrived in the end, not 3", b->upper.seen->len);
    t_check(t,
            pair->verdict != MUST_NOT ||
                bench_place(&b->upper, LATER) > bench_place(&b->upper, EARLIER),
            "it passed");
    bench_free(b);
}

/* Through a switch whose way up has no credits of a kind. */
static bool below_switch(struct conform_ctx *t, struct lab *lab)
{
    if (!strchr(lab->above, '.'))
        t_skip(t, "the topology has no exerciser below a switch");
    return strchr(lab->above, '.') != NULL;
}

static void close_way_up(struct lab *lab, enum link_flow flow)
{
    struct port *root = machine_port(lab->machine, lab->root);

    lab_run_us(lab, 100);
    lab_take_credits(root, flow);
}

#define MARK 0x600df00du

static void emit_write(struct lab *lab)
{
    struct tlp *tlp = lab_tlp(lab, TLP_MWR, 1);

    tlp_set_span(tlp, LAB_RAM, 4);
    memcpy(tlp->data, &(const uint32_t){MARK}, 4);
    lab_send_up(lab, tlp);
}

static bool write_arrived(struct lab *lab)
{
    uint32_t value = 0;

    machine_board_read(lab->machine, LAB_RAM, &value, 4);
    return value == MARK;
}

static void start_read(struct lab *lab)
{
    unsigned base = EXERCISER_CHANNEL(0);

    lab_ex_set(lab, lab->ex, base + EXERCISER_CH_ADDR, 8, LAB_RAM + 64);
    lab_ex_set(lab, lab->ex, base + EXERCISER_CH_LEN, 4, 4);
    lab_ex_set(lab, lab->ex, base + EXERCISER_CH_COMMAND, 4, EXERCISER_READ);
    lab_run_us(lab, 20);
}

static bool read_is_over(struct lab *lab)
{
    return !(lab_ex_get(lab, lab->ex, EXERCISER_CHANNEL(0) + EXERCISER_CH_STATUS, 4) &
             EXERCISER_STATUS_BUSY);
}

/* The host's read ends as a timeout: its completion is behind the write. */
LAB_WITH(switch_completion_waits, lab_new_timed(t, NULL))
{
    uint64_t value;

    if (!below_switch(t, lab))
        return;
    close_way_up(lab, LINK_POSTED);
    emit_write(lab);
    t_check(t, !write_arrived(lab), "the write is not held back");
    lab_read(lab, lab_bar(lab, lab->ex, 0), 4, &value);
    t_check(t, (uint32_t)value != EXERCISER_MAGIC_VALUE, "a completion passed a posted write");
}

LAB_WITH(switch_write_passes, lab_new_timed(t, NULL))
{
    if (!below_switch(t, lab))
        return;
    close_way_up(lab, LINK_NON_POSTED);
    start_read(lab);
    t_check(t, !read_is_over(lab), "the read is not held back");
    emit_write(lab);
    t_check(t, write_arrived(lab), "a posted write waits behind a read without credits");
}

LAB_WITH(switch_completion_passes, lab_new_timed(t, NULL))
{
    if (!below_switch(t, lab))
        return;
    close_way_up(lab, LINK_NON_POSTED);
    start_read(lab);
    t_check(t, lab_ex_get(lab, lab->ex, EXERCISER_MAGIC, 4) == EXERCISER_MAGIC_VALUE,
            "a completion waits behind a read without credits");
}

/* What is read last was written last: 4 KiB, and then the status that says so. */
LAB_WITH(read_pushes, lab_new_timed(t, NULL))
{
    struct lab_dma dma = {.command = EXERCISER_FILL, .len = 4096, .pattern = 1, .step = 1};
    uint32_t value = 0;

    t_check(t, lab_dma(lab, lab->ex, &dma) == 0, "the fill failed");
    dma = (struct lab_dma){.command = EXERCISER_WRITE, .addr = LAB_RAM, .len = 4096};
    t_check(t, lab_dma(lab, lab->ex, &dma) == 0, "the write failed");
    machine_board_read(lab->machine, LAB_RAM + 4092, &value, 4);
    t_check(t, value == 1024, "the last doubleword is %08x when the status says done", value);
}

#define PAIR(...)              (&(const struct pair){__VA_ARGS__})
#define ORDER(i, sec, p, text) BEHAVIOUR("ordering." i, "ordering", sec, passing, p, text)
#define T(type, dw, ...)                                                                           \
    {                                                                                              \
        TLP_##type, dw, ##__VA_ARGS__                                                              \
    }
#define RO  TLP_ATTR_RELAXED
#define IDO TLP_ATTR_IDO
#define NS  TLP_ATTR_NO_SNOOP

static const struct conform_assertion rows[] = {
    /* Column 2: after a posted request. Rows A, B, C, D. */
    ORDER("a2.write_write", "2.4.1", PAIR(T(MWR, 1), T(MWR, 1), MUST_NOT),
          "A2a: a memory write does not pass a memory write."),
    ORDER("a2.message_write", "2.4.1", PAIR(T(MWR, 1), T(MSG, 0), MUST_NOT),
          "A2a: a message does not pass a memory write."),
    ORDER("a2.write_message", "2.4.1", PAIR(T(MSG, 0), T(MWR, 1), MUST_NOT),
          "A2a: a memory write does not pass a message."),
    ORDER("a2.message_message", "2.4.1", PAIR(T(MSG, 0), T(MSG, 0), MUST_NOT),
          "A2a: a message does not pass a message."),
    ORDER("a2.relaxed_earlier", "2.4.1", PAIR(T(MWR, 1, RO), T(MWR, 1), MUST_NOT),
          "A2a: Relaxed Ordering of the earlier write lets no later one pass."),
    ORDER("a2.no_snoop", "2.4.1", PAIR(T(MWR, 1), T(MWR, 1, NS), MUST_NOT),
          "No Snoop lets no write pass another."),
    ORDER("a2.ido_same", "2.4.1", PAIR(T(MWR, 1), T(MWR, 1, IDO), MUST_NOT),
          "A2b: ID-based Ordering lets no write pass one of the same requester."),
    ORDER("a2.ido_message", "2.4.1", PAIR(T(MWR, 1), T(MSG, 0, IDO), MUST_NOT),
          "A2b: ID-based Ordering lets no message pass a write of the same requester."),
    ORDER("b2.read_write", "2.4.1", PAIR(T(MWR, 1), T(MRD, 0), MUST_NOT),
          "B2a: a memory read does not pass a memory write."),
    ORDER("b2.config_write", "2.4.1", PAIR(T(MWR, 1), T(CFGRD0, 0), MUST_NOT),
          "B2a: a configuration read does not pass a memory write."),
    ORDER("b2.io_write", "2.4.1", PAIR(T(MWR, 1), T(IORD, 0), MUST_NOT),
          "B2a: an I/O read does not pass a memory write."),
    ORDER("b2.read_message", "2.4.1", PAIR(T(MSG, 0), T(MRD, 0), MUST_NOT),
          "B2a: a memory read does not pass a message."),
    ORDER("b2.relaxed", "2.4.1", PAIR(T(MWR, 1), T(MRD, 0, RO), MUST_NOT),
          "B2a: Relaxed Ordering lets no read pass a posted request."),
    ORDER("b2.ido_same", "2.4.1", PAIR(T(MWR, 1), T(MRD, 0, IDO), MUST_NOT),
          "B2b: ID-based Ordering lets no read pass a write of the same requester."),
    ORDER("c2.io_write", "2.4.1", PAIR(T(MWR, 1), T(IOWR, 1), MUST_NOT),
          "C2a: an I/O write does not pass a memory write."),
    ORDER("c2.config_write", "2.4.1", PAIR(T(MWR, 1), T(CFGWR0, 1), MUST_NOT),
          "C2a: a configuration write does not pass a memory write."),
    ORDER("c2.atomic_write", "2.4.1", PAIR(T(MWR, 1), T(FETCHADD, 1), MUST_NOT),
          "C2a: an AtomicOp does not pass a memory write."),
    ORDER("c2.dmwr_write", "2.4.1", PAIR(T(MWR, 1), T(DMWR, 1), MUST_NOT),
          "C2a: a Deferrable Memory Write does not pass a memory write."),
    ORDER("c2.atomic_message", "2.4.1", PAIR(T(MSG, 0), T(FETCHADD, 1), MUST_NOT),
          "C2a: an AtomicOp does not pass a message."),
    ORDER("c2.ido_same", "2.4.1", PAIR(T(MWR, 1), T(FETCHADD, 1, IDO), MUST_NOT),
          "C2b: ID-based Ordering lets no AtomicOp pass a write of the same requester."),
    ORDER("d2.data_write", "2.4.1", PAIR(T(MWR, 1), T(CPLD, 1), MUST_NOT),
          "D2a: a completion with data does not pass a memory write."),
    ORDER("d2.none_write", "2.4.1", PAIR(T(MWR, 1), T(CPL, 0), MUST_NOT),
          "D2a: a completion without data of a request that is not known does not pass a write."),
    ORDER("d2.data_message", "2.4.1", PAIR(T(MSG, 0), T(CPLD, 1), MUST_NOT),
          "D2a: a completion with data does not pass a message."),
    ORDER("d2.ido_same", "2.4.1", PAIR(T(MWR, 1), T(CPLD, 1, IDO, OTHER_ID, ID), MUST_NOT),
          "D2b: ID-based Ordering lets no completion pass a write of its completer."),
    ORDER("a2.ido_pasid", "2.4.1",
          PAIR(T(MWR, 1, 0, 0, 0, 0, 5), T(MSG, 0, IDO, 0, 0, 0, 5), MUST_NOT),
          "A2b: ID-based Ordering lets no message pass a write of the same PASID."),
    ORDER("b2.ido_pasid", "2.4.1",
          PAIR(T(MWR, 1, 0, 0, 0, 0, 5), T(MRD, 0, IDO, 0, 0, 0, 5), MUST_NOT),
          "B2b: ID-based Ordering lets no read pass a write of the same PASID."),
    ORDER("b2.ido_no_pasid", "2.4.1", PAIR(T(MWR, 1), T(MRD, 0, IDO, 0, 0, 0, 5), MUST_NOT),
          "B2b: nor one of the same requester that has no PASID."),
    ORDER("b2.pasid_no_ido", "2.4.1",
          PAIR(T(MWR, 1, 0, 0, 0, 0, 5), T(MRD, 0, 0, 0, 0, 0, 6), MUST_NOT),
          "B2b: another PASID lets no read pass a write without ID-based Ordering."),
    ORDER("c2.ido_pasid", "2.4.1",
          PAIR(T(MWR, 1, 0, 0, 0, 0, 5), T(FETCHADD, 1, IDO, 0, 0, 0, 5), MUST_NOT),
          "C2b: ID-based Ordering lets no AtomicOp pass a write of the same PASID."),
    /* Columns 3 and 4: after a non-posted request. */
    ORDER("a3.write_read", "2.4.1", PAIR(T(MRD, 0), T(MWR, 1), MUST),
          "A3: a memory write passes a memory read without credits."),
    ORDER("a3.message_read", "2.4.1", PAIR(T(MRD, 0), T(MSG, 0), MUST),
          "A3: a message passes a memory read without credits."),
    ORDER("a3.write_config", "2.4.1", PAIR(T(CFGRD0, 0), T(MWR, 1), MUST),
          "A3: a memory write passes a configuration read without credits."),
    ORDER("a3.write_io", "2.4.1", PAIR(T(IORD, 0), T(MWR, 1), MUST),
          "A3: a memory write passes an I/O read without credits."),
    ORDER("a4.write_io", "2.4.1", PAIR(T(IOWR, 1), T(MWR, 1), MUST),
          "A4: a memory write passes an I/O write without credits."),
    ORDER("a4.write_config", "2.4.1", PAIR(T(CFGWR0, 1), T(MWR, 1), MUST),
          "A4: a memory write passes a configuration write without credits."),
    ORDER("a4.write_atomic", "2.4.1", PAIR(T(FETCHADD, 1), T(MWR, 1), MUST),
          "A4: a memory write passes an AtomicOp without credits."),
    ORDER("a4.write_dmwr", "2.4.1", PAIR(T(DMWR, 4), T(MWR, 1), MUST),
          "A4: a memory write passes a Deferrable Memory Write without credits."),
    ORDER("a4.message_atomic", "2.4.1", PAIR(T(FETCHADD, 1), T(MSG, 0), MUST),
          "A4: a message passes an AtomicOp without credits."),
    ORDER("d3.data_read", "2.4.1", PAIR(T(MRD, 0), T(CPLD, 1), MUST),
          "D3: a completion with data passes a memory read without credits."),
    ORDER("d3.none_read", "2.4.1", PAIR(T(MRD, 0), T(CPL, 0), MUST),
          "D3: a completion without data passes a memory read without credits."),
    ORDER("d3.data_config", "2.4.1", PAIR(T(CFGRD0, 0), T(CPLD, 1), MUST),
          "D3: a completion passes a configuration read without credits."),
    ORDER("d4.data_io", "2.4.1", PAIR(T(IOWR, 1), T(CPLD, 1), MUST),
          "D4: a completion passes an I/O write without credits."),
    ORDER("d4.data_atomic", "2.4.1", PAIR(T(FETCHADD, 1), T(CPLD, 1), MUST),
          "D4: a completion passes an AtomicOp without credits."),
    ORDER("d4.data_dmwr", "2.4.1", PAIR(T(DMWR, 4), T(CPLD, 1), MUST),
          "D4: a completion passes a Deferrable Memory Write without credits."),
    /* Column 5: after a completion. */
    ORDER("d5.same", "2.4.1",
          PAIR(T(CPLD, 1, 0, ID, OTHER_ID, 9), T(CPLD, 1, 0, ID, OTHER_ID, 9), MUST_NOT),
          "D5b: completions of one request do not pass each other."),
    ORDER("d5.same_relaxed", "2.4.1",
          PAIR(T(CPLD, 1, RO, ID, OTHER_ID, 9), T(CPLD, 1, RO, ID, OTHER_ID, 9), MUST_NOT),
          "D5b: nor with Relaxed Ordering."),
    /* Left open: whoever is first, each arrives once. */
    ORDER("may.relaxed_write", "2.4.1", PAIR(T(MWR, 1), T(MWR, 1, RO), MAY),
          "A2b: a relaxed write may pass another or not; both arrive once."),
    ORDER("may.ido_write", "2.4.1", PAIR(T(MWR, 1), T(MWR, 1, IDO, OTHER_ID), MAY),
          "A2b: a write may pass one of another requester by its ID or not; both arrive once."),
    ORDER("may.ido_read", "2.4.1", PAIR(T(MWR, 1), T(MRD, 0, IDO, OTHER_ID), MAY),
          "B2b: a read may pass a write of another requester by its ID or not; both arrive once."),
    ORDER("may.relaxed_atomic", "2.4.1", PAIR(T(MWR, 1), T(FETCHADD, 1, RO), MAY),
          "C2b: a relaxed AtomicOp may pass a write or not; both arrive once."),
    ORDER("may.relaxed_completion", "2.4.1", PAIR(T(MWR, 1), T(CPLD, 1, RO), MAY),
          "D2b: a relaxed completion may pass a write or not; both arrive once."),
    ORDER("may.ido_completion", "2.4.1", PAIR(T(MWR, 1), T(CPLD, 1, IDO, OTHER_ID, OTHER_ID), MAY),
          "D2b: a completion may pass a write of another ID or not; both arrive once."),
    ORDER("may.read_read", "2.4.1", PAIR(T(MRD, 0), T(MRD, 0), MAY),
          "B3: a read may pass a read or not; both arrive once."),
    ORDER("may.write_completion", "2.4.1", PAIR(T(CPLD, 1), T(MWR, 1), MAY),
          "A5a: a write may pass a completion or not; both arrive once."),
    ORDER("may.read_completion", "2.4.1", PAIR(T(CPLD, 1), T(MRD, 0), MAY),
          "B5: a read may pass a completion or not; both arrive once."),
    ORDER("may.completions", "2.4.1",
          PAIR(T(CPLD, 1, 0, ID, OTHER_ID, 9), T(CPLD, 1, 0, ID, OTHER_ID, 8), MAY),
          "D5a: completions of two requests may pass each other or not; both arrive once."),
    BEHAVIOUR("ordering.switch.d2", "ordering", "2.4.1", switch_completion_waits, NULL,
              "In a switch a completion waits behind a posted write without credits."),
    BEHAVIOUR("ordering.switch.a3", "ordering", "2.4.1", switch_write_passes, NULL,
              "In a switch a posted write passes a read without credits."),
    BEHAVIOUR("ordering.switch.d3", "ordering", "2.4.1", switch_completion_passes, NULL,
              "In a switch a completion passes a read without credits."),
    BEHAVIOUR("ordering.read_pushes", "ordering", "2.4.1", read_pushes, NULL,
              "When a device's status can be read what it wrote before is in memory."),
};

ASSERTION_TABLE(assertions_order, rows);
