"""Configurations of schedules, and texts that try every quote of every syntax."""

import json
from typing import Any

from hypothesis import strategies as st

from facemon.config.document import Config
from facemon.config.schedule import Target
from facemon.render.schedules.schedule_files import schedule_files
from tests.render.configurations import config_of

WORDS = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40)
"""Whatever may stand in a line."""

TEXTS = st.text(
    st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40
)
"""Also what may not."""

FOLDERS = WORDS.map(lambda word: f"/srv/{word}")
PLAIN = """/srv/a %d $HOME ${{ github.token }} $(id) `id` ü ;#&*"""
"""Without the characters that systemd takes in no program's path."""

ODD = """/srv/a "b" 'c' %d $HOME ${{ github.token }} $(id) `id` \\ ü ;#&*\N{PUNCTUATION SPACE}"""


def scheduled(*targets: Target, store: str = ".facemon", hook: tuple[str, ...] = (), **schedule: Any) -> Config:
    """The configuration of a schedule for these targets."""
    document = {
        "store": {"path": store},
        "drift": {"on_drift": list(hook)},
        "schedule": {"targets": list(targets), "directory": "/srv/faces", **schedule},
    }
    return config_of(json.dumps(document))


def rendered(config: Config) -> dict[str, str]:
    """The texts of the schedules, by the last part of their paths."""
    return {path.rsplit("/", maxsplit=1)[1]: text for path, text in schedule_files(config)}
