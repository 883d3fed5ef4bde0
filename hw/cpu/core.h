/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of the software processor: its state, decoded operations and blocks, the soft TLB.
 *
 * Guest code is decoded once into blocks of operations (struct op), keyed by physical address and
 * code size. Each operation points to a handler; a handler ends by calling the next one (a tail
 * call), or by returning it to the loop in run.c. Two kinds of handlers exist for what is hot:
 *  - the generic one, in the table cpu_opdesc[]: every size, addressing form and fault;
 *  - fast ones for 64-bit code, that give up in favour of the generic one before they have
 *    changed anything (fast_*.c).
 *
 * Faults and suspended accesses leave a handler by longjmp() to run.c; a handler therefore commits
 * nothing before its last access.
 */
#ifndef HW_CPU_CORE_H
#define HW_CPU_CORE_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

#include "fpu.h"
#include "pcilab/base/bits.h"
#include "pcilab/cpu/cpu.h"
#include "pcilab/cpu/debug.h"
#include "pcilab/sim/rng.h"
#include "soft.h"

/* CHOICE: hosts are little-endian, and may access integers at any address. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the interpreter needs little-endian");

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define PAGE_SIZE 4096ULL
#define PAGE_MASK (~(PAGE_SIZE - 1))

struct cpu;
struct op;
struct block;

typedef const struct op *(*op_fn)(struct cpu *c, const struct op *op);

/* ---- Decoded code ---- */

/* Pseudo registers that follow the 16 general ones, so that addresses need no special cases. */
enum {
    R_BLOCK = 16, /* RIP of the current block's first instruction */
    R_ZERO,       /* always 0 */
    R_FS,         /* FS base */
    R_GS,         /* GS base */
    R_BIG,        /* always 2^30: see decode.c */
    R_COUNT,
};

enum op_size { SZ_8, SZ_16, SZ_32, SZ_64 };

enum op_flags {
    OPF_MEM = 1 << 0,   /* ModRM.rm is memory */
    OPF_LOCK = 1 << 1,  /* F0 */
    OPF_REP = 1 << 2,   /* F3 */
    OPF_REPNE = 1 << 3, /* F2 */
    OPF_A16 = 1 << 4,   /* 16-bit addresses */
    OPF_A32 = 1 << 5,   /* 32-bit addresses; neither: 64 */
    OPF_66 = 1 << 6,    /* operand-size prefix seen */
    OPF_W = 1 << 7,     /* REX.W */
};

/*
 * One decoded instruction. Byte registers are byte offsets into cpu->gpr (so that AH to BH need no
 * special case), others are register numbers. RIP-relative addresses use R_BLOCK as base.
 */
struct op {
    op_fn fn;
    int32_t disp;  /* address, or the target of a branch relative to R_BLOCK */
    uint32_t imm;  /* sign-extended to 32 bits; with disp as low half: 64 bits (op_imm64()) */
    uint8_t reg;   /* ModRM.reg */
    uint8_t rm;    /* ModRM.rm when it is a register */
    uint8_t base;  /* register or pseudo register */
    uint8_t index; /* likewise */
    uint8_t scale; /* 0 to 3 */
    uint8_t seg;   /* CPU_ES.. ; in 64-bit mode what decides between #SS, #GP and FS, GS */
    uint8_t len;   /* bytes */
    uint8_t n;     /* instructions of the block before this one */
    uint16_t ip;   /* offset from the block's start */
    uint16_t id;   /* index into cpu_opdesc[] */
    uint8_t size;  /* enum op_size */
    uint8_t flags; /* enum op_flags */
    uint8_t x;     /* opcode byte */
    uint8_t pad;
};
_Static_assert(sizeof(struct op) == 32, "two operations a cache line");

static inline uint64_t op_imm64(const struct op *op)
{
    return (uint32_t)op->disp | (uint64_t)op->imm << 32;
}

/*
 * Follows the last operation of a block: where the block went before. A link whose target lies in
 * the same page needs no check, because it lives as long as the block; others are valid while
 * key is code_key() of the target.
 */
