/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs cases on our processor through its public interface: 64-bit mode, privilege level 3, with
 * page tables that put code and data where the host has them. Every vector has a handler of one
 * HLT at level 0, so that a fault shows as an address, and its frame lies on the kernel's stack.
 */
#include <stdlib.h>
#include <string.h>

#include "diff.h"
#include "pcilab/base/le.h"
#include "pcilab/cpu/cpu.h"

/* Guest-physical addresses; the first 64 KiB are mapped to themselves, for level 0 only. */
enum {
    GPA_PML4 = 0x1000,
    GPA_PDPT = 0x2000,
    GPA_PD = 0x3000,
    GPA_PT_LOW = 0x4000,
    GPA_PT_USER = 0x5000,
    GPA_GDT = 0x6000,
    GPA_TSS = 0x6100,
    GPA_IDT = 0x7000,
    GPA_HANDLERS = 0x8000,
    GPA_STACK_TOP = 0xB000,
    GPA_LOW_END = 0x10000,
    GPA_CODE = 0x10000,
    GPA_DATA = 0x12000,
    GPA_END = 0x20000,
};

enum {
    HANDLER_BYTES = 16,
    SEL_KERNEL_CS = 0x08,
    SEL_USER_SS = 0x1B,
    SEL_USER_CS = 0x23,
    SEL_TSS = 0x28
};

enum { PTE_P = 1, PTE_W = 2, PTE_U = 4 };

struct guest {
    uint8_t *ram;
    struct cpu_group *group;
    struct cpu *cpu;
    struct cpu_state initial;
};

static void map_page(struct guest *g, uint32_t table, uint64_t va, uint64_t gpa, unsigned flags)
{
    le64_store(g->ram + table + (va >> 12 & 511) * 8, gpa | flags);
}

static void make_page_tables(struct guest *g)
{
    unsigned all = PTE_P | PTE_W | PTE_U;

    le64_store(g->ram + GPA_PML4, GPA_PDPT | all);
    le64_store(g->ram + GPA_PDPT, GPA_PD | all);
    le64_store(g->ram + GPA_PD, GPA_PT_LOW | all);
    le64_store(g->ram + GPA_PD + (DIFF_CODE >> 21) * 8, GPA_PT_USER | all);
    for (unsigned gpa = 0; gpa < GPA_LOW_END; gpa += DIFF_PAGE)
        map_page(g, GPA_PT_LOW, gpa, gpa, PTE_P | PTE_W);
    for (unsigned at = 0; at < DIFF_CODE_BYTES; at += DIFF_PAGE)
        map_page(g, GPA_PT_USER, DIFF_CODE + at, GPA_CODE + at, all);
    for (unsigned at = 0; at < DIFF_RW_BYTES; at += DIFF_PAGE)
        map_page(g, GPA_PT_USER, DIFF_DATA + at, GPA_DATA + at, all);
    map_page(g, GPA_PT_USER, DIFF_RO, GPA_DATA + DIFF_RW_BYTES, PTE_P | PTE_U);
}

static void make_descriptors(struct guest *g)
{
    uint8_t *gdt = g->ram + GPA_GDT;

    le64_store(gdt + SEL_KERNEL_CS, 0x00AF9B000000FFFF);
    le64_store(gdt + 0x10, 0x00CF93000000FFFF);
    le64_store(gdt + (SEL_USER_SS & ~7), 0x00CFF3000000FFFF);
    le64_store(gdt + (SEL_USER_CS & ~7), 0x00AFFB000000FFFF);
    le64_store(gdt + SEL_TSS, 0x00008B0000000067 | (uint64_t)GPA_TSS << 16);
    le64_store(g->ram + GPA_TSS + 4, GPA_STACK_TOP); /* RSP0 */
    le16_store(g->ram + GPA_TSS + 102, 0x68);        /* no I/O permission bitmap */
    for (unsigned v = 0; v < 32; v++) {
        uint64_t handler = GPA_HANDLERS + v * HANDLER_BYTES;
        /* An interrupt gate that level 3 may use: INT3 and INTO reach it. */
        le64_store(g->ram + GPA_IDT + 16 * v,
                   (handler & 0xFFFF) | SEL_KERNEL_CS << 16 | 0xEE0000000000);
        g->ram[handler] = 0xF4;
    }
}

static void make_state(struct cpu_state *s)
{
    s->cr0 = 0x80050033;
    s->cr3 = GPA_PML4;
    s->cr4 = 0x620; /* PAE, OSFXSR, OSXMMEXCPT */
    s->efer = 0xD01;
    s->gdt_base = GPA_GDT;
    s->gdt_limit = 0x3F;
    s->idt_base = GPA_IDT;
    s->idt_limit = 32 * 16 - 1;
    for (unsigned i = CPU_ES; i <= CPU_GS; i++)
        s->seg[i] = (struct cpu_seg){SEL_USER_SS, 0xCF3, 0xFFFFFFFF, 0};
    s->seg[CPU_CS] = (struct cpu_seg){SEL_USER_CS, 0xAFB, 0xFFFFFFFF, 0};
    s->seg[CPU_GS].base = DIFF_GS_BASE;
    s->seg[CPU_TR] = (struct cpu_seg){SEL_TSS, 0x8B, 0x67, GPA_TSS};
    s->dr[6] = 0xFFFF0FF0;
    s->dr[7] = 0x400;
}

