/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page Requests and what becomes of their responses (PCIe Base 6.0, 10.4, 10.5.2). */
#include "ats_agent.h"
#include "tables.h"

#define CONTROL    0x04
#define STATUS     0x06
#define CAPACITY   0x08
#define ALLOCATION 0x0c

#define FAILURE    0x0001
#define UNEXPECTED 0x0002
#define STOPPED    0x0100

#define SUCCESS 0x0
#define INVALID 0x1
#define FAILED  0xf

static const struct lab_dma read64 = {
    .command = EXERCISER_READ, .addr = ATS_IOVA + 0x240, .len = 64, .attr = EXERCISER_ATTR_PRI};
/* Of the other channel, another page. */
static const struct lab_dma other = {.command = EXERCISER_READ,
                                     .addr = ATS_IOVA + 0x100000,
                                     .len = 64,
                                     .attr = EXERCISER_ATTR_PRI,
                                     .channel = 1};

static unsigned pri(struct lab *lab, unsigned reg)
{
    return lab_func(lab, lab->ex)->ext_pri + reg;
}

static unsigned status(struct lab *lab)
{
    return lab_cfg(lab, lab->ex, pri(lab, STATUS), 2) & (FAILURE | UNEXPECTED | STOPPED);
}

/* False: there are no Page Requests, t says so. */
static bool begin(struct ats_agent *a, struct lab *lab, unsigned allocation)
{
    if (!ats_begin(a, lab, lab->ex))
        return false;
    if (!lab_func(lab, lab->ex)->ext_pri) {
        t_skip(a->t, "the exerciser has no Page Requests");
        return false;
    }
    ats_enable(a, true);
    lab_set_cfg(lab, lab->ex, pri(lab, ALLOCATION), 4, allocation);
    lab_set_cfg(lab, lab->ex, pri(lab, CONTROL), 2, 1);
    return true;
}

/* A DMA whose page is not there, up to its Page Request, which is `found`. */
static bool ask(struct ats_agent *a, const struct lab_dma *dma)
{
    ats_start(a, dma);
    if (ats_next(a, ATS_LOOKUP))
        ats_give(a, 0);
    else
        t_fail(a->t, "there is no Translation Request");
    return ats_next(a, ATS_PAGE_REQUEST) != NULL;
}

static bool begin_asking(struct ats_agent *a, struct lab *lab)
{
    if (!begin(a, lab, 8))
        return false;
    t_check(a->t, ask(a, &read64), "there is no Page Request");
    return !t_failed(a->t);
}

static unsigned group_of(const struct tlp *tlp)
{
    return tlp->msg_bytes_8_15 >> 3 & 0x1ff;
}

LAB_PROCEDURE(disabled)
{
    struct ats_agent a;

    if (!begin(&a, lab, 8))
        return;
    lab_set_cfg(lab, lab->ex, pri(lab, CONTROL), 2, 0);
    t_check(t, !ask(&a, &read64), "a Page Request was sent");
}

LAB_PROCEDURE(not_needed)
{
    struct ats_agent a;

    if (!begin(&a, lab, 8))
        return;
    ats_start(&a, &read64);
    ats_next(&a, ATS_LOOKUP);
    ats_give(&a, ats_range(ATS_PLACE, 0x1000, ATS_RW));
    t_check(t, !ats_next(&a, ATS_PAGE_REQUEST), "a Page Request was sent");
}

LAB_PROCEDURE(message)
{
    struct ats_agent a;

    if (!begin_asking(&a, lab))
        return;
    t_check(t, a.found.type == TLP_MSG, "it has data");
    t_check(t, a.found.msg_routing == TLP_MSG_TO_RC, "its routing is %u", a.found.msg_routing);
}

LAB_PROCEDURE(address)
{
    struct ats_agent a;

    if (begin_asking(&a, lab))
        t_check(t, (a.found.msg_bytes_8_15 & ~(uint64_t)0xfff) == ATS_IOVA,
                "it is for %" G_GINT64_MODIFIER "x", a.found.msg_bytes_8_15 & ~(uint64_t)0xfff);
}

LAB_PROCEDURE(last)
{
    struct ats_agent a;
    unsigned group;

    if (!begin_asking(&a, lab))
        return;
    group = group_of(&a.found);
    while (!(a.found.msg_bytes_8_15 & 4)) {
        if (!ats_next(&a, ATS_PAGE_REQUEST) || group_of(&a.found) != group) {
            t_fail(t, "no request of the group is its last");
            return;
        }
    }
}

