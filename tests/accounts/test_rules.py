import unicodedata
from time import perf_counter

import pytest

from evcharge.accounts.rules import (
    InvalidEmail,
    InvalidName,
    InvalidPhone,
    WeakPassword,
    email_from_text,
    email_key,
    name_from_text,
    phone_from_text,
    search_text,
    spaced_phone,
)
from evcharge.accounts.rules.browsers import (
    device_from_agent,
    device_name,
    own_path_or_none,
)
from evcharge.accounts.rules.passwords import (
    check_password,
    common_passwords,
    hash_password,
    is_password,
)

CHEAP = "pbkdf2:sha256:1"


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Asha Rao", "Asha Rao"),
        ("  Asha   Rao ", "Asha Rao"),
        ("आशा राव", "आशा राव"),
        ("क्‍ष", "क्‍ष"),  # With the joiner that Indic scripts need.
        ("Jose\u0301", "José"),
        ("O'Brien-Smith, Jr.", "O'Brien-Smith, Jr."),
        ("x" * 120, "x" * 120),
    ],
)
def test_a_name_loses_only_spare_spaces(typed, name):
    assert name_from_text(typed) == name


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "...",
        "x" * 121,
        "x" * 10_000,
        "Asha\0Rao",
        "Asha\nRao",
        "Asha\tRao",
        "Asha\x1bRao",
        "Asha\u202eoaR",
        "Asha\u2066Rao",
        "Asha\ufeffRao",
        "Asha" + chr(0xD800),  # Half a character.
        "Asha\ufffdRao",
    ],
)
def test_a_name_has_letters_and_nothing_unseen(typed):
    with pytest.raises(InvalidName):
        name_from_text(typed)


# Marks in the wrong order: sorting this many takes minutes, while nobody is served.
MANY_MARKS = "a" + 60_000 * "\u0301" + 60_000 * "\u0323"


def test_a_name_of_very_many_marks_is_refused_at_once():
    began = perf_counter()

    with pytest.raises(InvalidName, match="at most 120"):
        name_from_text(MANY_MARKS)

    assert perf_counter() - began < 1


def test_very_many_marks_are_looked_for_at_once():
    began = perf_counter()

    assert len(search_text(MANY_MARKS)) == 120
    assert perf_counter() - began < 1


@pytest.mark.parametrize(
    ("typed", "email"),
    [
        ("asha@example.com", "asha@example.com"),
        (" Asha.Rao+ev@EXAMPLE.com ", "Asha.Rao+ev@example.com"),
        ("आशा@example.com", "आशा@example.com"),
        ("asha@xn--bcher-kva.example", "asha@bücher.example"),
    ],
)
def test_an_address_is_kept_as_typed_but_for_its_host(typed, email):
    assert email_from_text(typed) == email


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "asha",
        "asha@",
        "@example.com",
        "asha@example",
        "asha@@example.com",
        "asha rao@example.com",
        "asha@exam ple.com",
        "asha@example.com\nBcc: all@example.com",
        "asha\0@example.com",
        "asha@example.com\0",
        "Asha <asha@example.com>",
        "asha@localhost",
        "asha@[127.0.0.1]",
        "a" * 65 + "@example.com",
        "a" * 10_000 + "@example.com",
        "asha\ufffd@example.com",
    ],
)
def test_what_is_no_address_is_refused(typed):
    with pytest.raises(InvalidEmail):
        email_from_text(typed)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("asha@example.com", "ASHA@Example.COM"),
        ("straße@example.com", "STRASSE@example.com"),
        ("jos\u00e9@example.com", "JOSE\u0301@example.com"),
    ],
)
def test_addresses_that_differ_only_in_case_are_one(one, other):
    assert email_key(one) == email_key(other)
    assert unicodedata.is_normalized("NFC", email_key(other))


def test_an_address_that_outgrows_its_column_when_folded_is_refused():
    email = "ŉ" * 20 + "@" + ("ŉ" * 20 + ".") * 9 + "com"

    with pytest.raises(InvalidEmail):
        email_from_text(email)


@pytest.mark.parametrize(
    ("typed", "phone"),
    [
        ("", None),
        ("   ", None),
        ("9845012345", "+919845012345"),
        ("98450 12345", "+919845012345"),
        ("09845012345", "+919845012345"),
        ("919845012345", "+919845012345"),
        ("+91 98450-12345", "+919845012345"),
        ("९८४५०१२३४५", "+919845012345"),
        ("+44 20 7946 0958", "+442079460958"),
        ("+91 80 2233 4455", "+918022334455"),
        ("+1 (212) 555-0100", "+12125550100"),
    ],
)
def test_a_number_is_kept_in_one_form(typed, phone):
    assert phone_from_text(typed) == phone


