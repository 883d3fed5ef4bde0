-- An AtomicOp with poisoned data changes nothing
-- PCIe Base 6.0, 2.7.2.2
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
set_bits("ex0", "device_control_2", 1 << 6)
local buffer = alloc(4096)
host:write32(buffer, 5)
inject {at = "ex0", kind = "FetchAdd", action = "poison", count = 1}
local result = dma {dev = "ex0", op = "fetch_add", addr = buffer, len = 4, operand = 1}
expect(result ~= "ok", "the AtomicOp does not succeed")
expect_eq(host:read32(buffer), 5, "memory")
