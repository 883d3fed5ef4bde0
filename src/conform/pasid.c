/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Process Address Space IDs on requests and on translations (PCIe Base 6.0, 6.20, 7.8.9, 10.2,
 * 10.3.8). */
#include "ats_agent.h"
#include "tables.h"

#define CAPABILITY 0x04
#define CONTROL    0x06

#define ENABLE     0x1
#define EXECUTE    0x2
#define PRIVILEGED 0x4

#define VALUE            0x12345
#define PREFIX_EXECUTE   0x100000
#define PREFIX_PRIVILEGE 0x200000

static const struct lab_dma read64 = {.command = EXERCISER_READ,
                                      .addr = ATS_IOVA + 0x240,
                                      .len = 64,
                                      .pasid = EXERCISER_PASID_VALID | VALUE};

/* False: it has none, t says so. */
static bool begin(struct ats_agent *a, struct lab *lab, unsigned control)
{
    unsigned cap = lab_func(lab, lab->ex)->ext_pasid;

    if (!ats_begin(a, lab, lab->ex))
        return false;
    if (!cap) {
        t_skip(a->t, "the exerciser has no PASID");
        return false;
    }
    if (control & ~ENABLE & ~lab_cfg(lab, lab->ex, cap + CAPABILITY, 2)) {
        t_skip(a->t, "the exerciser cannot do that");
        return false;
    }
    /* AtomicOps and Deferrable Memory Writes are allowed. */
    lab_change_cfg(lab, lab->ex, lab_pcie(lab, lab->ex, 0x28), 2, 0x40, 0);
    lab_set_cfg(lab, lab->ex, cap + CONTROL, 2, control);
    return true;
}

struct request_rule {
    unsigned control; /* what is enabled */
    unsigned command;
    uint32_t pasid; /* of the channel */
    bool none;      /* no request has any of these bits in a prefix; else one has this */
    uint32_t prefix;
};

/* Untranslated requests. */
LAB_PROCEDURE(request)
{
    const struct request_rule *rule = t->assertion->param;
    struct lab_dma dma = {.command = rule->command,
                          .addr = LAB_RAM + 0x40,
                          .len = 4,
                          .pasid = rule->pasid | EXERCISER_PASID_VALID};
    struct ats_agent a;

    if (!begin(&a, lab, rule->control))
        return;
    ats_start(&a, &dma);
    if (!ats_next(&a, ATS_ACCESS)) {
        t_check(t, rule->none, "no request was sent");
        return;
    }
    if (rule->none)
        t_check(t, !(ats_prefix(&a.found) & rule->prefix), "the prefix is %08x",
                ats_prefix(&a.found));
    else
        t_check(t, ats_prefix(&a.found) == rule->prefix, "the prefix is %08x, not %08x",
                ats_prefix(&a.found), rule->prefix);
}

LAB_PROCEDURE(once)
{
    unsigned found = 0;
    struct ats_agent a;

    if (!begin(&a, lab, ENABLE))
        return;
    ats_start(&a, &read64);
    if (!ats_next(&a, ATS_ACCESS)) {
        t_fail(t, "no request was sent");
        return;
    }
    for (unsigned i = 0; i < a.found.prefix_count; i++)
        found += a.found.prefix[i] >> 24 == 0x91;
    t_check(t, found == 1, "%u prefixes", found);
}

/* A number of more bits than Max PASID Width is not sent. */
LAB_PROCEDURE(width)
{
    struct lab_dma dma = read64;
    struct ats_agent a;
    unsigned bits;

    if (!begin(&a, lab, ENABLE))
        return;
    bits = lab_cfg(lab, lab->ex, lab_func(lab, lab->ex)->ext_pasid + CAPABILITY, 2) >> 8 & 0x1f;
    if (bits >= 20) {
        t_skip(t, "the exerciser supports all numbers");
        return;
    }
    dma.pasid = EXERCISER_PASID_VALID | 1u << bits;
    ats_start(&a, &dma);
    t_check(t, !ats_next(&a, ATS_ACCESS) || !(ats_prefix(&a.found) >> bits & 1),
            "the prefix is %08x", ats_prefix(&a.found));
}

LAB_PROCEDURE(interrupt)
{
    unsigned cap = lab_func(lab, lab->ex)->cap_msix;
    uint64_t table = lab_bar(lab, lab->ex, 2);
    struct ats_agent a;

    if (!begin(&a, lab, ENABLE))
        return;
    lab_write(lab, table, 4, LAB_RAM);
    lab_write(lab, table + 8, 4, 0xcafe);
    lab_write(lab, table + 12, 4, 0);
    lab_change_cfg(lab, lab->ex, cap + 2, 2, 0x8000, 0x4000);
    a.next = lab->seen->len;
    lab_ex_set(lab, lab->ex, EXERCISER_IRQ_TRIGGER, 4, 0);
    t_check(t, ats_next(&a, ATS_ACCESS), "no interrupt was sent");
    t_check(t, t_failed(t) || !a.found.prefix_count, "it has a prefix");
}

