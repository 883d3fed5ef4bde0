/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The core under a face that hands out one context: nesting, caches, time. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/iommu/core/core.h"
#include "pcilab/sim/rng.h"
#include "pt_oracle.h"

#define NESTED_WALKS 100000
#define RAM_BYTES    (1u << 20)

struct bed {
    struct sim sim;
    struct trace trace;
    struct iommu_core *core;
    struct iommu_context context;
    struct random_memory random;
    uint8_t *ram; /* NULL: the random memory */
    unsigned device_lookups, answers;
    struct iommu_fault fault;
    enum iommu_status status;
    uint64_t order[16];
    struct iommu_mapping mapping; /* what translate() says; no permissions: a fault */
};

static enum iommu_step bed_device(void *face, struct iommu_lookup *lookup)
{
    struct bed *bed = face;

    bed->device_lookups++;
    lookup->device = (struct iommu_device){.has_context = true, .context = bed->context};
    return IOMMU_OK;
}

static void bed_fault(void *face, const struct iommu_fault *fault)
{
    ((struct bed *)face)->fault = *fault;
}

static enum iommu_step bed_translate_op(void *face, struct iommu_lookup *lookup)
{
    struct bed *bed = face;

    lookup->mapping = bed->mapping;
    lookup->code = 9;
    return bed->mapping.perms ? IOMMU_OK : IOMMU_FAULT;
}

static const struct iommu_face_ops bed_ops = {
    .device = bed_device, .fault = bed_fault, .translate = bed_translate_op};

static bool bed_read(void *opaque, uint64_t addr, void *data, unsigned len)
{
    struct bed *bed = opaque;
    uint64_t value;

    if (bed->ram) {
        if (!range_inside(addr, len, 0, RAM_BYTES))
            return false;
        memcpy(data, bed->ram + addr, len);
        return true;
    }
    if (!random_memory_read(&bed->random, addr, &value))
        return false;
    le64_store(data, value);
    return true;
}

static bool bed_write(void *opaque, uint64_t addr, const void *data, unsigned len)
{
    struct bed *bed = opaque;

    if (!bed->ram || !range_inside(addr, len, 0, RAM_BYTES))
        return false;
    memcpy(bed->ram + addr, data, len);
    return true;
}

static void bed_open_as(struct bed *bed, bool with_ram, uint64_t latency_ps, bool find_stale)
{
    struct iommu_core_params params = {
        .name = "bed",
        .sim = &bed->sim,
        .trace = &bed->trace,
        .ops = &bed_ops,
        .face = bed,
        .memory = {bed_read, bed_write, bed},
        .read_latency_ps = latency_ps,
        .find_stale = find_stale,
    };

    memset(bed, 0, sizeof(*bed));
    sim_init(&bed->sim, 1);
    bed->trace.now_ps = &bed->sim.now_ps;
    bed->ram = with_ram ? calloc(1, RAM_BYTES) : NULL;
    bed->core = iommu_core_new(&params);
}

static void bed_open(struct bed *bed, bool with_ram, uint64_t latency_ps)
{
    bed_open_as(bed, with_ram, latency_ps, false);
}

static void bed_close(struct bed *bed)
{
    iommu_core_free(bed->core);
    sim_fini(&bed->sim);
    free(bed->ram);
}

static void bed_done(struct iommu_request *request, enum iommu_status status)
{
    struct bed *bed = request->opaque;

    bed->status = status;
    if (bed->answers < ARRAY_LEN(bed->order))
        bed->order[bed->answers] = request->access.addr;
    bed->answers++;
}

static void bed_ask(struct bed *bed, struct iommu_request *request, uint64_t addr, uint8_t want)
{
    *request = (struct iommu_request){
        .access = {.addr = addr, .want = want, .sid = 0x100}, .done = bed_done, .opaque = bed};
    iommu_submit(bed->core, request);
}

static bool bed_translate(struct bed *bed, uint64_t addr, uint8_t want, uint64_t *out)
{
    struct iommu_request request;

    bed_ask(bed, &request, addr, want);
    *out = request.addr;
    return bed->status == IOMMU_TRANSLATED_OK;
}

/* Both stages by hand: every entry of the first is found through the second. */
struct nested {
    struct bed *bed;
    enum pt_cause cause; /* of the second stage, for an entry */
};

static bool nested_read(void *opaque, uint64_t gpa, uint64_t *value)
{
    struct nested *n = opaque;
    struct oracle_result r;

    n->cause = PT_FAULT_ADDRESS;
    if (gpa > n->bed->context.limit)
        return false;
    oracle_walk(&n->bed->context.second, gpa, (struct pt_access){PT_PERM_READ, false},
                random_memory_read, &n->bed->random, &r);
    n->cause = r.cause;
    return r.cause == PT_FAULT_NONE && random_memory_read(&n->bed->random, r.output, value);
}

