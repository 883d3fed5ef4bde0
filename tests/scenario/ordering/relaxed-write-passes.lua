-- A write with Relaxed Ordering may overtake a late one
-- PCIe Base 6.0, 2.4.1 (A2b)
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
set_bits("ex0", "device_control", 1 << 4)
local first, second = alloc(4096), alloc(4096)
inject {at = "ex0", kind = "MWr", first = first, last = first + 4095, action = "delay",
        delay = us(20)}
dma {dev = "ex0", addr = first, data = "first", channel = 0, wait = false}
dma {dev = "ex0", addr = second, data = "second", at = 4096, channel = 1, attr = ATTR.RELAXED,
     wait = false}
wait(us(5))
expect_eq(host:read(second, 6), "second", "the relaxed write")
expect_eq(host:read32(first), 0, "the one before it")
