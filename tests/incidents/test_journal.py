"""The journal cannot be changed by anybody who uses the product, and not unnoticed by anybody who owns the database."""

from __future__ import annotations

import datetime as dt
import json
import threading
import tracemalloc
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from incidents import actions, append_only, journal
from incidents.models import Block, Entry
from tests.at_once import raised_at_once
from tests.cast import NOW
from tests.incidents.journal_tools import add_entry, unprotected

pytestmark = pytest.mark.django_db
BACKLOG = dt.timedelta(minutes=5)


@pytest.fixture
def sealed() -> list[Entry]:
    """Three blocks of four entries each, a minute apart."""
    journal.seal_backlog(NOW)
    made: list[Entry] = []
    for minute in range(3):
        at = NOW + dt.timedelta(minutes=minute)
        made += [add_entry(at) for _ in range(4)]
        assert journal.seal(at) is not None
    return made


def verdict(**options: object) -> journal.Verdict:
    return journal.verify(NOW + dt.timedelta(minutes=4), backlog=BACKLOG, **options)  # type: ignore[arg-type]


def kinds() -> dict[str, tuple[int, ...]]:
    return {f.kind: f.ids for f in verdict().findings}


# ---- The database refuses ----


@pytest.mark.parametrize("table", append_only.TABLES)
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}"])
def test_the_database_refuses_to_change_or_delete(sealed: list[Entry], table: str, statement: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(table))


@pytest.mark.parametrize("table", append_only.TABLES)
def test_the_database_refuses_to_empty_or_replace(sealed: list[Entry], table: str) -> None:
    if connection.vendor == "postgresql":
        statement = f"SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE {table} CASCADE"
    else:
        statement = f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_the_models_are_refused_too(sealed: list[Entry]) -> None:
    entry = sealed[0]
    entry.note = "something else"
    with pytest.raises(DatabaseError), transaction.atomic():
        entry.save()
    with pytest.raises(DatabaseError), transaction.atomic():
        entry.delete()


def test_every_trigger_is_there_after_all_migrations() -> None:
    assert append_only.missing(connection) == []


# ---- Sealing ----


def test_blocks_form_a_chain(sealed: list[Entry]) -> None:
    blocks = list(Block.objects.order_by("pk"))[-3:]
    assert [b.count for b in blocks] == [4, 4, 4]
    assert blocks[1].previous_hash == blocks[0].hash
    assert blocks[2].previous_hash == blocks[1].hash
    assert journal.head_hash() == blocks[2].hash
    assert (blocks[2].first_id, blocks[2].last_id) == (sealed[8].pk, sealed[11].pk)


def test_nothing_new_makes_no_block(sealed: list[Entry]) -> None:
    assert journal.seal(NOW) is None


def test_a_backlog_is_sealed_in_blocks_of_limited_size() -> None:
    journal.seal_backlog(NOW)
    for _ in range(5):
        add_entry(NOW)
    block = journal.seal(NOW, limit=2)
    assert block is not None
    assert block.count == 2
    assert journal.seal_backlog(NOW) == 3
    assert verdict().intact


def test_every_column_is_hashed() -> None:
    """A column added to the entry and forgotten here could be changed unnoticed."""
    assert set(journal.COLUMNS) == {f.attname for f in Entry._meta.concrete_fields}


# ---- Finding what an insider did ----


def test_an_untouched_journal_is_intact(sealed: list[Entry]) -> None:
    found = verdict()
    assert found.intact
    assert found.head == journal.head_hash()
    assert found.entries >= 12


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("act", "close"),
        ("at", NOW - dt.timedelta(hours=1)),
        ("channel", "phone"),
        ("before", {"state": "reported"}),
        ("after", {"rows": 2}),
        ("reason", "ordered"),
        ("note", "ឧប្បត្តិហេតុ "),
        ("version", 7),
    ],
)
def test_a_changed_entry_is_named(sealed: list[Entry], column: str, value: object) -> None:
    with unprotected():
        Entry.objects.filter(pk=sealed[5].pk).update(**{column: value})
    assert kinds() == {"changed": (sealed[5].pk,)}
    assert verdict().first_broken == Block.objects.order_by("pk")[Block.objects.count() - 2].pk


