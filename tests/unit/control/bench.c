/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small machine without a guest whose words a client has by its bytes. */
#include "bench.h"

#include <string.h>

#include "pcilab/config/topology.h"
#include "pcilab/platform/enumerate.h"

#define STEP_PS (5 * PS_PER_US)

static const char topology[] = "[root-port rp0]\n[switch sw0]\nat=rp0\ndownstream=2\nhotplug=yes\n"
                               "[exerciser ex0]\nat=sw0.0\nmemory=64K\n"
                               "[exerciser ex1]\nat=sw0.1\nmemory=64K\n";

static void ignore_output(void *opaque, uint8_t byte)
{
}

static void done(void *opaque, uint64_t call, JsonNode *result, const char *error)
{
    const struct bench *b = opaque;

    control_answer(b->control, call, result, error);
}

static void take_call(void *opaque, const struct control_call *call)
{
    struct bench *b = opaque;
    GError *error = NULL;

    if (call->verb->kind == CONTROL_LOOK) {
        JsonNode *result = scenario_live_look(b->live, call->verb->name, call->params, &error);

        control_answer(b->control, call->number, result, error ? error->message : NULL);
        g_clear_error(&error);
    } else if (call->verb->kind == CONTROL_ACT) {
        char *text = scenario_live_order(call->number, call->verb->name, call->params);

        if (strlen(text) <= SIM_INPUT_BYTES_MAX)
            machine_order(b->machine, text, (uint32_t)strlen(text));
        else
            control_answer(b->control, call->number, NULL, "too long");
        g_free(text);
    } else {
        control_answer(b->control, call->number, NULL, NULL);
    }
}

void bench_open(struct bench *b, const struct sim_input_log *log)
{
    struct machine_options options = {.console = {.output = ignore_output}, .log = log};
    const struct scenario_live_host live = {.done = done, .opaque = b};
    const struct control_host host = {.call = take_call, .opaque = b};
    struct machine_desc *desc = topology_parse("bench", topology, strlen(topology), NULL);

    *b = (struct bench){.machine = machine_new(desc, &options, NULL)};
    machine_desc_free(desc);
    b->digest = trace_digest_new(machine_trace(b->machine));
    g_assert(machine_enumerate(b->machine, NULL));
    b->live = scenario_live_new(b->machine, &live);
    b->control = control_new(&host);
    b->peer = control_peer_new(b->control);
}

void bench_close(struct bench *b)
{
    scenario_live_stop(b->live);
    trace_digest_free(b->digest);
    machine_free(b->machine);
    scenario_live_free(b->live);
    control_free(b->control);
}

void bench_send(struct bench *b, const void *bytes, size_t len, uint64_t time_ps)
{
    struct sim *sim = machine_sim(b->machine);

    control_peer_take(b->peer, bytes, len);
    for (uint64_t end = sim->now_ps + time_ps; sim->now_ps < end;) {
        sim_run_until(sim, MIN(end, sim->now_ps + STEP_PS));
        scenario_live_run(b->live);
    }
}

char *bench_output(struct bench *b)
{
    size_t len;
    const uint8_t *bytes = control_peer_output(b->peer, &len);
    char *text = g_strndup(len ? (const char *)bytes : "", len);

    control_peer_sent(b->peer, len);
    return text;
}
