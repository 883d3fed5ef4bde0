/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PCI function: 4 KiB of configuration space (PCIe Base 6.0, 7.5), its BARs, its capabilities.
 *
 * A function knows nothing of ports: whoever owns it (an endpoint, a root port, a switch port)
 * hands it configuration accesses and asks it what it decodes. Capabilities are placed while the
 * machine is built, in the order in which they should be found; each is one cap_*.c.
 */
#ifndef PCILAB_PCI_FUNCTION_H
#define PCILAB_PCI_FUNCTION_H

#include "pcilab/base/flaw.h"
#include "pcilab/pci/power.h"
#include "pcilab/pci/tlp.h"
#include "pcilab/reg/reg.h"

enum pci_header {
    PCI_HEADER_TYPE0 = 0,
    PCI_HEADER_TYPE1 = 1,
};

enum pci_bar_kind {
    PCI_BAR_NONE,
    PCI_BAR_IO,
    PCI_BAR_MEM32,
    PCI_BAR_MEM64,      /* takes two BARs */
    PCI_BAR_MEM64_PREF, /* takes two BARs */
};

#define PCI_BAR_COUNT 6
#define PCI_ROM_BAR   6 /* index of the expansion ROM where one exists */

struct pci_bar {
    enum pci_bar_kind kind;
    uint64_t size; /* a power of two; memory at least 128 bytes, I/O 4 to 256 */
    uint64_t used; /* of Virtual Functions: what the device has; `size` grows with the page size */
    bool mapped; /* Command, D0 (and ROM enable), and not all ones; kept up to date by the engine */
    uint64_t addr;
};

struct pci_ids {
    uint16_t vendor, device;
    uint16_t subvendor, subdevice; /* type 1: go to the subsystem capability */
    uint32_t class_code;           /* 24 bits: base, sub, interface */
    uint8_t revision;
};

/* Windows of a type 1 header as now programmed; base > limit: closed. Bus Master, Memory Space and
 * I/O Space Enable are not part of it. */
struct pci_bridge_windows {
    uint8_t primary, secondary, subordinate;
    uint64_t io_base, io_limit;
    uint64_t mem_base, mem_limit;
    uint64_t pref_base, pref_limit;
};

struct pci_func;
struct pci_sriov;

struct pci_func_ops {
    /* After a configuration write took effect (any offset); may be NULL. */
    void (*config_written)(struct pci_func *func, unsigned offset, unsigned len);
    /* Function Level Reset was initiated; the engine has reset configuration space. */
    void (*flr)(struct pci_func *func);
    /* A BAR was mapped, moved or unmapped; may be NULL. */
    void (*bar_changed)(struct pci_func *func, unsigned bar);
    /* Bridge Control was written (Secondary Bus Reset), or with both values equal a window or bus
     * number changed; may be NULL. */
    void (*bridge_control)(struct pci_func *func, uint16_t old_value, uint16_t new_value);
    /* MSI or MSI-X: send this message as a memory write from this function. Bus Master Enable and
     * power state have been looked at: what they forbid stays pending and is sent later. */
    void (*send_msi)(struct pci_func *func, uint64_t addr, uint32_t data);
    /* INTx: level of the function's pin changed after masks; send Assert_/Deassert_INTx. */
    void (*intx)(struct pci_func *func, bool level);
    /* Ports: Link Control was written; `retrain` when Retrain Link was among it. Whoever models
     * retraining calls pcie_link_retrained() when it is over. NULL: retraining takes no time. */
    void (*link_control)(struct pci_func *func, uint16_t old_value, uint16_t new_value,
                         bool retrain);
    /* Send this error message (TLP_MSG_ERR_*) in the function's name; the enables have been looked
     * at. NULL: it is lost. */
    void (*error_message)(struct pci_func *func, uint8_t msg_code);
    /* Physical Functions: VF Enable made Virtual Functions exist (`was` is 0) or took them away
     * (`now` is 0); may be NULL. */
    void (*vfs_changed)(struct pci_func *func, unsigned was, unsigned now);
    /* Ports: Slot Control was written, which is a command (6.7.3.2): whoever models it tells its
     * end with pcie_slot_event(PCIE_SLTSTA_COMPLETED) where the slot announces that. May be NULL.
     */
    void (*slot_control)(struct pci_func *func, uint16_t old_value, uint16_t new_value);
    /* Ports: containment begins or ends (pcilab/pci/dpc.h); may be NULL. */
    void (*contain)(struct pci_func *func, bool contain);
    /* A function with FRS has come back from D3hot and says so (pcilab/pci/readiness.h); may be
     * NULL. */
    void (*awake)(struct pci_func *func);
    /* Root ports and event collectors: an error message for which Root Control asks for a System
     * Error (7.5.3.12); may be NULL. */
    void (*system_error)(struct pci_func *func);
};

