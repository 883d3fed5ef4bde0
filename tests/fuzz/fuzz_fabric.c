/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whole fabrics: a random tree of components, links of random timing, speed, width, buffers and
 * error rate, random traffic between any two, faults, retraining, resets. Whatever happens no
 * request is completed twice and no write arrives twice or out of order; as long as no link goes
 * down everything arrives; in the end nothing is under way and every credit is back.
 */
#include <assert.h>
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "pcilab/base/bits.h"
#include "pcilab/fabric/fabric.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_NODES    8
#define MAX_CHILDREN 3
#define MAX_REQUESTS 2000
#define MAX_EVENTS   3000000
#define QUIET_PS     PS_PER_S

struct input {
    const uint8_t *data;
    size_t left;
};

struct node {
    struct world *world;
    unsigned index, parent, children;
    struct port up, down[MAX_CHILDREN];
    unsigned child[MAX_CHILDREN];
    bool stalled; /* keeps what it should consume */
    struct tlp_queue stall;
    uint32_t last_write[MAX_NODES]; /* by source: id of the last write that arrived */
};

struct world {
    struct sim sim;
    struct trace trace;
    struct fabric *fabric;
    struct node node[MAX_NODES];
    unsigned node_count;
    uint32_t requests;
    bool posted[MAX_REQUESTS];
    uint8_t arrived[MAX_REQUESTS], completed[MAX_REQUESTS];
    bool lost; /* a link went down or a TLP was hit where it may not be repeated */
};

static uint32_t take(struct input *in, unsigned bytes)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < bytes && in->left; i++, in->left--)
        v |= (uint32_t)*in->data++ << 8 * i;
    return v;
}

/* The port of `node` that leads to node `to`. */
static struct port *way_to(struct node *node, unsigned to)
{
    unsigned at = to;

    while (at && node->world->node[at].parent != node->index)
        at = node->world->node[at].parent;
    for (unsigned i = 0; at && i < node->children; i++) {
        if (node->child[i] == at)
            return &node->down[i];
    }
    return &node->up;
}

static void consume(struct node *node, struct tlp *tlp)
{
    struct world *world = node->world;
    uint32_t id = tlp->addr & 0xffffff;
    unsigned source = tlp->requester.v;

    if (tlp_is_completion(tlp)) {
        assert(tlp->tag < world->requests && !world->posted[tlp->tag]);
        assert(!world->completed[tlp->tag] && "no request is completed twice");
        world->completed[tlp->tag] = 1;
    } else {
        assert(id < world->requests && !world->arrived[id] && "no request arrives twice");
        world->arrived[id] = 1;
        if (tlp_is_posted(tlp)) {
            assert(id >= node->last_write[source] && "writes stay in order");
            node->last_write[source] = id;
        } else {
            struct pci_rid self = {(uint16_t)node->index};
            struct tlp *cpl = tlp_new_completion(tlp, self, TLP_SC, 1 + id % 32);

            port_send(way_to(node, source), cpl);
        }
    }
    tlp_free(tlp);
}

static void node_receive(struct port *port, struct tlp *tlp)
{
    struct node *node = port->owner;
    unsigned to;

    if (tlp_is_message(tlp)) {
        port_l1_refused(port);
        tlp_free(tlp);
        return;
    }
    to = tlp_is_completion(tlp) ? tlp->requester.v : (unsigned)(tlp->addr >> 24);

    if (to != node->index)
        port_send(way_to(node, to), tlp);
    else if (node->stalled)
        tlp_queue_push(&node->stall, tlp);
    else
        consume(node, tlp);
}

static void node_link_changed(struct port *port, bool up)
{
    struct node *node = port->owner;

    if (!up)
        node->world->lost = true;
}

static void node_link_error(struct port *port, enum link_error error, const struct tlp *tlp)
{
    struct node *node = port->owner;

    if (error == LINK_ERROR_RECEIVER_OVERFLOW)
        node->world->lost = true;
}

static const struct port_ops node_ops = {
    .receive = node_receive,
    .link_changed = node_link_changed,
    .link_error = node_link_error,
};

