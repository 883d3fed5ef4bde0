-- FetchAdd to memory: the old value comes back, the sum stays
-- PCIe Base 6.0, 6.15
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
set_bits("ex0", "device_control_2", 1 << 6)
local buffer = alloc(4096)
host:write64(buffer, 40)
local result, old = dma {dev = "ex0", op = "fetch_add", addr = buffer, len = 8, operand = 2}
expect_eq(result, "ok", "the AtomicOp")
expect_eq(string.unpack("<I8", old), 40, "what was there")
expect_eq(host:read64(buffer), 42, "what is there")
