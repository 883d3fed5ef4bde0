-- MSI-X vectors are writes with their own address and data
-- PCIe Base 6.0, 6.1.4
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
msix("ex0", 4)
for vector = 0, 3 do
    local seen
    local watch = on("ex0", "MSI", function(tlp) seen = tlp end, {at = "from"})
    interrupt("ex0", vector)
    wait(us(1))
    expect(seen, "an interrupt")
    expect_eq(string.unpack("<I4", seen.data), 0x40 + vector, "its data")
    expect_eq(seen.address, 0xfee00000, "its address")
    expect_eq(seen.requester, bdf("ex0"), "its requester")
    watch:remove()
end
