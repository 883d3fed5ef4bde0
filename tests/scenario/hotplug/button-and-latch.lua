-- The attention button and the latch are events of the slot
-- PCIe Base 6.0, 6.7.1.3 and 6.7.1.5
machine "hotplug"
cfg_write("rp1", "slot.status", 0x1ff)
hand("press", "nvme1")
expect_bits("rp1", "slot.status", SLOT.BUTTON)
cfg_write("rp1", "slot.status", SLOT.BUTTON)
expect_clear("rp1", "slot.status", SLOT.BUTTON)
hand("open", "nvme1")
wait(us(1))
expect_bits("rp1", "slot.status", SLOT.LATCH_CHANGED | SLOT.LATCH_OPEN)
expect(not link("nvme1"):status().up, "no power behind an open latch")
