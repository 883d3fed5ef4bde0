-- A file system at work survives containment of its disk's port: nothing is lost, nobody is told
-- PCIe Base 6.0, 6.2.11; Linux Documentation/PCI/pci-error-recovery.rst
machine {guest = true, memory = "1G", topology = [[
[root-port rp0]
dpc=yes
[nvme nvme0]
at=rp0
namespace-size=64M
]]}
guest_ok("mkfs.ext4 -q -F /dev/nvme0n1 && mkdir -p /tmp/m && mount /dev/nvme0n1 /tmp/m")
local load = guest_job("fio --name=x --directory=/tmp/m --rw=randrw --bs=16k --size=4M --fsync=16 " ..
                       "--direct=1 --ioengine=libaio --iodepth=4 --verify=crc32c --minimal")
expect(wait_tlp("nvme0", "MWr", s(5), {at = "from"}), "the disk works")
set_bits("rp0", "dpc_control", 1 << 6)
expect_soon(function() return reg("rp0", "dpc_status") & 1 == 1 end, "containment", us(10))
expect_eq(reg("rp0", "dpc_status") >> 1 & 0x33, 0x13, "the reason: software")
expect(not link("nvme0"):status().up, "the link is down")
local _, status = load:wait()
expect_eq(status, 0, "what fio comes to, whose data are as it wrote them")
expect_clear("rp0", "dpc_status", 1)
expect_eq(cfg_read("nvme0", "command") & 6, 6, "the disk is on again")
guest_ok("umount /tmp/m && e2fsck -fn /dev/nvme0n1")
expect_dmesg("device recovery successful")
expect_healthy()
