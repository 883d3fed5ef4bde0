/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The register map of the exerciser, our own test endpoint; docs/exerciser.md explains it. For the
 * model, its tests and programs that drive it. Offsets are in BAR 0, in bytes; the registers of
 * channel c are at EXERCISER_CHANNEL(c) and offsets EXERCISER_CH_*.
 */
#ifndef PCILAB_ENDPOINT_EXERCISER_H
#define PCILAB_ENDPOINT_EXERCISER_H

#include "pcilab/reg/reg.h"

#define EXERCISER_MAGIC_VALUE   0x58454c50 /* "PLEX" */
#define EXERCISER_VERSION_VALUE 0x00010000
#define EXERCISER_CHANNELS_MAX  8

#define EXERCISER_BAR0_BYTES 0x2000
/* The first bytes of BAR 0, in I/O space. Linux uses 256 bytes of each KiB of it (aliases of ISA
 * cards): eight functions still fit a 4 KiB bridge window. */
#define EXERCISER_BAR1_BYTES        0x80
#define EXERCISER_BAR2_BYTES        0x10000
#define EXERCISER_BAR2_MSIX_TABLE   0x0
#define EXERCISER_BAR2_MSIX_PBA     0x8000
#define EXERCISER_BAR2_MEMORY       0xf000
#define EXERCISER_BAR2_MEMORY_BYTES 0x1000

enum {
    EXERCISER_MAGIC = 0x00,
    EXERCISER_VERSION = 0x04,
    EXERCISER_FEATURES = 0x08,
    EXERCISER_CHANNELS = 0x10,
    EXERCISER_FUNCTION = 0x14,
    EXERCISER_VECTORS = 0x18,
    EXERCISER_MEM_BYTES = 0x20,
    EXERCISER_TIME = 0x28,
    EXERCISER_SCRATCH0 = 0x30,
    EXERCISER_SCRATCH1 = 0x34,
    EXERCISER_SCRATCH2 = 0x38,
    EXERCISER_SCRATCH3 = 0x3c,
    EXERCISER_SCRATCH64 = 0x40,
    EXERCISER_INTX = 0x50,
    EXERCISER_IRQ_TRIGGER = 0x54,
    EXERCISER_IRQ_STATUS = 0x58,
    EXERCISER_IRQ_ENABLE = 0x5c,
    EXERCISER_DMWR_DEFER = 0x60,
    EXERCISER_FAULT = 0x64,
    EXERCISER_FAULT_COUNT = 0x68,
    EXERCISER_RRS_US = 0x6c,
    EXERCISER_ATS_FAULT = 0x70,
    EXERCISER_ATS_DELAY = 0x74,
    EXERCISER_LTR = 0x78,
    EXERCISER_PTM = 0x7c,
    EXERCISER_IRQ_COUNT = 0x80,
    EXERCISER_IRQ_LOST = 0x88,
    EXERCISER_DMA_COUNT = 0x90,
    EXERCISER_DMA_BYTES = 0x98,
    EXERCISER_DMA_ERRORS = 0xa0,
    EXERCISER_READ_COUNT = 0xa8,
    EXERCISER_WRITE_COUNT = 0xb0,
    EXERCISER_RESET_COUNT = 0xb8,
    EXERCISER_ATS_REQUESTS = 0xc0,
    EXERCISER_ATS_TRANSLATED = 0xc8,
    EXERCISER_ATS_INVALIDATIONS = 0xd0,
    EXERCISER_PAGE_REQUESTS = 0xd8,
    EXERCISER_PAGE_RESPONSES = 0xe0,
    EXERCISER_PTM_TIME = 0xe8,
    EXERCISER_PTM_DIALOGS = 0xf0,
};

#define EXERCISER_CHANNEL(c) (0x1000 + 0x80 * (c))

enum {
    EXERCISER_CH_ADDR = 0x00,
    EXERCISER_CH_LOCAL = 0x08,
    EXERCISER_CH_LEN = 0x10,
    EXERCISER_CH_ATTR = 0x14,
    EXERCISER_CH_VECTOR = 0x18,
    EXERCISER_CH_COMMAND = 0x1c,
    EXERCISER_CH_STATUS = 0x20,
    EXERCISER_CH_CRC = 0x24,
    EXERCISER_CH_PATTERN = 0x28,
    EXERCISER_CH_STEP = 0x2c,
    EXERCISER_CH_COUNT = 0x30,
    EXERCISER_CH_STARTED = 0x38,
    EXERCISER_CH_ENDED = 0x40,
    EXERCISER_CH_PASID = 0x48,
    EXERCISER_CH_OPERAND = 0x50, /* 16 bytes each, the low 8 first */
    EXERCISER_CH_COMPARE = 0x60,
};

/* EXERCISER_FEATURES */
#define EXERCISER_FEATURE_DMA     0x01
#define EXERCISER_FEATURE_MSI     0x02
#define EXERCISER_FEATURE_MSIX    0x04
#define EXERCISER_FEATURE_INTX    0x08
#define EXERCISER_FEATURE_IO      0x10
#define EXERCISER_FEATURE_ATS     0x10000
#define EXERCISER_FEATURE_PRI     0x20000
#define EXERCISER_FEATURE_PASID   0x40000
#define EXERCISER_FEATURE_ATOMICS 0x80000
#define EXERCISER_FEATURE_DMWR    0x100000

