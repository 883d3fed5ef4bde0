/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The exerciser as a device that is broken: accesses to its memory that end badly, and TLPs that no
 * sound device would send (docs/exerciser.md).
 */
#include "exerciser.h"

#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/fabric/completer.h"
#include "pcilab/fabric/message.h"

#define PAGE_BYTES     4096u
#define UNKNOWN_CODE   0x6f /* no message has this code (2.2.8) */
#define UNEXPECTED_TAG 0x5a

enum tlp_status exerciser_answer(struct exerciser *ex)
{
    static const enum tlp_status answers[] = {
        [EXERCISER_FAULT_NONE] = TLP_SC,
        [EXERCISER_FAULT_UR] = TLP_UR,
        [EXERCISER_FAULT_CA] = TLP_CA,
        [EXERCISER_FAULT_SILENT] = COMPLETER_SILENT,
        [EXERCISER_FAULT_POISON] = COMPLETER_POISON,
        [EXERCISER_FAULT_BAD_ECRC] = COMPLETER_BAD_ECRC,
    };
    uint64_t left = reg_get(ex->regs, EXERCISER_FAULT_COUNT);
    uint64_t kind = reg_get(ex->regs, EXERCISER_FAULT);

    if (!left)
        return TLP_SC;
    reg_set(ex->regs, EXERCISER_FAULT_COUNT, left - 1);
    return kind < ARRAY_LEN(answers) ? answers[kind] : TLP_SC;
}

/* A memory write of so many doublewords of zeroes. */
static struct tlp *emit_write(struct exerciser *ex, uint64_t addr, unsigned dws)
{
    struct tlp *tlp = tlp_new(endpoint_pool(ex->func), TLP_MWR, dws);

    tlp->requester = ex->pci->rid;
    tlp->addr = addr & ~3ULL;
    tlp->first_be = 0xf;
    tlp->last_be = dws > 1 ? 0xf : 0;
    return tlp;
}

static struct tlp *emit_completion(struct exerciser *ex, struct pci_rid to)
{
    struct tlp *tlp = tlp_new(endpoint_pool(ex->func), TLP_CPL, 0);

    tlp->requester = to;
    tlp->completer = ex->pci->rid;
    tlp->tag = UNEXPECTED_TAG;
    tlp->byte_count = 4;
    return tlp;
}

/* Of a group that nobody keeps count of: bits 8:0 its index, 9 read, 10 write, 11 last. */
static struct tlp *emit_page_request(struct exerciser *ex, uint64_t addr, uint16_t what)
{
    const struct ats_page_request request = {
        .addr = addr,
        .group = what & (ATS_GROUPS - 1),
        .read = what & 0x200,
        .write = what & 0x400,
        .last = what & 0x800,
    };
    struct tlp *tlp = ats_new_page_request(endpoint_pool(ex->func), &request);

    tlp->requester = ex->pci->rid;
    return tlp;
}

static struct tlp *emit_tlp(struct exerciser *ex, unsigned what, uint64_t addr, struct pci_rid id)
{
    unsigned mps_dws = pcie_max_payload_bytes(ex->pci) / 4;
    struct tlp *tlp;

    switch (what) {
    case EXERCISER_EMIT_LENGTH:
        tlp = emit_write(ex, addr, 1);
        tlp->length_dw = 2;
        tlp->last_be = 0xf;
        tlp->length_wrong = true;
        return tlp;
    case EXERCISER_EMIT_PAGE: return emit_write(ex, addr | (PAGE_BYTES - 4), 2);
    case EXERCISER_EMIT_ENABLES:
        tlp = emit_write(ex, addr, 2);
        tlp->last_be = 0;
        return tlp;
    case EXERCISER_EMIT_PAYLOAD:
        return mps_dws < TLP_MAX_PAYLOAD_DW
                   ? emit_write(ex, addr & ~(uint64_t)(PAGE_BYTES - 1), mps_dws + 1)
                   : NULL;
    case EXERCISER_EMIT_INTX:
        tlp = tlp_new_intx(endpoint_pool(ex->func), ex->pci->rid, 0, false);
        tlp->tc = 1;
        return tlp;
    case EXERCISER_EMIT_MESSAGE:
        return tlp_new_message(endpoint_pool(ex->func), ex->pci->rid,
                               (enum tlp_msg_code)UNKNOWN_CODE, TLP_MSG_TO_RC);
    case EXERCISER_EMIT_COMPLETION: return emit_completion(ex, id);
    case EXERCISER_EMIT_SOURCE:
        tlp = emit_write(ex, addr, 1);
        tlp->requester = id;
        return tlp;
    case EXERCISER_EMIT_LOCAL:
    case EXERCISER_EMIT_PREFIX:
        tlp = emit_write(ex, addr, 1);
        tlp_add_prefix(tlp, what == EXERCISER_EMIT_LOCAL ? (uint32_t)TLP_PREFIX_VENDOR_L0 << 24
                                                         : (uint32_t)TLP_PREFIX_PASID << 24 | id.v);
        return tlp;
    case EXERCISER_EMIT_PAGE_REQUEST: return emit_page_request(ex, addr, id.v);
    case EXERCISER_EMIT_INVALIDATE_DONE:
        tlp = ats_new_invalidate_done(endpoint_pool(ex->func), (struct pci_rid){0},
                                      1u << (id.v & 0x1f), 1);
        tlp->requester = ex->pci->rid;
        return tlp;
    default: return NULL;
    }
}

unsigned exerciser_emit(struct exerciser *ex, unsigned what, uint64_t addr, uint16_t id)
{
    struct tlp *tlp;

    if (!pci_func_bus_master(ex->pci))
        return DMA_NO_MASTER;
    tlp = emit_tlp(ex, what, addr, (struct pci_rid){id});
    if (!tlp)
        return EXERCISER_RESULT_INVALID;
    endpoint_send_tlp(ex->func, tlp);
    return DMA_OK;
}
