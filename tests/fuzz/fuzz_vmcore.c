/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory as a hostile kernel may leave it, written as a core file: the search for VMCOREINFO,
 * its numbers, and page tables of any shape. Every segment must lie in the file, and every write.
 *
 * The first byte chooses what is sound: the note's head; lines that lead to the page tables; table
 * entries that lead to tables. Then the note's length (2 bytes), the processors' stack pointers
 * (8 bytes each), the length of the note's text (2 bytes), the text, and entries: which table (1
 * byte), which entry (2 bytes), its value (8 bytes).
 */
#include <elf.h>
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "hw/platform/board.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/platform/vmcore.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PAGE        4096ULL
#define MEMORY      (8ULL << 20)
#define INFO        0x300000ULL
#define TABLES      0x400000ULL
#define TABLE_COUNT 8
#define CPUS        2
#define TEXT_MAX    (PAGE - 24)

enum { SOUND_HEAD = 1, SOUND_LINES = 2, SOUND_ENTRIES = 4 };

static const char lines[] = "OSRELEASE=6.12\nNUMBER(pgtable_l5_enabled)=0\n"
                            "SYMBOL(init_top_pgt)=ffffffff80400000\nNUMBER(phys_base)=0\n"
                            "SYMBOL(_stext)=ffffffff81000040\n";

struct input {
    const uint8_t *at;
    size_t left;
};

/* The next bytes, zeroes at the end. */
static uint64_t take(struct input *in, unsigned bytes)
{
    uint8_t value[8] = {0};
    size_t len = MIN(bytes, in->left);

    memcpy(value, in->at, len);
    in->at += len;
    in->left -= len;
    return le64_load(value);
}

static void put_info(uint8_t *page, struct input *in, unsigned sound, uint32_t len)
{
    size_t text = take(in, 2) % (TEXT_MAX + 1), at = 24;

    memset(page, 0, PAGE);
    if (sound & SOUND_HEAD) {
        le32_store(page, 11);
        le32_store(page + 4, len);
        memcpy(page + 12, "VMCOREINFO", 11);
    } else {
        at = 0;
    }
    if (sound & SOUND_LINES) {
        memcpy(page + at, lines, sizeof(lines) - 1);
        at += sizeof(lines) - 1;
    }
    text = MIN(text, MIN(in->left, PAGE - at));
    memcpy(page + at, in->at, text);
    in->at += text;
    in->left -= text;
}

static void put_tables(uint8_t *tables, struct input *in, unsigned sound)
{
    memset(tables, 0, TABLE_COUNT * PAGE);
    while (in->left) {
        uint64_t table = take(in, 1) % TABLE_COUNT, entry = take(in, 2) % 512, value = take(in, 8);

        if (sound & SOUND_ENTRIES)
            value = TABLES + value / 8 % TABLE_COUNT * PAGE + (value & 0x80) + 3;
        le64_store(tables + table * PAGE + 8 * entry, value);
    }
}

struct output {
    uint64_t end; /* of what was written */
    unsigned segments;
    Elf64_Phdr segment[64];
};

static int on_write(void *opaque, uint64_t offset, const void *data, uint64_t len)
{
    struct output *o = opaque;

    if (offset == 0) { /* the file's head */
        Elf64_Ehdr head;

        memcpy(&head, data, sizeof(head));
        g_assert(head.e_phnum && head.e_phnum <= G_N_ELEMENTS(o->segment));
        g_assert(head.e_phoff + head.e_phnum * sizeof(Elf64_Phdr) <= len);
        o->segments = head.e_phnum;
        memcpy(o->segment, (const uint8_t *)data + head.e_phoff, head.e_phnum * sizeof(Elf64_Phdr));
    }
    for (uint64_t i = 0; i < len; i += PAGE) /* it is all there */
        *(volatile const uint8_t *)((const uint8_t *)data + i);
    o->end = MAX(o->end, offset + len);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct machine *machine;
    struct input in = {data, size};
    struct output output = {0};
    struct vmcore_facts facts;

    if (!machine) {
        struct machine_desc *desc = machine_desc_new();
        desc->memory_bytes = MEMORY;
        desc->cpus = CPUS;
        machine = machine_new(desc, &(struct machine_options){.seed = 1}, NULL);
        machine_desc_free(desc);
        g_assert(machine);
    }
    unsigned sound = (unsigned)take(&in, 1);
    uint32_t len = (uint32_t)take(&in, 2);
    for (unsigned i = 0; i < CPUS; i++) {
        struct cpu_state state;

        cpu_get_state(machine->slot[i].cpu, &state);
        state.gpr[CPU_RSP] = take(&in, 8);
        cpu_set_state(machine->slot[i].cpu, &state);
    }
    put_info(ram_ptr(&machine->ram, INFO, PAGE), &in, sound, len);
    put_tables(ram_ptr(&machine->ram, TABLES, TABLE_COUNT * PAGE), &in, sound);

    int err = vmcore_write(machine, &(struct vmcore_out){on_write, &output}, &facts);
    g_assert(!err && output.end <= facts.size_bytes && output.segments);
    for (unsigned i = 0; i < output.segments; i++) {
        const Elf64_Phdr *s = &output.segment[i];

        g_assert(s->p_offset <= facts.size_bytes && s->p_filesz <= facts.size_bytes - s->p_offset);
        g_assert(s->p_type == PT_NOTE || ram_ptr(&machine->ram, s->p_paddr, s->p_filesz));
    }
    return 0;
}
