/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tree.h"

#include <ftw.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

static char *base, *export;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
    return remove(path);
}

const char *tree_path(void)
{
    return export;
}

const char *tree_file(const char *name)
{
    static char paths[4][4096];
    static unsigned next;
    char *path = paths[next++ % 4];

    g_snprintf(path, sizeof(paths[0]), "%s/%s", export, name);
    return path;
}

void tree_write(const char *name, const char *text)
{
    FILE *file = fopen(tree_file(name), "w");

    g_assert(file);
    fputs(text, file);
    int err = fclose(file);
    g_assert(err == 0);
}

void tree_make(void)
{
    g_autofree char *big = g_strnfill(65536, 'b');

    base = g_dir_make_tmp("pcilab-p9-XXXXXX", NULL);
    g_assert(base);
    export = g_build_filename(base, "export", NULL);
    g_mkdir(export, 0755);
    g_mkdir(tree_file("dir"), 0755);
    g_mkdir(tree_file("dir/sub"), 0755);
    g_mkdir(tree_file("rw"), 0755);
    tree_write("../secret", "secret");
    tree_write("file", "hello");
    tree_write("big", big);
    tree_write("dir/sub/leaf", "leaf");
}

void tree_remove(void)
{
    nftw(base, remove_one, 64, FTW_DEPTH | FTW_PHYS);
    g_clear_pointer(&base, g_free);
    g_clear_pointer(&export, g_free);
}