def test_a_deleted_entry_is_named(sealed: list[Entry]) -> None:
    with unprotected():
        Entry.objects.filter(pk__in=[sealed[0].pk, sealed[11].pk]).delete()
    found = verdict()
    assert [(f.kind, f.ids) for f in found.findings] == [("deleted", (sealed[0].pk,)), ("deleted", (sealed[11].pk,))]


def test_an_inserted_entry_is_named(sealed: list[Entry]) -> None:
    """An entry slipped in under an id that was free: the place of one deleted, and one between two blocks."""
    with unprotected():
        Entry.objects.filter(pk=sealed[6].pk).delete()
    journal_gap = sealed[6].pk
    add_entry(NOW, id=journal_gap, note="never happened")
    # The id is known, the content is not: to the chain that is a changed entry.
    assert kinds() == {"changed": (journal_gap,)}


def test_an_entry_slipped_into_a_gap_is_named(sealed: list[Entry]) -> None:
    gap = sealed[-1].pk + 1
    add_entry(NOW, id=gap + 1)
    assert journal.seal(NOW) is not None
    assert verdict().intact
    add_entry(NOW, id=gap, note="slipped in")
    assert kinds() == {"inserted": (gap,)}


def test_a_removed_block_breaks_the_chain(sealed: list[Entry]) -> None:
    middle = Block.objects.order_by("-pk")[1]
    following = Block.objects.order_by("-pk")[0]
    with unprotected():
        middle.delete()
    found = verdict()
    assert ("chain", following.pk) in [(f.kind, f.block) for f in found.findings]
    assert set(kinds()["inserted"]) == {e.pk for e in sealed[4:8]}


@pytest.mark.parametrize("column", ["sealed_at", "count", "hash", "previous_hash"])
def test_a_changed_block_is_named(sealed: list[Entry], column: str) -> None:
    block = Block.objects.order_by("-pk")[0]
    value = {"sealed_at": NOW, "count": 3, "hash": "0" * 64, "previous_hash": "1" * 64}[column]
    with unprotected():
        Block.objects.filter(pk=block.pk).update(**{column: value})
    found = verdict()
    assert found.tampered
    assert found.first_broken == block.pk


def test_marks_that_were_adjusted_do_not_hide_the_change(sealed: list[Entry]) -> None:
    block = Block.objects.order_by("-pk")[0]
    with unprotected():
        Entry.objects.filter(pk=sealed[9].pk).update(note="other")
        lines = dict(journal._entries(sealed[7].pk, sealed[11].pk))
        Block.objects.filter(pk=block.pk).update(marks=b"".join(journal._mark(i, line) for i, line in lines.items()))
    assert kinds() == {"block": ()}


def test_damaged_marks_alone_are_told_apart(sealed: list[Entry]) -> None:
    block = Block.objects.order_by("-pk")[0]
    with unprotected():
        Block.objects.filter(pk=block.pk).update(marks=b"")
    assert kinds() == {"marks": ()}


def test_a_chain_made_anew_is_caught_by_a_head_printed_earlier(sealed: list[Entry]) -> None:
    """Whoever owns the database can compute a new chain; the hash on paper at the NEC does not follow."""
    printed = journal.head_hash()
    with unprotected():
        Block.objects.filter(first_id__gte=sealed[0].pk).delete()
        Entry.objects.filter(pk=sealed[2].pk).update(note="other")
    journal.seal_backlog(NOW)
    assert verdict().intact
    found = verdict(printed=[printed])
    assert [(f.kind, f.detail) for f in found.findings] == [("head", printed)]


def test_an_entry_slipped_in_at_the_end_is_named_by_its_version(cast: Any, make_incident: Any) -> None:
    """With a fresh id it is sealed like any other: only the case's own count of acts gives it away."""
    case = make_incident()
    actions.acknowledge(case, by=cast.duty_commander, version=None, now=NOW, note="")
    make_incident()
    about = {"incident": case, "by": cast.duty_commander, "act": "close"}
    slipped = [add_entry(NOW, version=version, **about) for version in (2, 1, 9)]
    journal.seal_backlog(NOW)
    (found,) = verdict().findings
    assert (found.kind, found.ids, found.total) == ("order", tuple(e.pk for e in slipped), 3)
    assert verdict().tampered


def test_the_next_version_slipped_in_is_not_the_cases_own(cast: Any, make_incident: Any) -> None:
    slipped = add_entry(NOW, incident=make_incident(), version=2)
    assert kinds() == {"order": (slipped.pk,)}


