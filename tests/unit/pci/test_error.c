/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Advanced Error Reporting: figure 6-2 of PCIe Base 6.0, step by step, and the registers. */
#include "parts.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "pcilab/pci/error.h"

static struct part_log ep_log, root_log;
static struct pci_func *ep, *root;
static struct tlp_pool *pool;
static struct tlp *posted, *read_;

#define U(kind) (1u << (kind))
#define C(kind) (1u << ((kind)-32))

static void setup(void)
{
    memset(&ep_log, 0, sizeof(ep_log));
    memset(&root_log, 0, sizeof(root_log));
    ep = part_endpoint(&ep_log);
    root = part_port(&root_log, PCIE_ROOT_PORT);
    pool = tlp_pool_new();
    posted = tlp_new(pool, TLP_MWR, 1);
    posted->requester = pci_rid_make(2, 3, 4);
    tlp_set_span(posted, 0x12345678, 4);
    read_ = tlp_new(pool, TLP_MRD, 0);
    read_->tag = 0x42;
    tlp_set_span(read_, 0x1122334455667788ULL, 4);
}

static void teardown(void)
{
    tlp_free(posted);
    tlp_free(read_);
    tlp_pool_free(pool);
    pci_func_free(ep);
    pci_func_free(root);
}

static uint32_t aer(struct pci_func *func, unsigned reg)
{
    return part_read(func, func->ext_aer + reg, 4);
}

static void aer_write(struct pci_func *func, unsigned reg, uint32_t value)
{
    part_write(func, func->ext_aer + reg, 4, value);
}

static void enable(struct pci_func *func, uint16_t reports)
{
    part_write(func, func->cap_pcie + PCIE_DEVCTL, 2, reports);
}

static unsigned device_status(struct pci_func *func)
{
    unsigned status = part_read(func, func->cap_pcie + PCIE_DEVSTA, 2) & 0xf;

    part_write(func, func->cap_pcie + PCIE_DEVSTA, 2, 0xf);
    return status;
}

static unsigned pointer(struct pci_func *func)
{
    return aer(func, PCI_AER_CONTROL) & PCI_AER_CONTROL_POINTER;
}

START_TEST(test_defaults)
{
    ck_assert_uint_eq(part_read(ep, ep->ext_aer, 4) & 0xfffff, 0x20001);
    ck_assert_uint_eq(aer(ep, PCI_AER_UNCOR_MASK), 0);
    ck_assert_uint_eq(aer(ep, PCI_AER_UNCOR_SEVERITY), 0x00062010); /* no link, no surprise down */
    ck_assert_uint_eq(aer(root, PCI_AER_UNCOR_SEVERITY), 0x00062030);
    ck_assert_uint_eq(aer(ep, PCI_AER_COR_MASK), 0xa000);
    ck_assert_uint_eq(aer(ep, PCI_AER_CONTROL), 0x2a0);
    aer_write(ep, PCI_AER_UNCOR_MASK, 0xffffffff);
    aer_write(ep, PCI_AER_COR_MASK, 0xffffffff);
    aer_write(ep, PCI_AER_CONTROL, 0xffffffff);
    aer_write(ep, PCI_AER_UNCOR_STATUS, 0xffffffff);
    ck_assert_uint_eq(aer(ep, PCI_AER_UNCOR_MASK), 0x001ff010);
    ck_assert_uint_eq(aer(ep, PCI_AER_COR_MASK), 0xb1c1);
    ck_assert_uint_eq(aer(ep, PCI_AER_CONTROL), 0x7e0);
    ck_assert(ep->ecrc_generate && ep->ecrc_check);
    ck_assert_uint_eq(aer(ep, PCI_AER_UNCOR_STATUS), 0);
    ck_assert_uint_eq(aer(root, PCI_AER_ROOT_COMMAND), 0);
}
END_TEST

