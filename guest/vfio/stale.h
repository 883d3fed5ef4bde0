/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A driver that changes a mapping and forgets to invalidate what was cached of it. */
#ifndef PCILAB_GUEST_VFIO_STALE_H
#define PCILAB_GUEST_VFIO_STALE_H

#include "vfio.h"

/* `helper` is another exerciser, without a driver, that reaches all of memory by physical
 * addresses: its hand is the forgetful driver's. Needs /dev/mem (iomem=relaxed). */
void test_stale(struct vfio_function *f, const char *helper);

#endif
