"""What a wrong value of an option is told to be: in plain words, whatever reads it."""

from collections.abc import Iterator

import pytest
import typer
from pydantic import ValidationError

from facemon.cli.main import run, usage_text
from tests.every_command import single_commands

_WORDS_OF_PYDANTIC = ("Value error", "Assertion failed", "Input should", "unable to parse", "pydantic")
_WRONG = ("nothing", "-1", "1e99", "inf", "nan", "1" * 5000, "")


def _refused() -> Iterator[tuple[str, typer.TyperException]]:
    """Each option with each wrong value that it refuses, parsed and not run."""
    for path, found in single_commands():
        for option in (each for each in found.params if each.param_type_name == "option" and not each.is_eager):
            for text in _WRONG:
                try:
                    found.make_context(" ".join(path), [f"{option.opts[0]}={text}"])
                except typer.TyperException as error:
                    yield f"{' '.join(path)} {option.opts[0]} {text!r}", error


def test_no_option_speaks_of_how_it_is_read() -> None:
    said = {what: usage_text(error) for what, error in _refused() if isinstance(error.__cause__, ValidationError)}
    assert len(said) > 30, "the options that are read by pydantic"
    assert not {what: text for what, text in said.items() if any(word in text for word in _WORDS_OF_PYDANTIC)}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("render-config --for nothing", "'nothing' is not one of 'full', 'monitoring', 'existing',"),
        ("serve --workers 0", "'--workers': must be at least 1, not 0"),
        ("drift-check --min-rows x", "must be a whole number, not 'x'"),
        ("drift-check --model-threshold 7", "must be at most 1, not 7"),
        ("drift-check --model-threshold x", "must be a number, not 'x'"),
    ],
)
def test_a_wrong_value(line: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(line.split()) == 2
    assert said in capsys.readouterr().err
