/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which submission queue is next (Base 2.0, 3.4.4): round robin over all queues, or weighted round
 * robin with an urgent class, each with a burst.
 */
#include "nvme.h"

#define BURST_UNLIMITED 7
#define BURST_MAX       32 /* CHOICE: what stands for no limit */

bool nvme_sq_can_fetch(const struct nvme *ctrl, const struct nvme_sq *sq)
{
    bool context = ctrl->free_cmds || ctrl->cmds_made < NVME_CMDS;

    if (!sq->exists || sq->deleter || sq->head == sq->tail || !nvme_cq_has_room(sq->cq)) {
        return false;
    }
    return context && (sq->qid ? ctrl->io_cmds < NVME_IO_CMDS : ctrl->admin_cmds < NVME_ADMIN_CMDS);
}

void nvme_arbiter_reset(struct nvme *ctrl)
{
    memset(ctrl->turn, 0, sizeof(ctrl->turn));
}

static unsigned burst(const struct nvme *ctrl)
{
    unsigned ab = nvme_feature(ctrl, NVME_FEAT_ARBITRATION) & 7;

    return ab == BURST_UNLIMITED ? BURST_MAX : 1u << ab;
}

/* The next among queues [first, io_queues] that are in the class, or among all of them. */
static struct nvme_sq *take_turn(struct nvme *ctrl, struct nvme_turn *turn, unsigned first,
                                 int class)
{
    unsigned end = ctrl->io_queues + 1;

    if (turn->next < first || turn->next >= end) {
        turn->next = first;
    }
    for (unsigned i = first; i <= end; i++) {
        struct nvme_sq *sq = &ctrl->sq[turn->next];
        if (turn->burst_left && (class < 0 || sq->class == class) && nvme_sq_can_fetch(ctrl, sq)) {
            turn->burst_left--;
            return sq;
        }
        turn->next = turn->next + 1 < end ? turn->next + 1 : first;
        turn->burst_left = burst(ctrl);
    }
    return NULL;
}

/* Weights are 0's based, in commands (Base 2.0, 5.27.1.1). */
static unsigned weight(const struct nvme *ctrl, enum nvme_class class)
{
    static const uint8_t shift[] = {[NVME_HIGH] = 24, [NVME_MEDIUM] = 16, [NVME_LOW] = 8};

    return (nvme_feature(ctrl, NVME_FEAT_ARBITRATION) >> shift[class] & 0xff) + 1;
}

/* 3.4.4.2: admin commands, then urgent ones, then three classes by credits, which are given out
 * again when no class with work has any. */
static struct nvme_sq *arbitrate_weighted(struct nvme *ctrl)
{
    struct nvme_sq *sq = &ctrl->sq[0];

    if (nvme_sq_can_fetch(ctrl, sq)) {
        return sq;
    }
    sq = take_turn(ctrl, &ctrl->turn[NVME_URGENT], 1, NVME_URGENT);
    for (unsigned round = 0; round < 2 && !sq; round++) {
        for (unsigned class = NVME_HIGH; class < NVME_CLASSES && !sq; class ++) {
            struct nvme_turn *turn = &ctrl->turn[class];
            sq = turn->credits ? take_turn(ctrl, turn, 1, (int)class) : NULL;
            turn->credits -= sq != NULL;
        }
        for (unsigned class = NVME_HIGH; class < NVME_CLASSES && !sq; class ++) {
            ctrl->turn[class].credits = weight(ctrl, class);
        }
    }
    return sq;
}

struct nvme_sq *nvme_arbitrate(struct nvme *ctrl)
{
    if (FIELD_GET(NVME_CC_AMS, reg_get(ctrl->regs, NVME_REG_CC)) == NVME_AMS_WRR) {
        return arbitrate_weighted(ctrl);
    }
    return take_turn(ctrl, &ctrl->turn[0], 0, -1);
}
