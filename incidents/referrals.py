"""Referrals: what of a case was handed to a body that decides by law, its deadline, and how it ended.

Wording is of what is alleged: no outcome says that somebody is guilty. Times by law are in the editable table
`LegalDeadline`. Source: domain 4.5; choices made: docs/decisions/0014-pauses-and-referrals.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from commands.authority import may, roles_for
from commands.choices import Role
from commands.models import Posting, SecurityCommand, User
from incidents.choices import Act, ClockKind, Outcome, ReferralBody, ReferralOutcome, State
from incidents.limits import clean_words
from incidents.models import LIVE, ClockState, Incident, LegalDeadline, Referral
from incidents.querysets import IncidentQuerySet
from incidents.routing import height_of, nearest_staffed, nec
from incidents.timekeeping import start_clock
from incidents.turn import Turn, chain_above, chosen, facts_of, refused, turn, vacant_for

DOCUMENT_MAX = 60
#: Each has a clock of its own: sixty that came due in one minute kept the engine from escalating their case. No matter
#: is before more bodies than there are.
MOST_RUNNING = 10
#: Papers sent so long before the report was entered belong to another matter.
OLDEST = dt.timedelta(days=365)


def refer(incident: Incident, *, by: User, body: str, sent_at: dt.datetime, document: str = "", **how: Any) -> Incident:
    """Record that the case went to `body` at `sent_at`; the time it has by law runs from then.

    Where one of their own to that body runs without a number, `document` is added to it: papers get theirs later.
    """
    chosen(ReferralBody, body, "body")
    errors: dict[str, str] = {}
    clean_words(document, "document", errors, DOCUMENT_MAX)
    clean_words(how.get("note", ""), "note", errors, 20_000)
    if errors:
        raise ValidationError(errors, code="words")
    with turn(incident, Act.REFER, by=by, **how) as t:
        case = t.incident
        if not may_refer(case, by):
            raise PermissionDenied(_who_refers_further(case, by))
        number = _without_number(case, body, by) if document.strip() else None
        if number is not None:
            _add_number(t, number, document.strip())
        else:
            _begin(t, body, sent_at, document.strip(), by)
    return t.incident


def _without_number(case: Incident, body: str, by: User) -> int | None:
    """The running referral to `body` that lacks the number of its document and whose end is for `by` to record."""
    may_end = concludable(case, by)
    rows = numbered(case).items()
    return next((n for n, row in rows if n in may_end and row.body == body and not row.document), None)


def _add_number(t: Turn, number: int, document: str) -> None:
    row = numbered(t.incident)[number]
    row.document = document
    row.save(update_fields=["document"])
    t.extra_after = {"referral": number, "body": row.body, "document": document, "is_number": True}
    t.extra_after |= {"sent_at": row.sent_at.isoformat()}


def _begin(t: Turn, body: str, sent_at: dt.datetime, document: str, by: User) -> None:
    case = t.incident
    if running(case).count() >= MOST_RUNNING:
        text = _("%(number)d referrals of this case run already. Record how one of them ended first.")
        raise refused(text % {"number": MOST_RUNNING})
    if sent_at > t.now:
        raise ValidationError({"sent_at": _("That is in the future.")}, code="future")
    if sent_at < case.reported_at - OLDEST:
        raise ValidationError({"sent_at": _("That is too long ago. Look at the year again.")}, code="past")
    minutes = LegalDeadline.objects.filter(body=body).values_list("minutes", flat=True).first()
    due = sent_at + dt.timedelta(minutes=minutes) if minutes else None
    referral = Referral.objects.create(incident=case, body=body, document=document, sent_at=sent_at, due_at=due, by=by)
    if minutes:
        start_clock(case, ClockKind.LEGAL, minutes, sent_at, t.now, about=referral.pk)
    t.extra_after = {"referral": case.referrals.count(), "body": body, "sent_at": sent_at.isoformat()}
    t.extra_after |= {"due_at": due.isoformat()} if due else {}
    t.extra_after |= {"document": document} if document else {}
    t.tell_commands("refer", [case.owner, *(_of_the_nec(case) if body == ReferralBody.NEC else [])])


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
        maker = _makers(case).get(int(referral))
        t.posting = _ends_under(case, by, maker)
        if t.posting is None:
            raise PermissionDenied(_who_ends(case, maker))
        row.outcome, row.outcome_at = outcome, t.now
        row.save(update_fields=["outcome", "outcome_at"])
        clocks = case.clocks.filter(kind=ClockKind.LEGAL, about=row.pk, state__in=LIVE)
        clocks.update(state=ClockState.MET, stopped_at=t.now)
        ended = case.referrals.exclude(outcome__in=["", ReferralOutcome.MISTAKE]).exists()
        if case.state == State.RESOLVED and case.outcome == Outcome.REFERRED_PENDING and not running(case).exists():
            # Of a case that was referred by mistake alone no body has decided anything.
            case.outcome = Outcome.REFERRED_CONCLUDED if ended else case.outcome
        t.extra_after = {"referral": int(referral), "body": row.body, "referral_outcome": outcome}
        _tell_of_the_end(t, row, maker)
    return t.incident


def _tell_of_the_end(t: Turn, row: Referral, maker: SecurityCommand | None) -> None:
    """The owner, who referred it, the next command above where somebody is, and the NEC where the case is its own."""
    case = t.incident
    chain = chain_above(case)
    next_up, _left_out = nearest_staffed(chain, vacant_for(case, chain, t.now))
    told = [case.owner, maker, next_up]
    is_of_nec = row.body == ReferralBody.NEC or (maker is not None and maker.path.startswith("NEC."))
    # A sealed case is closed by the desk at the NEC, and waits there from now on.
    if is_of_nec or case.is_sealed or facts_of(case, t.by).needs_nec:
        told += _of_the_nec(case)
    t.tell_commands("referral_concluded", [command for command in told if command])
    if row.by.current_postings and Incident.objects.visible_to(row.by).filter(pk=case.pk).exists():
        t.tell("referral_concluded", [row.by])


def _of_the_nec(case: Incident) -> list[SecurityCommand]:
    """The secretariat; of a sealed case the desk at the NEC, unless the case is about the NEC."""
    if case.is_sealed:
        return [desk for desk in (case.owner, *chain_above(case)) if desk.path.startswith("NEC.")]
    return [command for command in (nec(),) if command]


# ---- Who may ----


def may_refer(case: Incident, by: User) -> bool:
    """Whether `by`, whose posting allows to refer, still does: once resolved, only who may close the case or the NEC.

    Else who resolved a case keeps it from being closed, with one referral after another.
    """
    if case.state != State.RESOLVED:
        return True
    return may(Act.CLOSE, by.current_postings, facts_of(case, by)) or by.has_role(Role.NEC_SECRETARIAT)


def _who_refers_further(case: Incident, by: User) -> str:
    roles = ", ".join(str(role.label) for role in roles_for(Act.CLOSE, facts_of(case, by)))
    text = _("This case is resolved. Only somebody else, who may close it, refers it further: %(roles)s.")
    return text % {"roles": roles}


def concludable(case: Incident, by: User) -> set[int]:
    """The numbers of the running referrals whose outcome `by` may record."""
    numbers = [number for number, row in numbered(case).items() if not row.outcome]
    makers = _makers(case) if numbers else {}
    return {number for number in numbers if _ends_under(case, by, makers.get(number))}


def why_not(act: str, case: Incident, by: User) -> str:
    """Who may refer the case further, or record how its referrals ended, where `by` may not; "" for all else."""
    if not may(act, by.current_postings, facts_of(case, by)):
        return ""
    if act == Act.REFER and not may_refer(case, by):
        return _who_refers_further(case, by)
    if act == Act.CONCLUDE_REFERRAL and not concludable(case, by):
        makers = _makers(case)
        numbers = [number for number, row in numbered(case).items() if not row.outcome]
        return _who_ends(case, makers.get(numbers[0])) if numbers else ""
    return ""


def who_ends(case: Incident, numbers: Iterable[int]) -> dict[int, str]:
    """For each of these referrals the sentence that says who records how it ended."""
    makers = _makers(case)
    return {number: _who_ends(case, makers.get(number)) for number in numbers}


def _makers(case: Incident) -> dict[int, SecurityCommand]:
    """At which command each referral was made, by its number in the case: as the journal has it."""
    entries = case.entries.filter(act=Act.REFER, command__isnull=False).select_related("command")
    return {e.after["referral"]: e.command for e in entries if e.command and not e.after.get("is_number")}


def _ends_under(case: Incident, by: User, maker: SecurityCommand | None) -> Posting | None:
    """The posting under which `by` records how what `maker` referred ended; None where none allows it.

    It is not for the owner below: what the NEC or a command above handed to a court would end without them.
    """
    facts = facts_of(case, by)
    fitting = (posting for posting in by.current_postings if may(Act.CONCLUDE_REFERRAL, [posting], facts))
    return next((posting for posting in fitting if maker is None or _answers_for(posting, maker)), None)


def _answers_for(posting: Posting, maker: SecurityCommand) -> bool:
    """Whether somebody acts for `maker` or for what stands above it. Desks stand beside each other's paths."""
    here = posting.command
    # A body without a height, as the secretariat, has nothing above it here.
    is_above = maker.path.startswith(here.path) or 0 < height_of(maker) < height_of(here)
    return is_above or posting.role == Role.NEC_SECRETARIAT


