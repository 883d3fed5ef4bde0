/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Links: how they are made, trained and broken, and what they tell of themselves.
 *
 * With functional timing TLPs cross at once and training takes no time. With link timing the link
 * is the one of PCIe Base 6.0, chapters 2.6, 3 and 4, in non-Flit Mode: symbols, credits,
 * sequence numbers, ACK and NAK, replay (docs/fabric.md).
 *
 * The functions below act on the downstream-facing end of a link (root port, switch downstream
 * port), which is where software controls it. They do nothing where no link is, and nothing to
 * wires inside a root complex.
 */
#ifndef PCILAB_FABRIC_LINK_H
#define PCILAB_FABRIC_LINK_H

#include <stdbool.h>
#include <stdint.h>

struct link;
struct port;

enum link_timing { LINK_FUNCTIONAL, LINK_TIMED };

/* What the physical, data link and flow control layers detect (6.2, table 6-3 and following); the
 * agent is the port whose link_error() is called. */
enum link_error {
    LINK_ERROR_RECEIVER,          /* correctable: framing or symbols */
    LINK_ERROR_BAD_TLP,           /* correctable: LCRC or sequence number */
    LINK_ERROR_BAD_DLLP,          /* correctable: CRC */
    LINK_ERROR_REPLAY_TIMEOUT,    /* correctable: REPLAY_TIMER expired */
    LINK_ERROR_REPLAY_ROLLOVER,   /* correctable: REPLAY_NUM rolled over; the link retrains */
    LINK_ERROR_DL_PROTOCOL,       /* uncorrectable: ACK or NAK of what was never sent */
    LINK_ERROR_SURPRISE_DOWN,     /* uncorrectable: at the downstream-facing end */
    LINK_ERROR_RECEIVER_OVERFLOW, /* uncorrectable: a TLP without credits; it is lost */
    LINK_ERROR_FC_PROTOCOL,       /* uncorrectable: impossible credits */
    LINK_ERROR_COUNT
};
/* "bad TLP", for people. */
const char *link_error_name(enum link_error error);

/* Why a link trained the last time (7.5.3.8: what Link Bandwidth Management Status and Link
 * Autonomous Bandwidth Status tell apart). */
enum link_cause {
    LINK_CAUSE_FRESH,       /* it came up from link down */
    LINK_CAUSE_RETRAIN,     /* software set Retrain Link */
    LINK_CAUSE_RELIABILITY, /* hardware: lanes lost or given back, REPLAY_NUM rollover */
};

struct link_status {
    bool connected; /* there is a link */
    bool present;   /* and something at its other end */
    bool powered;   /* which has power */
    bool up;        /* Data Link Layer Link Active */
    bool training;  /* Link Training: towards link up, or in Recovery with the link up */
    bool disabled, hot_reset, contained;
    uint8_t speed, width; /* as when it was last up */
    enum link_cause cause;
};
void port_link_status(const struct port *port, struct link_status *status);

#define LINK_HEADER_CREDITS_MAX 127u  /* 2.6.1: half of what 8 bits count */
#define LINK_DATA_CREDITS_MAX   2047u /* and 12 bits */

/* Credits that a receiver grants (2.6.1): headers, and data in units of 16 bytes. 0: infinite. */
struct link_credits {
    uint16_t header, data;
};

enum link_flow { LINK_POSTED, LINK_NON_POSTED, LINK_COMPLETION, LINK_FLOWS };

#define LINK_DEFAULT_RX                                                                            \
    {                                                                                              \
        {64, 1024}, {64, 64},                                                                      \
        {                                                                                          \
            0, 0                                                                                   \
        }                                                                                          \
    }

struct link_params {
    enum link_timing timing;
    uint64_t propagation_ps; /* one way, at most 1 ms */
    uint64_t training_ps;    /* from Detect to DL_Active */
    uint64_t recovery_ps;    /* Recovery and back; a change of speed takes twice as long */
    double bit_error_rate;   /* both directions; 0: no errors */
    /* Receive buffers of the downstream-facing [0] and the upstream-facing [1] end. */
    struct link_credits rx[2][LINK_FLOWS];
};
/* Functional timing; what link timing needs has realistic values. */
extern const struct link_params link_default_params;

