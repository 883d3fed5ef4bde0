/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file that keeps a run's inputs (pcilab/sim/input.h), so that it can happen again.
 *
 * Format, version 1; numbers are little-endian. First 8 bytes "pcilabR\n", the version (4 bytes),
 * the length of the description (4 bytes, at most 1 MiB), the description of what was run (text,
 * the caller's) and the CRC-32 (zlib's) of all that (4 bytes). Then entries, in order of time:
 *
 *   kind (1 byte), source (1 byte), 0 (2 bytes), length of the data (4 bytes), virtual time in
 *   picoseconds (8 bytes), data, CRC-32 of the entry up to here (4 bytes)
 *
 *   's'  from now on this number is the source of this name (the data: 1 to 255 bytes, no NUL)
 *   'i'  an input of this source, that came by itself (at most 64 KiB)
 *   'a'  an input of this source, as the answer to the guest (likewise)
 *   'm'  a mark: all inputs up to this time are there; data: instructions retired by then (8 bytes)
 *   'e'  the end, as a mark; data: instructions retired (8 bytes), exit status (4 bytes), 1 when
 *        the run ended from outside, otherwise 0 (4 bytes). Nothing follows.
 *
 * Each entry is written at once: when the process is killed, the file is good up to its last whole
 * entry. A file without 'e' is such a one, and good for a run up to its last mark.
 */
#ifndef PCILAB_IO_RECORD_H
#define PCILAB_IO_RECORD_H

#include "pcilab/sim/input.h"

struct record_mark {
    uint64_t at_ps, retired;
    bool end; /* filled in when read */
};

struct record_end {
    struct record_mark mark;
    uint32_t status;
    bool from_outside;
};

struct record_writer;

/* A new file, or an old one that is overwritten; readable by its owner only. */
struct record_writer *record_create(const char *path, const char *description, GError **error);
/* For struct sim_input_log; opaque is the writer. */
void record_keep(void *opaque, const struct sim_input_entry *entry);
void record_put_mark(struct record_writer *writer, const struct record_mark *mark);
void record_put_end(struct record_writer *writer, const struct record_end *end);
/* 0, or the errno with which the file is not complete. */
int record_writer_free(struct record_writer *writer);

struct record;

/* Reads it all; the error says what is wrong with the file. */
struct record *record_open(const char *path, GError **error);
/* The same of bytes, which must be there as long as the record. */
struct record *record_parse(const uint8_t *bytes, size_t len, GError **error);
void record_free(struct record *record);

const char *record_description(const struct record *record);
/* Where it ends: the last mark of a file that was cut, if there is one. */
const struct record_end *record_last(const struct record *record);
bool record_is_cut(const struct record *record);
/* All names of sources, NULL-terminated. */
const char *const *record_sources(const struct record *record);
/* For struct sim_input_log; opaque is the record. */
bool record_next(void *opaque, enum sim_input_kind kind, struct sim_input_entry *entry);
/* The next mark, the end being the last one; false: there is no more. */
bool record_next_mark(struct record *record, struct record_mark *mark);

#endif
