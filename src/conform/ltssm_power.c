/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The power of links (PCIe Base 6.0, 5.3 to 5.5) and what devices say of latency (6.18). */
#include <string.h>

#include "bench.h"
#include "lab.h"
#include "pcilab/pci/link_caps.h"
#include "pcilab/platform/probe.h"
#include "tables.h"

#define IDLE_US 1000u

static uint32_t link_status(struct lab *lab)
{
    return lab_cfg(lab, lab->above, lab_pcie(lab, lab->above, PCIE_LNKSTA), 2);
}

static void with_power(struct machine_desc *desc)
{
    static const struct pcie_power_params power = {
        .aspm = PCIE_ASPM_L0S | PCIE_ASPM_L1,
        .substates = PCI_L1SS_ALL,
        .l0s_exit_ns = 500,
        .l1_exit_us = 4,
        .common_us = 10,
        .power_on_us = 20,
        .ltr = true,
    };

    for (unsigned i = 0; i < desc->count; i++) {
        struct machine_component *c = &desc->components[i];

        if (c->kind != MACHINE_EXERCISER && c->kind != MACHINE_ROOT_PORT &&
            c->kind != MACHINE_SWITCH)
            continue;
        c->port.power = power;
        for (unsigned j = 0; c->kind == MACHINE_SWITCH && j < MACHINE_SWITCH_PORTS_MAX; j++)
            c->sw.down[j].power = power;
    }
}

#define POWER_LAB(name) LAB_WITH(name, lab_new_timed(t, with_power))

static struct port *link_of(struct lab *lab)
{
    return machine_port(lab->machine, lab->ex);
}

static void aspm(struct lab *lab, const char *name, uint32_t bits)
{
    char *second = g_strdup_printf("%s.1", name);

    lab_change_cfg(lab, name, lab_pcie(lab, name, PCIE_LNKCTL), 2, bits, 3 & ~bits);
    if (g_str_equal(name, lab->ex) && lab_func(lab, second))
        lab_change_cfg(lab, second, lab_pcie(lab, second, PCIE_LNKCTL), 2, bits, 3 & ~bits);
    g_free(second);
}

static struct link_power_counters power_of(struct lab *lab)
{
    struct link_power_counters counters = {0};

    port_power_counters(link_of(lab), &counters);
    return counters;
}

POWER_LAB(l0s)
{
    aspm(lab, lab->ex, PCIE_ASPM_L0S);
    lab_run_us(lab, IDLE_US);
    struct link_power_counters before = power_of(lab);
    lab_cfg(lab, lab->ex, 0, 4);
    t_check(t, power_of(lab).l0s[1] > before.l0s[1], "the device's transmitter was not in L0s");
    t_check(t, power_of(lab).l0s[0] == before.l0s[0], "the port's was, where it is not enabled");
}

POWER_LAB(l0s_off)
{
    lab_run_us(lab, IDLE_US);
    lab_cfg(lab, lab->ex, 0, 4);
    t_check(t, !power_of(lab).l0s[0] && !power_of(lab).l0s[1] && !power_of(lab).l1,
            "the link was in L0s or L1");
}

static void sleep_l1(struct lab *lab)
{
    aspm(lab, lab->above, PCIE_ASPM_L1);
    aspm(lab, lab->ex, PCIE_ASPM_L1);
    lab_run_us(lab, IDLE_US);
}

static void check_asleep(struct conform_ctx *t, struct lab *lab)
{
    enum link_power power = port_link_power(link_of(lab));

    t_check(t, power >= LINK_L1 && power <= LINK_L1_2, "the link is not in L1");
}

POWER_LAB(l1)
{
    sleep_l1(lab);
    check_asleep(t, lab);
    t_check(t,
            (link_status(lab) & (PCIE_LNKSTA_DLL_ACTIVE | PCIE_LNKSTA_TRAINING)) ==
                PCIE_LNKSTA_DLL_ACTIVE,
            "Link Status is %04x", link_status(lab));
    check_asleep(t, lab);
}

