/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine's memory and processors as an ELF64 core file, as /proc/vmcore of a Linux crash kernel
 * has it: one PT_NOTE with an NT_PRSTATUS for each processor and the kernel's VMCOREINFO, one
 * PT_LOAD for each piece of RAM (p_paddr: guest-physical). Where VMCOREINFO says how the kernel is
 * mapped, p_vaddr is its direct mapping, and more PT_LOADs show the kernel's image and, page by
 * page, the kernel stack that each processor is on; otherwise p_vaddr is 0.
 *
 * ELF: System V ABI, gABI 4.1 chapter 5, and its AMD64 supplement. VMCOREINFO: Linux
 * Documentation/admin-guide/kdump/vmcoreinfo.rst. What is read from the guest may be anything.
 */
#ifndef PCILAB_PLATFORM_VMCORE_H
#define PCILAB_PLATFORM_VMCORE_H

#include <stdbool.h>
#include <stdint.h>

struct machine;

struct vmcore_out {
    /* Bytes at an offset of the file; what is never written is zero. 0 or a negative errno. */
    int (*write)(void *opaque, uint64_t offset, const void *data, uint64_t len);
    void *opaque;
};

struct vmcore_facts {
    uint64_t size_bytes;  /* of the file: extend it to this */
    bool has_vmcoreinfo;  /* the guest's kernel published one */
    bool knows_addresses; /* p_vaddr are real */
};

/* While the machine does not run. 0, or the negative errno of the first write that failed. */
int vmcore_write(const struct machine *machine, const struct vmcore_out *out,
                 struct vmcore_facts *facts);

#endif
