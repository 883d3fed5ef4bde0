/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Link timing: one direction of a link. Everything that the sender and the receiver of that
 * direction know is here; what the receiver answers travels on the opposite direction.
 *
 *   port_send -> queues -> (ordering, credits) -> replay buffer -> wire -> receiver -> component
 *                  link_tx.c   link_credit.c       link_dll.c     link_wire.c   link_rx.c
 *
 * A TLP itself is handed to the receiving component when the receiver accepts its sequence number;
 * the replay buffer then keeps only its size, which is all that a duplicate needs.
 */
#ifndef PCILAB_HW_FABRIC_LINK_DIR_H
#define PCILAB_HW_FABRIC_LINK_DIR_H

#include "link.h"

#define SEQ_MODULUS     4096u
#define SEQ_HALF        2048u
#define REPLAY_ENTRIES  256u /* TLPs sent and not acknowledged */
#define TIMED_TX_WINDOW 16u  /* TLPs that an originator may have queued */

/* What goes over the wire. */
enum wire_kind { WIRE_TLP, WIRE_ACK, WIRE_NAK, WIRE_FC, WIRE_PM };

enum wire_fate {
    FATE_GOOD,
    FATE_CORRUPT,  /* LCRC or CRC does not fit */
    FATE_LOST,     /* not even framed */
    FATE_OVERFLOW, /* sent without credits */
    FATE_WRONG,    /* a DLLP that says what cannot be */
};

struct wire_item {
    uint64_t arrive_ps;
    uint16_t seq;  /* TLP, ACK, NAK; of an FC the header credits */
    uint16_t data; /* FC: data credits */
    uint8_t kind, fate, flow;
};

/* A ring that grows; steady traffic allocates nothing. */
struct wire {
    struct wire_item *items;
    uint32_t first, count, size; /* size is a power of two */
};

struct replay_entry {
    struct tlp *tlp; /* NULL once the receiver has it */
    uint16_t bytes;  /* on the wire */
    bool overflow;   /* stays so when replayed */
};

/* 2.6.1.2: modulo 256 for headers, 4096 for data. */
struct credit_counter {
    uint16_t header, data;
};

/* What TLPs hold while they are in a receive buffer; outlives the direction that they came over. */
struct link_hold {
    struct link_dir *dir; /* NULL: that link went down since */
    unsigned holders;
};

/* DLLPs to send: a bit for ACK, NAK and the UpdateFC of each flow. */
enum {
    DLLP_NAK = 1,
    DLLP_ACK = 2,
    DLLP_FC = 4, /* << flow */
    DLLP_FC_ALL = 7 * DLLP_FC,
    DLLP_PM = 32, /* of power management: pm_kind */
};

struct link_dir {
    struct link *link;
    struct port *from, *to;
    struct link_dir *back; /* the opposite direction */

    /* Sender: transaction layer. */
    struct tlp_queue queue[LINK_FLOWS];
    unsigned queued;
    bool blocked; /* L1 is being negotiated: no TLPs */
    bool waiting; /* the originator wants tx_ready() */
    uint64_t next_order;
    struct credit_counter limit[LINK_FLOWS], consumed[LINK_FLOWS];

    /* Sender: data link layer (3.6.2.1). */
    uint16_t next_transmit_seq, ackd_seq;
    uint8_t replay_num;
    uint8_t fruitless; /* Recoveries for the sake of a replay since anything was acknowledged */
    bool replaying;
    uint16_t replay_next;
    struct replay_entry replay[REPLAY_ENTRIES];
    uint64_t replay_due_ps;
    struct sim_event replay_timer;

    /* Sender: the wire. */
    uint64_t free_ps; /* the wire is taken until then, and 1/65536 ps more for free_frac */
    uint32_t free_frac;
    uint64_t l0s_exit_ps; /* 0: L0s is not entered */
    uint64_t l0s_exits;
    uint8_t pm_kind; /* PM_* of link.h */
    uint8_t due;     /* DLLPs to send as soon as the wire is free */
    uint8_t lazy;    /* DLLPs to send when dllp_timer fires */
    uint8_t lost_fc; /* flows whose last UpdateFC did not arrive */
    bool holding;    /* a DLLP waits to be sent after the next one (LINK_FAULT_REORDER_DLLP) */
    struct wire_item held;
    struct wire wire;
    struct sim_event tx, arrive, dllp_timer, refresh;

    /* Receiver (3.6.3.1). */
    uint16_t next_rcv_seq;
    bool nak_scheduled;
    struct link_hold *hold;
    struct link_credits buffer[LINK_FLOWS]; /* 0: infinite */
    struct credit_counter allocated[LINK_FLOWS], told[LINK_FLOWS], received[LINK_FLOWS];

    /* Errors. */
    uint64_t bits_to_error; /* UINT64_MAX: none */
    struct sim_stream noise;
    char *noise_name;
    struct {
        struct link_fault fault;
        uint64_t seen; /* TLPs or DLLPs since it was added */
    } faults[LINK_FAULTS_MAX];
    unsigned fault_count;

    struct link_counters counters;
};

/* link_wire.c: physical layer */
void link_wire_retimed(struct link *link);
/* Takes the wire for so many bytes; the time at which the last of them arrives. */
uint64_t link_wire_take(struct link_dir *dir, unsigned bytes);
void link_wire_push(struct link_dir *dir, const struct wire_item *item);
unsigned link_tlp_bytes(const struct tlp *tlp);
uint64_t link_ack_latency_ps(const struct link_dir *dir);

/* link_tx.c */
void link_tx_send(struct link_dir *dir, struct tlp *tlp);
bool link_tx_ready(struct link_dir *dir);
/* Sends what can be sent now. */
void link_tx_run(struct link_dir *dir);
/* The same from an event, where the originator may be told that there is room again. */
void link_tx_step(struct link_dir *dir);
/* DLLPs wanted: now, or with the next ones that are due. */
void link_tx_want(struct link_dir *dir, uint8_t dllps, bool now);
void link_tx_event(void *opaque);
void link_dllp_event(void *opaque);
void link_refresh_event(void *opaque);

/* link_dll.c */
static inline unsigned link_unacknowledged(const struct link_dir *dir)
{
    return (dir->next_transmit_seq - 1u - dir->ackd_seq) % SEQ_MODULUS;
}
/* An ACK or NAK arrived for what `dir` sends. */
void link_dll_acknowledged(struct link_dir *dir, uint16_t seq, bool nak);
void link_replay_event(void *opaque);
void link_dll_arm(struct link_dir *dir);

/* link_rx.c */
void link_arrive_event(void *opaque);

/* link_credit.c */
enum link_flow link_flow_of(const struct tlp *tlp);
bool link_credit_take(struct link_dir *dir, const struct tlp *tlp, bool check_only);
/* The receiver puts the TLP into its buffer. */
void link_credit_receive(struct link_dir *dir, struct tlp *tlp);
void link_credit_update(struct link_dir *dir, const struct wire_item *item);
void link_credit_init(struct link_dir *dir);
/* TLPs in the buffer no longer count for the direction. */
void link_credit_forget(struct link_dir *dir);

/* link_fault.c */
void link_fault_init(struct link_dir *dir);
void link_fault_fini(struct link_dir *dir);
struct link_tlp_fate {
    enum wire_fate fate;
    bool twice;
};
struct link_tlp_fate link_fault_tlp(struct link_dir *dir, unsigned bytes, bool replay);
/* May change what the DLLP says. */
enum wire_fate link_fault_dllp(struct link_dir *dir, struct wire_item *item, bool *reorder);

#endif
