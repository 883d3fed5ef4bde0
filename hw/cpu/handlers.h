/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The generic handlers, one per instruction; the opcode table (decode_table.c) refers to them. */
#ifndef HW_CPU_HANDLERS_H
#define HW_CPU_HANDLERS_H

#include "core.h"

#define OP(name) const struct op *name(struct cpu *c, const struct op *op)

/* #GP(0) unless the I/O permission map or IOPL allow these ports. */
void io_check(struct cpu *c, unsigned port, unsigned bytes);

/* Ends of blocks without a branch: the next instruction lies in the same page, or not. */
OP(op_fall_near);
OP(op_fall_far);

#define ALU_OPS(name)                                                                              \
    OP(op_##name##_rm_reg);                                                                        \
    OP(op_##name##_reg_rm);                                                                        \
    OP(op_##name##_rm_imm)
ALU_OPS(add);
ALU_OPS(or);
ALU_OPS(adc);
ALU_OPS(sbb);
ALU_OPS(and);
ALU_OPS(sub);
ALU_OPS(xor);
ALU_OPS(cmp);
#undef ALU_OPS
#define SHIFT_OPS(name)                                                                            \
    OP(op_##name##_imm);                                                                           \
    OP(op_##name##_cl)
SHIFT_OPS(rol);
SHIFT_OPS(ror);
SHIFT_OPS(rcl);
SHIFT_OPS(rcr);
SHIFT_OPS(shl);
SHIFT_OPS(shr);
SHIFT_OPS(sar);
#undef SHIFT_OPS
#define BT_OPS(name)                                                                               \
    OP(op_##name##_reg);                                                                           \
    OP(op_##name##_imm)
BT_OPS(bt);
BT_OPS(bts);
BT_OPS(btr);
BT_OPS(btc);
#undef BT_OPS

/* alu.c */
OP(op_test_rm_reg);
OP(op_test_rm_imm);
OP(op_inc_rm);
OP(op_dec_rm);
OP(op_not_rm);
OP(op_neg_rm);
OP(op_daa);
OP(op_das);
OP(op_aaa);
OP(op_aas);
OP(op_aam);
OP(op_aad);

/* shift.c */
OP(op_shld_imm);
OP(op_shld_cl);
OP(op_shrd_imm);
OP(op_shrd_cl);

/* muldiv.c */
OP(op_mul_rm);
OP(op_imul_rm);
OP(op_imul_reg_rm);
OP(op_imul_reg_rm_imm);
OP(op_div_rm);
OP(op_idiv_rm);
OP(op_cbw);
OP(op_cwd);

/* bitops.c */
OP(op_bsf);
OP(op_bsr);
OP(op_setcc);
OP(op_cmovcc);
OP(op_bswap);
OP(op_xadd);
OP(op_cmpxchg);
OP(op_cmpxchg8b);

/* data.c */
OP(op_nop);
OP(op_ud);
OP(op_too_long);
OP(op_mov_rm_reg);
OP(op_mov_reg_rm);
OP(op_mov_rm_imm);
OP(op_mov_reg_imm);
OP(op_mov_acc_moffs);
OP(op_mov_moffs_acc);
OP(op_movzx_8);
OP(op_movzx_16);
OP(op_movsx_8);
OP(op_movsx_16);
OP(op_movsxd);
OP(op_lea);
OP(op_xchg_rm_reg);
OP(op_xchg_acc);
OP(op_xlat);
OP(op_movnti);
OP(op_movdir64b);
OP(op_push_reg);
OP(op_push_rm);
OP(op_push_imm);
OP(op_pop_reg);
OP(op_pop_rm);
OP(op_pusha);
OP(op_popa);
OP(op_enter);
OP(op_leave);
OP(op_lahf);
OP(op_sahf);
OP(op_clc);
OP(op_stc);
OP(op_cmc);
OP(op_cld);
OP(op_std);
OP(op_salc);
OP(op_bound);

/* string.c */
OP(op_movs);
OP(op_stos);
OP(op_lods);
OP(op_cmps);
OP(op_scas);
OP(op_ins);
OP(op_outs);

/* branch.c */
OP(op_jmp_rel);
OP(op_jcc);
OP(op_call_rel);
OP(op_jmp_rm);
OP(op_call_rm);
OP(op_ret);
OP(op_loop);

/* io.c */
OP(op_in_imm);
OP(op_in_dx);
OP(op_out_imm);
OP(op_out_dx);

/* segment.c */
OP(op_mov_rm_seg);
OP(op_mov_seg_rm);
OP(op_push_seg);
OP(op_pop_seg);
OP(op_les);
OP(op_lds);
OP(op_lss);
OP(op_lfs);
OP(op_lgs);

/* far.c */
OP(op_jmp_far);
OP(op_call_far);
OP(op_jmp_far_rm);
OP(op_call_far_rm);
OP(op_retf);
OP(op_iret);

/* interrupt.c */
OP(op_int);
OP(op_int3);
OP(op_into);
OP(op_int1);

/* system.c */
OP(op_mov_reg_cr);
OP(op_mov_cr_reg);
OP(op_clts);
OP(op_smsw);
OP(op_lmsw);
OP(op_mov_reg_dr);
OP(op_mov_dr_reg);
OP(op_sgdt);
OP(op_sidt);
OP(op_lgdt);
OP(op_lidt);
OP(op_sldt);
OP(op_str);
OP(op_lldt);
OP(op_ltr);
OP(op_lar);
OP(op_lsl);
OP(op_verr);
OP(op_verw);
OP(op_arpl);
OP(op_invlpg);
OP(op_wbinvd);
OP(op_clflush);
OP(op_cli);
OP(op_sti);
OP(op_hlt);
OP(op_pushf);
OP(op_popf);

/* syscall.c */
OP(op_syscall);
OP(op_sysret);
OP(op_sysenter);
OP(op_sysexit);
OP(op_swapgs);
OP(op_fsgsbase);

/* msr.c */
OP(op_rdmsr);
OP(op_wrmsr);
OP(op_rdtsc);
OP(op_rdtscp);
OP(op_rdpmc);
OP(op_cpuid);
OP(op_rdrand);

/* simd.c */
OP(op_simd);
OP(op_x87);
OP(op_fwait);
OP(op_fxsave);
OP(op_fxrstor);

/* xsave.c */
OP(op_xsave);
OP(op_xsavec);
OP(op_xsaves);
OP(op_xrstor);
OP(op_xrstors);
OP(op_xcr);

/* enqueue.c */
OP(op_enqcmd);
OP(op_enqcmds);

#endif
