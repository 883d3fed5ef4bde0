-- A link that loses lanes goes on with fewer, and says why
-- PCIe Base 6.0, 4.2.6.4 and 7.5.3.8
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
expect_eq(link("ex0"):status().width, 4, "lanes at first")
link("ex0"):degrade {width = 1, speed = 1}
wait(ms(1))
expect_eq(link("ex0"):status().width, 1, "lanes")
expect_eq(link("ex0"):status().speed, 1, "speed")
expect_eq(reg("rp0", "link.status") & 0x3ff, 0x011, "Link Status: 2.5 GT/s x1")
expect_bits("rp0", "link.status", LINK.MANAGEMENT)
expect_eq(mmio_read(bar("ex0", 0), 4), 0x58454c50, "a load")
link("ex0"):restore()
wait(ms(1))
expect_eq(link("ex0"):status().width, 4, "lanes in the end")
