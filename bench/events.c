/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench/events [EVENTS]: the event queue on the hold model: so many events pending, each schedules
 * itself anew when it runs, after a random delay. Processor time; medians of several runs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "pcilab/base/bits.h"
#include "pcilab/sim/sim.h"

#define RUNS 5

struct hold {
    struct sim sim;
    struct sim_rng rng;
    bool bimodal; /* one delay in ten is a thousand times as long */
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

    if (hold->bimodal && draw % 10 == 0)
        delay *= 1000;
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

static void measure(unsigned pending, bool bimodal, unsigned long count)
{
    struct hold hold = {.bimodal = bimodal};
    struct source *sources = calloc(pending, sizeof(*sources));
    double rate[RUNS];

    sim_init(&hold.sim, 1);
    sim_rng_init(&hold.rng, 1, "hold");
    for (unsigned i = 0; i < pending; i++) {
        sources[i].hold = &hold;
        sim_event_init(&sources[i].event, source_run, &sources[i]);
        source_run(&sources[i]);
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
    printf("%8u pending, %-8s %6.2f M events/s (%.2f to %.2f)\n", pending,
           bimodal ? "bimodal" : "uniform", rate[RUNS / 2], rate[0], rate[RUNS - 1]);
    sim_fini(&hold.sim);
    free(sources);
}

int main(int argc, char **argv)
{
    static const unsigned sizes[] = {1000, 100000, 1000000};
    unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;

    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
        measure(sizes[i], false, count);
        measure(sizes[i], true, count);
    }
    return 0;
}
