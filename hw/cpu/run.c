/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running a processor: the dispatcher between blocks, exceptions and interrupts at instruction
 * boundaries, suspended accesses.
 *
 * What counts as an instruction, for the budget and for virtual time (CHOICE):
 *  - an instruction that completes counts once; one that faults does not count;
 *  - delivering an exception or interrupt counts once, in place of an INT n: a guest whose
 *    exceptions never reach an instruction still uses up its budget;
 *  - a repeated string instruction counts once per chunk, see string.c.
 */
#include <assert.h>
#include <string.h>

#include "core.h"
#include "debug.h"
#include "flags.h"
#include "pcilab/trace/points.h"
#include "stops.h"

/* ---- Ways out of an instruction ---- */

void cpu_raise_error(struct cpu *c, unsigned vector, uint32_t error)
{
    c->exc = (struct cpu_exception){.vector = (uint8_t)vector, .has_error = true, .error = error};
    longjmp(c->jump, JUMP_EXCEPTION);
}

void cpu_raise(struct cpu *c, unsigned vector)
{
    c->exc = (struct cpu_exception){.vector = (uint8_t)vector};
    longjmp(c->jump, JUMP_EXCEPTION);
}

void cpu_raise_software(struct cpu *c, unsigned vector)
{
    c->exc = (struct cpu_exception){.vector = (uint8_t)vector, .software = true};
    longjmp(c->jump, JUMP_EXCEPTION);
}

void cpu_page_fault(struct cpu *c, uint64_t la, uint32_t error)
{
    c->cr2 = la;
    cpu_raise_error(c, EXC_PF, error);
}

void cpu_suspend(struct cpu *c)
{
    c->acc_outstanding = true;
    longjmp(c->jump, JUMP_ACCESS);
}

uint64_t cpu_run_done(const struct cpu *c)
{
    uint64_t done = c->run_budget - (uint64_t)c->budget;
    if (c->in_block) {
        done -= c->blk->n - c->op->n;
    }
    return done;
}

static uint64_t insns_done(const struct cpu *c)
{
    return c->retired_before + c->run_budget - (uint64_t)c->budget;
}

/* ---- Exceptions ---- */

static bool is_contributory(unsigned vector)
{
    return vector == EXC_DE || (vector >= EXC_TS && vector <= EXC_GP);
}

/* SDM volume 3, table 6-5: what a fault during the delivery of another event becomes. */
static void combine_faults(struct cpu *c)
{
    unsigned first = c->first_vector, second = c->exc.vector;
    if (first == EXC_DF) {
        c->run_state = RUN_SHUTDOWN;
    } else if ((is_contributory(first) && is_contributory(second)) ||
               (first == EXC_PF && (second == EXC_PF || is_contributory(second)))) {
        c->exc = (struct cpu_exception){.vector = EXC_DF, .has_error = true};
    }
}

static void trace_exception(const struct cpu *c, uint64_t rip, unsigned cpl)
{
    static const char *const names[CPU_MAX] = {"cpu0", "cpu1", "cpu2", "cpu3",
                                               "cpu4", "cpu5", "cpu6", "cpu7"};

    trace_hit_at(c->group->config.trace, TRACE_CPU_EXCEPTION, names[c->index], soft_now_ps(c),
                 c->exc.vector, c->exc.has_error ? c->exc.error : 0, rip,
                 c->exc.vector == EXC_PF ? c->cr2 : 0, cpl);
}

static void deliver(struct cpu *c)
{
    uint64_t rip = c->rip;
    unsigned cpl = c->cpl;

    /* An interrupt's vector says nothing about faults: it counts as benign. */
    c->first_vector = c->exc.external || c->exc.software ? EXC_NMI : c->exc.vector;
    c->delivering = true;
    interrupt_deliver(c);
    c->delivering = false;
    if (!c->exc.external) {
        trace_exception(c, rip, cpl);
    }
}

/* After a longjmp: back to the boundary before the instruction, then the exception. */
static void unwind(struct cpu *c)
{
    if (!c->in_block) {
        return;
    }
    c->budget += c->blk->n - c->op->n;
    c->rip = c->mode == MODE_64 ? op_rip(c, c->op) : (uint32_t)op_rip(c, c->op);
    c->in_block = false;
}

static void take_exception(struct cpu *c)
{
    if (c->delivering) {
        combine_faults(c);
        c->delivering = false;
        if (c->run_state == RUN_SHUTDOWN) {
            return;
        }
    } else {
        stop_unfinished(c);
        uint64_t next = c->in_block ? op_next_rip(c, c->op) : c->rip;
        unwind(c);
        if (c->exc.software) {
            c->rip = next;
        }
        c->budget--;
    }
    c->log_count = c->log_pos = 0;
    if (c->exc.vector == EXC_DB && !c->exc.software) {
        c->dr[7] &= ~DR7_GD;
    }
    deliver(c);
    stop_after_step(c);
}

