"""Parts of pages: times in words, badges that differ in shape, changes a person can read."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest
from django.template import Context, Template
from django.utils import translation

from incidents.choices import Classification, Severity, State, Verification
from incidents.templatetags import _time
from incidents.templatetags._changes import changes
from tests.cast import NOW


def render(source: str, **context: Any) -> str:
    with translation.override("en"):
        return Template(source).render(Context({"now": NOW} | context))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (8, "8 s"), (59, "59 s"), (60, "1 min"), (18 * 60, "18 min"), (3600, "1 h"), (5 * 3600 + 41 * 60, "5 h 41 min"),
        (86400, "1 d"), (2 * 86400 + 3 * 3600 + 59, "2 d 3 h"), (-5, "0 s"),
    ],
)  # fmt: skip
def test_a_length_of_time_has_its_two_largest_units(seconds: int, words: str) -> None:
    with translation.override("en"):
        assert _time.length(dt.timedelta(seconds=seconds)) == words


def test_a_countdown_is_on_time_soon_or_late_and_never_negative() -> None:
    start = NOW - dt.timedelta(minutes=60)
    on_time = render("{% countdown at start now 'update' %}", at=NOW + dt.timedelta(minutes=60), start=start)
    soon = render("{% countdown at start now %}", at=NOW + dt.timedelta(minutes=18), start=start)
    late = render("{% countdown at start now %}", at=NOW - dt.timedelta(minutes=12), start=start)
    assert "is-soon" not in on_time and "1 h" in on_time and 'width="50%"' in on_time and "update" in on_time
    assert "is-soon" in soon and "18 min" in soon
    assert "is-late" in late and "Late 12 min" in late and "-" not in late.split("<time")[1].split(">")[1]
    assert "style=" not in on_time + soon + late
    assert render("{% countdown at None now %}", at=None) == ""


def test_a_moment_is_as_short_as_it_can_be_understood() -> None:
    with translation.override("en"):
        assert _time.moment(NOW, NOW) == "08:00"
        assert _time.moment(NOW - dt.timedelta(days=2), NOW) == "23 May, 08:00"
        assert _time.moment(NOW - dt.timedelta(days=400), NOW) == "20 April 2026, 08:00"
        assert _time.dated(NOW, NOW) == "25 May, 08:00"
        assert _time.dated(NOW - dt.timedelta(days=400), NOW) == "20 April 2026, 08:00"
        assert _time.since(NOW - dt.timedelta(minutes=12), NOW) == "12 min ago"


def test_every_value_of_the_five_axes_has_its_own_drawing_and_its_word() -> None:
    for tag, values in (
        ("severity", Severity), ("state", State), ("verification", Verification), ("classification", Classification)
    ):  # fmt: skip
        drawn = [render(f"{{% {tag} v %}}", v=v.value) for v in values]  # type: ignore[attr-defined]
        assert len(set(drawn)) == len(drawn)
        with translation.override("en"):
            assert all(str(v.label) in html for v, html in zip(values, drawn, strict=True))  # type: ignore[call-overload]


def test_what_a_person_typed_is_escaped() -> None:
    assert "<b>" not in render("{% rung 1 name %}{% chip name '?a' %}", name="<b>x</b>")
    entry = SimpleNamespace(before={"title": "<i>"}, after={"title": "<b>"})
    assert "<b>" not in render("{% diff entry %}", entry=entry)


def test_changes_are_words() -> None:
    entry = SimpleNamespace(
        before={"severity": "medium", "injured": 9, "version": 3, "owner": 1},
        after={"severity": "high", "injured": 3, "version": 4, "owner": 2},
    )
    with translation.override("en"):
        rows = {c.label: (c.before, c.after) for c in changes(entry, {"owner:1": "District", "owner:2": "Province"})}
    assert rows == {"Severity": ("Medium", "High"), "Injured": ("9", "3"), "Owner": ("District", "Province")}


def test_a_field_tells_a_screen_reader_what_is_wrong() -> None:
    from commands.forms import TokenForm

    html = render("{% field form.name %}", form=TokenForm({"name": ""}))
    assert 'aria-invalid="true"' in html and 'aria-describedby="id_name_hint id_name_error"' in html
    assert 'id="id_name_error"' in html and 'id="id_name_hint"' in html and 'class="input"' in html
