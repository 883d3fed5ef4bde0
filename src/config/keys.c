/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The groups and keys of topology files, as data. */
#include <string.h>

#include "keys.h"
#include "pcilab/base/bits.h"
#include "pcilab/config/topology.h"
#include "pcilab/config/units.h"
#include "pcilab/pci/function.h"
#include "pcilab/platform/addrmap.h"

static uint64_t *value_of(const struct topo_key *key, struct topo_values *values)
{
    return (uint64_t *)((char *)values + key->offset);
}

static char **text_of(const struct topo_key *key, struct topo_values *values)
{
    return (char **)((char *)values + key->offset);
}

static bool parse_uint(const struct topo_key *key, const char *text, struct topo_values *values)
{
    uint64_t *value = value_of(key, values);

    return units_parse_uint(text, value) && *value >= key->min && *value <= key->max;
}

static void allowed_uint(const struct topo_key *key, GString *out)
{
    g_string_append_printf(out, "a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
                           key->min, key->max);
}

static void append_size_range(const struct topo_key *key, GString *out)
{
    char *min = units_format_size(key->min), *max = units_format_size(key->max);

    g_string_append_printf(out, "from %s to %s", min, max);
    g_free(min);
    g_free(max);
}

/* A multiple of 1 MiB. */
static bool parse_size(const struct topo_key *key, const char *text, struct topo_values *values)
{
    uint64_t *value = value_of(key, values);

    return units_parse_size(text, value) && *value >= key->min && *value <= key->max &&
           *value % (1u << 20) == 0;
}

static void allowed_size(const struct topo_key *key, GString *out)
{
    g_string_append(out, "a size like 512M or 2G, ");
    append_size_range(key, out);
    g_string_append(out, " in steps of 1 MiB");
}

static bool parse_power(const struct topo_key *key, const char *text, struct topo_values *values)
{
    uint64_t *value = value_of(key, values);

    return units_parse_size(text, value) && *value >= key->min && *value <= key->max &&
           (*value & (*value - 1)) == 0;
}

static void allowed_power(const struct topo_key *key, GString *out)
{
    g_string_append(out, "a power of two like 64K or 1M, ");
    append_size_range(key, out);
}

/* MSI offers 1, 2, 4 ... 32 vectors (PCI Local Bus 3.0, 6.8.1.3). */
static bool parse_msi(const struct topo_key *key, const char *text, struct topo_values *values)
{
    uint64_t *value = value_of(key, values);

    return units_parse_uint(text, value) && *value <= key->max && (*value & (*value - 1)) == 0;
}

static void allowed_msi(const struct topo_key *key, GString *out)
{
    g_string_append(out, "0, 1, 2, 4, 8, 16 or 32");
}

static bool parse_bool(const struct topo_key *key, const char *text, struct topo_values *values)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"yes", true},    {"no", false}, {"true", true},
                 {"false", false}, {"on", true},  {"off", false}};

    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++) {
        if (strcmp(text, words[i].word) == 0) {
            *value_of(key, values) = words[i].value;
            return true;
        }
    }
    return false;
}

static void allowed_bool(const struct topo_key *key, GString *out)
{
    g_string_append(out, "yes or no");
}

static const char *const speed_texts[] = {NULL, "2.5", "5", "8", "16", "32"};

const char *topology_speed_text(unsigned code)
{
    return code >= 1 && code < G_N_ELEMENTS(speed_texts) ? speed_texts[code] : "?";
}

/* "8", and as lspci writes it "8GT/s" and "8.0GT/s". */
static bool parse_speed(const struct topo_key *key, const char *text, struct topo_values *values)
{
    char *word = g_strndup(text, 16);

    if (g_str_has_suffix(word, "GT/s")) {
        word[strlen(word) - 4] = '\0';
        g_strchomp(word);
    }
    if (g_str_has_suffix(word, ".0")) {
        word[strlen(word) - 2] = '\0';
    }
    bool found = false;
    for (unsigned i = 1; i < G_N_ELEMENTS(speed_texts); i++) {
        if (strcmp(word, speed_texts[i]) == 0) {
            *value_of(key, values) = i;
            found = true;
        }
    }
    g_free(word);
    return found;
}

