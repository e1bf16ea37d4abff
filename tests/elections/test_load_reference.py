"""Loading the country: complete, repeatable, and respectful of what people changed."""

import csv
import datetime as dt
import itertools
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command

from elections.calendar import phase_at
from elections.choices import Basis, Phase
from elections.importing import load_calendar, load_places
from elections.models import Election, Jurisdiction, PhaseWindow
from incidents.models import Category, LegalDeadline, Policy, ResponseTarget
from incidents.taxonomy import DATA

ZONE = ZoneInfo("Asia/Phnom_Penh")


@pytest.mark.parametrize(
    ("level", "count"), [("country", 1), ("province", 25), ("district", 210), ("commune", 1652), ("village", 14578)]
)
def test_every_place_is_there_once(db: None, level: str, count: int) -> None:
    assert Jurisdiction.objects.filter(is_fictional=False).at(level).count() == count


def test_a_place_is_under_its_parent_and_named_in_both_languages(db: None) -> None:
    takeo = Jurisdiction.objects.get(pcode="KH21")
    assert (takeo.name_en, takeo.name_km, takeo.kind_en, takeo.parent_id) == ("Takeo", "តាកែវ", "province", "KH")
    assert takeo.has_outline and takeo.lat and takeo.lon
    unnamed = Jurisdiction.objects.filter(name_km="", is_fictional=False)
    assert not unnamed.exists()
    for place in Jurisdiction.objects.exclude(parent=None).only("pcode", "parent_id"):
        assert place.parent_id == place.pcode[:-2]


def test_a_second_load_changes_nothing(db: None, now: dt.datetime) -> None:
    out = StringIO()
    call_command("load_reference", stdout=out)
    assert out.getvalue().count(": 0 made, 0 changed") == 6


def test_a_place_follows_the_file_and_a_dry_run_only_says_so(db: None) -> None:
    Jurisdiction.objects.filter(pcode="KH21").update(name_en="Takeev")
    assert load_places(dry_run=True).changed == 1
    assert Jurisdiction.objects.get(pcode="KH21").name_en == "Takeev"
    assert load_places().changed == 1
    assert Jurisdiction.objects.get(pcode="KH21").name_en == "Takeo"


def test_what_an_administrator_changed_stays(db: None) -> None:
    Category.objects.filter(pk="CRM-06").update(name_en="Larceny")
    LegalDeadline.objects.filter(body="cec").update(minutes=60)
    call_command("load_reference", verbosity=0)
    assert Category.objects.get(pk="CRM-06").name_en == "Larceny"
    assert LegalDeadline.objects.get(body="cec").minutes == 60
    assert Policy.objects.count() == 1


def test_elections_carry_their_codes_and_old_ones_are_locked(db: None) -> None:
    locked = dict(Election.objects.values_list("code", "is_locked"))
    assert {"CC22", "NA23", "SEN24", "DK24"} <= {code for code, value in locked.items() if value}
    assert not locked["CC27"] and not locked["NA28"]
    assert "DK23" not in locked
    assert Election.objects.get(code="NA28").expected_year == 2028


def test_a_recent_election_is_not_locked(db: None) -> None:
    Election.objects.filter(code="DK24").delete()
    load_calendar(now=dt.datetime(2024, 9, 1, tzinfo=ZONE))
    assert not Election.objects.get(code="DK24").is_locked


@pytest.mark.parametrize(
    ("moment", "phase"),
    [
        ("2024-02-23T23:59", Phase.CAMPAIGN),
        ("2024-02-24T00:00", Phase.SILENCE),
        ("2024-02-25T00:00", Phase.POLLING),
        ("2024-02-25T14:59", Phase.POLLING),
        ("2024-02-25T15:00", Phase.COUNTING),
        ("2024-02-26T23:59", Phase.COUNTING),
        ("2024-02-27T00:00", Phase.RESULTS),
        ("2024-03-05T23:59", Phase.RESULTS),
        ("2024-03-06T00:00", Phase.AFTER),
        ("2024-04-05T00:00", Phase.BETWEEN),
    ],
)
def test_phases_of_the_senate_election(db: None, moment: str, phase: Phase) -> None:
    election = Election.objects.get(code="SEN24")
    assert phase_at(election, dt.datetime.fromisoformat(moment).replace(tzinfo=ZONE)) == phase


