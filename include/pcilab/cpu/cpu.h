/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processors of a machine. A processor sees guest RAM, one bus access at a time, and an
 * interrupt line; it knows no device, no event queue and no other processor's schedule.
 *
 * A group holds all processors of one machine: they share RAM and whatever the back end derives
 * from it (decoded code). The software back end is single-threaded and deterministic.
 *
 * Everything that is not RAM is a suspended access: cpu_run() returns CPU_EXIT_ACCESS with the
 * access described in *cpu_access(); nothing of the instruction is committed that could not be
 * repeated. The machine performs the access when virtual time allows and calls cpu_complete();
 * the next cpu_run() finishes the instruction. An instruction may need several accesses.
 *
 * Units: guest-physical addresses in bytes; virtual time in picoseconds; budgets in instructions.
 * Ownership: the group owns its processors; RAM belongs to the caller and outlives the group.
 */
#ifndef PCILAB_CPU_CPU_H
#define PCILAB_CPU_CPU_H

#include <stdbool.h>
#include <stdint.h>

#define CPU_MAX             8
#define CPU_ACCESS_MAX_SIZE 64
/* Core crystal clock (CPUID 0x15 ECX): also what the local APIC timer counts. */
#define CPU_CRYSTAL_HZ 25000000u

struct cpu;
struct cpu_group;
struct trace;

/* One contiguous piece of guest RAM; gpa, size and host are multiples of 4 KiB. */
struct cpu_ram {
    uint64_t gpa;
    uint64_t size;
    uint8_t *host;
};

enum cpu_access_kind {
    CPU_MEM_READ,
    CPU_MEM_WRITE,
    CPU_IO_READ, /* addr is the port, size 1, 2 or 4 */
    CPU_IO_WRITE,
    CPU_MSR_READ, /* addr is the MSR; only those that belong to the local APIC (see below) */
    CPU_MSR_WRITE,
    CPU_TPR_READ,    /* MOV from CR8 */
    CPU_TPR_WRITE,   /* MOV to CR8 */
    CPU_MEM_ENQUEUE, /* ENQCMD: 64 bytes that may be refused */
};

/*
 * One access on the bus. A memory access never crosses a 4 KiB page, and is at most 8 bytes but
 * for 16 (SSE) and 64 (MOVDIR64B). Data is little-endian. MSR and TPR data are 8 bytes.
 *
 * MSRs that leave the processor: 0x1B (APIC_BASE), 0x6E0 (TSC_DEADLINE), 0x800-0x8FF (x2APIC).
 */
struct cpu_access {
    enum cpu_access_kind kind;
    uint32_t size_bytes;
    uint64_t addr;
    uint8_t data[CPU_ACCESS_MAX_SIZE];
};

enum cpu_exit {
    CPU_EXIT_BUDGET,    /* the budget is used up, or cpu_stop_soon() was heeded */
    CPU_EXIT_ACCESS,    /* an access waits for cpu_complete() */
    CPU_EXIT_HALT,      /* HLT: run again when cpu_wants_to_run() */
    CPU_EXIT_SHUTDOWN,  /* triple fault */
    CPU_EXIT_WAIT_SIPI, /* after INIT: run again when cpu_wants_to_run() */
    CPU_EXIT_STOP,      /* a debugger wanted to know (pcilab/cpu/debug.h) */
};

struct cpu_group_config {
    unsigned count;       /* 1 to CPU_MAX; processor i has APIC ID i */
    uint64_t ps_per_insn; /* virtual time of one instruction */
    uint64_t tsc_hz;      /* also reported by CPUID 0x15 and 0x16 */
    uint64_t seed;        /* feeds RDRAND and RDSEED */
    const struct cpu_ram *ram;
    unsigned ram_count;
    uint32_t phys_bits; /* CPUID 0x80000008; 0 means 46 */
    /*
     * The processor takes the pending interrupt: returns its vector, and lowers the line when
     * nothing else is pending. Must not run any processor. Returns -1 for "none after all".
     */
    int (*ack)(void *opaque, unsigned index);
    /* The processor writes back the cache line with this address (CLFLUSH), or all lines
     * (WBINVD); for those who see memory behind the caches. May be NULL. */
    void (*write_back)(void *opaque, uint64_t gpa);
    void (*write_back_all)(void *opaque);
    void *opaque;
    struct trace *trace; /* TRACE_CPU; or NULL */
};

