"""What do many open pages do? Each polls the status of its customer on a connection of its own, as the widget's script does."""

import asyncio
import time
from collections.abc import Sequence
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from typing import Final

EVERY: Final = 5.0
"""Seconds between two polls of a page that waits for something to be carried over."""


def poll(port: int, passes: Sequence[str], begun: Event, stop: Event, counts: "Queue[dict[str, float]]") -> None:
    """Poll until told to stop; ``begun`` once every page has its first answer."""
    counts.put(asyncio.run(_all(port, passes, begun, stop)))


async def _all(port: int, passes: Sequence[str], begun: Event, stop: Event) -> dict[str, float]:
    answers: list[tuple[int, float]] = []
    over = asyncio.Event()

    async def one(nth: int, text: str) -> None:
        await asyncio.sleep(EVERY * nth / len(passes))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        mark = ""
        while not over.is_set():
            begin = time.perf_counter()
            held = f"if-none-match: {mark}\r\n" if mark else ""
            writer.write(f"GET /widget/status?{text} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n{held}\r\n".encode())
            status, found = await _answer(reader)
            mark = found or mark
            answers.append((status, (time.perf_counter() - begin) * 1000))
            try:
                await asyncio.wait_for(over.wait(), max(0.0, EVERY - (time.perf_counter() - begin)))
            except TimeoutError:
                continue
        writer.close()

    pages = [asyncio.create_task(one(nth, text)) for nth, text in enumerate(passes)]
    while len(answers) < len(passes):
        await asyncio.sleep(0.1)
    begun.set()
    since, before = time.perf_counter(), len(answers)
    while not stop.is_set():
        await asyncio.sleep(0.1)
    rate = (len(answers) - before) / (time.perf_counter() - since)
    over.set()
    await asyncio.gather(*pages, return_exceptions=True)
    ordered = sorted(took for _, took in answers[before:])
    return {
        "a second": rate,
        "unchanged": sum(status == 304 for status, _ in answers[before:]),
        "others": sum(status != 304 for status, _ in answers[before:]),
        "p95 ms": ordered[int(0.95 * (len(ordered) - 1))] if ordered else 0.0,
    }


async def _answer(reader: asyncio.StreamReader) -> tuple[int, str]:
    """The status and mark of one answer, its body read."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    lines = head.split("\r\n")
    fields = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
    await reader.readexactly(int(fields.get("content-length", "0")))
    return int(lines[0].split()[1]), fields.get("etag", "")
