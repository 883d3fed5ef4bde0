/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What words do when they are called one by one, as bytes. */
        .section .rodata
        .balign 8
        .globl pcilab_live, pcilab_live_end
pcilab_live:
        .incbin PCILAB_LIVE
pcilab_live_end:
        .byte 0
        .section .note.GNU-stack, "", @progbits
