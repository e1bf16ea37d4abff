"""The page that plays a policy against past or made-up cases, beside the version in force. Nothing is written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from commands.models import User
from elections.models import Election
from incidents import policies
from incidents.dashboards import charts
from incidents.election_choice import current_election
from incidents.escalation.replay import MOST, Ladders, made_up_in, past
from incidents.escalation.simulate import PROVINCE, PSC, Case, Result, generated, run
from incidents.forms.simulation import PAST, SimulationForm, refusal
from incidents.models import EscalationKind, Incident, Policy
from incidents.views.policies import person
from incidents.views.rebase import name_of

#: More stretches of time than this make no picture on a phone.
MOST_COLUMNS = 72


@require_safe
def simulation(request: HttpRequest) -> HttpResponse:
    """The question and, once asked, its answer."""
    user, now = person(request, drafts=True), timezone.now()
    versions = {name_of(p): p for p in Policy.objects.select_related("election").order_by("-created_at")}
    form = _form(request, versions, now)
    context: dict[str, Any] = {"form": form, "now": now, "most": MOST}
    if form.is_asked and form.is_valid():
        try:
            context |= _answer(form, versions[form.cleaned_data["policy"]], user, now)
        except ValidationError as refused:
            context["refused"] = refusal(refused)
    is_refused = (form.is_asked and bool(form.errors)) or "refused" in context
    return render(request, "escalation/simulation.html", context, status=422 if is_refused else 200)


def _form(request: HttpRequest, versions: dict[str, Policy], now: dt.datetime) -> SimulationForm:
    names = {name: _label(p) for name, p in versions.items()}
    chosen = next((name for name, p in versions.items() if p.published_at is None), next(iter(names), ""))
    return SimulationForm(
        request.GET,
        versions=names,
        elections=list(Election.objects.shown()),
        chosen=chosen,
        election=current_election(request, now),
        today=timezone.localdate(now),
    )


def _label(policy: Policy) -> str:
    whose = policy.election.code if policy.election else _("General")
    text = _("%(whose)s, version %(number)d (draft)") if policy.published_at is None else _(
        "%(whose)s, version %(number)d"
    )  # fmt: skip
    return text % {"whose": whose, "number": policy.number}


# ---- The answer ----


@dataclass(frozen=True)
class Figure:
    """One line of the comparison."""

    what: str
    tried: int
    in_force: int
    #: What the words alone do not say.
    hint: str = ""

    @property
    def change(self) -> int:
        return self.tried - self.in_force

    @property
    def fewer(self) -> int:
        return -self.change


def _answer(form: SimulationForm, tried: Policy, user: User, now: dt.datetime) -> dict[str, Any]:
    asked = form.cleaned_data
    election = Election.objects.get(code=asked["election"])
    ladders = Ladders(now)
    cases = _past(asked, election, user, ladders) if asked["source"] == PAST else _made_up(form, election, ladders, now)
    in_force = policies.policy_for(election, now)
    results = run(cases, policies.rules_of(tried)), run(cases, policies.rules_of(in_force))
    is_same = tried.pk == in_force.pk
    return {
        "tried": tried,
        "in_force": in_force,
        "is_same": is_same,
        "is_untouched": not is_same and results[0] == results[1],
        "cases": len(cases),
        "is_cut": len(cases) >= MOST,
        "figures": figures(*results),
        "busiest": _busiest(results, ladders),
        "charts": _charts(results, ladders),
        "vacant": sum(not level.is_staffed for level in ladders.levels()),
    }


def _past(asked: dict[str, Any], election: Election, user: User, ladders: Ladders) -> list[Case]:
    zone = timezone.get_default_timezone()
    first = dt.datetime.combine(asked["first"], dt.time(), zone)
    end = dt.datetime.combine(asked["last"] + dt.timedelta(days=1), dt.time(), zone)
    seen = Incident.objects.visible_to(user, unsealed=True).filter(election=election)
    return past(seen.filter(reported_at__gte=first, reported_at__lt=end), ladders)


def _made_up(form: SimulationForm, election: Election, ladders: Ladders, now: dt.datetime) -> list[Case]:
    asked = form.cleaned_data
    return generated(
        ladders.of_districts(),
        count=asked["count"] or 1,
        hours=asked["hours"] or 1,
        mix=form.mix(asked),
        behaviour=form.behaviour(),
        seed=asked["seed"] or 1,
        **made_up_in(election, asked["phase"], ladders),
    )


def figures(tried: Result, in_force: Result) -> list[Figure]:
    """Both results in the order in which somebody who decides asks."""

    def counts(result: Result) -> list[int]:
        steps = result.steps
        return [
            result.moved,
            result.came_up[PROVINCE],
            result.came_up[PSC],
            result.told[PSC],
            result.exhausted,
            result.repeats,
            result.untaken,
            steps[EscalationKind.WARNING],
            steps[EscalationKind.NEXT_TOLD],
            steps[EscalationKind.OWNER_MOVED],
            result.left_out,
            result.fullest(),
        ]

    said_again = _("Times that alarm was said again, until somebody came")
    words = [
        _("Cases that moved up at least once"),
        _("Cases that came up to a province"),
        _("Cases that came up to the PSC"),
        _("Cases the PSC was told of without getting them"),
        _("Times the alarm rang at the top"),
        said_again,
        _("Cases that nobody took up"),
        _("Warnings to owners"),
        _("Times the next command was told"),
        _("Times a case moved"),
        _("Levels left out because nobody is there"),
        _("Most that arrives at one command in an hour"),
    ]
    hint = _(
        "An alarm at the top comes again, at the pace of the version, until somebody does what the case waits for, for"
        " 30 days at most. So a few cases that nobody answers make a large number."
    )
    rows = zip(words, counts(tried), counts(in_force), strict=True)
    return [Figure(what, one, other, hint if what == said_again else "") for what, one, other in rows]


def _busiest(results: Sequence[Result], ladders: Ladders) -> list[dict[str, Any]]:
    """The commands with the fullest hour under either version: name, how much and when under each."""
    found: dict[int, dict[str, Any]] = {}
    for side, result in zip(("tried", "in_force"), results, strict=True):
        for command, hour, count in result.busiest():
            found.setdefault(command, {"command": ladders.commands[command]})[side] = (count, hour)
    for side, result in zip(("tried", "in_force"), results, strict=True):
        whole = {command: (count, hour) for command, hour, count in result.busiest(10_000)}
        for command, row in found.items():
            row.setdefault(side, whole.get(command, (0, None)))
    return sorted(found.values(), key=lambda row: -max(row["tried"][0], row["in_force"][0]))[:10]


@dataclass(frozen=True)
class Chart:
    title: str
    columns: list[charts.Column]
    first: dt.datetime
    last: dt.datetime
    most: int
    by_day: bool
    #: The same numbers for whoever cannot see the picture.
    rows: list[tuple[dt.datetime, int, int]]


def _charts(results: Sequence[Result], ladders: Ladders) -> list[Chart]:
    titles = {PSC: _("What arrives at the PSC"), PROVINCE: _("What arrives at all provinces together")}
    found = []
    for height, title in titles.items():
        commands = {level.key for level in ladders.levels() if level.height == height}
        counted = [result.by_hour(commands) for result in results]
        hours = sorted({hour for counts in counted for hour in counts})
        if hours:
            found.append(_chart(title, counted, hours))
    return found


def _chart(title: str, counted: Sequence[Any], hours: list[dt.datetime]) -> Chart:
    by_day = (hours[-1] - hours[0]) > dt.timedelta(hours=MOST_COLUMNS)
    step = dt.timedelta(days=1) if by_day else dt.timedelta(hours=1)
    start = timezone.localtime(hours[0]).replace(hour=0) if by_day else hours[0]
    buckets = int((hours[-1] - start) / step) + 1
    series = [[0] * buckets for _result in counted]
    for values, counts in zip(series, counted, strict=True):
        for hour, count in counts.items():
            values[int((hour - start) / step)] += count
    rows = [(start + at * step, series[0][at], series[1][at]) for at in range(buckets)]
    return Chart(
        title=title,
        columns=charts.pairs(*series),
        first=start,
        last=start + (buckets - 1) * step,
        most=max(max(values) for values in series),
        by_day=by_day,
        rows=[row for row in rows if row[1] or row[2]],
    )
