"""What a turn wishes, in many words: whose card it is, what is only said not to be done, what is asked in general."""

import pytest

from graph.workflow import Teller
from teller.cards.demo import listing
from teller.knowledge.index import Vector
from teller.services import Services
from tests.support.conversation import Conversation

MAYA, TOMAS, PRIYA = "+1234567890", "+1234567891", "+1234567894"


async def writes(services: Services) -> int:
    return sum(holder["writes"] for holder in await listing(services.ledger))


@pytest.mark.parametrize(
    "words",
    [
        "I'm calling for my mother, please unblock her card",
        "my wife has lost her credit card, can you close it",
        "block my husband's visa",
        "what's the balance on my son's student card",
        "he's here with me, his pin is 8162, unblock his card",
    ],
)
async def test_anothers_card_is_not_the_callers(graph: Teller, services: Services, words: str) -> None:
    talk = Conversation(graph, TOMAS)
    answer = await talk.say(words)
    assert "number that you are calling from" in answer
    assert "person" in answer
    assert "ending" not in answer
    assert await writes(services) == 0
    assert {row.entry.event for row in await services.ledger.audit_trail()}.isdisjoint({"pin_wrong", "asked"})


async def test_what_is_asked_of_anothers_card_is_looked_up_where_nobody_is_known(graph: Teller) -> None:
    answer = await Conversation(graph, None).say("my daughter lost her card, how long does a replacement take")
    assert "5 to 7" in answer
    assert "person" in await Conversation(graph, None).say("my wife has lost her credit card, can you close it")


@pytest.mark.parametrize(
    "words", ["my wife says something is wrong, block my card", "my son has my card, please block my card"]
)
async def test_ones_own_card_stays_ones_own_whoever_is_spoken_of(graph: Teller, services: Services, words: str) -> None:
    assert "blocked your Everyday Visa" in await Conversation(graph, MAYA).say(words)


@pytest.mark.parametrize(
    "words",
    [
        "no don't block it, I just want my money back",
        "please don't freeze it, I want a refund for that payment",
        "do not close my card, I want to dispute a charge",
    ],
)
async def test_what_is_not_to_be_done_is_no_wish_for_its_opposite(
    graph: Teller, services: Services, words: str
) -> None:
    answer = await Conversation(graph, MAYA).say(words)
    assert "isn't blocked" not in answer
    assert not answer.endswith("?")
    assert "put you through" in answer
    assert await writes(services) == 0


@pytest.mark.parametrize(
    "words",
    [
        "how do I activate a new card?",
        "I can't find the leaflet, how does one activate a card",
        "what are the reasons why a card payment gets declined?",
        "why do payments get refused?",
    ],
)
async def test_what_is_asked_of_cards_in_general_is_for_the_documents(graph: Teller, words: str) -> None:
    talk = Conversation(graph, PRIYA)
    await talk.say(words)
    assert talk.routes == ("knowledge",)


@pytest.mark.parametrize(
    "words",
    [
        "what should I do if my online banking was hacked?",
        "a man rang me and pretended to be from my bank, is that fraud?",
        "my online banking is locked, how do I get in again?",
    ],
)
async def test_what_to_do_about_the_online_banking_is_for_the_documents(graph: Teller, words: str) -> None:
    talk = Conversation(graph, MAYA)
    assert "shall I block" not in await talk.say(words)
    assert talk.routes == ("knowledge",)


@pytest.mark.parametrize(
    "words",
    [
        "someone stole my card and is buying things",
        "my purse was stolen and they are paying with my card right now",
        "somebody's spending money on my stolen card",
        "there are payments coming in on my card that aren't mine, right now",
    ],
)
async def test_whose_card_is_being_used_is_offered_a_block_first(graph: Teller, services: Services, words: str) -> None:
    answer = await Conversation(graph, MAYA, channel="voice").say(words)
    assert answer.endswith("hall I block your Everyday Visa ending one eight eight one?")
    assert await writes(services) == 0


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("I've been waiting for half an hour, what's my balance please", "PIN?"),
        ("what is my damn balance, I'm sick of this music", "PIN?"),
        ("the new card never got here so please block it", "isn't activated yet"),
        ("it's no good to me, I'd rather report it lost", "report the loss"),
    ],
)
async def test_a_wish_within_a_complaint_or_a_story_is_heard(graph: Teller, words: str, asked: str) -> None:
    assert asked in await Conversation(graph, PRIYA, channel="voice").say(words)


@pytest.mark.parametrize(
    "words", ["can I get my card frozen", "could I have my visa blocked", "I wanna bloc my cart", "yes block my card"]
)
async def test_a_block_is_understood(graph: Teller, words: str) -> None:
    answer = await Conversation(graph, MAYA, channel="voice").say(words)
    assert answer == "Shall I block your Everyday Visa ending one eight eight one?"


@pytest.mark.parametrize(
    "words", ["my number is plus one two three four five six seven eight nine zero", "it's 1234567890"]
)
async def test_a_number_that_is_said_counts_for_nothing_and_that_is_told(graph: Teller, words: str) -> None:
    talk = Conversation(graph, None)
    await talk.say("block my card")
    assert "can't see who is calling" in await talk.say(words)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("I lost my job and can't pay, I just sit here and cry", "I'm sorry"),
        ("hola, ¿habla español? necesito ayuda", "English"),
        ("please raise the limit of my card to nine thousand", "person"),
    ],
)
async def test_who_needs_a_person_is_told_so_in_fitting_words(graph: Teller, words: str, told: str) -> None:
    answer = await Conversation(graph, MAYA).say(words)
    assert told in answer
    assert "put you through" in answer


async def test_a_message_of_thousands_of_words_costs_as_many_embeddings_as_one_of_hundreds(
    graph: Teller, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each clause is looked at for a wish of its own, but not of a story without end."""
    embedded: list[str] = []
    real = services.queries.vector

    async def counted(text: str) -> Vector:
        embedded.append(text)
        return await real(text)

    monkeypatch.setattr(services.queries, "vector", counted)
    counts: list[int] = []
    for clauses in (40, 400):
        story = (f"uncle number {n} said something odd to my neighbour" for n in range(clauses))
        await Conversation(graph, TOMAS).say(" and ".join(story))
        counts.append(len(embedded) - sum(counts))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    "words", ["I lost my mum last week", "we lost dad in march", "I've lost my husband", "I lost my job"]
)
async def test_who_lost_a_person_or_a_job_is_not_asked_about_a_card(
    graph: Teller, services: Services, words: str
) -> None:
    answer = await Conversation(graph, MAYA).say(words)
    assert "Visa" not in answer
    assert not [row for row in await services.ledger.audit_trail() if row.entry.event == "asked"]
