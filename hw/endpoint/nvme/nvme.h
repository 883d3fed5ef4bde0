/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of an NVMe controller, shared by the files of this folder.
 *
 *   nvme.c      the PCI function, the controller's properties, enable, reset, shutdown
 *   queue.c     queues, doorbells, arbitration, fetching, completing
 *   irq.c       interrupts: vectors, masks, coalescing, INTx
 *   transfer.c  PRPs and the data of one command, in chunks
 *   admin.c     admin commands; identify.c, feature.c, log.c and event.c are parts of it
 *   nvm.c       the NVM command set
 *
 * A command lives in a context (struct nvme_cmd) from a fixed pool:
 *
 *   FREE -> FETCHING -> WAITING -> RUNNING -> POSTING -> FREE
 *
 * FETCHING reads its entry from host memory, WAITING is the device's own latency, RUNNING moves
 * data, POSTING writes the completion entry. Every step that touches host memory is a dma_op whose
 * done() takes the next step, so that nothing waits inside anything.
 *
 * Invariants
 * - cmd->dma counts the dma_ops of a command that are under way. A command whose `dead` is set
 *   (its controller was disabled) only waits for that to become 0.
 * - For each completion queue, used + reserved < size: an entry is reserved when a command is
 *   fetched, so a completion always has its place.
 * - sq->cmds lists the contexts in all states but FREE that came from this queue.
 */
#ifndef PCILAB_HW_NVME_H
#define PCILAB_HW_NVME_H

#include <assert.h>
#include <glib.h>

#include "pcilab/base/le.h"
#include "pcilab/endpoint/devices.h"
#include "pcilab/endpoint/nvme_spec.h"

#define NVME_IO_QUEUES_MAX 64
#define NVME_QUEUES_MAX    (NVME_IO_QUEUES_MAX + 1)
/* Commands under way at most; admin commands have contexts of their own, so that I/O queues
 * cannot starve them. */
#define NVME_IO_CMDS    64
#define NVME_ADMIN_CMDS 12
#define NVME_CMDS       (NVME_IO_CMDS + NVME_ADMIN_CMDS)
#define NVME_AER_MAX    4
#define NVME_ABORT_MAX  4

#define NVME_PAGE_BYTES        4096 /* smallest memory page; unit of MDTS */
#define NVME_MPSMAX            4    /* 64 KiB */
#define NVME_MDTS              8    /* 1 MiB */
#define NVME_QUEUE_ENTRIES_MAX 4096
#define NVME_CHUNK_BYTES       65536
#define NVME_CHUNK_SEGS        17 /* pages of 4 KiB that 64 KiB at any offset can touch */
#define NVME_LIST_ENTRIES      256

#define NVME_LBA_SHIFT  9
#define NVME_NAMESPACES 1

#define NVME_ERROR_LOG_ENTRIES 64
#define NVME_FIRMWARE          "0.1     " /* 8 characters */
#define NVME_FEATURE_IDS       16         /* above all of enum nvme_fid */

struct nvme;
struct nvme_cmd;

enum nvme_cmd_state {
    NVME_CMD_FREE,
    NVME_CMD_FETCHING,
    NVME_CMD_WAITING,
    NVME_CMD_RUNNING,
    NVME_CMD_POSTING,
};

/* What there is to know of an opcode. */
struct nvme_opcode {
    const char *name;
    const char *clause;
    uint8_t opcode;
    uint32_t effects;
    uint64_t latency_ps;
    void (*run)(struct nvme_cmd *cmd);
};

/* Moves `len` bytes at position `pos` of the command's data: into cmd->buf for data to the host,
 * out of it for data from the host. Returns a status. */
typedef uint16_t (*nvme_chunk_fn)(struct nvme_cmd *cmd, uint32_t pos, uint32_t len);

struct nvme_transfer {
    bool to_host;
    uint32_t len;    /* bytes in all */
    uint32_t pos;    /* bytes of finished chunks */
    uint32_t chunk;  /* bytes of this one */
    uint32_t mapped; /* bytes for which the PRPs were walked */
    uint64_t page_addr;
    uint32_t page_left;
    uint64_t list_next; /* where more PRP entries are */
    unsigned list_pos, list_len;
    bool list_chained; /* the entry after the last is a pointer to the next list */
    unsigned segs;
    bool failed;
    nvme_chunk_fn move;
    void (*done)(struct nvme_cmd *cmd);
};