/* A posted request that nobody supports: uncorrectable, non-fatal. */
START_TEST(test_uncorrectable)
{
    pci_error_report(ep, PCI_ERROR_UNSUPPORTED, posted);
    ck_assert_uint_eq(ep_log.messages, 0); /* nothing is enabled */
    ck_assert_uint_eq(device_status(ep), PCIE_DEVSTA_NONFATAL | PCIE_DEVSTA_UR);
    ck_assert_uint_eq(aer(ep, PCI_AER_UNCOR_STATUS), U(20));
    ck_assert_uint_eq(pointer(ep), 20);
    ck_assert_uint_eq(aer(ep, PCI_AER_HEADER_LOG), 0x40000001);
    ck_assert_uint_eq(aer(ep, PCI_AER_HEADER_LOG + 4), 0x021c000f);
    ck_assert_uint_eq(aer(ep, PCI_AER_HEADER_LOG + 8), 0x12345678);
    ck_assert_uint_eq(aer(ep, PCI_AER_HEADER_LOG + 12), 0);
    enable(ep, PCIE_DEVCTL_NONFATAL);
    pci_error_report(ep, PCI_ERROR_UNSUPPORTED, posted);
    ck_assert_uint_eq(ep_log.messages, 0); /* Unsupported Request Reporting Enable */
    enable(ep, PCIE_DEVCTL_NONFATAL | PCIE_DEVCTL_UR);
    pci_error_report(ep, PCI_ERROR_UNSUPPORTED, posted);
    ck_assert_uint_eq(ep_log.messages, 1);
    ck_assert_uint_eq(ep_log.message[0], TLP_MSG_ERR_NONFATAL);
    ck_assert(!(part_read(ep, PCI_STATUS, 2) & PCI_STATUS_SENT_ERROR));
    /* SERR# Enable does for all of that, and is noted. */
    enable(ep, 0);
    part_write(ep, PCI_COMMAND, 2, PCI_COMMAND_SERR);
    pci_error_report(ep, PCI_ERROR_UNSUPPORTED, posted);
    ck_assert_uint_eq(ep_log.messages, 2);
    ck_assert(part_read(ep, PCI_STATUS, 2) & PCI_STATUS_SENT_ERROR);
    /* Masked: the bit and nothing else. */
    aer_write(ep, PCI_AER_UNCOR_STATUS, 0xffffffff);
    aer_write(ep, PCI_AER_UNCOR_MASK, U(20));
    pci_error_report(ep, PCI_ERROR_UNSUPPORTED, posted);
    ck_assert_uint_eq(ep_log.messages, 2);
    ck_assert_uint_eq(aer(ep, PCI_AER_UNCOR_STATUS), U(20));
    ck_assert_uint_eq(pointer(ep), 0);
    /* Fatal by severity. */
    aer_write(ep, PCI_AER_UNCOR_MASK, 0);
    aer_write(ep, PCI_AER_UNCOR_SEVERITY, U(20));
    device_status(ep);
    pci_error_report(ep, PCI_ERROR_UNSUPPORTED, read_);
    ck_assert_uint_eq(device_status(ep), PCIE_DEVSTA_FATAL | PCIE_DEVSTA_UR);
    ck_assert_uint_eq(ep_log.message[2], TLP_MSG_ERR_FATAL);
    ck_assert_uint_eq(aer(ep, PCI_AER_HEADER_LOG), 0x20000001);
    ck_assert_uint_eq(aer(ep, PCI_AER_HEADER_LOG + 8), 0x11223344);
    ck_assert_uint_eq(aer(ep, PCI_AER_HEADER_LOG + 12), 0x55667788);
}
END_TEST

