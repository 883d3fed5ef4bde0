/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host as it is. The alarm is a POSIX timer that signals this thread; the signal is blocked but
 * for the time of KVM_RUN (KVM_SET_SIGNAL_MASK), so that one that comes a moment too early is not
 * lost: KVM_RUN then ends at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "pcilab/base/bits.h"
#include "pcilab/cpu/kvm.h"

#define NS_PER_S 1000000000ULL
/* CHOICE: nothing else here uses real-time signals. */
#define ALARM_SIGNAL (SIGRTMIN + 6)

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

struct real_host {
    struct kvm_host host;
    timer_t timer;
    sigset_t alarm;
    bool was_blocked;
};

GQuark kvm_error_quark(void)
{
    return g_quark_from_static_string("pcilab-kvm-error-quark");
}

static int real_open(void *opaque)
{
    int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

static int real_control(void *opaque, int fd, unsigned long request, void *arg)
{
    int rc = ioctl(fd, request, arg);

    return rc < 0 ? -errno : rc;
}

static int real_map(void *opaque, int fd, size_t size, void **memory)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    *memory = at == MAP_FAILED ? NULL : at;
    return at == MAP_FAILED ? -errno : 0;
}

static void real_unmap(void *opaque, void *memory, size_t size)
{
    munmap(memory, size);
}

static void real_close(void *opaque, int fd)
{
    close(fd);
}

static uint64_t real_now_ns(void *opaque)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static struct timespec span(uint64_t ns)
{
    return (struct timespec){.tv_sec = (time_t)(ns / NS_PER_S), .tv_nsec = (long)(ns % NS_PER_S)};
}

static void real_wait_ns(void *opaque, uint64_t ns)
{
    struct timespec time = span(ns);

    nanosleep(&time, NULL);
}

static void real_set_alarm(void *opaque, uint64_t after_ns)
{
    struct real_host *real = opaque;
    struct itimerspec time = {.it_value = span(after_ns ? after_ns : 1)};

    timer_settime(real->timer, 0, &time, NULL);
}

static void real_hear_alarm(void *opaque)
{
    struct real_host *real = opaque;
    struct timespec none = {0};

    while (sigtimedwait(&real->alarm, NULL, &none) > 0)
        ;
}

static const struct kvm_host_ops real_ops = {
    .open = real_open,
    .control = real_control,
    .map = real_map,
    .unmap = real_unmap,
    .close = real_close,
    .now_ns = real_now_ns,
    .wait_ns = real_wait_ns,
    .set_alarm = real_set_alarm,
    .hear_alarm = real_hear_alarm,
};

struct kvm_host *kvm_host_new(GError **error)
{
    struct real_host *real = g_new0(struct real_host, 1);
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = ALARM_SIGNAL};

    real->host = (struct kvm_host){.ops = &real_ops, .opaque = real};
    event.sigev_notify_thread_id = (int)syscall(SYS_gettid);
    sigemptyset(&real->alarm);
    sigaddset(&real->alarm, ALARM_SIGNAL);
    pthread_sigmask(SIG_BLOCK, &real->alarm, &real->host.run_mask);
    real->was_blocked = sigismember(&real->host.run_mask, ALARM_SIGNAL) == 1;
    sigdelset(&real->host.run_mask, ALARM_SIGNAL);
    if (timer_create(CLOCK_MONOTONIC, &event, &real->timer) == 0)
        return &real->host;
    g_set_error(error, KVM_ERROR, KVM_ERROR_LACKS, "timer_create: %s", g_strerror(errno));
    if (!real->was_blocked)
        pthread_sigmask(SIG_UNBLOCK, &real->alarm, NULL);
    g_free(real);
    return NULL;
}

void kvm_host_free(struct kvm_host *host)
{
    struct real_host *real;

    if (!host)
        return;
    real = CONTAINER_OF(host, struct real_host, host);
    timer_delete(real->timer);
    real_hear_alarm(real);
    if (!real->was_blocked)
        pthread_sigmask(SIG_UNBLOCK, &real->alarm, NULL);
    g_free(real);
}
