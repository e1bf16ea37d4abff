"""What made reports say: for each category some openings, then a detail and what was done, in Khmer or English.

No person, party, address or number is named. The Khmer waits for a native reader, as the taxonomy does.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import NamedTuple

from incidents.choices import ActorType, Means, TargetType


class Opening(NamedTuple):
    """A title and a first sentence in both languages."""

    title_km: str
    title_en: str
    km: str
    en: str


@dataclass(frozen=True)
class Pattern:
    """How reports of one category are written."""

    openings: list[Opening]
    actor: str = ActorType.UNKNOWN
    target: str = TargetType.PUBLIC
    means: str = Means.NONE


O = Opening  # noqa: E741
PATTERNS: dict[str, Pattern] = {
    "CRM-01": Pattern(
        [
            O("ឃាតកម្មក្នុងជម្លោះ", "Killing in a quarrel",
              "មនុស្សម្នាក់បានស្លាប់ក្រោយមានជម្លោះនៅពេលយប់។",
              "One person died after a quarrel at night."),
            O("រកឃើញសាកសព", "Body found",
              "ប្រជាពលរដ្ឋបានរកឃើញសាកសពនៅក្បែរព្រែក មានស្នាមរបួស។",
              "Residents found a body beside the canal, with wounds."),
        ],
        ActorType.UNKNOWN, TargetType.PUBLIC, Means.BLADE),
    "CRM-02": Pattern(
        [
            O("វាយតប់គ្នានៅហាង", "Fight at a shop",
              "មនុស្សពីរនាក់បានវាយតប់គ្នានៅមុខហាងលក់ភេសជ្ជៈ។",
              "Two people came to blows in front of a drinks stall."),
            O("ហិង្សាក្រោយគ្រោះថ្នាក់ចរាចរណ៍", "Blows after a traffic accident",
              "អ្នកបើកបរម្នាក់ត្រូវគេវាយ ក្រោយពេលម៉ូតូពីរប៉ះគ្នា។",
              "A driver was struck after two motorbikes touched."),
            O("របួសដោយដុំថ្ម", "Hurt by a stone",
              "មនុស្សម្នាក់រងរបួសស្រាលដោយសារការគប់ដុំថ្មនៅពេលយប់។",
              "One person was slightly hurt by a stone thrown at night."),
        ],
        ActorType.CITIZEN, TargetType.PUBLIC, Means.HANDS),
    "CRM-03": Pattern(
        [
            O("ហិង្សាក្នុងគ្រួសារ", "Violence in a family",
              "អ្នកជិតខាងបានរាយការណ៍ថាមានហិង្សានៅក្នុងផ្ទះមួយ។",
              "Neighbours reported violence inside a house."),
            O("សុំជំនួយក្នុងផ្ទះ", "Call for help from a home",
              "ស្ត្រីម្នាក់បានសុំជំនួយពីប៉ុស្តិ៍ ក្រោយមានជម្លោះក្នុងគ្រួសារ។",
              "A woman asked the post for help after a quarrel at home."),
        ],
        ActorType.CITIZEN, TargetType.PUBLIC, Means.HANDS),
    "CRM-06": Pattern(
        [
            O("បាត់ម៉ូតូនៅផ្សារ", "Motorbike taken at the market",
              "ម៉ូតូមួយគ្រឿងត្រូវបានគេលួចពីកន្លែងចតនៅផ្សារ។",
              "A motorbike was taken from the parking place of the market."),
            O("លួចទូរសព្ទ", "Telephone stolen",
              "ទូរសព្ទមួយគ្រឿងត្រូវបានគេលួចនៅចំណតឡានក្រុង។",
              "A telephone was stolen at the bus stop."),
            O("លួចម៉ាស៊ីនបូមទឹក", "Water pump stolen",
              "ម៉ាស៊ីនបូមទឹកមួយបានបាត់ពីវាលស្រែនៅពេលយប់។",
              "A water pump disappeared from a rice field during the night."),
            O("លួចគោ", "Cattle stolen",
              "គោពីរក្បាលបានបាត់ពីក្រោល ម្ចាស់បានឃើញនៅពេលព្រឹក។",
              "Two cows were gone from the pen when the owner came in the morning."),
            O("គាស់ផ្ទះ", "House broken into",
              "ផ្ទះមួយត្រូវបានគេគាស់ ខណៈម្ចាស់ទៅចម្ការ។",
              "A house was broken into while the owners were in the fields."),
        ],
        ActorType.UNKNOWN, TargetType.PUBLIC, Means.NONE),
    "CRM-07": Pattern(
        [
            O("ប្លន់ហាងប្តូរប្រាក់", "Robbery of a money changer",
              "មនុស្សពីរនាក់ជិះម៉ូតូបានប្លន់ហាងប្តូរប្រាក់ រួចរត់គេចខ្លួន។",
              "Two people on a motorbike robbed a money changer and fled."),
            O("ឆក់កាបូប", "Bag snatched with force",
              "កាបូបមួយត្រូវបានគេឆក់ដោយប្រើកម្លាំងនៅតាមផ្លូវជាតិ។",
              "A bag was taken by force on the national road."),
        ],
        ActorType.CRIMINAL_GROUP, TargetType.PUBLIC, Means.VEHICLE),
    "CRM-08": Pattern(
        [
            O("បំផ្លាញរបង", "Fence damaged",
              "របងសាលាមួយត្រូវបានគេបំផ្លាញប្រវែងប្រហែល ៥ ម៉ែត្រ។",
              "About 5 metres of a school fence were damaged."),
            O("ដុតចំបើង", "Straw set on fire",
              "គំនរចំបើងមួយត្រូវបានគេដុតនៅក្បែរផ្ទះ។",
              "A stack of straw beside a house was set on fire."),
        ],
        ActorType.UNKNOWN, TargetType.PUBLIC_PROPERTY, Means.OBJECT),
    "CRM-09": Pattern(
        [
            O("រកឃើញកាំភ្លើង", "Gun found",
              "កាំភ្លើងផលិតដោយខ្លួនឯងមួយដើមត្រូវបានរកឃើញក្នុងថង់មួយនៅក្បែរផ្លូវ។",
              "A home-made gun was found in a sack by the road."),
        ],
        ActorType.UNKNOWN, TargetType.PUBLIC, Means.FIREARM),
    "ORD-01": Pattern(
        [
            O("ក្រុមយុវជនវាយគ្នា", "Two groups of youths fight",
              "ក្រុមយុវជនពីរក្រុមបានវាយគ្នាក្រោយពិធីរាំវង់។",
              "Two groups of youths fought after a dance."),
            O("ប្រទូសរ៉ាយនៅវត្ត", "Brawl at a festival",
              "មានការប្រទូសរ៉ាយគ្នានៅទីលានវត្តក្នុងពេលបុណ្យ។",
              "A brawl broke out in the pagoda yard during the festival."),
        ],
        ActorType.CITIZEN, TargetType.PUBLIC, Means.OBJECT),
    "ORD-02": Pattern(
        [
            O("សំឡេងរំខានពេលយប់", "Noise at night",
              "អ្នកជិតខាងបានត្អូញត្អែរពីសំឡេងធុងបាសខ្លាំងក្រោយម៉ោង 22:00។",
              "Neighbours complained of loud music after 22:00."),
            O("ប្រណាំងម៉ូតូ", "Motorbike racing",
              "ក្រុមមនុស្សប្រហែលដប់នាក់បានប្រណាំងម៉ូតូនៅលើផ្លូវជាតិ។",
              "About ten people raced motorbikes on the national road."),
            O("រារាំងចរាចរណ៍", "Road blocked",
              "ឡានដឹកទំនិញចតរារាំងផ្លូវចូលសាលាឃុំ។",
              "Lorries parked across the road to the commune office."),
        ],
        ActorType.CITIZEN, TargetType.PUBLIC, Means.NONE),
    "ORD-03": Pattern(
        [
            O("វិវាទព្រំដី", "Quarrel over a boundary",
              "គ្រួសារពីរមានវិវាទអំពីព្រំដី ហើយបានឈ្លោះគ្នានៅមុខសាលាឃុំ។",
              "Two families quarrelled over a boundary in front of the commune office."),
            O("វិវាទទឹកស្រោចស្រព", "Quarrel over irrigation water",
              "កសិករមានវិវាទអំពីការបើកទ្វារទឹកស្រោចស្រព។",
              "Farmers quarrelled over the opening of an irrigation gate."),
            O("វិវាទបំណុល", "Quarrel over a debt",
              "មានការឈ្លោះគ្នាអំពីបំណុលនៅផ្សារ មានមនុស្សចោមរោមច្រើន។",
              "A quarrel over a debt drew a crowd at the market."),
        ],
        ActorType.CITIZEN, TargetType.PUBLIC, Means.VERBAL),
    "HAZ-01": Pattern(
        [
            O("ទឹកជំនន់លើផ្លូវ", "Flood over the road",
              "ទឹកជំនន់បានឡើងលើផ្លូវចូលសាលា កម្ពស់ប្រហែល ៤០ សង់ទីម៉ែត្រ។",
              "Water stands about 40 centimetres deep on the road to the school."),
            O("ខ្យល់កន្ត្រាក់", "Storm damage",
              "ខ្យល់កន្ត្រាក់បានបោកដំបូលសាលាឃុំ និងផ្ទះប្រជាពលរដ្ឋ។",
              "A storm took part of the roof of the commune office and of houses."),
            O("ច្រាំងបាក់", "River bank collapsed",
              "ច្រាំងទន្លេបានបាក់ ជិតទីតាំងពិនិត្យបញ្ជីឈ្មោះ។",
              "The river bank collapsed close to the place where lists are checked."),
        ],
        ActorType.NATURAL, TargetType.PUBLIC, Means.NONE),
    "HAZ-02": Pattern(
        [
            O("រកឃើញគ្រាប់មិនទាន់ផ្ទុះ", "Unexploded shell found",
              "កសិករបានរកឃើញគ្រាប់មិនទាន់ផ្ទុះមួយគ្រាប់ពេលភ្ជួរដី។",
              "A farmer ploughing found an unexploded shell."),
        ],
        ActorType.NONE, TargetType.PUBLIC, Means.EXPLOSIVE),
    "HAZ-03": Pattern(
        [
            O("ភ្លើងឆេះតូបផ្សារ", "Fire in market stalls",
              "ភ្លើងបានឆេះតូបនៅផ្សារដោយសារខ្សែភ្លើង។",
              "Stalls at the market burned because of faulty wiring."),
            O("ភ្លើងឆេះផ្ទះ", "House fire",
              "ភ្លើងបានឆេះផ្ទះឈើមួយខ្នង គ្មានអ្នករងរបួស។",
              "A wooden house burned down; nobody was hurt."),
        ],
        ActorType.NONE, TargetType.PUBLIC_PROPERTY, Means.FIRE),
    "HAZ-04": Pattern(
        [
            O("ដាច់ចរន្តអគ្គិសនី", "Power cut",
              "ចរន្តអគ្គិសនីបានដាច់នៅការិយាល័យចុះឈ្មោះអស់រយៈពេល ២ ម៉ោង។",
              "The registration office was without power for 2 hours."),
            O("ស្ពានខូច", "Bridge damaged",
              "ស្ពានឈើមួយបានខូច រថយន្តមិនអាចឆ្លងបាន។",
              "A wooden bridge broke; vehicles cannot cross."),
            O("ដាច់បណ្តាញទូរសព្ទ", "No telephone network",
              "បណ្តាញទូរសព្ទបានដាច់នៅក្នុងឃុំទាំងមូល។",
              "The whole commune was without a telephone network."),
        ],
        ActorType.NONE, TargetType.PUBLIC_PROPERTY, Means.NONE),
    "UNK-00": Pattern(
        [
            O("ហេតុការណ៍មិនទាន់ច្បាស់", "Not clear yet",
              "ប្រជាពលរដ្ឋបានរាយការណ៍ថាមានហេតុការណ៍ តែមិនទាន់ដឹងច្បាស់។",
              "Residents reported that something happened; it is not clear yet what."),
        ]),
    # In the Demo Province only.
    "INT-01": Pattern(
        [
            O("ពាក្យគំរាមដល់អ្នកបោះឆ្នោត", "Threatening words to voters",
              "គ្រួសារមួយបានរាយការណ៍ថាត្រូវគេនិយាយគំរាមអំពីការចុះឈ្មោះបោះឆ្នោត។",
              "A family reported threatening words about their registration to vote."),
        ],
        ActorType.UNKNOWN, TargetType.VOTER, Means.VERBAL),
    "INT-03": Pattern(
        [
            O("ស្រែកគំរាមមន្ត្រី", "Official shouted at",
              "មន្ត្រីចុះឈ្មោះម្នាក់ត្រូវគេស្រែកគំរាមនៅមុខការិយាល័យ។",
              "A registration official was shouted at and threatened outside the office."),
        ],
        ActorType.CITIZEN, TargetType.ELECTION_OFFICIAL, Means.VERBAL),
    "PRC-01": Pattern(
        [
            O("ការិយាល័យបិទមុនម៉ោង", "Office closed early",
              "អ្នកមកចុះឈ្មោះប្រហែល ២០ នាក់ត្រូវគេឱ្យត្រឡប់ទៅវិញ ដោយសារការិយាល័យបិទមុនម៉ោង។",
              "About 20 people who came to register were sent home because the office closed early."),
            O("បញ្ជីឈ្មោះត្រូវហែក", "List torn down",
              "បញ្ជីឈ្មោះដែលបិទផ្សាយត្រូវបានគេហែកចេញពីក្តារ។",
              "The posted voter list was torn from its board."),
        ],
        ActorType.UNKNOWN, TargetType.VOTER, Means.NONE),
    "INF-02": Pattern(
        [
            O("ពាក្យចចាមអារ៉ាមអំពីការចុះឈ្មោះ", "Rumour about registration",
              "មានការចែកចាយសារមិនពិតថាការចុះឈ្មោះត្រូវបានបញ្ចប់ហើយ។",
              "A false message says that registration has ended."),
        ],
        ActorType.UNKNOWN, TargetType.VOTER, Means.ONLINE),
    "NEU-02": Pattern(
        [
            O(
                "ប្រើរថយន្តរដ្ឋ",
                "State vehicle used",
                "មានការរាយការណ៍ថារថយន្តរដ្ឋត្រូវបានប្រើក្នុងសកម្មភាពរបស់គណបក្ស។",
                "A state vehicle is said to have been used for the activity of a party.",
            ),
        ],
        ActorType.CIVIL_AUTHORITY,
        TargetType.EVENT,
        Means.VEHICLE,
    ),
    "CAM-02": Pattern(
        [
            O("បដាត្រូវហែក", "Banner torn",
              "បដាឃោសនាមួយត្រូវបានគេហែកនៅតាមផ្លូវ។",
              "A campaign banner beside the road was torn."),
        ],
        ActorType.UNKNOWN, TargetType.PARTY_PROPERTY, Means.HANDS),
    "CAM-03": Pattern(
        [
            O("ទំនាស់នៅពេលដង្ហែ", "Words between two marches",
              "អ្នកគាំទ្រពីរក្រុមបានប្រកែកគ្នានៅពេលក្បួនដង្ហែជួបគ្នា។",
              "Supporters of two groups argued when their marches met."),
        ],
        ActorType.SUPPORTER, TargetType.SUPPORTER, Means.VERBAL),
}  # fmt: skip

_DETAILS = [
    ("ហេតុការណ៍បានកើតឡើងក្បែរផ្លូវធំ មានមនុស្សឃើញច្រើន។", "It happened beside the main road and several people saw it."),
    ("ទីតាំងនៅឆ្ងាយពីការិយាល័យបោះឆ្នោតជាង ២ គីឡូម៉ែត្រ។", "The place is more than 2 kilometres from any polling station."),
    ("មិនមានការប៉ះពាល់ដល់ការងារបោះឆ្នោតទេ។", "Election work was not affected."),
    ("អ្នកឃើញហេតុការណ៍បានប្រាប់ប៉ុស្តិ៍តាមទូរសព្ទ។", "People who saw it told the post by telephone."),
    ("ព័ត៌មានលម្អិតនៅមិនទាន់គ្រប់គ្រាន់។", "Details are still incomplete."),
]
_DONE = [
    ("កម្លាំងប៉ុស្តិ៍បានចុះដល់កន្លែង និងកំពុងពិនិត្យ។", "The post has gone there and is looking into it."),
    ("បានកត់ត្រាសក្ខីកម្ម និងថតរូបទីតាំង។", "Statements were taken and the place was photographed."),
    ("អាជ្ញាធរឃុំបានជួយសម្របសម្រួល។", "The commune authorities helped to settle it."),
    ("ស្ថានភាពបានស្ងប់ស្ងាត់វិញ។", "The situation is calm again."),
]
UPDATES = [
    ("បានចុះពិនិត្យទីតាំង និងជួបអ្នកពាក់ព័ន្ធ។", "The place was inspected and those concerned were met."),
    ("កំពុងប្រមូលព័ត៌មានបន្ថែមពីអ្នកឃើញហេតុការណ៍។", "More is being learned from people who saw it."),
    ("បានពង្រឹងការល្បាតនៅតំបន់នេះ។", "Patrols in the area have been strengthened."),
]
CONTAINED = ("ស្ថានភាពត្រូវបានគ្រប់គ្រង។", "The situation is under control.")
CLOSED = ("ឯកសារគ្រប់គ្រាន់ ករណីត្រូវបានបិទ។", "The file is complete and the case is closed.")


@dataclass(frozen=True)
class Story:
    """The words of one report."""

    title: str
    narrative: str


def story(category: str, chance: random.Random, *, khmer: bool) -> Story:
    """A title and narrative for the category, drawn with `chance`."""
    opening = chance.choice(PATTERNS[category].openings)
    detail, done = chance.choice(_DETAILS), chance.choice(_DONE)
    if khmer:
        return Story(opening.title_km, " ".join([opening.km, detail[0], done[0]]))
    return Story(opening.title_en, " ".join([opening.en, detail[1], done[1]]))
