"""Whether this process has an AWS account to use: told from the environment and AWS's own files, without asking AWS.

The instance metadata service is not probed: on any machine outside AWS that would delay the start by seconds.
"""

import configparser
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_CONTAINER_ROLES = (
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)


@dataclass(frozen=True, slots=True)
class AwsAccount:
    """What was found: usable if a region and whole credentials are set; `why` says which, or what is missing."""

    usable: bool
    why: str


def find_account(environment: Mapping[str, str] = os.environ) -> AwsAccount:
    """Return the account that the environment or the profile sets. Whether it is still valid shows at its first use."""
    profile = environment.get("AWS_PROFILE") or environment.get("AWS_DEFAULT_PROFILE") or "default"
    config = _section(_file(environment, "AWS_CONFIG_FILE", "config"), profile, f"profile {profile}")
    shared = _section(_file(environment, "AWS_SHARED_CREDENTIALS_FILE", "credentials"), profile)
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or config.get("region")
    if not region:
        return AwsAccount(False, "no AWS region is set")
    credentials = _credentials(environment, config, shared)
    if credentials is None:
        return AwsAccount(False, f"an AWS region is set ({region}), but no credentials are")
    if credentials == "":
        return AwsAccount(False, "the AWS credentials are incomplete: a key id and its secret belong together")
    return AwsAccount(True, f"region {region}, credentials from {credentials}")


def _credentials(environment: Mapping[str, str], config: Mapping[str, str], shared: Mapping[str, str]) -> str | None:
    """Return where credentials come from; None where there are none, empty where they are half there."""
    if environment.get("AWS_BEARER_TOKEN_BEDROCK"):
        return "AWS_BEARER_TOKEN_BEDROCK"
    halves = [bool(environment.get(name)) for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")]
    if any(halves):
        return "the environment" if all(halves) else ""
    for found in (shared, config):
        halves = [bool(found.get(name)) for name in ("aws_access_key_id", "aws_secret_access_key")]
        if any(halves):
            return "the profile" if all(halves) else ""
    if any(config.get(name) for name in ("sso_session", "sso_start_url", "role_arn", "credential_process")):
        return "the profile"
    return "the role of this container" if any(environment.get(name) for name in _CONTAINER_ROLES) else None


def _file(environment: Mapping[str, str], variable: str, name: str) -> Path:
    home = environment.get("HOME") or str(Path.home())
    return Path(environment.get(variable) or Path(home) / ".aws" / name).expanduser()


def _section(file: Path, *names: str) -> Mapping[str, str]:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(file, "utf-8")
    except (configparser.Error, OSError, UnicodeDecodeError):
        return {}
    return next((dict(parser[name]) for name in names if parser.has_section(name)), {})
