/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The virtio-iommu as a device (VIRTIO 1.3, 5.13): its configuration, bypass, PROBE, events. */
#include "lab_viommu.h"
#include "pcilab/base/le.h"
#include "tables.h"

/* struct virtio_iommu_config, 5.13.4 */
enum {
    PAGE_SIZE_MASK = 0,
    INPUT_FIRST = 8,
    INPUT_LAST = 16,
    DOMAIN_FIRST = 24,
    DOMAIN_LAST = 28,
    PROBE_SIZE = 32,
    BYPASS = 36,
};

#define PROBE_BYTES_MAX 2048

typedef void (*device_body)(struct conform_ctx *t, struct vilab *v);

struct device {
    device_body body;
    uint64_t needs;    /* features */
    uint64_t features; /* to negotiate; 0: it is not driven */
};

static void run(struct conform_ctx *t)
{
    const struct device *d = t->assertion->param;
    struct vilab v;

    if (vilab_open(&v, t)) {
        if (d->needs & ~v.offered)
            t_skip(t, "feature %d is not offered", __builtin_ctzll(d->needs & ~v.offered));
        else if (!d->features || vilab_drive(&v, d->features))
            d->body(t, &v);
    }
    vilab_close(&v);
}

static void identity(struct conform_ctx *t, struct vilab *v)
{
    t_check(t, vilab_cfg(v, 0, 4) == 0x10571af4, "it is %08x", vilab_cfg(v, 0, 4));
    t_check(t, vilab_cfg(v, 8, 1) >= 1, "its revision is 0");
}

static void version(struct conform_ctx *t, struct vilab *v)
{
    t_check(t, v->offered & VI_F_VERSION_1, "VERSION_1 is not offered");
}

static void queues(struct conform_ctx *t, struct vilab *v)
{
    t_check(t, vilab_common(v, 0x12, 2) >= 2, "there are %u queues",
            (unsigned)vilab_common(v, 0x12, 2));
}

static void page_sizes(struct conform_ctx *t, struct vilab *v)
{
    t_check(t, vilab_config(v, PAGE_SIZE_MASK, 8), "page_size_mask is 0");
}

static void input_range(struct conform_ctx *t, struct vilab *v)
{
    t_check(t, vilab_config(v, INPUT_FIRST, 8) < vilab_config(v, INPUT_LAST, 8),
            "input_range is empty");
}

static void domain_range(struct conform_ctx *t, struct vilab *v)
{
    t_check(t, vilab_config(v, DOMAIN_FIRST, 4) <= vilab_config(v, DOMAIN_LAST, 4),
            "domain_range is empty");
}

static void probe_size(struct conform_ctx *t, struct vilab *v)
{
    t_check(t, vilab_config(v, PROBE_SIZE, 4) >= 4, "probe_size is %u",
            (unsigned)vilab_config(v, PROBE_SIZE, 4));
}

static void config_ro(struct conform_ctx *t, struct vilab *v)
{
    uint64_t before = vilab_config(v, PAGE_SIZE_MASK, 8);

    vilab_set_config(v, PAGE_SIZE_MASK, 4, ~before & 0xffffffff);
    t_check(t, vilab_config(v, PAGE_SIZE_MASK, 8) == before, "page_size_mask changed");
}

/* Bypass, 5.13.6.1: of endpoints that are attached to nothing. */

static bool passes(struct vilab *v)
{
    return vilab_reaches(v, VI_OUT + VI_OFFSET, true, VI_OUT + VI_OFFSET);
}

static void bypass(struct conform_ctx *t, struct vilab *v)
{
    for (unsigned i = 0; i < 2; i++) {
        bool on = !i;

        vilab_set_config(v, BYPASS, 1, on);
        t_check(t, vilab_config(v, BYPASS, 1) == on, "bypass does not read back as %u", on);
        t_check(t, passes(v) == on, "with bypass %u it is the other way", on);
    }
}

static void bypass_reset(struct conform_ctx *t, struct vilab *v)
{
    vilab_set_config(v, BYPASS, 1, 0);
    vilab_reset(v);
    t_check(t, !passes(v), "bypass does not outlive a reset of the device");
}

static void bypass_values(struct conform_ctx *t, struct vilab *v)
{
    vilab_set_config(v, BYPASS, 1, 1);
    vilab_set_config(v, BYPASS, 1, 2);
    t_check(t, vilab_config(v, BYPASS, 1) <= 1, "bypass reads as %u",
            (unsigned)vilab_config(v, BYPASS, 1));
}

