-- A device that says Immediate Readiness answers at once, after a reset and on its way from D3hot
-- PCIe Base 6.0, 7.5.1.1.4, 7.5.2.1 and 6.6.2
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
immediate-readiness=yes
[root-port rp1]
[exerciser ex1]
at=rp1
]]
local READY_AFTER_RESET, READY_FROM_D3 = 1, 1 << 4
expect_bits("ex0", "status", READY_AFTER_RESET)
expect_bits("ex0", "pm_capabilities", READY_FROM_D3)
expect_clear("ex1", "status", READY_AFTER_RESET)
expect_clear("ex1", "pm_capabilities", READY_FROM_D3)
set_bits("ex0", "device.control", CONTROL.FLR)
local id, status = cfg_read("ex0", "vendor_id")
expect_eq(status, "SC", "a read right after a Function Level Reset")
expect_eq(id, 0x504c, "what it reads")
set_bits("ex0", "pm_control_status", 3)
clear_bits("ex0", "pm_control_status", 3)
expect_eq(select(2, cfg_read("ex0", "vendor_id")), "SC", "a read right after D3hot")
link("ex0"):reset()
link("ex0"):release()
link("ex0"):wait_up()
expect_eq(select(2, cfg_read("ex0", "vendor_id")), "SC", "a read right after a hot reset")
expect_bits("ex0", "status", READY_AFTER_RESET)
