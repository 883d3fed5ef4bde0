-- The VT-d driver wiped a context entry while the hardware could read it: half of it counted
-- Linux c1e4f1dccbe9 "iommu/vt-d: Clear Present bit before tearing down context entry"; VT-d 4.1, 6.5.3.3
machine [[
[iommu iommu0]
[root-port rp0]
[exerciser ex0]
at=rp0
]]
local NOT_PRESENT = 2
local unit, memory = iommu(), alloc(4096)
unit:map("ex0", 0x10000000, memory, 4096)
unit:flush()
expect_eq(dma {dev = "ex0", addr = 0x10000000, data = "x"}, "ok", "a DMA before")
local entry = unit:context("ex0")
local function device_goes_on()
    unit:flush() -- the hardware reads the entry anew
    dma {dev = "ex0", addr = 0x10000000, data = "y", wait = false}
    wait(us(10))
    local fault = unit:fault()
    expect_eq(fault and fault.reason, NOT_PRESENT, "the reason of the fault")
end
-- context_clear_entry(): two writes, in whatever order the compiler chose.
if broken() then
    host:write64(entry + 8, 0)
    device_goes_on()
    host:write64(entry, 0)
else
    host:write64(entry, host:read64(entry) & ~1)
    device_goes_on()
    host:write64(entry, 0)
    host:write64(entry + 8, 0)
end
device_goes_on()
expect_eq(host:read(memory, 1), "x", "memory")
