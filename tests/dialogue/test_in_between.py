"""What is said beside an open question is heard, and the question is asked again; what was done is told when asked."""

from collections.abc import Sequence

import pytest

from simulator.script import Setting
from tests.dialogue.conftest import CHARLES, ELENA, MAYA, NOOR, RUTH, SETTING, TOMAS, Phone, Play, heard

CHAT = SETTING.model_copy(update={"channel": "chat"})
OPEN = "block your Everyday Visa ending one eight eight one?"


async def said(phone: Phone, number: str, turns: Sequence[str], setting: Setting = SETTING) -> str:
    """Say these turns in a new conversation, and return what was heard last."""
    call = await phone.call(number, setting)
    answers = [await heard(call, words) for words in turns]
    return answers[-1]


@pytest.mark.parametrize(
    "words",
    ["are you a robot?", "am I talking to a real person", "hold on, is this a machine?", "you're a bot, aren't you"],
)
def test_who_asks_whether_it_is_a_person_is_told_and_asked_again(open_bank: Play, words: str) -> None:
    async def talk(phone: Phone) -> None:
        answer = await said(phone, MAYA, ["block my card", words])
        assert "automated assistant" in answer
        assert "person" in answer
        assert answer.endswith(OPEN)
        assert await phone.writes(MAYA) == 0

    open_bank(talk)


@pytest.mark.parametrize("words", ["hold on a moment", "one second, the doorbell", "wait, let me get my glasses"])
def test_who_needs_a_moment_gets_it_and_the_question_stays_open(open_bank: Play, words: str) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(MAYA)
        await heard(call, "block my card")
        answer = await heard(call, words)
        assert answer.startswith("Take your time")
        assert answer.endswith(OPEN)
        assert "I've blocked" in await heard(call, "yes")

    open_bank(talk)


@pytest.mark.parametrize(
    "words", ["is it still working", "does it work at the moment?", "is my card on or off right now"]
)
def test_how_the_card_stands_is_told_beside_an_open_question(open_bank: Play, words: str) -> None:
    async def talk(phone: Phone) -> None:
        assert "is active" in await said(phone, NOOR, ["I lost my card", words])
        assert await phone.writes(NOOR) == 0

    open_bank(talk)


@pytest.mark.parametrize("words", ["I forgot my PIN", "I don't know the pin", "no idea what my pin is, sorry"])
@pytest.mark.parametrize("accepts", ["yes", "okay somebody then", "yes please, put me through", "alright a person"])
def test_who_does_not_know_the_pin_is_offered_a_person_and_put_through(
    open_bank: Play, words: str, accepts: str
) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(RUTH, SETTING.model_copy(update={"tools": ("transferCall",)}))
        await heard(call, "is my card blocked")
        await heard(call, "unblock it please")
        await heard(call, words)
        assert call.over == "transferCall"
        answers = [await said(phone, RUTH, ["unblock my card", words, *rest]) for rest in ((), (accepts,))]
        assert all("put you through" in answer and "PIN?" not in answer for answer in answers)
        assert await phone.writes(RUTH) == 0

    open_bank(talk)


@pytest.mark.parametrize("words", ["but I do know my pin, it's 3871", "my pin is three eight seven one", "3871"])
def test_a_pin_that_comes_after_all_is_for_the_wish_before_it(open_bank: Play, words: str) -> None:
    async def talk(phone: Phone) -> None:
        assert "after too many wrong tries" in await said(phone, ELENA, ["what's the balance of my gold card", words])

    open_bank(talk)


@pytest.mark.parametrize("setting", [SETTING, CHAT], ids=["voice", "chat"])
@pytest.mark.parametrize(
    "words", ["did you order a new one?", "so is a new card coming now", "you haven't ordered a replacement, have you?"]
)
def test_whether_a_card_was_ordered_is_told_from_the_record(open_bank: Play, words: str, setting: Setting) -> None:
    async def talk(phone: Phone) -> None:
        yes = ["yes"] if setting is SETTING else []
        blocked = await said(phone, MAYA, ["block my card", *yes, words], setting)
        assert blocked.startswith("No new card was ordered in place of your Everyday Visa")
        assert "PIN" not in blocked
        lost = await said(phone, NOOR, ["I lost my card", "yes", words], setting)
        assert "your new Student Mastercard" in lost
        assert "is on its way" in lost
        assert await phone.writes(NOOR) == await phone.writes(MAYA) == 1

    open_bank(talk)


