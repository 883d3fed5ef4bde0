/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the TLPs of Address Translation Services carry (PCIe Base 6.0, 10.2.3, 10.3, 10.4).
 *
 * CHOICE: payloads have the byte order of headers, most significant byte first, as their figures
 * are drawn like headers; no public decoder was found to confirm it.
 */
#include <assert.h>

#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/pci/ats.h"

#define PAGE_SHIFT 12
#define EVERYTHING 64

#define ENTRY_READ       BIT(0)
#define ENTRY_WRITE      BIT(1)
#define ENTRY_UNTRANS    BIT(2)
#define ENTRY_EXECUTE    BIT(3)
#define ENTRY_PRIVILEGED BIT(4)
#define ENTRY_GLOBAL     BIT(5)
#define ENTRY_NO_SNOOP   BIT(10)
#define RANGE_SIZED      BIT(11) /* S */

#define INVALIDATE_GLOBAL BIT(0)
#define INVALIDATE_DW     2

#define PAGE_READ  BIT(0)
#define PAGE_WRITE BIT(1)
#define PAGE_LAST  BIT(2)
#define PAGE_GROUP GENMASK(11, 3)

#define RESPONSE_CODE  GENMASK(47, 44)
#define RESPONSE_GROUP GENMASK(40, 32)
#define DONE_COUNT     GENMASK(34, 32)
#define DONE_ITAGS     GENMASK(31, 0)
#define DEST_SHIFT     48

/* 10.2.3.2, 10.3.1: with S set, the address bits from 12 up to the first that is 0 tell the size.
 * All ones is everything. */
static uint64_t encode_range(uint64_t addr, unsigned shift)
{
    if (shift >= EVERYTHING)
        return (low_mask(63) & ~low_mask(PAGE_SHIFT)) | RANGE_SIZED;
    addr &= ~low_mask(shift);
    if (shift <= PAGE_SHIFT)
        return addr;
    return addr | RANGE_SIZED | (low_mask(shift - 1) & ~low_mask(PAGE_SHIFT));
}

static uint64_t decode_range(uint64_t word, uint8_t *shift)
{
    uint64_t pages = word >> PAGE_SHIFT;

    *shift = PAGE_SHIFT;
    if (!(word & RANGE_SIZED))
        return word & ~low_mask(PAGE_SHIFT);
    if (pages == low_mask(EVERYTHING - PAGE_SHIFT) ||
        pages == low_mask(EVERYTHING - 1 - PAGE_SHIFT)) {
        *shift = EVERYTHING;
        return 0;
    }
    *shift = (uint8_t)(PAGE_SHIFT + 1 + __builtin_ctzll(~pages));
    return word & ~low_mask(*shift);
}

static void be64_store(uint8_t *out, uint64_t value)
{
    le64_store(out, __builtin_bswap64(value));
}

static uint64_t be64_load(const uint8_t *in)
{
    return __builtin_bswap64(le64_load(in));
}

void ats_encode_translation(const struct ats_translation *entry, uint8_t out[ATS_ENTRY_BYTES])
{
    be64_store(
        out, encode_range(entry->addr, entry->shift) | (entry->read ? ENTRY_READ : 0) |
                 (entry->write ? ENTRY_WRITE : 0) | (entry->untranslated ? ENTRY_UNTRANS : 0) |
                 (entry->execute ? ENTRY_EXECUTE : 0) | (entry->privileged ? ENTRY_PRIVILEGED : 0) |
                 (entry->global ? ENTRY_GLOBAL : 0) | (entry->no_snoop ? ENTRY_NO_SNOOP : 0));
}

void ats_decode_translation(const uint8_t in[ATS_ENTRY_BYTES], struct ats_translation *entry)
{
    uint64_t word = be64_load(in);

    *entry = (struct ats_translation){
        .read = word & ENTRY_READ,
        .write = word & ENTRY_WRITE,
        .untranslated = word & ENTRY_UNTRANS,
        .execute = word & ENTRY_EXECUTE,
        .privileged = word & ENTRY_PRIVILEGED,
        .global = word & ENTRY_GLOBAL,
        .no_snoop = word & ENTRY_NO_SNOOP,
    };
    entry->addr = decode_range(word, &entry->shift);
}

static struct tlp *message(struct tlp_pool *pool, enum tlp_msg_code code, unsigned payload_dw)
{
    struct tlp *tlp = tlp_new(pool, payload_dw ? TLP_MSGD : TLP_MSG, payload_dw);

