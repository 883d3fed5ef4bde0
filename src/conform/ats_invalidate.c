/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Invalidations and their answers, and what Virtual Functions have of their own (PCIe Base 6.0,
 * 10.3, 9.3.7). */
#include "ats_agent.h"
#include "tables.h"

static const struct lab_dma read64 = {
    .command = EXERCISER_READ, .addr = ATS_IOVA + 0x240, .len = 64};

/* A translation that the function has and has used. False: it asks again at once, t is told. */
static bool cached(struct ats_agent *a, struct lab *lab, uint64_t bytes)
{
    if (!ats_begin_dma(a, lab, &read64))
        return false;
    ats_give(a, ats_range(ATS_PLACE, bytes, ATS_RW));
    ats_end(a, &read64);
    ats_start(a, &read64);
    if (ats_next(a, ATS_LOOKUP)) {
        t_skip(a->t, "the exerciser keeps no translations");
        return false;
    }
    ats_end(a, &read64);
    a->next = lab->seen->len;
    return true;
}

static uint64_t done_itags(const struct tlp *tlp)
{
    return tlp->msg_bytes_8_15 & 0xffffffff;
}

static unsigned done_count(const struct tlp *tlp)
{
    unsigned count = tlp->msg_bytes_8_15 >> 32 & 7;

    return count ? count : 8;
}

LAB_PROCEDURE(itag)
{
    const unsigned *itag = t->assertion->param;
    const struct tlp *tlp;
    struct ats_agent a;

    if (!cached(&a, lab, 0x1000))
        return;
    ats_invalidate(&a, *itag, ats_range(ATS_IOVA, 0x1000, 0), 0);
    tlp = ats_next(&a, ATS_DONE);
    t_check(t, tlp, "there is no Invalidate Completion");
    if (tlp)
        t_check(t, done_itags(tlp) == 1u << *itag, "the ITag Vector is %08x",
                (unsigned)done_itags(tlp));
}

LAB_PROCEDURE(addressee)
{
    const struct tlp *tlp;
    struct ats_agent a;

    if (!cached(&a, lab, 0x1000))
        return;
    ats_invalidate(&a, 3, ats_range(ATS_IOVA, 0x1000, 0), 0);
    tlp = ats_next(&a, ATS_DONE);
    t_check(t, tlp, "there is no Invalidate Completion");
    if (!tlp)
        return;
    t_check(t, tlp->type == TLP_MSG, "it has data");
    t_check(t, tlp->msg_routing == TLP_MSG_BY_ID, "its routing is %u", tlp->msg_routing);
    t_check(t, tlp->msg_bytes_8_15 >> 48 == 0 && tlp->dest.v == 0, "it is for %04x",
            (unsigned)(tlp->msg_bytes_8_15 >> 48));
}

/* As many messages as each of them says. */
LAB_PROCEDURE(count)
{
    unsigned said = 0, come = 0;
    struct ats_agent a;

    if (!cached(&a, lab, 0x1000))
        return;
    ats_invalidate(&a, 9, ats_range(ATS_IOVA, 0x1000, 0), 0);
    while (ats_next(&a, ATS_DONE)) {
        said = done_count(&a.found);
        come++;
    }
    t_check(t, come && come == said, "%u messages came, which say %u", come, said);
}

LAB_PROCEDURE(reserved)
{
    const struct tlp *tlp;
    struct ats_agent a;

    if (!cached(&a, lab, 0x1000))
        return;
    ats_invalidate(&a, 31, ats_range(ATS_IOVA, 0x1000, 0), 0);
    tlp = ats_next(&a, ATS_DONE);
    t_check(t, tlp && !(tlp->msg_bytes_8_15 & 0x0000fff800000000ull),
            "bytes 8 to 15 are %016" G_GINT64_MODIFIER "x", tlp ? tlp->msg_bytes_8_15 : 0);
}

/* What of the cached range an invalidation names, and that it is then asked for again. */
struct range_rule {
    uint64_t cached; /* bytes of the translation */
    uint64_t at;     /* of the invalidation, from ATS_IOVA */
    uint64_t bytes;  /* 0: everything */
};

LAB_PROCEDURE(range)
{
    const struct range_rule *rule = t->assertion->param;
    struct ats_agent a;

    if (!cached(&a, lab, rule->cached))
        return;
    ats_invalidate(&a, 5,
                   rule->bytes ? ats_range(ATS_IOVA + rule->at, rule->bytes, 0)
                               : 0x7ffffffffffff000ull | ATS_S,
                   0);
    t_check(t, ats_next(&a, ATS_DONE), "there is no Invalidate Completion");
    ats_start(&a, &read64);
    t_check(t, ats_next(&a, ATS_LOOKUP), "what was invalidated is used");
}

