-- Secondary Bus Reset resets what is below: registers are lost, sticky errors stay
-- PCIe Base 6.0, 6.6.1 and 7.5.1.3.13
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
report_errors("rp0", "ex0")
inject {at = "rp0", kind = "completion", action = "drop", count = 1,
        match = function(tlp) return tlp.requester == bdf("ex0") end}
dma {dev = "ex0", op = "read", addr = alloc(4096), len = 4}
expect_bits("ex0", "aer.uncorrectable", UNCOR.TIMEOUT)
local control = cfg_read("rp0", "bridge_control")
cfg_write("rp0", "bridge_control", control | 1 << 6)
wait(ms(2))
expect(not link("ex0"):status().up, "the link is down")
cfg_write("rp0", "bridge_control", control)
link("ex0"):wait_up()
expect_reg("ex0", "command", 0)
expect_bits("ex0", "aer.uncorrectable", UNCOR.TIMEOUT)
expect_clear("rp0", "aer.uncorrectable", UNCOR.SURPRISE)
