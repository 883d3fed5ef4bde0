/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of an NVM subsystem and its controllers, shared by the files of this folder.
 *
 *   nvme.c       making it; the PCI function of a controller, its resets
 *   property.c   a controller's properties: enable, disable, shutdown, NVM Subsystem Reset
 *   queue.c      queues, doorbells, fetching, completing
 *   arbiter.c    which queue is next
 *   irq.c        interrupts: vectors, masks, coalescing, INTx
 *   transfer.c   the data of one command, in chunks; PRPs; sgl.c: SGLs
 *   virt.c       secondary controllers and their resources
 *   memory.c     the controller memory buffer
 *   shadow.c     doorbells in host memory
 *   namespace.c  namespaces: where their blocks are, which controllers have them
 *   admin.c      admin commands; identify.c, feature.c, log.c, event.c, manage.c and format.c are
 *                parts of it
 *   nvm.c        the NVM command set; fused.c: Compare and Write as one
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
#define NVME_IO_CMDS    80 /* more than queues: each may hold half of a fused operation */
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

#define NVME_FORMATS         2 /* blocks of 512 and of 4096 bytes */
#define NVME_NAMESPACES      NVME_NAMESPACES_MAX
#define NVME_CONTROLLERS_MAX (1 + NVME_VFS_MAX) /* bits of nvme_namespace.attached */
#define NVME_ACWU_BLOCKS     16                 /* of any format they fit a chunk */

#define NVME_ERROR_LOG_ENTRIES 64
#define NVME_FIRMWARE          "0.1     " /* 8 characters */
#define NVME_FEATURE_IDS       16         /* above all of enum nvme_fid with a plain value */

struct nvme;
struct nvme_cmd;
struct nvme_subsys;
struct nvme_shadow;

enum nvme_cmd_state {
    NVME_CMD_FREE,
    NVME_CMD_FETCHING,
    NVME_CMD_WAITING,
    NVME_CMD_RUNNING,
    NVME_CMD_POSTING,
};

/* Who has a command. */
enum nvme_needs {
    NVME_ANY,
    NVME_PRIMARY,
    NVME_PRIMARY_WITH_VFS,
    NVME_WITH_SHADOW,
};

/* What there is to know of an opcode. */
struct nvme_opcode {
    const char *name;
    const char *clause;
    uint8_t opcode;
    uint32_t effects;
    uint64_t latency_ps;
    void (*run)(struct nvme_cmd *cmd);
    enum nvme_needs needs;
};

/* Moves `len` bytes at position `pos` of the command's data: into cmd->buf for data to the host,
 * out of it for data from the host. Returns a status. */
typedef uint16_t (*nvme_chunk_fn)(struct nvme_cmd *cmd, uint32_t pos, uint32_t len);

