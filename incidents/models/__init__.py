"""The models of the incidents app, by subject."""

from incidents.models.clocks import (
    LIVE,
    Clock,
    ClockState,
    EngineRun,
    EngineState,
    Escalation,
    EscalationKind,
    Quarantine,
)
from incidents.models.delivery import Notice, NoticeChannel, NoticeStatus
from incidents.models.evidence import Attachment
from incidents.models.incident import (
    ConflictSubject,
    Custody,
    IdentityGrant,
    Incident,
    ProtectedPerson,
    ReferenceCounter,
    StationChange,
)
from incidents.models.journal import Block, Entry
from incidents.models.notices import CapCategory, PublicNotice, PublicNoticeState
from incidents.models.tally import DayTally, Tally
from incidents.models.taxonomy import Category, ResponseTarget

__all__ = [
    "LIVE",
    "Attachment",
    "Block",
    "CapCategory",
    "Category",
    "Clock",
    "ClockState",
    "ConflictSubject",
    "Custody",
    "DayTally",
    "EngineRun",
    "EngineState",
    "Entry",
    "Escalation",
    "EscalationKind",
    "IdentityGrant",
    "Incident",
    "Notice",
    "NoticeChannel",
    "NoticeStatus",
    "ProtectedPerson",
    "PublicNotice",
    "PublicNoticeState",
    "Quarantine",
    "ReferenceCounter",
    "ResponseTarget",
    "StationChange",
    "Tally",
]
