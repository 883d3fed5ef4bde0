/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fast handlers: 64-bit mode, one operand size and addressing form each. They never fault and never
 * call: whatever is not simple goes to the generic handler before anything has changed, as a tail
 * call. So they need no stack frame, and the whole interpreter runs in registers.
 *
 * With CPU_TAIL_CALLS each ends by jumping to the next handler; else (unoptimised and sanitizer
 * builds, where compilers make no such jumps) it returns the next operation to the loop in run.c.
 */
#ifndef HW_CPU_FAST_H
#define HW_CPU_FAST_H

#include "decode.h"
#include "flags.h"

#if CPU_TAIL_CALLS && defined(__clang__)
#define TAIL(call) __attribute__((musttail)) return call
#else
#define TAIL(call) return call
#endif

#if CPU_TAIL_CALLS
#define DISPATCH(o)                                                                                \
    do {                                                                                           \
        const struct op *o_ = (o);                                                                 \
        TAIL(o_->fn(c, o_));                                                                       \
    } while (0)
#else
#define DISPATCH(o) return (o)
#endif
#define NEXT_FAST() DISPATCH(op + 1)

#define FAST(name) static const struct op *name(struct cpu *c, const struct op *op)
#define SLOW()     TAIL(cpu_opdesc[op->id].fn(c, op))

#define EA0() (c->gpr[op->base] + (uint64_t)(int64_t)op->disp)
#define EA1() (c->gpr[op->base] + (c->gpr[op->index] << op->scale) + (uint64_t)(int64_t)op->disp)

/* Declares a pointer to the host's memory for [va, va + sizeof(T)), or takes the slow path. */
#define HOST_AT(T, ptr, va, tag)                                                                   \
    T *ptr;                                                                                        \
    do {                                                                                           \
        uint64_t va_ = (va);                                                                       \
        const struct tlb_entry *e_ = tlb_at(c->tlb, va_);                                          \
        if (unlikely(e_->tag != ((va_ + sizeof(T) - 1) & PAGE_MASK))) {                            \
            SLOW();                                                                                \
        }                                                                                          \
        ptr = (T *)(va_ + e_->addend);                                                             \
    } while (0)

/* Guest memory at any alignment. */
typedef uint8_t mem_8;
typedef uint16_t __attribute__((aligned(1), may_alias)) mem_16;
typedef uint32_t __attribute__((aligned(1), may_alias)) mem_32;
typedef uint64_t __attribute__((aligned(1), may_alias)) mem_64;

/* Registers by width; r is a byte offset for 8 bits, see struct op. */
#define GET_8(r)     (((uint8_t *)c->gpr)[r])
#define GET_16(r)    ((uint16_t)c->gpr[r])
#define GET_32(r)    ((uint32_t)c->gpr[r])
#define GET_64(r)    (c->gpr[r])
#define SET_8(r, v)  (((uint8_t *)c->gpr)[r] = (uint8_t)(v))
#define SET_16(r, v) (*(uint16_t *)&c->gpr[r] = (uint16_t)(v))
#define SET_32(r, v) (c->gpr[r] = (uint32_t)(v))
#define SET_64(r, v) (c->gpr[r] = (v))

#define U(bits)   uint##bits##_t
#define S(bits)   int##bits##_t
#define MEM(bits) mem_##bits

#define ALU_SETS(name)                                                                             \
    extern const struct fastset fast_##name##_rm_reg, fast_##name##_rm_reg_8,                      \
        fast_##name##_reg_rm, fast_##name##_reg_rm_8, fast_##name##_rm_imm, fast_##name##_rm_imm_8
ALU_SETS(add);
ALU_SETS(or);
ALU_SETS(adc);
ALU_SETS(sbb);
ALU_SETS(and);
ALU_SETS(sub);
ALU_SETS(xor);
ALU_SETS(cmp);
#undef ALU_SETS

extern const struct fastset fast_test_rm_reg, fast_test_rm_reg_8, fast_test_rm_imm,
    fast_test_rm_imm_8, fast_not_rm, fast_not_rm_8, fast_neg_rm, fast_neg_rm_8, fast_inc_rm,
    fast_inc_rm_8, fast_dec_rm, fast_dec_rm_8, fast_rol_imm, fast_rol_cl, fast_ror_imm, fast_ror_cl,
    fast_shl_imm, fast_shl_cl, fast_shr_imm, fast_shr_cl, fast_sar_imm, fast_sar_cl,
    fast_imul_reg_rm, fast_imul_reg_rm_imm, fast_cbw, fast_cwd, fast_bt_reg, fast_bt_imm, fast_bsf,
    fast_bsr, fast_cmpxchg, fast_xadd;
extern const struct fastset fast_mov_rm_reg, fast_mov_rm_reg_8, fast_mov_reg_rm, fast_mov_reg_rm_8,
    fast_mov_rm_imm, fast_mov_rm_imm_8, fast_mov_reg_imm, fast_movzx_8, fast_movzx_16, fast_movsx_8,
    fast_movsx_16, fast_movsxd, fast_lea, fast_cmovcc, fast_setcc, fast_xchg_rm_reg, fast_push_reg,
    fast_push_imm, fast_push_rm, fast_pop_reg, fast_leave;
extern const struct fastset fast_ret, fast_call_rm, fast_jmp_rm;

/* Branches depend on where they go. near: both ways lie in the block's page. */
op_fn fast_jcc(unsigned cc, bool near);
op_fn fast_jmp(bool near);
op_fn fast_call(void);
op_fn fast_sti(bool near);
/* Plain moves of 8 and 16 bytes; NULL: none. */
op_fn fast_simd(const struct op *op, const struct fpu_simd_op *s);
/* Condition-specific handlers. */
op_fn fast_setcc_reg(unsigned cc);
op_fn fast_cmov_reg(unsigned cc, unsigned size);

#endif
