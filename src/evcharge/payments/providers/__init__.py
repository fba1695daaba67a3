"""Payment providers, one module each, behind one protocol."""

from collections.abc import Iterator

from evcharge.payments.providers.base import Provider
from evcharge.payments.rules import ProviderNotFound


class Providers:
    """Those this installation works with; new payments go to the first."""

    def __init__(self, *providers: Provider) -> None:
        self.default = providers[0].name
        self._by_name = {provider.name: provider for provider in providers}

    def __iter__(self) -> Iterator[Provider]:
        return iter(self._by_name.values())

    @property
    def page_origins(self) -> tuple[str, ...]:
        every = self._by_name.values()
        return tuple(origin for each in every for origin in each.page_origins)

    def named(self, name: str) -> Provider:
        """Raises: ProviderNotFound."""
        try:
            return self._by_name[name]
        except KeyError:
            raise ProviderNotFound(provider=name) from None
