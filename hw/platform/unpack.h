/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The compressed payload of a bzImage, unpacked on the host. */
#ifndef PCILAB_HW_PLATFORM_UNPACK_H
#define PCILAB_HW_PLATFORM_UNPACK_H

#include <glib.h>
#include <stdint.h>

/* `in` is the payload with the unpacked size in its last four bytes (as the kernel's build appends
 * it). Fails with MACHINE_ERROR: damaged, unknown method, or larger than max_bytes. */
GBytes *unpack_payload(const uint8_t *in, size_t in_len, uint64_t max_bytes, GError **error);

#endif
