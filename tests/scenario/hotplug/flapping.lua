-- A link that flaps comes back each time, and each time with the registers of a reset
-- PCIe Base 6.0, 6.6.1
machine "hotplug"
cfg_write("rp0", "slot.status", 0x1ff)
link("nvme0"):flap(5, us(50), ms(1))
link("nvme0"):wait_up()
expect_bits("rp0", "slot.status", SLOT.LINK_CHANGED)
expect_reg("nvme0", "command", 0)
expect_eq(cfg_read("nvme0", "vendor_id"), 0x504c, "the vendor")
