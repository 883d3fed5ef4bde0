-- Software takes the power of a slot away and gives it back: a command each, and a cold reset
-- PCIe Base 6.0, 6.7.3.2 and 7.5.3.10
machine "hotplug"
local control = cfg_read("rp1", "slot.control")
cfg_write("rp1", "slot.status", 0x1ff)
cfg_write("rp1", "slot.control", control | SLOT.POWER_OFF)
expect_soon(function() return reg("rp1", "slot.status") & SLOT.COMPLETED ~= 0 end,
            "Command Completed", s(2))
expect_soon(function() return not link("nvme1"):status().up end, "the link goes down", s(2))
cfg_write("rp1", "slot.status", 0x1ff)
cfg_write("rp1", "slot.control", control & ~SLOT.POWER_OFF)
expect_soon(function() return link("nvme1"):status().up end, "the link comes back", s(3))
expect_reg("nvme1", "command", 0)
expect_clear("rp1", "aer.uncorrectable", UNCOR.SURPRISE)
