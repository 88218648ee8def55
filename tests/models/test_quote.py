"""What the embedded answerer promises, through the interface of a chat model and with the real embedder."""

import re
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage

from teller.knowledge import passage_block
from teller.knowledge.index import Passage, Vector
from teller.models.cross_encoder import CrossEncoder
from teller.models.embedder import OnnxEmbedder
from teller.models.query_vectors import QueryVectors
from teller.models.quote.model import QuoteChatModel

DECLINE = "I can't tell you that. Shall I connect you with a person?"


def passage(filename: str, title: str, section: str, text: str) -> Passage:
    return Passage(f"{filename}#{section}", filename, filename, title, section, text)


CARDS = passage(
    "cards.md",
    "Credit cards",
    "The cards compared",
    "Fernhill Bank offers three credit cards.\n\n"
    "| Card | Annual fee | Purchase APR | Foreign fee |\n|---|---|---|---|\n"
    "| Gold Mastercard | $95 | 18.99% | none |\n"
    "| Travel Visa | $150 | 19.99% | none |\n"
    "| Student Visa | none | 22.49% | 2.5% |",
)
LOST = passage(
    "lost.md",
    "Lost cards",
    "Replacement",
    "A replacement for a lost card arrives in 5 to 7 business days. It is free of charge. "
    "However, express delivery within 2 business days costs $20.",
)
CARS = passage(
    "loans.md",
    "Car loans",
    "Rates",
    "A loan for a **new** car costs 5.49% APR. A loan for a *used* car costs 6.24% APR. "
    "A used car may be at most ten years old.",
)
APPLY = passage(
    "loans.md",
    "Car loans",
    "How to apply",
    "To apply for a car loan, please bring:\n\n- a photo ID\n- two recent pay stubs\n- proof of address\n\n"
    "Most applications are decided on the same day.",
)
HOURS = passage(
    "branches.md",
    "Branches",
    "Opening hours",
    "## Opening hours\nBranches are open Monday to Friday from 9 a.m. to 5 p.m. Eastern. On Saturday they close at "
    "1 p.m. All branches are closed on Sundays.\n\n## Coins\nCoins are counted free of charge at every branch.",
)
RATES = passage(
    "personal.md",
    "Personal loans",
    "Interest rates",
    "A Fernhill personal loan has a fixed rate that depends on your credit score.\n\n"
    "| Credit score | Personal loan APR |\n|---|---|\n| 700 to 739 | 11.99% |\n| 640 to 669 | 17.99% |",
)
FEES = passage(
    "fees.md",
    "Fees",
    "All card fees",
    "| Fee | Amount | Which cards |\n|---|---|---|\n| Late payment | $29 | All |\n| Cash advance | 5% | All |\n"
    "| Annual fee | $95 | Gold |\n| Annual fee | $150 | Travel |",
)
DISPUTE = passage(
    "disputes.md",
    "Disputing a charge",
    "How to open a dispute",
    "You can open a dispute in the app or by phone. It is free.\n\n"
    "1. Choose the charge and tap Dispute.\n2. Pick the reason.\n3. Add photos of receipts.\n\n"
    "A charge can be disputed within 60 days of the statement.",
)
PREAPPROVAL = passage(
    "homes.md",
    "Home loans",
    "Pre-approval",
    "A home loan pre-approval is valid for 90 days. The pre-approval letter costs nothing.",
)
PASSAGES = [CARDS, LOST, CARS, APPLY, HOURS]
QUESTIONS = [
    "how much is the gold card a year",
    "compare the gold and the travel card",
    "how long does a replacement card take",
    "what do I need to bring to apply for a car loan",
    "is express delivery free",
    "when do you close on saturday",
    "do you have brokerage accounts",
    "hello",
    "",
]


class DirectVectors:
    """Vectors straight from the embedder."""

    def __init__(self, embedder: OnnxEmbedder) -> None:
        self._embedder = embedder

    async def vectors(self, texts: Sequence[str], *, as_queries: bool = False) -> list[Vector]:
        return [np.array(vector, dtype=np.float32) for vector in self._embedder.embed_documents(list(texts))]


@pytest.fixture(scope="module")
def embedder() -> OnnxEmbedder:
    return OnnxEmbedder()


@pytest.fixture(scope="module")
def cross_encoder() -> CrossEncoder:
    return CrossEncoder()


@pytest.fixture
def quote(embedder: OnnxEmbedder, cross_encoder: CrossEncoder) -> QuoteChatModel:
    return QuoteChatModel(
        decline=DECLINE,
        vectors=DirectVectors(embedder),
        questions=QueryVectors(embedder),
        cross_encoder=cross_encoder,
        count_tokens=embedder.count_tokens,
    )


