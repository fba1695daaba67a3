"""States and union territories by their GST code: the first two digits of a GSTIN."""

STATE_CODES = {
    "Jammu and Kashmir": "01",
    "Himachal Pradesh": "02",
    "Punjab": "03",
    "Chandigarh": "04",
    "Uttarakhand": "05",
    "Haryana": "06",
    "Delhi": "07",
    "Rajasthan": "08",
    "Uttar Pradesh": "09",
    "Bihar": "10",
    "Sikkim": "11",
    "Arunachal Pradesh": "12",
    "Nagaland": "13",
    "Manipur": "14",
    "Mizoram": "15",
    "Tripura": "16",
    "Meghalaya": "17",
    "Assam": "18",
    "West Bengal": "19",
    "Jharkhand": "20",
    "Odisha": "21",
    "Chhattisgarh": "22",
    "Madhya Pradesh": "23",
    "Gujarat": "24",
    "Dadra and Nagar Haveli and Daman and Diu": "26",
    "Maharashtra": "27",
    "Karnataka": "29",
    "Goa": "30",
    "Lakshadweep": "31",
    "Kerala": "32",
    "Tamil Nadu": "33",
    "Puducherry": "34",
    "Andaman and Nicobar Islands": "35",
    "Telangana": "36",
    "Andhra Pradesh": "37",
    "Ladakh": "38",
    "Other Territory": "97",
}
_NAMES = {code: name for name, code in STATE_CODES.items()}
# Given out before two states were divided, or joined; the numbers stay good.
_NAMES |= {
    "25": "Dadra and Nagar Haveli and Daman and Diu",
    "28": "Andhra Pradesh",
}
_OTHER_SPELLINGS = {
    "andaman and nicobar": "Andaman and Nicobar Islands",
    "chattisgarh": "Chhattisgarh",
    "dadra and nagar haveli": "Dadra and Nagar Haveli and Daman and Diu",
    "daman and diu": "Dadra and Nagar Haveli and Daman and Diu",
    "nct of delhi": "Delhi",
    "new delhi": "Delhi",
    "orissa": "Odisha",
    "pondicherry": "Puducherry",
    "uttaranchal": "Uttarakhand",
}


def _folded(name: str) -> str:
    """Case, spaces and `&` do not count: "TamilNadu" is "Tamil Nadu"."""
    words = name.casefold().replace("&", " and ")
    return "".join(each for each in words if each.isalnum())


_BY_FOLDED = {_folded(name): name for name in STATE_CODES}
_BY_FOLDED |= {_folded(other): name for other, name in _OTHER_SPELLINGS.items()}


def state_name(spelled: str) -> str:
    """Return how the law spells a state; as it was given where we know none."""
    return _BY_FOLDED.get(_folded(spelled), spelled.strip())


def state_code(spelled: str) -> str | None:
    return STATE_CODES.get(state_name(spelled))


def state_of_code(code: str) -> str | None:
    return _NAMES.get(code)


def is_same_state(one: str, other: str) -> bool:
    return _folded(state_name(one)) == _folded(state_name(other))


def with_code(state: str) -> str:
    """Return a place of supply as documents show it: "Karnataka (29)"."""
    code = state_code(state)
    return state if code is None else f"{state_name(state)} ({code})"
