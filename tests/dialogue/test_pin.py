"""PINs: heard in every form, judged once and only when whole; and how long a right one counts."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from simulator.script import Interruption, Setting
from tests.dialogue.conftest import MAYA, RUTH, SETTING, Phone, Play, heard

BALANCE, TOLD = "what's the balance of my card", "412"
UNBLOCK = "unblock my card"
ASKS = "your PIN?"


def chat() -> Setting:
    return SETTING.model_copy(update={"channel": "chat"})


@pytest.mark.parametrize("channel", ["voice", "chat"])
@pytest.mark.parametrize(
    "pin",
    [
        "7305",
        "7 3 0 5",
        "73 05",
        "7-3-0-5",
        "Seven, three, zero, five.",
        "seven three oh five",
        "oh, seven three oh five",
        "seventy-three oh five",
        "seventy three zero five",
        "uh it's seven three um oh five",
        "my PIN is 7305",
        "sure, the pin is seven three zero five please",
        "User's Keypad Entry: 7305",
    ],
)
def test_a_pin_is_heard_in_every_form(open_bank: Play, channel: str, pin: str) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(MAYA, SETTING if channel == "voice" else chat())
        assert ASKS.replace("your ", "") in await heard(call, BALANCE)
        assert TOLD in await heard(call, pin)
        assert not await phone.audit("pin_wrong")

    open_bank(talk)


@pytest.mark.parametrize(
    "wish",
    [
        "what's my balance, my pin is 7305",
        "my PIN is seven three oh five, what is the balance of my card?",
        "tell me my card balance, pin 7 3 0 5",
        "7305 is my pin, what's my balance",
    ],
)
def test_a_pin_said_with_the_wish_is_judged_with_it(open_bank: Play, wish: str) -> None:
    async def talk(phone: Phone) -> None:
        for setting in (SETTING, chat()):
            call = await phone.call(MAYA, setting)
            assert TOLD in await heard(call, wish), setting.channel

    open_bank(talk)


@pytest.mark.parametrize(
    "pieces",
    [
        ["seven three", "oh five"],
        ["7", "3", "0", "5"],
        ["my pin is seven", "three oh five"],
        ["730", "five"],
        ["the first two are seven three", "the last two are 05"],
    ],
)
def test_a_pin_in_pieces_is_joined_and_the_rest_asked_for(open_bank: Play, pieces: Sequence[str]) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(MAYA)
        await heard(call, BALANCE)
        *first, last = pieces
        for piece in first:
            assert (await heard(call, piece)).endswith("And your PIN's other digits?")
        assert TOLD in await heard(call, last)
        assert not await phone.audit("pin_wrong")

    open_bank(talk)


def test_a_pin_grows_over_guesses_that_are_cancelled(open_bank: Play) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(MAYA)
        await heard(call, BALANCE)
        await call.say("seven three oh five", guesses=(1, 2, 3), words_per_second=4)
        await call.conclude()
        assert TOLD in call.turns[-1].heard
        assert not await phone.audit("pin_wrong")

    open_bank(talk)


def test_keys_pressed_in_two_goes_are_joined(open_bank: Play) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(MAYA)
        await heard(call, BALANCE)
        for keys in ("73", "05"):
            await call.keypad(keys)
            await call.conclude()
        assert TOLD in call.turns[-1].heard

    open_bank(talk)


def test_more_than_four_digits_are_asked_for_again_and_not_judged(open_bank: Play) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(MAYA)
        await heard(call, BALANCE)
        for words in ("73051", "seven three oh five five six"):
            said = await heard(call, words)
            assert "more than four digits" in said
            assert said.endswith(ASKS)
        assert not await phone.audit("pin_wrong", "proven")
        assert TOLD in await heard(call, "7305")

    open_bank(talk)


def test_four_wrong_digits_that_grow_before_they_settle_are_not_judged(open_bank: Play) -> None:
    """What the recogniser has half heard is nobody's PIN."""

    async def talk(phone: Phone) -> None:
        call = await phone.call(MAYA)
        await heard(call, BALANCE)
        await call.say("one two three four five", guesses=(4,))
        await call.conclude()
        assert "more than four digits" in call.turns[-1].heard
        await call.say("seventy-three fifty [0.8] no seven three oh five", words_per_second=20)
        await call.conclude()
        assert not await phone.audit("pin_wrong")
        assert (await phone.audit("proven") == []) or TOLD in call.turns[-1].heard

    open_bank(talk)


