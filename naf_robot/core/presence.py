"""Who is there under one name: two that speak at the same time are noticed, one that replaced another is not."""

from dataclasses import dataclass

FRESH_S = 5.0  # without a word after which one is gone


@dataclass
class _Heard:
    first_s: float
    last_s: float


class Presence:
    """Instances (processes, by an identity of their own) that were heard under one name."""

    def __init__(self, fresh_s: float = FRESH_S) -> None:
        self._fresh_s = fresh_s
        self._heard: dict[str, _Heard] = {}

    def hear(self, instance: str, now_s: float) -> None:
        """`instance` has spoken."""
        self._heard = {key: one for key, one in self._heard.items() if now_s - one.last_s <= self._fresh_s}
        self._heard.setdefault(instance, _Heard(now_s, now_s)).last_s = now_s

    def there(self, now_s: float) -> list[str]:
        """Instances that have spoken lately, in the order in which they appeared."""
        return [key for key, one in self._heard.items() if now_s - one.last_s <= self._fresh_s]

    def rivals(self, now_s: float) -> list[str]:
        """Instances that are there at the same time: each has spoken since another one appeared, if there are two."""
        there = {key: self._heard[key] for key in self.there(now_s)}
        return [
            key
            for key, one in there.items()
            if any(
                other is not one and one.last_s >= other.first_s and other.last_s >= one.first_s
                for other in there.values()
            )
        ]
