/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The routing decision against an oracle that knows nothing but the bytes of the bridges'
 * configuration space and tries every bridge for every question.
 */
#include <string.h>

#include "pcilab/fabric/routing.h"
#include "rig.h"

#define DOWNS_MAX 6

static const struct pci_func_ops no_ops;

struct bench {
    struct tlp_pool *pool;
    struct pci_func *upper;
    struct pci_func *down[DOWNS_MAX];
    uint8_t devfn[DOWNS_MAX];
    unsigned count;
    struct route_view view;
};

static struct pci_func *make_bridge(enum pcie_port_type type)
{
    const struct pci_ids ids = {.vendor = 0x1556, .device = 0x1113, .class_code = 0x060400};
    struct pci_func *func = pci_func_new("bridge", PCI_HEADER_TYPE1, &ids, &no_ops, NULL);
    struct pcie_params pcie = rig_pcie(type);

    pci_cap_pm_add(func);
    pci_cap_pcie_add(func, &pcie);
    return func;
}

static void bench_init(struct bench *bench, bool is_switch, unsigned count)
{
    memset(bench, 0, sizeof(*bench));
    bench->pool = tlp_pool_new();
    bench->count = count;
    if (is_switch)
        bench->upper = make_bridge(PCIE_UPSTREAM_PORT);
    for (unsigned i = 0; i < count; i++) {
        bench->down[i] = make_bridge(is_switch ? PCIE_DOWNSTREAM_PORT : PCIE_ROOT_PORT);
        bench->devfn[i] = (uint8_t)((i + 1) << 3);
    }
    bench->view = (struct route_view){
        .upper = bench->upper,
        .down = bench->down,
        .down_devfn = bench->devfn,
        .down_count = count,
        .root_bus = 0,
    };
}

static void bench_fini(struct bench *bench)
{
    pci_func_free(bench->upper);
    for (unsigned i = 0; i < bench->count; i++)
        pci_func_free(bench->down[i]);
    ck_assert_uint_eq(tlp_pool_live(bench->pool), 0);
    tlp_pool_free(bench->pool);
}

static void put(struct pci_func *func, unsigned offset, unsigned len, uint32_t value)
{
    for (unsigned i = 0; i < len;) {
        unsigned n = len - i < 4 - ((offset + i) & 3) ? len - i : 4 - ((offset + i) & 3);

        pci_func_config_write(func, offset + i, n, value >> (8 * i));
        i += n;
    }
}

static void program(struct pci_func *func, const struct rig_windows *w)
{
    put(func, 0x18, 1, w->primary);
    put(func, 0x19, 1, w->secondary);
    put(func, 0x1a, 1, w->subordinate);
    put(func, 0x1c, 1, w->io_base >> 8 & 0xf0);
    put(func, 0x1d, 1, w->io_limit >> 8 & 0xf0);
    put(func, 0x20, 2, w->mem_base >> 16 & 0xfff0);
    put(func, 0x22, 2, w->mem_limit >> 16 & 0xfff0);
    put(func, 0x24, 2, w->pref_base >> 16 & 0xfff0);
    put(func, 0x26, 2, w->pref_limit >> 16 & 0xfff0);
    put(func, 0x28, 4, (uint32_t)(w->pref_base >> 32));
    put(func, 0x2c, 4, (uint32_t)(w->pref_limit >> 32));
    put(func, 0x04, 2, 7);
}

/* The oracle: everything from the raw bytes, PCI-to-PCI Bridge 1.2, 3.2.5. */

static uint64_t get(struct pci_func *func, unsigned offset, unsigned len)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < len; i++)
        value |= (uint64_t)pci_func_config_read(func, offset + i, 1) << (8 * i);
    return value;
}

static bool oracle_decodes(struct pci_func *func, bool io, uint64_t addr)
{
    uint64_t command = get(func, 4, 2), base, limit;

    if (io) {
        base = (get(func, 0x1c, 1) & 0xf0) << 8 | get(func, 0x30, 2) << 16;
        limit = (get(func, 0x1d, 1) & 0xf0) << 8 | get(func, 0x32, 2) << 16 | 0xfff;
        return command & 1 && base <= addr && addr <= limit;
    }
    base = (get(func, 0x20, 2) & 0xfff0) << 16;
    limit = (get(func, 0x22, 2) & 0xfff0) << 16 | 0xfffff;
    if (command & 2 && base <= addr && addr <= limit)
        return true;
    base = (get(func, 0x24, 2) & 0xfff0) << 16 | get(func, 0x28, 4) << 32;
    limit = (get(func, 0x26, 2) & 0xfff0) << 16 | get(func, 0x2c, 4) << 32 | 0xfffff;
    return command & 2 && base <= addr && addr <= limit;
}

