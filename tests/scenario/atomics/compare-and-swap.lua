-- CAS changes what is as expected, and leaves what is not
-- PCIe Base 6.0, 6.15.1
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
set_bits("ex0", "device_control_2", 1 << 6)
local buffer = alloc(4096)
host:write32(buffer, 7)
dma {dev = "ex0", op = "cas", addr = buffer, len = 4, compare = 8, operand = 9}
expect_eq(host:read32(buffer), 7, "after a CAS that expected something else")
dma {dev = "ex0", op = "cas", addr = buffer, len = 4, compare = 7, operand = 9}
expect_eq(host:read32(buffer), 9, "after one that expected it")
