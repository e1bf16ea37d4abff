"""The form of a new report: reads what was typed, says kindly what is wrong, loses nothing.

Rules of the product are in `actions.report`, for every door. Here stand those that only a form can have: the parts of
a date, the cascade of places, and what is asked once and accepted when confirmed (`confirmed_…`).
"""

from __future__ import annotations

import datetime as dt
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy
from uuid_utils.compat import uuid7

from commands.models import SecurityCommand, User
from elections import geometry
from elections.calendar import first_moment, phase_at
from elections.models import Election, Jurisdiction
from incidents.choices import ActorType, Means, PointPrecision, Severity, TargetType, TimePrecision
from incidents.forms import places, refusals
from incidents.forms.report_categories import Choice, Group, first_codes, groups
from incidents.forms.report_fields import A_POINT, TOO_LONG, ClockField, DayField, IdField, count, line, one_of
from incidents.forms.writing import CodeField, NarrativeField, naming_numbers
from incidents.intake import category_in_use
from incidents.routing import ladder_of
from incidents.templatetags import _time

SHORTEST, LONGEST = 20, 20_000
#: A year before this is a slip of the finger, not an old case.
OLDEST = dt.date(2000, 1, 1)
#: A report that waited on a phone without a signal keeps the moment it was written, this long.
LONGEST_WAIT = dt.timedelta(days=7)
SEVERITIES = (Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)
NOW, TODAY, OTHER = "now", "today", "other"
WHEN = [
    (NOW, pgettext_lazy("when", "Now")),
    (TODAY, pgettext_lazy("when", "Earlier today")),
    (OTHER, pgettext_lazy("when", "Other")),
]
COMMAND, CIVIL = "command", "civil"
CONCERNS = [
    ("", pgettext_lazy("concerns", "No")),
    (COMMAND, pgettext_lazy("concerns", "A command or its people")),
    (CIVIL, pgettext_lazy("concerns", "The civil authority of its place")),
]
IMPACT: dict[str, tuple[Any, int]] = {
    "killed": (gettext_lazy("Killed"), 10_000),
    "injured": (gettext_lazy("Injured"), 100_000),
    "stations_affected": (gettext_lazy("Stations affected"), 100_000),
    "minutes_stopped": (gettext_lazy("Minutes stopped"), 100_000),
    "voters_affected": (gettext_lazy("Voters affected"), 100_000),
}
#: Fields of `actions.Report` that have another name here, or are made of several.
_FIELD_OF = {"place": "district", "occurred_at": "time", "concerned_civil": "concerned", "lon": "lat"}
#: Fields beside which the page has room for what is wrong.
_WITH_A_PLACE = {
    *("category", "severity", "date", "time", "confirmed_early", "district", "lat", "place_note"),
    *("narrative", "confirmed_writing", "title", "concerned", *IMPACT),
}