struct nvme_cmd {
    struct nvme *ctrl;
    struct nvme_sq *sq;
    struct nvme_cmd *next, *prev; /* free list (next only), or sq->cmds */
    enum nvme_cmd_state state;
    bool dead;
    unsigned dma;
    const struct nvme_opcode *op;
    uint16_t status; /* found at fetch time */
    uint16_t cid;
    uint64_t result; /* doublewords 0 and 1 of the completion */
    uint32_t nsid;
    uint64_t lba; /* NVM commands; error log */
    uint64_t blocks;
    unsigned range; /* Dataset Management: the one at work */
    struct sim_event timer;
    void (*resume)(struct nvme_cmd *cmd); /* where the timer leads when RUNNING */
    struct dma_op fetch_op;               /* entry, PRP list, completion */
    struct dma_op seg[NVME_CHUNK_SEGS];
    struct nvme_transfer xfer;
    uint8_t sqe[NVME_SQE_BYTES];
    uint8_t cqe[NVME_CQE_BYTES];
    uint8_t list[(NVME_LIST_ENTRIES + 1) * 8];
    uint8_t *buf; /* NVME_CHUNK_BYTES */
};

struct nvme_cq {
    bool exists;
    bool irq_enabled;
    bool phase;
    uint16_t qid, vector;
    uint32_t size;
    uint32_t head, tail;
    uint32_t reserved;
    unsigned users; /* submission queues */
    uint64_t base;
};

struct nvme_sq {
    bool exists;
    uint16_t qid;
    struct nvme_cq *cq;
    uint32_t size;
    uint32_t head, tail;
    uint64_t base;
    struct nvme_cmd *cmds;
    struct nvme_cmd *deleter; /* the Delete I/O Submission Queue command that waits for cmds */
};

struct nvme_vector {
    struct nvme *ctrl;
    struct sim_event timer; /* aggregation time */
    unsigned held;          /* completions without an interrupt so far */
    bool no_coalescing;
};

enum nvme_state {
    NVME_DISABLED,
    NVME_ENABLING,
    NVME_READY,
    NVME_DISABLING, /* waits for DMA to end, then for the timer */
    NVME_FATAL,     /* CSTS.CFS: nothing but a reset helps */
};

enum nvme_irq_mode { NVME_IRQ_INTX, NVME_IRQ_MSI, NVME_IRQ_MSIX };

struct nvme_namespace {
    uint32_t nsid;
    uint64_t blocks;
    bool write_protected;
    struct nvme_storage storage;
    uint8_t uuid[16];
};

struct nvme_error {
    uint64_t count; /* 0: unused */
    uint16_t sqid, cid, status;
    uint64_t lba;
    uint32_t nsid;
};

/* Counted from power-on of the model; survive every reset. Base 5.16.1.3 */
struct nvme_smart {
    uint64_t read_blocks, written_blocks;
    uint64_t reads, writes;
    uint64_t busy_ps, busy_since_ps;
    uint64_t power_cycles, unsafe_shutdowns, media_errors;
};

struct nvme {
    struct endpoint_func *func;
    struct pci_func *pci;
    struct sim *sim;
    struct reg_space *regs;
    char *name, *serial;
    unsigned io_queues;

    enum nvme_state state;
    struct sim_event state_timer, shutdown_timer, arbiter;
    unsigned live_dma; /* over all commands */
    uint32_t page_bytes;

    struct nvme_sq sq[NVME_QUEUES_MAX];
    struct nvme_cq cq[NVME_QUEUES_MAX];
    unsigned io_queues_made; /* SQs and CQs but for the admin's */
    unsigned next_sq, burst_left;

    struct nvme_cmd *cmds; /* NVME_CMDS */
    uint8_t *buffers;      /* of all commands, and one for comparing */
    uint8_t *scratch;
    struct nvme_cmd *free_cmds;
    unsigned io_cmds, admin_cmds;

    enum nvme_irq_mode irq_mode;
    uint32_t irq_mask; /* INTMS, INTMC */
    struct nvme_vector vector[NVME_QUEUES_MAX];

    uint32_t feature[NVME_FEATURE_IDS];
    uint32_t temp_under, temp_over;
    struct nvme_cmd *aer[NVME_AER_MAX];
    unsigned aers;
    uint8_t event_pending[NVME_EVENT_TYPES]; /* bit: information code */
    bool event_masked[NVME_EVENT_TYPES];     /* until the log page is read */
    uint8_t warning;                         /* SMART critical warning */
    uint8_t warned;                          /* ... for which an event was raised */

