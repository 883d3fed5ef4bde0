/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Page Request Interface of a Physical Function and its VFs (PCIe Base 6.0, 10.4, 9.3.7.10):
 * Page Requests, each a group of its own or as many as an operation has pages left, and what their
 * responses come to.
 */
#include <glib.h>

#include "ats_state.h"
#include "pcilab/base/bits.h"
#include "pcilab/pci/config.h"
#include "pcilab/trace/points.h"

#define PAGE_SHIFT      12
#define GROUP_PAGES_MAX 8u /* CHOICE: Page Requests of one group */

static struct endpoint_func *owner_of(const struct endpoint_func *func)
{
    return func->pci->pf ? func->pci->pf->owner : func->pci->owner;
}

static void set_outstanding(struct endpoint_func *owner, unsigned count)
{
    owner->pri->outstanding = count;
    pci_pri_set_busy(owner->pci, count != 0);
}

static void send(struct endpoint_func *func, const struct ats_page_request *request,
                 const struct tlp_pasid *pasid)
{
    struct tlp *tlp = ats_new_page_request(func->ep->fabric->pool, request);

    tlp->requester = func->pci->rid;
    if (pasid)
        tlp_set_pasid(tlp, pasid);
    trace_hit(func->pci->trace, TRACE_ATS_PAGE_REQUEST, func->pci->name, func->pci->rid.v,
              pasid ? pasid->pasid : TRACE_NO_PASID, request->addr,
              request->read | request->write << 1, request->group);
    if (port_link_up(&func->ep->port))
        port_send(&func->ep->port, tlp);
    else
        tlp_free(tlp);
}

/* Of a broken function: the pages behind the one that is wanted, in groups that it does not keep
 * count of. */
static void flood(struct endpoint_func *func, const struct ats_page_request *wanted,
                  const struct tlp_pasid *pasid)
{
    struct ats_page_request request = *wanted;

    request.last = true;
    for (unsigned i = 1; i <= ATS_GROUPS; i++) {
        request.addr = wanted->addr + i * 4096ULL;
        request.group = (uint16_t)((wanted->group + i) % ATS_GROUPS);
        send(func, &request, pasid);
    }
}

static unsigned take_group(struct pri *pri)
{
    while (pri->group[pri->next].func)
        pri->next = (pri->next + 1) % ATS_GROUPS;
    return pri->next;
}

/* How many pages from `addr` on an operation asks for as one group (10.4.1.1); each is a message
 * and counts as one (10.5.2.5). */
static unsigned group_pages(const struct dma_op *op, uint64_t addr, unsigned room)
{
    uint64_t pages;

    if (!op->group_pages || !op->len)
        return 1;
    pages = ((op->addr + op->len - 1) >> PAGE_SHIFT) - (addr >> PAGE_SHIFT) + 1;
    return (unsigned)MIN(pages, MIN(room, GROUP_PAGES_MAX));
}

bool pri_request(struct dma_op *op, uint64_t addr, bool write)
{
    struct endpoint_func *func = op->func, *owner = owner_of(func);
    struct pri *pri = owner->pri;
    struct ats_page_request request = {
        .addr = addr & ~low_mask(PAGE_SHIFT),
        .write = write,
        .read = !write || op->kind != DMA_WRITE,
    };
    const struct tlp_pasid *pasid = op->has_pasid ? &op->pasid : NULL;
    unsigned room, pages;

    if (!pri || !pci_pri_enabled(func->pci))
        return false;
    room = MIN(pci_pri_allocation(func->pci), ATS_GROUPS);
    if (pri->outstanding >= room) {
        op->ats_fresh = true; /* the answer stands; a response makes room */
        op->ats_tries--;
        return room != 0;
    }
    if (!pri->group)
        pri->group = g_new0(struct group, ATS_GROUPS);
    pages = group_pages(op, addr, room - pri->outstanding);
    request.group = (uint16_t)take_group(pri);
    pri->group[request.group] = (struct group){.func = func,
                                               .op = op,
                                               .has_pasid = op->has_pasid,
                                               .pasid = op->pasid.pasid,
                                               .write = request.write,
                                               .pages = (uint16_t)pages,
                                               .addr = addr,
                                               .since_ps = func->ep->fabric->sim->now_ps};
    pri->next = (request.group + 1u) % ATS_GROUPS;
    op->ats = DMA_ATS_PAGING;
    set_outstanding(owner, pri->outstanding + pages);
    if (ats_floods(func))
        flood(func, &request, pasid);
    for (unsigned i = 0; i < pages; i++, request.addr += 1u << PAGE_SHIFT) {
        ats_count_pages(func, false);
        request.last = i + 1 == pages;
        send(func, &request, pasid);
    }
    return true;
}