struct oplink {
    struct block *to[2];
    uint64_t key[2];
};
_Static_assert(sizeof(struct oplink) == sizeof(struct op), "takes the place of one operation");

/* Follows an operation that needs a pointer (SIMD, x87). */
struct opptr {
    const void *ptr;
    uint64_t pad[3];
};
_Static_assert(sizeof(struct opptr) == sizeof(struct op), "takes the place of one operation");

#define BLOCK_MAX_INSNS 48
/* Each instruction takes at most two places; then the fall-through operation and the link, and
 * before all of them perhaps a debugger's stop. */
#define BLOCK_MAX_OPS (2 * BLOCK_MAX_INSNS + 4)

struct block {
    uint64_t pa;  /* of the first byte */
    uint64_t pa2; /* page where a page-crossing last instruction ends; NO_PAGE if none */
    uint32_t mode;
    uint16_t n;      /* instructions */
    uint16_t len;    /* bytes */
    uint16_t places; /* of ops[], before the link */
    bool dead;
    struct block *hash_next;
    struct block *page_next;  /* list of the page of pa */
    struct block *page2_next; /* list of the page pa2 */
    struct op ops[];
};

#define NO_PAGE (~0ULL)

/* A page of RAM that holds decoded code. */
struct code_page {
    uint64_t lines; /* bit n: bytes 64n to 64n+63 are part of a decoded instruction */
    struct block *blocks;
    struct block *tails; /* blocks of the page before that end in this one */
};

/* ---- Soft TLB ---- */

#define TLB_BITS 11
#define TLB_SIZE (1u << TLB_BITS)
#define TLB_NONE 1ULL /* a tag that matches nothing */

/* A tag is the page's linear address if that kind of access may take the fast path. */
struct tlb_entry {
    uint64_t rtag, wtag, xtag;
    uintptr_t addend; /* host address = linear address + addend */
};

#define JC_BITS 13
#define JC_SIZE (1u << JC_BITS)

/* RIP to block; see code_key(). */
struct jc_entry {
    uint64_t key;
    struct block *block;
};

enum { TLB_SUPERVISOR, TLB_USER, TLB_COUNT };
enum { TLB_GLOBAL = 1, TLB_2M = 2, TLB_1G = 4 }; /* TLB_2M also stands for 4 MiB pages */

/* ---- Processor ---- */

enum cpu_mode { MODE_16, MODE_32, MODE_64 };

enum acc { ACC_READ, ACC_WRITE, ACC_EXEC };

enum cpu_run_state { RUN_OK, RUN_HALTED, RUN_WAIT_SIPI, RUN_SHUTDOWN };

enum jump_why { JUMP_NONE, JUMP_EXCEPTION, JUMP_ACCESS, JUMP_STOP };

/* What lost its way out of an instruction. */
struct cpu_exception {
    uint8_t vector;
    bool has_error;
    bool software; /* INT n, INT3, INTO: RIP is already the next instruction's */
    bool external; /* interrupt line or NMI */
    uint32_t error;
};

#define ACCESS_LOG_MAX 140

/* Completed accesses of the instruction that is being re-executed. No read exceeds 16 bytes. */
struct access_log_entry {
    uint8_t data[16];
    bool fault;
};

/* EFLAGS */
enum {
    FL_CF = 1 << 0,
    FL_FIXED = 1 << 1,
    FL_PF = 1 << 2,
    FL_AF = 1 << 4,
    FL_ZF = 1 << 6,
    FL_SF = 1 << 7,
    FL_TF = 1 << 8,
    FL_IF = 1 << 9,
    FL_DF = 1 << 10,
    FL_OF = 1 << 11,
    FL_IOPL = 3 << 12,
    FL_NT = 1 << 14,
    FL_RF = 1 << 16,
    FL_VM = 1 << 17,
    FL_AC = 1 << 18,
    FL_VIF = 1 << 19,
    FL_VIP = 1 << 20,
    FL_ID = 1 << 21,
    FL_ARITH = FL_CF | FL_PF | FL_AF | FL_ZF | FL_SF | FL_OF,
};

