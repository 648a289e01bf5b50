"""A textfile that says what another one in its folder says already is refused."""

from pathlib import Path

import pytest

from facemon.errors import ConfigError, ExitCode
from facemon.metrics.doubled_series import refuse_doubled

OURS = """\
# HELP drift_score Distance from the reference.
# TYPE drift_score gauge
drift_score{attribute="a",check="data",model="m@1"} 0.25
facemon_build_info{version="1"} 1.0
cache_size 5
"""


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (
            'drift_score{attribute="a",check="data",model="m@1"} 7',
            'drift_score{attribute="a",check="data",model="m@1"}',
        ),
        ('drift_score{ model="m@1", check = "data",attribute="a", } 7 1234', "drift_score{attribute="),
        ('facemon_build_info{version="1"} 1', 'facemon_build_info{version="1"}'),
        ("node_x 1\n\n# cache_size 5\ncache_size\t9", "cache_size already"),
    ],
)
def test_the_same_series_is_named_with_its_file(tmp_path: Path, other: str, named: str) -> None:
    (tmp_path / "a.prom").write_text(f"{other}\n")
    with pytest.raises(ConfigError) as caught:
        refuse_doubled(tmp_path / "b.prom", OURS)
    assert caught.value.exit_code is ExitCode.USAGE
    assert str(tmp_path / "a.prom") in caught.value.message
    assert named in caught.value.message
    assert "metrics: {labels: {site: north}}" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "other",
    [
        'drift_score{attribute="a",check="data",model="m@2"} 7',
        'drift_score{attribute="a",check="data",model="m@1",site="north"} 7',
        'drift_score{attribute="a",check="data",model="m@1\\""} 7',
        'my_drift_score{attribute="a",check="data",model="m@1"} 7',
        'drift_scores{attribute="a",check="data",model="m@1"} 7',
        "cache_size_bytes 5",
        "# cache_size 5",
        "half a line of {drift_score",
        "",
    ],
)
def test_others_are_no_conflict(tmp_path: Path, other: str) -> None:
    (tmp_path / "a.prom").write_text(f"{other}\n")
    (tmp_path / "b.txt").write_text(OURS)
    (tmp_path / "binary.prom").write_bytes(b"\x00\xff\xfe{drift_score")
    (tmp_path / "folder.prom").mkdir()
    refuse_doubled(tmp_path / "b.prom", OURS)


def test_a_file_is_no_conflict_with_itself(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target = tmp_path / "real" / "b.prom"
    target.write_text(OURS)
    (tmp_path / "b.prom").symlink_to(target)
    refuse_doubled(tmp_path / "b.prom", OURS)
    refuse_doubled(tmp_path / "real" / ".." / "b.prom", OURS)
