/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual Functions of the 82576 (datasheet 2.63, 7.10.2 and 8.26): their registers, the mailboxes
 * between them and the Physical Function, their resets. VF n has queues n and n + 8 and vectors
 * 22-3n to 24-3n of the chip.
 */
#include <glib.h>

#include "igb.h"

#define DS           "82576 datasheet 2.63, "
#define ROW(n, c, o) .name = n, .clause = DS c, .offset = o, .width = 4

#define VECTORS       7u /* a bit for each vector */
#define MAILBOX_WORDS 16

static uint32_t first_bit(const struct igb_func *vf)
{
    return 22 - IGB_VF_VECTORS * (uint32_t)vf->vf;
}

uint32_t igb_vf_queues(unsigned vf)
{
    return 0x101u << vf;
}

uint8_t igb_vf_ivar(struct igb *nic, unsigned vf, unsigned entry)
{
    unsigned offset = entry < 4 ? IGB_IVAR : IGB_IVAR_MISC;

    return (uint8_t)(reg_get(nic->vf[vf].regs, offset) >> 8 * (entry & 3));
}

/* The mailbox: 7.10.2.9.1, 8.14.2, 8.14.3. Its state is in V2PMAILBOX. */

static void tell_pf(struct igb *nic, unsigned vf, uint32_t cause)
{
    reg_update(nic->regs, IGB_MBVFICR, cause, cause);
    if (igb_get(nic, IGB_MBVFIMR) >> vf & 1)
        igb_irq_cause(nic, IGB_ICR_VMMB);
}

static void tell_vf(struct igb *nic, unsigned vf, uint32_t bits)
{
    reg_update(nic->vf[vf].regs, IGB_V2PMAILBOX, bits, bits);
    igb_irq_vf_mailbox(nic, vf);
}

static uint64_t v2p_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    reg_update(space, offset, IGB_V2P_PFSTS | IGB_V2P_PFACK | IGB_V2P_RSTD, 0);
    return value;
}

static void v2p_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct igb_func *vf = reg_space_owner(space);
    bool take = write->written & IGB_V2P_VFU && !(write->old_value & IGB_V2P_PFU);

    reg_update(space, offset, IGB_V2P_VFU, take ? IGB_V2P_VFU : 0);
    if (write->written & IGB_V2P_REQ)
        tell_pf(vf->nic, (unsigned)vf->vf, 1u << vf->vf);
    if (write->written & IGB_V2P_ACK)
        tell_pf(vf->nic, (unsigned)vf->vf, 0x10000u << vf->vf);
}

uint64_t igb_p2v_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    const struct igb *nic = reg_space_owner(space);

    if ((offset - IGB_P2VMAILBOX) / 4 >= nic->vf_total)
        return 0;
    return reg_get(nic->vf[(offset - IGB_P2VMAILBOX) / 4].regs, IGB_V2PMAILBOX) &
           (IGB_P2V_VFU | IGB_P2V_PFU);
}

void igb_p2v_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct igb *nic = reg_space_owner(space);
    unsigned vf = (offset - IGB_P2VMAILBOX) / 4;
    struct reg_space *regs = nic->vf[vf].regs;

    if (vf >= nic->vf_total)
        return;
    if (write->written & IGB_P2V_RVFU)
        reg_update(regs, IGB_V2PMAILBOX, IGB_V2P_VFU, 0);
    bool take = write->written & IGB_P2V_PFU && !(reg_get(regs, IGB_V2PMAILBOX) & IGB_V2P_VFU);
    reg_update(regs, IGB_V2PMAILBOX, IGB_V2P_PFU, take ? IGB_V2P_PFU : 0);
    if (write->written & IGB_P2V_STS)
        tell_vf(nic, vf, IGB_V2P_PFSTS);
    if (write->written & IGB_P2V_ACK)
        tell_vf(nic, vf, IGB_V2P_PFACK);
}

