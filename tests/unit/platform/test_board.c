/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine as a whole, with processors that follow a script: time, order, and where accesses
 * go. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fake_cpu.h"
#include "hw/platform/board.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/platform/enumerate.h"

#define EX_INTX 0x50 /* exerciser registers, docs/exerciser.md */
#define EX_IRQ  0x54

static struct machine *machine;
static GString *console;

static void on_output(void *opaque, uint8_t byte)
{
    g_string_append_printf(console, "%c@%" G_GUINT64_FORMAT " ", byte, machine->sim.now_ps);
}

/* hb0 with an exerciser below rp0 (00:03.0) and hb1, another segment, with an NVMe. */
static struct machine *build(unsigned cpus)
{
    struct machine_desc *desc = machine_desc_new();

    desc->cpus = cpus;
    desc->memory_bytes = 32 << 20;
    machine_desc_add(desc, MACHINE_HOST_BRIDGE, "hb0");
    struct machine_component *c = machine_desc_add(desc, MACHINE_ROOT_PORT, "rp0");
    c->parent = 0;
    c->device = 3;
    c = machine_desc_add(desc, MACHINE_EXERCISER, "ex0");
    c->parent = 1;
    c->exerciser.functions = 2;
    c = machine_desc_add(desc, MACHINE_HOST_BRIDGE, "hb1");
    c->bridge.segment = 1;
    c->bridge.bus_first = 0x20;
    c->bridge.bus_last = 0x2f;
    c = machine_desc_add(desc, MACHINE_ROOT_PORT, "rp1");
    c->parent = 3;
    c = machine_desc_add(desc, MACHINE_NVME, "nvme0");
    c->parent = 4;
    struct machine *m = machine_new(
        desc, &(struct machine_options){.seed = 1, .console = {.output = on_output}}, NULL);
    machine_desc_free(desc);
    ck_assert_ptr_nonnull(m);
    return m;
}

static void setup(void)
{
    console = g_string_new("");
    machine = build(1);
}

static void teardown(void)
{
    machine_free(machine);
    g_string_free(console, TRUE);
}

static void follow(unsigned cpu, const struct fake_step *script, unsigned steps)
{
    struct cpu *c = machine->slot[cpu].cpu;

    c->script = script;
    c->steps = steps;
    c->step = 0;
    machine->wake = true;
}

/* One access by processor 0; the value read. */
static uint64_t access_bus(enum cpu_access_kind kind, uint64_t addr, unsigned size, uint64_t value)
{
    struct cpu *cpu = machine->slot[0].cpu;
    struct fake_step step = {.insns = 10,
                             .reason = CPU_EXIT_ACCESS,
                             .access = {.kind = kind, .addr = addr, .size_bytes = size}};
    unsigned before = cpu->completed;

    le64_store(step.access.data, value);
    follow(0, &step, 1);
    machine_run(machine, machine->sim.now_ps + PS_PER_US);
    ck_assert_uint_eq(cpu->completed, before + 1);
    return size > 8 ? 0 : le_load(cpu->data, size);
}

static uint64_t rd(uint64_t addr, unsigned size)
{
    return access_bus(CPU_MEM_READ, addr, size, 0);
}

static void wr(uint64_t addr, unsigned size, uint64_t value)
{
    access_bus(CPU_MEM_WRITE, addr, size, value);
}

START_TEST(test_holes)
{
    ck_assert_uint_eq(rd(0xa0000, 8), UINT64_MAX);
    ck_assert_uint_eq(rd(0xfed00000, 4), 0xffffffff);
    ck_assert_uint_eq(rd(0x70000000, 2), 0xffff); /* above RAM, below the windows */
    ck_assert_uint_eq(rd(0xfffffffffffff000, 4), 0xffffffff);
    ck_assert_uint_eq(rd(0x80000000, 4), 0xffffffff);   /* a window, nothing behind it */
    ck_assert_uint_eq(rd(0x8001000000, 4), 0xffffffff); /* ECAM of a bus that no bridge has */
    ck_assert_uint_eq(access_bus(CPU_IO_READ, 0x62, 1, 0), 0xff);
    ck_assert_uint_eq(access_bus(CPU_IO_READ, 0x2000, 4, 0), 0xffffffff);
    wr(0xa0000, 8, 1);
    access_bus(CPU_MEM_READ, 0xa0000, 64, 0);
    ck_assert_uint_eq(machine->slot[0].cpu->data[63], 0xff);
}
END_TEST