@pytest.mark.parametrize(
    "typed",
    [
        "12345",
        "1234567890",
        "98450123456",
        "+0123456789",
        "+" + "1" * 16,
        "9845012345 ext 7",
        "phone",
        "9845012345\0",
        "=1+1",
        "9" * 10_000,
        "+44 20 7946 0958" + " " * 500,
    ],
)
def test_what_cannot_be_dialled_is_refused(typed):
    with pytest.raises(InvalidPhone):
        phone_from_text(typed)


def test_numbers_are_shown_in_groups():
    assert spaced_phone("+919845012345") == "+91 98450 12345"
    assert spaced_phone("+442079460958") == "+442079460958"


@pytest.mark.parametrize(
    "password",
    [
        "charge-demo-1",
        "correct horse battery",
        "Tr0ub4dor&3x",
        "पासवर्ड-बिजली",
        "x7#kk2pq",
        "k" * 200 + "vmqpw",
        "with\0nul and more",
        "i work as asha for a living",
    ],
)
def test_a_password_nobody_guesses_is_fine(password):
    check_password(password, email="asha@example.com")


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short7!",
        "vmqpwzrt" * 32 + "k",  # 257 characters.
        "password",
        "PASSWORD",
        "Password123",
        "password!!",
        "Sunshine2024",
        "12345678",
        "98765432",
        "aaaaaaaa",
        "abababab",
        "abcabcabc",
        "xyzwxyzw",
        "abcdefghij",
        "qwertyuiop",
        "lkjhgfdsa",
        "asha@123",
        "Asha2024!",
        "ｐａｓｓｗｏｒｄ",
    ],
)
def test_a_password_many_would_guess_is_refused(password):
    with pytest.raises(WeakPassword):
        check_password(password, email="asha+cars@example.com")


def test_the_list_of_common_passwords_has_no_entry_too_short_to_be_typed():
    assert len(common_passwords()) > 200
    assert all(
        len(entry) >= 8 and entry == entry.casefold() for entry in common_passwords()
    )


def test_a_password_matches_its_own_hash_only():
    stored = hash_password("caf\u00e9 au lait", method=CHEAP)

    assert is_password("cafe\u0301 au lait", stored)  # Typed on another system.
    assert not is_password("cafe au lait", stored)
    assert "lait" not in stored


@pytest.mark.parametrize("stored", [None, "!", ""])
def test_nothing_matches_an_account_without_a_password(stored):
    assert not is_password("", stored, method=CHEAP)
    assert not is_password("0", stored, method=CHEAP)


def test_scrypt_is_what_passwords_are_stored_with():
    assert hash_password("correct horse battery").startswith("scrypt:32768:8:1$")


CHROME_ON_ANDROID = (
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 "
    "(KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36"
)


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (CHROME_ON_ANDROID, "Chrome on Android"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 "
            "(KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140) Firefox/140.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Something", "A browser on Windows"),
        ("curl/8.5", "A program"),
        ("", "A program"),
    ],
)
def test_a_browser_is_called_by_a_name_people_know(agent, name):
    assert device_name(device_from_agent(agent)) == name


def test_what_a_browser_calls_itself_fits_its_column():
    assert len(device_from_agent("x" * 10_000)) <= 200
    assert device_from_agent("a\0b\x1bc") == "abc"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("  asha  ", "asha"), ("a\0b", "ab"), ("x" * 10_000, "x" * 120), ("%", "%")],
)
def test_what_is_looked_for_is_safe_to_ask_a_database(typed, kept):
    assert search_text(typed) == kept


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/", "/"),
        ("/account", "/account"),
        ("/account?", "/account"),
        ("/evses/7/book?day=2026-11-24&length=60", None),
        ("/?q=%E0%A4%AA&near=12.9,77.6", None),
        ("/?next=https://evil.example", None),
    ],
)
def test_pages_of_ours_may_follow_a_login(target, path):
    assert own_path_or_none(target) == (path or target)


@pytest.mark.parametrize(
    "target",
    [
        None,
        "",
        "account",
        "?q=1",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "\\/evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "\t//evil.example",
        " //evil.example",
        "/ /evil.example",
        "/\0/evil.example",
        "/.//evil.example",
        "/a//evil.example",
        "https://evil.example",
        "https:evil.example",
        "https:/evil.example",
        "http:\\\\evil.example",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,hello",
        "/account#@evil.example",
        "/account\r\nSet-Cookie: a=b",
        "/<script>",
        '/"onclick',
        "/\u2028evil",
        "/\uff0fevil.example",
        "/" + "a" * 2000,
    ],
)
def test_nobody_is_sent_elsewhere_after_logging_in(target):
    assert own_path_or_none(target) is None
