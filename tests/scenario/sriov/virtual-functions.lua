-- Virtual Functions come with VF Enable, and their requests have IDs of their own
-- PCIe Base 6.0, 9.2.1 and 9.3.3
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
vfs=4
]]
local vendor = cfg_read("ex0", "sriov_control")
cfg_write("ex0", "num_vfs", 4)
set_bits("ex0", "sriov_control", 1)
wait(ms(100))
for vf = 1, 4 do
    expect(rid("ex0." .. vf) ~= rid("ex0"), "the ID of a Virtual Function is another")
end
expect(rid("ex0.1") ~= rid("ex0.2"), "and they differ")
