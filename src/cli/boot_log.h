/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log of the console: every line of every boot of a run, each after the virtual time and the
 * wall time (seconds since the start) at which it began. A line is in the file as soon as it is
 * complete, so that whatever ends the run, panics and signals included, loses nothing.
 */
#ifndef PCILAB_CLI_BOOT_LOG_H
#define PCILAB_CLI_BOOT_LOG_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct boot_log;

struct boot_log *boot_log_new(const char *path, GError **error);
/* The same with a descriptor that becomes the log's. */
struct boot_log *boot_log_new_fd(int fd);
/* A byte of the console. */
void boot_log_byte(struct boot_log *log, uint8_t byte, uint64_t virtual_ps, int64_t wall_us);
/* A line of ours, after "# ". */
void boot_log_note(struct boot_log *log, const char *text);
/* 0, or the errno of the first write that failed. */
int boot_log_free(struct boot_log *log);

#endif