/* An endpoint that is attached to nothing. */
static void unattached(struct conform_ctx *t, struct vilab *v)
{
    uint8_t event[24];

    vilab_set_config(v, BYPASS, 1, 0);
    t_check(t, !passes(v), "it gets through");
    if (!vilab_event(v, event)) {
        t_fail(t, "no event is reported");
        return;
    }
    t_check(t, event[0] == 1, "its reason is %u, not DOMAIN", event[0]);
    t_check(t, le32_load(event + 8) == v->rid, "its endpoint is %x", le32_load(event + 8));
}

static void no_bypass(struct conform_ctx *t, struct vilab *v)
{
    if (v->offered & VI_F_BYPASS_CONFIG)
        t_skip(t, "BYPASS_CONFIG is offered in its place");
    else
        t_check(t, !passes(v), "it gets through");
}

/* After a reset nobody is attached, and no mapping is left. */
static void reset(struct conform_ctx *t, struct vilab *v)
{
    struct vilab_request attach = {.in = {VI_ATTACH}, .in_bytes = 20, .out_bytes = 4};
    struct vilab_request map = {.in = {VI_MAP}, .in_bytes = 36, .out_bytes = 4};
    unsigned used;

    le32_store(attach.in + 4, 1);
    le32_store(attach.in + 8, v->rid);
    le32_store(map.in + 4, 1);
    le64_store(map.in + 8, VI_PAGE);
    le64_store(map.in + 16, VI_PAGE + 0xfff);
    le64_store(map.in + 24, VI_OUT);
    le32_store(map.in + 32, 3);
    vilab_send(v, &attach, &used);
    vilab_send(v, &map, &used);
    t_check(t, vilab_reaches(v, VI_PAGE, true, VI_OUT), "it does not get through before");
    vilab_reset(v);
    t_check(t, !vilab_reaches(v, VI_PAGE, true, VI_OUT), "it gets through afterwards");
}

/* Requests that are not understood, 5.13.6. */

static void unknown(struct conform_ctx *t, struct vilab *v)
{
    struct vilab_request request = {.in = {0x77}, .in_bytes = 20, .out_bytes = 4};
    unsigned used = 0, status = vilab_send(v, &request, &used);

    t_check(t, !used || status == VI_UNSUPP || status == VI_INVAL,
            "%u bytes are written, status %u", used, status);
    t_check(t, !(vilab_common(v, 0x14, 1) & VI_NEEDS_RESET), "the device needs a reset");
}

static void tail(struct conform_ctx *t, struct vilab *v)
{
    struct vilab_request request = {.in = {VI_DETACH}, .in_bytes = 20, .out_bytes = 4};
    uint8_t got[4];
    unsigned used = 0;

    le32_store(request.in + 8, v->rid);
    vilab_send(v, &request, &used);
    vilab_answer(v, got, sizeof(got));
    t_check(t, used == 4, "%u bytes are written", used);
    t_check(t, !got[1] && !got[2] && !got[3], "reserved bytes of the tail are not 0");
}

/* probe_size; 0: it cannot be, or is more than there is room for here. */
static unsigned probe_bytes(struct vilab *v)
{
    uint64_t size = vilab_config(v, PROBE_SIZE, 4);

    if (size >= 24 && size <= PROBE_BYTES_MAX)
        return (unsigned)size;
    t_fail(v->t, "probe_size is %u", (unsigned)size);
    return 0;
}

/* PROBE, 5.13.6.7: properties of whole length, ended by type 0. */
static void probe(struct conform_ctx *t, struct vilab *v)
{
    unsigned size = probe_bytes(v), at = 0, used = 0, status;
    struct vilab_request request = {.in = {VI_PROBE}, .in_bytes = 72, .out_bytes = size + 4};
    uint8_t got[PROBE_BYTES_MAX] = {0};

    if (!size)
        return;
    le32_store(request.in + 4, v->rid);
    status = vilab_send(v, &request, &used);
    t_check(t, status == VI_OK, "the status is %u", status);
    t_check(t, used == size + 4, "%u bytes are written, not %u", used, size + 4);
    vilab_answer(v, got, size);
    while (at + 4 <= size && le16_load(got + at)) {
        unsigned type = le16_load(got + at) & 0xfff, len = le16_load(got + at + 2);

        if (at + 4 + len > size || (type == 1 && len != 20)) {
            t_fail(t, "a property of type %u has %u bytes at %u", type, len, at);
            return;
        }
        if (type == 1) {
            t_check(t, got[at + 4] <= 1, "the subtype is %u", got[at + 4]);
            t_check(t, le64_load(got + at + 8) <= le64_load(got + at + 16),
                    "a reserved region ends before it begins");
        }
        at += 4 + len;
    }
}

