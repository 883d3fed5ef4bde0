/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_CPU_DIRECT_H
#define TESTS_CPU_DIRECT_H

/* The vector of a case that only a whole processor can run. */
#define DIRECT_SKIPPED (-2)

#endif
