/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The differential test of the software processor: the same user-mode instruction with the same
 * registers and memory runs on the host's processor and on ours, and everything is compared.
 *
 * A case is a function of (seed, number) alone, so that each can be repeated on its own. Memory
 * looks the same to both: two pages of code, two of data that can be written, one that cannot,
 * and one that is not there, all below 2 GiB.
 */
#ifndef TESTS_CPU_DIFF_H
#define TESTS_CPU_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIFF_PAGE       0x1000u
#define DIFF_CODE       0x10000000ull
#define DIFF_CODE_BYTES (2 * DIFF_PAGE)
/* Start of the code: where fall-through and taken branches leave to, natively. */
#define DIFF_EXIT_PTR  (DIFF_CODE + 0x10)
#define DIFF_TAKEN_PTR (DIFF_CODE + 0x18)
#define DIFF_TARGET    (DIFF_CODE + 0x40)
#define DIFF_DATA      0x10010000ull
#define DIFF_RW_BYTES  (2 * DIFF_PAGE)
#define DIFF_RO        (DIFF_DATA + DIFF_RW_BYTES)
#define DIFF_NOT_THERE (DIFF_RO + DIFF_PAGE)
/* Base of GS: some operands go through it. FS belongs to the C library. */
#define DIFF_GS_BASE 0x10008000ull

/* The longest case, a sequence. */
#define DIFF_CODE_MAX    320
#define DIFF_POOL_BYTES  0x10000u
#define DIFF_FLAGS_MASK  0x244CD5u /* CF PF AF ZF SF DF OF NT AC ID */
#define DIFF_ARITH_FLAGS 0x8D5u

struct diff_state {
    uint64_t gpr[16];
    uint64_t rip;
    uint64_t rflags;
    uint8_t fxsave[512] __attribute__((aligned(16)));
};

struct diff_result {
    struct diff_state state;
    int vector; /* of the exception; -1: none */
    uint32_t error_code;
    uint64_t cr2;
};

enum diff_tolerance {
    DIFF_EXACT,
    DIFF_APPROX_PS,  /* elements of an XMM register within 2^-10.4 of each other */
    DIFF_APPROX_X87, /* ST(0), ST(1) within 2 units in the last place; C1 ignored */
    DIFF_UNDEFINED,  /* the result has no definition: only that it completes is compared */
};

struct diff_case {
    const char *group, *name;
    uint8_t code[DIFF_CODE_MAX];
    unsigned len;
    struct diff_state in; /* rip is where the code is */
    uint32_t pool_offset; /* initial data: DIFF_RW_BYTES bytes of the pool from here */
    /* Four poked values on top of it (offsets from DIFF_DATA). */
    struct {
        uint32_t offset, bytes;
        uint8_t data[16];
    } poke[4];
    unsigned pokes;

    /* What the manual leaves open. */
    uint32_t flags_undefined;
    uint16_t fsw_undefined;
    uint32_t flags_undefined_after_fault;
    uint16_t gpr_undefined; /* bit n: register n */
    uint16_t gpr_low_only;  /* likewise, the upper half */
    bool long_operand;      /* more than 8 bytes: which part faults, what was written before */
    bool cr2_undefined;     /* either of two operands may fault first */
    bool x87_undefined_after_fault;
    bool x87_pointers_undefined;
    enum diff_tolerance tolerance;
    unsigned approx_reg;

    /* For the engine without a decoder (SIMD and x87 only). */
    bool has_mem;
    uint64_t ea, ea_offset; /* linear, and within its segment */
    bool is_x87, locked, p66;
    uint8_t prefix; /* enum fpu_prefix */
    uint8_t opcode, modrm, rex, imm8;
};

/* ---- Randomness ---- */

struct diff_rng {
    uint64_t state;
};

static inline uint64_t diff_rand(struct diff_rng *rng)
{
    uint64_t z = rng->state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static inline unsigned diff_below(struct diff_rng *rng, unsigned n)
{
    return (unsigned)((diff_rand(rng) >> 32) * n >> 32);
}

static inline bool diff_chance(struct diff_rng *rng, unsigned percent)
{
    return diff_below(rng, 100) < percent;
}

/* ---- The pool of data (pool.c) ---- */

/* DIFF_POOL_BYTES, the same in every run. */
const uint8_t *diff_pool(void);
/* Initial data of a case: DIFF_RW_BYTES bytes. The read-only page is the pool's first. */
void diff_fill_data(const struct diff_case *c, uint8_t *data);
/* Numbers that break things. */
uint64_t diff_interesting(struct diff_rng *rng);
void diff_interesting_f80(struct diff_rng *rng, uint8_t *ten_bytes);

/* ---- Cases (gen*.c) ---- */

/*
 * group: a name of diff_groups(), or NULL for all. False: no such group.
 */
bool diff_generate(uint64_t seed, uint64_t number, const char *group, struct diff_case *c);
void diff_make_lenient(struct diff_case *c);
const char *const *diff_groups(void); /* ends with NULL */

/* ---- Engines ---- */

/* The host's processor (native.c). Initialise once; data and code live at their addresses. */
bool native_init(void);
/*
 * What the manual leaves open, processors of one maker do alike. On other makers' (or lenient),
 * x87 pointers, condition codes and unmasked exceptions are not compared, nor state after a fault
 * that MMX instructions find. CHOICE: ours does as Intel's do.
 */
bool native_is_alike(void);
void native_run(const struct diff_case *c, struct diff_result *r);
const uint8_t *native_data(void);

/* Our processor through its public interface (guest.c). */
struct guest;
struct guest *guest_new(void);
void guest_free(struct guest *g);
void guest_run(struct guest *g, const struct diff_case *c, struct diff_result *r);
const uint8_t *guest_data(const struct guest *g);

/* The x87 and SIMD functions alone (direct.c): cases with an x87 or SIMD instruction. */
struct direct;
struct direct *direct_new(void);
void direct_free(struct direct *d);
void direct_run(struct direct *d, const struct diff_case *c, struct diff_result *r);
const uint8_t *direct_data(const struct direct *d);

/* ---- Comparison (compare.c) ---- */

/*
 * Whether `ours` is as `host` wherever the case is defined. If not and out is not NULL, writes
 * what differs to it.
 */
bool diff_compare(const struct diff_case *c, const struct diff_result *host,
                  const uint8_t *host_data, const struct diff_result *ours, const uint8_t *our_data,
                  void *out);
void diff_print_case(const struct diff_case *c, void *out);

#endif
