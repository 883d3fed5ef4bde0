/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bench. */
#include "bench.h"

#include <string.h>

#include "pcilab/conform/mutate.h"

static enum link_flow flow_of(const struct tlp *tlp)
{
    if (tlp_is_completion(tlp))
        return LINK_COMPLETION;
    return tlp_is_posted(tlp) ? LINK_POSTED : LINK_NON_POSTED;
}

static void end_receive(struct port *port, struct tlp *tlp)
{
    struct bench_end *end = port->owner;
    struct bench_seen seen = {(uint32_t)tlp->addr, end->bench->sim.now_ps};

    if (tlp_is_message(tlp) && tlp->msg_code == TLP_MSG_PM_ACTIVE_STATE_NAK) {
        port_l1_refused(port);
        tlp_free(tlp);
        return;
    }
    if (tlp_is_completion(tlp) && tlp->status == TLP_UR) {
        end->unsupported++;
        tlp_free(tlp);
        return;
    }
    g_array_append_val(end->seen, seen);
    if (end->keep[flow_of(tlp)])
        tlp_queue_push(&end->kept, tlp);
    else
        tlp_free(tlp);
}

static void end_changed(struct port *port, bool up)
{
    ((struct bench_end *)port->owner)->downs += !up;
}

static void end_training(struct port *port, bool training)
{
    ((struct bench_end *)port->owner)->trainings += training;
}

static void end_error(struct port *port, enum link_error error, const struct tlp *tlp)
{
    ((struct bench_end *)port->owner)->errors[error]++;
}

static const struct port_ops end_ops = {
    .receive = end_receive,
    .link_changed = end_changed,
    .link_training = end_training,
    .link_error = end_error,
};

static void record(struct trace_sink *sink, const struct trace_event *event)
{
    struct bench *bench =
        (struct bench *)(void *)((char *)sink - offsetof(struct bench, sink)); /* embedded */
    bool upper = event->where == bench->upper.port.name;
    struct bench_dllp dllp = {.sender = upper ? &bench->upper.port : &bench->lower.port,
                              .point = event->point,
                              .time_ps = event->time_ps};

    memcpy(dllp.arg, event->arg, sizeof(dllp.arg));
    g_array_append_val(bench->dllps, dllp);
}

static void end_init(struct bench *bench, struct bench_end *end, struct bench_end *other,
                     const char *name)
{
    end->bench = bench;
    end->other = other;
    end->seen = g_array_new(FALSE, FALSE, sizeof(struct bench_seen));
    port_init(&end->port, bench->fabric, name, &end_ops, end);
    end->port.max_speed = BENCH_SPEED;
    end->port.max_width = BENCH_WIDTH;
}

struct bench *bench_new(struct conform_ctx *t, const struct link_params *params)
{
    struct link_params timed = params ? *params : link_default_params;
    const struct conform_mutant *mutant = t->backend->mutant;
    struct bench *bench;

    if (mutant && !mutant->flaw) {
        t_skip(t, "of mutants flaws alone are about links");
        return NULL;
    }
    bench = g_new0(struct bench, 1);
    bench->t = t;
    bench->dllps = g_array_new(FALSE, FALSE, sizeof(struct bench_dllp));
    sim_init(&bench->sim, 1);
    if (mutant)
        conform_mutate_sim(&bench->sim, mutant);
    bench->trace.now_ps = &bench->sim.now_ps;
    bench->sink = (struct trace_sink){.emit = record, .kinds = (uint32_t)BIT(TRACE_DLLP)};
    trace_add_sink(&bench->trace, &bench->sink);
    bench->fabric = fabric_new(&bench->sim, &bench->trace);
    end_init(bench, &bench->upper, &bench->lower, "upper");
    end_init(bench, &bench->lower, &bench->upper, "lower");
    timed.timing = LINK_TIMED;
    link_new(&bench->upper.port, &bench->lower.port, &timed);
    return bench;
}

