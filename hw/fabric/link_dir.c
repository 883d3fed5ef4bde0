/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two directions of a link with link timing: made, up, down. */
#include "link_dir.h"

#include <glib.h>

static struct link_dir *dir_new(struct link *link, unsigned side)
{
    struct link_dir *dir = g_new0(struct link_dir, 1);

    dir->link = link;
    dir->from = link->end[side];
    dir->to = link->end[!side];
    sim_event_init(&dir->tx, link_tx_event, dir);
    sim_event_init(&dir->arrive, link_arrive_event, dir);
    sim_event_init(&dir->dllp_timer, link_dllp_event, dir);
    sim_event_init(&dir->refresh, link_refresh_event, dir);
    sim_event_init(&dir->replay_timer, link_replay_event, dir);
    dir->ackd_seq = SEQ_MODULUS - 1;
    link_fault_init(dir);
    dir->from->tx = dir;
    return dir;
}

void link_dirs_make(struct link *link)
{
    if (link->params.timing != LINK_TIMED)
        return;
    link->dir[0] = dir_new(link, 0);
    link->dir[1] = dir_new(link, 1);
    link->dir[0]->back = link->dir[1];
    link->dir[1]->back = link->dir[0];
}

/* What becomes of a TLP that did not arrive: it bounces, or with `quietly` it is gone. */
static void dir_drop(struct link_dir *dir, struct tlp *tlp, bool quietly)
{
    if (quietly)
        tlp_free(tlp);
    else
        port_bounce(dir->from, tlp);
}

static void dir_clear(struct link_dir *dir, bool quietly)
{
    struct sim *sim = dir->from->fabric->sim;
    unsigned unacknowledged = link_unacknowledged(dir);

    sim_cancel(sim, &dir->tx);
    sim_cancel(sim, &dir->arrive);
    sim_cancel(sim, &dir->dllp_timer);
    sim_cancel(sim, &dir->refresh);
    sim_cancel(sim, &dir->replay_timer);
    dir->wire.first = dir->wire.count = 0;
    for (unsigned i = 1; i <= unacknowledged; i++) {
        struct replay_entry *entry = &dir->replay[(dir->ackd_seq + i) % REPLAY_ENTRIES];
        struct tlp *tlp = entry->tlp;

        entry->tlp = NULL;
        if (tlp)
            dir_drop(dir, tlp, quietly);
    }
    for (unsigned flow = 0; flow < LINK_FLOWS; flow++) {
        struct tlp *tlp;

        while ((tlp = tlp_queue_pop(&dir->queue[flow])))
            dir_drop(dir, tlp, quietly);
    }
    dir->queued = 0;
    dir->blocked = false;
    dir->due = dir->lazy = dir->lost_fc = 0;
    dir->holding = dir->replaying = dir->nak_scheduled = false;
    dir->replay_num = dir->fruitless = 0;
    dir->ackd_seq = SEQ_MODULUS - 1;
    dir->next_transmit_seq = dir->next_rcv_seq = 0;
    dir->free_ps = dir->free_frac = 0;
}

/* No TLP counts for a buffer of this link any more before the first is freed. */
static void dirs_clear(struct link *link, bool quietly)
{
    link_credit_forget(link->dir[0]);
    link_credit_forget(link->dir[1]);
    dir_clear(link->dir[0], quietly);
    dir_clear(link->dir[1], quietly);
}

/* DL_Init (3.2.1): sequence numbers and credits start anew. */
void link_dirs_up(struct link *link)
{
    if (!link->dir[0])
        return;
    link_wire_retimed(link);
    link_credit_init(link->dir[0]);
    link_credit_init(link->dir[1]);
}

void link_dirs_down(struct link *link, bool quietly)
{
    struct link_dir *down = link->dir[LINK_DOWNSTREAM_FACING];

    if (!down)
        return;
    dirs_clear(link, quietly);
    /* An endpoint is reset now; a root port's host goes on. */
    link->dir[LINK_UPSTREAM_FACING]->waiting = false;
    if (down->waiting)
        sim_schedule_in(down->from->fabric->sim, &down->tx, 0);
}

void link_dirs_resume(struct link *link)
{
    if (!link->dir[0])
        return;
    link_wire_retimed(link);
    link_tx_step(link->dir[0]);
    if (link->up)
        link_tx_step(link->dir[1]);
}

void link_dirs_free(struct link *link)
{
    if (!link->dir[0])
        return;
    dirs_clear(link, true);
    for (unsigned side = 0; side < 2; side++) {
        struct link_dir *dir = link->dir[side];

        link_fault_fini(dir);
        dir->from->tx = NULL;
        g_free(dir->wire.items);
        g_free(dir);
    }
}
