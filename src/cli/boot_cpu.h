/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pcilab boot --cpu: whose processors run the guest. */
#ifndef PCILAB_CLI_BOOT_CPU_H
#define PCILAB_CLI_BOOT_CPU_H

#include "boot_options.h"
#include "pcilab/cpu/kvm.h"

/* Says on stderr what --cpu=auto takes, and why. *host is the host's KVM, or NULL: software. False:
 * what was asked for does not work here; reports errors itself. */
bool boot_cpu_open(const struct boot_options *options, struct kvm_host **host);

#endif
