/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A root port and an exerciser with Virtual Functions, driven by any sequence of configuration and
 * memory accesses: software that turns Virtual Functions on and off, moves and resets them in any
 * order while their DMA is under way. Nothing may crash, leak, or stay under way for ever.
 */
#include <glib.h>
#include <stdint.h>

#include "pcilab/base/le.h"
#include "pcilab/endpoint/devices.h"
#include "pcilab/endpoint/exerciser.h"
#include "pcilab/pci/config.h"
#include "pcilab/pci/sriov.h"
#include "rig.h"

#define RP      RIG_CFG(0, 1, 0, 0)
#define PF      RIG_CFG(1, 0, 0, 0)
#define REGS    0xe0000000u
#define WINDOW  0x1000000u
#define VF_REGS 0xe0800000u
#define STEP    8 /* bytes of input for one access */
#define STEPS   200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct endpoint *build(struct rig *rig, unsigned functions, unsigned vfs)
{
    const struct exerciser_params params = {
        .name = "ex",
        .functions = functions,
        .msix_vectors = 2,
        .mem_bytes = 4096,
        .vfs = vfs,
        .vf_mem_bytes = 4096,
        .pcie = rig_pcie(PCIE_ENDPOINT),
    };
    const struct rig_windows windows = {
        .secondary = 1,
        .subordinate = 3,
        .mem_base = REGS,
        .mem_limit = REGS + WINDOW - 1,
        .pref_base = 1,
        .io_base = 1,
    };
    struct root_port *rp = rig_root_port(rig, 1, 0);
    struct endpoint *ep = exerciser_new(rig->fabric, &params);

    g_assert(ep);
    link_connect(root_port_link(rp), endpoint_port(ep));
    rig_program_bridge(rig, RP, &windows);
    rig_cfg_write(rig, PF + PCI_BAR(0), 4, REGS);
    rig_cfg_write(rig, PF + PCI_COMMAND, 2, 6);
    return ep;
}

static unsigned find_sriov(struct rig *rig)
{
    unsigned at = 0x100;

    while (at && (rig_cfg_read(rig, PF + at, 4) & 0xffff) != PCI_EXT_SRIOV)
        at = rig_cfg_read(rig, PF + at, 4) >> 20;
    return at;
}

/* One access: what, where (16 bits), value (32 bits). */
static void step(struct rig *rig, const uint8_t *in, unsigned cap)
{
    unsigned where = le16_load(in + 2), size = 1u << (in[1] & 1 ? 2 : 1);
    uint32_t value = le32_load(in + 4);

    switch (in[0] % 8) {
    case 0: /* the capability */
        where = cap + (where & 0x3c);
        rig_cfg_write(rig, PF + where, size, value);
        break;
    case 1: /* configuration space of any function */
        rig_cfg_write(rig,
                      RIG_CFG(1 + (in[1] >> 6), 0, 0, 0) + ((uint64_t)(in[1] & 0x3e) << 11) +
                          (where & 0xffc),
                      size, value);
        break;
    case 2: rig_cfg_read(rig, RIG_CFG(1, 0, 0, 0) + ((uint64_t)where << 4), 4); break;
    case 3: rig_write(rig, ROOT_MEM_WRITE, REGS + ((uint64_t)where << 8), 4, value); break;
    case 4: rig_read(rig, ROOT_MEM_READ, REGS + ((uint64_t)where << 8), 4); break;
    case 5: /* what Linux does, so that there are VFs to play with */
        rig_cfg_write(rig, PF + cap + PCI_SRIOV_NUM_VFS, 2, where & 0xf);
        rig_cfg_write(rig, PF + cap + PCI_SRIOV_BAR(0), 4, VF_REGS);
        rig_cfg_write(rig, PF + cap + PCI_SRIOV_CONTROL, 2,
                      PCI_SRIOV_CONTROL_ENABLE | PCI_SRIOV_CONTROL_MSE | (in[1] & 0x10));
        break;
    case 6: /* DMA of a VF */
        rig_write(rig, ROOT_MEM_WRITE,
                  VF_REGS + (where & 0xf) * EXERCISER_BAR0_BYTES + EXERCISER_CHANNEL(in[1] & 3) +
                      EXERCISER_CH_LEN,
                  4, value & 0xfff);
        rig_write(rig, ROOT_MEM_WRITE,
                  VF_REGS + (where & 0xf) * EXERCISER_BAR0_BYTES + EXERCISER_CHANNEL(in[1] & 3) +
                      EXERCISER_CH_COMMAND,
                  4, value >> 28);
        break;
    default: rig_run_for(rig, (uint64_t)where * PS_PER_US); break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rig *rig;
    struct endpoint *ep;
    unsigned cap;

    if (size < 2)
        return 0;
    rig = rig_new();
    ep = build(rig, 1 + data[0] % 3, 1 + data[1] % 12);
    cap = find_sriov(rig);
    data += 2;
    size -= 2;
    for (unsigned i = 0; i < STEPS && size >= STEP; i++, data += STEP, size -= STEP)
        step(rig, data, cap);
    rig_run_for(rig, 200 * PS_PER_MS);
    rig_settle(rig);
    endpoint_free(ep);
    rig_free(rig); /* says so when a TLP is left */
    return 0;
}
