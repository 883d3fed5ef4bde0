/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PC's real-time clock and its battery-backed RAM at ports 0x70 and 0x71, after the Motorola
 * MC146818A data sheet (1984). It runs in virtual time from a fixed date.
 *
 * UNIMPL: alarm, periodic and update interrupts; nothing announces an interrupt for it.
 */
#ifndef PCILAB_HW_PLATFORM_RTC_H
#define PCILAB_HW_PLATFORM_RTC_H

#include "bus.h"
#include "pcilab/reg/reg.h"
#include "pcilab/sim/sim.h"

#define RTC_CENTURY 0x32 /* where FADT says the century is */

struct rtc {
    struct sim *sim;
    struct reg_space *regs;
    int64_t base_s; /* seconds since 1970 at virtual time 0 */
    uint8_t index;
};

void rtc_init(struct rtc *rtc, struct sim *sim);
void rtc_fini(struct rtc *rtc);
void rtc_reset(struct rtc *rtc);
void rtc_attach(struct rtc *rtc, struct bus *io);

#endif
