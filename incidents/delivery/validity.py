"""Asked again in the moment of sending: is this notice still wanted, and may it go out now. Few queries for a batch."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Value

from commands.models.people import read_postings
from incidents.choices import ClockKind, State
from incidents.delivery import drills
from incidents.delivery.notices import is_urgent, quiet_until
from incidents.models import LIVE, Clock, Custody, Incident, Notice, NoticeChannel, NoticeStatus
from incidents.routing import ANSWERING

#: Notices that ask their recipient to take the case.
ASKING = frozenset({"report", "escalate", "hand_back", "auto_escalate", "skip", "warn"})
#: They make no sense once the case has ended.
_OF_OPEN_CASES = ASKING | {
    "informed", "moved_up", "inform", "exhausted", "assign", "passed_digest", "snooze", "resume", "retime",
}  # fmt: skip
#: Recipients of one query: more than a batch has, and less than half of what SQLite joins.
_AT_ONCE = 200
#: On one address at most one notice of a case and rung in this time; what comes meanwhile waits for its end.
STORM = dt.timedelta(minutes=10)


@dataclass
class Verdict:
    """What becomes of each notice of a batch: `send` now, `drop` as obsolete, or `wait` until a moment."""

    send: list[Notice] = field(default_factory=list)
    drop: list[Notice] = field(default_factory=list)
    wait: dict[dt.datetime, list[Notice]] = field(default_factory=lambda: defaultdict(list))


def judge(notices: Sequence[Notice], now: dt.datetime) -> Verdict:
    """Every notice of the batch in one of the three."""
    verdict = Verdict()
    read_postings([notice.recipient for notice in notices if notice.recipient is not None], now)
    seen = _visible(notices)
    clocks = _live_clocks(notices)
    last = _last_sent(notices, now)
    for notice in notices:
        if not _is_wanted(notice, seen, clocks):
            verdict.drop.append(notice)
        elif until := _held_until(notice, now, last):
            verdict.wait[until].append(notice)
        else:
            verdict.send.append(notice)
    return verdict


def _visible(notices: Iterable[Notice]) -> dict[int, set[UUID]]:
    """By recipient: the cases of the batch they may see now, through the postings they hold now; one query for all."""
    asked: dict[int, set[UUID]] = defaultdict(set)
    people = {}
    for notice in notices:
        if notice.recipient is not None and notice.incident_id is not None:
            people[notice.recipient.pk] = notice.recipient
            asked[notice.recipient.pk].add(notice.incident_id)
    each = [
        Incident.objects.visible_to(person).filter(pk__in=asked[key]).order_by().annotate(who=Value(key))
        for key, person in people.items()
    ]
    found: dict[int, set[UUID]] = defaultdict(set)
    for at in range(0, len(each), _AT_ONCE):
        first, *rest = (cases.values_list("who", "pk") for cases in each[at : at + _AT_ONCE])
        for key, case in first.union(*rest, all=True) if rest else first:
            found[key].add(case)
    return found


def _live_clocks(notices: Iterable[Notice]) -> set[tuple[UUID, str]]:
    warned = {n.incident_id for n in notices if n.kind == "warn" and n.incident_id}
    if not warned:
        return set()
    return set(Clock.objects.filter(incident__in=warned, state__in=LIVE).values_list("incident", "kind"))


def _is_wanted(notice: Notice, seen: dict[int, set[UUID]], clocks: set[tuple[UUID, str]]) -> bool:
    case = notice.incident
    if notice.webhook is not None:
        return notice.webhook.is_on and case is not None and not case.is_sealed
    contact = notice.contact
    if contact is None or not contact.is_on or contact.verified_at is None:
        return False
    if notice.recipient is None or not notice.recipient.is_active or contact.user_id != notice.recipient_id:
        return False
    if notice.kind == drills.KIND:
        return drills.is_wanted(notice)
    if case is None:
        return True
    if case.pk not in seen.get(notice.recipient.pk, set()):
        return False
    if notice.kind in _OF_OPEN_CASES and not case.is_open and not _runs_by_law(notice, case):
        return False
    return _still_asks(notice, case, clocks)


def _runs_by_law(notice: Notice, case: Incident) -> bool:
    """Whether it tells of a time by law, which runs on while the case is resolved.

    That nobody is above is repeated for as long as the body takes: the inbox alone says so then.
    """
    is_said = notice.kind in ("warn", "inform") and case.state == State.RESOLVED
    return is_said and notice.entry.after.get("clock") == ClockKind.LEGAL


def _still_asks(notice: Notice, case: Incident, clocks: set[tuple[UUID, str]]) -> bool:
    """Whoever is asked to take a case that somebody took meanwhile, or that moved on, is not called for nothing."""
    match notice.kind:
        case "report":
            return bool(case.state == State.REPORTED)
        case "escalate" | "hand_back" | "auto_escalate" | "skip":
            then = notice.entry.after.get("owner", case.owner_id)
            return then == case.owner_id and (not case.is_accepted or case.state == State.REPORTED)
        case "warn":
            clock = notice.entry.after.get("clock")
            return clock is None or (case.pk, clock) in clocks
        case _:
            return True


# ---- Not now ----


def _held_until(notice: Notice, now: dt.datetime, last: dict[tuple[int, UUID], dt.datetime]) -> dt.datetime | None:
    if notice.webhook_id is not None or notice.contact is None:
        return None
    if is_urgent(notice.kind, notice.incident.severity if notice.incident else ""):
        return None
    if until := quiet_until(notice.contact, now):
        return until
    if notice.incident_id is None:
        return None
    before = last.get((notice.contact.pk, notice.incident_id))
    return before + STORM if before is not None and before + STORM > now else None


def _last_sent(notices: Iterable[Notice], now: dt.datetime) -> dict[tuple[int, UUID], dt.datetime]:
    """By address and case: when a notice of it last went there, within STORM and since the case came to its rung."""
    contacts = {n.contact_id for n in notices if n.contact_id and n.incident_id}
    cases = {n.incident_id for n in notices if n.contact_id and n.incident_id}
    if not cases:
        return {}
    gone = Notice.objects.filter(
        incident__in=cases,
        contact__in=contacts,
        status__in=[NoticeStatus.SENT, NoticeStatus.DIGEST],
        sent_at__gt=now - STORM,
    ).exclude(channel=NoticeChannel.INBOX)
    found: dict[tuple[int, UUID], dt.datetime] = {}
    for contact, case, at in gone.values_list("contact", "incident", "sent_at"):
        if contact and case and at:
            found[contact, case] = max(at, found.get((contact, case), at))
    if not found:
        return {}
    moved: dict[UUID, dt.datetime] = {}
    for case, at in Custody.objects.filter(incident__in=cases, at__gt=now - STORM).values_list("incident", "at"):
        moved[case] = max(at, moved.get(case, at))
    return {key: at for key, at in found.items() if key[1] not in moved or moved[key[1]] <= at}


def may_answer(notice: Notice) -> bool:
    """Whether the message carries a link and a code: it asks for the case to be taken, and its recipient may take it.

    Not of a sealed case: whoever answers for that signs in.
    """
    case, person = notice.incident, notice.recipient
    if case is None or person is None or case.is_sealed or not case.is_open:
        return False
    if case.is_accepted and case.state != State.REPORTED:
        return False
    return any(p.role in ANSWERING and case.owner.path.startswith(p.command.path) for p in person.current_postings)