#define PCIE_PME_QUEUE 8

struct pci_func {
    char *name; /* owned */
    struct reg_space *cfg;
    enum pci_header header;
    struct pci_rid rid; /* bus number as captured from the last configuration write (2.2.6.2) */
    struct pci_bar bar[PCI_BAR_COUNT + 1];
    struct pci_bridge_windows windows; /* type 1 */
    const struct pci_func_ops *ops;
    void *owner;
    struct trace *trace;       /* or NULL */
    const struct flaws *flaws; /* of its machine, or NULL: none */

    /* Offsets of capabilities in configuration space; 0: absent. */
    uint16_t cap_pm, cap_msi, cap_msix, cap_pcie, cap_ssvid;
    uint16_t ext_dsn, ext_ari, ext_dev3, ext_aer, ext_acs, ext_sriov, ext_rcec;
    uint16_t ext_ats, ext_pri, ext_pasid, ext_dpc, ext_frs;
    uint16_t ext_l1ss, ext_ltr, ext_ptm, ext_secondary, ext_dlf, ext_phy16, ext_phy32;
    uint16_t cap_last, cap_free; /* for placing: last link, first free offset */
    uint16_t ext_last, ext_free;

    struct pci_func *pf;            /* of a Virtual Function; NULL: this is none */
    struct pcie_power_params power; /* of the link; a copy of pcie_params */
    struct pci_sriov *sriov; /* of a Physical Function that has any (pcilab/pci/sriov.h); owned */
    uint16_t vf_index;

    uint16_t command;     /* copies of what is asked per TLP */
    uint8_t power_state;  /* 0 (D0) or 3 (D3hot) */
    uint8_t pcie_type;    /* enum pcie_port_type */
    uint8_t pcie_max_mps; /* Max_Payload_Size Supported, encoded */
    bool collected;       /* an event collector takes its messages */
    uint16_t acs;         /* ACS Control, a copy */
    bool no_acs;          /* the capability is left out */
    bool acs_basic;       /* or without the ACS Enhanced Capability */
    bool ecrc_generate;   /* ECRC Generation and Check Enable, copies */
    bool ecrc_check;
    bool pri_busy;       /* Page Requests are outstanding */
    bool pri_reset;      /* the Page Request Interface was reset; whoever has requests takes note */
    struct pci_aer *aer; /* recorded headers; NULL: no Advanced Error Reporting */
    struct pci_frs *frs; /* messages in the queue of a root port; NULL: none */
    uint8_t port_events; /* interrupt conditions of a port that hold now */
    bool slot_fault;     /* the main power fault latch of a slot (6.7.1.8) */
    uint8_t pme_count;   /* PM_PME messages that wait for PME Status to be cleared */
    struct pci_rid pme_queue[PCIE_PME_QUEUE];

    uint8_t interrupt_pin; /* 0: none, 1: INTA ... */
    bool intx_wanted;      /* what the device asks for, before Interrupt Disable */
    bool intx_sent;

    /* MSI-X table and PBA: owned here, seen through a BAR of the device. */
    uint8_t *msix_table;
    uint64_t *msix_pba;
    uint16_t msix_count;
    uint8_t msix_bar;
    uint32_t msix_table_offset, msix_pba_offset;
    uint32_t msi_pending;
};

struct pci_func *pci_func_new(const char *name, enum pci_header header, const struct pci_ids *ids,
                              const struct pci_func_ops *ops, void *owner);
void pci_func_free(struct pci_func *func);

