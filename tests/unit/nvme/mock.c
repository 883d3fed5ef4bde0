/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mock.h"

#include "pcilab/pci/sriov.h"

#include <assert.h>
#include <glib.h>
#include <string.h>

#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"

#define CAP_MSI  0x50
#define CAP_MSIX 0x70

#define CAP_FIRST_PLACED 0x80 /* in the register space, beside `config` */

struct endpoint_func {
    struct endpoint *ep;
    struct endpoint_func_desc desc;
    struct pci_func pci;
    uint8_t config[256];
    struct mock_irqs irqs;
    struct endpoint_func *pf; /* of a Virtual Function */
    unsigned vfs;             /* that exist */
};

struct endpoint {
    struct mock *mock;
    struct endpoint_func func[MOCK_FUNCTIONS];
    unsigned funcs;
};

static void finish(struct dma_op *op, enum dma_status status)
{
    op->done(op, status);
}

static void list_remove(struct mock *mock, struct dma_op *op)
{
    struct dma_op *before = NULL;

    for (struct dma_op *it = mock->first; it != op; it = it->next)
        before = it;
    if (before)
        before->next = op->next;
    else
        mock->first = op->next;
    if (mock->last == op)
        mock->last = before;
}

/* Writes stay in order; with shuffle, a read from among all of them is next as often as not. */
static struct dma_op *list_pick(struct mock *mock)
{
    struct dma_op *pick = mock->first;

    for (struct dma_op *it = mock->first; mock->shuffle && it; it = it->next) {
        mock->shuffle = mock->shuffle * 1664525u + 1013904223u;
        if (it->kind == DMA_READ && (mock->shuffle >> 24 & 1)) {
            pick = it;
            break;
        }
    }
    return pick;
}

/* One operation an event. */
static void work_fn(void *opaque)
{
    struct mock *mock = opaque;
    struct dma_op *op = list_pick(mock);

    list_remove(mock, op);
    if (mock->first)
        sim_schedule_in(&mock->sim, &mock->work, mock->dma_ps);
    mock->dma_bytes += op->len;
    op->issued = op->len;
    if (!mock->bus_master) {
        finish(op, DMA_NO_MASTER);
    } else if (!range_inside(op->addr, op->len, 0, mock->ram_bytes) ||
               (mock->bad_addr && mock->bad_addr - op->addr < op->len)) {
        finish(op, DMA_UR);
    } else if (mock->deny_addr && mock->deny_addr >= op->addr &&
               mock->deny_addr - op->addr < MAX(op->len, 1)) {
        op->issued = (uint32_t)(mock->deny_addr - op->addr);
        if (op->kind == DMA_READ)
            memcpy(op->buf, mock->ram + op->addr, op->issued);
        else
            memcpy(mock->ram + op->addr, op->buf, op->issued);
        finish(op, DMA_DENIED);
    } else if (op->kind == DMA_READ) {
        mock->dma_reads++;
        memcpy(op->buf, mock->ram + op->addr, op->len);
        finish(op, DMA_OK);
    } else {
        mock->dma_writes++;
        memcpy(mock->ram + op->addr, op->buf, op->len);
        finish(op, DMA_OK);
    }
}

struct mock *mock_new(uint64_t ram_bytes)
{
    struct mock *mock = g_new0(struct mock, 1);

    sim_init(&mock->sim, 1);
    mock->trace.now_ps = &mock->sim.now_ps;
    mock->ram = g_malloc0(ram_bytes);
    mock->ram_bytes = ram_bytes;
    mock->bus_master = true;
    mock->dma_ps = 10 * PS_PER_NS;
    sim_event_init(&mock->work, work_fn, mock);
    return mock;
}

void mock_free(struct mock *mock)
{
    sim_cancel(&mock->sim, &mock->work);
    sim_fini(&mock->sim);
    g_free(mock->ram);
    g_free(mock);
}

struct fabric *mock_fabric(struct mock *mock)
{
    return (struct fabric *)mock;
}

struct endpoint_func *mock_func(struct endpoint *ep, unsigned number)
{
    assert(number < ep->funcs);
    return &ep->func[number];
}

struct mock_irqs *mock_irqs(struct endpoint_func *func)
{
    return &func->irqs;
}

static void set_config_bit(struct endpoint_func *func, unsigned offset, uint16_t bit, bool on)
{
    uint16_t value = le16_load(func->config + offset);

    le16_store(func->config + offset, (uint16_t)(on ? value | bit : value & ~bit));
    if (func->desc.ops->config_changed) {
        func->desc.ops->config_changed(func->desc.owner);
    }
}

void mock_set_msix(struct endpoint_func *func, bool enabled)
{
    set_config_bit(func, CAP_MSIX + 2, 0x8000, enabled);
}

void mock_set_msi(struct endpoint_func *func, bool enabled)
{
    set_config_bit(func, CAP_MSI + 2, 1, enabled);
}

