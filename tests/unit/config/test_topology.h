/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_TOPOLOGY_H
#define TEST_TOPOLOGY_H

#include <check.h>

TCase *topology_errors_case(void);

#endif
