/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtual Functions of an exerciser behind a root port, as software turns them on and uses them. */
#include <string.h>

#include "pcilab/endpoint/devices.h"
#include "pcilab/endpoint/exerciser.h"
#include "pcilab/endpoint/ids.h"
#include "pcilab/pci/config.h"
#include "pcilab/pci/error.h"
#include "pcilab/pci/sriov.h"
#include "rig.h"

#define FUNCTIONS 2
#define VFS       20
#define MEM_BYTES (1u << 16)
#define VF_BYTES  (1u << 13)
#define RP        RIG_CFG(0, 1, 0, 0)
#define PF(fn)    RIG_CFG(1, 0, fn, 0)
/* By Routing ID: bus, and the eight bits below it. */
#define ID(rid)    ((uint64_t)(rid) << 12)
#define REGS(fn)   (0xe0000000ULL + (fn)*0x100000)
#define VF_REGS    0xe0800000ULL
#define VF_BAR2    0xe0c00000ULL
#define VF_MEM     0x4000000000ULL
#define VF_BUSES   4
#define NOBODY     0xffffffffu
#define VF_WAIT_PS (100 * PS_PER_MS)

static struct rig *rig;
static struct endpoint *ep;
static unsigned cap; /* of PF 0 */

static unsigned ext_cap(uint64_t cfg, unsigned id)
{
    unsigned at = 0x100;

    while (at && (rig_cfg_read(rig, cfg + at, 4) & 0xffff) != id)
        at = rig_cfg_read(rig, cfg + at, 4) >> 20;
    ck_assert_uint_ne(at, 0);
    return at;
}

static unsigned find_cap(uint64_t cfg, unsigned id)
{
    unsigned at = rig_cfg_read(rig, cfg + PCI_CAP_POINTER, 1);

    while (at && rig_cfg_read(rig, cfg + at, 1) != id)
        at = rig_cfg_read(rig, cfg + at + 1, 1);
    ck_assert_uint_ne(at, 0);
    return at;
}

static void build(unsigned vfs)
{
    const struct exerciser_params params = {
        .name = "ex0",
        .functions = FUNCTIONS,
        .msix_vectors = 4,
        .msi_vectors = 1,
        .mem_bytes = MEM_BYTES,
        .vfs = vfs,
        .vf_mem_bytes = VF_BYTES,
        .pcie = rig_pcie(PCIE_ENDPOINT),
    };
    const struct rig_windows windows = {
        .secondary = 1,
        .subordinate = 1 + VF_BUSES,
        .mem_base = REGS(0),
        .mem_limit = 0xe1ffffff,
        .pref_base = VF_MEM,
        .pref_limit = VF_MEM + 0xfffffff,
        .io_base = 0x1000,
        .io_limit = 0x1fff,
    };

    rig = rig_new();
    struct root_port *rp = rig_root_port(rig, 1, 0);
    ep = exerciser_new(rig->fabric, &params);
    link_connect(root_port_link(rp), endpoint_port(ep));
    rig_program_bridge(rig, RP, &windows);
    rig_cfg_write(rig, PF(0) + PCI_BAR(0), 4, (uint32_t)REGS(0));
    rig_cfg_write(rig, PF(0) + PCI_COMMAND, 2, 7);
    rig_cfg_write(rig, PF(1) + PCI_COMMAND, 2, 7); /* captures its number */
    cap = ext_cap(PF(0), PCI_EXT_SRIOV);
}

static void setup(void)
{
    build(VFS);
}

static void teardown(void)
{
    rig_settle(rig);
    endpoint_free(ep);
    rig_free(rig);
}

static uint32_t get(unsigned offset, unsigned size)
{
    return rig_cfg_read(rig, PF(0) + cap + offset, size);
}

static void set(unsigned offset, unsigned size, uint32_t value)
{
    rig_cfg_write(rig, PF(0) + cap + offset, size, value);
}

static void set_vf_bars(void)
{
    set(PCI_SRIOV_BAR(0), 4, (uint32_t)VF_REGS);
    set(PCI_SRIOV_BAR(2), 4, (uint32_t)VF_BAR2);
    set(PCI_SRIOV_BAR(3), 4, 0);
    set(PCI_SRIOV_BAR(4), 4, (uint32_t)VF_MEM);
    set(PCI_SRIOV_BAR(5), 4, VF_MEM >> 32);
}

