/**
 * The whole dashboard at one address, before an API that answers what a test says.
 *
 *     const { calls, user } = renderAt("/p/prj_demo/tokens", {
 *       permissions: ["tokens:read"],
 *       answers: {
 *         "GET /v1/projects/*\/tokens": { tokens: [] },                       // any value: 200 and its JSON
 *         "POST /v1/projects/*\/tokens": problem(409, "too_many_tokens", "…"),  // or a Response
 *         "DELETE /v1/projects/*\/tokens/*": ({ path }) => ({ id: path }),     // or a function of the call
 *       },
 *     });
 *
 * `*` stands for one segment; the query is not part of the match (`call.query`). The last rule that matches answers. What
 * no rule answers is a 404 of the API's own kind. The project itself is answered from `permissions` and `project`.
 */

import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, RouterProvider } from "@tanstack/react-router";
import { render } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { vi } from "vitest";

import type { components } from "@/api/schema";
import type { Permission, Project } from "@/app/project";
import { createAppRouter } from "@/app/router";
import { theme } from "@/app/theme";
import { SessionProvider } from "@/session/context";
import type { Session, SessionState } from "@/session/session";

export interface Call {
  method: string;
  path: string;
  query: Record<string, string>;
  headers: Headers;
  body: unknown;
}

type Answering = (call: Call) => Response | object | Promise<Response | object>;
type Answer = Response | object | Answering;
export type Answers = Record<string, Answer>;

export const PROJECT_ID = "prj_demo";
export const PERSON = { id: "usr_ada", email: "ada@example.com", name: "Ada Lovelace" };

const VIEWER: Permission[] = [
  "notifications:read", "dead_letters:read", "integrations:read", "tokens:read", "members:read", "project:read",
];
const DEVELOPER: Permission[] = [
  ...VIEWER, "notifications:send", "notifications:amend", "dead_letters:manage", "tokens:manage",
];
const ADMIN: Permission[] = [
  ...DEVELOPER, "integrations:manage", "members:manage", "audit:read", "recipients:erase", "project:update",
];
export const MAY: Record<components["schemas"]["Role"], Permission[]> = {
  viewer: VIEWER, developer: DEVELOPER, admin: ADMIN, owner: [...ADMIN, "owners:manage", "project:archive"],
};

export const PROJECT: Project = {
  id: PROJECT_ID, name: "Demo", retention_days: 30, created_at: "2026-01-01T00:00:00.000Z", archived_at: null,
  links: { self: `/v1/projects/${PROJECT_ID}` }, permissions: MAY.owner,
};

export interface Options {
  answers?: Answers;
  /** What the person may do in the project: an owner's by default. */
  permissions?: Permission[];
  project?: Partial<Project>;
  /** Signed in as Ada by default. */
  state?: SessionState;
  /** Parts of the session that a test watches: `signIn`, `signUp`, `signInWith`, `signOut`. */
  session?: Partial<Pick<Session, "signIn" | "signUp" | "signInWith" | "signOut" | "askToVerify" | "verify">>;
  oauth?: string[];
}

export function renderAt(address: string, options: Options = {}) {
  const calls: Call[] = [];
  const project = { ...PROJECT, permissions: options.permissions ?? MAY.owner, ...options.project };
  vi.stubGlobal("fetch", answering({ "GET /v1/projects/*": project, ...options.answers }, calls));
  const fake = fakeSession(options.state ?? { kind: "in", person: PERSON }, options.session);
  const config = { appwrite: { endpoint: "http://appwrite.test/v1", project: "nofy", oauth: options.oauth ?? [] } };
  const router = createAppRouter(config, fake.session, createMemoryHistory({ initialEntries: [address] }));
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false }, mutations: { retry: false } } });
  const page = render(
    <MantineProvider theme={theme} env="test">
      <Notifications />
      <QueryClientProvider client={queries}>
        <SessionProvider value={fake.session}>
          <RouterProvider router={router} />
        </SessionProvider>
      </QueryClientProvider>
    </MantineProvider>,
  );
  const at = () => router.state.location.href;
  return { ...page, calls, router, queries, at, become: fake.become, user: userEvent.setup({ delay: null }) };
}

/** An RFC 9457 answer, as the API gives them; `fields` are what is wrong with the body, by JSON Pointer. */
export function problem(status: number, code: string, title: string, fields?: Record<string, string>): Response {
  const errors = fields && Object.entries(fields).map(([path, message]) => ({ path, code: "invalid", message }));
  return answer({ type: `urn:nofy:problem:${code}`, title, status, code, request_id: "req_1", errors }, status);
}

export function answer(value: unknown, status = 200): Response {
  return new Response(JSON.stringify(value), { status, headers: { "Content-Type": "application/json" } });
}

/** For states that pass: never answers. */
export const never = (): Promise<Response> => new Promise(() => undefined);

/** The calls to one route, as in `answers`. */
export function callsTo(calls: Call[], route: string): Call[] {
  return calls.filter((each) => matches(route, each));
}

function answering(answers: Answers, calls: Call[]) {
  return async (asked: Request | string | URL, init?: RequestInit): Promise<Response> => {
    const call = await callOf(new Request(asked instanceof Request ? asked : new URL(asked, window.location.origin), init));
    calls.push(call);
    const found = Object.entries(answers).findLast(([route]) => matches(route, call))?.[1];
    if (found === undefined) return problem(404, "not_found", "There is no such thing in this project");
    const given = typeof found === "function" ? await (found as Answering)(call) : found;
    return given instanceof Response ? given.clone() : answer(given);
  };
}

async function callOf(request: Request): Promise<Call> {
  const { pathname, searchParams } = new URL(request.url);
  const text = await request.text();
  const body = (text ? JSON.parse(text) : undefined) as unknown;
  return { method: request.method, path: pathname, query: Object.fromEntries(searchParams), headers: request.headers, body };
}

function matches(route: string, call: Call): boolean {
  const [method, path = ""] = route.split(" ");
  const [wanted, given] = [path.split("/"), call.path.split("/")];
  return method === call.method && wanted.length === given.length
    && wanted.every((each, index) => each === "*" || each === given[index]);
}

function fakeSession(initial: SessionState, parts: Options["session"] = {}) {
  let state = initial;
  const listeners = new Set<() => void>();
  const become = (next: SessionState) => {
    state = next;
    listeners.forEach((each) => each());
  };
  const session = {
    current: () => state,
    subscribe: (listener: () => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    token: () => Promise.resolve("console-token"),
    expired: () => undefined,
    restore: () => Promise.resolve(),
    signIn: () => Promise.resolve(),
    signUp: () => Promise.resolve(),
    signInWith: () => Promise.resolve(),
    keptFragment: () => "",
    askToVerify: () => Promise.resolve(),
    verify: () => Promise.resolve(),
    signOut: () => {
      become({ kind: "out", expired: false });
      return Promise.resolve();
    },
    ...parts,
  };
  return { session: session as unknown as Session, become };
}