def test_a_pin_whose_caller_hangs_up_before_it_settled_is_not_judged(open_bank: Play) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(MAYA)
        await heard(call, BALANCE)
        await call.say("1234")
        await call.hang_up(Interruption(seconds=0.4))
        await asyncio.sleep(10)
        assert not await phone.audit("pin_wrong")

    open_bank(talk)


def test_a_wrong_pin_that_later_requests_send_again_counts_once(open_bank: Play) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(MAYA)
        await heard(call, BALANCE)
        assert "wasn't right" in await heard(call, "1111")
        for _ in range(3):
            await call.repeat()
            await call.conclude()
            assert "wasn't right" in call.turns[-1].heard
        for words in ("hmm", "what does a replacement cost?"):
            assert (await heard(call, words)).endswith(ASKS)
        assert [entry.detail["counts"] for entry in await phone.audit("pin_wrong")] == [True]
        assert TOLD in await heard(call, "7305")

    open_bank(talk)


def test_the_same_wrong_pin_in_two_calls_counts_once(open_bank: Play) -> None:
    async def talk(phone: Phone) -> None:
        for _ in range(4):
            call = await phone.call(MAYA)
            await heard(call, BALANCE)
            assert "wasn't right" in await heard(call, "1111")
        assert not await phone.audit("pin_locked")

    open_bank(talk)


def test_three_different_wrong_pins_lock_but_block_and_lost_stay_open(open_bank: Play) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(RUTH)
        await heard(call, UNBLOCK)
        for wrong in ("1111", "two two two two"):
            assert (await heard(call, wrong)).endswith(ASKS)
        assert "can't do that for now" in await heard(call, "3333")
        assert "can't do that for now" in await heard(await phone.call(RUTH), "unblock my card, my pin is 8162")
        assert (await heard(call, "I lost my card")).endswith("zero three five six?")
        assert "I've closed your Gold Mastercard" in await heard(call, "yes")

    open_bank(talk)


def test_a_lock_ends_after_fifteen_minutes_and_the_next_one_is_twice_as_long(open_bank: Play) -> None:
    async def talk(phone: Phone) -> None:
        for wrongs, minutes in ((("1111", "2222", "3333"), 15), (("4444", "5555", "6666"), 30)):
            call = await phone.call(RUTH)
            await heard(call, UNBLOCK)
            for wrong in wrongs:
                await heard(call, wrong)
            await asyncio.sleep(60 * minutes - 40)
            assert "can't do that for now" in await heard(await phone.call(RUTH), f"{UNBLOCK}, my pin is 8162")
            await asyncio.sleep(60)
        assert (await heard(await phone.call(RUTH), f"{UNBLOCK}, my pin is 8162")).endswith("three five six?")

    open_bank(talk)


def test_a_right_pin_counts_for_ten_minutes_and_in_its_own_call(open_bank: Play) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(MAYA)
        await heard(call, BALANCE)
        await heard(call, "7305")
        await asyncio.sleep(60 * 9)
        assert TOLD in await heard(call, BALANCE)
        assert (await heard(await phone.call(MAYA), BALANCE)).endswith(ASKS)
        await asyncio.sleep(60 * 2)
        assert (await heard(call, BALANCE)).endswith(ASKS)

    open_bank(talk)


def test_an_old_pin_turn_is_never_judged_again(open_bank: Play) -> None:
    """The digits of ten minutes ago still stand in the history; nobody has said them now."""

    async def talk(phone: Phone) -> None:
        call = await phone.call(MAYA)
        await heard(call, BALANCE)
        await heard(call, "7305")
        await asyncio.sleep(60 * 11)
        for words in (BALANCE, "hmm", "yes", "please go on"):
            assert (await heard(call, words)).endswith(ASKS)
        assert len(await phone.audit("proven")) == 1
        assert TOLD in await heard(call, "seven three oh five")

    open_bank(talk)


@pytest.mark.parametrize("words", [1, 3, 4])
def test_who_cuts_the_question_for_the_rest_keeps_his_first_piece(open_bank: Play, words: int) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(MAYA)
        await heard(call, BALANCE)
        await call.say("seven three")
        await call.conclude(Interruption(words=words))
        assert TOLD in await heard(call, "oh five")

    open_bank(talk)


