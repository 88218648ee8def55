"""From a turn to its intent: one local embedding against the utterances of `prompts/intents.yaml`, no network."""

import asyncio
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, get_args

import numpy as np
import yaml
from pydantic import BaseModel, TypeAdapter

from graph.state import CardWish, Intent, Route
from graph.utterance_model import UtteranceModel
from teller.cards.policy import TRANSITIONS
from teller.cards.records import Operation
from teller.knowledge.question import continues, is_question, leans_on_history, standalone_question
from teller.models.embedder import BGE
from teller.models.query_vectors import QueryVectors
from teller.services import Services

INTENTS_FILE = Path(__file__).parent.parent / "prompts" / "intents.yaml"

_SEAM = re.compile(
    r"(?<=[.!?;])\s+|,?\s+(?:and|also|plus|then)\s+|,\s+(?=(?:how|what|when|where|can|do)\b)", re.IGNORECASE
)
_FEWEST_WORDS = 3  # a part with fewer is no wish of its own ("terms and conditions")
_SURE_ALONE: dict[Route, float] = {"smalltalk": 0.6, "out_of_scope": 0.8, "handoff": 0.6, "card": 0.8}
_SURE_ELSEWHERE = 0.65  # from here on a question is not the documents', whatever they may say
_SURE_OF_PERSON = 0.5  # ... and a wish for a person is one, question or not
_MAY_ASK = 0.15  # how likely a question must be theirs to be looked up in them first
_OWN = re.compile(r"\b(?:my|mine|our)\b", re.IGNORECASE)
_CARD = re.compile(
    r"\b(?:cards?|visa|mastercard|freeze|froze|frozen|(?:un)?block(?:ed)?|(?:un)?lock(?:ed)?)\b", re.IGNORECASE
)
_TELLS = frozenset({Operation.STATUS, Operation.BALANCE, Operation.LIMIT, Operation.DUE_DATE, Operation.TRANSACTIONS})
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

    async def classify(self, turn: str, earlier: Sequence[str] = ()) -> Intent:
        """Return the intent of a turn; of a turn with two wishes, knowledge and card, both routes.

        Args:
            turn: what the user said last.
            earlier: the user's turns before it, oldest first: "and for two years" means nothing without them.
        """
        whole = await self._nearest(turn)
        parts = [part for part in _SEAM.split(turn) if len(part.split()) >= _FEWEST_WORDS]
        if len(parts) > 1:
            whole = joined(whole, [(part, await self._nearest(part)) for part in parts])
        if earlier and "knowledge" not in whole.routes and may_follow(turn, whole):
            before = standalone_question(earlier).replace("\n", " ")
            both = [asked_first(await self._nearest(text), before) for text in (before, f"{before} {turn}")]
            if all("knowledge" in intent.routes for intent in both[: 1 if whole.action else 2]):
                return replace(both[0 if whole.action else 1], otherwise=_instead(whole))
        return asked_first(whole, turn)

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
            asks=round(float(likely[self._of("knowledge")].sum()), 3),
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


def may_follow(turn: str, alone: Intent) -> bool:
    """Return whether a turn that leans on those before it may ask more of the same, whatever it is like alone."""
    if not leans_on_history(turn) or alone.confidence >= _SURE_ALONE.get(alone.routes[0], 0.0):
        return False
    return alone.action is None or (alone.action in _TELLS and continues(turn) and not _OWN.search(turn))


def asked_first(intent: Intent, turn: str) -> Intent:
    """Return the intent of a question that is half like one for a person or for nobody: the documents are asked first.

    Not for one that surely wishes for a person. What it was like is what is told if the documents do not answer. A
    question that names no card, and is like several wishes about cards but like none as much as like one for the
    documents, is theirs.
    """
    sure = _SURE_OF_PERSON if intent.topic == "person" else _SURE_ELSEWHERE
    elsewhere = intent.routes[0] in ("handoff", "out_of_scope") and intent.asks >= _MAY_ASK and intent.confidence < sure
    no_wish = intent.routes == ("card",) and intent.confidence < intent.asks and not _CARD.search(turn)
    if (elsewhere or no_wish) and is_question(turn):
        return replace(intent, routes=("knowledge",), action=None, otherwise=_instead(intent))
    return intent


def _instead(intent: Intent) -> Route | None:
    return intent.routes[0] if intent.routes[0] in ("handoff", "out_of_scope") else None


def joined(whole: Intent, parts: Sequence[tuple[str, Intent]]) -> Intent:
    """Return the intent of a turn that was split: both routes, where its parts are sure of two.

    A question beside a wish for a person is answered first. Of two wishes about cards the second one waits.
    """
    sure = [(text, part) for text, part in parts if part.confidence >= _SURE]
    cards = [(text, part.action) for text, part in sure if part.action is not None]
    asks = next(((text, part) for text, part in sure if part.routes == ("knowledge",)), None)
    person = next((part for _, part in sure if part.routes == ("handoff",)), None)
    if asks and person and not cards:
        return replace(person, routes=("knowledge", "handoff"), question=asks[0])
    if not asks and len(cards) > 1 and whole.routes == ("card",) and _are_two(cards[0][1], cards[1][1]):
        return replace(whole, action=cards[0][1], request=cards[0][0], also=CardWish(cards[1][1], cards[1][0]))
    if not asks or not cards:
        return whole
    card = next((text, part) for text, part in sure if part.action is not None)
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


def _are_two(first: Operation, second: Operation) -> bool:
    """Return whether two wishes of one turn are two: telling is no part of changing; "it's lost, block it" is one."""
    return first is not second and (first not in TRANSITIONS or second not in TRANSITIONS)
