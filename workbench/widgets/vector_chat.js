/* VectorChat: questions and answers to one vector, with the evidence beside each answer. */

const finite = Number.isFinite;
const two = (x) => (finite(x) ? x.toFixed(2).replace("-", "−") : "–");
const said = (claim) => `${claim.question} It says ${claim.answer} (${two(claim.probability)}), the probe ${two(claim.probe)}`;

/* Probability of yes, and that of another vector. */
const chance = (p, blind) => make("div", { class: "chance", role: "img", "aria-label": `probability of yes ${two(p)}${finite(blind) ? `, of another vector ${two(blind)}` : ""}` },
  make("span", {}, "no"),
  make("i", {}, make("b", { css: { width: `${100 * p}%` } }), make("u", {}), finite(blind) ? make("em", { css: { left: `${100 * blind}%` }, title: `another vector: ${two(blind)}` }) : null),
  make("span", {}, "yes"), make("strong", { class: "wb-number" }, two(p)));

/* A cosine beside its blind one. */
const nearness = (value, blind, words) => make("div", { class: "near" }, make("span", {}, words),
  make("i", { role: "img", "aria-label": `${words}: ${two(value)}${finite(blind) ? `, blind ${two(blind)}` : ""}` }, make("b", { css: { width: `${100 * Math.max(0, Math.min(1, value))}%` } }),
    finite(blind) ? make("em", { css: { left: `${100 * Math.max(0, Math.min(1, blind))}%` } }) : null),
  make("span", { class: "wb-number" }, two(value), finite(blind) ? make("small", {}, ` blind ${two(blind)}`) : null));

const agreement = (claims, brief = false) => {
  const probed = claims.filter((claim) => finite(claim.probe)), against = probed.filter((claim) => claim.contradicted);
  if (!probed.length) return null;
  return make("div", { class: "agreement" }, make("small", {}, against.length ? `Linear probes contradict ${against.length} of ${probed.length} claims${brief ? " on this vector." : ":"}` : `Linear probes contradict none of ${probed.length} claims.`),
    against.length && !brief ? make("ul", {}, against.map((claim) => make("li", {}, make("span", { class: "wb-badge warn" }, "⚠ contradicted"), ` ${said(claim)}`))) : null);
};

