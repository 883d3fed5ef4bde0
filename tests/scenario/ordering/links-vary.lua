-- Links that take longer by chance for each packet: nothing is lost, replayed or out of order
-- PCIe Base 6.0, 3.6.2 and 2.4.1 (a link delivers in order, however long it takes)
machine {topology = [[
[root-port rp0]
[exerciser ex0]
at=rp0
]], timing = "link"}

local memory = alloc(4096)
set_bits("ex0", "command", CONTROL.MASTER | CONTROL.MEMORY)

local function reads()
    local began = now()
    for i = 1, 20 do
        local _, status = cfg_read("ex0", "vendor_id")
        expect_eq(status, "SC", "read " .. i)
    end
    return now() - began
end

local steady = reads()
vary {links = ns(300)}
local varied = reads()
expect(varied > steady and varied < steady + us(60), "reads took longer")
for i = 1, 20 do
    dma {dev = "ex0", addr = memory, data = string.rep(string.char(i), 64)}
    dma {dev = "ex0", addr = memory + 64, data = string.rep(string.char(i), 4)}
    expect_soon(function() return host:read(memory + 64, 1):byte() == i end, "the flag of " .. i)
    expect_eq(host:read(memory, 64), string.rep(string.char(i), 64), "the data before it")
end
for _, way in ipairs {"up", "down"} do
    local counted = link("ex0"):counters(way)
    expect_eq(counted.replays + counted.naks + counted.bad_tlps, 0, "replays and NAKs " .. way)
end
