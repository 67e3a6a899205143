// A message as its own channel would show it: one function per channel, all of them building DOM nodes.

import { anchor, avatar, el, icon, picture } from "./icons.js";
import { emoji, markdown, mrkdwn, plain, whatsapp } from "./markup.js";

const clock = (iso) => new Date(iso).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

export const day = (iso) => {
  const then = new Date(iso);
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(then).setHours(0, 0, 0, 0)) / 86400000);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return then.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" });
};

export function show(message) {
  return { slack, email, whatsapp: chat }[message.channel](message);
}

// ---------------------------------------------------------------------------------------------------- Slack

function slack(message) {
  const { content } = message;
  const direct = /^[UWD]/.test(message.to);
  const hook = /^B/.test(message.to);
  const name = content.username || (hook ? "incoming-webhook" : "Nofy");
  const parts = [...(content.blocks ?? []).map(block), ...(content.attachments ?? []).map(attachment)];
  if (!content.blocks?.length && (content.text || content.markdown_text)) {
    parts.unshift(content.text ? mrkdwn(content.text) : markdown(content.markdown_text));
  }
  return el("article", { class: "slack-window window" },
    el("header", { class: "slack-head" },
      el("b", {}, el("span", { class: "hash" }, direct ? "@" : "#"), ` ${hook ? "webhook" : message.to}`),
      el("span", {}, direct ? "Direct message" : hook ? message.to : "Channel")),
    el("div", { class: "slack-day" }, el("span", {}, day(message.received_at))),
    content.thread_ts ? el("p", { class: "slack-thread" }, icon("reply"), `In a thread, reply to ${content.thread_ts}`) : null,
    el("div", { class: "slack-message" },
      content.icon_emoji
        ? el("span", { class: "slack-face emoji" }, emoji(content.icon_emoji.replace(/:/g, "")))
        : el("img", { class: "slack-face", src: "/inbox/icon.svg", alt: "" }),
      el("div", { class: "slack-body" },
        el("p", { class: "slack-who" }, el("b", {}, name), el("span", { class: "slack-app" }, "APP"),
          el("time", { datetime: message.received_at }, clock(message.received_at))),
        ...parts)));
}

const words = (text) => (text?.type === "plain_text" ? plain(text.text) : mrkdwn(text?.text ?? ""));

const BLOCKS = {
  header: (it) => el("h3", { class: "b-header" }, plain(it.text?.text)),
  divider: () => el("hr", { class: "b-divider" }),
  section: (it) => el("div", { class: "b-section" },
    el("div", {},
      it.text ? words(it.text) : null,
      it.fields?.length ? el("div", { class: "b-fields" }, it.fields.map((field) => el("div", {}, words(field)))) : null),
    it.accessory ? element(it.accessory) : null),
  context: (it) => el("div", { class: "b-context" }, (it.elements ?? []).map((part) =>
    part.type === "image" ? picture(part.image_url, part.alt_text, "b-mini") : words(part))),
  actions: (it) => el("div", { class: "b-actions" }, (it.elements ?? []).map(element)),
  image: (it) => el("figure", { class: "b-image" },
    it.title ? el("figcaption", {}, plain(it.title.text)) : null, picture(it.image_url, it.alt_text, "b-picture")),
  markdown: (it) => markdown(it.text ?? ""),
  rich_text: (it) => el("div", { class: "mrkdwn" }, (it.elements ?? []).map(rich)),
};

function block(it) {
  const draw = BLOCKS[it?.type];
  return draw ? draw(it) : el("p", { class: "b-other" }, `A block of type “${it?.type}”`);
}

function element(it) {
  if (it.type === "image") return picture(it.image_url, it.alt_text, "b-thumb");
  if (it.type === "button") {
    const style = `b-button ${["primary", "danger"].includes(it.style) ? it.style : ""}`;
    const label = plain(it.text?.text);
    const link = it.url ? anchor(it.url, label) : el("span", {}, label);
    link.setAttribute("class", style);
    return link;
  }
  return el("span", { class: "b-button" }, plain(it.placeholder?.text ?? it.text?.text ?? it.type));
}

