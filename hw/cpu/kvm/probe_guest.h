/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the probe and its guest: addresses, ports, steps (enum kvm_probe_step). */
#ifndef HW_CPU_KVM_PROBE_GUEST_H
#define HW_CPU_KVM_PROBE_GUEST_H

#define PROBE_CODE  0x1000
#define PROBE_PAGES 0x4000 /* three pages of tables: 4 MiB as they are */
#define PROBE_STACK 0x8000
#define PROBE_BYTES 0x10000

#define PROBE_MMIO_GPA     0x300000
#define PROBE_MMIO_VALUE   0x12345678
#define PROBE_PORT_DONE    0xe0
#define PROBE_PORT_WANT    0xe1
#define PROBE_PORT_WRONG   0xe2
#define PROBE_PORT_READ    0xe3
#define PROBE_PORT_VALUE   0x5a
#define PROBE_VECTOR       0x40
#define PROBE_LEVEL_VECTOR 0x41

#define PROBE_REAL      1
#define PROBE_LONG      2
#define PROBE_PORT      3
#define PROBE_MMIO      4
#define PROBE_INTERRUPT 5
#define PROBE_HALT      6
#define PROBE_LEVEL     7
#define PROBE_TIMER     8
#define PROBE_BMI       9
#define PROBE_AVX       10

#endif
