/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Core files of a machine whose RAM holds page tables and a VMCOREINFO made here: true, and false.
 */
#include <check.h>
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hw/platform/board.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/platform/vmcore.h"

#define DIRECT 0xffff9a8040000000ULL /* a multiple of 1 GiB, as with KASLR */
#define INFO   0x300000
#define TABLES 0x400000

static struct machine *machine;
static GByteArray *file;
static unsigned writes_left;

/* What is not written is zero. */
static void grow(uint64_t size)
{
    unsigned old = file->len;

    if (size > old) {
        g_byte_array_set_size(file, (unsigned)size);
        memset(file->data + old, 0, (unsigned)size - old);
    }
}

static int on_write(void *opaque, uint64_t offset, const void *data, uint64_t len)
{
    if (!writes_left)
        return -ENOSPC;
    writes_left--;
    ck_assert_uint_le(offset + len, 64 << 20);
    grow(offset + len);
    memcpy(file->data + offset, data, len);
    return 0;
}

static const struct vmcore_out out = {.write = on_write};

static uint8_t *ram(uint64_t gpa)
{
    return ram_ptr(&machine->ram, gpa, 4096);
}

static void setup(void)
{
    struct machine_desc *desc = machine_desc_new();

    desc->cpus = 2;
    desc->memory_bytes = 32 << 20;
    machine_desc_add(desc, MACHINE_HOST_BRIDGE, "hb0");
    machine = machine_new(desc, &(struct machine_options){.seed = 1}, NULL);
    machine_desc_free(desc);
    file = g_byte_array_new();
    writes_left = 1000;
}

static void teardown(void)
{
    machine_free(machine);
    g_byte_array_unref(file);
}

static void put_info(const char *text, uint32_t len)
{
    uint8_t *page = ram(INFO);

    le32_store(page, 11);
    le32_store(page + 4, len);
    le32_store(page + 8, 0);
    memcpy(page + 12, "VMCOREINFO", 11);
    memcpy(page + 24, text, MIN(strlen(text), 4096 - 24));
}

/* Tables at TABLES, top first: the direct mapping in 2 MiB pages, and 4 MiB of image at 16 MiB. */
static void put_tables(void)
{
    uint8_t *top = ram(TABLES), *direct = ram(TABLES + 0x1000), *pages = ram(TABLES + 0x2000);
    uint8_t *image = ram(TABLES + 0x3000), *image_pages = ram(TABLES + 0x4000);

    le64_store(top + (DIRECT >> 39 & 511) * 8, (TABLES + 0x1000) | 3);
    le64_store(direct + (DIRECT >> 30 & 511) * 8, (TABLES + 0x2000) | 3);
    for (uint64_t i = 0; i < 512; i++)
        le64_store(pages + 8 * i, i << 21 | 0x83);
    le64_store(top + 511 * 8, (TABLES + 0x3000) | 3);
    le64_store(image + 510 * 8, (TABLES + 0x4000) | 3);
    le64_store(image_pages + 8 * 8, 0x1000000 | 0x83);
    le64_store(image_pages + 9 * 8, 0x1200000 | 0x83);
}

static void write_core(struct vmcore_facts *facts)
{
    ck_assert_int_eq(vmcore_write(machine, &out, facts), 0);
    grow(facts->size_bytes);
}

static const Elf64_Phdr *segment(unsigned index)
{
    const Elf64_Ehdr *head = (const void *)file->data;

    ck_assert_uint_lt(index, head->e_phnum);
    return (const Elf64_Phdr *)(const void *)(file->data + head->e_phoff) + index;
}

START_TEST(test_without_a_kernel)
{
    struct cpu_state state;
    struct vmcore_facts facts;

    memset(ram(0x200000), 0x5a, 4096);
    cpu_get_state(machine->slot[1].cpu, &state);
    state.gpr[15] = 0x1515;
    state.rip = 0x1234;
    cpu_set_state(machine->slot[1].cpu, &state);
    write_core(&facts);
    ck_assert(!facts.has_vmcoreinfo && !facts.knows_addresses);

    const Elf64_Ehdr *head = (const void *)file->data;
    ck_assert_mem_eq(head->e_ident, ELFMAG, SELFMAG);
    ck_assert_uint_eq(head->e_type, ET_CORE);
    ck_assert_uint_eq(head->e_phnum, 1 + machine->ram.piece_count);
    const Elf64_Phdr *note = segment(0);
    ck_assert_uint_eq(note->p_type, PT_NOTE);
    ck_assert_uint_eq(note->p_filesz, 2 * (12 + 8 + 336));
    const uint8_t *second = file->data + note->p_offset + 12 + 8 + 336;
    ck_assert_uint_eq(le32_load(second + 4), 336);
    ck_assert_uint_eq(le32_load(second + 8), NT_PRSTATUS);
    ck_assert_uint_eq(le64_load(second + 20 + 112), 0x1515);
    ck_assert_uint_eq(le64_load(second + 20 + 112 + 16 * 8), 0x1234);
    bool found = false;
    for (unsigned i = 1; i < head->e_phnum; i++) {
        const Elf64_Phdr *load = segment(i);
        ck_assert_uint_eq(load->p_vaddr, 0);
        ck_assert_uint_le(load->p_offset + load->p_filesz, facts.size_bytes);
        if (range_inside(0x200000, 1, load->p_paddr, load->p_filesz)) {
            found = true;
            ck_assert_uint_eq(file->data[load->p_offset + 0x200000 - load->p_paddr], 0x5a);
            ck_assert_uint_eq(file->data[load->p_offset + 0x201000 - load->p_paddr], 0);
        }
    }
    ck_assert(found);
}
END_TEST

