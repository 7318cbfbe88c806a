/* DefenceSlider: utility to the right, leakage upward; the chosen point with its intervals, the prior as a floor. */

const three = (x) => x.toFixed(3).replace("-", "−");
const low = (e) => e.low ?? e.value, high = (e) => e.high ?? e.value; // null: no interval
const interval = (e) => e.low === null ? e.method : `[${three(e.low)}, ${three(e.high)}]`;
const signed = (x) => `${x < 0 ? "−" : "+"}${Math.abs(x).toFixed(3)}`;

const render = (context) => begin(context, "defence-slider", DEFENCE_CSS, (shell, content) => {
  const { methods, prior, undefended } = content;
  const point = (i, j) => (shell.get("measured") ?? {})[`${i}.${j}`] ?? methods[i].points[j];
  const label = (i, j) => `${methods[i].name} at ${methods[i].strengths[j]}`;
  const within = (j, i) => Math.max(0, Math.min(methods[i].strengths.length - 1, j));
  let i = Math.max(0, methods.findIndex((method) => method.name === shell.get("method"))), j = within(shell.get("step"), i);

  /* ---- the chart ---- */
  const figure = make("figure", {});
  const plot = () => {
    const W = figure.clientWidth, H = Math.max(260, Math.min(360, 0.42 * W)), L = 44, R = 12, T = 12, B = 40;
    if (!W) return;
    const known = methods.flatMap((method, m) => method.strengths.map((_, s) => [m, s, point(m, s)])).filter(([, , p]) => p);
    const all = [...known.map(([, , p]) => p), ...(undefended ? [undefended] : [])];
    const us = all.flatMap((p) => [p.utility.value]), now = point(i, j);
    if (now) us.push(low(now.utility), high(now.utility));
    const ls = [...all.flatMap((p) => [p.static.value, p.adaptive.value]), ...(now ? [low(now.static), high(now.static), low(now.adaptive), high(now.adaptive)] : []), ...(prior ? [low(prior), high(prior)] : [])];
    const range = (values) => { const lo = values.length ? Math.min(...values) : 0, hi = values.length ? Math.max(...values) : 1, gap = Math.max(hi - lo, 0.1); return [Math.max(Math.min(0, lo), lo - 0.08 * gap), Math.min(Math.max(1, hi), hi + 0.08 * gap)]; };
    const [u0, u1] = range(us), [l0, l1] = range(ls);
    const x = (v) => L + 6 + (v - u0) / (u1 - u0) * (W - L - R - 12), y = (v) => T + (l1 - v) / (l1 - l0) * (H - T - B);
    const ticks = (lo, hi) => { const step = [0.02, 0.05, 0.1, 0.2, 0.5, 1].find((s) => (hi - lo) / s <= 6) ?? hi - lo, out = []; for (let k = Math.ceil(lo / step - 1e-9); k * step <= hi + 1e-9; k++) out.push(k * step); return [out, step < 0.1 ? 2 : 1]; };
    const [xs, dx] = ticks(u0, u1), [ys, dy] = ticks(l0, l1);
    const boxes = [], free = (a, b, w) => { const box = [a, b - 11, a + w, b + 3]; if (a < L || a + w > W - 2 || b < T + 8 || b > H - B - 2 || boxes.some((o) => box[0] < o[2] && o[0] < box[2] && box[1] < o[3] && o[1] < box[3])) return false; boxes.push(box); return true; };
    const block = (a, b) => boxes.push([a - 6, b - 6, a + 6, b + 6]);
    const write = (text, a, b, cls, sides = [0, 1, 2, 3]) => {
      const w = 7 * text.length;
      const at = sides.map((side) => [[a + 9, b + 4], [a - 9 - w, b + 4], [a - w / 2, b - 12], [a - w / 2, b + 20]][side]).find(([p, q]) => free(p, q, w));
      return at ? svg("text", { x: at[0], y: at[1], class: cls }, text) : null;
    };
    for (const p of all) { block(x(p.utility.value), y(p.adaptive.value)); }
    const mark = (p, which, m, s, on) => svg(which === "static" ? "rect" : "circle", {
      class: `${which} ${on}`, ...(which === "static" ? { x: x(p.utility.value) - (on ? 4 : 3), y: y(p.static.value) - (on ? 4 : 3), width: on ? 8 : 6, height: on ? 8 : 6 } : { cx: x(p.utility.value), cy: y(p.adaptive.value), r: on === "here" ? 6.5 : on ? 5 : 4 }),
      on: s === undefined ? {} : { click: () => go(m, s) },
    }, svg("title", {}, `${s === undefined ? "undefended" : label(m, s)}: utility ${three(p.utility.value)}, ${which} attacker ${three(p[which].value)}`));
    const line = (m, which) => { const found = methods[m].strengths.map((_, s) => point(m, s)).filter(Boolean); return found.length < 2 ? null : svg("path", { class: `${which} line ${m === i ? "on" : ""}`, d: found.map((p, k) => `${k ? "L" : "M"}${x(p.utility.value).toFixed(1)} ${y(p[which].value).toFixed(1)}`).join("") }); };
    const others = methods.map((_, m) => m).filter((m) => m !== i);
    const drawn = (m) => methods[m].strengths.map((_, s) => [s, point(m, s)]).filter(([, p]) => p);
    const whiskers = now ? ["static", "adaptive"].map((which) => [
      svg("line", { class: `${which} whisker`, x1: x(now.utility.value), x2: x(now.utility.value), y1: y(low(now[which])), y2: y(high(now[which])) }),
      svg("line", { class: `${which} whisker`, x1: x(low(now.utility)), x2: x(high(now.utility)), y1: y(now[which].value), y2: y(now[which].value) })]) : [];
    const words = now ? `${label(i, j)}: utility ${three(now.utility.value)}, static attacker ${three(now.static.value)}, adaptive attacker ${three(now.adaptive.value)}` : `${label(i, j)} is not measured`;
    figure.replaceChildren(svg("svg", { width: W, height: H, role: "img", "aria-label": `${words}${prior ? `; prior ${three(prior.value)}` : ""}` },
      xs.map((v) => [svg("line", { x1: x(v), x2: x(v), y1: T, y2: H - B, class: "rule" }), svg("text", { x: x(v), y: H - B + 16, "text-anchor": "middle" }, v.toFixed(dx))]),
      ys.map((v) => [svg("line", { x1: L, x2: W - R, y1: y(v), y2: y(v), class: "rule" }), svg("text", { x: L - 6, y: y(v) + 4, "text-anchor": "end" }, v.toFixed(dy))]),
      svg("text", { x: W - R, y: H - 6, "text-anchor": "end" }, `${content.utility} →`), svg("text", { x: 4, y: H - 6 }, `↑ ${content.leakage}`.slice(0, Math.max(12, Math.floor((W - 120) / 7)))),
      prior ? [svg("rect", { x: L, width: W - R - L, y: y(high(prior)), height: Math.max(1, y(low(prior)) - y(high(prior))), class: "floor" }), svg("line", { x1: L, x2: W - R, y1: y(prior.value), y2: y(prior.value), class: "prior" }),
        free(L + 6, y(prior.value) - 5, 34) ? svg("text", { x: L + 6, y: y(prior.value) - 5, class: "strong" }, "prior") : null] : null,
      others.map((m) => [line(m, "static"), line(m, "adaptive")]), line(i, "static"), line(i, "adaptive"), whiskers,
      now ? write(`${methods[i].name} ${methods[i].strengths[j]}`, x(now.utility.value), y(now.adaptive.value), "strong", [2, 3, 1, 0]) : null,
      undefended ? write("undefended", x(undefended.utility.value), y(undefended.adaptive.value), "") : null,
      drawn(i).filter(([s]) => s !== j).map(([s, p]) => write(methods[i].strengths[s], x(p.utility.value), y(p.adaptive.value), "")),
      others.map((m) => { const last = drawn(m).at(-1); return last ? write(methods[m].name, x(last[1].utility.value), y(last[1].adaptive.value), "") : null; }),
      others.flatMap((m) => drawn(m).map(([s, p]) => [mark(p, "static", m, s, ""), mark(p, "adaptive", m, s, "")])),
      drawn(i).map(([s, p]) => [mark(p, "static", i, s, s === j ? "here" : "on"), mark(p, "adaptive", i, s, s === j ? "here" : "on")]),
      undefended ? mark(undefended, "adaptive", 0, undefined, "raw") : null));
  };
  const redraw = perFrame(plot);

  /* ---- numbers ---- */
  const facts = make("div", { class: "facts" }), verdict = make("div", { class: "verdict" });
  const fact = (name, e, cls, gain) => make("div", { class: `wb-card ${cls}` }, make("h4", {}, make("i", { class: `key ${cls}` }), name), make("b", { class: "wb-number" }, e ? three(e.value) : "–"), make("small", { class: "wb-number" }, e ? ` ${interval(e)}` : ""), gain ? make("div", {}, make("small", { class: "wb-number" }, gain)) : null);
  const tell = () => {
    const p = point(i, j);
    facts.replaceChildren(fact(`utility: ${content.utility}`, p?.utility, "utility", p && undefended ? `${signed(p.utility.value - undefended.utility.value)} against undefended` : ""), fact("static attacker", p?.static, "static"), fact("adaptive attacker", p?.adaptive, "adaptive"), ...(prior ? [fact("prior", prior, "prior")] : []));
    if (!p) { verdict.replaceChildren(make("small", {}, shell.open("measure") ? "This strength was not measured yet." : "This strength was not measured.")); return; }
    const lines = [];
    if ((p.static.high ?? Infinity) < (p.adaptive.low ?? -Infinity)) lines.push(make("p", {}, make("span", { class: "wb-badge warn" }, "⚠ static alone deceives"), ` The adaptive attacker reads ${(p.adaptive.value - p.static.value).toFixed(3)} more than the static one, beyond both intervals.`));
    if (prior) lines.push(make("p", {}, (p.adaptive.low ?? -Infinity) <= (prior.high ?? Infinity) ? "Within the intervals, the adaptive attacker reads no more than the prior: these attacks found nothing, which is no proof that none does." : `The adaptive attacker reads ${(p.adaptive.value - prior.value).toFixed(3)} more than the prior.`));
    if (p.detail) lines.push(make("p", {}, make("small", {}, p.detail)));
    verdict.replaceChildren(...lines);
  };

  /* ---- controls ---- */
  const bar = make("progress", { hidden: true, "aria-label": "measuring" }), cancel = make("button", { type: "button", hidden: true, on: { click: () => { shell.give_up("measure"); waiting(false); shell.say("cancelled"); } } }, "Cancel");
  const waiting = (on) => { bar.hidden = cancel.hidden = !on; facts.classList.toggle("stale", on); if (on) bar.removeAttribute("value"); };
  const where = make("b", {}), slider = make("input", { type: "range", min: 0, step: 1, "aria-label": "strength", on: { input: () => go(i, +slider.value) } });
  const choice = make("select", { on: { change: () => go(+choice.value, 0) } }, methods.map((method, m) => make("option", { value: m }, method.name)));
  const go = (m, s, loud = true) => {
    [i, j] = [m, within(s, m)];
    choice.value = i;
    slider.max = methods[i].strengths.length - 1;
    slider.disabled = methods[i].strengths.length < 2;
    slider.value = j;
    slider.setAttribute("aria-valuetext", label(i, j));
    where.textContent = methods[i].strengths[j];
    if (loud) for (const [name, value] of [["method", methods[i].name], ["step", j]]) if (shell.get(name) !== value) shell.set(name, value);
    shell.give_up("measure");
    waiting(false);
    tell();
    redraw();
    if (point(i, j)) { if (loud) shell.say([label(i, j), ...[...facts.children, ...verdict.children].map((each) => each.textContent)].join(". ")); return; }
    if (!shell.open("measure")) return;
    waiting(true);
    const [mine, at] = [i, j];
    shell.ask("measure", [i, j], {
      part: (found) => { methods[mine].points[at] = found; tell(); redraw(); },
      progress: (p) => { bar.max = p.total; bar.value = p.done; bar.title = p.note; },
      done: () => { waiting(false); shell.say(`${label(mine, at)} is measured. ${facts.textContent}`); },
      failed: (words) => { waiting(false); verdict.replaceChildren(make("p", { class: "fault" }, words)); shell.say(words); },
    }, 300);
  };
  const legend = [["adaptive", "adaptive attacker, trained anew on defended vectors"], ["static", "static attacker"]].map(([cls, words]) => make("span", {}, make("i", { class: `key ${cls}` }), words));
  shell.body.append(make("h3", {}, content.title),
    make("div", { class: "wb-bar" }, make("label", {}, "defence", choice), make("label", { class: "grow" }, "strength", slider), where, bar, cancel),
    facts, verdict, figure, make("p", { class: "legend" }, legend, prior ? make("span", {}, make("i", { class: "key prior" }), "prior, what is read without a vector") : null));
  const watch = new ResizeObserver(redraw);
  watch.observe(figure);
  shell.undo(() => watch.disconnect());
  shell.onState("measured", () => { tell(); redraw(); });
  shell.onState("method", (name) => { const m = methods.findIndex((method) => method.name === name); if (m >= 0 && m !== i) go(m, 0, false); });
  shell.onState("step", (s) => { if (s !== j) go(i, s, false); });
  go(i, j, false);
});