static void allowed_speed(const struct topo_key *key, GString *out)
{
    g_string_append(out, "2.5, 5, 8, 16 or 32 (GT/s)");
}

/* x12 and x32 went with PCIe Base 6.0 (7.5.3.6). */
static bool parse_width(const struct topo_key *key, const char *text, struct topo_values *values)
{
    uint64_t *value = value_of(key, values);

    return units_parse_uint(*text == 'x' ? text + 1 : text, value) && *value >= 1 && *value <= 16 &&
           (*value & (*value - 1)) == 0;
}

static void allowed_width(const struct topo_key *key, GString *out)
{
    g_string_append(out, "1, 2, 4, 8 or 16 (lanes)");
}

static bool parse_slot(const struct topo_key *key, const char *text, struct topo_values *values)
{
    uint64_t *value = value_of(key, values);

    if (strcmp(text, "auto") == 0) {
        *value = TOPO_AUTO;
        return true;
    }
    if (strcmp(text, "none") == 0) {
        *value = 0;
        return true;
    }
    return parse_uint(key, text, values);
}

static void allowed_slot(const struct topo_key *key, GString *out)
{
    allowed_uint(key, out);
    g_string_append(out, ", auto or none");
}

static const char *const hotplug_words[] = {
    [PCIE_HOTPLUG_NONE] = "no",
    [PCIE_HOTPLUG_FULL] = "yes",
    [PCIE_HOTPLUG_SURPRISE] = "surprise",
};

static bool parse_hotplug(const struct topo_key *key, const char *text, struct topo_values *values)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(hotplug_words); i++) {
        if (strcmp(text, hotplug_words[i]) == 0) {
            *value_of(key, values) = i;
            return true;
        }
    }
    return false;
}

static void allowed_hotplug(const struct topo_key *key, GString *out)
{
    g_string_append(out, "no, yes or surprise");
}

static bool parse_bus(const char **text, uint64_t *bus)
{
    char *end;

    if (!g_ascii_isxdigit(**text)) {
        return false;
    }
    *bus = g_ascii_strtoull(*text, &end, 16);
    bool ok = end - *text <= 2;
    *text = end;
    return ok;
}

static bool parse_buses(const struct topo_key *key, const char *text, struct topo_values *values)
{
    return parse_bus(&text, &values->bus_first) && *text++ == '-' &&
           parse_bus(&text, &values->bus_last) && !*text && values->bus_first <= values->bus_last;
}

static void allowed_buses(const struct topo_key *key, GString *out)
{
    g_string_append(out, "a range in hexadecimal like 00-7f");
}

/* Names are looked up when all groups are known. */
static bool parse_place(const struct topo_key *key, const char *text, struct topo_values *values)
{
    if (!*text) {
        return false;
    }
    g_free(*text_of(key, values));
    *text_of(key, values) = g_strdup(text);
    return true;
}

static void allowed_bridge(const struct topo_key *key, GString *out)
{
    g_string_append(out, "the name of a host bridge, like hb0");
}

static void allowed_at(const struct topo_key *key, GString *out)
{
    g_string_append(out, "a root port like rp0 or a switch port like sw0.1");
    if (key->kinds & ~BIT(TOPO_SWITCH)) {
        g_string_append(out, "; or a host bridge like hb0: integrated");
    }
}

/* NVM Express Base 2.0, figure 275 (SN): ASCII, 20 bytes. */
static bool parse_serial(const struct topo_key *key, const char *text, struct topo_values *values)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++) {
        if (!g_ascii_isprint(text[i])) {
            return false;
        }
    }
    return len <= 20 && parse_place(key, text, values);
}

static void allowed_serial(const struct topo_key *key, GString *out)
{
    g_string_append(out, "1 to 20 printable ASCII characters");
}

static bool parse_tag(const struct topo_key *key, const char *text, struct topo_values *values)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++) {
        if (!g_ascii_isgraph(text[i]) || text[i] == ',') {
            return false;
        }
    }
    return len <= key->max && parse_place(key, text, values);
}

