/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small machine for testing processors: 16 MiB of RAM, everything else is the test's bus. Code is
 * written in assembly in the test itself.
 *
 * Layout in long mode: identity map of the first GiB with 2 MiB pages (user, writable); code at
 * GUEST_CODE_AT, stack below GUEST_STACK. Each vector's handler is a HLT of its own, so that
 * guest_vector() can tell what happened; the interrupted frame is on the stack. Vectors below 32
 * use IST1 only where a test says so.
 */
#ifndef TESTS_UNIT_CPU_GUEST_H
#define TESTS_UNIT_CPU_GUEST_H

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pcilab/cpu/cpu.h"

#define GUEST_RAM     (16u << 20)
#define GUEST_PML4    0x1000u
#define GUEST_PDPT    0x2000u
#define GUEST_PD      0x3000u
#define GUEST_PT      0x4000u /* for tests: maps GUEST_WINDOW once guest_map_window() was called */
#define GUEST_GDT     0x5000u
#define GUEST_IDT     0x6000u
#define GUEST_TSS     0x7000u
#define GUEST_STUBS   0x8000u
#define GUEST_CODE_AT 0x100000u
#define GUEST_STACK   0x200000u
#define GUEST_STACK0  0x210000u /* RSP0 */
#define GUEST_IST1    0x220000u
#define GUEST_DATA    0x300000u
#define GUEST_WINDOW  0x40000000u /* 2 MiB of 4 KiB pages, virtual */
#define GUEST_MMIO    0x10000000u

#define SEL_CODE      0x08
#define SEL_DATA      0x10
#define SEL_USER_DATA 0x1B
#define SEL_USER_CODE 0x23
#define SEL_TSS       0x28

#define GUEST_PS       500u
#define GUEST_TSC_HZ   2000000000u
#define GUEST_ACCESSES 64

struct guest {
    uint8_t *ram;
    struct cpu_group *group;
    struct cpu *cpu;
    uint64_t now_ps, retired;
    int vector; /* what ack() answers: -1 none */
    unsigned acks;
    struct cpu_access log[GUEST_ACCESSES]; /* what went over the bus */
    unsigned accesses;
    uint64_t bus_value; /* reads return this, and count it up by one */
    bool bus_fault;
    bool refuse;              /* what is enqueued */
    uint64_t written_back[4]; /* the first cache lines that were */
    unsigned lines, whole_caches;
};

/* Code for guests, in Intel syntax. */
#define GUEST_CODE_BITS(name, bits, text)                                                          \
    __asm__(".pushsection .rodata\n.balign 16\n.globl " #name "\n.globl " #name "_end\n" #name     \
            ":\n.intel_syntax noprefix\n.code" #bits "\n" text "\n" #name                          \
            "_end:\n.code64\n.att_syntax prefix\n.popsection\n");                                  \
    extern const uint8_t name[], name##_end[]
#define GUEST_CODE(name, text) GUEST_CODE_BITS(name, 64, text)

struct guest *guest_new(unsigned cpus);
void guest_free(struct guest *g);
/* Long mode, CPL 0, interrupts off, at GUEST_CODE_AT. */
void guest_long_mode(struct guest *g);
void guest_load(struct guest *g, uint64_t at, const uint8_t *code, const uint8_t *end);
/* Runs in steps of `quantum` until an exit other than BUDGET and ACCESS, at most `max`. */
enum cpu_exit guest_run(struct guest *g, uint64_t quantum, uint64_t max);
/* Load code at GUEST_CODE_AT, run in long mode to the end. */
enum cpu_exit guest_execute(struct guest *g, const uint8_t *code, const uint8_t *end);
#define guest_do(g, name) guest_execute(g, name, name##_end)
/* The vector whose handler halted the processor, -1 if the code itself did. */
int guest_vector(struct guest *g);
/* Words of the exception frame: 0 is the topmost (error code, if the vector has one). */
uint64_t guest_frame(struct guest *g, unsigned word);
uint64_t guest_reg(struct guest *g, unsigned reg);
struct cpu_state guest_state(struct guest *g);
void guest_poke(struct guest *g, uint64_t at, uint64_t v);
uint64_t guest_peek(struct guest *g, uint64_t at);
/* 4 KiB pages: window page n is the page table's entry n. */
void guest_map_window(struct guest *g);
void guest_set_pte(struct guest *g, unsigned n, uint64_t pte);
void guest_set_gate(struct guest *g, unsigned vector, unsigned ist, unsigned dpl, uint64_t target);

/* Check's runner, TAP on standard output. */
int guest_run_suite(Suite *suite);

#endif
