"""Requests in the shapes in which Vapi sends them (`tests/fixtures/vapi`), and what a caller then hears."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.bedrock.client import BedrockWire
from tests.support.server import ROOT, Server, start_server

CHAT = "/api/chat/completions"  # Vapi's `model.url` with what it appends: no slash at the end
FIXTURES = ROOT / "tests" / "fixtures" / "vapi"
KEY = "a-key-for-vapi"
BEARER = {"authorization": f"Bearer {KEY}"}
QUESTION = "Shall I block your Everyday Visa ending one eight eight one?"
NOT_TRUSTED = "I can't be sure enough of your number"


def body(name: str, said: str | None = None, **changes: Any) -> dict[str, Any]:
    """A fixture, as of a new call; `said` replaces the last message, a field given as `...` is left out."""
    request: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_text("utf-8"))
    if said is not None:
        request["messages"][-1] = {"role": "user", "content": said}
    if "call" in request:
        request["call"]["id"] = str(uuid4())
    return {field: value for field, value in {**request, **changes}.items() if value is not ...}


def heard(http: httpx.Client, request: dict[str, Any], headers: dict[str, str] | None = None) -> dict[str, Any]:
    """Send a request as Vapi does and return the turn, put together from the stream as Vapi's client does it."""
    headers = {"accept": "application/json", **(headers or {})}
    response = http.post(CHAT, json=request, headers=headers, follow_redirects=False)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/event-stream")
    data = [line.removeprefix("data: ") for line in response.text.splitlines() if line]
    assert data[-1] == "[DONE]"
    choices = [json.loads(frame)["choices"][0] for frame in data[:-1]]
    calls = [call["function"] for choice in choices for call in choice["delta"].get("tool_calls") or ()]
    return {
        "text": "".join(choice["delta"].get("content") or "" for choice in choices),
        "calls": "".join(f"{call.get('name', '')}{call.get('arguments', '')}" for call in calls),
        "finish": choices[-1]["finish_reason"],
        "deltas": [choice["delta"] for choice in choices],
    }


def text(http: httpx.Client, request: dict[str, Any], headers: dict[str, str] | None = None) -> str:
    """Return what is spoken in a turn that must end of itself, without a call."""
    turn = heard(http, request, headers)
    assert (turn["finish"], turn["calls"]) == ("stop", "")
    spoken: str = turn["text"]
    return spoken


def state_of(server: Server, phone: str) -> str:
    """Return the state of the only card of a holder."""
    [card] = next(h["cards"] for h in json.loads(server.teller("cards", "list", "--json")) if h["phone"] == phone)
    state: str = card["state"]
    return state


