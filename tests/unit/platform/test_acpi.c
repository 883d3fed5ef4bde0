/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables that a machine gets: checksums, lists that lead to them, and iasl takes each apart
 * and puts it together again.
 */
#include <check.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/platform/board.h"
#include "pcilab/base/le.h"
#include "pcilab/config/topology.h"

#define TABLES_MAX 16

struct table {
    char name[8]; /* signature, and a number for SSDTs */
    const uint8_t *bytes;
    uint32_t len;
};

static struct machine *machine;
static struct table tables[TABLES_MAX];
static unsigned table_count;

static uint8_t sum(const uint8_t *p, uint64_t len)
{
    uint8_t s = 0;

    while (len--)
        s = (uint8_t)(s + *p++);
    return s;
}

static const struct table *add_table(uint64_t gpa)
{
    struct table *t = &tables[table_count];
    const uint8_t *header = ram_ptr(&machine->ram, gpa, 36);

    ck_assert_ptr_nonnull(header);
    t->len = le32_load(header + 4);
    t->bytes = ram_ptr(&machine->ram, gpa, t->len);
    ck_assert_ptr_nonnull(t->bytes);
    ck_assert_uint_eq(sum(t->bytes, t->len), 0);
    g_snprintf(t->name, sizeof(t->name), "%.4s", (const char *)header);
    if (strcmp(t->name, "SSDT") == 0)
        g_snprintf(t->name, sizeof(t->name), "SSDT%u", table_count);
    table_count++;
    return t;
}

static const struct table *find(const char *name)
{
    for (unsigned i = 0; i < table_count; i++) {
        if (strcmp(tables[i].name, name) == 0)
            return &tables[i];
    }
    ck_abort_msg("no %s", name);
    return NULL;
}

static void start(struct machine_desc *desc)
{
    machine = machine_new(desc, &(struct machine_options){.seed = 1}, NULL);
    ck_assert_ptr_nonnull(machine);
    machine_desc_free(desc);

    const uint8_t *rsdp = ram_ptr(&machine->ram, firmware_install(machine), 36);
    ck_assert(memcmp(rsdp, "RSD PTR ", 8) == 0);
    ck_assert_uint_eq(sum(rsdp, 20), 0);
    ck_assert_uint_eq(sum(rsdp, 36), 0);
    table_count = 0;
    const struct table *xsdt = add_table(le64_load(rsdp + 24));
    for (unsigned at = 36; at < xsdt->len; at += 8)
        add_table(le64_load(xsdt->bytes + at));
    add_table(le64_load(find("FACP")->bytes + 140));
}

/* Three units, of which two have scopes, reserved memory and ATSR; SATC is younger than the iasl of
 * some distributions. */
static void build_units(bool satc)
{
    char *text = g_strdup_printf(
        "[machine]\nmemory=256M\n[iommu rest]\nats-ports=all\n[iommu one]\nscope=rp1 vd0\n"
        "ats-ports=rp0,rp1\n[iommu two]\nscope=sw0.1 ioapic\n%s[root-port rp0]\n"
        "[root-port rp1]\n[switch sw0]\nat=rp0\ndownstream=2\n[exerciser ex0]\nat=sw0.1\n"
        "functions=2\nreserved-memory=64K\n[virtio-blk vd0]\n",
        satc ? "ats-integrated=vd0\nats-required=yes\n" : "");
    struct machine_desc *desc = topology_parse("t.ini", text, strlen(text), NULL);

    g_free(text);
    ck_assert_ptr_nonnull(desc);
    start(desc);
}

/* Two bridges whose errors are the firmware's, with root ports enough for long packages. */
static void build_errors(void)
{
    GString *text = g_string_new("[machine]\nmemory=64M\n[host-bridge a]\nfirmware-first=yes\n"
                                 "[host-bridge b]\nsegment=1\nfirmware-first=yes\n");

    for (unsigned i = 0; i < 40; i++)
        g_string_append_printf(text, "[root-port rp%u]\nbridge=%s\n", i, i < 20 ? "a" : "b");
    start(topology_parse("t.ini", text->str, text->len, NULL));
    g_string_free(text, TRUE);
}

