/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Walks from the root. Every device has tables and a domain of its own and they take turns, so that
 * the core's caches have displaced what they had of one when it comes again; how many entries were
 * read is counted, not assumed. Beside it a chain of as many loads, each of which needs the one
 * before, through a copy of that memory at the same addresses in the same order. Once over few
 * tables, which the host's caches hold, once over many.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iommu.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"

#define LEAF_PAGES 16u /* of each leaf table, so that the translation is not cached either */
#define CHAINS_MAX (DEVICES * 16u)
#define READS_MAX  24u /* of a walk: 4 entries, and 5 times 4 to find them and the page */

struct chain {
    uint16_t sid;
    uint64_t addr;
};

struct walks {
    struct chain chain[CHAINS_MAX];
    unsigned count;
    uint8_t *copy; /* memory for the chain of loads */
    uint64_t record[CHAINS_MAX * READS_MAX];
    uint64_t random;
};

static uint64_t random_next(struct walks *w)
{
    w->random = w->random * 6364136223846793005ULL + 1442695040888963407ULL;
    return w->random >> 33;
}

/* A guest's page: somewhere in its address space, far from the others. */
struct guest {
    struct bench *b;
    const struct pt_config *second;
    unsigned pages;
};

static uint64_t guest_page(struct guest *guest, uint64_t host)
{
    uint64_t page = ((uint64_t)guest->pages + 1) << 39 | (guest->pages * 0x9e3779b9ULL % 0x7ffffff)
                                                             << 12;

    guest->pages++;
    bench_map(guest->b, guest->second, page, host);
    return page;
}

/* First-stage tables down to a leaf table, all of them in the guest's address space. */
static void map_nested(struct guest *guest, uint64_t root_host, uint64_t addr)
{
    uint64_t table = root_host, page;

    for (unsigned level = 4; level > 1; level--) {
        uint64_t host = bench_page(guest->b);

        le64_store(guest->b->ram + table + (addr >> pt_level_shift(level) & 511) * 8,
                   guest_page(guest, host) | 0x67);
        table = host;
    }
    page = guest_page(guest, 0x5000);
    for (unsigned i = 0; i < LEAF_PAGES; i++)
        le64_store(guest->b->ram + table + ((addr >> 12 & 511) + i) * 8, page | 0x67);
}

static void make_device(struct bench *b, struct walks *w, uint16_t sid, unsigned chains)
{
    struct iommu_context *context = &b->context[sid];
    struct guest guest = {.b = b, .second = &context->second};
    uint64_t root = bench_page(b);

    context->domain = (uint16_t)(sid + 1);
    context->second.root = bench_page(b);
    context->first.root = root;
    if (context->kind == IOMMU_NESTED)
        context->first.root = guest_page(&guest, root);
    for (unsigned i = 0; i < chains; i++) {
        unsigned levels = context->kind == IOMMU_SECOND ? 4 : context->first.levels;
        uint64_t low = random_next(w) << 12 & low_mask(pt_level_shift(levels));
        uint64_t addr = (uint64_t)i << pt_level_shift(levels) | (low & ~low_mask(12 + 4));

        if (context->kind == IOMMU_NESTED)
            map_nested(&guest, root, addr);
        for (unsigned j = 0; context->kind != IOMMU_NESTED && j < LEAF_PAGES; j++)
            bench_map(b, context->kind == IOMMU_SECOND ? &context->second : &context->first,
                      addr + j * 4096, 0x5000);
        w->chain[i * DEVICES + sid] = (struct chain){.sid = sid, .addr = addr};
    }
}

static void make_devices(struct bench *b, struct walks *w, const struct iommu_context *context,
                         unsigned chains)
{
    bench_clear(b);
    w->count = DEVICES * chains;
    for (unsigned sid = 0; sid < DEVICES; sid++) {
        b->context[sid] = *context;
        make_device(b, w, (uint16_t)sid, chains);
    }
    /* Devices in no order, but the same order each time. */
    for (unsigned i = 0; i < chains; i++) {
        struct chain *chain = &w->chain[i * DEVICES];

        for (unsigned j = DEVICES - 1; j > 0; j--) {
            unsigned k = (unsigned)(random_next(w) % (j + 1));
            struct chain t = chain[j];

            chain[j] = chain[k];
            chain[k] = t;
        }
    }
}

