-- A port whose link goes down withdraws the interrupts from below
-- PCIe Base 6.0, 2.2.8.1
machine [[
[root-port rp0]
[switch sw0]
at=rp0
downstream=1
[exerciser ex0]
at=sw0.0
]]
local down = count("sw0", "Deassert_INTx", {at = "from"})
ex_write("ex0", 0x50, 1)
wait(us(1))
expect_eq(down:hits(), 0, "Deassert_INTx before")
link("ex0"):down()
wait(us(1))
expect_eq(down:hits(), 1, "Deassert_INTx after")
