/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions of one device: their numbers, and resets of one of them (PCIe Base 6.0, 6.13, 6.6.2).
 */
#include "lab.h"
#include "machine.h"
#include "pcilab/platform/probe.h"
#include "tables.h"

#define CONFIG_READS ((uint32_t)(BIT(TLP_CFGRD0) | BIT(TLP_CFGRD1)))
#define DEVCTL       0x08
#define DEVCTL2      0x28
#define FORWARDING   0x0020u

static uint32_t read_id(struct lab *lab, unsigned rid)
{
    uint32_t value = 0;

    conform_machine_config(lab->machine, false, 0, (uint16_t)rid, 0, 4, &value);
    return value;
}

/* Device 1 of the link's bus, which is function 8 with ARI. */
static void ask_beyond(struct conform_ctx *t, struct lab *lab, bool forwarding)
{
    unsigned rid = lab_func(lab, lab->ex)->rid.v | 1 << 3;

    lab_change_cfg(lab, lab->above, lab_pcie(lab, lab->above, DEVCTL2), 2,
                   forwarding ? FORWARDING : 0, FORWARDING);
    lab_forget(lab);
    t_check(t, read_id(lab, rid) == 0xffffffff, "something answers");
    t_check(t, lab_count(lab, lab->above, CONFIG_READS) == forwarding,
            "%u requests crossed the link", lab_count(lab, lab->above, CONFIG_READS));
}

LAB_PROCEDURE(forwarding_off)
{
    ask_beyond(t, lab, false);
}

LAB_PROCEDURE(forwarding_on)
{
    if (lab_cfg(lab, lab->above, lab_pcie(lab, lab->above, 0x24), 4) & FORWARDING)
        ask_beyond(t, lab, true);
    else
        t_skip(t, "the port does not support ARI Forwarding");
}

/* Next Function Number leads through all that answer, upwards, and ends. */
LAB_PROCEDURE(next)
{
    unsigned bus = lab_func(lab, lab->ex)->rid.v & 0xff00u, at = 0, listed = 0, there = 0;

    if (!lab_func(lab, lab->ex)->ext_ari) {
        t_skip(t, "the exerciser has no ARI");
        return;
    }
    lab_change_cfg(lab, lab->above, lab_pcie(lab, lab->above, DEVCTL2), 2, FORWARDING, 0);
    for (unsigned i = 0; i < 256; i++)
        there += read_id(lab, bus | i) != 0xffffffff;
    for (;;) {
        uint32_t value = 0;
        unsigned following;

        listed++;
        conform_machine_config(lab->machine, false, 0, (uint16_t)(bus | at),
                               lab_func(lab, lab->ex)->ext_ari + 4u, 2, &value);
        following = value >> 8 & 0xff;
        if (!following)
            break;
        t_check(t, following > at, "function %u is followed by %u", at, following);
        t_check(t, read_id(lab, bus | following) != 0xffffffff, "there is no function %u",
                following);
        if (t_failed(t))
            return;
        at = following;
    }
    t_check(t, listed == there, "%u functions are listed, %u answer", listed, there);
}

/* A function beyond number 7 is reached through ports that forward such numbers. */
LAB_PROCEDURE(beyond_seven)
{
    char *vf = lab_enable_vfs(lab, 1) ? lab_vf_name(lab, 0) : NULL;
    char **names = vf ? machine_names(lab->machine) : NULL;
    struct port *above = vf ? machine_port_above(lab->machine, lab->vf) : NULL;

    if (vf && (lab_func(lab, vf)->rid.v & 0xff) <= 7)
        t_skip(t, "no function has such a number");
    for (unsigned i = 0; vf && names[i] && (lab_func(lab, vf)->rid.v & 0xff) > 7; i++) {
        unsigned rid = lab_func(lab, vf)->rid.v;
        uint32_t class = 0;

        if (machine_port(lab->machine, names[i]) != above)
            continue;
        lab_change_cfg(lab, names[i], lab_pcie(lab, names[i], DEVCTL2), 2, 0, FORWARDING);
        conform_machine_config(lab->machine, false, 0, (uint16_t)rid, 8, 4, &class);
        t_check(t, class == 0xffffffff, "without ARI Forwarding function %u answers", rid & 0xff);
        lab_change_cfg(lab, names[i], lab_pcie(lab, names[i], DEVCTL2), 2, FORWARDING, 0);
        conform_machine_config(lab->machine, false, 0, (uint16_t)rid, 8, 4, &class);
        t_check(t, class != 0xffffffff, "with it, it does not");
    }
    g_strfreev(names);
    g_free(vf);
}

/* Resets of one function. */

static char *other_function(struct lab *lab)
{
    char *name = g_strdup_printf("%s.1", lab->ex);
    const struct pci_func *func = machine_func(lab->machine, name);

    if (func && !func->pf)
        return name;
    t_skip(lab->t, "the exerciser has one function");
    g_free(name);
    return NULL;
}

LAB_PROCEDURE(flr_other)
{
    char *other = other_function(lab);

    if (!other)
        return;
    lab_ex_set(lab, other, EXERCISER_SCRATCH0, 4, 0x77);
    lab_change_cfg(lab, lab->ex, lab_pcie(lab, lab->ex, DEVCTL), 2, 0x8000, 0);
    lab_run_us(lab, 100000);
    t_check(t, lab_ex_get(lab, other, EXERCISER_SCRATCH0, 4) == 0x77, "another one was reset, too");
    t_check(t, (lab_cfg(lab, other, 4, 2) & 6) == 6, "another one's Command is %04x",
            lab_cfg(lab, other, 4, 2));
    g_free(other);
}

