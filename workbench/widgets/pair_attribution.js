/* PairAttribution: two texts whose words point at each other. Blue raises the cosine, orange lowers it; signs say so too. */

const MOST_LINES = 40;
const signed = (v, digits = 3) => `${v < 0 ? "−" : "+"}${Math.abs(v).toFixed(digits)}`;

const render = (context) => begin(context, "pair-attribution", PAIR_CSS, (shell, content) => {
  const [a, b] = content.tokens, m = numbers(content.matrix), wide = b.length + 1;
  const cell = (i, j) => m[i * wide + j];
  const rows = a.map((_, i) => { let s = 0; for (let j = 0; j <= b.length; j++) s += cell(i, j); return s; });
  const columns = b.map((_, j) => { let s = 0; for (let i = 0; i <= a.length; i++) s += cell(i, j); return s; });
  const gives = [rows, columns];
  let strongest = 1e-12;
  for (let i = 0; i < a.length; i++) for (let j = 0; j < b.length; j++) strongest = Math.max(strongest, Math.abs(cell(i, j)));
  const largest = Math.max(1e-12, ...rows.map(Math.abs), ...columns.map(Math.abs));
  const tint = (v, most) => `rgba(var(--wb-${v < 0 ? "less" : "more"}), ${(0.75 * Math.min(1, Math.abs(v) / most)).toFixed(3)})`;
  const pair = (side, i, j) => (side ? cell(j, i) : cell(i, j));
  let held = null, shown = null;

  /* ---- the two texts ---- */
  const buttons = [a, b].map((tokens, side) => tokens.map((token, i) => make("button", {
    type: "button", class: `word${content.spaces[side][i] ? "" : " joined"}`,
    "aria-label": `${token}, ${side ? "second" : "first"} text, gives ${signed(gives[side][i])}`,
    on: {
      mouseenter: () => point(side, i), mouseleave: () => point(...(held ?? [])), focus: () => point(side, i), blur: () => point(...(held ?? [])),
      click: () => { held = held && held[0] === side && held[1] === i ? null : [side, i]; remove.disabled = !held; point(...(held ?? [side, i])); },
    },
  }, token)));
  const lines = buttons.map((words, side) => { roving(words, { pick: (i) => words[i].click() }); return make("div", { class: "text", role: "group", "aria-label": side ? "second text" : "first text" }, words); });
  const drawing = svg("svg", { class: "links", "aria-hidden": "true" });
  const partners = make("p", { class: "partners wb-number" });
  const point = (side, i) => {
    shown = side === undefined ? null : [side, i];
    const other = shown && (side ? a : b).map((_, j) => pair(side, i, j));
    buttons.forEach((words, s) => words.forEach((word, k) => {
      const v = !shown ? gives[s][k] : s === side ? (k === i ? gives[s][k] : 0) : other[k];
      word.style.setProperty("background", tint(v, shown && s !== side ? strongest : largest));
      word.classList.toggle("on", Boolean(shown) && s === side && k === i);
    }));
    grid.querySelectorAll("td").forEach((td) => td.classList.toggle("lit", Boolean(shown) && td.dataset[side ? "j" : "i"] === String(i)));
    link();
    if (!shown) { partners.textContent = "Point at a word to see its partners; click it to hold it."; return; }
    const best = other.map((v, j) => [v, j]).sort((x, y) => Math.abs(y[0]) - Math.abs(x[0])).slice(0, 4);
    const words = `“${(side ? b : a)[i]}” gives ${signed(gives[side][i])}: ${best.map(([v, j]) => `${signed(v)} with “${(side ? a : b)[j]}”`).join(", ")}, ${signed(side ? cell(a.length, i) : cell(i, b.length))} with the reference`;
    partners.textContent = words;
    if (document.activeElement === buttons[side][i]) shell.say(words);
  };
  const link = () => {
    const box = stage.getBoundingClientRect();
    if (!box.width || shell.get("view") !== "lines") return;
    const all = [];
    for (let i = 0; i < a.length; i++) for (let j = 0; j < b.length; j++) {
      if (!shown || (shown[0] ? j : i) === shown[1]) all.push([cell(i, j), i, j]);
    }
    all.sort((x, y) => Math.abs(y[0]) - Math.abs(x[0])).splice(MOST_LINES);
    const centre = (node, edge) => { const r = node.getBoundingClientRect(); return [r.left + r.width / 2 - box.left, r[edge] - box.top]; };
    drawing.setAttribute("viewBox", `0 0 ${box.width} ${box.height}`);
    drawing.replaceChildren(...all.reverse().filter(([v]) => Math.abs(v) > 0.02 * strongest).map(([v, i, j]) => {
      const [x, y] = centre(buttons[0][i], "bottom"), [u, w] = centre(buttons[1][j], "top"), mid = (y + w) / 2, part = Math.abs(v) / strongest;
      return svg("path", { d: `M${x} ${y}C${x} ${mid} ${u} ${mid} ${u} ${w}`, fill: "none", "stroke-width": 0.6 + 7 * part, "stroke-dasharray": v < 0 ? "6 4" : false, style: null,
        class: v < 0 ? "less" : "more", opacity: (0.15 + 0.75 * part).toFixed(2) });
    }));
  };
  const stage = make("div", { class: "stage" }, lines[0], make("div", { class: "gap" }), lines[1], drawing);

  /* ---- the grid ---- */
  const hundredths = (v) => { const t = (100 * v).toFixed(1); return /^-?0\.0$/.test(t) ? "" : t.replace("-", "−"); };
  const rowNames = [...a, "(reference)"], columnNames = [...b, "(reference)"];
  const grid = make("div", { class: "wb-wide" }, make("table", { class: "grid" },
    make("caption", {}, "Each pair's share of the cosine, in hundredths"),
    make("thead", {}, make("tr", {}, make("td", {}), columnNames.map((name, j) => make("th", { scope: "col", class: j === b.length ? "ruled" : "" }, make("span", {}, name))))),
    make("tbody", {}, rowNames.map((name, i) => make("tr", { class: i === a.length ? "ruled" : "" }, make("th", { scope: "row" }, name),
      columnNames.map((other, j) => {
        const inside = i < a.length && j < b.length, v = cell(i, j);
        return make("td", { class: j === b.length ? "wb-number ruled" : "wb-number", "data-i": i, "data-j": j, title: `${name} and ${other}: ${signed(v, 4)}`, css: { background: tint(v, inside ? strongest : Math.max(strongest, largest)) },
          on: { mouseenter: () => { if (i < a.length) point(0, i); else if (j < b.length) point(1, j); }, mouseleave: () => point(...(held ?? [])) } }, hundredths(v));
      }))))));

  /* ---- the sum ---- */
  const steps = [...content.parts, ["cosine", content.score]];
  let low = 0, high = 0, sum = 0;
  const ends = content.parts.map(([, v]) => { const from = sum; sum += v; low = Math.min(low, sum); high = Math.max(high, sum); return [from, sum]; });
  high = Math.max(high, content.score); low = Math.min(low, content.score);
  const at = (v) => 100 * (v - low) / (high - low || 1);
  const waterfall = make("div", { class: "fall", role: "list", "aria-label": "what the cosine is the sum of" }, steps.map(([name, v], k) => {
    const [from, to] = ends[k] ?? [0, v];
    return make("div", { role: "listitem", class: k === steps.length - 1 ? "step total" : "step" }, make("span", {}, name),
      make("i", {}, make("b", { css: { left: `${at(Math.min(from, to))}%`, width: `max(2px, ${at(Math.max(from, to)) - at(Math.min(from, to))}%)`, background: k === steps.length - 1 ? "var(--wb-ink)" : `rgb(var(--wb-${v < 0 ? "less" : "more"}))` } })),
      make("em", { class: "wb-number" }, signed(v, 4)));
  }));

  /* ---- deleting a word ---- */
  const outcome = make("p", { class: "wb-number", role: "status" });
  const token = (word) => content.tokens["ab".indexOf(word[0])]?.[+word.slice(1)];
  const without = (word, tell = true) => {
    if (tell) shell.set("word", word);
    shell.give_up("delete");
    buttons.forEach((words, s) => words.forEach((node, k) => node.classList.toggle("gone", word === "ab"[s] + k)));
    restore.hidden = !word;
    if (!word || token(word) === undefined) { outcome.replaceChildren(); return; }
    const foretold = content.score - gives["ab".indexOf(word[0])][+word.slice(1)];
    const change = (v) => `${v.toFixed(3)} (${signed(v - content.score)})`;
    const truth = make("b", {}, shell.open("delete") ? "…" : "");
    outcome.replaceChildren(`Without “${token(word)}”: foretold `, make("b", {}, change(foretold)), shell.open("delete") ? ", true " : "", truth);
    if (!shell.open("delete")) return;
    shell.ask("delete", word, {
      part: (v) => { truth.textContent = change(v); },
      failed: (words) => { truth.textContent = ""; truth.after(make("small", {}, `not known: ${words}`)); },
      silent: (words) => { truth.textContent = `… (${words})`; },
    });
  };
  const remove = make("button", { type: "button", disabled: true, title: "hold a word first", on: { click: () => without("ab"[held[0]] + held[1]) } }, "Delete this word");
  const restore = make("button", { type: "button", hidden: true, on: { click: () => without("") } }, "Put it back");

  /* ---- putting it together ---- */
  const views = { lines: make("button", { type: "button", role: "radio" }, "Lines"), grid: make("button", { type: "button", role: "radio" }, "Grid") };
  const turn = (view, tell = true) => {
    if (tell) shell.set("view", view);
    for (const [name, button] of Object.entries(views)) { button.setAttribute("aria-checked", String(name === view)); button.setAttribute("tabindex", name === view ? "0" : "-1"); }
    grid.hidden = view !== "grid";
    stage.classList.toggle("flat", view === "grid");
    drawing.classList.toggle("off", view === "grid");
    link();
  };
  for (const [name, button] of Object.entries(views)) listen(button, { click: () => turn(name), keydown: (event) => {
    if (!event.key.startsWith("Arrow")) return;
    const next = name === "lines" ? "grid" : "lines";
    event.preventDefault(); turn(next); views[next].focus();
  } });
  const warned = content.error > content.tolerated;
  shell.body.append(
    make("h3", {}, content.title),
    make("div", { class: "wb-bar" }, make("b", { class: "score wb-number" }, content.score.toFixed(3)), make("small", {}, "cosine"),
      make("span", { class: warned ? "wb-badge warn" : "wb-badge", title: content.rule }, `${warned ? "⚠ " : ""}completeness error ${content.error.toExponential(1)}`),
      make("span", { role: "radiogroup", "aria-label": "how pairs are drawn", class: "views" }, views.lines, views.grid), remove, restore),
    stage, partners, outcome, grid, make("h4", {}, "The sum"), waterfall, make("p", {}, make("small", {}, content.about)));
  const watch = new ResizeObserver(perFrame(link));
  watch.observe(stage);
  shell.undo(() => watch.disconnect());
  shell.onState("view", (view) => turn(view, false));
  shell.onState("word", (word) => without(word, false));
  turn(shell.get("view"), false);
  point();
  without(shell.get("word"), false);
});

