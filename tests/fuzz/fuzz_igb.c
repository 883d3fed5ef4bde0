/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The 82576 against hostile drivers and a hostile network. The input is a list of actions: register
 * accesses of the Physical Function and of Virtual ones, descriptors, bytes in host memory, frames
 * from the cable, resets, Virtual Functions that come and go, failing memory, and time in between.
 * Whatever happened, a reset must bring back a controller that sends and receives.
 */
#include <glib.h>
#include <string.h>

#include "mock.h"
#include "nic.h"
#include "pcilab/base/bits.h"

#define MAX_ACTIONS 128
#define VFS         4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
    const uint8_t *at;
    size_t left;
    struct nic nic;
};

/* Bytes past the end of the input are zeroes. */
static uint64_t take(struct world *w, unsigned bytes)
{
    uint8_t value[8] = {0};
    unsigned n = bytes < w->left ? bytes : (unsigned)w->left;

    memcpy(value, w->at, n);
    w->at += n;
    w->left -= n;
    return le64_load(value);
}

/* Where something happens more often than elsewhere. */
static const uint16_t places[] = {
    IGB_CTRL,       IGB_CTRL_EXT, IGB_MDIC,    IGB_EERD,   IGB_RCTL,   IGB_TCTL,
    IGB_GPIE,       IGB_IVAR,     IGB_EIMS,    IGB_EIAM,   IGB_EICS,   IGB_ICS,
    IGB_IMS,        IGB_MRQC,     IGB_VT_CTL,  IGB_DTXSWC, IGB_VFRE,   IGB_VFTE,
    IGB_VMOLR,      IGB_VLVF,     IGB_VMVIR,   IGB_RA,     IGB_RA + 4, IGB_RXCSUM,
    IGB_P2VMAILBOX, IGB_MBVFIMR,  IGB_EITR,    IGB_RLPML,  IGB_VET,    IGB_DTXCTL,
    IGB_RETA,       IGB_RSSRK,    IGB_TIMINCA, IGB_QDE,    IGB_IMC,    IGB_EICR,
};

static void act_register(struct world *w)
{
    unsigned place = places[take(w, 1) % ARRAY_LEN(places)];

    nic_set(&w->nic, place + 4 * (unsigned)take(w, 1) % 64, (uint32_t)take(w, 4));
}

static void act_anywhere(struct world *w)
{
    unsigned what = (unsigned)take(w, 1), len = 1u << (what & 3);
    unsigned func = (what >> 2) % (VFS + 1);
    uint64_t offset = take(w, 2) % (func ? 0x4000 - 8 : 0x20000 - 8);

    if (what & 0x80)
        mock_write(mock_func(w->nic.ep, func), 0, offset, len, take(w, len));
    else
        mock_read(mock_func(w->nic.ep, func), 0, offset, len);
}

static void act_queue(struct world *w)
{
    static const uint8_t regs[] = {IGB_Q_BAL,  IGB_Q_LEN,  IGB_Q_HEAD,  IGB_Q_TAIL,
                                   IGB_Q_DCTL, IGB_Q_WBAL, IGB_Q_SRRCTL};
    unsigned what = (unsigned)take(w, 1), base = what & 1 ? IGB_RX_QUEUE : IGB_TX_QUEUE;

    nic_set(&w->nic,
            base + (what >> 1 & 15) * IGB_QUEUE_STRIDE + regs[take(w, 1) % ARRAY_LEN(regs)],
            (uint32_t)take(w, 4) & (what & 32 ? 0x0208ffffu : 0xffu));
}

static void act_start(struct world *w)
{
    nic_start_queue(&w->nic, (unsigned)take(w, 1) % 16);
    nic_set(&w->nic, IGB_RCTL, IGB_RCTL_EN | IGB_RCTL_BAM | (uint32_t)take(w, 4));
    nic_set(&w->nic, IGB_TCTL, IGB_TCTL_EN | IGB_TCTL_PSP);
}

