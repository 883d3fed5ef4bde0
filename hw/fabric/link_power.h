/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside the fabric: the power of a link with link timing. */
#ifndef PCILAB_HW_FABRIC_LINK_POWER_H
#define PCILAB_HW_FABRIC_LINK_POWER_H

#include "link.h"
#include "pcilab/fabric/link_power.h"

void link_power_init(struct link *link);
void link_power_fini(struct link *link);
/* Back to L0, whatever was going on: Recovery, or the link went down. */
void link_power_reset(struct link *link);
/* L0 begins: up, after Recovery, after L1. */
void link_power_begin(struct link *link);
/* The link is up and awake: looks for the next time to sleep. */
void link_power_arm(struct link *link);
/* Somebody has something to send while the link sleeps. */
void link_power_wake(struct link *link);
/* A power management DLLP arrived over `dir`. */
void link_power_dllp(struct link_dir *dir, unsigned kind);

#endif
