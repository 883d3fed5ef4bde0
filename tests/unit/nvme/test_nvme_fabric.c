/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The NVMe controller below a switch, driven by the host through the fabric. */
#include <stdlib.h>
#include <string.h>

#include "pcilab/endpoint/devices.h"
#include "pcilab/endpoint/nvme_spec.h"
#include "pcilab/pci/config.h"
#include "rig.h"

#define RP         RIG_CFG(0, 1, 0, 0)
#define UP         RIG_CFG(1, 0, 0, 0)
#define DOWN       RIG_CFG(2, 1, 0, 0)
#define EP         RIG_CFG(3, 0, 0, 0)
#define BAR0       0xe0000000ULL
#define MSIX_TABLE (BAR0 + 0x2000)
#define DISK_BYTES 0x80000u
#define ENTRIES    16
#define SQ(q)      (0x1000ULL + (q)*0x2000)
#define CQ(q)      (0x2000ULL + (q)*0x2000)
#define LIST       0x8000ULL
#define DATA       0x10000ULL

static struct rig *rig;
static struct root_port *rp;
static struct pcie_switch *sw;
static struct endpoint *ep;
static uint8_t disk[DISK_BYTES];
static unsigned sq_tail[2], cq_head[2], cq_phase[2];

static int disk_read(void *opaque, uint64_t offset, void *data, uint64_t len)
{
    ck_assert_uint_le(offset + len, DISK_BYTES);
    memcpy(data, disk + offset, len);
    return 0;
}

static int disk_write(void *opaque, uint64_t offset, const void *data, uint64_t len)
{
    ck_assert_uint_le(offset + len, DISK_BYTES);
    memcpy(disk + offset, data, len);
    return 0;
}

static int disk_zero(void *opaque, uint64_t offset, uint64_t len)
{
    ck_assert_uint_le(offset + len, DISK_BYTES);
    memset(disk + offset, 0, len);
    return 0;
}

static int disk_flush(void *opaque)
{
    return 0;
}

static void bring_up(void)
{
    struct rig_windows windows = {
        .secondary = 1,
        .subordinate = 3,
        .mem_base = BAR0,
        .mem_limit = BAR0 + 0xfffff,
        .pref_base = 0x100000, /* closed, as is I/O */
        .io_base = 0x1000,
    };

    rig_program_bridge(rig, RP, &windows);
    windows.primary = 1;
    windows.secondary = 2;
    rig_program_bridge(rig, UP, &windows);
    windows.primary = 2;
    windows.secondary = 3;
    rig_program_bridge(rig, DOWN, &windows);
    rig_cfg_write(rig, EP + PCI_BAR(0), 4, (uint32_t)BAR0);
    rig_cfg_write(rig, EP + PCI_BAR(1), 4, 0);
    rig_cfg_write(rig, EP + PCI_COMMAND, 2, 6);
}

static void setup(void)
{
    const struct nvme_params params = {
        .name = "nvme0",
        .serial = "FABRIC",
        .io_queues = 2,
        .storage = {.size_bytes = DISK_BYTES,
                    .read = disk_read,
                    .write = disk_write,
                    .zero = disk_zero,
                    .flush = disk_flush},
        .pcie = rig_pcie(PCIE_ENDPOINT),
    };

    rig = rig_new();
    rp = rig_root_port(rig, 1, 0);
    sw = rig_switch(rig, "sw0", 2);
    ep = nvme_new(rig->fabric, &params);
    link_connect(root_port_link(rp), pcie_switch_upstream(sw));
    link_connect(pcie_switch_downstream(sw, 1), endpoint_port(ep));
    bring_up();
}

static void teardown(void)
{
    rig_run_for(rig, PS_PER_S);
    endpoint_free(ep);
    pcie_switch_free(sw);
    rig_free(rig);
}

static uint64_t reg(unsigned offset, unsigned len)
{
    return rig_read(rig, ROOT_MEM_READ, BAR0 + offset, len);
}

static void set_reg(unsigned offset, unsigned len, uint64_t value)
{
    rig_write(rig, ROOT_MEM_WRITE, BAR0 + offset, len, value);
}

static unsigned find_cap(unsigned id)
{
    unsigned at = rig_cfg_read(rig, EP + PCI_CAP_POINTER, 1);

    while (at && rig_cfg_read(rig, EP + at, 1) != id)
        at = rig_cfg_read(rig, EP + at + 1, 1);
    ck_assert_uint_ne(at, 0);
    return at;
}