const RICH = {
  rich_text_section: (it) => el("p", {}, (it.elements ?? []).map(richInline)),
  rich_text_preformatted: (it) => el("pre", {}, (it.elements ?? []).map((part) => part.text ?? part.url ?? "")),
  rich_text_quote: (it) => el("blockquote", {}, (it.elements ?? []).map(richInline)),
  rich_text_list: (it) => el(it.style === "ordered" ? "ol" : "ul", {},
    (it.elements ?? []).map((item) => el("li", {}, (item.elements ?? []).map(richInline)))),
};

const rich = (it) => RICH[it.type]?.(it) ?? null;

function richInline(it) {
  if (it.type === "emoji") return emoji(it.name);
  if (it.type === "user") return el("span", { class: "mention" }, `@${it.user_id}`);
  if (it.type === "channel") return el("span", { class: "mention" }, `#${it.channel_id}`);
  if (it.type === "broadcast") return el("span", { class: "mention loud" }, `@${it.range}`);
  let node = it.type === "link" ? anchor(it.url, it.text || it.url) : it.text ?? "";
  for (const [name, tag] of [["bold", "strong"], ["italic", "em"], ["strike", "s"], ["code", "code"]]) {
    if (it.style?.[name]) node = el(tag, {}, node);
  }
  return node;
}

const COLOURS = { good: "#2eb67d", warning: "#ecb22e", danger: "#e01e5a" };

