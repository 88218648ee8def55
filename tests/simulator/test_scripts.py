"""Scripts: what is taken, and what is told of a wrong one; and the page about them names everything there is."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from simulator import script
from simulator.reading import MOST_BYTES, ScriptError, parse_script, read_script
from simulator.script import STEPS, EndCall, Expect, HangUp, Interruption, Say, Script, Setting
from simulator.speaking import words_of
from tests.support.server import ROOT

PAGE = (ROOT / "docs" / "call_scripts.md").read_text("utf-8")


def steps(text: str) -> Script:
    return parse_script("steps:\n" + text)


def test_values_are_taken_as_they_are_written() -> None:
    say, end = steps("  - {say: yes, ledger: {0356: blocked}, writes: 1}\n  - {end_call: true}\n").steps
    assert isinstance(say, Say)
    assert isinstance(end, EndCall)
    assert (say.say, say.ledger, say.writes) == ("yes", {"0356": "blocked"}, 1)


def test_one_is_as_good_as_a_list_of_one() -> None:
    (say,) = steps("  - {say: a b, guesses: 1, replica: 1, expect: {all: x, not: y}}\n").steps
    assert isinstance(say, Say)
    assert (say.guesses, say.replica, say.expect) == ((1,), (1,), Expect(all=("x",), **{"not": ("y",)}))


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("3", Interruption(words=3)),
        ("{words: 0}", Interruption(words=0)),
        ("{seconds: 0.3}", Interruption(seconds=0.3)),
    ],
)
def test_an_interruption_counts_words_or_seconds(given: str, read: Interruption) -> None:
    (say,) = steps(f"  - {{say: a, barge_in: {given}}}\n").steps
    (hang_up,) = steps(f"  - {{hang_up: {given}}}\n").steps
    assert isinstance(say, Say)
    assert isinstance(hang_up, HangUp)
    assert (say.barge_in, hang_up.hang_up) == (read, read)


@pytest.mark.parametrize("given", ["none", "null", "~", '""'])
def test_there_may_be_no_opening(given: str) -> None:
    assert parse_script(f"opening: {given}\nsteps: [{{say: a}}]").opening is None


def test_pauses_stand_between_words() -> None:
    utterance = words_of("yes [0.9] but [0.1][0.2] not that[1] one")
    assert utterance.words == ("yes", "but", "not", "that", "one")
    assert utterance.pauses == {1: 0.9, 2: pytest.approx(0.3), 4: 1.0}


WRONG = [
    ("", "call.yaml:1: steps: is needed"),
    ("steps: []", "call.yaml:1: steps: is a list of one step or more"),
    ("stepz: 1\nsteps:\n  - say: a", "call.yaml:1: stepz: is not known here"),
    ("steps:\n  - say: a\n    expects: {all: b}", "call.yaml:3: steps.1.expects: is not known here"),
    ("steps:\n  - say: a\n  - sing: b", "call.yaml:3: steps.2: a step is one of say, keypad, "),
    ("steps:\n  - say: a\n    keypad: 1", "call.yaml:2: steps.1: a step is one of "),
    ("steps:\n  - say: a b\n    guesses: [3]", "call.yaml:2: steps.1: guesses: there are 2 words"),
    ("steps:\n  - say: '[0.5]'", "call.yaml:2: steps.1: say: there is no word in it"),
    ("steps:\n  - wait: soon", "call.yaml:2: steps.1.wait: Input should be a valid number"),
    ("steps:\n  - say: a\n    ledger:\n      '1881': lost", "call.yaml:4: steps.1.ledger.1881: Input should be "),
    ("steps:\n  - say: a\n    expect: {regex: '('}", "call.yaml:3: steps.1.expect: regex: missing )"),
    ("steps:\n  - say: a\n    expect: {arguments: {a: b}}", "call.yaml:3: steps.1.expect: arguments need the tool"),
    ("steps:\n  - hang_up: {seconds: 1, words: 2}", "call.yaml:2: steps.1.hang_up"),
    ("steps:\n  - forge: [{robot: a}]", "call.yaml:2: steps.1.forge: a message is by system, user or assistant"),
    ("steps:\n  - say: a\n  - replay: 2", "call.yaml:1: step 2: replay: names an earlier step"),
    ("tools: ['a b']\nsteps: [{say: a}]", "call.yaml:1: tools.1: String should match"),
    ("steps:\n  - keypad: 12a", "call.yaml:2: steps.1.keypad: String should match"),
    ("steps:\n  - say: a\n    say: b", "call.yaml:3: say: stands here twice"),
    ("steps:\n  - say: a\n - say: b", "call.yaml:3: no YAML: "),
    ("a: &x [1]\nsteps: *x", "call.yaml: aliases (*name) are not taken"),
    ("- say: a", "call.yaml:1: fields with values are expected here, such as `name: …`"),
    ("good morning", "call.yaml:1: fields with values are expected here"),
    ("steps:" + "\n  - wait: 0" * 201, "call.yaml:1: steps: at most 200 can stand here"),
    ("steps:\n  - hang_up: later", "call.yaml:2: steps.1.hang_up: is after_reply, or {words: 2} or {seconds: 0.3}"),
    ("caller:\n  number: '+1'\n  how: post\nsteps: [{say: a}]", "call.yaml:3: caller.how: Input should be 'vapi'"),
    ("[" * 5000, "call.yaml"),
]


@pytest.mark.parametrize(("text", "told"), WRONG)
def test_a_wrong_script_is_told_with_line_and_field(text: str, told: str) -> None:
    with pytest.raises(ScriptError) as caught:
        parse_script(text, "call.yaml")
    assert str(caught.value).startswith(told)


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(ScriptError) as caught:
        steps("  - wait: a\n  - wait: b\n")
    assert len(str(caught.value).splitlines()) == 2


def test_a_file_that_is_missing_long_or_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "long.yaml").write_bytes(b" " * (MOST_BYTES + 1))
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe")
    for name, told in (("none", "can't be read"), ("long", "is longer than"), ("binary", "is no UTF-8 text")):
        with pytest.raises(ScriptError, match=told):
            read_script(tmp_path / f"{name}.yaml")


def test_the_page_names_every_field_and_every_step() -> None:
    named = set(re.findall(r"`([a-z_.]+)", PAGE))
    for part in (script.CallerId, script.Speech, script.Transcript):
        assert _fields(part, f"{part.__name__.removesuffix('Id').lower()}.") <= named
    assert _fields(Expect, "expect.") <= named
    nested = {"caller", "speech", "transcript"}
    assert _fields(Setting) - nested | {"steps"} <= named
    assert set(STEPS) <= named
    assert _fields(Say) - {"say", "expect"} <= named


def _fields(model: type[BaseModel], before: str = "") -> set[str]:
    return {before + (field.alias or name) for name, field in model.model_fields.items()}


@pytest.mark.parametrize("model", [script.Speech, script.Transcript, script.Setting])
def test_the_page_tells_the_defaults(model: type[BaseModel]) -> None:
    for name, field in model.model_fields.items():
        if name in ("name", "about", "system", "caller", "speech", "transcript", "tools"):
            continue
        before = "" if model is Setting else f"{model.__name__.lower()}."
        told = re.search(rf"^\| `{before}{name}` \| `?([^|`]+)`? \|", PAGE, re.MULTILINE)
        assert told, name
        assert told[1].strip() == str(field.default).lower().replace("hello, how", "Hello, how").replace(" i ", " I ")
