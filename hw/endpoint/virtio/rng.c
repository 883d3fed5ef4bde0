/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The entropy device: VIRTIO 1.3, 5.4. One queue; every buffer is filled with random bytes. */
#include <glib.h>

#include "pcilab/endpoint/virtio.h"
#include "pcilab/endpoint/virtio_devices.h"
#include "pcilab/sim/sim.h"

#define CLASS_RNG  0xff0000 /* CHOICE: unassigned class */
#define QUEUE_SIZE 64
#define IN_FLIGHT  4
#define ANSWER_BYTES                                                                               \
    4096 /* CHOICE: most bytes for one request; fewer than asked for are allowed                   \
          */

struct virtio_rng {
    struct virtio *dev;
    struct sim *sim;
    struct sim_stream stream;
    char *stream_name;
};

static void rng_request(void *owner, struct virtio_request *req)
{
    struct virtio_rng *rng = owner;

    if (req->in_len) { /* 5.4.6.1 */
        virtio_fail(rng->dev, "a device-readable buffer for the entropy device (5.4.6.1)");
        return;
    }
    sim_rng_fill(&rng->stream.rng, req->out, req->out_len);
    virtio_answer(req, req->out_len);
}

static void rng_destroy(void *owner)
{
    struct virtio_rng *rng = owner;

    sim_stream_remove(rng->sim, &rng->stream);
    g_free(rng->stream_name);
    g_free(rng);
}

static const struct virtio_device_ops rng_ops = {.request = rng_request, .destroy = rng_destroy};

struct endpoint *virtio_rng_new(struct fabric *fabric, const struct virtio_rng_params *params)
{
    static const struct virtio_queue_params queue = {
        .size = QUEUE_SIZE, .in_flight = IN_FLIGHT, .out_max_bytes = ANSWER_BYTES};
    struct virtio_rng *rng = g_new0(struct virtio_rng, 1);

    rng->dev = virtio_new(fabric, &(struct virtio_params){
                                      .name = params->name,
                                      .type = VIRTIO_TYPE_ENTROPY,
                                      .class_code = CLASS_RNG,
                                      .packed = params->packed,
                                      .queues = &queue,
                                      .queue_count = 1,
                                      .ops = &rng_ops,
                                      .owner = rng,
                                      .pcie = params->pcie,
                                  });
    rng->sim = endpoint_sim(virtio_func(rng->dev));
    rng->stream_name = g_strdup_printf("virtio-rng %s", params->name);
    sim_stream_add(rng->sim, &rng->stream, rng->stream_name);
    return virtio_endpoint(rng->dev);
}
