"""The filter takes out what must not be heard, however the stream is cut."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from graph.options import Channel
from graph.text_filter import TextFilter

CHANNELS: tuple[Channel, Channel] = ("chat", "voice")


def heard(channel: Channel, *pieces: str) -> str:
    text_filter = TextFilter(channel)
    return "".join([*(text_filter.feed(piece) for piece in pieces), text_filter.end()])


@pytest.mark.parametrize(
    ("said", "chat", "voice"),
    [
        ("Hello there.", "Hello there.", "Hello there."),
        ("<thinking>The user wants 4242.</thinking>\nYes.", "Yes.", "Yes."),
        ("Wait <flush /> now", "Wait  now", "Wait  now"),
        ("1 < 2 and a<b", "1 < 2 and a<b", "1 < 2 and a<b"),
        ("Card 4111 1111 1111 1111 is yours", "Card [card ending 1111] is yours", "Card [card ending 1111] is yours"),
        ("It costs $1,250.40, not $95.", "It costs $1,250.40, not $95.",
         "It costs 1,250 dollars and 40 cents, not 95 dollars."),
        ("It is $29, and $1,000, too.", "It is $29, and $1,000, too.", "It is 29 dollars, and 1,000 dollars, too."),
        ("At 7.49% APR.", "At 7.49% APR.", "At 7.49 percent APR."),
        ("Due 2026-12-14.", "Due 2026-12-14.", "Due December 14, 2026."),
        ("**Bold** and `code`", "**Bold** and `code`", "Bold and code"),
        ("# Loans\n\n- home\n- auto\n", "# Loans\n\n- home\n- auto\n", "Loans. home. auto. "),
        ("1. Call us.\n2. Wait.", "1. Call us.\n2. Wait.", "Call us. Wait."),
        ("See [this](https://b.example/x) now", "See [this](https://b.example/x) now", "See this now"),
        ("See ![x](https://evil.example/?q=1) now!", "See [x](https://evil.example/?q=1) now!", "See x now!"),
        ('<img src="https://evil.example/?q=1">Yes', "Yes", "Yes"),
        (f'<img src="{"a" * 100}">', f'img src="{"a" * 100}">', f'img src="{"a" * 100}">'),
        ("Go to https://bank.example/x.", "Go to https://bank.example/x.", "Go to our website"),
        ("<thinking>never ends 4111", "", ""),
    ],
)  # fmt: skip
def test_what_is_heard(said: str, chat: str, voice: str) -> None:
    assert heard("chat", said) == chat
    assert heard("voice", said) == voice


TEXTS = st.lists(
    st.sampled_from(
        ["<thinking>", "</thinking>", "<flush />", "<", ">", "<b", "4111 1111 1111 1111", "4111-1111", "7.49%", "$",
         "$1,250.40", "$29,", "2026-12-14", "**", "\n- ", "\n", "# ", "[a b](http://x.y)", "[", "](", "https://x.y/z",
         "www.", "hello", "!", "![", "<img ", " ", "how", "1. ", "12", "x", "%", ".", "think"]
    )
).map("".join)  # fmt: skip


@pytest.mark.parametrize("channel", CHANNELS)
@given(text=TEXTS)
@example(text="$1,250.40.4111 1111 1111 1111")
def test_it_does_not_matter_where_the_stream_is_cut(channel: Channel, text: str) -> None:
    whole = heard(channel, text)
    for place in range(len(text) + 1):
        assert heard(channel, text[:place], text[place:]) == whole
    assert heard(channel, *text) == whole


@pytest.mark.parametrize("channel", CHANNELS)
@given(text=st.text(max_size=60))
def test_any_text_is_cut_anywhere(channel: Channel, text: str) -> None:
    assert heard(channel, *text) == heard(channel, text)


@given(before=TEXTS, number=st.from_regex(r"[0-9]{16}", fullmatch=True), after=st.sampled_from(["", " ", "."]))
def test_no_card_number_is_ever_heard(before: str, number: str, after: str) -> None:
    assert number not in heard("chat", f"{before} x{number}{after}")


def test_words_are_not_kept_back() -> None:
    text_filter = TextFilter("voice")
    assert text_filter.feed("Hello there, ") == "Hello there,"
    assert text_filter.feed("friend ") == " friend"
