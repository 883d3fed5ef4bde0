/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware's errors without a kernel: bytes of error records, injection by the registers that
 * EINJ names, sources with their acknowledgements, what the next boot is told, and containment. The
 * test is the operating system.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "hw/platform/apei.h"
#include "hw/platform/board.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/config/topology.h"
#include "pcilab/pci/config.h"
#include "pcilab/pci/error.h"
#include "pcilab/platform/enumerate.h"
#include "pcilab/platform/probe.h"

#define SBDF_FLAG   4u
#define MEMORY_FLAG 2u
#define INVALID     2u
#define INTEGRATED  5 /* of the functions of test_inject_pcie() */

static struct machine *machine;
static struct apei *apei;

static const char board[] =
    "[machine]\nmemory=64M\n[host-bridge hb0]\nfirmware-first=yes\nevent-collector=auto\n"
    "[root-port rp0]\ndpc=yes\n[exerciser ex0]\nat=rp0\nfunctions=2\n"
    "[root-port rp1]\n[switch sw0]\nat=rp1\ndownstream=2\ndpc=yes\n"
    "[exerciser ex1]\nat=sw0.0\n[nvme nvme0]\nat=sw0.1\n[exerciser ex2]\nat=hb0\n";

static void boot(void)
{
    GError *error = NULL;

    ck_assert_msg(machine_enumerate(machine, &error), "%s", error ? error->message : "");
    apei_boot(machine);
}

static void start(const char *text)
{
    GError *error = NULL;
    struct machine_desc *desc = topology_parse("t.ini", text, strlen(text), &error);

    ck_assert_msg(desc != NULL, "%s", error ? error->message : "");
    machine = machine_new(desc, &(struct machine_options){.seed = 1}, NULL);
    ck_assert_ptr_nonnull(machine);
    machine_desc_free(desc);
    apei = machine->apei;
    ck_assert_ptr_nonnull(apei);
    boot();
}

static void setup(void)
{
    start(board);
}

static void teardown(void)
{
    machine_free(machine);
}

static void run_us(unsigned us)
{
    sim_run_until(&machine->sim, machine->sim.now_ps + us * PS_PER_US);
}

static uint32_t get(unsigned reg)
{
    return (uint32_t)reg_read(apei->regs, reg, 4);
}

static void put(unsigned reg, uint64_t value)
{
    reg_write(apei->regs, reg, 4, value);
}

static const uint8_t *memory(uint32_t offset)
{
    return ram_ptr(&machine->ram, apei->ram + offset, APEI_BLOCK_BYTES);
}

static const uint8_t *block(unsigned id)
{
    return memory(APEI_RAM_BLOCK + id * APEI_BLOCK_BYTES);
}

static bool interrupt(void)
{
    return machine->ioapic.lines >> MAP_APEI_GSI & 1;
}

/* What the driver does, up to the trigger table's action; the command's status. */
static unsigned inject(uint32_t type, uint32_t flags, uint64_t address, uint32_t sbdf)
{
    unsigned status;

    put(APEI_EINJ_OPERATION, EINJ_BEGIN);
    put(APEI_EINJ_PARAMS, type);
    put(APEI_EINJ_PARAMS + 0x08, flags);
    reg_write(apei->regs, APEI_EINJ_PARAMS + 0x10, 8, address);
    reg_write(apei->regs, APEI_EINJ_PARAMS + 0x18, 8, ~0xfffULL);
    put(APEI_EINJ_PARAMS + 0x20, sbdf);
    put(APEI_EINJ_OPERATION, EINJ_EXECUTE);
    status = get(APEI_EINJ_STATUS);
    put(APEI_EINJ_OPERATION, EINJ_TRIGGER);
    put(APEI_EINJ_OPERATION, EINJ_END);
    run_us(100);
    return status;
}

static uint32_t sbdf_of(const char *name)
{
    return (uint32_t)machine_func(machine, name)->rid.v << 8;
}

static uint32_t aer(const char *name, unsigned reg)
{
    const struct pci_func *func = machine_func(machine, name);

    return (uint32_t)reg_get(func->cfg, func->ext_aer + reg);
}

