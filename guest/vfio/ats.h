/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of an exerciser with Address Translation Services. */
#ifndef PCILAB_GUEST_VFIO_ATS_H
#define PCILAB_GUEST_VFIO_ATS_H

#include "vfio.h"

void test_ats(struct vfio_function *f);
void test_ats_keeps(struct vfio_function *f);
void test_ats_silent(struct vfio_function *f);
void test_ats_unasked(struct vfio_function *f);
void test_ats_forged(struct vfio_function *f);
void test_ats_blocked(struct vfio_function *f);
void test_ats_pasid(struct vfio_function *f);

#endif
