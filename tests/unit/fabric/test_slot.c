/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Slots: what a hand does, what software asks for, what the registers and interrupts say. */
#include "pcilab/fabric/bridge.h"
#include "pcilab/pci/config.h"
#include "rig.h"

#define RP       RIG_CFG(0, 1, 0, 0)
#define EP       RIG_CFG(1, 0, 0, 0)
#define MSI_ADDR 0xfee01000u
#define ALL_IE                                                                                     \
    (PCIE_SLTCTL_BUTTON_IE | PCIE_SLTCTL_FAULT_IE | PCIE_SLTCTL_LATCH_IE |                         \
     PCIE_SLTCTL_PRESENCE_IE | PCIE_SLTCTL_COMPLETED_IE | PCIE_SLTCTL_HOTPLUG_IE |                 \
     PCIE_SLTCTL_DLL_IE)

static struct rig *rig;
static struct probe *probe;
static struct root_port *rp;
static uint64_t cap; /* of the root port's PCI Express capability */

static void build(enum pcie_hotplug hotplug)
{
    struct root_port_params params = {
        .name = "rp",
        .device = 1,
        .pcie = rig_pcie(PCIE_ROOT_PORT),
        .msi = true,
    };

    rig = rig_new();
    params.pcie.slot = true;
    params.pcie.slot_number = 7;
    params.pcie.hotplug = hotplug;
    rp = root_port_add(rig->rc, &params);
    probe = probe_new(rig, "probe", &(struct probe_params){1, PCIE_ENDPOINT, 128});
    link_connect(root_port_link(rp), endpoint_port(probe->ep));
    root_complex_reset(rig->rc);
    endpoint_reset(probe->ep);
    rig_settle(rig);
    rig_program_bridge(rig, RP,
                       &(struct rig_windows){
                           .secondary = 1,
                           .subordinate = 1,
                           .mem_base = 0xe0000000,
                           .mem_limit = 0xe00fffff,
                           .pref_base = 0x100000,
                           .io_base = 0x1000,
                       });
    cap = RP + root_port_func(rp)->cap_pcie;
    uint64_t msi = RP + root_port_func(rp)->cap_msi;
    rig_cfg_write(rig, msi + PCI_MSI_ADDRESS, 4, MSI_ADDR);
    rig_cfg_write(rig, msi + PCI_MSI_DATA, 2, 0x33);
    rig_cfg_write(rig, msi + PCI_MSI_CONTROL, 2, PCI_MSI_CONTROL_ENABLE);
    rig_cfg_write(rig, cap + PCIE_SLTSTA, 2, 0xffff);
}

static void setup_full(void)
{
    build(PCIE_HOTPLUG_FULL);
}

static void setup_bay(void)
{
    build(PCIE_HOTPLUG_SURPRISE);
}

static void teardown(void)
{
    rig_run_for(rig, 100 * PS_PER_MS);
    probe_free(probe);
    rig_free(rig);
}

static unsigned status(void)
{
    return rig_cfg_read(rig, cap + PCIE_SLTSTA, 2);
}

static void clear(unsigned bits)
{
    rig_cfg_write(rig, cap + PCIE_SLTSTA, 2, bits);
}

static void control(unsigned value)
{
    rig_cfg_write(rig, cap + PCIE_SLTCTL, 2, value);
}

static bool device_answers(void)
{
    return rig_cfg_read(rig, EP, 2) != 0xffff;
}

static bool link_active(void)
{
    return rig_cfg_read(rig, cap + PCIE_LNKSTA, 2) & PCIE_LNKSTA_DLL_ACTIVE;
}

