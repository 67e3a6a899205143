-- Let go of leased ids, but only of those whose lease is the caller's: another run may hold them by now.
-- KEYS: leased. ARGV: the caller's lease (ms), ids.
local released = 0
for i = 2, #ARGV do
    local lease = redis.call('ZSCORE', KEYS[1], ARGV[i])
    if lease and tonumber(lease) == tonumber(ARGV[1]) then
        released = released + redis.call('ZREM', KEYS[1], ARGV[i])
    end
end
return released
