/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device models: what the wiring needs to create them. */
#ifndef PCILAB_ENDPOINT_DEVICES_H
#define PCILAB_ENDPOINT_DEVICES_H

#include "pcilab/endpoint/endpoint.h"

/*
 * Storage behind an NVMe namespace, so that the model does not see files. Units: bytes; offsets
 * and lengths are multiples of 512. Results: 0 or a negative errno.
 */
struct nvme_storage {
    uint64_t size_bytes;
    bool read_only;
    int (*read)(void *opaque, uint64_t offset, void *data, uint64_t len);
    int (*write)(void *opaque, uint64_t offset, const void *data, uint64_t len);
    int (*zero)(void *opaque, uint64_t offset, uint64_t len);
    int (*flush)(void *opaque);
    void *opaque;
};

struct nvme_params {
    const char *name;
    const char *serial; /* up to 20 characters */
    struct nvme_storage storage;
    unsigned io_queues; /* pairs, 1 to 64 */
    /* At power-on, cut from the storage one behind the other and attached; later the host makes and
     * deletes them. At most NVME_NAMESPACES_MAX; 0 is as 1. */
    unsigned namespaces;
    uint64_t namespace_bytes; /* of each; 0: equal shares */
    unsigned block_bytes;     /* 512, 4096; 0 is as 512 */
    unsigned vfs;          /* secondary controllers: Virtual Functions; not of an integrated one */
    unsigned vf_queues;    /* pairs of I/O queues in stock for each; 1 to 64 where there are VFs */
    uint64_t memory_bytes; /* controller memory buffer: a power of two from 4096; 0: none */
    bool shadow_doorbells; /* offer Doorbell Buffer Config */
    bool ats;              /* Address Translation Services, of each controller */
    struct pcie_params pcie;
};

#define NVME_NAMESPACES_MAX 32
#define NVME_VFS_MAX        127 /* a Secondary Controller List has room for so many */

/* Creates an endpoint whose functions are ready. */
struct endpoint *nvme_new(struct fabric *fabric, const struct nvme_params *params);

struct exerciser_params {
    const char *name;
    unsigned functions;    /* 1 to 8 */
    unsigned msix_vectors; /* 1 to 2048 */
    unsigned msi_vectors;  /* 0, or 1 to 32 */
    uint64_t mem_bytes;    /* size of BAR 4, prefetchable memory: a power of two from 4096 */
    bool no_io;            /* leave out BAR 1, of which a machine has room for few */
    bool ats;              /* Address Translation Services, Page Requests and PASID */
    unsigned vfs;          /* 0 to EXERCISER_VFS_MAX, of each function; not of an integrated one */
    uint64_t vf_mem_bytes; /* as mem_bytes, of each Virtual Function */
    struct pcie_params pcie;
};

#define EXERCISER_VFS_MAX 256

/* NULL when the host cannot provide the memory. docs/exerciser.md is the manual. */
struct endpoint *exerciser_new(struct fabric *fabric, const struct exerciser_params *params);

#endif
