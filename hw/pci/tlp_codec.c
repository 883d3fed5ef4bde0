/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLP headers as they are on the wire: PCI Express Base Specification 6.0, 2.2, Non-Flit Mode.
 *
 * UNIMPL: Flit Mode headers, the IDE prefix and Lightweight Notification: tlp_decode() knows none
 * of them.
 */
#include "pcilab/pci/tlp.h"

#include "pcilab/base/bits.h"

#include <string.h>

#define FMT_4DW  0x20 /* byte 0, Fmt[0] */
#define FMT_DATA 0x40 /* byte 0, Fmt[1] */

#define TYPE_MEM     0x00
#define TYPE_MEM_LK  0x01
#define TYPE_IO      0x02
#define TYPE_CFG0    0x04
#define TYPE_CFG1    0x05
#define TYPE_CPL     0x0a
#define TYPE_CPL_LK  0x0b
#define TYPE_ADD     0x0c
#define TYPE_SWAP    0x0d
#define TYPE_CAS     0x0e
#define TYPE_DMWR    0x1b
#define TYPE_MSG     0x10 /* the low three bits are the routing */
#define TYPE_MSG_TOP 0x18

#define PREFIX_MASK  0xe0 /* byte 0, Fmt: 100b is a prefix */
#define PREFIX_FMT   0x80
#define PREFIX_BYTES 4

#define BYTE1_T9    0x80
#define BYTE1_TC    0x70
#define BYTE1_T8    0x08
#define BYTE1_ATTR2 0x04
#define BYTE1_TH    0x01
#define BYTE2_TD    0x80
#define BYTE2_EP    0x40
#define BYTE2_ATTR  0x30
#define BYTE2_AT    0x0c
#define BYTE2_LEN   0x03

#define DIGEST_BYTES 4
#define PAGE_BYTES   4096

/* Fmt and Type of each type, with FMT_4DW where the header always has four doublewords. */
static const uint8_t wire_types[TLP_TYPE_COUNT] = {
    [TLP_MRD] = TYPE_MEM,
    [TLP_MRDLK] = TYPE_MEM_LK,
    [TLP_MWR] = FMT_DATA | TYPE_MEM,
    [TLP_DMWR] = FMT_DATA | TYPE_DMWR,
    [TLP_FETCHADD] = FMT_DATA | TYPE_ADD,
    [TLP_SWAP] = FMT_DATA | TYPE_SWAP,
    [TLP_CAS] = FMT_DATA | TYPE_CAS,
    [TLP_IORD] = TYPE_IO,
    [TLP_IOWR] = FMT_DATA | TYPE_IO,
    [TLP_CFGRD0] = TYPE_CFG0,
    [TLP_CFGWR0] = FMT_DATA | TYPE_CFG0,
    [TLP_CFGRD1] = TYPE_CFG1,
    [TLP_CFGWR1] = FMT_DATA | TYPE_CFG1,
    [TLP_MSG] = FMT_4DW | TYPE_MSG,
    [TLP_MSGD] = FMT_4DW | FMT_DATA | TYPE_MSG,
    [TLP_CPL] = TYPE_CPL,
    [TLP_CPLD] = FMT_DATA | TYPE_CPL,
    [TLP_CPLLK] = TYPE_CPL_LK,
    [TLP_CPLDLK] = FMT_DATA | TYPE_CPL_LK,
};

static void be_store(uint8_t *p, uint64_t v, unsigned size)
{
    while (size--) {
        p[size] = (uint8_t)v;
        v >>= 8;
    }
}

static uint64_t be_load(const uint8_t *p, unsigned size)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < size; i++) {
        v = v << 8 | p[i];
    }
    return v;
}

/* Types whose TH bit means something (2.2.7.1); a write has its steering tag elsewhere. */
static bool may_have_hints(enum tlp_type type)
{
    return type == TLP_MRD || type == TLP_MWR || (type >= TLP_FETCHADD && type <= TLP_CAS);
}

