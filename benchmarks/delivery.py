"""Messages: how many a minute leave through a mail server of this machine, and whether each arrived once.

The server runs in the same process as the sender and shares its processor, so the figure is on the low side.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import logging
import os
import smtplib
import sys
import time
from email.message import EmailMessage
from typing import Any

from benchmarks.measure import Row, shown
from benchmarks.stage import Stage

#: Messages of a run, each to a person of their own, so that none share a digest.
MESSAGES = 3_000
GOAL_A_MINUTE = 1_000
COPY = "bench_delivery"


def measure(stage: Stage, incidents: int, messages: int = MESSAGES) -> list[Row]:
    """Rates a minute, on a copy of the database, which is thrown away."""
    database = stage.database(incidents)
    stage.sql(f"DROP DATABASE IF EXISTS {COPY}")
    stage.sql(f"CREATE DATABASE {COPY} TEMPLATE {database}")
    try:
        told = json.loads(stage.run("-m", "benchmarks.delivery", str(messages), database=COPY))
    finally:
        stage.sql(f"DROP DATABASE {COPY}")
    rate, floor = told["rate"] * 60, told["floor"] * 60
    return [
        Row(
            what=f"E-mail, {messages:,} messages: {told['arrived']:,} arrived, {told['twice']:,} twice",
            value=f"{shown(rate)} a minute",
            against="the same letters over one connection, no database",
            base=f"{shown(floor)} a minute",
            ratio=rate / floor,
            goal="1,000 a minute, none lost",
            is_met=rate >= GOAL_A_MINUTE and told["arrived"] == messages,
        )
    ]


def _figures(messages: int) -> dict[str, Any]:
    from django.conf import settings

    from incidents.delivery import outbox
    from incidents.models import Notice
    from tests.incidents.delivery.sinks import MailSink

    logging.getLogger("mail.log").setLevel(logging.ERROR)
    sink = MailSink().start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_CONFIGURED = "127.0.0.1", sink.port, True
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    begun = time.perf_counter()
    _floor(sink.port, messages)
    flooring = time.perf_counter() - begun
    sink.letters.clear()
    _fill(messages)
    begun = time.perf_counter()
    sent = 0
    while Notice.objects.filter(channel="email", status="pending").exists():
        sent += outbox.deliver(dt.datetime.now(dt.UTC)).sent
    sending = time.perf_counter() - begun
    arrived = sink.by_id()
    sink.stop()
    assert sent == messages, sent
    return {
        "rate": messages / sending,
        "floor": messages / flooring,
        "arrived": len(arrived),
        "twice": sum(len(letters) > 1 for letters in arrived.values()),
    }


def _floor(port: int, messages: int) -> None:
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "a@example.org", "b@example.org", "A letter"
    letter.set_content("As long as ours.\n" * 20)
    with smtplib.SMTP("127.0.0.1", port) as server:
        for _number in range(messages):
            server.send_message(letter)


def _fill(messages: int) -> None:
    """People of the PSC, an address each, and one notice each about a case that they see."""
    from commands.choices import BodyKind, Role
    from commands.models import ContactPoint, Posting, SecurityCommand, User
    from incidents.models import Entry, Notice

    now = dt.datetime.now(dt.UTC)
    psc = SecurityCommand.objects.get(kind=BodyKind.PSC)
    people = User.objects.bulk_create(User(username=f"bench-{n}", language="km") for n in range(messages))
    Posting.objects.bulk_create(
        Posting(user=p, role=Role.PSC_WATCH, command=psc, starts_at=now - dt.timedelta(days=1)) for p in people
    )
    contacts = ContactPoint.objects.bulk_create(
        ContactPoint(user=p, channel="email", address=f"{p.username}@example.org", created_at=now, verified_at=now)
        for p in people
    )
    reports = list(Entry.objects.filter(act="report", incident__is_sealed=False).order_by("pk")[:messages])
    Notice.objects.filter(status="pending").delete()
    Notice.objects.bulk_create(
        Notice(
            entry=entry, incident_id=entry.incident_id, recipient=contact.user, contact=contact, channel="email",
            kind="relocate_station", created_at=now, next_try_at=now,
        )
        for contact, entry in zip(contacts, itertools.cycle(reports), strict=False)
    )  # fmt: skip


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    print(json.dumps(_figures(int(sys.argv[1]))))
