"""Which card is meant: corrected, named in passing, "the other one", several by name; never one that is not."""

from collections.abc import Sequence

import pytest

from simulator.script import Interruption, Setting
from tests.dialogue.conftest import BEN, CHARLES, JONAS, SETTING, TOMAS, Phone, Play, heard

CHAT = SETTING.model_copy(update={"channel": "chat"})
VISA, GOLD = {"4242": "blocked", "7719": "active"}, {"4242": "active", "7719": "blocked"}
NOTHING = {"4242": "active", "7719": "active"}
BOTH = {"4242": "blocked", "7719": "blocked"}
ASKS_VISA, ASKS_GOLD = "four two four two?", "seven seven one nine?"


async def said(phone: Phone, number: str, turns: Sequence[str]) -> str:
    """Say these turns on the phone, and return what was heard last."""
    call = await phone.call(number)
    answers = [await heard(call, words) for words in turns]
    return answers[-1]


@pytest.mark.parametrize(
    "words",
    [
        "no sorry, not one two, I mean double three two one",
        "not one two, double three two one",
        "oh no, it's the everyday one",
        "wait, 3321 not 3312",
    ],
)
def test_a_number_that_is_corrected_is_asked_about_anew(open_bank: Play, words: str) -> None:
    async def talk(phone: Phone) -> None:
        assert (await said(phone, BEN, ["block the card ending double three one two", words])).endswith("two one?")
        assert await phone.writes(BEN) == 0

    open_bank(talk)


@pytest.mark.parametrize(
    "words",
    [
        "the mastercard the mastercard, hurry",
        "I had the wrong one in my hand, seven seven one nine",
        "it's the gold one that I mean, can't you hear me",
        "yes but not that one",
    ],
)
@pytest.mark.parametrize("wish", ["please block my visa", "I lost my visa"])
def test_a_card_named_in_passing_is_asked_about_and_nothing_is_done(open_bank: Play, wish: str, words: str) -> None:
    async def talk(phone: Phone) -> None:
        assert (await said(phone, TOMAS, [wish, words])).endswith(ASKS_GOLD)
        assert await phone.writes(TOMAS) == 0

    open_bank(talk)


@pytest.mark.parametrize(
    "words", ["block the one ending 1881", "freeze my travel card", "lock the card ending 9999 please"]
)
def test_who_names_a_card_that_is_not_his_is_asked_for_another_name(open_bank: Play, words: str) -> None:
    async def talk(phone: Phone) -> None:
        answer = await said(phone, TOMAS, [words])
        assert answer.startswith("I don't see that card among yours")
        assert answer.endswith("or your Gold Mastercard ending seven seven one nine?")
        await said(phone, TOMAS, [words, "oh, the second one then", "yes please"])
        assert await phone.states(TOMAS) == GOLD

    open_bank(talk)


@pytest.mark.parametrize("wish", ["freeze the one ending three three two two", "lock the card that ends in 3323"])
@pytest.mark.parametrize("then", ["oh double three twenty one then", "oh, three three two one"])
def test_a_number_that_nobody_has_is_said_again_and_an_oh_before_it_is_no_zero(
    open_bank: Play, wish: str, then: str
) -> None:
    async def talk(phone: Phone) -> None:
        assert (await said(phone, BEN, [wish, then])).endswith("block your Everyday Visa ending three three two one?")

    open_bank(talk)


@pytest.mark.parametrize(
    "words", ["and the other one too", "and the gold one as well", "the same for the mastercard", "and the other one"]
)
def test_after_a_block_the_same_is_wished_for_the_other_card(open_bank: Play, words: str) -> None:
    async def talk(phone: Phone) -> None:
        turns = ["block my visa", "yes", words]
        assert (await said(phone, TOMAS, turns)).endswith(ASKS_GOLD)
        assert await phone.states(TOMAS) == VISA
        await said(phone, TOMAS, ["block the gold card", "yes"])
        assert await phone.states(TOMAS) == BOTH

    open_bank(talk)


