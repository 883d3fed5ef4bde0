/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a function asks a Translation Agent for, and what it does with the answer (PCIe Base 6.0,
 * 10.2). */
#include "ats_agent.h"
#include "tables.h"

static const struct lab_dma read64 = {
    .command = EXERCISER_READ, .addr = ATS_IOVA + 0x240, .len = 64};
static const struct lab_dma write64 = {
    .command = EXERCISER_WRITE, .addr = ATS_IOVA + 0x240, .len = 64};

LAB_PROCEDURE(disabled)
{
    struct ats_agent a;
    const struct tlp *tlp;

    if (!ats_begin(&a, lab, lab->ex))
        return;
    ats_enable(&a, false);
    ats_start(&a, &read64);
    tlp = ats_next(&a, ATS_ACCESS);
    t_check(t, !lab_count(lab, lab->ex, (uint32_t)BIT(TLP_MRD)) || (tlp && tlp->at == 0),
            "a request has Address Type %u", tlp ? tlp->at : 1);
    a.next = 0;
    t_check(t, !ats_next(&a, ATS_LOOKUP), "a Translation Request was sent");
    a.next = 0;
    t_check(t, ats_next(&a, ATS_ACCESS), "no request at all was sent");
}

/* Rules of the request itself. */

struct request_rule {
    bool (*right)(struct lab *lab, const struct tlp *tlp);
    bool write;
};

static bool right_address(struct lab *lab, const struct tlp *tlp)
{
    bool aligned = lab_cfg(lab, lab->ex, lab_func(lab, lab->ex)->ext_ats + 4u, 2) & 0x20;

    return tlp->addr == (aligned ? ATS_IOVA : (ATS_IOVA + 0x240));
}

static bool right_length(struct lab *lab, const struct tlp *tlp)
{
    return tlp->length_dw >= 2 && tlp->length_dw % 2 == 0;
}

static bool right_enables(struct lab *lab, const struct tlp *tlp)
{
    return tlp->first_be == 0xf && tlp->last_be == 0xf;
}

static bool right_attributes(struct lab *lab, const struct tlp *tlp)
{
    bool relaxed = lab_cfg(lab, lab->ex, lab_func(lab, lab->ex)->ext_ats + 4u, 2) & 0x80;

    return !(tlp->attr & TLP_ATTR_NO_SNOOP) && (relaxed || !(tlp->attr & TLP_ATTR_RELAXED));
}

static bool right_write(struct lab *lab, const struct tlp *tlp)
{
    return !tlp->nw;
}

static bool right_prefix(struct lab *lab, const struct tlp *tlp)
{
    return !tlp->prefix_count;
}

LAB_PROCEDURE(request)
{
    const struct request_rule *rule = t->assertion->param;
    struct lab_dma dma = rule->write ? write64 : read64;
    struct ats_agent a;

    lab_change_cfg(lab, lab->ex, lab_pcie(lab, lab->ex, 8), 2, 0x0810, 0);
    dma.attr = EXERCISER_ATTR_NO_SNOOP | EXERCISER_ATTR_RELAXED;
    if (ats_begin_dma(&a, lab, &dma))
        t_check(t, rule->right(lab, &a.found),
                "address %" G_GINT64_MODIFIER "x, %u doublewords, byte enables %x and %x, "
                "attributes %x, No Write %u, %u prefixes",
                a.found.addr, a.found.length_dw, a.found.first_be, a.found.last_be, a.found.attr,
                a.found.nw, a.found.prefix_count);
}

LAB_PROCEDURE(tags)
{
    struct lab_dma second = read64;
    struct ats_agent a;
    unsigned tag;

    second.channel = 1;
    second.addr += 0x100000;
    if (!ats_begin_dma(&a, lab, &read64))
        return;
    tag = a.found.tag;
    ats_start(&a, &second);
    if (!ats_next(&a, ATS_LOOKUP))
        t_skip(t, "the exerciser asks for one translation at a time");
    else
        t_check(t, a.found.tag != tag, "both have tag %u", tag);
}

/* Rules of what is done with the answer. */

struct answer_rule {
    unsigned bits;  /* of the translation */
    uint64_t bytes; /* of its range; 0: 4 KiB */
    uint8_t command, attr;
    /* What follows: nothing by a translated address, or an access with these. */
    bool none;
    uint8_t at;
};