const render = (context) => begin(context, "vector-chat", CHAT_CSS, (shell, content) => {
  let pending = null, ticking = 0;

  /* ---- what was read off the vector ---- */
  const about = make("div", { class: "wb-card about", hidden: true });
  const describe = (found) => {
    about.hidden = false;
    about.replaceChildren(...[make("h4", {}, "Read off the vector beforehand"), make("p", { class: "words" }, found.description || "(no description)"),
      found.keywords.length ? make("p", { class: "keys" }, found.keywords.map(([word, p]) => make("span", { class: "wb-badge", title: `probability ${two(p)}` }, word))) : null,
      found.text ? make("p", {}, make("small", {}, "hidden text, which the model never saw: "), found.text) : null,
      finite(found.cosine) ? nearness(found.cosine, found.blind_cosine, "embedded anew") : null,
      found.blind ? make("p", {}, make("small", {}, `Of another vector it says: ${found.blind}`)) : null,
      agreement(found.claims),
      found.claims.length ? make("details", {}, make("summary", {}, `All ${found.claims.length} claims`), make("div", { class: "wb-wide" }, make("table", {},
        make("thead", {}, make("tr", {}, ["claim", "answer", "probability", "probe", ""].map((each) => make("th", { scope: "col" }, each)))),
        make("tbody", {}, found.claims.map((claim) => make("tr", {}, [claim.question, claim.answer].map((each) => make("td", {}, each)),
          [claim.probability, claim.probe].map((each) => make("td", { class: "wb-number" }, two(each))), make("td", {}, claim.contradicted ? "⚠ contradicted" : finite(claim.probe) ? "" : "no probe"))))))) : null].filter(Boolean));
  };
  const read = () => {
    if (content.evidence) { describe(content.evidence); return; }
    if (!shell.open("evidence")) return;
    about.hidden = false;
    const bar = make("progress", { "aria-label": "reading the vector" });
    about.replaceChildren(make("small", {}, "Reading the vector …"), bar);
    shell.ask("evidence", 0, { part: describe, progress: (p) => { bar.max = p.total; bar.value = p.done; },
      failed: (words) => about.replaceChildren(make("p", { class: "fault" }, `The evidence could not be read: ${words}`)) });
  };

  /* ---- the transcript ---- */
  const log = make("ol", { class: "log", "aria-label": "questions and answers" });
  const evidence = (turn) => [
    turn.probe ? make("p", { class: "probe" }, make("span", { class: turn.probe.contradicted ? "wb-badge warn" : "wb-badge" }, turn.probe.contradicted ? "⚠ contradicted" : turn.answer === "unclear" ? "abstains" : "✓ not contradicted"), ` A linear probe for this puts yes at ${two(turn.probe.probe)}.`) : null,
    finite(turn.cosine) ? nearness(turn.cosine, turn.blind_cosine, turn.own ? "embedded anew" : "description embedded anew") : null,
    finite(turn.blind_probability) ? make("p", {}, make("small", {}, `Of another vector: yes at ${two(turn.blind_probability)}.`)) : null,
    turn.blind_answer ? make("p", {}, make("small", {}, `Of another vector it says: ${turn.blind_answer}`)) : null,
    agreement(turn.claims ?? [], !turn.own_claims),
  ].filter(Boolean);
  const entry = (turn) => {
    const beside = turn.failed ? [] : evidence(turn);
    return make("li", { class: "turn" }, make("p", { class: "asked" }, turn.question),
      make("div", { class: "reply" },
        make("div", {}, turn.answer ? make("p", { class: "words" }, turn.answer) : null,
          finite(turn.probability) ? chance(turn.probability, turn.blind_probability) : null,
          turn.failed ? make("p", { class: "fault" }, turn.failed) : null, turn.given_up ? make("small", {}, "Given up before it was finished. ") : null,
          finite(turn.seconds) ? make("small", { class: "wb-number" }, `${turn.seconds.toFixed(1)} s`) : null),
        turn.failed ? null : make("div", { class: "beside", role: "group", "aria-label": "evidence" }, beside.length ? beside : make("small", {}, "No evidence was handed over."))));
  };
  const empty = make("li", { class: "empty" }, make("small", {}, "Nothing was asked yet. All that it will say is read off the vector and may be invented."));
  const draw = () => {
    const turns = shell.get("turns") ?? [];
    log.replaceChildren(...(turns.length || pending ? turns.map(entry) : [empty]), ...(pending ? [pending.node] : []));
    log.scrollTop = log.scrollHeight;
    const used = new Set(turns.map((turn) => turn.question));
    chips.forEach((chip) => { chip.classList.toggle("used", used.has(chip.textContent)); chip.disabled = Boolean(pending); });
    send.disabled = Boolean(pending);
    cancel.hidden = !pending;
  };
  const finish = (turn, words) => {
    clearInterval(ticking);
    pending = null;
    if (turn) shell.set("turns", [...(shell.get("turns") ?? []), turn]);
    draw();
    shell.say(words);
  };
  const put = (question) => {
    if (pending || !question) return;
    const clock = make("small", { class: "wb-number" }, "0.0 s"), bar = make("progress", { "aria-label": "working" }), sofar = make("div", {}), began = performance.now();
    pending = { question, turn: null, node: make("li", { class: "turn" }, make("p", { class: "asked" }, question), make("div", { class: "waiting" }, sofar, bar, clock)) };
    ticking = setInterval(() => { clock.textContent = `${((performance.now() - began) / 1000).toFixed(1)} s`; }, 200);
    draw();
    shell.ask("ask", question, {
      part: (turn) => { pending.turn = turn; sofar.replaceChildren(...[make("p", { class: "words" }, turn.answer), finite(turn.probability) ? chance(turn.probability, turn.blind_probability) : null].filter(Boolean)); log.scrollTop = log.scrollHeight; },
      progress: (p) => { bar.max = p.total; bar.value = p.done; if (p.note) bar.title = p.note; },
      done: () => finish(pending.turn ?? { question, failed: "There was no answer." }, `${question} ${pending.turn?.answer ?? "no answer"}${finite(pending.turn?.probability) ? `, probability of yes ${two(pending.turn.probability)}` : ""}`),
      failed: (words) => finish({ ...(pending.turn ?? { question }), failed: words }, words),
    });
  };

  /* ---- asking ---- */
  const input = make("input", { type: "text", class: "line", maxlength: content.longest, placeholder: "Ask the vector, for instance: Is it about sport?", "aria-label": "question", autocomplete: "off" });
  const send = make("button", { type: "submit" }, "Ask");
  const cancel = make("button", { type: "button", hidden: true, on: { click: () => {
    const { turn, question } = pending;
    shell.give_up("ask");
    if (!turn) input.value = question;
    finish(turn && { ...turn, given_up: true }, "cancelled");
    input.focus();
  } } }, "Cancel");
  const form = make("form", { class: "wb-bar", on: { submit: (event) => {
    event.preventDefault();
    const question = input.value.trim().replace(/\s+/g, " ");
    if (!question || pending) return;
    input.value = "";
    put(question);
  } } }, input, send, cancel);
  const chips = content.questions.map((question) => make("button", { type: "button", class: "chip", on: { click: () => put(question) } }, question));
  shell.body.append(make("h3", {}, content.title), about, log,
    chips.length ? make("div", { class: "wb-bar chips", role: "group", "aria-label": "questions to choose from" }, chips) : "", form,
    make("p", {}, make("small", {}, "The bar is the calibrated probability of yes; the mark on it is what the same model says when it is given another vector.")));
  shell.onState("turns", draw);
  shell.undo(() => clearInterval(ticking));
  draw();
  read();
});

