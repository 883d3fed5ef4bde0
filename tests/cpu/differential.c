/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Our processor against the host's: differential [--cases N] [--seed S] [--only GROUP]
 * [--first N] [--replay] [--self-check] [--lenient]. TAP on standard output, progress on standard
 * error if that is a terminal. Exit status 1 if they differ.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "diff.h"
#include "direct.h"

struct options {
    uint64_t cases, seed, first;
    const char *only;
    bool replay, direct, self_check, lenient, help;
    unsigned max_failures;
};

struct totals {
    uint64_t run, skipped, faulted, failed;
};

struct engines {
    struct guest *guest;
    struct direct *direct;
};

static void run_ours(const struct engines *e, const struct diff_case *c, struct diff_result *r)
{
    if (e->direct)
        direct_run(e->direct, c, r);
    else
        guest_run(e->guest, c, r);
}

static const uint8_t *our_data(const struct engines *e)
{
    return e->direct ? direct_data(e->direct) : guest_data(e->guest);
}

/* What the bytes mean, if objdump is there to tell. */
static void disassemble(const struct diff_case *c)
{
    char name[] = "/tmp/differential-XXXXXX", command[256];
    int fd = mkstemp(name);

    if (fd < 0)
        return;
    if (write(fd, c->code, c->len) == (ssize_t)c->len) {
        snprintf(command, sizeof(command),
                 "objdump -D -b binary -m i386:x86-64 --adjust-vma=0x%lx %s 2>/dev/null | "
                 "sed -n '8,$s/^/#   /p'",
                 c->in.rip, name);
        fflush(stdout);
        if (system(command) != 0)
            printf("#   (no objdump)\n");
    }
    close(fd);
    unlink(name);
}

static void report(const struct options *o, const struct engines *e, uint64_t number,
                   const struct diff_case *c, const struct diff_result *host,
                   const struct diff_result *ours)
{
    printf("# case %lu differs\n", number);
    diff_print_case(c, stdout);
    disassemble(c);
    diff_compare(c, host, native_data(), ours, our_data(e), stdout);
    printf("#   again: differential --seed %lu --first %lu --cases 1 --replay%s%s%s%s\n", o->seed,
           number, o->only ? " --only " : "", o->only ? o->only : "", o->direct ? " --direct" : "",
           o->lenient ? " --lenient" : "");
    fflush(stdout);
}

static void run_case(const struct options *o, const struct engines *e, uint64_t number,
                     struct totals *t)
{
    static struct diff_case c;
    static struct diff_result host, ours;

    diff_generate(o->seed, number, o->only, &c);
    if (o->lenient)
        diff_make_lenient(&c);
    if (o->direct && !c.is_x87 && strcmp(c.group, "mmx") && strcmp(c.group, "sse"))
        return;
    run_ours(e, &c, &ours);
    if (ours.vector == DIRECT_SKIPPED) {
        t->skipped++;
        return;
    }
    native_run(&c, &host);
    if (o->self_check)
        host.state.gpr[number & 15] ^= 1ull << (number >> 4 & 63);
    t->run++;
    t->faulted += host.vector >= 0;
    if (!diff_compare(&c, &host, native_data(), &ours, our_data(e), NULL)) {
        if (t->failed++ < o->max_failures && !o->self_check)
            report(o, e, number, &c, &host, &ours);
    } else if (o->replay) {
        printf("# case %lu is equal (vector %d)\n", number, host.vector);
        diff_print_case(&c, stdout);
        disassemble(&c);
    }
}

static bool parse(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        {"cases", required_argument, NULL, 'n'},
        {"seed", required_argument, NULL, 's'},
        {"only", required_argument, NULL, 'o'},
        {"first", required_argument, NULL, 'f'},
        {"replay", no_argument, NULL, 'r'},
        {"direct", no_argument, NULL, 'd'},
        {"self-check", no_argument, NULL, 'c'},
        {"lenient", no_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},

        {"max-failures", required_argument, NULL, 'm'},
        {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        switch (option) {
        case 'n': o->cases = strtoull(optarg, NULL, 0); break;
        case 's': o->seed = strtoull(optarg, NULL, 0); break;
        case 'f': o->first = strtoull(optarg, NULL, 0); break;
        case 'm': o->max_failures = (unsigned)strtoul(optarg, NULL, 0); break;
        case 'o': o->only = optarg; break;
        case 'r': o->replay = true; break;
        case 'd': o->direct = true; break;
        case 'c': o->self_check = true; break;
        case 'l': o->lenient = true; break;
        case 'h': o->help = true; break;
        default: return false;
        }
    }
    return optind == argc;
}

static bool known_group(const char *name)
{
    for (const char *const *at = diff_groups(); *at; at++) {
        if (!strcmp(*at, name))
            return true;
    }
    return false;
}

static void usage(const char *program, FILE *out)
{
    fprintf(out,
            "usage: %s [--cases N] [--seed S] [--first N] [--only GROUP] [--replay] [--direct]\n"
            "       [--max-failures N] [--self-check] [--lenient]\ngroups:",
            program);
    for (const char *const *at = diff_groups(); *at; at++)
        fprintf(out, " %s", *at);
    fputc('\n', out);
}

int main(int argc, char **argv)
{
    struct options o = {.cases = 1000000, .seed = 1, .max_failures = 5};
    struct engines e = {0};
    struct totals t = {0};
    bool terminal = isatty(2);

    bool good = parse(argc, argv, &o) && (!o.only || known_group(o.only));
    if (!good || o.help) {
        usage(argv[0], good ? stdout : stderr);
        return good ? 0 : 2;
    }
    printf("1..1\n");
    if (!native_init()) {
        printf("ok 1 - # SKIP the addresses of the test are taken\n");
        return 0;
    }
    if (!native_is_alike())
        o.lenient = true;
    if (o.lenient)
        printf("# not comparing what the manual leaves open\n");
    if (o.direct)
        e.direct = direct_new();
    else
        e.guest = guest_new();
    for (uint64_t i = o.first; i < o.first + o.cases; i++) {
        run_case(&o, &e, i, &t);
        if (terminal && i % 16384 == 0)
            fprintf(stderr, "\r%lu of %lu cases, %lu differ ", i - o.first, o.cases, t.failed);
    }
    if (terminal)
        fprintf(stderr, "\r%60s\r", "");
    if (e.direct)
        direct_free(e.direct);
    else
        guest_free(e.guest);
    printf("# %lu cases, %lu with an exception, %lu not applicable, %lu differ\n", t.run, t.faulted,
           t.skipped, t.failed);
    /* The self-check breaks one bit of a register in every expectation: each must be noticed. */
    good = o.self_check ? t.failed >= t.run * 9 / 10 && t.run : !t.failed && t.run;
    printf("%sok 1 - %s\n", good ? "" : "not ",
           o.self_check ? "wrong expectations are noticed"
                        : "same results as the host's processor");
    return good ? 0 : 1;
}