/* As Linux goes about it. */
static void enable(unsigned vfs, bool ari)
{
    unsigned pcie = find_cap(RP, PCI_CAP_PCIE);

    rig_cfg_write(rig, RP + pcie + PCIE_DEVCTL2, 2, ari ? PCIE_DEVCTL2_ARI : 0);
    set(PCI_SRIOV_CONTROL, 2, ari ? PCI_SRIOV_CONTROL_ARI : 0);
    set(PCI_SRIOV_NUM_VFS, 2, vfs);
    set_vf_bars();
    set(PCI_SRIOV_CONTROL, 2,
        (ari ? PCI_SRIOV_CONTROL_ARI : 0) | PCI_SRIOV_CONTROL_ENABLE | PCI_SRIOV_CONTROL_MSE);
    rig_run_for(rig, VF_WAIT_PS);
}

static unsigned vf_rid(unsigned index)
{
    return 0x100 + get(PCI_SRIOV_FIRST_OFFSET, 2) + index * get(PCI_SRIOV_STRIDE, 2);
}

static uint64_t vf_cfg(unsigned index)
{
    return ID(vf_rid(index));
}

static uint64_t vf_get(unsigned index, unsigned offset, unsigned size)
{
    return rig_read(rig, ROOT_MEM_READ, VF_REGS + index * EXERCISER_BAR0_BYTES + offset, size);
}

static void vf_set(unsigned index, unsigned offset, unsigned size, uint64_t value)
{
    rig_write(rig, ROOT_MEM_WRITE, VF_REGS + index * EXERCISER_BAR0_BYTES + offset, size, value);
}

static void vf_start(unsigned index, unsigned command, uint64_t addr, uint32_t len)
{
    vf_set(index, EXERCISER_CHANNEL(0) + EXERCISER_CH_ADDR, 8, addr);
    vf_set(index, EXERCISER_CHANNEL(0) + EXERCISER_CH_LOCAL, 8, 0);
    vf_set(index, EXERCISER_CHANNEL(0) + EXERCISER_CH_LEN, 4, len);
    vf_set(index, EXERCISER_CHANNEL(0) + EXERCISER_CH_COMMAND, 4, command);
}

static unsigned vf_run(unsigned index, unsigned command, uint64_t addr, uint32_t len)
{
    vf_start(index, command, addr, len);
    rig_run_for(rig, PS_PER_MS);
    uint64_t status = vf_get(index, EXERCISER_CHANNEL(0) + EXERCISER_CH_STATUS, 4);
    ck_assert_uint_eq(status & 3, EXERCISER_STATUS_DONE);
    return (unsigned)FIELD_GET(EXERCISER_STATUS_RESULT, status);
}

START_TEST(registers_of_the_capability)
{
    ck_assert_uint_eq(get(0, 2), PCI_EXT_SRIOV);
    ck_assert_uint_eq(get(PCI_SRIOV_CAPS, 4), 0);
    ck_assert_uint_eq(get(PCI_SRIOV_INITIAL_VFS, 2), VFS);
    ck_assert_uint_eq(get(PCI_SRIOV_TOTAL_VFS, 2), VFS);
    ck_assert_uint_eq(get(PCI_SRIOV_VF_DEVICE, 2), ENDPOINT_DEVICE_VF);
    ck_assert_uint_eq(get(PCI_SRIOV_SUPPORTED_PAGES, 4) & 0x553, 0x553);
    ck_assert_uint_eq(get(PCI_SRIOV_SYSTEM_PAGE, 4), 1);
    ck_assert_uint_eq(
        rig_cfg_read(rig, PF(1) + ext_cap(PF(1), PCI_EXT_SRIOV) + PCI_SRIOV_DEPENDENCY, 1), 1);
    set(PCI_SRIOV_NUM_VFS, 2, VFS + 1);
    ck_assert_uint_eq(get(PCI_SRIOV_NUM_VFS, 2), 0);
    set(PCI_SRIOV_TOTAL_VFS, 2, 3);
    set(PCI_SRIOV_CONTROL, 2, 0xffff & ~PCI_SRIOV_CONTROL_ENABLE);
    ck_assert_uint_eq(get(PCI_SRIOV_TOTAL_VFS, 2), VFS);
    ck_assert_uint_eq(get(PCI_SRIOV_CONTROL, 2), PCI_SRIOV_CONTROL_MSE | PCI_SRIOV_CONTROL_ARI);
    /* Only the lowest PF has ARI Capable Hierarchy. */
    unsigned other = ext_cap(PF(1), PCI_EXT_SRIOV);
    rig_cfg_write(rig, PF(1) + other + PCI_SRIOV_CONTROL, 2, PCI_SRIOV_CONTROL_ARI);
    ck_assert_uint_eq(rig_cfg_read(rig, PF(1) + other + PCI_SRIOV_CONTROL, 2), 0);
    /* Where the VFs are depends on that bit, for both. */
    ck_assert_uint_eq(get(PCI_SRIOV_FIRST_OFFSET, 2), 2);
    ck_assert_uint_eq(rig_cfg_read(rig, PF(1) + other + PCI_SRIOV_FIRST_OFFSET, 2), 2);
    set(PCI_SRIOV_CONTROL, 2, 0);
    ck_assert_uint_eq(get(PCI_SRIOV_FIRST_OFFSET, 2), 256);
    ck_assert_uint_eq(rig_cfg_read(rig, PF(1) + other + PCI_SRIOV_FIRST_OFFSET, 2), 256);
}
END_TEST

