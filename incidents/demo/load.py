"""Cases by the million for measurements, written past the actions: COPY on PostgreSQL, many-row INSERTs on SQLite.

Plausible in every column and consistent with the constraints: an open case has its running clocks, a merged one its
survivor, each its report in the journal and its first custody. What only people make (updates, notices, files) is not
there. Only for a demonstration or a benchmark database.
"""

from __future__ import annotations

import datetime as dt
import io
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from commands.choices import BodyKind, Role
from commands.models import Posting, SecurityCommand
from elections import geometry
from elections.calendar import first_moment
from elections.choices import Phase
from elections.khmer import search_key
from elections.models import Election
from incidents.choices import (
    Act,
    Channel,
    Classification,
    ClockKind,
    DismissReason,
    Nature,
    Outcome,
    Severity,
    State,
    Verification,
)
from incidents.demo import mix
from incidents.demo.texts import PATTERNS, story
from incidents.models import Category, Clock, Custody, Entry, Incident, ReferenceCounter, ResponseTarget
from incidents.policies import policy_for

CHUNK = 20_000
OPEN_SHARE = 0.03
#: Share of the running clocks whose deadline has passed.
_OVERDUE = 0.05
_STORIES = 60
_POINTS = 40
_OPEN_STATES = [State.REPORTED, State.ACKNOWLEDGED, State.RESPONDING, State.CONTAINED]
_DONE_STATES = [State.CLOSED, State.RESOLVED, State.MERGED, State.NOT_AN_INCIDENT, State.WITHDRAWN]
#: The clock whose deadline comes next, by state.
_NEXT_CLOCK = {
    State.REPORTED: ClockKind.ACKNOWLEDGE,
    State.ACKNOWLEDGED: ClockKind.FIRST_UPDATE,
    State.RESPONDING: ClockKind.CONTAIN,
    State.CONTAINED: ClockKind.RESOLVE,
}
_CLASSIFIED = {
    Nature.ELECTORAL: Classification.ELECTORAL,
    Nature.ORDINARY: Classification.ORDINARY,
    Nature.HAZARD: Classification.HAZARD,
}
#: An open case shows these clocks, running.
_RUNNING = {
    State.REPORTED: [ClockKind.ACKNOWLEDGE, ClockKind.FIRST_UPDATE, ClockKind.CONTAIN],
    State.ACKNOWLEDGED: [ClockKind.FIRST_UPDATE, ClockKind.CONTAIN],
    State.RESPONDING: [ClockKind.CONTAIN],
    State.CONTAINED: [ClockKind.RESOLVE],
}
#: What ends each step from report to closing, and how many steps are behind a case in each state.
_STEPS = [ClockKind.ACKNOWLEDGE, ClockKind.FIRST_UPDATE, ClockKind.CONTAIN, ClockKind.RESOLVE, ClockKind.RESOLVE]
_REACHED = {
    State.REPORTED: 0,
    State.ACKNOWLEDGED: 1,
    State.RESPONDING: 2,
    State.CONTAINED: 3,
    State.RESOLVED: 4,
    State.CLOSED: 5,
}
_MINUTE = 60
_DAY = 86_400

Row = tuple[Any, ...]


@dataclass
class _Tables:
    """Rows of one chunk, by table."""

    incidents: list[Row]
    entries: list[Row]
    custodies: list[Row]
    clocks: list[Row]


