/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A debugger's stops. One at an instruction becomes an operation of its own before that
 * instruction's: the decoder asks stop_at_offset() where to put one. Blocks are shared by all
 * addresses that map to their page, hence an operation stands wherever the offset in the page fits,
 * and looks at RIP itself. Pages with watched data never take the fast path (debug.h).
 */
#include <assert.h>
#include <string.h>

#include "debug.h"
#include "pcilab/cpu/debug.h"
#include "stops.h"

static uint64_t linear(const struct cpu *c, uint64_t rip)
{
    return c->mode == MODE_64 ? rip : (uint32_t)(rip + c->seg[CPU_CS].base);
}

static bool is_data(const struct cpu_stop *stop)
{
    return stop->kind != CPU_STOP_EXEC;
}

/*
 * Decoded code knows about stops at instructions, and the TLB about watched data, but only that:
 * what else is in the TLB stays, as an old translation that is still there, or not, is something
 * that a guest can tell.
 */
static void forget_derived(struct cpu_group *g, const struct cpu_stop *stop)
{
    uint64_t first = stop->la & PAGE_MASK, pages;

    if (!is_data(stop)) {
        block_forget_all(g);
        return;
    }
    pages = 1 + ((stop->la + (stop->len - 1) - first) >> 12);
    for (unsigned i = 0; i < g->config.count; i++) {
        if (pages > TLB_SIZE) {
            tlb_flush(g->cpus[i], true);
            continue;
        }
        for (uint64_t page = 0; page < pages; page++) {
            tlb_flush_page(g->cpus[i], first + (page << 12));
        }
    }
}

static void recount(struct cpu_group *g, const struct cpu_stop *changed)
{
    g->stop_exec = g->stop_data = 0;
    for (unsigned i = 0; i < g->stop_count; i++) {
        *(is_data(&g->stops[i]) ? &g->stop_data : &g->stop_exec) += 1;
    }
    forget_derived(g, changed);
}

bool cpu_group_stop_add(struct cpu_group *g, const struct cpu_stop *stop)
{
    assert(stop->kind >= CPU_STOP_EXEC && stop->kind <= CPU_STOP_ACCESS);
    if (g->stop_count == CPU_STOPS_MAX) {
        return false;
    }
    g->stops[g->stop_count++] = *stop;
    recount(g, stop);
    return true;
}

bool cpu_group_stop_remove(struct cpu_group *g, const struct cpu_stop *stop)
{
    for (unsigned i = 0; i < g->stop_count; i++) {
        const struct cpu_stop *s = &g->stops[i];
        if (s->kind == stop->kind && s->la == stop->la && (!is_data(s) || s->len == stop->len)) {
            g->stops[i] = g->stops[--g->stop_count];
            recount(g, stop);
            return true;
        }
    }
    return false;
}

void cpu_group_stops_clear(struct cpu_group *g)
{
    while (g->stop_count) {
        const struct cpu_stop last = g->stops[--g->stop_count];
        recount(g, &last);
    }
}

unsigned cpu_group_stops_get(const struct cpu_group *g, struct cpu_stop stops[CPU_STOPS_MAX])
{
    memcpy(stops, g->stops, g->stop_count * sizeof(stops[0]));
    return g->stop_count;
}

static void stop(struct cpu *c, enum cpu_stop_kind kind, uint64_t la, uint64_t len)
{
    c->stop = (struct cpu_stop){.kind = kind, .la = la, .len = len};
    cpu_update_slow(c); /* so that the loop looks */
}

void stop_after_step(struct cpu *c)
{
    if (c->stepping && c->stop.kind == CPU_STOP_NONE) {
        stop(c, CPU_STOP_STEP, 0, 0);
    }
}

/* ---- Instructions ---- */

bool stop_at_offset(const struct cpu_group *g, uint64_t off)
{
    for (unsigned i = 0; i < g->stop_count; i++) {
        if (g->stops[i].kind == CPU_STOP_EXEC && ((g->stops[i].la ^ off) & ~PAGE_MASK) == 0) {
            return true;
        }
    }
    return false;
}

static bool exec_at(const struct cpu_group *g, uint64_t la)
{
    for (unsigned i = 0; i < g->stop_count; i++) {
        if (g->stops[i].kind == CPU_STOP_EXEC && g->stops[i].la == la) {
            return true;
        }
    }
    return false;
}

/* Half an instruction, waiting for its accesses, has passed here before. */
const struct op *op_stop(struct cpu *c, const struct op *op)
{
    uint64_t la = linear(c, op_rip(c, op));
    bool pass = c->log_count != 0 || (c->stop_passed && c->stop_pass_la == la);

    c->op = op;
    if (!pass && exec_at(c->group, la)) {
        stop(c, CPU_STOP_EXEC, la, 0);
        longjmp(c->jump, JUMP_STOP);
    }
    c->stop_passed = false;
    return op + 1;
}