/* What PROBE lists cannot be mapped. */
static void reserved_region(struct conform_ctx *t, struct vilab *v)
{
    unsigned size = probe_bytes(v);
    struct vilab_request request = {.in = {VI_PROBE}, .in_bytes = 72, .out_bytes = size + 4};
    struct vilab_request map = {.in = {VI_MAP}, .in_bytes = 36, .out_bytes = 4};
    struct vilab_request attach = {.in = {VI_ATTACH}, .in_bytes = 20, .out_bytes = 4};
    uint8_t got[24] = {0};
    unsigned used, status;

    if (!size)
        return;
    le32_store(request.in + 4, v->rid);
    vilab_send(v, &request, &used);
    vilab_answer(v, got, sizeof(got));
    if ((le16_load(got) & 0xfff) != 1) {
        t_skip(t, "the first property is no reserved region");
        return;
    }
    le32_store(attach.in + 4, 1);
    le32_store(attach.in + 8, v->rid);
    vilab_send(v, &attach, &used);
    le32_store(map.in + 4, 1);
    le64_store(map.in + 8, le64_load(got + 8));
    le64_store(map.in + 16, le64_load(got + 8) + 0xfff);
    le64_store(map.in + 24, VI_OUT);
    le32_store(map.in + 32, 3);
    status = vilab_send(v, &map, &used);
    t_check(t, status == VI_INVAL, "MAP is answered with %u, not INVAL", status);
}

#define ALL 0x7f
#define ROW(name, sec, text, ...)                                                                  \
    {                                                                                              \
        .id = "viommu." name, .group = "virtio-iommu", .document = CONFORM_VIRTIO, .section = sec, \
        .requirement = text, .needs = CONFORM_LAB, .procedure = run,                               \
        .param = &(const struct device)                                                            \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

static const struct conform_assertion rows[] = {
    ROW("id", "4.1.2", "The function is 1AF4h:1057h with a revision that is not 0.", identity),
    ROW("version", "6", "VIRTIO_F_VERSION_1 is offered.", version),
    ROW("queues", "5.13.2", "There are a request queue and an event queue.", queues),
    ROW("config.page_size", "5.13.4", "page_size_mask has a bit at least.", page_sizes),
    ROW("config.input_range", "5.13.4", "input_range is not empty.", input_range, VI_F_INPUT_RANGE),
    ROW("config.domain_range", "5.13.4", "domain_range is not empty.", domain_range,
        VI_F_DOMAIN_RANGE),
    ROW("config.probe_size", "5.13.4", "probe_size has room for a property.", probe_size,
        VI_F_PROBE),
    ROW("config.ro", "5.13.4.1", "What a driver may not write does not change.", config_ro, 0, ALL),
    ROW("bypass", "5.13.6.2", "With bypass unattached endpoints reach memory, without they do not.",
        bypass, VI_F_BYPASS_CONFIG, ALL),
    ROW("bypass.reset", "5.13.4.2", "bypass outlives a reset of the device.", bypass_reset,
        VI_F_BYPASS_CONFIG, ALL),
    ROW("bypass.values", "5.13.4.2", "bypass is 0 or 1.", bypass_values, VI_F_BYPASS_CONFIG, ALL),
    ROW("bypass.none", "5.13.6.2", "Without BYPASS unattached endpoints reach nothing.", no_bypass,
        0, ALL & ~VI_F_BYPASS),
    ROW("event.domain", "5.13.6.8", "The access of an unattached endpoint is reported: DOMAIN.",
        unattached, VI_F_BYPASS_CONFIG, ALL),
    ROW("reset", "5.13.5", "A reset of the device ends domains and mappings.", reset,
        VI_F_MAP_UNMAP, ALL),
    ROW("request.unknown", "5.13.6", "A type that is not known is refused or left unanswered.",
        unknown, 0, ALL),
    ROW("request.tail", "5.13.6", "The tail is status and three bytes of 0.", tail, 0, ALL),
    ROW("probe", "5.13.6.7", "PROBE lists properties of whole length.", probe, VI_F_PROBE, ALL),
    ROW("probe.reserved", "5.13.6.5", "MAP of a reserved region is INVAL.", reserved_region,
        VI_F_PROBE | VI_F_MAP_UNMAP, ALL),
};

ASSERTION_TABLE(assertions_viommu_device, rows);
