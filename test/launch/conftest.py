"""launch_pytest is a plugin of pytest where it is installed; from a source checkout it has to be registered."""

from importlib.util import find_spec

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Register it where it is and works, unless pytest has found it by itself."""
    if find_spec("launch_pytest") is None or pytest.version_tuple >= (8, 4):
        return
    from launch_pytest import plugin

    if not config.pluginmanager.is_registered(plugin):
        config.pluginmanager.register(plugin, "launch_pytest")