/* 2.2.1.1: the first doubleword. */
static void encode_common(const struct tlp *tlp, uint8_t *out)
{
    unsigned tag_high = tlp->tag >> 8;

    out[0] = wire_types[tlp->type];
    if (tlp_is_memory(tlp) && tlp->addr >> 32) {
        out[0] |= FMT_4DW;
    }
    if (tlp_is_message(tlp)) {
        out[0] |= tlp->msg_routing & 7;
    }
    out[1] = (uint8_t)(FIELD_PREP(BYTE1_TC, tlp->tc) | FIELD_PREP(BYTE1_ATTR2, tlp->attr >> 2) |
                       FIELD_PREP(BYTE1_T9, tag_high >> 1) | FIELD_PREP(BYTE1_T8, tag_high) |
                       (tlp->th ? BYTE1_TH : 0));
    out[2] = (uint8_t)((tlp->td ? BYTE2_TD : 0) | (tlp->ep ? BYTE2_EP : 0) |
                       FIELD_PREP(BYTE2_ATTR, tlp->attr) | FIELD_PREP(BYTE2_AT, tlp->at) |
                       FIELD_PREP(BYTE2_LEN, tlp->length_dw >> 8));
    out[3] = (uint8_t)tlp->length_dw;
}

/* 2.2.9 */
static void encode_completion(const struct tlp *tlp, uint8_t *out)
{
    be_store(out + 4, tlp->completer.v, 2);
    be_store(out + 6,
             (unsigned)(tlp->status & 7) << 13 | (unsigned)tlp->bcm << 12 |
                 (tlp->byte_count & 0xfff),
             2);
    be_store(out + 8, tlp->requester.v, 2);
    out[10] = (uint8_t)tlp->tag;
    out[11] = tlp->lower_addr & 0x7f;
}

/* 2.2.8 */
static void encode_message(const struct tlp *tlp, uint8_t *out)
{
    out[7] = tlp->msg_code;
    be_store(out + 8, tlp->msg_bytes_8_15, 8);
    if (tlp->msg_routing == TLP_MSG_BY_ADDRESS) {
        be_store(out + 8, tlp->addr & ~3ULL, 8);
    } else if (tlp->msg_routing == TLP_MSG_BY_ID) {
        be_store(out + 8, tlp->dest.v, 2);
    }
}

unsigned tlp_encode_header(const struct tlp *tlp, uint8_t out[TLP_HEADER_MAX])
{
    unsigned len;

    memset(out, 0, TLP_HEADER_MAX);
    encode_common(tlp, out);
    len = out[0] & FMT_4DW ? 16 : 12;
    if (tlp_is_completion(tlp)) {
        encode_completion(tlp, out);
        return len;
    }
    be_store(out + 4, tlp->requester.v, 2);
    out[6] = (uint8_t)tlp->tag;
    if (tlp_is_message(tlp)) {
        encode_message(tlp, out);
        return len;
    }
    if (!tlp_is_atomic(tlp)) { /* there the field is reserved (2.2.7) */
        out[7] = (uint8_t)((tlp->last_be & 0xf) << 4 | (tlp->first_be & 0xf));
    }
    if (tlp_is_config(tlp)) {
        be_store(out + 8, tlp->dest.v, 2);
        be_store(out + 10, tlp->reg & 0xffc, 2);
        return len;
    }
    be_store(out + 8, tlp->addr & ~3ULL, len - 8);
    if (tlp_is_translation_request(tlp)) {
        out[len - 1] |= tlp->nw;
    } else if (tlp->th) {
        /* 2.2.7.1: the steering tag takes the place of a write's tag or of the enables. */
        out[len - 1] |= tlp->ph & 3;
        out[tlp->type == TLP_MWR ? 6 : 7] = tlp->st;
    }
    return len;
}

unsigned tlp_encode_head(const struct tlp *tlp, uint8_t out[TLP_HEAD_MAX])
{
    unsigned at = 0;

    for (unsigned i = 0; i < tlp->prefix_count; i++, at += PREFIX_BYTES) {
        be_store(out + at, tlp->prefix[i], PREFIX_BYTES);
    }
    return at + tlp_encode_header(tlp, out + at);
}

/* The type that the first byte names, or TLP_TYPE_COUNT. */
static enum tlp_type decode_type(uint8_t byte0)
{
    uint8_t wanted = byte0;

