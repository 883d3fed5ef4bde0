/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Physical Function of the 82576: registers, EEPROM, PHY, frames, offloads, interrupts. */
#include <check.h>
#include <glib.h>
#include <string.h>

#include "hw/endpoint/igb/igb.h"
#include "nic.h"

static struct nic n;
static const uint8_t other[6] = {0x52, 0x54, 0, 9, 9, 9};
static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static void setup(void)
{
    nic_open(&n, 0);
}

static void teardown(void)
{
    nic_close(&n);
}

START_TEST(tables_are_sound)
{
    unsigned count;
    const struct reg_def *defs = igb_registers(&count);
    char why[200] = "";

    ck_assert_msg(reg_table_lint(defs, count, why, sizeof(why)), "%s", why);
}
END_TEST

static uint16_t eeprom(unsigned word)
{
    nic_set(&n, IGB_EERD, word << 2 | 1);
    ck_assert(nic_get(&n, IGB_EERD) & 2);
    return (uint16_t)(nic_get(&n, IGB_EERD) >> 16);
}

START_TEST(eeprom_adds_up)
{
    uint16_t sum = 0;

    for (unsigned i = 0; i < 0x40; i++)
        sum = (uint16_t)(sum + eeprom(i));
    ck_assert_uint_eq(sum, 0xbaba);
    ck_assert_uint_eq(eeprom(0), 0x5452);
    ck_assert_uint_eq(eeprom(0x3fff), 0xffff);
}
END_TEST

START_TEST(auto_read_takes_its_time)
{
    ck_assert(!(nic_get(&n, IGB_EEC) & IGB_EEC_AUTO_RD));
    mock_run(n.mock, 2 * PS_PER_MS);
    ck_assert(nic_get(&n, IGB_EEC) & IGB_EEC_AUTO_RD);
    nic_set(&n, IGB_CTRL, IGB_CTRL_RST);
    ck_assert(!(nic_get(&n, IGB_EEC) & IGB_EEC_AUTO_RD));
    mock_run(n.mock, 2 * PS_PER_MS);
    ck_assert(nic_get(&n, IGB_EEC) & IGB_EEC_AUTO_RD);
}
END_TEST

static uint32_t mdic(unsigned phy, unsigned reg, bool write, uint16_t value)
{
    nic_set(&n, IGB_MDIC, (write ? 1u << 26 : 2u << 26) | phy << 21 | reg << 16 | value);
    ck_assert(nic_get(&n, IGB_MDIC) & 1u << 28);
    return nic_get(&n, IGB_MDIC);
}

START_TEST(link_comes_up_with_an_interrupt)
{
    nic_set(&n, IGB_GPIE, IGB_GPIE_MULTI | IGB_GPIE_NSICR);
    nic_set(&n, IGB_IVAR_MISC, 0x8000 | 3 << 8);
    nic_set(&n, IGB_EIMS, 1 << 3);
    nic_set(&n, IGB_IMS, IGB_ICR_LSC);
    ck_assert(!(nic_get(&n, IGB_STATUS) & 2));
    mock_run(n.mock, 100 * PS_PER_MS);
    ck_assert(nic_get(&n, IGB_STATUS) & 2);
    ck_assert_uint_eq(mock_irqs(n.pf)->vector[3], 1);
    ck_assert(nic_get(&n, IGB_ICR) & IGB_ICR_LSC);
    ck_assert_uint_eq(mdic(1, 2, false, 0) & 0xffff, 0x02a8);
    ck_assert_uint_eq(mdic(1, 1, false, 0) & 0x24, 0x24);
    ck_assert(mdic(2, 1, false, 0) & 1u << 30);
    igb_set_cable(n.igb, false);
    ck_assert(!(nic_get(&n, IGB_STATUS) & 2));
    ck_assert(nic_get(&n, IGB_ICR) & IGB_ICR_LSC);
    igb_set_cable(n.igb, true);
    mock_run(n.mock, 100 * PS_PER_MS);
    /* Link Status stays down until it is read once. */
    ck_assert_uint_eq(mdic(1, 1, false, 0) & 4, 0);
    ck_assert_uint_eq(mdic(1, 1, false, 0) & 4, 4);
}
END_TEST

START_TEST(sends_and_reports)
{
    nic_start(&n);
    nic_set(&n, IGB_IVAR, 0x8500); /* transmit queue 0: vector 5 */
    nic_set(&n, IGB_EIMS, 1 << 5);
    nic_set(&n, IGB_EIAC, 1 << 5);
    nic_frame(n.mock->ram + NIC_DATA, other, nic_mac, 200);
    nic_send(&n, 0, 200, 0, 0);
    ck_assert_uint_eq(n.frames, 1);
    ck_assert_uint_eq(n.sent->len, 200);
    ck_assert(memcmp(n.sent->data, n.mock->ram + NIC_DATA, 200) == 0);
    ck_assert_uint_eq(n.mock->ram[NIC_TX(0) + 12], 1);
    ck_assert_uint_eq(mock_irqs(n.pf)->vector[5], 1);
    nic_send(&n, 0, 30, 0, 0);
    ck_assert_uint_eq(n.sent->len, 60);
    ck_assert_uint_eq(nic_get(&n, IGB_GPTC), 2);
    ck_assert_uint_eq(nic_get(&n, IGB_GPTC), 0);
}
END_TEST

