/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Injection: rules, in order, and the TLPs that they hold back. */
#include "pcilab/fabric/inject.h"

#include <assert.h>

#include <glib.h>

#include "link_dir.h"
#include "pcilab/base/bits.h"
#include "pcilab/fabric/message.h"
#include "pcilab/fabric/ordering.h"

#define COMPLETIONS (BIT(TLP_CPL) | BIT(TLP_CPLD) | BIT(TLP_CPLLK) | BIT(TLP_CPLDLK))

struct inject_entry {
    struct inject_rule rule;
    char *name;
    struct sim_stream chance;
    uint64_t matched, hits;
    struct inject_entry *next;
};

/* Where a TLP goes on: out of a port, or to whoever takes it inside the root complex. */
struct way {
    struct port *sender;   /* may be NULL inside the root complex */
    inject_taker_fn *take; /* NULL: it crosses the link of `sender` */
    void *opaque;
};

/* A TLP that is on its way, but not yet. */
struct held {
    struct held *next;
    struct way way;
    struct tlp *tlp;
    uint64_t release_ps;
    uint64_t pass;  /* so many more may pass */
    bool overtaken; /* others do not wait for it */
    bool counts;    /* and `pass` ends that */
};

struct inject {
    struct fabric *fabric;
    struct inject_entry *rules;
    struct held *held; /* in the order in which they came */
    struct sim_event release;
};

const char *inject_action_name(enum inject_action action)
{
    static const char *const names[INJECT_ACTION_COUNT] = {
        [INJECT_OBSERVE] = "observe",
        [INJECT_DROP] = "drop",
        [INJECT_DELAY] = "delay",
        [INJECT_OVERTAKE] = "overtake",
        [INJECT_DUPLICATE] = "duplicate",
        [INJECT_POISON] = "poison",
        [INJECT_CORRUPT_LCRC] = "corrupt-lcrc",
        [INJECT_CORRUPT_ECRC] = "corrupt-ecrc",
        [INJECT_RETARGET] = "retarget",
        [INJECT_STATUS] = "status",
        [INJECT_TAG] = "tag",
        [INJECT_BYTE_COUNT] = "byte-count",
    };

    return names[action];
}

const char *inject_rule_wrong(const struct inject_rule *rule)
{
    bool completions = rule->match.types && !(rule->match.types & ~COMPLETIONS);

    if (rule->until_ps && rule->until_ps <= rule->from_ps)
        return "it ends before it begins";
    if (!(rule->probability >= 0 && rule->probability <= 1))
        return "a probability is from 0 to 1";
    if (rule->delay_ps > UINT64_MAX / 4 || rule->jitter_ps > UINT64_MAX / 4)
        return "the delay is too long";
    if (rule->match.by_address && rule->match.addr_last < rule->match.addr_first)
        return "the range of addresses ends before it begins";
    switch (rule->action) {
    case INJECT_DELAY:
        return rule->delay_ps || rule->jitter_ps ? NULL : "a delay of no time does nothing";
    case INJECT_OVERTAKE: return rule->delay_ps ? NULL : "it needs a time after which it goes on";
    case INJECT_STATUS:
        if (rule->value > 7)
            return "a completion status is from 0 to 7";
        return completions ? NULL : "only completions have a status";
    case INJECT_BYTE_COUNT:
        if (rule->value < 1 || rule->value > 4096)
            return "a byte count is from 1 to 4096";
        return completions ? NULL : "only completions have a byte count";
    case INJECT_TAG: return rule->value < 1024 ? NULL : "a tag is below 1024";
    default: return NULL;
    }
}

static struct sim *inject_sim(const struct inject *inject)
{
    return inject->fabric->sim;
}

/* Held TLPs. */

static void schedule(struct inject *inject)
{
    uint64_t first = SIM_NEVER;

    for (const struct held *h = inject->held; h; h = h->next)
        first = MIN(first, h->release_ps);
    sim_cancel(inject_sim(inject), &inject->release);
    if (first != SIM_NEVER)
        sim_schedule_at(inject_sim(inject), &inject->release, first);
}

static void hold(struct inject *inject, const struct held *what)
{
    struct held **end = &inject->held;

    while (*end)
        end = &(*end)->next;
    *end = g_new(struct held, 1);
    **end = *what;
    (*end)->next = NULL;
    schedule(inject);
}

static void pass(const struct way *way, struct tlp *tlp)
{
    if (way->take)
        way->take(way->opaque, tlp);
    else
        port_pass(way->sender, tlp);
}

static struct tlp *let_go(struct held **at, struct way *way)
{
    struct held *h = *at;
    struct tlp *tlp = h->tlp;

    *way = h->way;
    *at = h->next;
    g_free(h);
    return tlp;
}

static void release_due(void *opaque)
{
    struct inject *inject = opaque;
    uint64_t now = inject_sim(inject)->now_ps;

    for (struct held **at = &inject->held; *at;) {
        if ((*at)->release_ps <= now) {
            struct way way;
            struct tlp *tlp = let_go(at, &way);

            pass(&way, tlp);
        } else {
            at = &(*at)->next;
        }
    }
    schedule(inject);
}