function attachment(it) {
  const colour = COLOURS[it.color] ?? (/^#?[0-9a-f]{6}$/i.test(it.color ?? "") ? `#${it.color.replace("#", "")}` : "");
  return el("div", { class: "b-attachment", style: colour ? `--colour:${colour}` : null },
    it.pretext ? mrkdwn(it.pretext) : null,
    it.author_name ? el("p", { class: "b-author" }, it.author_name) : null,
    it.title ? el("p", { class: "b-title" }, it.title_link ? anchor(it.title_link, it.title) : it.title) : null,
    it.text ? mrkdwn(it.text) : null,
    it.fields?.length
      ? el("div", { class: "b-fields" }, it.fields.map((field) => el("div", {}, el("b", {}, field.title), mrkdwn(field.value ?? ""))))
      : null,
    (it.blocks ?? []).map(block),
    it.image_url ? picture(it.image_url, it.fallback, "b-picture") : null,
    it.footer ? el("p", { class: "b-context" }, it.footer) : null);
}

// --------------------------------------------------------------------------------------------------- e-mail

const person = (who) => (who?.name ? `${who.name} <${who.email ?? ""}>` : who?.email ?? "");
const people = (list) => (Array.isArray(list) ? list.map(person).join(", ") : "");

function email(message) {
  const { content } = message;
  const from = content.sender ?? {};
  const html = content.htmlContent ?? "";
  const body = el("div", { class: "mail-body" });
  const views = [["HTML", () => frame(html)], ["Text", () => textView(content)], ["Source", () => sourceView(html)]];
  const available = views.filter(([name]) => name === "Text" || html);
  const tabs = el("div", { class: "segments small", role: "group", "aria-label": "How to show the body" });
  const choose = (name) => {
    body.replaceChildren(available.find(([each]) => each === name)[1]());
    for (const tab of tabs.children) tab.setAttribute("aria-pressed", String(tab.textContent === name));
  };
  tabs.append(...available.map(([name]) => el("button", { type: "button", onclick: () => choose(name) }, name)));
  if (content.templateId) body.append(el("p", { class: "mail-note" }, `Template ${content.templateId} with its parameters`));
  else choose(available[0][0]);
  return el("article", { class: "mail-window window" },
    el("header", { class: "mail-head" },
      el("h3", {}, message.subject || "(no subject)"),
      el("div", { class: "mail-who" },
        avatar(from.name || from.email || "?"),
        el("div", {},
          el("p", {}, el("b", {}, from.name || from.email || "?"), from.name ? el("span", { class: "soft" }, ` <${from.email}>`) : null),
          el("p", { class: "soft" }, "to ", people(content.to), content.cc ? `, cc ${people(content.cc)}` : "",
            content.bcc ? `, bcc ${people(content.bcc)}` : "", content.replyTo ? ` · reply to ${person(content.replyTo)}` : "")),
        el("time", { class: "soft", datetime: message.received_at }, `${day(message.received_at)}, ${clock(message.received_at)}`)),
      el("div", { class: "mail-tools" }, tabs,
        (content.tags ?? []).map((tag) => el("span", { class: "tag" }, tag)),
        content.scheduledAt ? el("span", { class: "tag" }, `scheduled for ${content.scheduledAt}`) : null,
        (content.attachments ?? []).map((name) => el("span", { class: "tag file" }, icon("clip"), name)))),
    body);
}

// Scripts cannot run there: the sandbox does not allow them and the page's policy, which the frame inherits,
// forbids them. Same origin is allowed only so that the frame's height can be read.
function frame(html) {
  const base = '<!doctype html><meta charset="utf-8"><base target="_blank"><style>html{color-scheme:light;background:#fff}'
    + 'body{margin:16px 20px;font:15px/1.55 system-ui,sans-serif;color:#1c1c22;overflow-wrap:anywhere}img{max-width:100%;height:auto}'
    + '@media(max-width:480px){body{margin:12px}}</style>';
  const view = el("iframe", {
    title: "The e-mail's HTML body", sandbox: "allow-same-origin allow-popups allow-popups-to-escape-sandbox",
    referrerpolicy: "no-referrer",
  });
  const fit = () => {
    const root = view.contentDocument?.documentElement;
    if (root) view.style.height = `${Math.min(6000, Math.max(120, root.scrollHeight))}px`;
  };
  view.addEventListener("load", () => {
    fit();
    if (view.contentDocument?.body) new ResizeObserver(fit).observe(view.contentDocument.body);
  });
  view.srcdoc = base + html;
  return view;
}

function textView(content) {
  if (content.textContent) return el("pre", { class: "mail-text" }, content.textContent);
  return el("p", { class: "mail-note" }, "This e-mail has no text part: mail programs that show text only make one of the HTML.");
}

const sourceView = (html) => el("pre", { class: "mail-text source" }, html);

// ------------------------------------------------------------------------------------------------- WhatsApp

function chat(message) {
  const digits = message.to;
  return el("article", { class: "wa-window window" },
    el("header", { class: "wa-head" },
      el("img", { src: "/inbox/icon.svg", alt: "" }),
      el("div", {}, el("b", {}, "Nofy on this machine"), el("span", {}, `Business account, seen on the phone of +${digits}`))),
    el("div", { class: "wa-wall" },
      el("span", { class: "wa-day" }, day(message.received_at)),
      el("div", { class: "wa-post" },
        el("div", { class: "wa-bubble" }, ...bubble(message).filter(Boolean),
          el("p", { class: "wa-time" }, el("time", { datetime: message.received_at }, clock(message.received_at)))),
        buttons(message))));
}

function bubble({ content }) {
  const { type } = content;
  if (type === "template") return template(content.rendered ?? {}, content.template ?? {});
  if (type === "interactive") return interactive(content.interactive ?? {});
  const part = content[type] ?? {};
  if (type === "text") return [whatsapp(part.body)];
  return [media(type, part), part.caption ? whatsapp(part.caption) : null];
}

function template(it) {
  if (!it.body) return [el("p", { class: "soft" }, `Template “${it.name}” (${it.language})`)];
  const source = it.header_media?.source;
  return [
    it.header_media ? media(it.header_media.type, source ?? {}) : null,
    it.header ? el("p", { class: "wa-title" }, it.header) : null,
    whatsapp(it.body),
    it.footer ? el("p", { class: "wa-footer" }, it.footer) : null,
  ];
}

function interactive(it) {
  return [
    it.header?.text ? el("p", { class: "wa-title" }, it.header.text) : null,
    whatsapp(it.body?.text),
    it.footer?.text ? el("p", { class: "wa-footer" }, it.footer.text) : null,
  ];
}

function media(type, part) {
  if (type === "image" || type === "sticker") return picture(part.link, part.caption || part.link || part.id, "wa-picture");
  const name = part.filename || part.link || part.id || type;
  return el("p", { class: "wa-file" }, icon(type === "document" ? "clip" : "picture"), part.link ? anchor(part.link, name) : name);
}

function buttons({ content }) {
  const asked = content.interactive?.action?.buttons?.map((it) => ({ type: "quick_reply", text: it.reply?.title }));
  const found = content.rendered?.buttons ?? asked ?? [];
  const icons = { url: "link", copy_code: "copy", quick_reply: "reply" };
  if (!found.length) return null;
  return el("div", { class: "wa-buttons" }, found.map((it) => el("span", {}, icon(icons[it.type] ?? "reply"), it.text ?? "")));
}