static uint64_t expected_place(const struct answer_rule *rule, const struct lab_dma *dma)
{
    uint64_t bytes = rule->bytes ? rule->bytes : 0x1000;

    return rule->at == 2 ? (ATS_PLACE & ~(bytes - 1)) + (dma->addr & (bytes - 1)) : dma->addr;
}

LAB_PROCEDURE(answer)
{
    const struct answer_rule *rule = t->assertion->param;
    uint64_t bytes = rule->bytes ? rule->bytes : 0x1000;
    struct lab_dma dma = {
        .command = rule->command, .addr = ATS_IOVA + 0x240, .len = 64, .attr = rule->attr};
    const struct tlp *tlp;
    struct ats_agent a;

    /* AtomicOps and No Snoop are allowed; in the upper half of the range. */
    lab_change_cfg(lab, lab->ex, lab_pcie(lab, lab->ex, 0x28), 2, 0x40, 0);
    lab_change_cfg(lab, lab->ex, lab_pcie(lab, lab->ex, 8), 2, 0x0800, 0);
    if (rule->command >= EXERCISER_FETCHADD)
        dma.len = 4;
    if (bytes > 0x1000)
        dma.addr += bytes / 2;
    if (!ats_begin_dma(&a, lab, &dma))
        return;
    ats_give(&a, ats_range(ATS_PLACE, bytes, rule->bits));
    tlp = ats_next(&a, ATS_ACCESS);
    if (rule->none) {
        t_check(t, !tlp, "a request with Address Type %u follows", tlp->at);
        return;
    }
    t_check(t, tlp, "no request follows");
    if (!tlp)
        return;
    t_check(t, tlp->at == rule->at, "its Address Type is %u", tlp->at);
    t_check(t, tlp->addr == expected_place(rule, &dma),
            "it goes to %" G_GINT64_MODIFIER "x, not %" G_GINT64_MODIFIER "x", tlp->addr,
            expected_place(rule, &dma));
    t_check(t, !(rule->bits & ATS_N) || !(tlp->attr & TLP_ATTR_NO_SNOOP), "it has No Snoop");
}

LAB_PROCEDURE(refused)
{
    const enum tlp_status *status = t->assertion->param;
    const struct tlp *tlp;
    struct ats_agent a;

    if (!ats_begin_dma(&a, lab, &read64))
        return;
    ats_refuse(&a, *status);
    tlp = ats_next(&a, ATS_ACCESS);
    t_check(t, !tlp || tlp->at == 0, "a translated request follows");
    t_check(t, tlp || ats_end(&a, &read64) != 0, "the access is said to have succeeded");
}

/* 10.2.4: pages that follow one another, in one answer. */
static void multiple(struct conform_ctx *t, struct lab *lab, unsigned given)
{
    const uint64_t pages[2] = {ats_range(ATS_PLACE + 0x5000, 0x1000, ATS_RW),
                               ats_range(ATS_PLACE + 0x2000, 0x1000, ATS_RW)};
    struct lab_dma second = read64;
    const struct tlp *tlp;
    struct ats_agent a;

    second.addr += 0x1000;
    if (!ats_begin_dma(&a, lab, &read64))
        return;
    if (a.found.length_dw < 4) {
        t_skip(t, "the exerciser asks for one translation at a time");
        return;
    }
    ats_answer(&a, pages, given);
    tlp = ats_next(&a, ATS_ACCESS);
    t_check(t, tlp && tlp->at == 2 && tlp->addr == ATS_PLACE + 0x5240, "the first is not used");
    ats_end(&a, &read64);
    ats_start(&a, &second);
    tlp = ats_next(&a, ATS_ACCESS);
    if (given == 2)
        t_check(t, !tlp || tlp->at != 2 || tlp->addr == ATS_PLACE + 0x2240,
                "the second leads to %" G_GINT64_MODIFIER "x", tlp->addr);
    else
        t_check(t, !tlp, "what was not in the answer is used");
}

LAB_PROCEDURE(two_translations)
{
    multiple(t, lab, 2);
}

LAB_PROCEDURE(fewer_translations)
{
    multiple(t, lab, 1);
}

/* Ends of all translations but invalidation. */

static void flr(struct lab *lab)
{
    lab_change_cfg(lab, lab->ex, lab_pcie(lab, lab->ex, 8), 2, 0x8000, 0);
    lab_run_us(lab, 100000);
}

static void hot_reset(struct lab *lab)
{
    lab_change_cfg(lab, lab->above, 0x3e, 2, 0x40, 0);
    lab_run_us(lab, 2000);
    lab_change_cfg(lab, lab->above, 0x3e, 2, 0, 0x40);
    lab_run_us(lab, 200000);
}

