-- An interrupt that no device asked for
-- PCIe Base 6.0, 6.1.4
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
msix("ex0", 1)
emit("ex0", {address = 0xfee00000, data = string.pack("<I4", 0x77)})
wait(us(1))
expect_eq(ex_read("ex0", 0x80, 8), 0, "interrupts that the device sent")
expect_reg("rp0", "aer.uncorrectable", 0)
