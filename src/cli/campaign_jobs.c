/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a batch system is given. */
#include <errno.h>
#include <sys/stat.h>

#include "campaign.h"

char *jobs_ranges(const GArray *shards)
{
    GString *out = g_string_new(NULL);

    for (unsigned i = 0, next; i < shards->len; i = next) {
        unsigned first = g_array_index(shards, unsigned, i), last = first;
        for (next = i + 1; next < shards->len && g_array_index(shards, unsigned, next) == last + 1;
             next++) {
            last++;
        }
        g_string_append_printf(out, "%s%u", i ? "," : "", first);
        if (last > first) {
            g_string_append_printf(out, "-%u", last);
        }
    }
    return g_string_free(out, FALSE);
}

static bool write_script(const struct plan *plan, const char *name, char *text, GError **error)
{
    char *path = g_build_filename(plan->dir, name, NULL);
    bool ok = g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0755, error);

    if (ok && chmod(path, 0755) != 0) {
        g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(errno), "%s: %s", path,
                    g_strerror(errno));
        ok = false;
    }
    g_free(path);
    g_free(text);
    return ok;
}

/* Output goes where the script says and not where #SBATCH says: its paths know no quotes. */
static char *slurm_script(const struct plan *plan, const char *program, const char *dir,
                          const GArray *shards)
{
    char *ranges = jobs_ranges(shards);
    char *text = g_strdup_printf(
        "#!/bin/bash\n"
        "# %u of %u shards of the campaign %s have no result yet. Start them with: sbatch\n"
        "#SBATCH --job-name=pcilab-%s\n"
        "#SBATCH --array=%s\n"
        "#SBATCH --ntasks=1\n"
        "#SBATCH --cpus-per-task=1\n"
        "#SBATCH --requeue\n"
        "#SBATCH --output=/dev/null\n"
        "dir=%s\n"
        "exec >>\"$dir/logs/$(printf %%04d \"$SLURM_ARRAY_TASK_ID\").log\" 2>&1\n"
        "exec %s campaign --shard \"$SLURM_ARRAY_TASK_ID\" \"$dir\"\n",
        shards->len, plan->shards, plan->name, plan->name, ranges, dir, program);

    g_free(ranges);
    return text;
}

static char *parallel_script(const char *program, const char *dir, const GArray *shards)
{
    GString *out = g_string_new("#!/bin/bash\n"
                                "# GNU parallel; more machines: --sshlogin or --sshloginfile\n");

    g_string_append_printf(out, "exec parallel \"$@\" %s campaign --shard {} %s :::", program, dir);
    for (unsigned i = 0; i < shards->len; i++) {
        g_string_append_printf(out, " %u", g_array_index(shards, unsigned, i));
    }
    g_string_append_c(out, '\n');
    return g_string_free(out, FALSE);
}

bool jobs_write(const struct plan *plan, const GArray *shards, GError **error)
{
    char *self = g_file_read_link("/proc/self/exe", error);
    if (!self) {
        return false;
    }
    char *program = g_shell_quote(self), *dir = g_shell_quote(plan->dir);
    /* GNU parallel has its arguments read by a shell once more. */
    char *program_again = g_shell_quote(program), *dir_again = g_shell_quote(dir);
    bool ok =
        write_script(plan, "job.slurm", slurm_script(plan, program, dir, shards), error) &&
        write_script(plan, "parallel.sh", parallel_script(program_again, dir_again, shards), error);

    g_free(self);
    g_free(program);
    g_free(program_again);
    g_free(dir);
    g_free(dir_again);
    return ok;
}
