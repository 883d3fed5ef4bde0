-- Whatever can happen to a completion happens by instant, by count, by its fields and by chance
-- PCIe Base 6.0, 2.3.2, 2.8 and 2.2.9: each fault has the effect that is specified
machine [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]
local COUNT = 4
local memory = bar("ex0", 4)
local function place(i) return memory + 4 * i end
for i = 0, 31 do
    mmio_write(place(i), 0x1000 + i, 4)
end

local ways = {
    instant = {when = {from = us(15), ["until"] = us(25)}, hit = {[2] = true}},
    count = {when = {after = 1, count = 2}, hit = {[1] = true, [2] = true}},
    fields = {when = {match = function(tlp) return tlp.lower_address == (place(3) & 0x7f) end},
              hit = {[3] = true}},
    data = {when = {match = function(tlp) return tlp.data == string.pack("<I4", 0x1000) end},
            hit = {[0] = true}},
}
-- What the load ends with (a load without a completion gets Unsupported Request in the end), and how long that takes at least.
local actions = {
    {action = "drop", result = "timeout"},
    {action = "UR", result = "UR"},
    {action = "CA", result = "CA"},
    {action = "RRS", result = "timeout"},
    {action = "tag", value = 77, result = "timeout"},
    {action = "byte-count", value = 8, result = "timeout"},
    {action = "retarget", value = rid("ex0") + 1, result = "timeout"},
    {action = "poison", result = "UR"}, -- its data are not used
    {action = "delay", delay = us(300), result = "SC", takes = us(300)},
    {action = "delay", delay = ms(60), result = "timeout"}, -- late, after the timeout
    {action = "duplicate", result = "SC"},
}

local function rule_of(what, when)
    local spec = {at = "ex0", kind = "CplD", action = what.action, delay = what.delay,
                  value = what.value}
    for key, value in pairs(when) do
        spec[key] = value
    end
    return inject(spec)
end

local function read(i)
    local began = now()
    local data, status = mmio_read(place(i), 4)
    local took = now() - began
    return status ~= "SC" and took >= ms(10) and "timeout" or status, data, took
end

for name, way in pairs(ways) do
    for _, what in ipairs(actions) do
        local text = what.action .. " by " .. name .. ": "
        local rule, began, hits = rule_of(what, way.when), now(), 0
        for i = 0, COUNT - 1 do
            wait(math.max(began + us(10) * i - now(), 1))
            local result, data, took = read(i)
            local hit = way.hit[i]
            hits = hits + (hit and 1 or 0)
            expect_eq(result, hit and what.result or "SC", text .. "the result")
            if result == "SC" then
                expect_eq(data, 0x1000 + i, text .. "the data")
            end
            expect(not hit or took >= (what.takes or 0), text .. "the time that it takes")
        end
        expect_eq(rule:hits(), hits, text .. "completions that were hit")
        rule:remove()
        wait(ms(100))
    end
end

for _, what in ipairs(actions) do
    local rule, bad = rule_of(what, {probability = 0.5}), 0
    for i = 0, 31 do
        bad = bad + (read(i) ~= "SC" and 1 or 0)
        wait(us(1))
    end
    local hits, text = rule:hits(), what.action .. " with a chance of a half: "
    rule:remove()
    wait(ms(100))
    expect(hits > 3 and hits < 29, text .. hits .. " of 32")
    if what.result ~= "SC" then
        expect_eq(bad, hits, text .. "reads that failed")
    end
end
