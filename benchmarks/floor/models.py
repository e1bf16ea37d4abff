"""The one table of the floors, made by `benchmarks.prepare`."""

from django.db import models


class Note(models.Model):
    """About as many bytes as a report's own row, without its indexes."""

    place = models.CharField(max_length=10)
    category = models.CharField(max_length=12)
    narrative = models.TextField()
    at = models.DateTimeField()

    class Meta:
        app_label = "floor"
        managed = False
        db_table = "benchmark_note"

    def __str__(self) -> str:
        return self.place


TABLE = """CREATE TABLE IF NOT EXISTS benchmark_note (id {serial}, place varchar(10) NOT NULL,
category varchar(12) NOT NULL, narrative text NOT NULL, at {moment} NOT NULL)"""
