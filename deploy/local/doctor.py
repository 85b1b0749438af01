"""What is here and what is missing? For each server: where it would come from, and why not from the other places."""

import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Mapping

from deploy.local import browser, given, packages, postgres, rabbitmq, servers
from deploy.local.children import Unavailable

Look = Callable[[str, Mapping[str, str]], str]


def main(provider: str | None, environ: Mapping[str, str] = os.environ) -> int:
    """Print it all; 0 if both servers could be had and answered and a browser for tests could be had, 2 if not."""
    print(f"Python       {platform.python_version()} in {sys.prefix}")
    print(f"system       {platform.platform()}, {os.cpu_count()} cores, {_memory()}")
    tried = servers.order(provider, environ)
    choices = {
        kind: _choose(kind, look, tried, environ) for kind, look in (("PostgreSQL", _database), ("RabbitMQ", _bus))
    }
    a_browser = _browser(environ)
    if None in choices.values():
        print(f"\n{servers.WAYS}")
        return 2
    if not a_browser:
        print(f"\n{browser.WAYS}")
        return 2
    if choices["RabbitMQ"] == "bundled" and packages.ready(packages.RABBITMQ) is None:
        print("\nNot started: RabbitMQ's packages are fetched by the first ./run test or ./run demo.")
        return 0
    begin = time.monotonic()
    try:
        with servers.start(provider, environ=environ) as running:
            print(f"\nBoth started and accepted a connection, in {time.monotonic() - begin:.1f} s:")
            print("\n".join(running.report))
    except servers.NoServers as error:
        print(f"\n{error}")
        return 2
    return 0


def _choose(kind: str, look: Look, tried: tuple[str, ...], environ: Mapping[str, str]) -> str | None:
    chosen = None
    print(f"\n{kind}")
    for provider in servers.PROVIDERS:
        try:
            found = look(provider, environ)
            fits = True
        except Unavailable as error:
            found, fits = str(error), False
        if provider not in tried:
            word = "not asked"
        elif fits and chosen is None:
            chosen, word = provider, "would be used"
        else:
            word = "could be used" if fits else "no"
        print(f"  {provider:<10} {word:<14} {found}")
    return chosen


def _browser(environ: Mapping[str, str]) -> bool:
    chosen = False
    print("\nBrowser for tests")
    for provider in browser.PROVIDERS:
        try:
            if provider == "bundled" and packages.ready(packages.CHROMIUM) is None:
                packages.possible()
                found, fits = (
                    "the distribution's packages (about 100 MB) would be fetched and unpacked in .servers",
                    True,
                )
            else:
                found, fits = browser.had(provider, environ, print).origin, True
        except Unavailable as error:
            found, fits = str(error), False
        if provider not in browser.order(environ):
            word = "not asked"
        elif fits and not chosen:
            chosen, word = True, "would be used"
        else:
            word = "could be used" if fits else "no"
        print(f"  {provider:<10} {word:<14} {found}")
    return chosen


def _database(provider: str, environ: Mapping[str, str]) -> str:
    match provider:
        case "url":
            return given.database(environ)[1]
        case "container":
            from deploy.local import containers  # noqa: PLC0415 - slow to import

            return f"{containers.engine()}, image {containers.POSTGRES_IMAGE}"
        case "installed":
            return postgres.installed().origin
        case _:
            return postgres.bundled().origin


def _bus(provider: str, environ: Mapping[str, str]) -> str:
    match provider:
        case "url":
            return given.bus(environ)[1]
        case "container":
            from deploy.local import containers  # noqa: PLC0415 - as above

            return f"{containers.engine()}, image {containers.RABBITMQ_IMAGE}"
        case "installed":
            return rabbitmq.installed().origin
        case _:
            if root := packages.ready(packages.RABBITMQ):
                return rabbitmq.unpacked(root).origin
            packages.possible()
            return "the distribution's packages (about 35 MB) would be fetched and unpacked in .servers, without root"


def _memory() -> str:
    free = shutil.disk_usage(".").free / 1e9
    return f"{free:.1f} GB of disk free"
