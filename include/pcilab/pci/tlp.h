/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Transaction Layer Packets (PCI Express Base Specification 6.0, chapter 2), decoded.
 *
 * A TLP has one owner at a time: whoever created or received it either passes it on or frees it.
 * TLPs and their payloads come from a pool; steady traffic allocates nothing.
 */
#ifndef PCILAB_PCI_TLP_H
#define PCILAB_PCI_TLP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pcilab/base/flaw.h"

/* Bus, device and function number of one segment: bus 15:8, device 7:3, function 2:0 (or, with
 * ARI, function 7:0). */
struct pci_rid {
    uint16_t v;
};

static inline struct pci_rid pci_rid_make(unsigned bus, unsigned device, unsigned function)
{
    return (struct pci_rid){(uint16_t)(bus << 8 | device << 3 | function)};
}

static inline unsigned pci_rid_bus(struct pci_rid rid)
{
    return rid.v >> 8;
}

static inline unsigned pci_rid_devfn(struct pci_rid rid)
{
    return rid.v & 0xff;
}

static inline unsigned pci_rid_device(struct pci_rid rid)
{
    return rid.v >> 3 & 0x1f;
}

/* 2.2.1, table 2-3. Requests by memory address come first, completions last: see the predicates
 * below rather than compare. */
enum tlp_type {
    TLP_MRD,
    TLP_MRDLK,
    TLP_MWR,
    TLP_DMWR, /* Deferrable Memory Write (6.32): non-posted */
    TLP_FETCHADD,
    TLP_SWAP,
    TLP_CAS,
    TLP_IORD,
    TLP_IOWR,
    TLP_CFGRD0,
    TLP_CFGWR0,
    TLP_CFGRD1,
    TLP_CFGWR1,
    TLP_MSG,
    TLP_MSGD,
    TLP_CPL,
    TLP_CPLD,
    TLP_CPLLK, /* of locked reads */
    TLP_CPLDLK,
    TLP_TYPE_COUNT
};

/* 2.2.9.1 */
enum tlp_status {
    TLP_SC = 0,
    TLP_UR = 1,
    TLP_RRS = 2,
    TLP_CA = 4,
};

/* 2.2.8, table 2-20 */
enum tlp_msg_routing {
    TLP_MSG_TO_RC = 0,
    TLP_MSG_BY_ADDRESS = 1,
    TLP_MSG_BY_ID = 2,
    TLP_MSG_BROADCAST = 3,
    TLP_MSG_LOCAL = 4,
    TLP_MSG_GATHERED = 5,
};

/* 2.2.8: message codes in use */
enum tlp_msg_code {
    TLP_MSG_INVALIDATE = 0x01, /* 10.3.1; the rest of chapter 10 follows */
    TLP_MSG_INVALIDATE_DONE = 0x02,
    TLP_MSG_PAGE_REQUEST = 0x04,
    TLP_MSG_PAGE_RESPONSE = 0x05,
    TLP_MSG_ASSERT_INTA = 0x20, /* INTB, INTC, INTD follow */
    TLP_MSG_DEASSERT_INTA = 0x24,
    TLP_MSG_LTR = 0x10,
    TLP_MSG_PM_ACTIVE_STATE_NAK = 0x14,
    TLP_MSG_PM_PME = 0x18,
    TLP_MSG_PME_TURN_OFF = 0x19,
    TLP_MSG_PME_TO_ACK = 0x1b,
    TLP_MSG_ERR_COR = 0x30,
    TLP_MSG_ERR_NONFATAL = 0x31,
    TLP_MSG_ERR_FATAL = 0x33,
    TLP_MSG_SET_SLOT_POWER_LIMIT = 0x50,
    TLP_MSG_PTM_REQUEST = 0x52,
    TLP_MSG_PTM_RESPONSE = 0x53,
    TLP_MSG_VENDOR_0 = 0x7e,
    TLP_MSG_VENDOR_1 = 0x7f,
};

/* 2.2.10: the first byte of a TLP prefix. Local ones count for one link; end-end ones (bit 4) stay
 * with the TLP all the way. */
