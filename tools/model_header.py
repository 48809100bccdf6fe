"""Reads the ModelConfig of a header in models/, for the tools that are not written in C++."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent

DEFAULTS = {
    "rope_theta": 10000.0,
    "rms_norm_eps": 1e-5,
    "rotary": "interleaved",
    "qk_norm": False,
    "tied_embeddings": True,
}
REQUIRED = ("name", "dim", "hidden_dim", "layers", "heads", "kv_heads", "head_dim", "seq", "vocab")


def _value(text):
    if text.startswith('"'):
        return text.strip('"')
    if text in ("true", "false"):
        return text == "true"
    if "RotaryLayout::" in text:
        return {"kInterleaved": "interleaved", "kHalfSplit": "half_split"}[text.split("::")[-1]]
    text = text.replace("'", "")
    return int(text) if re.fullmatch(r"\d+", text) else float(text)


def read(path):
    """The fields of the header's one `.field = value,` list as a dict. ValueError names what is missing."""
    text = re.sub(r"//[^\n]*", "", pathlib.Path(path).read_text(encoding="utf-8"))
    config = dict(DEFAULTS)
    for field, value in re.findall(r"^\s*\.(\w+)\s*=\s*([^,\n]+),", text, re.MULTILINE):
        config[field] = _value(value.strip())
    missing = [field for field in REQUIRED if field not in config]
    if missing:
        raise ValueError(f"{path}: no {', '.join(missing)} in its ModelConfig")
    return config


def all_models():
    """The configs of models/*.h, by file name without extension."""
    return {path.stem: read(path) for path in sorted((ROOT / "models").glob("*.h"))}


def params(config):
    """(parameters of all layers, of the embedding, of the network): the formulas of model/config.h."""
    dim, hd = config["dim"], config["head_dim"]
    q_dim, kv_dim = config["heads"] * hd, config["kv_heads"] * hd
    layer = dim * (q_dim + 2 * kv_dim) + q_dim * dim + 3 * dim * config["hidden_dim"] + 2 * dim
    layer += 2 * hd if config["qk_norm"] else 0
    layers, embedding = config["layers"] * layer, config["vocab"] * dim
    return layers, embedding, layers + embedding + dim
