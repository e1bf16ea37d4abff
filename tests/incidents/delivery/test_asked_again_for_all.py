"""Whether a message may still go out is asked for all its recipients together, and answered as for each of them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from commands.choices import Role
from commands.models import Delegation, Posting, User
from commands.models.people import read_postings
from incidents.delivery import validity
from incidents.models import Entry, Incident, Notice
from tests.cast import NOW, Cast
from tests.factories import make_incident, make_sealed

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def everybody(cast: Cast) -> list[User]:
    return [User.objects.get(pk=getattr(cast, name).pk) for name in cast.names()]


def batch(cast: Cast, cases: list[Incident]) -> list[Notice]:
    """A notice of every case to the mail of everybody, each with a person of its own, as the sender reads them."""
    for case in cases:
        entry = Entry.objects.create(incident=case, act="update", at=NOW, channel="browser", version=case.version)
        for person in everybody(cast):
            Notice.objects.create(
                entry=entry, incident=case, recipient=person, contact=person.contact_points.get(), channel="email",
                kind="informed", created_at=NOW, next_try_at=NOW,
            )  # fmt: skip
    rows = Notice.objects.filter(kind="informed", channel="email", incident__in=cases).order_by("pk")
    return list(rows.select_related("entry", "incident__owner", "contact", "recipient"))


def unlike(cast: Cast) -> list[Incident]:
    """An open case, one elsewhere, a sealed one; somebody who left, one who acts for others, one in the admin."""
    Posting.objects.filter(user=cast.neighbour).update(ends_at=NOW - DAY)
    User.objects.filter(pk=cast.ministry.pk).update(is_active=False)
    User.objects.filter(pk=cast.psc.pk).update(is_staff=True)
    Posting.objects.create(
        user=cast.other_province, role=Role.OFFICER, command=cast.command("demo_duty"), starts_at=NOW - DAY,
        conduct_accepted_at=NOW - DAY,
    )  # fmt: skip
    Delegation.objects.create(
        command=cast.command("demo_provincial"), acting=cast.command("provincial"), starts_at=NOW - DAY,
        ends_at=NOW + DAY, reason="Flood.", made_by=cast.nec, made_at=NOW - DAY,
    )  # fmt: skip
    return [make_incident(), make_incident(by=cast.demo_officer, place="KH990101"), make_sealed()]


def test_it_says_of_everybody_what_each_may_see(cast: Cast, clock: None) -> None:
    cases = unlike(cast)
    sent = {(n.recipient_id, n.incident_id) for n in validity.judge(batch(cast, cases), NOW).send}
    may = set()
    for person in everybody(cast):
        seen = Incident.objects.visible_to(person).values_list("pk", flat=True) if person.is_active else ()
        may |= {(person.pk, key) for key in seen}
    assert sent == may
    sealed = cases[2].pk
    assert {cast.nec_integrity.pk, cast.demo_integrity.pk} <= {who for who, key in sent if key == sealed}
    assert cast.demo_duty.pk not in {who for who, key in sent if key == sealed}
    assert (cast.provincial.pk, cases[1].pk) in sent


def test_postings_read_together_are_those_read_alone(cast: Cast, clock: None) -> None:
    unlike(cast)
    together, alone = everybody(cast), everybody(cast)
    read_postings(together, NOW)
    for one, other in zip(together, alone, strict=True):
        read = [(p.pk, p.command.code, p.is_acting) for p in one.current_postings]
        assert read == [(p.pk, p.command.code, p.is_acting) for p in other.current_postings], one.username


def test_twenty_recipients_cost_as_many_queries_as_two(cast: Cast, django_assert_num_queries: Any) -> None:
    rows = batch(cast, [make_incident(), make_sealed()])
    two = [n for n in rows if n.recipient_id in (cast.provincial.pk, cast.nec_integrity.pk)]
    with CaptureQueriesContext(connection) as few:
        validity.judge(two, NOW)
    with django_assert_num_queries(len(few)):
        verdict = validity.judge(rows, NOW)
    assert len(verdict.send) > len(two)
    # Whether a message carries a code is asked of its recipient next.
    with django_assert_num_queries(0):
        for notice in verdict.send:
            validity.may_answer(notice)
