/* ProbeDashboard: a row of dots for each task, and below it a vector that a slider moves along a direction. */

const SERIES = {
  score: ["score", "circle"], mlp: ["MLP", "square"], tfidf: ["TF-IDF", "diamond"], random_encoder: ["untrained", "triangle"],
  control: ["control task", "ring"], majority: ["majority", "bar"],
};
const SHAPES = { circle: "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0", ring: "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0", square: "M-4 -4h8v8h-8z", diamond: "M0 -5.5l5.5 5.5l-5.5 5.5l-5.5 -5.5z", triangle: "M0 -5l5 9h-10z", bar: "M0 -6v12" };
const real = (e) => e && Number.isFinite(e.value);
const low = (e) => e.low ?? e.value, high = (e) => e.high ?? e.value; // null: no interval
const limits = (e) => (Number.isFinite(e.low) && Number.isFinite(e.high) ? `[${two(e.low)}, ${two(e.high)}]` : "no interval");
const two = (x) => (Number.isFinite(x) ? x.toFixed(2).replace("-", "−") : "–");
const told = (e) => (real(e) ? `${two(e.value)} ${limits(e)}` : "–");
const icon = (shape) => svg("svg", { width: 14, height: 12, viewBox: "-7 -6 14 12", class: `mark ${shape}`, "aria-hidden": "true" }, svg("path", { d: SHAPES[shape] }));
const clean = (text) => text.normalize("NFKC").toLowerCase();

/* A scale in per cent of the width, with room at both ends, and its round ticks. */
const scale = (low, high) => {
  const span = high - low || 1, at = (v) => `${(3 + 94 * (v - low) / span).toFixed(2)}%`;
  const step = [0.05, 0.1, 0.2, 0.25, 0.5, 1, 2, 5, 10].find((s) => span / s <= 5.5) ?? span;
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9; k++) ticks.push(k * step);
  return { at, ticks, step };
};
const rules = ({ at, ticks }, height) => ticks.map((v) => svg("line", { x1: at(v), x2: at(v), y1: 0, y2: height, class: Math.abs(v) < 1e-9 ? "rule zero" : "rule" }));
const axis = (s, label) => svg("svg", { width: "100%", height: 18, role: "img", "aria-label": label }, s.ticks.map((v) => svg("text", { x: s.at(v), y: 13, "text-anchor": "middle" }, v.toFixed(s.step < 0.1 || s.step === 0.25 ? 2 : s.step < 1 ? 1 : 0).replace("-", "−"))));
const dot = ({ at }, e, y, shape, words, bold) => [
  shape !== "bar" && svg("line", { x1: at(low(e)), x2: at(high(e)), y1: y, y2: y, class: `whisker ${shape}`, "stroke-width": bold ? 2.5 : 1.5 }),
  svg("svg", { x: at(e.value), y, overflow: "visible", class: `mark ${shape}` }, svg("path", { d: shape === "bar" ? `M0 ${-y}v${2 * y}` : SHAPES[shape] }, svg("title", {}, `${words}: ${told(e)}, n = ${e.n}`)))];