const CHAT_CSS = `
.about { margin-bottom: 10px; }
.about h4 { margin-top: 0; }
.words { font-size: 16px; line-height: 1.45; margin-top: 0; }
.keys { display: flex; flex-wrap: wrap; gap: 4px; }
.log { list-style: none; margin: 0 0 10px; padding: 0; max-height: 40em; overflow: auto; }
.turn { padding: 8px 0 10px; border-top: 1px solid var(--wb-line); overflow-wrap: anywhere; }
.empty { padding: 10px 0; }
.asked { font-weight: 650; }
.reply { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20em), 1fr)); gap: 6px 18px; }
.beside { border-left: 2px solid var(--wb-line); padding-left: 12px; font-size: 13px; }
.beside p { margin: 2px 0; }
.chance { display: flex; align-items: center; gap: 8px; max-width: 26em; font-size: 12px; color: var(--wb-soft); margin: 4px 0; }
.chance strong { color: var(--wb-ink); font-size: 15px; min-width: 2.6em; text-align: right; }
.chance i, .near i { position: relative; flex: 1 1 6em; min-width: 4em; height: 12px; background: color-mix(in srgb, var(--wb-ink) 12%, transparent); border-radius: 3px; }
.chance b, .near b { position: absolute; inset: 0 auto 0 0; background: rgb(var(--wb-more)); border-radius: 3px; }
.chance u { position: absolute; left: 50%; top: -3px; bottom: -3px; border-left: 1px dashed var(--wb-soft); }
.chance em, .near em { position: absolute; top: -4px; bottom: -4px; width: 4px; margin-left: -2px; background: rgb(var(--wb-less)); border: 1px solid var(--wb-back); border-radius: 2px; }
.near { display: flex; flex-wrap: wrap; align-items: center; gap: 0 8px; font-size: 13px; margin: 3px 0; max-width: 34em; }
.near i { height: 8px; max-width: 14em; }
.near > span { white-space: nowrap; }
.agreement ul { margin: 2px 0; padding-left: 0; list-style: none; }
.agreement li { margin: 3px 0; }
.fault { border-left: 3px solid var(--wb-bad); padding-left: 8px; font-size: 13px; }
.waiting { max-width: 30em; }
.line { flex: 1 1 16em; min-width: 0; font: inherit; color: inherit; background: var(--wb-card); border: 1px solid var(--wb-soft); border-radius: 6px; padding: 5px 10px; min-height: 34px; }
form button { min-height: 34px; }
.chip { font-size: 13px; text-align: left; }
.chip.used { color: var(--wb-soft); border-style: dashed; }
details table { border-collapse: collapse; font-size: 13px; width: 100%; margin-top: 4px; }
details td, details th { text-align: left; padding: 2px 10px 2px 0; background: none; border-top: 1px solid var(--wb-line); }
summary { cursor: pointer; font-size: 13px; color: var(--wb-soft); margin-top: 4px; }
`;

export default { render };
