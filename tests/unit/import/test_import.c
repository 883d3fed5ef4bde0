/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dumps become topologies that enumerate to the same functions; what is wrong is said with line. */
#include <check.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#include "pcilab/base/le.h"
#include "pcilab/config/import.h"
#include "pcilab/config/topology.h"
#include "pcilab/pci/config.h"
#include "pcilab/platform/enumerate.h"

#define ZEROS   "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n"
#define ZEROS_3 "10: " ZEROS "20: " ZEROS "30: " ZEROS
#define DEVICE  "00: 86 80 34 12 07 00 00 00 00 00 80 02 00 00 00 00\n"
#define BRIDGE  "00: 86 80 56 34 07 00 00 00 00 00 04 06 00 00 01 00\n"
#define BUSES(p, s, l)                                                                             \
    "10: 00 00 00 00 00 00 00 00 " p " " s " " l " 00 f0 00 00 00\n20: " ZEROS "30: " ZEROS

static bool import(const char *dump, const char *iomem, struct topo_import *out, GError **error)
{
    struct topo_import_params params = {
        .dump_file = "d.txt",
        .dump = dump,
        .dump_len = strlen(dump),
        .iomem_file = iomem ? "iomem" : NULL,
        .iomem = iomem,
        .iomem_len = iomem ? strlen(iomem) : 0,
        .config_name = "d.cfg",
    };

    return topo_import(&params, out, error);
}

/* A machine of what was imported, enumerated. */
static struct machine *build(const struct topo_import *imported)
{
    char *folder = g_dir_make_tmp("import-XXXXXX", NULL);
    char *ini = g_build_filename(folder, "d.ini", NULL),
         *cfg = g_build_filename(folder, "d.cfg", NULL);
    struct machine_options options = {0};
    GError *error = NULL;

    ck_assert(g_file_set_contents(ini, imported->topology, -1, NULL));
    ck_assert(g_file_set_contents(cfg, imported->config, -1, NULL));
    struct machine_desc *desc = topology_load(ini, &error);
    ck_assert_msg(desc != NULL, "%s", error ? error->message : "");
    struct machine *machine = machine_new(desc, &options, &error);
    ck_assert_msg(machine != NULL, "%s", error ? error->message : "");
    ck_assert_msg(machine_enumerate(machine, &error), "%s", error ? error->message : "");
    machine_desc_free(desc);
    g_unlink(ini);
    g_unlink(cfg);
    g_rmdir(folder);
    g_free(ini);
    g_free(cfg);
    g_free(folder);
    return machine;
}

struct seen {
    const char *config;
    unsigned count;
    bool expect_all;
};

/* The identifiers and, for bridges, the bus numbers stand in the configuration file so. */
static void compare(void *opaque, uint16_t segment, struct pci_rid rid,
                    const uint8_t config[PCI_CONFIG_BYTES])
{
    struct seen *seen = opaque;
    char *head = g_strdup_printf("%04x:%02x:%02x.%x %04x: %04x:%04x\n", segment, rid.v >> 8,
                                 rid.v >> 3 & 0x1f, rid.v & 7u, le16_load(config + 10),
                                 le16_load(config), le16_load(config + 2));
    const char *at = strstr(seen->config, head), *line;

    ck_assert_msg(at != NULL, "not in the dump: %s", head);
    line = strstr(at, "\n10: ");
    ck_assert_ptr_nonnull(line);
    if ((config[0x0e] & 0x7f) == 1) {
        char *buses = g_strdup_printf(" %02x %02x", config[0x19], config[0x1a]);
        ck_assert_msg(strncmp(line + 5 + 26, buses, 6) == 0, "%s has buses%s", head, buses);
        g_free(buses);
    }
    seen->count++;
    g_free(head);
}

static void check_dump(const char *path)
{
    struct topo_import imported, again;
    GError *error = NULL;
    char *text;

    ck_assert(g_file_get_contents(path, &text, NULL, NULL));
    ck_assert_msg(import(text, NULL, &imported, &error), "%s: %s", path,
                  error ? error->message : "");
    /* Two host bridges of this one use the same addresses, and the import says so. */
    unsigned notes = g_str_has_suffix(path, "/raspberry-pi-5.txt");
    ck_assert_msg(imported.notes->len == notes, "%s: %s", path, imported.topology);

    struct machine *machine = build(&imported);
    struct seen seen = {.config = imported.config};
    machine_visit_functions(machine, compare, &seen);
    ck_assert_msg(seen.count == imported.functions, "%s: %u of %u functions", path, seen.count,
                  imported.functions);
    machine_free(machine);

    /* What was written can be imported, and says all that is known. */
    ck_assert_msg(import(imported.config, NULL, &again, &error), "%s", error ? error->message : "");
    ck_assert_str_eq(again.config, imported.config);
    ck_assert_uint_eq(again.guessed, 0);
    topo_import_clear(&again);
    topo_import_clear(&imported);
    g_free(text);
}

