"""Asks Teller through OpenAI's own client, and prints the answer as it streams in.

    .venv/bin/python examples/openai_python.py "What is the interest rate of a car loan?"

BASE_URL (default http://localhost:8000) and API_KEY are read from the environment. The client is a development
dependency: `.venv/bin/uv sync --frozen --group dev`.
"""
# ruff: noqa: T201  # it is a script: it prints

import os
import sys

from openai import OpenAI


def ask(question: str) -> None:
    """Print the answer to one question, word by word."""
    base_url = os.environ.get("BASE_URL", "http://localhost:8000")
    client = OpenAI(base_url=f"{base_url}/api", api_key=os.environ.get("API_KEY", "no key is set"))
    stream = client.chat.completions.create(
        model="default", messages=[{"role": "user", "content": question}], stream=True
    )
    for chunk in stream:
        print(chunk.choices[0].delta.content or "", end="", flush=True)
    print()


if __name__ == "__main__":
    ask(" ".join(sys.argv[1:]) or "What loan options are available?")
