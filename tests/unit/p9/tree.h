/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A directory of the host to be exported, with something beside it that must not be reached:
 *
 *   secret         "secret"
 *   export/file    "hello"
 *   export/big     64 KiB
 *   export/dir/sub/leaf
 *   export/rw/     to be written where the rest is not
 */
#ifndef PCILAB_TESTS_P9_TREE_H
#define PCILAB_TESTS_P9_TREE_H

void tree_make(void);
void tree_remove(void);
const char *tree_path(void); /* of export */
/* A path below export; good until the next few calls. */
const char *tree_file(const char *name);
void tree_write(const char *name, const char *text);

#endif