static void allowed_tag(const struct topo_key *key, GString *out)
{
    g_string_append_printf(out, "1 to %u printable ASCII characters without blanks and commas",
                           (unsigned)key->max);
}

/* Not all zeroes, and of one station (IEEE 802, 8.2). */
static bool parse_mac(const struct topo_key *key, const char *text, struct topo_values *values)
{
    uint64_t mac = 0;

    for (unsigned i = 0; i < 6; i++) {
        const char *digits = text + 3 * i;
        if (!g_ascii_isxdigit(digits[0]) || !g_ascii_isxdigit(digits[1]) ||
            digits[2] != (i < 5 ? ':' : '\0')) {
            return false;
        }
        mac = mac << 8 |
              (uint64_t)(g_ascii_xdigit_value(digits[0]) * 16 + g_ascii_xdigit_value(digits[1]));
    }
    *value_of(key, values) = mac;
    return mac && !(mac >> 40 & 1);
}

static void allowed_mac(const struct topo_key *key, GString *out)
{
    g_string_append(out, "the address of one station, like 52:54:00:12:34:56");
}

static void allowed_forward(const struct topo_key *key, GString *out)
{
    g_string_append(out, "one or more of tcp|udp:[ADDRESS]:PORT-[ADDRESS]:PORT, blanks between");
}

/* Whether it is a directory is seen when the machine is built. */
static void allowed_path(const struct topo_key *key, GString *out)
{
    g_string_append(out, "a directory of the host, from where pcilab is started");
}

/* One of a few words; the value is the word's place among them. */
static bool parse_word(const char *const *words, unsigned count, const char *text, uint64_t *value)
{
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(text, words[i]) == 0) {
            *value = i;
            return true;
        }
    }
    return false;
}

static const char *const face_words[] = {"vtd"};
static const char *const iotlb_words[] = {"normal", "strict"};
static const char *const address_words[] = {"39", "48", "57"};

static bool parse_face(const struct topo_key *key, const char *text, struct topo_values *values)
{
    return parse_word(face_words, G_N_ELEMENTS(face_words), text, value_of(key, values));
}

static void allowed_face(const struct topo_key *key, GString *out)
{
    g_string_append(out, "vtd");
}

static bool parse_iotlb(const struct topo_key *key, const char *text, struct topo_values *values)
{
    return parse_word(iotlb_words, G_N_ELEMENTS(iotlb_words), text, value_of(key, values));
}

static void allowed_iotlb(const struct topo_key *key, GString *out)
{
    g_string_append(out, "normal or strict");
}

static bool parse_address(const struct topo_key *key, const char *text, struct topo_values *values)
{
    uint64_t *value = value_of(key, values);

    if (!parse_word(address_words, G_N_ELEMENTS(address_words), text, value)) {
        return false;
    }
    *value = 39 + 9 * *value;
    return true;
}

static void allowed_address(const struct topo_key *key, GString *out)
{
    g_string_append(out, "39, 48 or 57 (bits)");
}

static const struct topo_type type_face = {parse_face, allowed_face};
static const struct topo_type type_iotlb = {parse_iotlb, allowed_iotlb};
static const struct topo_type type_address = {parse_address, allowed_address};
static const struct topo_type type_uint = {parse_uint, allowed_uint};
static const struct topo_type type_size = {parse_size, allowed_size};
static const struct topo_type type_power = {parse_power, allowed_power};
static const struct topo_type type_msi = {parse_msi, allowed_msi};
static const struct topo_type type_bool = {parse_bool, allowed_bool};
static const struct topo_type type_speed = {parse_speed, allowed_speed};
static const struct topo_type type_width = {parse_width, allowed_width};
static const struct topo_type type_slot = {parse_slot, allowed_slot};
static const struct topo_type type_hotplug = {parse_hotplug, allowed_hotplug};
static const struct topo_type type_buses = {parse_buses, allowed_buses};
static const struct topo_type type_bridge = {parse_place, allowed_bridge};
static const struct topo_type type_at = {parse_place, allowed_at};
static const struct topo_type type_tag = {parse_tag, allowed_tag};
static const struct topo_type type_mac = {parse_mac, allowed_mac};
static const struct topo_type type_forward = {parse_place, allowed_forward};
static const struct topo_type type_path = {parse_place, allowed_path};
/* Beside the topology file, so that the two can be moved together. */
static bool parse_file(const struct topo_key *key, const char *text, struct topo_values *values)
{
    return *text != '.' && !strchr(text, '/') && parse_place(key, text, values);
}

