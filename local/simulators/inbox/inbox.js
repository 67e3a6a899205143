// The inbox: what the providers accepted and refused, live.

import { day, show } from "./channels.js";
import { copyButton, el, icon } from "./icons.js";

const PAGE = 100;
const CHANNELS = { "": "All", slack: "Slack", email: "E-mail", whatsapp: "WhatsApp" };
const OUTCOMES = { accepted: "Received", refused: "Refused" };

const $ = (id) => document.getElementById(id);
const state = {
  channel: "", words: "", outcome: "accepted",
  messages: [], more: false, chosen: null, unread: new Set(), counts: {}, process: null, asked: 0,
};

// ------------------------------------------------------------------------------------------------- the server

async function load({ older = false } = {}) {
  const query = new URLSearchParams({ channel: state.channel, q: state.words, outcome: state.outcome, limit: PAGE });
  if (older && state.messages.length) query.set("before", state.messages.at(-1).id);
  const ticket = (state.asked += 1);
  const answer = await fetch(`/inbox/messages?${query}`).then((response) => response.json());
  if (ticket !== state.asked) return; // a newer question is on its way
  const found = answer.messages.reverse();
  state.messages = older ? [...state.messages, ...found] : found;
  state.more = found.length === PAGE;
  state.counts = answer.counts;
  state.process = answer.process;
  draw();
  return answer.last;
}

function listen(last) {
  const events = new EventSource(`/inbox/events?after=${last}`);
  events.addEventListener("hello", (event) => {
    live("live", "Live");
    if (JSON.parse(event.data).process !== state.process) load(); // it was restarted: what we have may be gone
  });
  events.addEventListener("messages", (event) => arrive(JSON.parse(event.data)));
  events.addEventListener("cleared", () => {
    state.unread.clear();
    choose(null);
    load();
  });
  events.addEventListener("error", () => live("lost", "Reconnecting"));
}

// A link to one message works however old it is, and whether it was received or refused.
async function follow(id) {
  const number = Number(id.replace("msg_", ""));
  if (!number || state.messages.some((message) => message.id === id)) return;
  const query = new URLSearchParams({ outcome: "all", after: number - 1, limit: 1 });
  const [message] = (await fetch(`/inbox/messages?${query}`).then((response) => response.json())).messages;
  if (message?.id !== id) return;
  const outcome = message.accepted ? "accepted" : "refused";
  if (outcome !== state.outcome) {
    state.outcome = outcome;
    await load();
  }
  if (!state.messages.some((known) => known.id === id)) state.messages.push(message);
  state.chosen = id;
  draw();
}

function live(name, text) {
  $("live").dataset.state = name;
  $("live").lastElementChild.textContent = text;
}

function arrive(messages) {
  const known = new Set(state.messages.map((message) => message.id));
  const fresh = messages.filter((message) => !known.has(message.id));
  for (const message of fresh) {
    state.counts[message.accepted ? "accepted" : "refused"] += 1;
    if (message.accepted) state.counts[message.channel] += 1;
  }
  const shown = fresh.filter(matches).reverse();
  for (const message of shown) state.unread.add(message.id);
  state.messages = [...shown, ...state.messages].slice(0, 2000);
  draw(new Set(shown.map((message) => message.id)));
  if (shown.length === 1) $("news").textContent = `${CHANNELS[shown[0].channel]} to ${shown[0].to}: ${preview(shown[0])}`;
  else if (shown.length) $("news").textContent = `${shown.length} new messages`;
}

function matches(message) {
  const words = state.words.toLowerCase();
  const places = [message.to, message.subject, message.text, message.correlation, message.provider_id, message.why];
  return (message.accepted ? "accepted" : "refused") === state.outcome
    && (!state.channel || message.channel === state.channel)
    && (!words || places.some((place) => place.toLowerCase().includes(words)));
}

// --------------------------------------------------------------------------------------------------- the list

const preview = (message) => (message.channel === "email" ? message.subject : message.text).replace(/\s+/g, " ").trim();

