/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "fake_cpu.h"
#include "hw/platform/ioapic.h"
#include "hw/platform/lapic.h"
#include "pcilab/base/bits.h"
#include "pcilab/platform/addrmap.h"

#define CPUS 4
#define TICK 40000ULL /* 25 MHz in picoseconds */

struct rig {
    struct sim sim;
    struct trace trace;
    struct cpu_group *cpus;
    struct apic_bus apics;
    struct ioapic ioapic;
    struct bus memory;
    unsigned eois;
};

static int rig_ack(void *opaque, unsigned index)
{
    struct rig *rig = opaque;

    return lapic_ack(&rig->apics.lapic[index]);
}

static void rig_eoi(void *opaque, uint8_t vector)
{
    struct rig *rig = opaque;

    rig->eois++;
    ioapic_eoi(&rig->ioapic, vector);
}

static void rig_kick(void *opaque)
{
}

static struct rig rig;

static uint64_t mmio(unsigned offset)
{
    return MAP_LAPIC_BASE + offset;
}

static void wr(unsigned cpu, unsigned offset, uint32_t value)
{
    lapic_mmio_write(&rig.apics.lapic[cpu], mmio(offset), 4, value);
}

static uint32_t rd(unsigned cpu, unsigned offset)
{
    return lapic_mmio_read(&rig.apics.lapic[cpu], mmio(offset), 4);
}

static int ack(unsigned cpu)
{
    return lapic_ack(&rig.apics.lapic[cpu]);
}

static void setup(void)
{
    rig = (struct rig){0};
    sim_init(&rig.sim, 1);
    rig.trace.now_ps = &rig.sim.now_ps;
    rig.cpus = cpu_group_new(&(struct cpu_group_config){.count = CPUS, .ack = rig_ack});
    apic_bus_init(&rig.apics, &(struct apic_bus_config){.sim = &rig.sim,
                                                        .trace = &rig.trace,
                                                        .cpus = rig.cpus,
                                                        .count = CPUS,
                                                        .crystal_hz = 25000000,
                                                        .eoi = rig_eoi,
                                                        .kick = rig_kick,
                                                        .opaque = &rig});
    ioapic_init(&rig.ioapic, &rig.apics);
    ioapic_attach(&rig.ioapic, &rig.memory);
    for (unsigned i = 0; i < CPUS; i++)
        wr(i, LAPIC_SVR, 0x1ff);
}

static void teardown(void)
{
    ioapic_fini(&rig.ioapic);
    apic_bus_fini(&rig.apics);
    cpu_group_free(rig.cpus);
    sim_fini(&rig.sim);
}

static void send_fixed(uint8_t dest, bool logical, uint8_t vector)
{
    apic_deliver(&rig.apics,
                 &(struct apic_message){.dest = dest, .logical = logical, .vector = vector});
}

static void go_x2(unsigned cpu)
{
    struct lapic *lapic = &rig.apics.lapic[cpu];

    ck_assert(lapic_msr_write(lapic, 0x1b, lapic->base_msr | APIC_BASE_EXTD));
}

START_TEST(test_reset_values)
{
    apic_bus_reset(&rig.apics);
    ck_assert_uint_eq(rd(2, LAPIC_ID), 2u << 24);
    ck_assert_uint_eq(rd(0, LAPIC_VERSION), 0x50015);
    ck_assert_uint_eq(rd(0, LAPIC_SVR), 0xff);
    ck_assert_uint_eq(rd(0, LAPIC_DFR), 0xffffffff);
    ck_assert_uint_eq(rd(0, LAPIC_LVT_LINT0), LAPIC_LVT_MASKED);
    uint64_t base;
    ck_assert(lapic_msr_read(&rig.apics.lapic[0], 0x1b, &base));
    ck_assert_uint_eq(base, 0xfee00900);
    ck_assert(lapic_msr_read(&rig.apics.lapic[1], 0x1b, &base));
    ck_assert_uint_eq(base, 0xfee00800);
}
END_TEST

static uint64_t traced_ps;

static void trace_emitted(struct trace_sink *sink, const struct trace_event *event)
{
    traced_ps = event->time_ps;
}

START_TEST(test_taken_at_the_processors_instant)
{
    struct trace_sink sink = {.emit = trace_emitted, .kinds = BIT(TRACE_IRQ)};

    trace_add_sink(&rig.trace, &sink);
    rig.cpus->cpu[0].now_ps = 12345;
    send_fixed(0, false, 0x45);
    ck_assert_int_eq(ack(0), 0x45);
    ck_assert_uint_eq(traced_ps, 12345); /* not the clock's, which is that of a slice */
    trace_remove_sink(&rig.trace, &sink);
}
END_TEST

