"""What `reference set` says of a table whose sources are not the log's is what a check with it comes to."""

import random
from contextlib import chdir
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from facemon import Monitor
from tests.acceptance.small_model import write_small_model
from tests.conftest import RunFacemon
from tests.doctor.healthy import diagnosis

pytestmark = pytest.mark.slow
REMEDY = "set a reference whose rows name the log's sources (tables.source)"


def logged(folder: Path, sources: int) -> None:
    """A day and more of a quiet log of so many sources, and labels as frequent: with sources of three kinds."""
    write_small_model(folder)
    drawn, now = random.Random(sources), datetime.now(UTC)
    with chdir(folder), Monitor("facemon.yaml") as monitor:
        monitor.log(
            {
                "image": f"{number}.jpg",
                "source": f"gate {number % sources}" if sources else None,
                "observed_at": now - timedelta(minutes=number / 2),
                "hair": "ab"[drawn.random() < 0.4],
            }
            for number in range(4000)
        )
    labels = ["ab"[drawn.random() < 0.4] for _ in range(6000)]
    tables = {
        "none": [""] * len(labels),
        "same": [f"gate {at % sources}" if sources else "" for at in range(len(labels))],
        "others": [f"yard {at % 3}" for at in range(len(labels))],
    }
    for name, named in tables.items():
        rows = "".join(f"{label},{source}\n" for label, source in zip(labels, named, strict=True))
        (folder / f"{name}.csv").write_text(f"hair,source\n{rows}")


@pytest.mark.parametrize("kind", ["labels", "predictions"])
@pytest.mark.parametrize(
    ("sources", "table", "said"),
    [
        (0, "none", None),
        (1, "same", None),
        (8, "same", None),
        (0, "others", "3 sources are in the reference, fewer than 5"),
        (1, "none", "1 source is in the log, fewer than 5"),
        (3, "none", "3 sources are in the log, fewer than 5"),
        (8, "none", "the reference has no rows of 8 sources of the log"),
    ],
)
def test_a_plan_says_when_sources_keep_it_from_deciding(
    facemon: RunFacemon, tmp_path: Path, sources: int, table: str, said: str | None, kind: str
) -> None:
    logged(tmp_path, sources)
    answer = facemon("reference", "set", f"{table}.csv", "--kind", kind, "--name", "spring", cwd=tmp_path)
    plan = " ".join(answer.stderr.split())
    assert (said or "decides a threshold") in plan
    assert (REMEDY in plan) == ("never" in plan) == (said is not None)
    checked = facemon("drift-check", "--check", "model", cwd=tmp_path)
    assert checked.returncode == (0 if said is None else 4)
    assert "it takes more of them" not in checked.stdout
    findings = [each["what"] for each in diagnosis(facemon, tmp_path)["findings"]]
    assert any("with this reference" in what for what in findings) == (said is not None)
