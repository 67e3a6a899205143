/** The same request from a terminal and from two languages, without anything to install. */

import type { FirstRequest } from "@/features/start/draft";

export interface Snippet {
  value: string;
  label: string;
  code: string;
}

export function snippets(origin: string, token: string, request: FirstRequest): Snippet[] {
  return [
    { value: "curl", label: "curl", code: curl(origin, token, request) },
    { value: "python", label: "Python", code: python(origin, token, request) },
    { value: "node", label: "Node", code: node(origin, token, request) },
  ];
}

function curl(origin: string, token: string, request: FirstRequest): string {
  // (a quote within single quotes ends them, stands for itself, and begins them again)
  const body = readable(request, "       ").replaceAll("'", "'\\''");
  return `curl -X POST ${origin}/v1/notifications \\
  -H 'Authorization: Bearer ${token}' \\
  -H 'Content-Type: application/json' \\
  -d '${body}'`;
}

function python(origin: string, token: string, request: FirstRequest): string {
  return `import json
from urllib.request import Request, urlopen

notification = ${readable(request, "    ", "\n")}
request = Request(
    "${origin}/v1/notifications",
    data=json.dumps(notification).encode(),
    headers={"Authorization": "Bearer ${token}", "Content-Type": "application/json"},
)
with urlopen(request) as answer:
    print(json.load(answer)["id"])`;
}

function node(origin: string, token: string, request: FirstRequest): string {
  return `const answer = await fetch("${origin}/v1/notifications", {
  method: "POST",
  headers: { Authorization: "Bearer ${token}", "Content-Type": "application/json" },
  body: JSON.stringify(${readable(request, "    ", "\n", "  ")}),
});
console.log((await answer.json()).id);`;
}

/** JSON with a line for each of its fields; both languages read it as their own. */
function readable(request: FirstRequest, indent: string, around = "", outer = ""): string {
  const fields = Object.entries(request).map(([name, value]) => `${JSON.stringify(name)}: ${spaced(value)}`);
  const [before, after] = around ? [`${around}${indent}`, `,${around}${outer}`] : ["", ""];
  return `{${before}${fields.join(`,\n${indent}`)}${after}}`;
}

function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{${Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}: ${spaced(each)}`).join(", ")}}`;
}
