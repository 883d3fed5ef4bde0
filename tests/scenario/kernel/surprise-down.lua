-- A disk is pulled out of its bay and put back: the stock kernel gives it up, and takes it again
-- PCIe Base 6.0, 6.2.3; Linux Documentation/PCI/pci-error-recovery.rst
machine {guest = true, topology = [[
[root-port rp0]
hotplug=surprise
[nvme nvme0]
at=rp0
]]}
guest_ok("test -b /dev/nvme0n1")
hand("unplug", "nvme0")
expect_dmesg("Link Down")
wait(s(2))
guest_ok("! test -e /dev/nvme0n1")
hand("plug", "nvme0")
wait(s(3))
guest_ok("test -b /dev/nvme0n1")
expect_no_dmesg("WARNING:")
