/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vfio.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PATH_BYTES 256

void die_at(const char *file, int line, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "vfio: %s:%d: ", file, line);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(2);
}

static int must(int result, const char *what)
{
    if (result < 0)
        die("%s: %s", what, strerror(errno));
    return result;
}

static void open_group(struct vfio_function *f)
{
    struct vfio_group_status status = {.argsz = sizeof(status)};
    char path[PATH_BYTES], target[PATH_BYTES];
    ssize_t len;

    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", f->bdf);
    len = readlink(path, target, sizeof(target) - 1);
    if (len < 0)
        die("%s is in no IOMMU group", f->bdf);
    target[len] = '\0';
    snprintf(path, sizeof(path), "/dev/vfio%.32s", strrchr(target, '/'));
    f->container = must(open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC), "/dev/vfio/vfio");
    if (ioctl(f->container, VFIO_GET_API_VERSION) != VFIO_API_VERSION ||
        ioctl(f->container, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU) != 1)
        die("no type 1 IOMMU");
    f->group = must(open(path, O_RDWR | O_CLOEXEC), path);
    must(ioctl(f->group, VFIO_GROUP_GET_STATUS, &status), "VFIO_GROUP_GET_STATUS");
    if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE))
        die("%s: not every function of %s has a driver that leaves it to us", f->bdf, path);
    must(ioctl(f->group, VFIO_GROUP_SET_CONTAINER, &f->container), "VFIO_GROUP_SET_CONTAINER");
    must(ioctl(f->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), "VFIO_SET_IOMMU");
    f->device = must(ioctl(f->group, VFIO_GROUP_GET_DEVICE_FD, f->bdf), "VFIO_GROUP_GET_DEVICE_FD");
}

static void map_bars(struct vfio_function *f)
{
    struct vfio_region_info info = {.argsz = sizeof(info), .index = VFIO_PCI_CONFIG_REGION_INDEX};

    must(ioctl(f->device, VFIO_DEVICE_GET_REGION_INFO, &info), "configuration space");
    f->config_at = info.offset;
    for (unsigned i = 0; i < VFIO_BARS; i++) {
        info = (struct vfio_region_info){.argsz = sizeof(info), .index = i};
        must(ioctl(f->device, VFIO_DEVICE_GET_REGION_INFO, &info), "a BAR");
        f->bar[i].offset = info.offset;
        f->bar[i].bytes = info.size;
        if (info.flags & VFIO_REGION_INFO_FLAG_MMAP) {
            void *mem = mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED, f->device,
                             (off_t)info.offset);

            if (mem == MAP_FAILED)
                die("BAR %u: %s", i, strerror(errno));
            f->bar[i].mem = mem;
        }
    }
}

void vfio_set_up(struct vfio_function *f)
{
    struct vfio_irq_info irq = {.argsz = sizeof(irq), .index = VFIO_PCI_MSIX_IRQ_INDEX};

    map_bars(f);
    must(ioctl(f->device, VFIO_DEVICE_GET_IRQ_INFO, &irq), "VFIO_DEVICE_GET_IRQ_INFO");
    f->vectors = irq.count < VFIO_VECTOR_MAX ? irq.count : VFIO_VECTOR_MAX;
    for (unsigned i = 0; i < VFIO_VECTOR_MAX; i++)
        f->eventfd[i] = -1;
    vfio_bus_master(f, false);
}

void vfio_open(struct vfio_function *f, const char *bdf)
{
    *f = (struct vfio_function){.bdf = bdf};
    open_group(f);
    vfio_set_up(f);
}

void vfio_close(struct vfio_function *f)
{
    for (unsigned i = 0; i < VFIO_BARS; i++) {
        if (f->bar[i].mem)
            munmap((void *)f->bar[i].mem, f->bar[i].bytes);
    }
    for (unsigned i = 0; i < VFIO_VECTOR_MAX; i++) {
        if (f->eventfd[i] >= 0)
            close(f->eventfd[i]);
    }
    close(f->device);
    if (f->group >= 0) {
        close(f->group);
        close(f->container);
    }
}

