/**
 * An e-mail's HTML as a document that does nothing: it goes into a frame without scripts, forms, popups or an origin,
 * under a policy that loads nothing from anywhere. What could ask for something before a policy is looked at (links to
 * preload or connect, a base, a refresh) is taken out as well.
 */

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; form-action 'none'; base-uri 'none'";
const OUT = "script, link, base, meta, iframe, frame, frameset, object, embed, portal, form[action], svg use, video, audio, source";
const ASKS = ["src", "srcset", "href", "xlink:href", "background", "poster", "ping", "action", "formaction"];

export function inert(html: string): string {
  const mail = new DOMParser().parseFromString(html, "text/html");
  mail.querySelectorAll(OUT).forEach((each) => each.remove());
  mail.querySelectorAll("*").forEach(disarm);
  const head = `<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}"><meta name="referrer" content="no-referrer">`;
  const looks = "<style>html{background:#fff;color:#111;font:14px/1.5 system-ui,sans-serif}body{margin:16px;overflow-wrap:anywhere}</style>";
  return `<!doctype html><html><head>${head}${looks}${mail.head.innerHTML}</head><body>${mail.body.innerHTML}</body></html>`;
}

/** A link says where it would lead and leads nowhere; a remote picture is a box with its words. */
function disarm(element: Element): void {
  if (element.tagName === "A" && element.getAttribute("href")) element.setAttribute("title", element.getAttribute("href") ?? "");
  for (const { name } of [...element.attributes]) {
    const data = name === "src" && element.tagName === "IMG" && element.getAttribute(name)?.startsWith("data:image/");
    if ((ASKS.includes(name) && !data) || name.startsWith("on")) element.removeAttribute(name);
  }
}

/** How many pictures, fonts and the like an e-mail would fetch, and which the preview leaves out. */
export function remotes(html: string): number {
  const mail = new DOMParser().parseFromString(html, "text/html");
  const asked = [...mail.querySelectorAll("[src], [srcset], [background], [poster], link[href]")];
  return asked.filter((each) => !each.getAttribute("src")?.startsWith("data:")).length;
}
