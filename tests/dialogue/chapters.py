"""How random stories come about: chapters of a wish and its answers, of anything at all, and traps.

Chance alone seldom finds its way through a whole wish, and hardly ever to the moments in which something could go
wrong. A trap is such a moment: a caller is asked, and what follows looks like an answer to that, and is none.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from tests.dialogue.steps import Answers, Dies, HangsUp, IsAsked, IsSilent, Repeats, Says, SentLate, Step, TimePasses
from tests.dialogue.utterances import CARDS, ELSEWHERE, GROWING, OPENINGS, OTHERS, TAILS, WISHES, WRONG, YESES

_WHO = st.integers(0, 1)
_HEARS = st.one_of(
    st.none(), st.none(), st.none(),
    st.tuples(st.just("words"), st.sampled_from([0, 1, 3, 6, 9, 12, 15])),
    st.tuples(st.just("seconds"), st.sampled_from([0.1, 0.6, 1.2, 2.5, 3.3])),
)  # fmt: skip
_GUESSES = st.one_of(st.just(()), st.just(()), st.lists(st.integers(1, 6), max_size=3).map(tuple))


def _says(words: Sequence[str], kind: type[Says] = Says) -> st.SearchStrategy[Says]:
    return st.builds(
        kind, who=_WHO, words=st.sampled_from(words), guesses=_GUESSES, hears=_HEARS,
        both=st.sampled_from([False, False, False, True]),
    )  # fmt: skip


def _likely(words: Sequence[str], kind: type[Says] = Says) -> st.SearchStrategy[Says]:
    return st.builds(kind, who=_WHO, words=st.sampled_from(words))


_HANGS_UP_AFTER = st.sampled_from([None, 0.2, 0.8, 1.4, 2.6])
_ANSWERS = st.one_of(_likely(YESES, Answers), _likely(YESES, Answers), _says(YESES, Answers), _says(GROWING, Answers))
_ANYTHING: st.SearchStrategy[Step] = st.one_of(
    _says(WISHES),
    _ANSWERS,
    _says(OTHERS),
    _likely(OTHERS),
    _says(CARDS),
    st.builds(Repeats, who=_WHO, hears=_HEARS),
    st.builds(IsSilent, who=_WHO),
    st.builds(SentLate, who=_WHO, back=st.integers(0, 5)),
    st.builds(HangsUp, who=_WHO, after=_HANGS_UP_AFTER, told=st.booleans()),
    st.builds(TimePasses, who=_WHO, seconds=st.sampled_from([1, 5, 130, 620])),
    st.builds(Dies, who=_WHO, replica=st.integers(0, 1), after=st.sampled_from([0.3, 0.9, 1.1, 2.0])),
)


def _wish(who: int, wish: Says, answers: Sequence[Step], between: Sequence[Step]) -> list[Step]:
    """Return a wish and its answers, with something else before the last of them."""
    return [replace(step, who=who) for step in (wish, *answers[:-1], *between, *answers[-1:])]


_WISH_WITH_ANSWERS = st.builds(
    _wish,
    _WHO,
    st.one_of(_likely(WISHES), _says(WISHES)),
    st.lists(_ANSWERS, min_size=1, max_size=4),
    st.lists(_ANYTHING, max_size=1),
)


def _trap(who: int, wish: str, move: Sequence[Step]) -> list[Step]:
    """Return how he comes to a question, and what then must not pass for an answer to it."""
    return [replace(step, who=who) for step in (IsAsked(who, wish), *move)]


def _moves(*steps: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Step]]:
    return st.tuples(*steps).map(list)


_BLOCKS, _LOSSES, _CHANGES = WISHES[:5], WISHES[5:8], WISHES[:14]
_WITH_PIN = tuple(wish for wish in WISHES if re.search("unblock|unfreeze|activate|replace|balance|limit", wish))
_SOME_WORDS = st.tuples(st.just("words"), st.integers(1, 12))
_A_MOMENT = st.tuples(st.just("seconds"), st.sampled_from([0.1, 0.4, 0.8]))
_YES = st.builds(Says, who=_WHO, words=st.sampled_from(YESES))
_YES_FOR_A_MOMENT = st.builds(Says, who=_WHO, words=st.sampled_from(YESES), hears=_A_MOMENT)
_TAIL = st.one_of(st.sampled_from(TAILS), st.sampled_from(ELSEWHERE))
_GROWING_YES = st.builds(
    lambda yes, pause, tail, **how: Says(0, f"{yes} [{pause}] {tail}", **how),
    st.sampled_from(YESES[:2]), st.sampled_from([0.3, 0.5, 0.7, 0.9, 1.5, 2.5]), _TAIL,
    guesses=st.sampled_from([(), (2, 3), (2, 3, 4, 5, 6)]), words_per_second=st.sampled_from([None, 20, 20]),
    both=st.sampled_from([False, False, True]),
)  # fmt: skip
_TAIL_ALONE = st.builds(Says, who=_WHO, words=_TAIL, words_per_second=st.sampled_from([None, 20, 20]))
_LATE = st.builds(SentLate, who=_WHO, back=st.integers(0, 3))
_ANOTHER_LATE = st.builds(SentLate, who=_WHO, back=st.integers(0, 3), goes_on=st.booleans())
_STILL_ON = st.builds(SentLate, who=_WHO, back=st.just(0), goes_on=st.just(True))
_HANGS_UP = st.builds(HangsUp, who=_WHO, after=_HANGS_UP_AFTER, told=st.booleans())
_TEN_MINUTES = st.builds(TimePasses, who=_WHO, seconds=st.just(620))
_TAKES_BACK = st.builds(Says, who=_WHO, words=st.sampled_from(["take it back", "not that one"]))
_CUT_QUESTION = st.one_of(
    _moves(st.builds(Repeats, who=_WHO, hears=_SOME_WORDS), _YES),
    _moves(st.builds(Says, who=_WHO, words=st.sampled_from(OTHERS), hears=_SOME_WORDS), _YES),
)
_OVERTAKEN_YES = st.one_of(
    _moves(_GROWING_YES),
    _moves(_GROWING_YES, _ANOTHER_LATE),
    _moves(_YES_FOR_A_MOMENT, _STILL_ON, _TAIL_ALONE),
    _moves(_YES_FOR_A_MOMENT, _TAIL_ALONE),
)
_MOVE = st.one_of(
    _CUT_QUESTION,
    _OVERTAKEN_YES,
    _moves(_YES_FOR_A_MOMENT, _HANGS_UP),
    _moves(_YES, _LATE, _ANOTHER_LATE),
    _moves(_YES_FOR_A_MOMENT, _HANGS_UP, _LATE, _ANOTHER_LATE),
    _moves(_TEN_MINUTES, _YES),
    _moves(_TEN_MINUTES, st.builds(IsAsked, who=_WHO, words=st.sampled_from(_WITH_PIN)), _YES),
    _moves(_YES, st.builds(TimePasses, who=_WHO, seconds=st.just(130)), _TAKES_BACK),
    _moves(_YES, st.builds(IsAsked, who=_WHO, words=st.sampled_from(_CHANGES)), _YES),
)
_OPENS_WHAT_IS_CLOSED = _moves(_YES, st.builds(IsAsked, who=_WHO, words=st.sampled_from(OPENINGS)), _YES)
_WRONG_PINS = st.permutations([Says(0, pin) for pin in WRONG])
_UNSURE_PIN = _moves(st.builds(Answers, who=_WHO, words=st.sampled_from(TAILS), words_per_second=st.just(20)))


def _gives_pins(who: int, wish: str, pins: Sequence[Step]) -> list[Step]:
    """Return how he says PINs that are wrong, or not meant, and then the right one."""
    return [replace(step, who=who) for step in (Says(who, wish), *pins, IsAsked(who, wish))]


UNHEARD = st.builds(_trap, _WHO, st.sampled_from(_CHANGES), _CUT_QUESTION)
"""A question is cut, and then he says yes."""
OVERTAKEN = st.builds(_trap, _WHO, st.sampled_from(_BLOCKS), _OVERTAKEN_YES)
"""A yes settles, and other words come."""
_TRAP = st.one_of(
    UNHEARD,
    OVERTAKEN,
    *[st.builds(_trap, _WHO, st.sampled_from(wishes), _MOVE) for wishes in (_CHANGES, _CHANGES, _BLOCKS, _BLOCKS)],
    st.builds(_trap, _WHO, st.sampled_from(_LOSSES), _OPENS_WHAT_IS_CLOSED),
    st.builds(_gives_pins, _WHO, st.sampled_from(_WITH_PIN), st.one_of(_WRONG_PINS, _UNSURE_PIN)),
)
_CHAPTER = st.one_of(_WISH_WITH_ANSWERS, _TRAP, _TRAP, _ANYTHING.map(lambda step: [step]))


def steps(longest: int) -> st.SearchStrategy[list[Step]]:
    """Return stories of so many steps at most."""
    chapters = st.lists(_CHAPTER, min_size=longest // 5, max_size=longest // 2)
    return chapters.map(lambda found: [step for chapter in found for step in chapter][:longest])


CHATS = st.tuples(st.sampled_from([False, False, False, True]), st.sampled_from([False, False, True]))
