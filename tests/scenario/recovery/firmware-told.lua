-- A record of the firmware makes a kernel recover a disk that has no error at all
-- ACPI 6.5, 18.3.2.8; Linux drivers/acpi/apei/ghes.c
machine {guest = true, memory = "512M", topology = [[
[host-bridge hb0]
firmware-first=yes
[root-port rp0]
[nvme nvme0]
at=rp0
namespace-size=16M
]]}
tracefs("ras:aer_event")
guest_ok("blkid /dev/nvme0n1; true")
firmware:report {severity = "fatal", at = "nvme0", status = UNCOR.MALFORMED}
expect_dmesg("fru_text: nvme0")
expect_dmesg("restart after slot reset")
expect_dmesg("device recovery successful")
expect_eq(#traced("severity=Fatal"), 1, "aer_events")
expect(not firmware:told("uncorrected"), "the kernel has acknowledged it")
guest_ok("dd if=/dev/nvme0n1 of=/dev/null bs=64k count=16 iflag=direct")
