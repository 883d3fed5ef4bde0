/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What happens in a machine, counted while it runs: a page of a long run is as small as one of a
 * short one. */
#include <errno.h>
#include <string.h>

#include "inspect.h"
#include "pcilab/base/bits.h"
#include "pcilab/fabric/fabric.h"
#include "report.h"
#include "topo_svg.h"

#define BUCKETS      240
#define BUCKET_PS    (PS_PER_US / 10) /* at first; doubled whenever the time runs out of buckets */
#define EVENTS_MAX   400              /* different ones */
#define PENDING_MAX  65536            /* requests */
#define LOG2_BINS    48               /* of picoseconds */
#define TLP_BYTES    4200
#define TLP_OVERHEAD 8 /* PCIe Base 6.0, 4.2.3: framing, sequence number, LCRC */

enum event_class { EVENT_NOTE, EVENT_STATE, EVENT_ERROR };
static const char *const class_names[] = {"rule", "state", "error"};

/* What one port has sent. */
struct sender {
    char *name;
    uint64_t bytes[BUCKETS];
};

/* The same words of the same component are one event, however often; the first stands for all. */
struct event {
    enum event_class class;
    uint64_t first_ps, last_ps, count;
    char *where, *text;
};

/* Non-posted requests of one kind from one sender. */
struct latency {
    char *where;
    const char *what;
    uint64_t bins[LOG2_BINS], count, sum_ps, max_ps;
};

struct pending {
    uint64_t sent_ps, done_ps; /* 0: no completion yet */
    uint64_t place;            /* where to */
    bool config;
    struct latency *latency;
};

struct report_watch {
    struct trace_sink sink;
    struct trace *trace;
    const struct machine_desc *desc;
    char *topology;
    struct tlp_pool *pool;
    uint64_t offset_ps, now_ps, bucket_ps; /* time goes on over resets of the machine */
    uint64_t tlps, interrupts, left_out;
    GHashTable *senders, *events, *latencies; /* by name */
    GHashTable *pending;                      /* requester and tag -> struct pending */
    GPtrArray *order;                         /* struct event, by first */
    JsonNode *links;
    char *svg; /* NULL: no picture could be made */
    uint8_t bytes[TLP_BYTES];
};

static void sender_free(void *item)
{
    g_free(((struct sender *)item)->name);
    g_free(item);
}

static void event_free(void *item)
{
    struct event *event = item;

    g_free(event->where);
    g_free(event->text);
    g_free(event);
}

static void latency_free(void *item)
{
    g_free(((struct latency *)item)->where);
    g_free(item);
}

/* Use of links. */

static void halve(void *key, void *value, void *opaque)
{
    struct sender *s = value;

    for (unsigned i = 0; i < BUCKETS / 2; i++) {
        s->bytes[i] = s->bytes[2 * i] + s->bytes[2 * i + 1];
    }
    memset(s->bytes + BUCKETS / 2, 0, sizeof(s->bytes) / 2);
}

static void count_bytes(struct report_watch *w, const char *where, size_t bytes)
{
    struct sender *s = g_hash_table_lookup(w->senders, where);

    if (!s) {
        s = g_new0(struct sender, 1);
        s->name = g_strdup(where);
        g_hash_table_insert(w->senders, s->name, s);
    }
    s->bytes[w->now_ps / w->bucket_ps] += bytes;
}

/* Events. */

/* What tells events apart: the words, and not the numbers and addresses among them. */
static char *event_key(const char *where, const char *text)
{
    GString *key = g_string_new(where);

    g_string_append_c(key, ' ');
    for (const char *c = text; *c;) {
        size_t word = strcspn(c, " ,;:"), digits = strcspn(c, "0123456789");
        if (word && digits < word) {
            g_string_append_c(key, '#');
        } else {
            g_string_append_len(key, c, (gssize)word);
        }
        c += word;
        if (*c) {
            g_string_append_c(key, *c++);
        }
    }
    return g_string_free(key, FALSE);
}

