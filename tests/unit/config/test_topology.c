/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What topology files become; the files that come with pcilab; the reference of keys. */
#include <check.h>
#include <string.h>

#include "pcilab/config/topology.h"
#include "test_topology.h"

static struct machine_desc *parse(const char *text)
{
    GError *error = NULL;
    struct machine_desc *desc = topology_parse("t.ini", text, strlen(text), &error);

    ck_assert_msg(desc != NULL, "%s", error ? error->message : "no error");
    return desc;
}

static const struct machine_component *component(const struct machine_desc *desc, const char *name)
{
    int index = machine_desc_find(desc, name);

    ck_assert_msg(index >= 0, "no %s", name);
    return &desc->components[index];
}

/* What the whole description promises to whoever builds the machine from it. */
static void check_invariants(const struct machine_desc *desc)
{
    for (unsigned i = 0; i < desc->count; i++) {
        const struct machine_component *c = &desc->components[i];
        ck_assert_int_lt(c->parent, (int)i);
        ck_assert_int_eq(c->parent < 0, c->kind == MACHINE_HOST_BRIDGE);
        if (c->parent < 0) {
            continue;
        }
        const struct machine_component *parent = &desc->components[c->parent];
        switch (c->kind) {
        case MACHINE_IOMMU:
        case MACHINE_ROOT_PORT: ck_assert_int_eq(parent->kind, MACHINE_HOST_BRIDGE); break;
        default:
            ck_assert(c->integrated == (parent->kind == MACHINE_HOST_BRIDGE));
            if (parent->kind == MACHINE_SWITCH) {
                ck_assert_uint_lt(c->parent_port, parent->sw.down_count);
            }
        }
    }
}

START_TEST(test_empty)
{
    struct machine_desc *desc = parse("");

    ck_assert_uint_eq(desc->count, 1);
    ck_assert_uint_eq(desc->cpus, 1);
    ck_assert_uint_eq(desc->memory_bytes, 512ULL << 20);
    const struct machine_component *hb = component(desc, "hb0");
    ck_assert_int_eq(hb->kind, MACHINE_HOST_BRIDGE);
    ck_assert_uint_eq(hb->bridge.segment, 0);
    ck_assert_uint_eq(hb->bridge.bus_first, 0);
    ck_assert_uint_eq(hb->bridge.bus_last, 0xff);
    machine_desc_free(desc);
}
END_TEST