static bool oracle_has_bus(struct pci_func *func, unsigned bus)
{
    return get(func, 0x19, 1) && get(func, 0x19, 1) <= bus && bus <= get(func, 0x1a, 1);
}

/* A verdict in one number: ports 0.., UP, REFUSED, or INTERNAL + devfn. */
enum { UP = 1000, REFUSED, UPPER, INTERNAL = 2000 };

static unsigned oracle_addr(struct bench *bench, int from, bool io, uint64_t addr)
{
    unsigned claimed = DOWNS_MAX;

    for (unsigned i = bench->count; i--;) {
        if (oracle_decodes(bench->down[i], io, addr))
            claimed = i; /* the first of several */
    }
    if (from >= 0 &&
        (!(get(bench->down[from], 4, 2) & 4) || oracle_decodes(bench->down[from], io, addr)))
        return REFUSED;
    if (from == ROUTE_FROM_ABOVE && bench->upper && !oracle_decodes(bench->upper, io, addr))
        return REFUSED;
    if (claimed < DOWNS_MAX)
        return claimed;
    if (from == ROUTE_FROM_ABOVE)
        return REFUSED;
    if (!bench->upper)
        return UP;
    return get(bench->upper, 4, 2) & 4 && !oracle_decodes(bench->upper, io, addr) ? UP : REFUSED;
}

static unsigned oracle_id(struct bench *bench, int from, struct pci_rid id)
{
    unsigned bus = id.v >> 8;
    unsigned internal = bench->upper ? (unsigned)get(bench->upper, 0x19, 1) : 0;
    bool below = !bench->upper || oracle_has_bus(bench->upper, bus);

    if (from == ROUTE_FROM_ABOVE && bench->upper && id.v == bench->upper->rid.v)
        return UPPER;
    if (from >= 0 && oracle_has_bus(bench->down[from], bus))
        return REFUSED;
    if (from == ROUTE_FROM_ABOVE && !below)
        return REFUSED;
    if (bus == internal && (!bench->upper || internal))
        return INTERNAL + (id.v & 0xff);
    for (unsigned i = 0; i < bench->count; i++) {
        if (oracle_has_bus(bench->down[i], bus))
            return i;
    }
    return below ? REFUSED : UP;
}

static unsigned verdict(const struct route *route)
{
    switch (route->to) {
    case ROUTE_UP: return UP;
    case ROUTE_DOWN: return route->index;
    case ROUTE_UPPER: return UPPER;
    case ROUTE_INTERNAL: return INTERNAL + route->devfn;
    case ROUTE_REFUSE: ck_assert_ptr_nonnull(route->why); return REFUSED;
    default: return 3000;
    }
}

/* Values with a good chance of meeting each other. */
static uint64_t some_addr(struct sim_rng *rng)
{
    uint64_t addr = sim_rng_below(rng, 24) << 20;

    if (sim_rng_below(rng, 3) == 0)
        addr += 1ULL << 32;
    return addr;
}

static void randomise(struct sim_rng *rng, struct pci_func *func)
{
    struct rig_windows w = {
        .primary = (unsigned)sim_rng_below(rng, 4),
        .secondary = (unsigned)sim_rng_below(rng, 8),
        .subordinate = (unsigned)sim_rng_below(rng, 12),
        .mem_base = sim_rng_below(rng, 24) << 20,
        .mem_limit = sim_rng_below(rng, 24) << 20,
        .pref_base = some_addr(rng),
        .pref_limit = some_addr(rng),
        .io_base = sim_rng_below(rng, 16) << 12,
        .io_limit = sim_rng_below(rng, 16) << 12,
    };

    program(func, &w);
    if (sim_rng_below(rng, 4) == 0)
        put(func, 0x04, 2, (uint32_t)sim_rng_below(rng, 8));
    if (sim_rng_below(rng, 4) == 0)
        pci_func_capture(func, w.primary, (unsigned)sim_rng_below(rng, 4));
}

