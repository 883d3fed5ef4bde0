/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small guests on this host's own processor, in a machine with an exerciser behind an IOMMU: as far
 * as the probe gets up to the local APIC's timer. Guests end by switching the machine off.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pcilab/cpu/kvm.h"
#include "pcilab/platform/probe.h"
#include "tests/unit/cpu/guest.h"
#include "tests/unit/platform/ats_bench.h"

#define PAGES      0x2210000ULL /* of tables: 4 GiB as they are */
#define CODE       0x2100000ULL
#define IDT        0x2200000ULL
#define GDT        0x2201000ULL
#define MAIL       0x2300000ULL /* what guests leave; "0x2300000" in them */
#define IRTES      0x2500000ULL
#define HANDLER(v) (0x2110000ULL + (v)*0x100)
#define AP_CODE    0x8000u

#define LIMIT_PS (30 * PS_PER_S)

#define MSI_VECTOR  0x31
#define INTX_VECTOR 0x32
#define EX0_REGS    MAP_MMIO32_BASE

#define X2APIC                                                                                     \
    "mov ecx, 0x1b; mov eax, 0xfee00d00; xor edx, edx; wrmsr;"                                     \
    "mov ecx, 0x80f; mov eax, 0x1ff; wrmsr;"
#define OFF "mov dx, 0x600; mov al, 0x34; out dx, al; 9: hlt; jmp 9b;"
#define EOI "xor eax, eax; xor edx, edx; mov ecx, 0x80b; wrmsr;"

static struct kvm_host *host; /* of the thread that a test runs in */
static struct ats_bench *b;

static void setup(void)
{
    host = kvm_host_new(NULL);
    ck_assert_ptr_nonnull(host);
    b = ats_bench_new(&(struct ats_bench_params){.kvm = host, .cpus = 2});
}

static void teardown(void)
{
    ats_bench_free(b);
    kvm_host_free(host);
}

static uint32_t mail(unsigned offset)
{
    return (uint32_t)ats_bench_get(b, MAIL + offset);
}

static void load(uint64_t at, const uint8_t *code, const uint8_t *end)
{
    memcpy(ram_ptr(&b->machine->ram, at, (uint64_t)(end - code)), code, (size_t)(end - code));
}

static void handle(unsigned vector, const uint8_t *code, const uint8_t *end)
{
    uint64_t at = HANDLER(vector);

    load(at, code, end);
    ats_bench_put(b, IDT + vector * 16u,
                  (at & 0xffff) | 8 << 16 | 0x8e00ULL << 32 | (at >> 16) << 48);
    ats_bench_put(b, IDT + vector * 16u + 8, 0);
}

static void enter(const uint8_t *code, const uint8_t *end)
{
    struct cpu *cpu = b->machine->slot[0].cpu;
    struct cpu_state state;

    load(CODE, code, end);
    ats_bench_put(b, GDT + 8, 0x00af9b000000ffff);
    ats_bench_put(b, GDT + 16, 0x00cf93000000ffff);
    ats_bench_put(b, PAGES, (PAGES + 0x1000) | 3);
    for (unsigned i = 0; i < 4; i++)
        ats_bench_put(b, PAGES + 0x1000 + i * 8u, (PAGES + 0x2000 + i * 0x1000u) | 3);
    for (unsigned i = 0; i < 2048; i++)
        ats_bench_put(b, PAGES + 0x2000 + i * 8u, (uint64_t)i << 21 | 0x83);
    cpu_get_state(cpu, &state);
    state.rip = CODE;
    state.rflags = 2;
    state.gpr[CPU_RSP] = 0x2400000;
    for (unsigned i = CPU_ES; i <= CPU_GS; i++)
        state.seg[i] = (struct cpu_seg){.selector = 16, .attr = 0xc93, .limit = 0xffffffff};
    state.seg[CPU_CS] = (struct cpu_seg){.selector = 8, .attr = 0xa9b, .limit = 0xffffffff};
    state.gdt_base = GDT;
    state.gdt_limit = 23;
    state.idt_base = IDT;
    state.idt_limit = 0xfff;
    state.cr0 = 0x80000031;
    state.cr3 = PAGES;
    state.cr4 = 0x20;
    state.efer = 0x500;
    cpu_set_state(cpu, &state);
    /* The bench ran the devices alone. */
    for (unsigned i = 0; i < b->machine->cpu_count; i++)
        b->machine->slot[i].local_ps = b->machine->sim.now_ps;
}

