/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Blocks of decoded code: making, finding, and forgetting them when the code is overwritten.
 *
 * All processors share the blocks, which know physical addresses only. What is private to a
 * processor is the way from RIP to a block (jump cache and links), named by code_key(): RIP and an
 * epoch, a number that no other (processor, privilege, mapping) has had. When a mapping changes,
 * or when decoded code dies anywhere, epochs are replaced, and all those ways close at once.
 */
#include <assert.h>
#include <glib.h>
#include <string.h>

#include "core.h"
#include "handlers.h"
#include "stops.h"

static unsigned block_hash(uint64_t pa, unsigned mode)
{
    return (unsigned)((pa * 0x9E3779B97F4A7C15ULL >> (64 - BLOCK_HASH_BITS)) ^ mode);
}

/* What the decoder depends on. */
static unsigned code_mode(const struct cpu *c)
{
    return c->mode | (in_protected_mode(c) ? 0 : 4);
}

/* All decoded code is forgotten when it takes more than this. A Linux boot needs about 30 MiB. */
#define BLOCK_BYTES_MAX (128ULL << 20)

/* ---- Epochs ---- */

#define EPOCH_LIMIT 0xFFFFu

/* Epochs are 16 bits: before one is used a second time, nothing may remember it. */
static void epochs_restart(struct cpu_group *g)
{
    for (unsigned i = 0; i < 1u << BLOCK_HASH_BITS; i++) {
        for (struct block *b = g->hash[i]; b; b = b->hash_next) {
            memset(&b->ops[b->places], 0, sizeof(struct oplink));
        }
    }
    g->next_epoch = 1;
    for (unsigned n = 0; n < g->config.count; n++) {
        struct cpu *c = g->cpus[n];
        memset(c->jc, 0, sizeof(c->jc));
        c->epochs[TLB_SUPERVISOR] = g->next_epoch++;
        c->epochs[TLB_USER] = g->next_epoch++;
        c->epoch = c->epochs[c->cpl == 3];
    }
}

void block_new_epoch(struct cpu *c, bool supervisor, bool user)
{
    struct cpu_group *g = c->group;
    if (g->next_epoch + 2 > EPOCH_LIMIT) {
        epochs_restart(g);
    }
    if (supervisor) {
        c->epochs[TLB_SUPERVISOR] = g->next_epoch++;
        c->sup_low_code = c->sup_local_code = false;
    }
    if (user) {
        c->epochs[TLB_USER] = g->next_epoch++;
    }
    c->epoch = c->epochs[c->cpl == 3];
}

/* ---- Death ---- */

static void hash_remove(struct cpu_group *g, struct block *b)
{
    struct block **p = &g->hash[block_hash(b->pa, b->mode)];
    while (*p != b) {
        p = &(*p)->hash_next;
    }
    *p = b->hash_next;
}

static struct code_page **code_slot(struct cpu_group *g, uint64_t pa)
{
    struct ram_range *r = ram_find(g, pa);
    return r ? &r->code[(pa - r->ram.gpa) >> 12] : NULL;
}

static uint64_t block_bytes(const struct block *b)
{
    return sizeof(*b) + (b->places + 1u) * sizeof(struct op);
}

static void block_kill(struct cpu_group *g, struct block *b)
{
    hash_remove(g, b);
    g->block_bytes -= block_bytes(b);
    b->dead = true;
    b->hash_next = g->dead;
    g->dead = b;
}

/* Kills all blocks that lie in or reach into a page. */
static void page_kill(struct cpu_group *g, struct code_page **slot)
{
    struct code_page *p = *slot;
    *slot = NULL;
    for (struct block *b = p->blocks, *next; b; b = next) {
        next = b->page_next;
        if (b->pa2 != NO_PAGE) {
            struct code_page **other = code_slot(g, b->pa2);
            if (*other) {
                struct block **q = &(*other)->tails;
                while (*q != b) {
                    q = &(*q)->page2_next;
                }
                *q = b->page2_next;
            }
        }
        block_kill(g, b);
    }
    for (struct block *b = p->tails, *next; b; b = next) {
        next = b->page2_next;
        struct code_page **other = code_slot(g, b->pa);
        struct block **q = &(*other)->blocks;
        while (*q != b) {
            q = &(*q)->page_next;
        }
        *q = b->page_next;
        block_kill(g, b);
    }
    g_free(p);
    for (unsigned n = 0; n < g->config.count; n++) {
        struct cpu *c = g->cpus[n];
        block_new_epoch(c, true, true);
        c->link = NULL;
    }
}

static uint64_t line_mask(uint64_t off, uint64_t len)
{
    return GENMASK((off + len - 1) >> 6, off >> 6);
}

bool block_written(struct cpu_group *g, struct ram_range *r, uint64_t pa, uint64_t len)
{
    struct code_page **slot = &r->code[(pa - r->ram.gpa) >> 12];
    if (!*slot || !((*slot)->lines & line_mask(pa & ~PAGE_MASK, len))) {
        return false;
    }
    page_kill(g, slot);
    return true;
}

