// Slack's mrkdwn and WhatsApp's formatting, as DOM nodes.

import { anchor, el } from "./icons.js";

const EMOJI = {
  tada: "🎉", rocket: "🚀", white_check_mark: "✅", x: "❌", warning: "⚠️", rotating_light: "🚨", bell: "🔔",
  fire: "🔥", eyes: "👀", "+1": "👍", thumbsup: "👍", wave: "👋", package: "📦", hourglass: "⌛", lock: "🔒",
  heavy_check_mark: "✔️", green_circle: "🟢", large_green_circle: "🟢", red_circle: "🔴", yellow_circle: "🟡",
  large_yellow_circle: "🟡", chart_with_upwards_trend: "📈", calendar: "📅", email: "✉️", memo: "📝", bulb: "💡",
  sparkles: "✨", bug: "🐛", gear: "⚙️", mag: "🔍", link: "🔗", moneybag: "💰", credit_card: "💳", zap: "⚡",
  heart: "❤️", pray: "🙏", clap: "👏", information_source: "ℹ️", no_entry: "⛔", arrow_right: "➡️", coffee: "☕",
};

const decode = (text) => text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");

export const emoji = (name) => EMOJI[name] ?? `:${name}:`;

const withEmoji = (text) => text.replace(/:([a-z0-9_+-]{1,40}):/g, (_, name) => emoji(name));

// One pattern per inline form, tried at every position; the first that matches wins.
const SLACK = [
  [/^`([^`\n]+)`/, (m) => el("code", {}, decode(m[1]))],
  [/^<(https?:[^|>\s]+|mailto:[^|>\s]+|tel:[^|>\s]+)(?:\|([^>]*))?>/, (m) => anchor(decode(m[1]), decode(m[2] || m[1].replace(/^mailto:/, "")))],
  [/^<@([A-Z0-9]+)(?:\|([^>]*))?>/, (m) => el("span", { class: "mention" }, `@${m[2] || m[1]}`)],
  [/^<#([A-Z0-9]+)(?:\|([^>]*))?>/, (m) => el("span", { class: "mention" }, `#${m[2] || m[1]}`)],
  [/^<!date\^[^|>]*(?:\|([^>]*))?>/, (m) => m[1] ?? ""],
  [/^<!(?:subteam\^[A-Z0-9]+\|)?@?(here|channel|everyone|[^>|]*)(?:\|([^>]*))?>/, (m) => el("span", { class: "mention loud" }, `@${m[2] || m[1]}`)],
  [/^\*(?=\S)([^*\n]*\S)\*(?![\p{L}\p{N}])/u, (m) => el("strong", {}, ...inline(m[1], SLACK))],
  [/^_(?=\S)([^_\n]*\S)_(?![\p{L}\p{N}])/u, (m) => el("em", {}, ...inline(m[1], SLACK))],
  [/^~(?=\S)([^~\n]*\S)~(?![\p{L}\p{N}])/u, (m) => el("s", {}, ...inline(m[1], SLACK))],
];

const WHATSAPP = [
  [/^```([^`]+)```/, (m) => el("code", {}, m[1])],
  [/^`([^`\n]+)`/, (m) => el("code", {}, m[1])],
  [/^(https?:\/\/[^\s<>"]+[^\s<>".,;:!?)])/, (m) => anchor(m[1], m[1])],
  [/^\*(?=\S)([^*\n]*\S)\*(?![\p{L}\p{N}])/u, (m) => el("strong", {}, ...inline(m[1], WHATSAPP))],
  [/^_(?=\S)([^_\n]*\S)_(?![\p{L}\p{N}])/u, (m) => el("em", {}, ...inline(m[1], WHATSAPP))],
  [/^~(?=\S)([^~\n]*\S)~(?![\p{L}\p{N}])/u, (m) => el("s", {}, ...inline(m[1], WHATSAPP))],
];

// A mark opens only at a word's beginning; inside a word an asterisk or underscore is itself.
function inline(text, forms) {
  const out = [];
  let plain = "";
  for (let at = 0; at < text.length;) {
    const before = at ? text[at - 1] : " ";
    const rest = text.slice(at);
    const inWord = /[\p{L}\p{N}]/u.test(before) && /^[*_~h]/.test(rest);
    const found = !inWord && /^[`<*_~h]/.test(rest) ? forms.map(([form, make]) => [rest.match(form), make]).find(([m]) => m) : null;
    if (found) {
      if (plain) out.push(plain);
      plain = "";
      out.push(found[1](found[0]));
      at += found[0][0].length;
    } else {
      plain += text[at];
      at += 1;
    }
  }
  if (plain) out.push(plain);
  return out.map((part) => (typeof part !== "string" ? part : forms === SLACK ? withEmoji(decode(part)) : part));
}

function lines(text, forms) {
  return text.split("\n").flatMap((line, number) => [...(number ? [el("br")] : []), ...inline(line, forms)]);
}

// Slack: code blocks first (nothing inside them is markup), then quotes line by line.
export function mrkdwn(text) {
  const box = el("div", { class: "mrkdwn" });
  for (const [number, part] of String(text).split("```").entries()) {
    if (number % 2) box.append(el("pre", {}, decode(part.replace(/^\n|\n$/g, ""))));
    else for (const piece of quotes(part)) box.append(piece);
  }
  return box;
}

function quotes(text) {
  const pieces = [];
  let quoted = null;
  for (const line of text.replace(/^\n|\n$/g, "").split("\n")) {
    const isQuote = /^(>|&gt;) ?/.test(line);
    if (pieces.length && isQuote === quoted) pieces[pieces.length - 1].push(line);
    else pieces.push([line]);
    quoted = isQuote;
    pieces[pieces.length - 1].quoted = isQuote;
  }
  return pieces
    .filter((piece) => piece.some(Boolean) || pieces.length > 1)
    .map((piece) => {
      const body = piece.map((line) => (piece.quoted ? line.replace(/^(>|&gt;) ?/, "") : line)).join("\n");
      return el(piece.quoted ? "blockquote" : "p", {}, ...lines(body, SLACK));
    });
}

export const plain = (text) => el("span", { class: "plain" }, withEmoji(String(text ?? "")));

export const whatsapp = (text) => el("div", { class: "wa-text" }, ...lines(String(text ?? ""), WHATSAPP));

// Enough of standard Markdown for Slack's "markdown" block: headings, lists, bold and links.
export function markdown(text) {
  const box = el("div", { class: "mrkdwn" });
  for (const line of String(text).split("\n")) {
    const heading = line.match(/^#{1,6}\s+(.*)/);
    const converted = line.replace(/\*\*(.+?)\*\*/g, "*$1*").replace(/\[([^\]]+)\]\((https?:[^)\s]+)\)/g, "<$2|$1>");
    if (heading) box.append(el("strong", { class: "md-heading" }, heading[1]));
    else box.append(el("p", {}, ...inline(converted.replace(/^[-*] /, "• "), SLACK)));
  }
  return box;
}
