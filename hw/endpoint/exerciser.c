/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The exerciser: an endpoint that does whatever a test asks. One to eight functions, each with a
 * BAR of every kind, INTx, MSI, MSI-X and DMA channels. docs/exerciser.md is its manual.
 */
#include "exerciser.h"

#include <assert.h>
#include <glib.h>
#include <string.h>
#include <sys/mman.h>

#include "pcilab/base/bits.h"
#include "pcilab/endpoint/bar_regs.h"
#include "pcilab/endpoint/ids.h"
#include "pcilab/pci/sriov.h"
#include "pcilab/trace/trace.h"

#define MANUAL "docs/exerciser.md"

/* 4 KiB to 4 MiB: those that every device has to support (PCIe Base 6.0, 9.3.3.12). */
#define VF_PAGE_SIZES 0x553

void exerciser_count(struct exerciser *ex, unsigned reg, uint64_t n)
{
    reg_set(ex->regs, reg, reg_get(ex->regs, reg) + n);
}

/* The pin is wanted while INTX is set or an enabled channel has its status bit set. */
void exerciser_update_intx(struct exerciser *ex)
{
    uint64_t status = reg_get(ex->regs, EXERCISER_IRQ_STATUS);
    uint64_t enabled = reg_get(ex->regs, EXERCISER_IRQ_ENABLE);
    bool level = (reg_get(ex->regs, EXERCISER_INTX) & 1) || (status & enabled);

    endpoint_set_intx(ex->func, level && !pci_func_msi_enabled(ex->pci));
}

void exerciser_interrupt(struct exerciser *ex, uint32_t vector)
{
    if (!pci_func_msi_enabled(ex->pci) || vector >= pci_func_msi_vectors(ex->pci)) {
        exerciser_count(ex, EXERCISER_IRQ_LOST, 1);
        return;
    }
    exerciser_count(ex, EXERCISER_IRQ_COUNT, 1);
    endpoint_interrupt(ex->func, vector);
}

static void irq_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    exerciser_update_intx(reg_space_owner(space));
}

static void trigger_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    exerciser_interrupt(reg_space_owner(space), (uint32_t)write->new_value);
}

static void ltr_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    const struct exerciser *ex = reg_space_owner(space);

    endpoint_set_ltr(ex->func, (uint32_t)write->new_value);
}

static void ptm_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct exerciser *ex = reg_space_owner(space);

    if (write->written & 1)
        (void)endpoint_ptm_request(ex->func);
}

static uint64_t ptm_time_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    const struct exerciser *ex = reg_space_owner(space);
    uint64_t master_ns;

    return endpoint_ptm_time(ex->func, &master_ns) ? master_ns : 0;
}

static uint64_t ptm_dialogs_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    const struct exerciser *ex = reg_space_owner(space);

    return endpoint_ptm_dialogs(ex->func);
}

static uint64_t time_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    const struct exerciser *ex = reg_space_owner(space);

    return ex->sim->now_ps;
}

static uint64_t reset_count_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    const struct exerciser *ex = reg_space_owner(space);

    return ex->resets;
}

static void ats_fault_written(struct reg_space *space, unsigned offset,
                              const struct reg_write *write)
{
    exerciser_ats_faults(reg_space_owner(space));
}

static uint64_t ats_count_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    return exerciser_ats_count(reg_space_owner(space), offset);
}

#define ROW(n, o, w) .name = n, .clause = MANUAL, .offset = o, .width = w

