/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plan of a campaign: every case, and its identity. */
#include <string.h>

#include "campaign.h"
#include "pcilab/config/topology.h"

#define PLAN_FORMAT 1
/* CHOICE: so many shards, when the file does not say how large one is. */
#define SHARDS_USUAL 100u

static void row_free(void *item)
{
    struct plan_row *row = item;

    g_free(row->scenario);
    g_free(row->topology);
    g_free(row->kernel);
    g_free(row->hash);
    g_free(row);
}

void plan_free(struct plan *plan)
{
    if (!plan) {
        return;
    }
    g_ptr_array_unref(plan->rows);
    g_free(plan->name);
    g_free(plan->dir);
    g_free(plan);
}

static struct plan *plan_new(const char *dir)
{
    struct plan *plan = g_new0(struct plan, 1);

    plan->dir = g_canonicalize_filename(dir, NULL);
    plan->rows = g_ptr_array_new_with_free_func(row_free);
    return plan;
}

/* Identity. */

/* A tree stands for the kernel in it. */
static char *kernel_file(const char *kernel)
{
    return g_file_test(kernel, G_FILE_TEST_IS_DIR)
               ? g_build_filename(kernel, "arch/x86/boot/bzImage", NULL)
               : g_strdup(kernel);
}

static bool hash_file(GChecksum *sum, const char *path, GError **error)
{
    char *bytes;
    gsize len;

    if (!path) {
        return true;
    }
    if (!g_file_get_contents(path, &bytes, &len, error)) {
        return false;
    }
    char *head = g_strdup_printf("%" G_GSIZE_FORMAT "\n", len);
    g_checksum_update(sum, (const guchar *)head, -1);
    g_checksum_update(sum, (const guchar *)bytes, (gssize)len);
    g_free(head);
    g_free(bytes);
    return true;
}

/* NULL: one cannot be read. */
static char *hash_row(const struct plan_row *row, GError **error)
{
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
    char *kernel = row->kernel ? kernel_file(row->kernel) : NULL, *hash = NULL;

    if (hash_file(sum, row->scenario, error) && hash_file(sum, row->topology, error) &&
        hash_file(sum, kernel, error)) {
        hash = g_strdup(g_checksum_get_string(sum));
    }
    g_checksum_free(sum);
    g_free(kernel);
    return hash;
}

bool plan_check_files(const struct plan_row *row, GError **error)
{
    char *now = hash_row(row, error);
    bool same = now && strcmp(now, row->hash) == 0;

    if (now && !same) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FILE,
                    "%s%s%s%s%s: changed since the campaign was planned; its results would be "
                    "another campaign's",
                    row->scenario, row->topology ? " or " : "", row->topology ? row->topology : "",
                    row->kernel ? " or " : "", row->kernel ? row->kernel : "");
    }
    g_free(now);
    return same;
}

static JsonObject *row_object(const struct plan_row *row)
{
    JsonObject *object = json_object_new();

    json_object_set_string_member(object, "scenario", row->scenario);
    if (row->topology) {
        json_object_set_string_member(object, "topology", row->topology);
    }
    if (row->kernel) {
        json_object_set_string_member(object, "kernel", row->kernel);
    }
    json_object_set_int_member(object, "seed", (gint64)row->seed);
    json_object_set_int_member(object, "count", row->count);
    json_object_set_string_member(object, "sha256", row->hash);
    return object;
}

/* Without its identity, which is over this text. */
static JsonNode *plan_node(const struct plan *plan)
{
    JsonObject *object = json_object_new();
    JsonArray *rows = json_array_new();
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);

    json_object_set_int_member(object, "format", PLAN_FORMAT);
    json_object_set_string_member(object, "pcilab", PCILAB_VERSION);
    json_object_set_string_member(object, "name", plan->name);
    json_object_set_int_member(object, "shard-size", plan->shard_size);
    json_object_set_int_member(object, "limit-ps", (gint64)plan->limit_ps);
    json_object_set_int_member(object, "limit-wall-us", (gint64)plan->limit_wall_us);
    for (unsigned i = 0; i < plan->rows->len; i++) {
        json_array_add_object_element(rows, row_object(plan->rows->pdata[i]));
    }
    json_object_set_array_member(object, "rows", rows);
    json_node_take_object(node, object);
    return node;
}

/* Counts the cases; then the identity can be made. */
static void plan_finish(struct plan *plan)
{
    JsonNode *node = plan_node(plan);
    char *text = json_to_string(node, FALSE);
    char *id = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);

    g_strlcpy(plan->id, id, sizeof(plan->id));
    plan->shards = (plan->cases + plan->shard_size - 1) / plan->shard_size;
    g_free(id);
    g_free(text);
    json_node_unref(node);
}

