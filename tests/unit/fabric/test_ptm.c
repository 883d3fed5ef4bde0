/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Precision Time Measurement from an endpoint through a switch to the root port's clock. */
#include <stdlib.h>

#include "pcilab/fabric/ptm.h"
#include "pcilab/pci/config.h"
#include "pcilab/pci/link_caps.h"
#include "pcilab/pci/ptm.h"
#include "rig.h"

#define RP     RIG_CFG(0, 1, 0, 0)
#define SW     RIG_CFG(1, 0, 0, 0)
#define DOWN   RIG_CFG(2, 0, 0, 0)
#define EP     RIG_CFG(3, 0, 0, 0)
#define ENABLE 1u
#define ROOT   2u

struct tree {
    struct rig *rig;
    struct root_port *rp;
    struct pcie_switch *sw;
    struct probe *probe;
    struct endpoint_func *func;
};

static struct tree t;

static void build(const struct link_params *upper, const struct link_params *lower)
{
    const struct probe_params params = {.functions = 1, .type = PCIE_ENDPOINT};
    const struct rig_windows rp = {.secondary = 1,
                                   .subordinate = 3,
                                   .mem_base = 0x100000,
                                   .pref_base = 0x100000,
                                   .io_base = 0x1000};
    const struct rig_windows up = {.primary = 1,
                                   .secondary = 2,
                                   .subordinate = 3,
                                   .mem_base = 0x100000,
                                   .pref_base = 0x100000,
                                   .io_base = 0x1000};
    const struct rig_windows down = {.primary = 2,
                                     .secondary = 3,
                                     .subordinate = 3,
                                     .mem_base = 0x100000,
                                     .pref_base = 0x100000,
                                     .io_base = 0x1000};

    t.rig = rig_new();
    t.rp = rig_root_port(t.rig, 1, 0);
    t.sw = rig_switch(t.rig, "sw", 1);
    t.probe = probe_new(t.rig, "probe", &params);
    t.func = t.probe->func[0].func;
    link_new(root_port_link(t.rp), pcie_switch_upstream(t.sw), upper);
    link_new(pcie_switch_downstream(t.sw, 0), endpoint_port(t.probe->ep), lower);
    rig_program_bridge(t.rig, RP, &rp);
    rig_program_bridge(t.rig, SW, &up);
    rig_program_bridge(t.rig, DOWN, &down);
    rig_cfg_write(t.rig, EP + PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
}

static void clear(void)
{
    rig_settle(t.rig);
    probe_free(t.probe);
    pcie_switch_free(t.sw);
    rig_free(t.rig);
}

static unsigned find_cap(uint64_t cfg)
{
    unsigned at = 0x100;

    for (uint32_t head; at; at = head >> 20) {
        head = rig_cfg_read(t.rig, cfg + at, 4);
        if ((head & 0xffff) == PCI_EXT_PTM)
            return at;
    }
    ck_abort_msg("no PTM capability");
    return 0;
}

static void control(uint64_t cfg, unsigned value)
{
    rig_cfg_write(t.rig, cfg + find_cap(cfg) + 8, 4, value);
}

static void enable_all(void)
{
    control(RP, ENABLE | ROOT);
    control(SW, ENABLE);
    control(EP, ENABLE);
}

static void dialog(void)
{
    ck_assert(endpoint_ptm_request(t.func));
    rig_run_for(t.rig, 50 * PS_PER_US);
}

/* How far the endpoint's idea of the time is from the root's; it has one. */
static int64_t error_ns(void)
{
    uint64_t master_ns;

    ck_assert(endpoint_ptm_time(t.func, &master_ns));
    return (int64_t)(master_ns - ptm_root_time(root_port_link(t.rp)));
}

static bool knows(void)
{
    uint64_t master_ns;

    return endpoint_ptm_time(t.func, &master_ns);
}

START_TEST(capabilities)
{
    build(NULL, NULL);
    ck_assert_uint_eq(rig_cfg_read(t.rig, RP + find_cap(RP) + 4, 4), 0x106);
    ck_assert_uint_eq(rig_cfg_read(t.rig, SW + find_cap(SW) + 4, 4), 0x103);
    ck_assert_uint_eq(rig_cfg_read(t.rig, EP + find_cap(EP) + 4, 4), 0x101);
    control(EP, 0xffffffff);
    ck_assert_uint_eq(rig_cfg_read(t.rig, EP + find_cap(EP) + 8, 4), 0xff01);
    control(RP, 0xffffffff);
    ck_assert_uint_eq(rig_cfg_read(t.rig, RP + find_cap(RP) + 8, 4), 0x0003);
    clear();
}
END_TEST

/* The switch has to learn the time before it can tell; then the endpoint does, in two dialogs. */
START_TEST(time_comes_down)
{
    unsigned dialogs = 0;

    build(NULL, NULL);
    enable_all();
    while (!knows() && dialogs < 10) {
        dialog();
        dialogs++;
    }
    ck_assert_uint_eq(dialogs, 3);
    ck_assert_int_eq(error_ns(), 0);
    ck_assert_uint_eq(endpoint_ptm_dialogs(t.func), 3);
    rig_run_for(t.rig, PS_PER_MS);
    ck_assert_int_eq(error_ns(), 0);
    clear();
}
END_TEST

/* Messages that take time, as long in both directions: what is measured is taken off. */
START_TEST(delays_are_taken_off)
{
    struct link_params slow = link_default_params;

    slow.timing = LINK_TIMED;
    slow.propagation_ps = 700 * PS_PER_NS;
    build(&slow, &slow);
    enable_all();
    for (unsigned i = 0; i < 6; i++)
        dialog();
    /* Three links' worth of rounding, and the longer answer: but not the microseconds on the way.
     */
    ck_assert_int_lt(llabs(error_ns()), 40);
    clear();
}
END_TEST

START_TEST(disabled)
{
    build(NULL, NULL);
    control(RP, ENABLE | ROOT);
    control(SW, ENABLE);
    ck_assert(!endpoint_ptm_request(t.func));
    control(EP, ENABLE);
    control(SW, 0);
    /* The switch does not support it then, and nobody answers. */
    ck_assert(endpoint_ptm_request(t.func));
    rig_run_for(t.rig, 50 * PS_PER_US);
    ck_assert_uint_eq(endpoint_ptm_dialogs(t.func), 0);
    ck_assert_ptr_nonnull(strstr(t.rig->last_rule, "does not support"));
    ck_assert(!endpoint_ptm_request(t.func)); /* too early to ask again */
    rig_run_for(t.rig, 60 * PS_PER_US);
    control(SW, ENABLE);
    for (unsigned i = 0; i < 4; i++)
        dialog();
    ck_assert(knows());
    control(EP, 0); /* and it is forgotten */
    ck_assert(!knows());
    clear();
}
END_TEST

/* Enabled, but nobody's clock counts: answers without a time. */
START_TEST(no_root)
{
    build(NULL, NULL);
    enable_all();
    control(RP, ENABLE);
    for (unsigned i = 0; i < 6; i++)
        dialog();
    ck_assert(!knows());
    ck_assert_uint_eq(endpoint_ptm_dialogs(t.func), 6);
    clear();
}
END_TEST

START_TEST(a_reset_forgets)
{
    build(NULL, NULL);
    enable_all();
    for (unsigned i = 0; i < 4; i++)
        dialog();
    ck_assert(knows());
    port_hot_reset(pcie_switch_downstream(t.sw, 0), true);
    rig_run_for(t.rig, PS_PER_MS);
    port_hot_reset(pcie_switch_downstream(t.sw, 0), false);
    rig_run_for(t.rig, PS_PER_MS);
    ck_assert(!knows());
    clear();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ptm");
    TCase *tc = tcase_create("ptm");

    suite_add_tcase(suite, tc);
    tcase_add_test(tc, capabilities);
    tcase_add_test(tc, time_comes_down);
    tcase_add_test(tc, delays_are_taken_off);
    tcase_add_test(tc, disabled);
    tcase_add_test(tc, no_root);
    tcase_add_test(tc, a_reset_forgets);
    return rig_run_suite(suite);
}
