/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench/iommu: translations a second on hits; misses, beside as many dependent loads as they read
 * entries, spread over as much memory; an invalidation; a virtio-iommu's mappings. Processor time,
 * medians of several runs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/iommu/core/core.h"
#include "pcilab/iommu/regs/virtio.h"

#define RUNS       7
#define HITS       4000000u
#define MISSES     400000u
#define RAM_BYTES  (512u << 20)
#define LEAF_PAGES 16384u /* leaf tables: 64 MiB of each stage */

struct bench {
    struct sim sim;
    struct trace trace;
    struct iommu_core *core;
    struct iommu_context context;
    uint8_t *ram;
    uint64_t next; /* free memory */
    uint64_t sum;
    uint64_t answers;
};

static enum iommu_step bench_device(void *face, struct iommu_lookup *lookup)
{
    struct bench *b = face;

    lookup->device = (struct iommu_device){.has_context = true, .context = b->context};
    return IOMMU_OK;
}

static void bench_fault(void *face, const struct iommu_fault *fault)
{
    fprintf(stderr, "fault %u at 0x%llx\n", fault->cause, (unsigned long long)fault->access.addr);
    exit(1);
}

static const struct iommu_face_ops ops = {.device = bench_device, .fault = bench_fault};

static bool ram_read(void *opaque, uint64_t addr, void *data, unsigned len)
{
    struct bench *b = opaque;

    if (addr >= RAM_BYTES)
        return false;
    memcpy(data, b->ram + addr, len);
    return true;
}

static bool ram_write(void *opaque, uint64_t addr, const void *data, unsigned len)
{
    struct bench *b = opaque;

    memcpy(b->ram + addr, data, len);
    return true;
}

static void done(struct iommu_request *request, enum iommu_status status)
{
    struct bench *b = request->opaque;

    b->sum += request->addr;
    b->answers++;
}

/* Maps a page, tables made as needed. */
static void map(struct bench *b, const struct pt_config *config, uint64_t addr, uint64_t page)
{
    uint64_t table = config->root;

    for (unsigned level = config->levels; level > 1; level--) {
        uint8_t *entry = b->ram + table + (addr >> pt_level_shift(level) & 511) * 8;

        if (!le64_load(entry)) {
            le64_store(entry, b->next | 0x67);
            b->next += 4096;
            if (b->next > RAM_BYTES)
                abort();
        }
        table = le64_load(entry) & ~0xfffULL;
    }
    le64_store(b->ram + table + (addr >> 12 & 511) * 8, page | 0x67);
}

static uint64_t new_root(struct bench *b)
{
    b->next += 4096;
    return b->next - 4096;
}

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int compare(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;

    return (a > b) - (a < b);
}

/* An address whose leaf table is like no other's for a while. */
static uint64_t spread(uint64_t i)
{
    uint64_t leaf = i * 7919 % LEAF_PAGES;

    return leaf << 21 | (leaf * 37 + i / LEAF_PAGES) % 512 << 12;
}

static double median(double *ns)
{
    qsort(ns, RUNS, sizeof(*ns), compare);
    return ns[RUNS / 2];
}

static void bench_hits(struct bench *b)
{
    struct iommu_request request = {
        .access = {.sid = 8, .want = PT_PERM_READ}, .done = done, .opaque = b};
    double ns[RUNS];

    for (unsigned run = 0; run < RUNS; run++) {
        uint64_t begin = now_ns();

        for (unsigned i = 0; i < HITS; i++) {
            request.access.addr = (uint64_t)(i % 64) << 12;
            iommu_submit(b->core, &request);
        }
        ns[run] = (double)(now_ns() - begin) / HITS;
    }
    printf("%-28s %6.1f ns  %6.1f million/s\n", "hit", median(ns), 1000 / median(ns));
}

/* Nanoseconds of a load that depends on the one before it, anywhere in as much memory as the leaf
 * tables take. */
static double chase(struct bench *b)
{
    static uint32_t next[LEAF_PAGES * 64];
    unsigned count = LEAF_PAGES * 64;
    double ns[RUNS];
    uint64_t state = 1;

    for (uint32_t i = 0; i < count; i++)
        next[i] = i;
    /* Sattolo's shuffle: one cycle. */
    for (uint32_t i = count - 1; i > 0; i--) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        uint32_t j = (uint32_t)((state >> 33) % i), t = next[i];

        next[i] = next[j];
        next[j] = t;
    }
    for (uint32_t i = 0; i < count; i++)
        le64_store(b->ram + (uint64_t)i * 64, next[i]);
    for (unsigned run = 0; run < RUNS; run++) {
        uint64_t begin = now_ns(), at = 0;

        for (unsigned i = 0; i < MISSES; i++)
            at = le64_load(b->ram + at * 64);
        ns[run] = (double)(now_ns() - begin) / MISSES;
        b->sum += at;
    }
    return median(ns);
}

/* Upper entries are remembered as they come; the reads that were made are counted. */
static void bench_misses(struct bench *b, const char *name, double load_ns)
{
    const struct iommu_stats *stats = iommu_core_stats(b->core);
    uint64_t reads = stats->reads, misses = stats->misses;
    struct iommu_request request = {
        .access = {.sid = 8, .want = PT_PERM_READ}, .done = done, .opaque = b};
    double ns[RUNS], each;

    for (unsigned run = 0; run < RUNS; run++) {
        uint64_t begin = now_ns();

        for (unsigned i = 0; i < MISSES; i++) {
            request.access.addr = spread(i);
            iommu_submit(b->core, &request);
        }
        ns[run] = (double)(now_ns() - begin) / MISSES;
    }
    each = (double)(stats->reads - reads) / (double)(stats->misses - misses);
    printf("%-28s %6.1f ns  %.2f reads; so many dependent loads %.1f ns\n", name, median(ns), each,
           each * load_ns);
}

