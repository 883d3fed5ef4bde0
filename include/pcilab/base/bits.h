/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bits and fields of 64-bit and narrower integers.
 *
 * A field is named by its mask: FIELD_GET(MASK, value) and FIELD_PREP(MASK, field) shift by the
 * mask's lowest set bit, so that a register's layout is written down once.
 */
#ifndef PCILAB_BASE_BITS_H
#define PCILAB_BASE_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BIT(n)           (1ULL << (n))
#define GENMASK(hi, lo)  ((~0ULL >> (63 - (hi))) & (~0ULL << (lo)))
#define FIELD_SHIFT(m)   (__builtin_ctzll(m))
#define FIELD_GET(m, v)  (((uint64_t)(v) & (uint64_t)(m)) >> FIELD_SHIFT(m))
#define FIELD_PREP(m, v) (((uint64_t)(v) << FIELD_SHIFT(m)) & (uint64_t)(m))

#define ARRAY_LEN(a)          (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(p, t, m) ((t *)((char *)(p)-offsetof(t, m)))

static inline uint64_t field_set(uint64_t value, uint64_t mask, uint64_t field)
{
    return (value & ~mask) | FIELD_PREP(mask, field);
}

static inline uint64_t align_down(uint64_t v, uint64_t alignment)
{
    return v & ~(alignment - 1);
}

static inline uint64_t align_up(uint64_t v, uint64_t alignment)
{
    return (v + alignment - 1) & ~(alignment - 1);
}

static inline bool is_power_of_2(uint64_t v)
{
    return v && !(v & (v - 1));
}

/* All ones in the low `bits` bits; bits is 0 to 64. */
static inline uint64_t low_mask(unsigned bits)
{
    return bits >= 64 ? ~0ULL : (1ULL << bits) - 1;
}

/* True when [a, a + a_len) lies inside [b, b + b_len); none of the sums may wrap. */
static inline bool range_inside(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
    return a >= b && a_len <= b_len && a - b <= b_len - a_len;
}

#endif
