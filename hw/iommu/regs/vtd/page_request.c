/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page Requests: their queue, its registers and event, and what becomes of those that do not get
 * into it (VT-d 7.4, 7.5, 11.4.11).
 *
 * A request first passes the device table like any other access of its function (its context entry
 * has to allow Page Requests), in order with them; so what drains accesses drains Page Requests.
 *
 * CHOICE: what nobody can see in the queue is answered here: with Success while the queue is full,
 * so that the function asks again; with Invalid Request where the tables do not provide for it, and
 * with Response Failure where they are broken (7.4 and table 25 could not be looked up).
 */
#include <glib.h>

#include "pcilab/base/le.h"
#include "pcilab/iommu/core/inspect.h"
#include "vtd.h"

#define ENTRY_BYTES 32u
#define PQA_SIZE    GENMASK(2, 0)
#define PQ_OFFSET   GENMASK(18, 5)
#define PRS_PPR     BIT(0)
#define PRS_PRO     BIT(1)

/* Page Request Descriptor, 7.4.1.1; private data is gone since revision 4.0 */
#define PRD_TYPE  1
#define PRD_PP    BIT(8)
#define PRD_RID   GENMASK(31, 16)
#define PRD_PASID GENMASK(51, 32)
#define PRD_EXE   BIT(52)
#define PRD_PRIV  BIT(53)
#define PRD_READ  BIT(0)
#define PRD_WRITE BIT(1)
#define PRD_LAST  BIT(2)
#define PRD_GROUP GENMASK(11, 3)

enum { RESPONSE_SUCCESS = 0, RESPONSE_INVALID = 1, RESPONSE_FAILURE = 15 };

/* A Page Request on its way through the device table. */
struct vtd_page {
    struct iommu_request request;
    struct vtd *vtd;
    struct vtd_page_request what;
    struct vtd_page *next; /* while free */
};

bool vtd_takes_page_requests(const struct vtd *vtd)
{
    const struct vtd_features *features = &vtd->params.features;

    return features->scalable && features->device_tlb && features->page_requests;
}

static void respond(struct vtd *vtd, const struct vtd_page_request *what, uint8_t code)
{
    const struct vtd_page_response response = {
        .sid = what->sid,
        .has_pasid = what->has_pasid,
        .pasid = what->pasid,
        .group = what->group,
        .code = code,
    };

    /* Only the last of a group is answered, and a Stop Marker never (PCIe Base 6.0, 10.4.1). */
    if (what->last && (what->read || what->write))
        vtd->params.page_response(vtd->params.opaque, &response);
}

/* The queue. */

static uint64_t queue_bytes(const struct vtd *vtd)
{
    return 4096ULL << FIELD_GET(PQA_SIZE, reg_get(vtd->regs, VTD_PQA));
}

/* CHOICE: offsets beyond the queue's end wrap. */
static uint64_t queue_offset(const struct vtd *vtd, unsigned reg)
{
    return reg_get(vtd->regs, reg) & (queue_bytes(vtd) - 1);
}

/* 7.5: one event while anything is pending. */
static void note(struct vtd *vtd, uint64_t status)
{
    bool pending = reg_get(vtd->regs, VTD_PRS) != 0;

    reg_update(vtd->regs, VTD_PRS, status, status);
    if (!pending)
        vtd_event_raise(vtd, VTD_PECTL);
}

static void encode(const struct vtd_page_request *what, uint8_t data[ENTRY_BYTES])
{
    uint64_t low = PRD_TYPE | FIELD_PREP(PRD_RID, (uint64_t)what->sid);

    if (what->has_pasid)
        low |= PRD_PP | FIELD_PREP(PRD_PASID, (uint64_t)what->pasid) |
               (what->execute ? PRD_EXE : 0) | (what->privileged ? PRD_PRIV : 0);
    le64_store(data, low);
    le64_store(data + 8, (what->addr & ~low_mask(12)) |
                             FIELD_PREP(PRD_GROUP, (uint64_t)what->group) |
                             (what->last ? PRD_LAST : 0) | (what->write ? PRD_WRITE : 0) |
                             (what->read ? PRD_READ : 0));
    le64_store(data + 16, 0);
    le64_store(data + 24, 0);
}