POWER_LAB(l1_from_above)
{
    uint32_t identity = lab_cfg(lab, lab->ex, 0, 4);

    sleep_l1(lab);
    check_asleep(t, lab);
    t_check(t, lab_cfg(lab, lab->ex, 0, 4) == identity, "the device does not answer");
    t_check(t, power_of(lab).l1 == 1, "the link was in L1 %u times", (unsigned)power_of(lab).l1);
}

POWER_LAB(l1_from_below)
{
    struct tlp *tlp;

    sleep_l1(lab);
    check_asleep(t, lab);
    lab_clear_ram(lab);
    tlp = lab_tlp(lab, TLP_MWR, 1);
    tlp_set_span(tlp, LAB_RAM, 4);
    memset(tlp->data, 0x77, 4);
    lab_send_up(lab, tlp);
    lab_run_us(lab, 200);
    t_check(t, lab_ram(lab) == 0x77777777, "the write did not arrive");
}

POWER_LAB(l1_refused)
{
    aspm(lab, lab->ex, PCIE_ASPM_L1);
    lab_forget(lab);
    lab_run_us(lab, IDLE_US);
    t_check(t, port_link_power(link_of(lab)) != LINK_L1 && !power_of(lab).l1, "the link is in L1");
    t_check(t, lab_count_messages(lab, lab->above, TLP_MSG_PM_ACTIVE_STATE_NAK) > 0,
            "the port sent no PM_Active_State_Nak");
    t_check(t, lab_cfg(lab, lab->ex, 0, 2) != 0xffff, "the device does not answer");
}

POWER_LAB(l1_not_asked)
{
    aspm(lab, lab->above, PCIE_ASPM_L1);
    lab_forget(lab);
    lab_run_us(lab, IDLE_US);
    t_check(t, port_link_power(link_of(lab)) == LINK_L0 && !power_of(lab).l1, "the link is in L1");
    t_check(t, !lab_count_messages(lab, lab->above, TLP_MSG_PM_ACTIVE_STATE_NAK),
            "there was a request");
}

/* 7.5.3.7: of an ARI Device function 0 decides alone, of others all do. */
POWER_LAB(l1_functions)
{
    char *second = g_strdup_printf("%s.1", lab->ex);
    bool ari = lab_func(lab, lab->ex)->ext_ari != 0;

    if (!lab_func(lab, second)) {
        t_skip(t, "the exerciser has one function");
    } else {
        aspm(lab, lab->above, PCIE_ASPM_L1);
        aspm(lab, lab->ex, PCIE_ASPM_L1);
        lab_change_cfg(lab, second, lab_pcie(lab, second, PCIE_LNKCTL), 2, 0, 3);
        lab_run_us(lab, IDLE_US);
        t_check(t, (port_link_power(link_of(lab)) != LINK_L0) == ari,
                "with L1 enabled in function 0 alone the link is %s", ari ? "in L0" : "in L1");
    }
    g_free(second);
}

static void power_state(struct lab *lab, unsigned state)
{
    char *second = g_strdup_printf("%s.1", lab->ex);
    const char *names[] = {lab->ex, second};

    for (unsigned i = 0; i < 2; i++) {
        if (lab_func(lab, names[i]))
            lab_change_cfg(lab, names[i], lab_func(lab, names[i])->cap_pm + 4u, 2, state,
                           3 & ~state);
    }
    g_free(second);
    lab_run_us(lab, 20000);
}

POWER_LAB(d3hot)
{
    power_state(lab, 3);
    check_asleep(t, lab);
    t_check(t, link_status(lab) & PCIE_LNKSTA_DLL_ACTIVE, "the link is down");
}

POWER_LAB(d3hot_config)
{
    uint32_t identity = lab_cfg(lab, lab->ex, 0, 4);

    power_state(lab, 3);
    t_check(t, lab_cfg(lab, lab->ex, 0, 4) == identity, "it does not answer");
    lab_run_us(lab, IDLE_US);
    check_asleep(t, lab);
    power_state(lab, 0);
    lab_run_us(lab, IDLE_US);
    t_check(t, port_link_power(link_of(lab)) == LINK_L0, "the link stays in L1 in D0");
}

