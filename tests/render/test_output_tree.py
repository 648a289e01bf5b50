import json
import os
from pathlib import Path

import pytest

from facemon.errors import FacemonError
from facemon.render.output_tree import MANIFEST, ChangeKind, Written, diff, differs, plan, rendered_parts, write
from facemon.render.stack import Part, RenderedStack

RULES = "monitoring/prometheus/alert_rules.yml"
BOOK = "monitoring/runbooks/Watchdog.md"


def stack(parts: frozenset[Part] = frozenset(Part), **texts: str) -> RenderedStack:
    paths = {"rules": RULES, "book": BOOK}
    return RenderedStack({paths[name]: text for name, text in texts.items()}, parts)


def kinds(rendered: RenderedStack, folder: Path) -> dict[str, ChangeKind]:
    return {change.path: change.kind for change in plan(rendered, folder)}


def render(rendered: RenderedStack, folder: Path, *, force: bool = False, prune: bool = False) -> Written:
    return write(plan(rendered, folder), folder, force=force, prune=prune)


def snapshot(folder: Path) -> dict[str, tuple[bytes, int]]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def test_a_second_run_writes_nothing(tmp_path: Path) -> None:
    rendered = stack(rules="a\n", book="b\n")
    assert kinds(rendered, tmp_path) == {RULES: ChangeKind.CREATE, BOOK: ChangeKind.CREATE}
    assert render(rendered, tmp_path).written == (RULES, BOOK)
    before = snapshot(tmp_path)
    assert not differs(plan(rendered, tmp_path))
    assert render(rendered, tmp_path) == Written()
    assert snapshot(tmp_path) == before
    assert (tmp_path / RULES).stat().st_mode & 0o777 == 0o644


def test_planning_writes_nothing(tmp_path: Path) -> None:
    assert differs(plan(stack(rules="a\n"), tmp_path / "new"))
    assert not (tmp_path / "new").exists()


def test_a_changed_configuration_updates(tmp_path: Path) -> None:
    render(stack(rules="a\n", book="b\n"), tmp_path)
    assert kinds(stack(rules="c\n", book="b\n"), tmp_path) == {RULES: ChangeKind.UPDATE, BOOK: ChangeKind.UNCHANGED}
    assert render(stack(rules="c\n", book="b\n"), tmp_path).written == (RULES,)
    assert (tmp_path / RULES).read_text() == "c\n"


def test_a_file_edited_by_hand_is_kept_unless_forced(tmp_path: Path) -> None:
    render(stack(rules="a\n"), tmp_path)
    (tmp_path / RULES).write_text("mine\n")
    for text in ("a\n", "c\n"):
        assert kinds(stack(rules=text), tmp_path) == {RULES: ChangeKind.EDITED}
        assert render(stack(rules=text), tmp_path) == Written(kept=(RULES,))
    assert (tmp_path / RULES).read_text() == "mine\n"
    assert render(stack(rules="c\n"), tmp_path, force=True).written == (RULES,)
    assert (tmp_path / RULES).read_text() == "c\n"
    assert not differs(plan(stack(rules="c\n"), tmp_path))


def test_somebody_elses_file_is_kept_unless_forced(tmp_path: Path) -> None:
    (tmp_path / RULES).parent.mkdir(parents=True)
    (tmp_path / RULES).write_text("theirs\n")
    assert kinds(stack(rules="a\n"), tmp_path) == {RULES: ChangeKind.FOREIGN}
    assert render(stack(rules="a\n"), tmp_path).kept == (RULES,)
    assert (tmp_path / RULES).read_text() == "theirs\n"
    render(stack(rules="a\n"), tmp_path, force=True)
    assert (tmp_path / RULES).read_text() == "a\n"


def test_what_is_no_longer_rendered_is_pruned_when_asked(tmp_path: Path) -> None:
    render(stack(rules="a\n", book="b\n"), tmp_path)
    theirs = tmp_path / "monitoring/runbooks/Theirs.md"
    theirs.write_text("theirs\n")
    assert kinds(stack(rules="a\n"), tmp_path)[BOOK] is ChangeKind.STALE
    assert render(stack(rules="a\n"), tmp_path) == Written()
    assert render(stack(rules="a\n"), tmp_path, prune=True).pruned == (BOOK,)
    assert not (tmp_path / BOOK).exists()
    assert theirs.exists()
    assert not differs(plan(stack(rules="a\n"), tmp_path))


