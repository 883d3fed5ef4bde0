/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each class of mistake in a topology file gives its message, with line and key. */
#include <check.h>
#include <string.h>

#include "pcilab/config/topology.h"
#include "test_topology.h"

struct mistake {
    const char *text;
    const char *message; /* the start of it, after "t.ini:" */
    const char *also;    /* stands somewhere in it; may be NULL */
};

#define SW "[root-port rp0]\n[switch sw0]\nat=rp0\ndownstream=2\n"

static const struct mistake mistakes[] = {
    /* Lines. */
    {"hello\n", "1: expected [group], key=value or a # comment", "\"hello\""},
    {"\n# c\nmemory=1G\n", "3: memory: stands before the first group", NULL},
    {"[machine]\n=5\n", "2: expected [group]", NULL},
    {"[machine\n", "1: a group is one line like", NULL},
    {"[machine] x\n", "1: a group is one line like", NULL},
    {"[[machine]\n", "1: a group's name has no bracket", NULL},
    {"[machine]\ncpus=1\ncpus=2\n", "3: [machine] cpus: was already given in line 2", NULL},
    {"[machine]\n[root-port a]\n[machine]\n",
     "3: [machine]: this group was already given in line 1", NULL},
    {"[machine]\nmem\xff=1\n", "2: not UTF-8", NULL},

    /* Groups and names. */
    {"[gpu g0]\n", "1: [gpu g0]: there is no component \"gpu\"; there are: machine, host-bridge",
     NULL},
    {"[]\n", "1: []: there is no component \"\"", NULL},
    {"[root_port rp0]\n", "1: [root_port rp0]: there is no component",
     "did you mean \"root-port\"?"},
    {"[machine m]\n", "1: [machine m]: this group has no name", NULL},
    {"[root-port]\n", "1: [root-port]: a name is missing", NULL},
    {"[root-port 0rp]\n", "1: [root-port 0rp]: \"0rp\" cannot be a name", NULL},
    {"[root-port r.p]\n", "1: [root-port r.p]: \"r.p\" cannot be a name", NULL},
    {"[root-port a b]\n", "1: [root-port a b]: \"a b\" cannot be a name", NULL},
    {"[root-port abcdefghijklmnopqrstuvwxyz1234567]\n",
     "1: [root-port abcdefghijklmnopqrstuvwxyz1234567]: \"abc", "at most 31"},
    {"[root-port a]\n[exerciser a]\nat=a\n",
     "2: [exerciser a]: the name a is already that of the root-port in line 1", NULL},
    {"[root-port a]\n[root-port  a]\n",
     "2: [root-port  a]: the name a is already that of the root-port in line 1", NULL},
    {"[root-port hb0]\n", "1: [root-port hb0]: hb0 is the name of the host bridge", NULL},

    /* Keys and values. */
    {"[iommu a]\n[iommu b]\n", "2: [iommu b] bridge: segment 0 has its IOMMU, a (line 1)", NULL},
    {"[iommu a]\nscope=ioapic\n[iommu b]\nscope= ioapic\n",
     "4: [iommu b] scope: ioapic is in the scope of a (line 1) already", NULL},
    {"[iommu a]\nface=amd\n", "2: [iommu a] face: \"amd\" is not allowed; it is vtd or virtio",
     NULL},
    {"[iommu a]\nface=virtio\nscalable=no\n",
     "3: [iommu a] scalable: only an IOMMU with face=vtd has it", NULL},
    {"[iommu a]\nface=virtio\nlatency=1\n",
     "3: [iommu a] latency: only an IOMMU with face=vtd has it", NULL},
    {"[iommu a]\nface=virtio\nscope=ioapic\n",
     "3: [iommu a] scope: only an IOMMU with face=vtd has it", NULL},
    {"[iommu a]\nbypass=no\n", "2: [iommu a] bypass: only an IOMMU with face=virtio has it", NULL},
    {"[iommu a]\nface=virtio\n[iommu b]\nface=virtio\n",
     "3: [iommu b] bridge: segment 0 has its IOMMU, a (line 1)", NULL},
    {"[host-bridge x]\n[host-bridge y]\nsegment=1\n[iommu a]\nbridge=x\nface=virtio\n"
     "[iommu b]\nbridge=y\n",
     "7: [iommu b] face: a (line 4) has another face", NULL},
    {"[iommu a]\nface=virtio\ndomains=0\n", "3: [iommu a] domains: \"0\" is not allowed", NULL},
    {"[iommu a]\nface=virtio\ndevice=5\n[exerciser e]\nat=hb0\ndevice=5\n",
     "6: [exerciser e] device: 05.0 on the root bus of hb0 is taken by a (line 1)", NULL},
    {"[exerciser e]\nat=hb0\nreserved-memory=4K\n[iommu a]\nface=virtio\n",
     "3: [exerciser e] reserved-memory: segment 0 has no IOMMU with face=vtd", NULL},
    {"[iommu a]\nscope= ,\n", "2: [iommu a] scope: \",\" is not allowed; it is names of", NULL},
    {"[iommu a]\nscope=x\n", "2: [iommu a] scope: there is no \"x\"", NULL},
    {SW "[iommu a]\nscope=sw0.2\n", "6: [iommu a] scope: there is no \"sw0.2\"", NULL},
    {SW "[iommu a]\nscope=rp0.0\n", "6: [iommu a] scope: there is no \"rp0.0\"", NULL},
    {"[iommu a]\nscope=a\n", "2: [iommu a] scope: a is a iommu; name ports", NULL},
    {SW "[iommu a]\nats-ports=sw0\n", "6: [iommu a] ats-ports: sw0 is no root port", NULL},
    {"[root-port r]\n[nvme n]\nat=r\n[iommu a]\nats-integrated=n\n",
     "5: [iommu a] ats-integrated: n is no integrated endpoint", NULL},
    {"[host-bridge h]\n[host-bridge i]\nsegment=1\n[iommu a]\nbridge=h\nscope=p\n"
     "[root-port p]\nbridge=i\n",
     "6: [iommu a] scope: p is on segment 1, the unit on segment 0", NULL},
    {"[virtio-rng r]\nreserved-memory=4K\n", "2: [virtio-rng r] reserved-memory: segment 0 has no",
     NULL},
    {"[iommu a]\nwidth=64\n", "2: [iommu a] width: \"64\" is not allowed; it is 39, 48 or 57",
     NULL},
    {"[iommu a]\nface=amd\n", "2: [iommu a] face: \"amd\" is not allowed; it is vtd", NULL},
    {"[iommu a]\nbridge=x\n", "2: [iommu a] bridge: there is no \"x\"", NULL},
    {"[host-bridge h]\n[host-bridge i]\nsegment=1\n[iommu a]\n",
     "4: [iommu a] bridge: is missing; with 2 host bridges every iommu says which", NULL},
    {"[root-port a]\nlanes=4\n",
     "2: [root-port a] lanes: unknown key; a root-port group has: ", "speed, width, buffers, aspm"},
    {"[root-port a]\nsped=8\n", "2: [root-port a] sped: unknown key", "did you mean \"speed\"?"},
    {"[nvme a]\nat[de]=rp0\n", "2: [nvme a] at[de]: unknown key", NULL},
    {"[switch sw0]\nat=rp0\n",
     "1: [switch sw0] downstream: is missing; it is a number from 1 to 32", NULL},
    {"[nvme n]\n", "1: [nvme n] at: is missing; it is a root port like rp0", NULL},
    {"[machine]\nmemory=1.5G\n", "2: [machine] memory: \"1.5G\" is not allowed; it is a size like",
     "from 64 MiB to 256 GiB"},
    {"[machine]\nmemory=1M\n", "2: [machine] memory: \"1M\" is not allowed", NULL},
    {"[machine]\nmemory=67108865\n", "2: [machine] memory: \"67108865\" is not allowed", NULL},
    {"[machine]\ncpus=0\n", "2: [machine] cpus: \"0\" is not allowed; it is a number from 1 to 8",
     NULL},
    {"[machine]\ncpus=9\n", "2: [machine] cpus: \"9\"", NULL},
    {"[machine]\ncpus=-1\n", "2: [machine] cpus: \"-1\"", NULL},
    {"[machine]\ncpus=\n", "2: [machine] cpus: an empty value is not allowed", NULL},
    {"[machine]\ncpus=2 # two\n", "2: [machine] cpus: \"2 # two\" is not allowed",
     "a comment stands in a line of its own"},
    {"[root-port a]\nspeed=10\n",
     "2: [root-port a] speed: \"10\" is not allowed; it is 2.5, 5, 8, 16 or 32 (GT/s)", NULL},
    {"[root-port a]\nspeed=64\n", "2: [root-port a] speed:", NULL},
    {"[root-port a]\nwidth=3\n",
     "2: [root-port a] width: \"3\" is not allowed; it is 1, 2, 4, 8 or 16 (lanes)", NULL},
    {"[root-port a]\nwidth=32\n", "2: [root-port a] width:", NULL},
    {"[root-port a]\nwidth=0\n", "2: [root-port a] width:", NULL},
    {"[root-port a]\nslot=0\n", "2: [root-port a] slot:", "from 1 to 8191, auto or none"},
    {"[root-port a]\nslot=8192\n", "2: [root-port a] slot:", NULL},
    {"[root-port a]\nhotplug=always\n",
     "2: [root-port a] hotplug: \"always\" is not allowed; it is no, yes or surprise", NULL},
    {"[root-port a]\nslot=none\nhotplug=yes\n",
     "3: [root-port a] hotplug: a port without a slot has no hot-plug", NULL},
    {"[exerciser e]\nat=hb0\nplugged=no\n",
     "3: [exerciser e] plugged: an integrated endpoint is always there", NULL},
    {"[root-port a]\nari=maybe\n",
     "2: [root-port a] ari: \"maybe\" is not allowed; it is yes or no", NULL},
    {"[root-port a]\ndevice=0\n", "2: [root-port a] device:", "from 1 to 31"},
    {"[root-port a]\nfunction=8\n", "2: [root-port a] function:", "from 0 to 7"},
    {"[host-bridge h]\nbus=00-100\n", "2: [host-bridge h] bus: \"00-100\" is not allowed", "00-7f"},
    {"[host-bridge h]\nbus=7f-00\n", "2: [host-bridge h] bus:", NULL},
    {"[host-bridge h]\nevent-collector=32\n", "2: [host-bridge h] event-collector: \"32\"", NULL},
    {"[host-bridge h]\nevent-collector=4\n[root-port a]\ndevice=4\n",
     "4: [root-port a] device: 04.0 on the root bus of h is taken by h (line 1)", NULL},
    {"[host-bridge h]\nbus=5\n", "2: [host-bridge h] bus:", NULL},
    {"[host-bridge h]\nsegment=65536\n", "2: [host-bridge h] segment:", NULL},
    {SW "[nvme n]\nat=sw0.0\nserial=123456789012345678901\n",
     "7: [nvme n] serial:", "1 to 20 printable"},
    {SW "[nvme n]\nat=sw0.0\nqueues=65\n", "7: [nvme n] queues:", "from 1 to 64"},
    {SW "[nvme n]\nat=sw0.0\nsize=1K\n", "7: [nvme n] size:", NULL},
    {SW "[exerciser e]\nat=sw0.0\nmsi=3\n", "7: [exerciser e] msi:", "0, 1, 2, 4, 8, 16 or 32"},
    {SW "[exerciser e]\nat=sw0.0\nmsix=2049\n", "7: [exerciser e] msix:", NULL},
    {SW "[exerciser e]\nat=sw0.0\nfunctions=9\n", "7: [exerciser e] functions:", NULL},
    {SW "[exerciser e]\nat=sw0.0\nmemory=3M\n", "7: [exerciser e] memory:", "a power of two"},

    /* Dangling names and wrong places. */
    {"[root-port rp0]\n[nvme n]\nat=rp1\n", "3: [nvme n] at: there is no \"rp1\"",
     "did you mean \"rp0\"?"},
    {"[nvme n]\nat=nowhere\n", "2: [nvme n] at: there is no \"nowhere\"", NULL},
    {"[nvme n]\nat=swx.1\n", "2: [nvme n] at: there is no \"swx\"", NULL},
    {SW "[nvme n]\nat=sw0\n",
     "6: [nvme n] at: sw0 is a switch; name one of its ports, sw0.0 to sw0.1", NULL},
    {SW "[nvme n]\nat=sw0.2\n", "6: [nvme n] at: sw0 has no port \"2\"; it has sw0.0 to sw0.1",
     NULL},
    {SW "[nvme n]\nat=sw0.\n", "6: [nvme n] at: sw0 has no port \"\"", NULL},
    {SW "[nvme n]\nat=sw0.01\n", "6: [nvme n] at: sw0 has no port \"01\"", NULL},
    {SW "[nvme n]\nat=sw0.0x1\n", "6: [nvme n] at: sw0 has no port \"0x1\"", NULL},
    {SW "[nvme n]\nat=sw0.99999999999999999999\n", "6: [nvme n] at: sw0 has no port", NULL},
    {SW "[nvme n]\nat=rp0.0\n", "6: [nvme n] at: rp0 is a root-port and has no numbered ports",
     NULL},
    {SW "[nvme n]\nat=sw0.0\n[nvme m]\nat=n\n",
     "8: [nvme m] at: n is an nvme; nothing can be plugged into it", NULL},
    {"[switch s]\nat=hb0\ndownstream=1\n", "2: [switch s] at: hb0 is a host bridge", NULL},
    {"[root-port a]\nbridge=hb1\n", "2: [root-port a] bridge: there is no \"hb1\"",
     "did you mean \"hb0\"?"},
    {"[root-port a]\n[root-port b]\nbridge=a\n", "3: [root-port b] bridge: this is no host bridge",
     NULL},
    {"[host-bridge x]\n[host-bridge y]\nsegment=1\n[root-port a]\n",
     "4: [root-port a] bridge: is missing; with 2 host bridges", NULL},
    {SW "[switch-port sw0]\n", "5: [switch-port sw0]: sw0 is a switch; name one of its ports",
     NULL},
    {SW "[switch-port sw1.0]\n", "5: [switch-port sw1.0]: there is no \"sw1\"",
     "did you mean \"sw0\"?"},
    {SW "[switch-port sw0.5]\n", "5: [switch-port sw0.5]: sw0 has no port \"5\"", NULL},
    {"[virtio-9p f]\n", "1: [virtio-9p f] path: is missing", "a directory of the host"},
    {"[virtio-net n]\nmac=52:54:00:12:34\n", "2: [virtio-net n] mac: \"52:54:00:12:34\"", NULL},
    {"[virtio-net n]\nmac=01:54:00:12:34:56\n", "2: [virtio-net n] mac:", "of one station"},
    {"[virtio-net n]\nmac=00:00:00:00:00:00\n", "2: [virtio-net n] mac:", "of one station"},
    {"[virtio-net n]\nmac=52:54:00:12:34:56:78\n", "2: [virtio-net n] mac:", NULL},
    {"[virtio-net n]\nforward=\n", "2: [virtio-net n] forward:", "tcp|udp:"},
    {"[virtio-9p f]\npath=/\ntag=a,b\n", "3: [virtio-9p f] tag: \"a,b\" is not allowed", NULL},
    {"[exerciser e]\nat=hb0\nspeed=8\n", "3: [exerciser e] speed: an endpoint integrated", NULL},
    {"[exerciser e]\nat=hb0\nvfs=8\n", "3: [exerciser e] vfs: Virtual Functions need a port", NULL},
    {"[exerciser e]\nat=hb0\ntiming=link\n", "3: [exerciser e] timing: an endpoint integrated",
     NULL},
    {"[machine]\ntiming=fast\n", "2: [machine] timing: \"fast\" is not allowed; it is functional",
     NULL},
    {"[root-port a]\n[exerciser e]\nat=a\nbit-error-rate=-1\n",
     "4: [exerciser e] bit-error-rate: \"-1\" is not allowed", NULL},
    {"[root-port a]\n[exerciser e]\nat=a\nbit-error-rate=nan\n",
     "4: [exerciser e] bit-error-rate:", NULL},
    {"[root-port a]\nbuffers=1/2 3/4\n", "2: [root-port a] buffers: \"1/2 3/4\" is not allowed",
     NULL},
    {"[root-port a]\nbuffers=128/2 3/4 5/6\n", "2: [root-port a] buffers:", NULL},
    {"[root-port a]\n[exerciser e]\nat=a\nfaults=up:corrupt-tlp\n",
     "4: [exerciser e] faults:", NULL},
    {"[root-port a]\n[exerciser e]\nat=a\nfaults=up:corrupt@1\n",
     "4: [exerciser e] faults:", "corrupt-tlp, drop-tlp"},
    {"[root-port a]\n[exerciser e]\nat=a\nfaults=up:corrupt-tlp@1*0\n",
     "4: [exerciser e] faults:", NULL},
    {"[root-port a]\nreadiness=yes\nmsi=no\n", "2: [root-port a] readiness: a root port with it",
     NULL},
    {"[exerciser e]\nat=hb0\nreadiness=yes\n", "3: [exerciser e] readiness: an endpoint integrated",
     NULL},
    {"[root-port a]\n[exerciser e]\nat=a\nmisbehave=\n",
     "4: [exerciser e] misbehave:", "one or more of never-answers, duplicates"},
    {"[root-port a]\n[exerciser e]\nat=a\nmisbehave=duplicates, badly\n",
     "4: [exerciser e] misbehave: \"duplicates, badly\" is not allowed", NULL},
    {"[root-port a]\n[exerciser e]\nat=a\nmisbehave=answers-late:0\n",
     "4: [exerciser e] misbehave:", NULL},
    {"[root-port a]\n[exerciser e]\nat=a\nmisbehave=answers-later\n",
     "4: [exerciser e] misbehave:", NULL},
    {"[root-port a]\n[exerciser e]\nat=a\nats-lacks=page-aligned, pasid\n",
     "4: [exerciser e] ats-lacks: \"page-aligned, pasid\" is not allowed", "response-pasid"},
    {"[root-port a]\n[exerciser e]\nat=a\nats-cache=3\n", "4: [exerciser e] ats-cache:", NULL},
    {"[root-port a]\n[exerciser e]\nat=a\nats=no\nats-cache=8\n",
     "5: [exerciser e] ats-cache: this device has no Address Translation Services", NULL},
    {"[root-port a]\n[nvme e]\nat=a\nmisbehave=duplicates\n",
     "4: [nvme e] misbehave: this device has no Address Translation Services", NULL},
    {"[root-port a]\n[exerciser e]\nat=a\ndevice=3\n",
     "4: [exerciser e] device: only what is on a root", NULL},

    /* Two things in one place. */
    {"[root-port a]\n[nvme n]\nat=a\n[nvme m]\nat=a\n", "5: [nvme m] at: a is taken by n (line 2)",
     NULL},
    {SW "[nvme n]\nat=sw0.1\n[switch m]\nat=sw0.1\ndownstream=1\n",
     "8: [switch m] at: sw0.1 is taken by n (line 5)", NULL},
    {"[root-port a]\ndevice=2\n[root-port b]\ndevice=2\n",
     "4: [root-port b] device: 02.0 on the root bus of hb0 is taken by a (line 1)", NULL},
    {"[root-port a]\ndevice=2\n[exerciser e]\nat=hb0\ndevice=2\n", "5: [exerciser e] device: 02.0",
     NULL},
    {"[root-port a]\ndevice=2\nfunction=1\n",
     "3: [root-port a] function: device 2 of hb0 has no function 0", NULL},
    {"[root-port a]\nfunction=1\n", "2: [root-port a] function: needs device=", NULL},
    {"[root-port a]\nslot=7\n[root-port b]\nslot=7\n",
     "4: [root-port b] slot: slot 7 is already that of a (line 1)", NULL},
    {SW "[switch-port sw0.0]\nslot=3\n[switch-port sw0.1]\nslot=3\n",
     "8: [switch-port sw0.1] slot: slot 3 is already that of sw0.0 (line 5)", NULL},
    {"[host-bridge x]\nbus=00-7f\n[host-bridge y]\nbus=7f-ff\n",
     "4: [host-bridge y] bus: buses 7f-ff overlap those of x (line 1)", NULL},
    {"[host-bridge x]\n[host-bridge y]\n", "2: [host-bridge y] bus: buses 00-ff overlap", NULL},
    {"[shell s]\nat=hb0\ndevice=1\nconfig=x\nbars=zero\n",
     "5: [shell s] bars: \"zero\" is not allowed; it is ones or memory", NULL},
    {"[host-bridge x]\nmem32=70000000-8fffffff\n",
     "2: [host-bridge x] mem32: \"70000000-8fffffff\" is not allowed", NULL},
    {"[host-bridge x]\nmem32=80000000-80000100\n", "2: [host-bridge x] mem32:", NULL},
    {"[host-bridge x]\nio=2000-10fff\n", "2: [host-bridge x] io:", NULL},
    {"[host-bridge x]\nmem64=c000000000-80ffffffff\n", "2: [host-bridge x] mem64:", NULL},
    {"[host-bridge x]\nmem64=7000000000-80ffffffff\n",
     "2: [host-bridge x] mem64: 8000000000-808fffffff is the platform's", NULL},
    {"[host-bridge x]\nbus=00-7f\nmem32=none\n[host-bridge y]\nbus=80-ff\n",
     "3: [host-bridge x] mem32: y (line 4) does not say its mem32", NULL},
    {"[host-bridge x]\nbus=00-7f\nio=1000-2fff\n[host-bridge y]\nbus=80-ff\nio=2000-3fff\n",
     "6: [host-bridge y] io: overlaps that of x (line 1)", NULL},

    /* Cycles. */
    {"[switch a]\nat=b.0\ndownstream=1\n[switch b]\nat=a.0\ndownstream=1\n",
     "2: [switch a] at: a cycle that never reaches a root port: a -> b -> a", NULL},
    {"[switch a]\nat=a.0\ndownstream=1\n", "2: [switch a] at: a cycle", NULL},

    /* Too many. */
    {"[host-bridge h]\nbus=00-04\n[root-port r]\n[switch s]\nat=r\ndownstream=3\n",
     "2: [host-bridge h] bus: 6 bus numbers are needed below it and it has 5", NULL},
};

