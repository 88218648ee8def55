"""A call as Vapi makes one: what the server gets to see of guesses, cuts, repeats, silences and hang-ups."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from simulator import virtual_time
from simulator.call import Call, Line
from simulator.in_process import started
from simulator.script import CallerId, Interruption, Setting, Transcript
from tests.simulator.scripted_app import QUIET, Answer, ScriptedApp

Play = Callable[[Call], Awaitable[object]]
NUMBER = "+1234567890"


def played(play: Play, *answers: Answer, setting: Setting = QUIET, **options: Any) -> tuple[ScriptedApp, Call]:
    """Play a call against a server with these answers, in virtual time."""
    app = ScriptedApp(*answers)

    async def work() -> Call:
        async with started(app) as transport:
            line = Line([transport], key=options.pop("key", ""))
            call = Call(setting, line, number=NUMBER, call_id="call-7", clock=virtual_time.now, **options)
            await call.begin()
            await play(call)
            await call.conclude()
            return call

    return app, virtual_time.run(work())


def history(app: ScriptedApp, request: int = -1) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in app.seen[request].body["messages"]]


async def hello(call: Call) -> None:
    await call.say("hello there")
    await call.conclude()


def test_the_body_is_vapis() -> None:
    app, _ = played(hello, setting=QUIET.model_copy(update={"tools": ("endCall", "transferCall")}), key="KEY")
    seen = app.seen[0]
    assert seen.path == "/api/chat/completions/"
    assert seen.headers["authorization"] == "Bearer KEY"
    assert seen.body["call"]["id"] == "call-7"
    assert seen.body["customer"] == {"number": NUMBER}
    assert seen.body["metadata"] == {"numModelRequestInTurn": 1}
    sent = virtual_time.BEGINNING + timedelta(seconds=2 / 2.5 + 0.4)
    assert seen.body["timestamp"] == round(sent.timestamp() * 1000)
    assert [tool["function"]["name"] for tool in seen.body["tools"]] == ["endCall", "transferCall"]
    assert history(app) == [("assistant", "Hello."), ("user", "hello there")]


@pytest.mark.parametrize(
    ("how", "place"),
    [
        ("vapi", lambda body: body["customer"]["number"]),
        ("metadata", lambda body: body["metadata"]["phone"]),
        ("tag", lambda body: body["messages"][-1]["content"].removeprefix("hello there [phone: ").removesuffix("]")),
    ],
)
def test_the_number_stands_in_one_place(how: Any, place: Callable[[Any], str]) -> None:
    app, _ = played(hello, setting=QUIET.model_copy(update={"caller": CallerId(number=NUMBER, how=how)}))
    assert place(app.seen[0].body) == NUMBER
    assert str(app.seen[0].body).count(NUMBER) == (2 if how == "vapi" else 1)  # Vapi's call holds it too


def test_a_chat_has_no_call_and_no_speech() -> None:
    app, call = played(hello, setting=QUIET.model_copy(update={"channel": "chat"}))
    assert "call" not in app.seen[0].body
    assert app.seen[0].body["metadata"] == {"conversation_id": "call-7"}
    assert call.elapsed == pytest.approx(0, abs=1e-3)


def test_speech_takes_its_time() -> None:
    app, call = played(hello, Answer("One two three.", first=0.5))
    request = call.turns[0].requests[0]
    assert app.seen[0].at == pytest.approx(2 / 2.5 + 0.4)
    assert request.first_word_ms == pytest.approx(500)
    assert call.turns[0].wait_ms == pytest.approx(900)  # endpointing, then the server
    assert call.elapsed == pytest.approx(2 / 2.5 + 0.4 + 0.5 + 3 / 3.0)


def test_a_guess_is_closed_by_the_next_request() -> None:
    async def play(call: Call) -> None:
        await call.say("I would like to block my card", guesses=[2, 4])

    app, call = played(play, Answer(first=10), Answer(first=10), Answer("Which one?"))
    assert app.said_by_user == ["I would", "I would like to", "I would like to block my card"]
    assert [seen.body["metadata"]["numModelRequestInTurn"] for seen in app.seen] == [1, 2, 3]
    assert [seen.hung_up_at for seen in app.seen[:2]] == [pytest.approx(1.6), pytest.approx(7 / 2.5 + 0.4)]
    assert [request.cancelled for request in call.turns[0].requests] == [True, True, False]
    assert call.turns[0].requests[0].took_ms == pytest.approx(800)
    assert call.messages[-1] == {"role": "assistant", "content": "Which one?"}


def test_a_guess_that_had_all_the_words_is_kept() -> None:
    async def play(call: Call) -> None:
        await call.say("block my card", guesses=[3])

    app, call = played(play, Answer(first=0.1))
    assert len(app.seen) == 1
    assert call.turns[0].wait_ms == pytest.approx(400)  # it is spoken once the platform takes the words for whole


def test_a_barge_in_cuts_the_history_at_the_word() -> None:
    async def play(call: Call) -> None:
        await call.say("hello")
        assert await call.conclude(Interruption(words=3))
        await call.say("stop")

    app, call = played(play, Answer("One, two, three, four, five.", every=0.2))
    assert history(app) == [
        ("assistant", "Hello."),
        ("user", "hello"),
        ("assistant", "One, two, three,"),
        ("user", "stop"),
    ]
    assert call.turns[0].cut


def test_a_barge_in_hangs_up_on_what_still_streams() -> None:
    async def play(call: Call) -> None:
        await call.say("hello")
        await call.conclude(Interruption(words=2))
        await call.say("stop")

    app, _ = played(play, Answer("One two three four", every=2), Answer())
    assert app.seen[0].sent == ["One", "two"]
    assert app.seen[0].hung_up_at is not None


def test_a_turn_cut_before_its_first_word_is_blank() -> None:
    async def play(call: Call) -> None:
        await call.say("hello")
        await call.conclude(Interruption(words=0))
        await call.say("wait")

    app, _ = played(play)
    assert history(app) == [("assistant", "Hello."), ("user", "hello"), ("assistant", ""), ("user", "wait")]


def test_words_that_nobody_answered_yet_grow() -> None:
    async def play(call: Call) -> None:
        await call.say("yes")
        await call.conclude(Interruption(seconds=0.9))
        await call.say("but not that one")

    app, _ = played(play, Answer(first=3), Answer())
    assert app.said_by_user == ["yes", "yes but not that one"]
    assert app.seen[0].hung_up_at == pytest.approx(app.seen[0].at + 0.9)


def test_a_pause_sends_what_was_said_and_speaking_on_takes_it_back() -> None:
    async def play(call: Call) -> None:
        await call.say("yes [0.9] but not that one")

    app, _ = played(play, Answer(first=3), Answer())
    assert app.said_by_user == ["yes", "yes but not that one"]
    assert app.seen[0].at == pytest.approx(0.4 + 0.4)
    assert app.seen[0].hung_up_at == pytest.approx(0.4 + 0.9)


def test_speaking_on_while_the_reply_is_heard_is_a_turn_of_its_own() -> None:
    async def play(call: Call) -> None:
        await call.say("yes [2] but not that one")

    app, call = played(play, Answer("One two three four five six seven eight nine"))
    assert history(app)[-3:] == [("user", "yes"), ("assistant", "One two three four"), ("user", "but not that one")]
    assert [turn.said for turn in call.turns] == ["yes", "but not that one"]


def test_a_short_pause_is_none() -> None:
    async def play(call: Call) -> None:
        await call.say("yes [0.2] please")

    app, _ = played(play)
    assert app.said_by_user == ["yes please"]


def test_the_assistants_turns_are_recased() -> None:
    async def play(call: Call) -> None:
        await hello(call)
        await call.say("what")

    app, _ = played(
        play,
        Answer("Shall I block your Visa, ending 1881?"),
        setting=QUIET.model_copy(update={"transcript": Transcript(recased=True)}),
    )
    assert history(app)[2] == ("assistant", "shall i block your visa ending 1881?")


def test_silence_asks_with_the_assistants_words_last_and_turns_merge() -> None:
    async def play(call: Call) -> None:
        await hello(call)
        await call.silence(5)
        await call.conclude()
        await call.say("yes")

    app, _ = played(play, Answer("One."), Answer("Still there?"), Answer("Two."))
    assert history(app, 1)[-1] == ("assistant", "One.")
    assert history(app, 2)[-2:] == [("assistant", "One. Still there?"), ("user", "yes")]


def test_turns_stay_apart_where_they_are_not_merged() -> None:
    async def play(call: Call) -> None:
        await hello(call)
        await call.silence(5)

    _, call = played(
        play, Answer("One."), Answer("Two."), setting=QUIET.model_copy(update={"transcript": Transcript(merged=False)})
    )
    assert [message["content"] for message in call.messages[-2:]] == ["One.", "Two."]


def test_the_keypad_is_worded_as_vapi_words_it() -> None:
    async def play(call: Call) -> None:
        await call.keypad("4242")

    app, _ = played(play)
    assert app.said_by_user == ["User's Keypad Entry: 4242"]


def test_a_repeat_is_the_same_request_later() -> None:
    async def play(call: Call) -> None:
        await hello(call)
        await call.repeat()

    app, call = played(play, Answer("One."), Answer("Two."))
    first, again = (dict(seen.body) for seen in app.seen)
    assert again.pop("timestamp") > first.pop("timestamp")
    assert first == again
    assert call.messages[-1]["content"] == "Two."


def test_a_hang_up_closes_the_connection_then() -> None:
    async def play(call: Call) -> None:
        await call.say("yes")
        assert await call.hang_up(Interruption(seconds=0.3))

    app, call = played(play, Answer(first=3))
    assert app.seen[0].hung_up_at == pytest.approx(app.seen[0].at + 0.3)
    assert call.over == "the caller hung up"


def test_the_end_of_the_call_is_told() -> None:
    async def play(call: Call) -> None:
        await hello(call)
        assert await call.end() == 200

    app, _ = played(play)
    assert app.seen[-1].path == "/api/vapi/events"
    assert app.seen[-1].body["message"]["type"] == "end-of-call-report"
    assert app.seen[-1].body["message"]["call"]["id"] == "call-7"


def test_an_opening_of_the_models_has_no_user_message() -> None:
    async def play(call: Call) -> None:
        await call.conclude()
        await call.say("hello")

    app, _ = played(play, Answer("Hi, I am the bank."), setting=Setting(system="Be kind.", opening=None))
    assert history(app, 0) == [("system", "Be kind.")]
    assert history(app, 1)[1:] == [("assistant", "Hi, I am the bank."), ("user", "hello")]


def test_end_call_ends_the_call() -> None:
    _, call = played(hello, Answer("", tool=("endCall", "{}"), finish="tool_calls"))
    assert call.over == "endCall"
    assert call.messages[-1]["tool_calls"][0]["function"]["name"] == "endCall"


def test_an_error_is_heard_as_nothing_and_told() -> None:
    _, call = played(hello, Answer(status=503))
    assert call.turns[0].requests[0].error == "HTTP 503: no"
    assert call.turns[0].heard == ""


def test_replicas_take_turns_or_are_chosen_or_get_the_same_at_once() -> None:
    apps = [ScriptedApp(), ScriptedApp()]

    async def work() -> None:
        async with started(apps[0]) as one, started(apps[1]) as two:
            call = Call(QUIET, Line([one, two]), call_id="c")
            await call.begin()
            for number, chosen in enumerate((None, None, [1], [0, 1])):
                await call.say(f"turn {number}", replicas=chosen)
                await call.conclude()

    virtual_time.run(work())
    assert apps[0].said_by_user == ["turn 0", "turn 3"]
    assert apps[1].said_by_user == ["turn 1", "turn 2", "turn 3"]


def test_the_same_call_is_played_the_same_way_each_time() -> None:
    async def play(call: Call) -> None:
        await call.say("block [0.7] my card please", guesses=[1, 3])
        await call.conclude(Interruption(words=4))
        await call.say("yes")

    def once() -> tuple[object, object]:
        app, call = played(play, Answer("One two three four five six", first=0.3, every=0.21))
        return call.turns, [(seen.body, seen.at, seen.hung_up_at) for seen in app.seen]

    assert once() == once()