START_TEST(a_packet_of_several_descriptors_waits_for_its_end)
{
    nic_start(&n);
    nic_frame(n.mock->ram + NIC_DATA, other, nic_mac, 200);
    nic_put_desc(&n, 0, NIC_DATA, 100 | 0x00300000 | IGB_TXD_DEXT, 200 << 14);
    nic_kick(&n, 0);
    ck_assert_uint_eq(n.frames, 0);
    nic_put_desc(&n, 0, NIC_DATA + 100, 100 | 0x00300000 | IGB_TXD_DEXT | IGB_TXD_EOP, 0);
    nic_kick(&n, 0);
    ck_assert_uint_eq(n.frames, 1);
    ck_assert(memcmp(n.sent->data, n.mock->ram + NIC_DATA, 200) == 0);
}
END_TEST

START_TEST(takes_what_is_for_it)
{
    uint8_t frame[200];
    const uint8_t *data;

    nic_start(&n);
    nic_frame(frame, nic_mac, other, sizeof(frame));
    ck_assert(igb_input(n.igb, frame, sizeof(frame)));
    const uint8_t *desc = nic_received(&n, 0, &data);
    ck_assert_ptr_nonnull(desc);
    ck_assert_uint_eq(le32_load(desc + 8), IGB_RXD_DD | IGB_RXD_EOP);
    ck_assert_uint_eq(le32_load(desc + 12), sizeof(frame));
    ck_assert(memcmp(data, frame, sizeof(frame)) == 0);
    nic_frame(frame, other, nic_mac, sizeof(frame));
    ck_assert(igb_input(n.igb, frame, sizeof(frame)));
    ck_assert_ptr_null(nic_received(&n, 0, NULL));
    nic_frame(frame, everybody, other, sizeof(frame));
    ck_assert(igb_input(n.igb, frame, sizeof(frame)));
    ck_assert_ptr_nonnull(nic_received(&n, 0, NULL));
    nic_set(&n, IGB_RCTL, IGB_RCTL_EN | IGB_RCTL_UPE);
    nic_frame(frame, other, other, sizeof(frame));
    ck_assert(igb_input(n.igb, frame, sizeof(frame)));
    ck_assert_ptr_nonnull(nic_received(&n, 0, NULL));
}
END_TEST

START_TEST(holds_frames_for_want_of_descriptors)
{
    uint8_t frame[60];

    nic_start(&n);
    nic_frame(frame, nic_mac, other, sizeof(frame));
    for (unsigned i = 0; i < NIC_SIZE - 1 + 64; i++) {
        ck_assert(igb_input(n.igb, frame, sizeof(frame)));
        mock_run(n.mock, PS_PER_MS);
    }
    ck_assert(!igb_input(n.igb, frame, sizeof(frame)));
    nic_set(&n, IGB_RX_QUEUE + IGB_Q_TAIL, 4);
    mock_run(n.mock, PS_PER_MS);
    ck_assert_uint_eq(n.rooms, 2); /* the link's, and the one that there is now */
    nic_set(&n, IGB_RX_QUEUE + IGB_Q_SRRCTL, 0x82000002);
    nic_set(&n, IGB_RX_QUEUE + IGB_Q_TAIL, 5);
    mock_run(n.mock, PS_PER_MS);
    ck_assert_uint_gt(nic_get(&n, IGB_RX_QUEUE + IGB_Q_DROPPED), 50);
}
END_TEST