static struct link_params random_link(struct input *in)
{
    static const double rates[] = {0, 0, 0, 1e-6, 1e-5, 1e-4, 1e-3, 0};
    struct link_params params = link_default_params;

    params.timing = take(in, 1) % 4 ? LINK_TIMED : LINK_FUNCTIONAL;
    params.bit_error_rate = rates[take(in, 1) % ARRAY_LEN(rates)];
    params.propagation_ps = take(in, 2) * 10;
    params.training_ps = PS_PER_US * (1 + take(in, 1));
    for (unsigned side = 0; side < 2; side++) {
        for (unsigned flow = 0; flow < LINK_FLOWS; flow++) {
            params.rx[side][flow].header = (uint16_t)(take(in, 1) % 5);
            params.rx[side][flow].data = (uint16_t)(take(in, 1) % 40);
        }
    }
    return params;
}

static void add_node(struct world *world, struct input *in)
{
    unsigned index = world->node_count++;
    struct node *node = &world->node[index], *parent;
    uint8_t shape = (uint8_t)take(in, 1);
    struct link_params params;
    struct port *above;

    *node = (struct node){.world = world, .index = index};
    port_init(&node->up, world->fabric, "up", &node_ops, node);
    for (unsigned i = 0; i < MAX_CHILDREN; i++)
        port_init(&node->down[i], world->fabric, "down", &node_ops, node);
    if (!index)
        return;
    node->parent = shape % index;
    while (world->node[node->parent].children == MAX_CHILDREN)
        node->parent = (node->parent + 1) % index;
    parent = &world->node[node->parent];
    parent->child[parent->children] = index;
    above = &parent->down[parent->children++];
    port_join(&parent->up, above);
    above->max_speed = node->up.max_speed = 1 + shape / 8 % 5;
    above->max_width = node->up.max_width = (uint8_t)(1u << shape / 40 % 5);
    params = random_link(in);
    link_new(above, &node->up, &params);
}

static void send_request(struct world *world, struct input *in)
{
    static const enum tlp_type types[] = {TLP_MWR, TLP_MRD, TLP_FETCHADD, TLP_MWR, TLP_MRD};
    unsigned from = take(in, 1) % world->node_count, to = take(in, 1) % world->node_count;
    uint8_t shape = (uint8_t)take(in, 1);
    enum tlp_type type = types[shape % ARRAY_LEN(types)];
    uint32_t id = world->requests;
    struct tlp *tlp;

    if (from == to || id == MAX_REQUESTS)
        return;
    world->requests++;
    tlp = tlp_new(world->fabric->pool, type,
                  type == TLP_MRD        ? 0
                  : type == TLP_FETCHADD ? 1 + (shape & 1)
                                         : 1 + shape / 2);
    if (type == TLP_MRD)
        tlp->length_dw = 1;
    world->posted[id] = type == TLP_MWR;
    tlp->addr = (uint64_t)to << 24 | id;
    tlp->requester.v = (uint16_t)from;
    tlp->tag = (uint16_t)id;
    port_send(way_to(&world->node[from], to), tlp);
}

static void unstall(struct node *node)
{
    struct tlp *tlp;

    node->stalled = false;
    while ((tlp = tlp_queue_pop(&node->stall)))
        consume(node, tlp);
}

static void run(struct world *world, uint64_t ps)
{
    uint64_t until = world->sim.now_ps + ps;
    unsigned events = 0;

    while (sim_run_one(&world->sim, until))
        assert(++events < MAX_EVENTS && "the fabric comes to rest");
    sim_run_until(&world->sim, until);
}

/* The port at the upper end of the node's link. */
static struct port *above_of(struct node *node)
{
    struct node *parent = &node->world->node[node->parent];

    for (unsigned i = 0; i < parent->children; i++) {
        if (parent->child[i] == node->index)
            return &parent->down[i];
    }
    g_assert_not_reached();
}

