/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hot-plug (PCIe Base 6.0, 6.7): what a hand does to a slot, and what its registers and interrupts
 * say of it. */
#include "bench.h"
#include "lab.h"
#include "machine.h"
#include "pcilab/fabric/bridge.h"
#include "pcilab/platform/probe.h"
#include "tables.h"

#define POWER_US   100000u
#define COMMAND_US 1000000u /* 6.7.3.2: a command takes a second at most */

/* A slot with something in it. */
struct slot {
    struct lab *lab;
    const char *name;
    struct port *port;
    struct pci_func *func;
    unsigned cap; /* PCI Express capability */
};

/* The first slot with hot-plug that can this and not that. */
static bool find_slot(struct lab *lab, uint32_t can, uint32_t cannot, struct slot *slot)
{
    char **names = machine_names(lab->machine);
    bool found = false;

    for (unsigned i = 0; names[i] && !found; i++) {
        struct pci_func *func = lab_func(lab, names[i]);
        struct port *port = machine_port(lab->machine, names[i]);

        if (!func || !port || !pcie_slot_can(func, PCIE_SLTCAP_HOTPLUG) || !port_link_up(port) ||
            (lab_cfg(lab, names[i], func->cap_pcie + PCIE_SLTCAP, 4) & can) != can ||
            pcie_slot_can(func, cannot))
            continue;
        *slot = (struct slot){lab, port->name, port, func, func->cap_pcie};
        found = true;
    }
    g_strfreev(names);
    if (!found)
        t_skip(lab->t, "the topology has no such slot with something in it");
    return found;
}

static uint32_t status(const struct slot *slot)
{
    return lab_cfg(slot->lab, slot->name, slot->cap + PCIE_SLTSTA, 2);
}

static void clear(const struct slot *slot)
{
    lab_set_cfg(slot->lab, slot->name, slot->cap + PCIE_SLTSTA, 2, 0xffff);
}

static void control(const struct slot *slot, uint32_t set, uint32_t reset)
{
    lab_change_cfg(slot->lab, slot->name, slot->cap + PCIE_SLTCTL, 2, set, reset);
}

static uint32_t link_status(const struct slot *slot)
{
    return lab_cfg(slot->lab, slot->name, slot->cap + PCIE_LNKSTA, 2);
}

static bool answers(const struct slot *slot)
{
    uint32_t buses = lab_cfg(slot->lab, slot->name, 0x18, 4), value = 0;

    conform_machine_config(slot->lab->machine, false, 0, (uint16_t)(buses & 0xff00), 0, 4, &value);
    return value != 0xffffffff;
}

static void settle(const struct slot *slot, unsigned us)
{
    lab_run_us(slot->lab, us);
}

/* All that is enabled at once changes nothing that the commands' status shows later. */
static void quiet(const struct slot *slot)
{
    settle(slot, COMMAND_US);
    clear(slot);
}

/* What a hand does, and the bits of Slot Status that it sets. */
enum hand { PRESS, PULL, PLUG, OPEN, CLOSE, FAULT, COMMAND };

static void do_it(const struct slot *slot, enum hand hand)
{
    switch (hand) {
    case PRESS: slot_press(slot->port); break;
    case PULL: slot_plug(slot->port, false); break;
    case PLUG:
        slot_plug(slot->port, false);
        settle(slot, POWER_US);
        clear(slot);
        lab_clear_ram(slot->lab);
        slot_plug(slot->port, true);
        break;
    case OPEN: slot_set_latch(slot->port, true); break;
    case CLOSE:
        slot_set_latch(slot->port, true);
        settle(slot, POWER_US);
        clear(slot);
        lab_clear_ram(slot->lab);
        slot_set_latch(slot->port, false);
        break;
    case FAULT: slot_power_fault(slot->port); break;
    case COMMAND: control(slot, 0, 0); break;
    }
    settle(slot, POWER_US);
}

struct event {
    enum hand hand;
    uint32_t capability;      /* that the slot needs */
    uint32_t set;             /* in Slot Status */
    uint32_t enable;          /* in Slot Control */
    uint32_t state, expected; /* bits of Slot Status that are levels */
};

#define SLOT_BODY(event)                                                                           \
    struct slot slot;                                                                              \
                                                                                                   \
    if (!find_slot(lab, event, 0, &slot))                                                          \
        return;                                                                                    \
    quiet(&slot)

