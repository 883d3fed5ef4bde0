/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine: what is described (struct machine_desc, made by a topology file, a test or a
 * scenario) and what runs (struct machine). hw/platform is the only place that names concrete
 * devices and wires them together.
 */
#ifndef PCILAB_PLATFORM_MACHINE_H
#define PCILAB_PLATFORM_MACHINE_H

#include <glib.h>

#include "pcilab/cpu/cpu.h"
#include "pcilab/endpoint/endpoint.h"
#include "pcilab/endpoint/shell.h"
#include "pcilab/endpoint/virtio_devices.h"
#include "pcilab/iommu/regs/virtio.h"
#include "pcilab/iommu/regs/vtd.h"
#include "pcilab/pci/function.h"
#include "pcilab/root/root.h"
#include "pcilab/sim/input.h"
#include "pcilab/sim/sim.h"
#include "pcilab/trace/trace.h"

struct block_image; /* pcilab/io/block.h */
struct kvm_host;    /* pcilab/cpu/kvm.h */

/* What is wrong with a description, an option or a file; the message says what to do next. */
#define MACHINE_ERROR machine_error_quark()
GQuark machine_error_quark(void);

enum machine_error {
    MACHINE_ERROR_INPUT,  /* a description or an option */
    MACHINE_ERROR_FILE,   /* a kernel or an initrd: unreadable, damaged, of the wrong kind */
    MACHINE_ERROR_MEMORY, /* does not fit */
};

#define MACHINE_IGB_VFS_MAX 8

enum machine_kind {
    MACHINE_HOST_BRIDGE,
    MACHINE_ROOT_PORT,
    MACHINE_SWITCH,
    MACHINE_NVME,
    MACHINE_EXERCISER,
    MACHINE_VIRTIO_RNG,
    MACHINE_VIRTIO_BLK,
    MACHINE_VIRTIO_CONSOLE,
    MACHINE_VIRTIO_9P,
    MACHINE_VIRTIO_NET,
    MACHINE_IGB,
    MACHINE_DSA,
    MACHINE_SHELL,
    MACHINE_IOMMU,
    MACHINE_VIRTIO_IOMMU,
    MACHINE_KIND_COUNT
};

enum machine_timing { MACHINE_TIMING_DEFAULT, MACHINE_TIMING_FUNCTIONAL, MACHINE_TIMING_LINK };

/* The link above a switch or an endpoint; all but the timing matters with link timing only. */
struct machine_link_desc {
    enum machine_timing timing; /* DEFAULT: as the machine */
    uint64_t propagation_ps, training_ps;
    double bit_error_rate;
    struct {
        bool up; /* sent by the lower end */
        struct link_fault fault;
    } faults[LINK_FAULTS_MAX];
    unsigned fault_count;
};

/* Keys of a link end or a port. */
struct machine_port_desc {
    uint8_t speed; /* 1 to 5: 2.5, 5, 8, 16, 32 GT/s */
    uint8_t width;
    bool slot;
    uint16_t slot_number;
    bool ari;
    bool no_acs;    /* ports that face down, exercisers */
    bool acs_basic; /* without ACS Enhanced Capability */
    bool msi;
    bool dpc; /* Downstream Port Containment, and how long DPC RP Busy lasts */
    uint64_t dpc_busy_ps;
    bool readiness;                     /* Readiness Notifications */
    bool no_prefixes;                   /* TLPs have no end-end prefixes */
    bool no_atomics;                    /* neither AtomicOps nor Deferrable Memory Writes */
    struct link_credits rx[LINK_FLOWS]; /* receive buffers; 0: no limit */
    enum pcie_hotplug hotplug;          /* with a slot */
    struct pcie_power_params power;     /* all zero: none */
};

/* 16 GT/s x4, no slot, ARI forwarding, MSI. */
#define MACHINE_PORT_DEFAULT                                                                       \
    ((struct machine_port_desc){                                                                   \
        .speed = 4, .width = 4, .ari = true, .msi = true, .rx = LINK_DEFAULT_RX})

#define MACHINE_SWITCH_PORTS_MAX 32
#define MACHINE_SCOPE_IOAPIC     "ioapic"

/* A host bridge's address window, when it is not left to the platform. */
struct machine_window {
    bool given;
    uint64_t base, size; /* size 0: none */
};

