"""Millwright's decoder in PyTorch, written from the formulas: the judge of our own training.

Plain tensors in a dict, by Hugging Face name; the gradient is autograd's. Nothing here is shared with
the C++ code, so that the two can disagree. Row-major activations [batch, seq, channels].

Sources: Touvron et al., "LLaMA", 2023 (the block); Su et al., "RoFormer", 2021 (rotary); Ainslie et
al., "GQA", 2023; Shazeer, "GLU Variants Improve Transformer", 2020; the Qwen3 report, 2025 (QK-norm).
"""

import math

import torch


def tensor_table(config):
    """(name, shape, init std or 0 for ones, decay) of every parameter, in model/tensors.h's order."""
    dim, hidden, hd = config["dim"], config["hidden_dim"], config["head_dim"]
    q_dim, kv_dim = config["heads"] * hd, config["kv_heads"] * hd
    residual = 0.02 / math.sqrt(2 * config["layers"])
    table = [("model.embed_tokens.weight", (config["vocab"], dim), 0.02, True)]
    for layer in range(config["layers"]):
        prefix = f"model.layers.{layer}."
        rows = [
            ("input_layernorm", (dim,), 0.0),
            ("self_attn.q_proj", (q_dim, dim), 0.02),
            ("self_attn.k_proj", (kv_dim, dim), 0.02),
            ("self_attn.v_proj", (kv_dim, dim), 0.02),
        ]
        if config["qk_norm"]:
            rows += [("self_attn.q_norm", (hd,), 0.0), ("self_attn.k_norm", (hd,), 0.0)]
        rows += [
            ("self_attn.o_proj", (dim, q_dim), residual),
            ("post_attention_layernorm", (dim,), 0.0),
            ("mlp.gate_proj", (hidden, dim), 0.02),
            ("mlp.up_proj", (hidden, dim), 0.02),
            ("mlp.down_proj", (dim, hidden), residual),
        ]
        table += [(f"{prefix}{name}.weight", shape, std, len(shape) > 1) for name, shape, std in rows]
    table.append(("model.norm.weight", (dim,), 0.0, False))
    return table


def rms_norm(x, weight, eps):
    """x * weight / sqrt(mean(x^2) + eps) over the last axis."""
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps) * weight


def rotary_tables(config, seq, dtype, device):
    """cos and sin [seq, head_dim/2] of position * theta^(-2i/head_dim)."""
    half = config["head_dim"] // 2
    index = torch.arange(half, dtype=torch.float64)
    frequency = config["rope_theta"] ** (-2.0 * index / config["head_dim"])
    angle = torch.outer(torch.arange(seq, dtype=torch.float64), frequency)
    return angle.cos().to(dtype).to(device), angle.sin().to(dtype).to(device)


def rotate(x, cos, sin, layout):
    """Rotates [..., seq, head_dim]: pairs (2i, 2i+1) if interleaved, (i, i + head_dim/2) if half_split."""
    if layout == "interleaved":
        a, b = x[..., 0::2], x[..., 1::2]
        return torch.stack((a * cos - b * sin, a * sin + b * cos), dim=-1).flatten(-2)
    half = x.shape[-1] // 2
    a, b = x[..., :half], x[..., half:]
    return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)


def attention(q, k, v, fused):
    """Causal softmax(q k^T / sqrt(head_dim)) v on [batch, heads, seq, head_dim]."""
    if fused:
        return torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    seq = q.shape[-2]
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    above = torch.ones(seq, seq, dtype=torch.bool, device=q.device).triu(1)
    return scores.masked_fill(above, float("-inf")).softmax(-1) @ v


def attention_block(config, weights, prefix, x, tables, fused):
    """o_proj(attention(rotary(norm(q)), rotary(norm(k)), v)); query head h reads kv head h // group."""
    batch, seq, _ = x.shape
    hd, heads, kv_heads = config["head_dim"], config["heads"], config["kv_heads"]

    def heads_of(name, count):
        return (x @ weights[f"{prefix}{name}.weight"].T).view(batch, seq, count, hd).transpose(1, 2)

    q, k, v = heads_of("q_proj", heads), heads_of("k_proj", kv_heads), heads_of("v_proj", kv_heads)
    if config["qk_norm"]:
        q = rms_norm(q, weights[prefix + "q_norm.weight"], config["rms_norm_eps"])
        k = rms_norm(k, weights[prefix + "k_norm.weight"], config["rms_norm_eps"])
    q = rotate(q, *tables, config["rotary"])
    k = rotate(k, *tables, config["rotary"])
    shared = torch.arange(heads, device=x.device) // (heads // kv_heads)
    out = attention(q, k[:, shared], v[:, shared], fused)
    return out.transpose(1, 2).reshape(batch, seq, heads * hd) @ weights[prefix + "o_proj.weight"].T


def hidden_states(config, weights, tokens, residual_alpha=1.0, fused=False):
    """The final norm's output [batch, seq, dim] for tokens [batch, seq]."""
    eps = config["rms_norm_eps"]
    x = weights["model.embed_tokens.weight"][tokens]
    tables = rotary_tables(config, tokens.shape[1], x.dtype, x.device)
    for layer in range(config["layers"]):
        prefix = f"model.layers.{layer}."
        normed = rms_norm(x, weights[prefix + "input_layernorm.weight"], eps)
        x = x + residual_alpha * attention_block(
            config, weights, prefix + "self_attn.", normed, tables, fused)
        normed = rms_norm(x, weights[prefix + "post_attention_layernorm.weight"], eps)
        gate = normed @ weights[prefix + "mlp.gate_proj.weight"].T
        up = normed @ weights[prefix + "mlp.up_proj.weight"].T
        down = weights[prefix + "mlp.down_proj.weight"].T
        x = x + residual_alpha * ((gate * torch.sigmoid(gate) * up) @ down)
    return rms_norm(x, weights["model.norm.weight"], eps)


def loss(config, weights, windows, residual_alpha=1.0, fused=False):
    """Mean cross-entropy in nats of windows [batch, seq + 1]: each position predicts the next token."""
    windows = windows.long()
    hidden = hidden_states(config, weights, windows[:, :-1], residual_alpha, fused)
    logits = hidden @ weights["model.embed_tokens.weight"].T
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), windows[:, 1:].flatten())


def learning_rate(step, total, warmup, peak):
    """The rate of the update whose last micro-step has index `step` (from 0) of `total`."""
    if step < warmup:
        return peak * (step + 1) / warmup
    floor = 0.1 * peak
    ratio = (step - warmup) / (total - warmup)
    return floor + 0.5 * (1 + math.cos(math.pi * ratio)) * (peak - floor)


def make_optimizer(config, weights, weight_decay=0.1, betas=(0.9, 0.95)):
    """AdamW with eps 1e-8; decay on matrices and the embedding, not on norms."""
    decays = {name: decay for name, _, _, decay in tensor_table(config)}
    groups = [
        {"params": [w for n, w in weights.items() if decays[n]], "weight_decay": weight_decay},
        {"params": [w for n, w in weights.items() if not decays[n]], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=0.0, betas=betas, eps=1e-8)


def update(weights, optimizer, micro_steps, clip, lr):
    """Averages the summed gradients, clips their global norm, steps. Returns the norm before clipping."""
    gradients = [w.grad for w in weights.values()]
    for gradient in gradients:
        gradient.div_(micro_steps)
    norm = math.sqrt(sum(float(g.double().pow(2).sum()) for g in gradients))
    if clip > 0 and norm > clip:
        for gradient in gradients:
            gradient.mul_(clip / norm)
    for group in optimizer.param_groups:
        group["lr"] = lr
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return norm
