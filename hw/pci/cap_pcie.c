/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PCI Express capability, version 2 (PCIe Base 6.0, 7.5.3): which registers a port type has
 * and how they come up. What they do is in pcie_device.c and pcie_port.c.
 *
 * UNIMPL: clock power management, LTR, OBFF, TPH: none is advertised.
 */
#include "internal.h"
#include "pcie.h"
#include "pcilab/base/bits.h"
#include "pcilab/pci/config.h"

#include <assert.h>

#define VERSION            2
#define MRRS_512           2
#define SPEED_16GT         4
#define TIMEOUT_RANGES_ALL 0xf

/* The four kinds of error reports. */
#define DEVCTL_ERRORS 0x000f

#define DEVCTL_REQUESTER (PCIE_DEVCTL_RELAXED | PCIE_DEVCTL_NO_SNOOP | PCIE_DEVCTL_MRRS)

static void device_control_written(struct reg_space *space, unsigned offset,
                                   const struct reg_write *write)
{
    (void)offset;
    if (write->written & PCIE_DEVCTL_FLR) {
        pci_func_level_reset(func_of_space(space));
    }
}

static void link_control_written(struct reg_space *space, unsigned offset,
                                 const struct reg_write *write)
{
    (void)offset;
    pcie_link_control(func_of_space(space), write);
}

static void port_status_written(struct reg_space *space, unsigned offset,
                                const struct reg_write *write)
{
    (void)offset;
    (void)write;
    pcie_port_update_events(func_of_space(space));
}

static void root_status_written(struct reg_space *space, unsigned offset,
                                const struct reg_write *write)
{
    (void)offset;
    pcie_root_status_written(func_of_space(space), write);
}

/* clang-format off */
static const struct reg_def device_rows[] = {
    {.name = "pcie_capabilities", .clause = "PCIe 6.0 7.5.3.2", .offset = PCIE_FLAGS, .width = 2},
    {.name = "device_capabilities", .clause = "PCIe 6.0 7.5.3.3", .offset = PCIE_DEVCAP,
     .width = 4, .flr_keep = PCIE_DEVCAP_POWER},
    {.name = "device_status", .clause = "PCIe 6.0 7.5.3.5", .offset = PCIE_DEVSTA, .width = 2,
     .rw1c = PCIE_DEVSTA_ERRORS},
    {.name = "device_capabilities_2", .clause = "PCIe 6.0 7.5.3.15", .offset = PCIE_DEVCAP2,
     .width = 4},
    {.name = "device_control_2", .clause = "PCIe 6.0 7.5.3.16", .offset = PCIE_DEVCTL2,
     .width = 2},
    {.name = "device_status_2", .clause = "PCIe 6.0 7.5.3.17", .offset = PCIE_DEVSTA2, .width = 2},
};

static const struct reg_def devctl_rows[] = {
    {.name = "device_control", .clause = "PCIe 6.0 7.5.3.4", .offset = PCIE_DEVCTL, .width = 2},
};

static const struct reg_def devctl_requester_rows[] = {
    {.name = "device_control", .clause = "PCIe 6.0 7.5.3.4", .offset = PCIE_DEVCTL, .width = 2,
     .reset = PCIE_DEVCTL_RELAXED | PCIE_DEVCTL_NO_SNOOP | FIELD_PREP(PCIE_DEVCTL_MRRS, MRRS_512)},
};

static const struct reg_def devctl_flr_rows[] = {
    {.name = "device_control", .clause = "PCIe 6.0 7.5.3.4", .offset = PCIE_DEVCTL, .width = 2,
     .reset = PCIE_DEVCTL_RELAXED | PCIE_DEVCTL_NO_SNOOP | FIELD_PREP(PCIE_DEVCTL_MRRS, MRRS_512),
     .w1t = PCIE_DEVCTL_FLR, .flr_keep = PCIE_DEVCTL_MPS, .on_write = device_control_written},
};

#define LINK_ROWS_COMMON(received)                                                                 \
    {.name = "link_capabilities", .clause = "PCIe 6.0 7.5.3.6", .offset = PCIE_LNKCAP, .width = 4},\
    {.name = "link_capabilities_2", .clause = "PCIe 6.0 7.5.3.18", .offset = PCIE_LNKCAP2,         \
     .width = 4},                                                                                  \
    {.name = "link_control_2", .clause = "PCIe 6.0 7.5.3.19", .offset = PCIE_LNKCTL2, .width = 2,  \
     .rw = LINK_CONTROL_2, .sticky = LINK_CONTROL_2},                                              \
    {.name = "link_status_2", .clause = "PCIe 6.0 7.5.3.20", .offset = PCIE_LNKSTA2, .width = 2,   \
     .rw1c = (received), .sticky = PCIE_LNKSTA2_EQUALIZED}

