/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What packets ask for (gdb manual, E.2 to E.4): threads, running and stopping.
 *
 * UNIMPL: device memory.
 */
#include <string.h>

#include "registers.h"
#include "session.h"

struct cpu *gdb_cpu(struct gdb *gdb)
{
    return machine_debug_cpu(gdb->machine, gdb->thread);
}

/* ---- Stopping ---- */

void gdb_send_stop(struct gdb *gdb, unsigned signal, unsigned thread, const char *reason)
{
    char *text = g_strdup_printf("T%02xthread:%x;%s", signal, thread + 1, reason);

    gdb->runs = false;
    gdb->thread = gdb->resume_thread = thread;
    gdb_send(gdb, text);
    g_free(text);
}

char *gdb_stop_reason(const struct cpu_stop *stop)
{
    switch (stop->kind) {
    case CPU_STOP_WRITE: return g_strdup_printf("watch:%" G_GINT64_MODIFIER "x;", stop->la);
    case CPU_STOP_READ: return g_strdup_printf("rwatch:%" G_GINT64_MODIFIER "x;", stop->la);
    case CPU_STOP_ACCESS: return g_strdup_printf("awatch:%" G_GINT64_MODIFIER "x;", stop->la);
    default: return g_strdup("");
    }
}

void gdb_say_event(struct gdb *gdb)
{
    g_string_append_c(gdb->event, '\n');
    gdb_say(gdb, gdb->event->str);
    g_string_truncate(gdb->event, 0);
}

/* A process of the past that has come to the present is of no more use. */
static bool is_at_present(const struct gdb *gdb)
{
    const struct machine_place here = machine_debug_place(gdb->machine);

    return gdb->travel == GDB_ARRIVED && machine_place_compare(&here, &gdb->journey.present) >= 0;
}

void gdb_after_run(struct gdb *gdb)
{
    int index = machine_debug_stopped(gdb->machine);

    if (gdb->travel == GDB_UNDERWAY) {
        gdb_travel_after_run(gdb);
        return;
    }
    if (gdb->runs && is_at_present(gdb)) {
        gdb->travel = GDB_AT_PRESENT;
        return;
    }
    if (!gdb->runs || (index < 0 && !gdb->event->len)) {
        return;
    }
    if (gdb->event->len) {
        gdb_say_event(gdb);
    }
    if (index < 0) {
        int waiting = machine_debug_waiting(gdb->machine);
        gdb_send_stop(gdb, GDB_SIGNAL_TRAP, waiting >= 0 ? (unsigned)waiting : gdb->thread, "");
        return;
    }
    struct cpu_stop stop = cpu_stopped(machine_debug_cpu(gdb->machine, (unsigned)index));
    char *reason = gdb_stop_reason(&stop);
    gdb_send_stop(gdb, GDB_SIGNAL_TRAP, (unsigned)index, reason);
    g_free(reason);
}

void gdb_interrupt(struct gdb *gdb)
{
    if (gdb->runs) {
        gdb_send_stop(gdb, GDB_SIGNAL_INT, gdb->thread, "");
    }
}

void gdb_ended(struct gdb *gdb, int status)
{
    char *text = g_strdup_printf("W%02x", (unsigned)status & 0xff);

    gdb_send(gdb, text);
    g_free(text);
    gdb->runs = true;
}

bool gdb_may_change(struct gdb *gdb)
{
    if (gdb->travel != GDB_AT_HOME) {
        gdb_send(gdb, "E.the past cannot be changed");
        return false;
    }
    gdb->changed = true;
    return true;
}

/* ---- Running ---- */

static void go_back(struct gdb *gdb, enum gdb_back how)
{
    if (gdb->ops.reverse) {
        gdb->back = how;
    } else {
        gdb_send(gdb, "");
    }
}

/* CHOICE: while one processor takes a step, the others run: time goes by for all of them. */
static void resume(struct gdb *gdb, int step)
{
    machine_debug_resume(gdb->machine, step);
    gdb->runs = true;
}

