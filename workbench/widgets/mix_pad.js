/* MixPad: a slider from A to B over two curves of cosines; the differences are two buttons. */

const render = (context) => begin(context, "mix-pad", MOVED_CSS + MIX_CSS, (shell, content) => {
  const [A, B] = content.names, path = numbers(content.path), steps = path.length / 2, last = steps - 1;
  const digits = (v, n = 3) => v.toFixed(n).replace("-", "−");
  const told = moved(shell), differences = Object.keys(content.differences);
  const ends = content.names.map((name, i) => (name === "AB"[i] ? name : `${"AB"[i]}: ${name}`));
  const named = (place) => (place === "A-B" ? `${A} − ${B}` : place === "B-A" ? `${B} − ${A}` : `${100 - Math.round(100 * place / last)}% ${A}, ${Math.round(100 * place / last)}% ${B}`);
  const cosines = (place) => content.differences[place] ?? [path[2 * place], path[2 * place + 1]];
  const known = (place) => differences.includes(place) || (/^\d+$/.test(place) && +place <= last);
  let place = known(shell.get("position")) ? shell.get("position") : "0";

  /* ---- the curves ---- */
  const figure = make("figure", {});
  const all = [...path, ...differences.flatMap((name) => content.differences[name])];
  const low = Math.min(0, Math.floor(10 * Math.min(...all) - 0.2) / 10);
  const plot = () => {
    const W = figure.clientWidth, H = 190, L = 36, T = 10, bottom = 24;
    if (!W) return;
    const side = differences.length ? Math.min(150, 0.3 * W) : 0, R = W - side - 14;
    const x = (i) => L + 8 + i / last * (R - L - 16), y = (v) => T + (1 - v) / (1 - low) * (H - T - bottom);
    const d = (end) => Array.from({ length: steps }, (_, i) => `${i ? "L" : "M"}${x(i).toFixed(1)} ${y(path[2 * i + end]).toFixed(1)}`).join("");
    const apart = (i) => R + 14 + (i + 0.5) * side / differences.length;
    const ticks = [...new Set([low, 0, 0.5, 1])].filter((v) => v >= low && (v === low || v - low > 0.12 || v === 1));
    const at = differences.includes(place) ? apart(differences.indexOf(place)) : x(+place);
    const [toA, toB] = cosines(place);
    const mark = (v, end, on, i) => svg("g", { class: `${end ? "b" : "a"}${on ? " on" : ""}`, transform: `translate(${i} ${y(v)})` },
      end ? svg("rect", { x: -4, y: -4, width: 8, height: 8 }) : svg("circle", { r: on ? 5.5 : 4.5 }));
    figure.replaceChildren(svg("svg", { width: W, height: H, role: "img", "aria-label": `${named(place)}: cosine ${digits(toA)} to ${A}, ${digits(toB)} to ${B}` },
      ticks.map((v) => [svg("line", { x1: L, x2: W - 2, y1: y(v), y2: y(v), class: v ? "rule" : "rule zero" }), svg("text", { x: L - 6, y: y(v) + 4, "text-anchor": "end" }, digits(v, 1))]),
      svg("line", { x1: at, x2: at, y1: T - 4, y2: H - bottom, class: "here" }),
      svg("path", { d: d(0), class: "a" }), svg("path", { d: d(1), class: "b" }),
      svg("text", { x: x(0), y: H - 6, "text-anchor": "start" }, ends[0].slice(0, 24)), svg("text", { x: x(last), y: H - 6, "text-anchor": "end" }, ends[1].slice(0, 24)),
      differences.map((name, i) => [svg("text", { x: apart(i), y: H - 6, "text-anchor": "middle", class: name === place ? "strong" : "" }, name.replace("-", " − ")),
        content.differences[name].map((v, end) => mark(v, end, name === place, apart(i)))]),
      differences.includes(place) ? null : [mark(toA, 0, true, at), mark(toB, 1, true, at)]));
  };
  const redraw = perFrame(plot);

  /* ---- controls ---- */
  const where = make("b", {}), facts = make("span", { class: "wb-number" });
  const slider = make("input", { type: "range", min: 0, max: last, step: 1, "aria-label": `from ${A} to ${B}`, on: { input: () => go(slider.value) } });
  const buttons = ["A-B", "B-A"].map((name) => make("button", { type: "button", "aria-pressed": "false", disabled: !differences.includes(name),
    title: differences.includes(name) ? "the difference of both unit vectors" : "both point the same way: nothing is left",
    on: { click: () => go(place === name ? slider.value : name) } }, named(name)));
  const go = (to, tell = true) => {
    place = String(to);
    if (!differences.includes(place)) slider.value = place;
    slider.setAttribute("aria-valuetext", named(slider.value));
    buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(place === ["A-B", "B-A"][i])));
    const [toA, toB] = cosines(place);
    where.textContent = named(place);
    facts.replaceChildren(make("i", { class: "key a" }), ` cosine ${digits(toA)} to ${A} `, make("i", { class: "key b" }), ` ${digits(toB)} to ${B}`);
    redraw();
    if (tell) shell.set("position", place);
    told.ask(place, named(place));
  };

  shell.body.append(
    make("h3", {}, content.title, make("small", { class: "wb-number" }, ` cosine of the two: ${digits(content.cosine)}`)),
    content.texts.some(Boolean) ? make("div", { class: "ends" }, content.texts.map((text, i) => make("div", { class: "wb-card" }, make("h4", {}, ends[i]), make("p", {}, text || "(no text is known)")))) : "",
    make("div", { class: "wb-bar" }, make("span", { class: "end" }, ends[0]), slider, make("span", { class: "end" }, ends[1]), buttons),
    make("p", { class: "place" }, where, facts), figure, told.node ?? "");
  const watch = new ResizeObserver(redraw);
  watch.observe(figure);
  shell.undo(() => watch.disconnect());
  shell.onState("position", (value) => { if (known(value) && value !== place) go(value, false); });
  go(place, false);
});

const MIX_CSS = `
.ends { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 18em), 1fr)); gap: 10px; margin: 0 0 8px; }
.ends h4 { margin: 0; }
.end { color: var(--wb-soft); font-size: 13px; max-width: 12em; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.place { display: flex; flex-wrap: wrap; gap: 4px 16px; align-items: baseline; }
.key { display: inline-block; width: 10px; height: 10px; margin-left: 6px; }
.key.a { background: rgb(var(--wb-more)); border-radius: 50%; }
.key.b { background: rgb(var(--wb-less)); }
figure { margin: 4px 0 0; overflow: hidden; }
figure svg { display: block; }
figure text { fill: var(--wb-soft); font-size: 12px; }
figure text.strong { fill: var(--wb-ink); font-weight: 650; }
.rule { stroke: var(--wb-line); }
.rule.zero { stroke: var(--wb-soft); }
.here { stroke: var(--wb-soft); stroke-dasharray: 3 3; }
path.a, path.b { fill: none; stroke-width: 2; }
path.a { stroke: rgb(var(--wb-more)); }
path.b { stroke: rgb(var(--wb-less)); }
g.a { fill: rgb(var(--wb-more)); }
g.b { fill: rgb(var(--wb-less)); }
g.on { stroke: var(--wb-ink); stroke-width: 1.5; }
`;

export default { render };