START_TEST(test_config_space)
{
    uint64_t ecam = MAP_ECAM_BASE + (3 << 15);
    uint32_t ids = (uint32_t)rd(ecam, 4);

    ck_assert_uint_ne(ids, 0xffffffff);
    ck_assert_uint_eq(rd(ecam, 2), ids & 0xffff);
    ck_assert_uint_eq(rd(ecam + 2, 2), ids >> 16);
    ck_assert_uint_eq(rd(ecam, 8) & 0xffffffff, ids); /* two requests */
    ck_assert_uint_eq(rd(ecam + 3, 1), ids >> 24);
    ck_assert_uint_eq(rd(ecam + 2, 4) & 0xffff, ids >> 16); /* across a doubleword */
    wr(ecam + 0x18, 4, 0x00050400);
    ck_assert_uint_eq(rd(ecam + 0x19, 1), 4);

    access_bus(CPU_IO_WRITE, 0xcf8, 4, 0x80000000 | 3 << 11);
    ck_assert_uint_eq(access_bus(CPU_IO_READ, 0xcf8, 4, 0), 0x80000000 | 3 << 11);
    ck_assert_uint_eq(access_bus(CPU_IO_READ, 0xcfc, 4, 0), ids);
    ck_assert_uint_eq(access_bus(CPU_IO_READ, 0xcfe, 2, 0), ids >> 16);
    access_bus(CPU_IO_WRITE, 0xcf8, 4, 3 << 11); /* disabled */
    ck_assert_uint_eq(access_bus(CPU_IO_READ, 0xcfc, 4, 0), 0xffffffff);
    /* The second segment's ECAM lies above 4 GiB. */
    ck_assert_uint_eq(rd(MAP_ECAM_HIGH_BASE + (0x20ULL << 20) + (1 << 15), 4), ids);
    ck_assert_uint_eq(rd(MAP_ECAM_HIGH_BASE + (1 << 15), 4), 0xffffffff);
}
END_TEST

START_TEST(test_power_and_reset)
{
    struct fake_step off = {5, CPU_EXIT_ACCESS, {CPU_IO_WRITE, 1, MAP_SLEEP_PORT, {0x34}}};
    struct fake_step reset = {5, CPU_EXIT_ACCESS, {CPU_IO_WRITE, 1, MAP_RESET_PORT, {6}}};
    struct fake_step fault = {5, CPU_EXIT_SHUTDOWN, {0}};

    follow(0, &off, 1);
    ck_assert_int_eq(machine_run(machine, SIM_NEVER), MACHINE_POWERED_OFF);
    machine_restart(machine);
    follow(0, &reset, 1);
    ck_assert_int_eq(machine_run(machine, SIM_NEVER), MACHINE_RESET);
    *(uint8_t *)ram_ptr(&machine->ram, 0x5000, 1) = 1;
    machine_restart(machine);
    ck_assert_uint_eq(*(uint8_t *)ram_ptr(&machine->ram, 0x5000, 1), 0);
    follow(0, &fault, 1);
    ck_assert_int_eq(machine_run(machine, SIM_NEVER), MACHINE_DEAD);
    machine_restart(machine);
    ck_assert_int_eq(machine_run(machine, machine->sim.now_ps + PS_PER_MS), MACHINE_RUNNING);
}
END_TEST

