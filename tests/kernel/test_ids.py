import re

from evcharge.kernel.ids import new_id, new_reference


def test_ids_are_in_the_order_of_their_creation() -> None:
    ids = [new_id() for _ in range(1000)]

    assert ids == sorted(ids)
    assert len(set(ids)) == 1000


def test_references_are_short_and_hard_to_misread() -> None:
    references = {new_reference() for _ in range(500)}

    assert len(references) > 490
    for reference in references:
        assert re.fullmatch(r"EV-[0-9A-Z]{6}", reference)
        assert not set(reference[3:]) & set("01ILOAEU")
