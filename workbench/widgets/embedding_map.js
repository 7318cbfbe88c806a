/* EmbeddingMap: points are stamped into an image by hand (a hundred thousand take a few milliseconds, with or without
   a GPU, on as many maps as a page holds); rings, lines and the lasso lie on a second canvas above. */

const LIGHT = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#3aa3dc", "#1b1f24", "#979da3"];
const DARK = ["#4aa8e0", "#f08a3c", "#2cc295", "#e09cc4", "#e6b422", "#9ad4f5", "#ffffff", "#7d868f"];
const SCALE = ["#440154", "#482878", "#3e4989", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725"];
const KEYS = "Arrow keys go from point to point, Enter opens one, plus and minus zoom, 0 shows all, Escape closes.";
const HEIGHT = 480, REACH = 14;

const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
const ramp = (dark) => {
  const [from, to] = dark ? [0.22, 1] : [0, 0.93], out = [];
  for (let i = 0; i < 64; i++) {
    const at = (from + (to - from) * i / 63) * (SCALE.length - 1), low = Math.min(Math.floor(at), SCALE.length - 2);
    const a = rgb(SCALE[low]), b = rgb(SCALE[low + 1]);
    out.push(a.map((v, k) => Math.round(v + (b[k] - v) * (at - low))));
  }
  return out;
};
const css = ([r, g, b]) => `rgb(${r},${g},${b})`;
const short = (text, n = 160) => (text.length > n ? `${text.slice(0, n - 1)}…` : text);

/* The pixels of a disc: offsets in an image that is `width` wide, and how much of each is covered, of 256. */
const stamp = (radius, width) => {
  const full = [], edge = [], cover = [], reach = Math.ceil(radius);
  for (let y = -reach; y <= reach; y++) for (let x = -reach; x <= reach; x++) {
    const part = Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(x, y)));
    if (part > 0.98) full.push(y * width + x);
    else if (part > 0.06) { edge.push(y * width + x); cover.push(Math.round(256 * part)); }
  }
  return { full: Int32Array.from(full), edge: Int32Array.from(edge), cover: Int32Array.from(cover), reach };
};

/* Cells of a square grid, each with its points, so that the point under the pointer is found among a few. */
const gridOf = (xy) => {
  const n = xy.length / 2, side = Math.max(1, Math.min(512, Math.floor(Math.sqrt(n / 2))));
  const cell = (v) => Math.max(0, Math.min(side - 1, Math.floor((v + 1) / 2 * side)));
  const start = new Uint32Array(side * side + 1), rows = new Uint32Array(n), home = new Uint32Array(n);
  for (let i = 0; i < n; i++) { home[i] = cell(xy[2 * i + 1]) * side + cell(xy[2 * i]); start[home[i] + 1]++; }
  for (let c = 0; c < side * side; c++) start[c + 1] += start[c];
  const next = start.slice();
  for (let i = 0; i < n; i++) rows[next[home[i]]++] = i;
  return (x, y, reach, allowed) => {
    let best = -1, least = reach * reach;
    for (let v = cell(y - reach); v <= cell(y + reach); v++) for (let u = cell(x - reach); u <= cell(x + reach); u++) {
      for (let k = start[v * side + u]; k < start[v * side + u + 1]; k++) {
        const i = rows[k], far = (xy[2 * i] - x) ** 2 + (xy[2 * i + 1] - y) ** 2;
        if (far <= least && allowed(i)) { least = far; best = i; }
      }
    }
    return best;
  };
};

const inside = (path, x, y) => {
  let odd = false;
  for (let i = 0, j = path.length - 1; i < path.length; j = i++) {
    const [a, b] = path[i], [c, d] = path[j];
    if (b > y !== d > y && x < (c - a) * (y - b) / (d - b) + a) odd = !odd;
  }
  return odd;
};

