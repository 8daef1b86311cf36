"""When velocity control acts: which request is answered when, and what happens while none comes. Without ROS."""

from naf_robot.arm.control.watchdog import STAMP_ROUNDING_S
from naf_robot.core.clock import Clock

WATCHDOG_PERIOD_S = 0.01  # steady time between two looks at what is missing
SILENT_PERIODS = 1.5  # control periods without a request after which commands go on without one
SIMULATED_SILENCE_S = 0.25  # the same in steady time under simulated time, which may run slowly


class ControlTiming:
    """Times of requests, states and steps of one robot.

    `period_s` is the control period that requests should have. All `now_s` and `stamp_s` are of the node's clock,
    wall or simulated; `clock` is steady. In `lockstep` simulated time stands still until each request has its answer.
    """

    def __init__(self, period_s: float, simulated: bool, clock: Clock, lockstep: bool | None = None) -> None:
        self._period_s = period_s
        self._simulated = simulated
        self._lockstep = simulated if lockstep is None else lockstep
        self._clock = clock
        self._request_s: float | None = None  # stamp of the request that is not answered yet
        self._state_s: float | None = None  # stamp of the newest joint state
        self._answered_s, self._answered_steady_s = 0.0, clock.now_s()
        self._stepped_s: float | None = None
        self._stepped_steady_s = clock.now_s()

    def message_time_s(self, now_s: float, stamp_s: float) -> float:
        """The time at which a message counts as received: under simulated time it may overtake the clock."""
        return max(now_s, stamp_s) if self._simulated else now_s

    def state(self, stamp_s: float) -> None:
        """A joint state has been accepted."""
        self._state_s = stamp_s

    def request(self, stamp_s: float) -> None:
        """A desired velocity has been accepted; it takes the place of one that still waits."""
        self._request_s = stamp_s

    def answer(self, now_s: float) -> float | None:
        """The time of the step that answers the waiting request, or None if it has to wait, or there is none.

        In lockstep a request waits for the joint state of its own instant.
        """
        request_s = self._request_s
        if request_s is None:
            return None
        if self._lockstep and (self._state_s is None or self._state_s < request_s - STAMP_ROUNDING_S):
            return None
        self._request_s = None
        self._answered_s, self._answered_steady_s = request_s, self._clock.now_s()
        return self.message_time_s(now_s, request_s)

    def unasked(self, now_s: float) -> bool:
        """Whether requests have been missing for so long that a command is due without one."""
        silent_s = self._clock.now_s() - self._answered_steady_s
        if silent_s >= (SIMULATED_SILENCE_S if self._simulated else SILENT_PERIODS * self._period_s):
            return True
        return self._simulated and now_s - self._answered_s >= SILENT_PERIODS * self._period_s

    def unasked_time_s(self, now_s: float) -> float:
        """The time of a step without a request.

        Not earlier than the last step while the clock only lags behind a stamp, earlier if time has jumped back.
        """
        last_s = self._stepped_s
        return last_s if last_s is not None and 0.0 < last_s - now_s <= 2.0 * self._period_s else now_s

    def step(self, now_s: float) -> float:
        """Begin a step at `now_s`; returns the time since the last one [s].

        The first step takes the control period for it, and steps while the simulated clock stands take steady time.
        """
        steady_s = self._clock.now_s()
        steadily_s = steady_s - self._stepped_steady_s
        if self._stepped_s is None:
            passed_s = self._period_s
        else:
            passed_s = now_s - self._stepped_s if self._simulated else steadily_s
            if self._simulated and passed_s <= 0.0:
                passed_s = steadily_s
        self._stepped_s, self._stepped_steady_s = now_s, steady_s
        return passed_s

    def basis_s(self) -> float | None:
        """Stamp of the state that commands without a request are computed from, under simulated time.

        A process that was frozen cannot tell by a simulated clock how old its state is; the simulator can.
        """
        return self._state_s if self._simulated else None
