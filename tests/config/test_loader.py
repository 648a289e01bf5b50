"""A configuration is loaded whole, or refused with every fault at its place."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from facemon.config.loader import MAX_BYTES, given_keys, load_config, parse_config
from facemon.errors import ConfigError
from tests.config.config_files import faults_of, write

CONFIGS = Path(__file__).parents[2] / "configs"
pytestmark = pytest.mark.usefixtures("empty_folder")


# Files


def test_without_a_file_there_are_defaults(tmp_path: Path) -> None:
    config = load_config()
    assert config.model.id == "age-gender@1"
    assert config.store.path == tmp_path / ".facemon"
    assert config.directory == tmp_path


def test_the_current_folders_file_is_found_without_being_named(tmp_path: Path) -> None:
    write("store: {retention_days: 7}")
    assert load_config().store.retention_days == 7
    assert load_config() == load_config(tmp_path / "facemon.yaml")


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "version: 1\n"])
def test_an_empty_file_is_all_defaults(text: str) -> None:
    file = write(text)
    assert load_config(file) == parse_config("", name=file.name, directory=Path.cwd())


def test_paths_that_are_absolute_in_the_file_are_known() -> None:
    config = load_config(write("store: {path: /var/faces}"))
    assert config.absolute_paths == {Path("/var/faces")}
    assert load_config(write("store: {path: faces}")).absolute_paths == frozenset()


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm() -> None:
    Path("facemon.yaml").write_bytes(b"\xef\xbb\xbfversion: 1\r\ndrift:\r\n  min_rows: 5\r\n")
    assert load_config().drift.min_rows == 5
    Path("facemon.yaml").write_bytes(b"\xef\xbb\xbfversion: 2\r\n")
    with pytest.raises(ConfigError, match=r"^facemon\.yaml:1:10: version"):
        load_config()


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match=r"^conf/none\.yaml: no such file$") as caught:
        load_config(Path("conf/none.yaml"))
    assert caught.value.hint == "facemon init writes one"


def test_a_link_to_nowhere_is_not_taken_for_no_file() -> None:
    Path("facemon.yaml").symlink_to("gone.yaml")
    with pytest.raises(ConfigError, match="no such file"):
        load_config()


def test_a_directory() -> None:
    Path("conf").mkdir()
    with pytest.raises(ConfigError, match=r"^conf: is a directory$") as caught:
        load_config(Path("conf"))
    assert caught.value.hint == "name the file in it, like conf/facemon.yaml"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read() -> None:
    write("version: 1").chmod(0)
    with pytest.raises(ConfigError, match=r"^facemon\.yaml: cannot be read: permission denied$") as caught:
        load_config()
    assert caught.value.hint


def test_a_path_through_a_file_cannot_be_read() -> None:
    write("version: 1")
    with pytest.raises(ConfigError, match="cannot be read: not a directory"):
        load_config(Path("facemon.yaml/x"))


def test_a_file_that_is_not_utf8_is_refused_where_that_shows() -> None:
    Path("facemon.yaml").write_bytes("version: 1\n# é ".encode() + b"\xe9\n")
    with pytest.raises(ConfigError, match=r"^facemon\.yaml:2:5: the byte 0xe9 is not UTF-8$") as caught:
        load_config()
    assert caught.value.hint == "save the file as UTF-8"


def test_a_huge_file_is_refused_unread() -> None:
    Path("facemon.yaml").write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(ConfigError, match="is larger than 4 MiB"):
        load_config()


def test_the_file_is_named_as_it_was_given() -> None:
    path = write("wat: 1", name="sub/conf.yaml")
    for given_path in (path, path.absolute()):
        with pytest.raises(ConfigError) as caught:
            load_config(given_path)
        assert caught.value.message == f"{given_path}:1:1: wat: unknown key"


# Paths and bundles


def test_relative_paths_start_at_the_files_folder(tmp_path: Path) -> None:
    text = (CONFIGS / "origin.yaml").read_text("utf-8")
    config = load_config(write(text, name="sub/facemon.yaml"))
    assert config.directory == tmp_path / "sub"
    assert config.store.path == tmp_path / "sub" / ".facemon"
    assert config.model.networks[0].path == tmp_path / "sub" / "models" / "attributes.onnx"
    assert config.alertmanager.smtp is not None
    assert config.alertmanager.smtp.password_file == "secrets/smtp_password"


def test_absolute_paths_and_resources_of_packages_stay(tmp_path: Path) -> None:
    config = load_config(write(f"store: {{path: {tmp_path / 'elsewhere'}}}", name="sub/facemon.yaml"))
    assert config.store.path == tmp_path / "elsewhere"
    assert config.model.networks[0].path == Path("models/gender-v1.onnx")


def test_a_bundle_by_name_is_the_default_one() -> None:
    assert load_config(write("model: {bundle: age-gender}")).model == load_config(write("")).model


@pytest.mark.parametrize(
    ("model", "fault"),
    [
        ("{bundle: age-gendr}", ("1:17: model.bundle: is 'age-gendr', must be a built-in bundle: age-gender; "
                                "did you mean age-gender?")),
        ("{bundle: 5}", "1:17: model.bundle: is the number 5, must be a built-in bundle: age-gender"),
        ("{bundle: [a]}", "1:17: model.bundle: is a list, must be a built-in bundle: age-gender"),
        ("{name: x, bundle: age-gender}", ("1:18: model.bundle: excludes all other keys of model; "
                                          "remove bundle to describe a model of your own, else remove name")),
        ("{bundle: !x y}", ("1:17: model.bundle: has a tag (!), which means nothing here; "
                           "write the plain value, in quotes if it begins with !")),
        ("", "1:7: model: is empty, must be a mapping; remove the key, or write {}"),
        ("age-gender", "1:8: model: is text, must be a mapping"),
    ],
)  # fmt: skip
def test_a_bundle_that_cannot_be(model: str, fault: str) -> None:
    assert faults_of(f"model: {model}") == [fault]


def test_faults_elsewhere_show_beside_those_of_a_bundle() -> None:
    assert [fault.split(": ")[1] for fault in faults_of("model: {bundle: x}\nwat: 1\n")] == ["model.bundle", "wat"]


def test_a_pipe_says_the_same_each_time() -> None:
    for window in ("3h", "4h"):
        reader, writer = os.pipe()
        os.write(writer, f"version: 1\ndrift: {{window: {window}}}\n".encode())
        os.close(writer)
        path = Path(f"/dev/fd/{reader}")
        first, second = load_config(path), load_config(path)
        assert first == second
        assert first.drift.window == timedelta(hours=int(window[0])), "not what another pipe held"
        assert given_keys(path) == (("version", 1), ("drift.window", 2))
        os.close(reader)