static void build(unsigned bridges, unsigned cpus)
{
    struct machine_desc *desc = machine_desc_new();

    desc->cpus = cpus;
    desc->memory_bytes = 16 << 20;
    for (unsigned i = 0; i < bridges; i++) {
        char name[8];
        struct machine_component *c;

        g_snprintf(name, sizeof(name), "hb%u", i);
        c = machine_desc_add(desc, MACHINE_HOST_BRIDGE, name);
        c->bridge.segment = (uint16_t)(i / 2);
        c->bridge.bus_first = i % 2 ? 0x80 : 0;
        c->bridge.bus_last = i % 2 ? 0xff : 0x7f;
    }
    start(desc);
}

static void run_iasl(const char *folder, char *const *argv)
{
    char *out = NULL, *err = NULL;
    int status = -1;

    ck_assert(g_spawn_sync(folder, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &err,
                           &status, NULL));
    ck_assert_msg(status == 0, "%s %s:\n%s%s", argv[1], argv[2], out, err);
    for (char *line = strtok(err, "\n"); line; line = strtok(NULL, "\n"))
        ck_assert_msg(!g_str_has_prefix(line, "Error") && !strstr(line, "nvalid"), "%s", line);
    g_free(out);
    g_free(err);
}

static void round_trip(const char *folder, const struct table *t)
{
    char *aml = g_strdup_printf("%s/%s.aml", folder, t->name);
    char *dsl = g_strdup_printf("%s.dsl", t->name), *file = g_strdup_printf("%s.aml", t->name);
    char *again = NULL;
    gsize len;

    ck_assert(g_file_set_contents(aml, (const char *)t->bytes, t->len, NULL));
    run_iasl(folder, (char *[]){"iasl", "-d", file, NULL});
    g_remove(aml);
    run_iasl(folder, (char *[]){"iasl", "-we", dsl, NULL});
    ck_assert(g_file_get_contents(aml, &again, &len, NULL));
    ck_assert(memcmp(again, t->bytes, 4) == 0);
    /* AML may be encoded otherwise; data tables are the same bytes but for checksum and creator. */
    if (!g_str_has_prefix(t->name, "SSDT") && strcmp(t->name, "DSDT") != 0) {
        ck_assert_uint_eq(len, t->len);
        ck_assert_msg(memcmp(again + 36, t->bytes + 36, len - 36) == 0, "%s", t->name);
    }
    g_free(again);
    g_free(aml);
    g_free(dsl);
    g_free(file);
}

static void remove_folder(const char *folder)
{
    GDir *dir = g_dir_open(folder, 0, NULL);

    for (const char *name; (name = g_dir_read_name(dir));) {
        char *path = g_build_filename(folder, name, NULL);

        g_remove(path);
        g_free(path);
    }
    g_dir_close(dir);
    g_rmdir(folder);
}

START_TEST(test_iasl_round_trip)
{
    char *folder = g_dir_make_tmp("pcilab-acpi-XXXXXX", NULL);

    static const unsigned tables_of[] = {6, 13, 7, 12};

    if (_i == 3)
        build_errors();
    else if (_i == 2)
        build_units(false);
    else
        build(_i ? 8 : 1, _i ? 8 : 1);
    ck_assert_uint_eq(table_count, tables_of[_i]);
    for (unsigned i = 0; i < table_count; i++)
        round_trip(folder, &tables[i]);
    remove_folder(folder);
    g_free(folder);
    machine_free(machine);
}
END_TEST

