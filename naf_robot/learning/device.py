"""Which devices this machine can compute on. Loads torch only when one other than the processor is asked about."""

from importlib import import_module


def device_problem(name: str) -> str | None:
    """What is wrong with the device `name` (`cpu`, `cuda`, `cuda:1`, `mps`), None if nothing is."""
    if name == "cpu":
        return None
    torch = import_module("torch")
    try:
        device = torch.device(name)
    except RuntimeError:
        return f"{name!r} is not a device; use cpu, cuda or cuda:1"
    if device.type == "cuda":
        count = torch.cuda.device_count()
        if (device.index or 0) >= count:
            return f"{name!r} is not present: this machine has {count} CUDA devices; use cpu"
        return None
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        return f"{name!r} is not present on this machine; use cpu"
    return None
