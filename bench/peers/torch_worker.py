#!/usr/bin/env python3
"""Training steps in PyTorch, timed on request: the other side of `millwright bench step`.

The decoder as a PyTorch user would write it for speed: fused norms, SiLU, attention and AdamW. It holds
the same parameters as the network that `millwright bench step` measures, and does the same work each
step: forward, backward, norm and clipping of the gradient, AdamW.

Started by training.py. Prints a line of JSON about itself, then for each line {"mode": ..., "seconds":
...} of its input the times of steps, in milliseconds.
"""

import argparse
import json
import sys
import time

import torch
from torch.nn import functional as F


def rotary_tables(config, seq):
    """cos and sin [seq, head_dim] of position * theta^(-2i/head_dim), the pairs' halves side by side."""
    half = config["head_dim"] // 2
    frequency = config["rope_theta"] ** (-2.0 * torch.arange(half, dtype=torch.float64) / config["head_dim"])
    angle = torch.outer(torch.arange(seq, dtype=torch.float64), frequency).repeat(1, 2)
    return angle.cos().float(), angle.sin().float()


def rotate(x, cos, sin):
    a, b = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-b, a), dim=-1) * sin


class Block(torch.nn.Module):
    def __init__(self, config):
        super().__init__()
        dim, hidden, self.head_dim = config["dim"], config["hidden_dim"], config["head_dim"]
        self.heads, self.kv_heads, eps = config["heads"], config["kv_heads"], config["rms_norm_eps"]
        linear = lambda columns, rows: torch.nn.Linear(columns, rows, bias=False)
        norm = lambda size: torch.nn.RMSNorm(size, eps=eps)
        self.input_norm, self.ffn_norm = norm(dim), norm(dim)
        self.q_proj = linear(dim, self.heads * self.head_dim)
        self.k_proj = linear(dim, self.kv_heads * self.head_dim)
        self.v_proj = linear(dim, self.kv_heads * self.head_dim)
        self.o_proj = linear(self.heads * self.head_dim, dim)
        self.q_norm = norm(self.head_dim) if config["qk_norm"] else torch.nn.Identity()
        self.k_norm = norm(self.head_dim) if config["qk_norm"] else torch.nn.Identity()
        self.gate_proj, self.up_proj, self.down_proj = linear(dim, hidden), linear(dim, hidden), linear(hidden, dim)

    def attention(self, x, cos, sin):
        batch, seq, _ = x.shape
        split = lambda y: y.view(batch, seq, -1, self.head_dim)
        q = rotate(self.q_norm(split(self.q_proj(x))).transpose(1, 2), cos, sin)
        k = rotate(self.k_norm(split(self.k_proj(x))).transpose(1, 2), cos, sin)
        v = split(self.v_proj(x)).transpose(1, 2)
        if self.kv_heads != self.heads:
            group = self.heads // self.kv_heads
            k, v = k.repeat_interleave(group, dim=1), v.repeat_interleave(group, dim=1)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.o_proj(y.transpose(1, 2).reshape(batch, seq, -1))

    def forward(self, x, cos, sin):
        x = x + self.attention(self.input_norm(x), cos, sin)
        y = self.ffn_norm(x)
        return x + self.down_proj(F.silu(self.gate_proj(y)) * self.up_proj(y))


class Decoder(torch.nn.Module):
    """The loss of one sequence; `rows` words have an embedding, which is the classifier as well."""

    def __init__(self, config, rows):
        super().__init__()
        self.embed = torch.nn.Embedding(rows, config["dim"])
        self.blocks = torch.nn.ModuleList(Block(config) for _ in range(config["layers"]))
        self.norm = torch.nn.RMSNorm(config["dim"], eps=config["rms_norm_eps"])
        cos, sin = rotary_tables(config, config["seq"])
        self.register_buffer("cos", cos)
        self.register_buffer("sin", sin)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                torch.nn.init.normal_(parameter, std=0.02)

    def loss_of(self, x, targets):
        logits = F.linear(self.norm(x), self.embed.weight)
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())

    def forward(self, tokens, targets, block_forward=Block.forward, loss_of=loss_of):
        x = self.embed(tokens)
        for block in self.blocks:
            x = block_forward(block, x, self.cos, self.sin)
        return loss_of(self, x, targets)

    def compiled_by_block(self):
        """The same with one compilation for all blocks, which takes a fraction of the whole model's time
        and gives up fusion across blocks only."""
        block_forward, loss_of = torch.compile(Block.forward), torch.compile(Decoder.loss_of)
        return lambda tokens, targets: self(tokens, targets, block_forward, loss_of)


class Worker:
    def __init__(self, config, rows):
        torch.manual_seed(1)
        self.model = Decoder(config, rows)
        self.steps = {"eager": self.model, "compile": torch.compile(self.model),
                      "compile-blocks": self.model.compiled_by_block()}
        matrices = [p for p in self.model.parameters() if p.dim() > 1]
        norms = [p for p in self.model.parameters() if p.dim() == 1]
        self.optimizer = torch.optim.AdamW(
            [{"params": matrices, "weight_decay": 0.1}, {"params": norms, "weight_decay": 0.0}],
            lr=1e-4, betas=(0.9, 0.95), eps=1e-8, fused=True)
        self.tokens = torch.randint(rows, (1, config["seq"]))
        self.targets = torch.randint(rows, (1, config["seq"]))

    def step(self, mode):
        """Milliseconds of forward + backward, and of the update."""
        start = time.perf_counter()
        self.steps[mode](self.tokens, self.targets).backward()
        middle = time.perf_counter()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return 1e3 * (middle - start), 1e3 * (time.perf_counter() - middle)

    def slice(self, mode, seconds):
        """Steps for about `seconds`, three at least, after one to warm up (which compiles)."""
        self.step(mode)
        times, end = [], time.perf_counter() + seconds
        while len(times) < 3 or time.perf_counter() < end:
            times.append(self.step(mode))
        return {"step_ms": [t[0] for t in times], "update_ms": [t[1] for t in times]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--config", type=json.loads, required=True, help="the network, as Millwright writes it")
    parser.add_argument("--rows", type=int, required=True, help="words with an embedding")
    parser.add_argument("--threads", type=int, required=True)
    flags = parser.parse_args()
    torch.set_num_threads(flags.threads)
    worker = Worker(flags.config, flags.rows)
    about = {"torch": torch.__version__, "cpu": torch.backends.cpu.get_cpu_capability(),
             "threads": torch.get_num_threads(),
             "parameters": sum(p.numel() for p in worker.model.parameters())}
    print(json.dumps(about), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = worker.slice(request["mode"], request["seconds"])
        except Exception as error:  # torch.compile needs a C++ compiler that it can use
            answer = {"error": f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
