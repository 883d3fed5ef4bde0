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

/* As many Virtual Functions as a procedure looks for, and one; there may be hundreds. */
#define APERTURES 4

/* A VF BAR at the end of what is left of the window. */
static uint32_t place_bar(struct lab *lab, unsigned reg, uint32_t end)
{
    uint32_t size;

    lab_set_cfg(lab, lab->vf, reg, 4, 0xffffffff);
    size = -(lab_cfg(lab, lab->vf, reg, 4) & ~0xfu);
    end = (end - size * APERTURES) & -size;
    lab_set_cfg(lab, lab->vf, reg, 4, end);
    return end;
}

/* The port above must take function numbers beyond 7; its window has room. */
static unsigned prepare(struct lab *lab)
{
    unsigned cap;
    uint32_t end;
    char *above;

    if (!lab->vf) {
        t_skip(lab->t, "the topology has no exerciser with Virtual Functions");
        return 0;
    }
    cap = lab_func(lab, lab->vf)->ext_sriov;
    above = port_above(lab);
    lab_change_cfg(lab, above, lab_pcie(lab, above, 0x28), 2, 0x20, 0);
    end = (lab_cfg(lab, above, 0x22, 2) << 16) + 0x100000;
    end = place_bar(lab, cap + BAR(2), end);
    place_bar(lab, cap + BAR(0), end);
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

        if (!name) {
            t_fail(lab->t, "there is no Virtual Function %u", i);
            return 0;
        }
        lab_change_cfg(lab, name, 4, 2, 4, 0);
        g_free(name);
    }
    return cap;
}

char *lab_vf_name(struct lab *lab, unsigned index)
{
    const struct pci_func *func;

    for (unsigned i = 1;; i++) {
        char *name = g_strdup_printf("%s.%u", lab->vf, i);

        func = lab_func(lab, name);
        if (func && func->pf && func->vf_index == index)
            return name;
        g_free(name);
        if (!func)
            return NULL;
    }
}

/* By number: what is not there has no name. */
static uint16_t vf_rid(struct lab *lab, unsigned cap, unsigned index)
{
    return (uint16_t)(lab_func(lab, lab->vf)->rid.v + lab_cfg(lab, lab->vf, cap + OFFSET, 2) +
                      index * lab_cfg(lab, lab->vf, cap + STRIDE, 2));
}

static uint32_t rid_cfg(struct lab *lab, uint16_t rid, unsigned offset)
{
    uint32_t value = 0;

    conform_machine_config(lab->machine, false, 0, rid, offset, 4, &value);
    return value;
}

