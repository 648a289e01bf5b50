"""Addresses such as s3://bucket/photos, and ~/photos: refused wherever a path is taken, before anything is made."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from facemon.cli.main import run
from facemon.config.loader import load_config, parse_config
from facemon.errors import ConfigError
from facemon.local_path import shown_url, url_fault
from facemon.predict.image_source import ImageSource
from tests.every_command import single_commands

SCHEMES = ("s3", "gs", "az", "abfss", "http", "https", "file", "hf", "hdfs", "ftp", "S3")
Captured = pytest.CaptureFixture[str]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_address_is_known_as_text_and_as_a_path(scheme: str) -> None:
    for form in (f"{scheme}://bucket/photos", Path(f"{scheme}://bucket/photos")):
        fault = url_fault(form)
        assert fault is not None, form
        assert f"({scheme.lower()}://)" in fault.what
        # Of a Path nothing says whether there were two slashes or three.
        assert shown_url(form) == f"{scheme}://{'/' * (scheme == 'file' and isinstance(form, Path))}bucket/photos"


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_a_path_that_begins_at_a_folder_is_never_an_address(name: str) -> None:
    for path in (f"/{name}", f"./{name}", f"photos/{name}"):
        assert url_fault(path) is None
    assert url_fault(f"new+scheme://{name}") is not None


@pytest.mark.parametrize(
    "path", ["a.jpg", "c:/a.jpg", "12:30/a.jpg", "camera:/a.jpg", "s3:a.jpg", "a b://c", "://a", "-", ""]
)
def test_odd_names_are_paths(path: str) -> None:
    assert url_fault(path) is None


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://me:secret@host/a.jpg?sig=secret#secret", "https://host/a.jpg"),
        ("https:/me:secret@host/a.jpg", "https://host/a.jpg"),
        ("s3://me:half/secret@bucket/a.jpg", "s3://bucket/a.jpg"),
        ("s3://me:half/secret", "s3://…"),
        ("file://me:secret@host/a.jpg", "file://host/a.jpg"),
        ("http://host:80/a.jpg", "http://host:80/a.jpg"),
        ("http://[::1]:80/a.jpg", "http://[::1]:80/a.jpg"),
        ("http://host/at@home:1.jpg", "http://host/at@home:1.jpg"),
        ("file:///C:/me@home.jpg", "file:///C:/me@home.jpg"),
    ],
)
def test_no_password_and_no_signature_is_shown(address: str, shown: str) -> None:
    assert shown_url(address) == shown


def path_parameters() -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Each command line that has an address in the place of one of its paths, with what else the command requires."""
    for names, command in single_commands():
        signature = inspect.signature(command.callback).parameters
        hints = {name: parameter.annotation for name, parameter in signature.items()}
        for wanted, hint in hints.items():
            kind, *_ = get_args(hint) or (hint, None)
            if Path not in (kind, *get_args(kind)):
                continue
            line = []
            for name, each in hints.items():
                chosen = get_args(each)[-1] if get_args(each) else None
                value = "s3://bucket/x.jsonl" if name == wanted else "."
                is_needed = name == wanted or signature[name].default is inspect.Parameter.empty
                if isinstance(chosen, typer.models.ArgumentInfo) and is_needed:
                    line.append(value)
                elif isinstance(chosen, typer.models.OptionInfo) and is_needed:
                    declared = chosen.param_decls or (f"--{name.replace('_', '-')}",)
                    line += [declared[0], value]
            yield names, line


LINES = {" ".join((*names, *line)): [*names, *line] for names, line in path_parameters()}


def test_every_kind_of_path_is_among_the_lines() -> None:
    said = "\n".join(LINES)
    for part in (
        "predict . --output s3:", "predict . --root s3:", "evaluate s3:", "drift-check --current s3:",
        "reference set s3:", "render-config --out s3:", "store backup s3:", "--textfile s3:",
        "init --model s3:", "serve -c s3:", "manifest . --output s3:",
    ):  # fmt: skip
        assert part in said


