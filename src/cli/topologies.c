/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The topologies that come with pcilab: beside the build folder, where the sources are, or where it
 * was installed to. What a file is for is the comment that it begins with. */
#include <string.h>

#include "cli.h"

static char *find_folder(void)
{
    char *self = g_file_read_link("/proc/self/exe", NULL);
    char *here = self ? g_path_get_dirname(self) : g_strdup(".");
    char *folders[] = {g_build_filename(here, "..", "configs", NULL), g_strdup(PCILAB_CONFIG_DIR),
                       g_build_filename(here, "..", "share", "pcilab", "configs", NULL)};
    char *found = NULL;

    for (unsigned i = 0; i < G_N_ELEMENTS(folders); i++) {
        if (!found && g_file_test(folders[i], G_FILE_TEST_IS_DIR)) {
            found = g_canonicalize_filename(folders[i], NULL);
        }
        g_free(folders[i]);
    }
    g_free(here);
    g_free(self);
    return found;
}

char *cli_find_topology(const char *name)
{
    char *folder = find_folder();
    char *file = g_strdup_printf("%s.ini", name);
    char *path = folder ? g_build_filename(folder, file, NULL) : NULL;

    if (path && !g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
        g_clear_pointer(&path, g_free);
    }
    g_free(file);
    g_free(folder);
    return path;
}

static int by_name(const void *a, const void *b, void *unused)
{
    (void)unused;
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* g_strfreev() them. */
static char **names(void)
{
    char *folder = find_folder();
    GDir *dir = folder ? g_dir_open(folder, 0, NULL) : NULL;
    GPtrArray *found = g_ptr_array_new();
    const char *file;

    while (dir && (file = g_dir_read_name(dir))) {
        if (g_str_has_suffix(file, ".ini")) {
            g_ptr_array_add(found, g_strndup(file, strlen(file) - strlen(".ini")));
        }
    }
    g_ptr_array_sort_with_data(found, by_name, NULL);
    g_ptr_array_add(found, NULL);
    if (dir) {
        g_dir_close(dir);
    }
    g_free(folder);
    return (char **)g_ptr_array_free(found, FALSE);
}

char *cli_topology_names(void)
{
    char **all = names();
    char *text = g_strjoinv(", ", all);

    g_strfreev(all);
    return text;
}

/* The first sentence of the comment at the head of a file, up to its details, on one line. */
static char *purpose(const char *path)
{
    char *text = NULL;
    GString *head = g_string_new(NULL);

    if (!path || !g_file_get_contents(path, &text, NULL, NULL)) {
        return g_string_free(head, FALSE);
    }
    char **lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line && g_str_has_prefix(*line, "# "); line++) {
        g_string_append_printf(head, "%s%s", head->len ? " " : "", *line + strlen("# "));
    }
    for (char *end = head->str; (end = strpbrk(end, ".:;")); end++) {
        if (end[1] == ' ' || !end[1]) {
            g_string_truncate(head, end - head->str);
            break;
        }
    }
    g_strfreev(lines);
    g_free(text);
    return g_string_free(head, FALSE);
}

char *cli_topology_table(void)
{
    char **all = names();
    GString *table = g_string_new(NULL);

    for (char **name = all; *name; name++) {
        char *path = cli_find_topology(*name);
        char *about = purpose(path);
        g_string_append_printf(table, "%-14s %s\n", *name, about);
        g_free(about);
        g_free(path);
    }
    g_strfreev(all);
    return g_string_free(table, FALSE);
}
