"""Numbers are one number whichever way they are counted, start at the scope, and mean what their sentence says."""

import datetime as dt
import random
from dataclasses import replace
from typing import Any

import pytest
from django.db.models import QuerySet

from commands.models import Delegation, Posting, User
from incidents.choices import OPEN, Act, Channel, ClockKind, Severity, State, Verification
from incidents.dashboards import breakdowns
from incidents.dashboards.measures import MEASURES, answer
from incidents.dashboards.question import Period, Question
from incidents.dashboards.waits import SMALLEST_BASE
from incidents.filters import CaseFilter
from incidents.models import Category, Clock, ConflictSubject, Entry, Escalation, EscalationKind, Incident
from incidents.tallies import cell_of, move, rebuild
from tests.cast import COMMUNE, DEMO_COMMUNE, NOW, OTHER_PROVINCE, POSTED_AT, Cast
from tests.incidents.plain_case import plain_case

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
TOMORROW = NOW + DAY


class FromCases(Question):
    """The same question with the tallies out of reach."""

    def here(self) -> None:
        return None

    def days(self) -> None:
        return None


def both(user: User, asked: CaseFilter | None = None, period: Period | None = None) -> tuple[Question, Question]:
    made = {"user": user, "now": NOW, "asked": asked or CaseFilter(), "period": period}
    return Question(**made), FromCases(**made)  # type: ignore[arg-type]


def many(seed: int, count: int = 80) -> None:
    chance = random.Random(seed)
    categories = list(Category.objects.exclude(code="INF-01").values_list("pk", flat=True))
    first = plain_case()
    for _ in range(count):
        state = chance.choice([*OPEN, State.RESOLVED, State.CLOSED, State.MERGED, State.WITHDRAWN])
        plain_case(
            state=state,
            merged_into=first if state == State.MERGED else None,
            severity=chance.choice(["critical", "high", "medium", "low"]),
            category_id=chance.choice(categories),
            classification=chance.choice(["undetermined", "electoral", "ordinary"]),
            verification=chance.choice(Verification.values),
            place_id=chance.choice([COMMUNE, DEMO_COMMUNE, "KH2109"]),
            reported_at=NOW - dt.timedelta(hours=chance.randrange(24 * 40)),
            occurred_at=NOW - dt.timedelta(hours=24 * 40 + chance.randrange(30)) if chance.random() < 0.2 else NOW,
            is_sealed=chance.random() < 0.08,
        )
    rebuild()


ASKED = [
    CaseFilter(),
    CaseFilter(place="KH21"),
    CaseFilter(place="KH2108"),
    CaseFilter(place="KH"),
    CaseFilter(severity=("critical", "high")),
    CaseFilter(category=("CRM",)),
    CaseFilter(category=("CRM-06",)),
    CaseFilter(classification="electoral"),
    CaseFilter(state=("resolved",)),
    CaseFilter(state=("ended",)),
    CaseFilter(state=("late",)),
    CaseFilter(election="CC27", severity=("low",)),
    CaseFilter(verification="verified"),
    CaseFilter(reported_from=dt.date(2027, 5, 1), reported_to=dt.date(2027, 5, 20)),
]
TALLIED = (
    "open", "open_critical", "open_high", "to_classify", "new_today", "reported", "incidents", "duplicates",
    "late_entries", "confirmed", "undetermined",
)  # fmt: skip
PEOPLE = (
    "nec",
    "ministry",
    "provincial",
    "duty_commander",
    "demo_provincial",
    "officer",
    "nec_integrity",
    "administrator",
)


@pytest.mark.parametrize("person", PEOPLE)
def test_tallies_and_cases_give_one_number(person: str) -> None:
    many(seed=len(person))
    user = getattr(Cast(), person)
    for asked in ASKED:
        if asked.election and not _has(asked.election):
            asked = replace(asked, election=Incident._base_manager.first().election.code)  # type: ignore[union-attr]
        for period in (None, Period.last_days(28, NOW), Period(NOW - 3 * DAY, NOW)):
            tallied, counted = both(user, asked, period)
            for name in TALLIED:
                query = MEASURES[name].query
                assert query(tallied) == query(counted), (name, asked, period)
            for length in (4, 6):
                assert breakdowns.open_by_place(tallied, length) == breakdowns.open_by_place(counted, length)
            assert breakdowns.open_by_category(tallied) == breakdowns.open_by_category(counted)
            assert breakdowns.open_by_severity(tallied) == breakdowns.open_by_severity(counted)
            assert breakdowns.by_day(tallied) == breakdowns.by_day(counted)


