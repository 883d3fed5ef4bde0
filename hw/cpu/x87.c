/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x87 instructions that move and control, and the tables of all of them (SDM volume 1,
 * chapter 8; volume 2, appendix B.17 for the encodings).
 *
 * FIP is recorded by every non-control instruction; FDP and FOP only when it meets an unmasked
 * exception, as CPUID.7.0:EBX[6] (FDP_EXCPTN_ONLY) says and sections 8.1.8 and 8.1.9 allow.
 * FCS and FDS are always 0 (EBX[13]).
 */
#include "x87.h"

const struct fpu_reg x87_indefinite = {.mantissa = X87_INTEGER_BIT | X87_QUIET_BIT,
                                       .sign_exp = 0xFFFF};
const struct fpu_reg x87_one = {.mantissa = X87_INTEGER_BIT, .sign_exp = X87_EXP_BIAS};

#define X87_FN(name) static uint32_t name(struct fpu *fpu, void *mem, uint32_t fop)

/* ---- Loads ---- */

static uint32_t load(struct fpu *fpu, enum x87_format format, const void *from)
{
    struct fpu_reg value = x87_indefinite;

    if (!x87_empty(fpu, 7)) {
        if (x87_stack_fault(fpu, true))
            return FPU_OK;
    } else {
        uint16_t sw = x87_host_load(format, &value, from) & FSW_FLAGS;
        /* An unmasked denormal is pushed nevertheless, as on Intel's processors. */
        if ((sw & FSW_IE) && !x87_finish(fpu, sw))
            return FPU_OK;
        x87_set_c1(fpu, false);
        x87_raise(fpu, sw);
    }
    x87_push(fpu, &value);
    return FPU_OK;
}

X87_FN(fld_f32)
{
    return load(fpu, X87_F32, mem);
}

X87_FN(fld_f64)
{
    return load(fpu, X87_F64, mem);
}

X87_FN(fld_f80)
{
    return load(fpu, X87_F80, mem);
}

X87_FN(fild_i16)
{
    return load(fpu, X87_I16, mem);
}

X87_FN(fild_i32)
{
    return load(fpu, X87_I32, mem);
}

X87_FN(fild_i64)
{
    return load(fpu, X87_I64, mem);
}

X87_FN(fbld)
{
    return load(fpu, X87_BCD, mem);
}

X87_FN(fld_sti)
{
    unsigned i = fop & 7;
    struct fpu_reg value = x87_indefinite;

    if (x87_empty(fpu, i) || !x87_empty(fpu, 7)) {
        if (x87_stack_fault(fpu, !x87_empty(fpu, i)))
            return FPU_OK;
    } else {
        value = *x87_st(fpu, i);
        x87_set_c1(fpu, false);
    }
    x87_push(fpu, &value);
    return FPU_OK;
}

X87_FN(fld_constant)
{
    struct fpu_reg value = x87_indefinite;

    if (!x87_empty(fpu, 7)) {
        if (x87_stack_fault(fpu, true))
            return FPU_OK;
    } else {
        x87_host_constant(fop & 7, fpu->ctl.fcw, &value);
        x87_set_c1(fpu, false);
    }
    x87_push(fpu, &value);
    return FPU_OK;
}

/* ---- Stores ---- */

/* A denormal of format F32 or F64. */
static bool stored_tiny(enum x87_format format, const uint8_t *mem)
{
    struct fpu_reg value;
    return (format == X87_F32 || format == X87_F64) &&
           (x87_host_load(format, &value, mem) & FSW_DE);
}

/*
 * Unlike a register, memory gets nothing if overflow or underflow is unmasked, and the stack is
 * not popped (section 8.5.4, 8.5.5). Precision does not stop a store.
 */