#define EXERCISER_IRQ_CHANNEL(c) (1u << (c)) /* of IRQ_STATUS and IRQ_ENABLE */

/* EXERCISER_CH_ATTR */
#define EXERCISER_ATTR_NO_SNOOP 0x1
#define EXERCISER_ATTR_RELAXED  0x2
#define EXERCISER_ATTR_IDO      0x4
#define EXERCISER_ATTR_TC       0x70
#define EXERCISER_ATTR_AT       0x300
#define EXERCISER_ATTR_ATS      0x400 /* by translated addresses, when ATS is enabled */
#define EXERCISER_ATTR_PRI      0x800 /* with Page Requests, when they are enabled */
#define EXERCISER_ATTR_POISON   0x1000
#define EXERCISER_ATTR_BAD_ECRC 0x2000
#define EXERCISER_ATTR_GROUP    0x4000  /* Page Requests for all that is left, as one group */
#define EXERCISER_ATTR_PREFIXES 0x70000 /* 0 to 4 */

/* EXERCISER_CH_PASID */
#define EXERCISER_PASID_VALUE      0xfffff
#define EXERCISER_PASID_EXECUTE    0x100000
#define EXERCISER_PASID_PRIVILEGED 0x200000
#define EXERCISER_PASID_FORGE      0x40000000u /* whether or not the capability allows it */
#define EXERCISER_PASID_VALID      0x80000000u

/* EXERCISER_ATS_FAULT */
#define EXERCISER_ATS_SILENT     0x01 /* answers no invalidation */
#define EXERCISER_ATS_DUPLICATE  0x02 /* answers twice */
#define EXERCISER_ATS_WRONG_ITAG 0x04
#define EXERCISER_ATS_KEEPS      0x08 /* goes on using what was invalidated */
#define EXERCISER_ATS_ONCE       0x20 /* the next invalidation only */
#define EXERCISER_ATS_DEAF       0x10 /* hears no Page Request Group Response */
#define EXERCISER_ATS_FLOODS     0x40 /* sends many more Page Requests than it needs and may */
#define EXERCISER_ATS_FORGES     0x80 /* sends everything under a PASID that is nobody's */

/* EXERCISER_CH_VECTOR */
#define EXERCISER_VECTOR_NUMBER 0xffff
#define EXERCISER_VECTOR_ENABLE 0x80000000u

enum exerciser_command {
    EXERCISER_NOP = 0,
    EXERCISER_READ = 1,        /* bus to BAR 4 memory */
    EXERCISER_WRITE = 2,       /* BAR 4 memory to bus */
    EXERCISER_FILL = 3,        /* a pattern into BAR 4 memory */
    EXERCISER_CHECKSUM = 4,    /* of BAR 4 memory */
    EXERCISER_FETCHADD = 0x10, /* the old value goes to BAR 4 memory */
    EXERCISER_SWAP = 0x11,
    EXERCISER_CAS = 0x12,
    EXERCISER_DMWR = 0x13,       /* BAR 4 memory to bus, one non-posted request */
    EXERCISER_STOP_PASID = 0x14, /* a Stop Marker for ch_pasid */
    EXERCISER_EMIT = 0x20,       /* one TLP that is wrong */
};

/* EXERCISER_FAULT: what becomes of the next EXERCISER_FAULT_COUNT accesses to memory. */
enum exerciser_fault {
    EXERCISER_FAULT_NONE = 0,
    EXERCISER_FAULT_UR = 1,
    EXERCISER_FAULT_CA = 2,
    EXERCISER_FAULT_SILENT = 3,
    EXERCISER_FAULT_POISON = 4,
    EXERCISER_FAULT_BAD_ECRC = 5,
};

/* EXERCISER_CH_PATTERN of EXERCISER_EMIT. */
enum exerciser_emit {
    EXERCISER_EMIT_LENGTH = 1,
    EXERCISER_EMIT_PAGE = 2,
    EXERCISER_EMIT_ENABLES = 3,
    EXERCISER_EMIT_PAYLOAD = 4,
    EXERCISER_EMIT_INTX = 5,
    EXERCISER_EMIT_MESSAGE = 6,
    EXERCISER_EMIT_COMPLETION = 7,
    EXERCISER_EMIT_SOURCE = 8,
    EXERCISER_EMIT_LOCAL = 9,
    EXERCISER_EMIT_PREFIX = 10,
    EXERCISER_EMIT_PAGE_REQUEST = 11,
    EXERCISER_EMIT_INVALIDATE_DONE = 12,
};

/* EXERCISER_CH_STATUS */
#define EXERCISER_STATUS_BUSY    0x1
#define EXERCISER_STATUS_DONE    0x2
#define EXERCISER_STATUS_RESULT  0xff00 /* enum dma_status, or: */
#define EXERCISER_RESULT_INVALID 0x80   /* the command or its range does not exist */

/* The tables, for documentation and tests. */
const struct reg_def *exerciser_registers(unsigned *count);
const struct reg_def *exerciser_channel_registers(unsigned *count);

#endif