const render = (context) => begin(context, "embedding-map", MAP_CSS, (shell, content) => {
  const xy = numbers(content.places), n = xy.length / 2;
  const labels = content.labels.map((each) => ({ ...each, codes: each.codes && numbers(each.codes),
    values: each.values && numbers(each.values), counts: each.counts && numbers(each.counts) }));
  const ids = () => texts(content.ids), written = () => texts(content.texts) ?? ids();
  const view = { x: 0, y: 0, scale: 1 };
  let width = 600, pixels = 1, dark = false, image, grid, mask = null, colours, code, swatches = [];
  let hovered = -1, near = [], lasso = null, loop = null, found = null, lower = null, classes = new Set(), fitted = true;

  const saved = shell.saved("near");

  /* ---- drawing ---- */
  const base = make("canvas", { "aria-hidden": "true" });
  const over = make("canvas", { tabindex: "0", role: "application", "aria-roledescription": "map of points", "aria-label": `${content.title}, ${n.toLocaleString("en")} points. ${KEYS}` });
  const tip = make("div", { class: "tip wb-card", hidden: true, "aria-hidden": "true" });
  const label = () => labels.find((each) => each.name === shell.get("colour"));
  const toScreen = (i) => [(xy[2 * i] - view.x) * view.scale + width / 2, HEIGHT / 2 - (xy[2 * i + 1] - view.y) * view.scale];
  const toMap = (x, y) => [(x - width / 2) / view.scale + view.x, (HEIGHT / 2 - y) / view.scale + view.y];
  const reach = [0, 1].map((axis) => { let far = 1e-6; for (let i = axis; i < 2 * n; i += 2) far = Math.max(far, Math.abs(xy[i])); return far; });
  const whole = () => 0.94 * Math.min(width / 2 / reach[0], HEIGHT / 2 / reach[1]);
  const fit = () => { Object.assign(view, { x: 0, y: 0, scale: whole() }); fitted = true; };
  const radius = () => {
    return Math.min(6, Math.max(1.1, 5.2 - 0.85 * Math.log10(n + 1)) * Math.max(1, view.scale / whole()) ** 0.35);
  };
  const paint = () => {
    dark = shell.root.dataset.theme === "dark";
    const back = rgb(shell.ink("back")), r = radius() * pixels, pad = Math.ceil(r) + 1;
    const W = Math.round(width * pixels) + 2 * pad, H = Math.round(HEIGHT * pixels) + 2 * pad;
    if (image?.width !== W || image.height !== H) image = new ImageData(W, H);
    const out = new Uint32Array(image.data.buffer), solid = ([red, g, b]) => (255 << 24 | b << 16 | g << 8 | red) >>> 0;
    out.fill(solid(back));
    const disc = stamp(r, W), faint = stamp(Math.max(0.8, r * 0.7), W);
    const scale = view.scale * pixels, left = width * pixels / 2 + pad - view.x * scale, top = HEIGHT * pixels / 2 + pad + view.y * scale;
    const far = back.map((v) => Math.round(v + ((dark ? 255 : 0) - v) * 0.16));
    const draw = (i, { full, edge, cover }, [red, green, blue], value) => {
      const x = Math.round(left + xy[2 * i] * scale), y = Math.round(top - xy[2 * i + 1] * scale);
      if (x < pad || y < pad || x >= W - pad || y >= H - pad) return;
      const at = y * W + x;
      for (let k = 0; k < full.length; k++) out[at + full[k]] = value;
      for (let k = 0; k < edge.length; k++) {
        const p = at + edge[k], a = cover[k], was = out[p], R = was & 255, G = was >> 8 & 255, B = was >> 16 & 255;
        out[p] = (255 << 24 | B + ((blue - B) * a >> 8) << 16 | G + ((green - G) * a >> 8) << 8 | R + ((red - R) * a >> 8)) >>> 0;
      }
    };
    if (mask) { const value = solid(far); for (let i = 0; i < n; i++) if (!mask[i]) draw(i, faint, far, value); }
    const solids = colours.map(solid);
    for (let i = 0; i < n; i++) if (!mask || mask[i]) draw(i, disc, colours[code[i]], solids[code[i]]);
    base.getContext("2d").putImageData(image, -pad, -pad);
    overlay();
  };
  const overlay = () => {
    const pen = over.getContext("2d"), ink = shell.ink("ink"), back = shell.ink("back"), point = shell.get("point");
    pen.setTransform(pixels, 0, 0, pixels, 0, 0);
    pen.clearRect(0, 0, width, HEIGHT);
    const ring = (i, r, line, halo = 2.5) => {
      const [x, y] = toScreen(i);
      for (const [w, c] of [[line + halo, back], [line, ink]]) { pen.beginPath(); pen.arc(x, y, r, 0, 7); pen.lineWidth = w; pen.strokeStyle = c; pen.stroke(); }
    };
    if (saved?.length < n) for (const i of saved) ring(i, radius() + 1, 1, 0);
    if (point >= 0 && point < n) {
      const [x, y] = toScreen(point);
      pen.lineWidth = 1; pen.strokeStyle = ink; pen.globalAlpha = 0.45;
      for (const i of near) { const [u, v] = toScreen(i); pen.beginPath(); pen.moveTo(x, y); pen.lineTo(u, v); pen.stroke(); }
      pen.globalAlpha = 1;
      for (const i of near) ring(i, radius() + 2, 1);
      ring(point, radius() + 5, 2.5);
    }
    if (hovered >= 0) ring(hovered, radius() + 3, 1.5);
    if (loop?.length > 1) {
      pen.beginPath();
      for (const [x, y] of loop) pen.lineTo((x - view.x) * view.scale + width / 2, HEIGHT / 2 - (y - view.y) * view.scale);
      if (!lasso) pen.closePath();
      pen.setLineDash([5, 4]); pen.lineWidth = 1.5; pen.strokeStyle = ink; pen.stroke(); pen.setLineDash([]);
    }
  };
  const repaint = perFrame(paint), retouch = perFrame(overlay);

  /* ---- colours and legend ---- */
  const legend = make("div", { class: "legend", role: "group", "aria-label": "legend" });
  const recolour = () => {
    const chosen = label(), palette = (shell.root.dataset.theme === "dark" ? DARK : LIGHT).map(rgb);
    code = new Uint8Array(n);
    if (!chosen) colours = [palette[0]];
    else if (chosen.names.length) {
      colours = palette;
      const last = palette.length - 1, plenty = chosen.names.length > palette.length;
      for (let i = 0; i < n; i++) code[i] = Math.min(chosen.codes[i], last);
      swatches = chosen.names.slice(0, 40).map((name, k) => make("button", {
        type: "button", "aria-pressed": String(classes.has(k)), title: `show ${name} alone`,
        on: { click: () => { if (!classes.delete(k)) classes.add(k); swatches[k].setAttribute("aria-pressed", String(classes.has(k))); narrow(); } },
      }, make("i", { css: { background: css(palette[Math.min(k, last)]) } }), short(name, 28), make("small", {}, ` ${chosen.counts[k].toLocaleString("en")}`)));
      legend.replaceChildren(...swatches, ...(plenty ? [make("small", {}, `${chosen.names.length} classes; the ${last} largest have colours of their own`)] : []));
    } else {
      const all = chosen.values, ramped = ramp(shell.root.dataset.theme === "dark");
      const some = all.filter((v, i) => Number.isFinite(v) && i % Math.ceil(n / 20000) === 0).sort();
      const low = some[Math.floor(some.length * 0.02)], high = some[Math.floor(some.length * 0.98)] ?? low;
      for (let i = 0; i < n; i++) code[i] = Number.isFinite(all[i]) ? Math.max(0, Math.min(63, Math.round((all[i] - low) / (high - low || 1) * 63))) : 64;
      colours = [...ramped, palette[palette.length - 1]];
      const tell = (v) => (Number.isFinite(v) ? String(+v.toPrecision(3)) : "-");
      legend.replaceChildren(make("small", {}, `≤ ${tell(low)}`), make("i", { class: "ramp", css: { background: `linear-gradient(90deg, ${ramped.map(css).join(",")})` } }), make("small", {}, `≥ ${tell(high)}`));
    }
    if (!chosen) legend.replaceChildren();
    repaint();
  };

  /* ---- narrowing down: search, lasso, legend ---- */
  const count = make("small", { role: "status" });
  const clear = make("button", { type: "button", hidden: true, on: { click: () => { reset(); over.focus(); } } }, "Show all");
  const tellPython = debounce(150, () => {
    const rows = [];
    if (mask) for (let i = 0; i < n; i++) if (mask[i]) rows.push(i);
    shell.set("selection", new DataView(Uint32Array.from(rows).buffer));
  });
  const narrow = () => {
    const chosen = label(), byClass = classes.size && chosen?.names.length;
    mask = found || loop || byClass ? new Uint8Array(n) : null;
    let kept = n;
    if (mask) {
      kept = 0;
      for (let i = 0; i < n; i++) {
        mask[i] = (!found || found[i]) && (!byClass || classes.has(chosen.codes[i])) && (!loop || inside(loop, xy[2 * i], xy[2 * i + 1])) ? 1 : 0;
        kept += mask[i];
      }
    }
    clear.hidden = !mask;
    count.textContent = mask ? `${kept.toLocaleString("en")} of ${n.toLocaleString("en")} points` : `${n.toLocaleString("en")} points`;
    tellPython();
    repaint();
  };
  const search = make("input", { type: "search", placeholder: "Search the texts", "aria-label": "search the texts", on: { input: () => seek() } });
  const seek = debounce(120, () => {
    const wanted = search.value.trim().toLowerCase();
    found = null;
    if (wanted) {
      lower ??= written().map((text) => text.toLowerCase());
      found = new Uint8Array(n);
      for (let i = 0; i < n; i++) if (lower[i].includes(wanted)) found[i] = 1;
    }
    narrow();
  });
  const reset = () => { search.value = ""; found = null; loop = null; classes.clear(); recolour(); narrow(); };

  /* ---- the open point ---- */
  const panel = make("aside", { class: "panel", "aria-label": "the open point" });
  const about = (i) => labels.map(({ name, names, codes, values }) => `${name}: ${names.length ? names[codes[i]] : +values[i].toPrecision(4)}`);
  const section = (channel, title, row, after) => {
    const out = make("p", { "aria-live": "polite" }, make("small", {}, "waiting")), note = make("small", {});
    const bar = make("progress", { hidden: true, "aria-label": title });
    const stop = make("button", { type: "button", class: "stop", hidden: true, "aria-label": `cancel: ${title}`, on: { click: () => { shell.give_up(channel); end("cancelled"); after?.(); } } }, "Cancel");
    const end = (words) => { bar.hidden = true; stop.hidden = true; if (words) { note.textContent = words; } if (out.textContent === "waiting") out.replaceChildren(); };
    return {
      node: make("section", {}, make("h4", {}, title, stop), out, bar, note),
      start: () => {
        bar.hidden = stop.hidden = false; bar.removeAttribute("value");
        if (out.textContent === "waiting") out.textContent = "";
        shell.ask(channel, row, {
          progress: ({ done, total, note: words }) => { bar.max = total; bar.value = done; note.textContent = words; },
          part: ({ text, note: words }) => { out.textContent = text; note.textContent = words; },
          done: () => { end(""); after?.(); },
          failed: (words) => { end(words); after?.(); },
          cancelled: () => end("cancelled"),
          silent: (words) => { note.textContent = words; },
        });
      },
    };
  };
  const open = (row, tell = true) => {
    for (const channel of ["near", "explain", "invert"]) shell.give_up(channel);
    near = [];
    if (tell) shell.set("point", row);
    retouch();
    if (row < 0 || row >= n) {
      panel.replaceChildren(make("p", {}, make("small", {}, "Choose a point to see its neighbours and what its vector gives away. Drag to move; click the map, then scroll to zoom; hold shift and drag for a lasso.")),
        saved && make("p", {}, make("small", {}, `This page holds the answers of ${saved.length.toLocaleString("en")} points, which are ringed; a notebook has those of all.`)) || "");
      return;
    }
    const text = written()[row], list = make("ol", { class: "near" }), words = make("p", { class: "words" });
    const invert = shell.open("invert") && section("invert", "Read back from the vector", row);
    const explain = shell.open("explain") && section("explain", "What the vector says", row, () => invert && invert.start());
    panel.replaceChildren(
      make("h3", { tabindex: "-1" }, String(ids()[row])),
      content.texts && make("p", { class: "wb-card" }, text),
      ...about(row).map((line) => make("span", { class: "wb-badge" }, line)),
      make("h4", {}, "Around it"), words, list, ...[explain, invert].filter(Boolean).map((each) => each.node));
    shell.say(`Open: ${short(text)}`);
    const next = () => (explain || invert || null)?.start();
    shell.ask("near", row, {
      part: ({ rows, cosines, keywords }) => {
        near = [...numbers(rows)];
        const cosine = numbers(cosines);
        words.replaceChildren(...keywords.map((word) => make("span", { class: "wb-badge" }, word)));
        list.replaceChildren(...near.map((i, k) => make("li", {}, make("button", { type: "button", on: { click: () => open(i), focus: () => hover(i), mouseenter: () => hover(i), mouseleave: () => hover(-1), blur: () => hover(-1) } },
          make("span", { class: "wb-number" }, cosine[k].toFixed(3)), short(written()[i], 90)))));
        retouch();
      },
      done: next,
      failed: (reason) => { words.replaceChildren(make("small", {}, reason)); next(); },
      silent: (reason) => { words.replaceChildren(make("small", {}, reason)); },
    });
  };

  /* ---- pointer and keys ---- */
  const allowed = (i) => !mask || mask[i];
  const at = (x, y) => { grid ??= gridOf(xy); return grid(...toMap(x, y), REACH / view.scale, allowed); };
  const hover = (i) => {
    if (i === hovered) return;
    hovered = i;
    tip.hidden = i < 0;
    if (i >= 0) {
      tip.replaceChildren(make("b", {}, short(written()[i], 140)), ...about(i).map((line) => make("small", {}, line)));
      const [x, y] = toScreen(i), wide = Math.min(280, width - 20);
      fill(tip, { css: { width: `${wide}px`, left: `${Math.max(6, Math.min(width - wide - 6, x + 14))}px`, ...(y > HEIGHT / 2 ? { top: "auto", bottom: `${HEIGHT - y + 14}px` } : { bottom: "auto", top: `${y + 14}px` }) } }, []);
    }
    retouch();
  };
  const zoom = (by, x = width / 2, y = HEIGHT / 2) => {
    const [u, v] = toMap(x, y);
    view.scale = Math.max(40, Math.min(4e5, view.scale * by));
    view.x = u - (x - width / 2) / view.scale;
    view.y = v + (y - HEIGHT / 2) / view.scale;
    fitted = false;
    hover(-1);
    repaint();
  };
  const step = (dx, dy) => {
    const from = hovered >= 0 ? hovered : shell.get("point");
    const [x, y] = from >= 0 && from < n ? toScreen(from) : [width / 2, HEIGHT / 2];
    let best = -1, least = Infinity;
    for (let i = 0; i < n; i++) {
      if (i === from || !allowed(i)) continue;
      const [u, v] = toScreen(i), along = (u - x) * dx + (v - y) * dy, aside = Math.abs((u - x) * dy) + Math.abs((v - y) * dx);
      if (along < 8 || aside > along) continue;
      if (along + 2 * aside < least) { least = along + 2 * aside; best = i; }
    }
    if (best < 0) { shell.say("No point that way."); return; }
    const [u, v] = toScreen(best);
    if (u < 20 || v < 20 || u > width - 20 || v > HEIGHT - 20) { view.x = xy[2 * best]; view.y = xy[2 * best + 1]; fitted = false; repaint(); }
    hover(best);
    shell.say(`${short(written()[best])}. ${about(best).join(". ")}`);
  };
  const lassoButton = make("button", { type: "button", "aria-pressed": "false", title: "draw around points (or hold shift and drag)",
    on: { click: () => lassoButton.setAttribute("aria-pressed", String(lassoButton.getAttribute("aria-pressed") !== "true")) } }, "Lasso");
  let drag = null;
  const place = (event) => { const box = over.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  listen(over, {
    pointerdown: (event) => {
      if (event.button) return;
      const [x, y] = place(event);
      over.focus({ preventScroll: true });
      over.setPointerCapture(event.pointerId);
      drag = { x, y, moved: false };
      lasso = event.shiftKey || lassoButton.getAttribute("aria-pressed") === "true";
      if (lasso) loop = [toMap(x, y)];
    },
    pointermove: (event) => {
      const [x, y] = place(event);
      if (!drag) { hover(at(x, y)); return; }
      drag.moved ||= Math.hypot(x - drag.x, y - drag.y) > 3;
      if (!drag.moved) return;
      hover(-1);
      if (lasso) {
        if (Math.hypot(x - drag.x, y - drag.y) > 4) { loop.push(toMap(x, y)); Object.assign(drag, { x, y }); retouch(); }
        return;
      }
      view.x -= (x - drag.x) / view.scale;
      view.y += (y - drag.y) / view.scale;
      Object.assign(drag, { x, y });
      fitted = false;
      repaint();
    },
    pointerup: (event) => {
      const was = drag, [x, y] = place(event), drawn = lasso;
      drag = null; lasso = null;
      if (drawn) { if (loop.length < 3) loop = null; lassoButton.setAttribute("aria-pressed", "false"); narrow(); }
      if (was && !was.moved && !drawn) { const i = at(x, y); if (i >= 0) open(i); }
    },
    pointercancel: () => { drag = null; lasso = null; },
    pointerleave: () => { if (!drag) hover(-1); },
    blur: () => hover(-1),
    dblclick: (event) => zoom(2, ...place(event)),
    wheel: (event) => {
      if (document.activeElement !== over && !event.ctrlKey) return;
      event.preventDefault();
      zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), ...place(event));
    },
    keydown: (event) => {
      const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
      if (moves[event.key]) step(...moves[event.key]);
      else if (event.key === "+" || event.key === "=") zoom(1.4);
      else if (event.key === "-") zoom(1 / 1.4);
      else if (event.key === "0") { fit(); repaint(); }
      else if ((event.key === "Enter" || event.key === " ") && hovered >= 0) open(hovered);
      else if (event.key === "Escape") { if (mask) reset(); else open(-1); }
      else return;
      event.preventDefault();
    },
  });

  /* ---- putting it together ---- */
  const button = (name, words, f) => make("button", { type: "button", "aria-label": words, title: words, on: { click: f } }, name);
  const choice = make("select", { "aria-label": "colour by", on: { change: () => { shell.set("colour", choice.value); byLabel(); } } },
    make("option", { value: "" }, "nothing"), ...labels.map(({ name }) => make("option", { value: name }, name)));
  const byLabel = () => { choice.value = shell.get("colour"); classes.clear(); recolour(); narrow(); };
  choice.value = shell.get("colour");
  const frame = make("div", { class: "map" }, base, over, tip);
  shell.body.append(
    make("h3", {}, content.title),
    make("div", { class: "wb-bar" }, search, labels.length > 0 && make("label", {}, "colour", choice), lassoButton,
      button("+", "zoom in", () => zoom(1.4)), button("−", "zoom out", () => zoom(1 / 1.4)), button("Fit", "show the whole map", () => { fit(); repaint(); }), count, clear),
    make("div", { class: "sides" }, make("div", {}, frame, legend), panel));
  const resize = () => {
    width = Math.max(200, frame.clientWidth || 600);
    pixels = Math.min(2, devicePixelRatio || 1);
    for (const canvas of [base, over]) { canvas.width = Math.round(width * pixels); canvas.height = Math.round(HEIGHT * pixels); fill(canvas, { css: { width: `${width}px`, height: `${HEIGHT}px` } }, []); }
    if (fitted) fit();
    repaint();
  };
  const watch = new ResizeObserver(resize);
  watch.observe(frame);
  shell.undo(() => { watch.disconnect(); tellPython.stop(); seek.stop(); });
  shell.onTheme(recolour);
  shell.onState("colour", byLabel);
  shell.onState("point", (value) => open(value, false));
  recolour();
  resize();
  count.textContent = `${n.toLocaleString("en")} points`;
  open(shell.get("point"), false);
  (globalThis.requestIdleCallback ?? setTimeout)(() => { written(); grid ??= gridOf(xy); });
});

