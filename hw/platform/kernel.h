/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel file: a bzImage (Linux 6.12, Documentation/arch/x86/boot.rst, protocol 2.12 or later
 * with a 64-bit entry) or an ELF vmlinux. Files are hostile: every offset and size is checked.
 */
#ifndef PCILAB_HW_PLATFORM_KERNEL_H
#define PCILAB_HW_PLATFORM_KERNEL_H

#include "ram.h"

/* Offsets in the setup header, the same in the file and in boot_params. */
enum {
    HDR_SETUP_SECTS = 0x1f1,
    HDR_SYSSIZE = 0x1f4,
    HDR_BOOT_FLAG = 0x1fe,
    HDR_JUMP_LEN = 0x201,
    HDR_MAGIC = 0x202,
    HDR_VERSION = 0x206,
    HDR_TYPE_OF_LOADER = 0x210,
    HDR_LOADFLAGS = 0x211,
    HDR_RAMDISK_IMAGE = 0x218,
    HDR_RAMDISK_SIZE = 0x21c,
    HDR_CMD_LINE_PTR = 0x228,
    HDR_INITRD_ADDR_MAX = 0x22c,
    HDR_KERNEL_ALIGNMENT = 0x230,
    HDR_RELOCATABLE = 0x234,
    HDR_XLOADFLAGS = 0x236,
    HDR_CMDLINE_SIZE = 0x238,
    HDR_PAYLOAD_OFFSET = 0x248,
    HDR_PAYLOAD_LENGTH = 0x24c,
    HDR_SETUP_DATA = 0x250,
    HDR_PREF_ADDRESS = 0x258,
    HDR_INIT_SIZE = 0x260,
    HDR_END_MIN = 0x268,
    HDR_END_MAX = 0x290,
};

/* What was loaded and what the loader still needs of the file. */
struct kernel {
    uint8_t header[HDR_END_MAX]; /* setup header at its offsets; zero before HDR_SETUP_SECTS */
    unsigned header_end;         /* bytes valid in it */
    uint64_t entry;              /* physical, 64-bit */
    uint64_t start, end;         /* of what it occupies in RAM */
    uint32_t cmdline_max;        /* characters without the final 0 */
    uint32_t initrd_max;         /* last byte that an initrd may occupy */
};

/* Puts the kernel of a file's bytes into RAM. enter_bzimage: the compressed image as it is. */
bool kernel_load(struct kernel *kernel, struct ram *ram, GBytes *file, bool enter_bzimage,
                 GError **error);

#endif
