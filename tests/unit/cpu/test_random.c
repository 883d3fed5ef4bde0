/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Noise: two processors that share RAM full of random bytes execute it, in every mode, with
 * interrupts, NMIs, resets, DMA and random answers from the bus. Nothing may crash (this is the
 * test to run under sanitizers), and how a run is cut into pieces must not be visible: the same
 * guest is run with several quanta, down to single instructions, and must end in the same state.
 *
 * CPU_RANDOM_GUESTS in the environment sets how many guests are tried, CPU_RANDOM_SEED the first.
 */
#include "guest.h"
#include "pcilab/sim/rng.h"

#define CPUS  2
#define RAM   (4u << 20)
#define TURN  997u
#define TURNS 40u

struct noise {
    uint8_t *ram;
    struct cpu_group *group;
    struct cpu *cpu[CPUS];
    uint64_t now_ps[CPUS], retired[CPUS];
    struct sim_rng rng; /* answers and events: drawn in an order that the quantum cannot change */
    uint64_t accesses;
};

static int noise_ack(void *opaque, unsigned index)
{
    struct noise *n = opaque;
    cpu_set_intr(n->cpu[index], false);
    uint64_t r = sim_rng_next(&n->rng);
    return r % 16 == 0 ? -1 : (int)(r >> 8 & 0xFF);
}

static void put64(struct noise *n, uint64_t at, uint64_t v)
{
    memcpy(n->ram + at, &v, 8);
}

/* Opcodes are worth more than bytes: system instructions, prefixes, string instructions. */
static void fill_code(struct noise *n, uint64_t from, uint64_t to)
{
    static const uint8_t spice[] = {0x0F, 0x48, 0x66, 0xF3, 0xF2, 0x65, 0x89, 0x8B, 0xA4, 0xAA,
                                    0xC7, 0xFF, 0xE8, 0xEB, 0x75, 0xFB, 0xC3, 0x90, 0xF0, 0x83};
    for (uint64_t i = from; i < to; i++) {
        uint64_t r = sim_rng_next(&n->rng);
        n->ram[i] = r & 1 ? spice[(r >> 8) % sizeof(spice)] : (uint8_t)(r >> 8);
    }
}

/* Tables as in guest.c, at the same places; handlers jump to somewhere at random. */
static void make_tables(struct noise *n, bool pae)
{
    static const uint8_t handler[] = {
        0x48, 0x0F, 0xC7, 0xF0,             /* rdrand rax */
        0x25, 0xFF, 0xFF, 0x3F, 0x00,       /* and eax, 3fffffh */
        0x48, 0x89, 0xC7,                   /* mov rdi, rax */
        0x48, 0x0F, 0xC7, 0xF1,             /* rdrand rcx */
        0x81, 0xE1, 0xFF, 0x03, 0x00, 0x00, /* and ecx, 3ffh */
        0xFF, 0xE0,                         /* jmp rax */
    };
    for (unsigned i = 0; i < 512; i++) {
        put64(n, GUEST_PML4 + 8 * i, i ? 0 : GUEST_PDPT | 7);
        put64(n, GUEST_PDPT + 8 * i,
              i ? sim_rng_next(&n->rng) & ~0x1EULL : GUEST_PD | (pae ? 1 : 7));
        put64(n, GUEST_PD + 8 * i, i < 16 ? i << 21 | 0x87 : sim_rng_next(&n->rng) & 0x7FF001);
    }
    put64(n, GUEST_PD, GUEST_PT | 7);
    for (uint64_t i = 0; i < 512; i++) {
        put64(n, GUEST_PT + 8 * i, i << 12 | (sim_rng_next(&n->rng) % 32 ? 7 : 5));
    }
    put64(n, GUEST_GDT + SEL_CODE, 0x00AF9B000000FFFF);
    put64(n, GUEST_GDT + SEL_DATA, 0x00CF93000000FFFF);
    put64(n, GUEST_GDT + 0x18, 0x00CFF3000000FFFF);
    put64(n, GUEST_GDT + 0x20, 0x00AFFB000000FFFF);
    put64(n, GUEST_GDT + SEL_TSS, 0x0000890000000067 | (uint64_t)GUEST_TSS << 16);
    put64(n, GUEST_GDT + 0x38, 0x00CF9B000000FFFF);
    put64(n, GUEST_TSS + 4, GUEST_STACK0);
    put64(n, GUEST_TSS + 0x24, GUEST_IST1);
    for (unsigned v = 0; v < 256; v++) {
        put64(n, GUEST_IDT + 16 * v,
              GUEST_STUBS | SEL_CODE << 16 | 1ULL << 32 | (v & 1 ? 0xEEULL : 0x8EULL) << 40);
        put64(n, GUEST_IDT + 16 * v + 8, 0);
    }
    memcpy(n->ram + GUEST_STUBS, handler, sizeof(handler));
}

