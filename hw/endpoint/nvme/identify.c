/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Identify (Base 2.0, 5.17; NVM 1.0, 4.1.5). */
#include "nvme.h"

#include "pcilab/endpoint/ids.h"

#define CDW10_CNS   GENMASK(7, 0)
#define CDW10_CNTID GENMASK(31, 16)
#define CDW11_CSI   GENMASK(31, 24)

#define MODEL "pcilab NVMe Controller"

struct field {
    const char *name;
    uint16_t offset;
    uint8_t width;
    uint64_t value;
};

/* Identify Controller, figure 275: what is the same for every controller of ours; 0 elsewhere. */
static const struct field controller_fields[] = {
    {"vid", 0, 2, ENDPOINT_VENDOR_ID},
    {"ssvid", 2, 2, ENDPOINT_VENDOR_ID},
    {"rab", 72, 1, 3},
    {"ieee", 73, 2, 0}, /* CHOICE: no OUI is ours; identifiers are UUIDs */
    {"mdts", 77, 1, NVME_MDTS},
    {"ver", 80, 4, NVME_VERSION},
    {"oaes", 92, 4, NVME_NOTICE_NAMESPACE},
    {"ctratt", 96, 4, BIT(0)}, /* host identifiers of 16 bytes */
    {"cntrltype", 111, 1, 1},  /* I/O controller */
    {"acl", 258, 1, NVME_ABORT_MAX - 1},
    {"aerl", 259, 1, NVME_AER_MAX - 1},
    {"frmw", 260, 1, 0x03},                    /* one slot, read-only */
    {"lpa", 261, 1, BIT(1) | BIT(2) | BIT(5)}, /* effects, offsets, supported pages */
    {"elpe", 262, 1, NVME_ERROR_LOG_ENTRIES - 1},
    {"wctemp", 266, 2, 343},
    {"cctemp", 268, 2, 353},
    {"sqes", 512, 1, 0x66},
    {"cqes", 513, 1, 0x44},
    {"nn", 516, 4, NVME_NAMESPACES},
    {"oncs", 520, 2, BIT(0) | BIT(2) | BIT(3) | BIT(4) | BIT(6) | BIT(7)},
    {"fuses", 522, 2, BIT(0)}, /* compare and write */
    {"vwc", 525, 1, 0x07},     /* present; Flush takes all namespaces at once */
    {"awun", 526, 2, NVME_ACWU_BLOCKS - 1},
    {"acwu", 532, 2, NVME_ACWU_BLOCKS - 1},
    /* SGLs without alignment, bit buckets, longer than the data */
    {"sgls", 536, 4, BIT(0) | BIT(16) | BIT(18)},
    {"mnan", 540, 4, NVME_NAMESPACES},
    {"mp", 2048, 2, 900}, /* power state 0: 9 W */
};

static void put_string(uint8_t *to, const char *text, size_t width)
{
    size_t len = MIN(strlen(text), width);

    memset(to, ' ', width);
    for (size_t i = 0; i < len; i++) {
        to[i] = g_ascii_isprint(text[i]) ? (uint8_t)text[i] : '?';
    }
}

/* What the structures of an identifier that names nothing are (Base 2.0, 5.17.2): zeroes, or for
 * one that cannot name anything an error. */
static uint16_t unknown_status(const struct nvme_cmd *cmd)
{
    bool valid = cmd->nsid >= 1 && cmd->nsid <= NVME_NAMESPACES;

    return valid ? NVME_OK : NVME_INVALID_NAMESPACE | NVME_STATUS_DNR;
}

/* The namespace if it is there at all, attached or not. */
static const struct nvme_namespace *allocated(const struct nvme_cmd *cmd)
{
    const struct nvme_namespace *ns = cmd->ctrl->subsys->ns;

    return cmd->nsid >= 1 && cmd->nsid <= NVME_NAMESPACES && ns[cmd->nsid - 1].exists
               ? &ns[cmd->nsid - 1]
               : NULL;
}

static void put_namespace(uint8_t *page, const struct nvme_namespace *ns)
{
    le64_store(page, ns->blocks);      /* nsze */
    le64_store(page + 8, ns->blocks);  /* ncap */
    le64_store(page + 16, ns->blocks); /* nuse */
    page[26] = ns->format;             /* flbas */
    page[30] = ns->shared;             /* nmic */
    le64_store(page + 48, ns->bytes);  /* nvmcap */
    page[99] = ns->write_protected;    /* nsattr */
}

/* What all namespaces have in common, and all that can be made. */
static void put_formats(uint8_t *page)
{
    page[25] = NVME_FORMATS - 1; /* nlbaf */
    page[33] = BIT(0) | BIT(3);  /* dlfeat: deallocated reads as 0, also by Write Zeroes */
    for (unsigned i = 0; i < NVME_FORMATS; i++) {
        page[128 + i * 4 + 2] = nvme_format_shift(i); /* lbads */
    }
}

