"""A number beside the same number of the period before."""

from __future__ import annotations

from dataclasses import dataclass

from incidents.dashboards.measures import Value


@dataclass(frozen=True)
class Figure:
    """A number of the week beside the same number of the period it is compared with."""

    value: Value
    before: Value

    @property
    def change(self) -> Value:
        """None where either cannot be said."""
        if self.value is None or self.before is None:
            return None
        # A difference of two numbers with one decimal has one as well.
        return round(self.value - self.before, 1) if isinstance(self.value, float) else self.value - self.before

    @property
    def is_nothing(self) -> bool:
        return not self.value and not self.before
