-- Admits an exchange: its client's limits and one of the deployments, all or nothing. A refusal writes nothing. Limits that
-- are a shadow are charged, and say what they would have refused.
--
-- KEYS     lease, state of each scope, state of each deployment, then the slots of those that limit concurrency
-- ARGV[1]  integers of 8 bytes: slot term, probe term, estimate, number of scopes,
--          and 4 if the limits of the first are a shadow, and 8 if those of the second;
--          per scope: refill and capacity of requests, of tokens; concurrency, tokens per day, tokens per month;
--          per deployment: as `choose` reads them. 0 is no limit.
-- ARGV[2]  the lease term in digits.  ARGV[3]  how long to keep slots, in digits
-- Reply    0, now, index, probe, levels of the deployment, levels of each scope, cooldowns of those passed over,
--            tokens of the day and of the month for each scope that has quotas,
--            and if a scope or the deployment is a shadow: scope (from 1) and kind that would have refused, or 0, 0;
--            the kind for which the deployment would have been passed over, or 0
--          1 (rate), 2 (concurrency) or 4 (quota), now, wait, scope, kind, levels of each scope
--          3 (no deployment), now, wait, levels of each scope, cooldowns
--          6 (the lease was used), now
local numbers = ARGV[1]
local slotTerm, probeTerm, estimate, scopes = unpack('<i8i8i8i8', numbers)
local shadows = nil
if scopes > 3 and scopes < 16 then shadows, scopes = {floor(scopes / 4) % 2 == 1, scopes > 7}, scopes % 4 end
local candidates = (#numbers - 32 - 56 * scopes) / 48
if scopes < 0 or scopes > 2 or candidates < 1 or candidates > 16 or candidates % 1 ~= 0
  or #KEYS < 1 + scopes + candidates or estimate < 1 or estimate > 1e10 then
  return redis.error_reply('ERR malformed admission')
end
local now = clock()
-- The usual keys in one call; what there are more of is read when it is needed.
local states = call('MGET', KEYS[1], KEYS[2], KEYS[3] or KEYS[1], KEYS[4] or KEYS[1])
if states[1] then return {6, now} end

local units, slot = estimate * 60000, 1 + scopes + candidates
local longest, reason, kind = 0, 0, 0
-- The same of limits that are a shadow: it takes the others' place while one of these is looked at.
local wouldWait, wouldReason, wouldKind = 0, 0, 0
-- Levels as they were, and what is written if it comes to that: state and how long to keep it.
local before, writes, slots, spent = {}, {}, nil, nil
local reply = {0, now, 0, 0, 0, 0}
for i = 1, scopes do
  local rL, rC, kL, kC, concurrency, perDay, perMonth = unpack('<i8i8i8i8i8i8i8', numbers, 56 * i - 23)
  local w, shadow = 0, shadows and shadows[i]
  if shadow then
    longest, reason, kind, wouldWait, wouldReason, wouldKind =
      wouldWait, wouldReason, wouldKind, longest, reason, kind
  end
  local stamp, r, k, day, dayUsed, month, monthUsed = scopeAt(KEYS[1 + i], states[1 + i], now)
  stamp, r, k = refilled(stamp, r, k, now, rL, rC, kL, kC)
  before[2 * i - 1], before[2 * i] = r, k
  if rL > 0 then
    w = wait(r, 60000, rL, rC, stamp - now)
    if w > longest then longest, reason, kind = w, i, 1 end
  end
  if kL > 0 then
    w = wait(k, units, kL, kC, stamp - now)
    if w > longest then longest, reason, kind = w, i, 2 end
  end
  if perDay > 0 then
    local today = floor(now / 86400000)
    if day < today then day, dayUsed = today, 0 end
    if dayUsed + (estimate < perDay and estimate or perDay) > perDay then
      w = (day + 1) * 86400000 - now
      if w > longest then longest, reason, kind = w, i, 3 end
    end
    dayUsed = dayUsed + estimate
  end
  if perMonth > 0 then
    local current = monthOf(now)
    if month < current then month, monthUsed = current, 0 end
    if monthUsed + (estimate < perMonth and estimate or perMonth) > perMonth then
      local y, m = floor((month + 1) / 12), (month + 1) % 12
      local start = 365 * y + floor(y / 4) - floor(y / 100) + floor(y / 400) + floor((153 * m + 2) / 5) - 719468
      w = start * 86400000 - now
      if w > longest then longest, reason, kind = w, i, 4 end
    end
    monthUsed = monthUsed + estimate
  end
  if perDay > 0 or perMonth > 0 then
    spent = spent or {}
    spent[#spent + 1] = perDay > 0 and dayUsed or 0
    spent[#spent + 1] = perMonth > 0 and monthUsed or 0
  end
  if concurrency > 0 then
    slot = slot + 1
    slots = slots or {}
    slots[i], slots[-i] = KEYS[slot], concurrency
  end
  if shadow then
    longest, reason, kind, wouldWait, wouldReason, wouldKind =
      wouldWait, wouldReason, wouldKind, longest, reason, kind
  end
  if longest == 0 then
    local most = shadow and 1
    r, k = debited(r, 60000, rL, rC, most), debited(k, units, kL, kC, most)
    reply[5 + 2 * i], reply[6 + 2 * i] = r, k
    writes[2 * i - 1] = pack('<i8i8i8i8i8i8i8', stamp, r, k, day, dayUsed, month, monthUsed)
    writes[2 * i] = lifetime(stamp - now, r, k, rL, rC, kL, kC, month, day)
  end
end
local refusal
if longest > 0 then
  refusal = {kind < 3 and 1 or 4, now, longest, reason - 1, kind}
elseif slots then
  for i = 1, scopes do
    if slots[i] and call('ZCOUNT', slots[i], '(' .. format('%.0f', now), '+inf') >= slots[-i] then
      if not (shadows and shadows[i]) then
        refusal = {2, now, 50, i - 1, 5}
        break
      elseif wouldWait == 0 then
        wouldWait, wouldReason, wouldKind = 50, i, 5
      end
    end
  end
end
if refusal then
  for i = 1, 2 * scopes do refusal[5 + i] = before[i] end
  return refusal
end

local index, cooldowns, state, keep, streak, probe, r, k, slotsThere, overThere =
  choose(numbers, 56 * scopes - 15, now, 1 + scopes, slot, candidates, units, probeTerm, states)
if not index then
  refusal = {3, now, state}
  for i = 1, 2 * scopes do refusal[3 + i] = before[i] end
  for i = 1, candidates do refusal[3 + 2 * scopes + i] = cooldowns[i] end
  return refusal
end

-- The first write is one that Redis refuses when it is out of memory, so that nothing is written then.
for i = 1, scopes do call('SET', KEYS[1 + i], writes[2 * i - 1], 'PX', writes[2 * i]) end
local home = KEYS[1 + scopes + index]
call('SET', home, state, 'PX', keep)
call('SET', KEYS[1], pack('<i8i8', now, streak > 0 and now or 0) .. home, 'PX', ARGV[2])
if slots or slotsThere then
  local expires = format('%.0f', now + slotTerm)
  for i = 1, scopes do
    if slots and slots[i] then
      call('ZADD', slots[i], expires, KEYS[1])
      call('PEXPIRE', slots[i], ARGV[3])
    end
  end
  if slotsThere then
    call('ZADD', slotsThere, expires, KEYS[1])
    call('PEXPIRE', slotsThere, ARGV[3])
  end
end
reply[3], reply[4], reply[5], reply[6] = index - 1, probe, r, k
for i = 1, index - 1 do reply[6 + 2 * scopes + i] = cooldowns[i] end
if spent then
  for i = 1, #spent do reply[#reply + 1] = spent[i] end
end
if shadows or overThere then
  reply[#reply + 1] = wouldReason
  reply[#reply + 1] = wouldKind
  reply[#reply + 1] = overThere or 0
end
return reply
