/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench/events [EVENTS]: the event queue on the hold model: so many events pending, each schedules
 * itself anew when it runs, after a delay drawn from a distribution. Processor time; medians of
 * several runs.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "pcilab/base/bits.h"
#include "pcilab/sim/sim.h"

#define RUNS 5

#define MEAN_PS 524288.0
#define DRAWS   65536u

enum delays { UNIFORM, EXPONENTIAL, BIMODAL, CONSTANT, DELAYS };

static const char *const delays_names[] = {"uniform", "exponential", "bimodal", "constant"};

struct hold {
    struct sim sim;
    struct sim_rng rng;
    enum delays delays;
    uint64_t exponential[DRAWS]; /* quantiles of the distribution */
};

struct source {
    struct sim_event event;
    struct hold *hold;
};

static void source_run(void *opaque)
{
    struct source *source = opaque;
    struct hold *hold = source->hold;
    uint64_t draw = sim_rng_next(&hold->rng), delay = draw >> 44;

    switch (hold->delays) {
    case EXPONENTIAL: delay = hold->exponential[draw % DRAWS]; break;
    case CONSTANT: delay = (uint64_t)MEAN_PS; break;
    case BIMODAL: delay *= draw % 10 ? 1 : 1000; break; /* one in ten is so much longer */
    default: break;
    }
    sim_schedule_in(&hold->sim, &source->event, delay);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double seconds(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static void measure(unsigned pending, enum delays delays, unsigned long count)
{
    static struct hold hold;
    struct source *sources = calloc(pending, sizeof(*sources));
    double rate[RUNS];

    hold.delays = delays;
    for (unsigned i = 0; i < DRAWS; i++)
        hold.exponential[i] = (uint64_t)(-log((i + 0.5) / DRAWS) * MEAN_PS);
    sim_init(&hold.sim, 1);
    sim_rng_init(&hold.rng, 1, "hold");
    for (unsigned i = 0; i < pending; i++) {
        sources[i].hold = &hold;
        sim_event_init(&sources[i].event, source_run, &sources[i]);
        /* Spread at first: a constant delay would keep them together. */
        sim_schedule_in(&hold.sim, &sources[i].event, sim_rng_next(&hold.rng) >> 44);
    }
    for (unsigned long i = 0; i < count; i++)
        sim_run_one(&hold.sim, SIM_NEVER);
    for (unsigned run = 0; run < RUNS; run++) {
        double start = seconds();

        for (unsigned long i = 0; i < count; i++)
            sim_run_one(&hold.sim, SIM_NEVER);
        rate[run] = (double)count / (seconds() - start) * 1e-6;
    }
    qsort(rate, RUNS, sizeof(rate[0]), by_value);
    printf("%8u pending, %-12s %6.2f M events/s (%.2f to %.2f)\n", pending, delays_names[delays],
           rate[RUNS / 2], rate[0], rate[RUNS - 1]);
    sim_fini(&hold.sim);
    free(sources);
}

int main(int argc, char **argv)
{
    static const unsigned sizes[] = {10, 1000, 100000, 1000000};
    unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;

    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
        for (unsigned delays = 0; delays < DELAYS; delays++)
            measure(sizes[i], delays, count);
    }
    return 0;
}