START_TEST(page_size_widens_apertures)
{
    set(PCI_SRIOV_BAR(0), 4, NOBODY);
    ck_assert_uint_eq(get(PCI_SRIOV_BAR(0), 4), ~(EXERCISER_BAR0_BYTES - 1u));
    set(PCI_SRIOV_BAR(4), 4, NOBODY);
    ck_assert_uint_eq(get(PCI_SRIOV_BAR(4), 4), ~(VF_BYTES - 1u) | 0xc);
    set(PCI_SRIOV_SYSTEM_PAGE, 4, 0x10); /* 64 KiB */
    set(PCI_SRIOV_BAR(0), 4, NOBODY);
    ck_assert_uint_eq(get(PCI_SRIOV_BAR(0), 4), 0xffff0000);
    set(PCI_SRIOV_SYSTEM_PAGE, 4, 0x11);
    ck_assert_uint_eq(get(PCI_SRIOV_SYSTEM_PAGE, 4), 0x10);
    set(PCI_SRIOV_SYSTEM_PAGE, 4, 0x4); /* 16 KiB is not supported */
    ck_assert_uint_eq(get(PCI_SRIOV_SYSTEM_PAGE, 4), 0x10);
    enable(3, true);
    ck_assert_uint_eq(rig_read(rig, ROOT_MEM_READ, VF_REGS + 2 * 0x10000, 4),
                      EXERCISER_MAGIC_VALUE);
    /* What the device does not have of its larger aperture reads as zero, memory too. */
    rig_write(rig, ROOT_MEM_WRITE, VF_MEM + VF_BYTES, 8, 1);
    ck_assert_uint_eq(rig_read(rig, ROOT_MEM_READ, VF_MEM + VF_BYTES, 8), 0);
    ck_assert_uint_eq(rig_read(rig, ROOT_MEM_READ, VF_MEM + 0xfff8, 8), 0);
    ck_assert_uint_eq(rig_read(rig, ROOT_MEM_READ, VF_REGS + EXERCISER_BAR0_BYTES, 4), 0);
    set(PCI_SRIOV_SYSTEM_PAGE, 4, 0x1); /* not while VFs exist */
    set(PCI_SRIOV_NUM_VFS, 2, 1);
    ck_assert_uint_eq(get(PCI_SRIOV_SYSTEM_PAGE, 4), 0x10);
    ck_assert_uint_eq(get(PCI_SRIOV_NUM_VFS, 2), 3);
}
END_TEST

