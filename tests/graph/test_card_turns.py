"""Cards in chat: who may, which card, and what is written. What is said is what the ledger holds."""

import pytest

from graph.workflow import Teller
from teller.caller import Trust
from teller.cards.demo import listing
from teller.cards.records import Card, Operation, Purchase
from teller.services import Services
from tests.support.conversation import Conversation

MAYA, TOMAS, RUTH, JONAS, PRIYA = "+1234567890", "+1234567891", "+1234567892", "+1234567893", "+1234567894"
SAMUEL, ELENA, BEN = "+1234567895", "+1234567896", "+1234567897"


async def states(services: Services, phone: str) -> dict[str, str]:
    holders = await listing(services.ledger)
    return {card["last4"]: card["state"] for holder in holders if holder["phone"] == phone for card in holder["cards"]}


async def writes(services: Services) -> int:
    return sum(holder["writes"] for holder in await listing(services.ledger))


async def test_the_only_card_is_blocked_at_once_and_told_from_the_ledger(graph: Teller, services: Services) -> None:
    answer = await Conversation(graph, MAYA).say("Block my credit card")
    assert "blocked your Everyday Visa ending 1881" in answer
    assert await states(services, MAYA) == {"1881": "blocked"}


async def test_the_quick_references_tag_names_the_caller(graph: Teller, services: Services) -> None:
    answer = await Conversation(graph, None, conversation_id=None).say("Block my credit card [phone: +1234567890]")
    assert "blocked your Everyday Visa ending 1881" in answer
    assert await writes(services) == 1


async def test_a_repeat_tells_the_present_state_and_writes_nothing_more(graph: Teller, services: Services) -> None:
    for _ in range(3):
        answer = await Conversation(graph, MAYA).say("Block my credit card")
    assert "already blocked" in answer
    assert await writes(services) == 1


async def test_of_several_cards_it_asks_which_and_then_blocks_the_named_one(graph: Teller, services: Services) -> None:
    talk = Conversation(graph, TOMAS)
    assert "Everyday Visa ending 4242 or your Gold Mastercard ending 7719?" in await talk.say("please block my card")
    assert await writes(services) == 0
    assert "blocked your Gold Mastercard ending 7719" in await talk.say("the gold one")
    assert await states(services, TOMAS) == {"4242": "active", "7719": "blocked"}


@pytest.mark.parametrize("wish", ["should I block my visa?", "somebody is spending money on my visa right now"])
async def test_the_other_card_than_the_one_asked_about_is_asked_about_next(
    graph: Teller, services: Services, wish: str
) -> None:
    talk = Conversation(graph, TOMAS)
    assert (await talk.say(wish)).endswith("hall I block your Everyday Visa ending 4242?")
    answer = await talk.say("no, the other one")
    assert "has just changed" not in answer
    assert "hall I block your Gold Mastercard ending 7719?" in answer
    assert await states(services, TOMAS) == {"4242": "active", "7719": "active"}
    assert "blocked your Gold Mastercard ending 7719" in await talk.say("yes")
    assert await states(services, TOMAS) == {"4242": "active", "7719": "blocked"}


@pytest.mark.parametrize(
    ("words", "last4"),
    [
        ("block my gold card", "7719"),
        ("freeze the visa please", "4242"),
        ("block my card ending four two four two", "4242"),
        ("lock the second one", "7719"),
        ("block card 7719", "7719"),
    ],
)
async def test_a_card_named_in_the_request_is_chosen(graph: Teller, services: Services, words: str, last4: str) -> None:
    await Conversation(graph, TOMAS).say(words)
    assert [card for card, state in (await states(services, TOMAS)).items() if state == "blocked"] == [last4]


async def test_a_card_the_caller_does_not_have_is_never_replaced_by_another(graph: Teller, services: Services) -> None:
    answer = await Conversation(graph, MAYA).say("block my gold card")
    assert "don't see that card" in answer
    assert await writes(services) == 0


async def test_only_a_card_that_can_be_blocked_fits(graph: Teller, services: Services) -> None:
    assert "ending 9035" in await Conversation(graph, JONAS).say("block my card")  # the other one is closed
    assert "ending 5503" in await Conversation(graph, ELENA).say("block my card")  # the other one is blocked


@pytest.mark.parametrize(("phone", "told"), [(RUTH, "already blocked"), (PRIYA, "isn't activated yet")])
async def test_where_no_card_fits_the_present_state_is_told(
    graph: Teller, services: Services, phone: str, told: str
) -> None:
    assert told in await Conversation(graph, phone).say("block my card please")
    assert await writes(services) == 0


