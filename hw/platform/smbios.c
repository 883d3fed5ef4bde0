/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SMBIOS structures (DMTF DSP0134 3.7.0): what dmidecode shows, and the firmware date by which
 * Linux judges whether to trust ACPI about ECAM and windows.
 */
#include <assert.h>
#include <string.h>

#include "board.h"
#include "firmware.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"

#define ENTRY_BYTES   24
#define FIRMWARE_DATE "06/01/2025" /* CHOICE */
#define FIRMWARE_NAME "pcilab"
#define HANDLE_ARRAY  0x1000

struct smbios {
    uint8_t *base;
    uint64_t used, room;
    uint8_t *formatted; /* the structure being built */
    unsigned strings;
};

static uint8_t *structure(struct smbios *s, uint8_t type, uint8_t len, uint16_t handle)
{
    assert(s->used + len + 2 <= s->room);
    s->formatted = s->base + s->used;
    s->strings = 0;
    memset(s->formatted, 0, len);
    s->formatted[0] = type;
    s->formatted[1] = len;
    le16_store(s->formatted + 2, handle);
    s->used += len;
    return s->formatted;
}

/* Appends a string and stores its number at `offset` (6.1.3). */
static void string(struct smbios *s, unsigned offset, const char *text)
{
    size_t len = strlen(text) + 1;

    assert(s->used + len + 2 <= s->room);
    memcpy(s->base + s->used, text, len);
    s->used += len;
    s->formatted[offset] = (uint8_t)++s->strings;
}

static void end(struct smbios *s)
{
    unsigned zeros = s->strings ? 1 : 2;

    memset(s->base + s->used, 0, zeros);
    s->used += zeros;
}

static void add_firmware(struct smbios *s) /* type 0, 7.1 */
{
    uint8_t *p = structure(s, 0, 0x1a, 0x0000);

    string(s, 4, FIRMWARE_NAME);
    string(s, 5, "0.1");
    le16_store(p + 6, 0xf000); /* segment of the legacy image */
    string(s, 8, FIRMWARE_DATE);
    p[9] = 0;                              /* 64 KiB */
    le64_store(p + 0x0a, BIT(3) | BIT(7)); /* no characteristics beyond "PCI" */
    p[0x13] = 0x08; /* byte 2: UEFI no, virtual machine no; SMBIOS 3 tables */
    p[0x14] = 0;
    p[0x15] = 1;
    p[0x16] = p[0x17] = 0xff; /* no embedded controller */
    end(s);
}

static void add_system(struct smbios *s) /* type 1, 7.2 */
{
    uint8_t *p = structure(s, 1, 0x1b, 0x0100);

    string(s, 4, FIRMWARE_NAME);
    string(s, 5, "PCI Express laboratory");
    string(s, 6, "1");
    string(s, 7, "0");
    /* CHOICE: a fixed UUID, so that the guest is the same everywhere. */
    memcpy(p + 8, "pcilab board 001", 16);
    p[0x18] = 6; /* wake-up: power switch */
    end(s);
}

static void add_chassis(struct smbios *s) /* type 3, 7.4 */
{
    uint8_t *p = structure(s, 3, 0x16, 0x0300);

    string(s, 4, FIRMWARE_NAME);
    p[5] = 1;                 /* other */
    p[9] = p[10] = p[11] = 3; /* safe */
    p[12] = 2;                /* security: unknown */
    end(s);
}

static void add_processor(struct smbios *s, unsigned cpus) /* type 4, 7.5 */
{
    uint8_t *p = structure(s, 4, 0x30, 0x0400);

    string(s, 4, "CPU0");
    p[5] = 3; /* central processor */
    p[6] = 1; /* family: other */
    string(s, 7, FIRMWARE_NAME);
    string(s, 16, "software processor");
    le16_store(p + 0x14, (uint16_t)(BOARD_TSC_HZ / 1000000)); /* MHz */
    le16_store(p + 0x16, (uint16_t)(BOARD_TSC_HZ / 1000000));
    p[0x18] = 0x41; /* populated, enabled */
    p[0x19] = 1;
    le16_store(p + 0x1a, 0xffff); /* no cache structures */
    le16_store(p + 0x1c, 0xffff);
    le16_store(p + 0x1e, 0xffff);
    p[0x23] = p[0x24] = p[0x25] = (uint8_t)cpus;
    le16_store(p + 0x26, 0x000c); /* 64-bit, multi-core */
    le16_store(p + 0x28, 1);
    le16_store(p + 0x2a, (uint16_t)cpus);
    le16_store(p + 0x2c, (uint16_t)cpus);
    le16_store(p + 0x2e, (uint16_t)cpus);
    end(s);
}

static void add_memory(struct smbios *s, const struct ram *ram) /* types 16, 17, 19 */
{
    uint64_t kib = ram->size_bytes >> 10;
    uint8_t *p = structure(s, 16, 0x17, HANDLE_ARRAY);

    p[4] = 3;                      /* system board */
    p[5] = 3;                      /* system memory */
    p[6] = 3;                      /* no error correction */
    le32_store(p + 7, 0x80000000); /* see the extended capacity */
    le16_store(p + 0xb, 0xfffe);
    le16_store(p + 0xd, 1);
    le64_store(p + 0xf, ram->size_bytes);
    end(s);

    p = structure(s, 17, 0x28, 0x1100);
    le16_store(p + 4, HANDLE_ARRAY);
    le16_store(p + 6, 0xfffe);
    le16_store(p + 8, 64);
    le16_store(p + 10, 64);
    le16_store(p + 12, kib >> 10 < 0x7fff ? (uint16_t)(kib >> 10) : 0x7fff); /* MiB */
    p[14] = 9;                                                               /* DIMM */
    string(s, 16, "DIMM 0");
    p[18] = 7; /* RAM */
    le32_store(p + 0x1c, (uint32_t)(kib >> 10));
    end(s);

    p = structure(s, 19, 0x1f, 0x1300);
    le32_store(p + 4, 0xffffffff);
    le32_store(p + 8, 0xffffffff);
    le16_store(p + 12, HANDLE_ARRAY);
    p[14] = 1;
    le64_store(p + 15, 0);
    le64_store(p + 23, ram->size_bytes - 1);
    end(s);
}

static void add_rest(struct smbios *s) /* types 32 and 127 */
{
    structure(s, 32, 0x0b, 0x2000);
    end(s);
    structure(s, 127, 4, 0x7f00);
    end(s);
}

void smbios_install(struct machine *machine, uint64_t gpa, uint64_t room)
{
    uint8_t *entry = ram_ptr(&machine->ram, gpa, room);
    struct smbios s = {.base = entry + 32, .room = room - 32};

    add_firmware(&s);
    add_system(&s);
    add_chassis(&s);
    add_processor(&s, machine->cpu_count);
    add_memory(&s, &machine->ram);
    add_rest(&s);

    memset(entry, 0, ENTRY_BYTES); /* 5.2.2 */
    memcpy(entry, "_SM3_", 5);
    entry[6] = ENTRY_BYTES;
    entry[7] = 3;
    entry[8] = 7;
    entry[10] = 1;
    le32_store(entry + 12, (uint32_t)s.used);
    le64_store(entry + 16, gpa + 32);
    entry[5] = (uint8_t)-firmware_sum(entry, ENTRY_BYTES);
}