static void check_mistake(const struct mistake *m)
{
    GError *error = NULL;
    struct machine_desc *desc = topology_parse("t.ini", m->text, strlen(m->text), &error);

    ck_assert_msg(!desc, "accepted:\n%s", m->text);
    ck_assert_ptr_nonnull(error);
    ck_assert(g_error_matches(error, topology_error_quark(), TOPOLOGY_ERROR_INPUT));
    ck_assert_msg(g_str_has_prefix(error->message, "t.ini:") &&
                      g_str_has_prefix(error->message + 6, m->message),
                  "expected \"t.ini:%s\", got \"%s\"", m->message, error->message);
    ck_assert_msg(!m->also || strstr(error->message, m->also), "expected \"%s\" in \"%s\"", m->also,
                  error->message);
    ck_assert_ptr_null(strchr(error->message, '\n'));
    g_error_free(error);
}

START_TEST(test_mistake)
{
    check_mistake(&mistakes[_i]);
}
END_TEST

START_TEST(test_too_many_bridges)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < 9; i++) {
        g_string_append_printf(text, "[host-bridge b%u]\nsegment=%u\n", i, i);
    }
    struct mistake m = {text->str, "17: [host-bridge b8]: more than 8 host bridges", NULL};
    check_mistake(&m);
    g_string_free(text, TRUE);
}
END_TEST

