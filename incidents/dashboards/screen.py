"""The dashboard page as values: every part asks measures and breakdowns, and says its finding in a sentence."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.db.models import Max, Min
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext

from commands.choices import Role
from elections.calendar import phase_at
from elections.choices import Level
from elections.models import Election, Jurisdiction
from incidents import classification
from incidents.choices import Classification, Severity, Verification
from incidents.dashboards import breakdowns, charts, measures
from incidents.dashboards import map as maps
from incidents.dashboards.question import Period, Question
from incidents.models import Block, Category, Incident, PublicNotice, PublicNoticeState, ResponseTarget
from incidents.querysets import OPERATIONAL_ONLY
from incidents.tallies import local_day

DAYS = 28
ALARMS = 3
#: Categories named in the panel of one area.
CATEGORIES = 5
#: Figures over a week's cases change slowly and cost more: they may be this old, and say when they were counted.
SLOW_SECONDS = 120


@dataclass(frozen=True)
class Tile:
    """A key figure. `cases` is the query string that lists exactly what it counts."""

    name: str
    title: str
    value: str
    aside: str
    note: str
    cases: str | None
    shape: str = ""


def build(question: Question) -> dict[str, Any]:
    """Everything the dashboard shows to one person at one moment, under one set of filters."""
    place = maps.root_of(question)
    counts = maps.area_counts(question, place) if len(place) in maps.CHILD_LEVEL else None
    severities = question.remembered("severities", lambda: dict(breakdowns.open_by_severity(question)))
    here = Jurisdiction.objects.select_related("parent", "parent__parent").get(pk=place)
    return {
        "now": question.now,
        "place": here,
        **around(question, here, counts),
        "tiles": tiles(question, severities),
        "alarms": alarms(question, severities),
        "counts": counts,
        "map_title": map_title(counts) if counts else "",
        "picked": picked(question, counts),
        "trend": trend(question),
        "response": response(question),
        "trust": trust(question),
        "nec": waiting_for_nec(question),
        "sealed": sealed(question),
    }


# ---- Key figures ----


def _one(name: str, question: Question) -> Any:
    return measures.answer(name, question).value


def tiles(question: Question, severities: dict[str, int]) -> list[Tile]:
    day = Period.last_days(1, question.now)
    yesterday = Period(day.start - dt.timedelta(days=1), day.start)
    opened = sum(severities.values())
    critical, high = severities.get(Severity.CRITICAL, 0), severities.get(Severity.HIGH, 0)
    late, today = _one("late", question), _one("new_today", question)
    moved = _one("reached_psc", question.over(day))
    before = _one("reported", question.over(yesterday))
    share = question.remembered("within target", lambda: [measures.within_target(question)], seconds=SLOW_SECONDS)[0]
    asked = question.asked
    reported_today = asked.query_string(state=("all",), reported_from=local_day(question.now))
    return [
        _tile(
            "open", _("Open"), opened, "", _("%(n)d of them reported today") % {"n": _open_today(question)}, question
        ),
        Tile(
            "serious",
            _("Critical or high"),
            str(critical + high),
            _("%(n)d critical") % {"n": critical},
            _("open now"),
            asked.query_string(state=("open",), severity=("critical", "high")),
            "critical",
        ),
        _tile("late", _("Late"), late, _("of %(n)d") % {"n": opened}, _oldest_late(question) if late else "", question),
        _tile(
            "with_psc",
            _("With the PSC"),
            _one("with_psc", question),
            "",
            _("%(n)d moved there today") % {"n": moved},
            question,
        ),
        Tile(
            "new_today", _("New today"), str(today), "", _("%(n)d in all of yesterday") % {"n": before}, reported_today
        ),
        Tile(
            "within_target",
            _("Acknowledged in time"),
            _("%(n)d %%") % {"n": round(share)} if share is not None else "–",
            "",
            _("of the last 7 days") if share is not None else _("too few cases to say, last 7 days"),
            None,
        ),
    ]


def _tile(name: str, title: str, value: int, aside: str, note: str, question: Question) -> Tile:
    return Tile(name, title, str(value), aside, note, measures.cases_filter(name, question.asked))


def _open_today(question: Question) -> int:
    start = Period.last_days(1, question.now).start
    return question.remembered("open today", lambda: question.cases().open().filter(reported_at__gte=start).count())


def _oldest_late(question: Question) -> str:
    first = question.cases().overdue(question.now).aggregate(first=Min("next_due_at"))["first"]
    return _("oldest since %(day)s") % {"day": _moment(first, question.now)} if first else ""


def _moment(value: dt.datetime, now: dt.datetime) -> str:
    here, today = timezone.localtime(value), timezone.localtime(now)
    return date_format(here, "TIME_FORMAT" if here.date() == today.date() else "MONTH_DAY_FORMAT")


def alarms(question: Question, severities: dict[str, int]) -> dict[str, Any]:
    """Open critical, then high cases, the soonest deadline first; the rest as a number."""
    shown: list[Incident] = []
    for severity in (Severity.CRITICAL, Severity.HIGH):
        if len(shown) < ALARMS and severities.get(severity):
            found = question.cases().open().filter(severity=severity).with_names().order_by("next_due_at", "id")
            shown += found[: ALARMS - len(shown)]
    total = severities.get(Severity.CRITICAL, 0) + severities.get(Severity.HIGH, 0)
    detailed = not any(p.role in OPERATIONAL_ONLY for p in question.user.current_postings)
    return {
        "cases": [(case, (case.title if detailed else "") or case.category.name) for case in shown],
        "more": max(total - len(shown), 0),
        "all": question.asked.query_string(state=("open",), severity=("critical", "high")),
    }


# ---- The map and its table ----

LEVEL_NAMES = {
    Level.COUNTRY: _lazy("Province"),
    Level.PROVINCE: _lazy("District"),
    Level.DISTRICT: _lazy("Commune"),
}


def around(question: Question, here: Jurisdiction, counts: dict[str, Any] | None) -> dict[str, Any]:
    """What stands about the map: the way up, areas without an outline, what its rows are called."""
    rows = area_rows(question, counts) if counts else []
    beside = [row for row in rows if not row["has_outline"]]
    return {
        "areas": rows,
        "tiles_beside": beside,
        "no_outlines": len(beside) == len(rows),
        "level_name": LEVEL_NAMES.get(Level(here.level), ""),
        "up": "" if here.parent_id is None else _up(question, here),
        "rounded": maps.sees_no_exact_place(question),
        "shape_names": [s.value for s in Severity if s != Severity.UNRATED],
        "outline_version": maps.outline_version(),
    }


def _up(question: Question, here: Jurisdiction) -> str | None:
    """The query string of the place above, or None where it is not the viewer's to see whole."""
    above = here.parent
    whole = question.but(place="").places
    if above is None or (whole is not None and not any(above.pk.startswith(code) for code in whole)):
        return None
    return question.asked.query_string(place="" if above.parent_id is None else above.pk)


