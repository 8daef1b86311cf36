"""Checks that the measured velocities are those that were sent, whatever lag the arm has. Without ROS."""

from collections import deque

import numpy as np

from naf_robot.arm.control.config import FollowingConfig
from naf_robot.core.records import FloatArray

LAGS_S = (0.0, 0.03, 0.08, 0.16, 0.3)  # time constants of first order that an arm may have
DELAYS_S = (0.0, 0.05, 0.12)  # and delays before them
OTHERWISE = 1.6  # error over command: 1 is an arm that stands, 2 one whose motion has nothing to do with the command
STANDS = 0.6
STILL = 0.3  # way over commanded way of an arm that counts as standing
SMOOTH_S = 0.15  # time constant of smoothing: quick changes say more of delays than of joints
KEPT_S = 1.0  # commands that are remembered
DRIFT_S = 3.0  # time constant over which positions are compared: it shows slow motion that velocities do not
LAG_S = 0.5  # of the recent speed, by which positions may lag
JUMP = 0.1  # [rad] that a position may differ from what the measured velocity makes of the last one
MAX_GAP_S = 0.3  # between two states; after a longer one all begins anew


class FollowingCheck:
    """Compares the mean squares, over about `window_s`, of the sent velocity and of what the measured one lacks of it.

    The sent velocity is passed through models of lag and delay; the best of them counts, joint by joint, so that a
    slow arm is no fault, and neither is one that a limit of its own slows down to half the speed. Wrong signs, another
    order of joints and motion that nobody asked for are. An arm that stands although it is asked to move is one too,
    unless it may be blocked by what it touches. Positions are compared in the same way, over a longer time: that shows
    motion which is too slow to be told from the noise of velocities.
    """

    def __init__(self, joints: tuple[str, ...], config: FollowingConfig) -> None:
        self._joints, self._config = joints, config
        self._lags = np.array([lag for lag in LAGS_S for _ in DELAYS_S])
        self._delays = np.array([delay for _ in LAGS_S for delay in DELAYS_S])
        self._sent: deque[tuple[float, FloatArray]] = deque()
        self.restart()

    def restart(self) -> None:
        """Forget the past: time has jumped, nothing was sent for a while, or the arm is not ours to move."""
        shape = (len(self._lags), len(self._joints))
        self._expected = np.zeros(shape)  # [rad/s], by each model
        self._lack, self._wanted = np.zeros(shape), np.zeros(shape)  # [rad/s], smoothed
        self._error, self._size = np.zeros(shape), np.zeros(shape)  # [(rad/s)^2], weighted means of their squares
        self._sent.clear()
        size = len(self._joints)
        self._position = np.zeros(size)  # [rad], measured last
        self._drift, self._way = np.zeros(size), np.zeros(size)  # [rad], of the arm from, and of, what was sent lately
        self._fastest = np.zeros(size)  # [rad/s], sent lately
        self._state_s: float | None = None
        self._wrong_since_s: float | None = None
        self.reason: str | None = None

    def sent(self, velocity: FloatArray, now_s: float) -> None:
        """`velocity` (n,) [rad/s] was sent at `now_s`, in the time of the states' stamps."""
        self._sent.append((now_s, velocity.copy()))
        while len(self._sent) > 2 and self._sent[1][0] < now_s - KEPT_S:
            self._sent.popleft()

    def state(self, position: FloatArray, velocity: FloatArray, stamp_s: float) -> str | None:
        """Why what was measured at `stamp_s`, (n,) in rad and rad/s, is not what was sent, or None."""
        if not self._sent:
            return None
        passed_s = 0.0 if self._state_s is None else stamp_s - self._state_s
        moved = position - self._position
        jumped = self._state_s is not None and not np.abs(moved - passed_s * velocity).max() <= JUMP
        if passed_s < 0.0 or passed_s > MAX_GAP_S or jumped:
            kept = list(self._sent)
            self.restart()
            self._sent.extend(kept)
            passed_s = 0.0
        self._state_s, self._position = stamp_s, position
        if passed_s == 0.0:
            return self.reason
        sent = np.array([self._sent_at(stamp_s - delay) for delay in DELAYS_S])
        sent = np.tile(sent, (len(LAGS_S), 1))
        share = np.where(self._lags > 0.0, 1.0 - np.exp(-passed_s / np.maximum(self._lags, 1e-9)), 1.0)
        self._expected += share[:, None] * (sent - self._expected)
        smooth, weight = (1.0 - np.exp(-passed_s / time_s) for time_s in (SMOOTH_S, self._config.window_s))
        self._lack += smooth * (velocity - self._expected - self._lack)
        self._wanted += smooth * (self._expected - self._wanted)
        self._error += weight * (self._lack**2 - self._error)
        self._size += weight * (self._wanted**2 - self._size)
        kept = np.exp(-passed_s / DRIFT_S)
        self._drift = kept * self._drift + moved - passed_s * sent[0]
        self._way = kept * self._way + passed_s * sent[0]
        self._fastest = np.maximum(np.abs(sent[0]), np.exp(-passed_s / LAG_S) * self._fastest)
        self._decide(stamp_s)
        return self.reason

    def _sent_at(self, time_s: float) -> FloatArray:
        for when, velocity in reversed(self._sent):
            if when <= time_s:
                return velocity
        return np.zeros(len(self._joints))

    def _decide(self, stamp_s: float) -> None:
        noise = self._config.noise**2
        factor = OTHERWISE if self._config.may_be_blocked else STANDS
        differs = np.asarray((self._error > factor * self._size + noise).all(axis=0))
        allowed = factor * np.abs(self._way) + LAG_S * self._fastest + self._config.drift
        drifts = np.abs(self._drift) > allowed
        wrong = differs | drifts
        if not wrong.any():
            self._wrong_since_s = None
            self.reason = None
            return
        self._wrong_since_s = stamp_s if self._wrong_since_s is None else self._wrong_since_s
        if stamp_s - self._wrong_since_s < self._config.window_s:
            return
        best = self._error.argmin(axis=0)
        columns = np.arange(len(self._joints))
        error, size = self._error[best, columns], self._size[best, columns]
        names = [name for name, bad in zip(self._joints, wrong, strict=True) if bad]
        moved = np.abs(self._way + self._drift)
        still = (error <= OTHERWISE * size + noise) & (moved <= STILL * np.abs(self._way) + self._config.drift / 2.0)
        stands = bool(still[wrong].all())
        what = (
            "stand although they are commanded to move: is the controller active, is a brake on, is the arm blocked"
            if stands
            else "do not move as commanded: is the controller's order of joints that of arm.joints, is a sign "
            "reversed, does something else move the arm"
        )
        self.reason = f"{', '.join(names)} {what}?"
