"""Which ports may our servers take? Free ones on loopback, below those that outgoing connections are given."""

import random
import socket
import threading

_given: set[int] = set()
_lock = threading.Lock()


def free(count: int) -> list[int]:
    """That many ports that nobody listens on and that this process gave to nobody else.

    Not from the system's own range: a server that is killed must find its port free when it comes back.
    """
    found: list[int] = []
    with _lock:
        for port in random.sample(range(20000, 32000), 4000):
            if port in _given:
                continue
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    continue
            found.append(port)
            if len(found) == count:
                _given.update(found)
                return found
    raise OSError("no free ports on 127.0.0.1 between 20000 and 32000")


def open_on(port: int) -> bool:
    """Whether something listens there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
