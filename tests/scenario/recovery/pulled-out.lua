-- A disk is pulled out under load: its users get errors; put back, it holds all that was synced
-- PCIe Base 6.0, 6.7.6 and 3.2.1; Linux drivers/pci/hotplug/pciehp_ctrl.c
machine {guest = true, memory = "1G", topology = [[
[root-port rp0]
hotplug=surprise
[nvme nvme0]
at=rp0
namespace-size=64M
]]}
tracefs("ras:aer_event")
guest_ok("mkfs.ext4 -q -F /dev/nvme0n1 && mkdir -p /tmp/m && mount /dev/nvme0n1 /tmp/m")
local sum = guest_ok("head -c 1M /dev/urandom >/tmp/m/kept && sync /tmp/m/kept && " ..
                     "sha256sum </tmp/m/kept")
local load = guest_job("fio --name=x --directory=/tmp/m --rw=write --bs=16k --size=32M --fsync=16 " ..
                       "--direct=1 --ioengine=libaio --iodepth=4 --minimal")
expect(wait_tlp("nvme0", "MWr", s(5), {at = "from"}), "the disk works")
hand("unplug", "nvme0")
local _, status = load:wait(s(20))
expect(status ~= 0, "fio is told: exit status " .. status)
expect_clear("rp0", "slot.status", SLOT.PRESENT)
expect_eq(#traced("aer_event"), 0, "errors that are told: a bay masks Surprise Down")
guest_ok("! test -e /dev/nvme0n1")
guest_ok("umount /tmp/m")
hand("plug", "nvme0")
expect_soon(function() return select(2, guest("test -b /dev/nvme0n1")) == 0 end, "it is back", s(30))
expect_bits("rp0", "slot.status", SLOT.PRESENT)
guest_ok("e2fsck -fp /dev/nvme0n1 || test $? = 1")
guest_ok("e2fsck -fn /dev/nvme0n1 && mount /dev/nvme0n1 /tmp/m")
expect_eq(guest_ok("sha256sum </tmp/m/kept"), sum, "the checksum of what was synced")
expect_healthy()