/* A block with one PCI Express section of this function. */
static const uint8_t *expect_pcie(const uint8_t *p, unsigned severity, unsigned section,
                                  const char *name)
{
    static const uint8_t type[16] = {0x54, 0xe9, 0x95, 0xd9, 0xc1, 0xbb, 0x0f, 0x43,
                                     0xad, 0x91, 0xb4, 0x4d, 0xcb, 0x3c, 0x6f, 0x35};
    const struct pci_func *func = machine_func(machine, name);

    ck_assert_uint_eq(le32_load(p) & 0xf, severity == CPER_CORRECTED ? 2 : 1);
    ck_assert_uint_eq(le32_load(p) >> 4, 1);
    ck_assert_uint_eq(le32_load(p + 12), 72 + 208);
    ck_assert_uint_eq(le32_load(p + 16), severity);
    ck_assert_mem_eq(p + 20, type, 16);
    ck_assert_uint_eq(le32_load(p + 36), section);
    ck_assert_uint_eq(le16_load(p + 40), 0x300);
    ck_assert_uint_eq(p[42], 2);
    ck_assert_uint_eq(p[43], 1);
    ck_assert_uint_eq(le32_load(p + 44), 208);
    ck_assert_str_eq((const char *)p + 64, func->name);
    p += 92;
    ck_assert_uint_eq(le64_load(p) & ~0x20ULL, 0xcf);
    ck_assert_uint_eq(le32_load(p + 8), func->pcie_type);
    ck_assert_uint_eq(p[31], pci_rid_devfn(func->rid) & 7);
    ck_assert_uint_eq(p[32], pci_rid_devfn(func->rid) >> 3);
    ck_assert_uint_eq(p[35], pci_rid_bus(func->rid));
    return p;
}

START_TEST(test_record_bytes)
{
    struct cper_record record = {
        .kind = CPER_PCIE,
        .severity = CPER_RECOVERABLE,
        .section = CPER_FATAL,
        .where = "a name of 20 letters",
        .more = true,
        .threshold = true,
        .pcie = {.segment = 0x1234,
                 .vendor = 0x8086,
                 .device = 0x10c9,
                 .command = 0x0506,
                 .status = 0x4010,
                 .secondary_status = 0xabcd,
                 .bridge_control = 0x0042,
                 .bus = 0x56,
                 .devfn = 0xfb,
                 .secondary_bus = 0x57,
                 .port_type = 6,
                 .class_code = 0x060400,
                 .slot = 5,
                 .has_capability = true},
    };
    uint8_t b[CPER_BLOCK_MAX];

    memset(record.pcie.capability, 0x77, sizeof(record.pcie.capability));
    ck_assert_uint_eq(cper_encode(&record, b), 20 + 72 + 208);
    ck_assert_uint_eq(le32_load(b), 0x15); /* uncorrectable, several, one entry */
    ck_assert_uint_eq(le32_load(b + 16), 0);
    ck_assert_uint_eq(le32_load(b + 36), 1);
    ck_assert_uint_eq(b[43], 9); /* primary, threshold exceeded */
    ck_assert_mem_eq(b + 64, "a name of 20 letters", 20);
    ck_assert_uint_eq(le64_load(b + 84), 0); /* no time stamp */
    const uint8_t *p = b + 92;
    ck_assert_uint_eq(le64_load(p), 0x6f);
    ck_assert_uint_eq(le32_load(p + 8), 6);
    ck_assert_uint_eq(le32_load(p + 12), 0x0600);
    ck_assert_uint_eq(le32_load(p + 16), 0x40100506);
    ck_assert_uint_eq(le32_load(p + 24), 0x10c98086);
    ck_assert_mem_eq(p + 28, ((uint8_t[]){0x00, 0x04, 0x06, 3, 31, 0x34, 0x12, 0x56, 0x57, 40, 0}),
                     11);
    ck_assert_uint_eq(le32_load(p + 48), 0x0042abcd);
    ck_assert_uint_eq(p[52], 0x77);
    ck_assert_uint_eq(p[111], 0x77);
    ck_assert_uint_eq(p[112], 0); /* no AER */

    record = (struct cper_record){.kind = CPER_MEMORY,
                                  .severity = CPER_CORRECTED,
                                  .section = CPER_CORRECTED,
                                  .memory = {.address = 0x12345000, .mask = ~0xfffULL, .type = 2}};
    ck_assert_uint_eq(cper_encode(&record, b), 20 + 72 + 80);
    ck_assert_uint_eq(le32_load(b), 0x12);
    ck_assert_mem_eq(b + 20, ((uint8_t[]){0x14, 0x11, 0xbc, 0xa5, 0x64, 0x6f, 0xde, 0x4e}), 8);
    ck_assert_uint_eq(le64_load(b + 92), 0x4007);
    ck_assert_uint_eq(le64_load(b + 92 + 16), 0x12345000);
    ck_assert_uint_eq(le64_load(b + 92 + 24), ~0xfffULL);
    ck_assert_uint_eq(b[92 + 72], 2);
}
END_TEST

