/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A laboratory with a VT-d unit (Intel VT-d 4.1): tables in memory, the unit's registers and queue,
 * and accesses of the exerciser as single TLPs, so that everything about them can be said.
 *
 * Tables are made for one address, whose index differs from level to level, and lead to VLAB_OUT.
 */
#ifndef PCILAB_SRC_CONFORM_LAB_VTD_H
#define PCILAB_SRC_CONFORM_LAB_VTD_H

#include "lab.h"

/* Registers, 11.4 */
enum {
    VREG_VER = 0x00,
    VREG_CAP = 0x08,
    VREG_ECAP = 0x10,
    VREG_GCMD = 0x18,
    VREG_GSTS = 0x1c,
    VREG_RTADDR = 0x20,
    VREG_CCMD = 0x28,
    VREG_FSTS = 0x34,
    VREG_FECTL = 0x38,
    VREG_PMEN = 0x64,
    VREG_IQH = 0x80,
    VREG_IQT = 0x88,
    VREG_IQA = 0x90,
    VREG_ICS = 0x9c,
    VREG_IECTL = 0xa0,
    VREG_IQERCD = 0xb0,
    VREG_IRTA = 0xb8,
    VREG_PQH = 0xc0,
    VREG_PQT = 0xc8,
    VREG_PQA = 0xd0,
    VREG_PRS = 0xdc,
    VREG_PECTL = 0xe0,
};

/* Global commands (11.4.4) */
#define VG_TE    BIT(31)
#define VG_SRTP  BIT(30)
#define VG_QIE   BIT(26)
#define VG_IRE   BIT(25)
#define VG_SIRTP BIT(24)
#define VG_CFI   BIT(23)

#define VFSTS_PFO BIT(0)
#define VFSTS_PPF BIT(1)
#define VFSTS_IQE BIT(4)
#define VFSTS_ICE BIT(5)
#define VFSTS_ITE BIT(6)

/* Capabilities (11.4.2, 11.4.3) */
#define VCAP_PLMR   BIT(5)
#define VCAP_PHMR   BIT(6)
#define VCAP_CM     BIT(7)
#define VCAP_SS2M   BIT(34)
#define VCAP_SS1G   BIT(35)
#define VCAP_PSI    BIT(39)
#define VCAP_FS1G   BIT(56)
#define VCAP_PI     BIT(59)
#define VCAP_FS5L   BIT(60)
#define VECAP_C     BIT(0)
#define VECAP_QI    BIT(1)
#define VECAP_DT    BIT(2)
#define VECAP_IR    BIT(3)
#define VECAP_EIM   BIT(4)
#define VECAP_PT    BIT(6)
#define VECAP_SC    BIT(7)
#define VECAP_NEST  BIT(26)
#define VECAP_PRS   BIT(29)
#define VECAP_ERS   BIT(30)
#define VECAP_SRS   BIT(31)
#define VECAP_EAFS  BIT(34)
#define VECAP_PASID BIT(40)
#define VECAP_SMTS  BIT(43)
#define VECAP_SSADS BIT(45)
#define VECAP_SSTS  BIT(46)
#define VECAP_FSTS  BIT(47)
#define VECAP_WCS   BIT(48)
#define VECAP_RPS   BIT(49)

/* Where things lie in memory. */
#define VLAB_ROOT      (LAB_RAM + 0x00000u)
#define VLAB_LEGACY    (LAB_RAM + 0x01000u) /* context table */
#define VLAB_CONTEXT   (LAB_RAM + 0x02000u) /* scalable-mode context table, half of a bus */
#define VLAB_DIRECTORY (LAB_RAM + 0x03000u)
#define VLAB_PASIDS    (LAB_RAM + 0x04000u)
#define VLAB_QUEUE     (LAB_RAM + 0x06000u)
#define VLAB_IRT       (LAB_RAM + 0x08000u)
#define VLAB_STATUS    (LAB_RAM + 0x09000u)
#define VLAB_PAGES     (LAB_RAM + 0x0a000u) /* the Page Request queue */
#define VLAB_PID       (LAB_RAM + 0x0b000u) /* a posted interrupt descriptor */
#define VLAB_SECOND    (LAB_RAM + 0x10000u) /* page tables, a page a level from 1 up */
#define VLAB_FIRST     (LAB_RAM + 0x20000u)
#define VLAB_OUT       (LAB_RAM + 0x40000u)
#define VLAB_OUT2      (LAB_RAM + 0x41000u)
#define VLAB_GUEST     (LAB_RAM + 0x50000u) /* nested: the address between the stages */
#define VLAB_OFFSET    0x340u               /* in the page, of accesses */
#define VLAB_DOMAIN    7u

enum vlab_mode {
    VLAB_LEGACY_MODE, /* second stage; the rest are of scalable mode */
    VLAB_LEGACY_PASS,
    VLAB_FIRST_STAGE,
    VLAB_SECOND_STAGE,
    VLAB_NESTED,
    VLAB_PASS
};

struct vlab {
    struct conform_ctx *t;
    struct lab *lab;
    uint64_t base, cap, ecap;
    unsigned host_bits; /* DMAR's host address width */
    uint16_t rid;
    uint32_t pasid; /* of what has none, and of what has one */
    enum vlab_mode mode;
    unsigned levels, leaf; /* of the stage that the address goes into; of the page */
    uint64_t addr;         /* that leads to VLAB_OUT + VLAB_OFFSET */
    unsigned tail;         /* of the queue, in bytes */
    bool wide;             /* descriptors of 256 bits */
};

/* What is needed, besides a unit; t_skip() says what is missing. */
struct vlab_need {
    uint64_t cap, ecap;   /* all of these */
    uint64_t without_cap; /* none of these */
    uint64_t without_ecap;
};

