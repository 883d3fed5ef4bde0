/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The real-time clock. */
#include "rtc.h"

#include <time.h>

#include "pcilab/base/bits.h"
#include "pcilab/platform/addrmap.h"

/* Registers (MC146818A, figure 12 and table 3). */
enum {
    RTC_SECONDS = 0x00,
    RTC_MINUTES = 0x02,
    RTC_HOURS = 0x04,
    RTC_WEEKDAY = 0x06,
    RTC_DAY = 0x07,
    RTC_MONTH = 0x08,
    RTC_YEAR = 0x09,
    RTC_A = 0x0a,
    RTC_B = 0x0b,
    RTC_C = 0x0c,
    RTC_D = 0x0d,
    RTC_SPACE = 0x80
};

#define RTC_B_24H    0x02
#define RTC_B_BINARY 0x04
#define RTC_B_SET    0x80
#define RTC_D_VALID  0x80
#define RTC_HOURS_PM 0x80

/* CHOICE: every machine is switched on at 2025-06-01 00:00:00 UTC, so that runs are the same. */
#define RTC_EPOCH 1748736000

static struct rtc *rtc_of(struct reg_space *space)
{
    return reg_space_owner(space);
}

static unsigned get(const struct rtc *rtc, unsigned reg)
{
    return (unsigned)reg_get(rtc->regs, reg);
}

static uint8_t encode(const struct rtc *rtc, int value)
{
    return (uint8_t)(get(rtc, RTC_B) & RTC_B_BINARY ? value : value / 10 << 4 | value % 10);
}

static int decode(const struct rtc *rtc, unsigned value)
{
    return (int)(get(rtc, RTC_B) & RTC_B_BINARY ? value : (value >> 4) * 10 + (value & 15));
}

static uint8_t encode_hours(const struct rtc *rtc, int hour)
{
    if (get(rtc, RTC_B) & RTC_B_24H)
        return encode(rtc, hour);
    return (uint8_t)(encode(rtc, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? RTC_HOURS_PM : 0));
}

static int decode_hours(const struct rtc *rtc, unsigned value)
{
    if (get(rtc, RTC_B) & RTC_B_24H)
        return decode(rtc, value);
    return decode(rtc, value & ~(unsigned)RTC_HOURS_PM) % 12 + (value & RTC_HOURS_PM ? 12 : 0);
}

/* Puts the time of now into the registers, unless software is setting them. */
static void latch(struct rtc *rtc)
{
    time_t seconds = (time_t)(rtc->base_s + (int64_t)(rtc->sim->now_ps / PS_PER_S));
    struct tm tm;

    if (get(rtc, RTC_B) & RTC_B_SET)
        return;
    gmtime_r(&seconds, &tm);
    reg_set(rtc->regs, RTC_SECONDS, encode(rtc, tm.tm_sec));
    reg_set(rtc->regs, RTC_MINUTES, encode(rtc, tm.tm_min));
    reg_set(rtc->regs, RTC_HOURS, encode_hours(rtc, tm.tm_hour));
    reg_set(rtc->regs, RTC_WEEKDAY, encode(rtc, tm.tm_wday + 1));
    reg_set(rtc->regs, RTC_DAY, encode(rtc, tm.tm_mday));
    reg_set(rtc->regs, RTC_MONTH, encode(rtc, tm.tm_mon + 1));
    reg_set(rtc->regs, RTC_YEAR, encode(rtc, tm.tm_year % 100));
    reg_set(rtc->regs, RTC_CENTURY, encode(rtc, (tm.tm_year + 1900) / 100));
}

/* Software's time is the time from now on. Nonsense is normalised as timegm() does; before 1970 is
 * 1970. */
static void adopt(struct rtc *rtc)
{
    struct tm tm = {
        .tm_sec = decode(rtc, get(rtc, RTC_SECONDS)),
        .tm_min = decode(rtc, get(rtc, RTC_MINUTES)),
        .tm_hour = decode_hours(rtc, get(rtc, RTC_HOURS)),
        .tm_mday = decode(rtc, get(rtc, RTC_DAY)),
        .tm_mon = decode(rtc, get(rtc, RTC_MONTH)) - 1,
        .tm_year =
            decode(rtc, get(rtc, RTC_CENTURY)) * 100 + decode(rtc, get(rtc, RTC_YEAR)) - 1900,
    };

    int64_t seconds = timegm(&tm);
    rtc->base_s = (seconds > 0 ? seconds : 0) - (int64_t)(rtc->sim->now_ps / PS_PER_S);
}

