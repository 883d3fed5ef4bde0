/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench/iommu: translations a second on hits; walks, beside as many dependent loads
 * (iommu_walk.c); an invalidation, with few and many translations cached; a virtio-iommu's
 * mappings. Processor time, medians of several runs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "iommu.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/iommu/regs/virtio.h"

#define HITS       4000000u
#define MISSES     400000u
#define TLB_PAGES  4096u  /* about as many as the core caches */
#define LEAF_PAGES 16384u /* leaf tables: 64 MiB */

static enum iommu_step bench_device(void *face, struct iommu_lookup *lookup)
{
    struct bench *b = face;

    lookup->device =
        (struct iommu_device){.has_context = true, .context = b->context[lookup->access->sid]};
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
    if (b->record)
        b->record[b->recorded++] = addr;
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

uint64_t bench_page(struct bench *b)
{
    b->next += 4096;
    if (b->next > RAM_BYTES) {
        fprintf(stderr, "tables do not fit\n");
        exit(1);
    }
    return b->next - 4096;
}

void bench_map(struct bench *b, const struct pt_config *config, uint64_t addr, uint64_t page)
{
    uint64_t table = config->root;

    for (unsigned level = config->levels; level > 1; level--) {
        uint8_t *entry = b->ram + table + (addr >> pt_level_shift(level) & 511) * 8;

        if (!le64_load(entry))
            le64_store(entry, bench_page(b) | 0x67);
        table = le64_load(entry) & ~0xfffULL;
    }
    le64_store(b->ram + table + (addr >> 12 & 511) * 8, page | 0x67);
}

uint64_t bench_now_ns(void)
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

double bench_median(double *ns)
{
    qsort(ns, RUNS, sizeof(*ns), compare);
    return ns[RUNS / 2];
}

void bench_clear(struct bench *b)
{
    memset(b->ram, 0, b->next);
    b->next = 0x1000;
    iommu_flush_devices(b->core);
    iommu_flush_pages(b->core);
}

void bench_translate(struct bench *b, uint16_t sid, uint64_t addr)
{
    struct iommu_request request = {
        .access = {.sid = sid, .addr = addr, .want = PT_PERM_READ}, .done = done, .opaque = b};

    iommu_submit(b->core, &request);
}

/* Devices 8 and 9: a second stage; and a first within a second, where addresses stay as they are.
 */
static void map_pages(struct bench *b)
{
    struct iommu_context *second = &b->context[8], *nested = &b->context[9];

    bench_clear(b);
    *second = (struct iommu_context){.kind = IOMMU_SECOND, .domain = 1, .limit = low_mask(48)};
    second->second = (struct pt_config){&pt_vtd_second, bench_page(b), 4, 46, 3};
    *nested = (struct iommu_context){.kind = IOMMU_NESTED, .domain = 2, .limit = low_mask(48)};
    nested->first = (struct pt_config){&pt_x86, bench_page(b), 4, 46, 3};
    nested->second = (struct pt_config){&pt_vtd_second, bench_page(b), 4, 46, 3};
    for (uint64_t page = 0; page < TLB_PAGES; page++) {
        bench_map(b, &second->second, page << 12, 0x5000);
        bench_map(b, &nested->first, page << 12, page << 12);
    }
    for (uint64_t page = 0; page < RAM_BYTES >> 12; page++)
        bench_map(b, &nested->second, page << 12, page << 12);
}

static void bench_hits(struct bench *b)
{
    struct iommu_request request = {
        .access = {.sid = 8, .want = PT_PERM_READ}, .done = done, .opaque = b};
    double ns[RUNS];

    map_pages(b);
    for (unsigned run = 0; run < RUNS; run++) {
        uint64_t begin = bench_now_ns();

        for (unsigned i = 0; i < HITS; i++) {
            request.access.addr = (uint64_t)(i % 64) << 12;
            iommu_submit(b->core, &request);
        }
        ns[run] = (double)(bench_now_ns() - begin) / HITS;
    }
    printf("%-32s %7.1f ns  %.1f million/s\n", "hit", bench_median(ns), 1000 / bench_median(ns));
}

/* Of each page once, with so many translations cached. */
static void bench_flush(struct bench *b, const char *name, uint16_t sid, unsigned domain,
                        unsigned cached)
{
    double ns[RUNS];

    for (unsigned run = 0; run < RUNS; run++) {
        uint64_t begin;

        iommu_flush_pages(b->core);
        for (uint64_t page = 0; page < cached; page++)
            bench_translate(b, sid, page << 12);
        begin = bench_now_ns();
        for (uint64_t page = 0; page < TLB_PAGES; page++)
            iommu_flush_second(b->core, (uint16_t)domain, page << 12, 0, true);
        ns[run] = (double)(bench_now_ns() - begin) / TLB_PAGES;
    }
    printf("%-32s %7.1f ns  with %u translations cached\n", name, bench_median(ns), cached);
}

static void bench_flushes(struct bench *b)
{
    static const unsigned cached[] = {1, TLB_PAGES};

    map_pages(b);
    for (unsigned i = 0; i < ARRAY_LEN(cached); i++)
        bench_flush(b, "invalidation of a page", 8, 1, cached[i]);
    for (unsigned i = 0; i < ARRAY_LEN(cached); i++)
        bench_flush(b, "the same, nested ones elsewhere", 9, 1, cached[i]);
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
        uint64_t begin = bench_now_ns();

        for (uint64_t i = 0; i < MISSES; i++) {
            request.access.addr = i * 7919 % LEAF_PAGES << 12;
            iommu_submit(viommu_core(viommu), &request);
        }
        miss[run] = (double)(bench_now_ns() - begin) / MISSES;
        begin = bench_now_ns();
        for (unsigned i = 0; i < MISSES; i++) {
            viommu_page(viommu, 3, LEAF_PAGES + i % 64);
            viommu_page(viommu, 4, LEAF_PAGES + i % 64);
        }
        change[run] = (double)(bench_now_ns() - begin) / MISSES;
    }
    printf("%-32s %7.1f ns  among %u mappings\n", "miss, virtio", bench_median(miss), LEAF_PAGES);
    printf("%-32s %7.1f ns\n", "map and unmap, virtio", bench_median(change));
    viommu_free(viommu);
}

int main(void)
{
    struct bench *b = calloc(1, sizeof(*b));
    struct iommu_core_params params = {.name = "bench",
                                       .sim = &b->sim,
                                       .trace = &b->trace,
                                       .ops = &ops,
                                       .face = b,
                                       .memory = {ram_read, ram_write, b}};

    b->ram = calloc(1, RAM_BYTES);
    sim_init(&b->sim, 1);
    b->trace.now_ps = &b->sim.now_ps;
    b->core = iommu_core_new(&params);
    bench_hits(b);
    bench_walks(b);
    bench_flushes(b);
    bench_viommu(b);
    iommu_core_free(b->core);
    free(b->ram);
    free(b);
    return 0;
}
