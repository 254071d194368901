"""What each setting is, for --help."""

MEANINGS = {
    "arch": "modern (RoPE, QK-norm, ReLU^2, RMSNorm) or nanogpt (GPT-2's)",
    "n_layer": "blocks",
    "n_head": "attention heads",
    "n_embd": "width",
    "block_size": "context length in tokens",
    "bias": "biases in linear and norm layers (arch nanogpt)",
    "softcap": "logits z become c tanh(z / c), c being this; 0: as they are (arch modern)",
    "value_embeds": "a second embedding, gated, added to the values of every other block (arch "
    "modern)",
    "residual_scalars": "learned factors on the residual stream and on the embedding mixed back "
    "into it, two a block (arch modern)",
    "dropout": "share of activations dropped",
    "batch_size": "windows in a micro-batch; times the next: windows in a step",
    "gradient_accumulation_steps": "micro-batches in a step",
    "max_iters": "steps; --tokens sets them from a budget",
    "learning_rate": "peak learning rate",
    "min_lr": "learning rate at the end of the decay",
    "optimizer": "adamw, or muon: Muon for the blocks' matrices, AdamW for all else",
    "matrix_lr": "Muon's own peak learning rate; unset: learning_rate",
    "value_lr": "the value embeddings' own peak learning rate; unset: learning_rate",
    "scalar_lr": "peak learning rate of the factors on the embedding, those on the stream having a "
    "hundredth of it; unset: 0.5",
    "momentum": "Muon's momentum",
    "schedule": "wsd (flat, then a linear cooldown), cosine, linear or constant",
    "cooldown_share": "share of the steps that cool down (wsd)",
    "warmup_iters": "steps of warmup; unset: 5% of the steps",
    "lr_decay_iters": "step at which min_lr is reached; unset: max_iters",
    "weight_decay": "decay of matrices; vectors do not decay",
    "beta1": "AdamW's first moment",
    "beta2": "AdamW's second moment",
    "grad_clip": "largest gradient norm; 0: no clipping",
    "seed": "decides weights, order of the data, dropout",
    "sampling": "epochs (each window once an epoch), or replacement, as nanoGPT draws them",
    "dtype": "of activations: auto, bfloat16, float32, or float16 with a loss scale; "
    "weights are float32",
    "device": "auto, cpu, cuda, cuda:N or mps",
    "compile": "auto (on CUDA), true, false, or tuned: longer, and tries out how kernels run best",
    "micro_batch": "windows computed at once, the step stays the same: a number, or auto: what "
    "fits in the GPU's memory (on the CPU: batch_size)",
    "head": "how the loss is computed on CUDA: auto, plain, fused or chunked (see loss.py)",
    "attention": "on CUDA: auto, cudnn or flash",
    "deterministic": "on CUDA: the same bits from the same command, at some cost in speed (the "
    "CPU gives them anyway)",
    "eval_batch_size": "windows scored at once",
}
