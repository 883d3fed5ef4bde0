/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The SR-IOV capability of a Physical Function (PCIe Base 6.0, 9.3.3). What Virtual Functions look
 * like is in vf.c.
 *
 * VF Migration is not there (9.3.3.2.1): InitialVFs equals TotalVFs.
 */
#include "pcilab/pci/sriov.h"

#include <assert.h>
#include <glib.h>

#include "internal.h"
#include "pcilab/base/bits.h"
#include "pcilab/pci/config.h"
#include "sriov.h"

#define PAGE_4K       0x1u
#define PAGE_SHIFT    12
#define BAR_FLAGS     0xfull
#define BAR_WIDE      0x4u
#define BAR_PREFETCH  0x8u
#define CONTROL_RULES (PCI_SRIOV_CONTROL_ENABLE | PCI_SRIOV_CONTROL_MSE)

static uint64_t sriov_get(const struct pci_func *pf, unsigned offset)
{
    return reg_get(pf->cfg, pf->ext_sriov + offset);
}

static bool bar_is_wide(const struct pci_bar *bar)
{
    return bar->kind == PCI_BAR_MEM64 || bar->kind == PCI_BAR_MEM64_PREF;
}

static const struct pci_sriov_place *place_now(const struct pci_func *pf)
{
    const struct pci_sriov *s = pf->sriov;

    return &s->place[(sriov_get(s->lead, PCI_SRIOV_CONTROL) & PCI_SRIOV_CONTROL_ARI) != 0];
}

/* Bus numbers of VFs follow their PF's (9.2.1.2). */
void pci_sriov_renumber(struct pci_func *pf)
{
    struct pci_sriov *s = pf->sriov;

    for (unsigned i = 0; i < s->enabled; i++)
        s->vf[i]->rid.v = (uint16_t)(pf->rid.v + s->now.first_offset + i * s->now.stride);
}

static void bars_update(struct pci_func *pf)
{
    struct pci_sriov *s = pf->sriov;

    for (unsigned i = 0; i < PCI_BAR_COUNT; i++) {
        struct pci_bar *bar = &s->bar[i];

        if (bar->kind == PCI_BAR_NONE)
            continue;
        bar->addr = sriov_get(pf, PCI_SRIOV_BAR(i)) & ~BAR_FLAGS;
        bar->mapped = bar->addr != (uint32_t) ~(bar->size - 1);
        if (bar_is_wide(bar)) {
            bar->addr |= sriov_get(pf, PCI_SRIOV_BAR(i + 1)) << 32;
            bar->mapped = bar->addr != ~(bar->size - 1);
        }
        /* As with other BARs, one that is being sized decodes nothing. */
        bar->mapped = bar->mapped && s->enabled && pf->power_state == 0 &&
                      (sriov_get(pf, PCI_SRIOV_CONTROL) & PCI_SRIOV_CONTROL_MSE ||
                       flaw_on(pf->flaws, FLAW_VF_MEMORY_ENABLE));
    }
    for (unsigned i = 0; i < s->count; i++)
        pci_bars_update(s->vf[i]);
}

/* The apertures grow to the page size that software chose (9.3.3.13). */
static void sizes_update(struct pci_func *pf)
{
    struct pci_sriov *s = pf->sriov;
    uint64_t page = flaw_on(pf->flaws, FLAW_VF_BAR_STRIDE)
                        ? 0
                        : sriov_get(pf, PCI_SRIOV_SYSTEM_PAGE) << PAGE_SHIFT;

    for (unsigned i = 0; i < PCI_BAR_COUNT; i++) {
        struct pci_bar *bar = &s->bar[i];
        uint64_t mask;

        if (bar->kind == PCI_BAR_NONE)
            continue;
        bar->size = MAX(s->least_bytes[i], page);
        mask = ~(bar->size - 1);
        reg_set_rw_mask(pf->cfg, pf->ext_sriov + PCI_SRIOV_BAR(i), (uint32_t)mask & ~BAR_FLAGS);
        reg_update(pf->cfg, pf->ext_sriov + PCI_SRIOV_BAR(i), ~mask & (uint32_t)~BAR_FLAGS, 0);
        if (bar_is_wide(bar)) {
            reg_set_rw_mask(pf->cfg, pf->ext_sriov + PCI_SRIOV_BAR(i + 1), mask >> 32);
            reg_update(pf->cfg, pf->ext_sriov + PCI_SRIOV_BAR(i + 1), ~mask >> 32, 0);
        }
        for (unsigned v = 0; v < s->count; v++)
            s->vf[v]->bar[i].size = bar->size;
    }
}

void pci_sriov_update(struct pci_func *pf)
{
    struct pci_sriov *s = pf->sriov;
    unsigned was = s->enabled, now = 0;

    sizes_update(pf);
    if (sriov_get(pf, PCI_SRIOV_CONTROL) & PCI_SRIOV_CONTROL_ENABLE ||
        (was && flaw_on(pf->flaws, FLAW_VF_STAY)))
        now = flaw_on(pf->flaws, FLAW_VF_TOTAL) ? s->count
                                                : (unsigned)sriov_get(pf, PCI_SRIOV_NUM_VFS);
    s->enabled = now;
    if (now != was)
        s->now = *place_now(pf);
    pci_sriov_renumber(pf);
    bars_update(pf);
    if (now != was && pf->ops->vfs_changed)
        pf->ops->vfs_changed(pf, was, now);
}