static enum machine_stop go(void)
{
    return machine_run(b->machine, b->machine->sim.now_ps + LIMIT_PS);
}

static void expect_off(void)
{
    enum machine_stop how = go();
    const char *why = machine_processors_failed(b->machine);

    ck_assert_msg(how == MACHINE_POWERED_OFF, "stop %d: %s", how, why ? why : "nothing is said");
}

#define RUN_UNTIL_OFF(name)                                                                        \
    do {                                                                                           \
        enter(name, name##_end);                                                                   \
        expect_off();                                                                              \
    } while (0)

/* Strings of I/O, as many as one likes, to where something is and where nothing is. */
GUEST_CODE(ports,
           "mov dx, 0xcf8; mov eax, 0x80000800; out dx, eax; mov dx, 0xcfc; in eax, dx;"
           "mov [0x2300000], eax; mov edi, 0x2300010; mov ecx, 1000; rep insd;"
           "mov [0x2300004], edi; mov dx, 0x5555; mov esi, 0x2300000; mov ecx, 5000; rep outsb;"
           "mov [0x2300008], esi; in al, dx; mov [0x230000c], al;" OFF);

START_TEST(test_ports)
{
    RUN_UNTIL_OFF(ports);
    uint32_t id = ats_bench_cfg(b, 1 << 15, 4, false, 0);
    ck_assert_uint_eq(mail(0), id);
    for (unsigned i = 0; i < 1000; i++)
        ck_assert_uint_eq(mail(0x10 + 4 * i), id);
    ck_assert_uint_eq(mail(4), MAIL + 0x10 + 4000);
    ck_assert_uint_eq(mail(8), MAIL + 5000);
    ck_assert_uint_eq(mail(0xc) & 0xff, 0xff);
}
END_TEST

/* Registers of the exerciser, configuration space, holes, and accesses across the border of a page
 * and of everything. */
GUEST_CODE(mmio,
           "mov ebx, 0x80000000; mov eax, [rbx]; mov [0x2300000], eax;"
           "mov rax, 0x1122334455667788; mov [rbx + 0x40], rax; mov byte ptr [rbx + 0x42], 0xaa;"
           "mov rax, [rbx + 0x40]; mov [0x2300008], rax;"
           "mov ebx, 0xa0000; mov rax, [rbx]; mov [0x2300010], rax;"
           "mov [rbx + 0xffd], rax; mov rax, [rbx + 0xffd]; mov [0x2300018], rax;"
           "mov ebx, 0xfffffff8; mov eax, [rbx]; mov [0x2300020], eax;"
           "mov ebx, 0x80000ffe; mov eax, [rbx]; mov [0x2300024], eax;" OFF);

START_TEST(test_mmio)
{
    RUN_UNTIL_OFF(mmio);
    ck_assert_uint_eq(mail(0), EXERCISER_MAGIC_VALUE);
    ck_assert_uint_eq(ats_bench_get(b, MAIL + 8), 0x1122334455aa7788);
    ck_assert_uint_eq(ats_bench_read(b, EX0, 0x40, 8), 0x1122334455aa7788);
    ck_assert_uint_eq(ats_bench_get(b, MAIL + 0x10), UINT64_MAX);
    ck_assert_uint_eq(ats_bench_get(b, MAIL + 0x18), UINT64_MAX);
    ck_assert_uint_eq(mail(0x20), 0xffffffff);
}
END_TEST

/* ---- Interrupts ---- */

static unsigned msix_capability(void)
{
    unsigned at = ats_bench_cfg_read(b, EX0, 0x34) & 0xff;

    while (at && (ats_bench_cfg_read(b, EX0, at) & 0xff) != 0x11)
        at = ats_bench_cfg_read(b, EX0, at) >> 8 & 0xff;
    return at;
}

static void remap(unsigned index, unsigned vector, bool level)
{
    ats_bench_put(b, IRTES + index * 16u, 1 | (uint64_t)level << 4 | (uint64_t)vector << 16);
    ats_bench_put(b, IRTES + index * 16u + 8, 0);
}

/* Entry 0 for vector 0 of EX0, entry 1 for all pins of the IOAPIC that INTx goes to. */
static void remapping_on(void)
{
    uint32_t on = BIT(31) | BIT(26);

    remap(0, MSI_VECTOR, false);
    remap(1, INTX_VECTOR, true);
    vtd_write(b->vtd, 0xb8, 8, IRTES | 3);
    vtd_write(b->vtd, 0x18, 4, on | BIT(24));
    vtd_write(b->vtd, 0x18, 4, on | BIT(25));
    ats_bench_run(b);
    ck_assert(vtd_read(b->vtd, 0x1c, 4) & BIT(25));
}

static void msix_on(void)
{
    const uint32_t entry[4] = {MAP_MSI_BASE | BIT(4), 0, 0, 0};
    unsigned cap = msix_capability();

    for (unsigned i = 0; i < 4; i++)
        ats_bench_mem(b, ROOT_MEM_WRITE, EX0_REGS + 0x10000 + i * 4u, 4, entry[i]);
    ck_assert_uint_ne(cap, 0);
    ats_bench_cfg_write(b, EX0, cap + 2, 2, 0x8000);
    ats_bench_run(b);
}

static void ioapic_write(unsigned index, uint32_t value)
{
    uint32_t select = index;

    ck_assert(machine_board_write(b->machine, MAP_IOAPIC_BASE, &select, 4));
    ck_assert(machine_board_write(b->machine, MAP_IOAPIC_BASE + 0x10, &value, 4));
}

GUEST_CODE(on_msi, "push rax; push rcx; push rdx; inc dword ptr [0x2300000];" EOI
                   "pop rdx; pop rcx; pop rax; iretq");
GUEST_CODE(three_msis, X2APIC "mov ebx, 0x80000054; mov ebp, 3;"
                              "1: cli; mov dword ptr [rbx], 0; sti; hlt; dec ebp; jnz 1b;" OFF);

START_TEST(test_msi)
{
    remapping_on();
    msix_on();
    handle(MSI_VECTOR, on_msi, on_msi_end);
    RUN_UNTIL_OFF(three_msis);
    ck_assert_uint_eq(mail(0), 3);
}
END_TEST

/* Takes the pin back, reads so that it is taken back, then ends the interrupt. */
GUEST_CODE(on_intx, "push rax; push rcx; push rdx; inc dword ptr [0x2300000];"
                    "mov ecx, 0x80000050; mov dword ptr [rcx], 0; mov eax, [rcx];" EOI
                    "pop rdx; pop rcx; pop rax; iretq");
GUEST_CODE(three_intx, X2APIC "mov ebx, 0x80000050; mov ebp, 3;"
                              "1: cli; mov dword ptr [rbx], 1; sti; hlt; dec ebp; jnz 1b;" OFF);

START_TEST(test_intx)
{
    remapping_on();
    for (unsigned pin = 16; pin < 20; pin++) {
        ioapic_write(0x11 + 2 * pin, 1u << 16 | 1u << 17); /* remappable, entry 1 */
        ioapic_write(0x10 + 2 * pin, 1u << 15 | INTX_VECTOR);
    }
    handle(INTX_VECTOR, on_intx, on_intx_end);
    RUN_UNTIL_OFF(three_intx);
    ck_assert_uint_eq(mail(0), 3);
}
END_TEST

GUEST_CODE(on_nmi, "mov dword ptr [0x2300004], 1; iretq");
GUEST_CODE(wait_for_nmi, X2APIC "mov dword ptr [0x2300000], 1; 2: cmp dword ptr [0x2300008], 0;"
                                "je 2b; mov ecx, 0x836; mov eax, 0x400; xor edx, edx; wrmsr;"
                                "mov dword ptr [0x2300000], 2;"
                                "1: pause; cmp dword ptr [0x2300004], 0; je 1b;" OFF);

static void wait_for_mail(uint32_t value)
{
    uint64_t end_ps = b->machine->sim.now_ps + LIMIT_PS;

    while (mail(0) != value && b->machine->sim.now_ps < end_ps)
        ck_assert_int_eq(machine_run(b->machine, b->machine->sim.now_ps + PS_PER_MS),
                         MACHINE_RUNNING);
    ck_assert_uint_eq(mail(0), value);
}

/* The button is at a pin of the local APIC: masked at first. */
START_TEST(test_nmi)
{
    handle(2, on_nmi, on_nmi_end);
    enter(wait_for_nmi, wait_for_nmi_end);
    wait_for_mail(1);
    machine_nmi(b->machine);
    ck_assert_int_eq(machine_run(b->machine, b->machine->sim.now_ps + 10 * PS_PER_MS),
                     MACHINE_RUNNING);
    ck_assert_uint_eq(mail(4), 0);
    ats_bench_put(b, MAIL + 8, 1);
    wait_for_mail(2);
    machine_nmi(b->machine);
    expect_off();
    ck_assert_uint_eq(mail(4), 1);
}
END_TEST

/* INIT and SIPI never leave the kernel. */
GUEST_CODE_BITS(second, 16, "mov byte ptr ds:[0x9000], 1; 1: hlt; jmp 1b");
GUEST_CODE(start_second, X2APIC "mov ecx, 0x830; mov edx, 1; mov eax, 0xc500; wrmsr;"
                                "mov eax, 0x4608; wrmsr;"
                                "1: pause; cmp byte ptr [0x9000], 0; je 1b;" OFF);

START_TEST(test_second_processor)
{
    load(AP_CODE, second, second_end);
    RUN_UNTIL_OFF(start_second);
}
END_TEST

/* ---- Ends and beginnings ---- */

GUEST_CODE(reset, "mov dx, 0xcf9; mov al, 6; out dx, al; 1: hlt; jmp 1b");
GUEST_CODE(triple_fault, "mov ebx, 0x2300000; lidt [rbx]; ud2");

START_TEST(test_reset)
{
    enter(reset, reset_end);
    ck_assert_int_eq(go(), MACHINE_RESET);
    ats_bench_put(b, MAIL, 1);
    machine_restart(b->machine);
    ck_assert_uint_eq(mail(0), 0);
    RUN_UNTIL_OFF(ports);
}
END_TEST

START_TEST(test_triple_fault)
{
    enter(triple_fault, triple_fault_end);
    ck_assert_int_eq(go(), MACHINE_DEAD);
    ck_assert_ptr_null(machine_processors_failed(b->machine));
    machine_restart(b->machine);
    RUN_UNTIL_OFF(ports);
}
END_TEST

/* Virtual time is the host's while a guest runs, whatever that does. */
GUEST_CODE(spin, "1: jmp 1b");

START_TEST(test_time)
{
    uint64_t from_ps = b->machine->sim.now_ps, from_ns = host->ops->now_ns(host->opaque);

    enter(spin, spin_end);
    ck_assert_int_eq(machine_run(b->machine, from_ps + 50 * PS_PER_MS), MACHINE_RUNNING);
    ck_assert_uint_ge(b->machine->sim.now_ps, from_ps + 50 * PS_PER_MS);
    ck_assert_uint_ge(host->ops->now_ns(host->opaque) - from_ns, 48000000);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("kvm-guests");
    TCase *t = tcase_create("all");
    struct kvm_verdict v;
    struct kvm_host *real = kvm_host_new(NULL);

    if (!real || (!kvm_probe(real, &v) && v.failed <= KVM_PROBE_TIMER)) {
        printf("1..0 # SKIP KVM does not run guests here: %s\n", real ? v.why : "no timer");
        kvm_host_free(real);
        return EXIT_SUCCESS;
    }
    kvm_host_free(real);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_ports);
    tcase_add_test(t, test_mmio);
    tcase_add_test(t, test_msi);
    tcase_add_test(t, test_intx);
    tcase_add_test(t, test_nmi);
    tcase_add_test(t, test_second_processor);
    tcase_add_test(t, test_reset);
    tcase_add_test(t, test_triple_fault);
    tcase_add_test(t, test_time);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_set_tap(r, "-");
    srunner_run_all(r, CK_SILENT);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
