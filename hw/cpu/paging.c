/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paging and the soft TLB. Intel 64 and IA-32 SDM (325462-083), volume 3, chapter 4.
 *
 * All four formats are walked by one loop over levels; they differ in entry size, index width and
 * where large pages may occur. CHOICE: PAE's four PDPTEs are read from memory at each walk rather
 * than kept in registers (4.4.1). CHOICE: a paging structure outside RAM reads as all ones, which
 * is a reserved-bit fault. UNIMPL: alignment checks (CR0.AM, EFLAGS.AC), SMAP, protection keys.
 */
#include <string.h>

#include "core.h"
#include "debug.h"

enum {
    PTE_P = 1 << 0,
    PTE_W = 1 << 1,
    PTE_U = 1 << 2,
    PTE_A = 1 << 5,
    PTE_D = 1 << 6,
    PTE_PS = 1 << 7,
    PTE_G = 1 << 8,
};
#define PTE_NX BIT(63)

enum { PF_P = 1, PF_W = 2, PF_U = 4, PF_RSVD = 8, PF_I = 16 };

struct walk {
    struct cpu *c;
    uint64_t la;
    enum acc acc;
    bool user;
    /* Result. */
    uint64_t pa, rights; /* AND of PTE_W, PTE_U over the levels */
    bool nx, dirty;
    uint8_t info;   /* TLB_GLOBAL, TLB_2M, TLB_1G */
    uint64_t fault; /* error code; valid when the walk fails */
};

static uint64_t pt_read(struct cpu *c, uint64_t pa, unsigned bytes)
{
    const uint8_t *host = ram_host(c->group, pa);
    return host ? host_read(host, bytes) : low_mask(8 * bytes);
}

static void pt_set_bits(struct cpu *c, uint64_t pa, unsigned bytes, uint64_t old, uint64_t bits)
{
    struct ram_range *r = ram_find(c->group, pa);
    if (!r || (old & bits) == bits) {
        return;
    }
    host_write(r->ram.host + (pa - r->ram.gpa), bytes, old | bits);
    if (r->code[(pa - r->ram.gpa) >> 12] && block_written(c->group, r, pa, bytes)) {
        c->smc = true;
    }
}

/* Reserved bits of an 8-byte entry at `level` (1 = page table). */
static bool pte64_reserved(const struct cpu *c, uint64_t e, unsigned level, bool large, bool pae)
{
    uint64_t reserved = ~c->group->phys_mask & GENMASK(51, 12);
    if (!(c->efer & EFER_NXE)) {
        reserved |= PTE_NX;
    }
    if (pae) {
        reserved |= GENMASK(62, 52);
        if (level == 3) {
            reserved |= GENMASK(63, 63) | GENMASK(8, 5) | GENMASK(2, 1);
        }
    } else if (level == 4) {
        reserved |= PTE_PS;
    }
    if (large) {
        reserved |= level == 2 ? GENMASK(20, 13) : GENMASK(29, 13);
    }
    return e & reserved;
}

/*
 * Walks 8-byte formats. Accessed bits are set once the whole walk and its permissions are known to
 * succeed (4.8 lets a processor do so at any time before).
 */
static bool walk64(struct walk *w, unsigned levels, bool pae)
{
    struct cpu *c = w->c;
    uint64_t table = pae ? c->cr3 & GENMASK(31, 5) : c->cr3 & c->group->phys_mask & PAGE_MASK;
    uint64_t at[4], entry[4];
    unsigned level = levels;

    w->rights = PTE_W | PTE_U;
    for (;; level--) {
        unsigned shift = 12 + 9 * (level - 1);
        uint64_t slot = w->la >> shift & (pae && level == 3 ? 3 : 511);
        uint64_t e = pt_read(c, table + slot * 8, 8);
        at[level - 1] = table + slot * 8;
        entry[level - 1] = e;
        if (!(e & PTE_P)) {
            w->fault = 0;
            return false;
        }
        bool large = (e & PTE_PS) && (level == 2 || (level == 3 && !pae));
        if (pte64_reserved(c, e, level, large, pae)) {
            w->fault = PF_P | PF_RSVD;
            return false;
        }
        if (!(pae && level == 3)) {
            w->rights &= e;
            w->nx |= e & PTE_NX ? true : false;
        }
        table = e & c->group->phys_mask & PAGE_MASK;
        if (large || level == 1) {
            uint64_t mask = low_mask(shift);
            w->pa = (table & ~mask) | (w->la & mask);
            w->info = (e & PTE_G) && (c->cr4 & CR4_PGE) ? TLB_GLOBAL : 0;
            w->info |= level == 2 ? TLB_2M : level == 3 ? TLB_1G : 0;
            break;
        }
    }

    bool write = w->acc == ACC_WRITE;
    w->fault = PF_P;
    if ((w->user && !(w->rights & PTE_U)) || (w->acc == ACC_EXEC && w->nx) ||
        (write && !(w->rights & PTE_W) && (w->user || c->cr0 & CR0_WP)) ||
        (w->acc == ACC_EXEC && !w->user && (w->rights & PTE_U) && c->cr4 & CR4_SMEP)) {
        return false;
    }
    for (unsigned i = levels; i > level; i--) {
        if (!(pae && i == 3)) {
            pt_set_bits(c, at[i - 1], 8, entry[i - 1], PTE_A);
        }
    }
    pt_set_bits(c, at[level - 1], 8, entry[level - 1], PTE_A | (write ? PTE_D : 0));
    w->dirty = write || entry[level - 1] & PTE_D;
    return true;
}

