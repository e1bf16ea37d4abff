"""Walls that hold by test: what points where, who may write, where the clock is read, what is configured where."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.viewsets import ViewSetMixin

from config.celery import app as celery_app

ROOT = Path(__file__).resolve().parent.parent
ORDER = ["elections", "commands", "incidents"]


def sources(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    for folder in folders or ORDER:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())


# ---- Models and migrations ----


def test_relations_point_down() -> None:
    """A string foreign key escapes import-linter; the order of the apps holds for it too."""
    rank = {app: number for number, app in enumerate(ORDER)}
    for model in apps.get_models():
        for field in model._meta.get_fields():
            target = field.related_model
            if field.concrete and field.is_relation and not isinstance(target, str | None):
                here, there = model._meta.app_label, target._meta.app_label
                if here in rank and there in rank:
                    assert rank[there] <= rank[here], f"{model.__name__}.{field.name} points up to {there}"


@pytest.mark.django_db
def test_models_and_migrations_agree() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_a_migration_number_is_used_once() -> None:
    for app in ORDER:
        numbers = Counter(p.name[:4] for p in (ROOT / app / "migrations").glob("0*.py"))
        assert [n for n, times in numbers.items() if times > 1] == [], f"{app} has two migrations of one number"


def test_no_model_overrides_save_or_delete_and_nobody_listens_to_signals() -> None:
    for path, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                assert "signals" not in (node.module or ""), f"{path} listens to signals: call the function instead"
            if isinstance(node, ast.ClassDef) and "/models" in path:
                own = {n.name for n in node.body if isinstance(n, ast.FunctionDef)}
                assert not own & {"save", "delete"}, f"{path}: {node.name} overrides {own & {'save', 'delete'}}"


# ---- Writing ----

WRITES = {
    "save", "create", "update", "delete", "bulk_create", "bulk_update", "get_or_create", "update_or_create",
}  # fmt: skip
#: Modules that may write rows, each with its reason. Cases themselves: actions, turn and the engine only.
WRITERS = {
    "incidents/actions": "the one write path",
    "incidents/intake.py": "the first act: report",
    "incidents/turn.py": "what every act shares",
    "incidents/entries.py": "journal entries about no case",
    "incidents/escalation/": "the engine",
    "incidents/tallies.py": "counts, in the transaction of the act",
    "incidents/journal.py": "seals entries; never changes them",
    "incidents/delivery/": "outbox rows",
    "incidents/hooks.py": "webhooks of commands",
    "incidents/evidence.py": "attachment rows, called by acts",
    "incidents/drills.py": "drills, which are no cases",
    "incidents/notices.py": "public notices have their own two-person life",
    "incidents/referrals.py": "the acts of referring and of its outcome",
    "incidents/timekeeping.py": "clocks of a case, for its acts",
    "incidents/vacancies.py": "the trace of commands a new report went past",
    "incidents/rebasing.py": "clocks of cases that an act moves to another policy",
    "incidents/policy_actions.py": "escalation policies have their own two-person life",
    "incidents/taxonomy.py": "importer of reference data",
    "incidents/api/authentication.py": "notes when a token was last used",
    "incidents/demo/": "demonstration and load data",
    "elections/importing.py": "importer of reference data",
    "commands/importing.py": "importer of reference data",
    "commands/actions.py": "people, postings and tokens",
    "commands/duty_actions.py": "duty rosters: shifts, covers, swaps",
    "commands/delegations.py": "who acts for whom",
    "commands/contacts.py": "addresses of people",
    "commands/feeds.py": "addresses of calendars",
}
#: Things called save or update that are not rows: dict.update, set.update, hashlib's update, Image.save, ...
NOT_ROWS = re.compile(
    r"(^|[._])(digest|hash|hasher|sha|sha256|env|os\.environ|data|fields|context|seen|headers|params|attrs|image|picture|"
    r"kwargs|query|parameters|found|known|cleaned_data|book|sheet|counts|totals|defaults|values|options|"
    r"actions|act|changes|lines|result|storage|default_storage|cache|session|cookies|draft)$"
)


def writes(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WRITES:
            subject = ast.unparse(node.func.value)
            if not NOT_ROWS.search(subject):
                yield node.lineno, f"{subject}.{node.func.attr}"


def test_every_named_writer_exists_and_writes() -> None:
    """An exemption that nothing needs any more is taken out of the list."""
    used = {
        prefix for path, tree in sources() for prefix in WRITERS if path.startswith(prefix) and next(writes(tree), None)
    }
    assert set(WRITERS) - used == set()


def test_only_the_named_modules_write() -> None:
    strays = [
        f"{path}:{line} {call}"
        for path, tree in sources()
        if not path.startswith(tuple(WRITERS))
        for line, call in writes(tree)
    ]
    assert strays == [], "write through incidents.actions or commands.actions, or name the module in WRITERS"


# ---- Reading ----


def test_views_and_api_reach_cases_only_through_the_scope() -> None:
    """`Incident.objects` is followed by `visible_to` or `detailed_to`, everywhere a person's request is answered."""
    doors = ("incidents/views/", "incidents/api/", "incidents/dashboards/", "incidents/reports/", "incidents/forms")
    for path, tree in sources("incidents"):
        if not path.startswith(doors):
            continue
        scoped = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and node.attr in ("visible_to", "detailed_to", "none")
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and ast.unparse(node) == "Incident.objects":
                assert id(node) in scoped, f"{path}:{node.lineno} reads cases without visible_to(user)"


