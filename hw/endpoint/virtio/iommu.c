/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The function of a virtio-iommu: VIRTIO 1.3, 5.13. A queue of requests and a queue of events; what
 * they mean, and the device configuration, is the business of whoever is behind the callbacks.
 */
#include <assert.h>
#include <string.h>

#include <glib.h>

#include "pcilab/endpoint/virtio.h"
#include "pcilab/endpoint/virtio_devices.h"
#include "pcilab/trace/trace.h"

#define CLASS_IOMMU 0x080600 /* system peripheral, IOMMU: PCI Code and ID Assignment 1.12, 1.9 */

#define REQUEST_QUEUE_SIZE 256
#define REQUEST_IN_FLIGHT  8
#define EVENT_QUEUE_SIZE   64
#define WAITING_MAX        16 /* CHOICE: so many events wait for buffers; more are lost */

enum { QUEUE_REQUEST, QUEUE_EVENT, QUEUES };

struct virtio_iommu {
    struct virtio *dev;
    struct virtio_iommu_params params;
    struct virtio_request *event_first, *event_last; /* buffers for events */
    uint8_t *waiting;                                /* events, the oldest first */
    unsigned waiting_count;
};

static bool send_event(struct virtio_iommu *iommu, const uint8_t *event)
{
    struct virtio_request *req = iommu->event_first;

    if (!req)
        return false;
    iommu->event_first = req->next;
    if (!iommu->event_first)
        iommu->event_last = NULL;
    memcpy(req->out, event, iommu->params.event_bytes);
    virtio_answer(req, iommu->params.event_bytes);
    return true;
}

static void send_waiting(struct virtio_iommu *iommu)
{
    size_t bytes = iommu->params.event_bytes;

    while (iommu->waiting_count && send_event(iommu, iommu->waiting))
        memmove(iommu->waiting, iommu->waiting + bytes, --iommu->waiting_count * bytes);
}

/* CHOICE: with a buffer that no event fits into nothing works; 5.13.6.7 leaves open what is done.
 */
static void take_event_buffer(struct virtio_iommu *iommu, struct virtio_request *req)
{
    if (req->in_len || req->out_total < iommu->params.event_bytes) {
        virtio_fail(iommu->dev, "an event buffer that is too small for an event (5.13.6.7)");
        return;
    }
    req->next = NULL;
    if (iommu->event_last)
        iommu->event_last->next = req;
    else
        iommu->event_first = req;
    iommu->event_last = req;
    send_waiting(iommu);
}

static void iommu_request(void *owner, struct virtio_request *req)
{
    struct virtio_iommu *iommu = owner;

    if (req->queue == QUEUE_EVENT) {
        take_event_buffer(iommu, req);
        return;
    }
    virtio_answer(req, iommu->params.ops->request(iommu->params.opaque, req->in, req->in_len,
                                                  req->out, req->out_len));
}

static void iommu_driver_ok(void *owner, uint64_t features)
{
    struct virtio_iommu *iommu = owner;

    iommu->params.ops->driver_ok(iommu->params.opaque, features);
}

static void iommu_reset(void *owner)
{
    struct virtio_iommu *iommu = owner;

    iommu->event_first = iommu->event_last = NULL;
    iommu->waiting_count = 0;
    iommu->params.ops->reset(iommu->params.opaque);
}

static void iommu_config_written(void *owner, unsigned offset, const uint8_t *data, unsigned len)
{
    struct virtio_iommu *iommu = owner;

    iommu->params.ops->config_written(iommu->params.opaque, offset, data, len);
}

static void iommu_destroy(void *owner)
{
    struct virtio_iommu *iommu = owner;

    g_free(iommu->waiting);
    g_free(iommu);
}

static const struct virtio_device_ops iommu_ops = {
    .request = iommu_request,
    .driver_ok = iommu_driver_ok,
    .reset = iommu_reset,
    .config_written = iommu_config_written,
    .destroy = iommu_destroy,
};

/* Linux puts buffers into the queue and does not notify (drivers/iommu/virtio-iommu.c), so the
 * device looks when it needs one. */
bool virtio_iommu_event(struct virtio_iommu *iommu, const uint8_t *event)
{
    if (!virtio_running(iommu->dev))
        return false;
    if (send_event(iommu, event))
        return true;
    if (iommu->waiting_count == WAITING_MAX)
        return false;
    memcpy(iommu->waiting + iommu->waiting_count++ * (size_t)iommu->params.event_bytes, event,
           iommu->params.event_bytes);
    virtio_look(iommu->dev, QUEUE_EVENT);
    return true;
}

void virtio_iommu_set_config(struct virtio_iommu *iommu, const uint8_t *config)
{
    virtio_set_config(iommu->dev, 0, config, iommu->params.config_bytes, false);
}

struct endpoint *virtio_iommu_endpoint(struct virtio_iommu *iommu)
{
    return virtio_endpoint(iommu->dev);
}

struct virtio_iommu *virtio_iommu_new(struct fabric *fabric,
                                      const struct virtio_iommu_params *params)
{
    const struct virtio_queue_params queues[QUEUES] = {
        [QUEUE_REQUEST] = {.size = REQUEST_QUEUE_SIZE,
                           .in_flight = REQUEST_IN_FLIGHT,
                           .in_max_bytes = params->request_bytes,
                           .out_max_bytes = params->answer_bytes},
        [QUEUE_EVENT] = {.size = EVENT_QUEUE_SIZE,
                         .in_flight = EVENT_QUEUE_SIZE,
                         .out_max_bytes = params->event_bytes},
    };
    struct virtio_iommu *iommu = g_new0(struct virtio_iommu, 1);

    iommu->params = *params;
    iommu->waiting = g_malloc0((size_t)WAITING_MAX * params->event_bytes);
    iommu->params.name = NULL;   /* not kept */
    iommu->params.config = NULL; /* copied */
    iommu->dev = virtio_new(fabric, &(struct virtio_params){
                                        .name = params->name,
                                        .type = VIRTIO_TYPE_IOMMU,
                                        .class_code = CLASS_IOMMU,
                                        .features = params->features,
                                        .packed = params->packed,
                                        .queues = queues,
                                        .queue_count = QUEUES,
                                        .config = params->config,
                                        .config_bytes = params->config_bytes,
                                        .ops = &iommu_ops,
                                        .owner = iommu,
                                        .pcie = params->pcie,
                                    });
    return iommu;
}