/* One component. Strings are owned by the description. */
struct machine_component {
    enum machine_kind kind;
    char *name;
    unsigned line;            /* where in the topology file, for messages; 0: not from a file */
    int parent;               /* index of the component that it is at; -1 for host bridges */
    unsigned parent_port;     /* switch: downstream port; host bridge: unused */
    uint8_t device, function; /* root ports and integrated endpoints: place on the root bus */
    bool integrated;          /* endpoint directly on a host bridge */
    bool collected;           /* integrated, where an event collector is */
    bool unplugged;           /* not there at power-on */
    struct machine_port_desc port; /* link end (upstream for switches and endpoints) */

    struct machine_link_desc link;

    struct { /* MACHINE_HOST_BRIDGE */
        uint16_t segment;
        uint8_t bus_first, bus_last;
        bool hidden;             /* no function of its own */
        bool firmware_first;     /* errors below are the firmware's, which tells of them */
        uint8_t event_collector; /* its device number; 0: none */
        struct machine_window io, mem32, mem64;
    } bridge;
    struct { /* MACHINE_SWITCH */
        unsigned down_count;
        struct machine_port_desc down[MACHINE_SWITCH_PORTS_MAX];
    } sw;
    struct {                 /* MACHINE_NVME */
        uint64_t size_bytes; /* of the scratch image when no disk is given */
        unsigned queues;     /* I/O queue pairs */
        char *serial;
        /* As in struct nvme_params. */
        unsigned namespaces, block_bytes, vfs, vf_queues;
        uint64_t namespace_bytes, memory_bytes;
        bool shadow_doorbells, ats;
    } nvme;
    struct { /* MACHINE_EXERCISER */
        unsigned functions;
        unsigned msix_vectors;
        unsigned msi_vectors;
        uint64_t mem_bytes; /* size of the large prefetchable BAR */
        bool no_io;         /* without the BAR in I/O space */
        bool ats;           /* with Address Translation Services */
        unsigned vfs;       /* Virtual Functions of each function */
        uint64_t vf_mem_bytes;
    } exerciser;
    struct endpoint_ats_faults misbehave; /* endpoints: from every reset on */
    struct endpoint_ats_options ats_options;
    bool immediate_readiness; /* endpoints: Immediate Readiness */
    uint64_t reserved_bytes;  /* endpoints: memory that the firmware keeps for their DMA (RMRR) */
    struct { /* MACHINE_IOMMU; at a host bridge, serves its segment or parts of it */
        struct vtd_features vtd;
        uint64_t read_latency_ps;
        bool find_stale;
        /* Names of components, NULL terminated, owned: root ports, switches, switch ports (sw0.1)
         * and all behind them, endpoints, MACHINE_SCOPE_IOAPIC. NULL: all that no other unit of the
         * segment has. */
        char **scope;
        /* What DMAR says of ATS, for whom the kernel may switch it on: root ports (ATSR; NULL and
         * not `ats_all`: no such structure) and integrated endpoints (SATC; NULL: none). */
        bool ats_all;
        char **ats_ports, **ats_integrated;
        uint64_t invalidation_timeout_ps; /* of device TLBs */
        bool ats_required;                /* those of SATC cannot work without */
    } iommu;
    struct { /* MACHINE_VIRTIO_IOMMU, beside virtio.packed; integrated, serves its segment */
        struct viommu_features features;
        bool find_stale;
    } viommu;
    struct {                             /* MACHINE_SHELL; integrated, at `device` */
        bool memory;                     /* BARs are memory */
        struct shell_func_params *funcs; /* owned */
        unsigned count;
    } shell;
    struct {                 /* MACHINE_VIRTIO_* */
        bool packed;         /* offer packed virtqueues */
        uint64_t size_bytes; /* block: as nvme.size_bytes */
        unsigned queues;     /* block */
        char *serial;        /* block */
    } virtio;
    struct {            /* MACHINE_VIRTIO_9P, beside virtio.packed */
        char *tag;      /* what the guest mounts; the component's name at first */
        char *path;     /* directory of the host; required */
        bool read_only; /* yes at first */
        char **rw;      /* directories that may be written although: NULL terminated, or NULL */
    } p9;
    struct {
        unsigned vfs; /* MACHINE_IGB: up to MACHINE_IGB_VFS_MAX; integrated: not looked at */
    } igb;
    struct { /* MACHINE_DSA; as in struct dsa_params */
        unsigned queues, engines;
        bool ats;
    } dsa;
    struct { /* MACHINE_VIRTIO_NET, beside virtio.packed, and MACHINE_IGB */
        bool mac_given;
        uint8_t mac[6];
        char *forward;   /* struct net_config, pcilab/io/net.h; or NULL */
        bool restricted; /* likewise */
        char *wire;      /* instead of a network of the host: to cards with the same; or NULL */
    } net;
};