LAB_PROCEDURE(hot_all)
{
    char *other = other_function(lab);

    if (!other)
        return;
    lab_change_cfg(lab, lab->above, 0x3e, 2, 0x40, 0);
    lab_run_us(lab, 2000);
    lab_change_cfg(lab, lab->above, 0x3e, 2, 0, 0x40);
    lab_run_us(lab, 200000);
    t_check(t, !(lab_cfg(lab, lab->ex, 4, 2) & 6) && !(lab_cfg(lab, other, 4, 2) & 6),
            "Command is %04x and %04x", lab_cfg(lab, lab->ex, 4, 2), lab_cfg(lab, other, 4, 2));
    g_free(other);
}

struct flr_rule {
    unsigned reg; /* of AER, or with `pcie` of that capability */
    unsigned len;
    bool pcie;
    uint32_t bits;
    bool kept;
};

LAB_PROCEDURE(flr_register)
{
    const struct flr_rule *rule = t->assertion->param;
    unsigned at = rule->pcie ? lab_pcie(lab, lab->ex, rule->reg) : lab_aer(lab, lab->ex, rule->reg);
    uint32_t was, now, set;

    if (!rule->pcie && !lab_func(lab, lab->ex)->ext_aer) {
        t_skip(t, "the exerciser has no AER");
        return;
    }
    was = lab_cfg(lab, lab->ex, at, rule->len) & rule->bits;
    lab_set_cfg(lab, lab->ex, at, rule->len, lab_cfg(lab, lab->ex, at, rule->len) ^ rule->bits);
    set = lab_cfg(lab, lab->ex, at, rule->len) & rule->bits;
    if (set == was) {
        t_skip(t, "it cannot be written");
        return;
    }
    lab_change_cfg(lab, lab->ex, lab_pcie(lab, lab->ex, DEVCTL), 2, 0x8000, 0);
    lab_run_us(lab, 100000);
    now = lab_cfg(lab, lab->ex, at, rule->len) & rule->bits;
    t_check(t, now == (rule->kept ? set : was), "it is %x, before the reset %x, and at first %x",
            now, set, was);
}

LAB_PROCEDURE(flr_bit)
{
    unsigned control = lab_pcie(lab, lab->ex, DEVCTL);

    t_check(t, !(lab_cfg(lab, lab->ex, control, 2) & 0x8000), "it reads as 1 before");
    lab_change_cfg(lab, lab->ex, control, 2, 0x8000, 0);
    lab_run_us(lab, 100000);
    t_check(t, !(lab_cfg(lab, lab->ex, control, 2) & 0x8000), "it reads as 1 afterwards");
}

#define FLR(i, text, ...)                                                                          \
    {                                                                                              \
        .id = "reset.flr." i, .group = "reset", .document = CONFORM_PCIE, .section = "6.6.2",      \
        .needs = CONFORM_LAB, .procedure = flr_register,                                           \
        .param = &(const struct flr_rule){__VA_ARGS__}, .requirement = text                        \
    }

static const struct conform_assertion rows[] = {
    LAB_RULE("forwarding.off", "ari", "7.5.3.16", forwarding_off,
             "Without ARI Forwarding Enable a port sends no request to a device other than 0."),
    LAB_RULE("forwarding.on", "ari", "7.5.3.16", forwarding_on,
             "With ARI Forwarding Enable a port sends requests for all function numbers."),
    LAB_RULE("next", "ari", "7.8.8.2", next,
             "Next Function Number leads through all functions, upwards, and ends with 0."),
    LAB_RULE("beyond_seven", "ari", "6.13", beyond_seven,
             "A function with a number above 7 is reached where ARI Forwarding is enabled."),
    LAB_RULE("flr.other", "reset", "6.6.2", flr_other,
             "A Function Level Reset does nothing to other functions of the device."),
    LAB_RULE("hot.all", "reset", "6.6.1", hot_all, "A hot reset resets all functions of a device."),
    LAB_RULE("flr.bit", "reset", "7.5.3.4", flr_bit, "Initiate Function Level Reset reads as 0."),
    FLR("mask", "A Function Level Reset keeps Uncorrectable Error Mask, which is sticky.", 0x08, 4,
        false, 0x00100000, true),
    FLR("severity", "A Function Level Reset keeps Uncorrectable Error Severity, which is sticky.",
        0x0c, 4, false, 0x00100000, true),
    FLR("correctable_mask", "A Function Level Reset keeps Correctable Error Mask, which is sticky.",
        0x14, 4, false, 0x00002000, true),
    FLR("reporting", "A Function Level Reset clears Unsupported Request Reporting Enable.", DEVCTL,
        2, true, 0x0008, false),
    FLR("tags", "A Function Level Reset brings Extended Tag Field Enable to its default.", DEVCTL,
        2, true, 0x0100, false),
    FLR("read_size", "A Function Level Reset brings Max_Read_Request_Size to its default.", DEVCTL,
        2, true, 0x1000, false),
    FLR("timeout", "A Function Level Reset brings Completion Timeout Value to its default.",
        DEVCTL2, 2, true, 0x0002, false),
    FLR("atomics", "A Function Level Reset clears AtomicOp Requester Enable.", DEVCTL2, 2, true,
        0x0040, false),
    FLR("aspm", "A Function Level Reset keeps ASPM Control, which is the link's.", 0x10, 2, true,
        0x0002, true),
};

ASSERTION_TABLE(assertions_ari, rows);