/* False: not applicable, or it failed. Close it in any case. */
bool vlab_open(struct vlab *v, struct conform_ctx *t, const struct vlab_need *need);
void vlab_close(struct vlab *v);

uint64_t vlab_get(struct vlab *v, unsigned reg, unsigned size);
void vlab_set(struct vlab *v, unsigned reg, unsigned size, uint64_t value);
uint64_t vlab_ram(struct vlab *v, uint64_t addr);
void vlab_put(struct vlab *v, uint64_t addr, uint64_t value);

/* Tables for a mode; levels and leaf: 0 for any. False: the unit lacks it, t_skip() said what. */
bool vlab_tables(struct vlab *v, enum vlab_mode mode, unsigned levels, unsigned leaf);
/* The root table is set, translation enabled. */
void vlab_go(struct vlab *v);
/* A global command on (or, of those that stay, off); the status follows (11.4.4). */
void vlab_command(struct vlab *v, uint64_t bit, bool on);
static inline bool vlab_scalable(const struct vlab *v)
{
    return v->mode >= VLAB_FIRST_STAGE;
}

/* Where an entry is that the exerciser's accesses meet. */
uint64_t vlab_root_entry(const struct vlab *v);
uint64_t vlab_context_entry(const struct vlab *v);
uint64_t vlab_directory_entry(const struct vlab *v);
uint64_t vlab_pasid_entry(const struct vlab *v);
uint64_t vlab_second_entry(const struct vlab *v, unsigned level);
uint64_t vlab_first_entry(const struct vlab *v, unsigned level);
/* An address that hosts can have and nothing answers at. */
uint64_t vlab_nowhere(const struct vlab *v);

struct vlab_access {
    uint64_t addr;
    bool write, atomic;
    uint8_t at;
    bool has_pasid, privileged, execute, no_write;
    uint32_t pasid;
    uint32_t data; /* of a write */
};
/* Of a read or a Translation Request: its completion, or NULL. */
const struct tlp *vlab_send(struct vlab *v, const struct vlab_access *access);
/* The dword of a completion with data. */
uint32_t vlab_dword(const struct tlp *completion);
/* Does an access at v->addr get to `out` (a page)? */
bool vlab_reaches(struct vlab *v, bool write, uint64_t out);

/* A fault record (11.4.14). */
struct vlab_fault {
    unsigned reason;
    uint64_t low, high;
};
/* The oldest, cleared; false: there is none. */
bool vlab_fault(struct vlab *v, struct vlab_fault *fault);

/* The invalidation queue: empty and on, with wide descriptors in scalable mode. */
void vlab_queue_on(struct vlab *v);
void vlab_queue(struct vlab *v, uint64_t low, uint64_t high);
void vlab_queue_quads(struct vlab *v, const uint64_t quad[4]);
/* A wait with a status; false: it is not written. */
bool vlab_queue_wait(struct vlab *v);
/* Everything that the unit has cached; false: it does not finish. */
bool vlab_forget(struct vlab *v);

/* One access with one thing in its tables changed: what becomes of it. */
enum vtd_where {
    VW_NOTHING,
    VW_ROOT,
    VW_CONTEXT,
    VW_DIRECTORY,
    VW_PASID,
    VW_SECOND, /* the second stage's entry at `level` */
    VW_FIRST,
    VW_SECOND_OF_FIRST, /* nested: the page of the first stage's table at `level` */
};

enum vtd_flag {
    VF_WRITE = 1 << 0,
    VF_NOWHERE = 1 << 1,      /* the entry leads to where nothing is */
    VF_BEYOND = 1 << 2,       /* the bit above the host's addresses is set in the entry */
    VF_WITH_PASID = 1 << 3,   /* the access has one: the right one */
    VF_PRIVILEGED = 1 << 4,   /* ... for a supervisor */
    VF_EXECUTE = 1 << 5,      /* ... for instructions */
    VF_TRANSLATED = 1 << 6,   /* its address is said to be translated */
    VF_REQUEST = 1 << 7,      /* it is a Translation Request */
    VF_ATOMIC = 1 << 8,       /* a Fetch and Add */
    VF_ROOT_NOWHERE = 1 << 9, /* of the root table */
    VF_SILENT = 1 << 10,      /* it is blocked, and not recorded */
    VF_ABOVE = 1 << 11,       /* address: just beyond the highest */
    VF_TWICE = 1 << 12,       /* it went through before the change; caches are invalidated after */
};

struct vtd_case {
    uint8_t mode;               /* enum vlab_mode */
    uint8_t levels, leaf;       /* 0: any */
    uint8_t where, level, quad; /* enum vtd_where: this quadword of the entry */
    uint8_t reason;             /* of the fault; 0: it gets to its page */
    uint8_t ttm;                /* the root table's mode, if not 0, in place of the right one */
    uint16_t flags;             /* enum vtd_flag */
    uint64_t clear, set;        /* bits of the quadword */
    uint64_t each;              /* each of these bits of it, one after the other */
    uint64_t addr;              /* of the access, if not the right one */
    uint64_t pasid;             /* that is added to the right one */
    uint64_t left, left_clear;  /* bits of the quadword that are set, and not, afterwards */
    struct vlab_need need;
};
void vtd_case_run(struct conform_ctx *t);

#define VTD_ROW(name, sec, text, run, ...)                                                         \
    {                                                                                              \
        .id = "vtd." name, .group = "vtd", .document = CONFORM_VTD, .section = sec,                \
        .requirement = text, .needs = CONFORM_LAB, .procedure = run, .param = __VA_ARGS__          \
    }
#define VTD_CASE(name, sec, text, ...)                                                             \
    VTD_ROW(name, sec, text, vtd_case_run, &(const struct vtd_case){__VA_ARGS__})

#endif
