-- A link that goes down by itself is a fatal error of the port above it
-- PCIe Base 6.0, 3.2.1 and 6.2.3
machine [[
[root-port rp0]
[switch sw0]
at=rp0
downstream=2
[exerciser ex0]
at=sw0.1
]]
report_errors("rp0", "sw0", "sw0.1", "ex0")
local fatal = count("rp0", "ERR_FATAL")
link("ex0"):down()
wait(us(1))
expect_bits("sw0.1", "aer.uncorrectable", UNCOR.SURPRISE)
expect_eq(fatal:hits(), 1, "ERR_FATAL messages")
expect_eq(reg("rp0", "aer.source") >> 16, rid("sw0.1"), "whom the root port names")
