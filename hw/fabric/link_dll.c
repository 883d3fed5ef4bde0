/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The data link layer of the sender: acknowledgement and replay (PCIe Base 6.0, 3.6.2.1). */
#include "link_dir.h"

#include "pcilab/trace/points.h"

#define REPLAY_NUM_MODULUS 4u

/* CHOICE: after so many Recoveries for REPLAY_NUM without one TLP acknowledged the link goes down;
 * on hardware Recovery itself would time out on such wires (4.2.6.4). */
#define FRUITLESS_MAX 4u

static struct sim *dir_sim(const struct link_dir *dir)
{
    return dir->from->fabric->sim;
}

/* REPLAY_TIMER runs while something is unacknowledged. Its event looks again when it fires, so that
 * an acknowledgement costs nothing. */
void link_dll_arm(struct link_dir *dir)
{
    bool pending = sim_event_pending(&dir->replay_timer);

    if (!pending || link_unacknowledged(dir) == 1)
        dir->replay_due_ps = dir->free_ps + dir->link->replay_timeout_ps;
    if (!pending)
        sim_schedule_at(dir_sim(dir), &dir->replay_timer, dir->replay_due_ps);
}

static void replay_begin(struct link_dir *dir)
{
    if (!link_unacknowledged(dir))
        return;
    dir->counters.replays++;
    trace_hit(dir->from->fabric->trace, TRACE_REPLAY, dir->from->name,
              (dir->ackd_seq + 1u) % SEQ_MODULUS, link_unacknowledged(dir), dir->replay_num + 1u);
    dir->replaying = true;
    dir->replay_next = (uint16_t)((dir->ackd_seq + 1u) % SEQ_MODULUS);
    dir->replay_due_ps = SIM_NEVER; /* until the first TLP has gone out again */
    sim_cancel(dir_sim(dir), &dir->replay_timer);
    if (++dir->replay_num % REPLAY_NUM_MODULUS) {
        if (!sim_event_pending(&dir->tx))
            link_tx_step(dir);
        return;
    }
    dir->replay_num = 0;
    dir->counters.rollovers++;
    link_report(dir->from, LINK_ERROR_REPLAY_ROLLOVER, NULL);
    if (++dir->fruitless > FRUITLESS_MAX)
        link_fail(dir->link);
    else
        link_recover(dir->link);
}

void link_replay_event(void *opaque)
{
    struct link_dir *dir = opaque;
    struct sim *sim = dir_sim(dir);

    if (!link_unacknowledged(dir) || !dir->link->up)
        return;
    /* Held while the link is in Recovery. */
    if (dir->link->training)
        dir->replay_due_ps = sim->now_ps + dir->link->replay_timeout_ps;
    if (dir->replay_due_ps > sim->now_ps) {
        sim_schedule_at(sim, &dir->replay_timer, dir->replay_due_ps);
        return;
    }
    link_report(dir->from, LINK_ERROR_REPLAY_TIMEOUT, NULL);
    if (dir->link->up)
        replay_begin(dir);
}

void link_dll_acknowledged(struct link_dir *dir, uint16_t seq, bool nak)
{
    unsigned progress = (seq - (unsigned)dir->ackd_seq) % SEQ_MODULUS;

    /* Neither unacknowledged nor the last one acknowledged. */
    if (progress > link_unacknowledged(dir)) {
        link_report(dir->from, LINK_ERROR_DL_PROTOCOL, NULL);
        return;
    }
    if (progress) {
        unsigned replayed = (dir->replay_next - 1u - dir->ackd_seq) % SEQ_MODULUS;

        dir->ackd_seq = seq;
        dir->replay_num = 0;
        dir->fruitless = 0;
        dir->replay_due_ps = dir_sim(dir)->now_ps + dir->link->replay_timeout_ps;
        /* A duplicate's acknowledgement may overtake the replay. */
        if (dir->replaying && progress > replayed) {
            dir->replay_next = (uint16_t)((seq + 1u) % SEQ_MODULUS);
            dir->replaying = dir->replay_next != dir->next_transmit_seq;
        }
    }
    if (nak && !flaw_on(&dir_sim(dir)->flaws, FLAW_LINK_REPLAY)) {
        replay_begin(dir);
        return;
    }
    if (dir->queued && !sim_event_pending(&dir->tx))
        link_tx_step(dir);
}
