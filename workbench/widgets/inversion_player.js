/* InversionPlayer: one round at a time, with the words that are right, and the curve of all rounds' cosines. */

/* As the normal form of workbench/core/text.py: words, numbers with their sign and separators, signs and symbols, and single letters of scripts without blanks. */
const LETTER = String.raw`(?=\p{L})[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Bopo}\p{scx=Yiii}\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}\p{scx=Mymr}\p{scx=Lana}\p{scx=Tale}\p{scx=Talu}\p{scx=Tavt}\p{scx=Java}\p{scx=Bali}]\p{M}*`;
const RUN = String.raw`(?:(?!${LETTER})[\p{L}\p{N}\p{M}])+`, SIGN = String.raw`[\p{S}%‰&@*#§¶†‡′/\\]\p{M}*`;
const NUMBER = String.raw`(?:(?<![\p{L}\p{N}\p{M})\].])[-−]\s*(?=\p{N}))?${RUN}(?:(?<=\p{N})[.,:/](?=\p{N})${RUN})*`;
const TOKEN = new RegExp(`${LETTER}|${NUMBER}|${SIGN}`, "gu");
const PIECE = new RegExp(`${LETTER}|${NUMBER}(?:['’]${RUN})*|${SIGN}`, "gu");
const plain = (text) => (text.normalize("NFKC").toLowerCase().match(TOKEN) ?? []).map((token) => token.replace(/^[-−]\s*/u, "-")).join(" ");

/* Pieces of a text with their places; words have a key. */
const pieces = (text) => {
  const found = [];
  let end = 0;
  for (const match of text.matchAll(PIECE)) {
    if (match.index > end) found.push({ text: text.slice(end, match.index), at: end, key: "" });
    found.push({ text: match[0], at: match.index, key: plain(match[0]) });
    end = match.index + match[0].length;
  }
  if (end < text.length) found.push({ text: text.slice(end), at: end, key: "" });
  return found;
};

/* Pieces in which a value stands word for word, one after the other. */
const placesOf = (value, list) => {
  const owners = list.flatMap((piece) => (piece.key ? piece.key.split(" ").map((word) => [word, piece]) : [])), wanted = value.split(" ");
  for (let i = 0; i + wanted.length <= owners.length; i++) {
    if (wanted.every((word, k) => owners[i + k][0] === word)) return owners.slice(i, i + wanted.length).map(([, piece]) => piece);
  }
  return [];
};

/* Longest common subsequence of the words' keys: which of each side stand in the same order on the other. */
const aligned = (a, b) => {
  const n = a.length, m = b.length, table = new Uint16Array((n + 1) * (m + 1)), w = m + 1;
  for (let i = n - 1; i >= 0; i--) for (let j = m - 1; j >= 0; j--) {
    table[i * w + j] = a[i] === b[j] ? table[(i + 1) * w + j + 1] + 1 : Math.max(table[(i + 1) * w + j], table[i * w + j + 1]);
  }
  const left = new Set(), right = new Set();
  for (let i = 0, j = 0; i < n && j < m;) {
    if (a[i] === b[j]) { left.add(i++); right.add(j++); }
    else if (table[(i + 1) * w + j] >= table[i * w + j + 1]) i++;
    else j++;
  }
  return [left, right];
};

