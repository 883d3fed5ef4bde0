/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PCI Express root complex as the host sees it: one host bridge with its segment, its bus
 * numbers and its windows; root ports and integrated endpoints on its root bus.
 *
 * Downwards it turns host requests (loads, stores, configuration) into TLPs and answers them
 * asynchronously; upwards it takes TLPs from root ports, has memory requests translated, and
 * gives them to host memory, to the interrupt controller or to another root port.
 */
#ifndef PCILAB_ROOT_ROOT_H
#define PCILAB_ROOT_ROOT_H

#include "pcilab/fabric/fabric.h"
#include "pcilab/pci/function.h"

struct root_complex;
struct root_port;

struct root_host_ops {
    /* Host memory; false where there is none at [gpa, gpa + len): becomes UR, unless a root port's
     * windows or an integrated endpoint claim the address. */
    bool (*mem_read)(void *opaque, uint64_t gpa, void *data, unsigned len);
    bool (*mem_write)(void *opaque, uint64_t gpa, const void *data, unsigned len);
    /* A memory write to the interrupt range 0xFEE00000-0xFEEFFFFF (Intel SDM vol. 3, 11.11). */
    void (*msi)(void *opaque, uint64_t addr, uint32_t data);
    /* One of the root complex's four INTx lines changed level; line is 0 to 3 after swizzling by
     * device number: (device + pin - 1) % 4. */
    void (*intx)(void *opaque, unsigned line, bool level);
    /* A root port or event collector signals a System Error (PCIe Base 6.0, 7.5.3.12); may be
     * NULL. */
    void (*system_error)(void *opaque);
};

/*
 * The abstract translator (an IOMMU's root-complex side). NULL: untranslated. It answers at once
 * or later, exactly once, by root_translated(); an interrupt message it may instead deliver itself
 * and free.
 */
struct root_translator {
    void (*translate)(void *opaque, struct root_complex *rc, struct tlp *request);
    /* All TLPs of a burst, as if each had been answered with success by now: gives the burst its
     * address; or false, nothing happened, and they are to come one by one. NULL: false. */
    bool (*translate_burst)(void *opaque, struct tlp *burst);
    /* A message of Address Translation Services: an Invalidate Completion or a Page Request. It
     * stays the root complex's. False, or NULL: not supported. */
    bool (*message)(void *opaque, struct root_complex *rc, const struct tlp *tlp);
    void *opaque;
};

struct root_params {
    const char *name;
    uint16_t segment;
    uint8_t bus_first, bus_last;
    bool hidden; /* no function 00.0 of its own; something can then be integrated there */
    const struct root_host_ops *host;
    void *opaque;
};

enum root_request_kind {
    ROOT_MEM_READ,
    ROOT_MEM_WRITE,
    ROOT_IO_READ,
    ROOT_IO_WRITE,
    ROOT_CFG_READ, /* addr: bus << 20 | device << 15 | function << 12 | register, as in ECAM */
    ROOT_CFG_WRITE,
    ROOT_MEM_ENQUEUE, /* a Deferrable Memory Write (PCIe Base 6.0, 6.32): done() gets TLP_RRS too */
};

/* A host request; embedded in the caller's state, valid until done(). Memory accesses are up to
 * 64 bytes and do not cross 4 KiB; I/O and configuration up to 4 and do not cross a doubleword.
 * Reads that fail return all ones in data; done() then gets what failed them (TLP_UR also for a
 * completion timeout or a poisoned completion). Memory writes are posted: done() means sent.
 * done() is never called from inside root_submit(). Bus numbers outside the root complex's range
 * are UR. */
struct root_request {
    enum root_request_kind kind;
    unsigned size_bytes;
    uint64_t addr;
    uint8_t data[64];
    void (*done)(struct root_request *request, enum tlp_status status);
    void *opaque;
    struct root_request *next; /* private */
    enum tlp_status status;    /* private */
    uint64_t give_up_ps;       /* private: since it was first to be retried; 0: it was not */
};

struct root_complex *root_complex_new(struct fabric *fabric, const struct root_params *params);
void root_complex_free(struct root_complex *rc);
/* Power-on. Outstanding host requests are forgotten without done(). Reset the root complexes and
 * everything below in any order; links train again with each. */
void root_complex_reset(struct root_complex *rc);
void root_complex_set_translator(struct root_complex *rc, const struct root_translator *translator);
/* The translator's answer: the request with its address translated, or `ok` false: it gets UR
 * (non-posted) or is dropped, and the translator has recorded why. */
void root_translated(struct root_complex *rc, struct tlp *request, bool ok);
/* A message routed by ID, in the root complex's name: its requester becomes the host bridge. */
void root_send_message(struct root_complex *rc, struct tlp *tlp);
/* Answers a request that the translator keeps: a completion, or NULL when there was no answer to
 * be given any more. */
void root_answer(struct root_complex *rc, struct tlp *request, struct tlp *completion);
/* A write of one doubleword in the interrupt range, without a PASID: a message, not memory. */
bool root_is_interrupt(const struct tlp *tlp);

void root_submit(struct root_complex *rc, struct root_request *request);
/* A memory request that a function of the root complex makes out of nothing, past all rules of
 * pcilab/fabric/inject.h. Ownership passes. */
void root_emit(struct root_complex *rc, struct tlp *tlp);

struct root_port_params {
    const char *name;
    uint8_t device, function;
    struct pcie_params pcie;
    struct pci_ids ids; /* zero vendor: the default root port */
    bool msi;           /* MSI capability, for PME and later services */
};
/* Ports and integrated functions are owned by the root complex. */
struct root_port *root_port_add(struct root_complex *rc, const struct root_port_params *params);
struct port *root_port_link(struct root_port *rp);
struct pci_func *root_port_func(struct root_port *rp);
/* An event collector at function 0 of a device, before anything is integrated: it takes the
 * messages of integrated endpoints that were built for that (struct pcie_params, `collected`). */
void root_collector_add(struct root_complex *rc, unsigned device);
struct pci_func *root_collector_func(struct root_complex *rc); /* NULL: none */
/* An integrated endpoint: `port` is its upstream-facing port, reached without a link. The device
 * number is 1 to 31 and has no root port. Call it after the endpoint's functions are ready. */
void root_integrate(struct root_complex *rc, struct port *port, unsigned device);

#endif
