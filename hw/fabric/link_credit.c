/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flow control (PCIe Base 6.0, 2.6.1). A TLP occupies the receive buffer that it arrived in until
 * the component frees it, or until it leaves the component on another link: a switch or root
 * complex whose egress is blocked so blocks, by itself, whoever sends to it.
 */
#include "link_dir.h"

#include <assert.h>

#include <glib.h>

#include "pcilab/fabric/inject.h"

#define HEADER_MODULUS 256u
#define DATA_MODULUS   4096u
#define CREDIT_DWS     4u

enum link_flow link_flow_of(const struct tlp *tlp)
{
    if (tlp_is_completion(tlp))
        return LINK_COMPLETION;
    return tlp_is_posted(tlp) ? LINK_POSTED : LINK_NON_POSTED;
}

/* A TLP that is larger than the whole buffer, which only a broken sender makes, takes all of it. */
static unsigned data_credits(const struct link_dir *dir, enum link_flow flow, const struct tlp *tlp)
{
    unsigned credits = tlp->data ? (tlp->length_dw + CREDIT_DWS - 1) / CREDIT_DWS : 0;
    unsigned most = dir->buffer[flow].data;

    return most && credits > most ? most : credits;
}

/* 2.6.1.2: what is needed fits below the limit, modulo the counters' size. */
static bool counter_allows(unsigned limit, unsigned consumed, unsigned need, unsigned modulus)
{
    return ((limit - consumed - need) & (modulus - 1)) <= modulus / 2;
}

bool link_credit_take(struct link_dir *dir, const struct tlp *tlp, bool check_only)
{
    enum link_flow flow = link_flow_of(tlp);
    struct credit_counter *consumed = &dir->consumed[flow];
    const struct credit_counter *limit = &dir->limit[flow];
    unsigned data = data_credits(dir, flow, tlp);

    if (dir->buffer[flow].header &&
        !counter_allows(limit->header, consumed->header, 1, HEADER_MODULUS))
        return false;
    if (dir->buffer[flow].data && !counter_allows(limit->data, consumed->data, data, DATA_MODULUS))
        return false;
    if (!check_only) {
        consumed->header = (consumed->header + 1u) % HEADER_MODULUS;
        consumed->data = (uint16_t)((consumed->data + data) % DATA_MODULUS);
    }
    return true;
}

/* The receiver has room again. It tells at once when the sender may be short of it. */
static void credit_give_back(struct link_dir *dir, enum link_flow flow, unsigned data)
{
    const struct link_credits *buffer = &dir->buffer[flow];
    struct credit_counter *allocated = &dir->allocated[flow];
    const struct credit_counter *known = &dir->told[flow], *received = &dir->received[flow];
    unsigned headers_left, data_left;

    allocated->header = (allocated->header + 1u) % HEADER_MODULUS;
    allocated->data = (uint16_t)((allocated->data + data) % DATA_MODULUS);
    if ((!buffer->header && (!buffer->data || !data)) ||
        flaw_on(&dir->from->fabric->sim->flaws, FLAW_LINK_CREDITS))
        return;
    headers_left = (known->header - received->header) & (HEADER_MODULUS - 1);
    data_left = (known->data - received->data) & (DATA_MODULUS - 1);
    link_tx_want(dir->back, (uint8_t)(DLLP_FC << flow),
                 (buffer->header && headers_left <= buffer->header / 2u) ||
                     (buffer->data && data_left <= buffer->data / 2u));
}

static void hold_drop(struct link_hold *hold)
{
    if (--hold->holders == 0)
        g_free(hold);
}

/* The TLP leaves the buffer. */
static void credit_release(struct tlp *tlp)
{
    struct link_hold *hold = tlp->hold.owner;

    tlp->hold.release = NULL;
    if (hold->dir)
        credit_give_back(hold->dir, tlp->hold.flow, tlp->hold.data);
    hold_drop(hold);
}

void link_credit_receive(struct link_dir *dir, struct tlp *tlp)
{
    enum link_flow flow = link_flow_of(tlp);
    struct credit_counter *received = &dir->received[flow];
    unsigned data = data_credits(dir, flow, tlp);

    received->header = (received->header + 1u) % HEADER_MODULUS;
    received->data = (uint16_t)((received->data + data) % DATA_MODULUS);
    assert((!dir->buffer[flow].header ||
            counter_allows(dir->allocated[flow].header, received->header, 0, HEADER_MODULUS)) &&
           (!dir->buffer[flow].data ||
            counter_allows(dir->allocated[flow].data, received->data, 0, DATA_MODULUS)) &&
           "a sender has credits for what it sends");
    tlp->hold.release = credit_release;
    tlp->hold.owner = dir->hold;
    tlp->hold.flow = (uint8_t)flow;
    tlp->hold.data = (uint16_t)data;
    dir->hold->holders++;
}

