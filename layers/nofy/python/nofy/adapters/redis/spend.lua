-- Takes so many of a day's quota, all or none, or gives some back: domain/quotas.py's spend.
-- KEYS: the day's count. ARGV: the quota, how many, and for how many seconds a day's count is kept.
-- Answers 1 or 0 (had or not) and how many are used.
local quota, notifications = tonumber(ARGV[1]), tonumber(ARGV[2])
local used = tonumber(redis.call('GET', KEYS[1]) or 0)
if notifications > 0 and used + notifications > quota then return {0, used} end
used = math.max(0, used + notifications)
redis.call('SET', KEYS[1], string.format('%.0f', used), 'EX', ARGV[3])
return {1, used}
