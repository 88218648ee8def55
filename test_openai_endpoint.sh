#!/usr/bin/env bash
# Checks what the OpenAI endpoint's quick reference promises against a running server, one line a check.
#
#   ./test_openai_endpoint.sh [BASE_URL]      default: http://localhost:8000
#
# Needs bash, curl and python3. $API_KEY is sent as Bearer where it is set. It blocks a demo caller's card, as the page
# does: `teller cards reset` brings it back. The exit status is 0 only if every check passed.
set -uo pipefail

BASE_URL="${1:-http://localhost:8000}"
BASE_URL="${BASE_URL%/}"
ENDPOINT="$BASE_URL/api/chat/completions/"

for need in curl python3; do
    command -v "$need" >/dev/null || { echo "FAIL  $need is not installed"; exit 1; }
done

WORK="$(mktemp -d)" || exit 1
trap 'rm -rf "$WORK"' EXIT
REPLY="$WORK/reply" HEADERS="$WORK/headers" TEXT="$WORK/text"
STATUS=000
passed=0 failed=0
auth=()
[ -n "${API_KEY:-}" ] && auth=(-H "Authorization: Bearer $API_KEY")

pass() { passed=$((passed + 1)); echo "PASS  $1"; }
fail() {
    failed=$((failed + 1))
    echo "FAIL  $1"
    if [ -s "$TEXT" ]; then
        echo "      it said: $(head -c 300 "$TEXT" | tr '\r\n' '  ')"
    else
        echo "      HTTP $STATUS: $(head -c 300 "$REPLY" | tr '\r\n' '  ')"
    fi
}

# check NAME COMMAND…: PASS if the command succeeds.
check() {
    local name="$1"
    shift
    if "$@"; then pass "$name"; else fail "$name"; fi
}

# send URL BODY [CURL OPTIONS…]: POSTs a body; leaves STATUS, $HEADERS and $REPLY.
send() {
    local url="$1" body="$2"
    shift 2
    : >"$REPLY" && : >"$HEADERS" && : >"$TEXT"
    STATUS="$(curl -sS -N --connect-timeout 5 --max-time 60 -X POST "$url" -H 'Content-Type: application/json' \
        ${auth[@]+"${auth[@]}"} "$@" -d "$body" -D "$HEADERS" -o "$REPLY" -w '%{http_code}' 2>"$WORK/problem")" || STATUS=000
}

post() { send "$ENDPOINT" "$@"; }
got() { [ "$STATUS" = "$1" ]; }
header() { grep -qiE "^$1:[[:space:]]*$2" "$HEADERS"; }
said() { grep -qiE -- "$1" "$TEXT"; }

# is_stream: the reply is server-sent events as OpenAI sends them; its words are left in $TEXT.
is_stream() {
    got 200 && header content-type text/event-stream && python3 - "$REPLY" "$TEXT" <<'PY'
import json
import sys

lines = [line for line in open(sys.argv[1], encoding="utf-8").read().split("\n") if line]
assert all(line.startswith("data: ") for line in lines), "a line is not a data line"
assert lines[-1] == "data: [DONE]", "the stream does not end with [DONE]"
frames = [json.loads(line[len("data: "):]) for line in lines[:-1]]
assert len({frame["id"] for frame in frames}) == 1, "the frames have different ids"
assert {frame["object"] for frame in frames} == {"chat.completion.chunk"}
assert all("error" not in frame and isinstance(frame["choices"], list) for frame in frames)
choices = [frame["choices"][0] for frame in frames if frame["choices"]]
assert choices[0]["delta"].get("role") == "assistant", "the first delta names no role"
assert choices[-1]["finish_reason"] in ("stop", "length"), "no finish_reason"
text = "".join(choice["delta"].get("content") or "" for choice in choices)
assert text.strip(), "nothing was said"
open(sys.argv[2], "w", encoding="utf-8").write(text)
PY
} 2>>"$WORK/problem"

# is_completion: the reply is one compact chat.completion object; its words are left in $TEXT.
is_completion() {
    got 200 && header content-type application/json && grep -qF '"object":"chat.completion"' "$REPLY" \
        && python3 - "$REPLY" "$TEXT" <<'PY'
import json
import sys

reply = json.load(open(sys.argv[1], encoding="utf-8"))
assert reply["id"].startswith("chatcmpl-") and isinstance(reply["created"], int) and reply["model"]
(choice,) = reply["choices"]
assert choice["index"] == 0 and choice["message"]["role"] == "assistant"
assert choice["finish_reason"] in ("stop", "length")
usage = reply["usage"]
assert usage["prompt_tokens"] + usage["completion_tokens"] == usage["total_tokens"]
assert choice["message"]["content"].strip(), "nothing was said"
open(sys.argv[2], "w", encoding="utf-8").write(choice["message"]["content"])
PY
} 2>>"$WORK/problem"

