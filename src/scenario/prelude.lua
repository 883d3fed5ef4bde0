-- SPDX-License-Identifier: GPL-2.0-or-later
-- The words of scenarios, made of the verbs that src/scenario/verbs.c lists. Everything global here
-- is a word; docs/scenarios-words.md is made from the comments that begin with "---".
local verb = ...

-- Lua itself, made the same in every run.

local rank = {number = 1, string = 2, boolean = 3}
local raw_next = next

local function in_order(a, b)
    local kind_a, kind_b = type(a), type(b)
    if kind_a ~= kind_b then
        return rank[kind_a] < rank[kind_b]
    elseif kind_a == "boolean" then
        return not a and b
    end
    return a < b
end

local function sorted_keys(t)
    local keys = {}
    for key in raw_next, t do
        if not rank[type(key)] then
            verb.bad("pairs: only numbers, texts and booleans have an order; a key is a " .. type(key))
        end
        keys[#keys + 1] = key
    end
    table.sort(keys, in_order)
    return keys
end

function pairs(t)
    local keys, at = sorted_keys(t), 0
    return function()
        repeat
            at = at + 1
        until keys[at] == nil or t[keys[at]] ~= nil
        return keys[at], t[keys[at]]
    end
end

function next(t, after)
    local found = after == nil
    for _, key in ipairs(sorted_keys(t)) do
        if found then
            return key, t[key]
        end
        found = key == after
    end
end

function print(...)
    local words = table.pack(...)
    for i = 1, words.n do
        words[i] = tostring(words[i])
    end
    verb.say(table.concat(words, " "))
end

-- Helpers.

local function hex(v)
    return math.type(v) == "integer" and string.format("%#x", v) or tostring(v)
end

local function whole(v)
    return math.tointeger(math.floor(v + 0.5))
end

local function number_of(bytes)
    local n = #bytes
    if n > 8 then
        verb.bad("a number is of at most 8 bytes")
    end
    return (string.unpack("<I" .. n, bytes))
end

local function bytes_of(value, n)
    if type(value) == "string" then
        return value
    end
    value = value & (n == 8 and -1 or (1 << n * 8) - 1)
    return n == 8 and string.pack("<i8", value) or string.pack("<I" .. n, value)
end

local function keys_known(what, t, known)
    for key in pairs(t) do
        if not known[key] then
            verb.bad(what .. ': there is no key "' .. tostring(key) .. '"')
        end
    end
end

local function set_of(words)
    local set = {}
    for word in words:gmatch("%S+") do
        set[word] = true
    end
    return set
end

-- Time.

--- ns(n), us(n), ms(n), s(n): times, as whole numbers of picoseconds.
function ns(n) return whole(n * 1000) end
function us(n) return whole(n * 1000000) end
function ms(n) return whole(n * 1000000000) end
function s(n) return whole(n * 1000000000000) end
--- wait(time): goes on when so much virtual time is over.
function wait(time) verb.sleep(time) end
--- now(): virtual time in picoseconds.
function now() return verb.now() end
--- seed(): that of the run. math.random() follows it.
function seed() return verb.seed() end
--- spawn(function): runs beside the rest.
function spawn(fn) verb.spawn(fn) end
--- after(time, function): the same, later.
function after(time, fn)
    verb.spawn(function()
        verb.sleep(time)
        fn()
    end)
end

-- The machine.

--- machine{topology = "default", guest = false, memory = "1G", cpus = 1, timing = "link",
--- append = "..."}: makes the machine. The topology is a name of configs/, a file or the text of
--- one. Without a guest, pcilab enumerates it and the scenario is the processor.
function machine(spec)
    if type(spec) == "string" then
        spec = {topology = spec}
    end
    for _, key in ipairs {"memory", "cpus"} do
        if spec[key] then
            spec[key] = tostring(spec[key])
        end
    end
    verb.machine(spec)
end

-- Expectations.

local function passed(text)
    verb.passed(text or "an expectation")
end

--- expect(condition, text): fails unless the condition is true.
function expect(condition, text)
    if not condition then
        verb.fail("expected: " .. (text or "a true condition"))
    end
    passed(text)
    return condition
end

--- expect_eq(seen, expected, text): fails unless they are equal.
function expect_eq(seen, expected, text)
    if seen ~= expected then
        verb.fail(string.format("%s: expected %s, seen %s", text or "a value", hex(expected),
                                hex(seen)))
    end
    passed(text)
end

--- expect_soon(function, text[, time]): fails unless the function returns true within that time (1
--- ms), looked at every hundredth of it.
function expect_soon(fn, text, time)
    time = time or ms(1)
    for _ = 1, 100 do
        if fn() then
            return passed(text)
        end
        verb.sleep(math.max(time // 100, 1))
    end
    expect(fn(), text)
end

--- broken(): pcilab run --broken was asked for: a scenario of a bug does as the buggy kernel did.
function broken() return verb.broken() end

--- expect_rule(words): somebody broke a rule, or changed state, and the trace says so in words that
--- contain these.
function expect_rule(words)
    expect(verb.saw(words) > 0, 'a trace line with "' .. words .. '"')
end
--- saw(words): how many such lines there were.
function saw(words) return verb.saw(words) end

-- Registers.

local names = {
    ["aer.uncorrectable"] = "uncorrectable_error_status",
    ["aer.uncorrectable_mask"] = "uncorrectable_error_mask",
    ["aer.severity"] = "uncorrectable_error_severity",
    ["aer.correctable"] = "correctable_error_status",
    ["aer.correctable_mask"] = "correctable_error_mask",
    ["aer.control"] = "advanced_error_capabilities_control",
    ["aer.root_command"] = "root_error_command",
    ["aer.root_status"] = "root_error_status",
    ["aer.source"] = "error_source_identification",
    ["acs.control"] = "acs_control",
    ["slot.status"] = "slot_status",
    ["slot.control"] = "slot_control",
    ["link.status"] = "link_status",
    ["link.control"] = "link_control",
    ["device.status"] = "device_status",
    ["device.control"] = "device_control",
}

--- UNCOR, COR, STATUS, CONTROL, SLOT, LINK: bits of registers, by name (PCIe Base 6.0, 7.8.4,
--- 7.5.3, 7.5.1).
UNCOR = {DLP = 1 << 4, SURPRISE = 1 << 5, POISONED = 1 << 12, FLOW_CONTROL = 1 << 13,
         TIMEOUT = 1 << 14, ABORT = 1 << 15, UNEXPECTED = 1 << 16, OVERFLOW = 1 << 17,
         MALFORMED = 1 << 18, ECRC = 1 << 19, UNSUPPORTED = 1 << 20, ACS = 1 << 21,
         ATOMIC_BLOCKED = 1 << 24, PREFIX_BLOCKED = 1 << 25}
COR = {RECEIVER = 1 << 0, BAD_TLP = 1 << 6, BAD_DLLP = 1 << 7, ROLLOVER = 1 << 8,
       REPLAY_TIMEOUT = 1 << 12, ADVISORY = 1 << 13}
STATUS = {COR = 1, NONFATAL = 2, FATAL = 4, UNSUPPORTED = 8}
CONTROL = {ERRORS = 0xf, MASTER = 4, MEMORY = 2, FLR = 1 << 15}
SLOT = {BUTTON = 1, FAULT = 2, LATCH_CHANGED = 4, PRESENCE_CHANGED = 8, COMPLETED = 16,
        LATCH_OPEN = 32, PRESENT = 64, LINK_CHANGED = 256, POWER_OFF = 1 << 10}
LINK = {TRAINING = 1 << 11, ACTIVE = 1 << 13, MANAGEMENT = 1 << 14, AUTONOMOUS = 1 << 15,
        DISABLE = 1 << 4, RETRAIN = 1 << 5}
ROOT = {COR = 1, UNCOR = 4, FATAL = 16, NONFATAL_RECEIVED = 32, FATAL_RECEIVED = 64}

local function register(name)
    return names[name] or name
end

--- reg(component, register): the register's value, looked at without a TLP. Registers are named as
--- in the tables of `pcilab inspect`, or "aer.uncorrectable" and the like.
function reg(component, name) return verb.reg(component, register(name)) end
--- registers(component): all of its configuration space: a list of {name, offset, width, value}.
function registers(component) return verb.registers(component) end
--- components(): the names of all.
function components() return verb.names() end
--- flip(component, register, mask): bits change by themselves.
function flip(component, name, mask) verb.flip(component, register(name), mask) end
--- expect_bits(component, register, bits): these are set.
function expect_bits(component, name, bits)
    local value = reg(component, name)
    expect(value & bits == bits, string.format("%s of %s has %s set, it is %s", name, component,
                                               hex(bits), hex(value)))
end
--- expect_clear(component, register, bits): these are not.
function expect_clear(component, name, bits)
    local value = reg(component, name)
    expect(value & bits == 0, string.format("%s of %s has %s clear, it is %s", name, component,
                                            hex(bits), hex(value)))
end
--- expect_reg(component, register, value)
function expect_reg(component, name, value)
    expect_eq(reg(component, name), value, name .. " of " .. component)
end
--- bdf(component): "01:00.0"
function bdf(component) return select(2, verb.rid(component)) end
--- rid(component): the same as a number.
function rid(component) return (verb.rid(component)) end
--- bar(component, number): address and size of a BAR.
function bar(component, number) return verb.bar(component, number) end

-- The processor's accesses, as TLPs.

local function place_of(component, place, bytes)
    if type(place) == "string" then
        return verb.reg_place(component, register(place))
    end
    return place, bytes or 4
end

--- cfg_read(component, register or offset[, bytes]): value, "SC"; all ones and the status of the
--- completion where that failed.
function cfg_read(component, place, bytes)
    local offset, n = place_of(component, place, bytes)
    local status, data = verb.request("cfg_read", offset, n, component)
    return number_of(data), status
end
--- cfg_write(component, register or offset, value[, bytes]): the status.
function cfg_write(component, place, value, bytes)
    local offset, n = place_of(component, place, bytes)
    return (verb.request("cfg_write", offset, bytes_of(value, n), component))
end
--- set_bits(component, register, bits), clear_bits(...): read, change, write.
function set_bits(component, place, bits)
    return cfg_write(component, place, cfg_read(component, place) | bits)
end
function clear_bits(component, place, bits)
    return cfg_write(component, place, cfg_read(component, place) & ~bits)
end
--- mmio_read(address, bytes): value (a text above 8 bytes), status.
function mmio_read(address, n)
    local status, data = verb.request("mem_read", address, n)
    return n <= 8 and number_of(data) or data, status
end
--- mmio_write(address, value, bytes), or with a text instead of both.
function mmio_write(address, value, n)
    return (verb.request("mem_write", address, bytes_of(value, n)))
end
--- io_read(address, bytes), io_write(address, value, bytes): the same in I/O space.
function io_read(address, n)
    local status, data = verb.request("io_read", address, n)
    return number_of(data), status
end
function io_write(address, value, n)
    return (verb.request("io_write", address, bytes_of(value, n)))
end

--- host:read(address, bytes), host:write(address, text): memory of the host, and registers of the
--- board. host:read32(address), host:write32(address, value), and the same with 64.
host = {}
function host:read(address, n) return verb.ram_read(address, n) end
function host:write(address, data) verb.ram_write(address, data) end
for _, n in ipairs {1, 2, 4, 8} do
    host["read" .. n * 8] = function(_, address) return number_of(verb.ram_read(address, n)) end
    host["write" .. n * 8] = function(_, address, value)
        verb.ram_write(address, bytes_of(value, n))
    end
end

local free_ram = 16 << 20
--- alloc(bytes): memory of the host that nobody uses, from the start of a page; in machines without
--- a guest.
function alloc(n)
    local address = free_ram
    free_ram = free_ram + (n + 4095 & ~4095)
    return address
end

-- TLPs.

local Rule = {}
Rule.__index = Rule
function Rule:remove()
    for _, id in ipairs(self) do
        verb.rule_remove(id)
    end
    for i = #self, 1, -1 do
        self[i] = nil
    end
end
function Rule:hits()
    local sum = 0
    for _, id in ipairs(self) do
        sum = sum + verb.rule_hits(id)
    end
    return sum
end

local function copy(t)
    local result = {}
    for key, value in pairs(t or {}) do
        result[key] = value
    end
    return result
end

local rule_keys = set_of [[at to kind requester tag first last match from until after count
    probability action delay jitter pass value seen status]]
local statuses = {SC = 0, UR = 1, RRS = 2, CA = 4}

local function rule(spec)
    spec = copy(spec)
    keys_known("a rule", spec, rule_keys)
    if statuses[spec.action] then
        spec.action, spec.value = "status", statuses[spec.action]
    end
    if spec.action == "status" and not spec.kind then
        spec.kind = "completion"
    end
    return setmetatable({verb.rule(spec)}, Rule)
end

local function both_ways(component, spec)
    local toward = copy(spec)
    spec.at, toward.at, toward.to = component, component, true
    local one, other = rule(spec), rule(toward)
    one[2] = other[1]
    return one
end

--- on(component, kind, function(tlp)[, more]): calls the function for every TLP of the kind that
--- leaves the component or comes to it over its link. `more` has keys of inject{}; with at = "to"
--- or "from" only those. The result has :hits() and :remove().
function on(component, kind, fn, more)
    local spec = copy(more)
    local way = spec.at
    spec.kind, spec.seen, spec.at = kind, fn, nil
    if way then
        spec.at, spec.to = component, way == "to"
        return rule(spec)
    end
    return both_ways(component, spec)
end

--- count(component, kind[, more]): the same without a function, for :hits().
function count(component, kind, more) return on(component, kind, nil, more) end

--- inject{at = component, to = false, kind = "MWr", action = "drop", ...}: what becomes of TLPs that
--- leave the component (to = true: that come to it). Which: kind, requester, tag, first and last
--- (addresses), match = function(tlp). When: from, until (times from now), after, count,
--- probability. What: drop, delay (delay, jitter), overtake (pass, delay), duplicate, poison,
--- corrupt-lcrc, corrupt-ecrc, retarget (value), UR, CA, RRS, status (value), tag (value),
--- byte-count (value). The result has :hits() and :remove().
function inject(spec) return rule(spec) end

--- hang(component): it neither sends nor answers any more. The result has :remove().
function hang(component) return rule {at = component, action = "drop"} end

--- vary{completions = time, interrupts = time, writes = time, turns = time, links = time, walks =
--- time}: each comes up to that much later, as the seed says; order is kept. Several processors take
--- turns of up to that time; links with timing take that much longer for a packet, and IOMMUs with a
--- latency for each read of a table, so that walks overtake each other.
function vary(spec)
    keys_known("vary", spec, set_of "completions interrupts writes turns links walks")
    spec = copy(spec)
    if spec.turns then
        verb.turns(math.max(math.random(spec.turns), ns(100)))
        spec.turns = nil
    end
    if spec.links then
        verb.vary_links(spec.links)
        spec.links = nil
    end
    if spec.walks then
        verb.vary_walks(spec.walks)
        spec.walks = nil
    end
    local kinds = {completions = "completion", interrupts = "MSI", writes = "MWr"}
    for key, time in pairs(spec) do
        rule {kind = kinds[key], action = "delay", jitter = time}
    end
end

--- emit(component, {address =, data =} or {address =, len =} or {code =, routing =, header =}): a
--- write, a read or a message (header: its bytes 8 to 15) that leaves the component out of nothing;
--- also requester, tag. inside = true: what a root port sends is its own, to the host, as its
--- interrupts are.
function emit(component, spec) verb.emit(component, spec) end

--- wait_tlp(component, kind, time[, more]): the next such TLP, or nil after that time.
function wait_tlp(component, kind, time, more)
    local task, seen, over = verb.task(), nil, false
    local watch = on(component, kind, function(tlp)
        -- Several may be seen in one instant: the rest must not wake what the task waits for next.
        if not over then
            seen, over = tlp, true
            verb.wake(task)
        end
    end, more)
    verb.block(time)
    over = true
    watch:remove()
    return seen
end
--- expect_tlp(component, kind, time[, more]): the same, and fails after that time.
function expect_tlp(component, kind, time, more)
    local tlp = wait_tlp(component, kind, time, more)
    expect(tlp, kind .. " at " .. component)
    return tlp
end
--- expect_no_tlp(component, kind, time[, more]): fails when there is one.
function expect_no_tlp(component, kind, time, more)
    local tlp = wait_tlp(component, kind, time, more)
    expect(not tlp, "no " .. kind .. " at " .. component)
end

--- invalidations{each = time, stall = time}: each descriptor of an IOMMU's invalidation queue takes
--- so long, and none is looked at for that time; {}: as they were.
function invalidations(spec)
    keys_known("invalidations", spec, set_of "each stall")
    verb.slow_invalidations(spec.each or 0, spec.stall or 0)
end

-- Links and slots.

local Link = {}
Link.__index = Link
--- link(component): the link above it, or below a port. :down(), :up() (the wires), :disable(),
--- :enable() (Link Disable), :reset(), :release() (hot reset), :power_lost(), :power(), :retrain(),
--- :retrain_loop(times, time between), :degrade{width =, speed =}, :restore(), :status(), :flap(times, time down, time up),
--- :fault(kind[, {dir = "up", after =, count =}]), :counters("up"), :leak{dir =, flow =, headers =,
--- data =}
function link(component) return setmetatable({name = component}, Link) end
for _, word in ipairs {"down", "up", "disable", "enable", "reset", "release", "retrain", "restore",
                       "power_lost", "power"} do
    Link[word] = function(self) verb.link(self.name, word) end
end
function Link:degrade(spec)
    keys_known("degrade", spec, set_of "width speed")
    verb.link(self.name, "degrade", spec.width or 0, spec.speed or 0)
end
function Link:status() return verb.link_status(self.name) end
function Link:flap(times, down, up)
    for _ = 1, times do
        self:down()
        wait(down)
        self:up()
        wait(up)
    end
end
function Link:retrain_loop(times, between)
    for _ = 1, times do
        verb.link(self.name, "retrain")
        wait(between)
    end
end
function Link:fault(kind, spec)
    spec = spec or {}
    keys_known("fault", spec, set_of "dir after count")
    verb.link_fault(self.name, kind, spec.dir or "down", spec.after or 0, spec.count or 1)
end
function Link:counters(dir) return verb.link_counters(self.name, dir or "down") end
function Link:leak(spec)
    keys_known("leak", spec, set_of "dir flow headers data")
    verb.link_leak(self.name, spec.dir or "down", spec.flow or "posted", spec.headers or 0,
                   spec.data or 0)
end
function Link:wait_up(time)
    expect_soon(function() return self:status().up end, "the link of " .. self.name .. " comes up",
                time or ms(200))
end

--- hand("plug" | "unplug" | "press" | "open" | "close" | "power-fault", component)
function hand(action, component) verb.hand(action, component) end
--- slow_slot(component[, time]): commands of its slot take so long, without a time for ever.
function slow_slot(component, time) verb.slow_slot(component, time) end

-- Errors.

--- report_errors(component, ...): Device Control, SERR# and a root port's Root Error Command let
--- errors out; severities stay as they are. Without any, the masks of AER are as after reset.
function report_errors(...)
    for _, component in ipairs {...} do
        set_bits(component, "device_control", CONTROL.ERRORS)
        set_bits(component, "command", 0x100)
        if cfg_read(component, "header_type") & 0x7f == 1 then
            set_bits(component, "bridge_control", 2)
        end
        pcall(function() cfg_write(component, "aer.root_command", 7) end)
    end
end

--- report_advisory(component, ...): unmasks what is advisory (6.2.3.2.4), which reset masks: it is
--- then recorded and told as a correctable error.
function report_advisory(...)
    for _, component in ipairs {...} do
        clear_bits(component, "aer.correctable_mask", COR.ADVISORY)
    end
end

-- Errors that the firmware tells of.

firmware = {}
--- firmware:report{severity = "corrected" | "recoverable" | "fatal", at = component, status = bits}: the
--- firmware of a machine with apei=yes tells of an error that nobody had; with memory = address
--- instead of `at`, of memory.
function firmware:report(spec)
    keys_known("firmware:report", spec, set_of "severity at status memory")
    if (spec.at == nil) == (spec.memory == nil) then
        verb.bad("firmware:report wants at = component, or memory = address")
    end
    verb.firmware_report(spec.severity, spec.at, spec.status, spec.memory)
end
--- firmware:told(source): what it tells of now, of the source "corrected" or "uncorrected": a table
--- with severity (what is to become of the system), section (of the error itself) and at; nil:
--- nothing.
function firmware:told(source)
    local severity, section, at = verb.firmware_told(source)
    return severity and {severity = severity, section = section, at = at}
end
--- firmware:acknowledge(source): the kernel has read it.
function firmware:acknowledge(source) verb.firmware_acknowledge(source) end

-- The exerciser (docs/exerciser.md).

local results = {[0] = "ok", "UR", "CA", "timeout", "poisoned", "no-master", "RRS", "denied",
                 [0x80] = "invalid"}
local commands = {read = 1, write = 2, fill = 3, checksum = 4, fetch_add = 0x10, swap = 0x11,
                  cas = 0x12, dmwr = 0x13, stop_pasid = 0x14, emit = 0x20}
local dma_keys = set_of [[dev op addr len data at channel attr pasid operand operand_high compare
    compare_high pattern step vector wait time]]
--- ATTR: bits of `attr` of dma{}.
ATTR = {NO_SNOOP = 1, RELAXED = 2, IDO = 4, TRANSLATED = 0x200, ATS = 0x400, PRI = 0x800,
        POISON = 0x1000, BAD_ECRC = 0x2000}

--- ex_read(exerciser, register offset, bytes), ex_write(exerciser, offset, value, bytes)
function ex_read(dev, offset, n) return mmio_read(bar(dev, 0) + offset, n or 4) end
function ex_write(dev, offset, value, n) return mmio_write(bar(dev, 0) + offset, value, n or 4) end
--- ex_fault(exerciser, 1 UR | 2 CA | 3 silent | 4 poisoned | 5 bad ECRC, count): of its memory.
function ex_fault(dev, fault, n)
    ex_write(dev, 0x64, fault)
    ex_write(dev, 0x68, n or 1)
end

local function put_local(dev, at, data)
    local memory = bar(dev, 4)
    for i = 1, #data, 64 do
        mmio_write(memory + at + i - 1, data:sub(i, i + 63))
    end
end

local function get_local(dev, at, n)
    local memory, pieces = bar(dev, 4), {}
    for i = 0, n - 1, 64 do
        local _, data = verb.request("mem_read", memory + at + i, math.min(64, n - i))
        pieces[#pieces + 1] = data
    end
    return table.concat(pieces)
end

--- dma{dev = exerciser, op = "write", addr =, data = text, ...}: result, data. `op` is read, write,
--- fetch_add, swap, cas, dmwr, fill, checksum or emit; `len` for reads; also at (offset in its
--- memory), channel, attr (ATTR), pasid, operand, compare, pattern, step, vector; wait = false
--- returns at once, and dma_wait(dev[, channel]) gives the result.
function dma(spec)
    keys_known("dma", spec, dma_keys)
    local dev, at = spec.dev or verb.bad("dma: dev is missing"), spec.at or 0
    local command = commands[spec.op or "write"]
    if not command then
        verb.bad('dma: there is no op "' .. tostring(spec.op) .. '"')
    end
    local base = 0x1000 + 0x80 * (spec.channel or 0)
    local len = spec.len or spec.data and #spec.data or 4
    if spec.data then
        put_local(dev, at, spec.data)
    end
    ex_write(dev, base + 0x00, spec.addr or 0, 8)
    ex_write(dev, base + 0x08, at, 8)
    ex_write(dev, base + 0x10, len)
    ex_write(dev, base + 0x14, spec.attr or 0)
    ex_write(dev, base + 0x18, spec.vector and spec.vector | 1 << 31 or 0)
    ex_write(dev, base + 0x28, spec.pattern or 0)
    ex_write(dev, base + 0x2c, spec.step or 0)
    ex_write(dev, base + 0x48, spec.pasid and spec.pasid | 1 << 31 or 0)
    ex_write(dev, base + 0x50, spec.operand or 0, 8)
    ex_write(dev, base + 0x60, spec.compare or 0, 8)
    ex_write(dev, base + 0x1c, command)
    if spec.wait == false then
        return
    end
    local result = dma_wait(dev, spec.channel, spec.time)
    local reads = command == 1 or command >= 0x10 and command <= 0x12
    return result, reads and result == "ok" and get_local(dev, at, len) or nil
end

function dma_wait(dev, channel, time)
    local status = bar(dev, 0) + 0x1000 + 0x80 * (channel or 0) + 0x20
    local give_up = now() + (time or s(1))
    repeat
        local value, answer = mmio_read(status, 4)
        if answer ~= "SC" then
            return "gone"
        end
        if value & 1 == 0 then
            return results[value >> 8 & 0xff] or value
        end
        wait(us(1))
    until now() > give_up
    return "busy"
end

--- msix(exerciser, vectors): switches MSI-X on; vector v writes 40h + v to FEE00000h.
function msix(dev, vectors)
    local bar_and_offset = cfg_read(dev, "msix_table_offset")
    local place = bar(dev, bar_and_offset & 7) + (bar_and_offset & ~7)
    for v = 0, vectors - 1 do
        mmio_write(place + 16 * v, string.pack("<I4I4I4I4", 0xfee00000, 0, 0x40 + v, 0))
    end
    set_bits(dev, "msix_message_control", 0x8000)
    clear_bits(dev, "msix_message_control", 0x4000)
end
--- interrupt(exerciser, vector): it asks for one.
function interrupt(dev, vector) ex_write(dev, 0x54, vector) end
