-- Takes one request of a project's rate: domain/quotas.py's admit, with the project's version in the same trip.
-- KEYS: the rate's state, the version. ARGV: now, interval, burst (times in microseconds).
-- Answers 1 or 0 (had or not), remaining, reset, wait, version ('' if there is none).
local now, interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local function whole(value) return string.format('%.0f', value) end

local version = redis.call('GET', KEYS[2]) or ''
local tat = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local wait = tat - interval * (burst - 1) - now
if wait > 0 then return {0, 0, tat - now, wait, version} end

tat = tat + interval
redis.call('SET', KEYS[1], whole(tat), 'PX', whole(math.ceil((tat - now) / 1000) + 1000))
return {1, math.floor((interval * burst - (tat - now)) / interval), tat - now, 0, version}
