/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The entropy device, the disk and the console, driven through their queues. */
#include <check.h>
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "driver.h"
#include "pcilab/endpoint/virtio_devices.h"

#define SECTORS 64

static struct driver d;
static uint8_t disk[SECTORS * 512];
static int disk_error;
static unsigned flushes;

static int disk_read(void *opaque, uint64_t offset, void *data, uint64_t len)
{
    ck_assert_uint_le(offset + len, sizeof(disk));
    memcpy(data, disk + offset, len);
    return disk_error;
}

static int disk_write(void *opaque, uint64_t offset, const void *data, uint64_t len)
{
    ck_assert_uint_le(offset + len, sizeof(disk));
    memcpy(disk + offset, data, len);
    return disk_error;
}

static int disk_zero(void *opaque, uint64_t offset, uint64_t len)
{
    ck_assert_uint_le(offset + len, sizeof(disk));
    memset(disk + offset, 0, len);
    return disk_error;
}

static int disk_flush(void *opaque)
{
    flushes++;
    return disk_error;
}

static void setup(void)
{
    memset(&d, 0, sizeof(d));
    d.mock = mock_new(DRIVER_RAM_BYTES);
    disk_error = 0;
    flushes = 0;
    for (unsigned i = 0; i < sizeof(disk); i++)
        disk[i] = (uint8_t)(i / 512 + 1);
}

static void teardown(void)
{
    endpoint_free(d.ep);
    mock_free(d.mock);
}

static void attach(struct endpoint *ep, unsigned queues)
{
    d.ep = ep;
    d.func = mock_func(ep, 0);
    mock_set_msix(d.func, true);
    driver_setup(&d, 0, queues, 16);
}

static void make_disk(bool read_only)
{
    struct virtio_blk_params params = {
        .name = "vd0",
        .serial = "S123",
        .storage = {sizeof(disk), read_only, disk_read, disk_write, disk_zero, disk_flush, NULL},
        .queues = 1,
        .packed = true,
    };

    attach(virtio_blk_new(mock_fabric(d.mock), &params), 1);
}

#define HEADER DRIVER_DATA
#define DATA   (DRIVER_DATA + 0x1000)
#define STATUS (DRIVER_DATA + 0x8000)

/* A request with data in or out; its status. */
static unsigned request(uint32_t type, uint64_t sector, uint32_t len, bool to_driver)
{
    struct driver_buffer buf[3] = {{HEADER, 16, false}};
    unsigned count = 1;
    uint16_t id;
    uint32_t used;

    memset(d.mock->ram + HEADER, 0, 16);
    le32_store(d.mock->ram + HEADER, type);
    le64_store(d.mock->ram + HEADER + 8, sector);
    if (len)
        buf[count++] = (struct driver_buffer){DATA, len, to_driver};
    buf[count++] = (struct driver_buffer){STATUS, 1, true};
    d.mock->ram[STATUS] = 0xff;
    driver_add(&d, 0, buf, count, false);
    driver_kick(&d, 0);
    mock_run(d.mock, PS_PER_MS);
    ck_assert(driver_used(&d, 0, &id, &used));
    ck_assert_uint_eq(used, 1 + (to_driver ? len : 0));
    return d.mock->ram[STATUS];
}

enum { IN = 0, OUT = 1, FLUSH = 4, GET_ID = 8, DISCARD = 11, ZEROES = 13 };

START_TEST(disk_reads_and_writes)
{
    make_disk(false);
    ck_assert_uint_eq(driver_get(&d, DRIVER_CONFIG, 8), SECTORS);
    ck_assert_uint_eq(request(IN, 3, 1024, true), 0);
    ck_assert_mem_eq(d.mock->ram + DATA, disk + 3 * 512, 1024);
    memset(d.mock->ram + DATA, 0xa5, 512);
    ck_assert_uint_eq(request(OUT, SECTORS - 1, 512, false), 0);
    ck_assert_uint_eq(disk[sizeof(disk) - 1], 0xa5);
    ck_assert_uint_eq(disk[sizeof(disk) - 513], SECTORS - 1);
    ck_assert_uint_eq(request(IN, SECTORS, 512, true), 1);
    ck_assert_uint_eq(request(IN, SECTORS - 1, 1024, true), 1);
    ck_assert_uint_eq(request(IN, UINT64_MAX, 512, true), 1);
    ck_assert_uint_eq(request(OUT, UINT64_MAX / 512, 512, false), 1);
    ck_assert_uint_eq(request(IN, 0, 100, true), 1);
    ck_assert_uint_eq(request(77, 0, 512, true), 2);
    ck_assert_uint_eq(request(GET_ID, 0, 20, true), 0);
    ck_assert_str_eq((char *)d.mock->ram + DATA, "S123");
    disk_error = -EIO;
    ck_assert_uint_eq(request(IN, 0, 512, true), 1);
    ck_assert_uint_eq(request(OUT, 0, 512, false), 1);
    ck_assert_uint_eq(request(FLUSH, 0, 0, true), 1);
}
END_TEST

