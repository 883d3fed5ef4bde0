-- Every tenth TLP of a disk at work comes damaged: the kernel counts, the disk is as good as before
-- PCIe Base 6.0, 6.2.3.2.1 and 6.2.4.2; Linux Documentation/PCI/pcieaer-howto.rst
machine {guest = true, memory = "1G", topology = [[
[root-port rp0]
[nvme nvme0]
at=rp0
namespace-size=64M
]]}
tracefs("ras:aer_event")
local port = "/sys/bus/pci/devices/0000:" .. bdf("rp0") .. "/"
guest_ok("mkfs.ext4 -q -F /dev/nvme0n1 && mkdir -p /tmp/m && mount /dev/nvme0n1 /tmp/m")
local storm = inject {at = "nvme0", action = "corrupt-lcrc", probability = 0.1}
local load = guest_job("fio --name=x --directory=/tmp/m --rw=randrw --bs=16k --size=2M --fsync=16 " ..
                       "--direct=1 --ioengine=libaio --iodepth=4 --verify=crc32c --minimal")
local _, status = load:wait()
expect_eq(status, 0, "what fio comes to, whose data are as it wrote them")
expect(storm:hits() > 100, "damaged TLPs: " .. storm:hits())
storm:remove()
expect_soon(function() return reg("rp0", "aer.root_status") == 0 end, "all is read", s(5))
expect_clear("rp0", "aer.correctable", COR.BAD_TLP)
local count = tonumber(guest_ok("sed -n 's/^BadTLP //p' " .. port .. "aer_dev_correctable"))
expect(count > 10, "errors that the kernel counted: " .. count)
expect_eq(#traced("severity=Corrected, Bad TLP"), count, "aer_events")
expect_eq(guest_ok("cat " .. port .. "aer_rootport_total_err_fatal"), "0\n", "Fatal errors")
guest_ok("umount /tmp/m && e2fsck -fn /dev/nvme0n1")
expect_healthy()