struct nvme_transfer {
    bool to_host;
    uint32_t len;    /* bytes in all */
    uint32_t pos;    /* bytes of finished chunks */
    uint32_t chunk;  /* bytes of this one */
    uint32_t mapped; /* bytes for which PRPs or the SGL were walked */
    uint64_t page_addr;
    uint32_t page_left;
    uint64_t list_next; /* where more PRP entries are */
    unsigned list_pos, list_len;
    bool list_chained; /* the entry after the last is a pointer to the next list */
    /* SGLs: page_addr and page_left are a data block's, list_* are descriptors. */
    bool sgl, sgl_first; /* the descriptor in the command */
    bool sgl_last;       /* in the last segment */
    bool bucket;         /* page_left bytes are for nobody */
    uint32_t segment_left;
    unsigned descs;
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
    uint32_t generation; /* of the namespace, when the command began */
    uint8_t lba_shift;
    uint8_t fuse;                     /* 0, or SQE_FUSE_FIRST, SQE_FUSE_SECOND */
    struct nvme_cmd *partner;         /* the other one of a fused operation, while there is one */
    uint32_t slot;                    /* in the submission queue */
    unsigned range;                   /* Dataset Management: the one at work */
    struct nvme_namespace *format_ns; /* being zeroed by this command */
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
    uint8_t class; /* enum nvme_class, with weighted round robin */
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

enum nvme_resource { NVME_QUEUES, NVME_INTERRUPTS, NVME_RESOURCES };

/* Queues that take turns: all of them, or those of a class (Base 2.0, 3.4.4). */
enum nvme_class { NVME_URGENT, NVME_HIGH, NVME_MEDIUM, NVME_LOW, NVME_CLASSES };

struct nvme_turn {
    unsigned next, burst_left;
    unsigned credits; /* of a weighted class */
};

enum nvme_state {
    NVME_DISABLED,
    NVME_ENABLING,
    NVME_READY,
    NVME_DISABLING, /* waits for DMA to end, then for the timer */
    NVME_FATAL,     /* CSTS.CFS: nothing but a reset helps */
};

enum nvme_irq_mode { NVME_IRQ_INTX, NVME_IRQ_MSI, NVME_IRQ_MSIX };

/*
 * The storage is handed out in granules, so that namespaces come and go in any order; `granule`
 * says where each part of a namespace is. `generation` changes with everything that makes commands
 * under way meaningless.
 */
struct nvme_namespace {
    struct nvme_subsys *subsys;
    uint32_t nsid;
    bool exists; /* allocated; no other member means anything otherwise, but for generation */
    bool shared;
    bool write_protected;
    bool formatting;
    uint8_t format;
    uint8_t lba_shift;
    uint32_t generation;
    uint64_t blocks;
    uint64_t bytes; /* allocated: blocks of either format fit */
    uint32_t *granule;
    unsigned granules;
    uint64_t attached[NVME_CONTROLLERS_MAX / 64];
    uint8_t uuid[16];
};

/* What all controllers of a device share. */
struct nvme_subsys {
    char *serial;
    char nqn[80];
    struct nvme_storage storage;
    unsigned granule_shift, granules;
    bool *granule_used;
    struct nvme_namespace ns[NVME_NAMESPACES]; /* NSID - 1 */
    unsigned uuids;                            /* given out */
    struct nvme *ctrl[NVME_CONTROLLERS_MAX];   /* by controller identifier; 0 is the primary */
    unsigned ctrls;
    /* Of queues and of interrupts: what the primary has for itself, and what can be given away. */
    unsigned private_count, flexible;
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
    struct nvme_subsys *subsys;
    uint16_t cntlid;
    struct endpoint_func *func;
    struct pci_func *pci;
    struct sim *sim;
    struct reg_space *regs;
    char *name;
    unsigned io_queues;             /* pairs that there can be now */
    unsigned vectors;               /* MSI-X */
    bool ats;                       /* has Address Translation Services */
    bool online;                    /* always, but for secondary controllers */
    uint16_t given[NVME_RESOURCES]; /* flexible ones; the primary's count after a reset */
    uint16_t used[NVME_RESOURCES];  /* as since the last reset */

    enum nvme_state state;
    struct sim_event state_timer, shutdown_timer, arbiter;
    unsigned live_dma; /* over all commands */
    uint32_t page_bytes;

    struct nvme_sq sq[NVME_QUEUES_MAX];
    struct nvme_cq cq[NVME_QUEUES_MAX];
    unsigned io_queues_made; /* SQs and CQs but for the admin's */
    struct nvme_turn turn[NVME_CLASSES];

