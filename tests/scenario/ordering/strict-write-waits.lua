-- The same write without Relaxed Ordering waits
-- PCIe Base 6.0, 2.4.1 (A2a)
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
local first, second = alloc(4096), alloc(4096)
inject {at = "ex0", kind = "MWr", first = first, last = first + 4095, action = "delay",
        delay = us(20)}
dma {dev = "ex0", addr = first, data = "first", channel = 0, wait = false}
dma {dev = "ex0", addr = second, data = "second", at = 4096, channel = 1, wait = false}
wait(us(5))
expect_eq(host:read32(second), 0, "the second write")
wait(us(30))
expect_eq(host:read(second, 6), "second", "the second write in the end")