/* Two levels of 4-byte entries, with 4 MiB pages if CR4.PSE (4.3). */
static bool walk32(struct walk *w)
{
    struct cpu *c = w->c;
    uint64_t pde_at = (c->cr3 & GENMASK(31, 12)) + (w->la >> 22 & 1023) * 4;
    uint64_t pde = pt_read(c, pde_at, 4), pte_at = 0, leaf = pde;
    bool large = (pde & PTE_PS) && (c->cr4 & CR4_PSE);
    bool write = w->acc == ACC_WRITE;

    w->fault = 0;
    if (!(pde & PTE_P)) {
        return false;
    }
    w->rights = pde & (PTE_W | PTE_U);
    if (large) {
        if (pde & BIT(21)) {
            w->fault = PF_P | PF_RSVD;
            return false;
        }
        w->pa = (pde & GENMASK(31, 22)) | (pde & GENMASK(20, 13)) << 19 | (w->la & low_mask(22));
        w->pa &= c->group->phys_mask;
    } else {
        pte_at = (pde & GENMASK(31, 12)) + (w->la >> 12 & 1023) * 4;
        leaf = pt_read(c, pte_at, 4);
        if (!(leaf & PTE_P)) {
            return false;
        }
        w->rights &= leaf;
        w->pa = (leaf & GENMASK(31, 12)) | (w->la & ~PAGE_MASK);
    }
    w->fault = PF_P;
    if ((w->user && !(w->rights & PTE_U)) ||
        (write && !(w->rights & PTE_W) && (w->user || c->cr0 & CR0_WP)) ||
        (w->acc == ACC_EXEC && !w->user && (w->rights & PTE_U) && c->cr4 & CR4_SMEP)) {
        return false;
    }
    w->info = (leaf & PTE_G) && (c->cr4 & CR4_PGE) ? TLB_GLOBAL : 0;
    w->info |= large ? TLB_2M : 0;
    pt_set_bits(c, pde_at, 4, pde, PTE_A | (large && write ? PTE_D : 0));
    if (!large) {
        pt_set_bits(c, pte_at, 4, leaf, PTE_A | (write ? PTE_D : 0));
    }
    w->dirty = write || leaf & PTE_D;
    return true;
}

static void raise_non_canonical(struct cpu *c)
{
    cpu_raise_error(c, c->ea_seg == CPU_SS ? EXC_SS : EXC_GP, 0);
}

void page_translate(struct cpu *c, uint64_t la, enum acc acc, bool user, struct xlate *x)
{
    bool long_mode = in_long_mode(c);
    if (!long_mode) {
        la = (uint32_t)la;
    } else if (!is_canonical(la)) {
        if (acc == ACC_EXEC) {
            raise_gp(c, 0);
        }
        raise_non_canonical(c);
    }
    if (!(c->cr0 & CR0_PG)) {
        *x = (struct xlate){.pa = la, .info = 0, .writable = true, .executable = true};
        return;
    }
    struct walk w = {.c = c, .la = la, .acc = acc, .user = user};
    bool pae = c->cr4 & CR4_PAE;
    bool ok = long_mode ? walk64(&w, 4, false) : pae ? walk64(&w, 3, true) : walk32(&w);
    if (!ok) {
        uint32_t error = (uint32_t)w.fault | (acc == ACC_WRITE ? PF_W : 0) | (user ? PF_U : 0);
        if (acc == ACC_EXEC && ((pae && c->efer & EFER_NXE) || c->cr4 & CR4_SMEP)) {
            error |= PF_I;
        }
        cpu_page_fault(c, la, error);
    }
    x->pa = w.pa;
    x->info = w.info;
    x->writable = w.dirty && (w.rights & PTE_W || (!user && !(c->cr0 & CR0_WP)));
    x->executable = !w.nx && !(!user && (w.rights & PTE_U) && c->cr4 & CR4_SMEP);
}

