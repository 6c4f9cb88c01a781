"""CISAC Territory Information System: the groups of countries in force, and where codes that it lacks belong.

Facts of the TIS code list (groups of level 1 to 3 with the countries that belong to them on 2026-01-01). TIS has no code of its own for
dependent territories: `ROLL_UP` gives each the country it is counted with.
"""

# TIS numeric code: name and ISO 3166-1 alpha-2 members.
GROUPS: dict[str, tuple[str, str]] = {
    "2100": (
        "AFRICA",
        "AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW KE KM LR LS LY MA MG ML MR MU MW MZ NA NE NG "
        "RW SC SD SL SN SO SS ST SZ TD TG TN TZ UG ZA ZM ZW",
    ),
    "2101": (
        "AMERICA",
        "AG AR BB BO BR BS BZ CA CL CO CR CU DM DO EC GD GT GY HN HT JM KN LC MX NI PA PE PR PY SR SV TT US UY VC VE",
    ),
    "2102": ("AMERICAN CONTINENT", "AR BO BR BZ CA CL CO CR EC GT GY HN MX NI PA PE PY SR SV US UY VE"),
    "2103": ("ANTILLES", "AG BB CU DM DO GD HT JM KN LC PR TT VC"),
    "2104": ("APEC COUNTRIES", "AU BN CA CL CN HK ID JP KR MO MX MY NZ PE PG PH PR RU SG TH TW US VN"),
    "2105": ("ASEAN COUNTRIES", "BN ID KH LA MM MY PH SG TH VN"),
    "2106": (
        "ASIA",
        "AE AF AM AZ BD BH BN BT CN CY GE HK ID IL IN IQ IR JO JP KG KH KP KR KW KZ LA LB LK MM MN MO MV MY NP OM PH PK QA "
        "SA SG SY TH TJ TL TM TR TW UZ VN YE",
    ),
    "2107": ("AUSTRALASIA", "AU FJ NC NZ SB VU"),
    "2108": ("BALKANS", "AL BA BG GR HR ME MK RO RS SI"),
    "2109": ("BALTIC STATES", "EE LT LV"),
    "2110": ("BENELUX", "BE LU NL"),
    "2111": ("BRITISH ISLES", "GB IE"),
    "2112": ("BRITISH WEST INDIES", "AG BB BS DM GD JM KN LC TT VC"),
    "2113": ("CENTRAL AMERICA", "BZ CR GT HN NI PA SV"),
    "2114": (
        "COMMONWEALTH",
        "AG AU BB BD BN BS BW BZ CA CM CY DM FJ GB GD GH GM GY IN JM KE KI KN LC LK LS MT MU MV MW MY MZ NA NG NR NZ PG PK "
        "SB SC SG SL SZ TO TT TV TZ UG VC VU WS ZA ZM",
    ),
    "2115": ("COMMONWEALTH AFRICAN TERRITORIES", "BW CM GH GM KE LS MU MW MZ NA NG SC SL SZ TZ UG ZA ZM"),
    "2116": ("COMMONWEALTH ASIAN TERRITORIES", "BD BN CY IN LK MV MY PK SG"),
    "2117": ("COMMONWEALTH AUSTRALASIAN TERRITORIES", "AU FJ NZ SB VU"),
    "2118": ("COMMONWEALTH OF INDEPENDENT STATES", "AM AZ BY KG KZ MD RU TJ TM UZ"),
    "2119": ("EASTERN EUROPE", "AL BG BY CZ EE HU LT LV MD PL RO RU SK UA"),
    "2120": (
        "EUROPE",
        "AD AL AT BA BE BG BY CH CZ DE DK EE ES FI FR GB GR HR HU IE IS IT LI LT LU LV MC MD ME MK MT NL NO PL PT RO RS RU "
        "SE SI SK SM UA VA",
    ),
    "2121": ("EUROPEAN ECONOMIC AREA", "AT BE BG CY CZ DE DK EE ES FI FR GR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK"),
    "2122": (
        "EUROPEAN CONTINENT",
        "AD AL AT BA BE BG BY CH CZ DE DK EE ES FI FR GR HR HU IT LI LT LU LV MC MD ME MK NL NO PL PT RO RS RU SE SI SK SM UA VA",
    ),
    "2123": ("EUROPEAN UNION", "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"),
    "2124": ("GSA COUNTRIES", "AT CH DE"),
    "2125": ("MIDDLE EAST", "AE AF BD BH BT IN IQ IR JO KW LK MN MV NP OM PK QA SA YE"),
    "2126": ("NAFTA COUNTRIES", "CA MX PR US"),
    "2127": ("NORDIC COUNTRIES", "DK FI IS NO SE"),
    "2128": ("NORTH AFRICA", "DZ EG LY MA TN"),
    "2129": ("NORTH AMERICA", "CA MX US"),
    "2130": ("OCEANIA", "AU FJ FM KI MH NC NR NZ PF PG PW SB TO TV VU WS"),
    "2131": ("SCANDINAVIA", "DK NO SE"),
    "2132": ("SOUTH AMERICA", "AR BO BR CL CO EC GY PE PY SR UY VE"),
    "2133": ("SOUTH EAST ASIA", "BN ID KH LA MM MY PH SG TH TL VN"),
    "2134": ("WEST INDIES", "AG BB BS CU DM DO GD HT JM KN LC PR TT VC"),
}

WORLD = "2136"

# ISO code without a TIS code: the country it is counted with. By sovereignty; Kosovo with Serbia.
ROLL_UP = {
    "AI": "GB",
    "AS": "US",
    "AW": "NL",
    "AX": "FI",
    "BL": "FR",
    "BM": "GB",
    "BQ": "NL",
    "BV": "NO",
    "CC": "AU",
    "CK": "NZ",
    "CW": "NL",
    "CX": "AU",
    "FK": "GB",
    "FO": "DK",
    "GF": "FR",
    "GG": "GB",
    "GI": "GB",
    "GL": "DK",
    "GP": "FR",
    "GS": "GB",
    "GU": "US",
    "HM": "AU",
    "IM": "GB",
    "IO": "GB",
    "JE": "GB",
    "KY": "GB",
    "MF": "FR",
    "MP": "US",
    "MQ": "FR",
    "MS": "GB",
    "NF": "AU",
    "NU": "NZ",
    "PM": "FR",
    "PN": "GB",
    "RE": "FR",
    "SH": "GB",
    "SJ": "NO",
    "SX": "NL",
    "TC": "GB",
    "TF": "FR",
    "TK": "NZ",
    "UM": "US",
    "VG": "GB",
    "VI": "US",
    "WF": "FR",
    "XK": "RS",
    "YT": "FR",
}

# A country that TIS lists in no group, and that is counted with no other: the groups that it lies in (UN M49: Western Asia).
BESIDE = {"PS": ("2106", "2125")}

# Short names that contracts use for groups.
ALIASES = {
    "WORLDWIDE": WORLD,
    "WORLD": WORLD,
    "WW": WORLD,
    "EU": "2123",
    "EEA": "2121",
    "NAFTA": "2126",
    "ASEAN": "2105",
    "APEC": "2104",
    "CIS": "2118",
    "GSA": "2124",
    "NORDICS": "2127",
    "BALTICS": "2109",
}
