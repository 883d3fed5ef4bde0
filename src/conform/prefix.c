/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What goes with a request: attributes, end-end prefixes, digests (PCIe Base 6.0, 2.2.6, 2.2.10,
 * 2.7). */
#include <string.h>

#include "lab.h"
#include "pcilab/platform/probe.h"
#include "tables.h"

#define DEVCTL  0x08
#define DEVCAP2 0x24
#define DEVCTL2 0x28

#define UNCOR_STATUS   0x04
#define AER_CONTROL    0x18
#define PREFIX_LOG     0x38
#define ECRC_GENERATE  0x40u
#define ECRC_CHECK     0x100u
#define UNCOR_ECRC     (1u << 19)
#define UNCOR_UR       (1u << 20)
#define UNCOR_BLOCKED  (1u << 25)
#define UNCOR_MALFORM  (1u << 18)
#define PREFIX_PRESENT 0x800u

static const struct lab_dma write4 = {.command = EXERCISER_WRITE, .addr = LAB_RAM, .len = 4};

/* The upstream port of the switch above ex; NULL: there is none, t says so. */
static char *switch_above(struct lab *lab)
{
    const char *dot = strchr(lab->above, '.');

    if (!dot)
        t_skip(lab->t, "the exerciser is not below a switch");
    return dot ? g_strndup(lab->above, (gsize)(dot - lab->above)) : NULL;
}

/* Attributes that software has not allowed. */

struct attribute_rule {
    unsigned reg, enable; /* in the PCI Express capability */
    uint8_t attr;         /* of the channel and of TLPs alike */
};

LAB_PROCEDURE(attribute)
{
    const struct attribute_rule *rule = t->assertion->param;
    struct lab_dma dma = write4;
    const struct lab_seen *seen;

    dma.attr = rule->attr;
    lab_change_cfg(lab, lab->ex, lab_pcie(lab, lab->ex, rule->reg), 2, 0, rule->enable);
    lab_dma(lab, lab->ex, &dma);
    seen = lab_last(lab, lab->ex, (uint32_t)BIT(TLP_MWR));
    t_check(t, seen, "nothing was sent");
    t_check(t, !seen || !(seen->tlp.attr & rule->attr), "it is sent with attributes %x",
            seen->tlp.attr);
}

/* 7.5.3.4: without Extended Tag Field Enable, and without larger ones. */
LAB_PROCEDURE(tags)
{
    const struct lab_dma dma = {.command = EXERCISER_READ, .addr = LAB_RAM, .len = 8192};
    unsigned found = 0;

    lab_change_cfg(lab, lab->ex, lab_pcie(lab, lab->ex, DEVCTL), 2, 0, 0x7100);
    lab_change_cfg(lab, lab->ex, lab_pcie(lab, lab->ex, DEVCTL2), 2, 0, 0x1000);
    lab_dma(lab, lab->ex, &dma);
    for (unsigned i = 0; i < lab->seen->len; i++) {
        const struct lab_seen *seen = &g_array_index(lab->seen, struct lab_seen, i);

        if (seen->tlp.type != TLP_MRD || seen->sender != machine_port(lab->machine, lab->ex))
            continue;
        found++;
        t_check(t, seen->tlp.tag < 32, "a request has tag %u", seen->tlp.tag);
    }
    t_check(t, found >= 64, "%u requests were sent", found);
}

/* End-end prefixes. */

LAB_PROCEDURE(forwarded)
{
    const unsigned *count = t->assertion->param;
    struct lab_dma dma = write4;
    const struct lab_seen *sent, *passed;
    char *sw = switch_above(lab);

    if (!sw)
        return;
    dma.attr = *count << 16;
    if (lab_cfg(lab, sw, lab_pcie(lab, sw, DEVCAP2), 4) & 1u << 21) {
        lab_dma(lab, lab->ex, &dma);
        sent = lab_last(lab, lab->ex, (uint32_t)BIT(TLP_MWR));
        passed = lab_last(lab, sw, (uint32_t)BIT(TLP_MWR));
        t_check(t, sent && sent->tlp.prefix_count == *count, "it is not sent with %u", *count);
        t_check(t, passed, "it is not forwarded");
        t_check(t,
                !passed || !sent ||
                    (passed->tlp.prefix_count == *count &&
                     !memcmp(passed->tlp.prefix, sent->tlp.prefix, 4 * *count)),
                "its prefixes are others behind the switch");
    } else {
        t_skip(t, "the switch supports no end-end prefixes");
    }
    g_free(sw);
}

struct blocked_rule {
    unsigned command;
    bool plain; /* without a prefix, it is not concerned */
};

