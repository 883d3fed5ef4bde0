/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The virtio face: requests as bytes in, translations and fault reports out. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/iommu/core/inspect.h"
#include "pcilab/iommu/regs/virtio.h"

enum { ATTACH = 1, DETACH, MAP, UNMAP, PROBE };
enum { OK = 0, INVAL = 4, RANGE = 5, NOENT = 6, NOMEM = 8, NOT_WRITTEN = 0x100 };
enum { R = 1, W = 2, MMIO = 4 };

#define OWN         0x00f8
#define A           0x0100
#define B           0x0208
#define F_MAP_UNMAP BIT(2)
#define F_BYPASS    BIT(3)
#define F_PROBE     BIT(4)
#define F_MMIO      BIT(5)
#define F_CONFIG    BIT(6)
#define MSI         0xfee00000ULL

struct bed {
    struct sim sim;
    struct trace trace;
    struct viommu *viommu;
    unsigned events;
    uint8_t event[VIOMMU_EVENT_BYTES];
    bool event_room;
    enum iommu_status status;
    struct iommu_request request;
};

static struct bed bed;

static bool take_event(void *opaque, const uint8_t event[VIOMMU_EVENT_BYTES])
{
    memcpy(bed.event, event, sizeof(bed.event));
    bed.events++;
    return bed.event_room;
}

static void open_with(const struct viommu_features *features)
{
    struct viommu_params params = {
        .name = "unit",
        .sim = &bed.sim,
        .trace = &bed.trace,
        .features = *features,
        .own_sid = OWN,
        .msi_first = MSI,
        .msi_last = MSI + 0xfffff,
        .event = take_event,
        .find_stale = true,
    };

    memset(&bed, 0, sizeof(bed));
    sim_init(&bed.sim, 1);
    bed.trace.now_ps = &bed.sim.now_ps;
    bed.event_room = true;
    bed.viommu = viommu_new(&params);
    viommu_negotiated(bed.viommu, viommu_offered(bed.viommu) | BIT(32));
}

static const struct viommu_features all = {.address_bits = 48,
                                           .domains = 100,
                                           .mappings = 50,
                                           .large_pages = true,
                                           .bypass = false,
                                           .bypass_config = true};

static void setup(void)
{
    open_with(&all);
}

static void teardown(void)
{
    ck_assert_uint_eq(iommu_core_stats(viommu_core(bed.viommu))->stale, 0);
    viommu_free(bed.viommu);
    sim_fini(&bed.sim);
}

/* The status of a request without properties. */
static unsigned ask(const uint8_t *in, uint32_t len)
{
    uint8_t out[VIOMMU_ANSWER_BYTES];
    uint32_t written;

    memset(out, 0x55, sizeof(out));
    written = viommu_request(bed.viommu, in, len, out, 4);
    if (!written)
        return NOT_WRITTEN;
    ck_assert_uint_eq(written, 4);
    ck_assert(!out[1] && !out[2] && !out[3]);
    return out[0];
}

static unsigned attach_flags(uint32_t domain, uint32_t endpoint, uint32_t flags)
{
    uint8_t in[20] = {ATTACH, 0xaa, 0xbb, 0xcc}; /* reserved is ignored */

    le32_store(in + 4, domain);
    le32_store(in + 8, endpoint);
    le32_store(in + 12, flags);
    return ask(in, sizeof(in));
}

static unsigned attach(uint32_t domain, uint32_t endpoint)
{
    return attach_flags(domain, endpoint, 0);
}

static unsigned detach(uint32_t domain, uint32_t endpoint)
{
    uint8_t in[20] = {DETACH};

    le32_store(in + 4, domain);
    le32_store(in + 8, endpoint);
    memset(in + 12, 0xff, 8); /* to be ignored */
    return ask(in, sizeof(in));
}

static unsigned map(uint32_t domain, uint64_t first, uint64_t last, uint64_t output, uint32_t flags)
{
    uint8_t in[36] = {MAP};

    le32_store(in + 4, domain);
    le64_store(in + 8, first);
    le64_store(in + 16, last);
    le64_store(in + 24, output);
    le32_store(in + 32, flags);
    return ask(in, sizeof(in));
}

