/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A function of a device in the hands of a process: VFIO with the type 1 IOMMU, by
 * Documentation/driver-api/vfio.rst and linux/vfio.h. Whatever fails here, but for what a test
 * asks for, ends the program with a message.
 */
#ifndef PCILAB_GUEST_VFIO_VFIO_H
#define PCILAB_GUEST_VFIO_VFIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VFIO_BARS       6
#define VFIO_VECTOR_MAX 32

struct vfio_function {
    const char *bdf;
    int container, group, device; /* the first two -1: opened by its own device file */
    uint64_t config_at;           /* offset of configuration space in `device` */
    struct {
        volatile uint8_t *mem; /* NULL: not memory, or absent */
        uint64_t offset, bytes;
    } bar[VFIO_BARS];
    unsigned vectors; /* of MSI-X */
    int eventfd[VFIO_VECTOR_MAX];
};

#define die(...) die_at(__FILE__, __LINE__, __VA_ARGS__)
void die_at(const char *file, int line, const char *format, ...)
    __attribute__((noreturn, format(printf, 3, 4)));

/* Opens the function's group, resets it (as the kernel does) and maps its BARs. Nothing of memory
 * is mapped for it, and it may not be bus master. */
void vfio_open(struct vfio_function *f, const char *bdf);
/* The part of that which follows when `device` is open. */
void vfio_set_up(struct vfio_function *f);
void vfio_close(struct vfio_function *f);
void vfio_bus_master(struct vfio_function *f, bool on);
bool vfio_config_read(struct vfio_function *f, unsigned offset, void *data, unsigned len);
bool vfio_config_write(struct vfio_function *f, unsigned offset, const void *data, unsigned len);
/* Memory of this process becomes the function's from `iova` on. */
void vfio_map(struct vfio_function *f, void *mem, uint64_t bytes, uint64_t iova, bool writable);
void vfio_unmap(struct vfio_function *f, uint64_t iova, uint64_t bytes);
/* Each of the function's MSI-X vectors gets an eventfd. */
void vfio_interrupts_on(struct vfio_function *f);
/* How often a vector came since the last call; waits for the first up to `wait_ms`. */
uint64_t vfio_interrupts(struct vfio_function *f, unsigned vector, int wait_ms);
void vfio_reset(struct vfio_function *f);

/* Page-aligned zeroed memory that stays where it is. */
void *memory_new(size_t bytes);
/* Where a page of this process is in the guest's physical memory. */
uint64_t memory_physical(const void *mem);

#endif
