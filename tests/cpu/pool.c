/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What registers and memory start with: mostly values at the edges of something. */
#include <string.h>

#include "diff.h"

uint64_t diff_interesting(struct diff_rng *rng)
{
    static const uint64_t edges[] = {
        0,
        1,
        2,
        0x7F,
        0x80,
        0xFF,
        0x100,
        0x7FFF,
        0x8000,
        0xFFFF,
        0x10000,
        0x7FFFFFFF,
        0x80000000,
        0xFFFFFFFF,
        0x100000000,
        0x7FFFFFFFFFFFFFFF,
        0x8000000000000000,
        0xFFFFFFFFFFFFFFFF,
        0xFFFFFFFFFFFFFF80,
        0xFFFFFFFF80000000,
        0x8000000080000000,
        0x0101010101010101,
        0x8080808080808080,
        /* double: 1, -2, infinities, NaNs, least and greatest, denormals, 2^31, 2^63, 0.5, 1.5 */
        0x3FF0000000000000,
        0xC000000000000000,
        0x7FF0000000000000,
        0xFFF0000000000000,
        0x7FF8000000000001,
        0x7FF0000000000001,
        0xFFF4000000000000,
        0x0010000000000000,
        0x7FEFFFFFFFFFFFFF,
        0x0000000000000001,
        0x800FFFFFFFFFFFFF,
        0x41E0000000000000,
        0x43E0000000000000,
        0xC1E0000000200000,
        0x3FE0000000000000,
        0x3FF8000000000000,
        /* pairs of floats of the same kinds */
        0x3F80000040000000,
        0xBF8000003F000000,
        0x7F800000FF800000,
        0x7FC000017F800001,
        0xFFA0000000800000,
        0x7F7FFFFF00000001,
        0x807FFFFF4F000000,
        0xCF0000005F000000,
        0x3FC0000040200000,
    };
    uint64_t r = diff_rand(rng);

    switch (r & 7) {
    case 0:
    case 1: return edges[(r >> 8) % (sizeof(edges) / sizeof(edges[0]))];
    case 2: /* near an edge */
        return edges[(r >> 8) % (sizeof(edges) / sizeof(edges[0]))] + (r >> 32 & 7) - 3;
    case 3: /* a power of two, more or less */ return (1ull << (r >> 8 & 63)) + (r >> 32 & 3) - 1;
    case 4: /* a double of moderate size */
        return (r & 0x800FFFFFFFFFFFFF) | (0x3E0 + (diff_rand(rng) & 63)) << 52;
    case 5: /* two such floats */
        return (r & 0x807FFFFF807FFFFF) | (0x70 + (diff_rand(rng) & 31)) << 23 |
               (0x70 + (diff_rand(rng) & 31)) << 55;
    case 6: /* small */ return r >> 32 & 0xFF;
    default: return diff_rand(rng);
    }
}

void diff_interesting_f80(struct diff_rng *rng, uint8_t *ten_bytes)
{
    static const uint64_t mantissas[] = {
        0x8000000000000000, 0xFFFFFFFFFFFFFFFF, 0xC000000000000000, 0x8000000000000001,
        0xA000000000000000, 0x8000000000000400, 0xFFFFFFFFFFFFFC00, 0xFFFFFF8000000000,
        0x0000000000000000, 0x0000000000000001, 0x7FFFFFFFFFFFFFFF, 0x4000000000000000,
    };
    static const uint16_t exponents[] = {
        0,      0,      1,      2,      0x3FFF, 0x3FFE, 0x4000, 0x403E, 0x403D,
        0x401E, 0x400E, 0x3F81, 0x3F80, 0x3F6A, 0x407E, 0x407F, 0x3C01, 0x3C00,
        0x3BCD, 0x43FE, 0x43FF, 0x7FFE, 0x7FFD, 0x7FFF, 0x7FFF, 0x3FC0, 0x3FBF,
    };
    uint64_t r = diff_rand(rng), mantissa;
    unsigned exponent;

    mantissa = r & 1 ? mantissas[(r >> 8) % 8] : diff_rand(rng) | 0x8000000000000000;
    if ((r >> 40) % 10 == 0)
        mantissa = mantissas[(r >> 8) % (sizeof(mantissas) / sizeof(mantissas[0]))];
    switch (r >> 1 & 3) {
    case 0: exponent = exponents[(r >> 16) % (sizeof(exponents) / sizeof(exponents[0]))]; break;
    case 1: exponent = 0x3FFF - 40 + (r >> 16) % 80; break;
    case 2: exponent = 0x3FFF - 4 + (r >> 16) % 8; break;
    default: exponent = r >> 16 & 0x7FFF;
    }
    if ((r >> 48) % 16 == 0)
        mantissa = 0, exponent = 0;
    exponent |= (r >> 4 & 1) << 15;
    memcpy(ten_bytes, &mantissa, 8);
    memcpy(ten_bytes + 8, &exponent, 2);
}

static const uint8_t *fill_pool(uint8_t *pool)
{
    struct diff_rng rng = {12345};

    for (unsigned i = 0; i < DIFF_POOL_BYTES; i += 16) {
        uint64_t v[2] = {diff_interesting(&rng), diff_interesting(&rng)};
        if (diff_chance(&rng, 20))
            diff_interesting_f80(&rng, (uint8_t *)v);
        memcpy(pool + i, v, 16);
    }
    return pool;
}

const uint8_t *diff_pool(void)
{
    static uint8_t pool[DIFF_POOL_BYTES];
    static const uint8_t *ready;

    if (!ready)
        ready = fill_pool(pool);
    return ready;
}

void diff_fill_data(const struct diff_case *c, uint8_t *data)
{
    memcpy(data, diff_pool() + c->pool_offset, DIFF_RW_BYTES);
    for (unsigned i = 0; i < c->pokes; i++)
        memcpy(data + c->poke[i].offset, c->poke[i].data, c->poke[i].bytes);
}
