/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Core files: see pcilab/platform/vmcore.h. */
#include "pcilab/platform/vmcore.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"

#define PAGE_BYTES 4096ULL
/* struct elf_prstatus of Linux on x86-64. */
#define PRSTATUS_BYTES  336
#define PRSTATUS_SIGNAL 12
#define PRSTATUS_PID    32
#define PRSTATUS_REGS   112
/* An ELF note: sizes of name and contents, type, name padded to 4, contents padded to 4. */
#define NOTE_HEAD_BYTES 12
#define INFO_NAME       "VMCOREINFO"
#define INFO_HEAD_BYTES (NOTE_HEAD_BYTES + 12)
#define INFO_MAX_BYTES  4096 /* a page in Linux */
#define NOTES_MAX_BYTES (CPU_MAX * (NOTE_HEAD_BYTES + 8 + PRSTATUS_BYTES) + INFO_MAX_BYTES + 32)

/* Linux Documentation/arch/x86/x86_64/mm.rst, 4-level page tables: the processor has no others. */
#define KERNEL_MAP  0xffffffff80000000ULL
#define KERNEL_END  0xffffffffc0000000ULL
#define DIRECT_MAP  0xffff888000000000ULL
#define TABLE_SHIFT 39
#define ENTRY_ADDR  0x000ffffffffff000ULL
#define ENTRY_P     1
#define ENTRY_PS    0x80
#define NOWHERE     UINT64_MAX
/* Kernel stacks lie in the kernel's vmalloc area, in pages of anywhere. */
#define STACK_BYTES  (16 * 1024ULL)
#define SEGMENTS_MAX (2 + RAM_PIECES_MAX + CPU_MAX * (STACK_BYTES / PAGE_BYTES))

struct vmcore {
    const struct machine *machine;
    const struct vmcore_out *out;
    char info[INFO_MAX_BYTES + 1]; /* text of VMCOREINFO */
    unsigned info_len;
    uint64_t top_table;                  /* physical; NOWHERE: unknown */
    uint64_t direct_map;                 /* virtual address of physical 0; NOWHERE */
    uint64_t text, text_paddr, text_len; /* the kernel's image; 0: unknown */
    uint64_t piece_offset[RAM_PIECES_MAX];
    uint8_t notes[NOTES_MAX_BYTES];
    unsigned notes_len;
};

/* ---- VMCOREINFO ---- */

/* The kernel keeps it in a page of its own, as a complete note. */
static bool take_info(struct vmcore *v, const uint8_t *page)
{
    uint32_t len = le32_load(page + 4);

    if (le32_load(page) != sizeof(INFO_NAME) || le32_load(page + 8) != 0 ||
        memcmp(page + NOTE_HEAD_BYTES, INFO_NAME, sizeof(INFO_NAME)) != 0 || len < 16 ||
        len > PAGE_BYTES - INFO_HEAD_BYTES)
        return false;
    const char *text = (const char *)page + INFO_HEAD_BYTES;
    if (memcmp(text, "OSRELEASE=", 10) != 0)
        return false;
    memcpy(v->info, text, len);
    v->info[len] = '\0';
    v->info_len = len;
    return true;
}

static void find_info(struct vmcore *v)
{
    const struct ram *ram = &v->machine->ram;

    for (unsigned i = 0; i < ram->piece_count; i++) {
        const struct cpu_ram *piece = &ram->piece[i];

        for (uint64_t at = 0; at + PAGE_BYTES <= piece->size; at += PAGE_BYTES) {
            if (take_info(v, piece->host + at))
                return;
        }
    }
}