static unsigned unmap(uint32_t domain, uint64_t first, uint64_t last)
{
    uint8_t in[28] = {UNMAP};

    le32_store(in + 4, domain);
    le64_store(in + 8, first);
    le64_store(in + 16, last);
    return ask(in, sizeof(in));
}

static void done(struct iommu_request *request, enum iommu_status status)
{
    bed.status = status;
}

static bool submit(const struct iommu_access *access)
{
    bed.request = (struct iommu_request){.access = *access, .done = done};
    viommu_submit(bed.viommu, &bed.request);
    return bed.status == IOMMU_TRANSLATED_OK;
}

/* Where an access leads; ~0: nowhere. */
static uint64_t go(uint16_t sid, uint64_t addr, uint8_t want)
{
    return submit(&(struct iommu_access){.addr = addr, .sid = sid, .want = want}) ? bed.request.addr
                                                                                  : ~0ULL;
}

static void expect_fault(unsigned reason, unsigned flags, uint16_t sid, uint64_t addr)
{
    ck_assert_uint_eq(bed.events, 1);
    bed.events = 0;
    ck_assert_uint_eq(le32_load(bed.event), reason); /* with three reserved bytes */
    ck_assert_uint_eq(le32_load(bed.event + 4), flags | 0x100);
    ck_assert_uint_eq(le32_load(bed.event + 8), sid);
    ck_assert_uint_eq(le32_load(bed.event + 12), 0);
    ck_assert_uint_eq(le64_load(bed.event + 16), addr);
}

START_TEST(test_offers)
{
    uint8_t config[VIOMMU_CONFIG_BYTES];
    struct viommu_features features = all;

    ck_assert_uint_eq(viommu_offered(bed.viommu), 0x77);
    viommu_get_config(bed.viommu, config);
    ck_assert_uint_eq(le64_load(config), 0x40201000);
    ck_assert_uint_eq(le64_load(config + 8), 0);
    ck_assert_uint_eq(le64_load(config + 16), low_mask(48));
    ck_assert_uint_eq(le32_load(config + 24), 0);
    ck_assert_uint_eq(le32_load(config + 28), 99);
    ck_assert_uint_eq(le32_load(config + 32), 512);
    ck_assert_uint_eq(config[36], 0);

    teardown();
    features.bypass_config = features.large_pages = false;
    open_with(&features);
    ck_assert_uint_eq(viommu_offered(bed.viommu), 0x37);
    viommu_get_config(bed.viommu, config);
    ck_assert_uint_eq(le64_load(config), 0x1000);
    teardown();
    features.bypass = true;
    open_with(&features);
    ck_assert_uint_eq(viommu_offered(bed.viommu), 0x3f);
    viommu_get_config(bed.viommu, config);
    ck_assert_uint_eq(config[36], 0);
}
END_TEST

START_TEST(test_translates)
{
    ck_assert_uint_eq(attach(7, A), OK);
    ck_assert_uint_eq(map(7, 0x1000, 0x3fff, 0xa000, R | W), OK);
    ck_assert_uint_eq(map(7, 0x8000, 0x8fff, 0x12000, R), OK);
    ck_assert_uint_eq(map(7, 0x9000, 0x9fff, 0x11000, W | MMIO), OK);
    for (unsigned i = 0; i < 2; i++) { /* a miss, then a hit */
        ck_assert_uint_eq(go(A, 0x1234, PT_PERM_READ), 0xa234);
        ck_assert_uint_eq(go(A, 0x3fff, PT_PERM_WRITE), 0xcfff);
        ck_assert_uint_eq(go(A, 0x3ffc, PT_PERM_READ | PT_PERM_WRITE), 0xcffc);
        ck_assert_uint_eq(go(A, 0x8010, PT_PERM_READ), 0x12010);
        ck_assert_uint_eq(go(A, 0x9010, PT_PERM_WRITE), 0x11010);
    }
    ck_assert_uint_eq(iommu_core_stats(viommu_core(bed.viommu))->hits, 6);
    ck_assert_uint_eq(bed.events, 0);
    ck_assert_uint_eq(go(A, 0x8010, PT_PERM_WRITE), ~0ULL);
    expect_fault(2, W, A, 0x8010);
    ck_assert_uint_eq(go(A, 0x9010, PT_PERM_READ | PT_PERM_WRITE), ~0ULL);
    expect_fault(2, R | W, A, 0x9010);
    ck_assert_uint_eq(go(A, 0xfff, PT_PERM_READ), ~0ULL);
    expect_fault(2, R, A, 0xfff);
    ck_assert_uint_eq(go(A, 0x4000, PT_PERM_READ), ~0ULL);
    expect_fault(2, R, A, 0x4000);
    ck_assert_uint_eq(go(B, 0x1234, PT_PERM_READ), ~0ULL);
    expect_fault(1, R, B, 0x1234);
    ck_assert_uint_eq(go(OWN, 0x1234, PT_PERM_READ), 0x1234);
    bed.event_room = false;
    ck_assert_uint_eq(go(B, 0x1234, PT_PERM_WRITE), ~0ULL);
    expect_fault(1, W, B, 0x1234);
}
END_TEST