/* ---- Events at instruction boundaries ---- */

static bool intr_ready(const struct cpu *c)
{
    return c->intr && c->eflags & FL_IF;
}

static bool nmi_ready(const struct cpu *c)
{
    return c->nmi_pending && !c->nmi_blocked;
}

bool soft_wants_to_run(const struct cpu *c)
{
    switch (c->run_state) {
    case RUN_OK: return true;
    case RUN_HALTED: return intr_ready(c) || nmi_ready(c) || c->init_pending || c->db_pending;
    case RUN_WAIT_SIPI: return false; /* cpu_sipi() makes it RUN_OK */
    default: return c->init_pending;
    }
}

static void take_external(struct cpu *c, unsigned vector)
{
    c->run_state = RUN_OK;
    c->exc = (struct cpu_exception){.vector = (uint8_t)vector, .external = true};
    c->budget--;
    deliver(c);
}

/* True if something was delivered. The budget is at least 1. */
static bool take_event(struct cpu *c)
{
    bool ss_shadow = c->shadow_ss_at == insns_done(c);
    if (c->db_pending && !ss_shadow) {
        c->dr[6] |= c->db_pending;
        c->db_pending = 0;
        c->run_state = RUN_OK;
        c->exc = (struct cpu_exception){.vector = EXC_DB};
        c->dr[7] &= ~DR7_GD;
        c->budget--;
        deliver(c);
        return true;
    }
    if (nmi_ready(c) && !ss_shadow) {
        c->nmi_pending = false;
        c->nmi_blocked = true;
        take_external(c, EXC_NMI);
        return true;
    }
    if (intr_ready(c) && !ss_shadow && c->shadow_at != insns_done(c)) {
        int vector = c->group->config.ack(c->group->config.opaque, c->index);
        if (vector < 0) {
            c->intr = false;
            return false;
        }
        take_external(c, (unsigned)vector);
        return true;
    }
    return false;
}

/* ---- Blocks ---- */

static void run_block(struct cpu *c, struct block *b)
{
    c->gpr[R_BLOCK] = c->rip;
    c->blk = b;
    c->budget -= b->n;
    c->op = b->ops;
    c->in_block = true;
    const struct op *op = b->ops;
    do {
        op = op->fn(c, op);
        if (unlikely(c->smc)) {
            /* The rest of this block may have been overwritten. */
            c->smc = false;
            if (op) {
                c->budget += c->blk->n - (c->op->n + 1);
                c->rip = op_next_rip(c, c->op);
            }
            break;
        }
    } while (op);
    c->in_block = false;
}

/*
 * While single-stepping, the budget is 1 lest a branch goes on with the next block. What is held
 * back is taken off both ends, so that the count of what was done stays right.
 */
static void budget_hold(struct cpu *c)
{
    c->budget_held = (uint64_t)c->budget - 1;
    c->budget -= (int64_t)c->budget_held;
    c->run_budget -= c->budget_held;
}

static void budget_release(struct cpu *c)
{
    c->budget += (int64_t)c->budget_held;
    c->run_budget += c->budget_held;
    c->budget_held = 0;
}

/* One instruction: with TF, debug registers, an interrupt shadow, or answers in the log. */
static void run_single(struct cpu *c)
{
    bool trace = c->eflags & FL_TF;
    bool resume = c->eflags & FL_RF;
    if (!resume && c->log_count == 0) {
        debug_check_fetch(c, c->rip);
    }
    c->log_pos = 0;
    c->db_hit = 0;
    c->keep_rf = false;
    struct block *b = block_partial(c, 1);
    budget_hold(c);
    run_block(c, b);
    budget_release(c);
    c->log_count = c->log_pos = 0;
    if (resume && !c->keep_rf) {
        c->eflags &= ~(uint32_t)FL_RF;
    }
    c->keep_rf = false;
    c->db_pending |= c->db_hit | (trace ? DR6_BS : 0);
    c->db_hit = 0;
    stop_after_step(c);
    cpu_update_slow(c);
}

static void link_patch(struct cpu *c, struct block *b)
{
    struct oplink *l = c->link;
    c->link = NULL;
    /*
     * A link that is not checked must stay in the page. It does not if the block crosses into the
     * next, or if a page table was changed and the old translation has been forgotten meanwhile.
     */
    bool same_page = b->pa2 == NO_PAGE && !((b->pa ^ c->blk->pa) & PAGE_MASK);
    if (same_page || !c->link_near) {
        l->to[c->link_index] = b;
        l->key[c->link_index] = code_key(c, c->rip);
    }
}

