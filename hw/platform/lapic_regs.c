/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Local APIC: the register table and its two faces, memory (SDM 11.4.1, table 11-1) and MSRs (SDM
 * 11.12.1.2, table 11-6).
 */
#include <assert.h>

#include "lapic.h"
#include "pcilab/base/bits.h"
#include "pcilab/platform/addrmap.h"

/* Version 0x15, six LVT entries, no suppression of EOI broadcasts (SDM 11.4.8). */
#define VERSION_VALUE 0x00050015

#define MSR_APIC_BASE    0x1b
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_X2APIC       0x800
#define MSR_X2APIC_LAST  0x8ff

#define ICR_DELIVERY_STATUS 0x00001000u

static struct lapic *lapic_of(struct reg_space *space)
{
    return reg_space_owner(space);
}

static void tpr_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    lapic_update(lapic_of(space));
}

static uint64_t ppr_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    return lapic_ppr(lapic_of(space));
}

static void eoi_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    lapic_eoi(lapic_of(space));
}

/* SDM 11.4.7.2: disabled by software, every LVT entry is masked and stays so. */
static void svr_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    static const uint16_t lvts[] = {LAPIC_LVT_TIMER, LAPIC_LVT_THERMAL, LAPIC_LVT_PERF,
                                    LAPIC_LVT_LINT0, LAPIC_LVT_LINT1,   LAPIC_LVT_ERROR};

    if (write->new_value & LAPIC_SVR_ENABLE)
        return;
    for (unsigned i = 0; i < ARRAY_LEN(lvts); i++)
        reg_update(space, lvts[i], LAPIC_LVT_MASKED, LAPIC_LVT_MASKED);
    lapic_timer_mode_changed(lapic_of(space), (uint32_t)reg_get(space, LAPIC_LVT_TIMER));
}

static uint64_t isr_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    return lapic_of(space)->isr[(offset - LAPIC_ISR) / 16];
}

static uint64_t tmr_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    return lapic_of(space)->tmr[(offset - LAPIC_TMR) / 16];
}

static uint64_t irr_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    return lapic_of(space)->irr[(offset - LAPIC_IRR) / 16];
}

/* SDM 11.5.3: a write of any value loads what was seen since the last one. */
static void esr_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct lapic *lapic = lapic_of(space);

    reg_set(space, LAPIC_ESR, lapic->esr_pending);
    lapic->esr_pending = 0;
}

static void icr_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct lapic *lapic = lapic_of(space);
    uint32_t dest = (uint32_t)reg_get(space, LAPIC_ICR_HIGH);

    lapic_send_icr(lapic, (uint32_t)write->new_value, lapic_x2(lapic) ? dest : dest >> 24);
}

static void lvt_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    if (!(reg_get(space, LAPIC_SVR) & LAPIC_SVR_ENABLE))
        reg_update(space, offset, LAPIC_LVT_MASKED, LAPIC_LVT_MASKED);
    if (offset == LAPIC_LVT_TIMER)
        lapic_timer_mode_changed(lapic_of(space), (uint32_t)write->old_value);
}

static void initial_count_written(struct reg_space *space, unsigned offset,
                                  const struct reg_write *write)
{
    lapic_timer_start(lapic_of(space));
}

static uint64_t current_count_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    return lapic_timer_current(lapic_of(space));
}

static void divide_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    lapic_timer_divide_changed(lapic_of(space), (uint32_t)write->old_value);
}

static void self_ipi_written(struct reg_space *space, unsigned offset,
                             const struct reg_write *write)
{
    struct apic_message message = {.mode = APIC_FIXED, .vector = (uint8_t)write->written};

    lapic_accept(lapic_of(space), &message);
}

#define SDM "Intel SDM 3A (084) "
#define VECTORS(base, label, i, hook)                                                              \
    {                                                                                              \
        .name = label #i, .clause = SDM "11.8.4", .offset = base + 16 * i, .width = 4,             \
        .on_read = hook                                                                            \
    }
