"""New versions, old versions and broken versions, while clients ask."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from tests.modelserver.conftest import Start
from tests.modelserver.running import AVAILABLE, END, Client, eventually, refused, spec_of

X = np.zeros((1, 2), np.float32)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """An empty base path."""
    folder = tmp_path / "add"
    folder.mkdir()
    return folder


def publish(models: Path, store: Path, version: int, name: str = "add") -> None:
    """Put a version in place as the project does: written aside, then renamed."""
    aside = store / f".{version}.part"
    shutil.copytree(models / name / str(version), aside)
    aside.rename(store / str(version))


class Askers:
    """Clients that ask without a pause and remember which version answered, and every error."""

    def __init__(self, port: int, threads: int = 3) -> None:
        """Begin to ask."""
        self.answers: list[int] = []
        self.errors: list[str] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(Client(port),)) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def _ask(self, client: Client) -> None:
        while not self._stop.is_set() and len(self.answers) < 100_000:
            try:
                self.answers.append(int(client.predict(spec_of("add"), x=X)["y"][0, 0]))
            except Exception as error:
                self.errors.append(str(error))
        client.close()

    def stop(self) -> None:
        """End, and wait until every asker has its last answer."""
        self._stop.set()
        for thread in self._threads:
            thread.join(60)


def test_new_versions_take_over_without_a_lost_request(models: Path, store: Path, start: Start) -> None:
    publish(models, store, 1)
    server, client = start(model_name="add", model_base_path=str(store))
    eventually(lambda: client.available("add") == {1})
    askers = Askers(server.grpc_port)
    try:
        for version in (2, 3):
            publish(models, store, version)
            eventually(lambda version=version: client.available("add") == {version})
            asked = len(askers.answers)
            eventually(lambda asked=asked: len(askers.answers) > asked + 20)
    finally:
        askers.stop()
    assert askers.errors == []
    assert set(askers.answers) == {1, 2, 3}
    # Once a version answered, no older one does; a thread may note its answer a little late.
    last_of_first = len(askers.answers) - askers.answers[::-1].index(1)
    assert askers.answers.index(3) > last_of_first - 3
    eventually(lambda: client.states("add") == {1: (END, ""), 2: (END, ""), 3: (AVAILABLE, "")})


def test_many_changes_under_load_lose_nothing(models: Path, store: Path, start: Start) -> None:
    publish(models, store, 1)
    server, client = start(model_name="add", model_base_path=str(store))
    eventually(lambda: client.available("add") == {1})
    askers = Askers(server.grpc_port)
    try:
        for _ in range(5):
            publish(models, store, 2)
            eventually(lambda: client.available("add") == {2})
            shutil.rmtree(store / "2")
            eventually(lambda: client.available("add") == {1})
    finally:
        askers.stop()
    assert askers.errors == []
    assert set(askers.answers) == {1, 2}


def test_a_request_ends_on_the_version_that_it_began_with(models: Path, tmp_path: Path, start: Start) -> None:
    store = tmp_path / "slow"
    store.mkdir()
    publish(models, store, 1, "slow")
    _, client = start(model_name="slow", model_base_path=str(store))
    eventually(lambda: client.available("slow") == {1})
    answers: list[float] = []
    # Enough rows for a second or more, so that the version is withdrawn while it computes.
    rows = np.ones((1500, 1024), np.float32)
    asker = threading.Thread(target=lambda: answers.append(float(client.predict(spec_of("slow"), x=rows)["y"].sum())))
    asker.start()
    shutil.copytree(models / "slow" / "1", store / "2.part")
    (store / "2.part").rename(store / "2")
    eventually(lambda: 2 in client.available("slow"))
    eventually(lambda: client.available("slow") == {2})
    asker.join(60)
    assert answers == [rows.sum()]
    eventually(lambda: client.states("slow")[1][0] == END)


def test_a_version_that_is_broken_leaves_the_old_one_serving(models: Path, store: Path, start: Start) -> None:
    publish(models, store, 1)
    _, client = start(model_name="add", model_base_path=str(store))
    eventually(lambda: client.available("add") == {1})
    (store / "2").mkdir()
    eventually(lambda: client.states("add").get(2, (0, ""))[0] == END)
    assert client.states("add")[2][1] == (
        f"Could not find SavedModel .pb or .pbtxt at supplied export directory path: {store / '2'}"
    )
    assert client.predict(spec_of("add"), x=X)["y"].tolist() == [[1, 1]]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"\x0a\xff\xff", "(3 bytes) is not a SavedModel"),
        (b"", "(0 bytes) holds no graph"),
    ],
)
def test_a_graph_that_is_no_graph_is_told_about(
    models: Path, store: Path, start: Start, content: bytes, text: str
) -> None:
    (store / "1").mkdir()
    (store / "1" / "saved_model.pb").write_bytes(content)
    _, client = start(model_name="add", model_base_path=str(store))
    eventually(lambda: client.states("add").get(1, (0, ""))[0] == END)
    assert text in client.states("add")[1][1]


def test_a_half_copied_version_is_served_when_its_copy_is_complete(models: Path, store: Path, start: Start) -> None:
    _, client = start(model_name="add", model_base_path=str(store))
    shutil.copytree(models / "add" / "1", store / "1", ignore=shutil.ignore_patterns("variables"))
    eventually(lambda: client.states("add").get(1, (0, ""))[0] == END)
    assert client.states("add")[1][1]
    shutil.copytree(models / "add" / "1" / "variables", store / "1" / "variables")
    eventually(lambda: client.available("add") == {1})
    assert client.predict(spec_of("add"), x=X)["y"].tolist() == [[1, 1]]


def test_weights_that_are_cut_off_are_not_served(models: Path, store: Path, start: Start) -> None:
    shutil.copytree(models / "slow" / "1", store / "1")
    weights = store / "1" / "variables" / "variables.data-00000-of-00001"
    weights.write_bytes(weights.read_bytes()[:1000])
    _, client = start(model_name="slow", model_base_path=str(store))
    eventually(lambda: client.states("slow").get(1, (0, ""))[0] in (END, AVAILABLE))
    assert client.states("slow")[1][0] == END
    assert client.states("slow")[1][1]


def test_a_version_that_fails_is_tried_again_as_often_as_the_flag_says(models: Path, store: Path, start: Start) -> None:
    (store / "1").mkdir()
    (store / "1" / "saved_model.pb").write_bytes(b"")
    _, client = start(model_name="add", model_base_path=str(store), max_load_retries=2, load_retry_interval_seconds=0.1)

    def attempts() -> float:
        page = client.rest("/monitoring/prometheus/metrics")[1]
        lines = [line for line in page.splitlines() if line.startswith("kubevc_modelserver_loads_total")]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)

    eventually(lambda: attempts() == 3)
    threading.Event().wait(0.5)
    assert attempts() == 3


def test_after_a_restart_the_newest_version_that_loads_is_served(models: Path, store: Path, start: Start) -> None:
    publish(models, store, 1)
    publish(models, store, 2)
    (store / "3").mkdir()
    _, client = start(model_name="add", model_base_path=str(store))
    eventually(lambda: client.available("add") == {2})
    assert client.predict(spec_of("add"), x=X)["y"].tolist() == [[2, 2]]
    assert client.states("add")[3][0] == END


def test_an_empty_or_missing_folder_unloads_nothing(models: Path, store: Path, start: Start) -> None:
    publish(models, store, 1)
    _, client = start(model_name="add", model_base_path=str(store))
    eventually(lambda: client.available("add") == {1})
    store.rename(store.with_name("away"))
    threading.Event().wait(0.3)
    assert client.available("add") == {1}
    store.mkdir()
    threading.Event().wait(0.3)
    assert client.available("add") == {1}


def test_names_that_are_no_versions_are_passed_over(models: Path, store: Path, start: Start) -> None:
    publish(models, store, 1)
    for name in (".2.part", "3.tmp", "latest", "-4", "٥", "99999999999999999999"):
        shutil.copytree(models / "add" / "2", store / name)
    _, client = start(model_name="add", model_base_path=str(store))
    eventually(lambda: client.available("add") == {1})
    threading.Event().wait(0.3)
    assert client.states("add") == {1: (AVAILABLE, "")}


def test_nothing_is_known_of_a_model_whose_folder_is_not_there_yet(models: Path, store: Path, start: Start) -> None:
    _, client = start(model_name="add", model_base_path=str(store / "later"))
    assert refused(lambda: client.predict(spec_of("add"), x=X)) == (
        "NOT_FOUND",
        "Servable not found for request: Latest(add)",
    )
    (store / "later").mkdir()
    publish(models, store / "later", 1)
    eventually(lambda: client.available("add") == {1})


def test_a_volume_that_hangs_stops_neither_its_model_nor_others(
    models: Path, store: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    from modelserver import watcher

    publish(models, store, 1)
    _, client = start(model_name="add", model_base_path=str(store))
    eventually(lambda: client.available("add") == {1})
    hanging, released = threading.Event(), threading.Event()
    original = watcher.list_versions

    def hang(*arguments):
        hanging.set()
        released.wait(30)
        return original(*arguments)

    monkeypatch.setattr(watcher, "list_versions", hang)
    try:
        assert hanging.wait(10)
        assert client.predict(spec_of("add"), x=X)["y"].tolist() == [[1, 1]]
        assert client.available("add") == {1}
        assert client.rest("/v1/models/add")[0] == 200
    finally:
        released.set()