/* What is gone is gone at once, whatever the caches held; what is not, stays. */
/* What pcilab inspect shows: values with their names, in one line each. */

static char told[4096];

static void told_open(void *opaque, const char *name, bool list)
{
}
static void told_close(void *opaque, bool list)
{
}
static void told_flag(void *opaque, const char *name, bool value)
{
}

static void told_text(void *opaque, const char *name, const char *text)
{
    size_t at = strlen(told);

    snprintf(told + at, sizeof(told) - at, "%s=%s;", name, text);
}

static void told_number(void *opaque, const char *name, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    told_text(opaque, name, text);
}

START_TEST(test_inspect)
{
    static const struct inspect_ops ops = {told_open, told_close, told_number, told_flag,
                                           told_text};
    const struct inspect in = {&ops, NULL};
    struct iommu_access access = {.addr = 0x1234, .sid = A, .want = PT_PERM_WRITE};

    attach(7, A);
    map(7, 0x1000, 0x3fff, 0xa000, R | W);
    map(7, 0x8000, 0x8fff, 0x12000, R);
    told[0] = '\0';
    viommu_inspect(bed.viommu, &in);
    ck_assert_ptr_nonnull(strstr(told, "requester=01:00.0;domain=7;"));
    ck_assert_ptr_nonnull(
        strstr(told, "domain=7;first=0x8000;last=0x8fff;leads-to=0x12000;permissions=r-;"));
    told[0] = '\0';
    iommu_inspect_walk(viommu_core(bed.viommu), &in, &access);
    ck_assert_ptr_nonnull(strstr(told, "translation=mapped;outcome=translated;leads-to=0xa234;"));
    access.addr = 0x8000;
    told[0] = '\0';
    iommu_inspect_walk(viommu_core(bed.viommu), &in, &access);
    ck_assert_ptr_nonnull(strstr(told, "reason=2, not mapped"));
    access.sid = B;
    told[0] = '\0';
    iommu_inspect_walk(viommu_core(bed.viommu), &in, &access);
    ck_assert_ptr_nonnull(strstr(told, "reason=1, the endpoint is not attached"));
    ck_assert_uint_eq(bed.events, 0);
}
END_TEST

START_TEST(test_unmaps)
{
    ck_assert_uint_eq(attach(1, A), OK);
    ck_assert_uint_eq(attach(2, B), OK);
    ck_assert_uint_eq(map(1, 0x200000, 0x7fffff, 0x40000000, R), OK);
    ck_assert_uint_eq(map(1, 0x800000, 0x800fff, 0x1000, R), OK);
    ck_assert_uint_eq(map(2, 0x200000, 0x7fffff, 0x50000000, R), OK);
    ck_assert_uint_eq(go(A, 0x345678, PT_PERM_READ), 0x40145678);
    ck_assert_uint_eq(go(A, 0x800000, PT_PERM_READ), 0x1000);
    ck_assert_uint_eq(go(B, 0x345678, PT_PERM_READ), 0x50145678);
    /* It would be split. */
    ck_assert_uint_eq(unmap(1, 0x200000, 0x3fffff), RANGE);
    ck_assert_uint_eq(unmap(1, 0x300000, 0x7fffff), RANGE);
    ck_assert_uint_eq(unmap(1, 0x300000, 0x3fffff), RANGE);
    ck_assert_uint_eq(unmap(1, 0x300000, 0x900000), RANGE);
    ck_assert_uint_eq(go(A, 0x345678, PT_PERM_READ), 0x40145678);
    ck_assert_uint_eq(go(A, 0x800000, PT_PERM_READ), 0x1000);
    ck_assert_uint_eq(unmap(1, 0x1000, 0x7fffff), OK);
    ck_assert_uint_eq(go(A, 0x345678, PT_PERM_READ), ~0ULL);
    expect_fault(2, R, A, 0x345678);
    ck_assert_uint_eq(go(A, 0x800000, PT_PERM_READ), 0x1000);
    ck_assert_uint_eq(go(B, 0x345678, PT_PERM_READ), 0x50145678);
    /* Nothing is there any more; then everything of the other domain. */
    ck_assert_uint_eq(unmap(1, 0x1000, 0x7fffff), OK);
    ck_assert_uint_eq(unmap(2, 0, ~0ULL), OK);
    ck_assert_uint_eq(go(B, 0x345678, PT_PERM_READ), ~0ULL);
    expect_fault(2, R, B, 0x345678);
    ck_assert_uint_eq(unmap(3, 0, 0xfff), NOENT);
    ck_assert_uint_eq(unmap(1, 0x1000, 0xfff), INVAL);
}
END_TEST

