/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What modprobe needs for modules that were built and not installed: a folder of links to them in
 * the user's cache, with depmod's lists. Made anew when modules.order is newer.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "ktree.h"

/* Of this tree and release. */
static char *cache_folder(const struct ktree *t, const char *modules)
{
    char *id = g_strconcat(modules, "\n", t->release, NULL);
    char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, id, -1);
    char *folder = g_build_filename(g_get_user_cache_dir(), "pcilab", "trees", sum, NULL);

    g_free(sum);
    g_free(id);
    return folder;
}

static bool is_newer(const char *file, const char *than)
{
    struct stat a, b;

    return stat(file, &a) == 0 && stat(than, &b) == 0 &&
           (a.st_mtim.tv_sec > b.st_mtim.tv_sec ||
            (a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec >= b.st_mtim.tv_nsec));
}

/* "drivers/a.o" becomes kernel/drivers/a.ko in `to`, where it has been built. */
static void link_module(const char *line, const char *modules, const char *to, GString *order)
{
    const char *dot = strrchr(line, '.');
    char *stem = g_strndup(line, dot ? (size_t)(dot - line) : strlen(line));
    char *from = g_strdup_printf("%s/%s.ko", modules, stem);
    char *link = g_strdup_printf("%s/kernel/%s.ko", to, stem), *folder = g_path_get_dirname(link);

    if (dot && access(from, R_OK) == 0 && g_mkdir_with_parents(folder, 0755) == 0 &&
        symlink(from, link) == 0) {
        g_string_append_printf(order, "kernel/%s.ko\n", stem);
    }
    g_free(folder);
    g_free(link);
    g_free(from);
    g_free(stem);
}

static void copy_list(const char *modules, const char *to, const char *name)
{
    char *from = g_build_filename(modules, name, NULL), *file = g_build_filename(to, name, NULL);
    char *text;
    gsize len;

    if (g_file_get_contents(from, &text, &len, NULL)) {
        g_file_set_contents(file, text, (gssize)len, NULL);
        g_free(text);
    }
    g_free(file);
    g_free(from);
}

/* What does not work is left out: the initramfs has what must be there. */
static void fill(const char *modules, const char *to)
{
    char *order = g_build_filename(modules, "modules.order", NULL);
    char *file = g_build_filename(to, "modules.order", NULL), *text = NULL;
    GString *list = g_string_new(NULL);

    (void)g_mkdir_with_parents(to, 0755);
    if (g_file_get_contents(order, &text, NULL, NULL)) {
        char **lines = g_strsplit(text, "\n", -1);
        for (unsigned i = 0; lines[i]; i++) {
            if (*lines[i] && !strstr(lines[i], "..")) {
                link_module(lines[i], modules, to, list);
            }
        }
        g_strfreev(lines);
    }
    g_file_set_contents(file, list->str, (gssize)list->len, NULL);
    copy_list(modules, to, "modules.builtin");
    copy_list(modules, to, "modules.builtin.modinfo");
    g_string_free(list, TRUE);
    g_free(text);
    g_free(file);
    g_free(order);
}

void ktree_install(struct ktree *t)
{
    if (!t->modules || t->installed || !t->release) {
        return;
    }
    char *modules = g_canonicalize_filename(t->modules, NULL), *folder = cache_folder(t, modules);
    char *temp = g_strdup_printf("%s.%d", folder, (int)getpid());
    char *order = g_build_filename(modules, "modules.order", NULL);
    char *to = g_build_filename(temp, "lib/modules", t->release, NULL);
    char *there = g_build_filename(folder, "lib/modules", t->release, NULL);
    char *lists = g_build_filename(there, "modules.dep", NULL);

    if (!is_newer(lists, order)) {
        cli_note("preparing the modules of %s for modprobe", modules);
        fill(modules, to);
        ktree_depmod(temp);
        ktree_remove(folder);
        if (rename(temp, folder) != 0) {
            ktree_remove(temp);
        }
    }
    if (g_file_test(lists, G_FILE_TEST_IS_REGULAR)) {
        t->installed = g_steal_pointer(&there);
    }
    g_free(lists);
    g_free(there);
    g_free(to);
    g_free(order);
    g_free(temp);
    g_free(folder);
    g_free(modules);
}
