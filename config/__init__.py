"""Wiring only: settings, URLs, Celery, servers. Nothing imports this package but the servers."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