START_TEST(test_inject_pcie)
{
    static const char *const names[] = {"ex0.1", "rp0", "sw0", "sw0.0", "nvme0", "ex2", "hb0"};
    const char *name = names[_i];
    const uint8_t *p;

    if (_i < INTEGRATED) { /* which have no link for such */
        ck_assert_uint_eq(inject(0x40, SBDF_FLAG, 0, sbdf_of(name)), 0);
        p = expect_pcie(block(APEI_CORRECTED), CPER_CORRECTED, CPER_CORRECTED, name);
        ck_assert_uint_ne(le32_load(p + 112 + PCI_AER_COR_STATUS), 0);
    } else {
        ck_assert_uint_eq(inject(0x40, SBDF_FLAG, 0, sbdf_of(name)), INVALID);
    }
    ck_assert_uint_eq(aer(name, PCI_AER_COR_STATUS), 0);
    ck_assert(!interrupt()); /* this source is polled */

    ck_assert_uint_eq(inject(0x80, SBDF_FLAG, 0, sbdf_of(name)), 0);
    p = expect_pcie(block(APEI_UNCORRECTED), CPER_RECOVERABLE, CPER_RECOVERABLE, name);
    ck_assert_uint_eq(
        le32_load(p + 112 + PCI_AER_UNCOR_STATUS) & le32_load(p + 112 + PCI_AER_UNCOR_SEVERITY), 0);
    ck_assert(interrupt());
    put(APEI_EVENTS, APEI_EVENT_RECORD);
    ck_assert(!interrupt());

    /* The block is the kernel's until it has said so. */
    ck_assert_uint_eq(inject(0x100, SBDF_FLAG, 0, sbdf_of(name)), 0);
    ck_assert(!interrupt());
    expect_pcie(block(APEI_UNCORRECTED), CPER_RECOVERABLE, CPER_RECOVERABLE, name);
    put(APEI_ACK + 4 * APEI_UNCORRECTED, 1);
    ck_assert(interrupt());
    p = expect_pcie(block(APEI_UNCORRECTED), CPER_RECOVERABLE, CPER_FATAL, name);
    ck_assert_uint_eq(le32_load(p + 112 + PCI_AER_UNCOR_STATUS),
                      le32_load(p + 112 + PCI_AER_UNCOR_STATUS) &
                          le32_load(p + 112 + PCI_AER_UNCOR_SEVERITY));
    ck_assert_uint_eq(aer(name, PCI_AER_UNCOR_STATUS), 0);
    ck_assert_uint_eq(aer("rp0", PCI_AER_ROOT_STATUS) | aer("rp1", PCI_AER_ROOT_STATUS) |
                          aer("hb0", PCI_AER_ROOT_STATUS),
                      0);
}
END_TEST

