/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel files. */
#include "kernel.h"

#include <elf.h>
#include <string.h>

#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/platform/addrmap.h"
#include "pcilab/platform/machine.h"
#include "unpack.h"

#define BOOT_FLAG       0xaa55
#define HDR_MAGIC_VALUE 0x53726448 /* "HdrS" */
#define VERSION_MIN     0x020c     /* the first with xloadflags */
#define XLF_KERNEL_64   0x0001
#define ENTRY_64_OFFSET 0x200
#define LOADED_HIGH     0x01
#define INITRD_MAX      0x7fffffff /* a vmlinux has no header that says so */
#define CMDLINE_MAX     2047
#define ELF_HEADERS_MAX 64
#define SECTOR          512

static bool fail(GError **error, enum machine_error code, const char *message)
{
    g_set_error_literal(error, MACHINE_ERROR, (gint)code, message);
    return false;
}

static bool elf_check(const Elf64_Ehdr *eh, size_t len, GError **error)
{
    if (eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_ident[EI_DATA] != ELFDATA2LSB ||
        le16toh(eh->e_machine) != EM_X86_64)
        return fail(error, MACHINE_ERROR_FILE,
                    "the kernel is an ELF file for another architecture: x86-64 is needed");
    if (le16toh(eh->e_type) != ET_EXEC)
        return fail(error, MACHINE_ERROR_FILE,
                    "the ELF file is not a kernel: vmlinux is linked to a fixed address");
    if (le16toh(eh->e_phentsize) != sizeof(Elf64_Phdr) || le16toh(eh->e_phnum) == 0 ||
        le16toh(eh->e_phnum) > ELF_HEADERS_MAX ||
        !range_inside(le64toh(eh->e_phoff), le16toh(eh->e_phnum) * sizeof(Elf64_Phdr), 0, len))
        return fail(error, MACHINE_ERROR_FILE,
                    "the ELF kernel is truncated: its program headers lie outside the file");
    return true;
}

static bool elf_load_segment(struct kernel *kernel, struct ram *ram, const Elf64_Phdr *ph,
                             GBytes *file, GError **error)
{
    gsize len;
    const uint8_t *bytes = g_bytes_get_data(file, &len);
    uint64_t offset = le64toh(ph->p_offset), file_len = le64toh(ph->p_filesz);
    uint64_t addr = le64toh(ph->p_paddr), mem_len = le64toh(ph->p_memsz);

    if (!range_inside(offset, file_len, 0, len) || file_len > mem_len)
        return fail(error, MACHINE_ERROR_FILE,
                    "the ELF kernel is truncated: a segment lies outside the file");
    if (!range_inside(addr, mem_len, MAP_HIGH_RAM_BASE, ram->free_end - MAP_HIGH_RAM_BASE)) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_MEMORY,
                    "the kernel wants memory at 0x%" G_GINT64_MODIFIER "x (%" G_GUINT64_FORMAT
                    " KiB) but the machine has %u MiB below 4 GiB; give it more with --memory",
                    addr, mem_len >> 10, (unsigned)(ram->low_end >> 20));
        return false;
    }
    uint8_t *to = ram_ptr(ram, addr, mem_len);
    memcpy(to, bytes + offset, file_len);
    memset(to + file_len, 0, mem_len - file_len);
    kernel->start = MIN(kernel->start, addr);
    kernel->end = MAX(kernel->end, addr + mem_len);
    return true;
}

static bool elf_load(struct kernel *kernel, struct ram *ram, GBytes *file, GError **error)
{
    gsize len;
    const uint8_t *bytes = g_bytes_get_data(file, &len);
    Elf64_Ehdr eh;

    if (len < sizeof(eh))
        return fail(error, MACHINE_ERROR_FILE, "the ELF kernel is truncated");
    memcpy(&eh, bytes, sizeof(eh));
    if (!elf_check(&eh, len, error))
        return false;
    kernel->start = UINT64_MAX;
    kernel->end = 0;
    for (unsigned i = 0; i < le16toh(eh.e_phnum); i++) {
        Elf64_Phdr ph;

        memcpy(&ph, bytes + le64toh(eh.e_phoff) + i * sizeof(ph), sizeof(ph));
        if (le32toh(ph.p_type) == PT_LOAD && ph.p_memsz &&
            !elf_load_segment(kernel, ram, &ph, file, error))
            return false;
    }
    kernel->entry = le64toh(eh.e_entry);
    if (kernel->entry < kernel->start || kernel->entry >= kernel->end)
        return fail(error, MACHINE_ERROR_FILE,
                    "the ELF kernel's entry is not a physical address inside it: is this vmlinux?");
    return true;
}

/* A vmlinux brings no setup header: one that says the same as a bzImage's would. */
static void header_for_elf(struct kernel *kernel)
{
    kernel->header_end = HDR_END_MIN;
    kernel->header[HDR_SETUP_SECTS] = 1;
    le16_store(kernel->header + HDR_BOOT_FLAG, BOOT_FLAG);
    le32_store(kernel->header + HDR_MAGIC, HDR_MAGIC_VALUE);
    le16_store(kernel->header + HDR_VERSION, 0x020f);
    kernel->header[HDR_LOADFLAGS] = LOADED_HIGH;
    le32_store(kernel->header + HDR_KERNEL_ALIGNMENT, 2 << 20);
    le32_store(kernel->header + HDR_INITRD_ADDR_MAX, INITRD_MAX);
    le32_store(kernel->header + HDR_CMDLINE_SIZE, CMDLINE_MAX);
}

