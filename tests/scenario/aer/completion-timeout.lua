-- A read that nobody answers is a completion timeout of its requester
-- PCIe Base 6.0, 2.8 and 6.2.3.2.4.4
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
report_errors("rp0", "ex0")
local lost = inject {at = "rp0", kind = "completion", action = "drop", count = 1}
local errors = count("ex0", "ERR_NONFATAL")
local began = now()
expect_eq(dma {dev = "ex0", op = "read", addr = alloc(4096), len = 64}, "timeout", "the DMA")
expect_eq(lost:hits(), 1, "completions that were lost")
expect(now() - began >= us(50) and now() - began <= ms(60), "between 50 us and 50 ms and a bit")
expect_bits("ex0", "aer.uncorrectable", UNCOR.TIMEOUT)
expect_eq(errors:hits(), 1, "ERR_NONFATAL messages")
expect_bits("rp0", "aer.root_status", ROOT.UNCOR | ROOT.NONFATAL_RECEIVED)
expect_eq(reg("rp0", "aer.source") >> 16, rid("ex0"), "whom the root port names")
