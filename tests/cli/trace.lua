-- Reads, writes and errors of each kind, for a look at them in Wireshark
-- PCIe Base 6.0, 2.2
machine {
  topology = [[
[root-port rp0]
[switch sw0]
at=rp0
downstream=2
[exerciser ex0]
at=sw0.0
[exerciser ex1]
at=sw0.1
]],
  timing = "link",
}
report_errors("rp0", "ex0", "ex1")
local buffer = alloc(4096)
local address = bar("ex1", 0)

-- A read in several completions, and one of another device.
expect_eq(dma {dev = "ex0", op = "write", addr = buffer, data = string.rep("0123456789abcdef", 40)}, "ok")
expect_eq(dma {dev = "ex0", op = "read", addr = buffer, len = 640}, "ok")
expect_eq(dma {dev = "ex0", op = "read", addr = address, len = 4}, "ok")


-- UR, CA, poison, and a TLP with a wrong LCRC, which is sent again.
inject {at = "ex1", kind = "CplD", action = "UR", count = 1}
expect_eq(dma {dev = "ex0", op = "read", addr = address, len = 4}, "UR")
inject {at = "ex1", kind = "CplD", action = "CA", count = 1}
expect_eq(dma {dev = "ex0", op = "read", addr = address, len = 4}, "CA")
expect_eq(dma {dev = "ex0", op = "write", addr = buffer, data = "abcd", attr = ATTR.POISON}, "ok")
link("ex0"):fault("corrupt-tlp", {dir = "up", after = 0, count = 1})
expect_eq(dma {dev = "ex0", op = "read", addr = buffer, len = 4}, "ok")
wait(us(20))
