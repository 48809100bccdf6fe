#!/usr/bin/env python3
"""The judge of our Hugging Face folders: loads one with transformers and prints what it computes.

    python3 tools/judge_hf.py DIR TOKENS      needs torch and transformers

TOKENS are ids with commas between. Prints JSON: {"missing": [...], "unexpected": [...], "logits":
[[...] for each token]}, computed in float32.
"""

import json
import sys

import torch
import transformers


def main():
    folder, tokens = sys.argv[1], [int(t) for t in sys.argv[2].split(",")]
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    model, info = transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, output_loading_info=True, local_files_only=True)
    with torch.no_grad():
        logits = model(torch.tensor([tokens])).logits[0]
    print(json.dumps({"missing": sorted(info["missing_keys"]),
                      "unexpected": sorted(info["unexpected_keys"]),
                      "logits": logits.tolist()}))


if __name__ == "__main__":
    main()