LAB_PROCEDURE(completion)
{
    const struct lab_seen *seen;
    struct ats_agent a;
    uint64_t value;

    if (!begin(&a, lab, ENABLE))
        return;
    lab_forget(lab);
    lab_read(lab, lab_bar(lab, lab->ex, 0), 4, &value);
    seen = lab_last(lab, lab->ex, (uint32_t)BIT(TLP_CPLD));
    t_check(t, seen && !seen->tlp.prefix_count, "it has a prefix, or there is none");
}

/* With translations. */

static bool begin_lookup(struct ats_agent *a, struct lab *lab, const struct lab_dma *dma,
                         unsigned control)
{
    if (!begin(a, lab, control))
        return false;
    ats_enable(a, true);
    ats_start(a, dma);
    t_check(a->t, ats_next(a, ATS_LOOKUP), "there is no Translation Request");
    return !t_failed(a->t);
}

LAB_PROCEDURE(lookup)
{
    struct ats_agent a;

    if (begin_lookup(&a, lab, &read64, ENABLE))
        t_check(t, ats_prefix(&a.found) == ATS_PASID(VALUE), "the prefix is %08x",
                ats_prefix(&a.found));
}

/* 6.20.1: unless Translated Requests with PASID Enable is set, which nothing sets here. */
LAB_PROCEDURE(translated)
{
    struct ats_agent a;

    if (!begin_lookup(&a, lab, &read64, ENABLE))
        return;
    ats_give(&a, ats_range(ATS_PLACE, 0x1000, ATS_RW));
    t_check(t, ats_next(&a, ATS_ACCESS) && a.found.at == TLP_AT_TRANSLATED,
            "no translated request follows");
    t_check(t, t_failed(t) || !ats_prefix(&a.found), "the prefix is %08x", ats_prefix(&a.found));
}

LAB_PROCEDURE(page_request)
{
    struct lab_dma dma = read64;
    unsigned pri = lab_func(lab, lab->ex)->ext_pri;
    struct ats_agent a;

    dma.attr |= EXERCISER_ATTR_PRI;
    if (!pri) {
        t_skip(t, "the exerciser has no Page Requests");
        return;
    }
    lab_set_cfg(lab, lab->ex, pri + 0x0c, 4, 8);
    lab_set_cfg(lab, lab->ex, pri + 4, 2, 1);
    if (!begin_lookup(&a, lab, &dma, ENABLE))
        return;
    ats_give(&a, 0);
    t_check(t, ats_next(&a, ATS_PAGE_REQUEST), "there is no Page Request");
    t_check(t, t_failed(t) || ats_prefix(&a.found) == ATS_PASID(VALUE), "the prefix is %08x",
            ats_prefix(&a.found));
    if (t_failed(t))
        return;
    ats_respond(&a, a.found.msg_bytes_8_15 >> 3 & 0x1ff, 0,
                lab_cfg(lab, lab->ex, pri + 6, 2) & 0x8000 ? ATS_PASID(VALUE) : 0);
    t_check(t, ats_next(&a, ATS_LOOKUP), "its response is not heard");
}

LAB_PROCEDURE(stop_marker)
{
    struct lab_dma dma = {.command = EXERCISER_STOP_PASID, .pasid = read64.pasid};
    unsigned pri = lab_func(lab, lab->ex)->ext_pri;
    struct ats_agent a;

    if (!begin(&a, lab, ENABLE) || !pri)
        return;
    lab_set_cfg(lab, lab->ex, pri + 0x0c, 4, 8);
    lab_set_cfg(lab, lab->ex, pri + 4, 2, 1);
    ats_start(&a, &dma);
    if (!ats_next(&a, ATS_PAGE_REQUEST)) {
        t_skip(t, "the exerciser sends no Stop Marker");
        return;
    }
    t_check(t, ats_prefix(&a.found) == ATS_PASID(VALUE), "the prefix is %08x",
            ats_prefix(&a.found));
    t_check(t, (a.found.msg_bytes_8_15 & 7) == 4, "L, W and R are %u",
            (unsigned)a.found.msg_bytes_8_15 & 7);
}