def area_rows(question: Question, counts: dict[str, Any]) -> list[dict[str, Any]]:
    """The map as a table: each area with its counts, the way to its districts and to its cases."""
    most = max((a["open"] for a in counts["areas"]), default=0)
    return [
        {
            **area,
            "bar": charts.share_width(area["open"], most),
            "drill": question.asked.query_string(place=area["code"]),
            "cases": question.asked.query_string(place=area["code"], state=("open",)),
            "late_cases": question.asked.query_string(place=area["code"], state=("late",)),
        }
        for area in counts["areas"]
    ]


def map_title(counts: dict[str, Any]) -> str:
    """The finding of the map in one sentence."""
    total = sum(a["open"] for a in counts["areas"]) + counts["without_area"]
    ranked = sorted(counts["areas"], key=lambda a: -a["open"])
    if not total:
        return _("No case is open here")
    if len(ranked) < 2 or not ranked[1]["open"]:
        return _("All open cases are in %(place)s") % {"place": ranked[0]["name"]}
    first, second = ranked[0], ranked[1]
    if first["open"] == second["open"] and len(ranked) > 2 and ranked[2]["open"] == first["open"]:
        return _("Open cases are spread evenly: no place stands out")
    return _("%(first)s and %(second)s have the most open cases: %(n)d of %(total)d") % {
        "first": first["name"],
        "second": second["name"],
        "n": first["open"] + second["open"],
        "total": total,
    }