def _has(code: str) -> bool:
    return Incident._base_manager.filter(election__code=code).exists()


def test_commanders_and_the_nec_are_answered_from_tallies_and_officers_are_not() -> None:
    cast = Cast()
    for user in (cast.nec, cast.ministry, cast.auditor, cast.psc, cast.provincial, cast.duty_commander):
        assert isinstance(Question(user, NOW).here(), QuerySet)
    for user in (cast.officer, cast.liaison, cast.nec_integrity):
        assert Question(user, NOW).here() is None
    assert Question(cast.provincial, NOW).days() is not None
    assert Question(cast.duty_commander, NOW).days() is None, "days are kept by province"


def test_a_sealed_case_changes_no_number_of_the_unit_concerned() -> None:
    cast = Cast()
    before = {name: MEASURES[name].query(Question(cast.demo_duty, NOW)) for name in MEASURES}
    case = plain_case(place_id=DEMO_COMMUNE, is_sealed=True, severity="critical")
    move(None, cell_of(case))
    after = {name: MEASURES[name].query(Question(cast.demo_duty, NOW)) for name in MEASURES if name != "sealed"}
    assert after == {name: value for name, value in before.items() if name != "sealed"}


def test_the_sealed_number_is_national_and_for_those_who_may_count() -> None:
    cast = Cast()
    plain_case(place_id=DEMO_COMMUNE, is_sealed=True)
    for user in (cast.nec, cast.ministry, cast.auditor):
        assert answer("sealed", Question(user, TOMORROW)).value == 1
        assert answer("sealed", Question(user, TOMORROW, CaseFilter(place="KH99"))).value is None
        assert answer("sealed", Question(user, TOMORROW, CaseFilter(category=("CRM",)))).value is None
    for user in (cast.demo_provincial, cast.psc, cast.officer, cast.liaison):
        with pytest.raises(KeyError):
            answer("sealed", Question(user, NOW))


@pytest.mark.parametrize(
    ("about", "unknown_to"),
    [("demo_provincial", ()), ("nec", ("nec", "nec_integrity")), ("ministry", ("ministry",))],
)
def test_nobody_counts_a_sealed_case_about_their_own_body(about: str, unknown_to: tuple[str, ...]) -> None:
    cast = Cast()
    case = plain_case(place_id=DEMO_COMMUNE, is_sealed=True)
    ConflictSubject.objects.create(incident=case, command=cast.command(about))
    for name in ("auditor", "ministry", "nec", "nec_integrity"):
        expected = 0 if name in unknown_to else 1
        assert answer("sealed", Question(getattr(cast, name), TOMORROW)).value == expected, name


def test_no_desk_of_the_chain_has_the_number_whatever_a_case_is_about() -> None:
    """Beside the number of the ministry, one that is smaller would tell that a case is about the body of the reader."""
    cast = Cast()
    for about in ("", "demo_provincial", "provincial"):
        case = plain_case(place_id=DEMO_COMMUNE, is_sealed=True)
        if about:
            ConflictSubject.objects.create(incident=case, command=cast.command(about))
        assert answer("sealed", Question(cast.demo_integrity, TOMORROW)).value is None
    # Nor somebody of the ministry who serves at a unit besides; who acts for a desk keeps their own.
    posting = Posting.objects.create(
        user=cast.ministry, role="officer", command=cast.command("demo_duty"), starts_at=POSTED_AT,
        conduct_accepted_at=POSTED_AT,
    )  # fmt: skip
    assert answer("sealed", Question(User.objects.get(pk=cast.ministry.pk), TOMORROW)).value is None
    posting.delete()
    assert answer("sealed", Question(User.objects.get(pk=cast.ministry.pk), TOMORROW)).value == 3
    Delegation.objects.create(
        command=cast.command("demo_integrity"), acting=cast.command("nec_integrity"), starts_at=POSTED_AT,
        ends_at=TOMORROW + dt.timedelta(days=5000), reason="Nobody is there.", made_by=cast.nec, made_at=NOW,
    )  # fmt: skip
    acting = User.objects.get(pk=cast.nec_integrity.pk)
    assert any(posting.is_acting for posting in acting.current_postings)
    assert answer("sealed", Question(acting, TOMORROW)).value == 3


