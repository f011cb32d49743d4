"""Send or receive as many bytes as the link check wants: `send`, then `receive ADDRESS PORT` prints the seconds."""

from __future__ import annotations

import socket
import sys
import time

from experiments.figure7.network import CHECKED_BYTES


def send() -> None:
    """Listen, print the port, and send to the first who comes."""
    with socket.create_server(("0.0.0.0", 0)) as server:
        server.settimeout(30)
        print(server.getsockname()[1], flush=True)
        connection, _ = server.accept()
        with connection:
            connection.sendall(bytes(CHECKED_BYTES))


def receive(address: str, port: int) -> None:
    """Read to the end and print the seconds from the first byte on."""
    with socket.create_connection((address, port), timeout=30) as connection:
        buffer = bytearray(1 << 20)
        connection.recv_into(buffer, 1)
        start = time.perf_counter()
        while connection.recv_into(buffer):
            pass
        print(time.perf_counter() - start)


if __name__ == "__main__":
    if sys.argv[1] == "send":
        send()
    else:
        receive(sys.argv[2], int(sys.argv[3]))
