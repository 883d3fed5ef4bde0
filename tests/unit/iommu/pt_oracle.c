/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pt_oracle.h"

#include <check.h>

static bool bit(uint64_t value, unsigned n)
{
    return value >> n & 1;
}

static uint64_t bits(uint64_t value, unsigned high, unsigned low)
{
    uint64_t out = 0;

    for (unsigned n = low; n <= high; n++) {
        if (bit(value, n))
            out |= 1ULL << n;
    }
    return out;
}

/* The address bits that a table of each level is indexed by: lowest one. */
static const unsigned index_low[] = {0, 12, 21, 30, 39, 48};
static const uint64_t leaf_bytes[] = {0, 4096, 2 << 20, 1 << 30};

static bool any_reserved(const struct pt_config *c, unsigned level, bool leaf, uint64_t e)
{
    bool second = c->format == &pt_vtd_second;

    for (unsigned n = c->phys_bits; n <= 51; n++) {
        if (bit(e, n))
            return true;
    }
    /* Of a large page's address the bits below its size; in x86 bit 12 of them is the PAT's. */
    for (unsigned n = second ? 12 : 13; leaf && level > 1 && n < index_low[level]; n++) {
        if (bit(e, n))
            return true;
    }
    if (!leaf && level >= 2 && bit(e, 7) && level > c->largest_leaf)
        return true;
    if (second && bit(e, 62))
        return true;
    return second && bit(e, 11) && !(leaf && c->snoop_bit);
}

static bool oracle_address(const struct pt_config *c, uint64_t addr)
{
    unsigned top = index_low[c->levels] + 8;

    for (unsigned n = top + 1; n < 64; n++) {
        if (bit(addr, n) != (c->format == &pt_x86 && bit(addr, top)))
            return false;
    }
    return true;
}

static enum pt_cause oracle_refuses(const struct pt_config *c, struct pt_access a,
                                    const struct oracle_result *r)
{
    if (c->format == &pt_x86) {
        if (!a.privileged && !r->user)
            return PT_FAULT_PRIVILEGE;
        if (a.want & PT_PERM_WRITE && !r->write && (!a.privileged || c->write_protect))
            return PT_FAULT_WRITE;
        return a.want & PT_PERM_EXEC && !r->exec ? PT_FAULT_EXECUTE : PT_FAULT_NONE;
    }
    if (a.want & PT_PERM_WRITE && !r->write)
        return PT_FAULT_WRITE;
    if (a.want & PT_PERM_READ && !r->read)
        return PT_FAULT_READ;
    return a.want & PT_PERM_EXEC && !r->read ? PT_FAULT_READ : PT_FAULT_NONE;
}

static void oracle_grant(const struct pt_config *c, uint64_t e, struct oracle_result *r)
{
    if (c->format == &pt_x86) {
        r->write = r->write && bit(e, 1);
        r->user = r->user && bit(e, 2);
        r->exec = r->exec && !(c->no_execute && bit(e, 63));
    } else {
        r->read = r->read && bit(e, 0);
        r->write = r->write && bit(e, 1);
    }
}

static uint64_t oracle_marked(const struct pt_config *c, struct pt_access a, bool leaf, uint64_t e)
{
    bool second = c->format == &pt_vtd_second;

    if (!c->keep_ad)
        return e;
    e |= second ? 0x100 : 0x20;
    if (!second && c->extended_access)
        e |= 0x400;
    if (leaf && a.want & PT_PERM_WRITE)
        e |= second ? 0x200 : 0x40;
    return e;
}

