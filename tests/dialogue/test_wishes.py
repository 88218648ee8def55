"""A wish as a form: which card, proof, confirmation, done; on the phone and in chat, with all that comes between."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from graph.intent_rules import ends_the_call
from graph.state import Intent
from simulator.script import Interruption, Setting, Transcript
from teller.errors import LedgerUnavailableError, SearchUnavailableError
from tests.dialogue.conftest import BEN, ELENA, JONAS, MAYA, PRIYA, RUTH, SETTING, TOMAS, Phone, Play, heard

CHAT = SETTING.model_copy(update={"channel": "chat"})
WITH_TOOLS = SETTING.model_copy(update={"tools": ("endCall", "transferCall")})
VISA = {"4242": "blocked", "7719": "active"}
GOLD = {"4242": "active", "7719": "blocked"}
NOTHING = {"4242": "active", "7719": "active"}


async def said(phone: Phone, number: str, turns: Sequence[str], setting: Setting = SETTING) -> str:
    """Say these turns in a new call, and return what was heard last."""
    call = await phone.call(number, setting)
    answer = ""
    for words in turns:
        answer = await heard(call, words)
    return answer


@pytest.mark.parametrize("setting", [SETTING, CHAT], ids=["voice", "chat"])
@pytest.mark.parametrize(
    ("number", "turns", "told"),
    [
        (MAYA, ["block my card", "yes"], "I've blocked your Everyday Visa"),
        (MAYA, ["I lost my card", "yes"], "I've closed your Everyday Visa"),
        (RUTH, ["unblock my card", "8162", "yes"], "is unblocked"),
        (PRIYA, ["activate my card", "6437", "yes"], "is active now"),
        (MAYA, ["my card is damaged, replace it", "7305", "yes"], "I've ordered your new Everyday Visa"),
        (
            MAYA,
            ["my card is damaged, replace it", "7305", "yes", "now I've lost my card ending 1881", "yes"],
            "is on its way. It has to be activated",  # none is ordered by the loss
        ),
        (RUTH, ["unblock my card, my PIN's 8162", "yes"], "is unblocked"),
        (ELENA, ["what's my balance", "the gold one", "thank you"], "welcome"),  # a locked PIN leaves no question open
        (MAYA, ["is my card active"], "is active."),
        (MAYA, ["what's my balance", "7305"], "412"),
        (MAYA, ["what is my credit limit", "7305"], "3,000"),
        (MAYA, ["when is my payment due", "7305"], "December 14"),
        (MAYA, ["show my last transactions", "7305"], "Northgate Grocers"),
        (MAYA, ["why was my card declined", "7305"], "I see no declined payment"),
    ],
)
def test_every_operation(open_bank: Play, number: str, turns: list[str], told: str, setting: Setting) -> None:
    async def talk(phone: Phone) -> None:
        done_at_once = setting is CHAT and turns[0].startswith("block")
        assert told in await said(phone, number, turns[:1] if done_at_once else turns, setting)

    open_bank(talk)


@pytest.mark.parametrize("setting", [SETTING, CHAT], ids=["voice", "chat"])
@pytest.mark.parametrize(
    ("card", "after"),
    [
        ("four two four two", VISA),
        ("4242", VISA),
        ("forty-two forty-two", VISA),
        ("the one ending in 42 42", VISA),
        ("ending four two, four two please", VISA),
        ("double seven one nine", GOLD),
        ("the one ending double seven nineteen", GOLD),
        ("the Visa", VISA),
        ("my gold card", GOLD),
        ("the MasterCard", GOLD),
        ("master card", GOLD),
        ("the first one", VISA),
        ("uh, the second one", GOLD),
        ("not the Visa", GOLD),
        ("the everyday one", VISA),
    ],
)
def test_which_card(open_bank: Play, card: str, after: dict[str, str], setting: Setting) -> None:
    async def talk(phone: Phone) -> None:
        await said(
            phone, TOMAS, ["block my card", card, "yes"] if setting is SETTING else ["block my card", card], setting
        )
        assert await phone.states(TOMAS) == after

    open_bank(talk)


def test_a_last_four_with_an_oh(open_bank: Play) -> None:
    async def talk(phone: Phone) -> None:
        assert "blocked" in await said(phone, RUTH, ["is my card ending oh three five six active"])
        assert "don't see that card" in await said(phone, RUTH, ["is my card ending oh three five seven active"])

    open_bank(talk)


@pytest.mark.parametrize(
    ("turns", "after"),
    [
        (["block my visa", "no, the other", "yes"], GOLD),
        (["block my card", "the visa", "no wait, the gold one", "yes"], GOLD),
        (["block my card", "the second one", "no, the first one", "yes"], VISA),
        (["block my visa", "not that one", "yes"], GOLD),
        (["block my visa", "never mind", "yes"], NOTHING),
        (["block my visa", "no", "yes"], NOTHING),
        (["I lost my visa", "never mind, just block it", "yes"], VISA),
        (["I lost my visa", "don't close it, just freeze it", "yes"], VISA),
        (["block my visa", "actually no, cancel it and send me another", "no"], NOTHING),
        (["I lost my visa", "can I just block it instead?", "yes"], VISA),
        (["block my card", "um the the second one I think", "yes"], GOLD),
        (["block my visa", "is my gold card active", "yes"], NOTHING),
        (["block my visa", "what does a replacement cost?", "yes"], VISA),
        (["block my visa", "hmm", "what", "yes"], VISA),
        (["block both my cards", "yes", "yes"], {"4242": "blocked", "7719": "blocked"}),
        (["block both my cards", "yes", "no"], VISA),
        (["block my visa", "maybe tomorrow", "yes if it is free", "no"], NOTHING),
    ],
)
def test_a_change_of_mind_and_what_comes_between(open_bank: Play, turns: list[str], after: dict[str, str]) -> None:
    async def talk(phone: Phone) -> None:
        await said(phone, TOMAS, turns)
        assert await phone.states(TOMAS) == after

    open_bank(talk)


def test_a_question_in_between_is_answered_and_the_open_one_asked_again(open_bank: Play) -> None:
    async def talk(phone: Phone) -> None:
        for setting, digits in ((SETTING, "one eight eight one?"), (CHAT, "1881?")):
            answer = await said(phone, MAYA, ["I lost my card", "what does a replacement cost?"], setting)
            assert "A replacement card is mailed free to your address in 5 to 7 business days" in answer
            assert answer.endswith(f"report the loss of your Everyday Visa ending {digits}")
        assert len({entry.wish_id for entry in await phone.audit("asked")}) == 2

    open_bank(talk)


def test_two_wishes_in_one_turn_one_after_the_other(open_bank: Play) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(TOMAS)
        asked = await heard(call, "block my visa and tell me the balance of the gold card")
        assert asked.endswith("block your Everyday Visa ending four two four two?")
        done = await heard(call, "yes")
        assert "I've blocked your Everyday Visa" in done
        assert done.endswith("your PIN?")
        assert "86 dollars" in await heard(call, "2946")

    open_bank(talk)


@pytest.mark.parametrize("setting", [SETTING, CHAT], ids=["voice", "chat"])
def test_the_other_one_after_the_block_takes_it_back_and_goes_on(open_bank: Play, setting: Setting) -> None:
    async def talk(phone: Phone) -> None:
        turns = ["block my card", "the second one", *(["yes"] if setting is SETTING else []), "no, the other one"]
        answer = await said(phone, TOMAS, [*turns, *(["yes"] if setting is SETTING else [])], setting)
        assert "I've blocked your Everyday Visa" in answer
        assert await phone.states(TOMAS) == VISA
        assert await phone.writes(TOMAS) == 3

    open_bank(talk)


@pytest.mark.parametrize("merged", [True, False], ids=["merged", "apart"])
def test_a_recased_transcript_is_heard_all_the_same(open_bank: Play, merged: bool) -> None:
    async def talk(phone: Phone) -> None:
        setting = SETTING.model_copy(update={"transcript": Transcript(recased=True, merged=merged)})
        call = await phone.call(RUTH, setting)
        await heard(call, "unblock my card")
        await heard(call, "eight one six two")
        await call.silence(8)
        await call.conclude()
        assert "is unblocked" in await heard(call, "Yes.")

    open_bank(talk)


@pytest.mark.parametrize(("words", "writes"), [(3, 0), (7, 0), (10, 0), (11, 1)])
def test_a_question_counts_once_it_was_heard_to_its_last_four(open_bank: Play, words: int, writes: int) -> None:
    """'Shall I block your Everyday Visa ending one eight eight one?' has eleven words."""

    async def talk(phone: Phone) -> None:
        call = await phone.call(MAYA)
        await call.say("block my card")
        await call.conclude(Interruption(words=words))
        await heard(call, "yes")
        assert await phone.writes(MAYA) == writes

    open_bank(talk)


def test_a_question_whose_words_were_misheard_counts_at_four_fifths(open_bank: Play) -> None:
    async def talk(phone: Phone) -> None:
        for digits, writes in (("one eight eight one", 1), ("one eight eight two", 0)):
            call = await phone.call(MAYA)
            asked = {"role": "user", "content": "block my card"}
            await phone.ask(call, {"messages": [asked]}, seconds_ago=0)
            heard_as = {"role": "assistant", "content": f"shall I block your every day visa ending {digits}"}
            answer = {"role": "user", "content": "yes"}
            before = await phone.writes(MAYA)
            await phone.ask(call, {"messages": [asked, heard_as, answer]}, seconds_ago=0)
            assert await phone.writes(MAYA) - before == writes

    open_bank(talk)


def test_a_caller_who_answers_before_the_question_is_asked_it(open_bank: Play) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(MAYA)
        await call.say("block my card")
        await call.conclude(Interruption(seconds=0.05))
        assert (await heard(call, "yes")).endswith("one eight eight one?")
        assert await phone.writes(MAYA) == 0
        assert "I've blocked" in await heard(call, "yes")

    open_bank(talk)


def test_a_repeat_of_the_named_card_in_chat_is_told_what_was_done(open_bank: Play) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(TOMAS, CHAT)
        for words in ("block my card", "the first one"):
            await heard(call, words)
        await call.repeat()
        await call.conclude()
        assert "I've blocked your Everyday Visa ending 4242" in call.turns[-1].heard
        assert await phone.writes(TOMAS) == 1

    open_bank(talk)


def test_re_asking_stays_within_one_row(open_bank: Play) -> None:
    async def talk(phone: Phone) -> None:
        await said(phone, TOMAS, ["block my card", "hmm", "the visa", "what", "no, the other one", "uh", "yes"])
        assert await phone.states(TOMAS) == GOLD
        assert len({entry.wish_id for entry in await phone.audit("asked", "committed")}) <= 2

    open_bank(talk)


def test_after_a_silence_the_open_question_is_asked_again(open_bank: Play) -> None:
    """After "are you still there?" a yes would answer that."""

    async def talk(phone: Phone) -> None:
        call = await phone.call(MAYA)
        asked = await heard(call, "block my card")
        await call.silence(8)
        await call.conclude()
        assert call.turns[-1].heard == asked
        assert "I've blocked" in await heard(call, "yes")

    open_bank(talk)


@pytest.mark.parametrize(("words", "tool"), [("goodbye", "endCall"), ("I want to talk to a person", "transferCall")])
def test_a_goodbye_or_a_wish_for_a_person_leaves_an_open_question(open_bank: Play, words: str, tool: str) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(MAYA, WITH_TOOLS)
        await heard(call, "block my card")
        await heard(call, words)
        assert call.over == tool
        await asyncio.sleep(10)
        assert await phone.writes(MAYA) == 0

    open_bank(talk)


def test_whose_card_is_being_misused_is_offered_a_block_then_a_person(open_bank: Play) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(MAYA)
        assert (await heard(call, "somebody is using my card right now")).endswith("one eight eight one?")
        done = await heard(call, "yes")
        assert "I've blocked your Everyday Visa" in done
        assert "put you through" in done

    open_bank(talk)


@pytest.mark.parametrize(
    "wish",
    ["I want to dispute a charge", "I moved, please change my address", "this is the third time I call, it's awful"],
)
def test_what_no_operation_covers_goes_to_a_person(open_bank: Play, wish: str) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(MAYA, WITH_TOOLS)
        await heard(call, wish)
        assert call.over == "transferCall"
        assert "put you through" in await said(phone, MAYA, [wish]) or "person" in await said(phone, MAYA, [wish])

    open_bank(talk)


def test_a_card_that_is_closed_or_not_theirs_is_told_so(open_bank: Play) -> None:
    async def talk(phone: Phone) -> None:
        assert "closed for good" in await said(phone, JONAS, ["block my everyday visa"])
        assert "don't see that card" in await said(phone, BEN, ["block my gold card"])
        assert await phone.writes(BEN) + await phone.writes(JONAS) == 0

    open_bank(talk)


def test_the_ledger_is_down_and_the_documents_still_answer(open_bank: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    async def talk(phone: Phone) -> None:
        async def down(*_: Any, **__: Any) -> Any:
            raise LedgerUnavailableError("down")

        ledger = type(phone.bank.services.ledger)
        call = await phone.call(MAYA)
        await heard(call, "block my card")
        with monkeypatch.context() as broken:
            for method in ("view", "write", "read"):
                broken.setattr(ledger, method, down)
            assert "can't reach the card system" in await heard(call, "yes")
            answer = await heard(call, "block my card and what does a replacement cost?")
            assert "can't reach the card system" in answer
            assert "business days" in answer
            assert "free" in await heard(call, "what does a replacement cost?")
        assert await phone.writes(MAYA) == 0

    open_bank(talk)


def test_the_search_is_down_and_cards_are_still_looked_after(open_bank: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    async def talk(phone: Phone) -> None:
        async def down(*_: Any, **__: Any) -> Any:
            raise SearchUnavailableError("down")

        monkeypatch.setattr(type(phone.bank.services.index), "search", down)
        call = await phone.call(MAYA)
        await heard(call, "block my card")
        answer = await heard(call, "what does a replacement cost?")
        assert "can't look that up" in answer
        assert answer.endswith("one eight eight one?")
        assert "I've blocked" in await heard(call, "yes")

    open_bank(talk)


@pytest.mark.parametrize("words", [0, 2])
@pytest.mark.parametrize("answer", ["yes", "four two four two", "freeze my visa please"])
def test_the_question_which_card_is_not_the_question_whether_to_block_it(play: Play, answer: str, words: int) -> None:
    """All words of the second stand in the first; who was asked the first alone has confirmed nothing."""

    async def talk(phone: Phone) -> None:
        call = await phone.call(TOMAS)
        assert (await heard(call, "block my card")).startswith("Which card shall I block")
        await call.say("freeze my visa please")
        await call.conclude(Interruption(words=words))
        assert (await heard(call, answer)).endswith("Shall I block your Everyday Visa ending four two four two?")
        assert await phone.writes(TOMAS) == 0

    play(talk)


NOT_YET = ("no hang on did i say the everyday i meant the travel", "hang on a tick", "go on", "and then")


def test_nobody_is_hung_up_on_for_words_that_are_not_surely_a_goodbye(open_bank: Play) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(TOMAS, WITH_TOOLS)
        await heard(call, "is my gold card active")
        ended = []
        for words in (*NOT_YET, "okay thanks, bye"):
            await heard(call, words)
            ended.append(call.over)
        assert ended == ["", "", "", "", "endCall"]

    open_bank(talk)


@pytest.mark.parametrize(("likely", "topic"), [(0.49, "acknowledgement"), (0.5, "goodbye"), (0.9, "goodbye")])
def test_a_goodbye_is_one_only_where_it_is_likelier_than_not(likely: float, topic: str) -> None:
    assert ends_the_call(Intent(("smalltalk",), "goodbye", confidence=likely)).topic == topic


@pytest.mark.parametrize(
    "before", [["I lost my card"], ["what's my balance"], ["should I block my card?"], ["block my card", "hmm"]]
)
@pytest.mark.parametrize(
    "words", ["oh my god they're spending my money right now", "someone is using my card as we speak"]
)
@pytest.mark.parametrize("setting", [SETTING, WITH_TOOLS], ids=["voice", "voice with tools"])
def test_fraud_beside_an_open_question_offers_a_block_before_a_person(
    open_bank: Play, before: list[str], words: str, setting: Setting
) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(MAYA, setting)
        for turn in before:
            await heard(call, turn)
        answer = await heard(call, words)
        assert answer.startswith("That sounds serious. Let's protect your card first.")
        assert answer.endswith("hall I block your Everyday Visa ending one eight eight one?")
        assert await phone.writes(MAYA) == 0
        done = await heard(call, "yes")
        assert "I've blocked your Everyday Visa" in done
        assert "put you through" in done

    open_bank(talk)
