-- Verdicts for deliveries of one integration: nofy.domain.limits.ask, once for each, in order. Times in microseconds.
-- KEYS: circuit, rate, slots, then the rates of destinations.
-- ARGV: now, keep (how long what is over is remembered), probes, patience;
--       interval, tolerance and the same of the express lane: of the integration, then of a destination (0: no limit);
--       then of each delivery: id, index of its destination's key, priority, latest.
-- Returns whether failures are remembered, then for each its slot (0: go now) and whether the circuit barred it.
local now, keep, probes, patience = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])

local function rate_at(first)
    return {
        interval = tonumber(ARGV[first]), tolerance = tonumber(ARGV[first + 1]),
        express_interval = tonumber(ARGV[first + 2]), express_tolerance = tonumber(ARGV[first + 3]),
    }
end

-- What each priority and the more urgent ones took, and what went past others' backlog ("express").
local FIELDS = {'high', 'normal', 'low', 'express high', 'express normal'}
local NO_MORE_URGENT = {high = {'high', 'normal', 'low'}, normal = {'normal', 'low'}, low = {'low'}}
local buckets = {}
local function bucket_of(key)
    if not buckets[key] then
        local found = redis.call('HMGET', key, unpack(FIELDS))
        local bucket = {paused = tonumber(redis.call('HGET', key, 'paused') or 0)}
        for i, name in ipairs(FIELDS) do bucket[name] = tonumber(found[i] or 0) end
        buckets[key] = bucket
    end
    return buckets[key]
end

local function take(bucket, rate, priority, at)
    if rate.interval == 0 then return at, {} end
    local slot, taken = math.max(at, bucket.low - rate.tolerance), {}
    local among_equals = math.max(at, bucket[priority] - rate.tolerance)
    if among_equals < slot then
        local express = 'express ' .. priority
        local sooner = math.max(among_equals, bucket[express] - rate.express_tolerance)
        if sooner < slot then
            slot = sooner
            taken[express] = math.max(bucket[express], among_equals) + rate.express_interval
        end
    end
    for _, each in ipairs(NO_MORE_URGENT[priority]) do
        taken[each] = math.max(bucket[each], at) + rate.interval
    end
    return slot, taken
end

local function apply(bucket, taken)
    for name, value in pairs(taken) do
        bucket[name] = value
        bucket.changed = true
    end
end

local function whole(value) return string.format('%.0f', value) end

local circuit = redis.call('HMGET', KEYS[1], 'opened', 'until', 'probes')
local opened, until_, out = tonumber(circuit[1] or 0), tonumber(circuit[2] or 0), tonumber(circuit[3] or 0)
local probed = false
local function barred() return opened > 0 and now < until_ and not (out > 0 and out < probes) end
local function let_through()
    if opened == 0 then return end
    if now >= until_ then
        until_, out = now + patience, 1
    else
        out = out + 1
    end
    probed = true
end

redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', whole(now - keep))
local integration, of_integration, of_destination = bucket_of(KEYS[2]), rate_at(5), rate_at(9)
local latest_slot = 0

local function ask(id, key, priority, latest)
    local destination = bucket_of(key)
    local shut = barred()
    local at = math.max(now, integration.paused, destination.paused)
    if shut then at = math.max(at, until_) end
    local slot = tonumber(redis.call('ZSCORE', KEYS[3], id) or nil)
    local known = slot ~= nil
    if not known or (slot < at and at > now) then
        local first, taken = take(integration, of_integration, priority, at)
        local second, taken_there = take(destination, of_destination, priority, first)
        slot = second
        if slot > now and slot >= latest then
            if known then redis.call('ZREM', KEYS[3], id) end
            return slot, shut
        end
        apply(integration, taken)
        apply(destination, taken_there)
        if slot > now then redis.call('ZADD', KEYS[3], whole(slot), id) end
    end
    if slot > now then
        latest_slot = math.max(latest_slot, slot)
        return slot, shut
    end
    if known then redis.call('ZREM', KEYS[3], id) end
    let_through()
    return 0, shut
end

local answers = {circuit[1] and 1 or 0}
for first = 13, #ARGV, 4 do
    local slot, shut = ask(ARGV[first], KEYS[tonumber(ARGV[first + 1])], ARGV[first + 2], tonumber(ARGV[first + 3]))
    answers[#answers + 1] = slot
    answers[#answers + 1] = shut and 1 or 0
end

-- How long a key lives is told from now on, not by the server's clock: the times are the callers'.
local function expire(key, last) redis.call('PEXPIRE', key, whole((math.max(last, now) - now + keep) / 1000)) end
for key, bucket in pairs(buckets) do
    if bucket.changed then
        local fields, last = {}, bucket.paused
        for _, name in ipairs(FIELDS) do
            fields[#fields + 1] = name
            fields[#fields + 1] = whole(bucket[name])
            last = math.max(last, bucket[name])
        end
        redis.call('HSET', key, unpack(fields))
        expire(key, last)
    end
end
if latest_slot > 0 then
    local last = redis.call('ZRANGE', KEYS[3], -1, -1, 'WITHSCORES')
    expire(KEYS[3], tonumber(last[2]))
end
if probed then redis.call('HSET', KEYS[1], 'until', whole(until_), 'probes', out) end
return answers
