-- An interrupt that the wire repeats arrives twice: whoever handles it finds nothing the second time
-- PCIe Base 6.0, 6.1.4
machine [[
[root-port rp0]
[switch sw0]
at=rp0
downstream=1
[exerciser ex0]
at=sw0.0
]]
msix("ex0", 1)
local arrived = count("rp0", "MSI", {at = "to"})
inject {at = "ex0", kind = "MSI", action = "duplicate", count = 1}
interrupt("ex0", 0)
wait(us(1))
expect_eq(ex_read("ex0", 0x80, 8), 1, "interrupts that the device sent")
expect_eq(arrived:hits(), 2, "interrupts that the root port gets")
expect_reg("rp0", "aer.uncorrectable", 0)