    if ((byte0 & TYPE_MSG_TOP) == TYPE_MSG) {
        wanted &= (uint8_t)~7u;
    } else if ((byte0 & 0x1f) <= TYPE_MEM_LK || (byte0 & 0x1f) == TYPE_DMWR ||
               ((byte0 & 0x1f) >= TYPE_ADD && (byte0 & 0x1f) <= TYPE_CAS)) {
        wanted &= (uint8_t)~FMT_4DW; /* requests by address come with 32 and with 64 bits of it */
    }
    for (unsigned i = 0; i < TLP_TYPE_COUNT; i++) {
        if (wire_types[i] == wanted) {
            return (enum tlp_type)i;
        }
    }
    return TLP_TYPE_COUNT;
}

static void decode_request(struct tlp *tlp, const uint8_t *bytes, unsigned header)
{
    tlp->requester.v = (uint16_t)be_load(bytes + 4, 2);
    tlp->tag |= bytes[6];
    if (tlp_is_message(tlp)) {
        tlp->msg_routing = bytes[0] & 7;
        tlp->msg_code = bytes[7];
        tlp->msg_bytes_8_15 = be_load(bytes + 8, 8);
        if (tlp->msg_routing == TLP_MSG_BY_ADDRESS) {
            tlp->msg_bytes_8_15 &= ~3ULL; /* the low two bits are reserved */
            tlp->addr = tlp->msg_bytes_8_15;
        } else if (tlp->msg_routing == TLP_MSG_BY_ID) {
            tlp->dest.v = (uint16_t)be_load(bytes + 8, 2);
        }
        return;
    }
    if (!tlp_is_atomic(tlp)) {
        tlp->first_be = bytes[7] & 0xf;
        tlp->last_be = bytes[7] >> 4;
    }
    if (tlp_is_config(tlp)) {
        tlp->dest.v = (uint16_t)be_load(bytes + 8, 2);
        tlp->reg = be_load(bytes + 10, 2) & 0xffc;
        return;
    }
    tlp->addr = be_load(bytes + 8, header - 8) & ~3ULL;
    if (tlp_is_translation_request(tlp)) {
        tlp->nw = bytes[header - 1] & 1;
    } else if (tlp->th) {
        tlp->ph = bytes[header - 1] & 3;
        if (tlp->type == TLP_MWR) {
            tlp->st = bytes[6];
            tlp->tag &= 0x300;
        } else {
            tlp->st = bytes[7];
            if (!tlp_is_atomic(tlp)) {
                tlp->first_be = 0xf;
                tlp->last_be = tlp->length_dw > 1 ? 0xf : 0;
            }
        }
    }
}

static void decode_header(struct tlp *tlp, const uint8_t *bytes, unsigned header)
{
    tlp->tc = FIELD_GET(BYTE1_TC, bytes[1]);
    tlp->attr = (uint8_t)(FIELD_GET(BYTE2_ATTR, bytes[2]) | FIELD_GET(BYTE1_ATTR2, bytes[1]) << 2);
    if (tlp_is_config(tlp) || tlp->type == TLP_IORD || tlp->type == TLP_IOWR) {
        tlp->attr &= (uint8_t)~TLP_ATTR_IDO; /* Attr[2] is reserved here (2.2.7): not looked at */
    }
    tlp->at = tlp_is_message(tlp) || tlp_is_completion(tlp) ? 0 : FIELD_GET(BYTE2_AT, bytes[2]);
    tlp->td = bytes[2] & BYTE2_TD;
    tlp->ep = bytes[2] & BYTE2_EP;
    /* Reserved elsewhere (2.2.1.1, 10.2.2): not looked at. */
    tlp->th =
        may_have_hints(tlp->type) && !tlp_is_translation_request(tlp) && (bytes[1] & BYTE1_TH);
    tlp->tag = (uint16_t)(FIELD_GET(BYTE1_T9, bytes[1]) << 9 | FIELD_GET(BYTE1_T8, bytes[1]) << 8);
    if (!tlp_is_completion(tlp)) {
        decode_request(tlp, bytes, header);
        return;
    }
    tlp->completer.v = (uint16_t)be_load(bytes + 4, 2);
    tlp->status = bytes[6] >> 5;
    tlp->bcm = bytes[6] & 0x10;
    tlp->byte_count = be_load(bytes + 6, 2) & 0xfff;
    if (!tlp->byte_count) {
        tlp->byte_count = 4096;
    }
    tlp->requester.v = (uint16_t)be_load(bytes + 8, 2);
    tlp->tag |= bytes[10];
    tlp->lower_addr = bytes[11] & 0x7f;
}

