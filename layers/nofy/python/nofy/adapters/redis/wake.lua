-- Wake the dispatcher: one hint is enough, however many ids came in.
-- KEYS: wake.
if redis.call('LLEN', KEYS[1]) == 0 then
    redis.call('LPUSH', KEYS[1], '1')
end
return 1