struct substate {
    uint32_t enable;
    bool sleeping; /* in D3hot; else by ASPM */
    enum link_power wanted;
};

POWER_LAB(substates)
{
    const struct substate *c = t->assertion->param;
    const char *names[2] = {lab->above, lab->ex};

    if (!lab_func(lab, lab->above)->ext_l1ss || !lab_func(lab, lab->ex)->ext_l1ss) {
        t_skip(t, "an end of the link has no L1 PM Substates");
        return;
    }
    for (unsigned i = 0; i < 2; i++)
        lab_change_cfg(lab, names[i], lab_func(lab, names[i])->ext_l1ss + PCI_L1SS_CTL1, 4,
                       c->enable, PCI_L1SS_ALL & ~c->enable);
    if (c->sleeping)
        power_state(lab, 3);
    else
        sleep_l1(lab);
    t_check(t, port_link_power(link_of(lab)) == c->wanted, "the link is in state %u, not %u",
            port_link_power(link_of(lab)), c->wanted);
    lab_cfg(lab, lab->ex, 0, 4);
    t_check(t, lab_cfg(lab, lab->ex, 0, 2) != 0xffff, "the device does not answer");
}

/* One end alone does not do. */
POWER_LAB(substate_one_end)
{
    unsigned cap = lab_func(lab, lab->ex)->ext_l1ss;

    if (!cap) {
        t_skip(t, "the exerciser has no L1 PM Substates");
        return;
    }
    lab_change_cfg(lab, lab->ex, cap + PCI_L1SS_CTL1, 4, PCI_L1SS_ALL, 0);
    sleep_l1(lab);
    t_check(t, port_link_power(link_of(lab)) == LINK_L1, "the link is in state %u, not in L1",
            port_link_power(link_of(lab)));
}

/* NULL, and t says so, when ex is below no switch. */
static char *need_upstream(struct lab *lab)
{
    char *upstream = lab_upstream(lab);

    if (!upstream)
        t_skip(lab->t, "the topology has no exerciser below a switch");
    return upstream;
}

POWER_LAB(switch_last)
{
    char *upstream = need_upstream(lab);

    if (!upstream)
        return;
    aspm(lab, lab->root, PCIE_ASPM_L1);
    aspm(lab, upstream, PCIE_ASPM_L1);
    lab_run_us(lab, IDLE_US);
    t_check(t, port_link_power(machine_port(lab->machine, upstream)) == LINK_L0,
            "the switch's link is in L1 while one below it is not");
    g_free(upstream);
}

/* PME_Turn_Off, from a port, to what is below it; each end acknowledges once, a switch when all
 * below have. */
static void turn_off(struct lab *lab, const char *from)
{
    struct tlp *tlp = lab_tlp(lab, TLP_MSG, 0);

    tlp->requester = (struct pci_rid){0};
    tlp->msg_code = TLP_MSG_PME_TURN_OFF;
    tlp->msg_routing = TLP_MSG_BROADCAST;
    inject_emit(machine_port(lab->machine, from), tlp);
    lab_run_us(lab, 200);
}

static void check_ack(struct conform_ctx *t, struct lab *lab, const char *from)
{
    unsigned count = lab_count_messages(lab, from, TLP_MSG_PME_TO_ACK);
    const struct lab_seen *seen = lab_last(lab, from, (uint32_t)BIT(TLP_MSG));

    t_check(t, count == 1, "%s sent %u PME_TO_Ack", from, count);
    t_check(t, !seen || seen->tlp.msg_routing == TLP_MSG_GATHERED, "its routing is %u",
            seen->tlp.msg_routing);
}