def test_what_is_no_longer_rendered_but_edited_is_kept(tmp_path: Path) -> None:
    render(stack(rules="a\n", book="b\n"), tmp_path)
    (tmp_path / BOOK).write_text("mine\n")
    assert render(stack(rules="a\n"), tmp_path, prune=True) == Written(kept=(BOOK,))
    assert render(stack(rules="a\n"), tmp_path, prune=True, force=True).pruned == (BOOK,)


def test_parts_that_were_not_asked_for_are_not_stale(tmp_path: Path) -> None:
    render(stack(rules="a\n", book="b\n"), tmp_path)
    assert kinds(stack(frozenset({Part.PROMETHEUS}), rules="a\n"), tmp_path) == {RULES: ChangeKind.UNCHANGED}


def test_a_diff_shows_what_would_change(tmp_path: Path) -> None:
    render(stack(rules="a\nsame\n", book="b\n"), tmp_path)
    text = diff(plan(stack(rules="c\nsame\n"), tmp_path))
    assert f"--- a/{RULES}\n+++ b/{RULES}\n@@ -1,2 +1,2 @@\n-a\n+c\n same\n" in text
    assert f"--- a/{BOOK}\n+++ /dev/null\n" in text


def test_an_output_path_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(FacemonError, match="is a file, and the stack needs a folder"):
        plan(stack(rules="a\n"), tmp_path / "out")
    (tmp_path / "monitoring").write_text("")
    with pytest.raises(FacemonError, match="cannot be read"):
        plan(stack(rules="a\n"), tmp_path)


def test_a_folder_where_a_file_would_go_is_refused(tmp_path: Path) -> None:
    (tmp_path / RULES).mkdir(parents=True)
    with pytest.raises(FacemonError, match="cannot be read"):
        plan(stack(rules="a\n"), tmp_path)


@pytest.mark.parametrize("link", ["monitoring", "monitoring/prometheus", RULES, MANIFEST])
def test_a_link_out_of_the_tree_is_refused(link: str, tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (out / link).parent.mkdir(parents=True)
    (out / link).symlink_to(elsewhere)
    with pytest.raises(FacemonError, match="a link leads out of"):
        plan(stack(rules="a\n"), out)
    assert list(elsewhere.iterdir()) == []


def test_a_manifest_that_points_out_of_the_tree_is_refused(tmp_path: Path) -> None:
    (tmp_path / "monitoring").mkdir()
    for path in ("../victim", "/etc/victim", "monitoring/unknown/file"):
        content = {"schema": "facemon.manifest/1", "files": {path: "0"}}
        (tmp_path / MANIFEST).write_text(json.dumps(content))
        with pytest.raises(FacemonError, match="is not a manifest that facemon wrote"):
            plan(stack(rules="a\n"), tmp_path)


def test_a_folder_that_cannot_be_written_is_a_message() -> None:
    # Permissions do not stop root; this file system stops everybody.
    with pytest.raises(FacemonError, match="cannot be written"):
        render(stack(rules="a\n"), Path("/proc/facemon"))


def test_a_file_that_cannot_be_written_leaves_all_others_as_they_were(tmp_path: Path) -> None:
    render(stack(rules="a\n", book="b\n"), tmp_path)
    before = snapshot(tmp_path)
    # There is room for the name itself, but not for the one that it is written under first.
    long = f"monitoring/runbooks/{'x' * 250}.md"
    more = RenderedStack({RULES: "c\n", long: "d\n"}, frozenset(Part))
    with pytest.raises(FacemonError, match="cannot be written: file name too long"):
        render(more, tmp_path, prune=True)
    assert snapshot(tmp_path) == before


def test_a_link_within_the_tree_is_followed_and_what_it_leads_to_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "monitoring/prometheus").mkdir(parents=True)
    (tmp_path / "notes").write_text("theirs\n")
    (tmp_path / RULES).symlink_to(tmp_path / "notes")
    assert kinds(stack(rules="a\n"), tmp_path) == {RULES: ChangeKind.FOREIGN}
    assert render(stack(rules="a\n"), tmp_path).kept == (RULES,)
    assert (tmp_path / "notes").read_text() == "theirs\n"


