/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every assertion on every function. */
#include <stdarg.h>

#include "internal.h"

static void set_outcome(struct conform_ctx *t, enum conform_outcome outcome, const char *format,
                        va_list args)
{
    if (t->outcome == CONFORM_FAIL)
        return;
    g_free(t->note);
    t->outcome = outcome;
    t->note = g_strdup_vprintf(format, args);
}

void t_fail(struct conform_ctx *t, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    set_outcome(t, CONFORM_FAIL, format, args);
    va_end(args);
}

void t_skip(struct conform_ctx *t, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    set_outcome(t, CONFORM_NOT_APPLICABLE, format, args);
    va_end(args);
}

/* What the backend or the filter does not allow. */
static bool can_run(struct conform_ctx *t)
{
    const struct conform_backend *backend = t->backend;
    unsigned needs = t->assertion->needs;

    if (needs & CONFORM_LAB && !backend->lab)
        t_skip(t, "it takes a machine of ours");
    else if (needs & CONFORM_WRITES && !backend->config_write)
        t_skip(t, "nothing can be written here");
    else if (needs & CONFORM_BARS && !backend->bar_read)
        t_skip(t, "BARs cannot be reached here");
    else if (needs & CONFORM_EXTENDED && t->s->func->config_bytes <= 0x100)
        t_skip(t, "configuration space beyond 256 bytes is not seen here");
    else if (needs & (CONFORM_WRITES | CONFORM_RESETS) && !t->filter->destructive)
        t_skip(t, "it writes: --destructive allows that");
    else
        return true;
    return false;
}

static void judge(struct conform_ctx *t, struct conform_report *report)
{
    struct conform_result result = {.assertion = t->assertion};
    struct subject *s = t->s;

    if (s && s->gone)
        t_skip(t, "the function does not answer any more");
    else if (can_run(t))
        t->assertion->procedure(t);
    if (s && !s->gone && (s->broken || subject_read(s, 0, 4) != s->identity)) {
        s->gone = true;
        t->outcome = CONFORM_PASS; /* what was seen last counts for nothing */
        t_fail(t, s->broken ? "an access to its configuration space failed"
                            : "the function answers no longer as it did");
    }
    result.func = s ? s->func : NULL;
    result.outcome = t->outcome;
    result.note = t->note;
    report->count[result.outcome]++;
    g_array_append_val(report->results, result);
}

static void run_function(struct conform_report *report, struct conform_ctx base,
                         const struct conform_func *func)
{
    struct subject s;
    bool there = subject_begin(&s, (struct conform_backend *)base.backend, func);

    s.gone = !there;
    for (unsigned i = 0; i < base.assertions->len; i++) {
        struct conform_ctx t = base;

        t.assertion = base.assertions->pdata[i];
        t.s = &s;
        if (!(t.assertion->needs & CONFORM_LAB) && conform_filter_accepts(base.filter, t.assertion))
            judge(&t, report);
    }
    subject_end(&s);
}

static struct conform_report *new_report(struct conform_backend *backend, const char *subject)
{
    struct conform_report *report = g_new0(struct conform_report, 1);

    report->subject = g_strdup(subject);
    report->backend = backend->name;
    report->results = g_array_new(FALSE, FALSE, sizeof(struct conform_result));
    return report;
}

static void run_lab(struct conform_report *report, struct conform_ctx base)
{
    for (unsigned i = 0; i < base.assertions->len; i++) {
        struct conform_ctx t = base;

        t.assertion = base.assertions->pdata[i];
        if (t.assertion->needs & CONFORM_LAB && conform_filter_accepts(base.filter, t.assertion))
            judge(&t, report);
    }
}

struct conform_report *conform_run(struct conform_backend *backend, const GPtrArray *assertions,
                                   const struct conform_filter *filter, const char *subject)
{
    struct conform_report *report = new_report(backend, subject);
    struct conform_ctx base = {.filter = filter, .assertions = assertions, .backend = backend};

    for (unsigned i = 0; i < backend->func_count; i++) {
        const struct conform_func *func = &backend->funcs[i];

        if ((!backend->chosen || backend->chosen == func) && filter_accepts_func(filter, func))
            run_function(report, base, func);
    }
    if (!filter->component)
        run_lab(report, base);
    return report;
}

struct conform_report *conform_run_lab(struct conform_backend *backend, const GPtrArray *assertions,
                                       const struct conform_filter *filter, const char *subject)
{
    struct conform_report *report = new_report(backend, subject);

    run_lab(report,
            (struct conform_ctx){.filter = filter, .assertions = assertions, .backend = backend});
    return report;
}

void conform_report_free(struct conform_report *report)
{
    if (!report)
        return;
    for (unsigned i = 0; i < report->results->len; i++)
        g_free(g_array_index(report->results, struct conform_result, i).note);
    g_array_unref(report->results);
    g_free(report->subject);
    g_free(report);
}

void conform_backend_free(struct conform_backend *backend)
{
    if (backend)
        backend->free(backend);
}
