"""Models by name, Titan for the search, and what `teller check` says of a model that cannot be used."""

import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.support.bedrock.client import BedrockWire
from tests.support.server import TELLER, environment, start_server

LOANS = [{"role": "user", "content": "What loan options are available?"}]
PROFILE = "us.amazon.nova-pro-v1:0"
ARN = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/bank"


def test_a_request_names_models_and_aliases_and_anything_else_means_the_default(
    bank: Path, wire: BedrockWire, tmp_path: Path
) -> None:
    settings = {
        "CHAT_MODEL": "amazon.nova-lite-v1:0",
        "MODEL_ALIASES": f"smart={PROFILE},ours={ARN}",
        "BASE_MODEL_ID": "amazon.nova-micro-v1:0",
    }
    data_dir = shutil.copytree(bank, tmp_path / "data")
    server, process = start_server(data_dir, **settings, **wire.environment())
    answered: dict[str, str] = {}
    with httpx.Client(base_url=server.base_url, timeout=30) as http:
        for name in ("amazon.nova-lite-v1:0", PROFILE, "smart", "ours", "quote", "gpt-3.5-turbo"):
            reply = http.post("/api/chat/completions/", json={"model": name, "messages": LOANS, "stream": False})
            answered[name] = reply.json()["model"]
        listed = {model["id"] for model in http.get("/v1/models").json()["data"]}
    process.terminate()
    process.communicate(timeout=10)
    assert answered == {
        "amazon.nova-lite-v1:0": "amazon.nova-lite-v1:0",
        PROFILE: PROFILE,
        "smart": PROFILE,
        "ours": ARN,
        "quote": "quote",
        "gpt-3.5-turbo": "amazon.nova-lite-v1:0",
    }
    assert listed == {"quote", "amazon.nova-lite-v1:0", PROFILE, ARN, "smart", "ours"}


def test_titan_embeds_documents_and_questions_and_the_index_keeps_to_it(wire: BedrockWire, tmp_path: Path) -> None:
    wire.reset()
    titan = {"EMBEDDING_MODEL": "amazon.titan-embed-text-v2:0/256", "CHAT_MODEL": "quote", **wire.environment()}
    document = tmp_path / "pets.md"
    document.write_text("# Pets\n\n## Dogs\n\nA Larkfield branch welcomes calm dogs on a leash.\n")
    data_dir = tmp_path / "data"
    taken = teller(data_dir, "ingest", str(document), SAMPLE_BANK="off", **titan)
    assert taken.returncode == 0, taken.stderr
    asked = teller(data_dir, "ask", "Are dogs welcome in a branch?", SAMPLE_BANK="off", **titan)
    assert "leash" in asked.stdout, asked.stderr
    assert {one.body["dimensions"] for one in wire.requests()} == {256}
    refused = teller(data_dir, "ask", "Are dogs welcome in a branch?", SAMPLE_BANK="off")
    assert refused.returncode == 1
    assert "amazon.titan-embed-text-v2:0/256" in refused.stderr


@pytest.mark.parametrize(
    ("fault", "told"), [("AccessDeniedException", "account"), ("ResourceNotFoundException", "amazon.nova-lite-v1:0")]
)
def test_check_asks_the_model_for_one_token_and_says_what_is_wrong(
    bank: Path, wire: BedrockWire, tmp_path: Path, fault: str, told: str
) -> None:
    wire.reset()
    data_dir = shutil.copytree(bank, tmp_path / "data")
    nova = {"CHAT_MODEL": "amazon.nova-lite-v1:0", **wire.environment()}
    assert teller(data_dir, "check", **nova).returncode == 0
    assert wire.requests()[0].body["inferenceConfig"]["maxTokens"] == 1
    wire.script({"fault": fault})
    wrong = teller(data_dir, "check", **nova)
    assert wrong.returncode == 1
    assert told in " ".join(wrong.stdout.split())


def teller(data_dir: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    env = environment(data_dir, COLUMNS="200", **settings)
    return subprocess.run([TELLER, *arguments], env=env, capture_output=True, text=True, timeout=120)