START_TEST(golden_dumps)
{
    char *folder = g_build_filename(g_getenv("PCILAB_SOURCE"), "tests", "golden", "lspci", NULL);
    GDir *dir = g_dir_open(folder, 0, NULL);
    unsigned count = 0;

    ck_assert_ptr_nonnull(dir);
    for (const char *name; (name = g_dir_read_name(dir)); count++) {
        char *path = g_build_filename(folder, name, NULL);
        check_dump(path);
        g_free(path);
    }
    ck_assert_uint_ge(count, 12);
    g_dir_close(dir);
    g_free(folder);
}
END_TEST

static const struct {
    const char *dump, *message;
} mistakes[] = {
    {"", "d.txt: there is no function"},
    {"hello\n", "d.txt:1: neither a function"},
    {"00: 86 80\n", "d.txt:1: bytes of no function"},
    {"00:02.0 x\n", "d.txt:1: 0000:00:02.0: its bytes end at 0x0"},
    {"00:02.0 x\n" DEVICE "10: 00 00\n", "d.txt:3: a line of bytes has 16 of them, this one has 2"},
    {"00:02.0 x\n" DEVICE "20: " ZEROS, "d.txt:3: offset 0x20 where 0x10 follows"},
    {"00:02.0 x\n" DEVICE ZEROS_3 "40: " ZEROS, "d.txt:1: 0000:00:02.0: its bytes end at 0x50"},
    {"00:02.0 x\n" DEVICE ZEROS_3 "00:02.0 y\n", "d.txt:6: 0000:00:02.0 stands in line 1 already"},
    {"00:02.0 x\n\tRegion 0: Memory at 0 [size=3]\n" DEVICE ZEROS_3, "d.txt:2: [size=3] is not"},
    {"00:02.0 x\n\tRegion 0: Memory at 0 [size=4K]\n" DEVICE ZEROS_3,
     "d.txt:1: Region 0 has a size"},
    {"00:02.0 x\n" BRIDGE BUSES("00", "00", "00") "00:03.0 x\n" BRIDGE BUSES("00", "03", "02"),
     "d.txt:6: 0000:00:03.0: a bridge on bus 00 cannot lead to buses 03 to 02"},
    {"00:02.0 x\n" BRIDGE BUSES("00", "01", "03") "00:03.0 x\n" BRIDGE BUSES("00", "03", "04"),
     "d.txt:6: 0000:00:03.0: its buses, 03 to 04, overlap those of the bridge in line 1"},
    {"00:02.0 x\n" BRIDGE BUSES("00", "01", "02") "01:00.0 x\n" BRIDGE BUSES("01", "02", "05"),
     "d.txt:6: 0000:01:00.0: it leads to buses 02 to 05, the bridge above it (line 1) only to 02"},
};

START_TEST(mistakes_are_told)
{
    struct topo_import out;
    GError *error = NULL;

    ck_assert(!import(mistakes[_i].dump, NULL, &out, &error));
    ck_assert_msg(g_str_has_prefix(error->message, mistakes[_i].message), "%s", error->message);
    g_error_free(error);
}
END_TEST

#define NIC                                                                                        \
    "00:02.0 x\n" DEVICE "10: 04 00 00 f0 00 00 00 00 01 e0 00 00 00 00 01 f0\n20: " ZEROS         \
    "30: " ZEROS

/* A device on each of two root buses with this BAR 0; `window` stands in the topology, or not. */
static void expect_window(const char *bar_a, const char *bar_b, const char *iomem,
                          const char *window, bool stands)
{
    static const char zeros[] = " 00 00 00 00 00 00 00 00 00 00 00 00";
    struct topo_import out;
    GError *error = NULL;
    char *text = g_strdup_printf("00:01.0 x\n00: 86 80 01 00 03 00 00 00 00 00 00 02 00 00 00 00\n"
                                 "10: %s%s\n20:%s 00 00 00 00\n30:%s 00 00 00 00\n\n"
                                 "%s00: 86 80 02 00 03 00 00 00 00 00 00 02 00 00 00 00\n"
                                 "10: %s%s\n20:%s 00 00 00 00\n30:%s 00 00 00 00\n",
                                 bar_a, zeros, zeros, zeros, bar_b ? "40:01.0 x\n" : "00:02.0 x\n",
                                 bar_b ? bar_b : "00 00 00 00", zeros, zeros, zeros);

    ck_assert_msg(import(text, iomem, &out, &error), "%s", error ? error->message : "");
    ck_assert_msg((strstr(out.topology, window) != NULL) == stands, "%s: %s", window, out.topology);
    topo_import_clear(&out);
    g_free(text);
}

