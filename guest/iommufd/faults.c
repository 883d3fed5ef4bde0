/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "faults.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../vfio/test.h"

#define ECAP_PRS (1ull << 29) /* Page Requests (VT-d 11.4.3) */
#define ADDRESS  0x7f0000123000ull
#define OTHER    0x7f0000456000ull
#define DATA     TABLE_PAGES
#define PAGES    64u
#define SOON_MS  2000
#define A_WHILE  300

/* One address space of a function: first stage tables of ours, and a queue for what they lack. */
struct space {
    struct iommufd *i;
    uint32_t pasid, ioas, parent, hwpt, queue;
    int fd;
    struct tables t;
};

static void space_attach(struct space *s)
{
    bool attached = iommufd_attach(s->i, s->hwpt, s->pasid);

    expect(attached, "attached: %s", strerror(errno));
}

static void space_new(struct space *s, struct iommufd *i, uint32_t pasid)
{
    uint32_t more = pasid == NO_PASID ? 0 : HWPT_PASID;

    if (!(i->ecap & ECAP_PRS))
        skip("the IOMMU has no page request queue");
    if (!(ex_read64(&i->f, EXERCISER_FEATURES) & EXERCISER_FEATURE_PRI))
        skip("the device makes no Page Requests");
    *s = (struct space){.i = i, .pasid = pasid, .ioas = iommufd_ioas(i)};
    s->parent = iommufd_paging(i, s->ioas, HWPT_NEST_PARENT | more, 0);
    if (!s->parent)
        skip(more ? "the kernel attaches nothing to PASIDs" : "no nested page tables here");
    tables_new(&s->t, PAGES);
    iommufd_map(i, s->ioas, s->t.mem, PAGES * PAGE, IOVA_BASE);
    s->queue = iommufd_fault_queue(i, &s->fd);
    s->hwpt = iommufd_nested(i, s->parent, IOVA_BASE, HWPT_FAULTS | more, s->queue);
}

static void space_end(struct space *s)
{
    iommufd_detach(s->i, s->pasid);
    iommufd_destroy(s->i, s->hwpt);
    close(s->fd);
    iommufd_destroy(s->i, s->queue);
    iommufd_destroy(s->i, s->parent);
    iommufd_destroy(s->i, s->ioas);
}

/* A channel uses translations, asks for pages, and does so in the name of a PASID. */
static void prepare(struct iommufd *i, unsigned channel, uint32_t pasid)
{
    unsigned at = EXERCISER_CHANNEL(channel);

    vfio_bus_master(&i->f, true);
    ex_write(&i->f, at + EXERCISER_CH_ATTR, EXERCISER_ATTR_ATS | EXERCISER_ATTR_PRI);
    ex_write(&i->f, at + EXERCISER_CH_PASID, pasid == NO_PASID ? 0 : EXERCISER_PASID_VALID | pasid);
}

static void start(struct iommufd *i, unsigned channel, unsigned command, uint64_t address)
{
    dma_start(&i->f, channel,
              &(struct dma){.command = command, .addr = address, .local = 64 * channel, .len = 64});
}

static bool is_busy(struct iommufd *i)
{
    return !(ex_read(&i->f, EXERCISER_CHANNEL(0) + EXERCISER_CH_STATUS) & EXERCISER_STATUS_DONE);
}

/* The fault that the command just started has to come to. */
static struct fd_fault next_fault(const struct space *s, uint64_t address, uint32_t perm)
{
    struct fd_fault fault = {0};

    expect(fault_read(s->fd, &fault, SOON_MS), "a page fault for %#llx",
           (unsigned long long)address);
    expect(fault.address == address, "at %#llx: %#llx", (unsigned long long)address,
           (unsigned long long)fault.address);
    expect(fault.flags & FAULT_LAST, "alone in its group");
    expect(fault.device == s->i->device, "of this function");
    expect((fault.perm & perm) == perm, "for %#x: %#x", perm, fault.perm);
    if (s->pasid == NO_PASID)
        expect(!(fault.flags & FAULT_HAS_PASID), "without a PASID");
    else
        expect(fault.flags & FAULT_HAS_PASID && fault.pasid == s->pasid, "PASID %u: %u", s->pasid,
               fault.pasid);
    return fault;
}

