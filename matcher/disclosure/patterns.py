"""What can be told by its form: contact details, addresses, codes, identifying figures.

Every expression is bounded, so that no text makes it slow. `spots` gives findings with offsets in the visible text;
the earlier of two that overlap in this file's order wins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from matcher.disclosure.model import Finding
from matcher.disclosure.vocabulary import is_formula, is_term, is_word, terms
from matcher.disclosure.wording import about, amount, money, phrase, staff, year

_I = re.IGNORECASE
_N = r"\d{1,3}(?:[.,]\d{3}){1,3}(?:,\d\d|\.\d\d)?|\d{1,9}(?:[.,]\d{1,2})?"
_CONTACT = (
    ("e-mail", re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")),
    (
        "website",
        re.compile(
            r"(?<!\w)(?:https?://[^\s<>\"]{1,300}[\w/]|www\.[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}(?:/[\w/%.-]{0,200}\w)?)",
            _I,
        ),
    ),
    (
        "website",
        re.compile(
            r"(?<![\w.@-])[a-z0-9][a-z0-9-]{1,60}(?:\.[a-z0-9-]{2,60})?\.(?:nl|com|eu|be|de|io|net|org|tech|uk|co\.uk|info|biz|shop|app|dev|ai|beer|bio|energy|company|systems)(?:/[\w/%.-]{0,200}\w)?(?![\w-]|\.\w)",
            _I,
        ),
    ),
    (
        "account",
        re.compile(
            r"(?<!\w)(?:IBAN:? ?)?[A-Z]{2}\d{2} ?[A-Z]{4} ?(?:\d ?){9}\d(?!\w)|(?<!\w)(?:IBAN:? ?)?(?:BE|DE)\d{2} ?(?:\d{4} ?){3,4}\d{0,2}(?!\w)"
        ),
    ),
    (
        "registration",
        re.compile(
            r"(?<!\w)(?:(?:btw|vat|ust|mwst|tva)[-. ]?(?:id|nr|no|nummer|number|reg)?\.?:? {0,2})?(?:NL ?\d{3}\.?\d{3}\.?\d{3}\.?B\.?\d{2}|BE ?0?\d{3}\.?\d{3}\.?\d{3}|DE ?\d{9}|GB ?\d{9})(?!\w)",
            _I,
        ),
    ),
    (
        "registration",
        re.compile(
            r"(?<!\w)(?:kvk|k\.v\.k\.|kamer van koophandel|chamber of commerce|coc|vestigingsnummer|rsin|handelsregister|company number|eori|duns)(?:[- ]?(?:nummer|number|nr|no|id|reg|registration))?\.?(?: (?:is|of))?[:#]? {0,2}(?:NL)?\d[\d. ]{5,12}\d(?!\w)",
            _I,
        ),
    ),
    (
        "phone",
        re.compile(r"(?<![\w.,+])(?:\+|00)\d{1,3}[ .()/-]{0,2}(?:\(0\)[ ]?)?\d(?:[ ./-]{0,2}\d){6,11}(?!\w)"),
    ),
    (
        "phone",
        re.compile(r"(?<![\w.,+])\(?0\d(?:\)|[ ./-]{0,3}|\d){0,4}(?:[ ./-]{0,2}\d){6,8}(?![\w]|[.,]\d)"),
    ),
)
_STREET_WORD = (
    r"(?:straat|weg|laan|plein|kade|dijk|singel|gracht|dreef|steeg|pad|hof|park|markt|plantsoen|baan|wal|kamp|brink|"
    r"esch|esweg|straße|strasse|straße|ring|ring|poort|haven|boulevard|kanaal|steenweg|es|veld|allee|damm|burg|horst|akker)"
)
_HOUSE = r" \d{1,4}(?: ?[-/] ?\d{1,4})?(?: ?[a-zA-Z](?!\w))?"
_QUARTER = r"(?: (?:[Nn]oord|[Zz]uid|[Oo]ost|[Ww]est|[Nn]orth|[Ss]outh|[Ee]ast|[Ww]est))?"
_FIRST = r"(?:[A-Z][\w.]{0,30} (?:(?:[A-Z][\w.]{0,30}|van|de|den|der|het|'t|op) ){0,3})?"
_ADDRESS = (
    (
        "postcode",
        re.compile(
            r"(?<![\w.,])[1-9]\d{3} ?(?!SA|SD|SS|AC|DC|VA|HB|HV|HK|UV|IU|KW|MW|GB|MB|PK|RH|OK|EU|NM|PS|HP|LM|LX|PA|MM|KG)[A-Z]{2}(?!\w)"
        ),
    ),
    (
        "street",
        re.compile(
            rf"(?<![\w-]){_FIRST}[A-Z]\w{{0,30}}(?:straat|weg|laan|plein|kade|singel|gracht|plantsoen|straße|strasse){_QUARTER}(?:{_HOUSE})?(?!\w)"
        ),
    ),
    (
        "street",
        re.compile(
            rf"(?<![\w-]){_FIRST}[A-Z]\w{{0,30}}{_STREET_WORD}{_QUARTER}{_HOUSE}(?![\w%°]| ?(?:mm|cm|m|kg|kW|W|V|bar|Hz)\b)"
        ),
    ),
    (
        "street",
        re.compile(
            rf"(?<![\w-])\w{{3,30}}(?:straat|laan|plein|singel|gracht|dreef|steeg|weg|kade|dijk){_QUARTER}{_HOUSE}(?![\w%°,.]?\d| ?(?:mm|cm|m|kg|kW|W|V|bar|Hz|km|keer|uur)\b)"
        ),
    ),
    (
        "street",
        re.compile(
            r"(?<![\w-])\d{1,4}[a-z]? (?:[A-Z]\w{1,30} ){1,3}(?:Street|Road|Lane|Avenue|Drive|Way|Close|Court|Square|Row)(?!\w)|(?<![\w-])(?:[A-Z]\w{1,30} ){1,3}(?:Street|Road|Lane|Avenue)(?: \d{1,4}\w?)?(?!\w)"
        ),
    ),
    ("street", re.compile(r"(?<!\w)(?:[Pp]ostbus|P\.?O\.? ?[Bb]ox) \d{1,6}(?!\w)")),
    (
        "site",
        re.compile(
            r"(?<!\w)(?:[Ii]ndustrieterrein|[Bb]edrijventerrein|[Bb]edrijvenpark|[Bb]usiness [Pp]ark|[Ii]ndustrial [Ee]state|[Hh]aventerrein|[Tt]ransportcentrum|[Ww]erklandschap)(?: (?:de|het|the|'t|[A-Z][\w-]{1,30})){0,2} [A-Z][\w-]{1,30}(?!\w)"
        ),
    ),
)
_PARTICLE = r"(?:[Vv]an|[Vv]on|[Dd]e|[Dd]en|[Dd]er|[Tt]er|[Tt]en|[Tt]e|'t|[Ee]l|[Aa]l|[Dd]i|[Dd]a|[Ll]a|[Oo]p|[Ii]n|het)"
_INITIALS = re.compile(
    rf"(?<![\w.°-])(?:[A-Z](?:h|j)?\.[ -]?){{1,5}}(?:{_PARTICLE} ){{0,3}}[A-ZÀ-Þ][\w'’]{{1,30}}(?:-[A-Z]\w{{1,30}})?(?!\w)"
)
_PATENT = re.compile(
    r"(?<!\w)(?:EP|NL|US|WO|DE|GB|CN|JP|FR|BE|KR|PCT/?[A-Z]{0,2})[- ]?(?:\d{4}/\d{4,7}|\d{1,3}(?:[.,]\d{3}){2,3}|\d{6,13})(?:[ .-]?[ABCU]\d?)?(?!\w)|(?<!\w)PCT/[A-Z]{2}\d{2,4}/\d{4,7}(?!\w)"
)
_ORDER = re.compile(
    r"(?:(?:nummer|number|order|bestel|contract|offerte|project|factuur|zaak|dossier|octrooi|patent|serie|partij|batch|lot|klacht|ticket|artikel|invoice|quote|quotation|serial|case|job|reference|referentie|ref|purchase order|po|subsidie|grant)[- ]?(?:nummer|number|num|nr|no|id|code)?\.?(?: (?:is|was))?[:# ]{0,2})"
    r"(?P<id>(?:[A-Z]{1,5}[-/.]?)?\d[\d./-]{2,16}\d(?:[-/]?[A-Z]\w?)?)(?!\w)",
    _I,
)
_LONG_ID = re.compile(r"(?<![\w.,+-])(?:[A-Z]{1,4}-?)?\d{7,16}(?![\w%]|[.,]\d)")
_STAFF_WORD = r"(?:medewerkers|medewerksters|werknemers|personeelsleden|man(?! ?- ?uur)(?: personeel)?|mensen|mannen|collega'?s|collega’s|fte'?s?|FTE|arbeidskrachten|koppen|vakmensen|monteurs|lassers|operators|engineers|ontwikkelaars|ingenieurs|technici|people|employees|staff|workers|colleagues|heads|men|persons|technicians|welders|developers|man strong)"
_STAFF = re.compile(
    rf"(?<![\w.,€-])(?P<n>\d{{1,3}}(?:[.,]\d{{3}})?|\d{{4,5}})(?:[ -](?:vaste|eigen|enthousiaste|full-time|fulltime|permanent|skilled|good|dedicated|own))?[ -]{_STAFF_WORD}(?!\w)"
    r"|(?:(?:team|staff|workforce|personeel|crew|headcount|personeelsbestand|medewerkers|employees|employs?|employing)(?: (?:van|of|is|about|aantal))?[: ]{1,2}|(?:bij|wij zijn|we zijn) (?:ons )?met (?:z'n |zijn |ons )?)(?P<m>\d{1,5})(?:en)?(?![\w%]| ?[.,]\d| ?(?:mm|cm|m|%|°|kg|s|h|Hz|rpm|bar|jaar|years|uur|hours)\b)",
    _I,
)
_ABOUT = re.compile(
    r"\b(?:about|around|roughly|some|ca\.?|circa|ongeveer|rond de|zo'n|een stuk of|nearly|bijna)\s*$", _I
)
_YEAR = re.compile(
    r"(?<![\w.,/-])(?:(?P<word>sinds|since|vanaf|in|anno|from|uit|est\.?|established|founded|opgericht|bouwjaar|gebouwd in|begonnen in|of|dating from|the year|het jaar) )?(?P<year>1[6-9]\d\d|20[0-3]\d)(?![\w%]|[.,:/-]\d| ?(?:mm|cm|m|µm|um|nm|km|m2|m3|m²|m³|kg|g|mg|t|ton|tonne|tonnes|Hz|kHz|MHz|GHz|W|kW|MW|V|A|K|N|kN|Nm|Pa|kPa|MPa|bar|rpm|s|ms|h|uur|hours?|hrs|l|L|liter|litres?|ppm|dpi|°C|°|°F|euro|EUR|x|cycli|cycles|keer|times|stuks|pieces|units|parts|delen|producten|products|samples|monsters|per|toeren|omwentelingen|lux|lm|graden|degrees|hits|points|punten|beelden|images)\b)",
    _I,
)
_YEAR_CUE = re.compile(
    r"(?:sinds|since|vanaf|anno|est\.?|established|founded|started|opgericht|gestart|begonnen|bestaa\w+|bouwjaar|stamt|dates?|dating|built|gebouwd|oprichting|geleverd|delivered|in bedrijf|overgenomen|acquired|bought|gekocht|installed|geïnstalleerd|commissioned)[\w ]{0,25}$",
    _I,
)
_STANDARD_BEFORE = re.compile(
    r"(?<!\w)(?:ISO|IEC|EN|NEN|DIN|ASTM|ANSI|IEEE|VDI|UL|BS|MIL|JIS|AISI|SAE|RAL|API|ASME|AMS|EC|ECE|TR|TS|Horizon|Directive|Richtlijn|Agenda|Windows|Office|versie|version|alloy|legering|aluminium|aluminum|AA|staal|steel|type|serie|series|Matlab|Europe)[ -]?[\w.:/-]{0,12}[ :-]?$"
)
_MONEY = re.compile(
    rf"(?<!\w)(?:€|\$|£|EUR|USD|GBP|euro)[  ]?(?P<a>{_N})(?P<as>(?: ?(?:miljoen|mln|miljard|mld|million|mio|billion|bn|ton|duizend|thousand|k|M|m)(?!\w))?)(?:,[-–=]{{1,2}})?"
    rf"|(?<![\w.,])(?P<b>{_N})(?P<bs>(?: ?(?:miljoen|mln\.?|million|mio|ton|duizend|thousand|k|M))?)(?:,[-–=]{{1,2}})? ?(?:€|euro'?s?|EUR|dollars?|pounds?)(?!\w)",
    _I,
)
_MONEY_CUE = re.compile(
    r"(?:omzet|turnover|revenue|sales|jaaromzet|budget|aanneemsom|contract|order|orderwaarde|subsidie|bijdrage|grant|investering|invest|investment|winst|profit|loan|lening|value|waarde|price|begroting|omzetten|schade|claim|damage)\W+(?:\w+\W+){0,5}$",
    _I,
)
_MONEY_AFTER = re.compile(
    r"^\W{0,3}(?:(?:in|aan|of|per jaar|a year|annual|jaarlijkse?)\W+)?(?:omzet|turnover|revenue|sales|contract|order|budget|project|subsidie|grant)",
    _I,
)
_SCALES = {
    "miljoen": 1e6,
    "mln": 1e6,
    "mln.": 1e6,
    "million": 1e6,
    "mio": 1e6,
    "m": 1e6,
    "miljard": 1e9,
    "mld": 1e9,
    "billion": 1e9,
    "bn": 1e9,
    "ton": 1e5,
    "duizend": 1e3,
    "thousand": 1e3,
    "k": 1e3,
}
_COUNT = re.compile(
    r"(?<![\w.,€$+-])\d{1,3}(?:([.,])\d{3})(?:\1\d{3}){0,3}(?![\w%]|[.,]\d)|(?<![\w.,€$+/-])\d{5,6}(?![\w%/-]|[.,]\d)"
)
_UNIT_AFTER = re.compile(
    r"^ ?[-–]? ?(?:mm|cm|µm|um|nm|km|kg|g|mg|Hz|kHz|MHz|GHz|kW|MW|W|V|kV|A|mA|K|N|kN|Nm|Pa|kPa|MPa|GPa|bar|mbar|rpm|tpm|s|ms|µs|°|ppm|ppb|dpi|lux|lm|cd|J|kJ|MJ|toeren|omw|omwentelingen|cycli|cycles|slagen|strokes|uur|uren|hours|hrs|h|graden|degrees|euro|x|px|pixels|fps|Pas?|mPas?|rev|revolutions|lastwisselingen|load|keer|times|seconden|seconds|minuten|minutes|dagen|days|meter|metres?|meters|gauss|bytes?|MB|GB|kB|samples|steps|stappen|iterations|epochs|volt|watt|ampère|newton|siemens|ohm|Ω)(?!\w)"
)
_SERIES = re.compile(
    r"(?<![\w-])(?:serie|series|model|type)[ -](?!3(?:04|16)|20[012]\d|6[01]\d\d|[57]\d{3}|18650|21700)\d{3,5}[A-Za-z]?(?![\w%]|[.,]\d| ?(?:mm|m|cm|kg|g|V|W|kW|Hz|bar|N)\b)",
    _I,
)
_CODE = re.compile(
    r"(?<![\w.,/@€-])(?=[\w./+-]{0,24}\d)(?=[\w./+-]{0,24}[A-Z])[A-Za-z0-9]{1,12}(?:[-/.][A-Za-z0-9]{1,10}){0,4}(?![\w@])"
)
_STANDARDS = re.compile(
    r"(?:ISO|IEC|EN|NEN|DIN|ASTM|ANSI|IEEE|VDI|UL|BS|MIL|JIS|AISI|SAE|RAL|API|ASME|AMS|NPR|EASA|FDA|ECE|UN|TRL|IP|IK|MBO|HBO|SIL|PL|CAT|FR|EC|EU|HRC|HV|HB|SS|RVS|AA|Alloy|Grade|Class|Klasse|Ra|Rz|Type|BWV|NTA|SKF)[ -]?(?:EN[ -]|ISO[ -]|IEC[ -])?[\w.:/-]{0,16}$"
)
# Steels, polymers, threads, fits, refrigerants, classes of protection, interfaces, cells, tolerances, chips of the trade.
_TRADE = re.compile(
    r"(?:S[1-9]\d{2}[A-Z0-9+]{0,6}|[1-9]\d{2}[LHN]{1,2}|(?:PA|PE|PP|PET|PC|PVC|POM|PEEK|PUR|ABS|PBT|LDPE|HDPE|TPU|PPS|PLA|PEI)[- ]?\d{0,4}(?:[-/]?(?:GF|CF|I|GF/?CF)\d{0,2})?|M\d{1,2}(?:x[\d.]+)?|G\d/\d|[A-Za-z]{1,2}\d{1,2}(?:/[a-z]\d)?|R-?\d{2,4}[a-z]{0,2}|IP[0-9X]{2}K?|"
    r"(?:GG|GGG|GJS|GJL|EN-GJS|EN-GJL|GX|C|X|St|CK|ST|A|B|L|T|E|F|K)-?\d{1,4}(?:-\d{1,3}){0,2}|X\d{1,3}[A-Z][A-Za-z0-9-]{2,16}|\d{1,3}(?:Cr|Mn|Ni|Si|Mo)[A-Za-z0-9-]{1,14}|RS-?\d{3}[A-Z]?|(?:CR|LR|AA)\d{2,4}|Ti\d?[A-Z]?\w{0,8}|Al[A-Z]\w{0,10}|(?:AlSi|CuSn|CuZn|NiTi|SnAg|CoCr)[A-Za-z0-9.]{1,10}|"
    r"[1-9]?\d(?:D|G|d|B)|Pt\d{3,4}|PT\d{3,4}|NMC\d{3}|(?:ESP|AISI|RAL|NEN|ASTM|SAE|STM|ATmega|FR|UV|CO|NO|H|O|N|SO|IPv|USB|HTTP|GPT|ROS|DDR|Wi-?Fi|WiFi|LED|EN|ISO|IEC|DIN|CAT|TRL|SIL|PL|UN|UL|HRC|HB|HV|Ra|Rz|Q|T|N|D|P|V|MP|MPEG|JPEG|H|SHA|RSA|AES|COVID|TO|SOT|SMD|QFN|BGA|Class|VO|VN|PM)-?\d{1,3}(?:[.,]\d+)?[a-zA-Z]{0,2}|\d{1,4}(?:nm|um|µm|mm|V|A|W|kW|Hz|kHz|GHz|K|N|bar|C|F|x\d+A?|kg|g|L|T|M|k|KW|VDC|VAC|AC|DC|MPa|GPa|J|mA|Nm|MW|MB|GB|TB|MP|P|H|E|e)|"
    r"\d{1,2}[A-Z]\d{1,2}|\d{1,3}(?:x|X|×)\d{1,4}[A-Za-z]{0,2}|\dx\d+A|1e-?\d+|[A-Z]\d?-?[0-9]{1,2}|Q[1-4]|20\d\dA|W\d{1,2}|\d{2,4}[- ]?[A-Z]\d{1,2}|(?:18|21)(?:650|700)|[2-7]\d{3}-?T\d{1,4}|ML\d|Gen\d|U\d)"
)
_CODE_CUE = re.compile(
    r"(?:\b(?:type|typenummer|model|part|onderdeel|onderdeelnummer|artikel|matrijs|mould|mold|serie|series|lijn|line|machine|cel|cell|project|tool|tekening|drawing|code|no|nr|number|nummer|onze|our|product|unit|systeem|system|print|printplaat|board|matrix|stempel|die|robot)[.:]? ?(?:no\.? |nr\.? |nummer |number |de |het |the |\()?)$",
    _I,
)


def spots(seen: str, language: str) -> list[Finding]:
    """Everything found by its form, in order of reliability, without overlaps."""
    found: list[Finding] = []
    taken: set[int] = set()
    for finder in _FINDERS:
        for finding in finder(seen, language):
            covered = range(finding.start, finding.end)
            if finding.end > finding.start and not (taken & {finding.start, finding.end - 1, *covered}):
                taken.update(covered)
                found.append(finding)
    return found


def _contact(seen: str, language: str) -> Iterator[Finding]:
    for part, expression in _CONTACT:
        for match in expression.finditer(seen):
            n_digits = sum(char.isdigit() for char in match.group())
            if part != "phone" or 9 <= n_digits <= 14:
                yield Finding(match.start(), match.end(), "contact", phrase(part, language))


def _patents_and_orders(seen: str, language: str) -> Iterator[Finding]:
    for match in _PATENT.finditer(seen):
        yield Finding(match.start(), match.end(), "number", phrase("patent", language))
    for match in _ORDER.finditer(seen):
        if sum(char.isdigit() for char in match["id"]) >= 5:
            yield Finding(match.start("id"), match.end("id"), "number", phrase("order", language))
    for match in _LONG_ID.finditer(seen):
        if not match.group().endswith("0000"):
            yield Finding(match.start(), match.end(), "number", phrase("order", language))


def _addresses(seen: str, language: str) -> Iterator[Finding]:
    for part, expression in _ADDRESS:
        for match in expression.finditer(seen):
            yield Finding(match.start(), match.end(), "place", phrase(part, language))


def _initials(seen: str, language: str) -> Iterator[Finding]:
    for match in _INITIALS.finditer(seen):
        if match.group().split()[-1].rpartition(".")[2].lower() not in terms("stop"):
            yield Finding(match.start(), match.end(), "person", phrase("person", language))


def _staff(seen: str, language: str) -> Iterator[Finding]:
    for match in _STAFF.finditer(seen):
        group = "n" if match["n"] else "m"
        number = int(amount(match[group], language))
        end = match.end() if group == "n" else match.end("m")
        vague = number % 10 == 0 and _ABOUT.search(seen[max(0, match.start(group) - 16) : match.start(group)])
        if number >= 2 and not vague and not (number % 100 == 0 and number >= 1000):
            yield Finding(match.start(group), end, "number", staff(number, language))


_OLD_YEAR = 2000


def _years(seen: str, language: str) -> Iterator[Finding]:
    for match in _YEAR.finditer(seen):
        before = seen[max(0, match.start("year") - 45) : match.start("year")]
        number = int(match["year"])
        told = _YEAR_CUE.search(before) is not None or (
            number < _OLD_YEAR and before.endswith("(") and seen.startswith(")", match.end())
        )
        if _STANDARD_BEFORE.search(before[-16:]) or not (
            told or (match["word"] or "").lower() in ("in", "uit", "from")
        ):
            continue
        word = match["word"] or ""
        since = word.lower() in ("sinds", "since", "in")
        yield Finding(
            match.start() if since else match.start("year"),
            match.end(),
            "number",
            year(number, word if since else "", language),
        )


def _significant(text: str) -> int:
    return len(re.sub(r"\D", "", text).strip("0"))


def _money(seen: str, language: str) -> Iterator[Finding]:
    for match in _MONEY.finditer(seen):
        number, scale = (match["a"], match["as"]) if match["a"] else (match["b"], match["bs"])
        told = _MONEY_CUE.search(seen[max(0, match.start() - 60) : match.start()]) or _MONEY_AFTER.search(
            seen[match.end() : match.end() + 40]
        )
        value = amount(number, language) * _SCALES.get((scale or "").strip().lower(), 1.0)
        if _significant(number) >= 3 or (told and value >= 10_000):
            yield Finding(match.start(), match.end(), "number", money(value, language))


def _counts(seen: str, language: str) -> Iterator[Finding]:
    for match in _COUNT.finditer(seen):
        mark = match.group(1)
        thousands = mark is None or mark == ("." if language == "nl" else ",")
        standard = _STANDARD_BEFORE.search(seen[max(0, match.start() - 16) : match.start()])
        if (
            thousands
            and not standard
            and _significant(match.group()) >= 3
            and not _UNIT_AFTER.search(seen[match.end() : match.end() + 20])
        ):
            yield Finding(
                match.start(), match.end(), "number", about(amount(match.group(), language), language)
            )


def is_trade_code(code: str) -> bool:
    """Whether it is a grade, size, class or standard of the trade, which tells of nobody."""
    if _TRADE.fullmatch(code) or is_formula(code) or is_term(code):
        return True
    if re.fullmatch(r"[A-Z]{1,5}-\d{1,4}[A-Z]?", code):
        return False  # "TW-15": a type, whatever the letters may mean elsewhere
    parts = re.split(r"[-/.]", code)
    return len(parts) > 1 and all(
        (part.isdigit() and len(part) < 3)
        or (
            part
            and not part.isdigit()
            and (is_term(part) or _TRADE.fullmatch(part) or (part.islower() and is_word(part)))
        )
        for part in parts
    )


def _series(seen: str, language: str) -> Iterator[Finding]:
    for match in _SERIES.finditer(seen):
        yield Finding(match.start(), match.end(), "product", phrase("product", language))


def _codes(seen: str, language: str) -> Iterator[Finding]:
    for match in _CODE.finditer(seen):
        code, before = match.group(), seen[max(0, match.start() - 30) : match.start()]
        told = _CODE_CUE.search(before) is not None
        strong = told and re.fullmatch(r"[A-Z]{1,6}[-./]?\d{2,}.*", code) is not None
        if (is_trade_code(code) and not strong) or _STANDARDS.search(
            before.split("\n")[-1].rsplit(", ", 1)[-1].strip()[-14:]
        ):
            continue
        yield Finding(match.start(), match.end(), "product", phrase("part", language))


_FINDERS: tuple[Callable[[str, str], Iterator[Finding]], ...] = (
    _contact,
    _patents_and_orders,
    _money,
    _staff,
    _addresses,
    _years,
    _counts,
    _initials,
    _series,
    _codes,
)