static void allowed_file(const struct topo_key *key, GString *out)
{
    g_string_append(out, "the name of a file in the folder of the topology file");
}

static bool parse_bars(const struct topo_key *key, const char *text, struct topo_values *values)
{
    *value_of(key, values) = strcmp(text, "memory") == 0;
    return *value_of(key, values) || strcmp(text, "ones") == 0;
}

static void allowed_bars(const struct topo_key *key, GString *out)
{
    g_string_append(out, "ones or memory");
}

static const struct topo_type type_bars = {parse_bars, allowed_bars};
static const struct topo_type type_file = {parse_file, allowed_file};
static const struct topo_type type_serial = {parse_serial, allowed_serial};

const struct topo_kind_info topo_kinds[TOPO_KIND_COUNT] = {
    [TOPO_MACHINE] = {"machine", false, "Processors and memory. May be left out."},
    [TOPO_HOST_BRIDGE] = {"host-bridge", true,
                          "A root complex with its segment (PCI domain) and bus numbers. Without "
                          "any there is one, called hb0, with segment 0 and buses 00-ff."},
    [TOPO_ROOT_PORT] = {"root-port", true, "A root port on the root bus of a host bridge."},
    [TOPO_SWITCH] = {"switch", true,
                     "A switch. Its downstream ports are called NAME.0, NAME.1 and so on, and are "
                     "device 0, 1 ... of its internal bus."},
    [TOPO_SWITCH_PORT] = {"switch-port", true,
                          "One downstream port of a switch, like [switch-port sw0.1], where it "
                          "differs from the others."},
    [TOPO_NVME] = {"nvme", true,
                   "An NVMe controller with one namespace: a file given by --disk NAME=FILE, else "
                   "a zeroed scratch image in memory."},
    [TOPO_EXERCISER] = {"exerciser", true,
                        "The test endpoint: BARs of every kind, MSI, MSI-X and a DMA engine "
                        "(docs/exerciser.md)."},
    [TOPO_VIRTIO_RNG] = {"virtio-rng", true,
                         "A virtio entropy device; its random numbers come from --seed."},
    [TOPO_VIRTIO_BLK] = {"virtio-blk", true,
                         "A virtio disk: a file given by --disk NAME=FILE, else a zeroed scratch "
                         "image in memory."},
    [TOPO_VIRTIO_CONSOLE] = {"virtio-console", true,
                             "A virtio console. On its own it has two ports: a console whose "
                             "output nobody reads, and pcilab.echo, which gives back what is "
                             "written to it."},
    [TOPO_VIRTIO_9P] = {"virtio-9p", true,
                        "A directory of the host for the guest, by 9P2000.L "
                        "(docs/host-files.md)."},
    [TOPO_VIRTIO_NET] = {"virtio-net", true,
                         "A virtio network card on a network of its own, from which the host's "
                         "network can be reached (docs/virtio.md)."},
    [TOPO_SHELL] = {"shell", true,
                    "Functions of a real computer, known by their configuration space alone: those "
                    "of one device of the root bus and all behind its bridges. Made by pcilab topo "
                    "import (docs/import.md)."},
    [TOPO_IOMMU] = {"iommu", true,
                    "An IOMMU that translates what comes up from the devices of a segment "
                    "(docs/iommu.md). The features are as the driver sees them; without one, its "
                    "paths for a missing capability run."},
};

#define K(kind)   BIT(TOPO_##kind)
#define V(member) offsetof(struct topo_values, member)
#define PORTS     (K(ROOT_PORT) | K(SWITCH) | K(SWITCH_PORT))
#define VIRTIO    (K(VIRTIO_RNG) | K(VIRTIO_BLK) | K(VIRTIO_CONSOLE) | K(VIRTIO_9P) | K(VIRTIO_NET))
#define PLUGGED   (K(NVME) | K(EXERCISER))
#define ENDPOINTS (PLUGGED | VIRTIO)
#define LINKED    (K(SWITCH) | ENDPOINTS)

