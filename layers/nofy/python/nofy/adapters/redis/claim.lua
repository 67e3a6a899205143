-- Move what is due from a lane's schedule to its leases, and take over leases that ran out.
-- KEYS: due, leased. ARGV: now (ms), lease until (ms), limit. Returns the ids and the next due score, if any.
local taken = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])
local room = tonumber(ARGV[3]) - #taken
if room > 0 then
    local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, room)
    if #due > 0 then
        redis.call('ZREM', KEYS[1], unpack(due))
        for _, id in ipairs(due) do taken[#taken + 1] = id end
    end
end
if #taken > 0 then
    local leases = {}
    for _, id in ipairs(taken) do
        leases[#leases + 1] = ARGV[2]
        leases[#leases + 1] = id
    end
    redis.call('ZADD', KEYS[2], unpack(leases))
end
local next = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return {taken, next[2] or false}
