"""The arguments of a tool call, read from the prompt by one rule a type.

Every required property is filled, and an optional one if the text names it. In the order of the schema, a property
takes:

- `const` or `enum`: the first allowed value that stands in the text, else the first allowed value
- a number: the next number of the text, else the schema's minimum, else 0
- a boolean: false if the text has a word of denial (no, not, don't, without, never), else true
- a string: what follows its own name (`city: Paris`, `city = Paris`, `city is Paris`); else the next quoted part of the
  text; else the whole text
- an array of numbers: all the numbers that are left; another array: one item by these rules
- an object: its properties by these rules
"""

import re
from collections.abc import Mapping
from typing import Any

_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?")
_QUOTED = re.compile(r"""(?<!\w)(?:'([^']+)'|"([^"]+)"|\u201c([^\u201d]+)\u201d|\u2018([^\u2019]+)\u2019)(?!\w)""")
_DENIAL = re.compile(r"\b(?:no|not|don't|without|never)\b", re.IGNORECASE)
_QUOTES = " '\"\u201c\u201d\u2018\u2019"
_DEEPEST = 8

Schema = Mapping[str, Any]


def arguments(schema: Schema, text: str) -> dict[str, Any]:
    """Return the arguments that a text gives a tool with this input schema."""
    return _Reader(schema.get("$defs", schema.get("definitions", {})), text).an_object(schema, _DEEPEST)


class _Reader:
    """Reads a text from the left: a number or a quoted part is taken once."""

    def __init__(self, definitions: Mapping[str, Schema], text: str) -> None:
        self._definitions = definitions
        self._text = text
        self._numbers = _NUMBER.findall(text)
        self._quoted = ["".join(groups) for groups in _QUOTED.findall(text)]

    def an_object(self, schema: Schema, depth: int) -> dict[str, Any]:
        required = schema.get("required", ())
        wanted = {
            name: part
            for name, part in schema.get("properties", {}).items()
            if name in required or re.search(rf"\b{_words(name)}\b", self._text, re.IGNORECASE)
        }
        return {name: self._value(name, part, depth - 1) for name, part in wanted.items()} if depth else {}

    def _value(self, name: str, schema: Schema, depth: int) -> Any:
        schema = self._resolved(schema)
        if allowed := [schema["const"]] if "const" in schema else schema.get("enum"):
            return self._one_of(allowed)
        match _type(schema):
            case "integer":
                return int(self._number(schema))
            case "number":
                return self._number(schema)
            case "boolean":
                return _DENIAL.search(self._text) is None
            case "array":
                return self._array(name, schema.get("items", {}), depth)
            case "object":
                return self.an_object(schema, depth)
            case "null":
                return None
            case _:
                return self._string(name)

    def _resolved(self, schema: Schema) -> Schema:
        """Follow references, and take the first branch that is not null."""
        for _ in range(_DEEPEST):
            if "$ref" in schema:
                schema = self._definitions.get(schema["$ref"].rpartition("/")[2], {})
            for choice in ("anyOf", "oneOf", "allOf"):
                if choice in schema:
                    schema = next((part for part in schema[choice] if part.get("type") != "null"), {})
        return schema

    def _one_of(self, allowed: list[Any]) -> Any:
        text = self._text.casefold()
        return next((value for value in allowed if str(value).casefold() in text), allowed[0])

    def _number(self, schema: Schema) -> float:
        return float(self._numbers.pop(0)) if self._numbers else float(schema.get("minimum", 0))

    def _string(self, name: str) -> str:
        own = re.search(rf"\b{_words(name)}\s*(?::|=|\bis\b)\s*([^,.;\n]+)", self._text, re.IGNORECASE)
        if own:
            return own[1].strip(_QUOTES)
        return self._quoted.pop(0) if self._quoted else self._text

    def _array(self, name: str, items: Schema, depth: int) -> list[Any]:
        if _type(self._resolved(items)) in ("integer", "number"):
            return [self._value(name, items, depth - 1) for _ in range(len(self._numbers) or 1)]
        return [self._value(name, items, depth - 1)] if depth else []


def _type(schema: Schema) -> str:
    named = schema.get("type", "object" if "properties" in schema else "string")
    return next((one for one in named if one != "null"), "null") if isinstance(named, list) else str(named)


def _words(name: str) -> str:
    """Return a pattern for a name as it is written or spoken: `customer_name` or `customer name`."""
    return re.escape(name).replace("_", "[_ ]")