const MAP_CSS = `
.sides { display: grid; grid-template-columns: minmax(0, 1fr) 320px; gap: 14px; }
.map { position: relative; height: ${HEIGHT}px; border: 1px solid var(--wb-line); border-radius: 6px; overflow: hidden; }
.map canvas { position: absolute; inset: 0; display: block; }
.map canvas + canvas { touch-action: none; cursor: crosshair; }
.map canvas:focus-visible { outline-offset: -3px; }
.tip { position: absolute; pointer-events: none; display: grid; border: 1px solid var(--wb-line); box-shadow: 0 2px 8px rgba(0, 0, 0, .25); font-size: 13px; z-index: 1; }
.tip[hidden] { display: none; }
.tip b { font-weight: 500; }
.legend { display: flex; flex-wrap: wrap; gap: 5px; margin-top: 8px; align-items: center; max-height: 8em; overflow: auto; padding: 2px; }
.legend button { font-size: 12px; min-height: 24px; padding: 1px 8px; }
.legend button[aria-pressed="true"] small { color: inherit; }
.legend i { display: inline-block; width: 11px; height: 11px; border-radius: 50%; margin-right: 6px; vertical-align: -1px; border: 1px solid var(--wb-back); }
.legend .ramp { width: 160px; height: 10px; border-radius: 3px; margin: 0; }
.panel { max-height: ${HEIGHT + 60}px; overflow: auto; padding: 2px 4px; }
.panel h4 { display: flex; justify-content: space-between; align-items: center; }
.panel .wb-badge { margin: 2px 4px 2px 0; }
.panel .stop { font-size: 12px; min-height: 22px; padding: 0 8px; }
.near { list-style: none; margin: 6px 0; padding: 0; max-height: 128px; overflow: auto; }
.near button { width: 100%; text-align: left; background: none; border: 0; border-radius: 4px; padding: 2px 4px; min-height: 24px; font-size: 13px; display: flex; gap: 8px; }
.near button:hover { background: var(--wb-card); }
.near span { color: var(--wb-soft); }
.wb-body { container-type: inline-size; }
@container (max-width: 720px) { .sides { grid-template-columns: minmax(0, 1fr); } .panel { max-height: none; } }
`;

export default { render };
