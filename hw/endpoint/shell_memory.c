/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is behind the BARs of a shell with memory: zeros at first, then what was written there. Only
 * pages that were written take memory of the host.
 */
#include <glib.h>
#include <string.h>

#include "shell.h"

#define PAGE_BYTES 4096u
/* CHOICE: so much of a shell's memory can be written; what is written beyond vanishes. */
#define PAGES_MAX 16384u /* 64 MiB */

struct shell_memory {
    GHashTable *pages; /* key: place_key() as a pointer */
};

/* The largest BAR has 63 bits, of which a machine's physical addresses leave 46. */
static gpointer place_key(unsigned func, unsigned bar, uint64_t page)
{
    return (gpointer)(uintptr_t)((uint64_t)func << 50 | (uint64_t)bar << 47 | page);
}

struct shell_memory *shell_memory_new(void)
{
    struct shell_memory *memory = g_new0(struct shell_memory, 1);

    memory->pages = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    return memory;
}

void shell_memory_free(struct shell_memory *memory)
{
    if (!memory)
        return;
    g_hash_table_unref(memory->pages);
    g_free(memory);
}

void shell_memory_clear(struct shell_memory *memory)
{
    g_hash_table_remove_all(memory->pages);
}

void shell_memory_read(struct shell_memory *memory, const struct shell_place *place, void *data,
                       unsigned len)
{
    uint8_t *out = data;

    for (unsigned done = 0; done < len;) {
        uint64_t offset = place->offset + done;
        unsigned in = offset % PAGE_BYTES, n = MIN(len - done, PAGE_BYTES - in);
        const uint8_t *page = g_hash_table_lookup(
            memory->pages, place_key(place->func, place->bar, offset / PAGE_BYTES));

        if (page)
            memcpy(out + done, page + in, n);
        else
            memset(out + done, 0, n);
        done += n;
    }
}

void shell_memory_write(struct shell_memory *memory, const struct shell_place *place,
                        const void *data, unsigned len)
{
    const uint8_t *in_bytes = data;

    for (unsigned done = 0; done < len;) {
        uint64_t offset = place->offset + done;
        unsigned in = offset % PAGE_BYTES, n = MIN(len - done, PAGE_BYTES - in);
        gpointer key = place_key(place->func, place->bar, offset / PAGE_BYTES);
        uint8_t *page = g_hash_table_lookup(memory->pages, key);

        if (!page && g_hash_table_size(memory->pages) < PAGES_MAX) {
            page = g_malloc0(PAGE_BYTES);
            g_hash_table_insert(memory->pages, key, page);
        }
        if (page)
            memcpy(page + in, in_bytes + done, n);
        done += n;
    }
}
