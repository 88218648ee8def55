"""Titan text embeddings v2 on Bedrock, through the client that the chat models use.

Model and limits: https://docs.aws.amazon.com/bedrock/latest/userguide/titan-embedding-models.html.
"""

import asyncio
import json
from functools import partial
from typing import Any

from langchain_core.embeddings import Embeddings

from teller.errors import ConfigurationError
from teller.models.bedrock.blocking import loop_thread
from teller.models.bedrock.call import call_bedrock
from teller.models.bedrock.client import BedrockConnection
from teller.models.bedrock.errors import FAILED, UnusableAnswerError

MODEL_ID = "amazon.titan-embed-text-v2:0"
DIMENSIONS = (256, 512, 1024)
LONGEST = 8_000
"""Characters of a text that are read: Titan takes 8,192 tokens and refuses more, and no token is less than one."""

_RETRIES = 2


class TitanEmbeddings(Embeddings):
    """Sentence vectors of length 1. The `a…` forms are async down to the socket; the others wait for them.

    Raises:
        ConfigurationError: Titan has no such dimension.
    """

    def __init__(self, connection: BedrockConnection, dimension: int = 1024, seconds: float = 10.0) -> None:
        if dimension not in DIMENSIONS:
            raise ConfigurationError(f"Titan's vectors have 256, 512 or 1024 dimensions, not {dimension}")
        self.name = f"{MODEL_ID}/{dimension}"
        self.dimension = dimension
        self.at_once = 8  # texts under way for one call: Titan embeds one text a request
        self._connection = connection
        self._seconds = seconds

    async def aembed_query(self, text: str) -> list[float]:
        """Return the vector of a caller's turn or question.

        Raises:
            TellerError: of the kind that `errors` tells; a blank text is a ModelRequestError.
        """
        call = partial(_embed, text=text[:LONGEST], dimension=self.dimension)
        return await call_bedrock(self._connection, call, self._seconds, _RETRIES)

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return one vector for each passage, in order; some are embedded at the same time."""
        vectors: list[list[float]] = []
        for start in range(0, len(texts), self.at_once):
            vectors += await asyncio.gather(*map(self.aembed_query, texts[start : start + self.at_once]))
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """Return the vector of a text to a caller without an event loop."""
        return loop_thread().run(self.aembed_query(text), self._connection)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return the vectors of texts to a caller without an event loop."""
        return loop_thread().run(self.aembed_documents(texts), self._connection)


async def _embed(client: Any, _: asyncio.Timeout, *, text: str, dimension: int) -> list[float]:
    body = json.dumps({"inputText": text, "dimensions": dimension, "normalize": True})
    response = await client.invoke_model(modelId=MODEL_ID, body=body, contentType="application/json")
    try:
        vector: list[float] = json.loads(await response["body"].read())["embedding"]
    except (KeyError, TypeError, ValueError) as unreadable:
        raise UnusableAnswerError(FAILED) from unreadable
    if len(vector) != dimension:
        raise UnusableAnswerError(FAILED)
    return vector
