/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The EEPROM of the 82576 (datasheet 2.63, 3.3 and chapter 6): 1024 words, read through EERD.
 *
 * UNIMPL: the pins of EEC, by which software reads and writes the EEPROM bit by bit: what is
 * written there is ignored, so the contents cannot be changed.
 */
#include <string.h>

#include "igb.h"

/* 6.2: words. */
enum {
    WORD_MAC = 0x00,
    WORD_COMPATIBILITY = 0x03,
    WORD_VERSION = 0x05,
    WORD_PBA = 0x08,
    WORD_SUBDEVICE = 0x0b,
    WORD_SUBVENDOR = 0x0c,
    WORD_DEVICE = 0x0d,
    WORD_VENDOR = 0x0e,
    WORD_ALT_MAC = 0x37,
    WORD_CHECKSUM = 0x3f,
};

#define CHECKSUM     0xbaba          /* 6.2.33: what words 00h to 3Fh add up to */
#define AUTO_READ_PS (1 * PS_PER_MS) /* CHOICE: how long the chip reads its EEPROM */
#define EERD_START   0x1
#define EERD_DONE    0x2

static void auto_read_done(void *opaque)
{
    struct igb *nic = opaque;

    reg_update(nic->regs, IGB_EEC, IGB_EEC_AUTO_RD, IGB_EEC_AUTO_RD);
}

void igb_nvm_init(struct igb *nic, const uint8_t *mac)
{
    uint16_t sum = 0;

    for (unsigned i = 0; i < 3; i++)
        nic->nvm[WORD_MAC + i] = le16_load(mac + 2 * i);
    nic->nvm[WORD_VERSION] = 0x1000;
    /* No printed board assembly number: Linux then names none that another board has. */
    nic->nvm[WORD_PBA] = nic->nvm[WORD_PBA + 1] = 0;
    nic->nvm[WORD_SUBDEVICE] = 0x0000;
    nic->nvm[WORD_SUBVENDOR] = 0x8086;
    nic->nvm[WORD_DEVICE] = 0x10c9;
    nic->nvm[WORD_VENDOR] = 0x8086;
    nic->nvm[WORD_ALT_MAC] = 0xffff;
    for (unsigned i = 0; i < WORD_CHECKSUM; i++)
        sum = (uint16_t)(sum + nic->nvm[i]);
    nic->nvm[WORD_CHECKSUM] = (uint16_t)(CHECKSUM - sum);
    sim_event_init(&nic->nvm_event, auto_read_done, nic);
}

/* After every reset (3.3.1.3): the address is there at once, AUTO_RD comes when all is read. */
void igb_nvm_reload(struct igb *nic)
{
    const uint16_t *word = nic->nvm + WORD_MAC;

    igb_set(nic, IGB_RA, word[0] | (uint32_t)word[1] << 16);
    igb_set(nic, IGB_RA + 4, word[2] | IGB_RAH_AV);
    reg_update(nic->regs, IGB_EEC, IGB_EEC_AUTO_RD, 0);
    sim_schedule_in(nic->sim, &nic->nvm_event, AUTO_READ_PS);
}

/* 8.4.2. CHOICE: a word takes no time. */
void igb_eerd_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct igb *nic = reg_space_owner(space);
    uint32_t address = (write->new_value >> 2) & 0x3fff;
    uint32_t word = address < IGB_NVM_WORDS ? nic->nvm[address] : 0xffff;

    if (write->new_value & EERD_START)
        reg_set(space, offset, address << 2 | EERD_DONE | word << 16);
}

/* Nobody else wants the pins: who requests them has them (8.4.1). */
void igb_eec_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    reg_update(space, offset, IGB_EEC_GNT, write->new_value & IGB_EEC_REQ ? IGB_EEC_GNT : 0);
}
