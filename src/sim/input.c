/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What comes from outside, in virtual time. */
#include "pcilab/sim/input.h"

#include <assert.h>
#include <string.h>

struct posted {
    uint64_t at_ps;
    struct sim_input *source;
    uint32_t len;
    uint8_t bytes[];
};

static void fetch(struct sim_inputs *all, enum sim_input_kind kind)
{
    all->has_coming[kind] = all->log.next(all->log.opaque, kind, &all->coming[kind]);
}

static struct sim_input *find(const struct sim_inputs *all, const char *name)
{
    struct sim_input *source = all->sources;

    while (source && strcmp(source->name, name) != 0)
        source = source->next;
    return source;
}

static void keep(const struct sim_input *source, enum sim_input_kind kind, const void *bytes,
                 uint32_t len)
{
    const struct sim_inputs *all = source->all;
    const struct sim_input_entry entry = {.at_ps = all->sim->now_ps,
                                          .kind = kind,
                                          .source = source->name,
                                          .bytes = bytes,
                                          .len = len};

    if (all->log.keep)
        all->log.keep(all->log.opaque, &entry);
}

static void give_posted(struct sim_inputs *all)
{
    struct posted *first;

    while ((first = g_queue_peek_head(&all->posted)) && first->at_ps <= all->sim->now_ps) {
        g_queue_pop_head(&all->posted);
        keep(first->source, SIM_INPUT_POSTED, first->bytes, first->len);
        first->source->fn(first->source->opaque, first->bytes, first->len);
        g_free(first);
    }
    if (first)
        sim_schedule_at(all->sim, &all->arrival, first->at_ps);
}

static void give_logged(struct sim_inputs *all)
{
    const struct sim_input_entry *entry = &all->coming[SIM_INPUT_POSTED];

    while (all->has_coming[SIM_INPUT_POSTED] && entry->at_ps <= all->sim->now_ps) {
        const struct sim_input *source = find(all, entry->source);

        if (source)
            source->fn(source->opaque, entry->bytes, entry->len);
        fetch(all, SIM_INPUT_POSTED);
    }
    if (all->has_coming[SIM_INPUT_POSTED])
        sim_schedule_at(all->sim, &all->arrival, entry->at_ps);
}

/* Behind everything else that is due now, and behind what that makes due now. */
static void arrive(void *opaque)
{
    struct sim_inputs *all = opaque;

    if (sim_next_ps(all->sim) == all->sim->now_ps)
        sim_schedule_in(all->sim, &all->arrival, 0);
    else if (sim_inputs_replay(all))
        give_logged(all);
    else
        give_posted(all);
}

void sim_inputs_init(struct sim_inputs *all, struct sim *sim, uint64_t grain_ps,
                     const struct sim_input_log *log)
{
    *all = (struct sim_inputs){.sim = sim, .grain_ps = grain_ps};
    if (log)
        all->log = *log;
    g_queue_init(&all->posted);
    sim_event_init(&all->arrival, arrive, all);
}

void sim_inputs_fini(struct sim_inputs *all)
{
    assert(!all->sources && "sources go first");
    sim_cancel(all->sim, &all->arrival);
    g_queue_clear_full(&all->posted, g_free);
}

void sim_inputs_start(struct sim_inputs *all)
{
    if (!sim_inputs_replay(all))
        return;
    fetch(all, SIM_INPUT_ANSWER);
    fetch(all, SIM_INPUT_POSTED);
    if (all->has_coming[SIM_INPUT_POSTED])
        sim_schedule_at(all->sim, &all->arrival, all->coming[SIM_INPUT_POSTED].at_ps);
}

void sim_inputs_replace(struct sim_inputs *all, const struct sim_input_log *log)
{
    assert(log->next);
    sim_cancel(all->sim, &all->arrival);
    g_queue_clear_full(&all->posted, g_free);
    all->log = *log;
    sim_inputs_start(all);
}

bool sim_inputs_know(const struct sim_inputs *all, const char *name)
{
    return find(all, name) != NULL;
}

void sim_input_add(struct sim_inputs *all, struct sim_input *source, const char *name,
                   sim_input_fn fn, void *opaque)
{
    assert(strlen(name) <= SIM_INPUT_NAME_MAX);
    *source = (struct sim_input){
        .all = all, .name = g_strdup(name), .fn = fn, .opaque = opaque, .next = all->sources};
    all->sources = source;
}

static int is_not_from(gconstpointer posted, gconstpointer source)
{
    return ((const struct posted *)posted)->source != source;
}

void sim_input_remove(struct sim_input *source)
{
    struct sim_inputs *all = source->all;
    GList *link;

    while ((link = g_queue_find_custom(&all->posted, source, is_not_from))) {
        g_free(link->data);
        g_queue_delete_link(&all->posted, link);
    }
    for (struct sim_input **at = &all->sources; *at; at = &(*at)->next) {
        if (*at == source) {
            *at = source->next;
            break;
        }
    }
    g_clear_pointer(&source->name, g_free);
}

void sim_input_post(struct sim_input *source, const void *bytes, uint32_t len)
{
    struct sim_inputs *all = source->all;
    uint64_t now_ps = all->sim->now_ps;

    assert(len <= SIM_INPUT_BYTES_MAX);
    if (sim_inputs_replay(all))
        return;
    struct posted *posted = g_malloc(sizeof(*posted) + len);
    posted->at_ps = now_ps - now_ps % all->grain_ps + all->grain_ps;
    posted->source = source;
    posted->len = len;
    memcpy(posted->bytes, bytes, len);
    g_queue_push_tail(&all->posted, posted);
    if (!sim_event_pending(&all->arrival))
        sim_schedule_at(all->sim, &all->arrival, posted->at_ps);
}

void sim_input_answered(struct sim_input *source, const void *bytes, uint32_t len)
{
    assert(len <= SIM_INPUT_BYTES_MAX);
    if (len)
        keep(source, SIM_INPUT_ANSWER, bytes, len);
}

uint32_t sim_input_answer(struct sim_input *source, const uint8_t **bytes)
{
    struct sim_inputs *all = source->all;
    struct sim_input_entry *entry = &all->coming[SIM_INPUT_ANSWER];

    if (!all->has_coming[SIM_INPUT_ANSWER] || entry->at_ps != all->sim->now_ps ||
        strcmp(entry->source, source->name) != 0)
        return 0;
    uint32_t len = entry->len;
    *bytes = entry->bytes;
    fetch(all, SIM_INPUT_ANSWER);
    return len;
}
