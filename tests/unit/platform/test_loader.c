/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel files: what is loaded where, and what is said of bad ones. */
#include <check.h>
#include <elf.h>
#include <glib.h>
#include <lz4.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "hw/platform/kernel.h"
#include "pcilab/base/le.h"
#include "pcilab/platform/machine.h"

#define MIB          (1024 * 1024)
#define SETUP_BYTES  1024
#define PAYLOAD_AT   0x220
#define ELF_CODE_AT  120
#define ELF_CODE_LEN 64
#define ELF_LEN      (ELF_CODE_AT + ELF_CODE_LEN)

static struct ram ram;
static struct kernel kernel;
static GError *error;

static void setup(void)
{
    error = NULL;
    ck_assert(ram_init(&ram, 16 * MIB, NULL));
}

static void teardown(void)
{
    g_clear_error(&error);
    ram_fini(&ram);
}

static void make_elf(uint8_t out[ELF_LEN])
{
    Elf64_Ehdr eh = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1},
                     .e_type = ET_EXEC,
                     .e_machine = EM_X86_64,
                     .e_version = 1,
                     .e_entry = 0x200010,
                     .e_phoff = sizeof(Elf64_Ehdr),
                     .e_phentsize = sizeof(Elf64_Phdr),
                     .e_phnum = 1};
    Elf64_Phdr ph = {.p_type = PT_LOAD,
                     .p_offset = ELF_CODE_AT,
                     .p_vaddr = 0xffffffff81000000,
                     .p_paddr = 0x200000,
                     .p_filesz = ELF_CODE_LEN,
                     .p_memsz = 0x3000};

    memcpy(out, &eh, sizeof(eh));
    memcpy(out + sizeof(eh), &ph, sizeof(ph));
    for (unsigned i = 0; i < ELF_CODE_LEN; i++)
        out[ELF_CODE_AT + i] = (uint8_t)(i + 1);
}

static GBytes *make_bzimage(const uint8_t *payload, size_t len)
{
    size_t total = SETUP_BYTES + PAYLOAD_AT + len;
    uint8_t *f = g_malloc0(total);

    f[HDR_SETUP_SECTS] = 1;
    le32_store(f + HDR_SYSSIZE, (uint32_t)((PAYLOAD_AT + len + 15) / 16));
    le16_store(f + HDR_BOOT_FLAG, 0xaa55);
    f[HDR_JUMP_LEN] = 0x6a;
    memcpy(f + HDR_MAGIC, "HdrS", 4);
    le16_store(f + HDR_VERSION, 0x020f);
    le32_store(f + HDR_INITRD_ADDR_MAX, 0x7fffffff);
    le16_store(f + HDR_XLOADFLAGS, 1);
    le32_store(f + HDR_CMDLINE_SIZE, 2047);
    le32_store(f + HDR_PAYLOAD_OFFSET, PAYLOAD_AT);
    le32_store(f + HDR_PAYLOAD_LENGTH, (uint32_t)len);
    le64_store(f + HDR_PREF_ADDRESS, 2 * MIB);
    le32_store(f + HDR_INIT_SIZE, 4 * MIB);
    memcpy(f + SETUP_BYTES + PAYLOAD_AT, payload, len);
    return g_bytes_new_take(f, total);
}

static bool load(GBytes *file, bool enter)
{
    bool ok = kernel_load(&kernel, &ram, file, enter, &error);

    g_bytes_unref(file);
    ck_assert(ok == (error == NULL));
    return ok;
}

static void check_loaded_elf(void)
{
    uint8_t *code = ram_ptr(&ram, 0x200000, 0x3000);

    ck_assert_uint_eq(kernel.entry, 0x200010);
    ck_assert_uint_eq(kernel.start, 0x200000);
    ck_assert_uint_eq(kernel.end, 0x203000);
    for (unsigned i = 0; i < ELF_CODE_LEN; i++)
        ck_assert_uint_eq(code[i], i + 1);
    ck_assert_uint_eq(code[ELF_CODE_LEN], 0);
}

START_TEST(test_elf)
{
    uint8_t elf[ELF_LEN];

    make_elf(elf);
    memset(ram_ptr(&ram, 0x200000, 0x3000), 0xee, 0x3000); /* the bss is cleared */
    ck_assert(load(g_bytes_new(elf, sizeof(elf)), false));
    check_loaded_elf();
    ck_assert_uint_eq(kernel.cmdline_max, 2047);
}
END_TEST

