/* AuditGrid: a table of buttons; the chosen cell's evidence stands below. */

const SAID = { run: "run", "not applicable": "not applicable", "not run": "not run" };
const SHORT = { run: "run", "not applicable": "n/a", "not run": "NOT RUN" };

const render = (context) => begin(context, "audit-grid", GRID_CSS, (shell, content) => {
  const { rows, columns, cells, measure, highest } = content;
  const name = (cell) => `${cell.row} | ${cell.column}`;
  const number = (x) => x.toFixed(3);
  const interval = (e) => e.low === null ? e.method : `[${number(e.low)}, ${number(e.high)}]`;
  const share = (x) => `${100 * Math.min(1, Math.max(0, x / highest))}%`;

  const buttons = cells.map((cell) => {
    const e = cell.headline;
    const told = e ? `${number(e.value)}, ${e.low === null ? "" : "95% interval "}${interval(e)}` : SAID[cell.state];
    const inside = e
      ? [make("b", { class: "wb-number" }, number(e.value)), make("small", { class: "wb-number" }, interval(e)),
         make("span", { class: "bar", "aria-hidden": "true" },
           make("i", { css: { left: share(e.low), width: `calc(${share(e.high)} - ${share(e.low)})` } }),
           make("em", { css: { left: share(e.value) } }))]
      : [make("b", {}, SHORT[cell.state])];
    return make("button", {
      type: "button", class: `cell ${cell.state.replace(" ", "-")}`, "aria-pressed": "false",
      "aria-label": `${cell.row}, ${cell.column}: ${told}`,
      css: e ? { "--share": share(e.value) } : {},
      on: { click: () => choose(cell, true) },
    }, ...inside);
  });
  roving(buttons, { columns: columns.length, pick: (i) => choose(cells[i], true) });

  const evidence = make("div", { class: "wb-card evidence" });
  const show = (cell) => {
    buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(cells[i] === cell)));
    if (!cell) { evidence.replaceChildren(make("small", {}, "Choose a cell to see its evidence.")); return; }
    const e = cell.headline;
    evidence.replaceChildren(
      make("h3", {}, `${cell.column} under ${cell.row}`),
      e ? make("p", { class: "wb-number" }, make("b", {}, number(e.value)), ` ${interval(e)}, n = ${e.n.toLocaleString("en")}, ${e.method}`)
        : make("p", {}, make("b", {}, SAID[cell.state]), cell.state === "not run" ? ": nothing is known, which is no pass." : ""),
      ...cell.detail.split("\n").filter(Boolean).map((line) => make("p", {}, line)),
    );
  };
  const choose = (cell, tell) => {
    show(cell);
    if (!tell) return;
    shell.set("selected", name(cell));
    shell.say([...evidence.children].map((each) => each.textContent).join(". "));
  };
  const counts = ["run", "not applicable", "not run"].map((state) => cells.filter((cell) => cell.state === state).length);

  shell.body.append(
    make("h3", {}, content.title),
    make("p", {}, make("small", {}, `Each number is ${measure}, with its 95% interval. ${counts[0]} run, ${counts[1]} not applicable, ${counts[2]} not run.`)),
    make("div", { class: "wb-wide" }, make("table", { class: "grid" },
      make("thead", {}, make("tr", {}, make("td", {}), columns.map((each) => make("th", { scope: "col" }, each)))),
      make("tbody", {}, rows.map((row, i) => make("tr", {}, make("th", { scope: "row" }, row),
        buttons.slice(i * columns.length, (i + 1) * columns.length).map((button) => make("td", {}, button))))))),
    evidence,
  );
  const find = (value) => cells.find((cell) => name(cell) === value);
  show(find(shell.get("selected")));
  shell.onState("selected", (value) => show(find(value)));
});

const GRID_CSS = `
.grid { border-collapse: separate; border-spacing: 4px; margin: 4px 0 8px; width: 100%; }
.grid th { font-weight: 600; font-size: 13px; text-align: left; padding: 2px 6px; color: var(--wb-soft); min-width: 4.6em; }
.grid th[scope="row"] { min-width: 7em; }
.grid td { padding: 0; background: none; text-align: left; }
.cell { width: 100%; min-width: 5.4em; min-height: 58px; display: grid; gap: 1px; text-align: left; align-content: center; border-width: 2px; }
.cell.run { background: color-mix(in srgb, rgb(var(--wb-less)) calc(.45 * var(--share, 0%)), var(--wb-card)); }
.cell.run { min-width: 8.5em; }
.cell.run small { color: var(--wb-ink); opacity: .85; }
.cell.not-run { background: repeating-linear-gradient(45deg, var(--wb-back) 0 6px, var(--wb-line) 6px 9px); border-style: dashed; border-color: var(--wb-soft); }
.cell.not-run b { background: var(--wb-back); justify-self: start; padding: 0 4px; border-radius: 3px; font-size: 11px; white-space: nowrap; }
.cell.not-applicable { background: none; border-color: transparent; color: var(--wb-soft); }
.cell.not-applicable b { font-weight: 400; }
.cell[aria-pressed="true"] { border-color: var(--wb-accent); border-style: solid; color: var(--wb-ink); }
.cell.run[aria-pressed="true"] { background: color-mix(in srgb, rgb(var(--wb-less)) calc(.45 * var(--share, 0%)), var(--wb-card)); }
.bar { position: relative; height: 6px; background: color-mix(in srgb, var(--wb-ink) 12%, transparent); border-radius: 3px; margin-top: 2px; }
.bar i { position: absolute; top: 0; bottom: 0; background: rgb(var(--wb-less)); border-radius: 3px; min-width: 2px; }
.bar em { position: absolute; top: -2px; bottom: -2px; width: 3px; margin-left: -1px; background: var(--wb-ink); border-radius: 2px; }
.evidence { min-height: 7em; }
`;

export default { render };