static bool same_way(const struct way *a, const struct way *b)
{
    return a->sender == b->sender && a->take == b->take && a->opaque == b->opaque;
}

/* Until when a TLP has to wait behind others; 0: not at all (2.4.1). */
static uint64_t waits_until(const struct inject *inject, const struct way *way,
                            const struct tlp *tlp)
{
    uint64_t until = 0;

    for (const struct held *h = inject->held; h; h = h->next) {
        if (same_way(&h->way, way) && !h->overtaken && h->tlp->tc == tlp->tc &&
            !tlp_may_pass(tlp, h->tlp))
            until = MAX(until, h->release_ps);
    }
    return until;
}

/* One more has overtaken those that wait for that. */
static void note_passed(struct inject *inject, const struct way *way)
{
    bool due = false;

    for (struct held *h = inject->held; h; h = h->next) {
        if (same_way(&h->way, way) && h->counts && --h->pass == 0) {
            h->counts = false;
            h->release_ps = inject_sim(inject)->now_ps;
            due = true;
        }
    }
    if (due)
        schedule(inject);
}

/* It leaves the port now, or when what is before it has. */
static void go_on(struct inject *inject, const struct way *way, struct tlp *tlp)
{
    uint64_t until = waits_until(inject, way, tlp);

    if (until) {
        hold(inject, &(struct held){.way = *way, .tlp = tlp, .release_ps = until});
        return;
    }
    pass(way, tlp);
    note_passed(inject, way);
}

void inject_link_down(struct port *sender)
{
    struct inject *inject = sender->fabric->inject;
    struct way same;

    if (!inject)
        return;
    for (struct held **at = &inject->held; *at;) {
        if ((*at)->way.sender == sender && !(*at)->way.take)
            port_bounce(sender, let_go(at, &same));
        else
            at = &(*at)->next;
    }
    schedule(inject);
}

/* Rules. */

static bool by_address(const struct tlp *tlp)
{
    return tlp_is_memory(tlp) || tlp->type == TLP_IORD || tlp->type == TLP_IOWR;
}

bool inject_matches(const struct inject_match *m, const struct port *sender, const struct tlp *tlp)
{
    uint64_t addr;
    unsigned len;

    if ((m->sender && m->sender != sender) || (m->types && !(m->types >> tlp->type & 1)) ||
        (m->by_requester && tlp->requester.v != m->requester.v) ||
        (m->by_tag && tlp->tag != m->tag))
        return false;
    if (m->by_message &&
        (!tlp_is_message(tlp) || tlp->msg_code < m->msg_first || tlp->msg_code > m->msg_last))
        return false;
    if (m->by_address) {
        if (!by_address(tlp))
            return false;
        addr = tlp_span(tlp, &addr, &len) ? addr : tlp->addr;
        if (addr < m->addr_first || addr > m->addr_last)
            return false;
    }
    return true;
}

static bool matches(const struct inject_rule *rule, const struct port *sender,
                    const struct tlp *tlp)
{
    return inject_matches(&rule->match, sender, tlp) &&
           (!rule->match.accepts || rule->match.accepts(rule->opaque, sender, tlp));
}

/* Its time, its count, its luck. */
static bool hits(struct inject *inject, struct inject_entry *entry, const struct port *sender,
                 const struct tlp *tlp)
{
    const struct inject_rule *rule = &entry->rule;
    uint64_t now = inject_sim(inject)->now_ps;

    if (now < rule->from_ps || (rule->until_ps && now >= rule->until_ps) ||
        (rule->count && entry->hits == rule->count) || !matches(rule, sender, tlp) ||
        entry->matched++ < rule->after)
        return false;
    if (rule->probability > 0 && rule->probability < 1 &&
        (double)(sim_rng_next(&entry->chance.rng) >> 11) * 0x1p-53 >= rule->probability)
        return false;
    entry->hits++;
    if (rule->action != INJECT_OBSERVE)
        trace_say(inject->fabric->trace, TRACE_STATE, sender ? sender->name : "root", "%s: %s",
                  entry->name, inject_action_name(rule->action));
    if (rule->seen)
        rule->seen(rule->opaque, sender, tlp);
    return true;
}

static void retarget(struct tlp *tlp, uint64_t value)
{
    if (by_address(tlp))
        tlp->addr = value & ~3ULL;
    else if (tlp_is_config(tlp))
        tlp->dest.v = (uint16_t)value;
    else if (tlp_is_completion(tlp))
        tlp->requester.v = (uint16_t)value;
}

static void set_status(struct tlp *tlp, unsigned status)
{
    tlp->status = (uint8_t)status;
    if (status == TLP_SC)
        return;
    tlp->type = tlp->type == TLP_CPLLK || tlp->type == TLP_CPLDLK ? TLP_CPLLK : TLP_CPL;
    tlp->length_dw = 0;
    tlp->data = NULL;
}

static void corrupt_lcrc(const struct way *way, struct tlp *tlp)
{
    struct port *sender = way->sender;

    if (way->take)
        return; /* no link is crossed */
    if (sender->tx)
        tlp->lcrc_wrong = true; /* the link sees to it */
    else
        link_report(sender->peer, LINK_ERROR_BAD_TLP, tlp);
}

