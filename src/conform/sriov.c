/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtual Functions (PCIe Base 6.0, chapter 9). */
#include "lab.h"
#include "machine.h"
#include "pcilab/platform/probe.h"
#include "tables.h"

#define CONTROL 0x08
#define TOTAL   0x0e
#define NUMBER  0x10
#define OFFSET  0x14
#define STRIDE  0x16
#define BAR(n)  (0x24 + 4 * (n))

#define VF_ENABLE 0x01
#define VF_MSE    0x08
#define VF_ARI    0x10

/* The name of the port above it. */
static char *port_above(struct lab *lab)
{
    struct port *above = machine_port_above(lab->machine, lab->vf);
    char **names = machine_names(lab->machine), *found = NULL;

    for (unsigned i = 0; names[i] && !found; i++) {
        if (machine_port(lab->machine, names[i]) == above)
            found = g_strdup(names[i]);
    }
    g_strfreev(names);
    return found;
}

/* A VF BAR at the end of what is left of the window. */
static uint32_t place_bar(struct lab *lab, unsigned reg, unsigned total, uint32_t end)
{
    uint32_t size;

    lab_set_cfg(lab, lab->vf, reg, 4, 0xffffffff);
    size = -(lab_cfg(lab, lab->vf, reg, 4) & ~0xfu);
    end = (end - size * total) & -size;
    lab_set_cfg(lab, lab->vf, reg, 4, end);
    return end;
}

/* The port above must take function numbers beyond 7; its window has room. */
static unsigned prepare(struct lab *lab)
{
    unsigned cap, total;
    uint32_t end;
    char *above;

    if (!lab->vf) {
        t_skip(lab->t, "the topology has no exerciser with Virtual Functions");
        return 0;
    }
    cap = lab_func(lab, lab->vf)->ext_sriov;
    total = lab_cfg(lab, lab->vf, cap + TOTAL, 2);
    above = port_above(lab);
    lab_change_cfg(lab, above, lab_pcie(lab, above, 0x28), 2, 0x20, 0);
    end = (lab_cfg(lab, above, 0x22, 2) << 16) + 0x100000;
    end = place_bar(lab, cap + BAR(2), total, end);
    place_bar(lab, cap + BAR(0), total, end);
    g_free(above);
    return cap;
}

unsigned lab_enable_vfs(struct lab *lab, unsigned count)
{
    unsigned cap = prepare(lab);

    if (!cap)
        return 0;
    lab_set_cfg(lab, lab->vf, cap + NUMBER, 2, count);
    lab_change_cfg(lab, lab->vf, cap + CONTROL, 2, VF_ENABLE | VF_MSE | VF_ARI, 0);
    lab_run_us(lab, 100000);
    for (unsigned i = 0; i < count; i++) {
        char *name = lab_vf_name(lab, i);

        lab_change_cfg(lab, name, 4, 2, 4, 0);
        g_free(name);
    }
    return cap;
}

char *lab_vf_name(struct lab *lab, unsigned index)
{
    for (unsigned i = 1;; i++) {
        char *name = g_strdup_printf("%s.%u", lab->vf, i);
        const struct pci_func *func = lab_func(lab, name);

        g_assert(func);
        if (func->pf && func->vf_index == index)
            return name;
        g_free(name);
    }
}

/* By number: what is not there has no name. */
static uint32_t vf_cfg(struct lab *lab, unsigned cap, unsigned index, unsigned offset)
{
    unsigned rid = lab_func(lab, lab->vf)->rid.v + lab_cfg(lab, lab->vf, cap + OFFSET, 2) +
                   index * lab_cfg(lab, lab->vf, cap + STRIDE, 2);
    uint32_t value = 0;

    conform_machine_config(lab->machine, false, 0, (uint16_t)rid, offset, 4, &value);
    return value;
}

LAB_PROCEDURE(appear)
{
    unsigned cap = lab_enable_vfs(lab, 2);

    if (!cap)
        return;
    t_check(t, vf_cfg(lab, cap, 0, 8) != 0xffffffff, "the first does not answer");
    t_check(t, vf_cfg(lab, cap, 1, 8) != 0xffffffff, "the second does not answer");
    t_check(t, vf_cfg(lab, cap, 2, 8) == 0xffffffff, "a third one answers");
    t_check(t, vf_cfg(lab, cap, 0, 0) == 0xffffffff, "its Vendor and Device ID are %08x",
            vf_cfg(lab, cap, 0, 0));
    lab_change_cfg(lab, lab->vf, cap + CONTROL, 2, 0, VF_ENABLE);
    lab_run_us(lab, 1000000);
    t_check(t, vf_cfg(lab, cap, 0, 8) == 0xffffffff, "they stay when VF Enable is cleared");
}

LAB_PROCEDURE(locked)
{
    unsigned cap = lab_enable_vfs(lab, 2);

    if (!cap)
        return;
    lab_set_cfg(lab, lab->vf, cap + NUMBER, 2, 1);
    t_check(t, vf_cfg(lab, cap, 1, 8) != 0xffffffff, "the second one is gone");
}

static const struct conform_assertion rows[] = {
    LAB_RULE("enable", "sriov", "9.3.3.3.1", appear,
             "VF Enable makes NumVFs Virtual Functions answer at their offset and stride, and "
             "clearing it takes them away."),
    LAB_RULE("locked", "sriov", "9.3.3.7", locked,
             "Writing NumVFs while VF Enable is set takes no Virtual Function away."),
};

ASSERTION_TABLE(assertions_sriov, rows);