LAB_WITH(turn_off_end, lab_new_timed(t, NULL))
{
    lab_report_errors(lab);
    turn_off(lab, lab->above);
    check_ack(t, lab, lab->ex);
    t_check(t, !(lab_cfg(lab, lab->ex, lab_aer(lab, lab->ex, 4), 4)), "an error was logged");
}

LAB_WITH(turn_off_d3hot, lab_new_timed(t, NULL))
{
    power_state(lab, 3);
    lab_forget(lab);
    turn_off(lab, lab->above);
    check_ack(t, lab, lab->ex);
}

LAB_WITH(turn_off_switch, lab_new_timed(t, NULL))
{
    char *upstream = need_upstream(lab);

    if (!upstream)
        return;
    lab_report_errors(lab);
    turn_off(lab, lab->root);
    check_ack(t, lab, lab->ex);
    check_ack(t, lab, upstream);
    t_check(t, !(lab_cfg(lab, lab->root, lab_aer(lab, lab->root, 4), 4)), "an error was logged");
    g_free(upstream);
}

/* One below does not acknowledge: the switch does not, either. */
LAB_WITH(turn_off_gathered, lab_new_timed(t, NULL))
{
    struct inject_rule lost = {.name = "lost", .action = INJECT_DROP};
    char *upstream = need_upstream(lab);

    if (!upstream)
        return;
    lost.match = (struct inject_match){.sender = machine_port(lab->machine, lab->ex),
                                       .types = (uint32_t)BIT(TLP_MSG),
                                       .by_message = true,
                                       .msg_first = TLP_MSG_PME_TO_ACK,
                                       .msg_last = TLP_MSG_PME_TO_ACK};
    inject_add(lab->inject, &lost);
    lab_forget(lab);
    turn_off(lab, lab->root);
    t_check(t, !lab_count_messages(lab, upstream, TLP_MSG_PME_TO_ACK),
            "the switch acknowledged before all below it had");
    g_free(upstream);
}

/* Latency Tolerance Reporting. */
static bool report_latency(struct lab *lab, const char *name)
{
    uint32_t caps = lab_cfg(lab, name, lab_pcie(lab, name, PCIE_DEVCAP2), 4);
    unsigned cap = lab_func(lab, name)->ext_ltr;

    if (!(caps & PCIE_DEVCAP2_LTR)) {
        t_skip(lab->t, "%s has no LTR", name);
        return false;
    }
    if (cap)
        lab_set_cfg(lab, name, cap + PCI_LTR_MAX_SNOOP, 4, 0x13ff13ff);
    lab_change_cfg(lab, name, lab_pcie(lab, name, PCIE_DEVCTL2), 2, PCIE_DEVCTL2_LTR, 0);
    return true;
}

/* From the root port down, as software must (6.18). */
static bool report_latencies(struct lab *lab, char **upstream)
{
    *upstream = need_upstream(lab);
    if (!*upstream)
        return false;
    if (!lab->peer) {
        t_skip(lab->t, "the topology has no two exercisers below one switch");
        return false;
    }
    return report_latency(lab, lab->root) && report_latency(lab, *upstream) &&
           report_latency(lab, lab->above) &&
           report_latency(lab, machine_port_above(lab->machine, lab->peer)->name) &&
           report_latency(lab, lab->ex) && report_latency(lab, lab->peer);
}

static uint32_t last_latency(struct lab *lab, const char *from)
{
    for (unsigned i = lab->seen->len; i-- > 0;) {
        const struct lab_seen *seen = &g_array_index(lab->seen, struct lab_seen, i);

        if (seen->sender == machine_port(lab->machine, from) && seen->tlp.type == TLP_MSG &&
            seen->tlp.msg_code == TLP_MSG_LTR)
            return (uint32_t)seen->tlp.msg_bytes_8_15;
    }
    return 0;
}

/* Scale 2: microseconds, nearly. */
#define LATENCY(n) (0x88008800u | (n) << 16 | (n))
#define REQUIRED   0x80008000u

static void tolerate(struct lab *lab, const char *name, uint32_t latency)
{
    lab_ex_set(lab, name, EXERCISER_LTR, 4, latency);
    lab_run_us(lab, 100);
}