const bare = (text) => text.replace(/<[^|>]*\|([^>]*)>/g, "$1").replace(/[*_~`]/g, "").replace(/:[a-z0-9_+-]+:/g, "").replace(/\s+/g, " ").trim();

function address(message) {
  if (!message.to) return "(nobody)";
  if (message.channel === "whatsapp") return `+${message.to}`;
  if (message.channel === "slack") return message.to.startsWith("B") ? `Webhook ${message.to}` : `${/^[UWD]/.test(message.to) ? "@" : "#"}${message.to}`;
  return message.to;
}

function ago(iso) {
  const seconds = Math.max(0, (Date.now() - new Date(iso)) / 1000);
  if (seconds < 45) return "now";
  if (seconds < 3300) return `${Math.max(1, Math.round(seconds / 60))} min`;
  const then = new Date(iso);
  if (day(iso) === "Today") return then.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return then.toLocaleDateString([], { day: "numeric", month: "short" });
}

function row(message, isNew) {
  const unread = state.unread.has(message.id);
  const title = message.channel === "email" ? message.subject || "(no subject)" : bare(message.text) || "(no text)";
  const second = message.channel === "email" ? bare(message.text) : "";
  return el("li", { class: isNew ? "fresh" : null },
    el("a", {
      href: `#${message.id}`, class: "row", "data-id": message.id, "data-unread": unread,
      "aria-current": message.id === state.chosen ? "true" : null,
    },
      el("span", { class: `channel ${message.channel}` }, icon(message.channel, CHANNELS[message.channel])),
      el("span", { class: "row-text" },
        el("span", { class: "row-top" },
          el("b", {}, address(message)), unread ? el("i", { class: "dot", title: "New" }) : null,
          el("time", { datetime: message.received_at, title: new Date(message.received_at).toLocaleString() }, ago(message.received_at))),
        el("span", { class: "row-title" }, title),
        message.accepted ? null : el("span", { class: "row-why" }, icon("stop"), reason(message)),
        message.accepted && second ? el("span", { class: "row-second" }, second) : null,
        UNTOLD[message.outcome] ? el("span", { class: "row-note" }, icon("warn"), "stored, but the sender was not told") : null)));
}

function draw(fresh = new Set()) {
  segment($("outcomes"), OUTCOMES, state.outcome, (name) => state.counts[name], (name) => { state.outcome = name; });
  const count = (name) => (state.outcome === "refused" ? undefined : name ? state.counts[name] : state.counts.accepted);
  segment($("channels"), CHANNELS, state.channel, count, (name) => { state.channel = name; }, true);
  const focused = $("rows").contains(document.activeElement) ? document.activeElement.dataset.id : null;
  $("rows").replaceChildren(...state.messages.map((message) => row(message, fresh.has(message.id))));
  if (focused) $("rows").querySelector(`[data-id="${focused}"]`)?.focus({ preventScroll: true });
  $("older").hidden = !state.more;
  $("nothing").hidden = state.messages.length > 0;
  if (!state.messages.length) $("nothing").replaceChildren(...nothing());
  document.body.dataset.empty = String(!state.counts.accepted && !state.counts.refused);
  document.title = `${state.unread.size ? `(${state.unread.size}) ` : ""}Inbox · Nofy`;
  settle();
}

function segment(box, names, chosen, count, set, withIcons = false) {
  const focused = box.contains(document.activeElement) ? document.activeElement.dataset.name : null;
  box.replaceChildren(...Object.entries(names).map(([name, label]) =>
    el("button", {
      type: "button", "data-name": name, class: withIcons ? `chip ${name}` : null, "aria-pressed": String(name === chosen),
      onclick: () => { set(name); load(); },
    },
      withIcons && name ? icon(name) : null, label,
      count(name) === undefined ? null : el("span", { class: "count" }, String(count(name))))));
  if (focused !== null) box.querySelector(`[data-name="${focused}"]`)?.focus();
}