static void time_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct rtc *rtc = rtc_of(space);

    if (!(get(rtc, RTC_B) & RTC_B_SET))
        adopt(rtc);
}

static void b_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    if ((write->old_value & RTC_B_SET) && !(write->new_value & RTC_B_SET))
        adopt(rtc_of(space));
}

#define SHEET "MC146818A (1984) "
#define TIME(label, where)                                                                         \
    {                                                                                              \
        .name = label, .clause = SHEET "table 3", .offset = where, .width = 1, .rw = 0xff,         \
        .on_write = time_written                                                                   \
    }
#define STORE(label, where, bytes)                                                                 \
    {                                                                                              \
        .name = label, .clause = SHEET "figure 12", .offset = where, .width = bytes,               \
        .rw = GENMASK(8 * (bytes)-1, 0)                                                            \
    }

static const struct reg_def rtc_defs[] = {
    TIME("seconds", RTC_SECONDS),
    STORE("seconds_alarm", 0x01, 1),
    TIME("minutes", RTC_MINUTES),
    STORE("minutes_alarm", 0x03, 1),
    TIME("hours", RTC_HOURS),
    STORE("hours_alarm", 0x05, 1),
    TIME("weekday", RTC_WEEKDAY),
    TIME("day", RTC_DAY),
    TIME("month", RTC_MONTH),
    TIME("year", RTC_YEAR),
    /* The update takes no time: bit 7, update in progress, is never set. */
    {.name = "a",
     .clause = SHEET "register A",
     .offset = RTC_A,
     .width = 1,
     .reset = 0x26,
     .rw = 0x7f},
    {.name = "b",
     .clause = SHEET "register B",
     .offset = RTC_B,
     .width = 1,
     .reset = RTC_B_24H,
     .rw = 0xff,
     .on_write = b_written},
    {.name = "c", .clause = SHEET "register C", .offset = RTC_C, .width = 1},
    {.name = "d", .clause = SHEET "register D", .offset = RTC_D, .width = 1, .reset = RTC_D_VALID},
    STORE("ram0e", 0x0e, 2),
    STORE("ram10", 0x10, 8),
    STORE("ram18", 0x18, 8),
    STORE("ram20", 0x20, 8),
    STORE("ram28", 0x28, 8),
    STORE("ram30", 0x30, 2),
    TIME("century", RTC_CENTURY),
    STORE("ram33", 0x33, 1),
    STORE("ram34", 0x34, 4),
    STORE("ram38", 0x38, 8),
    STORE("ram40", 0x40, 8),
    STORE("ram48", 0x48, 8),
    STORE("ram50", 0x50, 8),
    STORE("ram58", 0x58, 8),
    STORE("ram60", 0x60, 8),
    STORE("ram68", 0x68, 8),
    STORE("ram70", 0x70, 8),
    STORE("ram78", 0x78, 8),
};

static uint64_t rtc_read(void *opaque, uint64_t offset, unsigned size)
{
    struct rtc *rtc = opaque;

    if (offset == 0)
        return 0xff; /* the index port is write-only on a PC */
    latch(rtc);
    return reg_read(rtc->regs, rtc->index, 1);
}

/* Bit 7 of the index port masks NMIs on a PC; here nothing raises them. */
static void rtc_write(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct rtc *rtc = opaque;

    if (offset == 0) {
        rtc->index = value & (RTC_SPACE - 1);
        return;
    }
    latch(rtc);
    reg_write(rtc->regs, rtc->index, 1, value);
}

void rtc_init(struct rtc *rtc, struct sim *sim)
{
    *rtc = (struct rtc){.sim = sim, .base_s = RTC_EPOCH};
    rtc->regs = reg_space_new(RTC_SPACE, rtc);
    reg_space_place(rtc->regs, 0, rtc_defs, ARRAY_LEN(rtc_defs));
}

void rtc_fini(struct rtc *rtc)
{
    reg_space_free(rtc->regs);
}

/* The battery keeps clock and RAM; only the index is lost. */
void rtc_reset(struct rtc *rtc)
{
    rtc->index = 0;
}

void rtc_attach(struct rtc *rtc, struct bus *io)
{
    bus_add(io, &(struct bus_range){.base = MAP_RTC_PORT,
                                    .size = 2,
                                    .max_size = 1,
                                    .read = rtc_read,
                                    .write = rtc_write,
                                    .opaque = rtc});
}