/* A line "KEY=number" of it. */
static bool info_number(const struct vmcore *v, const char *key, int base, uint64_t *value)
{
    size_t len = strlen(key);

    for (const char *line = v->info; line && *line;) {
        if (strncmp(line, key, len) == 0 && line[len] == '=') {
            *value = base == 10 ? (uint64_t)strtoll(line + len + 1, NULL, 10)
                                : strtoull(line + len + 1, NULL, base);
            return true;
        }
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    return false;
}

/* ---- How the kernel is mapped ---- */

static uint64_t walk(const struct vmcore *v, uint64_t vaddr)
{
    uint64_t table = v->top_table;

    for (unsigned shift = TABLE_SHIFT; table != NOWHERE; shift -= 9) {
        const uint8_t *entry = ram_ptr(&v->machine->ram, table + (vaddr >> shift & 511) * 8, 8);
        uint64_t value = entry ? le64_load(entry) : 0;

        if (!(value & ENTRY_P))
            return NOWHERE;
        uint64_t low = low_mask(shift);
        if (shift == 12 || (shift < TABLE_SHIFT && (value & ENTRY_PS)))
            return (value & ENTRY_ADDR & ~low) | (vaddr & low);
        table = value & ENTRY_ADDR;
    }
    return NOWHERE;
}

/* The direct mapping begins at a multiple of 1 GiB that the kernel chooses: the first one where
 * RAM is seen as it lies. */
static void find_direct_map(struct vmcore *v)
{
    const struct ram *ram = &v->machine->ram;
    const struct cpu_ram *last = &ram->piece[ram->piece_count - 1];
    uint64_t far = last->gpa + last->size - PAGE_BYTES;

    v->direct_map = NOWHERE;
    for (uint64_t base = DIRECT_MAP; base >= DIRECT_MAP; base += 1ULL << 30) {
        const uint8_t *top = ram_ptr(ram, v->top_table + (base >> TABLE_SHIFT & 511) * 8, 8);

        if (!top || !(le64_load(top) & ENTRY_P)) {
            base |= low_mask(TABLE_SHIFT) & ~low_mask(30); /* none in the next 512 GiB */
            continue;
        }
        if (walk(v, base + (1 << 20)) == 1 << 20 && walk(v, base + far) == far) {
            v->direct_map = base;
            return;
        }
    }
}

static void find_text(struct vmcore *v, uint64_t stext)
{
    uint64_t from = align_down(stext, 2 << 20), at = from, paddr = walk(v, from);

    if (from < KERNEL_MAP || from >= KERNEL_END || paddr == NOWHERE)
        return;
    while (at < KERNEL_END && walk(v, at) == paddr + (at - from) &&
           ram_ptr(&v->machine->ram, paddr, at - from + PAGE_BYTES))
        at += PAGE_BYTES;
    v->text = from;
    v->text_paddr = paddr;
    v->text_len = at - from;
}

static void find_mappings(struct vmcore *v)
{
    uint64_t top, base, stext;

    v->top_table = v->direct_map = NOWHERE;
    if (!info_number(v, "SYMBOL(init_top_pgt)", 16, &top) ||
        !info_number(v, "NUMBER(phys_base)", 10, &base))
        return;
    v->top_table = (top - KERNEL_MAP + base) & ENTRY_ADDR;
    find_direct_map(v);
    if (info_number(v, "SYMBOL(_stext)", 16, &stext))
        find_text(v, stext);
}

/* ---- Notes ---- */

static void put_note(struct vmcore *v, const char *name, uint32_t type, const void *data,
                     uint32_t len)
{
    uint32_t name_len = (uint32_t)strlen(name) + 1;
    uint8_t *to = v->notes + v->notes_len;

    le32_store(to, name_len);
    le32_store(to + 4, len);
    le32_store(to + 8, type);
    memcpy(to + NOTE_HEAD_BYTES, name, name_len);
    memcpy(to + NOTE_HEAD_BYTES + align_up(name_len, 4), data, len);
    v->notes_len += NOTE_HEAD_BYTES + (unsigned)align_up(name_len, 4) + (unsigned)align_up(len, 4);
}

static void put_processor(struct vmcore *v, unsigned index)
{
    struct cpu_state s;
    uint8_t status[PRSTATUS_BYTES] = {0};

    cpu_get_state(v->machine->slot[index].cpu, &s);
    /* The order of struct user_regs_struct. */
    const uint64_t regs[] = {
        s.gpr[15],
        s.gpr[14],
        s.gpr[13],
        s.gpr[12],
        s.gpr[CPU_RBP],
        s.gpr[CPU_RBX],
        s.gpr[11],
        s.gpr[10],
        s.gpr[9],
        s.gpr[8],
        s.gpr[CPU_RAX],
        s.gpr[CPU_RCX],
        s.gpr[CPU_RDX],
        s.gpr[CPU_RSI],
        s.gpr[CPU_RDI],
        UINT64_MAX, /* orig_rax: no system call */
        s.rip,
        s.seg[CPU_CS].selector,
        s.rflags,
        s.gpr[CPU_RSP],
        s.seg[CPU_SS].selector,
        s.seg[CPU_FS].base,
        s.seg[CPU_GS].base,
        s.seg[CPU_DS].selector,
        s.seg[CPU_ES].selector,
        s.seg[CPU_FS].selector,
        s.seg[CPU_GS].selector,
    };
    le32_store(status + PRSTATUS_PID, index + 1); /* tells processors apart in gdb */
    for (unsigned i = 0; i < ARRAY_LEN(regs); i++)
        le64_store(status + PRSTATUS_REGS + 8 * i, regs[i]);
    put_note(v, "CORE", NT_PRSTATUS, status, sizeof(status));
}

static void put_notes(struct vmcore *v)
{
    for (unsigned i = 0; i < v->machine->cpu_count; i++)
        put_processor(v, i);
    if (v->info_len)
        put_note(v, INFO_NAME, 0, v->info, v->info_len);
}

/* ---- The file ---- */

static uint64_t file_offset(const struct vmcore *v, uint64_t paddr)
{
    const struct ram *ram = &v->machine->ram;

    for (unsigned i = 0; i < ram->piece_count; i++) {
        if (range_inside(paddr, 1, ram->piece[i].gpa, ram->piece[i].size))
            return v->piece_offset[i] + (paddr - ram->piece[i].gpa);
    }
    return 0;
}

/* p_align is 0, none: crash takes a first segment with an alignment for a netdump file. */
static Elf64_Phdr *put_segment(const struct vmcore *v, Elf64_Phdr *to, uint64_t vaddr,
                               uint64_t paddr, uint64_t len)
{
    *to = (Elf64_Phdr){.p_type = PT_LOAD,
                       .p_flags = PF_R | PF_W | PF_X,
                       .p_offset = file_offset(v, paddr),
                       .p_vaddr = vaddr,
                       .p_paddr = paddr,
                       .p_filesz = len,
                       .p_memsz = len,
                       .p_align = 0};
    return to + 1;
}

/* Around the stack pointer, page by page: a debugger that only reads p_vaddr can go up from there.
 */
static Elf64_Phdr *put_stack(const struct vmcore *v, Elf64_Phdr *to, unsigned index)
{
    struct cpu_state s;

    cpu_get_state(v->machine->slot[index].cpu, &s);
    uint64_t from = align_down(s.gpr[CPU_RSP], STACK_BYTES);
    if (v->top_table == NOWHERE || from < DIRECT_MAP || from >= KERNEL_MAP)
        return to;
    for (uint64_t at = from; at < from + STACK_BYTES; at += PAGE_BYTES) {
        uint64_t paddr = walk(v, at);

        if (paddr != NOWHERE && ram_ptr(&v->machine->ram, paddr, PAGE_BYTES) &&
            at != v->direct_map + paddr)
            to = put_segment(v, to, at, paddr, PAGE_BYTES);
    }
    return to;
}

static unsigned fill_segments(struct vmcore *v, Elf64_Phdr *load)
{
    const struct ram *ram = &v->machine->ram;
    Elf64_Phdr *first = load;

    if (v->text_len)
        load = put_segment(v, load, v->text, v->text_paddr, v->text_len);
    for (unsigned i = 0; i < ram->piece_count; i++) {
        const struct cpu_ram *piece = &ram->piece[i];
        uint64_t vaddr = v->direct_map == NOWHERE ? 0 : v->direct_map + piece->gpa;

        load = put_segment(v, load, vaddr, piece->gpa, piece->size);
    }
    for (unsigned i = 0; i < v->machine->cpu_count; i++)
        load = put_stack(v, load, i);
    return (unsigned)(load - first);
}

static int write_head(struct vmcore *v)
{
    struct {
        Elf64_Ehdr elf;
        Elf64_Phdr segment[SEGMENTS_MAX];
    } head = {
        .elf = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
                            EV_CURRENT},
                .e_type = ET_CORE,
                .e_machine = EM_X86_64,
                .e_version = EV_CURRENT,
                .e_phoff = sizeof(Elf64_Ehdr),
                .e_ehsize = sizeof(Elf64_Ehdr),
                .e_phentsize = sizeof(Elf64_Phdr)},
        .segment = {{.p_type = PT_NOTE,
                     .p_offset = sizeof(head),
                     .p_filesz = v->notes_len,
                     .p_memsz = v->notes_len,
                     .p_align = 4}},
    };

    head.elf.e_phnum = (Elf64_Half)(1 + fill_segments(v, head.segment + 1));
    int err = v->out->write(v->out->opaque, 0, &head, sizeof(head));
    return err ? err : v->out->write(v->out->opaque, sizeof(head), v->notes, v->notes_len);
}

