/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this program says to /dev/iommu and to a device opened through /dev/vfio/devices: shapes and
 * numbers of Linux 6.12 to 7.3, include/uapi/linux/iommufd.h and vfio.h, which the C library's
 * headers of Debian 12 are too old for. Structures grow at the end only; the kernel is told how
 * long ours are.
 */
#ifndef PCILAB_GUEST_IOMMUFD_UAPI_H
#define PCILAB_GUEST_IOMMUFD_UAPI_H

#include <linux/ioctl.h>
#include <stdint.h>

#define REQUEST_IOMMUFD(n) _IO(';', 0x80 + (n))
#define REQUEST_VFIO(n)    _IO(';', 100 + (n))

#define FD_DESTROY     REQUEST_IOMMUFD(0)
#define FD_IOAS_ALLOC  REQUEST_IOMMUFD(1)
#define FD_IOAS_MAP    REQUEST_IOMMUFD(5)
#define FD_IOAS_UNMAP  REQUEST_IOMMUFD(6)
#define FD_HWPT_ALLOC  REQUEST_IOMMUFD(9)
#define FD_HW_INFO     REQUEST_IOMMUFD(10)
#define FD_INVALIDATE  REQUEST_IOMMUFD(13)
#define FD_FAULT_QUEUE REQUEST_IOMMUFD(14)
#define FD_BIND        REQUEST_VFIO(18)
#define FD_ATTACH      REQUEST_VFIO(19)
#define FD_DETACH      REQUEST_VFIO(20)

struct fd_destroy {
    uint32_t size, id;
};

struct fd_ioas_alloc {
    uint32_t size, flags, ioas;
};

#define MAP_FIXED_IOVA 1u
#define MAP_WRITABLE   2u
#define MAP_READABLE   4u
struct fd_ioas_map {
    uint32_t size, flags, ioas, reserved;
    uint64_t address, bytes, iova;
};

struct fd_ioas_unmap {
    uint32_t size, ioas;
    uint64_t iova, bytes;
};

#define HWPT_NEST_PARENT 1u
#define HWPT_FAULTS      4u /* `fault` counts */
#define HWPT_PASID       8u /* since 6.15 */
#define HWPT_NO_DATA     0u
#define HWPT_VTD_S1      1u
struct fd_hwpt_alloc {
    uint32_t size, flags, device, parent, hwpt, reserved, type, bytes;
    uint64_t data;
    uint32_t fault, reserved2;
};
struct fd_vtd_s1 {
    uint64_t flags, table;
    uint32_t width, reserved;
};

#define HW_INFO_VTD 1u
struct fd_hw_info {
    uint32_t size, flags, device, bytes;
    uint64_t data;
    uint32_t type, reserved;
    uint64_t capabilities;
};
struct fd_vtd_info {
    uint32_t flags, reserved;
    uint64_t cap, ecap;
};

struct fd_invalidate {
    uint32_t size, hwpt;
    uint64_t data;
    uint32_t type, entry_bytes, entries, reserved;
};
struct fd_vtd_invalidate {
    uint64_t address, pages;
    uint32_t flags, reserved;
};

struct fd_fault_queue {
    uint32_t size, flags, fault, fd;
};
#define FAULT_HAS_PASID 1u
#define FAULT_LAST      2u
#define FAULT_READ      1u
#define FAULT_WRITE     2u
#define FAULT_EXECUTE   4u
#define FAULT_PRIVILEGE 8u
/* What is read from the queue ... */
struct fd_fault {
    uint32_t flags, device, pasid, group, perm, reserved;
    uint64_t address;
    uint32_t bytes, cookie;
};
/* ... and what is written to it. */
#define RESPONSE_SUCCESS 0u
#define RESPONSE_INVALID 1u
struct fd_response {
    uint32_t cookie, code;
};

struct fd_bind {
    uint32_t size, flags;
    int32_t iommufd;
    uint32_t device;
};
#define ATTACH_PASID 1u /* since 6.15 */
struct fd_attach {
    uint32_t size, flags, hwpt, pasid;
};
struct fd_detach {
    uint32_t size, flags, pasid;
};

#endif
