/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds of values that link keys have: timing, error rates, receive buffers, faults. */
#include <math.h>
#include <string.h>

#include "keys.h"
#include "pcilab/config/units.h"

static void *value_of(const struct topo_key *key, struct topo_values *values)
{
    return (char *)values + key->offset;
}

static bool parse_timing(const struct topo_key *key, const char *text, struct topo_values *values)
{
    uint64_t *value = value_of(key, values);

    if (strcmp(text, "functional") == 0)
        *value = TOPO_TIMING_FUNCTIONAL;
    else if (strcmp(text, "link") == 0)
        *value = TOPO_TIMING_LINK;
    else
        return false;
    return true;
}

static void allowed_timing(const struct topo_key *key, GString *out)
{
    g_string_append(out, "functional or link");
}

static bool parse_rate(const struct topo_key *key, const char *text, struct topo_values *values)
{
    double *value = value_of(key, values);
    char *end;

    if (!g_ascii_isdigit(*text))
        return false;
    *value = g_ascii_strtod(text, &end);
    return *end == '\0' && isfinite(*value) && *value <= 0.5;
}

static void allowed_rate(const struct topo_key *key, GString *out)
{
    g_string_append(out, "a number like 1e-9 from 0 to 0.5");
}

/* "64/1024": headers, a slash, data. */
static bool parse_credits(const char *text, struct link_credits *credits)
{
    char **parts = g_strsplit(text, "/", -1);
    uint64_t header, data;
    bool ok = g_strv_length(parts) == 2 && units_parse_uint(parts[0], &header) &&
              units_parse_uint(parts[1], &data) && header <= LINK_HEADER_CREDITS_MAX &&
              data <= LINK_DATA_CREDITS_MAX;

    g_strfreev(parts);
    if (ok)
        *credits = (struct link_credits){(uint16_t)header, (uint16_t)data};
    return ok;
}

static bool parse_buffers(const struct topo_key *key, const char *text, struct topo_values *values)
{
    struct link_credits *buffers = value_of(key, values);
    char **words = g_strsplit(text, " ", -1);
    bool ok = g_strv_length(words) == LINK_FLOWS;

    for (unsigned flow = 0; ok && flow < LINK_FLOWS; flow++)
        ok = parse_credits(words[flow], &buffers[flow]);
    g_strfreev(words);
    return ok;
}

static void allowed_buffers(const struct topo_key *key, GString *out)
{
    g_string_append_printf(out,
                           "headers/data of posted, non-posted and completion buffers; headers 0 "
                           "to %u, data in 16 bytes 0 to %u, 0 without limit",
                           LINK_HEADER_CREDITS_MAX, LINK_DATA_CREDITS_MAX);
}

static bool parse_number(const char **text, uint64_t *value)
{
    char *end;

    if (!g_ascii_isdigit(**text))
        return false;
    *value = g_ascii_strtoull(*text, &end, 10);
    *text = end;
    return *value <= UINT32_MAX;
}

/* "up:corrupt-tlp@100*3" */
static bool parse_fault(const char *text, struct topo_fault *out)
{
    const char *at = strchr(text, '@');
    unsigned kind;

    if (g_str_has_prefix(text, "up:"))
        out->up = true;
    else if (g_str_has_prefix(text, "down:"))
        out->up = false;
    else
        return false;
    text = strchr(text, ':') + 1;
    if (!at)
        return false;
    for (kind = 0; kind < LINK_FAULT_KINDS; kind++) {
        const char *name = link_fault_name((enum link_fault_kind)kind);

        if (strlen(name) == (size_t)(at - text) && strncmp(name, text, strlen(name)) == 0)
            break;
    }
    out->fault = (struct link_fault){.kind = (enum link_fault_kind)kind, .count = 1};
    at++;
    if (kind == LINK_FAULT_KINDS || !parse_number(&at, &out->fault.after))
        return false;
    if (*at == '*') {
        at++;
        if (!parse_number(&at, &out->fault.count))
            return false;
    }
    return *at == '\0' && out->fault.count;
}

static bool parse_faults(const struct topo_key *key, const char *text, struct topo_values *values)
{
    struct topo_faults *faults = value_of(key, values);
    char **words = g_strsplit(text, " ", -1);
    bool ok = true;

    *faults = (struct topo_faults){0};
    for (unsigned i = 0; ok && words[i]; i++) {
        ok = faults->count < LINK_FAULTS_MAX && parse_fault(words[i], &faults->list[faults->count]);
        faults->count++;
    }
    g_strfreev(words);
    return ok;
}

static void allowed_faults(const struct topo_key *key, GString *out)
{
    g_string_append_printf(out, "at most %u of up:KIND@N, down:KIND@N or with *COUNT; KIND is",
                           LINK_FAULTS_MAX);
    for (unsigned kind = 0; kind < LINK_FAULT_KINDS; kind++)
        g_string_append_printf(out, "%s %s",
                               kind == 0                      ? ""
                               : kind == LINK_FAULT_KINDS - 1 ? " or"
                                                              : ",",
                               link_fault_name((enum link_fault_kind)kind));
}

const struct topo_type topo_type_timing = {parse_timing, allowed_timing};
const struct topo_type topo_type_rate = {parse_rate, allowed_rate};
const struct topo_type topo_type_buffers = {parse_buffers, allowed_buffers};
const struct topo_type topo_type_faults = {parse_faults, allowed_faults};