    struct nvme_cmd *cmds[NVME_CMDS]; /* the first cmds_made: contexts come when they are needed */
    unsigned cmds_made;
    uint8_t *scratch; /* NVME_CHUNK_BYTES, for comparing */
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
    uint32_t changed;                       /* namespaces, bit NSID - 1 */
    uint64_t timestamp_ms, timestamp_at_ps; /* as set, and when */
    bool timestamp_set;                     /* by the host */
    uint8_t host_id[16];
    uint8_t *mem; /* controller memory buffer, or NULL */
    uint64_t mem_bytes;
    struct dma_op *local_first, *local_last; /* accesses to it */
    struct sim_event local_event;
    struct nvme_shadow *shadow; /* by doorbell; NULL: not offered */
    uint64_t shadow_page, event_index_page;
    const struct nvme_opcode *admin_op[256], *io_op[256];
    uint8_t page[NVME_PAGE_BYTES]; /* where log pages are put together */
};

static inline bool nvme_flawed(const struct nvme *ctrl, enum flaw flaw)
{
    return flaw_on(&ctrl->sim->flaws, flaw);
}

static inline uint32_t nvme_dword(const struct nvme_cmd *cmd, unsigned offset)
{
    return le32_load(cmd->sqe + offset);
}

/* property.c */
void nvme_properties_init(struct nvme *ctrl);
void nvme_properties_reset(struct nvme *ctrl, bool cold);
/* Controller Level Reset but for what is particular to its kind (Base 3.7.2); with dma_gone none
 * of the dma_ops will ever be done. */
void nvme_controller_clear(struct nvme *ctrl, bool dma_gone);
void nvme_controller_reset(struct nvme *ctrl);
bool nvme_shut_down(const struct nvme *ctrl);
bool nvme_running(const struct nvme *ctrl); /* commands are fetched */
void nvme_fatal(struct nvme *ctrl, const char *why);
void nvme_rule(struct nvme *ctrl, const char *what, uint64_t value);
void nvme_dma_drained(struct nvme *ctrl);

/* namespace.c */
struct nvme_subsys *nvme_subsys_new(const struct nvme_params *params);
void nvme_subsys_free(struct nvme_subsys *subsys);
/* The namespace if it is attached to the controller; NULL. */
struct nvme_namespace *nvme_find_namespace(struct nvme *ctrl, uint32_t nsid);
/* What a command for one attached namespace is told (Base 2.0, 3.2.1.2). */
uint16_t nvme_namespace_status(struct nvme *ctrl, uint32_t nsid);
bool nvme_attached(const struct nvme_namespace *ns, unsigned cntlid);
void nvme_attach(struct nvme_namespace *ns, unsigned cntlid, bool attach);
uint64_t nvme_capacity_left(const struct nvme_subsys *subsys); /* bytes */
/* The namespace gets its storage; false, with nothing changed, when there is too little. */
bool nvme_namespace_allocate(struct nvme_namespace *ns, uint64_t bytes);
void nvme_namespace_delete(struct nvme_namespace *ns);
/* Blocks of another size; what was there is to be gone. */
void nvme_namespace_set_format(struct nvme_namespace *ns, unsigned format);
uint8_t nvme_format_shift(unsigned format);
/* As struct nvme_storage has them, of a namespace; inside it. */
int nvme_namespace_read(struct nvme_namespace *ns, uint64_t offset, void *data, uint64_t len);
int nvme_namespace_write(struct nvme_namespace *ns, uint64_t offset, const void *data,
                         uint64_t len);
int nvme_namespace_zero(struct nvme_namespace *ns, uint64_t offset, uint64_t len);
int nvme_subsys_flush(struct nvme_subsys *subsys);
/* Tells all controllers that have it. */
void nvme_namespace_changed(struct nvme_namespace *ns);

/* virt.c */
void nvme_virt_apply(struct nvme *ctrl);
void nvme_virt_all_offline(struct nvme_subsys *subsys);
unsigned nvme_secondary_max(const struct nvme_subsys *subsys);
void nvme_virtualization(struct nvme_cmd *cmd);
void nvme_identify_primary(const struct nvme *ctrl, uint8_t *page);
void nvme_identify_secondaries(const struct nvme *ctrl, unsigned first, uint8_t *page);

/* memory.c */
void nvme_memory_init(struct nvme *ctrl, uint64_t bytes);
void nvme_memory_reset(struct nvme *ctrl);
/* True when the operation is one of the controller memory buffer; its done() comes. */
bool nvme_memory_access(struct nvme *ctrl, struct dma_op *op);

/* shadow.c */
void nvme_shadow_init(struct nvme *ctrl);
void nvme_shadow_reset(struct nvme *ctrl, bool dma_gone);
void nvme_doorbell_buffer(struct nvme_cmd *cmd);
/* Nothing more is done for this doorbell before it changes. */
void nvme_shadow_rest(struct nvme *ctrl, unsigned qid, bool cq);

/* arbiter.c: the queue to fetch from, or NULL. */
struct nvme_sq *nvme_arbitrate(struct nvme *ctrl);
void nvme_arbiter_reset(struct nvme *ctrl);
bool nvme_sq_can_fetch(const struct nvme *ctrl, const struct nvme_sq *sq);

/* queue.c */
void nvme_queues_init(struct nvme *ctrl);
void nvme_queues_free(struct nvme *ctrl);
void nvme_queues_enable(struct nvme *ctrl);
/* Drops all commands and queues; with dma_gone none of their dma_ops will ever be done. */
void nvme_queues_disable(struct nvme *ctrl, bool dma_gone);
void nvme_doorbell(struct nvme *ctrl, uint64_t offset, uint32_t value);
void nvme_kick(struct nvme *ctrl);
void nvme_dma(struct nvme_cmd *cmd, struct dma_op *op);
void nvme_dma_start(struct nvme *ctrl, struct dma_op *op); /* host memory, or our own */
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
/* sgl.c. Next: false when there is nothing to map now; nvme_transfer_continue() follows, or the
 * command is over. */
void nvme_sgl_start(struct nvme_cmd *cmd);
bool nvme_sgl_next(struct nvme_cmd *cmd);
void nvme_transfer_continue(struct nvme_cmd *cmd);
void nvme_transfer_complete(struct nvme_cmd *cmd); /* a done() that completes with success */

/* admin.c */
extern const struct nvme_opcode nvme_admin_opcodes[];
extern const unsigned nvme_admin_opcode_count;
void nvme_identify(struct nvme_cmd *cmd); /* identify.c */
/* Of version 5 (RFC 4122, 4.3), by name: the same on every run. */
void nvme_make_uuid(uint8_t uuid[16], const char *serial, uint32_t number);
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
void nvme_event_namespace(struct nvme *ctrl, uint32_t nsid); /* one changed */
void nvme_events_reset(struct nvme *ctrl);
void nvme_warning_update(struct nvme *ctrl);
void nvme_namespace_management(struct nvme_cmd *cmd); /* manage.c */
void nvme_namespace_attachment(struct nvme_cmd *cmd);
void nvme_format_nvm(struct nvme_cmd *cmd); /* format.c */
/* Zeroes for all of the namespace, then the command's end. */
void nvme_format_begin(struct nvme_cmd *cmd, struct nvme_namespace *ns);
/* The command goes without an end. */
void nvme_format_dropped(struct nvme_cmd *cmd);

/* fused.c: a command was fetched. True: it waits, and goes on or fails when the other one is
 * there. */
bool nvme_fused_fetched(struct nvme_cmd *cmd);
/* The command is about to complete; what becomes of its partner. */
void nvme_fused_complete(struct nvme_cmd *cmd, uint16_t status);
void nvme_fused_run(struct nvme_cmd *first);

/* nvm.c */
/* True, with the command's namespace, blocks and their size noted, when it can go on; otherwise it
 * was completed. Commands with data have the limit of MDTS. */
bool nvme_blocks_begin(struct nvme_cmd *cmd, bool writes, bool data);
/* The command's namespace, unless it has changed since the command began. */
struct nvme_namespace *nvme_command_namespace(const struct nvme_cmd *cmd);
uint16_t nvme_media_status(struct nvme_cmd *cmd, int err, enum nvme_status fault);
uint16_t nvme_keep_in_buffer(struct nvme_cmd *cmd, uint32_t pos, uint32_t len);
void nvme_write_done(struct nvme_cmd *cmd);
uint16_t nvme_compare_and_write(struct nvme_cmd *compare, struct nvme_cmd *write);
extern const struct nvme_opcode nvme_io_opcodes[];
extern const unsigned nvme_io_opcode_count;

#endif