static const struct reg_def global_regs[] = {
    {ROW("magic", EXERCISER_MAGIC, 4), .reset = EXERCISER_MAGIC_VALUE},
    {ROW("version", EXERCISER_VERSION, 4), .reset = EXERCISER_VERSION_VALUE},
    {ROW("features", EXERCISER_FEATURES, 8)},
    {ROW("channels", EXERCISER_CHANNELS, 4), .reset = EXERCISER_CHANNEL_COUNT},
    {ROW("function", EXERCISER_FUNCTION, 4)},
    {ROW("vectors", EXERCISER_VECTORS, 4)},
    {ROW("mem_bytes", EXERCISER_MEM_BYTES, 8)},
    {ROW("time", EXERCISER_TIME, 8), .on_read = time_read},
    {ROW("scratch0", EXERCISER_SCRATCH0, 4), .rw = 0xffffffff},
    {ROW("scratch1", EXERCISER_SCRATCH1, 4), .rw = 0xffffffff},
    {ROW("scratch2", EXERCISER_SCRATCH2, 4), .rw = 0xffffffff},
    {ROW("scratch3", EXERCISER_SCRATCH3, 4), .rw = 0xffffffff, .sticky = 0xffffffff},
    {ROW("scratch64", EXERCISER_SCRATCH64, 8), .rw = UINT64_MAX},
    {ROW("intx", EXERCISER_INTX, 4), .rw = 1, .on_write = irq_written},
    {ROW("irq_trigger", EXERCISER_IRQ_TRIGGER, 4), .rw = 0xffff, .on_write = trigger_written},
    {ROW("irq_status", EXERCISER_IRQ_STATUS, 4), .rw1c = 0xff, .on_write = irq_written},
    {ROW("irq_enable", EXERCISER_IRQ_ENABLE, 4), .rw = 0xff, .on_write = irq_written},
    {ROW("dmwr_defer", EXERCISER_DMWR_DEFER, 4), .rw = 0xffffffff},
    {ROW("fault", EXERCISER_FAULT, 4), .rw = 0xff},
    {ROW("fault_count", EXERCISER_FAULT_COUNT, 4), .rw = 0xffffffff},
    {ROW("rrs_us", EXERCISER_RRS_US, 4), .rw = 0xffffffff, .sticky = 0xffffffff},
    {ROW("ats_fault", EXERCISER_ATS_FAULT, 4), .rw = 0xff, .on_write = ats_fault_written},
    {ROW("ats_delay", EXERCISER_ATS_DELAY, 4), .rw = 0xffffffff, .on_write = ats_fault_written},
    {ROW("ltr", EXERCISER_LTR, 4), .rw = 0x9fff9fff, .on_write = ltr_written},
    {ROW("ptm", EXERCISER_PTM, 4), .w1t = 1, .on_write = ptm_written},
    {ROW("irq_count", EXERCISER_IRQ_COUNT, 8)},
    {ROW("irq_lost", EXERCISER_IRQ_LOST, 8)},
    {ROW("dma_count", EXERCISER_DMA_COUNT, 8)},
    {ROW("dma_bytes", EXERCISER_DMA_BYTES, 8)},
    {ROW("dma_errors", EXERCISER_DMA_ERRORS, 8)},
    {ROW("read_count", EXERCISER_READ_COUNT, 8)},
    {ROW("write_count", EXERCISER_WRITE_COUNT, 8)},
    {ROW("reset_count", EXERCISER_RESET_COUNT, 8), .on_read = reset_count_read},
    {ROW("ats_requests", EXERCISER_ATS_REQUESTS, 8), .on_read = ats_count_read},
    {ROW("ats_translated", EXERCISER_ATS_TRANSLATED, 8), .on_read = ats_count_read},
    {ROW("ats_invalidations", EXERCISER_ATS_INVALIDATIONS, 8), .on_read = ats_count_read},
    {ROW("page_requests", EXERCISER_PAGE_REQUESTS, 8), .on_read = ats_count_read},
    {ROW("page_responses", EXERCISER_PAGE_RESPONSES, 8), .on_read = ats_count_read},
    {ROW("ptm_time", EXERCISER_PTM_TIME, 8), .on_read = ptm_time_read},
    {ROW("ptm_dialogs", EXERCISER_PTM_DIALOGS, 8), .on_read = ptm_dialogs_read},
};

#define ATTR_WRITABLE                                                                              \
    (EXERCISER_ATTR_NO_SNOOP | EXERCISER_ATTR_RELAXED | EXERCISER_ATTR_IDO | EXERCISER_ATTR_TC |   \
     EXERCISER_ATTR_AT | EXERCISER_ATTR_ATS | EXERCISER_ATTR_PRI | EXERCISER_ATTR_POISON |         \
     EXERCISER_ATTR_BAD_ECRC | EXERCISER_ATTR_GROUP | EXERCISER_ATTR_PREFIXES)

#define PASID_WRITABLE                                                                             \
    (EXERCISER_PASID_VALUE | EXERCISER_PASID_EXECUTE | EXERCISER_PASID_PRIVILEGED |                \
     EXERCISER_PASID_FORGE | EXERCISER_PASID_VALID)

