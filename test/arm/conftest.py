"""Arms and projections that the tests of the arm room share."""

import numpy as np
import pytest

from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.arm.projection.compiled_library import library
from naf_robot.arm.projection.projection import (
    HalfSpaceConfig,
    SafetyConfig,
    SafetyProjection,
    SelfCollisionConfig,
    SphereConfig,
)
from naf_robot.core.resources import find

SPHERE = SphereConfig(centre=(0.4, 0.0, 0.6), radius=0.6)


@pytest.fixture(scope="session")
def home():
    return np.array([0.0, 0.5, 0.0, 1.2, 0.0, 1.0, 0.0])


@pytest.fixture(scope="session")
def model():
    return ArmModel(find("urdf/arm7.urdf"), "tool")


@pytest.fixture(scope="session", params=[True, False], ids=["compiled", "python"])
def compiled(request):
    """Whether paths are checked by the functions in C, where the machine has a compiler, or in Python."""
    if request.param and library() is None:
        pytest.skip("no C compiler here, or it is switched off")
    return request.param


@pytest.fixture(scope="session")
def projection(model, compiled):
    """Every kind of limit on."""
    floor = HalfSpaceConfig(name="floor", normal=(0.0, 0.0, 2.0), offset=0.1)
    return SafetyProjection(model, SafetyConfig(sphere=SPHERE, half_spaces=(floor,)), compiled=compiled)


@pytest.fixture(scope="session")
def exact(model, compiled):
    """No delay allowed for and no self-collision: what is left can be computed by hand."""
    config = SafetyConfig(sphere=SPHERE, delay_s=0.0, self_collision=SelfCollisionConfig(enabled=False))
    return SafetyProjection(model, config, compiled=compiled)
