/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The SSDT of the root ports that the firmware looks after, in AML (ACPI 6.5, 20.2): a device for
 * each, whose methods hand over to those of asl/errors.asl with the port's number, and EDRN, which
 * notifies the port of a number. What is plugged in gets its error reporting by _HPX.
 *
 *     Scope (\_SB.PCI0) {
 *         Method (_HPX) { Return (\_SB.EHPX) }
 *         Device (RP00) {
 *             Name (_ADR, 0x00010000)
 *             Method (_DSM, 4, Serialized) { Return (\_SB.EDSM (Arg0, Arg1, Arg2, Arg3, 0)) }
 *             Method (_OST, 3, Serialized) { \_SB.EOST (Arg0, Arg1, 0) }
 *         }
 *     }
 *     Scope (\_SB) { Method (EDRN, 1) { If (Arg0 == 0) { Notify (\_SB.PCI0.RP00, 0x0F) } } }
 */
#include <string.h>

#include "apei.h"
#include "board.h"
#include "pcilab/base/le.h"

enum {
    AML_ZERO = 0x00,
    AML_NAME = 0x08,
    AML_BYTE = 0x0a,
    AML_DWORD = 0x0c,
    AML_SCOPE = 0x10,
    AML_METHOD = 0x14,
    AML_EXTERNAL = 0x15,
    AML_DUAL_NAME = 0x2e,
    AML_MULTI_NAME = 0x2f,
    AML_EXTENDED = 0x5b,
    AML_DEVICE = 0x82, /* after AML_EXTENDED */
    AML_ROOT = 0x5c,
    AML_ARG0 = 0x68,
    AML_NOTIFY = 0x86,
    AML_EQUAL = 0x93,
    AML_IF = 0xa0,
    AML_RETURN = 0xa4,
};

#define SERIALIZED        0x08
#define TYPE_PACKAGE      4
#define TYPE_METHOD       8
#define DISCONNECT        0x0f /* ACPI 6.5, table 5.187 */
#define ADR(device, func) ((uint32_t)(device) << 16 | (func))

static void put(GByteArray *aml, uint8_t byte)
{
    g_byte_array_append(aml, &byte, 1);
}

static void put_text(GByteArray *aml, const char *text)
{
    g_byte_array_append(aml, (const guint8 *)text, (guint)strlen(text));
}

static void put_number(GByteArray *aml, uint8_t number)
{
    put(aml, AML_BYTE);
    put(aml, number);
}

/* "\_SB_.NAME": `name` has four letters. */
static void put_path(GByteArray *aml, const char *name)
{
    put(aml, AML_ROOT);
    put(aml, AML_DUAL_NAME);
    put_text(aml, "_SB_");
    put_text(aml, name);
}

/* PkgLength (20.2.4) counts itself; then the content, which is given up. */
static void put_package(GByteArray *aml, GByteArray *content)
{
    unsigned len = content->len + 1;

    if (len < 0x40) {
        put(aml, (uint8_t)len);
    } else {
        len += 2; /* three bytes: up to 1 MiB */
        put(aml, (uint8_t)(0x80 | (len & 0xf)));
        put(aml, (uint8_t)(len >> 4));
        put(aml, (uint8_t)(len >> 12));
    }
    g_byte_array_append(aml, content->data, content->len);
    g_byte_array_unref(content);
}

static void put_method(GByteArray *aml, const char *name, uint8_t flags, GByteArray *code)
{
    GByteArray *content = g_byte_array_new();

    put_text(content, name);
    put(content, flags);
    g_byte_array_append(content, code->data, code->len);
    g_byte_array_unref(code);
    put(aml, AML_METHOD);
    put_package(aml, content);
}

/* A call of one of the board's methods with the first arguments and the port's number. */
static void put_call(GByteArray *aml, const char *method, unsigned args, unsigned port)
{
    put_path(aml, method);
    for (unsigned i = 0; i < args; i++)
        put(aml, (uint8_t)(AML_ARG0 + i));
    put_number(aml, (uint8_t)port);
}

