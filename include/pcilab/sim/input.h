/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What comes from outside: frames of a network, keys, hands at a board. When it comes is the host's
 * doing; from then on it is part of virtual time, and with what is kept of it (struct
 * sim_input_log) the same run happens again.
 *
 * An input that comes by itself is posted, and arrives at the next multiple of the grain, after all
 * else that is due at that instant: an order in which it does not matter when it was posted. The
 * grain is that of the processors' turns, so that no processor has been there yet. An input that
 * was asked for is the answer, at that very instant.
 */
#ifndef PCILAB_SIM_INPUT_H
#define PCILAB_SIM_INPUT_H

#include <glib.h>

#include "pcilab/sim/sim.h"

#define SIM_INPUT_NAME_MAX  255
#define SIM_INPUT_BYTES_MAX (64u << 10) /* of one input */

enum sim_input_kind { SIM_INPUT_POSTED, SIM_INPUT_ANSWER };

struct sim_input_entry {
    uint64_t at_ps; /* when it arrives */
    enum sim_input_kind kind;
    const char *source;
    const uint8_t *bytes;
    uint32_t len;
};

/* Either keeps what arrives, in order of time, or has it: then nothing comes from outside. */
struct sim_input_log {
    void (*keep)(void *opaque, const struct sim_input_entry *entry);
    /* The next one of this kind, in order of time, which is never before that of the last one; its
     * pointers are good for as long as the machine is. False: there is no more. */
    bool (*next)(void *opaque, enum sim_input_kind kind, struct sim_input_entry *entry);
    void *opaque;
};

typedef void (*sim_input_fn)(void *opaque, const uint8_t *bytes, uint32_t len);

/* Embedded in its owner, who removes it before it goes. `fn` gets what was posted; bytes of a log
 * are whatever a file says. */
struct sim_input {
    struct sim_inputs *all;
    char *name;
    sim_input_fn fn;
    void *opaque;
    struct sim_input *next;
};

struct sim_inputs {
    struct sim *sim;
    uint64_t grain_ps;
    struct sim_input_log log;
    struct sim_input *sources;
    struct sim_event arrival;
    GQueue posted;                    /* inside */
    struct sim_input_entry coming[2]; /* of the log, by kind */
    bool has_coming[2];
};

/* `log`: NULL for neither; is copied. */
void sim_inputs_init(struct sim_inputs *all, struct sim *sim, uint64_t grain_ps,
                     const struct sim_input_log *log);
void sim_inputs_fini(struct sim_inputs *all);
/* True when all comes from a log: the outside is not to be looked at. */
static inline bool sim_inputs_replay(const struct sim_inputs *all)
{
    return all->log.next != NULL;
}
/* In the midst of a run: what has not arrived is gone, and inputs come from `log` from now on. */
void sim_inputs_replace(struct sim_inputs *all, const struct sim_input_log *log);
/* All sources are there: a log's inputs begin to come. */
void sim_inputs_start(struct sim_inputs *all);
bool sim_inputs_know(const struct sim_inputs *all, const char *name);

void sim_input_add(struct sim_inputs *all, struct sim_input *source, const char *name,
                   sim_input_fn fn, void *opaque);
void sim_input_remove(struct sim_input *source);
/* At most SIM_INPUT_BYTES_MAX. With a log's inputs: does nothing. */
void sim_input_post(struct sim_input *source, const void *bytes, uint32_t len);
/* Something was asked for, and this was the answer. */
void sim_input_answered(struct sim_input *source, const void *bytes, uint32_t len);
/* With a log's inputs: the answer of now, 0 bytes when there is none. */
uint32_t sim_input_answer(struct sim_input *source, const uint8_t **bytes);

#endif
