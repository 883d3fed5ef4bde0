-- SPDX-License-Identifier: GPL-2.0-or-later
-- Wireshark dissector for the pcapng traces of pcilab (docs/wireshark.md). Field names are those of
-- PCI Express Base 6.0, 2.2. Requests and completions are matched link by link, by Requester ID and
-- Tag, with their latency.

local VERSION = 1
local LINK_TYPE = wtap.USER0

local pcilab = Proto("pcilab", "pcilab event")

local KINDS = {[0] = "TLP", "IRQ", "Console", "Rule", "State", "Link", "DLLP", "IOMMU", "ATS",
               "Config", "Reset", "CPU"}
local TLP, IRQ, CONSOLE, RULE, STATE, LINK, DLLP, IOMMU = 0, 1, 2, 3, 4, 5, 6, 7
local FMT = {[0] = "3 DW header, no data", "4 DW header, no data", "3 DW header, with data",
             "4 DW header, with data", "TLP Prefix"}
local STATUS = {[0] = "Successful Completion (SC)", "Unsupported Request (UR)",
                "Request Retry Status (RRS)", [4] = "Completer Abort (CA)"}
local STATUS_SHORT = {[0] = "SC", "UR", "RRS", [4] = "CA"}
local AT = {[0] = "Untranslated", "Translation Request", "Translated", "Reserved"}
local ROUTING = {[0] = "Routed to Root Complex", "Routed by Address", "Routed by ID",
                 "Broadcast from Root Complex", "Local - Terminate at Receiver",
                 "Gathered and routed to Root Complex", "Reserved", "Reserved"}
local MESSAGES = {
    [0x01] = "Invalidate Request", [0x02] = "Invalidate Completion", [0x04] = "Page Request",
    [0x05] = "PRG Response", [0x10] = "LTR", [0x12] = "OBFF", [0x14] = "PM_Active_State_Nak",
    [0x18] = "PM_PME", [0x19] = "PME_Turn_Off", [0x1b] = "PME_TO_Ack", [0x20] = "Assert_INTA",
    [0x21] = "Assert_INTB", [0x22] = "Assert_INTC", [0x23] = "Assert_INTD",
    [0x24] = "Deassert_INTA", [0x25] = "Deassert_INTB", [0x26] = "Deassert_INTC",
    [0x27] = "Deassert_INTD", [0x30] = "ERR_COR", [0x31] = "ERR_NONFATAL", [0x33] = "ERR_FATAL",
    [0x50] = "Set_Slot_Power_Limit", [0x52] = "PTM Request", [0x53] = "PTM Response",
    [0x7e] = "Vendor_Defined Type 0", [0x7f] = "Vendor_Defined Type 1",
}
-- By Fmt and Type; those with "r" are non-posted requests, "c" completions, "p" posted.
local TYPES = {
    [0x00] = {"MRd", "r"}, [0x20] = {"MRd", "r"}, [0x01] = {"MRdLk", "r"}, [0x21] = {"MRdLk", "r"},
    [0x40] = {"MWr", "p"}, [0x60] = {"MWr", "p"}, [0x5b] = {"DMWr", "r"}, [0x7b] = {"DMWr", "r"},
    [0x02] = {"IORd", "r"}, [0x42] = {"IOWr", "r"}, [0x04] = {"CfgRd0", "r"},
    [0x44] = {"CfgWr0", "r"}, [0x05] = {"CfgRd1", "r"}, [0x45] = {"CfgWr1", "r"},
    [0x0a] = {"Cpl", "c"}, [0x4a] = {"CplD", "c"}, [0x0b] = {"CplLk", "c"},
    [0x4b] = {"CplDLk", "c"}, [0x4c] = {"FetchAdd", "r"}, [0x6c] = {"FetchAdd", "r"},
    [0x4d] = {"Swap", "r"}, [0x6d] = {"Swap", "r"}, [0x4e] = {"CAS", "r"}, [0x6e] = {"CAS", "r"},
}
for routing = 0, 7 do
    TYPES[0x30 + routing] = {"Msg", "p"}
    TYPES[0x70 + routing] = {"MsgD", "p"}
