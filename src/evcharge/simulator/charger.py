"""One charger as a task: lets its points live, tells the server, does as it is told."""

import asyncio
from collections import Counter, deque
from typing import Protocol

from evcharge.simulator.box import Box, Outgoing, Payload
from evcharge.simulator.client16 import Words16
from evcharge.simulator.client201 import Words201
from evcharge.simulator.clock import Clock, seconds_of
from evcharge.simulator.link import Backoff, CallRefused, Link, LinkLost
from evcharge.simulator.news import CardShown, Ended, News, Reason, Started, Transaction
from evcharge.simulator.trouble import LINK_AWAY, Trouble
from evcharge.simulator.variables import Name

BOOT_AGAIN = 60.0  # If the server does not say when.
MOST_ATTEMPTS = 5  # At a message that the server refuses; each a little later.
ATTEMPT_SECONDS = 5.0
RESTART_SECONDS = (4.0, 10.0)

Words = Words16 | Words201


class Account(Protocol):
    def started(self, identity: str, transaction: Transaction) -> None: ...
    def ended(self, identity: str, transaction: Transaction) -> None: ...


class Charger:
    def __init__(
        self,
        box: Box,
        words: Words,
        *,
        url: str,
        clock: Clock,
        trouble: Trouble,
        account: Account,
        tally: Counter[str],
    ) -> None:
        self.box = box
        self._words = words
        self._url = url
        self._clock = clock
        self._trouble = trouble
        self._account = account
        self._tally = tally
        self._outbox: deque[Outgoing] = deque()
        self._link: Link | None = None
        self._wake = asyncio.Event()
        self._backoff = Backoff(box.rng)
        self._boots_for: Reason | None = Reason.POWER_LOSS
        self._connect_at = self._dark_until = self._heartbeat_at = 0.0
        self._lost_at = float("inf")
        self._says_statuses_first = trouble.tells_statuses_first(box.rng)

    @property
    def is_connected(self) -> bool:
        """And known to the server: it has booted."""
        return self._link is not None and self._boots_for is None

    @property
    def waiting(self) -> int:
        return len(self._outbox)

    async def run(self, *, first_wait: float) -> None:
        """Live until cancelled."""
        self._connect_at = self._clock.now() + first_wait
        try:
            while True:
                await self._be_alone()
                await self._be_linked()
        finally:
            await self._hang_up()

    def cut_power(self, until: float, reason: Reason = Reason.POWER_LOSS) -> None:
        """Go dark; what charges ends here and now, and is told afterwards."""
        now = self._clock.now()
        self.box.lose_power(now, reason)
        self._boots_for = reason
        self._dark_until = self._connect_at = until
        self._live(now)
        if self._link is not None:
            self._link.drop()
        self._wake.set()

    def finish(self) -> None:
        """Stop what charges, let nobody in any more, and have no more trouble."""
        now = self._clock.now()
        self._trouble = Trouble(0)
        self._dark_until = self._connect_at = now
        self._lost_at = float("inf")
        self._backoff.succeeded()
        for point in self.box.points:
            point.shut(now)
        self._live(now)  # Noted at once: whoever waits for us sees what is to be told.
        self._wake.set()

    # Without a connection.

    async def _be_alone(self) -> None:
        while (now := self._clock.now()) < self._connect_at:
            wake_at = self._connect_at
            if now >= self._dark_until:
                self._live(now)
                wake_at = min(wake_at, self.box.due_at)
            await self._sleep_until(wake_at)

    async def _be_linked(self) -> None:
        try:
            self._link = await Link.open(
                self._url,
                identity=self.box.identity,
                key=self.box.variables.text(Name.KEY),
                protocol=self._words.protocol,
                answer=self._be_asked,
            )
            self._link.when_closed(self._wake.set)
            self._tally["connects"] += 1
            await self._converse(self._link)
        except LinkLost:
            self._retry_later()
        finally:
            await self._hang_up()
            self._forget_what_is_not_kept()

    def _retry_later(self) -> None:
        now = self._clock.now()
        pause = self._backoff.next_seconds()
        if self._lost_at <= now:
            pause = self.box.rng.uniform(*LINK_AWAY)
        self._lost_at = float("inf")
        self._connect_at = max(self._connect_at, now + pause)

    async def _hang_up(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            await link.close()

    def _forget_what_is_not_kept(self) -> None:
        """A card that nobody could check is taken; what is lost needs no answer."""
        lost = [each for each in self._outbox if not each.is_kept]
        self._outbox = deque(each for each in self._outbox if each.is_kept)
        for each in lost:
            if each.then:
                each.then({}, self._clock.now())

    # With one.

    async def _converse(self, link: Link) -> None:
        """Raises: LinkLost."""
        await self._boot(link)
        now = self._clock.now()
        self._backoff.succeeded()
        self._lost_at = self._trouble.link_lost_at(self.box.rng, now)
        kept, self._outbox = self._outbox, deque()
        self._outbox.extend(self._words.statuses(now))
        self._live(now)
        if self._says_statuses_first:
            self._outbox.extend(kept)
        else:
            self._outbox.extendleft(reversed(kept))
        while True:
            self._live(self._clock.now())
            self._check_reset()
            if self._outbox:
                await self._send_next(link)
            else:
                await self._rest(link)

    async def _boot(self, link: Link) -> None:
        while self._boots_for is not None:
            try:
                boot = self._words.boot(self._boots_for)
                answer = await link.call("BootNotification", boot)
            except CallRefused:
                answer = {}
            self._set_clock(answer)
            pause = float(answer.get("interval") or BOOT_AGAIN)
            if answer.get("status") == "Accepted":
                self._boots_for = None
                self.box.variables.put(Name.HEARTBEAT, str(int(pause)))
            else:
                await self._clock.sleep(pause)
        self._put_off_heartbeat()

    async def _rest(self, link: Link) -> None:
        """Nothing to say: wait for something, or for the time of the heartbeat."""
        now = self._clock.now()
        if not link.is_open:
            raise LinkLost
        if self._lost_at <= now:
            link.drop()
            raise LinkLost
        if self._heartbeat_at <= now:
            self._set_clock(await link.call("Heartbeat", {}))
            self._put_off_heartbeat()
            return
        next_at = min(self.box.due_at, self._heartbeat_at, self._lost_at)
        await self._sleep_until(next_at)

    async def _send_next(self, link: Link) -> None:
        message = self._outbox[0]
        if message.is_kept and self._trouble.loses_answer(self.box.rng):
            self._tally["unheard"] += 1
            await link.send_unheard(message.action, message.payload())
            raise LinkLost
        try:
            answer = await link.call(message.action, message.payload())
        except CallRefused:
            await self._put_up_with(message)
            return
        self._outbox.popleft()
        self._tally["answered"] += 1
        self._put_off_heartbeat()
        if message.then:
            message.then(answer, self._clock.now())

    async def _put_up_with(self, message: Outgoing) -> None:
        self._tally["refused"] += 1
        message.attempts += 1
        if message.is_kept and message.attempts < MOST_ATTEMPTS:
            await self._clock.sleep(ATTEMPT_SECONDS * message.attempts)
        else:
            self._outbox.popleft()

    def _be_asked(self, action: str, payload: Payload) -> Payload:
        """Do what the server wants. Raises: Refusal."""
        self._tally["commands"] += 1
        self._wake.set()
        return self._words.answer(action, payload, self._clock.now())

    def _check_reset(self) -> None:
        """Restart if that was asked for. Raises: LinkLost."""
        box = self.box
        if box.is_reset_when_idle and box.is_idle:
            box.reset = Reason.SOFT_RESET
        if box.reset is not None:
            pause = box.rng.uniform(*RESTART_SECONDS)
            self.cut_power(self._clock.now() + pause, box.reset)
            raise LinkLost

    # In both cases.

    def _live(self, now: float) -> None:
        """Let things happen, and note what is to be told of them."""
        self.box.advance(now)
        while news := self.box.take_news():
            for each in news:
                self._note(each, now)
        triggered, self.box.to_send = self.box.to_send, []
        self._outbox.extend(triggered)

    def _note(self, news: News, now: float) -> None:
        if isinstance(news, Started):
            self._account.started(self.box.identity, news.transaction)
        elif isinstance(news, Ended):
            self._account.ended(self.box.identity, news.transaction)
        is_offline = not self.is_connected
        if is_offline and isinstance(news, CardShown):
            self.box.authorised(news.evse, "Accepted", now)
            return
        for message in self._words.outgoing(news, is_offline=is_offline):
            if message.is_kept or not is_offline:
                self._outbox.append(message)

    def _set_clock(self, answer: Payload) -> None:
        if self._clock.speed != 1 or not self.box.corrects_clock:
            return
        if "currentTime" in answer:
            ahead = seconds_of(answer["currentTime"]) - self._clock.now()
            self.box.drift_seconds = ahead

    def _put_off_heartbeat(self) -> None:
        every = max(self.box.variables.seconds(Name.HEARTBEAT), 1.0)
        self._heartbeat_at = self._clock.now() + every

    async def _sleep_until(self, at: float) -> None:
        seconds = max(0.0, at - self._clock.now()) / self._clock.speed
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()
