-- Software triggers containment: the link is down until it is released, and comes back
-- PCIe Base 6.0, 6.2.11 and 7.9.14
machine [[
[root-port rp0]
dpc=yes
[exerciser ex0]
at=rp0
]]
local address = bar("ex0", 0)
cfg_write("rp0", "dpc_control", 1)
cfg_write("rp0", "dpc_control", 1 | 1 << 6)
wait(us(1))
expect_bits("rp0", "dpc_status", 1)
expect_eq(reg("rp0", "dpc_status") >> 1 & 3, 3, "Trigger Reason: the extension")
expect_eq(reg("rp0", "dpc_status") >> 5 & 3, 1, "its extension: software")
expect(not link("ex0"):status().up, "the link is down")
expect(select(2, mmio_read(address, 4)) ~= "SC", "a load fails")
expect_clear("rp0", "aer.uncorrectable", UNCOR.SURPRISE)
expect_soon(function() return reg("rp0", "dpc_status") & 1 << 4 == 0 end, "RP Busy is over", ms(50))
cfg_write("rp0", "dpc_status", 1)
link("ex0"):wait_up()
expect_clear("rp0", "dpc_status", 1)
expect_eq(cfg_read("ex0", "vendor_id"), 0x504c, "the device is back")
expect_reg("ex0", "command", 0)
