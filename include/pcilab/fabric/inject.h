/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Injection: faults in single TLPs, where they leave a port. Rules say which TLPs, when, and what
 * becomes of them; a TLP passes all rules in the order in which they were added, until one takes it
 * out. Faults of a link as such (down, degraded, bit errors, DLLPs) are in pcilab/fabric/link.h;
 * those of slots in pcilab/fabric/bridge.h.
 *
 * A fabric without rules pays one branch a TLP. What is drawn at random comes from streams of the
 * simulation, one a rule, so that a seed repeats it and rules do not disturb each other.
 */
#ifndef PCILAB_FABRIC_INJECT_H
#define PCILAB_FABRIC_INJECT_H

#include "pcilab/fabric/fabric.h"

enum inject_action {
    INJECT_OBSERVE,      /* nothing, but seen() is called */
    INJECT_DROP,         /* it never arrives: of a completion, its request is never answered */
    INJECT_DELAY,        /* by delay_ps; what may not pass it waits behind it (2.4.1) */
    INJECT_OVERTAKE,     /* against the rules: all that follows passes it, for delay_ps or until
                            `pass` TLPs have */
    INJECT_DUPLICATE,    /* it arrives twice */
    INJECT_POISON,       /* EP is set; of TLPs with data only */
    INJECT_CORRUPT_LCRC, /* the receiver sees a Bad TLP; the replay is good (3.6.3.1) */
    INJECT_CORRUPT_ECRC, /* it gets a digest that does not fit (2.7.1) */
    INJECT_RETARGET,     /* `value` is the address of memory and I/O requests, the destination of
                            configuration requests, the requester of completions */
    INJECT_STATUS,       /* completions: `value` is their status (enum tlp_status), data are lost */
    INJECT_TAG,          /* `value` is the tag */
    INJECT_BYTE_COUNT,   /* completions: `value` is the byte count */
    INJECT_ACTION_COUNT
};
/* "corrupt-lcrc" and so on. */
const char *inject_action_name(enum inject_action action);

/* All that is given must fit. Zero: anything. */
struct inject_match {
    const struct port *sender;
    uint32_t types; /* BIT(enum tlp_type) */
    bool by_requester, by_tag, by_address, by_message;
    struct pci_rid requester; /* of completions too: who had asked */
    uint16_t tag;
    uint64_t addr_first, addr_last; /* requests by address: their first byte lies there */
    uint8_t msg_first, msg_last;    /* message codes */
    /* A last word; it may not send, change or keep anything. NULL: yes. */
    bool (*accepts)(void *opaque, const struct port *sender, const struct tlp *tlp);
};

/* All of it but the last word. */
bool inject_matches(const struct inject_match *match, const struct port *sender,
                    const struct tlp *tlp);

struct inject_rule {
    const char *name; /* of its stream of randomness; copied */
    struct inject_match match;
    uint64_t from_ps, until_ps; /* until_ps 0: for ever */
    uint64_t after;             /* so many that match go unharmed first */
    uint64_t count;             /* then so many are hit; 0: all */
    double probability;         /* of each of them, above 0 to 1; 0: certain */
    enum inject_action action;
    uint64_t delay_ps, jitter_ps; /* delayed by delay_ps up to delay_ps + jitter_ps */
    uint64_t pass;                /* OVERTAKE: 0: until delay_ps is over */
    uint64_t value;
    /* A TLP was hit, and is still as it was. It may not be sent, changed or kept. May be NULL. */
    void (*seen)(void *opaque, const struct port *sender, const struct tlp *tlp);
    void *opaque; /* of seen() and accepts() */
};

/* What contradicts itself in a rule, or NULL. */
const char *inject_rule_wrong(const struct inject_rule *rule);

struct inject;
struct inject_entry;

/* At most one for a fabric; it goes before the fabric's ports do. TLPs that are held then go on. */
struct inject *inject_new(struct fabric *fabric);
void inject_free(struct inject *inject);
/* The rule is right (inject_rule_wrong()). The entry is good until it is removed. Both not from
 * inside seen() or accepts(). */
struct inject_entry *inject_add(struct inject *inject, const struct inject_rule *rule);
void inject_remove(struct inject *inject, struct inject_entry *entry);
/* How many TLPs it has hit. */
uint64_t inject_hits(const struct inject_entry *entry);

/* A TLP out of nothing: it leaves the port past all rules. Ownership passes. */
void inject_emit(struct port *sender, struct tlp *tlp);

typedef void inject_taker_fn(void *opaque, struct tlp *tlp);
/* A TLP that a function of the root complex sends without crossing a link, like the MSI of a root
 * port: rules see it as leaving `sender`, the function's port, or as leaving no port if NULL; with
 * LCRC nothing can be wrong. What is left of it, take() gets, now or later. */
void inject_inside(struct fabric *fabric, struct port *sender, struct tlp *tlp,
                   inject_taker_fn *take, void *opaque);

/* The receiver never gives these credits of a flow back. False: the link is not timed or not up, or
 * the sender has not so many left. They come back when the link goes down. */
bool inject_leak_credits(struct port *receiver, enum link_flow flow, struct link_credits leaked);

/* The other end of a port's link, up or down; NULL: nothing is connected. */
struct port *port_far_end(const struct port *port);

/* For the fabric: port_send() with rules; what was held of a port when its link went down. */
void inject_send(struct port *sender, struct tlp *tlp);
void inject_link_down(struct port *sender);

#endif
