/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the flaws are. */
#include "pcilab/base/flaw.h"

#include <assert.h>

static const struct {
    const char *group, *what;
} flaws[FLAW_COUNT] = {[FLAW_NONE] = {"", "nothing"},
#define FLAW_ROW(name, grp, text) [FLAW_##name] = {grp, text},
                       FLAW_LIST(FLAW_ROW)
#undef FLAW_ROW
};

const char *flaw_group(enum flaw flaw)
{
    assert(flaw < FLAW_COUNT);
    return flaws[flaw].group;
}

const char *flaw_text(enum flaw flaw)
{
    assert(flaw < FLAW_COUNT);
    return flaws[flaw].what;
}