START_TEST(test_random_against_oracle)
{
    struct sim_rng rng;
    unsigned seen[5] = {0};

    sim_rng_init(&rng, 11, "routing");
    for (unsigned round = 0; round < 300; round++) {
        struct bench bench;
        struct route route;

        bench_init(&bench, round & 1, (unsigned)sim_rng_below(&rng, DOWNS_MAX) + 1);
        for (unsigned i = 0; i < bench.count; i++)
            randomise(&rng, bench.down[i]);
        if (bench.upper)
            randomise(&rng, bench.upper);
        for (unsigned n = 0; n < 300; n++) {
            static const enum tlp_type types[] = {TLP_MRD, TLP_IORD, TLP_CPL};
            enum tlp_type type = types[sim_rng_below(&rng, 3)];
            struct tlp *tlp = tlp_new(bench.pool, type, 0);
            int from = (int)sim_rng_below(&rng, bench.count + 2) - 2;
            unsigned want;

            tlp->addr = type == TLP_IORD
                            ? sim_rng_below(&rng, 0x10000) & ~3ULL
                            : some_addr(&rng) + (sim_rng_below(&rng, 0x100000) & ~3ULL);
            tlp->requester = pci_rid_make((unsigned)sim_rng_below(&rng, 13),
                                          (unsigned)sim_rng_below(&rng, 4), 0);
            want = type == TLP_CPL ? oracle_id(&bench, from, tlp->requester)
                                   : oracle_addr(&bench, from, type == TLP_IORD, tlp->addr);
            route_tlp(&bench.view, from, tlp, &route);
            if (verdict(&route) != want)
                ck_abort_msg("round %u: %s addr 0x%llx id %04x from %d: %u, want %u", round,
                             tlp_type_name(type), (unsigned long long)tlp->addr, tlp->requester.v,
                             from, verdict(&route), want);
            seen[want < UP ? 0 : want < INTERNAL ? want - UP + 1 : 4]++;
            tlp_free(tlp);
        }
        bench_fini(&bench);
    }
    for (unsigned i = 0; i < 5; i++)
        ck_assert_uint_gt(seen[i], 20);
}
END_TEST

static void route_cfg(struct bench *bench, int from, unsigned bus, unsigned devfn,
                      struct route *route)
{
    struct tlp *tlp = tlp_new(bench->pool, TLP_CFGRD1, 0);

    tlp->dest.v = (uint16_t)(bus << 8 | devfn);
    route_tlp(&bench->view, from, tlp, route);
    tlp_free(tlp);
}

START_TEST(test_configuration)
{
    struct bench bench;
    struct route route;
    struct tlp *tlp;

    bench_init(&bench, true, 3);
    program(bench.upper, &(struct rig_windows){.primary = 1, .secondary = 2, .subordinate = 9});
    program(bench.down[0], &(struct rig_windows){.primary = 2, .secondary = 3, .subordinate = 3});
    program(bench.down[1], &(struct rig_windows){.primary = 2, .secondary = 4, .subordinate = 7});
    pci_func_capture(bench.upper, 1, 0);
    route_cfg(&bench, ROUTE_FROM_ABOVE, 2, 0x10, &route);
    ck_assert_uint_eq(verdict(&route), INTERNAL + 0x10);
    ck_assert(route.to_type0);
    route_cfg(&bench, ROUTE_FROM_ABOVE, 3, 0x00, &route);
    ck_assert_uint_eq(verdict(&route), 0);
    ck_assert(route.to_type0);
    route_cfg(&bench, ROUTE_FROM_ABOVE, 5, 0x18, &route);
    ck_assert_uint_eq(verdict(&route), 1);
    ck_assert(!route.to_type0);
    /* Device numbers other than 0 end at the port, until it forwards ARI. */
    route_cfg(&bench, ROUTE_FROM_ABOVE, 3, 0x08, &route);
    ck_assert_uint_eq(verdict(&route), REFUSED);
    ck_assert_ptr_eq(route.by, bench.down[0]);
    put(bench.down[0], bench.down[0]->cap_pcie + 0x28u, 2, 0x20);
    route_cfg(&bench, ROUTE_FROM_ABOVE, 3, 0x08, &route);
    ck_assert_uint_eq(verdict(&route), 0);
    ck_assert(route.to_type0);
    /* Nobody's bus; above us; from below. */
    route_cfg(&bench, ROUTE_FROM_ABOVE, 8, 0, &route);
    ck_assert_uint_eq(verdict(&route), REFUSED);
    ck_assert_ptr_eq(route.by, bench.upper);
    route_cfg(&bench, ROUTE_FROM_ABOVE, 1, 0, &route);
    ck_assert_uint_eq(verdict(&route), REFUSED);
    route_cfg(&bench, 0, 4, 0, &route);
    ck_assert_uint_eq(verdict(&route), REFUSED);
    ck_assert_ptr_eq(route.by, bench.down[0]);
    /* Type 0 is for the upstream port, whatever its device number. */
    tlp = tlp_new(bench.pool, TLP_CFGRD0, 0);
    tlp->dest = pci_rid_make(1, 0, 0);
    route_tlp(&bench.view, ROUTE_FROM_ABOVE, tlp, &route);
    ck_assert_uint_eq(verdict(&route), UPPER);
    tlp_free(tlp);
    bench_fini(&bench);
}
END_TEST

