-- A hot reset goes through a switch to everything below it
-- PCIe Base 6.0, 6.6.1
machine [[
[root-port rp0]
[switch sw0]
at=rp0
downstream=2
[exerciser ex0]
at=sw0.0
[exerciser ex1]
at=sw0.1
]]
link("sw0"):reset()
wait(ms(1))
link("sw0"):release()
link("ex0"):wait_up()
for _, name in ipairs {"sw0", "sw0.0", "sw0.1", "ex0", "ex1"} do
    expect_reg(name, "command", 0)
end
expect_reg("sw0", "secondary_bus_number", 0)
