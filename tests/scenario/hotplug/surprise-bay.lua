-- A device that is pulled out of a bay: presence and link change, and nothing is an error
-- PCIe Base 6.0, 6.7.1 and 6.7.4
machine "hotplug"
report_errors("rp0")
expect_bits("rp0", "slot.status", SLOT.PRESENT)
cfg_write("rp0", "slot.status", 0x1ff)
hand("unplug", "nvme0")
wait(us(1))
expect_clear("rp0", "slot.status", SLOT.PRESENT)
expect_bits("rp0", "slot.status", SLOT.PRESENCE_CHANGED | SLOT.LINK_CHANGED)
expect_clear("rp0", "aer.uncorrectable", UNCOR.SURPRISE)
local _, status = cfg_read("nvme0", "vendor_id")
expect_eq(status, "UR", "a configuration read of what is gone")
hand("plug", "nvme0")
link("nvme0"):wait_up(ms(300))
expect_bits("rp0", "slot.status", SLOT.PRESENT)
expect_eq(cfg_read("nvme0", "vendor_id"), 0x504c, "the vendor of what is back")
expect_reg("nvme0", "command", 0)
