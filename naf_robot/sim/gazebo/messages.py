"""Messages of gz-sim's services, by the names that its release has for their modules."""

from functools import cache
from importlib import import_module
from typing import Any

from naf_robot.sim.gazebo.bindings import load


def transport_node() -> Any:
    """A node of gz-transport."""
    return import_module(load().transport).Node()


def boolean() -> type:
    """What the services answer."""
    return _message("boolean", "Boolean")


def entity_message(name: str) -> Any:
    """The model called `name`."""
    entity = _message("entity", "Entity")
    return entity(name=name, type=entity.MODEL)


def factory_message(text: str) -> Any:
    """Models to create, an SDF document."""
    return _message("entity_factory", "EntityFactory")(sdf=text)


def image_message() -> type:
    """A picture."""
    return _message("image", "Image")


@cache
def _message(file: str, name: str) -> Any:
    return getattr(import_module(f"{load().messages}.{file}_pb2"), name)