struct access_rule {
    unsigned command, bits;
};

LAB_PROCEDURE(rights)
{
    const struct access_rule *rule = t->assertion->param;
    struct lab_dma dma = read64;
    struct ats_agent a;

    dma.command = rule->command;
    if (rule->command >= EXERCISER_FETCHADD)
        dma.len = 4;
    lab_change_cfg(lab, lab->ex, lab_pcie(lab, lab->ex, 0x28), 2, 0x40, 0);
    if (!begin(&a, lab, 8))
        return;
    t_check(t, ask(&a, &dma), "there is no Page Request");
    t_check(t, t_failed(t) || (a.found.msg_bytes_8_15 & rule->bits) == rule->bits,
            "it asks for R %u, W %u", (unsigned)a.found.msg_bytes_8_15 & 1,
            (unsigned)a.found.msg_bytes_8_15 >> 1 & 1);
}

LAB_PROCEDURE(groups)
{
    struct ats_agent a;
    unsigned group;

    if (!begin_asking(&a, lab))
        return;
    group = group_of(&a.found);
    if (!ask(&a, &other))
        t_skip(t, "the exerciser asks for one page at a time");
    else
        t_check(t, group_of(&a.found) != group, "both are of group %u", group);
}

LAB_PROCEDURE(allocation)
{
    struct ats_agent a;
    unsigned group;

    if (!begin(&a, lab, 1))
        return;
    t_check(t, ask(&a, &read64), "there is no Page Request");
    group = group_of(&a.found);
    t_check(t, !ask(&a, &other), "a second one is outstanding");
    a.next = lab->seen->len;
    ats_respond(&a, group, INVALID, 0);
    t_check(t, ats_next(&a, ATS_PAGE_REQUEST), "a response makes no room for another");
}

/* Responses. */

LAB_PROCEDURE(success)
{
    struct ats_agent a;

    if (!begin_asking(&a, lab))
        return;
    ats_respond(&a, group_of(&a.found), SUCCESS, 0);
    t_check(t, ats_next(&a, ATS_LOOKUP), "the translation is not asked for again");
    if (t_failed(t))
        return;
    ats_give(&a, ats_range(ATS_PLACE, 0x1000, ATS_RW));
    t_check(t, ats_next(&a, ATS_ACCESS) && a.found.at == TLP_AT_TRANSLATED,
            "the access does not follow");
    t_check(t, !(status(lab) & (FAILURE | UNEXPECTED)), "Page Request Status is %04x", status(lab));
}

LAB_PROCEDURE(invalid)
{
    struct ats_agent a;

    if (!begin_asking(&a, lab))
        return;
    ats_respond(&a, group_of(&a.found), INVALID, 0);
    t_check(t, !ats_next(&a, ATS_ACCESS), "an access follows");
    t_check(t, !(status(lab) & (FAILURE | UNEXPECTED)), "Page Request Status is %04x", status(lab));
    t_check(t, lab_cfg(lab, lab->ex, pri(lab, CONTROL), 2) & 1, "it is disabled");
    t_check(t, ask(&a, &other), "no further Page Request is sent");
}

LAB_PROCEDURE(failure)
{
    const unsigned *code = t->assertion->param;
    struct ats_agent a;

    if (!begin_asking(&a, lab))
        return;
    ats_respond(&a, group_of(&a.found), *code, 0);
    t_check(t, status(lab) & FAILURE, "Response Failure is clear");
    t_check(t, !ats_next(&a, ATS_ACCESS), "an access follows");
    t_check(t, !ask(&a, &other), "a further Page Request is sent");
}

LAB_PROCEDURE(unexpected)
{
    struct ats_agent a;
    unsigned group;

    if (!begin_asking(&a, lab))
        return;
    group = group_of(&a.found);
    t_check(t, !(status(lab) & UNEXPECTED), "the status is set before");
    ats_respond(&a, group ^ 0x100, SUCCESS, 0);
    t_check(t, status(lab) & UNEXPECTED, "Unexpected Page Request Group Index is clear");
    t_check(t, !ats_next(&a, ATS_LOOKUP), "it is taken for another group's");
    ats_respond(&a, group, SUCCESS, 0);
    t_check(t, ats_next(&a, ATS_LOOKUP), "the response that was expected is not heard then");
}

LAB_PROCEDURE(twice)
{
    struct ats_agent a;
    unsigned group;

    if (!begin_asking(&a, lab))
        return;
    group = group_of(&a.found);
    ats_respond(&a, group, INVALID, 0);
    t_check(t, !(status(lab) & UNEXPECTED), "the first is unexpected");
    ats_respond(&a, group, INVALID, 0);
    t_check(t, status(lab) & UNEXPECTED, "Unexpected Page Request Group Index is clear");
}

