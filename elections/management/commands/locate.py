"""Say which commune, district and province a point lies in, in both languages."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from elections import geometry
from elections.models import Jurisdiction


class Command(BaseCommand):
    help = "Prints the commune, district and province of a point: locate 11.5564 104.9282"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("lat", type=float, help="latitude in degrees WGS 84, north is positive")
        parser.add_argument("lon", type=float, help="longitude in degrees WGS 84, east is positive")

    def handle(self, *args: Any, **options: Any) -> None:
        lat, lon = options["lat"], options["lon"]
        inside = geometry.place(lat, lon)
        code = inside or geometry.nearest(lat, lon)
        if code is None:
            raise CommandError(f"{lat} {lon} lies outside the country.")
        if not inside:
            self.stdout.write("In no commune. The nearest one:")
        found = {place.pcode: place for place in Jurisdiction.objects.filter(pcode__in=[code, code[:6], code[:4]])}
        if code not in found:
            raise CommandError("The places are not loaded. Run: manage.py load_reference")
        for place in (found[code], found[code[:6]], found[code[:4]]):
            with translation.override("km"):
                khmer = place.full_name
            with translation.override("en"):
                self.stdout.write(f"{place.pcode:<9} {khmer}  {place.full_name}")
