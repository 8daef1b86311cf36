"""Where the bags of one robot lie: `<robot>`, then `<robot>-2`, `<robot>-3` and so on, one for each start.

A robot's name has no hyphen, so no robot's second bag has the name of another robot's first.
"""

import re
from pathlib import Path


def bag_folders(bags: Path, robot: str) -> list[Path]:
    """The bags of `robot` below `bags`, in the order of their starts."""
    found = [path for path in bags.glob(f"{robot}*") if path.is_dir() and _number(path.name, robot)]
    return sorted(found, key=lambda path: _number(path.name, robot))


def new_bag_folder(bags: Path, robot: str) -> Path:
    """Where the next bag of `robot` belongs; it does not exist."""
    numbers = [_number(path.name, robot) for path in bag_folders(bags, robot)]
    number = max(numbers, default=0) + 1
    return bags / (robot if number == 1 else f"{robot}-{number}")


def _number(name: str, robot: str) -> int:
    """Which of the robot's bags has this name, 0 for none of them."""
    if name == robot:
        return 1
    match = re.fullmatch(rf"{re.escape(robot)}-([1-9][0-9]*)", name)
    return int(match.group(1)) if match else 0