void link_credit_update(struct link_dir *dir, const struct wire_item *item)
{
    dir->limit[item->flow] = (struct credit_counter){item->seq, item->data};
}

bool inject_leak_credits(struct port *receiver, enum link_flow flow, struct link_credits leaked)
{
    struct link_dir *dir = receiver->tx ? receiver->tx->back : NULL;
    struct credit_counter *limit;

    if (!dir || !receiver->link->up)
        return false;
    limit = &dir->limit[flow];
    if ((leaked.header &&
         (!dir->buffer[flow].header || !counter_allows(limit->header, dir->consumed[flow].header,
                                                       leaked.header, HEADER_MODULUS))) ||
        (leaked.data &&
         (!dir->buffer[flow].data ||
          !counter_allows(limit->data, dir->consumed[flow].data, leaked.data, DATA_MODULUS))))
        return false;
    /* As if so much had been sent and never left the buffer: consumed at both ends. */
    dir->consumed[flow].header = (dir->consumed[flow].header + leaked.header) % HEADER_MODULUS;
    dir->consumed[flow].data = (uint16_t)((dir->consumed[flow].data + leaked.data) % DATA_MODULUS);
    dir->received[flow].header = (dir->received[flow].header + leaked.header) % HEADER_MODULUS;
    dir->received[flow].data = (uint16_t)((dir->received[flow].data + leaked.data) % DATA_MODULUS);
    return true;
}

bool port_credits_whole(const struct port *receiver)
{
    const struct link_dir *dir;

    if (!receiver->tx || !receiver->link->up)
        return true;
    dir = receiver->tx->back;
    for (unsigned flow = 0; flow < LINK_FLOWS; flow++) {
        const struct credit_counter *sent = &dir->consumed[flow], *got = &dir->received[flow];
        unsigned headers = dir->allocated[flow].header - got->header;
        unsigned data = dir->allocated[flow].data - got->data;

        if (sent->header != got->header || sent->data != got->data ||
            headers % HEADER_MODULUS != dir->buffer[flow].header ||
            data % DATA_MODULUS != dir->buffer[flow].data)
            return false;
    }
    return dir->hold->holders == 1;
}

/* What non-posted requests need (2.6.1, table 2-50, Rx_NP_MPS_Limit): a Deferrable Memory Write,
 * where the receiver takes or routes any, else an AtomicOp with two operands of 16 bytes. */
static unsigned least_non_posted_data(const struct pci_func *receiver)
{
    const unsigned atomic = 2, dmwr = TLP_DMWR_MAX_DW / CREDIT_DWS;
    unsigned completer;

    if (!receiver || !receiver->cap_pcie)
        return atomic;
    if (pcie_dmwr_routed(receiver))
        return dmwr;
    completer = pcie_dmwr_completer_bytes(receiver) / (4 * CREDIT_DWS);
    return completer > atomic ? completer : atomic;
}

/* Data credits are at least one TLP's of the largest payload that the ports support (2.6.1). */
static void buffer_init(struct link_dir *dir, enum link_flow flow)
{
    struct link_credits *buffer = &dir->buffer[flow];
    unsigned least = flow == LINK_NON_POSTED ? least_non_posted_data(dir->to->func) : 0;

    *buffer = dir->link->params.rx[dir->to->side][flow];
    for (unsigned side = 0; side < 2 && flow != LINK_NON_POSTED; side++) {
        const struct pci_func *func = dir->link->end[side]->func;

        if (func && func->cap_pcie && least < 8u << func->pcie_max_mps)
            least = 8u << func->pcie_max_mps;
    }
    if (buffer->data && buffer->data < least)
        buffer->data = (uint16_t)least;
}

/* InitFC: part of what training takes. */
void link_credit_init(struct link_dir *dir)
{
    for (unsigned flow = 0; flow < LINK_FLOWS; flow++) {
        buffer_init(dir, flow);
        dir->consumed[flow] = dir->received[flow] = (struct credit_counter){0};
        dir->allocated[flow].header = dir->buffer[flow].header;
        dir->allocated[flow].data = dir->buffer[flow].data;
        dir->limit[flow] = dir->told[flow] = dir->allocated[flow];
    }
    dir->hold = g_new0(struct link_hold, 1);
    dir->hold->dir = dir;
    dir->hold->holders = 1;
}

void link_credit_forget(struct link_dir *dir)
{
    if (!dir->hold)
        return;
    dir->hold->dir = NULL;
    hold_drop(dir->hold);
    dir->hold = NULL;
}
