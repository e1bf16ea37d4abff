"""The form of an act: one class, built from the table of `asks`.

What is possible, allowed and complete is decided in `actions`, for every door; a form reads what was typed, and keeps
it.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from commands.models import User
from incidents.choices import Act, State
from incidents.forms import refusals
from incidents.forms.act_fields import FIELDS, Asked
from incidents.forms.asks import ASKS, CORRECTABLE
from incidents.models import Incident

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
        asked = Asked(act, incident, user, now)
        for name in self._asked():
            self.fields[name] = FIELDS[name](asked)
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


def _missing(name: str, field: forms.Field) -> str:
    """What to do about an empty field, in words about that field."""
    if _NAMES.get(name, name) == "reason":
        return _("Say why, in a few words.")
    if isinstance(field, forms.ChoiceField):
        return _("Choose one.")
    if isinstance(field, forms.FileField):
        return _("Choose a file.")
    return _("Write something here.")
