"""A mail server for tests: it keeps what it is handed, refuses what a test says, and speaks SMTP (RFC 5321) on a real socket."""

import email
import socketserver
import threading
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from typing import Any


@dataclass
class Postbox:
    """What arrived, in its order, and which addresses are refused with which answer."""

    port: int = 0
    arrived: list[EmailMessage] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    """Address: the answer to it, as "550 no such person"."""
    taken: str = "250 kept"
    """The answer to a whole mail; it is kept also where this says otherwise, as after a lost answer."""

    def to(self, address: str) -> list[EmailMessage]:
        return [one for one in self.arrived if one["To"] == address]


def body(mail: EmailMessage) -> str:
    """The text of a mail."""
    return str(mail.get_content())


class Opened:
    """A postbox on a socket, until it is closed."""

    def __init__(self) -> None:
        self.box = box = Postbox()

        class Talk(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                _talk(self.rfile, self.wfile, box)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk)
        self._server.daemon_threads = True
        box.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=[0.01], daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _talk(read: Any, write: Any, box: Postbox) -> None:
    def say(line: str) -> None:
        write.write(f"{line}\r\n".encode())

    say("220 postbox")
    while line := read.readline().decode().strip():
        match line.partition(" ")[0].upper():
            case "EHLO" | "HELO":
                say("250 postbox")
            case "RCPT":
                say(box.refused.get(line.partition("<")[2].partition(">")[0], "250 yes"))
            case "DATA":
                say("354 go on")
                held = b""
                while (part := read.readline()) != b".\r\n":
                    held += part[1:] if part.startswith(b"..") else part
                found = email.message_from_bytes(held, policy=default)
                assert isinstance(found, EmailMessage)
                box.arrived.append(found)
                say(box.taken)
            case "QUIT":
                say("221 bye")
                return
            case _:
                say("250 yes")
