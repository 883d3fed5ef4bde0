-- ERR_FATAL from below triggers containment instead of going on to the root complex
-- PCIe Base 6.0, 6.2.11
machine {topology = [[
[root-port rp0]
dpc=yes
[exerciser ex0]
at=rp0
]]}
report_errors("rp0", "ex0")
cfg_write("rp0", "dpc_control", 0x1 | 0x4)
emit("ex0", {code = 0x33, routing = 0})
expect_soon(function() return link("rp0"):status().up == false end, "the link goes down")
expect_eq(reg("rp0", "dpc_status") & 0x7, 0x5, "trigger status, reason ERR_FATAL")
expect_reg("rp0", "dpc_error_source_id", rid("ex0"))
expect_reg("rp0", "root_error_status", 0)
local value, status = cfg_read("ex0", 0, 4)
expect_eq(status, "UR", "what a configuration read gets, as DPC Completion Control says")
wait(ms(1))
cfg_write("rp0", "dpc_status", 0x1)
wait(ms(200))
expect_eq(cfg_read("ex0", 0, 2), 0x504c, "the function is back")
