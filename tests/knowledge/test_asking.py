"""Where a turn begins to ask, as a recogniser hears it: no commas, no question marks."""

import pytest

from teller.knowledge.asking import asking_at, wants_to_know
from teller.knowledge.question import is_question, story_and_question


@pytest.mark.parametrize(
    ("turn", "asks"),
    [
        ("we moved house in june what do we have to send you", "what do we have to send you"),
        ("my girl turns twelve how old must she be for a card of her own", "how old must she be for a card of her own"),
        (
            "i'm selling the van by what day does the loan have to be settled",
            "by what day does the loan have to be settled",
        ),
        ("we have three flats which of your policies do landlords take", "which of your policies do landlords take"),
        ("my brother is moving to spain is there any way to keep his account", "is there any way to keep his account"),
        ("I pay in cheques a lot and was wondering whether that is free", "wondering whether that is free"),
        ("my son broke his leg, will the travel policy pay", "will the travel policy pay"),
        ("he said it's free what's the catch", "what's the catch"),
        ("my bond runs out while i'm at sea, what will happen if i say nothing", "what will happen if i say nothing"),
        ("we're only going up to toronto, is canada abroad", "is canada abroad"),
        ("i want my pension paid out every month, which form", "which form"),
    ],
)
def test_the_last_clause_that_asks_is_found_behind_a_story(turn: str, asks: str) -> None:
    start = asking_at(turn)
    assert start is not None
    assert turn[start:] == asks
    assert is_question(turn)


@pytest.mark.parametrize(
    "turn",
    [
        "I lost it when I was at the beach",
        "block the card which is in my wallet",
        "that's how much I paid",
        "I don't know what I did with it",
        "a person is what I want",
        "it's the one you sent me when we moved",
        "all I can say is that it's gone",
        "yes but not that one",
        "he undid it last week, do the same for me",
    ],
)
def test_what_only_tells_asks_nothing(turn: str) -> None:
    assert asking_at(turn) is None
    assert not is_question(turn)


@pytest.mark.parametrize("turn", ["can you block it", "could I have it unlocked", "would you put me through please"])
def test_a_wish_in_the_form_of_a_question_wants_nothing_told(turn: str) -> None:
    assert is_question(turn)
    assert not wants_to_know(turn)


def test_a_question_that_leans_on_one_before_it_in_its_sentence_is_not_cut_off_from_it() -> None:
    twice = "we have just moved to the coast do you insure small sailing boats and what would it cost me"
    assert story_and_question(twice) == ("", twice)
    once = "we have just moved to the coast with our small sailing boat, what would a mooring cost me"
    told = "we have just moved to the coast with our small sailing boat"
    assert story_and_question(once) == (told, "what would a mooring cost me")
