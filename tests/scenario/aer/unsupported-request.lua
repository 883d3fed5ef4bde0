-- An Unsupported Request of a read is an advisory error of the completer
-- PCIe Base 6.0, 6.2.3.2.4.1
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
report_errors("rp0", "ex0")
report_advisory("ex0")
ex_fault("ex0", 1)
local correctable = count("ex0", "ERR_COR")
local value, status = mmio_read(bar("ex0", 4), 4)
expect_eq(status, "UR", "the completion's status")
expect_eq(value, 0xffffffff, "what the load reads")
expect_bits("ex0", "aer.uncorrectable", UNCOR.UNSUPPORTED)
expect_bits("ex0", "aer.correctable", COR.ADVISORY)
wait(us(1))
expect_eq(correctable:hits(), 1, "ERR_COR messages")
