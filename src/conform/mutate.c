/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mutants: chosen from the rows of registers by rules, and from a list of faults of TLPs. */
#include "pcilab/conform/mutate.h"

#include <string.h>

#include "internal.h"
#include "machine.h"
#include "pcilab/base/bits.h"
#include "pcilab/conform/machine.h"
#include "pcilab/pci/config.h"
#include "pcilab/platform/probe.h"
#include "pcilab/reg/replace.h"

#define BATCH 16 /* assertions that are asked before anybody looks at their answers */

struct maker {
    GPtrArray *out;
    const char *component;
    const struct reg_space *space;
    unsigned type;
    GHashTable *seen; /* "type name": a row of a type of function once */
};

static void free_mutant(void *data)
{
    struct conform_mutant *mutant = data;

    g_free(mutant->name);
    g_free(mutant->component);
    g_free(mutant);
}

static void add_row(const struct maker *maker, unsigned offset, const struct reg_def *def,
                    const char *what, unsigned bit)
{
    struct conform_mutant *mutant = g_new0(struct conform_mutant, 1);

    mutant->component = g_strdup(maker->component);
    mutant->name = g_strdup_printf("%s %s: bit %u %s", maker->component, def->name, bit, what);
    mutant->is_register = true;
    mutant->offset = offset;
    mutant->def = *def;
    g_ptr_array_add(maker->out, mutant);
}

static unsigned lowest(uint64_t mask)
{
    return (unsigned)__builtin_ctzll(mask);
}

/*
 * What would leave another conforming device is no mutant: bits that may be hardwired to 0,
 * stickiness of root ports, which nothing resets but power, and what hooks compute.
 */
static const struct {
    const char *row;
    uint64_t bits;
} optional[] = {
    {"command", 0x0003},
    {"device_control", 0x0c10},
    {"device_control_2", 0x0340},
    {"link_control", 0x0205},
    {"link_control_2", 0x0020},
    {"bridge_control", 0x001c},
    {"correctable_error_mask", 0xc001},
    {"pm_control_status", 0x0100},
    {"data_link_feature_capabilities", 0x80000000},
    {"device_control_3", 0x0007},
};

static uint64_t optional_bits(const char *row)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(optional); i++) {
        if (strcmp(optional[i].row, row) == 0)
            return optional[i].bits;
    }
    return 0;
}

/* What this suite's tables call reserved or fixed; the model's tables do not tell these apart from
 * what is merely read-only. */
static const char *const with_reserved_bits[] = {"command",
                                                 "status",
                                                 "device_status",
                                                 "link_control",
                                                 "link_status",
                                                 "slot_status",
                                                 "root_control",
                                                 "root_capabilities",
                                                 "root_status",
                                                 "device_status_2",
                                                 "slot_control_2",
                                                 "slot_status_2",
                                                 "correctable_error_mask",
                                                 "correctable_error_status",
                                                 "root_error_command",
                                                 "acs_control",
                                                 "ari_control",
                                                 "power_management_control_status",
                                                 "message_control",
                                                 "sriov_control",
                                                 "sriov_status",
                                                 "ats_control",
                                                 "page_request_control",
                                                 "page_request_status",
                                                 "pasid_control",
                                                 NULL};

