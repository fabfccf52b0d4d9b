-- Ends a lease, by settlement or by cancellation: the true number of tokens, the slots, the usage; once, however often it
-- is asked.
--
-- KEYS     lease, state of each scope, state of each deployment, slots of those that limit concurrency, usage if
--          counted
-- ARGV[1]  integers of 8 bytes: mode (0 settles, 1 settles and leaves a mark, 2 settles again, 3 cancels, 4 charges
--          all that was used, of what was admitted without Redis, and leaves a mark), estimate, actual or -1, admitted,
--          1 to refund the deployment, 1 for success, remaining requests or -1, remaining tokens or -1,
--          limit of tokens that the deployment named or -1, number of scopes;
--          per scope: as in `admit`; per deployment: refill and capacity of requests, of tokens; concurrency
-- ARGV[2]  how long to keep a mark, in digits.  ARGV[3...]  fields of the usage and what to add to them
-- Reply    0 (was ended before), 1 (applied) or 2 (applied late)
local numbers = ARGV[1]
local mode, estimate, actual, admitted, refund, success, leftR, leftK, named, scopes =
  unpack('<i8i8i8i8i8i8i8i8i8i8', numbers)
local deployments = (#numbers - 80 - 56 * scopes) / 40
if scopes < 0 or scopes > 2 or deployments < 0 or deployments > 16 or deployments % 1 ~= 0
  or #KEYS < 1 + scopes + deployments or estimate < 1 or estimate > 1e10 or actual > 1e10 then
  return redis.error_reply('ERR malformed settlement')
end
for i = 4, #ARGV, 2 do
  if not tonumber(ARGV[i]) then return redis.error_reply('ERR malformed usage') end
end

local states = call('MGET', KEYS[1], KEYS[2] or KEYS[1])
local lease = states[1]
if lease == '' or not lease and mode == 2 then return 0 end
local trial, home = 0, nil
if lease then
  admitted, trial = unpack('<i8i8', lease)
  home = lease:sub(17)
end

-- Never refused for want of memory; after it Redis lets the rest through.
call('DEL', KEYS[1])
if mode > 0 then
  call('SET', KEYS[1], '', 'PX', ARGV[2])
  if mode == 3 and not lease then return 0 end
end

local over, requests, now = actual - estimate, 0, nil
if mode == 3 then
  over, requests = -estimate, -60000
elseif mode == 4 then
  over, requests = actual < 0 and 0 or actual, 60000
elseif actual < 0 then
  over = 0
end
local units, slot = over * 60000, 1 + scopes + deployments
for i = 1, scopes do
  local rL, rC, kL, kC, concurrency, perDay, perMonth = unpack('<i8i8i8i8i8i8i8', numbers, 56 * i + 25)
  if concurrency > 0 then
    slot = slot + 1
    call('ZREM', KEYS[slot], KEYS[1])
  end
  local s = states[1 + i]
  if s == nil and (over ~= 0 or requests > 0) then s = call('GET', KEYS[1 + i]) end
  -- To put back into a full bucket changes nothing.
  if over > 0 or requests > 0 or over < 0 and s then
    local stamp, r, k, day, dayUsed, month, monthUsed
    if over > 0 or requests > 0 then
      now = now or clock()
      stamp, r, k, day, dayUsed, month, monthUsed = scopeAt(KEYS[1 + i], s, now)
    else
      stamp, r, k, day, dayUsed, month, monthUsed = unpack('<i8i8i8i8i8i8i8', s)
    end
    -- Only the period that was charged is corrected.
    if mode == 4 then
      local today, current = floor(admitted / 86400000), monthOf(admitted)
      if perDay > 0 and day < today then day, dayUsed = today, 0 end
      if perMonth > 0 and month < current then month, monthUsed = current, 0 end
    end
    if perDay > 0 and day == floor(admitted / 86400000) then
      dayUsed = dayUsed + over
      if dayUsed < 0 then dayUsed = 0 end
    end
    if perMonth > 0 and month == monthOf(admitted) then
      monthUsed = monthUsed + over
      if monthUsed < 0 then monthUsed = 0 end
    end
    if over > 0 or requests > 0 then
      stamp, r, k = refilled(stamp, r, k, now, rL, rC, kL, kC)
      r, k = debited(r, requests, rL, rC), debited(k, units, kL, kC)
      call('SET', KEYS[1 + i], pack('<i8i8i8i8i8i8i8', stamp, r, k, day, dayUsed, month, monthUsed), 'PX',
        lifetime(stamp - now, r, k, rL, rC, kL, kC, month, day))
    else
      -- The order of refilling and putting back does not matter, and it is full no later than before.
      r, k = debited(r, requests, rL, rC), debited(k, units, kL, kC)
      call('SET', KEYS[1 + i], pack('<i8i8i8i8i8i8i8', stamp, r, k, day, dayUsed, month, monthUsed), 'KEEPTTL')
    end
  end
end

-- What a deployment has to be told: that it was overrun, what it gets back, what it said is left, that it is back.
local matters = over > 0 or requests > 0 or over < 0 and refund == 1 or leftR >= 0 or leftK >= 0 or named > 0
  or success == 1 and trial > 0
for i = 1, deployments do
  local at = 1 + scopes + i
  local rL, rC, kL, kC, concurrency = unpack('<i8i8i8i8i8', numbers, 41 + 56 * scopes + 40 * i)
  if concurrency > 0 then slot = slot + 1 end
  if home == KEYS[at] or not lease and i == 1 then
    if concurrency > 0 then call('ZREM', KEYS[slot], KEYS[1]) end
    local s = states[at]
    if matters and s == nil then s = call('GET', KEYS[at]) end
    if matters then
      now = now or clock()
      local stamp, r, k, cool, streak, probe, live, liveUntil = deploymentAt(KEYS[at], s, now)
      local configured = kL
      kL, kC = limited(kL, kC, live)
      stamp, r, k = refilled(stamp, r, k, now, rL, rC, kL, kC)
      local newR, newK, newStreak = debited(r, requests, rL, rC), k, streak
      if over > 0 or refund == 1 then newK = debited(k, units, kL, kC) end
      if rL > 0 and leftR >= 0 and leftR * 60000 < newR then newR = leftR * 60000 end
      if kL > 0 and leftK >= 0 and leftK * 60000 < newK then newK = leftK * 60000 end
      -- What was sent before the deployment cooled says nothing about whether it is back.
      if success == 1 and streak > 0 and trial > 0 and trial >= cool then newStreak, probe = 0, 0 end
      local newLive, newUntil = renewed(live, liveUntil, named, configured, now)
      if newR ~= r or newK ~= k or newStreak ~= streak or newLive ~= live or newUntil ~= liveUntil then
        call('SET', KEYS[at], packed(stamp, newR, newK, cool, newStreak, probe, newLive, newUntil), 'PX',
          lifetime(stamp - now, newR, newK, rL, rC, kL, kC))
      end
    end
    break
  end
end

for i = 3, #ARGV, 2 do
  -- Where the first field is new, so may be the day.
  if call('HINCRBY', KEYS[#KEYS], ARGV[i], ARGV[i + 1]) == tonumber(ARGV[i + 1]) and i == 3 then
    call('PEXPIRE', KEYS[#KEYS], '3456000000')
  end
end
return lease and 1 or 2
