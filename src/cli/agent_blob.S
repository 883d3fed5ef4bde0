/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent, a program for the guest, as bytes. */
        .section .rodata
        .balign 8
        .globl pcilab_agent, pcilab_agent_end
pcilab_agent:
        .incbin PCILAB_AGENT
pcilab_agent_end:
        .section .note.GNU-stack, "", @progbits
