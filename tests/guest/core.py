# SPDX-License-Identifier: GPL-2.0-or-later
"""Core files of kernels, ours and /proc/vmcore."""
import struct


class Core:
    """An ELF64 core file, read by the gABI alone."""

    def __init__(self, path):
        with open(path, "rb") as core:
            self.data = core.read()
        self.type, self.machine = struct.unpack_from("<HH", self.data, 16)
        offset, = struct.unpack_from("<Q", self.data, 32)
        count, = struct.unpack_from("<H", self.data, 56)
        self.segments = [struct.unpack_from("<IIQQQQQQ", self.data, offset + 56 * i)
                         for i in range(count)]
        self.notes = list(self.read_notes(*self.segments[0][2::3][:2]))

    def read_notes(self, at, size):
        end = at + size
        while at < end:
            name_len, size, kind = struct.unpack_from("<III", self.data, at)
            name = self.data[at + 12:at + 12 + name_len - 1].decode()
            at += 12 + (name_len + 3) // 4 * 4
            yield name, kind, self.data[at:at + size]
            at += (size + 3) // 4 * 4

    def info(self):
        text = next(data for name, _, data in self.notes if name == "VMCOREINFO").decode()
        return dict(line.split("=", 1) for line in text.splitlines())

    def virtual(self, address, size):
        for kind, _, offset, start, _, length, _, _ in self.segments:
            if kind == 1 and start <= address < start + length:
                return self.data[offset + address - start:offset + address - start + size]
        return b""

    def registers(self):
        """(rip, rsp) of each processor."""
        found = [struct.unpack_from("<27Q", data, 112) for name, kind, data in self.notes
                 if (name, kind) == ("CORE", 1)]
        return [(regs[16], regs[19]) for regs in found]
