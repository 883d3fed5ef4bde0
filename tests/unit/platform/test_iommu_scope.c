/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which requester IDs are in a scope, as bridges get their bus numbers and lose them. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "hw/platform/board.h"
#include "pcilab/config/topology.h"
#include "pcilab/switch/switch.h"

static const char text[] = "[machine]\nmemory=256M\n[host-bridge hb0]\nbus=00-7f\n"
                           "[host-bridge hb1]\nsegment=3\nbus=10-1f\n"
                           "[root-port rp0]\nbridge=hb0\n[root-port rp1]\nbridge=hb0\n"
                           "[root-port rp2]\nbridge=hb1\n"
                           "[switch sw0]\nat=rp0\ndownstream=2\n[exerciser ex0]\nat=sw0.1\n"
                           "[nvme nvme0]\nat=hb0\ndevice=5\n[exerciser ex1]\nat=rp2\n";

static struct machine_desc *desc;
static struct machine *machine;

static void setup(void)
{
    desc = topology_parse("t.ini", text, strlen(text), NULL);
    ck_assert_ptr_nonnull(desc);
    machine = machine_new(desc, &(struct machine_options){.seed = 1}, NULL);
    ck_assert_ptr_nonnull(machine);
}

static void teardown(void)
{
    machine_free(machine);
    machine_desc_free(desc);
}

static struct pci_func *bridge(const char *name, int port)
{
    const struct board_part *part = &machine->part[machine_desc_find(desc, name)];

    return part->kind == MACHINE_ROOT_PORT ? root_port_func(part->object)
                                           : pcie_switch_func(part->object, port);
}

/* As software numbers a bridge. */
static void number(struct pci_func *func, unsigned bus, unsigned device, unsigned secondary,
                   unsigned subordinate)
{
    pci_func_capture(func, bus, device);
    pci_func_config_write(func, 0x18, 4, subordinate << 16 | secondary << 8 | bus);
}

static bool matches(const char *name, uint16_t segment, uint16_t sid)
{
    struct board_scopes scopes = {0};

    ck_assert(board_scopes_add(&scopes, machine, desc, name));
    bool match = board_scopes_match(&scopes, segment, sid);
    board_scopes_clear(&scopes);
    return match;
}

START_TEST(test_bridges)
{
    ck_assert(!matches("rp0", 0, 0x0500)); /* bus numbers are 0 */
    number(bridge("rp0", 0), 0, 1, 4, 9);
    number(bridge("sw0", -1), 4, 0, 5, 9);
    number(bridge("sw0", 1), 5, 1, 7, 8);
    ck_assert(matches("rp0", 0, 0x0008));
    ck_assert(matches("rp0", 0, 0x0400) && matches("rp0", 0, 0x09ff));
    ck_assert(!matches("rp0", 0, 0x0a00) && !matches("rp0", 0, 0x0010));
    ck_assert(!matches("rp0", 3, 0x0400));
    ck_assert(matches("sw0", 0, 0x0400) && matches("sw0", 0, 0x0500) && !matches("sw0", 0, 0x0401));
    ck_assert(matches("sw0.1", 0, 0x0508) && matches("sw0.1", 0, 0x0700));
    ck_assert(matches("sw0.1", 0, 0x0855) && !matches("sw0.1", 0, 0x0500));
    ck_assert(!matches("sw0.0", 0, 0x0700));
    number(bridge("sw0", 1), 5, 1, 6, 6);
    ck_assert(!matches("sw0.1", 0, 0x0700) && matches("sw0.1", 0, 0x0600));
}
END_TEST

START_TEST(test_endpoints)
{
    number(bridge("sw0", 1), 5, 1, 7, 8);
    ck_assert(matches("ex0", 0, 0x0700) && matches("ex0", 0, 0x0812));
    ck_assert(!matches("ex0", 0, 0x0508)); /* the port above */
    ck_assert(matches("nvme0", 0, 0x0028) && matches("nvme0", 0, 0x002f));
    ck_assert(!matches("nvme0", 0, 0x0030) && !matches("nvme0", 0, 0x0128));
    number(bridge("rp2", 0), 0x10, 1, 0x11, 0x11);
    ck_assert(matches("ex1", 3, 0x1100) && !matches("ex1", 0, 0x1100));
}
END_TEST

START_TEST(test_others)
{
    struct board_scopes scopes = {0};

    ck_assert(!matches(MACHINE_SCOPE_IOAPIC, 0, MAP_IOAPIC_RID));
    ck_assert(!board_scopes_add(&scopes, machine, desc, "hb0"));
    ck_assert(!board_scopes_add(&scopes, machine, desc, "nobody"));
    ck_assert(!board_scopes_add(&scopes, machine, desc, "sw0.2"));
    ck_assert(!board_scopes_add(&scopes, machine, desc, "rp0.0"));
    ck_assert_uint_eq(scopes.count, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("iommu_scope");
    TCase *tc = tcase_create("scopes");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_bridges);
    tcase_add_test(tc, test_endpoints);
    tcase_add_test(tc, test_others);
    suite_add_tcase(suite, tc);

    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