LAB_PROCEDURE(not_cached)
{
    struct ats_agent a;

    if (!ats_begin(&a, lab, lab->ex))
        return;
    ats_enable(&a, true);
    a.next = lab->seen->len;
    ats_invalidate(&a, 2, ats_range(ATS_IOVA + 0x100000, 0x1000, 0), 0);
    t_check(t, ats_next(&a, ATS_DONE), "there is no Invalidate Completion");
}

/* So many at once as Invalidate Queue Depth says: all are answered, each once. */
LAB_PROCEDURE(depth)
{
    uint32_t answered = 0, sent = 0;
    struct ats_agent a;
    unsigned many;

    if (!cached(&a, lab, 0x1000))
        return;
    many = lab_cfg(lab, lab->ex, lab_func(lab, lab->ex)->ext_ats + 4u, 2) & 0x1f;
    many = many ? many : 32;
    for (unsigned i = 0; i < many; i++) {
        sent |= 1u << i;
        ats_invalidate(&a, i, ats_range(ATS_IOVA + 0x1000 * i, 0x1000, 0), 0);
    }
    while (ats_next(&a, ATS_DONE)) {
        t_check(t, done_count(&a.found) > 1 || !(answered & done_itags(&a.found)),
                "an ITag of %08x is answered twice", (unsigned)done_itags(&a.found));
        answered |= (uint32_t)done_itags(&a.found);
    }
    t_check(t, answered == sent, "%08x are answered, not %08x", answered, sent);
}

static bool is_translated_read(void *opaque, const struct port *sender, const struct tlp *tlp)
{
    return tlp->at == TLP_AT_TRANSLATED;
}

/* A read by the translation that is not completed yet: neither is the invalidation. */
LAB_PROCEDURE(waits_for_reads)
{
    struct inject_rule hold = {.name = "hold",
                               .action = INJECT_DROP,
                               .match = {.types = BIT(TLP_MRD), .accepts = is_translated_read}};
    struct tlp *completion;
    struct ats_agent a;

    if (!cached(&a, lab, 0x1000))
        return;
    inject_add(lab->inject, &hold);
    ats_start(&a, &read64);
    if (!ats_next(&a, ATS_ACCESS) || a.found.at != TLP_AT_TRANSLATED) {
        t_fail(t, "the read does not go by the translation");
        return;
    }
    completion = tlp_new_completion(&a.found, (struct pci_rid){0}, TLP_SC, a.found.length_dw);
    ats_invalidate(&a, 7, ats_range(ATS_IOVA, 0x1000, 0), 0);
    t_check(t, !ats_next(&a, ATS_DONE),
            "it is answered while a read by the translation is under "
            "way");
    lab_send_down(lab, completion);
    t_check(t, ats_next(&a, ATS_DONE), "it is not answered when the read is over");
}

/* 10.3.6: the answer to a Translation Request may be of before an invalidation, whether the
 * function answers that at once or when its own request is over. */
LAB_PROCEDURE(stale)
{
    const struct tlp *tlp;
    struct ats_agent a;
    struct tlp asked;

    if (!ats_begin_dma(&a, lab, &read64))
        return;
    asked = a.found;
    ats_invalidate(&a, 4, ats_range(ATS_IOVA, 0x1000, 0), 0);
    a.found = asked;
    ats_give(&a, ats_range(ATS_PLACE, 0x1000, ATS_RW));
    t_check(t, ats_next(&a, ATS_DONE), "there is no Invalidate Completion");
    tlp = ats_next(&a, ATS_ACCESS);
    t_check(t, !tlp || tlp->at != TLP_AT_TRANSLATED, "the translation is used");
}

/* Virtual Functions. */

static char *first_vf(struct lab *lab)
{
    if (!lab_enable_vfs(lab, 2))
        return NULL;
    return lab_vf_name(lab, 0);
}

LAB_PROCEDURE(vf_own)
{
    struct ats_agent a, pf;
    char *vf = first_vf(lab);

    if (vf && ats_begin(&a, lab, vf) && ats_begin(&pf, lab, lab->vf)) {
        ats_enable(&pf, true);
        ats_enable(&a, false);
        ats_start(&a, &read64);
        t_check(t, !ats_next(&a, ATS_LOOKUP), "its Physical Function's ATS Enable enables it");
        ats_end(&a, &read64);
        ats_enable(&pf, false);
        ats_enable(&a, true);
        ats_start(&a, &read64);
        t_check(t, ats_next(&a, ATS_LOOKUP),
                "with ATS Enable of its own it sends no Translation Request in its own name");
    }
    g_free(vf);
}

