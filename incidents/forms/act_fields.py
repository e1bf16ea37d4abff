"""The fields an act may ask for, each made for one case, one person and one moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from commands.models import Posting, User
from elections.choices import Level
from elections.models import Jurisdiction
from incidents import pauses, referrals
from incidents.choices import (
    SEVERITY_ORDER,
    Act,
    ActorType,
    Classification,
    DismissReason,
    Means,
    Outcome,
    PersonRole,
    ReferralBody,
    ReferralOutcome,
    Severity,
    TargetType,
    TimePrecision,
    Verification,
)
from incidents.forms import foretold
from incidents.lifecycle import REASONED
from incidents.models import Category, Incident

LONGEST = 10_000
MOST = 10_000_000
#: Hours a grant to open identities may last; the default is a working day and a night.
GRANT_HOURS = (1, 24, 168)


@dataclass(frozen=True)
class Asked:
    """What a field is made for."""

    act: Act
    incident: Incident
    person: User
    now: dt.datetime


class _Files(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """One or more files; what each may be is checked by its content, in `evidence`."""

    widget = _Files

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[bytes]]:
        several = data if isinstance(data, (list, tuple)) else [data]
        return [super(FilesField, self).clean(one, initial) for one in several or [None]]


def _text(label: str, *, required: bool = True, rows: int = 4, help_text: str = "") -> forms.CharField:
    return forms.CharField(
        label=label, required=required, max_length=LONGEST, help_text=help_text,
        widget=forms.Textarea(attrs={"rows": rows}),
    )  # fmt: skip


def _line(label: str, limit: int, *, required: bool = True, initial: str = "", help_text: str = "") -> forms.CharField:
    return forms.CharField(label=label, max_length=limit, required=required, initial=initial, help_text=help_text)


def _count(name: str, label: str | Promise) -> Callable[[Asked], forms.Field]:
    def make(asked: Asked) -> forms.Field:
        return forms.IntegerField(
            label=str(label), min_value=0, max_value=MOST, required=False, initial=getattr(asked.incident, name),
            widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        )  # fmt: skip

    return make


def _select(
    label: str,
    choices: Any,
    *,
    initial: Any = None,
    required: bool = True,
    blank: str | None = None,
    help_text: str = "",
) -> forms.ChoiceField:
    listed = list(choices)
    if blank is not None:
        listed = [("", blank), *listed]
    return forms.ChoiceField(label=label, choices=listed, initial=initial, required=required, help_text=help_text)


def _concerned(asked: Asked) -> forms.Field:
    return forms.ChoiceField(
        label=_("Are you or your unit concerned by this case?"),
        help_text=_("Concerned means: it is about you, your unit, or somebody close to you."),
        choices=[("no", pgettext("concerned", "No")), ("yes", pgettext("concerned", "Yes"))],
        widget=forms.RadioSelect,
    )


def _assignee(asked: Asked) -> forms.Field:
    """People with a posting at the owner's command now, or below it."""
    posts = (
        Posting.objects.current(asked.now)
        .filter(command__path__startswith=asked.incident.owner.path)
        .select_related("user", "command")
        .order_by("command__path", "role", "user__username")[:200]
    )
    people = {p.user_id: f"{p.user.get_full_name() or p.user.get_username()} · {p}" for p in posts}
    return _select(
        _("To whom"), [(str(pk), text) for pk, text in people.items()], required=False,
        blank=_("Somebody not in this list"), initial=str(asked.incident.assignee_id or ""),
    )  # fmt: skip


def _to(asked: Asked) -> forms.Field:
    above, hint = foretold.commands_above(asked.incident, asked.now)
    return _select(
        _("To which command"), above[1:], required=False, blank=above[0][1] if above else _("The next above"),
        help_text=hint,
    )  # fmt: skip


def _severities(asked: Asked, *, up: bool) -> list[tuple[str, str]]:
    at = SEVERITY_ORDER[Severity(asked.incident.severity)]
    steps = sorted((s for s in Severity if s != Severity.UNRATED), key=lambda s: SEVERITY_ORDER[s])
    fitting = [s for s in steps if (SEVERITY_ORDER[s] > at if up else SEVERITY_ORDER[s] == at - 1)]
    return [(s.value, str(s.label)) for s in fitting]