/* The interface. */

LAB_PROCEDURE(stopped)
{
    struct ats_agent a;
    unsigned group;

    if (!begin_asking(&a, lab))
        return;
    group = group_of(&a.found);
    lab_set_cfg(lab, lab->ex, pri(lab, CONTROL), 2, 0);
    t_check(t, !(status(lab) & STOPPED), "Stopped is set while a request is outstanding");
    t_check(t, !ask(&a, &other), "a new Page Request is sent");
    ats_respond(&a, group, SUCCESS, 0);
    lab_run_us(lab, 100);
    t_check(t, status(lab) & STOPPED, "Stopped is clear when nothing is outstanding");
}

LAB_PROCEDURE(stopped_enabled)
{
    struct ats_agent a;

    if (!begin(&a, lab, 8))
        return;
    lab_set_cfg(lab, lab->ex, pri(lab, CONTROL), 2, 0);
    t_check(t, status(lab) & STOPPED, "Stopped is clear although nothing was asked for");
    lab_set_cfg(lab, lab->ex, pri(lab, CONTROL), 2, 1);
    t_check(t, !(status(lab) & STOPPED), "enabling it leaves Stopped set");
}

LAB_PROCEDURE(flags_cleared)
{
    struct ats_agent a;

    if (!begin_asking(&a, lab))
        return;
    ats_respond(&a, group_of(&a.found), FAILED, 0);
    lab_set_cfg(lab, lab->ex, pri(lab, CONTROL), 2, 0);
    t_check(t, status(lab) & FAILURE, "disabling it clears Response Failure");
    lab_run_us(lab, 100);
    lab_set_cfg(lab, lab->ex, pri(lab, CONTROL), 2, 1);
    t_check(t, !(status(lab) & (FAILURE | UNEXPECTED)), "Page Request Status is %04x", status(lab));
}

/* Reset while it is disabled forgets what is outstanding. */
LAB_PROCEDURE(reset)
{
    struct ats_agent a;

    if (!begin_asking(&a, lab))
        return;
    lab_set_cfg(lab, lab->ex, pri(lab, CONTROL), 2, 0);
    lab_set_cfg(lab, lab->ex, pri(lab, CONTROL), 2, 2);
    lab_run_us(lab, 100);
    t_check(t, status(lab) & STOPPED, "Stopped is clear");
    lab_set_cfg(lab, lab->ex, pri(lab, ALLOCATION), 4, 1);
    lab_set_cfg(lab, lab->ex, pri(lab, CONTROL), 2, 1);
    t_check(t, ask(&a, &other), "its credit is not there again");
}

LAB_PROCEDURE(reset_enabled)
{
    struct ats_agent a;
    unsigned group;

    if (!begin_asking(&a, lab))
        return;
    group = group_of(&a.found);
    lab_set_cfg(lab, lab->ex, pri(lab, CONTROL), 2, 3);
    ats_respond(&a, group, SUCCESS, 0);
    t_check(t, ats_next(&a, ATS_LOOKUP), "what was outstanding is forgotten");
    t_check(t, !(status(lab) & UNEXPECTED), "its response is unexpected");
}

LAB_PROCEDURE(flr)
{
    struct ats_agent a;

    if (!begin_asking(&a, lab))
        return;
    lab_change_cfg(lab, lab->ex, lab_pcie(lab, lab->ex, 8), 2, 0x8000, 0);
    lab_run_us(lab, 100000);
    t_check(t, !(lab_cfg(lab, lab->ex, pri(lab, CONTROL), 2) & 1), "Enable is set");
    t_check(t, lab_cfg(lab, lab->ex, pri(lab, ALLOCATION), 4) == 0, "the allocation is %u",
            lab_cfg(lab, lab->ex, pri(lab, ALLOCATION), 4));
    t_check(t, status(lab) == STOPPED, "Page Request Status is %04x", status(lab));
}

LAB_PROCEDURE(of_vf)
{
    struct ats_agent a;
    char *vf = lab_enable_vfs(lab, 2) ? lab_vf_name(lab, 0) : NULL;

    if (vf && ats_begin(&a, lab, vf)) {
        unsigned cap = lab_func(lab, lab->vf)->ext_pri;

        lab_set_cfg(lab, lab->vf, cap + ALLOCATION, 4, 8);
        lab_set_cfg(lab, lab->vf, cap + CONTROL, 2, 1);
        ats_enable(&a, true);
        t_check(t, ask(&a, &read64), "it sends no Page Request in its own name");
        ats_respond(&a, group_of(&a.found), SUCCESS, 0);
        t_check(t, ats_next(&a, ATS_LOOKUP), "it does not hear its response");
    }
    g_free(vf);
}

