-- A Fatal error of a disk at work resets the bus below its port: the disk returns, nothing is lost
-- PCIe Base 6.0, 6.2.3.2.2 and 7.5.1.3.13; Linux Documentation/PCI/pci-error-recovery.rst
machine {guest = true, memory = "1G", topology = [[
[root-port rp0]
[nvme nvme0]
at=rp0
namespace-size=64M
]]}
tracefs("ras:aer_event")
uevents()
guest_ok("mkfs.ext4 -q -F /dev/nvme0n1 && mkdir -p /tmp/m && mount /dev/nvme0n1 /tmp/m")
set_bits("nvme0", "aer.severity", UNCOR.POISONED)
local load = guest_job("fio --name=x --directory=/tmp/m --rw=randrw --bs=16k --size=4M --fsync=16 " ..
                       "--direct=1 --ioengine=libaio --iodepth=4 --verify=crc32c --minimal")
expect(wait_tlp("nvme0", "MWr", s(5), {at = "from"}), "the disk works")
local doorbells = bar("nvme0", 0) + 0x1000
inject {at = "rp0", kind = "MWr", first = doorbells, last = doorbells + 0xfff, action = "poison",
        count = 1}
expect_tlp("nvme0", "ERR_FATAL", s(5), {at = "from"})
local reset = false
spawn(function()
    while not reset do
        reset = link("nvme0"):status().in_reset
        wait(us(100))
    end
end)
expect_soon(function() return reset end, "the link is in reset", s(5))
local _, status = load:wait()
expect_eq(status, 0, "what fio comes to, whose data are as it wrote them")
local events = traced("severity=Fatal")
expect_eq(#events, 1, "aer_events of Fatal errors")
expect(events[1]:find("0000:" .. bdf("nvme0"), 1, true), "it names the disk: " .. events[1])
expect_reg("rp0", "aer.root_status", 0)
-- The kernel asks a device that it cannot trust nothing (aer_get_device_error_info()): its counters stay.
expect_eq(guest_ok("cat /sys/bus/pci/devices/0000:" .. bdf("rp0") ..
                   "/aer_rootport_total_err_fatal"), "1\n", "the counter of the root port")
expect_dmesg("device recovery successful")
local told = uevents_seen("PCI_SLOT_NAME=0000:" .. bdf("nvme0"))
expect_eq(#told, 2, "uevents of the disk's function")
expect(told[1]:find("ERROR_EVENT=BEGIN_RECOVERY", 1, true), "first: " .. told[1])
expect(told[2]:find("ERROR_EVENT=SUCCESSFUL_RECOVERY", 1, true), "then: " .. told[2])
guest_ok("umount /tmp/m && e2fsck -fn /dev/nvme0n1")
expect_healthy()
