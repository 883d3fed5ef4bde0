-- A poisoned write to memory is reported by the root port that it cannot pass on
-- PCIe Base 6.0, 2.7.2.2 and 6.2.3.2.4
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
report_errors("rp0", "ex0")
local buffer = alloc(4096)
local result = dma {dev = "ex0", op = "write", addr = buffer, data = "abcd", attr = ATTR.POISON}
expect_eq(result, "ok", "the requester of a posted request")
wait(us(10))
expect_bits("rp0", "aer.uncorrectable", UNCOR.POISONED)