@pytest.mark.parametrize("line", LINES)
def test_each_path_of_each_command_refuses_an_address(
    line: str, capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(LINES[line]) == 2
    said = capsys.readouterr().err
    assert "s3://bucket/x.jsonl: is a URL (s3://), and only a local path can be given here" in said
    assert "mount it" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("line", LINES)
def test_each_path_of_each_command_refuses_a_home_that_no_shell_replaced(
    line: str, capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in --out=~/x, and in a variable of a systemd unit."""
    monkeypatch.chdir(tmp_path)
    assert run([part.replace("s3://bucket/", "~/") for part in LINES[line]]) == 2
    said = capsys.readouterr().err
    assert said == ("error: ~/x.jsonl: begins with ~, which only a shell replaces\n  hint: write the absolute path\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "line", ["predict a.jpg hf://b/a.jpg", "model check hf://b/a.jpg", "drift-check --reference hf://b/a.csv"]
)
def test_text_that_may_be_a_path_refuses_an_address(
    line: str, capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(line.split()) == 2
    assert "hf://b/a." in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


MODEL = "model: {name: m, version: '1', "


@pytest.mark.parametrize(
    ("key", "section"),
    [
        ("store.path", "store: {path: 's3://b/x'}"),
        ("model.faces.weights", MODEL + "networks: [], faces: {finder: yunet, weights: 's3://b/x'}}"),
        ("model.networks[0].path", MODEL + "networks: [{path: 's3://b/x', input: {}, attributes: []}]}"),
    ],
)
def test_no_path_of_a_configuration_is_an_address(key: str, section: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(section, name="facemon.yaml", directory=tmp_path)
    (line,) = [line for line in str(caught.value).splitlines() if f" {key}: " in line]
    assert "is a URL (s3://), and only a local path can be given here: copy it" in line


@pytest.mark.parametrize("home", ["~", "$HOME", "${HOME}"])
@pytest.mark.parametrize(
    ("key", "section"),
    [
        ("store.path", "store: {path: '@/x'}"),
        ("model.networks[0].path", MODEL + "networks: [{path: '@/x', input: {}, attributes: []}]}"),
        ("api.tokens_file", "api: {tokens_file: '@/x'}"),
        ("grafana.admin_password_file", "grafana: {admin_password_file: '@/x'}"),
    ],
)
def test_no_path_of_a_configuration_begins_with_a_home(key: str, section: str, home: str, tmp_path: Path) -> None:
    """A store would be made in a folder that is called ~."""
    with pytest.raises(ConfigError) as caught:
        parse_config(section.replace("@", home), name="facemon.yaml", directory=tmp_path)
    (line,) = [line for line in str(caught.value).splitlines() if f" {key}: " in line]
    assert line.endswith(f"begins with {home}, which only a shell replaces: write the absolute path")


@pytest.mark.parametrize("name", ["./~/x", "~x/y", "~backup", "a/~/b", "$HOMES/x", "/~/x"])
def test_a_path_that_no_shell_would_replace_is_taken(name: str, tmp_path: Path) -> None:
    config = parse_config(f"store: {{path: '{name}'}}", name="facemon.yaml", directory=tmp_path)
    assert config.store.path == tmp_path / name


def test_a_configuration_is_not_read_from_an_address() -> None:
    with pytest.raises(ConfigError, match=r"^https://host/c.yaml: is a URL"):
        load_config(Path("https://me:secret@host/c.yaml?sig=secret"))


def test_addresses_in_lists_and_manifests_are_rows(tmp_path: Path) -> None:
    manifest = tmp_path / "m.csv"
    manifest.write_text("image\ns3://b/a.jpg\nb.jpg\nhttps://h/c.jpg\n")
    (tmp_path / "list").write_bytes(b"hf://d/a.jpg\nb.jpg\n")
    with (tmp_path / "list").open("rb") as listed:
        images = list(ImageSource([str(manifest), "-"], path_list=listed))
    assert [image.problem is not None for image in images] == [True, False, True, True, False]
    assert [image.name for image in images] == ["s3://b/a.jpg", "b.jpg", "https://h/c.jpg", "hf://d/a.jpg", "b.jpg"]
    problem = images[0].problem
    assert problem is not None
    assert problem.code == "unreadable"
    assert problem.message.startswith("is a URL (s3://)")