    struct nvme_error error[NVME_ERROR_LOG_ENTRIES];
    uint64_t errors;
    struct nvme_smart smart;
    struct nvme_namespace ns[NVME_NAMESPACES];
    char subnqn[80];
    const struct nvme_opcode *admin_op[256], *io_op[256];
    uint8_t page[NVME_PAGE_BYTES]; /* where log pages are put together */
};

static inline uint32_t nvme_dword(const struct nvme_cmd *cmd, unsigned offset)
{
    return le32_load(cmd->sqe + offset);
}

/* nvme.c */
bool nvme_running(const struct nvme *ctrl); /* commands are fetched */
void nvme_fatal(struct nvme *ctrl, const char *why);
void nvme_rule(struct nvme *ctrl, const char *what, uint64_t value);
void nvme_dma_drained(struct nvme *ctrl);
struct nvme_namespace *nvme_find_namespace(struct nvme *ctrl, uint32_t nsid);

/* queue.c */
void nvme_queues_init(struct nvme *ctrl);
void nvme_queues_enable(struct nvme *ctrl);
/* Drops all commands and queues; with dma_gone none of their dma_ops will ever be done. */
void nvme_queues_disable(struct nvme *ctrl, bool dma_gone);
void nvme_doorbell(struct nvme *ctrl, uint64_t offset, uint32_t value);
void nvme_kick(struct nvme *ctrl);
void nvme_dma(struct nvme_cmd *cmd, struct dma_op *op);
/* First thing in every done(): false when the command is dead and nothing is to be done. */
bool nvme_dma_done(struct nvme_cmd *cmd);
void nvme_complete(struct nvme_cmd *cmd, uint16_t status);
static inline uint32_t nvme_cq_used(const struct nvme_cq *cq)
{
    return (cq->tail + cq->size - cq->head) % cq->size;
}
static inline bool nvme_cq_has_room(const struct nvme_cq *cq)
{
    return nvme_cq_used(cq) + cq->reserved + 1 < cq->size;
}
void nvme_sq_drained(struct nvme_sq *sq);

/* irq.c */
void nvme_irq_init(struct nvme *ctrl);
void nvme_irq_reset(struct nvme *ctrl);
void nvme_irq_update_mode(struct nvme *ctrl);
void nvme_irq_update_intx(struct nvme *ctrl);
void nvme_irq_raise(struct nvme *ctrl, struct nvme_cq *cq); /* an entry was posted */
void nvme_irq_set_mask(struct nvme *ctrl, uint32_t mask);
unsigned nvme_irq_vectors(const struct nvme *ctrl); /* numbers that a queue may have now */

/* transfer.c */
void nvme_transfer_start(struct nvme_cmd *cmd, bool to_host, uint32_t len, nvme_chunk_fn move,
                         void (*done)(struct nvme_cmd *cmd));
void nvme_transfer_complete(struct nvme_cmd *cmd); /* a done() that completes with success */

/* admin.c */
extern const struct nvme_opcode nvme_admin_opcodes[];
extern const unsigned nvme_admin_opcode_count;
void nvme_identify(struct nvme_cmd *cmd); /* identify.c */
void nvme_identify_init(struct nvme *ctrl);
void nvme_set_features(struct nvme_cmd *cmd); /* feature.c */
void nvme_get_features(struct nvme_cmd *cmd);
void nvme_features_reset(struct nvme *ctrl);
uint32_t nvme_feature(const struct nvme *ctrl, enum nvme_fid fid);
void nvme_features_list(uint8_t page[NVME_PAGE_BYTES]); /* log page 12h */
void nvme_get_log_page(struct nvme_cmd *cmd);           /* log.c */
void nvme_log_error(struct nvme *ctrl, const struct nvme_error *error);
uint16_t nvme_temperature(const struct nvme *ctrl);  /* kelvins */
void nvme_async_event_request(struct nvme_cmd *cmd); /* event.c */
bool nvme_aer_abort(struct nvme *ctrl, uint16_t cid);
void nvme_event(struct nvme *ctrl, enum nvme_event_type type, unsigned info);
void nvme_event_clear(struct nvme *ctrl, enum nvme_event_type type);
void nvme_events_deliver(struct nvme *ctrl);
void nvme_events_reset(struct nvme *ctrl);
void nvme_warning_update(struct nvme *ctrl);

/* nvm.c */
extern const struct nvme_opcode nvme_io_opcodes[];
extern const unsigned nvme_io_opcode_count;

#endif
