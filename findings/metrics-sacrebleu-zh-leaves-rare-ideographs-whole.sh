#!/usr/bin/env bash
# sacrebleu 2.6.0, tokenize="zh": the tokenizer that splits Chinese into characters leaves ideographs of CJK Extension B
# (rare names, places, classical text) as one word, because its range is written with four hexadecimal digits too few;
# and it splits ordinary punctuation (curly apostrophe, dash, arrow) as if it were Chinese.
# Guess from memory: every ideograph is a token, and only ideographs are. So a reconstruction with four of five rare
# ideographs right has BLEU well above 0, as it has with common ones.
# Seen: BLEU 0 for the rare ones, 66.9 for common ones in the same pattern.
# Matters to: who scores Chinese or Japanese names by BLEU, and takes 0 for "nothing was read".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet sacrebleu==2.6.0
"$folder/venv/bin/python" - <<'PY'
import sacrebleu
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.tokenizers.tokenizer_zh import TokenizerZh

print("sacrebleu", sacrebleu.__version__)
rare = "".join(map(chr, range(0x20000, 0x20006)))
common = "\u4e00\u4e01\u4e03\u4e07\u4e08\u4e09"
bleu = BLEU(tokenize="zh", effective_order=True)
scores = {
    name: bleu.sentence_score(letters[:5], [letters[:4] + letters[5]]).score
    for name, letters in (("rare", rare), ("common", common))
}
tokens = TokenizerZh()(rare[:3]).split()
mixed = TokenizerZh()("it\u2019s a\u2014b x\u2192y").split()
print("expected: 3 tokens of 3 rare ideographs, and one score for both patterns, above 60")
print(f"seen: {len(tokens)} token(s); BLEU {scores['rare']:.1f} (rare), {scores['common']:.1f} (common); English: {mixed}")
assert len(tokens) == 1 and scores["rare"] == 0 and scores["common"] > 60, "sacrebleu has changed"
assert "\u2019" in mixed and "\u2014" in mixed and "\u2192" in mixed, "sacrebleu has changed"
PY
