/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A laboratory bench for the tests of fabric, root complex, switches and endpoints: a host with
 * memory, one root complex, and a probe endpoint that stores what is written to its BARs and does
 * the DMA that a test asks for. Accesses of the host run virtual time until they are done.
 */
#ifndef PCILAB_TESTS_RIG_H
#define PCILAB_TESTS_RIG_H

#include <check.h>

#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/endpoint/endpoint.h"
#include "pcilab/fabric/fabric.h"
#include "pcilab/root/root.h"
#include "pcilab/sim/rng.h"
#include "pcilab/switch/switch.h"

/* Host memory: 1 MiB at 0 and 256 KiB above 4 GiB. */
#define RIG_LOW_BYTES  0x100000u
#define RIG_HIGH_BASE  0x100000000ULL
#define RIG_HIGH_BYTES 0x40000u
#define RIG_MSIS_MAX   256

struct rig {
    struct sim sim;
    struct trace trace;
    struct fabric *fabric;
    struct root_complex *rc;
    uint8_t low[RIG_LOW_BYTES], high[RIG_HIGH_BYTES];
    struct {
        uint64_t addr;
        uint32_t data;
    } msi[RIG_MSIS_MAX];
    unsigned msis;
    bool intx[4];
    unsigned intx_changes;
    /* A sink that counts what it hears and keeps the last words. */
    struct trace_sink sink;
    unsigned heard[TRACE_KIND_COUNT];
    char last_rule[256];
    unsigned dones; /* host requests that came back */
    bool no_atomics_root, no_atomics_switch, no_prefixes_switch,
        dpc; /* of ports that are made from now on */
    uint64_t dpc_busy_ps;
};

struct rig *rig_new(void);
/* Checks that no TLP is under way any more. */
void rig_free(struct rig *rig);
/* Runs all events of this instant, and until no TLP is under way. */
void rig_settle(struct rig *rig);
/* Runs until a time. */
void rig_run_for(struct rig *rig, uint64_t ps);

struct root_port *rig_root_port(struct rig *rig, unsigned device, unsigned function);
struct pcie_switch *rig_switch(struct rig *rig, const char *name, unsigned down_count);
struct pcie_params rig_pcie(enum pcie_port_type type);

/* The host's accesses; the result is all ones when `rig_status` is not TLP_SC. */
enum tlp_status rig_access(struct rig *rig, struct root_request *request);
/* Many at once; returns when all are done. */
void rig_submit_all(struct rig *rig, struct root_request *requests, unsigned count);
#define RIG_CFG(bus, dev, fn, reg)                                                                 \
    ((uint64_t)(bus) << 20 | (uint64_t)(dev) << 15 | (uint64_t)(fn) << 12 | (reg))
uint32_t rig_cfg_read(struct rig *rig, uint64_t addr, unsigned size);
void rig_cfg_write(struct rig *rig, uint64_t addr, unsigned size, uint32_t value);
uint64_t rig_read(struct rig *rig, enum root_request_kind kind, uint64_t addr, unsigned size);
void rig_write(struct rig *rig, enum root_request_kind kind, uint64_t addr, unsigned size,
               uint64_t value);

/* Programs a bridge: bus numbers, windows (base > limit: closed), Command 7. */
struct rig_windows {
    unsigned primary, secondary, subordinate;
    uint64_t mem_base, mem_limit;
    uint64_t pref_base, pref_limit;
    uint64_t io_base, io_limit;
};
void rig_program_bridge(struct rig *rig, uint64_t cfg, const struct rig_windows *windows);

/* The probe endpoint: BAR 0 64 KiB of memory, BAR 1 256 bytes of I/O, BAR 2 1 MiB of 64-bit
 * prefetchable memory, BAR 4 16 KiB with MSI-X (table at 0, PBA at 0x800, 8 vectors). */
#define PROBE_FUNCTIONS_MAX 20
#define PROBE_BAR0_BYTES    0x10000u
#define PROBE_BAR2_BYTES    0x100000u
#define PROBE_IO_BYTES      256u
#define PROBE_BAR4_BYTES    0x4000u

struct probe_func {
    struct probe *probe;
    struct endpoint_func *func;
    struct pci_func *pci;
    uint8_t *bar[6];
    unsigned reads, writes, config_changes;
    unsigned resets[3];
    bool destroyed;
    enum tlp_status answer; /* of BAR accesses */
    uint64_t last_offset;
    unsigned last_len;
};

struct probe {
    struct endpoint *ep;
    unsigned functions;
    struct probe_func func[PROBE_FUNCTIONS_MAX];
};

struct probe_params {
    unsigned functions; /* more than 8: with ARI */
    enum pcie_port_type type;
    unsigned max_payload_bytes;
    bool collected;
    const struct endpoint_ats_params *ats; /* NULL: no Address Translation Services ... */
    unsigned page_requests;                /* ... no Page Requests, if 0, and no PASID */
};

struct probe *probe_new(struct rig *rig, const char *name, const struct probe_params *params);
void probe_free(struct probe *probe);
/* Sizes and places the BARs of a function by configuration accesses and sets Command. */
struct probe_map {
    uint64_t bar0, io, bar2, bar4;
    uint16_t command;
};
void probe_program(struct rig *rig, uint64_t cfg, const struct probe_map *map);

/* A DMA operation that notes its end. */
struct probe_dma {
    struct dma_op op;
    bool done;
    enum dma_status status;
};
void probe_dma_start(struct probe_func *func, struct probe_dma *dma);
enum dma_status probe_dma(struct rig *rig, struct probe_func *func, struct probe_dma *dma);

/* Runs one suite and prints TAP. */
int rig_run_suite(Suite *suite);

#endif