START_TEST(test_with_a_kernel)
{
    static const char info[] = "OSRELEASE=6.12\nNUMBER(pgtable_l5_enabled)=0\n"
                               "SYMBOL(init_top_pgt)=ffffffff80400000\nNUMBER(phys_base)=0\n"
                               "SYMBOL(_stext)=ffffffff81000040\n";
    struct vmcore_facts facts;
    uint64_t end = 0;

    put_info(info, sizeof(info) - 1);
    put_tables();
    write_core(&facts);
    ck_assert(facts.has_vmcoreinfo && facts.knows_addresses);
    const Elf64_Phdr *note = segment(0), *text = segment(1);
    ck_assert(g_strstr_len((const char *)file->data + note->p_offset + 2 * (12 + 8 + 336) + 24,
                           (gssize)sizeof(info), "SYMBOL(_stext)=ffffffff81000040\n") != NULL);
    ck_assert_uint_eq(text->p_vaddr, 0xffffffff81000000);
    ck_assert_uint_eq(text->p_paddr, 0x1000000);
    ck_assert_uint_eq(text->p_filesz, 4 << 20);
    for (unsigned i = 2; i < 2 + machine->ram.piece_count; i++) {
        ck_assert_uint_eq(segment(i)->p_vaddr, DIRECT + segment(i)->p_paddr);
        end = segment(i)->p_paddr + segment(i)->p_filesz;
    }
    ck_assert_uint_eq(end, 32 << 20);
}
END_TEST

/* What a guest left there need not make sense. */
START_TEST(test_nonsense)
{
    static const char *const texts[] = {
        "",
        "OSRELEASE=",
        "OSRELEASE=x\nSYMBOL(init_top_pgt)=ffffffffffffffff\nNUMBER(phys_base)=-1\n",
        "OSRELEASE=x\nSYMBOL(init_top_pgt)=ffffffff80400000\nNUMBER(phys_base)=0\n"
        "SYMBOL(_stext)=0\n",
        "OSRELEASE=x\nSYMBOL(init_top_pgt)=ffffffff80400000\nNUMBER(phys_base)=0\n"
        "SYMBOL(_stext)=ffffffffffffffff\n",
        "OSRELEASE=x\nNUMBER(pgtable_l5_enabled)=1\nSYMBOL(init_top_pgt)"};
    static const uint32_t lens[] = {0, 15, 16, 200, 4072, 4073, 0x80000000, UINT32_MAX};
    struct vmcore_facts facts;

    for (unsigned i = 0; i < ARRAY_LEN(texts) * ARRAY_LEN(lens); i++) {
        memset(ram(INFO), i & 1 ? 'A' : 0, 4096);
        put_info(texts[i / ARRAY_LEN(lens)], lens[i % ARRAY_LEN(lens)]);
        memset(ram(TABLES), i & 2 ? 0xff : 0x03, 4096);
        writes_left = 1000;
        ck_assert_int_eq(vmcore_write(machine, &out, &facts), 0);
    }
    /* Tables that lead to themselves. */
    put_info(texts[4], (uint32_t)strlen(texts[4]));
    for (unsigned i = 0; i < 512; i++)
        le64_store(ram(TABLES) + 8 * i, TABLES | 3);
    writes_left = 1000;
    ck_assert_int_eq(vmcore_write(machine, &out, &facts), 0);
}
END_TEST

START_TEST(test_full_disk)
{
    struct vmcore_facts facts;

    for (writes_left = 0; writes_left < 2; writes_left++) {
        unsigned left = writes_left;
        ck_assert_int_eq(vmcore_write(machine, &out, &facts), -ENOSPC);
        writes_left = left;
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vmcore");
    TCase *tc = tcase_create("vmcore");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_without_a_kernel);
    tcase_add_test(tc, test_with_a_kernel);
    tcase_add_test(tc, test_nonsense);
    tcase_add_test(tc, test_full_disk);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
