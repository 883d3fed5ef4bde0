/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest.h"

static int guest_ack(void *opaque, unsigned index)
{
    struct guest *g = opaque;
    int v = g->vector;
    ck_assert_uint_eq(index, 0);
    g->acks++;
    g->vector = -1;
    cpu_set_intr(g->cpu, false);
    return v;
}

static void guest_write_back(void *opaque, uint64_t gpa)
{
    struct guest *g = opaque;
    if (g->lines < sizeof(g->written_back) / sizeof(g->written_back[0])) {
        g->written_back[g->lines] = gpa;
    }
    g->lines++;
}

static void guest_write_back_all(void *opaque)
{
    struct guest *g = opaque;
    g->whole_caches++;
}

struct guest *guest_new(unsigned cpus)
{
    struct guest *g = calloc(1, sizeof(*g));
    g->ram = aligned_alloc(4096, GUEST_RAM);
    memset(g->ram, 0, GUEST_RAM);
    struct cpu_ram ram = {.gpa = 0, .size = GUEST_RAM, .host = g->ram};
    struct cpu_group_config config = {
        .count = cpus,
        .ps_per_insn = GUEST_PS,
        .tsc_hz = GUEST_TSC_HZ,
        .seed = 1,
        .ram = &ram,
        .ram_count = 1,
        .ack = guest_ack,
        .write_back = guest_write_back,
        .write_back_all = guest_write_back_all,
        .opaque = g,
    };
    g->group = cpu_group_new(&config);
    g->cpu = cpu_group_get(g->group, 0);
    g->vector = -1;
    return g;
}

void guest_free(struct guest *g)
{
    cpu_group_free(g->group);
    free(g->ram);
    free(g);
}

void guest_poke(struct guest *g, uint64_t at, uint64_t v)
{
    ck_assert_uint_le(at + 8, GUEST_RAM);
    memcpy(g->ram + at, &v, 8);
    cpu_group_ram_written(g->group, at, 8);
}

uint64_t guest_peek(struct guest *g, uint64_t at)
{
    uint64_t v;
    ck_assert_uint_le(at + 8, GUEST_RAM);
    memcpy(&v, g->ram + at, 8);
    return v;
}

void guest_load(struct guest *g, uint64_t at, const uint8_t *code, const uint8_t *end)
{
    memcpy(g->ram + at, code, (size_t)(end - code));
    cpu_group_ram_written(g->group, at, (uint64_t)(end - code));
}

void guest_set_gate(struct guest *g, unsigned vector, unsigned ist, unsigned dpl, uint64_t target)
{
    guest_poke(g, GUEST_IDT + 16 * vector,
               (target & 0xFFFF) | SEL_CODE << 16 | (uint64_t)ist << 32 | 0x8EULL << 40 |
                   (uint64_t)dpl << 45 | (target >> 16 & 0xFFFF) << 48);
    guest_poke(g, GUEST_IDT + 16 * vector + 8, target >> 32);
}

void guest_map_window(struct guest *g)
{
    guest_poke(g, GUEST_PDPT + 8 * (GUEST_WINDOW >> 30), 0xB000 | 7);
    guest_poke(g, 0xB000, GUEST_PT | 7);
}

void guest_set_pte(struct guest *g, unsigned n, uint64_t pte)
{
    guest_poke(g, GUEST_PT + 8 * n, pte);
}

static void set_segment(struct cpu_state *s, unsigned seg, uint16_t selector, uint16_t attr)
{
    s->seg[seg] = (struct cpu_seg){.selector = selector, .attr = attr, .limit = 0xFFFFFFFF};
}