static void compare_nested(struct bed *bed, uint64_t addr, uint8_t want, unsigned *ok)
{
    struct nested n = {.bed = bed};
    struct oracle_result first, second = {.cause = PT_FAULT_NONE};
    uint64_t out;
    bool is = bed_translate(bed, addr, want, &out);

    oracle_walk(&bed->context.first, addr, (struct pt_access){want, false}, nested_read, &n,
                &first);
    if (first.cause == PT_FAULT_TABLE && n.cause != PT_FAULT_NONE) {
        ck_assert(!is && bed->fault.place == IOMMU_AT_ENTRY && bed->fault.cause == n.cause);
        return;
    }
    if (first.cause != PT_FAULT_NONE) {
        ck_assert(!is && bed->fault.place == IOMMU_AT_FIRST && bed->fault.cause == first.cause);
        return;
    }
    if (first.output > bed->context.limit) {
        ck_assert(!is && bed->fault.place == IOMMU_AT_INPUT);
        return;
    }
    oracle_walk(&bed->context.second, first.output, (struct pt_access){want, false},
                random_memory_read, &bed->random, &second);
    if (second.cause != PT_FAULT_NONE) {
        ck_assert(!is && bed->fault.place == IOMMU_AT_SECOND && bed->fault.cause == second.cause);
        return;
    }
    ck_assert(is && out == second.output);
    ok[(first.page_bytes == 1 << 21) + 2 * (first.page_bytes == 1 << 30) +
       3 * ((second.page_bytes == 1 << 21) + 2 * (second.page_bytes == 1 << 30))]++;
}

START_TEST(test_nested)
{
    unsigned ok[9] = {0};
    struct sim_rng rng;
    struct bed bed;

    sim_rng_init(&rng, 3, "nested");
    bed_open(&bed, false, 0);
    for (unsigned i = 0; i < NESTED_WALKS; i++) {
        uint64_t r = sim_rng_next(&rng);
        unsigned levels = 3 + r % 3;
        uint8_t want = 1 + (r >> 8) % 3;
        uint64_t addr = sim_rng_next(&rng) & low_mask(47);

        bed.random = (struct random_memory){.seed = sim_rng_next(&rng), .end = 1ULL << 38};
        bed.random.second = true;
        bed.random.wild = i % 16 == 0;
        bed.context = (struct iommu_context){
            .kind = IOMMU_NESTED,
            .limit = low_mask(12 + 9 * levels),
            .first = {&pt_x86, (r >> 16 & 0xff) << 12, 4 + (r >> 10 & 1), 52, 3},
            .second = {&pt_vtd_second, (r >> 24 & 0xff) << 12, (uint8_t)levels, 46, 3},
        };
        /* Each walk meets empty caches, then its own translation in them. */
        iommu_flush_devices(bed.core);
        iommu_flush_pages(bed.core);
        compare_nested(&bed, addr, want, ok);
        compare_nested(&bed, addr, want, ok);
    }
    for (unsigned i = 0; i < ARRAY_LEN(ok); i++)
        ck_assert_msg(ok[i] >= 10, "page sizes %u: %u", i, ok[i]);
    ck_assert_uint_gt(iommu_core_stats(bed.core)->hits, 100);
    bed_close(&bed);
}
END_TEST

/* A second-stage tree in RAM: root at 0x1000, one table a level, leaves by hand. */
static void simple_tree(struct bed *bed)
{
    bed->context = (struct iommu_context){.kind = IOMMU_SECOND, .domain = 5, .limit = low_mask(39)};
    bed->context.second = (struct pt_config){&pt_vtd_second, 0x1000, 3, 46, 3};
    le64_store(bed->ram + 0x1000, 0x2003);
    le64_store(bed->ram + 0x2000, 0x3003);
    for (unsigned i = 0; i < 512; i++)
        le64_store(bed->ram + 0x3000 + 8 * i, (0x100 + i) << 12 | 3);
    le64_store(bed->ram + 0x2008, 0x4003);
    le64_store(bed->ram + 0x4000, 0x777003);
}

static void remap(struct bed *bed, unsigned page, uint64_t entry)
{
    le64_store(bed->ram + 0x3000 + 8 * page, entry);
}

static uint64_t translate(struct bed *bed, uint64_t addr)
{
    uint64_t out = 0;

    return bed_translate(bed, addr, PT_PERM_READ, &out) ? out : 0;
}

