"""Pictures of a simulated camera out of gz-transport, where they come some time after the step that they show."""

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from naf_robot.core.errors import NafRobotError
from naf_robot.sim.gazebo.messages import image_message, transport_node

FIRST_S = 30.0  # wall time until the first picture: the engine compiles its shaders
NEXT_S = 10.0  # wall time until each further one


class CameraFeed:
    """The newest picture on `topic`, of height and width `frame`."""

    def __init__(self, topic: str, frame: tuple[int, int]) -> None:
        self._topic, self._frame, self._wait_s = topic, frame, FIRST_S
        self._came = threading.Condition()
        self._stamp_ns = -1
        self._data = b""
        self._node = transport_node()
        self._node.subscribe(image_message(), topic, self._on_image)

    def picture(self, newer_than_ns: int) -> NDArray[np.uint8]:
        """The first picture (H, W, 3), RGB, whose stamp is newer [ns]; it is waited for.

        Raises:
            NafRobotError: none comes, or of another size.
        """
        with self._came:
            came = self._came.wait_for(lambda: self._stamp_ns > newer_than_ns, self._wait_s)
            data = self._data
        if not came:
            raise NafRobotError(
                f"gz-sim sent no picture on {self._topic!r} within {self._wait_s:g} s: cameras need its sensors system "
                "with a render engine (ogre2) and a display, such as one of Xvfb"
            )
        self._wait_s = NEXT_S
        height, width = self._frame
        if len(data) != height * width * 3:
            raise NafRobotError(f"a picture of {height} x {width} has {height * width * 3} bytes, got {len(data)}")
        return np.frombuffer(data, np.uint8).reshape(height, width, 3).copy()

    def _on_image(self, message: Any) -> None:
        stamp = message.header.stamp
        with self._came:
            self._stamp_ns, self._data = stamp.sec * 10**9 + stamp.nsec, message.data
            self._came.notify_all()
