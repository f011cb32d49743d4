"""Send one real picture through an endpoint and check the answer.

    python -m proxy.smoke --endpoint http://10.99.0.11:30080 --model detector --picture coffee.png --annotated out.png

An endpoint with HTTPS is known by `--certificate`, its certificate; where it asks for a key, `--key-file` names a file
with one, or the environment variable KUBEVC_KEY holds it.

Prints the answer as JSON; exits 1, with a message, when there is none or it cannot be right.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from proxy.errors import ProxyError, SmokeFailed
from proxy.pictures.annotate import encode_picture
from proxy.pictures.decoding import decode_picture
from proxy.pictures.drawing import Pixels
from proxy.pictures.header import read_header
from proxy.smoke_answer import check_answer, draw_answer
from proxy.smoke_connection import Identification

_ATTEMPT_SECONDS = 30
_PAUSE_SECONDS = 0.5
# Answers of a site that is still coming up: the model is not loaded, its server not there, no time left, a new key not
# yet where the proxy reads it.
_PASSING = frozenset({401, 404, 429, 502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokeRequest:
    """Hold what to ask of which endpoint."""

    endpoint: str
    model: str
    picture: Path
    wait_seconds: float
    identification: Identification = field(default_factory=Identification)

    @property
    def url(self) -> str:
        """Return the address that the picture is sent to."""
        return f"{self.endpoint.rstrip('/')}/v1/models/{self.model}:predict"


def main() -> int:
    """Run the smoke request; return 1 when it fails."""
    arguments = _parse_arguments()
    request = SmokeRequest(
        endpoint=arguments.endpoint,
        model=arguments.model,
        picture=arguments.picture,
        wait_seconds=arguments.wait_seconds,
        identification=Identification(
            certificate=arguments.certificate,
            key_file=arguments.key_file,
            client_certificate=arguments.client_certificate,
            client_private_key=arguments.client_private_key,
        ),
    )
    try:
        print(json.dumps(smoke(request, arguments.annotated), indent=2))
    except ProxyError as error:
        print(error.message, file=sys.stderr)
        return 1
    return 0


def smoke(request: SmokeRequest, annotated: Path | None) -> dict[str, Any]:
    """Send the picture, check the answer, and draw it.

    Args:
        request: What to ask.
        annotated: Where to write the picture with what was found drawn on it; None for nowhere.

    Returns:
        The checked answer, with the file written under `annotated`.

    Raises:
        SmokeFailed: No answer in time, or one of the wrong form.
        InvalidPicture: The file is no picture.
    """
    data = _read_picture(request.picture)
    pixels = decode_picture(data, read_header(data), "BGR")
    answer = _ask_until_answered(request, data)
    check_answer(answer, pixels)
    if annotated is not None:
        draw_answer(answer, pixels)
        _write_picture(annotated, pixels)
        answer["annotated"] = str(annotated)
    return answer


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="proxy.smoke", description="Send one picture through an endpoint.")
    parser.add_argument("--endpoint", required=True, help="the endpoint's URL, such as http://10.99.0.11:30080")
    parser.add_argument("--model", required=True, help="the model's name")
    parser.add_argument("--picture", type=Path, required=True, help="a JPEG, PNG or WebP file")
    parser.add_argument("--annotated", type=Path, help="where to write the picture with the answer drawn on it (PNG)")
    parser.add_argument("--wait-seconds", type=float, default=0, help="how long to try again while the site comes up")
    parser.add_argument("--certificate", type=Path, help="the endpoint's certificate (PEM), to know it by")
    parser.add_argument("--key-file", type=Path, help="a file with an API key or a token; else KUBEVC_KEY holds it")
    parser.add_argument("--client-certificate", type=Path, help="a certificate to show (PEM)")
    parser.add_argument("--client-private-key", type=Path, help="its private key (PEM)")
    return parser.parse_args()


def _ask_until_answered(request: SmokeRequest, data: bytes) -> dict[str, Any]:
    """Ask until there is an answer, an error that will not pass, or the time is over."""
    until = time.monotonic() + request.wait_seconds
    while True:
        try:
            return _ask(request, data)
        except _Unanswered as error:
            if not error.passing or time.monotonic() + _PAUSE_SECONDS > until:
                raise _no_answer(request, error) from error
        time.sleep(_PAUSE_SECONDS)


class _Unanswered(Exception):
    """One attempt without an answer; `passing` says whether another one may have it."""

    def __init__(self, found: str, passing: bool) -> None:
        super().__init__(found)
        self.passing = passing


def _ask(request: SmokeRequest, data: bytes) -> dict[str, Any]:
    media_type = f"image/{read_header(data).kind.lower()}"
    headers = {"Content-Type": media_type, **request.identification.headers()}
    message = urllib.request.Request(request.url, data, headers)
    try:
        with request.identification.opener().open(message, timeout=_ATTEMPT_SECONDS) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        raise _Unanswered(f"status {error.code}: {_error_text(error)}", error.code in _PASSING) from error
    except (OSError, http.client.HTTPException) as error:
        raise _Unanswered(f"no connection ({getattr(error, 'reason', error)})", True) from error
    except ValueError as error:
        raise _Unanswered("an answer that is no JSON", False) from error


def _error_text(error: urllib.error.HTTPError) -> str:
    """Return the message of the proxy's error form, or the beginning of whatever else came."""
    body = error.read(65536)
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return body[:200].decode(errors="replace")


def _no_answer(request: SmokeRequest, error: _Unanswered) -> SmokeFailed:
    return SmokeFailed(
        where=f"smoke request to {request.url}",
        found=f"{error} (tried for {request.wait_seconds:g} s)".replace(". (", " ("),
        reason="The site is up only when a real picture is answered",
        remedy="Look at the pods in the namespace serving (kubectl get pods, kubectl logs), then run this again",
    )


def _read_picture(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unusable_file(path, f"it cannot be read ({error.strerror})", "The smoke request sends it") from error


def _write_picture(path: Path, pixels: Pixels) -> None:
    try:
        path.write_bytes(encode_picture(pixels, "image/png"))
    except OSError as error:
        raise _unusable_file(path, f"it cannot be written ({error.strerror})", "The answer is drawn there") from error


def _unusable_file(path: Path, found: str, reason: str) -> SmokeFailed:
    return SmokeFailed(where=str(path), found=found, reason=reason, remedy="Name another file, or make its folder")


if __name__ == "__main__":
    sys.exit(main())
