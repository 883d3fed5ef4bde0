/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said about a run when it is over: splats, and a Tested-with trailer. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "boot_report.h"
#include "cli.h"

/* In the child, between fork and exec. */
static void take_stdin(gpointer fd)
{
    (void)dup2(GPOINTER_TO_INT(fd), STDIN_FILENO);
}

/* scripts/decode_stacktrace.sh VMLINUX BASE-PATH MODULES-PATH <text. NULL: it did not work. */
static char *decode(const char *tree, const char *text)
{
    char *script = g_build_filename(tree, "scripts", "decode_stacktrace.sh", NULL);
    char *vmlinux = g_build_filename(tree, "vmlinux", NULL);
    char *argv[] = {script, vmlinux, (char *)tree, (char *)tree, NULL};
    char *decoded = NULL;
    int fd = -1, status;

    if (access(script, X_OK) == 0 && access(vmlinux, R_OK) == 0) {
        fd = memfd_create("splat", MFD_CLOEXEC);
    }
    if (fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) &&
        lseek(fd, 0, SEEK_SET) == 0 &&
        g_spawn_sync(NULL, argv, NULL, G_SPAWN_CHILD_INHERITS_STDIN | G_SPAWN_STDERR_TO_DEV_NULL,
                     take_stdin, GINT_TO_POINTER(fd), &decoded, NULL, &status, NULL) &&
        (!g_spawn_check_wait_status(status, NULL) || !*decoded)) {
        g_clear_pointer(&decoded, g_free);
    }
    if (fd >= 0) {
        close(fd);
    }
    g_free(script);
    g_free(vmlinux);
    return decoded;
}

void boot_report_splats(const struct splats *splats, const char *tree)
{
    unsigned allowed = splats_allowed(splats);

    if (!splats_count(splats)) {
        if (allowed) {
            cli_note("%u splat%s, expected", allowed, allowed == 1 ? "" : "s");
        }
        return;
    }
    char *summary = splats_summary(splats);
    char *expected = allowed ? g_strdup_printf(", and %u expected", allowed) : g_strdup("");
    const char *text = splats_first_text(splats);
    char *decoded = tree ? decode(tree, text) : NULL;
    cli_error("the guest's kernel complained: %s%s; %s:", summary, expected,
              splats_count(splats) == 1 ? "this is it" : "the first");
    fputs(decoded ? decoded : text, stderr);
    g_free(decoded);
    g_free(expected);
    g_free(summary);
}

char *boot_report_tested(const struct boot_tested *t)
{
    char *base = g_path_get_basename(t->topology);
    char *summary = splats_summary(t->splats);
    char *text = g_strdup_printf(
        "Tested-with: pcilab " PCILAB_VERSION ", %s (%u processor%s, %s), seed %" G_GUINT64_FORMAT
        "\n  kernel: %s\n  command line: %s\n  result: %s, splats: %s\n  digest: %s\n",
        base, t->cpus, t->cpus == 1 ? "" : "s", t->memory, t->seed, t->kernel, t->cmdline,
        t->result, *summary ? summary : "none", t->digest);

    g_free(summary);
    g_free(base);
    return text;
}

char *boot_report_tree_of(const char *kernel)
{
    static const char where[] = "/arch/x86/boot/bzImage";
    char *path = g_canonicalize_filename(kernel, NULL);
    char *tree = NULL;

    if (g_str_has_suffix(path, where)) {
        tree = g_strndup(path, strlen(path) - strlen(where));
    }
    g_free(path);
    return tree;
}