void soft_group_ram_written(struct cpu_group *g, uint64_t gpa, uint64_t len)
{
    while (len) {
        uint64_t piece = MIN(len, PAGE_SIZE - (gpa & ~PAGE_MASK));
        struct ram_range *r = ram_find(g, gpa);
        if (r && r->code[(gpa - r->ram.gpa) >> 12]) {
            block_written(g, r, gpa, piece);
        }
        gpa += piece;
        len -= piece;
    }
}

void block_free_dead(struct cpu_group *g)
{
    while (g->dead) {
        struct block *b = g->dead;
        g->dead = b->hash_next;
        g_free(b);
    }
}

void block_forget_all(struct cpu_group *g)
{
    for (unsigned i = 0; i < g->ram_count; i++) {
        uint64_t pages = g->ram[i].ram.size >> 12;
        for (uint64_t p = 0; p < pages; p++) {
            if (g->ram[i].code[p]) {
                page_kill(g, &g->ram[i].code[p]);
            }
        }
    }
}

void block_free_all(struct cpu_group *g)
{
    block_forget_all(g);
    block_free_dead(g);
}

/* ---- Birth ---- */

/*
 * Where instruction bytes come from: the host page of RIP, and for an instruction that crosses
 * into the next page a copy of the bytes around the border.
 */
struct fetch {
    struct cpu *c;
    uint64_t la, pa;
    const uint8_t *host;
    unsigned avail; /* bytes to the end of the page */
    uint64_t pa2;   /* NO_PAGE until the next page was needed */
    uint8_t copy[32];
};

/* Faults if RIP cannot be executed. */
static void fetch_start(struct cpu *c, struct fetch *f)
{
    f->c = c;
    f->la = c->mode == MODE_64 ? c->rip : (uint32_t)(c->rip + c->seg[CPU_CS].base);
    f->pa2 = NO_PAGE;
    if (c->mode != MODE_64 && c->rip > c->seg[CPU_CS].limit) {
        raise_gp(c, 0);
    }
    const struct tlb_entry *e = tlb_at(c->tlb, f->la);
    struct xlate x;
    if (e->xtag == (f->la & PAGE_MASK)) {
        f->host = (const uint8_t *)(f->la + e->addend);
        for (unsigned i = 0; i < c->group->ram_count; i++) {
            const struct cpu_ram *r = &c->group->ram[i].ram;
            if ((uintptr_t)f->host - (uintptr_t)r->host < r->size) {
                f->pa = r->gpa + (uint64_t)(f->host - r->host);
            }
        }
    } else {
        tlb_fill(c, f->la, ACC_EXEC, c->cpl == 3, &x);
        f->pa = x.pa;
        f->host = ram_host(c->group, x.pa);
        if (!f->host) {
            /* CHOICE: code is executed from RAM only; anything else is #GP(0). */
            raise_gp(c, 0);
        }
    }
    f->avail = (unsigned)(PAGE_SIZE - (f->la & ~PAGE_MASK));
    if (c->cpl != 3) {
        unsigned info = c->tlb_info[TLB_SUPERVISOR][f->la >> 12 & (TLB_SIZE - 1)];
        c->sup_low_code |= !(f->la >> 63);
        c->sup_local_code |= !(info & TLB_GLOBAL);
    }
}

/* The instruction at byte `off` crosses into the next page. Faults if that cannot be executed. */
static void fetch_cross(struct fetch *f, unsigned off, struct decoder *d)
{
    struct cpu *c = f->c;
    unsigned first = f->avail - off;
    struct xlate x;
    tlb_fill(c, f->la + f->avail, ACC_EXEC, c->cpl == 3, &x);
    const uint8_t *next = ram_host(c->group, x.pa);
    if (!next) {
        raise_gp(c, 0);
    }
    f->pa2 = x.pa;
    memcpy(f->copy, f->host + off, first);
    memcpy(f->copy + first, next, 16);
    d->bytes = f->copy;
    d->avail = first + 16;
}

/* Decodes from *f into b, at most `max` instructions. */
static void block_decode(struct fetch *f, struct block *b, unsigned max, bool partial)
{
    struct cpu *c = f->c;
    struct op *op = b->ops;
    unsigned off = 0, n = 0, places;
    enum decode_status st = DECODE_OK;
    struct decoder d = {
        .mode = c->mode,
        .real = !in_protected_mode(c),
        .page_left = f->avail,
        .page_off = f->pa & ~PAGE_MASK,
    };

    while (n < max && off < f->avail) {
        if (unlikely(c->group->stop_exec) && stop_at_offset(c->group, f->la + off)) {
            if (n > 0) {
                break; /* begins a block */
            }
            *op++ = (struct op){.fn = op_stop};
        }
        d.bytes = f->host + off;
        d.avail = f->avail - off;
        d.ip = (uint16_t)off;
        d.single = partial && n + 1 == max;
        st = decode_insn(&d, op, &places);
        if (st == DECODE_MORE) {
            if (n > 0) {
                break; /* gets a block of its own */
            }
            fetch_cross(f, off, &d);
            st = decode_insn(&d, op, &places);
            assert(st != DECODE_MORE);
        }
        op->n = (uint8_t)n;
        off += d.pos;
        n++;
        op += places;
        if (st == DECODE_END) {
            break;
        }
    }
    if (st != DECODE_END) {
        bool near = off < f->avail && !partial;
        *op = (struct op){.fn = near ? op_fall_near : op_fall_far,
                          .disp = (int32_t)off,
                          .ip = (uint16_t)off,
                          .n = (uint8_t)n};
        op++;
    }
    memset(op, 0, sizeof(struct oplink));
    b->places = (uint16_t)(op - b->ops);
    b->n = (uint16_t)n;
    b->len = (uint16_t)off;
}

