/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's way to say "this, with these properties": nvme,drive=d0,serial=x. A comma that is meant is
 * doubled; a word without a value is on. */
#ifndef PCILAB_CLI_QEMU_WORDS_H
#define PCILAB_CLI_QEMU_WORDS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct qemu_words {
    char *what;       /* "-device nvme,drive=d0": for messages */
    GArray *pairs;    /* struct qemu_pair */
    GPtrArray *asked; /* const char *: the keys that somebody asked for */
};

/* `first` is the key of a first word without one; NULL: there is none. */
struct qemu_words *qemu_words_new(const char *option, const char *text, const char *first);
void qemu_words_free(void *words);

/* The value, NULL when there is none; the key is known from now on. Keys are literals. */
const char *qemu_words_get(struct qemu_words *words, const char *key);
/* All values of the key with blanks between; NULL when there is none. g_free() it. */
char *qemu_words_all(struct qemu_words *words, const char *key);
/* These stay as they are when the key is not there; false: a value that is not allowed. */
bool qemu_words_flag(struct qemu_words *words, const char *key, bool *value);
bool qemu_words_uint(struct qemu_words *words, const char *key, unsigned max, unsigned *value);
/* The value must be this one, or none: anything else cannot be honoured. */
bool qemu_words_only(struct qemu_words *words, const char *key, const char *value);
/* Nothing is left that nobody asked for. */
bool qemu_words_end(struct qemu_words *words);

/* "pcilab-qemu: WHAT: ..."; returns false. */
bool qemu_refuse(const char *what, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* The same as a warning: what is left out. */
void qemu_warn(const char *what, const char *format, ...) G_GNUC_PRINTF(2, 3);

#endif