void guest_long_mode(struct guest *g)
{
    struct cpu_state s;
    cpu_get_state(g->cpu, &s);
    guest_poke(g, GUEST_PML4, GUEST_PDPT | 7);
    guest_poke(g, GUEST_PDPT, GUEST_PD | 7);
    for (uint64_t i = 0; i < 512; i++) {
        guest_poke(g, GUEST_PD + 8 * i, i << 21 | 0x87);
    }
    guest_poke(g, GUEST_GDT + SEL_CODE, 0x00AF9B000000FFFF);
    guest_poke(g, GUEST_GDT + SEL_DATA, 0x00CF93000000FFFF);
    guest_poke(g, GUEST_GDT + (SEL_USER_DATA & ~3), 0x00CFF3000000FFFF);
    guest_poke(g, GUEST_GDT + (SEL_USER_CODE & ~3), 0x00AFFB000000FFFF);
    guest_poke(g, GUEST_GDT + SEL_TSS, 0x0000890000000067 | (uint64_t)GUEST_TSS << 16);
    guest_poke(g, GUEST_GDT + SEL_TSS + 8, 0);
    guest_poke(g, GUEST_TSS + 4, GUEST_STACK0);
    guest_poke(g, GUEST_TSS + 0x24, GUEST_IST1);
    for (unsigned v = 0; v < 256; v++) {
        guest_set_gate(g, v, 0, v == 3 ? 3 : 0, GUEST_STUBS + 16 * v);
        guest_poke(g, GUEST_STUBS + 16 * v, 0xF4F4F4F4F4F4F4F4);
    }
    memset(s.gpr, 0, sizeof(s.gpr));
    s.gpr[CPU_RSP] = GUEST_STACK;
    s.rip = GUEST_CODE_AT;
    s.rflags = 2;
    s.cr0 = 0x80010033;
    s.cr3 = GUEST_PML4;
    s.cr4 = 0x6A0;
    s.efer = 0xD01;
    s.gdt_base = GUEST_GDT;
    s.gdt_limit = 0x3F;
    s.idt_base = GUEST_IDT;
    s.idt_limit = 0xFFF;
    set_segment(&s, CPU_CS, SEL_CODE, 0xA9B);
    for (unsigned i = 0; i < 6; i++) {
        if (i != CPU_CS) {
            set_segment(&s, i, SEL_DATA, 0xC93);
        }
    }
    s.seg[CPU_TR] =
        (struct cpu_seg){.selector = SEL_TSS, .attr = 0x8B, .limit = 0x67, .base = GUEST_TSS};
    s.seg[CPU_LDTR] = (struct cpu_seg){0};
    cpu_set_state(g->cpu, &s);
}

static void guest_answer(struct guest *g)
{
    const struct cpu_access *a = cpu_access(g->cpu);
    uint8_t data[CPU_ACCESS_MAX_SIZE];
    bool read = a->kind == CPU_MEM_READ || a->kind == CPU_IO_READ || a->kind == CPU_MSR_READ ||
                a->kind == CPU_TPR_READ;
    ck_assert_uint_lt(g->accesses, GUEST_ACCESSES);
    g->log[g->accesses++] = *a;
    memset(data, 0xEE, sizeof(data));
    memcpy(data, &g->bus_value, 8);
    if (read) {
        g->bus_value++;
    }
    bool taken = a->kind == CPU_MEM_ENQUEUE && !g->refuse;
    cpu_complete(g->cpu, read || taken ? data : NULL, g->bus_fault);
}

enum cpu_exit guest_run(struct guest *g, uint64_t quantum, uint64_t max)
{
    uint64_t end = g->retired + max;
    for (;;) {
        uint64_t retired, budget = end - g->retired < quantum ? end - g->retired : quantum;
        if (budget == 0) {
            return CPU_EXIT_BUDGET;
        }
        enum cpu_exit why = cpu_run(g->cpu, g->now_ps, budget, &retired);
        ck_assert_uint_le(retired, budget);
        g->retired += retired;
        g->now_ps += retired * GUEST_PS;
        if (why == CPU_EXIT_ACCESS) {
            guest_answer(g);
        } else if (why != CPU_EXIT_BUDGET) {
            return why;
        } else {
            ck_assert_uint_eq(retired, budget);
        }
    }
}

enum cpu_exit guest_execute(struct guest *g, const uint8_t *code, const uint8_t *end)
{
    guest_load(g, GUEST_CODE_AT, code, end);
    return guest_run(g, 1000, 1000000);
}

struct cpu_state guest_state(struct guest *g)
{
    struct cpu_state s;
    cpu_get_state(g->cpu, &s);
    return s;
}

uint64_t guest_reg(struct guest *g, unsigned reg)
{
    return guest_state(g).gpr[reg];
}

int guest_vector(struct guest *g)
{
    uint64_t rip = guest_state(g).rip - 1;
    return rip >= GUEST_STUBS && rip < GUEST_STUBS + 0x1000 ? (int)(rip - GUEST_STUBS) / 16 : -1;
}

uint64_t guest_frame(struct guest *g, unsigned word)
{
    return guest_peek(g, guest_reg(g, CPU_RSP) + 8 * word);
}

int guest_run_suite(Suite *suite)
{
    SRunner *r = srunner_create(suite);
    srunner_set_tap(r, "-");
    srunner_run_all(r, CK_SILENT);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