enum mode { LONG, USER, COMPAT, PAE32, PAGED32, FLAT32, PROT16, REAL, MODES };

static void start(struct noise *n, struct cpu *cpu, enum mode mode)
{
    static const uint16_t code_attr[MODES] = {0xA9B, 0xAFB, 0xCFB, 0xC9B,
                                              0xC9B, 0xC9B, 0x09B, 0x09B};
    struct cpu_state s;
    cpu_get_state(cpu, &s);
    for (unsigned i = 0; i < 16; i++) {
        uint64_t r = sim_rng_next(&n->rng);
        s.gpr[i] = r & 1 ? r >> 8 : r >> 42;
    }
    s.gpr[CPU_RSP] = mode == REAL || mode == PROT16 ? 0x8000 : GUEST_STACK;
    s.rip = mode >= PROT16 ? 0x9000 : sim_rng_next(&n->rng) % (RAM - 0x100000) + 0x80000;
    s.rflags = 2 | (sim_rng_next(&n->rng) & 0xED5);
    s.cr0 = mode <= PAGED32 ? 0x80010033 : mode == REAL ? 0x10 : 0x11;
    s.cr3 = mode == PAE32 ? GUEST_PDPT : mode == PAGED32 ? 0x90000 : GUEST_PML4;
    s.cr4 = mode == PAGED32 ? 0x6D0 : mode <= PAE32 ? 0x6E0 : 0x600;
    s.efer = mode <= COMPAT ? 0xD01 : 0;
    s.gdt_base = GUEST_GDT;
    s.gdt_limit = 0x3F;
    s.idt_base = mode == REAL ? 0 : GUEST_IDT;
    s.idt_limit = 0xFFF;
    for (unsigned i = 0; i < 6; i++) {
        uint16_t user = mode == USER || mode == COMPAT ? 0x60 : 0;
        uint16_t attr = mode >= PROT16 ? 0x093 : (uint16_t)(0xC93 | user);
        s.seg[i] = (struct cpu_seg){.selector = user ? SEL_USER_DATA : SEL_DATA,
                                    .attr = i == CPU_CS ? code_attr[mode] : attr,
                                    .limit = mode >= PROT16 ? 0xFFFF : 0xFFFFFFFF};
    }
    s.seg[CPU_CS].selector = mode == USER ? SEL_USER_CODE : SEL_CODE;
    s.seg[CPU_TR] =
        (struct cpu_seg){.selector = SEL_TSS, .attr = 0x8B, .limit = 0x67, .base = GUEST_TSS};
    cpu_set_state(cpu, &s);
}

static void answer(struct noise *n, struct cpu *cpu)
{
    const struct cpu_access *a = cpu_access(cpu);
    uint64_t data[CPU_ACCESS_MAX_SIZE / 8];
    bool memory = a->kind == CPU_MEM_READ || a->kind == CPU_MEM_WRITE;
    bool read = a->kind == CPU_MEM_READ || a->kind == CPU_IO_READ || a->kind == CPU_MSR_READ ||
                a->kind == CPU_TPR_READ;
    ck_assert(a->size_bytes >= 1 && a->size_bytes <= (read ? 16u : 64u));
    ck_assert(!memory || (a->addr >> 12) == ((a->addr + a->size_bytes - 1) >> 12));
    ck_assert(!memory || a->addr >= RAM);
    for (unsigned i = 0; i < CPU_ACCESS_MAX_SIZE / 8; i++) {
        data[i] = sim_rng_next(&n->rng);
    }
    n->accesses++;
    cpu_complete(cpu, read ? data : NULL, !memory && data[0] % 8 == 0);
}

/* What happens between two turns. */
static void event(struct noise *n, unsigned index)
{
    uint64_t r = sim_rng_next(&n->rng);
    struct cpu *cpu = n->cpu[index];
    switch (r % 8) {
    case 0: cpu_set_intr(cpu, true); break;
    case 1: cpu_raise_nmi(cpu); break;
    case 2: {
        uint64_t at = (r >> 8) % (RAM - 64);
        n->ram[at] ^= (uint8_t)(r >> 40);
        cpu_group_ram_written(n->group, at, 1 + (r >> 48) % 64);
        break;
    }
    case 3:
        if (r >> 60 == 0) {
            cpu_init_signal(cpu);
        }
        cpu_sipi(cpu, 9);
        break;
    default: break;
    }
}

