/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "iommufd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PATH_BYTES 600

static void ask(int fd, unsigned long request, void *argument, const char *what)
{
    if (ioctl(fd, request, argument) != 0)
        die("%s: %s", what, strerror(errno));
}

/* vfio-pci makes vfio-dev/vfioN below the function, and a device file of that name. */
static int open_function(const char *bdf)
{
    char path[PATH_BYTES];
    const struct dirent *entry;
    DIR *dir;
    int fd = -1;

    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", bdf);
    dir = opendir(path);
    while (dir && fd < 0 && (entry = readdir(dir))) {
        if (strncmp(entry->d_name, "vfio", 4) != 0)
            continue;
        snprintf(path, sizeof(path), "/dev/vfio/devices/%s", entry->d_name);
        fd = open(path, O_RDWR | O_CLOEXEC);
    }
    if (fd < 0)
        die("%s cannot be opened: %s", path, strerror(errno));
    closedir(dir);
    return fd;
}

void iommufd_open(struct iommufd *i, const char *bdf)
{
    struct fd_bind bind = {.size = sizeof(bind)};
    struct fd_vtd_info vtd = {0};
    struct fd_hw_info info = {.size = sizeof(info), .bytes = sizeof(vtd), .data = (uintptr_t)&vtd};

    *i = (struct iommufd){.fd = open("/dev/iommu", O_RDWR | O_CLOEXEC)};
    if (i->fd < 0)
        die("/dev/iommu: %s", strerror(errno));
    bind.iommufd = i->fd;
    i->f = (struct vfio_function){
        .bdf = bdf, .container = -1, .group = -1, .device = open_function(bdf)};
    ask(i->f.device, FD_BIND, &bind, "binding the function");
    i->device = bind.device;
    vfio_set_up(&i->f);
    info.device = i->device;
    ask(i->fd, FD_HW_INFO, &info, "what the IOMMU is");
    if (info.type != HW_INFO_VTD)
        die("an IOMMU of type %u", info.type);
    i->ecap = vtd.ecap;
}

void iommufd_close(struct iommufd *i)
{
    vfio_close(&i->f);
    close(i->fd);
}

uint32_t iommufd_ioas(struct iommufd *i)
{
    struct fd_ioas_alloc alloc = {.size = sizeof(alloc)};

    ask(i->fd, FD_IOAS_ALLOC, &alloc, "an address space");
    return alloc.ioas;
}

void iommufd_map(struct iommufd *i, uint32_t ioas, void *mem, uint64_t bytes, uint64_t iova)
{
    struct fd_ioas_map map = {
        .size = sizeof(map),
        .flags = MAP_FIXED_IOVA | MAP_WRITABLE | MAP_READABLE,
        .ioas = ioas,
        .address = (uintptr_t)mem,
        .bytes = bytes,
        .iova = iova,
    };

    ask(i->fd, FD_IOAS_MAP, &map, "mapping");
}

void iommufd_unmap(struct iommufd *i, uint32_t ioas, uint64_t iova, uint64_t bytes)
{
    struct fd_ioas_unmap unmap = {
        .size = sizeof(unmap), .ioas = ioas, .iova = iova, .bytes = bytes};

    ask(i->fd, FD_IOAS_UNMAP, &unmap, "unmapping");
}

uint32_t iommufd_paging(struct iommufd *i, uint32_t ioas, uint32_t flags, uint32_t fault)
{
    struct fd_hwpt_alloc alloc = {
        .size = sizeof(alloc), .flags = flags, .device = i->device, .parent = ioas, .fault = fault};

    if (ioctl(i->fd, FD_HWPT_ALLOC, &alloc) != 0) {
        if (errno == EOPNOTSUPP)
            return 0;
        die("page tables of the kernel's: %s", strerror(errno));
    }
    return alloc.hwpt;
}

uint32_t iommufd_nested(struct iommufd *i, uint32_t parent, uint64_t table, uint32_t flags,
                        uint32_t fault)
{
    struct fd_vtd_s1 s1 = {.table = table, .width = 48};
    struct fd_hwpt_alloc alloc = {
        .size = sizeof(alloc),
        .flags = flags,
        .device = i->device,
        .parent = parent,
        .type = HWPT_VTD_S1,
        .bytes = sizeof(s1),
        .data = (uintptr_t)&s1,
        .fault = fault,
    };

    ask(i->fd, FD_HWPT_ALLOC, &alloc, "nested page tables");
    return alloc.hwpt;
}

