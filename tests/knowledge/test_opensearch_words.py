"""Both indexes cut and stem words alike, so that the same question finds the same passages."""

import httpx
import pytest

from teller.knowledge.words import stems
from tests.knowledge.openers import OpenSearchOpener
from tests.support.opensearch.node import Node
from tests.support.server import ROOT

TEXTS = (
    *sorted((ROOT / "teller" / "knowledge" / "documents").glob("*.md")),
    *sorted((ROOT / "bench" / "sets").rglob("*.md")),
)


@pytest.fixture
async def analysed(opensearch: Node, opensearch_opener: OpenSearchOpener) -> str:
    """The address that tells what the index makes of a text."""
    await opensearch_opener.open()
    return f"{opensearch.url}/{opensearch_opener.alias}-000001/_analyze"


def tokens(analysed: str, text: str) -> list[str]:
    said = httpx.post(analysed, json={"field": "text", "text": text}, timeout=30).json()
    return [token["token"] for token in said["tokens"]]


async def test_on_all_documents_of_the_project(analysed: str) -> None:
    seen: set[str] = set()
    for file in TEXTS:
        assert tokens(analysed, file.read_text()) == stems(file.read_text()), file
        seen |= set(stems(file.read_text()))
    assert len(seen) > 1_500


@pytest.mark.parametrize(
    "text",
    [
        "It's the customer's card; they're e-mailed, co-owned and re-opened.",
        "€1,250.50 at 3.75% APR (24/7) on 2026-01-31, see §4.2_b",
        "Café naïve résumé Zürich Łódź Straße coöperate Ærø œuvre ﬁne ά й привет 你好",
        "Nebraska NASA iOS IBAN DE89370400440532013000",
        "as is by of it an go ally skies generously relational hopping controlling",
        "\u201csmart\u201d \u2018quotes\u2019 \u2014 dashes\u2026 non\u00a0breaking ½ ² №5",
    ],
)
async def test_on_what_is_written_in_unusual_ways(analysed: str, text: str) -> None:
    assert tokens(analysed, text) == stems(text)
