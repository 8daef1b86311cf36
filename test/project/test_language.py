"""What strangers read is in the field's words: README, docs, changelog, messages and help texts."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.rst", *sorted((ROOT / "docs").rglob("*.md"))]
SOURCES = sorted((ROOT / "naf_robot").rglob("*.py")) + sorted((ROOT / "launch").glob("*.py"))

BANNED = {  # pattern: what an engineer reads in other texts instead
    r"dear": "expensive",
    r"paid( for)?": "recorded (a transition), costs (time)",
    r"died?|dies|dying|dead|deaths?": "ends unexpectedly, is killed, process exit",
    r"alive|lived?|living|born": "running, uptime, is in",
    r"(take|takes|taken|took|taking) up": "load (a policy), resume (a run)",
    r"on trial": "candidate under evaluation",
    r"judg\w+": "check, evaluate, compute",
    r"last words?": "final check, shutdown message",
    r"greedy success": "evaluation success rate",
    r"(un)?hurr(y|ied)": "free-running",
    r"wish(es)?": "command, desired value",
    r"blind(ly)?": "open loop, independent of",
    r"by hand": "manually",
    r"explode[sd]?": "diverges",
    r"thinned": "compacted, evicted",
    r"told": "reported, given, commanded",
    r"honest(ly)?": "exact, complete (or leave it out)",
    r"in good order": "say what is correct",
    r"unasked": "unexpected, unexpectedly",
    r"for ever": "permanently, without limit",
}


def sentences_of(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of every string with a space that is no docstring: messages, help texts, states; no identifiers."""
    tree = ast.parse(source)
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) and id(node) not in docstrings else None
        if isinstance(text, str) and " " in text:
            yield node.lineno, text


def found_in(text: str) -> list[str]:
    found = []
    for pattern, instead in BANNED.items():
        if match := re.search(rf"\b({pattern})\b", re.sub(r"`[^`\n]*`", "", text), re.IGNORECASE):
            found.append(f"{match.group(0)!r}; say: {instead}")
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_pages_use_the_words_of_the_field(page: Path):
    lines = enumerate(page.read_text(encoding="utf-8").splitlines(), 1)
    assert [f"{page.name}:{number}: {text}" for number, line in lines for text in found_in(line)] == []


def test_messages_and_help_texts_use_the_words_of_the_field():
    assert len(SOURCES) > 50
    found = [
        f"{path.relative_to(ROOT)}:{number}: {problem}"
        for path in SOURCES
        for number, text in sentences_of(path.read_text(encoding="utf-8"))
        for problem in found_in(text)
    ]
    assert found == []


def test_the_test_finds_a_banned_word():
    assert found_in("Robot time is dear.") == ["'dear'; say: expensive"]
    assert found_in("the setting `dear` and a dearth of data") == []
    assert [text for _, text in sentences_of('"""died."""\nraise E(f"{name} died")')] == [" died"]