def prompt(question: str, passages: Sequence[Passage] = PASSAGES, history: Sequence[str] = ()) -> list[BaseMessage]:
    earlier = [message for turn in history for message in (HumanMessage(turn), AIMessage("Of course."))]
    asked = HumanMessage(f"{passage_block.render(passages)}\n\n{question}")
    return [SystemMessage("Answer from the passages."), *earlier, asked]


async def test_answers_with_the_documents_own_sentence_and_names_the_file(quote: QuoteChatModel) -> None:
    reply = await quote.ainvoke(prompt("how long does a replacement card take"))
    assert "A replacement for a lost card arrives in 5 to 7 business days." in reply.text
    assert reply.response_metadata["quoted"] == ["lost.md"]
    assert reply.response_metadata["finish_reason"] == "stop"


@pytest.mark.parametrize(
    "question",
    [
        "do you have brokerage accounts",
        "how much is a safe deposit box",
        "can I get euros in cash",
        "what is the rate on a certificate of deposit",
        "what's the annual fee on the platinum card",
        "what is the capital of Portugal",
    ],
)
async def test_declines_what_the_passages_do_not_say(quote: QuoteChatModel, question: str) -> None:
    reply = await quote.ainvoke(prompt(question))
    assert reply.text == DECLINE
    assert reply.response_metadata["declined"] is True
    assert "quoted" not in reply.response_metadata


async def test_declines_without_passages(quote: QuoteChatModel) -> None:
    assert (await quote.ainvoke(prompt("how much is the gold card", []))).text == DECLINE
    assert (await quote.ainvoke([HumanMessage("how much is the gold card")])).text == DECLINE


@pytest.mark.parametrize(
    ("question", "said", "not_said"),
    [
        ("what's the APR on a loan for a used car", "6.24%", None),
        ("what's the APR on a loan for a new car", "5.49%", None),
        ("how much is the travel visa a year", "$150", "$95"),
        ("how much is the gold mastercard a year", "$95", "$150"),
    ],
)
async def test_speaks_of_the_product_that_was_asked_about(
    quote: QuoteChatModel, question: str, said: str, not_said: str | None
) -> None:
    reply = (await quote.ainvoke(prompt(question))).text
    assert said in reply
    assert not_said is None or not_said not in reply


async def test_a_table_row_is_told_with_the_columns_that_were_asked_for(quote: QuoteChatModel) -> None:
    reply = await quote.ainvoke(prompt("what is the annual fee of the gold mastercard", [CARDS]))
    assert reply.text == "Gold Mastercard: annual fee $95."


async def test_an_overview_is_the_opening_sentence_of_what_it_is_about(quote: QuoteChatModel) -> None:
    for question in (
        "Tell me about personal loans",
        "I'm interested in a personal loan",
        "information on personal loans",
        "what can you tell me about personal loans",
    ):
        reply = (await quote.ainvoke(prompt(question, [RATES, CARS, CARDS]))).text
        assert reply == "A Fernhill personal loan has a fixed rate that depends on your credit score."


@pytest.mark.parametrize("question", ["tell me about business checking", "I'm interested in a pension plan"])
async def test_no_overview_is_given_of_what_no_passage_is_about(quote: QuoteChatModel, question: str) -> None:
    assert (await quote.ainvoke(prompt(question, [RATES, CARS, CARDS]))).text == DECLINE


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (
            "OK so I've been going back and forth between the gold and the travel card, my sister loves hers. "
            "But, um, what would the travel visa set me back every year?",
            "$150",
        ),
        (
            "Hi, so my wife and I found a house and the agent wants a preapproval letter, um, "
            "how long is that letter good for?",
            "90 days",
        ),
        ("my wallet is gone, I had it on the bus this morning. How long does a replacement card take?", "5 to 7"),
    ],
)
async def test_after_a_story_what_is_asked_last_is_answered(quote: QuoteChatModel, question: str, said: str) -> None:
    assert said in (await quote.ainvoke(prompt(question, [*PASSAGES, PREAPPROVAL]))).text


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("by when do I have to contest a charge", "within 60 days"),
        ("what would a rush replacement set me back", "$20"),
        ("how long is the letter good for", "90 days"),
        ("which papers do I bring for a car loan", "two recent pay stubs"),
    ],
)
async def test_everyday_words_find_the_documents_words(quote: QuoteChatModel, question: str, said: str) -> None:
    assert said in (await quote.ainvoke(prompt(question, [LOST, APPLY, DISPUTE, PREAPPROVAL]))).text


@pytest.mark.parametrize(
    "question",
    [
        "What loan options are available?",
        "What loan options do you have?",
        "what kinds of loan can I choose from",
        "which types of loans do you offer",
    ],
)
async def test_what_a_question_calls_its_answers_need_not_be_in_the_documents(
    quote: QuoteChatModel, question: str
) -> None:
    loans = passage("which.md", "Loan eligibility", "Which loans we offer", "Fernhill offers car loans and home loans.")
    assert "offers car loans and home loans" in (await quote.ainvoke(prompt(question, [loans, RATES, APPLY]))).text


