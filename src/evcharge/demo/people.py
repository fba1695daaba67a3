"""Who uses the demo: three people you can log in as, and made-up drivers."""

import random
from dataclasses import dataclass

from evcharge.accounts.rules import Role
from evcharge.demo.places import EVERYWHERE

PASSWORD = "charge-demo-1"  # noqa: S105 - the demo tells everybody.

DRIVER = "driver@example.com"
OPERATOR = "operator@example.com"
# Whose network the demo's operator looks after.
OPERATED = "DA"
DRIVERS_PER_REGION = 60
# Nobody can log in with it: no hash looks like that.
NO_PASSWORD = "!"  # noqa: S105


@dataclass(frozen=True)
class Person:
    """`home` is the operator whose chargers are near."""

    name: str
    email: str
    role: Role = Role.DRIVER
    home: str = OPERATED
    can_log_in: bool = False


NAMED = (
    Person("Asha Rao", DRIVER, can_log_in=True),
    Person("Kiran Shetty", OPERATOR, Role.OPERATOR, can_log_in=True),
    Person("Meera Iyer", "admin@example.com", Role.ADMIN, can_log_in=True),
)

# Given names and family names by region, combined at random.
_NAMES = {
    "DA": (
        "Ananya Arjun Bhavana Deepak Divya Farhan Gowri Harish Karthik Lakshmi Manoj"
        " Nandini Pavan Priya Rahul Sahana Suresh Vidya",
        "Bhat Gowda Hegde Krishnan Kulkarni Murthy Naidu Prasad Reddy Srinivasan"
        " Subramaniam Varma",
    ),
    "MV": (
        "Aditi Amol Anil Anita Clara Jaya Joseph Mahesh Mariam Neha Nikhil Rohan"
        " Savio Shruti Sunita Swapnil Thomas Vaishali",
        "Deshmukh D'Souza Fernandes Jadhav Joshi Kamat Kurian Mathew Menon Nair Patil"
        " Pillai Shaikh",
    ),
    "SW": (
        "Aarti Bhavesh Chirag Dhruv Falguni Hetal Imran Jignesh Komal Kunal Mitesh"
        " Nisha Parth Ritu Sanjay Tejal Vikram Yash",
        "Agarwal Bohra Chauhan Desai Jain Mehta Modi Pathan Patel Rathore Shah Soni"
        " Trivedi",
    ),
    "FR": (
        "Aman Arshdeep Ayesha Gurpreet Harleen Ishaan Jasmeet Kabir Mohit Naina Pooja"
        " Rajat Sana Simran Tanvi Tariq Varun Zoya",
        "Ahmad Bhatia Chaudhary Dhillon Gupta Kapoor Khan Malhotra Mishra Negi Sharma"
        " Singh Verma Yadav",
    ),
    "HG": (
        "Abhijit Anwesha Arunima Bikash Debjani Dipankar Ishita Jyoti Lalrin Madhumita"
        " Nabanita Prasanta Rituparna Rakesh Sourav Subhash Tshering Wahida",
        "Banerjee Baruah Bora Chatterjee Das Dutta Ghosh Lyngdoh Mahato Mohanty Patnaik"
        " Rahman Sinha",
    ),
}


def drivers(rng: random.Random) -> list[Person]:
    """Return made-up drivers of every region, no two of the same name."""
    return [
        Person(name, f"{_mailbox(name)}@example.net", home=home)
        for home in _NAMES
        for name in sorted(rng.sample(_full_names(home), DRIVERS_PER_REGION))
    ]


def _full_names(home: str) -> list[str]:
    given, family = (names.split() for names in _NAMES[home])
    return [f"{first} {last}" for first in given for last in family]


def _mailbox(name: str) -> str:
    return name.lower().replace("'", "").replace(" ", ".")


def may_use(person: Person, operator: str) -> bool:
    """Whether a made-up driver comes by the chargers of an operator now and then."""
    return not person.can_log_in and operator in {person.home, EVERYWHERE}
