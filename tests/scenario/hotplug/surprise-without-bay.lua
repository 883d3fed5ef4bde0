-- The same below a port that knows nothing of surprises is a fatal error
-- PCIe Base 6.0, 6.7.4 and 7.8.4.2
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
report_errors("rp0", "ex0")
hand("unplug", "ex0")
wait(us(1))
expect_bits("rp0", "aer.uncorrectable", UNCOR.SURPRISE)
expect_bits("rp0", "aer.root_status", ROOT.FATAL_RECEIVED)
