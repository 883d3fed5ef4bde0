-- Completions, writes and interrupts that come late by chance harm no data of the stock kernel
-- PCIe Base 6.0, 2.4.1 and 6.1.4: order is kept, time is not promised
machine {guest = true, cpus = 2, topology = [[
[root-port rp0]
[nvme nvme0]
at=rp0
]]}
vary {completions = us(2), writes = us(2), interrupts = us(50), turns = us(20)}
guest_ok("head -c 512K /dev/urandom >/tmp/x; dd if=/tmp/x of=/dev/nvme0n1 bs=32k oflag=direct 2>&1")
guest_ok("dd if=/dev/nvme0n1 bs=32k count=16 iflag=direct 2>/dev/null | cmp - /tmp/x")
expect_no_dmesg("WARNING:")
expect_no_dmesg("nvme0: I/O")