/* _i: with ARI. */
START_TEST(virtual_functions_come_and_go)
{
    unsigned seen = 0;

    for (unsigned round = 0; round < 3; round++) {
        enable(VFS - round, _i);
        ck_assert_uint_eq(vf_rid(0) >> 8, _i ? 1 : 2);
        for (unsigned i = 0; i < VFS; i++) {
            uint32_t id = rig_cfg_read(rig, vf_cfg(i), 4);
            uint32_t class = rig_cfg_read(rig, vf_cfg(i) + PCI_REVISION, 4);

            ck_assert_uint_eq(id, NOBODY); /* 9.3.4.1.1 */
            ck_assert_uint_eq(class, i < VFS - round ? 0xff000001 : NOBODY);
        }
        /* Nobody is between them: those are the other function's. */
        ck_assert_uint_eq(rig_cfg_read(rig, vf_cfg(0) + ID(1) + PCI_REVISION, 4), NOBODY);
        for (unsigned i = 0; i < VFS - round; i++) {
            ck_assert_uint_eq(vf_get(i, EXERCISER_FUNCTION, 4), (i + 1) << 16 | FUNCTIONS << 8);
            ck_assert_uint_eq(vf_get(i, EXERCISER_SCRATCH0, 4), 0);
            vf_set(i, EXERCISER_SCRATCH0, 4, 0x5ec4e7);
            seen++;
        }
        ck_assert_uint_eq(vf_get(VFS - round, EXERCISER_MAGIC, 4), NOBODY);
        set(PCI_SRIOV_CONTROL, 2, get(PCI_SRIOV_CONTROL, 2) & ~PCI_SRIOV_CONTROL_ENABLE);
        ck_assert_uint_eq(vf_get(0, EXERCISER_MAGIC, 4), NOBODY);
        ck_assert_uint_eq(rig_cfg_read(rig, vf_cfg(0) + PCI_REVISION, 4), NOBODY);
    }
    ck_assert_uint_eq(seen, 3 * VFS - 3);
}
END_TEST

START_TEST(early_access_is_told_to_retry)
{
    set(PCI_SRIOV_CONTROL, 2, PCI_SRIOV_CONTROL_ARI);
    rig_cfg_write(rig, RP + find_cap(RP, PCI_CAP_PCIE) + PCIE_DEVCTL2, 2, PCIE_DEVCTL2_ARI);
    set(PCI_SRIOV_NUM_VFS, 2, 1);
    set_vf_bars();
    set(PCI_SRIOV_CONTROL, 2,
        PCI_SRIOV_CONTROL_ARI | PCI_SRIOV_CONTROL_ENABLE | PCI_SRIOV_CONTROL_MSE);
    ck_assert_uint_eq(vf_get(0, EXERCISER_MAGIC, 4), NOBODY);
    rig_run_for(rig, VF_WAIT_PS);
    ck_assert_uint_eq(vf_get(0, EXERCISER_MAGIC, 4), EXERCISER_MAGIC_VALUE);
}
END_TEST

START_TEST(what_is_a_vfs_own)
{
    enable(2, true);
    uint64_t cfg = vf_cfg(1);
    unsigned pcie = find_cap(cfg, PCI_CAP_PCIE);

    rig_cfg_write(rig, cfg + PCI_COMMAND, 2, 0xffff);
    ck_assert_uint_eq(rig_cfg_read(rig, cfg + PCI_COMMAND, 2), PCI_COMMAND_MASTER);
    for (unsigned bar = 0; bar < PCI_BAR_COUNT; bar++) {
        rig_cfg_write(rig, cfg + PCI_BAR(bar), 4, NOBODY);
        ck_assert_uint_eq(rig_cfg_read(rig, cfg + PCI_BAR(bar), 4), 0);
    }
    ck_assert_uint_eq(rig_cfg_read(rig, cfg + PCI_INTERRUPT_PIN, 1), 0);
    rig_cfg_write(rig, cfg + pcie + PCIE_DEVCTL, 2, 0x7fff);
    rig_cfg_write(rig, cfg + pcie + PCIE_DEVCTL2, 2, 0xffff);
    rig_cfg_write(rig, cfg + pcie + PCIE_LNKCTL, 2, 0xffff);
    ck_assert_uint_eq(rig_cfg_read(rig, cfg + pcie + PCIE_DEVCTL, 2), 0);
    ck_assert_uint_eq(rig_cfg_read(rig, cfg + pcie + PCIE_DEVCTL2, 2), 0);
    ck_assert_uint_eq(rig_cfg_read(rig, cfg + pcie + PCIE_LNKCTL, 2), 0);
    ck_assert_uint_eq(rig_cfg_read(rig, cfg + pcie + PCIE_LNKSTA, 2), 0);
    ck_assert_uint_ne(rig_cfg_read(rig, cfg + pcie + PCIE_DEVCAP, 4) & PCIE_DEVCAP_FLR, 0);
}
END_TEST