/* The event is recorded, with the state beside it, and goes when 1 is written. */
LAB_WITH(recorded, lab_new(t))
{
    const struct event *event = t->assertion->param;
    SLOT_BODY(event->capability);

    do_it(&slot, event->hand);
    t_check(t, status(&slot) & event->set, "Slot Status is %04x", status(&slot));
    t_check(t, (status(&slot) & event->state) == event->expected, "Slot Status is %04x",
            status(&slot));
    if (event->hand == FAULT)
        control(&slot, PCIE_SLTCTL_POWER_OFF, 0); /* while it lasts it is recorded again */
    settle(&slot, POWER_US);
    clear(&slot);
    t_check(t, !(status(&slot) & event->set), "it cannot be cleared: %04x", status(&slot));
    t_check(t, (status(&slot) & event->state) == event->expected,
            "clearing it changed the state: %04x", status(&slot));
}

#define ALL_ENABLES                                                                                \
    (PCIE_SLTCTL_BUTTON_IE | PCIE_SLTCTL_FAULT_IE | PCIE_SLTCTL_LATCH_IE |                         \
     PCIE_SLTCTL_PRESENCE_IE | PCIE_SLTCTL_COMPLETED_IE | PCIE_SLTCTL_DLL_IE |                     \
     PCIE_SLTCTL_HOTPLUG_IE)
#define SIGNAL 0x6767u

static bool armed(struct conform_ctx *t, const struct slot *slot, uint32_t enables)
{
    if (!lab_arm_msi(slot->lab, slot->name, SIGNAL)) {
        t_skip(t, "the port has no MSI");
        return false;
    }
    control(slot, enables, ALL_ENABLES & ~enables);
    quiet(slot);
    lab_clear_ram(slot->lab);
    return true;
}

/* With this enable alone, and that of all, it interrupts; without either it does not. */
LAB_WITH(interrupts, lab_new(t))
{
    const struct event *event = t->assertion->param;
    SLOT_BODY(event->capability);

    if (!armed(t, &slot, event->enable | PCIE_SLTCTL_HOTPLUG_IE))
        return;
    do_it(&slot, event->hand);
    t_check(t, lab_ram(lab) == SIGNAL, "no MSI; Slot Status is %04x", status(&slot));
}

LAB_WITH(silent, lab_new(t))
{
    const struct event *event = t->assertion->param;
    SLOT_BODY(event->capability);

    if (!armed(t, &slot, event->enable))
        return;
    do_it(&slot, event->hand);
    t_check(t, !lab_ram(lab), "an MSI without Hot-Plug Interrupt Enable");
    quiet(&slot);
    /* Its own is off. Others that come with it, and commands, are off, too. */
    control(&slot, PCIE_SLTCTL_HOTPLUG_IE, ALL_ENABLES & ~PCIE_SLTCTL_HOTPLUG_IE);
    quiet(&slot);
    lab_clear_ram(lab);
    if (event->hand == PRESS || event->hand == COMMAND)
        do_it(&slot, event->hand);
    t_check(t, !lab_ram(lab), "an MSI without its own enable");
}

/* 6.7.3.4: on a transition from nothing that interrupts to something. Whether an event of before
 * interrupts when it is enabled is left open. */
LAB_WITH(one_message, lab_new(t))
{
    SLOT_BODY(PCIE_SLTCAP_BUTTON);

    if (!armed(t, &slot, PCIE_SLTCTL_BUTTON_IE | PCIE_SLTCTL_HOTPLUG_IE))
        return;
    do_it(&slot, PRESS);
    t_check(t, lab_ram(lab) == SIGNAL, "no MSI");
    lab_clear_ram(lab);
    do_it(&slot, PRESS);
    t_check(t, !lab_ram(lab), "a second MSI while the first event is not cleared");
    clear(&slot);
    do_it(&slot, PRESS);
    t_check(t, lab_ram(lab) == SIGNAL, "no MSI after the event was cleared");
}

/* Without MSI the pin is asserted as long as something interrupts. */
LAB_WITH(pin, lab_new(t))
{
    SLOT_BODY(PCIE_SLTCAP_BUTTON);

    if (!lab_cfg(lab, slot.name, 0x3d, 1)) {
        t_skip(t, "the port has no interrupt pin");
        return;
    }
    control(&slot, PCIE_SLTCTL_BUTTON_IE | PCIE_SLTCTL_HOTPLUG_IE, 0);
    quiet(&slot);
    t_check(t, !(lab_cfg(lab, slot.name, 6, 2) & 8), "Interrupt Status is set without an event");
    do_it(&slot, PRESS);
    t_check(t, lab_cfg(lab, slot.name, 6, 2) & 8, "Interrupt Status is clear");
    clear(&slot);
    t_check(t, !(lab_cfg(lab, slot.name, 6, 2) & 8), "Interrupt Status stays set");
}