START_TEST(surprise_removal)
{
    struct port *port = root_port_link(rp);

    ck_assert_uint_eq(rig_cfg_read(rig, cap + PCIE_SLTCAP, 4) & 0x7f,
                      PCIE_SLTCAP_HOTPLUG | PCIE_SLTCAP_SURPRISE);
    ck_assert_uint_eq(status(), PCIE_SLTSTA_PRESENCE);
    ck_assert(device_answers() && link_active());
    control(ALL_IE);
    ck_assert_uint_eq(rig_cfg_read(rig, cap + PCIE_SLTCTL, 2),
                      PCIE_SLTCTL_PRESENCE_IE | PCIE_SLTCTL_HOTPLUG_IE | PCIE_SLTCTL_DLL_IE);
    slot_plug(port, false);
    rig_settle(rig);
    ck_assert_uint_eq(status(), PCIE_SLTSTA_PRESENCE_CHG | PCIE_SLTSTA_DLL_CHG);
    ck_assert(!device_answers() && !link_active());
    ck_assert_uint_eq(rig->msis, 1); /* two events, one transition */
    ck_assert_uint_eq(rig->msi[0].addr, MSI_ADDR);
    ck_assert_uint_eq(probe->func[0].resets[ENDPOINT_RESET_COLD], 2);
    slot_plug(port, true); /* not seen: an event still waits */
    rig_settle(rig);
    ck_assert_uint_eq(rig->msis, 1);
    clear(PCIE_SLTSTA_PRESENCE_CHG); /* the other one still waits */
    slot_plug(port, false);
    rig_settle(rig);
    ck_assert_uint_eq(rig->msis, 1);
    clear(0xffff);
    slot_plug(port, true);
    rig_settle(rig);
    ck_assert_uint_eq(rig->msis, 2);
    ck_assert(device_answers() && link_active());
    ck_assert(!slot_press(port) && !slot_set_latch(port, true));
    ck_assert_uint_eq(status(),
                      PCIE_SLTSTA_PRESENCE | PCIE_SLTSTA_PRESENCE_CHG | PCIE_SLTSTA_DLL_CHG);
}
END_TEST

/* Each event alone: no interrupt without its enable, nor without that of hot-plug. */
START_TEST(enables)
{
    static const struct {
        unsigned event, enable;
    } rows[] = {
        {PCIE_SLTSTA_BUTTON, PCIE_SLTCTL_BUTTON_IE},
        {PCIE_SLTSTA_FAULT, PCIE_SLTCTL_FAULT_IE},
        {PCIE_SLTSTA_LATCH_CHG, PCIE_SLTCTL_LATCH_IE},
        {PCIE_SLTSTA_PRESENCE_CHG, PCIE_SLTCTL_PRESENCE_IE},
        {PCIE_SLTSTA_COMPLETED, PCIE_SLTCTL_COMPLETED_IE},
        {PCIE_SLTSTA_DLL_CHG, PCIE_SLTCTL_DLL_IE},
    };

    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        static const unsigned others = PCIE_SLTCTL_HOTPLUG_IE;

        rig->msis = 0;
        control((ALL_IE & ~rows[i].enable));
        rig_run_for(rig, 10 * PS_PER_MS);
        clear(0xffff);
        rig->msis = 0;
        pcie_slot_event(root_port_func(rp), (uint16_t)rows[i].event);
        rig_settle(rig);
        ck_assert_uint_eq(rig->msis, 0);
        ck_assert(status() & rows[i].event);
        control(ALL_IE & ~others);
        rig_settle(rig);
        ck_assert_uint_eq(rig->msis, 0);
        control(rows[i].enable | others); /* enabled with the event there: now */
        rig_settle(rig);
        ck_assert_uint_eq(rig->msis, 1);
        control(0);
        rig_run_for(rig, 10 * PS_PER_MS);
        clear(0xffff);
    }
}
END_TEST