static uint32_t store(struct fpu *fpu, enum x87_format format, void *mem, bool pop)
{
    uint16_t fcw = fpu->ctl.fcw, sw;

    if (x87_empty(fpu, 0)) {
        if (x87_stack_fault(fpu, false))
            return FPU_NO_STORE;
        x87_host_store(format, fcw, mem, &x87_indefinite);
    } else {
        sw = x87_host_store(format, fcw, mem, x87_st(fpu, 0));
        if (~fcw & FSW_UE && stored_tiny(format, mem))
            sw |= FSW_UE;
        if (sw & ~fcw & (FSW_OE | FSW_UE)) {
            x87_set_c1(fpu, false);
            x87_raise(fpu, sw & (FSW_OE | FSW_UE));
            return FPU_NO_STORE;
        }
        if (!x87_finish(fpu, sw))
            return FPU_NO_STORE;
    }
    if (pop)
        x87_pop(fpu);
    return FPU_OK;
}

#define STORE_FN(name, format, pop)                                                                \
    X87_FN(name)                                                                                   \
    {                                                                                              \
        return store(fpu, format, mem, pop);                                                       \
    }
STORE_FN(fst_f32, X87_F32, false)
STORE_FN(fstp_f32, X87_F32, true)
STORE_FN(fst_f64, X87_F64, false)
STORE_FN(fstp_f64, X87_F64, true)
STORE_FN(fstp_f80, X87_F80, true)
STORE_FN(fist_i16, X87_I16, false)
STORE_FN(fistp_i16, X87_I16, true)
STORE_FN(fist_i32, X87_I32, false)
STORE_FN(fistp_i32, X87_I32, true)
STORE_FN(fistp_i64, X87_I64, true)
STORE_FN(fbstp, X87_BCD, true)

X87_FN(fst_sti)
{
    struct fpu_reg value = x87_indefinite;

    if (x87_empty(fpu, 0)) {
        if (x87_stack_fault(fpu, false))
            return FPU_NO_STORE;
    } else {
        value = *x87_st(fpu, 0);
        x87_set_c1(fpu, false);
    }
    *x87_st(fpu, fop & 7) = value;
    x87_tag_valid(fpu, fop & 7);
    return FPU_OK;
}

X87_FN(fstp_sti)
{
    if (fst_sti(fpu, mem, fop) == FPU_OK)
        x87_pop(fpu);
    return FPU_OK;
}

/* D9 D8+i, in no manual: FSTP ST(i) that stores nothing, and raises nothing, if ST(0) is empty. */
X87_FN(fstp_sti_nce)
{
    x87_set_c1(fpu, false);
    if (!x87_empty(fpu, 0)) {
        *x87_st(fpu, fop & 7) = *x87_st(fpu, 0);
        x87_tag_valid(fpu, fop & 7);
    }
    x87_pop(fpu);
    return FPU_OK;
}

/* ---- Moves on the stack ---- */

X87_FN(fxch)
{
    unsigned i = fop & 7;

    if (x87_empty(fpu, 0) || x87_empty(fpu, i)) {
        if (x87_stack_fault(fpu, false))
            return FPU_OK;
        x87_fill_empty(fpu, 0);
        x87_fill_empty(fpu, i);
    } else {
        x87_set_c1(fpu, false);
    }
    struct fpu_reg t = *x87_st(fpu, 0);
    *x87_st(fpu, 0) = *x87_st(fpu, i);
    *x87_st(fpu, i) = t;
    return FPU_OK;
}

/* DA and DB: below, equal, below or equal, unordered, and their opposites. */
X87_FN(fcmov)
{
    static const uint32_t masks[4] = {0x01, 0x40, 0x41, 0x04};
    unsigned i = fop & 7;
    bool negate = fop >> 8 & 1;
    struct fpu_reg value = x87_indefinite;

    if (x87_empty(fpu, 0) || x87_empty(fpu, i)) {
        if (x87_stack_fault(fpu, false))
            return FPU_OK;
        x87_tag_valid(fpu, 0);
    } else {
        if (!(fpu->eflags & masks[fop >> 3 & 3]) != negate)
            return FPU_OK;
        value = *x87_st(fpu, i);
    }
    *x87_st(fpu, 0) = value;
    return FPU_OK;
}

