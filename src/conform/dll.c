/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The data link layer (PCIe Base 6.0, chapter 3), in non-Flit Mode, on the bench. */
#include "bench.h"
#include "tables.h"

#define LONG_US 200u

/* REPLAY_TIMER without Extended Synch, in symbol times (3.6.2.1). */
#define REPLAY_LEAST_SYMBOLS 24000u
#define REPLAY_MOST_SYMBOLS  31000u

static void send_and_run(struct bench *b, unsigned count)
{
    bench_write(&b->lower, count, 4, 0);
    bench_run_us(b, LONG_US);
}

BENCH_PROCEDURE(first_number)
{
    const struct bench_dllp *ack;

    send_and_run(b, 1);
    ack = bench_first(b, &b->upper, TRACE_DLLP_ACK);
    t_check(t, ack && ack->arg[0] == 0, "the first Ack is for %d", ack ? (int)ack->arg[0] : -1);
}

BENCH_PROCEDURE(last_number)
{
    const struct bench_dllp *ack;

    send_and_run(b, 37);
    bench_check_exact(&b->upper, 37);
    ack = bench_last(b, &b->upper, TRACE_DLLP_ACK);
    t_check(t, ack && ack->arg[0] == 36, "the last Ack is for %d", ack ? (int)ack->arg[0] : -1);
}

BENCH_PROCEDURE(numbers_wrap)
{
    const struct bench_dllp *ack;

    bench_write(&b->lower, 4100, 1, 0);
    bench_run_us(b, 1000);
    bench_check_exact(&b->upper, 4100);
    ack = bench_last(b, &b->upper, TRACE_DLLP_ACK);
    t_check(t, ack && ack->arg[0] == 3, "the last Ack is for %d", ack ? (int)ack->arg[0] : -1);
}

/* A good link that is never idle for long needs no replay: every Ack comes before the timer. */
BENCH_PROCEDURE(ack_in_time)
{
    for (unsigned i = 0; i < 20; i++) {
        bench_write(&b->lower, 1, 32, i);
        bench_run_us(b, 7 * i % 90);
    }
    bench_run_us(b, LONG_US);
    bench_check_exact(&b->upper, 20);
    t_check(t, !bench_dllps(b, &b->lower, TRACE_REPLAY), "TLPs were sent again");
    t_check(t, !b->lower.errors[LINK_ERROR_REPLAY_TIMEOUT], "REPLAY_TIMER expired");
}

BENCH_PROCEDURE(bad_tlp)
{
    const struct bench_dllp *nak;

    bench_fault(&b->lower, LINK_FAULT_CORRUPT_TLP, 4, 1);
    send_and_run(b, 10);
    bench_check_exact(&b->upper, 10);
    t_check(t, b->upper.errors[LINK_ERROR_BAD_TLP] > 0, "no Bad TLP was reported");
    nak = bench_first(b, &b->upper, TRACE_DLLP_NAK);
    t_check(t, nak && nak->arg[0] == 3, "the Nak is for %d, not 3", nak ? (int)nak->arg[0] : -1);
}

BENCH_PROCEDURE(first_bad)
{
    const struct bench_dllp *nak;

    bench_fault(&b->lower, LINK_FAULT_CORRUPT_TLP, 0, 1);
    send_and_run(b, 3);
    bench_check_exact(&b->upper, 3);
    nak = bench_first(b, &b->upper, TRACE_DLLP_NAK);
    t_check(t, nak && nak->arg[0] == 4095, "the Nak is for %d, not 4095",
            nak ? (int)nak->arg[0] : -1);
}

/* Those behind a bad one are out of sequence, too; one Nak is enough. */
BENCH_PROCEDURE(one_nak)
{
    bench_fault(&b->lower, LINK_FAULT_CORRUPT_TLP, 0, 1);
    send_and_run(b, 12);
    bench_check_exact(&b->upper, 12);
    t_check(t, bench_dllps(b, &b->upper, TRACE_DLLP_NAK) == 1, "%u Naks",
            bench_dllps(b, &b->upper, TRACE_DLLP_NAK));
}