static bool bzimage_check(const uint8_t *bytes, size_t len, GError **error)
{
    if (len < HDR_END_MAX || le16_load(bytes + HDR_BOOT_FLAG) != BOOT_FLAG ||
        le32_load(bytes + HDR_MAGIC) != HDR_MAGIC_VALUE)
        return fail(error, MACHINE_ERROR_FILE,
                    len < HDR_END_MAX
                        ? "the kernel file is truncated: it is shorter than a boot header"
                        : "not a Linux kernel for x86: neither a bzImage nor an ELF file");
    if (le16_load(bytes + HDR_VERSION) < VERSION_MIN ||
        !(le16_load(bytes + HDR_XLOADFLAGS) & XLF_KERNEL_64))
        return fail(error, MACHINE_ERROR_FILE,
                    "the kernel has no 64-bit entry: an amd64 kernel of version 3.8 or later is "
                    "needed");
    return true;
}

/* The protected-mode part: what follows the setup sectors. */
static bool bzimage_body(const uint8_t *bytes, size_t len, const uint8_t **body, size_t *body_len,
                         GError **error)
{
    unsigned sectors = bytes[HDR_SETUP_SECTS] ? bytes[HDR_SETUP_SECTS] : 4;
    uint64_t start = (sectors + 1) * SECTOR;
    uint64_t size = (uint64_t)le32_load(bytes + HDR_SYSSIZE) * 16;

    if (size <= ENTRY_64_OFFSET)
        return fail(error, MACHINE_ERROR_FILE, "the bzImage is damaged: its code is empty");
    /* The size is in paragraphs; the file need not be padded to one. */
    if (start >= len || size - MIN(size, 15) > len - start) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FILE,
                    "the kernel file is truncated: %" G_GSIZE_FORMAT " bytes of %" G_GUINT64_FORMAT
                    "; fetch or build it again",
                    len, start + size);
        return false;
    }
    *body = bytes + start;
    *body_len = MIN(size, len - start);
    return true;
}

static bool bzimage_enter(struct kernel *kernel, struct ram *ram, const uint8_t *body,
                          size_t body_len, GError **error)
{
    uint64_t addr = le64_load(kernel->header + HDR_PREF_ADDRESS);
    uint64_t need = MAX(le32_load(kernel->header + HDR_INIT_SIZE), body_len);

    if (!range_inside(addr, need, MAP_HIGH_RAM_BASE, ram->free_end - MAP_HIGH_RAM_BASE)) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_MEMORY,
                    "the kernel needs %u MiB of memory at %u MiB to unpack itself and the machine "
                    "has %u MiB below 4 GiB; give it more with --memory",
                    (unsigned)(need >> 20), (unsigned)(addr >> 20), (unsigned)(ram->low_end >> 20));
        return false;
    }
    memcpy(ram_ptr(ram, addr, body_len), body, body_len);
    kernel->start = addr;
    kernel->end = addr + need;
    kernel->entry = addr + ENTRY_64_OFFSET;
    return true;
}

static bool bzimage_unpack(struct kernel *kernel, struct ram *ram, const uint8_t *body,
                           size_t body_len, GError **error)
{
    uint32_t offset = le32_load(kernel->header + HDR_PAYLOAD_OFFSET);
    uint32_t length = le32_load(kernel->header + HDR_PAYLOAD_LENGTH);

    if (!range_inside(offset, length, 0, body_len))
        return fail(error, MACHINE_ERROR_FILE,
                    "the bzImage is damaged: its payload lies outside the file");
    GBytes *elf = unpack_payload(body + offset, length, ram->low_end, error);
    if (!elf)
        return false;
    gsize elf_len;
    const uint8_t *elf_bytes = g_bytes_get_data(elf, &elf_len);
    bool ok = elf_len >= SELFMAG && memcmp(elf_bytes, ELFMAG, SELFMAG) == 0
                  ? elf_load(kernel, ram, elf, error)
                  : fail(error, MACHINE_ERROR_FILE, "the bzImage's payload is not an ELF kernel");
    g_bytes_unref(elf);
    return ok;
}

static bool bzimage_load(struct kernel *kernel, struct ram *ram, GBytes *file, bool enter,
                         GError **error)
{
    gsize len;
    const uint8_t *bytes = g_bytes_get_data(file, &len);
    const uint8_t *body;
    size_t body_len;

    if (!bzimage_check(bytes, len, error) || !bzimage_body(bytes, len, &body, &body_len, error))
        return false;
    unsigned end = HDR_MAGIC + bytes[HDR_JUMP_LEN];
    kernel->header_end = CLAMP(end, HDR_END_MIN, HDR_END_MAX);
    memcpy(kernel->header + HDR_SETUP_SECTS, bytes + HDR_SETUP_SECTS,
           kernel->header_end - HDR_SETUP_SECTS);
    return enter ? bzimage_enter(kernel, ram, body, body_len, error)
                 : bzimage_unpack(kernel, ram, body, body_len, error);
}

bool kernel_load(struct kernel *kernel, struct ram *ram, GBytes *file, bool enter_bzimage,
                 GError **error)
{
    gsize len;
    const uint8_t *bytes = g_bytes_get_data(file, &len);
    bool elf = len >= SELFMAG && memcmp(bytes, ELFMAG, SELFMAG) == 0;

    *kernel = (struct kernel){0};
    if (elf && enter_bzimage)
        return fail(error, MACHINE_ERROR_INPUT,
                    "the kernel is an ELF file, not a bzImage: leave out --enter=bzimage");
    if (elf)
        header_for_elf(kernel);
    if (!(elf ? elf_load(kernel, ram, file, error)
              : bzimage_load(kernel, ram, file, enter_bzimage, error)))
        return false;
    kernel->cmdline_max = MIN(le32_load(kernel->header + HDR_CMDLINE_SIZE), CMDLINE_MAX);
    kernel->initrd_max = le32_load(kernel->header + HDR_INITRD_ADDR_MAX);
    return true;
}
