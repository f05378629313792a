"""Which passwords are good enough, and what is kept of them."""

import threading

import pytest
from argon2 import extract_parameters

from crosstie.app.people.passwords import Passwords, checked_password
from crosstie.model.errors import WeakPassword
from tests.unit.people.conftest import CHEAP, PASSWORD


@pytest.mark.parametrize(
    "password",
    [
        "x" * 12,
        "four words are enough",
        "пароль из слов",
        "パスワードはとても長いです",
        "\0" * 12,
        "a\ud800" * 6,
        "x" * 1024,
    ],
)
def test_a_password_that_is_long_enough_is_taken_whatever_it_is_made_of(password: str) -> None:
    assert checked_password(password, "anna") == password
    passwords = Passwords(**CHEAP)
    assert passwords.verify(passwords.hash(password), password)
    assert not passwords.verify(passwords.hash(password), password + "x")
    assert not passwords.verify(passwords.hash(password), password[:-1])


@pytest.mark.parametrize(
    ("password", "name", "words"),
    [
        ("", "anna", "has 0 characters. Choose at least 12"),
        ("x" * 11, "anna", "has 11 characters. Choose at least 12"),
        ("a\N{COMBINING DIAERESIS}" * 11, "anna", "has 11 characters"),
        ("x" * 1025, "anna", "has 1,025 characters. Choose one of at most 1,024"),
        ("anna van der berg", "Anna van der Berg", "password is the name"),
        (" ANNA VAN DER BERG ", "Anna van der Berg", "password is the name"),
    ],
)
def test_a_weak_password_is_refused_with_the_reason(password: str, name: str, words: str) -> None:
    with pytest.raises(WeakPassword) as caught:
        checked_password(password, name)
    assert words in str(caught.value)
    assert caught.value.details == {"field": "password"}


def test_one_letter_typed_in_two_ways_is_one_password() -> None:
    passwords = Passwords(**CHEAP)
    assert passwords.verify(passwords.hash("Zu\N{COMBINING DIAERESIS}rich am See"), "Zürich am See")


def test_nobody_has_no_password_but_takes_as_long_to_refuse() -> None:
    passwords = Passwords(**CHEAP)
    _, of_nobody = passwords._ready()
    assert extract_parameters(of_nobody) == extract_parameters(passwords.hash(PASSWORD))
    assert not passwords.verify(None, PASSWORD)
    seen: list[str] = []
    passwords._made = type("Hasher", (), {"verify": lambda self, stored, _: not seen.append(stored)})(), of_nobody
    assert not passwords.verify(None, PASSWORD)
    assert seen == [of_nobody]


@pytest.mark.parametrize("stored", ["", "plain", "$argon2id$v=19$m=8,t=1,p=1$broken"])
def test_what_is_no_hash_is_nobodys_password(stored: str) -> None:
    assert not Passwords(**CHEAP).verify(stored, PASSWORD)


def test_two_hashes_of_one_password_differ_and_say_how_they_were_made() -> None:
    passwords = Passwords()
    one, two = passwords.hash(PASSWORD), passwords.hash(PASSWORD)
    assert one != two
    assert one.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert not passwords.is_outdated(one)
    assert Passwords(**CHEAP).is_outdated(one)


def test_only_so_many_are_hashed_at_once() -> None:
    passwords = Passwords(**CHEAP, at_once=2)
    passwords._ready()
    under_way, most, lock = 0, 0, threading.Lock()

    class Slow:
        def hash(self, password: bytes) -> str:
            nonlocal under_way, most
            with lock:
                under_way += 1
                most = max(most, under_way)
            threading.Event().wait(0.01)
            with lock:
                under_way -= 1
            return "hash"

    passwords._made = Slow(), "hash"  # type: ignore[assignment]
    threads = [threading.Thread(target=passwords.hash, args=(PASSWORD,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2