/* The end of "c [ADDR]" and "s [ADDR]". */
static void resume_at(struct gdb *gdb, const char *args, bool step)
{
    uint64_t addr;

    if (gdb_parse_number(&args, &addr)) {
        struct cpu *cpu = machine_debug_cpu(gdb->machine, gdb->resume_thread);
        struct cpu_state state;
        if (!cpu_at_boundary(cpu)) {
            gdb_send(gdb, "E10");
            return;
        }
        if (!gdb_may_change(gdb)) {
            return;
        }
        cpu_get_state(cpu, &state);
        state.rip = addr;
        cpu_set_state(cpu, &state);
    }
    resume(gdb, step ? (int)gdb->resume_thread : -1);
}

/* A thread of a packet: -1 all of them, 0 any, else a processor and 1. False: no such thing. */
static bool parse_thread(struct gdb *gdb, const char **at, int *thread)
{
    uint64_t number;

    if (g_str_has_prefix(*at, "-1")) {
        *at += 2;
        *thread = -1;
        return true;
    }
    if (!gdb_parse_number(at, &number) || number > machine_debug_cpus(gdb->machine)) {
        return false;
    }
    *thread = (int)number;
    return true;
}

/* "vCont;ACTION[:THREAD]...": for each thread the first action counts that names it or none. One
 * processor can take a step at a time, the first that is to. */
static void resume_threads(struct gdb *gdb, const char *args)
{
    unsigned known = 0, all = (1u << machine_debug_cpus(gdb->machine)) - 1;
    int step = -1;

    while (*args == ';') {
        char action = args[1];
        int thread = -1;
        if (!action || !strchr("cCsS", action)) {
            gdb_send(gdb, "E01");
            return;
        }
        args += 2;
        args += strspn(args, "0123456789abcdefABCDEF"); /* a signal, which means nothing here */
        if (*args == ':' && (args++, !parse_thread(gdb, &args, &thread))) {
            gdb_send(gdb, "E01");
            return;
        }
        unsigned named = (thread > 0 ? 1u << (thread - 1) : all) & ~known;
        if ((action == 's' || action == 'S') && named && step < 0) {
            bool preferred = named >> gdb->thread & 1;
            step = preferred ? (int)gdb->thread : __builtin_ctz(named);
        }
        known |= named;
    }
    if (*args || !known) {
        gdb_send(gdb, "E01");
        return;
    }
    resume(gdb, step);
}

static void detach(struct gdb *gdb)
{
    gdb_send(gdb, "OK");
    gdb->detached = true;
}

/* ---- Threads ---- */

static void set_thread(struct gdb *gdb, const char *args)
{
    char what = *args++;
    int thread;

    if (!strchr("gc", what) || !what || !parse_thread(gdb, &args, &thread)) {
        gdb_send(gdb, "E01");
        return;
    }
    if (thread > 0) {
        *(what == 'g' ? &gdb->thread : &gdb->resume_thread) = (unsigned)thread - 1;
    }
    gdb_send(gdb, "OK");
}

static void thread_alive(struct gdb *gdb, const char *args)
{
    int thread;

    gdb_send(gdb, parse_thread(gdb, &args, &thread) && thread > 0 ? "OK" : "E01");
}

static void list_threads(struct gdb *gdb, bool first)
{
    GString *out = g_string_new(NULL);

    if (first) {
        gdb->listed = 0;
    }
    for (; gdb->listed < machine_debug_cpus(gdb->machine); gdb->listed++) {
        g_string_append_printf(out, "%c%x", out->len ? ',' : 'm', gdb->listed + 1);
    }
    gdb_send(gdb, out->len ? out->str : "l");
    g_string_free(out, TRUE);
}

static void describe_thread(struct gdb *gdb, const char *args)
{
    GString *out = g_string_new(NULL);
    int thread;

    if (!parse_thread(gdb, &args, &thread) || thread <= 0) {
        g_string_assign(out, "E01");
    } else {
        const char *doing = machine_debug_cpu_doing(gdb->machine, (unsigned)thread - 1);
        char *text = g_strdup_printf("processor %d, %s", thread - 1, doing);
        gdb_append_hex(out, (const uint8_t *)text, strlen(text));
        g_free(text);
    }
    gdb_send(gdb, out->str);
    g_string_free(out, TRUE);
}

