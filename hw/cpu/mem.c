/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory as instructions see it: linear addresses, page crossings, RAM or the bus.
 *
 * The bus is never waited for. An access that has not been answered yet suspends the instruction;
 * when it is executed again, its accesses come in the same order and are answered from the log.
 */
#include <assert.h>
#include <string.h>

#include "core.h"
#include "debug.h"

struct ram_range *ram_find(struct cpu_group *g, uint64_t pa)
{
    for (unsigned i = 0; i < g->ram_count; i++) {
        if (pa - g->ram[i].ram.gpa < g->ram[i].ram.size) {
            return &g->ram[i];
        }
    }
    return NULL;
}

uint8_t *ram_host(struct cpu_group *g, uint64_t pa)
{
    struct ram_range *r = ram_find(g, pa);
    return r ? r->ram.host + (pa - r->ram.gpa) : NULL;
}

static bool is_read(enum cpu_access_kind kind)
{
    return kind == CPU_MEM_READ || kind == CPU_IO_READ || kind == CPU_MSR_READ ||
           kind == CPU_TPR_READ;
}

void bus_access(struct cpu *c, enum cpu_access_kind kind, uint64_t addr, unsigned size, void *data)
{
    /*
     * CHOICE: tables and stacks used while an interrupt or exception is delivered must lie in RAM;
     * elsewhere they read as all ones, and writes are lost. The same holds for an instruction with
     * more accesses than any sensible one has.
     */
    if (c->delivering || c->log_pos >= ACCESS_LOG_MAX) {
        if (is_read(kind)) {
            memset(data, 0xFF, size);
        }
        return;
    }
    if (c->log_pos < c->log_count) {
        const struct access_log_entry *e = &c->log[c->log_pos++];
        if (e->fault) {
            raise_gp(c, 0);
        }
        if (is_read(kind)) {
            assert(size <= sizeof(e->data));
            memcpy(data, e->data, size);
        }
        return;
    }
    c->acc.kind = kind;
    c->acc.addr = addr;
    c->acc.size_bytes = size;
    if (!is_read(kind)) {
        memcpy(c->acc.data, data, size);
    }
    cpu_suspend(c);
}

bool bus_enqueue(struct cpu *c, uint64_t addr, const uint8_t *data)
{
    if (c->delivering || c->log_pos >= ACCESS_LOG_MAX) {
        return false;
    }
    if (c->log_pos < c->log_count) {
        return c->log[c->log_pos++].data[0];
    }
    c->acc.kind = CPU_MEM_ENQUEUE;
    c->acc.addr = addr;
    c->acc.size_bytes = 64;
    memcpy(c->acc.data, data, 64);
    cpu_suspend(c);
}

/* The largest piece the bus takes in one go. */
static unsigned bus_piece(unsigned n)
{
    if (n == 16 || n == 64) {
        return n;
    }
    return n >= 8 ? 8 : n >= 4 ? 4 : n >= 2 ? 2 : 1;
}

static void phys_read(struct cpu *c, uint64_t pa, uint8_t *data, unsigned n)
{
    const uint8_t *host = ram_host(c->group, pa);
    if (host) {
        memcpy(data, host, n);
        return;
    }
    while (n) {
        unsigned piece = n == 64 ? 8 : bus_piece(n);
        bus_access(c, CPU_MEM_READ, pa, piece, data);
        pa += piece;
        data += piece;
        n -= piece;
    }
}

static void phys_write(struct cpu *c, uint64_t pa, const uint8_t *data, unsigned n)
{
    struct ram_range *r = ram_find(c->group, pa);
    if (r) {
        memcpy(r->ram.host + (pa - r->ram.gpa), data, n);
        if (r->code[(pa - r->ram.gpa) >> 12] && block_written(c->group, r, pa, n)) {
            c->smc = true;
        }
        return;
    }
    while (n) {
        unsigned piece = bus_piece(n);
        uint8_t copy[CPU_ACCESS_MAX_SIZE];
        memcpy(copy, data, piece);
        bus_access(c, CPU_MEM_WRITE, pa, piece, copy);
        pa += piece;
        data += piece;
        n -= piece;
    }
}

static void read_as(struct cpu *c, uint64_t la, void *data, unsigned n, bool user)
{
    struct xlate x;
    if (unlikely(debug_watching(c))) {
        debug_check_data(c, la, n, false);
    }
    unsigned first = (unsigned)(PAGE_SIZE - (la & ~PAGE_MASK));
    tlb_fill(c, la, ACC_READ, user, &x);
    if (likely(n <= first)) {
        phys_read(c, x.pa, data, n);
        return;
    }
    struct xlate y;
    tlb_fill(c, la + first, ACC_READ, user, &y);
    phys_read(c, x.pa, data, first);
    phys_read(c, y.pa, (uint8_t *)data + first, n - first);
}

static void write_as(struct cpu *c, uint64_t la, const void *data, unsigned n, bool user)
{
    struct xlate x;
    if (unlikely(debug_watching(c))) {
        debug_check_data(c, la, n, true);
    }
    unsigned first = (unsigned)(PAGE_SIZE - (la & ~PAGE_MASK));
    tlb_fill(c, la, ACC_WRITE, user, &x);
    if (likely(n <= first)) {
        phys_write(c, x.pa, data, n);
        return;
    }
    struct xlate y;
    tlb_fill(c, la + first, ACC_WRITE, user, &y);
    phys_write(c, x.pa, data, first);
    phys_write(c, y.pa, (const uint8_t *)data + first, n - first);
}

uint64_t lin_read_slow(struct cpu *c, uint64_t la, unsigned size)
{
    uint64_t v = 0;
    read_as(c, la, &v, size, c->cpl == 3);
    return v;
}

void lin_write_slow(struct cpu *c, uint64_t la, unsigned size, uint64_t value)
{
    write_as(c, la, &value, size, c->cpl == 3);
}

void lin_read_bytes(struct cpu *c, uint64_t la, void *data, unsigned size)
{
    const struct tlb_entry *e = tlb_at(c->tlb, la);
    if (likely(e->rtag == ((la + size - 1) & PAGE_MASK))) {
        memcpy(data, (const void *)(la + e->addend), size);
        return;
    }
    read_as(c, la, data, size, c->cpl == 3);
}

void lin_write_bytes(struct cpu *c, uint64_t la, const void *data, unsigned size)
{
    const struct tlb_entry *e = tlb_at(c->tlb, la);
    if (likely(e->wtag == ((la + size - 1) & PAGE_MASK))) {
        memcpy((void *)(la + e->addend), data, size);
        return;
    }
    write_as(c, la, data, size, c->cpl == 3);
}

void lin_probe_write(struct cpu *c, uint64_t la, unsigned size)
{
    struct xlate x;
    const struct tlb_entry *e = tlb_at(c->tlb, la);
    uint64_t last = la + size - 1;
    if (likely(e->wtag == (last & PAGE_MASK))) {
        return;
    }
    tlb_fill(c, la, ACC_WRITE, c->cpl == 3, &x);
    if ((la ^ last) & PAGE_MASK) {
        tlb_fill(c, last & PAGE_MASK, ACC_WRITE, c->cpl == 3, &x);
    }
}

uint64_t sys_read(struct cpu *c, uint64_t la, unsigned size)
{
    uint64_t v = 0;
    c->ea_seg = CPU_DS;
    read_as(c, la, &v, size, false);
    return v;
}

void sys_write(struct cpu *c, uint64_t la, unsigned size, uint64_t value)
{
    c->ea_seg = CPU_DS;
    write_as(c, la, &value, size, false);
}
