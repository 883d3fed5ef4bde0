/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What pcilab boot says when the run is over. */
#include <stdio.h>

#include "boot_kernel.h"
#include "boot_report.h"
#include "boot_state.h"
#include "pcilab/config/units.h"

/* On stdout, after the guest's last byte, whatever that was. */
static void say(struct boot *boot, const char *text)
{
    if (boot->run.command) { /* stdout is the command's */
        fputs(text, stderr);
        return;
    }
    if (boot->run.console_bytes && boot->run.last_byte != '\n') {
        console_put(boot->run.console, '\n');
        boot->run.last_byte = '\n';
    }
    for (const char *c = text; *c; c++) {
        console_put(boot->run.console, (uint8_t)*c);
    }
    console_flush(boot->run.console);
}

static void print_tested(struct boot *boot, const char *digest, int status)
{
    const struct boot_options *o = &boot->options;
    char *version = NULL, *memory = units_format_size(boot->desc->memory_bytes);
    char *ended = g_strdup_printf("exit status %d", status);

    g_free(boot_kernel_release(boot->load.kernel_path, &version));
    const struct boot_tested tested = {
        .topology = boot->topology,
        .kernel = version ? version : boot->load.kernel_path,
        .cmdline = boot->cmdline,
        .digest = digest,
        .cpus = boot->desc->cpus,
        .memory = memory,
        .seed = o->seed,
        .result = status == CLI_OK ? "powered off" : ended,
        .splats = boot->run.splats,
    };
    char *text = boot_report_tested(&tested);
    say(boot, text);
    g_free(text);
    g_free(ended);
    g_free(memory);
    g_free(version);
}

void boot_print_results(struct boot *boot, int status)
{
    char hex[65];

    if (!boot->digest) {
        return;
    }
    trace_digest_hex(boot->digest, hex);
    if (boot->options.tested_with) {
        print_tested(boot, hex, status);
    }
    if (boot->options.digest) {
        say(boot, hex);
        say(boot, "\n");
    }
}

static void print_splats(const struct boot *boot)
{
    char *tree = boot_report_tree_of(boot->load.kernel_path);

    boot_report_splats(boot->run.splats, tree);
    g_free(tree);
}

static double seconds(int64_t from_us, int64_t to_us)
{
    return (double)(to_us - from_us) / 1e6;
}

static void print_times(const struct boot *boot)
{
    const struct boot_run *run = &boot->run;
    double wall = seconds(run->started_us, run->ended_us);
    uint64_t instructions = machine_retired(run->machine);
    char *virtual = units_format_time(run->virtual_ps);
    int64_t first_us = run->console_bytes ? run->first_byte_us : run->ended_us;

    cli_note("built in %.2f s, kernel loaded in %.2f s, first line after %.2f s, ran for %.2f s",
             seconds(boot->started_us, boot->built_us), seconds(boot->built_us, boot->loaded_us),
             seconds(run->started_us, first_us), wall);
    if (boot->kvm) {
        cli_note("%s of virtual time, on this computer's own processor", virtual);
    } else {
        cli_note("%s of virtual time, %.0f million instructions, %.1f MIPS", virtual,
                 (double)instructions / 1e6, wall > 0 ? (double)instructions / 1e6 / wall : 0.0);
    }
    if (boot->options.stats) {
        fprintf(stderr,
                "pcilab: stats: build_s=%.3f load_s=%.3f first_byte_s=%.3f run_s=%.3f "
                "virtual_s=%.6f instructions=%" G_GUINT64_FORMAT " resets=%u\n",
                seconds(boot->started_us, boot->built_us), seconds(boot->built_us, boot->loaded_us),
                seconds(run->started_us, first_us), wall, (double)run->virtual_ps / 1e12,
                instructions, run->resets);
    }
    g_free(virtual);
}

void boot_print_end(const struct boot *boot)
{
    print_splats(boot);
    print_times(boot);
}