static void enable(void)
{
    for (unsigned q = 0; q < 2; q++) {
        memset(rig->low + SQ(q), 0, 4096);
        memset(rig->low + CQ(q), 0, 4096);
        sq_tail[q] = cq_head[q] = 0;
        cq_phase[q] = 1;
    }
    for (unsigned v = 0; v < 3; v++) {
        rig_write(rig, ROOT_MEM_WRITE, MSIX_TABLE + v * 16, 8, 0xfee00000);
        rig_write(rig, ROOT_MEM_WRITE, MSIX_TABLE + v * 16 + 8, 4, 0x40 + v);
        rig_write(rig, ROOT_MEM_WRITE, MSIX_TABLE + v * 16 + 12, 4, 0);
    }
    rig_cfg_write(rig, EP + find_cap(PCI_CAP_MSIX) + 2, 2, 0x8000);
    set_reg(NVME_REG_AQA, 4, (ENTRIES - 1) << 16 | (ENTRIES - 1));
    set_reg(NVME_REG_ASQ, 8, SQ(0));
    set_reg(NVME_REG_ACQ, 4, CQ(0)); /* by halves */
    set_reg(NVME_REG_ACQ + 4, 4, 0);
    set_reg(NVME_REG_CC, 4, 0x460001);
    rig_run_for(rig, PS_PER_MS);
    ck_assert_uint_eq(reg(NVME_REG_CSTS, 4), NVME_CSTS_RDY);
}

static uint8_t *entry_new(unsigned q, uint8_t opcode, uint64_t prp1, uint64_t prp2)
{
    uint8_t *entry = rig->low + SQ(q) + sq_tail[q] * NVME_SQE_BYTES;

    memset(entry, 0, NVME_SQE_BYTES);
    entry[SQE_OPCODE] = opcode;
    le16_store(entry + SQE_CID, (uint16_t)(0x100 + sq_tail[q]));
    entry[SQE_NSID] = q ? 1 : 0;
    le64_store(entry + SQE_PRP1, prp1);
    le64_store(entry + SQE_PRP2, prp2);
    sq_tail[q] = (sq_tail[q] + 1) % ENTRIES;
    return entry;
}

static void ring(unsigned q)
{
    set_reg(NVME_REG_DOORBELLS + q * 8, 4, sq_tail[q]);
}

static bool poll(unsigned q, uint16_t *status)
{
    const uint8_t *entry = rig->low + CQ(q) + cq_head[q] * NVME_CQE_BYTES;

    if ((entry[14] & 1) != cq_phase[q])
        return false;
    *status = le16_load(entry + 14) >> 1 & 0x7ff;
    if (++cq_head[q] == ENTRIES) {
        cq_head[q] = 0;
        cq_phase[q] ^= 1;
    }
    set_reg(NVME_REG_DOORBELLS + q * 8 + 4, 4, cq_head[q]);
    return true;
}

static uint16_t finish(unsigned q)
{
    uint16_t status;

    ring(q);
    rig_run_for(rig, 10 * PS_PER_MS);
    ck_assert(poll(q, &status));
    return status;
}

static void make_queue(void)
{
    uint8_t *entry = entry_new(0, NVME_ADMIN_CREATE_CQ, CQ(1), 0);

    le32_store(entry + SQE_CDW10, 1 | (ENTRIES - 1) << 16);
    le32_store(entry + SQE_CDW11, 1 << 16 | 3);
    ck_assert_uint_eq(finish(0), NVME_OK);
    entry = entry_new(0, NVME_ADMIN_CREATE_SQ, SQ(1), 0);
    le32_store(entry + SQE_CDW10, 1 | (ENTRIES - 1) << 16);
    le32_store(entry + SQE_CDW11, 1 << 16 | 1);
    ck_assert_uint_eq(finish(0), NVME_OK);
}

/* 64 KiB of the disk and host memory at DATA, which is 16 pages in reverse order. */
static void queue_transfer(uint8_t opcode)
{
    uint8_t *entry = entry_new(1, opcode, DATA + 15 * 4096, LIST);

    for (unsigned i = 0; i < 15; i++)
        le64_store(rig->low + LIST + i * 8, DATA + (14 - i) * 4096);
    le32_store(entry + SQE_CDW10, 8);
    le32_store(entry + SQE_CDW12, 127);
}

static bool data_matches(void)
{
    for (unsigned i = 0; i < 16; i++) {
        if (memcmp(disk + 4096 + i * 4096, rig->low + DATA + (15 - i) * 4096, 4096) != 0)
            return false;
    }
    return true;
}

