/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a part of the machine tells of itself when somebody asks: named values, in objects and lists
 * of them. Who asks provides the sink. Telling changes nothing.
 *
 * Names are constant, of lower-case letters, digits and '-'. In an object everything has a name; in
 * a list nothing has (NULL).
 */
#ifndef PCILAB_BASE_INSPECT_H
#define PCILAB_BASE_INSPECT_H

#include <stdbool.h>
#include <stdint.h>

struct inspect_ops {
    void (*open)(void *opaque, const char *name, bool list);
    void (*close)(void *opaque, bool list);
    void (*number)(void *opaque, const char *name, uint64_t value);
    void (*flag)(void *opaque, const char *name, bool value);
    void (*text)(void *opaque, const char *name, const char *text);
};

struct inspect {
    const struct inspect_ops *ops;
    void *opaque;
};

/* No list has more; inspect_more() tells how many were left out. */
#define INSPECT_ROWS_MAX 4096

void inspect_object(const struct inspect *in, const char *name);
void inspect_object_end(const struct inspect *in);
void inspect_list(const struct inspect *in, const char *name);
void inspect_list_end(const struct inspect *in);
/* A count: decimal. */
void inspect_number(const struct inspect *in, const char *name, uint64_t value);
/* An address, or what a register holds: "0x...". */
void inspect_hex(const struct inspect *in, const char *name, uint64_t value);
void inspect_flag(const struct inspect *in, const char *name, bool value);
void inspect_text(const struct inspect *in, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* After a list: so many rows are not in it. Says nothing of none. */
void inspect_more(const struct inspect *in, uint64_t left_out);

#endif
