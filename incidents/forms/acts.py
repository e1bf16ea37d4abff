"""The form of an act: one class, built from the table of `asks`.

What is possible, allowed and complete is decided in `actions`, for every door; a form reads what was typed, and keeps
it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
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
    State,
    TargetType,
    TimePrecision,
    Verification,
)
from incidents.forms import foretold, refusals
from incidents.forms.asks import ASKS, CORRECTABLE
from incidents.lifecycle import REASONED
from incidents.models import Category, Incident

LONGEST = 10_000
MOST = 10_000_000
#: Hours a grant to open identities may last; the default is a working day and a night.
GRANT_HOURS = (1, 24, 168)


#: How a field is called in the form where `actions` calls it otherwise.
_NAMES = {
    "update_note": "note",
    "optional_reason": "reason",
    "final_verification": "verification",
    "raised_severity": "severity",
    "lowered_severity": "severity",
    "station_voters": "voters_affected",
    "grantee": "user",
    "referral_outcome": "outcome",
}


class _Files(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """One or more files; what each may be is checked by its content, in `evidence`."""

    widget = _Files

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[bytes]]:
        several = data if isinstance(data, (list, tuple)) else [data]
        return [super(FilesField, self).clean(one, initial) for one in several or [None]]


class ActForm(forms.Form):
    """The form of one act on one case by one person. `data_for_act()` is what `actions.perform` takes."""

    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)

    def __init__(self, act: Act, incident: Incident, user: User, now: dt.datetime, *args: Any, **kwargs: Any) -> None:
        self.act, self.incident, self.person, self.now = act, incident, user, now
        self.ask = ASKS[act]
        kwargs.setdefault("initial", {})
        kwargs["initial"].setdefault("version", incident.version)
        kwargs.setdefault("auto_id", f"act-{act.value}-%s")
        super().__init__(*args, **kwargs)
        for name in self._asked():
            self.fields[name] = _FIELDS[name](self)
            self.fields[name].error_messages["required"] = _missing(name, self.fields[name])
        #: Said "yes, concerned": the page shows what to do instead.
        self.is_concerned = False

    def _asked(self) -> tuple[str, ...]:
        """The fields of the act. Whether all is quiet is asked where it counts: once the case is contained."""
        leave_out = {"is_quiet"} if self.incident.state != State.CONTAINED else set()
        return tuple(name for name in self.ask.fields if name not in leave_out)

    def clean_concerned(self) -> str:
        answer = str(self.cleaned_data["concerned"])
        if answer == "yes":
            self.is_concerned = True
            raise ValidationError(_("Then somebody else must take this case. Nothing was changed."), code="concerned")
        return answer

    def clean_survivor(self) -> UUID:
        """The case by its number or its address, if this person may see it."""
        text = str(self.cleaned_data["survivor"]).strip()
        found = Incident.objects.visible_to(self.person).exclude(pk=self.incident.pk)
        if match := re.search(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", text.lower()):
            case = found.filter(pk=match.group()).first()
        else:
            case = found.filter(reference=text.upper()).first()
        if case is None:
            raise ValidationError(_("There is no such case, or it is not yours to see."))
        return case.pk

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.act == Act.CORRECT and not self.errors and not self._corrected():
            raise ValidationError(_("Nothing is different. Change what is wrong, then give the reason."))
        return cleaned

    def _corrected(self) -> dict[str, Any]:
        """Changed facts. A number taken out is no number: it stays what it was."""
        changed = {n: self.cleaned_data.get(n) for n in CORRECTABLE if n in self.changed_data}
        return {n: value for n, value in changed.items() if value is not None}

    def data_for_act(self) -> dict[str, Any]:
        """Keyword arguments of the act, under the names `actions` uses. Files are given one by one by the view."""
        values = {n: v for n, v in self.cleaned_data.items() if n not in ("version", "files")}
        match self.act:
            case Act.ACKNOWLEDGE:
                return {"note": values["note"], "not_concerned": values["concerned"] == "no"}
            case Act.CORRECT:
                return {"fields": self._corrected(), "reason": values["reason"]}
            case Act.RECORD_PERSON:
                identity = {n: values[n] for n in ("name", "contact", "notes") if values[n]}
                return {"role": values["role"], "identity": identity}
            case Act.CONTAIN:
                return {n: v for n, v in values.items() if v is not None}
            case Act.ASSIGN:
                return {"assignee": int(values["assignee"]) if values["assignee"] else None, "note": values["note"]}
            case _:
                return {_NAMES.get(n, n): v for n, v in values.items()}

    def add_refusal(self, refused: ValidationError) -> None:
        """Put what `actions` refused beside the fields it is about; what has no field stands above the form."""
        refusals.show(self, refused, {_NAMES.get(n, n): n for n in self.fields})

    @property
    def candidates(self) -> list[Incident]:
        """Open cases nearby in place and time that this report may belong to; sealed ones are never suggested."""
        if self.act != Act.MERGE or self.incident.is_sealed:
            return []
        day = dt.timedelta(hours=24)
        return list(
            Incident.objects.visible_to(self.person)
            .open()
            .filter(
                district_code=self.incident.district_code,
                occurred_at__range=(self.incident.occurred_at - day, self.incident.occurred_at + day),
                is_sealed=False,
            )
            .exclude(pk=self.incident.pk)
            .select_related("category", "place")
            .order_by("-occurred_at")[:8]
        )


# ---- Fields ----


def _missing(name: str, field: forms.Field) -> str:
    """What to do about an empty field, in words about that field."""
    if _NAMES.get(name, name) == "reason":
        return _("Say why, in a few words.")
    if isinstance(field, forms.ChoiceField):
        return _("Choose one.")
    if isinstance(field, forms.FileField):
        return _("Choose a file.")
    return _("Write something here.")


def _text(label: str, *, required: bool = True, rows: int = 4, help_text: str = "") -> forms.CharField:
    return forms.CharField(
        label=label, required=required, max_length=LONGEST, help_text=help_text,
        widget=forms.Textarea(attrs={"rows": rows}),
    )  # fmt: skip


def _line(label: str, limit: int, *, required: bool = True, initial: str = "", help_text: str = "") -> forms.CharField:
    return forms.CharField(label=label, max_length=limit, required=required, initial=initial, help_text=help_text)


def _count(name: str, label: str | Promise) -> Callable[[ActForm], forms.Field]:
    def make(form: ActForm) -> forms.Field:
        return forms.IntegerField(
            label=str(label), min_value=0, max_value=MOST, required=False, initial=getattr(form.incident, name),
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


def _concerned(form: ActForm) -> forms.Field:
    return forms.ChoiceField(
        label=_("Are you or your unit concerned by this case?"),
        help_text=_("Concerned means: it is about you, your unit, or somebody close to you."),
        choices=[("no", pgettext("concerned", "No")), ("yes", pgettext("concerned", "Yes"))],
        widget=forms.RadioSelect,
    )


def _assignee(form: ActForm) -> forms.Field:
    """People with a posting at the owner's command now, or below it."""
    posts = (
        Posting.objects.current(form.now)
        .filter(command__path__startswith=form.incident.owner.path)
        .select_related("user", "command")
        .order_by("command__path", "role", "user__username")[:200]
    )
    people = {p.user_id: f"{p.user.get_full_name() or p.user.get_username()} · {p}" for p in posts}
    return _select(
        _("To whom"), [(str(pk), text) for pk, text in people.items()], required=False,
        blank=_("Somebody not in this list"), initial=str(form.incident.assignee_id or ""),
    )  # fmt: skip


