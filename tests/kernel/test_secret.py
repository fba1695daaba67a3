from pathlib import Path

from evcharge.kernel.secret import kept_secret
from evcharge.kernel.settings import read_settings


def test_the_secret_is_made_once_and_kept(tmp_path: Path) -> None:
    first = kept_secret(tmp_path)

    assert kept_secret(tmp_path) == first


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    kept_secret(tmp_path)

    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


def test_no_two_demos_share_a_secret_and_each_is_strong(tmp_path: Path) -> None:
    one = kept_secret(tmp_path)
    (tmp_path / "secret_key").unlink()
    other = kept_secret(tmp_path)

    assert one != other
    read_settings(secret_key=one)
