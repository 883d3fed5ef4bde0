/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of a debugger's session. */
#ifndef SRC_GDB_SESSION_H
#define SRC_GDB_SESSION_H

#include "pcilab/gdb/gdb.h"
#include "pcilab/gdb/past.h"
#include "pcilab/platform/debug.h"
#include "pcilab/trace/trace.h"

#define GDB_BREAKS_MAX  32
#define GDB_SIGNAL_INT  2 /* gdb's numbers */
#define GDB_SIGNAL_TRAP 5

/* A break at an event of the machine: of this kind, with all these words in its line. */
struct gdb_break {
    unsigned number;
    enum trace_kind kind;
    char **words;
    uint64_t hits;
};

struct gdb {
    struct machine *machine;
    struct gdb_ops ops;

    /* Framing. */
    GByteArray *packet; /* what has come of one, without its frame */
    enum { AT_START, IN_PACKET, AT_SUM_HIGH, AT_SUM_LOW } at;
    uint8_t sum, sum_wanted;
    bool too_long, acks;
    GString *last; /* frame sent last: sent again when it came broken */

    /* What the debugger wants. */
    bool connected, runs, killed, detached;
    bool physical;          /* addresses of memory are physical */
    unsigned thread;        /* that registers and memory are of; its processor's index */
    unsigned resume_thread; /* of "c" and "s" */
    unsigned listed;        /* threads of qfThreadInfo that were told */
    char *xml;

    /* Going back. */
    enum gdb_back back; /* the debugger wants it, and waits */
    bool changed;       /* something was written */
    enum gdb_travel travel;
    struct gdb_journey journey;
    struct gdb_met met;
    bool steps_begun;
    GByteArray *kept_stops; /* gdb_save(), while only steps count; or NULL */

    /* Breaks at events. */
    struct trace_sink sink;
    struct gdb_break breaks[GDB_BREAKS_MAX];
    unsigned break_count, break_last;
    GString *event; /* the one that stopped the machine; empty: none */
};

/* packet.c */
/* One packet to the debugger. */
void gdb_send(struct gdb *gdb, const char *payload);
void gdb_send_bytes(struct gdb *gdb, const char *payload, size_t len);
/* Text for the debugger's user, while the machine runs or a command is carried out. */
void gdb_say(struct gdb *gdb, const char *text);
void gdb_packet_reset(struct gdb *gdb);

/* session.c */
void gdb_packet(struct gdb *gdb, const char *packet, size_t len);
/* Ctrl-C */
void gdb_interrupt(struct gdb *gdb);
struct cpu *gdb_cpu(struct gdb *gdb);
/* The machine stands; `reason`: pairs of the packet "T", each with its semicolon. */
void gdb_send_stop(struct gdb *gdb, unsigned signal, unsigned thread, const char *reason);
/* Of a stop of a processor; g_free() it. */
char *gdb_stop_reason(const struct cpu_stop *stop);
/* The event at which the machine was stopped, to the debugger's user. */
void gdb_say_event(struct gdb *gdb);
/* False: nothing can be written here, which the debugger is told; else something is. */
bool gdb_may_change(struct gdb *gdb);

/* past.c */
void gdb_travel_after_run(struct gdb *gdb);

/* data.c: registers and memory. The arguments follow the packet's letter. */
void gdb_read_registers(struct gdb *gdb);
void gdb_write_registers(struct gdb *gdb, const char *args);
void gdb_read_register(struct gdb *gdb, const char *args);
void gdb_write_register(struct gdb *gdb, const char *args);
void gdb_read_memory(struct gdb *gdb, const char *args);
void gdb_write_memory(struct gdb *gdb, const char *args);
void gdb_write_memory_binary(struct gdb *gdb, const char *args, size_t len);
void gdb_stop_point(struct gdb *gdb, const char *args, bool add);
void gdb_append_hex(GString *out, const uint8_t *bytes, size_t len);
/* Pairs of digits from `hex`; false: there are not so many. */
bool gdb_parse_hex(const char *hex, uint8_t *bytes, size_t len);
/* A hexadecimal number, and what follows it; false: there is none. */
bool gdb_parse_number(const char **at, uint64_t *value);

/* monitor.c */
void gdb_monitor(struct gdb *gdb, const char *command);
void gdb_breaks_init(struct gdb *gdb);
void gdb_breaks_clear(struct gdb *gdb);
/* After a change of `breaks`; and until then none of them stops. */
void gdb_breaks_listen(struct gdb *gdb);
void gdb_breaks_mute(struct gdb *gdb);

#endif