/* The five methods, each with the size behind it as the kernel's build appends it. */
static size_t pack(unsigned method, const uint8_t *in, size_t len, uint8_t *out, size_t room)
{
    size_t made = 0;

    if (method == 0) {
        z_stream z = {.next_in = (Bytef *)in,
                      .avail_in = (uInt)len,
                      .next_out = out,
                      .avail_out = (uInt)room};
        deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
        deflate(&z, Z_FINISH);
        made = room - z.avail_out - 4; /* gzip's own trailer ends with the size */
        deflateEnd(&z);
    } else if (method == 1) {
        lzma_easy_buffer_encode(6, LZMA_CHECK_CRC32, NULL, in, len, out, &made, room);
    } else if (method == 2) {
        made = ZSTD_compress(out, room, in, len, 19);
    } else if (method == 3) {
        le32_store(out, 0x184c2102);
        int n = LZ4_compress_default((const char *)in, (char *)out + 8, (int)len, (int)room - 8);
        le32_store(out + 4, (uint32_t)n);
        made = 8 + (size_t)n;
    } else {
        lzma_stream z = LZMA_STREAM_INIT;
        lzma_options_lzma options;
        lzma_lzma_preset(&options, 6);
        ck_assert(lzma_alone_encoder(&z, &options) == LZMA_OK);
        z.next_in = in;
        z.avail_in = len;
        z.next_out = out;
        z.avail_out = room;
        ck_assert(lzma_code(&z, LZMA_FINISH) == LZMA_STREAM_END);
        made = room - z.avail_out;
        lzma_end(&z);
    }
    le32_store(out + made, (uint32_t)len);
    return made + 4;
}

START_TEST(test_bzimage_methods)
{
    uint8_t elf[ELF_LEN], packed[1024];

    make_elf(elf);
    size_t len = pack((unsigned)_i, elf, sizeof(elf), packed, sizeof(packed) - 4);
    ck_assert(load(make_bzimage(packed, len), false));
    check_loaded_elf();

    /* Every truncation is noticed, or has only lost what comes after the data. */
    for (size_t cut = 12; cut < len; cut++) {
        uint8_t bad[1024];

        memcpy(bad, packed, len);
        memmove(bad + cut - 4, packed + len - 4, 4);
        g_clear_error(&error);
        memset(ram_ptr(&ram, 0x200000, 0x3000), 0xee, 0x3000);
        if (load(make_bzimage(bad, cut), false))
            check_loaded_elf();
        else
            ck_assert_ptr_nonnull(strstr(error->message, "damaged"));
        ck_assert(error || cut > len - 16);
    }
    g_clear_error(&error);
}
END_TEST

START_TEST(test_bzimage_entered)
{
    uint8_t body[2048];

    memset(body, 0x77, sizeof(body));
    ck_assert(load(make_bzimage(body, sizeof(body)), true));
    ck_assert_uint_eq(kernel.entry, 2 * MIB + 0x200);
    ck_assert_uint_eq(kernel.end, 6 * MIB);
    ck_assert_uint_eq(*(uint8_t *)ram_ptr(&ram, 2 * MIB + PAYLOAD_AT + 100, 1), 0x77);
    ck_assert_uint_eq(le16_load(kernel.header + HDR_VERSION), 0x020f);
}
END_TEST

static void expect_error(GBytes *file, bool enter, int code, const char *text)
{
    g_clear_error(&error);
    ck_assert(!load(file, enter));
    ck_assert_msg(error->code == code, "code %d for: %s", error->code, error->message);
    ck_assert_msg(strstr(error->message, text) != NULL, "no \"%s\" in: %s", text, error->message);
}

static GBytes *elf_with(size_t offset, unsigned size, uint64_t value)
{
    uint8_t elf[ELF_LEN];

    make_elf(elf);
    le_store(elf + offset, value, size);
    return g_bytes_new(elf, sizeof(elf));
}

