-- The stock kernel, which does not ask for Readiness Notifications, is not disturbed by them
-- PCIe Base 6.0, 6.22 and 2.2.8.6.2; Linux drivers/pci/pci.c, pcie_flr() and pci_bridge_secondary_bus_reset()
machine {guest = true, topology = "readiness"}
local said = count("rp1", "Msg", {at = "to", match = function(tlp) return tlp.code == 0x7f end})
local function path(dev) return "/sys/bus/pci/devices/0000:" .. bdf(dev) end
local function depth() return reg("rp0", "frs_message_queue") >> 20 end
guest_ok("lspci -vvv >/dev/null")
guest_ok("dd if=/dev/nvme0n1 of=/dev/null bs=64k count=16 iflag=direct")
expect_eq(depth(), 0, "messages that wait")
guest_ok("echo flr >" .. path("ex0") .. "/reset_method && echo 1 >" .. path("ex0") .. "/reset")
expect(depth() > 0, "the function has said that its reset is over")
guest_ok("echo bus >" .. path("ex1") .. "/reset_method && echo 1 >" .. path("ex1") .. "/reset")
expect_bits("rp1", "link_status_2", 1 << 15)
expect_eq(said:hits(), 1, "DRS messages after a hot reset")
guest_ok("dd if=/dev/nvme0n1 of=/dev/null bs=64k count=16 iflag=direct")
expect_healthy()
