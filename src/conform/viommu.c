/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests to a virtio-iommu (VIRTIO 1.3, 5.13.6): one after the other, with the status that each
 * is answered with, and what becomes of an access afterwards.
 */
#include "lab_viommu.h"
#include "pcilab/base/le.h"
#include "tables.h"

#define STEPS 6

enum outcome { NO_ACCESS, ARRIVES, FAULTS };

struct step {
    uint8_t type; /* VI_*; 0: no more */
    uint8_t status;
    uint32_t domain;
    uint64_t first, last, output; /* attach, detach, probe: `first` is the endpoint */
    uint32_t flags;
};

struct script {
    struct step step[STEPS];
    uint64_t features; /* that it takes */
    /* An access afterwards. */
    uint8_t access; /* enum outcome */
    bool write;
    uint64_t addr, out; /* where it goes, and gets */
    uint8_t reason;     /* of the event */
};

static struct vilab_request encode(const struct vilab *v, const struct step *step)
{
    uint32_t endpoint = step->first == VI_ENDPOINT ? v->rid
                        : step->first == VI_OTHER  ? lab_func(v->lab, v->lab->root)->rid.v
                                                   : (uint32_t)step->first;
    struct vilab_request r = {.in = {step->type}, .out_bytes = 4};
    bool range = step->type == VI_MAP || step->type == VI_UNMAP;

    le32_store(r.in + 4, step->type == VI_PROBE ? endpoint : step->domain);
    if (range) {
        le64_store(r.in + 8, step->first);
        le64_store(r.in + 16, step->last);
    } else if (step->type != VI_PROBE) {
        le32_store(r.in + 8, endpoint);
    }
    switch (step->type) {
    case VI_MAP:
        le64_store(r.in + 24, step->output);
        le32_store(r.in + 32, step->flags);
        r.in_bytes = 36;
        break;
    case VI_UNMAP: r.in_bytes = 28; break;
    case VI_PROBE:
        r.in_bytes = 72;
        r.out_bytes = 516;
        break;
    default:
        le32_store(r.in + 12, step->flags);
        le32_store(r.in + 16, (uint32_t)step->output); /* reserved */
        r.in_bytes = 20;
        break;
    }
    return r;
}

static void check_event(struct vilab *v, const struct script *s)
{
    struct conform_ctx *t = v->t;
    uint8_t event[24];

    if (!vilab_event(v, event)) {
        t_fail(t, "no event is reported");
        return;
    }
    t_check(t, event[0] == s->reason, "its reason is %u, not %u", event[0], s->reason);
    t_check(t, (le32_load(event + 4) & 3) == (s->write ? 2 : 1), "its flags are %x",
            le32_load(event + 4));
    t_check(t, le32_load(event + 8) == v->rid, "its endpoint is %x, not %x", le32_load(event + 8),
            v->rid);
    t_check(t, !(le32_load(event + 4) & 0x100) || le64_load(event + 16) == s->addr,
            "its address is %" G_GINT64_MODIFIER "x", le64_load(event + 16));
}

static void judge(struct vilab *v, const struct script *s)
{
    struct conform_ctx *t = v->t;
    bool arrives;

    for (unsigned i = 0; i < STEPS && s->step[i].type; i++) {
        struct vilab_request r = encode(v, &s->step[i]);
        unsigned used, status = vilab_send(v, &r, &used);

        t_check(t, status == s->step[i].status, "request %u is answered with %u, not %u", i + 1,
                status, s->step[i].status);
    }
    if (s->access == NO_ACCESS || t_failed(t))
        return;
    arrives = vilab_reaches(v, s->addr, s->write, s->out);
    t_check(t, arrives == (s->access == ARRIVES),
            arrives ? "the access gets through" : "the access does not get through");
    if (s->access == FAULTS)
        check_event(v, s);
}

static void script(struct conform_ctx *t)
{
    const struct script *s = t->assertion->param;
    uint64_t needed = s->features | VI_F_MAP_UNMAP;
    struct vilab v;

    if (vilab_open(&v, t)) {
        if (needed & ~v.offered)
            t_skip(t, "feature %d is not offered", __builtin_ctzll(needed & ~v.offered));
        else if (vilab_drive(&v, 0x7f))
            judge(&v, s);
    }
    vilab_close(&v);
}

#define R 1
#define W 2

#define ATTACH(domain, endpoint, flags, status)                                                    \
    {                                                                                              \
        VI_ATTACH, status, domain, endpoint, 0, 0, flags                                           \
    }
#define DETACH(domain, endpoint, status)                                                           \
    {                                                                                              \
        VI_DETACH, status, domain, endpoint, 0, 0, 0                                               \
    }
#define MAP(domain, first, bytes, output, flags, status)                                           \
    {                                                                                              \
        VI_MAP, status, domain, first, (first) + (bytes)-1ull, output, flags                       \
    }
#define UNMAP(domain, first, bytes, status)                                                        \
    {                                                                                              \
        VI_UNMAP, status, domain, first, (first) + (bytes)-1ull, 0, 0                              \
    }
