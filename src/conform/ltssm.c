/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Links as software sees them: speed, width, training, reset (PCIe Base 6.0, 4.2, 7.5.3). */
#include "bench.h"
#include "lab.h"
#include "pcilab/platform/probe.h"
#include "tables.h"

#define TRAIN_US 200000u

static uint32_t reg16(struct lab *lab, const char *name, unsigned reg)
{
    return lab_cfg(lab, name, lab_pcie(lab, name, reg), 2);
}

static unsigned speed_of(struct lab *lab, const char *name)
{
    return reg16(lab, name, PCIE_LNKSTA) & 0xf;
}

static unsigned width_of(struct lab *lab, const char *name)
{
    return reg16(lab, name, PCIE_LNKSTA) >> 4 & 0x3f;
}

static void check_both_ends(struct conform_ctx *t, struct lab *lab, unsigned speed, unsigned width)
{
    t_check(t, speed_of(lab, lab->above) == speed && speed_of(lab, lab->ex) == speed,
            "the speed is %u and %u, not %u", speed_of(lab, lab->above), speed_of(lab, lab->ex),
            speed);
    t_check(t, width_of(lab, lab->above) == width && width_of(lab, lab->ex) == width,
            "the width is %u and %u, not %u", width_of(lab, lab->above), width_of(lab, lab->ex),
            width);
}

static void link_control(struct lab *lab, uint32_t set, uint32_t clear)
{
    lab_change_cfg(lab, lab->above, lab_pcie(lab, lab->above, PCIE_LNKCTL), 2, set, clear);
}

static void clear_status(struct lab *lab)
{
    lab_set_cfg(lab, lab->above, lab_pcie(lab, lab->above, PCIE_LNKSTA), 2,
                PCIE_LNKSTA_BANDWIDTH | PCIE_LNKSTA_AUTONOMOUS);
}

static void check_works(struct conform_ctx *t, struct lab *lab)
{
    struct lab_dma dma = {.command = EXERCISER_READ, .addr = LAB_RAM, .len = 256};

    t_check(t, lab_dma(lab, lab->ex, &dma) == 0, "DMA does not work any more");
}

LAB_WITH(negotiated, lab_new_timed(t, NULL))
{
    uint32_t a = lab_cfg(lab, lab->above, lab_pcie(lab, lab->above, PCIE_LNKCAP), 4);
    uint32_t b = lab_cfg(lab, lab->ex, lab_pcie(lab, lab->ex, PCIE_LNKCAP), 4);
    unsigned speed = MIN(a & 0xf, b & 0xf), width = MIN(a >> 4 & 0x3f, b >> 4 & 0x3f);

    check_both_ends(t, lab, speed, width);
}

/* To each speed, and back from it. */
LAB_WITH(speed, lab_new_timed(t, NULL))
{
    unsigned wanted = *(const unsigned *)t->assertion->param, best = speed_of(lab, lab->above);
    unsigned control = lab_pcie(lab, lab->above, PCIE_LNKCTL2);

    if (wanted > best) {
        t_skip(t, "the link is not as fast as that");
        return;
    }
    lab_change_cfg(lab, lab->above, control, 2, wanted, 0xf);
    link_control(lab, PCIE_LNKCTL_RETRAIN, 0);
    lab_run_us(lab, TRAIN_US);
    t_check(t, speed_of(lab, lab->above) == wanted && speed_of(lab, lab->ex) == wanted,
            "the speed is %u and %u, not %u", speed_of(lab, lab->above), speed_of(lab, lab->ex),
            wanted);
    check_works(t, lab);
    lab_change_cfg(lab, lab->above, control, 2, best, 0xf);
    link_control(lab, PCIE_LNKCTL_RETRAIN, 0);
    lab_run_us(lab, TRAIN_US);
    t_check(t, speed_of(lab, lab->above) == best, "the speed stays %u", speed_of(lab, lab->above));
}

static void degraded(struct conform_ctx *t, struct lab *lab, unsigned width, unsigned speed)
{
    struct port *port = machine_port_above(lab->machine, lab->ex);
    unsigned had_speed = speed_of(lab, lab->above), had_width = width_of(lab, lab->above);

    clear_status(lab);
    port_degrade(port, width, speed);
    lab_run_us(lab, TRAIN_US);
    if (!speed)
        speed = had_speed;
    if (!width)
        width = had_width;
    check_both_ends(t, lab, speed, width);
    t_check(t, reg16(lab, lab->above, PCIE_LNKSTA) & PCIE_LNKSTA_BANDWIDTH,
            "Link Bandwidth Management Status is clear");
    t_check(t, !(reg16(lab, lab->above, PCIE_LNKSTA) & PCIE_LNKSTA_AUTONOMOUS),
            "Link Autonomous Bandwidth Status is set");
    check_works(t, lab);
}

