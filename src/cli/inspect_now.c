/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pcilab boot --at TIME:inspect:WHAT: the words of pcilab inspect, in the middle of a boot. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inspect.h"

/* The words without blanks and without --json; g_strfreev() them. */
static char **split(const char *text, bool *json)
{
    char **all = g_strsplit_set(text, " \t", -1);
    unsigned kept = 0;

    *json = false;
    for (unsigned i = 0; all[i]; i++) {
        bool option = strcmp(all[i], "--json") == 0;

        *json |= option;
        if (option || !all[i][0]) {
            g_free(all[i]);
        } else {
            all[kept++] = all[i];
        }
    }
    all[kept] = NULL;
    return all;
}

bool inspect_now_check(const char *text)
{
    struct inspect_query query = {0};
    char **words = split(text, &query.json);
    bool good = inspect_query_parse(&query, words);

    g_strfreev(words);
    return good;
}

/* out_fd: where the answer and errors go. */
static void look(struct machine *machine, const char *text, int out_fd)
{
    struct inspect_query query = {0};
    char **words = split(text, &query.json);
    int status = 0;

    fflush(NULL); /* or the other process would write it, too */
    pid_t child = fork();
    if (child == 0) {
        dup2(out_fd, STDERR_FILENO);
        int result = inspect_query_parse(&query, words)
                         ? inspect_show(machine, &query, words, stderr)
                         : CLI_USAGE;
        fflush(stderr);
        _exit(result);
    }
    if (child < 0) {
        cli_error("inspect %s: %s", text, g_strerror(errno));
    }
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (child > 0 && WIFSIGNALED(status)) {
        cli_error("inspect %s: ended by %s", text, g_strsignal(WTERMSIG(status)));
    }
    g_strfreev(words);
}

void inspect_now(struct machine *machine, const char *text)
{
    look(machine, text, STDERR_FILENO);
}

char *inspect_now_text(struct machine *machine, const char *text)
{
    int fd = memfd_create("inspect", MFD_CLOEXEC);
    char *path = g_strdup_printf("/proc/self/fd/%d", fd), *answer = NULL;

    if (fd >= 0) {
        look(machine, text, fd);
        g_file_get_contents(path, &answer, NULL, NULL);
        close(fd);
    }
    g_free(path);
    return answer ? answer : g_strdup("inspect: no memory for the answer\n");
}