enum {
    CR0_PE = 1 << 0,
    CR0_MP = 1 << 1,
    CR0_EM = 1 << 2,
    CR0_TS = 1 << 3,
    CR0_ET = 1 << 4,
    CR0_NE = 1 << 5,
    CR0_WP = 1 << 16,
    CR0_AM = 1 << 18,
    CR0_NW = 1 << 29,
    CR0_CD = 1 << 30,
};
#define CR0_PG 0x80000000ULL

enum {
    CR4_TSD = 1 << 2,
    CR4_DE = 1 << 3,
    CR4_PSE = 1 << 4,
    CR4_PAE = 1 << 5,
    CR4_MCE = 1 << 6,
    CR4_PGE = 1 << 7,
    CR4_PCE = 1 << 8,
    CR4_OSFXSR = 1 << 9,
    CR4_OSXMMEXCPT = 1 << 10,
    CR4_FSGSBASE = 1 << 16,
    CR4_OSXSAVE = 1 << 18,
    CR4_SMEP = 1 << 20,
};

enum { EFER_SCE = 1 << 0, EFER_LME = 1 << 8, EFER_LMA = 1 << 10, EFER_NXE = 1 << 11 };

/* Vectors (SDM volume 3, table 6-1). */
enum {
    EXC_DE = 0,
    EXC_DB = 1,
    EXC_NMI = 2,
    EXC_BP = 3,
    EXC_OF = 4,
    EXC_BR = 5,
    EXC_UD = 6,
    EXC_NM = 7,
    EXC_DF = 8,
    EXC_TS = 10,
    EXC_NP = 11,
    EXC_SS = 12,
    EXC_GP = 13,
    EXC_PF = 14,
    EXC_MF = 16,
    EXC_AC = 17,
    EXC_XM = 19,
};

struct cpu_msrs {
    uint64_t star, lstar, cstar, fmask, kernel_gs_base, tsc_aux;
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
    uint64_t pat, misc_enable, tsc_adjust;
    uint64_t spec_ctrl, mcg_status;
    uint64_t xss, pasid; /* IA32_XSS, IA32_PASID */
    uint64_t discard;    /* written, never read back as anything but 0 */
};

/* Bits of IA32_PASID: the PASID and whether there is one. */
#define CPU_PASID_BITS (BIT(31) | GENMASK(19, 0))

struct cpu {
    struct cpu_head head;
    /* Hot. */
    uint64_t gpr[R_COUNT];
    uint64_t fl_z; /* ZF = this is 0 */
    int64_t fl_s;  /* SF = this is negative; PF from its low byte */
    uint64_t fl_c; /* carry vector: CF bit 63, OF bit 63 ^ bit 62, AF bit 3 */
    int64_t budget;
    struct tlb_entry *tlb;
    struct block *blk;
    uint64_t epoch;  /* 16 bits, see code_key() */
    uint64_t rip;    /* valid outside blocks only */
    uint32_t eflags; /* all but the arithmetic ones */
    uint8_t mode, cpl;
    uint8_t ea_seg;      /* segment of the access in progress: decides between #SS and #GP */
    bool smc;            /* the current block may be stale */
    bool slow;           /* single-step: TF, debug registers, a debugger; or a stop to heed */
    bool in_block;       /* an operation is running: c->op and c->blk are valid */
    bool delivering;     /* an exception or interrupt is being delivered */
    const struct op *op; /* set by every generic handler */
    struct oplink *link; /* to be patched with the next block found */
    uint8_t link_index;
    bool link_near;  /* its target is in the same page */
    bool keep_rf;    /* the instruction loaded RF itself (IRET) */
    uint32_t db_hit; /* data breakpoints that the current instruction met */

    /* The rest of the architectural state. */
    struct cpu_seg seg[CPU_SEG_COUNT];
    uint64_t gdt_base, idt_base;
    uint16_t gdt_limit, idt_limit;
    uint64_t cr0, cr2, cr3, cr4, efer, xcr0;
    uint64_t dr[8];
    struct cpu_msrs msr;
    struct fpu fpu;