START_TEST(test_inject_refused)
{
    uint32_t ex0 = sbdf_of("ex0");

    ck_assert_uint_eq(inject(0x40, SBDF_FLAG, 0, 0x00ff0000), INVALID); /* nobody there */
    ck_assert_uint_eq(inject(0x40, SBDF_FLAG, 0, ex0 | 0x01000000), INVALID);
    ck_assert_uint_eq(inject(0x40, SBDF_FLAG, 0, 0), INVALID); /* host bridge */
    ck_assert_uint_eq(inject(0x40, MEMORY_FLAG, 0, ex0), INVALID);
    ck_assert_uint_eq(inject(0x40, 0, 0, ex0), INVALID);
    ck_assert_uint_eq(inject(0, SBDF_FLAG, 0, ex0), INVALID);
    ck_assert_uint_eq(inject(0x1, SBDF_FLAG, 0, ex0), INVALID);
    ck_assert_uint_eq(inject(0xc0, SBDF_FLAG, 0, ex0), INVALID);
    ck_assert_uint_eq(inject(0x80000000, SBDF_FLAG, 0, ex0), INVALID);
    ck_assert_uint_eq(inject(0x08, MEMORY_FLAG, 0xfec00000, 0), INVALID);
    ck_assert_uint_eq(inject(0x08, SBDF_FLAG, 0x1000, ex0), INVALID);
    /* All correctable errors masked: none can be made. */
    pci_func_config_write(machine_func(machine, "ex0"),
                          machine_func(machine, "ex0")->ext_aer + PCI_AER_COR_MASK, 4, ~0u);
    ck_assert_uint_eq(inject(0x40, SBDF_FLAG, 0, ex0), INVALID);
    /* A trigger without anything armed, and operations that are none. */
    put(APEI_EINJ_OPERATION, EINJ_TRIGGER);
    for (unsigned i = 0; i < 8; i++)
        put(APEI_EINJ_OPERATION, i);
    run_us(100);
    ck_assert_uint_eq(le32_load(block(APEI_CORRECTED)) | le32_load(block(APEI_UNCORRECTED)), 0);
    ck_assert(!interrupt());
}
END_TEST

START_TEST(test_inject_memory)
{
    static const unsigned severities[] = {CPER_CORRECTED, CPER_RECOVERABLE, CPER_FATAL};
    const uint8_t *p = block(_i ? APEI_UNCORRECTED : APEI_CORRECTED);

    ck_assert_uint_eq(inject(8u << _i, MEMORY_FLAG, 0x123456, 0), 0);
    ck_assert_uint_eq(le32_load(p + 16), severities[_i]);
    ck_assert_uint_eq(le64_load(p + 92 + 16), 0x123000);
    ck_assert_uint_eq(p[92 + 72], _i ? 3 : 2);
}
END_TEST

/* More than there is room for: the kernel is told that there were more. */
START_TEST(test_overflow)
{
    for (unsigned i = 0; i < APEI_QUEUE_MAX + 5; i++)
        ck_assert_uint_eq(inject(0x10, MEMORY_FLAG, i << 12, 0), 0);
    for (unsigned i = 0; i < APEI_QUEUE_MAX; i++) {
        ck_assert_uint_eq(le64_load(block(APEI_UNCORRECTED) + 92 + 16), i << 12);
        ck_assert_uint_eq(le32_load(block(APEI_UNCORRECTED)) & 0xf, i == 1 ? 5 : 1);
        put(APEI_ACK + 4 * APEI_UNCORRECTED, 1);
    }
    put(APEI_ACK + 4 * APEI_UNCORRECTED, 1);
    put(APEI_EVENTS, ~0u);
    ck_assert(!interrupt());
    ck_assert_uint_eq(inject(0x10, MEMORY_FLAG, 0x5000, 0), 0);
    ck_assert_uint_eq(le64_load(block(APEI_UNCORRECTED) + 92 + 16), 0x5000);
}
END_TEST

