/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Resets and power states of shells. Configuration space is all there is: what software can write
 * goes back to its default, which is 0 but where the tables say otherwise, and not to what firmware
 * had left there. Identity, capabilities and link state stay.
 */
#include "pcilab/base/bits.h"
#include "pcilab/pci/config.h"
#include "shell.h"

#define PMC_D1         BIT(9)
#define PMC_D2         BIT(10)
#define PMCSR_STATE    0x3u
#define PMCSR_NO_RESET BIT(3) /* No_Soft_Reset */
#define DEVCAP_FLR     BIT(28)
#define DEVCTL_FLR     0x8000u
#define AF_CAP_FLR     BIT(1)

struct sweep {
    struct reg_space *space;
    enum reg_reset_kind kind;
};

static void reset_row(void *opaque, const struct reg_def *def, unsigned offset, uint64_t value)
{
    const struct sweep *sweep = opaque;
    uint64_t change = (reg_rw_mask(sweep->space, offset) | def->rw1c) & ~def->sticky;

    if (sweep->kind == REG_RESET_FLR)
        change &= ~def->flr_keep;
    reg_set(sweep->space, offset, (value & ~change) | (def->reset & change));
}

static void reset_own(struct shell_func *func, enum reg_reset_kind kind)
{
    struct sweep sweep = {func->pci.cfg, kind};

    reg_space_visit(func->pci.cfg, reset_row, &sweep);
    func->power_state = 0;
}

/* Everything on the secondary bus, and what is behind that (PCIe Base 6.0, 6.6.1). The tree is at
 * most as deep as there are bus numbers. */
static void reset_below(struct shell_func *func)
{
    for (unsigned i = 0; i < func->below_count; i++) {
        reset_own(func->below[i], REG_RESET_WARM);
        reset_below(func->below[i]);
    }
}

/* PCIe Base 6.0, 5.3.1.4 and 7.5.2.2: a state that is not supported is not entered; without
 * No_Soft_Reset the way from D3hot back is a reset. */
void shell_power_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct shell_func *func = reg_space_owner(space);
    uint64_t pmc = reg_read(space, offset - 2, 2);
    unsigned from = func->power_state, to = write->new_value & PMCSR_STATE;

    if ((to == 1 && !(pmc & PMC_D1)) || (to == 2 && !(pmc & PMC_D2)) || (from && to && to < from)) {
        reg_update(space, offset, PMCSR_STATE, from);
        return;
    }
    func->power_state = (uint8_t)to;
    if (from == 3 && to == 0 && !(write->new_value & PMCSR_NO_RESET))
        reset_own(func, REG_RESET_WARM);
}

void shell_device_control_written(struct reg_space *space, unsigned offset,
                                  const struct reg_write *write)
{
    if (write->written & write->lanes & DEVCTL_FLR && reg_read(space, offset - 4, 4) & DEVCAP_FLR)
        reset_own(reg_space_owner(space), REG_RESET_FLR);
}

/* Conventional PCI Advanced Features: the same for functions without PCI Express. */
void shell_af_control_written(struct reg_space *space, unsigned offset,
                              const struct reg_write *write)
{
    if (write->written & write->lanes & 1 && reg_read(space, offset - 1, 1) & AF_CAP_FLR)
        reset_own(reg_space_owner(space), REG_RESET_FLR);
}

/* PCIe Base 6.0, 7.5.1.3.13: while the bit is set what is behind the bridge is in reset, and
 * nothing reaches it (shell_passes()). */
void shell_bridge_control_written(struct reg_space *space, unsigned offset,
                                  const struct reg_write *write)
{
    (void)offset;
    if (~write->old_value & write->new_value & PCI_BRIDGE_CONTROL_SECONDARY_RESET)
        reset_below(reg_space_owner(space));
}
