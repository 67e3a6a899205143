/** The API, as its own OpenAPI document describes it (`schema.d.ts` is generated: `npm run types`). */

import createClient, { type Client, type Middleware } from "openapi-fetch";

import { problemOf, unreachable } from "@/api/problem";
import type { paths } from "@/api/schema";
import type { Session } from "@/session/session";

export type Mode = "live" | "test";
export type Api = Client<paths>;

/** Which project's data is looked at, and whether what is real or what was sent with test tokens. */
export interface Scope {
  projectId: string;
  mode: Mode;
}

/** A client for one project (or for none: the list of projects). Every problem is thrown as an ApiProblem. */
export function apiFor(session: Session, scope?: Scope): Api {
  const client = createClient<paths>({ baseUrl: window.location.origin, fetch: reaching });
  client.use(authorising(session, scope));
  return client;
}

async function reaching(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch {
    throw unreachable();
  }
}

function authorising(session: Session, scope?: Scope): Middleware {
  return {
    async onRequest({ request }) {
      request.headers.set("Authorization", `Bearer ${await session.token()}`);
      if (scope) {
        request.headers.set("Nofy-Project", scope.projectId);
        request.headers.set("Nofy-Mode", scope.mode);
      }
      return request;
    },
    async onResponse({ response }) {
      if (response.ok) return undefined;
      const problem = await problemOf(response);
      if (problem.status === 401) session.expired();
      throw problem;
    },
  };
}

/** The body of an answer: problems were thrown before anybody gets here. */
export async function body<T>(asked: Promise<{ data?: T }>): Promise<T> {
  const { data } = await asked;
  return data as T;
}
