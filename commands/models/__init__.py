"""The models of the commands app, by subject."""

from commands.models.contacts import ContactChannel, ContactPoint
from commands.models.duty import CalendarFeed, Cover, Roster, Shift, Swap, SwapState
from commands.models.people import ApiToken, Delegation, Posting, SecurityCommand, User

__all__ = [
    "ApiToken",
    "CalendarFeed",
    "ContactChannel",
    "ContactPoint",
    "Cover",
    "Delegation",
    "Posting",
    "Roster",
    "SecurityCommand",
    "Shift",
    "Swap",
    "SwapState",
    "User",
]
