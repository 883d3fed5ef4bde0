/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupts of the 82576 (datasheet 2.63, 7.3 and 8.8). Causes of the chip gather in ICR; those of
 * queues, and ICR as a whole, are led by IVAR to the 25 bits of EICR, each of which is an MSI-X
 * vector of the Physical Function or, where Virtual Functions are enabled, of one of these: VF n
 * has vectors 22-3n to 24-3n. Without multiple vectors (GPIE) everything is one interrupt: vector
 * 0, MSI or INTA.
 */
#include "igb.h"

#define EITR_INTERVAL_PS(v) (((v) >> 2 & 0x1fff) * PS_PER_US) /* 8.8.14 */
#define SINGLE              0 /* the vector whose throttle holds for the one interrupt */

static bool multiple(const struct igb *nic)
{
    return igb_get(nic, IGB_GPIE) & IGB_GPIE_MULTI;
}

static unsigned vf_first_vector(unsigned vf)
{
    return 22 - IGB_VF_VECTORS * vf;
}

/* The message of a vector. */
static void send(struct igb *nic, unsigned vector)
{
    unsigned vf = (24 - vector) / IGB_VF_VECTORS;

    igb_count(nic, IGB_IAC);
    if (vf < nic->vfs)
        endpoint_interrupt(nic->vf[vf].func, vector - vf_first_vector(vf));
    else if (vector < IGB_PF_VECTORS)
        endpoint_interrupt(nic->pf.func, vector);
}

/* 7.3.4: the throttle has let it through. */
static void fire(struct igb *nic, unsigned vector)
{
    uint32_t bit = 1u << vector;
    uint32_t interval = igb_get(nic, IGB_EITR + 4 * vector);

    nic->vector[vector].next_ps = nic->sim->now_ps + EITR_INTERVAL_PS(interval);
    if (!multiple(nic)) {
        igb_count(nic, IGB_IAC);
        endpoint_interrupt(nic->pf.func, 0);
        return;
    }
    nic->sent |= bit;
    if (igb_get(nic, IGB_EIAC) & bit) {
        reg_update(nic->regs, IGB_EICR, bit, 0);
        nic->sent &= ~bit;
    }
    if (igb_get(nic, IGB_GPIE) & IGB_GPIE_EIAME && igb_get(nic, IGB_EIAM) & bit)
        reg_update(nic->regs, IGB_EIMS, bit, 0);
    send(nic, vector);
}

static bool asserted(const struct igb *nic)
{
    return igb_get(nic, IGB_ICR) & igb_get(nic, IGB_IMS) ||
           igb_get(nic, IGB_EICR) & igb_get(nic, IGB_EIMS) & ~IGB_EICR_OTHER;
}

static void fire_or_wait(struct igb *nic, unsigned vector)
{
    struct igb_vector *v = &nic->vector[vector];

    if (nic->sim->now_ps >= v->next_ps)
        fire(nic, vector);
    else if (!sim_event_pending(&v->timer))
        sim_schedule_at(nic->sim, &v->timer, v->next_ps);
}

/* All are one: a message for each new cause, and a level. */
static void update_single(struct igb *nic)
{
    bool level = asserted(nic);

    if (level && !nic->sent) {
        if (nic->sim->now_ps < nic->vector[SINGLE].next_ps) {
            fire_or_wait(nic, SINGLE);
            return;
        }
        nic->sent = 1;
        fire(nic, SINGLE);
    }
    if (!level)
        nic->sent = 0;
    endpoint_set_intx(nic->pf.func, level && !pci_func_msi_enabled(nic->pf.pci));
}

void igb_irq_update(struct igb *nic)
{
    if (!multiple(nic)) {
        update_single(nic);
        return;
    }
    endpoint_set_intx(nic->pf.func, false);
    uint32_t due = igb_get(nic, IGB_EICR) & igb_get(nic, IGB_EIMS) & ~nic->sent;
    for (unsigned v = 0; v < IGB_VECTORS && due; v++) {
        if (due & 1u << v)
            fire_or_wait(nic, v);
    }
}

static void throttle_over(void *opaque)
{
    struct igb_vector *vector = opaque;

    igb_irq_update(vector->nic);
}

void igb_irq_raise(struct igb *nic, uint32_t eicr)
{
    nic->sent = multiple(nic) ? nic->sent & ~eicr : 0;
    reg_update(nic->regs, IGB_EICR, eicr, eicr);
    igb_irq_update(nic);
}

void igb_irq_enable(struct igb *nic, uint32_t eims)
{
    nic->sent = multiple(nic) ? nic->sent & ~eims : 0;
    reg_update(nic->regs, IGB_EIMS, eims, eims);
    igb_irq_update(nic);
}

void igb_irq_disable(struct igb *nic, uint32_t eims)
{
    reg_update(nic->regs, IGB_EIMS, eims, 0);
    igb_irq_update(nic);
}

/* 8.8.16, 8.8.17: an entry is a vector and whether it holds. */
static uint32_t entry_bit(uint32_t entry)
{
    unsigned vector = entry & 0x1f;

    return entry & IGB_IVAR_VALID && vector < IGB_VECTORS ? 1u << vector : 0;
}