class Maker:
    """Draws cases of one election; the same seed and data give the same cases."""

    def __init__(self, election: Election, now: dt.datetime, seed: int) -> None:
        self.election, self.now = election, now.timestamp()
        self.chance = random.Random(seed)  # noqa: S311  made data, no secret
        self.windows = sorted(election.phase_windows.filter(jurisdiction=None), key=lambda w: w.starts_at)
        start = first_moment(election) or now - dt.timedelta(days=90)
        end = min([now, *(w.ends_at for w in self.windows[-1:])])
        self.start, self.end = start.timestamp(), end.timestamp()
        self.is_running = not election.is_locked and end == now
        self.communes = mix.communes(self.chance)
        self.points = {code: geometry.scatter(code, _POINTS, seed) for code in self.communes.codes}
        self.categories = {c.code: c for c in Category.objects.filter(code__in=mix.CATEGORIES)}
        self.stories = {code: self._stories(code) for code in self.categories}
        self.policy = policy_for(election, now)
        self.targets = {(t.phase, t.severity): t for t in ResponseTarget.objects.filter(policy=self.policy)}
        self.ladder = {
            (c.jurisdiction_id, c.kind): c for c in SecurityCommand.objects.active().rungs().filter(force="joint")
        }
        officers = Posting.objects.filter(role=Role.OFFICER, ends_at=None, command__kind=BodyKind.DISTRICT)
        self.officers = {p.command_id: p for p in officers.select_related("command")}
        self.numbers = dict(ReferenceCounter.objects.filter(election=election).values_list("province", "last"))
        self.previous = ""

    def _stories(self, code: str) -> list[tuple[str, str, str]]:
        drawn = []
        for _ in range(_STORIES):
            text = story(code, self.chance, khmer=self.chance.random() < mix.KHMER_SHARE)
            drawn.append((text.title, text.narrative, search_key(f"{text.title} {text.narrative}")))
        return drawn

    def phase_at(self, moment: float) -> str:
        for window in reversed(self.windows):
            if window.starts_at.timestamp() <= moment < window.ends_at.timestamp():
                return window.phase
        return Phase.BETWEEN

    def chunk(self, count: int, start: float, end: float) -> _Tables:
        """`count` cases reported between two moments, oldest first."""
        tables = _Tables([], [], [], [])
        places = self.communes.draw(self.chance, count)
        categories = self.chance.choices(list(mix.CATEGORIES), list(mix.CATEGORIES.values()), k=count)
        for moment, place, category in zip(
            sorted(self.chance.uniform(start, end) for _ in range(count)), places, categories, strict=True
        ):
            self._case(tables, moment, place, self.categories[category])
        return tables

    def _case(self, tables: _Tables, reported: float, place: str, category: Category) -> None:
        chance = self.chance
        severity = mix.severity(category.default_severity, chance)
        phase = self.phase_at(reported)
        is_open = self.is_running and chance.random() < OPEN_SHARE
        state = (
            chance.choices(_OPEN_STATES, [2, 3, 4, 3])[0]
            if is_open
            else chance.choices(_DONE_STATES, [88, 5, 4, 2, 1])[0]
        )
        minutes = self._minutes(phase, severity)
        anchor = reported
        if is_open:
            phase = self.phase_at(self.now)
            minutes = self._minutes(phase, severity)
            kind = _NEXT_CLOCK[state]
            anchor = self.now - chance.uniform(0, 1 + _OVERDUE) * minutes[kind] * _MINUTE
            reported = anchor - (minutes[ClockKind.CONTAIN] * 30 if kind == ClockKind.RESOLVE else 0)
        if state == State.MERGED and not self.previous:
            state = State.CLOSED
        rung = 2 if severity == Severity.CRITICAL else 1
        if is_open and chance.random() < 0.1:
            rung = min(rung + 1, 3)
        owner = self.ladder[
            {1: (place[:6], BodyKind.DISTRICT), 2: (place[:4], BodyKind.PROVINCE), 3: (place[:2], BodyKind.PSC)}[rung]
        ]
        district = self.ladder[place[:6], BodyKind.DISTRICT]
        officer = self.officers[district.pk]
        number = self.numbers[place[2:4]] = self.numbers.get(place[2:4], 0) + 1
        late = chance.uniform(1.1, 6) * _DAY if chance.random() < mix.LATE_SHARE else chance.uniform(60, 4 * 3600)
        occurred = max(reported - late, self.start - 30 * _DAY)
        steps = self._steps(state, reported, minutes, anchor if state == State.CONTAINED else None)
        key = self._key(reported)
        title, narrative, words = chance.choice(self.stories[category.code])
        pattern = PATTERNS[category.code]
        lat, lon = chance.choice(self.points[place]) if chance.random() < mix.POINT_SHARE else (None, None)
        is_done = state in (State.CLOSED, State.RESOLVED)
        is_classified = is_done and chance.random() < 0.97
        next_kind = _NEXT_CLOCK[state] if is_open else ""
        next_due = anchor + minutes[_NEXT_CLOCK[state]] * _MINUTE if is_open else None
        touched = max([t for t in (reported, *steps) if t is not None])
        at = _text(reported)
        tables.incidents.append(
            (
                key, f"{self.election.code}-{place[2:4]}-{number:06}", self.election.pk, phase, category.code,
                self.policy.pk, phase, state, severity, severity,
                chance.choices([Verification.VERIFIED, Verification.UNVERIFIABLE, Verification.REFUTED], [80, 17, 3])[0]
                if is_done else Verification.UNVERIFIED,
                _CLASSIFIED[Nature(category.nature)] if is_classified else Classification.UNDETERMINED,
                owner.pk, rung, rung, int(state != State.REPORTED), _text(occurred), at, officer.user_id, district.pk,
                chance.choices([Channel.BROWSER, Channel.PHONE, Channel.RADIO, Channel.API], [80, 12, 5, 3])[0],
                place, lat, lon, title, narrative, words, pattern.actor, pattern.target, pattern.means,
                int(category.code in ("CRM-02", "ORD-01") and chance.random() < 0.4),
                self.previous if state == State.MERGED else None,
                chance.choice(Outcome.values[:3]) if is_done else "",
                DismissReason.OUT_OF_SCOPE if state == State.NOT_AN_INCIDENT else "",
                *(_text(step) for step in steps),
                _text(steps[3] or touched) if is_classified else None,
                _text(next_due), next_kind, _text(touched),
            )
        )  # fmt: skip
        tables.entries.append((key, Act.REPORT, at, Channel.BROWSER, officer.user_id, officer.pk, district.pk))
        tables.custodies.append((key, owner.pk, at, at, _text(steps[0]), None))
        for kind in _RUNNING[state] if is_open else ():
            deadline = anchor + minutes[kind] * _MINUTE
            if deadline < (next_due or 0):
                deadline = next_due or deadline
            step, fires = _next_step(anchor, deadline, self.now)
            tables.clocks.append((key, kind, step, _text(anchor), minutes[kind], _text(deadline), _text(fires)))
        if state not in (State.MERGED, State.WITHDRAWN, State.NOT_AN_INCIDENT):
            self.previous = key

    def _minutes(self, phase: str, severity: str) -> dict[str, int]:
        target = self.targets[phase, severity]
        return {
            ClockKind.ACKNOWLEDGE: target.acknowledge_minutes,
            ClockKind.FIRST_UPDATE: target.first_update_minutes,
            ClockKind.CONTAIN: target.contain_minutes,
            ClockKind.RESOLVE: target.resolve_minutes,
        }

    def _steps(
        self, state: State, reported: float, minutes: dict[str, int], contained: float | None
    ) -> list[float | None]:
        """When it was acknowledged, first updated, contained, resolved and closed, as far as its state says it was.

        Never after now: where the drawn times would be, they are drawn together.
        """
        reached = _REACHED.get(state, 1)
        moments, last = [], reported
        for kind in _STEPS[:reached]:
            last += self.chance.uniform(0.05, 0.6) * minutes[kind] * _MINUTE
            moments.append(last)
        end = contained or self.now
        if moments and (moments[-1] > end or contained):
            scale = (end - reported) / (moments[-1] - reported)
            moments = [reported + (moment - reported) * scale for moment in moments]
        return [*moments, *[None] * (len(_STEPS) - reached)]

    def _key(self, moment: float) -> str:
        """A version 7 UUID of the moment, as hexadecimal digits: rows then lie in the index as they came."""
        random_bits = self.chance.getrandbits(74)
        value = int(moment * 1000) << 80 | 7 << 76 | (random_bits >> 62) << 64 | 2 << 62 | random_bits & (1 << 62) - 1
        return f"{value:032x}"


