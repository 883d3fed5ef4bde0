-- A disk whose command fetch is lost tells of a timeout; the stock kernel resets it
-- PCIe Base 6.0, 2.8; Linux drivers/nvme/host/pci.c and Documentation/PCI/pci-error-recovery.rst
machine {guest = true, topology = [[
[root-port rp0]
[nvme nvme0]
at=rp0
]]}
guest_ok("head -c 1M /dev/urandom >/tmp/x; dd if=/tmp/x of=/dev/nvme0n1 bs=64k oflag=direct 2>&1")
local before = guest_ok("dd if=/dev/nvme0n1 bs=64k count=16 iflag=direct 2>/dev/null | sha256sum")
local lost = inject {at = "rp0", kind = "CplD", action = "drop", count = 1,
                     match = function(tlp) return tlp.requester == bdf("nvme0") end}
local after = guest_ok("dd if=/dev/nvme0n1 bs=64k count=16 iflag=direct 2>/dev/null | sha256sum")
expect_eq(lost:hits(), 1, "completions that were lost")
expect_eq(after, before, "the checksum of the data")
expect_dmesg("CmpltTO")
expect_no_dmesg("WARNING:")
