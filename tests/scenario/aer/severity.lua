-- Software decides which errors are fatal
-- PCIe Base 6.0, 7.8.4.4
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
report_errors("rp0", "ex0")
set_bits("ex0", "aer.severity", UNCOR.TIMEOUT)
inject {at = "rp0", kind = "completion", action = "drop", count = 1,
        match = function(tlp) return tlp.requester == bdf("ex0") end}
local fatal, non_fatal = count("ex0", "ERR_FATAL"), count("ex0", "ERR_NONFATAL")
dma {dev = "ex0", op = "read", addr = alloc(4096), len = 4}
expect_eq(fatal:hits(), 1, "ERR_FATAL messages")
expect_eq(non_fatal:hits(), 0, "ERR_NONFATAL messages")
expect_bits("rp0", "aer.root_status", ROOT.FATAL_RECEIVED | ROOT.FATAL)
