/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Access Control Services in whole trees: the hops that route_tlp() decides, one component after
 * the other, against a matrix that knows the shape of the tree and the controls and no address, bus
 * number or register (PCIe Base 6.0, 6.12.1.1, table 6-10).
 */
#include <string.h>

#include "pcilab/fabric/routing.h"
#include "pcilab/pci/config.h"
#include "rig.h"

#define PORTS_MAX  32
#define LEAVES_MAX 16
#define WINDOW     0x100000ULL
#define FIRST_ADDR 0x80000000ULL
#define NOBODY     99 /* a leaf that is not there */

/* '(' a component with its ports up to ')'; behind a port a leaf 'l' or another component; 'h' a
 * hole in a switch's windows, which no port has. The outermost is the root complex. */
static const char *const topologies[] = {
    "(ll)",
    "(lll)",
    "((ll))",
    "((lll)l)",
    "((ll)(ll))",
    "(((ll)l))",
    "(((ll)(ll)))",
    "(((ll)l)(ll)l)",
    "((l(ll)(l(ll))))",
    "((((ll)l)l)l)",
    "((llll)(llll)ll)",
    "(l(l(l(ll))))",
    "(((l)(l))((l)(l)))",
    "((ll)(ll)(ll)(ll))",
    "((lhl)l)",
    "((l(lhl)h)(hl))",
    "(((lh)hl)(l(hl)))",
};

static const struct pci_func_ops no_ops;

struct component {
    int above; /* the port that it hangs at; -1: the root complex */
    struct pci_func *upper;
    struct pci_func *down[PORTS_MAX];
    uint8_t devfn[PORTS_MAX];
    unsigned ports[PORTS_MAX]; /* by index: number in tree.port */
    struct route_view view;
};

struct tree_port {
    unsigned component, index;
    int leaf, below; /* what is behind it: a leaf, or a component; else -1 */
    unsigned first_leaf, last_leaf;
    /* As the matrix sees it. */
    unsigned acs;
    uint32_t vector;
};

struct tree {
    struct component component[PORTS_MAX];
    struct tree_port port[PORTS_MAX];
    unsigned leaf_port[LEAVES_MAX], leaf_bus[LEAVES_MAX];
    bool hole[LEAVES_MAX];
    unsigned components, ports, leaves, buses;
    const char *at;
    struct tlp_pool *pool;
};

static struct pci_func *make_bridge(enum pcie_port_type type, unsigned number)
{
    const struct pci_ids ids = {.vendor = 0x1556, .device = 0x1113, .class_code = 0x060400};
    struct pci_func *func = pci_func_new("bridge", PCI_HEADER_TYPE1, &ids, &no_ops, NULL);
    struct pcie_params pcie = rig_pcie(type);

    pcie.port_number = (uint8_t)number;
    pci_cap_pcie_add(func, &pcie);
    if (type != PCIE_UPSTREAM_PORT)
        pci_cap_acs_add(func);
    pci_func_config_write(func, PCI_COMMAND, 2, 7);
    return func;
}

static void program(struct pci_func *func, unsigned secondary, unsigned subordinate,
                    unsigned first_leaf, unsigned last_leaf)
{
    uint32_t base = (uint32_t)(FIRST_ADDR + first_leaf * WINDOW);
    uint32_t limit = (uint32_t)(FIRST_ADDR + last_leaf * WINDOW);

    pci_func_config_write(func, PCI_SECONDARY_BUS, 1, secondary);
    pci_func_config_write(func, PCI_SUBORDINATE_BUS, 1, subordinate);
    pci_func_config_write(func, PCI_MEM_BASE, 2, base >> 16);
    pci_func_config_write(func, PCI_MEM_LIMIT, 2, limit >> 16);
    pci_func_config_write(func, PCI_IO_BASE, 1, first_leaf << 4);
    pci_func_config_write(func, PCI_IO_LIMIT, 1, last_leaf << 4);
}

static void parse_component(struct tree *tree, int above);

