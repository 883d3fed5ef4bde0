/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FXSAVE and FXRSTOR images (SDM volume 1, section 10.5.1 and table 10-2), and reset. */
#include "pcilab/base/le.h"
#include "x87.h"

#include <string.h>

enum {
    FX_FCW = 0,
    FX_FSW = 2,
    FX_FTW = 4,
    FX_FOP = 6,
    FX_FIP = 8,
    FX_FCS = 12,
    FX_FDP = 16,
    FX_FDS = 20,
    FX_MXCSR = 24,
    FX_MXCSR_MASK = 28,
    FX_ST = 32,
    FX_XMM = 160,
};

#define FSW_TOP_SHIFT 11

void fpu_reset(struct fpu *fpu)
{
    memset(fpu, 0, sizeof(*fpu));
    /* SDM volume 3, table 9-1, power-up column. */
    fpu->ctl.fcw = 0x0040;
    fpu->ctl.ftw = 0xFF;
    fpu->mxcsr = 0x1F80;
}

static unsigned xmm_count(enum fpu_fx_form form)
{
    return form == FPU_FX_LEGACY ? 8 : 16;
}

void fpu_fxsave(const struct fpu *fpu, void *image, enum fpu_fx_form form)
{
    const struct fpu_ctl *ctl = &fpu->ctl;
    uint8_t *out = image;
    unsigned top = ctl->fsw >> FSW_TOP_SHIFT & 7;

    le16_store(out + FX_FCW, ctl->fcw);
    le16_store(out + FX_FSW, ctl->fsw);
    le16_store(out + FX_FTW, ctl->ftw);
    le16_store(out + FX_FOP, ctl->fop);
    if (form == FPU_FX_64) {
        le64_store(out + FX_FIP, ctl->fip);
        le64_store(out + FX_FDP, ctl->fdp);
    } else {
        le32_store(out + FX_FIP, (uint32_t)ctl->fip);
        le32_store(out + FX_FCS, ctl->fcs);
        le32_store(out + FX_FDP, (uint32_t)ctl->fdp);
        le32_store(out + FX_FDS, ctl->fds);
    }
    le32_store(out + FX_MXCSR, fpu->mxcsr);
    le32_store(out + FX_MXCSR_MASK, FPU_MXCSR_MASK);
    for (unsigned i = 0; i < 8; i++) {
        const struct fpu_reg *reg = &fpu->st[(top + i) & 7];
        uint8_t *at = out + FX_ST + 16 * i;
        le64_store(at, reg->mantissa);
        le64_store(at + 8, reg->sign_exp);
    }
    memcpy(out + FX_XMM, fpu->xmm, 16 * xmm_count(form));
}

uint32_t fpu_fxrstor(struct fpu *fpu, const void *image, enum fpu_fx_form form)
{
    struct fpu_ctl *ctl = &fpu->ctl;
    const uint8_t *in = image;
    uint32_t mxcsr = le32_load(in + FX_MXCSR);

    if (mxcsr & ~FPU_MXCSR_MASK)
        return FPU_GP;
    fpu->mxcsr = mxcsr;
    ctl->fcw = fpu_fcw_clean(le16_load(in + FX_FCW));
    ctl->fsw = le16_load(in + FX_FSW);
    ctl->ftw = in[FX_FTW];
    ctl->fop = le16_load(in + FX_FOP) & 0x7FF;
    if (form == FPU_FX_64) {
        ctl->fip = le64_load(in + FX_FIP);
        ctl->fdp = le64_load(in + FX_FDP);
    } else {
        ctl->fip = le32_load(in + FX_FIP);
        ctl->fdp = le32_load(in + FX_FDP);
    }
    ctl->fcs = ctl->fds = 0;
    fpu_update_es(ctl);

    unsigned top = ctl->fsw >> FSW_TOP_SHIFT & 7;
    for (unsigned i = 0; i < 8; i++) {
        struct fpu_reg *reg = &fpu->st[(top + i) & 7];
        const uint8_t *at = in + FX_ST + 16 * i;
        reg->mantissa = le64_load(at);
        reg->sign_exp = le16_load(at + 8);
    }
    memcpy(fpu->xmm, in + FX_XMM, 16 * xmm_count(form));
    return FPU_OK;
}