    tlp->msg_code = (uint8_t)code;
    return tlp;
}

static struct tlp *message_to(struct tlp_pool *pool, enum tlp_msg_code code, struct pci_rid dest,
                              unsigned payload_dw)
{
    struct tlp *tlp = message(pool, code, payload_dw);

    tlp->msg_routing = TLP_MSG_BY_ID;
    tlp->dest = dest;
    tlp->msg_bytes_8_15 = (uint64_t)dest.v << DEST_SHIFT;
    return tlp;
}

struct tlp *ats_new_invalidate(struct tlp_pool *pool, struct pci_rid dest,
                               const struct ats_invalidation *invalidation)
{
    struct tlp *tlp = message_to(pool, TLP_MSG_INVALIDATE, dest, INVALIDATE_DW);

    assert(invalidation->itag < 32);
    tlp->tag = invalidation->itag;
    be64_store(tlp->data, encode_range(invalidation->addr, invalidation->shift) |
                              (invalidation->global ? INVALIDATE_GLOBAL : 0));
    return tlp;
}

bool ats_decode_invalidate(const struct tlp *tlp, struct ats_invalidation *invalidation)
{
    uint64_t word;

    if (tlp->type != TLP_MSGD || tlp->length_dw != INVALIDATE_DW)
        return false;
    word = be64_load(tlp->data);
    *invalidation = (struct ats_invalidation){
        .itag = tlp->tag & 0x1f,
        .global = word & INVALIDATE_GLOBAL,
    };
    invalidation->addr = decode_range(word, &invalidation->shift);
    return true;
}

struct tlp *ats_new_invalidate_done(struct tlp_pool *pool, struct pci_rid dest, uint32_t itags,
                                    unsigned count)
{
    struct tlp *tlp = message_to(pool, TLP_MSG_INVALIDATE_DONE, dest, 0);

    assert(count >= 1 && count <= 8);
    tlp->msg_bytes_8_15 |= FIELD_PREP(DONE_COUNT, (uint64_t)count) | itags; /* 8 is 0 */
    return tlp;
}

uint32_t ats_done_itags(const struct tlp *tlp)
{
    return (uint32_t)FIELD_GET(DONE_ITAGS, tlp->msg_bytes_8_15);
}

unsigned ats_done_count(const struct tlp *tlp)
{
    unsigned count = (unsigned)FIELD_GET(DONE_COUNT, tlp->msg_bytes_8_15);

    return count ? count : 8;
}

struct tlp *ats_new_page_request(struct tlp_pool *pool, const struct ats_page_request *request)
{
    struct tlp *tlp = message(pool, TLP_MSG_PAGE_REQUEST, 0);

    tlp->msg_routing = TLP_MSG_TO_RC;
    tlp->msg_bytes_8_15 = (request->addr & ~low_mask(PAGE_SHIFT)) |
                          FIELD_PREP(PAGE_GROUP, (uint64_t)request->group) |
                          (request->last ? PAGE_LAST : 0) | (request->write ? PAGE_WRITE : 0) |
                          (request->read ? PAGE_READ : 0);
    return tlp;
}

void ats_decode_page_request(const struct tlp *tlp, struct ats_page_request *request)
{
    uint64_t word = tlp->msg_bytes_8_15;

    *request = (struct ats_page_request){
        .addr = word & ~low_mask(PAGE_SHIFT),
        .group = (uint16_t)FIELD_GET(PAGE_GROUP, word),
        .last = word & PAGE_LAST,
        .write = word & PAGE_WRITE,
        .read = word & PAGE_READ,
    };
}

struct tlp *ats_new_page_response(struct tlp_pool *pool, struct pci_rid dest, uint16_t group,
                                  uint8_t response)
{
    struct tlp *tlp = message_to(pool, TLP_MSG_PAGE_RESPONSE, dest, 0);

    tlp->msg_bytes_8_15 |=
        FIELD_PREP(RESPONSE_CODE, (uint64_t)response) | FIELD_PREP(RESPONSE_GROUP, (uint64_t)group);
    return tlp;
}

uint16_t ats_response_group(const struct tlp *tlp)
{
    return (uint16_t)FIELD_GET(RESPONSE_GROUP, tlp->msg_bytes_8_15);
}

uint8_t ats_response_code(const struct tlp *tlp)
{
    return (uint8_t)FIELD_GET(RESPONSE_CODE, tlp->msg_bytes_8_15);
}
