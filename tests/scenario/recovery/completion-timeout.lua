-- A disk at work misses a completion: it tells of a timeout, its command is done again, all is there
-- PCIe Base 6.0, 2.8 and 6.2.3.2.4.4; Linux Documentation/PCI/pci-error-recovery.rst
machine {guest = true, memory = "1G", topology = [[
[root-port rp0]
[nvme nvme0]
at=rp0
namespace-size=64M
]]}
tracefs("ras:aer_event")
guest_ok("mkfs.ext4 -q -F /dev/nvme0n1 && mkdir -p /tmp/m && mount /dev/nvme0n1 /tmp/m")
local load = guest_job("fio --name=x --directory=/tmp/m --rw=randrw --bs=16k --size=2M --fsync=16 " ..
                       "--direct=1 --ioengine=libaio --iodepth=4 --verify=crc32c --minimal")
expect(wait_tlp("nvme0", "MWr", s(5), {at = "from"}), "the disk works")
local lost = inject {at = "rp0", kind = "CplD", action = "drop", count = 1,
                     match = function(tlp) return tlp.requester == bdf("nvme0") end}
local _, status = load:wait()
expect_eq(lost:hits(), 1, "completions that were lost")
expect_eq(status, 0, "what fio comes to, whose data are as it wrote them")
local events = traced("Completion Timeout")
expect_eq(#events, 1, "aer_events of timeouts")
expect(events[1]:find("0000:" .. bdf("nvme0"), 1, true), "it names the disk: " .. events[1])
expect(events[1]:find("non-fatal", 1, true), "and the severity: " .. events[1])
expect_clear("nvme0", "aer.uncorrectable", UNCOR.TIMEOUT)
guest_ok("umount /tmp/m && e2fsck -fn /dev/nvme0n1")
expect_healthy()
