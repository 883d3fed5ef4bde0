/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The local APICs of a machine and the interrupt messages between them, the IOAPIC and devices.
 * Follows the Intel SDM, volume 3A (325384-084), chapter 11; "SDM 11.x" below.
 *
 * xAPIC registers are memory at the APIC base, 16 bytes apart; x2APIC registers are MSRs 0x800 +
 * offset / 16. Both faces are one register space. Time is the machine's: the timer ticks with the
 * core crystal clock that CPUID 0x15 reports.
 */
#ifndef PCILAB_HW_PLATFORM_LAPIC_H
#define PCILAB_HW_PLATFORM_LAPIC_H

#include "pcilab/cpu/cpu.h"
#include "pcilab/reg/reg.h"
#include "pcilab/sim/sim.h"
#include "pcilab/trace/trace.h"

struct apic_bus;

/* Delivery modes, SDM 11.6.1. */
enum apic_mode {
    APIC_FIXED = 0,
    APIC_LOWEST = 1,
    APIC_SMI = 2,
    APIC_NMI = 4,
    APIC_INIT = 5,
    APIC_STARTUP = 6,
    APIC_EXTINT = 7,
};

/* An interrupt message. dest is 8 bits wide from the IOAPIC, MSIs and xAPICs (`wide` false), 32
 * bits from an x2APIC. */
struct apic_message {
    uint32_t dest;
    bool wide;
    bool logical;
    bool level;    /* trigger mode */
    bool deassert; /* INIT level de-assert */
    uint8_t mode;  /* enum apic_mode */
    uint8_t vector;
};

struct lapic {
    struct apic_bus *bus;
    unsigned index; /* processor and APIC ID */
    struct cpu *cpu;
    struct reg_space *regs;
    uint64_t base_msr;
    uint32_t irr[8], isr[8], tmr[8];
    uint32_t esr_pending;
    bool intr; /* level of the processor's interrupt line */

    /* Timer. The run began at timer_start_ps with timer_first ticks to go; timer_start_ps is
     * SIM_NEVER when it stands still. */
    struct sim_event timer;
    uint64_t timer_start_ps;
    uint32_t timer_first;
    uint64_t tsc_deadline;
};

/* Takes all messages: the local APICs are somebody else's. */
typedef void (*apic_forward_fn)(void *opaque, const struct apic_message *message);

struct apic_bus_config {
    struct sim *sim;
    struct trace *trace;
    struct cpu_group *cpus;
    unsigned count;
    uint64_t crystal_hz;
    void (*eoi)(void *opaque, uint8_t vector); /* broadcast to IOAPICs */
    void (*kick)(void *opaque);                /* a processor may have a reason to wake up */
    apic_forward_fn forward;                   /* or NULL */
    void *opaque;
};

struct apic_bus {
    struct apic_bus_config config;
    struct lapic lapic[CPU_MAX];
    /* For machine_interrupts(). */
    uint64_t messages;
    struct apic_message last;
};

void apic_bus_init(struct apic_bus *bus, const struct apic_bus_config *config);
void apic_bus_fini(struct apic_bus *bus);
void apic_bus_reset(struct apic_bus *bus);

/* Delivers a message to every local APIC that it addresses. */
void apic_deliver(struct apic_bus *bus, const struct apic_message *message);
/* A memory write to 0xFEExxxxx by a device (SDM 11.11). */
void apic_deliver_msi(struct apic_bus *bus, uint64_t addr, uint32_t data);

/* The processor takes its interrupt: cpu_group_config.ack. */
int lapic_ack(struct lapic *lapic);

/* True when `addr` is inside this processor's xAPIC page. */
bool lapic_decodes(const struct lapic *lapic, uint64_t addr);
uint32_t lapic_mmio_read(struct lapic *lapic, uint64_t addr, unsigned size);
void lapic_mmio_write(struct lapic *lapic, uint64_t addr, unsigned size, uint32_t value);
/* MSRs 0x1B, 0x6E0, 0x800-0x8FF; false: #GP(0). */
bool lapic_msr_read(struct lapic *lapic, uint32_t msr, uint64_t *value);
bool lapic_msr_write(struct lapic *lapic, uint32_t msr, uint64_t value);
uint64_t lapic_cr8_read(const struct lapic *lapic);
bool lapic_cr8_write(struct lapic *lapic, uint64_t value);

