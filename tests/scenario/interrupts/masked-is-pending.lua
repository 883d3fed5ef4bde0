-- A masked MSI-X vector is pending, and sent when it is unmasked
-- PCIe Base 6.0, 6.1.4.5 and 7.7.2
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
msix("ex0", 2)
local table_at = bar("ex0", 2)
local sent = count("ex0", "MSI", {at = "from"})
mmio_write(table_at + 16 + 12, 1, 4)
interrupt("ex0", 1)
wait(us(1))
expect_eq(sent:hits(), 0, "interrupts while masked")
expect_eq(mmio_read(table_at + 0x8000, 4) & 2, 2, "its pending bit")
mmio_write(table_at + 16 + 12, 0, 4)
wait(us(1))
expect_eq(sent:hits(), 1, "interrupts after it was unmasked")
expect_eq(mmio_read(table_at + 0x8000, 4) & 2, 0, "its pending bit")