POWER_LAB(latency_sent)
{
    char *upstream;

    if (report_latencies(lab, &upstream)) {
        tolerate(lab, lab->ex, LATENCY(40u));
        t_check(t, last_latency(lab, lab->ex) == LATENCY(40u), "the device sent %08x",
                last_latency(lab, lab->ex));
    }
    g_free(upstream);
}

POWER_LAB(latency_least)
{
    char *upstream;

    if (report_latencies(lab, &upstream)) {
        tolerate(lab, lab->ex, LATENCY(40u));
        tolerate(lab, lab->peer, LATENCY(20u));
        t_check(t, last_latency(lab, upstream) == LATENCY(20u), "the switch sent %08x",
                last_latency(lab, upstream));
        tolerate(lab, lab->peer, LATENCY(60u));
        t_check(t, last_latency(lab, upstream) == LATENCY(40u), "then the switch sent %08x",
                last_latency(lab, upstream));
    }
    g_free(upstream);
}

POWER_LAB(latency_gone)
{
    char *upstream;

    if (report_latencies(lab, &upstream)) {
        tolerate(lab, lab->ex, LATENCY(40u));
        lab_change_cfg(lab, lab->above, lab_pcie(lab, lab->above, PCIE_LNKCTL), 2,
                       PCIE_LNKCTL_DISABLE, 0);
        lab_run_us(lab, 1000);
        t_check(t, !(last_latency(lab, upstream) & REQUIRED), "the switch still says %08x",
                last_latency(lab, upstream));
    }
    g_free(upstream);
}

POWER_LAB(latency_d3hot)
{
    char *upstream;

    if (report_latencies(lab, &upstream)) {
        tolerate(lab, lab->ex, LATENCY(40u));
        power_state(lab, 3);
        t_check(t, !(last_latency(lab, lab->ex) & REQUIRED), "the device still says %08x",
                last_latency(lab, lab->ex));
    }
    g_free(upstream);
}

POWER_LAB(latency_most)
{
    char *upstream;

    if (report_latencies(lab, &upstream)) {
        unsigned cap = lab_func(lab, lab->ex)->ext_ltr;

        lab_set_cfg(lab, lab->ex, cap + PCI_LTR_MAX_SNOOP, 4, LATENCY(10u) & ~REQUIRED);
        tolerate(lab, lab->ex, LATENCY(40u));
        t_check(t, last_latency(lab, lab->ex) == LATENCY(10u), "the device sent %08x",
                last_latency(lab, lab->ex));
    }
    g_free(upstream);
}

POWER_LAB(latency_unsupported)
{
    struct tlp *tlp;

    lab_report_errors(lab);
    tlp = lab_tlp(lab, TLP_MSG, 0);
    tlp->msg_code = TLP_MSG_LTR;
    tlp->msg_routing = TLP_MSG_LOCAL;
    tlp->msg_bytes_8_15 = LATENCY(40u);
    lab_send_up(lab, tlp);
    t_check(t, lab_cfg(lab, lab->above, lab_aer(lab, lab->above, 4), 4) & 1u << 20,
            "the port logged no Unsupported Request");
}

#define POWER(i, sec, fn, p, text) BEHAVIOUR("link." i, "power", sec, fn, p, text)
#define LTR(i, fn, text)           BEHAVIOUR("ltr." i, "ltr", "6.18", fn, NULL, text)
#define SUBSTATE(...)              (&(const struct substate){__VA_ARGS__})

