/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The groups and keys of topology files, as data. */
#include <string.h>

#include "keys.h"
#include "pcilab/base/bits.h"
#include "pcilab/config/topology.h"
#include "pcilab/config/units.h"
#include "pcilab/endpoint/devices.h"
#include "pcilab/endpoint/dsa.h"
#include "pcilab/iommu/regs/virtio.h"
#include "pcilab/pci/function.h"
#include "pcilab/platform/addrmap.h"
#include "power_keys.h"

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
                   "An NVMe controller (docs/nvme.md): a file given by --disk NAME=FILE, else a "
                   "zeroed scratch image in memory."},
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
    [TOPO_IGB] = {"igb", true,
                  "An Intel 82576 gigabit Ethernet controller with Virtual Functions, on a network "
                  "of its own (docs/igb.md)."},
    [TOPO_DSA] = {"dsa", true,
                  "An Intel Data Streaming Accelerator: work queues to which programs hand "
                  "descriptors (docs/dsa.md)."},
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
#define PLUGGED   (K(NVME) | K(EXERCISER) | K(IGB) | K(DSA))
#define CARDS     (K(VIRTIO_NET) | K(IGB))
#define ENDPOINTS (PLUGGED | VIRTIO)
#define LINKED    (K(SWITCH) | ENDPOINTS)

#define LINK_BUFFERS "64/1024 64/64 0/0" /* those of link_default_params */

#define AS_SWITCH "as the switch says"