def every_pattern(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for part in (resolver or get_resolver()).url_patterns:
        route = prefix + str(part.pattern)
        if isinstance(part, URLResolver):
            yield from every_pattern(part, route)
        else:
            yield route, part


def test_no_viewset_offers_rows_without_a_scope() -> None:
    """A viewset with a plain `queryset` of cases would list what its reader may not know of."""
    for route, pattern in every_pattern():
        view = getattr(pattern.callback, "cls", None)
        if view is not None and issubclass(view, ViewSetMixin):
            queryset = getattr(view, "queryset", None)
            if queryset is not None and queryset.model._meta.app_label == "incidents":
                assert queryset.model.__name__ in ("Category",), f"{route} is not scoped"


# ---- Time ----

#: Doors, where the clock is read once and passed on; and the two places that cannot be given a time.
CLOCK_READERS = (
    "/views/", "/views.py", "/api/", "/management/", "/tasks.py", "/admin.py", "/context.py", "/templatetags/",
    # Called with a request, by views and the page's shell.
    "incidents/election_choice.py",
    # The database's clock, asked by the doors that start a tick.
    "incidents/escalation/moment.py",
    # `current_postings` is read by templates and querysets, which pass no time.
    "commands/models/people.py",
)  # fmt: skip


def test_the_clock_is_read_at_the_doors_only() -> None:
    for path, tree in sources():
        if any(door in path for door in CLOCK_READERS):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                call = ast.unparse(node.func)
                is_clock = call in ("timezone.now", "timezone.localtime", "timezone.localdate") and not node.args
                is_clock |= call.endswith(("datetime.now", "datetime.utcnow", "date.today"))
                assert not is_clock, f"{path}:{node.lineno} reads the clock: take `now` as an argument"


# ---- Tasks ----


def test_scheduled_and_sent_tasks_exist() -> None:
    celery_app.loader.import_default_modules()
    named = {entry["task"] for entry in celery_app.conf.beat_schedule.values()}
    for _path, tree in sources():
        for node in ast.walk(tree):
            is_sent = isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("wake", "wake_after")
            if is_sent and isinstance(node.args[0], ast.Constant):
                named.add(str(node.args[0].value))
    assert named <= set(celery_app.tasks), named - set(celery_app.tasks)


def test_queues_of_tasks_are_consumed() -> None:
    from config.launcher import QUEUES

    queues = {entry["options"]["queue"] for entry in celery_app.conf.beat_schedule.values()}
    assert queues | {celery_app.conf.task_default_queue} <= set(QUEUES.split(","))


# ---- Settings ----


def test_env_example_names_what_settings_read() -> None:
    text = (ROOT / "config" / "settings.py").read_text()
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', text))
    shown = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    only_compose = {"POSTGRES_PASSWORD", "POSTGRES_SHARED_BUFFERS", "PORT"}
    assert shown - only_compose == read


# ---- Size ----


#: Modules over the ceiling, each with its own and the reason.
LONG = {"incidents/actions.py": 600}  # Every act in one place, each a few lines: the second file a newcomer reads.


def test_modules_stay_readable() -> None:
    """A module is split by behaviour before it passes about 400 lines; here with room for a change under way."""
    for path, _tree in sources("config", *ORDER):
        lines = len((ROOT / path).read_text().splitlines())
        assert lines <= LONG.get(path, 520), f"{path} has {lines} lines: split it by behaviour"


def test_no_unfinished_business() -> None:
    for path in [*ROOT.glob("config/*.py"), *(p for a in ORDER for p in (ROOT / a).rglob("*.py"))]:
        assert not re.search(r"\b(TODO|FIXME|XXX|HACK)\b", path.read_text()), path