/* Pages of zeroes are holes. */
static int write_piece(struct vmcore *v, unsigned index)
{
    static const uint8_t zeroes[PAGE_BYTES];
    const struct cpu_ram *piece = &v->machine->ram.piece[index];
    uint64_t from = 0;
    int err = 0;

    for (uint64_t at = 0; at <= piece->size && !err; at += PAGE_BYTES) {
        bool hole = at == piece->size || memcmp(piece->host + at, zeroes, PAGE_BYTES) == 0;
        if (!hole)
            continue;
        if (at > from)
            err = v->out->write(v->out->opaque, v->piece_offset[index] + from, piece->host + from,
                                at - from);
        from = at + PAGE_BYTES;
    }
    return err;
}

int vmcore_write(const struct machine *machine, const struct vmcore_out *out,
                 struct vmcore_facts *facts)
{
    struct vmcore *v = g_new0(struct vmcore, 1);
    const struct ram *ram = &machine->ram;
    uint64_t end = align_up(
        sizeof(Elf64_Ehdr) + SEGMENTS_MAX * sizeof(Elf64_Phdr) + NOTES_MAX_BYTES, PAGE_BYTES);

    v->machine = machine;
    v->out = out;
    find_info(v);
    find_mappings(v);
    put_notes(v);
    for (unsigned i = 0; i < ram->piece_count; i++) {
        v->piece_offset[i] = end;
        end += ram->piece[i].size;
    }
    *facts = (struct vmcore_facts){.size_bytes = end,
                                   .has_vmcoreinfo = v->info_len != 0,
                                   .knows_addresses = v->direct_map != NOWHERE && v->text_len};
    int err = write_head(v);
    for (unsigned i = 0; i < ram->piece_count && !err; i++)
        err = write_piece(v, i);
    g_free(v);
    return err;
}
