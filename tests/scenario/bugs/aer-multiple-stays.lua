-- A second error while the AER driver clears the first left "multiple errors" set for ever
-- Linux 203926da2bff "PCI/AER: Clear MULTI_ERR_COR/UNCOR_RCV bits"; PCIe Base 6.0, 7.8.4.10
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
report_errors("rp0", "ex0")
local COR, MULTIPLE_COR, UNCOR, MULTIPLE_UNCOR = 1, 2, 4, 8
local mask = broken() and COR | UNCOR or COR | MULTIPLE_COR | UNCOR | MULTIPLE_UNCOR
local multiple = 0
local function aer_irq(meanwhile)
    local status = cfg_read("rp0", "aer.root_status")
    if status & mask == 0 then
        return
    end
    if meanwhile then
        meanwhile()
    end
    if status & (MULTIPLE_COR | MULTIPLE_UNCOR) ~= 0 then
        multiple = multiple + 1
    end
    cfg_write("rp0", "aer.root_status", status)
end
local function error_of_device()
    emit("ex0", {code = 0x30}) -- ERR_COR
    wait(us(1))
end
error_of_device()
aer_irq(error_of_device)
expect_reg("rp0", "aer.root_status", MULTIPLE_COR)
aer_irq()
expect_reg("rp0", "aer.root_status", 0)
multiple = 0
error_of_device()
aer_irq()
expect_eq(multiple, 0, "single errors that are taken for several")
