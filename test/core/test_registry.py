"""Every registry of the package: one name once, a name that lists the others, and plugins that are found."""

import subprocess
import sys
import textwrap

import pytest

from naf_robot.arm.control.actions import ACTION_SPECS
from naf_robot.arm.control.outputs import OUTPUTS
from naf_robot.core.errors import ConfigError, UnknownNameError
from naf_robot.core.registry import Registry
from naf_robot.learning.policies.registry import POLICY_KINDS
from naf_robot.learning.registry import ALGORITHMS
from naf_robot.sensing.registry import SENSORS
from naf_robot.sim.mujoco.scenes import BUILDERS
from naf_robot.sim.registry import SIMULATORS
from naf_robot.sim.scenes.registry import SCENES
from naf_robot.tasks.registry import TASKS

REGISTRIES = {
    "naf_robot.arm.control.actions:ACTION_SPECS": ACTION_SPECS,
    "naf_robot.arm.control.outputs:OUTPUTS": OUTPUTS,
    "naf_robot.learning.policies.registry:POLICY_KINDS": POLICY_KINDS,
    "naf_robot.learning.registry:ALGORITHMS": ALGORITHMS,
    "naf_robot.sensing.registry:SENSORS": SENSORS,
    "naf_robot.sim.mujoco.scenes:BUILDERS": BUILDERS,
    "naf_robot.sim.registry:SIMULATORS": SIMULATORS,
    "naf_robot.sim.scenes.registry:SCENES": SCENES,
    "naf_robot.tasks.registry:TASKS": TASKS,
}
registries = pytest.mark.parametrize("place", REGISTRIES)


@registries
def test_it_is_a_registry_with_entries(place: str):
    assert isinstance(REGISTRIES[place], Registry)
    assert len(REGISTRIES[place]) == len(list(REGISTRIES[place])) > 0


@registries
def test_a_name_is_given_once(place: str):
    registry = REGISTRIES[place]
    name = next(iter(registry))
    before = registry[name]
    with pytest.raises(ConfigError, match=rf"there is an? .* '{name}' already; choose another name"):
        registry.register(name, "another")
    with pytest.raises(ConfigError, match="already"):
        registry[name] = "another"
    assert registry[name] is before


@registries
def test_an_unknown_name_lists_the_known_ones(place: str):
    registry = REGISTRIES[place]
    assert "no_such_thing" not in registry
    assert registry.get("no_such_thing") is None
    with pytest.raises(UnknownNameError, match=r"unknown .* 'no_such_thing'.*; valid: ") as caught:
        registry["no_such_thing"]
    assert all(name in str(caught.value) for name in registry)


@registries
@pytest.mark.parametrize("asked", ["registry['added']", "list(registry)[-1]", "'added' in registry", "len(registry)"])
def test_what_a_plugin_registers_is_found_however_one_looks(place: str, asked: str, tmp_path):
    """In a process of its own: a process loads its plugins once."""
    module, _, name = place.partition(":")
    (tmp_path / "a_plugin.py").write_text(f"from {module} import {name}\n{name}.register('added', 'the entry')\n")
    program = textwrap.dedent(f"""
        import os, sys
        sys.path.insert(0, {str(tmp_path)!r})
        from {module} import {name} as registry
        before = len(registry._entries)
        os.environ["NAF_ROBOT_PLUGINS"] = "a_plugin"
        answer = {asked}
        assert answer in ("the entry", "added", True, before + 1), answer
    """)
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