/* Intel's processors clear C1, which the manual leaves undefined. */
X87_FN(ffree)
{
    x87_set_c1(fpu, false);
    x87_tag_empty(fpu, fop & 7);
    return FPU_OK;
}

X87_FN(ffreep)
{
    x87_set_c1(fpu, false);
    x87_tag_empty(fpu, fop & 7);
    x87_pop(fpu);
    return FPU_OK;
}

X87_FN(fincstp)
{
    x87_move_top(fpu, 1);
    x87_set_c1(fpu, false);
    return FPU_OK;
}

X87_FN(fdecstp)
{
    x87_move_top(fpu, -1);
    x87_set_c1(fpu, false);
    return FPU_OK;
}

/* ---- Control ---- */

X87_FN(fnop)
{
    return FPU_OK;
}

X87_FN(fldcw)
{
    uint16_t value;
    __builtin_memcpy(&value, mem, 2);
    fpu->ctl.fcw = fpu_fcw_clean(value);
    fpu_update_es(&fpu->ctl);
    return FPU_OK;
}

X87_FN(fnstcw)
{
    __builtin_memcpy(mem, &fpu->ctl.fcw, 2);
    return FPU_OK;
}

X87_FN(fnstsw_mem)
{
    __builtin_memcpy(mem, &fpu->ctl.fsw, 2);
    return FPU_OK;
}

X87_FN(fnclex)
{
    fpu->ctl.fsw &= (uint16_t) ~(FSW_FLAGS | FSW_SF | FSW_ES | FSW_B);
    return FPU_OK;
}

X87_FN(fninit)
{
    x87_init(fpu);
    return FPU_OK;
}