@pytest.mark.parametrize(
    "words",
    [
        *("Thank you, and the other one", "thanks, now the other one please", "then the other one"),
        *("oh and the other one", "um the other one", "I'd like the other one then", "the other one please"),
    ],
)
def test_who_goes_on_to_the_other_card_takes_nothing_back(open_bank: Play, words: str) -> None:
    async def talk(phone: Phone) -> None:
        assert (await said(phone, TOMAS, ["block my visa", "yes", words])).endswith(ASKS_GOLD)
        assert await phone.states(TOMAS) == VISA
        assert await phone.writes(TOMAS) == 1

    open_bank(talk)


def test_a_yes_that_grows_by_a_further_card_is_told_the_first_and_asked_about_the_other(open_bank: Play) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(TOMAS)
        await heard(call, "block my visa")
        await call.say("yes [1.5] and the other one too", words_per_second=1000)
        await call.conclude()
        answer = call.turns[-1].heard
        assert "I've blocked your Everyday Visa" in answer
        assert answer.endswith(ASKS_GOLD)
        assert await phone.states(TOMAS) == VISA
        assert "I've blocked your Gold Mastercard" in await heard(call, "yes")

    open_bank(talk)


@pytest.mark.parametrize("words", ["and the other one?", "what about the other one", "and the other card"])
def test_after_a_balance_the_other_one_is_the_other_cards_balance(open_bank: Play, words: str) -> None:
    async def talk(phone: Phone) -> None:
        turns = ["what's the balance of my business card", "2093"]
        assert "7,845" in await said(phone, CHARLES, turns)
        answer = await said(phone, CHARLES, [*turns, words])
        assert answer == "The balance on your Everyday Visa ending six one six eight is 610 dollars and 80 cents."

    open_bank(talk)


def test_the_same_is_what_was_told_last_though_other_things_were_said_before(open_bank: Play) -> None:
    async def talk(phone: Phone) -> None:
        turns = ["what's the balance of my business card", "2093", "and the limit", "and the same for the other one"]
        assert "The limit of your Everyday Visa" in await said(phone, CHARLES, turns)

    open_bank(talk)


@pytest.mark.parametrize(
    "words", ["oh no not that one, the other one", "oh sorry, wrong one, the gold one", "no I meant the mastercard"]
)
def test_a_block_of_the_wrong_card_is_taken_back_also_with_an_oh(open_bank: Play, words: str) -> None:
    async def talk(phone: Phone) -> None:
        answer = await said(phone, TOMAS, ["block my visa", "oh yes please", words])
        assert "I've taken the block back: your Everyday Visa" in answer
        assert answer.endswith(ASKS_GOLD)

    open_bank(talk)


@pytest.mark.parametrize(
    "words", ["no hang on, did I say the gold one? I meant the visa", "oh that's the wrong one it was my visa I mean"]
)
def test_who_says_in_many_words_that_another_card_was_meant_is_offered_to_take_the_block_back(
    open_bank: Play, words: str
) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(TOMAS, SETTING.model_copy(update={"tools": ("endCall",)}))
        for turn in ("block the gold card", "yes"):
            await heard(call, turn)
        answer = await heard(call, words)
        assert "your Gold Mastercard" in answer
        assert not call.over
        assert await phone.states(TOMAS) in (GOLD, NOTHING)

    open_bank(talk)


@pytest.mark.parametrize(
    "words",
    ["sorry I got the wrong glasses on, seven seven one nine", "the cat was on it, ends in seven seven one nine"],
)
def test_a_card_that_is_named_among_small_talk_is_heard_beside_an_open_question(open_bank: Play, words: str) -> None:
    async def talk(phone: Phone) -> None:
        for wish in ("block the card that ends in one eight eight one", "block one of my cards"):
            assert (await said(phone, TOMAS, [wish, words])).endswith(ASKS_GOLD)

    open_bank(talk)


@pytest.mark.parametrize("wish", ["block the visa no the gold one", "freeze my visa, sorry, I mean my mastercard"])
def test_a_card_that_is_corrected_in_the_same_breath_is_the_one_that_counts(open_bank: Play, wish: str) -> None:
    async def talk(phone: Phone) -> None:
        assert (await said(phone, TOMAS, [wish])).endswith(ASKS_GOLD)

    open_bank(talk)


