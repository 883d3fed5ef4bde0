/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The opcode table. Intel 64 and IA-32 SDM (325462-083), volume 2, appendix A. Entries without a
 * handler are #UD, or belong to the SIMD unit (0F map) or the x87 (D8 to DF).
 */
#include "decode.h"
#include "fast.h"
#include "handlers.h"

#define R(f) (D_MODRM | (f))

/* ADD to CMP have the same six forms. */
#define ALU_ROW(base, name, lock)                                                                  \
    [(base) + 0] = {op_##name##_rm_reg, &fast_##name##_rm_reg_8, R(D_B | (lock)), 0},              \
              [(base) + 1] = {op_##name##_rm_reg, &fast_##name##_rm_reg, R(lock), 0},              \
              [(base) + 2] = {op_##name##_reg_rm, &fast_##name##_reg_rm_8, R(D_B), 0},             \
              [(base) + 3] = {op_##name##_reg_rm, &fast_##name##_reg_rm, R(0), 0},                 \
              [(base) + 4] = {op_##name##_rm_imm, &fast_##name##_rm_imm_8, D_ACC | D_B | D_IMMZ,   \
                              0},                                                                  \
              [(base) + 5] = {op_##name##_rm_imm, &fast_##name##_rm_imm, D_ACC | D_IMMZ, 0}

#define ALU_GROUP(g, byte, imm, suffix)                                                            \
    [(g) + 0] = {op_add_rm_imm, &fast_add_rm_imm##suffix, R((byte) | (imm) | D_LOCK), 0},          \
           [(g) + 1] = {op_or_rm_imm, &fast_or_rm_imm##suffix, R((byte) | (imm) | D_LOCK), 0},     \
           [(g) + 2] = {op_adc_rm_imm, &fast_adc_rm_imm##suffix, R((byte) | (imm) | D_LOCK), 0},   \
           [(g) + 3] = {op_sbb_rm_imm, &fast_sbb_rm_imm##suffix, R((byte) | (imm) | D_LOCK), 0},   \
           [(g) + 4] = {op_and_rm_imm, &fast_and_rm_imm##suffix, R((byte) | (imm) | D_LOCK), 0},   \
           [(g) + 5] = {op_sub_rm_imm, &fast_sub_rm_imm##suffix, R((byte) | (imm) | D_LOCK), 0},   \
           [(g) + 6] = {op_xor_rm_imm, &fast_xor_rm_imm##suffix, R((byte) | (imm) | D_LOCK), 0},   \
           [(g) + 7] = {op_cmp_rm_imm, &fast_cmp_rm_imm##suffix, R((byte) | (imm)), 0}

/* 6 is an alias of SHL. */
#define SHIFT_GROUP(g, how, flags)                                                                 \
    [(g) + 0] = {op_rol_##how, &fast_rol_##how, R(flags), 0},                                      \
           [(g) + 1] = {op_ror_##how, &fast_ror_##how, R(flags), 0},                               \
           [(g) + 2] = {op_rcl_##how, NULL, R(flags), 0},                                          \
           [(g) + 3] = {op_rcr_##how, NULL, R(flags), 0},                                          \
           [(g) + 4] = {op_shl_##how, &fast_shl_##how, R(flags), 0},                               \
           [(g) + 5] = {op_shr_##how, &fast_shr_##how, R(flags), 0},                               \
           [(g) + 6] = {op_shl_##how, &fast_shl_##how, R(flags), 0},                               \
           [(g) + 7] = {op_sar_##how, &fast_sar_##how, R(flags), 0}

#define UNARY_GROUP(g, byte, suffix)                                                               \
    [(g) + 0] = {op_test_rm_imm, &fast_test_rm_imm##suffix, R((byte) | D_IMMZ), 0},                \
           [(g) + 1] = {op_test_rm_imm, &fast_test_rm_imm##suffix, R((byte) | D_IMMZ), 0},         \
           [(g) + 2] = {op_not_rm, &fast_not_rm##suffix, R((byte) | D_LOCK), 0},                   \
           [(g) + 3] = {op_neg_rm, &fast_neg_rm##suffix, R((byte) | D_LOCK), 0},                   \
           [(g) + 4] = {op_mul_rm, NULL, R(byte), 0}, [(g) + 5] = {op_imul_rm, NULL, R(byte), 0},  \
           [(g) + 6] = {op_div_rm, NULL, R(byte), 0}, [(g) + 7] = {op_idiv_rm, NULL, R(byte), 0}

#define FOUR(base, fn, fast, flags)                                                                \
    [(base) + 0] = {fn, fast, flags, 0}, [(base) + 1] = {fn, fast, flags, 0},                      \
              [(base) + 2] = {fn, fast, flags, 0}, [(base) + 3] = {fn, fast, flags, 0}
#define EIGHT(base, fn, fast, flags) FOUR(base, fn, fast, flags), FOUR((base) + 4, fn, fast, flags)
#define SIXTEEN(base, fn, fast, flags)                                                             \
    EIGHT(base, fn, fast, flags), EIGHT((base) + 8, fn, fast, flags)

#define STRING(base, fn)                                                                           \
    [(base) + 0] = {fn, NULL, D_B | D_END, 0}, [(base) + 1] = {fn, NULL, D_END, 0}

const struct opdesc cpu_opdesc[ID_COUNT] = {
    ALU_ROW(0x00, add, D_LOCK),
    ALU_ROW(0x08, or, D_LOCK),
    ALU_ROW(0x10, adc, D_LOCK),
    ALU_ROW(0x18, sbb, D_LOCK),
    ALU_ROW(0x20, and, D_LOCK),
    ALU_ROW(0x28, sub, D_LOCK),
    ALU_ROW(0x30, xor, D_LOCK),
    ALU_ROW(0x38, cmp, 0),
    [0x06] = {op_push_seg, NULL, D_64 | D_I64, 0},
    [0x07] = {op_pop_seg, NULL, D_64 | D_I64 | D_END, 0},
    [0x0E] = {op_push_seg, NULL, D_64 | D_I64, 0},
    [0x16] = {op_push_seg, NULL, D_64 | D_I64, 0},
    [0x17] = {op_pop_seg, NULL, D_64 | D_I64 | D_END, 0},
    [0x1E] = {op_push_seg, NULL, D_64 | D_I64, 0},
    [0x1F] = {op_pop_seg, NULL, D_64 | D_I64 | D_END, 0},
    [0x27] = {op_daa, NULL, D_I64, 0},
    [0x2F] = {op_das, NULL, D_I64, 0},
    [0x37] = {op_aaa, NULL, D_I64, 0},
    [0x3F] = {op_aas, NULL, D_I64, 0},
    EIGHT(0x40, op_inc_rm, NULL, D_OREG | D_I64),
    EIGHT(0x48, op_dec_rm, NULL, D_OREG | D_I64),
    EIGHT(0x50, op_push_reg, &fast_push_reg, D_OREG | D_64),
    EIGHT(0x58, op_pop_reg, &fast_pop_reg, D_OREG | D_64),
    [0x60] = {op_pusha, NULL, D_I64, 0},
    [0x61] = {op_popa, NULL, D_I64, 0},
    [0x62] = {op_bound, NULL, R(D_I64 | D_MEM), 0},
    [0x63] = {op_movsxd, &fast_movsxd, R(0), 0}, /* ARPL outside 64-bit mode: decode.c */
    [0x68] = {op_push_imm, &fast_push_imm, D_64 | D_IMMZ, 0},
    [0x69] = {op_imul_reg_rm_imm, &fast_imul_reg_rm_imm, R(D_IMMZ), 0},
    [0x6A] = {op_push_imm, &fast_push_imm, D_64 | D_IMM8, 0},
    [0x6B] = {op_imul_reg_rm_imm, &fast_imul_reg_rm_imm, R(D_IMM8), 0},
    STRING(0x6C, op_ins),
    STRING(0x6E, op_outs),
    SIXTEEN(0x70, op_jcc, NULL, D_F64 | D_REL8 | D_END),
    [0x80] = {NULL, NULL, D_GROUP, G_80},
    [0x81] = {NULL, NULL, D_GROUP, G_81},
    [0x83] = {NULL, NULL, D_GROUP, G_83},
    [0x84] = {op_test_rm_reg, &fast_test_rm_reg_8, R(D_B), 0},
    [0x85] = {op_test_rm_reg, &fast_test_rm_reg, R(0), 0},
    [0x86] = {op_xchg_rm_reg, NULL, R(D_B | D_LOCK), 0},
    [0x87] = {op_xchg_rm_reg, &fast_xchg_rm_reg, R(D_LOCK), 0},
    [0x88] = {op_mov_rm_reg, &fast_mov_rm_reg_8, R(D_B), 0},
    [0x89] = {op_mov_rm_reg, &fast_mov_rm_reg, R(0), 0},
    [0x8A] = {op_mov_reg_rm, &fast_mov_reg_rm_8, R(D_B), 0},
    [0x8B] = {op_mov_reg_rm, &fast_mov_reg_rm, R(0), 0},
    [0x8C] = {op_mov_rm_seg, NULL, R(D_SEGREG), 0},
    [0x8D] = {op_lea, &fast_lea, R(D_MEM | D_NOSEG), 0},
    [0x8E] = {op_mov_seg_rm, NULL, R(D_SEGREG | D_END), 0},
    [0x8F] = {NULL, NULL, D_GROUP, G_8F},
    [0x90] = {op_nop, NULL, D_NOP, 0},
    [0x91] = {op_xchg_acc, NULL, D_OREG, 0},
    [0x92] = {op_xchg_acc, NULL, D_OREG, 0},
    [0x93] = {op_xchg_acc, NULL, D_OREG, 0},
    FOUR(0x94, op_xchg_acc, NULL, D_OREG),
    [0x98] = {op_cbw, &fast_cbw, 0, 0},
    [0x99] = {op_cwd, &fast_cwd, 0, 0},
    [0x9A] = {op_call_far, NULL, D_I64 | D_FAR | D_END, 0},
    [0x9B] = {op_fwait, NULL, 0, 0},
    [0x9C] = {op_pushf, NULL, D_64, 0},
    [0x9D] = {op_popf, NULL, D_64 | D_END, 0},
    [0x9E] = {op_sahf, NULL, 0, 0},
    [0x9F] = {op_lahf, NULL, 0, 0},
    [0xA0] = {op_mov_acc_moffs, NULL, D_B | D_MOFFS, 0},
    [0xA1] = {op_mov_acc_moffs, NULL, D_MOFFS, 0},
    [0xA2] = {op_mov_moffs_acc, NULL, D_B | D_MOFFS, 0},
    [0xA3] = {op_mov_moffs_acc, NULL, D_MOFFS, 0},
    STRING(0xA4, op_movs),
    STRING(0xA6, op_cmps),
    [0xA8] = {op_test_rm_imm, &fast_test_rm_imm_8, D_ACC | D_B | D_IMMZ, 0},
    [0xA9] = {op_test_rm_imm, &fast_test_rm_imm, D_ACC | D_IMMZ, 0},
    STRING(0xAA, op_stos),
    STRING(0xAC, op_lods),
    STRING(0xAE, op_scas),
    EIGHT(0xB0, op_mov_reg_imm, NULL, D_B | D_OREG | D_IMMV),
    EIGHT(0xB8, op_mov_reg_imm, &fast_mov_reg_imm, D_OREG | D_IMMV),
    [0xC0] = {NULL, NULL, D_GROUP, G_C0},
    [0xC1] = {NULL, NULL, D_GROUP, G_C1},
    [0xC2] = {op_ret, &fast_ret, D_F64 | D_IMM16 | D_END, 0},
    [0xC3] = {op_ret, &fast_ret, D_F64 | D_END, 0},
    [0xC4] = {op_les, NULL, R(D_I64 | D_MEM | D_END), 0},
    [0xC5] = {op_lds, NULL, R(D_I64 | D_MEM | D_END), 0},
    [0xC6] = {NULL, NULL, D_GROUP, G_C6},
    [0xC7] = {NULL, NULL, D_GROUP, G_C7},
    [0xC8] = {op_enter, NULL, D_64 | D_IMM16 | D_IMM8, 0},
    [0xC9] = {op_leave, &fast_leave, D_64, 0},
    [0xCA] = {op_retf, NULL, D_IMM16 | D_END, 0},
    [0xCB] = {op_retf, NULL, D_END, 0},
    [0xCC] = {op_int3, NULL, D_END, 0},
    [0xCD] = {op_int, NULL, D_IMM8 | D_END, 0},
    [0xCE] = {op_into, NULL, D_I64, 0},
    [0xCF] = {op_iret, NULL, D_END, 0},
    [0xD0] = {NULL, NULL, D_GROUP, G_D0},
    [0xD1] = {NULL, NULL, D_GROUP, G_D1},
    [0xD2] = {NULL, NULL, D_GROUP, G_D2},
    [0xD3] = {NULL, NULL, D_GROUP, G_D3},
    [0xD4] = {op_aam, NULL, D_I64 | D_IMM8, 0},
    [0xD5] = {op_aad, NULL, D_I64 | D_IMM8, 0},
    [0xD6] = {op_salc, NULL, D_I64, 0},
    [0xD7] = {op_xlat, NULL, D_B, 0},
    FOUR(0xE0, op_loop, NULL, D_F64 | D_REL8 | D_END),
    [0xE4] = {op_in_imm, NULL, D_B | D_IMM8, 0},
    [0xE5] = {op_in_imm, NULL, D_IMM8, 0},
    [0xE6] = {op_out_imm, NULL, D_B | D_IMM8, 0},
    [0xE7] = {op_out_imm, NULL, D_IMM8, 0},
    [0xE8] = {op_call_rel, NULL, D_F64 | D_RELZ | D_END, 0},
    [0xE9] = {op_jmp_rel, NULL, D_F64 | D_RELZ | D_END, 0},
    [0xEA] = {op_jmp_far, NULL, D_I64 | D_FAR | D_END, 0},
    [0xEB] = {op_jmp_rel, NULL, D_F64 | D_REL8 | D_END, 0},
    [0xEC] = {op_in_dx, NULL, D_B, 0},
    [0xED] = {op_in_dx, NULL, 0, 0},
    [0xEE] = {op_out_dx, NULL, D_B, 0},
    [0xEF] = {op_out_dx, NULL, 0, 0},
    [0xF1] = {op_int1, NULL, D_END, 0},
    [0xF4] = {op_hlt, NULL, D_END, 0},
    [0xF5] = {op_cmc, NULL, 0, 0},
    [0xF6] = {NULL, NULL, D_GROUP, G_F6},
    [0xF7] = {NULL, NULL, D_GROUP, G_F7},
    [0xF8] = {op_clc, NULL, 0, 0},
    [0xF9] = {op_stc, NULL, 0, 0},
    [0xFA] = {op_cli, NULL, 0, 0},
    [0xFB] = {op_sti, NULL, D_END, 0},
    [0xFC] = {op_cld, NULL, 0, 0},
    [0xFD] = {op_std, NULL, 0, 0},
    [0xFE] = {NULL, NULL, D_GROUP, G_FE},
    [0xFF] = {NULL, NULL, D_GROUP, G_FF},

    [ID_0F + 0x00] = {NULL, NULL, D_GROUP, G_0F00},
    [ID_0F + 0x01] = {NULL, NULL, D_GROUPM, G_0F01},
    [ID_0F + 0x02] = {op_lar, NULL, R(0), 0},
    [ID_0F + 0x03] = {op_lsl, NULL, R(0), 0},
    [ID_0F + 0x05] = {op_syscall, NULL, D_END, 0},
    [ID_0F + 0x06] = {op_clts, NULL, 0, 0},
    [ID_0F + 0x07] = {op_sysret, NULL, D_END, 0},
    [ID_0F + 0x08] = {op_wbinvd, NULL, 0, 0},
    [ID_0F + 0x09] = {op_wbinvd, NULL, 0, 0},
    [ID_0F + 0x0B] = {op_ud, NULL, D_END, 0},
    [ID_0F + 0x0D] = {op_nop, NULL, R(D_NOP), 0},
    EIGHT(ID_0F + 0x18, op_nop, NULL, R(D_NOP)),
    [ID_0F + 0x20] = {op_mov_reg_cr, NULL, R(D_RMREG), 0},
    [ID_0F + 0x21] = {op_mov_reg_dr, NULL, R(D_RMREG), 0},
    [ID_0F + 0x22] = {op_mov_cr_reg, NULL, R(D_RMREG | D_END), 0},
    [ID_0F + 0x23] = {op_mov_dr_reg, NULL, R(D_RMREG | D_END), 0},
    [ID_0F + 0x30] = {op_wrmsr, NULL, D_END, 0},
    [ID_0F + 0x31] = {op_rdtsc, NULL, 0, 0},
    [ID_0F + 0x32] = {op_rdmsr, NULL, 0, 0},
    [ID_0F + 0x33] = {op_rdpmc, NULL, D_END, 0},
    [ID_0F + 0x34] = {op_sysenter, NULL, D_END, 0},
    [ID_0F + 0x35] = {op_sysexit, NULL, D_END, 0},
    SIXTEEN(ID_0F + 0x40, op_cmovcc, &fast_cmovcc, R(0)),
    SIXTEEN(ID_0F + 0x80, op_jcc, NULL, D_F64 | D_RELZ | D_END),
    SIXTEEN(ID_0F + 0x90, op_setcc, &fast_setcc, R(D_B)),
    [ID_0F + 0xA0] = {op_push_seg, NULL, D_64, 0},
    [ID_0F + 0xA1] = {op_pop_seg, NULL, D_64 | D_END, 0},
    [ID_0F + 0xA2] = {op_cpuid, NULL, 0, 0},
    [ID_0F + 0xA3] = {op_bt_reg, &fast_bt_reg, R(0), 0},
    [ID_0F + 0xA4] = {op_shld_imm, NULL, R(D_IMM8), 0},
    [ID_0F + 0xA5] = {op_shld_cl, NULL, R(0), 0},
    [ID_0F + 0xA8] = {op_push_seg, NULL, D_64, 0},
    [ID_0F + 0xA9] = {op_pop_seg, NULL, D_64 | D_END, 0},
    [ID_0F + 0xAB] = {op_bts_reg, NULL, R(D_LOCK), 0},
    [ID_0F + 0xAC] = {op_shrd_imm, NULL, R(D_IMM8), 0},
    [ID_0F + 0xAD] = {op_shrd_cl, NULL, R(0), 0},
    [ID_0F + 0xAE] = {NULL, NULL, D_GROUPM, G_0FAE},
    [ID_0F + 0xAF] = {op_imul_reg_rm, &fast_imul_reg_rm, R(0), 0},
    [ID_0F + 0xB0] = {op_cmpxchg, NULL, R(D_B | D_LOCK), 0},
    [ID_0F + 0xB1] = {op_cmpxchg, &fast_cmpxchg, R(D_LOCK), 0},
    [ID_0F + 0xB2] = {op_lss, NULL, R(D_MEM | D_END), 0},
    [ID_0F + 0xB3] = {op_btr_reg, NULL, R(D_LOCK), 0},
    [ID_0F + 0xB4] = {op_lfs, NULL, R(D_MEM | D_END), 0},
    [ID_0F + 0xB5] = {op_lgs, NULL, R(D_MEM | D_END), 0},
    [ID_0F + 0xB6] = {op_movzx_8, &fast_movzx_8, R(D_RM8), 0},
    [ID_0F + 0xB7] = {op_movzx_16, &fast_movzx_16, R(0), 0},
    [ID_0F + 0xB9] = {op_ud, NULL, R(D_END), 0},
    [ID_0F + 0xBA] = {NULL, NULL, D_GROUP, G_0FBA},
    [ID_0F + 0xBB] = {op_btc_reg, NULL, R(D_LOCK), 0},
    [ID_0F + 0xBC] = {op_bsf, &fast_bsf, R(0), 0},
    [ID_0F + 0xBD] = {op_bsr, &fast_bsr, R(0), 0},
    [ID_0F + 0xBE] = {op_movsx_8, &fast_movsx_8, R(D_RM8), 0},
    [ID_0F + 0xBF] = {op_movsx_16, &fast_movsx_16, R(0), 0},
    [ID_0F + 0xC0] = {op_xadd, NULL, R(D_B | D_LOCK), 0},
    [ID_0F + 0xC1] = {op_xadd, &fast_xadd, R(D_LOCK), 0},
    [ID_0F + 0xC3] = {op_movnti, NULL, R(D_MEM), 0},
    [ID_0F + 0xC7] = {NULL, NULL, D_GROUPM, G_0FC7},
    EIGHT(ID_0F + 0xC8, op_bswap, NULL, D_OREG),
    [ID_0F + 0xFF] = {op_ud, NULL, R(D_END), 0},

    ALU_GROUP(G_80, D_B, D_IMMZ, _8),
    ALU_GROUP(G_81, 0, D_IMMZ, ),
    ALU_GROUP(G_83, 0, D_IMM8, ),
    [G_8F + 0] = {op_pop_rm, NULL, R(D_64), 0},
    SHIFT_GROUP(G_C0, imm, D_B | D_IMM8),
    SHIFT_GROUP(G_C1, imm, D_IMM8),
    [G_C6 + 0] = {op_mov_rm_imm, &fast_mov_rm_imm_8, R(D_B | D_IMMZ), 0},
    [G_C7 + 0] = {op_mov_rm_imm, &fast_mov_rm_imm, R(D_IMMZ), 0},
    SHIFT_GROUP(G_D0, imm, D_B | D_ONE),
    SHIFT_GROUP(G_D1, imm, D_ONE),
    SHIFT_GROUP(G_D2, cl, D_B),
    SHIFT_GROUP(G_D3, cl, 0),
    UNARY_GROUP(G_F6, D_B, _8),
    UNARY_GROUP(G_F7, 0, ),
    [G_FE + 0] = {op_inc_rm, &fast_inc_rm_8, R(D_B | D_LOCK), 0},
    [G_FE + 1] = {op_dec_rm, &fast_dec_rm_8, R(D_B | D_LOCK), 0},
    [G_FF + 0] = {op_inc_rm, &fast_inc_rm, R(D_LOCK), 0},
    [G_FF + 1] = {op_dec_rm, &fast_dec_rm, R(D_LOCK), 0},
    [G_FF + 2] = {op_call_rm, &fast_call_rm, R(D_F64 | D_END), 0},
    [G_FF + 3] = {op_call_far_rm, NULL, R(D_MEM | D_END), 0},
    [G_FF + 4] = {op_jmp_rm, &fast_jmp_rm, R(D_F64 | D_END), 0},
    [G_FF + 5] = {op_jmp_far_rm, NULL, R(D_MEM | D_END), 0},
    [G_FF + 6] = {op_push_rm, &fast_push_rm, R(D_64), 0},

    [G_0F00 + 0] = {op_sldt, NULL, R(0), 0},
    [G_0F00 + 1] = {op_str, NULL, R(0), 0},
    [G_0F00 + 2] = {op_lldt, NULL, R(D_END), 0},
    [G_0F00 + 3] = {op_ltr, NULL, R(D_END), 0},
    [G_0F00 + 4] = {op_verr, NULL, R(0), 0},
    [G_0F00 + 5] = {op_verw, NULL, R(0), 0},
    [G_0F01 + 0] = {op_sgdt, NULL, R(0), 0},
    [G_0F01 + 1] = {op_sidt, NULL, R(0), 0},
    [G_0F01 + 2] = {op_lgdt, NULL, R(0), 0},
    [G_0F01 + 3] = {op_lidt, NULL, R(0), 0},
    [G_0F01 + 4] = {op_smsw, NULL, R(0), 0},
    [G_0F01 + 6] = {op_lmsw, NULL, R(D_END), 0},
    [G_0F01 + 7] = {op_invlpg, NULL, R(D_NOSEG | D_END), 0},
    [G_0F01 + 8 + 2] = {op_xcr, NULL, R(0), 0}, /* XGETBV, XSETBV */
    [G_0F01 + 8 + 4] = {op_smsw, NULL, R(0), 0},
    [G_0F01 + 8 + 6] = {op_lmsw, NULL, R(D_END), 0},
    [G_0F01_7 + 0] = {op_swapgs, NULL, R(D_O64), 0},
    [G_0F01_7 + 1] = {op_rdtscp, NULL, R(0), 0},
    [G_0FAE + 0] = {op_fxsave, NULL, R(0), 0},
    [G_0FAE + 1] = {op_fxrstor, NULL, R(0), 0},
    [G_0FAE + 4] = {op_xsave, NULL, R(0), 0},
    [G_0FAE + 5] = {op_xrstor, NULL, R(0), 0},
    [G_0FAE + 6] = {op_xsave, NULL, R(0), 0}, /* XSAVEOPT */
    [G_0FAE + 7] = {op_clflush, NULL, R(0), 0},
    [G_0FAE + 8 + 5] = {op_nop, NULL, R(D_NOP), 0}, /* LFENCE */
    [G_0FAE + 8 + 6] = {op_nop, NULL, R(D_NOP), 0}, /* MFENCE */
    [G_0FAE + 8 + 7] = {op_nop, NULL, R(D_NOP), 0}, /* SFENCE */
    FOUR(G_0FAE_F3, op_fsgsbase, NULL, R(D_O64)),
    [G_0FBA + 4] = {op_bt_imm, &fast_bt_imm, R(D_IMM8), 0},
    [G_0FBA + 5] = {op_bts_imm, NULL, R(D_IMM8 | D_LOCK), 0},
    [G_0FBA + 6] = {op_btr_imm, NULL, R(D_IMM8 | D_LOCK), 0},
    [G_0FBA + 7] = {op_btc_imm, NULL, R(D_IMM8 | D_LOCK), 0},
    [G_0FC7 + 1] = {op_cmpxchg8b, NULL, R(D_LOCK), 0},
    [G_0FC7 + 3] = {op_xrstors, NULL, R(0), 0},
    [G_0FC7 + 4] = {op_xsavec, NULL, R(0), 0},
    [G_0FC7 + 5] = {op_xsaves, NULL, R(0), 0},
    [G_0FC7 + 8 + 6] = {op_rdrand, NULL, R(0), 0},
    [G_0FC7 + 8 + 7] = {op_rdrand, NULL, R(0), 0}, /* RDSEED */
    [ID_MOVDIRI] = {op_movnti, NULL, R(D_MEM), 0},
    [ID_MOVDIR64B] = {op_movdir64b, NULL, R(D_MEM), 0},
    [ID_ENQCMD] = {op_enqcmd, NULL, R(D_MEM), 0},
    [ID_ENQCMDS] = {op_enqcmds, NULL, R(D_MEM), 0},
    [ID_ARPL] = {op_arpl, NULL, R(0), 0},
    [ID_SIMD] = {op_simd, NULL, 0, 0},
    [ID_X87] = {op_x87, NULL, 0, 0},
    [ID_UD] = {op_ud, NULL, D_END, 0},
    [ID_TOO_LONG] = {op_too_long, NULL, D_END, 0},
};