static void control_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    (void)offset;
    if ((write->old_value ^ write->new_value) & CONTROL_RULES)
        pci_sriov_update(func_of_space(space));
}

/* CHOICE: what the specification leaves undefined - another number while VFs exist, or one above
 * TotalVFs (9.3.3.7) - changes nothing. */
static void num_vfs_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct pci_func *pf = func_of_space(space);

    if ((pf->sriov->enabled && !flaw_on(pf->flaws, FLAW_VF_NUMBER)) ||
        write->new_value > pf->sriov->count)
        reg_set(space, offset, write->old_value);
}

/* CHOICE: likewise another page size while VFs exist, or one that is not supported (9.3.3.13). */
static void system_page_written(struct reg_space *space, unsigned offset,
                                const struct reg_write *write)
{
    struct pci_func *pf = func_of_space(space);

    if (pf->sriov->enabled || !is_power_of_2(write->new_value) ||
        !(write->new_value & sriov_get(pf, PCI_SRIOV_SUPPORTED_PAGES))) {
        reg_set(space, offset, write->old_value);
        return;
    }
    pci_sriov_update(pf);
}

static void vf_bar_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    (void)offset;
    if (write->old_value != write->new_value)
        bars_update(func_of_space(space));
}

static uint64_t first_offset_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    (void)offset;
    (void)value;
    return place_now(func_of_space(space))->first_offset;
}

static uint64_t stride_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    (void)offset;
    (void)value;
    return place_now(func_of_space(space))->stride;
}

/* clang-format off */
static const struct reg_def sriov_rows[] = {
    {.name = "sriov_capabilities", .clause = "PCIe 6.0 9.3.3.2", .offset = PCI_SRIOV_CAPS,
     .width = 4},
    {.name = "sriov_control", .clause = "PCIe 6.0 9.3.3.3", .offset = PCI_SRIOV_CONTROL,
     .width = 2, .rw = CONTROL_RULES, .on_write = control_written},
    {.name = "sriov_status", .clause = "PCIe 6.0 9.3.3.4", .offset = PCI_SRIOV_STATUS, .width = 2},
    {.name = "initial_vfs", .clause = "PCIe 6.0 9.3.3.5", .offset = PCI_SRIOV_INITIAL_VFS,
     .width = 2},
    {.name = "total_vfs", .clause = "PCIe 6.0 9.3.3.6", .offset = PCI_SRIOV_TOTAL_VFS, .width = 2},
    {.name = "num_vfs", .clause = "PCIe 6.0 9.3.3.7", .offset = PCI_SRIOV_NUM_VFS, .width = 2,
     .rw = 0xffff, .on_write = num_vfs_written},
    {.name = "function_dependency_link", .clause = "PCIe 6.0 9.3.3.8",
     .offset = PCI_SRIOV_DEPENDENCY, .width = 1},
    {.name = "first_vf_offset", .clause = "PCIe 6.0 9.3.3.9", .offset = PCI_SRIOV_FIRST_OFFSET,
     .width = 2, .on_read = first_offset_read},
    {.name = "vf_stride", .clause = "PCIe 6.0 9.3.3.10", .offset = PCI_SRIOV_STRIDE, .width = 2,
     .on_read = stride_read},
    {.name = "vf_device_id", .clause = "PCIe 6.0 9.3.3.11", .offset = PCI_SRIOV_VF_DEVICE,
     .width = 2},
    {.name = "supported_page_sizes", .clause = "PCIe 6.0 9.3.3.12",
     .offset = PCI_SRIOV_SUPPORTED_PAGES, .width = 4},
    {.name = "system_page_size", .clause = "PCIe 6.0 9.3.3.13", .offset = PCI_SRIOV_SYSTEM_PAGE,
     .width = 4, .reset = PAGE_4K, .rw = 0xffffffff, .on_write = system_page_written},
    {.name = "vf_migration_state_array", .clause = "PCIe 6.0 9.3.3.15",
     .offset = PCI_SRIOV_MIGRATION_STATES, .width = 4},
};

#define VF_BAR_ROW(n)                                                                              \
    {.name = "vf_bar" #n, .clause = "PCIe 6.0 9.3.3.14", .offset = PCI_SRIOV_BAR(n), .width = 4,   \
     .on_write = vf_bar_written}

static const struct reg_def vf_bar_rows[PCI_BAR_COUNT] = {
    VF_BAR_ROW(0), VF_BAR_ROW(1), VF_BAR_ROW(2), VF_BAR_ROW(3), VF_BAR_ROW(4), VF_BAR_ROW(5),
};
/* clang-format on */

