-- Errors from before the AER driver came were told together with the first one after it
-- Linux e242d09b58e8 "PCI/AER: Clear stale errors on reporting agents upon probe"; PCIe Base 6.0, 6.2.4
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
-- pci_aer_init() of both, at enumeration.
for _, dev in ipairs {"rp0", "ex0"} do
    cfg_write(dev, "aer.uncorrectable", -1)
    cfg_write(dev, "aer.correctable", -1)
    set_bits(dev, "device.control", CONTROL.ERRORS)
end
set_bits("rp0", "bridge_control", 2) -- pci_setup_bridge(): SERR# Enable
-- A completion timeout, which nobody handles yet.
local lost = inject {at = "rp0", kind = "completion", action = "drop", count = 1}
expect_eq(dma {dev = "ex0", op = "read", addr = alloc(4096), len = 64}, "timeout", "a DMA")
-- aer_enable_rootport(): the fixed one looks at what is below, too.
cfg_write("rp0", "aer.root_status", -1)
if not broken() then
    for _, dev in ipairs {"rp0", "ex0"} do
        cfg_write(dev, "aer.uncorrectable", cfg_read(dev, "aer.uncorrectable"))
        cfg_write(dev, "aer.correctable", cfg_read(dev, "aer.correctable"))
    end
end
cfg_write("rp0", "aer.root_command", 7)
-- The first error that is handled.
ex_fault("ex0", 2, 1)
mmio_write(bar("ex0", 4), 1, 4)
wait(us(10))
expect_bits("rp0", "aer.root_status", ROOT.NONFATAL_RECEIVED)
expect_eq(cfg_read("ex0", "aer.uncorrectable"), UNCOR.ABORT, "what aer_print_error() prints")
