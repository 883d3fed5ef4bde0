-- Without Bus Master Enable no interrupt message leaves; it is sent when it may
-- PCIe Base 6.0, 6.1.4 and 7.5.1.1.3
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
msix("ex0", 1)
local sent = count("ex0", "MSI", {at = "from"})
clear_bits("ex0", "command", CONTROL.MASTER)
interrupt("ex0", 0)
wait(us(1))
expect_eq(sent:hits(), 0, "interrupts")
set_bits("ex0", "command", CONTROL.MASTER)
wait(us(1))
expect_eq(sent:hits(), 1, "interrupts when it may")