class ReportForm(forms.Form):
    """One report by one person at `now`; `data_for_report()` is what `actions.Report` takes."""

    #: Files are not fields: one that is refused must not hold up the report (see `views.report`).
    id = IdField(required=False)
    category = CodeField(error_messages={"required": gettext_lazy("Choose what it is, or «I am not sure».")})
    severity = one_of([(s.value, s.label) for s in SEVERITIES], blank=gettext_lazy("As suggested"))
    when = one_of(WHEN)
    date = DayField(
        required=False,
        error_messages={"invalid": gettext_lazy("Write the day as day/month/year, like 03/06/2027.")},
    )  # fmt: skip
    time = ClockField(
        required=False,
        error_messages={"invalid": gettext_lazy("Write the time as hours:minutes, like 14:20.")},
    )  # fmt: skip
    time_precision = one_of(TimePrecision.choices)
    #: When a report that waited on the phone was written; read for "now" only.
    written_at = forms.CharField(required=False)
    province, district, commune, village = (CodeField(required=False) for _level in places.LEVELS)
    lat = forms.FloatField(required=False, error_messages={"invalid": A_POINT})
    lon = forms.FloatField(required=False, error_messages={"invalid": A_POINT})
    point_precision = one_of(PointPrecision.choices)
    narrative = NarrativeField(
        max_length=LONGEST, min_length=SHORTEST,
        error_messages={
            "required": gettext_lazy("Write what happened, in your own words."),
            "max_length": TOO_LONG,
            "min_length": gettext_lazy("Write a little more: at least %(limit_value)d characters."),
        },
    )  # fmt: skip
    title = line(120)
    place_note = line(200)
    actor_type = one_of(ActorType.choices)
    target_type = one_of(TargetType.choices, blank=gettext_lazy("Not known"))
    means = one_of(Means.choices, blank=gettext_lazy("Not known"))
    is_gender_based = forms.BooleanField(required=False)
    killed, injured, stations_affected, minutes_stopped, voters_affected = (
        count(limit) for _label, limit in IMPACT.values()
    )
    concerns = one_of(CONCERNS[1:], blank=CONCERNS[0][1])
    concerned = forms.MultipleChoiceField(
        required=False, error_messages={"invalid_choice": gettext_lazy("Choose the unit again: the place has changed.")}
    )
    confirmed_early = forms.BooleanField(required=False)
    confirmed_writing = forms.BooleanField(required=False)

    def __init__(self, *args: Any, person: User, election: Election | None, now: dt.datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person, self.election, self.now = person, election, now
        # Read when somebody is concerned or the page is shown; most reports that are sent concern nobody.
        self.fields["concerned"].choices = lambda: [(c.code, c.name) for c in self.units]  # type: ignore[attr-defined]

    # ---- What the page shows ----

    def typed(self, name: str) -> str:
        """What stands in the field now: what was typed, or the value a new form starts with."""
        if self.is_bound:
            return str(self.data.get(name) or "")
        return str(self.initial.get(name) or self._start.get(name, ""))

    @cached_property
    def _start(self) -> dict[str, str]:
        here = timezone.localtime(self.now)
        return {
            "id": str(uuid7()), "when": NOW, "date": f"{here:%Y-%m-%d}", "time": f"{here:%H:%M}",
            "time_precision": TimePrecision.MINUTES, "actor_type": ActorType.UNKNOWN,
            "point_precision": PointPrecision.AREA,
        }  # fmt: skip

    @cached_property
    def groups(self) -> list[Group]:
        return groups(self.phase)

    @cached_property
    def first(self) -> list[str]:
        return first_codes(self.groups)

    @cached_property
    def choice(self) -> Choice | None:
        """The category chosen so far."""
        row = category_in_use(self.typed("category"))
        return Choice(row, self.phase) if row else None

    @cached_property
    def phase(self) -> str:
        return str(phase_at(self.election, self.now)) if self.election else ""

    @cached_property
    def reach(self) -> list[str]:
        return places.roots(self.person)

    @cached_property
    def steps(self) -> list[places.Step]:
        return places.cascade(self._places, self.reach, timezone.localdate(self.now))

    @property
    def _places(self) -> dict[str, str]:
        return {str(level): self.typed(level) for level in places.LEVELS}

    def renewed(self) -> Any:
        """What was typed, under an id of its own."""
        typed: Any = cast(Any, self.data).copy()
        typed["id"] = str(uuid7())
        return typed

    @cached_property
    def place(self) -> str:
        """The most exact place chosen so far."""
        known = places.confirmed(self._places, self.reach, timezone.localdate(self.now))
        return known or places.deepest({str(step.level): step.value for step in self.steps})

    @cached_property
    def units(self) -> list[SecurityCommand]:
        """Commands a report from the chosen place may be about: those that answer for it, and the person's own."""
        found = ladder_of(self.place) if self.place else []
        own = [p.command for p in self.person.current_postings if p.command.rung is not None]
        return [*found, *(c for c in own if c.pk not in {f.pk for f in found})]

    @property
    def concerned_codes(self) -> list[str]:
        return self.data.getlist("concerned") if hasattr(self.data, "getlist") else list(self.data.get("concerned", []))

    @property
    def general_errors(self) -> list[str]:
        """What is wrong with no field, or with an answer that only a forged or damaged form can get wrong."""
        return [str(text) for name, texts in self.errors.items() if name not in _WITH_A_PLACE for text in texts]

    @property
    def asks_early(self) -> bool:
        return "confirmed_early" in self.errors or bool(self.typed("confirmed_early"))

    @property
    def asks_writing(self) -> bool:
        return "confirmed_writing" in self.errors or bool(self.typed("confirmed_writing"))

    @property
    def counts(self) -> list[tuple[str, Any, str]]:
        """Impact fields: name, label, value."""
        return [(name, label, self.typed(name) or "0") for name, (label, _limit) in IMPACT.items()]

    # ---- What is right ----

    def clean_category(self) -> str:
        code: str = self.cleaned_data["category"]
        if self.choice is None:
            raise ValidationError(_("This category is not in use. Choose another, or «I am not sure»."))
        return code

    def clean_lat(self) -> float | None:
        return _degrees(self.cleaned_data["lat"], 90)

    def clean_lon(self) -> float | None:
        return _degrees(self.cleaned_data["lon"], 180)

    def clean(self) -> dict[str, Any]:
        if self.election is None:
            self.add_error(None, _("No election is set up, so nothing can be logged. Ask your administrator."))
        self._clean_when()
        self._clean_place()
        self._clean_point()
        self._clean_concerned()
        self._clean_writing()
        return self.cleaned_data

    def _clean_when(self) -> None:
        when = self.cleaned_data.get("when") or NOW
        if when == NOW:
            # What stands in a field that is not asked for does not hinder.
            for name in ("date", "time"):
                self.errors.pop(name, None)
            self.cleaned_data["occurred_at"] = self._written()
            return
        if {"date", "time"} & set(self.errors):
            return
        here = timezone.localtime(self.now)
        day = here.date() if when == TODAY else self.cleaned_data["date"]
        vague = self.cleaned_data["time_precision"] in (TimePrecision.DAY, TimePrecision.HALF_DAY)
        time = self.cleaned_data["time"]
        if day is None:
            self.add_error("date", _("Choose the day."))
        elif time is None and not (vague and when == OTHER):
            self.add_error("time", _("Write the time, or how exact it is: «that day»."))
        elif day < OLDEST:
            self.add_error("date", _("That is too long ago. Look at the year again."))
        else:
            self._clean_moment(
                timezone.make_aware(dt.datetime.combine(day, time or dt.time(12))), is_vague=time is None
            )

    def _clean_moment(self, moment: dt.datetime, *, is_vague: bool) -> None:
        if is_vague and moment.date() == timezone.localdate(self.now):
            moment = min(moment, self.now)
        if moment > self.now:
            text = _("That is in the future. Now it is %(now)s.") % {"now": _time.moment(self.now)}
            self.add_error("time", text)
            return
        self.cleaned_data["occurred_at"] = moment
        first = first_moment(self.election) if self.election else None
        if first and moment < first and not self.cleaned_data.get("confirmed_early"):
            text = _("That is before the election began, on %(day)s. Look at the day again, or confirm it.")
            self.add_error("confirmed_early", text % {"day": _time.full_day(first)})

    def _written(self) -> dt.datetime:
        """Now; or for a report that waited on a phone, when it was written. A phone's clock is not trusted far."""
        try:
            written = dt.datetime.fromisoformat(self.cleaned_data.get("written_at") or "")
        except ValueError:
            return self.now
        if timezone.is_naive(written) or not self.now - LONGEST_WAIT <= written <= self.now:
            return self.now
        return written

    def _clean_place(self) -> None:
        if not self.reach:
            self.add_error(None, _("Your posting does not log incidents. Ask your administrator."))
            return
        wanted = places.deepest({str(level): self.cleaned_data.get(level, "") for level in places.LEVELS})
        if len(wanted) < 6 and len(self.place) < 6:
            self.add_error("district", _("Choose at least the district."))
        elif wanted and wanted != self.place and not self.place.startswith(wanted):
            self.add_error("district", self._why_not_place(wanted))
        else:
            self.cleaned_data["place"] = self.place

    def _why_not_place(self, code: str) -> str:
        row = Jurisdiction.objects.filter(pcode=code).select_related("successor").first()
        if row is None:
            return _("We do not know that place. Choose it from the list again.")
        if not places.within(code, self.reach):
            return _(
                "«%(place)s» is outside the area of your posting. Tell the command there, or choose another place."
            ) % {"place": row.name}
        if row.valid_to and row.valid_to <= timezone.localdate(self.now):
            if row.successor:
                return _("«%(place)s» no longer exists. It became «%(new)s»: choose that.") % {
                    "place": row.name, "new": row.successor.name,
                }  # fmt: skip
            return _("«%(place)s» no longer exists. Choose the place it belongs to now.") % {"place": row.name}
        return _("These places do not fit together. Choose the district again.")

    def _clean_point(self) -> None:
        lat, lon = self.cleaned_data.get("lat"), self.cleaned_data.get("lon")
        if (lat is None) != (lon is None) and "lat" not in self.errors and "lon" not in self.errors:
            self.add_error("lat", _("A position has two numbers. Set it on the map again, or leave it out."))
        elif lat is not None and lon is not None and not geometry.inside_country(lat, lon):
            self.add_error("lat", _("That position is outside the country. Set it again, or send without it."))

    def _clean_concerned(self) -> None:
        concerns = self.cleaned_data.get("concerns")
        if not concerns:
            self.cleaned_data["concerned"] = []
        elif not self.cleaned_data.get("concerned") and "concerned" not in self.errors:
            self.add_error("concerned", _("Choose which unit, so that the report does not go there."))

    def _clean_writing(self) -> None:
        """Warn once where a number names a person; a person who confirms is right."""
        if self.cleaned_data.get("confirmed_writing"):
            return
        found = [
            n for name in ("title", "narrative", "place_note") for n in naming_numbers(self.cleaned_data.get(name, ""))
        ]
        if found:
            text = ngettext(
                "%(numbers)s looks like a phone or ID number. Take it out: it can be recorded protected later. "
                "If it is something else, confirm it.",
                "%(numbers)s look like phone or ID numbers. Take them out: they can be recorded protected later. "
                "If they are something else, confirm it.",
                len(found),
            )
            self.add_error("confirmed_writing", text % {"numbers": ", ".join(f"«{n}»" for n in found[:3])})

    # ---- What is handed on ----

    def data_for_report(self) -> dict[str, Any]:
        """Keyword arguments of `actions.Report` from what is right so far; for a preview the words may be missing."""
        values = self.cleaned_data
        plain = ("title", "place_note", "target_type", "means", "is_gender_based", *IMPACT)
        return {
            **{name: values[name] for name in plain if name in values},
            "id": values.get("id"),
            "category": values["category"],
            "severity": self._severity(),
            "occurred_at": values["occurred_at"],
            "time_precision": values.get("time_precision") or TimePrecision.MINUTES,
            "place": values["place"],
            "lat": values.get("lat"),
            "lon": values.get("lon"),
            "point_precision": values.get("point_precision") or PointPrecision.AREA,
            "narrative": values.get("narrative", ""),
            "actor_type": values.get("actor_type") or ActorType.UNKNOWN,
            "concerned": tuple(values.get("concerned", ())),
            "concerned_civil": values.get("concerns") == CIVIL,
            "election": self.election.code if self.election else "",
            "confirmed_early": bool(values.get("confirmed_early")),
        }

    def _severity(self) -> str:
        """What the person chose, else the usual one of the category then and there; never a rating before its time."""
        phase = phase_at(self.election, self.now, self.cleaned_data["place"]) if self.election else ""
        suggested = self.choice.category.usual_severity(phase) if self.choice else Severity.MEDIUM
        if suggested == Severity.UNRATED:
            return suggested.value
        return self.cleaned_data.get("severity") or suggested.value

    @property
    def is_enough_to_preview(self) -> bool:
        """What, when and where are known, so owner, deadlines and similar cases are."""
        return {"category", "occurred_at", "place"} <= set(self.cleaned_data) and self.election is not None

    def add_refusal(self, refused: ValidationError) -> None:
        """Put what `actions` refused beside the fields it is about; what has no field stands above the form."""
        refusals.show(self, refused, _FIELD_OF)


def _degrees(value: float | None, limit: int) -> float | None:
    if value is not None and abs(value) > limit:
        raise ValidationError(A_POINT)
    return value
