/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is asked, and the answer as a tree of values. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "inspect.h"
#include "pcilab/config/units.h"
#include "pcilab/sim/sim.h"

static const char *const sections[] = {
    "registers", "queue",         "faults",        "contexts",   "domains",
    "endpoints", "mappings",      "interrupts",    "statistics", "requests",
    "caches",    "invalidations", "page-requests",
};

static bool is_section(const char *word)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(sections); i++) {
        if (strcmp(sections[i], word) == 0) {
            return true;
        }
    }
    return false;
}

/* Up to `limit`, to the end or to one of `ends`; moves on behind it. */
static bool take_hex(const char **at, uint64_t limit, const char *ends, uint64_t *value)
{
    char *end;

    if (!g_ascii_isxdigit(**at)) {
        return false;
    }
    errno = 0;
    *value = g_ascii_strtoull(*at, &end, 16);
    if (errno || *value > limit || !strchr(ends, *end)) {
        return false;
    }
    *at = *end ? end + 1 : end;
    return true;
}

/* "[0000:]01:02.3" and with `pasid` "[,5]" */
static bool take_function(struct machine_access *access, const char *word, bool pasid)
{
    const char *at = word, *comma = strchr(word, ',');
    uint64_t segment = 0, bus, device, function, number;
    char *place = comma ? g_strndup(word, (gsize)(comma - word)) : g_strdup(word);
    unsigned colons = 0;

    for (at = place; *at; at++) {
        colons += *at == ':';
    }
    at = place;
    bool ok = (colons < 2 || take_hex(&at, 0xffff, ":", &segment)) &&
              take_hex(&at, 0xff, ":", &bus) && take_hex(&at, 0x1f, ".", &device) &&
              take_hex(&at, 7, "", &function) && !*at;
    g_free(place);
    if (ok && comma) {
        ok = pasid && units_parse_uint(comma + 1, &number) && number < 1u << 20;
        access->has_pasid = true;
        access->pasid = ok ? (uint32_t)number : 0;
    }
    if (!ok) {
        cli_error("\"%s\" is no function%s; one is written like 01:00.0 or 0000:01:00.0%s", word,
                  pasid ? " with or without a PASID" : "", pasid ? ", or 01:00.0,5" : "");
        return false;
    }
    access->segment = (uint16_t)segment;
    access->requester = (uint16_t)(bus << 8 | device << 3 | function);
    return true;
}

static bool parse_walk(struct inspect_query *q, char *const *words, unsigned count)
{
    const char *at = count > 2 ? words[2] : "";

    if (count < 3 || count > 4) {
        cli_error("\"walk\" needs a function and an address: walk 01:00.0[,PASID] 0x1000 "
                  "[read|write]");
        return false;
    }
    if (!take_function(&q->access, words[1], true)) {
        return false;
    }
    at += g_str_has_prefix(at, "0x") || g_str_has_prefix(at, "0X") ? 2 : 0;
    if (!take_hex(&at, UINT64_MAX, "", &q->access.addr)) {
        cli_error("\"%s\" is no address; one is hexadecimal, like 0x12345000", words[2]);
        return false;
    }
    if (count == 4 && strcmp(words[3], "read") != 0 && strcmp(words[3], "write") != 0) {
        cli_error("\"%s\": the access is read or write", words[3]);
        return false;
    }
    q->access.write = count == 4 && strcmp(words[3], "write") == 0;
    return true;
}

static bool parse_iommu(struct inspect_query *q, char *const *words, unsigned count)
{
    for (unsigned i = 1; i < count; i++) {
        const char **where = is_section(words[i]) ? &q->section : &q->unit;

        if (*where) {
            char *all = g_strjoinv(", ", (char **)sections);
            cli_error("\"iommu\" takes the name of one unit and one of: %s", all);
            g_free(all);
            return false;
        }
        *where = words[i];
    }
    return true;
}

static bool no_more(char *const *words, unsigned allowed, unsigned count)
{
    if (count > allowed) {
        cli_error("\"%s\": too many words after \"%s\"", words[allowed], words[0]);
    }
    return count <= allowed;
}

bool inspect_query_parse(struct inspect_query *query, char *const *words)
{
    static const char *const names[] = {
        [INSPECT_IOMMU] = "iommu",       [INSPECT_WALK] = "walk",
        [INSPECT_FUNCTION] = "function", [INSPECT_FUNCTIONS] = "functions",
        [INSPECT_LINKS] = "links",       [INSPECT_ATS] = "ats",
    };
    unsigned count = g_strv_length((char **)words), what = 0;

    while (count && what < G_N_ELEMENTS(names) && strcmp(words[0], names[what]) != 0) {
        what++;
    }
    if (!count || what == G_N_ELEMENTS(names)) {
        cli_error("%s%s%sthere is iommu, walk, function, functions, ats and links",
                  count ? "\"" : "", count ? words[0] : "",
                  count ? "\" cannot be looked at: " : "");
        return false;
    }
    query->what = (enum inspect_what)what;
    switch (query->what) {
    case INSPECT_IOMMU: return parse_iommu(query, words, count);
    case INSPECT_WALK: return parse_walk(query, words, count);
    case INSPECT_FUNCTION:
        if (count < 2) {
            cli_error("\"function\" needs one, like 01:00.0");
            return false;
        }
        return no_more(words, 2, count) && take_function(&query->access, words[1], false);
    default: return no_more(words, 1, count);
    }
}

/* The sink: a tree. */