START_TEST(test_everything)
{
    struct machine_desc *desc =
        parse("# all keys\r\n"
              "[machine]\n memory = 2G \n\tcpus=4\n"
              "[nvme n]\nat=s.1\nsize=3M\nqueues=2\nserial=A B\n"
              "[switch s]\nat=r1\nspeed=8.0GT/s\nwidth=x2\ndownstream=3\n"
              "downstream-speed=2.5\ndownstream-width=1\nari=no\nmsi=off\n"
              "[switch-port s.1]\nspeed=5\nwidth=8\nslot=none\nari=yes\n"
              "[switch-port s.2]\nslot=1\nmsi=true\n"
              "[exerciser e]\nat=hb\ndevice=3\nfunctions=8\nmsix=2048\n"
              "msi=32\nmemory=64K\n"
              "[root-port r0]\ndevice=2\nslot=auto\n"
              "[root-port r1]\nbridge=hb\nspeed=32\nwidth=16\nmsi=no\n"
              "ari=no\ndevice=2\nfunction=7\nslot=100\n"
              "[root-port r2]\n"
              "[host-bridge hb]\nsegment=0x12\nbus=10-3F\nevent-collector=auto\n"
              "io=0x2000-2fff\nmem32=90000000-9fffffff\nmem64=none\n");

    check_invariants(desc);
    ck_assert_uint_eq(desc->count, 7);
    ck_assert_uint_eq(desc->cpus, 4);
    ck_assert_uint_eq(desc->memory_bytes, 2ULL << 30);
    const struct machine_component *hb = component(desc, "hb"), *n = component(desc, "n"),
                                   *s = component(desc, "s"), *e = component(desc, "e"),
                                   *r0 = component(desc, "r0"), *r1 = component(desc, "r1"),
                                   *r2 = component(desc, "r2");
    ck_assert_uint_eq(hb->bridge.segment, 0x12);
    ck_assert_uint_eq(hb->bridge.bus_first, 0x10);
    ck_assert_uint_eq(hb->bridge.bus_last, 0x3f);
    ck_assert(hb->bridge.io.given && hb->bridge.io.base == 0x2000 && hb->bridge.io.size == 0x1000);
    ck_assert_uint_eq(hb->bridge.mem32.base, 0x90000000);
    ck_assert_uint_eq(hb->bridge.mem32.size, 0x10000000);
    ck_assert(hb->bridge.mem64.given && !hb->bridge.mem64.size);

    ck_assert_int_eq(n->parent, s - desc->components);
    ck_assert_uint_eq(n->parent_port, 1);
    ck_assert_uint_eq(n->line, 5);
    ck_assert_uint_eq(n->nvme.size_bytes, 3 << 20);
    ck_assert_uint_eq(n->nvme.queues, 2);
    ck_assert_str_eq(n->nvme.serial, "A B");
    ck_assert_uint_eq(n->port.speed, 4);
    ck_assert_uint_eq(n->port.width, 4);

    ck_assert_uint_eq(s->port.speed, 3);
    ck_assert_uint_eq(s->port.width, 2);
    ck_assert(!s->port.msi);
    ck_assert_uint_eq(s->sw.down_count, 3);
    const struct machine_port_desc *d = s->sw.down;
    ck_assert(d[0].speed == 1 && d[0].width == 1 && d[0].slot && !d[0].ari && !d[0].msi);
    ck_assert(d[1].speed == 2 && d[1].width == 8 && !d[1].slot && d[1].ari && !d[1].msi);
    ck_assert(d[2].speed == 1 && d[2].width == 1 && d[2].slot && !d[2].ari && d[2].msi);
    ck_assert_uint_eq(d[0].slot_number, 2); /* 1 is given to s.2 */
    ck_assert_uint_eq(d[2].slot_number, 1);

    ck_assert_uint_eq(component(desc, "hb")->bridge.event_collector, 31);
    ck_assert(e->collected && !component(desc, "n")->collected);
    ck_assert(e->integrated && e->device == 3 && e->exerciser.functions == 8);
    ck_assert_uint_eq(e->exerciser.msix_vectors, 2048);
    ck_assert_uint_eq(e->exerciser.msi_vectors, 32);
    ck_assert_uint_eq(e->exerciser.mem_bytes, 65536);

    ck_assert(r0->device == 2 && r0->function == 0 && r0->port.slot_number == 3);
    ck_assert(r1->device == 2 && r1->function == 7 && r1->port.slot_number == 100);
    ck_assert(r1->port.speed == 5 && r1->port.width == 16 && !r1->port.msi && !r1->port.ari);
    ck_assert(r2->device == 1 && r2->port.slot_number == 4 && r2->port.msi && r2->port.ari);
    machine_desc_free(desc);
}
END_TEST

START_TEST(test_misbehave)
{
    struct machine_desc *desc =
        parse("[root-port r]\n[exerciser e]\nat=r\n"
              "misbehave=never-answers, duplicates,wrong-itag keeps-stale floods-pages\n"
              "[root-port s]\n[nvme n]\nat=s\nats=yes\n"
              "misbehave=ignores-responses forges-pasids answers-late:7\n"
              "[root-port t]\n[dsa d]\nat=t\nmisbehave=answers-late\n");
    const struct endpoint_ats_faults *e = &component(desc, "e")->misbehave,
                                     *n = &component(desc, "n")->misbehave,
                                     *d = &component(desc, "d")->misbehave;

    ck_assert(e->silent && e->duplicate && e->wrong_itag && e->keeps && e->floods);
    ck_assert(!e->ignores_pages && !e->forges && !e->once && !e->answer_ps);
    ck_assert(n->ignores_pages && n->forges && !n->silent && !n->keeps);
    ck_assert_uint_eq(n->answer_ps, 7 * PS_PER_US);
    ck_assert_uint_eq(d->answer_ps, PS_PER_MS);
    machine_desc_free(desc);
}
END_TEST