static bool events_possible(const struct cpu *c)
{
    return c->slow | c->intr | c->nmi_pending | (c->log_count != 0) | (c->db_pending != 0);
}

/* Returns when the run ends. */
static enum cpu_exit run_loop(struct cpu *c)
{
    for (;;) {
        if (unlikely(c->group->dead != NULL)) {
            block_free_dead(c->group);
        }
        c->smc = false;
        if (unlikely(c->run_state != RUN_OK)) {
            if (c->init_pending) {
                cpu_reset_init(c, false);
                continue;
            }
            if (!soft_wants_to_run(c)) {
                return c->stop.kind != CPU_STOP_NONE  ? CPU_EXIT_STOP
                       : c->run_state == RUN_HALTED   ? CPU_EXIT_HALT
                       : c->run_state == RUN_SHUTDOWN ? CPU_EXIT_SHUTDOWN
                                                      : CPU_EXIT_WAIT_SIPI;
            }
        }
        if (unlikely(c->budget <= 0)) {
            return c->stop.kind == CPU_STOP_NONE ? CPU_EXIT_BUDGET : CPU_EXIT_STOP;
        }
        if (unlikely(events_possible(c))) {
            c->link = NULL;
            if (c->stop.kind != CPU_STOP_NONE) {
                return CPU_EXIT_STOP;
            }
            if (c->log_count == 0 && take_event(c)) {
                stop_after_step(c);
                continue;
            }
            if (c->run_state != RUN_OK) {
                continue;
            }
            if (c->slow || c->log_count || intr_ready(c) || nmi_ready(c) || c->db_pending) {
                run_single(c);
                continue;
            }
        }
        struct block *b = block_lookup(c);
        if (c->link) {
            link_patch(c, b);
        }
        if (unlikely(c->budget < b->n)) {
            b = block_partial(c, (unsigned)c->budget);
        }
        run_block(c, b);
    }
}

enum cpu_exit soft_run(struct cpu *c, uint64_t now_ps, uint64_t budget, uint64_t *retired)
{
    *retired = 0;
    if (c->acc_outstanding) {
        return CPU_EXIT_ACCESS;
    }
    c->now_ps = now_ps;
    c->run_budget = budget;
    c->budget = (int64_t)budget;
    c->link = NULL;
    if (c->init_pending) {
        cpu_reset_init(c, false);
    }

    enum cpu_exit why = CPU_EXIT_ACCESS;
    /* longjmp comes back here; nothing that matters lives in local variables. */
    switch (setjmp(c->jump)) {
    case JUMP_ACCESS:
        stop_unfinished(c);
        unwind(c);
        budget_release(c);
        c->log_pos = 0;
        break;
    case JUMP_STOP:
        unwind(c);
        budget_release(c);
        why = CPU_EXIT_STOP;
        break;
    case JUMP_EXCEPTION:
        budget_release(c);
        take_exception(c);
        /* fall through */
    default: why = run_loop(c); break;
    }
    *retired = c->run_budget - (uint64_t)c->budget;
    c->retired_before += *retired;
    c->now_ps += *retired * c->group->config.ps_per_insn;
    c->run_budget = 0;
    c->budget = 0;
    return why;
}

/* ---- The bus side ---- */

const struct cpu_access *soft_access(const struct cpu *c)
{
    assert(c->acc_outstanding);
    return &c->acc;
}

void soft_complete(struct cpu *c, const void *data, bool fault)
{
    assert(c->acc_outstanding && c->log_count < ACCESS_LOG_MAX);
    struct access_log_entry *e = &c->log[c->log_count++];
    c->acc_outstanding = false;
    e->fault = fault;
    if (c->acc.kind == CPU_MEM_ENQUEUE) {
        e->data[0] = data != NULL;
    } else if (data && c->acc.size_bytes <= sizeof(e->data)) {
        memcpy(e->data, data, c->acc.size_bytes);
    }
}

void soft_set_intr(struct cpu *c, bool level)
{
    c->intr = level;
}

void soft_raise_nmi(struct cpu *c)
{
    c->nmi_pending = true;
}

void soft_init_signal(struct cpu *c)
{
    c->init_pending = true;
}

void soft_sipi(struct cpu *c, uint8_t vector)
{
    if (c->init_pending) {
        cpu_reset_init(c, false);
    }
    if (c->run_state != RUN_WAIT_SIPI) {
        return;
    }
    c->run_state = RUN_OK;
    c->seg[CPU_CS].selector = (uint16_t)(vector << 8);
    cpu_set_seg_base(c, CPU_CS, (uint64_t)vector << 12);
    c->rip = 0;
    cpu_update_mode(c);
}

uint64_t soft_retired_total(const struct cpu *c)
{
    return c->retired_before;
}