/* Between the files of the local APIC. */
enum {
    LAPIC_ID = 0x020,
    LAPIC_VERSION = 0x030,
    LAPIC_TPR = 0x080,
    LAPIC_APR = 0x090,
    LAPIC_PPR = 0x0a0,
    LAPIC_EOI = 0x0b0,
    LAPIC_RRD = 0x0c0,
    LAPIC_LDR = 0x0d0,
    LAPIC_DFR = 0x0e0,
    LAPIC_SVR = 0x0f0,
    LAPIC_ISR = 0x100,
    LAPIC_TMR = 0x180,
    LAPIC_IRR = 0x200,
    LAPIC_ESR = 0x280,
    LAPIC_ICR = 0x300,
    LAPIC_ICR_HIGH = 0x310,
    LAPIC_LVT_TIMER = 0x320,
    LAPIC_LVT_THERMAL = 0x330,
    LAPIC_LVT_PERF = 0x340,
    LAPIC_LVT_LINT0 = 0x350,
    LAPIC_LVT_LINT1 = 0x360,
    LAPIC_LVT_ERROR = 0x370,
    LAPIC_INITIAL_COUNT = 0x380,
    LAPIC_CURRENT_COUNT = 0x390,
    LAPIC_DIVIDE = 0x3e0,
    LAPIC_SELF_IPI = 0x3f0,
};

#define APIC_BASE_BSP  0x100ULL
#define APIC_BASE_EXTD 0x400ULL
#define APIC_BASE_EN   0x800ULL

#define LAPIC_LVT_VECTOR 0x000000ffu
#define LAPIC_LVT_MODE   0x00000700u
#define LAPIC_LVT_MASKED 0x00010000u
#define LAPIC_SVR_ENABLE 0x00000100u

enum lapic_error {
    LAPIC_ERROR_SEND_ILLEGAL = 0x20,
    LAPIC_ERROR_RECEIVE_ILLEGAL = 0x40,
    LAPIC_ERROR_ILLEGAL_REGISTER = 0x80,
};

static inline bool lapic_x2(const struct lapic *lapic)
{
    return (lapic->base_msr & APIC_BASE_EXTD) != 0;
}

static inline bool lapic_enabled(const struct lapic *lapic)
{
    return (lapic->base_msr & APIC_BASE_EN) != 0;
}

/* lapic.c */
void lapic_accept(struct lapic *lapic, const struct apic_message *message);
void lapic_raise_lvt(struct lapic *lapic, unsigned lvt);
void lapic_error(struct lapic *lapic, enum lapic_error error);
void lapic_update(struct lapic *lapic);
unsigned lapic_ppr(const struct lapic *lapic);
void lapic_eoi(struct lapic *lapic);
/* lapic_regs.c */
void lapic_regs_create(struct lapic *lapic);
void lapic_init_reset(struct lapic *lapic);
/* lapic_message.c */
void lapic_send_icr(struct lapic *lapic, uint32_t low, uint32_t dest);
/* lapic_timer.c */
void lapic_timer_init(struct lapic *lapic);
void lapic_timer_reset(struct lapic *lapic);
void lapic_timer_start(struct lapic *lapic);
void lapic_timer_mode_changed(struct lapic *lapic, uint32_t old_lvt);
void lapic_timer_divide_changed(struct lapic *lapic, uint32_t old_divide);
uint32_t lapic_timer_current(const struct lapic *lapic);
uint64_t lapic_tsc_deadline_read(const struct lapic *lapic);
void lapic_tsc_deadline_write(struct lapic *lapic, uint64_t value);

#endif