def picked(question: Question, counts: dict[str, Any] | None) -> dict[str, Any] | None:
    """One area closer: the place asked for, else the one with most open cases."""
    code = question.asked.place
    if not code and counts:
        ranked = sorted((a for a in counts["areas"] if a["open"]), key=lambda a: -a["open"])
        code = ranked[0]["code"] if ranked else ""
    if len(code) <= 2:
        return None
    inside = question.but(place=code)
    counted = inside.remembered("by category", lambda: breakdowns.open_by_category(inside))
    categories, rest = counted[:CATEGORIES], counted[CATEGORIES:]
    names = {c.code: c.name for c in Category.objects.filter(pk__in=[c for c, _n in categories])}
    most = categories[0][1] if categories else 0
    return {
        "name": Jurisdiction.objects.get(pk=code).name,
        "open": sum(n for _code, n in counted),
        "late": _one("late", inside),
        "cases": question.asked.query_string(place=code, state=("open",)),
        "categories": [(names[c], n, charts.share_width(n, most, 88)) for c, n in categories],
        "others": sum(n for _code, n in rest),
        "spark": _daily(inside),
    }


# ---- Days ----


def _windows(question: Question) -> list[charts.Window]:
    election = (
        Election.objects.filter(code=question.asked.election).first()
        if question.asked.election
        else Election.objects.default_for(question.now)
    )
    if election is None:
        return []
    return [
        charts.Window(
            str(w.get_phase_display()), local_day(w.starts_at), local_day(w.ends_at - dt.timedelta(seconds=1))
        )
        for w in election.phase_windows.filter(jurisdiction=None)
    ]


def _by_day(question: Question) -> Counter[tuple[str, dt.date]]:
    month = question.over(Period.last_days(DAYS, question.now))
    return month.remembered("by day", lambda: breakdowns.by_day(month))


def _daily(question: Question) -> charts.Daily:
    """All categories together, as one sparkline."""
    counts: Counter[dt.date] = Counter()
    for (_group, day), n in _by_day(question).items():
        counts[day] += n
    days = Period.last_days(DAYS, question.now).days
    return charts.daily("", "", counts, days, max(counts.values(), default=0), _windows(question))


def trend(question: Question) -> dict[str, Any]:
    """Small multiples by category group on one scale, and the sentence that says what moved most."""
    counts = _by_day(question)
    groups = {c.group_code: c.group for c in Category.objects.filter(retired_on=None)}
    days = Period.last_days(DAYS, question.now).days
    windows = _windows(question)
    scale = max(counts.values(), default=0)
    charted = [
        charts.daily(code, name, {day: n for (g, day), n in counts.items() if g == code}, days, scale, windows)
        for code, name in groups.items()
    ]
    charted = [chart for chart in charted if chart.total] or charted[:4]
    charted.sort(key=lambda chart: -chart.total)
    return {
        "title": trend_title(charted),
        "charts": charted,
        "days": [(day, [chart.bars[index].count for chart in charted]) for index, day in enumerate(days)],
        "first": days[0],
        "phases": [b.name for b in charted[0].bands if b.name] if charted else [],
    }


def trend_title(charted: list[charts.Daily]) -> str:
    if not any(chart.total for chart in charted):
        return _("No incident in the last %(n)d days") % {"n": DAYS}
    top = max(charted, key=lambda chart: abs(chart.change))
    if abs(top.change) < 3:
        return _("About as many incidents as the week before")
    told = {"group": top.name, "n": top.this_week, "change": abs(top.change)}
    if top.change > 0:
        return _("%(group)s: %(n)d this week, %(change)d more than the week before") % told
    return _("%(group)s: %(n)d this week, %(change)d fewer than the week before") % told


