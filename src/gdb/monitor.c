/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "monitor WORDS" in the debugger: breaks at TLPs, interrupts and faults, and a look into the
 * machine. */
#include <string.h>

#include "pcilab/base/bits.h"
#include "pcilab/fabric/fabric.h"
#include "session.h"

#define LINE_BYTES 512

static void sayf(struct gdb *gdb, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void sayf(struct gdb *gdb, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *text = g_strdup_vprintf(format, args);
    va_end(args);
    gdb_say(gdb, text);
    g_free(text);
}

/* ---- Breaks at events ---- */

static const struct {
    const char *word;
    enum trace_kind kind;
    const char *about;
} kinds[] = {
    {"tlp", TRACE_TLP, "a TLP leaves a port"},
    {"irq", TRACE_IRQ, "a processor takes an interrupt"},
    {"fault", TRACE_RULE, "a rule is broken: translation faults, errors that AER reports, ..."},
    {"link", TRACE_LINK, "a link changes its state"},
    {"state", TRACE_STATE, "a component changes its state"},
};

static const char *kind_word(enum trace_kind kind)
{
    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
        if (kinds[i].kind == kind) {
            return kinds[i].word;
        }
    }
    g_assert_not_reached();
}

static void render(const struct trace_event *event, char *line)
{
    char what[LINE_BYTES] = "";

    if (event->text) {
        g_strlcpy(what, event->text, sizeof(what));
    } else if (event->kind == TRACE_TLP) {
        fabric_render_tlp(event, what, sizeof(what));
    } else if (event->kind == TRACE_IRQ && event->head_len == 2) {
        g_snprintf(what, sizeof(what), "cpu %u vector 0x%02x", event->head[0], event->head[1]);
    }
    g_snprintf(line, LINE_BYTES, "%s %s", event->where ? event->where : "-", what);
}

/* All words are words of the line. */
static bool fits(const struct gdb_break *b, const char *line)
{
    for (char **word = b->words; *word; word++) {
        size_t len = strlen(*word);
        const char *at = line;
        while ((at = strstr(at, *word)) != NULL &&
               ((at > line && g_ascii_isalnum(at[-1])) || g_ascii_isalnum(at[len]))) {
            at++;
        }
        if (!at) {
            return false;
        }
    }
    return true;
}

static void event_seen(struct trace_sink *sink, const struct trace_event *event)
{
    struct gdb *gdb = CONTAINER_OF(sink, struct gdb, sink);
    char line[LINE_BYTES];

    if (!gdb->runs || gdb->event->len) {
        return;
    }
    for (unsigned i = 0, rendered = 0; i < gdb->break_count; i++) {
        struct gdb_break *b = &gdb->breaks[i];
        if (b->kind != event->kind) {
            continue;
        }
        if (!rendered++) {
            render(event, line);
        }
        if (fits(b, line)) {
            b->hits += gdb->travel != GDB_UNDERWAY; /* then it was hit before */
            g_string_printf(gdb->event, "break %u, %s at %" G_GUINT64_FORMAT " ps: %s", b->number,
                            kind_word(b->kind), event->time_ps, line);
            machine_pause(gdb->machine);
            return;
        }
    }
}

void gdb_breaks_mute(struct gdb *gdb)
{
    if (gdb->sink.kinds) {
        trace_remove_sink(machine_trace(gdb->machine), &gdb->sink);
    }
    gdb->sink.kinds = 0;
}

/* Only kinds with a break are asked for. */
void gdb_breaks_listen(struct gdb *gdb)
{
    struct trace *trace = machine_trace(gdb->machine);

    gdb_breaks_mute(gdb);
    for (unsigned i = 0; i < gdb->break_count; i++) {
        gdb->sink.kinds |= BIT(gdb->breaks[i].kind);
    }
    if (gdb->sink.kinds) {
        trace_add_sink(trace, &gdb->sink);
    }
}

void gdb_breaks_init(struct gdb *gdb)
{
    gdb->sink = (struct trace_sink){.emit = event_seen};
}

void gdb_breaks_clear(struct gdb *gdb)
{
    for (unsigned i = 0; i < gdb->break_count; i++) {
        g_strfreev(gdb->breaks[i].words);
    }
    gdb->break_count = 0;
    gdb_breaks_listen(gdb);
}

static void add_break(struct gdb *gdb, char **words)
{
    for (unsigned i = 0; words[0] && i < ARRAY_LEN(kinds); i++) {
        if (strcmp(words[0], kinds[i].word) != 0) {
            continue;
        }
        if (gdb->break_count == GDB_BREAKS_MAX) {
            sayf(gdb, "there are %u breaks already; \"monitor delete NUMBER\"\n", GDB_BREAKS_MAX);
            return;
        }
        struct gdb_break *b = &gdb->breaks[gdb->break_count++];
        *b = (struct gdb_break){.number = ++gdb->break_last, .kind = kinds[i].kind};
        b->words = g_strdupv(words + 1);
        gdb_breaks_listen(gdb);
        sayf(gdb, "break %u\n", b->number);
        return;
    }
    gdb_say(gdb, "monitor break KIND [WORD...]: the machine stops when an event of this kind has "
                 "all the words in its line. Kinds:\n");
    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
        sayf(gdb, "  %-6s %s\n", kinds[i].word, kinds[i].about);
    }
    gdb_say(gdb, "Such as: monitor break tlp nvme0 MWr, monitor break irq 0x22\n");
}