struct machine_desc {
    struct machine_component *components; /* parents come before children */
    unsigned count;
    unsigned cpus;              /* 1 to CPU_MAX */
    uint64_t memory_bytes;      /* multiple of 1 MiB */
    enum machine_timing timing; /* of links that do not say it; DEFAULT: functional */
    bool apei;                  /* the firmware tells of errors, and makes some (EINJ) */
    bool firmware_panics;       /* ... and fatal ones below a firmware_first bridge are the end */
    bool firmware_assigns;      /* before the kernel starts: bus numbers, windows, BARs */
};

/* A description with nothing but defaults; free with machine_desc_free(). */
struct machine_desc *machine_desc_new(void);
void machine_desc_free(struct machine_desc *desc);
/* Adds a component with its defaults (no parent). The name is copied and must be new; the pointer
 * is good until the next one is added. Strings that the caller sets are g_free()d by the
 * description. */
struct machine_component *machine_desc_add(struct machine_desc *desc, enum machine_kind kind,
                                           const char *name);
/* Adds an endpoint integrated on the root bus of the first host bridge, which must be there, at the
 * highest free device number: out of the way of the ports. NULL: the root bus is full. */
struct machine_component *machine_desc_add_integrated(struct machine_desc *desc,
                                                      enum machine_kind kind, const char *name);
/* Index of the component, -1 when there is none. */
int machine_desc_find(const struct machine_desc *desc, const char *name);
/* True for kinds that a struct machine_disk may name. */
bool machine_kind_has_disk(enum machine_kind kind);
bool machine_kind_is_card(enum machine_kind kind);     /* has a network, struct net */
const char *machine_kind_name(enum machine_kind kind); /* "root-port", ... as in topology files */

struct machine_disk {
    const char *name; /* of an NVMe or a virtio-blk */
    struct block_image *image;
};

/* The host's side of a virtio-console; one that nobody attaches to has an echo (docs/topology.md).
 */
struct machine_virtio_console {
    const char *name; /* of the component */
    const struct virtio_console_port *ports;
    unsigned port_count;
    uint16_t columns, rows;
};

struct machine_console {
    /* A byte from the guest. */
    void (*output)(void *opaque, uint8_t byte);
    /* The UART can take more input: call machine_console_input(), now or later. May be NULL. */
    void (*input_wanted)(void *opaque);
    void *opaque;
};

struct machine_options {
    uint64_t seed;
    const struct machine_disk *disks;
    unsigned disk_count;
    struct machine_console console;
    const struct machine_virtio_console *virtio_consoles;
    unsigned virtio_console_count;
    const struct kvm_host *kvm;      /* runs the processors, outlives the machine; NULL: soft */
    const struct sim_input_log *log; /* keeps, or has, what comes from outside; NULL: neither */
};

struct machine_boot {
    const char *kernel_path;
    const char *initrd_path; /* or NULL */
    const char *cmdline;
    bool enter_bzimage; /* run the kernel's own decompressor */
};

enum machine_stop {
    MACHINE_RUNNING, /* the slice of time is over */
    MACHINE_POWERED_OFF,
    MACHINE_RESET,  /* the guest asked for a reset; machine_restart() goes on */
    MACHINE_PAUSED, /* machine_pause() was called; machine_run() goes on */
    MACHINE_DEAD,   /* all processors shut down or halted for ever with nothing pending */
};

struct machine;

struct machine *machine_new(const struct machine_desc *desc, const struct machine_options *options,
                            GError **error);
void machine_free(struct machine *machine);
/* Loads kernel, initrd, tables; may be called again after a reset. */
bool machine_load(struct machine *machine, const struct machine_boot *boot, GError **error);
/* Power-on state for everything, RAM included; then machine_load() again. */
void machine_restart(struct machine *machine);
/* Runs until virtual time until_ps or until something stops the machine. May overshoot by a few
 * microseconds, so that how a caller slices time changes nothing of what the guest sees. */
enum machine_stop machine_run(struct machine *machine, uint64_t until_ps);
/* For callbacks of the running machine: machine_run() returns at this very instant. The guest
 * cannot tell. */
