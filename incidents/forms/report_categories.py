"""What can be reported, as the log page offers it: in groups, those of the present phase first, each findable by
everyday words in both languages. The Khmer words await a native reader (docs/khmer-review.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from django.utils.translation import gettext as _

from elections.khmer import search_key
from incidents.choices import Severity
from incidents.models import Category

UNSURE = "UNK-00"
#: Shown before anything is searched for or chosen.
FIRST = 8

#: What people call it. Labels and codes are searched besides.
_WORDS = {
    "CRM-01": "murder killed dead body shot dead សម្លាប់ ស្លាប់ សាកសព",
    "CRM-02": "fight beaten hit injured brawl stabbed attack វាយ វាយគ្នា ចាក់ របួស",
    "CRM-03": "wife husband family home violence ប្រពន្ធ ប្ដី គ្រួសារ",
    "CRM-04": "rape sexual abuse harassment រំលោភ",
    "CRM-05": "kidnap kidnapped held missing person ចាប់ជំរិត បាត់ខ្លួន បង្ខាំង",
    "CRM-06": "theft thief stolen steal motorbike phone money taken លួច ចោរ បាត់ម៉ូតូ បាត់ទូរសព្ទ",
    "CRM-07": "robbed robbery snatch armed ប្លន់ ឆក់",
    "CRM-08": "arson burnt vandalism broken window damage បំផ្លាញ ដុត ខូចខាត",
    "CRM-09": "gun pistol rifle grenade bomb knife weapon explosive កាំភ្លើង គ្រាប់បែក កាំបិត អាវុធ",
    "ORD-01": "mob gang group fight crowd violence ក្មេងទំនើង ក្រុមបងតូច វាយគ្នាជាក្រុម",
    "ORD-02": "noise drunk road blocked racing gambling disorder ស្រវឹង ប្រណាំង រំខាន បិទផ្លូវ ល្បែង",
    "ORD-03": "quarrel dispute argument land neighbour ឈ្លោះ វិវាទ ទំនាស់ ដីធ្លី អ្នកជិតខាង",
    "INT-01": "threat threatened voter forced identity card taken vote គំរាម បង្ខំ អ្នកបោះឆ្នោត អត្តសញ្ញាណប័ណ្ណ",
    "INT-02": "threat candidate activist attacked គំរាម បេក្ខជន សកម្មជន",
    "INT-03": "threat polling staff official attacked គំរាម មន្ត្រី",
    "INT-04": "threat observer agent journalist reporter គំរាម អ្នកសង្កេតការណ៍ អ្នកកាសែត",
    "CAM-01": "money gift bribe rice vote buying ទិញសំឡេង លុយ អំណោយ ទិញឆ្នោត",
    "CAM-02": "poster banner sign torn loudspeaker leaflet ផ្លាក បដា រូបភាព ហែក មេក្រូ",
    "CAM-03": "parties clash supporters quarrel rally march ប៉ះទង្គិច អ្នកគាំទ្រ ក្បួន",
    "CAM-04": "rally march stopped blocked campaign permission រារាំង ក្បួន មីទីញ",
    "INF-01": "incitement hate speech call violence post video ញុះញង់",
    "INF-02": "fake news rumour forged false ព័ត៌មានក្លែងក្លាយ ពាក្យចចាមអារ៉ាម",
    "INF-03": "hack hacked computer website phishing ហេក ចោរចូលប្រព័ន្ធ គេហទំព័រ",
    "PRC-01": "registration voter list name missing ចុះឈ្មោះ បញ្ជីឈ្មោះ បាត់ឈ្មោះ",
    "PRC-02": "polling station attacked closed ការិយាល័យបោះឆ្នោត បិទ វាយប្រហារ",
    "PRC-03": "ballot box ballots seal lost stolen materials ហិប សន្លឹកឆ្នោត សម្ភារ បាត់",
    "PRC-04": "voting stopped queue turned away double vote បោះឆ្នោត រារាំង ឈប់",
    "PRC-05": "counting stopped results form រាប់សន្លឹក លទ្ធផល",
    "NEU-01": "police soldier army party shirt neutrality នគរបាល ទាហាន អព្យាក្រឹត",
    "NEU-02": "village chief official state car building neutrality មេភូមិ មេឃុំ រថយន្តរដ្ឋ អព្យាក្រឹត",
    "NEU-03": "police beat detained arrest force refused help ឃុំខ្លួន ចាប់ខ្លួន ប្រើកម្លាំង មិនជួយ",
    "HAZ-01": "flood water rain storm wind lightning ទឹកជំនន់ ភ្លៀង ខ្យល់ ព្យុះ រន្ទះ",
    "HAZ-02": "mine bomb shell old war ordnance មីន គ្រាប់បែក យុទ្ធភណ្ឌ",
    "HAZ-03": "fire burning smoke ភ្លើង ឆេះ ផ្សែង អគ្គិភ័យ",
    "HAZ-04": "power cut electricity network phone signal road bridge ដាច់ភ្លើង អគ្គិសនី សេវា ស្ពាន ផ្លូវដាច់",
    UNSURE: "",
}


@dataclass(frozen=True)
class Choice:
    """One card of the picker."""

    category: Category
    phase: str

    @property
    def code(self) -> str:
        return self.category.code

    @property
    def name(self) -> str:
        return self.category.name

    @property
    def severity(self) -> Severity:
        return self.category.usual_severity(self.phase)

    @property
    def is_of_phase(self) -> bool:
        return self.phase in self.category.phases.split()

    @cached_property
    def key(self) -> str:
        """What a search looks through: names and groups in both languages, the code, everyday words."""
        c = self.category
        return search_key(" ".join([c.name_en, c.name_km, c.group_en, c.group_km, c.code, _WORDS.get(c.code, "")]))

    @property
    def explanation(self) -> str:
        """Why this severity is suggested, in one sentence."""
        return explain(self.category, self.phase)


@dataclass(frozen=True)
class Group:
    code: str
    name: str
    choices: list[Choice]


def groups(phase: str) -> list[Group]:
    """Every category in use by group; groups and categories of the phase come first. "I am not sure" is not in it."""
    rows = Category.objects.filter(retired_on=None).exclude(code=UNSURE).order_by("code")
    by_group: dict[str, list[Choice]] = {}
    for row in rows:
        by_group.setdefault(row.group_code, []).append(Choice(row, phase))
    listed = [Group(code, found[0].category.group, _of_phase_first(found)) for code, found in by_group.items()]
    return sorted(listed, key=lambda g: not any(c.is_of_phase for c in g.choices))


def first_codes(listed: Iterable[Group]) -> list[str]:
    """The categories to show before anybody searches: those of this phase, then the ordinary ones, in turn by group."""
    choices = [c for g in listed for c in g.choices]
    of_phase = [c for c in choices if c.is_of_phase]
    usual = [c for c in choices if not c.category.phases]
    ranked = sorted(of_phase, key=lambda c: len(c.category.phases.split()))[: FIRST // 2]
    return [c.code for c in [*ranked, *sorted(usual, key=_rank)] if c][:FIRST]


#: What is reported most in an ordinary quarter (domain 2.2); everything else is found by group or search.
_OFTEN = ("CRM-06", "HAZ-01", "ORD-03", "CRM-02", "ORD-02", "HAZ-03", "CRM-08", "ORD-01")


def _rank(choice: Choice) -> int:
    return _OFTEN.index(choice.code) if choice.code in _OFTEN else len(_OFTEN)


def _of_phase_first(choices: list[Choice]) -> list[Choice]:
    """Those made for the phase, then those of every phase, then those of another phase."""
    return sorted(choices, key=lambda c: 0 if c.is_of_phase else 1 if not c.category.phases else 2)


def explain(category: Category, phase: str) -> str:
    """One sentence: which severity is usual for the category now, and why where the phase decides."""
    suggested = category.usual_severity(phase)
    values = {"severity": suggested.label, "category": category.name}
    if suggested == Severity.UNRATED:
        return (
            _("«%(category)s» is not rated until its worksheet is done. If there is violence now, choose that.")
            % values
        )
    if suggested != category.default_severity:
        return _("%(severity)s is suggested for «%(category)s» while people vote or votes are counted.") % values
    if category.code == UNSURE:
        return _("%(severity)s is suggested while it is not clear what it is.") % values
    return _("%(severity)s is suggested for «%(category)s».") % values
