-- Asks every bucket in KEYS for a cost. ARGV: the time in microseconds or 0 for
-- Redis's own, the cost, then each bucket's interval in microseconds and its burst.
-- Answers 1 or 0, then how far each bucket is from full.
local now = tonumber(ARGV[1])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local cost = tonumber(ARGV[2])
local admitted, ahead, after = 1, {}, {}
for i, key in ipairs(KEYS) do
  local interval, burst = tonumber(ARGV[2 * i + 1]), tonumber(ARGV[2 * i + 2])
  local window = interval * burst
  local arrival = tonumber(redis.call('GET', key) or now) or now
  ahead[i] = math.min(math.max(arrival - now, 0), window)
  after[i] = ahead[i] + interval * math.min(cost, burst)
  if after[i] > window then
    admitted = 0
  end
end
if admitted == 1 then
  ahead = after
  for i, key in ipairs(KEYS) do
    local arrival = string.format('%.0f', now + after[i])
    redis.call('SET', key, arrival, 'PX', math.ceil(after[i] / 1000))
  end
end
return { admitted, unpack(ahead) }
