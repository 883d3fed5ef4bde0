/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent.h"

#include <glib.h>
#include <string.h>

static bool is_ours(const struct agent *b, const struct tlp *tlp)
{
    struct tlp_pasid pasid;

    return (tlp_get_pasid(tlp, &pasid) ? pasid.pasid : 0) == b->pasid;
}

static void give_translations(struct agent *b, struct tlp *request)
{
    unsigned wanted = request->length_dw / 2, count = 0;
    uint64_t addr = request->addr;
    uint8_t data[64];
    struct tlp *cpl;

    if (b->refusal) {
        root_answer(b->rig->rc, request,
                    tlp_new_completion(request, (struct pci_rid){0}, b->refusal, 0));
        return;
    }
    while (count < wanted) {
        uint64_t page = (addr - IOVA) / PAGE;
        struct ats_translation to = {.shift = 12};

        if (page < PAGES && is_ours(b, request) && b->page[page].rights) {
            to.shift = (uint8_t)b->page[page].shift;
            to.addr = b->page[page].addr;
            to.read = b->page[page].rights & READ;
            to.write = (b->page[page].rights & WRITE) != 0;
            to.untranslated = (b->page[page].rights & UNTRANS) != 0;
            to.execute = (b->page[page].rights & EXECUTE) != 0;
        } else if (count) {
            break; /* fewer than asked for */
        }
        ats_encode_translation(&to, data + 8 * count++);
        addr = (addr | low_mask(to.shift)) + 1;
    }
    cpl = tlp_new_completion(request, (struct pci_rid){0}, TLP_SC, 2 * count);
    cpl->byte_count = (uint16_t)(8 * count);
    cpl->lower_addr = 0;
    memcpy(cpl->data, data, 8 * count);
    root_answer(b->rig->rc, request, cpl);
}

static void translate(void *opaque, struct root_complex *rc, struct tlp *tlp)
{
    struct agent *b = opaque;
    bool hold = b->hold && !tlp_is_posted(tlp);

    if (tlp_is_translation_request(tlp)) {
        b->requests++;
        b->last_pages = tlp->length_dw / 2;
        b->last_addr = tlp->addr;
        b->last_nw = tlp->nw;
        ck_assert_uint_eq(tlp->addr % PAGE, 0);
    } else if (tlp->at == TLP_AT_TRANSLATED) {
        b->translated++;
    } else {
        b->untranslated++;
        b->last_untranslated = tlp->addr;
    }
    if (hold) {
        ck_assert_uint_lt(b->kept_count, KEPT_MAX);
        b->kept[b->kept_count++] = tlp;
    } else if (tlp_is_translation_request(tlp)) {
        give_translations(b, tlp);
    } else {
        if (tlp->at == TLP_AT_UNTRANSLATED && tlp->addr >= IOVA)
            tlp->addr = b->page[(tlp->addr - IOVA) / PAGE].addr + tlp->addr % PAGE;
        root_translated(rc, tlp, true);
    }
}

void agent_let_go(struct agent *b)
{
    unsigned count = b->kept_count;

    b->kept_count = 0;
    b->hold = false;
    for (unsigned i = 0; i < count; i++) {
        if (tlp_is_translation_request(b->kept[i]))
            give_translations(b, b->kept[i]);
        else
            root_translated(b->rig->rc, b->kept[i], true);
    }
    rig_settle(b->rig);
}

static bool hear(void *opaque, struct root_complex *rc, const struct tlp *tlp)
{
    struct agent *b = opaque;

    (void)rc;
    if (tlp->msg_code == TLP_MSG_INVALIDATE_DONE) {
        ck_assert_uint_lt(b->dones, 8);
        b->done_itags[b->dones] = ats_done_itags(tlp);
        b->done_tc[b->dones++] = tlp->tc;
        b->done_count = ats_done_count(tlp);
    } else {
        ck_assert_uint_lt(b->page_requests, KEPT_MAX);
        b->page_pasid = (struct tlp_pasid){0};
        (void)tlp_get_pasid(tlp, &b->page_pasid);
        ats_decode_page_request(tlp, &b->page_request[b->page_requests++]);
    }
    return true;
}

uint64_t agent_cap(const struct agent *b, unsigned offset)
{
    (void)b;
    return EP + offset;
}