START_TEST(windows_are_around_addresses)
{
    /* A bridge alone: the platform's windows if they do, else all that there is. */
    expect_window("00 00 00 c0", NULL, NULL, "mem32=", false);
    expect_window("00 00 00 f0", NULL, NULL, "mem32=80000000-febfffff\n", true);
    expect_window("00 00 f0 ff", NULL, NULL, "mem32=", false); /* out of reach */
    expect_window("01 0e 00 00", NULL, NULL, "io=d00-ffff\n", true);
    /* Two: around what each has, in steps of 1 MiB unless they meet in one. */
    expect_window("00 00 00 c0", "00 00 10 d0", NULL, "mem32=c0000000-c00fffff\n", true);
    expect_window("00 00 00 c0", "00 00 10 d0", NULL, "mem32=d0100000-d01fffff\n", true);
    expect_window("00 00 00 c0", "00 00 10 d0", NULL, "io=", false);
    expect_window("00 00 00 c0", "00 00 00 00", NULL, "mem32=none\n", true);
    expect_window("00 00 00 c0", "00 00 08 c0", NULL, "mem32=c0080000-c0083fff\n", true);
    expect_window("00 00 00 c0", "00 00 00 c0", NULL, "overlap", true);
    expect_window("01 20 00 00", "01 e0 00 00", NULL, "io=2000-2fff\n", true);
    expect_window("00 00 00 c0", "00 00 10 d0", "c0000000-cfffffff : PCI Bus 0000:00\n",
                  "mem32=c0000000-cfffffff\n", true);
}
END_TEST

START_TEST(sizes_from_iomem)
{
    struct topo_import out;

    ck_assert(import(NIC,
                     "00000000-00000fff : Reserved\nf0000000-f001ffff : 0000:00:02.0\n"
                     "  f0000000-f001ffff : e1000e\n",
                     &out, NULL));
    ck_assert_ptr_nonnull(strstr(out.config, "Region 0: Memory at f0000000 [size=128K]"));
    /* 0xf0010000 is aligned to 64 KiB; 16 KiB is the most that is guessed. */
    ck_assert_ptr_nonnull(strstr(out.config, "Region 3: Memory at f0010000 [size=16K]"));
    ck_assert_ptr_nonnull(strstr(out.config, "Region 2: I/O ports at e000 [size=32]"));
    ck_assert_uint_eq(out.bars, 3);
    ck_assert_uint_eq(out.guessed, 2);
    topo_import_clear(&out);
}
END_TEST

START_TEST(iomem_mistakes)
{
    struct topo_import out;
    GError *error = NULL;

    ck_assert(!import(NIC, "00000000-00000000 : 0000:00:02.0\n", &out, &error));
    ck_assert_str_eq(error->message,
                     "iomem:1: all addresses are 0: /proc/iomem shows them to root only");
    g_clear_error(&error);
    ck_assert(!import(NIC, "f0000000-f001ffff : x\nbanana\n", &out, &error));
    ck_assert_msg(g_str_has_prefix(error->message, "iomem:2: not a line of"), "%s", error->message);
    g_error_free(error);
}
END_TEST

/* A virtual function, one without function 0, one behind nothing. */
START_TEST(what_cannot_be_found_is_left_out)
{
    struct topo_import out;

    ck_assert(
        import("00:02.0 x\n" BRIDGE BUSES(
                   "00", "01",
                   "03") "00:04.1 x\n" DEVICE ZEROS_3 "02:00.0 x\n" DEVICE ZEROS_3
                         "01:10.0 x\n00: ff ff ff ff 00 00 10 00 00 00 00 02 00 00 00 00\n" ZEROS_3,
               NULL, &out, NULL));
    ck_assert_uint_eq(out.functions, 1);
    ck_assert_uint_eq(out.notes->len, 3);
    ck_assert_ptr_nonnull(strstr(out.topology, "# 0000:00:04.1 (line 6) is left out"));
    topo_import_clear(&out);
}
END_TEST

