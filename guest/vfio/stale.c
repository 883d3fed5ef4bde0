/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel does right cannot be shown to go wrong with it, and a process cannot write page
 * tables. Another device can, where the kernel has it by identity: it walks the tables of VT-d's
 * scalable mode down to the entry of a page (VT-d 4.1, 9) and changes that, and nobody invalidates
 * anything.
 */
#include "stale.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "device.h"
#include "test.h"

#define PAGE       4096u
#define UNIT_BASE  0xfed90000
#define ROOT_TABLE 0x20 /* RTADDR_REG */
#define ENTRY_ADDR 0x000ffffffffff000ull
#define SECOND     2 /* PASID entry, translation type: second stage only */
#define IOVA       0x60000000ull
#define GUARD      0xa5
#define PATH_BYTES 128

static void open_helper(struct vfio_function *helper, const char *bdf)
{
    static const unsigned bars[] = {BAR_REGS, BAR_MEM};
    char path[PATH_BYTES];

    *helper = (struct vfio_function){.bdf = bdf};
    for (unsigned i = 0; i < sizeof(bars) / sizeof(bars[0]); i++) {
        snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource%u", bdf, bars[i]);
        int fd = open(path, O_RDWR | O_CLOEXEC);
        void *mem = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (fd < 0 || mem == MAP_FAILED)
            die("%s cannot be mapped", path);
        close(fd);
        helper->bar[bars[i]].mem = mem;
    }
}

static uint64_t read_physical(struct vfio_function *helper, uint64_t addr)
{
    expect(!dma_run(helper, &(struct dma){.command = EXERCISER_READ, .addr = addr, .len = 8}),
           "%s reads %#llx", helper->bdf, (unsigned long long)addr);
    return *(volatile uint64_t *)helper->bar[BAR_MEM].mem;
}

static void write_physical(struct vfio_function *helper, uint64_t addr, uint64_t value)
{
    *(volatile uint64_t *)helper->bar[BAR_MEM].mem = value;
    expect(!dma_run(helper, &(struct dma){.command = EXERCISER_WRITE, .addr = addr, .len = 8}),
           "%s writes %#llx", helper->bdf, (unsigned long long)addr);
    expect(read_physical(helper, addr) == value, "it is there");
}

static uint64_t root_table(void)
{
    int fd = open("/dev/mem", O_RDONLY | O_CLOEXEC);
    volatile uint8_t *unit = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, UNIT_BASE);

    if (fd < 0 || unit == MAP_FAILED)
        die("/dev/mem does not show the unit; is iomem=relaxed on the command line?");
    close(fd);
    return *(volatile uint64_t *)(unit + ROOT_TABLE) & ENTRY_ADDR;
}

static uint64_t table_behind(struct vfio_function *helper, uint64_t entry)
{
    uint64_t value = read_physical(helper, entry);

    expect(value & 1, "the entry at %#llx is present", (unsigned long long)entry);
    return value & ENTRY_ADDR;
}

/* Where the second stage's entry of a page is: requests without a PASID have entry 0 of each
 * table. */
static uint64_t find_entry(struct vfio_function *helper, const char *bdf, uint64_t iova)
{
    unsigned segment, bus, device, function, levels;
    uint64_t at, entry;

    if (sscanf(bdf, "%x:%x:%x.%x", &segment, &bus, &device, &function) != 4)
        die("%s is no function", bdf);
    at = root_table() + 16 * bus + (device >= 16 ? 8 : 0);
    at = table_behind(helper, at) + 32 * ((device & 15) * 8 + function);
    at = table_behind(helper, at);
    at = table_behind(helper, at);
    entry = read_physical(helper, at);
    expect((entry >> 6 & 7) == SECOND, "%s has a second stage (%#llx)", bdf,
           (unsigned long long)entry);
    levels = (entry >> 2 & 7) + 2;
    at = entry & ENTRY_ADDR;
    for (unsigned level = levels; level > 1; level--) {
        entry = read_physical(helper, at + 8 * (iova >> (9 * level + 3) & 511));
        expect(entry & 3 && !(entry & 0x80), "level %u leads to a table (%#llx)", level,
               (unsigned long long)entry);
        at = entry & ENTRY_ADDR;
    }
    return at + 8 * (iova >> 12 & 511);
}

/* The victim writes 64 bytes of `value` to its page. */
static void victim_writes(struct vfio_function *f, uint8_t value)
{
    memset((void *)f->bar[BAR_MEM].mem, value, 64);
    expect(!dma_run(f, &(struct dma){.command = EXERCISER_WRITE, .addr = IOVA, .len = 64}),
           "a write is posted");
}

void test_stale(struct vfio_function *f, const char *helper_bdf)
{
    uint8_t *mem = memory_new(3 * PAGE), *old = mem, *new = mem + PAGE, *beside = mem + 2 * PAGE;
    struct vfio_function helper;
    uint64_t at, entry;

    open_helper(&helper, helper_bdf);
    memset(mem, GUARD, 3 * PAGE);
    vfio_map(f, old, PAGE, IOVA, true);
    vfio_bus_master(f, true);
    victim_writes(f, 0x11);
    expect(old[0] == 0x11, "the mapping works");
    at = find_entry(&helper, f->bdf, IOVA);
    entry = read_physical(&helper, at);
    expect((entry & ENTRY_ADDR) == memory_physical(old), "the entry is the page's");

    /* The driver moves the page and forgets the invalidation. */
    write_physical(&helper, at, memory_physical(new) | (entry & ~ENTRY_ADDR));
    victim_writes(f, 0x22);
    expect(old[0] == 0x22 && new[0] == GUARD, "the old page is still written");
    /* Nor does the invalidation of another page help. */
    vfio_map(f, beside, PAGE, IOVA + 16 * PAGE, true);
    vfio_unmap(f, IOVA + 16 * PAGE, PAGE);
    victim_writes(f, 0x33);
    expect(old[0] == 0x33 && new[0] == GUARD, "and after another page's invalidation");
    /* It takes the page away, likewise. */
    write_physical(&helper, at, 0);
    victim_writes(f, 0x44);
    expect(old[0] == 0x44, "and when nothing is mapped any more");
    printf("moved from %#llx to %#llx\n", (unsigned long long)memory_physical(old),
           (unsigned long long)memory_physical(new));

    write_physical(&helper, at, entry);
    vfio_unmap(f, IOVA, PAGE);
    victim_writes(f, 0x55);
    expect(old[0] == 0x44, "the kernel's own unmapping invalidates: the page is out of reach");
}