async def test_a_row_named_by_a_number_is_told_with_its_columns_name(quote: QuoteChatModel) -> None:
    reply = await quote.ainvoke(prompt("what's the APR on a personal loan with a score of 710", [RATES]))
    assert "Credit score 700 to 739: personal loan APR 11.99%." in reply.text
    assert "17.99%" not in reply.text


async def test_a_value_in_words_stands_behind_a_colon(quote: QuoteChatModel) -> None:
    reply = await quote.ainvoke(prompt("what is the foreign fee of the travel visa", [CARDS]))
    assert reply.text == "Travel Visa, foreign fee: none."


async def test_rows_of_one_name_are_told_whole(quote: QuoteChatModel) -> None:
    reply = (await quote.ainvoke(prompt("what is the annual fee of the gold card", [FEES]))).text
    assert "Annual fee: amount $95, which cards: Gold." in reply


async def test_prose_is_said_rather_than_a_row_that_tells_the_same_and_never_both(quote: QuoteChatModel) -> None:
    prose = passage("gold.md", "Gold card", "Cost", "The annual fee of the Gold Mastercard is $95.")
    reply = await quote.ainvoke(prompt("what is the annual fee of the gold mastercard", [CARDS, prose]))
    assert reply.text == "The annual fee of the Gold Mastercard is $95."


async def test_steps_are_told_in_order_after_what_leads_them_in(quote: QuoteChatModel) -> None:
    reply = await quote.ainvoke(prompt("how do I open a dispute", [DISPUTE, LOST]))
    assert reply.text == (
        "You can open a dispute in the app or by phone.\n"
        "1. Choose the charge and tap Dispute.\n2. Pick the reason.\n3. Add photos of receipts."
    )


@pytest.mark.parametrize(
    "question",
    [
        "is there a sign-up bonus on the travel visa",
        "what is the rate on a boat loan",
        "can I refinance my student loan",
        "what's the fee for a lost safe deposit key",
    ],
)
async def test_a_missing_modifier_of_what_is_asked_for_is_a_near_miss(quote: QuoteChatModel, question: str) -> None:
    assert (await quote.ainvoke(prompt(question))).text == DECLINE


async def test_a_list_is_quoted_as_a_list_with_its_lead_in(quote: QuoteChatModel) -> None:
    reply = await quote.ainvoke(prompt("what do I need to bring to apply for a car loan"))
    assert reply.text == (
        "To apply for a car loan, please bring:\n- a photo ID\n- two recent pay stubs\n- proof of address"
    )


@pytest.mark.parametrize("question", ["compare the gold and the travel card", "gold or travel, which is cheaper"])
async def test_a_comparison_puts_two_rows_side_by_side(quote: QuoteChatModel, question: str) -> None:
    reply = (await quote.ainvoke(prompt(question))).text
    assert re.match(r"Gold Mastercard: .*\$95.* Travel Visa: .*\$150", reply)


async def test_a_follow_up_is_understood_in_its_conversation(quote: QuoteChatModel) -> None:
    reply = await quote.ainvoke(prompt("and the travel one?", history=["how much is the gold card a year"]))
    assert "$150" in reply.text


async def test_a_sentence_that_leans_is_said_with_the_one_before_it(quote: QuoteChatModel) -> None:
    reply = (await quote.ainvoke(prompt("what does express delivery of a lost card cost", [LOST]))).text
    assert "$20" in reply
    assert reply.startswith("A replacement for a lost card")


async def test_a_sentence_that_leans_on_nothing_is_said_as_it_stands(quote: QuoteChatModel) -> None:
    fees = passage("fees.md", "Fees", "Schedule", "This schedule takes effect on March 1, 2026 and replaces the last.")
    assert "March 1, 2026" in (await quote.ainvoke(prompt("when does the fee schedule take effect", [fees]))).text


async def test_a_clause_is_said_without_its_number(quote: QuoteChatModel) -> None:
    terms = passage("terms.md", "Deposits", "Terms", "4.1 Keep the paper check for 14 days.\n\n4.2 Then destroy it.")
    said = (await quote.ainvoke(prompt("how long do I keep the paper check", [terms]))).text
    assert said.startswith("Keep the paper check for 14 days.")


