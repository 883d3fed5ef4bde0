/* SPDX-License-Identifier: GPL-2.0-or-later */
/* g_file_set_contents() renames over what has the name; /dev/null would become a file. */
#include "pcilab/base/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static bool write_all(int fd, const char *text, size_t len)
{
    while (len) {
        ssize_t put = write(fd, text, len);

        if (put < 0 && errno != EINTR)
            return false;
        if (put > 0) {
            text += put;
            len -= (size_t)put;
        }
    }
    return true;
}

bool whole_file_write(const char *path, const char *text, size_t len, GError **error)
{
    struct stat st;
    bool ok;
    int fd, why;

    if (stat(path, &st) != 0 || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
        return g_file_set_contents(path, text, (gssize)len, error);
    fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    ok = fd >= 0 && write_all(fd, text, len);
    why = errno;
    if (fd >= 0 && close(fd) != 0 && ok) {
        ok = false;
        why = errno;
    }
    if (!ok)
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(why), "%s: %s", path,
                    g_strerror(why));
    return ok;
}
