/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Internet checksum (RFC 1071), and numbers as networks have them: most significant first. */
#ifndef PCILAB_BASE_INET_H
#define PCILAB_BASE_INET_H

#include <stdint.h>
#include <string.h>

static inline uint32_t be16_load(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

/* The low 16 bits. */
static inline void be16_store(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline uint32_t be32_load(const uint8_t *at)
{
    return be16_load(at) << 16 | be16_load(at + 2);
}

static inline void be32_store(uint8_t *at, uint32_t value)
{
    be16_store(at, value >> 16);
    be16_store(at + 2, value);
}

/* Adds bytes to a sum, which is 0 at first; all parts but the last have an even length. The result
 * is below 10000h. */
static inline uint32_t inet_sum_add(uint32_t sum, const uint8_t *data, uint32_t len)
{
    uint64_t wide = 0; /* of words as this host reads them: RFC 1071, 2 (B) */

    for (; len >= 4; len -= 4, data += 4) {
        uint32_t word;

        memcpy(&word, data, 4);
        wide += word;
    }
    while (wide >> 16)
        wide = (wide & 0xffff) + (wide >> 16);
    uint16_t host = (uint16_t)wide;
    wide = (uint64_t)sum + be16_load((const uint8_t *)&host);
    if (len >= 2)
        wide += be16_load(data);
    if (len & 1)
        wide += (uint32_t)data[len - 1] << 8;
    while (wide >> 16)
        wide = (wide & 0xffff) + (wide >> 16);
    return (uint32_t)wide;
}

/* What goes into the header; 0 over what holds a right checksum. */
static inline uint16_t inet_sum_fold(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

#endif