START_TEST(test_priorities_nest)
{
    send_fixed(0, false, 0x45);
    ck_assert(rig.cpus->cpu[0].intr);
    ck_assert_int_eq(ack(0), 0x45);
    ck_assert(!rig.cpus->cpu[0].intr);
    send_fixed(0, false, 0x4f); /* same class waits */
    ck_assert(!rig.cpus->cpu[0].intr);
    ck_assert_int_eq(ack(0), -1);
    send_fixed(0, false, 0x51); /* a higher one does not */
    ck_assert_int_eq(ack(0), 0x51);
    ck_assert_uint_eq(rd(0, LAPIC_PPR), 0x50);
    wr(0, LAPIC_EOI, 0);
    ck_assert_uint_eq(rd(0, LAPIC_PPR), 0x40);
    wr(0, LAPIC_EOI, 0);
    ck_assert_int_eq(ack(0), 0x4f);
    ck_assert_uint_eq(rd(0, LAPIC_ISR + 0x20), 1u << 0xf);
}
END_TEST

START_TEST(test_task_priority_holds_back)
{
    struct lapic *lapic = &rig.apics.lapic[0];

    ck_assert(lapic_cr8_write(lapic, 6));
    ck_assert_uint_eq(rd(0, LAPIC_TPR), 0x60);
    send_fixed(0, false, 0x6f);
    ck_assert(!rig.cpus->cpu[0].intr);
    ck_assert_uint_eq(rd(0, LAPIC_IRR + 0x30), 1u << 0xf);
    ck_assert(lapic_cr8_write(lapic, 5));
    ck_assert(rig.cpus->cpu[0].intr);
    ck_assert(!lapic_cr8_write(lapic, 16));
    ck_assert_uint_eq(lapic_cr8_read(lapic), 5);
}
END_TEST

START_TEST(test_destinations)
{
    for (unsigned i = 0; i < CPUS; i++)
        wr(i, LAPIC_LDR, 1u << (24 + i));
    send_fixed(0x0a, true, 0x40); /* flat: processors 1 and 3 */
    for (unsigned i = 0; i < CPUS; i++)
        ck_assert_int_eq(ack(i), i % 2 ? 0x40 : -1);
    send_fixed(0xff, false, 0x80);
    for (unsigned i = 0; i < CPUS; i++)
        ck_assert_int_eq(ack(i), 0x80);
    for (unsigned i = 0; i < CPUS; i++) { /* clusters 0 and 1 of two each */
        wr(i, LAPIC_DFR, 0x0fffffff);
        wr(i, LAPIC_LDR, (i / 2) << 28 | 1u << (24 + i % 2));
    }
    send_fixed(0x12, true, 0x90);
    for (unsigned i = 0; i < CPUS; i++)
        ck_assert_int_eq(ack(i), i == 3 ? 0x90 : -1);
}
END_TEST

START_TEST(test_lowest_priority)
{
    wr(0, LAPIC_TPR, 0x20);
    wr(1, LAPIC_TPR, 0x10);
    wr(2, LAPIC_TPR, 0x10);
    wr(3, LAPIC_SVR, 0xff); /* disabled: does not count */
    apic_deliver_msi(&rig.apics, 0xfeeff000, 0x0151);
    ck_assert_int_eq(ack(0), -1);
    ck_assert_int_eq(ack(1), 0x51);
    ck_assert_int_eq(ack(2), -1);
    ck_assert_int_eq(ack(3), -1);
}
END_TEST

START_TEST(test_startup_messages)
{
    wr(0, LAPIC_ICR_HIGH, 1u << 24);
    wr(0, LAPIC_ICR, 0xc500); /* INIT, level assert */
    wr(0, LAPIC_ICR, 0x8500); /* INIT, level de-assert */
    wr(0, LAPIC_ICR, 0x0699); /* start-up */
    ck_assert_uint_eq(rig.cpus->cpu[1].inits, 1);
    ck_assert_uint_eq(rig.cpus->cpu[1].sipis, 1);
    ck_assert_uint_eq(rig.cpus->cpu[1].sipi_vector, 0x99);
    ck_assert_uint_eq(rig.cpus->cpu[0].inits + rig.cpus->cpu[2].inits, 0);
    ck_assert_uint_eq(rd(1, LAPIC_SVR), 0xff); /* INIT resets the local APIC */
    wr(0, LAPIC_ICR, 0xc0400); /* NMI to the others; processor 1 is disabled by software only */
    for (unsigned i = 0; i < CPUS; i++)
        ck_assert_uint_eq(rig.cpus->cpu[i].nmis, i != 0);
}
END_TEST