end
-- Named by points.c; others are shown, but cannot be filtered by.
local ARGS = {"seq", "fate", "flow", "header", "data", "dllp", "from_seq", "tlps", "replay_num",
              "bytes", "rid", "pasid", "iova", "address", "access", "message", "dest", "vector",
              "wanted", "in", "type", "low", "high", "domain", "first", "last", "granted", "itag",
              "group", "code", "reg", "value", "kind", "state", "error", "rip", "cr2", "cpl"}

local f = {
    version = ProtoField.uint8("pcilab.version", "Version"),
    kind = ProtoField.uint8("pcilab.kind", "Kind", base.DEC, KINDS),
    down = ProtoField.bool("pcilab.down", "Away from the Root Complex", 8, nil, 0x01),
    point = ProtoField.uint8("pcilab.point", "Event of this kind"),
    time = ProtoField.uint64("pcilab.time_ps", "Virtual time (ps)"),
    from = ProtoField.string("pcilab.from", "Component"),
    to = ProtoField.string("pcilab.to", "Goes to"),
    words = ProtoField.string("pcilab.words", "Event"),
    cpu = ProtoField.uint8("pcilab.irq.cpu", "Processor"),
    vector = ProtoField.uint8("pcilab.irq.vector", "Vector", base.HEX),
    byte = ProtoField.uint8("pcilab.console.byte", "Byte", base.HEX),

    name = ProtoField.string("pcilab.tlp.name", "TLP"),
    fmt = ProtoField.uint8("pcilab.tlp.fmt", "Fmt", base.HEX, FMT, 0xe0),
    type = ProtoField.uint8("pcilab.tlp.type", "Type", base.HEX, nil, 0x1f),
    tc = ProtoField.uint8("pcilab.tlp.tc", "Traffic Class", base.DEC, nil, 0x70),
    ido = ProtoField.bool("pcilab.tlp.ido", "ID-Based Ordering", 8, nil, 0x04),
    th = ProtoField.bool("pcilab.tlp.th", "TLP Hints (TH)", 8, nil, 0x01),
    td = ProtoField.bool("pcilab.tlp.td", "TLP Digest (TD)", 8, nil, 0x80),
    ep = ProtoField.bool("pcilab.tlp.ep", "Error Poisoned (EP)", 8, nil, 0x40),
    ro = ProtoField.bool("pcilab.tlp.ro", "Relaxed Ordering", 8, nil, 0x20),
    ns = ProtoField.bool("pcilab.tlp.ns", "No Snoop", 8, nil, 0x10),
    at = ProtoField.uint8("pcilab.tlp.at", "Address Type (AT)", base.HEX, AT, 0x0c),
    length = ProtoField.uint16("pcilab.tlp.length", "Length (DW)"),
    requester = ProtoField.string("pcilab.tlp.requester_id", "Requester ID"),
    completer = ProtoField.string("pcilab.tlp.completer_id", "Completer ID"),
    dest = ProtoField.string("pcilab.tlp.destination_id", "Destination ID"),
    tag = ProtoField.uint16("pcilab.tlp.tag", "Tag"),
    last_be = ProtoField.uint8("pcilab.tlp.last_be", "Last DW BE", base.HEX, nil, 0xf0),
    first_be = ProtoField.uint8("pcilab.tlp.first_be", "First DW BE", base.HEX, nil, 0x0f),
    address = ProtoField.uint64("pcilab.tlp.address", "Address", base.HEX),
    register = ProtoField.uint16("pcilab.tlp.register", "Register", base.HEX),
    status = ProtoField.uint8("pcilab.tlp.status", "Completion Status", base.DEC, STATUS, 0xe0),
    bcm = ProtoField.bool("pcilab.tlp.bcm", "BCM", 8, nil, 0x10),
    byte_count = ProtoField.uint16("pcilab.tlp.byte_count", "Byte Count"),
    lower = ProtoField.uint8("pcilab.tlp.lower_address", "Lower Address", base.HEX, nil, 0x7f),
    code = ProtoField.uint8("pcilab.tlp.message_code", "Message Code", base.HEX, MESSAGES),
    routing = ProtoField.uint8("pcilab.tlp.routing", "Routing", base.DEC, ROUTING, 0x07),
    prefix = ProtoField.uint32("pcilab.tlp.prefix", "TLP Prefix", base.HEX),
    pasid = ProtoField.uint32("pcilab.tlp.pasid", "PASID", base.HEX, nil, 0xfffff),
    payload = ProtoField.bytes("pcilab.tlp.payload", "Data"),
    request_in = ProtoField.framenum("pcilab.tlp.request_in", "Request in", base.NONE,
                                     frametype.REQUEST),
    completed_in = ProtoField.framenum("pcilab.tlp.completed_in", "Completed in", base.NONE,
                                       frametype.RESPONSE),
    latency = ProtoField.double("pcilab.tlp.latency_ns", "Latency (ns)"),
}
local args = {}
for _, name in ipairs(ARGS) do
    args[name] = ProtoField.uint64("pcilab.arg." .. name, name, base.HEX_DEC)