#define ACCESS(i, cmd, b, text)                                                                    \
    {                                                                                              \
        .id = "pri.request." i, .group = "pri", .document = CONFORM_PCIE, .section = "10.4.1",     \
        .needs = CONFORM_LAB, .procedure = rights, .param = &(const struct access_rule){cmd, b},   \
        .requirement = text                                                                        \
    }
#define FAILURE_ROW(i, c, text)                                                                    \
    {                                                                                              \
        .id = "pri.response." i, .group = "pri", .document = CONFORM_PCIE, .section = "10.4.2.1",  \
        .needs = CONFORM_LAB, .procedure = failure, .param = &(const unsigned){c},                 \
        .requirement = text                                                                        \
    }

static const struct conform_assertion rows[] = {
    LAB_RULE("disabled", "pri", "10.5.2.2", disabled,
             "Without Enable a function sends no Page Request."),
    LAB_RULE("not_needed", "pri", "10.4.1", not_needed,
             "For a page that is translated no Page Request is sent."),
    LAB_RULE("request.message", "pri", "10.4.1", message,
             "A Page Request is a message without data, routed to the root complex."),
    LAB_RULE("request.address", "pri", "10.4.1", address,
             "A Page Request has the address of the page that is missing."),
    LAB_RULE("request.last", "pri", "10.4.1", last,
             "A group of Page Requests has one that says to be its last."),
    ACCESS("read", EXERCISER_READ, 1, "The Page Request of a read asks for read access."),
    ACCESS("write", EXERCISER_WRITE, 2, "The Page Request of a write asks for write access."),
    ACCESS("atomic", EXERCISER_FETCHADD, 3,
           "The Page Request of an AtomicOp asks for read and write access."),
    LAB_RULE("request.group", "pri", "10.4.1", groups,
             "Groups that are outstanding at once have different indices."),
    LAB_RULE("allocation.limit", "pri", "10.5.2.5", allocation,
             "No more Page Requests are outstanding than Outstanding Page Request Allocation says, "
             "and a response makes room."),
    LAB_RULE("response.success", "pri", "10.4.2.1", success,
             "After Success the translation is asked for again and used."),
    LAB_RULE("response.invalid", "pri", "10.4.2.1", invalid,
             "After Invalid Request the page is not accessed, and the interface stays enabled."),
    FAILURE_ROW("failure", FAILED,
                "Response Failure is noted, and no Page Request is sent until it is enabled anew."),
    FAILURE_ROW("reserved_low", 2, "Response code 2h, which is not used, counts as a failure."),
    FAILURE_ROW("reserved_high", 14, "Response code Eh, which is not used, counts as a failure."),
    LAB_RULE("response.unexpected", "pri", "10.5.2.3", unexpected,
             "A response to a group that is not outstanding is noted, and changes nothing else."),
    LAB_RULE("response.twice", "pri", "10.5.2.3", twice,
             "A second response to a group is one to a group that is not outstanding."),
    LAB_RULE(
        "stopped.outstanding", "pri", "10.5.2.3", stopped,
        "Stopped is set once the interface is disabled and nothing is outstanding, and nothing "
        "new is asked for meanwhile."),
    LAB_RULE("stopped.enable", "pri", "10.5.2.3", stopped_enabled,
             "Stopped is set while the interface is disabled and was not used, and enabling it "
             "clears it."),
    LAB_RULE("control.enable.flags", "pri", "10.5.2.2", flags_cleared,
             "Enabling the interface clears the flags of its status."),
    LAB_RULE("control.reset.disabled", "pri", "10.5.2.2", reset,
             "Reset of a disabled interface forgets what is outstanding."),
    LAB_RULE("control.reset.enabled", "pri", "10.5.2.2", reset_enabled,
             "Reset does nothing while Enable is set."),
    LAB_RULE("flr", "pri", "6.6.2", flr,
             "A Function Level Reset disables the interface and stops it."),
    LAB_RULE("vf", "pri", "9.3.7", of_vf,
             "A Virtual Function sends Page Requests in its own name where its Physical Function's "
             "interface is enabled."),
};

ASSERTION_TABLE(assertions_pri, rows);
