#!/usr/bin/env bash
# Shows the gateway at work: a stand-in for Azure OpenAI behind it, a plain and a streamed chat request through it, and the
# metrics that the two left.
#
#   deploy/demo.sh [FOLDER]     # where `sluice` and `mock-azure` were built; default .build/release
#   KEEP=1 deploy/demo.sh       # leaves both running, and says how to call and how to stop them
#
# Everything listens on free ports of the loopback interface. Exit 0 if both requests were answered.
set -euo pipefail

readonly binaries="${1:-$(dirname "${BASH_SOURCE[0]}")/../.build/release}"
readonly keep="${KEEP:-}"
readonly client_key=demo-key-team-a
readonly start_seconds=15
readonly stop_seconds=10

mock_pid=""
gateway_pid=""
kept=""
folder="$(mktemp -d "${TMPDIR:-/tmp}/sluice-demo.XXXXXXXX")"

heading() {
    printf '\n== %s\n' "$*"
}

fail() {
    echo "demo: $*" >&2
    for log in mock-azure.log sluice.log; do
        if [[ -s "$folder/$log" ]]; then
            echo "--- the end of $log" >&2
            tail -n 20 "$folder/$log" >&2
        fi
    done
    exit 1
}

# Waits until the command succeeds; fails after the seconds, or as soon as the process is gone.
wait_until() {
    local seconds="$1" pid="$2" what="$3"
    shift 3
    local deadline=$((SECONDS + seconds))
    until "$@"; do
        kill -0 "$pid" 2>/dev/null || fail "$what: the process has ended"
        ((SECONDS < deadline)) || fail "$what: not within $seconds s"
        sleep 0.05
    done
}

# Asks the process to end, insists after a while, and returns when it is gone.
stop() {
    local pid="$1" deadline=$((SECONDS + stop_seconds))
    kill -TERM "$pid" 2>/dev/null || true
    while kill -0 "$pid" 2>/dev/null; do
        if ((SECONDS >= deadline)); then
            kill -KILL "$pid" 2>/dev/null || true
            break
        fi
        sleep 0.05
    done
    wait "$pid" 2>/dev/null || true
}

clean_up() {
    local status=$?
    trap - EXIT
    if [[ -z "$kept" ]]; then
        # The gateway first: it may still have something to say to the stand-in.
        [[ -z "$gateway_pid" ]] || stop "$gateway_pid"
        [[ -z "$mock_pid" ]] || stop "$mock_pid"
        rm -rf "$folder"
    fi
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

for binary in sluice mock-azure; do
    [[ -x "$binaries/$binary" ]] || fail "no $binaries/$binary: build it with \`make build\`"
done

# Starts a program that a closing terminal or a Ctrl-C does not reach: this script stops it, or the person who kept it.
start() {
    local log="$1"
    shift
    setsid nohup "$@" >"$log" 2>&1 </dev/null &
}

mock_address() {
    sed -n 's/^mock-azure listening on \([0-9.]*:[0-9]*\).*/\1/p' "$folder/mock-azure.log" 2>/dev/null | head -n 1
}
mock_is_listening() {
    [[ -n "$(mock_address)" ]]
}
gateway_address() {
    sed -n "s/^$1 //p" "$folder/ports" 2>/dev/null | head -n 1
}
gateway_is_listening() {
    [[ -n "$(gateway_address data)" && -n "$(gateway_address admin)" ]]
}

heading "Starting a stand-in for Azure OpenAI, and the gateway in front of it"
start "$folder/mock-azure.log" "$binaries/mock-azure" --listen 127.0.0.1:0
mock_pid=$!
wait_until "$start_seconds" "$mock_pid" "mock-azure does not listen" mock_is_listening

cat >"$folder/sluice.yaml" <<CONFIG
listen: 127.0.0.1:0
admin: 127.0.0.1:0
clients:
  - name: team-a
    api_keys: [$client_key]
endpoints:
  - name: mock
    url: "http://$(mock_address)"
    api_key: mock-key
models:
  - name: gpt-4o
    deployments:
      - {endpoint: mock, deployment: gpt-4o}
server:
  drain: {lame_duck: 0s, grace: 5s}   # nobody balances load over a demo
CONFIG

start "$folder/sluice.log" "$binaries/sluice" serve --config "$folder/sluice.yaml" --port-file "$folder/ports"
gateway_pid=$!
wait_until "$start_seconds" "$gateway_pid" "sluice does not listen" gateway_is_listening
data="$(gateway_address data)"
admin="$(gateway_address admin)"
readonly data admin

echo "mock-azure  http://$(mock_address)"
echo "sluice      http://$data    (admin: http://$admin)"
echo
sed 's/^/    /' "$folder/sluice.yaml"

readonly url="http://$data/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
readonly plain_body='{"messages":[{"role":"user","content":"What does a sluice do?"}]}'
readonly streamed_body='{"messages":[{"role":"user","content":"What does a sluice do?"}],"stream":true,"stream_options":{"include_usage":true}}'

# Sends one chat request and shows its answer as it arrives; fails unless the answer is a 200. The answer, with its head,
# is in the file afterwards.
ask() {
    local body="$1" answer="$2"
    echo "POST $url"
    echo "api-key: $client_key"
    echo "$body"
    echo
    curl --silent --show-error --no-buffer --include --noproxy '*' --max-time 30 \
        --header "api-key: $client_key" --header 'content-type: application/json' --data "$body" "$url" |
        sed --unbuffered 's/\r$//' | tee "$answer" || fail "the gateway did not answer in full"
    echo
    head -n 1 "$answer" | grep -q '^HTTP/1.1 200 ' || fail "the gateway did not answer with 200"
}

heading "A plain chat request"
ask "$plain_body" "$folder/plain"
grep -q '"choices"' "$folder/plain" || fail "the answer has no choices"

heading "A streamed chat request"
ask "$streamed_body" "$folder/streamed"
grep -q '^data: \[DONE\]' "$folder/streamed" || fail "the stream does not end with [DONE]"

# An exchange is recorded after its last byte was sent, so the numbers may come a moment after the answer.
metrics_count_both() {
    curl --silent --noproxy '*' --max-time 5 --output "$folder/metrics" "http://$admin/metrics" || return 1
    awk '/^sluice_requests_total\{.*team-a/ { sum += $NF } END { exit !(sum >= 2) }' "$folder/metrics"
}

heading "The metrics that the two requests left: GET http://$admin/metrics"
wait_until 5 "$gateway_pid" "the metrics do not count both requests" metrics_count_both
# Buckets of histograms and lines that are still zero say nothing here.
grep '^sluice_' "$folder/metrics" | grep -v '_bucket{' | grep -v ' 0$' | sort

if [[ -n "$keep" && "$keep" != 0 ]]; then
    kept=1
    heading "Both are still running"
    cat <<HELP
Call the gateway:

    curl -H 'api-key: $client_key' -H 'content-type: application/json' \\
        -d '$plain_body' \\
        '$url'

    curl -N -H 'api-key: $client_key' -H 'content-type: application/json' \\
        -d '$streamed_body' \\
        '$url'

    curl http://$admin/metrics
    curl http://$admin/status

Configuration and logs are in $folder. Stop both and remove it:

    kill $gateway_pid $mock_pid && rm -r $folder
HELP
else
    heading "Done; stopping both"
fi
