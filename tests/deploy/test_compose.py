"""docker-compose.yml starts Teller alone, and the rest under the profile `full`."""

from typing import Any

import pytest
import yaml

from tests.support.server import ROOT


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The file, read."""
    read: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    return read


def test_up_starts_teller_alone(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert [name for name, service in services.items() if "profiles" not in service] == ["teller"]
    assert {name for name, service in services.items() if service.get("profiles") == ["full"]} == {
        "opensearch",
        "postgres",
    }
    assert "depends_on" not in services["teller"]


def test_teller_is_built_here_and_reached_from_this_machine(compose: dict[str, Any]) -> None:
    teller = compose["services"]["teller"]
    assert teller["build"] == "."
    assert teller["ports"] == ["127.0.0.1:${PORT:-8000}:8000"]
    assert teller["env_file"] == [{"path": ".env", "required": False}]
    assert teller["environment"]["PORT"] == "8000"


def test_its_data_outlive_it(compose: dict[str, Any]) -> None:
    teller = compose["services"]["teller"]
    assert teller["volumes"] == [f"teller-data:{teller['environment']['DATA_DIR']}"]
    named = {volume.split(":")[0] for service in compose["services"].values() for volume in service["volumes"]}
    assert named == set(compose["volumes"])


@pytest.mark.parametrize("name", ["opensearch", "postgres"])
def test_the_others_have_a_healthcheck_and_no_open_port(compose: dict[str, Any], name: str) -> None:
    service = compose["services"][name]
    assert service["healthcheck"]["test"][0] == "CMD-SHELL"
    assert "ports" not in service
