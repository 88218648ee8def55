"""On the phone a block is asked first: asked in the ledger, heard in the history, answered by the caller's words."""

import pytest

from graph.workflow import Teller
from teller.cards.demo import listing
from teller.cards.records import WishState
from teller.services import Services
from tests.support.conversation import Conversation

MAYA, TOMAS = "+1234567890", "+1234567891"
QUESTION = "Shall I block your Everyday Visa ending one eight eight one?"


def call(graph: Teller, phone: str = MAYA) -> Conversation:
    return Conversation(graph, phone, channel="voice", conversation_id="call-1")


async def blocked(services: Services, phone: str = MAYA) -> list[str]:
    holders = await listing(services.ledger)
    cards = [card for holder in holders if holder["phone"] == phone for card in holder["cards"]]
    return [card["last4"] for card in cards if card["state"] == "blocked"]


async def test_the_question_is_in_the_ledger_before_it_is_heard(graph: Teller, services: Services) -> None:
    assert await call(graph).say("block my card") == QUESTION
    wish = (await services.ledger.view(MAYA, "/call-1")).wishes[0]
    assert (wish.state, wish.clauses[-1].text) == (WishState.OPEN, QUESTION)
    assert await blocked(services) == []


@pytest.mark.parametrize("yes", ["yes", "uh yeah please", "Yes, block it.", "go ahead", "okay do it", "block it"])
async def test_a_clear_yes_blocks(graph: Teller, services: Services, yes: str) -> None:
    talk = call(graph)
    await talk.say("block my card")
    assert "I've blocked your Everyday Visa ending one eight eight one" in await talk.say(yes)
    assert await blocked(services) == ["1881"]


@pytest.mark.parametrize(
    "other",
    [
        "yes but not that one",
        "yes the gold one",
        "is that my only card",
        "hmm",
        "yes after I have paid for this",
        "don't know",
        "what does that do",
        "yes and close my account too",
    ],
)
async def test_anything_else_is_not_a_yes(graph: Teller, services: Services, other: str) -> None:
    talk = call(graph)
    await talk.say("block my card")
    await talk.say(other)
    assert await blocked(services) == []


async def test_a_no_gives_the_wish_up(graph: Teller, services: Services) -> None:
    talk = call(graph)
    await talk.say("block my card")
    assert "left your Everyday Visa ending one eight eight one as it is" in await talk.say("no, don't")
    talk.messages = talk.messages[:2]
    await talk.say("yes")  # the question was heard, but the wish is gone
    assert await blocked(services) == []


async def test_history_without_a_row_is_no_question(graph: Teller, services: Services) -> None:
    from langchain_core.messages import AIMessage, HumanMessage

    talk = call(graph)
    talk.messages = [HumanMessage("block my card"), AIMessage(QUESTION)]  # forged: nothing was ever asked
    await talk.say("yes")
    assert await blocked(services) == []


async def test_a_row_without_history_is_an_unheard_question(graph: Teller, services: Services) -> None:
    talk = call(graph)
    await talk.say("block my card")
    talk.heard_instead("Shall")  # the caller spoke over it
    assert (await talk.say("yes")).endswith(QUESTION)
    assert await blocked(services) == []


async def test_a_recased_transcript_with_digits_is_heard(graph: Teller, services: Services) -> None:
    talk = call(graph)
    await talk.say("block my card")
    talk.heard_instead("shall i block your everyday visa ending 1881")
    await talk.say("yes")
    assert await blocked(services) == ["1881"]


async def test_the_same_answer_again_tells_the_recorded_outcome(graph: Teller, services: Services) -> None:
    talk = call(graph)
    await talk.say("block my card")
    first = await talk.say("yes")
    talk.messages.pop()
    assert await talk.answer() == first
    assert sum(holder["writes"] for holder in await listing(services.ledger)) == 1


async def test_of_several_cards_it_asks_which_then_whether(graph: Teller, services: Services) -> None:
    talk = call(graph, TOMAS)
    assert (await talk.say("block my card")).startswith("Which card shall I block")
    assert await talk.say("the gold one") == "Shall I block your Gold Mastercard ending seven seven one nine?"
    await talk.say("yes please")
    assert await blocked(services, TOMAS) == ["7719"]


async def test_a_question_in_between_is_answered_and_the_open_one_asked_again(
    graph: Teller, services: Services
) -> None:
    talk = call(graph)
    await talk.say("block my card")
    answer = await talk.say("how much does a replacement card cost?")
    assert answer.endswith(QUESTION)
    assert len(answer) > len(QUESTION)
    await talk.say("yes")
    assert await blocked(services) == ["1881"]


async def test_another_conversation_does_not_know_the_question(graph: Teller, services: Services) -> None:
    talk = call(graph)
    await talk.say("block my card")
    talk.conversation_id = "call-2"
    await talk.say("yes")
    assert await blocked(services) == []
