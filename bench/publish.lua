-- Load for publish_bench.py: each request is another order under another Idempotency-Key (or none).
-- Arguments after "--": the file with the order, the API key, "keys" or "none", a prefix unique to the run.
local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  local text = file:read("*a")
  file:close()
  local from, to = text:find("SO%-%d+")
  before, after = text:sub(1, from - 1), text:sub(to + 1)
  with_key = arguments[3] == "keys"
  run = tonumber(arguments[4])
  sent = 0
  fields = {["Content-Type"] = "application/json", ["X-API-Key"] = arguments[2]}
end

function request()
  sent = sent + 1
  if with_key then
    fields["Idempotency-Key"] = string.format("%08x-0000-4000-8%03x-%012x", run, number, sent)
  end
  local order = string.format("SO-%03d%01d%08d", run % 1000, number % 10, sent)
  return wrk.format("POST", nil, fields, before .. order .. after)
end