LAB_PROCEDURE(vf_cache)
{
    struct ats_agent a, pf;
    char *vf = first_vf(lab);

    if (vf && ats_begin(&a, lab, vf) && ats_begin(&pf, lab, lab->vf)) {
        ats_enable(&pf, true);
        ats_enable(&a, true);
        ats_start(&a, &read64);
        t_check(t, ats_next(&a, ATS_LOOKUP), "there is no Translation Request");
        ats_give(&a, ats_range(ATS_PLACE, 0x1000, ATS_RW));
        ats_end(&a, &read64);
        ats_start(&pf, &read64);
        t_check(t, ats_next(&pf, ATS_LOOKUP),
                "the Physical Function uses a translation of its Virtual Function");
    }
    g_free(vf);
}

LAB_PROCEDURE(vf_invalidate)
{
    struct ats_agent a;
    char *vf = first_vf(lab);

    if (vf && ats_begin(&a, lab, vf)) {
        ats_enable(&a, true);
        a.next = lab->seen->len;
        ats_invalidate(&a, 6, ats_range(ATS_IOVA, 0x1000, 0), 0);
        t_check(t, ats_next(&a, ATS_DONE),
                "an Invalidate Request for a Virtual Function is not answered in its name");
    }
    g_free(vf);
}

#define RANGE(i, text, ...)                                                                        \
    {                                                                                              \
        .id = "ats.invalidate." i, .group = "ats", .document = CONFORM_PCIE, .section = "10.3.1",  \
        .needs = CONFORM_LAB, .procedure = range,                                                  \
        .param = &(const struct range_rule){__VA_ARGS__}, .requirement = text                      \
    }
#define ITAG(n)                                                                                    \
    {                                                                                              \
        .id = "ats.invalidate.itag_" #n, .group = "ats", .document = CONFORM_PCIE,                 \
        .section = "10.3.2", .needs = CONFORM_LAB, .procedure = itag,                              \
        .param = &(const unsigned){n},                                                             \
        .requirement = "An invalidation with ITag " #n " is answered by that bit of the vector "   \
                       "alone."                                                                    \
    }

static const struct conform_assertion rows[] = {
    ITAG(0),
    ITAG(1),
    ITAG(16),
    ITAG(31),
    LAB_RULE("invalidate.addressee", "ats", "10.3.2", addressee,
             "An Invalidate Completion is a message without data, routed by ID to who asked."),
    LAB_RULE("invalidate.count", "ats", "10.3.2", count,
             "As many Invalidate Completions come as their Completion Count says."),
    LAB_RULE("invalidate.reserved", "ats", "10.3.2", reserved,
             "Reserved bits of an Invalidate Completion are 0."),
    RANGE("page", "A page that was invalidated is asked for again.", 0x1000, 0, 0x1000),
    RANGE("within", "An invalidation of a page ends a larger translation that has it.", 0x10000, 0,
          0x1000),
    RANGE("other_part", "An invalidation of another page of a larger translation ends it, too.",
          0x10000, 0x8000, 0x1000),
    RANGE("8k", "An invalidation of 8 KiB ends the translation of a page in it.", 0x1000, 0,
          0x2000),
    RANGE("2m", "An invalidation of 2 MiB ends the translation of a page in it.", 0x1000, 0,
          0x200000),
    RANGE("1g", "An invalidation of 1 GiB ends the translation of a page in it.", 0x1000, 0,
          1ull << 30),
    RANGE("all", "An invalidation of everything ends all translations.", 0x1000, 0, 0),
    LAB_RULE("invalidate.unknown", "ats", "10.3.1", not_cached,
             "An invalidation of what the function has not is answered, too."),
    LAB_RULE("invalidate.depth", "ats", "10.3.5", depth,
             "So many invalidations as Invalidate Queue Depth says are taken at once, and each is "
             "answered."),
    LAB_RULE("invalidate.reads", "ats", "10.3.3", waits_for_reads,
             "An invalidation is answered when the reads by the translation are completed, and not "
             "before."),
    LAB_RULE("invalidate.stale", "ats", "10.3.6", stale,
             "A translation that was asked for before an invalidation is not used after it."),
    LAB_RULE("vf.enable", "ats", "9.3.7", vf_own,
             "A Virtual Function has an ATS Enable of its own, and asks in its own name."),
    LAB_RULE("vf.cache", "ats", "10.1.1", vf_cache,
             "A function does not use translations of another function."),
    LAB_RULE("vf.invalidate", "ats", "10.3.2", vf_invalidate,
             "A Virtual Function answers invalidations in its own name."),
};

ASSERTION_TABLE(assertions_ats_invalidate, rows);
