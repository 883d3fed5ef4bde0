/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * iommufd TEST BDF: an exerciser whose page tables, and whose page faults, are a process's. The
 * function must be bound to vfio-pci. The exit status is 0 if all was as it has to be, 1 with a
 * message if something was not, 2 if it did not come to that, 4 if kernel or IOMMU cannot do it.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../vfio/test.h"
#include "faults.h"

#define GUARD   0xa5
#define ADDRESS 0x7f0000123000ull
#define DATA    TABLE_PAGES /* the first page that is not a table */
#define PAGES   32u

void expect_at(bool good, const char *what, int line, const char *format, ...)
{
    va_list args;

    if (good)
        return;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf(": not so (line %d: %s)\n", line, what);
    exit(1);
}

void skip(const char *why)
{
    printf("SKIP: %s\n", why);
    exit(4);
}

unsigned go(struct iommufd *i, unsigned command, uint64_t address)
{
    return dma_run(&i->f, &(struct dma){.command = command, .addr = address, .len = 64});
}

void set_local(struct iommufd *i, uint8_t value)
{
    ex_write(&i->f, EXERCISER_CHANNEL(0) + EXERCISER_CH_PATTERN, value * 0x01010101u);
    ex_write(&i->f, EXERCISER_CHANNEL(0) + EXERCISER_CH_STEP, 0);
    expect(go(i, EXERCISER_FILL, 0) == DMA_DONE, "BAR 4 is filled");
}

bool holds(const uint8_t *mem, uint8_t value)
{
    for (unsigned i = 0; i < 64; i++) {
        if (mem[i] != value)
            return false;
    }
    return true;
}

static void set_attr(struct iommufd *i, uint32_t attr)
{
    ex_write(&i->f, EXERCISER_CHANNEL(0) + EXERCISER_CH_ATTR, attr);
}

/* An address space by itself: the kernel makes the page tables. */
static void test_map(struct iommufd *i)
{
    uint8_t *mem = memory_new(2 * PAGE);
    uint32_t ioas = iommufd_ioas(i);

    memset(mem, GUARD, 2 * PAGE);
    vfio_bus_master(&i->f, true);
    expect(go(i, EXERCISER_READ, IOVA_BASE) == DMA_REFUSED, "nothing attached, nothing read");
    expect(iommufd_attach(i, ioas, NO_PASID), "attached");
    iommufd_map(i, ioas, mem, PAGE, IOVA_BASE);
    expect(go(i, EXERCISER_READ, IOVA_BASE) == DMA_DONE, "a read");
    expect(holds((const uint8_t *)i->f.bar[BAR_MEM].mem, GUARD), "it brings the data");
    set_local(i, 0x3c);
    expect(go(i, EXERCISER_WRITE, IOVA_BASE) == DMA_DONE, "a write");
    expect(holds(mem, 0x3c), "it arrives");
    expect(go(i, EXERCISER_READ, IOVA_BASE + PAGE) == DMA_REFUSED, "no more than was mapped");
    iommufd_unmap(i, ioas, IOVA_BASE, PAGE);
    expect(go(i, EXERCISER_READ, IOVA_BASE) == DMA_REFUSED, "nor what is unmapped");
    iommufd_map(i, ioas, mem, PAGE, IOVA_BASE);
    iommufd_detach(i, NO_PASID);
    expect(go(i, EXERCISER_READ, IOVA_BASE) == DMA_REFUSED, "nor what is detached");
    iommufd_destroy(i, ioas);
}

/* The function's first stage is ours, in memory that the second stage, the kernel's, lets it reach.
 */