static void add_event(struct report_watch *w, enum event_class class, const char *where,
                      const char *text)
{
    char *key = event_key(where, text);
    struct event *event = g_hash_table_lookup(w->events, key);

    if (!event && w->order->len == EVENTS_MAX) {
        w->left_out++;
        g_free(key);
        return;
    }
    if (!event) {
        event = g_new0(struct event, 1);
        *event = (struct event){.class = class,
                                .first_ps = w->now_ps,
                                .where = g_strdup(where),
                                .text = g_utf8_make_valid(text, -1)};
        g_hash_table_insert(w->events, key, event);
        g_ptr_array_add(w->order, event);
    } else {
        g_free(key);
    }
    event->last_ps = w->now_ps;
    event->count++;
}

/* Latency: from the instant at which the first port on its way sends a request to that at which the
 * last port sends its last completion. */

static void finish(struct pending *p)
{
    uint64_t took_ps = p->done_ps - p->sent_ps;
    unsigned bin = 0;

    if (!p->done_ps) {
        return;
    }
    while (bin + 1 < LOG2_BINS && took_ps >> (bin + 1)) {
        bin++;
    }
    p->latency->bins[bin]++;
    p->latency->count++;
    p->latency->sum_ps += took_ps;
    p->latency->max_ps = MAX(p->latency->max_ps, took_ps);
}

static struct latency *find_latency(struct report_watch *w, const char *where, const char *what)
{
    char *key = g_strdup_printf("%s %s", where, what);
    struct latency *found = g_hash_table_lookup(w->latencies, key);

    if (found) {
        g_free(key);
        return found;
    }
    found = g_new0(struct latency, 1);
    found->where = g_strdup(where);
    found->what = what;
    g_hash_table_insert(w->latencies, key, found);
    return found;
}

static const char *request_name(const struct tlp *tlp)
{
    return tlp_is_translation_request(tlp) ? "translation requests"
           : tlp->type == TLP_MRD          ? "memory reads"
           : tlp_is_config(tlp)            ? "configuration requests"
           : tlp_is_atomic(tlp)            ? "AtomicOps"
                                           : "other requests";
}

static void time_request(struct report_watch *w, const char *where, const struct tlp *tlp)
{
    gpointer key = GUINT_TO_POINTER((guint)tlp->requester.v << 14 | (tlp->tag & 0x3fff));
    struct pending *p = g_hash_table_lookup(w->pending, key);
    uint64_t place = tlp->addr ^ (uint64_t)tlp->dest.v << 16 ^ tlp->reg;

    /* On its way, unless a port sends it for the second time, or it goes elsewhere: then it is the
     * next one of this tag, and nobody has sent a completion of the one before. */
    if (p && !p->done_ps && p->place == place && strcmp(p->latency->where, where) != 0) {
        return;
    }
    if (p) {
        finish(p);
    } else if (g_hash_table_size(w->pending) < PENDING_MAX) {
        p = g_new0(struct pending, 1);
        g_hash_table_insert(w->pending, key, p);
    }
    if (p) {
        *p = (struct pending){.sent_ps = w->now_ps,
                              .place = place,
                              .config = tlp_is_config(tlp),
                              .latency = find_latency(w, where, request_name(tlp))};
    }
}

/* Nobody there: how software looks for functions, and not an error. */
static bool is_probe(const struct report_watch *w, const struct tlp *tlp)
{
    gpointer key = GUINT_TO_POINTER((guint)tlp->requester.v << 14 | (tlp->tag & 0x3fff));
    const struct pending *p = g_hash_table_lookup(w->pending, key);

    return tlp->status == TLP_UR && p && p->config;
}

static void time_completion(struct report_watch *w, const struct tlp *tlp)
{
    gpointer key = GUINT_TO_POINTER((guint)tlp->requester.v << 14 | (tlp->tag & 0x3fff));
    struct pending *p = g_hash_table_lookup(w->pending, key);

    if (p) {
        p->done_ps = w->now_ps;
    }
}