START_TEST(test_ats_keys)
{
    struct machine_desc *desc =
        parse("[root-port r]\n[exerciser e]\nat=r\nats-cache=8\nats-lacks=page-aligned\n"
              "[root-port s]\n[nvme n]\nat=s\nats=yes\nats-cache=4096\n"
              "[root-port t]\n[exerciser f]\nat=t\nats-lacks=response-pasid, page-aligned\n");
    const struct endpoint_ats_options *e = &component(desc, "e")->ats_options,
                                      *n = &component(desc, "n")->ats_options,
                                      *f = &component(desc, "f")->ats_options;

    ck_assert(e->not_aligned && !e->no_response_pasid);
    ck_assert(f->not_aligned && f->no_response_pasid);
    ck_assert(!n->not_aligned && !n->no_response_pasid);
    ck_assert_uint_eq(e->entries, 8);
    ck_assert_uint_eq(n->entries, 4096);
    ck_assert_uint_eq(f->entries, 0);
    machine_desc_free(desc);
}
END_TEST

START_TEST(test_link_keys)
{
    struct machine_desc *desc =
        parse("[machine]\ntiming=link\n"
              "[root-port r]\nbuffers=1/2 3/4 5/6\n"
              "[switch s]\nat=r\ndownstream=2\nbuffers=7/8 9/10 11/12\ntraining-ms=3\n"
              "[switch-port s.1]\nbuffers=0/0 127/2047 1/1\n"
              "[nvme n]\nat=s.0\ntiming=functional\npropagation-ns=30\nbit-error-rate=2.5e-7\n"
              "faults=up:corrupt-tlp@7 down:reorder-dllp@0*12\n");
    const struct machine_component *r = component(desc, "r"), *s = component(desc, "s"),
                                   *n = component(desc, "n");

    ck_assert_uint_eq(desc->timing, MACHINE_TIMING_LINK);
    ck_assert_uint_eq(s->link.timing, MACHINE_TIMING_DEFAULT);
    ck_assert_uint_eq(n->link.timing, MACHINE_TIMING_FUNCTIONAL);
    ck_assert(r->port.rx[0].header == 1 && r->port.rx[2].data == 6);
    ck_assert(s->port.rx[1].header == 9 && s->sw.down[0].rx[1].data == 10);
    ck_assert(s->sw.down[1].rx[0].header == 0 && s->sw.down[1].rx[1].data == 2047);
    ck_assert_uint_eq(s->link.training_ps, 3 * PS_PER_MS);
    ck_assert_uint_eq(n->link.propagation_ps, 30 * PS_PER_NS);
    ck_assert(n->link.bit_error_rate == 2.5e-7);
    ck_assert_uint_eq(n->link.fault_count, 2);
    ck_assert(n->link.faults[0].up && n->link.faults[0].fault.kind == LINK_FAULT_CORRUPT_TLP);
    ck_assert(n->link.faults[0].fault.after == 7 && n->link.faults[0].fault.count == 1);
    ck_assert(!n->link.faults[1].up && n->link.faults[1].fault.count == 12);
    machine_desc_free(desc);
}
END_TEST

/* A file that says nothing and a description that is built by hand mean the same. */
START_TEST(test_defaults_agree)
{
    struct machine_desc *desc = parse("[root-port r]\n[switch s]\nat=r\ndownstream=1\n"
                                      "[nvme n]\nat=s.0\n[root-port q]\n[exerciser e]\nat=q\n");
    struct machine_desc *plain = machine_desc_new();

    ck_assert_uint_eq(desc->cpus, plain->cpus);
    ck_assert_uint_eq(desc->memory_bytes, plain->memory_bytes);
    for (unsigned i = 0; i < desc->count; i++) {
        const struct machine_component *a = &desc->components[i];
        const struct machine_component *b = machine_desc_add(plain, a->kind, a->name);
        if (a->kind != MACHINE_HOST_BRIDGE) {
            ck_assert(a->port.speed == b->port.speed && a->port.width == b->port.width);
        }
        ck_assert(a->bridge.segment == b->bridge.segment &&
                  a->bridge.bus_first == b->bridge.bus_first &&
                  a->bridge.bus_last == b->bridge.bus_last);
        ck_assert_uint_eq(a->sw.down_count, b->sw.down_count);
        ck_assert(a->nvme.size_bytes == b->nvme.size_bytes && a->nvme.queues == b->nvme.queues);
        ck_assert_str_eq(a->nvme.serial ? a->nvme.serial : "",
                         b->nvme.serial ? b->nvme.serial : "");
        ck_assert_mem_eq(&a->exerciser, &b->exerciser, sizeof(a->exerciser));
    }
    machine_desc_free(plain);
    machine_desc_free(desc);
}
END_TEST

