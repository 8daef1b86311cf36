"""Which robot has answered which tick: the simulator waits for every robot, and gripper, that is not silent."""

from naf_robot.core.clock import Clock


class Lockstep:
    """Follows the answers of `robots` to numbered ticks (a tick's number is its stamp [ns]).

    A robot that did not answer a tick is not waited for again until it answers one: a crashed
    collector must not slow the others down, and a real arm would continue too. Only a robot that has
    never answered is waited for at every tick, for `start_timeout_s` on the steady `clock`: its
    processes are starting, and the others should not use up the first episodes without it.
    Answers of `grippers`, which are commanded by others than the arms, count the same; but a gripper that has never
    answered is not waited for: whoever moves the arm need not move the gripper.
    """

    def __init__(
        self, robots: tuple[str, ...], start_timeout_s: float, clock: Clock, grippers: tuple[str, ...] = ()
    ) -> None:
        self.robots = robots
        self._parties = (*robots, *grippers)
        self.missed = dict.fromkeys(self._parties, 0)
        self.answered = dict.fromkeys(self._parties, 0)
        self._clock = clock
        self._start_until_s = clock.now_s() + start_timeout_s
        self._starting = set(robots)
        self._silent: set[str] = set(grippers)
        self._waiting: set[str] = set()
        self._tick = -1
        self._given_up: list[str] = []

    def begin(self, tick: int) -> None:
        """A new tick: every robot that is not silent is expected to answer."""
        self._tick = tick
        self._waiting = set(self._parties)

    def answer(self, robot: str, tick: int | None) -> None:
        """A command of `robot`, or a gripper, that answers `tick`; older and unstamped ones count for nothing here."""
        if tick == self._tick and robot in self._waiting:
            self._waiting.discard(robot)
            self._silent.discard(robot)
            self._starting.discard(robot)
            self.answered[robot] += 1

    def complete(self) -> bool:
        """Whether every robot that is not silent has answered."""
        self._give_up()
        return self._waiting <= self._silent

    def expects(self) -> bool:
        """Whether any robot has answered at all."""
        self._give_up()
        return not self._silent.issuperset(self.robots)

    def end(self) -> None:
        """The tick is over: a robot that has not answered has missed it and is silent from now on."""
        for robot in self._waiting - self._silent - self._starting:
            self.missed[robot] += 1
        self._silent |= self._waiting - self._starting

    def given_up(self) -> list[str]:
        """Robots that did not start in time, each named once."""
        given_up, self._given_up = self._given_up, []
        return given_up

    def _give_up(self) -> None:
        if self._starting and self._clock.now_s() >= self._start_until_s:
            self._given_up += sorted(self._starting)
            self._silent |= self._starting
            self._starting = set()