static void bench_flush(struct bench *b)
{
    double ns[RUNS];

    for (unsigned run = 0; run < RUNS; run++) {
        uint64_t begin = now_ns();

        for (unsigned i = 0; i < MISSES; i++)
            iommu_flush_second(b->core, 1, (uint64_t)i << 12, 0, true);
        ns[run] = (double)(now_ns() - begin) / MISSES;
    }
    printf("%-28s %6.1f ns\n", "invalidation of one page", median(ns));
}

static void bench_reset(struct bench *b, enum iommu_kind kind, unsigned first, unsigned second)
{
    memset(b->ram, 0, RAM_BYTES);
    b->next = 0x1000;
    b->context = (struct iommu_context){.kind = (uint8_t)kind, .domain = 1, .limit = low_mask(48)};
    b->context.first = (struct pt_config){&pt_x86, new_root(b), (uint8_t)first, 46, 3};
    b->context.second = (struct pt_config){&pt_vtd_second, new_root(b), (uint8_t)second, 46, 3};
    for (unsigned i = 0; i < 64; i++)
        map(b, kind == IOMMU_SECOND ? &b->context.second : &b->context.first, i << 12, 0);
    for (uint64_t i = 0; i < MISSES; i++)
        map(b, kind == IOMMU_SECOND ? &b->context.second : &b->context.first, spread(i), 0x5000);
    for (uint64_t page = 0; kind == IOMMU_NESTED && page < RAM_BYTES; page += 4096)
        map(b, &b->context.second, page, page);
    iommu_flush_devices(b->core);
    iommu_flush_pages(b->core);
}

static bool no_event(void *opaque, const uint8_t event[VIOMMU_EVENT_BYTES])
{
    return false;
}

/* Type, domain 1, page. */
static void viommu_page(struct viommu *viommu, unsigned type, uint64_t page)
{
    uint8_t in[36] = {(uint8_t)type, 0, 0, 0, 1}, out[4];

    le64_store(in + 8, page << 12);
    le64_store(in + 16, (page << 12) + 0xfff);
    if (type == 3) {
        le64_store(in + 24, page << 12);
        in[32] = 3;
    }
    if (viommu_request(viommu, in, type == 3 ? 36 : 28, out, 4) != 4 || out[0]) {
        fprintf(stderr, "request %u of page %llu: %u\n", type, (unsigned long long)page, out[0]);
        exit(1);
    }
}

/* As many mappings of a page each as the tables above have leaf tables. */
static void bench_viommu(struct bench *b)
{
    static const uint8_t attach[20] = {1, 0, 0, 0, 1, 0, 0, 0, 8};
    struct viommu *viommu =
        viommu_new(&(struct viommu_params){.name = "bench",
                                           .sim = &b->sim,
                                           .trace = &b->trace,
                                           .features = {48, 2, LEAF_PAGES + 1, true, false, true},
                                           .msi_first = 0xfee00000,
                                           .msi_last = 0xfeefffff,
                                           .event = no_event});
    struct iommu_request request = {
        .access = {.sid = 8, .want = PT_PERM_READ}, .done = done, .opaque = b};
    double miss[RUNS], change[RUNS];
    uint8_t out[4];

    viommu_negotiated(viommu, viommu_offered(viommu));
    viommu_request(viommu, attach, sizeof(attach), out, sizeof(out));
    for (uint64_t page = 0; page < LEAF_PAGES; page++)
        viommu_page(viommu, 3, page);
    for (unsigned run = 0; run < RUNS; run++) {
        uint64_t begin = now_ns();

        for (uint64_t i = 0; i < MISSES; i++) {
            request.access.addr = i * 7919 % LEAF_PAGES << 12;
            iommu_submit(viommu_core(viommu), &request);
        }
        miss[run] = (double)(now_ns() - begin) / MISSES;
        begin = now_ns();
        for (unsigned i = 0; i < MISSES; i++) {
            viommu_page(viommu, 3, LEAF_PAGES + i % 64);
            viommu_page(viommu, 4, LEAF_PAGES + i % 64);
        }
        change[run] = (double)(now_ns() - begin) / MISSES;
    }
    printf("%-28s %6.1f ns  among %u mappings\n", "miss, virtio", median(miss), LEAF_PAGES);
    printf("%-28s %6.1f ns\n", "map and unmap, virtio", median(change));
    viommu_free(viommu);
}

int main(void)
{
    struct bench b = {.ram = malloc(RAM_BYTES)};
    struct iommu_core_params params = {.name = "bench",
                                       .sim = &b.sim,
                                       .trace = &b.trace,
                                       .ops = &ops,
                                       .face = &b,
                                       .memory = {ram_read, ram_write, &b}};
    double load_ns;

    sim_init(&b.sim, 1);
    b.trace.now_ps = &b.sim.now_ps;
    b.core = iommu_core_new(&params);
    load_ns = chase(&b);
    bench_reset(&b, IOMMU_SECOND, 4, 4);
    bench_hits(&b);
    bench_misses(&b, "miss, second stage, 4 levels", load_ns);
    bench_flush(&b);
    bench_reset(&b, IOMMU_FIRST, 4, 4);
    bench_misses(&b, "miss, first stage, 4 levels", load_ns);
    bench_reset(&b, IOMMU_FIRST, 5, 4);
    bench_misses(&b, "miss, first stage, 5 levels", load_ns);
    bench_reset(&b, IOMMU_NESTED, 4, 4);
    bench_misses(&b, "miss, nested, 4 by 4 levels", load_ns);
    bench_viommu(&b);
    iommu_core_free(b.core);
    free(b.ram);
    return 0;
}
