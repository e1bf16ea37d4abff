"""Weeks of everyday cases around the scenarios: most are handled, some late, some by nobody, a few are nothing.

Each case is planned with the acts that its fate asks for, at moments drawn from its response targets; what lies after
the end of the stage stays undone, so recent cases are open with live clocks.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from elections import geometry
from elections.calendar import phase_at
from elections.models import Election
from incidents.choices import (
    OPEN,
    Act,
    Channel,
    Classification,
    DismissReason,
    Nature,
    Outcome,
    PointPrecision,
    ReferralBody,
    ReferralOutcome,
    Severity,
    Verification,
)
from incidents.demo import mix
from incidents.demo.people import officer_name
from incidents.demo.scenarios import ELECTION as SENATE
from incidents.demo.stage import OWNER, Case, Stage
from incidents.demo.texts import CLOSED, CONTAINED, PATTERNS, UPDATES, story
from incidents.models import Category, Incident, ResponseTarget
from incidents.policies import policy_for

_ZONE = ZoneInfo("Asia/Phnom_Penh")
#: Where the demonstration accounts are posted gets its share, so that they have something to do.
_HOME, _HOME_PROVINCE, _FICTIONAL = 0.07, 0.07, 0.10
_HOME_CODE = "KH2108"
_FATES = {"handled": 78, "slow": 11, "silent": 2, "dismissed": 4, "withdrawn": 2, "reopened": 3}
_CLASSIFIED = {
    Nature.ELECTORAL: Classification.ELECTORAL,
    Nature.ORDINARY: Classification.ORDINARY,
    Nature.HAZARD: Classification.HAZARD,
}
#: Who does it where the owner may not: for open cases the PSC, for sealed ones the NEC's integrity desk.
_ABOVE = ("psc-watch", "nec-integrity")
_ALL = (OWNER, *_ABOVE)


@dataclass(frozen=True)
class Draw:
    """What one case is: when, where, which category, how serious, and what becomes of it."""

    t0: dt.datetime
    place: str
    category: Category
    severity: str
    fate: str
    district: str


class Quarter:
    """Plans everyday cases of one election on a stage."""

    def __init__(self, stage: Stage, election: Election) -> None:
        self.stage, self.election, self.chance = stage, election, stage.chance
        self.communes = mix.communes(self.chance)
        self.home = [c for c in self.communes.codes if c.startswith(_HOME_CODE)] or ["KH210801"]
        self.home_province = [c for c in self.communes.codes if c.startswith(_HOME_CODE[:4])] or self.home
        self.fictional = mix.demo_communes()
        self.categories = Category.objects.in_bulk()
        self.targets = {
            (t.phase, t.severity): t for t in ResponseTarget.objects.filter(policy=policy_for(election, stage.end))
        }

    def plan(self, count: int, first: dt.date, last: dt.date) -> None:
        """`count` reports on the days from `first` to `last`, duplicates among them."""
        days = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
        duplicates = round(count * mix.DUPLICATE_SHARE)
        draws = [self._draw(self._moment(days)) for _ in range(count - duplicates)]
        for draw in draws:
            self._play(draw)
        for draw in self.chance.sample([d for d in draws if d.fate == "handled"], duplicates):
            self._duplicate(draw)

    def _moment(self, days: Sequence[dt.date]) -> dt.datetime:
        hour = self.chance.choices(range(24), mix.HOURS)[0]
        time = dt.time(hour, self.chance.randrange(60), self.chance.randrange(60))
        return dt.datetime.combine(self.chance.choice(days), time, _ZONE)

    def _draw(self, t0: dt.datetime) -> Draw:
        chance = self.chance.random()
        fictional = chance < _FICTIONAL
        if fictional:
            place = self.chance.choice(self.fictional)
        elif chance < _FICTIONAL + _HOME:
            place = self.chance.choice(self.home)
        elif chance < _FICTIONAL + _HOME + _HOME_PROVINCE:
            place = self.chance.choice(self.home_province)
        else:
            place = self.communes.draw(self.chance, 1)[0]
        weights = mix.categories_in(phase_at(self.election, t0), fictional=fictional)
        category = self.categories[self.chance.choices(list(weights), list(weights.values()))[0]]
        severity = mix.severity(category.default_severity, self.chance)
        fate = self.chance.choices(list(_FATES), list(_FATES.values()))[0]
        return Draw(t0, place, category, severity, fate, place[:6])

    def _report(self, draw: Draw, **more: Any) -> Case:
        chance = self.chance
        words = story(draw.category.code, chance, khmer=chance.random() < mix.KHMER_SHARE)
        pattern = PATTERNS[draw.category.code]
        late = chance.uniform(26, 110) * 60 if chance.random() < mix.LATE_SHARE else chance.uniform(4, 200)
        points = geometry.scatter(draw.place, 1, seed=chance.randrange(1 << 30))
        point: dict[str, Any] = {}
        if points and chance.random() < mix.POINT_SHARE:
            precision = chance.choice([PointPrecision.EXACT, PointPrecision.NEAR, PointPrecision.NEAR])
            point = {"lat": points[0][0], "lon": points[0][1], "point_precision": precision}
        report: dict[str, Any] = {
            "election": self.election.code,
            "category": draw.category.code,
            "severity": draw.severity,
            "place": draw.place,
            "occurred_at": draw.t0 - dt.timedelta(minutes=late),
            "confirmed_early": True,
            "title": words.title,
            "narrative": words.narrative,
            "actor_type": pattern.actor,
            "target_type": pattern.target,
            "means": pattern.means,
            **self._impact(draw),
            **point,
        } | more
        by, channel = self._reporter(draw)
        return Case.plan(self.stage, draw.t0, by=by, channel=channel, **report)

    def _reporter(self, draw: Draw) -> tuple[str, str]:
        """Mostly an officer of the district; what parties and NGOs see comes through their liaison offices."""
        if draw.category.group_code in ("INT", "NEU", "PRC", "INF", "CAM") and self.chance.random() < 0.5:
            return self.chance.choice(["liaison-party", "liaison-ngo"]), Channel.LIAISON
        channel = self.chance.choices([Channel.BROWSER, Channel.PHONE, Channel.RADIO], [82, 13, 5])[0]
        return _officer(draw.district), channel

    def _impact(self, draw: Draw) -> dict[str, int]:
        code, chance = draw.category.code, self.chance
        if code == "CRM-01":
            return {"killed": 1}
        if code in ("CRM-02", "ORD-01", "CRM-07"):
            return {"injured": chance.choice([0, 0, 1, 1, 2])}
        if code in ("PRC-01", "HAZ-04", "HAZ-01") and chance.random() < 0.4:
            return {"minutes_stopped": chance.choice([20, 30, 45, 90]), "voters_affected": chance.randrange(10, 120)}
        return {}

    # ---- What becomes of it ----

    def _play(self, draw: Draw) -> None:
        case = self._report(draw)
        getattr(self, f"_{draw.fate}")(case, draw)

    def _handled(self, case: Case, draw: Draw, acknowledged: float = 0) -> float:
        """From acknowledgement to closing within the targets; returns the minute of closing."""
        target, chance = self._target(draw), self.chance
        minute = acknowledged or chance.uniform(0.08, 0.85) * target.acknowledge_minutes
        case.take(minute)
        update = max(minute + 5, chance.uniform(0.3, 0.9) * target.first_update_minutes)
        self._assign(case, (minute + update) / 2, draw.district)
        case.after(update, Act.UPDATE, *_ALL, note=self._say(*UPDATES))
        contain = max(update + 10, chance.uniform(0.15, 0.8) * target.contain_minutes)
        if target.update_every_minutes:
            step = 0.8 * target.update_every_minutes
            for n in range(1, int((contain - update) / step) + 1):
                case.after(update + n * step, Act.UPDATE, *_ALL, note=self._say(*UPDATES))
        case.after(contain, Act.CONTAIN, *_ALL, note=self._say(CONTAINED))
        self._classify(case, draw)
        resolve = contain + chance.uniform(0.05, 0.5) * target.resolve_minutes
        verified = chance.choices([Verification.VERIFIED, Verification.UNVERIFIABLE], [85, 15])[0]
        outcome = Outcome.HAZARD_REMOVED if draw.category.nature == Nature.HAZARD else chance.choice(
            [Outcome.SETTLED, Outcome.SETTLED, Outcome.WARNED, Outcome.REFERRED_PENDING, Outcome.NOT_ESTABLISHED]
        )  # fmt: skip
        if is_referred := outcome == Outcome.REFERRED_PENDING:
            body = ReferralBody.PEC if draw.category.nature == Nature.ELECTORAL else ReferralBody.PROSECUTOR
            case.refer(resolve - 1, body, f"{case.key.int % 900 + 100}/{draw.t0:%y}", *_ALL)
        case.after(
            resolve, Act.RESOLVE, OWNER, _province(draw), *_ABOVE, outcome=outcome, verification=verified, note=""
        )
        case.countersign(resolve + 60, "nec-second")
        close = resolve + chance.uniform(600, 4000)
        if is_referred:
            case.after(
                close - 1, Act.CONCLUDE_REFERRAL, OWNER, _province(draw), *_ABOVE, referral=1,
                outcome=ReferralOutcome.CONCLUDED, note="",
            )  # fmt: skip
        case.after(close, Act.CLOSE, _province(draw), *_ABOVE, "nec-secretariat", note=self._say(CLOSED))
        return close

    def _slow(self, case: Case, draw: Draw) -> None:
        """Nobody acknowledges in time: the engine hands the case up, and the command above takes it."""
        self._handled(case, draw, self.chance.uniform(1.1, 1.8) * self._target(draw).acknowledge_minutes)

    def _silent(self, case: Case, draw: Draw) -> None:
        """Two rungs stay silent; the case is taken at the top."""
        self._handled(case, draw, self.chance.uniform(2.2, 3.5) * self._target(draw).acknowledge_minutes)

    def _dismissed(self, case: Case, draw: Draw) -> None:
        minute = self.chance.uniform(0.2, 0.8) * self._target(draw).acknowledge_minutes
        case.take(minute)
        reason = self.chance.choice([DismissReason.OUT_OF_SCOPE, DismissReason.REFUTED, DismissReason.TEST])
        why = self._say(("ពិនិត្យហើយ មិនមែនជាឧប្បត្តិហេតុទេ។", "Looked into: not an incident."))
        case.after(minute + 40, Act.DISMISS, OWNER, "nec-secretariat", dismiss_reason=reason, reason=why)
        case.countersign(minute + 200, _province(draw), "nec-second", "nec-integrity")

    def _withdrawn(self, case: Case, draw: Draw) -> None:
        why = self._say(("រាយការណ៍ច្រឡំទីតាំង។", "Reported for the wrong place."))
        case.after(
            self.chance.uniform(2, 6), Act.WITHDRAW, _officer(draw.district), "liaison-party", "liaison-ngo", reason=why
        )
        case.countersign(200, "nec-second", "nec-integrity")

    def _reopened(self, case: Case, draw: Draw) -> None:
        close = self._handled(case, draw)
        why = self._say(("មានព័ត៌មានថ្មី។", "New information has come in."))
        case.after(close + 2000, Act.REOPEN, _province(draw), *_ABOVE, "nec-secretariat", reason=why)
        case.after(close + 2300, Act.UPDATE, *_ALL, note=self._say(*UPDATES))
        case.after(close + 2600, Act.CONTAIN, *_ALL, note=self._say(CONTAINED))
        case.after(
            close + 4000, Act.RESOLVE, OWNER, _province(draw), *_ABOVE, outcome=Outcome.SETTLED,
            verification=Verification.VERIFIED, note="",
        )  # fmt: skip
        case.countersign(close + 4100, "nec-second")
        case.after(close + 6000, Act.CLOSE, _province(draw), *_ABOVE, "nec-secretariat", note=self._say(CLOSED))

    def _duplicate(self, draw: Draw) -> None:
        """The same event told again within an hour or two; most are joined to the first report."""
        later = draw.t0 + dt.timedelta(minutes=self.chance.uniform(10, 100))
        again = Draw(later, draw.place, draw.category, draw.severity, "duplicate", draw.district)
        case, joined = self._report(again), self.chance.random() < 0.7
        minute = self.chance.uniform(20, 200)

        def join(own: Incident, now: dt.datetime) -> None:
            same = Incident.objects.filter(
                place=own.place_id, category=own.category_id, state__in=OPEN, is_sealed=False
            )
            first = same.filter(reported_at__lt=own.reported_at).order_by("-reported_at").first()
            if not (joined and first and case.do(Act.MERGE, *_ALL, now=now, case=own, survivor=first.pk)):
                self._handled(case, again, minute + 1)

        case.call(minute, join)

    # ---- Parts ----

    def _classify(self, case: Case, draw: Draw) -> None:
        """The NEC decides most cases within a day; minor ordinary ones are left to its default rule."""
        is_minor = draw.severity == Severity.LOW and draw.category.nature == Nature.ORDINARY
        if self.chance.random() < (0.25 if is_minor else 0.92):
            case.after(
                self.chance.uniform(90, 1300), Act.CLASSIFY, "nec-secretariat", "nec-integrity",
                classification=_CLASSIFIED[Nature(draw.category.nature)], reason="",
            )  # fmt: skip

    def _assign(self, case: Case, minutes: float, district: str) -> None:
        def step(incident: Incident, now: dt.datetime) -> None:
            if incident.is_sealed:
                case.do(
                    Act.ASSIGN,
                    OWNER,
                    now=now,
                    case=incident,
                    note=self._say(("មន្ត្រីពីរនាក់នៃផ្នែក។", "Two officers of the desk.")),
                )
            else:
                officer = self.stage.person(_officer(district))
                case.do(Act.ASSIGN, *_ALL, now=now, case=incident, assignee=officer.pk, note="")

        case.call(minutes, step)

    def _say(self, *texts: tuple[str, str]) -> str:
        khmer, english = self.chance.choice(texts)
        return khmer if self.chance.random() < mix.KHMER_SHARE else english

    def _target(self, draw: Draw) -> ResponseTarget:
        severity = Severity.MEDIUM if draw.severity == Severity.UNRATED else draw.severity
        return self.targets[phase_at(self.election, draw.t0), severity]

    # ---- Today ----

    def plan_today(self) -> None:
        """Cases that show each stage of waiting now: fresh, acknowledged and late, with the province, with the PSC."""
        home, other, demo = self.home[0], self.communes.draw(self.chance, 1)[0], self.fictional[0]
        second = self.communes.draw(self.chance, 1)[0]
        rows: list[tuple[float, str, str, str, float | None]] = [
            # times the acknowledgement target ago, place, category, severity, acknowledged at that part of the target
            (0.15, home, "CRM-06", Severity.MEDIUM, None),
            (0.80, home, "ORD-02", Severity.MEDIUM, None),
            (0.10, demo, "PRC-01", Severity.MEDIUM, None),
            (7.0, home, "CRM-02", Severity.MEDIUM, 0.3),
            (7.5, demo, "INT-03", Severity.HIGH, 0.4),
            (5.0, other, "HAZ-03", Severity.HIGH, 0.5),
            (1.5, home, "CRM-07", Severity.HIGH, None),
            (1.6, demo, "ORD-01", Severity.HIGH, None),
            (6.5, second, "HAZ-01", Severity.HIGH, 1.5),
            (4.5, other, "HAZ-02", Severity.HIGH, None),
            (3.2, demo, "INT-01", Severity.HIGH, None),
            (0.5, demo, "NEU-02", Severity.MEDIUM, None),
            (7.0, second, "HAZ-03", Severity.CRITICAL, 0.5),
        ]
        for factor, place, code, severity, acknowledged in rows:
            now = self.stage.end
            minutes = self.targets[phase_at(self.election, now), severity].acknowledge_minutes
            draw = Draw(
                now - dt.timedelta(minutes=factor * minutes), place, self.categories[code], severity, "open", place[:6]
            )
            case = self._report(draw)
            if acknowledged:
                case.take(acknowledged * minutes)


def senate_days() -> tuple[dt.date, dt.date]:
    """The days of the Senate election that everyday cases fall on."""
    return dt.date(2024, 2, 6), dt.date(2024, 3, 9)


def _officer(district: str) -> str:
    known = {_HOME_CODE: "officer-takeo", "KH9901": "officer-9901", "KH9902": "officer-9902", "KH9903": "officer-9903"}
    return known.get(district, officer_name(district))


def _province(draw: Draw) -> str:
    known = {_HOME_CODE[:4]: "province-takeo", "KH99": "province-99"}
    return known.get(draw.place[:4], f"province-{draw.place[:4]}".lower())


__all__ = ["SENATE", "Quarter", "senate_days"]
