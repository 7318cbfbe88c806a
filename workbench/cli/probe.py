"""workbench probe: what a linear classifier reads off vectors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli._options import (
    DONE,
    INCONCLUSIVE,
    Bulk,
    Device,
    Html,
    Json,
    Lance,
    OnBadRows,
    PartRows,
    Quiet,
    Ray,
    Seed,
    Workers,
    begin,
    finish,
    load_vectors,
    say,
    write_page,
)
from workbench.core.errors import BadInput

if TYPE_CHECKING:
    from workbench.results.probe_scores import ProbeScores

_VECTORS = (".parquet", ".pq", ".arrow", ".npz", ".npy")
"""Endings of files of vectors, among the names of embedders."""


def probe(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            help="Embedders (minilm, mpnet, ...: `workbench list`), or Parquet files of vectors with --labels.",
            metavar="[EMBEDDER | VECTORS.parquet]...",
        ),
    ] = None,
    task: Annotated[
        list[str] | None, typer.Option(help="A task of `workbench list tasks`, or a task's folder; once for each.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All tasks.")] = False,
    new: Annotated[str, typer.Option(help="Write the skeleton of a new task of this name and stop.")] = "",
    labels: Annotated[
        list[str] | None, typer.Option(help="Of a Parquet file: a label column to probe; once for each.")
    ] = None,
    groups: Annotated[
        str, typer.Option(help="Of a Parquet file: the label column that says which rows must not be parted.")
    ] = "",
    limit: Annotated[
        int, typer.Option(help="Most training items a task, a quarter as many to test; 0: all (4,000).", min=0)
    ] = 0,
    layers: Annotated[bool, typer.Option("--layers", help="Also probe every layer of the model.")] = False,
    mlp: Annotated[bool, typer.Option("--mlp", help="Also fit a network of one hidden layer.")] = False,
    random_encoder: Annotated[
        bool, typer.Option(help="Also probe an untrained twin; that embeds every text twice.")
    ] = True,
    out: Annotated[
        Path | None,
        typer.Option(
            help="JSON file that is saved after each probe; a run that was stopped goes on. In bulk: a folder."
        ),
    ] = None,
    workers: Workers = 0,
    ray: Ray = "",
    part_rows: PartRows = 0,
    lance: Lance = False,
    html: Html = None,
    on_bad_rows: OnBadRows = "",
    json: Json = "",
    seed: Seed = 0,
    device: Device = "auto",
    quiet: Quiet = False,
) -> int:
    """Read attributes off vectors with linear probes: tasks x embedders, with floors, controls and description length.

    Beside every score stand the majority class, TF-IDF of the texts and an untrained twin of the embedder; a control
    task, whose labels a hash decides, must be at chance; claims of being better are adjusted for how many there are.

    In bulk (--workers, --ray, --part-rows, --lance) nothing is measured: a probe of each task is fitted once, and reads
    every vector of a Parquet file or folder, or a .lance folder, into Parquet: id, class and probability. The embedder
    that made the vectors may stand before the file, where the file does not say.

    Examples: workbench probe minilm --task length --task sentiment
              workbench probe minilm mpnet --all --out probes.json --html probes.html
              workbench probe vectors.parquet --labels topic
              workbench probe vectors.parquet --task sentiment --out classes --workers 2
              workbench probe --new my-task
    """
    begin(quiet, device)
    if bulk := Bulk(workers, ray, part_rows, lance):
        odd = {"labels": labels, "groups": groups, "layers": layers, "mlp": mlp, "html": html, "new": new}
        bulk.refuse(**odd, no_random_encoder=not random_encoder)
        return _in_bulk(bulk, sources or [], task or [], every, limit, out, seed, device, json, quiet, on_bad_rows)
    if new:
        from workbench.data.tasks import write_skeleton

        folder = write_skeleton(new)
        say(f"{folder}: fill in task.toml; then: workbench probe minilm --task {folder}", quiet)
        return DONE
    if not sources:
        raise BadInput("name an embedder (minilm), or a Parquet file of vectors with --labels COLUMN")
    from workbench.core.tables import is_saved_dataset

    files = [source for source in sources if Path(source).suffix in _VECTORS or is_saved_dataset(source)]
    if files and len(files) < len(sources):
        raise BadInput(f"{files[0]} is a file of vectors, the others are embedders; probe them one after the other")
    if files:
        if task or every or layers or out:
            raise BadInput("--task, --all, --layers and --out are for embedders; a file of vectors has --labels")
        result = _stored(files, labels or [], groups, mlp, limit, seed, device, on_bad_rows, quiet)
    else:
        if labels or groups:
            raise BadInput("--labels and --groups are for a Parquet file of vectors; an embedder has --task or --all")
        from workbench.data.tasks import task_names
        from workbench.jobs.probe_embedders import ProbeOptions, probe_embedders

        chosen = task_names() if every else tuple(dict.fromkeys(task or ()))
        if not chosen:
            raise BadInput("say which: --task NAME (`workbench list tasks` has them), or --all")
        options = ProbeOptions(limit, random_encoder, layers, mlp, seed)
        result = probe_embedders(sources, chosen, options, device, out)
    if html:
        write_page(html, "Probes", result, quiet)
    finish(result, json, quiet)
    return INCONCLUSIVE if result.failures else DONE


def _in_bulk(
    bulk: Bulk,
    sources: list[str],
    tasks: list[str],
    every: bool,
    limit: int,
    out: Path | None,
    seed: int,
    device: str,
    json: str,
    quiet: bool,
    on_bad_rows: str,
) -> int:
    from workbench.data.tasks import task_card, task_names
    from workbench.jobs.bulk import maker_of

    if len(sources) not in (1, 2):
        raise BadInput("in bulk, give one Parquet file or folder of vectors; before it, their embedder may stand")
    chosen = list(task_names()) if every else list(dict.fromkeys(tasks))
    if not chosen:
        raise BadInput("say which: --task NAME (`workbench list tasks` has them), or --all")
    for name in chosen:
        task_card(name)
    embedder = maker_of(Path(sources[-1]), sources[0] if len(sources) == 2 else "")
    if not embedder:
        raise BadInput(f"{sources[-1]} does not say which embedder made its vectors; name it before the file")
    recipe = {"embedder": embedder, "tasks": chosen, "limit": limit, "seed": seed}
    return bulk.run("probe", sources[-1], out, recipe, device, json, quiet, on_bad_rows)


def _stored(
    files: list[str],
    labels: list[str],
    groups: str,
    mlp: bool,
    limit: int,
    seed: int,
    device: str,
    on_bad_rows: str,
    quiet: bool,
) -> ProbeScores:
    from workbench.core.errors import UnknownName
    from workbench.core.progress import progress
    from workbench.probe import labelled_by, run_probe
    from workbench.results.probe_scores import ProbeScores

    parts = []
    with progress("probe", len(files) * len(labels), "probes") as advance:
        for file in files:
            store = load_vectors(file, on_bad_rows, quiet)
            if not labels:
                raise BadInput(f"--labels is missing; {file} has: {', '.join(store.labels) or 'no label columns'}")
            for name in (*labels, *([groups] if groups else ())):
                if name not in store.labels:
                    raise UnknownName("label", name, tuple(store.labels))
            own = store.provenance.embedder
            for name in labels:
                texts = None if store.texts is None else [str(text) for text in store.texts]
                held = labelled_by(name, store.labels[name], store.labels[groups] if groups else None, texts)
                rows = held.kept(limit)
                who = own if own != "unknown" else file
                found = run_probe(held.select(rows), store.vectors[rows], who, mlp=mlp, seed=seed, device=device)
                parts.append(found)
                advance(1)
    return ProbeScores.join(parts)
