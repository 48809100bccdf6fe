"""Logits of a base model with a LoRA adapter, by Hugging Face's transformers and PEFT.

  python3 peft_judge.py BASE ADAPTER ID,ID,...

Prints {"logits": one list a position}.
"""

import json
import sys

import peft
import torch
import transformers

base, adapter, ids = sys.argv[1:]
model = transformers.AutoModelForCausalLM.from_pretrained(base).float()
model = peft.PeftModel.from_pretrained(model, adapter)
tokens = torch.tensor([[int(i) for i in ids.split(",")]])
with torch.no_grad():
    logits = model(tokens).logits[0]
print(json.dumps({"logits": logits.tolist()}))