/* What comes with an event of presence. */
LAB_WITH(link_follows, lab_new(t))
{
    SLOT_BODY(0);

    do_it(&slot, PULL);
    t_check(t, !(link_status(&slot) & PCIE_LNKSTA_DLL_ACTIVE) && !answers(&slot),
            "the link is active, or something answers in an empty slot");
    clear(&slot);
    do_it(&slot, PLUG);
    t_check(t, link_status(&slot) & PCIE_LNKSTA_DLL_ACTIVE && answers(&slot),
            "what was plugged in does not answer");
    t_check(t, status(&slot) & PCIE_SLTSTA_DLL_CHG, "Slot Status is %04x", status(&slot));
}

LAB_WITH(as_new, lab_new(t))
{
    uint32_t buses, value = 0;
    SLOT_BODY(0);

    buses = lab_cfg(lab, slot.name, 0x18, 4) & 0xff00;
    do_it(&slot, PULL);
    do_it(&slot, PLUG);
    settle(&slot, POWER_US);
    conform_machine_config(lab->machine, false, 0, (uint16_t)buses, 4, 2, &value);
    t_check(t, !(value & 7), "Command of the device is %04x", value & 0xffff);
}

/* 3.2.1: pulled out of a slot that allows no surprise. */
LAB_WITH(surprise_down, lab_new(t))
{
    struct slot slot;

    if (!find_slot(lab, 0, PCIE_SLTCAP_SURPRISE, &slot))
        return;
    if (!(lab_cfg(lab, slot.name, slot.cap + PCIE_LNKCAP, 4) & PCIE_LNKCAP_SURPRISE)) {
        t_skip(t, "the port cannot report Surprise Down");
        return;
    }
    do_it(&slot, PULL);
    t_check(t, lab_cfg(lab, slot.name, slot.func->ext_aer + 4u, 4) & 1u << 5,
            "Surprise Down Error Status is clear");
}

LAB_WITH(surprise_allowed, lab_new(t))
{
    SLOT_BODY(PCIE_SLTCAP_SURPRISE);

    do_it(&slot, PULL);
    t_check(t, !(lab_cfg(lab, slot.name, slot.func->ext_aer + 4u, 4) & 1u << 5),
            "Surprise Down Error Status is set");
}

/* Every write of Slot Control is a command. */
LAB_WITH(command_again, lab_new(t))
{
    struct slot slot;

    if (!find_slot(lab, 0, PCIE_SLTCAP_NO_COMPLETED, &slot))
        return;
    for (unsigned i = 0; i < 3; i++) {
        quiet(&slot);
        control(&slot, 0, 0); /* which changes nothing */
        settle(&slot, COMMAND_US);
        t_check(t, status(&slot) & PCIE_SLTSTA_COMPLETED, "command %u is not over after a second",
                i);
    }
}

LAB_WITH(command_silent, lab_new(t))
{
    SLOT_BODY(PCIE_SLTCAP_NO_COMPLETED);

    control(&slot, 0, 0);
    settle(&slot, COMMAND_US);
    t_check(t, !(status(&slot) & PCIE_SLTSTA_COMPLETED), "Command Completed is set");
}

LAB_WITH(power_off, lab_new(t))
{
    SLOT_BODY(PCIE_SLTCAP_POWER_CONTROL);

    control(&slot, PCIE_SLTCTL_POWER_OFF, 0);
    settle(&slot, COMMAND_US);
    t_check(t, !(link_status(&slot) & PCIE_LNKSTA_DLL_ACTIVE) && !answers(&slot),
            "the device answers without power");
    t_check(t, status(&slot) & PCIE_SLTSTA_PRESENCE, "Presence Detect State is clear");
    t_check(t, !(lab_cfg(lab, slot.name, slot.func->ext_aer + 4u, 4) & 1u << 5),
            "it is logged as Surprise Down");
    control(&slot, 0, PCIE_SLTCTL_POWER_OFF);
    settle(&slot, COMMAND_US);
    t_check(t, link_status(&slot) & PCIE_LNKSTA_DLL_ACTIVE && answers(&slot),
            "the device does not come back");
}