static void put_external(GByteArray *aml, const char *name, uint8_t type, uint8_t args)
{
    put(aml, AML_EXTERNAL);
    put_path(aml, name);
    put(aml, type);
    put(aml, args);
}

/* Interpreters older than this operation skip it. */
static void put_externals(GByteArray *aml)
{
    GByteArray *content = g_byte_array_new();

    put(content, AML_ZERO);
    put_external(content, "EHPX", TYPE_PACKAGE, 0);
    put_external(content, "EDSM", TYPE_METHOD, 5);
    put_external(content, "EOST", TYPE_METHOD, 3);
    put(aml, AML_IF);
    put_package(aml, content);
}

static void port_name(char name[5], unsigned port)
{
    g_snprintf(name, 5, "RP%02X", port & 0xff);
}

static void put_port(GByteArray *aml, unsigned port, uint32_t adr)
{
    GByteArray *content = g_byte_array_new(), *dsm = g_byte_array_new(), *ost = g_byte_array_new();
    char name[5];
    uint8_t address[4];

    port_name(name, port);
    put_text(content, name);
    put(content, AML_NAME);
    put_text(content, "_ADR");
    put(content, AML_DWORD);
    le32_store(address, adr);
    g_byte_array_append(content, address, 4);
    put(dsm, AML_RETURN);
    put_call(dsm, "EDSM", 4, port);
    put_method(content, "_DSM", 4 | SERIALIZED, dsm);
    put_call(ost, "EOST", 2, port);
    put_method(content, "_OST", 3 | SERIALIZED, ost);
    put(aml, AML_EXTENDED);
    put(aml, AML_DEVICE);
    put_package(aml, content);
}

static void put_bridge(const struct apei *apei, GByteArray *aml, unsigned index)
{
    const struct board_bridge *bridge = &apei->machine->bridge[index];
    GByteArray *content = g_byte_array_new(), *hpx = g_byte_array_new();
    char name[5];

    g_snprintf(name, sizeof(name), "PCI%X", index & 0xf);
    put_path(content, name);
    put(hpx, AML_RETURN);
    put_path(hpx, "EHPX");
    put_method(content, "_HPX", 0, hpx);
    for (unsigned i = 0; i < apei->port_count; i++) {
        const struct board_part *part = apei->port[i].part;
        unsigned devfn = pci_rid_devfn(root_port_func(part->object)->rid);

        if (part->bridge == bridge)
            put_port(content, i, ADR(devfn >> 3, devfn & 7));
    }
    put(aml, AML_SCOPE);
    put_package(aml, content);
}

static void put_notify(const struct apei *apei, GByteArray *code, unsigned port)
{
    GByteArray *content = g_byte_array_new();
    long bridge = apei->port[port].part->bridge - apei->machine->bridge;
    char name[5];

    put(content, AML_EQUAL);
    put(content, AML_ARG0);
    put_number(content, (uint8_t)port);
    put(content, AML_NOTIFY);
    put(content, AML_ROOT);
    put(content, AML_MULTI_NAME);
    put(content, 3);
    put_text(content, "_SB_PCI");
    put(content, (uint8_t)('0' + bridge));
    port_name(name, port);
    put_text(content, name);
    put_number(content, DISCONNECT);
    put(code, AML_IF);
    put_package(code, content);
}

void apei_ports_aml(const struct apei *apei, GByteArray *aml)
{
    GByteArray *code = g_byte_array_new(), *scope = g_byte_array_new();

    put_externals(aml);
    for (unsigned i = 0; i < apei->machine->bridge_count; i++) {
        if (apei->machine->bridge[i].firmware_first)
            put_bridge(apei, aml, i);
    }
    for (unsigned i = 0; i < apei->port_count; i++)
        put_notify(apei, code, i);
    put(scope, AML_ROOT);
    put_text(scope, "_SB_");
    put_method(scope, "EDRN", 1, code);
    put(aml, AML_SCOPE);
    put_package(aml, scope);
}