START_TEST(test_idle)
{
    struct fake_step spin = {1000000, CPU_EXIT_HALT, {0}};

    ck_assert_int_eq(machine_run(machine, PS_PER_MS), MACHINE_RUNNING);
    ck_assert_uint_eq(machine->sim.now_ps, PS_PER_MS);
    ck_assert_uint_eq(machine_idle_until(machine), SIM_NEVER);
    ck_assert_int_eq(machine_run(machine, SIM_NEVER), MACHINE_RUNNING); /* returns at once */
    follow(0, &spin, 1);
    machine_run(machine, 2 * PS_PER_MS);
    ck_assert_uint_eq(machine_idle_until(machine), machine->sim.now_ps);
    ck_assert_uint_eq(machine_retired(machine), PS_PER_MS / BOARD_PS_PER_INSN);
    machine_run(machine, 10 * PS_PER_MS);
    wr(MAP_LAPIC_BASE + LAPIC_SVR, 4, 0x1ff);
    wr(MAP_LAPIC_BASE + LAPIC_LVT_TIMER, 4, 0x40);
    wr(MAP_LAPIC_BASE + LAPIC_DIVIDE, 4, 0xb);
    wr(MAP_LAPIC_BASE + LAPIC_INITIAL_COUNT, 4, 25000); /* 1 ms */
    uint64_t at = machine_idle_until(machine);
    ck_assert(at > machine->sim.now_ps && at < machine->sim.now_ps + PS_PER_MS);
    machine_run(machine, at + PS_PER_US);
    ck_assert_uint_eq(machine->slot[0].cpu->vectors_taken, 1);
}
END_TEST