enum tlp_prefix_type {
    TLP_PREFIX_MR_IOV = 0x80,
    TLP_PREFIX_VENDOR_L0 = 0x8e,
    TLP_PREFIX_VENDOR_L1 = 0x8f,
    TLP_PREFIX_TPH = 0x90,   /* byte 1: bits 15:8 of the steering tag (2.2.7.1.2) */
    TLP_PREFIX_PASID = 0x91, /* 6.20.1: bit 21 privileged, 20 execute, 19:0 the PASID */
    TLP_PREFIX_VENDOR_E0 = 0x9e,
    TLP_PREFIX_VENDOR_E1 = 0x9f,
    TLP_PREFIX_END_END = 0x10,
};

/* Address types, 10.2.1. */
enum { TLP_AT_UNTRANSLATED = 0, TLP_AT_REQUEST = 1, TLP_AT_TRANSLATED = 2 };

enum {
    TLP_ATTR_NO_SNOOP = 1, /* attributes as in the header: bit 0 NS, 1 RO, 2 IDO */
    TLP_ATTR_RELAXED = 2,
    TLP_ATTR_IDO = 4,
};

#define TLP_MAX_PAYLOAD_DW 1024
#define TLP_INLINE_DW      32
#define TLP_PREFIX_MAX     8  /* of which at most TLP_END_END_MAX are end-end prefixes */
#define TLP_END_END_MAX    4  /* 7.5.3.15 */
#define TLP_DMWR_MAX_DW    32 /* 6.32: 128 bytes */

struct tlp_pool;
struct tlp;

/* The fabric's part of a TLP: the receive buffer that it occupies, and its place in a queue. */
struct tlp_hold {
    void (*release)(struct tlp *tlp); /* NULL: none */
    void *owner;
    uint64_t order;
    uint16_t data; /* credits */
    uint8_t flow;
};

struct tlp {
    struct tlp *next; /* for the owner: queues and free lists */
    struct tlp_pool *pool;

    uint8_t type; /* enum tlp_type */
    uint8_t tc;
    uint8_t attr;
    uint8_t at; /* TLP_AT_* */
    bool nw;    /* of translation requests: No Write (10.2.2.2) */
    bool ep;    /* poisoned */
    bool td;    /* TLP digest (ECRC) present: `ecrc` */
    bool th;    /* TLP processing hints (2.2.7.1): ph and st are valid */
    uint8_t ph, st;
    uint8_t prefix_count;

    uint8_t first_be, last_be; /* AtomicOps have none: 0 */
    uint16_t length_dw; /* 1 to 1024 as requested or carried; 0 only where there is no payload
                           and no length (Cpl, CplLk, Msg) */
    uint16_t tag;
    struct pci_rid requester;

    uint64_t addr;       /* Mem, I/O, messages routed by address; bits 1:0 clear */
    struct pci_rid dest; /* Cfg, messages routed by ID: where to */
    uint16_t reg;        /* Cfg: byte offset of the doubleword in configuration space */

    uint8_t msg_code, msg_routing;
    uint64_t msg_bytes_8_15; /* header bytes 8 to 15 of a message, big-endian as in the header */

    struct pci_rid completer; /* completions */
    uint8_t status;           /* enum tlp_status */
    bool bcm;
    uint16_t byte_count; /* 1 to 4096 */
    uint8_t lower_addr;  /* 0 to 127 */

    struct tlp_hold hold;
    uint32_t ecrc;     /* the digest, where td is set */
    bool lcrc_wrong;   /* a fault: the link's check of it fails when it is first sent */
    bool length_wrong; /* a fault: the payload is not as long as Length says (2.2.2) */
    uint16_t ingress;  /* for the component that has it: one more than the port it came in by */
    /* A burst: a memory write that stands for several, one behind the other, each up to the next
     * multiple of so many bytes (0: a TLP like any other), and how many those are beyond one. */
    uint16_t burst_bytes, burst_more;