static void list_breaks(struct gdb *gdb)
{
    for (unsigned i = 0; i < gdb->break_count; i++) {
        const struct gdb_break *b = &gdb->breaks[i];
        char *words = g_strjoinv(" ", b->words);
        sayf(gdb, "%u: %s %s, hit %" G_GUINT64_FORMAT " times\n", b->number, kind_word(b->kind),
             words, b->hits);
        g_free(words);
    }
    if (!gdb->break_count) {
        gdb_say(gdb, "no breaks; those of the debugger itself: \"info breakpoints\"\n");
    }
}

static void delete_break(struct gdb *gdb, char **words)
{
    uint64_t number;

    if (!words[0] || !g_ascii_string_to_unsigned(words[0], 10, 1, UINT_MAX, &number, NULL)) {
        gdb_say(gdb, "monitor delete NUMBER, as \"monitor breaks\" lists them\n");
        return;
    }
    for (unsigned i = 0; i < gdb->break_count; i++) {
        if (gdb->breaks[i].number == number) {
            g_strfreev(gdb->breaks[i].words);
            memmove(&gdb->breaks[i], &gdb->breaks[i + 1],
                    (gdb->break_count - i - 1) * sizeof(gdb->breaks[0]));
            gdb->break_count--;
            gdb_breaks_listen(gdb);
            return;
        }
    }
    sayf(gdb, "there is no break %s\n", words[0]);
}

/* ---- Looking ---- */

static void say_time(struct gdb *gdb, char **words)
{
    sayf(gdb, "%" G_GUINT64_FORMAT " ps, %" G_GUINT64_FORMAT " instructions\n",
         machine_sim(gdb->machine)->now_ps, machine_retired(gdb->machine));
}

static void say_history(struct gdb *gdb, char **words)
{
    char *text = gdb->ops.history ? gdb->ops.history(gdb->ops.opaque) : NULL;

    gdb_say(gdb, text ? text : "there is no way back here\n");
    g_free(text);
}

static void say_breaks(struct gdb *gdb, char **words)
{
    list_breaks(gdb);
}

static void set_physical(struct gdb *gdb, char **words)
{
    if (words[0]) {
        gdb->physical = strcmp(words[0], "on") == 0;
    }
    sayf(gdb, "addresses of memory are %s\n", gdb->physical ? "physical" : "virtual");
}

static void say_page(struct gdb *gdb, char **words)
{
    const char *at = words[0] ? words[0] : "";
    uint64_t addr, gpa;

    at += g_str_has_prefix(at, "0x") ? 2 : 0;
    if (!gdb_parse_number(&at, &addr) || *at) {
        gdb_say(gdb, "monitor page ADDRESS: where a virtual address is, for this processor\n");
    } else if (!cpu_debug_translate(gdb_cpu(gdb), addr, &gpa)) {
        sayf(gdb, "0x%" G_GINT64_MODIFIER "x is not mapped\n", addr);
    } else {
        sayf(gdb, "0x%" G_GINT64_MODIFIER "x is at physical 0x%" G_GINT64_MODIFIER "x\n", addr,
             gpa);
    }
}

static void inspect(struct gdb *gdb, char **words)
{
    if (!gdb->ops.inspect) {
        gdb_say(gdb, "there is nothing to inspect with here\n");
        return;
    }
    char *query = g_strjoinv(" ", words);
    char *text = gdb->ops.inspect(gdb->ops.opaque, gdb->machine, query);
    gdb_say(gdb, text);
    g_free(text);
    g_free(query);
}

static const struct {
    const char *word;
    void (*run)(struct gdb *gdb, char **words);
    const char *about;
} commands[] = {
    {"break", add_break, "break KIND [WORD...]: stop at a TLP, an interrupt, a fault"},
    {"breaks", say_breaks, "breaks: those that there are"},
    {"delete", delete_break, "delete NUMBER: one of them"},
    {"history", say_history, "history: how far one can go back"},
    {"inspect", inspect, "inspect WHAT: as \"pcilab inspect\": functions, links, iommu, ats, ..."},
    {"page", say_page, "page ADDRESS: through the page tables"},
    {"physical", set_physical, "physical on|off: what addresses of memory are"},
    {"time", say_time, "time: virtual time, and instructions so far"},
};

void gdb_monitor(struct gdb *gdb, const char *command)
{
    char **words = g_strsplit_set(command, " \t\n", -1);
    unsigned kept = 0;

    for (unsigned i = 0; words[i]; i++) {
        if (words[i][0]) {
            words[kept++] = words[i];
        } else {
            g_free(words[i]);
        }
    }
    words[kept] = NULL;
    for (unsigned i = 0; kept && i < ARRAY_LEN(commands); i++) {
        if (strcmp(words[0], commands[i].word) == 0) {
            commands[i].run(gdb, words + 1);
            g_strfreev(words);
            return;
        }
    }
    for (unsigned i = 0; i < ARRAY_LEN(commands); i++) {
        sayf(gdb, "monitor %s\n", commands[i].about);
    }
    g_strfreev(words);
}
