-- Errors from before the AER driver came are forgotten by the stock kernel, not told with the first one
-- Linux e242d09b58e8 "PCI/AER: Clear stale errors on reporting agents upon probe"; PCIe Base 6.0, 6.2.4
machine {guest = true, topology = [[
[root-port rp0]
[nvme nvme0]
at=rp0
]]}
local function driver(what)
    guest_ok("cd /sys/bus/pci_express/drivers/aer && for d in /sys/bus/pci_express/devices/0000:" ..
             bdf("rp0") .. ":pcie*; do echo ${d##*/} >" .. what .. " 2>/dev/null; done; true")
end
local function served() return guest("ls /sys/bus/pci_express/drivers/aer"):find(bdf("rp0"), 1, true) end
expect(served(), "the AER driver has the root port")
driver "unbind"
expect(not served(), "and gives it up")
-- While nobody is there a TLP comes damaged: the disk notes it and tells of it.
flip("nvme0", "aer.correctable", COR.BAD_DLLP)
flip("rp0", "aer.root_status", ROOT.COR)
driver "bind"
expect(served(), "the AER driver is back")
expect_eq(reg("rp0", "aer.root_status") & ROOT.COR, 0, "the root port's old error")
-- The first error after that is told alone.
flip("nvme0", "aer.correctable", COR.BAD_TLP)
emit("nvme0", {code = 0x30})
local function counted(what)
    return tonumber(guest_ok("cat /sys/bus/pci/devices/0000:" .. bdf("nvme0") ..
                             "/aer_dev_correctable"):match(what .. " (%d+)"))
end
expect_soon(function() return counted("BadTLP") == 1 end, "the kernel counts it", s(5))
expect_eq(counted("BadDLLP"), 0, "the kernel's count of the old one")
expect_healthy()
