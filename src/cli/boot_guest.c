/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel and initramfs that scripts/guest prepared. */
#include <errno.h>
#include <unistd.h>

#include "boot.h"

char *boot_guest_folder(const char *name)
{
    const char *set = g_getenv("PCILAB_GUEST_DIR");
    char *base = set && *set ? g_strdup(set)
                             : g_build_filename(g_get_user_cache_dir(), "pcilab", "guest", NULL);
    char *folder = name ? g_strdup_printf("%s-%s", base, name) : g_strdup(base);

    g_free(base);
    return folder;
}

bool boot_guest_find(struct boot_guest *guest, const char *name, const char *need)
{
    guest->folder = boot_guest_folder(name);
    guest->kernel = g_build_filename(guest->folder, "vmlinuz", NULL);
    guest->initrd = g_build_filename(guest->folder, "initramfs.img", NULL);
    guest->version = NULL;

    char *path = g_build_filename(guest->folder, "version", NULL);
    if (g_file_get_contents(path, &guest->version, NULL, NULL)) {
        g_strstrip(guest->version);
    } else {
        guest->version = g_strdup("unknown version");
    }
    g_free(path);
    if (g_file_test(guest->kernel, G_FILE_TEST_IS_REGULAR) &&
        g_file_test(guest->initrd, G_FILE_TEST_IS_REGULAR)) {
        return true;
    }
    cli_error("no %s was given and none is prepared in %s; run scripts/guest%s%s, or name one with "
              "--%s FILE",
              need, guest->folder, name ? " --suite " : "", name ? name : "", need);
    boot_guest_clear(guest);
    return false;
}

void boot_guest_clear(struct boot_guest *guest)
{
    g_clear_pointer(&guest->folder, g_free);
    g_clear_pointer(&guest->kernel, g_free);
    g_clear_pointer(&guest->initrd, g_free);
    g_clear_pointer(&guest->version, g_free);
}
