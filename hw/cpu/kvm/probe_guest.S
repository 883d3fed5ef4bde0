/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The probe guest: loaded at PROBE_CODE, entered in real mode. It tells of each step that is done by
 * its number (enum kvm_probe_step) at a port; what it finds wrong at another one. Exceptions have no
 * handlers: one shuts the processor down.
 */
#include "probe_guest.h"

#define AT(label) (PROBE_CODE + label - kvm_probe_guest)

        .macro done step
        movb    $\step, %al
        outb    %al, $PROBE_PORT_DONE
        .endm
        .macro want step
        movb    $\step, %al
        outb    %al, $PROBE_PORT_WANT
        .endm
        /* Interrupts are off; one is to come. */
        .macro sleep_until_flag
71:     sti
        hlt
        cli
        cmpb    $0, AT(flag)
        je      71b
        movb    $0, AT(flag)
        .endm

        .section .rodata
        .balign 16
        .globl  kvm_probe_guest, kvm_probe_guest_end
kvm_probe_guest:
        .code16
        cli
        done    PROBE_REAL
        lgdtl   AT(gdt_pointer)
        movl    $0x620, %eax            /* PAE, OSFXSR, OSXMMEXCPT */
        movl    %eax, %cr4
        movl    $PROBE_PAGES, %eax
        movl    %eax, %cr3
        movl    $0xc0000080, %ecx       /* EFER */
        rdmsr
        orl     $0x100, %eax            /* LME */
        wrmsr
        movl    %cr0, %eax
        andl    $0x9ffffff3, %eax       /* caches on; neither TS nor EM */
        orl     $0x80000003, %eax       /* PG, MP, PE */
        movl    %eax, %cr0
        ljmpl   $8, $AT(long_mode)

        .code64
long_mode:
        xorl    %eax, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        movl    $PROBE_STACK, %esp
        lidt    AT(idt_pointer)
        movabsq $0x123456789abcdef0, %rax
        movq    %rax, %rbx
        rolq    $32, %rbx
        cmpl    $0x12345678, %ebx
        jne     wrong
        done    PROBE_LONG

        inb     $PROBE_PORT_READ, %al
        cmpb    $PROBE_PORT_VALUE, %al
        jne     wrong
        done    PROBE_PORT

        movl    PROBE_MMIO_GPA, %eax
        cmpl    $PROBE_MMIO_VALUE, %eax
        jne     wrong
        notl    %eax
        movl    %eax, PROBE_MMIO_GPA + 8
        done    PROBE_MMIO

        xorl    %edx, %edx
        movl    $0x1b, %ecx             /* APIC_BASE: x2APIC */
        movl    $0xfee00d00, %eax
        wrmsr
        movl    $0x80f, %ecx            /* SVR */
        movl    $0x1ff, %eax
        wrmsr
        sti
        want    PROBE_INTERRUPT
72:     pause
        cmpb    $0, AT(flag)
        je      72b
        cli
        movb    $0, AT(flag)
        done    PROBE_INTERRUPT

        want    PROBE_HALT
        sleep_until_flag
        done    PROBE_HALT

        want    PROBE_LEVEL
        sleep_until_flag
        done    PROBE_LEVEL

        xorl    %edx, %edx
        movl    $0x832, %ecx            /* the timer's entry: TSC deadline */
        movl    $(0x40000 | PROBE_VECTOR), %eax
        wrmsr
        rdtsc
        addl    $2000000, %eax
        adcl    $0, %edx
        movl    $0x6e0, %ecx
        wrmsr
        sleep_until_flag
        done    PROBE_TIMER

        movl    $7, %eax
        xorl    %ecx, %ecx
        cpuid
        movl    %ebx, %esi
        testl   $0x8, %esi              /* BMI1 */
        jz      no_bmi
        movl    $0x0ff0f0f0, %ecx
        movl    $0x12345678, %edx
        andnl   %edx, %ecx, %eax
        cmpl    $0x10040608, %eax
        jne     wrong
no_bmi:
        done    PROBE_BMI

        testl   $0x20, %esi             /* AVX2 */
        jz      no_avx
        movl    $1, %eax
        cpuid
        andl    $0x14000000, %ecx       /* AVX, XSAVE */
        cmpl    $0x14000000, %ecx
        jne     no_avx
        movq    %cr4, %rax
        orl     $0x40000, %eax          /* OSXSAVE */
        movq    %rax, %cr4
        xorl    %ecx, %ecx
        xorl    %edx, %edx
        movl    $7, %eax
        xsetbv
        vmovdqu AT(numbers), %ymm1
        vpaddd  %ymm1, %ymm1, %ymm2
        vmovdqu %ymm2, PROBE_STACK
        cmpl    $16, PROBE_STACK + 28
        jne     wrong
no_avx:
        done    PROBE_AVX
        hlt

wrong:
        outb    %al, $PROBE_PORT_WRONG
        hlt

handler:
        pushq   %rax
        pushq   %rcx
        pushq   %rdx
        movb    $1, AT(flag)
        xorl    %eax, %eax
        xorl    %edx, %edx
        movl    $0x80b, %ecx            /* EOI */
        wrmsr
        popq    %rdx
        popq    %rcx
        popq    %rax
        iretq

        .balign 8
numbers:
        .long   1, 2, 3, 4, 5, 6, 7, 8
gdt:
        .quad   0, 0x00af9b000000ffff
gdt_pointer:
        .word   15
        .long   AT(gdt), 0
idt_pointer:
        .word   PROBE_LEVEL_VECTOR * 16 + 15
        .quad   AT(idt)
flag:
        .byte   0
        .balign 16
idt:
        .fill   PROBE_VECTOR * 16, 1, 0
        .word   AT(handler), 8, 0x8e00, 0
        .quad   0
        .word   AT(handler), 8, 0x8e00, 0 /* PROBE_LEVEL_VECTOR */
        .quad   0
kvm_probe_guest_end:
        .section .note.GNU-stack, "", @progbits