#define VECTORS8(base, label, hook)                                                                \
    VECTORS(base, label, 0, hook), VECTORS(base, label, 1, hook), VECTORS(base, label, 2, hook),   \
        VECTORS(base, label, 3, hook), VECTORS(base, label, 4, hook),                              \
        VECTORS(base, label, 5, hook), VECTORS(base, label, 6, hook),                              \
        VECTORS(base, label, 7, hook)
#define LVT(label, where, bits)                                                                    \
    {                                                                                              \
        .name = label, .clause = SDM "11.5.1", .offset = where, .width = 4,                        \
        .reset = LAPIC_LVT_MASKED, .rw = bits, .on_write = lvt_written                             \
    }

static const struct reg_def lapic_defs[] = {
    {.name = "id", .clause = SDM "11.4.6", .offset = LAPIC_ID, .width = 4},
    {.name = "version",
     .clause = SDM "11.4.8",
     .offset = LAPIC_VERSION,
     .width = 4,
     .reset = VERSION_VALUE},
    {.name = "tpr",
     .clause = SDM "11.8.3.1",
     .offset = LAPIC_TPR,
     .width = 4,
     .rw = 0xff,
     .on_write = tpr_written},
    {.name = "apr", .clause = SDM "11.6.2.4", .offset = LAPIC_APR, .width = 4},
    {.name = "ppr", .clause = SDM "11.8.3.1", .offset = LAPIC_PPR, .width = 4, .on_read = ppr_read},
    {.name = "eoi",
     .clause = SDM "11.8.5",
     .offset = LAPIC_EOI,
     .width = 4,
     .w1t = 0xffffffff,
     .on_write = eoi_written},
    {.name = "rrd", .clause = SDM "11.4.1", .offset = LAPIC_RRD, .width = 4},
    {.name = "ldr", .clause = SDM "11.6.2.2", .offset = LAPIC_LDR, .width = 4, .rw = 0xff000000},
    {.name = "dfr",
     .clause = SDM "11.6.2.2",
     .offset = LAPIC_DFR,
     .width = 4,
     .reset = 0xffffffff,
     .rw = 0xf0000000},
    {.name = "svr",
     .clause = SDM "11.9",
     .offset = LAPIC_SVR,
     .width = 4,
     .reset = 0xff,
     .rw = 0x1ff,
     .on_write = svr_written},
    VECTORS8(LAPIC_ISR, "isr", isr_read),
    VECTORS8(LAPIC_TMR, "tmr", tmr_read),
    VECTORS8(LAPIC_IRR, "irr", irr_read),
    {.name = "esr",
     .clause = SDM "11.5.3",
     .offset = LAPIC_ESR,
     .width = 4,
     .w1t = 0xffffffff,
     .on_write = esr_written},
    {.name = "icr_low",
     .clause = SDM "11.6.1",
     .offset = LAPIC_ICR,
     .width = 4,
     .rw = 0x000ccfff,
     .on_write = icr_written},
    {.name = "icr_high",
     .clause = SDM "11.6.1",
     .offset = LAPIC_ICR_HIGH,
     .width = 4,
     .rw = 0xffffffff},
    LVT("lvt_timer", LAPIC_LVT_TIMER, 0x000700ff),
    LVT("lvt_thermal", LAPIC_LVT_THERMAL, 0x000107ff),
    LVT("lvt_perf", LAPIC_LVT_PERF, 0x000107ff),
    LVT("lvt_lint0", LAPIC_LVT_LINT0, 0x0001a7ff),
    LVT("lvt_lint1", LAPIC_LVT_LINT1, 0x0001a7ff),
    LVT("lvt_error", LAPIC_LVT_ERROR, 0x000100ff),
    {.name = "initial_count",
     .clause = SDM "11.5.4",
     .offset = LAPIC_INITIAL_COUNT,
     .width = 4,
     .rw = 0xffffffff,
     .on_write = initial_count_written},
    {.name = "current_count",
     .clause = SDM "11.5.4",
     .offset = LAPIC_CURRENT_COUNT,
     .width = 4,
     .on_read = current_count_read},
    {.name = "divide",
     .clause = SDM "11.5.4",
     .offset = LAPIC_DIVIDE,
     .width = 4,
     .rw = 0xb,
     .on_write = divide_written},
    {.name = "self_ipi",
     .clause = SDM "11.12.11",
     .offset = LAPIC_SELF_IPI,
     .width = 4,
     .w1t = 0xff,
     .on_write = self_ipi_written},
};

