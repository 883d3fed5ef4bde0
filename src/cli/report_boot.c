/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pcilab boot --out. */
#include "boot.h"
#include "boot_options.h"
#include "report.h"

bool report_boot_open(struct boot_options *o)
{
    if (!report_make_folder(o->out)) {
        return false;
    }
    if (!o->log_file) {
        o->log_file = g_build_filename(o->out, "console.log", NULL);
    }
    return true;
}

static char *result_text(int status)
{
    switch (status) {
    case CLI_OK: return g_strdup("powered off");
    case CLI_LIMIT: return g_strdup("a limit was reached");
    default: return g_strdup_printf("exit status %d", status);
    }
}

int report_boot(struct report_watch *watch, struct boot_run *run, const struct boot_options *o,
                int status)
{
    struct report_verdict verdict = {.kind = "boot",
                                     .good = status == CLI_OK,
                                     .kernel = run->boot->kernel_path,
                                     .cmdline = run->boot->cmdline,
                                     .seed = o->seed,
                                     .wall_us = run->ended_us - run->started_us};
    char *result = result_text(status);
    GError *error = NULL;

    if (watch) {
        verdict.result = result;
        verdict.message =
            run->splats && splats_count(run->splats) ? splats_first_text(run->splats) : NULL;
        report_watch_over(watch, run->machine);
        if (!report_watch_write(watch, o->out, &verdict, &error)) {
            cli_error("--out: %s", error->message);
            g_error_free(error);
            status = status ? status : CLI_FAILED;
        }
    }
    g_free(result);
    return status;
}