static bool prefix_known(uint8_t byte0)
{
    static const uint8_t known[] = {
        TLP_PREFIX_MR_IOV, TLP_PREFIX_VENDOR_L0, TLP_PREFIX_VENDOR_L1, TLP_PREFIX_TPH,
        TLP_PREFIX_PASID,  TLP_PREFIX_VENDOR_E0, TLP_PREFIX_VENDOR_E1,
    };

    return memchr(known, byte0, sizeof(known)) != NULL;
}

/* How many prefixes come first, or -1 where they are no valid ones: local after end-end (2.2.10),
 * types that are reserved, more than there may be. */
static int decode_prefixes(const uint8_t *bytes, size_t len, uint32_t prefix[TLP_PREFIX_MAX])
{
    unsigned count = 0, end_end = 0;

    for (; len >= PREFIX_BYTES && (bytes[0] & PREFIX_MASK) == PREFIX_FMT; len -= PREFIX_BYTES) {
        bool is_end_end = bytes[0] & TLP_PREFIX_END_END;

        end_end += is_end_end;
        if (count == TLP_PREFIX_MAX || end_end > TLP_END_END_MAX || (end_end && !is_end_end) ||
            !prefix_known(bytes[0])) {
            return -1;
        }
        prefix[count++] = (uint32_t)be_load(bytes, PREFIX_BYTES);
        bytes += PREFIX_BYTES;
    }
    return (int)count;
}

/* A TLP without its prefixes. */
static struct tlp *decode_bare(struct tlp_pool *pool, const uint8_t *bytes, size_t len)
{
    enum tlp_type type;
    unsigned header, length_dw, payload_dw;
    struct tlp *tlp;

    if (len < 12) {
        return NULL;
    }
    type = decode_type(bytes[0]);
    if (type == TLP_TYPE_COUNT) {
        return NULL;
    }
    header = bytes[0] & FMT_4DW ? 16 : 12;
    length_dw = (bytes[2] & BYTE2_LEN) << 8 | bytes[3];
    length_dw = length_dw ? length_dw : TLP_MAX_PAYLOAD_DW;
    payload_dw = bytes[0] & FMT_DATA ? length_dw : 0;
    if (len != header + payload_dw * 4 + (bytes[2] & BYTE2_TD ? DIGEST_BYTES : 0)) {
        return NULL;
    }
    tlp = tlp_new(pool, type, payload_dw);
    /* 2.2.8, 2.2.9: Length is reserved where neither data nor a request for data needs it. */
    tlp->length_dw = (uint16_t)(payload_dw || type < TLP_MSG ? length_dw : 0);
    decode_header(tlp, bytes, header);
    if (payload_dw) {
        memcpy(tlp->data, bytes + header, payload_dw * 4);
    }
    return tlp;
}

struct tlp *tlp_decode(struct tlp_pool *pool, const uint8_t *bytes, size_t len)
{
    uint32_t prefix[TLP_PREFIX_MAX];
    int count = decode_prefixes(bytes, len, prefix);
    struct tlp *tlp;

    if (count < 0) {
        return NULL;
    }
    tlp = decode_bare(pool, bytes + count * PREFIX_BYTES, len - (size_t)count * PREFIX_BYTES);
    if (!tlp) {
        return NULL;
    }
    tlp->prefix_count = (uint8_t)count;
    memcpy(tlp->prefix, prefix, (size_t)count * sizeof(prefix[0]));
    if (tlp_malformed(tlp)) {
        tlp_free(tlp);
        return NULL;
    }
    return tlp;
}

