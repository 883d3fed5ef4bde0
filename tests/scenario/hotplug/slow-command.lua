-- A slot whose commands take long: Command Completed comes then, or never
-- PCIe Base 6.0, 6.7.3.2: up to a second
machine "hotplug"
local function complete() return reg("rp1", "slot.status") & SLOT.COMPLETED ~= 0 end
cfg_write("rp1", "slot.status", SLOT.COMPLETED)
slow_slot("nvme1", ms(900))
set_bits("rp1", "slot.control", 1 << 6)
wait(ms(800))
expect(not complete(), "not after 800 ms")
expect_soon(complete, "Command Completed", ms(200))
cfg_write("rp1", "slot.status", SLOT.COMPLETED)
slow_slot("nvme1")
set_bits("rp1", "slot.control", 1 << 7)
wait(s(5))
expect(not complete(), "never")
slow_slot("nvme1", ms(1))
set_bits("rp1", "slot.control", 1 << 6)
expect_soon(complete, "Command Completed again", ms(2))
