-- Which projects of a lane have due work, those whose turn comes first at the front. Who has work due since the last
-- look takes its place among them: where the lane is by now, or where it was itself if that is further on. So an idle
-- project has saved up nothing, and one that comes and goes gains nothing by it.
-- KEYS: heads, turns, served, leased. ARGV: now (ms), how many projects at most.
-- Returns the projects, the soonest head of the others, if any, and how many leases (none or one) ran out.
local heads, turns, served, leased = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local now = ARGV[1]

-- A thousand at a time: others' scripts wait for this one. The rest has its place with the next look.
local ready = redis.call('ZRANGEBYSCORE', heads, '-inf', now, 'LIMIT', 0, 1000)
if #ready > 0 then
    local lane = tonumber(redis.call('ZRANGE', turns, 0, 0, 'WITHSCORES')[2] or 0)
    local entering = {}
    for _, project in ipairs(ready) do
        local own = tonumber(redis.call('ZSCORE', served, project) or 0)
        entering[#entering + 1] = string.format('%.17g', math.max(lane, own))
        entering[#entering + 1] = project
    end
    redis.call('ZADD', turns, 'NX', unpack(entering))
    redis.call('ZREM', heads, unpack(ready))
end

local busy = redis.call('ZRANGE', turns, 0, tonumber(ARGV[2]) - 1)
local left_behind = redis.call('ZRANGEBYSCORE', leased, '-inf', now, 'LIMIT', 0, 1)
return {busy, redis.call('ZRANGE', heads, 0, 0, 'WITHSCORES')[2] or false, #left_behind}