/* A large page is cached as one only where the mapping has all of it. */
START_TEST(test_large_pages)
{
    const struct iommu_stats *stats = iommu_core_stats(viommu_core(bed.viommu));

    ck_assert_uint_eq(attach(1, A), OK);
    ck_assert_uint_eq(map(1, 0x1ff000, 0x401fff, 0x1ff000, R), OK);
    ck_assert_uint_eq(go(A, 0x200000, PT_PERM_READ), 0x200000);
    ck_assert_uint_eq(go(A, 0x3ff000, PT_PERM_READ), 0x3ff000);
    ck_assert_uint_eq(stats->misses, 1);
    ck_assert_uint_eq(go(A, 0x1ff000, PT_PERM_READ), 0x1ff000);
    ck_assert_uint_eq(go(A, 0x401000, PT_PERM_READ), 0x401000);
    ck_assert_uint_eq(stats->misses, 3);
    ck_assert_uint_eq(unmap(1, 0x1ff000, 0x401fff), OK);
    ck_assert_uint_eq(go(A, 0x3ff000, PT_PERM_READ), ~0ULL);
    /* Not aligned with where it leads. */
    ck_assert_uint_eq(map(1, 0x200000, 0x3fffff, 0x1000, R), OK);
    ck_assert_uint_eq(go(A, 0x200000, PT_PERM_READ), 0x1000);
    ck_assert_uint_eq(go(A, 0x201000, PT_PERM_READ), 0x2000);
    ck_assert_uint_eq(stats->hits, 1);
}
END_TEST

START_TEST(test_domains)
{
    ck_assert_uint_eq(map(1, 0x1000, 0x1fff, 0x5000, R), NOENT);
    ck_assert_uint_eq(attach(1, A), OK);
    ck_assert_uint_eq(attach(1, B), OK);
    ck_assert_uint_eq(attach(1, B), OK);
    ck_assert_uint_eq(map(1, 0x1000, 0x1fff, 0x5000, R), OK);
    ck_assert_uint_eq(go(A, 0x1000, PT_PERM_READ), 0x5000);
    ck_assert_uint_eq(go(B, 0x1000, PT_PERM_READ), 0x5000);
    ck_assert_uint_eq(detach(2, A), INVAL);
    ck_assert_uint_eq(detach(1, 0x5555), INVAL);
    ck_assert_uint_eq(detach(1, OWN), NOENT);
    ck_assert_uint_eq(detach(1, 0x10100), NOENT);
    ck_assert_uint_eq(detach(1, A), OK);
    ck_assert_uint_eq(go(A, 0x1000, PT_PERM_READ), ~0ULL);
    expect_fault(1, R, A, 0x1000);
    /* Moved: the old domain is empty, and gone with its mappings. */
    ck_assert_uint_eq(attach(2, B), OK);
    ck_assert_uint_eq(go(B, 0x1000, PT_PERM_READ), ~0ULL);
    expect_fault(2, R, B, 0x1000);
    ck_assert_uint_eq(map(1, 0x2000, 0x2fff, 0x5000, R), NOENT);
    ck_assert_uint_eq(attach(1, A), OK);
    ck_assert_uint_eq(go(A, 0x1000, PT_PERM_READ), ~0ULL);
    ck_assert_uint_eq(attach(99, A), OK);
    ck_assert_uint_eq(attach(100, A), RANGE);
    ck_assert_uint_eq(attach(~0u, A), RANGE);
    ck_assert_uint_eq(attach(3, OWN), NOENT);
    ck_assert_uint_eq(attach(3, 0x10000), NOENT);
    ck_assert_uint_eq(attach_flags(3, A, 2), INVAL);
    viommu_reset(bed.viommu);
    bed.events = 0;
    ck_assert_uint_eq(go(A, 0x1000, PT_PERM_READ), ~0ULL);
    expect_fault(1, R, A, 0x1000);
}
END_TEST

