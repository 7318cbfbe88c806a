#!/usr/bin/env bash
# transformers 5.24.0 with peft 0.21.2, the newest peft on the day of that release: `load_adapter`, and with it
# `from_pretrained` of a folder that holds an adapter, ask for peft 0.22.0 and raise an ImportError; peft's own
# PeftModel.from_pretrained reads the same folder.
# Guess from memory: the newest release of both packages work together.
# Seen: ImportError by load_adapter, no error by PeftModel.
# Matters to: who loads an embedder that was fine-tuned with LoRA by transformers' own call.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --extra-index-url https://download.pytorch.org/whl/cpu torch==2.13.0 transformers==5.24.0 peft==0.21.2
FOLDER=$folder "$folder/venv/bin/python" - <<'PY'
import os
from importlib.metadata import version

import peft
from transformers import BertConfig, BertModel

print("transformers", version("transformers"), "peft", version("peft"))


def small():
    return BertModel(BertConfig(vocab_size=50, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16))


where = os.environ["FOLDER"] + "/adapter"
peft.get_peft_model(small(), peft.LoraConfig(r=2, target_modules=["query"])).save_pretrained(where)
peft.PeftModel.from_pretrained(small(), where)
print("expected: both calls read the adapter")
try:
    small().load_adapter(where)
except ImportError as error:
    print("seen: PeftModel.from_pretrained reads it; load_adapter:", str(error).splitlines()[0])
    assert "0.22" in str(error), "transformers has changed"
else:
    raise SystemExit("load_adapter reads it: transformers or peft has changed")
PY
