
/* In an exported page: the state as it was saved in the place of the kernel. Questions are looked up. */
{
  const revive = (value) => {
    if (Array.isArray(value)) return value.map(revive);
    if (value === null || typeof value !== "object") return value;
    if (typeof value.base64 === "string") {
      const raw = atob(value.base64), bytes = new Uint8Array(raw.length);
      for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
      return new DataView(bytes.buffer);
    }
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, revive(item)]));
  };
  const { traits, replies } = JSON.parse(document.getElementById("state").textContent);
  const state = revive(traits), listeners = new Map();
  const emit = (event, ...values) => { for (const f of [...(listeners.get(event) ?? [])]) f(...values); };
  const model = {
    get: (name) => state[name],
    set: (name, value) => { if (state[name] !== value) { state[name] = value; emit(`change:${name}`); } },
    save_changes: () => {},
    saved: (channel) => Object.keys(replies).map((key) => JSON.parse(key)).filter(([name]) => name === channel).map(([, payload]) => payload),
    on: (event, f) => listeners.set(event, [...(listeners.get(event) ?? []), f]),
    off: (event, f) => listeners.set(event, (listeners.get(event) ?? []).filter((each) => each !== f)),
    send: ({ wb, channel, sequence, payload }) => {
      if (wb !== "ask") return;
      const reply = replies[JSON.stringify([channel, payload])] ??
        { kind: "failed", value: "This page was saved without an answer to this; open the notebook to ask." };
      const tell = (kind, value) => emit("msg:custom", { wb: kind, channel, sequence, value }, []);
      setTimeout(() => { tell(reply.kind, revive(reply.value)); if (reply.kind === "part") tell("done", null); }, 0);
    },
  };
  render({ model, el: document.getElementById("widget") });
}
