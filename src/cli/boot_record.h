/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --record and --replay: what comes from outside is kept, or comes from a file. */
#ifndef PCILAB_CLI_BOOT_RECORD_H
#define PCILAB_CLI_BOOT_RECORD_H

#include "pcilab/io/record.h"
#include "pcilab/platform/machine.h"

struct boot_record {
    const char *path;
    struct record_writer *writer; /* while one is made */
    struct record *record;        /* while one is played */
    struct sim_input_log log;

    int64_t marked_us;
    bool kept; /* something since then */
    struct record_mark next;
    bool has_next;
    bool over;      /* it is said how the replay ended */
    bool different; /* namely so */
};

/* What a run is made of, but for its inputs; paths are read. */
struct boot_identity {
    const char *topology, *kernel, *initrd; /* paths; initrd may be NULL */
    const char *cmdline;
    uint64_t seed, memory_bytes;
    unsigned cpus;
    const char *timing;  /* or NULL */
    char *const *pokes;  /* or NULL */
    const GArray *disks; /* struct machine_disk */
    bool enter_bzimage, no_reboot, panic_expected;
};

/* g_free() it; NULL: a file cannot be read, which is said. */
char *boot_identity_text(const struct boot_identity *identity);
/* Says what differs, if anything does. */
bool boot_identity_check(const char *path, const char *recorded, const char *now);

/* One of the paths is not NULL. Reports errors itself. */
bool boot_record_open(struct boot_record *r, const char *record, const char *replay);
/* Before the machine is made; takes the text. */
bool boot_record_start(struct boot_record *r, char *identity);
/* Whether the machine is one that the recording can be of. */
bool boot_record_check(const struct boot_record *r, const struct machine *machine);
/* The exit status of the run, with what there is to say about the file. */
int boot_record_close(struct boot_record *r, int status);

/* For the loop of the run; `now_ps` is the machine's clock. */
static inline bool boot_record_replays(const struct boot_record *r)
{
    return r && r->record;
}
/* How far it may go. */
uint64_t boot_record_slice_ps(const struct boot_record *r, uint64_t now_ps, uint64_t slice_ps);
/* After each slice. False: a replay is over, one way or another. */
bool boot_record_slice(struct boot_record *r, struct machine *machine);
/* The exit status then. */
int boot_record_status(const struct boot_record *r);
/* The run is over; `from_outside`: the guest did not do it. */
void boot_record_end(struct boot_record *r, struct machine *machine, int status, bool from_outside);

#endif