static uint64_t draw_delay(struct inject *inject, struct inject_entry *entry)
{
    const struct inject_rule *rule = &entry->rule;

    return inject_sim(inject)->now_ps + rule->delay_ps +
           (rule->jitter_ps ? sim_rng_below(&entry->chance.rng, rule->jitter_ps + 1) : 0);
}

/* False: the TLP is gone, or will go on later. */
static bool act(struct inject *inject, struct inject_entry *entry, const struct way *way,
                struct tlp *tlp)
{
    const struct inject_rule *rule = &entry->rule;
    struct held later = {.way = *way, .tlp = tlp};

    switch (rule->action) {
    case INJECT_DROP: tlp_free(tlp); return false;
    case INJECT_DELAY:
        later.release_ps = draw_delay(inject, entry); /* once: MAX() is a macro */
        later.release_ps = MAX(later.release_ps, waits_until(inject, way, tlp));
        hold(inject, &later);
        return false;
    case INJECT_OVERTAKE:
        later.release_ps = draw_delay(inject, entry);
        later.overtaken = true;
        later.counts = rule->pass != 0;
        later.pass = rule->pass;
        hold(inject, &later);
        return false;
    case INJECT_DUPLICATE: go_on(inject, way, tlp_clone(tlp)); return true;
    case INJECT_POISON: tlp->ep = tlp->ep || tlp->data; return true;
    case INJECT_CORRUPT_LCRC: corrupt_lcrc(way, tlp); return true;
    case INJECT_CORRUPT_ECRC:
        tlp_add_ecrc(tlp);
        tlp->ecrc ^= 1;
        return true;
    case INJECT_RETARGET: retarget(tlp, rule->value); return true;
    case INJECT_STATUS: set_status(tlp, (unsigned)rule->value); return true;
    case INJECT_TAG: tlp->tag = (uint16_t)rule->value; return true;
    case INJECT_BYTE_COUNT: tlp->byte_count = (uint16_t)rule->value; return true;
    default: return true;
    }
}

static void apply_rules(struct inject *inject, const struct way *way, struct tlp *tlp)
{
    for (struct inject_entry *entry = inject->rules; entry; entry = entry->next) {
        /* What is wrong with the TLP may have taken the link down meanwhile. */
        if (!way->take && !way->sender->peer) {
            port_bounce(way->sender, tlp);
            return;
        }
        if (hits(inject, entry, way->sender, tlp) && !act(inject, entry, way, tlp))
            return;
    }
    go_on(inject, way, tlp);
}

void inject_send(struct port *sender, struct tlp *tlp)
{
    apply_rules(sender->fabric->inject, &(struct way){.sender = sender}, tlp);
}

void inject_inside(struct fabric *fabric, struct port *sender, struct tlp *tlp,
                   inject_taker_fn *take, void *opaque)
{
    const struct way way = {.sender = sender, .take = take, .opaque = opaque};

    if (fabric->inject)
        apply_rules(fabric->inject, &way, tlp);
    else
        take(opaque, tlp);
}

void inject_emit(struct port *sender, struct tlp *tlp)
{
    port_pass(sender, tlp);
}

struct port *port_far_end(const struct port *port)
{
    return port->link ? port->link->end[!port->side] : NULL;
}

/* Its life. */

struct inject *inject_new(struct fabric *fabric)
{
    struct inject *inject = g_new0(struct inject, 1);

    assert(!fabric->inject);
    inject->fabric = fabric;
    sim_event_init(&inject->release, release_due, inject);
    fabric->inject = inject;
    return inject;
}

void inject_free(struct inject *inject)
{
    struct way way;

    if (!inject)
        return;
    while (inject->rules)
        inject_remove(inject, inject->rules);
    while (inject->held) {
        struct tlp *tlp = let_go(&inject->held, &way);

        pass(&way, tlp);
    }
    sim_cancel(inject_sim(inject), &inject->release);
    inject->fabric->inject = NULL;
    g_free(inject);
}

struct inject_entry *inject_add(struct inject *inject, const struct inject_rule *rule)
{
    struct inject_entry *entry = g_new0(struct inject_entry, 1), **end = &inject->rules;

    assert(!inject_rule_wrong(rule));
    while (*end)
        end = &(*end)->next;
    *end = entry;
    entry->rule = *rule;
    entry->name = g_strdup_printf("inject %s", rule->name);
    entry->rule.name = entry->name;
    sim_stream_add(inject_sim(inject), &entry->chance, entry->name);
    return entry;
}

void inject_remove(struct inject *inject, struct inject_entry *entry)
{
    for (struct inject_entry **at = &inject->rules; *at; at = &(*at)->next) {
        if (*at == entry) {
            *at = entry->next;
            sim_stream_remove(inject_sim(inject), &entry->chance);
            g_free(entry->name);
            g_free(entry);
            return;
        }
    }
}

uint64_t inject_hits(const struct inject_entry *entry)
{
    return entry->hits;
}
