"""Seal everything that waits, now: what the beat does each minute, for cron and for hands."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from incidents import journal


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        sealed = journal.seal_backlog(timezone.now())
        self.stdout.write(f"{sealed} entries sealed. Head: {journal.head_hash() or '-'}")
