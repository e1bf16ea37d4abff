"""What a weekly summary is asked for: an election and a week, read from the address, with what else can be chosen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db.models import Max, Min
from django.http import QueryDict
from django.utils.translation import gettext as _

from commands.models import User
from elections.models import Election
from incidents.dashboards.question import Question
from incidents.filters import CaseFilter
from incidents.reports.week import Week

#: How long the first and last week of an election are remembered, in seconds.
_BOUNDS_SECONDS = 60


@dataclass(frozen=True)
class Asked:
    """One summary: of which election and week, for whom, at what moment."""

    user: User
    now: dt.datetime
    election: Election
    week: Week

    @property
    def question(self) -> Question:
        """The question about the week, up to its cut-off."""
        return Question(self.user, self.now, CaseFilter(election=self.election.code), self.week.counted(self.now))

    def query(self, week: Week | None = None) -> str:
        """The query string that asks for the same again, or for another week."""
        return f"week={(week or self.week).code}&election={self.election.code}"


def read(
    query: QueryDict, user: User, now: dt.datetime, *, also: Iterable[str] = (), preferred: str = ""
) -> Asked | None:
    """What is asked for; None where there is no election at all. `also` names parameters that belong to the door.

    Without `election` it is the `preferred` one, else the one that is on; without `week` the last whole week, or the
    last with a report where the election ended before. ValidationError under the name of each parameter that is not
    known, given twice, or cannot be read.
    """
    errors = {}
    for name in query:
        if name not in ("week", "election", *also):
            errors[name[:60]] = _("There is no parameter called «%(name)s».") % {"name": name[:60]}
        elif len(query.getlist(name)) > 1:
            errors[name] = _("The parameter «%(name)s» may be given once only.") % {"name": name}
    election = _election(query.get("election", ""), preferred, now)
    if election is None and query.get("election"):
        errors["election"] = _("There is no election with the code «%(code)s».") % {"code": query["election"][:60]}
    week = None
    if text := query.get("week", ""):
        try:
            week = Week.read(text, now)
        except ValidationError as error:
            errors["week"] = " ".join(error.messages)
    if errors:
        raise ValidationError(errors)
    if election is None:
        return None
    return Asked(user, now, election, week or default_week(user, now, election))


def _election(code: str, preferred: str, now: dt.datetime) -> Election | None:
    if code:
        return None if "\0" in code else Election.objects.filter(code=code).first()
    found = Election.objects.filter(code=preferred).first() if preferred else None
    return found or Election.objects.default_for(now)


def default_week(user: User, now: dt.datetime, election: Election) -> Week:
    last_whole = Week.of(now).before
    bounds = weeks_with_reports(user, now, election)
    return min(last_whole, bounds[1]) if bounds else last_whole


def weeks_with_reports(user: User, now: dt.datetime, election: Election) -> tuple[Week, Week] | None:
    """The first and the last week with a report this person may know of."""
    question = Question(user, now, CaseFilter(election=election.code))

    def build() -> list[tuple[Week, Week]]:
        seen = question.cases().aggregate(first=Min("reported_at"), last=Max("reported_at"))
        return [(Week.of(seen["first"]), Week.of(seen["last"]))] if seen["first"] else []

    found = question.remembered("weeks", build, seconds=_BOUNDS_SECONDS)
    return found[0] if found else None


def weeks_to_choose(asked: Asked) -> list[Week]:
    """Latest first: the weeks of the election's reports, the running one, and the one asked for."""
    running = Week.of(asked.now)
    bounds = weeks_with_reports(asked.user, asked.now, asked.election)
    chosen = {asked.week}
    if bounds:
        week, last = bounds
        while week <= last:
            chosen.add(week)
            week = week.after
    if bounds is None or bounds[1] >= running.before:
        chosen |= {running, running.before}
    return sorted(chosen, reverse=True)