@pytest.mark.parametrize("setting", [SETTING, CHAT], ids=["voice", "chat"])
@pytest.mark.parametrize(
    ("turns", "asks"),
    [
        (["Block my Visa, no sorry, the other one"], ASKS_GOLD),
        (["Block the first card, no wait, the second one"], ASKS_GOLD),
        (["freeze the gold card, actually no, the other one please"], ASKS_VISA),
        (["Block my card, not the gold one"], ASKS_VISA),
        (["block my card", "the first one, no, the second one"], ASKS_GOLD),
        (["block my card", "the visa, sorry, the other one"], ASKS_GOLD),
        (["block my card", "the visa, I mean the gold one"], ASKS_GOLD),
        (["block my card", "the gold one, no, the visa"], ASKS_VISA),
        (["block my card", "the mastercard, no wait, the everyday one"], ASKS_VISA),
        (["block my card", "the visa no"], ASKS_VISA),
    ],
)
def test_a_correction_in_the_same_breath_is_asked_about_and_nothing_is_done(
    open_bank: Play, turns: Sequence[str], asks: str, setting: Setting
) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(TOMAS, setting)
        answer = [await heard(call, words) for words in turns][-1]
        assert answer.endswith(asks if setting is SETTING else {ASKS_VISA: "4242?", ASKS_GOLD: "7719?"}[asks])
        assert await phone.writes(TOMAS) == 0

    open_bank(talk)


def test_the_balance_that_is_told_is_that_of_the_card_that_was_said_last(open_bank: Play) -> None:
    async def talk(phone: Phone) -> None:
        answer = await said(phone, TOMAS, ["What's the balance on my gold card, no sorry, the other one", "2946"])
        assert "Everyday Visa" in answer
        assert "Gold" not in answer

    open_bank(talk)


@pytest.mark.parametrize("words", ["no not that one", "not that one", "no, not the gold one", "no"])
def test_a_denial_of_the_second_of_two_leaves_the_first_blocked(open_bank: Play, words: str) -> None:
    async def talk(phone: Phone) -> None:
        await said(phone, TOMAS, ["block both my cards", "yes", words])
        assert await phone.states(TOMAS) == VISA
        assert await phone.writes(TOMAS) == 1

    open_bank(talk)


def test_the_first_of_two_is_taken_back_for_who_says_so_to_the_question_about_the_second(open_bank: Play) -> None:
    async def talk(phone: Phone) -> None:
        answer = await said(phone, TOMAS, ["block both my cards", "yes", "no that was a mistake, undo it"])
        assert answer.startswith("One moment, I'm looking at your card. I've taken the block back: your Everyday Visa")
        assert await phone.states(TOMAS) == NOTHING

    open_bank(talk)


@pytest.mark.parametrize("words", ["can you undo that", "is there any way to get it back", "unblock it then"])
def test_what_was_closed_is_told_to_stay_closed_and_not_that_the_new_one_is_inactive(
    open_bank: Play, words: str
) -> None:
    async def talk(phone: Phone) -> None:
        answer = await said(phone, TOMAS, ["I lost my visa", "yes", words])
        assert answer == "Your Everyday Visa ending four two four two is closed for good, so it can't be unblocked."
        assert await phone.writes(TOMAS) == 1

    open_bank(talk)


@pytest.mark.parametrize(
    "wish", ["freeze my everyday card and my travel card", "block the everyday one and the travel one please"]
)
def test_cards_that_are_each_named_are_done_one_after_the_other(open_bank: Play, wish: str) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(BEN)
        assert (await heard(call, wish)).endswith("three three two one?")
        assert (await heard(call, "yes")).endswith("three three one two?")
        await heard(call, "yes")
        assert await phone.states(BEN) == {"3321": "blocked", "3312": "blocked"}

    open_bank(talk)