START_TEST(commands_complete)
{
    control(PCIE_SLTCTL_COMPLETED_IE | PCIE_SLTCTL_HOTPLUG_IE);
    ck_assert(!(status() & PCIE_SLTSTA_COMPLETED));
    rig_run_for(rig, 2 * PS_PER_MS);
    ck_assert(status() & PCIE_SLTSTA_COMPLETED);
    ck_assert_uint_eq(rig->msis, 1);
    clear(PCIE_SLTSTA_COMPLETED);
    /* A write that changes nothing is a command too. */
    control(PCIE_SLTCTL_COMPLETED_IE | PCIE_SLTCTL_HOTPLUG_IE);
    rig_run_for(rig, 2 * PS_PER_MS);
    ck_assert(status() & PCIE_SLTSTA_COMPLETED);
    ck_assert_uint_eq(rig->msis, 2);
    /* Slot Status is another register: writing it is none. */
    clear(PCIE_SLTSTA_COMPLETED);
    rig_run_for(rig, 2 * PS_PER_MS);
    ck_assert(!(status() & PCIE_SLTSTA_COMPLETED));
}
END_TEST

START_TEST(power_controller)
{
    unsigned cold = probe->func[0].resets[ENDPOINT_RESET_COLD];
    unsigned rules = rig->heard[TRACE_RULE];

    control(PCIE_SLTCTL_POWER_OFF);
    ck_assert(!link_active() && !device_answers());
    ck_assert(status() & PCIE_SLTSTA_PRESENCE); /* the card is still there */
    ck_assert_uint_eq(probe->func[0].resets[ENDPOINT_RESET_COLD], cold + 1);
    ck_assert(!strstr(rig->last_rule, "surprise") || rig->heard[TRACE_RULE] == rules);
    rig_run_for(rig, 10 * PS_PER_MS);
    control(0);
    ck_assert(!link_active());
    rig_run_for(rig, 10 * PS_PER_MS);
    ck_assert(!link_active());
    rig_run_for(rig, 20 * PS_PER_MS);
    ck_assert(link_active() && device_answers());
    /* Off again before power is good: it stays off. */
    control(PCIE_SLTCTL_POWER_OFF);
    rig_run_for(rig, PS_PER_MS);
    control(0);
    rig_run_for(rig, PS_PER_MS);
    control(PCIE_SLTCTL_POWER_OFF);
    rig_run_for(rig, 50 * PS_PER_MS);
    ck_assert(!link_active());
    /* A reset of the port asks for power again. */
    root_complex_reset(rig->rc);
    rig_settle(rig);
    ck_assert(port_link_up(root_port_link(rp)));
}
END_TEST

START_TEST(latch_takes_power)
{
    struct port *port = root_port_link(rp);

    ck_assert(slot_set_latch(port, true));
    ck_assert_uint_eq(status(), PCIE_SLTSTA_PRESENCE | PCIE_SLTSTA_LATCH_OPEN |
                                    PCIE_SLTSTA_LATCH_CHG | PCIE_SLTSTA_DLL_CHG);
    ck_assert(!link_active());
    control(0);
    rig_run_for(rig, 50 * PS_PER_MS);
    ck_assert(!link_active()); /* open: software asks in vain */
    slot_set_latch(port, false);
    rig_run_for(rig, 50 * PS_PER_MS);
    ck_assert(!link_active() && !(status() & PCIE_SLTSTA_LATCH_OPEN));
    control(0);
    rig_run_for(rig, 50 * PS_PER_MS);
    ck_assert(link_active());
}
END_TEST

/* A device that loses power while its link is disabled is as new afterwards as well. */
START_TEST(power_lost_behind_a_disabled_link)
{
    unsigned cold = probe->func[0].resets[ENDPOINT_RESET_COLD];
    struct port *port = root_port_link(rp);

    rig_cfg_write(rig, cap + PCIE_LNKCTL, 2, PCIE_LNKCTL_DISABLE);
    ck_assert_uint_eq(probe->func[0].resets[ENDPOINT_RESET_COLD], cold);
    slot_plug(port, false);
    ck_assert_uint_eq(probe->func[0].resets[ENDPOINT_RESET_COLD], cold + 1);
    slot_plug(port, true);
    ck_assert(!link_active());
    rig_cfg_write(rig, cap + PCIE_LNKCTL, 2, 0);
    rig_run_for(rig, 50 * PS_PER_MS);
    ck_assert(link_active());
}
END_TEST

