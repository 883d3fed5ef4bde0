/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be asked for. Words of scenarios do here what they do there (docs/scenarios-words.md).
 */
#include <string.h>

#include "internal.h"

const struct control_verb control_verbs[] = {
    {"help", "", "what can be asked for", CONTROL_RUN},
    {"status", "", "does the machine run, and what time is it there", CONTROL_RUN},
    {"pause", "", "it stands", CONTROL_RUN},
    {"resume", "", "it goes on", CONTROL_RUN},
    {"step", "TIME", "it goes on for so long, then stands", CONTROL_RUN},
    {"until", "TIME", "it goes on to that time, then stands", CONTROL_RUN},
    {"step_tlp", "COMPONENT KIND [TIME]",
     "it goes on to the next such TLP at the component, for at most that time; then stands",
     CONTROL_RUN},
    {"inspect", "WHAT...", "what pcilab inspect shows, of now", CONTROL_RUN},
    {"console", "[BYTES]", "the last that the guest has said", CONTROL_RUN},
    {"type", "TEXT", "types on the guest's console", CONTROL_RUN},
    {"nmi", "", "presses the NMI button", CONTROL_RUN},
    {"sysrq", "KEY", "a break on the serial line, and a key", CONTROL_RUN},
    {"subscribe", "KIND...", "events from now on: tlp, irq, rule, state", CONTROL_RUN},
    {"unsubscribe", "", "no events any more", CONTROL_RUN},

    {"components", "", "the names of all", CONTROL_LOOK},
    {"reg", "COMPONENT REGISTER", "a register's value", CONTROL_LOOK},
    {"registers", "COMPONENT", "all registers of its configuration space", CONTROL_LOOK},
    {"bdf", "COMPONENT", "its number, like 01:00.0", CONTROL_LOOK},
    {"rid", "COMPONENT", "the same as one number", CONTROL_LOOK},
    {"bar", "COMPONENT NUMBER", "address and size of a BAR", CONTROL_LOOK},
    {"link.status", "COMPONENT", "of the link above it", CONTROL_LOOK},
    {"link.counters", "COMPONENT [up|down]", "with link timing", CONTROL_LOOK},
    {"rule.list", "", "the rules there are, and what each has hit", CONTROL_LOOK},
    {"now", "", "virtual time in picoseconds", CONTROL_LOOK},
    {"seed", "", "that of the run", CONTROL_LOOK},
    {"saw", "TEXT", "how often the trace told of a rule or a state in such words", CONTROL_LOOK},

    {"link.down", "COMPONENT", "its wires are cut", CONTROL_ACT},
    {"link.up", "COMPONENT", "and joined again", CONTROL_ACT},
    {"link.disable", "COMPONENT", "as Link Disable does", CONTROL_ACT},
    {"link.enable", "COMPONENT", "", CONTROL_ACT},
    {"link.reset", "COMPONENT", "hot reset", CONTROL_ACT},
    {"link.release", "COMPONENT", "", CONTROL_ACT},
    {"link.retrain", "COMPONENT", "", CONTROL_ACT},
    {"link.degrade", "COMPONENT width=N speed=N", "", CONTROL_ACT},
    {"link.restore", "COMPONENT", "", CONTROL_ACT},
    {"link.power_lost", "COMPONENT", "", CONTROL_ACT},
    {"link.power", "COMPONENT", "", CONTROL_ACT},
    {"link.flap", "COMPONENT TIMES TIME-DOWN TIME-UP", "", CONTROL_ACT},
    {"link.fault", "COMPONENT FAULT [dir=up after=N count=N]", "on the wire, with link timing",
     CONTROL_ACT},
    {"link.leak", "COMPONENT dir=up flow=posted headers=N data=N", "credits are lost", CONTROL_ACT},
    {"hand", "plug|unplug|press|open|close|power-fault COMPONENT", "somebody's hand at a slot",
     CONTROL_ACT},
    {"flip", "COMPONENT REGISTER MASK", "bits change by themselves", CONTROL_ACT},
    {"inject", "at=COMPONENT kind=KIND action=ACTION ...", "what becomes of TLPs; answers its rule",
     CONTROL_ACT},
    {"count", "COMPONENT KIND", "counts TLPs; answers a rule", CONTROL_ACT},
    {"hang", "COMPONENT", "it neither sends nor answers; answers a rule", CONTROL_ACT},
    {"rule.hits", "RULE", "", CONTROL_ACT},
    {"rule.remove", "RULE", "", CONTROL_ACT},
    {"vary", "completions=TIME interrupts=TIME writes=TIME turns=TIME links=TIME walks=TIME",
     "late, as the seed says", CONTROL_ACT},
    {"emit", "COMPONENT address=N data=TEXT", "a TLP out of nothing", CONTROL_ACT},
    {"wait_tlp", "COMPONENT KIND TIME", "the next such TLP", CONTROL_ACT},
    {"wait", "TIME", "answers when so much virtual time is over", CONTROL_ACT},
    {"cfg_read", "COMPONENT REGISTER|OFFSET [BYTES]", "by a TLP", CONTROL_ACT},
    {"cfg_write", "COMPONENT REGISTER|OFFSET VALUE [BYTES]", "by a TLP", CONTROL_ACT},
    {"set_bits", "COMPONENT REGISTER BITS", "", CONTROL_ACT},
    {"clear_bits", "COMPONENT REGISTER BITS", "", CONTROL_ACT},
    {"mmio_read", "ADDRESS BYTES", "by a TLP", CONTROL_ACT},
    {"mmio_write", "ADDRESS VALUE BYTES", "by a TLP", CONTROL_ACT},
    {"io_read", "ADDRESS BYTES", "by a TLP", CONTROL_ACT},
    {"io_write", "ADDRESS VALUE BYTES", "by a TLP", CONTROL_ACT},
    {"host.read", "ADDRESS BYTES", "memory of the host", CONTROL_ACT},
    {"host.write", "ADDRESS TEXT", "", CONTROL_ACT},
    {"host.read32", "ADDRESS", "", CONTROL_ACT},
    {"host.read64", "ADDRESS", "", CONTROL_ACT},
    {"host.write32", "ADDRESS VALUE", "", CONTROL_ACT},
    {"host.write64", "ADDRESS VALUE", "", CONTROL_ACT},
    {"dma", "dev=EXERCISER op=OP addr=N len=N ...", "an exerciser works", CONTROL_ACT},
    {"guest", "COMMAND", "output and exit status; with --guest-commands", CONTROL_ACT},
    {"lua", "PROGRAM", "all words of scenarios, in Lua", CONTROL_ACT},
    {"shutdown", "", "the run ends", CONTROL_ACT},
    {0},
};

const struct control_verb *control_verb_find(const char *name)
{
    for (const struct control_verb *verb = control_verbs; verb->name; verb++) {
        if (strcmp(verb->name, name) == 0)
            return verb;
    }
    return NULL;
}
