"""Files of the weekly summary: they open as they are, run no formula, hold no secret, and leave a trace."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from io import StringIO
from typing import Any

import openpyxl
import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import translation

from elections.models import Election, Jurisdiction
from incidents.choices import State
from incidents.models import Category, ConflictSubject, Entry, Incident
from incidents.reports import words
from incidents.reports.csv import rows_csv
from incidents.reports.rows import CHUNK, columns, safe
from incidents.reports.week import Week
from incidents.tallies import rebuild
from tests.cast import COMMUNE, DEMO_COMMUNE, NOW, PHNOM_PENH, Cast
from tests.incidents.plain_case import plain_case
from tests.incidents.test_weekly import change

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

URL = "?week=2027-W20&election=CC27"
TUESDAY = dt.datetime(2027, 5, 18, 9, 5, tzinfo=PHNOM_PENH)
HOUR = dt.timedelta(hours=1)
NO_ROWS = ("duty_commander", "auditor")
NOTHING_AT_ALL = ("officer", "liaison", "nec_integrity", "administrator", "relieved")


def fetch(client: Any, name: str, status: int = 200) -> Any:
    answer = client.get(reverse(f"reports:{name}") + URL)
    assert answer.status_code == status, name
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return answer, content


def table(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def workbook(content: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(content))


# ---- No formula ----


@pytest.mark.parametrize(
    "sign", ["=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", " =", "\u200b=", "\ufeff@", "\t="]
)
def test_no_cell_begins_a_formula(sign: str) -> None:
    assert safe(sign + 'HYPERLINK("http://example.org")').startswith("'")


@pytest.mark.parametrize("text", ["", "ក្រុងដូនកែវ", "Theft", "12", "(Demo)", "«ស»", "a=b", "x - y"])
def test_words_stay_as_they_are(text: str) -> None:
    assert safe(text) == text


def test_names_from_the_reference_data_cannot_be_formulas_either(cast: Cast, signed_in: Any) -> None:
    Category.objects.filter(pk="CRM-06").update(name_en="=1+1", group_en="＠SUM(A1)")
    Jurisdiction.objects.filter(pk=COMMUNE).update(name_en="-2+3")
    Election.objects.filter(code="CC27").update(name_en="+cmd")
    plain_case(reported_at=TUESDAY)
    rebuild()
    client = signed_in(cast.ministry)
    for name in ("weekly_csv", "weekly_cases"):
        _answer, content = fetch(client, name)
        cells = [c for row in csv.reader(io.StringIO(content.decode("utf-8-sig"))) for c in row]
        assert "'=1+1" in cells
        assert [c for c in cells if c[:1] in "=+@＝＋＠" and c] == []
        assert [c for c in cells if c[:1] == "-" and not c[1:].isdigit()] == []
    for sheet in workbook(fetch(client, "weekly_xlsx")[1]):
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f" and cell.hyperlink is None
                assert not isinstance(cell.value, str) or cell.value[:1] not in "=+-@＝＠" or not cell.value


# ---- What is in a row ----


def test_rows_hold_operational_data_and_nothing_a_person_typed(cast: Cast, signed_in: Any) -> None:
    plain_case(
        reported_at=TUESDAY,
        occurred_at=TUESDAY - HOUR,
        acknowledged_at=TUESDAY + HOUR,
        title="Secret title",
        narrative="Secret narrative",
        place_note="Behind the pharmacy",
        lat=11.0012,
        lon=104.7801,
        killed=1,
    )
    client = signed_in(cast.psc)
    for content in (fetch(client, "weekly_cases")[1], fetch(client, "weekly_xlsx")[1]):
        for secret in (b"Secret", b"pharmacy", b"11.0012", b"104.78", b"cast-officer"):
            assert secret not in content
    (row,) = table(fetch(client, "weekly_cases")[1])
    assert row["Category code"] == "CRM-06" and row["State"] == "Reported" and row["Killed"] == "1"
    assert row["Reported (Asia/Phnom_Penh)"] == "2027-05-18 09:05"
    assert row["Occurred (Asia/Phnom_Penh)"] == "2027-05-18 08:05"
    assert row["Acknowledged (Asia/Phnom_Penh)"] == "2027-05-18 10:05" and row["Closed (Asia/Phnom_Penh)"] == ""
    assert (row["Province code"], row["District code"], row["Commune code"]) == ("KH21", "KH2108", COMMUNE)
    assert row["Entered late"] == "no"
    sheet = workbook(fetch(client, "weekly_xlsx")[1])["Cases"]
    header = [cell.value for cell in sheet[3]]
    reported = sheet.cell(4, header.index("Reported (Asia/Phnom_Penh)") + 1)
    assert reported.value == dt.datetime(2027, 5, 18, 9, 5) and reported.is_date  # noqa: DTZ001
    assert sheet.cell(4, header.index("Killed") + 1).value == 1
    assert sheet.freeze_panes == "B4" and sheet.auto_filter.ref == f"A3:{sheet.cell(3, len(header)).column_letter}4"


def test_csv_and_workbook_hold_the_same_rows_whatever_signs_a_name_has(cast: Cast, signed_in: Any) -> None:
    Category.objects.filter(pk="CRM-06").update(name_en='Theft, "small"\nand large')
    for days in (0, 1):
        plain_case(reported_at=TUESDAY + dt.timedelta(days=days), acknowledged_at=TUESDAY + dt.timedelta(days=days))
    client = signed_in(cast.ministry)
    rows = list(csv.reader(io.StringIO(fetch(client, "weekly_cases")[1].decode("utf-8-sig"), newline="")))
    sheet = workbook(fetch(client, "weekly_xlsx")[1])["Cases"].iter_rows(min_row=3, values_only=True)
    assert [row[:-1] for row in rows] == [[as_text(cell) for cell in row] for row in sheet]
    assert 'Theft, "small"\nand large' in rows[1]


def as_text(cell: Any) -> str:
    return f"{cell:%Y-%m-%d %H:%M}" if isinstance(cell, dt.datetime) else "" if cell is None else str(cell)


def test_a_row_of_a_past_week_shows_what_was_known_at_its_end(cast: Cast, signed_in: Any) -> None:
    case = plain_case(
        reported_at=TUESDAY, severity="critical", state=State.RESOLVED, acknowledged_at=NOW - HOUR, resolved_at=NOW
    )
    first = {"severity": ("low", "high"), "acknowledged_at": (None, (NOW - HOUR).isoformat())}
    change(case, NOW - HOUR, **first)
    change(case, NOW - HOUR / 2, severity=("high", "critical"), state=("reported", "resolved"))
    (row,) = table(fetch(signed_in(cast.nec), "weekly_cases")[1])
    assert (row["Severity"], row["State"], row["Acknowledged (Asia/Phnom_Penh)"]) == ("Low", "Reported", "")


def test_a_sealed_case_has_no_row(cast: Cast, signed_in: Any) -> None:
    sealed = plain_case(reported_at=TUESDAY, place_id=DEMO_COMMUNE, is_sealed=True, reporter=cast.nec)
    ConflictSubject.objects.create(incident=sealed, command=cast.command("demo_duty"))
    for name in ("nec", "ministry", "psc", "demo_provincial"):
        assert table(fetch(signed_in(getattr(cast, name)), "weekly_cases")[1]) == [], name


# ---- Who may, and the trace ----


def test_rows_are_for_those_who_may_and_are_journaled_with_filter_and_count(cast: Cast, signed_in: Any) -> None:
    plain_case(reported_at=TUESDAY)
    for name in (*NO_ROWS, *NOTHING_AT_ALL):
        client = signed_in(getattr(cast, name))
        fetch(client, "weekly_cases", 403)
        fetch(client, "weekly", 200 if name in NO_ROWS else 404)
    for name in NO_ROWS:
        book = workbook(fetch(signed_in(getattr(cast, name)), "weekly_xlsx")[1])
        assert "Cases" not in book.sheetnames and "Summary" in book.sheetnames
        assert "cases.csv" not in fetch(signed_in(getattr(cast, name)), "weekly")[1].decode()
    assert not Entry.objects.filter(act="export").exists()
    client = signed_in(cast.provincial)
    (row,) = table(fetch(client, "weekly_cases")[1])
    _answer, content = fetch(client, "weekly_xlsx")
    rows, book = Entry.objects.filter(act="export").order_by("pk")
    assert rows.by == cast.provincial and rows.at == NOW and rows.posting and rows.incident is None
    asked = {"what": "weekly-cases.csv", "filter": "week=2027-W20&election=CC27", "rows": 1}
    assert rows.after == asked | {"mark": rows.after["mark"]}
    assert book.after["what"] == "weekly.xlsx" and book.after["rows"] == 1
    # Every copy carries the mark of its entry, which counts nothing: gaps between keys would count sealed acts.
    assert row["Export mark"] == rows.after["mark"] != book.after["mark"]
    assert re.fullmatch("[B-Z]{8}", rows.after["mark"]) and str(rows.pk) not in row.values()
    assert book.after["mark"] in [c.value for c in workbook(content)["Summary"]["B"]]
    fetch(client, "weekly_csv")
    assert Entry.objects.filter(act="export").count() == 2, "figures alone are no export of rows"


def test_the_auditor_finds_who_took_a_copy_by_its_mark(cast: Cast, signed_in: Any) -> None:
    plain_case(reported_at=TUESDAY)
    (row,) = table(fetch(signed_in(cast.provincial), "weekly_cases")[1])
    said = StringIO()
    call_command("find_export", row["Export mark"].lower(), stdout=said)
    assert cast.provincial.username in said.getvalue() and "weekly-cases.csv  1 rows" in said.getvalue()
    with pytest.raises(CommandError, match="No export"):
        call_command("find_export", "ZZZZZZZZ")


def test_a_province_gets_its_own_cases_only(cast: Cast, signed_in: Any) -> None:
    here = plain_case(reported_at=TUESDAY)
    plain_case(reported_at=TUESDAY, place_id=DEMO_COMMUNE)
    assert [r["Reference"] for r in table(fetch(signed_in(cast.provincial), "weekly_cases")[1])] == [here.reference]


def test_the_api_gives_the_same_files_and_writes_its_own_channel(cast: Cast) -> None:
    from tests.incidents.api.clients import client as api

    plain_case(reported_at=TUESDAY)
    with time_machine.travel(NOW, tick=False):
        client = api(cast.ministry)
        rows = client.get("/api/v1/reports/weekly/cases.csv" + URL)
        assert len(table(b"".join(rows.streaming_content))) == 1
        assert client.get("/api/v1/reports/weekly" + URL + "&format=csv").headers["Content-Type"].startswith("text/csv")
        asked = client.get("/api/v1/reports/weekly" + URL, headers={"accept": words_xlsx()})
        assert b"".join(asked.streaming_content)[:2] == b"PK"
        assert client.get("/api/v1/reports/weekly" + URL + "&format=pdf").status_code == 406
        refusal = api(cast.auditor).get("/api/v1/reports/weekly/cases.csv" + URL)
    assert refusal.status_code == 403 and refusal.headers["Content-Type"] == "application/problem+json"
    assert set(Entry.objects.filter(act="export").values_list("channel", flat=True)) == {"api"}


def words_xlsx() -> str:
    from incidents.reports.xlsx import CONTENT_TYPE

    return CONTENT_TYPE


# ---- How they open ----


def test_csv_opens_in_a_spreadsheet_in_khmer(cast: Cast, signed_in: Any) -> None:
    cast.ministry.language = "km"
    cast.ministry.save()
    plain_case(reported_at=TUESDAY)
    rebuild()
    client = signed_in(cast.ministry)
    client.cookies["language"] = "km"
    for name, file in (("weekly_csv", "weekly-SUMMARY"), ("weekly_cases", "weekly-CASES")):
        answer, content = fetch(client, name)
        assert content.startswith(b"\xef\xbb\xbf")
        assert content.count(b"\n") == content.count(b"\r\n")
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{file}-2027-W20-CC27.csv"'
        assert "ការបោះឆ្នោត" in content.decode() and answer.headers["Cache-Control"] == "private, no-store"
    book = workbook(fetch(client, "weekly_xlsx")[1])
    assert all(ord(c) > 127 for c in book.sheetnames[0].replace(" ", ""))
    assert {cell.font.name for row in book.worksheets[0].iter_rows() for cell in row if cell.value} == {"Leelawadee UI"}


def test_the_head_of_a_file_says_what_it_is_of(cast: Cast, signed_in: Any) -> None:
    _answer, content = fetch(signed_in(cast.provincial), "weekly_csv")
    head = dict(row[:2] for row in csv.reader(io.StringIO(content.decode("utf-8-sig"))) if len(row) == 2)
    assert head["Week"] == "2027-W20, 17 to 23 May 2027"
    assert head["Cut-off"] == "23 May 2027, 24:00"
    assert head["Time zone"] == "Asia/Phnom_Penh (UTC+07:00)"
    assert head["Whose eyes"].startswith("Provincial command @ ") and "Takeo" in head["Whose eyes"]
    assert cast.provincial.username not in content.decode()
    # When it was made stands in the workbook alone: the CSV of a week is the same whenever it is asked for.
    assert "Made" not in head
    sheet = workbook(fetch(signed_in(cast.provincial), "weekly_xlsx")[1])["Summary"]
    assert {row[0].value: row[1].value for row in sheet.iter_rows()}["Made"] == "25 May 2027, 08:00"


def test_file_names_are_ascii_whatever_the_election_is_called() -> None:
    assert words.file_name("SUMMARY", Week(2026, 53), "ឃ/27", "xlsx") == "weekly-SUMMARY-2026-W53-27.xlsx"
    assert words.file_name("CASES", Week(2027, 1), "ឃុំ", "csv") == "weekly-CASES-2027-W01-election.csv"


def test_days_are_said_as_short_as_they_can_be_understood() -> None:
    with translation.override("en"):
        assert words.days(dt.date(2026, 11, 30), dt.date(2026, 12, 6)) == "30 November to 6 December 2026"
        assert words.days(dt.date(2026, 12, 28), dt.date(2027, 1, 3)) == "28 December 2026 to 3 January 2027"


def test_rows_come_in_pieces_and_in_order(cast: Cast) -> None:
    case = plain_case(reported_at=TUESDAY)
    copies = []
    for number in range(CHUNK + 1):
        values = {f.attname: getattr(case, f.attname) for f in Incident._meta.concrete_fields if not f.generated}
        copies.append(Incident(**values | {"id": None, "reference": f"R{number:05}"}))
    for copy in copies:
        copy.id = Incident._meta.pk.get_default()
    Incident._base_manager.bulk_create(copies, batch_size=500)
    cases = Incident.objects.visible_to(cast.psc).filter(reference__startswith="R").order_by("reference")
    pieces = list(rows_csv(cases))
    assert len(pieces) == 3
    rows = list(csv.reader(io.StringIO(b"".join(pieces).decode("utf-8-sig"))))
    assert [r[0] for r in rows[1:]] == [f"R{n:05}" for n in range(CHUNK + 1)]
    assert {len(r) for r in rows} == {len(columns())}