/* 6.2.4.3: a non-posted request that was answered with an error. */
START_TEST(test_advisory)
{
    enable(ep, 0xf);
    pci_error_report(ep, PCI_ERROR_UNSUPPORTED, read_);
    ck_assert_uint_eq(device_status(ep), PCIE_DEVSTA_COR | PCIE_DEVSTA_UR);
    ck_assert_uint_eq(aer(ep, PCI_AER_COR_STATUS), C(PCI_ERROR_ADVISORY));
    ck_assert_uint_eq(aer(ep, PCI_AER_UNCOR_STATUS), 0); /* masked: no further */
    ck_assert_uint_eq(ep_log.messages, 0);
    aer_write(ep, PCI_AER_COR_MASK, C(PCI_ERROR_LOG_OVERFLOW));
    pci_error_report(ep, PCI_ERROR_UNSUPPORTED, read_);
    ck_assert_uint_eq(aer(ep, PCI_AER_UNCOR_STATUS), U(20));
    ck_assert_uint_eq(pointer(ep), 20);
    ck_assert_uint_eq(ep_log.messages, 1);
    ck_assert_uint_eq(ep_log.message[0], TLP_MSG_ERR_COR);
    enable(ep, PCIE_DEVCTL_COR);
    pci_error_report(ep, PCI_ERROR_UNSUPPORTED, read_);
    ck_assert_uint_eq(ep_log.messages, 1);
    aer_write(ep, PCI_AER_COR_MASK, 0);
    pci_error_report(ep, PCI_ERROR_ABORT, read_);
    ck_assert_uint_eq(ep_log.messages, 3); /* and the log was full: one for that */
    ck_assert_uint_eq(aer(ep, PCI_AER_COR_STATUS) & C(PCI_ERROR_LOG_OVERFLOW), 0x8000);
}
END_TEST

/* What is advisory and what is not: 6.2.3.2.4. */
START_TEST(test_advisory_cases)
{
    struct tlp *cpl = tlp_new_completion(read_, pci_rid_make(0, 0, 0), TLP_UR, 0);
    const struct {
        enum pci_error kind;
        const struct tlp *tlp;
        enum pci_error_role role;
        bool poisoned, advisory;
    } rows[] = {
        {PCI_ERROR_UNSUPPORTED, read_, PCI_ERROR_AT_TARGET, false, true},
        {PCI_ERROR_UNSUPPORTED, posted, PCI_ERROR_AT_TARGET, false, false},
        {PCI_ERROR_ABORT, read_, PCI_ERROR_AT_TARGET, false, true},
        {PCI_ERROR_ABORT, posted, PCI_ERROR_AT_TARGET, false, false},
        {PCI_ERROR_ACS, read_, PCI_ERROR_AT_TARGET, false, true},
        {PCI_ERROR_ACS, posted, PCI_ERROR_AT_TARGET, false, false},
        {PCI_ERROR_UNEXPECTED, cpl, PCI_ERROR_AT_TARGET, false, true},
        {PCI_ERROR_TIMEOUT, NULL, PCI_ERROR_AT_TARGET, false, false},
        {PCI_ERROR_POISONED, posted, PCI_ERROR_AT_TARGET, true, false},
        {PCI_ERROR_POISONED, posted, PCI_ERROR_ON_THE_WAY, true, true},
        {PCI_ERROR_POISONED, posted, PCI_ERROR_HANDLED, true, true},
        {PCI_ERROR_ECRC, posted, PCI_ERROR_AT_TARGET, false, false},
        {PCI_ERROR_ECRC, posted, PCI_ERROR_ON_THE_WAY, false, true},
        {PCI_ERROR_MALFORMED, read_, PCI_ERROR_AT_TARGET, false, false},
    };

    enable(ep, 0xf);
    aer_write(ep, PCI_AER_UNCOR_SEVERITY, 0);
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        unsigned messages;

        posted->ep = rows[i].poisoned;
        device_status(ep);
        messages = pci_error_log(ep, rows[i].kind, rows[i].tlp, rows[i].role);
        ck_assert_msg(messages == (rows[i].advisory ? 0 : PCI_ERROR_MSG_NONFATAL), "row %u", i);
        ck_assert_msg(!!(device_status(ep) & PCIE_DEVSTA_COR) == rows[i].advisory, "row %u", i);
        aer_write(ep, PCI_AER_UNCOR_STATUS, 0xffffffff);
    }
    tlp_free(cpl);
}
END_TEST