static void parse_port(struct tree *tree, unsigned component)
{
    struct component *c = &tree->component[component];
    unsigned number = tree->ports++, index = c->view.down_count++, bus = ++tree->buses;
    struct tree_port *port = &tree->port[number];

    *port = (struct tree_port){component, index, -1, -1, tree->leaves, 0, 0, 0};
    c->ports[index] = number;
    c->devfn[index] = (uint8_t)((index + 1) << 3);
    c->down[index] = make_bridge(c->above < 0 ? PCIE_ROOT_PORT : PCIE_DOWNSTREAM_PORT, index);
    if (*tree->at == 'l') {
        tree->at++;
        port->leaf = (int)tree->leaves;
        tree->leaf_port[tree->leaves] = number;
        tree->leaf_bus[tree->leaves++] = bus;
    } else {
        port->below = (int)tree->components;
        parse_component(tree, (int)number);
    }
    port->last_leaf = tree->leaves - 1;
    program(c->down[index], bus, tree->buses, port->first_leaf, port->last_leaf);
}

static void parse_component(struct tree *tree, int above)
{
    unsigned number = tree->components++, first_leaf = tree->leaves, bus = 0;
    struct component *c = &tree->component[number];

    ck_assert_int_eq(*tree->at++, '(');
    c->above = above;
    if (above >= 0) {
        c->upper = make_bridge(PCIE_UPSTREAM_PORT, 31);
        bus = ++tree->buses; /* the internal bus */
    }
    while (*tree->at != ')') {
        if (*tree->at == 'h') {
            tree->hole[tree->leaves++] = true;
            tree->at++;
        } else {
            parse_port(tree, number);
        }
    }
    tree->at++;
    if (above >= 0)
        program(c->upper, bus, tree->buses, first_leaf, tree->leaves - 1);
    c->view.upper = c->upper;
    c->view.down = c->down;
    c->view.down_devfn = c->devfn;
}

static void tree_init(struct tree *tree, const char *text)
{
    memset(tree, 0, sizeof(*tree));
    tree->at = text;
    tree->pool = tlp_pool_new();
    parse_component(tree, -1);
    ck_assert_int_eq(*tree->at, 0);
}

static void tree_fini(struct tree *tree)
{
    for (unsigned i = 0; i < tree->components; i++) {
        struct component *c = &tree->component[i];

        pci_func_free(c->upper);
        for (unsigned p = 0; p < c->view.down_count; p++)
            pci_func_free(c->down[p]);
    }
    tlp_pool_free(tree->pool);
}

/* What became of a TLP. */
struct outcome {
    enum { ARRIVES, VIOLATES, REFUSED } what;
    unsigned where;  /* the leaf, or the port that objects; NOBODY: a port on the way down */
    unsigned turned; /* the component where it turned round */
};

/* The question: a TLP from one leaf to another. */
struct question {
    unsigned from, to, claims; /* claims: whose Requester ID a request carries */
    enum tlp_type type;
    unsigned at;
    bool relaxed;
};

/* Down from a component: only the windows count. */
static unsigned walk_down(struct tree *tree, unsigned component, const struct tlp *tlp)
{
    for (;;) {
        struct component *c = &tree->component[component];
        struct tree_port *port;
        struct route route;

        route_tlp(&c->view, ROUTE_FROM_ABOVE, tlp, &route);
        if (route.to == ROUTE_REFUSE)
            return NOBODY;
        ck_assert_int_eq(route.to, ROUTE_DOWN);
        port = &tree->port[c->ports[route.index]];
        if (port->leaf >= 0)
            return (unsigned)port->leaf;
        component = (unsigned)port->below;
    }
}

static struct outcome walk(struct tree *tree, const struct question *q, const struct tlp *tlp)
{
    unsigned number = tree->leaf_port[q->from];

    for (;;) {
        struct tree_port *port = &tree->port[number];
        struct component *c = &tree->component[port->component];
        struct route route;

        route_tlp(&c->view, (int)port->index, tlp, &route);
        if (route.to == ROUTE_REFUSE) {
            ck_assert_ptr_eq(route.by, c->down[port->index]);
            return (struct outcome){route.error == PCI_ERROR_ACS ? VIOLATES : REFUSED, number, 0};
        }
        if (route.to == ROUTE_DOWN) {
            struct tree_port *peer = &tree->port[c->ports[route.index]];
            unsigned leaf = peer->leaf >= 0 ? (unsigned)peer->leaf
                                            : walk_down(tree, (unsigned)peer->below, tlp);

            return (struct outcome){leaf == NOBODY ? REFUSED : ARRIVES, leaf,
                                    leaf == NOBODY ? 0 : port->component};
        }
        ck_assert_int_eq(route.to, ROUTE_UP);
        if (c->above < 0) {
            unsigned leaf = walk_down(tree, 0, tlp);

            return (struct outcome){leaf == NOBODY ? REFUSED : ARRIVES, leaf, 0};
        }
        number = (unsigned)c->above;
    }
}