/* What of it is worth a line. */
static void note_tlp(struct report_watch *w, const char *where, const struct tlp *tlp)
{
    bool error =
        tlp->ep || (tlp_is_completion(tlp) && (tlp->status == TLP_CA || tlp->status == TLP_UR));
    bool message = tlp_is_message(tlp);
    char text[256];

    if (tlp_is_completion(tlp) && is_probe(w, tlp)) {
        return;
    }
    if (message) {
        error = tlp->msg_code >= TLP_MSG_ERR_COR && tlp->msg_code <= TLP_MSG_ERR_FATAL;
        message = error || tlp->msg_code == TLP_MSG_PM_PME;
    }
    if (error || message) {
        tlp_describe(tlp, text, sizeof(text));
        add_event(w, error ? EVENT_ERROR : EVENT_STATE, where, text);
    }
}

static void take_tlp(struct report_watch *w, const struct trace_event *event)
{
    bool write = event->head_len >= 12 && (event->head[0] == 0x40 || event->head[0] == 0x60);
    bool poisoned = event->head_len >= 12 && (event->head[2] & 0x40);

    w->tlps++;
    count_bytes(w, event->where, event->head_len + event->body_len + TLP_OVERHEAD);
    if ((write && !poisoned) || event->head_len + event->body_len > sizeof(w->bytes)) {
        return;
    }
    memcpy(w->bytes, event->head, event->head_len);
    if (event->body_len) {
        memcpy(w->bytes + event->head_len, event->body, event->body_len);
    }
    struct tlp *tlp = tlp_decode(w->pool, w->bytes, event->head_len + event->body_len);
    if (!tlp) {
        return;
    }
    if (tlp_is_completion(tlp)) {
        time_completion(w, tlp);
    } else if (!tlp_is_posted(tlp)) {
        time_request(w, event->where, tlp);
    }
    note_tlp(w, event->where, tlp);
    tlp_free(tlp);
}

static void take(struct trace_sink *sink, const struct trace_event *event)
{
    struct report_watch *w = CONTAINER_OF(sink, struct report_watch, sink);

    if (event->time_ps + w->offset_ps < w->now_ps) { /* the machine has begun anew */
        w->offset_ps = w->now_ps;
    }
    w->now_ps = event->time_ps + w->offset_ps;
    while (w->now_ps / w->bucket_ps >= BUCKETS) {
        g_hash_table_foreach(w->senders, halve, NULL);
        w->bucket_ps *= 2;
    }
    switch (event->kind) {
    case TRACE_TLP: take_tlp(w, event); break;
    case TRACE_IRQ: w->interrupts++; break;
    case TRACE_RULE: add_event(w, EVENT_NOTE, event->where, event->text); break;
    case TRACE_LINK:
    case TRACE_STATE: add_event(w, EVENT_STATE, event->where, event->text); break;
    default: break;
    }
}

struct report_watch *report_watch_new(struct machine *machine, const struct machine_desc *desc,
                                      const char *topology)
{
    struct report_watch *w = g_new0(struct report_watch, 1);

    w->trace = machine_trace(machine);
    w->desc = desc;
    w->topology = g_strdup(topology);
    w->pool = tlp_pool_new();
    w->bucket_ps = BUCKET_PS;
    w->senders = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, sender_free);
    w->events = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    w->latencies = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, latency_free);
    w->pending = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    w->order = g_ptr_array_new_with_free_func(event_free);
    w->sink.emit = take;
    w->sink.kinds =
        BIT(TRACE_TLP) | BIT(TRACE_IRQ) | BIT(TRACE_RULE) | BIT(TRACE_STATE) | BIT(TRACE_LINK);
    trace_add_sink(w->trace, &w->sink);
    return w;
}

void report_watch_free(struct report_watch *w)
{
    if (!w) {
        return;
    }
    if (w->trace) {
        trace_remove_sink(w->trace, &w->sink);
    }
    g_hash_table_unref(w->senders);
    g_hash_table_unref(w->events);
    g_hash_table_unref(w->latencies);
    g_hash_table_unref(w->pending);
    g_ptr_array_unref(w->order);
    g_clear_pointer(&w->links, json_node_unref);
    tlp_pool_free(w->pool);
    g_free(w->topology);
    g_free(w->svg);
    g_free(w);
}

