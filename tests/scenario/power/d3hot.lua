-- A function in D3hot has no memory, and its configuration space answers
-- PCI Power Management 1.2, 5.4.1 and 8.1; PCIe Base 6.0, 5.3.1.4.1
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
report_errors("rp0", "ex0")
local power = cfg_read("ex0", "pm_control_status")
cfg_write("ex0", "pm_control_status", power & ~3 | 3)
wait(ms(10))
local _, status = mmio_read(bar("ex0", 0), 4)
expect_eq(status, "UR", "a load from its memory")
expect_eq(cfg_read("ex0", "vendor_id"), 0x504c, "its vendor")
cfg_write("ex0", "pm_control_status", power & ~3)
wait(ms(10))
expect_eq(mmio_read(bar("ex0", 0), 4), 0x58454c50, "its memory in D0 again")