function nothing() {
  if (state.words || state.channel) {
    return [el("h2", {}, "No message matches"), el("p", {}, "Search looks at the recipient, the subject, the text and the ids."),
      el("button", { type: "button", class: "button", onclick: () => {
        $("q").value = state.words = state.channel = "";
        load();
      } }, "Show all messages")];
  }
  if (state.outcome === "refused") {
    return [el("h2", {}, "Nothing was refused"),
      el("p", {}, "Calls that a provider turns down end here with the reason. Try a recipient that asks for trouble: ",
        el("code", {}, "ada+503x2@example.com"), " fails twice and then goes through.")];
  }
  return [el("h2", {}, "Nothing here yet"), el("p", {}, "Messages appear the moment a provider accepts them.")];
}

// ------------------------------------------------------------------------------------------------- the reader

const UNTOLD = {
  hangup: "The provider stored this message and then closed the connection without an answer, as scripted. Whoever sent it cannot know.",
  internal: "The provider stored this message and then reported an internal error, as scripted. Whoever sent it cannot know.",
};
const REASONS = {
  throttled: "Throttled", unavailable: "Unavailable", duplicate: "Duplicate", reset: "Connection reset",
  hang: "Never answered", refused: "Refused",
};
const EXPLAINED = {
  refused: "The provider turned this call down. Nobody received it.",
  throttled: "Too many at once: the provider asked to come back later. Nobody received it.",
  unavailable: "The provider was not available. Nobody received it.",
  duplicate: "The provider has seen this idempotency key: an earlier call was accepted, and this one was not sent again.",
  reset: "The connection was reset before anything was stored.",
  hang: "The provider never answered and stored nothing.",
};

function reason(message) {
  return [REASONS[message.outcome] ?? message.outcome, message.why].filter(Boolean).join(" · ");
}

function choose(id, { focus = false } = {}) {
  state.chosen = id;
  if (id) state.unread.delete(id);
  document.body.dataset.view = id ? "reader" : "list";
  for (const link of $("rows").querySelectorAll(".row")) {
    const current = link.dataset.id === id;
    current ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current");
    if (current) {
      link.dataset.unread = "false";
      link.querySelector(".dot")?.remove();
    }
  }
  document.title = `${state.unread.size ? `(${state.unread.size}) ` : ""}Inbox · Nofy`;
  read(state.messages.find((message) => message.id === id) ?? null);
  if (focus) $("reader").focus({ preventScroll: true });
}

const wide = () => matchMedia("(min-width: 861px)").matches;

// After the list was drawn: keep what is being read; on a wide screen there is always something to read.
function settle() {
  const reader = $("reader");
  if (state.chosen && state.messages.some((message) => message.id === state.chosen)) {
    if (reader.dataset.id !== state.chosen) choose(state.chosen);
  } else if (wide() && state.messages.length) {
    choose(state.messages[0].id);
    document.body.dataset.view = "list";
  } else if (!state.messages.length || !state.chosen) {
    read(null);
  }
}

function read(message) {
  const reader = $("reader");
  reader.dataset.id = message?.id ?? "";
  if (!message) {
    reader.replaceChildren(state.counts.accepted || state.counts.refused ? pick() : welcome());
    return;
  }
  reader.replaceChildren(el("div", { class: "sheet" },
    el("div", { class: "sheet-top" },
      el("button", { type: "button", class: "back", onclick: () => { location.hash = ""; choose(null); } }, icon("back"), "Messages"),
      verdict(message)),
    banner(message),
    el("div", { class: message.accepted ? "stage" : "stage dim" }, show(message)),
    facts(message),
    el("div", {},
      raw("What the provider received", message.content),
      raw("What the provider answered", parsed(message.answer) ?? message.answer))));
  reader.scrollTop = 0;
}

function verdict(message) {
  const untold = message.accepted && UNTOLD[message.outcome];
  const word = message.accepted ? "Accepted" : REASONS[message.outcome] ?? "Refused";
  const kind = untold ? "warn" : message.accepted ? "done" : "stop";
  const who = { slack: "Slack", brevo: "Brevo", whatsapp: "WhatsApp" }[message.provider];
  return el("span", { class: `verdict ${kind}` }, icon(kind), `${word} by ${who}${untold ? ", sender not told" : ""}`);
}

