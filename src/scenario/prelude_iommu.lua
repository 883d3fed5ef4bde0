-- SPDX-License-Identifier: GPL-2.0-or-later
-- Continues prelude.lua: they are one text, made of all parts

-- An IOMMU (VT-d 4.0: 9.1, 9.3 and 9.8 tables, 6.5.2 the queue, 11.4 registers), legacy mode.

local Iommu = {}
Iommu.__index = Iommu
local GCMD, GSTS, RTADDR, FSTS, IQT, IQA = 0x18, 0x1c, 0x20, 0x34, 0x88, 0x90
local QUEUE_ENTRIES = 256

--- iommu([address of its registers]): switches a VT-d unit on, with nothing mapped. :map(device,
--- address, memory, bytes[, "r" | "w"]), :unmap(device, address, bytes), :pass(device) (untranslated),
--- :flush() (context entries and translations), :flush_device(device) (the device's own cache, with
--- ATS; waits for its answer up to a time, true if it came), :fault() (the oldest recorded fault:
--- reason, source, address; nil: none), :ats(device) (its ATS is switched on)
function iommu(address)
    local self = setmetatable({at = address or 0xfed90000, tail = 0, domains = 0, tables = {},
                               contexts = {}}, Iommu)
    self.root, self.queue, self.status = alloc(4096), alloc(4096), alloc(4096)
    host:write64(self.at + IQA, self.queue)
    host:write64(self.at + IQT, 0)
    self:command(26)
    host:write64(self.at + RTADDR, self.root)
    self:command(30)
    self:flush()
    self:command(31)
    return self
end

function Iommu:command(bit)
    -- One-shot bits are not written again (11.4.4).
    local now_set = host:read32(self.at + GSTS) & 0x96ffffff
    host:write32(self.at + GCMD, now_set | 1 << bit)
    expect_soon(function() return host:read32(self.at + GSTS) >> bit & 1 == 1 end,
                "the IOMMU takes command bit " .. bit)
end

function Iommu:submit(low, high)
    host:write64(self.queue + 16 * self.tail, low)
    host:write64(self.queue + 16 * self.tail + 8, high)
    self.tail = (self.tail + 1) % QUEUE_ENTRIES
end

-- False: what was asked for is not over in time.
function Iommu:wait_queue(time)
    self.done = (self.done or 0) + 1
    self:submit(5 | 1 << 5 | self.done << 32, self.status)
    host:write64(self.at + IQT, self.tail << 4)
    local give_up = now() + (time or ms(1))
    while host:read32(self.status) ~= self.done and now() < give_up do
        wait(us(1))
    end
    return host:read32(self.status) == self.done
end

function Iommu:flush()
    self:submit(1 | 1 << 4, 0)
    self:submit(2 | 1 << 4 | 3 << 6, 0)
    return self:wait_queue()
end

function Iommu:flush_device(device, time)
    self:submit(3 | rid(device) << 32, 1 | 0x7ffffffffffff000)
    return self:wait_queue(time)
end

function Iommu:context(device)
    local id = rid(device)
    local bus = self.root + 16 * (id >> 8)
    if host:read64(bus) & 1 == 0 then
        host:write64(bus, alloc(4096) | 1)
    end
    return (host:read64(bus) & ~0xfff) + 16 * (id & 0xff)
end

function Iommu:set_context(device, kind)
    if not self.tables[device] then
        self.tables[device] = alloc(4096)
        self.domains = self.domains + 1
        host:write64(self:context(device) + 8, 2 | self.domains << 8)
    end
    host:write64(self:context(device), self.tables[device] | kind << 2 | 1)
end

local function entry_of(tables, address)
    for level = 3, 1, -1 do
        local at = tables + 8 * (address >> 12 + 9 * level & 511)
        if host:read64(at) == 0 then
            host:write64(at, alloc(4096) | 3)
        end
        tables = host:read64(at) & ~0xfff
    end
    return tables + 8 * (address >> 12 & 511)
end

function Iommu:map(device, address, memory, n, access)
    if not self.tables[device] then
        self:set_context(device, 0)
    end
    local bits = access == "r" and 1 or access == "w" and 2 or 3
    for page = 0, (n + 4095) // 4096 - 1 do
        host:write64(entry_of(self.tables[device], address + 4096 * page),
                     memory + 4096 * page | bits)
    end
end

function Iommu:unmap(device, address, n)
    for page = 0, (n + 4095) // 4096 - 1 do
        host:write64(entry_of(self.tables[device], address + 4096 * page), 0)
    end
end

function Iommu:pass(device)
    self:set_context(device, 2)
end

function Iommu:ats(device)
    self:set_context(device, 1)
    set_bits(device, "ats_control", 0x8000)
end

function Iommu:fault()
    local first = (host:read64(self.at + 8) >> 24 & 0x3ff) * 16
    for i = 0, host:read64(self.at + 8) >> 40 & 0xff do
        local record = self.at + first + 16 * i
        local high = host:read64(record + 8)
        if high < 0 then
            local address = host:read64(record)
            host:write32(record + 12, 1 << 31)
            return {reason = high >> 32 & 0xff, source = high & 0xffff, address = address & ~0xfff}
        end
    end
end
