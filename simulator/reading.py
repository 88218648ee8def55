"""A script from YAML; what is wrong with it is told with its line.

Values are taken as they are written: `say: yes` says yes, and `0356` keeps its zero.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from simulator.script import STEPS, Script

MOST_BYTES = 200_000

Place = tuple[str | int, ...]

_PLAINLY = {
    "extra_forbidden": "is not known here",
    "missing": "is needed",
    "model_type": "fields with values are expected here, such as `name: …`",
    "too_long": "at most {max_length} can stand here",
}


class ScriptError(Exception):
    """A script that can't be played; the message says where and why."""


def read_script(path: Path) -> Script:
    """Return the script in a file.

    Raises:
        ScriptError: it can't be read; one line for each thing that is wrong, with file, line and field.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as failure:
        raise ScriptError(f"{path}: can't be read ({failure.strerror})") from None
    if len(content) > MOST_BYTES:
        raise ScriptError(f"{path}: is longer than {MOST_BYTES:,} bytes")
    try:
        return parse_script(content.decode("utf-8"), str(path))
    except UnicodeDecodeError:
        raise ScriptError(f"{path}: is no UTF-8 text") from None


def parse_script(text: str, name: str = "script") -> Script:
    """Return the script in a text; `name` stands for it in messages.

    Raises:
        ScriptError: as `read_script`.
    """
    lines: dict[Place, int] = {(): 1}
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
            raise ScriptError(f"{name}: aliases (*name) are not taken")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        given = _plain(node, (), lines, name) if node else {}
    except yaml.MarkedYAMLError as wrong:
        line = wrong.problem_mark.line + 1 if wrong.problem_mark else 1
        raise ScriptError(f"{name}:{line}: no YAML: {wrong.problem}") from None
    except (yaml.YAMLError, RecursionError):
        raise ScriptError(f"{name}: no YAML") from None
    try:
        return Script.model_validate(given)
    except ValidationError as wrong:
        raise ScriptError("\n".join(_problems(wrong, lines, name))) from None


def _plain(node: yaml.Node, place: Place, lines: dict[Place, int], name: str) -> Any:
    """Return a node as dicts, lists and strings, and note the line of each."""
    lines[place] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode) or key.value in found:
                raise ScriptError(f"{name}:{line}: {key.value if key.value in found else 'this'}: stands here twice")
            found[key.value] = _plain(value, (*place, key.value), lines, name)
            lines[(*place, key.value)] = line
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_plain(value, (*place, number), lines, name) for number, value in enumerate(node.value)]
    return node.value


def _problems(wrong: ValidationError, lines: dict[Place, int], name: str) -> Iterator[str]:
    for error in wrong.errors(include_url=False):
        place = _as_written(error["loc"])
        line = next(lines[place[:length]] for length in range(len(place), -1, -1) if place[:length] in lines)
        field = ".".join(str(part + 1 if isinstance(part, int) else part) for part in place)
        plainly = _PLAINLY.get(error["type"])
        message = plainly.format(**error.get("ctx", {})) if plainly else error["msg"].removeprefix("Value error, ")
        yield f"{name}:{line}: {field + ': ' if field else ''}{message}"


def _as_written(place: Place) -> Place:
    """Leave out the tag that tells which kind of step it is: it stands in no file."""
    if len(place) > 2 and place[0] == "steps" and place[2] in STEPS:
        return place[:2] + place[3:]
    return place
