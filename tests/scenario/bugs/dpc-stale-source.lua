-- The DPC driver blamed a device for containment that no error message had begun
-- Linux a0b62cc31023 "PCI/DPC: Log Error Source ID only when valid"; PCIe Base 6.0, 7.9.14.5
machine [[
[root-port rp0]
dpc=yes
[exerciser ex0]
at=rp0
]]
-- dpc_process_error(): the reason, and who is said to be the source.
local function contained_by()
    local status, source = cfg_read("rp0", "dpc_status"), cfg_read("rp0", "dpc_error_source_id")
    local reason = status >> 1 & 3
    if broken() or reason == 1 or reason == 2 then
        return reason, source
    end
    return reason, nil
end
local function release()
    expect_soon(function() return reg("rp0", "dpc_status") & 1 << 4 == 0 end, "RP Busy is over", ms(50))
    cfg_write("rp0", "dpc_status", 1)
    link("ex0"):wait_up()
end
local device = rid("ex0")
cfg_write("rp0", "dpc_control", 1)
emit("ex0", {code = 0x33}) -- ERR_FATAL
expect_soon(function() return reg("rp0", "dpc_status") & 1 == 1 end, "containment")
local reason, source = contained_by()
expect_eq(reason, 2, "the reason: ERR_FATAL")
expect_eq(source, device, "its source")
release()
cfg_write("rp0", "dpc_control", 1 | 1 << 6)
expect_soon(function() return reg("rp0", "dpc_status") & 1 == 1 end, "containment")
reason, source = contained_by()
expect_eq(reason, 3, "the reason: software")
expect_eq(source, nil, "its source: none")
