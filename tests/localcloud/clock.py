"""The virtual clock: a straight line through (real origin, virtual origin) with a speed.

Everything that tells time to the maintainer (metrics, alarms, launches, rollouts) uses it; signatures, Step Functions
history and log streams stay in real time, because SDKs and tools compare those with the clock of the machine.
"""

from __future__ import annotations

import time as real_time
from dataclasses import dataclass
from datetime import datetime, timezone

ENVIRONMENT_KEY = "MAINTAINER_CLOCK"


@dataclass(frozen=True)
class VirtualClock:
    """virtual now = origin_virtual_s + (real now - origin_real_s) * speed."""

    origin_real_s: float
    origin_virtual_s: float
    speed: float

    @classmethod
    def starting(cls, virtual_s: float, speed: float) -> VirtualClock:
        """A clock that shows `virtual_s` now and runs `speed` times as fast as real time."""
        if speed <= 0:
            raise ValueError(f"speed must be positive, not {speed}")
        return cls(real_time.time(), virtual_s, speed)

    @classmethod
    def parse(cls, text: str) -> VirtualClock:
        """Reads the form `<origin_real_epoch_s>,<origin_virtual_epoch_s>,<speed>`."""
        parts = [float(part) for part in text.split(",")]
        if len(parts) != 3 or parts[2] <= 0:
            raise ValueError(f"{ENVIRONMENT_KEY} must be three numbers with a positive speed, not {text!r}")
        return cls(*parts)

    def __str__(self) -> str:
        return f"{self.origin_real_s:.6f},{self.origin_virtual_s:.6f},{self.speed:g}"

    def now(self) -> float:
        """Virtual seconds since 1970."""
        return self.origin_virtual_s + (real_time.time() - self.origin_real_s) * self.speed

    def now_iso(self) -> str:
        """Virtual now in the form that the emulator's records use."""
        return iso(self.now())


def iso(epoch_s: float) -> str:
    """An instant as `2026-01-01T00:00:00.000Z`."""
    moment = datetime.fromtimestamp(epoch_s, tz=timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def epoch(iso_text: str) -> float:
    """The instant that `iso` wrote, in seconds since 1970."""
    return datetime.fromisoformat(iso_text.replace("Z", "+00:00")).timestamp()


class VirtualTime:
    """Stands in for the module `time` inside one emulator service: `time()` is virtual, the rest is real."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock

    def time(self) -> float:
        """Virtual seconds since 1970."""
        return self._clock.now()

    def __getattr__(self, name: str):
        return getattr(real_time, name)