START_TEST(test_function_zero_may_come_later)
{
    machine_desc_free(parse("[root-port a]\ndevice=4\nfunction=1\n[root-port b]\ndevice=4\n"));
}
END_TEST

/* As many buses as one segment has, and a chain of switches that is as deep as they allow. */
START_TEST(test_full_segment)
{
    GString *text = g_string_new("[root-port r]\n");
    const char *at = "r";
    char *port = NULL;

    for (unsigned i = 0; i < 127; i++) {
        g_string_append_printf(text, "[switch s%u]\nat=%s\ndownstream=1\n", i, at);
        g_free(port);
        at = port = g_strdup_printf("s%u.0", i);
    }
    struct machine_desc *desc = parse(text->str);
    check_invariants(desc);
    ck_assert_uint_eq(desc->count, 129);
    machine_desc_free(desc);
    g_free(port);
    g_string_free(text, TRUE);
}
END_TEST

static struct machine_desc *load_config(const char *name)
{
    GError *error = NULL;
    char *file = g_strdup_printf("%s.ini", name);
    char *path = g_build_filename(g_getenv("PCILAB_SOURCE"), "configs", file, NULL);
    struct machine_desc *desc = topology_load(path, &error);

    ck_assert_msg(desc != NULL, "%s", error ? error->message : "");
    check_invariants(desc);
    g_free(path);
    g_free(file);
    return desc;
}

static unsigned count_kind(const struct machine_desc *desc, enum machine_kind kind)
{
    unsigned count = 0;

    for (unsigned i = 0; i < desc->count; i++) {
        count += desc->components[i].kind == kind;
    }
    return count;
}

START_TEST(test_config_default)
{
    struct machine_desc *desc = load_config("default");

    ck_assert_uint_eq(count_kind(desc, MACHINE_ROOT_PORT), 4);
    ck_assert_uint_eq(component(desc, "sw0")->sw.down_count, 8);
    ck_assert_int_eq(component(desc, "nvme0")->parent, machine_desc_find(desc, "sw0"));
    ck_assert_uint_ge(count_kind(desc, MACHINE_EXERCISER), 2);
    machine_desc_free(desc);
}
END_TEST

/* Virtio devices that say nothing stay out of the ports' way. */
START_TEST(test_config_virtio)
{
    struct machine_desc *desc = load_config("virtio");

    ck_assert(component(desc, "vd0")->integrated);
    ck_assert_uint_eq(component(desc, "vd0")->device, 31);
    ck_assert_uint_eq(component(desc, "rng0")->device, 30);
    ck_assert_uint_eq(component(desc, "con0")->device, 29);
    ck_assert_uint_eq(component(desc, "rp0")->device, 1);
    ck_assert_uint_eq(component(desc, "vd0")->virtio.queues, 2);
    ck_assert(!component(desc, "vd0")->virtio.packed);
    ck_assert(component(desc, "vd1")->virtio.packed && !component(desc, "vd1")->integrated);
    ck_assert_str_eq(component(desc, "vd1")->virtio.serial, "vd1");
    ck_assert(component(desc, "con1")->virtio.packed && component(desc, "rng1")->virtio.packed);
    struct machine_component *more =
        machine_desc_add_integrated(desc, MACHINE_VIRTIO_CONSOLE, "more");
    ck_assert_uint_eq(more->device, 28);
    ck_assert_int_eq(more->parent, machine_desc_find(desc, "hb0"));
    machine_desc_free(desc);
}
END_TEST

START_TEST(test_config_peer)
{
    struct machine_desc *desc = load_config("peer");

    ck_assert_uint_eq(count_kind(desc, MACHINE_ROOT_PORT), 3);
    ck_assert_int_eq(component(desc, "sw0")->parent, machine_desc_find(desc, "rp1"));
    ck_assert_uint_eq(component(desc, "sw0")->sw.down_count, 4);
    ck_assert_int_eq(component(desc, "nvme0")->parent, machine_desc_find(desc, "sw0"));
    ck_assert_uint_eq(component(desc, "nvme0")->parent_port, 0);
    machine_desc_free(desc);
}
END_TEST