async def test_the_dots_of_a_post_office_box_end_no_sentence(quote: QuoteChatModel) -> None:
    mail = passage("mail.md", "Deposits", "By mail", "Mail checks to Fernhill Bank, P.O. Box 611, Akron, OH 44308.")
    assert "P.O. Box 611, Akron" in (await quote.ainvoke(prompt("where do i mail checks to", [mail, HOURS, LOST]))).text


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(passages=st.lists(st.sampled_from(PASSAGES), unique_by=id), question=st.sampled_from(QUESTIONS))
async def test_says_nothing_that_no_passage_says(quote: QuoteChatModel, passages: list[Passage], question: str) -> None:
    reply = await quote.ainvoke(prompt(question, passages))
    if reply.response_metadata.get("declined"):
        assert reply.text == DECLINE
        return
    sources = [one for one in passages if one.filename in reply.response_metadata["quoted"]]
    written = " ".join(re.sub(r"[*#]", "", one.text) for one in sources).split()
    flat = " ".join(written)
    for line in reply.text.removeprefix("- ").split("\n"):
        for sentence in re.split(r"(?<=[a-z%]\.) (?=[A-Z])", line.removeprefix("- ")):
            assert sentence in flat or is_row_of(sentence, sources), sentence


def is_row_of(sentence: str, sources: Sequence[Passage]) -> bool:
    """Return whether 'Name: column value, column value.' stands in a table, every value under its column."""
    name, _, told = sentence.removesuffix(".").partition(": ")
    for source in sources:
        header, *rows = [
            [cell.strip() for cell in line.strip("|").split("|")] for line in source.text.splitlines() if "|" in line
        ] or [[]]
        for row in rows:
            known = {f"{column} {value}".casefold() for column, value in zip(header, row, strict=True)}
            if row[0] == name and {part.replace(":", "").casefold() for part in told.split(", ")} <= known:
                return True
    return False


async def test_no_reply_begins_with_a_dangling_word(quote: QuoteChatModel) -> None:
    for question in QUESTIONS:
        reply = (await quote.ainvoke(prompt(question, [LOST]))).text
        assert not reply.startswith(("It ", "However", "This ", "They "))


async def test_streams_word_by_word_and_the_chunks_are_the_whole_text(quote: QuoteChatModel) -> None:
    messages = prompt("what do I need to bring to apply for a car loan")
    whole = await quote.ainvoke(messages)
    chunks = [chunk async for chunk in quote.astream(messages)]
    words = [chunk.text for chunk in chunks if chunk.text]
    assert "".join(words) == whole.text
    assert len(words) == len(whole.text.split())
    last = chunks[-1]
    assert isinstance(last, AIMessageChunk)
    assert last.usage_metadata == whole.usage_metadata
    assert last.response_metadata["quoted"] == ["loans.md"]


async def test_usage_counts_the_question_the_passages_and_the_reply(
    quote: QuoteChatModel, embedder: OnnxEmbedder
) -> None:
    reply = await quote.ainvoke(prompt("is express delivery free", [LOST, CARS]))
    assert reply.usage_metadata is not None
    read = sum(embedder.count_tokens(text) for text in ("is express delivery free", LOST.text, CARS.text))
    assert reply.usage_metadata["input_tokens"] == read
    assert reply.usage_metadata["output_tokens"] == embedder.count_tokens(reply.text)
    assert reply.usage_metadata["total_tokens"] == read + embedder.count_tokens(reply.text)


@pytest.mark.parametrize("limit", [1, 5, 9])
async def test_max_tokens_cuts_at_a_word_and_says_so(quote: QuoteChatModel, embedder: OnnxEmbedder, limit: int) -> None:
    messages = prompt("how long does a replacement card take")
    whole = (await quote.ainvoke(messages)).text
    reply = await quote.ainvoke(messages, max_tokens=limit)
    assert embedder.count_tokens(reply.text) <= limit
    assert whole.startswith(f"{reply.text} ")
    assert reply.response_metadata["finish_reason"] == "length"
    streamed = "".join([chunk.text async for chunk in quote.astream(messages, max_tokens=limit)])
    assert streamed == reply.text


async def test_stop_ends_the_text_before_the_first_stop_string(quote: QuoteChatModel) -> None:
    messages = prompt("how long does a replacement card take")
    reply = await quote.ainvoke(messages, stop=["nowhere", " business", "days"])
    assert reply.text == "A replacement for a lost card arrives in 5 to 7"
    assert reply.response_metadata["finish_reason"] == "stop"


async def test_preparing_passages_changes_no_answer(quote: QuoteChatModel) -> None:
    cold = await quote.ainvoke(prompt("when do you close on saturday"))
    await quote.prepare(PASSAGES)
    assert (await quote.ainvoke(prompt("when do you close on saturday"))).text == cold.text


def test_refuses_to_block_a_thread(quote: QuoteChatModel) -> None:
    with pytest.raises(NotImplementedError, match="ainvoke"):
        quote.invoke("hello")


def test_takes_no_tools(quote: QuoteChatModel) -> None:
    with pytest.raises(NotImplementedError):
        quote.bind_tools([])