LAB_WITH(power_off_dll, lab_new(t))
{
    SLOT_BODY(PCIE_SLTCAP_POWER_CONTROL);

    control(&slot, PCIE_SLTCTL_POWER_OFF, 0);
    settle(&slot, COMMAND_US);
    t_check(t, status(&slot) & PCIE_SLTSTA_DLL_CHG, "Slot Status is %04x when it goes off",
            status(&slot));
    clear(&slot);
    control(&slot, 0, PCIE_SLTCTL_POWER_OFF);
    settle(&slot, COMMAND_US);
    t_check(t, status(&slot) & PCIE_SLTSTA_DLL_CHG, "Slot Status is %04x when it goes on",
            status(&slot));
}

/* 6.7.1.3, 6.7.1.8: without power whatever software wants. */
LAB_WITH(open_latch, lab_new(t))
{
    SLOT_BODY(PCIE_SLTCAP_LATCH | PCIE_SLTCAP_POWER_CONTROL);

    do_it(&slot, OPEN);
    t_check(t, !answers(&slot), "the device has power behind an open latch");
    control(&slot, 0, PCIE_SLTCTL_POWER_OFF);
    settle(&slot, COMMAND_US);
    t_check(t, !answers(&slot), "software gives it power behind an open latch");
    slot_set_latch(slot.port, false);
    control(&slot, 0, PCIE_SLTCTL_POWER_OFF);
    settle(&slot, COMMAND_US);
    t_check(t, answers(&slot), "the device does not come back behind a closed latch");
}

LAB_WITH(fault_off, lab_new(t))
{
    SLOT_BODY(PCIE_SLTCAP_POWER_CONTROL);

    do_it(&slot, FAULT);
    t_check(t, !answers(&slot), "the device has power after a fault");
    control(&slot, PCIE_SLTCTL_POWER_OFF, 0);
    settle(&slot, COMMAND_US);
    clear(&slot);
    control(&slot, 0, PCIE_SLTCTL_POWER_OFF);
    settle(&slot, COMMAND_US);
    t_check(t, answers(&slot), "the device does not come back when switched off and on");
}

static bool interlocked(const struct slot *slot)
{
    return status(slot) & PCIE_SLTSTA_INTERLOCK;
}

LAB_WITH(interlock, lab_new(t))
{
    bool before;
    SLOT_BODY(PCIE_SLTCAP_INTERLOCK);

    before = interlocked(&slot);
    control(&slot, PCIE_SLTCTL_INTERLOCK, 0);
    settle(&slot, COMMAND_US);
    t_check(t, interlocked(&slot) != before, "writing 1 does not turn it round");
    t_check(t, !(lab_cfg(lab, slot.name, slot.cap + PCIE_SLTCTL, 2) & PCIE_SLTCTL_INTERLOCK),
            "Electromechanical Interlock Control reads as 1");
    control(&slot, 0, 0);
    settle(&slot, COMMAND_US);
    t_check(t, interlocked(&slot) != before, "writing 0 turns it round");
}

/* 2.2.8.5: when the link comes up, with what Slot Capabilities say. */
LAB_WITH(power_limit, lab_new(t))
{
    const struct lab_seen *seen = NULL;
    SLOT_BODY(0);

    do_it(&slot, PULL);
    lab_forget(lab);
    do_it(&slot, PLUG);
    for (unsigned i = 0; i < lab->seen->len; i++) {
        const struct lab_seen *at = &g_array_index(lab->seen, struct lab_seen, i);

        if (at->sender == slot.port && at->tlp.type == TLP_MSGD &&
            at->tlp.msg_code == TLP_MSG_SET_SLOT_POWER_LIMIT)
            seen = at;
    }
    t_check(t, seen != NULL, "no Set_Slot_Power_Limit message");
    if (seen)
        t_check(t, seen->tlp.length_dw == 1 && seen->tlp.msg_routing == TLP_MSG_LOCAL,
                "it has %u doublewords, routing %u", seen->tlp.length_dw, seen->tlp.msg_routing);
}

LAB_WITH(in_band, lab_new(t))
{
    SLOT_BODY(0);

    if (!(lab_cfg(lab, slot.name, slot.cap + PCIE_SLTCAP2, 4) & 1)) {
        t_skip(t, "the slot cannot disable in-band presence detection");
        return;
    }
    /* Presence is by its contacts alone then: it stays while the link is down. */
    lab_change_cfg(lab, slot.name, slot.cap + PCIE_SLTCTL2, 2, 1, 0);
    lab_change_cfg(lab, slot.name, slot.cap + PCIE_LNKCTL, 2, PCIE_LNKCTL_DISABLE, 0);
    settle(&slot, POWER_US);
    t_check(t, status(&slot) & PCIE_SLTSTA_PRESENCE, "Presence Detect State is clear");
}

