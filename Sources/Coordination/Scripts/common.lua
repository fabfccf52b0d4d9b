-- What the scripts begin with: the arithmetic of `Bucket`. Every number is an integer below 2^53, which doubles hold
-- exactly; what is stored is packed as integers of 8 bytes, so no digits are written and none are parsed.
local call, unpack, pack, floor, ceil, format =
  redis.call, struct.unpack, struct.pack, math.floor, math.ceil, string.format

-- Milliseconds since 1970. Asked once: before Redis 7.2 the clock does not stand still during a script.
local function clock()
  local time = call('TIME')
  return time[1] * 1000 + floor(time[2] / 1000)
end

-- The UTC month of a time: months since year 0, counted from March so that the leap day comes last (H. Hinnant,
-- "chrono-Compatible Low-Level Date Algorithms").
local function monthOf(time)
  local z = floor(time / 86400000) + 719468
  local era = floor(z / 146097)
  local doe = z - era * 146097
  local yoe = floor((doe - floor(doe / 1460) + floor(doe / 36524) - floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + floor(yoe / 4) - floor(yoe / 100))
  return (yoe + era * 400) * 12 + floor((5 * doy + 2) / 153)
end

-- What is stored of a scope, or what it starts with: full, which is above every capacity. A clock that went back by more
-- than two minutes is believed, and that is written down whatever is decided: a refusal would meet the same clock again.
local function scopeAt(key, s, now)
  if not s then return now, 9007199254740992, 9007199254740992, 0, 0, 0, 0 end
  local stamp, r, k, day, dayUsed, month, monthUsed = unpack('<i8i8i8i8i8i8i8', s)
  if stamp - now > 120000 then
    local today, current = floor(now / 86400000), monthOf(now)
    if day > today then day = today end
    if month > current then month = current end
    stamp = now
    call('SET', key, pack('<i8i8i8i8i8i8i8', stamp, r, k, day, dayUsed, month, monthUsed), 'KEEPTTL')
  end
  return stamp, r, k, day, dayUsed, month, monthUsed
end

-- A deployment as it is stored; its live limit of tokens stands behind the rest, and only where it has one.
local function packed(stamp, r, k, cool, streak, probe, live, liveUntil)
  if live == 0 then return pack('<i8i8i8i8i8i8', stamp, r, k, cool, streak, probe) end
  return pack('<i8i8i8i8i8i8i8i8', stamp, r, k, cool, streak, probe, live, liveUntil)
end

-- The same of a deployment. What is left of its cooldown, of a probe and of a live limit stays as long as it was.
local function deploymentAt(key, s, now)
  if not s then return now, 9007199254740992, 9007199254740992, 0, 0, 0, 0, 0 end
  local stamp, r, k, cool, streak, probe = unpack('<i8i8i8i8i8i8', s)
  local live, liveUntil = 0, 0
  if #s > 48 then live, liveUntil = unpack('<i8i8', s, 49) end
  local back = stamp - now
  if back > 120000 then
    stamp, cool, probe = now, cool > back and cool - back or 0, probe > back and probe - back or 0
    if live > 0 then liveUntil = liveUntil > back and liveUntil - back or 0 end
    call('SET', key, packed(stamp, r, k, cool, streak, probe, live, liveUntil), 'KEEPTTL')
  end
  if liveUntil <= now then live, liveUntil = 0, 0 end
  return stamp, r, k, cool, streak, probe, live, liveUntil
end

-- Refill and capacity of tokens where the deployment itself has named a limit: the lower one holds.
local function limited(kL, kC, live)
  if live == 0 then return kL, kC end
  if kL == 0 then return live, live * 60000 end
  return live < kL and live or kL, live * 60000 < kC and live * 60000 or kC
end

-- The live limit after an answer that named one: as high as what is configured, it is none.
local function renewed(live, liveUntil, named, kL, now)
  if named <= 0 then return live, liveUntil end
  if kL > 0 and named >= kL then return 0, 0 end
  return named, now + 300000
end

-- The time and levels of a pair of buckets as they are now. `L` refills each millisecond up to `C`; 0 is no limit.
local function refilled(stamp, r, k, now, rL, rC, kL, kC)
  local elapsed = now - stamp
  if elapsed > 0 then stamp = now else elapsed = 0 end
  -- Beyond 2^53 the sum is inexact, and above every capacity.
  if rL > 0 then
    r = r + elapsed * rL
    if r > rC then r = rC end
  end
  if kL > 0 then
    k = k + elapsed * kL
    if k > kC then k = kC end
  end
  return stamp, r, k
end

-- Milliseconds until so many units can be had; more than the bucket holds are had from a full one.
local function wait(level, units, L, C, delay)
  if units > C then units = C end
  if level >= units then return 0 end
  return ceil((units - level) / L) + delay
end

-- Takes units out, or puts them back if negative. Debt ends at ten capacities, or at as many as are named.
local function debited(level, units, L, C, most)
  if L == 0 or units == 0 then return level end
  level = level - units
  if level > C then return C end
  if level < 0 then
    local least = -(most or 10) * C
    if level < least then return least end
  end
  return level
end

-- How long to keep a pair of buckets, in digits: when full it is the same as none. Few values spare the formatting.
-- A month or a day that counts is kept beside them, if either is above 0.
local function lifetime(delay, r, k, rL, rC, kL, kC, month, day)
  local fill = rL > 0 and (rC - r) / rL or 0
  if kL > 0 and kC - k > fill * kL then fill = (kC - k) / kL end
  fill = fill + delay
  if month and month > 0 and fill < 2764740000 then return '2764800000' end
  if day and day > 0 and fill < 176340000 then return '176400000' end
  return fill <= 540000 and '600000' or fill <= 1140000 and '1200000' or format('%.0f', ceil(fill) + 60000)
end