START_TEST(test_configs_others)
{
    struct machine_desc *desc = load_config("minimal");
    component(desc, "nvme0");
    machine_desc_free(desc);

    desc = load_config("two-bridges");
    ck_assert_uint_ge(count_kind(desc, MACHINE_HOST_BRIDGE), 2);
    machine_desc_free(desc);

    desc = load_config("deep");
    unsigned levels = 0;
    for (int i = machine_desc_find(desc, "nvme0"); i >= 0; i = desc->components[i].parent) {
        levels += desc->components[i].kind == MACHINE_SWITCH;
    }
    ck_assert_uint_eq(levels, 5);
    machine_desc_free(desc);
}
END_TEST

START_TEST(test_iommu)
{
    struct machine_desc *desc = parse("[iommu a]\nwidth=57\nscalable=no\nx2apic=no\n"
                                      "latency=50\niotlb=strict\n");
    const struct machine_component *a = component(desc, "a");

    ck_assert_int_eq(a->kind, MACHINE_IOMMU);
    ck_assert_uint_eq(a->iommu.vtd.address_bits, 57);
    ck_assert(!a->iommu.vtd.scalable && !a->iommu.vtd.x2apic);
    ck_assert(a->iommu.vtd.first_stage && a->iommu.vtd.interrupt_remapping);
    ck_assert(!a->iommu.vtd.caching && a->iommu.find_stale);
    ck_assert_uint_eq(a->iommu.read_latency_ps, 50000);
    machine_desc_free(desc);
}
END_TEST

START_TEST(test_virtio_iommu)
{
    struct machine_desc *desc = parse("[iommu a]\nface=virtio\nwidth=39\nbypass=no\niotlb=strict\n"
                                      "bypass-config=no\ndomains=9\nmappings=7\nlarge-pages=no\n"
                                      "packed=yes\n[virtio-rng r]\n");
    const struct machine_component *a = component(desc, "a");
    const struct viommu_features *features = &a->viommu.features;

    ck_assert_uint_eq(a->kind, MACHINE_VIRTIO_IOMMU);
    ck_assert(a->integrated && a->device == 31 && component(desc, "r")->device == 30);
    ck_assert(a->viommu.find_stale && a->virtio.packed);
    ck_assert(features->address_bits == 39 && features->domains == 9 && features->mappings == 7);
    ck_assert(!features->bypass && !features->bypass_config && !features->large_pages);
    machine_desc_free(desc);
    desc = parse("[iommu a]\nface=virtio\ndevice=7\n");
    a = component(desc, "a");
    features = &a->viommu.features;
    ck_assert_uint_eq(a->device, 7);
    ck_assert(features->bypass && features->bypass_config && features->large_pages);
    ck_assert(features->address_bits == 48 && features->domains == 65536);
    /* As what a machine gets that no file describes. */
    struct machine_component *made = machine_desc_add(desc, MACHINE_VIRTIO_IOMMU, "made");
    a = component(desc, "a");
    ck_assert_mem_eq(&made->viommu, &a->viommu, sizeof(made->viommu));
    machine_desc_free(desc);
}
END_TEST

START_TEST(test_iommu_scopes)
{
    struct machine_desc *desc = parse("[iommu a]\nscope=rp0 , sw0.1\tioapic\nats-ports=rp0\n"
                                      "[iommu b]\nats-ports=all\n[root-port rp0]\n"
                                      "[root-port rp1]\n[switch sw0]\nat=rp1\ndownstream=2\n"
                                      "[nvme n]\nat=rp0\nreserved-memory=64K\n");
    const struct machine_component *a = component(desc, "a"), *b = component(desc, "b");

    ck_assert_uint_eq(g_strv_length(a->iommu.scope), 3);
    ck_assert_str_eq(a->iommu.scope[0], "rp0");
    ck_assert_str_eq(a->iommu.scope[1], "sw0.1");
    ck_assert_str_eq(a->iommu.scope[2], MACHINE_SCOPE_IOAPIC);
    ck_assert(!a->iommu.ats_all && !a->iommu.ats_ports[1] && !a->iommu.ats_integrated);
    ck_assert(!b->iommu.scope && b->iommu.ats_all && !b->iommu.ats_ports);
    ck_assert_uint_eq(component(desc, "n")->reserved_bytes, 64 << 10);
    machine_desc_free(desc);
}
END_TEST