LAB_PROCEDURE(blocked)
{
    const struct blocked_rule *rule = t->assertion->param;
    struct lab_dma dma = {
        .command = rule->command, .addr = LAB_RAM, .len = 4, .attr = rule->plain ? 0 : 0x10000};
    char *sw = switch_above(lab);
    unsigned result;
    uint32_t uncor;

    if (!sw)
        return;
    lab_report_errors(lab);
    lab_change_cfg(lab, sw, lab_pcie(lab, sw, DEVCTL2), 2, 0x8000, 0);
    result = lab_dma(lab, lab->ex, &dma);
    uncor = lab_cfg(lab, sw, lab_aer(lab, sw, UNCOR_STATUS), 4);
    if (rule->plain) {
        t_check(t, result == 0 && !(uncor & UNCOR_BLOCKED), "what has no prefix is blocked");
    } else {
        t_check(t, !lab_count(lab, sw, (uint32_t)(BIT(TLP_MWR) | BIT(TLP_MRD))),
                "it was forwarded");
        t_check(t, uncor & UNCOR_BLOCKED, "Uncorrectable Error Status is %08x", uncor);
        t_check(t, rule->command == EXERCISER_WRITE || result == 1,
                "result %u, not Unsupported Request", result);
    }
    g_free(sw);
}

LAB_PROCEDURE(too_many)
{
    struct tlp *tlp = lab_tlp(lab, TLP_MWR, 1);
    uint32_t uncor;

    lab_report_errors(lab);
    tlp_set_span(tlp, LAB_RAM, 4);
    while (tlp->prefix_count < 5)
        tlp->prefix[tlp->prefix_count++] = 0x9e000000;
    lab_send_up(lab, tlp);
    uncor = lab_cfg(lab, lab->above, lab_aer(lab, lab->above, UNCOR_STATUS), 4);
    t_check(t, uncor & UNCOR_MALFORM, "Uncorrectable Error Status is %08x", uncor);
    t_check(t, !lab_count(lab, NULL, (uint32_t)BIT(TLP_MWR)), "it was forwarded");
}

LAB_PROCEDURE(logged)
{
    unsigned control = lab_aer(lab, lab->root, AER_CONTROL);
    struct tlp *tlp = lab_tlp(lab, TLP_MWR, 1);

    lab_report_errors(lab);
    tlp_set_span(tlp, 0x7f000000, 4);
    tlp_add_prefix(tlp, 0x9e123456);
    lab_send_up(lab, tlp);
    if (!(lab_cfg(lab, lab->root, lab_aer(lab, lab->root, UNCOR_STATUS), 4) & UNCOR_UR)) {
        t_skip(t, "something claims the address that nothing should");
        return;
    }
    t_check(t, lab_cfg(lab, lab->root, control, 4) & PREFIX_PRESENT,
            "TLP Prefix Log Present is clear");
    t_check(t, lab_cfg(lab, lab->root, lab_aer(lab, lab->root, PREFIX_LOG), 4) == 0x9e123456,
            "the TLP Prefix Log has %08x",
            lab_cfg(lab, lab->root, lab_aer(lab, lab->root, PREFIX_LOG), 4));
}

/* Digests. */

LAB_PROCEDURE(generate)
{
    const bool *enabled = t->assertion->param;
    const struct lab_seen *request, *completion;
    uint64_t value;

    if (!(lab_cfg(lab, lab->ex, lab_aer(lab, lab->ex, AER_CONTROL), 4) & 0x20)) {
        t_skip(t, "the exerciser does not generate ECRC");
        return;
    }
    lab_change_cfg(lab, lab->ex, lab_aer(lab, lab->ex, AER_CONTROL), 4,
                   *enabled ? ECRC_GENERATE : 0, ECRC_GENERATE);
    lab_dma(lab, lab->ex, &write4);
    request = lab_last(lab, lab->ex, (uint32_t)BIT(TLP_MWR));
    lab_read(lab, lab_bar(lab, lab->ex, 0), 4, &value);
    completion = lab_last(lab, lab->ex, (uint32_t)BIT(TLP_CPLD));
    t_check(t, request && request->tlp.td == *enabled, "a write has TD %u", !*enabled);
    t_check(t, completion && completion->tlp.td == *enabled, "a completion has TD %u", !*enabled);
}

struct check_rule {
    bool check, bad, logged;
};

LAB_PROCEDURE(check)
{
    const struct check_rule *rule = t->assertion->param;
    struct lab_dma dma = write4;
    uint32_t uncor;

    lab_report_errors(lab);
    lab_change_cfg(lab, lab->root, lab_aer(lab, lab->root, AER_CONTROL), 4,
                   rule->check ? ECRC_CHECK : 0, ECRC_CHECK);
    lab_change_cfg(lab, lab->ex, lab_aer(lab, lab->ex, AER_CONTROL), 4, ECRC_GENERATE, 0);
    dma.attr = rule->bad ? EXERCISER_ATTR_BAD_ECRC : 0;
    lab_dma(lab, lab->ex, &dma);
    lab_run_us(lab, 10);
    uncor = lab_cfg(lab, lab->root, lab_aer(lab, lab->root, UNCOR_STATUS), 4);
    t_check(t, !(uncor & UNCOR_ECRC) == !rule->logged, "Uncorrectable Error Status is %08x", uncor);
}