    /* Events. */
    uint8_t run_state; /* enum cpu_run_state */
    bool intr, nmi_pending, nmi_blocked, init_pending;
    uint8_t sipi_vector;
    uint32_t db_pending;   /* DR6 bits of a #DB to be taken before the next instruction */
    uint64_t shadow_at;    /* no interrupts when insns_done() is this: after STI, MOV SS */
    uint64_t shadow_ss_at; /* likewise for #DB and NMI: after MOV SS */
    struct cpu_exception exc;
    uint8_t first_vector; /* being delivered when a second fault occurred */

    /* A debugger (stops.c). */
    struct cpu_stop stop; /* kind NONE: none to heed */
    bool stepping;
    bool stop_passed; /* the stop at stop_pass_la has been heeded */
    uint64_t stop_pass_la;

    /* Time. */
    uint64_t now_ps; /* at the start of this run */
    uint64_t run_budget;
    uint64_t budget_held;    /* see run.c; 0 but for single steps */
    uint64_t retired_before; /* total, before this run */
    uint64_t tsc_offset;

    /* Bus. */
    struct cpu_access acc;
    bool acc_outstanding, acc_fault;
    unsigned log_count, log_pos;
    struct access_log_entry log[ACCESS_LOG_MAX];

    struct cpu_group *group;
    unsigned index;
    jmp_buf jump;
    uint64_t rmw_la; /* of the read-modify-write in progress */
    struct sim_rng rng;
    uint64_t epochs[TLB_COUNT];
    bool sup_low_code;   /* supervisor code below the canonical hole was run in this epoch */
    bool sup_local_code; /* supervisor code in a page that is not global was */
    uint8_t tlb_info[TLB_COUNT][TLB_SIZE]; /* TLB_GLOBAL, or the size of the page */
    uint64_t large_seen[2]; /* bit (la >> 21 or 30) & 63: such pieces of large pages are cached */
    struct block *scratch;  /* the part of a block that fits the budget */
    struct tlb_entry tlbs[TLB_COUNT][TLB_SIZE] __attribute__((aligned(64)));
    struct jc_entry jc[JC_SIZE];
};

#define BLOCK_HASH_BITS 16

struct ram_range {
    struct cpu_ram ram;
    struct code_page **code; /* one per page */
};

struct cpu_group {
    struct cpu_head head;
    struct cpu_group_config config;
    struct ram_range *ram;
    unsigned ram_count;
    uint64_t phys_mask;        /* bits of a physical address */
    uint64_t tsc_num, tsc_den; /* ticks per picosecond */
    uint64_t next_epoch;
    uint64_t block_bytes; /* of all living blocks */
    struct block *dead;   /* linked by hash_next; freed when no block runs */
    struct block *hash[1u << BLOCK_HASH_BITS];
    struct cpu *cpus[CPU_MAX];
    struct cpu_stop stops[CPU_STOPS_MAX];
    unsigned stop_count;
    unsigned stop_exec, stop_data; /* of them at instructions, at data */
};

/* ---- Leaving an instruction (run.c) ---- */

void cpu_raise(struct cpu *c, unsigned vector) __attribute__((noreturn, cold));
void cpu_raise_error(struct cpu *c, unsigned vector, uint32_t error)
    __attribute__((noreturn, cold));
void cpu_page_fault(struct cpu *c, uint64_t la, uint32_t error) __attribute__((noreturn, cold));
void cpu_suspend(struct cpu *c) __attribute__((noreturn, cold));
/* INT n and the like, with RIP after the instruction. */
void cpu_raise_software(struct cpu *c, unsigned vector) __attribute__((noreturn, cold));

static inline void raise_gp(struct cpu *c, uint32_t error) __attribute__((noreturn));
static inline void raise_gp(struct cpu *c, uint32_t error)
{
    cpu_raise_error(c, EXC_GP, error);
}

