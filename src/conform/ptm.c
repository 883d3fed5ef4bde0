/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Precision Time Measurement (PCIe Base 6.0, 6.21): dialogs, and what the time is worth. */
#include <stdlib.h>

#include "bench.h"
#include "lab.h"
#include "pcilab/fabric/ptm.h"
#include "pcilab/pci/ptm.h"
#include "pcilab/platform/probe.h"
#include "tables.h"

#define ENABLE    1u
#define ROOT      2u
#define DIALOG_US 50u
#define LEARN     6u /* dialogs, after which the time has come down a switch */

static void control(struct lab *lab, const char *name, uint32_t bits)
{
    lab_set_cfg(lab, name, lab_func(lab, name)->ext_ptm + 8u, 4, bits);
}

/* From ex up to its root port; `root` are the bits of the latter. False, and t says so: somebody
 * has none. */
static bool enable(struct lab *lab, uint32_t root)
{
    char *upstream = lab_upstream(lab);
    bool all = lab_func(lab, lab->ex)->ext_ptm && lab_func(lab, lab->root)->ext_ptm &&
               (!upstream || lab_func(lab, upstream)->ext_ptm);

    if (all) {
        control(lab, lab->root, root);
        if (upstream)
            control(lab, upstream, ENABLE);
        control(lab, lab->ex, ENABLE);
    } else {
        t_skip(lab->t, "not all from the exerciser to its root port have PTM");
    }
    g_free(upstream);
    return all;
}

static void dialog(struct lab *lab)
{
    lab_ex_set(lab, lab->ex, EXERCISER_PTM, 4, 1);
    lab_run_us(lab, DIALOG_US);
}

static uint64_t time_ns(struct lab *lab)
{
    return lab_ex_get(lab, lab->ex, EXERCISER_PTM_TIME, 8);
}

/* How far the device's idea is from its root's when the host's read is there: half way through. */
static int64_t error_ns(struct lab *lab)
{
    struct port *root = machine_port(lab->machine, lab->root);
    uint64_t before = ptm_root_time(root), have = time_ns(lab), after = ptm_root_time(root);

    return (int64_t)(have - before - (after - before) / 2);
}

static unsigned responses(struct lab *lab, const char *from, bool with_time)
{
    unsigned found = 0;

    for (unsigned i = 0; i < lab->seen->len; i++) {
        const struct lab_seen *seen = &g_array_index(lab->seen, struct lab_seen, i);

        found += seen->sender == machine_port(lab->machine, from) &&
                 seen->tlp.type == (with_time ? TLP_MSGD : TLP_MSG) &&
                 seen->tlp.msg_code == TLP_MSG_PTM_RESPONSE;
    }
    return found;
}

LAB_WITH(request, lab_new(t))
{
    const struct lab_seen *seen;

    if (!enable(lab, ENABLE | ROOT))
        return;
    lab_forget(lab);
    dialog(lab);
    t_check(t, lab_count_messages(lab, lab->ex, TLP_MSG_PTM_REQUEST) == 1, "%u requests",
            lab_count_messages(lab, lab->ex, TLP_MSG_PTM_REQUEST));
    seen = lab_last(lab, lab->ex, (uint32_t)BIT(TLP_MSG));
    if (!seen)
        return;
    t_check(t, seen->tlp.msg_routing == TLP_MSG_LOCAL && !seen->tlp.tc, "routing %u, class %u",
            seen->tlp.msg_routing, seen->tlp.tc);
    t_check(t, seen->tlp.requester.v == lab_func(lab, lab->ex)->rid.v, "in the name of %04x",
            seen->tlp.requester.v);
}

LAB_WITH(disabled, lab_new(t))
{
    if (!enable(lab, ENABLE | ROOT))
        return;
    control(lab, lab->ex, 0);
    lab_forget(lab);
    dialog(lab);
    t_check(t, !lab_count_messages(lab, lab->ex, TLP_MSG_PTM_REQUEST), "there was a request");
}

/* The port has no time of a dialog before, then it has. */
LAB_WITH(first_answer, lab_new(t))
{
    if (!enable(lab, ENABLE | ROOT))
        return;
    lab_forget(lab);
    dialog(lab);
    t_check(t, responses(lab, lab->above, false) == 1 && !responses(lab, lab->above, true),
            "%u Responses, %u with a time", responses(lab, lab->above, false),
            responses(lab, lab->above, true));
}

