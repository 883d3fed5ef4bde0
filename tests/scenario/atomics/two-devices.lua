-- Two devices add to one counter, their requests late by chance: no addition is lost
-- PCIe Base 6.0, 6.15
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
[root-port rp1]
[exerciser ex1]
at=rp1
]]
local buffer, done = alloc(4096), 0
inject {kind = "FetchAdd", action = "delay", jitter = us(3)}
vary {completions = us(2)}
for _, dev in ipairs {"ex0", "ex1"} do
    set_bits(dev, "device_control_2", 1 << 6)
    spawn(function()
        for _ = 1, 25 do
            dma {dev = dev, op = "fetch_add", addr = buffer, len = 4, operand = 1}
        end
        done = done + 1
    end)
end
expect_soon(function() return done == 2 end, "both are done", ms(20))
expect_eq(host:read32(buffer), 50, "the counter")
