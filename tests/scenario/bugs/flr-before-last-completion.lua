-- The kernel looked for pending transactions in the wrong register, and reset a device in mid-read
-- Linux v3.16 "PCI: Wrong register used to check pending traffic"; PCIe Base 6.0, 6.6.2
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
report_errors("rp0", "ex0")
report_advisory("ex0")
inject {at = "rp0", kind = "completion", requester = "ex0", action = "delay", delay = us(500), count = 1}
dma {dev = "ex0", op = "read", addr = alloc(4096), len = 64, wait = false}
wait(us(10))
clear_bits("ex0", "command", CONTROL.MASTER)
-- pci_wait_for_pending_transaction(): Transactions Pending is bit 5 of Device Status, not of Control.
local register = broken() and "device.control" or "device.status"
for _ = 1, 10 do
    if cfg_read("ex0", register) & 1 << 5 == 0 then
        break
    end
    wait(us(100))
end
set_bits("ex0", "device.control", CONTROL.FLR)
wait(ms(100))
expect_clear("ex0", "aer.correctable", COR.ADVISORY)
expect_clear("ex0", "aer.uncorrectable", UNCOR.UNEXPECTED)
