"""Which phase a moment falls in: one function for forms, engine, dashboards and reports."""

import datetime as dt

from elections.choices import Phase
from elections.models import Election, PhaseWindow


def window_at(election: Election, moment: dt.datetime, place: str = "") -> PhaseWindow | None:
    """The phase window of `election` that covers `moment` (aware) at P-code `place`; the most local one wins.

    Where two national windows overlap the one that started last wins (counting begins inside polling day).
    """
    covering = [w for w in election.phase_windows.all() if w.starts_at <= moment < w.ends_at]
    fitting = [w for w in covering if w.jurisdiction_id is None or (place and place.startswith(w.jurisdiction_id))]
    return max(fitting, key=lambda w: (len(w.jurisdiction_id or ""), w.starts_at), default=None)


def phase_at(election: Election, moment: dt.datetime, place: str = "") -> Phase:
    """The phase code at `moment`; BETWEEN where no window covers it."""
    window = window_at(election, moment, place)
    return Phase(window.phase) if window else Phase.BETWEEN


def first_moment(election: Election) -> dt.datetime | None:
    """When the election's first known phase began, or None without windows."""
    return min((w.starts_at for w in election.phase_windows.all()), default=None)