def test_the_sealed_number_does_not_move_while_somebody_looks() -> None:
    cast, minute = Cast(), dt.timedelta(minutes=1)
    plain_case(place_id=DEMO_COMMUNE, is_sealed=True)
    midnight = TOMORROW.replace(hour=0)
    asked = {
        "no period": lambda now: Question(cast.ministry, now),
        "the day": lambda now: Question(cast.ministry, now, period=Period.last_days(1, now)),
        "up to the minute": lambda now: Question(cast.ministry, now, period=Period(midnight - 3 * DAY, now)),
    }
    for what, question in asked.items():
        for now in (NOW - minute, NOW, NOW + minute, midnight - minute):
            assert answer("sealed", question(now)).value == 0, (what, now)
        expected = 0 if what == "the day" else 1
        assert answer("sealed", question(midnight)).value == expected, what
    # A period that ended in the middle of a day, as the one that a running week is compared with.
    for until, expected in ((NOW + minute, 0), (midnight - minute, 0), (midnight, 1)):
        period = Period(midnight - 3 * DAY, until)
        assert answer("sealed", Question(cast.ministry, NOW + 9 * DAY, period=period)).value == expected, until


def test_late_counts_open_cases_past_their_deadline() -> None:
    plain_case(next_due_at=NOW - dt.timedelta(minutes=1))
    plain_case(next_due_at=NOW + dt.timedelta(minutes=1))
    plain_case(state=State.CLOSED)
    assert answer("late", Question(Cast().nec, NOW)).value == 1


def test_with_the_psc_counts_owners_now() -> None:
    cast = Cast()
    plain_case(owner=cast.command("psc"), rung=3)
    plain_case(owner=cast.command("psc"), rung=3, state=State.CLOSED)
    plain_case()
    assert answer("with_psc", Question(cast.nec, NOW)).value == 1


def escalate(case: Incident, to: str, kind: EscalationKind, at: dt.datetime, step: int = 1) -> None:
    cast = Cast()
    Escalation.objects.create(
        incident=case,
        clock="acknowledge",
        episode=1,
        step=step,
        kind=kind,
        from_command=case.owner,
        to_command=cast.command(to),
        due_at=at,
        fired_at=at,
    )


def test_escalated_counts_each_case_once_and_no_mere_notice() -> None:
    case, told = plain_case(), plain_case()
    escalate(case, "provincial", EscalationKind.OWNER_MOVED, NOW - 2 * DAY)
    escalate(case, "psc", EscalationKind.MANUAL, NOW - DAY, step=2)
    escalate(told, "provincial", EscalationKind.NEXT_TOLD, NOW - DAY)
    question = Question(Cast().nec, NOW, period=Period(NOW - 7 * DAY, NOW))
    assert answer("escalated", question).value == 1
    assert answer("reached_psc", question).value == 1
    assert answer("escalated", question.over(Period(NOW - 9 * DAY, NOW - 7 * DAY))).value == 0


def entry(case: Incident, at: dt.datetime, before: str, after: str) -> None:
    Entry.objects.create(
        incident=case, act=Act.RESOLVE, at=at, channel=Channel.BROWSER, before={"state": before}, after={"state": after}
    )


def test_open_at_the_end_is_what_was_open_then_not_now() -> None:
    end = NOW - 2 * DAY
    open_all_along = plain_case(reported_at=NOW - 5 * DAY)
    entry(open_all_along, NOW - 4 * DAY, "reported", "acknowledged")
    resolved_since = plain_case(reported_at=NOW - 5 * DAY, state=State.RESOLVED, resolved_at=NOW - DAY)
    entry(resolved_since, NOW - DAY, "contained", "resolved")
    plain_case(reported_at=NOW - 5 * DAY, state=State.CLOSED, resolved_at=NOW - 4 * DAY)
    reopened_since = plain_case(reported_at=NOW - 6 * DAY, state=State.ACKNOWLEDGED, reopened_count=1)
    entry(reopened_since, NOW - DAY, "closed", "acknowledged")
    withdrawn_since = plain_case(reported_at=NOW - 5 * DAY, state=State.WITHDRAWN)
    entry(withdrawn_since, NOW - DAY, "reported", "withdrawn")
    plain_case(reported_at=NOW - DAY)
    question = Question(Cast().nec, NOW, period=Period(NOW - 7 * DAY, end))
    assert answer("open_at_end", question).value == 3