START_TEST(test_stale_until_invalidated)
{
    struct bed bed;

    bed_open(&bed, true, 0);
    simple_tree(&bed);
    for (unsigned page = 0; page < 8; page++)
        ck_assert_uint_eq(translate(&bed, page << 12), (0x100 + page) << 12);
    for (unsigned page = 0; page < 8; page++)
        remap(&bed, page, 0x500003 + (page << 12));
    ck_assert_uint_eq(translate(&bed, 0x2abc), 0x102abc);
    /* Exactly the pages that are named: one, an aligned pair; not another domain's. */
    iommu_flush_second(bed.core, 6, 0x2000, 0, true);
    ck_assert_uint_eq(translate(&bed, 0x2000), 0x102000);
    iommu_flush_first(bed.core, 5, 0, 0x2000, 0, true);
    ck_assert_uint_eq(translate(&bed, 0x2000), 0x102000);
    iommu_flush_second(bed.core, 5, 0x2000, 0, true);
    ck_assert_uint_eq(translate(&bed, 0x2000), 0x502000);
    ck_assert_uint_eq(translate(&bed, 0x3000), 0x103000);
    iommu_flush_second(bed.core, 5, 0x5000, 1, true);
    ck_assert_uint_eq(translate(&bed, 0x4000), 0x504000);
    ck_assert_uint_eq(translate(&bed, 0x5000), 0x505000);
    ck_assert_uint_eq(translate(&bed, 0x6000), 0x106000);
    iommu_flush_pages_of_domain(bed.core, 6);
    ck_assert_uint_eq(translate(&bed, 0x6000), 0x106000);
    iommu_flush_pages_of_domain(bed.core, 5);
    ck_assert_uint_eq(translate(&bed, 0x6000), 0x506000);
    ck_assert_uint_eq(translate(&bed, 0x7000), 0x507000);
    bed_close(&bed);
}
END_TEST

/* Upper entries stay too, unless the invalidation says that they changed. */
/* What is stale is found and named, and still used; what is right is not. */
START_TEST(test_stale_is_found)
{
    struct bed bed;

    bed_open_as(&bed, true, 0, true);
    simple_tree(&bed);
    for (unsigned page = 0; page < 4; page++) {
        ck_assert_uint_eq(translate(&bed, page << 12), (0x100 + page) << 12);
        ck_assert_uint_eq(translate(&bed, page << 12), (0x100 + page) << 12);
    }
    ck_assert_uint_eq(iommu_core_stats(bed.core)->stale, 0);
    remap(&bed, 1, 0x501003);
    remap(&bed, 2, 0); /* not mapped any more */
    ck_assert_uint_eq(translate(&bed, 0x1000), 0x101000);
    ck_assert_uint_eq(iommu_core_stats(bed.core)->stale, 1);
    ck_assert_uint_eq(translate(&bed, 0x2000), 0x102000);
    ck_assert_uint_eq(iommu_core_stats(bed.core)->stale, 2);
    ck_assert_uint_eq(translate(&bed, 0x3000), 0x103000);
    iommu_flush_second(bed.core, 5, 0x1000, 0, true);
    ck_assert_uint_eq(translate(&bed, 0x1000), 0x501000);
    ck_assert_uint_eq(translate(&bed, 0x1000), 0x501000);
    ck_assert_uint_eq(iommu_core_stats(bed.core)->stale, 2);
    bed_close(&bed);
}
END_TEST

START_TEST(test_upper_entries)
{
    struct bed bed;

    bed_open(&bed, true, 0);
    simple_tree(&bed);
    ck_assert_uint_eq(translate(&bed, 0x0), 0x100000);
    le64_store(bed.ram + 0x2000, 0x4003);
    iommu_flush_second(bed.core, 5, 0, 0, true);
    ck_assert_uint_eq(translate(&bed, 0x0), 0x100000);
    iommu_flush_second(bed.core, 5, 0, 0, false);
    ck_assert_uint_eq(translate(&bed, 0x0), 0x777000);
    /* A whole range sweeps. */
    le64_store(bed.ram + 0x2000, 0x3003);
    iommu_flush_second(bed.core, 5, 0, 27, false);
    ck_assert_uint_eq(translate(&bed, 0x0), 0x100000);
    bed_close(&bed);
}
END_TEST

