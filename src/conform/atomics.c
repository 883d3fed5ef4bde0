/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What AtomicOps leave and return, data-driven (PCIe Base 6.0, 6.15). */
#include "lab.h"
#include "pcilab/platform/probe.h"
#include "tables.h"

struct atomic_rule {
    unsigned command, len;
    uint64_t before, operand, compare, after;
};

LAB_PROCEDURE(operation)
{
    const struct atomic_rule *rule = t->assertion->param;
    struct lab_dma dma = {.command = rule->command,
                          .addr = LAB_RAM + 0x40,
                          .len = rule->len,
                          .operand = rule->operand,
                          .compare = rule->compare};
    uint64_t beside = 0x5a5a5a5a5a5a5a5a, now = 0, old;
    unsigned result;

    machine_board_write(lab->machine, dma.addr, &rule->before, 8);
    machine_board_write(lab->machine, dma.addr + rule->len, &beside, 8);
    lab_change_cfg(lab, lab->ex, lab_pcie(lab, lab->ex, 0x28), 2, 0x40, 0);
    result = lab_dma(lab, lab->ex, &dma);
    t_check(t, result == 0, "result %u", result);
    machine_board_read(lab->machine, dma.addr, &now, rule->len);
    t_check(t, now == rule->after,
            "memory has %" G_GINT64_MODIFIER "x, not %" G_GINT64_MODIFIER "x", now, rule->after);
    lab_read(lab, lab_bar(lab, lab->ex, 4), rule->len, &old);
    t_check(t, old == rule->before, "what comes back is %" G_GINT64_MODIFIER "x", old);
    machine_board_read(lab->machine, dma.addr + rule->len, &now, 8);
    t_check(t, now == beside, "what stands beside it was changed");
}

#define ATOMIC(i, text, ...)                                                                       \
    {                                                                                              \
        .id = "atomics." i, .group = "atomics", .document = CONFORM_PCIE, .section = "6.15.1",     \
        .needs = CONFORM_LAB, .procedure = operation,                                              \
        .param = &(const struct atomic_rule){__VA_ARGS__}, .requirement = text                     \
    }

static const struct conform_assertion rows[] = {
    ATOMIC("fetch_add_wraps", "FetchAdd of 32 bits wraps at 32 bits.", EXERCISER_FETCHADD, 4,
           0xffffffff, 2, 0, 1),
    ATOMIC("fetch_add_64", "FetchAdd of 64 bits carries beyond 32.", EXERCISER_FETCHADD, 8,
           0x00000001ffffffff, 1, 0, 0x0000000200000000),
    ATOMIC("swap", "Swap of 32 bits leaves its operand.", EXERCISER_SWAP, 4, 0x11223344, 0xaabbccdd,
           0, 0xaabbccdd),
    ATOMIC("swap_64", "Swap of 64 bits leaves its operand.", EXERCISER_SWAP, 8, 0x1122334455667788,
           0x99aabbccddeeff00, 0, 0x99aabbccddeeff00),
    ATOMIC("cas_equal", "CAS of 32 bits leaves its second operand where the first is equal.",
           EXERCISER_CAS, 4, 0x11223344, 0xaabbccdd, 0x11223344, 0xaabbccdd),
    ATOMIC("cas_64", "CAS of 64 bits leaves its second operand where the first is equal.",
           EXERCISER_CAS, 8, 0x1122334455667788, 0x99aabbccddeeff00, 0x1122334455667788,
           0x99aabbccddeeff00),
    ATOMIC("cas_64_half", "CAS of 64 bits compares all of them.", EXERCISER_CAS, 8,
           0x1122334455667788, 0x99aabbccddeeff00, 0x1122334055667788, 0x1122334455667788),
};

ASSERTION_TABLE(assertions_atomics, rows);
