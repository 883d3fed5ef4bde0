-- A peer that aborts is the requester's trouble alone
-- PCIe Base 6.0, 2.3.1
machine [[
[root-port rp0]
[switch sw0]
at=rp0
downstream=2
[exerciser ex0]
at=sw0.0
[exerciser ex1]
at=sw0.1
]]
ex_fault("ex1", 2)
expect_eq(dma {dev = "ex0", op = "read", addr = bar("ex1", 4), len = 4}, "CA", "the first read")
expect_eq(dma {dev = "ex0", op = "read", addr = bar("ex1", 4), len = 4}, "ok", "the second")
