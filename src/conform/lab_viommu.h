/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A laboratory with a virtio-iommu (VIRTIO 1.3, 5.13) and its driver, as small as can be: split
 * queues, one request at a time. A topology whose IOMMU is another gets this one in its place.
 */
#ifndef PCILAB_SRC_CONFORM_LAB_VIOMMU_H
#define PCILAB_SRC_CONFORM_LAB_VIOMMU_H

#include "lab.h"

/* Features, 5.13.3 */
#define VI_F_INPUT_RANGE   BIT(0)
#define VI_F_DOMAIN_RANGE  BIT(1)
#define VI_F_MAP_UNMAP     BIT(2)
#define VI_F_BYPASS        BIT(3)
#define VI_F_PROBE         BIT(4)
#define VI_F_MMIO          BIT(5)
#define VI_F_BYPASS_CONFIG BIT(6)
#define VI_F_VERSION_1     BIT(32)

/* Types of requests and status of answers, 5.13.6 */
enum { VI_ATTACH = 1, VI_DETACH, VI_MAP, VI_UNMAP, VI_PROBE };
enum { VI_OK = 0, VI_IOERR, VI_UNSUPP, VI_DEVERR, VI_INVAL, VI_RANGE, VI_NOENT, VI_FAULT };
#define VI_NO_STATUS 0xff /* nothing was written */

/* Status of the device, 2.1 */
#define VI_DRIVER_OK   4u
#define VI_NEEDS_RESET 0x40u

#define VI_OUT      (LAB_RAM + 0x40000u)
#define VI_OUT2     (LAB_RAM + 0x50000u)
#define VI_PAGE     0x12345000u /* an address of the exerciser's */
#define VI_OFFSET   0x340u
#define VI_NOBODY   0x10000u    /* an endpoint that there is not: requester IDs have 16 bits */
#define VI_ENDPOINT 0xffffffffu /* stands for the exerciser */
#define VI_OTHER    0xfffffffeu /* ... for the root port above it */

struct vilab {
    struct conform_ctx *t;
    struct lab *lab;
    struct machine_desc desc; /* with components of its own */
    uint16_t own;             /* the unit's requester ID */
    uint64_t common, notify, device;
    uint32_t multiplier;
    uint64_t offered, features;
    uint16_t rid;
    unsigned sent, events; /* requests so far; events taken */
};

/* The unit as it is after power-on. False: not applicable, or it failed. Close it in any case. */
bool vilab_open(struct vilab *v, struct conform_ctx *t);
void vilab_close(struct vilab *v);
/* Negotiates these of the features that are offered, sets both queues up, and drives it. */
bool vilab_drive(struct vilab *v, uint64_t features);
void vilab_reset(struct vilab *v);

uint32_t vilab_cfg(struct vilab *v, unsigned offset, unsigned len); /* of the unit */
uint64_t vilab_common(struct vilab *v, unsigned offset, unsigned len);
void vilab_set_common(struct vilab *v, unsigned offset, unsigned len, uint64_t value);
uint64_t vilab_config(struct vilab *v, unsigned offset, unsigned len);
void vilab_set_config(struct vilab *v, unsigned offset, unsigned len, uint64_t value);

/* A request of so many bytes, with room for so many of an answer, the last four of which are its
 * tail: its status. *used: bytes that the device says it wrote. */
struct vilab_request {
    uint8_t in[80];
    unsigned in_bytes, out_bytes;
};
unsigned vilab_send(struct vilab *v, const struct vilab_request *request, unsigned *used);
/* What was written before the tail. */
void vilab_answer(struct vilab *v, void *data, unsigned len);
/* The next event, 24 bytes; false: none. */
bool vilab_event(struct vilab *v, uint8_t event[24]);

/* Does an access of the exerciser get to that byte? */
bool vilab_reaches(struct vilab *v, uint64_t addr, bool write, uint64_t out);

#endif
