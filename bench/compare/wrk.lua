-- One request, over and over, as the environment says; at the end one line of JSON for wrk.py.
wrk.method = "POST"
wrk.path = os.getenv("COMPARE_PATH")
wrk.headers["content-type"] = "application/json"
wrk.headers["api-key"] = os.getenv("COMPARE_KEY")
wrk.body = os.getenv("COMPARE_BODY")

done = function(summary, latency)
   local errors = summary.errors
   io.write(string.format(
      '{"requests": %d, "bytes": %d, "duration_us": %d, "p50_us": %d, "p99_us": %d, "bad_statuses": %d, "broken": %d}\n',
      summary.requests, summary.bytes, summary.duration, latency:percentile(50), latency:percentile(99),
      errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
