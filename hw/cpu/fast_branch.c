/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fast branches: from block to block without the dispatcher. Links to a block in the same page
 * always hold; others are checked against code_key(). Indirect branches look into the jump cache.
 */
#include "fast.h"
#include "handlers.h"

/* Back to the dispatcher, which finds the block and completes the link. */
static const struct op *link_miss(struct cpu *c, const struct op *op, unsigned i, uint64_t rip,
                                  bool near)
{
    c->link = (struct oplink *)(op + 1);
    c->link_index = (uint8_t)i;
    c->link_near = near;
    c->rip = rip;
    return NULL;
}

/* The next block does not fit the budget: the dispatcher will run a part of it. */
static const struct op *over_budget(struct cpu *c, const struct block *b, uint64_t rip)
{
    c->budget += b->n;
    c->rip = rip;
    return NULL;
}

#define ENTER_BLOCK(b, to)                                                                         \
    do {                                                                                           \
        c->gpr[R_BLOCK] = (to);                                                                    \
        c->blk = (b);                                                                              \
        c->budget -= (b)->n;                                                                       \
        if (unlikely(c->budget < 0)) {                                                             \
            return over_budget(c, (b), (to));                                                      \
        }                                                                                          \
        DISPATCH((b)->ops);                                                                        \
    } while (0)

#define GO_NEAR(i, delta)                                                                          \
    do {                                                                                           \
        struct block *b_ = ((const struct oplink *)(op + 1))->to[i];                               \
        uint64_t to_ = c->gpr[R_BLOCK] + (uint64_t)(int64_t)(delta);                               \
        if (unlikely(!b_)) {                                                                       \
            return link_miss(c, op, i, to_, true);                                                 \
        }                                                                                          \
        ENTER_BLOCK(b_, to_);                                                                      \
    } while (0)

#define GO_FAR(i, delta)                                                                           \
    do {                                                                                           \
        const struct oplink *l_ = (const struct oplink *)(op + 1);                                 \
        uint64_t to_ = c->gpr[R_BLOCK] + (uint64_t)(int64_t)(delta);                               \
        if (unlikely(l_->key[i] != code_key(c, to_))) {                                            \
            return link_miss(c, op, i, to_, false);                                                \
        }                                                                                          \
        struct block *b_ = l_->to[i];                                                              \
        ENTER_BLOCK(b_, to_);                                                                      \
    } while (0)

/* `to` is canonical. */
#define GO_INDIRECT(to)                                                                            \
    do {                                                                                           \
        uint64_t to_ = (to);                                                                       \
        const struct jc_entry *j_ = &c->jc[jc_index(to_)];                                         \
        if (unlikely(j_->key != code_key(c, to_))) {                                               \
            c->rip = to_;                                                                          \
            return NULL;                                                                           \
        }                                                                                          \
        struct block *b_ = j_->block;                                                              \
        ENTER_BLOCK(b_, to_);                                                                      \
    } while (0)

#define FALL_DELTA (op->ip + op->len)

/* ---- The end of a block without a branch; legacy modes as well ---- */

OP(op_fall_near)
{
    if (unlikely(c->mode != MODE_64)) {
        c->rip = (uint32_t)(c->gpr[R_BLOCK] + op->ip);
        return NULL;
    }
    GO_NEAR(0, op->disp);
}

OP(op_fall_far)
{
    if (unlikely(c->mode != MODE_64)) {
        c->rip = (uint32_t)(c->gpr[R_BLOCK] + op->ip);
        return NULL;
    }
    GO_FAR(0, op->disp);
}

/* ---- Jcc, JMP, CALL ---- */

