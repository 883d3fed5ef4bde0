-- A TLP whose payload is not as long as its Length says is malformed, and fatal
-- PCIe Base 6.0, 2.2.2 and 6.2.3
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
report_errors("rp0", "ex0")
dma {dev = "ex0", op = "emit", pattern = 1, addr = alloc(4096)}
wait(us(10))
expect_bits("rp0", "aer.uncorrectable", UNCOR.MALFORMED)
expect_bits("rp0", "aer.root_status", ROOT.FATAL_RECEIVED)
expect_eq(reg("rp0", "aer.source") >> 16, rid("rp0"), "whom the root port names")