# is_error STATUS TYPE PARAM: the reply is that error in OpenAI's envelope; PARAM is a prefix, or - for any.
is_error() {
    got "$1" && header content-type application/json && python3 - "$REPLY" "$2" "$3" <<'PY'
import json
import sys

error = json.load(open(sys.argv[1], encoding="utf-8"))["error"]
assert error["type"] == sys.argv[2] and error["message"]
assert {"message", "type", "param", "code"} <= set(error)
assert sys.argv[3] == "-" or (error["param"] or "").startswith(sys.argv[3]), "param does not name it"
PY
} 2>>"$WORK/problem"

user() { printf '{"messages":[{"role":"user","content":"%s"}]%s}' "$1" "${2:-}"; }

echo "Checking $ENDPOINT"
post "$(user Hello)"
if got 000; then
    echo "FAIL  the server can't be reached: $(cat "$WORK/problem")"
    exit 1
fi
if got 401; then
    echo "FAIL  the server wants a key${API_KEY:+ and does not know this one}: set API_KEY"
    exit 1
fi

echo "-- requests"
post "$(user 'Your question here')"
check "minimal request: streams by default, data: lines, [DONE]" is_stream
post "$(user 'Your question here' ',"stream":false')"
check "non-streaming request: one compact chat.completion" is_completion
post "$(user 'Your question here')" -H 'Accept: application/json'
check "Accept: application/json and no stream: a plain reply" is_completion
post "$(user 'Your question here' ',"stream":true')" -H 'Accept: application/json'
check "stream: true wins over Accept" is_stream
post "$(user Hello ',"stream":true')"
check "Hello, streaming" is_stream
post "$(user Hello ',"stream":false')"
check "Hello, non-streaming" is_completion

echo "-- answers"
post '{"model":"gpt-3.5-turbo","messages":[{"role":"system","content":"You are a helpful banking assistant."},{"role":"user","content":"What loan options are available?"}],"temperature":0.7,"max_tokens":2048}'
check "full request: streams" is_stream
check "full request: took the way to the documents" header x-teller-routes '.*knowledge'
check "full request: names personal loans" said 'personal'
check "full request: names home loans" said 'home|mortgage'
check "full request: names auto loans" said 'auto|car|vehicle'
post '{"messages":[{"role":"user","content":"What loans do you offer?"},{"role":"assistant","content":"We offer personal, home, and auto loans."},{"role":"user","content":"Tell me about personal loans"}]}'
check "multi-turn conversation: streams" is_stream
check "multi-turn conversation: is about personal loans" said 'personal loan'

echo "-- cards"
post "$(user 'Block my credit card [phone: +1234567890]')"
check "block my credit card: streams" is_stream
if said "I've blocked your"; then
    pass "block my credit card: blocks it and says so"
elif said 'is (already blocked|blocked already)'; then
    pass "block my credit card: says that it is blocked"
    echo "      (it was blocked before this run: \`teller cards reset\` brings the demo ledger back)"
else
    fail "block my credit card: blocks it and says so"
    said 'shall I block' && echo "      (this key's scope is voice: a spoken block is asked first; check with a key of scope chat)"
fi
post "$(user 'What is the status of my credit card? [phone: +1234567890]' ',"stream":false')"
check "afterwards: a plain reply" is_completion
check "afterwards: the card is blocked" said 'is blocked'

echo "-- parameters"
for field in '"temperature":0.0' '"temperature":2.0' '"max_tokens":1' '"max_tokens":4096' '"model":"any-string"'; do
    post "$(user 'Your question here' ",\"stream\":false,$field")"
    check "$field is accepted" is_completion
done
for field in '"temperature":2.5' '"temperature":-0.1' '"max_tokens":0' '"max_tokens":4097' '"stream":"maybe"'; do
    name="${field#\"}"
    name="${name%%\"*}"
    post "$(user 'Your question here' ",$field")"
    check "$field is a 400 that names $name" is_error 400 invalid_request_error "$name"
done
post '{"messages":[]}'
check "no messages: a 400 that names messages" is_error 400 invalid_request_error messages
post '{"model":"gpt-3.5-turbo"}'
check "messages left out: a 400 that names messages" is_error 400 invalid_request_error messages
post '{"messages":[{"role":"robot","content":"Hello"}]}'
check "a wrong role: a 400 that names messages.0.role" is_error 400 invalid_request_error messages.0.role
post '{"messages": ['
check "broken JSON: a 400" is_error 400 invalid_request_error -

echo "-- addresses"
for path in /api/chat/completions /api/chat/completions/chat/completions /v1/chat/completions; do
    send "$BASE_URL$path" "$(user Hello ',"stream":false')"
    check "POST $path answers without a redirect" is_completion
done
send "$BASE_URL/api/nothing/" '{}'
check "an unknown address: a 404 in the envelope" is_error 404 invalid_request_error -

if [ -n "${API_KEY:-}" ]; then
    auth=()
    post "$(user Hello)"
    if got 200; then
        echo "      (the server is open: API_KEYS is not set there, so keys were not checked)"
    else
        check "no key: a 401" is_error 401 authentication_error -
        post "$(user Hello)" -H 'Authorization: Bearer this-is-no-key'
        check "a wrong key: a 401" is_error 401 authentication_error -
    fi
fi

echo
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
