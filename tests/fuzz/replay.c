/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a fuzz target over every file of the folders that are named, and over an empty input: what
 * once broke it stays a test in builds without libFuzzer. Prints TAP; a crash ends it early.
 */
#include <glib.h>
#include <stdint.h>
#include <stdio.h>

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

int main(int argc, char **argv)
{
    static const uint8_t nothing[1];

    LLVMFuzzerTestOneInput(nothing, 0);
    printf("ok %u - an empty input\n", ++count);
    for (int i = 1; i < argc; i++) {
        replay_folder(argv[i]);
    }
    printf("1..%u\n", count);
    return 0;
}
