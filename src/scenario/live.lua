-- SPDX-License-Identifier: GPL-2.0-or-later
-- Words called one by one, by name and with values: what a control socket does. The prelude has been
-- read; it returns the function that calls a word.
local verb = ...
local get, kind, unpack = rawget, type, table.unpack
local all, raw_tostring = _G, tostring

-- Rules live on after the call that made them; a client has their number.
local rules, last, count = {}, 0, 0
local RULES_MAX = 1000

local function keep_rule(rule)
    if count == RULES_MAX then
        rule:remove()
        verb.bad("more than " .. RULES_MAX .. " rules at a time")
    end
    last, count = last + 1, count + 1
    rules[last] = rule
    return {rule = last}
end

local function rule_of(handle)
    local number = kind(handle) == "table" and get(handle, "rule") or handle
    return rules[number] or verb.bad("there is no rule " .. raw_tostring(number)), number
end

local methods = {
    ["rule.hits"] = function(handle) return rule_of(handle):hits() end,
    ["rule.remove"] = function(handle)
        local rule, number = rule_of(handle)
        rule:remove()
        rules[number], count = nil, count - 1
    end,
    ["rule.list"] = function()
        local list = {}
        for number = 1, last do
            if rules[number] then
                list[#list + 1] = {rule = number, hits = rules[number]:hits()}
            end
        end
        return list
    end,
}

local function method_of(name)
    local object, word = name:match("^(%a+)%.([%w_]+)$")
    if methods[name] then
        return methods[name]
    elseif object == "link" then
        return function(component, ...)
            local link = all.link(component)
            local fn = link[word] or verb.bad('there is no word "' .. name .. '"')
            return fn(link, ...)
        end
    elseif object == "host" then
        local fn = get(all.host, word) or verb.bad('there is no word "' .. name .. '"')
        return function(...) return fn(all.host, ...) end
    end
    local fn = get(all, name)
    if kind(fn) ~= "function" then
        verb.bad('there is no word "' .. name .. '"')
    end
    return fn
end

local function keep(value, ...)
    if kind(value) == "table" and kind(value.hits) == "function" then
        return keep_rule(value)
    end
    return value, ...
end

return function(name, args)
    return keep(method_of(name)(unpack(args, 1, args.n)))
end