START_TEST(disk_flushes_as_told)
{
    make_disk(false);
    ck_assert_uint_eq(driver_get(&d, DRIVER_CONFIG + 32, 1), 1);
    ck_assert_uint_eq(request(OUT, 0, 512, false), 0);
    ck_assert_uint_eq(flushes, 0);
    ck_assert_uint_eq(request(FLUSH, 0, 0, true), 0);
    ck_assert_uint_eq(flushes, 1);
    driver_set(&d, DRIVER_CONFIG + 32, 1, 0); /* writethrough */
    ck_assert_uint_eq(driver_get(&d, DRIVER_CONFIG + 32, 1), 0);
    ck_assert_uint_eq(flushes, 2);
    ck_assert_uint_eq(request(OUT, 0, 512, false), 0);
    ck_assert_uint_eq(flushes, 3);
    driver_setup(&d, BIT(9), 1, 16); /* a driver without flush */
    ck_assert_uint_eq(driver_get(&d, DRIVER_CONFIG + 32, 1), 1);
    ck_assert_uint_eq(request(OUT, 0, 512, false), 0);
    ck_assert_uint_gt(flushes, 3);
    ck_assert_uint_eq(request(FLUSH, 0, 0, true), 2);
}
END_TEST

static unsigned range(uint32_t type, uint64_t sector, uint32_t sectors, uint32_t flags)
{
    le64_store(d.mock->ram + DATA, sector);
    le32_store(d.mock->ram + DATA + 8, sectors);
    le32_store(d.mock->ram + DATA + 12, flags);
    return request(type, 0, 16, false);
}

START_TEST(disk_discards_and_zeroes)
{
    make_disk(false);
    ck_assert_uint_eq(range(DISCARD, 1, 2, 0), 0);
    ck_assert_uint_eq(disk[511], 1);
    ck_assert_uint_eq(disk[512], 0);
    ck_assert_uint_eq(disk[3 * 512 - 1], 0);
    ck_assert_uint_eq(disk[3 * 512], 4);
    ck_assert_uint_eq(range(ZEROES, 5, 1, 1), 0);
    ck_assert_uint_eq(disk[5 * 512], 0);
    ck_assert_uint_eq(range(DISCARD, 7, 1, 1), 2);
    ck_assert_uint_eq(range(ZEROES, 7, 1, 2), 2);
    ck_assert_uint_eq(range(ZEROES, SECTORS - 1, 2, 0), 1);
    ck_assert_uint_eq(range(ZEROES, UINT64_MAX, 1, 0), 1);
    ck_assert_uint_eq(disk[7 * 512], 8);
    ck_assert_uint_eq(request(ZEROES, 0, 24, false), 1);
}
END_TEST

START_TEST(read_only_disk)
{
    make_disk(true);
    ck_assert(driver_offered(&d) & BIT(5));
    ck_assert(!(driver_offered(&d) & (BIT(13) | BIT(14))));
    ck_assert_uint_eq(request(OUT, 0, 512, false), 1);
    ck_assert_uint_eq(range(DISCARD, 1, 2, 0), 2);
    ck_assert_uint_eq(disk[0], 1);
    ck_assert_uint_eq(request(IN, 0, 512, true), 0);
}
END_TEST

START_TEST(disk_request_without_header)
{
    struct driver_buffer buf[] = {{HEADER, 15, false}, {STATUS, 1, true}};

    make_disk(false);
    driver_add(&d, 0, buf, 2, false);
    driver_kick(&d, 0);
    mock_run(d.mock, PS_PER_MS);
    ck_assert(driver_status(&d) & S_NEEDS_RESET);
}
END_TEST

