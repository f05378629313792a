"""The switches of a system: declared once with a default and an explanation, changed under ``/_sandbox/settings``."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """One switch. The type of *default* is the type of the value; *choices* narrows it."""

    name: str
    default: object
    about: str
    choices: tuple[object, ...] = ()


class SettingError(ValueError):
    """An order names an unknown switch or a value it cannot take."""


class Settings(dict[str, object]):
    """The present values by name. Systems read ``settings["page_size"]``; orders go through :meth:`change`."""

    def __init__(self, schema: Iterable[Setting]) -> None:
        self.schema = {setting.name: setting for setting in schema}
        super().__init__((name, setting.default) for name, setting in self.schema.items())

    def flag(self, name: str) -> bool:
        """The value of an on/off switch."""
        return bool(self[name])

    def number(self, name: str) -> int:
        """The value of a whole-number switch."""
        value = self[name]
        if not isinstance(value, int):
            raise SettingError(f"setting {name!r} is not a whole number but {value!r}")
        return value

    def names(self, name: str) -> frozenset[str]:
        """The value of a list switch, as a set of lower-case texts."""
        value = self[name]
        if not isinstance(value, list | tuple):
            raise SettingError(f"setting {name!r} is not a list but {value!r}")
        return frozenset(str(item).lower() for item in value)

    def change(self, values: Mapping[str, object]) -> None:
        """Set several switches at once, all or none; raises :class:`SettingError` on an unknown name or value."""
        for name, value in values.items():
            self._check(name, value)
        self.update(values)

    def reset(self) -> None:
        """Set every switch back to its default."""
        self.update((name, setting.default) for name, setting in self.schema.items())

    def describe(self) -> dict[str, dict[str, object]]:
        """Every switch with its value, default, choices and explanation."""
        return {
            name: {
                "value": self[name],
                "default": setting.default,
                **({"choices": list(setting.choices)} if setting.choices else {}),
                "about": setting.about,
            }
            for name, setting in self.schema.items()
        }

    def _check(self, name: str, value: object) -> None:
        setting = self.schema.get(name)
        if setting is None:
            known = ", ".join(sorted(self.schema)) or "none"
            raise SettingError(f"unknown setting {name!r}; known: {known}")
        if setting.choices and value not in setting.choices:
            raise SettingError(f"setting {name!r} takes one of {list(setting.choices)}, not {value!r}")
        wanted = type(setting.default)
        fits = isinstance(value, wanted) and not (wanted is int and isinstance(value, bool))
        if wanted is float:
            fits = isinstance(value, int | float) and not isinstance(value, bool)
        if not fits and setting.default is not None:
            raise SettingError(f"setting {name!r} takes a value of type {wanted.__name__}, not {value!r}")