LAB_WITH(later_answers, lab_new(t))
{
    unsigned found;

    if (!enable(lab, ENABLE | ROOT))
        return;
    for (unsigned i = 0; i < LEARN; i++)
        dialog(lab);
    lab_forget(lab);
    dialog(lab);
    found = responses(lab, lab->above, true);
    t_check(t, found == 1 && !responses(lab, lab->above, false), "%u Responses with a time", found);
}

LAB_WITH(no_root, lab_new(t))
{
    if (!enable(lab, ENABLE))
        return;
    lab_forget(lab);
    for (unsigned i = 0; i < LEARN; i++)
        dialog(lab);
    t_check(t, !responses(lab, lab->above, true) && !responses(lab, lab->root, true),
            "a Response with a time, which nobody has");
    t_check(t, responses(lab, lab->above, false) == LEARN, "%u Responses to %u requests",
            responses(lab, lab->above, false), LEARN);
    t_check(t, !time_ns(lab), "the device has a time");
}

LAB_WITH(learned, lab_new(t))
{
    if (!enable(lab, ENABLE | ROOT))
        return;
    t_check(t, !time_ns(lab), "the device has a time before any dialog");
    for (unsigned i = 0; i < LEARN; i++)
        dialog(lab);
    t_check(t, time_ns(lab) && error_ns(lab) == 0, "the device is wrong by %d ns",
            (int)error_ns(lab));
    lab_run_us(lab, 100000);
    t_check(t, error_ns(lab) == 0, "after 100 ms it is wrong by %d ns", (int)error_ns(lab));
}

/* The way takes time there: it is measured and taken off. */
static void long_links(struct machine_desc *desc)
{
    for (unsigned i = 0; i < desc->count; i++)
        desc->components[i].link.propagation_ps = 700 * PS_PER_NS;
}

LAB_WITH(learned_timed, lab_new_timed(t, long_links))
{
    if (!enable(lab, ENABLE | ROOT))
        return;
    for (unsigned i = 0; i < 2 * LEARN; i++)
        dialog(lab);
    t_check(t, time_ns(lab) && llabs(error_ns(lab)) < 100, "the device is wrong by %d ns",
            (int)error_ns(lab));
}

LAB_WITH(propagates, lab_new(t))
{
    char *upstream = lab_upstream(lab);

    if (!upstream) {
        t_skip(t, "the topology has no exerciser below a switch");
    } else if (enable(lab, ENABLE | ROOT)) {
        lab_forget(lab);
        for (unsigned i = 0; i < LEARN; i++)
            dialog(lab);
        t_check(t, lab_count_messages(lab, upstream, TLP_MSG_PTM_REQUEST) >= 2,
                "the switch sent %u requests",
                lab_count_messages(lab, upstream, TLP_MSG_PTM_REQUEST));
        t_check(t, responses(lab, lab->root, true) >= 1, "it got no time");
    }
    g_free(upstream);
}

static const char *responder(struct lab *lab, char **upstream)
{
    *upstream = lab_upstream(lab);
    return *upstream ? *upstream : lab->root;
}

LAB_WITH(unsupported, lab_new(t))
{
    char *upstream = NULL;

    if (enable(lab, ENABLE | ROOT)) {
        lab_report_errors(lab);
        control(lab, responder(lab, &upstream), 0);
        lab_forget(lab);
        dialog(lab);
        t_check(t, lab_cfg(lab, lab->above, lab_aer(lab, lab->above, 4), 4) & 1u << 20,
                "the port logged no Unsupported Request");
        t_check(t, !lab_count_messages(lab, lab->above, TLP_MSG_PTM_RESPONSE), "it answered");
    }
    g_free(upstream);
}

/* Without an answer no other request within 100 us. */
LAB_WITH(patience, lab_new(t))
{
    char *upstream = NULL;

    if (enable(lab, ENABLE | ROOT)) {
        control(lab, responder(lab, &upstream), 0);
        lab_forget(lab);
        dialog(lab);
        lab_ex_set(lab, lab->ex, EXERCISER_PTM, 4, 1);
        t_check(t, lab_count_messages(lab, lab->ex, TLP_MSG_PTM_REQUEST) == 1,
                "%u requests within 100 us", lab_count_messages(lab, lab->ex, TLP_MSG_PTM_REQUEST));
        lab_run_us(lab, 100);
        dialog(lab);
        t_check(t, lab_count_messages(lab, lab->ex, TLP_MSG_PTM_REQUEST) == 2,
                "no request after 100 us");
    }
    g_free(upstream);
}

LAB_WITH(forgotten, lab_new(t))
{
    if (!enable(lab, ENABLE | ROOT))
        return;
    for (unsigned i = 0; i < LEARN; i++)
        dialog(lab);
    control(lab, lab->ex, 0);
    control(lab, lab->ex, ENABLE);
    t_check(t, !time_ns(lab), "the device still has a time");
}

