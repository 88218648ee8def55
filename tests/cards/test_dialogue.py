"""What words mean for an open question."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teller.cards.answers import read_answer
from teller.cards.choice import choose, choose_instead
from teller.cards.dialogue import Turn, heard_question
from teller.cards.masking import masked_user_turns
from teller.cards.plain_request import is_plain_request
from teller.cards.records import Card, CardState, Clause, Operation, Wish, WishState
from teller.cards.spoken import heard_words, spoken_digits
from teller.cards.taking_back import takes_back

NOW = datetime(2026, 11, 25, tzinfo=UTC)
QUESTION = "Shall I block your Gold Mastercard ending seven seven one nine?"


def card(product: str, network: str, last4: str) -> Card:
    return Card(f"t-{last4}", product, network, last4, CardState.ACTIVE, 1, Decimal(1), Decimal(0), None)


CARDS = [card("Everyday", "Visa", "4242"), card("Gold", "Mastercard", "7719")]
CLAUSE = Clause("confirm", QUESTION, "t-7719", NOW)
WISH = Wish("w", "c", "+1", Operation.BLOCK, "t-7719", 1, (CLAUSE,), WishState.OPEN, None, None, NOW)


def answer_to(words: str, question: str = QUESTION) -> str:
    heard = heard_question([WISH], [Turn("assistant", question), Turn("user", words)])
    return read_answer(heard, CARDS) if heard else "unheard"


@pytest.mark.parametrize(
    "words",
    [
        *("Yes.", "yes please", "Yeah, um, go ahead", "block it", "yes block my gold mastercard", "alright do it"),
        *(
            "yes that one",
            "sure why not",
            "yes do",
            "yes I do",
            "yes I'm sure",
            "aye",
            "yh",
            "y",
            "yesss",
            "oh my god yes",
        ),
    ],
)
def test_a_yes(words: str) -> None:
    assert answer_to(words) == "yes"


@pytest.mark.parametrize(
    "words", ["would you please block it", "I want you to block it", "yes I would", "oh right yes"]
)
def test_a_yes_with_you_and_would_in_it(words: str) -> None:
    assert answer_to(words) == "yes"


@pytest.mark.parametrize(
    "words",
    [
        "would it block my card",
        "would a yes block it",
        "so you want to block my card",
        "you block it just like that",
        "my love said yes",
        "you said block it",
        "my gold mastercard, right",
        "block it?",
        "yes?",
        "Right\uff1f",
    ],
)
def test_what_asks_about_the_question_or_tells_of_a_yes_is_none(words: str) -> None:
    assert answer_to(words) != "yes"


@pytest.mark.parametrize("words", ["so that closes it for good right", "it closes it yes", "and orders a new one ok"])
def test_what_the_question_foretells_is_no_yes_when_it_is_said_again(words: str) -> None:
    asked = "That closes it for good and orders a new one: shall I report the loss of your Gold Mastercard ending 7719?"
    clause = Clause("confirm", asked, "t-7719", NOW)
    wish = replace(WISH, operation=Operation.REPORT_LOST, clauses=(clause,))
    heard = heard_question([wish], [Turn("assistant", asked), Turn("user", words)])
    assert heard is not None
    assert read_answer(heard, CARDS) != "yes"


@pytest.mark.parametrize(
    "words",
    [
        *("yes do I want that", "yes that one but not now", "why not", "yes do you think so", "I'm sure I said that"),
        *("yes wait", "no yeah", "yes but not the other one", "that one", "okay why not the visa"),
    ],
)
def test_what_only_sounds_like_a_yes(words: str) -> None:
    assert answer_to(words) != "yes"


@pytest.mark.parametrize("words", ["No.", "no thank you", "never mind", "don't block it", "stop", "noooo"])
def test_a_no(words: str) -> None:
    assert answer_to(words) == "no"


@pytest.mark.parametrize(
    "words", ["cancel", "cancel that", "stop that", "please stop", "leave it", "no, cancel it", "don't stop my card"]
)
def test_a_stop_of_what_was_begun_is_a_no(words: str) -> None:
    assert answer_to(words) == "no"


@pytest.mark.parametrize(
    "words",
    [
        *("No, I found it", "never mind, I found it", "I changed my mind", "leave it for now", "no it's fine"),
        *("Actually hold on, I've just found it", "oh wait, it was in my coat pocket", "I got it back, thanks"),
        *("no that's okay, thank you", "phew, my wife found it", "it's turned up", "yes, oh no wait, I've found it"),
        *("no, no, never mind, it's all good", "no need, I have it back"),
    ],
)
def test_what_was_found_or_thought_better_of_is_a_no(words: str) -> None:
    assert answer_to(words) == "no"


@pytest.mark.parametrize(
    "words",
    [
        *(
            "I haven't found it",
            "no I haven't found it",
            "I never found it",
            "I found it?",
            "if I found it",
            "it's fine",
        ),
        *(
            "someone found it and used it",
            "no, it's fine, go ahead",
            "I haven't changed my mind",
            "I found it, block it",
        ),
        *(
            "don't leave it for now",
            "leave it blocked",
            "yes I found it",
            "I found it on the statement",
            "ok it's fine",
        ),
        *("no yeah that's fine", "yes, it's fine", "no problem", "they found it", "no it's fine " * 2_000 + "do it"),
    ],
    ids=lambda words: words[:60],
)
def test_what_only_sounds_like_found_or_thought_better_of_is_no_no(words: str) -> None:
    assert answer_to(words) != "no"


@pytest.mark.parametrize("words", ["I found it", "no, I found it", "hold on, it's turned up"])
def test_who_has_found_his_card_may_want_it_unblocked(words: str) -> None:
    asked = "Shall I unblock your Gold Mastercard ending seven seven one nine?"
    wish = replace(WISH, operation=Operation.UNBLOCK, clauses=(Clause("confirm", asked, "t-7719", NOW),))
    heard = heard_question([wish], [Turn("assistant", asked), Turn("user", words)])
    assert heard is not None
    assert read_answer(heard, CARDS) == "other"


@pytest.mark.parametrize(
    "words",
    [
        *("Stop my card, please", "stop the card", "cancel my card", "cancel it", "stop it", "no, cancel my card"),
        *("please just stop that card now", "oh stop the the card", "leave the card", "cancel the one"),
    ],
)
def test_who_wants_the_card_stopped_says_neither_yes_nor_no(words: str) -> None:
    assert answer_to(words) == "other"


@given(
    st.lists(
        st.sampled_from("but not no wait the visa other 4242 tomorrow when what close if gold cancel".split()),
        min_size=1,
    )
)
def test_no_suffix_after_a_yes_is_a_yes_unless_the_question_said_it(suffix: list[str]) -> None:
    allowed = set(heard_words(QUESTION)) | {"the"}
    if not set(suffix) <= allowed:
        assert answer_to(f"yes {' '.join(suffix)}") != "yes"


@given(st.text(min_size=1))
def test_random_words_after_a_yes_write_only_if_they_add_nothing(suffix: str) -> None:
    if answer_to(f"yes {suffix}") == "yes":
        alone = heard_question([WISH], [Turn("assistant", QUESTION), Turn("user", suffix)])
        assert alone is not None
        assert not heard_words(suffix) or read_answer(alone, CARDS) != "no"


def test_all_user_turns_after_the_question_are_the_answer() -> None:
    turns = [Turn("assistant", QUESTION), Turn("user", "yes"), Turn("user", "but not that one")]
    heard = heard_question([WISH], turns)
    assert heard is not None
    assert read_answer(heard, CARDS) == "card"  # the other one of two


def test_a_question_cut_short_was_not_heard() -> None:
    assert answer_to("yes", "Shall I block your Gold") == "unheard"


@pytest.mark.parametrize(
    ("said", "last4s", "named"),
    [
        ("the gold one", ["7719"], True),
        ("my visa", ["4242"], True),
        ("ending double four two", [], False),
        ("four two four two", ["4242"], True),
        ("forty-two forty-two", ["4242"], True),
        ("the first one", ["4242"], True),
        ("the third one", [], True),
        ("my platinum card", [], True),
        ("card ending 9999", [], True),
        ("my gold visa card", [], True),
        ("no, my gold visa card", [], True),
        ("the visa no the gold one", ["7719"], True),
        ("my gold card, sorry, I mean the visa", ["4242"], True),
        ("the visa, not the gold one", ["4242"], True),
        ("the visa, no, the platinum one", [], True),
        ("block my visa, no sorry, the other one", ["7719"], True),
        ("block the first card, no wait, the second one", ["7719"], True),
        ("freeze the gold card, actually no, the other one please", ["4242"], True),
        ("the mastercard, no wait, the everyday one", ["4242"], True),
        ("the visa, no, not that one", ["7719"], True),
        ("the visa, no the other one, sorry, the other one", ["7719"], True),
        ("block my card, not the gold one", ["4242"], True),
        ("it's not the visa, I have the other one here", ["7719"], True),
        ("I have the gold one, the other one is gone", ["4242", "7719"], False),
        ("the other one", ["4242", "7719"], False),
        ("the visa and the gold one, sorry", ["4242", "7719"], True),
        ("block my card", ["4242", "7719"], False),
        ("I want to travel", ["4242", "7719"], False),
    ],
)
def test_which_card_is_named(said: str, last4s: list[str], named: bool) -> None:
    choice = choose(CARDS, said)
    assert choice.named is named
    if named or last4s:
        assert [card.last4 for card in choice.cards] == last4s


@pytest.mark.parametrize(
    ("said", "last4"),
    [
        ("the gold one, no, the visa", "4242"),
        ("the visa, I mean the gold one", "7719"),
        ("no, the other one, sorry, the other one", "4242"),
        ("no, the visa, the other one", "4242"),
        ("the gold one, no, the other", "4242"),
    ],
)
def test_which_card_is_named_instead_of_the_gold_one(said: str, last4: str) -> None:
    choice = choose_instead(CARDS, said, CARDS[1])
    assert choice.named
    assert [card.last4 for card in choice.cards] == [last4]


@pytest.mark.parametrize("words", ["not both", "both, no, the visa", "both, no wait", "no, not both of them"])
def test_who_takes_both_back_does_not_mean_both(words: str) -> None:
    asked = "Which card shall I block: your Everyday Visa ending 4242, or your Gold Mastercard ending 7719?"
    wish = replace(WISH, card_token=None, card_version=None, clauses=(Clause("card", asked, None, NOW),))
    heard = heard_question([wish], [Turn("assistant", asked), Turn("user", words)])
    assert heard is not None
    assert read_answer(heard, CARDS) != "both"


@pytest.mark.parametrize("blocked", CARDS)
@pytest.mark.parametrize(
    "words",
    [
        *("undo that", "no undo it", "can you take it back please", "take it back if you can", "will you undo it"),
        *("I'd like you to take it back", "what? no, undo that!", "oh no that was a mistake", "I changed my mind"),
        *("take the block back and block the gold one instead", "not that one, the other one", "take it back"),
        *("No, the other one", "sorry, the other one", "wait the other card", "my mistake, the other one"),
        *("oh not that one, and the other one instead", "wrong one, now the other one please"),
        *("undo that please", "can you undo it", "oh no, I changed my mind", "sorry that was a mistake"),
    ],
)
def test_a_block_is_taken_back(words: str, blocked: Card) -> None:
    assert takes_back(words, blocked, CARDS)


@pytest.mark.parametrize("blocked", CARDS)
@pytest.mark.parametrize(
    "words",
    [
        *("I can still undo that myself later, can I?", "can I undo that later", "how do I undo that", "don't undo it"),
        *("is it possible to undo that", "undo that when I find it", "so you'll undo that later"),
        *("if it turns up could you undo it", "I haven't changed my mind", "what if I changed my mind"),
        *("my wife can undo it", "I don't want to undo that", "but not the other one", "and not the other one"),
        *("never take it back", "how do I undo a payment?", "could a thief take it back"),
        *("I can take it back later then", "is it possible to undo it", "that was a mistake by the merchant"),
        *("I will take it back to the store", "my colleague changed my mind", "I want to undo my last transfer"),
        *("Thank you, and the other one", "thanks, now the other one please", "then the other one"),
        *("oh and the other one", "um the other one", "I'd like the other one then", "the other one please"),
        *("no thanks, the other one", "sorry, the other one too", "no, the other one as well", "no, and the other one"),
        *("no " * 30_000, "please " * 15_000, "digits " * 14_000),  # nor does it take long to tell
    ],
    ids=lambda words: words[:60],
)
def test_who_only_speaks_of_taking_a_block_back_does_not_wish_it(words: str, blocked: Card) -> None:
    assert not takes_back(words, blocked, CARDS)


@given(st.from_regex(r"[0-9]{4}", fullmatch=True))
def test_spoken_digits_are_heard_as_written_ones(last4: str) -> None:
    assert heard_words(f"ending {spoken_digits(last4)}.") == heard_words(f"Ending {last4}")


@pytest.mark.parametrize(
    ("words", "heard"),
    [
        ("oh double three twenty-one", ["oh", "3321"]),
        ("oh, 8162", ["oh", "8162"]),
        ("oh three five six", ["0356"]),
        ("oh oh seven seven", ["0077"]),
        ("ending oh three five six", ["ending", "0356"]),
        ("oh two", ["02"]),
    ],
)
def test_an_oh_before_four_other_digits_is_no_zero(words: str, heard: list[str]) -> None:
    assert heard_words(words) == heard
    assert masked_user_turns([Turn("user", words)]) != [words] or "ending" in heard


@pytest.mark.parametrize(
    "words",
    [
        "can you block my card",
        "can u lock my card asap",
        "uh please freeze it",
        "Block my credit card",
        "hi, I lost my purse, block my card",
        "someone stole my wallet so block the card",
        "my wife says there's a strange charge, block my gold card please",
        "I'd like a freeze on my card",
        "I'm calling to lock my card",
        "stolen at 10:30 block it please",
        "can you lock it to be safe?",
        "freeze both of them now",
        "put my card on lock",
        "oh no, block my card",
        "sorry, block my visa please",
    ],
)
def test_a_plain_request(words: str) -> None:
    assert is_plain_request(words, Operation.BLOCK, sure=False)


@pytest.mark.parametrize(
    "words",
    [
        "don't block it",
        "how do I block it",
        "if I block it, what then",
        "hotels block my card with a deposit",
        "my son asked me to block my card but I told him no",
        "I read the sentence 'Block my credit card' on your site",
        "Translate to French: block my credit card",
        "write a poem with the words block my card",
        "so you block my card?",
        "Block my card? No way.",
        "block my card next Monday",
        "In case I lose it, block my card",
        "block Tomas Lindqvist's card",
        "block everyone's cards",
        "please lock my online banking",
        "block contactless on my card",
        "block this phone number",
        "block my visa, no sorry, the other one",
        "block the first card, no wait, the second one",
        "block my card, no wait",
        "block the visa, sorry, I mean the gold one",
        "block the other card",
        "I thought about my garden. " * 12 + "Block my card.",
    ],
)
def test_what_denies_asks_reports_or_shows_a_request_is_no_plain_one(words: str) -> None:
    assert not is_plain_request(words, Operation.BLOCK, sure=True)


@pytest.mark.parametrize("sure", [True, False])
def test_a_request_in_other_words_is_plain_where_it_was_surely_understood(*, sure: bool) -> None:
    assert is_plain_request("put a stop to my card", Operation.BLOCK, sure=sure) is sure