BENCH_PROCEDURE(out_of_sequence)
{
    bench_fault(&b->lower, LINK_FAULT_DROP_TLP, 2, 1);
    send_and_run(b, 8);
    bench_check_exact(&b->upper, 8);
    t_check(t, b->upper.errors[LINK_ERROR_BAD_TLP] > 0, "no Bad TLP was reported");
    t_check(t, bench_dllps(b, &b->upper, TRACE_DLLP_NAK) == 1, "%u Naks",
            bench_dllps(b, &b->upper, TRACE_DLLP_NAK));
    t_check(t, !b->lower.errors[LINK_ERROR_REPLAY_TIMEOUT], "it took a timeout");
}

/* From the oldest one that is not acknowledged, all of them, in order. */
BENCH_PROCEDURE(replay_all)
{
    unsigned next = 3;

    bench_fault(&b->lower, LINK_FAULT_CORRUPT_TLP, 3, 1);
    send_and_run(b, 9);
    bench_check_exact(&b->upper, 9);
    for (unsigned i = 0; i < b->dllps->len; i++) {
        const struct bench_dllp *sent = &g_array_index(b->dllps, struct bench_dllp, i);

        if (sent->point != TRACE_RESENT)
            continue;
        t_check(t, sent->arg[0] == next, "%u was sent again, not %u", (unsigned)sent->arg[0], next);
        next++;
    }
    t_check(t, next > 4, "nothing behind the bad one was sent again");
}

/* It acknowledges what came before: that is not sent again. */
BENCH_PROCEDURE(nak_acknowledges)
{
    const struct bench_dllp *sent;

    bench_fault(&b->lower, LINK_FAULT_CORRUPT_TLP, 5, 1);
    send_and_run(b, 6);
    sent = bench_first(b, &b->lower, TRACE_RESENT);
    t_check(t, sent && sent->arg[0] == 5, "%d was sent again first, not 5",
            sent ? (int)sent->arg[0] : -1);
}

/* What is lost without a trace, as nothing follows it. */
BENCH_PROCEDURE(timer)
{
    const struct bench_dllp *replay;
    uint64_t begin, took;

    bench_run_us(b, 10);
    begin = b->sim.now_ps;
    bench_fault(&b->lower, LINK_FAULT_DROP_TLP, 0, 1);
    send_and_run(b, 1);
    bench_check_exact(&b->upper, 1);
    t_check(t, b->lower.errors[LINK_ERROR_REPLAY_TIMEOUT] == 1, "%u timeouts were reported",
            b->lower.errors[LINK_ERROR_REPLAY_TIMEOUT]);
    replay = bench_first(b, &b->lower, TRACE_REPLAY);
    t_check(t, replay != NULL, "there was no replay");
    if (!replay)
        return;
    took = replay->time_ps - begin;
    /* And what it takes to send one TLP. */
    t_check(t,
            took >= REPLAY_LEAST_SYMBOLS * BENCH_SYMBOL_PS &&
                took <= REPLAY_MOST_SYMBOLS * BENCH_SYMBOL_PS + PS_PER_US,
            "after %u ns", (unsigned)(took / PS_PER_NS));
}

/* The Ack is lost: the TLP comes again, and is a duplicate. */
BENCH_PROCEDURE(lost_ack)
{
    struct link_counters counters;

    bench_fault(&b->upper, LINK_FAULT_DROP_DLLP, 0, 2);
    send_and_run(b, 1);
    bench_check_exact(&b->upper, 1);
    t_check(t, port_link_counters(&b->lower.port, &counters) && counters.replays == 1, "%u replays",
            (unsigned)counters.replays);
    t_check(t, counters.duplicates == 1, "%u duplicates", (unsigned)counters.duplicates);
    bench_forget(b);
    bench_run_us(b, 1000);
    t_check(t, !bench_dllps(b, &b->lower, TRACE_REPLAY), "it is sent again and again");
}