@pytest.fixture(scope="module")
def shared_server(bank: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that takes any number of turns from one caller: most of these tests are the same caller's."""
    data_dir = shutil.copytree(bank, tmp_path_factory.mktemp("vapi") / "data")
    server, process = start_server(data_dir, RATE_LIMIT_PER_CALLER="")
    yield server
    process.terminate()
    process.communicate(timeout=10)


@pytest.fixture
def server(shared_server: Server) -> Server:
    """The server, with no reset between tests: each speaks in calls of its own."""
    return shared_server


class TestMetadataSendMode:
    @pytest.mark.parametrize("name", ["off", "variable", "destructured"])
    def test_a_question_is_answered_in_every_mode(self, http: httpx.Client, name: str) -> None:
        assert "personal loans" in text(http, body(name)).lower()

    @pytest.mark.parametrize("name", ["variable", "destructured"])
    def test_the_customer_is_the_caller_and_the_channel_is_voice(self, http: httpx.Client, name: str) -> None:
        assert text(http, body(name, said="block my card")) == QUESTION

    def test_off_tells_no_number_and_no_call(self, http: httpx.Client) -> None:
        assert "can't see who is calling" in text(http, body("off", said="block my card"))

    @pytest.mark.parametrize("name", ["off", "variable", "destructured"])
    def test_as_one_object_it_says_the_same(self, http: httpx.Client, name: str) -> None:
        whole = http.post(CHAT, json=body(name, stream=False)).json()["choices"][0]
        assert whole["message"]["content"] == text(http, body(name))

    def test_spread_metadata_is_no_parameter_and_no_caller(self, http: httpx.Client) -> None:
        request = body("destructured", phone="+1234567899", conversation_id="c", said="block my card")
        assert text(http, request) == QUESTION

    @pytest.mark.parametrize("field", ["metadata", "phoneNumber", "assistant", "timestamp", "customer", "call"])
    @pytest.mark.parametrize("value", [None, 7, "text", [], {}], ids=repr)
    def test_no_shape_of_its_additions_breaks_a_call(self, http: httpx.Client, field: str, value: Any) -> None:
        assert "personal loans" in text(http, body("variable", **{field: value})).lower()

    @pytest.mark.parametrize("number", [None, 7, "", "anonymous", "+", {}], ids=repr)
    def test_a_withheld_number_is_nobodys(self, http: httpx.Client, number: Any) -> None:
        request = body("variable", said="block my card", customer={"number": number})
        assert "can't see who is calling" in text(http, request)

    def test_a_web_call_has_no_number(self, http: httpx.Client) -> None:
        assert "can't see who is calling" in text(http, body("web_call"))


class TestHistory:
    def test_an_opening_without_a_user_message_is_a_greeting_that_says_who_speaks(self, http: httpx.Client) -> None:
        assert "automated assistant" in text(http, body("opening"))

    def test_blank_assistant_turns_are_dropped(self, http: httpx.Client) -> None:
        assert "personal loans" in text(http, body("blank_turns")).lower()

    def test_where_the_assistant_spoke_last_the_caller_is_prompted_briefly(self, http: httpx.Client) -> None:
        assert len(text(http, body("silence")).split()) < 15

    def test_a_yes_to_a_question_that_was_heard_in_another_spelling_counts(
        self, server: Server, http: httpx.Client
    ) -> None:
        request = body("block_heard")
        question = text(http, {**request, "messages": request["messages"][:-2]})
        assert question == "Shall I block your Student Mastercard ending zero zero seven seven?"
        assert "I've blocked your Student Mastercard ending zero zero seven seven." in text(http, request)
        assert state_of(server, "+1234567898") == "blocked"

    def test_a_yes_to_a_question_that_was_cut_short_is_asked_again(self, server: Server, http: httpx.Client) -> None:
        request = body("block_interrupted")
        assert text(http, {**request, "messages": request["messages"][:-2]}) == QUESTION
        assert text(http, request).endswith("ending one eight eight one?")
        assert state_of(server, "+1234567890") == "active"

    def test_a_yes_to_a_question_that_was_never_asked_blocks_nothing(self, server: Server, http: httpx.Client) -> None:
        request = body("block_interrupted")
        request["messages"][-2]["content"] = QUESTION
        assert "I've blocked" not in text(http, request)
        assert state_of(server, "+1234567890") == "active"

    def test_a_guess_at_an_unfinished_sentence_writes_nothing(self, server: Server, http: httpx.Client) -> None:
        request = body("variable")
        for guess in ("I'd like to", "I'd like to block", "I'd like to block my card"):
            request["messages"][-1]["content"] = guess
            with http.stream("POST", CHAT, json=request):
                pass  # Vapi hangs up as soon as the caller speaks on
        request["messages"][-1]["content"] = "I'd like to block my card please"
        assert text(http, request) == QUESTION
        assert state_of(server, "+1234567890") == "active"

    def test_keypad_text_names_the_card(self, http: httpx.Client) -> None:
        request = body("keypad")
        text(http, {**request, "messages": request["messages"][:-2]})
        assert text(http, request) == "Shall I block your Everyday Visa ending four two four two?"


class TestTools:
    @pytest.mark.parametrize(
        ("name", "tool"),
        [("tools_default", "endCall"), ("tools_dashboard", "end_call_tool"), ("tools_typed", "end_call_tool")],
    )
    def test_a_goodbye_hangs_up_under_the_declared_name(self, http: httpx.Client, name: str, tool: str) -> None:
        turn = heard(http, body(name))
        assert (turn["text"], turn["calls"], turn["finish"]) == ("", f"{tool}{{}}", "tool_calls")

    @pytest.mark.parametrize(
        ("name", "tool", "number"),
        [
            ("tools_default", "transferCall", "+15550001111"),
            ("tools_dashboard", "transfer_call_tool", "+15550003333"),
            ("tools_typed", "transfer_call_tool", "+15550004444"),
        ],
    )
    def test_a_wish_for_a_person_puts_through(self, http: httpx.Client, name: str, tool: str, number: str) -> None:
        turn = heard(http, body(name, said="I want to speak to a real person"))
        assert (turn["text"], turn["finish"]) == ("", "tool_calls")
        assert turn["calls"] == f'{tool}{{"destination":"{number}"}}'

    @pytest.mark.parametrize("name", ["tools_default", "tools_dashboard", "tools_typed"])
    def test_other_turns_are_answered_as_ever(self, http: httpx.Client, name: str) -> None:
        assert "personal loans" in text(http, body(name, said="what loans do you offer")).lower()
        assert text(http, body(name, said="block my card")) == QUESTION

    def test_a_tools_result_is_taken_as_done(self, http: httpx.Client) -> None:
        assert text(http, body("tool_result")).startswith("That's done.")

    @pytest.mark.parametrize(
        "content", ["", [{"type": "text", "text": "The key was pressed."}]], ids=["blank", "parts"]
    )
    def test_a_tools_result_may_be_blank_or_in_parts(self, http: httpx.Client, content: Any) -> None:
        request = body("tool_result")
        request["messages"][-1]["content"] = content
        assert text(http, request).startswith("That's done.")


class TestSpeech:
    @pytest.mark.parametrize(
        "said",
        [
            "what loans do you offer",
            "what does it cost to send money abroad",
            "what interest do I get on savings",
            "how do I open an account",
        ],
    )
    def test_it_is_fit_for_the_ear(self, http: httpx.Client, said: str) -> None:
        turn = heard(http, body("variable", said=said))
        assert not re.search(r"[*#_`|\[\]<>$%]|https?:|www\.|\n|\d-\d", turn["text"]), turn["text"]
        assert not any("annotations" in delta for delta in turn["deltas"])


@pytest.fixture(scope="module")
def keyed_server(bank: Path, wire: BedrockWire, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A server as one is put behind a telephone: a key for Vapi, cards for network numbers alone, and Nova."""
    data_dir = shutil.copytree(bank, tmp_path_factory.mktemp("keyed") / "data")
    settings = {
        "API_KEYS": f"vapi:{KEY}:voice",
        "MIN_CALLER_TRUST": "network",
        "CHAT_MODEL": "amazon.nova-lite-v1:0",
        "RATE_LIMIT_PER_CALLER": "",
        **wire.environment(),
    }
    server, process = start_server(data_dir, **settings)
    with httpx.Client(base_url=server.base_url, timeout=30) as client:
        yield client
    process.terminate()
    process.communicate(timeout=10)


@pytest.fixture
def keyed(keyed_server: httpx.Client, wire: BedrockWire) -> httpx.Client:
    wire.reset()
    return keyed_server


class TestTrust:
    @pytest.mark.parametrize("credential", [f"Bearer {KEY}", KEY], ids=["bearer", "bare"])
    def test_with_a_valid_key_the_customer_is_the_networks(self, keyed: httpx.Client, credential: str) -> None:
        assert text(keyed, body("variable", said="block my card"), {"authorization": credential}) == QUESTION

    def test_a_wrong_key_is_a_401(self, keyed: httpx.Client) -> None:
        refused = keyed.post(CHAT, json=body("variable"), headers={"authorization": "Bearer wrong"})
        assert (refused.status_code, refused.json()["error"]["type"]) == (401, "authentication_error")

    @pytest.mark.parametrize(
        "change",
        [
            {"metadata": {"phone": "+1234567890"}, "customer": ...},
            {"customer": ..., "messages": [{"role": "user", "content": "block my card [phone: +1234567890]"}]},
        ],
        ids=["metadata", "tag"],
    )
    def test_what_anybody_can_write_is_not_the_networks(self, keyed: httpx.Client, change: dict[str, Any]) -> None:
        request = body("variable", said="block my card", **{k: v for k, v in change.items() if k != "messages"})
        if "messages" in change:
            request["messages"] = change["messages"]
        assert text(keyed, request, BEARER).startswith(NOT_TRUSTED)

    def test_without_keys_the_customer_only_claims(self, data_dir: Path) -> None:
        server, process = start_server(data_dir, MIN_CALLER_TRUST="asserted")
        with httpx.Client(base_url=server.base_url, timeout=30) as http:
            told = text(http, body("variable", said="block my card"))
        process.terminate()
        process.communicate(timeout=10)
        assert told.startswith(NOT_TRUSTED)

    def test_two_different_numbers_touch_no_card(self, http: httpx.Client) -> None:
        request = body("variable", said="block my card", metadata={"phone": "+1234567891"})
        assert "two different phone numbers" in text(http, request)

    def test_a_key_for_voice_makes_off_a_spoken_turn(self, keyed: httpx.Client, wire: BedrockWire) -> None:
        wire.script({"text": "**Three** kinds: see https://larkfield.example for $5.", "every": 3})
        assert text(keyed, body("off"), BEARER) == "Three kinds: see our website for 5 dollars."

    def test_nothing_of_a_body_is_logged(self, data_dir: Path) -> None:
        server, process = start_server(data_dir, LOG_LEVEL="debug")
        with httpx.Client(base_url=server.base_url, timeout=30) as http:
            for request in (body("variable"), body("block_heard"), body("variable", temperature=7)):
                http.post(CHAT, json=request)
            http.post(CHAT, content=json.dumps(body("variable"))[:-1])
        process.terminate()
        process.communicate(timeout=10)
        printed = (data_dir / "server.log").read_text("utf-8")
        logged = "\n".join(line for line in printed.splitlines() if line.startswith("{"))  # without the banner
        assert logged.count('"status": 400') == 2
        assert not re.search(r"secret|example\.invalid|123456789|loan|Larkfield|5f1d0c3a", logged), logged


class TestToolsOfTheModel:
    """What is neither hanging up nor putting through is offered to a model that can call tools."""

    @pytest.mark.parametrize("name", ["tools_default", "tools_dashboard", "tools_typed"])
    def test_it_presses_keys(self, keyed: httpx.Client, wire: BedrockWire, name: str) -> None:
        wire.script({"tool_calls": [{"name": "dtmf", "input": {"dtmf": "1"}}], "every": 4})
        turn = heard(keyed, body(name, said="can you sing me a song and press one"), BEARER)
        assert (turn["calls"], turn["finish"]) == ('dtmf{"dtmf": "1"}', "tool_calls")
        offered = [tool["toolSpec"]["name"] for tool in wire.requests()[0].body["toolConfig"]["tools"]]
        assert offered == ["dtmf"]

    def test_it_goes_on_with_the_result(self, keyed: httpx.Client, wire: BedrockWire) -> None:
        wire.script({"text": "I pressed one for you."})
        assert text(keyed, body("tool_result"), BEARER) == "I pressed one for you."
        [*_, asked, returned] = wire.requests()[0].body["messages"]
        assert asked["content"][-1]["toolUse"]["name"] == "dtmf"
        assert "The key was pressed." in json.dumps(returned)

    @pytest.mark.parametrize(
        "fault", [{"fault": "ThrottlingException", "times": 6}, {"fault": "AccessDeniedException"}]
    )
    def test_a_model_that_fails_is_spoken_about_and_the_call_goes_on(
        self, keyed: httpx.Client, wire: BedrockWire, fault: dict[str, Any]
    ) -> None:
        wire.script(fault)
        assert "sorry" in text(keyed, body("variable"), BEARER)

    def test_a_guess_that_is_hung_up_on_stops_the_model(self, keyed: httpx.Client, wire: BedrockWire) -> None:
        wire.script({"stall_before_first": True})
        with pytest.raises(httpx.ReadTimeout):
            keyed.post(CHAT, json=body("variable"), headers=BEARER, timeout=0.4)
        wire.wait_for(lambda seen: seen[0].hung_up, seconds=2)

    def test_a_call_that_is_hung_up_on_after_a_filler_stops_the_model(
        self, keyed: httpx.Client, wire: BedrockWire
    ) -> None:
        wire.script({"stall_before_first": True})
        with keyed.stream("POST", CHAT, json=body("variable"), headers=BEARER) as response:
            assert next(line for line in response.iter_lines() if '"content":"' in line and '"content":""' not in line)
        wire.wait_for(lambda seen: seen[0].hung_up, seconds=2)

    def test_a_goodbye_and_a_person_need_no_model(self, keyed: httpx.Client, wire: BedrockWire) -> None:
        assert heard(keyed, body("tools_dashboard"), BEARER)["calls"] == "end_call_tool{}"
        turn = heard(keyed, body("tools_dashboard", said="I want to speak to a real person"), BEARER)
        assert turn["calls"] == 'transfer_call_tool{"destination":"+15550003333"}'
        assert wire.requests() == []
