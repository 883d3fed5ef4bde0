/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TLPs in memory: the pool they come from, and what their address, length and enables say. */
#include "pcilab/pci/tlp.h"

#include <assert.h>
#include <glib.h>
#include <string.h>

#define BIG_BYTES  (TLP_MAX_PAYLOAD_DW * 4)
#define PAGE_BYTES 4096

/* A free payload buffer, linked through its own first bytes. */
struct big_buffer {
    struct big_buffer *next;
};

struct tlp_pool {
    struct tlp *free_tlps;
    struct big_buffer *free_bigs;
    unsigned live;
    uint64_t allocations;
    const struct flaws *flaws; /* or NULL */
};

struct tlp_pool *tlp_pool_new(void)
{
    return g_new0(struct tlp_pool, 1);
}

void tlp_pool_free(struct tlp_pool *pool)
{
    if (!pool) {
        return;
    }
    assert(pool->live == 0 && "every TLP has come back");
    while (pool->free_tlps) {
        struct tlp *tlp = pool->free_tlps;

        pool->free_tlps = tlp->next;
        g_free(tlp);
    }
    while (pool->free_bigs) {
        struct big_buffer *big = pool->free_bigs;

        pool->free_bigs = big->next;
        g_free(big);
    }
    g_free(pool);
}

void tlp_pool_set_flaws(struct tlp_pool *pool, const struct flaws *flaws)
{
    pool->flaws = flaws;
}

bool tlp_flawed(const struct tlp *tlp, enum flaw flaw)
{
    return tlp->pool && flaw_on(tlp->pool->flaws, flaw);
}

unsigned tlp_pool_live(const struct tlp_pool *pool)
{
    return pool->live;
}

uint64_t tlp_pool_allocations(const struct tlp_pool *pool)
{
    return pool->allocations;
}

static uint8_t *pool_take_big(struct tlp_pool *pool)
{
    struct big_buffer *big = pool->free_bigs;

    if (!big) {
        pool->allocations++;
        return g_malloc(BIG_BYTES);
    }
    pool->free_bigs = big->next;
    return (uint8_t *)big;
}

static bool type_has_payload(enum tlp_type type)
{
    return (type >= TLP_MWR && type <= TLP_CAS) || type == TLP_IOWR || type == TLP_CFGWR0 ||
           type == TLP_CFGWR1 || type == TLP_MSGD || type == TLP_CPLD || type == TLP_CPLDLK;
}

static bool type_has_one_dw(enum tlp_type type)
{
    return type >= TLP_IORD && type <= TLP_CFGWR1;
}

/* By the library. The compiler, if it knew the length, would use a string instruction, and those
 * take longer to start than this takes. */
static void clear(void *at, size_t bytes)
{
    __asm__("" : "+r"(bytes));
    memset(at, 0, bytes);
}

struct tlp *tlp_new(struct tlp_pool *pool, enum tlp_type type, unsigned payload_dw)
{
    struct tlp *tlp = pool->free_tlps;

    assert(type < TLP_TYPE_COUNT && payload_dw <= TLP_MAX_PAYLOAD_DW);
    assert(type_has_payload(type) == (payload_dw != 0));
    if (tlp) {
        pool->free_tlps = tlp->next;
    } else {
        pool->allocations++;
        tlp = g_new(struct tlp, 1);
    }
    clear(tlp, offsetof(struct tlp, prefix));
    tlp->pool = pool;
    tlp->type = (uint8_t)type;
    tlp->length_dw = (uint16_t)payload_dw;
    if (payload_dw > TLP_INLINE_DW) {
        tlp->big = pool_take_big(pool);
        tlp->data = tlp->big;
    } else if (payload_dw) {
        tlp->data = tlp->inline_data;
    } else if (type_has_one_dw(type)) {
        tlp->length_dw = 1;
    }
    if (payload_dw) {
        clear(tlp->data, (size_t)payload_dw * 4);
    }
    pool->live++;
    return tlp;
}

void tlp_free(struct tlp *tlp)
{
    struct tlp_pool *pool;

    if (!tlp) {
        return;
    }
    pool = tlp->pool;
    assert(pool && "a TLP is freed once");
    tlp_leave_buffer(tlp);
    if (tlp->big) {
        struct big_buffer *big = (struct big_buffer *)tlp->big;

        big->next = pool->free_bigs;
        pool->free_bigs = big;
    }
    tlp->pool = NULL;
    tlp->data = NULL;
    tlp->next = pool->free_tlps;
    pool->free_tlps = tlp;
    pool->live--;
}