void tlb_fill(struct cpu *c, uint64_t la, enum acc acc, bool user, struct xlate *x)
{
    page_translate(c, la, acc, user, x);
    struct ram_range *r = ram_find(c->group, x->pa);
    if (!r || (debug_watching(c) && debug_page_watched(c, la))) {
        return;
    }
    unsigned which = user ? TLB_USER : TLB_SUPERVISOR;
    struct tlb_entry *e = tlb_at(c->tlbs[which], la);
    uint64_t page = la & PAGE_MASK, off = x->pa - r->ram.gpa;
    e->rtag = page;
    e->wtag = x->writable && !r->code[off >> 12] ? page : TLB_NONE;
    e->xtag = x->executable ? page : TLB_NONE;
    e->addend = (uintptr_t)r->ram.host + off - la;
    c->tlb_info[which][la >> 12 & (TLB_SIZE - 1)] = x->info;
    if (x->info & (TLB_2M | TLB_1G)) {
        unsigned big = x->info & TLB_1G ? 1 : 0;
        c->large_seen[big] |= BIT(la >> (big ? 30 : 21) & 63);
    }
}

static void entry_clear(struct tlb_entry *e)
{
    e->rtag = e->wtag = e->xtag = TLB_NONE;
}

void tlb_flush(struct cpu *c, bool global_too)
{
    for (unsigned t = 0; t < TLB_COUNT; t++) {
        for (unsigned i = 0; i < TLB_SIZE; i++) {
            if (global_too || !(c->tlb_info[t][i] & TLB_GLOBAL)) {
                entry_clear(&c->tlbs[t][i]);
            }
        }
    }
    if (global_too) {
        c->large_seen[0] = c->large_seen[1] = 0;
    }
    block_new_epoch(c, global_too || c->sup_low_code || c->sup_local_code, true);
}

/* Forgets the cached 4 KiB pieces of a large page around la. */
static void flush_pieces(struct cpu *c, uint64_t la, unsigned flag)
{
    /* Two neighbouring 2 MiB slots, for 4 MiB pages; a 1 GiB page may be anywhere in the TLB. */
    unsigned shift = flag == TLB_1G ? 30 : c->cr4 & CR4_PAE ? 21 : 22;
    for (unsigned t = 0; t < TLB_COUNT; t++) {
        for (unsigned i = 0; i < TLB_SIZE; i++) {
            struct tlb_entry *e = &c->tlbs[t][i];
            if ((c->tlb_info[t][i] & flag) && e->rtag != TLB_NONE && !((e->rtag ^ la) >> shift)) {
                entry_clear(e);
            }
        }
    }
}

void tlb_flush_page(struct cpu *c, uint64_t la)
{
    uint64_t page = la & PAGE_MASK;
    for (unsigned t = 0; t < TLB_COUNT; t++) {
        struct tlb_entry *e = tlb_at(c->tlbs[t], la);
        if (e->rtag == page || e->wtag == page || e->xtag == page) {
            entry_clear(e);
        }
    }
    if (c->large_seen[0] & (3ULL << (la >> 21 & 62))) {
        flush_pieces(c, la, TLB_2M);
    }
    if (c->large_seen[1] & BIT(la >> 30 & 63)) {
        flush_pieces(c, la, TLB_1G);
    }
    bool low = !(la >> 63);
    block_new_epoch(c, !low || c->sup_low_code, low || c->sup_low_code);
}

void tlb_protect_code(struct cpu_group *g, const uint8_t *host)
{
    for (unsigned n = 0; n < g->config.count; n++) {
        for (unsigned t = 0; t < TLB_COUNT; t++) {
            for (unsigned i = 0; i < TLB_SIZE; i++) {
                struct tlb_entry *e = &g->cpus[n]->tlbs[t][i];
                if (e->wtag != TLB_NONE && e->wtag + e->addend == (uintptr_t)host) {
                    e->wtag = TLB_NONE;
                }
            }
        }
    }
}
