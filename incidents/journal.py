"""The journal's seal: entries hashed into a chain of blocks, proof that nothing was changed, taken or slipped in.

The database refuses UPDATE and DELETE (`append_only`); this is for whoever may switch that off. Entries are written by
`turn`, never here. Design and its cost: docs/decisions/0005-journal.md.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import F, Max, Q, Window
from django.db.models.functions import Lag, Lead
from django.db.utils import OperationalError

from incidents import append_only
from incidents.choices import Act
from incidents.models import Block, Entry

#: Every column, in the order it is hashed. A column added later needs a new format: docs/decisions/0005-journal.md.
COLUMNS = (
    "id", "incident_id", "act", "at", "channel", "by_id", "posting_id", "command_id",
    "before", "after", "reason", "note", "version",
)  # fmt: skip
PAGE = 2_000
#: Entries in a block at most: what is hashed in one go, and how far a finding without marks can be narrowed down.
BLOCK_ENTRIES = 10_000
#: Seconds the sealer tries to find writers pausing; below PostgreSQL's deadlock_timeout, so it gives way first.
PATIENCE = 0.5
_MARK = 16


@dataclass(frozen=True)
class Finding:
    """One kind of damage in one block: `ids` are the first entries concerned (at most 100), `total` how many there are.

    Kinds: changed, deleted, inserted (entries); chain (a block does not follow the one before it); block (the hash does
    not fit and no single entry can be named); marks (only the aid for finding entries is damaged); head (a hash printed
    earlier is not in the chain any more); order (an entry's version of its case does not follow the one before it, or
    the last is not the case's own); unprotected (triggers are missing); backlog (entries wait unsealed too long).
    """

    kind: str
    block: int | None
    ids: tuple[int, ...] = ()
    total: int = 0
    detail: str = ""


@dataclass(kw_only=True)
class Verdict:
    """What `verify` found. `tampered` is about what is sealed; `findings` may hold lesser warnings besides."""

    blocks: int = 0
    entries: int = 0
    head: str = ""
    first_broken: int | None = None
    unsealed: int = 0
    oldest_unsealed_at: dt.datetime | None = None
    findings: list[Finding] = field(default_factory=list)

    @property
    def tampered(self) -> bool:
        return any(f.kind not in ("backlog", "unprotected") for f in self.findings)

    @property
    def intact(self) -> bool:
        return not self.findings

    def add(self, finding: Finding) -> None:
        self.findings.append(finding)
        if finding.block is not None and self.first_broken is None:
            self.first_broken = finding.block


# ---- Canonical form ----


def _canonical(row: tuple[Any, ...]) -> bytes:
    """One entry as bytes that do not depend on the database: UTC microseconds, sorted keys, no spaces, UTF-8."""
    values = list(row)
    values[1] = str(row[1]) if row[1] is not None else None
    values[3] = row[3].astimezone(dt.UTC).isoformat(timespec="microseconds")
    return json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def _entries(after: int, up_to: int | None) -> Iterator[tuple[int, bytes]]:
    """Entries with `after` < id <= `up_to` in order, as (id, canonical bytes), a page in memory at a time."""
    while True:
        page = Entry.objects.filter(pk__gt=after).order_by("pk")
        if up_to is not None:
            page = page.filter(pk__lte=up_to)
        rows = list(page.values_list(*COLUMNS)[:PAGE])
        for row in rows:
            yield row[0], _canonical(row)
        if len(rows) < PAGE:
            return
        after = rows[-1][0]


def _mark(entry_id: int, line: bytes) -> bytes:
    return entry_id.to_bytes(8, "big") + hashlib.sha256(line).digest()[:8]


def _header(previous_hash: str, first_id: int, last_id: int, count: int, sealed_at: dt.datetime) -> bytes:
    """What else a block vouches for: its place in the chain, its extent and the moment it was sealed."""
    moment = sealed_at.astimezone(dt.UTC).isoformat(timespec="microseconds")
    return json.dumps([previous_hash, first_id, last_id, count, moment], separators=(",", ":")).encode() + b"\n"


# ---- Seal ----


def seal(now: dt.datetime, limit: int = BLOCK_ENTRIES) -> Block | None:
    """Seal up to `limit` entries that no block holds yet; None when there are none, or it is not the moment.

    Two sealers are harmless: the chain cannot fork, and the second finds the place taken.
    """
    horizon = _horizon()
    if horizon is None:
        return None
    head = Block.objects.order_by("-pk").first()
    previous, after = (head.hash, head.last_id) if head else ("", 0)
    body, marks, first_id, last_id, count = hashlib.sha256(), bytearray(), 0, 0, 0
    for entry_id, line in _entries(after, horizon):
        if count == limit:
            break
        first_id, last_id, count = first_id or entry_id, entry_id, count + 1
        body.update(line)
        marks += _mark(entry_id, line)
    if not count:
        return None
    whole = hashlib.sha256(_header(previous, first_id, last_id, count, now) + body.digest())
    try:
        with transaction.atomic():
            return Block.objects.create(
                first_id=first_id,
                last_id=last_id,
                count=count,
                previous_hash=previous,
                hash=whole.hexdigest(),
                sealed_at=now,
                marks=bytes(marks),
            )
    except IntegrityError:
        return None


def seal_backlog(now: dt.datetime) -> int:
    """Seal block after block until nothing waits; returns how many entries were sealed."""
    sealed = 0
    while block := seal(now):
        sealed += block.count
    return sealed


def _horizon() -> int | None:
    """The highest entry id below which nothing can appear any more; None while writers would not pause.

    PostgreSQL: writers hold a shared lock from before their id is drawn until they have committed (trigger of
    `append_only`). Holding it alone for the time of one index look-up is enough. SQLite has one writer at a time.
    """
    if connection.vendor != "postgresql":
        return _last_id()
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            deadline = time.monotonic() + PATIENCE
            while not _try_alone(cursor):
                if time.monotonic() > deadline:
                    # Waiting in line makes new writers wait behind us, so it comes last and is short.
                    cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{int(PATIENCE * 1000)}ms"])
                    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [append_only.LOCK_KEY])
                    break
                time.sleep(0.02)
            return _last_id()
    except OperationalError:
        return None


def _last_id() -> int | None:
    last: int | None = Entry.objects.aggregate(last=Max("pk"))["last"]
    return last


def _try_alone(cursor: Any) -> bool:
    cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [append_only.LOCK_KEY])
    return bool(cursor.fetchone()[0])


def head_hash() -> str:
    """Hash of the last block, to be printed on every edition: what is older cannot change unnoticed. "" if none."""
    return Block.objects.order_by("-pk").values_list("hash", flat=True).first() or ""


# ---- Verify ----


def verify(now: dt.datetime, *, backlog: dt.timedelta, printed: Iterable[str] = ()) -> Verdict:
    """Read the whole journal once, flat in memory, and say what does not fit.

    `printed`: head hashes known from outside (editions, e-mails to the NEC): each must still be in the chain, which is
    what shows a chain that was cut at its end or made anew. `backlog`: how long an entry may wait to be sealed.
    """
    verdict = Verdict()
    if missing := append_only.missing(connection):
        verdict.add(Finding("unprotected", None, total=len(missing), detail=", ".join(missing)))
    wanted = {h.strip().lower() for h in printed if h.strip()}
    after = 0
    blocks = Block.objects.order_by("pk")
    stream = _Stream(blocks.aggregate(last=Max("last_id"))["last"] or 0)
    for block in blocks.filter(last_id__lte=stream.up_to).iterator(chunk_size=20):
        if block.previous_hash != verdict.head or block.first_id <= after or block.last_id < block.first_id:
            verdict.add(Finding("chain", block.pk))
        _verify_block(block, stream, verdict)
        verdict.blocks += 1
        verdict.head = block.hash
        wanted.discard(block.hash)
        after = max(after, block.last_id)
    for lost in sorted(wanted):
        verdict.add(Finding("head", None, total=1, detail=lost))
    _look_at_versions(verdict)
    _look_at_unsealed(after, now, backlog, verdict)
    return verdict


class _Stream:
    """All entries up to an id, handed out block by block: one pass, however small the blocks are."""

    def __init__(self, up_to: int) -> None:
        self.up_to = up_to
        self._rows = _entries(0, up_to)
        self._next = next(self._rows, None)

    def until(self, last_id: int) -> Iterator[tuple[int, bytes]]:
        while self._next is not None and self._next[0] <= last_id:
            yield self._next
            self._next = next(self._rows, None)


def _verify_block(block: Block, stream: _Stream, verdict: Verdict) -> None:
    """Compare a block with the entries that are there now, walking both in order of id."""
    raw = bytes(block.marks)
    marks = {int.from_bytes(raw[i : i + 8], "big"): raw[i : i + _MARK] for i in range(0, len(raw), _MARK)}
    wrong: dict[str, list[int]] = {"changed": [], "deleted": [], "inserted": []}
    body, seen = hashlib.sha256(), 0
    for entry_id, line in stream.until(block.last_id):
        body.update(line)
        seen += 1
        mark = marks.pop(entry_id, None)
        if mark is None:
            wrong["inserted"].append(entry_id)
        elif mark != _mark(entry_id, line):
            wrong["changed"].append(entry_id)
    wrong["deleted"] = sorted(marks)
    verdict.entries += seen
    header = _header(block.previous_hash, block.first_id, block.last_id, block.count, block.sealed_at)
    fits = hashlib.sha256(header + body.digest()).hexdigest() == block.hash
    if fits:
        if any(wrong.values()):
            verdict.add(Finding("marks", block.pk))
        return
    named = False
    for kind, ids in wrong.items():
        if ids:
            named = True
            verdict.add(Finding(kind, block.pk, tuple(ids[:100]), len(ids)))
    if not named:
        verdict.add(Finding("block", block.pk))


#: Acts on a notice about a case: they leave the case as it is, and their entries repeat its version.
_BESIDE = (Act.DRAFT_NOTICE, Act.ISSUE_NOTICE, Act.CANCEL_NOTICE)


def _look_at_versions(verdict: Verdict) -> None:
    """Every act makes the next version of its case. A row added with a fresh id looks genuine to the chain, not here.

    One statement, so one moment of the record; the database does the ordering and hands over only what does not fit.
    """
    in_order: dict[str, Any] = {"partition_by": "incident", "order_by": "id"}
    odd = (
        Entry.objects.exclude(incident=None)
        .exclude(act__in=_BESIDE)
        .annotate(earlier=Window(Lag("version", default=0), **in_order), later=Window(Lead("id"), **in_order))
        .filter(~Q(version=F("earlier") + 1) | Q(later=None) & ~Q(version=F("incident__version")))
        .order_by("pk")
    )
    ids, total = [], 0
    for entry in odd.values_list("pk", flat=True).iterator(chunk_size=PAGE):
        total += 1
        if total <= 100:
            ids.append(entry)
    if total:
        verdict.add(Finding("order", None, tuple(ids), total))


def _look_at_unsealed(after: int, now: dt.datetime, backlog: dt.timedelta, verdict: Verdict) -> None:
    waiting = Entry.objects.filter(pk__gt=after)
    verdict.unsealed = waiting.count()
    oldest = waiting.order_by("pk").values_list("at", flat=True).first()
    verdict.oldest_unsealed_at = oldest
    if oldest is not None and now - oldest > backlog:
        verdict.add(Finding("backlog", None, total=verdict.unsealed, detail=oldest.isoformat(timespec="seconds")))
