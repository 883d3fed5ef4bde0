/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virtio face against a hostile guest: requests, good and bad, and accesses in any order.
 * Beside it runs an oracle that keeps the mappings in a list and has no caches; every status and
 * every translation has to be the same.
 */
#include <glib.h>
#include <string.h>

#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/iommu/regs/virtio.h"

#define MAX_ACTIONS 512
#define DOMAINS     4u
#define MAPPINGS    12u
#define SIDS        6u
#define OWN         3u /* of the SIDS */
#define MSI         0xfee00000ULL
#define MSI_LAST    0xfeefffffULL
#define WIDTH       39

enum { OK = 0, INVAL = 4, RANGE = 5, NOENT = 6, NOMEM = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct mapping {
    bool used;
    uint32_t domain, flags;
    uint64_t first, last, output;
};

struct world {
    const uint8_t *at;
    size_t left;
    struct sim sim;
    struct trace trace;
    struct viommu *viommu;
    struct iommu_request request;
    enum iommu_status status;
    unsigned events;
    uint8_t event[VIOMMU_EVENT_BYTES];
    bool event_room;
    uint64_t recent; /* first page of the last MAP */
    /* The oracle. */
    uint64_t features;
    bool config_offered, bypass, initial_bypass;
    uint32_t domain_of[SIDS]; /* plus 1; 0: not attached */
    bool bypass_domain[DOMAINS];
    struct mapping mapping[MAPPINGS];
};

/* Bytes past the end of the input are zeroes. */
static uint64_t take(struct world *w, unsigned bytes)
{
    uint8_t value[8] = {0};
    unsigned n = bytes < w->left ? bytes : (unsigned)w->left;

    memcpy(value, w->at, n);
    w->at += n;
    w->left -= n;
    return le64_load(value);
}

/* The oracle. */

static bool domain_exists(const struct world *w, uint32_t domain)
{
    for (unsigned i = 0; i < SIDS; i++) {
        if (w->domain_of[i] && w->domain_of[i] - 1 == domain)
            return true;
    }
    return false;
}

static void leave(struct world *w, uint32_t sid)
{
    uint32_t domain = w->domain_of[sid] - 1;

    if (!w->domain_of[sid])
        return;
    w->domain_of[sid] = 0;
    for (unsigned i = 0; i < MAPPINGS && !domain_exists(w, domain); i++) {
        if (w->mapping[i].domain == domain)
            w->mapping[i].used = false;
    }
}

/* Endpoints of the oracle are few; others exist and stay unattached because nobody attaches them.
 */
static unsigned oracle_attach(struct world *w, const uint8_t *in)
{
    uint32_t domain = le32_load(in + 4), sid = le32_load(in + 8), flags = le32_load(in + 12);
    bool may = w->features & BIT(6);

    if (le32_load(in + 16) || (flags & ~(may ? 1u : 0u)))
        return INVAL;
    if (sid > 0xffff || sid == OWN)
        return NOENT;
    if (domain >= DOMAINS)
        return RANGE;
    if (domain_exists(w, domain) && w->bypass_domain[domain] != (flags & 1))
        return INVAL;
    if (w->domain_of[sid] != domain + 1)
        leave(w, sid);
    w->bypass_domain[domain] = flags & 1;
    w->domain_of[sid] = domain + 1;
    return OK;
}

static unsigned oracle_detach(struct world *w, const uint8_t *in)
{
    uint32_t domain = le32_load(in + 4), sid = le32_load(in + 8);

    if (sid > 0xffff || sid == OWN)
        return NOENT;
    if (sid >= SIDS || domain >= DOMAINS || w->domain_of[sid] != domain + 1)
        return INVAL;
    leave(w, sid);
    return OK;
}

static unsigned oracle_map(struct world *w, const uint8_t *in)
{
    struct mapping m = {true,
                        le32_load(in + 4),
                        le32_load(in + 32),
                        le64_load(in + 8),
                        le64_load(in + 16),
                        le64_load(in + 24)};
    struct mapping *room = NULL;

    if (!domain_exists(w, m.domain))
        return NOENT;
    if (w->bypass_domain[m.domain] || m.flags & ~(w->features & BIT(5) ? 7u : 3u) ||
        m.last <= m.first)
        return INVAL;
    if (m.first % 4096 || m.output % 4096 || m.last % 4096 != 4095 || m.last >= BIT(WIDTH) ||
        m.output > UINT64_MAX - (m.last - m.first))
        return RANGE;
    if (m.last >= MSI && m.first <= MSI_LAST)
        return INVAL;
    for (unsigned i = 0; i < MAPPINGS; i++) {
        const struct mapping *o = &w->mapping[i];

        if (o->used && o->domain == m.domain && o->first <= m.last && m.first <= o->last)
            return INVAL;
        if (!o->used)
            room = &w->mapping[i];
    }
    if (!room)
        return NOMEM;
    *room = m;
    return OK;
}

static unsigned oracle_unmap(struct world *w, const uint8_t *in)
{
    uint32_t domain = le32_load(in + 4);
    uint64_t first = le64_load(in + 8), last = le64_load(in + 16);
    bool doomed[MAPPINGS] = {false};

    if (!domain_exists(w, domain))
        return NOENT;
    if (w->bypass_domain[domain] || last < first || le32_load(in + 24))
        return INVAL;
    for (unsigned i = 0; i < MAPPINGS; i++) {
        const struct mapping *m = &w->mapping[i];

        if (!m->used || m->domain != domain || m->first > last || m->last < first)
            continue;
        if (m->first < first || m->last > last)
            return RANGE;
        doomed[i] = true;
    }
    for (unsigned i = 0; i < MAPPINGS; i++)
        w->mapping[i].used = w->mapping[i].used && !doomed[i];
    return OK;
}

static bool oracle_bypasses(const struct world *w, uint32_t sid)
{
    if (w->domain_of[sid])
        return w->bypass_domain[w->domain_of[sid] - 1];
    return w->config_offered ? w->bypass : (w->features & BIT(3)) != 0;
}

/* 0 to 2: the reason of a fault; 3: none. */
static unsigned oracle_access(const struct world *w, const struct iommu_access *access,
                              uint64_t *out)
{
    unsigned want = access->want & 3;

    *out = access->addr;
    if (access->sid == OWN)
        return 3;
    if (access->interrupt)
        return w->domain_of[access->sid] || oracle_bypasses(w, access->sid) ? 3 : 1;
    if (!w->domain_of[access->sid] && !oracle_bypasses(w, access->sid))
        return 1;
    if (access->at || (access->has_pasid && !oracle_bypasses(w, access->sid)))
        return 0;
    if (oracle_bypasses(w, access->sid))
        return 3;
    for (unsigned i = 0; i < MAPPINGS; i++) {
        const struct mapping *m = &w->mapping[i];

        if (!m->used || m->domain + 1 != w->domain_of[access->sid] || access->addr < m->first ||
            access->addr > m->last)
            continue;
        *out = m->output + (access->addr - m->first);
        return (m->flags & want) == want ? 3 : 2;
    }
    return 2;
}

/* The guest. */

static bool on_event(void *opaque, const uint8_t event[VIOMMU_EVENT_BYTES])
{
    struct world *w = opaque;

    memcpy(w->event, event, sizeof(w->event));
    w->events++;
    return w->event_room;
}

static void done(struct iommu_request *request, enum iommu_status status)
{
    ((struct world *)request->opaque)->status = status;
}

static uint64_t take_page(struct world *w, uint64_t bits)
{
    static const uint64_t bases[] = {0,
                                     0x200000,
                                     0x40000000,
                                     MSI - 0x2000,
                                     MSI_LAST - 0x1fff,
                                     BIT(WIDTH) - 0x4000,
                                     UINT64_MAX - 0x3fff,
                                     0x7fe00000};

    if (bits & 0x80)
        return w->recent + ((bits & 7) << 12);
    return bases[bits & 7] + ((bits >> 3 & 15) << 12);
}

static void act_request(struct world *w)
{
    static const uint32_t in_bytes[] = {0, 20, 20, 36, 28, 72};
    static unsigned (*const oracle[])(struct world *, const uint8_t *) = {
        NULL, oracle_attach, oracle_detach, oracle_map, oracle_unmap, NULL};
    uint8_t in[80] = {0}, out[VIOMMU_ANSWER_BYTES];
    uint64_t how = take(w, 2);
    unsigned type = how % 5 + 1;
    uint32_t len = in_bytes[type], written, out_len = type == 5 ? VIOMMU_ANSWER_BYTES : 4;
    uint64_t first = take_page(w, take(w, 1)), pages = take(w, 1);

    in[0] = (uint8_t)type;
    le32_store(in + 4, how >> 8 & 3);
    if (type <= 2) {
        le32_store(in + 8, (uint32_t)(pages % SIDS));
        le32_store(in + 12, type == 1 && how & 0x1000);
    } else if (type <= 4) {
        le64_store(in + 8, first);
        le64_store(in + 16, first + (pages & 0x80 ? (pages & 7) << 21 : (pages & 15) << 12) + 4095);
        if (type == 4 && how & 0x400) { /* all of it */
            le64_store(in + 8, 0);
            le64_store(in + 16, BIT(WIDTH) - 1);
        }
        if (type == 3) {
            w->recent = first;
            le64_store(in + 24, take_page(w, take(w, 1)));
            le32_store(in + 32, how >> 12 & 7);
        }
    }
    for (unsigned i = how >> 15 & 1 ? 1 + take(w, 1) % 3 : 0; i; i--)
        in[4 + take(w, 1) % (len - 4)] = (uint8_t)take(w, 1);
    if (type == 1 && le32_load(in + 8) >= SIDS && le32_load(in + 8) <= 0xffff)
        return; /* the oracle knows few */
    written = viommu_request(w->viommu, in, len, out, out_len);
    if ((type >= 3 && type <= 4 && !(w->features & BIT(2))) ||
        (type == 5 && !(w->features & BIT(4)))) {
        g_assert(!written);
        return;
    }
    g_assert(written == out_len);
    if (oracle[type])
        g_assert(out[0] == oracle[type](w, in));
}

/* Anything at all: no status is expected, so it must not be one that changes something. */
static void act_noise(struct world *w)
{
    uint8_t in[80], out[VIOMMU_ANSWER_BYTES];
    uint32_t len = (uint32_t)take(w, 1) % sizeof(in), out_len = (uint32_t)take(w, 2) % sizeof(out);

    for (unsigned i = 0; i < len; i++)
        in[i] = (uint8_t)take(w, 1);
    if (len && in[0] >= 1 && in[0] <= 4)
        out_len %= 4;
    g_assert(viommu_request(w->viommu, in, len, out, out_len) <= out_len);
}

static void act_access(struct world *w)
{
    uint64_t how = take(w, 2), out;
    struct iommu_access access = {
        .addr = take_page(w, how) + (how >> 7 & 0xf) * 0x101,
        .sid = (uint16_t)(take(w, 1) % SIDS),
        .want = (uint8_t)(1 + (how >> 8) % 3),
        .interrupt = (how >> 11 & 15) == 15,
        .at = (how >> 13 & 7) == 6 ? IOMMU_TRANSLATED : IOMMU_UNTRANSLATED,
        .has_pasid = (how >> 12 & 15) == 9,
        .pasid = 5,
    };
    unsigned reason = oracle_access(w, &access, &out);

    w->events = 0;
    w->request = (struct iommu_request){.access = access, .done = done, .opaque = w};
    viommu_submit(w->viommu, &w->request);
    g_assert(w->status == (reason == 3 ? IOMMU_TRANSLATED_OK : IOMMU_FAULTED));
    g_assert(w->events == (reason != 3));
    if (reason == 3) {
        g_assert(access.interrupt || w->request.addr == out);
        return;
    }
    g_assert(w->event[0] == reason && le32_load(w->event + 8) == access.sid);
    g_assert(le64_load(w->event + 16) == access.addr);
    g_assert((le32_load(w->event + 4) & 3) == access.want);
}

static void act_config(struct world *w)
{
    uint64_t how = take(w, 1);
    uint8_t data[4] = {how >> 2 & 3, 0, 0, 0};
    bool good = (how & 3) == 0 && data[0] < 2 && w->features & BIT(6);

    g_assert(viommu_config_written(w->viommu, how & 1 ? 35 : 36, data, how & 2 ? 4 : 1) == good);
    if (good)
        w->bypass = data[0];
}

static void act_reset(struct world *w)
{
    uint64_t how = take(w, 1);

    memset(w->domain_of, 0, sizeof(w->domain_of));
    memset(w->mapping, 0, sizeof(w->mapping));
    if (how & 1) {
        viommu_power_on(w->viommu);
        w->bypass = w->initial_bypass;
    } else {
        viommu_reset(w->viommu);
    }
    w->features = viommu_offered(w->viommu) & ~(how & 2 ? take(w, 1) : 0);
    w->event_room = how & 4;
    viommu_negotiated(w->viommu, w->features);
}

static void (*const actions[])(struct world *w) = {
    act_request, act_request, act_request, act_access, act_access,
    act_access,  act_access,  act_noise,   act_config, act_reset,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world *w = g_new0(struct world, 1);
    uint64_t shape;

    w->at = data;
    w->left = size;
    shape = take(w, 1);
    w->initial_bypass = w->bypass = shape & 1;
    w->config_offered = shape & 2;
    sim_init(&w->sim, 1);
    w->trace.now_ps = &w->sim.now_ps;
    w->viommu = viommu_new(&(struct viommu_params){
        .name = "fuzz",
        .sim = &w->sim,
        .trace = &w->trace,
        .features = {.address_bits = WIDTH,
                     .domains = DOMAINS,
                     .mappings = MAPPINGS,
                     .large_pages = shape & 4,
                     .bypass = w->bypass,
                     .bypass_config = w->config_offered},
        .own_sid = OWN,
        .msi_first = MSI,
        .msi_last = MSI_LAST,
        .event = on_event,
        .opaque = w,
        .find_stale = shape & 8,
    });
    w->features = viommu_offered(w->viommu);
    viommu_negotiated(w->viommu, w->features);
    for (unsigned i = 0; i < MAX_ACTIONS && w->left; i++)
        actions[take(w, 1) % ARRAY_LEN(actions)](w);
    g_assert(iommu_core_stats(viommu_core(w->viommu))->stale == 0);
    viommu_free(w->viommu);
    sim_fini(&w->sim);
    g_free(w);
    return 0;
}
