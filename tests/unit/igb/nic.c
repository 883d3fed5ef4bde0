/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nic.h"

#include <glib.h>
#include <string.h>

const uint8_t nic_mac[6] = {0x52, 0x54, 0, 1, 2, 3};

static void output(void *opaque, const uint8_t *frame, uint32_t len)
{
    struct nic *nic = opaque;

    g_byte_array_set_size(nic->sent, 0);
    g_byte_array_append(nic->sent, frame, len);
    nic->frames++;
}

static void room(void *opaque)
{
    ((struct nic *)opaque)->rooms++;
}

void nic_open(struct nic *nic, unsigned vfs)
{
    static const struct igb_ops ops = {.output = output, .room = room};
    struct igb_params params = {.name = "nic", .ops = &ops, .opaque = nic, .vfs = vfs};

    memset(nic, 0, sizeof(*nic));
    memcpy(params.mac, nic_mac, sizeof(nic_mac));
    params.pcie.type = PCIE_ENDPOINT;
    nic->sent = g_byte_array_new();
    nic->mock = mock_new(NIC_RAM);
    nic->igb = igb_new(mock_fabric(nic->mock), &params);
    nic->ep = igb_endpoint(nic->igb);
    nic->pf = mock_func(nic->ep, 0);
    mock_set_msix(nic->pf, true);
}

void nic_close(struct nic *nic)
{
    endpoint_free(nic->ep);
    mock_free(nic->mock);
    g_byte_array_unref(nic->sent);
}

uint32_t nic_get(struct nic *nic, unsigned offset)
{
    return (uint32_t)mock_read(nic->pf, 0, offset, 4);
}

void nic_set(struct nic *nic, unsigned offset, uint32_t value)
{
    mock_write(nic->pf, 0, offset, 4, value);
}

uint32_t nic_vf_get(struct nic *nic, unsigned vf, unsigned offset)
{
    return (uint32_t)mock_read(mock_func(nic->ep, vf + 1), 0, offset, 4);
}

void nic_vf_set(struct nic *nic, unsigned vf, unsigned offset, uint32_t value)
{
    mock_write(mock_func(nic->ep, vf + 1), 0, offset, 4, value);
}

static unsigned rx_base(unsigned queue)
{
    return IGB_RX_QUEUE + queue * IGB_QUEUE_STRIDE;
}

static unsigned tx_base(unsigned queue)
{
    return IGB_TX_QUEUE + queue * IGB_QUEUE_STRIDE;
}

static uint64_t buffer(unsigned queue, unsigned index)
{
    return NIC_BUF + (queue * NIC_SIZE + index) * 2048;
}

void nic_start_queue(struct nic *nic, unsigned queue)
{
    unsigned rx = rx_base(queue), tx = tx_base(queue);

    for (unsigned i = 0; i < NIC_SIZE; i++)
        le64_store(nic->mock->ram + NIC_RX(queue) + 16 * i, buffer(queue, i));
    nic_set(nic, rx + IGB_Q_DCTL, 0);
    nic_set(nic, rx + IGB_Q_BAL, NIC_RX(queue));
    nic_set(nic, rx + IGB_Q_LEN, NIC_SIZE * 16);
    nic_set(nic, rx + IGB_Q_SRRCTL, 0x02000002); /* advanced, one buffer, 2 KiB */
    nic_set(nic, rx + IGB_Q_DCTL, IGB_DCTL_ENABLE);
    nic_set(nic, rx + IGB_Q_TAIL, NIC_SIZE - 1);
    nic_set(nic, tx + IGB_Q_DCTL, 0);
    nic_set(nic, tx + IGB_Q_BAL, NIC_TX(queue));
    nic_set(nic, tx + IGB_Q_LEN, NIC_SIZE * 16);
    nic_set(nic, tx + IGB_Q_HEAD, 0);
    nic_set(nic, tx + IGB_Q_TAIL, 0);
    nic_set(nic, tx + IGB_Q_DCTL, IGB_DCTL_ENABLE);
    nic->rx_at[queue] = nic->tx_at[queue] = 0;
}

void nic_start(struct nic *nic)
{
    mock_run(nic->mock, 100 * PS_PER_MS);
    nic_set(nic, IGB_CTRL, IGB_CTRL_SLU | IGB_CTRL_VME | 1);
    nic_set(nic, IGB_GPIE, IGB_GPIE_MULTI | IGB_GPIE_EIAME | IGB_GPIE_NSICR);
    nic_start_queue(nic, 0);
    nic_set(nic, IGB_RCTL, IGB_RCTL_EN | IGB_RCTL_BAM | IGB_RCTL_LPE);
    nic_set(nic, IGB_TCTL, IGB_TCTL_EN | IGB_TCTL_PSP);
}

void nic_put_desc(struct nic *nic, unsigned queue, uint64_t addr, uint32_t command,
                  uint32_t options)
{
    uint8_t *desc = nic->mock->ram + NIC_TX(queue) + 16 * nic->tx_at[queue];

    le64_store(desc, addr);
    le32_store(desc + 8, command);
    le32_store(desc + 12, options);
    nic->tx_at[queue] = (nic->tx_at[queue] + 1) % NIC_SIZE;
}

void nic_kick(struct nic *nic, unsigned queue)
{
    nic_set(nic, tx_base(queue) + IGB_Q_TAIL, nic->tx_at[queue]);
    mock_run(nic->mock, PS_PER_MS);
}

void nic_send(struct nic *nic, unsigned queue, uint32_t len, uint32_t command, uint32_t options)
{
    nic_put_desc(nic, queue, NIC_DATA,
                 len | 0x00300000 | IGB_TXD_DEXT | IGB_TXD_EOP | IGB_TXD_RS | command,
                 len << 14 | options);
    nic_kick(nic, queue);
}

const uint8_t *nic_received(struct nic *nic, unsigned queue, const uint8_t **data)
{
    unsigned at = nic->rx_at[queue];
    const uint8_t *desc = nic->mock->ram + NIC_RX(queue) + 16 * at;

    mock_run(nic->mock, PS_PER_MS);
    if (nic_get(nic, rx_base(queue) + IGB_Q_HEAD) == at || !(le32_load(desc + 8) & IGB_RXD_DD))
        return NULL;
    nic->rx_at[queue] = (at + 1) % NIC_SIZE;
    if (data)
        *data = nic->mock->ram + buffer(queue, at);
    return desc;
}

void nic_frame(uint8_t *frame, const uint8_t *to, const uint8_t *from, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        frame[i] = (uint8_t)(i * 7 + 1);
    memcpy(frame, to, 6);
    memcpy(frame + 6, from, 6);
    frame[12] = 0x88;
    frame[13] = 0xb5; /* IEEE 802, local experimental */
}
