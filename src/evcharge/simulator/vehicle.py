"""How fast a vehicle charges, and when it is full. No clock, no chance."""

from dataclasses import dataclass

RAMP_SECONDS = 30.0
TAPER_FROM = 0.8  # Above this state of charge, batteries take less and less.
LAST_SHARE = 0.08  # Of their power, when almost full.
STEP_SECONDS = 20.0
SECONDS_IN_HOUR = 3600.0


@dataclass(slots=True)
class Vehicle:
    """A battery of `battery_wh` that takes `most_w`. `stored_wh` is in it now."""

    battery_wh: int
    most_w: int
    stored_wh: float
    charged_seconds: float = 0.0

    @property
    def charge_share(self) -> float:
        return self.stored_wh / self.battery_wh

    @property
    def soc_percent(self) -> int:
        return int(self.charge_share * 100)

    @property
    def is_full(self) -> bool:
        return self.stored_wh >= self.battery_wh

    def power_w(self, plug_w: int) -> float:
        """Return what flows now, through a plug of that power."""
        if self.is_full:
            return 0.0
        ramp = min(1.0, (self.charged_seconds + 1) / RAMP_SECONDS)
        return min(plug_w, self.most_w * self._appetite()) * ramp

    def charge(self, plug_w: int, seconds: float) -> float:
        """Let time go by at the plug. Return the watt-hours that went in."""
        before = self.stored_wh
        while seconds > 0 and not self.is_full:
            step = min(seconds, STEP_SECONDS)
            gained = self.power_w(plug_w) * step / SECONDS_IN_HOUR
            self.stored_wh = min(self.stored_wh + gained, self.battery_wh)
            self.charged_seconds += step
            seconds -= step
        return self.stored_wh - before

    def _appetite(self) -> float:
        above = max(0.0, self.charge_share - TAPER_FROM) / (1 - TAPER_FROM)
        return 1 - (1 - LAST_SHARE) * above