/* What registers may say, also of one end only; most often that the link may sleep. */
static void random_power(struct port *port, struct input *in)
{
    unsigned bits = take(in, 1);
    struct pcie_power_state state = {
        .aspm = bits & 3,
        .sleeping = (bits & 0x1c) == 0,
        .substates = (uint8_t)take(in, 1),
        .l0s_exit_ps = take(in, 1) * 10 * PS_PER_NS,
        .l1_exit_ps = (bits >> 5) * PS_PER_US,
        .l12_exit_ps = take(in, 1) * PS_PER_US,
        .threshold_ps = PS_PER_US,
    };

    port_set_power_state(port, &state);
    port_set_tolerance(port, bits & 0x80 ? SIM_NEVER : 0);
}

static void act(struct world *world, struct input *in)
{
    uint8_t what = (uint8_t)take(in, 1);
    struct node *node = &world->node[take(in, 1) % world->node_count];
    struct link_fault fault;
    struct port *above;

    if (what < 150) {
        for (unsigned i = 0; i <= what % 8; i++)
            send_request(world, in);
        return;
    }
    if (what < 190) {
        run(world, take(in, 3));
        return;
    }
    if (what < 200) {
        node->stalled ? unstall(node) : (void)(node->stalled = true);
        return;
    }
    if (!node->index)
        return;
    above = above_of(node);
    if (what < 225) {
        fault = (struct link_fault){.kind = (enum link_fault_kind)(take(in, 1) % LINK_FAULT_KINDS),
                                    .after = take(in, 1) % 16,
                                    .count = 1 + take(in, 1) % 8};
        port_add_fault(what & 1 ? above : &node->up, &fault);
    } else if (what < 235) {
        port_retrain(above, what % 6);
    } else if (what < 242) {
        port_degrade(above, 1u << what % 5, what % 6);
    } else if (what < 246) {
        port_hot_reset(above, true);
        port_hot_reset(above, false);
    } else if (what < 249) {
        port_set_disabled(above, what & 1);
    } else if (what < 252) {
        port_set_present(above, what & 1);
    } else {
        random_power(above, in);
        random_power(&node->up, in);
    }
}

static void settle(struct world *world)
{
    const struct pcie_power_state sleepy = {.aspm = PCIE_ASPM_L0S | PCIE_ASPM_L1};

    for (unsigned i = 1; i < world->node_count; i++) {
        struct port *above = above_of(&world->node[i]);

        port_set_present(above, true);
        port_set_disabled(above, false);
        /* One end that asks and one that refuses would go on for ever. */
        port_set_power_state(above, &sleepy);
        port_set_power_state(&world->node[i].up, &sleepy);
    }
    for (unsigned i = 0; i < world->node_count; i++)
        unstall(&world->node[i]);
    run(world, QUIET_PS);
    assert(tlp_pool_live(world->fabric->pool) == 0 && "nothing is under way any more");
    for (unsigned i = 1; i < world->node_count; i++) {
        assert(port_credits_whole(&world->node[i].up));
        assert(port_credits_whole(above_of(&world->node[i])));
    }
    for (uint32_t id = 0; id < world->requests && !world->lost; id++) {
        assert(world->arrived[id] && "every request arrives");
        assert(world->posted[id] != world->completed[id] && "every read is answered");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    struct world *world = g_new0(struct world, 1);
    unsigned nodes = 2 + take(&in, 1) % (MAX_NODES - 1);

    sim_init(&world->sim, take(&in, 2));
    world->trace.now_ps = &world->sim.now_ps;
    world->fabric = fabric_new(&world->sim, &world->trace);
    while (world->node_count < nodes)
        add_node(world, &in);
    while (in.left)
        act(world, &in);
    settle(world);
    for (unsigned i = 0; i < nodes; i++) {
        link_free(world->node[i].up.link);
        port_fini(&world->node[i].up);
    }
    for (unsigned i = 0; i < nodes; i++) {
        for (unsigned k = 0; k < MAX_CHILDREN; k++)
            port_fini(&world->node[i].down[k]);
    }
    fabric_free(world->fabric);
    sim_fini(&world->sim);
    g_free(world);
    return 0;
}
