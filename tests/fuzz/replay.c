/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a fuzz target over every file of the folders that are named, over an empty input and over
 * PCILAB_FUZZ_RUNS (1000) random ones, the same every time: what once broke it stays a test in
 * builds without libFuzzer. Prints TAP; a crash ends it early.
 */
#include <glib.h>
#include <stdint.h>
#include <stdio.h>

#include "pcilab/sim/rng.h"

/* LLVM's libFuzzer documentation, "Fuzz Target": the one function that a target defines. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned count;

static void replay_file(const char *path)
{
    char *data = NULL;
    gsize size = 0;

    if (!g_file_get_contents(path, &data, &size, NULL)) {
        printf("not ok %u - cannot read %s\n", ++count, path);
        return;
    }
    LLVMFuzzerTestOneInput((const uint8_t *)data, size);
    printf("ok %u - %s\n", ++count, path);
    g_free(data);
}

static gint by_name(gconstpointer a, gconstpointer b)
{
    return g_strcmp0(*(char *const *)a, *(char *const *)b);
}

static void replay_folder(const char *path)
{
    GDir *dir = g_dir_open(path, 0, NULL);
    const char *name;
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

    while (dir && (name = g_dir_read_name(dir))) {
        g_ptr_array_add(names, g_build_filename(path, name, NULL));
    }
    g_ptr_array_sort(names, by_name);
    for (guint i = 0; i < names->len; i++) {
        replay_file(g_ptr_array_index(names, i));
    }
    g_ptr_array_unref(names);
    if (dir) {
        g_dir_close(dir);
    }
}

/* Random bytes of random length, many of them short. */
static void random_inputs(unsigned runs)
{
    static uint8_t data[4096];
    struct sim_rng rng;

    sim_rng_init(&rng, 1, "fuzz");
    for (unsigned i = 0; i < runs; i++) {
        size_t size = (size_t)sim_rng_below(&rng, 1 + sim_rng_below(&rng, sizeof(data)));

        sim_rng_fill(&rng, data, size);
        LLVMFuzzerTestOneInput(data, size);
    }
    printf("ok %u - %u random inputs\n", ++count, runs);
}

int main(int argc, char **argv)
{
    static const uint8_t nothing[1];
    const char *runs = g_getenv("PCILAB_FUZZ_RUNS");

    LLVMFuzzerTestOneInput(nothing, 0);
    printf("ok %u - an empty input\n", ++count);
    for (int i = 1; i < argc; i++) {
        replay_folder(argv[i]);
    }
    random_inputs(runs ? (unsigned)g_ascii_strtoull(runs, NULL, 10) : 1000);
    printf("1..%u\n", count);
    return 0;
}