/* Each by its own Bus Master Enable and with its own number, _i: with ARI. */
static void take_vf_1(void *opaque, struct pci_func *func)
{
    struct pci_func **vf = opaque;

    if (func->pf && func->vf_index == 1 && !*vf)
        *vf = func;
}

/* The status is the VF's own; masks, severities and enables are the PF's (9.4). */
START_TEST(errors_of_a_virtual_function)
{
    const uint32_t bit = 1u << PCI_ERROR_TIMEOUT;
    unsigned pf_aer = ext_cap(PF(0), PCI_EXT_AER), devctl = find_cap(PF(0), PCI_CAP_PCIE);
    struct pci_func *vf = NULL;

    enable(3, false);
    endpoint_visit(ep, take_vf_1, &vf);
    uint64_t cfg = vf_cfg(1), aer = cfg + ext_cap(cfg, PCI_EXT_AER);
    rig_cfg_write(rig, aer + PCI_AER_UNCOR_MASK, 4, 0xffffffff);
    rig_cfg_write(rig, aer + PCI_AER_UNCOR_SEVERITY, 4, 0xffffffff);
    rig_cfg_write(rig, aer + PCI_AER_COR_MASK, 4, 0xffffffff);
    ck_assert_uint_eq(rig_cfg_read(rig, aer + PCI_AER_UNCOR_MASK, 4), 0);
    ck_assert_uint_eq(rig_cfg_read(rig, aer + PCI_AER_UNCOR_SEVERITY, 4), 0);
    ck_assert_uint_eq(rig_cfg_read(rig, aer + PCI_AER_COR_MASK, 4), 0);
    ck_assert_uint_eq(rig_cfg_read(rig, aer + PCI_AER_CONTROL, 4) & 0x1e0, 0);

    rig_cfg_write(rig, PF(0) + devctl + PCIE_DEVCTL, 2, PCIE_DEVCTL_NONFATAL | PCIE_DEVCTL_FATAL);
    rig_cfg_write(rig, PF(0) + pf_aer + PCI_AER_UNCOR_MASK, 4, bit);
    ck_assert_uint_eq(pci_error_log(vf, PCI_ERROR_TIMEOUT, NULL, PCI_ERROR_AT_TARGET), 0);
    ck_assert_uint_eq(rig_cfg_read(rig, aer + PCI_AER_UNCOR_STATUS, 4), bit);
    rig_cfg_write(rig, aer + PCI_AER_UNCOR_STATUS, 4, bit);
    rig_cfg_write(rig, PF(0) + pf_aer + PCI_AER_UNCOR_MASK, 4, 0);
    ck_assert_uint_eq(pci_error_log(vf, PCI_ERROR_TIMEOUT, NULL, PCI_ERROR_AT_TARGET),
                      PCI_ERROR_MSG_NONFATAL);
    ck_assert_uint_eq(rig_cfg_read(rig, aer + PCI_AER_CONTROL, 4) & PCI_AER_CONTROL_POINTER,
                      PCI_ERROR_TIMEOUT);
    rig_cfg_write(rig, PF(0) + pf_aer + PCI_AER_UNCOR_SEVERITY, 4, bit);
    ck_assert_uint_eq(pci_error_log(vf, PCI_ERROR_TIMEOUT, NULL, PCI_ERROR_AT_TARGET),
                      PCI_ERROR_MSG_FATAL);
    /* Nobody else's is touched. */
    ck_assert_uint_eq(rig_cfg_read(rig, PF(0) + pf_aer + PCI_AER_UNCOR_STATUS, 4), 0);
    cfg = vf_cfg(2);
    aer = cfg + ext_cap(cfg, PCI_EXT_AER);
    ck_assert_uint_eq(rig_cfg_read(rig, aer + PCI_AER_UNCOR_STATUS, 4), 0);
    /* Nothing passes between functions of the device (7.7.11.2). */
    ck_assert_uint_eq(rig_cfg_read(rig, cfg + ext_cap(cfg, PCI_EXT_ACS) + PCI_ACS_CAPS, 2), 0);
    ck_assert_uint_eq(rig_cfg_read(rig, PF(0) + ext_cap(PF(0), PCI_EXT_ACS) + PCI_ACS_CAPS, 2), 0);
}
END_TEST