#define OURS        ATTACH(1, VI_ENDPOINT, 0, VI_OK)
#define MAPPED      MAP(1, VI_PAGE, 0x2000, VI_OUT, R | W, VI_OK)
#define WILL(what)  .access = what, .addr = VI_PAGE + VI_OFFSET, .out = VI_OUT + VI_OFFSET
#define STEPS_(...) .step = {__VA_ARGS__}
#define ROW(name, sec, text, ...)                                                                  \
    {                                                                                              \
        .id = "viommu." name, .group = "virtio-iommu", .document = CONFORM_VIRTIO, .section = sec, \
        .requirement = text, .needs = CONFORM_LAB, .procedure = script,                            \
        .param = &(const struct script)                                                            \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

/* clang-format off */
static const struct conform_assertion rows[] = {
    ROW("attach", "5.13.6.3", "ATTACH of an endpoint that exists succeeds.", STEPS_(OURS)),
    ROW("attach.nobody", "5.13.6.3", "ATTACH of an endpoint that does not exist is NOENT.",
        STEPS_(ATTACH(1, VI_NOBODY, 0, VI_NOENT))),
    ROW("attach.reserved", "5.13.6.3", "ATTACH with a reserved field set is INVAL.",
        STEPS_({VI_ATTACH, VI_INVAL, 1, VI_ENDPOINT, 0, 1, 0})),
    ROW("attach.flags", "5.13.6.3", "ATTACH with a flag that is not known is INVAL.",
        STEPS_(ATTACH(1, VI_ENDPOINT, 2, VI_INVAL))),
    ROW("attach.elsewhere", "5.13.6.3",
        "ATTACH to another domain takes the endpoint from the first: its mappings are gone.",
        STEPS_(OURS, MAPPED, ATTACH(2, VI_ENDPOINT, 0, VI_OK)), WILL(FAULTS), .reason = 2),
    ROW("attach.again", "5.13.6.3", "ATTACH to the same domain changes nothing.",
        STEPS_(OURS, MAPPED, OURS), WILL(ARRIVES)),
    ROW("attach.bypass", "5.13.6.3", "In a domain that bypasses addresses are as they are.",
        STEPS_(ATTACH(1, VI_ENDPOINT, 1, VI_OK)), .access = ARRIVES, .addr = VI_OUT, .out = VI_OUT,
        .features = VI_F_BYPASS_CONFIG),
    ROW("attach.bypass.map", "5.13.6.5", "MAP into a domain that bypasses is INVAL.",
        STEPS_(ATTACH(1, VI_ENDPOINT, 1, VI_OK), MAP(1, VI_PAGE, 0x1000, VI_OUT, R, VI_INVAL)),
        .features = VI_F_BYPASS_CONFIG),
    ROW("detach", "5.13.6.4", "DETACH ends what the domain maps.",
        STEPS_(OURS, MAPPED, DETACH(1, VI_ENDPOINT, VI_OK), OURS), WILL(FAULTS), .reason = 2),
    ROW("detach.nobody", "5.13.6.4", "DETACH of an endpoint that does not exist is NOENT.",
        STEPS_(DETACH(1, VI_NOBODY, VI_NOENT))),
    ROW("detach.unattached", "5.13.6.4", "DETACH of an endpoint that is not attached is INVAL.",
        STEPS_(DETACH(1, VI_ENDPOINT, VI_INVAL))),
    ROW("detach.other", "5.13.6.4", "DETACH from a domain that it is not attached to is INVAL.",
        STEPS_(OURS, DETACH(2, VI_ENDPOINT, VI_INVAL))),
    ROW("detach.others", "5.13.6.4", "... also when others are attached to that.",
        STEPS_(OURS, ATTACH(2, VI_OTHER, 0, VI_OK), DETACH(2, VI_ENDPOINT, VI_INVAL))),
    ROW("map.read", "5.13.6.5", "What MAP maps for reading can be read.", STEPS_(OURS, MAPPED),
        WILL(ARRIVES)),
    ROW("map.write", "5.13.6.5", "What MAP maps for writing can be written.",
        STEPS_(OURS, MAPPED), WILL(ARRIVES), .write = true),
    ROW("map.second_page", "5.13.6.5", "All pages of a mapping follow each other.",
        STEPS_(OURS, MAPPED), .access = ARRIVES, .addr = VI_PAGE + 0x1ffc,
        .out = VI_OUT + 0x1ffc),
    ROW("map.beyond", "5.13.6.7", "The byte behind a mapping is not mapped: reason MAPPING.",
        STEPS_(OURS, MAPPED), .access = FAULTS, .addr = VI_PAGE + 0x2000, .out = VI_OUT + 0x2000,
        .reason = 2),
    ROW("map.below", "5.13.6.7", "The byte below a mapping is not mapped: reason MAPPING.",
        STEPS_(OURS, MAPPED), .access = FAULTS, .addr = VI_PAGE - 4, .out = VI_OUT - 4,
        .reason = 2),
    ROW("map.no_write", "5.13.6.7", "A write without VIRTIO_IOMMU_MAP_F_WRITE is refused.",
        STEPS_(OURS, MAP(1, VI_PAGE, 0x1000, VI_OUT, R, VI_OK)), WILL(FAULTS), .write = true,
        .reason = 2),
    ROW("map.no_read", "5.13.6.7", "A read without VIRTIO_IOMMU_MAP_F_READ is refused.",
        STEPS_(OURS, MAP(1, VI_PAGE, 0x1000, VI_OUT, W, VI_OK)), WILL(FAULTS), .reason = 2),
    ROW("map.no_domain", "5.13.6.5", "MAP into a domain that does not exist is NOENT.",
        STEPS_(MAP(9, VI_PAGE, 0x1000, VI_OUT, R, VI_NOENT))),
    ROW("map.flags", "5.13.6.5", "MAP with a flag that is not known is INVAL.",
        STEPS_(OURS, MAP(1, VI_PAGE, 0x1000, VI_OUT, R | 8, VI_INVAL))),
    ROW("map.twice", "5.13.6.5", "MAP over a mapping is INVAL, and leaves it.",
        STEPS_(OURS, MAPPED, MAP(1, VI_PAGE + 0x1000, 0x2000, VI_OUT2, R, VI_INVAL)),
        WILL(ARRIVES)),
    ROW("map.unaligned", "5.13.6.5", "MAP of an address that is not aligned is RANGE.",
        STEPS_(OURS, MAP(1, VI_PAGE + 0x800, 0x1000, VI_OUT, R, VI_RANGE))),
    ROW("map.unaligned_output", "5.13.6.5", "MAP to an address that is not aligned is RANGE.",
        STEPS_(OURS, MAP(1, VI_PAGE, 0x1000, VI_OUT + 0x800, R, VI_RANGE))),
    ROW("map.unaligned_size", "5.13.6.5", "MAP of part of a page is RANGE.",
        STEPS_(OURS, MAP(1, VI_PAGE, 0x800, VI_OUT, R, VI_RANGE))),
    ROW("map.input_range", "5.13.6.5", "MAP beyond input_range is RANGE.",
        STEPS_(OURS, MAP(1, 1ull << 63, 0x1000, VI_OUT, R, VI_RANGE)),
        .features = VI_F_INPUT_RANGE | VI_F_MAP_UNMAP),
    ROW("unmap", "5.13.6.6", "UNMAP ends a mapping.",
        STEPS_(OURS, MAPPED, UNMAP(1, VI_PAGE, 0x2000, VI_OK)), WILL(FAULTS), .reason = 2),
    ROW("unmap.nothing", "5.13.6.6", "UNMAP of what is not mapped succeeds.",
        STEPS_(OURS, UNMAP(1, VI_PAGE, 0x2000, VI_OK))),
    ROW("unmap.several", "5.13.6.6", "UNMAP of a range ends all mappings that are in it.",
        STEPS_(OURS, MAPPED, MAP(1, VI_PAGE + 0x4000, 0x1000, VI_OUT2, R, VI_OK),
               UNMAP(1, VI_PAGE, 0x10000, VI_OK)),
        .access = FAULTS, .addr = VI_PAGE + 0x4000, .out = VI_OUT2, .reason = 2),
    ROW("unmap.others", "5.13.6.6", "UNMAP leaves mappings beside the range.",
        STEPS_(OURS, MAPPED, MAP(1, VI_PAGE + 0x4000, 0x1000, VI_OUT2, R, VI_OK),
               UNMAP(1, VI_PAGE + 0x4000, 0x1000, VI_OK)),
        WILL(ARRIVES)),
    ROW("unmap.splits", "5.13.6.6", "UNMAP that would split a mapping is RANGE, and leaves it.",
        STEPS_(OURS, MAPPED, UNMAP(1, VI_PAGE, 0x1000, VI_RANGE)), WILL(ARRIVES)),
    ROW("unmap.splits_front", "5.13.6.6", "... also at its front.",
        STEPS_(OURS, MAPPED, UNMAP(1, VI_PAGE + 0x1000, 0x4000, VI_RANGE)), WILL(ARRIVES)),
    ROW("unmap.no_domain", "5.13.6.6", "UNMAP of a domain that does not exist is NOENT.",
        STEPS_(UNMAP(9, VI_PAGE, 0x1000, VI_NOENT))),
    ROW("unmap.remap", "5.13.6.6", "What was unmapped can be mapped to elsewhere.",
        STEPS_(OURS, MAPPED, UNMAP(1, VI_PAGE, 0x2000, VI_OK),
               MAP(1, VI_PAGE, 0x1000, VI_OUT2, R, VI_OK)),
        .access = ARRIVES, .addr = VI_PAGE + 4, .out = VI_OUT2 + 4),
    ROW("probe.nobody", "5.13.6.7", "PROBE of an endpoint that does not exist is NOENT.",
        STEPS_({VI_PROBE, VI_NOENT, 0, VI_NOBODY, 0, 0, 0}), .features = VI_F_PROBE),
};
/* clang-format on */

ASSERTION_TABLE(assertions_viommu, rows);
