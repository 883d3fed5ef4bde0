/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a test of vfio expects. */
#ifndef PCILAB_GUEST_VFIO_TEST_H
#define PCILAB_GUEST_VFIO_TEST_H

#include <stdbool.h>

#define expect(good, ...) expect_at((good), #good, __LINE__, __VA_ARGS__)
/* Ends the program with status 1 and a message if it is not so. */
void expect_at(bool good, const char *what, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