const render = (context) => begin(context, "probe-dashboard", MOVED_CSS + PROBE_CSS, (shell, content) => {
  const rows = content.rows, many = content.embedders.length > 1;
  const key = (row) => `${row.task} | ${row.embedder}`;
  const present = Object.keys(SERIES).filter((name) => rows.some((row) => real(row[name])));
  const hidden = new Set(["mlp", "majority"]);
  const lows = rows.flatMap((row) => present.map((name) => (real(row[name]) ? low(row[name]) : 0)));
  const highs = rows.flatMap((row) => present.map((name) => (real(row[name]) ? high(row[name]) : 0)));
  const main = scale(Math.min(0, ...lows), Math.max(1, ...highs));
  const gains = rows.map((row) => row.selectivity).filter(real);
  const gain = scale(Math.min(0, ...gains.map(low)), Math.max(0.1, ...gains.map(high)));
  const over = (name) => (row) => (real(row[name]) && real(row.score) ? row.score.value - row[name].value : -Infinity);
  const value = (e) => (real(e) ? e.value : -Infinity);
  const orders = { score: (row) => value(row.score), selectivity: (row) => value(row.selectivity), "over TF-IDF": over("tfidf"), "over untrained": over("random_encoder"), name: null };

  /* ---- tasks ---- */
  const body = make("tbody", {}), count = make("small", { role: "status" }), detail = make("div", { class: "wb-card detail", hidden: true });
  let query = "", buttons = [];
  const draw = () => {
    const picked = orders[shell.get("sort")], only = shell.get("embedder"), words = clean(query).split(/\s+/).filter(Boolean);
    const shown = rows.filter((row) => (!only || row.embedder === only) && words.every((word) => clean(`${row.task} ${row.family} ${row.embedder}`).includes(word)));
    shown.sort((x, y) => (picked && picked(y) - picked(x)) || x.task.localeCompare(y.task) || x.embedder.localeCompare(y.embedder));
    const lanes = present.filter((name) => name !== "majority" && !hidden.has(name)), height = 12 + 9 * Math.max(1, lanes.length);
    const open = shell.get("task");
    buttons = shown.map((row) => make("button", { type: "button", class: "task", "aria-pressed": String(key(row) === open),
      "aria-label": `${key(row)}: score ${told(row.score)}, selectivity ${told(row.selectivity)}`, on: { click: () => choose(key(row) === shell.get("task") ? "" : key(row)) } },
      row.task, many && !only ? make("small", {}, ` ${row.embedder}`) : null));
    body.replaceChildren(...shown.map((row, i) => make("tr", { class: key(row) === open ? "on" : "" }, make("th", { scope: "row" }, buttons[i]),
      make("td", {}, svg("svg", { width: "100%", height, "aria-hidden": "true" }, rules(main, height),
        Number.isFinite(row.chance) && svg("line", { x1: main.at(row.chance), x2: main.at(row.chance), y1: 0, y2: height, class: "chance" }, svg("title", {}, `chance: ${two(row.chance)}`)),
        !hidden.has("majority") && real(row.majority) ? dot(main, row.majority, height / 2, "bar", "majority") : null,
        lanes.map((name, lane) => (real(row[name]) ? dot(main, row[name], 10 + 9 * lane, SERIES[name][1], SERIES[name][0], name === "score") : null)))),
      make("td", { class: "wb-number" }, make("b", {}, two(row.score?.value)), make("small", {}, real(row.score) ? ` ${limits(row.score)}` : "")),
      make("td", {}, svg("svg", { width: "100%", height, "aria-hidden": "true" }, rules(gain, height), real(row.selectivity) ? dot(gain, row.selectivity, height / 2, "square", "selectivity") : null)),
      make("td", { class: "wb-number" }, two(row.selectivity?.value)))));
    roving(buttons, { columns: 1, pick: (i) => buttons[i].click() });
    count.textContent = shown.length === rows.length ? `${rows.length} rows` : `${shown.length} of ${rows.length} rows`;
    if (!shown.length) body.append(make("tr", {}, make("td", { colspan: 5 }, make("small", {}, "No task fits; clear the filter."))));
  };
  const line = (title, points, name) => {
    const found = points.filter(([, e]) => real(e));
    if (found.length < 2) return null;
    const least = Math.min(...found.map(([, e]) => low(e))), most = Math.max(...found.map(([, e]) => high(e)));
    const x = (i) => 42 + 240 * i / (found.length - 1), y = (v) => 96 - 80 * (v - least) / (most - least || 1);
    return make("figure", {}, make("figcaption", {}, title), svg("svg", { viewBox: "0 0 300 120", role: "img", "aria-label": `${title}: ${found.map(([k, e]) => `${name} ${k} ${two(e.value)}`).join(", ")}` },
      [least, most].map((v) => [svg("line", { x1: 36, x2: 292, y1: y(v), y2: y(v), class: "rule" }), svg("text", { x: 32, y: y(v) + 4, "text-anchor": "end" }, two(v))]),
      svg("path", { class: "curve", d: found.map(([, e], i) => `${i ? "L" : "M"}${x(i).toFixed(1)} ${y(e.value).toFixed(1)}`).join("") }),
      found.map(([k, e], i) => [svg("line", { x1: x(i), x2: x(i), y1: y(low(e)), y2: y(high(e)), class: "whisker circle" }), svg("circle", { cx: x(i), cy: y(e.value), r: 3, class: "point" }),
        found.length > 8 && i % 2 ? null : svg("text", { x: x(i), y: 114, "text-anchor": "middle" }, k >= 1000 ? `${Math.round(k / 100) / 10}k` : String(k))])));
  };
  const open = () => {
    const row = rows.find((each) => key(each) === shell.get("task"));
    detail.hidden = !row;
    if (!row) { detail.replaceChildren(); return; }
    const names = { score: row.classes ? "accuracy" : "Spearman's correlation", mlp: "MLP", tfidf: "TF-IDF", random_encoder: "untrained twin", control: `control task (chance ${two(row.control_chance)})`, majority: "most frequent class", selectivity: "selectivity: score less control", balanced: "balanced accuracy", macro_f1: "macro F1", auc: "AUC", r2: "R²" };
    const extra = [["chance", two(row.chance)], ["learnt from, tested on", `${row.train.toLocaleString("en")}, ${row.test.toLocaleString("en")} items of ${row.groups.toLocaleString("en")} groups`],
      Number.isFinite(row.compression) && ["compression", `${two(row.compression)} times shorter than a uniform code`]].filter(Boolean);
    detail.replaceChildren(make("h4", {}, `${row.task}, ${row.embedder}`),
      make("div", { class: "both" }, make("dl", { class: "wb-number" }, Object.entries(names).filter(([name]) => real(row[name])).map(([name, words]) => [make("dt", {}, words), make("dd", {}, told(row[name]))]), extra.map(([words, v]) => [make("dt", {}, words), make("dd", {}, v)])),
        make("div", { class: "lines" }, [line("score by items learnt from", row.curve, "items"), line("score by layer", row.layers, "layer")].filter(Boolean))),
      make("p", {}, row.better.length ? `Better than ${row.better.join(", ")} (p < ${content.level}, Holm over all claims).` : "Not better than any floor beyond chance."));
  };
  const choose = (task) => {
    shell.set("task", task);
    const at = buttons.indexOf(document.activeElement);
    draw(); open();
    buttons[at]?.focus();
    shell.say(task ? detail.textContent : "closed");
  };
  const set = (name) => (event) => { shell.set(name, event.target.value); draw(); };
  const sorting = make("select", { on: { change: set("sort") } }, Object.keys(orders).map((name) => make("option", { value: name }, name)));
  const picking = make("select", { on: { change: set("embedder") } }, make("option", { value: "" }, "all"), content.embedders.map((name) => make("option", { value: name }, name)));
  const legend = present.map((name) => make("button", { type: "button", class: "series", "aria-pressed": String(!hidden.has(name)), on: { click: (event) => {
    if (!hidden.delete(name)) hidden.add(name);
    event.currentTarget.setAttribute("aria-pressed", String(!hidden.has(name)));
    draw();
  } } }, icon(SERIES[name][1]), ` ${SERIES[name][0]}`));
  const narrow = debounce(120, (text) => { query = text; draw(); });
  shell.undo(narrow.stop);
  shell.body.append(
    make("h3", {}, content.title),
    make("div", { class: "wb-bar" }, make("input", { type: "search", placeholder: "Filter tasks", "aria-label": "filter tasks", on: { input: (event) => narrow(event.target.value) } }),
      make("label", {}, "sort by", sorting), many ? make("label", {}, "embedder", picking) : "", count),
    make("div", { class: "wb-bar", role: "group", "aria-label": "what is drawn" }, legend, make("small", {}, make("span", { class: "dash" }), " chance")),
    make("div", { class: "wb-wide tasks" }, make("table", {},
      make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "task"), make("th", { scope: "col", class: "wide" }, "accuracy; Spearman's correlation where graded", axis(main, "axis of scores")),
        make("th", { scope: "col" }, "score"), make("th", { scope: "col", class: "less" }, "selectivity", axis(gain, "axis of selectivity")), make("th", {}))), body)),
    detail, ...content.failures.map(([name, why]) => make("p", {}, make("span", { class: "wb-badge warn" }, "⚠ not run"), ` ${name}: ${why}`)),
    make("details", {}, make("summary", {}, "How it was measured"), make("p", {}, make("small", {}, content.setting))));
  shell.onState("sort", () => { sorting.value = shell.get("sort"); draw(); });
  shell.onState("embedder", () => { picking.value = shell.get("embedder"); draw(); });
  shell.onState("task", () => { draw(); open(); });
  sorting.value = shell.get("sort");
  picking.value = content.embedders.includes(shell.get("embedder")) ? shell.get("embedder") : "";
  draw();
  open();
  if (content.moves) shell.body.append(along(shell, content.moves));
});