struct cpu_seg {
    uint16_t selector;
    uint16_t attr;  /* bits 0-7 access byte, 8-11 flags (AVL, L, D/B, G) as in a descriptor */
    uint32_t limit; /* in bytes, after applying G */
    uint64_t base;
};

enum { CPU_RAX, CPU_RCX, CPU_RDX, CPU_RBX, CPU_RSP, CPU_RBP, CPU_RSI, CPU_RDI };
enum { CPU_ES, CPU_CS, CPU_SS, CPU_DS, CPU_FS, CPU_GS, CPU_LDTR, CPU_TR, CPU_SEG_COUNT };

/* Architectural state for boot, tests and debuggers. */
struct cpu_state {
    uint64_t gpr[16];
    uint64_t rip, rflags;
    struct cpu_seg seg[CPU_SEG_COUNT];
    uint64_t gdt_base, idt_base;
    uint16_t gdt_limit, idt_limit;
    uint64_t cr0, cr2, cr3, cr4, efer;
    uint64_t fs_kernel_gs_base; /* IA32_KERNEL_GS_BASE */
    uint64_t dr[8];
    uint8_t fxsave[512]; /* FXSAVE64 image: x87, MMX, XMM, MXCSR */
};

/* Software back end. Never fails for a valid configuration. Processor 0 resets to its reset
 * vector state, the others wait for SIPI. */
struct cpu_group *cpu_group_new(const struct cpu_group_config *config);
void cpu_group_free(struct cpu_group *group);
/* Power-on reset of all processors; RAM is the caller's business. */
void cpu_group_reset(struct cpu_group *group);
/* What RDRAND and RDSEED give from now on comes from this seed, as if from the start. */
void cpu_group_reseed(struct cpu_group *group, uint64_t seed);
struct cpu *cpu_group_get(struct cpu_group *group, unsigned index);
/* Somebody other than a processor wrote RAM: decoded code there becomes invalid. Cheap. */
void cpu_group_ram_written(struct cpu_group *group, uint64_t gpa, uint64_t len);

/*
 * Runs from virtual time now_ps for at most `budget` instructions (at least 1 unless an access is
 * outstanding). *retired gets the number of instructions that count for virtual time, exact at
 * every exit: the processor's local time is now_ps + *retired * ps_per_insn, and an access
 * belongs to that instant.
 */
enum cpu_exit cpu_run(struct cpu *cpu, uint64_t now_ps, uint64_t budget, uint64_t *retired);
/* The outstanding access: valid after CPU_EXIT_ACCESS until cpu_complete(). */
const struct cpu_access *cpu_access(const struct cpu *cpu);
/*
 * Finishes the outstanding access. `data` holds size_bytes for reads, NULL for writes; of
 * CPU_MEM_ENQUEUE it is NULL when they were refused. `fault`:
 * an MSR or TPR access raises #GP(0) instead.
 */
void cpu_complete(struct cpu *cpu, const void *data, bool fault);

/* The interrupt line of the local APIC: level, not edge. */
void cpu_set_intr(struct cpu *cpu, bool level);
void cpu_raise_nmi(struct cpu *cpu);
void cpu_init_signal(struct cpu *cpu);
void cpu_sipi(struct cpu *cpu, uint8_t vector);
/* A halted or waiting processor has a reason to go on. */
bool cpu_wants_to_run(const struct cpu *cpu);

/* TSC value at a virtual time, and the first virtual time at which the TSC is at least `tsc`. */
uint64_t cpu_tsc_at(const struct cpu *cpu, uint64_t now_ps);
uint64_t cpu_tsc_to_ps(const struct cpu *cpu, uint64_t tsc, uint64_t now_ps);

/* Where the processor is in virtual time, also in the midst of cpu_run(). */
uint64_t cpu_now_ps(const struct cpu *cpu);

void cpu_get_state(const struct cpu *cpu, struct cpu_state *state);
void cpu_set_state(struct cpu *cpu, const struct cpu_state *state);
/* Instructions retired since creation. */
uint64_t cpu_retired_total(const struct cpu *cpu);

#endif
