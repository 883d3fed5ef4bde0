/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Seeded randomness. Every consumer owns a stream of its own, named by a string, so that adding a
 * consumer never changes what another one draws. The generator is xoshiro256** seeded through
 * splitmix64 from (seed, FNV-1a of the name).
 */
#ifndef PCILAB_SIM_RNG_H
#define PCILAB_SIM_RNG_H

#include <stddef.h>
#include <stdint.h>

struct sim_rng {
    uint64_t s[4];
};

void sim_rng_init(struct sim_rng *rng, uint64_t seed, const char *stream);
uint64_t sim_rng_next(struct sim_rng *rng);
/* Uniform in [0, bound); bound is not 0. */
uint64_t sim_rng_below(struct sim_rng *rng, uint64_t bound);
void sim_rng_fill(struct sim_rng *rng, void *out, size_t len);

#endif
