/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What assertions with two exercisers below one switch have in common. */
#include "lab_body.h"

#include <string.h>

#include "pcilab/platform/probe.h"

#define LAB_VECTOR_DATA 0xbeadu

void lab_body_judge(struct conform_ctx *t)
{
    const struct lab_body *body = t->assertion->param;
    struct lab *lab = lab_new(t);

    if (lab->machine && lab->peer && strchr(lab->above, '.'))
        body->run(t, lab);
    else if (lab->machine)
        t_skip(t, "the topology has no two exercisers below one switch");
    lab_free(lab);
}

char *lab_upper(struct lab *lab)
{
    return g_strndup(lab->above, (gsize)(strchr(lab->above, '.') - lab->above));
}

char *lab_above_peer(struct lab *lab)
{
    struct port *above = machine_port_above(lab->machine, lab->peer);
    char **names = machine_names(lab->machine), *found = NULL;

    for (unsigned i = 0; names[i] && !found; i++) {
        if (machine_port(lab->machine, names[i]) == above)
            found = g_strdup(names[i]);
    }
    g_strfreev(names);
    return found;
}

uint32_t lab_get_aer(struct lab *lab, const char *name, unsigned reg)
{
    return lab_cfg(lab, name, lab_aer(lab, name, reg), 4);
}

uint32_t lab_uncorrectable(struct lab *lab, const char *name)
{
    return lab_get_aer(lab, name, 0x04);
}

struct tlp *lab_memory(struct lab *lab, enum tlp_type type, uint64_t addr)
{
    struct tlp *tlp = lab_tlp(lab, type, type == TLP_MWR);

    tlp_set_span(tlp, addr, 4);
    return tlp;
}

void lab_send_message(struct lab *lab, unsigned code)
{
    struct tlp *tlp = lab_tlp(lab, TLP_MSG, 0);

    tlp->msg_code = (uint8_t)code;
    tlp->msg_routing = TLP_MSG_TO_RC;
    lab_send_up(lab, tlp);
}

bool lab_arm_port_msi(struct conform_ctx *t, struct lab *lab, const char *name)
{
    unsigned cap = lab_func(lab, name)->cap_msi;
    uint32_t nothing = 0;

    if (!cap) {
        t_skip(t, "%s has no MSI", name);
        return false;
    }
    lab_set_cfg(lab, name, cap + 4, 4, LAB_RAM);
    lab_set_cfg(lab, name, cap + 8, 4, 0);
    lab_set_cfg(lab, name, cap + 12, 2, LAB_VECTOR_DATA);
    lab_change_cfg(lab, name, cap + 2, 2, 1, 0x70);
    lab_change_cfg(lab, name, 4, 2, 4, 0);
    machine_board_write(lab->machine, LAB_RAM, &nothing, 4);
    return true;
}

bool lab_interrupted(struct lab *lab)
{
    uint32_t value = 0, nothing = 0;

    lab_run_us(lab, 10);
    machine_board_read(lab->machine, LAB_RAM, &value, 4);
    machine_board_write(lab->machine, LAB_RAM, &nothing, 4);
    return value == LAB_VECTOR_DATA;
}