START_TEST(test_map_errors)
{
    ck_assert_uint_eq(attach(1, A), OK);
    ck_assert_uint_eq(map(1, 0x1000, 0x2fff, 0x5000, R), OK);
    ck_assert_uint_eq(map(1, 0x1000, 0x2fff, 0x5000, R), INVAL);
    ck_assert_uint_eq(map(1, 0x2000, 0x3fff, 0x5000, R), INVAL);
    ck_assert_uint_eq(map(1, 0, 0x4fff, 0x5000, R), INVAL);
    ck_assert_uint_eq(map(1, 0, 0x1fff, 0x5000, R), INVAL);
    ck_assert_uint_eq(map(1, 0x3000, 0x2fff, 0x5000, R), INVAL);
    ck_assert_uint_eq(map(1, 0x3000, 0x3000, 0x5000, R), INVAL);
    ck_assert_uint_eq(map(1, 0x3800, 0x3fff, 0x5000, R), RANGE);
    ck_assert_uint_eq(map(1, 0x3000, 0x3ffe, 0x5000, R), RANGE);
    ck_assert_uint_eq(map(1, 0x3000, 0x3fff, 0x5800, R), RANGE);
    ck_assert_uint_eq(map(1, BIT(48), BIT(48) + 0xfff, 0x5000, R), RANGE);
    ck_assert_uint_eq(map(1, BIT(47), ~0ULL, 0, R), RANGE);
    ck_assert_uint_eq(map(1, 0x3000, 0x4fff, ~0xfffULL, R), RANGE);
    ck_assert_uint_eq(map(1, 0x3000, 0x3fff, ~0xfffULL, R), OK);
    ck_assert_uint_eq(map(1, 0x4000, 0x4fff, 0x5000, 8), INVAL);
    ck_assert_uint_eq(map(1, MSI, MSI + 0xfff, 0x5000, R), INVAL);
    ck_assert_uint_eq(map(1, MSI - 0x1000, MSI + 0xfff, 0x5000, R), INVAL);
    ck_assert_uint_eq(map(1, MSI + 0xff000, MSI + 0x100fff, 0x5000, R), INVAL);
    ck_assert_uint_eq(map(1, 0x5000, low_mask(48), 0, R), INVAL);
    ck_assert_uint_eq(map(1, MSI - 0x1000, MSI - 1, 0x5000, 0), OK);
    ck_assert_uint_eq(go(A, MSI - 4, PT_PERM_READ), ~0ULL);
    expect_fault(2, R, A, MSI - 4);
    viommu_negotiated(bed.viommu, viommu_offered(bed.viommu) & ~F_MMIO);
    ck_assert_uint_eq(map(1, 0x4000, 0x4fff, 0x5000, R | MMIO), INVAL);
}
END_TEST

START_TEST(test_limit_of_mappings)
{
    ck_assert_uint_eq(attach(1, A), OK);
    ck_assert_uint_eq(attach(2, B), OK);
    for (uint64_t i = 0; i < all.mappings; i++)
        ck_assert_uint_eq(map(1 + i % 2, i << 12, (i << 12) + 0xfff, 0x5000, R), OK);
    ck_assert_uint_eq(map(1, 0x100000, 0x100fff, 0x5000, R), NOMEM);
    ck_assert_uint_eq(unmap(2, 0x1000, 0x1fff), OK);
    ck_assert_uint_eq(map(1, 0x100000, 0x100fff, 0x5000, R), OK);
    ck_assert_uint_eq(map(1, 0x101000, 0x101fff, 0x5000, R), NOMEM);
    ck_assert_uint_eq(detach(2, B), OK);
    for (uint64_t i = 0; i < 24; i++)
        ck_assert_uint_eq(map(1, 0x200000 + (i << 12), 0x200fff + (i << 12), 0x5000, R), OK);
    ck_assert_uint_eq(map(1, 0x101000, 0x101fff, 0x5000, R), NOMEM);
}
END_TEST