struct guest *guest_new(void)
{
    struct guest *g = calloc(1, sizeof(*g));
    struct cpu_ram ram = {.gpa = 0, .size = GPA_END};
    struct cpu_group_config config = {
        .count = 1, .ps_per_insn = 1000, .tsc_hz = 1000000000, .ram = &ram, .ram_count = 1};

    g->ram = ram.host = aligned_alloc(DIFF_PAGE, GPA_END);
    memset(g->ram, 0, GPA_END);
    make_page_tables(g);
    make_descriptors(g);
    memcpy(g->ram + GPA_DATA + DIFF_RW_BYTES, diff_pool(), DIFF_PAGE);
    g->group = cpu_group_new(&config);
    g->cpu = cpu_group_get(g->group, 0);
    cpu_get_state(g->cpu, &g->initial);
    make_state(&g->initial);
    return g;
}

void guest_free(struct guest *g)
{
    cpu_group_free(g->group);
    free(g->ram);
    free(g);
}

const uint8_t *guest_data(const struct guest *g)
{
    return g->ram + GPA_DATA;
}

static bool has_error_code(int vector)
{
    return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
}

/* In the handler: registers but RIP, RFLAGS and RSP are still those of the fault. */
static void take_fault(struct guest *g, const struct cpu_state *s, struct diff_result *r)
{
    const uint8_t *frame = g->ram + (s->gpr[CPU_RSP] & (GPA_LOW_END - 1));

    r->vector = (int)(s->rip - GPA_HANDLERS) / HANDLER_BYTES;
    r->cr2 = s->cr2;
    if (has_error_code(r->vector)) {
        r->error_code = (uint32_t)le64_load(frame);
        frame += 8;
    }
    r->state.rip = le64_load(frame);
    r->state.rflags = le64_load(frame + 16);
    r->state.gpr[CPU_RSP] = le64_load(frame + 24);
}

/* The ends of a case: behind its last byte, and where a branch may go. */
static bool at_end(const struct diff_case *c, uint64_t rip)
{
    return rip == c->in.rip + c->len || rip == DIFF_TARGET;
}

static void put_code(struct guest *g, const struct diff_case *c)
{
    uint8_t *code = g->ram + GPA_CODE;
    size_t offset = c->in.rip - DIFF_CODE;

    /* HLT, which level 3 may not: #GP tells that the end is reached. */
    code[DIFF_TARGET - DIFF_CODE] = 0xF4;
    memcpy(code + offset, c->code, c->len);
    code[offset + c->len] = 0xF4;
    cpu_group_ram_written(g->group, GPA_CODE, DIFF_CODE_BYTES);
}

/*
 * Either one instruction at a time (a repeated string instruction may take several turns), or
 * all at once up to the HLT: processors take different ways then.
 */
static enum cpu_exit run(struct guest *g, const struct diff_case *c, struct cpu_state *s,
                         bool stepwise)
{
    uint64_t retired;
    unsigned runs = 0;
    enum cpu_exit exit;

    do {
        exit = cpu_run(g->cpu, 0, stepwise ? 1 : 100000, &retired);
        cpu_get_state(g->cpu, s);
    } while (exit == CPU_EXIT_BUDGET && s->seg[CPU_CS].selector & 3 && !at_end(c, s->rip) &&
             ++runs < 1000);
    return exit;
}

void guest_run(struct guest *g, const struct diff_case *c, struct diff_result *r)
{
    static struct cpu_state s;
    bool stepwise = c->pool_offset & 8;

    put_code(g, c);
    diff_fill_data(c, g->ram + GPA_DATA);
    s = g->initial;
    memcpy(s.gpr, c->in.gpr, sizeof(s.gpr));
    s.rip = c->in.rip;
    s.rflags = c->in.rflags;
    memcpy(s.fxsave, c->in.fxsave, sizeof(s.fxsave));
    cpu_set_state(g->cpu, &s);

    r->vector = -1;
    r->error_code = 0;
    r->cr2 = 0;
    enum cpu_exit exit = run(g, c, &s, stepwise);
    memcpy(r->state.gpr, s.gpr, sizeof(s.gpr));
    r->state.rip = s.rip;
    r->state.rflags = s.rflags;
    memcpy(r->state.fxsave, s.fxsave, sizeof(s.fxsave));
    if (exit == CPU_EXIT_ACCESS || exit == CPU_EXIT_SHUTDOWN)
        r->vector = 1000 + (int)exit;
    else if (!(s.seg[CPU_CS].selector & 3))
        take_fault(g, &s, r);
    if (r->vector == 13 && r->error_code == 0 && at_end(c, r->state.rip))
        r->vector = -1;
}
