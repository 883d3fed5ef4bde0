/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conformance: numbered assertions, each of them one sentence of a specification, and what runs
 * them against a machine of ours, a Linux host's device or a dump of configuration space.
 *
 * An assertion is data: who it is, where the requirement stands, what its procedure needs, and the
 * procedure. Register fields are rows of tables (struct conform_field) and become an assertion
 * each for access, reset value and stickiness; src/conform/fields_*.c has them. What rows say comes
 * from the specifications and never from the model's own tables, which they judge.
 *
 * To add a group: a file with a const table of struct conform_assertion or struct conform_field,
 * and a line in src/conform/registry.c.
 */
#ifndef PCILAB_CONFORM_CONFORM_H
#define PCILAB_CONFORM_CONFORM_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define CONFORM_CONFIG_BYTES 4096

enum conform_outcome { CONFORM_PASS, CONFORM_FAIL, CONFORM_NOT_APPLICABLE };

enum conform_document {
    CONFORM_PCIE,   /* PCI Express Base Specification 6.0 */
    CONFORM_VTD,    /* Intel Virtualization Technology for Directed I/O 4.1 */
    CONFORM_VIRTIO, /* Virtual I/O Device 1.3 */
    CONFORM_NVME,   /* NVM Express Base Specification 2.0 */
    CONFORM_DOCUMENTS
};
const char *conform_document_name(enum conform_document document);

/* What a procedure does to what it judges, and what it cannot do without. */
enum conform_need {
    CONFORM_WRITES = 1 << 0,   /* writes registers, and puts back what was there */
    CONFORM_RESETS = 1 << 1,   /* resets the function */
    CONFORM_LAB = 1 << 2,      /* a machine of ours, TLP by TLP; once a machine */
    CONFORM_EXTENDED = 1 << 3, /* configuration space beyond 256 bytes */
    CONFORM_BARS = 1 << 4,     /* reads and writes what a BAR leads to */
};

struct conform_ctx; /* one assertion on one function, src/conform/internal.h */

struct conform_assertion {
    const char *id;    /* stable: "pcie.devctl.mps"; never reused for something else */
    const char *group; /* "pcie", "aer", "routing", ... */
    enum conform_document document;
    const char *section;     /* "7.5.3.4" */
    const char *requirement; /* one sentence */
    unsigned needs;          /* enum conform_need */
    void (*procedure)(struct conform_ctx *t);
    const void *param; /* of the procedure */
};

/* Something with configuration space. */
struct conform_func {
    uint16_t segment, rid; /* bus 15:8, device and function 7:0 */
    uint16_t config_bytes; /* of its configuration space that can be seen: 64 to 4096 */
    char name[32];         /* of the component; else the number */
};

/*
 * Where the functions are. Callbacks that are NULL cannot be done; assertions that need them are
 * not applicable there. All return false when the access fails, as an error of the host; a
 * function that is gone answers all ones.
 */
struct conform_backend {
    const char *name;
    bool (*config_read)(struct conform_backend *backend, const struct conform_func *func,
                        unsigned offset, unsigned len, uint32_t *value);
    bool (*config_write)(struct conform_backend *backend, const struct conform_func *func,
                         unsigned offset, unsigned len, uint32_t value);
    bool (*bar_read)(struct conform_backend *backend, const struct conform_func *func, unsigned bar,
                     uint64_t offset, unsigned len, uint64_t *value);
    bool (*bar_write)(struct conform_backend *backend, const struct conform_func *func,
                      unsigned bar, uint64_t offset, unsigned len, uint64_t value);
    /* Lets time pass. */
    void (*wait_us)(struct conform_backend *backend, unsigned us);
    void (*free)(struct conform_backend *backend);

    struct conform_func *funcs; /* in order of segment and number */
    unsigned func_count;
    const struct conform_func *chosen; /* only this one is judged; NULL: all */
    bool fresh; /* nothing but bus numbers, windows, BARs and Command was written since power-on */
    /* CONFORM_LAB: a machine, new and enumerated, for each assertion; struct machine_desc that it
     * is made of, not owned. NULL: none. */
    const void *lab;
    const void *mutant; /* struct conform_mutant that those machines are; NULL: none */
};

#define CONFORM_ERROR conform_error_quark()
GQuark conform_error_quark(void);

/* Text of lspci -xxx or -xxxx. Nothing can be written. */
struct conform_backend *conform_dump_open(const char *path, GError **error);
/* /sys/bus/pci/devices below `root` ("/sys"); `bdf` is "0000:00:01.0", "00:01.0" or NULL for all
 * functions. */
struct conform_backend *conform_sysfs_open(const char *root, const char *bdf, GError **error);
void conform_backend_free(struct conform_backend *backend);

struct conform_filter {
    /* Each NULL: any. Ids and sections match up to a '.' too: "pcie.devctl", "7.5.3"; names of
     * components too: "ex0" is all functions of it. */
    const char *group, *section, *component, *id;
    bool destructive; /* what writes, too */
};

/* Which mutants are judged (pcilab/conform/mutate.h). */
struct conform_mutant_choice {
    unsigned count; /* so many, evenly spread; 0: all */
    bool flaws;     /* flaws alone */
    bool markdown;  /* the answer as docs/conformance-mutants.md */
};

struct conform_result {
    const struct conform_assertion *assertion;
    const struct conform_func *func; /* NULL: of the machine as a whole */
    enum conform_outcome outcome;
    char *note; /* why it failed or is not applicable */
};

struct conform_report {
    char *subject; /* what was judged */
    const char *backend;
    GArray *results; /* struct conform_result */
    unsigned count[3];
};

/* All assertions, in order of group and id; owned by the library's caller: g_ptr_array_unref(). */
GPtrArray *conform_assertions(void);
bool conform_filter_accepts(const struct conform_filter *filter,
                            const struct conform_assertion *assertion);
/* Judges every function that the filter accepts. The report points into backend and assertions. */
struct conform_report *conform_run(struct conform_backend *backend, const GPtrArray *assertions,
                                   const struct conform_filter *filter, const char *subject);
/* What needs CONFORM_LAB alone. */
struct conform_report *conform_run_lab(struct conform_backend *backend, const GPtrArray *assertions,
                                       const struct conform_filter *filter, const char *subject);
void conform_report_free(struct conform_report *report);

/* Writers; several reports make one document. Errors of the stream are for the caller (ferror). */
typedef void (*conform_writer)(FILE *out, const GPtrArray *reports);
void conform_write_tap(FILE *out, const GPtrArray *reports);
void conform_write_junit(FILE *out, const GPtrArray *reports);
void conform_write_json(FILE *out, const GPtrArray *reports);
void conform_write_html(FILE *out, const GPtrArray *reports);
/* Tables of what there is: for a terminal, and as docs/conformance.md. */
void conform_write_list(FILE *out, const GPtrArray *assertions);
void conform_write_markdown(FILE *out, const GPtrArray *assertions);

#endif