static void enqueue(struct vtd *vtd, const struct vtd_page_request *what)
{
    const struct iommu_memory *memory = &vtd->params.memory;
    uint64_t base = reg_get(vtd->regs, VTD_PQA) & ~low_mask(12);
    uint64_t tail = queue_offset(vtd, VTD_PQT);
    uint64_t next = (tail + ENTRY_BYTES) & (queue_bytes(vtd) - 1);
    uint8_t data[ENTRY_BYTES];

    vtd->page_counts.received++;
    if (reg_get(vtd->regs, VTD_PRS) & PRS_PRO || next == queue_offset(vtd, VTD_PQH)) {
        vtd->page_counts.overflowed++;
        if (!(reg_get(vtd->regs, VTD_PRS) & PRS_PRO))
            trace_say(vtd->params.trace, TRACE_RULE, vtd->name,
                      "page request queue overflow, by %04x (VT-d 7.4)", what->sid);
        if (!vtd_flawed(vtd, FLAW_VTD_PAGE_OVERFLOW))
            note(vtd, PRS_PRO);
        respond(vtd, what, RESPONSE_SUCCESS);
        return;
    }
    encode(what, data);
    /* A queue that is not in memory loses what is written to it, as any posted write is lost. */
    memory->write(memory->opaque, base + tail, data, sizeof(data));
    reg_set(vtd->regs, VTD_PQT, next);
    if (!vtd_flawed(vtd, FLAW_VTD_PAGE_PENDING))
        note(vtd, PRS_PPR);
}

/* On the way. */

static struct vtd_page *page_take(struct vtd *vtd)
{
    struct vtd_page *page = vtd->free_pages;

    if (page)
        vtd->free_pages = page->next;
    else
        page = g_new0(struct vtd_page, 1);
    return page;
}

static void admitted(struct iommu_request *request, enum iommu_status status)
{
    struct vtd_page *page = request->opaque;
    struct vtd *vtd = page->vtd;
    const struct vtd_page_request what = page->what;
    bool abort = request->abort;

    page->next = vtd->free_pages;
    vtd->free_pages = page;
    if (status == IOMMU_ABANDONED)
        return;
    if (status == IOMMU_FAULTED) {
        vtd->page_counts.refused++;
        if (vtd_flawed(vtd, FLAW_VTD_PAGE_LOST))
            return;
        respond(vtd, &what, abort ? RESPONSE_FAILURE : RESPONSE_INVALID);
        return;
    }
    /* What the caches say of the page is why it is asked for. */
    iommu_flush_page_of(vtd->core, &page->request.access);
    enqueue(vtd, &what);
}

void vtd_page_request(struct vtd *vtd, const struct vtd_page_request *what)
{
    struct vtd_page *page;

    if (!vtd_takes_page_requests(vtd))
        return;
    page = page_take(vtd);
    *page = (struct vtd_page){
        .request = {.access = {.addr = what->addr & ~low_mask(12),
                               .sid = what->sid,
                               .has_pasid = what->has_pasid,
                               .pasid = what->pasid,
                               .privileged = what->privileged,
                               .page_request = true},
                    .done = admitted,
                    .opaque = page},
        .vtd = vtd,
        .what = *what,
    };
    vtd_submit(vtd, &page->request);
}

void vtd_page_group_response(struct vtd *vtd, const struct vtd_page_response *response)
{
    vtd->page_counts.responses++;
    vtd->params.page_response(vtd->params.opaque, response);
}

void vtd_pages_free(struct vtd *vtd)
{
    struct vtd_page *page;

    while ((page = vtd->free_pages)) {
        vtd->free_pages = page->next;
        g_free(page);
    }
}

/* The queue for people: what software has not taken out yet. */