/* ---- Queries ---- */

/* "OFFSET,LENGTH" of the target description. */
static void send_description(struct gdb *gdb, const char *args)
{
    uint64_t offset, len;

    if (!gdb_parse_number(&args, &offset) || *args++ != ',' || !gdb_parse_number(&args, &len)) {
        gdb_send(gdb, "E01");
        return;
    }
    if (!gdb->xml) {
        gdb->xml = gdb_registers_xml();
    }
    uint64_t size = strlen(gdb->xml);
    offset = MIN(offset, size);
    len = MIN(MIN(len, GDB_PACKET_BYTES / 2), size - offset);
    char *text =
        g_strdup_printf("%c%.*s", offset + len < size ? 'm' : 'l', (int)len, gdb->xml + offset);
    gdb_send(gdb, text);
    g_free(text);
}

static void say_supported(struct gdb *gdb)
{
    char *text =
        g_strdup_printf("PacketSize=%x;qXfer:features:read+;vContSupported+;"
                        "QStartNoAckMode+;multiprocess-%s",
                        GDB_PACKET_BYTES, gdb->ops.reverse ? ";ReverseStep+;ReverseContinue+" : "");

    gdb_send(gdb, text);
    g_free(text);
}

static void run_command(struct gdb *gdb, const char *hex)
{
    size_t len = strlen(hex) / 2;
    char *command = g_malloc0(len + 1);

    if (gdb_parse_hex(hex, (uint8_t *)command, len)) {
        gdb_monitor(gdb, command);
        gdb_send(gdb, "OK");
    } else {
        gdb_send(gdb, "E01");
    }
    g_free(command);
}

static void say_current_thread(struct gdb *gdb)
{
    char *text = g_strdup_printf("QC%x", gdb->thread + 1);

    gdb_send(gdb, text);
    g_free(text);
}

static void packet_b(struct gdb *gdb, const char *packet)
{
    if (strcmp(packet, "bc") == 0) {
        go_back(gdb, GDB_BACK_CONTINUE);
    } else if (strcmp(packet, "bs") == 0) {
        go_back(gdb, GDB_BACK_STEP);
    } else {
        gdb_send(gdb, "");
    }
}

static void query(struct gdb *gdb, const char *packet)
{
    if (g_str_has_prefix(packet, "qSupported")) {
        say_supported(gdb);
    } else if (g_str_has_prefix(packet, "qXfer:features:read:target.xml:")) {
        send_description(gdb, packet + strlen("qXfer:features:read:target.xml:"));
    } else if (strcmp(packet, "qfThreadInfo") == 0) {
        list_threads(gdb, true);
    } else if (strcmp(packet, "qsThreadInfo") == 0) {
        list_threads(gdb, false);
    } else if (g_str_has_prefix(packet, "qThreadExtraInfo,")) {
        describe_thread(gdb, packet + strlen("qThreadExtraInfo,"));
    } else if (strcmp(packet, "qC") == 0) {
        say_current_thread(gdb);
    } else if (g_str_has_prefix(packet, "qAttached")) {
        gdb_send(gdb, "1");
    } else if (g_str_has_prefix(packet, "qRcmd,")) {
        run_command(gdb, packet + strlen("qRcmd,"));
    } else if (strcmp(packet, "QStartNoAckMode") == 0) {
        gdb_send(gdb, "OK");
        gdb->acks = false;
    } else {
        gdb_send(gdb, "");
    }
}

static void extended(struct gdb *gdb, const char *packet)
{
    if (strcmp(packet, "vCont?") == 0) {
        gdb_send(gdb, "vCont;c;C;s;S");
    } else if (g_str_has_prefix(packet, "vCont;")) {
        resume_threads(gdb, packet + strlen("vCont"));
    } else if (g_str_has_prefix(packet, "vKill")) {
        gdb_send(gdb, "OK");
        gdb->killed = true;
    } else {
        gdb_send(gdb, "");
    }
}