START_TEST(test_without_capability)
{
    struct pci_func *bare = part_integrated(&ep_log);

    enable(bare, 0xf);
    pci_error_report(bare, PCI_ERROR_UNSUPPORTED, read_);
    ck_assert_uint_eq(ep_log.messages, 0); /* an advisory error is not told */
    ck_assert_uint_eq(device_status(bare), PCIE_DEVSTA_COR | PCIE_DEVSTA_UR);
    pci_error_report(bare, PCI_ERROR_UNSUPPORTED, posted);
    ck_assert_uint_eq(ep_log.message[0], TLP_MSG_ERR_NONFATAL);
    pci_error_report(bare, PCI_ERROR_MALFORMED, posted);
    ck_assert_uint_eq(ep_log.message[1], TLP_MSG_ERR_FATAL);
    pci_error_report(bare, PCI_ERROR_BAD_TLP, NULL);
    ck_assert_uint_eq(ep_log.message[2], TLP_MSG_ERR_COR);
    pci_func_free(bare);
}
END_TEST

START_TEST(test_multiple_headers)
{
    /* One record: the first stays, the second sets its bit only. */
    pci_error_report(ep, PCI_ERROR_UNSUPPORTED, posted);
    pci_error_report(ep, PCI_ERROR_ABORT, posted);
    ck_assert_uint_eq(pointer(ep), 20);
    ck_assert_uint_eq(aer(ep, PCI_AER_UNCOR_STATUS), U(20) | U(15));
    ck_assert_uint_eq(aer(ep, PCI_AER_COR_STATUS), C(PCI_ERROR_LOG_OVERFLOW));
    aer_write(ep, PCI_AER_UNCOR_STATUS, U(20));
    ck_assert_uint_eq(pointer(ep), 0);
    aer_write(ep, PCI_AER_UNCOR_STATUS, 0xffffffff);
    aer_write(ep, PCI_AER_COR_STATUS, 0xffffffff);
    /* Four of them, oldest first; the fifth overflows. */
    aer_write(ep, PCI_AER_CONTROL, PCI_AER_CONTROL_MULTI);
    for (unsigned i = 0; i < 5; i++) {
        tlp_set_span(posted, 0x1000 + 16 * i, 4);
        pci_error_report(ep, i == 1 ? PCI_ERROR_ABORT : PCI_ERROR_UNSUPPORTED, posted);
        ck_assert_uint_eq(!!aer(ep, PCI_AER_COR_STATUS), i == 4);
    }
    ck_assert_uint_eq(pointer(ep), 20);
    ck_assert_uint_eq(aer(ep, PCI_AER_HEADER_LOG + 8), 0x1000);
    aer_write(ep, PCI_AER_UNCOR_STATUS, U(20));
    ck_assert_uint_eq(pointer(ep), 15);
    ck_assert_uint_eq(aer(ep, PCI_AER_HEADER_LOG + 8), 0x1010);
    ck_assert_uint_eq(aer(ep, PCI_AER_UNCOR_STATUS), U(20) | U(15)); /* two more are left */
    aer_write(ep, PCI_AER_UNCOR_STATUS, U(15));
    ck_assert_uint_eq(pointer(ep), 20);
    ck_assert_uint_eq(aer(ep, PCI_AER_HEADER_LOG + 8), 0x1020);
    aer_write(ep, PCI_AER_UNCOR_STATUS, U(20));
    ck_assert_uint_eq(aer(ep, PCI_AER_HEADER_LOG + 8), 0x1030);
    aer_write(ep, PCI_AER_UNCOR_STATUS, U(20));
    ck_assert_uint_eq(aer(ep, PCI_AER_UNCOR_STATUS), 0);
    ck_assert_uint_eq(pointer(ep), 0);
}
END_TEST

