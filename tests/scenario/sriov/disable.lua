-- Without VF Enable they are gone
-- PCIe Base 6.0, 9.3.3.3.1
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
vfs=2
]]
cfg_write("rp0", "subordinate_bus_number", 2)
cfg_write("ex0", "num_vfs", 2)
set_bits("ex0", "sriov_control", 1)
wait(ms(100))
local id, status = cfg_read("ex0.1", "vendor_id")
expect_eq(status, "SC", "a read of a Virtual Function")
expect_eq(id, 0xffff, "the vendor of a Virtual Function: its Physical Function's counts")
clear_bits("ex0", "sriov_control", 1)
wait(ms(1))
local gone = not pcall(reg, "ex0.1", "vendor_id")
expect(gone, "there is no such function any more")