START_TEST(test_shorthands)
{
    wr(1, LAPIC_ICR, 0x400f0); /* self */
    ck_assert_int_eq(ack(0), -1);
    ck_assert_int_eq(ack(1), 0xf0);
    wr(1, LAPIC_EOI, 0);
    wr(1, LAPIC_ICR, 0x800f1); /* all */
    for (unsigned i = 0; i < CPUS; i++)
        ck_assert_int_eq(ack(i), 0xf1);
}
END_TEST

START_TEST(test_errors)
{
    wr(0, LAPIC_LVT_ERROR, 0xfe);
    wr(0, LAPIC_ICR, 0x40008); /* vector 8 to self */
    ck_assert_int_eq(ack(0), 0xfe);
    ck_assert_uint_eq(rd(0, LAPIC_ESR), 0); /* not loaded yet */
    wr(0, LAPIC_ESR, 0);
    ck_assert_uint_eq(rd(0, LAPIC_ESR), LAPIC_ERROR_SEND_ILLEGAL);
    send_fixed(0, false, 3);
    wr(0, LAPIC_ESR, 0);
    ck_assert_uint_eq(rd(0, LAPIC_ESR), LAPIC_ERROR_RECEIVE_ILLEGAL);
    wr(0, LAPIC_LVT_ERROR, 0x05); /* an illegal vector for illegal vectors: no loop */
    send_fixed(0, false, 3);
    wr(0, LAPIC_ESR, 0);
    ck_assert_uint_eq(rd(0, LAPIC_ESR), LAPIC_ERROR_RECEIVE_ILLEGAL);
}
END_TEST

START_TEST(test_software_disable)
{
    wr(0, LAPIC_LVT_TIMER, 0x30);
    wr(0, LAPIC_SVR, 0xff);
    ck_assert_uint_eq(rd(0, LAPIC_LVT_TIMER), LAPIC_LVT_MASKED | 0x30);
    wr(0, LAPIC_LVT_TIMER, 0x31); /* cannot be unmasked */
    ck_assert_uint_eq(rd(0, LAPIC_LVT_TIMER), LAPIC_LVT_MASKED | 0x31);
    send_fixed(0, false, 0x40);
    ck_assert_int_eq(ack(0), -1);
}
END_TEST

START_TEST(test_timer_one_shot)
{
    wr(0, LAPIC_DIVIDE, 0xb); /* by 1 */
    wr(0, LAPIC_LVT_TIMER, 0x40);
    wr(0, LAPIC_INITIAL_COUNT, 100);
    sim_run_until(&rig.sim, 60 * TICK);
    ck_assert_uint_eq(rd(0, LAPIC_CURRENT_COUNT), 40);
    ck_assert(!rig.cpus->cpu[0].intr);
    sim_run_until(&rig.sim, 100 * TICK - 1);
    ck_assert(!rig.cpus->cpu[0].intr);
    sim_run_until(&rig.sim, 100 * TICK);
    ck_assert_int_eq(ack(0), 0x40);
    ck_assert_uint_eq(rd(0, LAPIC_CURRENT_COUNT), 0);
    wr(0, LAPIC_EOI, 0);
    sim_run_until(&rig.sim, 1000 * TICK);
    ck_assert(!rig.cpus->cpu[0].intr);
    ck_assert_uint_eq(sim_next_ps(&rig.sim), SIM_NEVER);
}
END_TEST

START_TEST(test_timer_periodic)
{
    unsigned fired = 0;

    wr(0, LAPIC_DIVIDE, 0x0); /* by 2 */
    wr(0, LAPIC_LVT_TIMER, 0x20040);
    wr(0, LAPIC_INITIAL_COUNT, 10);
    for (unsigned t = 1; t <= 100; t++) {
        sim_run_until(&rig.sim, t * TICK);
        if (ack(0) == 0x40) {
            ck_assert_uint_eq(t % 20, 0);
            wr(0, LAPIC_EOI, 0);
            fired++;
        }
    }
    ck_assert_uint_eq(fired, 5);
    wr(0, LAPIC_LVT_TIMER, 0x30040); /* masked: still counts, without events */
    ck_assert_uint_eq(sim_next_ps(&rig.sim), SIM_NEVER);
    sim_run_until(&rig.sim, 105 * TICK);
    ck_assert_uint_eq(rd(0, LAPIC_CURRENT_COUNT), 8);
    wr(0, LAPIC_LVT_TIMER, 0x20040);
    ck_assert_uint_eq(sim_next_ps(&rig.sim), 120 * TICK);
    wr(0, LAPIC_INITIAL_COUNT, 0);
    ck_assert_uint_eq(sim_next_ps(&rig.sim), SIM_NEVER);
}
END_TEST

