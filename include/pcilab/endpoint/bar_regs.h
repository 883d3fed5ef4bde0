/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A BAR whose bytes are a register space: accesses of any length, cut at quadwords. */
#ifndef PCILAB_ENDPOINT_BAR_REGS_H
#define PCILAB_ENDPOINT_BAR_REGS_H

#include "pcilab/base/le.h"
#include "pcilab/reg/reg.h"

static inline unsigned bar_regs_piece(uint64_t offset, unsigned len)
{
    unsigned room = 8 - (unsigned)(offset & 7);

    return len < room ? len : room;
}

static inline void bar_regs_read(struct reg_space *regs, uint64_t offset, uint8_t *out,
                                 unsigned len)
{
    for (unsigned n; len; out += n, offset += n, len -= n) {
        n = bar_regs_piece(offset, len);
        le_store(out, reg_read(regs, (unsigned)offset, n), n);
    }
}

static inline void bar_regs_write(struct reg_space *regs, uint64_t offset, const uint8_t *in,
                                  unsigned len)
{
    for (unsigned n; len; in += n, offset += n, len -= n) {
        n = bar_regs_piece(offset, len);
        reg_write(regs, (unsigned)offset, n, le_load(in, n));
    }
}

#endif
