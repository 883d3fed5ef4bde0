/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The log of the console. */
#include <errno.h>
#include <stdio.h>

#include "boot_log.h"
#include "pcilab/sim/sim.h"

struct boot_log {
    FILE *file;
    bool within; /* a line */
    int error;
};

static struct boot_log *log_to(FILE *file)
{
    struct boot_log *log = g_new0(struct boot_log, 1);

    setvbuf(file, NULL, _IOLBF, BUFSIZ);
    log->file = file;
    return log;
}

struct boot_log *boot_log_new_fd(int fd)
{
    FILE *file = fdopen(fd, "w");

    return file ? log_to(file) : NULL;
}

struct boot_log *boot_log_new(const char *path, GError **error)
{
    FILE *file = fopen(path, "we");

    if (!file) {
        g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(errno), "%s: %s", path,
                    g_strerror(errno));
        return NULL;
    }
    return log_to(file);
}

static void check(struct boot_log *log, int result)
{
    if (result < 0 && !log->error) {
        log->error = errno;
    }
}

void boot_log_byte(struct boot_log *log, uint8_t byte, uint64_t virtual_ps, int64_t wall_us)
{
    if (byte == '\r') {
        return;
    }
    if (!log->within) {
        check(log, fprintf(log->file, "%13.6f %9.3f  ", (double)(virtual_ps / PS_PER_US) / 1e6,
                           (double)wall_us / 1e6));
    }
    log->within = byte != '\n';
    check(log, fputc(byte, log->file));
}

void boot_log_note(struct boot_log *log, const char *text)
{
    check(log, fprintf(log->file, "%s# %s\n", log->within ? "\n" : "", text));
    log->within = false;
}

int boot_log_free(struct boot_log *log)
{
    if (!log) {
        return 0;
    }
    if (log->within) {
        check(log, fputc('\n', log->file));
    }
    check(log, fclose(log->file));
    int error = log->error;
    g_free(log);
    return error;
}