async def test_status_tells_every_card_that_is_not_closed(graph: Teller) -> None:
    assert await Conversation(graph, JONAS).say("is my card active?") == "Your Travel Visa ending 9035 is active."
    both = await Conversation(graph, ELENA).say("what is the status of my cards?")
    assert both == "Your Gold Mastercard ending 5503 is active. Your Everyday Visa ending 8020 is blocked."


@pytest.mark.parametrize(
    "words",
    [
        "don't block my card",
        "what happens if I block my card?",
        "should I block my card?",
        "block my card unless I find it by tonight",
    ],
)
async def test_a_wish_that_is_not_plain_moves_nothing(graph: Teller, services: Services, words: str) -> None:
    await Conversation(graph, MAYA).say(words)
    assert await states(services, MAYA) == {"1881": "active"}


async def test_nobodys_number_and_no_number_are_told_so(graph: Teller, services: Services) -> None:
    assert "can't see who is calling" in await Conversation(graph, None).say("block my card")
    assert "can't find any cards for this number" in await Conversation(graph, "+19995550000").say("block my card")
    assert "don't see any cards" in await Conversation(graph, SAMUEL).say("block my card")
    assert "can't see who is calling" in await Conversation(graph, None).say("block my card [phone: not-a-number]")
    assert await writes(services) == 0


async def test_two_sources_that_disagree_move_nothing_and_are_audited(graph: Teller, services: Services) -> None:
    answer = await Conversation(graph, MAYA).say(f"block my card [phone: {TOMAS}]")
    assert "two different phone numbers" in answer
    assert await writes(services) == 0
    assert (await services.ledger.audit_trail())[-1].entry.event == "refused"


async def test_a_later_tag_replaces_an_earlier_one(graph: Teller, services: Services) -> None:
    talk = Conversation(graph, None)
    await talk.say(f"hello [phone: {TOMAS}]")
    await talk.say(f"block my card [phone: {MAYA}]")
    assert await states(services, MAYA) == {"1881": "blocked"}


async def test_a_turn_with_two_wishes_takes_both_branches(graph: Teller, services: Services) -> None:
    talk = Conversation(graph, MAYA)
    answer = await talk.say("Block my card and how much is the annual fee of the Gold card?")
    assert {"retrieve", "card"} <= set(talk.nodes)
    assert answer.index("blocked your Everyday Visa ending 1881") < answer.index("$95")


async def test_another_caller_in_the_same_conversation_finds_nothing_open_and_nothing_proven(
    graph: Teller, services: Services
) -> None:
    talk = Conversation(graph, RUTH)
    await talk.say("please unblock my card")
    assert await talk.say("8162") == "Shall I unblock your Gold Mastercard ending 0356?"
    talk.phone = MAYA
    await talk.say("is my card active")
    talk.phone = RUTH
    await talk.say("yes")
    assert (await talk.say("please unblock my card")).endswith("what is your four-digit PIN?")
    assert await states(services, RUTH) == {"0356": "blocked"}


async def test_a_proof_that_ends_while_it_is_relied_on_is_asked_for_again(
    graph: Teller, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk, disclose = Conversation(graph, MAYA), services.ledger.disclose
    await talk.say("what's the balance of my card")
    assert "412.65" in await talk.say("7305")

    async def too_late(conversation: str, phone: str, operation: Operation, card: Card) -> tuple[Purchase, ...]:
        await services.ledger.end_conversation(conversation)
        return await disclose(conversation, phone, operation, card)

    monkeypatch.setattr(services.ledger, "disclose", too_late)
    assert (await talk.say("what's the balance of my card")).endswith("what is your four-digit PIN?")
    monkeypatch.undo()
    assert "412.65" in await talk.say("my PIN is 7305")


async def test_a_phone_number_in_words_is_no_identity(graph: Teller, services: Services) -> None:
    answer = await Conversation(graph, None).say("block my card, my number is +1234567890")
    assert "can't see who is calling" in answer
    assert await writes(services) == 0


async def test_a_bank_may_ask_for_more_trust(services: Services) -> None:
    from dataclasses import replace

    from graph.workflow import build_workflow

    strict = services.settings.model_copy(update={"min_caller_trust": Trust.NETWORK})
    graph = await build_workflow(replace(services, settings=strict))
    assert "can't be sure enough" in await Conversation(graph, MAYA).say("block my card")
    assert await writes(services) == 0
