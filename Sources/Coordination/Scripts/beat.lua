-- Counts a process among the living, and renews what it holds.
--
-- KEYS     the living; per lease: lease, state of its deployment (named, not read), slots of its scopes and deployment
-- ARGV[1]  integers of 8 bytes: term of the process, slot term;
--          per lease: 1 to bring it back, admitted, slots of scopes (0 to 2), slots of the deployment (0 or 1)
-- ARGV[2]  name of the process.  ARGV[3]  how long to keep the living, in digits.  ARGV[4]  the lease term in digits
-- ARGV[5]  how long to keep slots, in digits
-- Reply    0, now, number of the living, number of leases brought back, indices of the leases that are gone
local numbers = ARGV[1]
local term, slotTerm = unpack('<i8i8', numbers)
local leases = (#numbers - 16) / 32
local needed = 1
if leases < 0 or leases > 256 or leases % 1 ~= 0 then return redis.error_reply('ERR malformed beat') end
for i = 1, leases do
  local ofScopes, ofDeployment = unpack('<i8i8', numbers, 32 * i + 1)
  if ofScopes < 0 or ofScopes > 2 or ofDeployment < 0 or ofDeployment > 1 then
    return redis.error_reply('ERR malformed beat')
  end
  needed = needed + 2 + ofScopes + ofDeployment
end
if #KEYS ~= needed then return redis.error_reply('ERR malformed beat') end

local now = clock()
local time, expires = format('%.0f', now), format('%.0f', now + slotTerm)
-- Never refused for want of memory; after it Redis lets the rest through.
call('ZREMRANGEBYSCORE', KEYS[1], '-inf', time)
call('ZADD', KEYS[1], format('%.0f', now + term), ARGV[2])
call('PEXPIRE', KEYS[1], ARGV[3])
local reply = {0, now, call('ZCARD', KEYS[1]), 0}

local trimmed = {}
local function renew(key, lease)
  if not trimmed[key] then
    trimmed[key] = true
    call('ZREMRANGEBYSCORE', key, '-inf', time)
  end
  call('ZADD', key, expires, lease)
  call('PEXPIRE', key, ARGV[5])
end

local at = 2
for i = 1, leases do
  local restores, admitted, ofScopes, ofDeployment = unpack('<i8i8i8i8', numbers, 32 * i - 15)
  local key, home = KEYS[at], KEYS[at + 1]
  local lease, current = call('GET', key), home
  if not lease and restores == 1 then
    lease = pack('<i8i8', admitted, 0) .. home
    reply[4] = reply[4] + 1
  elseif lease and lease ~= '' then
    current = lease:sub(17)
  end
  if lease and lease ~= '' then
    call('SET', key, lease, 'PX', ARGV[4])
    for j = 1, ofScopes do renew(KEYS[at + 1 + j], key) end
    if ofDeployment == 1 and current == home then renew(KEYS[at + 2 + ofScopes], key) end
  else
    reply[#reply + 1] = i - 1
  end
  at = at + 2 + ofScopes + ofDeployment
end
return reply
