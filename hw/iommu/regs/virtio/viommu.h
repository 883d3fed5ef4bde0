/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside the virtio face. Clauses are of VIRTIO 1.3. */
#ifndef PCILAB_HW_IOMMU_REGS_VIRTIO_VIOMMU_H
#define PCILAB_HW_IOMMU_REGS_VIRTIO_VIOMMU_H

#include <glib.h>

#include "pcilab/base/bits.h"
#include "pcilab/iommu/regs/virtio.h"

/* Features, 5.13.3 */
#define VIOMMU_F_INPUT_RANGE   BIT(0)
#define VIOMMU_F_DOMAIN_RANGE  BIT(1)
#define VIOMMU_F_MAP_UNMAP     BIT(2)
#define VIOMMU_F_BYPASS        BIT(3)
#define VIOMMU_F_PROBE         BIT(4)
#define VIOMMU_F_MMIO          BIT(5)
#define VIOMMU_F_BYPASS_CONFIG BIT(6)

/* Status of a request, 5.13.6 */
enum viommu_status {
    VIOMMU_OK = 0,
    VIOMMU_UNSUPP = 2,
    VIOMMU_INVAL = 4,
    VIOMMU_RANGE = 5,
    VIOMMU_NOENT = 6,
    VIOMMU_NOMEM = 8,
};

/* Reasons of faults, 5.13.6.7 */
enum viommu_reason { VIOMMU_R_UNKNOWN = 0, VIOMMU_R_DOMAIN = 1, VIOMMU_R_MAPPING = 2 };

/* Flags of MAP, 5.13.6.3 */
#define VIOMMU_MAP_READ  BIT(0)
#define VIOMMU_MAP_WRITE BIT(1)
#define VIOMMU_MAP_MMIO  BIT(2)

#define VIOMMU_ENDPOINTS 65536

/* From byte to byte, inclusive; those of a domain do not overlap. */
struct viommu_mapping {
    uint64_t first, last;
    uint64_t output; /* of `first` */
    uint8_t perms;   /* PT_PERM_* */
};

/* Exists while an endpoint is attached. */
struct viommu_domain {
    uint32_t id;
    bool bypass;
    unsigned endpoints;
    GTree *mappings; /* struct viommu_mapping, also the keys */
};

struct viommu {
    struct viommu_params params;
    char *name;
    struct iommu_core *core;
    uint64_t features;               /* negotiated */
    bool bypass;                     /* field of the configuration */
    struct viommu_domain **domain;   /* by ID: params.features.domains of them */
    struct viommu_domain **endpoint; /* by ID: VIOMMU_ENDPOINTS of them */
    unsigned attached;               /* endpoints */
    uint32_t mappings;               /* of all domains */
};

static inline bool viommu_flawed(const struct viommu *viommu, enum flaw flaw)
{
    return flaw_on(&viommu->params.sim->flaws, flaw);
}

/* domain.c */
/* Attaching and detaching; whoever is attached is detached first, and a domain is made as needed.
 */
void viommu_attach(struct viommu *viommu, uint16_t endpoint, uint32_t domain, bool bypass);
void viommu_detach(struct viommu *viommu, uint16_t endpoint);
void viommu_detach_all(struct viommu *viommu);
/* The mapping of some byte of the range, or NULL. */
const struct viommu_mapping *viommu_find(const struct viommu_domain *domain, uint64_t first,
                                         uint64_t last);
/* Nothing is mapped there, and there is room for one more. */
void viommu_map(struct viommu *viommu, struct viommu_domain *domain,
                const struct viommu_mapping *mapping);
/* All mappings of the range, none of which reaches beyond it. */
void viommu_unmap(struct viommu *viommu, struct viommu_domain *domain, uint64_t first,
                  uint64_t last);

/* inspect.c */
void viommu_explain_fault(void *face, const struct iommu_fault *fault, struct iommu_words *words);

/* lookup.c */
extern const struct iommu_face_ops viommu_face_ops;
/* The rules for endpoints that are not attached have changed. */
void viommu_unattached_changed(struct viommu *viommu);

#endif
