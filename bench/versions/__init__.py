"""Two versions of assay held against each other: the same commands, and all that came out.

    python -m bench.versions run OUT --checkout DIR [--renamed] [--corpora] [--only NAME]
    python -m bench.versions compare OLD NEW [--all]
    python -m bench.versions mutate OLD

`run` makes small inputs by code and carries out a fixed set of commands with the assay that lies in
DIR, each in a folder of its own with relative paths alone; OUT gets argv, exit code, stdout, stderr
and every file that was written. It ends with 1 where an exit code is another than the table has, or
where an option of a verb is carried out by no command. `compare` holds two such records against
each other and ends with 1 on any difference. `mutate` changes a record in one thing at a time and
shows that `compare` sees it.

In the order in which it is read:

    case table *_cases folders     the commands, and what their folders hold before
    texts shards integer_bins      what they are given: documents,
    log_shapes log_formats logs odd_logs inputs    and logs; made without assay
    options carry run              one version's record
    kinds tables masks             how a file is compared; what is called otherwise; what is masked
    tree values lines compare      two records
    mutations mutate               does a comparison see what it should?
    make_sealed                    a folder of each kind, for the tests of later versions

What is compared:

- Byte for byte: parquet, bins, safetensors, `ckpt.pt`, and every kind of file that is not known. No
  table that assay writes has a column of clocks, so none is masked. Parquet holds the name and
  version of the library that wrote it (`created_by`) and arrow's schema: two records must come from
  the same libraries, and the comparison says so where they do not.
- As values: JSON, JSON lines, TOML, and stdout where it is JSON; numbers with their type, and to
  the last digit but where `keys.toml` names a routine (1e-9). Neither spaces nor the order of keys
  count.
- As text: stdout, stderr, HTML, SVG, markdown, plain text.

What a newer version calls otherwise stands in `keys.toml`, `sentences.toml` and `renamed.toml`; an
entry that nothing uses is a fault, as is a mask.

What is masked, and why; how often is printed:

- assay's own version, of each record its own: it changes in the last commit alone.
- A sha256 of 64 digits, or the 12 or more that messages quote, where it is that of a file in the
  same record: it is compared by the name of that file. So `parents`, `outputs` and what is printed
  of them must stand for the same files, and a manifest must tell the truth; but a manifest may
  differ where what it vouches for may.
- `size` beside such a sha256, where the file is compared as values or text and has that size.
- Where the record lies, in the one message that names an absolute path.
- Clocks, listed in `masks.py`, each with its place.
- White space, and the length of rules, in a text in which `sentences.toml` changed words: columns
  are as wide as their longest word, and lines break where they are full.
- stderr of a first run that compiles kernels: such a command is carried out once more.

What it cannot tell: what no command of the set reaches. Of options these are a GPU's kernels
(`--compile true`, `--head fused`, `--attention cudnn`, `--deterministic` beyond being read), and
signals, whose place in a run is chance.
"""
