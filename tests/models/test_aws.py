"""`auto` chooses Nova only where an AWS account is set up whole, and finds that out without asking anybody."""

from pathlib import Path

import pytest

from teller.models.aws import find_account

REGION = {"AWS_REGION": "us-east-1"}
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}


@pytest.mark.parametrize(
    ("environment", "usable", "why"),
    [
        ({}, False, "no AWS region"),
        (KEYS, False, "no AWS region"),
        (REGION, False, "no credentials"),
        ({**REGION, "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE"}, False, "incomplete"),
        ({**REGION, "AWS_SECRET_ACCESS_KEY": "secret"}, False, "incomplete"),
        ({**REGION, **KEYS, "AWS_SECRET_ACCESS_KEY": ""}, False, "incomplete"),
        ({**REGION, **KEYS}, True, "the environment"),
        ({"AWS_DEFAULT_REGION": "eu-west-1", **KEYS}, True, "eu-west-1"),
        ({**REGION, "AWS_BEARER_TOKEN_BEDROCK": "token"}, True, "AWS_BEARER_TOKEN_BEDROCK"),
    ],
)
def test_the_environment_decides(tmp_path: Path, environment: dict[str, str], usable: bool, why: str) -> None:
    account = find_account({"HOME": str(tmp_path), **environment})
    assert account.usable is usable
    assert why in account.why
    assert "secret" not in account.why.replace("its secret", "")


@pytest.mark.parametrize(
    ("config", "credentials", "usable"),
    [
        ("[default]\nregion = us-east-1\n", "", False),
        ("[default]\nregion = us-east-1\n", "[default]\naws_access_key_id = A\naws_secret_access_key = B\n", True),
        ("[default]\nregion = us-east-1\n", "[default]\naws_access_key_id = A\n", False),
        ("[default]\nregion = us-east-1\n", "[other]\naws_access_key_id = A\naws_secret_access_key = B\n", False),
        ("[default]\nregion = us-east-1\nsso_session = corp\n", "", True),
        ("not an ini file", "[default\n", False),
    ],
)
def test_so_does_the_profile(tmp_path: Path, config: str, credentials: str, usable: bool) -> None:
    folder = tmp_path / ".aws"
    folder.mkdir()
    (folder / "config").write_text(config)
    (folder / "credentials").write_text(credentials)
    assert find_account({"HOME": str(tmp_path)}).usable is usable


def test_a_named_profile_is_read(tmp_path: Path) -> None:
    config, credentials = tmp_path / "config", tmp_path / "credentials"
    config.write_text("[profile bank]\nregion = us-east-1\n")
    credentials.write_text("[bank]\naws_access_key_id = A\naws_secret_access_key = B\n")
    files = {"AWS_CONFIG_FILE": str(config), "AWS_SHARED_CREDENTIALS_FILE": str(credentials)}
    assert find_account({"AWS_PROFILE": "bank", **files}).usable
    assert not find_account(files).usable
