"""Where it is not known whether a write went through, nothing is claimed either way."""

import pytest

from graph.workflow import Teller
from teller.cards.ledger import OutcomeUnknownError
from teller.services import Services
from tests.support.conversation import Conversation


async def test_an_unknown_outcome_is_told_as_one(
    graph: Teller, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_answer(*_: object) -> None:
        raise OutcomeUnknownError("no answer")

    monkeypatch.setattr(type(services.ledger), "commit_direct", no_answer)
    answer = await Conversation(graph, "+1234567890").say("block my card")
    assert answer == "I can't see yet whether that went through. Please ask me again in a moment."