START_TEST(test_contents)
{
    build(3, 5);
    const struct table *madt = find("APIC"), *mcfg = find("MCFG"), *fadt = find("FACP");
    unsigned locals = 0, ios = 0;

    for (unsigned at = 44; at < madt->len; at += madt->bytes[at + 1]) {
        locals += madt->bytes[at] == 0;
        ios += madt->bytes[at] == 1;
    }
    ck_assert_uint_eq(locals, 5);
    ck_assert_uint_eq(ios, 1);
    ck_assert_uint_eq(mcfg->len, 44 + 3 * 16);
    for (unsigned i = 0; i < 3; i++) {
        const uint8_t *p = mcfg->bytes + 44 + i * 16;

        ck_assert_uint_eq(le64_load(p), i < 2 ? MAP_ECAM_BASE : MAP_ECAM_HIGH_BASE);
        ck_assert_uint_eq(le16_load(p + 8), i / 2);
        ck_assert_uint_eq(p[10], i % 2 ? 0x80 : 0);
    }
    ck_assert_uint_eq(le32_load(fadt->bytes + 112) >> 20 & 1, 1); /* hardware-reduced */
    ck_assert_uint_eq(fadt->bytes[116], 1);
    ck_assert_uint_eq(le64_load(fadt->bytes + 120), 0xcf9);
    /* Windows of the bridges do not overlap. */
    for (unsigned i = 1; i < 3; i++) {
        const struct map_bridge *a = &machine->bridge[i - 1].map, *b = &machine->bridge[i].map;

        ck_assert_uint_le(a->mem32_base + a->mem32_size, b->mem32_base);
        ck_assert_uint_le(a->mem64_base + a->mem64_size, b->mem64_base);
        ck_assert_uint_le(a->io_base + a->io_size, b->io_base);
        ck_assert_uint_le(b->mem32_base + b->mem32_size, MAP_MMIO32_END);
    }
    machine_free(machine);
}
END_TEST

/* A structure's type, flags, length and first scope. */
static const uint8_t *expect_structure(const uint8_t *p, unsigned type, unsigned flags,
                                       unsigned len)
{
    ck_assert_uint_eq(le16_load(p), type);
    ck_assert_uint_eq(le16_load(p + 2), len);
    ck_assert_uint_eq(p[4], flags);
    return p + len;
}

static void expect_range(const uint8_t *p, unsigned segment, unsigned first, unsigned last,
                         unsigned unit)
{
    const uint8_t zero[6] = {0};

    ck_assert_uint_eq(p[0], 1);
    ck_assert_uint_eq(le16_load(p + 2), 24);
    ck_assert_uint_eq(le32_load(p + 4), first); /* IDs of endpoints are requester IDs */
    ck_assert_uint_eq(le16_load(p + 8), segment);
    ck_assert_uint_eq(le16_load(p + 10), segment);
    ck_assert_uint_eq(le16_load(p + 12), first);
    ck_assert_uint_eq(le16_load(p + 14), last);
    ck_assert_uint_eq(le16_load(p + 16), unit);
    ck_assert_mem_eq(p + 18, zero, sizeof(zero));
}

/* Younger than the iasl of some distributions, which does not take it apart. */
START_TEST(test_viot)
{
    static const char text[] = "[machine]\nmemory=64M\n[host-bridge a]\n[host-bridge b]\n"
                               "segment=3\nbus=40-7f\n[iommu x]\nbridge=a\nface=virtio\n"
                               "[iommu y]\nbridge=b\nface=virtio\ndevice=2\n";

    start(topology_parse("t.ini", text, strlen(text), NULL));
    const struct table *viot = find("VIOT");
    const uint8_t *p = viot->bytes;
    static const struct {
        uint16_t segment, sid;
    } unit[] = {{0, 0x00f8}, {3, 0x4010}};

    ck_assert_uint_eq(viot->len, 48 + 2 * (16 + 24 + 24));
    ck_assert_uint_eq(le16_load(p + 36), 6);
    ck_assert_uint_eq(le16_load(p + 38), 48);
    for (unsigned i = 0; i < 2; i++) {
        unsigned at = 48 + i * 64;

        ck_assert_uint_eq(p[at], 3);
        ck_assert_uint_eq(le16_load(p + at + 2), 16);
        ck_assert_uint_eq(le16_load(p + at + 4), unit[i].segment);
        ck_assert_uint_eq(le16_load(p + at + 6), unit[i].sid);
        expect_range(p + at + 16, unit[i].segment, 0, unit[i].sid - 1u, at);
        expect_range(p + at + 40, unit[i].segment, unit[i].sid + 1u, 0xffff, at);
    }
    machine_free(machine);
}
END_TEST

