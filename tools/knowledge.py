"""search_passages: what the bank's documents say about a question."""

from typing import Annotated

import structlog
from langchain_core.tools import BaseTool, StructuredTool

from teller.errors import ModelRequestError, ModelUnavailableError
from teller.knowledge.index import Passage, Vector
from teller.models.query_vectors import QueryVectors
from teller.models.quote.model import PASSAGES_TO_QUOTE
from teller.services import Services

_log = structlog.get_logger(__name__)
_PASSAGES_TO_READ = 6  # of a hosted model, to which each one costs tokens and time


def search_passages(services: Services) -> BaseTool:
    """Return the tool, bound to the index and the embedder of this process."""
    limit = PASSAGES_TO_QUOTE if services.models.default.name == "quote" else _PASSAGES_TO_READ

    async def search(question: Annotated[str, "What is asked, complete in itself."]) -> list[Passage]:
        """Search the bank's documents; returns the passages in force today, best first, or none.

        Where the embedder gives no vector the words alone are searched for.

        Raises SearchUnavailableError where the index cannot be reached.
        """
        today = services.clock().astimezone(services.settings.zone).date()
        vector = await _vector(services.search_queries, question)
        return await services.index.search(question, vector, on=today, limit=limit)

    return StructuredTool.from_function(coroutine=search, name="search_passages")


async def _vector(queries: QueryVectors, question: str) -> Vector | None:
    try:
        return await queries.of_question(question)
    except (ModelUnavailableError, ModelRequestError) as failure:
        _log.error("a question has no vector: it is searched by words alone", error=type(failure).__name__)
        return None
