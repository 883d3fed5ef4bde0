-- The stock kernel counts a Bad TLP of the port above a disk, and the disk goes on
-- PCIe Base 6.0, 6.2.3.2.1; Linux Documentation/PCI/pcieaer-howto.rst
machine {guest = true, topology = [[
[root-port rp0]
[nvme nvme0]
at=rp0
]]}
local port = "/sys/bus/pci/devices/0000:00:01.0/"
local function count_of(what)
    return tonumber(guest_ok("cat " .. port .. "aer_dev_correctable"):match(what .. " (%d+)"))
end
expect_eq(count_of "BadTLP", 0, "Bad TLPs before")
local bad = inject {at = "nvme0", kind = "MWr", action = "corrupt-lcrc", count = 3}
guest_ok("dd if=/dev/nvme0n1 of=/dev/null bs=64k count=4 iflag=direct 2>&1")
expect_eq(bad:hits(), 3, "TLPs that were corrupt")
expect_soon(function() return reg("rp0", "aer.root_status") == 0 end, "the driver has read it", s(1))
expect(count_of "BadTLP" >= 1, "the kernel counts them")
expect_dmesg("BadTLP")