/* A translation of one process, and what another may do with it. */
LAB_PROCEDURE(apart)
{
    struct lab_dma second = read64;
    struct ats_agent a;

    if (!begin_lookup(&a, lab, &read64, ENABLE))
        return;
    ats_give(&a, ats_range(ATS_PLACE, 0x1000, ATS_RW));
    ats_end(&a, &read64);
    second.pasid ^= 1;
    ats_start(&a, &second);
    t_check(t, ats_next(&a, ATS_LOOKUP), "another process uses its translation");
    ats_refuse(&a, TLP_UR);
    ats_end(&a, &second);
    second.pasid = 0;
    ats_start(&a, &second);
    t_check(t, ats_next(&a, ATS_LOOKUP), "a request without a PASID uses its translation");
}

struct invalidate_rule {
    uint32_t prefix;
    unsigned bits; /* of the range */
    bool global;   /* the capability must have it */
};

LAB_PROCEDURE(invalidate)
{
    const struct invalidate_rule *rule = t->assertion->param;
    struct ats_agent a;

    if (!begin_lookup(&a, lab, &read64, ENABLE))
        return;
    if (rule->global && !(lab_cfg(lab, lab->ex, lab_func(lab, lab->ex)->ext_ats + 4u, 2) & 0x40)) {
        t_skip(t, "the exerciser has no Global Invalidate");
        return;
    }
    ats_give(&a, ats_range(ATS_PLACE, 0x1000, ATS_RW));
    ats_end(&a, &read64);
    ats_invalidate(&a, 1, ats_range(ATS_IOVA, 0x1000, rule->bits), rule->prefix);
    t_check(t, ats_next(&a, ATS_DONE), "there is no Invalidate Completion");
    ats_start(&a, &read64);
    t_check(t, ats_next(&a, ATS_LOOKUP), "the translation is used");
}

struct permission_rule {
    uint32_t pasid; /* flags of the channel */
    unsigned control, bits;
    bool goes;
};

LAB_PROCEDURE(permission)
{
    const struct permission_rule *rule = t->assertion->param;
    struct lab_dma dma = read64;
    struct ats_agent a;
    bool went;

    dma.pasid |= rule->pasid;
    if (!begin_lookup(&a, lab, &dma, rule->control))
        return;
    ats_give(&a, ats_range(ATS_PLACE, 0x1000, rule->bits));
    went = ats_next(&a, ATS_ACCESS) != NULL;
    t_check(t, went == rule->goes, "%s access follows", went ? "an" : "no");
}

LAB_PROCEDURE(of_vf)
{
    const struct lab_dma dma = {.command = EXERCISER_READ,
                                .addr = LAB_RAM + 0x40,
                                .len = 4,
                                .pasid = EXERCISER_PASID_VALID | VALUE};
    char *vf = lab_enable_vfs(lab, 2) ? lab_vf_name(lab, 0) : NULL;
    struct ats_agent a;

    if (vf && ats_begin(&a, lab, vf)) {
        unsigned control = lab_func(lab, lab->vf)->ext_pasid + CONTROL;

        lab_set_cfg(lab, lab->vf, control, 2, 0);
        ats_start(&a, &dma);
        t_check(t, !ats_next(&a, ATS_ACCESS) || !ats_prefix(&a.found), "it is not enabled");
        ats_end(&a, &dma);
        lab_set_cfg(lab, lab->vf, control, 2, ENABLE);
        ats_start(&a, &dma);
        t_check(t, ats_next(&a, ATS_ACCESS) && ats_prefix(&a.found) == ATS_PASID(VALUE),
                "it does not use the PASID");
    }
    g_free(vf);
}

#define ROW(i, sec, fn, type, text, ...)                                                           \
    {                                                                                              \
        .id = "pasid." i, .group = "pasid", .document = CONFORM_PCIE, .section = sec,              \
        .needs = CONFORM_LAB, .procedure = fn, .param = &(const struct type){__VA_ARGS__},         \
        .requirement = text                                                                        \
    }