static void first_touch(struct space *s)
{
    struct fd_fault fault;

    set_local(s->i, 0x31);
    start(s->i, 0, EXERCISER_WRITE, ADDRESS);
    fault = next_fault(s, ADDRESS, FAULT_WRITE);
    expect(is_busy(s->i), "the device waits");
    tables_set(&s->t, ADDRESS, DATA, TABLE_WRITE);
    fault_answer(s->fd, &fault, RESPONSE_SUCCESS);
    expect(dma_wait(&s->i->f, 0) == DMA_DONE, "the write goes on");
    expect(go(s->i, EXERCISER_READ, ADDRESS) == DMA_DONE, "a read needs nothing more");
    expect(holds(tables_page(&s->t, DATA), 0x31), "what was written is there");
}

static void upgrade(struct space *s)
{
    struct fd_fault fault;

    memset(tables_page(&s->t, DATA + 1), 0x42, PAGE);
    tables_set(&s->t, OTHER, DATA + 1, 0);
    expect(go(s->i, EXERCISER_READ, OTHER) == DMA_DONE, "a read of a read-only page");
    set_local(s->i, 0x53);
    start(s->i, 0, EXERCISER_WRITE, OTHER);
    fault = next_fault(s, OTHER, FAULT_WRITE);
    expect(holds(tables_page(&s->t, DATA + 1), 0x42), "nothing is written yet");
    tables_set(&s->t, OTHER, DATA + 1, TABLE_WRITE);
    fault_answer(s->fd, &fault, RESPONSE_SUCCESS);
    expect(dma_wait(&s->i->f, 0) == DMA_DONE, "the write goes on");
    expect(go(s->i, EXERCISER_READ, OTHER) == DMA_DONE, "a read");
    expect(holds(tables_page(&s->t, DATA + 1), 0x53), "what was written is there");
}

static void invalid(struct space *s)
{
    struct fd_fault fault;

    start(s->i, 0, EXERCISER_READ, OTHER + PAGE);
    fault = next_fault(s, OTHER + PAGE, FAULT_READ);
    fault_answer(s->fd, &fault, RESPONSE_INVALID);
    expect(dma_wait(&s->i->f, 0) == DMA_DENIED, "an address that is none");
}

static void late(struct space *s)
{
    struct fd_fault fault;

    start(s->i, 0, EXERCISER_READ, OTHER + 2 * PAGE);
    fault = next_fault(s, OTHER + 2 * PAGE, FAULT_READ);
    usleep(A_WHILE * 1000);
    expect(is_busy(s->i), "the device waits for a late answer");
    tables_set(&s->t, OTHER + 2 * PAGE, DATA + 2, TABLE_WRITE);
    fault_answer(s->fd, &fault, RESPONSE_SUCCESS);
    expect(dma_wait(&s->i->f, 0) == DMA_DONE, "and goes on after it");
}

static void all_kinds(struct space *s)
{
    first_touch(s);
    upgrade(s);
    invalid(s);
    late(s);
}

void test_faults(struct iommufd *i)
{
    struct space s;

    space_new(&s, i, NO_PASID);
    space_attach(&s);
    prepare(i, 0, NO_PASID);
    all_kinds(&s);
    space_end(&s);
}

/* Linux 6.12: attaching nested tables has switched ATS off before they would want Page Requests,
 * which need it; and the kernel's own tables have no queue of faults. */
void test_refused(struct iommufd *i)
{
    struct space s;

    space_new(&s, i, NO_PASID);
    expect(!iommufd_attach(i, s.hwpt, NO_PASID) && errno == ENODEV, "no fault queue without ATS");
    expect(!iommufd_paging(i, s.ioas, HWPT_FAULTS, s.queue), "nor for tables of the kernel's");
    iommufd_destroy(i, s.hwpt);
    close(s.fd);
    iommufd_destroy(i, s.queue);
    iommufd_destroy(i, s.parent);
    iommufd_destroy(i, s.ioas);
}