#define PUTC(insns, c)                                                                             \
    {                                                                                              \
        insns, CPU_EXIT_ACCESS,                                                                    \
        {                                                                                          \
            CPU_IO_WRITE, 1, MAP_UART_PORT,                                                        \
            {                                                                                      \
                c                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }

static char *race(uint64_t slice_ps)
{
    static const struct fake_step a[] = {PUTC(100, 'a'), PUTC(20000, 'b'), PUTC(1, 'c'),
                                         PUTC(7777, 'd')};
    static const struct fake_step b[] = {PUTC(100, 'A'), PUTC(19999, 'B'), PUTC(3, 'C'),
                                         PUTC(1, 'D')};
    static const struct fake_step c[] = {PUTC(9, '1'), PUTC(12345, '2'), PUTC(1, '3')};

    g_string_truncate(console, 0);
    machine_free(machine);
    machine = build(3);
    follow(0, a, ARRAY_LEN(a));
    follow(1, b, ARRAY_LEN(b));
    follow(2, c, ARRAY_LEN(c));
    for (unsigned i = 0; i < 100000 && machine->sim.now_ps < PS_PER_MS; i++)
        ck_assert_int_eq(machine_run(machine, machine->sim.now_ps + slice_ps), MACHINE_RUNNING);
    return g_strdup(console->str);
}

/* Accesses happen in the order of their instants, whoever ran first; and how the caller slices
 * time changes nothing. */
START_TEST(test_order)
{
    char *whole = race(PS_PER_MS);

    ck_assert_str_eq(whole, "1@18000 a@200000 A@200000 2@24708000 3@24710000 B@40198000 "
                            "b@40200000 c@40202000 C@40204000 D@40206000 d@55756000 ");
    for (uint64_t slice = 1; slice < PS_PER_MS; slice *= 17) {
        char *sliced = race(slice);

        ck_assert_str_eq(sliced, whole);
        g_free(sliced);
    }
    g_free(whole);
}
END_TEST

struct found {
    unsigned count, bars;
    uint64_t start[64], end[64];
    uint64_t exerciser_bar0;
};

static void check_function(void *opaque, uint16_t segment, struct pci_rid rid,
                           const uint8_t config[4096])
{
    struct found *found = opaque;
    const struct map_bridge *map = &machine->bridge[segment].map;
    unsigned bars = config[0x0e] & 0x7f ? 2 : 6;

    found->count++;
    ck_assert(le16_load(config + 4) & 4);
    for (unsigned i = 0; i < bars; i++) {
        uint32_t low = le32_load(config + 0x10 + 4 * i);
        uint64_t addr = low & (low & 1 ? ~3u : ~15u);

        if (!low)
            continue;
        if ((low & 7) == 4)
            addr |= (uint64_t)le32_load(config + 0x14 + 4 * i++) << 32;
        bool inside = low & 1 ? addr - map->io_base < map->io_size
                              : addr - map->mem32_base < map->mem32_size ||
                                    addr - map->mem64_base < map->mem64_size;
        ck_assert(inside);
        for (unsigned j = 0; j < found->bars; j++)
            ck_assert(addr != found->start[j]);
        found->start[found->bars++] = addr;
        if (segment == 0 && rid.v == 0x100 && i == 0)
            found->exerciser_bar0 = addr;
    }
}

START_TEST(test_enumeration)
{
    struct found found = {0};
    GError *error = NULL;

    ck_assert(machine_enumerate(machine, &error));
    machine_visit_functions(machine, check_function, &found);
    /* Two host bridges' own functions, two root ports, two exerciser functions, an NVMe. */
    ck_assert_uint_eq(found.count, 7);
    ck_assert_uint_eq(found.bars, 2 * 4 + 1);
    ck_assert_uint_eq(rd(found.exerciser_bar0, 4), 0x58454c50);
    for (unsigned i = 0; i < 100; i++) { /* more posted writes than may be under way */
        wr(found.exerciser_bar0 + 0x30, 4, i);
        ck_assert_uint_eq(rd(found.exerciser_bar0 + 0x30, 4), i);
    }
}
END_TEST

static void ioapic(unsigned index, uint32_t value)
{
    wr(MAP_IOAPIC_BASE, 4, index);
    wr(MAP_IOAPIC_BASE + 0x10, 4, value);
}

START_TEST(test_interrupts_of_devices)
{
    struct found found = {0};
    struct cpu *cpu = machine->slot[0].cpu;
    unsigned line = (3 + 0) & 3; /* root port at device 3, INTA */

    ck_assert(machine_enumerate(machine, NULL));
    machine_visit_functions(machine, check_function, &found);
    wr(MAP_LAPIC_BASE + LAPIC_SVR, 4, 0x1ff);
    ioapic(0x10 + 2 * (MAP_INTX_GSI_EVEN + line), 0xa061);
    wr(found.exerciser_bar0 + EX_INTX, 4, 1);
    machine_run(machine, machine->sim.now_ps + PS_PER_US);
    ck_assert_uint_eq(cpu->vectors_taken, 1);
    ck_assert_uint_eq(machine->apics.lapic[0].isr[3], 2);
    wr(MAP_LAPIC_BASE + LAPIC_EOI, 4, 0); /* still asserted */
    machine_run(machine, machine->sim.now_ps + PS_PER_US);
    ck_assert_uint_eq(cpu->vectors_taken, 2);
    wr(found.exerciser_bar0 + EX_INTX, 4, 0);
    wr(MAP_LAPIC_BASE + LAPIC_EOI, 4, 0);
    machine_run(machine, machine->sim.now_ps + PS_PER_US);
    ck_assert_uint_eq(cpu->vectors_taken, 2);
}
END_TEST

START_TEST(test_descriptions_refused)
{
    struct machine_desc *desc = machine_desc_new();
    struct machine_options options = {0};
    struct machine_disk disk = {.name = "nvme9"};
    GError *error = NULL;

    desc->cpus = 9;
    ck_assert_ptr_null(machine_new(desc, &options, &error));
    g_clear_error(&error);
    desc->cpus = 1;
    desc->memory_bytes = 300ULL << 30;
    ck_assert_ptr_null(machine_new(desc, &options, &error));
    g_clear_error(&error);
    desc->memory_bytes = 4 << 20;
    options.disks = &disk;
    options.disk_count = 1;
    ck_assert_ptr_null(machine_new(desc, &options, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "nvme9"));
    g_clear_error(&error);
    machine_desc_free(desc);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("board");
    TCase *tc = tcase_create("board");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_holes);
    tcase_add_test(tc, test_config_space);
    tcase_add_test(tc, test_power_and_reset);
    tcase_add_test(tc, test_idle);
    tcase_add_test(tc, test_order);
    tcase_add_test(tc, test_enumeration);
    tcase_add_test(tc, test_interrupts_of_devices);
    tcase_add_test(tc, test_descriptions_refused);
    suite_add_tcase(suite, tc);

    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
