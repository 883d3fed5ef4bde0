/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lazy flags. What an operation leaves behind is its sign-extended result and its carry vector:
 * bit i is the carry out of bit i, shifted so that the operand's top bit is bit 63; bit 3 of the
 * unshifted vector stays where it is, for AF. No operand is remembered.
 */
#ifndef HW_CPU_FLAGS_H
#define HW_CPU_FLAGS_H

#include "core.h"

static inline bool flag_cf(const struct cpu *c)
{
    return c->fl_c >> 63;
}

static inline bool flag_zf(const struct cpu *c)
{
    return c->fl_z == 0;
}

static inline bool flag_sf(const struct cpu *c)
{
    return c->fl_s < 0;
}

static inline bool flag_of(const struct cpu *c)
{
    return (c->fl_c ^ c->fl_c << 1) >> 63;
}

static inline bool flag_pf(const struct cpu *c)
{
    /* Bit n of the constant: an even number of bits is set in n. No library call, unlike
     * __builtin_parity() where the compiler does not use POPCNT or PF. */
    unsigned b = (uint8_t)c->fl_s;
    return 0x9669 >> ((b ^ b >> 4) & 15) & 1;
}

static inline bool flag_af(const struct cpu *c)
{
    return c->fl_c >> 3 & 1;
}

static inline void flags_set_result(struct cpu *c, int64_t sext)
{
    c->fl_z = (uint64_t)sext;
    c->fl_s = sext;
}

static inline void flags_set_carries(struct cpu *c, bool cf, bool of, bool af)
{
    c->fl_c = (uint64_t)cf << 63 | (uint64_t)(cf ^ of) << 62 | (uint64_t)af << 3;
}

static inline uint32_t flags_get(const struct cpu *c)
{
    return c->eflags | FL_FIXED | (flag_cf(c) ? FL_CF : 0) | (flag_pf(c) ? FL_PF : 0) |
           (flag_af(c) ? FL_AF : 0) | (flag_zf(c) ? FL_ZF : 0) | (flag_sf(c) ? FL_SF : 0) |
           (flag_of(c) ? FL_OF : 0);
}

/* The arithmetic flags only. */
static inline void flags_set_arith(struct cpu *c, uint32_t v)
{
    c->fl_z = !(v & FL_ZF);
    c->fl_s = (int64_t)((v & FL_SF ? 1ULL << 63 : 0) | (v & FL_PF ? 0 : 1));
    flags_set_carries(c, v & FL_CF, v & FL_OF, v & FL_AF);
}

static inline void flags_set_cf(struct cpu *c, bool cf)
{
    flags_set_carries(c, cf, flag_of(c), flag_af(c));
}

/* Condition codes as in Jcc, SETcc, CMOVcc (SDM volume 1, appendix B). */
static inline __attribute__((always_inline)) bool flags_test(const struct cpu *c, unsigned cc)
{
    bool v;
    switch (cc >> 1 & 7) {
    case 0: v = flag_of(c); break;
    case 1: v = flag_cf(c); break;
    case 2: v = flag_zf(c); break;
    case 3: v = flag_cf(c) || flag_zf(c); break;
    case 4: v = flag_sf(c); break;
    case 5: v = flag_pf(c); break;
    case 6: v = flag_sf(c) != flag_of(c); break;
    default: v = flag_zf(c) || flag_sf(c) != flag_of(c); break;
    }
    return v ^ (cc & 1);
}

