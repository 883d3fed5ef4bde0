/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Intel Data Streaming Accelerator (architecture specification 341204, version 1), as Linux's
 * idxd drives it: work queues dedicated and shared, groups, engines. docs/dsa.md tells what is
 * modelled.
 */
#ifndef PCILAB_ENDPOINT_DSA_H
#define PCILAB_ENDPOINT_DSA_H

#include "pcilab/endpoint/endpoint.h"

#define DSA_QUEUES_MAX  16
#define DSA_ENGINES_MAX 8

struct dsa_params {
    const char *name;
    unsigned queues;  /* work queues, 1 to DSA_QUEUES_MAX */
    unsigned engines; /* 1 to DSA_ENGINES_MAX */
    bool ats;         /* Address Translation Services, Page Requests and PASID */
    struct pcie_params pcie;
};

struct endpoint *dsa_new(struct fabric *fabric, const struct dsa_params *params);

#endif