/* Two functions say something before the firmware is there. */
START_TEST(test_several)
{
    const uint8_t *p;

    pci_error_report(machine_func(machine, "ex0"), PCI_ERROR_RECEIVER, NULL);
    pci_error_report(machine_func(machine, "ex0.1"), PCI_ERROR_BAD_TLP, NULL);
    run_us(100);
    p = expect_pcie(block(APEI_CORRECTED), CPER_CORRECTED, CPER_CORRECTED, "ex0");
    ck_assert_uint_eq(le32_load(p + 112 + PCI_AER_COR_STATUS), 1);
    put(APEI_ACK + 4 * APEI_CORRECTED, 1);
    p = expect_pcie(block(APEI_CORRECTED), CPER_CORRECTED, CPER_CORRECTED, "ex0.1");
    ck_assert_uint_eq(le32_load(p + 112 + PCI_AER_COR_STATUS), 1 << 6);
}
END_TEST

START_TEST(test_next_boot)
{
    /* One fatal, which the kernel acknowledged before it died, and one that it never saw. */
    ck_assert_uint_eq(inject(0x20, MEMORY_FLAG, 0x7000, 0), 0);
    put(APEI_ACK + 4 * APEI_UNCORRECTED, 1);
    ck_assert_uint_eq(inject(0x40, SBDF_FLAG, 0, sbdf_of("ex1")), 0);
    ck_assert_uint_eq(le32_load(memory(APEI_RAM_BOOT)), 0);
    machine_restart(machine);
    boot();
    const uint8_t *p = memory(APEI_RAM_BOOT);
    ck_assert_uint_eq(le32_load(p + 16), CPER_FATAL);
    ck_assert_uint_eq(le64_load(p + 92 + 16), 0x7000);
    expect_pcie(p + 172, CPER_CORRECTED, CPER_CORRECTED, "ex1");
    ck_assert_uint_eq(le32_load(p + 172 + 300), 0);
    ck_assert_uint_eq(le32_load(block(APEI_CORRECTED)), 0);
    machine_restart(machine);
    boot();
    ck_assert_uint_eq(le32_load(memory(APEI_RAM_BOOT)), 0);
}
END_TEST

static void contain(const char *name)
{
    struct pci_func *func = machine_func(machine, name);

    pci_func_config_write(func, func->ext_dpc + PCI_DPC_CONTROL, 2,
                          pci_func_config_read(func, func->ext_dpc + PCI_DPC_CONTROL, 2) |
                              PCI_DPC_CONTROL_SOFTWARE);
    run_us(100);
}

static void recover(const char *name)
{
    struct pci_func *func = machine_func(machine, name);

    pci_func_config_write(func, func->ext_dpc + PCI_DPC_STATUS, 2, PCI_DPC_STATUS_TRIGGER);
    run_us(200000);
}

static uint32_t dpc_control(const char *name)
{
    struct pci_func *func = machine_func(machine, name);

    return pci_func_config_read(func, func->ext_dpc + PCI_DPC_CONTROL, 2);
}

START_TEST(test_edr)
{
    static const char *const who[] = {"rp0", "sw0.1"};
    const char *name = who[_i];
    unsigned index = (unsigned)_i;

    ck_assert_uint_eq(dpc_control(name), 0);
    put(APEI_EDR_ENABLE, index | 1 << 16);
    ck_assert_uint_eq(dpc_control(name), 0x11); /* ERR_FATAL triggers; ERR_COR tells */
    ck_assert_uint_eq(get(APEI_EDR_PORT), APEI_EDR_NONE);
    contain(name);
    ck_assert(interrupt());
    ck_assert_uint_eq(get(APEI_EVENTS), APEI_EVENT_EDR);
    put(APEI_EVENTS, APEI_EVENT_EDR); /* not before somebody took it */
    ck_assert(interrupt());
    ck_assert_uint_eq(get(APEI_EDR_PORT), index);
    put(APEI_EDR_TAKE, index);
    ck_assert(!interrupt());
    put(APEI_EDR_SELECT, index);
    ck_assert_uint_eq(get(APEI_EDR_LOCATE), machine_func(machine, name)->rid.v);
    put(APEI_EDR_SELECT, 1 - index);
    ck_assert_uint_eq(get(APEI_EDR_LOCATE), APEI_EDR_NONE);
    recover(name);
    put(APEI_OST_PORT, index);
    put(APEI_OST_STATUS, 0x80);
    run_us(100);
    ck_assert(!interrupt());
    put(APEI_EDR_SELECT, index);
    ck_assert_uint_eq(get(APEI_EDR_LOCATE), APEI_EDR_NONE);
    contain(name); /* and again */
    ck_assert(interrupt());
    put(APEI_EDR_ENABLE, index);
    ck_assert_uint_eq(dpc_control(name), 0);
}
END_TEST

