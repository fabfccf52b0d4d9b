-- Notes that a deployment failed and reserves another one; the client is not charged again.
--
-- KEYS     lease, state of the failed deployment, state of each candidate, slots of those that limit concurrency
-- ARGV[1]  integers of 8 bytes: slot term, probe term, estimate, 1 if it counts towards the streak, 1 to refund,
--          cooldown in milliseconds or -1, jitter in thousandths, remaining requests or -1, remaining tokens or -1,
--          limit of tokens that it named or -1; of the failed deployment: refill and capacity of requests, of tokens; concurrency;
--          per candidate: as `choose` reads them
-- ARGV[2]  the lease term in digits.  ARGV[3]  how long to keep slots, in digits
-- Reply    0, now, index, probe, levels of the deployment, cooldowns of those passed over,
--            and if its limits are a shadow, the kind for which it would have been passed over, or 0
--          1 (no candidates: only noted), now, cooldown of the failed deployment
--          3 (no deployment), now, wait, cooldowns
--          5 (the lease is gone: nothing noted), now
local numbers = ARGV[1]
local slotTerm, probeTerm, estimate, counts, refund, cooldown, jitter, leftR, leftK, named =
  unpack('<i8i8i8i8i8i8i8i8i8i8', numbers)
local candidates = (#numbers - 120) / 48
if candidates < 0 or candidates > 16 or candidates % 1 ~= 0 or #KEYS < 2 + candidates
  or estimate < 1 or estimate > 1e10 then
  return redis.error_reply('ERR malformed reroute')
end
local now = clock()
local states = call('MGET', KEYS[1], KEYS[2], KEYS[3] or KEYS[1], KEYS[4] or KEYS[1])
local lease = states[1]
if not lease or lease == '' then return {5, now} end
local charged = unpack('<i8', lease)

local units, slot = estimate * 60000, 2 + candidates
local rL, rC, configured, kC, concurrency = unpack('<i8i8i8i8i8', numbers, 81)
local stamp, r, k, cool, streak, _, live, liveUntil = deploymentAt(KEYS[2], states[2], now)
local kL
kL, kC = limited(configured, kC, live)
stamp, r, k = refilled(stamp, r, k, now, rL, rC, kL, kC)
if refund == 1 then r, k = debited(r, -60000, rL, rC), debited(k, -units, kL, kC) end
if rL > 0 and leftR >= 0 and leftR * 60000 < r then r = leftR * 60000 end
if kL > 0 and leftK >= 0 and leftK * 60000 < k then k = leftK * 60000 end
-- What fails while it cools was sent before, and is the same failure.
local isCooling = cool > now
if cooldown < 0 and isCooling then
  cooldown = 0
elseif cooldown < 0 then
  cooldown = streak < 6 and 1000 * 2 ^ streak or 60000
  cooldown = cooldown + floor(cooldown * jitter / 1000)
end
if cooldown > 300000 then cooldown = 300000 end
if now + cooldown > cool then cool = now + cooldown end
if counts == 1 and not isCooling and streak < 1000 then streak = streak + 1 end
live, liveUntil = renewed(live, liveUntil, named, configured, now)
local failed = packed(stamp, r, k, cool, streak, 0, live, liveUntil)
local keep = lifetime(stamp - now, r, k, rL, rC, kL, kC)
local slots
if concurrency > 0 then
  slot = slot + 1
  slots = KEYS[slot]
end

if candidates == 0 then
  call('SET', KEYS[2], failed, 'PX', keep)
  return {1, now, cool - now}
end
local index, cooldowns, state, keepChosen, itsStreak, isProbe, chosenR, chosenK, slotsThere, overThere =
  choose(numbers, 73, now, 2, slot, candidates, units, probeTerm, states)

-- Never refused for want of memory; after it Redis lets the rest through.
call('DEL', KEYS[1])
if slots then call('ZREM', slots, KEYS[1]) end
call('SET', KEYS[2], failed, 'PX', keep)
if not index then
  call('SET', KEYS[1], pack('<i8i8', charged, 0), 'PX', ARGV[2])
  local reply = {3, now, state}
  for i = 1, candidates do reply[3 + i] = cooldowns[i] end
  return reply
end
local home = KEYS[2 + index]
call('SET', KEYS[1], pack('<i8i8', charged, itsStreak > 0 and now or 0) .. home, 'PX', ARGV[2])
call('SET', home, state, 'PX', keepChosen)
if slotsThere then
  call('ZADD', slotsThere, format('%.0f', now + slotTerm), KEYS[1])
  call('PEXPIRE', slotsThere, ARGV[3])
end
local reply = {0, now, index - 1, isProbe, chosenR, chosenK}
for i = 1, index - 1 do reply[6 + i] = cooldowns[i] end
if overThere then reply[6 + index] = overThere end
return reply
