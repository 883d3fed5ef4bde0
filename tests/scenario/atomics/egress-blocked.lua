-- A port with AtomicOp Egress Blocking lets none out
-- PCIe Base 6.0, 6.15.3 and 7.5.3.16
machine [[
[root-port rp0]
[switch sw0]
at=rp0
downstream=2
[exerciser ex0]
at=sw0.0
]]
report_errors("rp0", "sw0", "sw0.0", "ex0")
report_advisory("sw0")
set_bits("ex0", "device_control_2", 1 << 6)
set_bits("sw0", "device_control_2", 1 << 7)
local buffer = alloc(4096)
local result = dma {dev = "ex0", op = "fetch_add", addr = buffer, len = 4, operand = 1}
expect_eq(result, "UR", "the AtomicOp")
expect_eq(host:read32(buffer), 0, "memory")
expect_bits("sw0", "aer.uncorrectable", UNCOR.ATOMIC_BLOCKED)