void agent_set_ats(struct agent *b, bool on)
{
    rig_cfg_write(b->rig, agent_cap(b, b->probe->func[0].pci->ext_ats + PCI_ATS_CONTROL), 2,
                  on ? PCI_ATS_CONTROL_ENABLE : 0);
}

void agent_set_pri(struct agent *b, unsigned control, unsigned allocation)
{
    unsigned pri = b->probe->func[0].pci->ext_pri;

    rig_cfg_write(b->rig, agent_cap(b, pri + PCI_PRI_ALLOCATION), 4, allocation);
    rig_cfg_write(b->rig, agent_cap(b, pri + PCI_PRI_CONTROL), 2, control);
}

void agent_set_pasid(struct agent *b, unsigned control)
{
    rig_cfg_write(b->rig, agent_cap(b, b->probe->func[0].pci->ext_pasid + PCI_PASID_CONTROL), 2,
                  control);
}

unsigned agent_pri_status(struct agent *b)
{
    return rig_cfg_read(b->rig, agent_cap(b, b->probe->func[0].pci->ext_pri + PCI_PRI_STATUS), 2);
}

struct agent *agent_new(unsigned entries, unsigned pages)
{
    static const struct rig_windows windows = {.secondary = 1,
                                               .subordinate = 1,
                                               .mem_base = 0xe0000000,
                                               .mem_limit = 0xe00fffff,
                                               .pref_base = 0x100000,
                                               .pref_limit = 0,
                                               .io_base = 0x1000,
                                               .io_limit = 0};
    const struct probe_map map = {.bar0 = 0xe0000000, .bar4 = 0xe0010000, .command = 6};
    const struct endpoint_ats_params ats = {
        .entries = entries, .pages = pages, .cap = {.queue_depth = 32, .global = true}};
    const struct probe_params params = {
        .functions = 1, .type = PCIE_ENDPOINT, .ats = &ats, .page_requests = 4};
    struct agent *b = g_new0(struct agent, 1);
    const struct root_translator translator = {
        .translate = translate, .message = hear, .opaque = b};

    b->rig = rig_new();
    b->rp = rig_root_port(b->rig, 1, 0);
    b->probe = probe_new(b->rig, "probe", &params);
    b->func = b->probe->func[0].func;
    link_connect(root_port_link(b->rp), endpoint_port(b->probe->ep));
    rig_program_bridge(b->rig, RP, &windows);
    probe_program(b->rig, EP, &map);
    root_complex_set_translator(b->rig->rc, &translator);
    for (unsigned i = 0; i < PAGES; i++) {
        b->page[i].addr = 0x10000 + i * PAGE;
        b->page[i].shift = 12;
        b->page[i].rights = READ | WRITE;
    }
    agent_set_ats(b, true);
    return b;
}

void agent_free(struct agent *b)
{
    rig_settle(b->rig);
    probe_free(b->probe);
    rig_free(b->rig);
    g_free(b);
}

struct probe_dma agent_op(enum dma_kind kind, unsigned page, void *buf, unsigned len)
{
    return (struct probe_dma){
        .op = {
            .kind = kind, .addr = IOVA + page * PAGE, .len = len, .buf = buf, .translate = true}};
}

enum dma_status agent_run(struct agent *b, struct probe_dma dma)
{
    return probe_dma(b->rig, &b->probe->func[0], &dma);
}

void agent_invalidate(struct agent *b, unsigned itag, uint64_t addr, unsigned shift,
                      const struct tlp_pasid *pasid, bool global)
{
    const struct ats_invalidation what = {
        .addr = addr, .shift = (uint8_t)shift, .itag = (uint8_t)itag, .global = global};
    struct tlp *tlp = ats_new_invalidate(b->rig->fabric->pool, b->probe->func[0].pci->rid, &what);

    if (pasid)
        tlp_set_pasid(tlp, pasid);
    root_send_message(b->rig->rc, tlp);
    rig_settle(b->rig);
}

void agent_respond(struct agent *b, unsigned group, unsigned code)
{
    root_send_message(b->rig->rc,
                      ats_new_page_response(b->rig->fabric->pool, b->probe->func[0].pci->rid,
                                            (uint16_t)group, (uint8_t)code));
    rig_settle(b->rig);
}