START_TEST(vlan_tags_come_and_go)
{
    uint8_t frame[104];
    const uint8_t *data;

    nic_start(&n);
    nic_frame(frame, nic_mac, other, sizeof(frame));
    memcpy(frame + 12, "\x81\x00\x30\x07", 4);
    ck_assert(igb_input(n.igb, frame, sizeof(frame)));
    const uint8_t *desc = nic_received(&n, 0, &data);
    ck_assert_ptr_nonnull(desc);
    ck_assert_uint_eq(le32_load(desc + 12), 100 | 0x3007u << 16);
    ck_assert(le32_load(desc + 8) & IGB_RXD_VP);
    ck_assert(memcmp(data, frame, 12) == 0 && memcmp(data + 12, frame + 16, 88) == 0);
    nic_frame(n.mock->ram + NIC_DATA, other, nic_mac, 100);
    nic_put_desc(&n, 0, 0x5005ull << 16, 0x00200000 | IGB_TXD_DEXT, 0);
    nic_send(&n, 0, 100, IGB_TXD_VLE, 0);
    ck_assert_uint_eq(n.sent->len, 104);
    ck_assert(memcmp(n.sent->data + 12, "\x81\x00\x50\x05", 4) == 0);
    /* 8.11.8: only members with the filter on. */
    nic_set(&n, IGB_RCTL, IGB_RCTL_EN | IGB_RCTL_VFE);
    ck_assert(igb_input(n.igb, frame, sizeof(frame)));
    ck_assert_ptr_null(nic_received(&n, 0, NULL));
    nic_set(&n, IGB_VFTA, 1 << 7);
    ck_assert(igb_input(n.igb, frame, sizeof(frame)));
    ck_assert_ptr_nonnull(nic_received(&n, 0, NULL));
}
END_TEST

/* The sum of 16-bit words in the order of the network, folded; 0xffff when a checksum is right. */
static uint16_t sum16(const uint8_t *data, uint32_t len, uint32_t start)
{
    for (uint32_t i = 0; i < len; i++)
        start += i & 1 ? data[i] : (uint32_t)data[i] << 8;
    while (start >> 16)
        start = (start & 0xffff) + (start >> 16);
    return (uint16_t)start;
}

/* An IPv4 TCP packet with `len` bytes of data; the pseudo header's sum without a length. */
static uint32_t put_tcp(uint8_t *frame, uint32_t len)
{
    nic_frame(frame, other, nic_mac, 54 + len);
    memcpy(frame + 12, "\x08\x00\x45\x00\x00\x00\x12\x34\x40\x00\x40\x06\x00\x00", 14);
    memcpy(frame + 26, "\x0a\x00\x02\x0f\x0a\x00\x02\x02", 8);
    memcpy(frame + 34, "\x04\xd2\x00\x50\x00\x00\xff\xf0\x00\x00\x00\x00\x50\x19\x10\x00", 16);
    uint16_t pseudo = sum16(frame + 26, 8, 6);
    frame[50] = (uint8_t)(pseudo >> 8);
    frame[51] = (uint8_t)pseudo;
    frame[52] = frame[53] = 0;
    return 54 + len;
}

#define TCP_CONTEXT (20 | 14u << 9)

START_TEST(segments_tcp)
{
    nic_start(&n);
    uint32_t len = put_tcp(n.mock->ram + NIC_DATA, 2500);
    nic_put_desc(&n, 0, TCP_CONTEXT, 0x00200000 | IGB_TXD_DEXT | IGB_TXC_IPV4 | 1 << 11,
                 20 << 8 | 1000u << 16);
    nic_put_desc(&n, 0, NIC_DATA,
                 len | 0x00300000 | IGB_TXD_DEXT | IGB_TXD_EOP | IGB_TXD_RS | IGB_TXD_TSE,
                 2500u << 14 | IGB_TXD_IXSM | IGB_TXD_TXSM);
    nic_kick(&n, 0);
    ck_assert_uint_eq(n.frames, 3);
    const uint8_t *last = n.sent->data;
    ck_assert_uint_eq(n.sent->len, 554);
    ck_assert_uint_eq(last[16] << 8 | last[17], 540);    /* total length */
    ck_assert_uint_eq(last[18] << 8 | last[19], 0x1236); /* identification */
    ck_assert_uint_eq(last[38] << 24 | last[39] << 16 | last[40] << 8 | last[41], 0xfff0 + 2000);
    ck_assert_uint_eq(last[47], 0x19);
    ck_assert_uint_eq(sum16(last + 14, 20, 0), 0xffff);
    ck_assert_uint_eq(sum16(last + 34, 520, sum16(last + 26, 8, 6 + 520)), 0xffff);
    ck_assert(memcmp(last + 54, n.mock->ram + NIC_DATA + 54 + 2000, 500) == 0);
    ck_assert_uint_eq(nic_get(&n, IGB_TSCTC), 1);
}
END_TEST