void igb_vf_tell_reset(struct igb *nic, bool done)
{
    for (unsigned i = 0; i < nic->vf_total; i++) {
        reg_update(nic->vf[i].regs, IGB_V2PMAILBOX, IGB_V2P_RSTI | IGB_V2P_RSTD,
                   done ? IGB_V2P_RSTD : IGB_V2P_RSTI);
        if (i < nic->vfs)
            igb_irq_vf_mailbox(nic, i);
    }
}

/* Interrupts: three bits of the chip's. */

static uint64_t masks_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    const struct igb_func *vf = reg_space_owner(space);

    return igb_get(vf->nic, offset) >> first_bit(vf) & VECTORS;
}

static void masks_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct igb_func *vf = reg_space_owner(space);

    reg_update(vf->nic->regs, offset, VECTORS << first_bit(vf), write->new_value << first_bit(vf));
}

static void eics_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct igb_func *vf = reg_space_owner(space);

    igb_irq_raise(vf->nic, (uint32_t)(write->written & VECTORS) << first_bit(vf));
}

static void eims_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct igb_func *vf = reg_space_owner(space);

    igb_irq_enable(vf->nic, (uint32_t)(write->written & VECTORS) << first_bit(vf));
}

static void eimc_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct igb_func *vf = reg_space_owner(space);

    igb_irq_disable(vf->nic, (uint32_t)(write->written & VECTORS) << first_bit(vf));
}

static void eicr_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct igb_func *vf = reg_space_owner(space);
    uint32_t bits = (uint32_t)(write->written & write->lanes & VECTORS) << first_bit(vf);

    reg_update(vf->nic->regs, IGB_EICR, bits, 0);
    vf->nic->sent &= ~bits;
}

static uint64_t eitr_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    const struct igb_func *vf = reg_space_owner(space);

    return igb_get(vf->nic, offset + 4 * first_bit(vf));
}

static void eitr_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct igb_func *vf = reg_space_owner(space);

    igb_set(vf->nic, offset + 4 * first_bit(vf), (uint32_t)write->new_value);
}

/* The rest. */

static uint64_t status_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    const struct igb_func *vf = reg_space_owner(space);

    return reg_read(vf->nic->regs, IGB_STATUS, 4);
}

static uint64_t frtimer_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    const struct igb_func *vf = reg_space_owner(space);

    return reg_read(vf->nic->regs, IGB_FRTIMER, 4);
}

static void ctrl_written(struct reg_space *space, unsigned offset, const struct reg_write *write);

