/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page-table walkers: pure functions from entries to a translation or the cause of a fault.
 *
 * A walk is a small state machine that never touches memory itself. It says which entry it wants
 * (`entry_addr`), is given its value, and says what comes next, so that whoever drives it may read
 * at once, read later in virtual time, or translate the entry's address first (nesting):
 *
 *     enum pt_step step = pt_walk_begin(&walk, &config, addr, access);
 *     while (step == PT_READ)
 *         step = pt_walk_feed(&walk, read(walk.entry_addr));
 *
 * pt_walk_run() is that loop over a callback. Levels count from the leaf: 1 is a table of 4 KiB
 * pages, 5 the root of a five-level tree. A format is a const struct pt_format, one file each;
 * entries of all formats so far are 8 bytes and tables are indexed by 9 bits a level.
 *
 * Access and dirty bits are not written by the walk: it lists in order, root first, what has to be
 * set; the driver does so by an atomic compare and exchange, and walks again when one fails.
 */
#ifndef PCILAB_IOMMU_PT_PT_H
#define PCILAB_IOMMU_PT_PT_H

#include <stdbool.h>
#include <stdint.h>

#include "pcilab/base/flaw.h"

#define PT_LEVELS_MAX 5

/* What an access wants, and what a translation grants; PT_USER grants unprivileged accesses. */
enum {
    PT_PERM_READ = 1,
    PT_PERM_WRITE = 2,
    PT_PERM_EXEC = 4,
    PT_PERM_USER = 8,
};

/* An access. Atomic operations read and write. */
struct pt_access {
    uint8_t want;    /* PT_PERM_READ, WRITE, EXEC; 0 probes for presence only */
    bool privileged; /* by supervisor privilege, where the format knows of it */
};

enum pt_cause {
    PT_FAULT_NONE,
    PT_FAULT_ADDRESS,     /* not canonical, or beyond what the tree maps */
    PT_FAULT_TABLE,       /* an entry could not be read (said by the driver) */
    PT_FAULT_NOT_PRESENT, /* an entry that grants nothing */
    PT_FAULT_RESERVED,    /* a reserved bit is set in a present entry */
    PT_FAULT_READ,
    PT_FAULT_WRITE,
    PT_FAULT_EXECUTE,
    PT_FAULT_PRIVILEGE, /* an unprivileged access to a supervisor's page */
    PT_FAULT_COUNT
};

struct pt_walk;
struct pt_config;

enum pt_kind { PT_ABSENT, PT_BAD, PT_TABLE, PT_LEAF };

/* One entry, understood. */
struct pt_entry {
    enum pt_kind kind;
    uint8_t perms;    /* what it grants */
    uint64_t addr;    /* of the next table or of the page */
    uint64_t ad_sets; /* access and dirty bits that this access must set and that are clear */
    bool dirty;       /* leaf: the dirty bit is set (or not kept) */
};

struct pt_format {
    const char *name;
    uint8_t levels_min, levels_max;
    /* Virtual addresses are sign-extended; otherwise upper bits are zero. */
    bool canonical;
    /* Permissions are judged at each entry, or at the end over all of them. */
    bool judge_each;
    void (*decode)(const struct pt_config *config, const struct pt_access *access, unsigned level,
                   uint64_t raw, struct pt_entry *out);
    /* What the accumulated permissions refuse of an access; PT_FAULT_NONE when nothing. */
    enum pt_cause (*judge)(const struct pt_config *config, const struct pt_access *access,
                           uint8_t perms);
};

/* A tree. */
struct pt_config {
    const struct pt_format *format;
    uint64_t root; /* address of the root table, on a 4 KiB boundary */
    uint8_t levels;
    uint8_t phys_bits;         /* width of addresses in entries; wider ones are reserved */
    uint8_t largest_leaf;      /* 1: 4 KiB only; 2: 2 MiB too; 3: 1 GiB too */
    bool keep_ad;              /* access and dirty bits are maintained */
    bool extended_access;      /* x86: bit 10 is set too (VT-d 4.1, 9.8, EA) */
    bool snoop_bit;            /* VT-d second stage: bit 11 of a leaf is not reserved */
    bool no_execute;           /* x86: bit 63 forbids execution */
    bool write_protect;        /* x86: supervisors may not write read-only pages */
    const struct flaws *flaws; /* of the machine, or NULL: none */
};

struct pt_update {
    uint64_t addr; /* of the entry */
    uint64_t old;
    uint64_t set;
};

struct pt_result {
    enum pt_cause cause;
    uint8_t level;      /* of the leaf, or of the entry that faulted */
    uint8_t page_shift; /* 12, 21 or 30 */
    uint8_t perms;
    bool dirty;      /* a write needs no further dirty bit */
    uint64_t page;   /* address of the page */
    uint64_t output; /* of the byte that was asked for */
    uint64_t leaf;   /* the leaf entry, for format-specific attributes */
};

struct pt_walk {
    const struct pt_config *config;
    struct pt_access access;
    uint64_t addr;
    uint64_t entry_addr; /* of the entry wanted next */
    uint64_t table;      /* the table that it is in */
    uint8_t level;       /* the entry's */
    uint8_t perms;       /* granted by the entries so far */
    uint8_t update_count;
    struct pt_update update[PT_LEVELS_MAX];
    struct pt_result result;
};

enum pt_step { PT_READ, PT_DONE, PT_FAULT };

enum pt_step pt_walk_begin(struct pt_walk *walk, const struct pt_config *config, uint64_t addr,
                           struct pt_access access);
/* Goes on from a cached entry of `level` + 1: its table and the permissions down to it. */
enum pt_step pt_walk_resume(struct pt_walk *walk, unsigned level, uint64_t table, uint8_t perms);
enum pt_step pt_walk_feed(struct pt_walk *walk, uint64_t raw);
/* The entry could not be read. */
enum pt_step pt_walk_fail(struct pt_walk *walk);

/* False: there is no memory at this address. */
typedef bool (*pt_read_fn)(void *opaque, uint64_t addr, uint64_t *value);
/* The whole walk over a reader; true when it ended in a translation. */
bool pt_walk_run(struct pt_walk *walk, const struct pt_config *config, uint64_t addr,
                 struct pt_access access, pt_read_fn read, void *opaque);

const char *pt_cause_name(enum pt_cause cause);

/* First bit of the address that an entry of a level translates. */
static inline unsigned pt_level_shift(unsigned level)
{
    return 12 + 9 * (level - 1);
}

/* x86-64, 4 and 5 levels; the VT-d first stage (VT-d 4.1, 9.8; Intel SDM vol. 3, 4.5). */
extern const struct pt_format pt_x86;
/* VT-d second stage, 3, 4 and 5 levels (VT-d 4.1, 9.9). */
extern const struct pt_format pt_vtd_second;

#endif
