"""Tables, terms and days as quote reads them: a bank's rates are asked by what lies between their bounds."""

import pytest
from langchain_core.messages import AIMessage

from teller.models.quote.facets import Facet, facets
from teller.models.quote.model import QuoteChatModel
from teller.models.quote.sentences import quotables
from tests.models.test_quote import DECLINE, cross_encoder, embedder, passage, prompt, quote

__all__ = ["cross_encoder", "embedder", "quote"]

BONDS = passage(
    "bonds.md",
    "Term bonds",
    "Rates",
    "| Term | Under $10,000 | $10,000 to $49,999 | $50,000 and over | Early closing |\n|---|---|---|---|---|\n"
    "| 12 months | 3.10% | 3.20% | 3.35% | 60 days' interest |\n"
    "| 24 months | 3.40% | 3.55% | 3.70% | 90 days' interest |\n"
    "| 60 months | 3.15% | 3.25% | 3.45% | 180 days' interest |",
)
HOURS = passage(
    "hours.md",
    "Branch hours",
    "When we are open",
    "| Branch | Monday to Thursday | Friday | Saturday |\n|---|---|---|---|\n"
    "| Elm Street | 9 to 4 | 9 to 6 | 10 to 1 |\n| Lakeside | 10 to 3 | 10 to 5 | closed |\n\n"
    "On December 24 every branch closes at noon.",
)
WIRES = passage(
    "fees.md",
    "Fees",
    "Fees by account",
    "| Group | Service | Personal | Business |\n|---|---|---|---|\n| Wires | Domestic | $20 | $26 |\n"
    "| Wires | Foreign | $41 | $52 |\n| Checks | Stop payment | $31 | $33 |",
)

REPLACEMENTS = passage(
    "cards.md",
    "Cards",
    "Card fees",
    "| Fee | Amount |\n|---|---|\n| Replacement card, by mail | Free |\n| Replacement card, by courier | $24 |\n"
    "| Copy of a statement | $6 |",
)
BOXES = passage(
    "boxes.md",
    "Deposit boxes",
    "Yearly rent",
    "| Size | Members | Non-members | Largest sum insured |\n|---|---|---|---|\n| Small | $50 | $81 | $5,000 |\n"
    "| Medium | $94 | $141 | $15,000 |\n| Large | $160 | $230 | $40,000 |",
)


@pytest.mark.parametrize(
    ("text", "kind", "low", "high"),
    [
        ("37 to 60 months", "months", 37, 60),
        ("a two-year bond", "months", 24, 24),
        ("Up to 75% LTV", "percent", 0, 75),
        ("$25,000 to $99,999", "money", 25_000, 99_999),
        ("what do you pay on 10k", "money", 10_000, 10_000),
        ("Mon-Thu", "weekday", 0, 3),
        ("from June 15 through August 14", "date", 615, 814),
        ("are you open on Christmas Eve", "date", 1224, 1224),
        ("24 December", "date", 1224, 1224),
        ("December 24-26", "date", 1224, 1226),
        ("between 3 and 9 August", "date", 803, 809),
        ("EUR 36 a year", "money", 36, 36),
        ("model years 2021-2025", "year", 2021, 2025),
    ],
)
def test_reads_amounts_terms_and_days_as_ranges(text: str, kind: str, low: float, high: float) -> None:
    assert [(facet.kind, facet.low, facet.high) for facet in facets(text)] == [(kind, low, high)]


@pytest.mark.parametrize("day", ["Christmas Eve 2027", "24 December 2027", "December 24, 2027"])
def test_a_day_with_its_year_names_both(day: str) -> None:
    told = facets(f"are you open on {day}?")
    assert [(facet.kind, facet.low) for facet in told] == [("date", 1224), ("year", 2027)]
    assert told[1].names


def test_reads_lists_of_days_and_of_terms() -> None:
    assert [facet.low for facet in facets("25 and 26 December")] == [1225, 1226]
    assert [facet.low for facet in facets("fixed for 5, 10 and 15 years")] == [60, 120, 180]


def test_clock_times_and_telephone_numbers_are_no_amounts() -> None:
    assert facets("Call 555-0142 before 4:30 p.m., the 2nd line") == ()