void mock_reset(struct endpoint_func *func, enum endpoint_reset kind)
{
    struct mock *mock = func->ep->mock;
    struct dma_op **at = &mock->first;

    mock->last = NULL;
    while (*at) {
        if ((*at)->func == func) {
            *at = (*at)->next;
        } else {
            mock->last = *at;
            at = &(*at)->next;
        }
    }
    if (!mock->first) {
        sim_cancel(&mock->sim, &mock->work);
    }
    memset(func->config, 0, sizeof(func->config));
    func->irqs.intx = false;
    func->desc.ops->reset(func->desc.owner, kind);
}

void mock_run(struct mock *mock, uint64_t ps)
{
    sim_run_until(&mock->sim, mock->sim.now_ps + ps);
}

uint64_t mock_read(struct endpoint_func *func, unsigned bar, uint64_t offset, unsigned len)
{
    uint8_t bytes[8] = {0};

    func->desc.ops->bar_read(func->desc.owner, bar, offset, bytes, len);
    return le64_load(bytes);
}

void mock_write(struct endpoint_func *func, unsigned bar, uint64_t offset, unsigned len,
                uint64_t value)
{
    uint8_t bytes[8];

    le64_store(bytes, value);
    func->desc.ops->bar_write(func->desc.owner, bar, offset, bytes, len);
}

void mock_write_bytes(struct endpoint_func *func, unsigned bar, uint64_t offset, const void *data,
                      unsigned len)
{
    func->desc.ops->bar_write(func->desc.owner, bar, offset, data, len);
}

bool mock_deferrable(struct endpoint_func *func, unsigned bar, uint64_t offset, const void *data,
                     unsigned len)
{
    if (func->desc.ops->defer(func->desc.owner, bar, offset))
        return false;
    return func->desc.ops->bar_deferrable(func->desc.owner, bar, offset, data, len) == TLP_SC;
}

/* endpoint.h */

struct endpoint *endpoint_new(struct fabric *fabric, const char *name)
{
    struct endpoint *ep = g_new0(struct endpoint, 1);

    ep->mock = (struct mock *)fabric;
    return ep;
}

void endpoint_free(struct endpoint *ep)
{
    for (unsigned i = ep->funcs; i-- > 0;) { /* Virtual Functions first */
        ep->func[i].desc.ops->destroy(ep->func[i].desc.owner);
        reg_space_free(ep->func[i].pci.cfg);
    }
    g_free(ep);
}

struct endpoint_func *endpoint_add_func(struct endpoint *ep, const struct endpoint_func_desc *desc)
{
    struct endpoint_func *func = &ep->func[ep->funcs++];

    assert(ep->funcs <= MOCK_FUNCTIONS);
    func->ep = ep;
    func->desc = *desc;
    func->pci.cfg = reg_space_new(4096, &func->pci);
    func->pci.owner = func;
    func->pci.cap_free = CAP_FIRST_PLACED;
    return func;
}

void *endpoint_func_owner(struct endpoint_func *func)
{
    return func->desc.owner;
}

struct pci_func *endpoint_func_pci(struct endpoint_func *func)
{
    return &func->pci;
}

void endpoint_ready(struct endpoint *ep)
{
}

void endpoint_dma(struct endpoint_func *func, struct dma_op *op)
{
    struct mock *mock = func->ep->mock;

    op->func = func;
    op->next = NULL;
    if (mock->last) {
        mock->last->next = op;
    } else {
        mock->first = op;
        sim_schedule_in(&mock->sim, &mock->work, mock->dma_ps);
    }
    mock->last = op;
}

void endpoint_interrupt(struct endpoint_func *func, unsigned vector)
{
    assert(vector < MOCK_VECTORS);
    func->irqs.vector[vector]++;
    func->irqs.total++;
}

void endpoint_set_intx(struct endpoint_func *func, bool level)
{
    func->irqs.intx_edges += level && !func->irqs.intx;
    func->irqs.intx = level;
}

struct sim *endpoint_sim(struct endpoint_func *func)
{
    return &func->ep->mock->sim;
}

struct trace *endpoint_trace(struct endpoint_func *func)
{
    return &func->ep->mock->trace;
}

/* What only a device that is broken asks for does nothing here. */
void endpoint_set_ltr(struct endpoint_func *func, uint32_t latencies)
{
}

void endpoint_set_not_ready(struct endpoint_func *func, uint64_t ps)
{
}

struct tlp_pool *endpoint_pool(struct endpoint_func *func)
{
    return NULL;
}

void endpoint_send_tlp(struct endpoint_func *func, struct tlp *tlp)
{
    tlp_free(tlp);
}

/* pci/function.h, as far as devices use it */

bool pci_func_bus_master(const struct pci_func *func)
{
    return ((struct endpoint_func *)func->owner)->ep->mock->bus_master;
}

bool pci_pasid_allowed(const struct pci_func *func, const struct tlp_pasid *pasid)
{
    return ((struct endpoint_func *)func->owner)->ep->mock->pasid;
}