/* RIP of the instruction being executed, and of the one after it. */
static inline uint64_t op_rip(const struct cpu *c, const struct op *op)
{
    return c->gpr[R_BLOCK] + op->ip;
}

static inline uint64_t op_next_rip(const struct cpu *c, const struct op *op)
{
    uint64_t rip = c->gpr[R_BLOCK] + op->ip + op->len;
    return c->mode == MODE_64 ? rip : (uint32_t)rip;
}

/* Instructions finished in this run before the current one. */
uint64_t cpu_run_done(const struct cpu *c);

/* ---- Modes (group.c) ---- */

static inline bool in_long_mode(const struct cpu *c)
{
    return c->efer & EFER_LMA;
}

static inline bool in_protected_mode(const struct cpu *c)
{
    return c->cr0 & CR0_PE;
}

/* Recompute what is derived: mode, TLB in use, epoch, slow. */
void cpu_update_mode(struct cpu *c);
void cpu_update_slow(struct cpu *c);
/* Sets base and keeps the pseudo registers R_FS and R_GS. */
void cpu_set_seg_base(struct cpu *c, unsigned seg, uint64_t base);
void cpu_reset_init(struct cpu *c, bool power_on);

static inline bool is_canonical(uint64_t la)
{
    return (uint64_t)((int64_t)(la << 16) >> 16) == la;
}

/* ---- Blocks (block.c) ---- */

/* Names what lies at RIP in one processor's current mapping and privilege. */
static inline uint64_t code_key(const struct cpu *c, uint64_t rip)
{
    return rip << 16 | c->epoch;
}

static inline unsigned jc_index(uint64_t rip)
{
    return (rip ^ rip >> JC_BITS) & (JC_SIZE - 1);
}

/* The block at c->rip; raises a fault if there is none to be had. */
struct block *block_lookup(struct cpu *c);
/* A throw-away block of at most `max` instructions. */
struct block *block_partial(struct cpu *c, unsigned max);
void block_free_dead(struct cpu_group *g);
/* [pa, pa + len) in one page was or is about to be written: true if decoded code died. */
bool block_written(struct cpu_group *g, struct ram_range *r, uint64_t pa, uint64_t len);
/* All are dead; they are freed when no block runs. */
void block_forget_all(struct cpu_group *g);
void block_free_all(struct cpu_group *g);
/* A new epoch for each privilege level that asks for one. */
void block_new_epoch(struct cpu *c, bool supervisor, bool user);

/* ---- Decoder (decode.c) ---- */

enum decode_status {
    DECODE_OK,
    DECODE_END,  /* ends the block; a link follows */
    DECODE_MORE, /* needs more bytes */
};

struct decoder {
    const uint8_t *bytes; /* of this instruction */
    unsigned avail;       /* how many of them */
    unsigned pos;
    uint8_t mode;
    bool real;          /* real mode */
    bool single;        /* do not fuse with a following instruction */
    uint16_t ip;        /* offset from the block's start */
    uint64_t page_left; /* bytes from the block's start to the page's end */
    uint64_t page_off;  /* of the block's start */
    /* Prefixes. */
    uint8_t rex, rep, seg;
    bool lock, opsize, adsize;
};

/*
 * Decodes one instruction into op[0], and op[1] for those that take two places. *places is 0 for
 * instructions that do nothing at all. d->pos is its length.
 */
enum decode_status decode_insn(struct decoder *d, struct op *op, unsigned *places);

/* ---- Memory (mem.c, paging.c) ---- */

uint64_t lin_read_slow(struct cpu *c, uint64_t la, unsigned size);
void lin_write_slow(struct cpu *c, uint64_t la, unsigned size, uint64_t value);
/* Any size up to CPU_ACCESS_MAX_SIZE. */
void lin_read_bytes(struct cpu *c, uint64_t la, void *data, unsigned size);
void lin_write_bytes(struct cpu *c, uint64_t la, const void *data, unsigned size);
/* Faults now if a write would. */
void lin_probe_write(struct cpu *c, uint64_t la, unsigned size);
/* As the processor itself: supervisor rights whatever the CPL. */
uint64_t sys_read(struct cpu *c, uint64_t la, unsigned size);
void sys_write(struct cpu *c, uint64_t la, unsigned size, uint64_t value);

