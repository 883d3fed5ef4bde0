-- An interrupt that comes late pushes nothing and is pushed by nothing later
-- PCIe Base 6.0, 2.4.1 and 6.1.4
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
msix("ex0", 1)
local buffer = alloc(4096)
inject {at = "ex0", kind = "MSI", action = "delay", delay = us(30), count = 1}
interrupt("ex0", 0)
dma {dev = "ex0", addr = buffer, data = "behind", wait = false}
wait(us(10))
expect_eq(host:read32(buffer), 0, "a write behind the interrupt, which may not pass it")
wait(us(30))
expect_eq(host:read(buffer, 6), "behind", "the write in the end")
