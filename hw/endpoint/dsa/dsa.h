/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of a Data Streaming Accelerator, and what its files ask of one another. */
#ifndef PCILAB_HW_ENDPOINT_DSA_DSA_H
#define PCILAB_HW_ENDPOINT_DSA_DSA_H

#include "pcilab/base/le.h"
#include "pcilab/endpoint/dsa.h"
#include "pcilab/pci/ats.h"
#include "pcilab/reg/reg.h"
#include "pcilab/sim/sim.h"
#include "pcilab/trace/trace.h"
#include "spec.h"

#define DSA_GROUPS      4
#define DSA_ENTRIES     128 /* of all work queues together */
#define DSA_BUFFERS     96  /* read buffers, which are only counted */
#define DSA_SLICE_BYTES 0x10000u
#define DSA_FETCH       16 /* descriptors of a batch that are read at once */

struct dsa;

/* A descriptor, with what everybody asks of it in handier form. */
struct dsa_desc {
    uint8_t raw[DSA_DESC_BYTES];
    uint8_t opcode;
    uint32_t flags;
    uint32_t size;
    uint64_t record; /* address of the completion record */
    bool has_pasid;
    struct tlp_pasid pasid;
};

struct dsa_entry {
    uint8_t raw[DSA_DESC_BYTES];
    uint64_t seq; /* order of arrival at the device */
    bool ims;     /* came through a portal for the Interrupt Message Store */
};

enum dsa_wq_state { DSA_WQ_OFF, DSA_WQ_ON, DSA_WQ_STOPPING };

struct dsa_wq {
    struct dsa *dev;
    unsigned number;
    enum dsa_wq_state state;
    struct dsa_entry ring[DSA_ENTRIES];
    unsigned head, count;
    unsigned credit; /* turns that are left to it in this round of its group */
};

/* What a completion record will say. */
struct dsa_outcome {
    uint8_t status, result;
    uint32_t count;
    uint64_t fault;
    uint8_t specific[16];
};

enum dsa_stage {
    DSA_IDLE,
    DSA_STARTING,
    DSA_SEEDING,  /* reading a CRC's seed */
    DSA_FETCHING, /* reading descriptors of a batch */
    DSA_MOVING,
    DSA_WAITING, /* a drain descriptor */
    DSA_RECORDING,
};

struct dsa_operation;

struct dsa_engine {
    struct dsa *dev;
    unsigned number;
    enum dsa_stage stage;
    struct sim_event timer;
    struct dma_op op;
    uint8_t *buffer[2]; /* DSA_SLICE_BYTES each */
    bool aborted;

    struct dsa_wq *wq;
    uint64_t seq;
    bool ims;
    struct dsa_desc desc; /* at work now */
    const struct dsa_operation *operation;
    struct dsa_outcome out;

    /* Moving: [done, done + slice) is under way, from the end if `backward`. */
    uint32_t done, slice;
    unsigned step;
    bool backward;
    bool stopped; /* the slice is the last: a fault or a result ends it */
    uint32_t crc;

    /* A batch, whose descriptors are `desc` one after the other. */
    bool in_batch, batch_failed;
    struct dsa_desc batch;
    uint32_t at; /* the next descriptor */
    uint32_t list_first, list_count;
    uint8_t list[DSA_FETCH * DSA_DESC_BYTES];
    uint8_t record[DSA_RECORD_BYTES];
};

/* Which descriptors a command is about. */
struct dsa_scope {
    uint32_t queues; /* bits */
    bool by_pasid;
    uint32_t pasid;
    uint64_t before; /* arrived earlier than this */
};

struct dsa {
    struct endpoint *ep;
    struct endpoint_func *func;
    struct pci_func *pci;
    struct sim *sim;
    struct reg_space *regs;
    unsigned queues, engines;
    bool ats;
    struct dsa_wq wq[DSA_QUEUES_MAX];
    struct dsa_engine engine[DSA_ENGINES_MAX];
    unsigned turn[DSA_GROUPS]; /* the queue that the group looks at first */
    uint64_t seq;
    struct sim_event command;
    struct dsa_scope scope;
    uint32_t crc_table[256];
};

/* regs.c */
void dsa_regs_place(struct dsa *dev);
/* What Reset Device resets. */
void dsa_regs_reset(struct dsa *dev);
const struct reg_def *dsa_registers(unsigned *count);
const struct reg_def *dsa_wq_registers(unsigned *count);
const struct reg_def *dsa_group_registers(unsigned *count);
void dsa_wq_regs_reset(struct dsa_wq *wq);

static inline uint32_t dsa_wq_get(const struct dsa_wq *wq, unsigned reg);
static inline unsigned dsa_state(const struct dsa *dev)
{
    return (unsigned)FIELD_GET(DSA_GENSTS_STATE, reg_get(dev->regs, DSA_GENSTS));
}

static inline uint64_t dsa_group_get(const struct dsa *dev, unsigned group, unsigned reg)
{
    return reg_get(dev->regs, DSA_GRPCFG + group * DSA_GRPCFG_STRIDE + reg);
}

static inline uint32_t dsa_wq_get(const struct dsa_wq *wq, unsigned reg)
{
    return (uint32_t)reg_get(wq->dev->regs, DSA_WQCFG + wq->number * DSA_WQCFG_STRIDE + reg);
}