BENCH_PROCEDURE(duplicate)
{
    bench_fault(&b->lower, LINK_FAULT_DUPLICATE_TLP, 0, 3);
    send_and_run(b, 5);
    bench_check_exact(&b->upper, 5);
    t_check(t, !b->upper.errors[LINK_ERROR_BAD_TLP], "a duplicate was reported as Bad TLP");
    t_check(t, !bench_dllps(b, &b->upper, TRACE_DLLP_NAK), "a duplicate was answered with Nak");
}

BENCH_PROCEDURE(duplicate_ack)
{
    bench_fault(&b->lower, LINK_FAULT_DUPLICATE_TLP, 0, 1);
    bench_write(&b->lower, 1, 32, 0);
    /* Before the first one's Ack, which may wait, is due. */
    bench_run_us(b, 1);
    t_check(t, bench_dllps(b, &b->upper, TRACE_DLLP_ACK) > 0, "no Ack was scheduled");
}

static void failing(struct bench *b, unsigned after, unsigned times)
{
    bench_fault(&b->lower, LINK_FAULT_CORRUPT_TLP, after, times);
}

BENCH_PROCEDURE(rollover)
{
    failing(b, 0, 4);
    send_and_run(b, 1);
    bench_check_exact(&b->upper, 1);
    t_check(t, b->lower.errors[LINK_ERROR_REPLAY_ROLLOVER] == 1, "%u rollovers",
            b->lower.errors[LINK_ERROR_REPLAY_ROLLOVER]);
    t_check(t, b->upper.trainings == 1, "the link was retrained %u times", b->upper.trainings);
    t_check(t, !b->upper.downs, "the link went down");
}

BENCH_PROCEDURE(no_rollover)
{
    failing(b, 0, 3);
    send_and_run(b, 1);
    bench_check_exact(&b->upper, 1);
    t_check(t, !b->lower.errors[LINK_ERROR_REPLAY_ROLLOVER], "REPLAY_NUM rolled over");
    t_check(t, !b->upper.trainings, "the link was retrained");
}

/* Progress resets REPLAY_NUM: three failures of one and three of the next are no rollover. */
BENCH_PROCEDURE(progress)
{
    failing(b, 0, 3);
    send_and_run(b, 1);
    failing(b, 0, 3);
    bench_write(&b->lower, 1, 4, 1);
    bench_run_us(b, LONG_US);
    bench_check_exact(&b->upper, 2);
    t_check(t, !b->lower.errors[LINK_ERROR_REPLAY_ROLLOVER], "REPLAY_NUM rolled over");
}

BENCH_PROCEDURE(bad_dllp)
{
    bench_fault(&b->upper, LINK_FAULT_CORRUPT_DLLP, 0, 1);
    send_and_run(b, 3);
    bench_check_exact(&b->upper, 3);
    t_check(t, b->lower.errors[LINK_ERROR_BAD_DLLP] == 1, "%u Bad DLLPs were reported",
            b->lower.errors[LINK_ERROR_BAD_DLLP]);
    t_check(t, !b->upper.errors[LINK_ERROR_BAD_DLLP], "... by its sender");
}

/* The Ack of a single TLP is corrupted: had it counted there would be no replay. */
BENCH_PROCEDURE(bad_dllp_ignored)
{
    bench_fault(&b->upper, LINK_FAULT_CORRUPT_DLLP, 0, 2);
    send_and_run(b, 1);
    t_check(t, bench_dllps(b, &b->lower, TRACE_REPLAY) == 1, "%u replays",
            bench_dllps(b, &b->lower, TRACE_REPLAY));
}

BENCH_PROCEDURE(wrong_ack)
{
    bench_fault(&b->upper, LINK_FAULT_WRONG_ACK, 0, 1);
    send_and_run(b, 4);
    t_check(t, b->lower.errors[LINK_ERROR_DL_PROTOCOL] == 1, "%u protocol errors were reported",
            b->lower.errors[LINK_ERROR_DL_PROTOCOL]);
    bench_check_exact(&b->upper, 4);
}