/* The operations of one operand width: alu_add_32(c, a, b) and so on set all flags. */
#define ALU_CARRY(bits, v) ((uint64_t)(v) | (uint64_t)(v) << (64 - (bits)))
#define ALU_WIDTH(bits)                                                                            \
    static inline uint##bits##_t alu_add_##bits(struct cpu *c, uint##bits##_t a, uint##bits##_t b) \
    {                                                                                              \
        uint##bits##_t r = (uint##bits##_t)(a + b);                                                \
        uint##bits##_t v = (uint##bits##_t)((a & b) | ((a | b) & ~r));                             \
        flags_set_result(c, (int##bits##_t)r);                                                     \
        c->fl_c = ALU_CARRY(bits, v);                                                              \
        return r;                                                                                  \
    }                                                                                              \
    static inline uint##bits##_t alu_adc_##bits(struct cpu *c, uint##bits##_t a, uint##bits##_t b) \
    {                                                                                              \
        uint##bits##_t r = (uint##bits##_t)(a + b + flag_cf(c));                                   \
        uint##bits##_t v = (uint##bits##_t)((a & b) | ((a | b) & ~r));                             \
        flags_set_result(c, (int##bits##_t)r);                                                     \
        c->fl_c = ALU_CARRY(bits, v);                                                              \
        return r;                                                                                  \
    }                                                                                              \
    static inline uint##bits##_t alu_sub_##bits(struct cpu *c, uint##bits##_t a, uint##bits##_t b) \
    {                                                                                              \
        uint##bits##_t r = (uint##bits##_t)(a - b);                                                \
        uint##bits##_t v = (uint##bits##_t)((~a & b) | (~(a ^ b) & r));                            \
        flags_set_result(c, (int##bits##_t)r);                                                     \
        c->fl_c = ALU_CARRY(bits, v);                                                              \
        return r;                                                                                  \
    }                                                                                              \
    static inline uint##bits##_t alu_sbb_##bits(struct cpu *c, uint##bits##_t a, uint##bits##_t b) \
    {                                                                                              \
        uint##bits##_t r = (uint##bits##_t)(a - b - flag_cf(c));                                   \
        uint##bits##_t v = (uint##bits##_t)((~a & b) | (~(a ^ b) & r));                            \
        flags_set_result(c, (int##bits##_t)r);                                                     \
        c->fl_c = ALU_CARRY(bits, v);                                                              \
        return r;                                                                                  \
    }                                                                                              \
    static inline uint##bits##_t alu_logic_##bits(struct cpu *c, uint##bits##_t r)                 \
    {                                                                                              \
        flags_set_result(c, (int##bits##_t)r);                                                     \
        c->fl_c = 0;                                                                               \
        return r;                                                                                  \
    }                                                                                              \
    static inline uint##bits##_t alu_and_##bits(struct cpu *c, uint##bits##_t a, uint##bits##_t b) \
    {                                                                                              \
        return alu_logic_##bits(c, a & b);                                                         \
    }                                                                                              \
    static inline uint##bits##_t alu_or_##bits(struct cpu *c, uint##bits##_t a, uint##bits##_t b)  \
    {                                                                                              \
        return alu_logic_##bits(c, a | b);                                                         \
    }                                                                                              \
    static inline uint##bits##_t alu_xor_##bits(struct cpu *c, uint##bits##_t a, uint##bits##_t b) \
    {                                                                                              \
        return alu_logic_##bits(c, a ^ b);                                                         \
    }                                                                                              \
    /* INC and DEC keep CF. */                                                                     \
    static inline uint##bits##_t alu_inc_##bits(struct cpu *c, uint##bits##_t a)                   \
    {                                                                                              \
        uint##bits##_t r = (uint##bits##_t)(a + 1);                                                \
        flags_set_result(c, (int##bits##_t)r);                                                     \
        flags_set_carries(c, flag_cf(c), r == (uint##bits##_t)(1ULL << (bits - 1)),                \
                          (r & 0xF) == 0);                                                         \
        return r;                                                                                  \
    }                                                                                              \
    static inline uint##bits##_t alu_dec_##bits(struct cpu *c, uint##bits##_t a)                   \
    {                                                                                              \
        uint##bits##_t r = (uint##bits##_t)(a - 1);                                                \
        flags_set_result(c, (int##bits##_t)r);                                                     \
        flags_set_carries(c, flag_cf(c), a == (uint##bits##_t)(1ULL << (bits - 1)),                \
                          (a & 0xF) == 0);                                                         \
        return r;                                                                                  \
    }

ALU_WIDTH(8)
ALU_WIDTH(16)
ALU_WIDTH(32)
ALU_WIDTH(64)
#undef ALU_WIDTH

enum alu_kind { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };

/* Any width, for the generic handlers. */
#define ALU_ANY(name)                                                                              \
    static inline uint64_t alu_##name(struct cpu *c, unsigned size, uint64_t a, uint64_t b)        \
    {                                                                                              \
        switch (size) {                                                                            \
        case SZ_8: return alu_##name##_8(c, (uint8_t)a, (uint8_t)b);                               \
        case SZ_16: return alu_##name##_16(c, (uint16_t)a, (uint16_t)b);                           \
        case SZ_32: return alu_##name##_32(c, (uint32_t)a, (uint32_t)b);                           \
        default: return alu_##name##_64(c, a, b);                                                  \
        }                                                                                          \
    }
ALU_ANY(add)
ALU_ANY(or)
ALU_ANY(adc)
ALU_ANY(sbb)
ALU_ANY(and)
ALU_ANY(sub)
ALU_ANY(xor)
#undef ALU_ANY

static inline int64_t sext(uint64_t v, unsigned size)
{
    unsigned shift = 64 - (8u << size);
    return (int64_t)(v << shift) >> shift;
}

static inline uint64_t zext(uint64_t v, unsigned size)
{
    unsigned shift = 64 - (8u << size);
    return v << shift >> shift;
}

#endif