/* A key may have a row for each kind of group that means something different by it. */
const struct topo_key topo_keys[] = {
    {"memory", K(MACHINE), &topo_type_size, V(memory_bytes), 64ULL << 20, 256ULL << 30, "512M",
     NULL, "RAM of the guest. The option --memory goes first."},
    {"cpus", K(MACHINE), &topo_type_uint, V(cpus), 1, CPU_MAX, "1", NULL,
     "Processors. The option --cpus goes first."},
    {"timing", K(MACHINE), &topo_type_timing, V(timing), 0, 0, "functional", NULL,
     "How TLPs cross links: at once, or as the wires, credits and acknowledgements of PCI Express "
     "let them (docs/fabric.md). The option --timing goes first."},
    {"firmware-assigns", K(MACHINE), &topo_type_bool, V(firmware_assigns), 0, 1, "no", NULL,
     "Bus numbers, windows and BARs are assigned before the kernel starts, as the firmware of most "
     "computers does. If not, the kernel finds nothing assigned and does it all."},

    {"apei", K(MACHINE), &topo_type_bool, V(apei), 0, 1, "no", NULL,
     "The firmware has ACPI's error interfaces: HEST, BERT, and EINJ to inject errors by "
     "(docs/firmware-errors.md). firmware-first brings them as well."},
    {"firmware-panics", K(MACHINE), &topo_type_bool, V(firmware_panics), 0, 1, "no", NULL,
     "With firmware-first: a fatal error of PCI Express is told as fatal to the system, so that "
     "the kernel panics. If not, the kernel may recover."},

    {"segment", K(HOST_BRIDGE), &topo_type_uint, V(segment), 0, 0xffff, "0", NULL,
     "PCI segment group, the domain of lspci."},
    {"bus", K(HOST_BRIDGE), &topo_type_buses, V(bus_first), 0, 0xff, "00-ff", NULL,
     "Bus numbers, first and last, in hexadecimal as lspci writes them. The first is the root "
     "bus. Ranges on one segment must not overlap."},
    {"visible", K(HOST_BRIDGE), &topo_type_bool, V(visible), 0, 1, "yes", NULL,
     "The host bridge is a function itself, 00.0 of its root bus. If not, a shell can be."},
    {"event-collector", K(HOST_BRIDGE), &topo_type_slot, V(event_collector), 1, 31, "none", NULL,
     "Device number of a Root Complex Event Collector, which tells of the errors of what is "
     "integrated on the root bus; auto takes the highest free."},
    {"firmware-first", K(HOST_BRIDGE), &topo_type_bool, V(firmware_first), 0, 1, "no", NULL,
     "The firmware keeps Advanced Error Reporting and Downstream Port Containment to itself and "
     "tells the kernel of errors by error records and EDR (docs/firmware-errors.md)."},
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

    {"bridge", K(ROOT_PORT), &topo_type_bridge, V(at), 0, 0, NULL, "the only host bridge",
     "The host bridge that the port belongs to."},
    {"device", K(ROOT_PORT), &topo_type_uint, V(device), 1, 31, NULL, "the lowest free",
     "Device number on the root bus. 0 is left to the host bridge."},
    {"function", K(ROOT_PORT), &topo_type_uint, V(function), 0, 7, "0", NULL,
     "Function number. Ports that share a device differ in it, and one of them has 0."},

    {"at", K(SWITCH), &topo_type_at, V(at), 0, 0, NULL, NULL, "The port that it is plugged into."},
    {"at", PLUGGED, &topo_type_at, V(at), 0, 0, NULL, NULL,
     "The port that it is plugged into, or the host bridge whose root bus it is integrated on."},
    {"at", VIRTIO, &topo_type_at, V(at), 0, 0, NULL, "integrated on the first host bridge",
     "The port that it is plugged into, or the host bridge whose root bus it is integrated on."},
    {"device", PLUGGED, &topo_type_uint, V(device), 1, 31, NULL, "the lowest free",
     "Device number on the root bus; integrated endpoints only."},
    {"device", VIRTIO, &topo_type_uint, V(device), 1, 31, NULL, "the highest free",
     "Device number on the root bus; integrated endpoints only."},

    {"speed", (K(ROOT_PORT) | ENDPOINTS) & ~K(IGB), &topo_type_speed, V(speed), 0, 0, "16", NULL,
     "Highest link speed in GT/s. A link runs at the lower of its two ends."},
    {"speed", K(IGB), &topo_type_speed, V(speed), 0, 0, "2.5", NULL,
     "Highest link speed in GT/s; the real one has 2.5."},
    {"width", K(ROOT_PORT) | ENDPOINTS, &topo_type_width, V(width), 0, 0, "4", NULL,
     "Most lanes. A link has as many as the smaller of its two ends."},
    {"speed", K(SWITCH), &topo_type_speed, V(speed), 0, 0, "16", NULL,
     "Highest link speed of the upstream port in GT/s."},
    {"width", K(SWITCH), &topo_type_width, V(width), 0, 0, "4", NULL,
     "Most lanes of the upstream port."},
    {"downstream", K(SWITCH), &topo_type_uint, V(downstream), 1, MACHINE_SWITCH_PORTS_MAX, NULL,
     NULL, "Number of downstream ports."},
    {"downstream-speed", K(SWITCH), &topo_type_speed, V(downstream_speed), 0, 0, "16", NULL,
     "Highest link speed of the downstream ports in GT/s."},
    {"downstream-width", K(SWITCH), &topo_type_width, V(downstream_width), 0, 0, "4", NULL,
     "Most lanes of the downstream ports."},
    {"speed", K(SWITCH_PORT), &topo_type_speed, V(speed), 0, 0, NULL, AS_SWITCH,
     "Highest link speed in GT/s."},
    {"width", K(SWITCH_PORT), &topo_type_width, V(width), 0, 0, NULL, AS_SWITCH, "Most lanes."},

    {"timing", LINKED, &topo_type_timing, V(timing), 0, 0, NULL, "as [machine] says",
     "Timing of the link above."},
    {"propagation-ns", LINKED, &topo_type_uint, V(propagation_ns), 0, 1000000, "5", NULL,
     "Link timing: how long the link is, one way."},
    {"training-ms", LINKED, &topo_type_uint, V(training_ms), 0, 10000, "20", NULL,
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

    TOPO_POWER_ROWS(&topo_type_uint, &topo_type_bool, K(ROOT_PORT) | LINKED, ENDPOINTS),

    {"slot", K(ROOT_PORT) | K(SWITCH_PORT), &topo_type_slot, V(slot), 1, 8191, "auto", NULL,
     "Physical slot number; auto takes the lowest free, none is a port without a slot."},
    {"hotplug", K(ROOT_PORT), &topo_type_hotplug, V(hotplug), 0, 0, "no", NULL,
     "Hot-plug: yes has a button, indicators, a latch and a power controller; surprise is a bay."},
    {"hotplug", K(SWITCH), &topo_type_hotplug, V(hotplug), 0, 0, "no", NULL,
     "Hot-plug of the downstream ports, as for root ports."},
    {"hotplug", K(SWITCH_PORT), &topo_type_hotplug, V(hotplug), 0, 0, NULL, AS_SWITCH, "Hot-plug."},
    {"plugged", K(SWITCH) | ENDPOINTS, &topo_type_bool, V(plugged), 0, 1, "yes", NULL,
     "There when the machine is switched on. What is not can be plugged in with --at."},
    {"ari", K(ROOT_PORT), &topo_type_bool, V(ari), 0, 1, "yes", NULL, "ARI forwarding."},
    {"acs", K(ROOT_PORT), &topo_type_bool, V(acs), 0, 1, "yes", NULL, "Access Control Services."},
    {"msi", K(ROOT_PORT), &topo_type_bool, V(msi), 0, 1, "yes", NULL, "MSI capability."},
    {"ari", K(SWITCH), &topo_type_bool, V(ari), 0, 1, "yes", NULL,
     "ARI forwarding of the downstream ports."},
    {"acs", K(SWITCH), &topo_type_bool, V(acs), 0, 1, "yes", NULL,
     "Access Control Services of the downstream ports."},
    {"msi", K(SWITCH), &topo_type_bool, V(msi), 0, 1, "yes", NULL, "MSI capability of all ports."},
    {"ari", K(SWITCH_PORT), &topo_type_bool, V(ari), 0, 1, NULL, AS_SWITCH, "ARI forwarding."},
    {"acs", K(SWITCH_PORT), &topo_type_bool, V(acs), 0, 1, NULL, AS_SWITCH,
     "Access Control Services."},
    {"msi", K(SWITCH_PORT), &topo_type_bool, V(msi), 0, 1, NULL, AS_SWITCH, "MSI capability."},
    {"dpc", K(ROOT_PORT), &topo_type_bool, V(dpc), 0, 1, "no", NULL,
     "Downstream Port Containment, with RP Extensions."},
    {"dpc-busy-us", K(ROOT_PORT), &topo_type_uint, V(dpc_busy_us), 0, 10000000, "1", NULL,
     "How long DPC RP Busy lasts, in microseconds."},
    {"dpc", K(SWITCH), &topo_type_bool, V(dpc), 0, 1, "no", NULL,
     "Downstream Port Containment in its downstream ports."},
    {"dpc", K(SWITCH_PORT), &topo_type_bool, V(dpc), 0, 1, NULL, AS_SWITCH,
     "Downstream Port Containment."},
    {"acs-enhanced", K(ROOT_PORT) | K(SWITCH), &topo_type_bool, V(acs_enhanced), 0, 1, "yes", NULL,
     "Where it has Access Control Services: with the ACS Enhanced Capability."},
    {"prefixes", K(ROOT_PORT) | K(SWITCH), &topo_type_bool, V(prefixes), 0, 1, "yes", NULL,
     "TLPs may have end-end prefixes; if not, they are malformed for it."},
    {"atomics", K(ROOT_PORT), &topo_type_bool, V(atomics), 0, 1, "yes", NULL,
     "AtomicOps and Deferrable Memory Writes: completed in memory, routed between root ports."},
    {"atomics", K(SWITCH), &topo_type_bool, V(atomics), 0, 1, "yes", NULL,
     "AtomicOps and Deferrable Memory Writes are routed; if not, they are malformed for it."},

    {"size", K(NVME) | K(VIRTIO_BLK), &topo_type_size, V(size_bytes), 1ULL << 20, 16ULL << 40,
     "256M", NULL, "Size of the scratch image. A file given by --disk has its own."},
    {"queues", K(NVME), &topo_type_uint, V(queues), 1, 64, "8", NULL, "Pairs of I/O queues."},
    {"namespaces", K(NVME), &topo_type_uint, V(nvme.namespaces), 1, NVME_NAMESPACES_MAX, "1", NULL,
     "Namespaces at power-on, cut from the disk one behind the other. The guest makes others."},
    {"namespace-size", K(NVME), &topo_type_size, V(nvme.namespace_bytes), 1ULL << 20, 16ULL << 40,
     NULL, "equal shares", "Size of each namespace; what is left of the disk is unallocated."},
    {"block", K(NVME), &topo_type_block, V(nvme.block_bytes), 0, 0, "512", NULL,
     "Bytes of a block at first. The guest may format."},
    {"vfs", K(NVME), &topo_type_uint, V(vfs), 0, NVME_VFS_MAX, "0", NULL,
     "Virtual Functions (SR-IOV), which are secondary controllers; not for an integrated NVMe."},
    {"vf-queues", K(NVME), &topo_type_uint, V(nvme.vf_queues), 1, 64, "4", NULL,
     "Virtual Functions: so many pairs of I/O queues, and interrupts, for each are in stock for "
     "nvme virt-mgmt to hand out."},
    {"cmb", K(NVME), &topo_type_buffer, V(nvme.memory_bytes), 64ULL << 10, 64ULL << 20, "0", NULL,
     "Size of the controller memory buffer. Linux with `CONFIG_PCI_P2PDMA` puts submission queues "
     "there from `2M` on."},
    {"shadow-doorbells", K(NVME), &topo_type_bool, V(nvme.shadow_doorbells), 0, 1, "no", NULL,
     "Doorbell Buffer Config, as emulated controllers have it."},
    {"ats", K(NVME), &topo_type_bool, V(ats), 0, 1, "no", NULL,
     "Address Translation Services, which an IOMMU may enable; of Virtual Functions, too."},
    {"queues", K(VIRTIO_BLK), &topo_type_uint, V(queues), 1, 64, "1", NULL, "Virtqueues."},
    {"serial", K(NVME) | K(VIRTIO_BLK), &topo_type_serial, V(serial), 0, 0, NULL,
     "the name of the group", "Serial number."},
    {"path", K(VIRTIO_9P), &topo_type_path, V(path), 0, 0, NULL, NULL,
     "The directory that the guest may see."},
    {"tag", K(VIRTIO_9P), &topo_type_tag, V(tag), 1, 255, NULL, "the name of the group",
     "What the guest mounts: mount -t 9p TAG /mnt."},
    {"readonly", K(VIRTIO_9P), &topo_type_bool, V(readonly), 0, 1, "yes", NULL,
     "The guest may not change anything."},
    {"mac", CARDS, &topo_type_mac, V(mac), 0, 0, NULL,
     "52:54:00:12:34:56, counting up for each card", "MAC address."},
    {"forward", CARDS, &topo_type_forward, V(forward), 0, 0, NULL, "none",
     "Ports of this host that lead into the guest, like tcp::2222-:22."},
    {"restrict", CARDS, &topo_type_bool, V(restricted), 0, 1, "no", NULL,
     "The guest reaches neither this host nor others; what is forwarded reaches it."},
    {"wire", CARDS, &topo_type_tag, V(wire), 1, 63, NULL, "none: a network of the host",
     "A wire without a host: cards that name the same one hear each other and nobody else."},
    {"vfs", K(IGB), &topo_type_uint, V(vfs), 0, MACHINE_IGB_VFS_MAX, "8", NULL,
     "Virtual Functions that can be enabled; an integrated controller has none."},
    {"packed", VIRTIO | K(IOMMU), &topo_type_bool, V(packed), 0, 1, "no", NULL,
     "Offer packed virtqueues beside split ones; Linux then uses them."},

    {"reserved-memory", ENDPOINTS, &topo_type_power, V(reserved_bytes), 0, 64ULL << 20, "0", NULL,
     "Memory that the firmware keeps for its DMA and tells of in DMAR (RMRR), in pages of 4K."},

    {"functions", K(EXERCISER), &topo_type_uint, V(functions), 1, 8, "1", NULL,
     "Functions, each with its own registers, BARs and interrupts."},
    {"msix", K(EXERCISER), &topo_type_uint, V(msix_vectors), 1, 2048, "8", NULL, "MSI-X vectors."},
    {"msi", K(EXERCISER), &topo_type_msi, V(msi_vectors), 0, 32, "4", NULL,
     "MSI vectors; 0 is no MSI capability."},
    {"memory", K(EXERCISER), &topo_type_power, V(mem_bytes), 4096, 64ULL << 30, "1M", NULL,
     "Size of the prefetchable memory behind BAR 4, of each function."},
    {"acs", K(EXERCISER), &topo_type_bool, V(acs), 0, 1, "yes", NULL,
     "Access Control Services, if it has several functions and is not integrated."},
    {"queues", K(DSA), &topo_type_uint, V(queues), 1, DSA_QUEUES_MAX, "8", NULL, "Work queues."},
    {"engines", K(DSA), &topo_type_uint, V(engines), 1, DSA_ENGINES_MAX, "4", NULL, "Engines."},
    {"ats", K(DSA), &topo_type_bool, V(ats), 0, 1, "yes", NULL,
     "Address Translation Services, Page Requests and PASID. Without, there are no work queues of "
     "processes."},
    {"ats", K(EXERCISER), &topo_type_bool, V(ats), 0, 1, "yes", NULL,
     "Address Translation Services, Page Requests and PASID, which an IOMMU may enable."},
    {"readiness", K(ROOT_PORT) | K(SWITCH) | K(EXERCISER) | K(NVME), &topo_type_bool, V(readiness),
     0, 1, "no", NULL,
     "Readiness Notifications: DRS and FRS messages. Root ports with them have MSI."},
    {"immediate-readiness", K(EXERCISER) | K(NVME), &topo_type_bool, V(immediate_readiness), 0, 1,
     "no", NULL,
     "It says that it is ready for configuration requests at once, after resets and from D3hot."},
    {"misbehave", K(EXERCISER) | K(DSA) | K(NVME), &topo_type_misbehave, V(misbehave), 0, 0, NULL,
     "none",
     "What is wrong with its Address Translation Services, from every reset on "
     "(docs/ats.md). answers-late: so many microseconds, or 1000."},
    {"ats-cache", K(EXERCISER) | K(DSA) | K(NVME), &topo_type_uint, V(ats_cache), 4, 65536, NULL,
     "64, of [dsa] and [nvme] 256",
     "Translations that it keeps, rounded up to a power of two; of each Virtual Function, too."},
    {"ats-lacks", K(EXERCISER), &topo_type_ats_lacks, V(ats_options), 0, 0, NULL, "nothing",
     "What its capabilities do not say: Page Aligned Request of ATS, PRG Response PASID Required "
     "of Page Requests. Drivers look for both."},
    {"io", K(EXERCISER), &topo_type_bool, V(exerciser_io), 0, 1, "yes", NULL,
     "The BAR in I/O space. A machine with more than 120 functions has no room for it."},
    {"vfs", K(EXERCISER), &topo_type_uint, V(vfs), 0, 256, "0", NULL,
     "Virtual Functions (SR-IOV) of each function; not for an integrated exerciser."},
    {"vf_memory", K(EXERCISER), &topo_type_power, V(vf_mem_bytes), 4096, 1ULL << 30, "64K", NULL,
     "As memory, of each Virtual Function."},

    {"at", K(SHELL), &topo_type_bridge, V(at), 0, 0, NULL, NULL,
     "The host bridge on whose root bus it is."},
    {"device", K(SHELL), &topo_type_uint, V(device), 0, 31, NULL, NULL,
     "Device number on the root bus, here and in the file."},
    {"bars", K(SHELL), &topo_type_bars, V(bars_memory), 0, 0, "ones", NULL,
     "What reads of the BARs return: all ones, as if nothing were there, or what was written."},
    {"config", K(SHELL), &topo_type_file, V(config), 0, 0, NULL, NULL,
     "The file with the configuration space, as lspci -vxxxx prints it. The functions taken are "
     "those of the host bridge's segment and first bus with the device number, and those behind."},

    {"bridge", K(IOMMU), &topo_type_bridge, V(at), 0, 0, NULL, "the only host bridge",
     "A host bridge; the unit serves its segment."},
    {"scope", K(IOMMU), &topo_type_names, V(scope), 0, 0, NULL,
     "all of the segment that no other unit has in its scope",
     "What it serves, when a segment has several units: root ports, switches and switch ports "
     "(sw0.1) with all behind them, endpoints, and ioapic."},
    {"ats-ports", K(IOMMU), &topo_type_names, V(ats_ports), 0, 0, NULL, "DMAR has no ATSR",
     "all, or the root ports that ATSR lists: behind others the kernel leaves ATS off."},
    {"ats-integrated", K(IOMMU), &topo_type_names, V(ats_integrated), 0, 0, NULL,
     "DMAR has no SATC", "Integrated endpoints that SATC lists as having ATS."},
    {"ats-required", K(IOMMU), &topo_type_bool, V(ats_required), 0, 1, "no", NULL,
     "SATC says of them that they cannot do without."},
    {"face", K(IOMMU), &topo_type_face, V(face), 0, 0, "vtd", NULL,
     "What it looks like: vtd is Intel VT-d 4.x, virtio a virtio-iommu (docs/virtio-iommu.md). All "
     "units of a machine have the same."},
    {"width", K(IOMMU), &topo_type_address, V(address_bits), 0, 0, "48", NULL,
     "Addresses of devices: second stages of up to 3, 4 or 5 levels; with 57 first stages of 5."},
    {"scalable", K(IOMMU), &topo_type_bool, V(scalable), 0, 1, "yes", NULL,
     "Scalable mode: PASIDs, first stage, nesting."},
    {"first-stage", K(IOMMU), &topo_type_bool, V(first_stage), 0, 1, "yes", NULL,
     "First-stage translation in scalable mode."},
    {"second-stage", K(IOMMU), &topo_type_bool, V(second_stage), 0, 1, "yes", NULL,
     "Second-stage translation in scalable mode."},
    {"nested", K(IOMMU), &topo_type_bool, V(nested), 0, 1, "yes", NULL,
     "Nested translation, where both stages are there."},
    {"pass-through", K(IOMMU), &topo_type_bool, V(pass_through), 0, 1, "yes", NULL,
     "Pass-through translation type."},
    {"interrupt-remapping", K(IOMMU), &topo_type_bool, V(intr_remapping), 0, 1, "yes", NULL,
     "Interrupt remapping."},
    {"x2apic", K(IOMMU), &topo_type_bool, V(x2apic), 0, 1, "yes", NULL,
     "Extended interrupt mode, which Linux needs for x2APIC."},
    {"snoop", K(IOMMU), &topo_type_bool, V(snoop), 0, 1, "yes", NULL, "Snoop control."},
    {"large-pages", K(IOMMU), &topo_type_bool, V(large_pages), 0, 1, "yes", NULL,
     "2 MiB and 1 GiB pages in the second stage, 1 GiB pages in the first."},
    {"posted", K(IOMMU), &topo_type_bool, V(posted), 0, 1, "yes", NULL,
     "Posted interrupts, where interrupts are remapped."},
    {"protected-memory", K(IOMMU), &topo_type_bool, V(protected_memory), 0, 1, "yes", NULL,
     "Protected memory regions."},
    {"device-tlb", K(IOMMU), &topo_type_bool, V(device_tlb), 0, 1, "yes", NULL,
     "Device TLBs: Address Translation Services (ats-ports and ats-integrated tell software "
     "whose)."},
    {"page-requests", K(IOMMU), &topo_type_bool, V(page_requests), 0, 1, "yes", NULL,
     "The Page Request queue, in scalable mode and with device TLBs."},
    {"invalidation-timeout", K(IOMMU), &topo_type_uint, V(device_tlb_us), 1, 100000000, "60000000",
     NULL, "Microseconds that a device may take to answer an invalidation of its TLB."},
    {"coherent", K(IOMMU), &topo_type_bool, V(coherent), 0, 1, "yes", NULL,
     "Walks snoop the processors' caches. With no, a line of a table is seen as it was last "
     "flushed."},
    {"caching-mode", K(IOMMU), &topo_type_bool, V(caching_mode), 0, 1, "no", NULL,
     "Caching mode, as of an emulated unit: Linux then invalidates what it maps as well."},
    {"latency", K(IOMMU), &topo_type_uint, V(latency_ns), 0, 1000000, "0", NULL,
     "Nanoseconds that each read of a table takes; with 0 translations take no time."},
    {"device", K(IOMMU), &topo_type_uint, V(device), 1, 31, NULL, "the highest free",
     "Device number on the root bus; virtio."},
    {"bypass", K(IOMMU), &topo_type_bool, V(bypass), 0, 1, "yes", NULL,
     "What is not attached to a domain reaches all memory, until the driver says otherwise; "
     "virtio."},
    {"bypass-config", K(IOMMU), &topo_type_bool, V(bypass_config), 0, 1, "yes", NULL,
     "The driver may say otherwise, and may have domains that bypass; virtio."},
    {"domains", K(IOMMU), &topo_type_uint, V(domains), 1, VIOMMU_DOMAINS_MAX, "65536", NULL,
     "Number of domains; virtio."},
    {"mappings", K(IOMMU), &topo_type_uint, V(mappings), 1, VIOMMU_MAPPINGS_MAX, "1048576", NULL,
     "Most mappings of all domains together; virtio."},
    {"iotlb", K(IOMMU), &topo_type_iotlb, V(strict), 0, 0, "normal", NULL,
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
    g_clear_pointer(&values->wire, g_free);
    g_clear_pointer(&values->scope, g_free);
    g_clear_pointer(&values->ats_ports, g_free);
    g_clear_pointer(&values->ats_integrated, g_free);
}