static void named(JsonBuilder *builder, const char *name)
{
    if (name) {
        json_builder_set_member_name(builder, name);
    }
}

static void sink_open(void *opaque, const char *name, bool list)
{
    named(opaque, name);
    if (list) {
        json_builder_begin_array(opaque);
    } else {
        json_builder_begin_object(opaque);
    }
}

static void sink_close(void *opaque, bool list)
{
    if (list) {
        json_builder_end_array(opaque);
    } else {
        json_builder_end_object(opaque);
    }
}

static void sink_number(void *opaque, const char *name, uint64_t value)
{
    named(opaque, name);
    json_builder_add_int_value(opaque, (gint64)value);
}

static void sink_flag(void *opaque, const char *name, bool value)
{
    named(opaque, name);
    json_builder_add_boolean_value(opaque, value);
}

static void sink_text(void *opaque, const char *name, const char *text)
{
    named(opaque, name);
    json_builder_add_string_value(opaque, text);
}

static const struct inspect_ops sink_ops = {sink_open, sink_close, sink_number, sink_flag,
                                            sink_text};

/* Of each unit's members only the section stays; of the units only the one. */
static bool narrow(JsonNode *node, const struct inspect_query *q, GError **error)
{
    JsonArray *units = json_object_get_array_member(json_node_get_object(node), "iommus");

    for (guint i = json_array_get_length(units); i-- > 0;) {
        JsonObject *unit = json_array_get_object_element(units, i);
        const char *name = json_object_get_string_member(unit, "name");
        GList *members = json_object_get_members(unit);

        if (q->unit && strcmp(name, q->unit) != 0) {
            json_array_remove_element(units, i);
            g_list_free(members);
            continue;
        }
        for (GList *m = members; q->section && m; m = m->next) {
            if (strcmp(m->data, "name") != 0 && strcmp(m->data, q->section) != 0) {
                json_object_remove_member(unit, m->data);
            }
        }
        g_list_free(members);
    }
    if (q->unit && !json_array_get_length(units)) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_INPUT, "there is no IOMMU of this name");
        return false;
    }
    return true;
}

static bool tell(struct machine *machine, const struct inspect *in, const struct inspect_query *q,
                 GError **error)
{
    switch (q->what) {
    case INSPECT_IOMMU: machine_inspect_iommus(machine, in); return true;
    case INSPECT_WALK: return machine_inspect_walk(machine, in, &q->access, error);
    case INSPECT_FUNCTION:
        return machine_inspect_function(machine, in, q->access.segment, q->access.requester, error);
    case INSPECT_FUNCTIONS: machine_inspect_functions(machine, in); return true;
    case INSPECT_LINKS: machine_inspect_links(machine, in); return true;
    case INSPECT_ATS: machine_inspect_ats(machine, in); return true;
    }
    return false;
}

JsonNode *inspect_look(struct machine *machine, const struct inspect_query *query, GError **error)
{
    JsonBuilder *builder = json_builder_new();
    const struct inspect in = {.ops = &sink_ops, .opaque = builder};
    JsonNode *node = NULL;

    json_builder_begin_object(builder);
    inspect_number(&in, "time-ps", machine_sim(machine)->now_ps);
    bool ok = tell(machine, &in, query, error);
    if (ok) {
        json_builder_end_object(builder);
        node = json_builder_get_root(builder);
    }
    g_object_unref(builder);
    if (node && query->what == INSPECT_IOMMU && !narrow(node, query, error)) {
        g_clear_pointer(&node, json_node_unref);
    }
    return node;
}

static void print_json(JsonNode *node, FILE *out)
{
    JsonGenerator *generator = json_generator_new();

    json_generator_set_root(generator, node);
    json_generator_set_pretty(generator, TRUE);
    char *text = json_generator_to_data(generator, NULL);
    fputs(text, out);
    fputc('\n', out);
    g_free(text);
    g_object_unref(generator);
}

/* The words of a file, a zero behind each; NULL: it is none of ours. */
static char **read_words(int fd)
{
    char bytes[INSPECT_QUERY_BYTES];
    ssize_t len = pread(fd, bytes, sizeof(bytes), 0);
    GPtrArray *words;

    if (len <= 0 || bytes[len - 1]) {
        return NULL;
    }
    words = g_ptr_array_new();
    for (ssize_t at = 0; at < len; at += (ssize_t)strlen(bytes + at) + 1) {
        g_ptr_array_add(words, g_strdup(bytes + at));
    }
    g_ptr_array_add(words, NULL);
    return (char **)g_ptr_array_free(words, FALSE);
}

int inspect_show(struct machine *machine, const struct inspect_query *query, char *const *words,
                 FILE *out)
{
    GError *error = NULL;
    JsonNode *node = inspect_look(machine, query, &error);

    if (!node) {
        cli_error("%s: %s", words[query->what == INSPECT_IOMMU || words[1] ? 1 : 0],
                  error->message);
        g_error_free(error);
    } else if (query->json) {
        print_json(node, out);
    } else {
        inspect_text_print(node, out);
    }
    int status = node && fflush(out) == 0 ? CLI_OK : CLI_USAGE;
    g_clear_pointer(&node, json_node_unref);
    return status;
}

int inspect_serve(struct machine *machine, int query_fd, bool json)
{
    struct inspect_query query = {.json = json};
    char **words = read_words(query_fd);
    int status = CLI_USAGE;

    if (words && inspect_query_parse(&query, words)) {
        status = inspect_show(machine, &query, words, stdout);
    }
    g_strfreev(words);
    return status;
}
