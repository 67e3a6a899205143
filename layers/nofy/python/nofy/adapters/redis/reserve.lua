-- Verdicts for deliveries of one integration: nofy.domain.limits.ask, once for each, in order. Times in microseconds.
-- KEYS: circuit, rate, slots, then the rates of destinations.
-- ARGV: now, keep (how long what is over is remembered), probes, patience, soon;
--       interval, tolerance, leeway, urgent leeway, interval and tolerance of the express lane: of the integration,
--       then of a destination (0: no limit);
--       then of each delivery: id, index of its destination's key, priority, latest.
-- Returns whether failures are remembered, then for each when to come (0: go now) and whether the circuit barred it.
local now, keep, probes, patience = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local soon = tonumber(ARGV[5])

local function rate_at(first)
    return {
        interval = tonumber(ARGV[first]), tolerance = tonumber(ARGV[first + 1]),
        leeway = tonumber(ARGV[first + 2]), urgent_leeway = tonumber(ARGV[first + 3]),
        express_interval = tonumber(ARGV[first + 4]), express_tolerance = tonumber(ARGV[first + 5]),
    }
end

-- What each priority and the more urgent ones took, what went past others' backlog ("express"), calls, and who was
-- told to come again.
local FIELDS = {'high', 'normal', 'low', 'express high', 'express normal', 'called', 'told'}
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

local function set(bucket, name, value)
    bucket[name] = value
    bucket.changed = true
end

local function take(bucket, rate, priority, at)
    if rate.interval == 0 then return at end
    set(bucket, 'low', math.max(bucket.low, bucket.called, bucket.told))
    local slot = math.max(at, bucket.low - rate.tolerance)
    local among_equals = math.max(at, bucket[priority] - rate.tolerance)
    if among_equals < slot then
        local express = 'express ' .. priority
        local sooner = math.max(among_equals, bucket[express] - rate.express_tolerance)
        if sooner < slot then
            slot = sooner
            set(bucket, express, math.max(bucket[express], among_equals) + rate.express_interval)
        end
    end
    for _, each in ipairs(NO_MORE_URGENT[priority]) do
        set(bucket, each, math.max(bucket[each], at) + rate.interval)
    end
    return slot
end

local function room(bucket, rate, priority)
    if rate.interval == 0 then return 0 end
    return bucket.called - (priority == 'low' and rate.leeway or rate.urgent_leeway)
end

local function tell(bucket, rate, free)
    if rate.interval == 0 or free <= now then return now end
    local at = math.max(free, bucket.told - rate.tolerance)
    set(bucket, 'told', at + rate.tolerance + rate.interval)
    return at
end

local function call(bucket, rate)
    if rate.interval > 0 then set(bucket, 'called', math.max(bucket.called, now) + rate.interval) end
end

local function copy(bucket)
    local copied = {changed = bucket.changed or false}
    for _, name in ipairs(FIELDS) do copied[name] = bucket[name] end
    return copied
end

local function restore(bucket, copied)
    for name, value in pairs(copied) do bucket[name] = value end
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
local integration, of_integration, of_destination = bucket_of(KEYS[2]), rate_at(6), rate_at(12)
local latest_slot = 0

local function book(destination, priority, at, there)
    local first = take(integration, of_integration, priority, at)
    return take(destination, of_destination, priority, math.max(first, there))
end

local function ask(id, key, priority, latest)
    local destination = bucket_of(key)
    local before, before_there = copy(integration), copy(destination)
    local shut = barred()
    local at, there = math.max(now, integration.paused), math.max(now, destination.paused)
    if shut then at = math.max(at, until_) end
    local known = tonumber(redis.call('ZSCORE', KEYS[3], id) or nil)
    local slot = known
    local last = math.max(at, there)
    if not slot or (slot < last and last > now) then slot = book(destination, priority, at, there) end
    local come = slot
    if slot <= now then
        local free = room(integration, of_integration, priority)
        local free_there = room(destination, of_destination, priority)
        if free <= now and free_there <= now then
            if known then redis.call('ZREM', KEYS[3], id) end
            call(integration, of_integration)
            call(destination, of_destination)
            let_through()
            return 0, shut
        end
        at, there = tell(integration, of_integration, free), tell(destination, of_destination, free_there)
        come = math.max(at, there)
        if come - math.max(free, free_there) >= soon then
            restore(integration, before)
            restore(destination, before_there)
            come = book(destination, priority, at, there)
            slot = come
        end
    end
    if come >= latest then
        if known then redis.call('ZREM', KEYS[3], id) end
        restore(integration, before)
        restore(destination, before_there)
        return come, shut
    end
    if slot ~= known then redis.call('ZADD', KEYS[3], whole(slot), id) end
    latest_slot = math.max(latest_slot, slot)
    return come, shut
end

local answers = {circuit[1] and 1 or 0}
for first = 18, #ARGV, 4 do
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
