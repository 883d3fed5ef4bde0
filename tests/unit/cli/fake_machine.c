/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine that does what a list of steps says. */
#include "fake_machine.h"

#include <poll.h>
#include <string.h>

#include "boot_gdb.h"
#include "pcilab/platform/vmcore.h"

#define BYTE_PS (87 * PS_PER_US) /* a byte at 115200 baud */

void fake_machine_init(struct machine *machine, const struct fake_step *steps,
                       const struct machine_console *console)
{
    *machine = (struct machine){.steps = steps, .next_ps = steps[0].after_ps};
    machine->console = *console;
    machine->heard = g_string_new(NULL);
    machine->typed = g_string_new(NULL);
}

void fake_machine_clear(struct machine *machine)
{
    g_string_free(machine->heard, TRUE);
    g_string_free(machine->typed, TRUE);
}

static void step_done(struct machine *m)
{
    m->next++;
    m->next_ps += m->steps[m->next].after_ps;
    m->asking = m->line_taken = false;
}

static enum machine_stop do_step(struct machine *m, const struct fake_step *step)
{
    switch (step->what) {
    case FAKE_SAY:
        for (const char *c = step->text; *c; c++) {
            m->console.output(m->console.opaque, (uint8_t)*c);
        }
        break;
    case FAKE_ASK:
        m->asking = true;
        g_string_erase(
            m->typed, 0,
            machine_console_input(m, (const uint8_t *)m->typed->str, (unsigned)m->typed->len));
        m->console.input_wanted(m->console.opaque);
        if (!m->line_taken) {
            m->next_ps += BYTE_PS;
            return MACHINE_RUNNING;
        }
        break;
    case FAKE_CALL: step->call(); break;
    case FAKE_STOP: step_done(m); return step->stop;
    case FAKE_FOREVER: break;
    }
    step_done(m);
    return m->paused ? MACHINE_PAUSED : MACHINE_RUNNING;
}

bool machine_net_fill(struct machine *m, GArray *fds, uint32_t *timeout_ms)
{
    if (m->network && m->net_fd) {
        struct pollfd fd = {.fd = m->net_fd, .events = POLLIN};
        g_array_append_val(fds, fd);
    }
    return m->network;
}

void machine_net_polled(struct machine *m, const GArray *fds)
{
}

enum machine_stop machine_run(struct machine *m, uint64_t until_ps)
{
    m->slices++;
    m->paused = false;
    while (m->next_ps <= until_ps && m->steps[m->next].what != FAKE_FOREVER) {
        m->sim.now_ps = m->next_ps;
        enum machine_stop stop = do_step(m, &m->steps[m->next]);
        if (stop != MACHINE_RUNNING) {
            return stop;
        }
    }
    m->sim.now_ps = until_ps;
    return MACHINE_RUNNING;
}

void machine_pause(struct machine *m)
{
    m->paused = true;
}

void machine_nmi(struct machine *m)
{
    m->nmis++;
}

void machine_hand(struct machine *m, enum machine_hand hand)
{
    if (hand == MACHINE_HAND_NMI) {
        m->nmis++;
    } else {
        m->breaks++;
    }
}

unsigned machine_console_typed(struct machine *m, const uint8_t *bytes, unsigned len)
{
    g_string_append_len(m->typed, (const char *)bytes, len);
    return len;
}

bool machine_knows_input(const struct machine *m, const char *source)
{
    return strcmp(source, "console") == 0;
}

bool machine_can_touch(struct machine *m, enum machine_touch what, const char *name, GError **error)
{
    return true;
}

void machine_touch(struct machine *m, enum machine_touch what, const char *name)
{
}

bool machine_break(struct machine *m)
{
    m->breaks++;
    return true;
}

bool machine_sysrq(struct machine *m, uint8_t key)
{
    return machine_break(m);
}

int vmcore_write(const struct machine *m, const struct vmcore_out *out, struct vmcore_facts *facts)
{
    *facts = (struct vmcore_facts){.size_bytes = 4};
    return out->write(out->opaque, 0, "core", 4);
}

/* One byte at a time, and only while the guest asks. */
unsigned machine_console_input(struct machine *m, const uint8_t *bytes, unsigned len)
{
    if (!len || !m->asking || m->line_taken) {
        return 0;
    }
    g_string_append_printf(m->heard, "%" G_GUINT64_FORMAT ":%02x ",
                           (uint64_t)(m->sim.now_ps / PS_PER_US), bytes[0]);
    m->line_taken = bytes[0] == '\n';
    return 1;
}

uint64_t machine_idle_until(const struct machine *m)
{
    if (m->busy) {
        return m->sim.now_ps;
    }
    return m->steps[m->next].what == FAKE_FOREVER ? SIM_NEVER : m->next_ps;
}

void machine_restart(struct machine *m)
{
    m->restarts++;
}

bool machine_load(struct machine *m, const struct machine_boot *boot, GError **error)
{
    m->loads++;
    if (m->load_fails) {
        g_set_error(error, g_quark_from_static_string("fake"), 0, "kernel: gone");
    }
    return !m->load_fails;
}

struct sim *machine_sim(struct machine *m)
{
    return &m->sim;
}

uint64_t machine_retired(const struct machine *m)
{
    return 0;
}

struct virtio_console *machine_virtio_console(struct machine *m, const char *name)
{
    return NULL;
}

/* No debugger. */
void boot_gdb_slice(struct boot_gdb *gdb)
{
}

bool boot_gdb_holds(struct boot_gdb *gdb)
{
    return false;
}

bool boot_gdb_leaves(struct boot_gdb *gdb, struct boot_run *run)
{
    return false;
}

uint64_t boot_gdb_slice_ps(const struct boot_gdb *gdb, uint64_t slice_ps)
{
    return slice_ps;
}

void boot_gdb_restarts(struct boot_gdb *gdb)
{
}

void boot_gdb_past_ends(struct boot_gdb *gdb)
{
    g_assert_not_reached();
}

bool boot_gdb_killed(const struct boot_gdb *gdb)
{
    return false;
}

void boot_gdb_end(struct boot_gdb *gdb, int status)
{
}

const char *machine_processors_failed(const struct machine *m)
{
    return NULL;
}
