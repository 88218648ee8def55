"""Which documents a chat answers from on which day: the bank's day, in the bank's time zone."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from graph.workflow import build_workflow
from tests.support.in_process import in_process

OLD = b"---\ntitle: Pet passports\nexpires: 2026-06-30\n---\n## Fee\n\nA pet passport costs $10.\n"
NEW = b"---\ntitle: Pet passports\neffective: 2026-07-01\n---\n## Fee\n\nA pet passport costs $12.\n"


async def answer(http: httpx.AsyncClient) -> str:
    messages = [{"role": "user", "content": "How much does a pet passport cost?"}]
    reply = await http.post("/api/chat/completions/", json={"messages": messages, "stream": False})
    content: str = reply.json()["choices"][0]["message"]["content"]
    return content


@pytest.mark.parametrize(
    ("zone", "last_moment", "first_moment"),
    [
        ("America/New_York", "2026-07-01T03:59:59+00:00", "2026-07-01T04:00:00+00:00"),
        ("Asia/Tokyo", "2026-06-30T14:59:59+00:00", "2026-06-30T15:00:00+00:00"),
    ],
)
async def test_at_midnight_where_the_bank_is_one_document_ends_and_the_next_begins(
    data_dir: Path, zone: str, last_moment: str, first_moment: str
) -> None:
    now = [""]
    async with in_process(data_dir, bank_timezone=zone) as (app, http):
        services = replace(app.state.services, clock=lambda: datetime.fromisoformat(now[0]))
        app.state.graph = await build_workflow(services)
        for name, data in (("pets-2025.md", OLD), ("pets-2026.md", NEW)):
            taken = await http.post("/api/documents/upload/", files={"file": (name, data, "text/markdown")})
            assert taken.status_code == 200
        now[0] = last_moment
        assert "$10" in await answer(http)
        now[0] = first_moment
        assert "$12" in await answer(http)


async def test_a_document_of_the_future_and_one_of_the_past_answer_nothing(data_dir: Path) -> None:
    async with in_process(data_dir) as (_, http):
        for name, data in (
            ("past.md", OLD.replace(b"2026-06-30", b"2001-01-01")),
            ("future.md", NEW.replace(b"2026-07-01", b"2999-01-01")),
        ):
            taken = await http.post("/api/documents/upload/", files={"file": (name, data, "text/markdown")})
            assert taken.status_code == 200
        said = await answer(http)
        assert "$10" not in said
        assert "$12" not in said