struct xlate {
    uint64_t pa;
    uint8_t info;  /* TLB_GLOBAL, TLB_2M, TLB_1G */
    bool writable; /* a write needs no further check: permitted, and the dirty bit is set */
    bool executable;
};

/* Raises #PF, #GP or #SS. user: with user rights. */
void page_translate(struct cpu *c, uint64_t la, enum acc acc, bool user, struct xlate *x);
/* The same, and enters RAM into the TLB. */
void tlb_fill(struct cpu *c, uint64_t la, enum acc acc, bool user, struct xlate *x);
void tlb_flush(struct cpu *c, bool global_too);
void tlb_flush_page(struct cpu *c, uint64_t la);
/* No fast writes to the page at this host address any more. */
void tlb_protect_code(struct cpu_group *g, const uint8_t *host);

struct ram_range *ram_find(struct cpu_group *g, uint64_t pa);
/* NULL unless [pa, pa + len) is RAM; does not cross pages. */
uint8_t *ram_host(struct cpu_group *g, uint64_t pa);

/* One access on the bus; returns when it has been answered, else suspends. */
void bus_access(struct cpu *c, enum cpu_access_kind kind, uint64_t addr, unsigned size, void *data);

/* 64 bytes to a device that may refuse them; true when it took them. */
bool bus_enqueue(struct cpu *c, uint64_t addr, const uint8_t *data);

static inline uint64_t host_read(const void *p, unsigned size)
{
    uint64_t v = 0;
    switch (size) {
    case 1: return *(const uint8_t *)p;
    case 2: __builtin_memcpy(&v, p, 2); return v;
    case 4: __builtin_memcpy(&v, p, 4); return v;
    case 8: __builtin_memcpy(&v, p, 8); return v;
    default: __builtin_memcpy(&v, p, size); return v;
    }
}

static inline void host_write(void *p, unsigned size, uint64_t v)
{
    switch (size) {
    case 1: *(uint8_t *)p = (uint8_t)v; break;
    case 2: __builtin_memcpy(p, &v, 2); break;
    case 4: __builtin_memcpy(p, &v, 4); break;
    default: __builtin_memcpy(p, &v, 8); break;
    }
}

static inline struct tlb_entry *tlb_at(struct tlb_entry *tlb, uint64_t la)
{
    return &tlb[la >> 12 & (TLB_SIZE - 1)];
}

/* size: 1, 2, 4 or 8. */
static inline uint64_t lin_read(struct cpu *c, uint64_t la, unsigned size)
{
    const struct tlb_entry *e = tlb_at(c->tlb, la);
    if (likely(e->rtag == ((la + size - 1) & PAGE_MASK))) {
        return host_read((const void *)(la + e->addend), size);
    }
    return lin_read_slow(c, la, size);
}

static inline void lin_write(struct cpu *c, uint64_t la, unsigned size, uint64_t value)
{
    const struct tlb_entry *e = tlb_at(c->tlb, la);
    if (likely(e->wtag == ((la + size - 1) & PAGE_MASK))) {
        host_write((void *)(la + e->addend), size, value);
        return;
    }
    lin_write_slow(c, la, size, value);
}

/* ---- System (interrupt.c, segment.c, msr.c, cpuid.c, system.c) ---- */

/* Delivers c->exc. May raise a further exception. */
void interrupt_deliver(struct cpu *c);
struct cpuid_regs {
    uint32_t eax, ebx, ecx, edx;
};
struct cpuid_regs cpuid_query(const struct cpu *c, uint32_t leaf, uint32_t subleaf);
/* IA32_ARCH_CAPABILITIES */
uint64_t cpuid_arch_capabilities(void);
uint64_t cpu_tsc_now(const struct cpu *c);
uint64_t gcd64(uint64_t a, uint64_t b);

#endif
