/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtual Functions of the 82576: mailboxes, vectors, the internal switch, what they may not do. */
#include <check.h>
#include <glib.h>
#include <string.h>

#include "nic.h"

static struct nic n;
static const uint8_t vf_mac[2][6] = {{0x52, 0x54, 0, 2, 0, 0}, {0x52, 0x54, 0, 2, 0, 1}};
static const uint8_t far_mac[6] = {0x52, 0x54, 0, 9, 9, 9};
static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static void set_address(unsigned entry, const uint8_t *mac, unsigned pool)
{
    nic_set(&n, IGB_RA + 8 * entry, le32_load(mac));
    nic_set(&n, IGB_RA + 8 * entry + 4, IGB_RAH_AV | 1u << (18 + pool) | le16_load(mac + 4));
}

/* Two VFs in pools 0 and 1, the Physical Function in pool 2. */
static void setup(void)
{
    nic_open(&n, 4);
    nic_start(&n);
    mock_set_vfs(n.pf, 2);
    set_address(0, nic_mac, 2);
    for (unsigned i = 0; i < 2; i++) {
        mock_set_msix(mock_func(n.ep, i + 1), true);
        set_address(1 + i, vf_mac[i], i);
    }
    for (unsigned i = 0; i < 3; i++) {
        nic_set(&n, IGB_VMOLR + 4 * i, IGB_VMOLR_AUPE | IGB_VMOLR_BAM | IGB_VMOLR_LPE | 9728);
        nic_start_queue(&n, i);
    }
    nic_set(&n, IGB_MRQC, IGB_MRQC_VMDQ);
    nic_set(&n, IGB_VT_CTL, IGB_VT_CTL_REPLICATE | 2 << 7);
    nic_set(&n, IGB_DTXSWC, IGB_DTXSWC_LOOPBACK | 0x0303);
    nic_set(&n, IGB_VFRE, 3);
    nic_set(&n, IGB_VFTE, 3);
}

static void teardown(void)
{
    nic_close(&n);
}

static void send(unsigned queue, const uint8_t *to, const uint8_t *from)
{
    nic_frame(n.mock->ram + NIC_DATA, to, from, 100);
    nic_send(&n, queue, 100, 0, 0);
}

START_TEST(switches_between_functions)
{
    send(0, vf_mac[1], vf_mac[0]);
    const uint8_t *desc = nic_received(&n, 1, NULL);
    ck_assert_ptr_nonnull(desc);
    ck_assert(le32_load(desc + 8) & IGB_RXD_LB);
    ck_assert_uint_eq(n.frames, 0);
    send(1, nic_mac, vf_mac[1]);
    ck_assert_ptr_nonnull(nic_received(&n, 2, NULL));
    send(2, vf_mac[0], nic_mac);
    ck_assert_ptr_nonnull(nic_received(&n, 0, NULL));
    ck_assert_uint_eq(n.frames, 0);
    send(0, far_mac, vf_mac[0]);
    ck_assert_uint_eq(n.frames, 1);
    ck_assert_ptr_null(nic_received(&n, 1, NULL));
    ck_assert_uint_eq(nic_vf_get(&n, 0, IGB_VFGPTC), 2);
    ck_assert_uint_eq(nic_vf_get(&n, 1, IGB_VFGPRLBC), 1);
}
END_TEST

START_TEST(everybody_hears_a_broadcast_but_its_sender)
{
    send(0, everybody, vf_mac[0]);
    ck_assert_uint_eq(n.frames, 1);
    ck_assert_ptr_null(nic_received(&n, 0, NULL));
    ck_assert_ptr_nonnull(nic_received(&n, 1, NULL));
    ck_assert_ptr_nonnull(nic_received(&n, 2, NULL));
}
END_TEST

START_TEST(nobody_borrows_an_address)
{
    send(0, vf_mac[1], vf_mac[1]);
    ck_assert_ptr_null(nic_received(&n, 1, NULL));
    ck_assert_uint_eq(n.frames, 0);
    ck_assert_uint_eq(nic_get(&n, IGB_WVBR), 1);
    ck_assert_uint_eq(nic_get(&n, IGB_WVBR), 0);
    send(2, far_mac, far_mac); /* the Physical Function may */
    ck_assert_uint_eq(n.frames, 1);
}
END_TEST

START_TEST(vlans_keep_pools_apart)
{
    uint8_t *frame = n.mock->ram + NIC_DATA;

    nic_set(&n, IGB_VLVF, IGB_VLVF_VALID | 1 << 12 | 5);
    nic_frame(frame, everybody, vf_mac[0], 100);
    memcpy(frame + 12, "\x81\x00\x00\x05", 4);
    nic_send(&n, 0, 100, 0, 0);
    ck_assert_uint_eq(n.frames, 1);
    ck_assert_ptr_null(nic_received(&n, 1, NULL));
    memcpy(frame + 12, "\x81\x00\x00\x06", 4);
    nic_send(&n, 0, 100, 0, 0); /* no member of that VLAN */
    ck_assert_uint_eq(n.frames, 1);
    ck_assert_uint_eq(nic_get(&n, IGB_WVBR), 1);
    nic_set(&n, IGB_VMVIR, IGB_VMVIR_DEFAULT | 5);
    send(0, far_mac, vf_mac[0]);
    ck_assert_uint_eq(n.sent->len, 104);
    ck_assert(memcmp(n.sent->data + 12, "\x81\x00\x00\x05", 4) == 0);
}
END_TEST

