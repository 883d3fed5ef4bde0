/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x87 instructions that change the sign, compare and examine (SDM volume 1, section 8.3.6).
 * Where the manual leaves condition codes open, as Intel's processors do.
 */
#include "x87.h"

#define X87_FN(name) uint32_t name(struct fpu *fpu, void *mem, uint32_t fop)

static uint32_t change_sign(struct fpu *fpu, uint16_t keep, uint16_t flip)
{
    if (x87_empty(fpu, 0)) {
        if (!x87_stack_fault(fpu, false))
            x87_fill_empty(fpu, 0);
        return FPU_OK;
    }
    x87_set_c1(fpu, false);
    x87_st(fpu, 0)->sign_exp = (x87_st(fpu, 0)->sign_exp & keep) ^ flip;
    return FPU_OK;
}

X87_FN(x87_fchs)
{
    return change_sign(fpu, 0xFFFF, 0x8000);
}

X87_FN(x87_fabs)
{
    return change_sign(fpu, 0x7FFF, 0);
}

#define CODES (FSW_C0 | FSW_C2 | FSW_C3)

/*
 * Compares ST(0). False if an unmasked exception is raised: as on Intel's processors the codes are
 * those of the masked case then, but nothing is popped.
 */
static bool compare_codes(struct fpu *fpu, bool quiet, unsigned i, uint16_t *codes)
{
    *codes = CODES;
    if (x87_empty(fpu, 0) || x87_empty(fpu, i))
        return !x87_stack_fault(fpu, false);
    uint16_t sw = x87_host_compare(quiet, X87_F80, x87_st(fpu, 0), x87_st(fpu, i));
    *codes = sw & CODES;
    return x87_finish(fpu, sw & ~FSW_C1);
}

static uint32_t compare(struct fpu *fpu, bool quiet, unsigned i, unsigned pops)
{
    uint16_t codes;
    bool good = compare_codes(fpu, quiet, i, &codes);

    fpu->ctl.fsw = (uint16_t)((fpu->ctl.fsw & ~CODES) | codes);
    while (good && pops--)
        x87_pop(fpu);
    return FPU_OK;
}

X87_FN(x87_fcom)
{
    return compare(fpu, false, fop & 7, 0);
}

X87_FN(x87_fcomp)
{
    return compare(fpu, false, fop & 7, 1);
}

X87_FN(x87_fcompp)
{
    return compare(fpu, false, 1, 2);
}

X87_FN(x87_fucom)
{
    return compare(fpu, true, fop & 7, 0);
}

X87_FN(x87_fucomp)
{
    return compare(fpu, true, fop & 7, 1);
}

X87_FN(x87_fucompp)
{
    return compare(fpu, true, 1, 2);
}

/* Without a stack fault C1 stays, as on Intel's processors. */
static uint32_t compare_eflags(struct fpu *fpu, bool quiet, unsigned i, bool pop)
{
    uint16_t codes, c1 = fpu->ctl.fsw & FSW_C1;
    bool underflow = x87_empty(fpu, 0) || x87_empty(fpu, i);
    bool good = compare_codes(fpu, quiet, i, &codes);

    if (!underflow)
        fpu->ctl.fsw |= c1;
    fpu->eflags =
        (codes & FSW_C0 ? 0x01 : 0) | (codes & FSW_C2 ? 0x04 : 0) | (codes & FSW_C3 ? 0x40 : 0);
    if (pop && good)
        x87_pop(fpu);
    return FPU_OK;
}

X87_FN(x87_fcomi)
{
    return compare_eflags(fpu, false, fop & 7, false);
}

X87_FN(x87_fcomip)
{
    return compare_eflags(fpu, false, fop & 7, true);
}

X87_FN(x87_fucomi)
{
    return compare_eflags(fpu, true, fop & 7, false);
}

X87_FN(x87_fucomip)
{
    return compare_eflags(fpu, true, fop & 7, true);
}

X87_FN(x87_ftst)
{
    static const struct fpu_reg zero = {0};
    uint16_t codes = CODES;

    if (x87_empty(fpu, 0)) {
        x87_stack_fault(fpu, false);
    } else {
        codes = x87_host_compare(false, X87_F80, x87_st(fpu, 0), &zero);
        x87_finish(fpu, codes & ~FSW_C1);
    }
    fpu->ctl.fsw = (uint16_t)((fpu->ctl.fsw & ~CODES) | (codes & CODES));
    return FPU_OK;
}

X87_FN(x87_fxam)
{
    static const uint16_t codes[] = {
        [X87_ZERO] = FSW_C3,   [X87_NORMAL] = FSW_C2,
        [X87_NAN] = FSW_C0,    [X87_INFINITY] = FSW_C2 | FSW_C0,
        [X87_UNSUPPORTED] = 0, [X87_DENORMAL] = FSW_C3 | FSW_C2,
    };
    const struct fpu_reg *st0 = x87_st(fpu, 0);
    uint16_t code = x87_empty(fpu, 0) ? FSW_C3 | FSW_C0 : codes[x87_classify(st0)];

    fpu->ctl.fsw = (uint16_t)((fpu->ctl.fsw & ~CODES) | code);
    x87_set_c1(fpu, x87_negative(st0));
    return FPU_OK;
}