const DEFENCE_CSS = `
input[type="range"] { flex: 1 1 12em; min-width: 8em; accent-color: var(--wb-accent); margin: 0; }
.grow { flex: 1 1 16em; max-width: 34em; }
.wb-bar progress { width: 9em; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(12em, 1fr)); gap: 8px; }
.facts.stale { opacity: .5; }
.facts h4 { margin: 0; }
.facts b { font-size: 18px; }
.key { display: inline-block; width: 10px; height: 10px; margin-right: 6px; }
.key.adaptive { background: rgb(var(--wb-less)); border-radius: 50%; }
.key.static { background: rgb(var(--wb-more)); }
.key.prior { height: 0; width: 16px; border-top: 2px dashed var(--wb-ink); vertical-align: 4px; }
.key.utility { display: none; }
.verdict { min-height: 3.4em; margin-top: 6px; font-size: 13px; overflow-wrap: anywhere; }
.fault { border-left: 3px solid var(--wb-bad); padding-left: 8px; }
figure { margin: 4px 0 0; overflow: hidden; }
figure svg { display: block; }
figure text { fill: var(--wb-soft); font-size: 12px; paint-order: stroke; stroke: var(--wb-back); stroke-width: 3px; }
figure text.strong { fill: var(--wb-ink); font-weight: 650; }
.rule { stroke: var(--wb-line); }
.floor { fill: color-mix(in srgb, var(--wb-ink) 10%, transparent); }
.prior { stroke: var(--wb-ink); stroke-dasharray: 6 4; }
circle.adaptive, rect.static { stroke: var(--wb-back); fill: var(--wb-soft); opacity: .55; cursor: pointer; }
circle.adaptive.on, circle.adaptive.here { fill: rgb(var(--wb-less)); opacity: 1; }
rect.static.on, rect.static.here { fill: rgb(var(--wb-more)); opacity: 1; }
circle.here, rect.here { stroke: var(--wb-ink); stroke-width: 2; }
circle.raw { fill: var(--wb-back); stroke: var(--wb-ink); stroke-width: 2; opacity: 1; cursor: default; }
.line { fill: none; stroke: var(--wb-soft); opacity: .35; stroke-width: 1.5; }
.line.static { stroke-dasharray: 5 4; }
.line.on { opacity: 1; stroke-width: 2; }
.line.on.adaptive { stroke: rgb(var(--wb-less)); }
.line.on.static { stroke: rgb(var(--wb-more)); }
.whisker { stroke-width: 1.5; }
.whisker.adaptive { stroke: rgb(var(--wb-less)); }
.whisker.static { stroke: rgb(var(--wb-more)); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: 12px; color: var(--wb-soft); }
`;

export default { render };
