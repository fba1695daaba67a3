"""Razorpay on loopback: behaves as their public documentation says, faults included."""

import base64
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from evcharge.payments.providers.razorpay.messages import signature

KEY_ID, KEY_SECRET = "rzp_test_4Zk1uJ9", "kR8vQ2mX7tLw5nYb"
WEBHOOK_SECRET = "wh-9f27c1d4e8a6b350"
SHORTEST_LIFE_SECONDS = 15 * 60

Json = dict[str, Any]


class Refusal(Exception):
    """An answer with an error in it."""

    def __init__(self, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.status = status


NOWHERE = Refusal("The requested URL was not found on the server.", 404)


class RazorpayServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.links: dict[str, Json] = {}
        self.payments: dict[str, Json] = {}
        self.refunds: dict[str, Json] = {}
        self.answers: dict[str, tuple[Json, Json]] = {}
        self.faults: list[tuple[str, str]] = []
        self.calls: list[str] = []
        self.lock = threading.RLock()
        self.balance_paise = 10**9
        self.refund_status = "pending"

    # What happens there.

    def link(self, ref: str) -> Json:
        return next(x for x in self.links.values() if x["reference_id"] == ref)

    def pay(self, ref: str, amount: int | None = None, currency: str = "INR") -> Json:
        """The payer pays by UPI on the link's page."""
        link = self.link(ref)
        payment = {
            "id": f"pay_{secrets.token_hex(7)}",
            "entity": "payment",
            "amount": link["amount"] if amount is None else amount,
            "currency": currency,
            "status": "captured",
            "method": "upi",
            "notes": link["notes"],
            "email": "asha@example.com",
            "contact": "+919876543210",
            "vpa": "asha@okbank",
            "acquirer_data": {"rrn": "249727216453", "upi_transaction_id": "95F9C08E"},
            "created_at": int(time.time()),
        }
        self.payments[payment["id"]] = payment
        link.update(
            status="paid", amount_paid=payment["amount"], currency=payment["currency"]
        )
        link["payments"] = [
            {
                "payment_id": payment["id"],
                "status": "captured",
                "amount": payment["amount"],
                "method": "upi",
            }
        ]
        return payment

    def settle(self, refund: Json, status: str = "processed") -> Json:
        """The bank has answered."""
        refund["status"] = status
        if status == "processed":
            refund["acquirer_data"] = {"rrn": "111222333444"}
        return refund

    def sent_paise(self) -> int:
        alive = (x for x in self.refunds.values() if x["status"] != "failed")
        return sum(refund["amount"] for refund in alive)

    def link_event(self, ref: str, event: str = "payment_link.paid") -> bytes:
        link = self.link(ref)
        payload = {"payment_link": {"entity": link}}
        if link["payments"]:
            paid = self.payments[link["payments"][0]["payment_id"]]
            payload["payment"] = {"entity": paid}
        return self.event(event, payload)

    def refund_event(self, refund: Json, event: str = "refund.processed") -> bytes:
        paid = self.payments[refund["payment_id"]]
        return self.event(
            event, {"refund": {"entity": refund}, "payment": {"entity": paid}}
        )

    def event(self, event: str, payload: Json) -> bytes:
        said = {
            "entity": "event",
            "account_id": "acc_BFQ7uQEaa7j2z7",
            "event": event,
            "contains": list(payload),
            "payload": payload,
            "created_at": int(time.time()),
        }
        return json.dumps(said).encode()

    def way_back(self, ref: str, secret: str = KEY_SECRET) -> dict[str, str]:
        """What the payer's browser carries home."""
        link = self.link(ref)
        payment_id = link["payments"][0]["payment_id"]
        said = f"{link['id']}|{ref}|{link['status']}|{payment_id}"
        return {
            "razorpay_payment_id": payment_id,
            "razorpay_payment_link_id": link["id"],
            "razorpay_payment_link_reference_id": ref,
            "razorpay_payment_link_status": link["status"],
            "razorpay_signature": signature(said.encode(), secret),
        }

    # Trouble on demand: the next calls of that method and path part go wrong.

    def fail(self, fault: str, call: str = "", times: int = 1) -> None:
        self.faults += [(fault, call)] * times

    def fault_of(self, call: str) -> str | None:
        with self.lock:
            for fault, part in self.faults:
                if part in call:
                    self.faults.remove((fault, part))
                    return fault
        return None

    # What it answers.

    def answer(self, method: str, path: str, asked: Json, key: str | None) -> Json:
        parts = path.removeprefix("/v1/").split("/")
        if parts[0] == "payment_links":
            return self.answer_about_links(method, parts[1:], asked)
        return self.answer_about_money(method, parts, asked, key)

    def answer_about_links(self, method: str, parts: list[str], asked: Json) -> Json:
        match method, parts:
            case "POST", []:
                return self.create_link(asked)
            case "GET", []:
                ref = asked["reference_id"]
                every = self.links.values()
                return {"payment_links": [x for x in every if x["reference_id"] == ref]}
            case "GET", [name]:
                return known(self.links, name)
            case "PATCH", [name]:
                return self.edit_link(known(self.links, name), asked)
            case "POST", [name, "cancel"]:
                return self.cancel_link(known(self.links, name))
        raise NOWHERE

    def answer_about_money(
        self, method: str, parts: list[str], asked: Json, key: str | None
    ) -> Json:
        match method, parts:
            case "GET", [("payments" | "refunds") as kind]:
                return page(getattr(self, kind), asked)
            case "GET", ["payments", name]:
                return known(self.payments, name)
            case "GET", ["payments", name, "refunds"]:
                every = self.refunds.values()
                return listed(x for x in every if x["payment_id"] == name)
            case "POST", ["payments", name, "refund"]:
                return self.refund(known(self.payments, name), asked, key)
        raise NOWHERE

    def create_link(self, asked: Json) -> Json:
        ref = asked["reference_id"]
        if len(ref) > 40:
            raise Refusal("The reference_id may not be greater than 40 characters.")
        if any(x["reference_id"] == ref for x in self.links.values()):
            raise Refusal(
                f"payment link with given reference_id: {ref} already exists. Please "
                "create a payment link with a different reference_id"
            )
        if asked["amount"] < 100:
            raise Refusal("amount should be minimum 100 paise")
        check_expiry(asked["expire_by"])
        if not asked["callback_url"].startswith(("http://", "https://")):
            raise Refusal("callback_url is not a valid URL")
        name = f"plink_{secrets.token_hex(7)}"
        self.links[name] = asked | {
            "id": name,
            "amount_paid": 0,
            "status": "created",
            "payments": None,
            "short_url": f"https://rzp.io/rzp/{name[-7:]}",
            "created_at": int(time.time()),
            "notes": asked.get("notes") or [],
        }
        return self.links[name]

    def edit_link(self, link: Json, asked: Json) -> Json:
        if link["status"] != "created":
            raise Refusal("update can only be done for created payment links")
        check_expiry(asked["expire_by"])
        link |= asked
        return link

    def cancel_link(self, link: Json) -> Json:
        if link["status"] != "created":
            raise Refusal(f"Payment Link is already {link['status']}")
        link["status"] = "cancelled"
        return link

    def refund(self, payment: Json, asked: Json, key: str | None) -> Json:
        if key is not None and key in self.answers:
            first, answer = self.answers[key]
            if first != asked:
                raise Refusal("Different request body sent for the same Idempotency")
            return answer
        sent = (x for x in self.refunds.values() if x["payment_id"] == payment["id"])
        done = sum(x["amount"] for x in sent if x["status"] != "failed")
        if done + asked["amount"] > payment["amount"]:
            raise Refusal("The total refund amount is greater than the refund payment")
        if asked["amount"] > self.balance_paise:
            raise Refusal("Your account does not have enough balance for the refund")
        name = f"rfnd_{secrets.token_hex(7)}"
        self.refunds[name] = asked | {
            "id": name,
            "entity": "refund",
            "currency": "INR",
            "payment_id": payment["id"],
            "status": self.refund_status,
            "acquirer_data": {"arn": None},
            "created_at": int(time.time()),
        }
        if key is not None:
            self.answers[key] = asked, self.refunds[name]
        return self.refunds[name]


def known(things: dict[str, Json], name: str) -> Json:
    if name not in things:
        raise Refusal("The id provided does not exist")
    return things[name]


def check_expiry(moment: int) -> None:
    if moment < time.time() + SHORTEST_LIFE_SECONDS:
        raise Refusal("expire_by should be at least 15 minutes after current time")


def listed(rows: Any) -> Json:
    rows = list(rows)
    return {"entity": "collection", "count": len(rows), "items": rows}


def page(things: dict[str, Json], asked: Json) -> Json:
    since, until = int(asked["from"]), int(asked["to"])
    rows = [x for x in things.values() if since <= x["created_at"] <= until]
    skip, count = int(asked.get("skip", 0)), int(asked.get("count", 10))
    return listed(rows[skip : skip + min(count, 100)])


class Handler(BaseHTTPRequestHandler):
    server: RazorpayServer

    def do_GET(self) -> None:
        self.serve(dict(parse_qsl(urlsplit(self.path).query)))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.serve(json.loads(body))

    def do_PATCH(self) -> None:
        self.do_POST()

    def serve(self, asked: Json) -> None:
        call = f"{self.command} {urlsplit(self.path).path}"
        self.server.calls.append(call)
        fault = self.server.fault_of(call)
        if fault == "slow":
            time.sleep(2)
        if fault in BEFORE:
            return self.say(*BEFORE[fault])
        if fault == "dropped":
            return None
        status, answer = self.work(asked)
        if fault == "500 after":
            return self.say(500, SERVER_ERROR)
        if fault == "dropped after":
            return None
        if fault == "drip":
            return self.drip(json.dumps(answer).encode())
        return self.say(status, answer)

    def work(self, asked: Json) -> tuple[int, Json]:
        token = base64.b64encode(f"{KEY_ID}:{KEY_SECRET}".encode()).decode()
        if self.headers["Authorization"] != f"Basic {token}":
            return 401, error("Authentication failed")
        key = self.headers["X-Refund-Idempotency"]
        try:
            with self.server.lock:
                path = urlsplit(self.path).path
                return 200, self.server.answer(self.command, path, asked, key)
        except Refusal as refusal:
            return refusal.status, error(str(refusal))

    def say(self, status: int, content: Json | bytes) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def drip(self, body: bytes) -> None:
        """Never silent for long, and never done."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            for byte in body:
                self.wfile.write(bytes([byte]))
                time.sleep(0.1)
        except OSError:
            return

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: tests read what the program logs."""


def error(description: str, code: str = "BAD_REQUEST_ERROR") -> Json:
    return {"error": {"code": code, "description": description}}


SERVER_ERROR = error("The server encountered an error.", "SERVER_ERROR")
BEFORE: dict[str, tuple[int, Json | bytes]] = {
    "500 before": (500, SERVER_ERROR),
    "502": (502, b"<html>Bad Gateway</html>"),
    "409": (409, error("Request failed because another request is in progress")),
    "429": (429, error("Too many requests")),
    "garbage": (200, b"<html>Down for maintenance</html>"),
    "odd": (200, b"[1, 2]"),
    "odd error": (400, b'{"error": "no"}'),
    "empty": (200, b"{}"),
    "redirect": (302, b""),
}


@contextmanager
def running() -> Iterator[RazorpayServer]:
    server = RazorpayServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
