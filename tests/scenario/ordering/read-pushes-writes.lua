-- A completion does not pass the writes before it: a load flushes a device's writes
-- PCIe Base 6.0, 2.4.1 (D2a)
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
local buffer = alloc(4096)
inject {at = "ex0", kind = "MWr", action = "delay", delay = us(20)}
dma {dev = "ex0", addr = buffer, data = "pushed", wait = false}
wait(us(1))
expect_eq(host:read32(buffer), 0, "memory before the load")
ex_read("ex0", 0)
expect_eq(host:read(buffer, 6), "pushed", "memory after it")