#define JCC_HANDLERS(cc)                                                                           \
    FAST(jcc_near_##cc)                                                                            \
    {                                                                                              \
        if (flags_test(c, cc)) {                                                                   \
            GO_NEAR(0, op->disp);                                                                  \
        }                                                                                          \
        GO_NEAR(1, FALL_DELTA);                                                                    \
    }                                                                                              \
    FAST(jcc_far_##cc)                                                                             \
    {                                                                                              \
        if (flags_test(c, cc)) {                                                                   \
            GO_FAR(0, op->disp);                                                                   \
        }                                                                                          \
        GO_FAR(1, FALL_DELTA);                                                                     \
    }
#define CC_ALL(m)                                                                                  \
    m(0) m(1) m(2) m(3) m(4) m(5) m(6) m(7) m(8) m(9) m(10) m(11) m(12) m(13) m(14) m(15)
CC_ALL(JCC_HANDLERS)

op_fn fast_jcc(unsigned cc, bool near)
{
#define ROW(cc) jcc_near_##cc,
    static const op_fn near_fn[16] = {CC_ALL(ROW)};
#undef ROW
#define ROW(cc) jcc_far_##cc,
    static const op_fn far_fn[16] = {CC_ALL(ROW)};
#undef ROW
    return near ? near_fn[cc] : far_fn[cc];
}

FAST(jmp_near)
{
    GO_NEAR(0, op->disp);
}

FAST(jmp_far)
{
    GO_FAR(0, op->disp);
}

op_fn fast_jmp(bool near)
{
    return near ? jmp_near : jmp_far;
}

FAST(call_rel)
{
    uint64_t rsp = c->gpr[CPU_RSP] - 8;
    HOST_AT(mem_64, p, rsp, wtag);
    *p = c->gpr[R_BLOCK] + FALL_DELTA;
    c->gpr[CPU_RSP] = rsp;
    GO_FAR(0, op->disp);
}

op_fn fast_call(void)
{
    return call_rel;
}

/* ---- Indirect ---- */

FAST(ret)
{
    uint64_t rsp = c->gpr[CPU_RSP];
    HOST_AT(mem_64, p, rsp, rtag);
    uint64_t to = *p;
    if (unlikely(!is_canonical(to))) {
        SLOW();
    }
    c->gpr[CPU_RSP] = rsp + 8 + op->imm;
    GO_INDIRECT(to);
}

FAST(jmp_reg)
{
    uint64_t to = c->gpr[op->rm];
    if (unlikely(!is_canonical(to))) {
        SLOW();
    }
    GO_INDIRECT(to);
}

FAST(call_reg)
{
    uint64_t to = c->gpr[op->rm], rsp = c->gpr[CPU_RSP] - 8;
    HOST_AT(mem_64, p, rsp, wtag);
    if (unlikely(!is_canonical(to))) {
        SLOW();
    }
    *p = c->gpr[R_BLOCK] + FALL_DELTA;
    c->gpr[CPU_RSP] = rsp;
    GO_INDIRECT(to);
}

#define INDIRECT_MEMORY(ea)                                                                        \
    FAST(jmp_m##ea)                                                                                \
    {                                                                                              \
        HOST_AT(mem_64, from, EA##ea(), rtag);                                                     \
        uint64_t to = *from;                                                                       \
        if (unlikely(!is_canonical(to))) {                                                         \
            SLOW();                                                                                \
        }                                                                                          \
        GO_INDIRECT(to);                                                                           \
    }                                                                                              \
    FAST(call_m##ea)                                                                               \
    {                                                                                              \
        uint64_t rsp = c->gpr[CPU_RSP] - 8;                                                        \
        HOST_AT(mem_64, from, EA##ea(), rtag);                                                     \
        HOST_AT(mem_64, p, rsp, wtag);                                                             \
        uint64_t to = *from;                                                                       \
        if (unlikely(!is_canonical(to))) {                                                         \
            SLOW();                                                                                \
        }                                                                                          \
        *p = c->gpr[R_BLOCK] + FALL_DELTA;                                                         \
        c->gpr[CPU_RSP] = rsp;                                                                     \
        GO_INDIRECT(to);                                                                           \
    }
INDIRECT_MEMORY(0)
INDIRECT_MEMORY(1)

const struct fastset fast_ret = {{NULL, NULL, NULL, ret}, {NULL}, {NULL}};
const struct fastset fast_jmp_rm = {
    {NULL, NULL, NULL, jmp_reg}, {NULL, NULL, NULL, jmp_m0}, {NULL, NULL, NULL, jmp_m1}};
const struct fastset fast_call_rm = {
    {NULL, NULL, NULL, call_reg}, {NULL, NULL, NULL, call_m0}, {NULL, NULL, NULL, call_m1}};

/* ---- STI: the dispatcher is needed only if something waits ---- */

#define STI_BODY(go)                                                                               \
    if (unlikely(c->intr | c->nmi_pending | (c->cpl != 0) | c->slow)) {                            \
        SLOW();                                                                                    \
    }                                                                                              \
    if (!(c->eflags & FL_IF)) {                                                                    \
        c->eflags |= FL_IF;                                                                        \
        c->shadow_at = c->retired_before + c->run_budget - (uint64_t)c->budget;                    \
    }                                                                                              \
    go(0, FALL_DELTA)

FAST(sti_near)
{
    STI_BODY(GO_NEAR);
}

FAST(sti_far)
{
    STI_BODY(GO_FAR);
}

op_fn fast_sti(bool near)
{
    return near ? sti_near : sti_far;
}