/* A table as acpidump prints it; `body` follows the header, in hexadecimal. */
static void put_table(GString *out, const char *name, const char *body, int wrong)
{
    uint8_t bytes[512] = {0}, sum = 0;
    unsigned len = 36;

    for (; *body; body += 2) {
        char digits[3] = {body[0], body[1], '\0'};
        bytes[len++] = (uint8_t)g_ascii_strtoull(digits, NULL, 16);
    }
    memcpy(bytes, name, 4);
    le32_store(bytes + 4, len);
    for (unsigned i = 0; i < len; i++) {
        sum = (uint8_t)(sum + bytes[i]);
    }
    bytes[9] = (uint8_t)(wrong - sum);
    g_string_append_printf(out, "%s @ 0x00000000BFF7F240\n", name);
    for (unsigned i = 0; i < len; i++) {
        g_string_append_printf(out, i % 16 ? " %02X" : "    %04X: %02X", i % 16 ? bytes[i] : i,
                               bytes[i]);
        g_string_append(out, i % 16 == 15 || i + 1 == len ? "  text\n" : "");
    }
    g_string_append(out, "\n");
}

static bool import_acpi(const char *dump, const char *acpi, struct topo_import *out, GError **error)
{
    struct topo_import_params params = {
        .dump_file = "d.txt",
        .dump = dump,
        .dump_len = strlen(dump),
        .acpi_file = "acpi",
        .acpi = acpi,
        .acpi_len = strlen(acpi),
        .config_name = "d.cfg",
    };

    return topo_import(&params, out, error);
}

static const char *const one_device = "00:01.0 x\n" DEVICE ZEROS_3;

START_TEST(tables_tell)
{
    /* MCFG: e0000000, segment 0, buses 00-3f. DMAR: 46 bits; a unit for 00:02.0 at fed90000. */
    static const char mcfg[] = "0000000000000000"
                               "000000e0000000000000003f00000000";
    static const char dmar[] = "2d0100000000000000000000"
                               "00001800000000000000d9fe00000000"
                               "0108000000000200";
    struct topo_import out;
    GError *error = NULL;
    GString *text = g_string_new("# a comment\n");

    put_table(text, "MCFG", mcfg, 0);
    put_table(text, "DMAR", dmar, 0);
    ck_assert_msg(import_acpi(one_device, text->str, &out, &error), "%s",
                  error ? error->message : "");
    ck_assert_ptr_nonnull(strstr(out.topology, "\nbus=00-3f\n"));
    ck_assert_ptr_nonnull(strstr(out.topology, "# MCFG: segment 0, buses 00-3f at e0000000\n"));
    ck_assert_ptr_nonnull(
        strstr(out.topology, "# DMAR: unit of segment 0 at fed90000; function 00:02.0\n"));
    topo_import_clear(&out);
    g_string_free(text, TRUE);
}
END_TEST

static void expect_acpi_error(const char *acpi, const char *want)
{
    struct topo_import out;
    GError *error = NULL;

    ck_assert(!import_acpi(one_device, acpi, &out, &error));
    ck_assert_msg(g_str_has_prefix(error->message, want), "%s", error->message);
    g_error_free(error);
}

START_TEST(bad_tables_are_told)
{
    GString *text = g_string_new(NULL);

    expect_acpi_error("", "acpi:1: there is no table");
    expect_acpi_error("hello\n", "acpi:1: not what acpidump prints");
    expect_acpi_error("DSDT @ 0x0\n    0010: 00\n", "acpi:2: not the next row");
    expect_acpi_error("DSDT @ 0x0\n    0000: 44 53 44 54\n", "acpi:1: the table is cut short");
    put_table(text, "DSDT", "", 1);
    expect_acpi_error(text->str, "acpi:1: the table's checksum");
    g_string_truncate(text, 0);
    put_table(text, "DSDT", "", 0);
    put_table(text, "MCFG", "00000000000000000000", 0);
    expect_acpi_error(text->str, "acpi:6: MCFG: its length");
    g_string_truncate(text, 0);
    put_table(text, "MCFG", "0000000000000000000000e00000000000003f0000000000", 0);
    expect_acpi_error(text->str, "acpi:1: MCFG: an entry's last bus");
    g_string_truncate(text, 0);
    put_table(text, "DMAR", "2d010000000000000000000000002000", 0);
    expect_acpi_error(text->str, "acpi:1: DMAR: a structure reaches");
    g_string_free(text, TRUE);
}
END_TEST

static Suite *import_suite(void)
{
    Suite *suite = suite_create("import");
    TCase *tc = tcase_create("import");

    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, golden_dumps);
    tcase_add_loop_test(tc, mistakes_are_told, 0, G_N_ELEMENTS(mistakes));
    tcase_add_test(tc, windows_are_around_addresses);
    tcase_add_test(tc, sizes_from_iomem);
    tcase_add_test(tc, tables_tell);
    tcase_add_test(tc, bad_tables_are_told);
    tcase_add_test(tc, iomem_mistakes);
    tcase_add_test(tc, what_cannot_be_found_is_left_out);
    suite_add_tcase(suite, tc);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(import_suite());

    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
