"""Stand-in for `controller_manager spawner`: waits for the manager and has controllers activated."""

import sys

import rclpy
from std_srvs.srv import Trigger


def main() -> int:
    rclpy.init(args=sys.argv)
    words = rclpy.utilities.remove_ros_args(sys.argv)[1:]
    manager = words[words.index("--controller-manager") + 1]
    names = [word for word in words[: words.index("--controller-manager")] if not word.startswith("-")]
    node = rclpy.create_node(f"spawner_{names[0]}")
    for name in names:
        client = node.create_client(Trigger, f"{manager}/activate_{name}")
        while not client.wait_for_service(0.2):
            pass
        future = client.call_async(Trigger.Request())
        rclpy.spin_until_future_complete(node, future)
        print(f"activated {name}", flush=True)
    rclpy.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
