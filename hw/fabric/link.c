/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Links: making them, their parameters, and what ports ask of them. */
#include <assert.h>

#include <glib.h>

#include "pcilab/base/bits.h"

#include "link.h"
#include "link_power.h"

#define PROPAGATION_MAX_PS PS_PER_MS
#define TRAINING_MAX_PS    (10 * PS_PER_S)

/*
 * CHOICE: 5 ns are a metre of board or cable; training and Recovery take what machines of today
 * take. Receive buffers hold a few TLPs of the largest payload; completions are always accepted,
 * as root complexes and endpoints must (2.6.1), and switches may.
 */
const struct link_params link_default_params = {
    .timing = LINK_FUNCTIONAL,
    .propagation_ps = 5 * PS_PER_NS,
    .training_ps = 20 * PS_PER_MS,
    .recovery_ps = 20 * PS_PER_US,
    .rx = {LINK_DEFAULT_RX, LINK_DEFAULT_RX},
};

const char *link_params_wrong(const struct link_params *params)
{
    if (params->propagation_ps > PROPAGATION_MAX_PS)
        return "propagation takes at most 1 ms";
    if (params->training_ps > TRAINING_MAX_PS || params->recovery_ps > TRAINING_MAX_PS)
        return "training takes at most 10 s";
    if (!(params->bit_error_rate >= 0 && params->bit_error_rate <= 0.5))
        return "a bit error rate is from 0 to 0.5";
    for (unsigned side = 0; side < 2; side++) {
        for (unsigned flow = 0; flow < LINK_FLOWS; flow++) {
            if (params->rx[side][flow].header > LINK_HEADER_CREDITS_MAX ||
                params->rx[side][flow].data > LINK_DATA_CREDITS_MAX)
                return "credits are at most 127 for headers and 2047 for data (2.6.1)";
        }
    }
    return NULL;
}

unsigned link_speed_mts(unsigned speed)
{
    static const uint16_t mts[] = {2500, 2500, 5000, 8000, 16000, 32000};

    assert(speed < ARRAY_LEN(mts));
    return mts[speed];
}

const char *link_error_name(enum link_error error)
{
    static const char *const names[LINK_ERROR_COUNT] = {
        [LINK_ERROR_RECEIVER] = "receiver error",
        [LINK_ERROR_BAD_TLP] = "bad TLP",
        [LINK_ERROR_BAD_DLLP] = "bad DLLP",
        [LINK_ERROR_REPLAY_TIMEOUT] = "replay timer timeout",
        [LINK_ERROR_REPLAY_ROLLOVER] = "REPLAY_NUM rollover",
        [LINK_ERROR_DL_PROTOCOL] = "data link protocol error",
        [LINK_ERROR_SURPRISE_DOWN] = "surprise down",
        [LINK_ERROR_RECEIVER_OVERFLOW] = "receiver overflow",
        [LINK_ERROR_FC_PROTOCOL] = "flow control protocol error",
    };

    return names[error];
}

static bool link_error_flawed(const struct port *port, enum link_error error)
{
    static const enum flaw silent[LINK_ERROR_COUNT] = {
        [LINK_ERROR_RECEIVER] = FLAW_LINK_SILENT_RECEIVER,
        [LINK_ERROR_BAD_TLP] = FLAW_LINK_SILENT_BAD_TLP,
        [LINK_ERROR_BAD_DLLP] = FLAW_LINK_SILENT_BAD_DLLP,
        [LINK_ERROR_REPLAY_TIMEOUT] = FLAW_LINK_SILENT_REPLAY_TIMEOUT,
        [LINK_ERROR_REPLAY_ROLLOVER] = FLAW_LINK_SILENT_REPLAY_ROLLOVER,
        [LINK_ERROR_DL_PROTOCOL] = FLAW_LINK_SILENT_DL_PROTOCOL,
        [LINK_ERROR_SURPRISE_DOWN] = FLAW_LINK_SILENT_SURPRISE_DOWN,
        [LINK_ERROR_RECEIVER_OVERFLOW] = FLAW_LINK_SILENT_OVERFLOW,
        [LINK_ERROR_FC_PROTOCOL] = FLAW_LINK_SILENT_FLOW_CONTROL,
    };

    return flaw_on(&port->fabric->sim->flaws, silent[error]);
}

void link_report(struct port *port, enum link_error error, const struct tlp *tlp)
{
    trace_say(port->fabric->trace, TRACE_RULE, port->name, "%s", link_error_name(error));
    if (port->ops->link_error && !link_error_flawed(port, error))
        port->ops->link_error(port, error, tlp);
}

static struct link *link_make(struct port *downstream_facing, struct port *upstream_facing)
{
    struct link *link = g_new0(struct link, 1);

    assert(!downstream_facing->link && !upstream_facing->link);
    assert(downstream_facing->fabric == upstream_facing->fabric);
    link->end[LINK_DOWNSTREAM_FACING] = downstream_facing;
    link->end[LINK_UPSTREAM_FACING] = upstream_facing;
    for (unsigned side = 0; side < 2; side++) {
        link->end[side]->link = link;
        link->end[side]->side = side;
    }
    return link;
}

struct link *link_new(struct port *downstream_facing, struct port *upstream_facing,
                      const struct link_params *params)
{
    struct link *link = link_make(downstream_facing, upstream_facing);

    link->params = params ? *params : link_default_params;
    assert(!link_params_wrong(&link->params));
    link_dirs_make(link);
    link_power_init(link);
    link_state_init(link);
    return link;
}

struct link *link_connect(struct port *downstream_facing, struct port *upstream_facing)
{
    return link_new(downstream_facing, upstream_facing, NULL);
}

struct link *link_connect_internal(struct port *downstream_facing, struct port *upstream_facing)
{
    struct link *link = link_make(downstream_facing, upstream_facing);

    link->internal = true;
    link->present = true;
    link->up = true;
    downstream_facing->peer = upstream_facing;
    upstream_facing->peer = downstream_facing;
    return link;
}

void link_free(struct link *link)
{
    if (!link)
        return;
    link_state_fini(link);
    link_power_fini(link);
    link_dirs_free(link);
    for (unsigned side = 0; side < 2; side++) {
        struct port *port = link->end[side];

        tlp_queue_clear(&port->rx);
        port->link = NULL;
        port->peer = NULL;
        port->peer_waits = false;
    }
    g_free(link);
}

bool port_link_up(const struct port *port)
{
    return port->peer != NULL;
}

unsigned port_link_speed(const struct port *port)
{
    return port->peer ? port->link->speed : 0;
}

unsigned port_link_width(const struct port *port)
{
    return port->peer ? port->link->width : 0;
}

void port_link_status(const struct port *port, struct link_status *status)
{
    const struct link *link = port->link;

    *status = (struct link_status){0};
    if (!link)
        return;
    *status = (struct link_status){
        .connected = true,
        .present = link->present,
        .powered = link->present && !link->unpowered,
        .up = link->up,
        .training = link->training,
        .disabled = link->disabled,
        .contained = link->contained,
        .hot_reset = link->hot_reset,
        .speed = link->speed,
        .width = link->width,
        .cause = link->cause,
    };
}