void pri_forget(struct dma_op *op)
{
    struct pri *pri = owner_of(op->func)->pri;

    for (unsigned i = 0; pri->group && i < ATS_GROUPS; i++) {
        if (pri->group[i].op == op)
            pri->group[i].op = NULL;
    }
}

static void free_group(struct endpoint_func *owner, unsigned index)
{
    unsigned pages = owner->pri->group[index].pages;

    owner->pri->group[index] = (struct group){0};
    set_outstanding(owner, owner->pri->outstanding - pages);
}

/* Everybody who waits for a response, or for room to ask, looks again. */
static void wake(struct endpoint_func *owner)
{
    dma_translated(owner);
    for (unsigned i = 0; i < owner->vf_count; i++)
        dma_translated(owner->vfs[i]);
}

static void answer(struct group *group, uint8_t code)
{
    if (!group->op)
        return;
    group->op->ats = DMA_ATS_PAGED;
    group->op->ats_status = code;
}

/* Nothing that was asked for will be answered. */
static void give_up(struct endpoint_func *owner)
{
    for (unsigned i = 0; owner->pri->group && i < ATS_GROUPS; i++) {
        if (!owner->pri->group[i].func)
            continue;
        answer(&owner->pri->group[i], ATS_RESPONSE_FAILURE);
        free_group(owner, i);
    }
}

/* With PRG Response PASID Required what a response has is what the request had (10.5.2.3).
 * CHOICE: a response that differs is one to an unexpected group; without, nobody looks. */
static bool is_answer(const struct group *group, const struct endpoint_func *func,
                      const struct tlp *tlp)
{
    struct tlp_pasid pasid;

    if (group->func != func)
        return false;
    if (!pci_pri_response_pasid(func->pci))
        return true;
    if (tlp_get_pasid(tlp, &pasid) != group->has_pasid)
        return false;
    return !group->has_pasid || pasid.pasid == group->pasid ||
           flaw_on(func->pci->flaws, FLAW_PRI_PASID);
}

void pri_response(struct endpoint_func *func, const struct tlp *tlp)
{
    struct endpoint_func *owner = owner_of(func);
    unsigned index = ats_response_group(tlp);
    struct group *group = owner->pri->group ? &owner->pri->group[index] : NULL;
    uint8_t code = ats_response_code(tlp);

    trace_hit(func->pci->trace, TRACE_ATS_PAGE_RESPONSE, func->pci->name, func->pci->rid.v, index,
              code);
    if (ats_ignores_pages(func))
        return;
    ats_count_pages(func, true);
    if (!group || !is_answer(group, func, tlp)) {
        if (!flaw_on(func->pci->flaws, FLAW_PRI_UNEXPECTED))
            pci_pri_note(func->pci, PCI_PRI_STATUS_UNEXPECTED);
        return;
    }
    answer(group, code);
    free_group(owner, index);
    /* 10.4.2.1: codes that do not exist count as failures, which disable the interface. */
    if (code != ATS_RESPONSE_SUCCESS && code != ATS_RESPONSE_INVALID) {
        pci_pri_note(func->pci, PCI_PRI_STATUS_FAILURE);
        give_up(owner);
    }
    wake(owner);
}

bool endpoint_stop_pasid(struct endpoint_func *func, const struct tlp_pasid *pasid)
{
    const struct ats_page_request marker = {.last = true};

    if (!owner_of(func)->pri || !pci_pri_enabled(func->pci))
        return false;
    send(func, &marker, pasid);
    return true;
}

void pri_config_changed(struct endpoint_func *func)
{
    struct endpoint_func *owner = owner_of(func);

    if (!owner->pri)
        return;
    if (pci_pri_take_reset(owner->pci)) {
        give_up(owner);
        wake(owner);
    }
}

void pri_reset(struct endpoint_func *func)
{
    struct endpoint_func *owner = owner_of(func);

    for (unsigned i = 0; owner->pri && owner->pri->group && i < ATS_GROUPS; i++) {
        if (owner->pri->group[i].func && (owner == func || owner->pri->group[i].func == func))
            free_group(owner, i);
    }
}

void endpoint_add_pri(struct endpoint_func *func, uint32_t capacity)
{
    func->pri = g_new0(struct pri, 1);
    pci_cap_pri_add(func->pci, capacity);
}

void pri_free(struct endpoint_func *func)
{
    if (func->pri)
        g_free(func->pri->group);
    g_free(func->pri);
}
