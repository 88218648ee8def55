"""From a turn to its intent: one local embedding against the utterances of `prompts/intents.yaml`, no network."""

import asyncio
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self, get_args

import numpy as np
import yaml
from pydantic import BaseModel, TypeAdapter

from graph.state import Intent, Route
from graph.utterance_model import UtteranceModel
from teller.cards.records import Operation
from teller.models.embedder import BGE
from teller.models.query_vectors import QueryVectors
from teller.services import Services

INTENTS_FILE = Path(__file__).parent.parent / "prompts" / "intents.yaml"

_SEAM = re.compile(
    r"(?<=[.!?;])\s+|,?\s+(?:and|also|plus|then)\s+|,\s+(?=(?:how|what|when|where|can|do)\b)", re.IGNORECASE
)
_FEWEST_WORDS = 3  # a part with fewer is no wish of its own ("terms and conditions")
_SURE = 0.5  # how sure each half of a turn with two wishes must be


class ExampleIntent(BaseModel):
    """One entry of `prompts/intents.yaml`."""

    route: Route
    intent: str
    utterances: list[str]


@dataclass(frozen=True, slots=True)
class IntentClassifier:
    """The route of a turn is the likeliest one, all its intents taken together; the topic is the likeliest in it."""

    topics: tuple[ExampleIntent, ...]
    model: UtteranceModel
    queries: QueryVectors

    @classmethod
    async def open(cls, services: Services, file: Path = INTENTS_FILE) -> Self:
        """Read the intents and fit the model; what was fitted to the same utterances is kept in the data folder.

        Raises:
            ValueError: the file is not of its form, a route has no intent, or a card intent is no operation.
        """
        topics = await asyncio.to_thread(load_intents, file)
        kept = services.settings.data_dir / f"intents-{_version(topics)}.npz"
        model = await asyncio.to_thread(UtteranceModel.load, kept)
        if model is None:
            texts = [text for topic in topics for text in topic.utterances]
            labels = np.array([i for i, topic in enumerate(topics) for _ in topic.utterances])
            vectors = np.stack(await services.vectors.vectors(texts, as_queries=True))
            model = await asyncio.to_thread(UtteranceModel.fit, vectors, labels)
            await asyncio.to_thread(model.save, kept)
        return cls(tuple(topics), model, services.queries)

    async def classify(self, turn: str) -> Intent:
        """Return the intent of a turn; of a turn with two wishes, knowledge and card, both routes."""
        whole = await self._nearest(turn)
        parts = [part for part in _SEAM.split(turn) if len(part.split()) >= _FEWEST_WORDS]
        if len(parts) < 2:
            return whole
        return joined(whole, [(part, await self._nearest(part)) for part in parts])

    async def _nearest(self, text: str) -> Intent:
        likely = self.model.probabilities(await self.queries.vector(text))
        route: Route = max(get_args(Route), key=lambda route: likely[self._of(route)].sum())
        first = max(self._of(route), key=lambda i: likely[i])
        second = max((i for i in range(len(likely)) if i != first), key=lambda i: likely[i])
        sure = likely[first] if route == "card" else likely[self._of(route)].sum()
        return Intent(
            routes=(route,),
            topic=self.topics[first].intent,
            action=Operation(self.topics[first].intent) if route == "card" else None,
            confidence=round(float(sure), 3),
            runner_up=self.topics[second].intent,
        )

    def _of(self, route: Route) -> list[int]:
        return [i for i, topic in enumerate(self.topics) if topic.route == route]


def load_intents(file: Path = INTENTS_FILE) -> list[ExampleIntent]:
    """Return the entries of an intents file; every route has one, and the card intents are operations.

    Raises:
        ValueError: it is not so.
    """
    topics = TypeAdapter(list[ExampleIntent]).validate_python(yaml.safe_load(file.read_text("utf-8")))
    missing = set(get_args(Route)) - {topic.route for topic in topics}
    unknown = {topic.intent for topic in topics if topic.route == "card"} - set(Operation)
    if missing or unknown:
        raise ValueError(f"{file}: routes without intent: {sorted(missing)}; unknown card intents: {sorted(unknown)}")
    return topics


def _version(topics: Sequence[ExampleIntent]) -> str:
    return hashlib.sha256(f"{BGE.name}\n{topics!r}".encode()).hexdigest()[:16]


def joined(whole: Intent, parts: Sequence[tuple[str, Intent]]) -> Intent:
    """Return the intent of a turn that was split: both routes, where one part each is sure of card and knowledge."""
    sure = [(text, part) for text, part in parts if part.confidence >= _SURE]
    card = next(((text, part) for text, part in sure if part.action is not None), None)
    asks = next(((text, part) for text, part in sure if part.routes == ("knowledge",)), None)
    if card is None or asks is None:
        return whole
    (request, wish), (question, topic) = card, asks
    return Intent(
        routes=("knowledge", "card"),
        topic=topic.topic,
        action=wish.action,
        confidence=min(wish.confidence, topic.confidence),
        runner_up=whole.runner_up,
        question=question,
        request=request,
    )