/* CNS 00h and 11h: NVM 4.1.5.1 */
static uint16_t identify_namespace(struct nvme_cmd *cmd, uint8_t *page)
{
    const struct nvme_namespace *ns = nvme_find_namespace(cmd->ctrl, cmd->nsid);

    if (!ns && cmd->nsid != NVME_NSID_ALL) {
        return unknown_status(cmd);
    }
    put_formats(page);
    if (ns) {
        put_namespace(page, ns);
    }
    return NVME_OK;
}

static uint16_t identify_allocated(struct nvme_cmd *cmd, uint8_t *page)
{
    const struct nvme_namespace *ns = allocated(cmd);

    if (!ns) {
        return unknown_status(cmd);
    }
    put_formats(page);
    put_namespace(page, ns);
    return NVME_OK;
}

#define CMIC_CONTROLLERS BIT(1)
#define CMIC_VF          BIT(2)

/* What the optional admin commands amount to. */
static uint16_t find_oacs(const struct nvme *ctrl)
{
    static const struct {
        uint8_t opcode, bit;
    } commands[] = {{NVME_ADMIN_FORMAT, 1},
                    {NVME_ADMIN_NS_MANAGEMENT, 3},
                    {NVME_ADMIN_VIRTUALIZATION, 7},
                    {NVME_ADMIN_DOORBELL_BUFFER, 8}};
    unsigned oacs = 0;

    for (unsigned i = 0; i < ARRAY_LEN(commands); i++) {
        oacs |= (unsigned)(ctrl->admin_op[commands[i].opcode] != NULL) << commands[i].bit;
    }
    return (uint16_t)oacs;
}

/* CNS 01h */
static uint16_t identify_controller(struct nvme_cmd *cmd, uint8_t *page)
{
    for (unsigned i = 0; i < ARRAY_LEN(controller_fields); i++) {
        const struct field *field = &controller_fields[i];
        le_store(page + field->offset, field->value, field->width);
    }
    const struct nvme_subsys *subsys = cmd->ctrl->subsys;

    put_string(page + 4, subsys->serial, 20);
    put_string(page + 24, MODEL, 40);
    put_string(page + 64, NVME_FIRMWARE, 8);
    page[76] = subsys->flexible ? CMIC_CONTROLLERS | (cmd->ctrl->cntlid ? CMIC_VF : 0) : 0;
    le16_store(page + 78, cmd->ctrl->cntlid);
    le16_store(page + 256, find_oacs(cmd->ctrl));
    le64_store(page + 280, subsys->storage.size_bytes); /* tnvmcap */
    le64_store(page + 296, nvme_capacity_left(subsys)); /* unvmcap */
    memcpy(page + 768, subsys->nqn, strlen(subsys->nqn));
    return NVME_OK;
}

/* CNS 02h and, for the NVM command set, 07h: active namespaces above NSID. */
static uint16_t identify_active_list(struct nvme_cmd *cmd, uint8_t *page)
{
    if (cmd->nsid >= NVME_NSID_ALL - 1) {
        return NVME_INVALID_NAMESPACE | NVME_STATUS_DNR;
    }
    for (uint32_t nsid = cmd->nsid + 1; nsid <= NVME_NAMESPACES; nsid++) {
        if (nvme_find_namespace(cmd->ctrl, nsid)) {
            le32_store(page, nsid);
            page += 4;
        }
    }
    return NVME_OK;
}

/* CNS 10h and, for the NVM command set, 1Ah: those that exist. */
static uint16_t identify_allocated_list(struct nvme_cmd *cmd, uint8_t *page)
{
    if (cmd->nsid >= NVME_NSID_ALL - 1) {
        return NVME_INVALID_NAMESPACE | NVME_STATUS_DNR;
    }
    for (uint32_t nsid = cmd->nsid + 1; nsid <= NVME_NAMESPACES; nsid++) {
        if (cmd->ctrl->subsys->ns[nsid - 1].exists) {
            le32_store(page, nsid);
            page += 4;
        }
    }
    return NVME_OK;
}

/* CNS 12h and 13h: controllers from CNTID on, with the namespace or all. */
static void put_controllers(struct nvme_cmd *cmd, const struct nvme_namespace *ns, uint8_t *page)
{
    unsigned from = (unsigned)FIELD_GET(CDW10_CNTID, nvme_dword(cmd, SQE_CDW10)), count = 0;

    for (unsigned i = from; i < cmd->ctrl->subsys->ctrls; i++) {
        if (!ns || nvme_attached(ns, i)) {
            le16_store(page + 2 + count++ * 2, (uint16_t)i);
        }
    }
    le16_store(page, (uint16_t)count);
}

static uint16_t identify_attached(struct nvme_cmd *cmd, uint8_t *page)
{
    const struct nvme_namespace *ns = allocated(cmd);

    if (!ns) {
        return unknown_status(cmd);
    }
    put_controllers(cmd, ns, page);
    return NVME_OK;
}

