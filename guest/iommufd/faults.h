/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page faults of a function, answered by a process; and what the tests share. */
#ifndef PCILAB_GUEST_IOMMUFD_FAULTS_H
#define PCILAB_GUEST_IOMMUFD_FAULTS_H

#include "iommufd.h"

/* Results of commands (docs/exerciser.md). */
enum { DMA_DONE = 0, DMA_REFUSED = 1, DMA_DENIED = 7 };

/* Ends the program: kernel or IOMMU cannot do this. */
void skip(const char *why) __attribute__((noreturn));
/* 64 bytes at `address`. */
unsigned go(struct iommufd *i, unsigned command, uint64_t address);
/* What a write brings. */
void set_local(struct iommufd *i, uint8_t value);
bool holds(const uint8_t *mem, uint8_t value);

/* Linux 6.12 refuses Page Requests without a PASID; 7.3 does not. */
void test_refused(struct iommufd *i);
void test_faults(struct iommufd *i);
void test_pending(struct iommufd *i);
void test_leave(struct iommufd *i);
void test_pasid(struct iommufd *i);
void test_many(struct iommufd *i);

#endif