static void turn(struct noise *n, unsigned index, uint64_t quantum)
{
    struct cpu *cpu = n->cpu[index];
    uint64_t left = TURN, enough = n->accesses + 300; /* a REP MOVS to the bus takes long */
    while (left && n->accesses < enough) {
        uint64_t retired, budget = left < quantum ? left : quantum;
        enum cpu_exit why = cpu_run(cpu, n->now_ps[index], budget, &retired);
        ck_assert_uint_le(retired, budget);
        left -= retired;
        n->now_ps[index] += retired * GUEST_PS;
        n->retired[index] += retired;
        ck_assert_uint_eq(cpu_retired_total(cpu), n->retired[index]);
        if (why == CPU_EXIT_ACCESS) {
            answer(n, cpu);
        } else if (why == CPU_EXIT_HALT) {
            cpu_raise_nmi(cpu);
            return; /* how much of the turn is left depends on nothing but the guest */
        } else if (why == CPU_EXIT_SHUTDOWN) {
            start(n, cpu, LONG);
            cpu_init_signal(cpu);
            return;
        } else if (why == CPU_EXIT_WAIT_SIPI) {
            return;
        }
    }
}

struct result {
    struct cpu_state state[CPUS];
    uint64_t retired[CPUS], accesses;
    uint8_t *ram;
};

static void run_noise(uint64_t seed, uint64_t quantum, struct result *out)
{
    struct noise n = {.ram = aligned_alloc(4096, RAM)};
    struct cpu_ram ram = {.gpa = 0, .size = RAM, .host = n.ram};
    struct cpu_group_config config = {
        .count = CPUS,
        .ps_per_insn = GUEST_PS,
        .tsc_hz = GUEST_TSC_HZ,
        .seed = seed,
        .ram = &ram,
        .ram_count = 1,
        .ack = noise_ack,
        .opaque = &n,
    };
    sim_rng_init(&n.rng, seed, "noise");
    fill_code(&n, 0, RAM);
    enum mode mode = (enum mode)(seed % MODES);
    make_tables(&n, mode == PAE32);
    for (unsigned i = 0; i < 1024; i++) {
        uint32_t pde = i << 22 | 0x87;
        memcpy(n.ram + 0x90000 + 4 * i, &pde, 4);
    }
    n.group = cpu_group_new(&config);
    for (unsigned i = 0; i < CPUS; i++) {
        n.cpu[i] = cpu_group_get(n.group, i);
    }
    start(&n, n.cpu[0], mode);
    cpu_sipi(n.cpu[1], 9);
    if (mode < PROT16) {
        start(&n, n.cpu[1], LONG);
    }
    for (unsigned t = 0; t < TURNS; t++) {
        for (unsigned i = 0; i < CPUS; i++) {
            event(&n, i);
            turn(&n, i, quantum);
        }
    }
    for (unsigned i = 0; i < CPUS; i++) {
        cpu_get_state(n.cpu[i], &out->state[i]);
        out->retired[i] = n.retired[i];
    }
    out->accesses = n.accesses;
    out->ram = n.ram;
    cpu_group_free(n.group);
}

static unsigned long setting(const char *name, unsigned long otherwise)
{
    const char *v = getenv(name);
    return v ? strtoul(v, NULL, 0) : otherwise;
}

START_TEST(test_noise)
{
    static const unsigned quanta[] = {1, 13, 200};
    unsigned long guests = setting("CPU_RANDOM_GUESTS", 24), first = setting("CPU_RANDOM_SEED", 0);
    uint64_t total = 0;
    for (unsigned long seed = first; seed < first + guests; seed++) {
        struct result a, b;
        run_noise(seed, TURN, &a);
        total += a.retired[0] + a.retired[1];
        for (unsigned q = 0; q < sizeof(quanta) / sizeof(quanta[0]); q++) {
            run_noise(seed, quanta[q], &b);
            for (unsigned i = 0; i < CPUS; i++) {
                ck_assert_msg(a.retired[i] == b.retired[i] &&
                                  !memcmp(&a.state[i], &b.state[i], sizeof(a.state[i])),
                              "seed %lu, processor %u: quantum %u differs", seed, i, quanta[q]);
            }
            ck_assert_msg(a.accesses == b.accesses && !memcmp(a.ram, b.ram, RAM),
                          "seed %lu: quantum %u differs in memory", seed, quanta[q]);
            free(b.ram);
        }
        free(a.ram);
    }
    /* The guests really lived: else this tests nothing. */
    ck_assert_uint_gt(total, guests * 10000);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cpu-random");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 0);
    tcase_add_test(t, test_noise);
    suite_add_tcase(s, t);
    return guest_run_suite(s);
}