START_TEST(commands_run_through_the_fabric)
{
    enable();
    uint8_t *entry = entry_new(0, NVME_ADMIN_IDENTIFY, DATA, 0);
    entry[SQE_CDW10] = 1;
    ck_assert_uint_eq(finish(0), NVME_OK);
    ck_assert_uint_eq(memcmp(rig->low + DATA + 4, "FABRIC", 6), 0);
    ck_assert_uint_eq(rig->msis, 1);
    ck_assert_uint_eq(rig->msi[0].data, 0x40);
    make_queue();
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < 65536; i++)
            rig->low[DATA + i] = (uint8_t)rand();
        queue_transfer(NVME_IO_WRITE);
        ck_assert_uint_eq(finish(1), NVME_OK);
        ck_assert(data_matches());
        memset(rig->low + DATA, 0, 65536);
        queue_transfer(NVME_IO_READ);
        ck_assert_uint_eq(finish(1), NVME_OK);
        ck_assert(data_matches());
        ck_assert_uint_eq(rig->msi[rig->msis - 1].data, 0x41);
    }
    ck_assert_uint_eq(rig->msis, 3 + 40);
}
END_TEST

static void reset_function(unsigned how)
{
    if (how == 0) {
        rig_cfg_write(rig, EP + find_cap(PCI_CAP_PCIE) + PCIE_DEVCTL, 2, PCIE_DEVCTL_FLR);
        rig_run_for(rig, 100 * PS_PER_MS);
    } else if (how < 4) {
        static const uint64_t bridges[] = {RP, UP, DOWN};
        uint64_t bridge = bridges[how - 1];
        rig_cfg_write(rig, bridge + PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CONTROL_SECONDARY_RESET);
        rig_run_for(rig, PS_PER_MS);
        rig_cfg_write(rig, bridge + PCI_BRIDGE_CONTROL, 2, 0);
        rig_run_for(rig, 200 * PS_PER_MS);
    } else {
        set_reg(NVME_REG_CC, 4, 0);
        rig_run_for(rig, 10 * PS_PER_MS);
        ck_assert_uint_eq(reg(NVME_REG_CSTS, 4), 0);
    }
}

/* Resets of every kind, at many instants of transfers that are under way. */
START_TEST(resets_in_the_middle_leave_a_working_controller)
{
    unsigned how = (unsigned)_i;

    for (unsigned instant = 0; instant < 24; instant++) {
        enable();
        make_queue();
        for (unsigned i = 0; i < 8; i++)
            queue_transfer(i & 1 ? NVME_IO_READ : NVME_IO_WRITE);
        ring(1);
        rig_run_for(rig, instant * 400 * PS_PER_NS);
        reset_function(how);
        memset(rig->low + DATA, 0xdd, 65536);
        rig_run_for(rig, PS_PER_S);
        for (unsigned i = 0; i < 65536; i++)
            ck_assert_uint_eq(rig->low[DATA + i], 0xdd); /* nothing comes late */
        bring_up();
    }
    enable();
    make_queue();
    queue_transfer(NVME_IO_WRITE);
    ck_assert_uint_eq(finish(1), NVME_OK);
    ck_assert(data_matches());
}
END_TEST

START_TEST(unreachable_memory_is_a_status)
{
    enable();
    make_queue();
    uint8_t *entry = entry_new(1, NVME_IO_WRITE, 0x800000000000ULL, 0);
    le32_store(entry + SQE_CDW12, 0);
    ck_assert_uint_eq(finish(1), NVME_DATA_TRANSFER_ERROR);
    queue_transfer(NVME_IO_WRITE);
    ck_assert_uint_eq(finish(1), NVME_OK);
    /* Without Bus Master Enable nothing can be told but by CSTS. */
    rig_cfg_write(rig, EP + PCI_COMMAND, 2, 2);
    queue_transfer(NVME_IO_WRITE);
    ring(1);
    rig_run_for(rig, PS_PER_MS);
    ck_assert(reg(NVME_REG_CSTS, 4) & NVME_CSTS_CFS);
    rig_cfg_write(rig, EP + PCI_COMMAND, 2, 6);
    reset_function(4);
    enable();
    make_queue();
}
END_TEST

START_TEST(pin_arrives_swizzled)
{
    enable();
    rig_cfg_write(rig, EP + find_cap(PCI_CAP_MSIX) + 2, 2, 0);
    uint8_t *entry = entry_new(0, NVME_ADMIN_GET_FEATURES, 0, 0);
    entry[SQE_CDW10] = NVME_FEAT_QUEUES;
    ring(0);
    rig_run_for(rig, PS_PER_MS);
    /* INTA below device 1 of the switch, below device 1 of bus 0: two steps on. */
    ck_assert(rig->intx[2]);
    uint16_t status;
    ck_assert(poll(0, &status));
    rig_settle(rig);
    ck_assert(!rig->intx[2]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("nvme-fabric");
    TCase *tc = tcase_create("nvme");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, commands_run_through_the_fabric);
    tcase_add_loop_test(tc, resets_in_the_middle_leave_a_working_controller, 0, 5);
    tcase_add_test(tc, unreachable_memory_is_a_status);
    tcase_add_test(tc, pin_arrives_swizzled);
    suite_add_tcase(suite, tc);
    return rig_run_suite(suite);
}
