"""Where does a browser for tests come from? The first of a given path, an installed Chromium, the distribution's packages."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

from deploy.local import packages
from deploy.local.children import Unavailable

PROVIDERS = ("given", "installed", "bundled")
VARIABLE = "TEST_BROWSER"
WAYS = f"""\
Ways to get a browser (a real Chromium is needed; Chrome and Edge are one):
  - install one: Debian `sudo apt-get install chromium`, Ubuntu google-chrome-stable, macOS `brew install --cask chromium`
  - on Debian with a network nothing is needed: its packages are unpacked here without root ({VARIABLE}=bundled)
  - name the program: {VARIABLE}=/path/to/chrome"""
_NAMES = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser", "chrome", "microsoft-edge")
_MAC = ("Google Chrome", "Chromium", "Microsoft Edge")
_FONTS = """\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
<dir prefix="relative">usr/share/fonts</dir>
<cachedir>{cache}</cachedir>
<alias binding="same"><family>monospace</family><prefer><family>Liberation Mono</family></prefer></alias>
<match target="pattern"><edit name="family" mode="append_last"><string>Liberation Sans</string></edit></match>
</fontconfig>
"""


class NoBrowser(Exception):
    """None could be had; ``str`` says why each way failed, and the ways to get one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Browser:
    """A Chromium's program, and what must stand in its environment."""

    path: str
    origin: str
    environ: Mapping[str, str] = field(default_factory=dict)


def order(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The ways to try: all, or the one that ``TEST_BROWSER`` names; a path there is the only one."""
    asked = environ.get(VARIABLE, "")
    if asked in {"installed", "bundled"}:
        return (asked,)
    return ("given",) if asked else PROVIDERS


def find(environ: Mapping[str, str] = os.environ, say: Callable[[str], None] = print) -> Browser:
    """The first that showed a page; ``NoBrowser`` where there is none."""
    failed = []
    for provider in order(environ):
        try:
            found = had(provider, environ, say)
            _shows_a_page(found)
        except (Unavailable, OSError) as error:
            failed.append(f"  not {provider}: {error}")
        else:
            return found
    raise NoBrowser("\n".join(["browser: none could be had", *failed, "", WAYS]))


def had(provider: str, environ: Mapping[str, str], say: Callable[[str], None]) -> Browser:
    """The browser of that way, not started yet; ``Unavailable`` where there is none."""
    if provider == "given":
        path = environ.get(VARIABLE, "")
        if not path:
            raise Unavailable(f"{VARIABLE} is not set")
        return Browser(path=path, origin=f"{path}, as {VARIABLE} says")
    if provider == "installed":
        return installed()
    return unpacked(packages.fetch(packages.CHROMIUM, say))


def installed() -> Browser:
    """The Chromium, Chrome or Edge of this system."""
    found: str | None = None
    if sys.platform == "darwin":
        programs = (Path(f"/Applications/{name}.app/Contents/MacOS/{name}") for name in _MAC)
        found = next((str(one) for one in programs if one.exists()), None)
    found = found or next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise Unavailable("no Chromium or Chrome is installed")
    return Browser(path=found, origin=f"installed, {found}")


def unpacked(tree: Path) -> Browser:
    """The Chromium of a distribution's packages that were unpacked in ``tree``, with its libraries and its font."""
    program = tree / "usr/lib/chromium/chromium-headless-shell"
    if not program.exists():
        raise Unavailable("the unpacked packages hold no chromium-headless-shell")
    fonts = tree / "fonts.conf"
    words = _FONTS.format(cache=escape(str(tree / "fonts")))
    if not fonts.exists() or fonts.read_text("utf-8") != words:
        fonts.write_text(words, encoding="utf-8")
    homes = [home for pattern in ("usr/lib/*-linux-gnu*", "lib/*-linux-gnu*") for home in tree.glob(pattern)]
    libraries = sorted({str(one.parent) for home in homes for one in home.rglob("*.so*")})
    environ = {"FONTCONFIG_FILE": str(fonts)}
    if libraries:
        environ["LD_LIBRARY_PATH"] = ":".join(libraries)
    return Browser(
        path=str(program), environ=environ, origin="the distribution's packages, unpacked in .servers"
    )  # fmt: skip


def _shows_a_page(browser: Browser) -> None:
    """A program that is there may still lack a library, or be a shell around nothing (Ubuntu's snap)."""
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", "about:blank"]
    try:
        done = subprocess.run(
            [browser.path, *flags],
            env={**os.environ, **browser.environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"{browser.origin}: showed nothing within 60 s") from error
    if "<html" not in done.stdout:
        wrong = done.stderr.strip().splitlines()[-1:] or [f"exit {done.returncode}"]
        raise Unavailable(f"{browser.origin}: {wrong[0]}")
