-- A device that hangs answers nothing: loads read all ones after the root port's timeout
-- PCIe Base 6.0, 2.8
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
report_errors("rp0", "ex0")
local stuck = hang("ex0")
local began = now()
expect_eq(mmio_read(bar("ex0", 0), 4), 0xffffffff, "what a load reads")
expect(now() - began >= us(50), "it took a completion timeout")
expect_bits("rp0", "aer.uncorrectable", UNCOR.TIMEOUT)
stuck:remove()
expect_eq(mmio_read(bar("ex0", 0), 4), 0x58454c50, "the device when it is itself again")
