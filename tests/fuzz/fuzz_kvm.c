/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whatever KVM may come back with from a guest, sensible or not, in a machine with an exerciser and
 * an IOMMU: accesses of every size anywhere, strings of I/O, EOIs, ends.
 */
#include "pcilab/base/bits.h"
#include "tests/unit/kvm/fake_kvm.h"
#include "tests/unit/platform/ats_bench.h"

#define EXITS_MAX  48
#define EXIT_BYTES 12u

static const uint64_t places[] = {
    0, /* as it is */
    MAP_MMIO32_BASE,
    MAP_MMIO32_BASE + 0x10000,
    MAP_MMIO64_BASE,
    MAP_ECAM_BASE,
    MAP_ECAM_BASE + (1u << 20),
    MAP_IOAPIC_BASE,
    MAP_LAPIC_BASE,
    0xfed90000,
    UINT64_MAX - 0xffff,
};
static const uint16_t ports[] = {0, 0xcf8, 0xcfc, MAP_UART_PORT, MAP_RESET_PORT, MAP_SLEEP_PORT};

static void take_exit(const uint8_t *data, struct fake_exit *e)
{
    uint64_t offset = le32_load(data + 4);

    *e = (struct fake_exit){
        .kind = data[0] % (FAKE_TIME + 1), .value = le32_load(data + 8), .beyond = data[2] == 0xff};
    if (e->kind == FAKE_OUT || e->kind == FAKE_IN) {
        e->addr = (uint16_t)(ports[data[3] % ARRAY_LEN(ports)] + (data[3] ? offset & 7 : offset));
        e->size = 1u << (data[1] % 3);
        e->count = 1 + data[2] % 64;
    } else if (e->kind == FAKE_MMIO_READ || e->kind == FAKE_MMIO_WRITE) {
        uint64_t place = places[data[3] % ARRAY_LEN(places)];

        e->addr = place + (place ? offset & 0xffff : offset);
        e->size = 1 + data[1] % 9;
    } else if (e->kind == FAKE_EXIT) {
        e->value %= 64;
    } else if (e->kind == FAKE_INTERNAL) {
        e->size = data[1];
        e->value %= 8;
    } else if (e->kind == FAKE_ERRNO) {
        e->value = 1 + e->value % 64;
    } else if (e->kind == FAKE_TIME) {
        e->value %= 1000000;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One machine for all inputs, which begins anew where it has ended. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ats_bench *b;
    static struct fake_kvm fake;
    struct fake_exit script[EXITS_MAX];
    unsigned count = (unsigned)MIN(size / EXIT_BYTES, EXITS_MAX);

    if (!b) {
        fake_kvm_init(&fake, NULL, 0);
        b = ats_bench_new(&(struct ats_bench_params){.kvm = &fake.host, .cpus = 2});
    }
    for (unsigned i = 0; i < count; i++)
        take_exit(data + i * EXIT_BYTES, &script[i]);
    for (unsigned i = 0; i < b->machine->cpu_count; i++)
        b->machine->slot[i].local_ps = MAX(b->machine->slot[i].local_ps, b->machine->sim.now_ps);
    fake.script = script;
    fake.length = count;
    fake.next = 0;
    for (unsigned i = 0; i < 64 && fake.next < count; i++) {
        if (machine_run(b->machine, b->machine->sim.now_ps + PS_PER_MS) != MACHINE_RUNNING)
            machine_restart(b->machine);
    }
    fake.length = fake.next = 0;
    if (machine_run(b->machine, b->machine->sim.now_ps + PS_PER_MS) != MACHINE_RUNNING)
        machine_restart(b->machine);
    return 0;
}