/* Target speed, compliance, transmit margin; autonomous speed changes are not made. */
#define LINK_CONTROL_2 0xff9f
#define LINK_STATE     (PCIE_LNKSTA_SPEED | PCIE_LNKSTA_WIDTH)
/* 2.5 GT/s, x0: as pcie_set_link() leaves a link that is down. */
#define LINK_DOWN (PCIE_LNKSTA_SLOT_CLOCK | 0x0001)
/* What ASPM, RCB and the clock settings of a link are outlives a Function Level Reset (6.6.2). */
#define LINK_CONTROL_UP                                                                            \
    (PCIE_LNKCTL_ASPM | PCIE_LNKCTL_RCB | PCIE_LNKCTL_COMMON_CLOCK | PCIE_LNKCTL_EXT_SYNCH)

static const struct reg_def link_up_rows[] = {
    LINK_ROWS_COMMON(0),
    {.name = "link_control", .clause = "PCIe 6.0 7.5.3.7", .offset = PCIE_LNKCTL, .width = 2,
     .rw = LINK_CONTROL_UP, .flr_keep = LINK_CONTROL_UP},
    {.name = "link_status", .clause = "PCIe 6.0 7.5.3.8", .offset = PCIE_LNKSTA, .width = 2,
     .reset = LINK_DOWN, .flr_keep = LINK_STATE},
};

static const struct reg_def link_down_rows[] = {
    LINK_ROWS_COMMON(PCIE_LNKSTA2_DRS_RECEIVED),
    {.name = "link_control", .clause = "PCIe 6.0 7.5.3.7", .offset = PCIE_LNKCTL, .width = 2,
     .w1t = PCIE_LNKCTL_RETRAIN, .on_write = link_control_written},
    {.name = "link_status", .clause = "PCIe 6.0 7.5.3.8", .offset = PCIE_LNKSTA, .width = 2,
     .reset = LINK_DOWN, .rw1c = PCIE_LNKSTA_BANDWIDTH | PCIE_LNKSTA_AUTONOMOUS,
     .on_write = port_status_written},
};

static const struct reg_def root_rows[] = {
    {.name = "root_control", .clause = "PCIe 6.0 7.5.3.12", .offset = PCIE_ROOTCTL, .width = 2,
     .rw = PCIE_ROOTCTL_SYSTEM_ERROR | PCIE_ROOTCTL_PME_IE | PCIE_ROOTCTL_RRS_VISIBLE,
     .on_write = port_status_written},
    {.name = "root_capabilities", .clause = "PCIe 6.0 7.5.3.13", .offset = PCIE_ROOTCAP,
     .width = 2, .reset = PCIE_ROOTCAP_RRS_VISIBLE},
    {.name = "root_status", .clause = "PCIe 6.0 7.5.3.14", .offset = PCIE_ROOTSTA, .width = 4,
     .rw1c = PCIE_ROOTSTA_PME, .on_write = root_status_written},
};
/* clang-format on */

static bool type_is_endpoint(enum pcie_port_type type)
{
    return type == PCIE_ENDPOINT || type == PCIE_LEGACY_ENDPOINT ||
           type == PCIE_RC_INTEGRATED_ENDPOINT;
}

static bool type_faces_down(enum pcie_port_type type)
{
    return type == PCIE_ROOT_PORT || type == PCIE_DOWNSTREAM_PORT;
}

static bool type_has_link(enum pcie_port_type type)
{
    return type != PCIE_RC_INTEGRATED_ENDPOINT && type != PCIE_RC_EVENT_COLLECTOR;
}

static void place_device(struct pci_func *func, const struct pcie_params *p, unsigned cap)
{
    bool endpoint = type_is_endpoint(p->type), requester = endpoint || p->type == PCIE_ROOT_PORT;
    uint64_t devcap = func->pcie_max_mps | PCIE_DEVCAP_ROLE_BASED;
    uint64_t devctl = DEVCTL_ERRORS;

    if (func->pcie_max_mps) {
        devctl |= PCIE_DEVCTL_MPS;
    }
    if (requester) {
        devcap |= PCIE_DEVCAP_EXT_TAG;
        devctl |= PCIE_DEVCTL_EXT_TAG;
    }
    if (endpoint) {
        devctl |= DEVCTL_REQUESTER;
    }
    if (p->type == PCIE_ENDPOINT || p->type == PCIE_LEGACY_ENDPOINT) {
        devcap |= pcie_power_device_caps(&p->power);
    }
    if (endpoint && p->flr) {
        devcap |= PCIE_DEVCAP_FLR;
        reg_space_place(func->cfg, cap, devctl_flr_rows, 1);
    } else {
        reg_space_place(func->cfg, cap, endpoint ? devctl_requester_rows : devctl_rows, 1);
    }
    reg_hwinit(func->cfg, cap + PCIE_DEVCAP, devcap);
    reg_set_rw_mask(func->cfg, cap + PCIE_DEVCTL, devctl);
}