/* ---- a vector along a direction ---- */
const along = (shell, moves) => {
  const { directions, names, amounts } = moves, places = numbers(moves.places), cosines = numbers(moves.cosines), n = names.length, m = amounts.length;
  const clamp = (name, most) => Math.max(0, Math.min(most - 1, shell.get(name)));
  let way = clamp("direction", directions.length), row = clamp("row", n), step = clamp("step", m);
  const panel = moved(shell), where = make("b", { class: "wb-number" }), facts = make("span", { class: "wb-number" }), strip = make("div", { class: "strip" }), trust = make("small", {});
  const at = (k) => (way * m + k) * n + row, zero = amounts.reduce((best, a, k) => (Math.abs(a) < Math.abs(amounts[best]) ? k : best), 0);
  const amount = (k) => `${amounts[k] < 0 ? "−" : "+"}${Math.abs(amounts[k]).toFixed(2)}`;
  const draw = () => {
    const d = directions[way], own = amounts.map((_, k) => places[at(k)]), now = own[step];
    const s = scale(Math.min(-1, ...own), Math.max(1, ...own));
    const end = (v, words, anchor) => [svg("line", { x1: s.at(v), x2: s.at(v), y1: 16, y2: 44, class: "mean" }), svg("text", { x: s.at(v), y: 11, "text-anchor": anchor }, words.slice(0, 28))];
    strip.replaceChildren(svg("svg", { width: "100%", height: 64, role: "img", "aria-label": `stands at ${two(now)}; the mean of ${d.negative} is at −0.5, that of ${d.positive} at 0.5` },
      svg("line", { x1: "1%", x2: "99%", y1: 30, y2: 30, class: "rule zero" }), end(-0.5, d.negative, "end"), end(0.5, d.positive, "start"),
      svg("line", { x1: s.at(own[zero]), x2: s.at(now), y1: 30, y2: 30, class: "trail" }),
      svg("circle", { cx: s.at(own[zero]), cy: 30, r: 5, class: "was" }, svg("title", {}, "where it was")), svg("circle", { cx: s.at(now), cy: 30, r: 7, class: "now" }),
      s.ticks.map((v) => svg("text", { x: s.at(v), y: 60, "text-anchor": "middle" }, v.toFixed(1).replace("-", "−")))));
    where.textContent = `${amount(step)} class gaps`;
    facts.textContent = `stands at ${two(now)}, where −0.5 is the mean of “${d.negative}” and 0.5 that of “${d.positive}”; cosine to where it was ${cosines[at(step)].toFixed(3)}`;
    trust.textContent = `${d.method}, held-out AUC ${told(d.auc)}. ${d.verdict}`;
    trust.className = d.tone;
    slider.value = step;
    slider.setAttribute("aria-valuetext", `${amount(step)} class gaps towards ${d.positive}`);
    poles.forEach((pole, i) => { pole.textContent = i ? `${d.positive} ›` : `‹ ${d.negative}`; });
  };
  const go = (change, tell = true) => {
    ({ way, row, step } = { way, row, step, ...change });
    draw();
    ways.value = way; vectors.value = row;
    if (tell) for (const [name, v] of [["direction", way], ["row", row], ["step", step]]) if (shell.get(name) !== v) shell.set(name, v);
    panel.ask([way, row, step], `${where.textContent}, ${facts.textContent}`);
  };
  const poles = [make("span", { class: "pole" }), make("span", { class: "pole" })];
  const slider = make("input", { type: "range", min: 0, max: m - 1, step: 1, "aria-label": "how far along the direction", on: { input: () => go({ step: +slider.value }) } });
  const ways = make("select", { on: { change: () => go({ way: +ways.value }) } }, directions.map((d, k) => make("option", { value: k }, d.name)));
  const vectors = make("select", { class: "vectors", on: { change: () => go({ row: +vectors.value }) } }, names.map((name, k) => make("option", { value: k }, name.length > 90 ? `${name.slice(0, 89)}…` : name)));
  shell.onState("direction", (v) => go({ way: clamp("direction", directions.length) }, false));
  shell.onState("row", () => go({ row: clamp("row", n) }, false));
  shell.onState("step", () => go({ step: clamp("step", m) }, false));
  go({}, false);
  return make("div", { class: "along" }, make("h3", {}, "Moved along a direction"),
    make("div", { class: "wb-bar" }, make("label", {}, "direction", ways), make("label", { class: "grow" }, "vector", vectors), make("button", { type: "button", on: { click: () => go({ step: zero }) } }, "Back")),
    make("div", { class: "wb-bar" }, poles[0], slider, poles[1]), make("p", {}, where, " ", facts), strip, make("p", {}, trust), panel.node ?? "");
};