START_TEST(checks_sums_and_hashes)
{
    uint8_t frame[154];
    /* The example of 7.1.11.2.4, which Microsoft published with its key: 66.9.149.187:2794 to
     * 161.142.100.80:1766. */
    static const uint8_t key[40] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
                                    0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
                                    0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30,
                                    0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

    nic_start(&n);
    for (unsigned i = 0; i < 10; i++)
        nic_set(&n, IGB_RSSRK + 4 * i, le32_load(key + 4 * i));
    nic_set(&n, IGB_MRQC, IGB_MRQC_RSS | 0x00030000);
    nic_set(&n, IGB_RXCSUM, IGB_RXCSUM_IPOFL | IGB_RXCSUM_TUOFL | IGB_RXCSUM_PCSD);
    put_tcp(frame, 100);
    memcpy(frame, nic_mac, 6);
    memcpy(frame + 16, "\x00\x8c", 2);
    memcpy(frame + 26, "\x42\x09\x95\xbb\xa1\x8e\x64\x50\x0a\xea\x06\xe6", 12);
    memset(frame + 24, 0, 2);
    uint16_t ip = (uint16_t)~sum16(frame + 14, 20, 0);
    frame[24] = (uint8_t)(ip >> 8);
    frame[25] = (uint8_t)ip;
    memset(frame + 50, 0, 2);
    uint16_t tcp = (uint16_t)~sum16(frame + 34, 120, sum16(frame + 26, 8, 6 + 120));
    frame[50] = (uint8_t)(tcp >> 8);
    frame[51] = (uint8_t)tcp;
    ck_assert(igb_input(n.igb, frame, sizeof(frame)));
    const uint8_t *desc = nic_received(&n, 0, NULL);
    ck_assert_ptr_nonnull(desc);
    ck_assert_uint_eq(le32_load(desc), IGB_RXT_IPV4 | IGB_RXT_TCP | 1);
    ck_assert_uint_eq(le32_load(desc + 4), 0x51ccc178);
    ck_assert_uint_eq(le32_load(desc + 8), IGB_RXD_DD | IGB_RXD_EOP | IGB_RXD_IPCS | IGB_RXD_L4CS);
    frame[100] ^= 1;
    ck_assert(igb_input(n.igb, frame, sizeof(frame)));
    desc = nic_received(&n, 0, NULL);
    ck_assert_ptr_nonnull(desc);
    ck_assert(le32_load(desc + 8) & IGB_RXD_L4E);
}
END_TEST

START_TEST(throttles_in_virtual_time)
{
    nic_start(&n);
    nic_set(&n, IGB_EIMS, 1 << 4);
    nic_set(&n, IGB_EIAC, 1 << 4);
    nic_set(&n, IGB_EITR + 16, 200 << 2); /* 200 us */
    for (unsigned i = 0; i < 10; i++) {
        nic_set(&n, IGB_EICS, 1 << 4);
        mock_run(n.mock, 50 * PS_PER_US);
    }
    ck_assert_uint_eq(mock_irqs(n.pf)->vector[4], 3);
}
END_TEST

START_TEST(one_interrupt_for_all)
{
    mock_set_msix(n.pf, false);
    mock_run(n.mock, 100 * PS_PER_MS);
    nic_get(&n, IGB_ICR);
    nic_set(&n, IGB_IMS, IGB_ICR_RXDMT0);
    nic_set(&n, IGB_ICS, IGB_ICR_RXDMT0);
    ck_assert(mock_irqs(n.pf)->intx);
    uint32_t icr = nic_get(&n, 0xc0); /* where older chips have it */
    ck_assert_uint_eq(icr, IGB_ICR_INTA | IGB_ICR_RXDMT0);
    ck_assert(!mock_irqs(n.pf)->intx);
    mock_set_msi(n.pf, true);
    nic_set(&n, IGB_ICS, IGB_ICR_RXDMT0);
    ck_assert_uint_ge(mock_irqs(n.pf)->vector[0], 1);
    ck_assert(!mock_irqs(n.pf)->intx);
}
END_TEST

START_TEST(the_phy_loops)
{
    nic_start(&n);
    mdic(1, 0, true, 0x4140);
    mock_run(n.mock, 10 * PS_PER_MS);
    nic_frame(n.mock->ram + NIC_DATA, everybody, nic_mac, 100);
    nic_send(&n, 0, 100, 0, 0);
    ck_assert_uint_eq(n.frames, 0);
    ck_assert_ptr_nonnull(nic_received(&n, 0, NULL));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("igb");
    TCase *tcase = tcase_create("pf");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, tables_are_sound);
    tcase_add_test(tcase, eeprom_adds_up);
    tcase_add_test(tcase, auto_read_takes_its_time);
    tcase_add_test(tcase, link_comes_up_with_an_interrupt);
    tcase_add_test(tcase, sends_and_reports);
    tcase_add_test(tcase, a_packet_of_several_descriptors_waits_for_its_end);
    tcase_add_test(tcase, takes_what_is_for_it);
    tcase_add_test(tcase, holds_frames_for_want_of_descriptors);
    tcase_add_test(tcase, vlan_tags_come_and_go);
    tcase_add_test(tcase, segments_tcp);
    tcase_add_test(tcase, checks_sums_and_hashes);
    tcase_add_test(tcase, throttles_in_virtual_time);
    tcase_add_test(tcase, one_interrupt_for_all);
    tcase_add_test(tcase, the_phy_loops);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
