/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The groups and keys of topology files, as data. */
#ifndef PCILAB_CONFIG_KEYS_H
#define PCILAB_CONFIG_KEYS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "pcilab/endpoint/endpoint.h"
#include "pcilab/fabric/link.h"

enum topo_kind {
    TOPO_MACHINE,
    TOPO_HOST_BRIDGE,
    TOPO_ROOT_PORT,
    TOPO_SWITCH,
    TOPO_SWITCH_PORT,
    TOPO_NVME,
    TOPO_EXERCISER,
    TOPO_VIRTIO_RNG,
    TOPO_VIRTIO_BLK,
    TOPO_VIRTIO_CONSOLE,
    TOPO_VIRTIO_9P,
    TOPO_VIRTIO_NET,
    TOPO_IGB,
    TOPO_DSA,
    TOPO_SHELL,
    TOPO_IOMMU,
    TOPO_KIND_COUNT
};

#define TOPO_AUTO UINT64_MAX /* a number that is chosen for the user */

enum { TOPO_TIMING_FUNCTIONAL = 1, TOPO_TIMING_LINK = 2 }; /* 0: not given */

struct topo_fault {
    bool up; /* sent by the lower end of the link */
    struct link_fault fault;
};

struct topo_faults {
    unsigned count;
    struct topo_fault list[LINK_FAULTS_MAX];
};

/* The values of one group's keys, defaults filled in. */
struct topo_values {
    uint64_t memory_bytes, cpus;
    uint64_t firmware_assigns, apei, firmware_first, firmware_panics;
    uint64_t segment, bus_first, bus_last;
    uint64_t device, function; /* device may be TOPO_AUTO */
    uint64_t speed, width;
    uint64_t timing, propagation_ns, training_ms;
    double bit_error_rate;
    struct link_credits buffers[LINK_FLOWS];
    struct topo_faults faults;
    uint64_t aspm, l0s_exit_ns, l1_exit_us, power_on_us, common_us; /* power_keys.c */
    uint64_t l0s_acceptable_ns, l1_acceptable_us, ltr;
    uint64_t slot; /* TOPO_AUTO, 0 for none, or the number */
    uint64_t ari, msi, acs, acs_enhanced, atomics, prefixes;
    uint64_t hotplug; /* enum pcie_hotplug */
    uint64_t plugged;
    uint64_t downstream, downstream_speed, downstream_width;
    uint64_t size_bytes, queues;
    struct topo_nvme {
        uint64_t namespaces, namespace_bytes, block_bytes;
        uint64_t vf_queues, memory_bytes, shadow_doorbells;
    } nvme;
    uint64_t packed, readonly;
    uint64_t functions, msix_vectors, msi_vectors, mem_bytes, vfs, vf_mem_bytes, exerciser_io, ats,
        engines;
    char *at; /* or bridge= of a root port; NULL when not given */
    char *serial;
    char *config;
    uint64_t visible, event_collector, bars_memory; /* event_collector: as slot */
    uint64_t io[2], mem32[2], mem64[2]; /* first and last; both 0: not given; last < first: none */
    char *tag, *path;
    uint64_t mac, restricted; /* mac: as a number, TOPO_AUTO */
    char *forward, *wire;
    uint64_t face, address_bits, scalable, first_stage, second_stage, nested, pass_through;
    uint64_t intr_remapping, x2apic, snoop, large_pages, caching_mode, device_tlb, device_tlb_us,
        latency_ns, strict;
    char *scope, *ats_ports, *ats_integrated; /* names, as written */
    uint64_t dpc, dpc_busy_us;
    uint64_t ats_required, page_requests, reserved_bytes, coherent, protected_memory, posted;
    uint64_t bypass, bypass_config, domains, mappings;
    struct endpoint_ats_faults misbehave;
    struct endpoint_ats_options ats_options;
    uint64_t ats_cache;
    uint64_t immediate_readiness, readiness;
};

struct topo_key;

/* A kind of value: how it is read, and in words what it may be. */
struct topo_type {
    bool (*parse)(const struct topo_key *key, const char *text, struct topo_values *values);
    void (*allowed)(const struct topo_key *key, GString *out);
};

/* The values of topo_values.face. */
enum { TOPO_FACE_VTD, TOPO_FACE_VIRTIO };

/* A window of a host bridge (windows.c). */
extern const struct topo_type topo_type_window;

struct topo_key {
    const char *name;
    uint32_t kinds; /* BIT(enum topo_kind) */
    const struct topo_type *type;
    size_t offset; /* in struct topo_values */
    uint64_t min, max;
    const char *initial;   /* default in the file's words; NULL: none, see `otherwise` */
    const char *otherwise; /* without a default: what happens, in words; NULL: required */
    const char *help;
};

/* The value of a number key, and of a text key. */
static inline uint64_t *topo_value_of(const struct topo_key *key, struct topo_values *values)
{
    return (uint64_t *)(void *)((char *)values + key->offset);
}

static inline char **topo_text_of(const struct topo_key *key, struct topo_values *values)
{
    return (char **)(void *)((char *)values + key->offset);
}

/* One of a few words; the value is the word's place among them. */
bool topo_parse_word(const char *const *words, unsigned count, const char *text, uint64_t *value);

struct topo_kind_info {
    const char *name;
    bool named; /* the group has a second word */
    const char *help;
};

/* scopes.c */
extern const struct topo_type topo_type_names;
/* nvme_keys.c: how large a block is. */
extern const struct topo_type topo_type_block, topo_type_buffer;

/* link_keys.c */
extern const struct topo_type topo_type_timing, topo_type_rate, topo_type_buffers, topo_type_faults;

/* key_types.c */
extern const struct topo_type topo_type_uint, topo_type_size, topo_type_power, topo_type_msi,
    topo_type_bool, topo_type_buses, topo_type_bridge, topo_type_at, topo_type_tag, topo_type_mac,
    topo_type_forward, topo_type_path, topo_type_bars, topo_type_file, topo_type_serial;
/* port_keys.c */
extern const struct topo_type topo_type_speed, topo_type_width, topo_type_slot, topo_type_hotplug;
/* ats_keys.c */
extern const struct topo_type topo_type_misbehave, topo_type_ats_lacks;
/* iommu_keys.c */
extern const struct topo_type topo_type_face, topo_type_iotlb, topo_type_address;

extern const struct topo_kind_info topo_kinds[TOPO_KIND_COUNT];
extern const struct topo_key topo_keys[];
extern const unsigned topo_key_count;

const struct topo_key *topo_key_find(enum topo_kind kind, const char *name);
/* Fills in the defaults of a kind. */
void topo_values_init(struct topo_values *values, enum topo_kind kind);
void topo_values_clear(struct topo_values *values);

#endif