START_TEST(test_timer_divide_change)
{
    wr(0, LAPIC_DIVIDE, 0xb);
    wr(0, LAPIC_LVT_TIMER, 0x40);
    wr(0, LAPIC_INITIAL_COUNT, 100);
    sim_run_until(&rig.sim, 50 * TICK);
    wr(0, LAPIC_DIVIDE, 0xa); /* by 128 */
    ck_assert_uint_eq(rd(0, LAPIC_CURRENT_COUNT), 50);
    ck_assert_uint_eq(sim_next_ps(&rig.sim), 50 * TICK + 50 * 128 * TICK);
}
END_TEST

START_TEST(test_timer_deadline)
{
    struct lapic *lapic = &rig.apics.lapic[0];
    uint64_t value = 1;

    ck_assert(lapic_msr_write(lapic, 0x6e0, 5000)); /* not in that mode: ignored */
    ck_assert(lapic_msr_read(lapic, 0x6e0, &value));
    ck_assert_uint_eq(value, 0);
    wr(0, LAPIC_LVT_TIMER, 0x40040);
    ck_assert(lapic_msr_write(lapic, 0x6e0, 5000));
    wr(0, LAPIC_DIVIDE, 0xb); /* does not matter here */
    sim_run_until(&rig.sim, 4999999);
    ck_assert(!rig.cpus->cpu[0].intr);
    sim_run_until(&rig.sim, 5000000);
    ck_assert_int_eq(ack(0), 0x40);
    ck_assert(lapic_msr_read(lapic, 0x6e0, &value));
    ck_assert_uint_eq(value, 0);
    wr(0, LAPIC_EOI, 0);
    ck_assert(lapic_msr_write(lapic, 0x6e0, 17)); /* in the past: at once */
    sim_run_until(&rig.sim, 5000000);
    ck_assert_int_eq(ack(0), 0x40);
    ck_assert(lapic_msr_write(lapic, 0x6e0, 9000));
    wr(0, LAPIC_LVT_TIMER, 0x40); /* leaving the mode disarms */
    ck_assert_uint_eq(sim_next_ps(&rig.sim), SIM_NEVER);
    wr(0, LAPIC_LVT_TIMER, 0x40040);
    ck_assert(lapic_msr_write(lapic, 0x6e0, UINT64_MAX)); /* never, and no overflow */
    ck_assert_uint_eq(sim_next_ps(&rig.sim), SIM_NEVER);
}
END_TEST

START_TEST(test_x2apic_transitions)
{
    struct lapic *lapic = &rig.apics.lapic[1];
    uint64_t value;

    ck_assert(!lapic_msr_read(lapic, 0x802, &value)); /* not in x2APIC mode */
    ck_assert(!lapic_msr_write(lapic, 0x1b, MAP_LAPIC_BASE | APIC_BASE_EXTD));
    ck_assert(!lapic_msr_write(lapic, 0x1b, 1ULL << 50));
    go_x2(1);
    ck_assert(!lapic_decodes(lapic, MAP_LAPIC_BASE));
    ck_assert(lapic_msr_read(lapic, 0x802, &value));
    ck_assert_uint_eq(value, 1);
    ck_assert(lapic_msr_read(lapic, 0x80d, &value));
    ck_assert_uint_eq(value, 2);
    ck_assert(!lapic_msr_write(lapic, 0x1b, MAP_LAPIC_BASE | APIC_BASE_EN)); /* back is forbidden */
    ck_assert(lapic_msr_write(lapic, 0x1b, MAP_LAPIC_BASE));
    ck_assert(!lapic_msr_write(lapic, 0x1b, MAP_LAPIC_BASE | APIC_BASE_EN | APIC_BASE_EXTD));
    ck_assert(lapic_msr_write(lapic, 0x1b, MAP_LAPIC_BASE | APIC_BASE_EN));
    ck_assert(lapic_decodes(lapic, MAP_LAPIC_BASE + 0xfff));
}
END_TEST

