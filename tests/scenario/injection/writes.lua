-- Whatever can happen to a write happens by instant, by count, by its fields and by chance, to no other
-- PCIe Base 6.0, 2.7.2.1, 2.7.1, 3.6.2 and 2.4.1: each fault has the effect that is specified
machine {timing = "link", topology = [[
[root-port rp0]
[exerciser ex0]
at=rp0
]]}
set_bits("rp0", "aer.control", 1 << 8) -- ECRC Check Enable
local COUNT, STEP = 4, us(10)
local buffer, elsewhere = alloc(4096), alloc(4096)
local function place(i) return buffer + 64 * i end
local function replays() return link("ex0"):counters("up").replays end

local ways = {
    instant = {when = {from = us(15), ["until"] = us(25)}, hit = {[2] = true}},
    count = {when = {after = 1, count = 2}, hit = {[1] = true, [2] = true}},
    fields = {when = {first = place(3), last = place(3) + 3, requester = "ex0"}, hit = {[3] = true}},
    match = {when = {match = function(tlp) return tlp.address == place(0) end}, hit = {[0] = true}},
}
-- What is at the place of a write that was hit, soon and in the end.
local actions = {
    {action = "observe", soon = "new", last = "new"},
    {action = "drop", soon = "old", last = "old"},
    {action = "delay", delay = us(100), soon = "old", last = "new"},
    {action = "overtake", delay = us(100), soon = "old", last = "new"},
    {action = "duplicate", soon = "new", last = "new"},
    {action = "poison", soon = "old", last = "old"},
    {action = "corrupt-lcrc", soon = "new", last = "new", replayed = true},
    {action = "corrupt-ecrc", soon = "old", last = "old"},
    {action = "retarget", value = elsewhere, soon = "old", last = "old", elsewhere = true},
}

local function rule_of(what, when)
    local spec = {at = "ex0", kind = "MWr", action = what.action, delay = what.delay,
                  value = what.value}
    for key, value in pairs(when) do
        spec[key] = value
    end
    return inject(spec)
end

local function send(i)
    dma {dev = "ex0", addr = place(i), data = "new!", at = 64 * i, channel = i, wait = false}
    wait(STEP)
end

local function is(i, word, text)
    expect_eq(host:read(place(i), 4), word .. "!", text)
end

for name, way in pairs(ways) do
    for _, what in ipairs(actions) do
        local text = what.action .. " by " .. name .. ": "
        for i = 0, COUNT - 1 do
            host:write(place(i), "old!")
        end
        host:write(elsewhere, "old!")
        local before, hits = replays(), 0
        local rule = rule_of(what, way.when)
        for i = 0, COUNT - 1 do
            send(i)
            hits = hits + (way.hit[i] and 1 or 0)
            if way.hit[i] then
                is(i, what.soon, text .. "soon")
            end
        end
        expect_eq(rule:hits(), hits, text .. "writes that were hit")
        rule:remove()
        wait(us(200))
        for i = 0, COUNT - 1 do
            expect_eq(dma_wait("ex0", i), "ok", text .. "the DMA")
            is(i, way.hit[i] and what.last or "new", text .. "in the end")
        end
        expect_eq(replays() > before, what.replayed or false, text .. "a replay")
        expect_eq(host:read(elsewhere, 4), what.elsewhere and "new!" or "old!", text .. "elsewhere")
    end
end

-- By chance: some of many, and all when it is certain.
for _, what in ipairs(actions) do
    for _, chance in ipairs {0.5, 1.0} do
        local rule = rule_of(what, {probability = chance})
        for i = 0, 31 do
            dma {dev = "ex0", addr = place(i % COUNT), data = "new!"}
        end
        wait(us(400))
        local hits, text = rule:hits(), what.action .. " with a chance of " .. chance
        rule:remove()
        if chance == 1.0 then
            expect_eq(hits, 32, text)
        else
            expect(hits > 3 and hits < 29, text .. ": " .. hits .. " of 32")
        end
    end
end