static void act_send(struct world *w)
{
    unsigned queue = (unsigned)take(w, 1) % 16, count = 1 + (unsigned)take(w, 1) % 4;

    for (unsigned i = 0; i < count; i++) {
        uint32_t kind = (uint32_t)take(w, 1), command = (uint32_t)take(w, 4);

        if (kind & 1)
            command = (command & 0xcfffffffu) | IGB_TXD_DEXT |
                      (kind & 2 ? IGB_TXD_CONTEXT << 20 : IGB_TXD_DATA << 20);
        if (kind & 4)
            command |= IGB_TXD_EOP | IGB_TXD_RS;
        nic_put_desc(&w->nic, queue, kind & 8 ? take(w, 8) : NIC_DATA + take(w, 1), command,
                     (uint32_t)take(w, 4));
    }
    nic_set(&w->nic, IGB_TX_QUEUE + queue * IGB_QUEUE_STRIDE + IGB_Q_TAIL, w->nic.tx_at[queue]);
}

static void act_memory(struct world *w)
{
    uint64_t addr = take(w, 3) % (NIC_RAM - 64);
    unsigned len = (unsigned)take(w, 1) % 64;

    for (unsigned i = 0; i < len; i++)
        w->nic.mock->ram[addr + i] = (uint8_t)take(w, 1);
}

static void act_frame(struct world *w)
{
    uint8_t frame[IGB_FRAME_MAX] = {0};
    uint32_t len = (uint32_t)take(w, 2) % (IGB_FRAME_MAX + 1), head = (uint32_t)take(w, 1) % 80;

    for (uint32_t i = 0; i < head; i++)
        frame[i] = (uint8_t)take(w, 1);
    igb_input(w->nic.igb, frame, len);
}

static void act_vfs(struct world *w)
{
    mock_set_vfs(w->nic.pf, (unsigned)take(w, 1) % (VFS + 1));
}

static void act_reset(struct world *w)
{
    unsigned what = (unsigned)take(w, 1);

    mock_reset(mock_func(w->nic.ep, what % (VFS + 1)),
               what & 0x80 ? ENDPOINT_RESET_FLR : ENDPOINT_RESET_HOT);
}

static void act_trouble(struct world *w)
{
    unsigned what = (unsigned)take(w, 1);
    struct mock *mock = w->nic.mock;

    mock->bus_master = !(what & 1);
    mock->bad_addr = what & 2 ? take(w, 3) : 0;
    mock_set_msix(w->nic.pf, what & 4);
    mock_set_msi(w->nic.pf, what & 8);
    mock->dma_ps = what & 16 ? 20 * PS_PER_US : 10 * PS_PER_NS;
    igb_set_cable(w->nic.igb, !(what & 32));
}

static void act_time(struct world *w)
{
    mock_run(w->nic.mock, (1 + take(w, 1)) * PS_PER_US << take(w, 1) % 8);
}

static void (*const actions[])(struct world *w) = {
    act_register, act_anywhere, act_queue, act_start, act_send, act_memory, act_frame,   act_vfs,
    act_reset,    act_trouble,  act_time,  act_send,  act_time, act_frame,  act_register};

static void expect_recovery(struct world *w)
{
    struct nic *nic = &w->nic;
    uint8_t frame[100];

    nic->mock->bus_master = true;
    nic->mock->bad_addr = 0;
    igb_set_cable(nic->igb, true);
    mock_set_vfs(nic->pf, 0);
    mock_reset(nic->pf, ENDPOINT_RESET_FLR);
    memset(nic->mock->ram, 0, NIC_RAM);
    nic_start(nic);
    nic_frame(nic->mock->ram + NIC_DATA, nic_mac, nic_mac, sizeof(frame));
    unsigned before = nic->frames;
    nic_send(nic, 0, sizeof(frame), 0, 0);
    g_assert(nic->frames == before + 1 && nic->sent->len == sizeof(frame));
    nic_frame(frame, nic_mac, nic_mac, sizeof(frame));
    g_assert(igb_input(nic->igb, frame, sizeof(frame)));
    g_assert(nic_received(nic, 0, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world *w = g_new0(struct world, 1);

    w->at = data;
    w->left = size;
    nic_open(&w->nic, VFS);
    nic_start(&w->nic);
    for (unsigned i = 0; i < MAX_ACTIONS && w->left; i++)
        actions[take(w, 1) % ARRAY_LEN(actions)](w);
    mock_run(w->nic.mock, 100 * PS_PER_MS);
    expect_recovery(w);
    nic_close(&w->nic);
    g_free(w);
    return 0;
}
