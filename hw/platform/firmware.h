/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files that build what firmware leaves in memory. */
#ifndef PCILAB_HW_PLATFORM_FIRMWARE_H
#define PCILAB_HW_PLATFORM_FIRMWARE_H

#include <stdint.h>

struct machine;

/* Sum of bytes modulo 256. */
static inline uint8_t firmware_sum(const uint8_t *bytes, uint64_t len)
{
    uint8_t sum = 0;

    for (uint64_t i = 0; i < len; i++)
        sum = (uint8_t)(sum + bytes[i]);
    return sum;
}

/* smbios.c: entry point and structures into [gpa, gpa + room). */
void smbios_install(struct machine *machine, uint64_t gpa, uint64_t room);

#endif
