/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a checkpoint is. */
#include "checkpoint.h"

#include <string.h>

#include "pcilab/config/units.h"

#define TEXT_BYTES_MAX 1024

/* The table of Knuth, Morris and Pratt: a console is seen once, byte by byte. */
static void find_fallbacks(struct checkpoint *c)
{
    unsigned k = 0;

    c->fallback = g_new0(unsigned, c->len + 1);
    for (unsigned i = 1; i < c->len; i++) {
        while (k && c->text[i] != c->text[k]) {
            k = c->fallback[k];
        }
        k += c->text[i] == c->text[k];
        c->fallback[i + 1] = k;
    }
}

bool checkpoint_parse(struct checkpoint *c, const char *where)
{
    *c = (struct checkpoint){0};
    if (g_str_has_prefix(where, "console:")) {
        const char *text = where + strlen("console:");
        text += strspn(text, " ");
        size_t len = strlen(text);
        if (len && len <= TEXT_BYTES_MAX) {
            c->text = g_strdup(text);
            c->len = (unsigned)len;
            find_fallbacks(c);
            return true;
        }
    } else if (g_str_has_prefix(where, "time:")) {
        const char *text = where + strlen("time:");
        if (units_parse_time(text + strspn(text, " "), &c->at_ps) && c->at_ps) {
            return true;
        }
    }
    if (strcmp(where, "command") == 0) {
        c->command = true;
        c->at_ps = UINT64_MAX;
        return true;
    }
    cli_error("--checkpoint-at \"%s\" is not allowed; it is 'console: TEXT' (when the guest has "
              "written TEXT), 'time: 300ms' (of virtual time) or, with one, 'command'",
              where);
    return false;
}

void checkpoint_clear(struct checkpoint *c)
{
    g_free(c->text);
    g_free(c->fallback);
    *c = (struct checkpoint){0};
}

bool checkpoint_saw(struct checkpoint *c, uint8_t byte)
{
    if (!c->text || c->reached) {
        return false;
    }
    while (c->matched && c->text[c->matched] != (char)byte) {
        c->matched = c->fallback[c->matched];
    }
    c->matched += c->text[c->matched] == (char)byte;
    c->reached = c->matched == c->len;
    return c->reached;
}

void checkpoint_saw_ready(struct checkpoint *c)
{
    c->reached |= c->command;
}

uint64_t checkpoint_slice_ps(const struct checkpoint *c, uint64_t now_ps, uint64_t slice_ps)
{
    if (c->text || c->reached || now_ps >= c->at_ps) {
        return slice_ps;
    }
    return MIN(slice_ps, c->at_ps - now_ps);
}

bool checkpoint_take(struct checkpoint *c)
{
    bool take = (c->text || c->command) && c->reached && !c->taken;

    c->taken |= take;
    return take;
}

bool checkpoint_is_due(struct checkpoint *c, uint64_t now_ps)
{
    if (c->text || c->reached || now_ps < c->at_ps) {
        return false;
    }
    c->reached = true;
    return true;
}
