"""What to play a policy against: past cases of some days, or made-up ones. Everything has a value from the start."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from elections.choices import Phase
from elections.models import Election
from incidents.choices import Severity
from incidents.escalation.replay import MOST
from incidents.escalation.simulate import USUAL_MIX, Behaviour
from incidents.limits import OLDEST_YEAR

PAST, MADE_UP = "past", "made_up"
_USUAL = Behaviour()
LONGEST_DAYS, LONGEST_HOURS = 200, 72
NEWEST_YEAR = 2100


class SimulationForm(forms.Form):
    """A question asked in an address, so that it can be kept and sent on."""

    policy = forms.ChoiceField(label=gettext_lazy("Version to try"))
    election = forms.ChoiceField(label=gettext_lazy("Election"))
    source = forms.ChoiceField(
        label=gettext_lazy("Cases"),
        choices=[(PAST, gettext_lazy("Past cases")), (MADE_UP, gettext_lazy("Made-up cases"))],
        widget=forms.RadioSelect,
    )
    first = forms.DateField(label=gettext_lazy("From"), required=False, widget=forms.DateInput({"type": "date"}))
    last = forms.DateField(label=gettext_lazy("To"), required=False, widget=forms.DateInput({"type": "date"}))
    count = forms.IntegerField(label=gettext_lazy("How many"), min_value=1, max_value=MOST, required=False)
    hours = forms.IntegerField(
        label=gettext_lazy("Within, hours"), min_value=1, max_value=LONGEST_HOURS, required=False
    )
    phase = forms.ChoiceField(label=gettext_lazy("Phase"), choices=Phase.choices, required=False)
    share = forms.IntegerField(
        label=gettext_lazy("Of a hundred commands, so many answer"), min_value=0, max_value=100, required=False
    )
    minutes = forms.IntegerField(
        label=gettext_lazy("Typically after, minutes"), min_value=1, max_value=1440, required=False
    )
    critical = forms.IntegerField(label=Severity.CRITICAL.label, min_value=0, max_value=100, required=False)
    high = forms.IntegerField(label=Severity.HIGH.label, min_value=0, max_value=100, required=False)
    medium = forms.IntegerField(label=Severity.MEDIUM.label, min_value=0, max_value=100, required=False)
    low = forms.IntegerField(label=Severity.LOW.label, min_value=0, max_value=100, required=False)
    seed = forms.IntegerField(
        label=gettext_lazy("Number of the draw"), min_value=1, max_value=999_999, required=False,
        help_text=gettext_lazy("The same number makes the same cases again."),
    )  # fmt: skip

    def __init__(
        self,
        data: Mapping[str, Any],
        *,
        versions: Mapping[str, str],
        elections: list[Election],
        chosen: str,
        election: Election | None,
        today: dt.date,
    ) -> None:
        usual = {
            "policy": chosen,
            "election": election.code if election else "",
            "source": PAST,
            "first": (today - dt.timedelta(days=30)).isoformat(),
            "last": today.isoformat(),
            "count": 500,
            "hours": 10,
            "phase": Phase.POLLING.value,
            "share": round(_USUAL.share * 100),
            "minutes": round(_USUAL.minutes),
            **USUAL_MIX,
            "seed": 1,
        }
        self.is_asked = bool(data)
        super().__init__({name: data.get(name) or usual.get(name, "") for name in self.base_fields})
        for field in self.fields.values():
            field.error_messages |= _words_for(field)
        _choices(self.fields["policy"], list(versions.items()))
        _choices(self.fields["election"], [(e.code, e.name) for e in elections])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name in ("first", "last"):
            # At the ends of the calendar there is no day before or after.
            if cleaned.get(name) and not OLDEST_YEAR <= cleaned[name].year <= NEWEST_YEAR:
                self.add_error(name, _("Look at the year again."))
        first, last = cleaned.get("first"), cleaned.get("last")
        if cleaned.get("source") == PAST and first and last:
            if last < first:
                self.add_error("last", _("The last day is before the first one."))
            elif (last - first).days > LONGEST_DAYS:
                self.add_error("last", _("At most %(days)d days at once.") % {"days": LONGEST_DAYS})
        if cleaned.get("source") == MADE_UP and not any(self.mix(cleaned).values()):
            self.add_error("critical", _("Of every severity none: say how many of a hundred are of which."))
        return cleaned

    @staticmethod
    def mix(cleaned: Mapping[str, Any]) -> dict[str, int]:
        return {severity: cleaned.get(severity) or 0 for severity in USUAL_MIX}

    def behaviour(self) -> Behaviour:
        asked = self.cleaned_data
        return Behaviour(share=(asked["share"] or 0) / 100, minutes=asked["minutes"] or _USUAL.minutes)


def _words_for(field: forms.Field) -> dict[str, str]:
    """What is said of an answer that is none, by Django's names of the faults."""
    if isinstance(field, forms.IntegerField):
        limits = {"least": field.min_value, "most": field.max_value}
        text = _("Give a whole number from %(least)s to %(most)s.") % limits
        return dict.fromkeys(("invalid", "min_value", "max_value"), text)
    if isinstance(field, forms.DateField):
        return {"invalid": _("Write the day as year-month-day, like 2027-06-03.")}
    return {"invalid_choice": _("Choose one from the list.")}


def _choices(field: forms.Field, choices: list[tuple[str, str]]) -> None:
    assert isinstance(field, forms.ChoiceField)  # noqa: S101
    field.choices = choices


def refusal(error: ValidationError) -> str:
    """The sentences of a refusal as one."""
    return " ".join(error.messages)
