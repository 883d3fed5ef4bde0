/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of scenarios, as bytes. */
        .section .rodata
        .balign 8
        .globl pcilab_prelude, pcilab_prelude_end
pcilab_prelude:
        .incbin PCILAB_PRELUDE
        .incbin PCILAB_PRELUDE_IOMMU
        .incbin PCILAB_PRELUDE_GUEST
pcilab_prelude_end:
        .byte 0
        .section .note.GNU-stack, "", @progbits
