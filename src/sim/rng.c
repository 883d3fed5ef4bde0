/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xoshiro256** 1.0 and splitmix64 by D. Blackman and S. Vigna (public domain algorithms). */
#include "pcilab/sim/rng.h"

#include "pcilab/base/le.h"

#include <assert.h>

#define FNV64_OFFSET 0xcbf29ce484222325ULL
#define FNV64_PRIME  0x100000001b3ULL

static uint64_t rotate_left(uint64_t v, unsigned n)
{
    return v << n | v >> (64 - n);
}

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return z ^ z >> 31;
}

void sim_rng_init(struct sim_rng *rng, uint64_t seed, const char *stream)
{
    uint64_t name_hash = FNV64_OFFSET;
    uint64_t state = seed;

    for (const char *c = stream; *c; c++) {
        name_hash = (name_hash ^ (uint8_t)*c) * FNV64_PRIME;
    }
    /* Mix the seed first, so that (seed, name) pairs do not cancel by a plain exclusive or. */
    state = splitmix64(&state) ^ name_hash;
    for (unsigned i = 0; i < 4; i++) {
        rng->s[i] = splitmix64(&state);
    }
}

uint64_t sim_rng_next(struct sim_rng *rng)
{
    uint64_t *s = rng->s;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t sim_rng_below(struct sim_rng *rng, uint64_t bound)
{
    uint64_t reject;
    uint64_t v;

    assert(bound != 0);
    /* 2^64 mod bound values at the bottom would make the low results more likely. */
    reject = -bound % bound;
    do {
        v = sim_rng_next(rng);
    } while (v < reject);
    return v % bound;
}

void sim_rng_fill(struct sim_rng *rng, void *out, size_t len)
{
    uint8_t *p = out;

    while (len) {
        unsigned n = len < 8 ? (unsigned)len : 8;

        le_store(p, sim_rng_next(rng), n);
        p += n;
        len -= n;
    }
}
