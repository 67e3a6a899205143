-- What calls of one integration came to: nofy.domain.breaker's learn and nofy.domain.limits' pause. In microseconds.
-- KEYS: circuit, then the rates to pause. ARGV: now, keep, failures, open first, open most, a letter for each answer
-- ('s'uccess or 'f'ailure), then for each rate: paused until, and what is used up then (0: no limit).
local now, keep, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local open_first, open_most, letters = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]

local function whole(value) return string.format('%.0f', value) end

local found = redis.call('HMGET', KEYS[1], 'failures', 'opened', 'until', 'probes')
local failures, opened = tonumber(found[1] or 0), tonumber(found[2] or 0)
local until_, probes = tonumber(found[3] or 0), tonumber(found[4] or 0)

for i = 1, #letters do
    if string.sub(letters, i, i) == 's' then
        failures, opened, until_, probes = 0, 0, 0, 0
    elseif opened == 0 and failures + 1 < most then
        failures = failures + 1
    elseif opened == 0 or probes > 0 then
        until_ = now + math.min(open_first * 2 ^ opened, open_most)
        failures, opened, probes = 0, opened + 1, 0
    end
end

if failures == 0 and opened == 0 then
    redis.call('DEL', KEYS[1])
else
    redis.call('HSET', KEYS[1], 'failures', failures, 'opened', opened, 'until', whole(until_), 'probes', probes)
    redis.call('PEXPIRE', KEYS[1], whole((math.max(until_, now) - now + keep) / 1000))
end

local FIELDS = {'high', 'normal', 'low', 'called', 'paused'}
for i = 2, #KEYS do
    local paused, spent = tonumber(ARGV[3 + 2 * i]), tonumber(ARGV[4 + 2 * i])
    local bucket = redis.call('HMGET', KEYS[i], unpack(FIELDS))
    local last = now
    for place, name in ipairs(FIELDS) do
        local value = math.max(tonumber(bucket[place] or 0), name == 'paused' and paused or spent)
        redis.call('HSET', KEYS[i], name, whole(value))
        last = math.max(last, value)
    end
    redis.call('PEXPIRE', KEYS[i], whole((last - now + keep) / 1000))
end
return 1