def _grantee(asked: Asked) -> forms.Field:
    """People who may read the case already: at the owner's command, above it, or with the NEC."""
    codes = asked.incident.owner.path.strip(".").split(".")
    posts = (
        Posting.objects.current(asked.now)
        .filter(command__code__in=[*codes, "NEC"])
        .exclude(user=asked.person)
        .select_related("user", "command")
        .order_by("command__path", "user__username")[:200]
    )
    people = {p.user_id: f"{p.user.get_full_name() or p.user.get_username()} · {p}" for p in posts}
    return _select(_("To whom"), [(str(pk), text) for pk, text in people.items()], blank=_("Choose a person"))


def _category(asked: Asked) -> forms.Field:
    rows = Category.objects.filter(retired_on=None) | Category.objects.filter(pk=asked.incident.category_id)
    return _select(_("Category"), [(c.code, f"{c.name} ({c.code})") for c in rows], initial=asked.incident.category_id)


def _occurred(asked: Asked) -> forms.Field:
    return forms.DateTimeField(
        label=_("Occurred"), required=True, initial=asked.incident.occurred_at.replace(second=0, microsecond=0),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )  # fmt: skip


def _moment(label: str, initial: dt.datetime, help_text: str = "") -> forms.DateTimeField:
    return forms.DateTimeField(
        label=label, initial=initial.replace(second=0, microsecond=0), help_text=help_text,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )  # fmt: skip


def _until(asked: Asked) -> forms.Field:
    latest = pauses.latest_in_words(asked.incident, asked.now)
    who = foretold.who_decides(asked.incident, asked.person, asked.now)
    first = min(asked.now + dt.timedelta(hours=24), pauses.latest_end(asked.incident, asked.now).at)
    return _moment(_("Paused until"), first, " ".join([_("Phnom Penh time."), latest, who]))


def _referral(asked: Asked) -> forms.Field:
    """The referrals of the case that have no outcome yet and whose outcome this person may record."""
    theirs = referrals.concludable(asked.incident, asked.person)
    listed = [
        (str(number), referrals.in_words(row))
        for number, row in referrals.numbered(asked.incident).items()
        if number in theirs
    ]
    return _select(_("Which referral"), listed, initial=listed[0][0] if listed else None)


def _reassessed(asked: Asked) -> forms.Field:
    severity = str(asked.incident.get_severity_display()).lower()
    return forms.BooleanField(
        label=_("I looked at the severity again, and «%(severity)s» is right") % {"severity": severity}
    )


def _place(asked: Asked) -> forms.Field:
    """The communes of the district, and the district itself; a case of another district is reported anew."""
    district = asked.incident.district_code
    rows = list(Jurisdiction.objects.under(district).filter(level__in=[Level.DISTRICT, Level.COMMUNE]))
    if asked.incident.place.level == Level.VILLAGE:
        rows.append(asked.incident.place)
    listed = [(p.pcode, p.full_name) for p in sorted(rows, key=lambda p: p.pcode)]
    return _select(_("Place"), listed, initial=asked.incident.place_id)


def _yes(asked: Asked) -> forms.Field:
    return forms.BooleanField(label=_("Gender-based"), required=False, initial=asked.incident.is_gender_based)