def test_an_old_wrong_pin_is_not_joined_to_what_is_said_later(open_bank: Play) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(MAYA)
        await heard(call, BALANCE)
        await heard(call, "1111")
        assert (await heard(call, "seven three")).endswith("your PIN's other digits?")
        assert TOLD in await heard(call, "oh five")

    open_bank(talk)


@pytest.mark.parametrize(
    ("wrong", "right"), [(["seven four", "oh five"], ["seven three", "oh five"]), (["830", "five"], ["730", "five"])]
)
def test_a_right_pin_in_pieces_is_judged_though_its_last_piece_was_a_wrong_ones(
    open_bank: Play, wrong: Sequence[str], right: Sequence[str]
) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(MAYA)
        for words in (BALANCE, wrong[0]):
            await heard(call, words)
        assert "wasn't right" in await heard(call, wrong[1])
        for _ in range(5):
            await call.repeat()
            await call.conclude()
            assert "wasn't right" in call.turns[-1].heard
        assert len(await phone.audit("pin_wrong")) == 1
        assert (await heard(call, right[0])).endswith("And your PIN's other digits?")
        assert TOLD in await heard(call, right[1])
        await call.repeat()
        await call.conclude()
        assert TOLD in call.turns[-1].heard
        assert (len(await phone.audit("pin_wrong")), len(await phone.audit("proven"))) == (1, 1)

    open_bank(talk)


def body(messages: Sequence[tuple[str, str]], phone: str, **fields: Any) -> dict[str, Any]:
    said = [{"role": role, "content": text} for role, text in messages]
    return {"messages": said, "metadata": {"phone": phone, **fields}}


async def chatted(phone: Phone, messages: list[tuple[str, str]], words: str, caller: str, **fields: Any) -> str:
    messages.append(("user", words))
    answer = await phone.post(body(messages, caller, **fields))
    messages.append(("assistant", answer))
    return answer


@pytest.mark.parametrize("pieces", [["7305"], ["seven three", "oh five"]])
def test_without_an_id_proof_holds_while_the_history_has_the_turns_that_gave_it(
    open_bank: Play, pieces: Sequence[str]
) -> None:
    async def talk(phone: Phone) -> None:
        messages: list[tuple[str, str]] = []
        *first, last = (BALANCE, *pieces)
        for words in first:
            await chatted(phone, messages, words, MAYA)
        assert TOLD in await chatted(phone, messages, last, MAYA)
        assert TOLD in await chatted(phone, messages, BALANCE, MAYA)
        cut = [messages[0]]
        assert "PIN?" in await chatted(phone, cut, "and what is the credit limit of my card?", MAYA)

    open_bank(talk)


def test_with_an_id_proof_holds_though_the_history_was_cut(open_bank: Play) -> None:
    async def talk(phone: Phone) -> None:
        messages: list[tuple[str, str]] = []
        await chatted(phone, messages, BALANCE, MAYA, conversation_id="x")
        await chatted(phone, messages, "7305", MAYA, conversation_id="x")
        assert TOLD in await chatted(phone, [], BALANCE, MAYA, conversation_id="x")

    open_bank(talk)


def test_another_caller_in_the_same_conversation_begins_anew(open_bank: Play) -> None:
    """Row and proof are dropped: neither the second caller nor the first one, when he is back, has given a PIN."""

    async def talk(phone: Phone) -> None:
        messages: list[tuple[str, str]] = []
        await chatted(phone, messages, BALANCE, MAYA, conversation_id="y")
        await chatted(phone, messages, "7305", MAYA, conversation_id="y")
        await chatted(phone, messages, "I lost my card", MAYA, conversation_id="y")
        answer = await chatted(phone, messages, "yes", RUTH, conversation_id="y")
        assert "1881" not in answer
        assert "PIN?" in await chatted(phone, messages, "what's my balance", RUTH, conversation_id="y")
        assert "PIN?" in await chatted(phone, messages, BALANCE, MAYA, conversation_id="y")
        assert await phone.writes(MAYA) == 0
        assert await phone.writes(RUTH) == 0

    open_bank(talk)
