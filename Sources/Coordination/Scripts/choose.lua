-- The first deployment that has room. `at` is where its numbers start, 48 bytes each: refill and capacity of requests,
-- of tokens; concurrency; flags: 1 for one that is probed, and 2 for limits that are a shadow, which are charged and pass
-- nothing over. `slot` is the key before the first slots. `states` holds what was read.
-- The last value, of limits that are a shadow, is the kind that would have passed it over, or 0. Without a deployment the
-- index is nil, and the third value how long until there may be one.
local function choose(numbers, at, now, first, slot, count, units, probeTerm, states)
  local soonest, cooldowns = 9007199254740992, nil
  for i = 1, count do
    local rL, rC, kL, kC, concurrency, probed = unpack('<i8i8i8i8i8i8', numbers, at + 48 * i)
    local shadow = nil
    if probed > 1 then probed, shadow = probed - 2, 0 end
    local s = states[first + i]
    if s == nil then s = call('GET', KEYS[first + i]) end
    if concurrency > 0 then slot = slot + 1 end
    local stamp, r, k, cool, streak, probe, live, liveUntil = deploymentAt(KEYS[first + i], s, now)
    kL, kC = limited(kL, kC, live)
    local cooldown = 0
    if cool > now then
      cooldown = cool - now
    elseif streak > 0 and probed == 1 and probe > now then
      cooldown = probe - now
    end
    local w = cooldown
    if w == 0 then
      local kind = 1
      stamp, r, k = refilled(stamp, r, k, now, rL, rC, kL, kC)
      w = rL > 0 and wait(r, 60000, rL, rC, stamp - now) or 0
      local other = kL > 0 and wait(k, units, kL, kC, stamp - now) or 0
      -- A live limit that is not named again ends before.
      if live > 0 and other > liveUntil - now then other = liveUntil - now end
      if other > w then w, kind = other, 2 end
      if w == 0 and concurrency > 0
        and call('ZCOUNT', KEYS[slot], '(' .. format('%.0f', now), '+inf') >= concurrency then
        w, kind = 50, 5
      end
      if shadow and w > 0 then shadow, w = kind, 0 end
    end
    if w == 0 then
      local isProbe = 0
      if streak > 0 and probed == 1 then isProbe, probe = 1, now + probeTerm end
      local most = shadow and 1
      r, k = debited(r, 60000, rL, rC, most), debited(k, units, kL, kC, most)
      return i, cooldowns, packed(stamp, r, k, cool, streak, probe, live, liveUntil),
        lifetime(stamp - now, r, k, rL, rC, kL, kC), streak, isProbe, r, k, concurrency > 0 and KEYS[slot], shadow
    end
    cooldowns = cooldowns or {}
    cooldowns[i] = cooldown
    if w < soonest then soonest = w end
  end
  return nil, cooldowns, soonest
end