static bool is_below(const struct tree_port *port, unsigned leaf)
{
    return leaf != NOBODY && port->first_leaf <= leaf && leaf <= port->last_leaf;
}

enum { SV = 1, TB = 2, RR = 4, CR = 8, UF = 16, EC = 32, DT = 64, IB = 128, URR = 4096 };

static bool is_request(const struct question *q)
{
    return q->type != TLP_CPLD;
}

static bool is_io(const struct question *q)
{
    return q->type == TLP_IORD;
}

/* Table 6-10: by Request Redirect, Egress Control and the bit in the vector. */
static const char matrix[2][2][2] = {
    {{'d', 'd'}, {'d', 'b'}},
    {{'r', 'r'}, {'d', 'r'}},
};

static char across(const struct tree_port *port, unsigned peer_index, const struct question *q)
{
    if (q->type == TLP_CPLD)
        return port->acs & CR && !q->relaxed ? 'r' : 'd';
    if (port->acs & DT && q->at == 2 && !is_io(q))
        return 'd';
    return matrix[!!(port->acs & RR)][!!(port->acs & EC)][port->vector >> peer_index & 1];
}

/* In the windows of the switch, but of none of its ports. */
static bool unclaimed(const struct tree *tree, const struct component *c, const struct question *q)
{
    if (!is_request(q) || c->above < 0 || !is_below(&tree->port[c->above], q->to))
        return false;
    for (unsigned i = 0; i < c->view.down_count; i++) {
        if (is_below(&tree->port[c->ports[i]], q->to))
            return false;
    }
    return true;
}

static struct outcome expect(const struct tree *tree, const struct question *q)
{
    unsigned number = tree->leaf_port[q->from];

    for (;;) {
        const struct tree_port *port = &tree->port[number];
        const struct component *c = &tree->component[port->component];

        if (is_request(q) && port->acs & SV && !is_below(port, q->claims))
            return (struct outcome){VIOLATES, number, 0};
        if (is_request(q) && port->acs & TB && q->at)
            return (struct outcome){VIOLATES, number, 0};
        if (is_io(q) && port->acs & IB)
            return (struct outcome){VIOLATES, number, 0};
        if (is_below(port, q->to) && !(port->acs & UF))
            return (struct outcome){REFUSED, number, 0};
        for (unsigned i = 0; i < c->view.down_count && !is_below(port, q->to); i++) {
            char way = 'r';

            if (!is_below(&tree->port[c->ports[i]], q->to))
                continue;
            way = across(port, i, q);
            if (way == 'b')
                return (struct outcome){VIOLATES, number, 0};
            if (way == 'd' && tree->hole[q->to])
                return (struct outcome){REFUSED, NOBODY, 0};
            if (way == 'd')
                return (struct outcome){ARRIVES, q->to, port->component};
        }
        if (unclaimed(tree, c, q) && (is_io(q) || !(port->acs & URR)))
            return (struct outcome){REFUSED, number, 0};
        if (c->above < 0 && tree->hole[q->to])
            return (struct outcome){REFUSED, NOBODY, 0};
        if (c->above < 0)
            return (struct outcome){ARRIVES, q->to, 0};
        number = (unsigned)c->above;
    }
}

static struct tlp *question_tlp(const struct tree *tree, const struct question *q)
{
    bool read = q->type == TLP_MRD || q->type == TLP_IORD;
    struct tlp *tlp = tlp_new(tree->pool, q->type, read ? 0 : 1);

    tlp->at = (uint8_t)q->at;
    tlp->attr = q->relaxed ? TLP_ATTR_RELAXED : 0;
    if (q->type == TLP_CPLD) {
        tlp->requester = pci_rid_make(tree->leaf_bus[q->to], 0, 0);
        return tlp;
    }
    tlp->requester = pci_rid_make(q->claims == NOBODY ? 0xf0 : tree->leaf_bus[q->claims], 0, 0);
    tlp_set_span(tlp, is_io(q) ? q->to * 0x1000 + 0x40 : FIRST_ADDR + q->to * WINDOW + 0x40, 4);
    return tlp;
}