bool vfio_config_read(struct vfio_function *f, unsigned offset, void *data, unsigned len)
{
    return pread(f->device, data, len, (off_t)(f->config_at + offset)) == (ssize_t)len;
}

bool vfio_config_write(struct vfio_function *f, unsigned offset, const void *data, unsigned len)
{
    return pwrite(f->device, data, len, (off_t)(f->config_at + offset)) == (ssize_t)len;
}

void vfio_bus_master(struct vfio_function *f, bool on)
{
    uint16_t command = PCI_COMMAND_MEMORY | (on ? PCI_COMMAND_MASTER : 0);

    if (!vfio_config_write(f, PCI_COMMAND, &command, sizeof(command)))
        die("the command register: %s", strerror(errno));
}

void vfio_map(struct vfio_function *f, void *mem, uint64_t bytes, uint64_t iova, bool writable)
{
    struct vfio_iommu_type1_dma_map map = {
        .argsz = sizeof(map),
        .flags = VFIO_DMA_MAP_FLAG_READ | (writable ? VFIO_DMA_MAP_FLAG_WRITE : 0),
        .vaddr = (uintptr_t)mem,
        .iova = iova,
        .size = bytes,
    };

    must(ioctl(f->container, VFIO_IOMMU_MAP_DMA, &map), "VFIO_IOMMU_MAP_DMA");
}

void vfio_unmap(struct vfio_function *f, uint64_t iova, uint64_t bytes)
{
    struct vfio_iommu_type1_dma_unmap unmap = {.argsz = sizeof(unmap), .iova = iova, .size = bytes};

    must(ioctl(f->container, VFIO_IOMMU_UNMAP_DMA, &unmap), "VFIO_IOMMU_UNMAP_DMA");
    if (unmap.size != bytes)
        die("%llu bytes unmapped", (unsigned long long)unmap.size);
}

void vfio_interrupts_on(struct vfio_function *f)
{
    union {
        struct vfio_irq_set set;
        uint8_t bytes[sizeof(struct vfio_irq_set) + VFIO_VECTOR_MAX * sizeof(int32_t)];
    } irq = {.bytes = {0}};

    irq.set = (struct vfio_irq_set){
        .argsz = (uint32_t)(sizeof(irq.set) + f->vectors * sizeof(int32_t)),
        .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
        .index = VFIO_PCI_MSIX_IRQ_INDEX,
        .count = f->vectors,
    };
    for (unsigned i = 0; i < f->vectors; i++) {
        int32_t fd = f->eventfd[i] = must(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd");
        memcpy(irq.bytes + sizeof(irq.set) + i * sizeof(fd), &fd, sizeof(fd));
    }
    must(ioctl(f->device, VFIO_DEVICE_SET_IRQS, &irq), "VFIO_DEVICE_SET_IRQS");
}

uint64_t vfio_interrupts(struct vfio_function *f, unsigned vector, int wait_ms)
{
    struct pollfd poll_fd = {.fd = f->eventfd[vector], .events = POLLIN};
    uint64_t count = 0;

    if (poll(&poll_fd, 1, wait_ms) == 1 && read(f->eventfd[vector], &count, sizeof(count)) < 0)
        die("eventfd: %s", strerror(errno));
    return count;
}

void vfio_reset(struct vfio_function *f)
{
    must(ioctl(f->device, VFIO_DEVICE_RESET), "VFIO_DEVICE_RESET");
}

void *memory_new(size_t bytes)
{
    void *mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE | MAP_LOCKED, -1, 0);

    if (mem == MAP_FAILED)
        die("no memory: %s", strerror(errno));
    return mem;
}

/* Documentation/admin-guide/mm/pagemap.rst: bits 54:0 the frame, bit 63 present. */
uint64_t memory_physical(const void *mem)
{
    uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE), entry = 0;
    int fd = must(open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC), "/proc/self/pagemap");
    off_t at = (off_t)((uintptr_t)mem / page_bytes * sizeof(entry));

    if (pread(fd, &entry, sizeof(entry), at) != sizeof(entry) || !(entry >> 63))
        die("the page is nowhere");
    close(fd);
    return (entry & ((1ULL << 55) - 1)) * page_bytes + (uintptr_t)mem % page_bytes;
}
