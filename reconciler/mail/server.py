"""How does a mail leave? By SMTP, in a connection of its own; what the server said when it would not take it."""

import smtplib
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final
from uuid import UUID

from reconciler.settings import MailServer

SECONDS: Final = 20.0
"""How long a server may be silent."""


class NotTaken(Exception):
    """The server did not take it; ``for_good``: and never will. ``str`` says why, without anything of the mail."""

    def __init__(self, why: str, *, for_good: bool) -> None:
        super().__init__(why)
        self.for_good = for_good


def send(server: MailServer, mail: UUID, address: str, subject: str, body: str, planned: datetime) -> None:
    """Hand one mail in; ``NotTaken`` when the server did not take it.

    May repeat: the same mail has the same Message-ID, by which mailboxes fold repeats.
    """
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = server.sender, address, subject
    message["Date"] = format_datetime(planned)
    message["Message-ID"] = f"<{mail}@{server.sender.rpartition('@')[2].rstrip('>')}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    message.set_content(body)
    try:
        with _connected(server) as connection:
            if server.user:
                connection.login(server.user, server.password)
            connection.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        ((code, _),) = error.recipients.values()
        raise NotTaken(f"the address was refused ({code})", for_good=code >= 500) from error
    except smtplib.SMTPAuthenticationError as error:
        raise NotTaken(f"the server refused our user ({error.smtp_code})", for_good=False) from error
    except smtplib.SMTPResponseException as error:
        raise NotTaken(f"the server answered {error.smtp_code}", for_good=False) from error
    except (smtplib.SMTPException, OSError) as error:
        raise NotTaken(f"the server could not be reached ({type(error).__name__})", for_good=False) from error


def _connected(server: MailServer) -> smtplib.SMTP:
    if server.encrypted:
        return smtplib.SMTP_SSL(server.host, server.port, timeout=SECONDS, context=ssl.create_default_context())
    connection = smtplib.SMTP(server.host, server.port, timeout=SECONDS)
    try:
        if not server.plain:
            connection.starttls(context=ssl.create_default_context())
    except BaseException:
        connection.close()
        raise
    return connection
