"""A person at a real browser: what is on the screen, what the keyboard reaches, what axe-core finds wrong, and a picture of it."""

import base64
import importlib.util
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import sqlalchemy as sa
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Error, Locator, Page

from deploy.local.account import ROOT
from tests.builders.sync import TENANT
from tests.integration.web.browsing import Pages

PICTURES: Final = ROOT / "docs/pages"
WIDE: Final = 900
NARROW: Final = 320
"""A window of 1280 px at 400 %."""
PHONE: Final = 390
BOX: Final = 360
"""What a CRM leaves at the right of a customer."""
PATIENCE: Final = 60_000
"""Milliseconds that anything may take before it counts as missing: how long says how busy the machine is."""
Scheme = Literal["light", "dark"]
_TAGS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def _axe() -> str:
    """axe-core itself; the package around it is not imported."""
    spec = importlib.util.find_spec("axe_playwright_python")
    assert spec is not None, "./run setup installs what requirements.data.lock names"
    assert spec.origin is not None
    return (Path(spec.origin).parent / "axe.min.js").read_text("utf-8")


_AXE: Final = _axe()


@dataclass
class Screen:
    """One window of one person. What a page itself complains of (a script's error, a refused file) is kept in ``wrong``."""

    context: BrowserContext
    page: Page
    url: str
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.set_default_timeout(PATIENCE)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", self._heard)
        self.page.on("dialog", self._asked)

    def _heard(self, message: ConsoleMessage) -> None:
        # the browser itself notes an answer that is a page of its own about what is wrong (404, 403)
        if message.type == "error" and "the server responded with a status" not in message.text:
            self.wrong.append(message.text)

    def _asked(self, dialog: Dialog) -> None:
        self.wrong.append(f"dialog {dialog.message}")
        dialog.dismiss()

    def go(self, path: str = "/") -> int:
        """Open a page of ours; its status."""
        address = path if path.startswith("http") else self.url + path
        try:
            answer = self.page.goto(address)
        except Error as aborted:
            if not any(one in str(aborted) for one in ("ERR_ABORTED", "interrupted by another navigation")):
                raise
            answer = self.page.goto(address)  # the page before was just loading itself anew
        assert answer is not None
        return answer.status

    @property
    def text(self) -> str:
        """What can be seen on the page; what only a screen reader says is left out."""
        found: str = self.page.evaluate(_SEEN)
        return found

    def tab_to(self, what: str) -> Locator:
        """Press Tab until that (a selector) has the focus; a person without a mouse gets nowhere else."""
        passed = []
        for _ in range(150):
            self.page.keyboard.press("Tab")
            found = self.page.locator("*:focus")
            try:
                if self.page.locator(f"{what} >> visible=true").and_(found).count():
                    return found
                passed.append(self.page.evaluate("document.activeElement?.outerHTML.slice(0, 80)"))
            except Error as gone:
                if "context was destroyed" not in str(gone):
                    raise
                self.page.wait_for_load_state()  # the page was just loading itself anew: there Tab begins at the top
        raise AssertionError(f"Tab never reaches {what}, only {passed[:40]}")

    def flawless(self) -> None:
        """axe-core finds nothing, nothing runs over the edge, and the page itself complains of nothing."""
        self.page.evaluate(_AXE)
        # a box in a frame is part of a page that has its own heading
        rules = {"page-has-heading-one": {"enabled": "/widget" not in self.page.url}}
        words = {"runOnly": _TAGS, "resultTypes": ["violations"], "rules": rules}
        found = self.page.evaluate("words => axe.run(document, words)", words)
        told = [
            f"{one['id']}: {one['help']}: {[(node['html'], node['failureSummary']) for node in one['nodes'][:3]]}"
            for one in found["violations"]
        ]
        assert told == [], f"{self.page.url}: {told}"
        self.fits()
        assert self.wrong == []

    def fits(self) -> None:
        """Nobody has to scroll sideways."""
        over = self.page.evaluate(_OVER)
        assert over == [], f"{self.page.url}: wider than the window: {over}"

    def close(self) -> None:
        self.context.close()