START_TEST(test_elf_errors)
{
    const size_t ph = sizeof(Elf64_Ehdr);
    uint8_t elf[ELF_LEN];

    make_elf(elf);
    expect_error(g_bytes_new(elf, 40), false, MACHINE_ERROR_FILE, "truncated");
    expect_error(g_bytes_new(elf, 100), false, MACHINE_ERROR_FILE, "truncated");
    expect_error(g_bytes_new(elf, ELF_LEN - 1), false, MACHINE_ERROR_FILE, "truncated");
    expect_error(elf_with(18, 2, EM_AARCH64), false, MACHINE_ERROR_FILE, "architecture");
    expect_error(elf_with(4, 1, ELFCLASS32), false, MACHINE_ERROR_FILE, "architecture");
    expect_error(elf_with(16, 2, ET_REL), false, MACHINE_ERROR_FILE, "vmlinux");
    expect_error(elf_with(24, 8, 0xffffffff81000000), false, MACHINE_ERROR_FILE, "entry");
    expect_error(elf_with(ph + 8, 8, UINT64_MAX - 10), false, MACHINE_ERROR_FILE, "truncated");
    expect_error(elf_with(ph + 24, 8, 15 * MIB + 0xff000), false, MACHINE_ERROR_MEMORY, "--memory");
    expect_error(elf_with(ph + 24, 8, 0), false, MACHINE_ERROR_MEMORY, "memory");
    expect_error(elf_with(ph + 24, 8, UINT64_MAX - 0xfff), false, MACHINE_ERROR_MEMORY, "memory");
    expect_error(elf_with(ph + 40, 8, 10), false, MACHINE_ERROR_FILE, "segment");
    expect_error(g_bytes_new(elf, ELF_LEN), true, MACHINE_ERROR_INPUT, "--enter");
}
END_TEST

static GBytes *bzimage_with(size_t offset, unsigned size, uint64_t value)
{
    uint8_t payload[256] = {0x28, 0xb5, 0x2f, 0xfd, [255] = 0x10};
    gsize len;
    GBytes *file = make_bzimage(payload, sizeof(payload));
    uint8_t *bytes = g_bytes_unref_to_data(file, &len);

    le_store(bytes + offset, value, size);
    return g_bytes_new_take(bytes, len);
}

START_TEST(test_bzimage_errors)
{
    static const uint8_t zeros[4096];
    uint8_t payload[256] = {0x28, 0xb5, 0x2f, 0xfd};
    GBytes *whole = make_bzimage(payload, sizeof(payload));
    const int file = MACHINE_ERROR_FILE, memory = MACHINE_ERROR_MEMORY;

    expect_error(g_bytes_new(NULL, 0), false, file, "truncated");
    expect_error(g_bytes_new(zeros, 100), false, file, "truncated");
    expect_error(g_bytes_new(zeros, sizeof(zeros)), false, file, "not a Linux kernel");
    expect_error(g_bytes_new_from_bytes(whole, 0, 1100), false, file, "truncated");
    g_bytes_unref(whole);
    expect_error(bzimage_with(HDR_XLOADFLAGS, 2, 0), false, file, "64-bit");
    expect_error(bzimage_with(HDR_VERSION, 2, 0x0204), false, file, "64-bit");
    expect_error(bzimage_with(HDR_SYSSIZE, 4, 0xffffffff), false, file, "truncated");
    expect_error(bzimage_with(HDR_SYSSIZE, 4, 0), false, file, "empty");
    expect_error(bzimage_with(HDR_PAYLOAD_OFFSET, 4, 0xfffffff0), false, file, "payload");
    expect_error(bzimage_with(HDR_PAYLOAD_LENGTH, 4, 0xfffffff0), false, file, "payload");
    expect_error(bzimage_with(SETUP_BYTES + PAYLOAD_AT, 3, 0x685a42), false, file, "bzip2");
    expect_error(bzimage_with(SETUP_BYTES + PAYLOAD_AT, 4, 0), false, file, "--enter=bzimage");
    expect_error(bzimage_with(HDR_PREF_ADDRESS, 8, 64 * MIB), true, memory, "--memory");
    expect_error(bzimage_with(HDR_INIT_SIZE, 4, 0xffffffff), true, memory, "--memory");
    /* The unpacked size says 0x10000000 bytes; the machine has 16 MiB. */
    expect_error(bzimage_with(0, 1, 0), false, memory, "--memory");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("loader");
    TCase *tc = tcase_create("loader");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_elf);
    tcase_add_loop_test(tc, test_bzimage_methods, 0, 5);
    tcase_add_test(tc, test_bzimage_entered);
    tcase_add_test(tc, test_elf_errors);
    tcase_add_test(tc, test_bzimage_errors);
    suite_add_tcase(suite, tc);

    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
