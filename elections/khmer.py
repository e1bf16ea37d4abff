"""Khmer text: one safe encoding to store, and keys to search by. Pure functions, no database.

Many strings of Khmer code points look the same, and Unicode's own normal forms repair none of them: of 16,465 place
names NFC changes none and the canonical form repairs 33. Digits, marks and sorting for display are not
here.
"""

from __future__ import annotations

import re
import unicodedata

_LETTER = "\u1780-\u17a2\u17a5-\u17b3"
_SIGN = "\u17b6-\u17d1\u17d3\u17dd"
_COENG = "\u17d2"
_E, _AA, _II, _OE, _OO = "\u17c1", "\u17b6", "\u17b8", "\u17be", "\u17c4"
_RO, _DA, _TA = "\u179a", "\u178a", "\u178f"

#: Written, invisible, and different for every keyboard; a no-break space is a space.
_INVISIBLE = dict.fromkeys([0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0x00AD, 0x17B4, 0x17B5])
_REPLACED = _INVISIBLE | {0x00A0: " ", 0x17A3: "\u17a2", 0x17A4: "\u17a2\u17b6"}

_SYLLABLE = re.compile(f"[{_LETTER}](?:{_COENG}[{_LETTER}]|[{_SIGN}])+")
_PART = re.compile(f"{_COENG}.|.")

#: Place of each sign in a syllable; subscripts stand between ROBAT and the shifters.
_ORDER = {
    **dict.fromkeys("\u17cc", 1),
    **dict.fromkeys("\u17c9\u17ca", 4),
    **dict.fromkeys("\u17be\u17bf\u17c0\u17c1\u17c2\u17c3\u17c4\u17c5", 5),
    **dict.fromkeys("\u17bb\u17bc\u17bd", 6),
    **dict.fromkeys("\u17b7\u17b8\u17b9\u17ba", 7),
    **dict.fromkeys("\u17b6", 8),
    **dict.fromkeys("\u17c7\u17c8", 10),
}
_OTHER_SIGN = 9

_BETWEEN_KHMER = re.compile("(?<=[\u1780-\u17dd])\\s+(?=[\u1780-\u17dd])")
_COLON_AS_SIGN = re.compile("(?<=[\u1780-\u17dd]):(?=[\u1780-\u17dd])")
_PUNCTUATION = dict.fromkeys(map(ord, "។៖«»()/.,-"), " ")
_KEY_SIGNS = {0x17B2: "\u17b1", 0x17D3: "\u17c6", 0x17DD: None} | {0x17E0 + digit: str(digit) for digit in range(10)}
_LOOSE = dict.fromkeys([0x17C7, 0x17C8, 0x17C9, 0x17CA, 0x17CB, 0x17CC, 0x17CD, 0x17CE, 0x17CF, 0x17D0])


def canonical(text: str) -> str:
    """The same look in one encoding, without invisible characters; applying it twice changes nothing more.

    For names and short fields. A narrative is kept as typed, and only its search key goes through here.
    """
    text = unicodedata.normalize("NFC", text).translate(_REPLACED)
    return _SYLLABLE.sub(lambda match: _ordered(match.group()), text)


def search_key(text: str) -> str:
    """What two spellings of one name share. Match by substring: spaces mean nothing between Khmer letters."""
    text = unicodedata.normalize("NFKC", canonical(text)).casefold()
    text = unicodedata.normalize("NFKC", text).translate(_KEY_SIGNS)
    text = _COLON_AS_SIGN.sub("\u17c8", text).replace("អោយ", "ឱ្យ").translate(_PUNCTUATION)
    return canonical(" ".join(_BETWEEN_KHMER.sub("", text).split()))


def loose_key(text: str) -> str:
    """A key for «did you mean»: signs that writers leave out are dropped. For ranking, never for identity."""
    return search_key(text).translate(_LOOSE)


def _ordered(syllable: str) -> str:
    base, parts = syllable[0], _PART.findall(syllable[1:])
    subscripts = [_COENG + (_TA if part[1] == _DA else part[1]) for part in parts if part[0] == _COENG]
    signs = list(dict.fromkeys(part for part in parts if part[0] != _COENG))
    for second, whole in ((_II, _OE), (_AA, _OO)):
        if _E in signs and second in signs:
            signs = list(dict.fromkeys(whole if sign == _E else sign for sign in signs if sign != second))
    subscripts.sort(key=lambda pair: pair[1] == _RO)
    robat = [sign for sign in signs if _ORDER.get(sign) == 1]
    signs = sorted((s for s in signs if _ORDER.get(s) != 1), key=lambda sign: _ORDER.get(sign, _OTHER_SIGN))
    return "".join([base, *robat, *subscripts, *signs])