bool plan_write(const struct plan *plan, GError **error)
{
    JsonNode *node = plan_node(plan);
    char *path = g_build_filename(plan->dir, "plan.json", NULL);

    json_object_set_string_member(json_node_get_object(node), "id", plan->id);
    char *text = json_to_string(node, TRUE);
    bool ok = g_file_set_contents(path, text, -1, error);
    g_free(text);
    g_free(path);
    json_node_unref(node);
    return ok;
}

/* Cases. */

void plan_shard(const struct plan *plan, unsigned shard, unsigned *first, unsigned *last)
{
    *first = (shard - 1) * plan->shard_size + 1;
    *last = MIN(shard * plan->shard_size, plan->cases);
}

const struct plan_row *plan_row_of(const struct plan *plan, unsigned number)
{
    unsigned low = 0, high = plan->rows->len;

    while (high - low > 1) {
        unsigned mid = (low + high) / 2;
        const struct plan_row *row = plan->rows->pdata[mid];
        *(row->first <= number ? &low : &high) = mid;
    }
    return plan->rows->pdata[low];
}

static void add_row(struct plan *plan, struct plan_row *row)
{
    row->first = plan->cases + 1;
    plan->cases += row->count;
    g_ptr_array_add(plan->rows, row);
}

/* From a campaign file. */

struct maker {
    struct plan *plan;
    const struct campaign *campaign;
    const struct campaign_matrix *matrix;
    char *folder;       /* of the file: names are relative to it */
    GHashTable *before; /* what is the same but for the seed -> GPtrArray of struct plan_row */
    GError **error;
};

#define maker_fail(maker, key, ...)                                                                \
    campaign_fail((maker)->error, (maker)->campaign, (maker)->matrix, key, __VA_ARGS__)

static char *place(const struct maker *m, const char *word)
{
    if (g_str_has_prefix(word, "~/")) {
        return g_build_filename(g_get_home_dir(), word + 2, NULL);
    }
    return g_canonicalize_filename(word, m->folder);
}

static bool find_scenarios(const struct maker *m, GPtrArray *out)
{
    for (char **word = m->matrix->scenarios.words; *word; word++) {
        char *path = place(m, *word);
        bool ok = run_find_files(out, path);
        if (!ok) {
            maker_fail(m, "scenarios", "there is no scenario, *.lua, in the folder %s", path);
        } else if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
            maker_fail(m, "scenarios", "there is no %s", path);
            ok = false;
        }
        g_free(path);
        if (!ok) {
            return false;
        }
    }
    return true;
}

static bool find_topologies(const struct maker *m, GPtrArray *out)
{
    GError *inner = NULL;

    if (!m->matrix->topologies.words) {
        g_ptr_array_add(out, NULL);
        return true;
    }
    for (char **word = m->matrix->topologies.words; *word; word++) {
        char *path = place(m, *word), *loaded;
        bool there = g_file_test(path, G_FILE_TEST_EXISTS);
        struct machine_desc *desc =
            cli_open_topology(there || strchr(*word, '/') ? path : *word, &loaded, &inner);
        g_free(path);
        if (!desc) {
            maker_fail(m, "topologies", "%s", inner->message);
            g_error_free(inner);
            return false;
        }
        machine_desc_free(desc);
        g_ptr_array_add(out, g_canonicalize_filename(loaded, NULL));
        g_free(loaded);
    }
    return true;
}

static bool find_kernels(const struct maker *m, GPtrArray *out)
{
    if (!m->matrix->kernels.words) {
        g_ptr_array_add(out, NULL);
        return true;
    }
    for (char **word = m->matrix->kernels.words; *word; word++) {
        if (strcmp(*word, "default") == 0) {
            g_ptr_array_add(out, NULL);
            continue;
        }
        char *path = place(m, *word), *file = kernel_file(path);
        bool there = g_file_test(file, G_FILE_TEST_IS_REGULAR);
        if (there) {
            g_ptr_array_add(out, path);
        } else {
            maker_fail(m, "kernels",
                       "there is no %s; a kernel is a bzImage, the tree where it was "
                       "built, or default",
                       file);
            g_free(path);
        }
        g_free(file);
        if (!there) {
            return false;
        }
    }
    return true;
}

