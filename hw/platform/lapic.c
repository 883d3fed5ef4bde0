/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Local APIC: what is requested, what is in service, what the processor is shown (SDM 11.8). */
#include "lapic.h"

#include <assert.h>

#include "pcilab/base/bits.h"

/* A 256-bit register; the highest vector in it, or -1. */
static int vectors_highest(const uint32_t bits[8])
{
    for (int i = 7; i >= 0; i--) {
        if (bits[i])
            return i * 32 + 31 - __builtin_clz(bits[i]);
    }
    return -1;
}

static void vector_set(uint32_t bits[8], uint8_t vector, bool on)
{
    uint32_t bit = 1u << (vector & 31);

    if (on)
        bits[vector >> 5] |= bit;
    else
        bits[vector >> 5] &= ~bit;
}

/* SDM 11.8.3.1: the processor priority is the higher class of the task's and the vector's in
 * service; the sub-class is the task's only where it decides. */
unsigned lapic_ppr(const struct lapic *lapic)
{
    unsigned tpr = (unsigned)reg_get(lapic->regs, LAPIC_TPR);
    int isr = vectors_highest(lapic->isr);
    unsigned isr_class = isr < 0 ? 0 : (unsigned)isr & 0xf0;

    return (tpr & 0xf0) >= isr_class ? tpr : isr_class;
}

/* Shows the processor whether something is deliverable. */
void lapic_update(struct lapic *lapic)
{
    int irr = vectors_highest(lapic->irr);
    bool intr = irr >= 0 && (unsigned)irr >> 4 > lapic_ppr(lapic) >> 4 && lapic_enabled(lapic);

    if (intr == lapic->intr)
        return;
    lapic->intr = intr;
    cpu_set_intr(lapic->cpu, intr);
    if (intr)
        lapic->bus->config.kick(lapic->bus->config.opaque);
}

int lapic_ack(struct lapic *lapic)
{
    int vector = vectors_highest(lapic->irr);

    if (!lapic->intr || vector < 0)
        return -1;
    vector_set(lapic->irr, (uint8_t)vector, false);
    vector_set(lapic->isr, (uint8_t)vector, true);
    lapic_update(lapic);

    struct trace *trace = lapic->bus->config.trace;
    if (trace_on(trace, TRACE_IRQ)) {
        uint8_t head[2] = {(uint8_t)lapic->index, (uint8_t)vector};
        /* The processor's own instant: the clock's is that of the run it is in, which depends on
         * how the caller slices time. */
        struct trace_event event = {.kind = TRACE_IRQ,
                                    .time_ps = cpu_now_ps(lapic->cpu),
                                    .where = "lapic",
                                    .head = head,
                                    .head_len = sizeof(head)};
        trace_emit(trace, &event);
    }
    return vector;
}

static void lapic_accept_fixed(struct lapic *lapic, uint8_t vector, bool level)
{
    if (vector < 16) { /* SDM 11.5.2 */
        lapic_error(lapic, LAPIC_ERROR_RECEIVE_ILLEGAL);
        return;
    }
    vector_set(lapic->irr, vector, true);
    vector_set(lapic->tmr, vector, level);
    lapic_update(lapic);
}

/* SDM 11.4.7.2: an APIC disabled by software answers only INIT, NMI, SMI and start-up. */
void lapic_accept(struct lapic *lapic, const struct apic_message *message)
{
    const struct apic_bus_config *config = &lapic->bus->config;

    if (!lapic_enabled(lapic))
        return;
    switch ((enum apic_mode)message->mode) {
    case APIC_FIXED:
    case APIC_LOWEST:
        if (reg_get(lapic->regs, LAPIC_SVR) & LAPIC_SVR_ENABLE)
            lapic_accept_fixed(lapic, message->vector, message->level);
        break;
    case APIC_NMI:
        cpu_raise_nmi(lapic->cpu);
        config->kick(config->opaque);
        break;
    case APIC_INIT:
        /* De-assert only synchronised arbitration IDs, which are gone (SDM 11.6.1). */
        if (message->deassert)
            break;
        lapic_init_reset(lapic);
        cpu_init_signal(lapic->cpu);
        config->kick(config->opaque);
        break;
    case APIC_STARTUP:
        cpu_sipi(lapic->cpu, message->vector);
        config->kick(config->opaque);
        break;
    case APIC_SMI:    /* UNIMPL: no system management mode; nobody sends it */
    case APIC_EXTINT: /* UNIMPL: there is no 8259 to ask for a vector */
        trace_say(config->trace, TRACE_RULE, "lapic", "delivery mode %u is not modelled",
                  message->mode);
        break;
    }
}

/* A local source fires. */
void lapic_raise_lvt(struct lapic *lapic, unsigned lvt)
{
    uint32_t value = (uint32_t)reg_get(lapic->regs, lvt);
    bool has_mode = lvt != LAPIC_LVT_TIMER && lvt != LAPIC_LVT_ERROR;

    if (value & LAPIC_LVT_MASKED)
        return;
    struct apic_message message = {
        .mode = has_mode ? (uint8_t)FIELD_GET(LAPIC_LVT_MODE, value) : APIC_FIXED,
        .vector = (uint8_t)(value & LAPIC_LVT_VECTOR),
    };
    lapic_accept(lapic, &message);
}

/* SDM 11.5.3. An illegal vector in the error entry itself must not recurse. */
void lapic_error(struct lapic *lapic, enum lapic_error error)
{
    bool first = !(lapic->esr_pending & error);

    lapic->esr_pending |= error;
    if (first)
        lapic_raise_lvt(lapic, LAPIC_LVT_ERROR);
}

/* Writing EOI: the highest vector in service is done (SDM 11.8.5). */
void lapic_eoi(struct lapic *lapic)
{
    int vector = vectors_highest(lapic->isr);

    if (vector < 0)
        return;
    vector_set(lapic->isr, (uint8_t)vector, false);
    lapic_update(lapic);
    if (lapic->tmr[vector >> 5] >> (vector & 31) & 1)
        lapic->bus->config.eoi(lapic->bus->config.opaque, (uint8_t)vector);
}

bool lapic_decodes(const struct lapic *lapic, uint64_t addr)
{
    return !lapic->bus->config.forward && lapic_enabled(lapic) && !lapic_x2(lapic) &&
           addr >> 12 == lapic->base_msr >> 12;
}

uint64_t lapic_cr8_read(const struct lapic *lapic)
{
    return reg_get(lapic->regs, LAPIC_TPR) >> 4;
}

/* CR8 is bits 7:4 of the task priority (SDM 11.8.6); the others become 0. */
bool lapic_cr8_write(struct lapic *lapic, uint64_t value)
{
    if (value > 15)
        return false;
    reg_set(lapic->regs, LAPIC_TPR, value << 4);
    lapic_update(lapic);
    return true;
}
