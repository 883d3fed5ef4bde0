-- A link that software disables goes down without an error
-- PCIe Base 6.0, 3.2.1
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
report_errors("rp0", "ex0")
set_bits("rp0", "link.control", LINK.DISABLE)
wait(us(1))
expect(not link("ex0"):status().up, "the link is down")
expect_reg("rp0", "aer.uncorrectable", 0)
expect_reg("rp0", "aer.root_status", 0)
