/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs one instruction on the host's processor. All registers come from a structure; the
 * instruction lies at its address in a page of its own, followed by a jump back. A fault arrives
 * as a signal on another stack, with registers, vector and error code in its context.
 */
#include <asm/prctl.h>
#include <cpuid.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "diff.h"

/* Layout known to the assembly below. */
struct native_frame {
    uint64_t gpr[16];                                 /* 0: order of the instruction encoding */
    uint64_t rflags;                                  /* 128 */
    uint64_t target;                                  /* 136 */
    uint64_t host_rsp;                                /* 144 */
    uint64_t taken;                                   /* 152 */
    uint8_t fxsave[512] __attribute__((aligned(16))); /* 160 */
    uint8_t host_fxsave[512];                         /* 672 */
};
_Static_assert(offsetof(struct native_frame, fxsave) == 160, "known to the assembly");
_Static_assert(offsetof(struct native_frame, host_fxsave) == 672, "known to the assembly");

struct native_frame native_frame;
void native_enter(void);
void native_exit_fall(void);
void native_exit_taken(void);
void native_exit_fault(void);

__asm__(".text\n"
        ".globl native_enter, native_exit_fall, native_exit_taken, native_exit_fault\n"
        ".type native_enter, @function\n"
        "native_enter:\n"
        "  push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
        "  fxsave64 672+native_frame(%rip)\n"
        "  mov %rsp, 144+native_frame(%rip)\n"
        "  fxrstor64 160+native_frame(%rip)\n"
        "  pushq 128+native_frame(%rip)\n"
        "  popfq\n"
        "  mov 0+native_frame(%rip), %rax\n"
        "  mov 8+native_frame(%rip), %rcx\n"
        "  mov 16+native_frame(%rip), %rdx\n"
        "  mov 24+native_frame(%rip), %rbx\n"
        "  mov 32+native_frame(%rip), %rsp\n"
        "  mov 40+native_frame(%rip), %rbp\n"
        "  mov 48+native_frame(%rip), %rsi\n"
        "  mov 56+native_frame(%rip), %rdi\n"
        "  mov 64+native_frame(%rip), %r8\n"
        "  mov 72+native_frame(%rip), %r9\n"
        "  mov 80+native_frame(%rip), %r10\n"
        "  mov 88+native_frame(%rip), %r11\n"
        "  mov 96+native_frame(%rip), %r12\n"
        "  mov 104+native_frame(%rip), %r13\n"
        "  mov 112+native_frame(%rip), %r14\n"
        "  mov 120+native_frame(%rip), %r15\n"
        "  jmp *136+native_frame(%rip)\n"
        "native_exit_taken:\n"
        "  movb $1, 152+native_frame(%rip)\n"
        "native_exit_fall:\n"
        "  mov %rax, 0+native_frame(%rip)\n"
        "  mov %rcx, 8+native_frame(%rip)\n"
        "  mov %rdx, 16+native_frame(%rip)\n"
        "  mov %rbx, 24+native_frame(%rip)\n"
        "  mov %rsp, 32+native_frame(%rip)\n"
        "  mov %rbp, 40+native_frame(%rip)\n"
        "  mov %rsi, 48+native_frame(%rip)\n"
        "  mov %rdi, 56+native_frame(%rip)\n"
        "  mov %r8, 64+native_frame(%rip)\n"
        "  mov %r9, 72+native_frame(%rip)\n"
        "  mov %r10, 80+native_frame(%rip)\n"
        "  mov %r11, 88+native_frame(%rip)\n"
        "  mov %r12, 96+native_frame(%rip)\n"
        "  mov %r13, 104+native_frame(%rip)\n"
        "  mov %r14, 112+native_frame(%rip)\n"
        "  mov %r15, 120+native_frame(%rip)\n"
        "  mov 144+native_frame(%rip), %rsp\n"
        "  pushfq\n"
        "  popq 128+native_frame(%rip)\n"
        "  fxsave64 160+native_frame(%rip)\n"
        "native_exit_fault:\n"
        "  pushq $2\n"
        "  popfq\n"
        "  fxrstor64 672+native_frame(%rip)\n"
        "  pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
        "  ret\n"
        ".size native_enter, .-native_enter\n");

static struct diff_result *current; /* while the instruction runs */

/* Where the kernel keeps what native_frame.gpr[i] holds. */
static const int greg_of[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                REG_R12, REG_R13, REG_R14, REG_R15};