const PROBE_CSS = `
text { fill: var(--wb-soft); font-size: 11px; }
.tasks { max-height: 30em; margin: 0 0 8px; }
.tasks table { border-collapse: collapse; width: 100%; min-width: 640px; font-size: 13px; }
.tasks thead th { position: sticky; top: 0; z-index: 1; background: var(--wb-back); text-align: left; font-weight: 600; color: var(--wb-soft); padding: 2px 6px; vertical-align: bottom; font-size: 12px; }
.tasks th.wide { width: 46%; }
.tasks th.less { width: 17%; min-width: 110px; }
.tasks td, .tasks tbody th { padding: 0 6px; border-top: 1px solid var(--wb-line); text-align: left; vertical-align: middle; background: none; white-space: nowrap; }
.tasks tbody th { padding-left: 4px; }
.tasks tr.on td, .tasks tr.on th { background: var(--wb-card); }
.tasks td > svg, .tasks th > svg { display: block; overflow: hidden; }
.tasks th > svg { overflow: visible; }
svg.mark { overflow: visible; }
button.task { border-color: transparent; background: none; text-align: left; white-space: normal; overflow-wrap: anywhere; min-width: 8em; max-width: 16em; }
button.task[aria-pressed="true"] { background: var(--wb-accent); }
button.task[aria-pressed="true"] small { color: inherit; }
button.series { font-size: 12px; padding: 2px 8px; display: inline-flex; align-items: center; gap: 4px; opacity: .6; }
button.series[aria-pressed="true"] { background: var(--wb-card); color: inherit; border-color: var(--wb-soft); opacity: 1; }
.rule { stroke: var(--wb-line); }
.rule.zero { stroke: var(--wb-soft); opacity: .6; }
.chance { stroke: var(--wb-soft); stroke-dasharray: 2 3; }
.dash { display: inline-block; width: 0; height: 12px; border-left: 2px dotted var(--wb-soft); vertical-align: -2px; margin-right: 3px; }
.mark path { fill: var(--wb-soft); stroke: var(--wb-back); stroke-width: 1; }
.whisker { stroke: var(--wb-soft); }
.mark.circle path { fill: rgb(var(--wb-more)); }
.whisker.circle { stroke: rgb(var(--wb-more)); }
.mark.diamond path { fill: rgb(var(--wb-less)); }
.whisker.diamond { stroke: rgb(var(--wb-less)); }
.mark.square path { fill: var(--wb-good); }
.whisker.square { stroke: var(--wb-good); }
.mark.ring path { fill: var(--wb-back); stroke: var(--wb-ink); stroke-width: 1.6; }
.whisker.ring { stroke: var(--wb-ink); opacity: .6; }
.mark.bar path { stroke: var(--wb-ink); stroke-width: 2; opacity: .7; }
.detail { margin-bottom: 8px; }
.detail h4 { margin-top: 0; color: var(--wb-ink); font-size: 14px; }
.detail dl { display: grid; grid-template-columns: minmax(10em, max-content) 1fr; gap: 2px 20px; margin: 0; font-size: 13px; }
.detail dt { color: var(--wb-soft); }
.detail dd { margin: 0; }
.both { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26em), 1fr)); gap: 4px 20px; align-items: start; }
.lines { display: flex; flex-wrap: wrap; gap: 12px; }
.lines figure { margin: 0; flex: 1 1 220px; max-width: 340px; }
.lines svg { width: 100%; display: block; }
figcaption { font-size: 12px; color: var(--wb-soft); }
.curve { fill: none; stroke: rgb(var(--wb-more)); stroke-width: 2; }
.point { fill: rgb(var(--wb-more)); }
summary { cursor: pointer; font-size: 13px; color: var(--wb-soft); }
.along { border-top: 1px solid var(--wb-line); margin-top: 12px; padding-top: 12px; }
.grow { flex: 1 1 16em; min-width: 0; }
.grow select { flex: 1 1 auto; min-width: 0; width: 100%; }
.pole { font-size: 13px; color: var(--wb-soft); max-width: 14em; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.strip svg { display: block; overflow: hidden; }
.mean { stroke: var(--wb-soft); stroke-width: 2; }
.trail { stroke: rgb(var(--wb-more)); stroke-width: 3; opacity: .5; }
.was { fill: var(--wb-back); stroke: rgb(var(--wb-more)); stroke-width: 2; }
.now { fill: rgb(var(--wb-less)); stroke: var(--wb-ink); stroke-width: 1.5; }
small.bad { color: var(--wb-bad); }
`;

export default { render };
