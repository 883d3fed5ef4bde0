/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A function with Address Translation Services and Page Requests, and a Translation Agent that does
 * what a test wants. */
#ifndef PCILAB_TESTS_ENDPOINT_AGENT_H
#define PCILAB_TESTS_ENDPOINT_AGENT_H

#include "pcilab/pci/config.h"
#include "rig.h"

#define RP       RIG_CFG(0, 1, 0, 0)
#define EP       RIG_CFG(1, 0, 0, 0)
#define PAGES    16 /* the untranslated addresses IOVA to IOVA + PAGES * 4 KiB */
#define IOVA     0x7f0000000000ULL
#define PAGE     4096u
#define KEPT_MAX 16
#define READ     1
#define WRITE    2
#define UNTRANS  4
#define EXECUTE  8

struct agent {
    struct rig *rig;
    struct root_port *rp;
    struct probe *probe;
    struct endpoint_func *func;
    /* The tables: where a page is and what is allowed. */
    struct {
        uint64_t addr;
        unsigned shift, rights;
    } page[PAGES];
    uint32_t pasid;          /* that they are of; 0: of requests without one */
    enum tlp_status refusal; /* of Translation Requests, if not TLP_SC */
    bool hold;               /* keep Translation Requests, and reads */
    struct tlp *kept[KEPT_MAX];
    unsigned kept_count;
    /* What was seen. */
    unsigned requests, last_pages, translated, untranslated;
    uint64_t last_addr;
    uint64_t last_untranslated;
    bool last_nw;
    uint32_t done_itags[8];
    unsigned dones, done_count, done_tc[8];
    struct ats_page_request page_request[KEPT_MAX];
    struct tlp_pasid page_pasid;
    unsigned page_requests;
};

void agent_let_go(struct agent *b);
uint64_t agent_cap(const struct agent *b, unsigned offset);
void agent_set_ats(struct agent *b, bool on);
void agent_set_pri(struct agent *b, unsigned control, unsigned allocation);
void agent_set_pasid(struct agent *b, unsigned control);
unsigned agent_pri_status(struct agent *b);
struct agent *agent_new(unsigned entries, unsigned pages);
void agent_free(struct agent *b);
struct probe_dma agent_op(enum dma_kind kind, unsigned page, void *buf, unsigned len);
enum dma_status agent_run(struct agent *b, struct probe_dma dma);
void agent_invalidate(struct agent *b, unsigned itag, uint64_t addr, unsigned shift,
                      const struct tlp_pasid *pasid, bool global);
void agent_respond(struct agent *b, unsigned group, unsigned code);

#endif