static void set_controls(struct tree *tree, struct sim_rng *rng)
{
    for (unsigned i = 0; i < tree->ports; i++) {
        struct tree_port *port = &tree->port[i];
        struct pci_func *func = tree->component[port->component].down[port->index];

        /* The two that stop most are rarer, so that other things happen as well. */
        port->acs = (unsigned)sim_rng_below(rng, 128) &
                    (sim_rng_below(rng, 4) ? ~(unsigned)(SV | TB) : ~0u);
        port->acs |= sim_rng_below(rng, 2) ? UF : 0;
        port->acs |= sim_rng_below(rng, 4) ? 0 : IB;
        port->acs |= sim_rng_below(rng, 2) ? URR : 0;
        port->vector = (uint32_t)sim_rng_below(rng, 256);
        pci_func_config_write(func, func->ext_acs + PCI_ACS_CONTROL, 2, port->acs);
        pci_func_config_write(func, func->ext_acs + PCI_ACS_VECTOR, 4, port->vector);
        /* Root ports have no such control, and no port has a bit for itself. */
        ck_assert_uint_eq(pci_func_config_read(func, func->ext_acs + PCI_ACS_CONTROL, 2),
                          port->acs & (func->pcie_type == PCIE_ROOT_PORT ? ~(unsigned)URR : ~0u));
        ck_assert_uint_eq(pci_func_config_read(func, func->ext_acs + PCI_ACS_VECTOR, 4),
                          port->vector & ~(1u << port->index));
    }
}

static struct question ask(const struct tree *tree, struct sim_rng *rng)
{
    static const enum tlp_type types[] = {TLP_MRD, TLP_MWR, TLP_CPLD, TLP_IORD};
    struct question q = {0};

    do {
        q.from = (unsigned)sim_rng_below(rng, tree->leaves);
    } while (tree->hole[q.from]);
    do {
        q.to = (unsigned)sim_rng_below(rng, tree->leaves);
    } while (q.to == q.from);
    q.claims = q.from;
    if (!sim_rng_below(rng, 4))
        q.claims = sim_rng_below(rng, 2) || tree->hole[q.to] ? NOBODY : q.to;
    q.type = types[sim_rng_below(rng, tree->hole[q.to] ? 2 : 4)];
    if (tree->hole[q.to] && !sim_rng_below(rng, 4))
        q.type = TLP_IORD;
    q.at = q.type == TLP_CPLD || q.type == TLP_IORD ? 0 : (unsigned)sim_rng_below(rng, 3);
    q.relaxed = sim_rng_below(rng, 2);
    return q;
}

START_TEST(test_matrix)
{
    unsigned seen[3] = {0}, far = 0, io = 0, redirected_holes = 0;
    struct sim_rng rng;
    struct tree tree;

    sim_rng_init(&rng, 6, "acs");
    ck_assert_uint_ge(sizeof(topologies) / sizeof(topologies[0]), 12);
    for (unsigned t = 0; t < sizeof(topologies) / sizeof(topologies[0]); t++) {
        tree_init(&tree, topologies[t]);
        for (unsigned i = 0; i < 3000; i++) {
            struct question q;
            struct outcome want, got;
            struct tlp *tlp;

            set_controls(&tree, &rng);
            q = ask(&tree, &rng);
            tlp = question_tlp(&tree, &q);
            want = expect(&tree, &q);
            got = walk(&tree, &q, tlp);
            ck_assert_msg(
                want.what == got.what && want.where == got.where && want.turned == got.turned,
                "%s trial %u: want %u at %u turned at %u, got %u at %u turned at %u", topologies[t],
                i, want.what, want.where, want.turned, got.what, got.where, got.turned);
            seen[got.what]++;
            io += is_io(&q) && got.what == VIOLATES;
            redirected_holes += tree.hole[q.to] && got.where == NOBODY;
            far += got.what == ARRIVES && got.turned != tree.port[tree.leaf_port[q.from]].component;
            tlp_free(tlp);
        }
        tree_fini(&tree);
    }
    /* All of it has happened, and often. */
    ck_assert_uint_gt(seen[ARRIVES], 5000);
    ck_assert_uint_gt(seen[VIOLATES], 2000);
    ck_assert_uint_gt(seen[REFUSED], 500);
    ck_assert_uint_gt(far, 2000);
    ck_assert_uint_gt(io, 500);
    ck_assert_uint_gt(redirected_holes, 100);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fabric-acs");
    TCase *tc = tcase_create("acs");

    tcase_add_test(tc, test_matrix);
    tcase_set_timeout(tc, 60);
    suite_add_tcase(suite, tc);
    return rig_run_suite(suite);
}
