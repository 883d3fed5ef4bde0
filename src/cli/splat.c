/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Splats on the console. The texts are those of Linux 6.12 (files named beside them), some with
 * what earlier and later kernels say instead. */
#include <stdio.h>
#include <string.h>

#include "splat.h"

#define LINE_BYTES 1024 /* what comes later on a longer line is not looked at */
/* CHOICE: a splat ends with its kind's last line, after this many lines, or when the kernel has
 * said nothing more of it for a second, or has started anew. */
#define TEXT_LINES 100
/* CHOICE: so many lines after "cut here" are a WARN's own words, which come before its first line
 * (kernel/panic.c, __warn_printk()). */
#define LEAD_LINES 8
#define APART_US   1000000

enum splat_flags {
    SPLAT_MORE = 1, /* inside another splat it is a part of that one */
    SPLAT_LINE = 2, /* nothing but its line */
};

struct splat_kind {
    const char *name;
    const char *start;  /* how the kernel's message starts; NULL: anyhow */
    const char *within; /* what else stands in it; NULL: anything */
    const char *last;   /* in its last line; NULL: unknown */
    unsigned flags;
};

#define END_TRACE "---[ end trace"

/* The first row that fits counts. */
static const struct splat_kind kinds[] = {
    /* mm/kasan/report.c, mm/kfence/report.c, mm/kmsan/report.c, kernel/kcsan/report.c */
    {"kasan", "BUG: KASAN: ", NULL, "=====", 0},
    {"kfence", "BUG: KFENCE: ", NULL, "=====", 0},
    {"kmsan", "BUG: KMSAN: ", NULL, "=====", 0},
    {"kcsan", "BUG: KCSAN: ", NULL, "=====", 0},
    /* lib/ubsan.c */
    {"ubsan", "UBSAN: ", NULL, END_TRACE, 0},
    /* kernel/watchdog.c, kernel/hung_task.c, kernel/workqueue.c */
    {"lockup", "watchdog: BUG: soft lockup", NULL, NULL, 0},
    {"lockup", "BUG: soft lockup", NULL, NULL, 0},
    {"lockup", NULL, "Watchdog detected hard LOCKUP", NULL, 0},
    {"lockup", "BUG: workqueue lockup", NULL, NULL, 0},
    {"hung-task", "INFO: task ", " blocked for more than ", NULL, 0},
    /* kernel/rcu/tree_stall.h, tree_exp.h */
    {"rcu-stall", "rcu: INFO: ", " stall", NULL, 0},
    {"rcu-stall", "INFO: rcu", " stall", NULL, 0},
    /* kernel/locking/lockdep.c */
    {"lockdep", "WARNING: suspicious RCU usage", NULL, NULL, 0},
    {"lockdep", "[ BUG: Invalid wait context", NULL, NULL, 0},
    {"lockdep", "INFO: trying to register non-static key", NULL, NULL, 0},
    {"warn", "WARNING: ", "CPU", END_TRACE, 0}, /* kernel/panic.c */
    {"lockdep", "WARNING: ", "lock", NULL, 0},
    /* arch/x86/kernel/dumpstack.c, arch/x86/mm/fault.c, lib/bug.c */
    {"oops", "Oops: ", "[#", END_TRACE, SPLAT_MORE},
    {"oops", "general protection fault", "[#", END_TRACE, SPLAT_MORE},
    {"oops", NULL, ": 0000 [#", END_TRACE, SPLAT_MORE}, /* before 6.10: divide error, int3 ... */
    {"oops", "BUG: unable to handle ", NULL, END_TRACE, 0},
    {"oops", "BUG: kernel NULL pointer dereference", NULL, END_TRACE, 0},
    {"bug", "kernel BUG at ", NULL, END_TRACE, 0},
    {"bug", "BUG: ", NULL, END_TRACE, 0},
    {"bug", "BUG ", "ainted", NULL, 0}, /* mm/slub.c, slab_bug() */
    {"panic", "Kernel panic", "not syncing", "---[ end Kernel panic", SPLAT_MORE},
    {"leak", "kmemleak: ", "new suspected memory leaks", NULL, SPLAT_LINE}, /* mm/kmemleak.c */
    /* drivers/iommu/intel/dmar.c, drivers/iommu/amd/iommu.c */
    {"dmar", "DMAR: DRHD: handling fault status", NULL, NULL, SPLAT_LINE},
    {"dmar", "DMAR: ", "[fault reason", NULL, SPLAT_LINE | SPLAT_MORE},
    {"amd-vi", "AMD-Vi: Event logged [", NULL, NULL, SPLAT_LINE},
    {"amd-vi", NULL, "AMD-Vi: Event logged [", NULL, SPLAT_LINE},
    {"virtio-iommu", "virtio_iommu ", " fault from EP ", NULL, SPLAT_LINE},
    /* drivers/pci/pcie/aer.c, dpc.c */
    {"aer", NULL, "AER: Correctable error message received", NULL, SPLAT_LINE},
    {"aer", NULL, "AER: Uncorrectable (", NULL, SPLAT_LINE},
    {"aer", NULL, "AER: Multiple ", NULL, SPLAT_LINE},
    {"aer", NULL, "PCIe Bus Error: severity=", NULL, SPLAT_LINE | SPLAT_MORE},
    {"dpc", NULL, "DPC: containment event", NULL, SPLAT_LINE},
};