# ---- Columns: those drawn above in their order, and those that are the same in every row ----

_INCIDENT = (
    "id", "reference", "election_id", "phase", "category_id", "policy_id", "clock_phase", "state", "severity",
    "initial_severity", "verification", "classification", "owner_id", "rung", "highest_rung", "is_accepted",
    "occurred_at", "reported_at", "reporter_id", "reporting_command_id", "channel", "place_id", "lat", "lon", "title",
    "narrative", "search_key", "actor_type", "target_type", "means", "injured", "merged_into_id", "outcome",
    "dismiss_reason", "acknowledged_at", "first_update_at", "contained_at", "resolved_at", "closed_at",
    "classified_at", "next_due_at", "next_due_kind", "updated_at",
)  # fmt: skip
_ENTRY = ("incident_id", "act", "at", "channel", "by_id", "posting_id", "command_id")
_CUSTODY = ("incident_id", "command_id", "due_at", "at", "accepted_at", "from_command_id")
_CLOCK = ("incident_id", "kind", "step", "anchor_at", "target_minutes", "deadline_at", "fires_at")
#: One entry a case, so each case is at its first version: the journal proves true.
_SAME: dict[str, Any] = {
    "before": "{}", "after": '{"state": "reported"}', "reason": "", "request_data": "{}", "version": 1,
}  # fmt: skip