/* The bits that an instance lets software write are known by trying, on a space of nobody's. */
static void mutate_row(void *opaque, const struct reg_def *def, unsigned offset, uint64_t value)
{
    const struct maker *maker = opaque;
    uint64_t rw = reg_rw_mask(maker->space, offset), all = low_mask(8u * def->width);
    uint64_t fixed = all & ~(rw | def->rw1c | def->rw1s | def->w1t | def->rsvdz);
    uint64_t closed = fixed & ~optional_bits(def->name);
    struct reg_def wrong = *def;
    bool again = !g_hash_table_add(maker->seen, g_strdup_printf("%u %s", maker->type, def->name));

    /* With fewer writable bits a BAR is one of another size. */
    if (again || strncmp(def->name, "bar", 3) == 0 || strncmp(def->name, "vf_bar", 6) == 0)
        return;
    wrong.rw = rw;
    wrong.reset = reg_reset_value(maker->space, offset);
    uint64_t needed = rw & ~optional_bits(def->name);
    if (needed) {
        struct reg_def other = wrong;

        other.rw = rw & ~(needed & -needed);
        add_row(maker, offset, &other, "cannot be written", lowest(needed));
    }
    if (needed & def->sticky && maker->type != PCIE_ROOT_PORT &&
        maker->type != PCIE_RC_INTEGRATED_ENDPOINT) {
        struct reg_def other = wrong;

        other.sticky = def->sticky & ~(1ull << lowest(needed & def->sticky));
        add_row(maker, offset, &other, "is not sticky", lowest(needed & def->sticky));
    }
    if (def->rw1c) {
        struct reg_def other = wrong;

        other.rw1c = def->rw1c & (def->rw1c - 1);
        other.rw = rw | (def->rw1c & -def->rw1c);
        add_row(maker, offset, &other, "is set and not cleared by a 1", lowest(def->rw1c));
    }
    if (closed && !def->on_write && !def->on_read) {
        struct reg_def other = wrong;

        other.rw = rw | (closed & -closed);
        add_row(maker, offset, &other, "can be written", lowest(closed));
    }
    if (g_strv_contains(with_reserved_bits, def->name) && fixed & ~value) {
        unsigned bit = 63u - (unsigned)__builtin_clzll(fixed & ~value);
        struct reg_def other = wrong;

        other.reset |= 1ull << bit;
        other.sticky &= ~(1ull << bit);
        add_row(maker, offset, &other, "reads as 1", bit);
    }
}

/* A message that does not arrive, a completion that lies: wherever it is sent. */
static const struct {
    const char *name;
    uint32_t types;
    uint8_t msg_first, msg_last;
    enum inject_action action;
    uint64_t value;
} faults[] = {
    {"ERR_COR messages are lost", BIT(TLP_MSG), TLP_MSG_ERR_COR, TLP_MSG_ERR_COR, INJECT_DROP, 0},
    {"ERR_NONFATAL messages are lost", BIT(TLP_MSG), TLP_MSG_ERR_NONFATAL, TLP_MSG_ERR_NONFATAL,
     INJECT_DROP, 0},
    {"ERR_FATAL messages are lost", BIT(TLP_MSG), TLP_MSG_ERR_FATAL, TLP_MSG_ERR_FATAL, INJECT_DROP,
     0},
    {"Assert_INTx messages are lost", BIT(TLP_MSG), TLP_MSG_ASSERT_INTA, TLP_MSG_ASSERT_INTA + 3,
     INJECT_DROP, 0},
    {"Deassert_INTx messages are lost", BIT(TLP_MSG), TLP_MSG_DEASSERT_INTA,
     TLP_MSG_DEASSERT_INTA + 3, INJECT_DROP, 0},
    {"messages come twice", BIT(TLP_MSG), 0, 0, INJECT_DUPLICATE, 0},
    {"memory writes are lost", BIT(TLP_MWR), 0, 0, INJECT_DROP, 0},
    {"memory writes come twice", BIT(TLP_MWR), 0, 0, INJECT_DUPLICATE, 0},
    {"memory writes are poisoned", BIT(TLP_MWR), 0, 0, INJECT_POISON, 0},
    {"memory reads are lost", BIT(TLP_MRD), 0, 0, INJECT_DROP, 0},
    {"AtomicOps are lost", BIT(TLP_FETCHADD) | BIT(TLP_SWAP) | BIT(TLP_CAS), 0, 0, INJECT_DROP, 0},
    {"completions with data are lost", BIT(TLP_CPLD), 0, 0, INJECT_DROP, 0},
    {"completions without data are lost", BIT(TLP_CPL), 0, 0, INJECT_DROP, 0},
    {"completions with data are poisoned", BIT(TLP_CPLD), 0, 0, INJECT_POISON, 0},
    {"completions with data come twice", BIT(TLP_CPLD), 0, 0, INJECT_DUPLICATE, 0},
    {"completions say Completer Abort for Unsupported Request", BIT(TLP_CPL), 0, 0, INJECT_STATUS,
     TLP_CA},
    {"completions say Unsupported Request for all", BIT(TLP_CPLD), 0, 0, INJECT_STATUS, TLP_UR},
    {"completions have another tag", BIT(TLP_CPLD), 0, 0, INJECT_TAG, 0x1f},
    {"completions have another byte count", BIT(TLP_CPLD), 0, 0, INJECT_BYTE_COUNT, 1},
    {"configuration writes are lost", BIT(TLP_CFGWR0) | BIT(TLP_CFGWR1), 0, 0, INJECT_DROP, 0},
    {"digests are wrong", BIT(TLP_CPLD), 0, 0, INJECT_CORRUPT_ECRC, 0},
};