START_TEST(test_sticky)
{
    aer_write(ep, PCI_AER_UNCOR_MASK, U(15));
    pci_error_report(ep, PCI_ERROR_UNSUPPORTED, posted);
    pci_root_error(root, TLP_MSG_ERR_COR, posted->requester);
    aer_write(root, PCI_AER_ROOT_COMMAND, 7);
    for (enum reg_reset_kind kind = REG_RESET_FLR;; kind = REG_RESET_WARM) {
        pci_func_reset(ep, kind);
        pci_func_reset(root, kind);
        ck_assert_uint_eq(aer(ep, PCI_AER_UNCOR_STATUS), U(20));
        ck_assert_uint_eq(aer(ep, PCI_AER_UNCOR_MASK), U(15));
        ck_assert_uint_eq(pointer(ep), 20);
        ck_assert_uint_eq(aer(ep, PCI_AER_HEADER_LOG), 0x40000001);
        ck_assert_uint_eq(aer(root, PCI_AER_ROOT_STATUS), PCI_AER_ROOT_STATUS_COR);
        ck_assert_uint_eq(aer(root, PCI_AER_ROOT_SOURCE), posted->requester.v);
        ck_assert_uint_eq(aer(root, PCI_AER_ROOT_COMMAND), 0);
        if (kind == REG_RESET_WARM)
            break;
    }
    pci_func_reset(ep, REG_RESET_COLD);
    pci_func_reset(root, REG_RESET_COLD);
    ck_assert_uint_eq(aer(ep, PCI_AER_UNCOR_STATUS), 0);
    ck_assert_uint_eq(aer(ep, PCI_AER_UNCOR_MASK), 0);
    ck_assert_uint_eq(aer(ep, PCI_AER_HEADER_LOG), 0);
    ck_assert_uint_eq(aer(root, PCI_AER_ROOT_STATUS), 0);
}
END_TEST