static void nested(struct iommufd *i, uint32_t attr, unsigned refused)
{
    uint32_t ioas = iommufd_ioas(i), parent = iommufd_paging(i, ioas, HWPT_NEST_PARENT, 0), hwpt;
    struct tables t;

    if (!parent)
        skip("no nested page tables here");
    tables_new(&t, PAGES);
    iommufd_map(i, ioas, t.mem, PAGES * PAGE, IOVA_BASE);
    hwpt = iommufd_nested(i, parent, IOVA_BASE, 0, 0);
    expect(iommufd_attach(i, hwpt, NO_PASID), "attached");
    vfio_bus_master(&i->f, true);
    set_attr(i, attr);
    expect(go(i, EXERCISER_READ, ADDRESS) == refused, "what is not mapped is refused");
    tables_set(&t, ADDRESS, DATA, TABLE_WRITE);
    set_local(i, 0x11);
    expect(go(i, EXERCISER_WRITE, ADDRESS) == DMA_DONE, "a write");
    expect(holds(tables_page(&t, DATA), 0x11), "it arrives where the two stages lead");
    tables_set(&t, ADDRESS, DATA + 1, TABLE_WRITE);
    iommufd_invalidate(i, hwpt, ADDRESS, 1);
    set_local(i, 0x22);
    expect(go(i, EXERCISER_WRITE, ADDRESS) == DMA_DONE, "a write when it leads elsewhere");
    expect(holds(tables_page(&t, DATA), 0x11) && holds(tables_page(&t, DATA + 1), 0x22),
           "it arrives there");
    tables_set(&t, ADDRESS, DATA, 0);
    iommufd_invalidate(i, hwpt, ADDRESS, 1);
    go(i, EXERCISER_WRITE, ADDRESS);
    expect(holds(tables_page(&t, DATA), 0x11), "read-only means it");
    expect(go(i, EXERCISER_READ, ADDRESS) == DMA_DONE, "a read");
    tables_set(&t, ADDRESS, PAGES + 1, TABLE_WRITE);
    iommufd_invalidate(i, hwpt, ADDRESS, 1);
    expect(go(i, EXERCISER_READ, ADDRESS) == refused, "outside of the second stage");
    tables_clear(&t, ADDRESS);
    iommufd_invalidate(i, hwpt, ADDRESS, 1);
    expect(go(i, EXERCISER_READ, ADDRESS) == refused, "gone");
    iommufd_detach(i, NO_PASID);
    iommufd_destroy(i, hwpt);
    iommufd_destroy(i, parent);
    iommufd_destroy(i, ioas);
}

static void test_nested(struct iommufd *i)
{
    nested(i, 0, DMA_REFUSED);
}

static void test_nested_ats(struct iommufd *i)
{
    if (!(ex_read64(&i->f, EXERCISER_FEATURES) & EXERCISER_FEATURE_ATS))
        skip("the device has no ATS");
    nested(i, EXERCISER_ATTR_ATS, DMA_DENIED);
    expect(ex_read64(&i->f, EXERCISER_ATS_TRANSLATED) > 0, "by translated addresses");
}

/* Linux 6.12 leaves ATS off where tables are nested. */
static void test_nested_no_ats(struct iommufd *i)
{
    nested(i, EXERCISER_ATTR_ATS, DMA_REFUSED);
    expect(ex_read64(&i->f, EXERCISER_ATS_REQUESTS) == 0, "nothing is asked for");
}

static const struct {
    const char *name;
    void (*run)(struct iommufd *i);
} tests[] = {
    {"map", test_map},
    {"nested", test_nested},
    {"nested-ats", test_nested_ats},
    {"nested-no-ats", test_nested_no_ats},
    {"refused", test_refused},
    {"faults", test_faults},
    {"pending", test_pending},
    {"leave", test_leave},
    {"pasid", test_pasid},
    {"many", test_many},
};

int main(int argc, char **argv)
{
    struct iommufd i;

    for (size_t n = 0; argc == 3 && n < sizeof(tests) / sizeof(tests[0]); n++) {
        if (strcmp(argv[1], tests[n].name))
            continue;
        iommufd_open(&i, argv[2]);
        expect(ex_read(&i.f, EXERCISER_MAGIC) == EXERCISER_MAGIC_VALUE, "an exerciser");
        tests[n].run(&i);
        iommufd_close(&i);
        return 0;
    }
    fprintf(stderr, "usage: iommufd TEST BDF, with one of\n");
    for (size_t n = 0; n < sizeof(tests) / sizeof(tests[0]); n++)
        fprintf(stderr, "  %s\n", tests[n].name);
    return 2;
}
