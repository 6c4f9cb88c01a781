"""A linkage model as a file: YAML that a person can read, with the hash of what it says."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import ValidationError

from lakehouse.errors import Misuse
from lakehouse.model.documents import told
from lakehouse.model.linkage.levels import COMPARISONS
from lakehouse.model.linkage.weights import Model, load_model
from lakehouse.model.plain_yaml import read_yaml

_HEAD = """\
# A model of linking, for `lakehouse match --model`. For each field the share of matches, and of other candidate pairs, at each level, best first.
"""


def write_model(model: Model, file: Path, note: str) -> None:
    """Writes the model with its hash; `note` says where it is from."""
    document = model.model_dump(mode="json")
    fields = document.pop("fields")
    lines = [
        _HEAD.rstrip(),
        yaml.safe_dump({"note": note, "sha256": model.sha256}, sort_keys=False, width=160).rstrip(),
        "model:",
    ]
    lines += [f"  {name}: {value!r}" for name, value in document.items()]
    lines.append("  fields:")
    for comparison in COMPARISONS:
        lines.append(f"    {comparison.name}:  # {', '.join(comparison.levels)}")
        lines += [f"      {kind}: {fields[comparison.name][kind]!r}" for kind in ("matches", "others")]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_model(file: Path) -> Model:
    """The model in a file. Raises Misuse where it is none, or where it was changed under its hash."""
    try:
        document = read_yaml(file.read_text(encoding="utf-8"))
        model = load_model(document["model"])
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError) as error:
        raise Misuse(f"{file} is not a model of linking: {error}. `lakehouse match fit` writes one.") from None
    except ValidationError as error:
        raise Misuse(f"{file} is not a model of linking: {told(error, 'model')}") from None
    if document.get("sha256") != model.sha256:
        raise Misuse(
            f"{file} was changed: it says {document.get('sha256')} and is {model.sha256}. Write the new hash into it to use it."
        )
    return model
