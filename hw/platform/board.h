/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of a machine, for the files of this folder. */
#ifndef PCILAB_HW_PLATFORM_BOARD_H
#define PCILAB_HW_PLATFORM_BOARD_H

#include "bus.h"
#include "ioapic.h"
#include "iommu.h"
#include "lapic.h"
#include "pcilab/fabric/fabric.h"
#include "pcilab/platform/addrmap.h"
#include "pcilab/platform/machine.h"
#include "pcilab/root/root.h"
#include "pcilab/sim/input.h"
#include "pm.h"
#include "ram.h"
#include "rtc.h"
#include "uart.h"
#include "viommu.h"

/*
 * CHOICE: an instruction takes 2 ns, the TSC counts at 1 GHz, the crystal at 25 MHz (CPUID 0x15
 * says 40/1 of 25 MHz). Several processors run in turns that end at multiples of the quantum.
 */
#define BOARD_PS_PER_INSN 2000ULL
#define BOARD_TSC_HZ      1000000000ULL
#define BOARD_CRYSTAL_HZ  25000000ULL
#define BOARD_QUANTUM_PS  (5 * PS_PER_US)

#define SLOT_POSTED_MAX 16 /* posted writes of a processor under way */

enum slot_state {
    SLOT_RUNNABLE,
    SLOT_HALTED,  /* HLT or waiting for SIPI */
    SLOT_BLOCKED, /* an access is outstanding */
    SLOT_DOWN,    /* shut down */
};

/* A processor and its place in time. */
struct slot {
    struct machine *machine;
    struct cpu *cpu;
    unsigned index;
    enum slot_state state;
    /* Where the processor has got to; while it is runnable, never before the machine's clock. */
    uint64_t local_ps;
    struct sim_event access; /* performs the outstanding access at local_ps */
    /* The outstanding access on its way to a root complex, piece by piece. */
    struct root_complex *rc;
    struct root_request request;
    unsigned access_done; /* bytes of it that are through */
    uint64_t access_addr; /* root complex address of its first byte */
    uint8_t access_data[CPU_ACCESS_MAX_SIZE];
    struct root_request posted[SLOT_POSTED_MAX];
    uint32_t posted_busy;
};

struct board_bridge {
    struct machine *machine;
    const char *name;
    struct root_complex *rc;
    struct map_bridge map;
    bool firmware_first; /* errors below it are the firmware's */
    uint8_t intx;        /* levels of the four lines */
};

/* What wiring made; `object` depends on the component's kind. */
struct board_part {
    enum machine_kind kind;
    char *name;
    void *object;
    struct board_bridge *bridge;    /* that it is below, or itself */
    struct link *link;              /* upwards, or NULL */
    struct port *above;             /* the port that the link comes from */
    unsigned down_count;            /* switch: downstream ports */
    struct block_image *image;      /* NVMe, virtio-blk */
    bool image_owned;               /* a scratch image */
    struct virtio_console *console; /* virtio-console: part of `object` */
    struct p9_server *files;        /* virtio-9p */
    struct network *network;        /* virtio-net, igb */
    struct echo *echo;              /* of a virtio-console that nobody attached to, or NULL */
};

struct machine {
    struct sim sim;
    struct sim_inputs inputs;
    struct trace trace;
    struct machine_console console;
    struct sim_input keys, hands; /* of the console; at the board */
    struct sim_input orders;
    machine_order_fn order; /* takes them; NULL: nobody */
    void *order_opaque;
    GByteArray *typed; /* keys that the UART has not taken */
    struct ram ram;
    uint64_t seed;

    struct cpu_group *cpus;
    struct slot slot[CPU_MAX];
    unsigned cpu_count;
    bool kvm; /* the processors are the host's */
    bool firmware_assigns;
    uint64_t quantum_ps; /* a turn of a processor among several */
    struct slot *cut;    /* whose turn a debugger's stop interrupted, or NULL */
    uint64_t cut_end_ps; /* of that turn */
    bool wake;           /* a halted processor may have a reason to go on */
    enum machine_stop stop;

    struct bus memory, io;
    struct apic_bus apics;
    struct ioapic ioapic;
    struct uart uart;
    struct pm pm;
    struct rtc rtc;
    uint32_t cfg_address; /* latch of configuration mechanism #1 */

    struct fabric *fabric;
    struct board_bridge bridge[MAP_BRIDGES_MAX];
    unsigned bridge_count;
    struct board_iommu iommu[MAP_IOMMUS_MAX];
    unsigned iommu_count;
    struct board_iommu *ioapic_iommu; /* that its messages go through, or NULL */
    struct board_rmrr *rmrr;
    unsigned rmrr_count;
    struct board_viommu *viommu[MAP_BRIDGES_MAX];
    unsigned viommu_count;
    struct apei *apei;       /* NULL: the firmware says nothing of errors */
    struct board_part *part; /* one a component of the description */
    unsigned part_count;
};

/* host.c: an access of a processor that is not RAM; at its instant. */
void host_access(struct slot *slot);
void host_attach(struct machine *machine);
void host_reset(struct machine *machine);
struct board_bridge *host_find_ecam(struct machine *machine, uint16_t segment, unsigned bus);

/* sched.c: processors in time. */
void sched_init(struct machine *machine);
void sched_reset(struct machine *machine);
/* The outstanding access is over; data is NULL for writes. */
void sched_complete(struct slot *slot, const void *data, bool fault);

/* processors.c: kvm NULL: the interpreter's. */
bool board_create_processors(struct machine *machine, const struct kvm_host *kvm, GError **error);
/* Whether the rest of the machine suits them. */
bool board_check_processors(const struct machine *machine, GError **error);
/* Who takes interrupt messages instead of our local APICs; or NULL. */
apic_forward_fn board_apic_forward(const struct machine *machine);

/* touch.c: a component is plugged into the port above it, or is not there yet. */
void touch_init(struct board_part *part, const struct machine_component *c, struct port *above);

/* input.c: keys and hands. */
void input_init(struct machine *machine, const struct sim_input_log *log);
void input_fini(struct machine *machine);
/* The UART wants more: gives what waits; false: nothing does. */
bool input_waits(struct machine *machine);
/* Gives what the UART was given when it was recorded. */
void input_replay(struct machine *machine);

/* wiring.c: everything on PCI. */
bool wiring_create(struct machine *machine, const struct machine_desc *desc,
                   const struct machine_options *options, GError **error);
void wiring_destroy(struct machine *machine);
void wiring_reset(struct machine *machine);

/* probe.c: `object` of such a part is a struct endpoint. */
bool board_is_endpoint(enum machine_kind kind);

/* inspect_function.c: the functions of a component as they are numbered now. */
void board_visit_part(const struct board_part *part,
                      void (*fn)(void *opaque, uint16_t segment, struct pci_func *func),
                      void *opaque);

/* firmware.c: tables in RAM. Returns the address of the RSDP. */
uint64_t firmware_install(struct machine *machine);

/* links.c: joins a switch or an endpoint to the port above it. */
struct link *board_connect_link(const struct machine_desc *desc, const struct machine_component *c,
                                struct port *above, struct port *below);

#endif