/* Signals mean nothing to a machine: "C05;ADDR" is "c ADDR". */
static const char *after_signal(const char *args)
{
    const char *address = strchr(args, ';');

    return address ? address + 1 : "";
}

void gdb_packet(struct gdb *gdb, const char *packet, size_t len)
{
    if (gdb->runs || gdb->back != GDB_BACK_NOT) {
        return; /* nothing but Ctrl-C is due */
    }
    switch (packet[0]) {
    case '?': gdb_send_stop(gdb, GDB_SIGNAL_TRAP, gdb->thread, ""); break;
    case 'g': gdb_read_registers(gdb); break;
    case 'G': gdb_write_registers(gdb, packet + 1); break;
    case 'p': gdb_read_register(gdb, packet + 1); break;
    case 'P': gdb_write_register(gdb, packet + 1); break;
    case 'm': gdb_read_memory(gdb, packet + 1); break;
    case 'M': gdb_write_memory(gdb, packet + 1); break;
    case 'X': gdb_write_memory_binary(gdb, packet + 1, len - 1); break;
    case 'Z': gdb_stop_point(gdb, packet + 1, true); break;
    case 'z': gdb_stop_point(gdb, packet + 1, false); break;
    case 'c': resume_at(gdb, packet + 1, false); break;
    case 's': resume_at(gdb, packet + 1, true); break;
    case 'C': resume_at(gdb, after_signal(packet + 1), false); break;
    case 'S': resume_at(gdb, after_signal(packet + 1), true); break;
    case 'b': packet_b(gdb, packet); break;
    case 'H': set_thread(gdb, packet + 1); break;
    case 'T': thread_alive(gdb, packet + 1); break;
    case 'D': detach(gdb); break;
    case 'k': gdb->killed = true; break;
    case 'q':
    case 'Q': query(gdb, packet); break;
    case 'v': extended(gdb, packet); break;
    default: gdb_send(gdb, ""); break;
    }
}

/* ---- Sessions ---- */

struct gdb *gdb_new(struct machine *machine, const struct gdb_ops *ops)
{
    struct gdb *gdb = g_new0(struct gdb, 1);

    gdb->machine = machine;
    gdb->ops = *ops;
    gdb->packet = g_byte_array_new();
    gdb->last = g_string_new(NULL);
    gdb->event = g_string_new(NULL);
    gdb->runs = true;
    gdb_breaks_init(gdb);
    return gdb;
}

void gdb_free(struct gdb *gdb)
{
    if (!gdb) {
        return;
    }
    gdb_gone(gdb);
    g_clear_pointer(&gdb->kept_stops, g_byte_array_unref);
    g_byte_array_free(gdb->packet, TRUE);
    g_string_free(gdb->last, TRUE);
    g_string_free(gdb->event, TRUE);
    g_free(gdb->xml);
    g_free(gdb);
}

void gdb_connected(struct gdb *gdb)
{
    gdb_packet_reset(gdb);
    gdb->connected = true;
    gdb->runs = gdb->detached = gdb->physical = gdb->changed = false;
    gdb->thread = gdb->resume_thread = 0;
}

void gdb_gone(struct gdb *gdb)
{
    gdb_breaks_clear(gdb);
    cpu_group_stops_clear(machine_debug_group(gdb->machine));
    machine_debug_resume(gdb->machine, -1);
    g_string_truncate(gdb->event, 0);
    gdb->connected = gdb->detached = false;
    gdb->back = GDB_BACK_NOT;
    gdb->runs = true;
}

bool gdb_runs(const struct gdb *gdb)
{
    return gdb->runs;
}

void gdb_kill(struct gdb *gdb)
{
    gdb->killed = true;
}

bool gdb_killed(const struct gdb *gdb)
{
    return gdb->killed;
}

bool gdb_detached(const struct gdb *gdb)
{
    return gdb->detached;
}
