"""On the phone a yes settles before it counts: what the caller says next may change it."""

import asyncio

import pytest

from simulator.script import Interruption
from tests.dialogue.conftest import MAYA, TOMAS, Phone, Play, heard

BLOCKS, LOSES = "block my card", "I lost my card, please report it"
GUESS = "take it back"


@pytest.mark.parametrize(("wish", "settles"), [(BLOCKS, 1.0), (LOSES, 3.0)])
@pytest.mark.parametrize("later", [0.3, 0.9, 1.5, 2.5])
def test_a_yes_that_grows_into_something_else(play: Play, wish: str, settles: float, later: float) -> None:
    """Before it has settled nothing is written; afterwards the outcome is told, and a block can be taken back."""

    async def talk(phone: Phone) -> None:
        call = await phone.call(MAYA)
        await heard(call, wish)
        await call.say(f"yes [{later}] but not that one", words_per_second=1000)
        await call.conclude()
        said = call.turns[-1].heard
        if later < settles:
            assert await phone.writes(MAYA) == 0
            assert said.endswith("eight eight one?")
        else:
            assert await phone.writes(MAYA) == 1
            assert "I've blocked your Everyday Visa" in said
            assert said.endswith("take it back.")

    play(talk)


@pytest.mark.parametrize(("wish", "settles"), [(BLOCKS, 1.0), (LOSES, 3.0)])
def test_a_yes_is_answered_when_it_has_settled(play: Play, wish: str, settles: float) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(MAYA)
        await heard(call, wish)
        await heard(call, "yes please")
        assert await phone.writes(MAYA) == 1
        sent = call.turns[-1].requests[-1]
        assert sent.text.startswith("One moment")  # the filler, while it settles
        assert sent.took_ms is not None
        assert sent.took_ms >= settles * 1000

    play(talk)


def test_nothing_waits_where_nothing_is_written(play: Play) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(MAYA)
        for words in (BLOCKS, "hmm", "no", "is my card active", "what is the fee of the gold card"):
            await heard(call, words)
            assert call.turns[-1].requests[-1].first_word_ms == pytest.approx(0, abs=1), words

    play(talk)


def test_yes_and_hang_up_blocks_but_reports_no_loss(play: Play) -> None:
    """A caller who is gone must be protected, and a block can be undone; a closed card can't be opened."""

    async def talk(phone: Phone) -> None:
        for wish, writes in ((LOSES, 0), (BLOCKS, 1)):
            call = await phone.call(MAYA)
            await heard(call, wish)
            await call.say("yes")
            await call.hang_up(Interruption(seconds=0.2))
            await call.end()
            await asyncio.sleep(10)
            assert await phone.writes(MAYA) == writes

    play(talk)


def test_the_same_yes_again_settles_anew_after_a_hang_up(play: Play) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(MAYA)
        await heard(call, LOSES)
        await call.say("yes")
        await call.conclude(Interruption(seconds=1.0))
        await call.repeat()
        await call.conclude()
        assert "I've closed your Everyday Visa" in call.turns[-1].heard
        assert await phone.writes(MAYA) == 1

    play(talk)


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("wish", [BLOCKS, LOSES])
def test_six_guesses_for_one_turn_write_once(play: Play, wish: str, count: int) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(MAYA)
        await heard(call, wish)
        await call.say("yes yes that is right please", guesses=(1, 2, 3, 4, 5))
        await call.conclude()
        assert await phone.writes(MAYA) == 1
        assert "I've" in call.turns[-1].heard

    play(talk, count)


@pytest.mark.parametrize("wish", [BLOCKS, LOSES])
def test_the_same_yes_from_two_replicas_writes_once(play: Play, wish: str) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(MAYA)
        await heard(call, wish)
        await call.say("yes", replicas=(0, 1))
        await call.conclude()
        assert await phone.writes(MAYA) == 1
        assert "I've" in call.turns[-1].heard

    play(talk, 2)


def test_a_slow_guess_is_overtaken_by_a_newer_one_on_another_replica(play: Play) -> None:
    """The yes of a guess that was sent first and arrives last does not count against the newer words."""

    async def talk(phone: Phone) -> None:
        call = await phone.call(MAYA)
        await heard(call, BLOCKS)
        older = call.messages
        await heard(call, "yes but not now")
        body = {"messages": [*older, {"role": "user", "content": "yes"}]}
        late = await phone.ask(call, body, seconds_ago=30.0)
        assert late.endswith("?")
        await asyncio.sleep(5)
        assert await phone.writes(MAYA) == 0

    play(talk, 2)


def test_yes_then_yes_please_after_the_commit_tells_the_outcome(play: Play) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(MAYA)
        await heard(call, BLOCKS)
        await call.say("yes [1.5] please", words_per_second=1000)
        await call.conclude()
        assert "I've blocked your Everyday Visa" in call.turns[-1].heard
        assert await phone.writes(MAYA) == 1

    play(talk)