LAB_WITH(lanes_lost, lab_new_timed(t, NULL))
{
    if (width_of(lab, lab->above) < 2) {
        t_skip(t, "the link has one lane");
        return;
    }
    degraded(t, lab, 1, 0);
}

LAB_WITH(speed_lost, lab_new_timed(t, NULL))
{
    if (speed_of(lab, lab->above) < 2) {
        t_skip(t, "the link is not faster than 2.5 GT/s");
        return;
    }
    degraded(t, lab, 0, 1);
}

LAB_WITH(training_bit, lab_new_timed(t, NULL))
{
    link_control(lab, PCIE_LNKCTL_RETRAIN, 0);
    t_check(t, reg16(lab, lab->above, PCIE_LNKSTA) & PCIE_LNKSTA_TRAINING,
            "it is clear right after Retrain Link");
    t_check(t, reg16(lab, lab->above, PCIE_LNKSTA) & PCIE_LNKSTA_DLL_ACTIVE,
            "Data Link Layer Link Active is clear in Recovery");
    lab_run_us(lab, TRAIN_US);
    t_check(t, !(reg16(lab, lab->above, PCIE_LNKSTA) & PCIE_LNKSTA_TRAINING), "it stays set");
}

LAB_WITH(training_from_down, lab_new_timed(t, NULL))
{
    link_control(lab, PCIE_LNKCTL_DISABLE, 0);
    lab_run_us(lab, 1000);
    t_check(t, !(reg16(lab, lab->above, PCIE_LNKSTA) & PCIE_LNKSTA_TRAINING),
            "it is set while the link is disabled");
    link_control(lab, 0, PCIE_LNKCTL_DISABLE);
    t_check(t, reg16(lab, lab->above, PCIE_LNKSTA) & PCIE_LNKSTA_TRAINING,
            "it is clear while the link trains");
    lab_run_us(lab, TRAIN_US);
    t_check(t, !(reg16(lab, lab->above, PCIE_LNKSTA) & PCIE_LNKSTA_TRAINING), "it stays set");
}

LAB_WITH(retrain_keeps, lab_new_timed(t, NULL))
{
    uint32_t command = lab_cfg(lab, lab->ex, 4, 2), bar = lab_cfg(lab, lab->ex, 0x10, 4);

    lab_ex_set(lab, lab->ex, EXERCISER_SCRATCH0, 4, 0x5eed);
    link_control(lab, PCIE_LNKCTL_RETRAIN, 0);
    lab_run_us(lab, TRAIN_US);
    t_check(t, lab_cfg(lab, lab->ex, 4, 2) == command && lab_cfg(lab, lab->ex, 0x10, 4) == bar,
            "Command or BAR 0 has changed");
    t_check(t, lab_ex_get(lab, lab->ex, EXERCISER_SCRATCH0, 4) == 0x5eed, "the device was reset");
}

/* A request that is sent while the link is in Recovery waits and is answered. */
LAB_WITH(recovery_waits, lab_new_timed(t, NULL))
{
    uint64_t value;

    link_control(lab, PCIE_LNKCTL_RETRAIN, 0);
    t_check(t, lab_read(lab, lab_bar(lab, lab->ex, 0), 4, &value) == TLP_SC, "it was refused");
    t_check(t, (uint32_t)value == EXERCISER_MAGIC_VALUE, "it reads as %08x", (unsigned)value);
}

LAB_WITH(fresh_bandwidth, lab_new_timed(t, NULL))
{
    clear_status(lab);
    link_control(lab, PCIE_LNKCTL_DISABLE, 0);
    lab_run_us(lab, 1000);
    link_control(lab, 0, PCIE_LNKCTL_DISABLE);
    lab_run_us(lab, TRAIN_US);
    t_check(t, reg16(lab, lab->above, PCIE_LNKSTA) & PCIE_LNKSTA_DLL_ACTIVE, "it does not come up");
    t_check(t, !(reg16(lab, lab->above, PCIE_LNKSTA) & PCIE_LNKSTA_BANDWIDTH),
            "Link Bandwidth Management Status is set");
}

static bool notifies(struct conform_ctx *t, struct lab *lab)
{
    if (lab_cfg(lab, lab->above, lab_pcie(lab, lab->above, PCIE_LNKCAP), 4) &
            PCIE_LNKCAP_BANDWIDTH &&
        lab_arm_msi(lab, lab->above, 0xb0b0))
        return true;
    t_skip(t, "the port has no Link Bandwidth Notification or no MSI");
    return false;
}

