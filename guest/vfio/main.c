/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio TEST BDF: an exerciser as a process uses it. The function must be bound to vfio-pci. The
 * exit status is 0 if all was as it has to be, 1 with a message if something was not, 2 if it did
 * not come to that.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device.h"
#include "test.h"

#define PAGE       4096u
#define DATA_BYTES (1u << 20)
#define GUARD      0xa5

/* Results of commands (docs/exerciser.md). */
enum { DONE = 0, REFUSED = 1, NOT_MASTER = 5 };

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

static unsigned go(const struct vfio_function *f, unsigned command, uint64_t addr, uint32_t len)
{
    return dma_run(f, &(struct dma){.command = command, .addr = addr, .len = len});
}

static bool all_bytes(const uint8_t *mem, uint8_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (mem[i] != value)
            return false;
    }
    return true;
}

/* What the device brings to an address it takes from the start of BAR 4. */
static void fill_local(const struct vfio_function *f, uint8_t value, uint32_t bytes)
{
    uint32_t word = value * 0x01010101u;

    ex_write(f, EXERCISER_CHANNEL(0) + EXERCISER_CH_PATTERN, word);
    ex_write(f, EXERCISER_CHANNEL(0) + EXERCISER_CH_STEP, 0);
    expect(go(f, EXERCISER_FILL, 0, bytes) == DONE, "BAR 4 is filled");
}

/* A megabyte to the device and back, by DMA both ways; the device's checksum and its memory as the
 * processor sees it say the same. */
static void test_dma(struct vfio_function *f)
{
    const uint64_t iova = 0x10000000;
    uint32_t half = DATA_BYTES / 2, chunk = 4096;
    uint8_t *mem = memory_new(DATA_BYTES);

    if (f->bar[BAR_MEM].bytes < chunk)
        chunk = (uint32_t)f->bar[BAR_MEM].bytes;
    for (uint32_t i = 0; i < half; i++)
        mem[i] = (uint8_t)(i * 2654435761u >> 13);
    vfio_map(f, mem, DATA_BYTES, iova, true);
    vfio_bus_master(f, true);
    for (uint32_t at = 0; at < half; at += chunk) {
        expect(go(f, EXERCISER_READ, iova + at, chunk) == DONE, "a read of %u bytes", chunk);
        expect(!memcmp((const void *)f->bar[BAR_MEM].mem, mem + at, chunk),
               "BAR 4 holds what the device read");
        expect(go(f, EXERCISER_WRITE, iova + half + at, chunk) == DONE, "a write");
    }
    expect(!memcmp(mem, mem + half, half), "what came back is what was sent");
}

static void test_msix(struct vfio_function *f)
{
    const uint64_t iova = 0x10000000;
    uint8_t *mem = memory_new(PAGE);
    unsigned last = f->vectors - 1;

    expect(f->vectors >= 2, "%u vectors", f->vectors);
    vfio_interrupts_on(f);
    vfio_map(f, mem, PAGE, iova, true);
    vfio_bus_master(f, true);
    for (unsigned i = 0; i < f->vectors; i++) {
        ex_write(f, EXERCISER_IRQ_TRIGGER, i);
        expect(vfio_interrupts(f, i, 1000) == 1, "vector %u arrives once", i);
    }
    dma_start(
        f, 1,
        &(struct dma){EXERCISER_READ, iova, 0, PAGE, .vector = EXERCISER_VECTOR_ENABLE | last});
    expect(vfio_interrupts(f, last, 1000) == 1, "a command ends with vector %u", last);
    expect(dma_wait(f, 1) == DONE, "... and well");
    for (unsigned i = 0; i < f->vectors; i++)
        expect(vfio_interrupts(f, i, 0) == 0, "no more of vector %u", i);
    expect(ex_read64(f, EXERCISER_IRQ_COUNT) == f->vectors + 1u, "the device counts as many");
    expect(ex_read64(f, EXERCISER_IRQ_LOST) == 0, "and none lost");
}

/* Function Level Reset by VFIO_DEVICE_RESET: the device forgets, the mappings stay. */
static void test_reset(struct vfio_function *f)
{
    const uint64_t iova = 0x10000000;
    uint8_t *mem = memory_new(PAGE);
    uint64_t resets = ex_read64(f, EXERCISER_RESET_COUNT);

    vfio_map(f, mem, PAGE, iova, true);
    vfio_bus_master(f, true);
    memset(mem, GUARD, PAGE);
    ex_write(f, EXERCISER_SCRATCH0, 0x12345678);
    expect(go(f, EXERCISER_READ, iova, PAGE) == DONE, "a read");
    expect(f->bar[BAR_MEM].mem[0] == GUARD, "BAR 4 holds data");
    vfio_reset(f);
    expect(ex_read64(f, EXERCISER_RESET_COUNT) == resets + 1, "one more reset");
    expect(ex_read(f, EXERCISER_SCRATCH0) == 0, "a register is as it was at the start");
    expect(all_bytes((const uint8_t *)f->bar[BAR_MEM].mem, 0, PAGE), "BAR 4 is empty");
    expect(all_bytes(mem, GUARD, PAGE), "memory is not touched");
    vfio_bus_master(f, true);
    expect(go(f, EXERCISER_READ, iova, PAGE) == DONE, "DMA goes on");
}