static void add_faults(GPtrArray *out)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(faults); i++) {
        struct conform_mutant *mutant = g_new0(struct conform_mutant, 1);

        mutant->name = g_strdup(faults[i].name);
        mutant->rule = (struct inject_rule){
            .name = "mutant",
            .match = {.types = faults[i].types,
                      .by_message = faults[i].msg_first != 0,
                      .msg_first = faults[i].msg_first,
                      .msg_last = faults[i].msg_last},
            .action = faults[i].action,
            .value = faults[i].value,
        };
        g_ptr_array_add(out, mutant);
    }
}

static void add_function(struct machine *machine, const char *name, GPtrArray *out,
                         GHashTable *seen, bool rich)
{
    struct maker maker = {.out = out, .component = name, .seen = seen};
    struct pci_func *func = machine_func(machine, name);

    /* Nobody has looked closely at what a collector must have. */
    if (!func || !func->cap_pcie || func->pcie_type == PCIE_RC_EVENT_COLLECTOR ||
        (rich && !func->ext_sriov && !pcie_slot_can(func, PCIE_SLTCAP_ATTENTION)))
        return;
    maker.type = func->pcie_type;
    maker.space = func->cfg;
    reg_space_visit(func->cfg, mutate_row, &maker);
}

static void add_flaws(GPtrArray *out)
{
    for (enum flaw flaw = FLAW_NONE + 1; flaw < FLAW_COUNT; flaw++) {
        struct conform_mutant *mutant = g_new0(struct conform_mutant, 1);

        mutant->name = g_strdup_printf("%s: %s", flaw_group(flaw), flaw_text(flaw));
        mutant->flaw = flaw;
        g_ptr_array_add(out, mutant);
    }
}

GPtrArray *conform_mutants(const struct machine_desc *desc, GError **error)
{
    struct machine *machine = conform_machine_new(desc, error);
    GPtrArray *out;
    char **names;
    GHashTable *seen;

    if (!machine)
        return NULL;
    out = g_ptr_array_new_with_free_func(free_mutant);
    seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    names = machine_names(machine);
    /* Those with much first: slots for hot-plug, Virtual Functions. */
    for (unsigned i = 0; names[i]; i++)
        add_function(machine, names[i], out, seen, true);
    for (unsigned i = 0; names[i]; i++)
        add_function(machine, names[i], out, seen, false);
    g_hash_table_unref(seen);
    add_faults(out);
    add_flaws(out);
    g_strfreev(names);
    machine_free(machine);
    return out;
}

void conform_mutate_sim(struct sim *sim, const struct conform_mutant *mutant)
{
    if (mutant->flaw)
        flaw_set(&sim->flaws, mutant->flaw);
}

void conform_mutate(struct machine *machine, const struct conform_mutant *mutant,
                    struct inject **inject)
{
    if (mutant->is_register) {
        struct pci_func *func = machine_func(machine, mutant->component);

        reg_replace_row(func->cfg, mutant->offset, &mutant->def);
        return;
    }
    if (mutant->flaw) {
        conform_mutate_sim(machine_sim(machine), mutant);
        return;
    }
    *inject = inject_new(machine_fabric(machine));
    inject_add(*inject, &mutant->rule);
}

static void note(GPtrArray *noticed, const struct conform_report *report)
{
    for (unsigned i = 0; i < report->results->len; i++) {
        const struct conform_result *result =
            &g_array_index(report->results, struct conform_result, i);
        const char *id = result->assertion->id;

        if (result->outcome == CONFORM_FAIL && !g_ptr_array_find(noticed, id, NULL))
            g_ptr_array_add(noticed, (void *)id);
    }
}

