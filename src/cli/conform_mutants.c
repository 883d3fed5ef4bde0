/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pcilab conform --mutate: which assertions notice that the model is broken, as TAP or a page. */
#include "pcilab/conform/mutate.h"

#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "conform.h"

#define NAMES_MAX 6 /* of assertions that a line of TAP has */

struct count {
    unsigned judged, noticed;
};

struct tally {
    struct count all, registers, tlps;
    struct count *flaws; /* by flaw, one at most each */
    GString *missed, *table;
};

static void add(struct count *count, bool noticed)
{
    count->judged++;
    count->noticed += noticed;
}

static void take(struct tally *tally, const struct conform_mutant_result *result)
{
    const struct conform_mutant *mutant = result->mutant;
    bool noticed = result->noticed->len != 0;

    add(&tally->all, noticed);
    add(mutant->is_register ? &tally->registers
        : mutant->flaw      ? &tally->flaws[mutant->flaw]
                            : &tally->tlps,
        noticed);
    if (!noticed)
        g_string_append_printf(tally->missed, "- %s\n", mutant->name);
    if (!mutant->flaw)
        return;
    g_string_append_printf(tally->table, "| %s | %s | ", flaw_group(mutant->flaw),
                           flaw_text(mutant->flaw));
    if (noticed)
        g_string_append_printf(tally->table, "`%s`", (const char *)result->noticed->pdata[0]);
    if (result->noticed->len > 1)
        g_string_append_printf(tally->table, " and %u more", result->noticed->len - 1);
    g_string_append(tally->table, " |\n");
}

static void print_line(const struct tally *tally, const struct conform_mutant_result *result)
{
    const GPtrArray *noticed = result->noticed;

    printf("%sok %u - %s", noticed->len ? "" : "not ", tally->all.judged, result->mutant->name);
    for (unsigned i = 0; i < noticed->len && i < NAMES_MAX; i++)
        printf("%s%s", i ? ", " : " # ", (const char *)noticed->pdata[i]);
    if (noticed->len > NAMES_MAX)
        printf(" and %u more", noticed->len - NAMES_MAX);
    putchar('\n');
    fflush(stdout);
}

static void done_tap(void *opaque, const struct conform_mutant_result *result)
{
    take(opaque, result);
    print_line(opaque, result);
}

static void done_page(void *opaque, const struct conform_mutant_result *result)
{
    take(opaque, result);
}

static void print_count(const char *kind, const char *group, struct count count)
{
    if (count.judged)
        printf("| %s%s | %u | %u |\n", kind, group, count.judged, count.noticed);
}

static void print_page(const struct tally *tally)
{
    struct count group = {0};

    printf("# Mutants\n\n`pcilab conform --mutate=all --markdown` prints this page; "
           "[conformance.md](conformance.md) says what\nmutants are.\n\n"
           "| Mutants | Judged | Noticed |\n|---|---|---|\n");
    print_count("bits of registers", "", tally->registers);
    print_count("TLPs on their way", "", tally->tlps);
    for (enum flaw flaw = FLAW_NONE + 1; flaw < FLAW_COUNT; flaw++) {
        group.judged += tally->flaws[flaw].judged;
        group.noticed += tally->flaws[flaw].noticed;
        if (flaw + 1 == FLAW_COUNT || strcmp(flaw_group(flaw), flaw_group(flaw + 1)) != 0) {
            print_count("flaws: ", flaw_group(flaw), group);
            group = (struct count){0};
        }
    }
    print_count("all", "", tally->all);
    printf("\n## Mutants that nothing notices\n\n%s", tally->missed->str);
    printf("\n## Flaws\n\n| Group | What is wrong | Noticed by |\n|---|---|---|\n%s",
           tally->table->str);
}

/* 0: 95 % and more are noticed. */
int conform_mutate_topology(const char *name, const GPtrArray *assertions,
                            const struct conform_mutant_choice *choice)
{
    struct tally tally = {.flaws = g_new0(struct count, FLAW_COUNT),
                          .missed = g_string_new(NULL),
                          .table = g_string_new(NULL)};
    const struct conform_mutant_judge judge = {assertions, *choice,
                                               choice->markdown ? done_page : done_tap, &tally};
    GError *error = NULL;
    char *path;
    struct machine_desc *desc = conform_load_topology(name, &path);
    int status = CLI_USAGE;

    if (desc && conform_judge_mutants(desc, &judge, &error)) {
        status = tally.all.noticed * 100 >= tally.all.judged * 95 ? CLI_OK : CLI_FAILED;
        if (choice->markdown)
            print_page(&tally);
        else
            printf("1..%u\n# %u of %u mutants are noticed\n", tally.all.judged, tally.all.noticed,
                   tally.all.judged);
    } else if (desc) {
        cli_error("%s: %s", path, error->message);
        g_error_free(error);
    }
    if (desc) {
        g_free(path);
        machine_desc_free(desc);
    }
    g_free(tally.flaws);
    g_string_free(tally.missed, TRUE);
    g_string_free(tally.table, TRUE);
    return status;
}