/* ECRC is switched on for all at once. */
START_TEST(ecrc_of_virtual_functions)
{
    unsigned aer = ext_cap(PF(0), PCI_EXT_AER);
    struct pci_func *vf = NULL;

    enable(2, false);
    endpoint_visit(ep, take_vf_1, &vf);
    ck_assert(!vf->ecrc_generate);
    rig_cfg_write(rig, PF(0) + aer + PCI_AER_CONTROL, 4, PCI_AER_CONTROL_ECRC_GEN);
    ck_assert(vf->ecrc_generate && !vf->ecrc_check);
    rig_cfg_write(rig, vf_cfg(1) + PCI_COMMAND, 2, PCI_COMMAND_MASTER);
    ck_assert_uint_eq(vf_run(1, EXERCISER_READ, 0x2000, 64), DMA_OK);
}
END_TEST

START_TEST(dma_of_virtual_functions)
{
    enable(VFS, _i);
    for (unsigned i = 0; i < VFS; i++) {
        memset(rig->low + 0x2000, (int)i + 1, 4096);
        ck_assert_uint_eq(vf_run(i, EXERCISER_READ, 0x2000, 4096), DMA_NO_MASTER);
        rig_cfg_write(rig, vf_cfg(i) + PCI_COMMAND, 2, PCI_COMMAND_MASTER);
        ck_assert_uint_eq(vf_run(i, EXERCISER_READ, 0x2000, 4096), DMA_OK);
        ck_assert_uint_eq(vf_run(i, EXERCISER_WRITE, 0x8000 + i * 4096, 4096), DMA_OK);
    }
    for (unsigned i = 0; i < VFS; i++)
        for (unsigned b = 0; b < 4096; b++)
            ck_assert_uint_eq(rig->low[0x8000 + i * 4096 + b], i + 1);
}
END_TEST

START_TEST(all_at_once)
{
    enable(VFS, true);
    for (unsigned i = 0; i < VFS; i++) {
        rig_cfg_write(rig, vf_cfg(i) + PCI_COMMAND, 2, PCI_COMMAND_MASTER);
        vf_start(i, EXERCISER_READ, 0, VF_BYTES);
    }
    rig_run_for(rig, 10 * PS_PER_MS);
    for (unsigned i = 0; i < VFS; i++)
        ck_assert_uint_eq(vf_get(i, EXERCISER_CHANNEL(0) + EXERCISER_CH_STATUS, 4),
                          EXERCISER_STATUS_DONE);
}
END_TEST

START_TEST(interrupts_of_virtual_functions)
{
    enable(2, true);
    uint64_t table = VF_BAR2 + EXERCISER_BAR2_BYTES; /* of the second */

    rig_cfg_write(rig, vf_cfg(1) + PCI_COMMAND, 2, PCI_COMMAND_MASTER);
    rig_cfg_write(rig, vf_cfg(1) + find_cap(vf_cfg(1), PCI_CAP_MSIX) + 2, 2, 0x8000);
    rig_write(rig, ROOT_MEM_WRITE, table + 16, 8, 0xfee00000);
    rig_write(rig, ROOT_MEM_WRITE, table + 24, 8, 0x41);
    vf_set(1, EXERCISER_IRQ_TRIGGER, 4, 1);
    ck_assert_uint_eq(rig->msis, 1);
    ck_assert_uint_eq(rig->msi[0].data, 0x41);
    vf_set(0, EXERCISER_IRQ_TRIGGER, 4, 1);
    ck_assert_uint_eq(rig->msis, 1);
}
END_TEST

