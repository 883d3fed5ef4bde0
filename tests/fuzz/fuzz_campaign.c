/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a campaign file: either one error that names the file, or lists that make sense. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "pcilab/config/campaign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_matrix(const struct campaign_matrix *m)
{
    g_assert(m->line && m->group);
    g_assert(m->scenarios.words && m->scenarios.words[0]);
    g_assert(m->seeds->len);
    for (unsigned i = 0; i < m->seeds->len; i++) {
        const struct campaign_seeds *s = &g_array_index(m->seeds, struct campaign_seeds, i);
        g_assert(s->count && s->count <= CAMPAIGN_CASES_MAX && s->first <= INT64_MAX);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GError *error = NULL;
    struct campaign *campaign = campaign_parse("fuzz", (const char *)data, size, &error);

    if (!campaign) {
        g_assert(error && g_str_has_prefix(error->message, "fuzz:"));
        g_assert(!strchr(error->message, '\n'));
        g_error_free(error);
        return 0;
    }
    g_assert_no_error(error);
    g_assert(campaign->name && campaign->matrices->len);
    for (unsigned i = 0; i < campaign->matrices->len; i++) {
        check_matrix(&g_array_index(campaign->matrices, struct campaign_matrix, i));
    }
    campaign_free(campaign);
    return 0;
}
