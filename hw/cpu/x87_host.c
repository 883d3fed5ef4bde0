/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exactly defined x87 operations, run on the host's x87 unit: what they give is the same on every
 * x86-64 processor. Each leaves the host's register stack empty and its control word as it was.
 */
#include "x87.h"

#include <assert.h>

#define HOST_CLOBBERS "st", "st(1)", "st(2)", "cc"

static inline uint16_t host_fcw(uint16_t guest)
{
    return guest | FCW_MASKS;
}

typedef uint16_t (*host_binary)(uint16_t fcw, struct fpu_reg *a, const void *b);

/* b is a register image: loading one never raises anything. */
#define BINARY_F80(name, insn)                                                                     \
    static uint16_t name(uint16_t fcw, struct fpu_reg *a, const void *b)                           \
    {                                                                                              \
        uint16_t cw = host_fcw(fcw), host_cw = FCW_HOST, sw;                                       \
        __asm__ volatile("fnclex\n\tfldcw %2\n\tfldt %3\n\tfldt %1\n\t" insn                       \
                         "\n\tfnstsw %0\n\tfstpt %1\n\tfstp %%st\n\tfldcw %4"                      \
                         : "=&a"(sw), "+m"(*a)                                                     \
                         : "m"(cw), "m"(*(const struct fpu_reg *)b), "m"(host_cw)                  \
                         : HOST_CLOBBERS);                                                         \
        return sw;                                                                                 \
    }

struct bytes2 {
    uint8_t b[2];
};
struct bytes4 {
    uint8_t b[4];
};
struct bytes8 {
    uint8_t b[8];
};
struct bytes10 {
    uint8_t b[10];
};

#define BINARY_MEM(name, insn, type)                                                               \
    static uint16_t name(uint16_t fcw, struct fpu_reg *a, const void *b)                           \
    {                                                                                              \
        uint16_t cw = host_fcw(fcw), host_cw = FCW_HOST, sw;                                       \
        __asm__ volatile("fnclex\n\tfldcw %2\n\tfldt %1\n\t" insn                                  \
                         " %3\n\tfnstsw %0\n\tfstpt %1\n\tfldcw %4"                                \
                         : "=&a"(sw), "+m"(*a)                                                     \
                         : "m"(cw), "m"(*(const type *)b), "m"(host_cw)                            \
                         : HOST_CLOBBERS);                                                         \
        return sw;                                                                                 \
    }