/* While building. */
void pci_func_set_bar(struct pci_func *func, unsigned bar, enum pci_bar_kind kind, uint64_t size);
void pci_func_set_multifunction(struct pci_func *func, bool multi);
void pci_func_set_interrupt_pin(struct pci_func *func, uint8_t pin);
/* Room for a capability; returns its offset, linked and with its identifier filled in. The rows'
 * offsets count from the capability's start and leave its header out: they begin at 2, those of an
 * extended capability at 4. */
unsigned pci_func_place_cap(struct pci_func *func, uint8_t id, const struct reg_def *defs,
                            unsigned count, unsigned size_bytes);
unsigned pci_func_place_ext_cap(struct pci_func *func, uint16_t id, uint8_t version,
                                const struct reg_def *defs, unsigned count, unsigned size_bytes);

/* Configuration accesses; len 1 to 4 within one doubleword. Writes capture the bus number only
 * through pci_func_capture(). */
uint32_t pci_func_config_read(struct pci_func *func, unsigned offset, unsigned len);
void pci_func_config_write(struct pci_func *func, unsigned offset, unsigned len, uint32_t value);
void pci_func_capture(struct pci_func *func, unsigned bus, unsigned device);

/* Configuration space, MSI-X table and interrupt state. A level that was sent by ops->intx is taken
 * back through it only by a Function Level Reset; otherwise whoever resets knows (2.2.8.1). */
void pci_func_reset(struct pci_func *func, enum reg_reset_kind kind);

/* Sets bits of Status, or of a bridge's Secondary Status: PCI_STATUS_* of pcilab/pci/config.h. */
void pci_func_note_status(struct pci_func *func, uint16_t bits);
/* Says Immediate Readiness, after its capabilities have been added. */
void pci_func_set_ready_at_once(struct pci_func *func);
void pci_bridge_note_secondary_status(struct pci_func *func, uint16_t bits);

/* Command register and power state, as the rules ask: each is false outside D0. */
bool pci_func_memory_enabled(const struct pci_func *func);
bool pci_func_io_enabled(const struct pci_func *func);
bool pci_func_bus_master(const struct pci_func *func);
unsigned pci_func_power_state(const struct pci_func *func); /* 0 (D0) to 3 (D3hot) */

/* The BAR that decodes [addr, addr + len) entirely, or -1. */
int pci_func_find_bar(const struct pci_func *func, bool io, uint64_t addr, unsigned len);

/* Bridges: whether an address or bus lies in what is programmed behind the bridge. Only the windows
 * and ISA Enable are looked at, not Command and the power state. */
bool pci_bridge_claims_mem(const struct pci_func *func, uint64_t addr);
bool pci_bridge_claims_io(const struct pci_func *func, uint64_t addr);
bool pci_bridge_claims_bus(const struct pci_func *func, unsigned bus);

/* Interrupts. A vector is a number below what the capability offers; what is enabled decides
 * (MSI-X, else MSI, else INTx through pci_func_set_intx). */
void pci_func_msi_raise(struct pci_func *func, unsigned vector);
bool pci_func_msi_enabled(const struct pci_func *func);     /* MSI or MSI-X */
unsigned pci_func_msi_vectors(const struct pci_func *func); /* allocated to software now */
void pci_func_set_intx(struct pci_func *func, bool level);
/* The MSI-X table and PBA inside a BAR: true when [offset, offset + len) touches one of them; bytes
 * of the range outside both then read as 0 and ignore writes. */
bool pci_msix_bar_read(struct pci_func *func, unsigned bar, uint64_t offset, void *data,
                       unsigned len);
bool pci_msix_bar_write(struct pci_func *func, unsigned bar, uint64_t offset, const void *data,
                        unsigned len);

/* Capabilities (PCIe Base 6.0 chapter 7; PCI Power Management 1.2). */
/*
 * Power Management: D0 and D3hot with No_Soft_Reset, which loses nothing. Endpoints announce no
 * PME; ports forward it (7.5.2.1) and so announce it.
 */
struct pci_msi_params {
    unsigned vectors; /* 1 to 32, a power of two */
    bool maskable;    /* per-vector masking; addresses are always 64-bit */
};