START_TEST(test_messages)
{
    static const struct {
        enum tlp_msg_routing routing;
        int from;
        enum route_to to;
    } cases[] = {
        {TLP_MSG_TO_RC, 1, ROUTE_UP},
        {TLP_MSG_TO_RC, ROUTE_FROM_INTERNAL, ROUTE_UP},
        {TLP_MSG_TO_RC, ROUTE_FROM_ABOVE, ROUTE_REFUSE},
        {TLP_MSG_BROADCAST, ROUTE_FROM_ABOVE, ROUTE_ALL_DOWN},
        {TLP_MSG_BROADCAST, 0, ROUTE_REFUSE},
        {TLP_MSG_LOCAL, 0, ROUTE_TERMINATE},
        {TLP_MSG_LOCAL, ROUTE_FROM_ABOVE, ROUTE_TERMINATE},
        {TLP_MSG_GATHERED, 1, ROUTE_TERMINATE},
        {6, 0, ROUTE_REFUSE},
        {7, ROUTE_FROM_ABOVE, ROUTE_REFUSE},
    };
    struct bench bench;

    bench_init(&bench, true, 2);
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct tlp *tlp = tlp_new(bench.pool, TLP_MSG, 0);
        struct route route;

        tlp->msg_routing = (uint8_t)cases[i].routing;
        route_tlp(&bench.view, cases[i].from, tlp, &route);
        ck_assert_int_eq(route.to, cases[i].to);
        tlp_free(tlp);
    }
    bench_fini(&bench);
}
END_TEST

START_TEST(test_power_state_closes_windows)
{
    const struct rig_windows all = {
        .secondary = 3,
        .subordinate = 3,
        .mem_base = 0x100000,
        .mem_limit = 0x100000,
        .pref_base = 0x100000,
        .io_base = 0x1000,
    };
    struct bench bench;
    struct route route;
    struct tlp *tlp;

    bench_init(&bench, false, 1);
    program(bench.down[0], &all);
    tlp = tlp_new(bench.pool, TLP_MRD, 0);
    tlp_set_span(tlp, 0x100010, 4);
    route_tlp(&bench.view, ROUTE_FROM_ABOVE, tlp, &route);
    ck_assert_uint_eq(verdict(&route), 0);
    put(bench.down[0], bench.down[0]->cap_pm + 4u, 1, 3); /* D3hot */
    route_tlp(&bench.view, ROUTE_FROM_ABOVE, tlp, &route);
    ck_assert_uint_eq(verdict(&route), REFUSED);
    tlp->addr = 0x500000;
    route_tlp(&bench.view, 0, tlp, &route);
    ck_assert_uint_eq(verdict(&route), REFUSED);
    /* Configuration passes. */
    route_cfg(&bench, ROUTE_FROM_ABOVE, 3, 0, &route);
    ck_assert_uint_eq(verdict(&route), 0);
    put(bench.down[0], bench.down[0]->cap_pm + 4u, 1, 0);
    route_tlp(&bench.view, 0, tlp, &route);
    ck_assert_uint_eq(verdict(&route), UP);
    tlp_free(tlp);
    bench_fini(&bench);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("routing");
    TCase *tc = tcase_create("routing");

    tcase_add_test(tc, test_random_against_oracle);
    tcase_add_test(tc, test_configuration);
    tcase_add_test(tc, test_messages);
    tcase_add_test(tc, test_power_state_closes_windows);
    suite_add_tcase(suite, tc);
    return rig_run_suite(suite);
}