START_TEST(test_rights_grow_without_invalidation)
{
    struct bed bed;
    uint64_t out;

    bed_open(&bed, true, 0);
    simple_tree(&bed);
    remap(&bed, 1, 0x101001);
    ck_assert_uint_eq(translate(&bed, 0x1000), 0x101000);
    ck_assert(!bed_translate(&bed, 0x1000, PT_PERM_WRITE, &out));
    ck_assert_int_eq(bed.fault.cause, PT_FAULT_WRITE);
    remap(&bed, 1, 0x101003);
    ck_assert(bed_translate(&bed, 0x1000, PT_PERM_WRITE, &out));
    /* An entry that was absent was never cached. */
    remap(&bed, 2, 0);
    ck_assert_uint_eq(translate(&bed, 0x2000), 0);
    remap(&bed, 2, 0x102003);
    ck_assert_uint_eq(translate(&bed, 0x2000), 0x102000);
    bed_close(&bed);
}
END_TEST

START_TEST(test_dirty)
{
    struct bed bed;
    uint64_t out;

    bed_open(&bed, true, 0);
    simple_tree(&bed);
    bed.context.second.keep_ad = true;
    translate(&bed, 0x1000);
    ck_assert_uint_eq(le64_load(bed.ram + 0x3008), 0x101103);
    ck_assert_uint_eq(le64_load(bed.ram + 0x2000), 0x3103);
    ck_assert_uint_eq(le64_load(bed.ram + 0x1000), 0x2103);
    /* The first write after a cached read still marks the page. */
    ck_assert(bed_translate(&bed, 0x1000, PT_PERM_WRITE, &out));
    ck_assert_uint_eq(le64_load(bed.ram + 0x3008), 0x101303);
    /* What faults marks nothing. */
    remap(&bed, 3, 0x103001);
    le64_store(bed.ram + 0x2000, 0x3003);
    iommu_flush_pages(bed.core);
    ck_assert(!bed_translate(&bed, 0x3000, PT_PERM_WRITE, &out));
    ck_assert_uint_eq(le64_load(bed.ram + 0x3018), 0x103001);
    ck_assert_uint_eq(le64_load(bed.ram + 0x2000), 0x3003);
    bed_close(&bed);
}
END_TEST

/* Nested: the first stage's bits are set through the second stage, which must let them be written
 * and is marked itself. First stage: guest table pages 0x8000 to 0xb000; the second stage maps
 * guest page n to 0x100000-less host page n of the same tree. */
START_TEST(test_nested_dirty)
{
    struct bed bed;
    uint64_t out;

    bed_open(&bed, true, 0);
    simple_tree(&bed);
    for (unsigned i = 0; i < 64; i++)
        remap(&bed, i, (uint64_t)i << 12 | 3);
    bed.context.kind = IOMMU_NESTED;
    bed.context.second.keep_ad = true;
    bed.context.first = (struct pt_config){&pt_x86, 0x8000, 4, 52, 3, .keep_ad = true};
    for (unsigned i = 0; i < 3; i++)
        le64_store(bed.ram + 0x8000 + i * 0x1000, 0x9007 + i * 0x1000);
    le64_store(bed.ram + 0xb000, 0x20007);
    ck_assert(bed_translate(&bed, 0x123, PT_PERM_WRITE, &out));
    ck_assert_uint_eq(out, 0x20123);
    ck_assert_uint_eq(le64_load(bed.ram + 0xb000), 0x20067);
    ck_assert_uint_eq(le64_load(bed.ram + 0x8000), 0x9027);
    /* The page of the table and the page itself are dirty in the second stage. */
    ck_assert_uint_eq(le64_load(bed.ram + 0x3000 + 8 * 0xb), 0xb303);
    ck_assert_uint_eq(le64_load(bed.ram + 0x3000 + 8 * 0x20), 0x20303);
    /* A read-only table page cannot be marked. */
    remap(&bed, 0xb, 0xb001);
    le64_store(bed.ram + 0xb000, 0x20007);
    iommu_flush_pages(bed.core);
    ck_assert(!bed_translate(&bed, 0x123, PT_PERM_READ, &out));
    ck_assert_int_eq(bed.fault.place, IOMMU_AT_ENTRY_SET);
    ck_assert_int_eq(bed.fault.cause, PT_FAULT_WRITE);
    bed_close(&bed);
}
END_TEST

struct waiter {
    struct bed *bed;
    unsigned answers; /* when it was called */
};

static void waiter_drained(void *opaque)
{
    struct waiter *waiter = opaque;

    waiter->answers = waiter->bed->answers;
}

