"""Who has answered which tick: the simulator waits for every robot, but not for one that is silent."""


class Lockstep:
    """Follows the answers of `robots` to numbered ticks (a tick's number is its stamp [ns]).

    A robot that let a tick pass unanswered is not waited for again until it answers one: a dead
    collector must not slow the others down, and a real arm would go on too.
    """

    def __init__(self, robots: tuple[str, ...]) -> None:
        self.robots = robots
        self.missed = dict.fromkeys(robots, 0)
        self.answered = dict.fromkeys(robots, 0)
        self._silent = set(robots)
        self._waiting: set[str] = set()
        self._tick = -1

    def begin(self, tick: int) -> None:
        """A new tick: whoever is not silent is expected to answer."""
        self._tick = tick
        self._waiting = set(self.robots)

    def answer(self, robot: str, tick: int | None) -> None:
        """A command of `robot` that answers `tick`; older ones and unstamped ones count for nothing here."""
        if tick == self._tick and robot in self._waiting:
            self._waiting.discard(robot)
            self._silent.discard(robot)
            self.answered[robot] += 1

    def complete(self) -> bool:
        """Whether every robot that is not silent has answered."""
        return self._waiting <= self._silent

    def expects(self) -> bool:
        """Whether anyone is taking part at all."""
        return len(self._silent) < len(self.robots)

    def end(self) -> None:
        """The tick is over: whoever has not answered has missed it, and is silent from now on."""
        for robot in self._waiting - self._silent:
            self.missed[robot] += 1
        self._silent |= self._waiting