/* What completes AtomicOps does so at every size; what routes them can be told not to. */
static void init_atomics(const struct pcie_params *p, uint64_t *devcap2, uint64_t *devctl2)
{
    bool endpoint = type_is_endpoint(p->type);

    if (p->atomics && (endpoint || p->type == PCIE_ROOT_PORT)) {
        *devcap2 |= PCIE_DEVCAP2_ATOMIC_32 | PCIE_DEVCAP2_ATOMIC_64 | PCIE_DEVCAP2_ATOMIC_128;
    }
    if (p->atomics) {
        *devcap2 |= endpoint ? 0 : PCIE_DEVCAP2_ATOMIC_ROUTE;
        *devctl2 |= endpoint ? PCIE_DEVCTL2_ATOMIC : PCIE_DEVCTL2_ATOMIC_BLOCK;
    }
    if (p->dmwr && (endpoint || p->type == PCIE_ROOT_PORT)) {
        *devcap2 |= PCIE_DEVCAP2_DMWR | FIELD_PREP(PCIE_DEVCAP2_DMWR_LENGTHS, 1);
    }
}

/* 7.5.3.15, 7.5.3.16. Ports can be told not to let end-end TLP prefixes out. */
static void init_prefixes(const struct pcie_params *p, uint64_t *devcap2, uint64_t *devctl2)
{
    assert(p->prefixes <= TLP_END_END_MAX);
    if (!p->prefixes)
        return;
    *devcap2 |=
        PCIE_DEVCAP2_PREFIX | FIELD_PREP(PCIE_DEVCAP2_PREFIX_MAX, p->prefixes % TLP_END_END_MAX);
    if (type_faces_down(p->type) || p->type == PCIE_UPSTREAM_PORT)
        *devctl2 |= PCIE_DEVCTL2_PREFIX_BLOCK;
}

static void init_device_2(struct pci_func *func, const struct pcie_params *p, unsigned cap)
{
    bool endpoint = type_is_endpoint(p->type), requester = endpoint || p->type == PCIE_ROOT_PORT;
    uint64_t devcap2 = PCIE_DEVCAP2_EXT_FMT, devctl2 = 0;

    if (requester) {
        devcap2 |= TIMEOUT_RANGES_ALL | PCIE_DEVCAP2_TIMEOUT_OFF;
        devctl2 |= PCIE_DEVCTL2_TIMEOUT | PCIE_DEVCTL2_TIMEOUT_OFF;
    }
    if (endpoint) {
        devctl2 |= PCIE_DEVCTL2_IDO_REQUEST;
    }
    if (type_faces_down(p->type) && p->ari_forwarding) {
        devcap2 |= PCIE_DEVCAP2_ARI;
        devctl2 |= PCIE_DEVCTL2_ARI;
    }
    /* 7.5.3.15: whoever does 16 GT/s completes 10-bit tags. */
    if (p->ten_bit_tags || (type_has_link(p->type) && p->max_speed >= SPEED_16GT)) {
        devcap2 |= PCIE_DEVCAP2_10BIT_CPL;
        if (endpoint && !func->pf) {
            devcap2 |= PCIE_DEVCAP2_10BIT_REQ;
            devctl2 |= PCIE_DEVCTL2_10BIT_REQ;
        }
    }
    if (type_has_link(p->type) && p->power.ltr) {
        devcap2 |= PCIE_DEVCAP2_LTR; /* the enable: of function 0, pci_link_caps_add() */
    }
    if (type_has_link(p->type) && p->readiness) {
        devcap2 |= PCIE_DEVCAP2_FRS;
    }
    init_atomics(p, &devcap2, &devctl2);
    init_prefixes(p, &devcap2, &devctl2);
    reg_hwinit(func->cfg, cap + PCIE_DEVCAP2, devcap2);
    reg_set_rw_mask(func->cfg, cap + PCIE_DEVCTL2, devctl2);
}

