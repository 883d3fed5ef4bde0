-- SPDX-License-Identifier: GPL-2.0-or-later
-- Continues prelude.lua: they are one text, made of all parts

-- The guest.

--- guest(command): output, exit status. A shell in the guest runs it among the host's files.
function guest(command)
    local status, output = verb.guest(command)
    return output, status
end
--- guest_ok(command): its output; fails unless it exits with 0.
function guest_ok(command)
    local status, output = verb.guest(command)
    if status ~= 0 then
        verb.fail(string.format("%s: exit status %d: %s", command, status, output))
    end
    passed(command)
    return output
end
--- dmesg(): what the kernel has said on the console.
function dmesg() return verb.console() end
--- expect_dmesg(text[, time]): it says this within that time (10 s).
function expect_dmesg(text, time)
    expect_soon(function() return verb.console():find(text, 1, true) end, 'dmesg has "' .. text .. '"',
                time or s(10))
end
--- expect_no_dmesg(text): it has not said this.
function expect_no_dmesg(text)
    expect(not verb.console():find(text, 1, true), 'dmesg has no "' .. text .. '"')
end
--- guest_job(command): starts it beside the rest. The result has :over() and :wait([time]), which
--- gives output and exit status, and fails when it is not over within that time (2 min).
local Job = {}
Job.__index = Job
local jobs = 0
function guest_job(command)
    jobs = jobs + 1
    local job = setmetatable({at = "/tmp/pcilab-job-" .. jobs, command = command}, Job)
    guest_ok(string.format("( ( %s ) >%s 2>&1; echo $? >%s.status ) >/dev/null 2>&1 &", command,
                           job.at, job.at))
    return job
end
function Job:over()
    local _, status = guest("test -s " .. self.at .. ".status")
    return status == 0
end
function Job:wait(time)
    local give_up, pause = now() + (time or s(120)), ms(50)
    while not self:over() do
        if now() > give_up then
            verb.fail("it is over in time: " .. self.command)
        end
        wait(pause)
        pause = math.min(pause * 2, s(2))
    end
    local status = math.tointeger(tonumber(guest_ok("cat " .. self.at .. ".status")))
    return guest("cat " .. self.at), status
end
--- tracefs(event, ...): switches events of the kernel on, like "ras:aer_event".
function tracefs(...)
    guest("mount -t tracefs none /sys/kernel/tracing 2>/dev/null")
    for _, event in ipairs {...} do
        guest_ok("echo 1 >/sys/kernel/tracing/events/" .. event:gsub(":", "/") .. "/enable")
    end
end
--- traced([text]): the events that it has told since, a line each, those with this text in them.
function traced(text)
    local lines = {}
    for line in guest_ok("cat /sys/kernel/tracing/trace"):gmatch("[^\n]+") do
        if line:sub(1, 1) ~= "#" and line:find(text or "", 1, true) then
            lines[#lines + 1] = line
        end
    end
    return lines
end
--- uevents(): listens to the kernel's uevents from now on, with udevadm.
local uevents_at = "/tmp/pcilab-uevents"
function uevents()
    guest_ok("stdbuf -oL udevadm monitor --kernel --property >" .. uevents_at ..
             " 2>&1 & for i in 1 2 3 4 5 6 7 8 9; do grep -q '^KERNEL - ' " .. uevents_at ..
             " && exit 0; sleep 0.2; done; exit 1")
end
--- uevents_seen([text]): those since, lines of KEY=VALUE each, with this text in them.
function uevents_seen(text)
    local seen = {}
    for event in (guest_ok("cat " .. uevents_at) .. "\n"):gmatch("KERNEL%[[^\n]*\n(.-)\n\n") do
        if event:find(text or "", 1, true) then
            seen[#seen + 1] = event
        end
    end
    return seen
end
--- expect_healthy(): the kernel has not warned, hung, or been confused on the console.
function expect_healthy()
    for _, text in ipairs {"WARNING:", "BUG:", "Oops", "Call Trace", "blocked for more than",
                           "rcu: INFO", "Kernel panic", "protection fault", "nobody cared"} do
        expect_no_dmesg(text)
    end
end

-- Words that there are not.
setmetatable(_G, {__index = function(_, word)
    verb.bad('there is no word "' .. tostring(word) .. '"')
end})
