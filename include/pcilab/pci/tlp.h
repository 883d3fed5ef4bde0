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

/* 2.2.1, table 2-3. Room is left for AtomicOps and Deferrable Memory Writes. */
enum tlp_type {
    TLP_MRD,
    TLP_MRDLK,
    TLP_MWR,
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
    TLP_MSG_ASSERT_INTA = 0x20, /* INTB, INTC, INTD follow */
    TLP_MSG_DEASSERT_INTA = 0x24,
    TLP_MSG_PM_ACTIVE_STATE_NAK = 0x14,
    TLP_MSG_PM_PME = 0x18,
    TLP_MSG_PME_TURN_OFF = 0x19,
    TLP_MSG_PME_TO_ACK = 0x1b,
    TLP_MSG_ERR_COR = 0x30,
    TLP_MSG_ERR_NONFATAL = 0x31,
    TLP_MSG_ERR_FATAL = 0x33,
    TLP_MSG_SET_SLOT_POWER_LIMIT = 0x50,
    TLP_MSG_VENDOR_0 = 0x7e,
    TLP_MSG_VENDOR_1 = 0x7f,
};

enum {
    TLP_ATTR_NO_SNOOP = 1, /* attributes as in the header: bit 0 NS, 1 RO, 2 IDO */
    TLP_ATTR_RELAXED = 2,
    TLP_ATTR_IDO = 4,
};

#define TLP_MAX_PAYLOAD_DW 1024
#define TLP_INLINE_DW      32

struct tlp_pool;

struct tlp {
    struct tlp *next; /* for the owner: queues and free lists */
    struct tlp_pool *pool;

    uint8_t type; /* enum tlp_type */
    uint8_t tc;
    uint8_t attr;
    uint8_t at; /* address type, 10.2.1: 0 untranslated, 1 translation request, 2 translated */
    bool ep;    /* poisoned */
    bool td;    /* TLP digest (ECRC) present */
    bool th;    /* TLP processing hints (2.2.7.1): ph and st are valid */
    uint8_t ph, st;

    uint8_t first_be, last_be;
    uint16_t length_dw; /* 1 to 1024 as requested or carried; 0 only where there is no payload and
                           no length (Cpl, Msg) */
    uint16_t tag;
    struct pci_rid requester;

    uint64_t addr;       /* Mem, I/O, messages routed by address; bits 1:0 clear */
    struct pci_rid dest; /* Cfg, messages routed by ID: where to */
    uint16_t reg;        /* Cfg: byte offset of the doubleword in configuration space */

    uint8_t msg_code, msg_routing;
    uint64_t msg_bytes_8_15; /* header bytes 8 to 15 of a message, big-endian as in the header */

    struct pci_rid completer; /* Cpl, CplD */
    uint8_t status;           /* enum tlp_status */
    bool bcm;
    uint16_t byte_count; /* 1 to 4096 */
    uint8_t lower_addr;  /* 0 to 127 */

    uint8_t *data; /* length_dw * 4 bytes, or NULL; inline below or from the pool */
    uint8_t *big;  /* the pool's buffer, when the payload does not fit inline */
    _Alignas(8) uint8_t inline_data[TLP_INLINE_DW * 4];
};

struct tlp_pool *tlp_pool_new(void);
/* All TLPs must have come back. */
void tlp_pool_free(struct tlp_pool *pool);
/* TLPs now in flight, and heap allocations made so far. */
unsigned tlp_pool_live(const struct tlp_pool *pool);
uint64_t tlp_pool_allocations(const struct tlp_pool *pool);

/* A zeroed TLP of the type with room for payload_dw doublewords (data is NULL for 0), which must be
 * 0 exactly for the types that carry none. length_dw is payload_dw, or 1 for I/O and configuration
 * reads. */
struct tlp *tlp_new(struct tlp_pool *pool, enum tlp_type type, unsigned payload_dw);
void tlp_free(struct tlp *tlp);

static inline bool tlp_is_completion(const struct tlp *tlp)
{
    return tlp->type == TLP_CPL || tlp->type == TLP_CPLD;
}

static inline bool tlp_is_posted(const struct tlp *tlp)
{
    return tlp->type == TLP_MWR || tlp->type == TLP_MSG || tlp->type == TLP_MSGD;
}

static inline bool tlp_is_config(const struct tlp *tlp)
{
    return tlp->type >= TLP_CFGRD0 && tlp->type <= TLP_CFGWR1;
}

/* Completion for a non-posted request, with routing fields, TC and attributes filled in from it,
 * and Byte Count and Lower Address as the only or first completion has them (2.2.9). The status
 * decides nothing here; payload_dw 0 makes a Cpl, else a CplD. */
struct tlp *tlp_new_completion(const struct tlp *request, struct pci_rid completer,
                               enum tlp_status status, unsigned payload_dw);

/* The bytes that a memory or I/O request touches: first byte's address and length by its byte
 * enables (2.2.5); false where nothing is enabled (a zero-length read or write). Non-contiguous
 * enables (allowed for one or two doublewords) span from the first to the last enabled byte. */
bool tlp_span(const struct tlp *tlp, uint64_t *addr, unsigned *len);
/* True when byte i of the span [addr, addr+len) is enabled. */
bool tlp_byte_enabled(const struct tlp *tlp, uint64_t addr);

/* Fills addr, length_dw, first_be, last_be for `len` bytes (1 to 4096) at any address, within 4
 * KiB. A TLP with payload keeps it: the new length is at most the one it was made with. */
void tlp_set_span(struct tlp *tlp, uint64_t addr, unsigned len);

#define TLP_HEADER_MAX 16
/* Wire header, big-endian as transmitted (2.2.1); returns its length, 12 or 16. */
unsigned tlp_encode_header(const struct tlp *tlp, uint8_t out[TLP_HEADER_MAX]);
/* Header, payload and, where TD is set, the digest (which is skipped: whoever checks ECRC does so
 * on the bytes), `len` bytes in all, into a new TLP; NULL when it is no valid TLP of a known type.
 */
struct tlp *tlp_decode(struct tlp_pool *pool, const uint8_t *bytes, size_t len);
/* The rule of PCIe Base 6.0, 2.2 that makes it a Malformed TLP, as a clause and words; NULL when it
 * is well formed. What depends on the receiver (Max_Payload_Size, TC mapping) is not judged here.
 */
const char *tlp_malformed(const struct tlp *tlp);
/* "MWr 64 00:02.0 tag 5 addr 0x... len 16 ..." for people. */
void tlp_describe(const struct tlp *tlp, char *out, size_t out_len);
const char *tlp_type_name(enum tlp_type type);

#endif