/* Three pages, of which the device is given the middle one. */
static void test_unmapped(struct vfio_function *f)
{
    const uint64_t iova = 0x20001000;
    uint8_t *mem = memory_new(3 * PAGE);

    memset(mem, GUARD, 3 * PAGE);
    vfio_map(f, mem + PAGE, PAGE, iova, true);
    vfio_bus_master(f, true);
    fill_local(f, 0x3c, 2 * 64);
    expect(go(f, EXERCISER_WRITE, iova + PAGE, 64) == DONE, "a write is posted");
    expect(go(f, EXERCISER_READ, iova - PAGE, 64) == REFUSED, "a read is refused");
    expect(all_bytes(mem, GUARD, 3 * PAGE), "memory is not touched");
    fill_local(f, 0x3c, 2 * 64);
    expect(go(f, EXERCISER_WRITE, iova + PAGE - 64, 2 * 64) == DONE, "a write across the end");
    expect(all_bytes(mem + 2 * PAGE - 64, 0x3c, 64), "its first half arrives");
    expect(all_bytes(mem + 2 * PAGE, GUARD, PAGE), "its second does not");
}

/* What was mapped and is no more: the translation must not outlive it in a cache. */
static void test_unmap(struct vfio_function *f)
{
    const uint64_t iova = 0x30000000;
    uint8_t *mem = memory_new(PAGE);

    memset(mem, GUARD, PAGE);
    vfio_map(f, mem, PAGE, iova, true);
    vfio_bus_master(f, true);
    expect(go(f, EXERCISER_READ, iova, 64) == DONE, "a read");
    vfio_unmap(f, iova, PAGE);
    fill_local(f, 0x3c, 64);
    expect(go(f, EXERCISER_WRITE, iova, 64) == DONE, "a write is posted");
    expect(go(f, EXERCISER_READ, iova, 64) == REFUSED, "a read is refused");
    expect(all_bytes(mem, GUARD, PAGE), "memory is not touched");
}

static void test_readonly(struct vfio_function *f)
{
    const uint64_t iova = 0x40000000;
    uint8_t *mem = memory_new(PAGE);

    memset(mem, GUARD, PAGE);
    vfio_map(f, mem, PAGE, iova, false);
    vfio_bus_master(f, true);
    expect(go(f, EXERCISER_READ, iova, 64) == DONE, "a read");
    expect(f->bar[BAR_MEM].mem[0] == GUARD, "it brings the data");
    fill_local(f, 0x3c, 64);
    expect(go(f, EXERCISER_WRITE, iova, 64) == DONE, "a write is posted");
    expect(all_bytes(mem, GUARD, PAGE), "memory is not touched");
}

/* Bus master with no mapping at all reaches nothing, not even by physical addresses. */
static void test_nothing(struct vfio_function *f)
{
    uint8_t *mem = memory_new(PAGE);
    uint64_t physical = memory_physical(mem);

    memset(mem, GUARD, PAGE);
    fill_local(f, 0x3c, PAGE);
    expect(go(f, EXERCISER_WRITE, physical, 64) == NOT_MASTER, "no bus master, no request");
    vfio_bus_master(f, true);
    for (uint64_t at = 0; at < PAGE; at += PAGE / 4) {
        expect(go(f, EXERCISER_WRITE, physical + at, 64) == DONE, "a write is posted");
        expect(go(f, EXERCISER_READ, physical + at, 64) == REFUSED, "a read is refused");
    }
    expect(all_bytes(mem, GUARD, PAGE), "memory is not touched");
    printf("physical address 0x%llx\n", (unsigned long long)physical);
}

static const struct {
    const char *name;
    void (*run)(struct vfio_function *f);
} tests[] = {
    {"dma", test_dma},           {"msix", test_msix},   {"reset", test_reset},
    {"unmapped", test_unmapped}, {"unmap", test_unmap}, {"readonly", test_readonly},
    {"nothing", test_nothing},
};

int main(int argc, char **argv)
{
    struct vfio_function f;

    for (size_t i = 0; argc == 3 && i < sizeof(tests) / sizeof(tests[0]); i++) {
        if (strcmp(argv[1], tests[i].name))
            continue;
        vfio_open(&f, argv[2]);
        expect(ex_read(&f, EXERCISER_MAGIC) == EXERCISER_MAGIC_VALUE, "an exerciser");
        tests[i].run(&f);
        vfio_close(&f);
        return 0;
    }
    fprintf(stderr, "usage: vfio TEST BDF, with one of\n");
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        fprintf(stderr, "  %s\n", tests[i].name);
    return 2;
}