START_TEST(entropy_fills_buffers)
{
    struct driver_buffer buf[] = {{DATA, 100, true}, {DATA + 4096, 5000, true}};
    struct driver_buffer bad[] = {{DATA, 1, false}};
    uint16_t id;
    uint32_t len;

    attach(virtio_rng_new(mock_fabric(d.mock), &(struct virtio_rng_params){.name = "rng"}), 1);
    driver_add(&d, 0, buf, 2, false);
    driver_kick(&d, 0);
    mock_run(d.mock, PS_PER_MS);
    ck_assert(driver_used(&d, 0, &id, &len));
    ck_assert_uint_ge(len, 1);
    ck_assert_uint_le(len, 5100);
    ck_assert_uint_ne(le64_load(d.mock->ram + DATA), le64_load(d.mock->ram + DATA + 8));
    ck_assert_uint_eq(le64_load(d.mock->ram + DATA + 4096 + (len - 100)), 0);
    driver_add(&d, 0, bad, 1, false);
    driver_kick(&d, 0);
    mock_run(d.mock, PS_PER_MS);
    ck_assert(driver_status(&d) & S_NEEDS_RESET);
}
END_TEST

/* The console. */

static struct virtio_console *con;
static GString *heard[2];
static bool guest_open[2];
static unsigned rooms;

static void port_output(void *opaque, unsigned port, const uint8_t *data, uint32_t len)
{
    g_string_append_len(heard[port], (const char *)data, len);
}

static void port_open(void *opaque, unsigned port, bool open)
{
    guest_open[port] = open;
}

static void port_room(void *opaque, unsigned port)
{
    rooms++;
}

enum { RX0, TX0, CONTROL_RX, CONTROL_TX, RX1, TX1, CONSOLE_QUEUES };
enum { READY = 0, ADD = 1, PORT_READY = 3, CONSOLE = 4, RESIZE = 5, OPEN = 6, NAME = 7 };

static void console_setup(void)
{
    static const struct virtio_console_port_ops ops = {port_output, port_open, port_room};
    const struct virtio_console_port ports[] = {{NULL, true, &ops, NULL},
                                                {"second", false, &ops, NULL}};
    const struct virtio_console_params params = {
        .name = "con", .ports = ports, .port_count = 2, .columns = 80, .rows = 25};

    setup();
    heard[0] = g_string_new(NULL);
    heard[1] = g_string_new(NULL);
    guest_open[0] = guest_open[1] = false;
    rooms = 0;
    con = virtio_console_new(mock_fabric(d.mock), &params);
    attach(virtio_console_endpoint(con), CONSOLE_QUEUES);
    for (unsigned i = 0; i < 12; i++) {
        struct driver_buffer buf = {DATA + i * 64, 64, true};
        driver_add(&d, CONTROL_RX, &buf, 1, false);
    }
    driver_kick(&d, CONTROL_RX);
}

static void console_teardown(void)
{
    teardown();
    g_string_free(heard[0], TRUE);
    g_string_free(heard[1], TRUE);
}

static void say(unsigned queue, const void *data, uint32_t len)
{
    struct driver_buffer buf = {STATUS, len, false};
    uint16_t id;
    uint32_t used;

    memcpy(d.mock->ram + STATUS, data, len);
    driver_add(&d, queue, &buf, 1, false);
    driver_kick(&d, queue);
    mock_run(d.mock, PS_PER_MS);
    ck_assert(driver_used(&d, queue, &id, &used));
    ck_assert_uint_eq(used, 0);
}

static void control(uint32_t id, unsigned event, unsigned value)
{
    uint8_t message[8];

    le32_store(message, id);
    le16_store(message + 4, (uint16_t)event);
    le16_store(message + 6, (uint16_t)value);
    say(CONTROL_TX, message, sizeof(message));
}

/* The next message of the device. */
static const uint8_t *expect(uint32_t port, unsigned event, unsigned value, uint32_t extra)
{
    const uint8_t *at;
    uint16_t id;
    uint32_t len;

    ck_assert_msg(driver_used(&d, CONTROL_RX, &id, &len), "event %u", event);
    at = d.mock->ram + DATA + id * 64;
    ck_assert_uint_eq(len, 8 + extra);
    ck_assert_uint_eq(le32_load(at), port);
    ck_assert_uint_eq(le16_load(at + 4), event);
    ck_assert_uint_eq(le16_load(at + 6), value);
    return at + 8;
}

static void expect_nothing(void)
{
    uint16_t id;
    uint32_t len;

    mock_run(d.mock, PS_PER_MS);
    ck_assert(!driver_used(&d, CONTROL_RX, &id, &len));
}

