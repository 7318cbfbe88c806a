/* Read in front of every widget's own script. It offers:

   make(tag, props, ...children)   an element; strings become text nodes, `on` holds listeners, never any markup
   svg(tag, props, ...children)    the same for SVG
   numbers(packed)                 typed array of what Python's `pack` made of an array
   texts(packed)                   list of what `pack_texts` made; taken apart once
   debounce(ms, f)  perFrame(f)    f after a rest of ms; f at most once a frame
   begin(context, name, css, draw) builds the frame around a widget and calls draw(shell, content); returns the clean-up.
                                   css are the widget's own rules; they are nested in `.wb.name`, so widgets share none
     shell.body                    where the widget draws
     shell.get(name) set(name, v)  state that both sides hold;  shell.onState(name, f) when Python or another view changed it
     shell.ask(channel, payload, { part, progress, done, failed, cancelled, silent }, wait = 0)
                                   a question to Python; a newer one on the channel makes the older one's answers void;
                                   silent(words) after some seconds without a sign of life
     shell.saved(channel)          payloads that an exported page can answer; null before a live kernel
     shell.give_up(channel)        cancels the question
     shell.open(channel)           whether anyone answers
     shell.say(words)              tells a screen reader;  shell.fail(words) shows an error line
     shell.ink(name)               a colour of the theme, for canvases;  shell.onTheme(f) when it changed
     shell.undo(f)                 f when the widget is removed or drawn anew
   roving(nodes, { columns, pick }) arrow keys move the focus over nodes of which one is in the tab order */

const listen = (node, events) => {
  for (const [name, f] of Object.entries(events)) {
    node.addEventListener(name, (event) => {
      try { f(event); } catch (error) {
        console.error(error);
        node.dispatchEvent(new CustomEvent("wb-problem", { bubbles: true, detail: String(error.message ?? error) }));
      }
    });
  }
};

const fill = (node, props, children) => {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (name === "on") listen(node, value);
    else if (name === "css") for (const [key, v] of Object.entries(value)) node.style.setProperty(key, v);
    else if (name in node && !(node instanceof SVGElement) && typeof value === "boolean") node[name] = value;
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
};
const make = (tag, props, ...children) => {
  const node = fill(document.createElement(tag), props, children);
  if (node.tabIndex >= 0) node.setAttribute("data-lm-suppress-shortcuts", "true"); // Jupyter looks at the focused node alone
  return node;
};
const svg = (tag, props, ...children) => fill(document.createElementNS("http://www.w3.org/2000/svg", tag), props, children);

const KINDS = { float32: Float32Array, int32: Int32Array, uint32: Uint32Array, uint8: Uint8Array };
const numbers = ({ kind, bytes }) => new KINDS[kind](bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
const taken = new WeakMap();
const texts = (packed) => {
  if (!packed) return null;
  if (!taken.has(packed)) taken.set(packed, packed.shape[0] ? new TextDecoder().decode(packed.bytes).split("\0") : []);
  return taken.get(packed);
};

const debounce = (wait, f) => {
  let timer = 0;
  const later = (...values) => { clearTimeout(timer); timer = setTimeout(() => f(...values), wait); };
  later.stop = () => clearTimeout(timer);
  return later;
};
const perFrame = (f) => {
  let waiting = 0;
  return () => { waiting ||= requestAnimationFrame(() => { waiting = 0; f(); }); };
};

const isDark = (chosen) => {
  if (chosen !== "auto") return chosen === "dark";
  const { body, documentElement: html } = document;
  if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "false";
  const told = `${body.className} ${body.dataset.vscodeThemeKind ?? ""} ${html.getAttribute("theme") ?? ""} ${html.dataset.theme ?? ""}`;
  if (/\b(vscode-)?(dark|high-contrast)\b/.test(told)) return true;
  if (/\b(vscode-)?light\b/.test(told)) return false;
  return matchMedia("(prefers-color-scheme: dark)").matches;
};

const withBuffers = (value, buffers) => {
  if (Array.isArray(value)) return value.map((item) => withBuffers(item, buffers));
  if (value === null || typeof value !== "object" || value instanceof DataView) return value;
  if (typeof value.buffer === "number") return buffers[value.buffer];
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withBuffers(item, buffers)]));
};

const PATIENCE = 5000;
const sheets = new Set();
const adopt = (name, css) => {
  if (sheets.has(name)) return;
  sheets.add(name);
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`.wb.${name} { ${css} }`);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
};