void pci_cap_sriov_add(struct pci_func *pf, const struct pci_sriov_params *params)
{
    struct pci_sriov *s = g_new0(struct pci_sriov, 1);
    bool leads = !params->lead || params->lead == pf;
    unsigned cap;

    assert(params->total_vfs && (params->page_sizes & PAGE_4K) && !pf->pf);
    assert(pf->ext_ari && "a device with Virtual Functions has ARI (9.3.7)");
    assert(params->place[0].first_offset && params->place[1].first_offset);
    s->lead = leads ? pf : params->lead;
    s->vf = g_new0(struct pci_func *, params->total_vfs);
    s->total = params->total_vfs;
    s->place[0] = params->place[0];
    s->place[1] = params->place[1];
    cap = pci_func_place_ext_cap(pf, PCI_EXT_SRIOV, 1, sriov_rows, ARRAY_LEN(sriov_rows),
                                 PCI_SRIOV_SIZE_BYTES);
    pf->sriov = s;
    pf->ext_sriov = (uint16_t)cap;
    reg_hwinit(pf->cfg, cap + PCI_SRIOV_INITIAL_VFS, params->total_vfs);
    reg_hwinit(pf->cfg, cap + PCI_SRIOV_TOTAL_VFS, params->total_vfs);
    reg_hwinit(pf->cfg, cap + PCI_SRIOV_VF_DEVICE, params->vf_device);
    reg_hwinit(pf->cfg, cap + PCI_SRIOV_SUPPORTED_PAGES, params->page_sizes);
    reg_hwinit(pf->cfg, cap + PCI_SRIOV_DEPENDENCY, pci_rid_devfn(pf->rid));
    if (leads)
        reg_set_rw_mask(pf->cfg, cap + PCI_SRIOV_CONTROL, CONTROL_RULES | PCI_SRIOV_CONTROL_ARI);
}

void pci_sriov_set_bar(struct pci_func *pf, unsigned bar, enum pci_bar_kind kind, uint64_t size)
{
    struct pci_sriov *s = pf->sriov;
    bool wide = kind == PCI_BAR_MEM64 || kind == PCI_BAR_MEM64_PREF;

    assert(s && !s->count && bar + wide < PCI_BAR_COUNT && s->bar[bar].kind == PCI_BAR_NONE);
    assert(kind >= PCI_BAR_MEM32 && is_power_of_2(size) && size >= 1u << PAGE_SHIFT);
    s->bar[bar] = (struct pci_bar){.kind = kind, .size = size};
    s->least_bytes[bar] = size;
    reg_space_place(pf->cfg, pf->ext_sriov, &vf_bar_rows[bar], 1);
    reg_hwinit(pf->cfg, pf->ext_sriov + PCI_SRIOV_BAR(bar),
               (wide ? BAR_WIDE : 0) | (kind == PCI_BAR_MEM64_PREF ? BAR_PREFETCH : 0));
    if (wide)
        reg_space_place(pf->cfg, pf->ext_sriov, &vf_bar_rows[bar + 1], 1);
    sizes_update(pf);
}

void pci_sriov_free(struct pci_func *pf)
{
    if (!pf->sriov)
        return;
    g_free(pf->sriov->vf);
    g_free(pf->sriov);
}

unsigned pci_sriov_vfs(const struct pci_func *pf)
{
    return pf->sriov ? pf->sriov->enabled : 0;
}

struct pci_func *pci_sriov_vf(const struct pci_func *pf, unsigned index)
{
    assert(pf->sriov && index < pf->sriov->count);
    return pf->sriov->vf[index];
}

struct pci_func *pci_sriov_find_id(const struct pci_func *pf, struct pci_rid rid)
{
    const struct pci_sriov *s = pf->sriov;
    unsigned index;

    if (!s || !s->enabled)
        return NULL;
    index = (uint16_t)(rid.v - pf->rid.v - s->now.first_offset);
    if (s->now.stride) {
        if (index % s->now.stride)
            return NULL;
        index /= s->now.stride;
    }
    return index < s->enabled ? s->vf[index] : NULL;
}

struct pci_func *pci_sriov_find_addr(const struct pci_func *pf, uint64_t addr, unsigned len,
                                     unsigned *bar)
{
    const struct pci_sriov *s = pf->sriov;

    if (!s || !s->enabled)
        return NULL;
    len = len ? len : 1;
    for (unsigned i = 0; i < PCI_BAR_COUNT; i++) {
        const struct pci_bar *all = &s->bar[i];
        uint64_t index;

        if (!all->mapped || addr < all->addr)
            continue;
        index = (addr - all->addr) / all->size;
        if (index >= s->enabled || !s->vf[index]->bar[i].mapped ||
            !range_inside(addr, len, s->vf[index]->bar[i].addr, all->size))
            continue;
        *bar = i;
        return s->vf[index];
    }
    return NULL;
}

unsigned pci_sriov_further_buses(const struct pci_func *pf)
{
    const struct pci_sriov *s = pf->sriov;
    unsigned most = 0;

    for (unsigned ari = 0; s && ari < 2; ari++) {
        unsigned last = pci_rid_devfn(pf->rid) + s->place[ari].first_offset +
                        (s->total - 1u) * s->place[ari].stride;

        most = MAX(most, last >> 8);
    }
    return most;
}