bool iommufd_attach(struct iommufd *i, uint32_t hwpt, uint32_t pasid)
{
    struct fd_attach attach = {.size = sizeof(attach), .hwpt = hwpt};

    if (pasid == NO_PASID) {
        attach.size = sizeof(attach) - sizeof(attach.pasid);
    } else {
        attach.flags = ATTACH_PASID;
        attach.pasid = pasid;
    }
    return ioctl(i->f.device, FD_ATTACH, &attach) == 0;
}

void iommufd_detach(struct iommufd *i, uint32_t pasid)
{
    struct fd_detach detach = {.size = sizeof(detach)};

    if (pasid == NO_PASID) {
        detach.size = sizeof(detach) - sizeof(detach.pasid);
    } else {
        detach.flags = ATTACH_PASID;
        detach.pasid = pasid;
    }
    ask(i->f.device, FD_DETACH, &detach, "detaching");
}

void iommufd_destroy(struct iommufd *i, uint32_t id)
{
    struct fd_destroy destroy = {.size = sizeof(destroy), .id = id};

    ask(i->fd, FD_DESTROY, &destroy, "destroying");
}

void iommufd_invalidate(struct iommufd *i, uint32_t hwpt, uint64_t address, uint64_t pages)
{
    struct fd_vtd_invalidate entry = {.address = address, .pages = pages};
    struct fd_invalidate invalidate = {
        .size = sizeof(invalidate),
        .hwpt = hwpt,
        .data = (uintptr_t)&entry,
        .entry_bytes = sizeof(entry),
        .entries = 1,
    };

    ask(i->fd, FD_INVALIDATE, &invalidate, "invalidating");
}

uint32_t iommufd_fault_queue(struct iommufd *i, int *fd)
{
    struct fd_fault_queue queue = {.size = sizeof(queue)};

    ask(i->fd, FD_FAULT_QUEUE, &queue, "a queue of page faults");
    *fd = (int)queue.fd;
    return queue.fault;
}

bool fault_read(int fd, struct fd_fault *fault, int wait_ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    ssize_t len;

    if (poll(&poll_fd, 1, wait_ms) != 1)
        return false;
    len = read(fd, fault, sizeof(*fault));
    if (len != sizeof(*fault))
        die("the queue of page faults: %zd bytes: %s", len, strerror(errno));
    return true;
}

void fault_answer(int fd, const struct fd_fault *fault, uint32_t code)
{
    struct fd_response response = {.cookie = fault->cookie, .code = code};

    if (write(fd, &response, sizeof(response)) != sizeof(response))
        die("answering a page fault: %s", strerror(errno));
}

/* Entries are present, for users, accessed and dirty; of the inner ones writing is left to the last
 * (VT-d 9.7, first stage entries). */
#define ENTRY_PRESENT 0x01u
#define ENTRY_WRITE   0x02u
#define ENTRY_USER    0x04u
#define ENTRY_USED    0x60u
#define ENTRY_ADDRESS 0x000ffffffffff000ull
#define LEVELS        4

void tables_new(struct tables *t, uint32_t pages)
{
    *t = (struct tables){.mem = memory_new((size_t)pages * PAGE), .pages = pages, .used = 1};
}

uint8_t *tables_page(const struct tables *t, uint32_t page)
{
    return t->mem + (size_t)page * PAGE;
}

static volatile uint64_t *find_entry(struct tables *t, uint64_t address)
{
    uint32_t table = 0;

    for (int level = LEVELS - 1;; level--) {
        volatile uint64_t *entry = (volatile uint64_t *)tables_page(t, table);

        entry += (address >> (12 + 9 * level)) & 511;
        if (level == 0)
            return entry;
        if (!(*entry & ENTRY_PRESENT)) {
            if (t->used == TABLE_PAGES)
                die("too many tables");
            *entry = (IOVA_BASE + t->used++ * PAGE) | ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USER |
                     ENTRY_USED;
        }
        table = (uint32_t)(((*entry & ENTRY_ADDRESS) - IOVA_BASE) / PAGE);
    }
}

void tables_set(struct tables *t, uint64_t address, uint32_t page, uint64_t flags)
{
    *find_entry(t, address) =
        (IOVA_BASE + (uint64_t)page * PAGE) | ENTRY_PRESENT | ENTRY_USER | ENTRY_USED | flags;
}

void tables_clear(struct tables *t, uint64_t address)
{
    *find_entry(t, address) = 0;
}