LAB_WITH(bandwidth_interrupt, lab_new_timed(t, NULL))
{
    if (!notifies(t, lab))
        return;
    clear_status(lab);
    link_control(lab, PCIE_LNKCTL_BANDWIDTH_IE, 0);
    link_control(lab, PCIE_LNKCTL_RETRAIN, 0);
    lab_run_us(lab, TRAIN_US);
    t_check(t, lab_ram(lab) == 0xb0b0, "no MSI");
}

LAB_WITH(bandwidth_silent, lab_new_timed(t, NULL))
{
    if (!notifies(t, lab))
        return;
    clear_status(lab);
    link_control(lab, PCIE_LNKCTL_RETRAIN, PCIE_LNKCTL_BANDWIDTH_IE);
    lab_run_us(lab, TRAIN_US);
    t_check(t, !lab_ram(lab), "an MSI");
}

LAB_WITH(hot_reset, lab_new_timed(t, NULL))
{
    lab_ex_set(lab, lab->ex, EXERCISER_SCRATCH0, 4, 0x5eed);
    lab_change_cfg(lab, lab->above, 0x3e, 2, 0x40, 0);
    lab_run_us(lab, 2000);
    t_check(t, !(reg16(lab, lab->above, PCIE_LNKSTA) & PCIE_LNKSTA_DLL_ACTIVE),
            "Data Link Layer Link Active stays set");
    lab_change_cfg(lab, lab->above, 0x3e, 2, 0, 0x40);
    lab_run_us(lab, TRAIN_US);
    t_check(t, reg16(lab, lab->above, PCIE_LNKSTA) & PCIE_LNKSTA_DLL_ACTIVE,
            "the link does not come back");
    t_check(t, !(lab_cfg(lab, lab->ex, 4, 2) & 7), "the device was not reset");
}

#define U(n)                      (&(const unsigned){n})
#define LINK(i, sec, fn, p, text) BEHAVIOUR("link." i, "link", sec, fn, p, text)

static const struct conform_assertion rows[] = {
    LINK("negotiated", "4.2.5.10", negotiated, NULL,
         "A link trains to the highest speed and width that both ends support; both show them."),
    LINK("speed.2_5", "7.5.3.19", speed, U(1), "A link runs at 2.5 GT/s when that is its target."),
    LINK("speed.5", "7.5.3.19", speed, U(2), "A link runs at 5.0 GT/s when that is its target."),
    LINK("speed.8", "7.5.3.19", speed, U(3), "A link runs at 8.0 GT/s when that is its target."),
    LINK("speed.16", "7.5.3.19", speed, U(4), "A link runs at 16.0 GT/s when that is its target."),
    LINK("speed.32", "7.5.3.19", speed, U(5), "A link runs at 32.0 GT/s when that is its target."),
    LINK("lost.lanes", "7.5.3.8", lanes_lost, NULL,
         "A link whose lanes fail goes on with those that are left, and Link Bandwidth Management "
         "Status says so."),
    LINK("lost.speed", "7.5.3.8", speed_lost, NULL,
         "A link that is not reliable goes on more slowly, and Link Bandwidth Management Status "
         "says so."),
    LINK("training", "7.5.3.8", training_bit, NULL,
         "Link Training is set from Retrain Link until Recovery is over; the link stays active."),
    LINK("training.down", "7.5.3.8", training_from_down, NULL,
         "Link Training is clear while a link is disabled and set while it trains."),
    LINK("retrain.keeps", "4.2.6.4", retrain_keeps, NULL, "Recovery resets nothing."),
    LINK("retrain.waits", "4.2.6.4", recovery_waits, NULL,
         "A request that comes during Recovery waits and is answered."),
    LINK("bandwidth.fresh", "7.5.3.8", fresh_bandwidth, NULL,
         "Training from link down does not set Link Bandwidth Management Status."),
    LINK("bandwidth.interrupt", "7.5.3.7", bandwidth_interrupt, NULL,
         "With its enable Link Bandwidth Management Status sends an interrupt."),
    LINK("bandwidth.silent", "7.5.3.7", bandwidth_silent, NULL,
         "Without its enable it sends none."),
    LINK("hot_reset", "4.2.6.12", hot_reset, NULL,
         "Secondary Bus Reset takes the link down, and up again when it is cleared."),
};

ASSERTION_TABLE(assertions_ltssm, rows);