FIELDS: dict[str, Callable[[Asked], forms.Field]] = {
    "note": lambda f: _text(_("Note"), required=False, rows=3),
    "update_note": lambda f: _text(_("What is new"), rows=5),
    "reason": lambda f: _text(_("Reason"), rows=3, help_text=_("It stays in the timeline.")),
    "optional_reason": lambda f: _text(_("Reason"), required=f.act in REASONED, rows=3),
    "concerned": _concerned,
    "assignee": _assignee,
    "to": _to,
    "raised_severity": lambda f: _select(
        _("New severity"), _severities(f, up=True), help_text=foretold.critical_goes_to(f.incident, f.now)
    ),
    "lowered_severity": lambda f: _select(_("New severity"), _severities(f, up=False)),
    "outcome": lambda f: _select(_("How it ended"), Outcome.choices, blank=_("Choose")),
    "verification": lambda f: _select(_("Is it true"), Verification.choices, initial=f.incident.verification),
    "final_verification": lambda f: _select(_("Is it true"), Verification.choices, initial=f.incident.verification),
    "classification": lambda f: _select(
        _("What it is"), [c for c in Classification.choices if c[0] != Classification.UNDETERMINED],
        initial=f.incident.proposed_classification, blank=_("Choose"),
    ),
    "dismiss_reason": lambda f: _select(_("Why it is not an incident"), DismissReason.choices, blank=_("Choose")),
    "survivor": lambda f: _line(
        _("Number of the case that goes on"), 120, help_text=_("As on its page, like CC27-12-000123.")
    ),
    "files": lambda f: FilesField(
        label=_("Photos, documents, video"), help_text=_("JPEG, PNG, WebP, PDF, plain text, MP4; up to 20 MB each.")
    ),
    "role": lambda f: _select(_("Who it is"), PersonRole.choices),
    "name": lambda f: _line(_("Name"), 200, required=False),
    "contact": lambda f: _line(_("How to reach the person"), 200, required=False),
    "notes": lambda f: forms.CharField(
        label=_("Notes"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    ),
    "grantee": _grantee,
    "hours": lambda f: forms.IntegerField(
        label=_("For how many hours"), min_value=GRANT_HOURS[0], max_value=GRANT_HOURS[2], initial=GRANT_HOURS[1]
    ),
    "station": lambda f: _line(_("Station"), 120),
    "old_place": lambda f: _line(_("From"), 200),
    "new_place": lambda f: _line(_("To"), 200),
    "station_voters": lambda f: forms.IntegerField(label=_("Voters affected"), min_value=0, max_value=MOST),
    "category": _category,
    "occurred_at": _occurred,
    "time_precision": lambda f: _select(_("How exact"), TimePrecision.choices, initial=f.incident.time_precision),
    "place": _place,
    "title": lambda f: _line(_("Title"), 120, required=False, initial=f.incident.title),
    "place_note": lambda f: _line(_("Exact place"), 200, required=False, initial=f.incident.place_note),
    "killed": _count("killed", gettext_lazy("Killed")),
    "injured": _count("injured", gettext_lazy("Injured")),
    "stations_affected": _count("stations_affected", gettext_lazy("Stations affected")),
    "minutes_stopped": _count("minutes_stopped", gettext_lazy("Minutes stopped")),
    "voters_affected": _count("voters_affected", gettext_lazy("Voters affected")),
    "actor_type": lambda f: _select(_("Who acted"), ActorType.choices, initial=f.incident.actor_type),
    "target_type": lambda f: _select(
        _("Against whom or what"), TargetType.choices, initial=f.incident.target_type, required=False,
        blank=_("Not known"),
    ),
    "means": lambda f: _select(
        _("By what means"), Means.choices, initial=f.incident.means, required=False, blank=_("Not known")
    ),
    "is_gender_based": _yes,
    "is_quiet": lambda f: forms.BooleanField(label=_("Nothing new: it stays quiet"), required=False),
    "reassessed": _reassessed,
    "until": _until,
    "body": lambda f: _select(_("To which body"), ReferralBody.choices, blank=_("Choose")),
    "document": lambda f: _line(
        _("Number of the document"), referrals.DOCUMENT_MAX, required=False,
        help_text=_("No names of persons. If it comes later, refer there again with it: it is added to this referral."),
    ),
    "sent_at": lambda f: _moment(_("Sent"), f.now, _("Phnom Penh time. Where the law sets a time, it runs from then.")),
    "referral": _referral,
    "referral_outcome": lambda f: _select(_("How it ended"), ReferralOutcome.choices, blank=_("Choose")),
}  # fmt: skip
