"""What a turn means for the cards, before anything is asked or done: one reading, for `classify` and for `card`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from teller.cards.answers import Answer, corrects, names_a_card, read_answer, says_no_then_yes
from teller.cards.commits import UNDO_WITHIN
from teller.cards.dialogue import HeardQuestion, Turn, after_filler, ends_nothing, heard_question, runs
from teller.cards.ledger import CardView
from teller.cards.pin_words import SpokenPin
from teller.cards.records import UNDER_WAY, Card, Operation, Wish, WishState
from teller.cards.spoken import heard_words
from teller.cards.taking_back import speaks_of_taking_back, speaks_of_undoing, takes_back

Kind = Literal["yes", "no", "card", "both", "pin", "too late", "take back", "unclear", "other"]


@dataclass(frozen=True, slots=True)
class Reading:
    """How the caller's last words bear on his wishes.

    `yes`, `no`, `card`, `both`, `pin`: they answer `question`, or (a card, the digits of a PIN) the open wish even
    where its question was not heard. `too late`: they change an answer whose outcome stands, or only ask about undoing
    it. `take back`: they say that the block which was just told was not meant. `unclear`: "no, just block it", said of
    a wish that an older request gave up at the "no". `other`: nothing of the kind.
    """

    kind: Kind
    wish: Wish | None = None
    question: HeardQuestion | None = None

    @property
    def of_given_up(self) -> bool:
        """Whether it is about a wish that was given up already; digits of a PIN begin it anew."""
        return self.wish is not None and self.wish.state is WishState.DROPPED and self.kind != "pin"


def read_turn(
    view: CardView, history: Sequence[Turn], pin: SpokenPin, now: datetime, fillers: Sequence[str] = ()
) -> Reading:
    """Return what the last words of a conversation, in the caller's own words, mean for his cards."""
    cards = view.holder.cards if view.holder else ()
    question = heard_question(view.wishes, history, fillers)
    blocked = told_block(view, history, now, fillers)
    words = _last_words(history) if blocked else ""
    if blocked and (card := _card_of(blocked, cards)) and not _answers_what_followed(blocked, question, words):
        if takes_back(words, card, cards):
            return Reading("take back", blocked)
        corrects_what_was_cut = corrects(words) and not _heard_whole(card, history)
        if corrects_what_was_cut or speaks_of_taking_back(words, card, cards):
            return Reading("too late", blocked)
    if question is None:
        return _unheard(view, history, cards, pin)
    wish = question.wish
    if question.clause.kind == "pin" and (pin.standing != "none" or pin.judged):
        return Reading("pin", wish, question)
    answer = read_answer(question, cards)
    if wish.state is WishState.DONE:
        return Reading("yes" if answer == "yes" else "too late", wish, question)
    if wish.state is WishState.DROPPED:
        kind = _of_given_up(view.open_wish, question, answer)
        return Reading("other") if kind == "other" else Reading(kind, wish, question)
    return Reading(answer, wish, question) if wish.state in UNDER_WAY else Reading("other")


def _of_given_up(open_wish: Wish | None, question: HeardQuestion, answer: Answer) -> Kind:
    """Return what words mean for a question whose wish an older request of the same turn gave up, or asked anew.

    On the phone "no" may go on as "no, the other one". Nothing is done for such words, only asked; and a yes, which may
    be one that is sent again, is no answer any more.
    """
    if answer in ("card", "both"):
        return answer if open_wish is None or open_wish.operation is question.wish.operation else "other"
    if open_wish is not None:
        return "other"
    if answer == "no":
        return "no"
    return "unclear" if question.clause.kind == "confirm" and says_no_then_yes(question) else "other"


def _unheard(view: CardView, history: Sequence[Turn], cards: Sequence[Card], pin: SpokenPin) -> Reading:
    """Digits of a PIN, and the name of a card, answer the open wish even where its last question was not heard."""
    wish = view.open_wish
    if wish is None or not history or history[-1].role != "user":
        return Reading("other")
    if wish.clauses[-1].kind == "pin" and pin.standing != "none":
        return Reading("pin", wish)
    assumed = HeardQuestion(wish, wish.clauses[-1], _last_words(history))
    return Reading("card", wish, assumed) if names_a_card(assumed, cards) else Reading("other")


def told_block(view: CardView, history: Sequence[Turn], now: datetime, fillers: Sequence[str]) -> Wish | None:
    """Return the block that the last assistant turn tells, if it can still be taken back."""
    joined = runs(history)
    if len(joined) < 2 or joined[-1].role != "user" or ends_nothing(joined[-2].text, fillers):
        return None
    told = after_filler(joined[-2].text, fillers)
    for wish in view.wishes:
        record = wish.record
        if wish.operation is not Operation.BLOCK or record is None or not record.changed:
            continue
        cut = not any(word.isdigit() for word in told)
        if now - record.at <= UNDO_WITHIN and "blocked" in told and (record.card.last4 in told or cut):
            return wish
    return None


def _answers_what_followed(told: Wish, question: HeardQuestion | None, words: str) -> bool:
    """Return whether a denial is of the question that came right after the news of a block: "not that one" to it.

    "Undo it" never is.
    """
    after_it = question is not None and question.wish.id != told.id and question.wish.state in UNDER_WAY
    return after_it and not speaks_of_undoing(words)


def _heard_whole(card: Card, history: Sequence[Turn]) -> bool:
    return card.last4 in heard_words(runs(history)[-2].text)


def _card_of(wish: Wish, cards: Sequence[Card]) -> Card | None:
    return next((card for card in cards if wish.record and card.token == wish.record.card.token), None)


def _last_words(history: Sequence[Turn]) -> str:
    return runs(history)[-1].text