/* The group of a queue or an engine; negative: none. */
int dsa_group_of(const struct dsa *dev, unsigned reg, unsigned number);
/* A cause of interrupts came up. */
void dsa_cause(struct dsa *dev, uint32_t cause, bool interrupt);
void dsa_rule(struct dsa *dev, const char *text);

/* wq.c */
/* A posted write to BAR 2. */
void dsa_portal_write(struct dsa *dev, uint64_t offset, const void *data, unsigned len);
/* A Deferrable Memory Write: must it be tried again later? If not, it comes. */
bool dsa_portal_defers(struct dsa *dev, uint64_t offset);
bool dsa_portal_deferred(struct dsa *dev, uint64_t offset, const void *data, unsigned len);
/* Gives idle engines something to do. */
void dsa_dispatch(struct dsa *dev);
/* Forgets what waits and is concerned. */
void dsa_wq_forget(struct dsa_wq *wq, const struct dsa_scope *scope);
bool dsa_wq_has(const struct dsa_wq *wq, const struct dsa_scope *scope);

/* command.c */
void dsa_command_written(struct reg_space *space, unsigned offset, const struct reg_write *write);
void dsa_command_init(struct dsa *dev);
/* Something ended: a command may have waited for it. */
void dsa_command_look(struct dsa *dev);
/* Everything stops until a Function Level Reset. */
void dsa_halt(struct dsa *dev);
bool dsa_scope_has(const struct dsa_scope *scope, const struct dsa_wq *wq, uint64_t seq,
                   uint32_t pasid);

/* check.c */
void dsa_desc_parse(struct dsa_desc *desc, const uint8_t *raw);
/* Whose descriptor it is, as its queue says. */
void dsa_desc_own(const struct dsa_wq *wq, struct dsa_desc *desc);
/* Does it ask for an interrupt that it may have? */
bool dsa_desc_interrupts(const struct dsa_engine *engine);
/* DSA_SUCCESS, or what is wrong; then *flags are those that are. */
enum dsa_status dsa_desc_check(struct dsa_engine *engine, uint32_t *flags);

/* engine.c */
void dsa_engine_init(struct dsa_engine *engine);
void dsa_engine_fini(struct dsa_engine *engine);
/* Drops all work; DMA has been dropped. */
void dsa_engine_reset(struct dsa_engine *engine);
void dsa_engine_start(struct dsa_engine *engine, struct dsa_wq *wq, const struct dsa_entry *entry);
/* Begins with engine->desc after a while; ends it. */
void dsa_engine_begin_soon(struct dsa_engine *engine);
void dsa_engine_end(struct dsa_engine *engine, enum dsa_status status);
/* It is over, with record and interrupt: on with the batch, or idle. */
void dsa_engine_over(struct dsa_engine *engine);
/* An access in the name of the descriptor; dma_done leads on by the stage. */
void dsa_engine_dma(struct dsa_engine *engine, enum dma_kind kind, uint64_t addr, uint8_t *buf,
                    uint32_t len);
/* The status of a failed access; and notes its address if it is a page fault. */
enum dsa_status dsa_engine_fault(struct dsa_engine *engine, enum dma_status status);
void dsa_engine_look(struct dsa_engine *engine);

/* move.c */
void dsa_move_begin(struct dsa_engine *engine);
void dsa_move_next(struct dsa_engine *engine);
void dsa_move_done(struct dsa_engine *engine, enum dma_status status);

/* batch.c */
void dsa_batch_begin(struct dsa_engine *engine);
void dsa_batch_fetched(struct dsa_engine *engine, enum dma_status status);
void dsa_batch_next(struct dsa_engine *engine);

/* record.c */
void dsa_record_write(struct dsa_engine *engine);
void dsa_record_done(struct dsa_engine *engine, enum dma_status status);

/* operation.c */
struct dsa_step {
    bool write;
    uint8_t addr;   /* where in the descriptor the address is */
    uint8_t buffer; /* which */
    uint32_t tc;    /* flag that selects the traffic class */
};

struct dsa_operation {
    uint8_t opcode;
    uint32_t flags;    /* allowed beside those of all, but for fences */
    uint32_t required; /* flags */
    uint64_t used;     /* bits: bytes of the descriptor beyond its first 40 that mean something */
    bool no_addr1, no_addr2, no_size; /* must be 0 */
    struct dsa_step step[3];
    unsigned steps, reads;
    bool touch; /* reads of no bytes, one a page */
    enum dsa_status (*check)(const struct dsa_desc *desc);
    void (*prepare)(struct dsa_engine *engine);
    bool seeded; /* with a CRC's seed */
    /* After the reads of a slice, before the writes; may set engine->stopped. */
    void (*work)(struct dsa_engine *engine);
    /* After the last slice; the status. */
    enum dsa_status (*finish)(struct dsa_engine *engine);
};

extern const struct dsa_operation dsa_operations[];
const struct dsa_operation *dsa_operation_find(unsigned opcode);
uint64_t dsa_operation_bits(void); /* those of OPCAP that are known, opcodes 0 to 63 */
void dsa_crc_init(struct dsa *dev);

#endif