function banner(message) {
  if (message.accepted && !UNTOLD[message.outcome]) return null;
  const told = message.status ? `HTTP ${message.status}` : "no answer";
  const said = message.accepted ? "" : inItsWords(message);
  return el("div", { class: message.accepted ? "banner warn" : "banner stop" }, icon(message.accepted ? "warn" : "stop"),
    el("div", {},
      el("b", {}, message.accepted ? "Stored, but not confirmed" : el("code", {}, message.why || message.outcome)),
      said ? el("p", { class: "said" }, said) : null,
      el("p", {}, `${UNTOLD[message.outcome] ?? EXPLAINED[message.outcome] ?? ""} (${told})`)));
}

// The human half of the provider's answer, where it has one.
function inItsWords(message) {
  const answer = parsed(message.answer);
  if (!answer) return message.answer.startsWith("<") ? "" : message.answer === message.why ? "" : message.answer;
  const slack = answer.response_metadata?.messages?.join(" ").replace(/\[ERROR\] /g, "");
  return slack || answer.error?.error_data?.details || answer.message || "";
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function raw(title, value) {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  if (!text) return null;
  return el("details", { class: "raw" }, el("summary", {}, title),
    el("div", { class: "code" }, copyButton(text, `Copy: ${title}`), el("pre", { tabindex: "0" }, text)));
}

function facts(message) {
  const list = [
    ["To", address(message)],
    ["Received", new Date(message.received_at).toLocaleString([], { dateStyle: "medium", timeStyle: "medium" })],
    ["Correlation", message.correlation, true],
    [{ slack: "ts", email: "Message id", whatsapp: "Message id" }[message.channel], message.provider_id, true],
    ["Idempotency key", message.idempotency_key, true],
    ["Inbox id", message.id, true],
  ];
  return el("dl", { class: "facts" }, list.filter(([, value]) => value).map(([name, value, copy]) =>
    el("div", {}, el("dt", {}, name), el("dd", { class: copy ? "mono" : null }, el("span", {}, value), copy ? copyButton(value, `Copy ${name}`) : null))));
}

const pick = () => el("div", { class: "pick" }, icon("all"), el("p", {}, "Choose a message to see it as its channel shows it."));

// ------------------------------------------------------------------------------------------------ empty state

function commands() {
  const at = location.origin;
  return {
    "Through Nofy": `read -r API TOKEN < <(python3 -c "import json
s = json.load(open('.local/stack.json')); print(s['api_url'], s['api_token'])")

curl "$API/v1/notifications" \\
  -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '{
  "to": {"email": "ada@example.com", "slack_channel": "C0DEMO"},
  "channels": ["email", "slack"],
  "content": {"subject": "Deploy finished", "text": "Build 42 is live"}
}'`,
    Slack: `curl ${at}/slack/api/chat.postMessage \\
  -H 'Authorization: Bearer xoxb-nofy-local' \\
  -H 'Content-Type: application/json; charset=utf-8' \\
  -d '{"channel": "C0DEMO", "text": ":rocket: *Build 42* is live"}'`,
    "E-mail": `curl ${at}/brevo/v3/smtp/email \\
  -H 'api-key: xkeysib-nofy-local' -H 'Content-Type: application/json' -d '{
  "sender": {"name": "Nofy", "email": "no-reply@example.com"},
  "to": [{"email": "ada@example.com", "name": "Ada"}],
  "subject": "Deploy finished",
  "htmlContent": "<h2>Build 42 is live</h2><p>It took 3 minutes.</p>"
}'`,
    WhatsApp: `curl ${at}/whatsapp/v25.0/100000000000001/messages \\
  -H 'Authorization: Bearer EAA-nofy-local' -H 'Content-Type: application/json' -d '{
  "messaging_product": "whatsapp", "to": "+15550100001",
  "type": "text", "text": {"body": "*Build 42* is live"}
}'`,
  };
}

function welcome() {
  const code = el("div", { class: "code" });
  const tabs = el("div", { class: "segments small", role: "group", "aria-label": "Example" });
  const pickOne = (name) => {
    const command = commands()[name];
    code.replaceChildren(el("pre", { tabindex: "0" }, command));
    code.prepend(copyButton(command, "Copy the command") ?? "");
    for (const tab of tabs.children) tab.setAttribute("aria-pressed", String(tab.textContent === name));
  };
  tabs.append(...Object.keys(commands()).map((name) => el("button", { type: "button", onclick: () => pickOne(name) }, name)));
  pickOne("Through Nofy");
  return el("div", { class: "welcome" },
    el("div", { class: "trio", "aria-hidden": "true" }, ["slack", "email", "whatsapp"].map((name) => el("span", { class: `channel ${name}` }, icon(name)))),
    el("h2", {}, "Your messages will land here"),
    el("p", {}, "This page stands in for Slack, Brevo and WhatsApp. Whatever Nofy delivers on this machine shows up at once, the way its recipient would see it. Send the first one:"),
    tabs, code,
    el("p", { class: "soft" }, "To see a provider fail, write it into the address: ", el("code", {}, "ada+503x2@example.com"),
      " is refused twice and then accepted, ", el("code", {}, "C0DEMOHANGUP"), " is stored and never confirmed."));
}

// --------------------------------------------------------------------------------------------------- controls

const THEMES = ["auto", "light", "dark"];
const THEME_ICONS = { auto: "auto", light: "sun", dark: "moon" };

function theme(name) {
  document.documentElement.dataset.theme = name;
  localStorage.setItem("nofy-inbox-theme", name);
  $("theme").replaceChildren(icon(THEME_ICONS[name]));
  $("theme").setAttribute("aria-label", `Colours: ${name}. Change`);
  $("theme").title = `Colours: ${name}`;
}

$("theme").addEventListener("click", () => {
  theme(THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % THEMES.length]);
});
$("empty").replaceChildren(icon("trash"));
$("empty").addEventListener("click", () => {
  if (confirm("Empty the inbox? The ledger of calls is kept.")) fetch("/inbox/messages", { method: "DELETE" });
});
$("older").addEventListener("click", () => load({ older: true }));
$("search").addEventListener("submit", (event) => event.preventDefault());

