-- Without any credits for writes nothing moves any more that may not pass them
-- PCIe Base 6.0, 2.4.1 (A2, B2, D2) and 2.6.1
machine {timing = "link", topology = [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]}
report_errors("rp0", "ex0")
local buffer = alloc(4096)
link("ex0"):leak {dir = "up", flow = "posted", headers = 64}
dma {dev = "ex0", addr = buffer, data = "stuck", wait = false}
local value, status = mmio_read(bar("ex0", 0), 4)
expect_eq(value, 0xffffffff, "a load: its completion may not pass the write")
expect_bits("rp0", "aer.uncorrectable", UNCOR.TIMEOUT)
expect_eq(host:read32(buffer), 0, "memory")