    uint8_t *data; /* length_dw * 4 bytes, or NULL; inline below or from the pool */
    uint8_t *big;  /* the pool's buffer, when the payload does not fit inline */
    uint32_t prefix[TLP_PREFIX_MAX]; /* prefix_count of them as on the wire, most significant byte
                                        first: local ones, then end-end ones */
    _Alignas(8) uint8_t inline_data[TLP_INLINE_DW * 4];
};

struct tlp_pool *tlp_pool_new(void);
/* All TLPs must have come back. */
void tlp_pool_free(struct tlp_pool *pool);
/* Of the machine whose TLPs they are; not owned. */
void tlp_pool_set_flaws(struct tlp_pool *pool, const struct flaws *flaws);
/* Has that machine the flaw? For places that are reached now and then. */
bool tlp_flawed(const struct tlp *tlp, enum flaw flaw);
/* TLPs now in flight, and heap allocations made so far. */
unsigned tlp_pool_live(const struct tlp_pool *pool);
uint64_t tlp_pool_allocations(const struct tlp_pool *pool);

/* A zeroed TLP of the type with room for payload_dw doublewords (data is NULL for 0), which must be
 * 0 exactly for the types that carry none. length_dw is payload_dw, or 1 for I/O and configuration
 * reads. */
struct tlp *tlp_new(struct tlp_pool *pool, enum tlp_type type, unsigned payload_dw);
void tlp_free(struct tlp *tlp);

/* It no longer occupies a receive buffer; freeing it has the same effect. */
static inline void tlp_leave_buffer(struct tlp *tlp)
{
    if (tlp->hold.release)
        tlp->hold.release(tlp);
}

/* Everything that is routed by a memory address but messages. */
static inline bool tlp_is_memory(const struct tlp *tlp)
{
    return tlp->type <= TLP_CAS;
}

/* 10.2.2 */
static inline bool tlp_is_translation_request(const struct tlp *tlp)
{
    return tlp->type == TLP_MRD && tlp->at == TLP_AT_REQUEST;
}

static inline bool tlp_is_atomic(const struct tlp *tlp)
{
    return tlp->type >= TLP_FETCHADD && tlp->type <= TLP_CAS;
}

static inline bool tlp_is_completion(const struct tlp *tlp)
{
    return tlp->type >= TLP_CPL;
}

static inline bool tlp_is_message(const struct tlp *tlp)
{
    return tlp->type == TLP_MSG || tlp->type == TLP_MSGD;
}

static inline bool tlp_is_posted(const struct tlp *tlp)
{
    return tlp->type == TLP_MWR || tlp_is_message(tlp);
}

static inline bool tlp_is_config(const struct tlp *tlp)
{
    return tlp->type >= TLP_CFGRD0 && tlp->type <= TLP_CFGWR1;
}

/* Completion for a non-posted request, with routing fields, TC and attributes filled in from it,
 * and Byte Count and Lower Address as the only or first completion has them (2.2.9). The status
 * decides nothing here; payload_dw 0 makes a Cpl, else a CplD; the locked kinds for a locked read.
 */
struct tlp *tlp_new_completion(const struct tlp *request, struct pci_rid completer,
                               enum tlp_status status, unsigned payload_dw);

/* Bytes of an AtomicOp's operand: 4, 8 or 16 (2.2.7); what it reads and writes. */
unsigned tlp_operand_bytes(const struct tlp *tlp);
/* What an AtomicOp leaves where `old` was: tlp_operand_bytes() each (6.15.1). False when it leaves
 * that as it is: CAS with another value there. */
bool tlp_atomic_result(const struct tlp *tlp, const uint8_t *old, uint8_t *result);

/* The first prefix of a type, or NULL. */
static inline const uint32_t *tlp_find_prefix(const struct tlp *tlp, enum tlp_prefix_type type)
{
    for (unsigned i = 0; i < tlp->prefix_count; i++) {
        if (tlp->prefix[i] >> 24 == type)
            return &tlp->prefix[i];
    }
    return NULL;
}
/* Appends a prefix: its first byte is its type. Local prefixes come before end-end ones. False when
 * there is no room for it. */
