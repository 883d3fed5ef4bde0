/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Precision Time Measurement capability (PCIe Base 6.0, 7.9.15) and its messages (6.21.3). */
#include "pcilab/pci/ptm.h"

#include "internal.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/pci/link_caps.h"

#define PTM_CAP             0x04
#define PTM_CAP_REQUESTER   0x01
#define PTM_CAP_RESPONDER   0x02
#define PTM_CAP_ROOT        0x04
#define PTM_CAP_GRANULARITY 0xff00
#define PTM_CTL             0x08
#define PTM_CTL_ENABLE      0x01
#define PTM_CTL_ROOT        0x02
#define PTM_CTL_GRANULARITY 0xff00
#define PTM_SIZE_BYTES      0x0c

/* clang-format off */
static const struct reg_def ptm_rows[] = {
    {.name = "ptm_capability", .clause = "PCIe 6.0 7.9.15.2", .offset = PTM_CAP, .width = 4},
    {.name = "ptm_control", .clause = "PCIe 6.0 7.9.15.3", .offset = PTM_CTL, .width = 4},
};
/* clang-format on */

void pci_cap_ptm_add(struct pci_func *func, const struct pci_ptm_params *params)
{
    unsigned cap =
        pci_func_place_ext_cap(func, PCI_EXT_PTM, 1, ptm_rows, ARRAY_LEN(ptm_rows), PTM_SIZE_BYTES);

    func->ext_ptm = (uint16_t)cap;
    reg_hwinit(func->cfg, cap + PTM_CAP,
               (params->requester ? PTM_CAP_REQUESTER : 0) |
                   (params->responder ? PTM_CAP_RESPONDER : 0) | (params->root ? PTM_CAP_ROOT : 0) |
                   FIELD_PREP(PTM_CAP_GRANULARITY, params->granularity_ns));
    /* Effective Granularity is a requester's, Root Select a possible root's. */
    reg_set_rw_mask(func->cfg, cap + PTM_CTL,
                    PTM_CTL_ENABLE | (params->root ? PTM_CTL_ROOT : 0) |
                        (params->requester ? PTM_CTL_GRANULARITY : 0));
}

static bool control(const struct pci_func *func, unsigned bits)
{
    return func->ext_ptm && (reg_get(func->cfg, func->ext_ptm + PTM_CTL) & bits) == bits;
}

bool pci_ptm_enabled(const struct pci_func *func)
{
    return control(func, PTM_CTL_ENABLE);
}

bool pci_ptm_is_root(const struct pci_func *func)
{
    return control(func, PTM_CTL_ENABLE | PTM_CTL_ROOT);
}

static struct tlp *message(struct tlp_pool *pool, struct pci_rid requester, enum tlp_msg_code code,
                           unsigned payload_dw)
{
    struct tlp *tlp = tlp_new(pool, payload_dw ? TLP_MSGD : TLP_MSG, payload_dw);

    tlp->requester = requester;
    tlp->msg_code = (uint8_t)code;
    tlp->msg_routing = TLP_MSG_LOCAL;
    return tlp;
}

struct tlp *ptm_new_request(struct tlp_pool *pool, struct pci_rid requester)
{
    return message(pool, requester, TLP_MSG_PTM_REQUEST, 0);
}

struct tlp *ptm_new_response(struct tlp_pool *pool, struct pci_rid requester)
{
    return message(pool, requester, TLP_MSG_PTM_RESPONSE, 0);
}

/* CHOICE: of the two byte orders that revisions before 5.0 let one read into the delay, the one in
 * which its figure is drawn: most significant byte first. */
struct tlp *ptm_new_response_time(struct tlp_pool *pool, struct pci_rid requester,
                                  uint64_t master_ns, uint32_t delay_ns)
{
    struct tlp *tlp = message(pool, requester, TLP_MSG_PTM_RESPONSE, 1);

    tlp->msg_bytes_8_15 = master_ns;
    le32_store(tlp->data, __builtin_bswap32(delay_ns));
    return tlp;
}

bool ptm_response_time(const struct tlp *tlp, uint64_t *master_ns, uint32_t *delay_ns)
{
    if (tlp->type != TLP_MSGD || tlp->length_dw != 1 || tlp->ep)
        return false;
    *master_ns = tlp->msg_bytes_8_15;
    *delay_ns = __builtin_bswap32(le32_load(tlp->data));
    return true;
}