LAB_WITH(indicators, lab_new(t))
{
    SLOT_BODY(PCIE_SLTCAP_ATTENTION | PCIE_SLTCAP_POWER_LED);

    for (unsigned value = 1; value <= 3; value++) {
        uint32_t have;

        control(&slot, value << 6 | value << 8, 0x3c0 & ~(value << 6 | value << 8));
        settle(&slot, COMMAND_US);
        have = lab_cfg(lab, slot.name, slot.cap + PCIE_SLTCTL, 2);
        t_check(t, (have & 0x3c0) == (value << 6 | value << 8), "Slot Control is %04x after %u",
                have, value);
        t_check(t, answers(&slot), "an indicator takes the device's power");
    }
}

#define HOT(i, sec, fn, p, text) BEHAVIOUR("hotplug." i, "hot-plug", sec, fn, p, text)
#define EVENT(...)               (&(const struct event){__VA_ARGS__})
#define PRESENCE                 PCIE_SLTSTA_PRESENCE

#define PRESSED EVENT(PRESS, PCIE_SLTCAP_BUTTON, PCIE_SLTSTA_BUTTON, PCIE_SLTCTL_BUTTON_IE, 0, 0)
#define PULLED  EVENT(PULL, 0, PCIE_SLTSTA_PRESENCE_CHG, PCIE_SLTCTL_PRESENCE_IE, PRESENCE, 0)
#define PLUGGED                                                                                    \
    EVENT(PLUG, 0, PCIE_SLTSTA_PRESENCE_CHG, PCIE_SLTCTL_PRESENCE_IE, PRESENCE, PRESENCE)
#define PULLED_LINK  EVENT(PULL, 0, PCIE_SLTSTA_DLL_CHG, PCIE_SLTCTL_DLL_IE, PRESENCE, 0)
#define PLUGGED_LINK EVENT(PLUG, 0, PCIE_SLTSTA_DLL_CHG, PCIE_SLTCTL_DLL_IE, PRESENCE, PRESENCE)
#define OPENED                                                                                     \
    EVENT(OPEN, PCIE_SLTCAP_LATCH, PCIE_SLTSTA_LATCH_CHG, PCIE_SLTCTL_LATCH_IE,                    \
          PCIE_SLTSTA_LATCH_OPEN, PCIE_SLTSTA_LATCH_OPEN)
#define CLOSED                                                                                     \
    EVENT(CLOSE, PCIE_SLTCAP_LATCH, PCIE_SLTSTA_LATCH_CHG, PCIE_SLTCTL_LATCH_IE,                   \
          PCIE_SLTSTA_LATCH_OPEN, 0)
#define FAULTED                                                                                    \
    EVENT(FAULT, PCIE_SLTCAP_POWER_CONTROL, PCIE_SLTSTA_FAULT, PCIE_SLTCTL_FAULT_IE, PRESENCE,     \
          PRESENCE)
#define COMMANDED                                                                                  \
    EVENT(COMMAND, PCIE_SLTCAP_POWER_CONTROL, PCIE_SLTSTA_COMPLETED, PCIE_SLTCTL_COMPLETED_IE, 0, 0)

