/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "link_pair.h"

#include <assert.h>
#include <stdlib.h>

static enum link_flow flow_of(const struct tlp *tlp)
{
    if (tlp_is_completion(tlp))
        return LINK_COMPLETION;
    return tlp_is_posted(tlp) ? LINK_POSTED : LINK_NON_POSTED;
}

static void end_receive(struct port *port, struct tlp *tlp)
{
    struct pair_end *end = port->owner;

    if (tlp_is_message(tlp) && tlp->msg_code == TLP_MSG_PM_ACTIVE_STATE_NAK) {
        end->naks++;
        port_l1_refused(port);
        tlp_free(tlp);
        return;
    }
    assert(end->received < PAIR_LOG);
    end->log[end->received++] = (uint32_t)tlp->addr;
    if (tlp->data)
        end->received_bytes += tlp->length_dw * 4u;
    end->last_ps = port->fabric->sim->now_ps;
    if (end->block[flow_of(tlp)])
        tlp_queue_push(&end->kept, tlp);
    else
        tlp_free(tlp);
}

static void end_changed(struct port *port, bool up)
{
    struct pair_end *end = port->owner;

    up ? end->ups++ : end->downs++;
}

static void end_training(struct port *port, bool training)
{
    struct pair_end *end = port->owner;

    training ? end->trainings++ : end->trained++;
}

static void end_error(struct port *port, enum link_error error, const struct tlp *tlp)
{
    ((struct pair_end *)port->owner)->errors[error]++;
}

static void end_hot_reset(struct port *port)
{
    ((struct pair_end *)port->owner)->hot_resets++;
}

static void end_pump(struct pair_end *end)
{
    while (end->to_send && port_tx_ready(&end->port)) {
        end->to_send--;
        pair_send(end, TLP_MWR, end->payload / 4);
    }
}

static void end_ready(struct port *port)
{
    struct pair_end *end = port->owner;

    end->readies++;
    end_pump(end);
}

static const struct port_ops end_ops = {
    .receive = end_receive,
    .link_changed = end_changed,
    .link_training = end_training,
    .link_error = end_error,
    .hot_reset = end_hot_reset,
    .tx_ready = end_ready,
};

struct link_pair *pair_new(const struct link_params *params, unsigned speed, unsigned width)
{
    struct link_pair *pair = calloc(1, sizeof(*pair));

    sim_init(&pair->sim, 1);
    pair->trace.now_ps = &pair->sim.now_ps;
    pair->fabric = fabric_new(&pair->sim, &pair->trace);
    pair->params = params ? *params : link_default_params;
    pair->params.timing = LINK_TIMED;
    port_init(&pair->down.port, pair->fabric, "down", &end_ops, &pair->down);
    port_init(&pair->up.port, pair->fabric, "up", &end_ops, &pair->up);
    pair->down.other = &pair->up;
    pair->up.other = &pair->down;
    pair->down.port.max_speed = pair->up.port.max_speed = (uint8_t)speed;
    pair->down.port.max_width = pair->up.port.max_width = (uint8_t)width;
    link_new(&pair->down.port, &pair->up.port, &pair->params);
    return pair;
}

void pair_free(struct link_pair *pair)
{
    tlp_queue_clear(&pair->down.kept);
    tlp_queue_clear(&pair->up.kept);
    link_free(pair->down.port.link);
    port_fini(&pair->down.port);
    port_fini(&pair->up.port);
    fabric_free(pair->fabric); /* asserts that every TLP has come back */
    sim_fini(&pair->sim);
    free(pair);
}

struct tlp *pair_tlp(struct link_pair *pair, enum tlp_type type, unsigned payload_dw, uint32_t id)
{
    struct tlp *tlp = tlp_new(pair->fabric->pool, type, payload_dw);

    if (!payload_dw && type == TLP_MRD)
        tlp->length_dw = 1;
    tlp->addr = id;
    return tlp;
}

void pair_send(struct pair_end *end, enum tlp_type type, unsigned payload_dw)
{
    struct tlp *tlp = tlp_new(end->port.fabric->pool, type, payload_dw);

    tlp->addr = end->next_id++;
    port_send(&end->port, tlp);
}

void pair_source(struct pair_end *end, unsigned count, unsigned payload_bytes)
{
    end->to_send = count;
    end->payload = payload_bytes;
    end_pump(end);
}

void pair_unblock(struct pair_end *end)
{
    end->block[0] = end->block[1] = end->block[2] = false;
    tlp_queue_clear(&end->kept);
}

void pair_run(struct link_pair *pair, uint64_t ps)
{
    sim_run_until(&pair->sim, pair->sim.now_ps + ps);
}