BENCH_PROCEDURE(recovery_holds)
{
    port_retrain(&b->upper.port, BENCH_SPEED);
    bench_write(&b->lower, 5, 4, 0);
    bench_run_us(b, 10);
    t_check(t, !b->upper.seen->len, "%u TLPs arrived in Recovery", b->upper.seen->len);
    bench_run_us(b, LONG_US);
    bench_check_exact(&b->upper, 5);
    t_check(t, !b->upper.downs, "the link went down");
}

BENCH_PROCEDURE(noise)
{
    bench_write(&b->lower, 2000, 16, 0);
    bench_fault(&b->lower, LINK_FAULT_CORRUPT_TLP, 100, 7);
    bench_fault(&b->lower, LINK_FAULT_DROP_TLP, 300, 5);
    bench_fault(&b->lower, LINK_FAULT_DUPLICATE_TLP, 500, 9);
    bench_fault(&b->upper, LINK_FAULT_CORRUPT_DLLP, 5, 6);
    bench_fault(&b->upper, LINK_FAULT_DROP_DLLP, 40, 6);
    bench_run_us(b, 2000);
    bench_check_exact(&b->upper, 2000);
}

static void down_and_up(struct bench *b)
{
    port_hot_reset(&b->upper.port, true);
    bench_run_us(b, 2000);
    port_hot_reset(&b->upper.port, false);
    bench_run_us(b, 100000);
}

BENCH_PROCEDURE(numbers_anew)
{
    const struct bench_dllp *ack;

    send_and_run(b, 5);
    down_and_up(b);
    bench_forget(b);
    bench_write(&b->lower, 1, 4, 5);
    bench_run_us(b, LONG_US);
    bench_check_exact(&b->upper, 6);
    ack = bench_first(b, &b->upper, TRACE_DLLP_ACK);
    t_check(t, ack && ack->arg[0] == 0, "the first Ack is for %d", ack ? (int)ack->arg[0] : -1);
}

/* What is in the retry buffer is gone with the link. */
BENCH_PROCEDURE(buffer_discarded)
{
    bench_fault(&b->lower, LINK_FAULT_DROP_TLP, 0, 4);
    bench_write(&b->lower, 4, 4, 0);
    bench_run_us(b, 1);
    down_and_up(b);
    bench_run_us(b, LONG_US);
    t_check(t, !b->upper.seen->len, "%u TLPs of before arrived", b->upper.seen->len);
}

BENCH_PROCEDURE(down_posted)
{
    port_set_disabled(&b->upper.port, true);
    bench_write(&b->upper, 3, 4, 0);
    bench_run_us(b, 1000);
    port_set_disabled(&b->upper.port, false);
    bench_run_us(b, 100000);
    t_check(t, port_link_up(&b->upper.port), "the link does not come back");
    t_check(t, !b->lower.seen->len && !b->upper.unsupported,
            "%u posted requests arrived, %u were answered", b->lower.seen->len,
            b->upper.unsupported);
}

BENCH_PROCEDURE(down_non_posted)
{
    port_set_disabled(&b->upper.port, true);
    bench_send(&b->upper, bench_tlp(b, TLP_MRD, 0, 0));
    bench_send(&b->upper, bench_tlp(b, TLP_FETCHADD, 1, 1));
    bench_run_us(b, 1000);
    t_check(t, b->upper.unsupported == 2, "%u of 2 requests were answered as unsupported",
            b->upper.unsupported);
}

/* Under way when the link goes down. */
BENCH_PROCEDURE(outstanding)
{
    bench_send(&b->upper, bench_tlp(b, TLP_MRD, 0, 0));
    port_set_disabled(&b->upper.port, true);
    bench_run_us(b, 1000);
    t_check(t, !b->lower.seen->len, "it arrived over a link that is down");
    t_check(t, b->upper.unsupported == 1, "it was not answered as unsupported");
}

