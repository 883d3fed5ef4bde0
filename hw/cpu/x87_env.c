/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The x87 environment in memory: FNSTENV, FLDENV, FNSAVE, FRSTOR (SDM volume 1, section 8.1.10,
 * figures 8-9 to 8-12), and FNINIT.
 */
#include "pcilab/base/le.h"
#include "x87.h"

void x87_init(struct fpu *fpu)
{
    fpu->ctl = (struct fpu_ctl){.fcw = FCW_HOST};
}

/* Two bits for each physical register: valid, zero, special, empty (section 8.1.7). */
static uint16_t full_tags(const struct fpu *fpu)
{
    unsigned tags = 0;

    for (unsigned i = 0; i < 8; i++) {
        unsigned tag;
        if (!(fpu->ctl.ftw & 1u << i)) {
            tag = 3;
        } else {
            enum x87_class c = x87_classify(&fpu->st[i]);
            tag = c == X87_NORMAL ? 0 : c == X87_ZERO ? 1 : 2;
        }
        tags |= tag << (2 * i);
    }
    return (uint16_t)tags;
}

static uint8_t abridged_tags(uint16_t tags)
{
    uint8_t valid = 0;
    for (unsigned i = 0; i < 8; i++) {
        if ((tags >> (2 * i) & 3) != 3)
            valid |= (uint8_t)(1u << i);
    }
    return valid;
}

static bool is_32bit(enum fpu_env env)
{
    return env == FPU_ENV_PROT32 || env == FPU_ENV_REAL32;
}

static unsigned env_bytes(enum fpu_env env)
{
    return is_32bit(env) ? 28 : 14;
}

/* The pointers and the opcode, of 32-bit images. In real mode pointers are linear addresses. */
static void put_pointers32(const struct fpu_ctl *ctl, uint8_t *out, bool real)
{
    uint32_t ip = (uint32_t)ctl->fip, dp = (uint32_t)ctl->fdp;

    if (real) {
        ip += (uint32_t)ctl->fcs << 4;
        dp += (uint32_t)ctl->fds << 4;
        le32_store(out + 12, 0xFFFF0000u | (ip & 0xFFFF));
        le32_store(out + 16, (ip >> 16) << 12 | ctl->fop);
        le32_store(out + 20, 0xFFFF0000u | (dp & 0xFFFF));
        le32_store(out + 24, (dp >> 16) << 12);
        return;
    }
    le32_store(out + 12, ip);
    le32_store(out + 16, (uint32_t)ctl->fop << 16 | ctl->fcs);
    le32_store(out + 20, dp);
    le32_store(out + 24, 0xFFFF0000u | ctl->fds);
}

static void put_pointers16(const struct fpu_ctl *ctl, uint8_t *out, bool real)
{
    uint32_t ip = (uint32_t)ctl->fip, dp = (uint32_t)ctl->fdp;

    if (real) {
        ip += (uint32_t)ctl->fcs << 4;
        dp += (uint32_t)ctl->fds << 4;
    }
    le16_store(out + 6, (uint16_t)ip);
    le16_store(out + 8, real ? (uint16_t)((ip >> 16) << 12 | ctl->fop) : ctl->fcs);
    le16_store(out + 10, (uint16_t)dp);
    le16_store(out + 12, real ? (uint16_t)((dp >> 16) << 12) : ctl->fds);
}

static void put_env(const struct fpu *fpu, uint8_t *out, enum fpu_env env)
{
    const struct fpu_ctl *ctl = &fpu->ctl;

    if (is_32bit(env)) {
        /* The unused halves read as ones. */
        le32_store(out, 0xFFFF0000u | ctl->fcw);
        le32_store(out + 4, 0xFFFF0000u | ctl->fsw);
        le32_store(out + 8, 0xFFFF0000u | full_tags(fpu));
        put_pointers32(ctl, out, env == FPU_ENV_REAL32);
    } else {
        le16_store(out, ctl->fcw);
        le16_store(out + 2, ctl->fsw);
        le16_store(out + 4, full_tags(fpu));
        put_pointers16(ctl, out, env == FPU_ENV_REAL16);
    }
}

static void get_env(struct fpu *fpu, const uint8_t *in, enum fpu_env env)
{
    struct fpu_ctl *ctl = &fpu->ctl;
    unsigned step = is_32bit(env) ? 4 : 2;

    ctl->fcw = fpu_fcw_clean(le16_load(in));
    ctl->fsw = le16_load(in + step);
    ctl->ftw = abridged_tags(le16_load(in + 2 * step));
    ctl->fcs = ctl->fds = 0;
    switch (env) {
    case FPU_ENV_PROT32:
        ctl->fip = le32_load(in + 12);
        ctl->fop = le16_load(in + 18) & 0x7FF;
        ctl->fdp = le32_load(in + 20);
        break;
    case FPU_ENV_REAL32:
        ctl->fip = le16_load(in + 12) | (le32_load(in + 16) >> 12 & 0xFFFF) << 16;
        ctl->fop = le16_load(in + 16) & 0x7FF;
        ctl->fdp = le16_load(in + 20) | (le32_load(in + 24) >> 12 & 0xFFFF) << 16;
        break;
    case FPU_ENV_PROT16:
        ctl->fip = le16_load(in + 6);
        ctl->fdp = le16_load(in + 10);
        ctl->fop = 0;
        break;
    case FPU_ENV_REAL16:
        ctl->fip = le16_load(in + 6) | (uint32_t)(le16_load(in + 8) >> 12) << 16;
        ctl->fop = le16_load(in + 8) & 0x7FF;
        ctl->fdp = le16_load(in + 10) | (uint32_t)(le16_load(in + 12) >> 12) << 16;
        break;
    }
    fpu_update_es(ctl);
}

uint32_t x87_fnstenv(struct fpu *fpu, void *mem, enum fpu_env env)
{
    put_env(fpu, mem, env);
    fpu->ctl.fcw |= FCW_MASKS;
    fpu_update_es(&fpu->ctl);
    return FPU_OK;
}

uint32_t x87_fldenv(struct fpu *fpu, const void *mem, enum fpu_env env)
{
    get_env(fpu, mem, env);
    return FPU_OK;
}

uint32_t x87_fnsave(struct fpu *fpu, void *mem, enum fpu_env env)
{
    uint8_t *at = (uint8_t *)mem + env_bytes(env);

    put_env(fpu, mem, env);
    for (unsigned i = 0; i < 8; i++, at += 10) {
        le64_store(at, x87_st(fpu, i)->mantissa);
        le16_store(at + 8, x87_st(fpu, i)->sign_exp);
    }
    x87_init(fpu);
    return FPU_OK;
}

uint32_t x87_frstor(struct fpu *fpu, const void *mem, enum fpu_env env)
{
    const uint8_t *at = (const uint8_t *)mem + env_bytes(env);

    get_env(fpu, mem, env);
    for (unsigned i = 0; i < 8; i++, at += 10) {
        x87_st(fpu, i)->mantissa = le64_load(at);
        x87_st(fpu, i)->sign_exp = le16_load(at + 8);
    }
    return FPU_OK;
}
