/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Archives that cpio reads back; modules with what they need; damaged ones. */
#include <check.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pcilab/io/cpio.h"
#include "pcilab/io/kmod.h"
#include "pcilab/io/unpack.h"

static char *folder;

static void setup(void)
{
    folder = g_dir_make_tmp("pcilab-test-XXXXXX", NULL);
}

static void teardown(void)
{
    char *line = g_strdup_printf("rm -rf '%s'", folder);

    ck_assert_int_eq(system(line), 0);
    g_free(line);
    g_free(folder);
}

static void put(const char *name, const void *data, size_t len)
{
    char *path = g_build_filename(folder, name, NULL), *above = g_path_get_dirname(path);

    ck_assert_int_eq(g_mkdir_with_parents(above, 0755), 0);
    FILE *file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(data, 1, len, file), len);
    fclose(file);
    g_free(above);
    g_free(path);
}

static void put_text(const char *name, const char *text)
{
    put(name, text, strlen(text));
}

/* What a shell command prints, run in the folder. */
static char *shell(const char *command)
{
    char *line = g_strdup_printf("cd '%s' && %s", folder, command);
    char *argv[] = {"sh", "-c", line, NULL}, *out = NULL;

    ck_assert(
        g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, NULL, NULL, NULL));
    g_free(line);
    return out;
}

START_TEST(cpio_reads_it_back)
{
    struct cpio *cpio = cpio_new();

    cpio_add_dir(cpio, "tmp", 01777);
    cpio_add_file(cpio, "a/b/one", 0644, "1", 1);
    cpio_add_file(cpio, "a/b/four", 0755, "four", 4);
    cpio_add_file(cpio, "a/b/four", 0755, "again", 5);
    cpio_add_file(cpio, "empty", 0600, NULL, 0);
    cpio_add_link(cpio, "link", "a/b/one");
    cpio_add_device(cpio, "dev/console", 0600, 5, 1);
    const GByteArray *bytes = cpio_finish(cpio);
    ck_assert_uint_eq(bytes->len % 4, 0);
    put("archive", bytes->data, bytes->len);
    char *text = shell("cpio -tv --quiet --numeric-uid-gid <archive | "
                       "awk '{ printf \"%s %s %s|\", $1, $3 $4, $NF }'");
    ck_assert_str_eq(text, "drwxrwxrwt 00 tmp|drwxr-xr-x 00 a|drwxr-xr-x 00 a/b|"
                           "-rw-r--r-- 00 a/b/one|-rwxr-xr-x 00 a/b/four|-rw------- 00 empty|"
                           "lrwxrwxrwx 00 a/b/one|drwxr-xr-x 00 dev|crw------- 00 dev/console|");
    g_free(text);
    text = shell(
        "mkdir out && cd out && cpio -id --quiet <../archive 'a/*' link && cat a/b/four link");
    ck_assert_str_eq(text, "four1");
    g_free(text);
    cpio_free(cpio);
}
END_TEST

START_TEST(archives_are_the_same_each_time)
{
    GByteArray *first = NULL;

    for (unsigned i = 0; i < 2; i++) {
        struct cpio *cpio = cpio_new();
        cpio_add_file(cpio, "a/b", 0644, "x", 1);
        const GByteArray *bytes = cpio_finish(cpio);
        if (first) {
            ck_assert_uint_eq(first->len, bytes->len);
            ck_assert_mem_eq(first->data, bytes->data, bytes->len);
        } else {
            first = g_byte_array_append(g_byte_array_new(), bytes->data, bytes->len);
        }
        cpio_free(cpio);
    }
    g_byte_array_unref(first);
}
END_TEST

