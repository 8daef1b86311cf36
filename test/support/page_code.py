"""Code that stands on a page of the docs, as a module that others can import."""

import re
import sys
from pathlib import Path
from types import ModuleType

DOCS = Path(__file__).resolve().parents[2] / "docs"


def page_code(page: str) -> str:
    """The only Python block of `page`."""
    text = (DOCS / page).read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return str(block)


def module_from_page(page: str, name: str) -> ModuleType:
    """Run the code of `page` as the module `name`, once per process."""
    if name in sys.modules:
        return sys.modules[name]
    package = name.rpartition(".")[0]
    sys.modules.setdefault(package, ModuleType(package))
    module = sys.modules[name] = ModuleType(name)
    exec(compile(page_code(page), page, "exec"), module.__dict__)
    return module