#define LINK_BUFFERS "64/1024 64/64 0/0" /* those of link_default_params */

#define AS_SWITCH "as the switch says"

/* A key may have a row for each kind of group that means something different by it. */
const struct topo_key topo_keys[] = {
    {"memory", K(MACHINE), &type_size, V(memory_bytes), 64ULL << 20, 256ULL << 30, "512M", NULL,
     "RAM of the guest. The option --memory goes first."},
    {"cpus", K(MACHINE), &type_uint, V(cpus), 1, CPU_MAX, "1", NULL,
     "Processors. The option --cpus goes first."},
    {"timing", K(MACHINE), &topo_type_timing, V(timing), 0, 0, "functional", NULL,
     "How TLPs cross links: at once, or as the wires, credits and acknowledgements of PCI Express "
     "let them (docs/fabric.md). The option --timing goes first."},
    {"firmware-assigns", K(MACHINE), &type_bool, V(firmware_assigns), 0, 1, "no", NULL,
     "Bus numbers, windows and BARs are assigned before the kernel starts, as the firmware of most "
     "computers does. If not, the kernel finds nothing assigned and does it all."},

    {"segment", K(HOST_BRIDGE), &type_uint, V(segment), 0, 0xffff, "0", NULL,
     "PCI segment group, the domain of lspci."},
    {"bus", K(HOST_BRIDGE), &type_buses, V(bus_first), 0, 0xff, "00-ff", NULL,
     "Bus numbers, first and last, in hexadecimal as lspci writes them. The first is the root "
     "bus. Ranges on one segment must not overlap."},
    {"visible", K(HOST_BRIDGE), &type_bool, V(visible), 0, 1, "yes", NULL,
     "The host bridge is a function itself, 00.0 of its root bus. If not, a shell can be."},
    {"io", K(HOST_BRIDGE), &topo_type_window, V(io), 0xd00, 0xffff, NULL, "shared out evenly",
     "I/O ports that the host bridge decodes. This and the next two: all host bridges say it, or "
     "none."},
    {"mem32", K(HOST_BRIDGE), &topo_type_window, V(mem32), MAP_LOW_RAM_MAX, MAP_IOAPIC_BASE - 1,
     NULL, "shared out evenly",
     "Memory below 4 GiB that it decodes. Beyond dfffffff: the ECAM of the first segment is above "
     "4 GiB then."},
    {"mem64", K(HOST_BRIDGE), &topo_type_window, V(mem64), MAP_RAM_ABOVE_4G, MAP_PHYS_END - 1, NULL,
     "1 TiB each",
     "Memory above 4 GiB that it decodes; above all RAM. Left to the platform it is for "
     "prefetchable memory only, else for both."},

    {"bridge", K(ROOT_PORT), &type_bridge, V(at), 0, 0, NULL, "the only host bridge",
     "The host bridge that the port belongs to."},
    {"device", K(ROOT_PORT), &type_uint, V(device), 1, 31, NULL, "the lowest free",
     "Device number on the root bus. 0 is left to the host bridge."},
    {"function", K(ROOT_PORT), &type_uint, V(function), 0, 7, "0", NULL,
     "Function number. Ports that share a device differ in it, and one of them has 0."},

    {"at", K(SWITCH), &type_at, V(at), 0, 0, NULL, NULL, "The port that it is plugged into."},
    {"at", PLUGGED, &type_at, V(at), 0, 0, NULL, NULL,
     "The port that it is plugged into, or the host bridge whose root bus it is integrated on."},
    {"at", VIRTIO, &type_at, V(at), 0, 0, NULL, "integrated on the first host bridge",
     "The port that it is plugged into, or the host bridge whose root bus it is integrated on."},
    {"device", PLUGGED, &type_uint, V(device), 1, 31, NULL, "the lowest free",
     "Device number on the root bus; integrated endpoints only."},
    {"device", VIRTIO, &type_uint, V(device), 1, 31, NULL, "the highest free",
     "Device number on the root bus; integrated endpoints only."},

    {"speed", K(ROOT_PORT) | ENDPOINTS, &type_speed, V(speed), 0, 0, "16", NULL,
     "Highest link speed in GT/s. A link runs at the lower of its two ends."},
    {"width", K(ROOT_PORT) | ENDPOINTS, &type_width, V(width), 0, 0, "4", NULL,
     "Most lanes. A link has as many as the smaller of its two ends."},
    {"speed", K(SWITCH), &type_speed, V(speed), 0, 0, "16", NULL,
     "Highest link speed of the upstream port in GT/s."},
    {"width", K(SWITCH), &type_width, V(width), 0, 0, "4", NULL,
     "Most lanes of the upstream port."},
    {"downstream", K(SWITCH), &type_uint, V(downstream), 1, MACHINE_SWITCH_PORTS_MAX, NULL, NULL,
     "Number of downstream ports."},
    {"downstream-speed", K(SWITCH), &type_speed, V(downstream_speed), 0, 0, "16", NULL,
     "Highest link speed of the downstream ports in GT/s."},
    {"downstream-width", K(SWITCH), &type_width, V(downstream_width), 0, 0, "4", NULL,
     "Most lanes of the downstream ports."},
    {"speed", K(SWITCH_PORT), &type_speed, V(speed), 0, 0, NULL, AS_SWITCH,
     "Highest link speed in GT/s."},
    {"width", K(SWITCH_PORT), &type_width, V(width), 0, 0, NULL, AS_SWITCH, "Most lanes."},

    {"timing", LINKED, &topo_type_timing, V(timing), 0, 0, NULL, "as [machine] says",
     "Timing of the link above."},
    {"propagation-ns", LINKED, &type_uint, V(propagation_ns), 0, 1000000, "5", NULL,
     "Link timing: how long the link is, one way."},
    {"training-ms", LINKED, &type_uint, V(training_ms), 0, 10000, "20", NULL,
     "Link timing: from the end of a reset until the link is up."},
    {"bit-error-rate", LINKED, &topo_type_rate, V(bit_error_rate), 0, 0, "0", NULL,
     "Link timing: how often a bit arrives wrong; seeded by --seed."},
    {"faults", LINKED, &topo_type_faults, V(faults), 0, 0, NULL, "none",
     "Link timing: faults on purpose. After N TLPs (DLLPs) that go up or down the link unharmed, "
     "COUNT are hit."},
    {"buffers", K(ROOT_PORT) | LINKED, &topo_type_buffers, V(buffers), 0, 0, LINK_BUFFERS, NULL,
     "Link timing: receive buffers."},
    {"buffers", K(SWITCH_PORT), &topo_type_buffers, V(buffers), 0, 0, NULL, AS_SWITCH,
     "Link timing: receive buffers."},

    {"slot", K(ROOT_PORT) | K(SWITCH_PORT), &type_slot, V(slot), 1, 8191, "auto", NULL,
     "Physical slot number; auto takes the lowest free, none is a port without a slot."},
    {"hotplug", K(ROOT_PORT), &type_hotplug, V(hotplug), 0, 0, "no", NULL,
     "Hot-plug: yes has a button, indicators, a latch and a power controller; surprise is a bay."},
    {"hotplug", K(SWITCH), &type_hotplug, V(hotplug), 0, 0, "no", NULL,
     "Hot-plug of the downstream ports, as for root ports."},
    {"hotplug", K(SWITCH_PORT), &type_hotplug, V(hotplug), 0, 0, NULL, AS_SWITCH, "Hot-plug."},
    {"plugged", K(SWITCH) | ENDPOINTS, &type_bool, V(plugged), 0, 1, "yes", NULL,
     "There when the machine is switched on. What is not can be plugged in with --at."},
    {"ari", K(ROOT_PORT), &type_bool, V(ari), 0, 1, "yes", NULL, "ARI forwarding."},
    {"msi", K(ROOT_PORT), &type_bool, V(msi), 0, 1, "yes", NULL, "MSI capability."},
    {"ari", K(SWITCH), &type_bool, V(ari), 0, 1, "yes", NULL,
     "ARI forwarding of the downstream ports."},
    {"msi", K(SWITCH), &type_bool, V(msi), 0, 1, "yes", NULL, "MSI capability of all ports."},
    {"ari", K(SWITCH_PORT), &type_bool, V(ari), 0, 1, NULL, AS_SWITCH, "ARI forwarding."},
    {"msi", K(SWITCH_PORT), &type_bool, V(msi), 0, 1, NULL, AS_SWITCH, "MSI capability."},

    {"size", K(NVME) | K(VIRTIO_BLK), &type_size, V(size_bytes), 1ULL << 20, 16ULL << 40, "256M",
     NULL, "Size of the scratch image. A file given by --disk has its own."},
    {"queues", K(NVME), &type_uint, V(queues), 1, 64, "8", NULL, "Pairs of I/O queues."},
    {"queues", K(VIRTIO_BLK), &type_uint, V(queues), 1, 64, "1", NULL, "Virtqueues."},
    {"serial", K(NVME) | K(VIRTIO_BLK), &type_serial, V(serial), 0, 0, NULL,
     "the name of the group", "Serial number."},
    {"path", K(VIRTIO_9P), &type_path, V(path), 0, 0, NULL, NULL,
     "The directory that the guest may see."},
    {"tag", K(VIRTIO_9P), &type_tag, V(tag), 1, 255, NULL, "the name of the group",
     "What the guest mounts: mount -t 9p TAG /mnt."},
    {"readonly", K(VIRTIO_9P), &type_bool, V(readonly), 0, 1, "yes", NULL,
     "The guest may not change anything."},
    {"mac", K(VIRTIO_NET), &type_mac, V(mac), 0, 0, NULL,
     "52:54:00:12:34:56, counting up for each card", "MAC address."},
    {"forward", K(VIRTIO_NET), &type_forward, V(forward), 0, 0, NULL, "none",
     "Ports of this host that lead into the guest, like tcp::2222-:22."},
    {"restrict", K(VIRTIO_NET), &type_bool, V(restricted), 0, 1, "no", NULL,
     "The guest reaches neither this host nor others; what is forwarded reaches it."},
    {"packed", VIRTIO, &type_bool, V(packed), 0, 1, "no", NULL,
     "Offer packed virtqueues beside split ones; Linux then uses them."},

    {"functions", K(EXERCISER), &type_uint, V(functions), 1, 8, "1", NULL,
     "Functions, each with its own registers, BARs and interrupts."},
    {"msix", K(EXERCISER), &type_uint, V(msix_vectors), 1, 2048, "8", NULL, "MSI-X vectors."},
    {"msi", K(EXERCISER), &type_msi, V(msi_vectors), 0, 32, "4", NULL,
     "MSI vectors; 0 is no MSI capability."},
    {"memory", K(EXERCISER), &type_power, V(mem_bytes), 4096, 64ULL << 30, "1M", NULL,
     "Size of the prefetchable memory behind BAR 4, of each function."},
    {"io", K(EXERCISER), &type_bool, V(exerciser_io), 0, 1, "yes", NULL,
     "The BAR in I/O space. A machine with more than 120 functions has no room for it."},
    {"vfs", K(EXERCISER), &type_uint, V(vfs), 0, 256, "0", NULL,
     "Virtual Functions (SR-IOV) of each function; not for an integrated exerciser."},
    {"vf_memory", K(EXERCISER), &type_power, V(vf_mem_bytes), 4096, 1ULL << 30, "64K", NULL,
     "As memory, of each Virtual Function."},

    {"at", K(SHELL), &type_bridge, V(at), 0, 0, NULL, NULL,
     "The host bridge on whose root bus it is."},
    {"device", K(SHELL), &type_uint, V(device), 0, 31, NULL, NULL,
     "Device number on the root bus, here and in the file."},
    {"bars", K(SHELL), &type_bars, V(bars_memory), 0, 0, "ones", NULL,
     "What reads of the BARs return: all ones, as if nothing were there, or what was written."},
    {"config", K(SHELL), &type_file, V(config), 0, 0, NULL, NULL,
     "The file with the configuration space, as lspci -vxxxx prints it. The functions taken are "
     "those of the host bridge's segment and first bus with the device number, and those behind."},

    {"bridge", K(IOMMU), &type_bridge, V(at), 0, 0, NULL, "the only host bridge",
     "A host bridge; the unit serves all of its segment."},
    {"face", K(IOMMU), &type_face, V(face), 0, 0, "vtd", NULL,
     "What it looks like: vtd is Intel VT-d 4.x."},
    {"width", K(IOMMU), &type_address, V(address_bits), 0, 0, "48", NULL,
     "Addresses of devices: second stages of up to 3, 4 or 5 levels; with 57 first stages of 5."},
    {"scalable", K(IOMMU), &type_bool, V(scalable), 0, 1, "yes", NULL,
     "Scalable mode: PASIDs, first stage, nesting."},
    {"first-stage", K(IOMMU), &type_bool, V(first_stage), 0, 1, "yes", NULL,
     "First-stage translation in scalable mode."},
    {"second-stage", K(IOMMU), &type_bool, V(second_stage), 0, 1, "yes", NULL,
     "Second-stage translation in scalable mode."},
    {"nested", K(IOMMU), &type_bool, V(nested), 0, 1, "yes", NULL,
     "Nested translation, where both stages are there."},
    {"pass-through", K(IOMMU), &type_bool, V(pass_through), 0, 1, "yes", NULL,
     "Pass-through translation type."},
    {"interrupt-remapping", K(IOMMU), &type_bool, V(intr_remapping), 0, 1, "yes", NULL,
     "Interrupt remapping."},
    {"x2apic", K(IOMMU), &type_bool, V(x2apic), 0, 1, "yes", NULL,
     "Extended interrupt mode, which Linux needs for x2APIC."},
    {"snoop", K(IOMMU), &type_bool, V(snoop), 0, 1, "yes", NULL, "Snoop control."},
    {"large-pages", K(IOMMU), &type_bool, V(large_pages), 0, 1, "yes", NULL,
     "2 MiB and 1 GiB pages in the second stage, 1 GiB pages in the first."},
    {"caching-mode", K(IOMMU), &type_bool, V(caching_mode), 0, 1, "no", NULL,
     "Caching mode, as of an emulated unit: Linux then invalidates what it maps as well."},
    {"latency", K(IOMMU), &type_uint, V(latency_ns), 0, 1000000, "0", NULL,
     "Nanoseconds that each read of a table takes; with 0 translations take no time."},
    {"iotlb", K(IOMMU), &type_iotlb, V(strict), 0, 0, "normal", NULL,
     "strict looks into the tables on every hit as well, and traces a hit that is stale."},
};
const unsigned topo_key_count = G_N_ELEMENTS(topo_keys);

const struct topo_key *topo_key_find(enum topo_kind kind, const char *name)
{
    for (unsigned i = 0; i < topo_key_count; i++) {
        if (topo_keys[i].kinds & BIT(kind) && strcmp(topo_keys[i].name, name) == 0) {
            return &topo_keys[i];
        }
    }
    return NULL;
}

void topo_values_init(struct topo_values *values, enum topo_kind kind)
{
    memset(values, 0, sizeof(*values));
    values->device = TOPO_AUTO;
    values->mac = TOPO_AUTO;
    for (unsigned i = 0; i < topo_key_count; i++) {
        const struct topo_key *key = &topo_keys[i];
        if (key->kinds & BIT(kind) && key->initial) {
            bool ok = key->type->parse(key, key->initial, values);
            g_assert(ok);
        }
    }
}

void topo_values_clear(struct topo_values *values)
{
    g_clear_pointer(&values->at, g_free);
    g_clear_pointer(&values->serial, g_free);
    g_clear_pointer(&values->config, g_free);
    g_clear_pointer(&values->tag, g_free);
    g_clear_pointer(&values->path, g_free);
    g_clear_pointer(&values->forward, g_free);
}
