/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench/ats: Address Translation Services in virtual time, against link settings and the time that
 * the IOMMU takes to read a table entry: what a translation costs, and DMA by translated and by
 * untranslated addresses; and in processor time how many Page Requests a second the model takes
 * from first touch to data.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ats_bench.h"

#define IOVA       0x7f0000000000ULL
#define PASID      5u
#define MINE       (PASID | EXERCISER_PASID_VALID)
#define PAGES      64u
#define BYTES      (PAGES * ATS_BENCH_PAGE)
#define PAGE_COUNT 2000u

static const struct {
    const char *name;
    uint8_t speed, width;
} links[] = {
    {"2.5 GT/s x1", 1, 1},
    {"8 GT/s x4", 3, 4},
    {"16 GT/s x4", 4, 4},
    {"32 GT/s x16", 5, 16},
};

/* A command's virtual time; it must end well. */
static uint64_t run(struct ats_bench *b, enum exerciser_command command, uint32_t len,
                    uint32_t attr)
{
    const struct ats_bench_dma dma = {
        .ex = EX0, .command = command, .addr = IOVA, .len = len, .attr = attr, .pasid = MINE};

    ats_bench_start(b, &dma);
    while (!ats_bench_done(b, EX0, 0))
        ats_bench_run(b);
    if (ats_bench_result(b, EX0, 0) != DMA_OK) {
        fprintf(stderr, "a command came to %u\n", ats_bench_result(b, EX0, 0));
        exit(1);
    }
    return ats_bench_read(b, EX0, EXERCISER_CHANNEL(0) + EXERCISER_CH_ENDED, 8) -
           ats_bench_read(b, EX0, EXERCISER_CHANNEL(0) + EXERCISER_CH_STARTED, 8);
}

/* Everything is forgotten: by the function, and by the unit. */
static void forget(struct ats_bench *b)
{
    ats_bench_flush(b, EX0, PASID);
    if (!ats_bench_wait(b)) {
        fprintf(stderr, "an invalidation was not answered\n");
        exit(1);
    }
}

static double rate(uint64_t ps)
{
    return ps ? (double)BYTES * 1000 / (double)ps : 0;
}

static void bench_link(unsigned link, uint64_t latency_ps)
{
    struct ats_bench *b = ats_bench_new(&(struct ats_bench_params){.timing = MACHINE_TIMING_LINK,
                                                                   .speed = links[link].speed,
                                                                   .width = links[link].width,
                                                                   .read_latency_ps = latency_ps});
    uint64_t root = ats_bench_process(b, EX0, PASID, 1), cold, warm, bare, first, again;

    for (unsigned i = 0; i < PAGES; i++)
        ats_bench_map(b, root, IOVA + i * ATS_BENCH_PAGE, ATS_BENCH_DATA + i * ATS_BENCH_PAGE,
                      ATS_BENCH_WRITE);
    first = run(b, EXERCISER_READ, 64, EXERCISER_ATTR_ATS);
    again = run(b, EXERCISER_READ, 64, EXERCISER_ATTR_ATS);
    forget(b);
    bare = run(b, EXERCISER_READ, BYTES, 0);
    forget(b);
    cold = run(b, EXERCISER_READ, BYTES, EXERCISER_ATTR_ATS);
    warm = run(b, EXERCISER_READ, BYTES, EXERCISER_ATTR_ATS);
    printf("%-12s %6u %10.1f %12.2f %12.2f %12.2f\n", links[link].name,
           (unsigned)(latency_ps / PS_PER_NS), (double)(first - again) / PS_PER_NS, rate(bare),
           rate(cold), rate(warm));
    ats_bench_free(b);
}

static uint64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* First touch of one page after another; the driver answers as soon as it hears. */
static void bench_pages(void)
{
    struct ats_bench *b = ats_bench_new(&(struct ats_bench_params){0});
    uint64_t root = ats_bench_process(b, EX0, PASID, 1), begin_ns;
    struct vtd_page_request page;
    unsigned count = 0;

    ats_bench_enable_pri(b, EX0, 32);
    b->settle_ps = PS_PER_US;
    begin_ns = cpu_ns();
    for (unsigned i = 0; i < PAGE_COUNT; i++) {
        ats_bench_start(b, &(struct ats_bench_dma){.ex = EX0,
                                                   .command = EXERCISER_WRITE,
                                                   .addr = IOVA + i * (uint64_t)ATS_BENCH_PAGE,
                                                   .len = 64,
                                                   .attr = EXERCISER_ATTR_ATS | EXERCISER_ATTR_PRI,
                                                   .pasid = MINE});
        ats_bench_run(b);
        if (!ats_bench_take_page(b, &page))
            break;
        ats_bench_map(b, root, page.addr, ATS_BENCH_DATA, ATS_BENCH_WRITE);
        ats_bench_respond(b, &page, ATS_RESPONSE_SUCCESS);
        count += ats_bench_done(b, EX0, 0);
    }
    printf("\n%u Page Requests, %.0f a second of processor time, each from first touch to data\n",
           count, count * 1e9 / (double)(cpu_ns() - begin_ns));
    ats_bench_free(b);
}

int main(void)
{
    printf("reads of %u KiB through one IOMMU; a translation: of a first access, its walk "
           "included\n\n",
           BYTES / 1024);
    printf("%-12s %6s %10s %12s %12s %12s\n", "", "entry", "translat.", "untranslated",
           "translated", "again");
    printf("%-12s %6s %10s %12s %12s %12s\n", "link", "ns", "ns", "GB/s", "GB/s", "GB/s");
    for (unsigned i = 0; i < ARRAY_LEN(links); i++) {
        bench_link(i, 0);
        bench_link(i, 100 * PS_PER_NS);
    }
    bench_pages();
    return 0;
}
