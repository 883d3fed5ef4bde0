/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Breaking a model on purpose: a row of its registers becomes another one. */
#ifndef PCILAB_REG_REPLACE_H
#define PCILAB_REG_REPLACE_H

#include "pcilab/reg/reg.h"

/* The row at this offset is another one from now on, with its reset value and rw mask; offset and
 * width stay. It must outlive the space. */
void reg_replace_row(struct reg_space *space, unsigned offset, const struct reg_def *def);
/* What a reset restores, sticky bits aside. */
uint64_t reg_reset_value(const struct reg_space *space, unsigned offset);

#endif
