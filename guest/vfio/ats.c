/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The exerciser by translated addresses: sound, broken, and pretending (docs/exerciser.md). */
#include "ats.h"

#include <stdio.h>
#include <string.h>

#include "device.h"
#include "test.h"

#define PAGE  4096u
#define PAGES 64u
#define IOVA  0x10000000ull
#define GUARD 0xa5

enum { DONE = 0, REFUSED = 1, DENIED = 7 };

static unsigned go(const struct vfio_function *f, unsigned command, uint64_t addr, uint32_t len)
{
    return dma_run(f, &(struct dma){.command = command, .addr = addr, .len = len});
}

static void set_attr(const struct vfio_function *f, uint32_t attr)
{
    ex_write(f, EXERCISER_CHANNEL(0) + EXERCISER_CH_ATTR, attr);
}

static void fill(const struct vfio_function *f, uint8_t value)
{
    ex_write(f, EXERCISER_CHANNEL(0) + EXERCISER_CH_PATTERN, value * 0x01010101u);
    ex_write(f, EXERCISER_CHANNEL(0) + EXERCISER_CH_STEP, 0);
    expect(go(f, EXERCISER_FILL, 0, PAGE) == DONE, "BAR 4 is filled");
}

static bool all_bytes(const uint8_t *mem, uint8_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (mem[i] != value)
            return false;
    }
    return true;
}

static uint8_t *begin(struct vfio_function *f)
{
    uint8_t *mem = memory_new(PAGES * PAGE);

    expect(ex_read64(f, EXERCISER_FEATURES) & EXERCISER_FEATURE_ATS, "the device has ATS");
    vfio_map(f, mem, PAGES * PAGE, IOVA, true);
    vfio_bus_master(f, true);
    set_attr(f, EXERCISER_ATTR_ATS);
    return mem;
}

void test_ats(struct vfio_function *f)
{
    uint8_t *mem = begin(f);
    uint64_t before;

    for (unsigned i = 0; i < PAGES; i++) {
        fill(f, (uint8_t)(i + 1));
        expect(go(f, EXERCISER_WRITE, IOVA + i * PAGE, PAGE) == DONE, "a write");
    }
    for (unsigned i = 0; i < PAGES; i++) {
        expect(all_bytes(mem + i * PAGE, (uint8_t)(i + 1), PAGE), "page %u arrived", i);
        expect(go(f, EXERCISER_READ, IOVA + i * PAGE, PAGE) == DONE, "a read");
        expect(f->bar[BAR_MEM].mem[PAGE - 1] == i + 1, "it brings page %u", i);
    }
    expect(ex_read64(f, EXERCISER_ATS_REQUESTS) > 0, "translations were asked for");
    expect(ex_read64(f, EXERCISER_ATS_TRANSLATED) >= 2 * PAGES, "and used");
    before = ex_read64(f, EXERCISER_ATS_INVALIDATIONS);
    vfio_unmap(f, IOVA, PAGES * PAGE);
    expect(ex_read64(f, EXERCISER_ATS_INVALIDATIONS) > before, "what is unmapped is taken back");
    memset(mem, GUARD, PAGES * PAGE);
    for (unsigned i = 0; i < PAGES; i++) {
        expect(go(f, EXERCISER_WRITE, IOVA + i * PAGE, 64) == DENIED, "no write any more");
        expect(go(f, EXERCISER_READ, IOVA + i * PAGE, 64) == DENIED, "no read any more");
    }
    expect(all_bytes(mem, GUARD, PAGES * PAGE), "memory is not touched");
}

/* A device that goes on with what was taken back: ATS trusts it, so it gets there. */
void test_ats_keeps(struct vfio_function *f)
{
    uint8_t *mem = begin(f);

    fill(f, 0x3c);
    expect(go(f, EXERCISER_WRITE, IOVA, 64) == DONE, "a write");
    ex_write(f, EXERCISER_ATS_FAULT, EXERCISER_ATS_KEEPS);
    vfio_unmap(f, IOVA, PAGES * PAGE);
    memset(mem, GUARD, PAGE);
    expect(go(f, EXERCISER_WRITE, IOVA, 64) == DONE, "a write by a stale translation");
    expect(all_bytes(mem, 0x3c, 64), "it arrives");
}

/* One invalidation that is not answered; the kernel asks again when it has timed out. */
void test_ats_silent(struct vfio_function *f)
{
    begin(f);
    expect(go(f, EXERCISER_READ, IOVA, 64) == DONE, "a read");
    ex_write(f, EXERCISER_ATS_FAULT, EXERCISER_ATS_SILENT | EXERCISER_ATS_ONCE);
    vfio_unmap(f, IOVA, PAGES * PAGE);
    expect(ex_read64(f, EXERCISER_ATS_INVALIDATIONS) >= 2, "it was asked again");
    expect(go(f, EXERCISER_READ, IOVA, 64) == DENIED, "and gave the translation back");
}

/* An answer to an invalidation that nobody sent. */
void test_ats_unasked(struct vfio_function *f)
{
    begin(f);
    ex_write(f, EXERCISER_CHANNEL(0) + EXERCISER_CH_PATTERN, EXERCISER_EMIT_INVALIDATE_DONE);
    ex_write(f, EXERCISER_CHANNEL(0) + EXERCISER_CH_STEP, 7);
    expect(go(f, EXERCISER_EMIT, 0, 0) == DONE, "it is sent");
}

/* Addresses said to be translated: of a function that may have translations they are taken as they
 * are; of another one they are not. */
static void forge(struct vfio_function *f, bool trusted)
{
    uint8_t *mem = memory_new(PAGE);
    uint64_t physical = memory_physical(mem);

    memset(mem, GUARD, PAGE);
    vfio_bus_master(f, true);
    fill(f, 0x3c);
    set_attr(f, EXERCISER_ATTR_AT & 0x200);
    expect(go(f, EXERCISER_WRITE, physical, 64) == DONE, "a write is posted");
    expect(go(f, EXERCISER_READ, physical, 64) == (trusted ? DONE : REFUSED), "a read");
    expect(all_bytes(mem, trusted ? 0x3c : GUARD, 64), "memory");
}

void test_ats_forged(struct vfio_function *f)
{
    forge(f, true);
}

void test_ats_blocked(struct vfio_function *f)
{
    forge(f, false);
}

/* A PASID that has no page tables. */
void test_ats_pasid(struct vfio_function *f)
{
    uint8_t *mem = begin(f);

    memset(mem, GUARD, PAGE);
    set_attr(f, 0);
    ex_write(f, EXERCISER_CHANNEL(0) + EXERCISER_CH_PASID, EXERCISER_PASID_VALID | 5);
    expect(go(f, EXERCISER_READ, IOVA, 64) == REFUSED, "a read in the name of nobody");
    set_attr(f, EXERCISER_ATTR_ATS);
    expect(go(f, EXERCISER_READ, IOVA, 64) == REFUSED, "a translation for nobody");
    expect(all_bytes(mem, GUARD, PAGE), "memory is not touched");
}
