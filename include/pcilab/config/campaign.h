/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Campaign files: a glib key file that says which scenarios run on which topologies and kernels
 * with which seeds. Each [matrix NAME] is the product of its lists. The keys are described in
 * docs/campaigns.md.
 *
 * Whatever is wrong with a file is one error, "file:line: [group] key: what, and what is allowed".
 */
#ifndef PCILAB_CONFIG_CAMPAIGN_H
#define PCILAB_CONFIG_CAMPAIGN_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define CAMPAIGN_CASES_MAX 1000000u

/* A list as it was written, its words taken apart as a shell does. */
struct campaign_list {
    char **words; /* NULL terminated; NULL: the key is not there */
    unsigned line;
};

struct campaign_seeds {
    uint64_t first;
    unsigned count;
};

struct campaign_matrix {
    char *group; /* between the brackets */
    unsigned line;
    struct campaign_list scenarios, topologies, kernels;
    GArray *seeds; /* struct campaign_seeds, in order; they do not overlap */
};

struct campaign {
    char *file; /* for messages */
    char *name;
    unsigned shard_size;              /* cases in a shard; 0: not said */
    uint64_t limit_ps, limit_wall_us; /* 0: the defaults of pcilab run */
    GArray *matrices;                 /* struct campaign_matrix, one at least */
};

/* NULL: `error` has the code of a topology_error. */
struct campaign *campaign_load(const char *path, GError **error);
/* The same for text in memory (any bytes); `file` is for messages. */
struct campaign *campaign_parse(const char *file, const char *text, size_t len, GError **error);
void campaign_free(struct campaign *campaign);

/* An error at a list of a matrix, in the shape that all have. */
void campaign_fail(GError **error, const struct campaign *campaign,
                   const struct campaign_matrix *matrix, const char *key, const char *format, ...)
    G_GNUC_PRINTF(5, 6);

#endif
