/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Data Streaming Accelerator as a process uses it, every operation once:
 *   dsa vfio BDF                the function in the hands of this process, by VFIO
 *   dsa dedicated|shared FILE   a work queue of idxd, /dev/dsa/wqD.Q, by addresses of this process
 *   dsa pages FILE COUNT        fills so many pages that are not there, through a shared queue, and
 *                               says how long it took; for bench/pages
 * The exit status is 0 if all was as it has to be, 1 with a message if something was not.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "../../hw/endpoint/dsa/spec.h"
#include "../vfio/vfio.h"

#define PAGE      4096u
#define MEM_BYTES (1u << 20)
#define IOVA      0x40000000ull
#define VECTOR    3

#define expect(good, ...)                                                                          \
    do {                                                                                           \
        if (!(good))                                                                               \
            die(__VA_ARGS__);                                                                      \
    } while (0)

struct accel {
    volatile uint8_t *portal;
    bool shared, blocks;
    uint8_t *mem;  /* MEM_BYTES */
    uint64_t base; /* where the device has them */
};

struct record {
    volatile uint8_t status, result;
    uint16_t reserved;
    uint32_t count;
    uint64_t fault;
    uint64_t value, more;
} __attribute__((aligned(32)));

struct desc {
    uint32_t pasid, flags_opcode;
    uint64_t record, addr1, addr2;
    uint32_t size;
    uint16_t handle, reserved;
    uint64_t extra, extra2, extra3;
};

static uint64_t addr_of(const struct accel *a, const void *p)
{
    return a->base + (uint64_t)((const uint8_t *)p - a->mem);
}

/* 64 bytes in one write; the assembler may not know these instructions. */
static void movdir64b(volatile void *to, const void *from)
{
    asm volatile(".byte 0x66, 0x0f, 0x38, 0xf8, 0x02" : : "a"(to), "d"(from) : "memory");
}

static bool enqcmd(volatile void *to, const void *from)
{
    bool retry;

    asm volatile(".byte 0xf2, 0x0f, 0x38, 0xf8, 0x02"
                 : "=@ccz"(retry)
                 : "a"(to), "d"(from)
                 : "memory");
    return !retry;
}

static void submit(struct accel *a, const struct desc *d)
{
    unsigned tries = 0;

    if (!a->shared) {
        movdir64b(a->portal, d);
        return;
    }
    while (!enqcmd(a->portal, d))
        expect(++tries < 100000, "the shared queue never takes the descriptor");
}

/* The record is the first thing in memory. */
static const struct record *run(struct accel *a, struct desc d)
{
    struct record *record = (struct record *)a->mem;

    memset(record, 0, sizeof(*record));
    d.record = addr_of(a, record);
    d.flags_opcode |= DSA_FLAG_RECORD_VALID | DSA_FLAG_RECORD;
    submit(a, &d);
    for (unsigned i = 0; !record->status; i++) {
        expect(i < 20000000, "operation %u never completes", d.flags_opcode >> 24);
        asm volatile("pause");
    }
    return record;
}

static struct desc make(enum dsa_opcode opcode, uint64_t addr1, uint64_t addr2, uint32_t size)
{
    return (struct desc){
        .flags_opcode = (uint32_t)opcode << 24, .addr1 = addr1, .addr2 = addr2, .size = size};
}

static void succeed(struct accel *a, struct desc d, const char *what)
{
    const struct record *r = run(a, d);

    expect(r->status == DSA_SUCCESS, "%s: status 0x%02x, fault at 0x%llx", what, r->status,
           (unsigned long long)r->fault);
}

