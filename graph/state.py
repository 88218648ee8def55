"""What travels through the graph: what a door hands in, and what the nodes add to it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal, NotRequired

from langchain_core.messages import AnyMessage
from langgraph.graph.message import add_messages
from typing_extensions import TypedDict

from teller.caller import Caller
from teller.cards.records import Card, CardRecord, Clause, Operation, Purchase
from teller.knowledge.index import Passage

Route = Literal["knowledge", "card", "handoff", "smalltalk", "out_of_scope"]


@dataclass(frozen=True, slots=True)
class Intent:
    """What the turn wishes. `routes` are one, or knowledge and card together; `topic` is the intent within the route.

    `decided_by`: `utterances` (nearest to the examples in `prompts/intents.yaml`), `dialogue` (the turn answers an
    open card question, or leaves one open), or `conversation` (its shape decides: no user message, a tool's result,
    the assistant spoke last). `confidence`, in [0, 1], is that of the route; of a card turn, that of its action.
    `question` and `request` are the parts of a turn with two wishes: what it asks, and what it wants done to the card;
    None: all of it does. `also`: a second wish about cards, for when the first is done. `asks`, in [0, 1], is how
    likely the turn asks the documents, whatever else it may be. `otherwise` is what a turn is told if they do not
    answer it: it may as well have been for a person, out of scope, small talk, or about a card that can't be told of to
    a caller who is not known. `asks_first`: the wish was not put as one, but
    stood in a story or was gathered from what came before, so that even chat asks before it acts.
    """

    routes: tuple[Route, ...]
    topic: str
    action: Operation | None = None
    confidence: float = 1.0
    runner_up: str | None = None
    question: str | None = None
    request: str | None = None
    also: "CardWish | None" = None
    decided_by: Literal["utterances", "dialogue", "conversation"] = "utterances"
    asks: float = 0.0
    otherwise: Route | None = None
    asks_first: bool = False


@dataclass(frozen=True, slots=True)
class CardWish:
    """A wish about a card, and the words of the turn that say it."""

    operation: Operation
    words: str


OutcomeKind = Literal[
    "status",  # told, nothing written; so are the next five, with the caller's PIN
    "balance",
    "limit",
    "due_date",
    "transactions",
    "declined",
    "done",  # written now, or by an earlier request for the same wish
    "unchanged",  # the card is in the wished state already, or can't be changed: its present state is told
    "question",  # nothing written; a question is open
    "one_by_one",  # the same, where several things are wished
    "pin_wrong",
    "pin_wrong_again",
    "pin_too_long",
    "pin_locked",  # too many wrong ones: not judged
    "too_late",  # the answer came when the outcome stood: it is told, and a block may be taken back
    "taken_back",  # a block of a moment ago
    "given_up",  # the caller said no to the question
    "nothing_done",  # for who asks what was done: no card was changed lately
    "nothing_ordered",  # ... and no new card in place of this one
    "no_number",
    "not_trusted",
    "conflict",
    "unknown_number",
    "no_cards",
    "too_many_orders",  # so many cards were ordered in place of others that a person has to go on
    "lacks_card",  # names a card that the caller does not have
    "no_conversation",
    "outcome_unknown",  # a write was sent and no answer came: it was done, or it was not
    "unavailable",  # the ledger did not answer: nothing was changed
]


@dataclass(frozen=True, slots=True)
class CardOutcome:
    """What became of the card half of a turn. The sentence that tells it is rendered from this record alone.

    `purchases` are those of each of the `cards`. `question` is asked last, whatever the outcome; `then` is what became
    of a second wish.
    """

    kind: OutcomeKind
    operation: Operation
    cards: tuple[Card, ...] = ()
    record: CardRecord | None = None
    question: Clause | None = None
    purchases: tuple[tuple[Purchase, ...], ...] = ()
    then: "CardOutcome | None" = None


@dataclass(frozen=True, slots=True)
class Retrieval:
    """What the documents hold for the turn. `failed`: the search could not be done, which is not "nothing found"."""

    question: str
    passages: tuple[Passage, ...] = field(default=())
    failed: bool = False


class InputState(TypedDict):
    """What a door hands in. `conversation_id` is the door's own name for the conversation, if it has one.

    `requested_at`: when the client asked, by its own word or on arrival; of two guesses the later one counts.
    """

    messages: Annotated[list[AnyMessage], add_messages]
    caller: NotRequired[Caller | None]
    conversation_id: NotRequired[str | None]
    client: NotRequired[str]
    requested_at: NotRequired[datetime]


class TellerState(InputState):
    """The whole state of a turn. The caller is the resolved one once `classify` has run."""

    conversation: NotRequired[str | None]
    intent: NotRequired[Intent]
    retrieval: NotRequired[Retrieval | None]
    card: NotRequired[CardOutcome | None]


class TurnUpdate(TypedDict, total=False):
    """What a node returns: the fields that it changed."""

    messages: list[AnyMessage]
    caller: Caller
    conversation: str | None
    intent: Intent
    retrieval: Retrieval | None
    card: CardOutcome | None