/* The files. */

static void put_text(JsonObject *object, const char *name, const char *text)
{
    if (text) {
        char *valid = g_utf8_make_valid(text, -1);
        json_object_set_string_member(object, name, valid);
        g_free(valid);
    }
}

static JsonArray *numbers(const uint64_t *values, unsigned count)
{
    JsonArray *array = json_array_sized_new(count);

    for (unsigned i = 0; i < count; i++) {
        json_array_add_int_element(array, (gint64)values[i]);
    }
    return array;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

static JsonObject *use_object(struct report_watch *w)
{
    JsonObject *object = json_object_new(), *senders = json_object_new();
    GList *names = g_list_sort(g_hash_table_get_keys(w->senders), compare_names);

    for (GList *n = names; n; n = n->next) {
        const struct sender *s = g_hash_table_lookup(w->senders, n->data);
        json_object_set_array_member(senders, s->name, numbers(s->bytes, BUCKETS));
    }
    g_list_free(names);
    json_object_set_int_member(object, "bucket-ps", (gint64)w->bucket_ps);
    json_object_set_object_member(object, "senders", senders);
    return object;
}

static void finish_one(void *key, void *value, void *opaque)
{
    finish(value);
}

static JsonArray *latencies_array(struct report_watch *w)
{
    JsonArray *array = json_array_new();
    GList *names;

    g_hash_table_foreach(w->pending, finish_one, NULL);
    g_hash_table_remove_all(w->pending);
    names = g_list_sort(g_hash_table_get_keys(w->latencies), compare_names);
    for (GList *n = names; n; n = n->next) {
        const struct latency *l = g_hash_table_lookup(w->latencies, n->data);
        JsonObject *object = json_object_new();
        if (!l->count) {
            json_object_unref(object);
            continue;
        }
        json_object_set_string_member(object, "where", l->where);
        json_object_set_string_member(object, "what", l->what);
        json_object_set_int_member(object, "count", (gint64)l->count);
        json_object_set_int_member(object, "mean-ps", (gint64)(l->sum_ps / l->count));
        json_object_set_int_member(object, "max-ps", (gint64)l->max_ps);
        json_object_set_array_member(object, "log2-ps", numbers(l->bins, LOG2_BINS));
        json_array_add_object_element(array, object);
    }
    g_list_free(names);
    return array;
}

static JsonArray *events_array(const struct report_watch *w)
{
    JsonArray *array = json_array_new();

    for (unsigned i = 0; i < w->order->len; i++) {
        const struct event *e = w->order->pdata[i];
        JsonObject *object = json_object_new();
        json_object_set_int_member(object, "first-ps", (gint64)e->first_ps);
        json_object_set_int_member(object, "last-ps", (gint64)e->last_ps);
        json_object_set_int_member(object, "count", (gint64)e->count);
        json_object_set_string_member(object, "class", class_names[e->class]);
        put_text(object, "where", e->where);
        put_text(object, "text", e->text);
        json_array_add_object_element(array, object);
    }
    return array;
}

static JsonNode *run_node(struct report_watch *w, const struct report_verdict *v)
{
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);
    JsonObject *object = json_object_new();
    char *title = g_path_get_basename(w->topology);

    json_object_set_int_member(object, "format", REPORT_FORMAT);
    put_text(object, "pcilab", PCILAB_VERSION);
    put_text(object, "kind", v->kind);
    put_text(object, "title", v->title ? v->title : title);
    put_text(object, "clause", v->clause);
    put_text(object, "topology", w->topology);
    json_object_set_boolean_member(object, "good", v->good);
    put_text(object, "result", v->result);
    put_text(object, "message", v->message);
    put_text(object, "last", v->events);
    put_text(object, "kernel", v->kernel);
    put_text(object, "cmdline", v->cmdline);
    put_text(object, "digest", v->digest);
    put_text(object, "repeat", v->repeat);
    json_object_set_int_member(object, "seed", (gint64)v->seed);
    json_object_set_int_member(object, "wall-us", v->wall_us);
    json_object_set_int_member(object, "end-ps", (gint64)w->now_ps);
    json_object_set_int_member(object, "tlps", (gint64)w->tlps);
    json_object_set_int_member(object, "interrupts", (gint64)w->interrupts);
    json_object_set_int_member(object, "events-left-out", (gint64)w->left_out);
    if (w->links) {
        json_object_set_array_member(
            object, "links",
            json_array_ref(json_object_get_array_member(json_node_get_object(w->links), "links")));
    }
    json_object_set_object_member(object, "use", use_object(w));
    json_object_set_array_member(object, "latencies", latencies_array(w));
    json_object_set_array_member(object, "events", events_array(w));
    json_node_take_object(node, object);
    g_free(title);
    return node;
}