@dataclass
class Screens:
    """Windows of any number of people, on the same pages."""

    chromium: Browser
    pages: Pages
    pictures: bool
    _open: list[Screen] = field(default_factory=list)
    _looking: dict[str, Screen] = field(default_factory=dict)

    def window(self, **given: Any) -> Screen:
        """A window of nobody yet; ``given`` are the browser's own words (locale, color_scheme, java_script_enabled)."""
        words = {"locale": "da-DK", "viewport": {"width": WIDE, "height": 700}, **given}
        context = self.chromium.new_context(**words)
        self._open.append(Screen(context=context, page=context.new_page(), url=self.pages.url))
        return self._open[-1]

    def arrive(self, *, window: dict[str, Any] | None = None, **given: Any) -> Screen:
        """A window of somebody whom the CRM just sent here."""
        screen = self.window(**(window or {}))
        held = self.pages.launch(**{"tenant": TENANT, **given})
        answer = screen.context.request.post(
            f"{self.pages.url}/launch", form={"pass": held, "to": "/"}, max_redirects=0
        )
        assert answer.status == 303
        return screen

    def look(
        self,
        name: str,
        path: str,
        /,
        status: int = 200,
        then: Callable[[Page], object] = lambda _: None,
        *,
        also: bool = False,
        **who: Any,
    ) -> None:
        """See one page in Danish, light, and in English, dark and as narrow as at 400 %; with pictures in both languages.

        ``then`` is what the person does on it before it is looked at; ``who`` is who it is, ``nobody=True`` for nobody.
        ``also`` has it pictured in the dark, on a phone and at 400 % too.
        """
        mark = "&" if "?" in path else "?"
        for language, scheme, width in _WAYS:
            screen = self._of(language, scheme, width, **who)
            self._relayed()
            assert screen.go(f"{path}{mark}lang={language}") == status
            assert screen.page.locator("html").get_attribute("lang") == language
            then(screen.page)
            screen.flawless()
            if self.pictures:
                self._pictures(screen, name, language, also=also)
                screen.page.set_viewport_size({"width": width, "height": 700})
                screen.page.emulate_media(color_scheme=scheme)

    def _relayed(self) -> None:
        """What was told has left: no relay runs here, and a page would say that we are late."""
        with self.pages.engine.begin() as connection:
            connection.execute(sa.text("delete from sync.outbox_pending"))

    def _pictures(self, screen: Screen, name: str, language: str, *, also: bool) -> None:
        box = "/widget" in screen.page.url
        ways: list[tuple[str, Scheme, int]] = [("", "light", BOX if box else WIDE)]
        if also:
            ways += [("-dark", "dark", BOX if box else WIDE)]
            ways += [] if box else [("-phone", "light", PHONE), ("-400", "light", NARROW)]
        for mark, scheme, width in ways:
            screen.page.emulate_media(color_scheme=scheme)
            screen.page.set_viewport_size({"width": width, "height": 120})
            screen.fits()
            self.picture(screen, f"{name}-{language}{mark}")

    def _of(self, language: str, scheme: Scheme, width: int, **who: Any) -> Screen:
        """The window of that person in that language: one for all that they look at."""
        key = f"{language} {sorted(who.items())}"
        if key not in self._looking:
            window = {"locale": language, "color_scheme": scheme, "viewport": {"width": width, "height": 700}}
            nobody = who.pop("nobody", False)
            self._looking[key] = self.window(**window) if nobody else self.arrive(window=window, **who)
        return self._looking[key]

    def picture(self, screen: Screen, name: str) -> None:
        """A picture of the whole page, in as few colours as it has."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        taken = base64.b64encode(screen.page.screenshot(full_page=True, animations="disabled")).decode()
        blank = screen.context.new_page()
        found = blank.evaluate(_PALETTE, taken)
        blank.close()
        (PICTURES / f"{name}.png").write_bytes(_png(found["width"], found["colours"], base64.b64decode(found["dots"])))

    def close(self) -> None:
        for one in self._open:
            one.close()


_WAYS: Final[tuple[tuple[str, Scheme, int], ...]] = (("da", "light", WIDE), ("en", "dark", NARROW))


def _png(width: int, colours: list[int], dots: bytes) -> bytes:
    """A picture of at most 256 colours (PNG, palette)."""
    height = len(dots) // width
    rows = b"".join(b"\0" + dots[at : at + width] for at in range(0, len(dots), width))
    palette = b"".join(struct.pack(">I", one)[1:] for one in colours)
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", palette),
        (b"IDAT", zlib.compress(rows, 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )


_SEEN: Final = """() => {
  const spoken = [...document.querySelectorAll('.hidden')];
  spoken.forEach(one => one.hidden = true);
  const text = document.body.innerText;
  spoken.forEach(one => one.hidden = false);
  return text;
}"""
_OVER: Final = """() => {
  const wide = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= wide) return [];
  return [...document.querySelectorAll('body *')].filter(one => one.getBoundingClientRect().right > wide + 1)
    .slice(0, 5).map(one => one.outerHTML.slice(0, 120));
}"""
_PALETTE: Final = """async taken => {
  const image = await createImageBitmap(await (await fetch('data:image/png;base64,' + taken)).blob());
  const canvas = new OffscreenCanvas(image.width, image.height), pen = canvas.getContext('2d');
  pen.drawImage(image, 0, 0);
  const data = pen.getImageData(0, 0, image.width, image.height).data, often = new Map();
  const colour = at => (data[at] << 16) | (data[at + 1] << 8) | data[at + 2];
  for (let at = 0; at < data.length; at += 4) often.set(colour(at), (often.get(colour(at)) ?? 0) + 1);
  const kept = [...often].sort((one, other) => other[1] - one[1] || one[0] - other[0]).slice(0, 256).map(([one]) => one);
  const known = new Map(kept.map((one, index) => [one, index])), dots = new Uint8Array(data.length / 4);
  const far = (one, other) => [16, 8, 0].reduce((sum, by) => sum + (((one >> by) & 255) - ((other >> by) & 255)) ** 2, 0);
  const nearest = one => kept.reduce((best, other, index) => far(one, other) < far(one, kept[best]) ? index : best, 0);
  for (let at = 0; at < data.length; at += 4) {
    if (!known.has(colour(at))) known.set(colour(at), nearest(colour(at)));
    dots[at / 4] = known.get(colour(at));
  }
  let text = '';
  for (let at = 0; at < dots.length; at += 32768) text += String.fromCharCode(...dots.subarray(at, at + 32768));
  return {width: image.width, colours: kept, dots: btoa(text)};
}"""