/* ICR has bits that IMS lets through, which are new or newly let through. */
static void other_cause(struct igb *nic)
{
    uint32_t bit = IGB_EICR_OTHER;

    if (multiple(nic))
        bit = entry_bit(igb_get(nic, IGB_IVAR_MISC) >> 8);
    igb_irq_raise(nic, bit);
}

void igb_irq_cause(struct igb *nic, uint32_t icr)
{
    reg_update(nic->regs, IGB_ICR, icr, icr);
    if (icr & igb_get(nic, IGB_IMS))
        other_cause(nic);
}

static void vf_entry(struct igb *nic, unsigned vf, uint8_t entry)
{
    if (entry & IGB_IVAR_VALID && (entry & 3) < IGB_VF_VECTORS)
        igb_irq_raise(nic, 1u << (vf_first_vector(vf) + (entry & 3)));
}

/* 7.3.1.2: IVAR[n] is for queues n and n + 8, first the receive queue. */
void igb_irq_queue(struct igb *nic, unsigned queue, bool tx)
{
    unsigned low = queue % 8, byte = (queue / 8) * 2 + tx;

    if (low < nic->vfs) {
        vf_entry(nic, low, igb_vf_ivar(nic, low, byte));
        return;
    }
    uint32_t bit = entry_bit(igb_get(nic, IGB_IVAR + 4 * low) >> (8 * byte) & 0xff);

    if (bit)
        igb_irq_raise(nic, bit);
    igb_irq_cause(nic, tx ? IGB_ICR_TXDW : IGB_ICR_RXDW);
}

void igb_irq_vf_mailbox(struct igb *nic, unsigned vf)
{
    vf_entry(nic, vf, igb_vf_ivar(nic, vf, 4));
}

/* Registers. */

/* 8.8.9: reading clears when GPIE says so always, else when the interrupt is ours or none is
 * enabled. */
uint64_t igb_icr_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    struct igb *nic = reg_space_owner(space);
    uint32_t ims = igb_get(nic, IGB_IMS);
    bool ours = value & ims;

    if (igb_get(nic, IGB_GPIE) & IGB_GPIE_NSICR || ours || !ims) {
        igb_set(nic, IGB_ICR, 0);
        if (!multiple(nic))
            reg_update(nic->regs, IGB_EICR, IGB_EICR_OTHER, 0);
    }
    if (ours && igb_get(nic, IGB_CTRL_EXT) & IGB_CTRL_EXT_IAME)
        reg_update(nic->regs, IGB_IMS, igb_get(nic, IGB_IAM), 0);
    igb_irq_update(nic);
    return value | (ours ? IGB_ICR_INTA : 0);
}

/* 8.8.1: with multiple vectors software writes ones, or lets EIAC clear. */
uint64_t igb_eicr_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    struct igb *nic = reg_space_owner(space);

    if (!multiple(nic)) {
        igb_set(nic, IGB_EICR, 0);
        igb_irq_update(nic);
    }
    return value;
}

void igb_icr_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct igb *nic = reg_space_owner(space);

    if (igb_get(nic, IGB_CTRL_EXT) & IGB_CTRL_EXT_IAME)
        reg_update(nic->regs, IGB_IMS, igb_get(nic, IGB_IAM), 0);
    igb_irq_update(nic);
}

void igb_ics_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    igb_irq_cause(reg_space_owner(space), (uint32_t)write->written & IGB_ICR_CAUSES);
}

void igb_ims_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct igb *nic = reg_space_owner(space);

    if (write->written & igb_get(nic, IGB_ICR) & write->new_value)
        other_cause(nic);
}

void igb_imc_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct igb *nic = reg_space_owner(space);

    reg_update(nic->regs, IGB_IMS, write->written, 0);
    igb_irq_update(nic);
}

void igb_eicr_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct igb *nic = reg_space_owner(space);

    nic->sent &= (uint32_t)write->new_value;
    igb_irq_update(nic);
}

void igb_eics_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    igb_irq_raise(reg_space_owner(space), (uint32_t)write->written);
}

void igb_eims_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    igb_irq_enable(reg_space_owner(space), (uint32_t)write->written & (uint32_t)write->new_value);
}

void igb_eimc_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    igb_irq_disable(reg_space_owner(space), (uint32_t)write->written);
}

void igb_irq_init(struct igb *nic)
{
    for (unsigned v = 0; v < IGB_VECTORS; v++) {
        nic->vector[v].nic = nic;
        sim_event_init(&nic->vector[v].timer, throttle_over, &nic->vector[v]);
    }
}

/* The registers have been reset. */
void igb_irq_reset(struct igb *nic)
{
    for (unsigned v = 0; v < IGB_VECTORS; v++) {
        sim_cancel(nic->sim, &nic->vector[v].timer);
        nic->vector[v].next_ps = 0;
    }
    nic->sent = 0;
    endpoint_set_intx(nic->pf.func, false);
}

void igb_irq_fini(struct igb *nic)
{
    for (unsigned v = 0; v < IGB_VECTORS; v++)
        sim_cancel(nic->sim, &nic->vector[v].timer);
}
