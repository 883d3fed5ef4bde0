/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dumps of every type of function, decoded by the real lspci. */
#include "parts.h"

#include "pcilab/pci/dump.h"

#include <check.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct part_log log_;

/* What lspci prints for these functions. */
static char *lspci(struct pci_func *const *funcs, unsigned count, unsigned segment)
{
    char path[] = "/tmp/pcilab-dump-XXXXXX";
    int fd = mkstemp(path);
    FILE *out = fdopen(fd, "w");
    char *argv[] = {(char *)"lspci", (char *)"-F", path, (char *)"-vvv", (char *)"-nn", NULL};
    char *text = NULL, *errors = NULL;
    int status = 0;
    gboolean ran;

    for (unsigned i = 0; i < count; i++) {
        pci_dump_func(out, (uint16_t)segment, funcs[i]);
    }
    fclose(out);
    ran = g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &text, &errors, &status,
                       NULL);
    unlink(path);
    ck_assert_msg(ran && status == 0, "lspci failed: %s", errors ? errors : "");
    g_free(errors);
    return text;
}

static void free_all(struct pci_func **funcs, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        pci_func_free(funcs[i]);
    }
}

static void wants(const char *text, const char *needle)
{
    ck_assert_msg(strstr(text, needle) != NULL, "lspci does not say '%s'", needle);
}

START_TEST(test_lspci_decodes_everything)
{
    struct pci_func *funcs[] = {
        part_port(&log_, PCIE_ROOT_PORT),
        part_port(&log_, PCIE_UPSTREAM_PORT),
        part_port(&log_, PCIE_DOWNSTREAM_PORT),
        part_endpoint(&log_),
        part_integrated(&log_),
    };
    static const char *const suspicious[] = {"nknown", "!!!",    "reserved", "eserved", "??",
                                             "rev ff", "irtual", "nvalid",   "roken"};
    char *text;

    part_write(funcs[0], PCI_PRIMARY_BUS, 4, 0x00010100);
    part_write(funcs[0], PCI_COMMAND, 2, 7);
    part_write(funcs[0], PCI_MEM_BASE, 4, 0xe010e000);
    part_write(funcs[0], PCI_PREF_BASE, 4, 0x00110001);
    part_write(funcs[0], PCI_PREF_BASE_UPPER, 4, 1);
    part_write(funcs[0], PCI_PREF_LIMIT_UPPER, 4, 1);
    part_write(funcs[0], PCI_IO_BASE, 2, 0x2010);
    part_write(funcs[3], PCI_BAR(0), 4, 0xe0000000);
    part_write(funcs[3], PCI_BAR(2), 4, 0xe0100000);
    part_write(funcs[3], PCI_BAR(1), 4, 0x1000);
    part_write(funcs[4], PCI_BAR(0), 4, 0xe0300000);
    part_write(funcs[3], PCI_ROM, 4, 0xe0200001);
    part_write(funcs[3], PCI_COMMAND, 2, 7);
    text = lspci(funcs, ARRAY_LEN(funcs), 2);
    if (getenv("PCILAB_SHOW")) {
        fputs(text, stderr);
    }
    for (unsigned i = 0; i < ARRAY_LEN(suspicious); i++) {
        const char *at = strstr(text, suspicious[i]);

        ck_assert_msg(!at, "lspci says '%s': %.80s", suspicious[i], at ? at : "");
    }
    wants(text, "0002:01:00.0 ");
    wants(text, "Region 0: Memory at e0000000 (32-bit, non-prefetchable)");
    wants(text, "Region 1: I/O ports at 1000");
    /* Not above 4 GiB: from a file, lspci 3.9.0 shows the upper half as one more region. */
    wants(text, "Region 4: Memory at <unassigned> (64-bit, prefetchable)");
    wants(text, "Region 0: Memory at e0300000 (64-bit, prefetchable) [disabled]");
    wants(text, "Expansion ROM at e0200000");
    wants(text, "Memory behind bridge: e0000000-e01fffff");
    wants(text, "Prefetchable memory behind bridge: 0000000100000000-00000001001fffff [size=2M] "
                "[64-bit]");
    wants(text, "I/O behind bridge: 00001000-00002fff [size=8K] [32-bit]");
    wants(text, "Express (v2) Root Port (Slot+), MSI 00");
    wants(text, "Express (v2) Upstream Port, MSI 00");
    wants(text, "Express (v2) Downstream Port (Slot+), MSI 00");
    wants(text, "Express (v2) Endpoint, MSI 00");
    wants(text, "Express (v2) Root Complex Integrated Endpoint, MSI 00");
    wants(text, "MSI-X: Enable- Count=70 Masked-");
    wants(text, "MSI: Enable- Count=1/8 Maskable+ 64bit+");
    wants(text, "Device Serial Number 00-11-22-33-44-55-66-77");
    wants(text, "Alternative Routing-ID Interpretation (ARI)");
    wants(text, "LnkSta:\tSpeed 16GT/s (downgraded), Width x4 (downgraded)");
    wants(text, "Slot #12, PowerLimit 75W");
    g_free(text);
    free_all(funcs, ARRAY_LEN(funcs));
}
END_TEST

START_TEST(test_ports_without_link)
{
    struct pci_func *funcs[] = {part_port(&log_, PCIE_ROOT_PORT)};
    char *text;

    pcie_set_presence(funcs[0], false);
    pcie_set_link(funcs[0], 0, 0, false);
    text = lspci(funcs, 1, 0);
    wants(text, "Width x0");
    wants(text, "DLActive-");
    wants(text, "Memory behind bridge: fff00000-000fffff [disabled]");
    ck_assert_ptr_null(strstr(text, "nknown"));
    g_free(text);
    free_all(funcs, 1);
}
END_TEST

START_TEST(test_format)
{
    struct pci_func *f = part_endpoint(&log_);
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    pci_dump_func(out, 0xabc, f);
    fclose(out);
    ck_assert(g_str_has_prefix(text, "0abc:01:00.0 ep\n00: 0f 1d 01 cd 00 00 10 00 03 02 08 01 "));
    wants(text, "\nf0: ");
    wants(text, "\n100: 03 00 c1 10 77 66 55 44 33 22 11 00 ");
    wants(text, "\nff0: ");
    ck_assert(g_str_has_suffix(text, "00\n\n"));
    free(text);
    pci_func_free(f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dump");
    TCase *tc = tcase_create("dump");
    SRunner *runner;
    int failed;

    tcase_add_test(tc, test_format);
    tcase_add_test(tc, test_lspci_decodes_everything);
    tcase_add_test(tc, test_ports_without_link);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