/* Numbers of ports that are none. */
START_TEST(test_edr_refused)
{
    static const uint32_t wrong[] = {2, 63, 64, 0xfff0, 0x80000000, 0xf0000000};

    for (unsigned i = 0; i < ARRAY_LEN(wrong); i++) {
        put(APEI_EDR_ENABLE, ((wrong[i] & 0xffff) + 2) | 1 << 16);
        put(APEI_EDR_TAKE, wrong[i]);
        put(APEI_EDR_SELECT, wrong[i]);
        ck_assert_uint_eq(get(APEI_EDR_LOCATE), APEI_EDR_NONE);
        put(APEI_OST_PORT, wrong[i]);
        put(APEI_OST_STATUS, 0x80);
    }
    put(APEI_EDR_TAKE, 0);
    ck_assert_uint_eq(dpc_control("rp0"), 0);
    contain("rp0"); /* nothing enabled: nobody is told */
    ck_assert(!interrupt());
}
END_TEST

/* Without firmware-first: EINJ is there, and the operating system has the errors. */
START_TEST(test_injection_alone)
{
    machine_free(machine);
    start("[machine]\nmemory=64M\napei=yes\n[root-port rp0]\n[exerciser ex0]\nat=rp0\n");
    pci_func_config_write(machine_func(machine, "ex0"),
                          machine_func(machine, "ex0")->cap_pcie + PCIE_DEVCTL, 2, 7);
    pci_func_config_write(machine_func(machine, "rp0"),
                          machine_func(machine, "rp0")->cap_pcie + PCIE_DEVCTL, 2, 7);
    pci_func_config_write(machine_func(machine, "rp0"), PCI_BRIDGE_CONTROL, 2,
                          PCI_BRIDGE_CONTROL_SERR);
    ck_assert_uint_eq(inject(0x80, SBDF_FLAG, 0, sbdf_of("ex0")), 0);
    ck_assert_uint_eq(le32_load(block(APEI_UNCORRECTED)), 0);
    ck_assert_uint_ne(aer("ex0", PCI_AER_UNCOR_STATUS), 0);
    ck_assert_uint_ne(aer("rp0", PCI_AER_ROOT_STATUS), 0);
}
END_TEST

START_TEST(test_too_many_ports)
{
    GString *text = g_string_new("[machine]\nmemory=64M\n[host-bridge a]\nfirmware-first=yes\n");
    GError *error = NULL;

    for (unsigned i = 0; i < APEI_PORTS_MAX + 1; i++)
        g_string_append_printf(text, "[root-port rp%u]\ndevice=%u\nfunction=%u\n", i, 1 + i / 8,
                               i % 8);
    struct machine_desc *desc = topology_parse("t.ini", text->str, text->len, NULL);
    ck_assert_ptr_nonnull(desc);
    ck_assert_ptr_null(machine_new(desc, &(struct machine_options){.seed = 1}, &error));
    ck_assert_str_eq(error->message, "rp64: firmware-first: at most 64 root ports");
    g_error_free(error);
    machine_desc_free(desc);
    g_string_free(text, TRUE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("apei");
    TCase *tc = tcase_create("apei");

    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_record_bytes);
    tcase_add_loop_test(tc, test_inject_pcie, 0, 7);
    tcase_add_test(tc, test_inject_refused);
    tcase_add_loop_test(tc, test_inject_memory, 0, 3);
    tcase_add_test(tc, test_overflow);
    tcase_add_test(tc, test_several);
    tcase_add_test(tc, test_next_boot);
    tcase_add_loop_test(tc, test_edr, 0, 2);
    tcase_add_test(tc, test_edr_refused);
    tcase_add_test(tc, test_injection_alone);
    tcase_add_test(tc, test_too_many_ports);
    suite_add_tcase(suite, tc);

    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
