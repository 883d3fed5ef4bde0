/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The translation cache against a plain list; and what ATS messages carry, there and back. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "atc.h"
#include "pcilab/base/bits.h"
#include "pcilab/sim/rng.h"

#define ENTRIES 32
#define LIST    4096

struct listed {
    struct atc_entry entry;
    uint64_t addr;
};

static struct listed list[LIST];
static unsigned count;

static struct atc_entry random_entry(struct sim_rng *rng, uint64_t *addr)
{
    static const uint8_t shifts[] = {12, 12, 12, 13, 16, 21};
    struct atc_entry entry = {
        .shift = shifts[sim_rng_below(rng, ARRAY_LEN(shifts))],
        .space = {.has_pasid = sim_rng_below(rng, 2), .privileged = false},
        .to = {.read = true, .addr = sim_rng_next(rng) & 0xffffff000ULL},
    };

    if (entry.space.has_pasid)
        entry.space.pasid = (uint32_t)sim_rng_below(rng, 4);
    *addr = sim_rng_below(rng, 64) << 12;
    entry.first = *addr & ~low_mask(entry.shift);
    return entry;
}

/* What was invalidated is never found; what is found was put and not invalidated since. */
START_TEST(random_use)
{
    struct sim_rng rng;
    struct atc *atc = atc_new(ENTRIES);
    unsigned hits = 0;

    sim_rng_init(&rng, 7, "test");
    for (unsigned i = 0; i < 200000; i++) {
        uint64_t addr;
        struct atc_entry entry = random_entry(&rng, &addr);
        unsigned what = (unsigned)sim_rng_below(&rng, 8);

        if (what < 4) {
            if (count == LIST)
                memmove(list, list + 1, (--count) * sizeof(list[0]));
            list[count++] = (struct listed){entry, addr};
            atc_put(atc, addr, &entry);
        } else if (what < 7) {
            const struct atc_entry *found = atc_find(atc, &entry.space, addr);
            bool known = false;

            for (unsigned k = count; found && k-- > 0 && !known;)
                known = list[k].entry.first == found->first &&
                        list[k].entry.shift == found->shift &&
                        list[k].entry.to.addr == found->to.addr &&
                        memcmp(&list[k].entry.space, &entry.space, sizeof(entry.space)) == 0;
            ck_assert(!found || known);
            hits += found != NULL;
        } else if (sim_rng_below(&rng, 4) == 0) {
            struct ats_invalidation inv = {.addr = entry.first, .shift = entry.shift};
            struct tlp_pasid pasid = {.pasid = entry.space.pasid};
            bool global = sim_rng_below(&rng, 8) == 0;
            unsigned kept = 0;

            inv.global = global;
            for (unsigned k = 0; k < count; k++) {
                const struct atc_entry *e = &list[k].entry;
                uint64_t last = e->first + low_mask(e->shift);
                uint64_t end = inv.addr + low_mask(inv.shift);
                bool space = e->space.has_pasid == entry.space.has_pasid &&
                             (global || e->space.pasid == entry.space.pasid);

                if (!(space && e->first <= end && inv.addr <= last))
                    list[kept++] = list[k];
            }
            count = kept;
            atc_invalidate(atc, &inv, entry.space.has_pasid ? &pasid : NULL);
        }
    }
    ck_assert_uint_gt(hits, 1000);
    atc_free(atc);
}
END_TEST

START_TEST(formats)
{
    struct tlp_pool *pool = tlp_pool_new();
    struct sim_rng rng;

    sim_rng_init(&rng, 3, "test");
    for (unsigned i = 0; i < 10000; i++) {
        struct ats_translation to = {
            .shift = (uint8_t)(12 + sim_rng_below(&rng, 20)),
            .read = sim_rng_below(&rng, 2),
            .write = sim_rng_below(&rng, 2),
            .execute = sim_rng_below(&rng, 2),
            .global = sim_rng_below(&rng, 2),
        };
        struct ats_translation back;
        struct ats_invalidation inv = {.itag = (uint8_t)sim_rng_below(&rng, 32)}, inv_back;
        uint8_t bytes[ATS_ENTRY_BYTES], wire[64];
        struct tlp *tlp, *again;

        to.addr = sim_rng_next(&rng) & low_mask(52) & ~low_mask(to.shift);
        ats_encode_translation(&to, bytes);
        ats_decode_translation(bytes, &back);
        ck_assert_uint_eq(back.addr, to.addr);
        ck_assert_uint_eq(back.shift, to.shift);
        ck_assert(back.read == to.read && back.write == to.write && back.execute == to.execute &&
                  back.global == to.global && !back.untranslated);

        inv.shift = sim_rng_below(&rng, 10) ? (uint8_t)(12 + sim_rng_below(&rng, 51)) : 64;
        inv.addr = inv.shift == 64 ? 0 : sim_rng_next(&rng) & ~low_mask(inv.shift);
        tlp = ats_new_invalidate(pool, (struct pci_rid){0x1234}, &inv);
        ck_assert_ptr_null(tlp_malformed(tlp));
        memcpy(wire + tlp_encode_head(tlp, wire), tlp->data, 8);
        again = tlp_decode(pool, wire, 24);
        ck_assert_ptr_nonnull(again);
        ck_assert_uint_eq(again->dest.v, 0x1234);
        ck_assert(ats_decode_invalidate(again, &inv_back));
        ck_assert_uint_eq(inv_back.addr, inv.addr);
        ck_assert_uint_eq(inv_back.shift, inv.shift);
        ck_assert_uint_eq(inv_back.itag, inv.itag);
        tlp_free(tlp);
        tlp_free(again);
    }
    tlp_pool_free(pool);
}
END_TEST

/* Two by hand, from the figures: 2 MiB at 0x40000000, read and write; a page with U. */
START_TEST(formats_by_hand)
{
    static const uint8_t large[] = {0, 0, 0, 0, 0x40, 0x0f, 0xf8, 0x03};
    static const uint8_t small[] = {0, 0, 0x12, 0x34, 0x56, 0x78, 0x90, 0x05};
    struct ats_translation to;

    ats_decode_translation(large, &to);
    ck_assert_uint_eq(to.addr, 0x40000000);
    ck_assert_uint_eq(to.shift, 21);
    ck_assert(to.read && to.write && !to.untranslated);
    ats_decode_translation(small, &to);
    ck_assert_uint_eq(to.addr, 0x123456789000ULL);
    ck_assert_uint_eq(to.shift, 12);
    ck_assert(to.read && !to.write && to.untranslated);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("atc");
    TCase *tc = tcase_create("atc");
    SRunner *runner;
    int failed;

    suite_add_tcase(suite, tc);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, random_use);
    tcase_add_test(tc, formats);
    tcase_add_test(tc, formats_by_hand);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