#define BINARY(op)                                                                                 \
    BINARY_F80(op##_f80, "f" #op " %%st(1), %%st")                                                 \
    BINARY_MEM(op##_f32, "f" #op "s", struct bytes4)                                               \
    BINARY_MEM(op##_f64, "f" #op "l", struct bytes8)                                               \
    BINARY_MEM(op##_i16, "fi" #op "s", struct bytes2)                                              \
    BINARY_MEM(op##_i32, "fi" #op "l", struct bytes4)

BINARY(add)
BINARY(mul)
BINARY(sub)
BINARY(subr)
BINARY(div)
BINARY(divr)

#define BINARY_ROW(op)                                                                             \
    {                                                                                              \
        op##_f80, op##_f32, op##_f64, op##_i16, op##_i32                                           \
    }

uint16_t x87_host_arith(unsigned index, enum x87_format format, uint16_t fcw, struct fpu_reg *a,
                        const void *b)
{
    static const host_binary table[8][5] = {
        [0] = BINARY_ROW(add),  [1] = BINARY_ROW(mul), [4] = BINARY_ROW(sub),
        [5] = BINARY_ROW(subr), [6] = BINARY_ROW(div), [7] = BINARY_ROW(divr),
    };
    assert(format <= X87_I32 && table[index][format]);
    return table[index][format](fcw, a, b);
}

BINARY_F80(scale_f80, "fscale")

/* ---- Comparisons ---- */

BINARY_F80(com_f80, "fcom %%st(1)")
BINARY_F80(ucom_f80, "fucom %%st(1)")
BINARY_MEM(com_f32, "fcoms", struct bytes4)
BINARY_MEM(com_f64, "fcoml", struct bytes8)
BINARY_MEM(com_i16, "ficoms", struct bytes2)
BINARY_MEM(com_i32, "ficoml", struct bytes4)

uint16_t x87_host_compare(bool quiet, enum x87_format format, const struct fpu_reg *a,
                          const void *b)
{
    static const host_binary table[5] = {com_f80, com_f32, com_f64, com_i16, com_i32};
    struct fpu_reg copy = *a;

    assert(format <= X87_I32 && (!quiet || format == X87_F80));
    return quiet ? ucom_f80(FCW_HOST, &copy, b) : table[format](FCW_HOST, &copy, b);
}

/* ---- Loads and stores ---- */

typedef uint16_t (*host_load)(struct fpu_reg *to, const void *from);

#define LOAD(name, insn, type)                                                                     \
    static uint16_t name(struct fpu_reg *to, const void *from)                                     \
    {                                                                                              \
        uint16_t sw;                                                                               \
        __asm__ volatile("fnclex\n\t" insn " %2\n\tfnstsw %0\n\tfstpt %1"                          \
                         : "=&a"(sw), "+m"(*to)                                                    \
                         : "m"(*(const type *)from)                                                \
                         : HOST_CLOBBERS);                                                         \
        return sw;                                                                                 \
    }

LOAD(load_f80, "fldt", struct bytes10)
LOAD(load_f32, "flds", struct bytes4)
LOAD(load_f64, "fldl", struct bytes8)
LOAD(load_i16, "filds", struct bytes2)
LOAD(load_i32, "fildl", struct bytes4)
LOAD(load_i64, "fildq", struct bytes8)
LOAD(load_bcd, "fbld", struct bytes10)

uint16_t x87_host_load(enum x87_format format, struct fpu_reg *to, const void *from)
{
    static const host_load table[] = {load_f80, load_f32, load_f64, load_i16,
                                      load_i32, load_i64, load_bcd};
    *to = (struct fpu_reg){0};
    return table[format](to, from);
}

typedef uint16_t (*host_store)(uint16_t fcw, void *to, const struct fpu_reg *from);

#define STORE(name, insn, type)                                                                    \
    static uint16_t name(uint16_t fcw, void *to, const struct fpu_reg *from)                       \
    {                                                                                              \
        uint16_t cw = host_fcw(fcw), host_cw = FCW_HOST, sw;                                       \
        __asm__ volatile("fnclex\n\tfldcw %2\n\tfldt %3\n\t" insn " %1\n\tfnstsw %0\n\tfldcw %4"   \
                         : "=&a"(sw), "=m"(*(type *)to)                                            \
                         : "m"(cw), "m"(*from), "m"(host_cw)                                       \
                         : HOST_CLOBBERS);                                                         \
        return sw;                                                                                 \
    }

STORE(store_f80, "fstpt", struct bytes10)
STORE(store_f32, "fstps", struct bytes4)
STORE(store_f64, "fstpl", struct bytes8)
STORE(store_i16, "fistps", struct bytes2)
STORE(store_i32, "fistpl", struct bytes4)
STORE(store_i64, "fistpq", struct bytes8)
STORE(store_bcd, "fbstp", struct bytes10)

uint16_t x87_host_store(enum x87_format format, uint16_t fcw, void *to, const struct fpu_reg *from)
{
    static const host_store table[] = {store_f80, store_f32, store_f64, store_i16,
                                       store_i32, store_i64, store_bcd};
    return table[format](fcw, to, from);
}

/* ---- One operand ---- */

#define UNARY(name, insn)                                                                          \
    uint16_t name(uint16_t fcw, struct fpu_reg *a)                                                 \
    {                                                                                              \
        uint16_t cw = host_fcw(fcw), host_cw = FCW_HOST, sw;                                       \
        __asm__ volatile("fnclex\n\tfldcw %2\n\tfldt %1\n\t" insn                                  \
                         "\n\tfnstsw %0\n\tfstpt %1\n\tfldcw %3"                                   \
                         : "=&a"(sw), "+m"(*a)                                                     \
                         : "m"(cw), "m"(host_cw)                                                   \
                         : HOST_CLOBBERS);                                                         \
        return sw;                                                                                 \
    }

UNARY(x87_host_sqrt, "fsqrt")
UNARY(x87_host_rndint, "frndint")

uint16_t x87_host_scale(uint16_t fcw, struct fpu_reg *a, const struct fpu_reg *b)
{
    return scale_f80(fcw, a, b);
}

uint16_t x87_host_extract(struct fpu_reg *a, struct fpu_reg *significand)
{
    uint16_t sw;
    *significand = (struct fpu_reg){0};
    __asm__ volatile("fnclex\n\tfldt %1\n\tfxtract\n\tfnstsw %0\n\tfstpt %2\n\tfstpt %1"
                     : "=&a"(sw), "+m"(*a), "+m"(*significand)
                     :
                     : HOST_CLOBBERS);
    return sw;
}

#define CONSTANT(name, insn)                                                                       \
    static void name(uint16_t fcw, struct fpu_reg *to)                                             \
    {                                                                                              \
        uint16_t cw = host_fcw(fcw), host_cw = FCW_HOST;                                           \
        __asm__ volatile("fnclex\n\tfldcw %1\n\t" insn "\n\tfstpt %0\n\tfldcw %2"                  \
                         : "+m"(*to)                                                               \
                         : "m"(cw), "m"(host_cw)                                                   \
                         : HOST_CLOBBERS);                                                         \
    }

CONSTANT(constant_1, "fld1")
CONSTANT(constant_l2t, "fldl2t")
CONSTANT(constant_l2e, "fldl2e")
CONSTANT(constant_pi, "fldpi")
CONSTANT(constant_lg2, "fldlg2")
CONSTANT(constant_ln2, "fldln2")
CONSTANT(constant_z, "fldz")

void x87_host_constant(unsigned index, uint16_t fcw, struct fpu_reg *to)
{
    static void (*const table[])(uint16_t, struct fpu_reg *) = {
        constant_1, constant_l2t, constant_l2e, constant_pi, constant_lg2, constant_ln2, constant_z,
    };
    assert(index < sizeof(table) / sizeof(table[0]));
    *to = (struct fpu_reg){0};
    table[index](fcw, to);
}
