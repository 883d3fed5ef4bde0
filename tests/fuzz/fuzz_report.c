/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a run.json and as the results of a campaign's shard: one error, or a page, TAP and
 * cases that make sense. What json-glib complains of is a mistake of ours.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "campaign.h"
#include "report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A good one of each. */
static const char *const good[] = {
    "{\"format\":1,\"pcilab\":\"0.1.0\",\"title\":\"t\",\"result\":\"r\",\"end-ps\":900,"
    "\"links\":[{\"below\":\"a\",\"above\":\"b\",\"is\":\"up\",\"speed\":\"8\",\"width\":\"x4\"}],"
    "\"use\":{\"bucket-ps\":100,\"senders\":{\"a\":[1,0,700]}},\"latencies\":[{\"where\":\"a\","
    "\"what\":\"MRd\",\"log2-ps\":[0,3,1]}],\"events\":[{\"class\":\"error\",\"where\":\"a\","
    "\"text\":\"x\",\"count\":2,\"first-ps\":5,\"last-ps\":9}]}",
    "{\"format\":1,\"pcilab\":\"" PCILAB_VERSION "\",\"campaign\":\"c\",\"shard\":1,\"cases\":["
    "{\"case\":1,\"result\":\"passed\",\"checks\":3,\"virtual-ps\":9,\"wall-us\":5},"
    "{\"case\":2,\"result\":\"failed\",\"checks\":0,\"virtual-ps\":9,\"wall-us\":5}]}",
};

#define SHARDS 2u
#define CASES  3u

/* Of run_options.c, for plans that are made; here nobody makes one. */
bool run_find_files(GPtrArray *files, const char *path)
{
    return false;
}

static void check_error(GError *error)
{
    g_assert(error && error->message[0]);
    g_error_free(error);
}

static void as_run(const char *text)
{
    GError *error = NULL;
    JsonNode *node = json_from_string(text, &error);
    struct report_run run = {.name = "r", .run = node, .console = "<b>"};

    if ((!node && error) || !report_check(node, &error)) {
        check_error(error);
    } else {
        GPtrArray *runs = g_ptr_array_new();
        g_ptr_array_add(runs, &run);
        g_ptr_array_add(runs, &run);
        char *page = report_page("<title>", runs);

        g_assert(g_str_has_suffix(page, "</html>\n") && g_utf8_validate(page, -1, NULL));
        g_assert(!strstr(page, "<script") && !strstr(page, "<b><") && !strstr(page, "<img"));
        g_free(page);
        g_ptr_array_unref(runs);
    }
    g_clear_pointer(&node, json_node_unref);
}

/* Lines of TAP that are results. */
static unsigned points(const char *tap)
{
    char **lines = g_strsplit(tap, "\n", -1);
    unsigned count = 0;

    for (unsigned i = 0; lines[i]; i++)
        count += g_str_has_prefix(lines[i], "ok ") || g_str_has_prefix(lines[i], "not ok ");
    g_strfreev(lines);
    return count;
}

/* A shard of two cases: the first two of three. */
static void as_shard(const char *text)
{
    struct plan_row row = {.scenario = "s.lua", .seed = 7, .count = CASES, .first = 1};
    struct plan plan = {.dir = "d",
                        .name = "fuzz",
                        .id = "c",
                        .shard_size = 2,
                        .shards = SHARDS,
                        .cases = CASES,
                        .rows = g_ptr_array_new()};
    GError *error = NULL;

    g_ptr_array_add(plan.rows, &row);
    GPtrArray *cases = result_parse(&plan, 1, text, &error);
    if (!cases) {
        check_error(error);
    } else {
        char *tap = NULL;
        size_t len;
        FILE *out = open_memstream(&tap, &len);

        g_assert(!error && cases->len == 2);
        for (unsigned i = 0; i < cases->len; i++) {
            const struct run_case *c = cases->pdata[i];
            g_assert(c->seed == 7 + i && strcmp(c->path, "s.lua") == 0);
            run_tap_case(out, i + 1, c, NULL);
        }
        fclose(out);
        g_assert(points(tap) == 2);
        free(tap);
        g_ptr_array_unref(cases);
    }
    g_ptr_array_unref(plan.rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = g_strndup((const char *)data, size);

    g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING);
    as_run(text);
    as_shard(text);
    g_free(text);
    if (size % 3 == 0 && size < 64) { /* places and bytes: a good one, changed there */
        for (unsigned i = 0; i < G_N_ELEMENTS(good); i++) {
            text = g_strdup(good[i]);
            for (size_t at = 0; at < size; at += 3)
                text[(data[at] | data[at + 1] << 8) % strlen(good[i])] = (char)data[at + 2];
            (i ? as_shard : as_run)(text);
            g_free(text);
        }
    }
    return 0;
}