def test_the_last_act_taken_away_before_its_seal_is_missed(cast: Any, make_incident: Any) -> None:
    case = make_incident()
    journal.seal_backlog(NOW)
    actions.acknowledge(case, by=cast.duty_commander, version=None, now=NOW, note="")
    with unprotected():
        Entry.objects.filter(incident=case, act="acknowledge").delete()
    assert set(kinds()) == {"order"}


def test_a_notice_about_a_case_is_no_act_on_it(cast: Any, make_incident: Any) -> None:
    case = make_incident()
    add_entry(NOW, incident=case, act="draft_notice", version=1)
    actions.acknowledge(case, by=cast.duty_commander, version=None, now=NOW, note="")
    assert verdict().intact


def test_missing_triggers_are_reported(sealed: list[Entry]) -> None:
    with unprotected():
        found = verdict()
    assert [f.kind for f in found.findings] == ["unprotected"]
    assert not found.tampered


def test_entries_that_wait_too_long_for_their_seal_are_reported(sealed: list[Entry]) -> None:
    add_entry(NOW)
    assert journal.verify(NOW + dt.timedelta(minutes=5), backlog=BACKLOG).intact
    late = journal.verify(NOW + dt.timedelta(minutes=6), backlog=BACKLOG)
    assert [(f.kind, f.total) for f in late.findings] == [("backlog", 1)]
    assert not late.tampered


def test_memory_stays_flat_over_many_entries() -> None:
    """Twenty thousand entries take no more than a few pages of two thousand do."""
    journal.seal_backlog(NOW)
    template = {"act": "export", "channel": "browser", "at": NOW, "after": {"rows": 1}, "note": "x" * 200}
    for _ in range(10):
        Entry.objects.bulk_create([Entry(**template) for _ in range(2_000)])
        journal.seal(NOW, limit=2_000)
    tracemalloc.start()
    assert verdict().intact
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 * 1024 * 1024


# ---- The commands ----


def test_verify_journal_says_so_and_ends_with_0(sealed: list[Entry]) -> None:
    out = StringIO()
    call_command("verify_journal", "--backlog-minutes", "100000000", stdout=out)
    assert "intact" in out.getvalue()
    assert journal.head_hash() in out.getvalue()


def test_verify_journal_ends_with_1_and_names_the_entry(sealed: list[Entry]) -> None:
    with unprotected():
        Entry.objects.filter(pk=sealed[3].pk).update(note="other")
    out = StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("verify_journal", "--json", stdout=out)
    assert stopped.value.code == 1
    said = json.loads(out.getvalue())
    assert said["tampered"] is True
    assert said["findings"][0]["ids"] == [sealed[3].pk]


def test_seal_journal_seals(sealed: list[Entry]) -> None:
    add_entry(NOW)
    out = StringIO()
    call_command("seal_journal", stdout=out)
    assert "1" in out.getvalue()


# ---- Races, with real connections ----


@pytest.mark.django_db(transaction=True)
def test_an_entry_committed_late_is_never_left_behind_the_seal() -> None:
    """A writer draws an id and dawdles; sealing a later id first would make the late one look slipped in."""
    journal.seal_backlog(NOW)
    inserted, may_commit = threading.Event(), threading.Event()

    def slow_writer() -> None:
        try:
            with transaction.atomic():
                add_entry(NOW, note="slow")
                inserted.set()
                may_commit.wait(20)
        finally:
            connection.close()

    writer = threading.Thread(target=slow_writer)
    writer.start()
    assert inserted.wait(20)
    if connection.vendor == "postgresql":
        # SQLite has one writer at a time, so nobody can overtake there.
        add_entry(NOW, note="fast")
        assert journal.seal(NOW) is None
    may_commit.set()
    writer.join(20)
    block = journal.seal(NOW)
    assert block is not None
    assert block.count == (2 if connection.vendor == "postgresql" else 1)
    assert verdict().intact


@pytest.mark.django_db(transaction=True)
def test_two_sealers_make_one_chain() -> None:
    journal.seal_backlog(NOW)
    for _ in range(50):
        add_entry(NOW)

    def sealer() -> None:
        for _ in range(40):
            journal.seal(NOW, limit=3)

    assert raised_at_once(sealer, sealer) == []
    journal.seal_backlog(NOW)
    found = verdict()
    assert found.intact
    assert found.unsealed == 0
