-- A power fault takes the power away and is told in Slot Status
-- PCIe Base 6.0, 6.7.1.8
machine "hotplug"
cfg_write("rp1", "slot.status", 0x1ff)
hand("power-fault", "nvme1")
wait(us(1))
expect_bits("rp1", "slot.status", SLOT.FAULT)
expect(not link("nvme1"):status().up, "the link is down")
local _, status = cfg_read("nvme1", "vendor_id")
expect_eq(status, "UR", "a configuration read")