static void place_link(struct pci_func *func, const struct pcie_params *p, unsigned cap)
{
    bool down = type_faces_down(p->type);
    uint64_t lnkcap = FIELD_PREP(PCIE_LNKCAP_SPEED, p->max_speed) |
                      FIELD_PREP(PCIE_LNKCAP_WIDTH, p->max_width) | PCIE_LNKCAP_ASPM_OPTIONAL |
                      FIELD_PREP(PCIE_LNKCAP_PORT, p->port_number) |
                      pcie_power_link_caps(&p->power);
    uint64_t lnkcap2 = FIELD_PREP(PCIE_LNKCAP2_SPEEDS, low_mask(p->max_speed));

    assert(p->max_speed >= 1 && p->max_speed <= 5);
    assert(p->max_width >= 1 && p->max_width <= 32);
    if (p->max_speed >= SPEED_16GT) {
        lnkcap2 |= PCIE_LNKCAP2_RETIMER | PCIE_LNKCAP2_2RETIMERS; /* required, 7.5.3.18 */
    }
    if (p->readiness && !func->pf) {
        lnkcap2 |= PCIE_LNKCAP2_DRS;
    }
    reg_space_place(func->cfg, cap, down ? link_down_rows : link_up_rows,
                    down ? ARRAY_LEN(link_down_rows) : ARRAY_LEN(link_up_rows));
    if (down) {
        uint64_t lnkctl = PCIE_LNKCTL_ASPM | PCIE_LNKCTL_DISABLE | PCIE_LNKCTL_COMMON_CLOCK |
                          PCIE_LNKCTL_EXT_SYNCH;

        lnkcap |= PCIE_LNKCAP_DLL_REPORTING | PCIE_LNKCAP_SURPRISE;
        if (p->max_speed > 1 || p->max_width > 1) {
            lnkcap |= PCIE_LNKCAP_BANDWIDTH;
            lnkctl |= PCIE_LNKCTL_BANDWIDTH_IE | PCIE_LNKCTL_AUTONOMOUS_IE;
        }
        lnkctl |= p->readiness ? PCIE_LNKCTL_DRS_SIGNALS : 0;
        reg_set_rw_mask(func->cfg, cap + PCIE_LNKCTL, lnkctl);
    } else if (p->type == PCIE_UPSTREAM_PORT) {
        /* 7.5.3.7: RCB is hardwired to 0 in switch ports. */
        reg_set_rw_mask(func->cfg, cap + PCIE_LNKCTL, LINK_CONTROL_UP & ~PCIE_LNKCTL_RCB);
    }
    reg_hwinit(func->cfg, cap + PCIE_LNKCAP, lnkcap);
    reg_hwinit(func->cfg, cap + PCIE_LNKCAP2, lnkcap2);
    reg_hwinit(func->cfg, cap + PCIE_LNKCTL2, p->max_speed);
}

void pci_cap_pcie_add(struct pci_func *func, const struct pcie_params *params)
{
    bool slot = params->slot && type_faces_down(params->type);
    unsigned cap;

    assert(is_power_of_2(params->max_payload_bytes) && params->max_payload_bytes >= 128 &&
           params->max_payload_bytes <= 4096);
    assert((func->header == PCI_HEADER_TYPE1) ==
           (type_faces_down(params->type) || params->type == PCIE_UPSTREAM_PORT));
    cap = pci_func_place_cap(func, PCI_CAP_PCIE, NULL, 0, PCIE_SIZE_BYTES);
    func->cap_pcie = (uint16_t)cap;
    func->pcie_type = (uint8_t)params->type;
    func->collected = params->collected && params->type == PCIE_RC_INTEGRATED_ENDPOINT;
    func->no_acs = params->no_acs;
    func->acs_basic = params->acs_basic;
    func->power = params->power;
    func->pcie_max_mps = (uint8_t)(__builtin_ctz(params->max_payload_bytes) - 7);
    reg_space_place(func->cfg, cap, device_rows, ARRAY_LEN(device_rows));
    reg_hwinit(func->cfg, cap + PCIE_FLAGS,
               VERSION | FIELD_PREP(PCIE_FLAGS_TYPE, params->type) | (slot ? PCIE_FLAGS_SLOT : 0));
    place_device(func, params, cap);
    init_device_2(func, params, cap);
    if (type_has_link(params->type)) {
        place_link(func, params, cap);
    }
    if (slot) {
        pcie_place_slot(func, params, cap);
    } else if (type_faces_down(params->type)) {
        pcie_place_no_slot(func, cap);
    }
    if (params->type == PCIE_ROOT_PORT || params->type == PCIE_RC_EVENT_COLLECTOR) {
        reg_space_place(func->cfg, cap, root_rows, ARRAY_LEN(root_rows));
    }
    if (func->pf) {
        pci_vf_pcie(func);
    }
}

void pcie_follow_function_0(struct pci_func *func)
{
    unsigned control = func->cap_pcie + PCIE_LNKCTL2, caps = func->cap_pcie + PCIE_LNKCAP2;

    if (func->cap_pcie && reg_has(func->cfg, control)) {
        reg_hwinit(func->cfg, caps, reg_get(func->cfg, caps) & ~(uint64_t)PCIE_LNKCAP2_DRS);
        reg_hwinit(func->cfg, control, 0);
        reg_set_rw_mask(func->cfg, control, 0);
    }
}