void oracle_walk(const struct pt_config *c, uint64_t addr, struct pt_access a, pt_read_fn read,
                 void *opaque, struct oracle_result *r)
{
    uint64_t table = c->root;

    *r = (struct oracle_result){.read = true, .write = true, .exec = true, .user = true};
    r->level = c->levels;
    r->cause = PT_FAULT_ADDRESS;
    if (!oracle_address(c, addr))
        return;
    for (;; r->level--) {
        unsigned low = index_low[r->level];
        uint64_t at = table + (bits(addr, low + 8, low) >> low) * 8, e, marked;
        bool leaf;

        r->cause = PT_FAULT_TABLE;
        if (!read(opaque, at, &e))
            return;
        r->cause = PT_FAULT_NOT_PRESENT;
        if (c->format == &pt_x86 ? !bit(e, 0) : !bit(e, 0) && !bit(e, 1))
            return;
        leaf = r->level == 1 || (bit(e, 7) && r->level <= c->largest_leaf);
        r->cause = PT_FAULT_RESERVED;
        if (any_reserved(c, r->level, leaf, e))
            return;
        oracle_grant(c, e, r);
        r->cause = leaf || c->format == &pt_vtd_second ? oracle_refuses(c, a, r) : PT_FAULT_NONE;
        if (r->cause != PT_FAULT_NONE)
            return;
        marked = oracle_marked(c, a, leaf, e);
        if (marked != e)
            r->update[r->update_count++] = (struct oracle_update){at, marked};
        if (leaf) {
            r->page_bytes = leaf_bytes[r->level];
            r->output = bits(e, 51, low) + addr % r->page_bytes;
            return;
        }
        table = bits(e, 51, 12);
    }
}

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

bool random_memory_read(void *opaque, uint64_t addr, uint64_t *value)
{
    struct random_memory *memory = opaque;
    uint64_t a = mix(memory->seed ^ addr), b = mix(a), c = mix(b), v;

    if (addr >= memory->end)
        return false;
    /* Mostly permissive, below the end, sometimes large; then now and then one odd bit. */
    v = (a & 0xfff) | (b % (memory->end + (memory->end >> 4)) & ~0xfffULL);
    v |= c % 16 ? 7 : 0;
    if (c >> 8 & 3) {
        v &= ~0x80ULL;
    } else {
        v |= 0x80;
        if (c >> 12 & 7)
            v &= c >> 15 & 1 ? ~0x3fffe000ULL : ~0x1fe000ULL;
        if (memory->second && c >> 16 & 7)
            v &= ~0x1000ULL;
    }
    if (memory->second && c >> 20 & 15)
        v &= ~0x800ULL;
    if (memory->wild && (c >> 24) % 4 == 0)
        v ^= 1ULL << (c >> 32) % 64;
    *value = v;
    return true;
}

/* Check's own assertions cost a system call each. */
#define SAME(a, b)                                                                                 \
    do {                                                                                           \
        if ((a) != (b))                                                                            \
            ck_abort_msg("%s is 0x%llx, %s is 0x%llx", #a, (unsigned long long)(a), #b,            \
                         (unsigned long long)(b));                                                 \
    } while (0)

void oracle_compare(const struct pt_config *config, uint64_t addr, struct pt_access access,
                    struct random_memory *memory, struct oracle_result *r)
{
    struct pt_walk walk;
    bool ok = pt_walk_run(&walk, config, addr, access, random_memory_read, memory);

    oracle_walk(config, addr, access, random_memory_read, memory, r);
    SAME(walk.result.cause, r->cause);
    SAME(ok, r->cause == PT_FAULT_NONE);
    SAME(walk.result.level, r->level);
    if (!ok)
        return;
    SAME(walk.result.output, r->output);
    SAME(1ULL << walk.result.page_shift, r->page_bytes);
    SAME(walk.result.page, r->output - addr % r->page_bytes);
    SAME(!(walk.result.perms & PT_PERM_READ), !r->read);
    SAME(!(walk.result.perms & PT_PERM_WRITE), !r->write);
    SAME(!(walk.result.perms & PT_PERM_EXEC), !r->exec);
    SAME(!(walk.result.perms & PT_PERM_USER), !r->user);
    SAME(walk.update_count, r->update_count);
    for (unsigned i = 0; i < r->update_count; i++) {
        SAME(walk.update[i].addr, r->update[i].addr);
        SAME(walk.update[i].old | walk.update[i].set, r->update[i].value);
    }
}
