-- A projection's registry, replaced if its revision is still the expected one.
--
-- KEYS  1 registry (JSON)
-- ARGV  1 expected revision   2 the new registry
--
-- Answers nothing when it is done; the revision as found when it is refused.
local found = redis.call('GET', KEYS[1])
local revision = found and cjson.decode(found).revision or 0
if revision ~= tonumber(ARGV[1]) then
  return revision
end
redis.call('SET', KEYS[1], ARGV[2])