end
local list = {}
for _, field in pairs(f) do list[#list + 1] = field end
for _, field in pairs(args) do list[#list + 1] = field end
pcilab.fields = list

local e = {
    version = ProtoExpert.new("pcilab.bad_version", "Trace of another version",
                              expert.group.UNDECODED, expert.severity.ERROR),
    short = ProtoExpert.new("pcilab.cut_short", "Packet cut short", expert.group.MALFORMED,
                            expert.severity.ERROR),
    malformed = ProtoExpert.new("pcilab.tlp.malformed", "Malformed TLP", expert.group.MALFORMED,
                                expert.severity.ERROR),
    poisoned = ProtoExpert.new("pcilab.tlp.poisoned", "Poisoned TLP", expert.group.RESPONSE_CODE,
                               expert.severity.WARN),
    ur = ProtoExpert.new("pcilab.tlp.ur", "Unsupported Request", expert.group.RESPONSE_CODE,
                         expert.severity.WARN),
    ca = ProtoExpert.new("pcilab.tlp.ca", "Completer Abort", expert.group.RESPONSE_CODE,
                         expert.severity.WARN),
    rrs = ProtoExpert.new("pcilab.tlp.rrs", "Request Retry Status", expert.group.RESPONSE_CODE,
                          expert.severity.NOTE),
    unexpected = ProtoExpert.new("pcilab.tlp.unexpected", "Completion of no request seen here",
                                 expert.group.SEQUENCE, expert.severity.NOTE),
    error = ProtoExpert.new("pcilab.tlp.error_message", "Error message",
                            expert.group.RESPONSE_CODE, expert.severity.WARN),
    rule = ProtoExpert.new("pcilab.rule_broken", "A rule was broken", expert.group.PROTOCOL,
                           expert.severity.WARN),
    retried = ProtoExpert.new("pcilab.dllp.retried", "Nak or replay", expert.group.SEQUENCE,
                              expert.severity.NOTE),
    fault = ProtoExpert.new("pcilab.iommu.fault", "IOMMU fault", expert.group.SECURITY,
                            expert.severity.WARN),
}
pcilab.experts = {e.version, e.short, e.malformed, e.poisoned, e.ur, e.ca, e.rrs, e.unexpected,
                  e.error, e.rule, e.retried, e.fault}

-- Requests that wait, by link, requester and tag; and what was found, by frame: the first pass
-- goes in order, later ones do not.
local open, request_of, completion_of = {}, {}, {}

function pcilab.init()
    open, request_of, completion_of = {}, {}, {}
end

local function rid_text(v)
    return string.format("%02x:%02x.%x", bit.rshift(v, 8), bit.band(bit.rshift(v, 3), 0x1f),
                         bit.band(v, 7))
end

local function add_rid(tree, field, range)
    local text = rid_text(range:uint())
    tree:add(field, range, text)
    return text
end

local function match(tree, pinfo, link, way, rid, tag, time, last)
    local me = pinfo.number
    if way == "r" then
        if not pinfo.visited then
            open[link.there .. " " .. rid .. " " .. tag] = {frame = me, time = time}
        end
        if completion_of[me] then
            tree:add(f.completed_in, completion_of[me]):set_generated()
        end
        return
    end
    local key = link.back .. " " .. rid .. " " .. tag
    if not pinfo.visited and open[key] then
        request_of[me] = {frame = open[key].frame, ns = (time - open[key].time):tonumber() / 1000}
        if last then
            completion_of[open[key].frame] = me
            open[key] = nil
        end
    end
    local found = request_of[me]
    if found then
        tree:add(f.request_in, found.frame):set_generated()
        tree:add(f.latency, found.ns):set_generated()
    else
        tree:add_proto_expert_info(e.unexpected)
    end
end

local function dissect_address(tree, tvb, at, wide)
    local range = tvb(at, wide and 8 or 4)
    local value = wide and range:uint64() or UInt64(range:uint(), 0)
    value = value:band(UInt64(0xfffffffc, 0xffffffff))
    tree:add(f.address, range, value)
    return " addr 0x" .. value:tohex():gsub("^0+(%x)", "%1")
end

local function dissect_request(tree, tvb, at, c)
    c.rid = add_rid(tree, f.requester, tvb(at + 4, 2))
    c.tag = bit.bor(tvb(at + 6, 1):uint(), c.tag_high)
    tree:add(f.tag, tvb(at + 6, 1), c.tag)
    tree:add(f.last_be, tvb(at + 7, 1))
    tree:add(f.first_be, tvb(at + 7, 1))
    local info = " " .. c.rid
    if c.name:find("^Cfg") then
        local register = bit.band(tvb(at + 10, 2):uint(), 0xffc)
        info = info .. " to " .. add_rid(tree, f.dest, tvb(at + 8, 2))
        tree:add(f.register, tvb(at + 10, 2), register)
        return info .. string.format(" tag %d reg 0x%03x", c.tag, register)
    end
    return info .. " tag " .. c.tag .. dissect_address(tree, tvb, at + 8, c.wide) .. " len " ..
           c.length * 4
end

local function dissect_completion(tree, tvb, at, c)
    local status = bit.rshift(tvb(at + 6, 1):uint(), 5)
    local count = bit.band(tvb(at + 6, 2):uint(), 0xfff)
    local lower = bit.band(tvb(at + 11, 1):uint(), 0x7f)
    if count == 0 then count = 4096 end
    local completer = add_rid(tree, f.completer, tvb(at + 4, 2))
    local item = tree:add(f.status, tvb(at + 6, 1))
    tree:add(f.bcm, tvb(at + 6, 1))
    tree:add(f.byte_count, tvb(at + 6, 2), count)
    c.rid = add_rid(tree, f.requester, tvb(at + 8, 2))
    c.tag = bit.bor(tvb(at + 10, 1):uint(), c.tag_high)
    tree:add(f.tag, tvb(at + 10, 1), c.tag)
    tree:add(f.lower, tvb(at + 11, 1))
    if status == 1 then item:add_proto_expert_info(e.ur) end
    if status == 2 then item:add_proto_expert_info(e.rrs) end
    if status == 4 then item:add_proto_expert_info(e.ca) end
    c.last = not c.data or count <= c.length * 4 - bit.band(lower, 3)
    return string.format(" %s to %s tag %d %s bytes %d", completer, c.rid, c.tag,
                         STATUS_SHORT[status] or "reserved", count)
end

local function dissect_message(tree, tvb, at, c)
    local code = tvb(at + 7, 1):uint()
    tree:add(f.routing, tvb(at, 1))
    local rid = add_rid(tree, f.requester, tvb(at + 4, 2))
    local item = tree:add(f.code, tvb(at + 7, 1))
    if code >= 0x30 and code <= 0x33 then item:add_proto_expert_info(e.error) end
    if bit.band(tvb(at, 1):uint(), 7) == 2 then add_rid(tree, f.dest, tvb(at + 8, 2)) end
    return " " .. rid .. " " .. (MESSAGES[code] or string.format("code 0x%02x", code))
end

local function dissect_prefixes(tree, tvb, at, stop)
    local info = ""
    while at + 4 <= stop and bit.rshift(tvb(at, 1):uint(), 5) == 4 do
        tree:add(f.prefix, tvb(at, 4))
        if tvb(at, 1):uint() == 0x91 then
            tree:add(f.pasid, tvb(at, 4))
            info = info .. string.format(" PASID 0x%x", bit.band(tvb(at, 4):uint(), 0xfffff))
        end
        at = at + 4
    end
    return at, info
end

local function dissect_common(tree, tvb, at, c)
    local second, third = tvb(at + 1, 1):uint(), tvb(at + 2, 1):uint()
    tree:add(f.fmt, tvb(at, 1))
    tree:add(f.type, tvb(at, 1))
    for _, field in ipairs({f.tc, f.ido, f.th}) do tree:add(field, tvb(at + 1, 1)) end
    tree:add(f.td, tvb(at + 2, 1))
    local poisoned = tree:add(f.ep, tvb(at + 2, 1))
    for _, field in ipairs({f.ro, f.ns, f.at}) do tree:add(field, tvb(at + 2, 1)) end
    c.length = bit.band(tvb(at + 2, 2):uint(), 0x3ff)
    if c.length == 0 and (c.data or c.name:find("^MRd")) then c.length = 1024 end
    tree:add(f.length, tvb(at + 2, 2), c.length)
    c.tag_high = bit.bor(bit.lshift(bit.band(second, 0x80), 2), bit.lshift(bit.band(second, 8), 5))
    c.poisoned = bit.band(third, 0x40) ~= 0
    if c.poisoned then poisoned:add_proto_expert_info(e.poisoned) end
end

-- Header from `at`, payload from `stop` to the end. Returns words.
local function dissect_tlp(tree, tvb, pinfo, at, stop, link, time)
    local prefixes
    at, prefixes = dissect_prefixes(tree, tvb, at, stop)
    local first = at < stop and tvb(at, 1):uint() or 0
    local known = TYPES[first] or {"unknown", ""}
    local c = {name = known[1], wide = bit.band(first, 0x20) ~= 0, data = bit.band(first, 0x40) ~= 0}
    if stop - at ~= (c.wide and 16 or 12) then
        tree:add_proto_expert_info(e.malformed, "Header of " .. stop - at .. " bytes")
        return c.name
    end
    tree:add(f.name, tvb(at, 1), c.name):set_generated()
    dissect_common(tree, tvb, at, c)
    local payload = tvb:len() - stop
    local expected = c.data and c.length * 4 or 0
    if payload ~= expected then
        tree:add_proto_expert_info(e.malformed, string.format(
            "Length says %d bytes of data, there are %d", expected, payload))
    end
    local info
    if known[2] == "c" then
        info = dissect_completion(tree, tvb, at, c)
    elseif c.name:find("^Msg") then
        info = dissect_message(tree, tvb, at, c)
    elseif known[2] == "" then
        tree:add_proto_expert_info(e.malformed, "Undefined Fmt and Type")
        info = ""
    else
        info = dissect_request(tree, tvb, at, c)
    end
    if payload > 0 then tree:add(f.payload, tvb(stop, payload)) end
    if known[2] == "r" or known[2] == "c" then
        match(tree, pinfo, link, known[2], c.rid, c.tag, time, c.last)
    end
    return c.name .. info .. prefixes .. (c.poisoned and " poisoned" or "")
end

-- Returns what the event is in words.
local function dissect_fields(tree, tvb, at)
    local count = tvb(at, 1):uint()
    at = at + 1
    for _ = 1, count do
        local name = tvb(at + 1, tvb(at, 1):uint()):string()
        local value = at + 1 + #name + 1
        local word = tvb(value + 9, tvb(value + 8, 1):uint()):string()
        local item
        if args[name] then
            item = tree:add_le(args[name], tvb(value, 8))
        else
            item = tree:add(tvb(value, 8), name .. ": " .. tvb(value, 8):le_uint64():tonumber())
        end
        if word ~= "" then item:append_text(" (" .. word .. ")") end
        at = value + 9 + #word
    end
    local words = tvb(at):string()
    tree:add(f.words, tvb(at))
    return words
end

local function dissect_other(tree, tvb, kind, at)
    if kind == IRQ then
        tree:add(f.cpu, tvb(at, 1))
        tree:add(f.vector, tvb(at + 1, 1))
        return string.format("cpu %d vector 0x%02x", tvb(at, 1):uint(), tvb(at + 1, 1):uint())
    elseif kind == CONSOLE then
        local way, byte = tvb(at, 1):uint(), tvb(at + 1, 1):uint()
        tree:add(f.byte, tvb(at + 1, 1))
        return string.format("%s 0x%02x '%s'", way == 0 and "out" or "in", byte,
                             byte >= 0x20 and byte < 0x7f and string.char(byte) or ".")
    elseif kind >= DLLP then
        local words = dissect_fields(tree, tvb, at)
        if kind == DLLP and (words:find("^Nak") or words:find("^re")) then
            tree:add_proto_expert_info(e.retried)
        elseif kind == IOMMU and words:find("^fault") then
            tree:add_proto_expert_info(e.fault, "IOMMU " .. words)
        end
        return words
    end
    local words = at < tvb:len() and tvb(at):string() or ""
    local item = tree:add(f.words, words)
    if kind == RULE then item:add_proto_expert_info(e.rule) end
    return words
end

function pcilab.dissector(tvb, pinfo, root)
    local tree = root:add(pcilab, tvb())
    pinfo.cols.protocol = "pcilab"
    if tvb:len() < 16 then
        tree:add_proto_expert_info(e.short)
        return tvb:len()
    end
    tree:add(f.version, tvb(0, 1))
    if tvb(0, 1):uint() ~= VERSION then
        tree:add_proto_expert_info(e.version, string.format(
            "Version %d; this dissector is for version %d", tvb(0, 1):uint(), VERSION))
        return tvb:len()
    end
    local kind, from_len, to_len = tvb(1, 1):uint(), tvb(4, 1):uint(), tvb(5, 1):uint()
    local head_len, time = tvb(6, 2):le_uint(), tvb(8, 8):le_uint64()
    local at = 16 + from_len + to_len
    if tvb:len() < at + head_len then
        tree:add_proto_expert_info(e.short)
        return tvb:len()
    end
    local from, to = tvb(16, from_len):string(), ""
    tree:add(f.kind, tvb(1, 1))
    tree:add(f.down, tvb(2, 1))
    tree:add_le(f.time, tvb(8, 8))
    tree:add(f.from, tvb(16, from_len))
    if to_len > 0 then
        to = tvb(16 + from_len, to_len):string()
        tree:add(f.to, tvb(16 + from_len, to_len))
    end
    pinfo.cols.protocol = KINDS[kind] or "pcilab"
    pinfo.cols.src = from
    pinfo.cols.dst = to
    local words
    if kind == TLP then
        local link = to == "" and {there = from, back = from} or
                     {there = from .. ">" .. to, back = to .. ">" .. from}
        words = dissect_tlp(tree, tvb, pinfo, at, at + head_len, link, time)
    else
        if kind >= DLLP then tree:add(f.point, tvb(3, 1)) end
        words = dissect_other(tree, tvb, kind, at)
    end
    pinfo.cols.info = words
    tree:append_text(", " .. from .. (to ~= "" and " to " .. to or "") .. ": " .. words)
    return tvb:len()
end

DissectorTable.get("wtap_encap"):add(LINK_TYPE, pcilab)
