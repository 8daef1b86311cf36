"""Which policy acts in the next episode: the newest, one under evaluation until that is over, or a pinned one."""

from collections.abc import Callable

import numpy as np

from naf_robot.core.array_spec import ObservationSpec
from naf_robot.core.errors import NafRobotError
from naf_robot.core.records import PolicyParameters
from naf_robot.core.sequential import SuccessTest
from naf_robot.learning.policies.registry import make_policy


class PolicyChoice:
    """Chooses among the parameters offered to `robot`, which must be policies of observations of `spec`.

    A candidate keeps acting while its test, one of `new_test` from its first evaluation episode on, is open.
    """

    def __init__(
        self, robot: str, spec: ObservationSpec, action_size: int, new_test: Callable[[], SuccessTest]
    ) -> None:
        self._robot = robot
        self._spec, self._action_size = spec, action_size
        self.new_test = new_test  # of the policies that begin to act from now on
        self._offered: PolicyParameters | None = None
        self._pinned: PolicyParameters | None = None
        self._acting: PolicyParameters | None = None
        self._test = new_test()  # of the acting policy
        self.version = -1  # acting
        self.newest_version = -1  # ever offered

    def offer(self, parameters: PolicyParameters) -> None:
        """Parameters for the next episode, unless newer ones arrive before; those of another robot are passed over.

        Raises:
            NafRobotError: arrays that are no policy for this robot, or an unknown kind; the last good ones stay.
        """
        if parameters.addressee not in ("", self._robot):
            return
        self._check(parameters)
        if parameters.version >= self.newest_version:
            self._offered, self.newest_version = parameters, parameters.version

    def pin(self, parameters: PolicyParameters | None) -> None:
        """Act with these parameters whatever is offered; None: follow the newest again.

        Raises:
            NafRobotError: arrays that are no policy for this robot, or addressed to another; the pin stays as it was.
        """
        if parameters is not None:
            if parameters.addressee not in ("", self._robot):
                raise NafRobotError(f"version {parameters.version} is addressed to {parameters.addressee!r}")
            self._check(parameters)
        self._pinned, self._test = parameters, self.new_test()

    def check_comparable(self, parameters: PolicyParameters) -> None:
        """Whether this robot can act with `parameters`.

        Raises:
            NafRobotError: arrays that are no policy for this robot, or addressed to another.
        """
        if parameters.addressee not in ("", self._robot):
            raise NafRobotError(f"version {parameters.version} is addressed to {parameters.addressee!r}")
        self._check(parameters)

    @property
    def pinned_version(self) -> int | None:
        """The version pinned, None if the newest is followed."""
        return self._pinned.version if self._pinned else None

    @property
    def is_empty(self) -> bool:
        """Whether there are no parameters to act with yet."""
        return self._offered is None and self._pinned is None

    @property
    def is_candidate(self) -> bool:
        """Whether the acting policy is being evaluated, or has passed: the next episode is an evaluation too."""
        return self._test.episodes > 0 and self._test.passed is not False

    def begin(self, compared: PolicyParameters | None = None) -> PolicyParameters | None:
        """An episode begins: the parameters to load for it, None if those that acted last act again.

        In a comparison it is `compared` that acts, whatever is pinned or offered.
        """
        on_trial = self._acting if self._test.episodes > 0 and self._test.passed is None else None
        parameters = compared or self._pinned or on_trial or self._offered
        if parameters is None or parameters is self._acting:
            return None
        self._acting, self._test, self.version = parameters, self.new_test(), parameters.version
        return parameters

    def evaluated(self, success: bool) -> None:
        """The acting policy has finished an evaluation episode."""
        if self._test.passed is False or (self._test.passed and not success):
            self._test = self.new_test()
        self._test.add(success)

    def _check(self, parameters: PolicyParameters) -> None:
        policy, nothing = make_policy(parameters.kind, parameters.arrays), np.zeros(self._spec.size, np.float32)
        black = {image.name: np.zeros(image.shape, np.uint8) for image in self._spec.images}
        action = policy.action(nothing, black) if black else policy.action(nothing)
        if action.shape != (self._action_size,):
            raise NafRobotError(f"a policy with {action.size} actions cannot give the {self._action_size} needed")