LAB_PROCEDURE(digest_forwarded)
{
    const struct lab_seen *sent, *passed;
    struct lab_dma dma = write4;
    char *sw = switch_above(lab);

    if (!sw)
        return;
    dma.attr = EXERCISER_ATTR_BAD_ECRC;
    lab_dma(lab, lab->ex, &dma);
    sent = lab_last(lab, lab->ex, (uint32_t)BIT(TLP_MWR));
    passed = lab_last(lab, sw, (uint32_t)BIT(TLP_MWR));
    t_check(t, sent && sent->tlp.td, "it is not sent with a digest");
    t_check(t, passed, "it is not forwarded");
    t_check(t, !sent || !passed || (passed->tlp.td && passed->tlp.ecrc == sent->tlp.ecrc),
            "its digest is another behind the switch");
    g_free(sw);
}

#define ATTRIBUTE(i, sec, r, e, a, text)                                                           \
    {                                                                                              \
        .id = "request." i, .group = "request", .document = CONFORM_PCIE, .section = sec,          \
        .needs = CONFORM_LAB, .procedure = attribute,                                              \
        .param = &(const struct attribute_rule){r, e, a}, .requirement = text                      \
    }
#define WITH(i, sec, fn, p, text)                                                                  \
    {                                                                                              \
        .id = i, .group = "prefix", .document = CONFORM_PCIE, .section = sec,                      \
        .needs = CONFORM_LAB, .procedure = fn, .param = p, .requirement = text                     \
    }
#define FORWARDED(n, words)                                                                        \
    WITH("prefix.forwarded_" #n, "2.2.10.4", forwarded, (&(const unsigned){n}),                    \
         "A switch forwards a TLP with " words " as it came.")
#define CHECK(i, text, ...)                                                                        \
    WITH("ecrc.check." i, "2.7.1", check, (&(const struct check_rule){__VA_ARGS__}), text)

static const struct conform_assertion rows[] = {
    ATTRIBUTE("no_snoop", "7.5.3.4", DEVCTL, 0x0800, TLP_ATTR_NO_SNOOP,
              "Without Enable No Snoop no request has No Snoop."),
    ATTRIBUTE("relaxed", "7.5.3.4", DEVCTL, 0x0010, TLP_ATTR_RELAXED,
              "Without Enable Relaxed Ordering no request has Relaxed Ordering."),
    ATTRIBUTE("ido", "7.5.3.16", DEVCTL2, 0x0100, TLP_ATTR_IDO,
              "Without IDO Request Enable no request has ID-Based Ordering."),
    LAB_RULE("small_tags", "request", "7.5.3.4", tags,
             "Without Extended Tag Field Enable no tag is above 31."),
    FORWARDED(1, "an end-end prefix"),
    FORWARDED(2, "two end-end prefixes"),
    FORWARDED(3, "three end-end prefixes"),
    FORWARDED(4, "four end-end prefixes"),
    WITH("prefix.blocked.write", "7.5.3.16", blocked,
         (&(const struct blocked_rule){EXERCISER_WRITE, false}),
         "End-End TLP Prefix Blocking stops a write with a prefix, and logs it."),
    WITH("prefix.blocked.read", "7.5.3.16", blocked,
         (&(const struct blocked_rule){EXERCISER_READ, false}),
         "End-End TLP Prefix Blocking answers a read with a prefix as unsupported, and logs it."),
    WITH("prefix.blocked.plain", "7.5.3.16", blocked,
         (&(const struct blocked_rule){EXERCISER_READ, true}),
         "End-End TLP Prefix Blocking lets pass what has no prefix."),
    WITH("prefix.too_many", "2.2.10.4", too_many, NULL,
         "A TLP with more than four end-end prefixes is malformed."),
    WITH("prefix.log", "7.8.4.12", logged, NULL,
         "The TLP Prefix Log has the prefixes of the TLP in the Header Log."),
    WITH("ecrc.generate.on", "7.8.4.7", generate, (&(const bool){true}),
         "With ECRC Generation Enable requests and completions have a digest."),
    WITH("ecrc.generate.off", "7.8.4.7", generate, (&(const bool){false}),
         "Without ECRC Generation Enable nothing has a digest."),
    CHECK("bad", "With ECRC Check Enable a digest that is wrong is logged.", true, true, true),
    CHECK("good", "With ECRC Check Enable nothing is logged of a digest that is right.", true,
          false, false),
    CHECK("off", "Without ECRC Check Enable nothing is logged of a digest.", false, true, false),
    WITH("ecrc.forwarded", "2.7.1", digest_forwarded, NULL,
         "A switch forwards a digest as it came, right or wrong."),
};

ASSERTION_TABLE(assertions_prefix, rows);
