"""Referrals: what of a case was handed to a body that decides by law, its deadline, and how it ended.

Wording is of what is alleged: no outcome says that somebody is guilty. Times by law are in the editable table
`LegalDeadline`. Source: domain 4.5; choices made: docs/decisions/0014-pauses-and-referrals.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from commands.models import User
from incidents.choices import Act, ClockKind, Outcome, ReferralBody, ReferralOutcome, State
from incidents.limits import clean_words
from incidents.models import LIVE, ClockState, Incident, LegalDeadline, Referral
from incidents.querysets import IncidentQuerySet
from incidents.timekeeping import start_clock
from incidents.turn import chosen, refused, turn

DOCUMENT_MAX = 60
#: Papers sent so long before the report was entered belong to another matter.
OLDEST = dt.timedelta(days=365)


def refer(incident: Incident, *, by: User, body: str, sent_at: dt.datetime, document: str = "", **how: Any) -> Incident:
    """Record that the case went to `body` at `sent_at`; the time it has by law runs from then."""
    chosen(ReferralBody, body, "body")
    errors: dict[str, str] = {}
    clean_words(document, "document", errors, DOCUMENT_MAX)
    clean_words(how.get("note", ""), "note", errors, 20_000)
    if errors:
        raise ValidationError(errors, code="words")
    with turn(incident, Act.REFER, by=by, **how) as t:
        case = t.incident
        if sent_at > t.now:
            raise ValidationError({"sent_at": _("That is in the future.")}, code="future")
        if sent_at < case.reported_at - OLDEST:
            raise ValidationError({"sent_at": _("That is too long ago. Look at the year again.")}, code="past")
        minutes = LegalDeadline.objects.filter(body=body).values_list("minutes", flat=True).first()
        due = sent_at + dt.timedelta(minutes=minutes) if minutes else None
        referral = Referral.objects.create(
            incident=case, body=body, document=document.strip(), sent_at=sent_at, due_at=due, by=by
        )
        if minutes:
            start_clock(case, ClockKind.LEGAL, minutes, sent_at, t.now, about=referral.pk)
        t.extra_after = {"referral": case.referrals.count(), "body": body, "sent_at": sent_at.isoformat()}
        t.extra_after |= {"due_at": due.isoformat()} if due else {}
        t.extra_after |= {"document": referral.document} if referral.document else {}
        t.tell_commands("refer", [case.owner])
    return t.incident


def conclude_referral(incident: Incident, *, by: User, referral: int | str, outcome: str, **how: Any) -> Incident:
    """Record how the body ended it; its deadline is met by that."""
    chosen(ReferralOutcome, outcome, "outcome")
    errors: dict[str, str] = {}
    clean_words(how.get("note", ""), "note", errors, 20_000)
    if errors:
        raise ValidationError(errors, code="words")
    with turn(incident, Act.CONCLUDE_REFERRAL, by=by, **how) as t:
        case = t.incident
        row = numbered(case).get(int(referral)) if str(referral).isdecimal() else None
        if row is None or row.outcome:
            raise ValidationError({"referral": _("Choose a referral of this case that still runs.")}, code="choice")
        row.outcome, row.outcome_at = outcome, t.now
        row.save(update_fields=["outcome", "outcome_at"])
        clocks = case.clocks.filter(kind=ClockKind.LEGAL, about=row.pk, state__in=LIVE)
        clocks.update(state=ClockState.MET, stopped_at=t.now)
        if case.state == State.RESOLVED and case.outcome == Outcome.REFERRED_PENDING and not running(case).exists():
            case.outcome = Outcome.REFERRED_CONCLUDED
        t.extra_after = {"referral": int(referral), "body": row.body, "referral_outcome": outcome}
        t.tell_commands("referral_concluded", [case.owner])
    return t.incident


def numbered(incident: Incident) -> dict[int, Referral]:
    """The referrals of a case by their number in it, from 1: what people and the API call them by."""
    # Every act raises the version: on a case just reported there is nothing to ask for.
    return dict(enumerate(incident.referrals.order_by("pk"), start=1)) if incident.version > 1 else {}


def running(incident: Incident) -> QuerySet[Referral]:
    """Referrals of a case without an outcome yet."""
    return incident.referrals.filter(outcome="")


def refuse_while_running(incident: Incident) -> None:
    """A case that a body still decides about does not end. Raises ValidationError that names the bodies."""
    waits = bodies_of(running(incident))
    if waits:
        text = _("This case waits for: %(bodies)s. Record how the referral ended first.")
        raise refused(text % {"bodies": waits}, "checklist")


def bodies_of(referrals: Iterable[Referral]) -> str:
    return ", ".join(in_words(referral) for referral in referrals)


def in_words(referral: Referral) -> str:
    """«Prosecutor (12/27)», without the number of the document where there is none."""
    body = str(referral.get_body_display())
    return f"{body} ({referral.document})" if referral.document else body


def with_deadline(cases: IncidentQuerySet) -> QuerySet[Referral]:
    """Running referrals with a deadline, of `cases` (already scoped), soonest first."""
    found = Referral.objects.filter(outcome="", due_at__isnull=False, incident__in=cases)
    return found.select_related("incident", "incident__category", "incident__place", "incident__owner").order_by(
        "due_at", "pk"
    )


def without_deadline(cases: IncidentQuerySet) -> QuerySet[Referral]:
    """Running referrals for which the law sets no time, of `cases` (already scoped)."""
    return Referral.objects.filter(outcome="", due_at=None, incident__in=cases)
