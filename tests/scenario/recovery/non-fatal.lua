-- A doorbell that comes poisoned is a Non-Fatal error of the disk: told, counted, made good
-- PCIe Base 6.0, 6.2.3.2.4.2 and 2.7.2.1; Linux Documentation/PCI/pci-error-recovery.rst
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
local doorbells = bar("nvme0", 0) + 0x1000
local poison = inject {at = "rp0", kind = "MWr", first = doorbells, last = doorbells + 0xfff,
                       action = "poison", count = 1}
local _, status = load:wait()
expect_eq(poison:hits(), 1, "doorbells that came poisoned")
expect_eq(status, 0, "what fio comes to, whose data are as it wrote them")
local events = traced("aer_event")
expect(#events >= 1, "the kernel has an aer_event")
expect(events[1]:find("0000:" .. bdf("nvme0"), 1, true), "it names the disk: " .. events[1])
expect(events[1]:find("severity=Uncorrected, non-fatal", 1, true), "and the severity: " .. events[1])
expect(events[1]:find("Poisoned TLP", 1, true), "and the error: " .. events[1])
expect_eq(guest_ok("sed -n 's/^TLP //p' /sys/bus/pci/devices/0000:" .. bdf("nvme0") ..
                   "/aer_dev_nonfatal"), "1\n", "the disk's counter")
expect_clear("nvme0", "aer.uncorrectable", UNCOR.POISONED)
expect_reg("rp0", "aer.root_status", 0)
guest_ok("umount /tmp/m && e2fsck -fn /dev/nvme0n1")
expect_healthy()