START_TEST(test_bypass)
{
    uint8_t one = 1, two = 2, config[VIOMMU_CONFIG_BYTES];

    ck_assert_uint_eq(attach_flags(1, A, 1), OK);
    ck_assert_uint_eq(go(A, BIT(60), PT_PERM_WRITE), BIT(60));
    ck_assert_uint_eq(map(1, 0x1000, 0x1fff, 0x5000, R), INVAL);
    ck_assert_uint_eq(unmap(1, 0x1000, 0x1fff), INVAL);
    ck_assert_uint_eq(attach(1, B), INVAL);
    ck_assert_uint_eq(attach(1, A), INVAL);
    ck_assert_uint_eq(go(B, 0x1000, PT_PERM_READ), ~0ULL);
    expect_fault(1, R, B, 0x1000);

    ck_assert(!viommu_config_written(bed.viommu, 36, &two, 1));
    ck_assert(!viommu_config_written(bed.viommu, 35, &one, 1));
    ck_assert(viommu_config_written(bed.viommu, 36, &one, 1));
    ck_assert_uint_eq(go(B, 0x1000, PT_PERM_READ), 0x1000);
    ck_assert_uint_eq(attach(2, B), OK);
    ck_assert_uint_eq(go(B, 0x1000, PT_PERM_READ), ~0ULL);
    ck_assert_uint_eq(detach(2, B), OK);
    /* It outlives a reset of the device, but not of the system. */
    viommu_reset(bed.viommu);
    ck_assert_uint_eq(go(B, 0x1000, PT_PERM_READ), 0x1000);
    ck_assert(!viommu_config_written(bed.viommu, 36, &one, 1)); /* not negotiated */
    viommu_get_config(bed.viommu, config);
    ck_assert_uint_eq(config[36], 1);
    viommu_power_on(bed.viommu);
    ck_assert_uint_eq(go(B, 0x1000, PT_PERM_READ), ~0ULL);
    viommu_get_config(bed.viommu, config);
    ck_assert_uint_eq(config[36], 0);
}
END_TEST

/* Devices without BYPASS_CONFIG, and drivers. */
START_TEST(test_old_bypass)
{
    struct viommu_features features = all;

    viommu_negotiated(bed.viommu, viommu_offered(bed.viommu) & ~F_CONFIG);
    ck_assert_uint_eq(attach_flags(1, A, 1), INVAL);
    teardown();
    features.bypass = true;
    features.bypass_config = false;
    open_with(&features);
    ck_assert_uint_eq(go(A, 0x1000, PT_PERM_READ), 0x1000);
    ck_assert_uint_eq(attach_flags(1, A, 1), INVAL);
    viommu_negotiated(bed.viommu, viommu_offered(bed.viommu) & ~F_BYPASS);
    ck_assert_uint_eq(go(A, 0x1000, PT_PERM_READ), ~0ULL);
    expect_fault(1, R, A, 0x1000);
}
END_TEST

START_TEST(test_interrupts_and_odd_accesses)
{
    struct iommu_access message = {
        .addr = MSI, .sid = A, .want = PT_PERM_WRITE, .interrupt = true, .data = 0x31};
    struct iommu_access translated = {
        .addr = 0x1000, .sid = A, .want = PT_PERM_READ, .at = IOMMU_TRANSLATED};
    struct iommu_access pasid = {
        .addr = 0x1000, .sid = A, .want = PT_PERM_READ, .has_pasid = true, .pasid = 5};

    ck_assert(!submit(&message));
    expect_fault(1, W, A, MSI);
    ck_assert_uint_eq(attach(1, A), OK);
    ck_assert_uint_eq(map(1, 0x1000, 0x1fff, 0x5000, R), OK);
    ck_assert(submit(&message) && bed.request.interrupt.compatible);
    ck_assert_uint_eq(go(A, MSI, PT_PERM_READ), ~0ULL); /* no message */
    expect_fault(2, R, A, MSI);
    ck_assert(!submit(&translated));
    expect_fault(0, R, A, 0x1000);
    ck_assert(!submit(&pasid));
    expect_fault(0, R, A, 0x1000);
    ck_assert_uint_eq(attach_flags(2, A, 1), OK);
    ck_assert(submit(&message) && bed.request.interrupt.compatible);
    ck_assert(submit(&pasid) && bed.request.addr == 0x1000);
    ck_assert(!submit(&translated));
}
END_TEST