static const struct reg_def channel_regs[] = {
    {ROW("ch_addr", EXERCISER_CH_ADDR, 8), .rw = UINT64_MAX},
    {ROW("ch_local", EXERCISER_CH_LOCAL, 8), .rw = UINT64_MAX},
    {ROW("ch_len", EXERCISER_CH_LEN, 4), .rw = 0xffffffff},
    {ROW("ch_attr", EXERCISER_CH_ATTR, 4), .rw = ATTR_WRITABLE},
    {ROW("ch_vector", EXERCISER_CH_VECTOR, 4),
     .rw = EXERCISER_VECTOR_ENABLE | EXERCISER_VECTOR_NUMBER},
    {ROW("ch_command", EXERCISER_CH_COMMAND, 4), .rw = 0xff, .on_write = exerciser_command_written},
    {ROW("ch_status", EXERCISER_CH_STATUS, 4), .rw1c = EXERCISER_STATUS_DONE},
    {ROW("ch_crc", EXERCISER_CH_CRC, 4)},
    {ROW("ch_pattern", EXERCISER_CH_PATTERN, 4), .rw = 0xffffffff},
    {ROW("ch_step", EXERCISER_CH_STEP, 4), .rw = 0xffffffff},
    {ROW("ch_count", EXERCISER_CH_COUNT, 8)},
    {ROW("ch_started", EXERCISER_CH_STARTED, 8)},
    {ROW("ch_ended", EXERCISER_CH_ENDED, 8)},
    {ROW("ch_pasid", EXERCISER_CH_PASID, 4), .rw = PASID_WRITABLE},
    {ROW("ch_operand", EXERCISER_CH_OPERAND, 8), .rw = UINT64_MAX},
    {ROW("ch_operand_high", EXERCISER_CH_OPERAND + 8, 8), .rw = UINT64_MAX},
    {ROW("ch_compare", EXERCISER_CH_COMPARE, 8), .rw = UINT64_MAX},
    {ROW("ch_compare_high", EXERCISER_CH_COMPARE + 8, 8), .rw = UINT64_MAX},
};

const struct reg_def *exerciser_registers(unsigned *count)
{
    *count = ARRAY_LEN(global_regs);
    return global_regs;
}

const struct reg_def *exerciser_channel_registers(unsigned *count)
{
    *count = ARRAY_LEN(channel_regs);
    return channel_regs;
}

/* BARs. */

enum { BAR_REGS = 0, BAR_IO = 1, BAR_MSIX = 2, BAR_MEM = 4 };

/* The plain memory behind an access, or NULL. */
static uint8_t *bar_memory(struct exerciser *ex, unsigned bar, uint64_t offset, unsigned len)
{
    if (bar == BAR_MEM)
        return ex->mem + offset;
    if (bar == BAR_MSIX &&
        range_inside(offset, len, EXERCISER_BAR2_MEMORY, EXERCISER_BAR2_MEMORY_BYTES))
        return ex->bar2_mem + (offset - EXERCISER_BAR2_MEMORY);
    return NULL;
}

static enum tlp_status bar_read(void *owner, unsigned bar, uint64_t offset, void *data,
                                unsigned len)
{
    struct exerciser *ex = owner;
    const uint8_t *memory = bar_memory(ex, bar, offset, len);

    exerciser_count(ex, EXERCISER_READ_COUNT, 1);
    if (memory) {
        memcpy(data, memory, len);
        return exerciser_answer(ex);
    }
    if (bar == BAR_REGS || bar == BAR_IO)
        bar_regs_read(ex->regs, offset, data, len);
    else
        memset(data, 0, len);
    return TLP_SC;
}

static enum tlp_status bar_write(void *owner, unsigned bar, uint64_t offset, const void *data,
                                 unsigned len)
{
    struct exerciser *ex = owner;
    uint8_t *memory = bar_memory(ex, bar, offset, len);

    exerciser_count(ex, EXERCISER_WRITE_COUNT, 1);
    if (memory) {
        enum tlp_status answer = exerciser_answer(ex);

        if (answer != TLP_SC)
            return answer == TLP_CA || answer == TLP_UR ? answer : TLP_SC;
        ex->mem_used = true;
        memcpy(memory, data, len);
    } else if (bar == BAR_REGS || bar == BAR_IO) {
        bar_regs_write(ex->regs, offset, data, len);
    }
    return TLP_SC;
}