static const struct reg_def vf_regs[] = {
    {ROW("vtctrl", "8.26.1", IGB_CTRL), .w1t = IGB_CTRL_RST, .on_write = ctrl_written},
    {ROW("vtstatus", "8.26.2", IGB_STATUS), .on_read = status_read},
    {ROW("v2pmailbox", "8.26.3", IGB_V2PMAILBOX), .reset = IGB_V2P_RSTI, .rw = IGB_V2P_VFU,
     .w1t = IGB_V2P_REQ | IGB_V2P_ACK, .on_read = v2p_read, .on_write = v2p_written},
    {ROW("vfgprc", "8.26.4", IGB_VFGPRC), .sticky = 0xffffffff},
    {ROW("vfgptc", "8.26.5", IGB_VFGPTC), .sticky = 0xffffffff},
    {ROW("vfgorc", "8.26.6", IGB_VFGORC), .sticky = 0xffffffff},
    {ROW("vfgotc", "8.26.7", IGB_VFGOTC), .sticky = 0xffffffff},
    {ROW("vfmprc", "8.26.8", IGB_VFMPRC), .sticky = 0xffffffff},
    {ROW("vfgprlbc", "8.26.9", IGB_VFGPRLBC), .sticky = 0xffffffff},
    {ROW("vfgptlbc", "8.26.10", IGB_VFGPTLBC), .sticky = 0xffffffff},
    {ROW("vfgorlbc", "8.26.11", IGB_VFGORLBC), .sticky = 0xffffffff},
    {ROW("vfgotlbc", "8.26.12", IGB_VFGOTLBC), .sticky = 0xffffffff},
    {ROW("vtfrtimer", "8.26.13", IGB_FRTIMER), .on_read = frtimer_read},
    {ROW("vteics", "8.26.14", IGB_EICS), .w1t = VECTORS, .on_write = eics_written},
    {ROW("vteims", "8.26.15", IGB_EIMS), .rw = VECTORS, .on_read = masks_read,
     .on_write = eims_written},
    {ROW("vteimc", "8.26.16", IGB_EIMC), .w1t = VECTORS, .on_write = eimc_written},
    {ROW("vteiac", "8.26.17", IGB_EIAC), .rw = VECTORS, .on_read = masks_read,
     .on_write = masks_written},
    {ROW("vteiam", "8.26.18", IGB_EIAM), .rw = VECTORS, .on_read = masks_read,
     .on_write = masks_written},
    {ROW("vteicr", "8.26.19", IGB_EICR), .rw1c = VECTORS, .on_read = masks_read,
     .on_write = eicr_written},
    {ROW("vteitr0", "8.26.20", IGB_EITR), .rw = 0x7ffffffc, .on_read = eitr_read,
     .on_write = eitr_written},
    {ROW("vteitr1", "8.26.20", IGB_EITR + 4), .rw = 0x7ffffffc, .on_read = eitr_read,
     .on_write = eitr_written},
    {ROW("vteitr2", "8.26.20", IGB_EITR + 8), .rw = 0x7ffffffc, .on_read = eitr_read,
     .on_write = eitr_written},
    {ROW("vtivar", "8.26.21", IGB_IVAR), .rw = 0x83838383},
    {ROW("vtivar_misc", "8.26.22", IGB_IVAR_MISC), .rw = 0x00000083},
};

void igb_vf_place(struct igb_func *vf)
{
    vf->regs = reg_space_new(0x4000, vf);
    reg_space_place(vf->regs, 0, vf_regs, ARRAY_LEN(vf_regs));
    reg_space_reset(vf->regs, REG_RESET_COLD);
}

/* Registers of the chip that a Virtual Function sees (8.26). */
static const struct {
    uint16_t from, bytes, to, stride;
} windows[] = {
    {IGB_VMBMEM, MAILBOX_WORDS * 4, IGB_VMBMEM, MAILBOX_WORDS * 4},
    {0x2800, IGB_QUEUE_STRIDE, IGB_RX_QUEUE, IGB_QUEUE_STRIDE},
    {0x2900, IGB_QUEUE_STRIDE, IGB_RX_QUEUE + 8 * IGB_QUEUE_STRIDE, IGB_QUEUE_STRIDE},
    {0x3800, IGB_QUEUE_STRIDE, IGB_TX_QUEUE, IGB_QUEUE_STRIDE},
    {0x3900, IGB_QUEUE_STRIDE, IGB_TX_QUEUE + 8 * IGB_QUEUE_STRIDE, IGB_QUEUE_STRIDE},
};

static struct reg_space *find(struct igb_func *vf, unsigned *offset)
{
    for (unsigned i = 0; i < ARRAY_LEN(windows); i++) {
        unsigned rest = *offset - windows[i].from;

        if (*offset >= windows[i].from && rest < windows[i].bytes) {
            *offset = windows[i].to + (unsigned)vf->vf * windows[i].stride + rest;
            return vf->nic->regs;
        }
    }
    return vf->regs;
}

static enum tlp_status bar_read(void *owner, unsigned bar, uint64_t offset, void *data,
                                unsigned len)
{
    uint8_t *out = data;

    for (unsigned n; len; out += n, offset += n, len -= n) {
        unsigned at = (unsigned)offset, room = 4 - (at & 3);
        struct reg_space *space = find(owner, &at);

        n = len < room ? len : room;
        le_store(out, bar == 0 ? reg_read(space, at, n) : 0, n);
    }
    return TLP_SC;
}

