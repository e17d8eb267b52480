"""Carry the repository's public address from _config.yml to everywhere else it stands.

    python tools/address.py            # set it
    python tools/address.py --check    # only say where it differs; ends with 1 if it does

In the repository's own documents every GitHub address is ours. In pages and notebooks, which also
link to other repositories, ours are the ones to clone, to install from and to open in Colab.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = (
    "README.md", "CONTRIBUTING.md", "CITATION.cff", "pyproject.toml",
    "gancourse/metrics/diagnose.py",
)  # fmt: skip
PAGES = ("book/*.md", "notebooks/*.ipynb")

NAME = r"[\w-]+/[\w-]+(?:\.(?!git\b)[\w-]+)*"
ANYWHERE = re.compile(rf"(?<=https://github\.com/){NAME}")
OURS = re.compile(
    rf"((?:git clone |git\+)https://github\.com/|colab\.research\.google\.com/github/){NAME}"
)
PAGES_SITE = re.compile(r"https://[\w-]+\.github\.io/[\w.-]+")


def repository() -> str:
    """``owner/name`` from _config.yml."""
    url = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]
    match = re.fullmatch(rf"https://github\.com/({NAME})", url)
    if match is None:
        sys.exit(f"_config.yml: {url} is not of the form https://github.com/OWNER/NAME")
    return match[1]


def with_address(text: str, name: str, document: bool) -> str:
    """The text with ``name`` in place of whatever repository it names as ours."""
    owner, project = name.split("/")
    text = OURS.sub(lambda found: found[1] + name, text)
    if document:
        text = ANYWHERE.sub(name, text)
        text = PAGES_SITE.sub(f"https://{owner.lower()}.github.io/{project}", text)
    return text


def main(arguments: list[str]) -> int:
    name = repository()
    documents = [ROOT / path for path in DOCUMENTS if (ROOT / path).exists()]
    pages = [path for pattern in PAGES for path in sorted(ROOT.glob(pattern))]
    differing = []
    for path in dict.fromkeys(documents + pages):
        text = path.read_text()
        right = with_address(text, name, path in documents)
        if right != text:
            differing.append(str(path.relative_to(ROOT)))
            if "--check" not in arguments:
                path.write_text(right)
    word = "differs in" if "--check" in arguments else "set in"
    print(f"{name}: {word} {', '.join(differing)}" if differing else f"{name}: the same everywhere")
    return int(bool(differing) and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