/* So many Deferrable Memory Writes as DMWR_DEFER says are put off. */
static bool defer_write(void *owner, unsigned bar, uint64_t offset)
{
    struct exerciser *ex = owner;
    uint64_t left = reg_get(ex->regs, EXERCISER_DMWR_DEFER);

    if (left)
        reg_set(ex->regs, EXERCISER_DMWR_DEFER, left - 1);
    return left != 0;
}

/* Address space is taken once, for the memories of BAR 4 and BAR 2; pages appear as they are
 * written and go with every reset. */
static uint8_t *memory_new(uint64_t bytes)
{
    void *mem = mmap(NULL, bytes + EXERCISER_BAR2_MEMORY_BYTES, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return mem == MAP_FAILED ? NULL : mem;
}

static void memory_free(uint8_t *mem, uint64_t bytes)
{
    munmap(mem, bytes + EXERCISER_BAR2_MEMORY_BYTES);
}

static void memory_clear(struct exerciser *ex)
{
    size_t bytes = ex->mem_bytes + EXERCISER_BAR2_MEMORY_BYTES;

    if (ex->mem_used && madvise(ex->mem, bytes, MADV_DONTNEED))
        memset(ex->mem, 0, bytes);
    ex->mem_used = false;
}

/* Every reset leaves nothing behind but scratch3, rrs_us and reset_count; of a Virtual Function
 * nothing that its user wrote, as the next user may be another one (PCIe Base 6.0, 6.6.2). */
static void function_reset(void *owner, enum endpoint_reset kind)
{
    struct exerciser *ex = owner;
    bool cold = kind == ENDPOINT_RESET_COLD, forgets = cold || ex->pci->pf;
    uint64_t rrs_us = reg_get(ex->regs, EXERCISER_RRS_US);

    exerciser_channels_reset(ex);
    memory_clear(ex);
    ex->resets = cold ? 0 : ex->resets + 1;
    reg_space_reset(ex->regs, forgets ? REG_RESET_COLD : REG_RESET_WARM);
    endpoint_set_ltr(ex->func, 0);
    exerciser_update_intx(ex);
    if (!cold)
        endpoint_set_not_ready(ex->func, rrs_us * PS_PER_US);
}

static void config_changed(void *owner)
{
    exerciser_update_intx(owner);
}

static void function_destroy(void *owner)
{
    struct exerciser *ex = owner;

    exerciser_channels_reset(ex);
    reg_space_free(ex->regs);
    memory_free(ex->mem, ex->mem_bytes);
    g_free(ex->name);
    g_free(ex);
}

static const struct endpoint_func_ops function_ops = {
    .bar_read = bar_read,
    .bar_write = bar_write,
    .defer = defer_write,
    .reset = function_reset,
    .config_changed = config_changed,
    .destroy = function_destroy,
};

/* One function: which, and of a Virtual Function also which of the function's. */
struct place {
    unsigned number;
    int vf; /* -1: the Physical Function, or the only one */
};

static void place_registers(struct exerciser *ex, const struct exerciser_params *params,
                            struct place place)
{
    uint64_t features = EXERCISER_FEATURE_ATOMICS | EXERCISER_FEATURE_DMWR | EXERCISER_FEATURE_DMA |
                        EXERCISER_FEATURE_MSIX | (params->msi_vectors ? EXERCISER_FEATURE_MSI : 0);

    if (params->ats)
        features |= EXERCISER_FEATURE_ATS | EXERCISER_FEATURE_PRI | EXERCISER_FEATURE_PASID;
    /* A Virtual Function has neither pins nor I/O space (PCIe Base 6.0, 9.3.4.1.11, 9.5). */
    if (place.vf < 0)
        features |= EXERCISER_FEATURE_INTX | (params->no_io ? 0 : EXERCISER_FEATURE_IO);
    /* The rest of BAR 0 is empty. */
    ex->regs = reg_space_new(EXERCISER_CHANNEL(EXERCISER_CHANNEL_COUNT), ex);
    reg_space_place(ex->regs, 0, global_regs, ARRAY_LEN(global_regs));
    for (unsigned c = 0; c < EXERCISER_CHANNEL_COUNT; c++)
        reg_space_place(ex->regs, EXERCISER_CHANNEL(c), channel_regs, ARRAY_LEN(channel_regs));
    reg_hwinit(ex->regs, EXERCISER_FEATURES, features);
    reg_hwinit(ex->regs, EXERCISER_FUNCTION,
               place.number | params->functions << 8 | (unsigned)(place.vf + 1) << 16);
    reg_hwinit(ex->regs, EXERCISER_VECTORS, params->msix_vectors | params->msi_vectors << 16);
    reg_hwinit(ex->regs, EXERCISER_MEM_BYTES, ex->mem_bytes);
    reg_space_reset(ex->regs, REG_RESET_COLD);
}

static void add_bars(struct exerciser *ex, const struct exerciser_params *params, unsigned number)
{
    pci_func_set_bar(ex->pci, BAR_REGS, PCI_BAR_MEM32, EXERCISER_BAR0_BYTES);
    if (!params->no_io)
        pci_func_set_bar(ex->pci, BAR_IO, PCI_BAR_IO, EXERCISER_BAR1_BYTES);
    pci_func_set_bar(ex->pci, BAR_MSIX, PCI_BAR_MEM64, EXERCISER_BAR2_BYTES);
    pci_func_set_bar(ex->pci, BAR_MEM, PCI_BAR_MEM64_PREF, params->mem_bytes);
    pci_func_set_multifunction(ex->pci, params->functions > 1);
    pci_func_set_interrupt_pin(ex->pci, (uint8_t)(number % 4 + 1));
}

static void add_capabilities(struct exerciser *ex, const struct exerciser_params *params,
                             struct place place)
{
    struct pcie_params pcie = params->pcie;
    bool vf = place.vf >= 0;
    unsigned next = !vf && place.number + 1 < params->functions ? place.number + 1 : 0;

    pcie.flr = pcie.atomics = pcie.dmwr = true;
    pcie.prefixes = TLP_END_END_MAX;
    pci_cap_pm_add(ex->pci);
    if (params->msi_vectors)
        pci_cap_msi_add(ex->pci,
                        &(struct pci_msi_params){.vectors = params->msi_vectors, .maskable = true});
    pci_cap_msix_add(ex->pci, params->msix_vectors, BAR_MSIX, EXERCISER_BAR2_MSIX_TABLE,
                     EXERCISER_BAR2_MSIX_PBA);
    pci_cap_pcie_add(ex->pci, &pcie);
    if (place.number == 0 && !vf)
        pci_cap_dsn_add(ex->pci, (uint64_t)ENDPOINT_VENDOR_ID << 48 | g_str_hash(params->name));
    if (pcie.type == PCIE_ENDPOINT) /* an ARI Device has an Upstream Port (PCIe Base 6.0, 6.13) */
        pci_cap_ari_add(ex->pci, (uint8_t)next);
    if (!vf)
        pci_cap_dev3_add(ex->pci);
    if (params->ats)
        exerciser_ats_add(ex, !vf);
}

/* VFs of all functions take turns with their numbers: behind the functions where ARI lets the
 * bus have more than eight, else from the next bus number on. */
static void add_sriov(struct exerciser *ex, const struct exerciser_params *params,
                      struct pci_func *lead)
{
    const struct pci_sriov_params sriov = {
        .total_vfs = (uint16_t)params->vfs,
        .vf_device = ENDPOINT_DEVICE_VF,
        .place = {{256, (uint16_t)params->functions},
                  {(uint16_t)params->functions, (uint16_t)params->functions}},
        .page_sizes = VF_PAGE_SIZES,
        .lead = lead,
    };

    pci_cap_sriov_add(ex->pci, &sriov);
    pci_sriov_set_bar(ex->pci, BAR_REGS, PCI_BAR_MEM32, EXERCISER_BAR0_BYTES);
    pci_sriov_set_bar(ex->pci, BAR_MSIX, PCI_BAR_MEM64, EXERCISER_BAR2_BYTES);
    pci_sriov_set_bar(ex->pci, BAR_MEM, PCI_BAR_MEM64_PREF, params->vf_mem_bytes);
}

static struct exerciser *exerciser_prepare(const struct exerciser_params *params,
                                           struct place place, uint8_t *mem)
{
    struct exerciser *ex = g_new0(struct exerciser, 1);

    if (place.vf >= 0)
        ex->name = g_strdup_printf("%s.%u.vf%d", params->name, place.number, place.vf);
    else if (params->functions > 1)
        ex->name = g_strdup_printf("%s.%u", params->name, place.number);
    else
        ex->name = g_strdup(params->name);
    ex->mem = mem;
    ex->mem_bytes = place.vf >= 0 ? params->vf_mem_bytes : params->mem_bytes;
    ex->bar2_mem = mem + ex->mem_bytes;
    place_registers(ex, params, place);
    return ex;
}

static struct exerciser *function_add(struct endpoint *ep, const struct exerciser_params *params,
                                      unsigned number, uint8_t *mem)
{
    const struct place place = {number, -1};
    struct exerciser *ex = exerciser_prepare(params, place, mem);
    struct endpoint_func_desc desc = {
        .name = ex->name,
        .ids = {.vendor = ENDPOINT_VENDOR_ID,
                .device = ENDPOINT_DEVICE_EXERCISER,
                .subvendor = ENDPOINT_VENDOR_ID,
                .subdevice = ENDPOINT_DEVICE_EXERCISER,
                .class_code = ENDPOINT_CLASS_EXERCISER,
                .revision = 1},
        .ops = &function_ops,
        .owner = ex,
    };

    ex->func = endpoint_add_func(ep, &desc);
    ex->pci = endpoint_func_pci(ex->func);
    ex->sim = endpoint_sim(ex->func);
    exerciser_channels_init(ex);
    add_bars(ex, params, number);
    add_capabilities(ex, params, place);
    return ex;
}

static void vf_add(struct exerciser *pf, const struct exerciser_params *params, struct place place,
                   uint8_t *mem)
{
    struct exerciser *ex = exerciser_prepare(params, place, mem);
    const struct endpoint_func_desc desc = {.name = ex->name, .ops = &function_ops, .owner = ex};

    ex->func = endpoint_add_vf(pf->func, &desc);
    ex->pci = endpoint_func_pci(ex->func);
    ex->sim = endpoint_sim(ex->func);
    exerciser_channels_init(ex);
    add_capabilities(ex, params, place);
}

/* NULL when the host has no room for the memory of all functions; VFs' come behind. */
static uint8_t **memories_new(const struct exerciser_params *params)
{
    unsigned count = params->functions * (1 + params->vfs);
    uint8_t **mem = g_new0(uint8_t *, count);

    for (unsigned i = 0; i < count; i++) {
        mem[i] = memory_new(i < params->functions ? params->mem_bytes : params->vf_mem_bytes);
        if (mem[i])
            continue;
        while (i-- > 0)
            memory_free(mem[i], i < params->functions ? params->mem_bytes : params->vf_mem_bytes);
        g_free(mem);
        return NULL;
    }
    return mem;
}

struct endpoint *exerciser_new(struct fabric *fabric, const struct exerciser_params *params)
{
    struct pci_func *lead = NULL;
    unsigned at = params->functions;

    assert(params->functions >= 1 && params->functions <= 8);
    assert(params->msix_vectors >= 1 && params->msix_vectors <= 2048);
    assert(params->msi_vectors <= 32);
    assert(is_power_of_2(params->mem_bytes) && params->mem_bytes >= 4096);
    assert(params->vfs <= EXERCISER_VFS_MAX);
    assert(!params->vfs || params->pcie.type == PCIE_ENDPOINT);

    uint8_t **mem = memories_new(params);
    if (!mem)
        return NULL;

    struct endpoint *ep = endpoint_new(fabric, params->name);
    for (unsigned i = 0; i < params->functions; i++) {
        struct exerciser *ex = function_add(ep, params, i, mem[i]);

        if (!params->vfs)
            continue;
        lead = lead ? lead : ex->pci;
        add_sriov(ex, params, lead);
        for (unsigned v = 0; v < params->vfs; v++)
            vf_add(ex, params, (struct place){i, (int)v}, mem[at++]);
    }
    g_free(mem);
    endpoint_ready(ep);
    return ep;
}
