"""retrieve: what do the documents hold for this turn? Never raises: a branch that fails would cancel its sibling."""

import asyncio

import structlog
from langgraph.runtime import Runtime

from graph.history import user_turns
from graph.options import TurnOptions
from graph.state import Intent, Retrieval, TellerState, TurnUpdate
from teller.errors import SearchUnavailableError
from teller.knowledge.index import Passage
from teller.knowledge.question import standalone_question
from teller.services import Services
from tools.knowledge import search_passages

_log = structlog.get_logger(__name__)


class Retrieve:
    """The node: the question understood in its conversation, then one search."""

    def __init__(self, services: Services) -> None:
        self._search = search_passages(services)
        self._timeout = services.settings.search_timeout_seconds

    async def __call__(self, state: TellerState, *, runtime: Runtime[TurnOptions]) -> TurnUpdate:
        """Return the passages, or that the search failed."""
        question = _question(state["intent"], user_turns(state["messages"]))
        try:
            async with asyncio.timeout(self._timeout):
                passages: list[Passage] = await self._search.ainvoke({"question": question})
        except (TimeoutError, SearchUnavailableError) as failure:
            _log.error("search failed", error=type(failure).__name__)
            return {"retrieval": Retrieval(question, failed=True)}
        return {"retrieval": Retrieval(question, tuple(passages))}


def _question(intent: Intent, said: list[str]) -> str:
    """Return what is asked, complete in itself: by the whole turn, or by a part of it that may lean on the other."""
    if intent.question is None:
        return standalone_question(said)
    return standalone_question([*([intent.request] if intent.request else []), intent.question])