START_TEST(test_root)
{
    struct pci_rid a = pci_rid_make(1, 0, 0), b = pci_rid_make(2, 0, 0);

    part_write(root, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
    part_write(root, root->cap_msi + PCI_MSI_CONTROL, 2, PCI_MSI_CONTROL_ENABLE);
    aer_write(root, PCI_AER_ROOT_COMMAND, PCI_ERROR_MSG_COR | PCI_ERROR_MSG_FATAL);
    pci_root_error(root, TLP_MSG_ERR_NONFATAL, a);
    ck_assert_uint_eq(root_log.msis, 0);
    ck_assert_uint_eq(aer(root, PCI_AER_ROOT_STATUS), 0x24);
    ck_assert_uint_eq(aer(root, PCI_AER_ROOT_SOURCE), (uint32_t)a.v << 16);
    pci_root_error(root, TLP_MSG_ERR_FATAL, b);
    ck_assert_uint_eq(root_log.msis, 1);
    ck_assert_uint_eq(aer(root, PCI_AER_ROOT_STATUS), 0x6c); /* multiple; the first was not fatal */
    ck_assert_uint_eq(aer(root, PCI_AER_ROOT_SOURCE), (uint32_t)a.v << 16);
    pci_root_error(root, TLP_MSG_ERR_COR, b);
    pci_root_error(root, TLP_MSG_ERR_COR, a);
    ck_assert_uint_eq(root_log.msis, 1); /* the condition has held all the time */
    ck_assert_uint_eq(aer(root, PCI_AER_ROOT_SOURCE), (uint32_t)a.v << 16 | b.v);
    aer_write(root, PCI_AER_ROOT_STATUS, 0x7f);
    ck_assert_uint_eq(aer(root, PCI_AER_ROOT_STATUS), 0);
    pci_root_error(root, TLP_MSG_ERR_FATAL, b);
    ck_assert_uint_eq(root_log.msis, 2);
    ck_assert_uint_eq(aer(root, PCI_AER_ROOT_STATUS), 0x54);
    ck_assert_uint_eq(aer(root, PCI_AER_ROOT_SOURCE) >> 16, b.v);
}
END_TEST

static bool passes(uint8_t msg_code)
{
    return pci_bridge_passes_error(root,
                                   &(const struct tlp){.type = TLP_MSG, .msg_code = msg_code});
}

START_TEST(test_bridge)
{
    ck_assert(!passes(TLP_MSG_ERR_NONFATAL));
    ck_assert_uint_eq(part_read(root, PCI_SECONDARY_STATUS, 2), PCI_STATUS_SENT_ERROR);
    part_write(root, PCI_SECONDARY_STATUS, 2, 0xffff);
    part_write(root, PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CONTROL_SERR);
    ck_assert(!passes(TLP_MSG_ERR_COR));
    ck_assert_uint_eq(part_read(root, PCI_SECONDARY_STATUS, 2), 0);
    ck_assert(!passes(TLP_MSG_ERR_FATAL));
    enable(root, PCIE_DEVCTL_COR | PCIE_DEVCTL_FATAL);
    ck_assert(passes(TLP_MSG_ERR_COR));
    ck_assert(passes(TLP_MSG_ERR_FATAL));
    ck_assert(!passes(TLP_MSG_ERR_NONFATAL));
    part_write(root, PCI_COMMAND, 2, PCI_COMMAND_SERR);
    ck_assert(passes(TLP_MSG_ERR_NONFATAL));
    ck_assert(part_read(root, PCI_STATUS, 2) & PCI_STATUS_SENT_ERROR);
    ck_assert_uint_eq(device_status(root), 0);
    part_write(root, PCI_BRIDGE_CONTROL, 2, 0);
    ck_assert(!passes(TLP_MSG_ERR_NONFATAL));
}
END_TEST

/* 6.2.8.1, all four ways. */
START_TEST(test_bridge_poison)
{
    struct tlp *cpl = tlp_new_completion(read_, pci_rid_make(0, 0, 0), TLP_SC, 1);
    const struct {
        bool upstream;
        const struct tlp *tlp;
        uint16_t status, secondary;
    } rows[] = {
        {false, posted, 0x8000, 0x0100},
        {false, cpl, 0x8100, 0},
        {true, posted, 0x0100, 0x8000},
        {true, cpl, 0, 0x8100},
    };

    for (unsigned parity = 0; parity < 2; parity++) {
        uint16_t mask = parity ? 0xffff : 0xfeff;

        part_write(root, PCI_COMMAND, 2, parity ? PCI_COMMAND_PARITY : 0);
        part_write(root, PCI_BRIDGE_CONTROL, 2, parity ? PCI_BRIDGE_CONTROL_PARITY : 0);
        for (unsigned i = 0; i < 4; i++) {
            pci_bridge_note_poison(root, rows[i].upstream, rows[i].tlp);
            ck_assert_uint_eq(part_read(root, PCI_STATUS, 2) & PCI_STATUS_RW1C,
                              rows[i].status & mask);
            ck_assert_uint_eq(part_read(root, PCI_SECONDARY_STATUS, 2), rows[i].secondary & mask);
            part_write(root, PCI_STATUS, 2, 0xffff);
            part_write(root, PCI_SECONDARY_STATUS, 2, 0xffff);
        }
    }
    tlp_free(cpl);
}
END_TEST

START_TEST(test_ecrc)
{
    uint32_t before = tlp_ecrc(posted);

    tlp_add_ecrc(posted);
    ck_assert(posted->td && tlp_ecrc_good(posted));
    ck_assert_uint_ne(before, posted->ecrc); /* TD is part of what it covers */
    posted->ep = true;
    ck_assert(tlp_ecrc_good(posted)); /* EP is not */
    posted->data[3] ^= 1;
    ck_assert(!tlp_ecrc_good(posted));
    posted->data[3] ^= 1;
    posted->addr ^= 4;
    ck_assert(!tlp_ecrc_good(posted));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pci-error");
    TCase *tc = tcase_create("error");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_defaults);
    tcase_add_test(tc, test_uncorrectable);
    tcase_add_test(tc, test_advisory);
    tcase_add_test(tc, test_advisory_cases);
    tcase_add_test(tc, test_without_capability);
    tcase_add_test(tc, test_multiple_headers);
    tcase_add_test(tc, test_sticky);
    tcase_add_test(tc, test_root);
    tcase_add_test(tc, test_bridge);
    tcase_add_test(tc, test_bridge_poison);
    tcase_add_test(tc, test_ecrc);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