START_TEST(level_reset_of_one)
{
    enable(3, true);
    for (unsigned i = 0; i < 3; i++) {
        rig_cfg_write(rig, vf_cfg(i) + PCI_COMMAND, 2, PCI_COMMAND_MASTER);
        rig_write(rig, ROOT_MEM_WRITE, VF_MEM + i * VF_BYTES + 64, 8, 0x5ec4e7);
    }
    vf_start(1, EXERCISER_READ, 0, VF_BYTES); /* under way */
    rig_cfg_write(rig, vf_cfg(1) + find_cap(vf_cfg(1), PCI_CAP_PCIE) + PCIE_DEVCTL, 2,
                  PCIE_DEVCTL_FLR);
    rig_run_for(rig, VF_WAIT_PS);
    ck_assert_uint_eq(rig_cfg_read(rig, vf_cfg(1) + PCI_COMMAND, 2), 0);
    /* Its BARs stay, as they are the PF's; what was behind them is gone. */
    ck_assert_uint_eq(vf_get(1, EXERCISER_RESET_COUNT, 8), 1);
    ck_assert_uint_eq(rig_read(rig, ROOT_MEM_READ, VF_MEM + VF_BYTES + 64, 8), 0);
    for (unsigned i = 0; i < 3; i += 2) {
        ck_assert_uint_eq(rig_cfg_read(rig, vf_cfg(i) + PCI_COMMAND, 2), PCI_COMMAND_MASTER);
        ck_assert_uint_eq(rig_read(rig, ROOT_MEM_READ, VF_MEM + i * VF_BYTES + 64, 8), 0x5ec4e7);
    }
}
END_TEST

#define SECRET 0x5ec2e75a

/* Registers that keep what is written without further ado. */
static bool keeps(const struct reg_def *def)
{
    return def->rw && def->offset != EXERCISER_IRQ_TRIGGER &&
           def->offset != EXERCISER_FAULT_COUNT && def->offset != EXERCISER_RRS_US;
}

static void leave_secrets(uint64_t regs)
{
    unsigned count;
    const struct reg_def *def = exerciser_registers(&count);

    for (unsigned i = 0; i < count; i++) {
        if (keeps(&def[i]))
            rig_write(rig, ROOT_MEM_WRITE, regs + def[i].offset, def[i].width, SECRET);
    }
    rig_write(rig, ROOT_MEM_WRITE, regs + EXERCISER_RRS_US, 4, SECRET & 0xff);
    def = exerciser_channel_registers(&count);
    for (unsigned i = 0; i < count; i++) {
        if (def[i].rw && def[i].offset != EXERCISER_CH_COMMAND)
            rig_write(rig, ROOT_MEM_WRITE, regs + EXERCISER_CHANNEL(3) + def[i].offset,
                      def[i].width, SECRET);
    }
}

/* Writable registers that are not as after power-on. */
static unsigned find_secrets(uint64_t regs)
{
    unsigned count, found = 0;
    const struct reg_def *def = exerciser_registers(&count);

    for (unsigned i = 0; i < count; i++)
        found += def[i].rw &&
                 rig_read(rig, ROOT_MEM_READ, regs + def[i].offset, def[i].width) != def[i].reset;
    def = exerciser_channel_registers(&count);
    for (unsigned i = 0; i < count; i++)
        found +=
            def[i].rw && rig_read(rig, ROOT_MEM_READ, regs + EXERCISER_CHANNEL(3) + def[i].offset,
                                  def[i].width) != def[i].reset;
    return found;
}