START_TEST(test_too_many_devices)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < 32; i++) {
        g_string_append_printf(text, "[root-port r%u]\n", i);
    }
    struct mistake m = {text->str, "32: [root-port r31]: no device number is left", NULL};
    check_mistake(&m);
    g_string_free(text, TRUE);
}
END_TEST

START_TEST(test_too_large)
{
    char *text = g_strnfill((1 << 20) + 1, '\n');
    struct mistake m = {text, " larger than 1048576 bytes", NULL};

    check_mistake(&m);
    g_free(text);
}
END_TEST

START_TEST(test_zero_byte)
{
    GError *error = NULL;
    static const char text[] = "[machine]\ncpus=\0002\n";

    ck_assert_ptr_null(topology_parse("t.ini", text, sizeof(text) - 1, &error));
    ck_assert_str_eq(error->message, "t.ini:2: not UTF-8 text; is this a topology file?");
    g_error_free(error);
}
END_TEST

START_TEST(test_missing_file)
{
    GError *error = NULL;

    ck_assert_ptr_null(topology_load("/nowhere/t.ini", &error));
    ck_assert(g_error_matches(error, topology_error_quark(), TOPOLOGY_ERROR_FILE));
    ck_assert_ptr_nonnull(strstr(error->message, "/nowhere/t.ini: cannot be read"));
    g_error_free(error);
}
END_TEST

TCase *topology_errors_case(void)
{
    TCase *tcase = tcase_create("errors");

    tcase_add_loop_test(tcase, test_mistake, 0, G_N_ELEMENTS(mistakes));
    tcase_add_test(tcase, test_too_many_bridges);
    tcase_add_test(tcase, test_too_many_devices);
    tcase_add_test(tcase, test_too_large);
    tcase_add_test(tcase, test_zero_byte);
    tcase_add_test(tcase, test_missing_file);
    return tcase;
}
