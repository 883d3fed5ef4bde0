-- An interrupt that is lost on its way: what the device did is there, and nobody is told
-- PCIe Base 6.0, 6.1.4
machine [[
[root-port rp0]
[switch sw0]
at=rp0
downstream=1
[exerciser ex0]
at=sw0.0
]]
msix("ex0", 2)
local arrived = count("rp0", "MSI", {at = "to"})
inject {at = "ex0", kind = "MSI", action = "drop", count = 1}
local buffer = alloc(4096)
expect_eq(dma {dev = "ex0", addr = buffer, data = "done", vector = 1}, "ok", "the DMA")
expect_eq(host:read(buffer, 4), "done", "memory")
expect_eq(arrived:hits(), 0, "interrupts at the root port")
interrupt("ex0", 1)
wait(us(1))
expect_eq(arrived:hits(), 1, "interrupts after the next")