def test_one_lies_in_the_other_only_where_both_are_of_a_kind() -> None:
    assert Facet("months", 48, 48).meets(Facet("months", 37, 60))
    assert not Facet("months", 48, 48).meets(Facet("money", 37, 60))


@pytest.mark.parametrize(
    ("question", "said", "not_said"),
    [
        ("what is the rate of the two year bond for $20,000", "3.55%", "3.40%"),
        ("what rate do I get on a 5 year bond with 60,000 dollars", "3.45%", "3.25%"),
        ("what is the fee of a foreign wire for a business", "$52", "$41"),
        ("when does Lakeside close on Friday", "10 to 5", "10 to 3"),
        ("is Elm Street open on Saturday", "10 to 1", "9 to 6"),
        ("when do you close on Christmas Eve", "noon", None),
        ("i could put in 60 thousand, what does the two year bond pay", "3.70%", "3.40%"),
        ("twenty grand for one year, at what rate", "3.20%", "3.10%"),
    ],
)
async def test_says_the_row_and_the_column_that_were_asked_for(
    quote: QuoteChatModel, question: str, said: str, not_said: str | None
) -> None:
    reply = (await quote.ainvoke(prompt(question, [BONDS, HOURS, WIRES]))).text
    assert said in reply
    assert not_said is None or not_said not in reply


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("i'm not a member, what would a medium box cost a year", "$141"),
        ("what's the most that is insured in a small box", "$5,000"),
    ],
)
async def test_the_row_that_was_named_is_told_whatever_has_more(
    quote: QuoteChatModel, question: str, said: str
) -> None:
    assert said in (await quote.ainvoke(prompt(question, [BOXES, HOURS]))).text


@pytest.mark.parametrize(
    ("history", "question", "said"),
    [
        ("what is the rate of the one year bond for $20,000", "and for two years", "3.55%"),
        ("when does Elm Street close on Friday", "and on Saturday", "10 to 1"),
        ("what is the rate of the 2 year bond for $20,000", "and 5", "3.25%"),
    ],
)
async def test_a_follow_up_changes_what_it_names_and_keeps_the_rest(
    quote: QuoteChatModel, history: str, question: str, said: str
) -> None:
    assert said in (await quote.ainvoke(prompt(question, [BONDS, HOURS, WIRES], [history]))).text


async def test_where_it_was_not_asked_which_all_forms_of_a_thing_are_told(quote: QuoteChatModel) -> None:
    either = (await quote.ainvoke(prompt("what does a replacement card cost", [REPLACEMENTS, BOXES]))).text
    assert "by mail" in either
    assert "$24" in either
    one = (await quote.ainvoke(prompt("what does a replacement card by courier cost", [REPLACEMENTS, BOXES]))).text
    assert "$24" in one
    assert "by mail" not in one


async def test_what_was_told_is_not_told_again_to_who_names_another(quote: QuoteChatModel) -> None:
    first = (await quote.ainvoke(prompt("what does a medium box cost a year for members", [BOXES]))).text
    assert "$94" in first
    conversation = prompt("and the giant one", [BOXES], ["what does a medium box cost a year for members"])
    conversation[-2] = AIMessage(first)
    assert "$94" not in (await quote.ainvoke(conversation)).text


@pytest.mark.parametrize(
    "question",
    [
        "what is the rate of the four year bond",
        "what were the rates of the bonds in 2019",
        "what does a diamond wire cost",
        "are you open on Christmas Eve 2019",
    ],
)
async def test_another_term_or_year_is_a_near_miss(quote: QuoteChatModel, question: str) -> None:
    assert (await quote.ainvoke(prompt(question, [BONDS, HOURS, WIRES]))).text == DECLINE


def test_all_that_follows_a_question_stands_under_it_until_the_next_heading() -> None:
    visit = passage(
        "visit.md",
        "Visits",
        "First visit",
        "What do I bring to the first visit?\n\nThe desk is on the left. The door is green.\n\n"
        "- an identity card\n- a house key\n\n## Parking\n\nParking is free of charge.",
    )
    under = {one.text: "What do I bring" in one.context for one in quotables(visit)}
    assert under["- an identity card\n- a house key"]
    assert under["The door is green."]
    assert not under["Parking is free of charge."]
