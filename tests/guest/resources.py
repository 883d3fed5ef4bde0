# SPDX-License-Identifier: GPL-2.0-or-later
"""Resources of PCI functions: as a dump of configuration space has them, and as sysfs of a guest
tells them. An item is (function, place): (kind, size, first address); the place is "BAR 0" or
"window io", the kind of memory has the flags of the BAR or window."""
import re

UNSET = 0x20000000
SIZES = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
WINDOWS = ("io", "memory", "prefetchable")


def kind_of(flags):
    """From IORESOURCE_* (include/linux/ioport.h)."""
    if flags & 0x100:
        return "io"
    return "memory" + (" pref" if flags & 0x2000 else "") + (" 64" if flags & 0x100000 else "")


def guest_resources(text):
    """`text` has a line "DEV 0000:00:1f.0" before each file "resource" of sysfs. What the kernel
    could not place has the address None."""
    found = {}
    name, row = None, 0
    for line in text.splitlines():
        if line.startswith("DEV "):
            name, row = line[4:].strip(), 0
            continue
        fields = re.fullmatch(r"0x([0-9a-f]{16}) 0x([0-9a-f]{16}) 0x([0-9a-f]{16})", line.strip())
        if not fields or name is None:
            continue
        first, last, flags = (int(field, 16) for field in fields.groups())
        place = (f"BAR {row}" if row < 6 else
                 f"window {WINDOWS[row - 13]}" if 13 <= row < 16 else None)
        row += 1
        if place and flags & 0x300 and (last or first):
            found[name, place] = (kind_of(flags), last - first + 1,
                                  None if flags & UNSET else first)
    return found


def read_dump(path):
    """{function: (bytes, {BAR: size})} of a .cfg that an import wrote."""
    functions, config, sizes = {}, None, None
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            head = re.match(r"([0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]) ", line)
            size = re.match(r"\tRegion (\d): .*\[size=(\d+)([KMGT]?)\]", line)
            row = re.match(r"([0-9a-f]+):((?: [0-9a-f]{2}){16})$", line.rstrip())
            if head:
                config, sizes = bytearray(4096), {}
                functions[head.group(1)] = (config, sizes)
            elif size:
                sizes[int(size.group(1))] = int(size.group(2)) * SIZES[size.group(3)]
            elif row:
                at = int(row.group(1), 16)
                config[at:at + 16] = bytes.fromhex(row.group(2))
    return functions


def little(config, at, size):
    return int.from_bytes(config[at:at + size], "little")


def bars(config, sizes):
    for bar, size in sizes.items():
        value = little(config, 0x10 + 4 * bar, 4)
        if value & 1:
            yield f"BAR {bar}", ("io", size, value & ~3)
            continue
        wide = value & 6 == 4
        kind = "memory" + (" pref" if value & 8 else "") + (" 64" if wide else "")
        high = little(config, 0x14 + 4 * bar, 4) << 32 if wide else 0
        yield f"BAR {bar}", (kind, size, (value & ~15) | high)


def windows(config):
    """PCI-to-PCI Bridge 1.2, 3.2.5: those that are open."""
    first, last = (config[0x1c] & 0xf0) << 8, (config[0x1d] & 0xf0) << 8 | 0xfff
    if config[0x1c] & 15 == 1:
        first, last = first | little(config, 0x30, 2) << 16, last | little(config, 0x32, 2) << 16
    if 0 < first <= last:
        yield "window io", ("io", last - first + 1, first)
    for name, at in (("memory", 0x20), ("prefetchable", 0x24)):
        first = (little(config, at, 2) & 0xfff0) << 16
        last = (little(config, at + 2, 2) & 0xfff0) << 16 | 0xfffff
        kind = "memory"
        if name == "prefetchable":
            kind += " pref"
            if config[at] & 15 == 1:
                kind += " 64"
                first |= little(config, 0x28, 4) << 32
                last |= little(config, 0x2c, 4) << 32
        if 0 < first <= last:
            yield "window " + name, (kind, last - first + 1, first)


def dump_resources(path):
    found = {}
    for name, (config, sizes) in read_dump(path).items():
        for place, item in bars(config, sizes):
            found[name, place] = item
        if config[0x0e] & 0x7f == 1:
            for place, item in windows(config):
                found[name, place] = item
    return found