/* NULL, or what is wrong with the parameters. */
const char *link_params_wrong(const struct link_params *params);

/* Joins two ports with these parameters (NULL: the defaults) and trains to the best common speed
 * and width. CHOICE: that first training is over at once, as at power-on of the machine: firmware
 * waits for it before anybody looks. A link that is not freed before goes with the component that
 * goes first. */
struct link *link_new(struct port *downstream_facing, struct port *upstream_facing,
                      const struct link_params *params);

/* Hot reset (Secondary Bus Reset): while asserted the link is down for the other end's functions,
 * which are reset; released, it trains again. */
void port_hot_reset(struct port *port, bool assert_reset);
/* Link Disable (7.5.3.7): down while set. */
void port_set_disabled(struct port *port, bool disabled);
/* Downstream Port Containment (2.9.3): from now on no TLP crosses; the link goes down in this same
 * instant, after whatever is being delivered, and stays down until it is released. */
void port_contain(struct port *port);
void port_release(struct port *port);
/* Target Link Speed (7.5.3.19), for the next training: 1 to 5, or 0 for no limit. */
void port_set_target_speed(struct port *port, unsigned target_speed);
/* Retrain Link (7.5.3.7), with a target speed as above. */
void port_retrain(struct port *port, unsigned target_speed);
/* Lanes or speed that the wires no longer carry (0: all of it, again): a link that is up goes
 * through Recovery with cause RELIABILITY when that changes it. */
void port_degrade(struct port *port, unsigned max_width, unsigned max_speed);
/* Takes the other end away, electrically, or puts it back. Taken away with the link up and without
 * Link Disable or hot reset this is a surprise: LINK_ERROR_SURPRISE_DOWN. */
void port_set_present(struct port *port, bool present);

/* The power of what is at the other end, by its slot's power controller or that of the whole
 * component. Without power the link is down; that is no surprise. */
void port_set_power(struct port *port, bool on);

/* Faults on purpose. A direction is named by the end that sends. */
enum link_fault_kind {
    LINK_FAULT_CORRUPT_TLP,   /* LCRC error: bad TLP, NAK, replay */
    LINK_FAULT_DROP_TLP,      /* its framing is lost: receiver error */
    LINK_FAULT_DUPLICATE_TLP, /* arrives twice */
    LINK_FAULT_OVERFLOW_TLP,  /* arrives where no buffer is: receiver overflow; lost */
    LINK_FAULT_CORRUPT_DLLP,  /* CRC error: bad DLLP */
    LINK_FAULT_DROP_DLLP,     /* its framing is lost */
    LINK_FAULT_REORDER_DLLP,  /* arrives after the next one of its kind */
    LINK_FAULT_WRONG_ACK,     /* an ACK or NAK of what was never sent: data link protocol error */
    LINK_FAULT_WRONG_CREDITS, /* an UpdateFC of more headers than can be: flow control protocol */
    LINK_FAULT_KINDS
};
/* "corrupt-tlp" and so on. */
const char *link_fault_name(enum link_fault_kind kind);

struct link_fault {
    enum link_fault_kind kind;
    /* So many TLPs (DLLPs) of this direction that it can hit go unharmed, counted from now. */
    uint64_t after;
    uint64_t count; /* then so many are hit */
};
#define LINK_FAULTS_MAX 16
/* False when as many are planned for the direction as there is room for, or the link is not timed.
 */
bool port_add_fault(struct port *sender, const struct link_fault *fault);

/* Counters of a direction, named by the end that sends. */
struct link_counters {
    uint64_t tlps, tlp_bytes; /* on the wire, replays included */
    uint64_t dllps;           /* 8 bytes each */
    uint64_t replays;         /* times that a replay was begun */
    uint64_t replayed_tlps;   /* TLPs sent again */
    uint64_t naks, bad_tlps, bad_dllps, duplicates;
    uint64_t rollovers;
};
/* Nothing is in the receive buffers of the port or on its way there, and sender and receiver agree
 * on the credits. True as well when the link is not timed, or down. */
bool port_credits_whole(const struct port *receiver);

/* False when the link is not timed. */
bool port_link_counters(const struct port *sender, struct link_counters *counters);

#endif
