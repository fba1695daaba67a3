"""Which page of a long table is asked for."""

from dataclasses import dataclass

PER_PAGE = 50
# Whoever is further in has not found what they look for; a filter is quicker.
LAST_PAGE = 1_000


@dataclass(frozen=True)
class Paging:
    """A page that exists: `of` is how many there are, at least one."""

    page: int
    of: int
    total: int
    per_page: int = PER_PAGE

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.per_page


def paging(asked: str | None, *, total: int, per_page: int = PER_PAGE) -> Paging:
    """Read a page number; what makes no sense is the first page, too much the last."""
    pages = min(LAST_PAGE, max(1, -(-total // per_page)))
    text = asked or ""
    page = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 1
    return Paging(min(max(1, page), pages), pages, total, per_page)
