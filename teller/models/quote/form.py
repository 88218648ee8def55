"""Does a sentence have the form that a question asks for: a value of its kind, a list, steps, an opening, a row?"""

import re
from collections.abc import Mapping

from teller.models.quote.agreement import compare
from teller.models.quote.answer_type import holds
from teller.models.quote.asked import Asked
from teller.models.quote.candidates import Candidate
from teller.models.quote.question_words import stems

FOR_FORM = (
    "untyped",  # the question wants an amount, a time, ... and the sentence holds none
    "list_asked",  # a list, and a list was asked for
    "steps_asked",  # a list, and the steps of something were asked for
    "list_unasked",
    "step_alone",  # one item, where a list or steps were asked for
    "row",  # a table row
    "row_unasked",  # ... of which no column was asked for, by its name or by its kind of value
    "item",  # a list item
    "list_under",  # a list, by the share of the question's words that its headings have, but where it asked for kinds
    "decides",  # yes or no was asked, and it says what may be, must be, or is not
    "example",  # reckons an example: "on a home of $240,000 that is $12,000"
    "few_words",  # how little it says: 1 for a single word
    "opens",  # the first sentence of its section
    "overview_plain",  # where an overview was asked for: says what the thing is, not what to do with it, or when
    "overview_named",  # ... and stands under headings that name all of it
    "how_headed",  # steps were asked for, and a heading says that it tells them
    "tells_how",  # steps were asked for, and it tells one to do something
    "bounds",  # the most or the least was asked for, and it says so of something
    "figure",  # a price, a limit or a rate was asked for, and it has an amount of money or a percentage
    "offers",  # the kinds or options of something were asked for, and it says what there is
    "first_passage",  # from the passage that the search ranked first
)
_TO_DO = re.compile(r"(?:To|If|When|Before|After|For|Once|You (?:can|may|must|need))\b")
_DECIDES = re.compile(
    r"\b(?:can|cannot|may|must|need|no|not|never|none|only|free|possible|allowed|available|closed|yes|unless|any)\b"
    r"|n['\u2019]t\b",
    re.IGNORECASE,
)
_EXAMPLE = re.compile(
    r"\b(?:for example|for instance|therefore|compared with|suppose)\b"
    r"|^(?:(?:On|For|With|From) )?an? (?:[\w-]+ ){1,3}(?:of|that costs|worth) [$\u00a3\u20ac]\d.*[$\u00a3\u20ac]\d",
    re.IGNORECASE,
)
_TELLS_HOW = re.compile(
    r"(?:^|[,;:.] |\b(?:and|then|or) |\d\. )(?:please )?(?:tap|choose|open|call|phone|ring|go to|write|send|ask|enter"
    r"|type|click|select|press|sign|log|visit|bring|fill|use|scan|hold|tell|contact|complete|download|set|turn|put|show|come"
    r"|e-?mail|apply|pick|give|take|make|start|register|confirm|insert)\b"
    r"|\bby (?:\w+ ){0,2}\w+ing\b|\byou can .{0,60}\b(?:in|at|through|by|on) ",
    re.IGNORECASE,
)
_ASKS_BOUND = re.compile(
    r"\b(?:most|least|max(?:imum)?|min(?:imum)?|(?:big|high|large|low|small|long|short|late|earli)est|limits?"
    r"|how (?:big|high|large|low|far|much can|many can|old do|young))\b",
    re.IGNORECASE,
)
_BOUNDS = re.compile(
    r"\b(?:up to|at (?:most|least)|(?:no|not) (?:more|less|fewer|later|longer) than|max(?:imum)?|min(?:imum)?|most"
    r"|least|limit(?:ed)?|(?:high|low|large|small|big|long|short)est|between|within|over|under|above|below|from|cap(?:ped)?"
    r"|exceed\w*|only)\b",
    re.IGNORECASE,
)
_FIGURE = re.compile(r"[$\u00a3\u20ac]\s?\d|\d\s?%|\b(?:EUR|USD|GBP|CHF)\s?\d|\b\d+\s?p\b", re.IGNORECASE)
_OFFERS = re.compile(
    r"\b(?:offers?|kinds?|types?|sorts?|options?|choose|choices?|available|range|have|there are)\b", re.IGNORECASE
)
_FIGURES = frozenset({"price", "amount", "rate", "count"})
_HOW_TO = re.compile(r"\bHow (?:to|do I|can I|you)\b", re.IGNORECASE)


def form_of(candidate: Candidate, asked: Asked, found: Mapping[str, frozenset[str]]) -> tuple[float, ...]:
    """Return the columns `FOR_FORM`; the last one is filled in by the caller."""
    quotable = candidate.quotable
    is_list, overview = quotable.kind == "list", asked.wants_overview
    return (
        bool(asked.kind) and not holds(asked.kind, quotable.text),
        is_list and asked.wants_list,
        is_list and asked.wants_steps,
        is_list and not (asked.wants_list or asked.wants_steps or asked.may_be_list),
        quotable.kind == "item" and (asked.wants_list or asked.wants_steps),
        quotable.kind == "row",
        quotable.kind == "row" and not _has_column(candidate, asked, found),
        quotable.kind == "item",
        is_list and not asked.may_be_list and _under(candidate, asked, found),
        asked.wants_yes_or_no and bool(_DECIDES.search(quotable.text)),
        quotable.kind != "row" and bool(_EXAMPLE.search(quotable.text)),
        1.0 / (len(candidate.own) or 1),
        quotable.opens,
        overview and not _TO_DO.match(quotable.text),
        overview and all(found[word] & candidate.context for word in asked.things),
        asked.wants_steps and bool(_HOW_TO.search(quotable.context)),
        asked.wants_steps and bool(_TELLS_HOW.search(quotable.text)),
        bool(_ASKS_BOUND.search(asked.turn)) and bool(_BOUNDS.search(quotable.text)),
        asked.kind in _FIGURES and bool(_FIGURE.search(quotable.text)),
        asked.may_be_list and bool(_OFFERS.search(quotable.text)),
        0.0,
    )


def _under(candidate: Candidate, asked: Asked, found: Mapping[str, frozenset[str]]) -> float:
    """Return which share of the question's words the headings have; one word alone says little."""
    return sum(bool(found[word] & candidate.context) for word in asked.words) / max(len(asked.words), 2)


def _has_column(row: Candidate, asked: Asked, found: Mapping[str, frozenset[str]]) -> bool:
    """Return whether a row has a column that was asked for: by a word, by a facet, or by the kind of its value."""
    columns = [column for column, _ in row.quotable.cells[1:]]
    named = frozenset().union(*(found[word] for word in asked.words)) & frozenset(stems(" ".join(columns)))
    fits = any(compare(facet, column) == "fits" for facet in asked.facets for column in columns)
    of_kind = bool(asked.kind) and any(holds(asked.kind, value) for _, value in row.quotable.cells[1:])
    return bool(named) or fits or of_kind
