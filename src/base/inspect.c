/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pcilab/base/inspect.h"

#include <stdarg.h>
#include <stdio.h>

#define TEXT_BYTES 512

void inspect_object(const struct inspect *in, const char *name)
{
    in->ops->open(in->opaque, name, false);
}

void inspect_object_end(const struct inspect *in)
{
    in->ops->close(in->opaque, false);
}

void inspect_list(const struct inspect *in, const char *name)
{
    in->ops->open(in->opaque, name, true);
}

void inspect_list_end(const struct inspect *in)
{
    in->ops->close(in->opaque, true);
}

void inspect_number(const struct inspect *in, const char *name, uint64_t value)
{
    in->ops->number(in->opaque, name, value);
}

void inspect_flag(const struct inspect *in, const char *name, bool value)
{
    in->ops->flag(in->opaque, name, value);
}

void inspect_text(const struct inspect *in, const char *name, const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    in->ops->text(in->opaque, name, text);
}

void inspect_hex(const struct inspect *in, const char *name, uint64_t value)
{
    inspect_text(in, name, "0x%llx", (unsigned long long)value);
}

void inspect_more(const struct inspect *in, uint64_t left_out)
{
    if (left_out)
        inspect_number(in, "left-out", left_out);
}