def _to(form: ActForm) -> forms.Field:
    above = foretold.commands_above(form.incident, form.now)
    return _select(
        _("To which command"), above[1:], required=False, blank=above[0][1] if above else _("The next above")
    )


def _severities(form: ActForm, *, up: bool) -> list[tuple[str, str]]:
    at = SEVERITY_ORDER[Severity(form.incident.severity)]
    steps = sorted((s for s in Severity if s != Severity.UNRATED), key=lambda s: SEVERITY_ORDER[s])
    fitting = [s for s in steps if (SEVERITY_ORDER[s] > at if up else SEVERITY_ORDER[s] == at - 1)]
    return [(s.value, str(s.label)) for s in fitting]


def _grantee(form: ActForm) -> forms.Field:
    """People who may read the case already: at the owner's command, above it, or with the NEC."""
    codes = form.incident.owner.path.strip(".").split(".")
    posts = (
        Posting.objects.current(form.now)
        .filter(command__code__in=[*codes, "NEC"])
        .exclude(user=form.person)
        .select_related("user", "command")
        .order_by("command__path", "user__username")[:200]
    )
    people = {p.user_id: f"{p.user.get_full_name() or p.user.get_username()} · {p}" for p in posts}
    return _select(_("To whom"), [(str(pk), text) for pk, text in people.items()], blank=_("Choose a person"))