enum pcie_port_type {
    PCIE_ENDPOINT = 0,
    PCIE_LEGACY_ENDPOINT = 1,
    PCIE_ROOT_PORT = 4,
    PCIE_UPSTREAM_PORT = 5,
    PCIE_DOWNSTREAM_PORT = 6,
    PCIE_RC_INTEGRATED_ENDPOINT = 9,
    PCIE_RC_EVENT_COLLECTOR = 10,
};

/* What a slot has for hot-plug (6.7.1). */
enum pcie_hotplug {
    PCIE_HOTPLUG_NONE,
    PCIE_HOTPLUG_FULL,     /* button, indicators, MRL sensor, power controller, interlock */
    PCIE_HOTPLUG_SURPRISE, /* a bay: devices come and go without asking */
};

struct pcie_params {
    enum pcie_port_type type;
    uint8_t max_speed;              /* 1: 2.5 GT/s ... 5: 32 GT/s; what this port supports */
    uint8_t max_width;              /* 1, 2, 4, 8, 12, 16, 32 */
    struct pcie_power_params power; /* of the link */
    uint8_t port_number;            /* root and switch ports */
    uint16_t max_payload_bytes;     /* 128 to 4096 */
    bool slot;                      /* root and downstream ports: slot implemented */
    uint16_t slot_number;
    uint8_t slot_power_watts;
    enum pcie_hotplug hotplug; /* with a slot */
    bool ari_forwarding;       /* root and downstream ports */
    bool flr;                  /* endpoints */
    bool ten_bit_tags;         /* completer support */
    /* AtomicOps (6.15) and Deferrable Memory Writes of up to 128 bytes (6.32): endpoints request
     * and complete them, ports route them, root ports also complete them. DMWr needs a Device 3
     * capability as well. */
    bool atomics, dmwr;
    bool collected;       /* integrated endpoints: an event collector takes their messages */
    bool no_acs;          /* Access Control Services are left out, whoever would add them */
    bool acs_basic;       /* or only their enhanced controls */
    uint8_t prefixes;     /* end-end TLP prefixes that a TLP for it may have: 0 to 4 */
    bool no_prefixes;     /* ports: none, else 4 */
    bool no_atomics;      /* ports: neither, whatever the component has else */
    bool dpc;             /* root and downstream ports: Downstream Port Containment */
    uint64_t dpc_busy_ps; /* root ports: DPC RP Busy lasts so long */
    bool readiness;       /* Readiness Notifications: DRS and FRS (6.22) */
};

void pci_cap_pm_add(struct pci_func *func);
void pci_cap_msi_add(struct pci_func *func, const struct pci_msi_params *params);
void pci_cap_msix_add(struct pci_func *func, unsigned vectors, unsigned bar, uint32_t table_offset,
                      uint32_t pba_offset);
/* Another Table Size, at most that of pci_cap_msix_add(). */
void pci_msix_set_vectors(struct pci_func *func, unsigned vectors);
void pci_cap_pcie_add(struct pci_func *func, const struct pcie_params *params);
/* A further function of a device with a link: function 0 alone has Link Control 2 (7.5.3.19). */
void pcie_follow_function_0(struct pci_func *func);
void pci_cap_ssvid_add(struct pci_func *func, uint16_t subvendor, uint16_t subdevice);
void pci_cap_dsn_add(struct pci_func *func, uint64_t serial);
void pci_cap_dev3_add(struct pci_func *func); /* for DMWr */
void pci_cap_ari_add(struct pci_func *func, uint8_t next_function);
/* Access Control Services: of root and downstream ports everything that applies to them; of a
 * function of a multi-function device that nothing passes between its functions. Comes after
 * Advanced Error Reporting, if that is there. */
void pci_cap_acs_add(struct pci_func *func);
/* Of event collectors; and an integrated endpoint of the same bus that it takes messages of, while
 * building. */
void pci_cap_rcec_add(struct pci_func *func);
void pci_rcec_associate(struct pci_func *func, unsigned device);
/* The bit of a peer's port number in the Egress Control Vector. */
bool pci_acs_egress_bit(const struct pci_func *func, unsigned port_number);

/* The link as negotiated: speed code and width, Data Link Layer Active where reported. Presence
 * is the slot's. */
