-- Moves due ids of a lane to its leases: what earlier claims left behind, then the projects' turns.
-- KEYS: heads, turns, served, leased, then the due ids of each project that may have a turn; its name ends the key.
-- ARGV: now (ms), lease until (ms), limit, then each project's weight.
-- Returns the ids in the order of service, and when to look again (ms), if there is anything to look for.
--
-- Every id costs its project 1 / weight of virtual time, and whoever is least far on is next: weighted round robin
-- with a turn of one id, whose deficits are the differences in virtual time and outlive the script. Where more projects
-- are busy than were named, those named get no further ahead of the others than their share of the limit.
local heads, turns, served, leased = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local now, lease_until, limit = ARGV[1], ARGV[2], tonumber(ARGV[3])
local FIRST = 5

local function whole(value) return string.format('%.17g', value) end

-- Not busy any more: until its next id is due, or for ever. How far it got is remembered while others are behind it.
local function leave(project)
    redis.call('ZREM', turns, project.name)
    local head = redis.call('ZRANGE', project.key, 0, 0, 'WITHSCORES')
    if head[2] then
        redis.call('ZADD', heads, head[2], project.name)
    else
        redis.call('ZREM', heads, project.name)
    end
    redis.call('ZADD', served, whole(project.turn), project.name)
end

-- A queue by turn, then by name: a new one is put in from behind, where it mostly belongs.
local queue, first, last = {}, 1, 0
local function put(project)
    local at = last + 1
    while at > first do
        local before = queue[at - 1]
        if before.turn < project.turn or (before.turn == project.turn and before.name < project.name) then break end
        queue[at] = before
        at = at - 1
    end
    queue[at] = project
    last = last + 1
end

local taken = redis.call('ZRANGEBYSCORE', leased, '-inf', now, 'LIMIT', 0, limit)
local room = limit - #taken

local named, count = {}, 0
for i = FIRST, #KEYS do
    local project = {key = KEYS[i], name = string.sub(KEYS[i], -32), weight = tonumber(ARGV[i - 1]), taken = 0}
    -- Without a turn: another dispatcher served it meanwhile, and its head says when it is next.
    local start = redis.call('ZSCORE', turns, project.name)
    if start then
        project.start, project.turn = tonumber(start), tonumber(start)
        project.due = redis.call('ZCOUNT', project.key, '-inf', now)
        if project.due > 0 then
            named[project.name] = project
            count = count + 1
            put(project)
        else
            leave(project)
        end
    end
end

local ceiling = math.huge
if redis.call('ZCARD', turns) > count then
    local lowest = redis.call('ZRANGE', turns, 0, count, 'WITHSCORES')
    for i = 1, #lowest, 2 do
        if not named[lowest[i]] then
            ceiling = tonumber(lowest[i + 1]) + math.ceil(limit / math.max(1, count))
            break
        end
    end
end

local service = {}
while room > 0 and first <= last and queue[first].turn < ceiling do
    local project = queue[first]
    first = first + 1
    local ids = 1
    if first > last and ceiling == math.huge then ids = math.min(room, project.due - project.taken) end
    for _ = 1, ids do service[#service + 1] = project end
    project.taken = project.taken + ids
    project.turn = project.start + project.taken / project.weight
    room = room - ids
    if project.taken < project.due then put(project) end
end

for _, project in pairs(named) do
    if project.taken > 0 then
        project.ids = redis.call('ZRANGE', project.key, 0, project.taken - 1)
        redis.call('ZREMRANGEBYRANK', project.key, 0, project.taken - 1)
        project.given = 0
        if project.taken < project.due then
            redis.call('ZADD', turns, whole(project.turn), project.name)
        else
            leave(project)
        end
    end
end
for _, project in ipairs(service) do
    project.given = project.given + 1
    taken[#taken + 1] = project.ids[project.given]
end

-- By the thousand: unpack has room for some thousands of values.
for from = 1, #taken, 1000 do
    local leases = {}
    for i = from, math.min(from + 999, #taken) do
        leases[#leases + 1] = lease_until
        leases[#leases + 1] = taken[i]
    end
    redis.call('ZADD', leased, unpack(leases))
end

-- Whom the lane has caught up with (everybody, once nothing is due) owes nothing any more.
local behind = redis.call('ZRANGE', turns, 0, 0, 'WITHSCORES')[2]
if not behind then
    redis.call('DEL', served)
    return {taken, redis.call('ZRANGE', heads, 0, 0, 'WITHSCORES')[2] or false}
end
redis.call('ZREMRANGEBYSCORE', served, '-inf', behind)
return {taken, now}