static const struct conform_assertion rows[] = {
    POWER("l0s", "5.4.1.1.1", l0s, NULL,
          "An idle transmitter enters L0s where its own port has that enabled."),
    POWER("aspm.off", "7.5.3.7", l0s_off, NULL, "With ASPM disabled an idle link stays in L0."),
    POWER("l1", "5.4.1.3", l1, NULL,
          "An idle link with L1 enabled at both ends enters L1, where it stays active."),
    POWER("l1.above", "5.4.1.3.2", l1_from_above, NULL,
          "A request from above ends L1 and is answered."),
    POWER("l1.below", "5.4.1.3.2", l1_from_below, NULL, "A write from below ends L1 and arrives."),
    POWER("l1.refused", "5.4.1.3.1", l1_refused, NULL,
          "A port with L1 disabled answers a request for it with PM_Active_State_Nak."),
    POWER("l1.not_asked", "5.4.1.3.1", l1_not_asked, NULL,
          "A device with L1 disabled does not ask for it."),
    POWER("l1.functions", "7.5.3.7", l1_functions, NULL,
          "Of an ARI Device ASPM Control of function 0 counts, of others that of all functions."),
    POWER("l1.switch", "5.4.1.3.1", switch_last, NULL,
          "A switch asks for L1 only when all links below it are in L1."),
    POWER("d3hot", "5.3.2", d3hot, NULL, "With all functions in D3hot the link goes to L1."),
    POWER("d3hot.config", "5.3.1.4.1", d3hot_config, NULL,
          "In D3hot configuration requests end L1, which comes back; D0 ends it for good."),
    POWER("l1_1.aspm", "5.5.1", substates, SUBSTATE(PCI_L1SS_ASPM_L1_1, false, LINK_L1_1),
          "With ASPM L1.1 enabled at both ends an idle link goes to L1.1."),
    POWER("l1_2.aspm", "5.5.1", substates,
          SUBSTATE(PCI_L1SS_ASPM_L1_2 | PCI_L1SS_ASPM_L1_1, false, LINK_L1_2),
          "With ASPM L1.2 enabled, and latency tolerated, an idle link goes to L1.2."),
    POWER("l1_1.pm", "5.5.1", substates, SUBSTATE(PCI_L1SS_PCIPM_L1_1, true, LINK_L1_1),
          "With PCI-PM L1.1 enabled at both ends a link in D3hot goes to L1.1."),
    POWER("l1_2.pm", "5.5.1", substates,
          SUBSTATE(PCI_L1SS_PCIPM_L1_2 | PCI_L1SS_PCIPM_L1_1, true, LINK_L1_2),
          "With PCI-PM L1.2 enabled at both ends a link in D3hot goes to L1.2."),
    POWER("l1ss.kinds", "5.5.1", substates,
          SUBSTATE(PCI_L1SS_PCIPM_L1_2 | PCI_L1SS_PCIPM_L1_1, false, LINK_L1),
          "Substates of PCI-PM are not entered by ASPM."),
    POWER("l1ss.one_end", "5.5.1", substate_one_end, NULL,
          "A substate that one end alone has enabled is not entered."),
    POWER("turn_off", "5.3.3.2.1", turn_off_end, NULL,
          "A device answers PME_Turn_Off with one PME_TO_Ack."),
    POWER("turn_off.d3hot", "5.3.3.2.1", turn_off_d3hot, NULL,
          "A device answers PME_Turn_Off in D3hot, too."),
    POWER("turn_off.switch", "5.3.3.2.1", turn_off_switch, NULL,
          "A switch passes PME_Turn_Off down and sends one PME_TO_Ack up."),
    POWER("turn_off.gathered", "5.3.3.2.1", turn_off_gathered, NULL,
          "A switch sends no PME_TO_Ack before it has one from every link below."),
    LTR("sent", latency_sent, "With LTR enabled a device sends the latency that it tolerates."),
    LTR("least", latency_least,
        "A switch sends up the least of the latencies from below, whenever it changes."),
    LTR("gone", latency_gone, "When a link goes down what was said over it no longer counts."),
    LTR("d3hot", latency_d3hot, "When it leaves D0 a device takes its requirement back."),
    LTR("most", latency_most, "A device asks for no more than the maximum latency permitted."),
    LTR("unsupported", latency_unsupported,
        "A port where LTR is disabled takes an LTR message as an Unsupported Request."),
};

ASSERTION_TABLE(assertions_ltssm_power, rows);
