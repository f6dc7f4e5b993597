-- Rows and checkpoint of one shard together, if the checkpoint is still the expected one.
--
-- KEYS  1 checkpoint (hash)   2 rows (hash)   3 parked (list)
-- ARGV  1 expected seq   2 expected offset   3 seq   4 offset   5 at
--       6 how many rows to write   7 how many to delete
--       then: key, row, key, row …   key to delete, …   parked event, …
--
-- Answers nothing when it is done; {seq, offset} as found when it is refused and changed nothing.
local found = redis.call('HMGET', KEYS[1], 'seq', 'offset')
local seq, offset = found[1] or '0', found[2] or '0'
if seq ~= ARGV[1] or offset ~= ARGV[2] then
  return {seq, offset}
end

-- unpack() is limited to some 8,000 values
local function in_chunks(command, key, first, last)
  for i = first, last, 4000 do
    redis.call(command, key, unpack(ARGV, i, math.min(i + 3999, last)))
  end
end

local rows_end = 7 + 2 * tonumber(ARGV[6])
local deleted_end = rows_end + tonumber(ARGV[7])
in_chunks('HSET', KEYS[2], 8, rows_end)
in_chunks('HDEL', KEYS[2], rows_end + 1, deleted_end)
in_chunks('RPUSH', KEYS[3], deleted_end + 1, #ARGV)
redis.call('HSET', KEYS[1], 'seq', ARGV[3], 'offset', ARGV[4], 'at', ARGV[5])