/* What of these seeds no row before has. */
static void add_seeds(struct maker *m, GPtrArray *same, const struct plan_row *like,
                      struct campaign_seeds seeds, unsigned from)
{
    for (unsigned i = from; i < same->len; i++) {
        const struct plan_row *other = same->pdata[i];
        uint64_t end = seeds.first + seeds.count, other_end = other->seed + other->count;
        if (end <= other->seed || seeds.first >= other_end) {
            continue;
        }
        if (seeds.first < other->seed) {
            unsigned count = (unsigned)(other->seed - seeds.first);
            add_seeds(m, same, like, (struct campaign_seeds){seeds.first, count}, i + 1);
        }
        if (end > other_end) {
            unsigned count = (unsigned)(end - other_end);
            add_seeds(m, same, like, (struct campaign_seeds){other_end, count}, i + 1);
        }
        return;
    }
    struct plan_row *row = g_new0(struct plan_row, 1);
    *row = (struct plan_row){.scenario = g_strdup(like->scenario),
                             .topology = g_strdup(like->topology),
                             .kernel = g_strdup(like->kernel),
                             .hash = g_strdup(like->hash),
                             .seed = seeds.first,
                             .count = seeds.count};
    add_row(m->plan, row);
    g_ptr_array_add(same, row);
}

static bool add_product(struct maker *m, char *scenario, char *topology, char *kernel)
{
    struct plan_row like = {.scenario = scenario, .topology = topology, .kernel = kernel};
    char *key =
        g_strdup_printf("%s\n%s\n%s", scenario, topology ? topology : "", kernel ? kernel : "");
    GPtrArray *same = g_hash_table_lookup(m->before, key);
    GError *inner = NULL;

    like.hash =
        same ? g_strdup(((struct plan_row *)same->pdata[0])->hash) : hash_row(&like, &inner);
    if (!like.hash) {
        maker_fail(m, NULL, "%s", inner->message);
        g_error_free(inner);
        g_free(key);
        return false;
    }
    if (!same) {
        same = g_ptr_array_new();
        g_hash_table_insert(m->before, g_strdup(key), same);
    }
    for (unsigned i = 0; i < m->matrix->seeds->len; i++) {
        add_seeds(m, same, &like, g_array_index(m->matrix->seeds, struct campaign_seeds, i), 0);
        if (m->plan->cases > CAMPAIGN_CASES_MAX) {
            break;
        }
    }
    g_free(like.hash);
    g_free(key);
    if (m->plan->cases > CAMPAIGN_CASES_MAX) {
        maker_fail(m, NULL, "more than %u cases", CAMPAIGN_CASES_MAX);
        return false;
    }
    return true;
}

static bool add_matrix(struct maker *m)
{
    GPtrArray *scenarios = g_ptr_array_new_with_free_func(g_free);
    GPtrArray *topologies = g_ptr_array_new_with_free_func(g_free);
    GPtrArray *kernels = g_ptr_array_new_with_free_func(g_free);
    bool ok =
        find_scenarios(m, scenarios) && find_topologies(m, topologies) && find_kernels(m, kernels);

    for (unsigned k = 0; ok && k < kernels->len; k++) {
        for (unsigned t = 0; ok && t < topologies->len; t++) {
            for (unsigned s = 0; ok && s < scenarios->len; s++) {
                ok = add_product(m, scenarios->pdata[s], topologies->pdata[t], kernels->pdata[k]);
            }
        }
    }
    g_ptr_array_unref(scenarios);
    g_ptr_array_unref(topologies);
    g_ptr_array_unref(kernels);
    return ok;
}

static bool choose_shards(struct maker *m)
{
    struct plan *plan = m->plan;
    unsigned size = m->campaign->shard_size;

    plan->shard_size = size ? size : (plan->cases + SHARDS_USUAL - 1) / SHARDS_USUAL;
    if ((plan->cases + plan->shard_size - 1) / plan->shard_size > CAMPAIGN_SHARDS_MAX) {
        g_set_error(m->error, topology_error_quark(), TOPOLOGY_ERROR_INPUT,
                    "%s: %u cases in shards of %u are more than %u shards, the largest array that "
                    "Slurm takes; shard-size=%u makes fewer",
                    m->campaign->file, plan->cases, size, CAMPAIGN_SHARDS_MAX,
                    (plan->cases + SHARDS_USUAL - 1) / SHARDS_USUAL);
        return false;
    }
    return true;
}

