"""scipy's distribution functions, imported without the layer that scipy puts around them for other array libraries."""

import sys
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from threading import RLock
from types import ModuleType
from typing import Any

_PACKAGE = "scipy.special"
_COMPILED = f"{_PACKAGE}._ufuncs"
_COMPLETING = RLock()


class _PackageOnDemand(ModuleType):
    """A package whose modules can be imported, and whose own code runs when it is first asked for anything else."""

    def __init__(self, spec: ModuleSpec) -> None:
        super().__init__(spec.name)
        self.__spec__, self.__loader__, self.__file__ = spec, spec.loader, spec.origin
        self.__path__ = list(spec.submodule_search_locations or ())
        self.__package__ = spec.name
        self._is_begun = False

    def __getattr__(self, name: str) -> Any:
        with _COMPLETING:  # another thread waits, and this one may ask for what is not there yet
            if not self._is_begun and self.__spec__ is not None and self.__spec__.loader is not None:
                self._is_begun = True
                self.__spec__.loader.exec_module(self)
                self.__class__ = ModuleType  # type: ignore[assignment]
        try:
            return vars(self)[name]
        except KeyError:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}") from None


def _functions() -> ModuleType:
    """Import the compiled functions alone, which `scipy.special` exports unchanged.

    Its own code wraps each of them for other array libraries and writes their documentation again, which costs several
    times what the functions do. It runs when another module needs it. A scipy that keeps the functions elsewhere is
    imported whole.
    """
    spec = None if _PACKAGE in sys.modules else find_spec(_PACKAGE)
    if spec is None:
        return import_module(_PACKAGE)
    sys.modules[_PACKAGE] = _PackageOnDemand(spec)
    try:
        return import_module(_COMPILED)
    except ImportError:
        del sys.modules[_PACKAGE]
        return import_module(_PACKAGE)


_found = _functions()
bdtr = _found.bdtr
betaincinv = _found.betaincinv
chdtrc = _found.chdtrc
chdtri = _found.chdtri
chndtr = _found.chndtr
chndtrinc = _found.chndtrinc
fdtrc = _found.fdtrc
gammaln = _found.gammaln
kolmogi = _found.kolmogi
kolmogorov = _found.kolmogorov
ndtr = _found.ndtr
ndtri = _found.ndtri
psi = _found.psi
stdtr = _found.stdtr
stdtrit = _found.stdtrit
zeta = _found._zeta if hasattr(_found, "_zeta") else _found.zeta  # noqa: SLF001 - Hurwitz's, which scipy exports by a wrapper