const PAIR_CSS = `
.score { font-size: 22px; line-height: 1; }
.views { display: inline-flex; margin-left: auto; }
.views button:first-child { border-radius: 6px 0 0 6px; }
.views button:last-child { border-radius: 0 6px 6px 0; border-left: 0; }
.stage { position: relative; margin: 4px 0; }
.text { display: flex; flex-wrap: wrap; row-gap: 4px; position: relative; z-index: 1; }
.gap { height: 120px; }
.stage.flat .gap { height: 10px; }
.links { position: absolute; inset: 0; width: 100%; height: 100%; pointer-events: none; }
.links.off { display: none; }
.links .more { stroke: rgb(var(--wb-more)); }
.links .less { stroke: rgb(var(--wb-less)); }
button.word { border: 1px solid transparent; border-radius: 4px; background: none; padding: 2px 5px; margin-left: 4px; font-size: 16px; }
button.word.joined { margin-left: -5px; }
button.word.on { border-color: var(--wb-ink); }
button.word.gone { text-decoration: line-through; opacity: .6; }
.partners { min-height: 3em; }
.grid { border-collapse: collapse; font-size: 12px; margin: 4px 0; width: auto; }
.grid caption { text-align: left; font-weight: 600; padding-bottom: 4px; color: var(--wb-soft); }
.grid th { font-weight: 500; padding: 2px 6px 2px 0; text-align: left; white-space: nowrap; }
.grid thead th { vertical-align: bottom; padding: 2px 4px; }
.grid thead span { writing-mode: vertical-rl; transform: rotate(180deg); }
.grid tbody td { text-align: right; padding: 3px 5px; min-width: 38px; border: 1px solid var(--wb-back); }
.grid tbody td.lit { border-color: var(--wb-ink); }
.grid td.ruled, .grid th.ruled { border-left: 2px solid var(--wb-soft); }
.grid tr.ruled td, .grid tr.ruled th { border-top: 2px solid var(--wb-soft); }
.step { display: grid; grid-template-columns: minmax(8em, 14em) 1fr 5em; gap: 10px; align-items: center; margin: 3px 0; font-size: 13px; }
.step i { position: relative; height: 14px; background: var(--wb-card); border-radius: 3px; }
.step b { position: absolute; top: 0; bottom: 0; border-radius: 3px; }
.step em { font-style: normal; text-align: right; }
.step.total { font-weight: 650; }
`;

export default { render };
