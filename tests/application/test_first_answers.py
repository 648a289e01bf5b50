"""What `facemon init` makes of answers: a file that loads and renders, a plan, and commands that there are."""

import shlex
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import product
from pathlib import Path
from typing import TypeVar

import pytest

from facemon.application.first_answers import Answers, ask_answers
from facemon.application.first_configuration import first_configuration
from facemon.application.first_steps import answered_sections, tell_first_steps
from facemon.application.operation import HiddenProgress, Progress
from facemon.config.document import Config
from facemon.config.loader import parse_config
from facemon.errors import FacemonError
from facemon.render.purpose import fitted
from facemon.render.stack import render_stack
from tests.every_command import every_command

T = TypeVar("T")
IMAGES = ("", "s3://faces/november/", "api")
WAYS = (
    ("",), ("team@example.com", "", "", ""), ("team@example.com", "mail.example:465", "f@example.com", "me", ""),
    ("slack", "", "#faces"), ("pagerduty", ""), ("teams", "keys/teams"),
)  # fmt: skip
MONITORING = (("",), ("containers",), ("existing",))


class Person:
    """Answers questions from a list, the rest by an empty line; keeps what was said about wrong answers."""

    def __init__(self, *answers: str) -> None:
        self.answers: Iterator[str] = iter(answers)
        self.questions: list[str] = []
        self.told: list[str] = []

    def __call__(self, question: str, default: str, check: Callable[[str], T]) -> T:
        while True:
            self.questions.append(question)
            try:
                return check(next(self.answers, "") or default)
            except FacemonError as error:
                self.told.append(f"{error.message}; {error.hint}")


def written(answers: Answers, folder: Path) -> tuple[str, Config]:
    text = first_configuration(answers.network, folder) + answered_sections(answers)
    return text, parse_config(text, name="facemon.yaml", directory=folder)


def test_the_usual_answers_add_nothing(tmp_path: Path) -> None:
    answers = ask_answers(Person(), tmp_path)
    assert answers == Answers()
    assert written(answers, tmp_path)[0] == first_configuration(None, tmp_path)


@pytest.mark.parametrize(("images", "way", "monitoring"), list(product(IMAGES, WAYS, MONITORING)))
def test_each_combination_of_answers_renders(
    tmp_path: Path, images: str, way: tuple[str, ...], monitoring: tuple[str, ...]
) -> None:
    person = Person("", images, "", *way, *monitoring)
    answers = ask_answers(person, tmp_path)
    _, config = written(answers, tmp_path)
    assert person.told == []
    assert bool(config.alertmanager.receivers) == (way != ("",))
    stack = fitted(config, tmp_path)
    files = render_stack(stack).files
    assert ("monitoring/docker-compose.monitoring.yml" in files) == (monitoring != ("existing",))
    transports = {
        ("existing", True): "api", ("existing", False): "textfile", ("containers", True): "exporter",
        ("containers", False): "textfile",
    }  # fmt: skip
    if monitoring[0]:
        assert stack.prometheus.store_metrics_from == transports[monitoring[0], images == "api"]