@pytest.mark.parametrize(
    "words", ["what did you just do?", "sorry you broke up, what have you done", "what did you do there"]
)
def test_what_was_done_is_told_from_the_record(open_bank: Play, words: str) -> None:
    async def talk(phone: Phone) -> None:
        assert "I've blocked your Everyday Visa" in await said(phone, MAYA, ["block my card", "yes", words])
        answer = await said(phone, TOMAS, ["block my visa", "no the other one", words], CHAT)
        assert answer.index("taken the block back: your Everyday Visa") < answer.index(
            "I've blocked your Gold Mastercard"
        )
        assert "changed nothing" in await said(phone, NOOR, ["is my card active", words])

    open_bank(talk)


@pytest.mark.parametrize("words", ["what did you just do?", "did you order a new card?"])
def test_what_was_done_is_told_beside_an_open_question_which_is_asked_again(open_bank: Play, words: str) -> None:
    async def talk(phone: Phone) -> None:
        answer = await said(phone, TOMAS, ["block both my cards", "yes", words])
        assert "Everyday Visa" in answer
        assert answer.endswith("block your Gold Mastercard ending seven seven one nine?")
        assert await phone.writes(TOMAS) == 1

    open_bank(talk)


def test_what_was_done_and_is_so_no_more_is_told_as_it_stands(open_bank: Play) -> None:
    async def talk(phone: Phone) -> None:
        turns = ["block my business card", "yes", "unblock the business card", "2093", "yes", "what did you do?"]
        answer = await said(phone, CHARLES, turns)
        assert "I've blocked" not in answer
        assert "is unblocked" in answer

    open_bank(talk)


@pytest.mark.parametrize(
    "words", ["never mind that, what is it right now?", "forget it, how much is it at the moment", "no what is it now"]
)
def test_a_wish_that_is_given_up_for_a_question_about_it(open_bank: Play, words: str) -> None:
    async def talk(phone: Phone) -> None:
        turns = ["please raise the credit limit of my business card to thirty thousand", words, "2093"]
        assert "The limit of your Business Mastercard" in await said(phone, CHARLES, turns)

    open_bank(talk)


@pytest.mark.parametrize("words", ["are you sure?", "you sure about that", "oh really", "is that right?"])
def test_who_doubts_what_he_was_told_of_a_card_hears_it_again(open_bank: Play, words: str) -> None:
    async def talk(phone: Phone) -> None:
        assert "Mastercard ending zero three five six is blocked" in await said(phone, RUTH, ["block my card", words])
        assert "2,304" in await said(phone, RUTH, ["what's my balance", "8162", words])
        blocked = await said(phone, MAYA, ["block my card", "yes", words])
        assert blocked.startswith("I've blocked your Everyday Visa")
        assert (await said(phone, NOOR, ["block my card", words])).endswith("zero zero seven seven?")
        assert await phone.writes(MAYA) == 1
        assert await phone.writes(NOOR) == await phone.writes(RUTH) == 0

    open_bank(talk)


def test_who_says_no_and_wishes_something_else_is_asked_about_that(open_bank: Play) -> None:
    async def talk(phone: Phone) -> None:
        turns = ["freeze my card", "actually no, cancel it and send me another"]
        assert (await said(phone, MAYA, turns)).endswith(
            "report the loss of your Everyday Visa ending one eight eight one?"
        )
        assert await phone.writes(MAYA) == 0

    open_bank(talk)


def test_a_blocked_card_is_reactivated_by_lifting_the_block(open_bank: Play) -> None:
    async def talk(phone: Phone) -> None:
        turns = ["reactivate my everyday visa please", "2093"]
        assert (await said(phone, CHARLES, turns)).endswith("unblock your Everyday Visa ending six one six eight?")

    open_bank(talk)