START_TEST(test_probe)
{
    uint8_t in[72] = {PROBE}, out[VIOMMU_ANSWER_BYTES];

    le32_store(in + 4, A);
    memset(out, 0x55, sizeof(out));
    ck_assert_uint_eq(viommu_request(bed.viommu, in, sizeof(in), out, sizeof(out)), 516);
    ck_assert_uint_eq(le16_load(out), 1);
    ck_assert_uint_eq(le16_load(out + 2), 20);
    ck_assert_uint_eq(le32_load(out + 4), 1); /* MSI */
    ck_assert_uint_eq(le64_load(out + 8), MSI);
    ck_assert_uint_eq(le64_load(out + 16), MSI + 0xfffff);
    for (unsigned i = 24; i < sizeof(out); i++)
        ck_assert_uint_eq(out[i], 0);
    le32_store(in + 4, OWN);
    ck_assert_uint_eq(viommu_request(bed.viommu, in, sizeof(in), out, sizeof(out)), 516);
    ck_assert_uint_eq(out[512], NOENT);
    ck_assert_uint_eq(le16_load(out), 0);
    /* Too small for the properties. */
    ck_assert_uint_eq(viommu_request(bed.viommu, in, sizeof(in), out, 100), 100);
    ck_assert_uint_eq(out[96], INVAL);
    ck_assert_uint_eq(le16_load(out), 0);
    ck_assert_uint_eq(viommu_request(bed.viommu, in, sizeof(in), out, 3), 0);
    viommu_negotiated(bed.viommu, viommu_offered(bed.viommu) & ~F_PROBE);
    ck_assert_uint_eq(viommu_request(bed.viommu, in, sizeof(in), out, sizeof(out)), 0);
}
END_TEST

/* Requests that cannot be read are given back as they came. */
START_TEST(test_not_understood)
{
    static const uint8_t bytes[] = {0, 20, 20, 36, 28, 72, 0};
    uint8_t in[VIOMMU_REQUEST_BYTES] = {0}, out[4] = {0x55};

    for (unsigned type = 0; type < 256; type++) {
        in[0] = (uint8_t)type;
        if (type == 0 || type > 5)
            ck_assert_uint_eq(ask(in, sizeof(in)), NOT_WRITTEN);
        else
            ck_assert_uint_eq(ask(in, bytes[type] - 1u), NOT_WRITTEN);
    }
    ck_assert_uint_eq(ask(in, 0), NOT_WRITTEN);
    in[0] = ATTACH;
    ck_assert_uint_eq(viommu_request(bed.viommu, in, 20, out, 3), 0);
    ck_assert_uint_eq(viommu_request(bed.viommu, in, 20, out, 0), 0);
    ck_assert_uint_eq(out[0], 0x55);
    in[16] = 1;
    ck_assert_uint_eq(ask(in, 20), INVAL);
    viommu_negotiated(bed.viommu, viommu_offered(bed.viommu) & ~F_MAP_UNMAP);
    ck_assert_uint_eq(attach(1, A), OK);
    ck_assert_uint_eq(map(1, 0x1000, 0x1fff, 0x5000, R), NOT_WRITTEN);
    ck_assert_uint_eq(unmap(1, 0x1000, 0x1fff), NOT_WRITTEN);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("virtio face");
    TCase *tc = tcase_create("virtio face");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_offers);
    tcase_add_test(tc, test_translates);
    tcase_add_test(tc, test_inspect);
    tcase_add_test(tc, test_unmaps);
    tcase_add_test(tc, test_large_pages);
    tcase_add_test(tc, test_domains);
    tcase_add_test(tc, test_map_errors);
    tcase_add_test(tc, test_limit_of_mappings);
    tcase_add_test(tc, test_bypass);
    tcase_add_test(tc, test_old_bypass);
    tcase_add_test(tc, test_interrupts_and_odd_accesses);
    tcase_add_test(tc, test_probe);
    tcase_add_test(tc, test_not_understood);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