static void on_fault(int number, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    greg_t *gregs = uc->uc_mcontext.gregs;

    if (!current) {
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    for (int i = 0; i < 16; i++)
        current->state.gpr[i] = (uint64_t)gregs[greg_of[i]];
    current->state.rip = (uint64_t)gregs[REG_RIP];
    current->state.rflags = (uint64_t)gregs[REG_EFL];
    memcpy(current->state.fxsave, uc->uc_mcontext.fpregs, 512);
    current->vector = (int)gregs[REG_TRAPNO];
    current->error_code = (uint32_t)gregs[REG_ERR];
    current->cr2 = (uint64_t)gregs[REG_CR2];
    gregs[REG_RIP] = (greg_t)(uintptr_t)native_exit_fault;
    gregs[REG_RSP] = (greg_t)native_frame.host_rsp;
    gregs[REG_EFL] = 2;
}

static bool map_at(uint64_t va, size_t bytes, int protection)
{
    void *at = (void *)(uintptr_t)va;
    return mmap(at, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
           at;
}

bool native_init(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    static uint8_t stack_bytes[65536];
    stack_t stack = {.ss_sp = stack_bytes, .ss_size = sizeof(stack_bytes)};
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    if (!map_at(DIFF_CODE, DIFF_CODE_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC) ||
        !map_at(DIFF_DATA, DIFF_RW_BYTES + DIFF_PAGE, PROT_READ | PROT_WRITE))
        return false;
    sigaltstack(&stack, NULL);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        sigaction(signals[i], &action, NULL);
    syscall(SYS_arch_prctl, ARCH_SET_GS, DIFF_GS_BASE);

    memcpy((void *)(uintptr_t)DIFF_RO, diff_pool(), DIFF_PAGE);
    return mprotect((void *)(uintptr_t)DIFF_RO, DIFF_PAGE, PROT_READ) == 0;
}

bool native_is_alike(void)
{
    const unsigned pointers = 1u << 6 | 1u << 13; /* FDP_EXCPTN_ONLY, no FCS and FDS */
    unsigned a, b = 0, c, d, leaf7 = 0;

    __get_cpuid(0, &a, &b, &c, &d);
    __get_cpuid_count(7, 0, &a, &leaf7, &c, &d);
    return b == signature_INTEL_ebx && (leaf7 & pointers) == pointers;
}

/* jmp *[DIFF_EXIT_PTR] */
static void put_exit(uint8_t *at, uint64_t pointer)
{
    uint32_t relative = (uint32_t)(pointer - ((uintptr_t)at + 6));
    at[0] = 0xFF;
    at[1] = 0x25;
    memcpy(at + 2, &relative, 4);
}

static void put_code(const struct diff_case *c)
{
    uint64_t fall = (uintptr_t)native_exit_fall, taken = (uintptr_t)native_exit_taken;
    uint8_t *at = (uint8_t *)(uintptr_t)c->in.rip;

    memcpy((void *)(uintptr_t)DIFF_EXIT_PTR, &fall, 8);
    memcpy((void *)(uintptr_t)DIFF_TAKEN_PTR, &taken, 8);
    put_exit((uint8_t *)(uintptr_t)DIFF_TARGET, DIFF_TAKEN_PTR);
    memcpy(at, c->code, c->len);
    put_exit(at + c->len, DIFF_EXIT_PTR);
}

void native_run(const struct diff_case *c, struct diff_result *r)
{
    struct native_frame *f = &native_frame;

    put_code(c);
    diff_fill_data(c, (uint8_t *)(uintptr_t)DIFF_DATA);
    memcpy(f->gpr, c->in.gpr, sizeof(f->gpr));
    f->rflags = c->in.rflags | 0x202;
    f->target = c->in.rip;
    f->taken = 0;
    memcpy(f->fxsave, c->in.fxsave, 512);

    r->vector = -1;
    r->error_code = 0;
    r->cr2 = 0;
    current = r;
    native_enter();
    current = NULL;
    if (r->vector >= 0)
        return;
    memcpy(r->state.gpr, f->gpr, sizeof(f->gpr));
    r->state.rflags = f->rflags;
    r->state.rip = f->taken ? DIFF_TARGET : c->in.rip + c->len;
    memcpy(r->state.fxsave, f->fxsave, 512);
}

const uint8_t *native_data(void)
{
    return (const uint8_t *)(uintptr_t)DIFF_DATA;
}