struct plan *plan_make(const struct campaign *campaign, const char *dir, GError **error)
{
    char *file = g_canonicalize_filename(campaign->file, NULL);
    struct maker m = {.plan = plan_new(dir),
                      .campaign = campaign,
                      .folder = g_path_get_dirname(file),
                      .before = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                                      (GDestroyNotify)g_ptr_array_unref),
                      .error = error};
    bool ok = true;

    m.plan->name = g_strdup(campaign->name);
    m.plan->limit_ps = campaign->limit_ps;
    m.plan->limit_wall_us = campaign->limit_wall_us;
    for (unsigned i = 0; ok && i < campaign->matrices->len; i++) {
        m.matrix = &g_array_index(campaign->matrices, struct campaign_matrix, i);
        ok = add_matrix(&m);
    }
    ok = ok && choose_shards(&m);
    if (ok) {
        plan_finish(m.plan);
    } else {
        g_clear_pointer(&m.plan, plan_free);
    }
    g_hash_table_unref(m.before);
    g_free(m.folder);
    g_free(file);
    return m.plan;
}

/* From its file. */

static bool take_row(struct plan *plan, JsonObject *object, GError **error)
{
    const char *scenario, *topology, *kernel, *hash;
    uint64_t seed, count;

    if (!json_take_text(object, "scenario", &scenario, error) ||
        !json_take_text(object, "topology", &topology, error) ||
        !json_take_text(object, "kernel", &kernel, error) ||
        !json_take_text(object, "sha256", &hash, error) ||
        !json_take_uint(object, "seed", INT64_MAX, &seed, error) ||
        !json_take_uint(object, "count", CAMPAIGN_CASES_MAX - plan->cases, &count, error)) {
        return false;
    }
    struct plan_row *row = g_new0(struct plan_row, 1);
    *row = (struct plan_row){.scenario = g_strdup(scenario ? scenario : ""),
                             .topology = g_strdup(topology),
                             .kernel = g_strdup(kernel),
                             .hash = g_strdup(hash ? hash : ""),
                             .seed = seed,
                             .count = (unsigned)count};
    add_row(plan, row);
    return true;
}

static bool check_format(JsonObject *object, GError **error)
{
    const char *version;
    uint64_t format;

    if (!json_take_uint(object, "format", INT64_MAX, &format, error) ||
        !json_take_text(object, "pcilab", &version, error)) {
        return false;
    }
    if (format != PLAN_FORMAT || !version || strcmp(version, PCILAB_VERSION) != 0) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FILE,
                    "of pcilab %s (format %" G_GUINT64_FORMAT "), and this is %s; use that, or "
                    "plan the campaign anew in another folder",
                    version ? version : "?", format, PCILAB_VERSION);
        return false;
    }
    return true;
}

static bool take_plan(struct plan *plan, JsonObject *object, GError **error)
{
    uint64_t shard_size;
    const char *id, *name;
    JsonArray *rows;

    if (!check_format(object, error) || !json_take_text(object, "name", &name, error) ||
        !json_take_text(object, "id", &id, error) ||
        !json_take_uint(object, "shard-size", CAMPAIGN_CASES_MAX, &shard_size, error) ||
        !json_take_uint(object, "limit-ps", INT64_MAX, &plan->limit_ps, error) ||
        !json_take_uint(object, "limit-wall-us", INT64_MAX, &plan->limit_wall_us, error) ||
        !json_take_list(object, "rows", &rows, error)) {
        return false;
    }
    plan->name = g_strdup(name ? name : "");
    plan->shard_size = MAX((unsigned)shard_size, 1);
    for (guint i = 0; i < json_array_get_length(rows); i++) {
        if (!take_row(plan, json_array_get_object_element(rows, i), error)) {
            return false;
        }
    }
    plan_finish(plan);
    if (!id || strcmp(id, plan->id) != 0 || !plan->cases) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FILE,
                    "changed by hand; a campaign is planned with pcilab campaign FILE");
        return false;
    }
    return true;
}

struct plan *plan_read(const char *dir, GError **error)
{
    struct plan *plan = plan_new(dir);
    char *path = g_build_filename(dir, "plan.json", NULL), *text = NULL;
    JsonNode *node = NULL;
    bool ok = g_file_get_contents(path, &text, NULL, error);

    if (ok) {
        node = json_from_string(text, error);
        ok = node && JSON_NODE_HOLDS_OBJECT(node) &&
             take_plan(plan, json_node_get_object(node), error);
        if (!ok && error && !*error) {
            g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FILE, "this is no plan");
        }
        g_prefix_error(error, "%s: ", path);
    }
    g_clear_pointer(&node, json_node_unref);
    g_free(text);
    g_free(path);
    if (!ok) {
        g_clear_pointer(&plan, plan_free);
    }
    return plan;
}
