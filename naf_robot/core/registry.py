"""Registries: what there is of one kind, by name, with what plugins add."""

from collections.abc import Iterator, Mapping, MutableMapping
from typing import TypeVar, overload

from naf_robot.core.errors import ConfigError, UnknownNameError
from naf_robot.core.plugins import load_plugins

Entry = TypeVar("Entry")
Default = TypeVar("Default")


class Registry(MutableMapping[str, Entry]):
    """Entries of one kind by name. A name can be given once; whoever looks finds those of plugins too."""

    def __init__(self, what: str, entries: Mapping[str, Entry], where: str = "") -> None:
        """`what` is registered here ("task"), and `where` a user names it ("task_name")."""
        self._what = what
        self._where = where
        self._entries = dict(entries)

    def register(self, name: str, entry: Entry) -> None:
        """Add `entry`.

        Raises:
            ConfigError: there is one of that name.
        """
        if name in self._entries:
            article = "an" if self._what[0] in "aeiou" else "a"
            raise ConfigError(f"there is {article} {self._what} {name!r} already; choose another name")
        self._entries[name] = entry

    def __getitem__(self, name: str) -> Entry:
        """The entry called `name`.

        Raises:
            UnknownNameError: listing those there are.
            ConfigError: a plugin cannot be imported.
        """
        if name not in self:
            raise UnknownNameError(self._what, name, self, self._where)
        return self._entries[name]

    @overload
    def get(self, name: str, default: None = None) -> Entry | None: ...

    @overload
    def get(self, name: str, default: Entry | Default) -> Entry | Default: ...

    def get(self, name: str, default: Entry | Default | None = None) -> Entry | Default | None:
        """The entry called `name`, `default` without one."""
        return self._entries[name] if name in self else default

    def __setitem__(self, name: str, entry: Entry) -> None:
        self.register(name, entry)

    def __delitem__(self, name: str) -> None:
        del self._entries[name]

    def __contains__(self, name: object) -> bool:
        if name not in self._entries:
            load_plugins()
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        load_plugins()
        return iter(self._entries)

    def __len__(self) -> int:
        load_plugins()
        return len(self._entries)
