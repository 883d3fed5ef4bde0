-- A Completer Abort is told by the completer, and the requester's load reads all ones
-- PCIe Base 6.0, 2.3.1 and 6.2.3.2.4.1
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
report_errors("rp0", "ex0")
report_advisory("ex0")
ex_fault("ex0", 2)
local value, status = mmio_read(bar("ex0", 4), 4)
expect_eq(status, "CA", "the completion's status")
expect_eq(value, 0xffffffff, "what the load reads")
expect_bits("ex0", "aer.uncorrectable", UNCOR.ABORT)
value, status = mmio_read(bar("ex0", 4), 4)
expect_eq(status, "SC", "the next load")
