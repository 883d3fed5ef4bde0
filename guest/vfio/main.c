/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio TEST BDF [HELPER]: an exerciser as a process uses it. The function must be bound to
 * vfio-pci. The exit status is 0 if all was as it has to be, 1 with a message if something was not,
 * 2 if it did not come to that.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ats.h"
#include "device.h"
#include "stale.h"
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

/*
 * Two users, one after the other: the first leaves secrets wherever it can write, starts a transfer
 * and dies; the second looks for them. Between them the kernel resets the function.
 */
#define SECRET      0x5ec2e75au
#define SECRET_IOVA 0x50000000ULL
#define SECRET_LEN  0x100000u

static const uint16_t global_secrets[] = {
    EXERCISER_SCRATCH0,  EXERCISER_SCRATCH1,      EXERCISER_SCRATCH2,   EXERCISER_SCRATCH3,
    EXERCISER_SCRATCH64, EXERCISER_SCRATCH64 + 4, EXERCISER_DMWR_DEFER, EXERCISER_IRQ_ENABLE,
    EXERCISER_FAULT,     EXERCISER_RRS_US,
};
static const uint16_t channel_secrets[] = {
    EXERCISER_CH_ADDR,         EXERCISER_CH_ADDR + 4,     EXERCISER_CH_LOCAL,
    EXERCISER_CH_LOCAL + 4,    EXERCISER_CH_LEN,          EXERCISER_CH_ATTR,
    EXERCISER_CH_VECTOR,       EXERCISER_CH_PATTERN,      EXERCISER_CH_STEP,
    EXERCISER_CH_OPERAND,      EXERCISER_CH_OPERAND + 4,  EXERCISER_CH_OPERAND + 8,
    EXERCISER_CH_OPERAND + 12, EXERCISER_CH_COMPARE,      EXERCISER_CH_COMPARE + 4,
    EXERCISER_CH_COMPARE + 8,  EXERCISER_CH_COMPARE + 12,
};

typedef unsigned (*secret_fn)(struct vfio_function *f, unsigned offset);

static unsigned put_secret(struct vfio_function *f, unsigned offset)
{
    /* So many microseconds the function is not ready after its reset: the kernel waits longer. */
    ex_write(f, offset, offset == EXERCISER_RRS_US ? SECRET & 0xff : SECRET);
    return 1;
}

static unsigned see_secret(struct vfio_function *f, unsigned offset)
{
    return ex_read(f, offset) != 0;
}

/* Over all registers that keep what is written. */
static unsigned each_register(struct vfio_function *f, secret_fn fn)
{
    unsigned sum = 0, channels = ex_read(f, EXERCISER_CHANNELS);

    for (unsigned i = 0; i < sizeof(global_secrets) / sizeof(global_secrets[0]); i++)
        sum += fn(f, global_secrets[i]);
    for (unsigned c = 0; c < channels; c++) {
        for (unsigned i = 0; i < sizeof(channel_secrets) / sizeof(channel_secrets[0]); i++)
            sum += fn(f, EXERCISER_CHANNEL(c) + channel_secrets[i]);
    }
    return sum;
}

static unsigned count_secrets(const volatile uint8_t *mem, uint64_t bytes)
{
    unsigned count = 0;

    for (uint64_t at = 0; mem && at < bytes; at += 4)
        count += *(const volatile uint32_t *)(mem + at) == SECRET;
    return count;
}

/* Registers that hold anything, and words of memory and configuration space with the secret. */
static unsigned find_secrets(struct vfio_function *f)
{
    static uint8_t config[4096];
    unsigned found = each_register(f, see_secret), config_bytes = sizeof(config);

    for (unsigned i = 0; i < VFIO_BARS; i++) {
        if (i != BAR_REGS)
            found += count_secrets(f->bar[i].mem, f->bar[i].bytes);
    }
    if (!vfio_config_read(f, 0, config, config_bytes))
        die("configuration space");
    return found + count_secrets(config, config_bytes);
}

static void test_leave(struct vfio_function *f)
{
    uint8_t *mem = memory_new(SECRET_LEN);
    uint32_t len = (uint32_t)f->bar[BAR_MEM].bytes;
    unsigned before;

    expect(find_secrets(f) == 0, "nothing is there yet");
    for (uint64_t at = 0; at < f->bar[BAR_MEM].bytes; at += 4)
        *(volatile uint32_t *)(f->bar[BAR_MEM].mem + at) = SECRET;
    for (unsigned at = 0; at < EXERCISER_BAR2_MEMORY_BYTES; at += 4)
        *(volatile uint32_t *)(f->bar[BAR_MSIX].mem + EXERCISER_BAR2_MEMORY + at) = SECRET;
    /* The data of the last message of the MSI-X table. */
    *(volatile uint32_t *)(f->bar[BAR_MSIX].mem + 16 * (f->vectors - 1) + 8) = SECRET;
    before = each_register(f, put_secret);
    expect(before > 50, "%u registers", before);
    before = find_secrets(f);
    expect(before > 50 + (len + EXERCISER_BAR2_MEMORY_BYTES) / 4, "%u secrets are found", before);
    printf("%u secrets\n", before);
    /* A transfer that is not over when this process is. */
    vfio_map(f, mem, SECRET_LEN, SECRET_IOVA, true);
    vfio_bus_master(f, true);
    ex_write(f, EXERCISER_FAULT, 0);
    ex_write(f, EXERCISER_CHANNEL(2) + EXERCISER_CH_ATTR, 0);
    dma_start(f, 2, &(struct dma){.command = EXERCISER_WRITE, .addr = SECRET_IOVA, .len = len});
    fflush(stdout);
    _exit(0);
}

static void test_find(struct vfio_function *f)
{
    uint8_t *mem = memory_new(PAGE);
    unsigned found = find_secrets(f);

    expect(found == 0, "%u secrets are still there", found);
    memset(mem, GUARD, PAGE);
    vfio_bus_master(f, true);
    expect(go(f, EXERCISER_READ, SECRET_IOVA, 64) == REFUSED, "the other's memory is out of reach");
    vfio_map(f, mem, PAGE, SECRET_IOVA, true);
    expect(go(f, EXERCISER_READ, SECRET_IOVA, 64) == DONE, "ours is not");
    expect(all_bytes(mem, GUARD, PAGE), "the other's transfer does not go on");
}

static const struct {
    const char *name;
    void (*run)(struct vfio_function *f);
} tests[] = {
    {"dma", test_dma},
    {"msix", test_msix},
    {"reset", test_reset},
    {"unmapped", test_unmapped},
    {"unmap", test_unmap},
    {"readonly", test_readonly},
    {"nothing", test_nothing},
    {"leave", test_leave},
    {"find", test_find},
    {"ats", test_ats},
    {"ats-keeps", test_ats_keeps},
    {"ats-silent", test_ats_silent},
    {"ats-unasked", test_ats_unasked},
    {"ats-forged", test_ats_forged},
    {"ats-blocked", test_ats_blocked},
    {"ats-pasid", test_ats_pasid},
};

int main(int argc, char **argv)
{
    struct vfio_function f;

    if (argc == 4 && !strcmp(argv[1], "stale")) {
        vfio_open(&f, argv[2]);
        test_stale(&f, argv[3]);
        vfio_close(&f);
        return 0;
    }
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
    fprintf(stderr, "  stale, with the BDF of another one that has physical addresses\n");
    return 2;
}