bool pci_pri_enabled(const struct pci_func *func)
{
    return ((struct endpoint_func *)func->owner)->ep->mock->pri;
}

unsigned pci_func_power_state(const struct pci_func *func)
{
    return 0;
}

unsigned pcie_max_payload_bytes(const struct pci_func *func)
{
    return 128;
}

void pci_func_set_bar(struct pci_func *func, unsigned bar, enum pci_bar_kind kind, uint64_t size)
{
    func->bar[bar].kind = kind;
    func->bar[bar].size = size;
}

void pci_func_set_interrupt_pin(struct pci_func *func, uint8_t pin)
{
    func->interrupt_pin = pin;
}

void pci_func_set_multifunction(struct pci_func *func, bool multi)
{
}

uint32_t pci_func_config_read(struct pci_func *func, unsigned offset, unsigned len)
{
    struct endpoint_func *owner = CONTAINER_OF(func, struct endpoint_func, pci);

    assert(offset + len <= sizeof(owner->config));
    return (uint32_t)le_load(owner->config + offset, len);
}

unsigned pci_func_place_cap(struct pci_func *func, uint8_t id, const struct reg_def *defs,
                            unsigned count, unsigned size_bytes)
{
    unsigned offset = func->cap_free;

    reg_space_place(func->cfg, offset, defs, count);
    func->cap_free = (uint16_t)(offset + size_bytes);
    return offset;
}

void pci_cap_sriov_add(struct pci_func *pf, const struct pci_sriov_params *params)
{
}

void pci_sriov_set_bar(struct pci_func *pf, unsigned bar, enum pci_bar_kind kind, uint64_t size)
{
}

/* Address Translation Services are tested with real endpoints. */
void endpoint_add_ats(struct endpoint_func *func, const struct endpoint_ats_params *params)
{
}

void endpoint_add_pri(struct endpoint_func *func, uint32_t capacity)
{
}

void pci_cap_pasid_add(struct pci_func *func, const struct pci_pasid_params *params)
{
}

const struct endpoint_ats_counts *endpoint_ats_counts(const struct endpoint_func *func)
{
    return NULL;
}

void endpoint_set_ats_faults(struct endpoint_func *func, const struct endpoint_ats_faults *faults)
{
}

bool endpoint_ptm_request(struct endpoint_func *func)
{
    return false;
}

bool endpoint_ptm_time(const struct endpoint_func *func, uint64_t *master_ns)
{
    return false;
}

uint64_t endpoint_ptm_dialogs(const struct endpoint_func *func)
{
    return 0;
}

bool endpoint_stop_pasid(struct endpoint_func *func, const struct tlp_pasid *pasid)
{
    return false;
}

struct endpoint_func *endpoint_add_vf(struct endpoint_func *pf,
                                      const struct endpoint_func_desc *desc)
{
    struct endpoint_func *func = endpoint_add_func(pf->ep, desc);

    func->pf = pf;
    return func;
}

unsigned pci_sriov_vfs(const struct pci_func *pf)
{
    return CONTAINER_OF(pf, const struct endpoint_func, pci)->vfs;
}

void mock_set_vfs(struct endpoint_func *pf, unsigned count)
{
    unsigned was = pf->vfs;

    pf->vfs = count;
    for (unsigned i = 0; i < pf->ep->funcs; i++) {
        if (pf->ep->func[i].pf == pf)
            mock_reset(&pf->ep->func[i], ENDPOINT_RESET_COLD);
    }
    pf->desc.ops->vfs_changed(pf->desc.owner, was, count);
}

void pci_msix_set_vectors(struct pci_func *func, unsigned vectors)
{
    func->msix_count = (uint16_t)vectors;
}

void pci_cap_pm_add(struct pci_func *func)
{
}

void pci_cap_msi_add(struct pci_func *func, const struct pci_msi_params *params)
{
    func->cap_msi = CAP_MSI;
}

void pci_cap_msix_add(struct pci_func *func, unsigned vectors, unsigned bar, uint32_t table_offset,
                      uint32_t pba_offset)
{
    func->cap_msix = CAP_MSIX;
    func->msix_count = (uint16_t)vectors;
}

void pci_cap_pcie_add(struct pci_func *func, const struct pcie_params *params)
{
}

void pci_cap_dsn_add(struct pci_func *func, uint64_t serial)
{
}

void pci_cap_ari_add(struct pci_func *func, uint8_t next_function)
{
}

void pci_cap_dev3_add(struct pci_func *func)
{
}

bool pci_func_msi_enabled(const struct pci_func *func)
{
    const struct endpoint_func *owner = CONTAINER_OF(func, struct endpoint_func, pci);

    return (owner->config[CAP_MSI + 2] & 1) || (owner->config[CAP_MSIX + 3] & 0x80);
}

unsigned pci_func_msi_vectors(const struct pci_func *func)
{
    const struct endpoint_func *owner = CONTAINER_OF(func, struct endpoint_func, pci);

    return owner->config[CAP_MSIX + 3] & 0x80 ? func->msix_count : 1;
}
