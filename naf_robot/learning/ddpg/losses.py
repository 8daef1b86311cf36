"""DDPG's losses (Lillicrap et al. 2016, Algorithm 1). B batch."""

from torch import Tensor


def critic_loss(q: Tensor, target: Tensor) -> Tensor:
    """Mean of (Q(x, u) - y)² with y = r + discount (1 - terminated) Q′(x′, µ′(x′)); both (B,)."""
    return (q - target).square().mean()


def actor_loss(q_of_policy: Tensor) -> Tensor:
    """Minus the mean of Q(x, µ(x)), (B,)."""
    return -q_of_policy.mean()