static void judge_functions(struct conform_backend *backend, const GPtrArray *assertions,
                            const struct conform_filter *filter, GPtrArray *noticed)
{
    const void *lab = backend->lab;
    struct conform_report *report;
    struct inject *none = NULL;

    backend->lab = NULL; /* for what that is needed for is judged on its own */
    conform_mutate(conform_machine_of(backend), backend->mutant, &none);
    report = conform_run(backend, assertions, filter, "mutant");
    note(noticed, report);
    conform_report_free(report);
    backend->lab = lab;
}

static void judge_batch(struct conform_backend *backend, const GPtrArray *batch,
                        const struct conform_filter *filter, GPtrArray *noticed)
{
    struct conform_report *report = conform_run_lab(backend, batch, filter, "mutant");

    note(noticed, report);
    conform_report_free(report);
}

/* Not all of hundreds of assertions have to say the same. */
static void judge_lab(struct conform_backend *backend, const GPtrArray *assertions,
                      const struct conform_filter *filter, GPtrArray *noticed)
{
    GPtrArray *batch = g_ptr_array_new();

    for (unsigned i = 0; i < assertions->len && !noticed->len; i++) {
        const struct conform_assertion *assertion = assertions->pdata[i];

        if (assertion->needs & CONFORM_LAB && conform_filter_accepts(filter, assertion))
            g_ptr_array_add(batch, assertions->pdata[i]);
        if (batch->len < BATCH && i + 1 < assertions->len)
            continue;
        judge_batch(backend, batch, filter, noticed);
        g_ptr_array_set_size(batch, 0);
    }
    g_ptr_array_unref(batch);
}

/* Registers are looked at where they are; what that does not find, and TLPs, in the laboratory. Of
 * flaws the group that should notice is asked first, then everybody. */
static bool judge_one(const struct machine_desc *desc, const GPtrArray *assertions,
                      const struct conform_mutant *mutant, GPtrArray *noticed, GError **error)
{
    struct conform_filter filter = {.destructive = true, .component = mutant->component};
    struct conform_backend *backend = conform_machine_open(desc, error);

    if (!backend)
        return false;
    backend->mutant = mutant;
    if (mutant->is_register)
        judge_functions(backend, assertions, &filter, noticed);
    if (mutant->flaw) {
        struct conform_filter own = {.destructive = true, .group = flaw_group(mutant->flaw)};

        judge_lab(backend, assertions, &own, noticed);
    }
    if (!noticed->len)
        judge_lab(backend, assertions, &filter, noticed);
    if (!noticed->len && mutant->flaw)
        judge_functions(backend, assertions, &filter, noticed);
    conform_backend_free(backend);
    return true;
}

/* Those that are wanted, still owned by `all`. */
static GPtrArray *choose(const GPtrArray *all, const struct conform_mutant_choice *choice)
{
    GPtrArray *kind = g_ptr_array_new(), *out;

    for (unsigned i = 0; i < all->len; i++) {
        const struct conform_mutant *mutant = all->pdata[i];

        if (mutant->flaw || !choice->flaws)
            g_ptr_array_add(kind, all->pdata[i]);
    }
    if (!choice->count || choice->count >= kind->len)
        return kind;
    out = g_ptr_array_new();
    for (unsigned i = 0; i < choice->count; i++)
        g_ptr_array_add(out, kind->pdata[(uint64_t)i * kind->len / choice->count]);
    g_ptr_array_unref(kind);
    return out;
}

bool conform_judge_mutants(const struct machine_desc *desc,
                           const struct conform_mutant_judge *judge, GError **error)
{
    GPtrArray *all = conform_mutants(desc, error), *chosen;
    bool ok = true;

    if (!all)
        return false;
    chosen = choose(all, &judge->choice);
    for (unsigned i = 0; i < chosen->len && ok; i++) {
        struct conform_mutant_result result = {chosen->pdata[i], g_ptr_array_new()};

        ok = judge_one(desc, judge->assertions, result.mutant, result.noticed, error);
        if (ok)
            judge->done(judge->opaque, &result);
        g_ptr_array_unref(result.noticed);
    }
    g_ptr_array_unref(chosen);
    g_ptr_array_unref(all);
    return ok;
}
