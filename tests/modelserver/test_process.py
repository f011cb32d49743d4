"""The program as it is started, watched and ended."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from modelserver.errors import StartupError
from modelserver.flags import parse
from tests.modelserver.running import Process, eventually, predict_request, refused, running, spec_of

X = np.zeros((1, 2), np.float32)


def test_the_command_line_is_tensorflow_model_servers() -> None:
    options = parse(
        [
            "--port=1",
            "--rest_api_port=2",
            "--model_config_file=/etc/serving/models.config",
            "--model_config_file_poll_wait_seconds=5",
            "--file_system_poll_wait_seconds=7",
            "--tensorflow_intra_op_parallelism=3",
            "--enable_batching",
            "--enable_model_warmup=true",
            "--allow_version_labels_for_unavailable_models",
            "--enable_grpc_healthcheck_service=false",
            "--load_retry_interval_micros=500000",
        ]
    )
    assert (options.grpc_port, options.rest_port, options.threads) == (1, 2, 3)
    assert options.model_config_file == Path("/etc/serving/models.config")
    assert (options.model_config_poll_seconds, options.file_system_poll_seconds) == (5, 7)
    assert options.load_retry_interval_seconds == 0.5
    assert options.labels_for_unavailable_versions
    assert not options.grpc_health
    assert options.ignored == ("enable_batching", "enable_model_warmup")


def test_without_rest_port_there_is_no_rest() -> None:
    assert parse(["--model_base_path=/m"]).rest_port is None


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "neither --model_config_file nor --model_base_path is given"),
        (["--model_base_path=/m", "--rest_api_port=8500"], "--rest_api_port and --port are both 8500"),
    ],
)
def test_command_lines_that_cannot_work_are_refused(arguments: list[str], text: str) -> None:
    with pytest.raises(StartupError, match=text):
        parse(arguments)


@pytest.mark.parametrize(
    ("argument", "text"),
    [
        ("--port=eight", "'eight' is no port number (0 to 65535)"),
        ("--enable_grpc_healthcheck_service=maybe", "'maybe' is neither true nor false"),
        ("--no_such_flag=1", "unrecognized arguments: --no_such_flag=1"),
        ("--runtime=torch", "invalid choice: 'torch'"),
    ],
)
def test_flags_that_are_wrong_are_told(argument: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(["--model_base_path=/m", argument])
    assert caught.value.code == 2
    assert text in capsys.readouterr().err


def test_a_mistake_ends_the_program_with_one_line_and_no_traceback() -> None:
    done = subprocess.run([sys.executable, "-m", "modelserver"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith("modelserver: command line: neither --model_config_file nor --model_base_path")
    assert done.stderr.count("\n") == 1


def test_a_port_that_is_taken_is_told(models: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for flags in ([f"--port={port}"], ["--port=0", f"--rest_api_port={port}"]):
            process = Process(f"--model_base_path={models / 'add'}", *flags)
            eventually(lambda process=process: process.process.poll() is not None)
            assert process.end() == 1
            told = [line for line in process.lines if line.startswith("modelserver: ")]
            assert len(told) == 1
            assert f"cannot listen on 127.0.0.1:{port}; another program has the port" in told[0]


def test_it_serves_soon_in_little_memory_and_keeps_no_file_of_the_volume(models: Path) -> None:
    started = time.monotonic()
    with running("--model_name=slow", f"--model_base_path={models / 'slow'}") as (client, process):
        eventually(lambda: client.available("slow") == {1})
        # 0.9 s on an idle machine; the limit leaves room for a busy one.
        assert time.monotonic() - started < 10
        folder = Path("/proc") / str(process.process.pid)
        resident = int(re.search(r"VmRSS:\s+(\d+) kB", (folder / "status").read_text())[1]) / 1024
        assert resident < 180
        # A file that stays mapped or open would be read from the volume again, long after loading.
        assert str(models) not in (folder / "maps").read_text()
        assert not [link for link in (folder / "fd").iterdir() if str(models) in str(link.readlink())]


def test_openvinos_reporting_tools_are_not_loaded(models: Path) -> None:
    code = (
        "import sys; from modelserver import runtime; from modelserver.flags import Options;"
        "runtime.create(Options());"
        "print([name for name in sys.modules if 'telemetry' in name or name == 'tensorflow'])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True, timeout=60).strip() == "[]"


@pytest.mark.parametrize("rest", [False, True], ids=["grpc", "rest"])
def test_on_sigterm_requests_that_are_under_way_are_answered(models: Path, rest: bool) -> None:
    # A second of work or more, so that the signal comes in its midst.
    rows = 60 if rest else 1500
    flags = ("--model_name=slow", f"--model_base_path={models / 'slow'}", "--drain_seconds=60")
    with running(*flags, rest=True) as (client, process):
        eventually(lambda: client.available("slow") == {1})
        answers: list[float] = []

        def ask() -> None:
            data = np.ones((rows, 1024), np.float32)
            if rest:
                status, answer = client.rest("/v1/models/slow:predict", {"instances": data.tolist()})
                answers.append(float(np.sum(answer["predictions"])) if status == 200 else -1)
            else:
                answers.append(float(client.predict(spec_of("slow"), x=data)["y"].sum()))

        asker = threading.Thread(target=ask)
        asker.start()
        entrypoint = "REST" if rest else "GRPC"
        under_way = f'kubevc_modelserver_requests_under_way{{entrypoint="{entrypoint}"}} 1.0'
        eventually(lambda: under_way in client.rest("/monitoring/prometheus/metrics")[1])
        assert process.end(signal.SIGTERM) == 0
        asker.join(60)
        assert answers == [rows * 1024]
        assert process.lines[-1].endswith("ending; requests under way have 60 s")


def test_a_request_that_takes_longer_than_the_drain_does_not_keep_the_process(models: Path) -> None:
    flags = ("--model_name=slow", f"--model_base_path={models / 'slow'}", "--drain_seconds=0.2")
    with running(*flags, rest=True) as (client, process):
        eventually(lambda: client.available("slow") == {1})
        request = predict_request(spec_of("slow"), x=np.ones((60_000, 1024), np.float32))
        ended: list[str] = []
        asker = threading.Thread(
            target=lambda: ended.append(refused(lambda: client.prediction.Predict(request, timeout=120))[0])
        )
        asker.start()
        under_way = 'kubevc_modelserver_requests_under_way{entrypoint="GRPC"} 1.0'
        eventually(lambda: under_way in client.rest("/monitoring/prometheus/metrics")[1])
        assert process.end(signal.SIGTERM, seconds=10) == 0
        asker.join(60)
        assert ended[0] in ("UNAVAILABLE", "CANCELLED")


def test_after_sigterm_no_new_request_is_taken(models: Path) -> None:
    with running("--model_name=add", f"--model_base_path={models / 'add'}") as (client, process):
        eventually(lambda: client.available("add") == {3})
        assert process.end(signal.SIGTERM) == 0
        request = predict_request(spec_of("add"), x=X)
        assert refused(lambda: client.prediction.Predict(request, timeout=5))[0] == "UNAVAILABLE"


def test_flags_that_do_nothing_here_are_named_in_the_log(models: Path) -> None:
    with running(f"--model_base_path={models / 'add'}", "--enable_batching=true") as (_, process):
        assert any("--enable_batching is taken and does nothing in this server" in line for line in process.lines)


def test_answers_come_as_typed_lists_when_asked_for(models: Path) -> None:
    flags = (f"--model_base_path={models / 'add'}", "--enable_serialization_as_tensor_content=false")
    with running("--model_name=add", *flags) as (client, _):
        eventually(lambda: client.available("add") == {3})
        output = client.prediction.Predict(predict_request(spec_of("add"), x=X), timeout=30).outputs["y"]
        assert list(output.float_val) == [3, 3]
        assert output.tensor_content == b""