static void disable(struct lab *lab)
{
    lab_change_cfg(lab, lab->ex, lab_func(lab, lab->ex)->ext_ats + 6u, 2, 0, 0x8000);
}

struct end_rule {
    void (*end)(struct lab *lab);
};

/* BARs and Command of a function that was reset. */
static void put_back(struct lab *lab, const uint32_t *header)
{
    for (unsigned at = 0x10; at < 0x28; at += 4)
        lab_set_cfg(lab, lab->ex, at, 4, header[at / 4]);
    lab_set_cfg(lab, lab->ex, 4, 2, header[1] & 0xffff);
}

LAB_PROCEDURE(forgotten)
{
    const struct end_rule *rule = t->assertion->param;
    uint32_t header[10];
    struct ats_agent a;

    for (unsigned i = 0; i < G_N_ELEMENTS(header); i++)
        header[i] = lab_cfg(lab, lab->ex, 4 * i, 4);
    if (!ats_begin_dma(&a, lab, &read64))
        return;
    ats_give(&a, ats_range(ATS_PLACE, 0x1000, ATS_RW));
    ats_end(&a, &read64);
    rule->end(lab);
    put_back(lab, header);
    ats_start(&a, &read64);
    t_check(t, !ats_next(&a, ATS_LOOKUP), "ATS is still enabled");
    ats_end(&a, &read64);
    ats_enable(&a, true);
    ats_start(&a, &read64);
    t_check(t, ats_next(&a, ATS_LOOKUP), "a translation from before is used");
}

#define REQUEST(i, sec, fn, wr, text)                                                              \
    {                                                                                              \
        .id = "ats.request." i, .group = "ats", .document = CONFORM_PCIE, .section = sec,          \
        .needs = CONFORM_LAB, .procedure = request,                                                \
        .param = &(const struct request_rule){.right = fn, .write = wr}, .requirement = text       \
    }
#define ANSWER(i, sec, text, ...)                                                                  \
    {                                                                                              \
        .id = "ats.answer." i, .group = "ats", .document = CONFORM_PCIE, .section = sec,           \
        .needs = CONFORM_LAB, .procedure = answer,                                                 \
        .param = &(const struct answer_rule){__VA_ARGS__}, .requirement = text                     \
    }
#define REFUSED(i, s, text)                                                                        \
    {                                                                                              \
        .id = "ats.answer." i, .group = "ats", .document = CONFORM_PCIE, .section = "10.2.3",      \
        .needs = CONFORM_LAB, .procedure = refused, .param = &(const enum tlp_status){s},          \
        .requirement = text                                                                        \
    }
#define FORGOTTEN(i, sec, fn, text)                                                                \
    {                                                                                              \
        .id = "ats.forgotten." i, .group = "ats", .document = CONFORM_PCIE, .section = sec,        \
        .needs = CONFORM_LAB, .procedure = forgotten, .param = &(const struct end_rule){fn},       \
        .requirement = text                                                                        \
    }

