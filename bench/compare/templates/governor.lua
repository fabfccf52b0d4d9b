-- What an able operator writes to govern tokens with nginx: a key, a bucket in Redis, and its correction afterwards.
-- Scripts are loaded once and called by digest; connections to Redis are kept; an answer's usage is found without a parser.
local governor = {}
local tcp, null = ngx.socket.tcp, ngx.null

local limit, burst = 1e10, 1e10
local admit = [[
local state = redis.call('HMGET', KEYS[1], 'level', 'time')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local level, estimate = tonumber(state[1]) or tonumber(ARGV[2]), tonumber(ARGV[3])
level = math.min(tonumber(ARGV[2]), level + (now - (tonumber(state[2]) or now)) * ARGV[1] / 60000)
if level < estimate then return math.ceil((estimate - level) * 60000 / ARGV[1]) end
redis.call('HSET', KEYS[1], 'level', string.format('%.3f', level - estimate), 'time', string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], 120000)
return 0
]]
local settle = [[
redis.call('HINCRBYFLOAT', KEYS[1], 'level', ARGV[1])
redis.call('HINCRBY', KEYS[2], 'requests', 1)
redis.call('HINCRBY', KEYS[2], 'tokens', ARGV[2])
return 1
]]
local digests = {}

local function send(socket, ...)
  local words = {...}
  local parts = {"*", #words, "\r\n"}
  for i = 1, #words do
    local word = tostring(words[i])
    parts[#parts + 1] = "$" .. #word .. "\r\n" .. word .. "\r\n"
  end
  return socket:send(parts)
end

local function reply(socket)
  local line, failure = socket:receive()
  if not line then return nil, failure end
  local kind, rest = line:sub(1, 1), line:sub(2)
  if kind == ":" then return tonumber(rest) end
  if kind == "$" then
    local data = socket:receive(tonumber(rest) + 2)
    return data and data:sub(1, -3)
  end
  if kind == "-" then return nil, rest end
  return rest
end

local function run(script, ...)
  local socket = tcp()
  socket:settimeout(1000)
  local connected, failure = socket:connect("127.0.0.1", governor.port)
  if not connected then return nil, failure end
  if not digests[script] then
    send(socket, "SCRIPT", "LOAD", script)
    digests[script], failure = reply(socket)
    if not digests[script] then return nil, failure end
  end
  send(socket, "EVALSHA", digests[script], ...)
  local answer
  answer, failure = reply(socket)
  if answer then socket:setkeepalive(60000, 256) else socket:close() end
  return answer, failure
end

function governor.admit()
  local client = governor.keys[ngx.req.get_headers()["api-key"]]
  if not client then return ngx.exit(401) end
  ngx.req.read_body()
  local body = ngx.req.get_body_data() or ""
  local estimate = math.floor(#body / 4) + (tonumber(body:match('"max_tokens":(%d+)')) or 1024)
  local wait, failure = run(admit, 1, "bucket:" .. client, limit, burst, estimate)
  if not wait then
    ngx.log(ngx.ERR, "redis: ", failure)
    return ngx.exit(503)
  end
  if wait > 0 then
    ngx.header["retry-after-ms"] = wait
    return ngx.exit(429)
  end
  ngx.ctx.client, ngx.ctx.estimate = client, estimate
end

function governor.read()
  local used = ngx.arg[1] and ngx.arg[1]:match('"total_tokens":%s*(%d+)')
  if used then ngx.ctx.used = tonumber(used) end
end

local function correct(_, client, estimate, used)
  local done, failure = run(settle, 2, "bucket:" .. client, "usage:" .. client, estimate - used, used)
  if not done then ngx.log(ngx.ERR, "redis: ", failure) end
end

function governor.settle()
  local context = ngx.ctx
  if context.client then ngx.timer.at(0, correct, context.client, context.estimate, context.used or context.estimate) end
end

return governor