bool tlp_add_prefix(struct tlp *tlp, uint32_t prefix);
unsigned tlp_end_end_prefixes(const struct tlp *tlp);

/* 6.20.1 */
struct tlp_pasid {
    uint32_t pasid; /* 20 bits */
    bool privileged, execute;
};
/* The PASID prefix of a TLP; false when it has none. */
bool tlp_get_pasid(const struct tlp *tlp, struct tlp_pasid *out);
/* Gives the TLP a PASID prefix, or changes the one that it has. */
void tlp_set_pasid(struct tlp *tlp, const struct tlp_pasid *pasid);
/* Takes it away, if there is one; an ECRC follows. */
void tlp_drop_pasid(struct tlp *tlp);
/* The steering tag, of 8 or with a TPH prefix 16 bits; valid with `th`. */
unsigned tlp_steering_tag(const struct tlp *tlp);

/* The bytes that a memory or I/O request touches: first byte's address and length by its byte
 * enables (2.2.5), of an AtomicOp its operand; false where nothing is enabled (a zero-length read
 * or write). Non-contiguous enables (allowed for one or two doublewords) span from the first to the
 * last enabled byte. */
bool tlp_span(const struct tlp *tlp, uint64_t *addr, unsigned *len);
/* True when byte i of the span [addr, addr+len) is enabled. */
bool tlp_byte_enabled(const struct tlp *tlp, uint64_t addr);

/* How many TLPs it stands for. */
static inline unsigned tlp_count(const struct tlp *tlp)
{
    return 1u + tlp->burst_more;
}

/* Makes a memory write, whose span is set, a burst of TLPs that end at multiples of `bytes`, a
 * power of two; where one is enough it stays what it is. Nothing but payload, address, byte enables
 * and requester may distinguish it from a new TLP: a burst has no digest, prefix or poison. */
void tlp_make_burst(struct tlp *tlp, unsigned bytes);
/* The burst's first TLP, which leaves it; the last one is *burst itself, which becomes NULL. */
struct tlp *tlp_burst_take(struct tlp **burst);

/* Fills addr, length_dw, first_be, last_be for `len` bytes (1 to 4096) at any address, within 4
 * KiB. A TLP with payload keeps it: the new length is at most the one it was made with. */
void tlp_set_span(struct tlp *tlp, uint64_t addr, unsigned len);

#define TLP_HEADER_MAX 16
#define TLP_HEAD_MAX   (TLP_PREFIX_MAX * 4 + TLP_HEADER_MAX)
/* Wire header without prefixes, big-endian as transmitted (2.2.1); returns its length, 12 or 16. */
unsigned tlp_encode_header(const struct tlp *tlp, uint8_t out[TLP_HEADER_MAX]);
/* Prefixes and header as on the wire; returns their length. */
unsigned tlp_encode_head(const struct tlp *tlp, uint8_t out[TLP_HEAD_MAX]);
/* Prefixes, header, payload and, where TD is set, the digest (which is skipped: whoever checks ECRC
 * does so on the bytes), `len` bytes in all, into a new TLP; NULL when it is no valid TLP of a
 * known type. */
struct tlp *tlp_decode(struct tlp_pool *pool, const uint8_t *bytes, size_t len);
/* The rule of PCIe Base 6.0, 2.2 that makes it a Malformed TLP, as a clause and words; NULL when it
 * is well formed. What depends on the receiver (Max_Payload_Size, TC mapping) is not judged here.
 */
const char *tlp_malformed(const struct tlp *tlp);
/* The ECRC of a TLP as it is now (2.7.1); giving it one; whether the one that it has is right. */
uint32_t tlp_ecrc(const struct tlp *tlp);
void tlp_add_ecrc(struct tlp *tlp);
bool tlp_ecrc_good(const struct tlp *tlp);
/* "MWr 64 00:02.0 tag 5 addr 0x... len 16 ..." for people. */
void tlp_describe(const struct tlp *tlp, char *out, size_t out_len);
const char *tlp_type_name(enum tlp_type type);

#endif