START_TEST(mailboxes)
{
    nic_set(&n, IGB_MBVFIMR, 0xff);
    nic_set(&n, IGB_IMS, IGB_ICR_VMMB);
    nic_set(&n, IGB_IVAR_MISC, 0x8000);
    nic_set(&n, IGB_EIMS, 1);
    unsigned before = mock_irqs(n.pf)->vector[0];
    nic_vf_set(&n, 1, IGB_V2PMAILBOX, IGB_V2P_VFU);
    ck_assert(nic_vf_get(&n, 1, IGB_V2PMAILBOX) & IGB_V2P_VFU);
    nic_vf_set(&n, 1, IGB_VMBMEM, 0x12345678);
    nic_set(&n, IGB_P2VMAILBOX + 4, IGB_P2V_PFU); /* it is taken */
    ck_assert_uint_eq(nic_get(&n, IGB_P2VMAILBOX + 4), IGB_P2V_VFU);
    nic_vf_set(&n, 1, IGB_V2PMAILBOX, IGB_V2P_REQ);
    ck_assert_uint_gt(mock_irqs(n.pf)->vector[0], before);
    ck_assert_uint_eq(nic_get(&n, IGB_MBVFICR), 2);
    ck_assert_uint_eq(nic_get(&n, IGB_VMBMEM + 64), 0x12345678);
    ck_assert_uint_eq(nic_get(&n, IGB_VMBMEM), 0);
    nic_vf_set(&n, 1, IGB_IVAR_MISC, 0x82);
    nic_vf_set(&n, 1, IGB_EIMS, 4);
    nic_set(&n, IGB_P2VMAILBOX + 4, IGB_P2V_STS | IGB_P2V_ACK);
    ck_assert_uint_ge(mock_irqs(mock_func(n.ep, 2))->vector[2], 1);
    ck_assert_uint_eq(nic_vf_get(&n, 1, IGB_V2PMAILBOX) & 0x30, 0x30);
    ck_assert_uint_eq(nic_vf_get(&n, 1, IGB_V2PMAILBOX) & 0x30, 0);
}
END_TEST

START_TEST(a_reset_leaves_nothing_behind)
{
    nic_set(&n, IGB_VMBMEM + 4, 0xdeadbeef);
    nic_vf_set(&n, 0, 0x2800 + IGB_Q_BAL, 0x5000);
    mock_reset(mock_func(n.ep, 1), ENDPOINT_RESET_FLR);
    ck_assert_uint_eq(nic_get(&n, IGB_VFLRE), 1);
    ck_assert_uint_eq(nic_vf_get(&n, 0, IGB_VMBMEM + 4), 0);
    ck_assert_uint_eq(nic_vf_get(&n, 0, 0x2800 + IGB_Q_BAL), 0);
    ck_assert_uint_eq(nic_get(&n, IGB_VFTE), 2);
    send(1, vf_mac[0], vf_mac[1]);
    ck_assert_ptr_null(nic_received(&n, 0, NULL));
    send(1, nic_mac, vf_mac[1]);
    ck_assert_ptr_nonnull(nic_received(&n, 2, NULL));
}
END_TEST

START_TEST(only_the_own_queues_are_seen)
{
    nic_vf_set(&n, 1, 0x2800 + IGB_Q_BAL, 0x7000);
    ck_assert_uint_eq(nic_get(&n, IGB_RX_QUEUE + 1 * IGB_QUEUE_STRIDE), 0x7000);
    nic_vf_set(&n, 1, 0x3900 + IGB_Q_BAL, 0x7080);
    ck_assert_uint_eq(nic_get(&n, IGB_TX_QUEUE + 9 * IGB_QUEUE_STRIDE), 0x7080);
    nic_vf_set(&n, 1, IGB_RCTL, 0);
    ck_assert(nic_get(&n, IGB_RCTL) & IGB_RCTL_EN);
    ck_assert_uint_eq(nic_vf_get(&n, 1, IGB_RA), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("igb_vf");
    TCase *tcase = tcase_create("vf");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, switches_between_functions);
    tcase_add_test(tcase, everybody_hears_a_broadcast_but_its_sender);
    tcase_add_test(tcase, nobody_borrows_an_address);
    tcase_add_test(tcase, vlans_keep_pools_apart);
    tcase_add_test(tcase, mailboxes);
    tcase_add_test(tcase, a_reset_leaves_nothing_behind);
    tcase_add_test(tcase, only_the_own_queues_are_seen);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
