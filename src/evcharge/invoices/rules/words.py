"""Amounts in words, as Indian invoices have them: lakh and crore."""

_BELOW_TWENTY = (
    *("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen"),
    *("seventeen", "eighteen", "nineteen"),
)
_TENS = (
    *("", "", "twenty", "thirty", "forty", "fifty"),
    *("sixty", "seventy", "eighty", "ninety"),
)
_SIZES = (("crore", 10_000_000), ("lakh", 100_000), ("thousand", 1_000))


def in_words(paise: int) -> str:
    """Return "One lakh twenty rupees and fifty paise only"."""
    rupees, rest = divmod(paise, 100)
    words = f"{_number(rupees) or 'zero'} {'rupee' if rupees == 1 else 'rupees'}"
    if rest:
        words += f" and {_number(rest)} paise"
    return f"{words} only".capitalize()


def _number(count: int) -> str:
    """Return "" for zero."""
    parts = []
    for name, size in _SIZES:
        many, count = divmod(count, size)
        if many:
            parts.append(f"{_number(many)} {name}")
    hundreds, count = divmod(count, 100)
    if hundreds:
        parts.append(f"{_BELOW_TWENTY[hundreds]} hundred")
    if count:
        parts.append(_below_hundred(count))
    return " ".join(parts)


def _below_hundred(count: int) -> str:
    if count < 20:
        return _BELOW_TWENTY[count]
    tens, ones = divmod(count, 10)
    return _TENS[tens] + (f"-{_BELOW_TWENTY[ones]}" if ones else "")