/* An ELF file with a .modinfo of these strings, "|" between them. */
static GByteArray *module(const char *info)
{
    static const char names[] = "\0.modinfo\0.shstrtab";
    size_t info_len = strlen(info) + 1;
    Elf64_Shdr sections[3] = {
        {0},
        {.sh_name = 1, .sh_type = SHT_PROGBITS, .sh_offset = sizeof(Elf64_Ehdr)},
        {.sh_name = 10, .sh_type = SHT_STRTAB, .sh_size = sizeof(names)},
    };
    Elf64_Ehdr head = {.e_type = ET_REL,
                       .e_machine = EM_X86_64,
                       .e_shentsize = sizeof(Elf64_Shdr),
                       .e_shnum = 3,
                       .e_shstrndx = 2};
    GByteArray *out = g_byte_array_new();

    memcpy(head.e_ident, ELFMAG, SELFMAG);
    head.e_ident[EI_CLASS] = ELFCLASS64;
    sections[1].sh_size = info_len;
    sections[2].sh_offset = sizeof(head) + info_len;
    head.e_shoff = sections[2].sh_offset + sizeof(names);
    g_byte_array_append(out, (const guint8 *)&head, sizeof(head));
    g_byte_array_append(out, (const guint8 *)info, (guint)info_len);
    for (char *c = (char *)out->data + sizeof(head); *c; c++) {
        *c = *c == '|' ? '\0' : *c;
    }
    g_byte_array_append(out, (const guint8 *)names, sizeof(names));
    g_byte_array_append(out, (const guint8 *)sections, sizeof(sections));
    return out;
}

static void put_module(const char *path, const char *info, const char *compress)
{
    GByteArray *bytes = module(info);

    put(path, bytes->data, bytes->len);
    g_byte_array_unref(bytes);
    if (compress) {
        char *line = g_strdup_printf("%s %s", compress, path);
        g_free(shell(line));
        g_free(line);
    }
}

static struct kmod *open_kmod(const char *release)
{
    GError *error = NULL;
    struct kmod *k = kmod_new(folder, release, &error);

    ck_assert_msg(k, "%s", error ? error->message : "");
    return k;
}

#define MAGIC "vermagic=6.12.1 SMP mod_unload"

START_TEST(modules_and_what_they_need)
{
    put_text("modules.order", "kernel/a/top-one.ko\nkernel/b/mid.ko\nkernel/b/low.ko\n"
                              "kernel/c/soft.ko\nkernel/c/not_wanted.ko\n");
    put_text("modules.builtin", "kernel/core/base-stuff.ko\n");
    put_module("kernel/a/top-one.ko",
               "name=top_one|depends=mid,base_stuff|alias=pci:v00001234d*|" MAGIC, "xz");
    put_module("kernel/b/mid.ko", "softdep=pre: soft post: nowhere|depends=low|" MAGIC, "gzip");
    put_module("kernel/b/low.ko", "depends=|" MAGIC, NULL);
    put_module("kernel/c/soft.ko", "depends=low|" MAGIC, NULL);
    struct kmod *k = open_kmod("6.12.1");
    ck_assert_int_eq(kmod_take(k, "top_one", NULL), KMOD_MODULE);
    ck_assert_int_eq(kmod_take(k, "top-one", NULL), KMOD_MODULE);
    ck_assert_int_eq(kmod_take(k, "base_stuff", NULL), KMOD_BUILTIN);
    ck_assert_int_eq(kmod_take(k, "nowhere", NULL), KMOD_ABSENT);
    ck_assert_uint_eq(kmod_count(k), 4);
    struct cpio *cpio = cpio_new();
    kmod_pack(k, cpio);
    const GByteArray *bytes = cpio_finish(cpio);
    put("archive", bytes->data, bytes->len);
    char *text = shell("cpio -id --quiet <archive && cd lib/modules/6.12.1 && cat modules.dep "
                       "modules.alias modules.builtin && head -c 4 kernel/*/*.ko | grep -c ELF");
    ck_assert_str_eq(text, "kernel/b/low.ko:\n"
                           "kernel/c/soft.ko: kernel/b/low.ko\n"
                           "kernel/b/mid.ko: kernel/b/low.ko\n"
                           "kernel/a/top-one.ko: kernel/b/mid.ko kernel/b/low.ko\n"
                           "alias pci:v00001234d* top_one\n"
                           "kernel/core/base-stuff.ko\n4\n");
    g_free(text);
    cpio_free(cpio);
    kmod_free(k);
}
END_TEST

