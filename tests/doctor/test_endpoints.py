"""The API and the exporter are asked on addresses of this machine alone; a real API is found well, away and of another
model.
"""

import socket
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from facemon.doctor.answers import NoAnswerError, ask
from facemon.doctor.endpoints import EndpointFacts, unexpected
from facemon.store.layout import LEDGER_NAME
from facemon.store.ledger.opening import open_ledger
from facemon.store.totals import TotalKey
from tests.acceptance.served import served
from tests.conftest import RunFacemon
from tests.doctor.healthy import BATCHES, diagnosis
from tests.patience import wait_until
from tests.server.served_api import picture
from tests.servers import free_port

pytestmark = pytest.mark.slow


def configure(folder: Path, text: str) -> None:
    file = folder / "facemon.yaml"
    file.write_text(file.read_text().replace(BATCHES, text))


def test_a_real_api(facemon: RunFacemon, healthy: Path) -> None:
    with served(healthy) as api:
        url = f"http://127.0.0.1:{api.port}"
        found = diagnosis(facemon, healthy, "--api", url)
        assert found["findings"] == []
        (area,) = [each for each in found["areas"] if each["area"] == "ML API"]
        assert area["looked_at"].startswith(f"{url}: ")
        file = healthy / "facemon.yaml"
        described = file.read_text()
        file.write_text(described.replace("name: small", "name: larger"))
        findings = diagnosis(facemon, healthy, "--api", url)["findings"]
        (own,) = [each for each in findings if each["area"] == "ML API"]
        assert own["what"] == "the ML API serves another model"
        assert own["evidence"] == "it has small@1, and the configuration has larger@1"
    file.write_text(described)
    findings = diagnosis(facemon, healthy, "--api", url)["findings"]
    assert (findings[0]["area"], findings[0]["what"]) == ("ML API", "the ML API does not answer")


def test_images_of_other_sources_are_told_for_a_day(facemon: RunFacemon, healthy: Path) -> None:
    configure(healthy, f"{BATCHES}api: {{max_sources: 1}}\n")
    address = f"127.0.0.1:{free_port()}"  # the counters of a server that is restarted there go on

    def said() -> list[str]:
        with served(healthy, "--listen", address) as api:
            for source in ("a", "b"):
                assert api.ask("POST", f"/predict?source={source}", picture())[0] == 200
            url = f"http://127.0.0.1:{api.port}"
            wait_until(lambda: api.sums("api_other_source_images_total") != {})
            found = diagnosis(facemon, healthy, "--api", url)["findings"]
            return [each["what"] for each in found if each["area"] == "ML API"]

    assert said() == ["images of some sources are counted as source other"]
    with closing(sqlite3.connect(healthy / ".facemon" / LEDGER_NAME)) as connection, connection:
        connection.execute("UPDATE profiles SET hour = hour - 48 WHERE source = 'other'")
    file = healthy / "facemon.yaml"
    file.write_text(file.read_text().replace("max_sources: 1", "max_sources: 64"))
    assert said() == []


def test_other_machines_are_not_asked(facemon: RunFacemon, healthy: Path) -> None:
    """No server is asked at 192.0.2.1, a reserved address: an answer would take until the limit of time."""
    configure(
        healthy, 'stack: {for: monitoring}\napi: {listen: "192.0.2.1:8000"}\nexporter: {listen: "192.0.2.1:8001"}\n'
    )
    found = diagnosis(facemon, healthy)
    assert found["findings"] == []
    unseen = [what for area in found["areas"] for what in area["not_looked_at"]]
    assert "the ML API: it listens on 192.0.2.1; name it by --api URL" in unseen
    assert "the exporter: it listens on 192.0.2.1; name it by --exporter URL" in unseen


def test_what_is_to_run_here_and_does_not(facemon: RunFacemon, healthy: Path) -> None:
    configure(healthy, 'stack: {for: monitoring}\napi: {listen: "127.0.0.1:9"}\nexporter: {listen: "0.0.0.0:9"}\n')
    found = {each["what"]: (each["evidence"], each["command"]) for each in diagnosis(facemon, healthy)["findings"]}
    refused = "http://127.0.0.1:9 cannot be reached: connection refused"
    assert found == {
        "the ML API does not answer": (refused, "facemon serve"),
        "the exporter does not answer": (refused, "facemon serve-metrics"),
    }


def test_another_program_in_its_place(facemon: RunFacemon, healthy: Path) -> None:
    with served(healthy) as api:
        url = f"http://127.0.0.1:{api.port}"
        (finding,) = diagnosis(facemon, healthy, "--exporter", f"{url}/nothing")["findings"]
    assert finding["what"] == "the exporter does not answer"


def test_only_where_nothing_listens_no_server_is_meant() -> None:
    """One that hangs up is broken, whether anything says that it runs or not."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        Thread(target=hang_up, args=(server,)).start()
        broken = asked_in_vain(url)
    silent = asked_in_vain(url)
    assert unexpected(broken, "the ML API") is None
    examined = unexpected(silent, "the ML API")
    assert examined is not None
    assert examined.not_looked_at[0].startswith(f"the ML API: nothing listens at {url}, and no configuration")
    assert unexpected(replace(silent, is_expected=True), "the ML API") is None


def hang_up(server: socket.socket) -> None:
    server.accept()[0].close()


def asked_in_vain(url: str) -> EndpointFacts:
    with pytest.raises(NoAnswerError) as caught:
        ask(url)
    return EndpointFacts(True, "small@1", url, "127.0.0.1", "facemon serve", caught.value, is_expected=False)


def test_an_api_that_has_answered_is_expected_to_run(facemon: RunFacemon, tmp_path: Path) -> None:
    with open_ledger(tmp_path / ".facemon", create=True) as ledger, ledger.writing():
        ledger.requests.add("here:8000", {TotalKey("api_requests_total", ("ok",), ""): 1.0})
    assert any(each["area"] == "ML API" for each in diagnosis(facemon, tmp_path)["findings"])
    assert all(each["area"] != "exporter" for each in diagnosis(facemon, tmp_path)["findings"])


def test_unknown_alerts_are_refused(facemon: RunFacemon, healthy: Path) -> None:
    outcome = facemon("doctor", "--prometheus", "http://127.0.0.1:9", "--alert", "Nothing", cwd=healthy)
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert "--alert Nothing: there is no such alert" in outcome.stderr
    assert facemon("doctor", "--alert", "Watchdog", cwd=healthy).returncode == 2