static const struct conform_assertion rows[] = {
    LAB_RULE("disabled", "ats", "10.5.1.3", disabled,
             "Without ATS Enable a function sends no Translation Request, and all its requests "
             "are untranslated."),
    REQUEST("address", "10.2.2.4", right_address, false,
            "With Page Aligned Request, a Translation Request has the address of a page."),
    REQUEST("length", "10.2.2.2", right_length, false,
            "The Length of a Translation Request is even and not 0."),
    REQUEST("enables", "10.2.2.2", right_enables, false,
            "All byte enables of a Translation Request are set."),
    REQUEST("attributes", "10.2.2.1", right_attributes, false,
            "A Translation Request has no No Snoop, and Relaxed Ordering only where the capability "
            "says so."),
    REQUEST("write", "10.2.2.5", right_write, true,
            "A Translation Request for a write has No Write clear."),
    REQUEST("prefix", "10.2.2.6", right_prefix, false,
            "A Translation Request of a function that has no PASID enabled has no prefix."),
    LAB_RULE("request.tag", "ats", "10.2.2.3", tags,
             "Translation Requests that are outstanding at once have different tags."),
    ANSWER("read", "10.2.1", "A read that was translated goes to the translated address, as such.",
           ATS_RW, 0, EXERCISER_READ, .at = 2),
    ANSWER("write", "10.2.1",
           "A write that was translated goes to the translated address, as such.", ATS_RW, 0,
           EXERCISER_WRITE, .at = 2),
    ANSWER("atomic", "10.2.1",
           "An AtomicOp that was translated goes to the translated address, as such.", ATS_RW, 0,
           EXERCISER_FETCHADD, .at = 2),
    ANSWER("8k", "10.2.3.2", "A translation of 8 KiB leads to its second page.", ATS_RW, 0x2000,
           EXERCISER_READ, .at = 2),
    ANSWER("16k", "10.2.3.2", "A translation of 16 KiB leads to its upper half.", ATS_RW, 0x4000,
           EXERCISER_READ, .at = 2),
    ANSWER("64k", "10.2.3.2", "A translation of 64 KiB leads to its upper half.", ATS_RW, 0x10000,
           EXERCISER_WRITE, .at = 2),
    ANSWER("2m", "10.2.3.2", "A translation of 2 MiB leads to its upper half.", ATS_RW, 0x200000,
           EXERCISER_READ, .at = 2),
    ANSWER("1g", "10.2.3.2", "A translation of 1 GiB leads to its upper half.", ATS_RW, 1ull << 30,
           EXERCISER_READ, .at = 2),
    ANSWER("512g", "10.2.3.2", "A translation of 512 GiB leads to its upper half.", ATS_RW,
           1ull << 39, EXERCISER_READ, .at = 2),
    ANSWER("none.read", "10.2.3.5", "Without R and W nothing is read by the translation.", 0, 0,
           EXERCISER_READ, .none = true),
    ANSWER("none.write", "10.2.3.5", "Without R and W nothing is written by the translation.", 0, 0,
           EXERCISER_WRITE, .none = true),
    ANSWER("read_only.read", "10.2.3.5", "With R alone a read goes by the translation.", ATS_R, 0,
           EXERCISER_READ, .at = 2),
    ANSWER("read_only.write", "10.2.3.5", "Without W nothing is written by the translation.", ATS_R,
           0, EXERCISER_WRITE, .none = true),
    ANSWER("read_only.atomic", "10.2.3.5", "Without W no AtomicOp goes by the translation.", ATS_R,
           0, EXERCISER_FETCHADD, .none = true),
    ANSWER("write_only.read", "10.2.3.5", "Without R nothing is read by the translation.", ATS_W, 0,
           EXERCISER_READ, .none = true),
    ANSWER("write_only.write", "10.2.3.5", "With W alone a write goes by the translation.", ATS_W,
           0, EXERCISER_WRITE, .at = 2),
    ANSWER("write_only.atomic", "10.2.3.5", "Without R no AtomicOp goes by the translation.", ATS_W,
           0, EXERCISER_FETCHADD, .none = true),
    ANSWER("untranslated.read", "10.2.3.4",
           "With U a read goes untranslated, to the address that was asked about.", ATS_RW | ATS_U,
           0, EXERCISER_READ, .at = 0),
    ANSWER("untranslated.write", "10.2.3.4",
           "With U a write goes untranslated, to the address that was asked about.", ATS_RW | ATS_U,
           0, EXERCISER_WRITE, .at = 0),
    ANSWER("snooped.read", "10.2.3.3", "With N a read by the translation has no No Snoop.",
           ATS_RW | ATS_N, 0, EXERCISER_READ, EXERCISER_ATTR_NO_SNOOP, .at = 2),
    ANSWER("snooped.write", "10.2.3.3", "With N a write by the translation has no No Snoop.",
           ATS_RW | ATS_N, 0, EXERCISER_WRITE, EXERCISER_ATTR_NO_SNOOP, .at = 2),
    REFUSED("unsupported", TLP_UR,
            "After a Translation Completion with Unsupported Request nothing goes translated."),
    REFUSED("abort", TLP_CA,
            "After a Translation Completion with Completer Abort nothing goes translated."),
    LAB_RULE("answer.two", "ats", "10.2.4", two_translations,
             "Translations of one completion are of ranges that follow one another."),
    LAB_RULE("answer.fewer", "ats", "10.2.4", fewer_translations,
             "A completion may have fewer translations than were asked for; the others are not "
             "known then."),
    FORGOTTEN("disable", "10.5.1.3", disable,
              "Clearing ATS Enable ends all translations of the function."),
    FORGOTTEN("flr", "10.3.7", flr, "A Function Level Reset ends all translations."),
    FORGOTTEN("hot_reset", "10.3.7", hot_reset, "A hot reset ends all translations."),
};

ASSERTION_TABLE(assertions_ats, rows);
