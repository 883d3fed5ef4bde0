/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The laboratory as a Translation Agent. */
#include "ats_agent.h"

#include "pcilab/base/le.h"

#define MSG_INVALIDATE 0x01
#define MSG_DONE       0x02
#define MSG_PAGE       0x04
#define MSG_RESPONSE   0x05
#define AT_REQUEST     1
#define ATS_CONTROL    6

static bool is_kind(const struct tlp *tlp, enum ats_kind kind)
{
    bool memory = tlp->type <= TLP_CAS, message = tlp->type == TLP_MSG || tlp->type == TLP_MSGD;

    switch (kind) {
    case ATS_LOOKUP: return memory && tlp->at == AT_REQUEST;
    case ATS_ACCESS: return memory && tlp->at != AT_REQUEST;
    case ATS_PAGE_REQUEST: return message && tlp->msg_code == MSG_PAGE;
    case ATS_DONE: return message && tlp->msg_code == MSG_DONE;
    }
    return false;
}

static bool is_ours(void *opaque, const struct port *sender, const struct tlp *tlp)
{
    return is_kind(tlp, ATS_LOOKUP) || is_kind(tlp, ATS_PAGE_REQUEST) || is_kind(tlp, ATS_DONE);
}

bool ats_begin(struct ats_agent *a, struct lab *lab, const char *name)
{
    struct inject_rule rule = {
        .name = "ats",
        .action = INJECT_DROP,
        .match = {.sender = machine_port(lab->machine, name), .accepts = is_ours}};

    *a = (struct ats_agent){.t = lab->t, .lab = lab, .name = name};
    if (!lab_func(lab, name)->ext_ats) {
        t_skip(lab->t, "%s has no Address Translation Services", name);
        return false;
    }
    inject_add(lab->inject, &rule);
    return true;
}

void ats_enable(struct ats_agent *a, bool on)
{
    lab_set_cfg(a->lab, a->name, lab_func(a->lab, a->name)->ext_ats + ATS_CONTROL, 2,
                on ? 0x8000 : 0);
}

void ats_start(struct ats_agent *a, const struct lab_dma *dma)
{
    struct lab_dma with = *dma;

    with.attr |= EXERCISER_ATTR_ATS;
    a->next = a->lab->seen->len;
    lab_dma_start(a->lab, a->name, &with);
}

unsigned ats_end(struct ats_agent *a, const struct lab_dma *dma)
{
    return lab_dma_end(a->lab, a->name, dma);
}

bool ats_begin_dma(struct ats_agent *a, struct lab *lab, const struct lab_dma *dma)
{
    if (!ats_begin(a, lab, lab->ex))
        return false;
    ats_enable(a, true);
    ats_start(a, dma);
    t_check(a->t, ats_next(a, ATS_LOOKUP), "there is no Translation Request");
    return !t_failed(a->t);
}

const struct tlp *ats_next(struct ats_agent *a, enum ats_kind kind)
{
    struct lab *lab = a->lab;

    /* An invalidation may take its time (10.3.1: up to a minute). */
    lab_run_us(lab, kind == ATS_DONE ? 2000 : 20);
    while (a->next < lab->seen->len) {
        const struct lab_seen *seen = &g_array_index(lab->seen, struct lab_seen, a->next++);

        if (seen->sender == machine_port(lab->machine, a->name) && is_kind(&seen->tlp, kind) &&
            seen->tlp.requester.v == lab_func(lab, a->name)->rid.v) {
            a->found = seen->tlp;
            return &a->found;
        }
    }
    return NULL;
}

/* 10.2.3.2: with S, the lowest bit from 12 on that is 0 says how long the range is. */
uint64_t ats_range(uint64_t addr, uint64_t bytes, unsigned bits)
{
    addr &= ~(bytes - 1);
    return bytes > 0x1000 ? addr | ((bytes / 2 - 1) & ~0xfffull) | ATS_S | bits : addr | bits;
}

static void send(struct ats_agent *a, struct tlp *tlp)
{
    inject_emit(machine_port_above(a->lab->machine, a->name), tlp);
    lab_run_us(a->lab, 10);
}

static void store_word(struct tlp *tlp, unsigned index, uint64_t word)
{
    le64_store(tlp->data + 8 * index, __builtin_bswap64(word));
}

void ats_answer(struct ats_agent *a, const uint64_t *translations, unsigned count)
{
    struct tlp *tlp;

    if (!a->found.pool) /* there was no request, and that has failed */
        return;
    tlp = tlp_new_completion(&a->found, (struct pci_rid){0}, TLP_SC, 2 * count);
    tlp->byte_count = (uint16_t)(8 * count);
    tlp->lower_addr = 0;
    for (unsigned i = 0; i < count; i++)
        store_word(tlp, i, translations[i]);
    send(a, tlp);
}

void ats_give(struct ats_agent *a, uint64_t translation)
{
    ats_answer(a, &translation, 1);
}

void ats_refuse(struct ats_agent *a, enum tlp_status status)
{
    if (a->found.pool)
        send(a, tlp_new_completion(&a->found, (struct pci_rid){0}, status, 0));
}

static struct tlp *message(struct ats_agent *a, unsigned code, uint64_t bytes_10_15, unsigned dw)
{
    struct tlp *tlp = lab_tlp(a->lab, dw ? TLP_MSGD : TLP_MSG, dw);

    tlp->requester = (struct pci_rid){0};
    tlp->dest = lab_func(a->lab, a->name)->rid;
    tlp->msg_code = (uint8_t)code;
    tlp->msg_routing = TLP_MSG_BY_ID;
    tlp->msg_bytes_8_15 = (uint64_t)tlp->dest.v << 48 | bytes_10_15;
    return tlp;
}

void ats_invalidate(struct ats_agent *a, unsigned itag, uint64_t range, uint32_t pasid)
{
    struct tlp *tlp = message(a, MSG_INVALIDATE, 0, 2);

    tlp->tag = (uint16_t)itag;
    store_word(tlp, 0, range);
    if (pasid)
        tlp_add_prefix(tlp, pasid);
    send(a, tlp);
}

void ats_respond(struct ats_agent *a, unsigned group, unsigned code, uint32_t pasid)
{
    struct tlp *tlp = message(a, MSG_RESPONSE, (uint64_t)code << 44 | (uint64_t)group << 32, 0);

    if (pasid)
        tlp_add_prefix(tlp, pasid);
    send(a, tlp);
}

uint32_t ats_prefix(const struct tlp *tlp)
{
    for (unsigned i = 0; i < tlp->prefix_count; i++) {
        if (tlp->prefix[i] >> 24 == 0x91)
            return tlp->prefix[i];
    }
    return 0;
}