static void end_fini(struct bench_end *end)
{
    port_fini(&end->port);
    g_array_unref(end->seen);
}

void bench_free(struct bench *bench)
{
    tlp_queue_clear(&bench->upper.kept);
    tlp_queue_clear(&bench->lower.kept);
    link_free(bench->upper.port.link);
    end_fini(&bench->upper);
    end_fini(&bench->lower);
    fabric_free(bench->fabric);
    sim_fini(&bench->sim);
    g_array_unref(bench->dllps);
    g_free(bench);
}

void bench_run_us(struct bench *bench, unsigned us)
{
    sim_run_until(&bench->sim, bench->sim.now_ps + us * PS_PER_US);
}

struct tlp *bench_tlp(struct bench *bench, enum tlp_type type, unsigned payload_dw, uint32_t id)
{
    struct tlp *tlp = tlp_new(bench->fabric->pool, type, payload_dw);

    if (type == TLP_MRD)
        tlp->length_dw = 1;
    tlp->addr = id;
    return tlp;
}

void bench_send(struct bench_end *from, struct tlp *tlp)
{
    port_send(&from->port, tlp);
}

void bench_write(struct bench_end *from, unsigned count, unsigned dw, uint32_t first)
{
    for (unsigned i = 0; i < count; i++)
        bench_send(from, bench_tlp(from->bench, TLP_MWR, dw, first + i));
}

void bench_let_one_go(struct bench_end *end)
{
    struct tlp *tlp = tlp_queue_pop(&end->kept);

    if (tlp)
        tlp_free(tlp);
}

void bench_let_go(struct bench_end *end)
{
    memset(end->keep, 0, sizeof(end->keep));
    tlp_queue_clear(&end->kept);
}

void bench_fault(struct bench_end *sender, enum link_fault_kind kind, uint64_t after,
                 uint64_t count)
{
    const struct link_fault fault = {.kind = kind, .after = after, .count = count};

    if (!port_add_fault(&sender->port, &fault))
        t_fail(sender->bench->t, "the fault cannot be planned");
}

int bench_place(const struct bench_end *end, uint32_t id)
{
    for (unsigned i = 0; i < end->seen->len; i++) {
        if (g_array_index(end->seen, struct bench_seen, i).id == id)
            return (int)i;
    }
    return -1;
}

void bench_check_exact(struct bench_end *end, unsigned count)
{
    struct conform_ctx *t = end->bench->t;

    t_check(t, end->seen->len == count, "%u TLPs arrived, not %u", end->seen->len, count);
    for (unsigned i = 0; i < end->seen->len; i++)
        t_check(t, g_array_index(end->seen, struct bench_seen, i).id == i,
                "TLP %u arrived as number %u", g_array_index(end->seen, struct bench_seen, i).id,
                i);
}

static const struct bench_dllp *find(struct bench *bench, const struct bench_end *from,
                                     unsigned point, unsigned *count, bool last)
{
    const struct bench_dllp *found = NULL;

    *count = 0;
    for (unsigned i = 0; i < bench->dllps->len; i++) {
        const struct bench_dllp *dllp = &g_array_index(bench->dllps, struct bench_dllp, i);

        if (dllp->sender != &from->port || dllp->point != point)
            continue;
        ++*count;
        if (last || !found)
            found = dllp;
    }
    return found;
}

unsigned bench_dllps(struct bench *bench, const struct bench_end *from, unsigned point)
{
    unsigned count;

    find(bench, from, point, &count, true);
    return count;
}

const struct bench_dllp *bench_last(struct bench *bench, const struct bench_end *from,
                                    unsigned point)
{
    unsigned count;

    return find(bench, from, point, &count, true);
}

const struct bench_dllp *bench_first(struct bench *bench, const struct bench_end *from,
                                     unsigned point)
{
    unsigned count;

    return find(bench, from, point, &count, false);
}

void bench_forget(struct bench *bench)
{
    g_array_set_size(bench->dllps, 0);
}
