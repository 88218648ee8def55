"""search_passages: what the bank's documents say about a question."""

from typing import Annotated

from langchain_core.tools import BaseTool, StructuredTool

from teller.knowledge.index import Passage
from teller.services import Services


def search_passages(services: Services) -> BaseTool:
    """Return the tool, bound to the index and the embedder of this process."""

    async def search(question: Annotated[str, "What is asked, complete in itself."]) -> list[Passage]:
        """Search the bank's documents; returns the passages in force today, best first, or none.

        Raises SearchUnavailableError where the index cannot be reached.
        """
        today = services.clock().astimezone(services.settings.zone).date()
        return await services.index.search(question, await services.search_queries.vector(question), on=today)

    return StructuredTool.from_function(coroutine=search, name="search_passages")
