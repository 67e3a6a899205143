// Line icons and small DOM builders. Nothing here or elsewhere on this page ever parses a string as HTML.

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  slack: ["M8 3 6.2 17", "M13.8 3 12 17", "M3.5 7.4h13.6", "M2.9 12.6h13.6"],
  email: ["M3 5.5h14v9.5H3z", "m3.3 6 6.7 5.2L16.7 6"],
  whatsapp: [
    "M3 17l1.1-3.6A7 7 0 1 1 6.8 16z",
    "M7.6 7.4c.2 2.6 2.4 4.8 5 5l.9-1.3-1.7-.9-.8.7a4 4 0 0 1-1.9-1.9l.7-.8-.9-1.7z",
  ],
  all: ["M3 10.5 5 4.5h10l2 6V15.5H3z", "M3 10.5h4l1 2h4l1-2h4"],
  sun: ["M10 3v1.5M10 15.5V17M3 10h1.5M15.5 10H17M5 5l1.1 1.1M13.9 13.9 15 15M5 15l1.1-1.1M13.9 6.1 15 5",
    "M13 10a3 3 0 1 1-6 0 3 3 0 0 1 6 0z"],
  moon: ["M16.2 11.8A6.5 6.5 0 0 1 8.2 3.8a6.5 6.5 0 1 0 8 8z"],
  auto: ["M10 3a7 7 0 1 0 0 14z", "M10 3a7 7 0 0 1 0 14"],
  trash: ["M4 6h12", "M8 6V4h4v2", "M5.5 6l.7 10h7.6l.7-10", "M8.5 9v4.5M11.5 9v4.5"],
  back: ["M12 4.5 6.5 10l5.5 5.5"],
  copy: ["M7.5 7.5h8v8h-8z", "M5 12.5H4.5v-8h8V5"],
  done: ["m4.5 10.5 3.5 3.5 7.5-8"],
  stop: ["M10 3.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13z", "m5.5 5.5 9 9"],
  warn: ["M10 3.5 17.5 16h-15z", "M10 8.5v3.5M10 14v.2"],
  clip: ["M14.5 9.5 10 14a3 3 0 0 1-4.2-4.2l5.2-5.2a2 2 0 0 1 2.8 2.8l-5 5a1 1 0 0 1-1.4-1.4L11.5 7"],
  link: ["M8.5 11.5a3 3 0 0 0 4.2 0l2.3-2.3A3 3 0 0 0 10.8 5l-1 1", "M11.5 8.5a3 3 0 0 0-4.2 0L5 10.8A3 3 0 0 0 9.2 15l1-1"],
  reply: ["M8 5 3.5 9.5 8 14", "M4 9.5h7a5 5 0 0 1 5 5v1"],
  picture: ["M3 4.5h14v11H3z", "m3.5 14 4-4.5 3 3 2.5-2.5 3.5 3.5", "M12.8 7.5h.1"],
  ticks: ["m1.5 10.8 3.6 3.6L12 6.5", "m8.6 13.9.6.5L16.5 6.5"],
};

export function icon(name, label) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("class", "icon");
  if (label) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
  } else {
    svg.setAttribute("aria-hidden", "true");
  }
  for (const d of PATHS[name] ?? PATHS.all) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

// el("p", {class: "x", onclick: f}, "text", node, null): strings become text nodes, so nothing can be injected.
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

// Only schemes that open something harmless; everything else stays text.
export function anchor(url, ...children) {
  const safe = /^(https?:|mailto:|tel:)/i.test(String(url).trim());
  if (!safe) return el("span", {}, ...children);
  return el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

export function picture(url, alt, className) {
  if (!/^(https?:\/\/|data:image\/)/i.test(String(url ?? ""))) return missingPicture(alt, className);
  const image = el("img", { src: url, alt: alt ?? "", class: className, loading: "lazy", referrerpolicy: "no-referrer" });
  image.addEventListener("error", () => image.replaceWith(missingPicture(alt || url, className)));
  return image;
}

function missingPicture(alt, className) {
  return el("span", { class: `${className ?? ""} missing`, title: alt }, icon("picture"), el("span", {}, alt || "Image"));
}

export function copyButton(text, label) {
  if (!navigator.clipboard) return null; // only secure origins have one: https, localhost and 127.0.0.1
  const button = el("button", { type: "button", class: "copy", "aria-label": label, title: label }, icon("copy"));
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text);
    button.replaceChildren(icon("done"));
    setTimeout(() => button.replaceChildren(icon("copy")), 1400);
  });
  return button;
}

const HUES = [250, 285, 330, 12, 38, 95, 150, 185, 210];

// The same person has the same colour everywhere.
export function avatar(name, className = "") {
  const letters = name.replace(/[^\p{L}\p{N} .@_-]/gu, "").split(/[\s.@_-]+/).filter(Boolean);
  const initials = (letters[0]?.[0] ?? "?") + (name.includes("@") || letters.length < 2 ? "" : letters[1][0]);
  let hash = 0;
  for (const char of name) hash = (hash * 31 + char.codePointAt(0)) >>> 0;
  return el("span", { class: `avatar ${className}`, style: `--hue:${HUES[hash % HUES.length]}`, "aria-hidden": "true" },
    initials.toUpperCase());
}
