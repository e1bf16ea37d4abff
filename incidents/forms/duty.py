"""Forms of duty: what is typed, as the values the acts take. What is possible is checked by the acts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commands.choices import WEEKDAYS_SHORT
from commands.duty import Span
from commands.models import SecurityCommand, Shift, User
from commands.rosters import Plan, name_of
from incidents.templatetags import _time

_DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
_TIME = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
_MOMENT = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
#: Chosen where nobody is to be on duty: an empty choice would be one that was forgotten.
NOBODY = "nobody"
_PERSON = gettext_lazy("Choose a person of the list.")


def _people(plan: Plan) -> list[tuple[str, str]]:
    """Who answers at the command, by name, with an empty choice first."""
    able = plan.named(plan.held)
    return [("", _("Choose…")), *((str(u.pk), name_of(u)) for u in able)]


class _OfPlan(forms.Form):
    """A form about the people of one roster."""

    def __init__(self, plan: Plan, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.plan = plan

    def chosen(self, name: str) -> User | None:
        key = self.cleaned_data.get(name)
        return self.plan.people[int(key)] if key and key != NOBODY else None


class HoursForm(_OfPlan):
    """Who, from when to when; and from which day to which."""

    person = forms.ChoiceField(
        label=gettext_lazy("Who"), error_messages={"required": _PERSON, "invalid_choice": _PERSON}
    )
    starts = forms.TimeField(label=gettext_lazy("From"), widget=_TIME,
                             error_messages={"required": gettext_lazy("Write when the shift begins.")})  # fmt: skip
    until = forms.TimeField(label=gettext_lazy("Until"), widget=_TIME,
                            help_text=gettext_lazy("Earlier than the beginning means on the next day."),
                            error_messages={"required": gettext_lazy("Write when the shift ends.")})  # fmt: skip
    first_on = forms.DateField(label=gettext_lazy("First day"), widget=_DATE,
                               error_messages={"required": gettext_lazy("Choose the first day.")})  # fmt: skip
    last_on = forms.DateField(label=gettext_lazy("Last day"), widget=_DATE, required=False,
                              help_text=gettext_lazy("Empty: until it is changed."))  # fmt: skip

    def __init__(self, plan: Plan, *args: Any, **kwargs: Any) -> None:
        super().__init__(plan, *args, **kwargs)
        self.fields["person"].choices = _people(plan)  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        """What `duty.add_shifts` and `duty.change_shift` take alike."""
        data = self.cleaned_data
        return {
            "person": self.chosen("person"),
            "starts": data["starts"],
            "minutes": minutes_between(data["starts"], data["until"]),
            "first": data["first_on"],
            "last": data["last_on"],
        }


class ShiftForm(HoursForm):
    """New shifts: the same hours on some days of the week."""

    weekdays = forms.TypedMultipleChoiceField(
        label=gettext_lazy("On which days"), coerce=int, widget=forms.CheckboxSelectMultiple,
        choices=list(enumerate(WEEKDAYS_SHORT)),
        error_messages={"required": gettext_lazy("Choose one day of the week or more.")},
    )  # fmt: skip

    def values(self) -> dict[str, Any]:
        return super().values() | {"weekdays": self.cleaned_data["weekdays"]}


class EndShiftForm(forms.Form):
    last_on = forms.DateField(label=gettext_lazy("Last day"), widget=_DATE,
                              error_messages={"required": gettext_lazy("Choose the last day.")})  # fmt: skip


class CoverForm(_OfPlan):
    """Somebody else, somebody more, or nobody, for some hours."""

    replaces = forms.ChoiceField(label=gettext_lazy("In place of"), required=False)
    person = forms.ChoiceField(
        label=gettext_lazy("Who is on duty then"),
        error_messages={"required": gettext_lazy("Choose who is on duty then, or nobody."), "invalid_choice": _PERSON},
    )
    starts_at = forms.DateTimeField(label=gettext_lazy("From"), widget=_MOMENT,
                                    error_messages={"required": gettext_lazy("Write when it begins.")})  # fmt: skip
    ends_at = forms.DateTimeField(label=gettext_lazy("Until"), widget=_MOMENT,
                                  error_messages={"required": gettext_lazy("Write when it ends.")})  # fmt: skip
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=200, required=False)

    def __init__(self, plan: Plan, *args: Any, **kwargs: Any) -> None:
        super().__init__(plan, *args, **kwargs)
        rostered = sorted({s.person for s in plan.shifts} | {c.person for c in plan.covers if c.person}, key=name_of)
        self.fields["replaces"].choices = [  # type: ignore[attr-defined]
            ("", _("Nobody: somebody more")), *((str(u.pk), name_of(u)) for u in rostered),
        ]  # fmt: skip
        able = _people(plan)
        self.fields["person"].choices = [*able, (NOBODY, _("Nobody"))]  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {
            "person": self.chosen("person"),
            "replaces": self.chosen("replaces"),
            "starts_at": data["starts_at"],
            "ends_at": data["ends_at"],
            "reason": data["reason"],
        }


class DelegationForm(forms.Form):
    """Which command answers as well, from when to when, and why."""

    acting = forms.ChoiceField(label=gettext_lazy("Which command acts"),
                               error_messages={"required": gettext_lazy("Choose a command.")})  # fmt: skip
    starts_at = forms.DateTimeField(label=gettext_lazy("From"), widget=_MOMENT,
                                    error_messages={"required": gettext_lazy("Write when it begins.")})  # fmt: skip
    ends_at = forms.DateTimeField(label=gettext_lazy("Until"), widget=_MOMENT,
                                  error_messages={"required": gettext_lazy("Write when it ends.")})  # fmt: skip
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=200,
                             error_messages={"required": gettext_lazy("Say why, in a few words.")})  # fmt: skip

    def __init__(self, able: Iterable[SecurityCommand], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.able = {str(c.pk): c for c in able}
        self.fields["acting"].choices = [  # type: ignore[attr-defined]
            ("", _("Choose…")), *((key, c.name) for key, c in self.able.items()),
        ]  # fmt: skip

    def values(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {
            "acting": self.able[data["acting"]],
            "starts_at": data["starts_at"],
            "ends_at": data["ends_at"],
            "reason": data["reason"],
        }


class SwapForm(_OfPlan):
    """One of my duties to a colleague, and where wanted one of theirs to me."""

    mine = forms.ChoiceField(label=gettext_lazy("Your duty"),
                             error_messages={"required": gettext_lazy("Choose one of your duties.")})  # fmt: skip
    colleague = forms.ChoiceField(label=gettext_lazy("Who shall take it"),
                                  error_messages={"required": _PERSON, "invalid_choice": _PERSON})  # fmt: skip
    back = forms.ChoiceField(label=gettext_lazy("Which of theirs you take"), required=False)

    def __init__(self, plan: Plan, me: User, now: dt.datetime, *args: Any, **kwargs: Any) -> None:
        super().__init__(plan, *args, **kwargs)
        until = now + dt.timedelta(days=28)

        def duties(person: User) -> list[Span]:
            return [s for s in plan.duties(person, now, until) if s.starts_at > now]

        others = [u for u in plan.named(plan.held) if u.pk != me.pk]
        self.fields["mine"].choices = [("", _("Choose…")), *_hours(duties(me))]  # type: ignore[attr-defined]
        self.fields["colleague"].choices = [  # type: ignore[attr-defined]
            ("", _("Choose…")), *((str(u.pk), name_of(u)) for u in others),
        ]  # fmt: skip
        theirs = [(name_of(u), _hours(duties(u), f"{u.pk}|")) for u in others]
        self.fields["back"].choices = [  # type: ignore[attr-defined]
            ("", _("None: a favour")), *((name, hours) for name, hours in theirs if hours),
        ]  # fmt: skip

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        back = data.get("back")
        if back and data.get("colleague") and not back.startswith(f"{data['colleague']}|"):
            self.add_error("back", _("This is a duty of somebody else. Choose one of the colleague you ask."))
        return data

    def values(self) -> dict[str, Any]:
        back = self.cleaned_data["back"]
        return {
            "asked_of": self.chosen("colleague"),
            "hours": _span(self.cleaned_data["mine"]),
            "back": _span(back.partition("|")[2]) if back else None,
        }


def minutes_between(starts: dt.time, until: dt.time) -> int:
    """Length of a shift; an end not after the beginning is on the next day, so the same time is 24 hours."""
    length = (until.hour * 60 + until.minute) - (starts.hour * 60 + starts.minute)
    return length if length > 0 else length + 1440


def hours_of(shift: Shift) -> dict[str, Any]:
    """A shift as it stands in a form."""
    ends = (dt.datetime.combine(dt.date.min, shift.starts) + dt.timedelta(minutes=shift.minutes)).time()
    return {"person": str(shift.person_id), "starts": shift.starts, "until": ends, "last_on": shift.valid_to}


def as_typed(moment: dt.datetime) -> dt.datetime:
    """For a field of day and time: local, whole minutes."""
    return timezone.localtime(moment).replace(second=0, microsecond=0, tzinfo=None)


def _hours(spans: Sequence[Span], before: str = "") -> list[tuple[str, str]]:
    return [
        (f"{before}{s.starts_at.isoformat()}/{s.ends_at.isoformat()}",
         _time.stretch(s.starts_at, s.ends_at))
        for s in spans
    ]  # fmt: skip


def _span(text: str) -> tuple[dt.datetime, dt.datetime]:
    start, _slash, end = text.partition("/")
    return dt.datetime.fromisoformat(start), dt.datetime.fromisoformat(end)