/* Power is gone until software has switched it off and on (6.7.1.8). */
START_TEST(power_fault)
{
    struct port *port = root_port_link(rp);

    control(PCIE_SLTCTL_HOTPLUG_IE | PCIE_SLTCTL_FAULT_IE);
    rig_run_for(rig, 100 * PS_PER_MS);
    clear(0xffff);
    ck_assert(slot_power_fault(port));
    rig_run_for(rig, 100 * PS_PER_MS);
    ck_assert_uint_eq(status(), PCIE_SLTSTA_PRESENCE | PCIE_SLTSTA_FAULT | PCIE_SLTSTA_DLL_CHG);
    ck_assert_uint_eq(rig->msis, 1);
    ck_assert(!device_answers());
    control(0); /* it was not switched off */
    rig_run_for(rig, 100 * PS_PER_MS);
    ck_assert(!device_answers());
    control(PCIE_SLTCTL_POWER_OFF);
    rig_run_for(rig, 100 * PS_PER_MS);
    control(0);
    rig_run_for(rig, 100 * PS_PER_MS);
    ck_assert(device_answers());
    ck_assert_uint_ne(status() & PCIE_SLTSTA_FAULT, 0);
    clear(PCIE_SLTSTA_FAULT);
    ck_assert_uint_eq(status() & PCIE_SLTSTA_FAULT, 0);
}
END_TEST

/* 7.5.3.10: writing 1 turns it round, and it reads as 0; engaged, the card stays where it is. */
START_TEST(interlock)
{
    struct port *port = root_port_link(rp);

    ck_assert_uint_ne(rig_cfg_read(rig, cap + PCIE_SLTCAP, 4) & PCIE_SLTCAP_INTERLOCK, 0);
    control(PCIE_SLTCTL_INTERLOCK);
    ck_assert_uint_eq(rig_cfg_read(rig, cap + PCIE_SLTCTL, 2) & PCIE_SLTCTL_INTERLOCK, 0);
    ck_assert_uint_eq(status(), PCIE_SLTSTA_PRESENCE | PCIE_SLTSTA_INTERLOCK);
    control(0); /* any other write leaves it */
    slot_plug(port, false);
    rig_run_for(rig, 100 * PS_PER_MS);
    ck_assert(device_answers());
    ck_assert_uint_eq(status(),
                      PCIE_SLTSTA_PRESENCE | PCIE_SLTSTA_INTERLOCK | PCIE_SLTSTA_COMPLETED);
    control(PCIE_SLTCTL_INTERLOCK);
    slot_plug(port, false);
    rig_run_for(rig, 100 * PS_PER_MS);
    ck_assert(!device_answers());
    ck_assert_uint_eq(status() & (PCIE_SLTSTA_INTERLOCK | PCIE_SLTSTA_PRESENCE), 0);
}
END_TEST

START_TEST(button)
{
    struct port *port = root_port_link(rp);

    control(PCIE_SLTCTL_BUTTON_IE | PCIE_SLTCTL_HOTPLUG_IE);
    ck_assert(slot_press(port));
    rig_settle(rig);
    ck_assert(status() & PCIE_SLTSTA_BUTTON);
    ck_assert_uint_eq(rig->msis, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("slot");
    TCase *full = tcase_create("full"), *bay = tcase_create("bay");

    tcase_add_checked_fixture(bay, setup_bay, teardown);
    tcase_add_test(bay, surprise_removal);
    suite_add_tcase(suite, bay);
    tcase_add_checked_fixture(full, setup_full, teardown);
    tcase_add_test(full, enables);
    tcase_add_test(full, commands_complete);
    tcase_add_test(full, power_controller);
    tcase_add_test(full, latch_takes_power);
    tcase_add_test(full, power_lost_behind_a_disabled_link);
    tcase_add_test(full, button);
    tcase_add_test(full, power_fault);
    tcase_add_test(full, interlock);
    suite_add_tcase(suite, full);
    return rig_run_suite(suite);
}