/* Three walks at once; the one that hits does not overtake; the drain waits for those before it. */
START_TEST(test_time)
{
    struct iommu_request request[5];
    struct bed bed;
    struct waiter waiter = {&bed, 99};
    struct iommu_drain drain = {.drained = waiter_drained, .opaque = &waiter};

    bed_open(&bed, true, 1000);
    simple_tree(&bed);
    bed_ask(&bed, &request[0], 0x0000, PT_PERM_READ);
    sim_run_until(&bed.sim, 2999);
    ck_assert_uint_eq(bed.answers, 0);
    sim_run_until(&bed.sim, 3000);
    ck_assert_uint_eq(bed.answers, 1);
    bed_ask(&bed, &request[1], 0x200000, PT_PERM_READ); /* two reads: the root is known */
    bed_ask(&bed, &request[2], 0x0000, PT_PERM_READ);
    ck_assert_uint_eq(bed.answers, 1);
    iommu_drain(bed.core, &drain);
    ck_assert(drain.pending);
    bed_ask(&bed, &request[3], 0x1000, PT_PERM_READ);
    sim_run_until(&bed.sim, 4999);
    ck_assert_uint_eq(bed.answers, 1);
    sim_run_until(&bed.sim, 5000);
    ck_assert_uint_eq(bed.answers, 4);
    ck_assert_uint_eq(bed.order[1], 0x200000);
    ck_assert_uint_eq(bed.order[2], 0x0000);
    ck_assert_uint_eq(bed.order[3], 0x1000);
    ck_assert(!drain.pending && waiter.answers >= 3);
    /* What a walk read before an invalidation is used, but not kept. */
    bed_ask(&bed, &request[4], 0x2000, PT_PERM_READ);
    sim_run_until(&bed.sim, 5500);
    iommu_flush_second(bed.core, 5, 0x2000, 0, true);
    sim_run_until(&bed.sim, 7000);
    ck_assert_uint_eq(request[4].addr, 0x102000);
    remap(&bed, 2, 0x902003);
    bed_ask(&bed, &request[4], 0x2000, PT_PERM_READ);
    sim_run_until(&bed.sim, 12000);
    ck_assert_uint_eq(request[4].addr, 0x902000);
    /* A reset gives back what is under way. */
    bed_ask(&bed, &request[4], 0x3000, PT_PERM_READ);
    iommu_core_reset(bed.core);
    ck_assert_int_eq(bed.status, IOMMU_ABANDONED);
    bed_close(&bed);
}
END_TEST

/* What a face says itself is cached like a walk's result: used until it is invalidated. */
START_TEST(test_mapped)
{
    struct bed bed;
    uint64_t out;

    bed_open_as(&bed, false, 0, true);
    bed.context = (struct iommu_context){.kind = IOMMU_MAPPED, .domain = 3};
    ck_assert(!bed_translate(&bed, 0x401234, PT_PERM_READ, &out));
    ck_assert(bed.fault.place == IOMMU_AT_TABLES && bed.fault.code == 9);
    bed.mapping = (struct iommu_mapping){0x800000, 21, PT_PERM_READ | PT_PERM_USER};
    ck_assert(bed_translate(&bed, 0x401234, PT_PERM_READ, &out));
    ck_assert_uint_eq(out, 0x801234);
    ck_assert(bed_translate(&bed, 0x5fffff, PT_PERM_READ, &out));
    ck_assert_uint_eq(out, 0x9fffff);
    ck_assert_uint_eq(iommu_core_stats(bed.core)->hits, 1);
    ck_assert_uint_eq(iommu_core_stats(bed.core)->stale, 0);
    bed.mapping.perms = 0;
    ck_assert(bed_translate(&bed, 0x401234, PT_PERM_READ, &out));
    ck_assert_uint_eq(iommu_core_stats(bed.core)->stale, 1);
    /* Beside it; another domain; then some byte of it. */
    iommu_flush_span(bed.core, 3, 0x600000, 0x7fffff);
    iommu_flush_span(bed.core, 3, 0, 0x3fffff);
    iommu_flush_span(bed.core, 4, 0, ~0ULL);
    ck_assert(bed_translate(&bed, 0x401234, PT_PERM_READ, &out));
    iommu_flush_span(bed.core, 3, 0x5ff000, 0x6fffff);
    ck_assert(!bed_translate(&bed, 0x401234, PT_PERM_READ, &out));
    bed_close(&bed);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("iommu core");
    TCase *tc = tcase_create("core");

    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, test_nested);
    tcase_add_test(tc, test_stale_until_invalidated);
    tcase_add_test(tc, test_stale_is_found);
    tcase_add_test(tc, test_mapped);
    tcase_add_test(tc, test_upper_entries);
    tcase_add_test(tc, test_rights_grow_without_invalidation);
    tcase_add_test(tc, test_dirty);
    tcase_add_test(tc, test_nested_dirty);
    tcase_add_test(tc, test_time);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
