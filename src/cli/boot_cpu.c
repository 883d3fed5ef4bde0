/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pcilab boot --cpu. CHOICE: the default is the software processor also where KVM works: a run is
 * to be the same every time unless somebody asks otherwise.
 */
#include "boot_cpu.h"

#include <string.h>

#include "cli.h"

/* The first option that a run needs to be the same twice, or to look into a processor; or NULL. */
static const char *needs_soft(const struct boot_options *o)
{
    return o->record              ? "--record"
           : o->replay            ? "--replay"
           : o->gdb               ? "--gdb"
           : o->digest            ? "--digest"
           : o->tested_with       ? "--tested-with"
           : o->checkpoint.wanted ? "--checkpoint-at"
                                  : NULL;
}

static struct kvm_host *open_kvm(char **why)
{
    struct kvm_verdict verdict;
    GError *error = NULL;
    struct kvm_host *host = kvm_host_new(&error);

    if (!host) {
        *why = g_strdup(error->message);
        g_error_free(error);
        return NULL;
    }
    if (kvm_probe(host, &verdict)) {
        return host;
    }
    kvm_host_free(host);
    *why = g_strdup_printf("KVM does not work here; the probe guest failed at %s", verdict.why);
    return NULL;
}

bool boot_cpu_open(const struct boot_options *o, struct kvm_host **host)
{
    bool automatic = o->cpu && strcmp(o->cpu, "auto") == 0;
    const char *needs = needs_soft(o);
    char *why = NULL;

    *host = NULL;
    if (!o->cpu || strcmp(o->cpu, "soft") == 0) {
        return true;
    }
    if (!automatic && strcmp(o->cpu, "kvm") != 0) {
        cli_error("--cpu=%s is not allowed; it is soft (the default), kvm or auto", o->cpu);
        return false;
    }
    if (needs) {
        why = g_strdup_printf("%s needs a processor whose every run is the same, which KVM is not",
                              needs);
    } else {
        *host = open_kvm(&why);
    }
    if (why && automatic) {
        cli_error("--cpu=auto: the software processor runs the guest: %s", why);
    } else if (why) {
        cli_error("--cpu=kvm: %s; without --cpu the software processor runs the guest", why);
    } else if (automatic) {
        cli_error("--cpu=auto: KVM runs the guest: the probe guest ran; no two runs are the same");
    }
    g_free(why);
    return *host || automatic;
}
