/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pcilab: which subcommand, and what there is. */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "pcilab/config/units.h"

struct command {
    const char *name;
    int (*run)(char **argv);
    const char *help;
};

static const struct command commands[] = {
    {"boot", cli_boot, "boot a Linux kernel on a topology"},
    {"campaign", cli_campaign, "run scenarios by the thousand, here or in a batch system"},
    {"conform", cli_conform, "judge a machine, a device or a dump clause by clause"},
    {"ctl", cli_ctl, "give orders to a boot that has a control socket, and look into it"},
    {"fork", cli_fork, "continue from the checkpoint of a boot, as often as wanted"},
    {"inspect", cli_inspect, "look into the machine at the checkpoint of a boot"},
    {"report", cli_report, "make a page of what a run left in a folder"},
    {"run", cli_run, "run scenarios: faults on purpose, and what is expected of them"},
    {"topo", cli_topo, "check a topology file and show its tree"},
    {"trace", cli_trace, "show and compare traces of runs"},
};

static void print_help(FILE *out)
{
    fputs("pcilab boots an unmodified Linux kernel on a PCI Express topology that a text file\n"
          "describes.\n"
          "\n"
          "Usage: pcilab COMMAND [OPTIONS]\n"
          "\n"
          "Commands:\n",
          out);
    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++) {
        fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].help);
    }
    fputs("\n"
          "Start here:\n"
          "  pcilab topo default             what the default topology looks like\n"
          "  pcilab boot                     boot it with the prepared kernel; Ctrl-A x leaves\n"
          "  pcilab boot my.ini --kernel arch/x86/boot/bzImage --initrd initramfs.img\n"
          "                                  your kernel on your topology\n"
          "  pcilab topo --keys              what can stand in a topology file\n"
          "\n"
          "Options:\n"
          "  --help, --version; `pcilab COMMAND --help` shows a command's own options\n"
          "\n"
          "Exit status: 0 the guest powered off, 1 it panicked or a check failed, 2 bad usage or\n"
          "input, 3 time limit, 128 and above: ended by that signal.\n",
          out);
}

static int unknown_command(const char *name)
{
    const char *names[G_N_ELEMENTS(commands)];

    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++) {
        names[i] = commands[i].name;
    }
    const char *near = units_nearest(name, names, G_N_ELEMENTS(names));
    if (g_str_has_suffix(name, ".ini")) {
        cli_error("there is no command \"%s\"; to boot this topology: pcilab boot %s", name, name);
    } else if (near) {
        cli_error("there is no command \"%s\"; did you mean \"%s\"? See pcilab --help", name, near);
    } else {
        cli_error("there is no command \"%s\"; see pcilab --help", name);
    }
    return CLI_USAGE;
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "");
    g_set_prgname("pcilab");
    /* A limit on the size of files is an error of a write, which is told, and not the end. */
    signal(SIGXFSZ, SIG_IGN);
    if (argc < 2) {
        print_help(stderr);
        return CLI_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_help(stdout);
        return CLI_OK;
    }
    if (strcmp(name, "--version") == 0) {
        printf("pcilab %s\n", PCILAB_VERSION);
        return CLI_OK;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (strcmp(name, commands[i].name) == 0) {
            /* GOptionContext frees nothing but moves words about: give it a copy. */
            char **words = g_strdupv(argv + 1);
            int status = commands[i].run(words);
            g_strfreev(words);
            return status;
        }
    }
    return unknown_command(name);
}