/* ---- Data ---- */

static bool concerns(const struct cpu_stop *s, bool write)
{
    return s->kind == CPU_STOP_ACCESS || s->kind == (write ? CPU_STOP_WRITE : CPU_STOP_READ);
}

void stop_check_data(struct cpu *c, uint64_t la, unsigned size, bool write)
{
    for (unsigned i = 0; i < c->group->stop_count; i++) {
        const struct cpu_stop *s = &c->group->stops[i];
        if (concerns(s, write) && la < s->la + s->len && s->la < la + size) {
            stop(c, s->kind, s->la, s->len);
            c->smc = true; /* leaves the block after this instruction */
        }
    }
}

bool stop_page_watched(const struct cpu_group *g, uint64_t la)
{
    for (unsigned i = 0; i < g->stop_count; i++) {
        const struct cpu_stop *s = &g->stops[i];
        if (is_data(s) && (la & PAGE_MASK) <= s->la + (s->len - 1) && s->la <= (la | ~PAGE_MASK)) {
            return true;
        }
    }
    return false;
}

/* It will be executed again from the start, or not at all. */
void stop_unfinished(struct cpu *c)
{
    if (c->stop.kind != CPU_STOP_NONE) {
        c->stop.kind = CPU_STOP_NONE;
        cpu_update_slow(c);
    }
}

/* ---- The debugger's side ---- */

struct cpu_stop cpu_stopped(const struct cpu *c)
{
    return c->stop;
}

void cpu_resume(struct cpu *c, bool step)
{
    c->stop.kind = CPU_STOP_NONE;
    c->stepping = step;
    c->stop_pass_la = linear(c, c->rip);
    c->stop_passed = exec_at(c->group, c->stop_pass_la);
    cpu_update_slow(c);
}

void cpu_stop_again(struct cpu *c)
{
    c->stop_passed = false;
}

bool cpu_at_boundary(const struct cpu *c)
{
    return !c->acc_outstanding && c->log_count == 0;
}

/* ---- Page tables ---- */

static bool entry_read(const struct cpu *c, uint64_t gpa, unsigned size, uint64_t *entry)
{
    const uint8_t *host = ram_host(c->group, gpa & c->group->phys_mask);

    *entry = host ? host_read(host, size) : 0;
    return *entry & 1;
}

/* SDM volume 3, 4.4 and 4.5: PAE paging has three levels, long mode four, of 512 entries each. */
static bool translate_wide(const struct cpu *c, uint64_t la, unsigned levels, uint64_t *gpa)
{
    uint64_t table = c->cr3 & (levels == 3 ? GENMASK(31, 5) : GENMASK(51, 12)), entry;

    for (unsigned level = levels;; level--) {
        unsigned shift = 12 + 9 * (level - 1);
        if (!entry_read(c, table + (la >> shift & 511) * 8, 8, &entry)) {
            return false;
        }
        if (level == 1 || (level < 4 && entry & BIT(7) && !(levels == 3 && level == 3))) {
            *gpa = (entry & GENMASK(51, 12) & ~low_mask(shift)) | (la & low_mask(shift));
            *gpa &= c->group->phys_mask;
            return true;
        }
        table = entry & GENMASK(51, 12);
    }
}

/* SDM volume 3, 4.3. */
static bool translate_narrow(const struct cpu *c, uint64_t la, uint64_t *gpa)
{
    uint64_t entry;

    if (!entry_read(c, (c->cr3 & GENMASK(31, 12)) + (la >> 22 & 1023) * 4, 4, &entry)) {
        return false;
    }
    if (entry & BIT(7) && c->cr4 & CR4_PSE) {
        *gpa = (entry & GENMASK(31, 22)) | (entry & GENMASK(20, 13)) << 19 | (la & low_mask(22));
        return true;
    }
    if (!entry_read(c, (entry & GENMASK(31, 12)) + (la >> 12 & 1023) * 4, 4, &entry)) {
        return false;
    }
    *gpa = (entry & GENMASK(31, 12)) | (la & ~PAGE_MASK);
    return true;
}

bool cpu_debug_translate(const struct cpu *c, uint64_t la, uint64_t *gpa)
{
    if (!(c->cr0 & CR0_PG)) {
        *gpa = la;
        return true;
    }
    if (in_long_mode(c)) {
        return is_canonical(la) && translate_wide(c, la, 4, gpa);
    }
    la = (uint32_t)la;
    return c->cr4 & CR4_PAE ? translate_wide(c, la, 3, gpa) : translate_narrow(c, la, gpa);
}