static const struct conform_assertion rows[] = {
    ROW("request.read", "6.20.1", request, request_rule,
        "A read of a process has its PASID in a prefix.", ENABLE, EXERCISER_READ, VALUE, false,
        ATS_PASID(VALUE)),
    ROW("request.write", "6.20.1", request, request_rule,
        "A write of a process has its PASID in a prefix.", ENABLE, EXERCISER_WRITE, VALUE, false,
        ATS_PASID(VALUE)),
    ROW("request.atomic", "6.20.1", request, request_rule,
        "An AtomicOp of a process has its PASID in a prefix.", ENABLE, EXERCISER_FETCHADD, VALUE,
        false, ATS_PASID(VALUE)),
    ROW("request.zero", "6.20.1", request, request_rule, "PASID 0 is one like any other.", ENABLE,
        EXERCISER_READ, 0, false, ATS_PASID(0)),
    ROW("request.highest", "6.20.1", request, request_rule, "The PASID of a prefix has 20 bits.",
        ENABLE, EXERCISER_READ, 0xfffff, false, ATS_PASID(0xfffff)),
    ROW("disabled.read", "7.8.9.3", request, request_rule,
        "Without PASID Enable no read has a PASID.", 0, EXERCISER_READ, VALUE, true, ~0u),
    ROW("disabled.write", "7.8.9.3", request, request_rule,
        "Without PASID Enable no write has a PASID.", 0, EXERCISER_WRITE, VALUE, true, ~0u),
    ROW("execute.enabled", "6.20.1", request, request_rule,
        "Execute Requested is bit 20 of the prefix.", ENABLE | EXECUTE, EXERCISER_READ,
        VALUE | EXERCISER_PASID_EXECUTE, false, ATS_PASID(VALUE | PREFIX_EXECUTE)),
    ROW("execute.disabled", "7.8.9.3", request, request_rule,
        "Without Execute Permission Enable nothing is sent with Execute Requested.", ENABLE,
        EXERCISER_READ, VALUE | EXERCISER_PASID_EXECUTE, true, PREFIX_EXECUTE),
    ROW("privileged.enabled", "6.20.1", request, request_rule,
        "Privileged Mode Requested is bit 21 of the prefix.", ENABLE | PRIVILEGED, EXERCISER_WRITE,
        VALUE | EXERCISER_PASID_PRIVILEGED, false, ATS_PASID(VALUE | PREFIX_PRIVILEGE)),
    ROW("privileged.disabled", "7.8.9.3", request, request_rule,
        "Without Privileged Mode Enable nothing is sent with Privileged Mode Requested.", ENABLE,
        EXERCISER_READ, VALUE | EXERCISER_PASID_PRIVILEGED, true, PREFIX_PRIVILEGE),
    LAB_RULE("request.once", "pasid", "6.20.1", once, "A request has at most one PASID prefix."),
    LAB_RULE("width", "pasid", "7.8.9.2", width,
             "No PASID of more bits than Max PASID Width is sent."),
    LAB_RULE("interrupt", "pasid", "6.20.1", interrupt, "Interrupts have no PASID."),
    LAB_RULE("completion", "pasid", "6.20.1", completion, "Completions have no PASID."),
    LAB_RULE("lookup", "pasid", "10.2.2.6", lookup,
             "A Translation Request for a process has its PASID."),
    LAB_RULE("translated", "pasid", "6.20.1", translated,
             "Translated requests have no PASID where that is not enabled for them."),
    LAB_RULE("page_request", "pasid", "10.4.1.1", page_request,
             "A Page Request for a process has its PASID, and is answered with it where PRG "
             "Response PASID Required is set."),
    LAB_RULE("stop_marker", "pasid", "10.4.1.2.1", stop_marker,
             "A Stop Marker has a PASID and is a last request for no access."),
    LAB_RULE("apart", "pasid", "10.2.3.8", apart,
             "A translation of one process that is not global is used for no other, and not "
             "without a PASID."),
    ROW("invalidate.own", "10.3.8", invalidate, invalidate_rule,
        "An invalidation with a PASID ends that process's translation.", ATS_PASID(VALUE)),
    ROW("invalidate.global", "10.3.8", invalidate, invalidate_rule,
        "An invalidation with Global Invalidate ends the translations of all processes.",
        ATS_PASID(VALUE ^ 1), 1, .global = true),
    ROW("permission.execute", "10.2.3.6", permission, permission_rule,
        "With Exe what asks for execution goes by the translation.", EXERCISER_PASID_EXECUTE,
        ENABLE | EXECUTE, ATS_R | ATS_EXE, true),
    ROW("permission.no_execute", "10.2.3.6", permission, permission_rule,
        "Without Exe nothing that asks for execution goes by the translation.",
        EXERCISER_PASID_EXECUTE, ENABLE | EXECUTE, ATS_R, false),
    ROW("permission.read", "10.2.3.6", permission, permission_rule,
        "Without Exe a read that does not ask for execution goes by the translation.", 0,
        ENABLE | EXECUTE, ATS_R, true),
    LAB_RULE("vf", "pasid", "9.3.7", of_vf,
             "A Virtual Function uses PASIDs where its Physical Function has them enabled."),
};

ASSERTION_TABLE(assertions_pasid, rows);