def test_windows_do_not_overlap_and_filled_ones_say_so(db: None) -> None:
    for election in Election.objects.prefetch_related("phase_windows"):
        windows = sorted(election.phase_windows.all(), key=lambda w: w.starts_at)
        assert all(a.ends_at <= b.starts_at for a, b in itertools.pairwise(windows)), election.code
    basis = dict(Election.objects.get(code="SEN24").phase_windows.values_list("phase", "basis"))
    assert basis[Phase.POLLING] == Basis.SOURCED and basis[Phase.AFTER] == Basis.DERIVED
    basis = dict(Election.objects.get(code="CC27").phase_windows.values_list("phase", "basis"))
    assert basis[Phase.POLLING] == Basis.SOURCED and basis[Phase.RESULTS] == Basis.ILLUSTRATIVE


def test_the_autumn_of_2026_is_registration_for_the_councils_of_2027(db: None) -> None:
    moment = dt.datetime(2026, 11, 30, 23, 0, tzinfo=ZONE)
    election = Election.objects.default_for(moment)
    assert election is not None and election.code == "CC27"
    assert phase_at(election, moment) == Phase.REGISTRATION


def test_every_phase_and_severity_has_a_target(db: None) -> None:
    targets = ResponseTarget.objects.filter(policy__election=None)
    assert targets.count() == len(Phase) * 4
    for target in targets:
        assert target.acknowledge_minutes < target.first_update_minutes < target.contain_minutes
        assert target.resolve_minutes == 2 * target.contain_minutes


def test_categories_carry_their_safeguards(db: None) -> None:
    with (DATA / "categories.csv").open(encoding="utf-8", newline="") as rows:
        assert set(Category.objects.values_list("code", flat=True)) == {row["code"] for row in csv.DictReader(rows)}
    assert Category.objects.get(pk="INF-01").default_severity == "unrated"
    assert Category.objects.get(pk="INF-01").is_speech
    assert Category.objects.get(pk="NEU-01").is_conflict_route
    assert Category.objects.get(pk="INT-01").protects_victim


def test_locate_says_the_place_in_both_languages(db: None) -> None:
    out = StringIO()
    call_command("locate", "11.008", "104.78293", stdout=out)
    assert "KH21 " in out.getvalue() and "ខេត្តតាកែវ" in out.getvalue() and "Takeo Province" in out.getvalue()


def test_locate_refuses_a_point_abroad(db: None) -> None:
    with pytest.raises(CommandError, match="outside"):
        call_command("locate", "13.75", "100.5")


def test_the_day_an_election_ends_is_a_local_day(db: None) -> None:
    """Three in the morning in Phnom Penh is still the evening before in UTC."""
    night_after = dt.datetime(2027, 6, 8, 3, 0, tzinfo=ZONE)
    over = Election.objects.create(code="OVER", type="senate", suffrage="indirect", polling_on=dt.date(2027, 6, 7))
    coming = Election.objects.create(code="NEXT", type="senate", suffrage="indirect", polling_on=dt.date(2027, 6, 9))
    others = Election.objects.exclude(pk__in=[over.pk, coming.pk])
    others.update(polling_on=None)
    PhaseWindow.objects.all().delete()
    assert Election.objects.default_for(night_after.astimezone(dt.UTC)) == coming


def test_the_page_beside_the_files_counts_their_rows() -> None:
    page = (DATA / "README.md").read_text(encoding="utf-8")
    for name in ("categories.csv", "response_targets.csv"):
        with (DATA / name).open(encoding="utf-8", newline="") as rows:
            assert f"| `{name}` | {len(list(csv.DictReader(rows)))} |" in page


def test_a_kind_nobody_knows_is_not_named_like_what_nec_has_not_classified(db: None) -> None:
    unknown = Category.objects.get(pk="UNK-00")
    assert {unknown.name_en, unknown.group_en} == {"Kind not known yet"}
    for text in (unknown.name_km, unknown.group_km):
        assert "ចាត់ថ្នាក់" not in text
