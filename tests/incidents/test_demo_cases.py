"""The demonstration's cases: the ten scenarios as they must run, and a quarter that looks like one."""

import datetime as dt
import random
import re
from collections.abc import Iterator
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db import transaction
from django.test import override_settings

from elections import geometry
from elections.khmer import canonical
from elections.models import Election
from incidents import tallies
from incidents.choices import Act, Channel, Classification, Severity, State
from incidents.delivery import sender
from incidents.demo import everything, waiting
from incidents.demo.people import make_accounts, make_demo_province, staff_the_ladder
from incidents.demo.stage import Stage
from incidents.escalation import engine
from incidents.models import (
    Clock,
    ClockState,
    EngineState,
    Entry,
    Incident,
    Notice,
    NoticeStatus,
    Outage,
    PublicNotice,
    Quarantine,
)  # fmt: skip

ZONE = ZoneInfo("Asia/Phnom_Penh")
NOW = dt.datetime(2026, 11, 20, 9, 30, tzinfo=ZONE)
CASES, PAST = 60, 20


@pytest.fixture(scope="module")
def demo(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Played once for the module, and taken back at its end; as in a demonstration no message leaves for real."""
    off = override_settings(EMAIL_CONFIGURED=False)
    with off, django_db_blocker.unblock(), transaction.atomic():
        make_demo_province()
        make_accounts()
        staff_the_ladder()
        everything.make(NOW, random.Random(7), cases=CASES, past=PAST, tell=lambda _: None)
        yield
        transaction.set_rollback(True)


def at(day: int, hour: int, minute: int = 0) -> dt.datetime:
    return dt.datetime(2024, 2, day, hour, minute, tzinfo=ZONE)


#: When the first report of each scenario came.
SCENARIOS = [
    at(14, 10), at(25, 5, 20), at(24, 16, 10), at(13, 9), at(25, 9), at(17, 15), at(24, 19), at(15, 11), at(18, 8, 30),
    at(25, 18, 40),
]  # fmt: skip


def case(reported: dt.datetime) -> Incident:
    return Incident.objects.select_related("owner").get(election__code="SEN24", reported_at=reported)


def acts(incident: Incident) -> list[str]:
    return [entry.act for entry in incident.entries.all()]


def entry(incident: Incident, act: str) -> Entry:
    found = incident.entries.filter(act=act).first()
    assert found is not None, f"{act} is missing: {acts(incident)}"
    return found


# ---- The scenarios ----


def test_s1_the_theft_is_ordinary_and_closed_by_the_province(demo: None) -> None:
    theft = case(at(14, 10))
    assert (theft.state, theft.severity, theft.owner.code) == (State.CLOSED, Severity.LOW, "KH2108")
    assert entry(theft, Act.CLOSE).command.code == "KH21"  # type: ignore[union-attr]
    by_rule = entry(theft, Act.CLASSIFY)
    assert by_rule.by is None and by_rule.reason == "ordinary-low-7d"
    assert theft.classification == Classification.ORDINARY


def test_s2_the_station_is_moved_and_the_public_told(demo: None) -> None:
    flood = case(at(25, 5, 20))
    assert flood.station_changes.get().voters_affected == 352
    notice = PublicNotice.objects.get(incident=flood)
    assert notice.drafted_by != notice.approved_by
    assert [acts(flood).count(a) for a in (Act.ISSUE_NOTICE, Act.CANCEL_NOTICE)] == [1, 1]
    assert flood.state == State.CLOSED and flood.classification == Classification.HAZARD


def test_s3_the_second_shell_makes_it_critical_and_the_province_owns(demo: None) -> None:
    shell = case(at(24, 16, 10))
    assert (shell.initial_severity, shell.severity) == (Severity.HIGH, Severity.CRITICAL)
    raised = entry(shell, Act.RAISE_SEVERITY)
    assert raised.after["severity"] == Severity.CRITICAL and shell.highest_rung >= 2
    assert raised.notices.filter(recipient__postings__command__code="PSC").exists()
    assert raised.notices.filter(recipient__postings__command__code="NEC").exists()
    assert Act.COUNTERSIGN in acts(shell)
    assert shell.attachments.count() == 1


def test_s4_the_district_never_sees_it_and_the_withdrawal_is_countersigned(demo: None) -> None:
    from commands.models import User

    threat = case(at(13, 9))
    assert threat.is_sealed and threat.owner.code == "KH99-ID" and threat.reference.startswith("SEN24-X-")
    for name in ("demo-duty-9901", "demo-officer-9901", "demo-province-99", "demo-psc-watch"):
        assert not Incident.objects.visible_to(User.objects.get(username=name)).filter(pk=threat.pk).exists(), name
    assert threat.persons.count() == 1
    assert entry(threat, Act.WITHDRAW).after.get("state") is None
    assert entry(threat, Act.COUNTERSIGN).by.username == "demo-nec-integrity"  # type: ignore[union-attr]
    assert threat.state == State.WITHDRAWN


def test_s5_one_escalation_due_at_ten_and_done_at_fourteen(demo: None) -> None:
    gate = case(at(25, 9))
    moved = gate.escalations.get(kind="owner_moved")
    assert (moved.due_at, moved.fired_at) == (at(25, 9, 10), at(25, 9, 14))
    assert entry(gate, Act.ACKNOWLEDGE).command.code == "KH99"  # type: ignore[union-attr]
    assert gate.owner.code == "KH99" and gate.contained_at == at(25, 10, 35)


def test_s6_seven_reports_become_one_case_and_the_hurt_are_counted_once(demo: None) -> None:
    brawl = case(at(17, 15))
    assert brawl.merged.count() == 6
    assert brawl.injured == 3
    assert entry(brawl, Act.RAISE_SEVERITY).after["severity"] == Severity.CRITICAL
    assert [Act.LOWER_SEVERITY in acts(brawl), Act.HAND_BACK in acts(brawl)] == [True, True]
    assert brawl.owner.code == "KH9903"


def test_s7_the_rumour_goes_to_the_psc_and_is_corrected_in_public(demo: None) -> None:
    rumour = case(at(24, 19))
    assert rumour.highest_rung == 3 and Act.ESCALATE in acts(rumour)
    assert PublicNotice.objects.get(incident=rumour).area_id == "KH12"


def test_s8_criticism_is_dismissed_as_lawful_without_a_severity_or_a_point(demo: None) -> None:
    post = case(at(15, 11))
    assert (post.state, post.severity, post.dismiss_reason) == (State.NOT_AN_INCIDENT, Severity.UNRATED, "lawful")
    assert post.lat is None
    assert entry(post, Act.DISMISS).by != entry(post, Act.COUNTERSIGN).by


def test_s9_the_province_does_not_know_of_the_report_about_it(demo: None) -> None:
    from commands.models import User

    escort = case(at(18, 8, 30))
    assert escort.is_sealed and escort.owner.code == "PSC-ID"
    province = User.objects.get(username="demo-province-99")
    assert not Incident.objects.visible_to(province).filter(pk=escort.pk).exists()
    assert escort.state == State.CLOSED and escort.classification == Classification.ELECTORAL
    attachment = escort.attachments.get()
    assert attachment.sha256 and attachment.derived


def test_s10_the_missed_update_is_told_and_the_crowd_corrected(demo: None) -> None:
    blackout = case(at(25, 18, 40))
    assert blackout.severity == Severity.CRITICAL and blackout.voters_affected == 40
    assert entry(blackout, Act.CORRECT).before["voters_affected"] == 120
    assert blackout.escalations.filter(clock="update", kind="next_told").exists()
    assert blackout.contained_at == at(25, 19, 55)


# ---- The quarter ----


def test_the_past_election_is_finished_and_locked_again(demo: None) -> None:
    past = Incident.objects.filter(election__code="SEN24")
    assert past.count() >= PAST + 16
    assert not past.open().exists()
    assert Election.objects.get(code="SEN24").is_locked


def test_open_and_overdue_cases_wait_at_every_rung(demo: None) -> None:
    running = Incident.objects.filter(election__code="CC27")
    assert running.count() >= CASES
    assert set(running.open().values_list("rung", flat=True)) >= {1, 2, 3}
    assert set(running.overdue(NOW).values_list("rung", flat=True)) >= {1, 2, 3}
    assert running.filter(state=State.REPORTED, next_due_at__gt=NOW).exists()


def test_nothing_happened_after_now_and_clocks_are_live(demo: None) -> None:
    assert not Entry.objects.filter(at__gt=NOW).exists()
    assert not Clock.objects.filter(state=ClockState.RUNNING, fires_at__lte=NOW).exists()
    assert not Quarantine.objects.exists()


def test_it_has_late_entries_duplicates_and_every_door(demo: None) -> None:
    running = list(Incident.objects.filter(election__code="CC27"))
    assert any(i.is_late_entry for i in running)
    assert any(i.state == State.MERGED for i in running)
    assert {Channel.BROWSER, Channel.PHONE, Channel.LIAISON} <= {i.channel for i in running}


def test_officers_write_khmer(demo: None) -> None:
    """Every case that is told as a story, and most of the everyday ones, in title and first text."""
    khmer = re.compile("[\u1780-\u17b3]")
    told = Incident.objects.filter(election__code="SEN24", reported_at__in=SCENARIOS)
    assert told.count() == len(SCENARIOS)
    assert all(khmer.search(i.title) and khmer.search(i.narrative) for i in told)
    every = list(Incident.objects.all())
    assert sum(bool(khmer.search(i.title) and khmer.search(i.narrative)) for i in every) > 0.75 * len(every)
    assert all(canonical(i.title + i.narrative) == i.title + i.narrative for i in every)


def running_case(title: str) -> Incident:
    return Incident.objects.select_related("owner").get(election__code="CC27", title=title)


def test_one_case_is_paused_by_two_people(demo: None) -> None:
    paused = running_case("បាត់ម៉ាស៊ីនភ្លើង")
    assert paused.snoozed_until is not None and paused.snoozed_until > NOW
    assert entry(paused, Act.SNOOZE).by != entry(paused, Act.COUNTERSIGN).by
    assert paused.clocks.filter(state=ClockState.PAUSED).exists()


def test_two_cases_wait_for_bodies_of_the_law_with_and_without_a_deadline(demo: None) -> None:
    complaint, theft = running_case("មិនបានបិទបញ្ជីអ្នកបោះឆ្នោត"), running_case("បាត់កង់នៅទីធ្លាសាលា")
    referral = complaint.referrals.get()
    assert (referral.body, referral.outcome) == ("pec", "") and referral.due_at is not None and referral.due_at > NOW
    assert complaint.clocks.filter(kind="legal", state=ClockState.RUNNING).exists()
    assert (theft.referrals.get().body, theft.referrals.get().due_at) == ("prosecutor", None)


def test_a_rumour_is_not_verified_yet_and_not_late(demo: None) -> None:
    rumour = running_case("ពាក្យចចាមអារ៉ាមថាការចុះឈ្មោះបញ្ចប់ថ្ងៃនេះ")
    assert (rumour.verification, rumour.category_id) == ("unverified", "INF-02")
    clock = rumour.clocks.get(kind="verify", state=ClockState.RUNNING)
    assert clock.deadline_at > NOW


def test_one_message_came_back_and_was_given_up(demo: None, settings: Any) -> None:
    lost = Notice.objects.get(status=NoticeStatus.DEAD, recipient__username="demo-province-takeo")
    assert lost.incident == running_case("ដើមឈើរលំបិទផ្លូវ") and lost.channel == "email" and lost.attempts == 3
    assert "550" in lost.last_error and "@" not in lost.last_error
    inbox = Notice.objects.filter(incident=lost.incident, recipient=lost.recipient, kind=lost.kind, channel="inbox")
    assert inbox.exists(), "what the mail said is in the inbox"
    assert not Notice.objects.filter(status=NoticeStatus.PENDING).exists()
    assert not settings.EMAIL_CONFIGURED and "waiting" not in settings.EMAIL_BACKEND


def test_where_messages_leave_for_real_none_is_lost_for_show(db: None, settings: Any, monkeypatch: Any) -> None:
    settings.SMS_URL = "json://gateway.example.org/send?:to={to}"
    make_demo_province()
    make_accounts()
    staff_the_ladder()
    stage = Stage(end=NOW, chance=random.Random(7))
    election = Election.objects.get(code="CC27")
    waiting.plan(stage, election)
    called: list[dt.datetime] = []
    monkeypatch.setattr(sender, "deliver", called.append)
    stage.run()
    assert running_case("ដើមឈើរលំបិទផ្លូវ").owner.code == "KH21" and not stage.refused
    assert not called and not Notice.objects.filter(status=NoticeStatus.DEAD).exists()


def test_misconduct_and_sealed_cases_are_in_the_fictional_province_only(demo: None) -> None:
    real = Incident.objects.exclude(province_code="KH99")
    assert not real.filter(category__group_code__in=["INT", "NEU", "CAM", "PRC"]).exists()
    assert not real.filter(is_sealed=True).exists()


def test_points_lie_in_their_commune(demo: None) -> None:
    cases = list(Incident.objects.exclude(lat=None))
    assert len(cases) > CASES / 2
    assert geometry.places([c.lat or 0 for c in cases], [c.lon or 0 for c in cases]) == [c.place_id for c in cases]


def test_the_tallies_agree(demo: None) -> None:
    assert not tallies.differences()


def test_the_demonstration_begins_without_an_outage(demo: None) -> None:
    """Its last made round, and not the engine, ended before the first real one began."""
    begun = EngineState.objects.get()
    assert begun.last_ok_at is None and begun.next_phase_at is not None
    with transaction.atomic():
        engine.tick(now=NOW + dt.timedelta(minutes=25), source="worker")
        assert EngineState.objects.get().last_ok_at == NOW + dt.timedelta(minutes=25)
        assert not Outage.objects.exists()
        transaction.set_rollback(True)


def test_a_second_run_makes_nothing(demo: None, settings: Any) -> None:
    settings.DEMO = True
    before = (Incident.objects.count(), Entry.objects.count())
    out = StringIO()
    call_command("seed_demo", stdout=out)
    assert "there already" in out.getvalue() and "demo-officer-takeo" in out.getvalue()
    assert (Incident.objects.count(), Entry.objects.count()) == before