void pcie_set_link(struct pci_func *func, unsigned speed, unsigned width, bool active);
void pcie_set_link_training(struct pci_func *func, bool training); /* ports that face down */
/* Slots: what is there, and what software asks for. The setters note the change too. */
void pcie_set_presence(struct pci_func *func, bool present);
void pcie_slot_set_latch(struct pci_func *func, bool open);
void pcie_slot_event(struct pci_func *func, uint16_t events); /* PCIE_SLTSTA_* */
/* The main power fault latch (6.7.1.8): while it is set, so is Power Fault Detected. */
void pcie_slot_latch_fault(struct pci_func *func, bool fault);
bool pcie_slot_can(const struct pci_func *func, uint32_t capability); /* PCIE_SLTCAP_* */
bool pcie_slot_power_wanted(const struct pci_func *func);
bool pcie_slot_interlocked(const struct pci_func *func); /* nothing goes in or out */
/* A retraining that Retrain Link asked for is over: Link Bandwidth Management Status. */
void pcie_link_retrained(struct pci_func *func);
/* Target Link Speed (Link Control 2), within what the port supports. */
unsigned pcie_target_speed(const struct pci_func *func);

/* Device Control and Device Control 2 as requesters and completers must honour them. Without a PCI
 * Express capability: the reset values. */
unsigned pcie_max_payload_bytes(const struct pci_func *func);
unsigned pcie_max_read_request_bytes(const struct pci_func *func);
unsigned pcie_completion_boundary_bytes(const struct pci_func *func);
bool pcie_extended_tags(const struct pci_func *func); /* 8-bit tags, else 5 bits */
bool pcie_ten_bit_tags(const struct pci_func *func);
/* Of the attributes that a request wants to carry, those that the function may set. */
uint8_t pcie_allowed_attr(const struct pci_func *func, uint8_t attr);
bool pcie_ari_forwarding(const struct pci_func *func);  /* root and downstream ports */
bool pcie_rrs_visible(const struct pci_func *func);     /* root ports: RRS Software Visibility */
unsigned pcie_port_number(const struct pci_func *func); /* of Link Capabilities */

/* AtomicOps: the operand sizes that the function completes (4, 8 and 16 bytes as bits), whether it
 * may request them, and whether a port keeps them from leaving through it (7.5.3.15, 7.5.3.16). */
unsigned pcie_atomic_completer(const struct pci_func *func);
bool pcie_atomic_requester(const struct pci_func *func);
/* Ports: AtomicOps and Deferrable Memory Writes are routed. */
bool pcie_atomic_routed(const struct pci_func *func);
bool pcie_dmwr_routed(const struct pci_func *func);
bool pcie_atomic_blocked(const struct pci_func *func);
/* End-end TLP prefixes (2.2.10.4): how many the function takes, and whether a port keeps TLPs that
 * have some from leaving through it. */
unsigned pcie_prefixes(const struct pci_func *func);
bool pcie_prefix_blocked(const struct pci_func *func);
/* The same for Deferrable Memory Writes: the longest in bytes, 0 for none (7.7.9). */
unsigned pcie_dmwr_completer_bytes(const struct pci_func *func);
bool pcie_dmwr_requester(const struct pci_func *func);
bool pcie_dmwr_blocked(const struct pci_func *func);

/* Device Status: PCIE_DEVSTA_* of pcilab/pci/config.h, and Transactions Pending. */
void pcie_note_device_status(struct pci_func *func, uint16_t bits);
void pcie_set_transactions_pending(struct pci_func *func, bool pending);

/* Payload of a Set_Slot_Power_Limit message (2.2.8.5): what a slot sends, what an upstream port
 * captures. */
uint32_t pcie_slot_power_limit(const struct pci_func *func);
void pcie_capture_slot_power(struct pci_func *func, uint32_t limit);

/* A PM_PME message from `requester` arrived at a root port: Root Status, interrupt. While PME
 * Status is set a few more wait their turn; what comes on top is dropped, as the sender repeats it
 * (5.3.3.3.1). */
void pcie_root_pme(struct pci_func *func, struct pci_rid requester);

#endif