START_TEST(test_host_files)
{
    struct machine_desc *desc = parse("[virtio-9p a]\npath=/home\n"
                                      "[virtio-9p b]\npath=x y\ntag=t\nreadonly=no\n");
    const struct machine_component *a = &desc->components[machine_desc_find(desc, "a")];
    const struct machine_component *b = &desc->components[machine_desc_find(desc, "b")];

    ck_assert_int_eq(a->kind, MACHINE_VIRTIO_9P);
    ck_assert_str_eq(a->p9.tag, "a");
    ck_assert_str_eq(a->p9.path, "/home");
    ck_assert(a->p9.read_only && a->integrated);
    ck_assert_str_eq(b->p9.tag, "t");
    ck_assert_str_eq(b->p9.path, "x y");
    ck_assert(!b->p9.read_only);
    machine_desc_free(desc);
}
END_TEST

START_TEST(test_networks)
{
    struct machine_desc *desc = parse("[virtio-net a]\n"
                                      "[virtio-net b]\nmac=52:54:00:aB:cd:ef\nrestrict=yes\n"
                                      "forward=tcp::2222-:22 udp::53-:53\npacked=yes\n");
    const struct machine_component *a = &desc->components[machine_desc_find(desc, "a")];
    const struct machine_component *b = &desc->components[machine_desc_find(desc, "b")];
    const uint8_t mac[] = {0x52, 0x54, 0, 0xab, 0xcd, 0xef};

    ck_assert_int_eq(a->kind, MACHINE_VIRTIO_NET);
    ck_assert(!a->net.mac_given && !a->net.restricted && !a->net.forward && a->integrated);
    ck_assert(b->net.mac_given && b->net.restricted && b->virtio.packed);
    ck_assert(memcmp(b->net.mac, mac, sizeof(mac)) == 0);
    ck_assert_str_eq(b->net.forward, "tcp::2222-:22 udp::53-:53");
    machine_desc_free(desc);
}
END_TEST

/* docs/topology.md holds the reference as the tables have it. To renew it, put the output of
 * `pcilab topo --keys --markdown` between its two markers. */
START_TEST(test_reference)
{
    char *path = g_build_filename(g_getenv("PCILAB_SOURCE"), "docs", "topology.md", NULL);
    char *page, *keys = topology_keys_text(true);

    ck_assert_msg(g_file_get_contents(path, &page, NULL, NULL), "no docs/topology.md");
    char *begin = strstr(page, "<!-- keys -->\n");
    char *end = strstr(page, "<!-- end of keys -->");
    ck_assert(begin && end && begin < end);
    begin += strlen("<!-- keys -->\n");
    *end = '\0';
    ck_assert_str_eq(g_strstrip(begin), g_strstrip(keys));
    g_free(keys);
    g_free(page);
    g_free(path);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("topology");
    TCase *tcase = tcase_create("meaning");

    tcase_add_test(tcase, test_empty);
    tcase_add_test(tcase, test_everything);
    tcase_add_test(tcase, test_misbehave);
    tcase_add_test(tcase, test_ats_keys);
    tcase_add_test(tcase, test_link_keys);
    tcase_add_test(tcase, test_defaults_agree);
    tcase_add_test(tcase, test_function_zero_may_come_later);
    tcase_add_test(tcase, test_full_segment);
    tcase_add_test(tcase, test_config_default);
    tcase_add_test(tcase, test_config_peer);
    tcase_add_test(tcase, test_config_virtio);
    tcase_add_test(tcase, test_configs_others);
    tcase_add_test(tcase, test_iommu);
    tcase_add_test(tcase, test_virtio_iommu);
    tcase_add_test(tcase, test_iommu_scopes);
    tcase_add_test(tcase, test_host_files);
    tcase_add_test(tcase, test_networks);
    tcase_add_test(tcase, test_reference);
    suite_add_tcase(suite, tcase);
    suite_add_tcase(suite, topology_errors_case());

    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