/* Who looks finds: a Physical Function keeps what is said to be sticky, and that is seen. */
START_TEST(a_virtual_function_forgets)
{
    uint64_t vf = VF_REGS, other = VF_REGS + EXERCISER_BAR0_BYTES;
    unsigned left;

    enable(2, true);
    ck_assert_uint_eq(find_secrets(vf), 0);
    leave_secrets(vf);
    leave_secrets(other);
    left = find_secrets(vf);
    ck_assert_uint_gt(left, 20);
    rig_cfg_write(rig, vf_cfg(0) + find_cap(vf_cfg(0), PCI_CAP_PCIE) + PCIE_DEVCTL, 2,
                  PCIE_DEVCTL_FLR);
    rig_run_for(rig, VF_WAIT_PS);
    ck_assert_uint_eq(find_secrets(vf), 0);
    ck_assert_uint_eq(find_secrets(other), left);
    leave_secrets(REGS(0));
    ck_assert_uint_eq(find_secrets(REGS(0)), left);
    rig_cfg_write(rig, PF(0) + find_cap(PF(0), PCI_CAP_PCIE) + PCIE_DEVCTL, 2, PCIE_DEVCTL_FLR);
    rig_run_for(rig, VF_WAIT_PS);
    rig_cfg_write(rig, PF(0) + PCI_BAR(0), 4, (uint32_t)REGS(0));
    rig_cfg_write(rig, PF(0) + PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    ck_assert_uint_eq(find_secrets(REGS(0)), 2); /* scratch3, rrs_us */
}
END_TEST

/* _i: by Function Level Reset, by Secondary Bus Reset, by power state (which only hides them). */
START_TEST(what_befalls_the_physical_function)
{
    enable(3, true);
    rig_cfg_write(rig, vf_cfg(2) + PCI_COMMAND, 2, PCI_COMMAND_MASTER);
    vf_start(2, EXERCISER_READ, 0, VF_BYTES);
    if (_i == 0) {
        rig_cfg_write(rig, PF(0) + find_cap(PF(0), PCI_CAP_PCIE) + PCIE_DEVCTL, 2, PCIE_DEVCTL_FLR);
    } else if (_i == 1) {
        rig_cfg_write(rig, RP + PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CONTROL_SECONDARY_RESET);
        rig_run_for(rig, PS_PER_MS);
        rig_cfg_write(rig, RP + PCI_BRIDGE_CONTROL, 2, 0);
    } else {
        rig_cfg_write(rig, PF(0) + find_cap(PF(0), PCI_CAP_PM) + PCI_PM_CSR, 2, 3);
    }
    rig_run_for(rig, 2 * VF_WAIT_PS);
    ck_assert_uint_eq(vf_get(0, EXERCISER_MAGIC, 4), NOBODY);
    if (_i < 2) {
        ck_assert_uint_eq(get(PCI_SRIOV_CONTROL, 2), 0);
        ck_assert_uint_eq(get(PCI_SRIOV_NUM_VFS, 2), 0);
        ck_assert_uint_eq(get(PCI_SRIOV_BAR(0), 4), 0);
    }
    rig_cfg_write(rig, PF(0) + find_cap(PF(0), PCI_CAP_PM) + PCI_PM_CSR, 2, 0);
    rig_cfg_write(rig, PF(0) + PCI_COMMAND, 2, 7);
    enable(3, true);
    ck_assert_uint_eq(vf_get(2, EXERCISER_MAGIC, 4), EXERCISER_MAGIC_VALUE);
}
END_TEST

START_TEST(two_hundred_and_fifty_six)
{
    teardown();
    build(256);
    for (unsigned ari = 0; ari < 2; ari++) {
        enable(256, ari);
        ck_assert_uint_eq(vf_rid(255) >> 8, 3); /* two functions take turns */
        for (unsigned i = 0; i < 256; i++) {
            rig_cfg_write(rig, vf_cfg(i) + PCI_COMMAND, 2, PCI_COMMAND_MASTER);
            ck_assert_uint_eq(rig_cfg_read(rig, vf_cfg(i) + PCI_COMMAND, 2), PCI_COMMAND_MASTER);
            ck_assert_uint_eq(vf_get(i, EXERCISER_FUNCTION, 4) >> 16, i + 1);
        }
        ck_assert_uint_eq(vf_run(255, EXERCISER_READ, 0x1000, 4096), DMA_OK);
        set(PCI_SRIOV_CONTROL, 2, 0);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exerciser-sriov");
    TCase *tc = tcase_create("sriov");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, registers_of_the_capability);
    tcase_add_test(tc, page_size_widens_apertures);
    tcase_add_loop_test(tc, virtual_functions_come_and_go, 0, 2);
    tcase_add_test(tc, early_access_is_told_to_retry);
    tcase_add_test(tc, what_is_a_vfs_own);
    tcase_add_test(tc, errors_of_a_virtual_function);
    tcase_add_test(tc, ecrc_of_virtual_functions);
    tcase_add_loop_test(tc, dma_of_virtual_functions, 0, 2);
    tcase_add_test(tc, all_at_once);
    tcase_add_test(tc, interrupts_of_virtual_functions);
    tcase_add_test(tc, level_reset_of_one);
    tcase_add_test(tc, a_virtual_function_forgets);
    tcase_add_loop_test(tc, what_befalls_the_physical_function, 0, 3);
    tcase_add_test(tc, two_hundred_and_fifty_six);
    suite_add_tcase(suite, tc);
    return rig_run_suite(suite);
}
