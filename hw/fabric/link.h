/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside the fabric: a link, and the queue of ports with TLPs to deliver. */
#ifndef PCILAB_HW_FABRIC_LINK_H
#define PCILAB_HW_FABRIC_LINK_H

#include "pcilab/fabric/fabric.h"

enum {
    LINK_DOWNSTREAM_FACING = 0, /* side of a root port or switch downstream port */
    LINK_UPSTREAM_FACING = 1,
};

/* Power management DLLPs (3.5, table 3-1), as WIRE_PM carries them. */
enum { PM_ENTER_L1 = 1, PM_ACTIVE_STATE_REQUEST_L1, PM_REQUEST_ACK };

struct link_pm {
    enum link_power state;
    uint8_t refused;                 /* so many repetitions of the request were answered */
    bool by_software;                /* the present request is because of D3hot */
    struct pcie_power_state want[2]; /* by side */
    uint64_t tolerance_ps;
    uint64_t entered_ps;
    struct sim_event timer; /* idle long enough? request again; awake again */
    struct link_power_counters counters;
};

struct link {
    struct port *end[2]; /* by side */
    struct link_params params;
    uint8_t speed, width;
    uint8_t target_speed;             /* 0: as fast as both ends can */
    uint8_t limit_speed, limit_width; /* what the wires carry; 0: everything */
    bool up;
    bool asleep;   /* in L1 or on the way out; see link_power.c */
    bool training; /* with up: in Recovery */
    bool internal; /* inside a root complex: never goes down */
    bool present;
    bool unpowered;
    bool hot_reset; /* asserted by the downstream-facing end */
    bool disabled;
    bool contained;        /* by Downstream Port Containment */
    struct sim_event fall; /* which takes it down as soon as the TLP at hand is done with */
    enum link_cause cause; /* of the training under way, or of the last one */
    struct sim_event train;

    struct link_pm pm;

    /* link timing; see link_dir.h */
    struct link_dir *dir[2];    /* by the side that sends; NULL: functional */
    uint64_t byte_fraction;     /* a byte on the wire, in 1/65536 ps */
    uint64_t replay_timeout_ps; /* REPLAY_TIMER */
};

void link_state_init(struct link *link);
void link_state_fini(struct link *link);
/* Hardware wants Recovery: REPLAY_NUM rolled over (3.6.2.1). */
void link_recover(struct link *link);
/* And that was no help: down, and from Detect again. */
void link_fail(struct link *link);

/* link_dir.c; nothing with functional timing */
void link_dirs_make(struct link *link);
void link_dirs_free(struct link *link);
void link_dirs_up(struct link *link);
/* What is under way bounces, or with `quietly` vanishes. */
void link_dirs_down(struct link *link, bool quietly);
void link_dirs_resume(struct link *link); /* after Recovery */

/* Megatransfers a second of a speed code. */
unsigned link_speed_mts(unsigned speed);

void link_report(struct port *port, enum link_error error, const struct tlp *tlp);

/* A TLP leaves `from` for `to`; whoever calls has looked whether anybody listens. */
void port_trace_tlp(const struct port *from, const struct port *to, const struct tlp *tlp);
void fabric_mark_busy(struct port *port);
/* What becomes of a TLP that cannot cross `port`'s link. */
void port_bounce(struct port *port, struct tlp *tlp);
/* port_send() past what injects faults. */
void port_pass(struct port *port, struct tlp *tlp);

#endif