START_TEST(test_x2apic_rules)
{
    struct lapic *lapic = &rig.apics.lapic[0];
    uint64_t value;

    go_x2(0);
    go_x2(3);
    ck_assert(!lapic_msr_write(lapic, 0x802, 0));     /* read-only */
    ck_assert(!lapic_msr_write(lapic, 0x80b, 1));     /* EOI takes 0 only */
    ck_assert(!lapic_msr_read(lapic, 0x80b, &value)); /* and cannot be read */
    ck_assert(!lapic_msr_read(lapic, 0x80e, &value)); /* no DFR */
    ck_assert(!lapic_msr_read(lapic, 0x831, &value)); /* no high half */
    ck_assert(!lapic_msr_write(lapic, 0x808, 0x100)); /* reserved bits */
    ck_assert(!lapic_msr_read(lapic, 0x8ff, &value));
    ck_assert(!lapic_msr_read(lapic, 0x840, &value));
    ck_assert(lapic_msr_write(lapic, 0x830, 3ULL << 32 | 0x4040));
    ck_assert_int_eq(ack(3), 0x40);
    ck_assert(lapic_msr_write(lapic, 0x830, 8ULL << 32 | 0x4851)); /* logical: bit 3, cluster 0 */
    ck_assert_int_eq(ack(3), 0x51);
    ck_assert(lapic_msr_read(lapic, 0x830, &value));
    ck_assert_uint_eq(value, 8ULL << 32 | 0x4851);
    ck_assert(lapic_msr_write(lapic, 0x83f, 0x77));
    ck_assert_int_eq(ack(0), 0x77);
    ck_assert(lapic_msr_write(lapic, 0x80b, 0));
    ck_assert_uint_eq(rig.apics.lapic[0].isr[3], 0);
}
END_TEST

START_TEST(test_odd_accesses_are_harmless)
{
    struct lapic *lapic = &rig.apics.lapic[0];

    for (unsigned offset = 0; offset < 0x1000; offset++) {
        for (unsigned size = 1; size <= 64; size *= 2) {
            if (offset % 16 == 0 && size == 4 && offset < 0x3f0)
                continue;
            ck_assert_uint_eq(lapic_mmio_read(lapic, mmio(offset), size), 0);
            lapic_mmio_write(lapic, mmio(offset), size, 0xffffffff);
        }
    }
    ck_assert_uint_eq(rd(0, LAPIC_SVR), 0x1ff);
}
END_TEST

START_TEST(test_msi_decoding)
{
    for (unsigned i = 0; i < CPUS; i++)
        wr(i, LAPIC_LDR, 1u << (24 + i));
    apic_deliver_msi(&rig.apics, 0xfee02000, 0x0061); /* physical 2 */
    ck_assert_int_eq(ack(2), 0x61);
    apic_deliver_msi(&rig.apics, 0xfee04004, 0x0071); /* logical bit 2 */
    ck_assert_int_eq(ack(2), 0x71);
    apic_deliver_msi(&rig.apics, 0xfee03000, 0x0400); /* NMI */
    ck_assert_uint_eq(rig.cpus->cpu[3].nmis, 1);
    apic_deliver_msi(&rig.apics, 0xfee00000, 0x8081); /* level, de-assert: nothing */
    ck_assert_int_eq(ack(0), -1);
    apic_deliver_msi(&rig.apics, 0xfee00000, 0xc081);
    ck_assert_int_eq(ack(0), 0x81);
    ck_assert_uint_eq(rd(0, LAPIC_TMR + 0x40), 2);
}
END_TEST

static void io_write(unsigned index, uint32_t value)
{
    uint8_t data[4] = {(uint8_t)index};

    bus_write(bus_find(&rig.memory, MAP_IOAPIC_BASE), MAP_IOAPIC_BASE, 4, data);
    for (unsigned i = 0; i < 4; i++)
        data[i] = (uint8_t)(value >> 8 * i);
    bus_write(&rig.memory.range[0], MAP_IOAPIC_BASE + 0x10, 4, data);
}

static uint32_t io_read(unsigned index)
{
    uint8_t data[4] = {(uint8_t)index};

    bus_write(&rig.memory.range[0], MAP_IOAPIC_BASE, 4, data);
    bus_read(&rig.memory.range[0], MAP_IOAPIC_BASE + 0x10, 4, data);
    return data[0] | data[1] << 8 | data[2] << 16 | (uint32_t)data[3] << 24;
}