# ---- How fast, how sure ----


def response(question: Question) -> dict[str, Any]:
    """Time to acknowledge by severity against the target of the phase, over the last seven days."""
    kept: dict[str, Any] = question.remembered(
        "response",
        lambda: {"at": question.now, "times": breakdowns.acknowledge_times(question)},
        seconds=SLOW_SECONDS,
    )
    election = Election.objects.default_for(question.now)
    phase = phase_at(election, question.now) if election else "between"
    targets = {t.severity: t.acknowledge_minutes for t in ResponseTarget.objects.filter(phase=phase, election=None)}
    bullets = [
        charts.Bullet(str(severity.label), severity.value, half, most, targets[severity], base)
        for severity in Severity
        if severity in kept["times"] and severity in targets
        for base, half, most in [kept["times"][severity]]
    ]
    slow = [b for b in bullets if b.is_late]
    if not bullets:
        title = _("No case was acknowledged in the last 7 days")
    elif slow:
        title = _("%(severity)s cases: one in ten is acknowledged after the target") % {"severity": slow[0].name}
    else:
        title = _("Nine of ten cases are acknowledged in time")
    return {"title": title, "bullets": bullets, "at": kept["at"]}


def trust(question: Question) -> dict[str, Any]:
    """How much of what is open is known to be true, and how sound the record is."""
    kept: dict[str, Any] = question.remembered(
        "trust",
        lambda: {
            "at": question.now,
            "mix": dict(breakdowns.by_verification(question)),
            **{
                name: measures.MEASURES[name].query(question)
                for name in ("late_entries", "duplicates", "undetermined", "reported")
            },
        },
        seconds=SLOW_SECONDS,
    )
    mix: dict[str, int] = kept["mix"]
    whole, verified = sum(mix.values()), mix.get(Verification.VERIFIED, 0)
    title = (
        ngettext("%(verified)d of %(n)d open case is verified", "%(verified)d of %(n)d open cases are verified", whole)
        % {"verified": verified, "n": whole}
        if whole
        else _("No open case to verify")
    )
    return {
        **kept,
        "title": title,
        "parts": charts.parts([(v.value, str(v.label), mix.get(v, 0)) for v in Verification]),
        "counts": [(v.value, mix.get(v, 0)) for v in Verification if mix.get(v)],
        "sealed_at": Block.objects.aggregate(at=Max("sealed_at"))["at"],
    }


def waiting_for_nec(question: Question) -> dict[str, int] | None:
    """What the NEC owes others; only for its own people."""
    if not question.user.has_role(Role.NEC_SECRETARIAT):
        return None
    return question.remembered(
        "nec",
        lambda: {
            **_to_classify(question),
            "notices": PublicNotice.objects.filter(state=PublicNoticeState.DRAFT).count(),
            "requests": question.cases().open().exclude(request_act="").count(),
        },
    )


def _to_classify(question: Question) -> dict[str, int]:
    """What waits for a classification and what of it is late; what is not late is young, and that is soon counted."""
    waiting = classification.waiting_for(question.user)
    all_of_them = measures.standing(
        question, state__in=classification.CLASSIFIABLE, classification=Classification.UNDETERMINED
    )
    mine = question.asked.apply(waiting, question.user, question.now)
    young = mine.filter(reported_at__gte=question.now - classification.WITHIN)
    not_late = young.count() - classification.late(young, question.now).count()
    return {"classify": all_of_them, "late": all_of_them - not_late}


def sealed(question: Question) -> int | None:
    """How many sealed cases of 28 days there are, for those who may count them; one number, no place."""
    if not measures.MEASURES["sealed"].is_for(question.user):
        return None
    value = measures.answer("sealed", question.over(Period.last_days(DAYS, question.now))).value
    return None if value is None else int(value)
