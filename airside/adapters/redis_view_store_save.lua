-- Rows and checkpoint of one shard together, if the checkpoint is still the expected one.
--
-- KEYS  1 checkpoint (hash)   then, each only if it is written: rows (hash), parked (list).
--       While a slot moves, a cluster waits for all keys that are named to be in one place.
--       All three are named where the expected checkpoint is the start.
-- ARGV  1 expected seq   2 expected offset   3 seq   4 offset   5 at   6 digest of all rows
--       7 when the generation was created   8 how many rows to write   9 how many to delete
--       then: key, row, key, row …   key to delete, …   parked event, …
--
-- Answers nothing when it is done; {seq, offset} as found when it is refused and changed nothing.
local found = redis.call('HMGET', KEYS[1], 'seq', 'offset', 'created_at')
local seq, offset = found[1] or '0', found[2] or '0'
local is_namesake = found[3] and found[3] ~= ARGV[7] -- its rows are none of ours
if is_namesake then
  seq, offset = '0', '0'
end
if seq ~= ARGV[1] or offset ~= ARGV[2] then
  return {seq, offset}
end
if is_namesake then
  redis.call('UNLINK', unpack(KEYS))
end

-- unpack() is limited to some 8,000 values
local function chunk(i, last)
  return unpack(ARGV, i, math.min(i + 3999, last))
end

local rows, parked = KEYS[2], KEYS[#KEYS]
local rows_end = 9 + 2 * tonumber(ARGV[8])
local deleted_end = rows_end + tonumber(ARGV[9])
for i = 10, rows_end, 4000 do
  redis.call('HSET', rows, chunk(i, rows_end))
end
local left = deleted_end > rows_end and redis.call('HLEN', rows)
for i = rows_end + 1, deleted_end, 4000 do
  if left == 0 then
    break -- a hash without fields is gone, and gone keys cannot be touched while a slot moves
  end
  left = left - redis.call('HDEL', rows, chunk(i, deleted_end))
end
for i = deleted_end + 1, #ARGV, 4000 do
  redis.call('RPUSH', parked, chunk(i, #ARGV))
end
redis.call('HSET', KEYS[1],
  'seq', ARGV[3], 'offset', ARGV[4], 'at', ARGV[5], 'digest', ARGV[6],
  'created_at', ARGV[7])
