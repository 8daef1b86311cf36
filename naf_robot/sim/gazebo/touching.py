"""Which shapes may touch, as the bit masks that gz-sim knows: two shapes touch where their masks share a bit."""

from collections.abc import Iterable, Sequence

BITS = 16  # of a collide_bitmask
EVERYTHING = (1 << BITS) - 1  # the mask of what touches every shape of an arm


def masks(links: Sequence[str], touching: Iterable[frozenset[str]]) -> dict[str, int]:
    """A mask for each of `links`: two share a bit only where the pair is in `touching`, and every one has a bit.

    Each bit stands for a group of links any two of which may touch. Should there be more groups than bits, the pairs
    that are left never touch.
    """
    left = {pair for pair in touching if len(pair) == 2}
    allowed = frozenset(left)
    found = dict.fromkeys(links, 0)
    bit = 0
    while left and bit < BITS - 1:
        group = _largest_group(links, allowed, left)
        for link in group:
            found[link] |= 1 << bit
        left -= {frozenset((first, second)) for first in group for second in group if first != second}
        bit += 1
    for link in links:  # it touches no other link of the arm, but what stands around it
        if not found[link]:
            found[link] = 1 << min(bit, BITS - 1)
            bit += 1
    return found


def _largest_group(links: Sequence[str], allowed: frozenset[frozenset[str]], left: set[frozenset[str]]) -> list[str]:
    """A group with as many of the pairs that are `left` as a greedy choice finds."""

    def gain(link: str, group: list[str]) -> int:
        return sum(frozenset((link, other)) in left for other in group)

    group = sorted(min(left, key=sorted))
    while True:
        fitting = [
            link for link in links if link not in group and all(frozenset((link, other)) in allowed for other in group)
        ]
        best = max(fitting, key=lambda link: gain(link, group), default=None)
        if best is None or gain(best, group) == 0:
            return group
        group.append(best)