def load(count: int, election: Election, *, now: dt.datetime, seed: int = 1) -> Iterator[int]:
    """Write `count` cases of `election`, reported from its first phase to its last or `now`; yields how many are there.

    The caller rebuilds the tallies when it is through. Raises ValueError where places, people or targets are missing.
    """
    maker = Maker(election, now, seed)
    if not (maker.communes.codes and maker.officers and maker.targets):
        raise ValueError("Load the reference data and staff the commands first.")
    done = 0
    while done < count:
        size = min(CHUNK, count - done)
        span = maker.end - maker.start
        tables = maker.chunk(size, maker.start + span * done / count, maker.start + span * (done + size) / count)
        with transaction.atomic():
            _write(Incident, _INCIDENT, tables.incidents)
            _write(Entry, _ENTRY, tables.entries)
            _write(Custody, _CUSTODY, tables.custodies)
            _write(Clock, _CLOCK, tables.clocks)
            ReferenceCounter.objects.bulk_create(
                [ReferenceCounter(election=election, province=p, last=n) for p, n in maker.numbers.items()],
                update_conflicts=True,
                unique_fields=["election", "province"],
                update_fields=["last"],
            )
        done += size
        yield done
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for model in (Incident, Entry, Custody, Clock):
                cursor.execute(f"VACUUM ANALYZE {model._meta.db_table}")


def _write(model: type[Any], drawn: Sequence[str], rows: list[Row]) -> None:
    """Insert rows of the drawn columns; every other column of the model gets its default."""
    columns, constants = list(drawn), []
    for field in model._meta.concrete_fields:
        if field.column in drawn or field.generated or field.get_internal_type().endswith("AutoField"):
            continue
        columns.append(field.column)
        value = _SAME.get(field.column, field.get_default())
        constants.append(int(value) if isinstance(value, bool) else value)
    names = ", ".join(f'"{name}"' for name in columns)
    table = f'"{model._meta.db_table}"'
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            tail = "".join(f"\t{_copied(value)}" for value in constants) + "\n"
            text = "".join("\t".join(map(_copied, row)) + tail for row in rows)
            cursor.copy_expert(f"COPY {table} ({names}) FROM STDIN", io.StringIO(text))
        else:
            marks = ", ".join(["%s"] * len(columns))
            rest = tuple(constants)
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", [row + rest for row in rows])  # noqa: S608


def _copied(value: Any) -> str:
    return "\\N" if value is None else str(value)


def _text(moment: float | None) -> str | None:
    """A moment as both databases read it: UTC, as their connections are set."""
    return None if moment is None else dt.datetime.fromtimestamp(moment, dt.UTC).strftime("%Y-%m-%d %H:%M:%S")


def _next_step(anchor: float, deadline: float, now: float) -> tuple[int, float]:
    """The first step of the clock that is not past yet, and when it fires; a passed deadline waits for the engine."""
    warning = anchor + (deadline - anchor) * 0.75
    return (0, warning) if warning > now else (1, deadline)