const render = (context) => begin(context, "inversion-player", PLAYER_CSS, (shell, content) => {
  const all = texts(content.texts), n = content.ids.length, rounds = content.stages.length, cosines = numbers(content.cosines);
  const text = (round, row) => all[round * n + row], cosine = (round, row) => cosines[round * n + row];
  const clamp = (v, most) => Math.max(0, Math.min(most, v));
  let row = clamp(shell.get("row"), n - 1), playing = 0;
  let round = shell.get("round") < 0 ? rounds - 1 : clamp(shell.get("round"), rounds - 1);

  const guess = make("p", { class: "line", lang: "" }), truth = make("p", { class: "line", lang: "" }), where = make("b", {}), facts = make("small", { class: "wb-number" });
  const hits = make("p", { class: "hits" });

  const draw = () => {
    const now = text(round, row), known = content.truths?.[row], spans = content.spans?.[row] ?? [];
    const ours = pieces(now), flat = ` ${plain(now)} `;
    const whole = spans.map((span) => flat.includes(` ${plain(known.slice(span.from, span.to))} `));
    const lit = new Set(spans.flatMap((span, i) => (whole[i] ? placesOf(plain(known.slice(span.from, span.to)), ours) : [])));
    if (known === undefined) {
      guess.replaceChildren(now);
      truth.parentElement.hidden = true;
    } else {
      const theirs = pieces(known), words = (list) => list.filter((piece) => piece.key);
      const [left, right] = aligned(words(ours).map((p) => p.key), words(theirs).map((p) => p.key));
      const has = (list) => new Set(list.map((p) => p.key)), inTruth = has(theirs), inGuess = has(ours);
      const mark = (piece, same, elsewhere, lit) => {
        if (!piece.key) return piece.text;
        if (lit) return make("mark", { class: "hit", title: lit }, piece.text);
        if (same) return make("mark", { title: "in its place" }, piece.text);
        if (elsewhere) return make("mark", { class: "moved", title: "stands elsewhere" }, piece.text);
        return make("span", { class: "wrong", title: "not in the other text" }, piece.text);
      };
      let k = 0;
      guess.replaceChildren(...ours.map((piece) => (piece.key ? mark(piece, left.has(k++), inTruth.has(piece.key), lit.has(piece) && "personal data, recovered") : piece.text)));
      k = 0;
      truth.replaceChildren(...theirs.map((piece) => {
        if (!piece.key) return piece.text;
        const i = spans.findIndex((span) => piece.at >= span.from && piece.at < span.to), same = right.has(k++);
        if (i >= 0 && !whole[i]) return make("span", { class: "safe", title: `${spans[i].kind}, not recovered` }, piece.text);
        return mark(piece, same, inGuess.has(piece.key), i >= 0 && `${spans[i].kind}, recovered`);
      }));
      truth.parentElement.hidden = false;
      const total = words(theirs).length;
      share = total ? `, ${right.size} of ${total} words in place` : "";
    }
    hits.replaceChildren(...spans.map((span, i) => make("span", { class: whole[i] ? "wb-badge lit" : "wb-badge" }, `${whole[i] ? "● " : "○ "}${span.kind}: ${whole[i] ? known.slice(span.from, span.to) : "not recovered"}`)));
    const value = cosine(round, row);
    where.textContent = content.stages[round];
    facts.textContent = ` round ${round + 1} of ${rounds}${Number.isFinite(value) ? `, cosine ${value.toFixed(4)}` : ""}${share}, ${Math.round(content.queries[round]).toLocaleString("en")} queries a vector so far`;
    slider.value = round;
    slider.setAttribute("aria-valuetext", `${content.stages[round]}, round ${round + 1} of ${rounds}`);
    dots.forEach((dot, i) => { dot.classList.toggle("on", i === round); dot.setAttribute("r", i === round ? 6 : 3.5); });
    back.disabled = round === 0;
    on.disabled = round === rounds - 1;
  };
  let share = "";
  const go = (to, tell = true) => {
    round = clamp(to, rounds - 1);
    draw();
    if (tell) { shell.set("round", round); shell.say(`${where.textContent}:${facts.textContent}. ${guess.textContent}`); }
  };

  /* ---- the curve ---- */
  let dots = [];
  const curve = make("figure", {});
  const H = 150, L = 46, B = 26;
  const plot = () => {
    const W = Math.max(260, Math.min(760, shell.body.clientWidth || 640));
    const values = content.stages.map((_, r) => cosine(r, row)), real = values.filter(Number.isFinite);
    curve.hidden = real.length === 0;
    dots = [];
    if (!real.length) return;
    let low = Math.min(...real), high = Math.max(...real);
    const gap = Math.max(high - low, 0.02);
    low -= 0.12 * gap; high = Math.min(1.0005, high + 0.12 * gap);
    const x = (r) => L + 12 + (rounds > 1 ? r / (rounds - 1) : 0.5) * (W - L - 28), y = (v) => 10 + (high - v) / (high - low) * (H - B - 16);
    const ticks = [low + 0.1 * (high - low), (low + high) / 2, high - 0.1 * (high - low)];
    const grid = ticks.flatMap((v) => [svg("line", { x1: L, x2: W - 4, y1: y(v), y2: y(v), class: "rule" }), svg("text", { x: L - 6, y: y(v) + 4, "text-anchor": "end" }, v.toFixed(3))]);
    const every = Math.ceil(rounds / 12);
    const names = values.map((_, r) => (r % every && r !== rounds - 1 ? null : svg("text", { x: x(r), y: H - 6, "text-anchor": "middle" }, String(r + 1))));
    dots = values.map((v, r) => svg("circle", { cx: x(r), cy: y(Number.isFinite(v) ? v : low), class: "dot", on: { click: () => go(r) } }, svg("title", {}, `${content.stages[r]}: ${v.toFixed(4)}`)));
    const path = values.map((v, r) => `${r ? "L" : "M"}${x(r).toFixed(1)} ${y(v).toFixed(1)}`).join("");
    curve.replaceChildren(make("figcaption", {}, make("small", {}, "cosine to the vector, by round")),
      svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": `cosine by round: ${values.map((v) => v.toFixed(3)).join(", ")}` }, ...grid, svg("path", { d: path, class: "curve" }), ...names.filter(Boolean), ...dots));
  };

  /* ---- controls ---- */
  const halt = () => { clearInterval(playing); playing = 0; play.textContent = "Play"; play.setAttribute("aria-pressed", "false"); };
  const start = () => {
    if (round === rounds - 1) go(0);
    play.textContent = "Pause"; play.setAttribute("aria-pressed", "true");
    playing = setInterval(() => { if (round < rounds - 1) go(round + 1); else halt(); }, 900);
  };
  const play = make("button", { type: "button", "aria-pressed": "false", disabled: rounds < 2, on: { click: () => (playing ? halt() : start()) } }, "Play");
  const back = make("button", { type: "button", "aria-label": "round before", on: { click: () => { halt(); go(round - 1); } } }, "‹");
  const on = make("button", { type: "button", "aria-label": "next round", on: { click: () => { halt(); go(round + 1); } } }, "›");
  const slider = make("input", { type: "range", min: 0, max: rounds - 1, step: 1, "aria-label": "round", disabled: rounds < 2, on: { input: () => { halt(); go(+slider.value); } } });
  const pick = (to, tell = true) => { row = clamp(to, n - 1); choice.value = row; halt(); plot(); draw(); if (tell) shell.set("row", row); };
  const choice = make("select", { "aria-label": "vector", on: { change: () => pick(+choice.value) } }, content.ids.slice(0, 2000).map((id, i) => make("option", { value: i }, id)));
  const keys = (event) => {
    if (event.target === slider || event.target === choice) return;
    const to = { ArrowLeft: round - 1, ArrowRight: round + 1, Home: 0, End: rounds - 1 }[event.key];
    if (to !== undefined) { event.preventDefault(); halt(); go(to); }
    else if (event.key === "ArrowUp" || event.key === "ArrowDown") { event.preventDefault(); pick(row + (event.key === "ArrowUp" ? -1 : 1)); }
  };
  shell.body.append(make("div", { on: { keydown: keys } },
    make("h3", {}, content.title, make("small", {}, ` by ${content.method}`)),
    make("div", { class: "wb-bar" }, make("label", {}, "vector", choice), play, back, slider, on),
    make("p", {}, where, facts),
    make("div", { class: "pair" },
      make("div", { class: "wb-card" }, make("h4", {}, "read off the vector"), guess),
      make("div", { class: "wb-card" }, make("h4", {}, "hidden text"), truth)),
    hits, curve,
    content.truths && make("p", { class: "key" }, make("small", {}, make("mark", {}, "in its place"), " ", make("mark", { class: "moved" }, "elsewhere"), " ", make("span", { class: "wrong" }, "not in the other text"), content.spans && [" ", make("mark", { class: "hit" }, "personal data, recovered"), " ", make("span", { class: "safe" }, "personal data, not recovered")]))));
  shell.onState("round", (value) => { if (value >= 0 && value !== round) go(value, false); });
  shell.onState("row", (value) => { if (value !== row) pick(value, false); });
  shell.undo(halt);
  pick(row, false);
});

const PLAYER_CSS = `
input[type="range"] { flex: 1 1 12em; min-width: 8em; max-width: 30em; accent-color: var(--wb-accent); margin: 0; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(18em, 1fr)); gap: 10px; margin: 6px 0; }
.pair h4 { margin-top: 0; }
.line { font-size: 16px; line-height: 1.7; min-height: 3.4em; white-space: pre-wrap; }
mark.moved { background: none; box-shadow: inset 0 -2px 0 var(--wb-good); border-radius: 0; }
.wrong { color: var(--wb-soft); text-decoration: underline dotted; text-underline-offset: 3px; }
.safe { border-bottom: 2px dashed var(--wb-soft); }
.hits { display: flex; flex-wrap: wrap; gap: 6px; min-height: 8px; }
.wb-badge.lit { background: var(--wb-hit); color: var(--wb-ink); border-color: var(--wb-bad); }
figure { margin: 6px 0 0; }
figure svg { width: 100%; max-width: 760px; height: auto; display: block; }
figure text { fill: var(--wb-soft); font-size: 11px; }
.rule { stroke: var(--wb-line); }
.curve { fill: none; stroke: rgb(var(--wb-more)); stroke-width: 2; }
.dot { fill: var(--wb-back); stroke: rgb(var(--wb-more)); stroke-width: 2; cursor: pointer; }
.dot.on { fill: rgb(var(--wb-less)); stroke: var(--wb-ink); }
.key mark, .key span { margin-right: 8px; }
`;

export default { render };