static void page_add(struct cpu_group *g, struct block *b, uint64_t pa, unsigned len, bool tail)
{
    struct code_page **slot = code_slot(g, pa);
    if (!*slot) {
        *slot = g_new0(struct code_page, 1);
        tlb_protect_code(g, ram_host(g, pa & PAGE_MASK));
    }
    (*slot)->lines |= line_mask(pa & ~PAGE_MASK, len);
    struct block **list = tail ? &(*slot)->tails : &(*slot)->blocks;
    *(tail ? &b->page2_next : &b->page_next) = *list;
    *list = b;
}

static struct block *block_make(struct fetch *f)
{
    struct cpu *c = f->c;
    struct cpu_group *g = c->group;
    struct block *tmp = c->scratch;

    if (g->block_bytes > BLOCK_BYTES_MAX) {
        block_forget_all(g); /* a guest may jump to every byte of its RAM */
    }
    block_decode(f, tmp, BLOCK_MAX_INSNS, false);
    struct block *b = g_malloc0(block_bytes(tmp));
    memcpy(b->ops, tmp->ops, (tmp->places + 1u) * sizeof(struct op)); /* and the link */
    g->block_bytes += block_bytes(tmp);
    b->places = tmp->places;
    b->n = tmp->n;
    b->len = tmp->len;
    b->pa = f->pa;
    b->pa2 = f->pa2;
    b->mode = code_mode(c);
    unsigned first = MIN(b->len, f->avail);
    page_add(g, b, b->pa, first, false);
    if (b->len > f->avail) {
        page_add(g, b, f->pa2, b->len - f->avail, true);
    } else {
        b->pa2 = NO_PAGE;
    }
    struct block **slot = &g->hash[block_hash(b->pa, b->mode)];
    b->hash_next = *slot;
    *slot = b;
    return b;
}

/* The page-crossing block is the right one only if the second page is the same. */
static bool tail_matches(struct fetch *f, const struct block *b)
{
    struct xlate x;
    tlb_fill(f->c, f->la + f->avail, ACC_EXEC, f->c->cpl == 3, &x);
    return (x.pa & PAGE_MASK) == (b->pa2 & PAGE_MASK);
}

static bool inside_limit(const struct cpu *c, const struct block *b)
{
    return c->rip + b->len - 1 <= c->seg[CPU_CS].limit;
}

struct block *block_partial(struct cpu *c, unsigned max)
{
    struct fetch f;
    struct block *b = c->scratch;
    fetch_start(c, &f);
    block_decode(&f, b, MIN(max, BLOCK_MAX_INSNS), true);
    if (c->mode != MODE_64 && !inside_limit(c, b)) {
        block_decode(&f, b, 1, true);
        if (!inside_limit(c, b)) {
            raise_gp(c, 0);
        }
    }
    b->pa = f.pa;
    b->pa2 = NO_PAGE;
    return b;
}

/* Outside 64-bit mode code must lie inside CS: a block that does not goes step by step. */
static struct block *within_limit(struct cpu *c, struct block *b)
{
    return inside_limit(c, b) ? b : block_partial(c, 1);
}

struct block *block_lookup(struct cpu *c)
{
    struct jc_entry *jc = &c->jc[jc_index(c->rip)];
    uint64_t key = code_key(c, c->rip);
    if (likely(jc->key == key)) {
        return likely(c->mode == MODE_64) ? jc->block : within_limit(c, jc->block);
    }
    struct fetch f;
    fetch_start(c, &f);
    struct block *b = c->group->hash[block_hash(f.pa, code_mode(c))];
    while (b) {
        if (b->pa == f.pa && b->mode == code_mode(c)) {
            bool match = b->pa2 == NO_PAGE || tail_matches(&f, b);
            if (b->dead) {
                /* Setting an accessed bit overwrote code: the list is not what it was. */
                b = c->group->hash[block_hash(f.pa, code_mode(c))];
                continue;
            }
            if (match) {
                break;
            }
        }
        b = b->hash_next;
    }
    if (!b) {
        b = block_make(&f);
    }
    jc->key = code_key(c, c->rip);
    jc->block = b;
    return c->mode == MODE_64 ? b : within_limit(c, b);
}
