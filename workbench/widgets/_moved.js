/* Read between `_shared.js` and the script of a widget that moves a vector. It offers:

   moved(shell)             two cards, what stands near and what is said; `node` holds them (null where nobody answers)
     .ask(payload, words)   asks both after a rest; `words` name the place for a screen reader; until there is an answer
                            the last one stays, faded
   MOVED_CSS                rules for them */

const moved = (shell) => {
  const cards = [];
  const card = (channel, title, draw) => {
    const body = make("div", { class: "told" }, make("small", {}, "Nothing was asked yet."));
    const bar = make("progress", { hidden: true, max: 1, "aria-label": `${title}: working` });
    const node = make("div", { class: "wb-card", "aria-busy": "false" }, make("h4", {}, title), body, make("div", { class: "working" }, bar));
    let shown = null, waits = 0;
    const busy = (on) => {
      node.classList.toggle("stale", on);
      node.setAttribute("aria-busy", String(on));
      clearTimeout(waits);
      if (on) waits = setTimeout(() => { bar.hidden = false; }, 400); else { bar.hidden = true; bar.removeAttribute("value"); }
    };
    const ask = (payload, words) => {
      busy(true);
      shell.ask(channel, payload, {
        part: (value) => { node.classList.remove("stale"); body.replaceChildren(...draw(value, shown)); node.value = value; },
        progress: (p) => { bar.max = p.total; bar.value = p.done; },
        done: () => { busy(false); shown = node.value; shell.say(`${words}. ${body.textContent}`); },
        failed: (error) => { busy(false); body.replaceChildren(make("p", { class: "fault" }, error)); shell.say(error); },
      }, 120);
    };
    cards.push(ask);
    return node;
  };
  const near = (value, before) => {
    if (!value.texts.length) return [make("small", {}, "There are no neighbours.")];
    const cosines = value.cosines && numbers(value.cosines), old = new Set(before?.texts);
    return [make("ol", { class: "near" }, value.texts.map((text, i) => make("li", { class: before && !old.has(text) ? "fresh" : "" },
      make("span", {}, text, before && !old.has(text) && make("em", {}, " new")), cosines && make("b", { class: "wb-number" }, cosines[i].toFixed(2)))))];
  };
  const said = (value) => [
    make("p", { class: "said" }, value.text || "(nothing)"),
    value.keywords.length ? make("p", { class: "words" }, value.keywords.map((word) => make("span", { class: "wb-badge" }, word))) : null,
    value.note ? make("small", {}, value.note) : null].filter(Boolean);
  const nodes = [shell.open("near") && card("near", "Neighbours", near), shell.open("explain") && card("explain", "What is said of it", said)].filter(Boolean);
  return { node: nodes.length ? make("div", { class: "cards" }, nodes) : null, ask: (payload, words) => cards.forEach((ask) => ask(payload, words)) };
};

const MOVED_CSS = `
input[type="range"] { flex: 1 1 14em; min-width: 8em; accent-color: var(--wb-accent); margin: 0; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20em), 1fr)); gap: 10px; margin: 8px 0 0; align-items: start; }
.cards h4 { margin-top: 0; }
.cards .wb-card { min-height: 9em; }
.told { transition: opacity .15s; }
.stale .told { opacity: .5; }
.working { height: 8px; margin-top: 6px; }
.near { margin: 0; padding-left: 1.6em; font-size: 13px; }
.near li { padding: 1px 0; }
.near li > span { display: inline-block; width: calc(100% - 3.4em); vertical-align: top; }
.near b { display: inline-block; width: 3.2em; text-align: right; font-weight: 500; color: var(--wb-soft); }
.near em { font-style: normal; font-size: 11px; color: var(--wb-good); }
.said { font-size: 16px; line-height: 1.45; margin-top: 0; }
.words { display: flex; flex-wrap: wrap; gap: 4px; }
.fault { border-left: 3px solid var(--wb-bad); padding-left: 8px; font-size: 13px; }
`;