START_TEST(test_ioapic_registers)
{
    ck_assert_uint_eq(io_read(1), 0x00170020);
    ck_assert_uint_eq(io_read(0x10), 0x10000);
    io_write(0x11, 0xffffffff);
    ck_assert_uint_eq(io_read(0x11), 0xff000000);
    io_write(0xff, 1); /* beyond the last pin */
    ck_assert_uint_eq(io_read(0xff), 0);
}
END_TEST

START_TEST(test_ioapic_edge)
{
    io_write(0x10 + 2 * 4, 0x10041);
    ioapic_set_line(&rig.ioapic, 4, true); /* masked: lost */
    io_write(0x10 + 2 * 4, 0x41);
    ck_assert_int_eq(ack(0), -1);
    ioapic_set_line(&rig.ioapic, 4, false);
    ioapic_set_line(&rig.ioapic, 4, true);
    ck_assert_int_eq(ack(0), 0x41);
    wr(0, LAPIC_EOI, 0);
    ck_assert_uint_eq(rig.eois, 0);
    ck_assert_int_eq(ack(0), -1);
}
END_TEST

START_TEST(test_ioapic_level)
{
    io_write(0x11 + 2 * 17, 1u << 24); /* to processor 1 */
    io_write(0x10 + 2 * 17, 0xa052);   /* level, active low, vector 0x52 */
    ioapic_set_line(&rig.ioapic, 17, true);
    ck_assert_int_eq(ack(1), 0x52);
    ck_assert_uint_eq(io_read(0x10 + 2 * 17), 0xe052); /* remote IRR */
    wr(1, LAPIC_EOI, 0);
    ck_assert_uint_eq(rig.eois, 1);
    ck_assert_int_eq(ack(1), 0x52); /* still asserted: again */
    ioapic_set_line(&rig.ioapic, 17, false);
    wr(1, LAPIC_EOI, 0);
    ck_assert_int_eq(ack(1), -1);
    ck_assert_uint_eq(io_read(0x10 + 2 * 17), 0xa052);

    io_write(0x10 + 2 * 17, 0x1a052); /* masked: waits, is not lost */
    ioapic_set_line(&rig.ioapic, 17, true);
    ck_assert_int_eq(ack(1), -1);
    io_write(0x10 + 2 * 17, 0xa052);
    ck_assert_int_eq(ack(1), 0x52);
    /* The EOI register of version 0x20. */
    ioapic_set_line(&rig.ioapic, 17, false);
    uint8_t vector[4] = {0x52};
    bus_write(&rig.memory.range[0], MAP_IOAPIC_BASE + 0x40, 4, vector);
    ck_assert_uint_eq(io_read(0x10 + 2 * 17), 0xa052);
}
END_TEST

START_TEST(test_tables_are_sound)
{
    unsigned vectors = 0;

    for (unsigned v = 16; v < 256; v++) {
        send_fixed(0, false, (uint8_t)v);
        send_fixed(0, false, (uint8_t)v); /* a second one of the same vector is the same one */
    }
    for (int v; (v = ack(0)) >= 0; vectors++) {
        ck_assert_int_eq(v, 255 - (int)vectors);
        wr(0, LAPIC_EOI, 0);
    }
    ck_assert_uint_eq(vectors, 240);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lapic");
    TCase *tc = tcase_create("lapic");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_reset_values);
    tcase_add_test(tc, test_taken_at_the_processors_instant);
    tcase_add_test(tc, test_priorities_nest);
    tcase_add_test(tc, test_task_priority_holds_back);
    tcase_add_test(tc, test_destinations);
    tcase_add_test(tc, test_lowest_priority);
    tcase_add_test(tc, test_startup_messages);
    tcase_add_test(tc, test_shorthands);
    tcase_add_test(tc, test_errors);
    tcase_add_test(tc, test_software_disable);
    tcase_add_test(tc, test_timer_one_shot);
    tcase_add_test(tc, test_timer_periodic);
    tcase_add_test(tc, test_timer_divide_change);
    tcase_add_test(tc, test_timer_deadline);
    tcase_add_test(tc, test_x2apic_transitions);
    tcase_add_test(tc, test_x2apic_rules);
    tcase_add_test(tc, test_odd_accesses_are_harmless);
    tcase_add_test(tc, test_msi_decoding);
    tcase_add_test(tc, test_ioapic_registers);
    tcase_add_test(tc, test_ioapic_edge);
    tcase_add_test(tc, test_ioapic_level);
    tcase_add_test(tc, test_tables_are_sound);
    suite_add_tcase(suite, tc);

    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
