-- Sends the requests of a file, one line each: a token, a tab, and the body. Each thread of wrk begins at
-- another line and repeats the file. At the end one line of JSON reports the results.

local threads = 0

function setup(thread)
  thread:set("offset", threads)
  threads = threads + 1
end

function init(arguments)
  lines = {}
  for line in io.lines(arguments[1]) do lines[#lines + 1] = line end
  position = math.floor(#lines / tonumber(arguments[2])) * offset
end

function request()
  position = position % #lines + 1
  local token, body = lines[position]:match("^([^\t]*)\t(.*)$")
  local headers = { ["content-type"] = "application/json", ["authorization"] = "Bearer " .. token }
  return wrk.format("POST", "/graphql", headers, body)
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format('\n{"requests": %d, "seconds": %.6f, "failed": %d, "p50_ms": %.3f, "p99_ms": %.3f}\n',
    summary.requests, summary.duration / 1e6, failed, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