static const struct conform_assertion rows[] = {
    HOT("button", "6.7.1.5", recorded, PRESSED,
        "Attention Button Pressed is set when the button is pressed, and cleared by a 1."),
    HOT("presence.out", "6.7.3.1", recorded, PULLED,
        "When a card is pulled out Presence Detect Changed is set and its state clear."),
    HOT("presence.in", "6.7.3.1", recorded, PLUGGED,
        "When a card is plugged in Presence Detect Changed is set and its state set."),
    HOT("link.out", "6.7.3.3", recorded, PULLED_LINK,
        "When the link goes down Data Link Layer State Changed is set."),
    HOT("link.in", "6.7.3.3", recorded, PLUGGED_LINK,
        "When the link comes up Data Link Layer State Changed is set."),
    HOT("latch.open", "6.7.1.3", recorded, OPENED,
        "When the latch is opened MRL Sensor Changed and State are set."),
    HOT("latch.close", "6.7.1.3", recorded, CLOSED,
        "When the latch is closed MRL Sensor Changed is set and State clear."),
    HOT("fault", "6.7.1.8", recorded, FAULTED,
        "A fault of the power controller sets Power Fault Detected."),
    HOT("command", "6.7.3.2", recorded, COMMANDED,
        "Command Completed is set within a second after Slot Control was written."),
    HOT("button.msi", "6.7.3.4", interrupts, PRESSED, "The attention button interrupts."),
    HOT("presence.out.msi", "6.7.3.4", interrupts, PULLED, "A card that is pulled out interrupts."),
    HOT("presence.in.msi", "6.7.3.4", interrupts, PLUGGED, "A card that is plugged in interrupts."),
    HOT("link.out.msi", "6.7.3.4", interrupts, PULLED_LINK, "A link that goes down interrupts."),
    HOT("link.in.msi", "6.7.3.4", interrupts, PLUGGED_LINK, "A link that comes up interrupts."),
    HOT("latch.open.msi", "6.7.3.4", interrupts, OPENED, "A latch that is opened interrupts."),
    HOT("latch.close.msi", "6.7.3.4", interrupts, CLOSED, "A latch that is closed interrupts."),
    HOT("fault.msi", "6.7.3.4", interrupts, FAULTED, "A power fault interrupts."),
    HOT("command.msi", "6.7.3.4", interrupts, COMMANDED, "A completed command interrupts."),
    HOT("button.silent", "7.5.3.10", silent, PRESSED,
        "The attention button interrupts only with its enable and Hot-Plug Interrupt Enable."),
    HOT("presence.silent", "7.5.3.10", silent, PULLED,
        "Presence interrupts only with Hot-Plug Interrupt Enable."),
    HOT("link.silent", "7.5.3.10", silent, PULLED_LINK,
        "The link interrupts only with Hot-Plug Interrupt Enable."),
    HOT("latch.silent", "7.5.3.10", silent, OPENED,
        "The latch interrupts only with Hot-Plug Interrupt Enable."),
    HOT("fault.silent", "7.5.3.10", silent, FAULTED,
        "A power fault interrupts only with Hot-Plug Interrupt Enable."),
    HOT("command.silent", "7.5.3.10", silent, COMMANDED,
        "A command interrupts only with its enable and Hot-Plug Interrupt Enable."),
    HOT("msi.once", "6.7.3.4", one_message, NULL,
        "One MSI is sent when the first event is recorded, and none until all are cleared."),
    HOT("pin", "6.7.3.4", pin, NULL,
        "Without MSI the pin is asserted while an event that is enabled is recorded."),
    HOT("follows", "6.7.3.1", link_follows, NULL,
        "An empty slot's link is down and nothing answers; what is plugged in does."),
    HOT("new", "6.6.1", as_new, NULL, "What is plugged in has been reset."),
    HOT("surprise", "3.2.1", surprise_down, NULL,
        "A card pulled out of a slot without Hot-Plug Surprise is a Surprise Down Error."),
    HOT("surprise.allowed", "3.2.1", surprise_allowed, NULL,
        "A card pulled out of a slot with Hot-Plug Surprise is no error."),
    HOT("command.each", "6.7.3.2", command_again, NULL,
        "Every write of Slot Control is a command, whatever it changes."),
    HOT("command.none", "7.5.3.9", command_silent, NULL,
        "With No Command Completed Support Command Completed is never set."),
    HOT("power", "6.7.1.8", power_off, NULL,
        "Power Controller Control takes the device's power, which is no error, and gives it."),
    HOT("power.link", "6.7.3.3", power_off_dll, NULL,
        "Power that goes off and on changes the state of the data link layer."),
    HOT("latch.power", "6.7.1.3", open_latch, NULL, "Behind an open latch there is no power."),
    HOT("fault.power", "6.7.1.8", fault_off, NULL,
        "A power fault takes the power until software switches it off and on."),
    HOT("interlock", "6.7.1.4", interlock, NULL,
        "Writing 1 to Electromechanical Interlock Control turns it round, writing 0 does not."),
    HOT("power_limit", "2.2.8.5", power_limit, NULL,
        "When the link of a slot comes up Set_Slot_Power_Limit is sent over it."),
    HOT("in_band", "7.5.3.22", in_band, NULL,
        "With in-band presence detection disabled presence does not follow the link."),
    HOT("indicators", "6.7.1.1", indicators, NULL,
        "Indicators show what was written, and nothing else follows from them."),
};

ASSERTION_TABLE(assertions_hotplug, rows);
