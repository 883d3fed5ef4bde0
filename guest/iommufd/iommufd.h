/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A function whose page tables are this process's: /dev/iommu and the function's own device file
 * (Documentation/userspace-api/iommufd.rst). Whatever fails here, but for what says otherwise, ends
 * the program with a message.
 */
#ifndef PCILAB_GUEST_IOMMUFD_H
#define PCILAB_GUEST_IOMMUFD_H

#include "../vfio/device.h"
#include "uapi.h"

#define PAGE     4096u
#define NO_PASID 0xffffffffu

struct iommufd {
    struct vfio_function f;
    int fd;          /* /dev/iommu */
    uint32_t device; /* the function, for /dev/iommu */
    uint64_t ecap;   /* of its IOMMU, a VT-d */
};

void iommufd_open(struct iommufd *i, const char *bdf);
void iommufd_close(struct iommufd *i);

uint32_t iommufd_ioas(struct iommufd *i);
void iommufd_map(struct iommufd *i, uint32_t ioas, void *mem, uint64_t bytes, uint64_t iova);
void iommufd_unmap(struct iommufd *i, uint32_t ioas, uint64_t iova, uint64_t bytes);
/* Page tables of the kernel's, from an address space. 0: the kernel does not know these flags. */
uint32_t iommufd_paging(struct iommufd *i, uint32_t ioas, uint32_t flags, uint32_t fault);
/* Page tables of this process's: `table` is the address in `parent` of a VT-d first stage table.
 * With HWPT_FAULTS what is not there is asked for in the queue `fault`. */
uint32_t iommufd_nested(struct iommufd *i, uint32_t parent, uint64_t table, uint32_t flags,
                        uint32_t fault);
/* False: the kernel refuses, errno says why. */
bool iommufd_attach(struct iommufd *i, uint32_t hwpt, uint32_t pasid);
void iommufd_detach(struct iommufd *i, uint32_t pasid);
void iommufd_destroy(struct iommufd *i, uint32_t id);
/* Takes cached translations of nested page tables back. */
void iommufd_invalidate(struct iommufd *i, uint32_t hwpt, uint64_t address, uint64_t pages);

/* A queue of page faults: its number, and in *fd where to read and to answer them. */
uint32_t iommufd_fault_queue(struct iommufd *i, int *fd);
/* False: there is none within so many milliseconds. */
bool fault_read(int fd, struct fd_fault *fault, int wait_ms);
void fault_answer(int fd, const struct fd_fault *fault, uint32_t code);

/* Memory that a function can reach from IOVA_BASE on, with first stage tables in its first pages
 * (VT-d 9.7: as the processor's with four levels). */
#define IOVA_BASE   0x40000000ull
#define TABLE_PAGES 16u
#define TABLE_WRITE 2u
struct tables {
    uint8_t *mem;
    uint32_t pages, used; /* of them; taken for tables */
};
void tables_new(struct tables *t, uint32_t pages);
/* Where the page is in this process, and in the address space. */
uint8_t *tables_page(const struct tables *t, uint32_t page);
/* `address` becomes that page; flags: TABLE_WRITE. */
void tables_set(struct tables *t, uint64_t address, uint32_t page, uint64_t flags);
void tables_clear(struct tables *t, uint64_t address);

#endif
