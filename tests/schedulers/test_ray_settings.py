"""What the process that speaks to Ray is given, and addresses and clusters that are refused before Ray is asked."""

import socket
from pathlib import Path

import pytest

from facemon.errors import FacemonError, UsageError
from facemon.schedulers import ray_cluster
from facemon.schedulers.ray_cluster import RayCluster
from facemon.schedulers.ray_settings import refuse_no_tokens, settings_of
from facemon.schedulers.scheduler import Placement


def test_a_cluster_of_ones_own_is_on_loopback_and_has_a_new_token() -> None:
    first, second = (settings_of(None) for _ in range(2))
    assert first["RAY_AUTH_MODE"] == "token"
    assert len(first["RAY_AUTH_TOKEN"]) == 64
    assert first["RAY_AUTH_TOKEN"] != second["RAY_AUTH_TOKEN"]
    assert first["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] == "0"
    assert first["RAY_ADDRESS"] == ""
    assert first["RAY_worker_niceness"] == "0", "that of the command, as for workers without Ray"


def test_a_relative_path_of_the_token_is_that_of_the_command() -> None:
    assert settings_of("auto", {"RAY_AUTH_TOKEN_PATH": "token"})["RAY_AUTH_TOKEN_PATH"] == str(Path("token").absolute())
    assert "RAY_AUTH_TOKEN_PATH" not in settings_of("auto", {})


def test_tokens_of_a_cluster_are_those_of_the_user() -> None:
    assert not {"RAY_AUTH_MODE", "RAY_AUTH_TOKEN"} & settings_of("10.0.0.1:6379").keys()
    refuse_no_tokens({"RAY_AUTH_MODE": "token"})
    for mode in ({}, {"RAY_AUTH_MODE": "disabled"}):
        with pytest.raises(UsageError, match="RAY_AUTH_MODE is not token here"):
            refuse_no_tokens(mode)


@pytest.mark.parametrize("address", ["host", "host:", ":6379", "host:0", "host:65536", "host:port", "ray://host:10001"])
def test_an_address_of_another_form_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_cluster, "find_spec", lambda _: True)
    with pytest.raises(UsageError, match="is not HOST:PORT"):
        RayCluster().refuse(Placement(address))


def test_an_address_where_nothing_listens_is_refused_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with (
            pytest.raises(FacemonError, match=f"--address {address}: no cluster of Ray is there"),
            RayCluster().opened(int, Placement(address)),  # type: ignore[arg-type]  # nothing is opened
        ):
            pass