def test_a_settling_wish_of_a_dead_process_is_open_again(play: Play) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(MAYA)
        await heard(call, LOSES)
        await call.say("yes", replicas=(0,))
        await asyncio.sleep(0.5)
        await phone.bank.transports[0].crash()
        await call.conclude()
        await asyncio.sleep(6)
        assert await phone.writes(MAYA) == 0
        await call.repeat(replicas=(1,))
        await call.conclude()
        assert "I've closed your Everyday Visa" in call.turns[-1].heard
        assert await phone.writes(MAYA) == 1

    play(talk, 2)


def test_the_other_one_on_voice_settles_and_a_hang_up_drops_it(play: Play) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(TOMAS)
        await heard(call, "block my visa")
        await heard(call, "yes")
        await call.say("no, the other one")
        await call.hang_up(Interruption(seconds=0.3))
        await asyncio.sleep(5)
        assert await phone.states(TOMAS) == {"4242": "blocked", "7719": "active"}

    play(talk)


@pytest.mark.parametrize("later", [0.1, 0.9])
@pytest.mark.parametrize(
    "words",
    [
        "take it back no wait don't take it back leave it blocked",
        "take a bag, is what I said, and how much is the annual fee of the gold card?",
    ],
)
def test_a_guess_that_takes_a_block_back_does_not_count_against_newer_words(
    play: Play, words: str, later: float
) -> None:
    """Nor where its connection stays open, and whatever the newer words wish."""

    async def talk(phone: Phone) -> None:
        call = await phone.call(MAYA)
        for turn in (BLOCKS, "yes"):
            await heard(call, turn)
        guess, whole = ({"messages": [*call.messages, {"role": "user", "content": said}]} for said in (GUESS, words))
        older = asyncio.create_task(phone.ask(call, guess, seconds_ago=0))
        await asyncio.sleep(later)
        await phone.ask(call, whole, seconds_ago=0)
        assert "taken the block back" not in await older
        assert await phone.states(MAYA) == {"1881": "blocked"}
        assert "taken the block back" not in await phone.ask(call, guess, seconds_ago=5)
        assert await phone.states(MAYA) == {"1881": "blocked"}
        assert "taken the block back" in await phone.ask(call, guess, seconds_ago=0)

    play(talk)


@pytest.mark.parametrize(
    "words",
    [
        "I can still undo that myself later, can I?",
        "how would I undo that",
        "so can it be undone",
        "no wait, that's wrong",
    ],
)
def test_who_asks_about_undoing_a_block_is_told_of_it_and_nothing_is_undone(play: Play, words: str) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(MAYA)
        await heard(call, BLOCKS)
        await heard(call, "yes")
        answer = await heard(call, words)
        assert "the block can be undone later" in answer
        assert answer.endswith("take it back.")
        assert await phone.writes(MAYA) == 1
        assert "I've taken the block back" in await heard(call, "take it back")

    play(talk)


@pytest.mark.parametrize(
    ("words", "asks"),
    [
        ("No, the other one", "seven seven one nine?"),
        ("no, the gold one", "seven seven one nine?"),
        ("no just block it", "four two four two?"),
    ],
)
@pytest.mark.parametrize("guesses", [(1,), (1, 2, 3)])
def test_a_guess_that_ends_at_no_does_not_lose_the_wish(
    play: Play, words: str, asks: str, guesses: tuple[int, ...]
) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(TOMAS)
        await heard(call, "block my visa")
        await call.say(words, guesses=guesses, words_per_second=4)
        await call.conclude()
        assert call.turns[-1].heard.endswith(asks)
        await call.repeat()
        await call.conclude()
        assert call.turns[-1].heard.endswith(asks)
        assert await phone.writes(TOMAS) == 0
        assert "I've blocked" in await heard(call, "yes")

    play(talk)


def test_a_pause_after_no_does_not_lose_the_wish(play: Play) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(TOMAS)
        await heard(call, "I lost my visa")
        await call.say("No [0.8] the other one", words_per_second=1000)
        await call.conclude()
        assert call.turns[-1].heard.endswith("seven seven one nine?")
        assert await phone.writes(TOMAS) == 0

    play(talk)


def test_a_yes_to_a_question_that_a_guess_gave_up_does_nothing_however_often_it_is_sent(play: Play) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(TOMAS)
        await heard(call, "block my visa")
        no, yes = ({"messages": [*call.messages, {"role": "user", "content": said}]} for said in ("no", "yes"))
        await phone.ask(call, no, seconds_ago=0)
        for _ in range(3):
            await phone.ask(call, yes, seconds_ago=0)
        assert await phone.writes(TOMAS) == 0

    play(talk)