def _category(form: ActForm) -> forms.Field:
    rows = Category.objects.filter(retired_on=None) | Category.objects.filter(pk=form.incident.category_id)
    return _select(_("Category"), [(c.code, f"{c.name} ({c.code})") for c in rows], initial=form.incident.category_id)


def _occurred(form: ActForm) -> forms.Field:
    return forms.DateTimeField(
        label=_("Occurred"), required=True, initial=form.incident.occurred_at.replace(second=0, microsecond=0),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )  # fmt: skip


def _moment(label: str, initial: dt.datetime, help_text: str = "") -> forms.DateTimeField:
    return forms.DateTimeField(
        label=label, initial=initial.replace(second=0, microsecond=0), help_text=help_text,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )  # fmt: skip


def _until(form: ActForm) -> forms.Field:
    most = int(pauses.LONGEST.total_seconds() // 3600)
    hint = _("Phnom Penh time, at most %(hours)d hours from now.") % {"hours": most}
    hint += " " + foretold.who_decides(form.incident, form.person, form.now)
    return _moment(_("Paused until"), form.now + dt.timedelta(hours=24), hint)


def _referral(form: ActForm) -> forms.Field:
    """The referrals of the case that have no outcome yet."""
    listed = [
        (str(number), referrals.in_words(row))
        for number, row in referrals.numbered(form.incident).items()
        if not row.outcome
    ]
    return _select(_("Which referral"), listed, initial=listed[0][0] if listed else None)


def _reassessed(form: ActForm) -> forms.Field:
    severity = str(form.incident.get_severity_display()).lower()
    return forms.BooleanField(
        label=_("I looked at the severity again, and «%(severity)s» is right") % {"severity": severity}
    )


def _place(form: ActForm) -> forms.Field:
    """The communes of the district, and the district itself; a case of another district is reported anew."""
    district = form.incident.district_code
    rows = list(Jurisdiction.objects.under(district).filter(level__in=[Level.DISTRICT, Level.COMMUNE]))
    if form.incident.place.level == Level.VILLAGE:
        rows.append(form.incident.place)
    listed = [(p.pcode, p.full_name) for p in sorted(rows, key=lambda p: p.pcode)]
    return _select(_("Place"), listed, initial=form.incident.place_id)


def _yes(form: ActForm) -> forms.Field:
    return forms.BooleanField(label=_("Gender-based"), required=False, initial=form.incident.is_gender_based)


_FIELDS: dict[str, Callable[[ActForm], forms.Field]] = {
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
        _("Number of the document"), referrals.DOCUMENT_MAX, required=False, help_text=_("No names of persons.")
    ),
    "sent_at": lambda f: _moment(_("Sent"), f.now, _("Phnom Penh time. The legal deadline runs from here.")),
    "referral": _referral,
    "referral_outcome": lambda f: _select(_("How it ended"), ReferralOutcome.choices, blank=_("Choose")),
}  # fmt: skip