@pytest.mark.parametrize(
    "wish",
    ["block my business card and unblock the everyday one", "freeze the business one and unfreeze my everyday visa"],
)
def test_two_changes_of_two_cards_are_two_wishes(open_bank: Play, wish: str) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(CHARLES)
        assert (await heard(call, wish)).endswith("block your Business Mastercard ending five one five zero?")
        assert (await heard(call, "yes")).endswith("your PIN?")
        assert (await heard(call, "2093")).endswith("unblock your Everyday Visa ending six one six eight?")
        done = await heard(call, "yes")
        assert "is unblocked" in done
        assert not done.endswith("?")
        assert await phone.states(CHARLES) == {"5150": "blocked", "6168": "active"}

    open_bank(talk)


@pytest.mark.parametrize("words", ["open it again please", "can you switch it on again", "unblock that one then"])
def test_it_is_the_card_that_was_just_spoken_of_even_where_nothing_can_be_done(open_bank: Play, words: str) -> None:
    async def talk(phone: Phone) -> None:
        answer = await said(phone, JONAS, ["is my everyday visa blocked", words])
        assert answer == "Your Everyday Visa ending six six zero four is closed for good, so it can't be unblocked."

    open_bank(talk)


@pytest.mark.parametrize(
    "yes", ["sorry yes", "yes please love", "yes, quick", "go for it", "go on then", "yes the visa one"]
)
def test_ways_to_say_yes(open_bank: Play, yes: str) -> None:
    async def talk(phone: Phone) -> None:
        await said(phone, TOMAS, ["block my visa", yes])
        assert await phone.states(TOMAS) == VISA

    open_bank(talk)


@pytest.mark.parametrize("words", ["Stop my card, please", "stop the card", "cancel my card", "cancel it"])
@pytest.mark.parametrize("wish", ["block my visa", "I lost my visa"])
def test_who_wants_his_card_stopped_is_asked_again_and_not_left_with_it(open_bank: Play, wish: str, words: str) -> None:
    async def talk(phone: Phone) -> None:
        answer = await said(phone, TOMAS, [wish, words])
        assert "as it is" not in answer
        assert "four two four two" in answer
        assert answer.endswith("?")
        assert await phone.writes(TOMAS) == 0

    open_bank(talk)


@pytest.mark.parametrize(
    "words",
    [
        *("No, I found it", "never mind, I found it", "I changed my mind", "leave it for now", "no it's fine"),
        "Actually hold on, I've just found it",
    ],
)
def test_a_card_that_was_found_before_the_yes_is_left_as_it_is(open_bank: Play, words: str) -> None:
    async def talk(phone: Phone) -> None:
        assert "left your Everyday Visa" in await said(phone, TOMAS, ["I lost my visa", words])
        await said(phone, TOMAS, ["I lost my visa", words, "yes"])
        assert await phone.writes(TOMAS) == 0

    open_bank(talk)


@pytest.mark.parametrize("no", ["yes actually no", "yes, no don't", "yes block it oh wait no", "ok sorry never mind"])
def test_a_yes_that_ends_in_a_no_is_a_no(open_bank: Play, no: str) -> None:
    async def talk(phone: Phone) -> None:
        assert "as it is" in await said(phone, TOMAS, ["block my visa", no])
        await said(phone, TOMAS, ["block my visa", no, "yes"])
        assert await phone.writes(TOMAS) == 0

    open_bank(talk)


def test_a_naming_answer_that_comes_again_is_told_what_was_done_and_no_more(open_bank: Play) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(TOMAS, CHAT)
        await heard(call, "block my card")
        done = await heard(call, "the gold one")
        await call.repeat()
        await call.conclude()
        assert call.turns[-1].heard == done
        assert "take it back" not in done

    open_bank(talk)


def test_a_card_that_was_only_half_heard_is_no_card_to_say_yes_to(open_bank: Play) -> None:
    async def talk(phone: Phone) -> None:
        call = await phone.call(BEN)
        await call.say("block my everyday card")
        await call.conclude(Interruption(words=9))
        assert (await heard(call, "yes the everyday one")).endswith("three three two one?")
        assert await phone.writes(BEN) == 0

    open_bank(talk)