static enum tlp_status bar_write(void *owner, unsigned bar, uint64_t offset, const void *data,
                                 unsigned len)
{
    const uint8_t *in = data;

    for (unsigned n; bar == 0 && len; in += n, offset += n, len -= n) {
        unsigned at = (unsigned)offset, room = 4 - (at & 3);
        struct reg_space *space = find(owner, &at);

        n = len < room ? len : room;
        reg_write(space, at, n, le_load(in, n));
    }
    return TLP_SC;
}

static void reset_queue(struct igb *nic, unsigned base, uint32_t dctl)
{
    for (unsigned offset = 0; offset < IGB_QUEUE_STRIDE; offset += 4) {
        if (reg_has(nic->regs, base + offset))
            igb_set(nic, base + offset, 0);
    }
    igb_set(nic, base + IGB_Q_DCTL, dctl);
}

/* Nothing of what was in the mailbox stays for the next user. */
void igb_vf_clear(struct igb *nic, unsigned n)
{
    static const uint16_t masks[] = {IGB_EIMS, IGB_EICR, IGB_EIAC, IGB_EIAM};
    uint32_t first = first_bit(&nic->vf[n]);

    for (unsigned queue = n; queue < IGB_QUEUES; queue += 8) {
        reset_queue(nic, IGB_RX_QUEUE + queue * IGB_QUEUE_STRIDE, 0x00010000);
        reset_queue(nic, IGB_TX_QUEUE + queue * IGB_QUEUE_STRIDE, 0);
    }
    igb_tx_reset(nic, igb_vf_queues(n));
    igb_rx_reset(nic, igb_vf_queues(n));
    for (unsigned i = 0; i < ARRAY_LEN(masks); i++)
        reg_update(nic->regs, masks[i], VECTORS << first, 0);
    for (unsigned i = 0; i < IGB_VF_VECTORS; i++)
        igb_set(nic, IGB_EITR + 4 * (first + i), 0);
    for (unsigned i = 0; i < MAILBOX_WORDS; i++)
        igb_set(nic, IGB_VMBMEM + 4 * (MAILBOX_WORDS * n + i), 0);
    reg_update(nic->regs, IGB_VFRE, 1u << n, 0);
    reg_update(nic->regs, IGB_VFTE, 1u << n, 0);
}

/* 4.2.1.6.2, 7.10.2.5: by VTCTRL or FLR; the Physical Function is told. */
static void reset_function(struct igb_func *vf, enum reg_reset_kind kind)
{
    struct igb *nic = vf->nic;
    unsigned n = (unsigned)vf->vf;

    reg_space_reset(vf->regs, kind);
    if (igb_get(nic, IGB_CTRL_EXT) & IGB_CTRL_EXT_PFRSTD)
        reg_set(vf->regs, IGB_V2PMAILBOX, IGB_V2P_RSTD);
    if (n >= nic->vfs)
        return; /* its queues are not its own now */
    igb_vf_clear(nic, n);
    reg_update(nic->regs, IGB_VFLRE, 1u << n, 1u << n);
    tell_pf(nic, n, 0);
    igb_rx_step(nic);
    igb_tx_step(nic);
}

static void ctrl_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    if (write->written & IGB_CTRL_RST)
        reset_function(reg_space_owner(space), REG_RESET_WARM); /* the counters stay */
}

static void vf_reset(void *owner, enum endpoint_reset kind)
{
    struct igb_func *vf = owner;

    igb_tx_lost(vf->nic, vf);
    igb_rx_lost(vf->nic, vf);
    reset_function(vf, REG_RESET_COLD);
}

static void vf_destroy(void *owner)
{
    struct igb_func *vf = owner;

    reg_space_free(vf->regs);
    g_free(vf->name);
}

const struct endpoint_func_ops igb_vf_ops = {
    .bar_read = bar_read, .bar_write = bar_write, .reset = vf_reset, .destroy = vf_destroy};