struct splats {
    char line[LINE_BYTES];
    unsigned len;
    bool stamped; /* the kernel stamps its lines */

    const struct splat_kind *open; /* the lines belong to this one; NULL: to none */
    int64_t open_us;               /* the kernel's time of its last line; -1: unknown */
    unsigned open_lines;
    bool open_kept; /* it is the first one, whose text is kept */
    GString *lead;  /* lines after "cut here", before a splat */
    unsigned lead_left;

    GPtrArray *allowed; /* char *, as given */
    GPtrArray *regexes; /* GRegex *, side by side with them */
    unsigned allowed_count, count;
    unsigned counts[G_N_ELEMENTS(kinds)];
    const struct splat_kind *first;
    char *first_line;
    GString *first_text;
};

struct splats *splats_new(void)
{
    struct splats *s = g_new0(struct splats, 1);

    s->allowed = g_ptr_array_new_with_free_func(g_free);
    s->regexes = g_ptr_array_new_with_free_func((GDestroyNotify)g_regex_unref);
    s->first_text = g_string_new(NULL);
    s->lead = g_string_new(NULL);
    return s;
}

void splats_free(struct splats *s)
{
    if (s) {
        g_ptr_array_unref(s->allowed);
        g_ptr_array_unref(s->regexes);
        g_string_free(s->first_text, TRUE);
        g_string_free(s->lead, TRUE);
        g_free(s->first_line);
        g_free(s);
    }
}

bool splats_allow(struct splats *s, const char *pattern, GError **error)
{
    GRegex *regex = g_regex_new(pattern, G_REGEX_RAW, 0, error);

    if (!regex) {
        return false;
    }
    g_ptr_array_add(s->allowed, g_strdup(pattern));
    g_ptr_array_add(s->regexes, regex);
    return true;
}

static bool is_allowed(const struct splats *s, const char *name, const char *message)
{
    for (unsigned i = 0; i < s->allowed->len; i++) {
        if (strcmp(s->allowed->pdata[i], name) == 0 ||
            g_regex_match(s->regexes->pdata[i], message, 0, NULL)) {
            return true;
        }
    }
    return false;
}

/* "[   12.345678] ", with a caller like "[    T1] " or "[   C0] " after it, anywhere in a line:
 * what stands before it is the unfinished line of a program (kernel/printk/printk.c, print_time()).
 */
static const char *skip_stamp(const char *line, int64_t *us)
{
    for (const char *p = strchr(line, '['); p; p = strchr(p + 1, '[')) {
        unsigned long long s, frac;
        int len = 0;
        if (sscanf(p, "[%llu.%6llu]%n", &s, &frac, &len) != 2 || !len || p[len - 8] != '.') {
            continue;
        }
        *us = (int64_t)(MIN(s, 1ull << 40) * 1000000 + frac);
        p += len;
        while (*p == ' ') {
            p++;
        }
        const char *close = p[0] == '[' ? strchr(p, ']') : NULL;
        const char *caller = p + 1 + strspn(p[0] ? p + 1 : p, " ");
        if (close && (*caller == 'T' || *caller == 'C') && g_ascii_isdigit(caller[1]) &&
            caller + 1 + strspn(caller + 1, "0123456789") == close) {
            p = close + 1;
            while (*p == ' ') {
                p++;
            }
        }
        return p;
    }
    return NULL;
}

static const struct splat_kind *find_kind(const char *message)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        const struct splat_kind *kind = &kinds[i];
        if ((!kind->start || g_str_has_prefix(message, kind->start)) &&
            (!kind->within || strstr(message, kind->within))) {
            return kind;
        }
    }
    return NULL;
}