static uint32_t vf_cfg(struct lab *lab, unsigned cap, unsigned index, unsigned offset)
{
    return rid_cfg(lab, vf_rid(lab, cap, index), offset);
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

/* Where BAR 0 of a Virtual Function is, as the Physical Function says (9.3.3.14). */
static uint64_t vf_bar(struct lab *lab, unsigned cap, unsigned index)
{
    uint32_t base = lab_cfg(lab, lab->vf, cap + BAR(0), 4) & ~0xfu, size;
    uint32_t control = lab_cfg(lab, lab->vf, cap + CONTROL, 2);

    lab_set_cfg(lab, lab->vf, cap + CONTROL, 2, control & ~(uint32_t)VF_MSE);
    lab_set_cfg(lab, lab->vf, cap + BAR(0), 4, 0xffffffff);
    size = -(lab_cfg(lab, lab->vf, cap + BAR(0), 4) & ~0xfu);
    lab_set_cfg(lab, lab->vf, cap + BAR(0), 4, base);
    lab_set_cfg(lab, lab->vf, cap + CONTROL, 2, control);
    return base + (uint64_t)index * size;
}

LAB_PROCEDURE(memory_space)
{
    unsigned cap = lab_enable_vfs(lab, 2);
    uint64_t value;

    if (!cap)
        return;
    lab_read(lab, vf_bar(lab, cap, 0), 4, &value);
    t_check(t, value == EXERCISER_MAGIC_VALUE, "with VF MSE it reads %08x", (unsigned)value);
    lab_change_cfg(lab, lab->vf, cap + CONTROL, 2, 0, VF_MSE);
    t_check(t, lab_read(lab, vf_bar(lab, cap, 0), 4, &value) == TLP_UR,
            "without VF MSE it answers a read");
    t_check(t,
            lab_read(lab, lab_bar(lab, lab->vf, 0), 4, &value) == TLP_SC &&
                value == EXERCISER_MAGIC_VALUE,
            "the Physical Function answers none either");
}

LAB_PROCEDURE(apertures)
{
    unsigned cap = lab_enable_vfs(lab, 3);
    uint64_t value;

    for (unsigned i = 0; cap && i < 3; i++) {
        lab_read(lab, vf_bar(lab, cap, i) + EXERCISER_FUNCTION, 4, &value);
        t_check(t, (value >> 16) == i + 1, "at the place of number %u is number %u", i,
                (unsigned)(value >> 16) - 1);
    }
    if (cap)
        t_check(t, lab_read(lab, vf_bar(lab, cap, 3), 4, &value) == TLP_UR,
                "beyond NumVFs something answers");
}

LAB_PROCEDURE(own_bars)
{
    unsigned cap = lab_enable_vfs(lab, 1);

    for (unsigned at = 0x10; cap && at < 0x28; at += 4) {
        char *name = lab_vf_name(lab, 0);

        lab_set_cfg(lab, name, at, 4, 0xffffffff);
        t_check(t, lab_cfg(lab, name, at, 4) == 0, "the register at %02xh is %08x", at,
                lab_cfg(lab, name, at, 4));
        g_free(name);
    }
}

LAB_PROCEDURE(command)
{
    char *name = lab_enable_vfs(lab, 1) ? lab_vf_name(lab, 0) : NULL;

    if (name) {
        lab_set_cfg(lab, name, 4, 2, 0xffff);
        t_check(t, (lab_cfg(lab, name, 4, 2) & 0x0403) == 0, "Command is %04x",
                lab_cfg(lab, name, 4, 2));
        t_check(t, lab_cfg(lab, name, 4, 2) & 4, "Bus Master Enable cannot be set");
        lab_set_cfg(lab, name, 4, 2, 0);
        t_check(t, !(lab_cfg(lab, name, 4, 2) & 4), "Bus Master Enable cannot be cleared");
    }
    g_free(name);
}

LAB_PROCEDURE(bus_master)
{
    const struct lab_dma dma = {.command = EXERCISER_READ, .addr = LAB_RAM, .len = 4};
    char *name = lab_enable_vfs(lab, 1) ? lab_vf_name(lab, 0) : NULL;

    if (name) {
        lab_change_cfg(lab, name, 4, 2, 0, 4);
        lab_dma(lab, name, &dma);
        t_check(t, !lab_count(lab, name, (uint32_t)BIT(TLP_MRD)),
                "without its own Bus Master Enable it sends a request");
        lab_change_cfg(lab, name, 4, 2, 4, 0);
        t_check(t, lab_dma(lab, name, &dma) == 0, "with it the request fails");
    }
    g_free(name);
}

LAB_PROCEDURE(requester)
{
    const struct lab_dma dma = {.command = EXERCISER_READ, .addr = LAB_RAM, .len = 4};
    unsigned cap = lab_enable_vfs(lab, 2), want;
    char *name = cap ? lab_vf_name(lab, 1) : NULL;
    const struct lab_seen *seen;

    if (name) {
        want = vf_rid(lab, cap, 1);
        lab_dma(lab, name, &dma);
        seen = lab_last(lab, lab->vf, (uint32_t)BIT(TLP_MRD));
        t_check(t, seen && seen->tlp.requester.v == want, "its requests come from %04x, not %04x",
                seen ? seen->tlp.requester.v : 0, want);
        vf_cfg(lab, cap, 1, 8);
        seen = lab_last(lab, lab->vf, (uint32_t)BIT(TLP_CPLD));
        t_check(t, seen && seen->tlp.completer.v == want,
                "its completions come from %04x, not %04x", seen ? seen->tlp.completer.v : 0, want);
    }
    g_free(name);
}

static void reset_function(struct lab *lab, const char *name)
{
    lab_change_cfg(lab, name, lab_pcie(lab, name, 8), 2, 0x8000, 0);
    lab_run_us(lab, 100000);
}

LAB_PROCEDURE(flr_vf)
{
    unsigned cap = lab_enable_vfs(lab, 2);
    char *name = cap ? lab_vf_name(lab, 0) : NULL;
    uint64_t value;

    if (name) {
        lab_ex_set(lab, lab->vf, EXERCISER_SCRATCH0, 4, 0x77);
        lab_write(lab, vf_bar(lab, cap, 0) + EXERCISER_SCRATCH0, 4, 0x88);
        lab_write(lab, vf_bar(lab, cap, 1) + EXERCISER_SCRATCH0, 4, 0x99);
        reset_function(lab, name);
        t_check(t, vf_cfg(lab, cap, 0, 8) != 0xffffffff, "it is gone");
        t_check(t, !(vf_cfg(lab, cap, 0, 4) & 4), "its Command is %04x",
                vf_cfg(lab, cap, 0, 4) & 0xffff);
        lab_read(lab, vf_bar(lab, cap, 0) + EXERCISER_SCRATCH0, 4, &value);
        t_check(t, value == 0, "it was not reset: %08x", (unsigned)value);
        lab_read(lab, vf_bar(lab, cap, 1) + EXERCISER_SCRATCH0, 4, &value);
        t_check(t, value == 0x99, "another one has %08x", (unsigned)value);
        t_check(t, lab_ex_get(lab, lab->vf, EXERCISER_SCRATCH0, 4) == 0x77,
                "its Physical Function was reset, too");
    }
    g_free(name);
}

LAB_PROCEDURE(flr_pf)
{
    unsigned cap = lab_enable_vfs(lab, 2);
    uint16_t rid; /* of before: the offset depends on ARI Capable Hierarchy */

    if (!cap)
        return;
    rid = vf_rid(lab, cap, 0);
    reset_function(lab, lab->vf);
    t_check(t, !(lab_cfg(lab, lab->vf, cap + CONTROL, 2) & (VF_ENABLE | VF_MSE)),
            "SR-IOV Control is %04x", lab_cfg(lab, lab->vf, cap + CONTROL, 2));
    t_check(t, rid_cfg(lab, rid, 8) == 0xffffffff, "its Virtual Functions are still there");
    t_check(t, lab_cfg(lab, lab->vf, cap + NUMBER, 2) == 0, "NumVFs is %u",
            lab_cfg(lab, lab->vf, cap + NUMBER, 2));
}

LAB_PROCEDURE(vf_can_be_reset)
{
    char *name = lab_enable_vfs(lab, 1) ? lab_vf_name(lab, 0) : NULL;

    if (name) {
        unsigned pcie = lab_pcie(lab, name, 0);

        t_check(t, lab_cfg(lab, name, pcie + 4, 4) & 1u << 28,
                "Function Level Reset Capability is clear");
        t_check(t, (lab_cfg(lab, name, pcie + 2, 2) >> 4 & 0xf) == 0, "its type is %u",
                lab_cfg(lab, name, pcie + 2, 2) >> 4 & 0xf);
    }
    g_free(name);
}

LAB_PROCEDURE(interrupt)
{
    unsigned cap = lab_enable_vfs(lab, 1), msix;
    char *name = cap ? lab_vf_name(lab, 0) : NULL;
    const struct lab_seen *seen;
    uint64_t table;

    if (name) {
        msix = lab_func(lab, name)->cap_msix;
        table = lab_bar(lab, name, 2);
        lab_write(lab, table, 4, LAB_RAM);
        lab_write(lab, table + 8, 4, 0xcafe);
        lab_write(lab, table + 12, 4, 0);
        lab_change_cfg(lab, name, msix + 2, 2, 0x8000, 0x4000);
        lab_forget(lab);
        lab_ex_set(lab, name, EXERCISER_IRQ_TRIGGER, 4, 0);
        seen = lab_last(lab, lab->vf, (uint32_t)BIT(TLP_MWR));
        t_check(t, seen && seen->tlp.addr == LAB_RAM, "no interrupt was sent");
        t_check(t, !seen || seen->tlp.requester.v == lab_func(lab, name)->rid.v,
                "it comes from %04x", seen->tlp.requester.v);
    }
    g_free(name);
}

LAB_PROCEDURE(page_size)
{
    unsigned cap = prepare(lab);
    uint32_t size;

    if (!cap)
        return;
    if (!(lab_cfg(lab, lab->vf, cap + 0x1c, 4) & 0x10)) {
        t_skip(t, "pages of 64 KiB are not supported");
        return;
    }
    lab_set_cfg(lab, lab->vf, cap + 0x20, 4, 0x10);
    lab_set_cfg(lab, lab->vf, cap + BAR(0), 4, 0xffffffff);
    size = -(lab_cfg(lab, lab->vf, cap + BAR(0), 4) & ~0xfu);
    t_check(t, size >= 0x10000, "an aperture is of %u bytes", size);
}

LAB_PROCEDURE(initial)
{
    unsigned cap;

    if (!(cap = prepare(lab)))
        return;
    t_check(t, lab_cfg(lab, lab->vf, cap + 0x0c, 2) == lab_cfg(lab, lab->vf, cap + TOTAL, 2),
            "InitialVFs is %u, TotalVFs %u", lab_cfg(lab, lab->vf, cap + 0x0c, 2),
            lab_cfg(lab, lab->vf, cap + TOTAL, 2));
}

static const struct conform_assertion rows[] = {
    LAB_RULE("enable", "sriov", "9.3.3.3.1", appear,
             "VF Enable makes NumVFs Virtual Functions answer at their offset and stride, and "
             "clearing it takes them away."),
    LAB_RULE("locked", "sriov", "9.3.3.7", locked,
             "Writing NumVFs while VF Enable is set takes no Virtual Function away."),
    LAB_RULE("mse", "sriov", "9.3.3.3.4", memory_space,
             "Virtual Functions answer memory requests where VF MSE is set, whatever the Physical "
             "Function does."),
    LAB_RULE("bar.apertures", "sriov", "9.3.3.14", apertures,
             "A VF BAR has an aperture for each Virtual Function, one behind the other, and none "
             "beyond NumVFs."),
    LAB_RULE("bar.own", "sriov", "9.3.4", own_bars,
             "The BARs of a Virtual Function's own header read as 0."),
    LAB_RULE("command", "sriov", "9.3.4", command,
             "Of a Virtual Function's Command, I/O and Memory Space Enable and Interrupt Disable "
             "are 0, and Bus Master Enable can be written."),
    LAB_RULE("bus_master", "sriov", "9.3.4", bus_master,
             "A Virtual Function sends requests where its own Bus Master Enable is set."),
    LAB_RULE("requester", "sriov", "9.2.1.2", requester,
             "The Routing ID of a Virtual Function follows from First VF Offset and VF Stride, in "
             "its requests and completions."),
    LAB_RULE("flr.vf", "sriov", "9.2.2.2", flr_vf,
             "A Function Level Reset of a Virtual Function resets it and no other."),
    LAB_RULE("flr.pf", "sriov", "9.2.2.3", flr_pf,
             "A Function Level Reset of a Physical Function takes its Virtual Functions away."),
    LAB_RULE("capability", "sriov", "9.3.5", vf_can_be_reset,
             "A Virtual Function is an endpoint that supports Function Level Reset."),
    LAB_RULE("interrupt", "sriov", "9.2.1.4", interrupt,
             "A Virtual Function sends interrupts of its own, in its own name."),
    LAB_RULE("page.aperture", "sriov", "9.3.3.13", page_size,
             "No aperture of a VF BAR is smaller than System Page Size."),
    LAB_RULE("initial.total", "sriov", "9.3.3.5", initial,
             "InitialVFs is TotalVFs where there is no migration."),
};

ASSERTION_TABLE(assertions_sriov, rows);