/* x2APIC rules that the memory face has not: which registers are MSRs, which way, and the bits
 * that must be written as 0 (SDM table 11-6). */
struct x2_rule {
    uint16_t offset;
    uint8_t count; /* registers 16 bytes apart */
    bool read, write;
    uint64_t writable;
};

static const struct x2_rule x2_rules[] = {
    {LAPIC_ID, 1, true, false, 0},
    {LAPIC_VERSION, 1, true, false, 0},
    {LAPIC_TPR, 1, true, true, 0xff},
    {LAPIC_PPR, 1, true, false, 0},
    {LAPIC_EOI, 1, false, true, 0},
    {LAPIC_LDR, 1, true, false, 0},
    {LAPIC_SVR, 1, true, true, 0x1ff},
    {LAPIC_ISR, 24, true, false, 0}, /* and TMR, IRR */
    {LAPIC_ESR, 1, true, true, 0},
    {LAPIC_ICR, 1, true, true, 0xffffffff000cdfff},
    {LAPIC_LVT_TIMER, 1, true, true, 0x000710ff},
    {LAPIC_LVT_THERMAL, 2, true, true, 0x000117ff},
    {LAPIC_LVT_LINT0, 2, true, true, 0x0001f7ff},
    {LAPIC_LVT_ERROR, 1, true, true, 0x000110ff},
    {LAPIC_INITIAL_COUNT, 1, true, true, 0xffffffff},
    {LAPIC_CURRENT_COUNT, 1, true, false, 0},
    {LAPIC_DIVIDE, 1, true, true, 0xb},
    {LAPIC_SELF_IPI, 1, false, true, 0xff},
};

static const struct x2_rule *x2_find(unsigned offset)
{
    for (unsigned i = 0; i < ARRAY_LEN(x2_rules); i++) {
        const struct x2_rule *rule = &x2_rules[i];

        if (offset >= rule->offset && offset < rule->offset + 16u * rule->count)
            return rule;
    }
    return NULL;
}

void lapic_regs_create(struct lapic *lapic)
{
    lapic->regs = reg_space_new(0x400, lapic);
    reg_space_place(lapic->regs, 0, lapic_defs, ARRAY_LEN(lapic_defs));
}

/* In x2APIC mode the logical ID is derived: cluster 31:16, one bit of 15:0 (SDM 11.12.10.2). */
static void lapic_set_id(struct lapic *lapic)
{
    uint32_t id = lapic->index;

    if (lapic_x2(lapic)) {
        reg_set(lapic->regs, LAPIC_ID, id);
        reg_set(lapic->regs, LAPIC_LDR, (id >> 4) << 16 | 1u << (id & 15));
    } else {
        reg_set(lapic->regs, LAPIC_ID, id << 24);
    }
}

/* The state after INIT; after power-on the APIC base is reset too (SDM 11.4.7.1, 11.4.7.3). */
void lapic_init_reset(struct lapic *lapic)
{
    reg_space_reset(lapic->regs, REG_RESET_COLD);
    for (unsigned i = 0; i < 8; i++)
        lapic->irr[i] = lapic->isr[i] = lapic->tmr[i] = 0;
    lapic->esr_pending = 0;
    lapic_timer_reset(lapic);
    lapic_set_id(lapic);
    lapic_update(lapic);
}

