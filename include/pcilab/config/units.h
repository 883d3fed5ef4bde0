/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sizes and times as people write them: in topology files, on the command line, in messages.
 */
#ifndef PCILAB_CONFIG_UNITS_H
#define PCILAB_CONFIG_UNITS_H

#include <stdbool.h>
#include <stdint.h>

/* A whole number, decimal or 0x hexadecimal; false on anything else or beyond 64 bits. */
bool units_parse_uint(const char *text, uint64_t *value);
/* "4096", "64K", "512M", "2G", "1T", also "512MiB": powers of 1024. */
bool units_parse_size(const char *text, uint64_t *bytes);
/* "250ns", "10us", "1.5ms", "30s", "5m", "1h"; a bare number is seconds. Up to SIM_NEVER - 1. */
bool units_parse_time(const char *text, uint64_t *ps);

/* "512 MiB", "1536 KiB": the largest unit that leaves a whole number. g_free() it. */
char *units_format_size(uint64_t bytes);
/* "12.345 s", "1.5 ms": three decimals at most. g_free() it. */
char *units_format_time(uint64_t ps);

/* The candidate that is most like `text`, NULL when none comes near: for "did you mean ...?". */
const char *units_nearest(const char *text, const char *const *candidates, unsigned count);

#endif