def test_late_at_the_end_reads_the_clocks_as_they_ran() -> None:
    end = NOW - 2 * DAY
    for stopped_at in (None, NOW - DAY, NOW - 3 * DAY):
        case = plain_case(reported_at=NOW - 5 * DAY)
        Clock.objects.create(
            incident=case,
            kind=ClockKind.CONTAIN,
            anchor_at=NOW - 5 * DAY,
            target_minutes=60,
            deadline_at=NOW - 4 * DAY,
            fires_at=NOW - 4 * DAY,
            state="met" if stopped_at else "running",
            stopped_at=stopped_at,
        )
    question = Question(Cast().nec, NOW, period=Period(NOW - 7 * DAY, end))
    assert answer("late_at_end", question).value == 2


def test_a_percentage_of_few_cases_is_not_given() -> None:
    for index in range(SMALLEST_BASE):
        case = plain_case(
            reported_at=NOW - DAY, acknowledged_at=NOW - DAY + dt.timedelta(minutes=10 + 20 * (index < 5))
        )
        Clock.objects.create(
            incident=case,
            kind=ClockKind.ACKNOWLEDGE,
            anchor_at=NOW - DAY,
            target_minutes=20,
            deadline_at=NOW - DAY + dt.timedelta(minutes=20),
            fires_at=NOW - DAY,
            state="met",
        )
    assert MEASURES["within_target"].query(Question(Cast().nec, NOW)) == 75
    Clock.objects.all()[0].delete()
    assert MEASURES["within_target"].query(Question(Cast().nec, NOW)) is None


def test_median_and_ninth_tenth_of_the_time_to_acknowledge() -> None:
    for minutes in (10, 20, 30, 40, 50):
        plain_case(reported_at=NOW - DAY, acknowledged_at=NOW - DAY + dt.timedelta(minutes=minutes))
    question = Question(Cast().nec, NOW)
    assert answer("acknowledge_median", question).value == 30
    assert answer("acknowledge_p90", question).value == 46


def test_late_entries_duplicates_and_confirmed() -> None:
    kept = plain_case(verification=Verification.VERIFIED)
    plain_case(occurred_at=NOW - 2 * DAY)
    plain_case(state=State.MERGED, merged_into=kept, verification=Verification.VERIFIED)
    rebuild()
    question = Question(Cast().nec, NOW)
    assert answer("late_entries", question).value == 1
    assert answer("duplicates", question).value == 1
    assert answer("confirmed", question).value == 1


def test_every_measure_says_what_it_counts_and_answers_on_an_empty_record() -> None:
    for measure in MEASURES.values():
        assert str(measure.definition).endswith(".")
        assert measure.query(Question(Cast().nec, NOW)) in (0, None), measure.name


def test_the_list_behind_a_number_holds_exactly_its_cases() -> None:
    many(seed=9)
    user = Cast().nec
    for name, measure in MEASURES.items():
        if measure.cases is None or name == "with_psc":
            continue
        listed = CaseFilter(**measure.cases).apply(Incident.objects.visible_to(user), user, NOW)
        assert listed.count() == measure.query(Question(user, NOW)), name


def test_a_remembered_answer_is_forgotten_at_the_next_act_and_never_crosses_scopes(cast: Any) -> None:
    assert answer("open", Question(cast.provincial, NOW)).value == 0
    case = plain_case()
    move(None, cell_of(case))
    Entry.objects.create(incident=case, act=Act.REPORT, at=NOW, channel=Channel.BROWSER)
    assert answer("open", Question(cast.provincial, NOW)).value == 1
    assert answer("open", Question(cast.other_province, NOW)).value == 0
    assert Question(cast.provincial, NOW).key("x") != Question(cast.other_province, NOW).key("x")
    assert Question(cast.officer, NOW).key("x") != Question(cast.liaison, NOW).key("x")
    assert Question(cast.nec, NOW).key("x") == Question(cast.nec_second, NOW).key("x")


def test_places_out_of_view_answer_nothing(cast: Any) -> None:
    case = plain_case(severity=Severity.CRITICAL)
    move(None, cell_of(case))
    assert Question(cast.provincial, NOW, CaseFilter(place=OTHER_PROVINCE)).places == ()
    assert MEASURES["open"].query(Question(cast.provincial, NOW, CaseFilter(place=OTHER_PROVINCE))) == 0
    assert Question(cast.duty_commander, NOW, CaseFilter(place="KH21")).places == ("KH2108",)


def test_a_commune_can_be_asked_for_without_a_join(cast: Any) -> None:
    plain_case()
    question = Question(cast.nec, NOW, CaseFilter(place=COMMUNE))
    assert MEASURES["open"].query(question) == 1
    assert "jurisdiction" not in str(question.cases().query)
