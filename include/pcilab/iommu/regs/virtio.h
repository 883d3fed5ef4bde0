/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virtio face of the IOMMU: the device behind a virtio-iommu's queues (VIRTIO 1.3, 5.13). It
 * knows endpoints, domains and mappings and nothing of PCI: whoever has the queues hands it
 * requests as bytes and gets events as bytes. An endpoint's ID is its requester ID
 * (ACPI 6.5, 5.2.33: the wiring's VIOT says so); every ID of 16 bits exists but the device's own.
 *
 * An interrupt message (the reserved region of subtype MSI) passes unchanged from whoever is
 * attached or bypasses. What a request changes holds when its answer is written: nothing that it
 * took away is used any more.
 */
#ifndef PCILAB_IOMMU_REGS_VIRTIO_H
#define PCILAB_IOMMU_REGS_VIRTIO_H

#include "pcilab/base/inspect.h"
#include "pcilab/iommu/core/core.h"

#define VIOMMU_CONFIG_BYTES  40   /* struct virtio_iommu_config */
#define VIOMMU_EVENT_BYTES   24   /* struct virtio_iommu_fault */
#define VIOMMU_REQUEST_BYTES 4096 /* CHOICE: a longer request is refused as a whole */
#define VIOMMU_PROBE_BYTES   512
#define VIOMMU_ANSWER_BYTES  (VIOMMU_PROBE_BYTES + 4)
#define VIOMMU_DOMAINS_MAX   65536
#define VIOMMU_MAPPINGS_MAX  (16u << 20)

struct viommu;

struct viommu_features {
    uint8_t address_bits; /* 39 to 64: INPUT_RANGE */
    uint32_t domains;     /* 1 to VIOMMU_DOMAINS_MAX: DOMAIN_RANGE from 0 */
    uint32_t mappings;    /* of all domains together; one more is answered with NOMEM */
    bool large_pages;     /* 2 MiB and 1 GiB are in page_size_mask, beside 4 KiB */
    bool bypass;          /* unattached endpoints reach everything, after power-on */
    bool bypass_config;   /* BYPASS_CONFIG is offered; else BYPASS, with `bypass` */
};

struct viommu_params {
    const char *name;
    struct sim *sim;
    struct trace *trace;
    struct viommu_features features;
    uint16_t own_sid; /* of the device itself, which is not translated */
    /* A range that is for interrupt messages; PROBE tells of it. */
    uint64_t msi_first, msi_last;
    /* A fault report for the event queue; false: it is lost. */
    bool (*event)(void *opaque, const uint8_t event[VIOMMU_EVENT_BYTES]);
    void *opaque;
    bool find_stale;
};

struct viommu *viommu_new(const struct viommu_params *params);
void viommu_free(struct viommu *viommu);
/* The device was reset: nobody is attached, no domain is left. */
void viommu_reset(struct viommu *viommu);
/* Power-on: `bypass` is what it was, too. */
void viommu_power_on(struct viommu *viommu);
/* Bits 0 to 23 of the features offered. */
uint64_t viommu_offered(const struct viommu *viommu);
void viommu_negotiated(struct viommu *viommu, uint64_t features);
void viommu_get_config(const struct viommu *viommu, uint8_t config[VIOMMU_CONFIG_BYTES]);
/* The driver wrote bytes; true: viommu_get_config() says something new. */
bool viommu_config_written(struct viommu *viommu, unsigned offset, const uint8_t *data,
                           unsigned len);
/* A request of the request queue; how many bytes of `out` were written, 0 for a request that cannot
 * be read. out_len is what there is room for, VIOMMU_ANSWER_BYTES suffices. */
uint32_t viommu_request(struct viommu *viommu, const uint8_t *in, uint32_t in_len, uint8_t *out,
                        uint32_t out_len);
/* A memory request from below; answered by its done() before this returns. */
void viommu_submit(struct viommu *viommu, struct iommu_request *request);
struct iommu_core *viommu_core(struct viommu *viommu);
/* Into the current object: endpoints, domains, mappings. */
void viommu_inspect(struct viommu *viommu, const struct inspect *in);

#endif