let typing;
$("q").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => {
    state.words = $("q").value.trim();
    load();
  }, 150);
});

addEventListener("hashchange", async () => {
  const id = location.hash.slice(1);
  await follow(id);
  choose(state.messages.some((message) => message.id === id) ? id : null, { focus: wide() });
});

addEventListener("keydown", (event) => {
  const inField = /^(INPUT|TEXTAREA)$/.test(document.activeElement?.tagName ?? "");
  if (event.key === "Escape" && inField) document.activeElement.blur();
  if (inField || event.metaKey || event.ctrlKey || event.altKey) return;
  if (event.key === "/") {
    event.preventDefault();
    $("q").focus();
  }
  const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
  const inReader = $("reader").contains(document.activeElement);
  if (step && state.messages.length && !(inReader && event.key.startsWith("Arrow"))) {
    event.preventDefault();
    const at = state.messages.findIndex((message) => message.id === state.chosen);
    const next = state.messages[Math.max(0, Math.min(state.messages.length - 1, at + step))];
    history.replaceState(null, "", `#${next.id}`);
    choose(next.id);
    $("rows").querySelector('[aria-current="true"]')?.scrollIntoView({ block: "nearest" });
    $("rows").querySelector('[aria-current="true"]')?.focus({ preventScroll: true });
  }
});

// Relative times grow old while nothing happens.
setInterval(() => {
  for (const time of $("rows").querySelectorAll("time")) time.textContent = ago(time.dateTime);
}, 20_000);

theme(localStorage.getItem("nofy-inbox-theme") ?? "auto");
const last = (await load()) ?? 0;
if (location.hash) {
  await follow(location.hash.slice(1));
  choose(state.messages.some((message) => `#${message.id}` === location.hash) ? location.hash.slice(1) : null);
}
listen(last);