def test_a_folder_that_another_configuration_rendered_is_refused(tmp_path: Path) -> None:
    out, first, second = tmp_path / "out", tmp_path / "a/facemon.yaml", tmp_path / "b/facemon.yaml"
    write(plan(stack(rules="a\n"), out), out, source=first)
    before = snapshot(out)
    with pytest.raises(FacemonError, match=r"a/facemon\.yaml, another configuration"):
        write(plan(stack(rules="b\n"), out), out, source=second)
    assert snapshot(out) == before
    # Both folders may move together.
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    out.rename(moved / "out")
    write(plan(stack(rules="a\n"), moved / "out"), moved / "out", source=moved / "a/facemon.yaml")
    write(plan(stack(rules="b\n"), moved / "out"), moved / "out", source=moved / "b/facemon.yaml", force=True)
    with pytest.raises(FacemonError, match=r"b/facemon\.yaml, another configuration"):
        write(plan(stack(rules="a\n"), moved / "out"), moved / "out", source=moved / "a/facemon.yaml")


def test_a_folder_of_an_older_version_becomes_that_of_its_configuration(tmp_path: Path) -> None:
    render(stack(rules="a\n"), tmp_path)
    write(plan(stack(rules="a\n"), tmp_path), tmp_path, source=tmp_path / "facemon.yaml")
    with pytest.raises(FacemonError, match="another configuration"):
        write(plan(stack(rules="a\n"), tmp_path), tmp_path, source=tmp_path / "other.yaml")


@pytest.mark.parametrize("umask", [0o077, 0o027, 0o022])
def test_folders_can_be_read_by_the_users_of_containers_whatever_the_umask(umask: int, tmp_path: Path) -> None:
    (tmp_path / "monitoring").mkdir(mode=0o700)
    before = os.umask(umask)
    try:
        render(stack(rules="a\n", book="b\n"), tmp_path)
    finally:
        os.umask(before)
    assert (tmp_path / RULES).parent.stat().st_mode & 0o777 == 0o755
    assert (tmp_path / RULES).stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "monitoring").stat().st_mode & 0o777 == 0o700, "not facemon's"


def test_the_parts_that_were_rendered_are_known(tmp_path: Path) -> None:
    assert rendered_parts(tmp_path) == frozenset()
    some, without_files = stack(frozenset([Part.PROMETHEUS]), rules="a\n"), stack(frozenset([Part.SCHEDULES]))
    for rendered, known in ((some, {Part.PROMETHEUS}), (without_files, {Part.PROMETHEUS, Part.SCHEDULES})):
        write(plan(rendered, tmp_path), tmp_path, parts=rendered.parts)
        assert rendered_parts(tmp_path) == known
        before = snapshot(tmp_path)
        write(plan(rendered, tmp_path), tmp_path, parts=rendered.parts)
        assert snapshot(tmp_path) == before
    whole = stack(rules="a\n", book="b\n")
    write(plan(whole, tmp_path), tmp_path, parts=whole.parts)
    assert rendered_parts(tmp_path) == frozenset(Part)


@pytest.mark.parametrize(
    ("paths", "parts"),
    [
        ((RULES, BOOK), {Part.PROMETHEUS, Part.RUNBOOKS}),
        ((RULES, BOOK, "monitoring/grafana/a.json", "monitoring/alertmanager/a.yml"), set(Part)),
    ],
)
def test_the_parts_of_an_older_rendering_are_those_of_its_files(
    tmp_path: Path, paths: tuple[str, ...], parts: set[Part]
) -> None:
    (tmp_path / MANIFEST).parent.mkdir()
    content = {"schema": "facemon.manifest/1", "files": dict.fromkeys(paths, "0")}
    (tmp_path / MANIFEST).write_text(json.dumps(content))
    assert rendered_parts(tmp_path) == parts