/* One walk of each chain, to its nth page. */
static double walk_all(struct bench *b, const struct walks *w, unsigned page)
{
    uint64_t begin = bench_now_ns();

    for (unsigned i = 0; i < w->count; i++)
        bench_translate(b, w->chain[i].sid, w->chain[i].addr + page * 4096);
    return (double)(bench_now_ns() - begin) / w->count;
}

/* Nanoseconds of a load. Entries that were read twice, there being several ways through one table,
 * are in the chain once. */
static double chase(struct bench *b, struct walks *w)
{
    double ns[RUNS];
    unsigned loads = 0;

    memset(w->copy, 0, RAM_BYTES);
    for (unsigned i = 0; i < b->recorded; i++) {
        if (!le64_load(w->copy + w->record[i])) {
            le64_store(w->copy + w->record[i], 1);
            w->record[loads++] = w->record[i];
        }
    }
    for (unsigned i = 0; i < loads; i++)
        le64_store(w->copy + w->record[i], w->record[(i + 1) % loads]);
    for (unsigned run = 0; run < RUNS; run++) {
        uint64_t begin = bench_now_ns(), at = w->record[0];

        for (unsigned i = 0; i < loads; i++)
            at = le64_load(w->copy + at);
        ns[run] = (double)(bench_now_ns() - begin) / loads;
        b->sum += at;
    }
    return bench_median(ns);
}

static void bench_walk(struct bench *b, struct walks *w, const char *name, unsigned chains)
{
    const struct iommu_stats *stats = iommu_core_stats(b->core);
    double ns[RUNS], loads, load_ns;
    uint64_t reads, misses;

    for (unsigned page = 0; page < LEAF_PAGES - RUNS; page++)
        walk_all(b, w, page);
    reads = stats->reads;
    misses = stats->misses;
    for (unsigned run = 0; run < RUNS; run++)
        ns[run] = walk_all(b, w, LEAF_PAGES - RUNS + run);
    loads = (double)(stats->reads - reads) / (double)(stats->misses - misses);
    b->record = w->record;
    b->recorded = 0;
    walk_all(b, w, 0);
    b->record = NULL;
    load_ns = chase(b, w);
    printf("%-32s %6u tables %7.1f ns  %5.2f reads  %7.1f ns as a chain of loads  %5.2f\n", name,
           chains * DEVICES, bench_median(ns), loads, loads * load_ns,
           bench_median(ns) / (loads * load_ns));
}

void bench_walks(struct bench *b)
{
    static const struct {
        const char *name;
        enum iommu_kind kind;
        uint8_t levels;
        unsigned few, many; /* leaf tables of a device */
    } kinds[] = {
        {"walk, second stage, 4 levels", IOMMU_SECOND, 4, 1, 16},
        {"walk, first stage, 4 levels", IOMMU_FIRST, 4, 1, 16},
        {"walk, first stage, 5 levels", IOMMU_FIRST, 5, 1, 16},
        {"walk, nested, 4 by 4 levels", IOMMU_NESTED, 4, 1, 4},
    };
    struct walks *w = calloc(1, sizeof(*w));

    w->copy = malloc(RAM_BYTES);
    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
        struct iommu_context context = {.kind = (uint8_t)kinds[i].kind, .limit = low_mask(48)};

        context.first = (struct pt_config){&pt_x86, 0, kinds[i].levels, 46, 3};
        context.second = (struct pt_config){&pt_vtd_second, 0, 4, 46, 3};
        make_devices(b, w, &context, kinds[i].few);
        bench_walk(b, w, kinds[i].name, kinds[i].few);
        make_devices(b, w, &context, kinds[i].many);
        bench_walk(b, w, kinds[i].name, kinds[i].many);
    }
    free(w->copy);
    free(w);
}
