#!/usr/bin/env python3
"""The ids that the original tokenizer libraries give, for comparison with ours.

tokenizer_ids.py TOKENIZER CASES    CASES holds {"hex": "the text's bytes"} a line; prints a JSON array
                                    of their ids. Only a tokenizer.model takes bytes that are not UTF-8.
tokenizer_ids.py TOKENIZER --golden prints a golden: a JSON object {"text": [ids]} of the texts below.

TOKENIZER: a tokenizer.model (needs `sentencepiece`), a tokenizer.json, or a folder with Qwen's
vocab.json, merges.txt and added_tokens.json (both need `tokenizers`).
"""

import json
import os
import sys

QWEN_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)

GOLDEN_TEXTS = [
    "",
    " ",
    "   ",
    "a",
    " a",
    "a ",
    "Once upon a time, there was a little girl named Lily.",
    "It's we'll THEY'RE don't o'clock 's",
    "1234567890 3.14159 1e-5",
    "\n\n  \n\t\tx\r\ny   z  \n",
    "def f(x):\n    return x ** 2  # square\n",
    "\u4eca\u5929\u5929\u6c14\u5f88\u597d\u3002\u3053\u3093\u306b\u3061\u306f\uff01 \uc548\ub155\ud558\uc138\uc694",
    "\U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea",
    "caf\u00e9 cafe\u0301 \u212b \u1e9b\u0323 \u0958",
    "na\u00efve \u2014 \u201cquoted\u201d \u2026",
    "<|endoftext|>a<|im_start|>user\nhi<|im_end|><s></s><unk><0x41>",
    "\u2581a\u2581\u2581b \u2581 c",
    "a\u00a0b\u3000c\u180ed\u200be\u0085f\u2028g",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "\u0395\u03bb\u03bb\u03b7\u03bd\u03b9\u03ba\u03ac \u0420\u0443\u0441\u0441\u043a\u0438\u0439 \u0627\u0644\u0639\u0631\u0628\u064a\u0629 \u0939\u093f\u0928\u094d\u0926\u0940",
]


def qwen(folder):
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

    tokenizer = Tokenizer(
        models.BPE.from_file(os.path.join(folder, "vocab.json"), os.path.join(folder, "merges.txt"))
    )
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN_PATTERN), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    with open(os.path.join(folder, "added_tokens.json"), encoding="utf-8") as file:
        added = json.load(file)
    for content in sorted(added, key=added.get):
        tokenizer.add_tokens([AddedToken(content, normalized=False, special=True)])
        assert tokenizer.token_to_id(content) == added[content]
    return tokenizer


def open_tokenizer(path):
    """A function from the bytes of a text to its ids."""
    if path.endswith(".model"):
        import sentencepiece

        processor = sentencepiece.SentencePieceProcessor(model_file=path)
        return processor.encode
    if os.path.isdir(path):
        tokenizer = qwen(path)
    else:
        import tokenizers

        tokenizer = tokenizers.Tokenizer.from_file(path)
    return lambda text: tokenizer.encode(text.decode(), add_special_tokens=False).ids


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    encode = open_tokenizer(sys.argv[1])
    if sys.argv[2] == "--golden":
        lines = [f"{json.dumps(text)}: {json.dumps(encode(text.encode()))}" for text in GOLDEN_TEXTS]
        print("{\n" + ",\n".join(lines) + "\n}")
        return
    with open(sys.argv[2], encoding="utf-8") as cases:
        print(json.dumps([encode(bytes.fromhex(json.loads(line)["hex"])) for line in cases]))


if __name__ == "__main__":
    main()