/* Not plugged in from the start. */
static bool is_spare(const struct report_watch *w, const char *name)
{
    int index = machine_desc_find(w->desc, name);

    return index >= 0 && w->desc->components[index].unplugged;
}

/* What the picture says at each link. */
static GHashTable *link_notes(const struct report_watch *w)
{
    GHashTable *notes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    JsonArray *links =
        w->links ? json_object_get_array_member(json_node_get_object(w->links), "links") : NULL;

    for (guint i = 0; links && i < json_array_get_length(links); i++) {
        JsonObject *link = json_array_get_object_element(links, i);
        const char *is = json_object_get_string_member_with_default(link, "is", "");
        gint64 down = json_object_get_int_member_with_default(link, "bytes-down", 0);
        gint64 up = json_object_get_int_member_with_default(link, "bytes-up", 0);
        char *down_text = report_bytes((double)down), *up_text = report_bytes((double)up);
        const char *below = json_object_get_string_member(link, "below");
        char *note = strcmp(is, "up") == 0 ? g_strdup_printf("↓ %s  ↑ %s", down_text, up_text)
                     : is_spare(w, below)  ? g_strdup("not plugged in")
                                           : g_strdup_printf("!%s", is);
        g_hash_table_insert(notes, g_strdup(below), note);
        g_free(down_text);
        g_free(up_text);
    }
    return notes;
}

/* A run is not worth less without. */
static void draw(struct report_watch *w)
{
    GHashTable *notes = link_notes(w);
    GError *error = NULL;
    char *title = g_path_get_basename(w->topology);

    w->svg = topo_svg(w->desc, title, notes, &error);
    if (!w->svg) {
        cli_error("--out: no picture of the topology: %s", error->message);
        g_error_free(error);
    }
    g_free(title);
    g_hash_table_unref(notes);
}

void report_watch_over(struct report_watch *w, struct machine *machine)
{
    const struct inspect_query query = {.what = INSPECT_LINKS};

    trace_remove_sink(w->trace, &w->sink);
    w->trace = NULL;
    w->links = inspect_look(machine, &query, NULL);
    draw(w);
    w->now_ps = MAX(w->now_ps, machine_sim(machine)->now_ps + w->offset_ps);
}

bool report_watch_write(struct report_watch *w, const char *folder,
                        const struct report_verdict *verdict, GError **error)
{
    JsonNode *node = run_node(w, verdict);
    char *text = json_to_string(node, TRUE), *path = g_build_filename(folder, "run.json", NULL);
    char *picture = g_build_filename(folder, "topology.svg", NULL);
    bool ok = (!w->svg || g_file_set_contents(picture, w->svg, -1, error)) &&
              g_file_set_contents(path, text, -1, error);

    g_free(picture);
    g_free(path);
    g_free(text);
    json_node_unref(node);
    return ok;
}

bool report_make_folder(const char *folder)
{
    char *path = g_build_filename(folder, "run.json", NULL);
    bool taken = g_file_test(path, G_FILE_TEST_EXISTS), ok = false;

    if (taken) {
        cli_error("--out %s: there is a run already; choose another folder", folder);
    } else if (g_mkdir_with_parents(folder, 0777) != 0) {
        cli_error("--out %s: %s", folder, g_strerror(errno));
    } else {
        ok = true;
    }
    g_free(path);
    return ok;
}
