"""Talks to Teller through LangServe's RemoteRunnable: a question, then one about the caller's card.

    .venv/bin/python examples/langserve_client.py

BASE_URL (default http://localhost:8000) and API_KEY are read from the environment.
"""
# ruff: noqa: T201  # it is a script: it prints

import os
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langserve import RemoteRunnable


def main() -> None:
    """Have a conversation of two turns as the demo caller +1234567890."""
    base_url = os.environ.get("BASE_URL", "http://localhost:8000")
    headers = {"Authorization": f"Bearer {os.environ['API_KEY']}"} if "API_KEY" in os.environ else {}
    agent: RemoteRunnable[dict[str, Any], str] = RemoteRunnable(f"{base_url}/agent/", headers=headers)
    messages: list[BaseMessage] = []
    for question in ("What does the Gold card cost a year?", "Is my own card blocked?"):
        print(f"you     {question}\nteller  ", end="")
        messages.append(HumanMessage(question))
        pieces: list[str] = []
        for piece in agent.stream({"messages": messages, "caller": {"phone": "+1234567890"}}):
            print(piece, end="", flush=True)
            pieces.append(piece)
        print()
        messages.append(AIMessage("".join(pieces)))


if __name__ == "__main__":
    main()