def _who_ends(case: Incident, maker: SecurityCommand | None) -> str:
    if maker is None:
        return ""
    if maker.path.startswith("NEC."):
        text = _("%(command)s made this referral and records its outcome. Tell them what you know.")
    elif case.is_sealed:
        text = _("%(command)s made this referral. They, or a desk above them, record its outcome: tell them.")
    else:
        text = _("%(command)s made this referral. They, a command above them or the NEC record its outcome: tell them.")
    return text % {"command": maker.name}


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


def why_not_pending(case: Incident, outcome: str) -> str:
    """Why the case cannot end as referred and pending now; "" where it can, or ends otherwise.

    Such an end promises that somebody decides: by a time the law sets, or on a paper that can be asked for.
    """
    if outcome != Outcome.REFERRED_PENDING:
        return ""
    waits = list(running(case))
    if not waits:
        return _("No referral of this case runs. Record the referral first, or choose another outcome.")
    untimed = [referral for referral in waits if referral.due_at is None]
    if untimed and not any(referral.document for referral in untimed):
        text = _(
            "The law sets no time for: %(bodies)s. Refer it there again with the number of the document, "
            "which is added to the referral that runs. Or choose another outcome."
        )
        return text % {"bodies": bodies_of(untimed)}
    return ""


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
    """Running referrals for which the law sets no time, of `cases` (already scoped); who waits longest first."""
    found = Referral.objects.filter(outcome="", due_at=None, incident__in=cases)
    return found.select_related("incident", "incident__category", "incident__place", "incident__owner").order_by(
        "sent_at", "pk"
    )
