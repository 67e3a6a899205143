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
  const body = JSON.stringify(request, null, 2).replaceAll("'", "'\\''");
  return `curl -X POST ${origin}/v1/notifications \\
  -H 'Authorization: Bearer ${token}' \\
  -H 'Content-Type: application/json' \\
  -d '${body}'`;
}

function python(origin: string, token: string, request: FirstRequest): string {
  return `import json
from urllib.request import Request, urlopen

notification = ${JSON.stringify(request, null, 4)}
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
  body: JSON.stringify(${JSON.stringify(request, null, 2).replaceAll("\n", "\n  ")}),
});
console.log((await answer.json()).id);`;
}
