/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is done to a guest from outside at a virtual time: --at TIME:ACTION. See docs/debugging.md.
 */
#ifndef PCILAB_CLI_POKE_H
#define PCILAB_CLI_POKE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "pcilab/platform/machine.h"

enum poke_what {
    POKE_NMI,
    POKE_SYSRQ,
    POKE_VMCORE,
    POKE_TOUCH,
    POKE_INSPECT,
};

#define POKE_END UINT64_MAX

struct poke {
    uint64_t at_ps; /* POKE_END: when the run ends; for INSPECT only */
    enum poke_what what;
    uint8_t key;              /* SYSRQ */
    enum machine_touch touch; /* TOUCH: at what is called so */
    char *name;               /* also INSPECT: the words of pcilab inspect */
};

/* In order of time. */
struct pokes {
    struct poke *all;
    unsigned count, next;
};

/* `texts` is NULL-terminated or NULL; reports errors itself. */
bool pokes_parse(struct pokes *pokes, char **texts);
void pokes_clear(struct pokes *pokes);
bool pokes_need_vmcore(const struct pokes *pokes);
/* Reports what the machine does not have. */
bool pokes_check(const struct pokes *pokes, struct machine *machine);
/* How far the machine may run before something is due. */
uint64_t pokes_slice_ps(const struct pokes *pokes, uint64_t now_ps, uint64_t slice_ps);
/* What the run did not come to is not due any more. */
void pokes_skip_to_end(struct pokes *pokes);
/* The next one that is due, or NULL. */
const struct poke *pokes_due(struct pokes *pokes, uint64_t now_ps);

#endif