LAB_WITH(reset_forgets, lab_new(t))
{
    uint32_t bar, buses;

    if (!enable(lab, ENABLE | ROOT))
        return;
    for (unsigned i = 0; i < LEARN; i++)
        dialog(lab);
    bar = lab_cfg(lab, lab->ex, 0x10, 4);
    buses = lab_cfg(lab, lab->above, 0x18, 4);
    lab_change_cfg(lab, lab->above, 0x3e, 2, 0x40, 0);
    lab_run_us(lab, 2000);
    lab_change_cfg(lab, lab->above, 0x3e, 2, 0, 0x40);
    lab_run_us(lab, 200000);
    lab_set_cfg(lab, lab->above, 0x18, 4, buses);
    lab_set_cfg(lab, lab->ex, 0x10, 4, bar);
    lab_set_cfg(lab, lab->ex, 4, 2, 6);
    t_check(t, !(lab_cfg(lab, lab->ex, lab_func(lab, lab->ex)->ext_ptm + 8u, 4) & ENABLE),
            "PTM is still enabled");
    control(lab, lab->ex, ENABLE);
    t_check(t, !time_ns(lab), "the device has the time of before");
    lab_forget(lab);
    dialog(lab);
    t_check(t, responses(lab, lab->above, false) == 1, "the port used times of before");
}

LAB_WITH(class_0, lab_new(t))
{
    struct tlp *tlp;

    if (!enable(lab, ENABLE | ROOT))
        return;
    lab_report_errors(lab);
    tlp = lab_tlp(lab, TLP_MSG, 0);
    tlp->msg_code = TLP_MSG_PTM_REQUEST;
    tlp->msg_routing = TLP_MSG_LOCAL;
    tlp->tc = 1;
    lab_send_up(lab, tlp);
    t_check(t, lab_cfg(lab, lab->above, lab_aer(lab, lab->above, 4), 4) & 1u << 18,
            "the port logged no Malformed TLP");
    t_check(t, !lab_count_messages(lab, lab->above, TLP_MSG_PTM_RESPONSE), "it answered");
}

/* A Response that nobody waits for teaches nothing. */
LAB_WITH(unasked, lab_new(t))
{
    if (!enable(lab, ENABLE | ROOT))
        return;
    for (unsigned i = 0; i < LEARN; i++)
        dialog(lab);
    lab_send_down(lab, ptm_new_response_time(machine_fabric(lab->machine)->pool,
                                             lab_func(lab, lab->above)->rid, 77, 0));
    t_check(t, error_ns(lab) == 0, "the device is wrong by %d ns", (int)error_ns(lab));
}

#define PTM(i, sec, fn, text) BEHAVIOUR("ptm." i, "ptm", sec, fn, NULL, text)

static const struct conform_assertion rows[] = {
    PTM("request", "6.21.3.1", request,
        "A dialog begins with one PTM Request of traffic class 0 and local routing."),
    PTM("disabled", "7.9.15.3", disabled, "Without PTM Enable a function sends no PTM Request."),
    PTM("response", "6.21.3.2", first_answer,
        "The first PTM Request is answered with a Response that has no time."),
    PTM("response_time", "6.21.3.2", later_answers,
        "Later ones are answered with a ResponseD, which has the time."),
    PTM("no_root", "6.21.3.2", no_root,
        "Without a PTM Root requests are answered without a time, and none is learned."),
    PTM("time", "6.21.2", learned, "After some dialogs the requester has the PTM Root's time."),
    PTM("time.delay", "6.21.2", learned_timed,
        "The time that messages take is measured and taken off."),
    PTM("switch", "6.21.3.2", propagates,
        "A switch that is asked for the time gets it from above by dialogs of its own."),
    PTM("unsupported", "6.21.3.2", unsupported,
        "A PTM Request to a port where PTM is disabled is an Unsupported Request."),
    PTM("patience", "6.21.3.1", patience,
        "A requester without an answer waits 100 us before it asks again."),
    PTM("forgotten", "6.21.3.1", forgotten, "Clearing PTM Enable invalidates the time."),
    PTM("reset", "6.21.3.1", reset_forgets,
        "A reset invalidates the time of the requester and of the dialog before."),
    PTM("class", "2.2.8.10", class_0,
        "A PTM Request of another traffic class than 0 is a Malformed TLP."),
    PTM("unasked", "6.21.3.1", unasked, "A Response that was not asked for is ignored."),
};

ASSERTION_TABLE(assertions_ptm, rows);
