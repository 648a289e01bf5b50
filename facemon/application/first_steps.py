"""What follows from the answers to `facemon init`: sections of the file, the plan, and the next commands."""

import shlex
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facemon.application.first_answers import API, TEXTFILE, Answers, Receiver
from facemon.application.operation import Reporter
from facemon.printable import Lines, printable

if TYPE_CHECKING:
    from facemon.config.document import Config
    from facemon.domain.decision_plan import DecisionPlan

_REFERENCE_DAYS = (1, 2, 4, 7, 14, 28)
"""How long a first reference may be: as long as the plans advise."""
_USUAL_FILE = Path("facemon.yaml")


def answered_sections(answers: Answers) -> str:
    """Return the sections that the answers add to a file, as YAML below an empty line; empty for the usual answers."""
    from facemon.config.yaml_text import yaml_lines

    sections: dict[str, Any] = {}
    if answers.receiver is not None:
        sections["alertmanager"] = _alertmanager(answers.receiver)
    is_batch = answers.images != API
    match answers.monitoring:
        case "containers":
            sections["stack"] = {"for": "textfile" if is_batch else "full"}
        case "existing":
            sections["stack"] = {"for": "existing"}
            transport = "textfile" if is_batch else "api"
            sections["prometheus"] = {"url": answers.prometheus_url, "store_metrics_from": transport}
    if answers.textfiles is not None:
        export = {"times": "*/15 * * * *", "textfile": f"{answers.textfiles}/{TEXTFILE}"}
        sections["schedule"] = {"targets": ["cron"], "export": export}
    lines = [line for name, each in sections.items() for line in ("", *yaml_lines({name: each}, lambda _: ""))]
    return "".join(f"{line}\n" for line in lines)


def tell_first_steps(reporter: Reporter, text: str, answers: Answers, file: Path) -> None:
    """Tell the plan, the secret that is to be put into a file, and the next commands, for a text that was written."""
    from facemon.config.loader import parse_config

    config = parse_config(text, name=file.name, directory=file.parent.absolute())
    if plan := _first_plan(config, answers.images_per_day):
        reporter.say(plan)
    if answers.receiver is not None and (secret := answers.receiver.secret):
        what = "password" if answers.receiver.way == "email" else "secret"
        reporter.say(f"write the {what} into {_place_of_secret(config, secret, file)}")
    commands = _next_commands(answers, file, _reference_span(config, answers.images_per_day))
    reporter.say(Lines("\n  ".join(("next:", *map(printable, commands)))))


def _place_of_secret(config: "Config", secret: str, file: Path) -> str:
    """Return the file that Alertmanager reads: only compose mounts the one that the configuration names."""
    from facemon.render.purpose import runs_containers
    from facemon.render.secret_files import seen_at

    if runs_containers(config):
        return f"{secret}, which {file} names"
    return f"{seen_at(config, secret)} (stack.secrets_dir), where Alertmanager reads it"


def _first_plan(config: "Config", images_per_day: int | None) -> str | None:
    """Return how much data the model's threshold takes, which is known before there is any; None where no data will."""
    from facemon.drift.decision_plan import images_of_first_check
    from facemon.reports.plan_report import first_plan_sentence, images_in_words

    images = images_of_first_check(config.model.attributes, config.drift)
    if images is None:
        return None
    said = (
        f"to decide a shift of {100 * config.drift.model.threshold:g} pts of the predictions, the "
        f"reference and a\ncheck's window take about {images_in_words(images)} each"
    )
    if images_per_day is None:
        return Lines(f"{said}; reference set tells more")
    reference = _reference_span(config, images_per_day)
    return Lines(f"{said};\n{first_plan_sentence(_plan(config, images_per_day, reference), reference)}")


def _plan(config: "Config", images_per_day: float, reference: timedelta) -> "DecisionPlan":
    """Plan the model's check with a reference of so much time."""
    from facemon.domain.decision_plan import Rate
    from facemon.domain.drift_result import Check
    from facemon.drift.decision_plan import first_rows, plan_decisions

    attributes, rate = config.model.attributes, Rate(images_per_day, "given")
    rows = first_rows(attributes, max(2.0, images_per_day * (reference / timedelta(days=1))))
    return plan_decisions(rows, rate, checks=(Check.MODEL,), attributes=attributes, settings=config.drift)


def _reference_span(config: "Config", images_per_day: int | None) -> timedelta:
    """Return how much time a first reference takes, in whole days, so that a check can decide at the rate."""
    if images_per_day is None:
        return timedelta(days=1)
    spans = [timedelta(days=days) for days in _REFERENCE_DAYS]
    return next((span for span in spans if _plan(config, images_per_day, span).checks[0].window is not None), spans[-1])


def _next_commands(answers: Answers, file: Path, reference: timedelta) -> tuple[str, ...]:
    """Return the three commands that follow, for the configuration in a file."""
    from facemon.domain.times import span_name

    facemon = "facemon" if file == _USUAL_FILE else f"facemon -c {shlex.quote(str(file))}"
    images = shlex.quote(answers.images)
    begin = "serve" if answers.images == API else f"predict {images if answers.images[0] != '-' else f'-- {images}'}"
    last = "drift-check" if answers.monitoring is None else "render-config"
    return f"{facemon} {begin}", f"{facemon} reference set --since {span_name(reference)}", f"{facemon} {last}"


def _alertmanager(receiver: Receiver) -> dict[str, Any]:
    section: dict[str, Any] = {} if receiver.smtp is None else {"smtp": receiver.smtp}
    return {**section, "receivers": [{"name": "team", receiver.way: [receiver.keys]}]}