/* Enables without a gap from the edge inwards: what 2.2.5 asks of longer requests. */
static bool enables_contiguous(unsigned first, unsigned last)
{
    return (first == 0xf || first == 0xe || first == 0xc || first == 0x8) &&
           (last == 0xf || last == 0x7 || last == 0x3 || last == 0x1);
}

static const char *malformed_memory(const struct tlp *tlp)
{
    if (tlp->length_dw < 1 || tlp->length_dw > TLP_MAX_PAYLOAD_DW) {
        return "2.2.2 length";
    }
    if ((tlp->addr & (PAGE_BYTES - 1)) + tlp->length_dw * 4u > PAGE_BYTES &&
        !tlp_flawed(tlp, FLAW_MALFORMED_PAGE)) {
        return "2.2.7 request crosses a 4 KiB boundary";
    }
    if (tlp->length_dw == 1) {
        return tlp->last_be && !tlp_flawed(tlp, FLAW_MALFORMED_LAST)
                   ? "2.2.5 last enables of a single doubleword"
                   : NULL;
    }
    if ((!tlp->first_be || !tlp->last_be) && !tlp_flawed(tlp, FLAW_MALFORMED_EDGE)) {
        return "2.2.5 no enables at an edge";
    }
    if ((tlp->length_dw > 2 || tlp->addr & 4) && !enables_contiguous(tlp->first_be, tlp->last_be) &&
        !tlp_flawed(tlp, FLAW_MALFORMED_HOLES)) {
        return "2.2.5 enables are not contiguous";
    }
    return NULL;
}

/* 2.2.7: the operand sizes that there are, at addresses that are multiples of them. */
static const char *malformed_atomic(const struct tlp *tlp)
{
    unsigned dw = tlp->length_dw;
    bool cas = tlp->type == TLP_CAS;

    if (cas ? dw != 2 && dw != 4 && dw != 8 : dw != 1 && dw != 2) {
        return "2.2.7 AtomicOp of no architected size";
    }
    return tlp->addr & (tlp_operand_bytes(tlp) - 1) ? "2.2.7 AtomicOp that is not aligned" : NULL;
}

static const char *malformed_prefixes(const struct tlp *tlp)
{
    bool end_end = false;

    for (unsigned i = 0; i < tlp->prefix_count; i++) {
        bool is_end_end = tlp->prefix[i] >> 24 & TLP_PREFIX_END_END;

        if (end_end && !is_end_end) {
            return "2.2.10 local TLP prefix after an end-end one";
        }
        end_end = is_end_end;
    }
    return tlp_end_end_prefixes(tlp) > TLP_END_END_MAX ? "2.2.10.2 more than 4 end-end prefixes"
                                                       : NULL;
}

const char *tlp_malformed(const struct tlp *tlp)
{
    const char *why = tlp->prefix_count ? malformed_prefixes(tlp) : NULL;

    if (why) {
        return why;
    }
    if (tlp_is_atomic(tlp)) {
        return malformed_atomic(tlp);
    }
    if (tlp->type == TLP_DMWR && tlp->length_dw > TLP_DMWR_MAX_DW) {
        return "6.32 Deferrable Memory Write of more than 128 bytes";
    }
    if (tlp_is_memory(tlp)) {
        return malformed_memory(tlp);
    }
    if (tlp->type <= TLP_CFGWR1) {
        if (tlp->length_dw != 1 || tlp->last_be) {
            return "2.2.7 I/O and configuration requests have one doubleword";
        }
        if ((tlp->tc || tlp->attr || tlp->at) && !tlp_flawed(tlp, FLAW_MALFORMED_TC)) {
            return "2.2.7 I/O and configuration requests have TC, attributes and AT 0";
        }
        return tlp->addr >> 32 ? "2.2.7 I/O addresses have 32 bits" : NULL;
    }
    if (tlp_is_message(tlp)) {
        return tlp->msg_routing > TLP_MSG_GATHERED ? "2.2.8 reserved routing" : NULL;
    }
    if (tlp->byte_count < 1 || tlp->byte_count > 4096) {
        return "2.2.9 byte count";
    }
    return NULL;
}
