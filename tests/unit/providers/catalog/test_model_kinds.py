from __future__ import annotations

from typing import Any

import pytest

from allos.providers.catalog.model_kinds import chats, chats_in

CHAT = """gpt-5-mini o3-deep-research claude-sonnet-4-5 gemini-2.5-flash voxtral-small-2507 grok-4
llama-3.2-90b-vision-instruct qwen3-vl-plus phi-4-multimodal-instruct olive-7b kimi-k2 gemma3n:e4b"""
OTHERS = """whisper-large-v3 distil-whisper-large-v3-en gpt-4o-mini-tts tts-1-hd text-embedding-3-small
canopylabs/orpheus-v1-english nomic-embed-text all-minilm baai/bge-reranker-v2-m3 rerank-v3.5
omni-moderation-latest llama-guard-4-12b gpt-oss-safeguard-20b nvidia/llama-3.1-nemoguard-8b dall-e-3
gpt-image-1 imagen-4.0-generate-001 sora-2 gpt-4o-transcribe gpt-realtime black-forest-labs/FLUX.1-dev
mistral-ocr-latest davinci-002 nvidia/llama-3_2-nemoretriever-300m voyage/voyage-4"""


@pytest.mark.parametrize("name", CHAT.split())
def test_names_of_models_that_chat(name: str) -> None:
    """What looks at pictures, or has a word inside of another one, is a model to chat with."""
    assert chats(name)


@pytest.mark.parametrize("name", OTHERS.split())
def test_names_of_other_models(name: str) -> None:
    """Vectors, speech, pictures, verdicts, and texts that are continued."""
    assert not chats(name)


def test_a_service_knows_better_than_a_name() -> None:
    """What the record says holds, in both directions."""
    assert chats("gemini-2.5-flash-image", True)
    assert not chats("plain-name", False)


@pytest.mark.parametrize(
    ("record", "found"),
    [
        ({"capabilities": {"completion_chat": True}}, True),
        ({"capabilities": {"completion_chat": False}}, False),
        ({"capabilities": {"chat_completion": False, "embeddings": True}}, False),
        ({"supports_chat": False}, False),
        ({"architecture": {"output_modalities": ["image", "text"]}}, True),
        ({"architecture": {"output_modalities": ["embeddings"]}}, False),
        (
            {"architecture": {"input_modalities": ["audio"], "output_modalities": ["text"]}},
            False,
        ),
        ({"supported_output_modalities": ["text"]}, True),
        ({"type": "chat"}, True),
        ({"type": "moderation"}, False),
        ({"type": "vlm"}, True),
        ({"type": "embeddings"}, False),
        ({"model_type": "chat"}, True),
        ({"task": "chat-completion"}, True),
        ({"task": {"name": "Automatic Speech Recognition"}}, False),
        ({"endpoints": ["chat", "generate"]}, True),
        ({"endpoints": ["rerank"]}, False),
        ({"capabilities": ["completion", "tools"]}, True),
        ({"capabilities": ["embedding"]}, False),
        ({"type": "model"}, None),
        ({"object": "model", "capabilities": {}, "task": 7, "architecture": "x"}, None),
        ({"type": None, "output_modalities": [], "endpoints": [None]}, None),
    ],
)
def test_what_records_say(record: dict[str, Any], found: bool | None) -> None:
    """Services say it in different fields; what is none of them says nothing."""
    assert chats_in(record) is found