/* What nobody has answered when the page tables are taken away is answered by the kernel. */
void test_pending(struct iommufd *i)
{
    struct fd_fault fault;
    struct space s;

    space_new(&s, i, NO_PASID);
    space_attach(&s);
    prepare(i, 0, NO_PASID);
    start(i, 0, EXERCISER_READ, ADDRESS);
    usleep(A_WHILE * 1000);
    expect(is_busy(i), "the device waits");
    iommufd_detach(i, NO_PASID);
    expect(dma_wait(&i->f, 0) == DMA_DENIED, "a fault that nobody has read");
    space_attach(&s);
    start(i, 0, EXERCISER_READ, ADDRESS);
    fault = next_fault(&s, ADDRESS, FAULT_READ);
    iommufd_detach(i, NO_PASID);
    expect(dma_wait(&i->f, 0) == DMA_DENIED, "a fault that nobody has answered");
    expect(!fault_read(s.fd, &fault, 0), "none is left");
    space_attach(&s);
    first_touch(&s);
    space_end(&s);
}

/* Ends with a fault under way; who comes next finds nothing of it. */
void test_leave(struct iommufd *i)
{
    struct space s;

    space_new(&s, i, NO_PASID);
    space_attach(&s);
    prepare(i, 0, NO_PASID);
    start(i, 0, EXERCISER_WRITE, ADDRESS);
    next_fault(&s, ADDRESS, FAULT_WRITE);
    _exit(0);
}

/* Two PASIDs with tables of their own; the same address leads to two places. */
void test_pasid(struct iommufd *i)
{
    const uint32_t pasid[2] = {5, 0x1234};
    struct space s[2];

    for (unsigned n = 0; n < 2; n++)
        space_new(&s[n], i, pasid[n]);
    /* The requester without a PASID has the whole of the first one's memory. */
    expect(iommufd_attach(i, s[0].parent, NO_PASID), "attached: %s", strerror(errno));
    for (unsigned n = 0; n < 2; n++) {
        space_attach(&s[n]);
        prepare(i, 0, pasid[n]);
        all_kinds(&s[n]);
        memset(tables_page(&s[n].t, DATA), 0x70 + (int)n, PAGE);
    }
    for (unsigned n = 0; n < 2; n++) {
        prepare(i, 0, pasid[n]);
        expect(go(i, EXERCISER_READ, ADDRESS) == DMA_DONE, "a read with PASID %u", pasid[n]);
        expect(holds((const uint8_t *)i->f.bar[BAR_MEM].mem, (uint8_t)(0x70 + n)),
               "it is its own memory");
    }
    prepare(i, 0, NO_PASID);
    expect(go(i, EXERCISER_READ, IOVA_BASE + DATA * PAGE) == DMA_DONE, "a read without a PASID");
    iommufd_detach(i, pasid[0]);
    prepare(i, 0, pasid[0]);
    expect(go(i, EXERCISER_READ, ADDRESS) != DMA_DONE, "a PASID that is no more");
    prepare(i, 0, pasid[1]);
    expect(go(i, EXERCISER_READ, ADDRESS) == DMA_DONE, "the other one is there");
    space_attach(&s[0]);
    iommufd_detach(i, NO_PASID);
    for (unsigned n = 0; n < 2; n++)
        space_end(&s[n]);
}

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Faults end to end, one after another: how long they take in virtual time. */
void test_many(struct iommufd *i)
{
    const unsigned count = 256;
    uint64_t since, ns;
    struct space s;

    space_new(&s, i, NO_PASID);
    space_attach(&s);
    prepare(i, 0, NO_PASID);
    since = now_ns();
    for (unsigned n = 0; n < count; n++) {
        uint64_t address = ADDRESS + (uint64_t)n * PAGE;
        struct fd_fault fault;

        start(i, 0, EXERCISER_WRITE, address);
        fault = next_fault(&s, address, FAULT_WRITE);
        tables_set(&s.t, address, DATA + n % (PAGES - DATA), TABLE_WRITE);
        fault_answer(s.fd, &fault, RESPONSE_SUCCESS);
        expect(dma_wait(&i->f, 0) == DMA_DONE, "write %u", n);
    }
    ns = now_ns() - since;
    printf("%u page faults, %llu ns each, %llu a second\n", count, (unsigned long long)(ns / count),
           (unsigned long long)(count * 1000000000ull / ns));
    space_end(&s);
}