WRONG = {
    "a model that there is not": (0, "age-gendr", "did you mean age-gender?"),
    "a network that there is not": (0, "none.onnx", "none.onnx: cannot be read: no such file"),
    "an address of the web": (1, "https://example.com/a/", "https:// is not read from"),
    "a bucket without a name": (1, "s3:///a", "names no bucket"),
    "a user in an address": (1, "s3://me:secret@bucket/", "holds a user or a password"),
    "a rate that is none": (2, "many", "many is not a number of images; answer a number such as 2000, or unknown"),
    "a rate of nothing": (2, "0", "0 is not a number of images"),
    "a rate below nothing": (2, "-4", "-4 is not a number of images"),
    "no mail address": (3, "team", "'team' is not an email address"),
    "a Prometheus that there is not": (4, "exsting", "did you mean existing?"),
    "a control character": (1, "a\x07b", "holds a character that cannot be seen"),
    "bytes that are not UTF-8": (1, "a\udcffb", "is not UTF-8"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_answer_is_asked_again_with_the_reason(tmp_path: Path, case: str) -> None:
    place, answer, said = WRONG[case]
    person = Person(*[""] * place, answer)
    assert ask_answers(person, tmp_path) == Answers()
    assert person.questions[place] == person.questions[place + 1]
    (told,) = person.told
    assert said in told
    assert "secret@" not in told


@pytest.mark.parametrize(
    ("way", "wrong", "said"),
    [
        (("team@example.com",), "mail", "must be HOST:PORT"),
        (("team@example.com", "h:25"), "me", "is not an email address"),
        (("slack",), "https://hooks.example.com/x", "must name the file that holds the secret"),
    ],
)
def test_what_a_receiver_needs_is_judged_too(tmp_path: Path, way: tuple[str, ...], wrong: str, said: str) -> None:
    person = Person("", "", "", *way, wrong)
    ask_answers(person, tmp_path)
    assert said in person.told[0]
    assert "hooks.example.com" not in person.told[0]


@pytest.mark.parametrize("wrong", ["textfiles", "~/textfiles", "/"])
def test_a_folder_of_textfiles_is_an_absolute_path(tmp_path: Path, wrong: str) -> None:
    person = Person("", "", "", "", "existing", "", wrong)
    assert ask_answers(person, tmp_path).textfiles == "/var/lib/prometheus/node-exporter"
    assert person.told == [
        f"{wrong} is not the absolute path of a folder; answer a path like /var/lib/prometheus/node-exporter"
    ]


@pytest.mark.parametrize(
    ("answers", "commands"),
    [
        (Answers(), ("facemon predict photos/", "facemon reference set --since 24h", "facemon drift-check")),
        (
            Answers(images="api", monitoring="containers", images_per_day=100),
            ("facemon serve", "facemon reference set --since 28d", "facemon render-config"),
        ),
        (
            Answers(images="my photos/", monitoring="existing", images_per_day=1),
            ("facemon predict 'my photos/'", "facemon reference set --since 28d", "facemon render-config"),
        ),
    ],
)
def test_the_next_commands_fit_the_answers(tmp_path: Path, answers: Answers, commands: tuple[str, ...]) -> None:
    found = told(answers, tmp_path / "facemon.yaml").partition("next:\n  ")[2].split("\n  ")
    plain = [line.replace(f"facemon -c {tmp_path}/facemon.yaml", "facemon") for line in found]
    assert tuple(plain) == commands
    assert {shlex.split(line)[1] for line in plain} <= every_command().commands.keys()


def test_commands_name_a_file_of_another_name() -> None:
    said = told(Answers(images="-x"), Path("a b/my.yaml"))
    assert "next:\n  facemon -c 'a b/my.yaml' predict -- -x\n" in said


def told(answers: Answers, file: Path) -> str:
    reporter = Listener()
    tell_first_steps(reporter, "", answers, file)
    return "\n".join(reporter.texts)


class Listener(HiddenProgress):
    """Keeps what a use case says."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def say(self, text: str) -> None:
        self.texts.append(text)

    def detail(self, text: str) -> None:
        """Leave out what only a verbose run shows."""

    notice = warn = detail

    def progress(self, label: str, unit: str) -> AbstractContextManager[Progress]:  # noqa: ARG002 - nothing is shown
        return nullcontext(self)


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        (None, "take about 1,700 images each; reference set tells more"),
        (300, "with 300 images a day and a reference of 4d, the model check\ndecides a threshold of 0.05 with 14d of"),
        (5, "with a reference of 28d, the model check\nnever decides a threshold of 0.05 at 5.0 images a day: "),
    ],
)
def test_the_plan_follows_the_rate(tmp_path: Path, rate: int | None, said: str) -> None:
    assert said in told(Answers(images_per_day=rate), tmp_path / "facemon.yaml")