START_TEST(console_ports_introduce_themselves)
{
    control(0, READY, 1);
    expect(0, ADD, 1, 0);
    expect(1, ADD, 1, 0);
    control(0, PORT_READY, 1);
    expect(0, CONSOLE, 1, 0);
    ck_assert_uint_eq(le32_load(expect(0, RESIZE, 1, 4)), 80 | 25 << 16);
    expect(0, OPEN, 1, 0);
    control(1, PORT_READY, 1);
    ck_assert_mem_eq(expect(1, NAME, 1, 6), "second", 6);
    expect_nothing();
    virtio_console_set_open(con, 1, true);
    mock_run(d.mock, PS_PER_MS);
    expect(1, OPEN, 1, 0);
    virtio_console_resize(con, 132, 43);
    mock_run(d.mock, PS_PER_MS);
    ck_assert_uint_eq(le32_load(expect(0, RESIZE, 1, 4)), 132 | 43 << 16);
    ck_assert_uint_eq(driver_get(&d, DRIVER_CONFIG, 4), 132 | 43 << 16);
    control(9, OPEN, 1);
    control(9, PORT_READY, 1);
    expect_nothing();
    ck_assert_uint_eq(driver_status(&d) & S_NEEDS_RESET, 0);
}
END_TEST

static void give_buffers(unsigned queue, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct driver_buffer buf = {DATA + 0x1000 + i * 64, 4, true};
        driver_add(&d, queue, &buf, 1, false);
    }
    driver_kick(&d, queue);
    mock_run(d.mock, PS_PER_MS);
}

START_TEST(console_carries_bytes)
{
    uint16_t id;
    uint32_t len;

    say(TX0, "hello", 5);
    say(TX1, "there", 5);
    ck_assert_str_eq(heard[0]->str, "hello");
    ck_assert_str_eq(heard[1]->str, "there");

    ck_assert_uint_eq(virtio_console_input(con, 0, "abcdef", 6), 0);
    give_buffers(RX0, 1);
    ck_assert_uint_eq(rooms, 1);
    ck_assert_uint_eq(virtio_console_input(con, 0, "abcdef", 6), 4);
    mock_run(d.mock, PS_PER_MS);
    ck_assert(driver_used(&d, RX0, &id, &len));
    ck_assert_uint_eq(len, 4);
    ck_assert_mem_eq(d.mock->ram + DATA + 0x1000, "abcd", 4);
    give_buffers(RX0, 1);
    ck_assert_uint_eq(rooms, 2);

    give_buffers(RX1, 2); /* nobody has it open */
    ck_assert_uint_eq(virtio_console_input(con, 1, "xy", 2), 0);
    control(1, OPEN, 1);
    ck_assert(guest_open[1]);
    ck_assert_uint_eq(rooms, 3);
    ck_assert_uint_eq(virtio_console_input(con, 1, "xy", 2), 2);
    control(1, OPEN, 0);
    ck_assert(!guest_open[1]);
    control(1, OPEN, 1);
    mock_reset(d.func, ENDPOINT_RESET_FLR);
    ck_assert(!guest_open[1]);
    ck_assert_uint_eq(virtio_console_input(con, 0, "z", 1), 0);
}
END_TEST

/* A driver that asks and asks without giving buffers costs nothing. */
START_TEST(console_control_is_bounded)
{
    for (unsigned i = 0; i < 1000; i++)
        control(i & 1, i % 3 ? PORT_READY : READY, 1);
    mock_run(d.mock, PS_PER_MS);
    ck_assert_uint_eq(driver_status(&d) & S_NEEDS_RESET, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("virtio-devices");
    TCase *tc = tcase_create("devices"), *console = tcase_create("console");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, disk_reads_and_writes);
    tcase_add_test(tc, disk_flushes_as_told);
    tcase_add_test(tc, disk_discards_and_zeroes);
    tcase_add_test(tc, read_only_disk);
    tcase_add_test(tc, disk_request_without_header);
    tcase_add_test(tc, entropy_fills_buffers);
    suite_add_tcase(suite, tc);
    tcase_add_checked_fixture(console, console_setup, console_teardown);
    tcase_add_test(console, console_ports_introduce_themselves);
    tcase_add_test(console, console_carries_bytes);
    tcase_add_test(console, console_control_is_bounded);
    suite_add_tcase(suite, console);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