static void expect_bad(const char *name, const char *why)
{
    GError *error = NULL;
    struct kmod *k = open_kmod("6.12.1");

    ck_assert_int_eq(kmod_take(k, name, &error), KMOD_BAD);
    ck_assert_msg(strstr(error->message, why) != NULL, "%s", error->message);
    g_error_free(error);
    kmod_free(k);
}

START_TEST(bad_modules)
{
    put_text("modules.order", "absent.o\nother.o\nneeds.o\nself.o\nempty.o\nbroken.o\n");
    put_text("modules.builtin", "");
    put_module("other.ko", "vermagic=6.12.2 SMP", NULL);
    put_module("needs.ko", "depends=gone|" MAGIC, NULL);
    put_module("self.ko", "depends=self|" MAGIC, NULL);
    put_text("empty.ko", "");
    put("broken.ko.xz",
        "\xfd"
        "7zXZ\0garbage",
        13);
    expect_bad("absent", "absent.ko is in modules.order but not there");
    expect_bad("other", "other.ko is a module of kernel 6.12.2, but the kernel is 6.12.1");
    expect_bad("needs", "has no module gone, which kernel/needs.ko needs");
    expect_bad("self", "needs itself");
    expect_bad("empty", "not an x86-64 kernel module");
    expect_bad("broken", "not a whole xz file");
}
END_TEST

/* No damage to a module does more than make it useless. */
START_TEST(damaged_modules)
{
    GByteArray *bytes = module("depends=|" MAGIC);
    GRand *rand = g_rand_new_with_seed(3);

    put_text("modules.order", "m.o\n");
    put_text("modules.builtin", "");
    for (unsigned i = 0; i < 600; i++) {
        guint8 *copy = g_memdup2(bytes->data, bytes->len);
        unsigned len = i < bytes->len ? i : bytes->len;
        for (unsigned n = 0; i >= bytes->len && n < 4; n++) {
            copy[g_rand_int_range(rand, 0, (gint32)len)] = (guint8)g_rand_int(rand);
        }
        put("m.ko", copy, len);
        struct kmod *k = open_kmod(NULL);
        GError *error = NULL;
        enum kmod_found found = kmod_take(k, "m", &error);
        ck_assert((found == KMOD_BAD) == (error != NULL));
        ck_assert(len == bytes->len || found == KMOD_BAD);
        g_clear_error(&error);
        kmod_free(k);
        g_free(copy);
    }
    g_rand_free(rand);
    g_byte_array_unref(bytes);
}
END_TEST

START_TEST(compressed_files)
{
    static const char *const tools[] = {"cat", "gzip -c", "xz -c --check=crc32", "zstd -qc"};
    static const char *const names[] = {"", "gzip", "xz", "zstd"};
    char *path = g_build_filename(folder, "packed", NULL), *line;

    put_text("plain", "");
    g_free(shell("seq 1 60000 >plain"));
    line = g_strdup_printf("%s <plain >packed && echo done", tools[_i]);
    char *done = shell(line);
    g_free(line);
    if (*done) {
        GByteArray *out = unpack_file(path, NULL);
        ck_assert_ptr_nonnull(out);
        put("again", out->data, out->len);
        g_byte_array_unref(out);
        char *same = shell("cmp plain again && echo same");
        ck_assert_str_eq(same, "same\n");
        g_free(same);
        g_free(shell("head -c 5000 packed >short && mv short packed"));
        GError *error = NULL;
        out = unpack_file(path, &error);
        ck_assert((out == NULL) == (_i > 0));
        ck_assert(!_i || strstr(error->message, names[_i]));
        g_clear_error(&error);
        g_clear_pointer(&out, g_byte_array_unref);
    }
    g_free(done);
    g_free(path);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("initramfs");
    TCase *tc = tcase_create("initramfs");
    SRunner *sr = srunner_create(suite);

    suite_add_tcase(suite, tc);
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, cpio_reads_it_back);
    tcase_add_test(tc, archives_are_the_same_each_time);
    tcase_add_test(tc, modules_and_what_they_need);
    tcase_add_test(tc, bad_modules);
    tcase_add_test(tc, damaged_modules);
    tcase_add_loop_test(tc, compressed_files, 0, 4);
    srunner_set_tap(sr, "-");
    srunner_run_all(sr, CK_SILENT);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