#define ENV_FNS(suffix, env)                                                                       \
    X87_FN(fldenv_##suffix)                                                                        \
    {                                                                                              \
        return x87_fldenv(fpu, mem, env);                                                          \
    }                                                                                              \
    X87_FN(fnstenv_##suffix)                                                                       \
    {                                                                                              \
        return x87_fnstenv(fpu, mem, env);                                                         \
    }                                                                                              \
    X87_FN(frstor_##suffix)                                                                        \
    {                                                                                              \
        return x87_frstor(fpu, mem, env);                                                          \
    }                                                                                              \
    X87_FN(fnsave_##suffix)                                                                        \
    {                                                                                              \
        return x87_fnsave(fpu, mem, env);                                                          \
    }
ENV_FNS(prot32, FPU_ENV_PROT32)
ENV_FNS(prot16, FPU_ENV_PROT16)
ENV_FNS(real32, FPU_ENV_REAL32)
ENV_FNS(real16, FPU_ENV_REAL16)

/* ---- Tables ---- */

#define LD(fn, bytes)                                                                              \
    {                                                                                              \
        fn, bytes, FPU_X87_LOAD                                                                    \
    }
#define ST(fn, bytes)                                                                              \
    {                                                                                              \
        fn, bytes, FPU_X87_STORE                                                                   \
    }
#define CTL_LD(fn, bytes)                                                                          \
    {                                                                                              \
        fn, bytes, FPU_X87_LOAD | FPU_X87_CONTROL                                                  \
    }
#define CTL_ST(fn, bytes)                                                                          \
    {                                                                                              \
        fn, bytes, FPU_X87_STORE | FPU_X87_CONTROL | FPU_X87_NOWAIT                                \
    }
#define REG(fn)                                                                                    \
    {                                                                                              \
        fn, 0, 0                                                                                   \
    }
#define CTL(fn)                                                                                    \
    {                                                                                              \
        fn, 0, FPU_X87_CONTROL | FPU_X87_NOWAIT                                                    \
    }
#define EIGHT(entry)                                                                               \
    {                                                                                              \
        entry, entry, entry, entry, entry, entry, entry, entry                                     \
    }
#define ARITH(fn, bytes) EIGHT(LD(fn, bytes))
#define CMOV                                                                                       \
    {                                                                                              \
        fcmov, 0, FPU_X87_EFLAGS_IN                                                                \
    }
#define COMI(fn)                                                                                   \
    {                                                                                              \
        fn, 0, FPU_X87_EFLAGS_OUT                                                                  \
    }

/* By opcode minus D8 and ModRM.reg, mod != 3. FISTTP is SSE3: no entry. */
static const struct fpu_x87_op mem_ops[8][8] = {
    ARITH(x87_arith_f32, 4),
    {LD(fld_f32, 4),
     {0},
     ST(fst_f32, 4),
     ST(fstp_f32, 4),
     {0}, /* FLDENV: env_ops */
     CTL_LD(fldcw, 2),
     {0}, /* FNSTENV: env_ops */
     CTL_ST(fnstcw, 2)},
    ARITH(x87_arith_i32, 4),
    {LD(fild_i32, 4),
     {0},
     ST(fist_i32, 4),
     ST(fistp_i32, 4),
     {0},
     LD(fld_f80, 10),
     {0},
     ST(fstp_f80, 10)},
    ARITH(x87_arith_f64, 8),
    {LD(fld_f64, 8), {0}, ST(fst_f64, 8), ST(fstp_f64, 8), {0}, {0}, {0}, CTL_ST(fnstsw_mem, 2)},
    ARITH(x87_arith_i16, 2),
    {LD(fild_i16, 2),
     {0},
     ST(fist_i16, 2),
     ST(fistp_i16, 2),
     LD(fbld, 10),
     LD(fild_i64, 8),
     ST(fbstp, 10),
     ST(fistp_i64, 8)},
};

/* [env][FLDENV, FNSTENV, FRSTOR, FNSAVE] */
#define ENV_ROW(suffix, env_size, save_size)                                                       \
    {                                                                                              \
        CTL_LD(fldenv_##suffix, env_size), CTL_ST(fnstenv_##suffix, env_size),                     \
            CTL_LD(frstor_##suffix, save_size), CTL_ST(fnsave_##suffix, save_size)                 \
    }
static const struct fpu_x87_op env_ops[4][4] = {
    [FPU_ENV_PROT32] = ENV_ROW(prot32, 28, 108),
    [FPU_ENV_PROT16] = ENV_ROW(prot16, 14, 94),
    [FPU_ENV_REAL32] = ENV_ROW(real32, 28, 108),
    [FPU_ENV_REAL16] = ENV_ROW(real16, 14, 94),
};

/*
 * By opcode minus D8 and ModRM.reg, mod == 3, where ModRM.rm is a stack register. The aliases
 * that the manual does not list (DC D0, DD C8, DF C0, ...) act as on every processor.
 */
static const struct fpu_x87_op reg_ops[8][8] = {
    {REG(x87_arith_st0), REG(x87_arith_st0), REG(x87_fcom), REG(x87_fcomp), REG(x87_arith_st0),
     REG(x87_arith_st0), REG(x87_arith_st0), REG(x87_arith_st0)},
    {REG(fld_sti), REG(fxch), {0}, REG(fstp_sti_nce), {0}, {0}, {0}, {0}},
    {CMOV, CMOV, CMOV, CMOV, {0}, {0}, {0}, {0}},
    {CMOV, CMOV, CMOV, CMOV, {0}, COMI(x87_fucomi), COMI(x87_fcomi), {0}},
    {REG(x87_arith_sti), REG(x87_arith_sti), REG(x87_fcom), REG(x87_fcomp), REG(x87_arith_sti),
     REG(x87_arith_sti), REG(x87_arith_sti), REG(x87_arith_sti)},
    {REG(ffree), REG(fxch), REG(fst_sti), REG(fstp_sti), REG(x87_fucom), REG(x87_fucomp), {0}, {0}},
    {REG(x87_arith_sti_pop),
     REG(x87_arith_sti_pop),
     REG(x87_fcomp),
     {0},
     REG(x87_arith_sti_pop),
     REG(x87_arith_sti_pop),
     REG(x87_arith_sti_pop),
     REG(x87_arith_sti_pop)},
    {REG(ffreep),
     REG(fxch),
     REG(fstp_sti),
     REG(fstp_sti),
     {0},
     COMI(x87_fucomip),
     COMI(x87_fcomip),
     {0}},
};

/* D9 D0 and D9 E0 to FF, DB E0 to E7, and the three lone ones, by what they are found at. */
static const struct fpu_x87_op d9_ops[4][8] = {
    {REG(x87_fchs), REG(x87_fabs), {0}, {0}, REG(x87_ftst), REG(x87_fxam), {0}, {0}},
    {REG(fld_constant),
     REG(fld_constant),
     REG(fld_constant),
     REG(fld_constant),
     REG(fld_constant),
     REG(fld_constant),
     REG(fld_constant),
     {0}},
    {REG(x87_f2xm1), REG(x87_fyl2x), REG(x87_fptan), REG(x87_fpatan), REG(x87_fxtract),
     REG(x87_fprem1), REG(fdecstp), REG(fincstp)},
    {REG(x87_fprem), REG(x87_fyl2xp1), REG(x87_fsqrt), REG(x87_fsincos), REG(x87_frndint),
     REG(x87_fscale), REG(x87_fsin), REG(x87_fcos)},
};
/* FNENI, FNDISI and FNSETPM do nothing since the 80387. */
static const struct fpu_x87_op db_e0_ops[8] = {
    CTL(fnop), CTL(fnop), CTL(fnclex), CTL(fninit), CTL(fnop), {0}, {0}, {0},
};
static const struct fpu_x87_op fnop_op = REG(fnop);
static const struct fpu_x87_op fucompp_op = REG(x87_fucompp);
static const struct fpu_x87_op fcompp_op = REG(x87_fcompp);
static const struct fpu_x87_op fnstsw_ax_op = {fnop, 0,
                                               FPU_X87_CONTROL | FPU_X87_NOWAIT | FPU_X87_AX};

static const struct fpu_x87_op *lookup_mem(uint8_t opcode, unsigned reg, enum fpu_env env)
{
    if (opcode == 0xD9 && (reg == 4 || reg == 6))
        return &env_ops[env][reg == 6];
    if (opcode == 0xDD && (reg == 4 || reg == 6))
        return &env_ops[env][2 + (reg == 6)];
    return &mem_ops[opcode - 0xD8][reg];
}

static const struct fpu_x87_op *lookup_reg(uint8_t opcode, uint8_t modrm)
{
    if (opcode == 0xD9 && modrm >= 0xE0)
        return &d9_ops[(modrm - 0xE0) >> 3][modrm & 7];
    if (opcode == 0xD9 && modrm == 0xD0)
        return &fnop_op;
    if (opcode == 0xDA && modrm == 0xE9)
        return &fucompp_op;
    if (opcode == 0xDB && (modrm & 0xF8) == 0xE0)
        return &db_e0_ops[modrm & 7];
    if (opcode == 0xDE && modrm == 0xD9)
        return &fcompp_op;
    if (opcode == 0xDF && modrm == 0xE0)
        return &fnstsw_ax_op;
    return &reg_ops[opcode - 0xD8][modrm >> 3 & 7];
}

const struct fpu_x87_op *fpu_x87_lookup(uint8_t opcode, uint8_t modrm, enum fpu_env env)
{
    const struct fpu_x87_op *op =
        modrm < 0xC0 ? lookup_mem(opcode, modrm >> 3 & 7, env) : lookup_reg(opcode, modrm);
    return op->fn ? op : NULL;
}

uint32_t fpu_x87_execute(struct fpu *fpu, const struct fpu_x87_op *op, void *mem, uint32_t fop)
{
    uint32_t result = op->fn(fpu, mem, fop);

    if (!(op->flags & FPU_X87_CONTROL)) {
        fpu->ctl.fip = fpu->insn_ip;
        if (fpu_mf_pending(fpu)) {
            fpu->ctl.fop = fop & 0x7FF;
            if (op->mem_bytes)
                fpu->ctl.fdp = fpu->insn_dp;
        }
    }
    return result;
}