START_TEST(test_dmar)
{
    build_units(true);
    const struct table *dmar = find("DMAR");
    const uint8_t *p = dmar->bytes + 48;
    static const uint8_t port[] = {2, 8, 0, 0, 0, 0, 2, 0, 1, 8, 0, 0, 0, 0, 31, 0};
    static const uint8_t below[] = {2, 12, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0};
    static const uint8_t ioapic[] = {3, 8, 0, 0, 0, 0xff, 30, 0};
    static const uint8_t second[] = {1, 14, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1};

    ck_assert(memcmp(p + 16, port, sizeof(port)) == 0);
    p = expect_structure(p, 0, 0, 16 + 8 + 8);
    ck_assert(memcmp(p + 16, below, sizeof(below)) == 0);
    ck_assert(memcmp(p + 28, ioapic, sizeof(ioapic)) == 0);
    p = expect_structure(p, 0, 0, 16 + 12 + 8);
    p = expect_structure(p, 0, 1, 16);
    ck_assert_uint_eq(le64_load(p + 8), machine->ram.free_end);
    ck_assert_uint_eq(le64_load(p + 16), machine->ram.low_end - 1);
    ck_assert_uint_eq(machine->ram.low_end - machine->ram.free_end, 64 << 10);
    ck_assert(memcmp(p + 24 + 14, second, sizeof(second)) == 0);
    p = expect_structure(p, 1, 0, 24 + 14 * 2);
    p = expect_structure(p, 2, 1, 8);
    p = expect_structure(p, 2, 0, 8 + 8 * 2);
    ck_assert(memcmp(p + 8, port + 8, 8) == 0);
    p = expect_structure(p, 5, 1, 8 + 8);
    ck_assert_ptr_eq(p, dmar->bytes + dmar->len);
    machine_free(machine);
}
END_TEST

START_TEST(test_smbios)
{
    build(1, 1);
    const uint8_t *area = ram_ptr(&machine->ram, MAP_ANCHOR_BASE, MAP_ANCHOR_SIZE);
    const uint8_t *entry = NULL;

    for (unsigned at = 0; at < MAP_ANCHOR_SIZE && !entry; at += 16) {
        if (memcmp(area + at, "_SM3_", 5) == 0)
            entry = area + at;
    }
    ck_assert_ptr_nonnull(entry);
    ck_assert_uint_eq(sum(entry, entry[6]), 0);
    uint32_t len = le32_load(entry + 12);
    const uint8_t *p = ram_ptr(&machine->ram, le64_load(entry + 16), len), *end = p + len;
    bool date = false;
    int last = -1;
    while (p < end && last != 127) {
        last = p[0];
        p += p[1];
        while (p[0] || p[1]) {
            date = date || (last == 0 && strcmp((const char *)p, "06/01/2025") == 0);
            p++;
        }
        p += 2;
    }
    ck_assert(p == end && last == 127 && date);
    machine_free(machine);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("acpi");
    TCase *tc = tcase_create("acpi");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, test_iasl_round_trip, 0, 4);
    tcase_add_test(tc, test_contents);
    tcase_add_test(tc, test_viot);
    tcase_add_test(tc, test_dmar);
    tcase_add_test(tc, test_smbios);
    suite_add_tcase(suite, tc);

    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
