/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Little-endian loads and stores at any alignment. PCI Express and x86 data are little-endian. */
#ifndef PCILAB_BASE_LE_H
#define PCILAB_BASE_LE_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define LE_ACCESSORS(bits)                                                                         \
    static inline uint##bits##_t le##bits##_load(const void *p)                                    \
    {                                                                                              \
        uint##bits##_t v;                                                                          \
        memcpy(&v, p, sizeof(v));                                                                  \
        return le##bits##toh(v);                                                                   \
    }                                                                                              \
    static inline void le##bits##_store(void *p, uint##bits##_t v)                                 \
    {                                                                                              \
        v = htole##bits(v);                                                                        \
        memcpy(p, &v, sizeof(v));                                                                  \
    }

LE_ACCESSORS(16)
LE_ACCESSORS(32)
LE_ACCESSORS(64)
#undef LE_ACCESSORS

/* `size` is 1 to 8 bytes. */
static inline uint64_t le_load(const void *p, unsigned size)
{
    uint64_t v = 0;
    memcpy(&v, p, size);
    return le64toh(v);
}

static inline void le_store(void *p, uint64_t v, unsigned size)
{
    v = htole64(v);
    memcpy(p, &v, size);
}

#endif
