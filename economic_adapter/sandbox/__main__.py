"""Who starts the sandbox as a process? This command; SIGTERM and SIGINT stop it."""

import argparse
import signal
import sys
import threading

from economic_adapter.sandbox.app import serve
from economic_adapter.sandbox.data import Data
from economic_adapter.sandbox.settings import Settings


def main(arguments: list[str] | None = None) -> int:
    """Serves until told to stop; 1 when the port is taken."""
    parser = argparse.ArgumentParser(prog="economic_adapter.sandbox", description="An e-conomic on this machine.")
    parser.add_argument("--port", type=int, default=8090, help="0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--webhook-http", action="store_true", help="take http webhook addresses on loopback")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="how long every call takes")
    options = parser.parse_args(arguments)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    settings = Settings(webhook_http=options.webhook_http, latency_ms=options.latency_ms)
    try:
        running = serve(Data(settings=settings), options.port, options.host)
    except OSError as error:
        print(f"cannot listen on {options.host}:{options.port}: {error}", file=sys.stderr)
        return 1
    print(f"e-conomic sandbox at {running.url}", flush=True)
    stopping.wait()
    running.close()
    for mistake in running.data.errors:
        print(mistake, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