static void inspect_entry(const struct vtd *vtd, const struct inspect *in, uint64_t at)
{
    const struct iommu_memory *memory = &vtd->params.memory;
    uint8_t data[ENTRY_BYTES] = {0};
    uint64_t low, high;

    memory->read(memory->opaque, at, data, sizeof(data));
    low = le64_load(data);
    high = le64_load(data + 8);
    inspect_object(in, NULL);
    iommu_inspect_requester(in, "requester", (uint16_t)FIELD_GET(PRD_RID, low));
    inspect_hex(in, "address", high & ~low_mask(12));
    if (low & PRD_PP)
        inspect_number(in, "pasid", FIELD_GET(PRD_PASID, low));
    inspect_number(in, "group", FIELD_GET(PRD_GROUP, high));
    inspect_text(in, "wants", "%s%s%s%s", high & PRD_READ ? "r" : "", high & PRD_WRITE ? "w" : "",
                 low & PRD_EXE ? "x" : "", low & PRD_PRIV ? " privileged" : "");
    inspect_flag(in, "last", high & PRD_LAST);
    inspect_object_end(in);
}

void vtd_inspect_pages(const struct vtd *vtd, const struct inspect *in)
{
    uint64_t head, tail, base;

    if (!vtd_takes_page_requests(vtd))
        return;
    head = queue_offset(vtd, VTD_PQH);
    tail = queue_offset(vtd, VTD_PQT);
    base = reg_get(vtd->regs, VTD_PQA) & ~low_mask(12);
    inspect_object(in, "page-requests");
    inspect_hex(in, "base", base);
    inspect_number(in, "entries", queue_bytes(vtd) / ENTRY_BYTES);
    inspect_hex(in, "head", head);
    inspect_hex(in, "tail", tail);
    inspect_flag(in, "pending", reg_get(vtd->regs, VTD_PRS) & PRS_PPR);
    inspect_flag(in, "overflow", reg_get(vtd->regs, VTD_PRS) & PRS_PRO);
    inspect_number(in, "received", vtd->page_counts.received);
    inspect_number(in, "overflowed", vtd->page_counts.overflowed);
    inspect_number(in, "refused", vtd->page_counts.refused);
    inspect_number(in, "responses", vtd->page_counts.responses);
    inspect_list(in, "queued");
    for (unsigned rows = 0; head != tail && rows < INSPECT_ROWS_MAX; rows++) {
        inspect_entry(vtd, in, base + head);
        head = (head + ENTRY_BYTES) & (queue_bytes(vtd) - 1);
    }
    inspect_list_end(in);
    inspect_object_end(in);
}

/* Registers. */

static void status_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    (void)offset;
    if (!write->new_value)
        reg_update(space, VTD_PECTL, VTD_EVENT_IP, 0);
}

static void event_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    (void)write;
    vtd_event_unmasked(reg_space_owner(space), offset);
}

#define DOC "VT-d 4.1, 11.4.11"

/* clang-format off */
static const struct reg_def page_defs[] = {
    {.name = "pqh", .clause = DOC, .offset = VTD_PQH, .width = 8, .rw = PQ_OFFSET},
    {.name = "pqt", .clause = DOC, .offset = VTD_PQT, .width = 8, .rw = PQ_OFFSET},
    {.name = "pqa", .clause = DOC, .offset = VTD_PQA, .width = 8, .rw = ~0xfffULL | PQA_SIZE},
    {.name = "prs", .clause = DOC, .offset = VTD_PRS, .width = 4, .rw1c = PRS_PPR | PRS_PRO,
     .sticky = PRS_PPR | PRS_PRO, .on_write = status_written},
    {.name = "pectl", .clause = DOC, .offset = VTD_PECTL, .width = 4, .reset = VTD_EVENT_IM,
     .rw = VTD_EVENT_IM, .on_write = event_written},
    {.name = "pedata", .clause = DOC, .offset = VTD_PEDATA, .width = 4, .rw = 0xffff},
    {.name = "peaddr", .clause = DOC, .offset = VTD_PEADDR, .width = 4, .rw = 0xfffffffc},
    {.name = "peuaddr", .clause = DOC, .offset = VTD_PEUADDR, .width = 4, .rw = 0xffffffff},
};
/* clang-format on */

void vtd_pages_place(struct vtd *vtd)
{
    if (!vtd_takes_page_requests(vtd))
        return;
    reg_space_place(vtd->regs, 0, page_defs, ARRAY_LEN(page_defs));
    reg_set_rw_mask(vtd->regs, VTD_PQA, (~0xfffULL & vtd_host_mask(vtd)) | PQA_SIZE);
}