const begin = ({ model, el }, name, css, draw) => {
  adopt(name, css);
  const view = Math.random().toString(36).slice(2);
  const asked = new Map(), timers = new Map();
  let undo = [], themed = [], count = 0, own = "";
  const problem = make("p", { class: "wb-problem", role: "alert", hidden: true });
  const voice = make("p", { class: "wb-hidden", role: "status", "aria-live": "polite" });
  const body = make("div", { class: "wb-body" });
  const root = make("section", { class: `wb ${name}`, role: "group" }, problem, body, voice);
  const fail = (words) => { problem.textContent = words; problem.hidden = !words; };
  listen(root, { "wb-problem": (event) => fail(event.detail), keydown: (event) => event.stopPropagation() });

  const on = (event, f, keep) => { model.on(event, f); keep.push(() => model.off(event, f)); };
  const hear = (message, buffers) => {
    const question = message?.wb && asked.get(message.channel);
    if (!question || question.sequence !== message.sequence) return;
    clearTimeout(question.patience);
    const value = withBuffers(message.value, buffers);
    if (["done", "failed", "cancelled"].includes(message.wb)) asked.delete(message.channel);
    try {
      if (message.wb === "failed" && !question.then.failed) fail(value);
      else question.then[message.wb]?.(value);
    } catch (error) { console.error(error); fail(String(error.message ?? error)); }
  };
  const give_up = (channel) => {
    clearTimeout(timers.get(channel));
    clearTimeout(asked.get(channel)?.patience);
    if (asked.delete(channel)) model.send({ wb: "cancel", channel });
  };
  const shell = {
    body, root, fail,
    say: (words) => { voice.textContent = words; },
    get: (name) => model.get(name),
    set: (name, value) => { own = name; model.set(name, value); own = ""; model.save_changes(); },
    onState: (name, f) => on(`change:${name}`, () => { if (own !== name) f(model.get(name)); }, undo),
    open: (channel) => (model.get("content").open ?? []).includes(channel),
    ask: (channel, payload, then, wait = 0) => {
      clearTimeout(timers.get(channel));
      clearTimeout(asked.get(channel)?.patience);
      const sequence = `${view}.${++count}`;
      const patience = then.silent && setTimeout(() => then.silent("No answer yet: the kernel may be busy with a cell, or gone."), wait + PATIENCE);
      asked.set(channel, { sequence, then, patience });
      const send = () => model.send({ wb: "ask", channel, sequence, payload });
      if (wait) timers.set(channel, setTimeout(send, wait)); else send();
    },
    give_up,
    saved: (channel) => model.saved?.(channel) ?? null,
    ink: (name) => getComputedStyle(root).getPropertyValue(`--wb-${name}`).trim(),
    onTheme: (f) => themed.push(f),
    undo: (f) => undo.push(f),
  };

  const clean = () => {
    for (const channel of [...asked.keys()]) give_up(channel);
    for (const f of undo.splice(0)) f();
    themed = [];
    body.replaceChildren();
  };
  const redraw = () => {
    clean();
    fail(model.get("problem") ?? "");
    const content = model.get("content");
    if (model.get("problem") || !content || !Object.keys(content).length) return;
    root.setAttribute("aria-label", content.title ?? "widget");
    try { draw(shell, content); } catch (error) { console.error(error); fail(`This cannot be drawn: ${error.message ?? error}`); }
  };
  const paint = () => {
    const theme = isDark(model.get("theme") ?? "auto") ? "dark" : "light";
    if (root.dataset.theme === theme) return;
    root.dataset.theme = theme;
    for (const f of themed) f();
  };
  const kept = [];
  const watch = new MutationObserver(paint), system = matchMedia("(prefers-color-scheme: dark)");
  for (const node of [document.body, document.documentElement]) watch.observe(node, { attributes: true });
  system.addEventListener("change", paint);
  on("change:theme", paint, kept);
  on("change:content", redraw, kept);
  on("change:problem", redraw, kept);
  on("msg:custom", hear, kept);
  paint();
  el.append(root);
  redraw();
  return () => {
    clean();
    watch.disconnect();
    system.removeEventListener("change", paint);
    for (const f of kept) f();
    root.remove();
  };
};

const roving = (nodes, { columns = nodes.length, pick } = {}) => {
  let current = Math.max(0, nodes.findIndex((node) => node.getAttribute("tabindex") === "0"));
  const move = (to) => {
    nodes[current]?.setAttribute("tabindex", "-1");
    current = to;
    nodes[current].setAttribute("tabindex", "0");
  };
  nodes.forEach((node, i) => {
    node.setAttribute("tabindex", i === current ? "0" : "-1");
    listen(node, {
      focus: () => move(i),
      keydown: (event) => {
        const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
        let to = event.key === "Home" ? 0 : event.key === "End" ? nodes.length - 1 : i + (steps[event.key] ?? NaN);
        if (columns === nodes.length && /Up|Down/.test(event.key)) return;
        if (event.key === "Enter" || event.key === " ") { event.preventDefault(); pick?.(i); return; }
        if (!(to >= 0 && to < nodes.length)) return;
        event.preventDefault();
        nodes[to].focus();
      },
    });
  });
};

