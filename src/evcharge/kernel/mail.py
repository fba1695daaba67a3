"""Mail to people. For now it is written to the log: there is no mail server yet."""

import logging
from dataclasses import dataclass

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Attachment:
    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class Mail:
    to: str
    subject: str
    text: str
    attachments: tuple[Attachment, ...] = ()


def send(mail: Mail) -> None:
    """Hand a mail over. It may be the second time: jobs run at least once."""
    names = ", ".join(each.name for each in mail.attachments)
    log.info("mail to %s: %s (%s)", mail.to, mail.subject, names or "no attachment")
