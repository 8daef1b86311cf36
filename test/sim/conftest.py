import pytest

from naf_robot.sim.registry import SIMULATORS


@pytest.fixture(params=sorted(SIMULATORS))
def backend(request):
    """Each simulator that there is; those that this machine lacks are skipped, and say what to install."""
    missing = SIMULATORS[request.param].missing()
    if missing is not None:
        pytest.skip(f"simulator {request.param!r}: {missing}")
    return request.param