#define DLL(i, sec, fn, text) BEHAVIOUR("dll." i, "data-link", sec, fn, NULL, text)

static const struct conform_assertion rows[] = {
    DLL("seq.first", "3.6.2.1", first_number, "The first TLP of a link has sequence number 0."),
    DLL("seq.last", "3.6.3.1", last_number,
        "An Ack names the last TLP that was received without a gap."),
    DLL("seq.modulo", "3.6.2.1", numbers_wrap, "Sequence numbers count modulo 4096."),
    DLL("seq.anew", "3.2.1", numbers_anew,
        "Sequence numbers begin with 0 again when the link has been down."),
    DLL("ack.time", "3.6.3.1", ack_in_time,
        "A receiver acknowledges in time: without errors no REPLAY_TIMER expires."),
    DLL("nak.bad", "3.6.3.1", bad_tlp,
        "A TLP whose LCRC is wrong is discarded and reported, a Nak names the last good one, and "
        "it comes again."),
    DLL("nak.first", "3.6.3.1", first_bad, "Before the first good TLP a Nak names 4095."),
    DLL("nak.once", "3.6.3.1", one_nak,
        "While a Nak is outstanding no other is sent for what is out of sequence."),
    DLL("nak.sequence", "3.6.3.1", out_of_sequence,
        "A TLP behind one that was lost is out of sequence: a Bad TLP that causes a Nak."),
    DLL("nak.acknowledges", "3.6.2.1", nak_acknowledges,
        "A Nak acknowledges what came before: a replay begins behind that."),
    DLL("replay.all", "3.6.2.1", replay_all,
        "A replay sends all that is not acknowledged, the oldest first, in order."),
    DLL("replay.timer", "3.6.2.1", timer,
        "Without Ack or Nak a replay begins after 24000 to 31000 symbol times, and is reported."),
    DLL("replay.lost_ack", "3.6.2.1", lost_ack,
        "When an Ack is lost the TLP is sent once more, and its duplicate acknowledged."),
    DLL("replay.rollover", "3.6.2.1", rollover,
        "The fourth replay without progress is reported as a rollover of REPLAY_NUM and retrains "
        "the link."),
    DLL("replay.three", "3.6.2.1", no_rollover,
        "Three replays without progress do not retrain the link."),
    DLL("replay.progress", "3.6.2.1", progress, "REPLAY_NUM is reset by progress."),
    DLL("duplicate", "3.6.3.1", duplicate,
        "A duplicate is discarded without an error and without a Nak."),
    DLL("duplicate.ack", "3.6.3.1", duplicate_ack, "A duplicate is acknowledged."),
    DLL("dllp.bad", "3.6.2.2", bad_dllp, "A DLLP whose CRC is wrong is reported by its receiver."),
    DLL("dllp.ignored", "3.6.2.2", bad_dllp_ignored, "A DLLP whose CRC is wrong has no effect."),
    DLL("dllp.never_sent", "3.6.2.2", wrong_ack,
        "An Ack of what was never sent is a Data Link Protocol Error and has no other effect."),
    DLL("recovery", "4.2.6.4", recovery_holds,
        "While the link is in Recovery no TLP crosses it, and none is lost."),
    DLL("exact", "3.1", noise, "Over a bad link every TLP arrives once and in order."),
    DLL("down.retry_buffer", "3.2.1", buffer_discarded,
        "The retry buffer is emptied when the link goes down."),
    DLL("down.posted", "2.9.1", down_posted,
        "Posted requests for a link that is down are discarded."),
    DLL("down.non_posted", "2.9.1", down_non_posted,
        "Non-posted requests for a link that is down are answered as unsupported by its port."),
    DLL("down.outstanding", "2.9.1", outstanding,
        "Non-posted requests under way when a link goes down are answered as unsupported."),
};

ASSERTION_TABLE(assertions_dll, rows);
