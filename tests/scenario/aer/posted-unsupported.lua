-- A write that nobody takes is a non-fatal error: there is no completion to tell of it
-- PCIe Base 6.0, 2.3.1 and 6.2.3.2
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
report_errors("rp0", "ex0")
local errors = count("ex0", "ERR_NONFATAL")
clear_bits("ex0", "command", CONTROL.MEMORY)
mmio_write(bar("ex0", 0) + 0x30, 0x1234, 4)
wait(us(1))
expect_bits("ex0", "aer.uncorrectable", UNCOR.UNSUPPORTED)
expect_eq(errors:hits(), 1, "ERR_NONFATAL messages")