static uint32_t crc32c(const uint8_t *data, size_t len)
{
    uint32_t crc = ~0u;

    while (len--) {
        crc ^= *data++;
        for (unsigned i = 0; i < 8; i++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    return ~crc;
}

static void test_copies(struct accel *a)
{
    uint8_t *from = a->mem + 0x10000, *to = a->mem + 0x40000, *to2 = a->mem + 0x80000;
    const uint32_t size = 0x2f123;
    struct desc d;

    for (uint32_t i = 0; i < size; i++)
        from[i] = (uint8_t)(i * 2654435761u >> 11);
    succeed(a, make(DSA_NOOP, 0, 0, 0), "no-op");
    succeed(a, make(DSA_MEMMOVE, addr_of(a, from), addr_of(a, to), size), "memory move");
    expect(!memcmp(from, to, size), "memory move: other bytes");
    succeed(a, make(DSA_FILL, 0x1122334455667788, addr_of(a, to + 1), 1000), "fill");
    expect(to[1] == 0x88 && to[1000] == 0x11 && to[1001] == from[1001], "fill: other bytes");
    d = make(DSA_DUALCAST, addr_of(a, from), addr_of(a, to), size);
    d.extra = addr_of(a, to2);
    succeed(a, d, "dualcast");
    expect(!memcmp(from, to, size) && !memcmp(from, to2, size), "dualcast: other bytes");
    succeed(a, make(DSA_CACHE_FLUSH, 0, addr_of(a, to), size), "cache flush");
    succeed(a, make(DSA_DRAIN, 0, 0, 0), "drain");
}

static void test_checks(struct accel *a)
{
    uint8_t *from = a->mem + 0x10000, *to = a->mem + 0x40000;
    const struct record *r;

    memcpy(to, from, 20000);
    r = run(a, make(DSA_COMPARE, addr_of(a, from), addr_of(a, to), 20000));
    expect(r->status == DSA_SUCCESS && !r->result, "compare: not equal");
    to[12345] ^= 1;
    r = run(a, make(DSA_COMPARE, addr_of(a, from), addr_of(a, to), 20000));
    expect(r->result == 1 && r->count == 12345, "compare: equal up to %u", r->count);
    r = run(a, make(DSA_CRC, addr_of(a, from), 0, 20000));
    expect(r->value == crc32c(from, 20000), "CRC 0x%llx", (unsigned long long)r->value);
    r = run(a, make(DSA_COPY_CRC, addr_of(a, from), addr_of(a, to), 20000));
    expect(r->value == crc32c(from, 20000) && !memcmp(from, to, 20000), "copy with CRC");
    r = run(a, make(0x7f, 0, 0, 0));
    expect(r->status == DSA_BAD_OPCODE, "an unknown operation: status 0x%02x", r->status);
    r = run(a, make(DSA_MEMMOVE, addr_of(a, from), addr_of(a, to), 0));
    expect(r->status == DSA_BAD_SIZE, "a move of nothing: status 0x%02x", r->status);
}

static void test_batch(struct accel *a)
{
    struct desc *list = (struct desc *)(a->mem + PAGE);
    struct record *records = (struct record *)(a->mem + 2 * PAGE);
    uint8_t *to = a->mem + 0x40000;
    const struct record *r;

    memset(records, 0, PAGE);
    for (unsigned i = 0; i < 20; i++) {
        list[i] = make(DSA_FILL, i * 0x0101010101010101ull, addr_of(a, to + i * 100), 100);
        list[i].record = addr_of(a, &records[i]);
        list[i].flags_opcode |= DSA_FLAG_RECORD_VALID | DSA_FLAG_RECORD;
    }
    r = run(a, make(DSA_BATCH, addr_of(a, list), 0, 20));
    expect(r->status == DSA_SUCCESS && r->count == 20, "batch: status 0x%02x", r->status);
    for (unsigned i = 0; i < 20; i++)
        expect(records[i].status == DSA_SUCCESS && to[i * 100 + 99] == i, "descriptor %u", i);
}

/* VFIO. */

static uint64_t get(const struct vfio_function *f, unsigned offset)
{
    return *(volatile uint64_t *)(f->bar[0].mem + offset);
}

static void set(const struct vfio_function *f, unsigned offset, uint32_t value)
{
    *(volatile uint32_t *)(f->bar[0].mem + offset) = value;
}

static void command(const struct vfio_function *f, enum dsa_command code, unsigned operand)
{
    uint32_t status;

    set(f, DSA_CMD, (uint32_t)(FIELD_PREP(DSA_CMD_CODE, code) | operand));
    while ((status = (uint32_t)get(f, DSA_CMDSTS)) & DSA_CMDSTS_ACTIVE)
        usleep(100);
    expect(!status, "command %u: error 0x%02x", code, status);
}

static void start(const struct vfio_function *f)
{
    command(f, DSA_RESET_DEVICE, 0);
    set(f, DSA_WQCFG + DSA_WQ_SIZE, 64);
    set(f, DSA_WQCFG + DSA_WQ_MODE, (uint32_t)(DSA_WQ_DEDICATED | FIELD_PREP(DSA_WQ_PRIORITY, 1)));
    set(f, DSA_WQCFG + DSA_WQ_LIMITS,
        (uint32_t)(FIELD_PREP(DSA_WQ_TRANSFER_SHIFT, 31) | FIELD_PREP(DSA_WQ_BATCH_SHIFT, 10)));
    set(f, DSA_GRPCFG + DSA_GRP_QUEUES, 1);
    set(f, DSA_GRPCFG + DSA_GRP_ENGINES, 3);
    command(f, DSA_ENABLE_DEVICE, 0);
    command(f, DSA_ENABLE_WQ, 0);
}

static void test_vfio(const char *bdf)
{
    struct vfio_function f;
    struct accel a = {.mem = memory_new(MEM_BYTES), .base = IOVA};
    struct desc d = make(DSA_NOOP, 0, 0, 0);
    const struct record *r;

    vfio_open(&f, bdf);
    vfio_map(&f, a.mem, MEM_BYTES, IOVA, true);
    vfio_interrupts_on(&f);
    vfio_bus_master(&f, true);
    a.portal = f.bar[2].mem + DSA_PORTAL_BYTES;
    start(&f);
    test_copies(&a);
    test_checks(&a);
    test_batch(&a);
    d.flags_opcode |= DSA_FLAG_INTERRUPT;
    d.handle = VECTOR;
    succeed(&a, d, "no-op with interrupt");
    expect(vfio_interrupts(&f, VECTOR, 1000) == 1, "the interrupt does not come");
    r = run(&a, make(DSA_MEMMOVE, IOVA + MEM_BYTES, IOVA, 4096));
    expect(r->status == DSA_HARDWARE || r->status == DSA_PAGE_FAULT,
           "what is not mapped: status 0x%02x", r->status);
    expect(!(get(&f, DSA_SWERR) & DSA_SWERR_VALID), "SWERR 0x%llx",
           (unsigned long long)get(&f, DSA_SWERR));
    command(&f, DSA_RESET_DEVICE, 0);
    vfio_close(&f);
}

/* A work queue of idxd: the device knows the process's own addresses. */

/* Pages that were never touched, in and out. */
static void test_faults(struct accel *a)
{
    uint8_t *fresh =
        mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint8_t *from = a->mem + 0x10000;
    struct desc d = make(DSA_MEMMOVE, (uintptr_t)from, (uintptr_t)fresh, 8 * PAGE);
    const struct record *r;

    fresh[0] = 0; /* the first is there */
    r = run(a, d);
    expect(r->status == (DSA_PAGE_FAULT | DSA_STATUS_WRITE), "no blocking: status 0x%02x",
           r->status);
    expect(r->count == PAGE && r->fault == (uintptr_t)fresh + PAGE, "in part: %u bytes, 0x%llx",
           r->count, (unsigned long long)r->fault);
    expect(!memcmp(fresh, from, PAGE), "in part: other bytes");
    if (!a->blocks)
        return;
    d.flags_opcode |= DSA_FLAG_BLOCK;
    succeed(a, d, "move to pages that come when asked for");
    expect(!memcmp(fresh, from, 8 * PAGE), "after page requests: other bytes");
    d.addr1 = (uintptr_t)fresh + 32 * PAGE;
    succeed(a, d, "move from pages that were never written");
    d.addr2 = 0x1000; /* nobody's */
    r = run(a, d);
    expect(r->status == (DSA_PAGE_FAULT_RESPONSE | DSA_STATUS_WRITE),
           "nobody's memory: status 0x%02x", r->status);
}

static int open_queue(struct accel *a, const char *path, bool shared)
{
    int fd = open(path, O_RDWR);

    expect(fd >= 0, "cannot open %s: %m", path);
    *a = (struct accel){.shared = shared, .blocks = true, .mem = memory_new(MEM_BYTES)};
    a->base = (uintptr_t)a->mem;
    a->portal = mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, fd, 0);
    expect(a->portal != MAP_FAILED, "cannot map %s: %m", path);
    return fd;
}

static void test_queue(const char *path, bool shared)
{
    struct accel a;
    int fd = open_queue(&a, path, shared);

    test_copies(&a);
    test_checks(&a);
    test_batch(&a);
    test_faults(&a);
    munmap((void *)a.portal, PAGE);
    close(fd);
}

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Lines for bench/pages, which takes the time of processors between them. */
static void touch_pages(const char *path, unsigned count)
{
    struct accel a;
    int fd = open_queue(&a, path, true);
    uint8_t *fresh;
    uint64_t begin_ns;
    struct desc d;

    expect(count >= 1 && count <= 1u << 16, "1 to 65536 pages");
    fresh = mmap(NULL, (size_t)count * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                 -1, 0);
    expect(fresh != MAP_FAILED, "no room for %u pages", count);
    madvise(fresh, (size_t)count * PAGE, MADV_NOHUGEPAGE);
    d = make(DSA_FILL, 0x0101010101010101, (uintptr_t)fresh, PAGE);
    d.flags_opcode |= DSA_FLAG_BLOCK;
    succeed(&a, d, "the first page");
    printf("pages: begin\n");
    fflush(stdout);
    usleep(20000);
    begin_ns = now_ns();
    for (unsigned i = 1; i < count; i++) {
        d.addr2 = (uintptr_t)fresh + (uint64_t)i * PAGE;
        succeed(&a, d, "a page");
    }
    printf("pages: %u in %llu ns\n", count - 1, (unsigned long long)(now_ns() - begin_ns));
    fflush(stdout);
    usleep(20000);
    for (size_t i = 0; i < (size_t)count * PAGE; i++)
        expect(fresh[i] == 1, "byte %zu is not filled", i);
    munmap((void *)a.portal, PAGE);
    close(fd);
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "vfio"))
        test_vfio(argv[2]);
    else if (argc == 3 && (!strcmp(argv[1], "dedicated") || !strcmp(argv[1], "shared")))
        test_queue(argv[2], argv[1][0] == 's');
    else if (argc == 4 && !strcmp(argv[1], "pages"))
        touch_pages(argv[2], (unsigned)strtoul(argv[3], NULL, 0));
    else
        die("usage: dsa vfio BDF | dedicated FILE | shared FILE | pages FILE COUNT");
    return 0;
}