static void keep_line(struct splats *s)
{
    if (s->open_kept) {
        g_string_append(s->first_text, s->line);
        g_string_append_c(s->first_text, '\n');
    }
}

static void end_lead(struct splats *s)
{
    g_string_truncate(s->lead, 0);
    s->lead_left = 0;
}

static void open_splat(struct splats *s, const struct splat_kind *kind, const char *message)
{
    s->open = kind;
    s->open_lines = 0;
    s->open_kept = false;
    if (is_allowed(s, kind->name, message)) {
        s->allowed_count++;
    } else {
        s->count++;
        s->counts[kind - kinds]++;
        if (!s->first) {
            s->first = kind;
            s->first_line = g_strdup(message);
            s->open_kept = true;
            g_string_append(s->first_text, s->lead->str);
        }
    }
    end_lead(s);
    keep_line(s);
}

static void note_lead(struct splats *s, const char *message)
{
    if (strstr(message, "---[ cut here ]---")) {
        g_string_truncate(s->lead, 0);
        s->lead_left = LEAD_LINES;
    } else if (s->lead_left) {
        s->lead_left--;
        g_string_append_printf(s->lead, "%s\n", s->line);
    }
}

/* Does the line go on with the splat that is open? */
static bool goes_on(struct splats *s, const struct splat_kind *kind, int64_t us)
{
    if (!s->open || s->open_lines++ >= TEXT_LINES ||
        (us >= 0 && s->open_us >= 0 && ABS(us - s->open_us) > APART_US)) {
        return false;
    }
    if (s->open->flags & SPLAT_LINE) {
        return kind && kind->flags & SPLAT_MORE && strcmp(kind->name, s->open->name) == 0;
    }
    return !kind || kind->flags & SPLAT_MORE;
}

static void take_line(struct splats *s)
{
    int64_t us = -1;
    const char *message = skip_stamp(s->line, &us);

    s->stamped |= message != NULL;
    if (!message) {
        if (s->stamped) {
            return; /* a program's */
        }
        message = s->line;
    }
    const struct splat_kind *kind = find_kind(message);
    if (us >= 0 && s->open_us >= 0 && ABS(us - s->open_us) > APART_US) {
        end_lead(s);
    }
    if (!goes_on(s, kind, us)) {
        s->open = NULL;
        if (kind) {
            open_splat(s, kind, message);
        } else {
            note_lead(s, message);
        }
    } else {
        keep_line(s);
        if (s->open->last && strstr(message, s->open->last)) {
            s->open = NULL;
        }
    }
    s->open_us = us;
}

void splats_byte(struct splats *s, uint8_t byte)
{
    if (byte == '\n') {
        splats_end(s);
    } else if (byte && byte != '\r' && s->len < LINE_BYTES - 1) {
        s->line[s->len++] = (char)byte;
    }
}

void splats_end(struct splats *s)
{
    s->line[s->len] = '\0';
    if (s->len) {
        take_line(s);
    }
    s->len = 0;
}

unsigned splats_count(const struct splats *s)
{
    return s->count;
}

unsigned splats_allowed(const struct splats *s)
{
    return s->allowed_count;
}

const char *splats_first_name(const struct splats *s)
{
    return s->first ? s->first->name : NULL;
}

const char *splats_first_line(const struct splats *s)
{
    return s->first_line;
}

const char *splats_first_text(const struct splats *s)
{
    return s->first ? s->first_text->str : NULL;
}

/* Is this row the first of its name? */
static bool leads(unsigned row)
{
    for (unsigned i = 0; i < row; i++) {
        if (strcmp(kinds[i].name, kinds[row].name) == 0) {
            return false;
        }
    }
    return true;
}

char *splats_summary(const struct splats *s)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        unsigned count = 0;
        for (unsigned n = i; leads(i) && n < G_N_ELEMENTS(kinds); n++) {
            count += strcmp(kinds[n].name, kinds[i].name) == 0 ? s->counts[n] : 0;
        }
        if (count) {
            g_string_append_printf(text, "%s%u %s", text->len ? ", " : "", count, kinds[i].name);
        }
    }
    return g_string_free(text, FALSE);
}

char *splat_names(void)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (leads(i)) {
            g_string_append_printf(text, "%s%s", text->len ? ", " : "", kinds[i].name);
        }
    }
    return g_string_free(text, FALSE);
}