/* Transitions of SDM 11.12.5, figure 11-27. */
static bool apic_base_write(struct lapic *lapic, uint64_t value)
{
    uint64_t old = lapic->base_msr;
    bool en = value & APIC_BASE_EN, extd = value & APIC_BASE_EXTD;

    if (value & ~(APIC_BASE_BSP | APIC_BASE_EXTD | APIC_BASE_EN | GENMASK(45, 12)))
        return false;
    if (extd && !en)
        return false;
    if ((old & APIC_BASE_EXTD) && en && !extd)
        return false;
    if (!(old & APIC_BASE_EN) && extd)
        return false;
    lapic->base_msr = value;
    if ((old & APIC_BASE_EN) && !en)
        lapic_init_reset(lapic);
    else if (extd && !(old & APIC_BASE_EXTD))
        lapic_set_id(lapic);
    lapic_update(lapic);
    return true;
}

bool lapic_msr_read(struct lapic *lapic, uint32_t msr, uint64_t *value)
{
    if (msr == MSR_APIC_BASE) {
        *value = lapic->base_msr;
        return true;
    }
    if (msr == MSR_TSC_DEADLINE) {
        *value = lapic_tsc_deadline_read(lapic);
        return true;
    }
    unsigned offset = (msr - MSR_X2APIC) << 4;
    const struct x2_rule *rule = x2_find(offset);
    if (!lapic_x2(lapic) || msr < MSR_X2APIC || msr > MSR_X2APIC_LAST || !rule || !rule->read)
        return false;
    *value = reg_read(lapic->regs, offset, 4);
    if (offset == LAPIC_ICR)
        *value |= reg_get(lapic->regs, LAPIC_ICR_HIGH) << 32;
    return true;
}

bool lapic_msr_write(struct lapic *lapic, uint32_t msr, uint64_t value)
{
    if (msr == MSR_APIC_BASE)
        return apic_base_write(lapic, value);
    if (msr == MSR_TSC_DEADLINE) {
        lapic_tsc_deadline_write(lapic, value);
        return true;
    }
    unsigned offset = (msr - MSR_X2APIC) << 4;
    const struct x2_rule *rule = x2_find(offset);
    if (!lapic_x2(lapic) || msr < MSR_X2APIC || msr > MSR_X2APIC_LAST || !rule || !rule->write)
        return false;
    if (value & ~rule->writable)
        return false;
    if (offset == LAPIC_ICR)
        reg_set(lapic->regs, LAPIC_ICR_HIGH, value >> 32);
    reg_write(lapic->regs, offset, 4, value & 0xffffffff);
    return true;
}

/* SDM 11.4.1: registers are 32 bits wide, aligned on 16 bytes; anything else is undefined. CHOICE:
 * other reads return 0, other writes are ignored, and a rule is reported as broken. Registers that
 * only x2APIC has do not exist here. */
static bool mmio_valid(struct lapic *lapic, unsigned offset, unsigned size)
{
    if (size == 4 && offset % 16 == 0 && offset < LAPIC_SELF_IPI)
        return true;
    trace_say(lapic->bus->config.trace, TRACE_RULE, "lapic", "access of %u bytes at 0x%x", size,
              offset);
    return false;
}

uint32_t lapic_mmio_read(struct lapic *lapic, uint64_t addr, unsigned size)
{
    unsigned offset = addr & 0xfff;

    return mmio_valid(lapic, offset, size) ? (uint32_t)reg_read(lapic->regs, offset, 4) : 0;
}

void lapic_mmio_write(struct lapic *lapic, uint64_t addr, unsigned size, uint32_t value)
{
    unsigned offset = addr & 0xfff;

    if (mmio_valid(lapic, offset, size))
        reg_write(lapic->regs, offset, 4, value);
}
