-- Virtual Functions were taken for switched off, as their Memory Space Enable is always zero
-- Linux 12856e7acde4 "PCI/IOV: Mark VFs as not implementing PCI_COMMAND_MEMORY"; PCIe Base 6.0, 9.3.4.1.3
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
vfs=2
]]
-- Where nothing is in the window of the root port.
local of_vf = (bar("ex0", 0) & ~0xfffff) + 0x80000
cfg_write("ex0", "vf_bar0", of_vf)
cfg_write("ex0", "num_vfs", 2)
cfg_write("rp0", "subordinate_bus_number", 2) -- their bus
set_bits("ex0", "sriov_control", 1 | 1 << 3)
wait(ms(100))
-- __vfio_pci_memory_enabled()
local function memory_enabled(dev, is_virtual)
    if is_virtual and not broken() then
        return true
    end
    return cfg_read(dev, "command") & CONTROL.MEMORY ~= 0
end
-- vfio_pci_core_do_io_rw()
local function load(dev, address, is_virtual)
    return memory_enabled(dev, is_virtual) and select(2, mmio_read(address, 4)) or "EIO"
end
expect_eq(load("ex0", bar("ex0", 0), false), "SC", "a load from the Physical Function")
set_bits("ex0.1", "command", CONTROL.MEMORY)
expect_eq(load("ex0.1", of_vf, true), "SC", "a load from a Virtual Function")
