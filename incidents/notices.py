"""Public notices: drafted, issued by a second person of the NEC, taken back; the only writer of `PublicNotice`.

Only what is verified is published, as an instruction or a correction, with an expiry, naming no person and no party.
Issued notices are never changed or deleted. Each act is in the journal with the SHA-256 of the message that went out.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from commands.authority import judge_roles
from commands.choices import Role
from commands.models import Posting, User
from elections.choices import Level
from elections.models import Jurisdiction
from incidents import cap
from incidents.choices import OPEN, Act, Channel, Severity, State, Verification
from incidents.models import CapCategory, Entry, Incident, PublicNotice, PublicNoticeState
from incidents.querysets import IncidentQuerySet

#: Domain 5.2: a province drafts for its own place, the PSC for any; only the NEC approves.
DRAFTERS = (Role.NEC_SECRETARIAT, Role.PSC_WATCH, Role.PROVINCIAL_COMMAND)
APPROVERS = (Role.NEC_SECRETARIAT,)
LONGEST = dt.timedelta(days=30)
#: Fields of a draft, and their longest values.
TEXTS = {
    "event_km": 120, "event_en": 120, "headline_km": 160, "headline_en": 160, "instruction_km": 2000,
    "instruction_en": 2000,
}  # fmt: skip
_KHMER = re.compile("[\u1780-\u17b3]")
#: Nine digits and more with the separators people use: a telephone or an identity number.
_LONG_NUMBER = re.compile(r"\d(?:[ .\-]?\d){7,}")
#: Cases that never were, or are told elsewhere.
_NOT_PUBLISHED = (State.DRAFT, State.MERGED, State.WITHDRAWN, State.NOT_AN_INCIDENT)

Outline = Callable[[Jurisdiction], Sequence[cap.Ring]]


def may_draft(user: User, incident: Incident) -> bool:
    """Whether the person holds a posting that drafts, and may read the details of the case."""
    return user.has_role(*DRAFTERS) and Incident.objects.detailed_to(user).filter(pk=incident.pk).exists()


def areas_for(incident: Incident) -> list[Jurisdiction]:
    """The places a notice about the case may be for: its own, and each that it is part of, smallest first."""
    areas: list[Jurisdiction] = []
    at: Jurisdiction | None = incident.place
    while at is not None:
        if at.level != Level.VILLAGE:
            areas.append(at)
        at = at.parent
    return areas


def without_notice(cases: IncidentQuerySet) -> IncidentQuerySet:
    """Those of `cases` something may be published about and nobody has drafted anything for, latest first."""
    return (
        cases.filter(verification=Verification.VERIFIED, state__in=(*OPEN, State.RESOLVED), public_notices=None)
        .exclude(severity=Severity.UNRATED)
        .order_by("-reported_at", "-pk")
    )


def not_publishable(incident: Incident) -> str:
    """Why nothing may be published about this case, as a sentence; "" when something may."""
    if incident.verification != Verification.VERIFIED:
        return _("Only verified cases may be published. This one is not verified yet.")
    if incident.state in _NOT_PUBLISHED:
        return _("Nothing is published about a report that was withdrawn, joined or found not to be an incident.")
    if incident.severity == Severity.UNRATED:
        return _("Nothing is published about a case without severity.")
    return ""


def hints(notice: PublicNotice) -> list[str]:
    """What a second reader should look at before approving: sentences, none of them a refusal."""
    found = []
    texts = [getattr(notice, name) for name in TEXTS]
    if any(_LONG_NUMBER.search(t) for t in texts):
        found.append(_("The text holds a long number. Make sure that it is nobody's own telephone or identity number."))
    if any("@" in t or "http" in t.lower() for t in texts):
        found.append(_("The text holds an address. Make sure that it is an official one."))
    return found


# ---- Acts ----


@transaction.atomic
def draft(
    incident: Incident, *, by: User, now: dt.datetime, channel: str = Channel.BROWSER, **fields: Any
) -> PublicNotice:
    """Write a draft. `fields`: area (P-code), category, the six texts, expires_at (aware)."""
    posting = judge_roles(DRAFTERS, by.current_postings)
    if not may_draft(by, incident):
        raise PermissionDenied(_("There is no such case, or it is not yours to see."))
    _refuse_unless_publishable(incident)
    values = _clean(incident, fields, now)
    notice = PublicNotice.objects.create(incident=incident, drafted_by=by, drafted_at=now, **values)
    _record(Act.DRAFT_NOTICE, notice, by, posting, now, channel, after=_as_stored(values))
    return notice


@transaction.atomic
def revise(
    notice: PublicNotice, *, by: User, now: dt.datetime, channel: str = Channel.BROWSER, **fields: Any
) -> PublicNotice:
    """Change a draft. Who wrote the last words is its drafter from then on, and so cannot approve it."""
    posting = judge_roles(DRAFTERS, by.current_postings)
    notice = _locked(notice)
    _refuse_unless(notice, PublicNoticeState.DRAFT)
    if not may_draft(by, notice.incident):
        raise PermissionDenied(_("There is no such notice, or it is not yours to see."))
    values = _clean(notice.incident, fields, now)
    before = {name: getattr(notice, name if name != "area" else "area_id") for name in values}
    for name, value in values.items():
        setattr(notice, name, value)
    notice.drafted_by, notice.drafted_at = by, now
    notice.save(update_fields=[*values, "drafted_by", "drafted_at"])
    changed = {k: v for k, v in _as_stored(values).items() if v != _as_stored(before)[k]}
    old = {k: _as_stored(before)[k] for k in changed}
    _record(Act.DRAFT_NOTICE, notice, by, posting, now, channel, before=old, after=changed)
    return notice


@transaction.atomic
def issue(
    notice: PublicNotice, *, by: User, now: dt.datetime, outline: Outline | None = None, channel: str = Channel.BROWSER
) -> PublicNotice:
    """Approve and issue: by somebody of the NEC who did not draft it. The CAP Alert is made, checked and kept."""
    posting = judge_roles(APPROVERS, by.current_postings)
    notice = _locked(notice)
    _refuse_unless(notice, PublicNoticeState.DRAFT)
    if notice.drafted_by_id == by.pk:
        raise PermissionDenied(_("You wrote this draft, so somebody else must approve it."))
    _refuse_unless_publishable(notice.incident)
    if notice.expires_at <= now:
        raise ValidationError(_("This draft expired before it was approved. Give it a new expiry."), code="expired")
    rings = outline(notice.area) if outline else ()
    notice.alert_xml = _sound(cap.alert(notice, now, rings))
    notice.state, notice.approved_by, notice.issued_at = PublicNoticeState.ISSUED, by, now
    notice.save(update_fields=["state", "approved_by", "issued_at", "alert_xml"])
    _record(
        Act.ISSUE_NOTICE, notice, by, posting, now, channel,
        before={"notice_state": PublicNoticeState.DRAFT.value},
        after={"notice_state": notice.state.value, "sha256": _digest(notice.alert_xml)},
    )  # fmt: skip
    return notice


@transaction.atomic
def cancel(
    notice: PublicNotice, *, by: User, reason: str, now: dt.datetime, channel: str = Channel.BROWSER
) -> PublicNotice:
    """Take an issued notice back with a CAP Cancel. One person is enough: a wrong notice must go at once."""
    posting = judge_roles(APPROVERS, by.current_postings)
    notice = _locked(notice)
    _refuse_unless(notice, PublicNoticeState.ISSUED)
    reason = reason.replace("\x00", "").strip()
    if len(reason) < 5:
        raise ValidationError(
            {"reason": [_("Say in a few words why the notice is cancelled. The public will read it.")]}
        )
    if len(reason) > 500:
        raise ValidationError({"reason": [_("At most %(limit)s characters are possible here.") % {"limit": 500}]})
    notice.cancel_xml = _sound(cap.cancel(notice, now, reason))
    notice.state, notice.cancelled_at = PublicNoticeState.CANCELLED, now
    notice.save(update_fields=["state", "cancelled_at", "cancel_xml"])
    _record(
        Act.CANCEL_NOTICE, notice, by, posting, now, channel, reason=reason,
        before={"notice_state": PublicNoticeState.ISSUED.value},
        after={"notice_state": notice.state.value, "sha256": _digest(notice.cancel_xml)},
    )  # fmt: skip
    return notice


def is_as_issued(notice: PublicNotice) -> bool:
    """Whether the kept messages are the ones whose SHA-256 the journal holds."""
    for act, xml in ((Act.ISSUE_NOTICE, notice.alert_xml), (Act.CANCEL_NOTICE, notice.cancel_xml)):
        if xml:
            known = Entry.objects.filter(
                incident=notice.incident_id, act=act, after__notice=str(notice.pk)
            ).values_list("after__sha256", flat=True)
            if list(known) != [_digest(xml)]:
                return False
    return True


# ---- Parts ----


def _locked(notice: PublicNotice) -> PublicNotice:
    return PublicNotice.objects.select_for_update(of=("self",)).select_related("incident", "area").get(pk=notice.pk)


def _refuse_unless(notice: PublicNotice, state: PublicNoticeState) -> None:
    if notice.state != state:
        raise ValidationError(
            _("This notice is «%(state)s» already. Read what happened, then decide again.")
            % {"state": notice.get_state_display()},
            code="not_possible",
        )


def _refuse_unless_publishable(incident: Incident) -> None:
    if why_not := not_publishable(incident):
        raise ValidationError(why_not, code="not_verified")


def _clean(incident: Incident, fields: dict[str, Any], now: dt.datetime) -> dict[str, Any]:
    """Checked values of a draft; raises with one sentence a field."""
    wrong: dict[str, list[str]] = {}
    clean: dict[str, Any] = {}
    for name, limit in TEXTS.items():
        text = "".join(c for c in str(fields.get(name, "")) if c >= " " or c in "\n\t").strip()
        if not text:
            wrong[name] = [_("Write this in both languages: people read one or the other.")]
        elif len(text) > limit:
            wrong[name] = [_("At most %(limit)s characters are possible here.") % {"limit": limit}]
        elif name.endswith("_km") and not _KHMER.search(text):
            wrong[name] = [_("Write this in Khmer.")]
        elif name.endswith("_en") and _KHMER.search(text):
            wrong[name] = [_("Write this in English.")]
        clean[name] = text
    area = {a.pcode: a for a in areas_for(incident)}.get(str(fields.get("area", "")))
    if area is None:
        wrong["area"] = [_("Choose the place of the case, or a place it is part of.")]
    category = str(fields.get("category", ""))
    if category not in CapCategory.values:
        wrong["category"] = [_("Choose what the notice is about.")]
    expires = fields.get("expires_at")
    if not isinstance(expires, dt.datetime):
        wrong["expires_at"] = [_("Say until when the notice holds.")]
    elif expires <= now:
        wrong["expires_at"] = [_("That is in the past. The notice must hold for some time yet.")]
    elif expires > now + LONGEST:
        wrong["expires_at"] = [_("A notice holds for at most 30 days.")]
    if wrong:
        raise ValidationError(wrong)
    return {**clean, "area": area, "category": category, "expires_at": expires}


def _as_stored(values: dict[str, Any]) -> dict[str, Any]:
    """Values as the journal keeps them."""
    stored = {}
    for name, value in values.items():
        if isinstance(value, Jurisdiction):
            value = value.pcode
        elif isinstance(value, dt.datetime):
            value = value.astimezone(dt.UTC).isoformat(timespec="seconds")
        stored[name] = value
    return stored


def _sound(xml: str) -> str:
    if found := cap.problems(xml):
        raise ValueError(f"CAP message is not sound: {found}")
    return xml


def _digest(xml: str) -> str:
    return hashlib.sha256(xml.encode()).hexdigest()


def _record(
    act: Act,
    notice: PublicNotice,
    by: User,
    posting: Posting,
    now: dt.datetime,
    channel: str,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str = "",
) -> Entry:
    """One journal entry; the case itself, and so its version, is not changed by a notice."""
    key: UUID = notice.pk
    return Entry.objects.create(
        incident=notice.incident,
        act=act,
        at=now,
        channel=channel,
        by=by,
        posting=posting,
        command=posting.command,
        before=before or {},
        after={"notice": str(key), **(after or {})},
        reason=reason,
        version=notice.incident.version,
    )