static enum tlp_type completion_type(const struct tlp *request, bool payload)
{
    if (request->type == TLP_MRDLK) {
        return payload ? TLP_CPLDLK : TLP_CPLLK;
    }
    return payload ? TLP_CPLD : TLP_CPL;
}

struct tlp *tlp_new_completion(const struct tlp *request, struct pci_rid completer,
                               enum tlp_status status, unsigned payload_dw)
{
    struct tlp *cpl = tlp_new(request->pool, completion_type(request, payload_dw != 0), payload_dw);

    cpl->requester = request->requester;
    cpl->tag = request->tag;
    cpl->tc = request->tc;
    /* Attr[2] need not match and wants IDO Completion Enable, which no function here has. */
    cpl->attr = request->attr & (uint8_t)~TLP_ATTR_IDO;
    cpl->completer = completer;
    cpl->status = (uint8_t)status;
    if (request->type == TLP_MRD || request->type == TLP_MRDLK) {
        uint64_t addr;
        unsigned len;

        /* A zero-length read completes with one byte (2.2.9, table for Byte Count). */
        cpl->byte_count = tlp_span(request, &addr, &len) ? (uint16_t)len : 1;
        cpl->lower_addr = addr & 0x7f;
    } else if (tlp_is_atomic(request)) {
        cpl->byte_count = (uint16_t)tlp_operand_bytes(request);
    } else {
        cpl->byte_count = 4; /* 2.2.9: all but memory reads and AtomicOps */
    }
    return cpl;
}

static unsigned lowest_enable(unsigned be)
{
    return (unsigned)__builtin_ctz(be);
}

static unsigned highest_enable(unsigned be)
{
    return 31u - (unsigned)__builtin_clz(be);
}

bool tlp_span(const struct tlp *tlp, uint64_t *addr, unsigned *len)
{
    unsigned first = tlp->first_be & 0xf;
    unsigned last = tlp->last_be & 0xf;
    unsigned total = tlp->length_dw * 4u;
    unsigned start, end;

    *addr = tlp->addr;
    *len = 0;
    if (tlp_is_atomic(tlp)) {
        *len = tlp_operand_bytes(tlp);
        return true;
    }
    if (tlp->length_dw <= 1) {
        if (!first || !tlp->length_dw) {
            return false;
        }
        start = lowest_enable(first);
        end = highest_enable(first) + 1;
    } else {
        /* An edge without enables is malformed; whoever asks gets what lies between. */
        start = first ? lowest_enable(first) : 4;
        end = last ? total - 3 + highest_enable(last) : total - 4;
        if (end <= start) {
            return false;
        }
    }
    *addr = tlp->addr + start;
    *len = end - start;
    return true;
}

bool tlp_byte_enabled(const struct tlp *tlp, uint64_t addr)
{
    uint64_t offset = addr - tlp->addr;

    if (offset >= tlp->length_dw * 4u) {
        return false;
    }
    if (offset < 4) {
        return tlp->first_be >> offset & 1;
    }
    if (offset / 4 == tlp->length_dw - 1u) {
        return tlp->last_be >> (offset & 3) & 1;
    }
    return true;
}

void tlp_set_span(struct tlp *tlp, uint64_t addr, unsigned len)
{
    unsigned start = addr & 3;
    unsigned dw = (start + len + 3) / 4;
    unsigned end = (start + len - 1) & 3; /* last enabled byte of the last doubleword */

    assert(len >= 1 && (addr & (PAGE_BYTES - 1)) + len <= PAGE_BYTES);
    assert(!tlp->data || dw <= tlp->length_dw);
    tlp->addr = addr & ~3ULL;
    tlp->length_dw = (uint16_t)dw;
    if (dw == 1) {
        tlp->first_be = (uint8_t)((0xfu << start) & (0xfu >> (3 - end)) & 0xf);
        tlp->last_be = 0;
    } else {
        tlp->first_be = (uint8_t)((0xfu << start) & 0xf);
        tlp->last_be = (uint8_t)(0xfu >> (3 - end));
    }
}
