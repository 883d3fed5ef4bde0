-- Walks whose reads take longer by chance: two devices overtake each other, and each gets its data
-- VT-d 4.0, 6.2 (remapping structures are fetched independently for each request)
machine [[
[iommu iommu0]
latency=100
[root-port rp0]
[exerciser ex0]
at=rp0
[root-port rp1]
[exerciser ex1]
at=rp1
]]
local unit = iommu()
local memory = alloc(2 * 4096)
unit:map("ex0", 0x10000000, memory, 4096)
unit:map("ex1", 0x20000000, memory + 4096, 4096)

-- Starts both, and says how long each took.
local function both()
    unit:flush()
    local took = {}
    host:write(memory, string.rep("\0", 8192))
    for i = 0, 1 do
        spawn(function()
            local began, dev = now(), "ex" .. i
            expect_eq(dma {dev = dev, addr = 0x10000000 * (i + 1), data = "data of " .. i}, "ok", dev)
            while host:read(memory + 4096 * i, 9) ~= "data of " .. i do
                wait(ns(100))
            end
            took[i] = now() - began
        end)
    end
    expect_soon(function() return took[0] and took[1] end, "both have written")
    return took[0] + took[1]
end

local steady = both()
expect_eq(both(), steady, "without chance each time is the same")
vary {walks = us(2)}
expect(both() > steady, "walks took longer")
expect_eq(unit:fault(), nil, "a fault")
vary {walks = 0}
expect_eq(both(), steady, "and they do not any more")