static uint16_t identify_controllers(struct nvme_cmd *cmd, uint8_t *page)
{
    put_controllers(cmd, NULL, page);
    return NVME_OK;
}

/* CNS 03h: the UUID and the command set of a namespace. */
static uint16_t identify_descriptors(struct nvme_cmd *cmd, uint8_t *page)
{
    const struct nvme_namespace *ns = nvme_find_namespace(cmd->ctrl, cmd->nsid);

    if (!ns) {
        return nvme_namespace_status(cmd->ctrl, cmd->nsid);
    }
    page[0] = 3; /* UUID */
    page[1] = sizeof(ns->uuid);
    memcpy(page + 4, ns->uuid, sizeof(ns->uuid));
    page[20] = 4; /* command set identifier: 0, NVM */
    page[21] = 1;
    return NVME_OK;
}

/* CNS 05h, NVM 4.1.5.3: no protection information, so all fields are 0. */
static uint16_t identify_nvm_namespace(struct nvme_cmd *cmd, uint8_t *page)
{
    return unknown_status(cmd);
}

/* CNS 06h, NVM 4.1.5.2: no limits beyond those of the commands. */
static uint16_t identify_nvm_controller(struct nvme_cmd *cmd, uint8_t *page)
{
    return NVME_OK;
}

/* CNS 08h (NVMe Base 2.0c, figure 280): Linux waits for a namespace that does not say Ready. */
static uint16_t identify_independent(struct nvme_cmd *cmd, uint8_t *page)
{
    const struct nvme_namespace *ns = nvme_find_namespace(cmd->ctrl, cmd->nsid);

    if (ns) {
        page[8] = ns->write_protected; /* nsattr */
        page[14] = 1;                  /* nstat: ready */
    }
    return unknown_status(cmd);
}

/* CNS 14h and 15h, of a primary controller with secondary ones. */
static uint16_t identify_primary(struct nvme_cmd *cmd, uint8_t *page)
{
    if (!cmd->ctrl->admin_op[NVME_ADMIN_VIRTUALIZATION]) {
        return NVME_INVALID_FIELD | NVME_STATUS_DNR;
    }
    nvme_identify_primary(cmd->ctrl, page);
    return NVME_OK;
}

static uint16_t identify_secondaries(struct nvme_cmd *cmd, uint8_t *page)
{
    if (!cmd->ctrl->admin_op[NVME_ADMIN_VIRTUALIZATION]) {
        return NVME_INVALID_FIELD | NVME_STATUS_DNR;
    }
    nvme_identify_secondaries(cmd->ctrl,
                              (unsigned)FIELD_GET(CDW10_CNTID, nvme_dword(cmd, SQE_CDW10)), page);
    return NVME_OK;
}

static const struct {
    uint8_t cns;
    bool has_csi;
    uint16_t (*compose)(struct nvme_cmd *cmd, uint8_t *page);
} structures[] = {
    {0x00, false, identify_namespace},      {0x01, false, identify_controller},
    {0x02, false, identify_active_list},    {0x03, false, identify_descriptors},
    {0x05, true, identify_nvm_namespace},   {0x06, true, identify_nvm_controller},
    {0x07, true, identify_active_list},     {0x08, false, identify_independent},
    {0x10, false, identify_allocated_list}, {0x11, false, identify_allocated},
    {0x12, false, identify_attached},       {0x13, false, identify_controllers},
    {0x14, false, identify_primary},        {0x15, false, identify_secondaries},
    {0x1a, true, identify_allocated_list},  {0x1b, true, identify_nvm_namespace},
};

static uint16_t identify_move(struct nvme_cmd *cmd, uint32_t pos, uint32_t len)
{
    uint64_t cns = FIELD_GET(CDW10_CNS, nvme_dword(cmd, SQE_CDW10));
    uint64_t csi = FIELD_GET(CDW11_CSI, nvme_dword(cmd, SQE_CDW11));

    memset(cmd->buf, 0, len);
    for (unsigned i = 0; i < ARRAY_LEN(structures); i++) {
        if (structures[i].cns == cns && !(structures[i].has_csi && csi)) {
            return structures[i].compose(cmd, cmd->buf);
        }
    }
    return NVME_INVALID_FIELD | NVME_STATUS_DNR;
}

void nvme_identify(struct nvme_cmd *cmd)
{
    nvme_transfer_start(cmd, true, NVME_PAGE_BYTES, identify_move, nvme_transfer_complete);
}

void nvme_make_uuid(uint8_t uuid[16], const char *serial, uint32_t number)
{
    g_autofree char *text = g_strdup_printf("pcilab nvme %s %u", serial, number);
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA1);
    uint8_t digest[20];
    gsize len = sizeof(digest);

    g_checksum_update(sum, (const guchar *)text, -1);
    g_checksum_get_digest(sum, digest, &len);
    g_checksum_free(sum);
    memcpy(uuid, digest, 16);
    uuid[6] = (uuid[6] & 0x0f) | 0x50;
    uuid[8] = (uuid[8] & 0x3f) | 0x80;
}
