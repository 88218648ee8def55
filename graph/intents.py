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

from graph.question_first import asked_first, instead
from graph.state import Intent, Route
from graph.two_wishes import SURE_OF_PART, joined
from graph.utterance_model import UtteranceModel
from teller.cards.records import Operation
from teller.knowledge.question import continues, is_question, leans_on_history, standalone_question
from teller.models.embedder import BGE
from teller.models.query_vectors import QueryVectors
from teller.services import Services

INTENTS_FILE = Path(__file__).parent.parent / "prompts" / "intents.yaml"

_SEAM = re.compile(
    r"(?<=[.!?;])\s+|,?\s+(?:and|also|plus|then)\s+|,\s+(?=(?:how|what|when|where|can|do)\b)", re.IGNORECASE
)
_BREATH = re.compile(  # where a speaker who makes no pause begins another clause
    r"[,.!?;]\s+|\s+(?:so|but|and)\s+|\s+(?=(?:(?:can|could|will|would) you|please|i'm|i am|i've|i have|i want|i need"
    r"|i'd like|this is|that's|you|just|what's|whats)\b)",
    re.IGNORECASE,
)
_FEWEST_WORDS = 3  # a part with fewer is no wish of its own ("terms and conditions")
_MOST_PARTS = 12  # each costs an embedding; nobody says more in one breath, but a message may hold thousands
_SURE_ALONE: dict[Route, float] = {"smalltalk": 0.6, "out_of_scope": 0.8, "handoff": 0.6, "card": 0.8}
_OWN = re.compile(r"\b(?:my|mine|our|(?:have|do|did|am) i|i(?:'ve| have) got|i owe)\b", re.IGNORECASE)
_ADDS = re.compile(  # "ok and one that comes in": however like an acknowledgement, it asks more
    r"^\W*(?:(?:ok(?:ay)?|oh|well|right|alright|so|fine|good|yes|yeah)\b\W*)*"
    r"(?:and|but|what (?:about|if)|how about)\b(?!\W+(?:that'?s|that is|it'?s|it is|i'?m|i am|yes|no)\b)(?:\W+\w+){3}",
    re.IGNORECASE,
)
_TELLS = frozenset({Operation.STATUS, Operation.BALANCE, Operation.LIMIT, Operation.DUE_DATE, Operation.TRANSACTIONS})
_MAY_BE_TOLD = 0.1  # how likely a text must ask something of a card to be taken so where nothing else fits
_SURE_OF_STORY = 0.6  # from here on a turn about the documents is one, whatever its parts are like


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
        parts = _parts(_SEAM, turn)
        if len(parts) > 1 and whole.topic != "fraud_in_progress":  # whose story has many parts, and is one
            whole = joined(whole, [(part, await self._nearest(part)) for part in parts])
        if "card" not in whole.routes and ("knowledge" not in whole.routes or not is_question(turn)):
            whole = await self._wish_within(whole, turn)
        if earlier and "knowledge" not in whole.routes and may_follow(turn, whole):
            before = standalone_question(earlier).replace("\n", " ")
            both = [asked_first(await self._nearest(text), before) for text in (before, f"{before} {turn}")]
            if all("knowledge" in intent.routes for intent in both[: 1 if whole.action else 2]):
                return replace(both[0 if whole.action else 1], otherwise=instead(whole))
        return asked_first(whole, turn)

    async def telling(self, text: str) -> Operation | None:
        """Return what of a card a text most likely asks to be told; None where it is like none of it."""
        likely = self.model.probabilities(await self.queries.vector(text))
        told = [i for i, topic in enumerate(self.topics) if topic.intent in _TELLS]
        best = max(told, key=lambda i: likely[i])
        return Operation(self.topics[best].intent) if likely[best] >= _MAY_BE_TOLD else None

    async def _wish_within(self, whole: Intent, turn: str) -> Intent:
        """Return the wish about a card that stands in what is otherwise a story or a complaint, where there is one."""
        parts = _parts(_BREATH, turn)
        sure = whole.confidence >= _SURE_ALONE.get(whole.routes[0], _SURE_OF_STORY)
        if len(parts) < 2 or (sure and whole.topic != "distress_or_repeat"):
            return whole
        found = [(part, await self._nearest(part)) for part in parts]
        wishes = [(part, one) for part, one in found if one.action and one.confidence >= SURE_OF_PART]
        return (
            replace(wishes[0][1], request=wishes[0][0], asks_first=True)
            if len({one.action for _, one in wishes}) == 1
            else whole
        )

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


def _parts(border: re.Pattern[str], turn: str) -> list[str]:
    """Return the parts of a turn that may hold a wish of their own; of a great many the last."""
    return [part for part in border.split(turn) if len(part.split()) >= _FEWEST_WORDS][-_MOST_PARTS:]


def _version(topics: Sequence[ExampleIntent]) -> str:
    return hashlib.sha256(f"{BGE.name}\n{topics!r}".encode()).hexdigest()[:16]


def may_follow(turn: str, alone: Intent) -> bool:
    """Return whether a turn that leans on those before it may ask more of the same, whatever it is like alone."""
    sure = alone.confidence >= _SURE_ALONE.get(alone.routes[0], 0.0)
    if not leans_on_history(turn) or (sure and not (alone.topic == "acknowledgement" and _ADDS.match(turn))):
        return False
    return alone.action is None or (alone.action in _TELLS and continues(turn) and not _OWN.search(turn))