void machine_pause(struct machine *machine);
/* From now on all randomness, of a restart too, comes from this seed: every stream starts anew, as
 * in a machine that was made with it. With the seed that the machine has, nothing changes. */
void machine_reseed(struct machine *machine, uint64_t seed);
/* Several processors take turns of this length from now on, 5 us at first; at least an instruction
 * (2 ns). What they do to RAM becomes visible to each other at the end of one. */
void machine_set_turns(struct machine *machine, uint64_t turn_ps);
/* Each read of a table by a VT-d unit takes up to so much longer; false: no unit's reads take time.
 */
bool machine_vary_walks(struct machine *machine, uint64_t vary_ps);
/* When all processors are idle: the time of the next event, SIM_NEVER when none is pending (only
 * console input could wake the guest: give up if none can come). Otherwise: now. */
uint64_t machine_idle_until(const struct machine *machine);
/* Bytes of the console that are known before the guest wants them; returns how many the UART took.
 * It takes none before the guest listens, and then no more than the line's rate allows: offer the
 * rest when input_wanted(). */
unsigned machine_console_input(struct machine *machine, const uint8_t *bytes, unsigned len);
/* Bytes that somebody has just typed, which wait for the UART; returns how many there was room for.
 */
unsigned machine_console_typed(struct machine *machine, const uint8_t *bytes, unsigned len);
/* Somebody's hand at the board: comes in virtual time, and into recordings. */
enum machine_hand { MACHINE_HAND_NMI, MACHINE_HAND_BREAK };
void machine_hand(struct machine *machine, enum machine_hand hand);
/* Orders of somebody who controls the machine, at most SIM_INPUT_BYTES_MAX each: they too come in
 * virtual time, and into recordings. Who carries them out: NULL: nobody. */
typedef void (*machine_order_fn)(void *opaque, const uint8_t *bytes, uint32_t len);
void machine_on_order(struct machine *machine, machine_order_fn fn, void *opaque);
void machine_order(struct machine *machine, const void *bytes, uint32_t len);
/* Whether a recording's source of inputs is one of this machine. */
bool machine_knows_input(const struct machine *machine, const char *source);
/* For virtio_console_input() and the like, which may be called while the machine does not run; NULL
 * when there is none of this name. */
struct virtio_console *machine_virtio_console(struct machine *machine, const char *name);
/* The next virtio-9p, from part `*next` on (0 at first), through which not all was written that the
 * guest has written: its name, and the negative errno of the host. NULL: there is none. */
const char *machine_files_failed(const struct machine *machine, unsigned *next, int *err);
/* For the loop around machine_run(), as net_fill() and net_polled() (pcilab/io/net.h) for all
 * networks. False: there is none. */
bool machine_net_fill(struct machine *machine, GArray *fds, uint32_t *timeout_ms);
void machine_net_polled(struct machine *machine, const GArray *fds);
/* The NMI button: the local interrupt pin 1 of processor 0, for which the guest decides what it
 * does. For callers while the machine does not run. */
void machine_nmi(struct machine *machine);
/* A break on the serial line and a byte after it: with Linux, the SysRq key and another one. Goes
 * before other input, when the guest listens; false: too many wait. */
bool machine_sysrq(struct machine *machine, uint8_t key);
/* A break alone. */
bool machine_break(struct machine *machine);
/* A hand at a slot, for callers while the machine does not run. `name` is a component that is
 * plugged into a port, which stands for its port; a root port; or a switch's downstream port,
 * "sw0.3". */
enum machine_touch {
    MACHINE_PLUG,   /* from any port, with hot-plug or without */
    MACHINE_UNPLUG, /* its power is gone: registers as at power-on */
    MACHINE_PRESS,  /* the attention button */
    MACHINE_LATCH_OPEN,
    MACHINE_LATCH_CLOSE,
    MACHINE_POWER_FAULT, /* of a slot with a power controller */
};
/* False, and why, when there is no such thing. */
bool machine_can_touch(struct machine *machine, enum machine_touch what, const char *name,
                       GError **error);
/* What cannot be touched stays as it is. */
void machine_touch(struct machine *machine, enum machine_touch what, const char *name);
struct sim *machine_sim(struct machine *machine);
struct trace *machine_trace(struct machine *machine);
/* Why the host could not run a processor on; NULL: it is not to blame. */
const char *machine_processors_failed(const struct machine *machine);
uint64_t machine_retired(const struct machine *machine);

#endif
